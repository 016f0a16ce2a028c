// eigenvalues: two eigenvalues and a first state to drag; what W does to states, to changes and to gradients.
// Computed in the page, since dragging must be immediate; the tests hold what is computed and drawn to companion.
(() => {
  "use strict";
  const { svg, text, axes, scales, curve, dots, measure, round, number, up } = explorables.kit;
  const FIRST = Math.PI / 6; // the direction of the first eigenvector
  const MAPS = {
    linear: [(a) => a, () => 1],
    tanh: [Math.tanh, (h) => 1 - h * h],
    ReLU: [(a) => Math.max(a, 0), (h) => (h > 0 ? 1 : 0)],
  }; // what ends a step, and its slope, told from what comes out
  const I = [[1, 0], [0, 1]];
  const dot = (A, v) => A.map((row) => row[0] * v[0] + row[1] * v[1]);
  const matmul = (A, B) => A.map((row) => [0, 1].map((j) => row[0] * B[0][j] + row[1] * B[1][j]));
  // The larger singular value of a 2×2 matrix in closed form.
  function norm([[a, b], [c, d]]) {
    const [s, det] = [a * a + b * b + c * c + d * d, a * d - b * c];
    return Math.sqrt((s + Math.sqrt(Math.max(0, (s - 2 * det) * (s + 2 * det)))) / 2);
  }

  // The unit eigenvectors of two real eigenvalues: they enclose φ, tan(φ/2) = 1/κ.
  function eigenvectors({ skew }) {
    const second = FIRST + 2 * Math.atan(1 / skew);
    return [FIRST, second].map((a) => [Math.cos(a), Math.sin(a)]);
  }
  // What h is made of: h = c₁q₁ + c₂q₂.
  function parts([p, q], [x, y]) {
    const det = p[0] * q[1] - p[1] * q[0];
    return [(x * q[1] - y * q[0]) / det, (p[0] * y - p[1] * x) / det];
  }
  function eigenvalues({ spectrum, lam1, lam2, rho, theta }) {
    const [c, s] = [rho * Math.cos(theta), rho * Math.sin(theta)];
    return spectrum === "real" ? [[lam1, 0], [lam2, 0]] : [[c, s], [c, -s]];
  }
  function matrix(state) {
    const { spectrum, lam1, lam2, skew } = state;
    const [[c, s]] = eigenvalues(state);
    if (spectrum === "complex") return [[c, -skew * s], [s / skew, c]];
    const Q = eigenvectors(state);
    const columns = I.map((e) => parts(Q, e).map((part, i) => part * [lam1, lam2][i]));
    return [0, 1].map((i) => columns.map(([a, b]) => a * Q[0][i] + b * Q[1][i]));
  }
  const jacobian = (W, slope, h) => W.map((row, i) => row.map((w) => slope(h[i]) * w));

  // The states, the Jacobian of every step, and M[t] = ∂h(t)/∂h(0).
  function compute(state, steps) {
    const W = matrix(state);
    const [value, slope] = MAPS[state.f];
    const [h, J, M] = [[[state.h1, state.h2]], [], [I]];
    for (let t = 1; t <= steps; t++) {
      h.push(dot(W, h[t - 1]).map(value));
      J.push(jacobian(W, slope, h[t]));
      M.push(matmul(J[t - 1], M[t - 1]));
    }
    return { W, h, J, M, forward: M.map(norm) };
  }
  // ∂h(t)/∂h(k) for k = 0 … t, from t back.
  function backward(J, t) {
    const out = [I];
    for (let k = t; k > 0; k--) out.unshift(matmul(out[0], J[k - 1]));
    return out;
  }
  // By what a step multiplies the gradient in the long run: the fitted slope of its log, the first half left out. In
  // plain numbers, h = (x, y) and M = (p q; r s): 2,000 steps are walked while one drags.
  function longRun(state, steps) {
    const [[a, b], [c, d]] = matrix(state);
    const [value, slope] = MAPS[state.f];
    let [x, y, x0, y0, p, q, r, s, log] = [state.h1, state.h2, 0, 0, 1, 0, 0, 1, 0];
    const late = [];
    for (let t = 1; t <= steps; t++) {
      [x0, y0] = [x, y];
      [x, y] = [value(a * x0 + b * y0), value(c * x0 + d * y0)];
      const [u, v] = [slope(x), slope(y)];
      [p, q, r, s] = [u * (a * p + b * r), u * (a * q + b * s), v * (c * p + d * r), v * (c * q + d * s)];
      const size = norm([[p, q], [r, s]]);
      if (size === 0) return { rate: 0, rests: true };
      [p, q, r, s] = [p / size, q / size, r / size, s / size];
      log += Math.log(size);
      if (2 * t > steps) late.push([t, log]);
      const length = Math.hypot(x, y);
      if (state.f !== "tanh" && length > 0) [x, y] = [x / length, y / length]; // its direction decides
    }
    const mean = (f) => late.reduce((sum, point) => sum + f(point), 0) / late.length;
    const [t0, l0] = [mean(([t]) => t), mean(([, l]) => l)];
    const rate = Math.exp(mean(([t, l]) => (t - t0) * (l - l0)) / mean(([t]) => (t - t0) ** 2));
    return { rate, rests: Math.hypot(x - x0, y - y0) < 1e-4 };
  }

  const ONE = 0.004; // a rate within this of 1 is one: a fitted slope is not exact
  const rung = (ladder, v) => ladder.find((r) => r >= v) ?? ladder.at(-1);
  const SOLID = { 0: "7 4", 1: "2 3" }; // the dashes of the first eigenvalue and of the second

  // A word at that of the places [x, y, anchor] where it covers fewest of the points; never over another word.
  function write(g, word, places, { frame, taken, points }, attrs) {
    const w = measure(word) + 4;
    let best = null;
    for (const [x, y, anchor] of places) {
      if (best?.cost === 0) break;
      const left = x - { start: 0, middle: w / 2, end: w }[anchor];
      const meets = (b) => left < b.left + b.width && left + w > b.left && y - 12 < b.top + b.height && y + 4 > b.top;
      const fits = left >= frame.left && left + w <= frame.left + frame.width
        && y - 12 >= frame.top && y + 4 <= frame.top + frame.height;
      if (!fits || taken.some(meets)) continue;
      const cost = points.filter(([px, py]) => px > left && px < left + w && py > y - 12 && py < y + 4).length;
      if (!best || cost < best.cost) best = { cost, x, y, anchor, box: { left, top: y - 12, width: w, height: 16 } };
    }
    if (!best) return;
    taken.push(best.box);
    g.append(text(best.x, best.y, word, { class: "ex-halo", "text-anchor": best.anchor, ...attrs }));
  }
  const around = (x, y, d) => [
    [x + d, y - d + 4, "start"], [x - d, y - d + 4, "end"], [x + d, y + d + 6, "start"], [x - d, y + d + 6, "end"],
  ];

  // A square with the origin in its middle: its scales, and how it is drawn; `names` are those of its two axes.
  function frame([left, top, side], reach) {
    const r = { left: left + 1, top: top + 20, width: side - 2, height: side - 2, reach };
    const x = (v) => r.left + (r.width * (v + reach)) / (2 * reach);
    const y = (v) => r.top + (r.height * (reach - v)) / (2 * reach);
    const inside = (px, py) => px >= r.left && px <= r.left + r.width && py >= r.top && py <= r.top + r.height;
    const invert = (px, py) => [((px - x(0)) / r.width) * 2 * reach, ((y(0) - py) / r.height) * 2 * reach];
    return { ...r, x, y, inside, invert };
  }
  function square(g, p, names, id) {
    const base = p.top + p.height;
    const rim = { x: p.left, y: p.top, width: p.width, height: p.height };
    const clipped = svg("g", { "clip-path": `url(#${id})` });
    const cross = `M${p.left} ${round(p.y(0))}h${p.width}M${round(p.x(0))} ${p.top}v${p.height}`;
    g.append(
      svg("clipPath", { id }, svg("rect", rim)),
      svg("rect", { ...rim, class: "ex-rim" }),
      svg("path", { class: "ex-cross", d: cross }),
      text(p.left, p.top - 7, names[1], { class: "ex-label" }),
      text(p.x(0), base + 15, names[0], { class: "ex-label", "text-anchor": "middle" }),
    );
    const mark = p.reach < 2 ? 1 : Math.round(p.reach * 0.7);
    for (const v of [-mark, mark]) {
      g.append(
        svg("path", { class: "ex-cross", d: `M${round(p.x(v))} ${base}v-6M${p.left} ${round(p.y(v))}h6` }),
        text(p.x(v), base + 15, number(v), { "text-anchor": "middle" }),
      );
    }
    g.append(clipped);
    return clipped;
  }
  const path = (p, points) => {
    return points.map(([x, y], i) => `${i ? "L" : "M"}${round(p.x(x))} ${round(p.y(y))}`).join("");
  };

  explorables.define("eigenvalues", {
    compute, backward, longRun,
    draw(view) {
      view.limit("back", view.get("t"));
      const state = view.state();
      const { steps } = view.data;
      state.k = state.t - state.back; // the step that the gradient has come back to
      view.aside(state.spectrum === "real" ? ["rho", "theta"] : ["lam1", "lam2"]);
      const out = { ...compute(state, steps), ...this.fate(view, state) };
      out.B = backward(out.J, state.t);
      out.back = out.B.map(norm);
      const w = view.width;
      const wide = w >= 560;
      const big = wide ? Math.round(Math.min(380, w * 0.46)) : Math.round(w * 0.58);
      const small = wide ? Math.min(180, Math.round(big * 0.46)) : w - big - 14;
      const [right, rest] = [big + 16, w - big - 16];
      const boxes = wide
        ? { plane: [right, 0, small], state: [0, 0, big], sizes: [right, small + 34, rest, big - small + 4] }
        : { plane: [0, 0, small], state: [small + 14, 0, big], sizes: [0, big + 36, w, 148] };
      const room = wide ? [right + small + 14, 40] : [0, small + 50];
      const p = frame(boxes.plane, 1.6);
      this.grips(view, p, state);
      view.layer("plane", JSON.stringify([w, { ...state, f: 0, h1: 0, h2: 0, k: 0, back: 0 }]), (g) => {
        this.plane(view, g, p, state);
        this.numbers(g, room, out.W);
        if (wide && rest - small > 150) this.key(g, [room[0], 92]);
      });
      view.layer("state", undefined, (g) => this.state(view, g, boxes.state, state, out));
      const plot = this.scales(view, boxes.sizes, out);
      view.layer("axes", [w, plot.low, plot.high].join(), (g) => axes(g, plot));
      view.layer("sizes", undefined, (g) => this.sizes(view, g, { ...plot, layer: g }, state, out));
      return { height: big + (wide ? 40 : 184), say: this.say(state, out) };
    },
    // What the long run comes to; only the steps that are looked at do not change it.
    fate(view, state) {
      const key = JSON.stringify({ ...state, t: 0, k: 0, back: 0 });
      if (view.fate?.key !== key) view.fate = { key, run: longRun(state, view.data.long) };
      return view.fate.run;
    },
    // The eigenvalues and their powers; two real ones hang above and below the axis, so that neither hides the other.
    plane(view, g, p, state) {
      const clipped = square(g, p, ["real", "imaginary part of λ"], `${view.spec.name}-plane`);
      const complex = state.spectrum === "complex";
      const lam = eigenvalues(state);
      clipped.append(svg("circle", { cx: p.x(0), cy: p.y(0), r: round(p.x(1) - p.x(0)), class: "ex-unit" }));
      const words = { frame: p, taken: [], points: [] };
      lam.forEach(([re, im], i) => {
        const [size, angle] = [Math.hypot(re, im), Math.atan2(im, re)];
        const powers = Array.from({ length: view.data.steps + 1 }, (_, t) =>
          [Math.cos, Math.sin].map((f) => size ** t * f(t * angle)));
        const off = complex ? 0 : [-4, 4][i];
        if (complex) clipped.append(svg("path", { d: path(p, powers), class: "ex-track ex-parameter ex-fine" }));
        const spots = powers.map(([a, b]) => [p.x(a), p.y(b) + off]);
        clipped.append(dots(p, spots.filter((_, t) => t && t !== state.t), 1.6, { class: "ex-dot ex-parameter" }));
        if (p.inside(...spots[state.t])) {
          const [cx, cy] = spots[state.t].map(round);
          clipped.append(svg("circle", { cx, cy, r: 4.5, class: "ex-dot ex-parameter ex-instant", "data-power": i }));
        }
        const [x, y] = [round(p.x(re)), round(p.y(im))];
        if (complex && i) {
          g.append(svg("circle", { cx: x, cy: y, r: 6, class: "ex-dot ex-parameter ex-faint" }));
        } else {
          const name = complex ? "lambda" : `lam${i + 1}`;
          const pin = i ? `M${x} ${y}l-5 9a7 7 0 1 0 10 0z` : `M${x} ${y}l-5 -9a7 7 0 1 1 10 0z`;
          const round8 = `M${x - 8} ${y}a8 8 0 1 0 16 0a8 8 0 1 0 -16 0z`;
          const look = { class: "ex-handle ex-parameter", "data-handle": name };
          g.append(svg("path", { d: complex ? round8 : pin, ...look }));
        }
        const side = complex ? [[x + 12, y - 6, "start"], [x - 12, y - 6, "end"], [x + 12, y + 16, "start"]]
          : [0, 14, -14].map((d) => [x + d, i ? y + 37 : y - 27, "middle"]);
        write(g, complex ? ["λ", "λ̄"][i] : `λ${"₁₂"[i]}`, side, words);
      });
    },
    grips(view, p, { spectrum }) {
      if (spectrum === "real") {
        for (const name of ["lam1", "lam2"]) view.drag(name, (px, py) => view.snap(name, p.invert(px, py)[0]));
      } else {
        view.drag("lambda", (px, py) => {
          const [a, b] = p.invert(px, py);
          view.snap("rho", Math.hypot(a, b));
          view.snap("theta", Math.abs(Math.atan2(b, a)));
        });
      }
    },
    numbers(g, [left, top], W) {
      g.append(text(left, top + 14, "W ="));
      W.forEach((row, i) => row.forEach((v, j) => {
        const short = Math.abs(v) < 5e-3 ? 0 : Math.round(v * 100) / 100;
        g.append(text(left + 72 + 46 * j, top + 5 + 18 * i, number(short), { "text-anchor": "end" }));
      }));
      const bracket = (x, d) => `M${x + d} ${top - 9}h${-d}v37h${d}`;
      g.append(svg("path", { class: "ex-bracket", d: bracket(left + 30, 4) + bracket(left + 124, -4) }));
    },
    key(g, [left, top]) {
      const lines = [["a small disc of changes", "ex-disc ex-gradient"], ["and what steps make of it", null],
        ["parts of h along q₁, q₂", "ex-part"]];
      lines.forEach(([words, look], i) => {
        const y = top + 19 * i;
        if (i === 0) g.append(svg("circle", { cx: left + 6, cy: y - 4, r: 6, class: look }));
        if (i === 2) g.append(svg("path", { d: `M${left} ${y - 4}h12`, class: look }));
        g.append(text(left + 18, y, words, { class: "ex-small" }));
      });
    },
    // The state on its way, and what becomes of a small disc of changes around h(k) by step t.
    state(view, g, box, state, out) {
      const { t, k: from, f } = state;
      const real = state.spectrum === "real";
      const leading = Math.max(...eigenvalues(state).map((z) => Math.hypot(...z)));
      let [power, growth] = [I, 1];
      for (let k = 0; k < out.J.length; k++) { power = matmul(out.W, power); growth = Math.max(growth, norm(power)); }
      const reach = f === "tanh" ? 1.6 : leading > 1 ? 3 : rung([1.6, 3, 6, 12], growth > 1.3 ? 1.2 * growth : 1.6);
      const p = frame(box, reach);
      const clipped = square(g, p, ["unit 1", "unit 2 of the state h"], `${view.spec.name}-state`);
      const { h } = out;
      const place = (v) => [p.x(v[0]), p.y(v[1])];
      const far = 3 * reach;
      const words = { frame: p, taken: [], points: h.slice(0, t + 1).map(place) };
      const Q = real ? eigenvectors(state) : [];
      Q.forEach((q, i) => clipped.append(svg("path", {
        d: path(p, [q.map((v) => -far * v), q.map((v) => far * v)]), class: "ex-track ex-parameter",
        "stroke-dasharray": SOLID[i], "data-axis": i,
      })));
      if (real && f === "linear") {
        const c = parts(Q, h[t]);
        c.forEach((part, i) => {
          const tip = Q[i].map((v) => v * part);
          clipped.append(
            svg("path", { d: path(p, [[0, 0], tip]), class: "ex-part", "data-part": i }),
            svg("path", { d: path(p, [tip, h[t]]), class: "ex-aid" }),
          );
        });
      }
      const size = Math.hypot(...h[t]);
      if (size > 0 && Number.isFinite(size)) {
        const ray = h[t].map((v) => (v / size) * far);
        const look = { class: "ex-track ex-state ex-ray", "data-ray": true };
        clipped.append(svg("path", { d: path(p, [[0, 0], ray]), ...look }));
      }
      const near = (v) => Math.abs(v[0]) < 50 * reach && Math.abs(v[1]) < 50 * reach;
      const run = h.filter(near);
      clipped.append(
        svg("path", { d: path(p, run), class: "ex-track ex-state ex-ghost" }),
        svg("path", { d: path(p, run.slice(0, t + 1)), class: "ex-track ex-state", "data-path": true }),
      );
      const spots = run.map(place);
      clipped.append(
        dots(p, spots.slice(0, t), 2.4, { class: "ex-dot ex-state" }),
        dots(p, spots.slice(t + 1), 2.4, { class: "ex-dot ex-state ex-later" }),
      );
      const r = 0.18 * reach;
      const ring = Array.from({ length: 49 }, (_, j) => [Math.cos, Math.sin].map((a) => r * a((j * Math.PI) / 24)));
      const disc = (at, A) => path(p, ring.map((v) => dot(A, v).map((u, i) => u + at[i])));
      for (const [at, A] of [[from, I], [t, out.B[from]]]) {
        const look = { class: "ex-disc ex-gradient", "data-disc": at };
        if (near(h[at])) clipped.append(svg("path", { d: disc(h[at], A), ...look }));
      }
      const [x, y] = place(h[t]);
      const shown = t > 0 && p.inside(x, y);
      if (shown) {
        const look = { class: "ex-dot ex-state ex-instant", "data-state": t };
        g.append(svg("circle", { cx: round(x), cy: round(y), r: 5, ...look }));
        words.taken.push({ left: x - 6, top: y - 6, width: 12, height: 12 });
      }
      const [x0, y0] = place(h[0]);
      words.taken.push({ left: x0 - 9, top: y0 - 9, width: 18, height: 18 });
      view.handle(g, "start", x0, y0, "state", (px, py) => {
        p.invert(px, py).forEach((v, i) => view.snap(`h${i + 1}`, v));
      });
      write(g, "h⁽⁰⁾", around(x0, y0, 11), words);
      if (shown) write(g, `h${up(t)}`, around(x, y, 9), words);
      Q.forEach((q, i) => {
        const out1 = (0.93 * reach) / Math.max(...q.map(Math.abs));
        const ends = [-1, 1].flatMap((s) => [1, 0.85].map((d) => [p.x(s * d * out1 * q[0]), p.y(s * d * out1 * q[1])]));
        write(g, `q${"₁₂"[i]}`, ends.flatMap(([ex, ey]) => around(ex, ey, 7)), words);
      });
    },
    scales(view, [left, top, width, height], out) {
      const seen = [...out.forward, ...out.back].filter((v) => v > 0 && Number.isFinite(v));
      const low = -rung([2, 4, 8, 16], -Math.log10(Math.min(...seen)));
      const high = rung([1, 2, 4, 8], Math.log10(Math.max(...seen)));
      return scales({ left, top, width, height }, {
        xdomain: [0, view.data.steps], ydomain: [10 ** low, 10 ** high], logy: true,
        xlabel: "step", ylabel: "longest stretch",
      });
    },
    // How far t steps stretch, and what comes back through them.
    sizes(view, g, p, state, out) {
      const { t, k } = state;
      const xs = out.forward.map((_, k) => k);
      const lines = eigenvalues(state).map((z) => xs.map((k) => Math.hypot(...z) ** k));
      const real = state.spectrum === "real";
      const named = real ? [["|λ₁|ᵗ", lines[0]], ["|λ₂|ᵗ", lines[1]]] : [["ρᵗ", lines[0]]];
      named.forEach(([, ys], i) => curve(p, xs, ys, "parameter", {
        class: "ex-curve ex-parameter ex-thin", "stroke-dasharray": SOLID[i], "data-power-line": i,
      }));
      const [x, reached] = [round(p.x(t)), out.forward[t]];
      g.append(svg("path", { d: `M${x} ${p.top}V${p.top + p.height}`, class: "ex-moment", "data-cursor": t }),
        svg("circle", { cx: x, cy: p.top, r: 5, class: "ex-knob" }));
      curve(p, xs, out.forward, "state", { "data-curve": "forward" });
      const past = xs.slice(0, t + 1);
      curve(p, past, out.back, "gradient", { class: "ex-curve ex-gradient ex-ghost" });
      curve(p, past.slice(k), out.back.slice(k), "gradient", { "data-curve": "back" });
      const back = past.slice(k).filter((j) => out.back[j] > 0).map((j) => [p.x(j), p.y(out.back[j])]);
      g.append(dots(p, back, 2.4, { class: "ex-dot ex-gradient" }));
      if (k === 0) g.append(svg("path", { d: `M${round(p.x(0))} ${round(p.y(reached))}H${x}`, class: "ex-aid" }));
      for (const [at, v, role] of [[k, out.back[k], "gradient"], [t, reached, "state"]]) {
        const look = { r: 5, class: `ex-dot ex-${role} ex-instant`, "data-size": role };
        const [cx, cy] = [round(p.x(at)), round(p.y(v))];
        if (v > 0 && p.inside(cx, cy)) g.append(svg("circle", { cx, cy, ...look }));
      }
      const all = [[out.forward, xs], [out.back, past], ...named.map(([, ys]) => [ys, xs])];
      const pixels = ([ys, ks]) => ys.map((v, i) => [p.x(ks[i]), p.y(v)]).filter(([px, py]) => p.inside(px, py));
      const rule = Array.from({ length: 20 }, (_, j) => [x, p.top + (j * p.height) / 20]);
      const taken = [[k, out.back[k]], [t, reached]].map(([at, v]) => (
        { left: p.x(at) - 6, top: p.y(v) - 6, width: 12, height: 12 }));
      const words = { frame: p, taken, points: [...all.flatMap(pixels), ...rule] };
      const along = (points) => [0.7, 0.85, 0.55, 0.4, 0.25, 1].flatMap((s) => {
        const [px, py] = points[Math.round(s * (points.length - 1))] ?? [0, 0];
        return [[px, py - 7, "middle"], [px, py + 17, "middle"], [px + 6, py - 7, "start"], [px - 6, py + 15, "end"]];
      });
      ["forward", `back from ${t}`, ...named.map(([name]) => name)].forEach((name, i) => {
        write(g, name, along(pixels(all[i])), words);
      });
      const area = { x: p.left, y: p.top, width: p.width, height: p.height };
      g.append(svg("rect", { ...area, class: "ex-catch", "data-handle": "time" }));
      view.drag("time", (px) => view.snap("t", p.invert(px, 0)[0]));
    },
    sayings: () => ["‖∂h⁽⁴⁰⁾/∂h⁽³⁸⁾‖ = 2.8×10⁻¹². In the long run a step multiplies it by 0.444: it vanishes. First "
      + "it grows, to 2.88 at t = 28. h⁽⁴⁰⁾ lies 4.4×10⁻¹²° off q₁, which leads."],
    say(state, out) {
      const { t, k, spectrum, f } = state;
      const first = `‖∂h${up(t)}/∂h${up(k)}‖ = ${number(out.back[k])}. `;
      const fate = out.rate < 1 - ONE ? "it vanishes" : out.rate > 1 + ONE ? "it explodes"
        : "it neither vanishes nor explodes";
      const verdict = `In the long run a step multiplies it by ${number(out.rate)}: ${fate}.`;
      const peak = Math.max(...out.forward);
      const grows = out.rate < 1 - ONE && peak > 1.2
        ? ` First it grows, to ${number(peak)} at t = ${out.forward.indexOf(peak)}.` : "";
      let where = "";
      if (f === "tanh") where = out.rests ? " The state comes to rest." : " The state never rests.";
      else if (spectrum === "real" && f === "linear") where = this.angle(state, out.h[t]);
      return first + verdict + grows + where;
    },
    // How far the state is from the line of the leading eigenvector.
    angle(state, h) {
      const [a, b] = [Math.abs(state.lam1), Math.abs(state.lam2)];
      if (a === b || Math.hypot(...h) === 0) return "";
      const k = a > b ? 0 : 1;
      const q = eigenvectors(state)[k];
      const across = Math.abs(q[0] * h[1] - q[1] * h[0]);
      const degrees = (Math.atan2(across, Math.abs(q[0] * h[0] + q[1] * h[1])) * 180) / Math.PI;
      return ` h${up(state.t)} lies ${number(degrees)}° off q${"₁₂"[k]}, which leads.`;
    },
    judge(view, goal) {
      const state = view.state();
      const { steps } = view.data;
      const run = { ...compute(state, steps), ...this.fate(view, state) };
      return (goal ? this.growing : this.surviving)(state, run, steps);
    },
    growing(state, { forward, rate }) {
      const peak = Math.max(...forward);
      const got = `It grows to ${number(peak)} at t = ${forward.indexOf(peak)}.`;
      if (rate >= 1 - ONE) return { done: false, say: `It does not vanish: in the long run × ${number(rate)} a step.` };
      if (peak >= 5) return { done: true, say: `${got} Parts that nearly cancelled at first come to light.` };
      const cause = state.f === "linear" && state.skew < 5
        ? `While |λ| ≤ 1 no power stretches by more than κ = ${number(state.skew)}.`
        : "Lean more, or let it fade later.";
      return { done: false, say: `${got} ${cause}` };
    },
    surviving(state, { h, forward, rate, rests }, steps) {
      if (state.f !== "tanh") return { done: false, say: "This net has no tanh." };
      const size = forward[steps];
      const got = `After ${steps} steps it is ${number(size)}.`;
      if (size > 2) return { done: false, say: `${got} The skew stretches more than tanh takes away.` };
      if (size >= 0.5) {
        const cause = rate < 1 - ONE ? "But its slope says that it vanishes later."
          : rests ? "The state stays so near 0 that tanh is nearly a straight line."
            : "The state turns for ever; along its orbit a change neither shrinks nor grows.";
        return { done: true, say: `${got} ${cause}` };
      }
      const leading = Math.max(...eigenvalues(state).map((z) => Math.hypot(...z)));
      const cause = leading < 1 ? "Both |λ| are below 1: the state dies out, and every change of it."
        : !rests ? "It would survive on the orbit; the way there, through flat parts of tanh, cost too much."
          : Math.hypot(...h[steps]) > 0.3 ? "The state rests where tanh is flat: what holds it still erases changes."
            : "Even at |λ| = 1 tanh takes a little away at every step.";
      return { done: false, say: `${got} ${cause}` };
    },
  });
})();
