"""Running what a learner wrote: a cell may end the kernel or never end, and the rest of the notebook is marked."""

import ast
import json
import time
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from traitlets import Float, List, Unicode

from companion.notebooks import WIDGET_VIEW

from .doctor import parsed

__all__ = ["Run", "failed", "is_check"]

WON = "✓ "  # begins what a check prints when it is content
STOPPED = ("Ended", "Late")  # names of the errors of cells that were not run to their end
AGAIN = 3  # times that one cell may end the kernel


def is_check(cell: NotebookNode) -> bool:
    """Whether a cell is marked by machine."""
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("grade"))


def failed(cell: NotebookNode) -> NotebookNode | None:
    """The error of a cell, if it has one."""
    return next((out for out in cell.get("outputs", []) if out.output_type == "error"), None)


def _error(name: str, says: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=says, traceback=[f"✗ {says}"])


def definitions(source: str) -> str:
    """Of a cell that must not be run again, what cannot do harm: its functions, classes and imports."""
    tree = parsed(source)
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return "\n".join(ast.unparse(part) for part in tree.body if isinstance(part, kinds)) if tree else ""


class Run(Execute):
    """nbgrader's `Execute`, which goes on where that gives up.

    When a cell ends the kernel, or does not end in its time, it gets an error that says so, and the notebook starts
    again in a new kernel, in which only the definitions of that cell are run. Before each cell that is marked, the
    check is put back in its place.
    """

    total = Float(300, help="seconds for the whole notebook").tag(config=True)
    course = Unicode(help="code of the course").tag(config=True)
    sections = List(help="sections whose exercises it asks").tag(config=True)
    seed = Unicode(help="of the hidden cases").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any = None, km: Any = None) -> tuple[NotebookNode, Any]:
        """Run the notebook, as often as its cells make it necessary; every check ends in a verdict."""
        self.end = time.monotonic() + self.total
        self.seconds, self.interrupt_on_timeout, self.shutdown_kernel = self.timeout, False, "immediate"
        self.store_widget_state = False
        self.fell: dict[int, list[str]] = {}
        self.done: set[int] = set()
        while True:
            self.fresh = True
            try:
                super().preprocess(nb, resources, km)
                break
            except (DeadKernelError, CellTimeoutError) as error:
                says = self._why(error, self.timeout)
                self.fell.setdefault(self.at, []).append(says)
                if len(self.fell[self.at]) > AGAIN:
                    raise
        for cell in nb.cells:
            if cell.cell_type == "code":
                self._tidy(cell)
        return nb, self.resources

    def _why(self, error: Exception, seconds: float) -> str:
        if isinstance(error, CellTimeoutError):
            return f"This cell did not end within {seconds} seconds. Is there a loop that never ends?"
        return "This cell ended the kernel (or took all its memory)."

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple[NotebookNode, Any]:
        """Run one cell, or what may be run of it."""
        if cell.cell_type != "code" or (is_check(cell) and index in self.done):
            return cell, resources
        self.at, left = index, self.end - time.monotonic()
        if left <= 0:
            if index not in self.done:
                cell.outputs = [_error("Late", f"The {self.total:g} seconds for the notebook were over before this.")]
            return cell, resources
        self.timeout = max(1, int(min(self.seconds, left)))
        if self.fresh:
            self._aside(f"from companion.classroom.kernel import hold\nhold({self.course!r}, {self.sections!r})", index)
            self.fresh = False
        if index in self.fell:
            whole = len(self.fell[index]) == 1 and not is_check(cell)
            self._aside(definitions(cell.source) if whole else "", index)
            cell.outputs = [_error("Ended", self.fell[index][0])]
        else:
            if is_check(cell):
                self._aside("from companion.classroom.kernel import check", index)
            self.execute_cell(cell, index)
        self.done.add(index)
        return cell, resources

    def _aside(self, source: str, index: int) -> None:
        """Run something that is no cell of the notebook."""
        cell = self.nb.cells[index]
        self.execute_cell(nbformat.v4.new_code_cell(source), index)
        self.nb.cells[index] = cell

    def _tidy(self, cell: NotebookNode) -> None:
        """Hide the seed; a check counts only where it said so, and a warning beside it does not cost the points."""
        text = json.dumps(cell.outputs)
        cell.outputs = nbformat.from_dict(json.loads(text.replace(self.seed, "…") if self.seed else text))
        for output in cell.outputs:
            # a figure is dead in a page of feedback, and a question has its key in it
            if WIDGET_VIEW in output.get("data", {}):
                output.data = NotebookNode({"text/plain": output.data.get("text/plain", "")})
        if not is_check(cell) or failed(cell):
            return
        for output in cell.outputs:
            if output.output_type == "stream":
                output.name = "stdout"
        if not any(line.startswith(WON) for out in cell.outputs for line in out.get("text", "").splitlines()):
            cell.outputs.append(_error("NoVerdict", "The check came to no verdict."))
