// gates: one LSTM unit whose gates are set by hand, or answer to the input. Computed in the page;
// the tests hold compute() to companion.gated.gate_unit.
(() => {
  "use strict";
  const sigmoid = (a) => 1 / (1 + Math.exp(-a));
  function compute({ af, ag, aq, mode }, x) {
    const out = { f: [], g: [], q: [], s: [], h: [] };
    let s = 0;
    for (const v of x) {
      const arrival = mode === "input" ? 4 * Math.abs(v) : 0;
      const [f, g, q] = [sigmoid(af - arrival), sigmoid(ag + arrival), sigmoid(aq)];
      s = f * s + g * Math.tanh(2 * v);
      out.f.push(f); out.g.push(g); out.q.push(q); out.s.push(s); out.h.push(q * Math.tanh(s));
    }
    return out;
  }

  explorables.define("gates", {
    compute,
    draw(view) {
      const { svg, plot, curve, dashes, endLabels, extent, clamp, round } = explorables.kit;
      const state = Object.fromEntries(view.spec.controls.map((c) => [c.name, view.get(c.name)]));
      const x = view.data.inputs[state.signal];
      const out = compute(state, x);
      const ts = x.map((_, i) => i + 1);
      const { width } = view;
      const xdomain = [0.5, x.length + 0.5];
      const tall = clamp(width * 0.3, 150, 210);
      view.layer("all", undefined, (g) => {
        const box = (top, height) => ({ left: 4, top, width: width - 8, height });
        const top = plot(g, box(4, 130), { xdomain, ydomain: [-1.1, 1.1], ylabel: "input x⁽ᵗ⁾" });
        ts.forEach((t, i) => {
          const [a, b] = [top.y(0), top.y(x[i])];
          const across = { x: round(top.x(t - 0.35)), width: round(top.x(0.7) - top.x(0)) };
          const up = { y: round(Math.min(a, b)), height: Math.max(1, round(Math.abs(a - b))) };
          g.append(svg("rect", { ...across, ...up, class: "ex-bar ex-input" }));
        });
        const mid = plot(g, box(112, tall), { xdomain, ydomain: [0, 1.05], ylabel: "gates" });
        const gates = [["f", "forget f"], ["g", "input g"], ["q", "output q"]];
        gates.forEach(([k], i) => curve(mid, ts, out[k], "parameter", { "stroke-dasharray": dashes(i) }));
        endLabels(mid, gates.map(([k, label]) => ({ label, role: "parameter", xs: ts, ys: out[k] })));
        const [low, high] = extent([out.s, out.h, [-1, 1]]);
        const axes = { xlabel: "step t", ylabel: "state s⁽ᵗ⁾ and output h⁽ᵗ⁾" };
        const low2 = plot(g, box(84 + tall, tall + 30), { xdomain, ydomain: [low * 1.1, high * 1.1], ...axes });
        curve(low2, ts, out.s, "state");
        curve(low2, ts, out.h, "output", { "stroke-dasharray": "7 4" });
        endLabels(low2, [
          { label: "state s", role: "state", xs: ts, ys: out.s },
          { label: "output h = q·tanh(s)", role: "output", xs: ts, ys: out.h },
        ]);
      });
      return { height: 2 * tall + 116, say: this.say(state, out) };
    },
    say({ af, mode }, out) {
      const { number } = explorables.kit;
      const f = sigmoid(af);
      const held = mode === "constant"
        ? `Forget gate f = ${number(f)}: the state halves every ${number(-Math.LN2 / Math.log(f))} steps.`
        : `At rest f = ${number(f)}, half-life ${number(-Math.LN2 / Math.log(f))} steps; an arrival shuts f to `
          + `${number(Math.min(...out.f))} and opens g to ${number(Math.max(...out.g))}.`;
      return `${held} After ${out.s.length} steps s = ${number(out.s.at(-1))}, h = ${number(out.h.at(-1))}.`;
    },
  });
})();
