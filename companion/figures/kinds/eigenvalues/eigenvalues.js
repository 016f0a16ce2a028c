// eigenvalues: a pair of eigenvalues dragged in the complex plane; what W does to a state and to a gradient.
// Computed in the page, since dragging must be immediate; the tests hold compute() to companion.longterm.
(() => {
  "use strict";
  const dot = (W, h) => [W[0][0] * h[0] + W[0][1] * h[1], W[1][0] * h[0] + W[1][1] * h[1]];
  const matmul = (A, B) => A.map((row) => [0, 1].map((j) => row[0] * B[0][j] + row[1] * B[1][j]));
  // The larger singular value of a 2×2 matrix in closed form.
  function norm(A) {
    const s = A.flat().reduce((sum, v) => sum + v * v, 0);
    const det = A[0][0] * A[1][1] - A[0][1] * A[1][0];
    return Math.sqrt((s + Math.sqrt(Math.max(0, (s - 2 * det) * (s + 2 * det)))) / 2);
  }
  function compute({ rho, theta, skew, tanh }, h0, steps) {
    const [c, s] = [Math.cos(theta), Math.sin(theta)];
    const W = [[rho * c, -rho * skew * s], [(rho * s) / skew, rho * c]];
    const h = [h0];
    for (let t = 1; t <= steps; t++) {
      const a = dot(W, h[t - 1]);
      h.push(tanh ? a.map(Math.tanh) : a);
    }
    const identity = [[1, 0], [0, 1]];
    const powers = [identity];
    const products = [identity]; // ∂h(τ)/∂h(τ−k), grown backwards from the end
    for (let k = 1; k <= steps; k++) {
      powers.push(matmul(W, powers[k - 1]));
      const end = h[steps - k + 1];
      const J = tanh ? W.map((row, i) => row.map((w) => (1 - end[i] ** 2) * w)) : W;
      products.push(matmul(products[k - 1], J));
    }
    return { h, powers: powers.map(norm), gradients: products.map(norm) };
  }

  const up = (n) => [...String(n)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("");
  // By what the gradient is multiplied per step: ρ without tanh; with it, fitted to the later half of the steps back.
  function rate({ rho, tanh }, gradients) {
    if (!tanh) return rho;
    const late = gradients.map((g, k) => [k, Math.log(g)]).slice(gradients.length >> 1);
    const mean = (v) => v.reduce((a, b) => a + b, 0) / v.length;
    const [k0, l0] = [0, 1].map((i) => mean(late.map((p) => p[i])));
    return Math.exp(mean(late.map(([k, l]) => (k - k0) * (l - l0))) / mean(late.map(([k]) => (k - k0) ** 2)));
  }

  explorables.define("eigenvalues", {
    compute,
    draw(view) {
      const { plot, curve, clamp } = explorables.kit;
      const state = Object.fromEntries(view.spec.controls.map((c) => [c.name, view.get(c.name)]));
      const { h0, steps } = view.data;
      const out = compute(state, h0, steps);
      const wide = view.width >= 520;
      const side = wide ? Math.min(300, view.width / 2) : Math.min(330, view.width);
      const right = wide ? { left: side * 2, top: 4, width: view.width - side * 2, height: side } : null;
      const narrow3 = wide && view.width < 860;
      view.layer("all", undefined, (g) => {
        this.plane(view, g, { left: 4, top: 4, width: side, height: side }, state);
        const beside = wide ? { left: side, top: 4 } : { left: 4, top: side + 4 };
        this.orbit(g, { ...beside, width: side, height: side }, out.h);
        const box = !wide ? { left: 4, top: 2 * side + 4, width: view.width - 8, height: 280 }
          : narrow3 ? { left: 4, top: side + 4, width: view.width - 8, height: 260 } : right;
        this.norms(g, box, out, state, steps);
      });
      const height = !wide ? 2 * side + 290 : narrow3 ? side + 270 : side + 10;
      return { height, say: this.say(state, out, steps) };
    },
    plane(view, g, box, { rho, theta }) {
      const { svg, text, plot, clamp } = explorables.kit;
      const p = plot(g, box, {
        xdomain: [-1.6, 1.6], ydomain: [-1.6, 1.6], square: true,
        xlabel: "real part", ylabel: "eigenvalues (imaginary part)",
      });
      const unit = p.x(1) - p.x(0);
      const disc = (r, cls) => svg("circle", { cx: p.x(0), cy: p.y(0), r: unit * r, class: cls });
      const name = text(p.x(0.72), p.y(-0.9), "|λ| = 1", { class: "ex-small" });
      g.append(disc(1, "ex-unit"), disc(rho, "ex-radius"), name);
      const [re, im] = [rho * Math.cos(theta), rho * Math.sin(theta)];
      g.append(svg("line", { x1: p.x(0), y1: p.y(0), x2: p.x(re), y2: p.y(im), class: "ex-ray" }),
        svg("circle", { cx: p.x(re), cy: p.y(-im), r: 6, class: "ex-dot ex-parameter ex-faint" }));
      view.handle(g, "lambda", p.x(re), p.y(im), "parameter", (px, py) => {
        const [x, y] = p.invert(px, py);
        const grid = (v, c) => clamp(Math.round(v / c.step) * c.step, c.min, c.max);
        const [cr, ct] = ["rho", "theta"].map((n) => view.spec.controls.find((c) => c.name === n));
        view.set("rho", Number(grid(Math.hypot(x, y), cr).toFixed(3)));
        view.set("theta", Number(grid(Math.abs(Math.atan2(y, x)), ct).toFixed(3)));
      });
    },
    orbit(g, box, h) {
      const { svg, text, plot, round } = explorables.kit;
      const reach = Math.min(6, Math.max(1.6, ...h.slice(0, 12).flat().map(Math.abs)) * 1.05);
      const p = plot(g, box, {
        xdomain: [-reach, reach], ydomain: [-reach, reach], square: true,
        xlabel: "unit 1", ylabel: "state h⁽ᵗ⁾ (unit 2)",
      });
      let d = "";
      for (const [x, y] of h) {
        if (!p.inside(p.x(x), p.y(y))) break;
        d += `${d ? "L" : "M"}${round(p.x(x))} ${round(p.y(y))}`;
      }
      g.append(svg("path", { d, class: "ex-curve ex-state ex-thin" }));
      h.forEach(([x, y], t) => {
        if (!p.inside(p.x(x), p.y(y))) return;
        const fade = { class: "ex-dot ex-state", "fill-opacity": round(1 - (0.75 * t) / h.length) };
        g.append(svg("circle", { cx: round(p.x(x)), cy: round(p.y(y)), r: t ? 3 : 5, ...fade }));
      });
      g.append(text(p.x(h[0][0]) + 8, p.y(h[0][1]) - 6, "h⁽⁰⁾", { class: "ex-halo" }));
    },
    norms(g, box, out, { rho }, steps) {
      const { plot, curve, endLabels } = explorables.kit;
      const xs = out.powers.map((_, t) => t);
      const p = plot(g, box, {
        xdomain: [0, steps], ydomain: [1e-6, 1e6], logy: true,
        xlabel: "t steps forward (‖Wᵗ‖), k steps back from the last (gradient)", ylabel: "size",
      });
      const line = xs.map((t) => rho ** t);
      curve(p, xs, line, "target", { "stroke-dasharray": "2 3" });
      curve(p, xs, out.powers, "parameter");
      curve(p, xs, out.gradients, "gradient", { "stroke-dasharray": "7 4" });
      const free = (ys) => ys.map((v) => (v > 1e-6 && v < 1e6 ? v : null));
      endLabels(p, [
        { label: "ρᵗ", role: "target", xs, ys: free(line) },
        { label: "‖Wᵗ‖", role: "parameter", xs, ys: free(out.powers) },
        { label: `gradient ‖∂h⁽${up(steps)}⁾/∂h⁽${up(steps)}⁻ᵏ⁾‖`, role: "gradient", xs, ys: free(out.gradients) },
      ]);
    },
    say({ rho, theta, skew, tanh }, out, steps) {
      const { number } = explorables.kit;
      const last = out.gradients[steps];
      const step = rate({ rho, tanh }, out.gradients);
      const about1 = tanh ? 0.02 : 0.001; // a slope fitted to twenty steps is not exact
      const verdict = step < 1 - about1 ? "it vanishes" : step > 1 + about1 ? "it explodes"
        : "it neither vanishes nor explodes";
      const peak = Math.max(...out.powers);
      const grows = rho < 1 && peak > 1.5
        ? ` Although ρ < 1, ‖Wᵗ‖ first grows to ${number(peak)}: W is not normal.` : "";
      const matrix = `${number(rho)}·e^(±i·${number(theta)})${skew === 1 ? "" : `, skew ${number(skew)}`}`;
      return `Eigenvalues ${matrix}${tanh ? ", with tanh" : ""}: through ${steps} steps the gradient is multiplied `
        + `by ${number(last)}, in the long run by ${number(step)} per step: ${verdict}.${grows}`;
    },
  });
})();
