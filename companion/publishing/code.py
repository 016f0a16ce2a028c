"""Code in pages, in as few elements as it has colours: tokens that look alike stand in one, plain ones in none.

Pygments marks every name, comma and bracket; on a page with much code these are three of four elements, and a reader's
machine lays out each of them before the first figure answers.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pygments.formatters import HtmlFormatter
from pygments.styles import get_style_by_name
from pygments.token import Comment, Keyword, Name, Number, String, Text, _TokenType
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

LOOKS = ("a11y-high-contrast-light", "a11y-high-contrast-dark")  # the theme's two styles
KINDS = (Text, Keyword, Number, Name.Function, String, Comment)  # what others are called that look the same


@cache
def _look(kind: _TokenType) -> list[dict[str, Any]]:
    return [get_style_by_name(name).style_for_token(kind) for name in LOOKS]


@cache
def alike(kind: _TokenType) -> _TokenType:
    """The first of `KINDS` that looks like this one in light and in dark; else the kind itself."""
    return next((other for other in KINDS if _look(other) == _look(kind)), kind)


def joined(tokens: Iterable[tuple[_TokenType, str]]) -> Iterator[tuple[_TokenType, str]]:
    """The tokens by how they look; a blank looks like what stands before it."""
    now = Text
    for kind, text in tokens:
        now = now if text.isspace() and "\n" not in text else alike(kind)
        yield now, text


class Formatter(HtmlFormatter):
    """Pygments' own, which puts neighbours of one kind into one element, on tokens of fewer kinds."""

    def format_unencoded(self, tokensource: Iterable[tuple[_TokenType, str]], outfile: Any) -> None:
        """Write the code."""
        super().format_unencoded(joined(tokensource), outfile)


def setup(app: Sphinx) -> dict[str, Any]:
    """Take this formatter for all code."""
    PygmentsBridge.html_formatter = Formatter
    return {"parallel_read_safe": True, "parallel_write_safe": True}
