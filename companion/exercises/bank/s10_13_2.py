"""Section 10.13.2: where a head goes, what a pen leaves behind, and what cutting can show."""

from math import pi, sqrt

import numpy as np

from companion.core.functions import softmax
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.memory import address_by_content, memory_read, memory_write, shift

# ---- self-test -------------------------------------------------------------------------------------------------

ROUND = MultipleChoice(
    id="10.13.2-round",
    title="N steps on",
    ask="On a tape of N cells, a head gets g = 0, s = (0, 0, 1) and γ = 1 for N steps. Where is it then?",
    options=[
        Option(
            "Where it was, whatever its weighting",
            "N rolls by one on a circle of N cells are the identity, for any weighting and not only for a one-hot.",
            True,
        ),
        Option(
            "Where it was, if its weighting was one-hot; otherwise it is blurred",
            "A one-hot shift blurs nothing: it rolls the weighting as it is, however broad.",
        ),
        Option(
            "At the last cell, where the tape ends",
            "The tape is a circle: from the last cell the head goes on to the first.",
        ),
        Option(
            "Nowhere: with g = 0 the head stays in its place",
            "The gate chooses between content and place. The shift comes after it, and moves what it left.",
        ),
    ],
    answer="Back where it was: indices count modulo N.",
)

COSINE = MultipleChoice(
    id="10.13.2-cosine",
    title="Why the cosine",
    ask="Why does a head compare its key with the cells by the cosine and not by the dot product?",
    options=[
        Option(
            "So that the length of a cell's vector does not count",
            "With a dot product a long cell comes first or last for most keys, whatever it says. How sharp the choice is, "
            "β decides.",
            True,
        ),
        Option(
            "So that the scores are positive, as a softmax needs them",
            "A softmax takes any numbers, and a cosine can be negative, too.",
        ),
        Option(
            "So that it costs less: the key need not be multiplied out with every cell",
            "It costs more, since it needs the same products and the lengths besides.",
        ),
        Option(
            "So that the weights can be one-hot, which a dot product never reaches",
            "Neither reaches it. A bounded cosine is farther from it: without a strength β its softmax stays broad.",
        ),
    ],
    hints=["Give one cell a vector ten times as long as the others. For which keys does it win?"],
    answer="The cosine asks for the direction alone. With dot products, whoever writes large numbers is found first.",
)

NO_STATE = MultipleChoice(
    id="10.13.2-no-state",
    title="Not the first one",
    ask="Our controller has no state. How can it know that the vector it hears is not the first one?",
    options=[
        Option(
            "From what was read at the step before",
            "Before step 1 that is zero, afterwards it is not. With zeros in its place, the machines take every vector "
            "for the first.",
            True,
        ),
        Option(
            "From the weightings, which have moved on since step 1",
            "They have, and they are carried from step to step. But the controller is not shown them: it gets x and r.",
        ),
        Option(
            "From its tanh layer, which keeps a trace of earlier inputs",
            "h⁽ᵗ⁾ depends on x⁽ᵗ⁾ and r⁽ᵗ⁻¹⁾ only. Nothing of h⁽ᵗ⁻¹⁾ goes on.",
        ),
        Option(
            "From the input, in which later vectors are marked",
            "All vectors look alike. Only their end has a mark.",
        ),
    ],
    hints=["Which arrows lead into the controller?"],
    answer="Only through r⁽ᵗ⁻¹⁾. A controller without a state keeps even “it has begun” on its tape.",
)


def _share(rng: np.random.Generator) -> Asked:
    g = float(rng.choice([0.8, 0.75, 0.9]))
    s = [(0.1, 0.2, 0.7), (0.05, 0.35, 0.6), (0.15, 0.05, 0.8)][int(rng.integers(3))]
    return Asked(
        f"The head stood at cell 3. By content, all of its weight goes to cell 6. The gate is g = {g}, the shift "
        f"s = {s} over the moves −1, 0 and +1. Which share gets cell 7 before sharpening?",
        g * s[2],
        f"Cell 6 has {g} after the gate, and {s[2]} of it moves on by one. Nothing of cell 3 comes so far.",
        {
            s[2]: "That leaves out the gate: only a part of the head follows the content.",
            g * s[0]: "That is cell 5. The last entry of s is the share that moves up by one.",
            (1 - g) * s[2]: "That is the gate the other way round: g = 1 goes by content, g = 0 stays.",
            g: "That is cell 6 before the move.",
        },
    )


SHARE = Numerical(
    id="10.13.2-share",
    title="Gate, then shift",
    ask=_share,
    tolerance=0.005,
    hints=["What has cell 6 after the gate?", "Which part of it moves by +1?"],
    answer="The share of cell 6 after the gate, g, times the share of s that moves by +1.",
)


def _minus(v: float) -> str:
    return f"{v:g}".replace("-", "−")


def _written(rng: np.random.Generator) -> Asked:
    M, w = float(rng.choice([0.8, 0.6, -0.4])), float(rng.choice([0.5, 0.25]))
    e, a = float(rng.choice([1.0, 0.8])), float(rng.choice([-0.5, 0.9]))
    value = M * (1 - w * e) + w * a
    return Asked(
        f"A number on the tape is {_minus(M)}. The pen has the share w = {w} of its cell and is told to erase e = {e} and to add "
        f"a = {_minus(a)}. What is the number then?",
        value,
        f"{_minus(M)} · (1 − {w} · {e}) + {w} · ({_minus(a)}).",
        {
            M * (1 - e)
            + a: "That is a pen with all its weight on this cell. It has only the share w: erasing and adding "
            "are weighted.",
            M * (1 - w * e) + a: "What is added is weighted by the share, too.",
            (M + w * a) * (1 - w * e): "That adds first, and then erases part of what was just added.",
        },
    )


WRITTEN = Numerical(
    id="10.13.2-written",
    title="A soft pen",
    ask=_written,
    tolerance=0.005,
    hints=["First erase: the number shrinks by the share w e of itself."],
    answer="M (1 − w e) + w a: a share of the old number stays, and a share of the new one comes in.",
)

LOOP = MultipleChoice(
    id="10.13.2-loop",
    title="Why it goes on",
    ask="Trained on up to 8 vectors, most machines copy 20. LSTMs with the same time nearly learn eight and break at 11. "
    "What is the reason?",
    options=[
        Option(
            "The machine has a loop, the LSTM places for eight",
            "One cell for each vector, then the same walk again: nothing in this program depends on the number. A place "
            "in a state that no training sequence ever used is not trained.",
            True,
        ),
        Option(
            "The LSTM's state is too small for the 44 bits of eleven vectors",
            "It has 64 units, and nearly all bits of eight vectors are there. Room is not what is missing right after.",
        ),
        Option(
            "The machine has more parameters, and so learns more of the task",
            "It has fewer: the LSTM has 2.8 times as many.",
        ),
        Option(
            "The LSTM was stopped too early; with more batches it would go on, too",
            "With five times the batches it does learn its lengths better. The break comes right after them.",
        ),
    ],
    answer="A loop has no length. What the LSTM finds is a place in its state for each of the vectors that it met.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

WRAP = MultipleChoice(
    id="10.13.2-wrap",
    title="Too much for the tape",
    stars=1,
    minutes=6,
    ask="The copy program written by hand gets a tape of 32 cells and 40 vectors to copy. What comes back?",
    options=[
        Option(
            "The last eight in place of the first eight, the rest right",
            "The circle closes: the last eight are written over the first eight, and the reading head finds them there.",
            True,
        ),
        Option(
            "The first 32 right, and then eight vectors of zeros",
            "No cell is past the end: the tape is a circle, and after the last cell comes the first.",
        ),
        Option(
            "The first eight as a sum of two vectors each, the rest right",
            "The pen erases all of a cell before it adds: what was there is gone.",
        ),
        Option(
            "All 40 wrong, since writing and reading head are out of step",
            "Both heads take the same steps around the same circle.",
        ),
    ],
    answer="The last eight vectors overwrite the first eight; the program notices nothing.",
)


def _blur(rng: np.random.Generator) -> Asked:
    q, n = float(rng.choice([0.02, 0.05, 0.1])), int(rng.choice([100, 200, 400]))
    variance = 2 * q * n
    return Asked(
        f"A head starts at one cell and moves {n} times with s = ({q}, {1 - 2 * q:g}, {q}), without sharpening, on a long "
        "tape. How large is its largest share then, about?",
        1 / sqrt(2 * pi * variance),
        f"{n} moves of variance {2 * q:g} make {variance:g}, and a Gaussian of this variance has the peak "
        f"1/√(2π · {variance:g}).",
        {
            (1 - 2 * q) ** n: "That share never left its cell. But what moves away comes back, too, step by step.",
            1 / sqrt(2 * pi * variance / 2): "The variance of a move is q + q: both sides count.",
            1
            / sqrt(2 * pi * variance)
            / sqrt(variance): "The peak of a Gaussian falls with its width, the root of the variance.",
        },
    )


BLUR = Numerical(
    id="10.13.2-blur",
    title="A head that blurs",
    stars=2,
    minutes=15,
    ask=_blur,
    tolerance=0.03,
    hints=["Many small independent moves: which distribution comes near?", "Variances add."],
    answer="The variances of the moves add up, so the weighting is nearly a Gaussian with the peak 1/√(2π · variance).",
)

DOTS = MultipleChoice(
    id="10.13.2-dots",
    title="One long cell",
    stars=1,
    minutes=10,
    ask="Twenty cells hold vectors in random directions, eight numbers each. Nineteen have length 1; one has length 10. You "
    "look for random keys, by dot products. For which share of all keys does the long cell come first?",
    options=[
        Option(
            "A little less than half",
            "Where the key has an angle of less than 90° to it, its dot product is large and positive, and it nearly always "
            "wins. For the other half of the keys it comes last.",
            True,
        ),
        Option(
            "One in twenty, as each of the others",
            "That is what the cosine would do, which does not see lengths.",
        ),
        Option(
            "Practically all: it is ten times as long",
            "Its products are ten times as large in size, and for half of the keys they are negative.",
        ),
        Option(
            "About ten in twenty-nine, in proportion to the lengths",
            "The largest product wins; lengths are no chances in a lottery.",
        ),
    ],
    hints=["Which sign has the long cell's product, and how often?"],
    answer="Nearly half: it comes first for keys on its side, and last for those on the other side.",
)

ON = np.array([0.0, 0.0, 1.0])


def _next(M: np.ndarray, key: np.ndarray, beta: float, s: np.ndarray = ON) -> np.ndarray:
    return memory_read(M, shift(address_by_content(M, key, beta), s))


def _tapes(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for beta in (4.0, 40.0):
        M = rng.normal(size=(9, 5)) * rng.uniform(0.3, 3, size=(9, 1))
        cases.append((M, M[8] + 0.1 * rng.normal(size=5), beta))
    return cases


NEXT = Implement(
    "10.13.2-next",
    reference=_next,
    cases=_tapes,
    wrong=[
        Wrong(
            "found, not the next",
            lambda M, key, beta: _next(M, key, beta, np.array([0, 1.0, 0])),
            "It looks as if the cell that was found were read: move on by one first.",
        ),
        Wrong(
            "the cell before",
            lambda M, key, beta: _next(M, key, beta, ON[::-1]),
            "It looks as if the head moved to the cell before. With w̃_i = w_{i−1}, weight moves to higher cells.",
        ),
        Wrong(
            "dot product",
            lambda M, key, beta: np.roll(softmax(beta * M @ key), 1) @ M,
            "It looks as if cells were compared by dot products: divide by both lengths.",
        ),
        Wrong(
            "an end",
            lambda M, key, beta: np.append(0, address_by_content(M, key, beta)[:-1]) @ M,
            "It looks as if the tape had an end: after the last cell comes the first.",
        ),
        Wrong(
            "no strength",
            lambda M, key, beta: _next(M, key, 1.0),
            "It looks as if β were missing in the softmax.",
        ),
    ],
)


def _add_then_erase(M: np.ndarray, w: np.ndarray, e: np.ndarray, a: np.ndarray) -> np.ndarray:
    return (M + np.outer(w, a)) * (1 - np.outer(w, e))


def _writes(rng: np.random.Generator) -> list[tuple]:
    w = [np.eye(6)[2], rng.dirichlet(np.ones(6))]
    return [(rng.normal(size=(6, 4)), w_t, rng.uniform(0.2, 0.9, 4), rng.normal(size=4)) for w_t in w]


ERASE = Implement(
    "10.13.2-erase",
    reference=memory_write,
    cases=_writes,
    wrong=[
        Wrong(
            "not repaired",
            _add_then_erase,
            "That is the function as it was: it erases a part of what it has just added.",
        ),
        Wrong(
            "erase everywhere",
            lambda M, w, e, a: M * (1 - e) + np.outer(w, a),
            "It looks as if every cell were erased: the pen has only the share w_i of cell i.",
        ),
        Wrong(
            "add everywhere",
            lambda M, w, e, a: M * (1 - np.outer(w, e)) + a,
            "It looks as if a were added to every cell in full: weight it by w.",
        ),
        Wrong(
            "add what is left",
            lambda M, w, e, a: M * (1 - np.outer(w, e)) + np.outer(w, e * a),
            "It looks as if e weighed what is added, too: how much is wiped out and how much is put in its place are two "
            "orders.",
        ),
    ],
)

ORDER = Parsons(
    id="10.13.2-order",
    title="One step of the machine",
    stars=2,
    minutes=8,
    ask="Put the lines of one step in order: x has just been heard; M, w_read, w_pen and r are those of the step before. Leave "
    "out what does not belong.",
    code="""\
h = np.tanh(b + U @ x + W @ r)
head, pen = orders(h)
w_read = address(M, head, w_read)
w_pen = address(M, pen, w_pen)
M = write(M, w_pen, pen.erase, pen.add)
r = w_read @ M
o = c + V @ h + R @ r""",
    rules=[
        Rule(1, 2, "The orders are computed from h."),
        Rule(2, 3, "The reading head moves as it is told: the orders come first."),
        Rule(2, 4, "The pen moves as it is told: the orders come first."),
        Rule(3, 5, "Both heads look at M⁽ᵗ⁻¹⁾: the reading head must find its cells before the pen writes."),
        Rule(4, 5, "The pen must have found its cells before it writes."),
        Rule(5, 6, "The reading head reads from M⁽ᵗ⁾, what the pen has just written included."),
        Rule(1, 6, "The controller gets what was read a step ago, r⁽ᵗ⁻¹⁾."),
        Rule(6, 7, "The output sees what was read at this very step, r⁽ᵗ⁾."),
    ],
    extra={
        "h = np.tanh(b + U @ x + W @ h)": "This controller has no state of its own: the past comes in through r.",
        "w_pen = w_read": "Each head has a weighting of its own, moved by orders of its own.",
    },
    hints=["Which memory do the heads search, that of the step before or the new one? And from which one is read?"],
    answer="Orders, both addresses in the old memory, the write, the read in the new memory, the output.",
)

SAYS = MultipleChoice(
    id="10.13.2-says",
    title="What does the reading say?",
    stars=2,
    minutes=6,
    ask="While a machine listens, you replace what it reads by zeros: half of all bits come out wrong. A colleague writes: “It "
    "compares each vector with those that it has stored.” You think that reading tells it only that the list has begun. "
    "Which experiment decides?",
    options=[
        Option(
            "Feed it what the machine read on another sequence, at the same step",
            "A comparison needs this sequence's vectors and would break; “it has begun” is true of the other one, too. "
            "In the machines of this section hardly a bit is lost.",
            True,
        ),
        Option(
            "Feed it noise as large as what it reads",
            "If it fails, noise may merely be unlike anything that it ever read. That does not tell the two apart.",
        ),
        Option(
            "Feed it zeros at some of the steps only, and see how the errors grow",
            "Both explanations predict errors, and more of them with more zeros.",
        ),
        Option(
            "Repeat the zeros with more machines and longer sequences",
            "It says how often the cut hurts. Both explanations predict that it does.",
        ),
    ],
    hints=["What must be kept, so that your explanation predicts no harm while his predicts much?"],
    answer="Another sequence's reading: it keeps “it has begun” and takes away everything about this sequence.",
)

EXERCISES = [
    *(ROUND, COSINE, NO_STATE, SHARE, WRITTEN, LOOP),
    *(WRAP, BLUR, DOTS, NEXT, ERASE, ORDER, SAYS),
]
