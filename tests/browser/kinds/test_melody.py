"""A piano roll: notes stand where they sound, nothing sounds before a press, and what sounds is what is drawn."""

import re

import numpy as np
import pytest

from companion.figures import Choice, Goal, Melody, Range, Tune, assets
from companion.figures.kinds import KINDS
from companion.music import frequency

from ..figures import Figure, show

EIGHTH = 0.2
TUNES = {
    ("up", 1): Tune([(0, 12, 2), (2, 14, 2), (5, 16, 3), (8, 24, 8)], "It climbs."),
    ("up", 2): Tune([(1, 0, 1), (2, 3, 1), (8, 15, 4)], "It climbs from C4.", odd=[1]),
    ("down", 1): Tune([(0, 24, 4), (4, 12, 4), (8, 11, 8)], "It falls.", odd=[0, 2]),
    ("down", 2): Tune([(3, 7, 5), (12, 0, 4)], "It falls late."),
}


def example(**options) -> Melody:
    """Four melodies of two bars, chosen by two controls."""
    words = {"title": "Listen", "caption": "Four melodies.", "odd": "the odd ones"}
    controls = [Choice("way", ["up", "down"], "direction"), Range("draw", values=[1, 2], label="draw")]
    return Melody("tune", controls, TUNES, steps=16, bar=8, eighth=EIGHTH, **words, **options)


# An AudioContext that sounds nothing and writes down what it is asked for; its clock is set by hand.
RECORDER = """() => {
    globalThis.made = [];
    globalThis.AudioContext = class {
        constructor() { made.push(this); Object.assign(this, { voices: [], currentTime: 0, closed: false }); }
        createOscillator() {
            const voice = { frequency: {}, connect() {}, start: (s) => { voice.from = s; },
                stop: (s) => { voice.to = s; } };
            this.voices.push(voice);
            return voice;
        }
        createGain() {
            const none = () => {};
            const gain = { setValueAtTime: none, linearRampToValueAtTime: none, setTargetAtTime: none };
            return { gain, connect: none };
        }
        close() { this.closed = true; }
    };
}"""
VOICES = "() => made.at(-1).voices.map(v => [v.frequency.value, v.from, v.to])"
NOTES = """root => [...root.querySelectorAll(".ex-note")].map(n => { const b = n.getBBox();
    return [b.x, b.y + b.height / 2, b.width, n.classList.contains("ex-odd") ? 1 : 0]; })"""
LINES = """root => [...root.querySelectorAll("svg .ex-axis line")].map(l => +l.getAttribute("x1"))"""
LANES = (
    """root => [...root.querySelectorAll(".ex-lane")].map(l => { const b = l.getBBox(); return b.y + b.height / 2; })"""
)


def live(page, width=700, **options) -> Figure:
    page.evaluate(RECORDER)
    return show(page, example(**options), width)


def listen(figure: Figure) -> None:
    figure.root.locator("[data-listen]").click()


@pytest.mark.parametrize("width", [700, 359])
@pytest.mark.parametrize("at", TUNES)
def test_each_note_stands_at_its_step_and_pitch_and_is_as_long_as_it_sounds(page, at, width):
    figure = live(page, width)
    figure.put(way=at[0], draw=at[1])
    left, *_, right = figure.root.evaluate(LINES)
    wide = (right - left) / 16
    low, _, high = sorted(figure.root.evaluate(LANES), reverse=True)
    wanted = [
        [left + first * wide, low + (high - low) * pitch / 24, steps * wide - 1, int(i in TUNES[at].odd)]
        for i, (first, pitch, steps) in enumerate(TUNES[at].notes)
    ]
    np.testing.assert_allclose(figure.root.evaluate(NOTES), wanted, atol=0.1)


def test_nothing_sounds_before_the_button_is_pressed(page):
    figure = live(page)
    figure.put(way="down", draw=2, t=5)
    figure.by_keyboard("t")
    figure.reset()
    assert page.evaluate("made.length") == 0
    listen(figure)
    assert page.evaluate("made.length") == 1


@pytest.mark.parametrize("at", TUNES)
def test_a_press_schedules_the_frequencies_and_times_of_the_notes_that_are_drawn(page, at):
    figure = live(page)
    figure.put(way=at[0], draw=at[1])
    listen(figure)
    begin = 0.05
    wanted = [
        [frequency(pitch), begin + first * EIGHTH, begin + (first + steps) * EIGHTH]
        for first, pitch, steps in TUNES[at].notes
    ]
    np.testing.assert_allclose(page.evaluate(VOICES), wanted, rtol=1e-9)


def test_it_plays_from_the_cursor_on(page):
    figure = live(page)
    figure.put(t=6)
    listen(figure)
    wanted = [[frequency(16), 0.05, 0.05 + 3 * EIGHTH], [frequency(24), 0.05 + 3 * EIGHTH, 0.05 + 11 * EIGHTH]]
    np.testing.assert_allclose(page.evaluate(VOICES), wanted, rtol=1e-9)


def test_the_cursor_follows_what_is_heard_and_the_end_stops_it(page):
    figure = live(page)
    listen(figure)
    for t in (2, 9, 16):
        page.evaluate("s => { made[0].currentTime = s; }", 0.05 + (t - 0.5) * EIGHTH)
        figure.look()
        assert figure.state()["t"] == t
    assert not page.evaluate("made[0].closed")
    page.evaluate("s => { made[0].currentTime = s; }", 0.05 + 16.1 * EIGHTH)
    figure.look()
    assert page.evaluate("made[0].closed")
    assert figure.root.locator("[data-listen]").inner_text() == "▶ Listen"


@pytest.mark.parametrize("how", ["press", "other melody", "reset", "removed"])
def test_a_second_press_another_melody_a_reset_and_a_closed_figure_stop_it(page, how):
    figure = live(page)
    listen(figure)
    assert figure.root.locator("[data-listen]").inner_text() == "■ Stop"
    if how == "press":
        listen(figure)
    elif how == "other melody":
        figure.put(way="down")
    elif how == "reset":
        figure.reset()
    else:
        page.evaluate("[...explorables.mounted].at(-1).root.remove()")
        page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
    assert page.evaluate("[made.length, made[0].closed]") == [1, True]


def test_with_reduced_motion_it_sounds_and_the_cursor_rests(page):
    page.emulate_media(reduced_motion="reduce")
    figure = live(page)
    listen(figure)
    page.evaluate("() => { made[0].currentTime = 1; }")
    figure.look()
    assert page.evaluate("made[0].voices.length") == 4 and figure.state()["t"] == 1
    page.emulate_media(reduced_motion="no-preference")


RENDERED = """async ([notes, timing]) => {
    const audio = new OfflineAudioContext(1, 22050 * 4, 22050);
    explorables.kinds.melody.schedule(audio, notes, timing, 0, 0.1);
    return [...(await audio.startRendering()).getChannelData(0)];
}"""


def test_the_browser_makes_tones_of_these_frequencies_at_these_times(page):
    notes = [[0, 9, 4], [6, 21, 4]]  # A4 and A5
    sound = np.array(page.evaluate(RENDERED, [notes, {"eighth": EIGHTH, "steps": 16}]))
    for first, pitch, steps in notes:
        a, b = (round(22050 * (0.1 + s * EIGHTH)) for s in (first, first + steps))
        heard = np.abs(np.fft.rfft(sound[a:b], 1 << 17))
        assert heard.argmax() * 22050 / (1 << 17) == pytest.approx(frequency(pitch), rel=2e-3)
    silent = np.r_[sound[: round(0.09 * 22050)], sound[round(0.95 * 22050) : round(1.25 * 22050)]]
    assert np.abs(silent).max() < 1e-3 < 0.1 < np.abs(sound).max() < 0.3


def test_the_read_out_names_the_note_under_the_cursor_and_the_words_name_all(page):
    figure = live(page)
    assert figure.put(t=1) == "Step 1 of 16, bar 1: C5 begins. It climbs."
    assert figure.put(t=2) == "Step 2 of 16, bar 1: C5 goes on. It climbs."
    assert figure.put(t=5) == "Step 5 of 16, bar 1: nothing sounds. It climbs."
    assert figure.put(draw=2, t=3) == "Step 3 of 16, bar 1: E♭4 begins. It climbs from C4."
    figure.root.locator("summary").click()
    assert figure.root.locator(".ex-words").inner_text() == "Bar 1: C4 1, E♭4 1. Bar 2: E♭5 4."


@pytest.mark.parametrize("width", [700, 359])
def test_the_cursor_stands_in_the_middle_of_its_step_and_goes_where_one_presses(page, width):
    figure = live(page, width)
    left, *_, right = figure.root.evaluate(LINES)
    for t in (1, 7, 16):
        middle = left + (t - 0.5) * (right - left) / 16
        figure.press(middle, 60)
        assert figure.state()["t"] == t
        now = figure.root.locator(".ex-now").get_attribute("x1")
        assert float(now) == pytest.approx(middle, abs=0.1)


def test_a_bar_without_a_note_has_no_words(page):
    tune = Melody("empty", [Choice("way", ["one"])], {("one",): Tune([(8, 0, 1)])}, steps=16, title="", caption="")
    figure = show(page, tune)
    figure.root.locator("summary").click()
    assert figure.root.locator(".ex-words").inner_text() == "Bar 2: C4 1."


def test_a_goal_is_judged_by_the_choices(page):
    goal = Goal("make it fall.", lambda way: (way == "down", f"It goes {way}."))
    figure = live(page, goals=[goal])
    assert figure.check() == (False, "Not yet. It goes up.")
    figure.put(way="down")
    assert figure.check() == (True, "✓ Done. It goes down.")


def test_in_a_notebook_the_shown_notes_are_read_off_and_the_picture_has_them():
    figure = example()
    figure.way, figure.draw, figure.t = "down", 1, 4
    assert figure.tune == [list(note) for note in TUNES["down", 1].notes]
    (ax,) = figure.picture().axes
    bars = [(b.get_x(), b.get_y() + b.get_height() / 2, b.get_width()) for b in ax.patches]
    np.testing.assert_allclose(bars, TUNES["down", 1].notes)
    assert list(ax.lines[-1].get_xdata()) == [3, 3]


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        (Tune([(15, 0, 2)]), "want notes within 16 steps"),
        (Tune([(0, 25, 2)]), "pitches 0 … 24"),
        (Tune([(0, 5, 0)]), "want notes within"),
        (Tune([(0, 5, 3), (2, 5, 1)]), "want one note at a time"),
        (Tune([(0, 5, 3)], odd=[1]), "odd: want at most 0"),
    ],
)
def test_notes_that_no_roll_has_are_refused(tune, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Melody("m", [Choice("way", ["one"])], {("one",): tune}, steps=16, title="", caption="")


def test_a_start_without_a_melody_is_refused():
    with pytest.raises(ValueError, match="tunes: want a melody for the start"):
        Melody("m", [Choice("way", ["one", "two"])], {("two",): Tune([])}, title="", caption="")


def test_the_script_is_small():
    import gzip

    rest = [kind for kind in KINDS if kind != "melody"]
    whole, without = (len(gzip.compress(assets.page_script(kinds).encode())) for kinds in (KINDS, rest))
    assert whole - without < 2_500
