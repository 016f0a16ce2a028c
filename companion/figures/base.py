"""What all explorables share: controls, state as traits, the page's HTML, the picture for print."""

import html
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from companion.core import checks as check

HERE = Path(__file__).parent
SCRIPTS = ("kit.js", "graph.js", "sweep.js", "playback.js", "eigenvalues.js", "gates.js", "expression.js", "cliff.js")
ROLES = ("input", "state", "output", "target", "loss", "gradient", "parameter")
LIMIT = 100_000  # bytes of JSON that one figure may add to a page


@dataclass(frozen=True)
class Range:
    """A slider. With `values` it steps through them; else from `minimum` to `maximum` by `step`.

    `texts` name the values in words; `play` gives step and play buttons, with that many milliseconds a step.
    """

    name: str
    minimum: float = 0
    maximum: float = 1
    step: float = 1
    label: str = ""
    start: float | None = None
    values: Sequence[float] | None = None
    texts: Sequence[str] | None = None
    play: int | None = None

    def trait(self) -> traitlets.TraitType:
        """The traitlet that holds its value."""
        low, high = (min(self.values), max(self.values)) if self.values else (self.minimum, self.maximum)
        whole = all(float(v).is_integer() for v in self.values or (self.minimum, self.step))
        return (traitlets.CInt if whole else traitlets.CFloat)(self.first, min=low, max=high)

    @property
    def first(self) -> float:
        """The value it starts with."""
        if self.start is None:
            return self.values[0] if self.values else self.minimum
        return min(self.values, key=lambda v: abs(v - self.start)) if self.values else self.start

    def spec(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        bounds = {"min": self.minimum, "max": self.maximum, "step": self.step}
        return {
            "type": "range",
            **({"values": list(self.values)} if self.values else bounds),
            **({"texts": list(self.texts)} if self.texts else {}),
            **({"play": self.play} if self.play else {}),
        }


@dataclass(frozen=True)
class Choice:
    """One of a few options: radio buttons, or a list from six options on."""

    name: str
    options: Sequence[Any] = ()
    label: str = ""
    start: Any = None

    def trait(self) -> traitlets.TraitType:
        """The traitlet that holds its value."""
        return traitlets.Enum(list(self.options), self.first)

    @property
    def first(self) -> Any:
        """The value it starts with."""
        return self.options[0] if self.start is None else self.start

    def spec(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        return {"type": "choice", "options": list(self.options)}


@dataclass(frozen=True)
class Toggle:
    """On or off."""

    name: str
    label: str = ""
    start: bool = False

    def trait(self) -> traitlets.TraitType:
        """The traitlet that holds its value."""
        return traitlets.Bool(self.start)

    @property
    def first(self) -> bool:
        """The value it starts with."""
        return self.start

    def spec(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        return {"type": "toggle"}


@dataclass(frozen=True)
class Text:
    """A line of text to type, at most `longest` characters; `example` is another that one could type."""

    name: str
    label: str = ""
    start: str = ""
    example: str = ""
    longest: int = 60

    def trait(self) -> traitlets.TraitType:
        """The traitlet that holds its value."""
        return traitlets.Unicode(self.start)

    @property
    def first(self) -> str:
        """The value it starts with."""
        return self.start

    def spec(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        return {"type": "text", "longest": self.longest, "example": self.example}


Control = Range | Choice | Toggle | Text


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
    """An interactive figure; use one of its kinds.

    Parameters
    ----------
    kind : the JavaScript kind that draws it.
    name : a short slug, unique in its page; prose links reach it as ``#name?trait=value``.
    controls : its sliders, choices and toggles; each becomes a trait of the figure.
    data : what the kind draws, numbers and texts that JSON can hold.
    title, caption : words above and below the figure.

    Raises
    ------
    ValueError
        If the name is no slug, a control has no name of its own, or the data exceed 100 KB.
    """

    _esm = (
        "\n".join((HERE / "js" / f).read_text("utf-8") for f in SCRIPTS)
        + "\nexport default { render: explorables.render };\n"
    )
    _css = (HERE / "explorables.css").read_text("utf-8")
    spec = traitlets.Dict().tag(sync=True)

    def __init__(
        self, kind: str, name: str, controls: Sequence[Control], data: dict[str, Any], *, title: str, caption: str
    ) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", str(name)):
            raise ValueError(f"name: want a slug such as 'half-life', got {name!r}")
        names = [c.name for c in controls]
        if len(set(names)) < len(names) or any(self.has_trait(n) or hasattr(type(self), n) for n in names):
            raise ValueError(f"controls: want names of their own that no widget uses already, got {names}")
        spec = compact(
            {
                "kind": kind,
                "name": name,
                "title": title,
                "caption": caption,
                "controls": [{"name": c.name, "label": c.label or c.name, **c.spec()} for c in controls],
                "start": {c.name: c.first for c in controls},
                "data": data,
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
        """The figure for the published page: its specification and state, brought to life by `js/page.js`."""
        spec = json.dumps({**self.spec, "state": compact(self.state)}, ensure_ascii=False, separators=(",", ":"))
        for character in "<>&":
            spec = spec.replace(character, f"\\u{ord(character):04x}")
        caption = html.escape(self.spec["caption"])
        return (
            f'<figure class="explorable" data-explorable="{self.spec["kind"]}" id="{self.spec["name"]}">'
            f'<script type="application/json">{spec}</script>'
            f"<p><strong>{html.escape(self.spec['title'])}</strong> — an interactive figure: it moves in the published "
            "book, and in a notebook as soon as its cell is run.</p>"
            f"<figcaption>{caption}</figcaption></figure>"
        )

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


def role(name: str, value: str) -> str:
    """The role, checked: it decides the colour."""
    return check.choice(name, value, ROLES)
