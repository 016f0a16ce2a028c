"""What the tests share: the built book, a server for it, and a browser to look at it with."""

import json
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, settings

from companion.publishing.printed import FLAGS, find_browser

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

settings.register_profile("book", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("book")  # a busy machine is no failure; what fails says how to repeat it

os.environ["TQDM_DISABLE"] = "1"  # a progress bar's text differs from run to run, so none may reach an output


def lacking(what: str) -> None:
    """Skip the test, saying what this machine lacks; in CI, where nothing may be skipped, fail instead."""
    (pytest.fail if IN_CI else pytest.skip)(what)


@pytest.fixture(scope="session")
def built_book() -> Path:
    """Return the folder of the built pages."""
    if not (HTML / "index.html").exists():
        lacking("the book is not built: `make book` builds it")
    return HTML


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def http_book(built_book):
    """Serve the built pages on a free local port; return the address, with a slash at its end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(built_book)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def stored_html(page: str, name: str) -> str:
    """One of a notebook's figures, as it is stored."""
    cells = nbformat.read(ROOT / "book" / f"{page}.ipynb", as_version=4).cells
    outputs = (o["data"].get("text/html", "") for c in cells for o in c.get("outputs", ()) if "data" in o)
    (html,) = (html for html in outputs if f' id="{name}"><script' in html)
    return html


def stored_figure(page: str, name: str) -> dict:
    """All that the page knows of a figure that a notebook stores."""
    return json.loads(stored_html(page, name).split('<script type="application/json">', 1)[1].split("</script>", 1)[0])


@pytest.fixture(scope="session")
def browser():
    """Start the system's Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    if (path := find_browser()) is None:
        lacking("no Chromium or Chrome on this machine, so nobody can look at the pages")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def run_nbval():
    """Return a function that holds one notebook to its stored outputs, as `make test` does; it returns the process."""

    def run(path: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-q"]
        return subprocess.run(
            [*command, "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(path.parent), str(path)],
            capture_output=True,
            text=True,
            timeout=240,
            cwd=path.parent,
        )

    return run
