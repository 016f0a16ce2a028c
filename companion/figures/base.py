"""What all explorables share: state as traits, the page's HTML, the picture for print."""

import html
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets

from companion.core import checks as check

from . import assets
from .colors import COLORS
from .controls import Control
from .goals import Goal

LIMIT = 100_000  # bytes of JSON that one figure may add to a page


def compact(value: Any, digits: int = 4) -> Any:
    """The value with floats at a few significant digits, ready for JSON; what is not finite becomes None."""
    if isinstance(value, np.ndarray):
        return compact(value.tolist(), digits)
    if isinstance(value, dict):
        return {str(k): compact(v, digits) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [compact(v, digits) for v in value]
    if isinstance(value, np.generic):
        return compact(value.item(), digits)
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        short = float(f"{value:.{digits}g}")
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    return value


def key(values: Sequence[Any]) -> str:
    """The controls' values as the page joins them to look up a view or scene."""
    return "|".join(v if isinstance(v, str) else json.dumps(compact(v)) for v in values)


class Explorable(anywidget.AnyWidget):
    """An interactive figure; use one of its kinds, each a subclass in a folder of `companion.figures.kinds`.

    Parameters
    ----------
    name : a short slug, unique in its page; prose links reach it as ``#name?trait=value``.
    controls : its sliders, choices and toggles; each becomes a trait of the figure.
    data : what the kind draws, numbers and texts that JSON can hold.
    title, caption : words above and below the figure.
    goals : small tasks for the reader, with a button that checks each: a `Goal`, which judges by itself, or only its
        words, and then the kind's script has a ``judge``.

    Raises
    ------
    ValueError
        If the name is no slug, a control has no name of its own, or the data exceed 100 KB.
    """

    kind: str
    spec = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        if Explorable in cls.__bases__:  # a kind, named by its folder; what is made from a kind is drawn as that kind
            cls.kind = cls.__module__.rpartition(".")[2]
            cls._esm, cls._css = assets.module(cls.kind), assets.style([cls.kind])
        super().__init_subclass__(**options)

    def __init__(
        self,
        name: str,
        controls: Sequence[Control],
        data: dict[str, Any],
        *,
        title: str,
        caption: str,
        goals: Sequence[Goal | str] = (),
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", str(name)):
            raise ValueError(f"name: want a slug such as 'half-life', got {name!r}")
        names = [c.name for c in controls]
        if len(set(names)) < len(names) or any(self.has_trait(n) or hasattr(type(self), n) for n in names):
            raise ValueError(f"controls: want names of their own that no widget uses already, got {names}")
        spec = compact(
            {
                "kind": self.kind,
                "name": name,
                "title": title,
                "caption": caption,
                "controls": [{"name": c.name, "label": c.label or c.name, **c.spec()} for c in controls],
                "start": {c.name: c.first for c in controls},
                "data": data,
                **({"goals": [g.spec(controls) if isinstance(g, Goal) else g for g in goals]} if goals else {}),
            }
        )
        size = len(json.dumps(spec, ensure_ascii=False).encode())
        if size > LIMIT:
            raise ValueError(
                f"data: want at most {LIMIT // 1000} KB a figure, got {size // 1000} KB; use a coarser grid"
            )
        super().__init__(spec=spec)
        self.add_traits(**{c.name: c.trait().tag(sync=True) for c in controls})
        self._names = tuple(names)

    @property
    def state(self) -> dict[str, Any]:
        """The current value of every control."""
        return {name: getattr(self, name) for name in self._names}

    def reset(self) -> None:
        """Return to the state that the figure began with."""
        for name, value in self.spec["start"].items():
            setattr(self, name, value)

    def picture(self) -> Any:
        """A matplotlib figure of the current state, for print."""
        raise NotImplementedError

    def html(self) -> str:
        """The figure for the published page: its specification and state, brought to life by `page.js`."""
        return page_html({**self.spec, "state": compact(self.state)})

    def png(self) -> bytes:
        """The picture as a PNG."""
        buffer = io.BytesIO()
        self.picture().savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        state = ", ".join(f"{k}={v!r}" for k, v in self.state.items())
        return f"{type(self).__name__}({self.spec['name']!r}: {state})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": repr(self), "text/html": self.html(), "image/png": self.png()}, metadata


def script_json(data: dict[str, Any]) -> str:
    """The data as JSON inside a script element, which no text in them can close."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json">{text}</script>'


def page_html(spec: dict[str, Any]) -> str:
    """What stands in the page for a figure with this specification."""
    return (
        f'<figure class="explorable" data-explorable="{spec["kind"]}" id="{spec["name"]}">'
        f"{script_json(spec)}"
        f"<p><strong>{html.escape(spec['title'])}</strong> — an interactive figure: it moves in the published "
        "book, and in a notebook as soon as its cell is run.</p>"
        f"<figcaption>{html.escape(spec['caption'])}</figcaption></figure>"
    )


def role(name: str, value: str) -> str:
    """The role, checked: it decides the colour."""
    return check.choice(name, value, tuple(COLORS))
