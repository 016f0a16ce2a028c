// expression: type a formula or arithmetic, see three trees over its tokens, and the values rise.
// Parsed and computed in the page, without eval; the tests hold compute() to companion.recursive.
(() => {
  "use strict";
  const TOKEN = /[A-Za-z_][A-Za-z_0-9]*|[0-9]+(?:\.[0-9]+)?(?![A-Za-z_0-9.])|[-+*/()]/y;
  const WORDS = ["True", "False", "and", "or", "not"];
  const RANK = [["or"], ["and"], ["+", "-"], ["*", "/"]]; // the first binds least
  const APPLY = {
    or: (a, b) => a || b, and: (a, b) => a && b,
    "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b,
  };
  const refuse = (at, problem) => { throw { at, problem }; };

  function read(text) {
    const out = [];
    for (let at = 0; at < text.length;) {
      if (text[at] === " ") { at++; continue; }
      TOKEN.lastIndex = at;
      const word = TOKEN.exec(text)?.[0];
      const isWord = () => /[A-Za-z_]/.test(word[0]);
      const isNumber = () => !/[0-9]/.test(word[0]) || /^(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(word);
      const known = word && (isWord() ? WORDS.includes(word) : isNumber());
      const wanted = "want True, False, and, or, not, or numbers with + - * /, and brackets";
      if (!known) refuse(at, `unknown symbol “${word ?? text[at]}”; ${wanted}`);
      out.push({ word, at });
      at += word.length;
    }
    if (!out.length) refuse(0, "the expression is empty");
    const logic = out.find((t) => WORDS.includes(t.word));
    const sums = out.find((t) => /[0-9+*/-]/.test(t.word[0]));
    if (logic && sums) refuse(Math.max(logic.at, sums.at), "logic and arithmetic in one expression; want one of them");
    return out;
  }

  // Precedence climbing. A node is {i, j, kids, value}: tokens i … j − 1.
  function parse(tokens, end) {
    let k = 0;
    const value = new Map(); // "i,j" → value
    const word = () => tokens[k]?.word;
    const leaf = (i) => ({ i, j: i + 1, kids: null });
    const join = (a, b, v) => {
      const node = { i: a.i, j: b.j, kids: [a, b], value: v };
      if (v !== undefined) value.set(`${node.i},${node.j}`, v);
      return node;
    };
    const misfit = (at, otherwise) =>
      refuse(tokens[k]?.at ?? at, k < tokens.length ? `“${word()}” does not fit here` : otherwise);
    const stuck = () => misfit(end, "the expression ends too early");
    function level(r) {
      if (r === 2 && word() === "not") return prefix(() => level(2), (v) => !v);
      if (r === RANK.length) return factor();
      let a = level(r + 1);
      while (RANK[r].includes(word())) {
        const sign = k++;
        const b = level(r + 1);
        const right = join(leaf(sign), b);
        if (tokens[sign].word === "/" && b.value === 0) refuse(tokens[sign].at, "division by zero");
        const v = APPLY[tokens[sign].word](a.value, b.value);
        if (!Number.isFinite(Number(v))) refuse(tokens[sign].at, "the result is too large");
        a = join(a, right, v);
      }
      return a;
    }
    function prefix(operand, f) {
      const sign = leaf(k++);
      const b = operand();
      return join(sign, b, f(b.value));
    }
    function factor() {
      if (word() === "-") return prefix(factor, (v) => -v);
      if (word() === "+") return prefix(factor, (v) => v);
      if (word() === "(") {
        const open = k++;
        const inner = level(0);
        if (word() !== ")") misfit(tokens[open].at, "this bracket is never closed");
        return join(leaf(open), join(inner, leaf(k++)), inner.value);
      }
      const isNumber = /^[0-9]/.test(word() ?? "");
      const atom = word() === "True" ? true : word() === "False" ? false : isNumber ? Number(word()) : stuck();
      const node = { ...leaf(k++), value: atom };
      value.set(`${node.i},${node.j}`, atom);
      return node;
    }
    const root = level(0);
    if (k < tokens.length) stuck();
    return { root, value };
  }

  // Merges (left, right) of a tree given by nodes, children before parents; as companion.recursive.tree_of.
  function merges(root, tau) {
    const post = [];
    const stack = [root];
    while (stack.length) {
      const node = stack.pop();
      if (node.kids) { post.push(node); stack.push(...node.kids); }
    }
    const number = new Map();
    const of = (n) => (n.kids ? number.get(n) : n.i);
    return post.reverse().map((node, k) => { const pair = node.kids.map(of); number.set(node, tau + k); return pair; });
  }
  const chain = (tau) => Array.from({ length: tau - 1 }, (_, k) => [k ? tau + k - 1 : 0, k + 1]);
  function balanced(tau) {
    const out = [];
    let alive = Array.from({ length: tau }, (_, i) => i);
    while (alive.length > 1) {
      const next = [];
      for (let i = 0; i + 1 < alive.length; i += 2) {
        out.push([alive[i], alive[i + 1]]);
        next.push(tau + out.length - 1);
      }
      if (alive.length % 2) next.push(alive.at(-1));
      alive = next;
    }
    return out;
  }
  const show = (v) => {
    if (typeof v === "boolean") return v ? "T" : "F";
    return String(Number.isInteger(v) && Math.abs(v) < 1e6 ? v + 0 : Number(v.toPrecision(4))).replaceAll("-", "−");
  };

  // What the tokens of every node come down to once each expression among them is replaced by its value.
  function pending(words, value, i, j) {
    const out = [];
    for (let k = i; k < j;) {
      let end = j;
      while (end > k && !value.has(`${k},${end}`)) end--;
      out.push(end > k ? show(value.get(`${k},${end}`)) : words[k]);
      k = Math.max(end, k + 1);
    }
    return out;
  }

  function compute(text) {
    try {
      const tokens = read(text);
      const { root, value } = parse(tokens, text.length);
      const tau = tokens.length;
      const words = tokens.map((t) => t.word);
      const trees = { parse: merges(root, tau), balanced: balanced(tau), chain: chain(tau) };
      const views = Object.fromEntries(Object.entries(trees).map(([name, pairs]) => {
        const spans = words.map((_, i) => [i, i + 1]);
        const height = words.map(() => 0);
        for (const [a, b] of pairs) {
          spans.push([spans[a][0], spans[b][1]]);
          height.push(1 + Math.max(height[a], height[b]));
        }
        return [name, {
          merges: pairs, spans, height,
          values: spans.map(([i, j]) => value.get(`${i},${j}`) ?? null),
          pending: spans.map(([i, j]) => pending(words, value, i, j)),
        }];
      }));
      return { ok: true, tokens: words, at: tokens.map((t) => t.at), value: root.value, views };
    } catch (error) {
      if (error.problem === undefined) throw error;
      return { ok: false, ...error };
    }
  }

  const FACES = { True: "T", False: "F", "*": "×", "-": "−", "/": "÷" };
  const face = (word) => FACES[word] ?? word;

  explorables.define("expression", {
    compute,
    draw(view) {
      const text = view.get("text");
      const now = compute(text);
      if (now.ok) view.good = { text, ...now };
      else view.good ??= { text: view.spec.start.text, ...compute(view.spec.start.text) };
      const { tokens, value, views } = view.good;
      const shape = view.get("tree");
      const tree = views[shape];
      view.limit("step", tree.merges.length);
      const step = Math.min(view.get("step"), tree.merges.length);
      const size = this.paint(view, tokens, tree, step, !now.ok, this.levels(view));
      if (!now.ok) {
        const problem = `At position ${now.at} of “${text}”: ${now.problem}.`;
        return { ...size, say: `${problem} Drawn, in grey: ${view.good.text}` };
      }
      if (!tree.merges.length) return { ...size, say: `One token, nothing to merge: its value is ${show(value)}.` };
      const depth = `Depth ${Math.max(...tree.height)} over ${tokens.length} tokens`;
      const others = `(balanced: ${Math.max(...views.balanced.height)}, chain: ${tokens.length - 1})`;
      return { ...size, say: `${this.say(tokens, tree, step)} ${depth} ${others}.` };
    },
    sayings: () => [
      "Step 10: “not True and False or” and “not ( True and False )” make “not True and False or not False”, which is "
      + "no value yet. Most that a node carries so far: 10 symbols. Depth 12 over 12 tokens (balanced: 4, chain: 12).",
    ],
    // The goal: four operators, and a chain that never carries more than two symbols.
    judge(view) {
      const now = compute(view.get("text"));
      if (!now.ok) return { done: false, say: "This text cannot be read." };
      const operators = now.tokens.filter((word) => word in APPLY || word === "not").length;
      const full = now.views.chain.pending.find((symbols) => symbols.length > 2);
      if (full) {
        return { done: false, say: `The chain must carry “${full.map(face).join(" ")}”: none of it may be computed `
          + "before what follows is known." };
      }
      const short = operators < 4;
      return { done: !short, say: short ? `It carries little, but there are only ${operators} operators.`
        : "Read from the left, each operator finds its left side done, and waits for one symbol only." };
    },
    say(tokens, tree, step) {
      if (!step) return "Nothing merged yet: step forward.";
      const node = tokens.length + step - 1;
      const [a, b] = tree.merges[step - 1].map((n) => tree.pending[n].map(face).join(" "));
      const most = Math.max(...tree.pending.slice(0, node + 1).map((p) => p.length));
      const now = tree.pending[node].map(face).join(" ");
      const what = tree.values[node] !== null ? `the value ${now}` : `“${now}”, which is no value yet`;
      const load = `Most that a node carries so far: ${most} symbol${most > 1 ? "s" : ""}.`;
      return `Step ${step}: “${a}” and “${b}” make ${what}. ${load}`;
    },
    // The figure is as tall as the tallest tree over this text, or over one of the two that it offers itself.
    levels(view) {
      const { example } = view.spec.controls.find((c) => c.type === "text");
      const offered = [view.spec.start.text, example].map(compute);
      return Math.max(...[view.good, ...offered].map(({ tokens }) => tokens.length - 1), 1); // a chain's height
    },
    paint(view, tokens, tree, step, grey, levels) {
      const { svg, text, round } = explorables.kit;
      const tau = tokens.length;
      const faces = tokens.map(face);
      const top = Math.max(...tree.height);
      const gap = Math.max(34, Math.min(64, (view.width - 20) / tau));
      const width = Math.max(view.width, gap * tau + 20);
      const tall = Math.max(300, 26 * levels); // so that boxes one above the other stay apart
      const rise = Math.min(52, tall / Math.max(1, top));
      const left = (width - gap * (tau - 1)) / 2;
      const x = [], y = [];
      tree.spans.forEach(([i], n) => {
        const pair = n < tau ? null : tree.merges[n - tau];
        x.push(pair ? (x[pair[0]] + x[pair[1]]) / 2 : left + i * gap);
        y.push(16 + tall - tree.height[n] * rise);
      });
      view.layer("tree", undefined, (g) => {
        if (grey) g.setAttribute("opacity", 0.35); else g.removeAttribute("opacity");
        const done = (n) => n < tau + step;
        tree.merges.forEach((pair, k) => {
          const n = tau + k;
          const hot = k === step - 1 ? " ex-hot" : "";
          for (const c of pair) {
            const path = svg("path", { d: `M${round(x[c])} ${round(y[c])}L${round(x[n])} ${round(y[n])}` });
            g.append(svg("g", { class: `ex-edge${done(n) ? "" : " ex-off"}${hot}` }, path));
          }
        });
        tree.spans.forEach((span, n) => {
          const leaf = n < tau;
          const on = done(n);
          const shown = leaf ? [faces[n]] : tree.pending[n].map(face);
          const said = !on ? "" : shown.join(" ").length > 12 ? `${shown.length} symbols` : shown.join(" ");
          const role = leaf ? "input" : tree.values[n] !== null ? "state" : "target";
          const w = Math.max(24, 7.2 * said.length + 10);
          const hot = n === tau + step - 1 && step ? " ex-hot" : "";
          const box = { x: round(x[n] - w / 2), y: round(y[n] - 11), width: w, height: 22, rx: leaf ? 2 : 11 };
          g.append(
            svg("rect", { ...box, class: `ex-node ex-${role}${on ? "" : " ex-off"}${hot}` }),
            text(x[n], y[n] + 4, said, { "text-anchor": "middle", class: "ex-name ex-small" }),
          );
        });
      });
      return { width, height: tall + 34 };
    },
  });
})();
