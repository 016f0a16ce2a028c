"""What a reader's machine pays for a page, and what an accessibility checker finds on it: ``make audit``."""

import gzip
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

from .conftest import FLAGS, HTML, find_browser

KB = 1000
PACKED = (".woff2", ".png", ".jpg", ".ico")  # nothing to gain by packing them again
PICTURES = (".png", ".jpg", ".svg", ".ico")
VIEWS = {
    "wide": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


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
    page.goto(address, wait_until="networkidle")
    elements = page.evaluate("document.querySelectorAll('*').length")
    return page, Cost(round(sum(sizes) / KB, 1), len(requests), elements)


def findings(page: Page) -> Counter[str]:
    """What axe-core calls a violation, by rule and gravity, with the number of places."""
    found = Axe().run(page).response["violations"]
    return Counter({f"{rule['id']} ({rule['impact']})": len(rule["nodes"]) for rule in found})


def main() -> None:
    """Print a line for each page of the built book."""
    print(f"{'page':34}{'KB':>7}{'requests':>10}{'elements':>10}  findings of axe-core, wide and on a phone")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for file in sorted(HTML.glob("book/*.html")):
            found = Counter()
            for view in VIEWS.values():
                context = browser.new_context(**view)
                page, cost = open_and_weigh(context, file.as_uri())
                found += findings(page)
                context.close()
            words = ", ".join(f"{rule} {n}" for rule, n in found.items()) or "none"
            print(f"{file.stem:34}{cost.kilobytes:7.0f}{cost.requests:10}{cost.elements:10}  {words}")


if __name__ == "__main__":
    main()
