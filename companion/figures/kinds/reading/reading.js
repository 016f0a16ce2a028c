// reading: a text whose characters are coloured by what one unit of a net holds there, with a bar under each.
(() => {
  "use strict";
  const [WIDE, GLYPH, BAR, GAP, TOP] = [10.8, 22, 20, 8, 6]; // of a character; heights of its ground, its bar, a gap

  // Lines of at most `width` characters, broken after spaces: [start, end] of each.
  function lines(text, width) {
    const rows = [];
    for (let start = 0; start < text.length;) {
      let end = Math.min(text.length, start + width);
      if (end < text.length) {
        const space = text.lastIndexOf(" ", end - 1);
        if (space >= start) end = space + 1;
      }
      rows.push([start, end]);
      start = end;
    }
    return rows;
  }

  // Where each character stands.
  function places(text, width) {
    const out = [];
    lines(text, Math.floor((width - 4) / WIDE)).forEach(([start, end], row) => {
      for (let i = start; i < end; i++) out.push([2 + (i - start) * WIDE, TOP + row * (GLYPH + BAR + GAP)]);
    });
    return out;
  }

  const named = (c) => (c === " " ? "a space" : `“${c}”`);
  const chosen = (view) => {
    const [text, unit, quantity] = ["text", "unit", "quantity"].map((name) => view.get(name));
    const at = (name, v) => view.spec.controls.find((c) => c.name === name).options.indexOf(v);
    const [u, q] = [at("unit", unit), at("quantity", quantity)];
    const { values, top, signed } = view.data;
    return { text, unit, quantity, u, row: values[text][u][q], top: top[u][q], signed: signed[q] };
  };

  function legend(g, y, width, { signed, top, quantity }) {
    const { svg, text, number } = explorables.kit;
    const steps = 21;
    for (let k = 0; k < steps; k++) {
      const v = signed ? 2 * k / (steps - 1) - 1 : k / (steps - 1);
      g.append(svg("rect", { x: 2 + k * 6, y, width: 6, height: 12, ...colour(v, signed) }));
    }
    const low = signed ? number(-top / 100) : "0, shut";
    const high = signed ? number(top / 100) : "1, open";
    g.append(
      text(2, y + 26, low, { class: "ex-small" }),
      text(2 + 6 * steps, y + 26, high, { class: "ex-small", "text-anchor": "end" }),
      text(2 + 6 * steps + 12, y + 10, width < 500 ? quantity : `${quantity}; its bar stands under each character`,
        { class: "ex-small" }),
    );
  }
  const colour = (v, signed) => ({
    class: signed ? `ex-ground ${v < 0 ? "ex-target" : "ex-state"}` : "ex-ground ex-parameter",
    "fill-opacity": Math.round(75 * Math.min(1, Math.abs(v))) / 100,
  });

  explorables.define("reading", {
    lines,
    draw(view) {
      const { svg, text, round, clamp } = explorables.kit;
      const now = chosen(view);
      const words = view.data.texts[now.text];
      view.limit("t", words.length);
      const t = clamp(view.get("t"), 1, words.length);
      const at = places(words, view.width);
      const lowest = (all) => places(all, view.width).at(-1)[1];
      const height = Math.max(...Object.values(view.data.texts).map(lowest)) + GLYPH + BAR + GAP;
      const key = [view.width, now.text].join("|");
      view.layer("colours", [key, now.unit, now.quantity].join("|"), (g) => {
        now.row.forEach((value, i) => {
          const [x, y] = at[i];
          const v = value / now.top;
          const look = colour(v, now.signed);
          const base = y + GLYPH + (now.signed ? BAR / 2 : BAR);
          const tall = Math.max(0.5, Math.abs(v) * (now.signed ? BAR / 2 : BAR));
          g.append(
            svg("rect", { x: round(x), y, width: WIDE, height: GLYPH, ...look, "data-ground": i + 1 }),
            svg("rect", {
              x: round(x + 1), y: round(v < 0 ? base : base - tall), width: WIDE - 2, height: round(tall),
              class: look.class.replace("ex-ground", "ex-bar"), "data-bar": i + 1,
            }),
          );
        });
        legend(g, height + 2, view.width, now);
      });
      view.layer("letters", key, (g) => {
        [...words].forEach((c, i) => {
          const [x, y] = at[i];
          g.append(text(x + WIDE / 2, y + 16, c, { class: "ex-letter", "text-anchor": "middle" }));
        });
      });
      view.layer("cursor", `${key}|${t}`, (g) => {
        const [x, y] = at[t - 1];
        const box = { x: round(x - 1), y: y - 2, width: WIDE + 2, height: GLYPH + BAR + 4, rx: 3 };
        g.append(svg("rect", { ...box, class: "ex-here" }));
      });
      view.layer("hand", `${view.width}|${height}`, (g) => {
        g.append(svg("rect", { x: 0, y: 0, width: view.width, height, class: "ex-touch", "data-handle": "text" }));
      });
      const go = (px, py) => {
        const row = Math.floor((py - TOP) / (GLYPH + BAR + GAP));
        const near = at.map(([x, y], i) => [i, x, y]).filter(([, , y]) => y === TOP + row * (GLYPH + BAR + GAP));
        if (near.length) view.set("t", near[clamp(Math.floor((px - 2) / WIDE), 0, near.length - 1)][0] + 1);
      };
      view.drag("text", go);
      this.hover.set(view, go);
      return { height: height + 34, say: this.say(view, now, words, t) };
    },
    hover: new WeakMap(),
    // The mouse need not be pressed: what it points at is read out.
    start(view, canvas) {
      canvas.addEventListener("pointermove", (event) => {
        if (event.pointerType !== "mouse" || event.buttons || !(event.movementX || event.movementY)) return;
        const box = canvas.getBoundingClientRect();
        const scale = canvas.viewBox.baseVal.width / box.width;
        this.hover.get(view)?.((event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
      });
    },
    judge(view) {
      const { find } = view.data;
      for (const name of ["text", "unit", "quantity"]) {
        if (view.get(name) !== find[name]) return { done: false, say: `Choose the ${name} “${find[name]}”.` };
      }
      const t = view.get("t");
      const done = find.at.includes(t);
      const here = explorables.kit.number(chosen(view).row[t - 1] / 100);
      return { done, say: `At character ${t} it is ${here}. ${done ? find.yes : find.no}` };
    },
    sayings(view) {
      const longest = (all) => all.reduce((a, b) => (b.length > a.length ? b : a));
      const { notes, after, texts, names } = view.data;
      const quantity = longest(view.spec.controls.find((c) => c.name === "quantity").options);
      const of = (name) => `Character 100, a space. ${quantity} of ${longest(names)}: −0.99. ${longest(notes[name])} `
        + longest(after[name]);
      return Object.keys(texts).map(of);
    },
    say(view, now, words, t) {
      const { number } = explorables.kit;
      const what = now.quantity[0].toUpperCase() + now.quantity.slice(1);
      const value = number(now.row[t - 1] / 100);
      return `Character ${t}, ${named(words[t - 1])}. ${what} of ${view.data.names[now.u]}: ${value}. `
        + `${view.data.notes[now.text][now.u]} ${view.data.after[now.text][t - 1]}`;
    },
  });
})();
