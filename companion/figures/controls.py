"""The controls that a figure can have; each becomes a trait of it, and a row beneath its drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets


@dataclass(frozen=True)
class Range:
    """A slider. With `values` it steps through them; else from `minimum` to `maximum` by `step`.

    `texts` name the values in words; `play` gives step and play buttons, with that many milliseconds a step; with
    `swing`, play runs back when it starts at the end.
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
    swing: bool = False

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

    @property
    def places(self) -> list[float]:
        """All values that it can have."""
        count = round((self.maximum - self.minimum) / self.step) + 1
        return list(self.values) if self.values else [self.minimum + k * self.step for k in range(count)]

    def spec(self) -> dict[str, Any]:
        """What the page needs to know of it."""
        bounds = {"min": self.minimum, "max": self.maximum, "step": self.step}
        return {
            "type": "range",
            **({"values": list(self.values)} if self.values else bounds),
            **({"texts": list(self.texts)} if self.texts else {}),
            **({"play": self.play} if self.play else {}),
            **({"swing": True} if self.swing else {}),
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

    @property
    def places(self) -> list[Any]:
        """All values that it can have."""
        return list(self.options)

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
