"""A real JupyterLab: open a chapter, run it, move its figures, and read and set their traits from Python.

The examples of every kind of figure in one notebook, and all chapters where there is time (the marker `slow`). That
chapters run at all is what nbval says.
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

from companion.exercises.editions import learner
from companion.figures.kinds import KINDS

from ..conftest import ROOT
from .conftest import Watch
from .figures import Figure, names_of_figures
from .kinds import EXAMPLES

CHAPTERS = {
    path.stem: notebook
    for path in sorted([*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/practice/*.ipynb")])
    if names_of_figures(notebook := nbformat.read(path, 4))
}


EVERY_KIND = ["from tests.browser.kinds import EXAMPLES", *(f"EXAMPLES[{kind!r}]()" for kind in KINDS)]
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
        "PYTHONPATH": str(ROOT),
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


ANSWER = """def start_gradient(p, x, y, h0):
    return p.W @ rnn_bptt_nodes(p, x, y, h0).a[0]
"""


def test_a_learners_notebook_asks_and_answers_in_jupyterlab(desk, lab):
    (page, watch), (_, home) = desk, lab
    watch.complaints.clear()
    nb = learner(nbformat.read(ROOT / "book/exercises/10_02_2.ipynb", 4))
    for cell in nb.cells:
        if cell.source.startswith("def start_gradient"):
            cell.source = ANSWER
    nbformat.write(nb, home / "book" / "learner.ipynb")
    (error,) = page.evaluate(RUN, "learner.ipynb")  # as far as the first function that is not written
    assert "NotImplementedError" in error
    keep = [c for c in nb.cells if "import" in c.source or "start_gradient" in c.source or "question(" in c.source]
    keep.sort(key=lambda cell: "check(" in cell.source)
    nbformat.write(nbformat.v4.new_notebook(cells=keep, metadata=nb.metadata), home / "book" / "try.ipynb")
    (error,) = page.evaluate(RUN, "try.ipynb")
    assert error.startswith("✗ 10.2.2-start: ")
    assert "W stood where its transpose should" in error and "Traceback" not in error
    forms = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) form.q-live")
    assert forms.count() == sum("question(" in cell.source for cell in keep)
    first = forms.filter(has=page.locator(".q-code")).first
    first.get_by_role("radio").nth(0).check()
    first.get_by_role("button", name="Check").click()
    assert first.locator(".q-said").inner_text().startswith("✗ Not yet.")
    assert [c for c in watch.complaints if c.startswith("outside")] == []
    page.evaluate(CLOSE)
    page.evaluate(CLOSE)


def live_in_lab(notebook, file, names, run_in_lab):
    page, watch, kernel = run_in_lab(notebook, file, len(names))
    shown = page.locator("figure.ex-live").evaluate_all("all => all.map(e => e.id)")
    assert sorted(shown) == sorted(names), "a figure lives twice, or one that the stored page does not show"
    assert {*names} <= {*kernel.names()}  # a cell may make others, and not show them
    for name in names:
        move_from_both_sides(Figure(page, name), kernel, name)
    assert [c for c in watch.complaints if c.startswith("outside")] == []


def test_every_kind_of_figure_lives_in_jupyterlab(run_in_lab):
    cells = list(map(nbformat.v4.new_code_cell, EVERY_KIND))
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=CHAPTERS["figures"].metadata)  # its kernel, too
    live_in_lab(notebook, "kinds.ipynb", [make().spec["name"] for make in EXAMPLES.values()], run_in_lab)


def test_there_are_chapters_with_figures():
    assert len(CHAPTERS) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapters_figures_live_in_jupyterlab(chapter, run_in_lab):
    live_in_lab(CHAPTERS[chapter], f"{chapter}.ipynb", names_of_figures(CHAPTERS[chapter]), run_in_lab)
