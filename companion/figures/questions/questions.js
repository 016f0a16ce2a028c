// Questions that the page judges by itself. Each follows its `judge` in companion.exercises.questions to the letter.
// An attempt unlocks the hints, one by one, and the answer; what was done is kept in the reader's browser.
(() => {
  "use strict";
  const { html, put } = explorables.kit;

  // ---- what is kept: {id: {tries, done}}, the questions of each page, the code of the course ------------
  const KEY = "companion-exercises";
  const EMPTY = { done: {}, pages: {}, course: "" };
  let unkept = EMPTY; // where a browser keeps nothing
  function kept() {
    try { return { ...EMPTY, ...JSON.parse(localStorage.getItem(KEY)) }; } catch { return unkept; }
  }
  function keep(change) {
    unkept = { ...kept(), ...change };
    try { localStorage.setItem(KEY, JSON.stringify(unkept)); } catch { /* it lasts as long as the page */ }
    document.dispatchEvent(new Event("companion-progress"));
  }
  const of = (id) => kept().done[id] ?? { tries: 0, done: false };

  // ---- judging -----------------------------------------------------------------------------------------
  const course = (code) => [...code].reduce((h, c) => (Math.imul(h, 31) + c.codePointAt(0)) >>> 0, 0);
  const variant = (spec) => spec.variants[(course(spec.course ?? kept().course) % 8) % spec.variants.length];
  const option = ([, says, done]) => ({ done, says });
  const judges = {
    MultipleChoice: (spec, chosen) => option(spec.options[chosen - 1]),
    Numerical(spec, v) {
      const [, value, says, betrays] = variant(spec);
      const close = (want) => Math.abs(v - want) <= spec.tolerance * Math.max(Math.abs(want), 1e-9);
      if (close(value)) return { done: true, says };
      const betrayed = betrays.find(([wrong]) => close(wrong));
      return { done: false, says: betrayed ? betrayed[1] : `That is too ${v > value ? "large" : "small"}.` };
    },
    FindBug(spec, [line, reason]) {
      if (line !== spec.line) return { done: false, says: spec.says[line - 1] };
      if (!reason) return { done: false, says: "That is the line. Now choose the reason." };
      return option(spec.reasons[reason - 1]);
    },
    Parsons(spec, order) {
      const n = spec.code.length;
      const beyond = order.find((line) => line > n);
      if (beyond) return { done: false, says: spec.extra[beyond - n - 1][1] };
      const missing = spec.code.findIndex((_, i) => !order.includes(i + 1));
      if (missing >= 0) {
        return { done: false, says: `A line is missing that the program needs: \`${spec.code[missing].trim()}\`.` };
      }
      const broken = spec.rules.find(([first, then]) => order.indexOf(first) > order.indexOf(then));
      return broken ? { done: false, says: broken[2] } : { done: true, says: spec.answer };
    },
    FigureGoal(spec, state) {
      const { done, say } = explorables.judged({ spec, get: (name) => state[name] }, spec.goal);
      return { done, says: say };
    },
  };

  // ---- what one answers with: {node, answer(), wanting, end}; answer() is null while nothing is chosen ---
  // Words with `code` in them.
  const rich = (words) => words.split("\x60").map((part, i) => (i % 2 ? html("code", {}, part) : part));
  const radios = (name, legend, rows, look, changed) => {
    const inputs = rows.map((_, i) => html("input", { type: "radio", name, value: i + 1, onchange: changed }));
    const node = html("fieldset", { class: look }, html("legend", {}, legend),
      inputs.map((input, i) => html("label", {}, input, html("span", {}, rich(rows[i])))));
    return { node, chosen: () => inputs.findIndex((input) => input.checked) + 1 };
  };
  const makers = {
    MultipleChoice(spec, name) {
      const one = radios(name, rich(spec.ask), spec.options.map(([words]) => words), "q-options");
      return { node: one.node, answer: () => one.chosen() || null, wanting: "Choose one of the answers first." };
    },
    Numerical(spec, name) {
      const input = html("input", { type: "text", id: name, inputmode: "decimal", autocomplete: "off" });
      const node = html("div", { class: "q-number" }, html("label", { for: name }, rich(variant(spec)[0])), input);
      const read = () => Number(input.value.trim().replace("−", "-").replace(/^(-?\d+),(\d+)$/, "$1.$2"));
      const answer = () => (input.value.trim() === "" || Number.isNaN(read()) ? null : read());
      return { node, answer, wanting: "Type a number first, such as 0.25 or 1e-3." };
    },
    FindBug(spec, name) {
      const hidden = () => { reasons.node.hidden = lines.chosen() !== spec.line; };
      const rows = spec.code.map((row) => `\`${row}\``);
      const lines = radios(name, rich(spec.ask), rows, "q-code", hidden);
      const why = spec.reasons.map(([words]) => words);
      const reasons = radios(`${name}-why`, "What is wrong with it?", why, "q-options");
      reasons.node.hidden = true;
      const answer = () => (lines.chosen() ? [lines.chosen(), reasons.chosen()] : null);
      return { node: html("div", {}, lines.node, reasons.node), answer, wanting: "Choose a line first." };
    },
    Parsons(spec) {
      const texts = [...spec.code, ...spec.extra.map(([line]) => line)];
      const list = html("ol", { class: "q-lines" });
      const spoken = html("span", { class: "q-unseen", role: "status" });
      const place = (row) => `line ${[...list.children].indexOf(row) + 1} of ${list.children.length}`;
      const move = (row, by, button) => {
        const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
        if (other) other[by < 0 ? "before" : "after"](row);
        button?.focus();
        put(spoken, `${row.dataset.text}: ${place(row)}`);
      };
      for (const n of spec.shuffled) {
        const button = (sign, words, by) => html("button", {
          type: "button", "aria-label": `${words}: ${texts[n - 1].trim()}`,
          onclick: (event) => move(row, by, event.target),
        }, sign);
        const use = spec.extra.length ? html("input", {
          type: "checkbox", checked: true, "aria-label": `use: ${texts[n - 1].trim()}`,
          onchange: () => row.classList.toggle("q-out", !use.checked),
        }) : null;
        const grab = (event) => drag(event, row);
        const grip = html("span", { class: "q-grip", "aria-hidden": "true", onpointerdown: grab });
        const row = html("li", { "data-line": n, "data-text": texts[n - 1].trim() }, grip,
          use, html("code", {}, texts[n - 1]), html("span", {}, button("↑", "up", -1), button("↓", "down", 1)));
        list.append(row);
      }
      // A line is dragged over its neighbours by its grip.
      function drag(event, row) {
        event.preventDefault();
        row.classList.add("q-held");
        const middle = (e) => { const r = e.getBoundingClientRect(); return r.top + r.height / 2; };
        const follow = ({ clientY }) => {
          const [above, below] = [row.previousElementSibling, row.nextElementSibling];
          if (above && clientY < middle(above)) above.before(row);
          else if (below && clientY > middle(below)) below.after(row);
        };
        const held = new AbortController();
        const release = () => { held.abort(); row.classList.remove("q-held"); };
        const on = (name, f) => document.addEventListener(name, f, { signal: held.signal });
        on("pointermove", follow);
        ["pointerup", "pointercancel"].forEach((end) => on(end, release));
      }
      const answer = () => [...list.children].filter((row) => !row.classList.contains("q-out"))
        .map((row) => Number(row.dataset.line));
      return { node: html("div", {}, html("p", {}, rich(spec.ask)), list, spoken), answer };
    },
    FigureGoal(spec, name, root) {
      const living = root.querySelector("figure.ex-live"); // in the page it is alive by now
      const figure = living ?? html("figure", {});
      const { mount, mounted, localStore } = explorables;
      const end = living ? null : mount(figure, spec.figure, localStore(spec.figure.start));
      const view = [...mounted].find((other) => other.root === figure);
      const task = html("p", {}, html("b", {}, "Goal: "), rich(spec.goal.task));
      return { node: html("div", {}, task, figure), answer: () => view.state(), end };
    },
  };

  // ---- one question --------------------------------------------------------------------------------------
  function mount(root, spec) {
    const name = `${root.id}-${Math.random().toString(36).slice(2, 7)}`;
    const { node, answer, wanting, end } = makers[spec.type](spec, name, root);
    const mark = html("span", { class: "q-mark" });
    const said = html("output", { class: "q-said" });
    const hints = html("ol", { class: "q-hints" });
    const solution = html("p", { class: "q-answer", hidden: true }, html("b", {}, "Answer. "), rich(spec.answer));
    const button = (words, click, hidden) => html("button", { type: "button", onclick: click, hidden }, words);
    const hint = button("", () => {
      hints.append(html("li", {}, rich(spec.hints[hints.children.length])));
      show();
    }, true);
    const reveal = button("Show the answer", () => { solution.hidden = !solution.hidden; show(); }, true);
    const check = html("button", { type: "submit" }, "Check");

    function attempt(event) {
      event.preventDefault();
      const given = answer();
      const { done, says } = given === null ? { says: wanting } : judges[spec.type](spec, given);
      const verdict = given === null ? [] : [html("b", {}, done ? "✓ Right. " : "✗ Not yet. ")];
      said.replaceChildren(...verdict, ...rich(says));
      if (given === null) { delete said.dataset.done; return; }
      said.dataset.done = done;
      const before = of(spec.id);
      keep({ done: { ...kept().done, [spec.id]: { tries: before.tries + 1, done: before.done || done } } });
      show();
    }
    function show() {
      const { tries, done } = of(spec.id);
      put(mark, done ? "✓ solved" : tries ? "tried" : "");
      const left = spec.hints.length - hints.children.length;
      hint.hidden = !tries || !left;
      put(hint, spec.hints.length > 1 ? `Hint ${hints.children.length + 1} of ${spec.hints.length}` : "Hint");
      reveal.hidden = !tries;
      put(reveal, solution.hidden ? "Show the answer" : "Hide the answer");
    }
    // where a heading with its anchor stands above, it is not said twice
    const headed = document.getElementById(spec.id.replaceAll(".", "-"));
    const effort = html("span", { class: "q-effort" }, `${"★".repeat(spec.stars)} · ${spec.minutes} min`);
    root.replaceChildren(
      html("div", { class: "q-head" }, ...(headed ? [] : [html("b", {}, spec.title), effort]), mark), node,
      html("div", { class: "q-buttons" }, check, hint, reveal), said, hints, solution,
    );
    root.classList.add("q-live");
    root.setAttribute("aria-label", spec.title);
    root.addEventListener("submit", attempt);
    // JupyterLab's command mode would swallow keys
    root.addEventListener("keydown", (event) => event.stopPropagation());
    document.addEventListener("companion-progress", show);
    show();
    return () => {
      root.removeEventListener("submit", attempt);
      document.removeEventListener("companion-progress", show);
      end?.();
    };
  }

  function render({ model, el }) {
    const root = html("form", { class: "question", id: `q-${Math.random().toString(36).slice(2, 9)}` });
    el.append(root);
    return mount(root, model.get("spec"));
  }

  // ---- in the page: the questions, how far one is in the contents, and what is kept -----------------------
  const here = () => location.pathname.split("/").at(-1);
  function hydrate() {
    const code = new URLSearchParams(location.search).get("course");
    if (code !== null && code !== kept().course) keep({ course: code });
    const roots = [...document.querySelectorAll("form[data-question]:not(.q-live)")];
    for (const root of roots) mount(root, JSON.parse(root.querySelector("script").textContent));
    const ids = roots.map((root) => root.dataset.question);
    if (ids.length && String(kept().pages[here()]) !== String(ids)) keep({ pages: { ...kept().pages, [here()]: ids } });
    document.querySelectorAll("[data-progress]").forEach(panel);
    document.addEventListener("companion-progress", count);
    count();
  }
  // Beside each page in the contents: how many of its questions are solved.
  function count() {
    const { pages, done } = kept();
    for (const link of document.querySelectorAll("nav.bd-links a[href]")) {
      const ids = pages[link.getAttribute("href").split("/").at(-1).replace(/^#.*$|^$/, here())];
      let badge = link.querySelector(".q-count");
      if (!ids) { badge?.remove(); continue; }
      if (!badge) link.append(badge = html("span", { class: "q-count" }));
      const solved = ids.filter((id) => done[id]?.done).length;
      put(badge, ` ${solved}/${ids.length}`);
      badge.title = `${solved} of ${ids.length} questions solved`;
    }
  }
  // A page's panel: how many are solved, the code of a course, save to a file, erase.
  function panel(root) {
    const line = html("p", { role: "status" });
    const code = html("input", { type: "text", id: "q-course", autocomplete: "off", spellcheck: "false",
      onchange: () => { keep({ course: code.value.trim() }); } });
    const save = html("button", { type: "button", onclick: () => {
      const file = URL.createObjectURL(new Blob([JSON.stringify(kept(), null, 1)], { type: "application/json" }));
      html("a", { href: file, download: "exercises.json" }).click();
      setTimeout(() => URL.revokeObjectURL(file));
    } }, "Save to a file");
    const erase = html("button", { type: "button", onclick: () => {
      if (erase.dataset.sure) keep({ done: {}, pages: {} });
      erase.dataset.sure = erase.dataset.sure ? "" : "asked";
      show();
    } });
    const show = () => {
      const all = Object.values(kept().done);
      put(line, `${all.filter((q) => q.done).length} questions solved, ${all.length} tried, `
        + "kept in this browser and nowhere else.");
      put(erase, erase.dataset.sure ? "Erase everything: sure?" : "Erase");
      if (document.activeElement !== code) code.value = kept().course;
    };
    const label = html("label", { for: "q-course" }, "Code of your course (it varies the numbers): ");
    root.replaceChildren(line, html("p", {}, label, code), html("p", { class: "q-buttons" }, save, erase));
    document.addEventListener("companion-progress", show);
    show();
  }

  globalThis.questions = { judges, mount, render, hydrate };
})();
