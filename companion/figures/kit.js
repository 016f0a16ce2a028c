// The kit that all explorables share: one frame (title, stage, read-out, controls), axes, drag handles, links.
// A kind draws; the kit does everything else. The same text runs in the published page (classic script)
// and in a notebook (module text of the anywidget), so it defines one global and exports nothing.
(() => {
  "use strict";

  // A notebook loads this text once a widget, each time with another kind.
  const kinds = globalThis.explorables?.kinds ?? {};
  const mounted = globalThis.explorables?.mounted ?? new Set();
  const SVG = "http://www.w3.org/2000/svg";
  const HEADER = 70; // pixels of a screen that the page's own header takes
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  // ---- small DOM helpers ----
  const fill = (node, attrs, children) => {
    for (const [key, value] of Object.entries(attrs || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
    return node;
  };
  const html = (tag, attrs, ...children) => fill(document.createElement(tag), attrs, children);
  const element = (tag, attrs, ...children) => fill(document.createElementNS(SVG, tag), attrs, children);
  // What is written or set already costs nothing.
  const put = (node, words) => { if (node.textContent !== words) node.textContent = words; };
  const attribute = (node, name, value) => {
    if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  };

  // A drawing is made of marks: what an SVG element is to be. A mark becomes an element of the page only where it
  // differs from the mark that was drawn there before; whoever keeps it may go on writing to it.
  class Mark {
    constructor(tag) {
      Object.assign(this, { tag, names: [], values: [], children: [], node: null });
    }
    append(...children) { this.children.push(...children); }
    at(name) { return this.names.indexOf(name); }
    getAttribute(name) { return this.values[this.at(name)] ?? null; }
    setAttribute(name, value) {
      const i = this.at(name);
      this.values[i < 0 ? this.names.push(name) - 1 : i] = value;
      this.node?.setAttribute(name, value);
    }
    removeAttribute(name) {
      const i = this.at(name);
      if (i >= 0) [this.names, this.values].forEach((list) => list.splice(i, 1));
      this.node?.removeAttribute(name);
    }
    get textContent() { return this.children.map((child) => child.textContent ?? child).join(""); }
    set textContent(words) {
      this.children = words === "" ? [] : [words];
      if (this.node) this.node.textContent = words;
    }
  }
  const svg = (tag, attrs, ...children) => fill(new Mark(tag), attrs, children);

  // The node of the page that a mark, or words, ask for. A mark has a tag; it may be of another widget's kit.
  function drawn(mark) {
    if (!mark.tag) return document.createTextNode(mark);
    mark.node = document.createElementNS(SVG, mark.tag);
    mark.names.forEach((name, i) => mark.node.setAttribute(name, mark.values[i]));
    mark.node.append(...mark.children.map(drawn));
    return mark.node;
  }
  // `node` shows `had`, and from now on `mark`: what stays costs neither style nor layout.
  function become(node, had, mark) {
    if (had.tag !== mark.tag) { node.replaceWith(drawn(mark)); return; }
    if (!mark.tag) { if (String(had) !== String(mark)) node.data = mark; return; }
    mark.node = node;
    const same = String(had.names) === String(mark.names);
    if (!same) had.names.forEach((name) => node.removeAttribute(name)); // and they keep their order
    mark.names.forEach((name, i) => {
      if (!same || had.values[i] !== mark.values[i]) node.setAttribute(name, mark.values[i]);
    });
    const kept = Math.min(had.children.length, mark.children.length);
    for (let i = had.children.length; i > kept; i--) node.lastChild.remove();
    for (let i = 0, child = node.firstChild, next; i < kept; i++, child = next) {
      next = child.nextSibling;
      become(child, had.children[i], mark.children[i]);
    }
    if (kept < mark.children.length) node.append(...mark.children.slice(kept).map(drawn));
  }
  const text = (x, y, content, attrs) => svg("text", { x: round(x), y: round(y), ...attrs }, content);

  // The width of a text in the stage, in pixels; lines that are no wider than `width`.
  const pen = document.createElement("canvas").getContext("2d");
  const measured = new Map();
  const measure = (words, style = "12px") => {
    const known = `${style}|${words}`;
    if (!measured.has(known)) {
      if (measured.size > 5000) measured.clear();
      pen.font = `${style} system-ui, sans-serif`;
      measured.set(known, pen.measureText(words).width);
    }
    return measured.get(known);
  };
  const fold = (words, width, style) => words.split(" ").reduce((lines, word) => {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && measure(longer, style) > width) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = longer;
    return lines;
  }, []);

  // ---- numbers ----
  const round = (v) => Math.round(v * 100) / 100;
  const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
  const superscript = (n) => String(n).replace(/[-−]/g, "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
  const up = (t) => `⁽${superscript(t)}⁾`; // h⁽³⁾ is `h${up(3)}`
  const power = (m, e) => (/^[-−]?1(\.0)?$/.test(m) ? m[0].replace("1", "") : `${m}×`) + `10${superscript(e)}`;
  // Every number of a figure is written by this function; companion.figures.numbers writes the same in Python.
  const number = (v) => {
    if (v === null || v === undefined || Number.isNaN(v)) return "–";
    const size = Math.abs(v);
    if (size === Infinity) return v < 0 ? "−∞" : "∞";
    if (size === 0 || (size >= 1e-3 && size < 1e4)) return String(Number(v.toPrecision(3))).replace("-", "−");
    const [m, e] = v.toExponential(1).replace(".0", "").split("e");
    return power(m.replace("-", "−"), Number(e));
  };
  // A sentence that was written elsewhere, with 2.6e-16 and 10^-16 as they are written here.
  const typeset = (words) => String(words)
    .replace(/(?<![\w.])([-−]?\d+(?:\.\d+)?)e([-+]?\d+)\b/g, (_, m, e) => power(m.replace("-", "−"), +e))
    .replace(/\b10\^\{?([-−]?\d+(?:\.\d+)?)\}?/g, (_, e) => {
      const exact = Number(e.replace("−", "-"));
      return Number.isInteger(exact) ? `10${superscript(exact)}` : number(10 ** exact);
    });
  const tick = (v, logy) => (logy && (v >= 99 || v < 0.5) ? power("1", Math.round(Math.log10(v))) : number(v));
  const nearest = (values, v) =>
    values.reduce((best, u, i) => (Math.abs(u - v) < Math.abs(values[best] - v) ? i : best), 0);

  // ---- scales and axes ----
  const ticks = (low, high, count) => {
    const raw = (high - low) / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
    const out = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) out.push(k * step);
    return out;
  };
  const logTicks = (low, high, count) => {
    const [a, b] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const stride = Math.max(1, Math.ceil((b - a) / Math.max(1, count)));
    const out = [];
    for (let e = a; e <= b; e++) if (e % stride === 0) out.push(10 ** e);
    return out;
  };
  const extent = (arrays, keep) => {
    const all = arrays.flat().filter((v) => Number.isFinite(v) && (!keep || keep(v)));
    return all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
  };

  // A plot is a rectangle in the stage with two scales: plot.x(value), plot.y(value) in pixels, plot.invert(px, py).
  // `box` = {left, top, width, height} is the outer rectangle, axis labels included. `ends`, the names of the curves,
  // keeps room for them: at the right, or on a narrow stage above (`endLabels` writes them there).
  function scales(box, { xdomain, ydomain, logy = false, xlabel = "", ylabel = "", square = false, ends = [] }) {
    let [x0, x1] = xdomain;
    let [y0, y1] = ydomain;
    if (x0 === x1) x1 = x0 + 1;
    if (logy) { y0 = Math.max(y0, 1e-300); if (y1 <= y0) y1 = y0 * 10; } else if (y0 === y1) { y0 -= 0.5; y1 += 0.5; }
    const marks = (height) => (logy ? logTicks(y0, y1, height / 34) : ticks(y0, y1, height / 34));
    const gutter = Math.max(46, 14 + Math.max(...marks(box.height - 62).map((v) => measure(tick(v, logy)))));
    const longest = Math.max(0, ...ends.map((name) => measure(name)));
    const aside = ends.length > 0 && longest + 34 < 0.3 * box.width;
    const rows = ends.length && !aside ? flow(ends, box.width - 8).at(-1).row + 1 : 0;
    const xlines = fold(xlabel, box.width - 8, "600 12px");
    const ylines = fold(ylabel, box.width - 8, "600 12px");
    const head = 24 + 15 * (ylines.length - 1) + 18 * rows;
    const foot = 40 + 15 * (xlines.length - 1);
    const inner = { left: box.left + gutter, top: box.top + head, height: box.height - head - foot };
    inner.width = box.width - gutter - 10 - (aside ? longest + 28 : 0);
    if (square) inner.width = inner.height = Math.min(inner.width, inner.height);
    const map = (v) => (logy ? Math.log10(Math.max(v, 1e-300)) : v);
    const base = inner.top + inner.height;
    const x = (v) => inner.left + ((v - x0) / (x1 - x0)) * inner.width;
    const y = (v) => base - ((map(v) - map(y0)) / (map(y1) - map(y0))) * inner.height;
    const invert = (px, py) => {
      const v = map(y0) + ((base - py) / inner.height) * (map(y1) - map(y0));
      return [x0 + ((px - inner.left) / inner.width) * (x1 - x0), logy ? 10 ** v : v];
    };
    const inside = (px, py) =>
      px >= inner.left - 1 && px <= inner.left + inner.width + 1 && py >= inner.top - 1 && py <= base + 1;
    const xmarks = ticks(x0, x1, inner.width / 60);
    const words = { xmarks, ymarks: marks(inner.height), xlines, ylines, aside, rows };
    return { ...inner, ...words, box, logy, x, y, invert, inside, low: y0, high: y1 };
  }

  function axes(layer, p) {
    const axis = svg("g", { class: "ex-axis" });
    const base = p.top + p.height;
    const right = p.box.left + p.box.width;
    for (const v of p.xmarks) {
      const room = right - measure(number(v)) / 2;
      axis.append(
        svg("line", { x1: round(p.x(v)), x2: round(p.x(v)), y1: base, y2: base + 4 }),
        text(Math.min(p.x(v), room), base + 17, number(v), { "text-anchor": "middle", class: "ex-xtick" }),
      );
    }
    for (const v of p.ymarks) {
      const y = round(p.y(v));
      axis.append(
        svg("line", { class: "ex-grid", x1: p.left, x2: p.left + p.width, y1: y, y2: y }),
        text(p.left - 6, p.y(v) + 4, tick(v, p.logy), { "text-anchor": "end", class: "ex-ytick" }),
      );
    }
    axis.append(svg("path", { d: `M${p.left} ${p.top}V${base}H${p.left + p.width}`, fill: "none" }));
    p.xlines.forEach((line, i) => {
      const half = measure(line, "600 12px") / 2;
      const middle = clamp(p.left + p.width / 2, p.box.left + half, Math.max(right - half, p.box.left + half));
      axis.append(text(middle, base + 35 + 15 * i, line, { "text-anchor": "middle", class: "ex-label" }));
    });
    p.ylines.forEach((line, i) => {
      axis.append(text(p.box.left + 2, p.box.top + 13 + 15 * i, line, { class: "ex-label" }));
    });
    layer.append(axis);
  }

  function plot(layer, box, options) {
    const p = { ...scales(box, options), layer };
    axes(layer, p);
    return p;
  }

  // Curves that share a role differ by their dashes.
  const dashes = (k) => ["", "7 4", "2 3", "9 3 2 3"][k % 4] || null;

  // A curve; points outside the plot are cut off, not clamped to its border.
  function curve(p, xs, ys, role, attrs) {
    let d = "";
    let drawing = false;
    xs.forEach((x, i) => {
      const ok = ys[i] !== null && Number.isFinite(ys[i]) && p.inside(p.x(x), p.y(ys[i]));
      if (ok) d += `${drawing ? "L" : "M"}${round(p.x(x))} ${round(p.y(ys[i]))}`;
      drawing = ok;
    });
    p.layer.append(svg("path", { d, class: `ex-curve ex-${role}`, ...attrs }));
  }

  // Small discs at those [x, y] that lie in the plot, all in one path: an element for each would cost far more.
  const dots = (p, points, r, attrs) => svg("path", {
    d: points.filter((at) => p.inside(...at)).map(([x, y]) => (
      `M${round(x - r)} ${round(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`)).join(""), ...attrs,
  });

  // Where the entries of a key stand if they flow in rows of `width` pixels: {row, left} each.
  function flow(names, width) {
    let [row, left] = [0, 0];
    return names.map((name) => {
      const wide = measure(name) + 44;
      if (left && left + wide - 16 > width) { row += 1; left = 0; }
      const at = { row, left };
      left += wide;
      return at;
    });
  }

  // A piece of the curve and its name; `dash` is the curve's.
  const named = (x, y, { label, role, dash, ghost }) => [
    svg("path", {
      d: `M${round(x)} ${round(y - 4)}h22`, "stroke-dasharray": dash,
      class: `ex-curve ex-key ex-${role}${ghost ? " ex-ghost" : ""}`,
    }),
    text(x + 28, y, label, { class: "ex-end" }),
  ];

  // A key in rows, from (left, top) on.
  function key(layer, entries, left, top, width) {
    flow(entries.map((e) => e.label), width).forEach((at, i) => {
      layer.append(...named(left + at.left, top + 18 * at.row + 13, entries[i]));
    });
  }

  // Names of curves, {label, role, dash, xs, ys}: right of the plot at the height where each ends, pushed apart so that
  // none covers another; on a narrow stage above the plot; inside it where no room was kept for them.
  function endLabels(p, entries) {
    if (p.rows) return key(p.layer, entries, p.box.left + 2, p.top - 8 - 18 * p.rows, p.box.width - 8);
    const placed = entries
      .map((e) => {
        const i = e.ys.findLastIndex((v, k) => v !== null && Number.isFinite(v) && p.inside(p.x(e.xs[k]), p.y(v)));
        if (i >= 0) return { ...e, px: p.x(e.xs[i]), py: p.y(e.ys[i]) };
        const last = e.ys.findLast(Number.isFinite); // a curve that is not in sight ends above or below
        return p.aside ? { ...e, py: last > p.high ? p.top : p.top + p.height } : null;
      })
      .filter(Boolean)
      .sort((a, b) => a.py - b.py);
    placed.forEach((e, i) => { e.py = Math.max(e.py, i ? placed[i - 1].py + 16 : p.top + 4); });
    const over = placed.length ? placed.at(-1).py - (p.top + p.height) : 0;
    for (const e of placed) {
      const y = e.py - Math.max(0, over);
      if (p.aside) p.layer.append(...named(p.left + p.width + 6, y + 4, e));
      else p.layer.append(
        svg("circle", { cx: round(e.px - 3), cy: round(y - 8), r: 4, class: `ex-dot ex-${e.role}` }),
        text(e.px - 10, y - 4, e.label, { class: "ex-halo ex-end", "text-anchor": "end" }),
      );
    }
    return undefined;
  }

  // ---- controls ----
  // A kind may put the value in words: view.note(name, words).
  const shown = (c, v) => {
    if (c.note !== undefined) return c.note;
    if (c.texts && c.values) return typeset(c.texts[nearest(c.values, v)]);
    return typeof v === "number" ? number(v) : typeset(v);
  };

  function rangeControl(c, id, view) {
    if (c.values && c.values.length < 4) return radioControl(c, id, view);
    const listed = c.values;
    const input = html("input", {
      type: "range", id, "data-control": c.name,
      min: listed ? 0 : c.min, max: listed ? listed.length - 1 : c.max, step: listed ? 1 : c.step,
      oninput: () => view.set(c.name, listed ? listed[+input.value] : +input.value),
    });
    const out = html("output", { for: id, "aria-live": "off" }); // the read-out alone is spoken
    const row = html("div", { class: "ex-row ex-range" }, html("label", { for: id }, c.label), out, input);
    if (c.play) row.insertBefore(html("span", { class: "ex-player" }, player(c, view, input)), input);
    const show = () => {
      const limit = c.limit;
      if (limit !== undefined) attribute(input, "max", limit);
      const value = String(listed ? nearest(listed, view.get(c.name)) : view.get(c.name));
      if (input.value !== value) input.value = value;
      const words = shown(c, view.get(c.name)) + (limit !== undefined && c.note === undefined ? ` / ${limit}` : "");
      put(out, words);
      attribute(input, "aria-valuetext", words);
    };
    return { row, show };
  }

  // Buttons that step a range by one and run it; nothing runs under reduced motion.
  function player(c, view, input) {
    const by = c.values ? 1 : c.step;
    const go = (v) => {
      const to = clamp(v, +input.min, +input.max);
      view.set(c.name, c.values ? c.values[to] : to);
    };
    let timer = null;
    let way = by;
    const ended = () => (way > 0 ? +input.value >= +input.max : +input.value <= +input.min);
    const stop = () => { clearInterval(timer); timer = null; run.textContent = "▶ Play"; };
    const run = html("button", {
      type: "button", "data-play": c.name,
      onclick: () => {
        if (timer) return stop();
        way = c.swing && +input.value >= +input.max ? -by : by;
        if (ended()) go(+input.min);
        run.textContent = "❚❚ Pause";
        timer = setInterval(() => {
          if (!view.root.isConnected || ended()) return stop();
          go(+input.value + way);
        }, c.play);
      },
    }, "▶ Play");
    view.onreset(stop);
    const step = (d, sign, name) =>
      html("button", { type: "button", "aria-label": name, onclick: () => { stop(); go(+input.value + d); } }, sign);
    const steps = [step(-by, "‹", `${c.label}: one back`), step(by, "›", `${c.label}: one on`)];
    return still() ? steps : [...steps, run];
  }

  const choiceControl = (c, id, view) => (c.options.length > 5 ? listControl : radioControl)(c, id, view);

  function listControl(c, id, view) {
    const select = html(
      "select",
      { id, "data-control": c.name, onchange: () => view.set(c.name, c.options[select.selectedIndex]) },
      c.options.map((o) => html("option", {}, o)),
    );
    const row = html("div", { class: "ex-row" }, html("label", { for: id }, c.label), select);
    return { row, show: () => { select.selectedIndex = c.options.indexOf(view.get(c.name)); } };
  }

  function radioControl(c, id, view) {
    const options = c.values ?? c.options;
    const radios = options.map((o, i) => html("input", {
      type: "radio", name: id, id: `${id}-${i}`, "data-control": c.name, onchange: () => view.set(c.name, o),
    }));
    const row = html(
      "div", { class: "ex-row ex-choice", role: "radiogroup", "aria-label": c.label },
      html("span", {}, c.label),
      html("div", {}, radios.map((r, i) => html("label", {}, r, html("span", {}, shown(c, options[i]))))),
    );
    const chosen = () => (c.values ? nearest(c.values, view.get(c.name)) : options.indexOf(view.get(c.name)));
    return { row, show: () => { const now = chosen(); radios.forEach((r, i) => { r.checked = i === now; }); } };
  }

  function toggleControl(c, id, view) {
    const box = html("input", {
      type: "checkbox", id, "data-control": c.name, onchange: () => view.set(c.name, box.checked),
    });
    const row = html("div", { class: "ex-row ex-toggle" }, box, html("label", { for: id }, c.label));
    return { row, show: () => { box.checked = view.get(c.name); } };
  }

  // A line of text; Enter or leaving the field hands it over.
  function textControl(c, id, view) {
    const take = () => { input.value = view.get(c.name); };
    const input = html("input", {
      type: "text", id, "data-control": c.name, maxlength: c.longest, placeholder: c.example,
      spellcheck: "false", autocomplete: "off", onchange: () => view.set(c.name, input.value), onblur: take,
    });
    const row = html("div", { class: "ex-row ex-text" }, html("label", { for: id }, c.label), input);
    return { row, show: () => { if (document.activeElement !== input || input.value === "") take(); } };
  }

  // The verdict at the present place of a goal that Python judged at every place of its axes.
  function judged(view, { axes, verdicts, table }) {
    const spot = axes.reduce((i, name) => {
      const c = view.spec.controls.find((other) => other.name === name);
      const v = view.get(name);
      const listed = c.options ?? c.values;
      if (!listed) return i * (Math.round((c.max - c.min) / c.step) + 1) + Math.round((v - c.min) / c.step);
      return i * listed.length + (c.values ? nearest(c.values, v) : listed.indexOf(v));
    }, 0);
    const [done, words] = verdicts[table[spot]];
    return { done, say: typeset(words) };
  }

  // A small task with a button that checks it: it brings its verdicts, or is the k-th of kind.judge(view, k).
  function goalRow(view, kind, k) {
    const goal = view.spec.goals[k];
    const said = html("output", { class: "ex-verdict" });
    const check = html("button", { type: "button", "data-goal": k, onclick: () => {
      const { done, say } = goal.table ? judged(view, goal) : kind.judge(view, k);
      said.textContent = `${done ? "✓ Done." : "Not yet."} ${say}`;
      said.dataset.done = done;
    } }, "Check");
    view.onreset(() => { said.textContent = ""; });
    return html("div", { class: "ex-row ex-goal" }, html("span", {}, html("b", {}, "Goal: "), goal.task ?? goal),
      check, said);
  }

  const makers = { range: rangeControl, choice: choiceControl, toggle: toggleControl, text: textControl };

  // ---- links that set a figure's state:  #name?trait=value&trait=value ----
  const parse = (hash) => {
    const at = hash.indexOf("?");
    if (!hash.startsWith("#") || at < 0) return null;
    const state = Object.fromEntries(new URLSearchParams(hash.slice(at + 1)));
    return { name: decodeURIComponent(hash.slice(1, at)), state };
  };
  function cast(c, raw) {
    if (c.type === "text") return raw.slice(0, c.longest);
    if (c.type === "toggle") return raw === "true" || raw === "1";
    if (c.type === "choice") return c.options.find((o) => String(o) === raw);
    const v = Number(raw);
    if (!Number.isFinite(v) || raw === "") return undefined;
    return c.values ? c.values[nearest(c.values, v)] : clamp(v, c.min, c.max);
  }
  function follow(hash) {
    const link = parse(hash);
    const views = link ? [...mounted].filter((v) => v.spec.name === link.name && v.root.isConnected) : [];
    for (const view of views) {
      for (const c of view.spec.controls) {
        const v = link.state[c.name] === undefined ? undefined : cast(c, link.state[c.name]);
        if (v !== undefined) view.set(c.name, v);
      }
      const block = view.root.offsetHeight > innerHeight - HEADER ? "start" : "nearest";
      view.root.scrollIntoView({ block });
      view.flash();
    }
    return views.length > 0;
  }

  // ---- the frame ----
  // spec: {kind, name, title, caption, controls, start, data, goals?}; store: {get, set, listen} holds the state.
  // A kind is {draw(view), start?(view, canvas), sayings?(view), judge?(view, k)}. draw returns {height, width, say,
  // focus, margin}; sayings, all that it may ever say, or the longest of it, for which the read-out keeps room.
  function mount(root, spec, store) {
    const kind = kinds[spec.kind];
    const controls = spec.controls.map((c) => ({ ...c }));
    const control = (name) => controls.find((c) => c.name === name);
    const resets = [];
    const layers = new Map();
    const handles = new Map();
    const unique = Math.random().toString(36).slice(2, 7);
    const titled = `${spec.name}-title-${unique}`;
    const canvas = element("svg", { role: "img", "aria-labelledby": titled });
    const beside = element("svg", { class: "ex-beside", "aria-hidden": "true" }); // what stays while the rest scrolls
    const stage = html("div", { class: "ex-stage", role: "group", "aria-labelledby": titled }, canvas);
    const readout = html("p", { class: "ex-readout", role: "status", "aria-live": "polite" });
    const room = html("div", { class: "ex-room", "aria-hidden": "true" });
    const panel = html("div", { class: "ex-controls" });
    let pending = 0;
    let pointed; // the name that what one points at shares with its copies

    const view = {
      root, spec, data: spec.data, width: 0,
      get: (name) => store.get(name),
      set(name, value) { if (store.get(name) !== value) store.set(name, value); },
      state: () => Object.fromEntries(controls.map((c) => [c.name, store.get(c.name)])),
      // A range takes the nearest of its steps.
      snap(name, value) {
        const { min, max, step } = control(name);
        view.set(name, clamp(Number((Math.round(value / step) * step).toFixed(6)), min, max));
      },
      onreset: (f) => resets.push(f),
      // A persistent group: `paint(g)` runs again only when `key` changes (without a key, at every draw). It lies above
      // the groups that were there before it; `fixed`, it stays in sight while the stage scrolls sideways.
      layer(name, key, paint, { fixed = false } = {}) {
        let kept = layers.get(name);
        if (!kept) {
          kept = { mark: svg("g", {}), key: undefined };
          layers.set(name, kept);
          if (fixed) stage.append(beside);
          (fixed ? beside : canvas).append(drawn(kept.mark));
        }
        if (kept.key === key && key !== undefined) return;
        const mark = svg("g", {});
        paint(mark);
        become(kept.mark.node, kept.mark, mark);
        [kept.mark, kept.key] = [mark, key];
      },
      // While [data-handle=name] is pressed or dragged, move(x, y) is called in stage pixels. Register at every draw.
      drag: (name, move) => handles.set(name, move),
      // A round handle at (px, py).
      handle(g, name, px, py, role, move) {
        view.drag(name, move);
        const look = { r: 9, class: `ex-handle ex-${role}`, "data-handle": name };
        g.append(svg("circle", { cx: round(px), cy: round(py), ...look }));
      },
      // A range ends at `max` in the present state, and a value there goes with it: call it before reading the state.
      limit(name, max) {
        const c = control(name);
        const before = c.limit;
        c.limit = max;
        const v = store.get(name);
        if (v > max || (before !== undefined && before !== max && v === before)) store.set(name, max);
      },
      note(name, words) { control(name).note = words; },
      label(name, words) { put(row(name).querySelector("label"), words); },
      // Controls that mean nothing in the present state step aside, or keep their place and cannot be moved.
      aside(names) { for (const part of parts) part.row.hidden = names.includes(part.name); },
      disable(name, off) { row(name).querySelector("[data-control]").disabled = off; },
      // Pointing at one [data-share] marks all of that name, drawn now or later; pressing one calls press(name).
      share(press) {
        const shared = (event) => event.target.closest("[data-share]")?.dataset.share;
        const point = (name) => { pointed = name; mark(); };
        canvas.addEventListener("pointerover", (event) => point(shared(event)));
        canvas.addEventListener("pointerleave", () => point(undefined));
        canvas.addEventListener("click", (event) => press(shared(event)));
      },
      flash() { root.classList.add("ex-flash"); setTimeout(() => root.classList.remove("ex-flash"), 900); },
    };

    const first = (a, b) => Boolean(b.play) - Boolean(a.play); // time, where it passes, is what one moves most
    const made = (c) => makers[c.type](c, `${spec.name}-${c.name}-${unique}`, view);
    const parts = controls.toSorted(first).map((c) => ({ name: c.name, ...made(c) }));
    const row = (name) => parts.find((p) => p.name === name).row;
    const mark = () => canvas.querySelectorAll("[data-share], .ex-hover").forEach((e) => {
      e.classList.toggle("ex-hover", e.dataset.share === pointed);
      if (!e.classList.length) e.removeAttribute("class");
    });
    const reset = html("button", { type: "button", "data-reset": true, onclick: () => {
      resets.forEach((f) => f());
      for (const [name, value] of Object.entries(spec.start)) view.set(name, value);
    } }, "Reset");
    const share = html("button", {
      type: "button", "data-share-link": true, onclick: () => shareLink(view, share),
    }, "Copy link to this state");
    const goals = (spec.goals ?? []).map((_, k) => goalRow(view, kind, k));
    panel.append(...parts.map((p) => p.row), ...goals, html("div", { class: "ex-row ex-buttons" }, reset, share));
    // JupyterLab's command mode would swallow arrow keys and letters typed into a control.
    panel.addEventListener("keydown", (event) => event.stopPropagation());

    const caption = root.querySelector("figcaption") || html("figcaption", {}, spec.caption);
    const says = html("div", { class: "ex-says" }, readout, room);
    const desk = html("div", { class: "ex-desk" }, says, panel);
    root.replaceChildren(html("div", { class: "ex-title", id: titled }, spec.title), stage, desk, caption);
    root.classList.add("explorable", "ex-live");
    root.setAttribute("aria-labelledby", titled);
    root.id = spec.name;

    // Unseen, in the read-out's place: the longest sentences, so that it keeps its height whatever it says.
    let kept = [];
    function keepRoom(sentences) {
      if (sentences.every((words) => kept.includes(words) || words.length < kept[5]?.length)) return;
      const longest = [...new Set([...kept, ...sentences])].sort((a, b) => b.length - a.length).slice(0, 6);
      if (longest.some((words) => !kept.includes(words))) room.replaceChildren(...longest.map((w) => html("p", {}, w)));
      kept = longest;
    }
    function size(node, width, height) {
      attribute(node, "viewBox", `0 0 ${round(width)} ${round(height)}`);
      attribute(node, "width", round(width));
      attribute(node, "height", round(height));
    }

    function draw() {
      pending = 0;
      handles.clear();
      // focus: a place to keep in sight; margin: how much at the left stays there
      const { height, width = view.width, say = "", focus, margin = 0 } = kind.draw(view);
      cancelAnimationFrame(pending); // what a limit moved is drawn
      pending = 0;
      if (pointed) mark();
      size(canvas, width, height);
      size(beside, margin, height);
      const said = typeset(say);
      put(readout, said);
      keepRoom([said]);
      parts.forEach((p) => p.show());
      if (width > view.width) attribute(stage, "tabindex", 0); else stage.removeAttribute("tabindex");
      if (focus === undefined || width <= view.width) return;
      const off = focus - stage.scrollLeft;
      if (off < margin + 20 || off > view.width - 40) stage.scrollLeft = focus - (view.width + margin) / 2;
    }
    const redraw = () => { if (!pending) pending = requestAnimationFrame(draw); };

    let held = null;
    const at = (event) => {
      const r = canvas.getBoundingClientRect();
      const scale = canvas.viewBox.baseVal.width / r.width;
      return [(event.clientX - r.left) * scale, (event.clientY - r.top) * scale];
    };
    canvas.addEventListener("pointerdown", (event) => {
      held = event.target.closest("[data-handle]")?.dataset.handle ?? null;
      if (held === null) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      handles.get(held)?.(...at(event));
    });
    canvas.addEventListener("pointermove", (event) => { if (held !== null) handles.get(held)?.(...at(event)); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });

    const forget = store.listen(redraw);
    const fit = () => { view.width = Math.max(280, stage.clientWidth || 640); };
    const observer = new ResizeObserver(() => {
      // where both do not fit one screen, what is moved and what is said stay beside the part that is looked at
      root.classList.toggle("ex-tall", stage.offsetHeight + desk.offsetHeight > innerHeight - HEADER);
      // goals and buttons need not be seen while one moves
      const [end, tail] = [desk, panel.querySelector(".ex-goal, .ex-buttons")].map((e) => e.getBoundingClientRect());
      desk.style.setProperty("--ex-tail", `${end.bottom - tail.top}px`);
      if (Math.abs(stage.clientWidth - view.width) <= 1) return;
      fit();
      redraw();
    });
    observer.observe(stage);
    observer.observe(desk);
    fit();
    mounted.add(view);
    kind.start?.(view, canvas);
    keepRoom((kind.sayings?.(view) ?? []).map(typeset));
    draw();
    return () => { forget(); observer.disconnect(); mounted.delete(view); resets.forEach((f) => f()); };
  }

  async function shareLink(view, button) {
    const state = new URLSearchParams(view.spec.controls.map((c) => [c.name, String(view.get(c.name))]));
    const hash = `#${view.spec.name}?${state}`;
    const page = globalThis.explorables.inPage;
    if (page) history.replaceState(null, "", hash);
    try {
      await navigator.clipboard.writeText(page ? location.href : hash);
      button.textContent = "Link copied";
    } catch {
      button.textContent = page ? "Link is in the address bar" : hash;
    }
    setTimeout(() => { button.textContent = "Copy link to this state"; }, 2500);
  }

  // ---- state holders: a plain object in the page, the widget's model in a notebook ----
  function localStore(start) {
    const state = { ...start };
    const heard = new Set();
    return {
      get: (name) => state[name],
      set(name, value) { state[name] = value; heard.forEach((f) => f()); },
      listen(f) { heard.add(f); return () => heard.delete(f); },
    };
  }
  function modelStore(model, names) {
    return {
      get: (name) => model.get(name),
      set(name, value) { model.set(name, value); model.save_changes(); },
      listen(f) {
        names.forEach((n) => model.on(`change:${n}`, f));
        return () => names.forEach((n) => model.off(`change:${n}`, f));
      },
    };
  }

  function render({ model, el }) {
    const spec = model.get("spec");
    const figure = html("figure", { class: "explorable", "data-explorable": spec.kind });
    el.append(figure);
    return mount(figure, spec, modelStore(model, spec.controls.map((c) => c.name)));
  }

  // Links in the prose are listened to once, however often this text is loaded.
  if (!globalThis.explorables) {
    document.addEventListener("click", (event) => {
      const hash = event.target.closest?.("a[href^='#']")?.getAttribute("href");
      if (hash && globalThis.explorables.follow(hash)) {
        event.preventDefault();
        event.stopPropagation();
        if (globalThis.explorables.inPage) history.replaceState(null, "", hash);
      }
    }, true);
  }

  globalThis.explorables = {
    inPage: false, kinds, mounted, define: (name, kind) => { kinds[name] = kind; },
    mount, render, localStore, follow, judged,
    kit: {
      html, svg, text, measure, fold, scales, axes, plot, curve, dots, dashes, key, flow, endLabels, extent, ticks,
      number, typeset, clamp, round, nearest, superscript, up, put, attribute,
    },
  };
})();
