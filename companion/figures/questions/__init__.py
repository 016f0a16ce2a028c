"""A question of an exercise as a widget and in the page; the page judges it by itself, with no kernel."""

import html
from typing import Any

import anywidget
import traitlets

from companion.figures import assets
from companion.figures.base import page_html, script_json


class Question(anywidget.AnyWidget):
    """A question, from what `companion.exercises` says of it.

    Parameters
    ----------
    spec : id, type, title, stars, minutes, hints, answer, and what its type needs.
    course : the code of a course, which chooses the variant.
    """

    _esm, _css = assets.question_module(), assets.question_style()
    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, spec: dict[str, Any], course: str = "") -> None:
        if figure := spec.get("figure"):
            kinds = [figure["kind"]]
            self._esm, self._css = assets.question_module(kinds), assets.question_style(kinds)
        super().__init__(spec={**spec, "course": course} if course else spec)

    def html(self) -> str:
        """The question for the published page: its words, and its specification, which the script brings to life."""
        asked = {key: value for key, value in self.spec.items() if key != "figure"}
        figure = page_html(self.spec["figure"]) if "figure" in self.spec else ""
        return (
            f'<form class="question" data-question="{self.spec["id"]}" id="q-{slug(self.spec["id"])}">'
            f"{script_json(asked)}{self._still()}{figure}</form>"
        )

    def _asked(self) -> tuple[str, list[str]]:
        """The words, and the lines or options below them, as they stand without a script."""
        spec = self.spec
        if spec["type"] == "Numerical":
            return spec["variants"][0][0], []
        if spec["type"] == "MultipleChoice":
            return spec["ask"], [option[0] for option in spec["options"]]
        if spec["type"] == "FindBug":
            return spec["ask"], spec["code"]
        if spec["type"] == "FigureGoal":
            return f"Goal: {spec['goal']['task']}", []
        lines = [*spec["code"], *(line for line, _ in spec["extra"])]
        return spec["ask"], [lines[i - 1] for i in spec["shuffled"]]

    def _still(self) -> str:
        words, rows = self._asked()
        listed = "".join(f"<li>{html.escape(row)}</li>" for row in rows)
        return f"<p><strong>{html.escape(self.spec['title'])}</strong> {html.escape(words)}</p>" + (
            f"<ol>{listed}</ol>" if rows else ""
        )

    def __repr__(self) -> str:
        words, rows = self._asked()
        return "\n".join([f"{self.spec['title']}: {words}", *(f"{i}. {row}" for i, row in enumerate(rows, 1))])

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": repr(self), "text/html": self.html()}, metadata


def slug(id: str) -> str:
    """An id as a place in a page can bear it."""
    return id.replace(".", "-")
