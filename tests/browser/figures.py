"""How a person moves a figure: by keyboard, by mouse, by its handles. Used in the page and in JupyterLab alike."""

import re
from pathlib import Path

import numpy as np
from nbformat import NotebookNode
from playwright.sync_api import Locator

from companion.figures import Explorable

MOUNT = """() => { const f = document.querySelector("figure.explorable");
    const spec = JSON.parse(f.querySelector("script").textContent);
    explorables.mount(f, spec, explorables.localStore({ ...spec.start })); }"""
LOOK = """async root => {
    await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
    return root.querySelector("svg").innerHTML + root.querySelector(".ex-readout").textContent;
}"""
PUT = """(root, [name, value]) => {
    const view = [...explorables.mounted].find(v => v.root === root);
    const control = view.spec.controls.find(c => c.name === name);
    const inputs = [...root.querySelectorAll(`[data-control="${name}"]`)];
    const [first] = inputs;
    const listed = control.options ?? control.values;
    const place = listed?.indexOf(value);
    if (place < 0) throw Error(`${name}: no ${value} among ${listed}`);
    if (first.type === "radio") return inputs[place].click();
    if (first.type === "checkbox") return first.checked === value || first.click();
    if (first.tagName === "SELECT") first.selectedIndex = place;
    else first.value = first.type === "range" && listed ? place : value;
    first.dispatchEvent(new Event(first.type === "range" ? "input" : "change", { bubbles: true }));
}"""
BRING = """async e => { while (!e.checkVisibility({ contentVisibilityAuto: true })) {
    e.scrollIntoView({ block: "center" }); await new Promise(requestAnimationFrame); } }"""
STATE = "name => [...explorables.mounted].find(v => v.spec.name === name && v.root.isConnected).state()"
FIGURE = re.compile(r'<figure class="explorable" data-explorable="([^"]+)" id="([^"]+)"')


def figures_in(page: Path) -> list[str]:
    """The names of the explorables that a built page holds, found by looking at it."""
    return [name for _, name in FIGURE.findall(page.read_text("utf-8"))]


def bring(place: Locator) -> Locator:
    """Scroll to a place, as a reader does: what is far from it need not be laid out."""
    place.evaluate(BRING)
    place.scroll_into_view_if_needed()
    return place


def names_of_figures(nb: NotebookNode) -> list[str]:
    """The names of the explorables that a stored notebook shows."""
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    found = [FIGURE.match(str(output.get("data", {}).get("text/html", ""))) for output in outputs]
    return [figure[2] for figure in found if figure]


def assert_close(ours, theirs) -> None:
    """What the page computed is what the reference computed, to six digits."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def show(page, figure: Explorable, width: int = 900) -> "Figure":
    """Put a figure into an empty page in which its kind is defined, in a column of some pixels."""
    page.set_content(f"<body style='width:{width}px'>{figure.html()}</body>")
    page.evaluate(MOUNT)
    return Figure(page, figure.spec["name"])


class Figure:
    """One live figure in a Playwright page."""

    def __init__(self, page, name: str, scroll: bool = True):
        self.page, self.name = page, name
        self.root = page.locator(f"figure.ex-live#{name}")
        self.root.wait_for()
        if scroll:
            bring(self.root)

    def look(self) -> str:
        """What a person sees of it, once what was asked for is drawn: the drawing and the read-out."""
        return self.root.evaluate(LOOK)

    def controls(self) -> list[str]:
        names = self.root.locator("[data-control]").evaluate_all("all => all.map(e => e.dataset.control)")
        return list(dict.fromkeys(names))

    def in_use(self) -> list[str]:
        """The controls that do not stand aside in the present state."""
        return [c for c in self.controls() if self.root.locator(f'[data-control="{c}"]').first.is_visible()]

    def handles(self) -> list[str]:
        return self.root.locator("[data-handle]").evaluate_all("all => all.map(e => e.dataset.handle)")

    def _inputs(self, control: str):
        inputs = self.root.locator(f'[data-control="{control}"]')
        kind = inputs.first.evaluate("e => e.tagName === 'SELECT' ? 'select' : e.type")
        return inputs, kind

    def put(self, **state: float | str | bool) -> str:
        """Move controls to values, as a hand does, and wait for the drawing; return the read-out."""
        for control, value in state.items():
            self.root.evaluate(PUT, [control, value])
        self.look()
        return self.root.locator(".ex-readout").inner_text()

    def press(self, x: float, y: float) -> None:
        """Press and release the pointer at a point of the drawing, in its own pixels."""
        box = self.root.locator("svg").first.bounding_box()
        self.page.mouse.move(box["x"] + x, box["y"] + y)
        self.page.mouse.down()
        self.page.mouse.up()
        self.look()

    def pull(self, handle: str, x: float, y: float) -> None:
        """Drag a handle to a point of the drawing, in its own pixels."""
        box = self.root.locator("svg").first.bounding_box()
        spot = self.root.locator(f'[data-handle="{handle}"]').bounding_box()
        self.page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + x, box["y"] + y, steps=3)
        self.page.mouse.up()
        self.look()

    def check(self, goal: int = 0) -> tuple[bool, str]:
        """Press the button of a goal: whether it is reached, and what is said."""
        self.root.locator("[data-goal]").nth(goal).click()
        said = self.root.locator(".ex-verdict").nth(goal)
        words, done = said.inner_text(), said.get_attribute("data-done") == "true"
        assert words.startswith("✓ Done. " if done else "Not yet. ")
        return done, words

    def state(self) -> dict:
        """The values of all controls."""
        return self.page.evaluate(STATE, self.name)

    def by_keyboard(self, control: str) -> None:
        """Move a control one notch with a key."""
        inputs, kind = self._inputs(control)
        if kind == "range":
            at_end = inputs.evaluate("e => +e.value >= +e.max")
            inputs.press("ArrowLeft" if at_end else "ArrowRight")
        elif kind == "radio":
            self.root.locator(f'[data-control="{control}"]:checked').press("ArrowRight")
        elif kind == "checkbox":
            inputs.press("Space")
        elif kind == "text":
            inputs.fill(inputs.get_attribute("placeholder"))
            inputs.press("Enter")
        else:
            inputs.press("ArrowUp" if inputs.evaluate("e => e.selectedIndex > 0") else "ArrowDown")

    def by_mouse(self, control: str) -> None:
        """Move a control with the pointer, to a place far from where it is."""
        inputs, kind = self._inputs(control)
        if kind == "range":
            low = inputs.evaluate("e => +e.value > (+e.min + +e.max) / 2")
            box = inputs.bounding_box()
            inputs.click(position={"x": box["width"] * (0.2 if low else 0.8), "y": box["height"] / 2})
        elif kind == "radio":
            self.root.locator(f'[data-control="{control}"]:not(:checked)').first.click()
        elif kind == "checkbox":
            inputs.click()
        elif kind == "text":
            inputs.click()
            inputs.fill(inputs.get_attribute("placeholder"))
            self.root.locator("figcaption").click()
        else:
            other = inputs.evaluate("e => (e.selectedIndex + 1) % e.options.length")
            inputs.select_option(index=other)

    def by_touch(self) -> None:
        """Move the first slider with a finger, to a place far from where it is; without one, choose something else."""
        slider = self.root.locator("input[type=range]").first
        if not slider.count():
            self.root.locator("input[type=radio]:not(:checked)").first.tap()
            return
        box = slider.bounding_box()
        low = slider.evaluate("e => +e.value > (+e.min + +e.max) / 2")
        slider.tap(position={"x": box["width"] * (0.15 if low else 0.85), "y": box["height"] / 2})

    def drag(self, handle: str) -> None:
        """Pull a handle some way to the left and down."""
        spot = self.root.locator(f'[data-handle="{handle}"]')
        spot.evaluate("e => e.scrollIntoView({ block: 'center' })")  # read-out and controls may cover the rest of it
        box = spot.bounding_box()
        x, y = box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x - max(30, 0.4 * box["width"]), y + 12, steps=4)
        self.page.mouse.up()

    def moves_and_resets(self) -> None:
        """Say something at first sight, then move every control by key and pointer and every handle, and go back."""
        bring(self.root)
        start = self.look()
        assert len(start) > 500, f"{self.name}: the first view draws nothing"
        assert self.root.locator(".ex-readout").inner_text().strip(), f"{self.name}: the first view says nothing"
        assert self.root.locator("figcaption").inner_text().strip()
        for control in self.in_use():
            for move in (self.by_keyboard, self.by_mouse):
                move(control)
                how = f"{self.name}: {control} ({move.__name__})"
                assert self.look() != start, f"{how} does not move the figure"
                self.reset()
                assert self.look() == start, f"{how} is not undone by a reset"
        for handle in self.handles():
            self.drag(handle)
            assert self.look() != start, f"{self.name}: dragging {handle} does not move the figure"
            self.reset()
            assert self.look() == start, f"{self.name}: dragging {handle} is not undone by a reset"

    def reset(self) -> None:
        self.root.locator("[data-reset]").click()
        self.look()
