// playback: heat maps over time with one cursor: gates on text, attention, the tape of a machine.
// data: {axes, rows, context, glue, scenes: {"value|value": scene}}, a scene being
// {tokens, panels: [{label, role, rows, low, high, values: [row][step]}], say}
(() => {
  "use strict";
  const { svg, text, measure, fold, key, flow, dashes, round, number, typeset, clamp } = explorables.kit;
  const BOLD = "600 12px";
  const TRACE = 66; // height of the traced line

  const longest = (scene) => scene.panels.reduce((a, b) => (b.rows.length > a.rows.length ? b : a));
  const most = (scene) => longest(scene).rows.length;
  // A row is traced in the panels that have the rows of the longest: a cell of a tape is not a bit of the input.
  const alike = (scene) => scene.panels.filter((p) => String(p.rows) === String(longest(scene).rows));
  const tall = (p) => (p.rows.length > 20 ? 6 : p.rows.length > 12 ? 9 : p.rows.length > 5 ? 14 : 20);
  const legend = (p) => `blank 0, full ${number(p.high)}${p.low < 0 ? `, grey ${number(p.low)}` : ""}`;
  const shown = (token) => (token === " " ? "␣" : token);
  const kept = (words, width) => { // as much of a name as there is room for
    if (measure(words, "600 11px") <= width) return words;
    let n = words.length;
    while (n > 1 && measure(`${words.slice(0, n)}…`, "600 11px") > width) n--;
    return `${words.slice(0, n)}…`;
  };

  // Where everything stands. Top to bottom: panels, tokens, traced line.
  function layout(scene, width, traced) {
    const steps = scene.tokens.length;
    const names = scene.panels.flatMap((p) => p.rows);
    const margin = clamp(14 + Math.max(...names.map((n) => measure(n, "600 11px"))), 44, Math.max(96, width * 0.3));
    const cell = Math.min(110, Math.max(8, (width - margin - 12) / steps));
    const wide = Math.max(width, margin + 12 + cell * steps);
    let y = 4;
    const panels = scene.panels.map((p) => {
      const lines = fold(`${p.label} (${legend(p)})`, width - 8, BOLD);
      const top = y + 15 * lines.length + 5;
      y = top + tall(p) * p.rows.length + 8;
      return { lines, top, h: tall(p) };
    });
    const tokens = y;
    const line = tokens + 22 + (traced ? 16 + 18 * rowsOfKey(scene, width) : 0);
    const height = traced ? line + TRACE + 8 : tokens + 18;
    return { margin, cell, width: wide, steps, panels, tokens, line, height, x: (k) => margin + k * cell };
  }
  const entries = (scene) => alike(scene).map((p, i) => ({ label: p.label, role: p.role, dash: dashes(i) }));
  const rowsOfKey = (scene, width) => 1 + flow(entries(scene).map((e) => e.label), width - 8).at(-1).row;

  function cells(g, p, { top, h }, { x, cell, margin }) {
    const span = Math.max(Math.abs(p.low), Math.abs(p.high));
    p.values.forEach((line, r) => line.forEach((v, k) => {
      const strength = p.low < 0 ? Math.abs(v) / span : (v - p.low) / (p.high - p.low);
      const box = { x: round(x(k)), y: top + r * h, width: round(cell - (cell > 5 ? 0.6 : 0)), height: h - 0.6 };
      const role = v < 0 ? "target" : p.role;
      g.append(svg("rect", { ...box, "fill-opacity": round(clamp(strength, 0, 1)), class: `ex-cell ex-${role}` }));
    }));
    const whole = { width: round(x(p.values[0].length) - margin), height: round(h * p.rows.length) };
    g.append(svg("rect", { x: margin, y: top, ...whole, class: "ex-frame" }));
  }
  function tokens(g, scene, at) {
    const longest = Math.max(...scene.tokens.map((token) => token.length));
    const every = Math.ceil((longest * 6.8 + 1) / at.cell); // none overlap
    scene.tokens.forEach((token, k) => {
      if ((k + 1) % every) return;
      const style = { "text-anchor": "middle", class: "ex-token" };
      g.append(text(at.x(k) + at.cell / 2, at.tokens + 10, shown(token), style));
    });
  }
  // Names of panels and rows, which stay in sight while the rest scrolls.
  function names(g, scene, at, row) {
    const chosen = row === null ? [] : alike(scene);
    scene.panels.forEach((p, i) => {
      const { lines, top, h } = at.panels[i];
      lines.forEach((line, k) => g.append(
        text(4, top - 6 - 15 * (lines.length - 1 - k), line, { class: "ex-label ex-halo" }),
      ));
      p.rows.forEach((name, r) => {
        if (r % Math.ceil(13 / h)) return; // none overlap
        const traced = chosen.includes(p) && r === row ? " ex-label" : "";
        const style = { "text-anchor": "end", class: `ex-small${traced}` };
        g.append(text(at.margin - 6, top + r * h + h / 2 + 4, kept(name, at.margin - 10), style));
      });
    });
  }
  // The chosen row as a line under the heat maps, one for each panel that has it.
  const range = (scene) => {
    const values = alike(scene).flatMap((p) => [p.low, p.high, ...p.values.flat()]);
    return [Math.min(0, ...values), Math.max(...values)];
  };
  const rise = (scene, at) => {
    const [low, high] = range(scene);
    return (v) => at.line + TRACE * (1 - (v - low) / (high - low));
  };
  function trace(g, scene, at, row) {
    const y = rise(scene, at);
    g.append(svg("line", { x1: at.margin, x2: at.x(at.steps), y1: round(y(0)), y2: round(y(0)), class: "ex-zero" }));
    alike(scene).forEach((p, i) => {
      const d = p.values[row].map((v, k) => `${k ? "L" : "M"}${round(at.x(k + 0.5))} ${round(y(v))}`).join("");
      g.append(svg("path", { d, class: `ex-curve ex-${p.role}`, "stroke-dasharray": dashes(i) }));
    });
  }
  function traceNames(g, scene, at, who, width) {
    const y = rise(scene, at);
    const style = { "text-anchor": "end", class: "ex-small" };
    for (const v of range(scene)) g.append(text(at.margin - 6, y(v) + 4, number(v), style));
    const head = at.line - 12 - 18 * rowsOfKey(scene, width);
    g.append(text(4, head, `${who}, traced:`, { class: "ex-label ex-halo" }));
    key(g, entries(scene), 4, head + 2, width - 8);
  }
  function cursor(g, scene, at, t, row) {
    const d = at.panels.map(({ top, h }, i) => {
      const height = h * scene.panels[i].rows.length + (i < at.panels.length - 1 ? 2 : 20);
      return `M${round(at.x(t))} ${top - 2}h${round(at.cell)}v${height}h${-round(at.cell)}z`;
    }).join("");
    const { top } = at.panels[0];
    const grab = { x: at.margin, y: top, width: round(at.cell * at.steps), height: round(at.tokens + 16 - top) };
    g.append(svg("path", { d, class: "ex-cursor" }), svg("rect", { ...grab, class: "ex-grab", "data-handle": "t" }));
    if (row === null) return;
    const y = rise(scene, at);
    alike(scene).forEach((p) => {
      const now = { cx: round(at.x(t + 0.5)), cy: round(y(p.values[row][t])), r: 4 };
      g.append(svg("circle", { ...now, class: `ex-dot ex-${p.role}` }));
    });
  }

  explorables.define("playback", {
    at: (view) => view.data.axes.map((a) => String(view.get(a))).join("|"),
    draw(view) {
      const chosen = this.at(view);
      const scene = view.data.scenes[chosen];
      const steps = scene.tokens.length;
      view.limit("t", steps);
      const t = Math.min(view.get("t"), steps) - 1;
      const traced = view.data.rows > 1;
      if (traced) view.limit("row", most(scene));
      const row = traced ? Math.min(view.get("row"), most(scene)) - 1 : null;
      const at = layout(scene, view.width, traced);
      const height = this.height(view, traced);
      const drawn = `${view.width}|${chosen}`;
      if (traced) view.note("row", this.who(scene, row));
      view.layer("heat", drawn, (g) => {
        scene.panels.forEach((p, i) => cells(g, p, at.panels[i], at));
        tokens(g, scene, at);
      });
      if (traced) view.layer("trace", `${drawn}|${row}`, (g) => trace(g, scene, at, row));
      view.layer("cursor", `${drawn}|${row}|${t}`, (g) => cursor(g, scene, at, t, row));
      view.layer("names", `${drawn}|${row}`, (g) => {
        names(g, scene, at, row);
        if (traced) traceNames(g, scene, at, this.who(scene, row), view.width);
      }, { fixed: true });
      view.drag("t", (px) => view.set("t", clamp(Math.floor((px - at.margin) / at.cell) + 1, 1, steps)));
      return { height, width: at.width, focus: at.x(t), margin: at.margin - 2, say: this.say(view, scene, t, row) };
    },
    // The figure is as tall as its tallest scene, so that nothing below it moves.
    height(view, traced) {
      if (view.tall?.width !== view.width) {
        const heights = Object.values(view.data.scenes).map((s) => layout(s, view.width, traced).height);
        view.tall = { width: view.width, height: Math.max(...heights) };
      }
      return view.tall.height;
    },
    who: (scene, row) => longest(scene).rows[row],
    say(view, scene, t, row) {
      const told = row === null ? scene.panels : alike(scene);
      const values = told.map((p) => `${p.label} ${number(p.values[row ?? 0][t])}`).join(" · ");
      const read = row === null ? values : `${this.who(scene, row)}: ${values}`;
      if (scene.say) return row === null ? scene.say[t] : `${typeset(scene.say[t])} Traced: ${read}.`;
      const before = scene.tokens.slice(Math.max(0, t - 14), t).join(view.data.glue);
      const after = scene.tokens.slice(t + 1, t + 8).join(view.data.glue);
      const where = `…${before}[${scene.tokens[t]}]${after}…`;
      return `${view.data.context ? where : `Step ${t + 1} of ${scene.tokens.length}.`} ${read}`;
    },
    // What it says at the steps with the longest sentences, of the row with the longest name.
    sayings(view) {
      return Object.values(view.data.scenes).flatMap((scene) => {
        const rows = view.data.rows > 1 ? [...Array(most(scene)).keys()] : [null];
        const named = (r) => (r === null ? 0 : this.who(scene, r).length);
        const row = rows.reduce((a, b) => (named(b) > named(a) ? b : a));
        const all = scene.tokens.map((_, t) => this.say(view, scene, t, row));
        return all.sort((a, b) => b.length - a.length).slice(0, 4);
      });
    },
  });
})();
