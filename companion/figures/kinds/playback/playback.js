// playback: heat maps over time with one cursor: gates on text, attention, the tape of a machine.
// data: {axes, rows, context, glue, scenes: {"value|value": scene}}, a scene being
// {tokens, panels: [{label, role, rows, low, high, values: [row][step]}], say, image}
explorables.define("playback", {
  key: (view) => view.data.axes.map((a) => String(view.get(a))).join("|"),
  draw(view) {
    const { svg, text, round, number, clamp } = explorables.kit;
    const scene = view.data.scenes[this.key(view)];
    const steps = scene.tokens.length;
    view.limit("t", steps);
    const t = Math.min(view.get("t"), steps) - 1;
    const many = Math.max(...scene.panels.map((p) => p.rows.length));
    if (view.data.rows > 1) view.limit("row", many);
    const row = view.data.rows > 1 ? Math.min(view.get("row"), many) - 1 : 0;
    const margin = view.width < 480 ? 62 : 96;
    const cell = Math.min(52, Math.max(8, (view.width - margin - 12) / steps));
    const width = Math.max(view.width, margin + 12 + cell * steps);
    const tops = [];
    const pixel = scene.image ? 9 : 0;
    let y = 4 + (scene.image ? pixel * scene.image.length + 10 : 0);
    for (const p of scene.panels) {
      const h = p.rows.length > 12 ? 9 : p.rows.length > 5 ? 13 : 20;
      tops.push({ top: y + 20, h });
      y += 20 + h * p.rows.length + 14;
    }
    const x = (k) => margin + k * cell;
    const key = `${width}|${this.key(view)}`;
    view.layer("heat", key, (g) => {
      (scene.image || []).forEach((line, r) => line.forEach((v, k) => {
        const square = { x: margin + k * pixel, y: 4 + r * pixel, width: pixel, height: pixel };
        g.append(svg("rect", { ...square, class: "ex-pixel", "fill-opacity": round(v) }));
      }));
      scene.panels.forEach((p, i) => this.panel(g, p, tops[i], x, cell, margin, width));
      const longest = Math.max(...scene.tokens.map((token) => token.length));
      const every = Math.ceil((longest * 6.8 + 1) / cell); // none overlap
      scene.tokens.forEach((token, k) => {
        if ((k + 1) % every) return;
        const shown = token === " " ? "␣" : token;
        g.append(text(x(k) + cell / 2, y + 8, shown, { "text-anchor": "middle", class: "ex-token" }));
      });
    });
    const bottom = y + 16;
    const trace = view.data.rows > 1 ? 96 : 0;
    view.layer("cursor", undefined, (g) => {
      const { top } = tops[0];
      const cursor = { x: round(x(t)), y: top - 4, width: round(cell), height: round(bottom - top + 2) };
      const grab = { x: margin, y: top, width: round(cell * steps), height: round(bottom - top) };
      g.append(
        svg("rect", { ...cursor, class: "ex-cursor" }),
        svg("rect", { ...grab, class: "ex-grab", "data-handle": "t" }),
      );
      if (trace) this.trace(g, scene, row, { margin, cell, steps, top: bottom + 14, height: trace - 28, t });
    });
    view.drag("t", (px) => view.set("t", clamp(Math.floor((px - margin) / cell) + 1, 1, steps)));
    const of = (p) => Math.min(row, p.rows.length - 1); // a panel with fewer rows shows its last
    const values = scene.panels.map((p) => `${p.label} ${number(p.values[of(p)][t])}`).join(" · ");
    const who = view.data.rows > 1 ? `${scene.panels[0].rows[of(scene.panels[0])]}: ` : "";
    const before = scene.tokens.slice(Math.max(0, t - 14), t).join(view.data.glue);
    const after = scene.tokens.slice(t + 1, t + 8).join(view.data.glue);
    const where = view.data.context ? `…${before}[${scene.tokens[t]}]${after}… ` : `Step ${t + 1} of ${steps}. `;
    const say = scene.say ? scene.say[t] : `${where}${who}${values}`;
    return { height: bottom + trace + 6, width, focus: x(t), say };
  },
  panel(g, p, { top, h }, x, cell, margin, width) {
    const { svg, text, round, number, clamp } = explorables.kit;
    const span = Math.max(Math.abs(p.low), Math.abs(p.high));
    const legend = `  (blank 0, full ${number(p.high)}${p.low < 0 ? `, grey ${number(p.low)}` : ""})`;
    const room = (p.label.length + legend.length) * 7 < width;
    g.append(text(4, top - 6, p.label + (room ? legend : ""), { class: "ex-label" }));
    p.values.forEach((line, r) => {
      const named = p.rows.length <= 12 || r % 4 === 0;
      const base = top + r * h + h * 0.78;
      if (named) g.append(text(margin - 6, base, p.rows[r], { "text-anchor": "end", class: "ex-small" }));
      line.forEach((v, k) => {
        const strength = p.low < 0 ? Math.abs(v) / span : (v - p.low) / (p.high - p.low);
        const box = { x: round(x(k)), y: top + r * h, width: round(cell - (cell > 5 ? 0.6 : 0)), height: h - 0.6 };
        const role = v < 0 ? "target" : p.role;
        g.append(svg("rect", { ...box, "fill-opacity": round(clamp(strength, 0, 1)), class: `ex-cell ex-${role}` }));
      });
    });
    const whole = { width: round(x(p.values[0].length) - margin), height: round(h * p.rows.length) };
    g.append(svg("rect", { x: margin, y: top, ...whole, class: "ex-frame" }));
  },
  // The chosen row of every panel as a line under the heat maps.
  trace(g, scene, row, { margin, cell, steps, top, height, t }) {
    const { svg, text, round, number, dashes } = explorables.kit;
    const low = Math.min(0, ...scene.panels.map((p) => p.low));
    const high = Math.max(...scene.panels.map((p) => p.high));
    const y = (v) => top + height * (1 - (v - low) / (high - low));
    g.append(
      svg("line", { x1: margin, x2: margin + cell * steps, y1: round(y(0)), y2: round(y(0)), class: "ex-zero" }),
      text(margin - 6, y(high) + 4, number(high), { "text-anchor": "end", class: "ex-small" }),
      text(margin - 6, y(low) + 4, number(low), { "text-anchor": "end", class: "ex-small" }),
    );
    scene.panels.forEach((p, i) => {
      const line = p.values[Math.min(row, p.rows.length - 1)];
      const d = line.map((v, k) => `${k ? "L" : "M"}${round(margin + (k + 0.5) * cell)} ${round(y(v))}`).join("");
      const now = { cx: round(margin + (t + 0.5) * cell), cy: round(y(line[t])), r: 4 };
      g.append(
        svg("path", { d, class: `ex-curve ex-${p.role}`, "stroke-dasharray": dashes(i) }),
        svg("circle", { ...now, class: `ex-dot ex-${p.role}` }),
      );
    });
  },
});
