"""Section 10.10: what a gate sees, does and sends back, and comparisons of cells that were not fair."""

from collections.abc import Callable

import numpy as np

from companion.cells.gate import Gate
from companion.cells.gru import GRU, GRUNodes
from companion.cells.lstm import LSTM, LSTMNodes, PeepholeLSTM, lstm_forward
from companion.core.functions import sigmoid
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FigureGoal, FindBug, MultipleChoice, Numerical, Option
from companion.gated import half_life

# ---- self-test -------------------------------------------------------------------------------------------------

SEES = MultipleChoice(
    id="10.10-sees",
    title="What a gate sees",
    ask="An LSTM without peepholes carries two vectors from step to step, s and h. What does its forget gate f⁽ᵗ⁾ see?",
    options=[
        Option(
            "x⁽ᵗ⁾ and s⁽ᵗ⁻¹⁾, since it decides about the state",
            "It decides about s without seeing it. Only a peephole shows s to a gate.",
        ),
        Option(
            "x⁽ᵗ⁾ and h⁽ᵗ⁻¹⁾",
            "All gates and the candidate see these two. The state shows through q alone, in h = q ⊙ tanh(s).",
            True,
        ),
        Option(
            "x⁽ᵗ⁾, h⁽ᵗ⁻¹⁾ and the candidate z⁽ᵗ⁾",
            "Gates and candidate are computed side by side, from the same two vectors. None waits for another.",
        ),
        Option(
            "Nothing: it is a weight that is learned",
            "Then it would be a leak, the same at each step. Its weights are learned; its value is computed at each step.",
        ),
    ],
    answer="x⁽ᵗ⁾ and h⁽ᵗ⁻¹⁾, as every other gate.",
)


def _half(rng: np.random.Generator) -> Asked:
    f = float(rng.choice([0.9, 0.95, 0.98, 0.99]))
    return Asked(
        f"A unit has f = {f} at every step and takes nothing in. After how many steps is half of its state left?",
        half_life(f),
        f"−ln 2 / ln {f} = {half_life(f):.1f}.",
        {
            1 / (1 - f): "After 1 / (1 − f) steps about 1/e ≈ 37 % is left, not half.",
            -1 / np.log(f): "That is the time constant −1 / ln f, after which 1/e ≈ 37 % is left.",
            0.5
            / (1 - f): "That takes 1 − f of the first value away at each step. A step takes a share of what is there.",
            1.0: "That is the half-life of f = 0.5.",
        },
    )


HALF = Numerical(
    id="10.10-half",
    title="Half of a state",
    ask=_half,
    tolerance=0.02,
    hints=["After t steps fᵗ is left."],
    answer="−ln 2 / ln f: 6.6 steps for 0.9 and 69 for 0.99.",
)

THOUSAND = MultipleChoice(
    id="10.10-thousand",
    title="A thousand steps",
    ask="Why can an LSTM keep a gradient for 1,000 steps when a plain tanh net cannot?",
    options=[
        Option(
            "Its gradient is bounded from below, since a gate is never exactly 0",
            "A gate at 0.5 is far from 0, and after 1,000 steps it leaves 10⁻³⁰¹. Being positive is not enough.",
        ),
        Option(
            "It has four times as many parameters, and some of them will do",
            "A plain net of four times the size multiplies by its Jacobian at each step as before.",
        ),
        Option(
            "Along s, a step multiplies by f, which the net itself can hold at 1",
            "In the plain net a step multiplies by diag(1 − h²) W, which shrinks or grows unless W is special and the units "
            "stay unsaturated.",
            True,
        ),
        Option(
            "Its states do not saturate, since s passes no tanh",
            "That is why s can count. But a state that is free of tanh fades as fᵗ if f is below 1.",
        ),
    ],
    hints=["What is ∂s⁽ᵗ⁾/∂s⁽ᵗ⁻¹⁾ along the belt?"],
    answer="The derivative along the cell path is f, and f is the net's to choose, at every step and for every unit.",
)

UPDATE = MultipleChoice(
    id="10.10-update",
    title="An update gate at 1",
    ask="In our GRU, u = 1 at some step, and r is anything. What is the new state?",
    options=[
        Option(
            "The candidate, since the update gate is fully open",
            "With the letter of another paper it would be. Here, and in PyTorch, 1 keeps: h = u h + (1 − u) z.",
        ),
        Option(
            "The old state, times r",
            "r acts on what the candidate sees of the old state, and the candidate has the factor 1 − u = 0.",
        ),
        Option("The old state", "h⁽ᵗ⁾ = h⁽ᵗ⁻¹⁾: the candidate, and with it r, does not matter.", True),
        Option(
            "The old state plus the candidate",
            "So it can be in an LSTM with f = g = 1. A GRU takes in only as much as it gives up.",
        ),
    ],
    answer="h⁽ᵗ⁾ = h⁽ᵗ⁻¹⁾, whatever r is.",
)

BIAS_1 = MultipleChoice(
    id="10.10-start-at-1",
    title="Why a bias of 1?",
    ask="Why does one start the forget gate with bias 1, or more, and not with 0?",
    options=[
        Option(
            "So that gradients reach further before anything is learned",
            "The factor is 0.73 or more instead of 0.5. σ(0) = 0.5 halves the cell path at each step; after 20 steps 10⁻⁶ of it is left. What is not reached cannot "
            "teach the gate to open.",
            True,
        ),
        Option(
            "Because the sigmoid is steepest there, so that the gate learns fastest",
            "It is steepest at 0. A bias of 1 costs a little of the slope.",
        ),
        Option(
            "To break the symmetry between the units",
            "All units get the same bias; what differs between them are their random weights.",
        ),
        Option(
            "Because a gate must be open to forget",
            "f = 1 keeps and f = 0 forgets. A gate that is called after forgetting is open when it does not.",
        ),
    ],
    answer="σ(b) is the factor of the cell path at the start, when weights are small: 0.5 at b = 0, 0.73 at 1, 0.98 at 4.",
)

HIDES = MultipleChoice(
    id="10.10-hides",
    title="What a GRU cannot do",
    ask="A GRU has no output gate. What can an LSTM unit do that a GRU unit cannot?",
    options=[
        Option(
            "Keep a note for many steps unchanged",
            "A GRU does it with u near 1: then h⁽ᵗ⁾ is almost h⁽ᵗ⁻¹⁾.",
        ),
        Option(
            "Erase a note at the moment when the input asks for it",
            "u near 0 replaces the old state by the candidate.",
        ),
        Option(
            "Hold “inside the bracket” and not show it for now",
            "With q near 0 the note stays in s, and gates and outputs see nothing of it. A GRU's state is always visible; "
            "other units must learn to ignore it.",
            True,
        ),
        Option(
            "Decide how much of the old state its candidate sees",
            "That is the reset gate, which the GRU has and the LSTM has not.",
        ),
    ],
    answer="Hide what it keeps. In return the GRU has a quarter fewer parameters.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

PULSES = MultipleChoice(
    id="10.10-pulses",
    title="Two pulses",
    minutes=5,
    ask="One unit has constant gates with f ≈ 1 and g ≈ 1, and the candidate z = tanh(2x). Its input is 0 but for a pulse "
    "of +1 at step 3 and a pulse of −1 at step 9. What is s after step 12?",
    options=[
        Option(
            "About −0.96: the last pulse counts",
            "The last one alone counts if f is near 0 when it arrives. Here f stays at 1 and the old value is still there.",
        ),
        Option(
            "About 0: the two cancel",
            "s adds tanh(2) = 0.964 and then −0.964. A little less than 0 is left, since the first has leaked for six steps.",
            True,
        ),
        Option(
            "About 0.96: the state is full, and the second pulse finds no room",
            "s is not squashed; it is a sum and takes in whatever g lets through.",
        ),
        Option(
            "About −2: a pulse of size 1 enters with the weight 2",
            "The candidate is tanh(2x), never larger than 1, and the first pulse has not gone.",
        ),
    ],
    hints=["With f = g = 1 the state is the sum of all candidates."],
    answer="About 0, a little below. With one pulse it stays near 0.96.",
)


def _path(f: np.ndarray, g: np.ndarray, z: np.ndarray, s: np.ndarray, vf: np.ndarray, vg: np.ndarray) -> np.ndarray:
    none = np.zeros_like(f)
    layer = Gate(np.zeros((len(f), 1)), np.zeros((len(f), len(f))), none, none)
    cell = PeepholeLSTM(layer._replace(peephole=vf), layer._replace(peephole=vg), layer, layer._replace(peephole=None))
    _, to = cell.back(LSTMNodes(f, g, none, z, none, none), LSTMNodes(s=s), LSTMNodes(s=np.ones_like(f), h=none))
    return to.s


def _units(rng: np.random.Generator) -> list[tuple]:
    return [(*rng.uniform(0.1, 0.9, (2, 5)), rng.uniform(-1, 1, 5), *rng.normal(size=(3, 5))) for _ in range(2)]


PEEPHOLES = Implement(
    "10.10-peepholes",
    reference=_path,
    cases=_units,
    wrong=[
        Wrong(
            "f alone",
            lambda f, g, z, s, vf, vg: f,
            "It looks like f alone. With peepholes s⁽ᵗ⁻¹⁾ also reaches s⁽ᵗ⁾ through the gates.",
        ),
        Wrong(
            "one gate only",
            lambda f, g, z, s, vf, vg: f + vf * f * (1 - f) * s,
            "The way through the forget gate is there. The input gate sees s⁽ᵗ⁻¹⁾, too.",
        ),
        Wrong(
            "slopes forgotten",
            lambda f, g, z, s, vf, vg: f + vf * s + vg * z,
            "It looks as if the slopes of the two sigmoids, f (1 − f) and g (1 − g), were missing.",
        ),
        Wrong(
            "what the gates multiply forgotten",
            lambda f, g, z, s, vf, vg: f + vf * f * (1 - f) + vg * g * (1 - g),
            "It looks like the gates' own derivatives. A change of f acts on s⁽ᵗ⁻¹⁾, and a change of g on z.",
        ),
        Wrong(
            "sign",
            lambda f, g, z, s, vf, vg: f + vf * f * (1 - f) * s - vg * g * (1 - g) * z,
            "It looks as if the gates were coupled, g = 1 − f: the way through g has the wrong sign.",
        ),
    ],
)


def _behind(g_a: np.ndarray, r: np.ndarray, W: np.ndarray, d: np.ndarray, h: np.ndarray) -> tuple:
    none = np.zeros_like(r)
    shut = Gate(np.zeros((len(r), 1)), np.zeros_like(W), none)
    cell = GRU(shut, shut, shut._replace(W=W), d, "after")
    a, to = cell.back(GRUNodes(none, r, none, h), GRUNodes(h=h), GRUNodes(h=g_a))
    return a.r, to.h, r * g_a


def _steps(rng: np.random.Generator) -> list[tuple]:
    return [
        (rng.normal(size=4), rng.uniform(0.1, 0.9, 4), rng.normal(size=(4, 4)), *rng.normal(size=(2, 4)))
        for _ in range(2)
    ]


BEHIND = Implement(
    "10.10-behind",
    reference=_behind,
    cases=_steps,
    wrong=[
        Wrong(
            "the reset in front",
            lambda g_a, r, W, d, h: ((W.T @ g_a) * h * r * (1 - r), r * (W.T @ g_a), r * g_a),
            "It looks like the equations of the chapter, for a reset in front of W. Here r meets k = W h + d, entry by entry.",
        ),
        Wrong(
            "d outside",
            lambda g_a, r, W, d, h: (_behind(g_a, r, W, d, h)[0], W.T @ (r * g_a), g_a),
            "It looks as if d stood outside the reset, like b. It is a part of k, which r multiplies.",
        ),
        Wrong(
            "d missing in the inner vector",
            lambda g_a, r, W, d, h: (g_a * (W @ h) * r * (1 - r), W.T @ (r * g_a), r * g_a),
            "The gradient on the reset gate lacks d: what r multiplies is W h + d.",
        ),
        Wrong(
            "slope of the gate",
            lambda g_a, r, W, d, h: (g_a * (W @ h + d), W.T @ (r * g_a), r * g_a),
            "It looks like the gradient on r itself. On its pre-activation it has the slope r (1 − r), too.",
        ),
        Wrong(
            "W not transposed",
            lambda g_a, r, W, d, h: (_behind(g_a, r, W, d, h)[0], W @ (r * g_a), r * g_a),
            "It looks as if W stood where its transpose should.",
        ),
    ],
)

CHUNK = FindBug(
    id="10.10-chunk",
    title="A port from PyTorch",
    stars=2,
    minutes=5,
    ask="This is to be one step of PyTorch's LSTM with PyTorch's weights, in PyTorch's letters: c is our s, and g our z. "
    "It runs, and trained from scratch it even learns. Which line is wrong?",
    code="""\
a = W_ih @ x + b_ih + W_hh @ h + b_hh
i, f, o, g = np.split(a, 4)
c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
h = sigmoid(o) * np.tanh(c)""",
    line=2,
    lines={
        1: "PyTorch has two bias vectors, and they add up.",
        3: "Forget gate times old state plus input gate times candidate, as it should be.",
        4: "The output gate shows a squashed copy of the new state.",
    },
    reasons=[
        Option(
            "PyTorch's order is i, f, g, o",
            "So g holds the rows of the output gate, and o those of the candidate.",
            True,
        ),
        Option(
            "PyTorch's order is f, i, g, o",
            "The forget gate does not come first in PyTorch. Writing its bias to the first quarter is a classic slip.",
        ),
        Option(
            "The gates must be squashed before they are split",
            "Three blocks get a sigmoid and one a tanh; that needs the split first, and the next lines do it.",
        ),
    ],
    hints=["Which order do the four blocks of `weight_ih_l0` have?"],
    answer="`i, f, g, o = np.split(a, 4)`.",
)

CAUGHT = MultipleChoice(
    id="10.10-caught",
    title="Which check catches it?",
    stars=2,
    minutes=5,
    ask="The port above had i, f, o, g. Which check shows that something is wrong?",
    options=[
        Option(
            "A gradient check against differences",
            "The port is a valid LSTM with other names, and its gradient is the right one of that LSTM. The check passes.",
        ),
        Option(
            "Train it from scratch and look at the loss",
            "From scratch the four blocks are alike. Which is called o and which g does not matter, so it learns.",
        ),
        Option(
            "Load PyTorch's weights and compare the outputs",
            "In float64, so that a difference means something. Names matter as soon as weights come from elsewhere, and the "
            "outputs differ in the first step.",
            True,
        ),
        Option(
            "Compare the shapes of all arrays with PyTorch's",
            "All four blocks have the same shape.",
        ),
    ],
    hints=["What does the slip not change? What does it change?"],
    answer="Load weights and compare outputs. From scratch, names do not matter, unless a bias is set by position.",
)

LETTERS = "()a"


def _hand(f: Gate, g: Gate, q: Gate, z: Gate) -> Callable[[str], np.ndarray]:
    """Where the output of a cell is above 0.5 (1), below 0.1 (−1) or neither (0)."""

    def says(word: str) -> np.ndarray:
        h = lstm_forward(LSTM(f, g, q, z), np.eye(3)[[LETTERS.index(c) for c in word]]).h[1:, 0]
        return np.where(h > 0.5, 1, np.where(h < 0.1, -1, 0))

    return says


def _gate(bias: float, opening: float = 0.0, closing: float = 0.0) -> Gate:
    return Gate(np.array([[opening, closing, 0.0]]), np.zeros((1, 1)), np.array([bias]))


KEEPS, WRITES, SHOWS, NOTE = _gate(10.0, closing=-20.0), _gate(-10.0, 20.0), _gate(10.0), _gate(0.0, 5.0)


def _words(rng: np.random.Generator) -> list[tuple]:
    """Words such as aa(aaaa)a(a)aa, the first with a long inside."""
    return [
        ("".join("a" * rng.integers(1, 5) + "(" + "a" * rng.integers(*inside) + ")" for _ in range(3)) + "aa",)
        for inside in ((20, 30), (1, 6))
    ]


BRACKET = Implement(
    "10.10-bracket",
    reference=_hand(KEEPS, WRITES, SHOWS, NOTE),
    cases=_words,
    wrong=[
        Wrong(
            "never erased",
            _hand(_gate(10.0), WRITES, SHOWS, NOTE),
            "It looks as if nothing erased the note: let the closing bracket shut f.",
        ),
        Wrong(
            "not kept",
            _hand(_gate(0.0, closing=-20.0), WRITES, SHOWS, NOTE),
            "It looks as if the note faded: while nothing happens f must be near 1, and σ(0) is 0.5.",
        ),
        Wrong(
            "always written",
            _hand(KEEPS, _gate(10.0), SHOWS, _gate(5.0)),
            "It looks as if every letter wrote the note: only an opening bracket may.",
        ),
        Wrong(
            "shown at the bracket only",
            _hand(KEEPS, WRITES, _gate(-10.0, 20.0), NOTE),
            "It looks as if q showed the note at the opening bracket only. The output gate may stay open.",
        ),
        Wrong(
            "inverted",
            _hand(_gate(10.0, opening=-20.0), _gate(-10.0, closing=20.0), SHOWS, _gate(0.0, closing=5.0)),
            "It looks as if the two brackets were swapped: the rows of U are ordered as `LETTERS` is.",
        ),
    ],
)


def _bias_for(rng: np.random.Generator) -> Asked:
    n = int(rng.choice([40, 160, 80]))
    f = 2 ** (-1 / n)
    b = float(np.log(f / (1 - f)))
    e = float(-np.log(np.expm1(1 / n)))
    return Asked(
        f"A gate that keeps has small weights, so it starts near σ(b). Which bias b gives a half-life of {n} steps?",
        b,
        f"σ(b) = 2^(−1/{n}) = {f:.4f}, so b = ln(f / (1 − f)) ≈ {b:.2f}.",
        {
            f: "That is the gate, σ(b). Which b has this sigmoid?",
            -b: "The sign: with this bias the gate starts near 0 and erases.",
            e: "That is for a time constant: 1/e is left, not half.",
            float(n): "That is the half-life itself. A bias of this size makes the gate 1 to the last digit.",
        },
    )


BIAS = Numerical(
    id="10.10-bias",
    title="A bias for a distance",
    stars=2,
    minutes=5,
    ask=_bias_for,
    hints=["After n steps f^n is left.", "The inverse of the sigmoid is ln(f / (1 − f))."],
    answer="b = −ln(2^(1/n) − 1): 4.0 for 40 steps, 4.7 for 80, 5.4 for 160.",
)

UNEQUAL = MultipleChoice(
    id="10.10-unequal",
    title="Is the GRU worse?",
    stars=2,
    minutes=8,
    ask="“On the latch of length 40 the LSTM was right with five seeds of five and the GRU with one of five. Same task, "
    "optimiser, rate and number of parameters. So the GRU keeps a bit worse.” The LSTM's forget bias was set to 1, as the "
    "literature advises; the GRU was left as PyTorch draws it. Which experiment decides?",
    options=[
        Option(
            "Train both for ten times as many steps",
            "The GRU may come right late. Then you know that it needs longer from this start, which may be the start's doing.",
        ),
        Option(
            "Give the GRU 48 units, since it has a layer less than the LSTM",
            "The parameters were equal already. Now the sizes differ and the starts as well.",
        ),
        Option(
            "Give the GRU's update gate the bias 1, and train again with the same seeds",
            "u is the gate that keeps, so b^u is its forget bias. At equal bias the GRU solves length 40 with five seeds of "
            "five: the start was compared, not the cell.",
            True,
        ),
        Option(
            "Give the GRU's reset gate the bias 1, and train again with the same seeds",
            "The reset gate decides what the candidate sees. What fades along the state's own path is up to u.",
        ),
    ],
    hints=["What was set on one side only? Which gate does the same job on the other?"],
    answer="Equal bias in the gate that keeps. The table of the section has both rows.",
)

STORY = MultipleChoice(
    id="10.10-story",
    title="The unit that counts letters",
    stars=2,
    minutes=8,
    ask="You plot the state of unit 73 of a trained character LSTM over one sentence. It falls with every letter of a word "
    "and jumps back at the space. “Unit 73 counts letters.” What do you do before you print it?",
    options=[
        Option(
            "Correlate it, beside all other units, on text that it was not chosen on",
            "Of 96 units one will fit almost any story on one sentence. A story that holds on text that it was not made on, "
            "and better than for the other units, may be printed; the section's stories passed this test.",
            True,
        ),
        Option(
            "Plot it over a second and a third sentence of your choice",
            "You would choose, or remember, the one that fits. And nothing says how well the other units do.",
        ),
        Option(
            "Set unit 73 to zero and see whether the loss rises",
            "It will rise for many units. That a unit matters does not say what it stands for.",
        ),
        Option(
            "Train a second net and look whether its unit 73 does the same",
            "Units have no fixed places: what unit 73 does here, another unit may do there, or none.",
        ),
    ],
    hints=["From how many units was it chosen, and on how much text?"],
    answer="Choose on one text and judge on another, with the other units for comparison.",
)


def _letting_go():
    from companion.figures import Goal, Slider, Sweep

    steps, written, told = np.arange(61), 5, 45

    def cell(bias, weight):
        s = np.zeros(len(steps))
        for t in steps[1:]:
            f = sigmoid(np.array(bias + weight * (t == told)))
            s[t] = f * s[t - 1] + (t == written)
        return s

    def held_and_let_go(bias, weight):
        s = cell(bias, weight)
        f, open_to = (float(sigmoid(np.array(a))) for a in (bias, bias + weight))
        before, after = s[told - 1], s[told]
        if before < 0.7:
            return False, f"By step {told - 1} the cell holds {before:.2f}: a gate of {f:.3f} is applied 39 times."
        if after > 0.03:
            return False, (
                f"At step {told} it still holds {after:.2f}: bias and weight make {bias + weight:g}, and "
                f"σ({bias + weight:g}) = {open_to:.2f}.".replace("-", "−")
            )
        return True, (
            f"It holds {before:.2f} until the signal and {after:.2f} after it. A gate that holds for long needs a large "
            "bias, and then an even larger weight to be closed: it has to cross the whole of σ."
        )

    return Sweep(
        "letting-go",
        lambda bias, weight: {"cell s": cell(bias, weight)},
        steps,
        {
            "bias": Slider([0, 1, 2, 3, 4, 5, 6], "bias of the forget gate", 1),
            "weight": Slider([0, -2, -4, -6, -8, -10], "its weight for the signal", -2),
        },
        title="Hold, and let go",
        caption="A cell s⁽ᵗ⁾ = f⁽ᵗ⁾ s⁽ᵗ⁻¹⁾ into which 1 is written at step 5. The forget gate f = σ(bias + weight · signal) "
        "sees a signal of 1 at step 45, and of 0 at all others.",
        xlabel="step t",
        ylabel="cell s⁽ᵗ⁾",
        ylim=(-0.04, 1.04),
        say=lambda bias, weight: "The cell holds {:.2f} at step 44, and {:.2f} at step 45.".format(
            *cell(bias, weight)[[44, 45]]
        ),
        roles={"cell s": "state"},
        goals=[
            Goal(
                "hold at least 0.7 of what was written until step 44, and at most 0.03 of it from the signal at step 45 on.",
                held_and_let_go,
            )
        ],
    )


LETTING_GO = FigureGoal(
    id="10.10-letting-go",
    title="Hold, and let go",
    minutes=5,
    figure=_letting_go,
    hints=["First the bias: which f has f³⁹ ≥ 0.7?", "Then the weight: bias + weight must be about −4."],
    answer="Bias 5 with weight −10, for instance: σ(5) = 0.993 keeps 0.77 over 39 steps, and σ(−5) = 0.007 keeps nothing.",
)

EXERCISES = [
    *(SEES, HALF, THOUSAND, UPDATE, BIAS_1, HIDES),
    *(PULSES, PEEPHOLES, BEHIND, CHUNK, CAUGHT, BRACKET, BIAS, UNEQUAL, STORY, LETTING_GO),
]
