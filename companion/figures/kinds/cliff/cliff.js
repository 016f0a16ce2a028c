// cliff: gradient descent on the loss of a one-unit net over 50 steps, with and without clipping.
// Computed in the page, since dragging must be immediate; the tests hold compute() to companion.optimization.
(() => {
  "use strict";
  const [TAU, H0, TARGET] = [50, 0.5, 0.7];
  const sigmoid = (a) => { const small = Math.exp(-Math.abs(a)); return (a >= 0 ? 1 : small) / (1 + small); };
  function loss(w, b) {
    let h = H0;
    for (let t = 0; t < TAU; t++) h = sigmoid(w * h + b);
    return (h - TARGET) ** 2;
  }
  // The loss and its gradient, carried along forward in time.
  function gradient(w, b) {
    let [h, hw, hb] = [H0, 0, 0];
    for (let t = 0; t < TAU; t++) {
      const [aw, ab] = [h + w * hw, 1 + w * hb];
      h = sigmoid(w * h + b);
      hw = h * (1 - h) * aw;
      hb = h * (1 - h) * ab;
    }
    return { loss: (h - TARGET) ** 2, g: [2 * (h - TARGET) * hw, 2 * (h - TARGET) * hb] };
  }
  function clipped(g, clip, v) {
    if (clip === "value") return g.map((u) => Math.min(v, Math.max(-v, u)));
    const norm = Math.hypot(...g);
    return clip === "norm" && norm > v ? g.map((u) => u * (v / norm)) : g;
  }
  // Row k is what holds before step k; a descent whose next place is not finite stands still.
  function compute({ w, b, clip, v, lr }, steps) {
    const out = { w: [], b: [], loss: [], norm: [] };
    for (let k = 0; k <= steps; k++) {
      const { loss: l, g } = gradient(w, b);
      out.w.push(w); out.b.push(b); out.loss.push(l); out.norm.push(Math.hypot(...g));
      const step = clipped(g, clip, v);
      const next = [w - lr * step[0], b - lr * step[1]];
      if (next.every(Number.isFinite)) [w, b] = next;
    }
    return out;
  }
  // The part of the segment from (x0, y0) to (x1, y1) that lies in the rectangle, or null.
  function inside(x0, y0, x1, y1, r) {
    let [s, e] = [0, 1];
    const across = [x1 - x0, r.left - x0, r.left + r.width - x0];
    const up = [y1 - y0, r.top - y0, r.top + r.height - y0];
    for (const [d, lo, hi] of [across, up]) {
      if (d === 0) { if (lo > 0 || hi < 0) return null; continue; }
      s = Math.max(s, Math.min(lo / d, hi / d));
      e = Math.min(e, Math.max(lo / d, hi / d));
    }
    return s < e ? [x0 + s * (x1 - x0), y0 + s * (y1 - y0), x0 + e * (x1 - x0), y0 + e * (y1 - y0), e < 1] : null;
  }
  const NAMES = ["loss", "gradient norm", "threshold v", "loss without clipping"];
  const BANDS = [0.0005, 0.004, 0.02, 0.05, 0.08, 0.15, 0.25, 0.35, 0.42];

  explorables.define("cliff", {
    compute, gradient,
    draw(view) {
      const { scales, axes } = explorables.kit;
      const state = view.state();
      const { steps } = view.data;
      const out = compute(state, steps);
      const free = compute({ ...state, clip: "none" }, steps);
      const wide = view.width >= 600;
      const side = wide ? Math.min(400, view.width * 0.54) : view.width;
      const tall = wide ? side * 0.92 : Math.max(250, view.width * 0.75);
      const left = { left: 4, top: 4, width: side - 8, height: tall };
      const right = wide
        ? { left: side, top: 4, width: view.width - side - 4, height: tall }
        : { left: 4, top: tall + 4, width: view.width - 8, height: 236 };
      const [cw, cb] = ["w", "b"].map((n) => view.spec.controls.find((c) => c.name === n));
      const map = scales(left, {
        xdomain: [cw.min, cw.max], ydomain: [cb.min, cb.max],
        xlabel: "self-weight w", ylabel: "bias b (redder: larger loss)",
      });
      const sizes = scales(right, {
        xdomain: [0, steps], ydomain: [1e-8, 1e6], logy: true, ends: NAMES,
        xlabel: "step of descent", ylabel: "loss and gradient norm",
      });
      view.layer("surface", view.width, (g) => {
        this.surface(g, map, cw, cb);
        axes(g, map);
        axes(g, sizes);
      });
      view.layer("paths", Object.values({ width: view.width, ...state }).join(), (g) => {
        const labels = [];
        if (state.clip !== "none") this.path(g, map, free, "target", "without clipping", labels);
        const way = state.clip === "none" ? "no clipping" : `clipped by ${state.clip}`;
        this.path(g, map, out, "parameter", way, labels);
        g.append(...labels);
        this.curves({ ...sizes, layer: g }, out, free, state);
      });
      const move = (px, py) => {
        const [w, b] = map.invert(px, py);
        view.snap("w", w);
        view.snap("b", b);
      };
      view.layer("start", undefined, (g) => view.handle(g, "start", map.x(state.w), map.y(state.b), "parameter", move));
      return { height: wide ? tall + 8 : tall + 244, say: this.say(state, out, free, steps, cw, cb) };
    },
    sayings: () => [
      "Clipped by norm at v = 0.01: after 100 steps loss 2.2×10⁻¹⁶, "
      + "outside the picture at w = −8.8×10⁻¹⁶, b = −8.8×10⁻¹⁶. "
      + "Largest gradient 2.2×10⁻¹⁶, largest jump 2.2×10⁻¹⁶. Longer than v: 100 gradients. "
      + "Without clipping: loss 2.2×10⁻¹⁶, outside the picture at w = −8.8×10⁻¹⁶, b = −8.8×10⁻¹⁶.",
    ],
    // Cells of one band of the loss are one path, so the map is a dozen nodes.
    surface(g, r, cw, cb) {
      const { svg, round } = explorables.kit;
      const n = 72;
      const d = BANDS.map(() => "");
      const [dx, dy] = [r.width / n, r.height / n];
      const at = (i, c) => ((i + 0.5) / n) * (c.max - c.min);
      const strip = (i, j, cells) =>
        `M${round(r.left + i * dx)} ${round(r.top + j * dy)}h${round(cells * dx + 0.3)}v${round(dy + 0.3)}`
        + `h${round(-cells * dx - 0.3)}z`;
      for (let j = 0; j < n; j++) {
        const b = cb.max - at(j, cb);
        let [from, was] = [0, -2];
        for (let i = 0; i <= n; i++) {
          const here = i < n ? loss(cw.min + at(i, cw), b) : NaN;
          const band = i < n ? BANDS.findLastIndex((v) => here >= v) : -2;
          if (band === was) continue;
          if (was >= 0) d[was] += strip(from, j, i - from);
          [from, was] = [i, band];
        }
      }
      d.forEach((path, i) => {
        const style = `fill-opacity:${round(0.06 + 0.085 * i)}`;
        g.append(svg("path", { d: path, class: "ex-bar ex-loss", style }));
      });
    },
    // Draws a descent; where it leaves the picture, its label joins `labels`, clear of those that are there.
    path(g, p, out, role, label, labels) {
      const { svg, text, round, dots } = explorables.kit;
      let d = "";
      let exit = null;
      const spots = out.w.map((w, k) => [p.x(w), p.y(out.b[k])]);
      spots.forEach(([x, y], k) => {
        if (!k) return;
        const part = inside(...spots[k - 1], x, y, p);
        if (!part) return;
        d += `M${part.slice(0, 2).map(round).join(" ")}L${part.slice(2, 4).map(round).join(" ")}`;
        if (part[4]) exit ??= part;
      });
      g.append(
        svg("path", { d, class: "ex-curve ex-way ex-halo", style: "stroke-width:4.5px" }),
        svg("path", { d, class: `ex-curve ex-way ex-${role}`, "stroke-dasharray": role === "target" ? "5 3" : null }),
      );
      g.append(dots(p, spots, 2.6, { style: "stroke:var(--ex-ink);stroke-width:0.5px", class: `ex-dot ex-${role}` }));
      if (exit) {
        const [x0, y0, x, y] = exit;
        const turn = (Math.atan2(y - y0, x - x0) * 180) / Math.PI;
        const transform = `translate(${round(x)} ${round(y)}) rotate(${round(turn)})`;
        const end = x > p.left + p.width / 2;
        const low = y > p.top + p.height / 2;
        let base = Math.max(y, p.top + 4) + (low ? -8 : 12);
        while (labels.some((other) => Math.abs(other.getAttribute("y") - base) < 15)) base += low ? -15 : 15;
        const style = { class: "ex-halo ex-small", "text-anchor": end ? "end" : "start" };
        g.append(svg("path", { d: "M0 0L-11 -5V5z", transform, class: `ex-dot ex-${role}` }));
        labels.push(text(x + (end ? -14 : 14), base, `${label}: leaves`, style));
      }
    },
    curves(p, out, free, { clip, v }) {
      const { curve, endLabels } = explorables.kit;
      const xs = out.loss.map((_, k) => k);
      const floor = (ys) => ys.map((y) => (Number.isFinite(y) ? Math.min(1e6, Math.max(y, 1.01e-8)) : null));
      const drawn = [
        { role: "loss", ys: floor(out.loss) },
        { role: "gradient", ys: floor(out.norm), dash: "7 3" },
        { role: "gradient", ys: xs.map(() => v), dash: "2 3" },
        { role: "target", ys: floor(free.loss), dash: "5 3" },
      ].map((c, i) => ({ ...c, label: NAMES[i], xs })).slice(0, clip === "none" ? 3 : 4);
      for (const c of drawn.toReversed()) curve(p, xs, c.ys, c.role, { "stroke-dasharray": c.dash });
      endLabels(p, drawn);
    },
    say({ clip, v }, out, free, steps, cw, cb) {
      const { number } = explorables.kit;
      const told = (o) => {
        const [w, b] = [o.w[steps], o.b[steps]];
        const away = w < cw.min || w > cw.max || b < cb.min || b > cb.max;
        const where = away ? `, outside the picture at w = ${number(w)}, b = ${number(b)}` : "";
        return `loss ${number(o.loss[steps])}${where}`;
      };
      const norms = out.norm.filter(Number.isFinite);
      const largest = Math.max(...norms);
      const jump = Math.max(...out.w.slice(1).map((w, k) => Math.hypot(w - out.w[k], out.b[k + 1] - out.b[k])));
      const above = out.norm.filter((n) => !(n <= v)).length;
      const met = clip === "none" ? ""
        : above ? ` Longer than v: ${above} gradient${above > 1 ? "s" : ""}.`
          : " No gradient was longer than v, so nothing was clipped.";
      const lost = norms.length < out.norm.length ? " A gradient overflowed, and the descent stopped there." : "";
      const beside = clip === "none" ? "" : ` Without clipping: ${told(free)}.`;
      const way = clip === "none" ? "No clipping" : `Clipped by ${clip} at v = ${number(v)}`;
      const sizes = `Largest gradient ${number(largest)}, largest jump ${number(jump)}.`;
      return `${way}: after ${steps} steps ${told(out)}. ${sizes}${met}${lost}${beside}`;
    },
  });
})();
