"""A net that writes: what the page computes is what the reference computes, and what it draws is what it computed."""

import re

import numpy as np
import pytest

from companion.cells.lstm import lstm_init
from companion.data.text import ALPHABET, fold
from companion.figures import Writer, assets
from companion.figures.kinds import KINDS
from companion.gated.characters import CharLSTM
from companion.speech.writer import Packed, draws, packed, stored_writer, unpacked, write

from ..figures import Figure, assert_close, show

K = len(ALPHABET)
WORDS = {"title": "A net writes", "caption": "A net of five units, drawn at random."}
WRITE = """([name, start, temperature, seed]) => {
    const view = [...explorables.mounted].at(-1);
    const made = explorables.kinds.writer.write(view.data, start, temperature, seed);
    return { text: made.text, yhat: made.yhat.map(p => [...p]) };
}"""

SIGNS = "all => all.map(e => [...['x', 'y', 'textLength'].map(a => e.getAttribute(a)), e.textContent])"
GROUNDS = "all => all.map(e => [e.getAttribute('d'), e.getAttribute('fill-opacity')])"


def weights(units: int = 5) -> Packed:
    """A random net whose outputs are far from even."""
    rng = np.random.default_rng(3)
    return packed(CharLSTM(lstm_init(K, units, rng), 3 * rng.normal(size=(K, units)), rng.normal(size=K)))


def example() -> Writer:
    """A random net of five units."""
    return Writer("writes", weights(), **WORDS)


def live(page, width=700, **state):
    """The example in a page of that width, in that state."""
    figure = example()
    show(page, figure)
    page.add_style_tag(content=assets.style(KINDS))
    page.evaluate("width => { document.body.style.width = `${width}px`; }", width)
    for name, value in state.items():
        setattr(figure, name, value)
    page.evaluate(
        "state => Object.entries(state).forEach(([k, v]) => [...explorables.mounted].at(-1).set(k, v))", state
    )
    seen = Figure(page, "writes")
    seen.look()
    return figure, seen


@pytest.mark.parametrize("seed", [1, 2, 17, 4_000_000_000])
def test_the_page_draws_the_same_random_numbers_to_the_bit(page, seed):
    live(page)
    there = page.evaluate(
        "seed => { const d = explorables.kinds.writer.draws(seed); return Array.from({ length: 500 }, () => d()); }",
        seed,
    )
    assert there == draws(seed, 500).tolist()


@pytest.mark.parametrize("temperature", [0, 0.3, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("net", ["random", "stored"])
def test_probabilities_are_the_references_to_six_digits_and_the_characters_are_its_own(page, net, temperature):
    taken = weights() if net == "random" else stored_writer()
    show(page, Writer("writes", taken, **WORDS))
    for start, seed in (("the ", 1), ("A (Naïve) Class", 9), ("x", 30)):
        ours = write(unpacked(taken), start, 200, temperature, seed)
        there = page.evaluate(WRITE, ["writes", start, temperature, seed])
        assert there["text"] == ours.text
        assert_close(there["yhat"], ours.yhat)


@pytest.mark.parametrize("start", ["The  Ünion", "tabs\tand\nlines", "“quoted” – it’s", "Ω≠7", "   "])
def test_a_start_is_folded_as_the_reference_folds_it(page, start):
    live(page)
    there = page.evaluate("([s, a]) => explorables.kinds.writer.folded(s, a)", [start, ALPHABET])
    assert there == fold(start)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("and so on and on and on and on", "on and"),
        ("it is the same the same the same", "the same"),
        ("aaaaaaaaaa", None),
        ("the the ", None),
        ("no two parts of this are alike", None),
    ],
)
def test_a_loop_is_a_stretch_with_a_space_that_ends_the_text_three_times(page, text, found):
    live(page)
    there = page.evaluate("text => explorables.kinds.writer.loop(text)", text)
    if found is None:
        assert there is None
    else:
        assert there is not None and sorted(there.split()) == sorted(found.split())


@pytest.mark.parametrize("width", [700, 359])
@pytest.mark.parametrize("t", [1, 90, 200])
def test_each_character_stands_on_a_ground_as_strong_as_its_probability(page, width, t):
    figure, seen = live(page, width, t=t)
    ours = write(unpacked(weights()), figure.start, 200, figure.temperature, figure.seed)
    chosen = np.array([p[ALPHABET.index(c)] for p, c in zip(ours.yhat, ours.text, strict=True)])[:t]
    signs = [  # (top, left) of each character's ground, and the character
        ((float(y) - 15, float(x) + float(wide) * k / len(words)), c)
        for x, y, wide, words in seen.root.locator(".ex-given, .ex-sign").evaluate_all(SIGNS)
        for k, c in enumerate(words)
    ]
    assert sorted(signs) == signs
    assert "".join(c for _, c in signs) == fold(figure.start) + ours.text[:t]
    strengths = {
        (float(y), float(x)): float(strength)
        for d, strength in seen.root.locator(".ex-ground").evaluate_all(GROUNDS)
        for x, y in re.findall(r"M([\d.]+) ([\d.]+)h9.6v20h-9.6z", d)
    }
    edge = seen.root.locator("svg").first.evaluate("e => e.viewBox.baseVal.width")
    assert max(x for _, x in strengths) + 9.6 <= edge
    np.testing.assert_allclose(sorted(strengths), [at for at, _ in signs[-t:]], atol=0.02)
    np.testing.assert_allclose([strengths[at] for at in sorted(strengths)], 0.55 * chosen, atol=0.55 / 50 + 0.006)


@pytest.mark.parametrize("begun", range(33, 38))
def test_no_line_is_wider_than_its_column_wherever_a_space_falls(page, begun):
    _, seen = live(page, 359, start="x" * begun + " ab", t=1)
    edge = seen.root.locator("svg").first.evaluate("e => e.viewBox.baseVal.width")
    for x, _, wide, words in seen.root.locator(".ex-given, .ex-sign").evaluate_all(SIGNS):
        assert float(wide) == pytest.approx(9.6 * len(words)) and float(x) + float(wide) <= edge


@pytest.mark.parametrize("t", [1, 57, 200])
def test_bars_are_as_long_as_the_likeliest_characters_probabilities_and_the_drawn_one_is_marked(page, t):
    figure, seen = live(page, t=t)
    ours = write(unpacked(weights()), figure.start, 200, figure.temperature, figure.seed)
    p, code = ours.yhat[t - 1], ALPHABET.index(ours.text[t - 1])
    bars = seen.root.locator("[data-p]").evaluate_all(
        "all => all.map(e => [+e.getAttribute('data-p'), +e.getAttribute('width')])"
    )
    shown = [int(k) for k, _ in bars]
    assert len(set(shown)) == 6 and code in shown
    assert set(np.argsort(-p)[:5]) <= set(shown)
    np.testing.assert_allclose([w for _, w in bars], [max(0.5, 360 * p[k]) for k in shown], atol=0.01)
    marked = seen.root.locator("text.ex-small").all_text_contents()
    name = "space" if ours.text[t - 1] == " " else ours.text[t - 1]
    assert [words for words in marked if words.startswith("▸")] == [f"▸ {name}"]


def test_the_read_out_says_what_was_written_and_how_sure_the_net_was(page):
    figure, seen = live(page, t=120)
    ours = write(unpacked(weights()), figure.start, 200, figure.temperature, figure.seed)
    said = seen.root.locator(".ex-readout").inner_text()
    chosen = np.array([p[ALPHABET.index(c)] for p, c in zip(ours.yhat, ours.text, strict=True)])[:120]
    assert said.startswith("Character 120, ")
    assert float(said.split("; ")[1].split(" bits")[0]) == pytest.approx(-np.log2(chosen).mean(), rel=5e-3)
    assert "".join(said.split("…")[1].split()) == "".join((ours.text[60:120] + "”").split())


def test_the_goal_is_reached_by_the_stored_net_without_chance_and_not_at_its_start(page):
    show(page, Writer("writes", stored_writer(), **WORDS))
    seen = Figure(page, "writes")
    assert not seen.check()[0]
    seen.put(temperature=0)
    done, said = seen.check()
    assert done and "goes round" in said


def test_a_start_that_is_too_long_or_empty_is_refused():
    for start in ("", "a" * 41):
        with pytest.raises(ValueError, match="characters of the start"):
            Writer("writes", weights(), start=start, **WORDS)
