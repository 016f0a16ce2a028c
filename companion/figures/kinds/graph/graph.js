// graph: circuits and unfolded graphs, stepped forward and backward with real numbers on the nodes.
// data: {axes, views: {"value|value": {nodes, edges, frames, counters, trace}}, shares, stepped, between}; a view that
// is `like` another has its nodes and edges. With `between` the frames walk from one picked node to another.
(() => {
  "use strict";
  const TRACE = 150; // height of a curve under the graph
  const levels = (scene) => Math.max(0, ...scene.nodes.map((n) => n.y));
  const wide = (n, radius) => Math.max(2 * radius, 9 * n.label.length + 12); // a box
  const mark = (role) => (role ? `var(--ex-${role})` : undefined);
  // An element's style, written as a whole, so that the same step always looks the same.
  const dress = (element, rules) => {
    const said = Object.entries(rules).filter(([, value]) => value !== undefined).map(([k, value]) => `${k}:${value}`);
    if (said.length) element?.setAttribute("style", said.join(";")); else element?.removeAttribute("style");
  };

  explorables.define("graph", {
    at: (view) => view.data.axes.map((a) => String(view.get(a))).join("|"),
    scenes(view) {
      const { views } = view.data;
      return (view.scenes ??= Object.fromEntries(
        Object.entries(views).map(([at, v]) => [at, { drawn: v.like ?? at, ...views[v.like], ...v }]),
      ));
    },
    // The shortest path between two nodes as frames, found breadth first, and what other paths there are.
    walk(scene, source, target) {
      const missing = [source, target].find((id) => !scene.nodes.some((n) => n.id === id));
      const none = (words) => ({ ...scene, frames: [{ say: words, values: {}, grads: {} }], counters: {} });
      if (missing) return none(`This graph has no ${missing}: press one of its nodes.`);
      const out = (id) => scene.edges.filter((e) => e.source === id);
      const came = new Map([[source, null]]);
      for (const id of came.keys()) for (const e of out(id)) if (!came.has(e.target)) came.set(e.target, e);
      if (!came.has(target)) return none(`No path leads from ${source} to ${target}.`);
      const path = [];
      for (let e = came.get(target); e; e = came.get(e.source)) path.unshift(e);
      const ways = { [target]: { count: 1, longest: 0 } };
      const onward = (id) => (ways[id] ??= out(id).map((e) => onward(e.target)).reduce((sum, w) => ({
        count: sum.count + w.count, longest: w.count ? Math.max(sum.longest, w.longest + 1) : sum.longest,
      }), { count: 0, longest: 0 }));
      const { count, longest } = onward(source);
      const frame = (say, id, i, marks) => ({
        say, values: { [id]: String(i) }, grads: {}, hot: [id], marks: { [id]: "gradient", ...marks },
      });
      const frames = [frame(`Start at ${source}.`, source, 0), ...path.map((e, i) => (
        frame(`Arrow ${i + 1} leads to ${e.target}.`, e.target, i + 1, { [e.id]: "gradient" })))];
      return { ...scene, frames, counters: { "shortest path": path.length, longest, paths: count } };
    },
    // What the first `step` frames have put on nodes and edges.
    revealed(scene, step) {
      const out = { value: {}, grad: {}, fill: {}, flow: {}, mark: {}, hot: new Set(), say: "" };
      scene.frames.slice(0, step).forEach((f, i, all) => {
        Object.assign(out.value, f.values);
        Object.assign(out.grad, f.grads);
        Object.assign(out.fill, f.fills);
        Object.assign(out.flow, f.flows);
        Object.assign(out.mark, f.marks);
        if (i === all.length - 1) { out.hot = new Set(f.hot); out.say = f.say; }
      });
      return out;
    },
    draw(view) {
      const at = this.at(view);
      const drawing = this.scenes(view)[at];
      const scene = view.data.between ? this.walk(drawing, view.get("source"), view.get("target")) : drawing;
      const stepped = scene.frames.length > 0;
      if (view.data.stepped) view.limit("step", scene.frames.length);
      const step = stepped ? Math.min(view.get("step"), scene.frames.length) : 0;
      const seen = this.revealed(scene, step);
      const light = view.data.shares.length ? view.get("light") : "none";
      const { rise, tallest, unit: least } = (view.room ??= this.room(view));
      const beside = scene.trace && view.width >= 640; // the curve; else it stands below
      const given = beside ? 0.6 * view.width : view.width;
      const cols = Math.max(1, ...scene.nodes.map((n) => n.x));
      const rows = levels(scene);
      const unit = Math.min(150, Math.max(least, (given - 104) / cols));
      const width = Math.max(given, unit * cols + 104);
      const left = 36 + (width - 104 - unit * cols) / 2; // values and gradients stand to the right of their nodes
      const top = 46 + ((tallest - rows) * rise) / 2; // the figure keeps its height
      const radius = Math.min(21, unit * 0.34);
      const place = (n) => ({ x: left + n.x * unit, y: top + (rows - n.y) * rise });
      const byId = Object.fromEntries(scene.nodes.map((n) => [n.id, n]));
      view.layer("graph", `${width}|${scene.drawn}`, (g) => {
        view.update = [
          ...scene.edges.map((e) => this.edge(g, e, byId, place, radius)),
          ...scene.nodes.map((n) => this.node(g, n, place(n), radius)),
        ];
      });
      const on = (id, grads) => !stepped || id in seen.value || id in seen.fill || id in grads;
      view.update.forEach((update) => update(seen, light, on));
      const words = stepped && step === 0 ? "Nothing computed yet: step forward." : seen.say;
      const say = this.say(scene, words, light);
      const height = Math.max(46 + tallest * rise + 52, beside ? 220 : 0);
      const hot = scene.nodes.filter((n) => seen.hot.has(n.id)).map((n) => place(n).x);
      const focus = hot.length ? hot.reduce((sum, x) => sum + x, 0) / hot.length : undefined; // what happens, in sight
      if (!scene.trace) return { height, width, focus, say };
      const box = beside ? { left: width + 8, top: 4, width: view.width * 0.4 - 12, height: Math.min(260, height) - 8 }
        : { left: 4, top: height, width: view.width - 8, height: TRACE };
      view.layer("trace", `${view.width}|${at}|${step}`, (g) => this.trace(view, g, scene, box, step));
      if (beside) return { height, width: width + view.width * 0.4, say };
      return { height: height + TRACE, width, focus, say };
    },
    // The curve beside or under the graph, on one scale in all views, and a dot at the step.
    trace(view, g, { trace, frames }, box, step) {
      const { plot, curve, extent, svg, round } = explorables.kit;
      const ydomain = extent(Object.values(view.data.views).flatMap((v) => (v.trace ? [v.trace.values] : [])));
      const p = plot(g, box, { xdomain: [0, frames.length], ydomain, logy: trace.logy, xlabel: "step",
        ylabel: trace.label });
      curve(p, trace.values.map((_, k) => k), trace.values, trace.role);
      const dot = { cx: round(p.x(step)), cy: round(p.y(trace.values[step])), r: 5, class: `ex-dot ex-${trace.role}` };
      g.append(svg("circle", dot));
    },
    // How far apart nodes must stand, in pixels, for all that any step of any view writes beside them and on arrows.
    room(view) {
      const { measure } = explorables.kit;
      const scenes = Object.values(this.scenes(view));
      const written = (a, b, frames) => view.data.between
        || frames.some((f) => (b.label && f.values[b.id]) || f.grads[a.id]);
      // one above the other: close, unless something is written below the upper or above the lower
      const rises = scenes.flatMap(({ nodes, frames }) => nodes.flatMap((a) => nodes
        .filter((b) => b.x === a.x && b.y > a.y)
        .map((b) => (written(a, b, frames) ? 100 : 46) / Math.min(1, b.y - a.y))));
      const labels = scenes.flatMap(({ edges, frames }) => edges.filter((e) => e.label).flatMap((e) => (
        [e.label, ...frames.map((f) => `${e.label} ${f.values[e.id] ?? ""}`)])));
      const beside = scenes.flatMap(({ nodes, frames }) => nodes.flatMap((n) => {
        const next = Math.min(...nodes.filter((m) => m.y === n.y && m.x > n.x).map((m) => m.x - n.x)); // or Infinity
        const words = frames.flatMap((f) => [(n.label && f.values[n.id]) || "", `∇ ${f.grads[n.id] ?? ""}`]);
        return words.map((w) => (measure(w, "italic 12px") + 8) / next);
      }));
      return {
        rise: Math.max(46, ...rises),
        tallest: Math.max(...scenes.map(levels)),
        unit: Math.min(150, Math.max(54, ...beside, ...labels.map((words) => 30 + measure(words)))),
      };
    },
    say(scene, words, light) {
      const counts = Object.entries(scene.counters).map(([k, v]) => `${k}: ${v}`).join(" · ");
      const copies = light === "none" ? 0 : this.copies(scene, light);
      const lighted = copies > 1 ? `${light} is used ${copies} times: one parameter, many copies.`
        : copies ? `${light} stands here once.` : "";
      return [words, lighted, counts].filter(Boolean).join(" ");
    },
    // The longest that each view says, with the parameter lit that has the longest name.
    sayings(view) {
      const light = view.data.shares.reduce((a, b) => (b.length > a.length ? b : a), view.data.shares[0] ?? "none");
      return Object.values(this.scenes(view)).flatMap((scene) => {
        const longest = scene.frames.map((f) => f.say).sort((a, b) => b.length - a.length).slice(0, 2);
        return ["", ...longest].map((words) => this.say(scene, words, light));
      });
    },
    // Pointing at a weight shows all its copies; pressing it keeps them lit. Pressing a node picks it.
    start(view, canvas) {
      let pick = "source";
      view.onreset(() => { pick = "source"; });
      if (view.data.between) canvas.dataset.press = "";
      canvas.addEventListener("click", (event) => {
        const id = event.target.closest("[data-node]")?.dataset.node;
        const node = this.scenes(view)[this.at(view)].nodes.find((n) => n.id === id);
        for (const [name, value] of Object.entries(node?.press ?? {})) view.set(name, value);
        if (!node || !view.data.between) return;
        view.set(pick, id);
        pick = pick === "source" ? "target" : "source";
      });
      view.share((name) => {
        if (view.data.shares.includes(name)) view.set("light", view.get("light") === name ? "none" : name);
      });
    },
    copies: (scene, share) => [...scene.edges, ...scene.nodes].filter((e) => e.share === share).length,
    // Draws a node and returns what puts a step's values and gradients on it.
    node(g, n, at, radius) {
      const { svg, text, typeset, put, attribute } = explorables.kit;
      const group = svg("g", { "data-share": n.share || null, "data-node": n.id, "data-press": Boolean(n.press) });
      let shape = null;
      if (n.shape === "delay") {
        group.append(svg("rect", { x: at.x - 7, y: at.y - 7, width: 14, height: 14, class: "ex-delay" }));
      } else if (n.shape === "box") {
        const w = wide(n, radius);
        shape = svg("rect", { x: at.x - w / 2, y: at.y - radius * 0.8, width: w, height: radius * 1.6, rx: 4 });
      } else if (n.image) {
        const pixel = (2 * radius) / n.image.length;
        const corner = { x: at.x - (pixel * n.image[0].length) / 2, y: at.y - radius };
        n.image.forEach((row, i) => [...row].forEach((v, j) => {
          if (v === "0") return;
          const where = { x: corner.x + j * pixel, y: corner.y + i * pixel, width: pixel, height: pixel };
          group.append(svg("rect", { ...where, class: "ex-pixel", "fill-opacity": v / 9 }));
        }));
        shape = svg("rect", { ...corner, width: pixel * n.image[0].length, height: 2 * radius });
      } else shape = svg("circle", { cx: at.x, cy: at.y, r: radius });
      const small = radius < 17 ? " ex-small" : "";
      const aside = at.x + radius * 0.35;
      const name = text(at.x, at.y + 4, n.label, { "text-anchor": "middle" });
      const value = text(aside, at.y + radius + 15, "", { class: `ex-value ex-halo${small}` });
      const grad = text(aside, at.y - radius - 7, "", { class: `ex-grad ex-halo${small}` });
      group.append(...(shape ? [shape, name] : []), value, grad);
      g.append(group);
      return (seen, light, on) => {
        const off = on(n.id, seen.grad) ? "" : " ex-off";
        const lit = light !== "none" && n.share === light ? " ex-lit" : "";
        const full = seen.fill[n.id];
        const filled = full === undefined ? "" : full < 0 ? " ex-full ex-below" : " ex-full";
        const hot = (seen.hot.has(n.id) ? " ex-hot" : "") + (seen.mark[n.id] ? " ex-mark" : "");
        if (shape) attribute(shape, "class", `ex-node ex-${n.role}${off}${filled}${hot}${lit}`);
        const percent = `${Math.round(70 * Math.min(1, Math.abs(full ?? 0)))}%`;
        dress(shape, { "--full": percent, "--mark": mark(seen.mark[n.id]) });
        put(n.label ? value : name, typeset(seen.value[n.id] ?? ""));
        const tight = n.label || name.textContent.length < 5 ? small : " ex-small"; // a number within the circle
        attribute(name, "class", `ex-name${tight}${off}`);
        put(grad, seen.grad[n.id] ? `∇ ${typeset(seen.grad[n.id])}` : "");
      };
    },
    // Draws an edge, and returns the same of it.
    edge(g, e, byId, place, radius) {
      const { svg, text, typeset, round, put, attribute } = explorables.kit;
      const loop = e.source === e.target;
      const spot = (x, y) => `${round(x)} ${round(y)}`;
      const a = place(byId[e.source]);
      const b = place(byId[e.target]);
      const group = svg("g", { "data-share": e.share || null, "data-edge": e.id });
      let d, mid;
      if (loop) {
        const [w, h] = [radius * 1.5, radius * 2.6];
        const from = spot(a.x + radius * 0.8, a.y - radius * 0.6);
        const to = spot(a.x + radius * 0.95, a.y + radius * 0.7);
        d = `M${from}C${spot(a.x + w * 2, a.y - h)} ${spot(a.x + w * 2, a.y + h)} ${to}`;
        mid = { x: a.x + w * 1.75, y: a.y };
      } else {
        const [dx, dy] = [b.x - a.x, b.y - a.y];
        const len = Math.hypot(dx, dy) || 1;
        const [ux, uy] = [dx / len, dy / len];
        const bow = (e.curve || 0) * len * 0.5;
        const c = { x: (a.x + b.x) / 2 - uy * bow, y: (a.y + b.y) / 2 + ux * bow };
        const from = trim(a, c, byId[e.source], 1);
        const to = trim(b, c, byId[e.target], 5);
        d = `M${spot(from.x, from.y)}Q${spot(c.x, c.y)} ${spot(to.x, to.y)}`;
        mid = { x: (from.x + 2 * c.x + to.x) / 4, y: (from.y + 2 * c.y + to.y) / 4 };
        const along = Math.atan2(to.y - c.y, to.x - c.x);
        group.append(arrow(spot(to.x + 4 * Math.cos(along), to.y + 4 * Math.sin(along)), (along * 180) / Math.PI));
      }
      const line = svg("path", { d, fill: "none", class: "ex-line" });
      group.append(line, svg("path", { d, fill: "none", class: "ex-reach" }));
      if (loop) group.append(arrow(spot(a.x + radius * 0.95, a.y + radius * 0.7), 215));
      if (e.delay) group.append(svg("rect", { x: mid.x - 6, y: mid.y - 6, width: 12, height: 12, class: "ex-delay" }));
      // labels stand beside the edge: left of a steep one (values stand to the right), above a flat one
      const steep = Math.abs(b.y - a.y) > Math.abs(b.x - a.x);
      const lx = loop ? mid.x + 13 : steep ? mid.x - 7 : mid.x;
      const ly = loop || steep ? mid.y + 4 : mid.y - (e.delay ? 12 : 7);
      const anchor = loop ? "start" : steep ? "end" : "middle";
      const label = text(lx, ly, "", { class: "ex-weight ex-halo", "text-anchor": anchor });
      const grad = text(lx, ly + (steep ? 15 : 22), "", { class: "ex-grad ex-halo", "text-anchor": anchor });
      group.append(label, grad);
      g.append(group);
      return (seen, light, on) => {
        const beside = light === "none" ? "" : e.share === light ? " ex-lit" : " ex-dim";
        const off = on(e.source, seen.grad) ? "" : " ex-off";
        const role = e.role ? ` ex-role ex-${e.role}` : "";
        const hot = (seen.hot.has(e.id) ? " ex-hot" : "") + (seen.mark[e.id] ? " ex-mark" : "");
        attribute(group, "class", `ex-edge${role}${off}${hot}${beside}`);
        const flow = seen.flow[e.id];
        const size = flow === undefined ? undefined : Math.abs(flow);
        dress(line, {
          "stroke-width": size === undefined ? undefined : `${round(0.5 + 6 * Math.min(1, size))}px`,
          "stroke-dasharray": flow < 0 ? "5 3" : undefined,
        });
        const opacity = size === undefined || off ? undefined : round(0.25 + 0.75 * Math.min(1, 2 * size));
        dress(group, { opacity, "--mark": mark(seen.mark[e.id]) });
        put(label, e.label ? [e.label, typeset(seen.value[e.id] ?? "")].filter(Boolean).join(" ") : "");
        put(grad, seen.grad[e.id] ? `∇ ${typeset(seen.grad[e.id])}` : "");
      };

      function arrow(at, degrees) {
        const transform = `translate(${at}) rotate(${round(degrees)})`;
        return svg("path", { class: "ex-arrow", d: "M0 0L-7 4L-7 -4Z", transform });
      }
      // Where the line from the middle of a node to a point leaves it, and some pixels further.
      function trim(p, c, n, gap) {
        const [dx, dy] = [c.x - p.x, c.y - p.y];
        const len = Math.hypot(dx, dy) || 1;
        const box = Math.min(wide(n, radius) / 2 / Math.abs(dx), (0.8 * radius) / Math.abs(dy)) * len;
        const r = gap + (n.shape === "delay" ? 5 : n.shape === "box" ? box : radius);
        return { x: p.x + (dx / len) * r, y: p.y + (dy / len) * r };
      }
    },
  });
})();
