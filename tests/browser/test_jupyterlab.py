"""A real JupyterLab: open a chapter, run it, move its figures, and read and set their traits from Python.

A chapter's figures need little of it; that little is run here, in one Lab, for as few chapters as show every kind of
figure, and all chapters whole where there is time (the marker `slow`). That chapters run at all is what nbval says.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from jupyter_client import BlockingKernelClient

from companion.figures.kinds import KINDS

from ..conftest import ROOT
from .conftest import Watch
from .figures import Figure
from .needed import figures_alone, kinds_of_figures, names_of_figures

CHAPTERS = {
    path.stem: notebook
    for path in sorted((ROOT / "book").glob("*.ipynb"))
    if names_of_figures(notebook := nbformat.read(path, 4))
}


def fewest(chapters: dict) -> list[str]:
    """Few chapters that show every kind of figure: those with the rarest kinds first."""
    kinds = {name: kinds_of_figures(notebook) for name, notebook in chapters.items()}
    shown = sorted(set().union(*kinds.values()), key=lambda kind: (sum(kind in k for k in kinds.values()), kind))
    chosen: list[str] = []
    for kind in shown:
        if not any(kind in kinds[name] for name in chosen):
            chosen.append(max((n for n in kinds if kind in kinds[n]), key=lambda n: len(kinds[n])))
    return chosen


PARTS = [(name, "figures") for name in fewest(CHAPTERS)]
PARTS += [pytest.param(name, "whole", marks=pytest.mark.slow) for name in CHAPTERS]
TOKEN = "lab"
SETTINGS = {
    "notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
    "apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
}
RUN = """async path => {
    const panel = await jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" });
    await Promise.all([panel.context.ready, panel.revealed, panel.sessionContext.ready]);
    const late = new Promise((_, no) => setTimeout(() => no(Error("cells still run after 240 s")), 240000));
    await Promise.race([jupyterapp.commands.execute("notebook:run-all-cells"), late]);
    const outputs = panel.model.toJSON().cells.flatMap((cell) => cell.outputs ?? []);
    return outputs.filter((output) => output.output_type === "error").map((output) => output.traceback.join("\\n"));
}"""
CLOSE = "() => jupyterapp.shell.currentWidget.dispose()"  # closing it by a command would ask whether to save
READ = "import json, ipywidgets; from companion.figures import Explorable; figures = {w.spec['name']: w for w in \
list(ipywidgets.widgets.widget._instances.values()) if isinstance(w, Explorable)}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on an empty folder; yields its address and the folder around it."""
    home = tmp_path_factory.mktemp("lab")
    (home / "book").mkdir()
    for name, content in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    environment = {
        **os.environ,
        **{f"JUPYTER_{k.upper()}_DIR": str(home / k) for k in ("runtime", "config", "data")},
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_ALLOW_INSECURE_WRITES": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0"]
    command += [f"--IdentityProvider.token={TOKEN}", "--expose-app-in-browser", f"--ServerApp.root_dir={home / 'book'}"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield _address(home, server), home
        finally:
            server.terminate()
            server.wait(30)


def _address(home, server) -> str:
    for _ in range(240):
        for file in (home / "runtime").glob("jpserver-*.json"):
            url = json.loads(file.read_text())["url"]
            try:
                urllib.request.urlopen(f"{url}api?token={TOKEN}").close()
            except OSError:
                continue
            return url
        assert server.poll() is None, (home / "log").read_text()
        time.sleep(0.25)
    raise AssertionError((home / "log").read_text())


@pytest.fixture(scope="module")
def desk(browser, lab):
    """One Lab in a browser, in which every notebook is opened; yields its page and what went wrong in it."""
    address, _ = lab
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    watch = Watch(page, address)
    page.goto(f"{address}lab?token={TOKEN}")
    page.wait_for_function("window.jupyterapp?.restored", timeout=120_000)
    page.evaluate("() => jupyterapp.restored")
    yield page, watch
    context.close()


@pytest.fixture
def run_in_lab(desk, lab):
    """Return a function that runs a notebook until `wanted` figures live; it returns page, watch and kernel."""
    (page, watch), (address, home), kernels = desk, lab, []

    def run(notebook, file: str, wanted: int):
        watch.complaints.clear()
        nbformat.write(notebook, home / "book" / file)
        errors = page.evaluate(RUN, file)
        kernels.append(Kernel(address, home / "runtime", file))
        assert not errors, "\n".join(errors)
        page.wait_for_function("n => document.querySelectorAll('figure.ex-live').length >= n", arg=wanted)
        return page, watch, kernels[0]

    yield run
    for kernel in kernels:
        kernel.stop()
    page.evaluate(CLOSE)


class Kernel:
    """The kernel behind a notebook that is open in the browser."""

    def __init__(self, address, runtime, notebook):
        with urllib.request.urlopen(f"{address}api/sessions?token={TOKEN}") as answer:
            session = next(s for s in json.load(answer) if s["path"] == notebook)
        self.session = f"{address}api/sessions/{session['id']}?token={TOKEN}"
        self.client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{session['kernel']['id']}.json"))
        self.client.load_connection_file()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=300)  # it may still be busy with the chapter
        self.run(READ)

    def run(self, code: str) -> str:
        printed: list[str] = []

        def hear(message):
            if message["msg_type"] == "error":
                raise AssertionError("\n".join(message["content"]["traceback"]))
            printed.append(message["content"].get("text", ""))

        self.client.execute_interactive(code, output_hook=hear, timeout=300)
        return "".join(printed)

    def state(self, name: str) -> dict:
        return json.loads(self.run(f"print(json.dumps(figures[{name!r}].state))"))

    def put(self, name: str, trait: str, value) -> None:
        self.run(f"figures[{name!r}].{trait} = {value!r}")

    def names(self) -> list[str]:
        return json.loads(self.run("print(json.dumps(list(figures)))"))

    def stop(self) -> None:
        self.client.stop_channels()
        urllib.request.urlopen(urllib.request.Request(self.session, method="DELETE")).close()


def eventually(true, seconds=10):
    """Wait until the kernel and the page agree."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
    return true()


def move_from_both_sides(figure: Figure, kernel: Kernel, name: str) -> None:
    """Move a figure in the browser and read it in Python; set it in Python and see it move."""
    begin = json.loads(kernel.run(f"print(json.dumps(figures[{name!r}].spec['start']))"))
    figure.reset()  # a later cell of the notebook may have moved it
    assert eventually(lambda: kernel.state(name) == begin), f"{name}: reset did not reach Python"
    start, state = figure.look(), begin
    control = figure.controls()[0]
    for move in (figure.by_keyboard, figure.by_mouse):
        move(control)
        moved = figure.look()
        assert moved != start, f"{name}: {control} does not move the figure ({move.__name__})"
        assert eventually(lambda: kernel.state(name)[control] != state[control]), f"{name}.{control}: not in Python"
        kernel.put(name, control, state[control])
        assert eventually(lambda before=moved: figure.look() != before), f"{name}.{control}: set, but nothing moved"
        figure.reset()
        assert eventually(lambda: kernel.state(name) == state), f"{name}: reset did not reach Python"
    for handle in figure.handles():
        figure.drag(handle)
        assert eventually(lambda: kernel.state(name) != state), f"{name}: dragging {handle} did not reach Python"
        figure.reset()


def test_there_are_chapters_with_figures():
    assert len(CHAPTERS) >= 8
    assert {*KINDS} <= set().union(*(kinds_of_figures(CHAPTERS[name]) for name in fewest(CHAPTERS)))


@pytest.mark.parametrize(("chapter", "part"), PARTS)
def test_figures_live_in_jupyterlab(chapter, part, run_in_lab):
    notebook = CHAPTERS[chapter]
    names = names_of_figures(notebook)
    notebook = figures_alone(notebook) if part == "figures" else notebook
    page, watch, kernel = run_in_lab(notebook, f"{chapter}_{part}.ipynb", len(names))
    shown = page.locator("figure.ex-live").evaluate_all("all => all.map(e => e.id)")
    assert sorted(shown) == sorted(names), "a figure lives twice, or one that the stored page does not show"
    assert {*names} <= {*kernel.names()}  # a cell may make others, and not show them
    for name in names:
        move_from_both_sides(Figure(page, name), kernel, name)
    assert [c for c in watch.complaints if c.startswith("outside")] == []
