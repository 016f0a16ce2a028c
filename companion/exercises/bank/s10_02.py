"""Section 10.2: the plain network and its costs, minibatches, steps without a chain, and machines made of rules."""

from collections.abc import Sequence

import numpy as np

from companion.cells.output import OutputRNN, output_rnn_forward, output_rnn_init
from companion.cells.rnn import RNN, rnn_forward, rnn_init
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, MultipleChoice, Numerical, Option, Parsons, Rule

# ---- self-test -------------------------------------------------------------------------------------------------


def _parameters(rng: np.random.Generator) -> Asked:
    n_x, n_h, n_o = int(rng.integers(4, 9)), 10 * int(rng.integers(2, 6)), int(rng.integers(3, 8))
    tau = int(rng.choice([100, 500, 1000]))
    weights = n_h * n_x + n_h**2 + n_o * n_h
    return Asked(
        f"A recurrent network has n_x = {n_x}, n_h = {n_h}, n_o = {n_o}. How many parameters does it have for "
        f"sequences of length {tau:,}?",
        weights + n_h + n_o,
        f"{n_h}·{n_x} + {n_h}·{n_h} + {n_o}·{n_h} weights and {n_h} + {n_o} biases. The length does not enter.",
        {
            weights: "Those are the weights. The biases b and c are parameters as well.",
            (weights + n_h + n_o) * tau: "The same parameters serve at every step; they are not counted again.",
            weights + 2 * n_h + n_o: "That is PyTorch's count, with two biases in the recurrent layer. Only their sum "
            "matters; this section has one b.",
            weights + n_h + n_o - n_h**2: "W is missing: the state before enters as well, through n_h × n_h weights.",
        },
    )


PARAMETERS = Numerical(
    id="10.2-parameters",
    title="How many parameters?",
    ask=_parameters,
    tolerance=1e-4,
    hints=["Write down the shapes of U, W, V, b and c."],
    answer="n_h n_x + n_h² + n_o n_h weights, n_h + n_o biases, whatever the length.",
)

PATTERN = MultipleChoice(
    id="10.2-pattern",
    title="While it is being spoken",
    ask="You must label each of 10,000 frames of sound with a phoneme, while it is being spoken. Which of the three "
    "patterns do you take?",
    options=[
        Option(
            "State to state, with an output at every step",
            "Each label comes from a state that has heard everything so far, and it comes at once.",
            True,
        ),
        Option(
            "Output to state only",
            "All that would be kept of the sound heard so far is the last label. Sound before it may still matter.",
        ),
        Option(
            "State to state, with one output at the end",
            "It answers once, after frame 10,000. That fits the question which language is being spoken.",
        ),
        Option(
            "Three networks, each for a third of the frames",
            "One state can carry what is needed, and one output per step is asked.",
        ),
    ],
    answer="The first pattern: an output at every step, from a state. For one answer about the whole, the third.",
)

PROCESSORS = MultipleChoice(
    id="10.2-processors",
    title="A second processor",
    ask="All states are known. Why does a second processor speed up the sum of the losses L⁽ᵗ⁾, but would not have "
    "helped to compute h⁽τ⁾?",
    options=[
        Option(
            "The losses do not need each other; each state needs the one before",
            "Given the states, the terms can be computed in any order, side by side. The states form a chain of τ "
            "links, and a tanh stands in each.",
            True,
        ),
        Option(
            "The losses are cheaper",
            "Cost per step is not the point: V h⁽ᵗ⁾ may well cost more than W h⁽ᵗ⁻¹⁾.",
        ),
        Option(
            "W is shared by all steps, so two processors would get in each other's way",
            "V is shared as well. Reading the same numbers hinders nobody.",
        ),
        Option(
            "Sums can be split in two, products cannot",
            "A long product of matrices can be split in two. Without the tanh the chain can be computed in log₂ τ rounds.",
        ),
    ],
    hints=["Draw which quantity waits for which."],
    answer="What waits for what decides: the terms of the sum wait for nothing, the states form a chain of τ links.",
)

BASE = MultipleChoice(
    id="10.2-base",
    title="Why base 4?",
    ask="The network stores a stack of bits as a fraction with the digits 1 and 3 in base 4. What would go wrong with the "
    "digits 0 and 1 in base 2?",
    options=[
        Option(
            "Stacks with 0 and with 1 on top come as close as you like",
            "0.0111… in base 2 approaches 0.1, so no ramp of finite slope reads off exactly 0 from all of the first and "
            "exactly 1 from all of the second. Base 4 leaves a gap of width 1/4.",
            True,
        ),
        Option(
            "Base 2 needs twice as many digits, so the stack would be half as deep",
            "It is the other way round: a bit takes one binary digit in base 2 and two in base 4.",
        ),
        Option(
            "Pushing would no longer be a linear map",
            "Push and pop divide and multiply by 2 and add a digit: as linear as before.",
        ),
        Option(
            "The fraction could become larger than 1",
            "0.111… in base 2 stays below 1.",
        ),
    ],
    hints=["The top bit is read by a ramp with flat ends. Which stacks lie on its slope?"],
    answer="There is no gap between the two kinds of stack, and a ramp needs a gap for its slope.",
)

HALF_WAY = MultipleChoice(
    id="10.2-half-way",
    title="Half way down",
    ask="After four of eight rows a fresh linear read-out finds the digit in the state in about 80 % of cases; the "
    "network's own output layer, applied at that step, in about 10 %. Why?",
    options=[
        Option(
            "Nothing in the loss ever asked for an answer that early",
            "The state keeps the evidence in the form that later steps need. V was fitted to h⁽⁸⁾ alone and reads "
            "h⁽⁴⁾ as if it were one.",
            True,
        ),
        Option(
            "The state does not know the digit yet: half of the rows are still to come",
            "Then the fresh read-out could not find it: it sees the same state and nothing else.",
        ),
        Option(
            "The fresh read-out has seen the test digits",
            "It was fitted to training digits and judged on test digits, like the network.",
        ),
        Option(
            "The output layer has too few weights",
            "The fresh read-out is linear and of the same size. It has other weights, fitted to this step.",
        ),
    ],
    hints=["Both are linear maps of h⁽⁴⁾. On what was each of them fitted?"],
    answer="A state is a memory first. For answers at every step, train for them, with the first pattern.",
)


def _messages(rng: np.random.Generator) -> Asked:
    n_o, n_h, t = int(rng.integers(5, 40)), int(rng.choice([50, 100, 200])), int(rng.integers(5, 9))
    return Asked(
        f"A network whose only recurrence runs from output to hidden layer has {n_h} hidden units and {n_o} symbols, and "
        f"is fed the targets. After {t} steps, how many different pasts can it tell apart at step {t + 1}?",
        n_o,
        f"All that it is told of the past is the last target, one of {n_o}.",
        {
            n_h: "The hidden layer is computed anew at every step; it is not handed on.",
            n_o * t: "The targets of earlier steps were read at earlier steps, and nothing kept them.",
            float(n_o) ** t: "So many pasts there are. All that end in the same target look the same.",
        },
    )


MESSAGES = Numerical(
    id="10.2-messages",
    title="What gets through",
    ask=_messages,
    tolerance=1e-3,
    hints=["Which arrows lead from step t into step t + 1?"],
    answer="As many as there are symbols, however wide the hidden layer is.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _pulse(rng: np.random.Generator) -> Asked:
    n = 2 * int(rng.integers(3, 15))
    return Asked(
        f"On a balanced word of {n} letters, how many steps does the bracket network take until “yes” lights up?",
        3 * (n + 1),
        f"Three steps for each of the {n} letters and for the end mark $.",
        {
            n
            + 1: "Those are steps of the machine, one for each letter and one for $. The network takes three for each.",
            3 * n: "The end mark $ is read as well, and only then can “yes” light up.",
            n: "That counts letters. The machine also reads the end mark, and the network has three layers.",
        },
    )


PULSE = Numerical(
    id="10.2-pulse",
    title="How long does it take?",
    stars=1,
    minutes=5,
    ask=_pulse,
    tolerance=1e-3,
    hints=["One step of the machine is a pulse through three layers: rule, write, read."],
    answer="3 (n + 1): one step of the machine for each letter and for $, and three of the network for each of them.",
)


def _words(rng: np.random.Generator) -> list[tuple]:
    fixed = ["", "ab", "aabb", "a", "b", "ba", "aab", "abb", "abab", "abba", "baab", "aaabb", "aabbb"]
    drawn = ["".join(rng.choice(list("ab"), size=rng.integers(1, 9))) for _ in range(10)]
    nested = ["a" * n + "b" * m for n, m in rng.integers(1, 5, size=(6, 2))]
    return [([*fixed, *drawn, *nested],)]


def _is_block(word: str, empty: bool = True) -> bool:
    return word == word.count("a") * "a" + word.count("b") * "b" and (empty or word != "")


def _anbn(words: Sequence[str]) -> list[bool]:
    return [_is_block(word) and word.count("a") == word.count("b") for word in words]


ANBN = Implement(
    "10.2-anbn",
    reference=_anbn,
    cases=_words,
    wrong=[
        Wrong(
            "the stack not looked at",
            lambda words: [_is_block(word) for word in words],
            "It accepts every word of the form a…ab…b. Is a `b` allowed only when there is something to pop, and the "
            "end only when the stack is empty?",
        ),
        Wrong(
            "the end does not look",
            lambda words: [_is_block(word) and word.count("a") >= word.count("b") for word in words],
            "It also accepts words with too many `a`. At `$` the stack must be empty (`e`).",
        ),
        Wrong(
            "no second state",
            lambda words: [
                word.count("a") == word.count("b")
                and all(word[:n].count("a") >= word[:n].count("b") for n in range(len(word)))
                for word in words
            ],
            "It reads `a` and `b` like brackets: `abab` is accepted. After the first `b`, no `a` may come; that takes a "
            "second state.",
        ),
        Wrong(
            "not the empty word",
            lambda words: [_is_block(word, empty=False) and word.count("a") == word.count("b") for word in words],
            "Only the empty word is judged wrong: n = 0 is allowed, so `$` may come in the first state.",
        ),
        Wrong(
            "nothing", lambda words: [False for _ in words], "It rejects every word. Does a rule lead to `yes`, on `$`?"
        ),
    ],
    seconds=30.0,
)


def _batch(rng: np.random.Generator) -> list[tuple]:
    p = rnn_init(3, 5, 2, rng, radius=1.0)._replace(b=rng.normal(size=5))
    return [(p, rng.normal(size=(tau, 4, 3))) for tau in (1, 6)]


def _last_states(p: RNN, X: np.ndarray) -> np.ndarray:
    return np.array([rnn_forward(p, X[:, i]).h[-1] for i in range(X.shape[1])])


BATCH = Implement(
    "10.2-batch",
    reference=_last_states,
    cases=_batch,
    wrong=[
        Wrong(
            "as it was",
            lambda p, X: _last_states(p._replace(W=p.W.T), X),
            "It looks as if W still stood there without its transpose. In rows, W h becomes H Wᵀ.",
        ),
        Wrong(
            "the state not carried on",
            lambda p, X: _last_states(p, X[-1:]),
            "It looks as if every step began at zero: the state of the step before is not used.",
        ),
        Wrong(
            "no bias",
            lambda p, X: _last_states(p._replace(b=0 * p.b), X),
            "It looks as if the bias were missing.",
        ),
        Wrong(
            "no tanh at the end",
            lambda p, X: np.arctanh(_last_states(p, X)),
            "It looks like A, the pre-activation of the last step, instead of H.",
        ),
    ],
)

WHICH_TEST = MultipleChoice(
    id="10.2-which-test",
    title="One test that bites",
    stars=2,
    minutes=5,
    ask="The colleague's step, `np.tanh(X[t] @ U.T + H @ W + b)`, had passed all of her tests. Which single test would "
    "have failed?",
    options=[
        Option(
            "Two steps against `rnn_forward`, with a drawn W",
            "Two steps, so that the state before is not zero, and a W that is not symmetric: then H W and H Wᵀ differ.",
            True,
        ),
        Option(
            "The first state against `rnn_forward`, for a hundred drawn nets",
            "At t = 1 the state before is zero, and so is the wrong term, in every net.",
        ),
        Option(
            "Its gradient against central differences, at every index",
            "Differences are taken of the same code, so they confirm the gradient of the wrong function. Such a check "
            "says that forward and backward agree, not that the forward pass is the one you meant.",
        ),
        Option(
            "The shapes of all states, for many widths and lengths",
            "W is square, so H W and H Wᵀ have the same shape for every width.",
        ),
    ],
    hints=["For which states, and for which W, do H W and H Wᵀ agree?"],
    answer="Two steps and an asymmetric W, against an implementation of its own. What a test compares with decides what it "
    "can find.",
)


def _forced(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for tau in (1, 12):
        p = output_rnn_init(3, 6, 4, rng)._replace(b=rng.normal(size=6), c=rng.normal(size=4))
        cases.append((p, rng.normal(size=(tau, 3)), rng.integers(4, size=tau)))
    return cases


def _logits(p: OutputRNN, x: np.ndarray, Z: np.ndarray) -> np.ndarray:
    return np.tanh(x @ p.U.T + Z @ p.W.T + p.b) @ p.V.T + p.c


UNCHAINED = Implement(
    "10.2-unchained",
    reference=lambda p, x, y: output_rnn_forward(p, x, y).o,
    cases=_forced,
    wrong=[
        Wrong(
            "not shifted",
            lambda p, x, y: _logits(p, x, np.eye(4)[y]),
            "It looks as if step t read its own target y⁽ᵗ⁾: the rows must be shifted by one step.",
        ),
        Wrong(
            "a ring",
            lambda p, x, y: _logits(p, x, np.roll(np.eye(4)[y], 1, axis=0)),
            "It looks as if step 1 read the last target, as `np.roll` would have it. Before the first step there is "
            "nothing: z⁽⁰⁾ = 0.",
        ),
        Wrong(
            "own outputs",
            lambda p, x, y: output_rnn_forward(p, x).o,
            "It looks as if the network's own ŷ were fed back. With the targets nothing has to be waited for.",
        ),
        Wrong(
            "no feedback",
            lambda p, x, y: _logits(p, x, np.zeros((len(y), 4))),
            "It looks as if nothing were fed back: W has no effect.",
        ),
        Wrong(
            "shifted the other way",
            lambda p, x, y: _logits(p, x, np.vstack([np.eye(4)[y[1:]], np.zeros(4)])),
            "It looks as if step t read y⁽ᵗ⁺¹⁾: the shift goes the other way, down by one row.",
        ),
    ],
)

SCAN = Parsons(
    id="10.2-scan",
    title="All states in log₂ τ rounds",
    stars=2,
    minutes=10,
    ask="Put the lines in order so that the function returns all states of h⁽ᵗ⁾ = λ⁽ᵗ⁾ h⁽ᵗ⁻¹⁾ + u⁽ᵗ⁾, h⁽⁰⁾ = 0, by a "
    "parallel scan. Row t of `lam` and `u` always describes the whole stretch of steps that ends at t. Leave out what "
    "does not belong.",
    code="""\
lam, u = lam.copy(), u.copy()
apart = 1
while apart < len(u):
    u[apart:] = lam[apart:] * u[:-apart] + u[apart:]
    lam[apart:] = lam[apart:] * lam[:-apart]
    apart = 2 * apart
return u""",
    rules=[
        Rule(1, 4, "The caller's arrays would be overwritten: copy them first."),
        Rule(1, 3, "Copy once, before the loop."),
        Rule(2, 3, "The first stretches are one step long: say so before the loop asks."),
        Rule(3, 4, "The states are merged inside the loop."),
        Rule(4, 5, "u needs the factor of its own stretch alone. If lam is merged first, it covers both stretches."),
        Rule(5, 6, "The stretches are twice as long only after both u and lam have been merged."),
        Rule(6, 7, "The loop ends before the function returns."),
        Rule(4, 7, "The states must have been merged before they are returned."),
        Rule(5, 7, "The factors are needed by the next round of the loop."),
    ],
    extra={
        "    apart = apart + 1": "After the first round each row covers two steps, so the next stretch ends two steps "
        "before, then four: with + 1 the stretches would overlap.",
        "    u[apart:] = u[:-apart] + u[apart:]": "What came before has to pass through the factors of the later "
        "stretch. Without lam this is a running sum.",
    },
    hints=["Two steps in a row are one step again: which factor, which input?", "Which of the two needs the old lam?"],
    answer="Merge u with the old factors, then the factors, then double the distance: ⌈log₂ τ⌉ rounds.",
)

EXERCISES = [
    *(PARAMETERS, PATTERN, PROCESSORS, BASE, HALF_WAY, MESSAGES),
    *(PULSE, ANBN, BATCH, WHICH_TEST, UNCHAINED, SCAN),
]
