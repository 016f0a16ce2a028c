"""What is wrong with a figure's layout: a text that covers another or is cut, a control that moves under the finger,
a drawing that is not on one screen with what moves it. And code that is wider than its page.

A figure is looked at as it begins and with each control at both ends.
"""

from .figures import Figure

HEADER = 64  # pixels of the screen that the page's own header takes
WANTED = 290  # of the drawing, seen together with the read-out and all controls

# What is said of a figure, in every state: [state, complaint].
LOOK = """async (root, [header, wanted]) => {
    const view = [...explorables.mounted].find(v => v.root === root);
    const stage = root.querySelector(".ex-stage"), panel = root.querySelector(".ex-controls");
    const [canvas, beside] = stage.querySelectorAll("svg");
    const frame = () => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
    const complaints = [], box = e => e.getBoundingClientRect();
    const meet = (a, b, by) => a.left + by < b.right - by && b.left + by < a.right - by
        && a.top + by < b.bottom - by && b.top + by < a.bottom - by;
    const within = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1
        && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
    const visible = e => e.textContent.trim() && e.getClientRects().length;

    function texts() {
        const edge = beside ? box(beside).right : -Infinity;
        return [...stage.querySelectorAll("text")].filter(visible)
            .map(node => ({ node, words: node.textContent, box: box(node), pinned: beside?.contains(node) }))
            .filter(t => t.pinned || t.box.left >= edge); // the rest has scrolled away beneath the names
    }
    function look(state) {
        const say = what => complaints.push([state, what]);
        const all = texts(), whole = box(canvas), seen = box(stage);
        all.forEach((a, i) => {
            if (!within(a.box, a.pinned ? seen : whole)) say(`“${a.words}” is cut`);
            for (const b of all.slice(i + 1)) if (meet(a.box, b.box, 1.5)) say(`“${a.words}” covers “${b.words}”`);
        });
        const plain = all.filter(t => !t.node.classList.contains("ex-halo"));
        for (const curve of canvas.querySelectorAll(".ex-curve:not(.ex-key)")) {
            const far = curve.getTotalLength(), m = curve.getScreenCTM();
            for (let at = 0; at <= far; at += 5) {
                const p = curve.getPointAtLength(at).matrixTransform(m);
                const hit = plain.find(t => meet(t.box, { left: p.x, right: p.x, top: p.y, bottom: p.y }, 2));
                if (hit) { say(`a curve runs through “${hit.words}”`); break; }
            }
        }
        for (const node of canvas.querySelectorAll(".ex-node")) {
            const hit = all.find(t => t.node.parentNode !== node.parentNode && meet(t.box, box(node), 3));
            if (hit && !node.closest("g").contains(hit.node) && node.nextElementSibling !== hit.node)
                say(`“${hit.words}” covers a node`);
        }
        if (panel.scrollWidth > panel.clientWidth + 1) say("a control is cut");
        const top = box(root).top;
        const rows = [...panel.children].map(row => (row.hidden ? NaN : box(row).top - top)); // NaN: stands aside
        const now = [...rows, box(root).height];
        if (begin?.some((y, i) => Math.abs(y - now[i]) > 1)) say(`${begin.map(Math.round)} to ${now.map(Math.round)}`);
        return now;
    }
    const ends = c => c.type === "toggle" ? [false, true] : c.type === "text" ? [c.example]
        : c.type === "choice" ? c.options : c.values ? [c.values[0], c.values.at(-1)] : [c.min, c.max];
    let begin = null;
    root.querySelector("[data-reset]").click();
    await frame();
    begin = look("at first");
    for (const c of view.spec.controls) {
        const was = view.get(c.name);
        for (const end of ends(c)) {
            view.set(c.name, end);
            await frame();
            look(`${c.name} = ${end}`);
        }
        root.querySelector("[data-reset]").click();
        await frame();
    }
    // The drawing at the top of the screen: how much of it is seen above what is said and moved, and what is below.
    scrollTo(0, scrollY + box(stage).top - header);
    await frame();
    const desk = box(root.querySelector(".ex-desk"));
    const last = [...panel.children].filter(row => !row.matches(".ex-buttons, .ex-goal")).at(-1);
    const seen = Math.min(box(stage).bottom, desk.top) - header;
    return { complaints, below: box(last).bottom - innerHeight, hidden: Math.min(box(stage).height, wanted) - seen };
}"""

SIDEWAYS = """() => [...document.querySelectorAll('article pre')]
    .filter(p => p.checkVisibility({contentVisibilityAuto: true}) && p.scrollWidth > p.clientWidth + 1)
    .map(p => p.textContent.split("\\n").reduce((a, b) => a.length > b.length ? a : b))"""


def lines_too_wide(page) -> list[str]:
    """The longest line of each block of code that one must scroll sideways to read."""
    return page.evaluate(SIDEWAYS)


def complaints(figure: Figure) -> list[str]:
    """What is wrong with a figure in its page, at the size that the page has; the figure is reset."""
    seen = figure.root.evaluate(LOOK, [HEADER, WANTED])
    found = [f"{figure.name}, {state}: {what}" for state, what in seen["complaints"][:8]]
    if seen["below"] > 1 or seen["hidden"] > 1:
        below, hidden = seen["below"], seen["hidden"]
        found.append(f"{figure.name} does not fit one screen: {below:.0f} below it, {hidden:.0f} hidden")
    return found
