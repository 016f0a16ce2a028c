"""Section 10.3: who reads what, what the second side pays, and states that were not turned back."""

from math import log2

import numpy as np

from companion.bidirectional import BiRNN, birnn_forward, birnn_init, halves
from companion.cells.rnn import Layer, gaussian
from companion.core.scan import scan
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option

# ---- self-test -------------------------------------------------------------------------------------------------


def _parameters(rng: np.random.Generator) -> Asked:
    x, h = int(rng.choice([5, 10, 30])), int(rng.choice([20, 40]))
    one = h * x + h * h + h
    return Asked(
        f"A bidirectional net has n_x = {x} inputs and n_h = {h} units in each direction. How many recurrent "
        "parameters has it, that is, all of U, W and b?",
        2 * one,
        f"Twice {h}·{x} + {h}·{h} + {h} = {one}: one full set for each direction.",
        {
            one: "That is one direction. The two share nothing.",
            2 * (h * x + h * h): "The biases are missing: each direction has one for each unit.",
            2 * h * x
            + 4 * h * h
            + 2 * h: "That is one W over both states together. No weight leads from h to g or back, so "
            "two blocks of that matrix are not there.",
        },
    )


PARAMETERS = Numerical(
    id="10.3-parameters",
    title="Count them",
    ask=_parameters,
    tolerance=0.001,
    hints=["First count one direction: U, W and b."],
    answer="2 (n_h n_x + n_h² + n_h). The output weights double too; the bias of the output does not.",
)

REACH = MultipleChoice(
    id="10.3-reach",
    title="Where an input arrives",
    ask="Which states does x⁽³⁾ reach in a sequence of ten steps?",
    options=[
        Option(
            "h⁽³⁾ to h⁽¹⁰⁾, and g⁽³⁾, g⁽²⁾, g⁽¹⁾",
            "h hands it on to the right and g to the left. Together it reaches every output.",
            True,
        ),
        Option(
            "h⁽³⁾ to h⁽¹⁰⁾, and g⁽³⁾ to g⁽¹⁰⁾",
            "g reads from the end: g⁽⁴⁾ is computed before g⁽³⁾, so it cannot have read x⁽³⁾.",
        ),
        Option(
            "All states of both directions, since every output depends on every input",
            "The outputs do, because each reads both chains. A single state knows one side only.",
        ),
        Option("h⁽³⁾ and g⁽³⁾ alone", "These two read it directly, and both hand on what they have read."),
    ],
    hints=["In which direction does g hand on its state?"],
    answer="h⁽³⁾, …, h⁽¹⁰⁾ and g⁽³⁾, g⁽²⁾, g⁽¹⁾.",
)

WRITE = MultipleChoice(
    id="10.3-write",
    title="A net that writes?",
    ask="Why can a bidirectional net not write a text of its own, one letter after the other?",
    options=[
        Option(
            "g at the next place would have to read letters that are not written yet",
            "There is no future to read while you make it. The net can read what is complete: a prompt, or a sentence that "
            "another net then translates.",
            True,
        ),
        Option(
            "Its two directions would write the text from both ends and would have to meet in the middle",
            "Neither direction writes. Both read, and the output needs both.",
        ),
        Option(
            "Its outputs are no probabilities",
            "Each output goes through a softmax, as in any net. What it is a distribution over is the question.",
        ),
        Option(
            "It is too slow for one letter at a time",
            "It would be slow, since g has to start again at each letter. But speed is not what forbids it.",
        ),
    ],
    answer="The state g⁽ᵗ⁾ reads x⁽ᵗ⁾ to x⁽τ⁾. While a text is being written, these do not exist.",
)

TIP = MultipleChoice(
    id="10.3-tip",
    title="The tip of the tent",
    ask="W_h and W_g are orthogonal, so they make nothing smaller. Why is the derivative of o⁽ᵗ⁾ by x⁽ᵏ⁾ still larger at "
    "k = t than beside it?",
    options=[
        Option(
            "Two paths end there, and neither passes a further slope of tanh",
            "For k ≠ t there is one path, and each step on it multiplies by a slope 1 − h² below one.",
            True,
        ),
        Option(
            "x⁽ᵗ⁾ is read last by both directions, and a recurrent net forgets what it read earlier",
            "It is read last by both. But with an orthogonal W it is not W that forgets; what happens on the way?",
        ),
        Option(
            "The target y⁽ᵗ⁾ belongs to x⁽ᵗ⁾",
            "A derivative of the output knows of no target, and this holds before any training.",
        ),
        Option(
            "It is not: with orthogonal matrices all inputs are equally loud",
            "They would be if the net were linear, and even then k = t would have two paths and the others one.",
        ),
    ],
    hints=["Count the paths from x⁽ᵏ⁾ to o⁽ᵗ⁾, and the slopes of tanh on each."],
    answer="It is the only place where two paths end, and both go through one slope 1 − h² only.",
)

TWICE = MultipleChoice(
    id="10.3-twice",
    title="Twice the time?",
    ask="Is a bidirectional net with n_h units in each direction twice as slow as a net with n_h units?",
    options=[
        Option(
            "Twice the work, but no more steps in a row if processors are free",
            "The halves do not wait for each other, forward or backward: τ steps in a row, as for one direction.",
            True,
        ),
        Option(
            "Yes: g can only start when h has arrived at the end",
            "g needs the inputs, not h. Both can start at once.",
        ),
        Option(
            "Four times, since W has twice as many rows and twice as many columns",
            "There are two matrices n_h × n_h and no weights between them: twice the products.",
        ),
        Option(
            "No: the two directions share their work", "They share no weights and no states. There is twice as much."
        ),
    ],
    answer="It is twice the work in the same number of sequential steps.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

MOVES = MultipleChoice(
    id="10.3-moves",
    title="Who moves?",
    minutes=5,
    ask="A sequence has nine steps, and you change x⁽⁵⁾ only. Take the outputs about a hidden letter, "
    "o⁽ᵗ⁾ = c + V_h h⁽ᵗ⁻¹⁾ + V_g g⁽ᵗ⁺¹⁾, with V_g = 0. Which of them move?",
    options=[
        Option(
            "6 to 9",
            "o⁽ᵗ⁾ reads h⁽ᵗ⁻¹⁾, and h⁽⁵⁾ is the first state that has read x⁽⁵⁾: it is heard from o⁽⁶⁾ on.",
            True,
        ),
        Option("5 to 9", "That is the usual net with V_g = 0. Here o⁽⁵⁾ reads h⁽⁴⁾, which has not read x⁽⁵⁾."),
        Option("1 to 4", "That is what g alone would do. With V_g = 0 only h is heard, and h reads from the left."),
        Option(
            "All but the fifth",
            "That is with both directions. With V_g = 0 no output hears what comes after its own place.",
        ),
    ],
    hints=["Which states have read x⁽⁵⁾? Which outputs read one of these states?"],
    answer="6 to 9. The usual net with V_g = 0: 5 to 9; with V_h = 0: 1 to 5; with both: all. The hidden-letter outputs with "
    "both: all but the fifth.",
)


def _read(half: tuple, x: np.ndarray) -> np.ndarray:
    return scan(Layer(half[0], half[1], half[3]), (np.zeros(len(half[3])),), x).h[1:]


def _three_lines(p: BiRNN, x: np.ndarray, turn_in: int = 0, turn_out: bool = True, shift: int = 0) -> np.ndarray:
    forward, reverse = halves(p)
    g = _read(reverse, np.flip(x, turn_in) if turn_in >= 0 else x)
    g = np.roll(g[::-1] if turn_out else g, shift, axis=0)
    return forward.c + _read(forward, x) @ forward.V.T + g @ reverse.V.T


def _two_sided(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for tau in (6, 9):
        p = birnn_init(3, 4, 2, rng)
        p = BiRNN(*(v + 0.3 * rng.normal(size=v.shape) for v in p))
        cases.append((p, rng.normal(size=(tau, 3))))
    return cases


TURNED = Implement(
    "10.3-turned",
    reference=lambda p, x: birnn_forward(p, x).o,
    cases=_two_sided,
    wrong=[
        Wrong(
            "not turned back",
            lambda p, x: _three_lines(p, x, turn_out=False),
            "It looks like the colleague's own net: row t of g still holds the state of step τ + 1 − t. Only the middle "
            "output of an odd number of steps is right.",
        ),
        Wrong(
            "not turned at all",
            lambda p, x: _three_lines(p, x, turn_in=-1, turn_out=False),
            "It looks as if both nets read from the left. Then no output knows what comes after it.",
        ),
        Wrong(
            "turned only at the end",
            lambda p, x: _three_lines(p, x, turn_in=-1),
            "It looks as if the second net read from the left and only its states were turned: o⁽¹⁾ reads a state that has "
            "seen everything, and o⁽τ⁾ one that has seen x⁽¹⁾ alone.",
        ),
        Wrong(
            "the features turned",
            lambda p, x: _three_lines(p, x, turn_in=1, turn_out=False),
            "It looks as if `x[:, ::-1]` had been written: that turns the features of each step, not the time.",
        ),
        Wrong(
            "one step off",
            lambda p, x: _three_lines(p, x, shift=-1),
            "It looks as if o⁽ᵗ⁾ read g⁽ᵗ⁺¹⁾. That is what a hidden letter needs; here the output may see its own input.",
        ),
    ],
)

PADDED = FindBug(
    id="10.3-padded",
    title="A batch of unequal lengths",
    stars=2,
    minutes=5,
    ask="Two one-way nets in PyTorch are made into a bidirectional one by hand. `x` has the shape (batch, longest, n_x), with "
    "zeros behind the end of each shorter sequence; `mask` is 1 on real steps and 0 on padded ones. With sequences of equal "
    "length all is well; with others the results depend on how much padding a batch has. Which line is wrong?",
    code="""\
h, _ = forward_net(x)
g, _ = backward_net(x.flip(1))
o = head(torch.cat([h, g.flip(1)], dim=2))
loss = (nll(o, y) * mask).sum() / mask.sum()""",
    line=2,
    lines={
        1: "In the forward net the padding comes after the steps that count, and what is computed there is masked.",
        3: "This turns the states back as the inputs were turned. It has to change along with another line, but what is wrong "
        "has happened before: with which inputs did g begin?",
        4: "That is the mean over real steps, with the padding masked as it should be.",
    },
    reasons=[
        Option(
            "In a short sequence g begins with the padding; each has to be turned at its own end",
            "flip(1) turns the whole row, so the zeros come first and g changes its state on them. Turn each sequence at its "
            "own length, or use `pack_padded_sequence`.",
            True,
        ),
        Option(
            "It must be flip(2), since axis 1 holds the features",
            "Axis 0 is the batch, axis 1 the time, axis 2 the features. The axis is right.",
        ),
        Option(
            "The backward net has to start from the last state of the forward net",
            "No arrow leads from h to g. Each starts from its own initial state.",
        ),
        Option(
            "The padded steps have to be multiplied by the mask first",
            "They are zeros already. A net goes on changing its state on zeros.",
        ),
    ],
    hints=["Write down what x.flip(1) makes of a sequence a b 0 0."],
    answer="Line 2: a b 0 0 is read as 0 0 b a. Each sequence must be turned at its own end, and its states turned back there.",
)


def _chain_bits(rng: np.random.Generator) -> Asked:
    stay, tau = float(rng.choice([0.9, 0.8, 0.95])), int(rng.choice([5, 8, 11]))
    flip = 1 - stay
    h = -(stay * log2(stay) + flip * log2(flip))
    return Asked(
        f"X⁽¹⁾ is a fair coin. Each later X⁽ᵗ⁾ equals the one before it with probability {stay:g}, up to τ = {tau}. How many bits "
        "does the best guesser pay in total who sees, for each symbol, all those to the right of it? (To two digits after the "
        "point.)",
        round(1 + (tau - 1) * h, 4),
        f"The chain rule from the right gives the entropy of the whole, and so does that from the left: 1 + {tau - 1} · {h:.3f}.",
        {
            float(tau): "That is one bit each, as if the symbols told nothing about each other.",
            round(
                tau * h, 4
            ): "The symbol that stands at the end of the guesser's way has no neighbour on its side: it costs a "
            "whole bit.",
            round((tau - 1) * h, 4): "One symbol is missing: for the last one nothing stands to the right.",
            round((tau - 1) * flip, 4): f"{flip:.2g} is the probability of a change, not its entropy.",
        },
    )


SIDES = Numerical(
    id="10.3-sides",
    title="Left and right, exactly",
    stars=2,
    minutes=20,
    ask=_chain_bits,
    tolerance=0.004,
    hints=[
        "What does the guesser from the left pay? Use the chain rule of entropy.",
        "The chain rule may be applied in any order of the symbols.",
    ],
    answer="Σ H(X⁽ᵗ⁾ | X⁽ᵗ⁺¹⁾, …, X⁽τ⁾) = H(X⁽¹⁾, …, X⁽τ⁾) = Σ H(X⁽ᵗ⁾ | X⁽¹⁾, …, X⁽ᵗ⁻¹⁾): the same total from both sides.",
)

CODE_LENGTH = MultipleChoice(
    id="10.3-code-length",
    title="And from both sides?",
    ask="The best guesser from both sides pays less in total than the entropy of the text. Can a file be stored in so few bits?",
    options=[
        Option(
            "No: who decodes starts with a symbol whose neighbours are unknown",
            "Each guess uses symbols that a decoder does not have. Take a coin that is copied: each symbol follows from its "
            "neighbours for nothing, and yet the text has one bit.",
            True,
        ),
        Option(
            "Yes: that is how two-sided models compress better than one-sided ones",
            "No code is shorter than the entropy on average. The two-sided total is below it, so it is no code length.",
        ),
        Option(
            "Yes, if the reader and the writer share the same net",
            "Sharing the net is taken for granted in any such code. What a decoder lacks is the text on one side.",
        ),
        Option(
            "No, since the entropy from both sides is larger than that from one",
            "Conditioning on more never raises entropy: each guess from both sides is at least as good.",
        ),
    ],
    answer="No. To decode, somebody must go first. The two-sided sum is called a pseudo-likelihood.",
)


def _lines_of(rng: np.random.Generator) -> list[tuple]:
    def layer(n_x: int, n_h: int) -> Layer:
        return Layer(gaussian((n_h, n_x), rng), gaussian((n_h, n_h), rng), 0.3 * rng.normal(size=n_h))

    return [(tuple(layer(2, 3) for _ in range(4)), rng.normal(size=(4, rows, 2))) for rows in (4, 5)]


def _sweeps(
    layers: tuple, x: np.ndarray, back: bool = True, swap_in: bool = True, swap_out: bool = True, up_back: bool = True
) -> np.ndarray:
    def along(layer: Layer, v: np.ndarray, way: int, turn: bool = True) -> np.ndarray:
        states = np.stack([scan(layer, (np.zeros(len(layer.b)),), line[::way]).h[1:] for line in v])
        return states[:, ::way] if turn else states

    right, left, down, up = layers
    turned = x.swapaxes(0, 1) if swap_in else x
    columns = [along(down, turned, 1), along(up, turned, -1, up_back)]
    if swap_in and swap_out:
        columns = [v.swapaxes(0, 1) for v in columns]
    return np.concatenate([along(right, x, 1), along(left, x, -1, back), *columns], axis=2)


SWEEPS = Implement(
    "10.3-sweeps",
    reference=_sweeps,
    cases=_lines_of,
    wrong=[
        Wrong(
            "left not turned back",
            lambda layers, x: _sweeps(layers, x, back=False, up_back=False),
            "It looks as if the states of the two sweeps that start at the end had not been turned back.",
        ),
        Wrong(
            "up not turned back",
            lambda layers, x: _sweeps(layers, x, up_back=False),
            "It looks as if the states of the sweep from below had not been turned back, while those from the right were.",
        ),
        Wrong(
            "rows twice",
            lambda layers, x: _sweeps(layers, x, swap_in=False),
            "It looks as if the last two nets read the rows as well. They have to read the columns.",
        ),
        Wrong(
            "one row after the other",
            lambda layers, x: _sweeps_in_one(layers, x),
            "It looks as if each net read the picture as one long line, with the state carried from the end of a row or "
            "column into the next. Every row and every column is a sequence of its own.",
        ),
    ],
)


def _sweeps_in_one(layers: tuple, x: np.ndarray) -> np.ndarray:
    def along(layer: Layer, v: np.ndarray, way: int) -> np.ndarray:
        flat = v.reshape(-1, v.shape[2])[::way]
        return scan(layer, (np.zeros(len(layer.b)),), flat).h[1:][::way].reshape(*v.shape[:2], -1)

    right, left, down, up = layers
    turned = x.swapaxes(0, 1)
    columns = [along(layer, turned, way).swapaxes(0, 1) for layer, way in ((down, 1), (up, -1))]
    return np.concatenate([along(right, x, 1), along(left, x, -1), *columns], axis=2)


def _share(rng: np.random.Generator) -> Asked:
    w = float(rng.choice([0.6, 0.7, 0.8, 0.85]))
    return Asked(
        f"Let the net be linear (no tanh) with one unit in each direction, U_h = U_g = V_h = V_g = 1 and W_h = W_g = {w:g}. Add up "
        "the derivatives of o⁽ᵗ⁾ by all inputs, far from both ends. What share of the sum has its own input x⁽ᵗ⁾?",
        round(1 - w, 6),
        f"The own input has 2, one from each direction; all others together 2w / (1 − w). The share is 1 − w = {1 - w:.2g}.",
        {
            round((1 - w) / (1 + w), 6): "That counts the own input once. It arrives through h and through g.",
            round(
                2 * (1 - w) / (2 - w), 6
            ): "That counts the inputs of one side only. They come from the left and from the right.",
            2.0: "That is its derivative. Now divide by the sum of all.",
        },
    )


SHARE = Numerical(
    id="10.3-share",
    title="One tip or two?",
    stars=2,
    minutes=15,
    ask=_share,
    hints=["Write the derivative by x⁽ᵏ⁾ as a power of w. What is special at k = t?", "1 + w + w² + … = 1 / (1 − w)."],
    answer="The derivative is w^|t−k| for k ≠ t and 2 for k = t. The sum is 2 + 2w / (1 − w) = 2 / (1 − w), so the share is 1 − w: a "
    "long reach leaves little for the own step.",
)

PERFECT = MultipleChoice(
    id="10.3-perfect",
    title="Too good",
    stars=2,
    minutes=5,
    ask="A colleague trains a two-sided net to name hidden letters. On held-out text it pays 0.01 bits per hidden letter, where "
    "the nets of this section pay about one. She suspects that the net sees the letter that it is asked for. Which single check "
    "decides it?",
    options=[
        Option(
            "Change x⁽ᵗ⁾ and see whether the output about it moves",
            "The output about x⁽ᵗ⁾ must not depend on x⁽ᵗ⁾ at all: its derivative has to be exactly zero.",
            True,
        ),
        Option(
            "Compare the loss on training text with that on held-out text",
            "A leak makes both small, and no gap appears. This check finds overfitting.",
        ),
        Option(
            "Train again with other seeds and on a longer text",
            "A leak is in the wiring, not in the draw: the loss would be as small each time.",
        ),
        Option(
            "Make the net smaller until the loss rises",
            "Even a small net can copy a letter that it sees. And a loss that rises would not say why.",
        ),
    ],
    hints=["What must be true of the wiring, whatever the weights are?"],
    answer="Ask the derivative. With o⁽ᵗ⁾ = c + V_h h⁽ᵗ⁾ + V_g g⁽ᵗ⁾ both states have read x⁽ᵗ⁾; for a hidden letter take h⁽ᵗ⁻¹⁾ and "
    "g⁽ᵗ⁺¹⁾.",
)

EXERCISES = [
    *(PARAMETERS, REACH, WRITE, TIP, TWICE),
    *(MOVES, TURNED, PADDED, SIDES, CODE_LENGTH, SWEEPS, SHARE, PERFECT),
]
