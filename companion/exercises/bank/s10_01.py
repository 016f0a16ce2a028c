"""Section 10.1: circuits unfolded and counted, delays that got lost, order through powers, what a state can hold."""

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule

# ---- self-test -------------------------------------------------------------------------------------------------


def _copies(rng: np.random.Generator) -> Asked:
    inputs, nodes, sources, tau = (int(rng.integers(*pair)) for pair in ((2, 4), (4, 8), (1, 3), (10, 30)))
    whose = "one node is" if sources == 1 else f"{sources} of the nodes are"
    return Asked(
        f"A circuit has {inputs} inputs and {nodes} nodes, and {whose} read through a delay of one step. "
        f"How many nodes has its unfolding over {tau} steps, inputs and values from before the first step included?",
        tau * (inputs + nodes) + sources,
        f"{tau} · ({inputs} + {nodes}) copies, and {sources} for step 0: what a delay hands to step 1 must stand "
        "somewhere.",
        {
            tau * (inputs + nodes): "Step 1 also reads through the delay. Where does it read what was before step 1?",
            tau * (inputs + nodes + sources): "A delay is a wire, not a node: unfolded, it leads to the next step. "
            "Only the first one needs a value of its own.",
            tau * nodes + sources: "The inputs are nodes of the unfolded graph as well, a new copy at every step.",
            inputs + nodes: "That is the circuit. Unfolded, there is a copy for every step.",
        },
    )


COPIES = Numerical(
    id="10.1-copies",
    title="How large it grows",
    ask=_copies,
    tolerance=0.001,
    hints=["Count one step. Then ask what the first step reads from before."],
    answer="τ times (inputs + nodes), and one initial value for each source that is read through a delay.",
)

LENGTHS = MultipleChoice(
    id="10.1-lengths",
    title="Thirty after twenty",
    ask="Three readers were trained on sequences of length 20: a sum with a weight vector for each position, a "
    "convolution over time, and a recurrence. Which of them can read a sequence of length 30 at all?",
    options=[
        Option(
            "The convolution and the recurrence",
            "Both apply the same parameters wherever they stand, so a longer sequence asks for none that are new.",
            True,
        ),
        Option(
            "Only the recurrence",
            "A convolution is shared over time too: its kernel moves on to step 21 as it did to step 20.",
        ),
        Option(
            "All three, with more or less error",
            "The position weights have no w⁽²¹⁾. That is no error, large or small: there is no answer.",
        ),
        Option(
            "None, since none of them has seen that length",
            "Not having seen it makes an answer doubtful, not impossible. What matters is whether the parameters exist.",
        ),
    ],
    hints=["For each reader: which parameters does step 21 use?"],
    answer="The convolution and the recurrence. A weight for each position has nothing to say about position 21.",
)

PARAMETERS = MultipleChoice(
    id="10.1-parameters",
    title="Five hundred, a thousand times",
    ask="A recurrent net has 500 parameters. It is unfolded over 1,000 steps in order to train it. How many numbers "
    "does gradient descent then have to find?",
    options=[
        Option("500", "Every copy reads the same 500 numbers, and their gradients are added up.", True),
        Option(
            "500,000",
            "That would be a deep net with weights of its own in every layer. Unfolding copies nodes, not parameters.",
        ),
        Option(
            "500,000 while it trains, and their mean, 500, afterwards",
            "Nothing is averaged: there is one W during training as well, read 1,000 times.",
        ),
        Option(
            "About 1,500, since the thousand states have to be found as well",
            "The states are computed from the inputs; nobody has to learn them.",
        ),
    ],
    answer="500. Each parameter stands in one place and is read 1,000 times; its gradient is the sum over its uses.",
)

FUTURE = MultipleChoice(
    id="10.1-future",
    title="Above the diagonal",
    ask="You draw the sizes of ∂ output⁽ᵗ⁾ / ∂ input⁽ᵏ⁾ for a network that you did not write, and some entry with "
    "k > t is not zero. What do you know?",
    options=[
        Option(
            "It is no recurrence that only runs forward",
            "Along the arrows of an unfolded forward recurrence, or of a causal convolution, nothing leads from step k "
            "to an earlier step t. A net that also reads backwards (Section 10.3) has such paths.",
            True,
        ),
        Option(
            "Its gradients explode",
            "Size is another matter: one entry above the diagonal may be tiny and still tells you of a path.",
        ),
        Option(
            "Its state remembers step k",
            "To remember is to be moved by the past. Here the output is moved by what comes later.",
        ),
        Option(
            "Nothing: by the chain rule any input may influence any output",
            "The chain rule multiplies along paths of the graph. Where there is no path, the derivative is exactly zero.",
        ),
    ],
    hints=["Which way do the arrows of time run in the unfolded graph?"],
    answer="Its output at t reads an input from the future, so it is neither a forward recurrence nor causal.",
)

UNTRAINED = MultipleChoice(
    id="10.1-untrained",
    title="Memory without training",
    ask="Why can inputs be recalled from the state of a recurrent net that was never trained?",
    options=[
        Option(
            "Its random W and U keep recent inputs apart, and the readout is fitted",
            "Nothing was learned inside, but with enough units the map from the last few inputs to the state is nearly "
            "one-to-one; least squares finds the linear map that undoes it.",
            True,
        ),
        Option(
            "The state stores each input in a unit of its own, until that is overwritten",
            "A shift register does. A random W mixes every input into all units; the readout has to unmix them.",
        ),
        Option(
            "The readout sees the past inputs themselves",
            "It sees h⁽ᵗ⁾ alone. What it knows of x⁽ᵗ⁻ᵏ⁾ came through the state.",
        ),
        Option(
            "Random weights happen to be close to trained ones",
            "Training changes a great deal: it drops what is never asked for. Recall does not need it.",
        ),
    ],
    hints=["Two maps are involved. Which of them is fitted?"],
    answer="The untrained state mixes the recent past nearly one-to-one, and the readout, which is fitted, unmixes it.",
)

BAG = MultipleChoice(
    id="10.1-bag",
    title="Shared, and yet in order",
    ask="A sum Σₜ w · x⁽ᵗ⁾ with one w for all positions cannot see the order of the words. A recurrence also uses one "
    "set of weights for all positions. Why does it see the order?",
    options=[
        Option(
            "Each word passes through W as often as there are steps after it",
            "In the linear case the weight of position t is W^(τ−t) U: different for each position, from parameters "
            "that are the same for all.",
            True,
        ),
        Option(
            "Its tanh makes the sum nonlinear",
            "The sum has a tanh as well and is blind. And a recurrence without tanh sees order.",
        ),
        Option(
            "It has more parameters",
            "A single linear unit with one w ≠ 1 is enough. What counts is that the map is applied again and again.",
        ),
        Option(
            "Its weights are learned separately for each step",
            "They are the same at every step. It is how often they act on a word that differs.",
        ),
    ],
    hints=["Write h⁽³⁾ for a linear recurrence, with nothing left but x⁽¹⁾, x⁽²⁾ and x⁽³⁾."],
    answer="A word's weight is a power of W that counts the steps after it. With W = 1 the recurrence is a bag again.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _stacked(rng: np.random.Generator) -> Asked:
    layers, tau = int(rng.integers(2, 5)), int(rng.choice([8, 10, 12, 15]))
    return Asked(
        f"{layers} recurrent layers are stacked; each reads the state of the one below at the same step, and has the "
        f"two nodes a (affine) and h (tanh). Over τ = {tau} steps, how many operations are on the longest path?",
        2 * tau + 2 * (layers - 1),
        f"2 · {tau} operations along the steps, and two for each of the {layers - 1} times that the path goes up.",
        {
            2 * tau: "That is one layer. The path may also go up, from layer to layer.",
            2
            * tau
            * layers: "That counts every operation. A path runs along one layer at a time: when it has gone up, "
            "it does not come back.",
            tau + layers - 1: "Each state takes two operations, the affine map and the tanh.",
            2 * tau + 2 * layers: "The path starts in the lowest layer, so it goes up one time less than there are "
            "layers.",
        },
    )


STACKED = Numerical(
    id="10.1-stacked",
    title="Predict the longest path",
    stars=1,
    minutes=8,
    ask=_stacked,
    tolerance=0.001,
    hints=["Draw two layers over three steps. A path may only go right and up."],
    answer="2τ + 2(L − 1): right τ − 1 times and up L − 1 times, from the first a to the last h, with two operations "
    "at each state on the way. It is far from L τ: depth in time and depth in space add, they do not multiply.",
)


def _two_back(n: int, first: float, before: float) -> np.ndarray:
    terms = [before, first]
    for _ in range(n):
        terms.append(terms[-1] + terms[-2])
    return np.array(terms[2:])


FIBONACCI = Implement(
    "10.1-fibonacci",
    reference=_two_back,
    cases=lambda rng: [
        (int(rng.integers(8, 14)), float(rng.integers(2, 9)), float(rng.integers(10, 20))) for _ in "12"
    ],
    wrong=[
        Wrong(
            "no second delay",
            lambda n, first, before: first * 2.0 ** np.arange(1, n + 1),
            "It looks as if the copy were read at the same step: then it holds F one step ago, not two, and every term "
            "is twice the one before.",
        ),
        Wrong(
            "starts swapped",
            lambda n, first, before: _two_back(n, before, first),
            "It looks as if the two initial values had been swapped: at step 0, the copy holds the older one.",
        ),
        Wrong(
            "the copy starts at zero",
            lambda n, first, before: _two_back(n, first, 0.0),
            "It looks as if the copy began at zero. It too has a value from before the first step: F at step −1.",
        ),
        Wrong(
            "the copy alone",
            lambda n, first, before: np.where(np.arange(n) % 2, first, before),
            "It looks as if F read the old value alone: the sum needs F of the step before as well.",
        ),
        Wrong(
            "one term early",
            lambda n, first, before: np.append(first, _two_back(n - 1, first, before)),
            "It looks as if F at step 0 were in the list: the terms begin with step 1.",
        ),
    ],
)

HOTDOG = MultipleChoice(
    id="10.1-hotdog",
    title="Order through powers",
    stars=2,
    minutes=15,
    ask="A linear recurrence with one unit, h⁽ᵗ⁾ = w h⁽ᵗ⁻¹⁾ + u · x⁽ᵗ⁾ and h⁽⁰⁾ = 0, reads one-hot words. Take its last "
    "state after “the man ate the hot dog” minus that after “the hot dog ate the man”. For which w is the difference "
    "zero whatever u is?",
    options=[
        Option(
            "For w = 1 only",
            "The coefficients are w⁴ − 1 (man), w³ − w² (ate), w² − w (the), w − w⁴ (hot), 1 − w³ (dog): all have the "
            "factor w − 1, and at w = 0 that of “man” is −1.",
            True,
        ),
        Option(
            "For w = 0 and w = 1",
            "At w = 0 the state is u of the last word, and the sentences end in “dog” and in “man”.",
        ),
        Option(
            "For w = 1 and w = −1",
            "At w = −1 the coefficient of “ate”, w³ − w², is −2: the word stands at an odd and at an even place.",
        ),
        Option(
            "For none: a recurrence always sees the order",
            "At one value of w every position has the same weight, and the state is a sum over a bag of words.",
        ),
    ],
    hints=[
        "The word at position t of six enters the last state with the weight w^(6 − t).",
        "Collect, for each of the five words, its weight in the first sentence minus that in the second.",
    ],
    answer="w = 1 only. For another w, the sentences fall together only for special u: a plane of dimension four in five.",
)

DELAY = FindBug(
    id="10.1-delay",
    title="The missing delay",
    stars=2,
    minutes=10,
    ask="Two units drive each other, each through a delay: p⁽ᵗ⁾ = tanh(2 q⁽ᵗ⁻¹⁾) and q⁽ᵗ⁾ = tanh(−2 p⁽ᵗ⁻¹⁾). The signs of "
    "p should repeat every four steps. With this code they repeat every two. Which line is wrong?",
    code="""\
p, q, path = 0.5, 0.5, []
for t in range(steps):
    p = np.tanh(2 * q)
    q = np.tanh(-2 * p)
    path.append((p, q))""",
    line=4,
    lines={
        1: "Both values from before the first step are given; two delays need two of them.",
        2: "One turn of the loop is one step.",
        3: "Here q has not been touched in this step yet, so it still is q⁽ᵗ⁻¹⁾.",
        5: "It records both values once a step, after both were computed.",
    },
    reasons=[
        Option(
            "It reads the p of this step, so a delay is gone",
            "p was overwritten one line above. The code computes the circuit q⁽ᵗ⁾ = tanh(−2 p⁽ᵗ⁾), a legal one, since "
            "its cycle still has a delay, but another one. `p, q = np.tanh(2 * q), np.tanh(-2 * p)` keeps both.",
            True,
        ),
        Option(
            "It must be computed before p, in the line above",
            "Then p would read the q of this step: the other delay would be gone. No order of the two lines helps.",
        ),
        Option(
            "The minus sign turns the oscillation round",
            "The sign is part of the task. With it the true circuit needs four steps for a round.",
        ),
        Option(
            "A cycle without a delay has come about, which cannot be computed",
            "One delay is left, from q to p; that is why the code runs at all, and runs on quietly.",
        ),
    ],
    hints=["Write down by hand which value of p each line reads in the second turn of the loop."],
    answer="The fourth line reads the new p. Compute both from the old values: "
    "`p, q = np.tanh(2 * q), np.tanh(-2 * p)`.",
)

BESSEL = Parsons(
    id="10.1-bessel",
    title="One input for each unit",
    stars=3,
    minutes=20,
    ask="The inputs are independent, with mean 0 and variance 1. Put the lines in order to a proof that, for any state "
    "of n_h units, linear or not, the best R² of recalling x⁽ᵗ⁻ᵏ⁾ linearly from h⁽ᵗ⁾, summed over all k, is at most n_h. "
    "Leave out what does not belong.",
    code="""\
Regard random variables as vectors, with inner product ⟨a, b⟩ = E[a b].
Then the inputs e_k = x⁽ᵗ⁻ᵏ⁾ are orthonormal: independent, mean 0, variance 1.
The linear readouts of h⁽ᵗ⁾, means taken off, form a space S of dimension r ≤ n_h.
The best readout of e_k is its projection P e_k on S, and R²_k = |P e_k|².
Take an orthonormal basis q₁ … q_r of S: R²_k = Σᵢ ⟨e_k, qᵢ⟩².
Sum over k and exchange the sums: Σ_k R²_k = Σᵢ Σ_k ⟨e_k, qᵢ⟩².
The inner sums are at most |qᵢ|² = 1, since the e_k are orthonormal (Bessel).
So the whole is at most r, and r ≤ n_h.""",
    rules=[
        Rule(1, 2, "Orthonormal in which sense? The inner product must be there first."),
        Rule(1, 3, "Readouts are random variables: say first that these are the vectors."),
        Rule(2, 4, "That R² is the squared length of the projection needs |e_k| = 1."),
        Rule(3, 4, "One cannot project on S before S is there."),
        Rule(4, 5, "The basis writes out the length of the projection, which must be known to be R²."),
        Rule(5, 6, "The double sum comes from writing every R² in the basis."),
        Rule(6, 7, "Bessel's inequality is used on the sum over k, after the sums have been exchanged."),
        Rule(7, 8, "The bound on the whole adds up r bounds of 1."),
    ],
    extra={
        "The units are independent, so each recalls one input.": "Units of a recurrent net are not independent, and "
        "none belongs to one input. The proof needs the dimension of the readouts alone.",
        "W is a contraction, so older inputs have smaller R².": "Often true, and not needed: the bound holds for any "
        "state, also one that holds old inputs better than new ones.",
    },
    hints=["What is orthonormal? What is the dimension of the space of readouts? Bessel's inequality joins the two."],
    answer="Each direction of S has a squared length of 1 to share among all inputs (Bessel), and there are at most n_h "
    "directions. For reservoirs the sum is known as the memory capacity.",
)


def _register(n_h: int) -> tuple[np.ndarray, np.ndarray]:
    return np.eye(n_h)[:, :1], np.eye(n_h, k=-1)


REGISTER = Implement(
    "10.1-register",
    reference=_register,
    cases=lambda rng: [(int(rng.integers(3, 9)),), (int(rng.integers(9, 13)),)],
    wrong=[
        Wrong(
            "the wrong way",
            lambda n: (np.eye(n)[:, :1], np.eye(n, k=1)),
            "It looks as if the ones stood above the diagonal: then unit i reads unit i + 1, and what enters unit 1 is "
            "gone at the next step.",
        ),
        Wrong(
            "a ring",
            lambda n: (np.eye(n)[:, :1], np.roll(np.eye(n), 1, axis=0)),
            "It looks like a ring: what leaves the last unit comes back into the first and is added to the new input.",
        ),
        Wrong(
            "a sum",
            lambda n: (np.eye(n)[:, :1], np.eye(n)),
            "It looks as if every unit kept what it has. Then unit 1 adds up all inputs, and the others stay at zero.",
        ),
        Wrong(
            "told to all",
            lambda n: (np.ones((n, 1)), np.eye(n, k=-1)),
            "It looks as if every unit read the input. Then unit 2 holds x⁽ᵗ⁾ + x⁽ᵗ⁻¹⁾.",
        ),
    ],
)

FLOOR = MultipleChoice(
    id="10.1-floor",
    title="Gone, or too small to read?",
    stars=2,
    minutes=8,
    ask="A colleague drives 64 untrained units, radius of W 0.3, with random inputs, fits readouts with `recall(…, "
    "ridge=1e-6)` and adds up R²: about 5 inputs. She writes: “With a small radius the state holds only five inputs; "
    "older ones are gone.” Which experiment tests her sentence?",
    options=[
        Option(
            "Read the same states with a much smaller ridge",
            "The ridge acts like noise on the states: traces below it count as nothing. At 1e-12 the sum about doubles, "
            "so what was missing is not gone, only small. That is the one explanation she did not exclude.",
            True,
        ),
        Option(
            "Repeat it with more draws of W and U",
            "It says how the five scatter, and both explanations predict five again.",
        ),
        Option(
            "Raise the radius to 0.95 and compare the two sums",
            "More will be recalled, whichever is true: traces shrink more slowly, and are easier to read as well.",
        ),
        Option(
            "Take 256 units, so that there is more room",
            "Both explanations allow a little more. The number of units was not the bottleneck: 64 could hold 64.",
        ),
    ],
    hints=["Two explanations give five: no trace is left, or it is smaller than what the readout can use."],
    answer="Vary the readout and leave the state alone. “How much does a state remember?” has no answer without “how "
    "precisely can it be read?”.",
)

EXERCISES = [
    *(COPIES, LENGTHS, PARAMETERS, FUTURE, UNTRAINED, BAG),
    *(STACKED, FIBONACCI, HOTDOG, DELAY, REGISTER, BESSEL, FLOOR),
]
