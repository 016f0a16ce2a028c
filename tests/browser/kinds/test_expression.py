"""What the page parses and computes of an expression is what Python's parser and `companion.recursive` say."""

import numpy as np
import pytest

from companion.figures import ExpressionTree
from companion.recursive import (
    ALPHABETS,
    balanced,
    chain,
    draw_expression,
    heights,
    parse,
    pending,
    spans,
)

from ..figures import show

example = ExpressionTree
RNG = np.random.default_rng(106)
FIXED = [
    *("True", "7", "not True and False", "True or False and False", "(True or False) and False", "not not(True)"),
    *("1 - 2 - 3", "2*(3-5)+7/2", "- -1", "+-2.5*-(3)", " ((4)) ", "8/4/2", "0 * -1.5", "99999999*99999999", "1/3"),
    *("True and not False and True or False", "0.1+0.2", "3*-2", "not (True and False) or False"),
]
DRAWN = [
    " ".join(draw_expression(int(RNG.integers(3, 24)), str(kind), RNG).tokens)
    for kind in RNG.choice(list(ALPHABETS), size=60)
]
# Rows of random symbols: most are no expressions, and the page must refuse exactly what Python refuses.
SYMBOLS = sorted({*ALPHABETS["arithmetic"], "/", "2.5"})
NOISE = [
    RNG.choice(["", " "]).join(RNG.choice(vocabulary, size=RNG.integers(0, 8)))
    for _ in range(250)
    for vocabulary in (SYMBOLS, sorted(ALPHABETS["logic"]), sorted({*SYMBOLS, *ALPHABETS["logic"], "x"}))
]
BAD = ["", "  ", "True and", "1 +", "x", "1 + True", "not 1", "(1", "1)", "()", "1 2", "2**3", "7//2", "01", "1.", ".5"]
BAD += [
    "True(False)",
    "1/0",
    "1/(2-2)",
    "2e3",
    "True if False else True",
    "1\t+ 2",
    "１",
    "Truefalse",
    "alert(1)",
    "1and 2",
]


def computed(page, texts):
    return page.evaluate("texts => texts.map(t => explorables.kinds.expression.compute(t))", texts)


def close(shown, label):
    """The same label, or the same number, rounded by another language."""
    if shown == label:
        return True
    return float(shown.replace("−", "-")) == pytest.approx(float(label.replace("−", "-")), rel=1e-3)


@pytest.mark.parametrize("texts", [FIXED, DRAWN], ids=["fixed", "drawn"])
def test_the_page_finds_the_trees_and_values_that_python_finds(page, texts):
    for text, there in zip(texts, computed(page, texts), strict=True):
        here = parse(text)
        assert there["ok"], f"{text}: {there}"
        assert (tuple(there["tokens"]), tuple(there["at"])) == (here.tokens, here.at), text
        assert there["value"] == pytest.approx(eval(text.strip()), rel=1e-9), text
        tau = len(here.tokens)
        of_span = dict(zip(spans(here.tree), here.values, strict=True))
        for name, tree in (("parse", here.tree), ("balanced", balanced(tau)), ("chain", chain(tau))):
            view = there["views"][name]
            assert [tuple(pair) for pair in view["merges"]] == list(tree.merges), f"{text}, {name}"
            assert view["height"] == heights(tree).tolist()
            for span, value, rest in zip(spans(tree), view["values"], view["pending"], strict=True):
                wanted = of_span.get(span)
                assert (value is None) == (wanted is None), f"{text}, {name}, tokens {span}"
                assert value is None or value == pytest.approx(wanted, rel=1e-9)
                assert isinstance(value, bool) == isinstance(wanted, bool)
                labels = pending(here, *span)
                assert len(rest) == len(labels)
                assert all(close(*pair) for pair in zip(rest, labels, strict=True)), f"{text}: {rest}, want {labels}"


def value_or_none(text):
    try:
        return parse(text).values[-1]
    except ValueError:
        return None


def test_the_page_refuses_exactly_what_python_refuses(page):
    verdicts = computed(page, NOISE + BAD)
    accepted = 0
    for text, there in zip(NOISE + BAD, verdicts, strict=True):
        value = value_or_none(text)
        assert there["ok"] == (value is not None), f"{text!r}: Python says {value}, the page {there}"
        if there["ok"]:
            accepted += 1
            assert there["value"] == pytest.approx(value, rel=1e-9)
        else:
            assert 0 <= there["at"] <= len(text)
            assert there["problem"]
    assert 30 < accepted < len(NOISE) / 2, "the noise should hold both"
    assert not any(v["ok"] for v in verdicts[len(NOISE) :])


@pytest.mark.parametrize("text", ["True and x", "1 + $", "3 + 1/(2-2)", "1 + True", "2.5.1", "1 + 2)"])
def test_the_page_names_the_position_that_python_names(page, text):
    with pytest.raises(ValueError, match=f"at position {computed(page, [text])[0]['at']}:"):
        parse(text)


def test_a_bad_text_leaves_the_last_good_tree_and_says_what_is_wrong(page):
    show(page, ExpressionTree())
    field, readout = page.locator("input[type=text]"), page.locator(".ex-readout")

    def look():
        page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        return page.locator("svg").inner_html()

    start = look()
    field.fill("2 * (1 + 3)")
    field.press("Enter")
    good = look()
    assert good != start and "the value 8" in readout.inner_text()
    field.fill("2 * (1 + ")
    field.press("Enter")
    assert 'opacity="0.35"' in look()
    assert look().replace(' opacity="0.35"', "") == good
    assert "At position" in readout.inner_text() and "2 * (1 + 3)" in readout.inner_text()
    page.locator("[data-reset]").click()
    assert look() == start


@pytest.mark.parametrize("options", [{"text": "1 +"}, {"example": "x"}, {"tree": "bush"}, {"text": "1" + "+1" * 24}])
def test_a_figure_that_could_not_be_drawn_is_refused(options):
    with pytest.raises(ValueError, match=r"text|tree"):
        ExpressionTree(**options)


def test_the_picture_follows_the_state_and_survives_a_bad_text():
    figure = ExpressionTree()
    first = figure.png()
    figure.text, figure.tree, figure.step = "1 + 2 * 3", "chain", 1
    second = figure.png()
    figure.text = "1 +"
    assert len({first, second, figure.png()}) == 3


TREE = """root => ({
    nodes: [...root.querySelectorAll("rect.ex-node")].map(r => ({ look: [...r.classList], words: r.nextElementSibling
        .textContent, x: +r.getAttribute("x") + r.getAttribute("width") / 2, y: +r.getAttribute("y") + 11 })),
    edges: [...root.querySelectorAll(".ex-edge")].map(g => [...["ex-off", "ex-hot"].map(c => g.classList.contains(c)),
        ...g.querySelector("path").getAttribute("d").match(/-?[\\d.]+/g).map(Number)]) })"""
FACES = {"True": "T", "False": "F", "*": "×", "-": "−", "/": "÷"}


@pytest.mark.parametrize("kind", ["parse", "balanced", "chain"])
@pytest.mark.parametrize("text", ["2 * (3 - 5) + 7 / 2", "not (True and False) or False"])
def test_at_every_step_the_tree_shows_the_nodes_that_are_computed_and_what_they_hold(page, text, kind):
    figure = show(page, ExpressionTree(text=text, tree=kind))
    here = parse(text)
    tau = len(here.tokens)
    tree = {"parse": here.tree, "balanced": balanced(tau), "chain": chain(tau)}[kind]
    labels = [[FACES.get(word, word) for word in pending(here, *span)] for span in spans(tree)]
    labels[:tau] = [[FACES.get(word, word)] for word in here.tokens]
    high = heights(tree)
    for step in range(tau):
        said = figure.put(step=step)
        drawn = figure.root.evaluate(TREE)
        for n, (node, label) in enumerate(zip(drawn["nodes"], labels, strict=True)):
            shown = n < tau + step
            long = len(" ".join(label)) > 12
            assert node["words"] == ("" if not shown else f"{len(label)} symbols" if long else " ".join(label))
            assert ("ex-off" in node["look"]) == (not shown)
            assert ("ex-hot" in node["look"]) == (step > 0 and n == tau + step - 1)
        xs, ys = ([node[k] for node in drawn["nodes"]] for k in "xy")
        assert xs[:tau] == sorted(xs[:tau])
        np.testing.assert_allclose(np.corrcoef(ys, high)[0, 1], -1, atol=1e-6)  # a level up is a level up
        wanted = [(c, n) for n, pair in enumerate(tree.merges, tau) for c in pair]
        for (off, hot, *ends), (child, n) in zip(drawn["edges"], wanted, strict=True):
            assert off == (n >= tau + step) and hot == (step > 0 and n == tau + step - 1)
            np.testing.assert_allclose(ends, [xs[child], ys[child], xs[n], ys[n]], atol=0.6)
        if step:
            left, right = (" ".join(labels[n]) for n in tree.merges[step - 1])
            assert f"Step {step}: “{left}” and “{right}” make" in said and " ".join(labels[tau + step - 1]) in said
        else:
            assert "Nothing merged yet" in said


@pytest.mark.parametrize("text", ["1 + 2", "1 + 2 * 3 - 4", "1 + 2 * 3 - 4 - 5"])
def test_leaves_stand_as_far_apart_as_a_narrow_screen_has_room_for(page, text):
    figure = show(page, ExpressionTree(text=text), 360)
    tau, width = len(parse(text).tokens), figure.root.evaluate("r => r.querySelector('svg').viewBox.baseVal.width")
    xs = [node["x"] for node in figure.root.evaluate(TREE)["nodes"][:tau]]
    assert width < 360, "the drawing is wider than the screen"
    assert min(np.diff(xs)) > min(60, 0.85 * width / tau) and 10 < min(xs) < max(xs) < width - 10


@pytest.mark.parametrize(
    ("text", "done", "cause"),
    [
        ("not (True and False) or False", False, "carry “not ( T”"),
        ("1 + 2 * 3 - 4 - 5", False, "carry “1 + 2”"),
        ("1 - 2 - 3", False, "only 2 operators"),
        ("1 +", False, "cannot be read"),
        ("8 / 4 / 2 - 3 - 5", True, "finds its left side done"),
        ("True and False and True or True or False", True, "finds its left side done"),
    ],
)
def test_the_goal_asks_for_a_text_that_a_chain_can_carry(page, text, done, cause):
    figure = show(page, ExpressionTree())
    field = page.locator("input[type=text]")
    field.fill(text)
    field.press("Enter")
    if value_or_none(text) is not None:
        here = parse(text)
        load = max(len(pending(here, *span)) for span in spans(chain(len(here.tokens))))
        signs = sum(token in {"and", "or", "not", *"+-*/"} for token in here.tokens)
        assert done == (load <= 2 and signs >= 4)
    reached, said = figure.check()
    assert reached == done and cause in said
