"""What a reader's machine pays for each page, and what is wrong on it: `python -m tests.audit book/10_07_longterm`.

A page is loaded on a wide screen and on a phone for what it weighs, what moves while it loads and what is wrong, and
then with the processor slowed four times: three times over for seconds, of which the median counts, and once for
frames, which are what the main thread does for a figure from one place of a slider to the next. Too many bytes and
every finding fail; seconds depend on the machine, and never do. With `--record`, the table is kept in
`book/audit.json`, which *How it is made* prints.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from .browser.figures import Figure, figures_in
from .browser.layout import complaints, lines_too_wide
from .conftest import FLAGS, HTML, ROOT, find_browser

KB = 1000
MOST = 250  # kilobytes of a page, compressed, with typeset mathematics and without pictures
SLOWED = 4  # times, where seconds and frames are measured
LOADS = 3
PLACES, PASSES = 12, 3  # of a slider; over all sliders of a figure
RECORD = ROOT / "book" / "audit.json"
PACKED = (".woff2", ".png", ".jpg", ".ico")  # nothing to gain by packing them again
PICTURES = (".png", ".jpg", ".svg", ".ico")
VIEWS = {
    "wide": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}

WATCH = """globalThis.moved = 0;
new PerformanceObserver(seen => seen.getEntries().forEach(e => { moved += e.hadRecentInput ? 0 : e.value; }))
    .observe({ type: "layout-shift", buffered: true });
addEventListener("load", () => document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(
    () => { globalThis.typeset = performance.now() / 1000; }))));"""
KEY = """const press = () => {
    const control = [...document.querySelectorAll("figure.ex-live [data-control]")].find(e => e.checkVisibility());
    if (!control) return requestAnimationFrame(press);
    if (control.type === "range") { control[+control.value < +control.max ? "stepUp" : "stepDown"]();
        control.dispatchEvent(new Event("input", { bubbles: true })); } else control.click();
    requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.answered = performance.now() / 1000; })); };
requestAnimationFrame(press);"""
SCROLL = """async () => { for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
    scrollTo(0, y); await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))); }
    scrollTo(0, 0); return moved; }"""
DARK = "matchMedia('(prefers-color-scheme: dark)').matches"
STILL = """() => new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next))).then(() => Promise.all(
    document.getAnimations().filter(a => a instanceof CSSTransition).map(a => a.finished.catch(() => {}))))"""
SLIDERS = """root => [...root.querySelectorAll("input[type=range]")].filter(e => e.checkVisibility() && !e.disabled)
    .map(e => [e.dataset.control, +e.min, +e.max, +e.step])"""
MOVE = """([root, control, place]) => new Promise(drawn => {
    if (control) { const slider = root.querySelector(`[data-control="${control}"]`); slider.value = place;
        slider.dispatchEvent(new Event("input", { bubbles: true })); }
    requestAnimationFrame(() => requestAnimationFrame(drawn)); })"""


class Cost(NamedTuple):
    """What a page loads: kilobytes, compressed and without pictures; requests; elements."""

    kilobytes: float
    requests: int
    elements: int


def open_and_weigh(context: BrowserContext, address: str) -> tuple[Page, Cost]:
    """Open a page and count what it loads before anyone scrolls."""
    page, sizes, requests = context.new_page(), [], []

    def weigh(response) -> None:
        name = urlsplit(response.url).path
        requests.append(name)
        if not name.endswith(PICTURES) and not response.url.startswith("data:"):
            body = response.body()
            sizes.append(len(body) if name.endswith(PACKED) else len(gzip.compress(body)))

    page.on("response", weigh)
    page.add_init_script(WATCH)
    page.goto(address, wait_until="networkidle")
    elements = page.evaluate("document.querySelectorAll('*').length")
    return page, Cost(round(sum(sizes) / KB, 1), len(requests), elements)


def shift(page: Page) -> float:
    """How far what is read moves by itself, as browsers count it, while the page loads and is scrolled through."""
    return round(page.evaluate(SCROLL), 3)


def findings(page: Page) -> Counter[str]:
    """What axe-core calls a violation, by rule and gravity, with the number of places; contrasts in light and dark."""
    found = Axe().run(page).response["violations"]
    now, other = ("dark", "light") if page.evaluate(DARK) else ("light", "dark")
    page.emulate_media(color_scheme=other)
    page.evaluate(STILL)
    found += Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    page.emulate_media(color_scheme=now)
    return sum((Counter({f"{rule['id']} ({rule['impact']})": len(rule["nodes"])}) for rule in found), Counter())


def overlaps(page: Page, names: Sequence[str]) -> list[str]:
    """What is wrong with the layout of the figures in any state: a text that covers another, is cut, or moves."""
    return [wrong for name in names for wrong in complaints(Figure(page, name))]


def slowed(context: BrowserContext, address: str) -> tuple[Page, CDPSession]:
    """Begin to load a page on a slow processor."""
    page = context.new_page()
    page.goto((HTML / "genindex.html").as_uri())  # in whose process the next page is loaded, as slowly
    page.add_init_script(WATCH + KEY)
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.goto(address, wait_until="commit")
    return page, session


def answers(page: Page) -> float:
    """Seconds until the first figure has answered a key."""
    return round(page.wait_for_function("globalThis.answered").json_value(), 1)


def ready(page: Page) -> float:
    """Seconds until text and mathematics stand."""
    return round(page.wait_for_function("globalThis.typeset").json_value(), 1)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(values, n=20, method="inclusive")[-1]


def frame(page: Page, session: CDPSession, name: str) -> float | None:
    """Milliseconds of main thread for a dragged frame at the 95th percentile, the median of some passes."""
    figure = Figure(page, name)
    figure.reset()
    page.wait_for_timeout(300)
    root, sliders = figure.root.element_handle(), figure.root.evaluate(SLIDERS)

    def busy() -> float:
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        return 1000 * metrics["TaskDuration"]

    def spent(control: str, place: float) -> float:
        before = busy()
        page.evaluate(MOVE, [root, control, place])
        return busy() - before

    def one_pass() -> Iterator[float]:
        for control, low, high, step in sliders:
            notches = round((high - low) / step)
            n = min(PLACES, notches)
            yield from [spent(control, low + step * round(k * notches / n)) for k in range(n + 1)][1:]
            figure.reset()

    idle = median(spent("", 0) for _ in range(8))
    return round(median(p95([*one_pass()]) for _ in range(PASSES)) - idle, 1) if sliders else None


def audit(browser: Browser, file: Path, loads: int = 1) -> dict:
    """Everything about one page; its seconds are the median of some loads."""
    names, found, wrong, moved = figures_in(file), Counter(), [], 0.0
    for view in VIEWS.values():
        context = browser.new_context(**view)
        page, cost = open_and_weigh(context, file.as_uri())
        moved = max(moved, shift(page))
        found += findings(page)
        wrong += overlaps(page, names)
        context.close()
    seconds = []
    for _ in range(loads):
        context = browser.new_context(**VIEWS["wide"])
        page, session = slowed(context, file.as_uri())
        seconds.append((ready(page), answers(page) if names else None))
        if len(seconds) < loads:
            context.close()
    stands, answered = zip(*seconds, strict=True)
    kinds = {name: page.locator(f"figure#{name}").get_attribute("data-explorable") for name in names}
    frames = {name: ms for name in names if (ms := frame(page, session, name)) is not None}
    row = {
        **cost._asdict(),
        "ready": median(stands),
        "answers": median(answered) if names else None,
        "frame": max(frames.values(), default=None),
        "shift": moved,
        "wide": lines_too_wide(page),
        "overlaps": wrong,
        "axe": dict(found),
        "figures": {name: {"kind": kinds[name], "frame": ms} for name, ms in frames.items()},
    }
    context.close()
    return row


COLUMNS = {
    "kilobytes": f"KB, pictures apart (at most {MOST})",
    "requests": "requests",
    "elements": "elements",
    "ready": f"seconds until text and mathematics stand (processor slowed {SLOWED} times)",
    "answers": f"seconds until the first figure has answered a key (slowed {SLOWED} times)",
    "frame": f"ms of main thread a dragged frame, 95th percentile, slowest figure of the page (slowed {SLOWED} times)",
    "shift": "layout shift",
    "wide": "lines of code that are too wide",
    "overlaps": "overlaps and other faults of layout in figures",
    "axe": "findings of axe-core",
}


def line(row: dict) -> str:
    """A page's line of the table, in the order of COLUMNS."""
    shown = ["–" if row[c] is None else len(row[c]) if isinstance(row[c], list | dict) else row[c] for c in COLUMNS]
    return "".join(f"{v:>10}" for v in shown)


def faults(row: dict) -> list[str]:
    """What fails of a page: its bytes, and what was found on it."""
    heavy = [f"{row['kilobytes']} KB"] if row["kilobytes"] > MOST else []
    axe = [f"axe-core: {rule} {n}" for rule, n in row["axe"].items()]
    return [*heavy, *(f"too wide: {code}" for code in row["wide"]), *row["overlaps"], *axe]


def keep(rows: dict[str, dict], version: str) -> None:
    """Put the pages that were measured into the record."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"pages": {}}
    record = {"browser": f"Chromium {version}", "slowed": SLOWED, "pages": {**record["pages"], **rows}}
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", help="such as book/10_07_longterm; all, if none is named")
    parser.add_argument("--record", action="store_true", help="keep the table in book/audit.json")
    settings = parser.parse_args()
    named = [HTML / Path(page).with_suffix(".html") for page in settings.pages]
    files = named or sorted(HTML.glob("book/**/*.html"))
    figures = sum(len(figures_in(file)) for file in files)
    minutes = (20 * len(files) + 25 * figures) / 60
    print(f"{len(files)} pages with {figures} figures: about {minutes:.0f} minutes on a quiet machine.")
    print("\n".join(f"{name:>10}: {words}" for name, words in COLUMNS.items()))
    print(f"{'page':34}" + "".join(f"{name:>10}" for name in COLUMNS), flush=True)
    rows = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for file in files:
            page = file.relative_to(HTML / "book").with_suffix("").as_posix()
            rows[page] = audit(browser, file, LOADS)
            print(f"{page:34}{line(rows[page])}", *faults(rows[page]), sep="\n    ", flush=True)
            if settings.record:
                keep(rows, browser.version)
    sys.exit(any(faults(row) for row in rows.values()))


if __name__ == "__main__":
    main()
