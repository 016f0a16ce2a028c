"""The introduction: a net that adds, what it carries, and how far a window of columns gets."""

from collections.abc import Callable

import numpy as np

from companion.cells.rnn import RNN, rnn_forward
from companion.data.tasks import columns
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, MultipleChoice, Numerical, Option

# ---- self-test -------------------------------------------------------------------------------------------------

CARRY = MultipleChoice(
    id="10-carry",
    title="Where the carry is",
    ask="The net writes thousands of bits with 38 numbers. Where does it keep the carry?",
    options=[
        Option(
            "In the state h⁽ᵗ⁾",
            "The state holds what must be remembered of this sum: one bit. The weights hold the rule, which is the same for "
            "every sum.",
            True,
        ),
        Option(
            "In the weights, which it has learned for that",
            "They never change while it adds. If they held the carry of one sum, what about the next?",
        ),
        Option(
            "In its output, which the next step reads",
            "That would be a net with output recurrence. Here the arrows to the next column start at the state.",
        ),
        Option(
            "Nowhere: it sees both numbers as a whole",
            "Each step is given one column, two bits, and the state of the step before.",
        ),
    ],
    hints=["It adds a second pair of numbers right after the first. What has to change in between?"],
    answer="In the state. The weights are the rule, the state is what this sum needs to be remembered.",
)

PATH = MultipleChoice(
    id="10-path",
    title="Two that share",
    ask="Both the convolution and the recurrent net share weights over the columns. What does only the recurrent net have?",
    options=[
        Option(
            "A path from every earlier input to the output",
            "It applies its rule to its own previous state. A convolution's output depends on k inputs and no more.",
            True,
        ),
        Option(
            "A number of weights that does not grow with the sequence",
            "The convolution has that as well: k taps, for any length.",
        ),
        Option(
            "An output at every column, whatever the length of the sequence is",
            "So has the convolution: its window slides along.",
        ),
        Option(
            "A nonlinear function of what it sees",
            "A convolution may be followed by one, and usually is. How far it sees stays the same.",
        ),
    ],
    hints=["Change the input of column 1. Which outputs can change?"],
    answer="A path from every earlier input. The reach of a convolution is fixed beforehand, by its width and its layers.",
)

LASTS = MultipleChoice(
    id="10-lasts",
    title="Two things that last",
    ask="A state holds a carry for a thousand columns. What becomes of the gradient on its way back through them?",
    options=[
        Option(
            "It shrinks at each column",
            "The carry lasts because every push on the state is corrected; a push is what a gradient measures.",
            True,
        ),
        Option(
            "It lasts as long as the carry does, since both take the same way",
            "The way is the same, what is carried is not: a gradient asks what a small push does, and here pushes die out.",
        ),
        Option(
            "It grows, because so much depends on the carry",
            "Much depends on which of two values the state has, and nothing on a small push away from it.",
        ),
        Option(
            "It shrinks once the memory begins to fail",
            "It is the other way round: the nets that are about to forget have the larger gradients.",
        ),
    ],
    hints=["What does the net do with a state that is a little off its value?"],
    answer="It vanishes. Memory by correction and a gradient that lasts exclude each other here; Section 10.7 says how far "
    "that holds.",
)

SHAPE = MultipleChoice(
    id="10-shape",
    title="Which shape?",
    ask="A net is given a film review, and says for each of its sentences whether it praises or blames. Which shape is that, "
    "with sentences for steps?",
    options=[
        Option("Many to one", "That would be one verdict on the whole review."),
        Option(
            "Many to many, in step",
            "One verdict for each sentence that came in, at the place where it came in.",
            True,
        ),
        Option(
            "Many to many, of another length",
            "That is for outputs whose number the net has to find out, such as a translation. Here it is the number of "
            "sentences.",
        ),
        Option("One to many", "The review is read sentence by sentence. What comes in is a sequence, too."),
    ],
    answer="Many to many, in step: each sentence gets a verdict of its own.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

HALF = MultipleChoice(
    id="10-half-memory",
    title="Half a memory",
    minutes=3,
    ask="With the memory at 50 %, what does the net of the introduction say for 31 + 1?",
    options=[
        Option(
            "32, as with a whole memory",
            "That takes a carry through five columns. At 80 % it already survives only six.",
        ),
        Option(
            "30",
            "1 + 1 writes 0. The carry is gone after one step, so the next columns are added as if nothing had come before: "
            "1 + 0 = 1 four times. Binary 011110 is 30.",
            True,
        ),
        Option(
            "31",
            "Then the first column would say 1. But it needs no memory: 1 + 1 writes 0.",
        ),
        Option(
            "0: once something is lost, every later bit is wrong",
            "What is lost is the carry. The columns themselves are still added, each by itself.",
        ),
    ],
    hints=["Write both numbers in binary below each other, and add each column without what came before."],
    answer="30. In 21 + 42 every column holds one 1 and one 0, so no carry is ever born: what is forgotten was not needed.",
)


def _count(rng: np.random.Generator) -> Asked:
    n_x, n_h, n_o, tau = (int(rng.integers(*pair)) for pair in ((2, 6), (4, 11), (2, 5), (20, 101)))
    one = n_h * n_x + n_h**2 + n_o * n_h + n_h + n_o
    return Asked(
        f"How many parameters has a recurrent net with {n_x} inputs, {n_h} state units and {n_o} outputs if each of its "
        f"{tau} steps has a set of its own?",
        tau * one,
        f"U, W, V, b and c make {n_h * n_x} + {n_h**2} + {n_o * n_h} + {n_h} + {n_o} = {one}, for each of the {tau} steps. "
        "Only without sharing does the number of steps matter.",
        {
            one: "That is one set, shared by all steps. Here each step has its own.",
            tau * (one - n_h - n_o): "Those are the three matrices. State and output have biases, too.",
            tau * (one - n_h**2): "The arrow from state to state is missing: W.",
            tau * (one - n_o * n_h - n_o): "The outputs have weights as well: V and c.",
        },
    )


COUNT = Numerical(
    id="10-count",
    title="Shared or not",
    minutes=5,
    ask=_count,
    tolerance=1e-6,
    hints=["Which matrices and vectors does one step need, and how large is each?"],
    answer="n_h n_x + n_h² + n_o n_h + n_h + n_o for one set, and τ times that without sharing. A convolution of width k has "
    "k n_o n_x + n_o, whatever τ is.",
)


def _window(rng: np.random.Generator) -> Asked:
    k = int(rng.choice([3, 4, 5, 6]))
    return Asked(
        f"The bits are independent and fair. A convolution of width {k} sees the present column and {k - 1} before it. How "
        "often does even the best function of this window write a wrong bit, far from the start?",
        2.0**-k,
        f"The window is no help if its {k - 1} earlier columns all hold two different bits, probability 1/{2 ** (k - 1)}; "
        "then the carry is settled further back, by 1 + 1 or 0 + 0 with equal chances, and every guess is wrong half the time.",
        {
            2.0
            ** -(k - 1): "So often the window does not settle the carry. But even then a guess is right half the time.",
            2.0
            ** -(
                k + 1
            ): "The present column tells nothing about the carry that comes into it: count the columns before.",
            4.0**-k: "A column fails to settle the carry if its two bits differ, which has probability ½, not ¼.",
            0.5: "Then it would know nothing. A column with two equal bits settles the carry that leaves it.",
        },
    )


WINDOW = Numerical(
    id="10-window",
    title="The best that a window can do",
    stars=2,
    minutes=15,
    ask=_window,
    tolerance=0.02,
    hints=[
        "What does a column with two equal bits say about the carry that leaves it? And one with two different bits?",
        "With which probability do all columns before the present one pass on what came in?",
    ],
    answer="2⁻ᵏ. With probability 2⁻⁽ᵏ⁻¹⁾ all k − 1 earlier columns hold two different bits and pass on what came in; then "
    "every guess is wrong half the time.",
)


def by_hand() -> RNN:
    """Three units that say whether bits and carry are at least 1, 2, 3; the second is the carry."""
    steep = 10.0
    return RNN(
        U=np.full((3, 2), steep),
        W=np.outer(np.ones(3), [0, steep / 2, 0]),
        V=np.array([[-1.0, 1.0, -1.0], [1.0, -1.0, 1.0]]),
        b=steep * (0.5 - np.arange(1, 4) + 0.5),
        c=np.zeros(2),
    )


def written(net: RNN, x: np.ndarray) -> np.ndarray:
    """The bits that a net writes, begun with three units that say “not even one”."""
    return rnn_forward(net, x, h0=-np.ones(3)).yhat.argmax(axis=1)


def _sums(rng: np.random.Generator) -> list[tuple]:
    pairs = [(31, 1), (63, 63), *rng.integers(0, 64, (30, 2)).tolist()]
    return [(columns(a, b, 7),) for a, b in pairs]


def _net(**changes: Callable[[RNN], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    net = by_hand()
    return lambda x: written(net._replace(**{k: change(net) for k, change in changes.items()}), x)


BY_HAND = Implement(
    id="10-by-hand",
    reference=lambda x: written(by_hand(), x),
    cases=_sums,
    wrong=[
        Wrong(
            "no half",
            _net(b=lambda p: p.b - 5.0),
            "Your units seem to sit exactly on their border when bits and carry are just enough: then the pre-activation is 0, "
            "and tanh says neither. Put the border half-way between two counts.",
        ),
        Wrong(
            "carry is at least 1",
            _net(W=lambda p: p.W[:, [1, 0, 2]]),
            "It looks as if the unit “at least one” were the carry. A single 1 is written, and hands nothing on.",
        ),
        Wrong(
            "minus one is not zero",
            _net(b=lambda p: p.b - 5.0, W=lambda p: 2 * p.W),
            "A unit that says no is at −1, not at 0: as a number the carry is (1 + h₂)/2. The half of h₂ and the half in the "
            "bias belong together.",
        ),
        Wrong(
            "at least one, not odd",
            _net(V=lambda p: np.array([[-1.0, 0, 0], [1.0, 0, 0]])),
            "Your output says whether there is at least one. The bit of the sum says whether the count is odd: 1 or 3.",
        ),
        Wrong(
            "no carry",
            _net(W=lambda p: p.W[:, [0, 2, 1]]),
            "Each column is added by itself here. Either nothing comes in through W, or the unit that hands the carry on is “at "
            "least three”, which never says yes unless a carry has come in.",
        ),
    ],
)

FROM_LEFT = MultipleChoice(
    id="10-from-the-left",
    title="Read from the left",
    stars=2,
    minutes=4,
    ask="A friend trains the same net on sums of eight columns, but feeds the columns as they are printed: from the left. It "
    "writes wrong bits in all columns but one, however long it trains. Why?",
    options=[
        Option(
            "The carry comes from columns that it has not read yet",
            "The derivative of an output with respect to a later input is exactly zero, whatever the weights are. Only the "
            "last column that it reads has no carry to wait for.",
            True,
        ),
        Option(
            "Four units are too few for a carry that runs the other way",
            "No number of units helps: what has not come in cannot be in any of them.",
        ),
        Option(
            "The gradient vanishes over eight columns, and the carry is not learned",
            "The net of the introduction learned on eight columns, too. And one with a perfect gradient would do no better.",
        ),
        Option(
            "It needs more sums: from this side there are more cases to be learned",
            "With all sums there are it does no better: the same columns so far may be followed by a carry or by none.",
        ),
    ],
    hints=["The derivative of output t with respect to input k > t: how large is it?"],
    answer="A recurrent net hears only what came before. Turn the sequence round, or let a second net read it from the other end "
    "(Section 10.3).",
)


def _left(rng: np.random.Generator) -> Asked:
    s, p = int(rng.choice([2, 3, 4])), float(rng.choice([0.75, 0.8, 0.9]))
    return Asked(
        f"In her sums {100 * p:g} % of the columns hold two different bits. In a column with {s} columns to its right, what "
        "share of bits can the best net that reads from the left get right?",
        (1 + p**s) / 2,
        f"Only if all {s} columns differ, with probability {p:g}^{s} = {p**s:.3g}, is there surely no carry; else it is 0 or 1 "
        "with equal chances. Guessing “no carry” is right with probability ½ (1 + that).",
        {
            0.5: "A little more is possible: if no column to the right has two equal bits, there is no carry.",
            p**s: "So often there is surely no carry. In the other cases a guess is right half the time.",
            1 - p**s / 2: "The nearest column with equal bits makes the carry a coin, not a certainty.",
            (1 + p ** (s + 1)) / 2: f"The column itself does not count: its carry comes from the {s} to its right.",
        },
    )


LEFT = Numerical(
    id="10-best-guess",
    title="The best guess",
    stars=2,
    minutes=10,
    ask=_left,
    hints=["Who settles the carry that comes into this column, and which values can it have?"],
    answer="½ (1 + pˢ): the carry is 0 if all s columns differ, and otherwise a fair coin.",
)

EXERCISES = [
    *(CARRY, PATH, LASTS, SHAPE),
    *(HALF, COUNT, WINDOW, BY_HAND, FROM_LEFT, LEFT),
]
