// melody: a piano roll with a cursor, played by Web Audio after a press.
// data: {axes, steps, bar, eighth, odd, tunes: {"value|value": {notes: [[first, pitch, steps]], say, odd}}}
(() => {
  "use strict";
  const [LEFT, TOP, LANE, LANES] = [30, 6, 8, 25]; // names of notes at the left; height and number of lanes
  const LETTERS = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
  const named = (pitch) => `${LETTERS[pitch % 12]}${4 + Math.floor(pitch / 12)}`;
  const hertz = (pitch) => 440 * 2 ** ((pitch - 9) / 12);
  const at = (view) => view.data.axes.map((a) => String(view.get(a))).join("|");
  const tune = (view) => view.data.tunes[at(view)];
  const players = new WeakMap();

  // Schedule the notes from a step on, the first step at the second `begin`; returns when the last one ends.
  function schedule(audio, notes, { eighth, steps }, from, begin) {
    for (const [first, pitch, length] of notes) {
      if (first < from) continue;
      const [start, end] = [begin + (first - from) * eighth, begin + (first + length - from) * eighth];
      const [voice, gain] = [audio.createOscillator(), audio.createGain()];
      voice.type = "triangle";
      voice.frequency.value = hertz(pitch);
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(0.25, start + 0.01);
      gain.gain.setTargetAtTime(0, start + 0.01, 0.35);
      gain.gain.setTargetAtTime(0, end - 0.03, 0.008);
      voice.connect(gain);
      gain.connect(audio.destination);
      voice.start(start);
      voice.stop(end);
    }
    return begin + (steps - from) * eighth;
  }

  // What the button does: one audio context a press, closed when it stops.
  function player(view, button) {
    let [audio, frame, playing] = [null, 0, ""];
    const stop = () => {
      cancelAnimationFrame(frame);
      audio?.close();
      audio = null;
      button.textContent = "▶ Listen";
    };
    const play = () => {
      const { eighth, steps } = view.data;
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const from = view.get("t") < steps ? view.get("t") - 1 : 0;
      audio = new AudioContext();
      const begin = audio.currentTime + 0.05;
      const end = schedule(audio, tune(view).notes, view.data, from, begin);
      playing = at(view);
      button.textContent = "■ Stop";
      const follow = () => {
        if (!view.root.isConnected || audio.currentTime >= end) { stop(); return; }
        const step = from + 1 + Math.floor((audio.currentTime - begin) / eighth);
        if (!still && step > from) view.set("t", Math.min(steps, step)); // what is heard is seen
        frame = requestAnimationFrame(follow);
      };
      follow();
    };
    button.addEventListener("click", () => (audio ? stop() : play()));
    view.onreset(stop);
    return () => { if (audio && playing !== at(view)) stop(); };
  }

  explorables.define("melody", {
    schedule,
    start(view) {
      const { html } = explorables.kit;
      const button = html("button", { type: "button", "data-listen": true }, "▶ Listen");
      const words = html("p", { class: "ex-words" });
      view.root.querySelector("input[data-control=t]").before(html("span", { class: "ex-player" }, button));
      view.root.querySelector(".ex-desk").before(
        html("details", {}, html("summary", {}, "The notes in words, with their steps"), words),
      );
      players.set(view, { changed: player(view, button), words });
    },
    draw(view) {
      const { svg, text, round, clamp, put } = explorables.kit;
      const { steps, bar, odd } = view.data;
      const now = tune(view);
      const wide = (view.width - LEFT - 4) / steps;
      const x = (step) => round(LEFT + step * wide);
      const y = (pitch) => TOP + (LANES - 1 - pitch) * LANE;
      const low = TOP + LANES * LANE;
      view.layer("grid", view.width, (g) => {
        for (let k = 0; k < LANES; k++) {
          if (k % 12) continue;
          g.append(svg("rect", { x: LEFT, y: y(k), width: round(wide * steps), height: LANE, class: "ex-lane" }));
          g.append(text(LEFT - 4, y(k) + 8, named(k), { class: "ex-small", "text-anchor": "end" }));
        }
        const lines = svg("g", { class: "ex-axis" });
        for (let s = 0; s <= steps; s += bar) {
          lines.append(svg("line", { x1: x(s), x2: x(s), y1: TOP, y2: low }));
          if (s < steps) g.append(text(x(s) + 3, low + 14, `bar ${s / bar + 1}`, { class: "ex-small" }));
        }
        g.append(lines);
        if (odd) g.append(text(LEFT, low + 32, `outlined: ${odd}`, { class: "ex-small" }));
      });
      view.layer("notes", `${view.width}|${at(view)}`, (g) => now.notes.forEach(([first, pitch, length], i) => {
        const look = `ex-note ex-output${now.odd.includes(i) ? " ex-odd" : ""}`;
        const box = { x: x(first), y: y(pitch) + 0.5, width: round(length * wide - 1), height: LANE - 1, rx: 2 };
        g.append(svg("rect", { ...box, class: look }));
      }));
      const t = view.get("t");
      view.layer("now", `${view.width}|${t}`, (g) => g.append(
        svg("line", { x1: x(t - 0.5), x2: x(t - 0.5), y1: TOP - 4, y2: low + 2, class: "ex-now" }),
        svg("rect", { x: LEFT, y: 0, width: round(wide * steps), height: low, class: "ex-roll", "data-handle": "t" }),
      ));
      view.drag("t", (px) => view.set("t", clamp(Math.floor((px - LEFT) / wide) + 1, 1, steps)));
      const { changed, words } = players.get(view);
      changed();
      put(words, this.words(now.notes, bar));
      return { height: low + (odd ? 38 : 20), say: this.say(view, now, t) };
    },
    // Bar by bar, each note with its length in steps.
    words(notes, bar) {
      const bars = [];
      for (const [first, pitch, length] of notes) {
        (bars[Math.floor(first / bar)] ??= []).push(`${named(pitch)} ${length}`);
      }
      return bars.map((list, b) => `Bar ${b + 1}: ${list.join(", ")}.`).join(" ");
    },
    sayings: (view) => Object.values(view.data.tunes).map((tune) => `Step 32 of 32, bar 4: C♯4 goes on. ${tune.say}`),
    say(view, now, t) {
      const { steps, bar } = view.data;
      const note = now.notes.find(([first, , length]) => first < t && t <= first + length);
      const what = note ? `${named(note[1])} ${note[0] === t - 1 ? "begins" : "goes on"}` : "nothing sounds";
      return `Step ${t} of ${steps}, bar ${Math.ceil(t / bar)}: ${what}. ${now.say}`;
    },
  });
})();
