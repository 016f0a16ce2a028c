// gates: one LSTM or GRU unit, walked part by part, forward and back, beside its whole sequence. Computed in the page;
// the tests hold run(), back() and flows() to companion.cells, and what is drawn to flows().
(() => {
  "use strict";
  const { svg, text, clamp, round, number, up } = explorables.kit;
  const SMALL = [20, 11]; // half a box that has no layer in it
  const sigmoid = (a) => 1 / (1 + Math.exp(-a));
  const layer = (k, x, h) => k.b + k.U[0] * x[0] + k.U[1] * x[1] + k.W * h;

  // The weights that companion.gated.hand_cell sets, and what its unit sees.
  function weights({ cell, af, ag, aq, w, mode }) {
    const k = mode === "gates respond" ? 4 : 0;
    const gate = (b, size = 0) => ({ U: [0, size], W: 0, b });
    const z = { U: [2, 0], W: w, b: 0 };
    return cell === "GRU" ? { u: gate(af, -k), r: gate(ag), z } : { f: gate(af, -k), g: gate(ag, k), q: gate(aq), z };
  }
  const sees = (signal) => signal.map((v) => [v, Math.abs(v)]);

  // One step of a cell of one unit, as companion.cells prints it; p holds its layers, each {U: [·, ·], W, b}.
  const cells = {
    LSTM: {
      step(p, x, h, s) {
        const [f, g, q] = [p.f, p.g, p.q].map((k) => sigmoid(layer(k, x, h)));
        const z = Math.tanh(layer(p.z, x, h));
        const now = f * s + g * z;
        return { f, g, q, z, s: now, h: q * Math.tanh(now) };
      },
      back(p, n, before, dh, later) {
        const th = Math.tanh(n.s);
        const shown = dh * n.q * (1 - th * th);
        const ds = later + shown;
        const [aq, af, ag] = [dh * th * n.q * (1 - n.q), ds * before.s * n.f * (1 - n.f), ds * n.z * n.g * (1 - n.g)];
        const az = ds * n.g * (1 - n.z * n.z);
        const dh0 = p.f.W * af + p.g.W * ag + p.q.W * aq + p.z.W * az;
        return { dh, later, shown, opened: dh * n.q, ds, af, ag, aq, az, belt: n.f * ds, dh0 };
      },
      flow: (n, before) => ({ kept: n.f * before.s, written: n.g * n.z, tanh: Math.tanh(n.s) }),
      keep: "f", carried: "ds",
    },
    GRU: {
      step(p, x, h) {
        const [u, r] = [p.u, p.r].map((k) => sigmoid(layer(k, x, h)));
        const z = Math.tanh(layer(p.z, x, r * h));
        return { u, r, z, h: u * h + (1 - u) * z };
      },
      back(p, n, before, dh) {
        const au = dh * (before.h - n.z) * n.u * (1 - n.u);
        const az = dh * (1 - n.u) * (1 - n.z * n.z);
        const inside = p.z.W * az;
        const ar = inside * before.h * n.r * (1 - n.r);
        const [belt, through] = [n.u * dh, n.r * inside];
        return { dh, later: 0, au, ar, az, inside, through, belt, dh0: belt + through + p.u.W * au + p.r.W * ar };
      },
      flow: (n, before) => ({
        kept: n.u * before.h, opposite: 1 - n.u, reset: n.r * before.h, written: (1 - n.u) * n.z,
      }),
      keep: "u", carried: "dh",
    },
  };

  // All steps: rows[t] holds what step t computed, rows[0] the initial state.
  function run(cell, p, x, h = 0, s = 0) {
    const rows = [{ h, s }];
    for (const v of x) rows.push(cells[cell].step(p, v, rows.at(-1).h, rows.at(-1).s));
    return rows;
  }

  // The gradient of h of the last step: grads[t] on what step t computed. grads[t].alone is what the belt by itself
  // brings there: the last step's times the gates that keep, one after the other.
  function back(cell, p, rows) {
    const { back: step, keep, carried } = cells[cell];
    const grads = [];
    let [dh, later, alone] = [1, 0, null];
    for (let t = rows.length - 1; t > 0; t--) {
      const d = step(p, rows[t], rows[t - 1], dh, later);
      alone = alone === null ? d[carried] : alone * rows[t + 1][keep];
      grads[t] = { ...d, alone };
      [dh, later] = [d.dh0, d.belt];
    }
    return grads;
  }

  // Everything that flows in step t, forward and back, by name.
  function flows(cell, rows, grads, t, x) {
    const [n, before] = [rows[t], rows[t - 1]];
    return { forward: { ...n, ...cells[cell].flow(n, before), s0: before.s, h0: before.h, x }, back: grads[t] };
  }

  // ---- words ------------------------------------------------------------------------------------
  const names = (cell, t) => ({
    s0: `s${up(t - 1)}`, s: `s${up(t)}`, h0: `h${up(t - 1)}`, h: `h${up(t)}`, x: `x${up(t)}`, tanh: "",
    kept: "keeps", written: "writes", opposite: "1−u", reset: "r·h",
    belt: cell === "GRU" ? "u·∇h" : "f·∇s", ds: `∇s${up(t)}`, later: `from ${t + 1}:`, dh: `∇h${up(t)}`,
    dh0: `∇h${up(t - 1)}`,
    through: "via r", shown: "", inside: "", af: "", ag: "", aq: "", az: "", au: "", ar: "",
  });
  const brief = (v) => number(Number(v.toPrecision(2)));
  // A line has room for so much.
  const beside = (v) => (v && Math.abs(v) < 0.005 ? "≈ 0" : brief(Math.abs(v) < 0.1 ? Number(v.toFixed(2)) : v));
  const signed = (v) => (v < 0 ? `(${brief(v)})` : brief(v));

  // What happens in each part, in one sentence with its numbers.
  const tell = {
    LSTM: {
      forward: ({ forward: n }, t, b) => [
        `x${up(t)} = ${b(n.x)} comes in; the belt brings s${up(t - 1)} = ${b(n.s0)}, and h${up(t - 1)} = ${b(n.h0)}.`,
        `Forget gate: f = ${b(n.f)}, so f · s${up(t - 1)} = ${b(n.kept)} of the old state stays.`,
        `The candidate, z = tanh(2x + w·h) = ${b(n.z)}, is what might be written.`,
        `Input gate: g = ${b(n.g)}, so g · z = ${b(n.written)} is written.`,
        `New state: s${up(t)} = ${b(n.kept)} + ${signed(n.written)} = ${b(n.s)}.`,
        `Output gate: q = ${b(n.q)} shows h${up(t)} = q · tanh(s) = ${b(n.q)} · ${signed(n.tanh)} = ${b(n.h)}.`,
      ],
      back: ({ forward: n, back: d }, t, b) => [
        `Gradients arrive: ${b(d.dh)} on h${up(t)}, and along the belt ${b(d.later)} from step ${t + 1}.`,
        `Output gate: its pre-activation gets ${b(d.aq)}; through q · (1 − tanh²) the state gets ${b(d.shown)}.`,
        `On the state they add up: ∇s${up(t)} = ${b(d.later)} + ${signed(d.shown)} = ${b(d.ds)}.`,
        `Written part: the input gate's pre-activation gets ${b(d.ag)}, the candidate's ${b(d.az)}.`,
        `Forget gate: its pre-activation gets ∇s · s${up(t - 1)} · f(1 − f) = ${b(d.af)}.`,
        `The belt takes on f${up(t)} · ∇s = ${b(n.f)} · ${signed(d.ds)} = ${b(d.belt)}; through w, h${up(t - 1)} gets `
          + `${b(d.dh0)}.`,
      ],
    },
    GRU: {
      forward: ({ forward: n }, t, b) => [
        `x${up(t)} = ${b(n.x)} comes in; the belt brings h${up(t - 1)} = ${b(n.h0)}: state and output are one.`,
        `Update gate: u = ${b(n.u)}, so u · h${up(t - 1)} = ${b(n.kept)} of the old state stays.`,
        `Reset gate: r = ${b(n.r)} lets r · h${up(t - 1)} = ${b(n.reset)} into the candidate, through the weight w.`,
        `The candidate is z = tanh(2x + w·r·h) = ${b(n.z)}.`,
        `What is not kept is taken in: (1 − u) · z = ${b(n.opposite)} · ${signed(n.z)} = ${b(n.written)}.`,
        `New state: h${up(t)} = ${b(n.kept)} + ${signed(n.written)} = ${b(n.h)}.`,
      ],
      back: ({ forward: n, back: d }, t, b) => [
        `A gradient arrives: ${b(d.dh)} on h${up(t)}.`,
        `Update gate: its pre-activation gets ∇h · (h${up(t - 1)} − z) · u(1 − u) = ${b(d.au)}.`,
        `The candidate's pre-activation gets ∇h · (1 − u) · (1 − z²) = ${b(d.az)}; through w go ${b(d.inside)}.`,
        `Reset gate: its pre-activation gets ${b(d.ar)}, and r · ${signed(d.inside)} = ${b(d.through)} goes to the old `
          + "state.",
        `Along the belt: u${up(t)} · ∇h = ${b(n.u)} · ${signed(d.dh)} = ${b(d.belt)}.`,
        `On h${up(t - 1)} they add up: ${b(d.belt)} + ${signed(d.through)} = ${b(d.dh0)}.`,
      ],
    },
  };

  // ---- one cell ---------------------------------------------------------------------------------
  // What its parts are drawn from: {drawing, sizes, values, way, part, known, px}; px puts a place on the stage.
  const thickness = (v) => Math.max(1, Math.min(11, 9 * Math.abs(v)));
  const outline = (points) => "M" + points.map((q) => q.map(round)).join("L");
  const IDLE = ["", 9]; // nothing flows along the line in this direction, in no part of the walk

  // Where a line ends: at the rim of a circle or box, not at its middle.
  function trimmed(path, { drawing, sizes: { radius, half }, px }) {
    const ends = path.map(px);
    const cut = (i, j) => {
      const [p, [ax, ay], [bx, by]] = [path[i], ends[i], ends[j]];
      const same = ([x, y]) => x === p[0] && y === p[1];
      const box = drawing.boxes.find(([q]) => same(q));
      const rim = !box ? 0 : ax !== bx ? half[0] : box[2] ? half[1] : SMALL[1];
      const gap = drawing.circles.some(([q]) => same(q)) ? radius : rim;
      return [ax + Math.sign(bx - ax) * gap, ay + Math.sign(by - ay) * gap];
    };
    const last = ends.length - 1;
    const [first, end] = [cut(0, 1), cut(last, last - 1)];
    return [first, ...ends.slice(1, last), end];
  }

  function head([x0, y0], [x, y], width) {
    const [angle, size] = [Math.atan2(y - y0, x - x0) * 180 / Math.PI, 5 + width / 2];
    const turn = `translate(${round(x)} ${round(y)}) rotate(${round(angle)})`;
    return svg("path", { class: "ex-head", d: `M0 0L${-size} ${size / 1.6}V${-size / 1.6}Z`, transform: turn });
  }

  // A line, as broad as what flows along it: dim until the walk comes to its part.
  function stream(line, cell) {
    const { values, way, part } = cell;
    const [name, from] = line[way] ?? IDLE;
    const width = thickness(from <= part ? values[way][name] : 0);
    const ends = trimmed(line.path, cell);
    const [tail, tip] = way === "back" ? [ends[1], ends[0]] : ends.slice(-2);
    const look = from > part ? "ex-dim" : from === part ? "ex-hot" : "";
    return svg("g", { class: `ex-flow ex-${way === "back" ? "gradient" : line.role} ${look}`, "data-flow": name },
      svg("path", { d: outline(ends), "stroke-width": round(width) }), line[way] ? head(tail, tip, width) : null);
  }

  // A circle, filled from below as far as its gate is open, once the walk has come to the gate.
  function valve([at, sign, gate], { drawing, sizes: { radius: r }, values, way, part, px }) {
    const [x, y] = px(at);
    const reached = way === "back" || drawing.lines.some(({ forward }) => forward?.[0] === gate && forward[1] <= part);
    return svg("g", {},
      svg("circle", { cx: round(x), cy: round(y), r, class: "ex-valve" }),
      gate !== null && reached ? svg("path", { class: "ex-open", d: filled(x, y, r, values.forward[gate]),
        "data-open": gate }) : null,
      text(x, y + 5, sign, { "text-anchor": "middle", class: "ex-sign" }));
  }
  function filled(x, y, r, open) {
    const low = y + r - 2 * r * open;
    const c = Math.sqrt(Math.max(0, r * r - (low - y) ** 2));
    return `M${round(x - c)} ${round(low)}A${r} ${r} 0 ${open > 0.5 ? 1 : 0} 0 ${round(x + c)} ${round(low)}Z`;
  }

  // A layer of the unit, or a tanh alone.
  function box([at, word, inner, forward, back], { sizes, way, part, px }) {
    const [[x, y], [w, h]] = [px(at), inner ? sizes.half : SMALL];
    const hot = { forward, back }[way] === part ? " ex-hot" : "";
    return svg("g", {},
      svg("rect", { x: round(x - w), y: y - h, width: 2 * w, height: 2 * h, rx: 5, class: `ex-layer${hot}` }),
      text(x, y + (inner ? -2 : 4), word, { "text-anchor": "middle", class: "ex-small" }),
      text(x, y + 12, inner, { "text-anchor": "middle", class: "ex-small ex-name" }));
  }

  // The number of what flows, beside its line.
  function amount(line, { values, way, known, px }) {
    const [name, , x0, y0, anchor] = line[way];
    const [end, off] = { left: ["end", -9], right: ["start", 9] }[anchor] ?? [anchor, 0];
    const [[x, y], label] = [px([x0, y0]), known[name] ?? name];
    const place = { x: round(x + off), y: round(y), "text-anchor": end, class: "ex-small ex-halo" };
    return svg("text", { ...place, "data-number": name },
      label ? svg("tspan", { class: "ex-name" }, `${label} `) : null, beside(values[way][name]));
  }

  function drawCell(g, cell) {
    const { drawing, way, part } = cell;
    const told = drawing.lines.filter((line) => line[way]?.length > 2 && line[way][1] <= part);
    g.append(
      ...drawing.wires.map((path) => svg("path", { class: "ex-wire", d: outline(trimmed(path, cell)) })),
      ...drawing.lines.map((line) => stream(line, cell)),
      ...drawing.circles.map((circle) => valve(circle, cell)),
      ...drawing.boxes.map((layer) => box(layer, cell)),
      ...told.map((line) => amount(line, cell)),
    );
  }

  // ---- the sequence -----------------------------------------------------------------------------
  function tracks(cell, way) {
    const gates = cell === "GRU"
      ? [["u", "update u"], ["r", "reset r"]] : [["f", "forget f"], ["g", "input g"], ["q", "output q"]];
    const kept = cell === "GRU" ? ["h", "state h"] : ["s", "state s"];
    return { gates, below: way === "back" ? [cells[cell].carried, `gradient ∇${kept[0]}`] : kept };
  }

  // What its rows are drawn with: a line across, a name at the left, a bar or a dot for each step.
  function sheet(g, { left, cell }, steps) {
    const wide = round(cell * 0.74);
    const middle = (t) => left + (t - 0.5) * cell;
    const dot = (cx, cy, role, more) =>
      g.append(svg("circle", { cx: round(cx), cy: round(cy), r: 3, class: `ex-dot ex-${role}`, ...more }));
    return {
      left, middle, dot,
      rule: (y) => g.append(svg("path", { class: "ex-rule", d: `M${round(left)} ${round(y)}h${round(cell * steps)}` })),
      label: (y, words, more = "") =>
        g.append(text(left - 8, y, words, { "text-anchor": "end", class: `ex-small ${more}` })),
      bars: (name, role, base, tops) => tops.forEach((top, i) => g.append(svg("rect", {
        x: round(left + (i + 0.13) * cell), y: round(Math.min(base, top)), width: wide,
        height: round(Math.max(0.5, Math.abs(top - base))), class: `ex-bar ex-${role}`, "data-row": name,
      }))),
      dots: (name, role, heights) => heights.forEach((y, i) => dot(middle(i + 1), y, role, { "data-row": name })),
    };
  }

  function drawInput(on, { top, input }, signal) {
    const [zero, reach] = [top + input / 2, input / 2 - 2];
    on.rule(zero);
    on.label(zero + 4, "input x");
    on.bars("x", "input", zero, signal.map((v) => zero - v * reach));
  }
  function drawGate(on, { top, input, gate }, [name, words], k, rows) {
    const [shut, open] = [top + input + (k + 1) * gate - 3, top + input + k * gate + 4];
    on.rule(shut);
    on.rule(open);
    on.label(shut - gate / 2 + 7, words);
    on.bars(name, "parameter", shut, rows.map((row) => shut - row[name] * (shut - open)));
  }
  // The state, or its gradient, as bars; as dots what an LSTM shows of it, or what the belt alone brings back.
  function drawKept(on, { kept, state }, [name, words], rows, { cell, way }) {
    const dots = way === "back" ? ["alone", "state", `by ${cells[cell].keep} alone`]
      : cell === "GRU" ? null : ["h", "output", "output h"];
    const shown = [name, ...(dots ? [dots[0]] : [])];
    const largest = Math.max(0.2, ...rows.flatMap((row) => shown.map((key) => Math.abs(row[key]))));
    const [zero, tall] = [kept + state / 2, state / 2 - 4];
    const heights = (key) => rows.map((row) => zero - (row[key] / largest) * tall);
    on.rule(zero);
    on.label(zero + 4, words);
    on.label(zero - tall + 8, brief(largest), "ex-off");
    on.bars(name, way === "back" ? "gradient" : "state", zero, heights(name));
    if (!dots) return;
    const [key, role, said] = dots;
    on.dots(key, role, heights(key));
    on.label(zero + 20, said);
    on.dot(on.left - 4, zero + 16, role);
  }
  function drawSteps(g, on, { cell, kept, state }, steps) {
    const foot = kept + state + 12;
    on.label(foot, "step");
    for (let t = 1; t <= steps; t++) {
      if (cell < 18 && t > 1 && t % 3) continue;
      g.append(text(on.middle(t), foot, number(t), { "text-anchor": "middle", class: "ex-small" }));
    }
  }

  function drawSequence(g, place, { cell, way, rows, grads, signal }) {
    const on = sheet(g, place, signal.length);
    const { gates, below } = tracks(cell, way);
    drawInput(on, place, signal);
    gates.forEach((gate, k) => drawGate(on, place, gate, k, rows.slice(1)));
    drawKept(on, place, below, (way === "back" ? grads : rows).slice(1), { cell, way });
    drawSteps(g, on, place, signal.length);
  }

  // The step that is walked, and where one presses to choose another.
  function drawCursor(g, { left, top, cell, bottom }, t, steps) {
    const box = { y: top - 3, height: round(bottom - top + 1) };
    g.append(
      svg("rect", { x: round(left + (t - 1) * cell), width: round(cell), ...box, rx: 3, class: "ex-now" }),
      svg("rect", { x: left, width: round(cell * steps), ...box, class: "ex-grab", "data-handle": "step" }),
    );
  }

  // Side by side where there is room, else one under the other.
  function places(width, height, gates, steps) {
    const wide = width >= 600;
    const cell = { left: 2, top: 0, width: wide ? width * 0.56 - 4 : width - 4 };
    const left = (wide ? width * 0.6 : 0) + 78;
    const [input, gate] = wide ? [38, 30] : [26, 20];
    const top = wide ? 6 : height + 4;
    const kept = top + input + gates * gate + 6;
    const state = (wide ? height - 28 - input - 3 * gate : 62) + (3 - gates) * gate; // a GRU has one gate less
    const bottom = kept + state + 16;
    const sequence = { left, top, cell: (width - left - 2) / steps, input, gate, kept, state, bottom };
    return { cell, sequence, total: Math.max(wide ? height : 0, bottom) };
  }

  function relabel(view, gru) {
    const words = gru ? { af: "update", ag: "reset" } : { af: "forget", ag: "input" };
    for (const [name, word] of Object.entries(words)) view.label(name, `${word} gate's pre-activation`);
    view.disable("aq", gru);
  }

  explorables.define("gates", {
    run, back, flows, weights, sees,
    draw(view) {
      const state = view.state();
      const { cell, way, part, t, signal: chosen } = state;
      const signal = view.data.inputs[chosen];
      const p = weights(state);
      const rows = run(cell, p, sees(signal));
      const grads = back(cell, p, rows);
      const values = flows(cell, rows, grads, t, signal[t - 1]);
      const { sizes, cells: { [cell]: drawing } } = view.data;
      const at = places(view.width, sizes.height, tracks(cell, way).gates.length, signal.length);
      const px = ([x, y]) => [at.cell.left + x * at.cell.width, at.cell.top + y];
      relabel(view, cell === "GRU");
      view.layer("cell", `${view.width}|${JSON.stringify(state)}`, (g) =>
        drawCell(g, { drawing, sizes, values, way, part, known: names(cell, t), px }));
      const whole = JSON.stringify({ ...state, t: 0, part: 0, width: view.width });
      view.layer("sequence", whole, (g) => drawSequence(g, at.sequence, { cell, way, rows, grads, signal }));
      view.layer("now", `${whole}|${t}`, (g) => drawCursor(g, at.sequence, t, signal.length));
      const { left, cell: wide } = at.sequence;
      view.drag("step", (x) => view.set("t", clamp(Math.floor((x - left) / wide) + 1, 1, signal.length)));
      return { height: at.total, say: this.say(state, values, rows, grads) };
    },
    // Every sentence of this sequence in its longest cell, for the room of the read-out.
    sayings(view) {
      const state = { ...view.state(), cell: "LSTM", way: "back", part: 6 };
      const signal = view.data.inputs[state.signal];
      const rows = run("LSTM", weights({ ...state, w: 0.25 }), sees(signal));
      const grads = back("LSTM", weights({ ...state, w: 0.25 }), rows);
      return signal.map((v, i) => this.say({ ...state, t: i + 1 }, flows("LSTM", rows, grads, i + 1, v), rows, grads));
    },
    say({ cell, way, part, t }, values, rows, grads) {
      const said = tell[cell][way](values, t, brief)[part - 1];
      const { keep, carried } = cells[cell];
      const last = rows.length - 1;
      const reach = t === last ? `The loss is h of step ${last}.`
        : `From step ${last} the belt alone: ${keep}${up(last)} ⋯ ${keep}${up(t + 1)} = `
          + `${brief(grads[t].alone / grads[last][carried])}.`;
      return way === "back" ? `${said} ${reach}` : said;
    },
    // The goal: after the second pulse the state has its sign, and until then that of the first.
    judge(view) {
      const state = view.state();
      const { cell, signal } = state;
      if (signal !== "two pulses") return { done: false, say: "Choose the input “two pulses”." };
      const rows = run(cell, weights(state), sees(view.data.inputs[signal]));
      const key = cell === "GRU" ? "h" : "s";
      const { keep } = cells[cell];
      const [first, kept, second, end] = [3, 8, 9, rows.length - 1].map((k) => rows[k][key]);
      const name = cell === "GRU" ? "update gate u" : "forget gate f";
      if (first < 0.5) {
        return { done: false, say: `Too little is written: after the first pulse ${key} is ${brief(first)}.` };
      }
      if (kept < 0.5) {
        return { done: false, say: `The note fades before the second pulse: ${key} falls from ${brief(first)} to `
          + `${brief(kept)}, since the ${name} rests at ${brief(rows[5][keep])}.` };
      }
      if (end > -0.5) {
        const why = rows[9][keep] > 0.5
          ? `the ${name} is still ${brief(rows[9][keep])} at the second pulse, so the old note stays in the sum`
          : `${key} is ${brief(second)} after the second pulse and ${brief(end)} at the end`;
        return { done: false, say: `The first pulse is not replaced: ${why}.` };
      }
      const [rest, falls] = [rows[5][keep], rows[9][keep]].map(brief);
      const say = state.mode === "gates respond"
        ? `At step 9 the ${name} falls to ${falls} and the old note goes; between the pulses it rests at ${rest}.`
        : `With the ${name} at ${rest} all the time, h feeds itself through w, as a plain unit does: w = ${state.w}.`;
      return { done: true, say };
    },
  });
})();
