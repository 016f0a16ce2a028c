// writer: a character LSTM that writes in the page; what it computes is companion.speech.writer.
(() => {
  "use strict";
  const [WIDE, TALL, TOP, BAR] = [9.6, 24, 6, 20]; // of a character; above the text; height of a bar
  const [SHOWN, LONGEST] = [6, 40]; // of the likeliest characters; of a start
  const GRADES = 25; // of the grounds' strength, one path each: an element a character would cost far more

  // The net: rows of whole numbers, each with its scale.
  function matrix(text, scale) {
    const codes = Int8Array.from(atob(text), (c) => c.charCodeAt(0));
    const columns = codes.length / scale.length;
    return { columns, rows: scale.length, w: Float64Array.from(codes, (v, i) => v * scale[Math.floor(i / columns)]) };
  }
  const nets = new WeakMap();
  function net(data) {
    if (!nets.has(data)) {
      const [cell, head] = [matrix(data.cell, data.cellScale), matrix(data.head, data.headScale)];
      nets.set(data, { cell, head, n: head.columns - 1, k: head.rows });
    }
    return nets.get(data);
  }
  const sigmoid = (a) => 1 / (1 + Math.exp(-a));

  // One step of the LSTM; rows of the cell are f, g, q, z, its columns U, W, b.
  function step({ cell, n, k }, code, [h, s]) {
    const a = new Float64Array(4 * n);
    for (let i = 0; i < 4 * n; i++) {
      const row = i * cell.columns;
      let sum = cell.w[row + k + n] + cell.w[row + code];
      for (let j = 0; j < n; j++) sum += cell.w[row + k + j] * h[j];
      a[i] = sum;
    }
    const next = s.map((v, i) => sigmoid(a[i]) * v + sigmoid(a[n + i]) * Math.tanh(a[3 * n + i]));
    return [next.map((v, i) => sigmoid(a[2 * n + i]) * Math.tanh(v)), next];
  }

  // Probabilities of the next character: softmax(o / T), or the likeliest one for certain.
  function next({ head, n, k }, h, temperature) {
    const o = Float64Array.from({ length: k }, (_, i) => {
      let sum = head.w[i * head.columns + n];
      for (let j = 0; j < n; j++) sum += head.w[i * head.columns + j] * h[j];
      return sum;
    });
    const top = Math.max(...o);
    if (temperature === 0) return o.map((_, i) => Number(i === o.indexOf(top)));
    const e = o.map((v) => Math.exp((v - top) / temperature));
    const sum = e.reduce((a, b) => a + b);
    return e.map((v) => v / sum);
  }

  // xorshift in 32 bits: numbers in [0, 1).
  function draws(seed) {
    let r = Math.imul(seed + 1, 2654435761) >>> 0 || 1;
    return () => {
      r = (r ^ (r << 13)) >>> 0;
      r ^= r >>> 17;
      r = (r ^ (r << 5)) >>> 0;
      return r / 2 ** 32;
    };
  }

  // The start in the alphabet: lower case, accents dropped, every other character a space.
  function folded(words, alphabet) {
    const plain = words.replace(/[‘’]/g, "'").replace(/[“”]/g, '"').replace(/[–—‐]/g, "-").normalize("NFKD");
    const kept = [...plain.replace(/\p{M}/gu, "")].map((c) => {
      const low = c.toLowerCase();
      return alphabet.includes(low) ? low : " ";
    });
    return kept.join("").replace(/ +/g, " ") || " ";
  }

  function write(data, start, temperature, seed) {
    const made = net(data);
    const draw = draws(seed);
    let state = [new Float64Array(made.n), new Float64Array(made.n)];
    const begun = folded(start, data.alphabet);
    for (const c of begun) state = step(made, data.alphabet.indexOf(c), state);
    const [codes, yhat] = [[], []];
    for (let t = 0; t < data.length; t++) {
      const p = next(made, state[0], temperature);
      const u = draw();
      let code = 0;
      for (let sum = p[0]; sum <= u && code < p.length - 1;) sum += p[++code];
      codes.push(code);
      yhat.push(p);
      state = step(made, code, state);
    }
    return { start: begun, text: codes.map((c) => data.alphabet[c]).join(""), codes, yhat };
  }

  // The shortest stretch that the text ends in three times or more, if there is one.
  function loop(text) {
    for (let period = 2; 3 * period <= text.length; period++) {
      const last = text.slice(-period);
      if (last.includes(" ") && text.endsWith(last.repeat(3))) return last.trim();
    }
    return null;
  }

  function lines(text, width) {
    const rows = [];
    for (let start = 0; start < text.length;) {
      let end = Math.min(text.length, start + width);
      const space = text.lastIndexOf(" ", end - 1);
      if (end < text.length && space >= start) end = space + 1;
      rows.push([start, end]);
      start = end;
    }
    return rows;
  }

  // What the read-out says of character t, which had probability p, and of the text up to it.
  function sentence(t, c, p, mean, written) {
    const { number } = explorables.kit;
    const words = (written.length > 60 ? "…" : "") + written.slice(-60);
    return `Character ${t}, ${c === " " ? "a space" : `“${c}”`}, had probability ${number(p)}; `
      + `${number(mean)} bits of chance a character so far. It writes: “${words}”`;
  }

  const named = (c) => (c === " " ? "space" : c);
  const last = new WeakMap(); // what was written in the state that a view has
  function now(view) {
    const [start, temperature, seed] = ["start", "temperature", "seed"].map((name) => view.get(name));
    const key = [start, temperature, seed].join("|");
    if (last.get(view)?.key !== key) last.set(view, { key, ...write(view.data, start, temperature, seed) });
    return last.get(view);
  }

  explorables.define("writer", {
    write, draws, folded, loop,
    draw(view) {
      const { svg, text, round, number } = explorables.kit;
      const made = now(view);
      const [t, skip] = [view.get("t"), made.start.length];
      const p = (i) => made.yhat[i][made.codes[i]];
      const all = (made.start + made.text).slice(0, skip + t);
      const across = Math.floor((view.width - 4) / WIDE);
      const rows = lines(made.start + made.text, across);
      const at = [];
      rows.forEach(([start, end], row) => {
        for (let i = start; i < end; i++) at.push([2 + (i - start) * WIDE, TOP + row * TALL]);
      });
      const kept = Math.ceil((LONGEST + view.data.length) / (across - 8)); // lines: the bars stay where they are
      const high = TOP + Math.max(kept, rows.length) * TALL + 8;
      const key = [view.width, made.key].join("|");
      view.layer("text", `${key}|${t}`, (g) => {
        const grounds = Array(GRADES + 1).fill("");
        for (let i = skip; i < all.length; i++) {
          const [x, y] = at[i];
          grounds[Math.round(GRADES * p(i - skip))] += `M${round(x)} ${y}h${WIDE}v${TALL - 4}h${-WIDE}z`;
        }
        grounds.forEach((d, grade) => g.append(svg("path", {
          d, class: "ex-ground ex-output", "fill-opacity": round(0.55 * grade / GRADES),
        })));
        for (const [from, to] of rows) {
          const signs = (start, end, role) => (start < end ? [svg("text", {
            x: round(at[start][0]), y: at[start][1] + 15, textLength: round((end - start) * WIDE), class: role,
          }, all.slice(start, end))] : []);
          const [shared, end] = [Math.min(to, skip), Math.min(to, all.length)];
          g.append(...signs(from, shared, "ex-given"), ...signs(Math.max(from, skip), end, "ex-sign"));
        }
        const [x, y] = at[skip + t - 1];
        g.append(svg("rect", { x: round(x - 1), y: y - 2, width: WIDE + 2, height: TALL, rx: 3, class: "ex-now" }));
      });
      view.layer("bars", `${key}|${t}`, (g) => {
        const yhat = made.yhat[t - 1];
        const order = [...yhat.keys()].sort((a, b) => yhat[b] - yhat[a]).slice(0, SHOWN);
        if (!order.includes(made.codes[t - 1])) order[SHOWN - 1] = made.codes[t - 1];
        const from = view.width < 460 ? "" : " these probabilities (▸ the one drawn)";
        g.append(text(2, high + 12, `character ${t} was drawn from${from}`, { class: "ex-label" }));
        const room = Math.min(360, view.width - 150);
        order.forEach((code, i) => {
          const y = high + 20 + i * BAR;
          const mark = code === made.codes[t - 1] ? "▸ " : "";
          g.append(
            text(66, y + 14, mark + named(view.data.alphabet[code]), { class: "ex-small", "text-anchor": "end" }),
            svg("rect", {
              x: 72, y: y + 3, width: round(Math.max(0.5, room * yhat[code])), height: BAR - 6,
              class: "ex-bar ex-output", "data-p": code,
            }),
            text(78 + room * yhat[code], y + 14, number(yhat[code]), { class: "ex-small" }),
          );
        });
      });
      const height = high + 24 + SHOWN * BAR;
      return { height, say: this.say(view, made, t) };
    },
    judge(view) {
      const found = loop(now(view).text);
      if (found !== null) {
        return { done: true, say: `It goes round in “${found}”: the likeliest way on leads back to where it was, `
          + "and too little chance is left to leave it." };
      }
      const T = view.get("temperature");
      return { done: false, say: `At T = ${explorables.kit.number(T)} the draws still lead it away: each of them may `
        + "take another character than the likeliest. Leave less to chance." };
    },
    say(view, made, t) {
      const mean = made.yhat.slice(0, t).reduce((sum, p, i) => sum - Math.log2(p[made.codes[i]]), 0) / t;
      return sentence(t, made.text[t - 1], made.yhat[t - 1][made.codes[t - 1]], mean, made.text.slice(0, t));
    },
    sayings: (view) => [sentence(view.data.length, " ", 1.234e-10, 1.234, "m".repeat(80))], // the widest
  });
})();
