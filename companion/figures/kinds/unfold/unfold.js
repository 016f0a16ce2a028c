// unfold: a circuit of one recurrent unit opens into its graph and folds back. All copies are always drawn where they
// are; folded, they lie on one another. Computed in the page; the tests hold it to companion.unfolding.unit.
(() => {
  "use strict";
  const PARAMETERS = ["w", "u", "b", "v"];
  const LONGEST = 12;
  const ROW = { out: 18, h: 98, a: 172, x: 228, letter: 257, t: 271, parts: 292 }; // heights, in pixels
  const HALF = 28; // of a tank: h = 1 fills so much
  const PANEL = 40; // height of the panel of parts
  const { svg, text, clamp, round, number, superscript } = explorables.kit;
  const mix = (m, a, b) => a + m * (b - a);

  function value(sign) {
    const base = [...sign.toLowerCase().normalize("NFD")][0];
    return "aeiouy".includes(base) ? 1 : /\p{L}/u.test(base) ? -1 : 0;
  }
  function read(typed) {
    const words = typed.trim().replaceAll("−", "-").split(/[\s,;]+/);
    if (words.every((w) => /^[+-]?[0-9]*\.?[0-9]+$/.test(w))) {
      const x = words.slice(0, LONGEST).map((w) => clamp(Number(w), -2, 2));
      return { x, signs: x.map(() => "") };
    }
    const signs = [...typed.trim().normalize("NFC")].slice(0, LONGEST);
    return { x: signs.map(value), signs };
  }

  function compute({ w, u, b, v }, x) {
    const tau = x.length;
    const [a, h] = [[], [0]];
    for (const x_t of x) {
      a.push(b + w * h.at(-1) + u * x_t);
      h.push(Math.tanh(a.at(-1)));
    }
    const o = v * h[tau];
    const error = o - x[0];
    const [grad_a, grad_h] = [[], []];
    grad_h[tau] = v * error;
    for (let t = tau; t >= 1; t--) {
      grad_a[t - 1] = (1 - h[t] ** 2) * grad_h[t];
      grad_h[t - 1] = w * grad_a[t - 1];
    }
    const parts = {
      w: grad_a.map((g, i) => g * h[i]), u: grad_a.map((g, i) => g * x[i]), b: grad_a,
      v: x.map((_, i) => (i === tau - 1 ? error * h[tau] : 0)),
    };
    return { a, h, o, loss: 0.5 * error ** 2, grad_a, grad_h, parts };
  }

  // Where each step stands with `opened` % of the way done: copy after copy stays behind, the rest moves on together.
  function place(width, tau, opened) {
    const q = (opened / 100) * tau;
    const first = Math.max(1, Math.ceil(q - 1e-9)); // steps first … τ are still one machine
    const rest = clamp(tau - q, 0, 1);
    const tight = (width - 92) / tau < 58; // no room for words beside the nodes
    const [left, right, bulge, loop] = tight ? [22, 26, 60, 58] : [36, 44, 78, 65]; // margins; what a loop needs more
    const gap = clamp((width - left - right - 12) / tau, 42, 110);
    const full = Math.max(width, left + gap * tau + right + Math.max(0, loop - gap));
    const column = (t) => 1 + clamp(q - 1, 0, t - 1);
    const before = Math.max(left + gap * column(tau), 182); // the row of output and loss needs so much
    const end = (full - before - right - loop * rest) / 2 + before;
    const x = (t) => end - gap * (column(tau) - (t ? column(t) : 0));
    const apart = first > 1 ? column(first) - column(first - 1) : 1;
    const edge = end + right + loop * rest - 6;
    return { q, first, gap, full, x, born: clamp(q, 0, 1), rest, apart, bulge, edge, named: !tight || q < 0.5 };
  }

  // The wire from h⁽ᵗ⁻¹⁾ to a⁽ᵗ⁾, four points of a curve: a loop if both stand in one column (m = 0), else a step.
  function wire(from, to, m, bulge) {
    const gap = to - from.x;
    const loop = [
      [from.x + 15, from.y - 8], [to + bulge, ROW.h - 22], [to + bulge, ROW.a + 22], [to + 15, ROW.a + 2],
    ];
    const step = [
      [from.x + 15, from.y], [from.x + 0.42 * gap, from.y + 4], [to - 0.42 * gap, ROW.a - 16], [to - 14, ROW.a - 5],
    ];
    return loop.map((p, i) => [mix(m, p[0], step[i][0]), mix(m, p[1], step[i][1])]);
  }
  const middle = (c) => [0, 1].map((k) => (c[0][k] + 3 * c[1][k] + 3 * c[2][k] + c[3][k]) / 8);
  const path = (c) => `M${c[0].map(round)}C${c.slice(1).map((p) => p.map(round).join(" ")).join(" ")}`;

  const at = (name, t) => name + explorables.kit.up(t);
  const short = (v, brief) => {
    const size = Math.abs(v);
    if (size === 0 || size >= 0.005) return v.toFixed(2).replace("-", "−");
    const e = brief ? Math.round(Math.log10(size)) : Math.floor(Math.log10(size));
    return `${v < 0 ? "−" : ""}${brief ? "" : `${Math.round(size / 10 ** e)}·`}10${superscript(e)}`;
  };
  const inBrackets = (v, show) => (v < 0 ? `(${show(v)})` : show(v));
  const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);
  const words = (x, y, said, look = "ex-small", anchor = "middle") =>
    text(x, y, said, { class: look, "text-anchor": anchor });
  const square = ([x, y], opacity) => {
    const size = { x: round(x - 6), y: round(y - 6), width: 12, height: 12 };
    return svg("rect", { ...size, class: "un-delay", opacity: round(opacity) });
  };

  explorables.define("unfold", {
    read, compute,
    // Everything that the picture and the read-out need of the present state.
    state(view) {
      const held = view.data.held;
      const get = (name) => held[name] ?? view.get(name);
      let seen = read(get("text"));
      if (!seen.x.length) seen = read(view.spec.start.text);
      const p = Object.fromEntries(PARAMETERS.map((k) => [k, get(k)]));
      const tau = seen.x.length;
      const step = Math.min(get("step") ?? tau, 2 * tau + 1);
      const back = Math.min(tau + 1, 2 * tau + 2 - step); // the gradient has come back to here; τ + 1: not yet
      const now = step <= tau ? step : Math.min(tau, back);
      const [light, opened] = [get("light"), get("opened")];
      return { ...seen, ...compute(p, seen.x), p, tau, step, now, light, opened, back, done: step > tau };
    },
    sayings(view) {
      const s = this.state(view);
      const at = (step) => ({ ...s, step, back: Math.min(s.tau + 1, 2 * s.tau + 2 - step) });
      const steps = "light" in view.data.held ? s.tau : 2 * s.tau + 1;
      return upTo(steps).map((step) => this.say(at(step), { q: s.tau }, steps > s.tau));
    },
    start(view, canvas) {
      const light = (name) => {
        if (!("light" in view.data.held) && PARAMETERS.includes(name)) view.set("light", name);
      };
      view.share(light);
      canvas.addEventListener("pointerdown", () => { view.grip = undefined; }, true);
      view.root.addEventListener("focusin", (event) => light(event.target.dataset.control));
    },
    draw(view) {
      if (!("step" in view.data.held)) view.limit("step", 2 * this.state(view).tau + 1);
      const s = this.state(view);
      const spots = place(view.width, s.tau, s.opened);
      view.note("opened", `${number(Math.round(spots.q * 10) / 10)} of ${s.tau} steps`);
      const whole = !("light" in view.data.held); // else without output, loss and gradient
      const cut = whole ? 0 : ROW.h - HALF - 12;
      view.layer("net", undefined, (g) => {
        g.setAttribute("transform", `translate(0 ${-cut})`);
        this.net(view, g, s, spots, whole);
      });
      if (whole) view.layer("parts", undefined, (g) => this.parts(g, s, spots));
      const focus = spots.x(Math.max(1, s.now));
      const height = whole ? ROW.parts + PANEL + 18 : ROW.t + 6 - cut;
      return { width: spots.full, height, say: this.say(s, spots, whole), focus };
    },
    net(view, g, s, spots, whole) {
      const { x, first, gap, born, rest, apart, bulge, named } = spots;
      const shown = clamp(s.now, first, s.tau); // the step that the machine at the end stands at
      const steps = [...upTo(first - 1), shown];
      const on = (t) => s.step >= t;
      const bare = (t) => t === first - 1 && apart < 0.75; // no words on the copy that is being left
      const end = x(s.tau);
      const lit = (name) => (name === s.light ? " ex-lit" : "");
      const loop = wire({ x: end, y: ROW.h }, end, 0, bulge);
      const seed = middle(wire({ x: x(1), y: ROW.h }, x(1), 0, bulge)); // where h⁽⁰⁾ waits: in the delay
      const zero = { x: mix(born, seed[0], x(0)), y: mix(born, seed[1], ROW.h) };
      const pills = [];
      // What is alike lies in one group, so that what comes or goes moves nothing else.
      const groups = (names) => Object.fromEntries(names.map((name) => [name, svg("g", {})]));
      const [flows, wires] = [groups(["v", "w", "tanh"]), groups(["v", "end", "w", "tanh", "u", "b"])];
      const [others, copies] = [groups(["delays", "ends", "first", "nodes", "grads"]), groups(PARAMETERS)];
      for (const lot of [flows, wires, others, copies]) g.append(...Object.values(lot));
      const { delays, ends, nodes, grads } = others;

      const draw = (name, c, { dim, way = 1 } = {}) => {
        const width = 1.2 + 1.3 * Math.abs(s.p[name] ?? 0.4);
        const dash = s.p[name] < 0 ? "5 4" : null;
        const [[px, py], [qx, qy]] = [c.at(-2), c.at(-1)];
        const turn = (Math.atan2(qy - py, qx - px) * 180) / Math.PI;
        wires[name].append(svg("g", { "data-share": name, opacity: way < 1 ? round(way) : null },
          svg("path", {
            d: path(c), class: `un-wire${dim ? " ex-off" : ""}${lit(name)}`,
            "stroke-width": round(width), "stroke-dasharray": dash,
          }),
          svg("path", {
            d: "M0 0L-7 4L-7 -4Z", class: "un-arrow",
            transform: `translate(${round(qx)} ${round(qy)}) rotate(${round(turn)})`,
          })));
      };
      const line = (x1, y1, x2, y2) => [[x1, y1], [mix(1 / 3, x1, x2), mix(1 / 3, y1, y2)],
        [mix(2 / 3, x1, x2), mix(2 / 3, y1, y2)], [x2, y2]];
      const flow = (name, c, gradient) => flows[name].append(svg("path", {
        d: path(c), class: "un-back", "stroke-width": round(2 + 9 * Math.min(1, Math.abs(gradient))),
      }));

      // wires: what the gradient has passed is broad and purple beneath
      if (whole) {
        const up = line(end, ROW.h - HALF - 3, end, ROW.out + 16);
        if (s.back <= s.tau) flow("v", up, s.grad_h[s.tau]);
        draw("v", up, { dim: !on(s.tau) });
        pills.push(["v", "v", end, ROW.out + 27]);
        this.end(ends, s, end, (x1, x2) => draw("end", line(x1, ROW.out, x2, ROW.out), { dim: !s.done }));
      }
      for (const t of upTo(first)) {
        const m = t === 1 ? born : (x(t) - x(t - 1)) / gap;
        if (m < 0.001) continue;
        const from = t === 1 ? zero : { x: x(t - 1), y: ROW.h };
        const c = wire(from, x(t), m, bulge);
        if (s.back <= t) flow("w", c, s.grad_h[t - 1]);
        draw("w", c, { dim: t > 1 && !on(t - 1) });
        if (m < 1) delays.append(square(middle(c), 1 - m));
        if (m > 0.75) pills.push(["w", `w${t}`, middle(c)[0], middle(c)[1] + 2]);
      }
      if (rest > 0) {
        if (s.back <= shown) flow("w", loop, s.grad_h[shown - 1]);
        draw("w", loop, { dim: !on(1), way: rest });
        delays.append(square(middle(loop), rest));
        if (rest === 1) pills.push(["w", "w0", middle(loop)[0] + (named ? 28 : 18), middle(loop)[1]]);
      }
      for (const t of steps) {
        const c = x(t);
        const rise = line(c, ROW.a - 15, c, ROW.h + HALF + 4);
        if (s.back <= t) flow("tanh", rise, s.grad_a[t - 1]);
        draw("tanh", rise, { dim: !on(t) });
        draw("u", line(c, ROW.x - 13, c, ROW.a + 19), { dim: !on(t) });
        draw("b", line(c - 26, ROW.a + 22, c - 14, ROW.a + 11), { dim: !on(t) });
        if (!bare(t)) pills.push(["u", `u${t}`, c, ROW.a + 31], ["b", `b${t}`, c - 27, ROW.a + 20]);
      }

      // nodes
      if (!named && born === 1) {
        const rows = [[ROW.h + HALF + 13, "h⁽⁰⁾"], [ROW.a + 4, "a"], [ROW.x + 4, "x"], [ROW.t, "t"]];
        ends.append(...rows.map(([row, name]) => words(x(0), row, name)));
      }
      if (born > 0) this.tank(others.first, zero.x, zero.y, 0, 0, { on: true, scale: born, bare: born < 0.75, named });
      for (const t of steps) {
        const hot = t === s.now && s.step > 0;
        const step = svg("g", {});
        nodes.append(step);
        this.tank(step, x(t), ROW.h, t, s.h[t], { on: on(t), hot, bare: bare(t), named });
        const a = { cx: round(x(t)), cy: ROW.a, r: 15, class: `ex-node ex-state${on(t) ? "" : " ex-off"}` };
        const tile = { x: round(x(t) - 16), y: ROW.x - 12, width: 32, height: 24, rx: 3 };
        step.append(svg("circle", a), svg("rect", { ...tile, class: `ex-node ex-input${hot ? " ex-hot" : ""}` }));
        if (bare(t)) continue;
        step.append(
          words(x(t), ROW.a + 4, on(t) ? short(s.a[t - 1], true) : ""),
          words(x(t), ROW.x + 4, number(s.x[t - 1]), "ex-name"),
          words(x(t), ROW.letter, s.signs[t - 1] === " " ? "␣" : s.signs[t - 1], "un-letter"),
        );
        if (named) {
          step.append(
            words(x(t) + 17, ROW.a - 6, at("a", t), "ex-small ex-halo", "start"),
            words(x(t) + 19, ROW.x + 12, at("x", t), "ex-small ex-halo", "start"),
          );
        } else step.append(words(x(t), ROW.t, t));
      }
      for (const t of steps) if (s.back <= t && !bare(t)) this.gradient(grads, named, x(t), s.grad_h[t]);
      if (s.back <= 1 && born === 1) this.gradient(grads, named, zero.x, s.grad_h[0]);

      for (const [name, id, px, py] of pills) this.pill(view, copies[name], s, [name, id, px, py], lit(name), named);
    },
    // Output, loss and target, above the last state.
    end(g, s, o, arrow) {
      const [L, y] = [o - 76, o - 152];
      arrow(o - 30, L + 31);
      arrow(y + 30, L - 31);
      for (const [cx, role, said] of [
        [o, "output", s.done ? `o ${short(s.o)}` : "o"], [L, "loss", s.done ? `L ${short(s.loss)}` : "L"],
        [y, "target", `y ${number(s.x[0])}`],
      ]) {
        const look = role === "target" ? "" : !s.done ? " ex-off" : s.step === s.tau + 1 ? " ex-hot" : "";
        const box = { x: round(cx - 28), y: ROW.out - 13, width: 56, height: 26, rx: 4 };
        g.append(svg("rect", { ...box, class: `ex-node ex-${role}${look}` }), words(cx, ROW.out + 4, said, "ex-name"));
      }
    },
    // A state: filled from its middle line, up to 1 and down to −1.
    tank(g, cx, cy, t, h, { on, hot, bare, named, scale = 1 }) {
      const box = { x: round(cx - 17), y: cy - HALF - 1, width: 34, height: 2 * HALF + 2, rx: 8 };
      const [up, high] = [round(cy - HALF * Math.max(0, h)), round(HALF * Math.abs(h))];
      const level = { x: round(cx - 16), width: 32, y: up, height: high, class: "un-fill ex-state", "data-h": t };
      const [px, py] = [round(cx), round(cy)];
      const place = `translate(${px} ${py}) scale(${round(scale)}) translate(${-px} ${-py})`;
      g.append(svg("g", scale < 1 ? { transform: place, opacity: round(scale) } : {},
        svg("rect", { ...box, class: `un-tank ex-state${on ? "" : " ex-off"}${hot ? " ex-hot" : ""}` }),
        on ? svg("rect", level) : null,
        svg("line", { x1: round(cx - 16), x2: round(cx + 16), y1: cy, y2: cy, class: "un-zero" }),
        on && !bare ? words(cx, cy + 4, short(h, true), "ex-small ex-halo") : null,
        named && !bare ? words(cx - 19, cy - 18, at("h", t), "ex-small ex-halo", "end") : null));
    },
    gradient(g, named, cx, v) {
      g.append(words(cx, ROW.h - HALF - 6, `${named ? "∇ " : ""}${short(v, !named)}`, "un-grad ex-small ex-halo"));
    },
    // One copy of a parameter: pull it up or down and all copies follow, for they are one.
    pill(view, g, s, [name, id, px, py], lit, named) {
      const open = !("light" in view.data.held);
      const said = named && lit ? `${name} ${number(s.p[name])}` : name;
      const w = 6.3 * said.length + 10;
      if (open) view.drag(id, (_, y) => {
        view.grip ??= { y, from: s.p[name] };
        view.set("light", name);
        view.snap(name, view.grip.from + (view.grip.y - y) / 40);
      });
      g.append(svg("g", { class: `un-pill ex-parameter${lit}`, "data-share": name, "data-handle": open ? id : null },
        svg("rect", { x: round(px - w / 2), y: round(py - 8), width: round(w), height: 16, rx: 8 }),
        words(px, py + 4, said)));
    },
    // What each copy of the chosen parameter adds to its gradient, from the last step back; folded, the parts lie on
    // one another and are the sum.
    parts(g, s, spots) {
      const part = s.parts[s.light];
      const from = [];
      let sum = 0;
      for (let t = s.tau; t >= 1; t--) { from[t] = sum; sum += part[t - 1]; }
      from[0] = sum;
      const [low, high] = [Math.min(0, ...from), Math.max(0, ...from)];
      const y = (v) => ROW.parts + PANEL * (high > low ? (high - v) / (high - low) : 0.5);
      const wide = Math.min(40, 0.6 * spots.gap);
      const bar = (cx, a, b, look) => g.append(svg("rect", {
        x: round(cx - wide / 2), width: wide,
        y: round(Math.min(y(a), y(b))), height: Math.max(1, round(Math.abs(y(a) - y(b)))), ...look,
      }));
      const total = s.back <= s.tau ? from[s.back - 1] : 0;
      const [sumAt, edge] = [spots.x(0), spots.x(s.tau) + wide / 2 + 8];
      const base = { x1: round(sumAt - wide), x2: round(edge), y1: round(y(0)), y2: round(y(0)), class: "un-zero" };
      const uses = s.light === "v" ? 1 : s.tau;
      const come = Math.min(uses, s.tau + 1 - s.back);
      const copies = uses === 1 ? "one copy" : come < uses ? `${come} of ${uses} copies` : `the sum of ${uses} copies`;
      const head = come ? ` = ${short(total)} (${copies})` : ": step past L, and it comes back";
      g.append(
        svg("line", base),
        words(spots.edge, ROW.parts - 9, `∂L/∂${s.light}${head}`, "ex-label ex-small", "end"),
      );
      if (!come) return;
      const under = (cx, said, look) => g.append(words(cx, ROW.parts + PANEL + 13, said, look));
      for (let t = s.tau; t >= s.back; t--) {
        bar(spots.x(t), from[t], from[t - 1], { class: "un-part", "data-part": t });
        if (t < spots.first - (spots.apart < 0.75)) under(spots.x(t), short(part[t - 1], !spots.named));
      }
      bar(sumAt, 0, total, { class: "un-sum" });
      under(spots.x(s.tau), short(from[Math.max(s.back, spots.first) - 1], !spots.named));
      under(sumAt, "Σ", "ex-name");
    },
    say(s, { q }, whole) {
      const { tau, step, p, light } = s;
      const plain = (v) => inBrackets(v, number);
      const opened = Math.floor(q + 1e-9);
      const [nodes, path, uses] = whole ? [3, 2, 4] : [1, 0, 3];
      const graph = opened === tau ? `The graph: ${3 * tau + nodes} nodes, longest path ${2 * tau + path}`
        : opened ? `${opened} of ${tau} steps opened: ${3 * (opened + 1) + nodes} nodes`
          : `The circuit: ${2 + nodes} nodes and a delay`;
      const times = opened ? `, used ${3 * Math.min(tau, opened + 1) + uses - 3} times` : "";
      const count = `${graph}; ${uses} parameters${times}.`;
      if (step === 0) return `Nothing computed yet: step on. ${count}`;
      if (step <= tau) {
        const before = `${plain(p.w)}·${inBrackets(s.h[step - 1], short)}`;
        const sum = `${number(p.b)} + ${before} + ${plain(p.u)}·${plain(s.x[step - 1])}`;
        return `t = ${step}: ${at("a", step)} = b + w·${at("h", step - 1)} + u·${at("x", step)} = ${sum} = `
          + `${short(s.a[step - 1])}, ${at("h", step)} = tanh ${at("a", step)} = ${short(s.h[step])}. ${count}`;
      }
      if (step === tau + 1) {
        return `Asked for what came first, y = ${at("x", 1)} = ${number(s.x[0])}, it says o = v·${at("h", tau)} = `
          + `${short(s.o)}: loss L = ½(o − y)² = ${short(s.loss)}. ${count}`;
      }
      const t = s.back;
      const total = short(s.parts[light].slice(t - 1).reduce((sum, part) => sum + part, 0));
      const here = light === "v" ? `v acts once, at the end: ∂L/∂v = ${total}`
        : `The copy of ${light} at this step adds ${short(s.parts[light][t - 1])}; ∂L/∂${light} `
          + `${t > 1 ? "so far" : "in all"}: ${total}`;
      return `Back at t = ${t}: ∇${at("h", t)} = ${short(s.grad_h[t])}. ${here}. ${count}`;
    },
    judge(view) {
      const { p, h, x, o, tau } = this.state(view);
      const y = x[0];
      const lost = h.findIndex((v, t) => t > 0 && v * y <= 0);
      const [last, left] = [at("h", tau), short(h[tau])];
      if (y && lost < 0 && Math.abs(o - y) < 0.1) {
        const push = short(h.slice(2).reduce((product, v) => product * p.w * (1 - v ** 2), 1));
        return { done: true, say: `No later input undoes the first. But a small push on h⁽¹⁾ reaches ${last} `
          + `${push} times as large: what holds a state wipes out a push.` };
      }
      return { done: false, say: !y ? "The first input is 0: nothing to hold. Type another sequence."
        : lost === 1 ? `Already h⁽¹⁾ = ${short(h[1])} has the wrong sign: u must let the input in.`
          : lost > 1 ? `Lost at t = ${lost}: w·${at("h", lost - 1)} = ${short(p.w * h[lost - 1])} is too weak against `
            + `b + u·${at("x", lost)} = ${short(p.b + p.u * x[lost - 1])}. More w holds, less u disturbs less.`
            : Math.abs(h[tau]) < 0.5 ? `The sign survives but fades, to ${last} = ${left}: w is too small.`
              : `${last} = ${left} still knows it, but o = v·${last} = ${short(o)}: now choose v.` };
    },
  });
})();
