"""Section P.4: what a net that is not told can know, what a classifier hears, temperatures, frequencies, probabilities."""

import numpy as np

from companion.core.functions import softmax
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.music.genres import HOLD, LOWEST, REST, draw_melody, notes
from companion.music.sound import frequency
from companion.music.writing import tempered

# ---- self-test -------------------------------------------------------------------------------------------------


def _untold(rng: np.random.Generator) -> Asked:
    g = int(rng.choice([3, 4, 6, 8, 10]))
    return Asked(
        f"A collection has {g} genres, equally many melodies of each, and no melody fits two genres. A perfect model that "
        "is not told the genre needs more bits for a melody than a perfect one that is. How many more?",
        float(np.log2(g)),
        f"log₂ {g}: P(y) = P(y | g)/{g}, since the other genres give the melody the probability 0.",
        {
            float(g): "That is how many genres there are. A choice among them costs its logarithm.",
            float(np.log(g)): "Those are nats. A bit is a factor of 2.",
            0.0: "It has to find out the genre from the first notes, and until then it spreads its probability.",
            32 * float(np.log2(g)): "The genre is paid for once a melody, and not at each of its steps.",
        },
    )


UNTOLD = Numerical(
    id="P.4-untold",
    title="What it costs not to be told",
    ask=_untold,
    tolerance=0.01,
    hints=["Write P(y) as a sum over genres. How many of its terms are not zero?"],
    answer="log₂ of the number of genres, once a melody.",
)

WHICH_RULE = MultipleChoice(
    id="P.4-which-rule",
    title="The rule that is broken most",
    ask="A net keeps nearly every note in the scale, and yet breaks the form in most melodies. What makes the form the "
    "harder rule?",
    options=[
        Option(
            "A bar must be kept, note for note, until it is due again",
            "The scale can be seen from the genre alone, at each step. To repeat a bar the state has to hold what was "
            "written 8 to 24 steps before, all of it.",
            True,
        ),
        Option(
            "The form is told by the context, and the context fades",
            "The net is told the genre, and with it the form. What it has to remember is the bar that it wrote itself; no "
            "context holds that.",
        ),
        Option(
            "The classifier does not hear the form, so nothing trains it",
            "No net is trained by the classifier. All are trained on melodies that keep the form, symbol by symbol.",
        ),
        Option(
            "The form has more bits of information than the scale",
            "A repeated bar adds no bit at all: under the rules it is certain. That is why it is expensive to miss it.",
        ),
    ],
    hints=["What must the state hold so that the next symbol is in the scale? And so that it is that of bar 1?"],
    answer="It asks for memory: the whole bar has to be kept for 8 to 24 steps.",
)

SOUNDS_RIGHT = MultipleChoice(
    id="P.4-sounds-right",
    title="All of them sound right",
    ask="A classifier that hears shares of notes, moves and beats takes 99 % of the melodies of a k-gram model for the "
    "genre that was asked for. What follows?",
    options=[
        Option(
            "Notes, moves and beats have that genre's shares",
            "That is all it hears; form and end are not among it.",
            True,
        ),
        Option(
            "They keep the rules of the genre",
            "Count it: most of them break the form. The classifier never hears the order of the bars.",
        ),
        Option(
            "They were copied from the melodies that were counted",
            "A copy would be judged right, too, but so is a new melody. Whether it is a copy has to be looked up.",
        ),
        Option(
            "The k-grams are as good a model of the genre as a net",
            "The share is at its ceiling for both and can tell no more. Bits a melody still tell them apart.",
        ),
    ],
    answer="Only that the shares are right. A measure at its ceiling says nothing about what it does not hear.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _bars(rng: np.random.Generator) -> Asked:
    form = str(rng.choice(["AABA", "ABAB", "AAAB", "ABAC", "ABCA"]))
    letters = len(set(form))
    return Asked(
        f"A genre has the form {form}. Each of its bars has one of two equally likely rhythms of four notes, each note one "
        "of four equally likely pitches. How many bits does a melody have? (There is no rule about the last note.)",
        9.0 * letters,
        f"{letters} different bars, each with 1 bit of rhythm and 4 · 2 bits of pitch; a repeated bar adds none.",
        {
            36.0: "That counts each bar. A bar that repeats another is certain once the first is known.",
            8.0 * letters: "The rhythm has two values: one bit more for each new bar.",
            9.0: "That is one bar. How many different ones does the form have?",
            3.0 * letters: "That is 1 bit of rhythm and 2 bits of pitch: one note. A bar has four.",
        },
    )


BITS = Numerical(
    id="P.4-bits",
    title="The bits of a form",
    stars=1,
    minutes=8,
    ask=_bars,
    tolerance=0.001,
    hints=["How many different letters has the form?", "One bar: log₂ 2 for the rhythm and 4 log₂ 4 for its pitches."],
    answer="Nine bits for each different letter.",
)

HERTZ = Implement(
    "P.4-hertz",
    reference=lambda k: frequency(k),
    cases=lambda rng: [(rng.integers(0, 25, size=n),) for n in (1, 4, 9)],
    wrong=[
        Wrong(
            "octave of eight",
            lambda k: 440 * 2 ** ((np.asarray(k) - 9) / 8),
            "an octave of eight steps. It has eight white keys with both its ends, but twelve semitones.",
        ),
        Wrong(
            "from A4",
            lambda k: 440 * 2 ** (np.asarray(k) / 12),
            "pitches counted from A4. Here k = 0 is C4, and A4 is k = 9.",
        ),
        Wrong(
            "linear",
            lambda k: 440 * (1 + (np.asarray(k) - 9) / 12),
            "equal steps in hertz. The ear hears equal ratios as equal steps: each semitone is a factor.",
        ),
        Wrong(
            "downwards",
            lambda k: 440 * 2 ** ((9 - np.asarray(k)) / 12),
            "frequencies that fall as the pitch rises. Look at the sign in the exponent.",
        ),
    ],
)


def _no_axis(o: np.ndarray, T: float) -> np.ndarray:
    return np.exp(o / T) / np.exp(o / T).sum()


TEMPER = Implement(
    "P.4-temper",
    reference=tempered,
    cases=lambda rng: [(3 * rng.normal(size=(n, 6)), float(T)) for n, T in ((2, 0.5), (3, 2.0), (4, 0.8))],
    wrong=[
        Wrong(
            "times T",
            lambda o, T: softmax(o * T),
            "a temperature that multiplies. At T < 1 the probabilities should come out sharper; yours are flatter.",
        ),
        Wrong(
            "after softmax",
            lambda o, T: (softmax(o) / T) / (softmax(o) / T).sum(axis=-1, keepdims=True),
            "a division after the softmax, which the normalisation undoes: the same probabilities at each temperature.",
        ),
        Wrong(
            "softmax twice",
            lambda o, T: softmax(softmax(o) / T),
            "a softmax of probabilities. What is divided by T are the outputs o, before they become probabilities.",
        ),
        Wrong(
            "one sum",
            _no_axis,
            "one sum over all rows. Each row is a distribution of its own.",
        ),
    ],
)


def _sounding(y: np.ndarray) -> np.ndarray:
    return np.array(notes(y)).reshape(-1, 3)


def _listed(y: np.ndarray, rests: bool = True, length: bool = True, low: int = LOWEST) -> np.ndarray:
    found: list[list[int]] = []
    held = False
    for t, symbol in enumerate(y):
        if symbol >= LOWEST:
            found.append([t, int(symbol) - low, 1])
            held = True
        elif symbol == HOLD and held and length:
            found[-1][2] += 1
        elif symbol == REST:
            if not rests and held:
                found[-1][2] += 1
            held = held and not rests
    return np.array(found).reshape(-1, 3)


def _cases(rng: np.random.Generator) -> list[tuple]:
    from companion.music.genres import GENRES

    return [(draw_melody(GENRES[name], rng),) for name in ("blues off the beat", "minor runs", "whole-tone drift")]


NOTES = Implement(
    "P.4-notes",
    reference=_sounding,
    cases=_cases,
    wrong=[
        Wrong(
            "no length",
            lambda y: _listed(y, length=False),
            "notes of one step each. A hold makes the note before it a step longer.",
        ),
        Wrong(
            "through rests",
            lambda y: _listed(y, rests=False),
            "notes that sound on through rests. A rest ends the note before it.",
        ),
        Wrong(
            "symbols",
            lambda y: _listed(y, low=0),
            "symbols where pitches are wanted: symbol 2 + k is k semitones above C4.",
        ),
    ],
)

WRITER = FindBug(
    id="P.4-writer",
    title="A writer without ears",
    stars=2,
    minutes=6,
    ask="The function should draw a melody of the genre x from a trained net, told at every step. It runs. The melodies "
    "have plausible notes, but they wander: no two neighbours fit each other. Which line is wrong?",
    code="""\
def write(p, x, rng):
    h, z, y = np.zeros(len(p.b)), np.zeros(len(p.c)), []
    for t in range(32):
        h = np.tanh(p.b + p.W @ h + p.U @ z + x @ p.R)
        yhat = softmax(p.c + p.V @ h)
        y.append(rng.choice(len(yhat), p=yhat))
        z = yhat
    return y""",
    line=7,
    lines={
        2: "State and last symbol begin at zero: nothing was written yet.",
        4: "The context comes in at every step; so it was trained.",
        5: "The probabilities of the next symbol, at temperature 1.",
        6: "Drawing from the probabilities is what ancestral sampling does.",
    },
    reasons=[
        Option(
            "The net must read the symbol that was drawn, one-hot",
            "It reads the probabilities instead, an average of all that it might have written. The next step then knows "
            "nothing of the choice: `z = np.eye(len(yhat))[y[-1]]`.",
            True,
        ),
        Option(
            "In training the net reads the target, so z must be the target's symbol",
            "That is teacher forcing. When the net writes alone there is no target.",
        ),
        Option(
            "z must be reset to zero at every step",
            "Then the net reads nothing at all of what it wrote.",
        ),
        Option(
            "z must be the largest probability's symbol, whatever was drawn",
            "Then it reads a note that nobody heard whenever the draw was another.",
        ),
    ],
    hints=["What does the next step know of the note that was drawn?"],
    answer="Line 7: `z = np.eye(len(yhat))[y[-1]]`. The choice has to enter the state, or the chain rule is not followed.",
)

TRIAL = Parsons(
    id="P.4-trial",
    title="A fair comparison",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that the three ways in are compared fairly. Leave out what does not belong.",
    code="""\
learn, choose, held = draw(3000), draw(500), draw(500)
for way in WAYS:
    tried = {r: bits(train(way, r, learn, seed=9), choose) for r in RATES}
    rate = min(tried, key=tried.get)
    nets = [train(way, rate, learn, seed=s) for s in (0, 1, 2)]
    print(way, [bits(net, held) for net in nets])""",
    rules=[
        Rule(1, 2, "The melodies are drawn once, before the ways are gone through: all ways get the same."),
        Rule(2, 3, "Each way has rates of its own to choose from."),
        Rule(3, 4, "A rate is chosen among those that were tried."),
        Rule(4, 5, "The nets that count are trained with the rate that was chosen."),
        Rule(5, 6, "What is printed is measured on trained nets."),
    ],
    extra={
        "    rate = min(RATES, key=lambda r: bits(train(way, r, learn, 0), held))": "That chooses on held-out melodies: "
        "what they then say of the net is no longer about melodies that nobody looked at.",
        "    learn = draw(3000)": "Each way would learn from other melodies.",
    },
    hints=["Which of the three sets may be looked at before the end?"],
    answer="Draw once; for each way choose the rate on the second set; train new nets; judge them on the third.",
)

EXERCISES = [UNTOLD, WHICH_RULE, SOUNDS_RIGHT, BITS, HERTZ, TEMPER, NOTES, WRITER, TRIAL]
