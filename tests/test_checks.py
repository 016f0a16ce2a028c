"""What a public function's annotations declare is what its arguments become, or a clear error."""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pytest

from companion.core.checks import Classes, Count, Positive, Probability, array, checked


class Map(NamedTuple):
    """Toy parameters."""

    W: Annotated[np.ndarray, "n_o", "n_x"]
    b: Annotated[np.ndarray, "n_o"]


class Scale(NamedTuple):
    """Toy parameters of another kind."""

    s: Annotated[np.ndarray, "n_x", (0, None)]


def even(name: str, value: int) -> int:
    """What a range cannot say."""
    if value % 2:
        raise ValueError(f"{name}: want an even number, got {value}")
    return value


@checked
def door(
    p: Map | Scale,
    x: Annotated[np.ndarray, "tau", "n_x"],
    y: Annotated[np.ndarray, "tau", Classes(3)] | None = None,
    M: Annotated[np.ndarray, "n", "n"] | None = None,
    k: Count = 1,
    w: Annotated[np.ndarray, "k", (0, 1)] | None = None,
    v: Positive = 1.0,
    share: Probability = 0.5,
    pair: Annotated[int, even] = 2,
    way: Literal["there", "back"] = "there",
    rng: np.random.Generator | None = None,
    f: Callable[[float], float] = abs,
    loud: bool = False,
    name: str = "",
    anything: object = None,
) -> dict:
    """Hand back what came through."""
    return dict(locals())


MAP = Map(np.ones((2, 3)), np.zeros(2))
X = [[1, 2, 3]] * 4


def test_what_is_declared_is_what_comes_through():
    out = door(MAP, X, [0, 1, 2, 0], w=[1], anything="x")
    assert out["x"].shape == (4, 3) and out["x"].dtype == np.float64 and isinstance(out["p"], Map)
    assert out["y"].tolist() == [0, 1, 2, 0] and out["M"] is None and out["anything"] == "x"
    assert isinstance(door(Scale(np.ones(3)), X)["p"], Scale)
    assert door.__name__ == "door" and door.__doc__


@pytest.mark.parametrize(
    ("message", "call"),
    [
        (r"x: want shape \(tau, 3\), got \(4, 2\)", lambda: door(MAP, np.ones((4, 2)))),
        (r"x: want a sequence of at least one step", lambda: door(MAP, np.ones((0, 3)))),
        (r"x: want finite numbers, got nan at index \(1, 2\)", lambda: door(MAP, [[1, 2, 3], [1, 2, np.nan]])),
        (r"p\.b: want shape \(2,\), got \(3,\)", lambda: door(MAP._replace(b=np.ones(3)), X)),
        (r"p: want Map or Scale, got 3", lambda: door(3, X)),
        (r"p\.s: want numbers of at least 0, got -1", lambda: door(Scale([1, -1, 1]), X)),
        (r"y: want shape \(4,\)", lambda: door(MAP, X, [0])),
        (r"y: want classes in 0 … 2, got 3", lambda: door(MAP, X, [0, 1, 2, 3])),
        (r"M: want shape \(2, 2\), got \(2, 3\)", lambda: door(MAP, X, M=np.ones((2, 3)))),
        (r"k: want at least 1, got 0", lambda: door(MAP, X, k=0)),
        (r"w: want shape \(2,\), got \(3,\)", lambda: door(MAP, X, k=2, w=np.ones(3))),
        (r"w: want numbers in \[0, 1\], got 2", lambda: door(MAP, X, w=[2])),
        (r"v: want a number above 0", lambda: door(MAP, X, v=0)),
        (r"share: want at most 1", lambda: door(MAP, X, share=1.5)),
        (r"pair: want an even number, got 3", lambda: door(MAP, X, pair=3)),
        (r"pair: want an integer, got 2.5", lambda: door(MAP, X, pair=2.5)),
        (r"way: want one of 'there', 'back'", lambda: door(MAP, X, way="up")),
        (r"rng: want a numpy.random.Generator, got int", lambda: door(MAP, X, rng=3)),
        (r"f: want a function, got 3", lambda: door(MAP, X, f=3)),
        (r"loud: want one of True, False, got 1", lambda: door(MAP, X, loud=1)),
        (r"name: want text, got 3", lambda: door(MAP, X, name=3)),
    ],
)
def test_anything_else_is_refused_by_name(message, call):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


DIGITS = np.array(["1", 2], dtype=object)


@pytest.mark.parametrize(
    "x", [["1", "2"], [b"1"], DIGITS, [1 + 2j], np.array(["2020-01-01"], "datetime64[D]"), [[1], [2, 3]]]
)
def test_what_only_looks_like_numbers_is_refused(x):
    with pytest.raises(ValueError, match=r"^x: want numbers of shape \(n,\), got"):
        array("x", x, ("n",))


def test_exact_numbers_and_truths_are_numbers():
    assert array("x", [Fraction(1, 2), 10**30, True], ("n",)).tolist() == [0.5, 1e30, 1]


def test_types_that_only_a_checker_imports_are_let_through():
    @checked
    def door(x: "torch.Tensor", n: Count) -> "torch.Tensor":  # noqa: F821
        return x * n

    assert door(2, 3) == 6
    with pytest.raises(ValueError, match="^n: want at least 1"):
        door(2, 0)


def test_parameters_of_many_nets_have_an_axis_in_front():
    @checked
    def stack(p: Annotated[Map, "S"], x: Annotated[np.ndarray, "S", "n_x"]) -> tuple[int, ...]:
        return p.W.shape + x.shape

    many = Map(np.ones((5, 2, 3)), np.zeros((5, 2)))
    assert stack(many, np.ones((5, 3))) == (5, 2, 3, 5, 3)
    with pytest.raises(ValueError, match=r"^p\.b: want shape \(5, 2\), got \(4, 2\)"):
        stack(many._replace(b=np.zeros((4, 2))), np.ones((5, 3)))
    with pytest.raises(ValueError, match=r"^x: want shape \(5, 3\)"):
        stack(many, np.ones((4, 3)))


def test_a_kind_of_the_declared_parameters_stays_what_it_is():
    class Doubled(Map):
        pass

    assert type(door(Doubled(*MAP), X)["p"]) is Doubled


def test_an_empty_sequence_of_classes_is_refused_also_where_it_comes_first():
    @checked
    def first(y: Annotated[np.ndarray, "tau", Classes(3)]) -> int:
        return len(y)

    assert first([0, 2]) == 2
    with pytest.raises(ValueError, match="^y: want a sequence of at least one step"):
        first([])


def test_arguments_that_do_not_fit_the_signature_are_pythons_own_error():
    with pytest.raises(TypeError, match="missing a required argument"):
        door(MAP)
    with pytest.raises(TypeError, match="unexpected keyword"):
        door(MAP, X, nothing=1)
