"""The style is one, colours are legible, labels stand where they say, and source is shown as it runs."""

import matplotlib

matplotlib.use("agg")

import inspect
import re
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb

from companion.core import checks as validation
from companion.figures import colors, plotting

from .conftest import ROOT


@pytest.fixture(autouse=True)
def figure():
    with plt.rc_context():
        plotting.use_style()
        yield plt.subplots()[1]
        plt.close("all")


# How eyes that lack one kind of cones see linear RGB (Machado, Oliveira and Fernandes, 2009).
SIGHT = {
    "all cones": np.eye(3),
    "no red cones": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "no green cones": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9690]],
}
# Linear RGB to OKLab, where equal distances look equally far apart (Ottosson, 2020).
TO_LMS = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
TO_LAB = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]


def linear(color):
    return np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)])


def contrast(color, paper="white"):
    low, high = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (color, paper))
    return (high + 0.05) / (low + 0.05)


def seen(color, sight):
    return TO_LAB @ np.cbrt(TO_LMS @ np.clip(SIGHT[sight] @ linear(color), 0, 1))


PAPERS = [(colors.COLORS, "#ffffff"), *((colors.DARK, dark) for dark in ("#121212", "#14181e", "#222832"))]


@pytest.mark.parametrize(("roles", "paper"), PAPERS, ids=[paper for _, paper in PAPERS])
def test_every_role_reads_on_its_paper_and_apart_from_the_others_without_red_or_green_cones(roles, paper):
    assert {role: contrast(color, paper) for role, color in roles.items() if contrast(color, paper) < 3} == {}
    for sight in SIGHT:
        for a, b in combinations(roles, 2):
            apart = np.linalg.norm(seen(roles[a], sight) - seen(roles[b], sight))
            assert apart > 0.075, f"{a} and {b} look alike with {sight}: {apart:.3f}"


def test_the_style_draws_in_the_colours_of_the_book():
    cycle = {c.lower() for c in plt.rcParams["axes.prop_cycle"].by_key()["color"]}
    assert {to_hex("#" + c.lstrip("#")) for c in cycle} == {c.lower() for c in plotting.COLORS.values()}


def test_the_colours_of_the_book_stand_in_one_file():
    known = {color.lower() for color in (*colors.COLORS.values(), *colors.DARK.values())}
    files = [*ROOT.glob("companion/**/*.py"), *ROOT.glob("companion/**/*.css"), *ROOT.glob("companion/**/*.js")]
    files += [*ROOT.glob("companion/**/*.mplstyle"), *ROOT.glob("book/style/*.css")]
    assert len(files) > 50
    for file in set(files) - {Path(colors.__file__)}:
        again = known & set(re.findall(r"#[0-9a-f]{6}\b", file.read_text("utf-8").lower()))
        assert not again, f"{file} repeats {again}"
    swatches = re.findall(r"background:(#[0-9A-F]{6})", (ROOT / "book" / "notation.md").read_text("utf-8"))
    assert sorted(swatches) == sorted(colors.COLORS.values())  # the page that names them


@pytest.mark.parametrize(
    "size", ["font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"]
)
def test_the_style_is_legible_in_a_column_of_350_pixels(size):
    points = 72 * plt.rcParams["figure.figsize"][0]
    assert plt.rcParams[size] * 350 / points >= 8.5  # css pixels


@settings(max_examples=20)
@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_ink_reads_on_white_and_leaves_dark_colours_alone(rgb):
    color = to_hex(rgb)
    assert contrast(plotting.ink(color)) >= 4.45
    if contrast(color) >= 4.5:
        assert plotting.ink(color) == color


def test_a_label_stands_at_its_point_in_its_colour(figure):
    label = plotting.label_line(figure, 1.5, -2, "state", "state")
    assert label.xy == (1.5, -2) and label.get_text() == "state"
    assert label.get_color() == plotting.ink(plotting.COLORS["state"])


def test_a_band_draws_every_run_and_their_median(figure):
    x, ys = np.arange(4), np.random.default_rng(0).normal(size=(5, 4))
    plotting.band(figure, x, ys, "loss", "five seeds")
    *runs, middle = [line.get_ydata() for line in figure.lines]
    assert np.array_equal(runs, ys) and np.array_equal(middle, np.median(ys, axis=0))
    assert [t.get_text() for t in figure.texts] == ["five seeds"] and figure.texts[0].xy == (3, middle[-1])


def test_a_label_beyond_the_axes_is_not_cut_off(figure, tmp_path):
    figure.plot([0, 1], [0, 1])
    label = plotting.label_line(figure, 1, 1, "a rather long label", "input")
    figure.figure.canvas.draw()
    assert label.get_window_extent().x1 <= figure.figure.get_tightbbox().x1 * figure.figure.dpi + 1


def shown(monkeypatch, *objects, **options):
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    plotting.show_source(*objects, **options)
    (output,) = outputs
    assert repr(output) == "<IPython.core.display.Markdown object>"  # no address: the same on every run
    return output.data


def test_source_is_shown_as_it_runs(monkeypatch):
    text = shown(monkeypatch, validation.choice, docstring=True)
    assert text == "```python\n" + inspect.getsource(validation.choice).rstrip() + "\n```"


def test_source_is_shown_with_one_line_of_docstring(monkeypatch):
    text = shown(monkeypatch, validation.choice, validation.probability)
    assert '"""Return `value` if it is one of `options`."""' in text and "Raises" not in text
    assert "def choice" in text and "def probability" in text
    body = text.removeprefix("```python\n").removesuffix("\n```")
    scope = dict(vars(validation))
    exec(body, scope)
    assert scope["choice"]("x", 1, (1, 2)) == 1


@pytest.mark.parametrize("bad", [(), (3,), (len,)])
def test_what_has_no_source_is_refused(bad):
    with pytest.raises(ValueError, match="^objects: want"):
        plotting.show_source(*bad)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", lambda ax: plotting.label_line(ax, float("nan"), 0, "a", "state")),
        ("y", lambda ax: plotting.label_line(ax, 0, None, "a", "state")),
        ("color", lambda ax: plotting.label_line(ax, 0, 0, "a", "no colour")),
        ("x", lambda ax: plotting.band(ax, [], [[]], "state")),
        ("ys", lambda ax: plotting.band(ax, [1, 2], [[1, 2, 3]], "state")),
        ("ys", lambda ax: plotting.band(ax, [1, 2], [[1, np.nan]], "state")),
    ],
)
def test_bad_arguments_are_named(figure, name, call):
    with pytest.raises(ValueError, match=f"^{name}: want"):
        call(figure)


SHOWN = '''@checked
def shown(
    p: RNN,
    x: Annotated[np.ndarray, "tau", "n_x"],  # a comment: with a colon
    y: np.ndarray,
    n: int,
    h0: np.ndarray | None = None,
) -> dict[str, int]:
    """One sentence."""
    p, x = _checked(p, x)
    n, k = integer("n", n, 1), len(p.c)
    y = check.targets("y", y, len(x), k)
    choice("way", n, (1, 2))
    if len(x) > n:
        raise ValueError("x: want fewer")
    below, h = sequence("x", x, n), []
    # h = tanh(x)
    h = np.tanh(array("h0", h0, (n,)))
    if n == 1:
        h = -h
    return read(h, number("n", n))
'''
BARE = '''def shown(p, x, y, n, h0=None):
    """One sentence."""
    k = len(p.c)
    below, h = x, []
    # h = tanh(x)
    h = np.tanh(h0)
    if n == 1:
        h = -h
    return read(h, n)
'''


def test_a_reader_is_shown_the_equations_without_the_checks():
    assert plotting._without_checks(SHOWN) == BARE
    assert plotting._without_checks(BARE) == BARE


def test_what_is_shown_fits_the_page():
    long = "word " * 30
    source = f'def f(x):\n    """{long}end."""\n    y = x + 1  # {long}\n    # {long}\n    return y'
    shown = plotting._narrow(source)
    assert max(map(len, shown.split("\n"))) <= plotting.WIDTH
    assert shown.count("word") == source.count("word")
    space = {}
    exec(shown, space)
    assert space["f"](1) == 2 and space["f"].__doc__.split() == [*long.split(), "end."]


def test_what_is_shown_without_checks_computes_what_the_source_computes():
    from companion.cells.rnn import rnn_init
    from companion.longterm import powers

    source = plotting._without_checks(plotting._shorten_docstrings(plotting._source(powers.power_norms)))
    space = dict(vars(powers))
    exec(source, space)
    W = rnn_init(1, 3, 1, np.random.default_rng(0)).W
    assert np.array_equal(space["power_norms"](W, 5), powers.power_norms(W, 5))
