"""Scripts and styles of the figures: what one widget is sent, and what every page of the book loads.

Both are made from the same files: the kit that all kinds share, and each kind's own ``NAME.js`` (and ``NAME.css``, if
it has one) in its folder.
"""

import re
from collections.abc import Iterable
from importlib import resources

from . import colors

HERE = resources.files(__package__)
QUESTIONS = "questions/questions"
ASIDE = re.compile(r"^\s*(?://.*\s*)*", re.MULTILINE)  # indentation, and lines that are comments


def script(kinds: Iterable[str]) -> str:
    """The kit and what draws the given kinds, as one classic script."""
    return "\n".join([_read("kit.js"), *(_read(f"kinds/{kind}/{kind}.js") for kind in kinds)])


def module(kind: str) -> str:
    """What a widget of this kind is sent: the kit and its own script, as a module."""
    return script([kind]) + "\nexport default { render: explorables.render };\n"


def page_script(kinds: Iterable[str]) -> str:
    """What a page loads: the kit, all kinds, and what brings the page's figures to life; without notes to an author."""
    return ASIDE.sub("", "\n".join([script(kinds), _read(QUESTIONS + ".js"), _read("page.js")]))


def style(kinds: Iterable[str]) -> str:
    """The colours, the style sheet that all kinds share, and what the given ones add."""
    own = [f"kinds/{kind}/{kind}.css" for kind in kinds]
    shared = [colors.style(), _read("explorables.css")]
    return "\n".join([*shared, *(_read(name) for name in own if HERE.joinpath(name).is_file())])


def page_style(kinds: Iterable[str]) -> str:
    """What a page loads: the style of all kinds, and that of the questions."""
    return "\n".join([style(kinds), _read(QUESTIONS + ".css")])


def question_module(kinds: Iterable[str] = ()) -> str:
    """What the widget of a question is sent, with what draws the given kinds."""
    return "\n".join([script(kinds), _read(QUESTIONS + ".js"), "export default { render: questions.render };\n"])


def question_style(kinds: Iterable[str] = ()) -> str:
    """The colours, and the style sheet of the questions; with figures in them, theirs too."""
    kinds = [*kinds]
    return "\n".join([style(kinds) if kinds else colors.style(), _read(QUESTIONS + ".css")])


def _read(name: str) -> str:
    return HERE.joinpath(name).read_text("utf-8")
