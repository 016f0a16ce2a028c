"""P.5: what has to wait, trees put in order, kernels, states that are matrices, and gates that hear the input only."""

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.linear import kernel, linear_attention_steps, recurrence, scan_back

# ---- self-test -------------------------------------------------------------------------------------------------


def _rounds(rng: np.random.Generator) -> Asked:
    k = int(rng.integers(4, 13))
    return Asked(
        f"A linear recurrence of {2**k:,} steps is run by the tree of this page. How many rounds have to wait for each "
        "other?",
        2 * k + 1,
        f"{k} rounds up, {k} rounds down, and one in which every step is made at once.",
        {
            2**k: "That is the loop. The tree combines half of what is left in each round.",
            k: "That is the way up, or a scan by doubling. The tree also has to come down.",
            2 * k: "Up and down give what came before each step. The step itself is still to be made.",
        },
    )


ROUNDS = Numerical(
    id="P.5-rounds",
    title="Rounds",
    ask=_rounds,
    tolerance=0.001,
    hints=["2ᵏ places are k levels of a binary tree."],
    answer="2 log₂ τ + 1: up, down, and a last step at all places.",
)

ORDER = MultipleChoice(
    id="P.5-order",
    title="Ten words, shuffled",
    ask="You shuffle the inputs of an attention layer without positions and without a mask. What becomes of its outputs?",
    options=[
        Option(
            "The same outputs, shuffled in the same way",
            "Scores compare two inputs and never two places, and a weighted sum has no order.",
            True,
        ),
        Option("Exactly the same outputs at the same places", "Each output belongs to its query, which has moved."),
        Option(
            "Other outputs, since each now has other neighbours",
            "A layer of attention has no neighbours: every position is as near as every other.",
        ),
        Option(
            "Outputs that cannot be compared, since the softmax runs over another order",
            "The softmax of shuffled scores is the shuffled softmax.",
        ),
    ],
    answer="The same outputs in the new order: attention sees a set.",
)

TANH = MultipleChoice(
    id="P.5-tanh",
    title="Why the tanh must go",
    ask="Why can h⁽ᵗ⁾ = tanh(a⁽ᵗ⁾ ⊙ h⁽ᵗ⁻¹⁾ + b⁽ᵗ⁾) not be run by the tree?",
    options=[
        Option(
            "Two such steps in a row are no step of the same form",
            "tanh(a′ tanh(a h + b) + b′) cannot be written with one tanh, so there is nothing short to combine.",
            True,
        ),
        Option(
            "The tanh has to be computed more often than the product",
            "It would be computed as often. The trouble is what has to be known before it.",
        ),
        Option(
            "Its gradient fades", "It may, but the tree computes states, and a fading gradient is no obstacle to it."
        ),
        Option(
            "The step is not associative, as a matrix product is not",
            "Matrix products are associative, and so is doing one function after another. What is lacking is a short form.",
        ),
    ],
    hints=["Write two steps as one. How many numbers do you need to say what they do?"],
    answer="Composed steps need a form that does not grow. (a, b) is one; a tanh within a tanh is not.",
)


def _past(rng: np.random.Generator) -> Asked:
    d, tau = int(rng.choice([16, 32, 64])), int(rng.choice([500, 1000, 4000]))
    return Asked(
        f"A causal layer of linear attention has keys and values of width {d}. It writes symbol by symbol. How many "
        f"numbers has it to keep after {tau:,} symbols?",
        d * d + d,
        f"S has {d}² entries and n has {d}; the length does not matter.",
        {
            d * d: "That is S. What normalises the output has to be carried along too.",
            2 * d * tau: "That is ordinary attention, which keeps every key and every value.",
            tau * tau: "That is the matrix of weights, which the recurrence never writes down.",
        },
    )


PAST = Numerical(
    id="P.5-past",
    title="What is kept of the past",
    ask=_past,
    tolerance=0.001,
    answer="d² + d: the matrix S and the vector n, whatever the length.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _crossing(rng: np.random.Generator) -> Asked:
    d = int(rng.choice([128, 256, 512, 1024]))
    w = int(rng.choice([16, 32, 64]))
    return Asked(
        f"Attention of width {d} looks only at the last {w} positions, its own included (a window). Between positions, "
        f"how many times the multiplications of a recurrent net of this width does it need on a long sequence?",
        2 * w / d,
        f"2·{w}·{d} a position against {d}²: {2 * w}/{d}.",
        {
            w / d: "Scores and weighted sum cost w d each.",
            d / (2 * w): "That is the inverse: how many times as much the recurrence needs.",
            2.0 * w: "Divide by what the recurrence needs, d² a position.",
        },
    )


WINDOW = Numerical(
    id="P.5-window",
    title="Attention with a window",
    stars=1,
    minutes=8,
    ask=_crossing,
    tolerance=0.01,
    hints=["Scores and weighted sum, for each of the w positions that are seen."],
    answer="2w/d: linear in the length, like the recurrence, with a path of τ/w.",
)

TREE = Parsons(
    id="P.5-tree",
    title="What came before",
    stars=2,
    minutes=12,
    ask="P is an array of n = 2ᵏ pairs, one step each. Put the lines in order so that P[i] becomes all steps before place i "
    "in one: up, then the root, then down. `rounds` lists the left and the right places of each round, nearest "
    "neighbours first; `then(first, second)` combines. Leave out what does not belong.",
    code="""\
for l, r in rounds:
    P[r] = then(P[l], P[r])
P[-1] = (1, 0)
for l, r in reversed(rounds):
    own = P[l].copy()
    P[l] = P[r]
    P[r] = then(P[r], own)""",
    rules=[
        Rule(1, 2, "Up comes first: the right places take in what the left ones have gathered."),
        Rule(2, 3, "The root is emptied when the way up is done: nothing came before everything."),
        Rule(3, 4, "The way down hands on what stands at the root. It has to be empty first."),
        Rule(4, 5, "What is kept aside is kept in each round of the way down."),
        Rule(5, 6, "The left place is overwritten: keep its own steps aside first."),
        Rule(6, 7, "The left place takes what came before both; that is P[r] before it changes."),
    ],
    extra={
        "    P[r] = then(own, P[r])": "What came before stands first in time, then the left place's own steps.",
        "P[0] = (1, 0)": "The root is the last place, where the whole sequence has been gathered.",
    },
    hints=["Up: one line. Down: three, in which the left place and the right one change at the same time."],
    answer="Up, the root emptied, and down, where the left place gets what came before both and the right one that and "
    "then the left one's own steps.",
)

CIRCLE = FindBug(
    id="P.5-circle",
    title="The end comes first",
    stars=2,
    minutes=8,
    ask="A convolution by Fourier transforms. With a kernel that fades within ten steps all is well but the first ten "
    "outputs. Which line is wrong?",
    code="""\
def convolve(kappa, x):
    n = len(x)
    K = np.fft.rfft(kappa, n)
    X = np.fft.rfft(x, n)
    return np.fft.irfft(K * X, n)[:len(x)]""",
    line=2,
    lines={
        3: "The transform of the kernel, filled with zeros up to n.",
        4: "The transform of the input, of the same length.",
        5: "A product of transforms is a convolution on a circle of n places.",
    },
    reasons=[
        Option(
            "On a circle of len(x) places the end of the sequence runs into its beginning",
            "With `n = 2 * len(x)` the zeros behind the sequence take up what runs over.",
            True,
        ),
        Option("The kernel has to be reversed", "That is a correlation. A causal convolution takes it as it is."),
        Option("rfft is for even lengths only", "It takes any length, and irfft is told which."),
        Option(
            "The product needs the complex conjugate of X",
            "That gives a correlation, in which the output hears the future.",
        ),
    ],
    hints=["Let the last input be 1 and all others 0. Where may an output differ from 0?"],
    answer="Line 2: `n = 2 * len(x)`. A Fourier transform convolves on a circle, so the circle has to be long enough.",
)


def _pairs(rng: np.random.Generator) -> list[tuple]:
    return [tuple(rng.normal(size=(3, tau, n))) for tau, n in ((1, 2), (6, 3), (11, 2))]


def _steps(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> np.ndarray:
    return linear_attention_steps(Q, K, V)


def _phi(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def _late(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> np.ndarray:
    e = np.tril(_phi(Q) @ _phi(K).T, -1) + 1e-12
    return e @ V / e.sum(axis=1, keepdims=True)


def _whole(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> np.ndarray:
    e = _phi(Q) @ _phi(K).T
    return e @ V / e.sum(axis=1, keepdims=True)


FAST = Implement(
    "P.5-fast",
    reference=_steps,
    cases=_pairs,
    wrong=[
        Wrong(
            "not normalised",
            lambda Q, K, V: np.tril(_phi(Q) @ _phi(K).T) @ V,
            "It looks as if the output were not divided by n·φ(q): the weights have to sum to 1.",
        ),
        Wrong(
            "reads before it writes",
            _late,
            "It looks as if the state were read before the pair of step t is in it: position t sees itself, too.",
        ),
        Wrong("no mask", _whole, "It looks as if every position saw the whole sequence. Read S as it is after step t."),
        Wrong(
            "no features",
            lambda Q, K, V: np.tril(Q @ K.T) @ V / np.tril(Q @ K.T).sum(axis=1, keepdims=True),
            "It looks as if queries and keys came in without φ: the weights must be positive.",
        ),
    ],
)


def _back(a: np.ndarray, h: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return tuple(scan_back(a, h, g))


def _loop(a: np.ndarray, h: np.ndarray, g: np.ndarray, ahead: bool = True, old: bool = True) -> tuple:
    d, grad_h = np.zeros(a.shape[1]), np.zeros(g.shape)
    for t in range(len(a) - 1, -1, -1):
        factor = (a[t + 1] if t + 1 < len(a) else 0) if ahead else a[t]
        d = factor * d + g[t]
        grad_h[t] = d
    return grad_h * (h[:-1] if old else h[1:]), grad_h


def _runs(rng: np.random.Generator) -> list[tuple]:
    out = []
    for tau, n in ((3, 2), (8, 3)):
        a, b, g = rng.uniform(-1, 1, (tau, n)), *rng.normal(size=(2, tau, n))
        out.append((a, recurrence(a, b), g))
    return out


BACK = Implement(
    "P.5-back",
    reference=_back,
    cases=_runs,
    gradients=["a", "b"],
    wrong=[
        Wrong(
            "a of the same step",
            lambda a, h, g: _loop(a, h, g, ahead=False),
            "It looks as if ∇h⁽ᵗ⁾ took a⁽ᵗ⁾. The way from h⁽ᵗ⁾ to h⁽ᵗ⁺¹⁾ is multiplied by a⁽ᵗ⁺¹⁾.",
        ),
        Wrong(
            "the new state",
            lambda a, h, g: _loop(a, h, g, old=False),
            "It looks as if ∇a⁽ᵗ⁾ took h⁽ᵗ⁾. a⁽ᵗ⁾ multiplies the state before: h⁽ᵗ⁻¹⁾, in row t − 1 of h.",
        ),
        Wrong(
            "nothing from later",
            lambda a, h, g: (g * h[:-1], g),
            "It looks as if only the direct gradient counted. A state also speaks through all later ones.",
        ),
    ],
)


def _time(rng: np.random.Generator) -> Asked:
    share, steps = float(rng.choice([0.5, 0.1])), int(rng.choice([100, 200, 500]))
    r = share ** (1 / steps)
    return Asked(
        f"After {steps} steps a unit should still hold {100 * share:.0f} % of what came in. What is −ln |λ|, in units of "
        "0.001?",
        -1000 * np.log(r),
        f"|λ| = {share}^(1/{steps}), so −ln |λ| = −ln({share})/{steps}.",
        {
            1000 * (1 - share) / steps: "That is a straight line. A linear unit loses a share of what is left.",
            1000 / steps: "That leaves 1/e, 37 %.",
        },
    )


DECAY = Numerical(
    id="P.5-decay",
    title="Which magnitude?",
    stars=1,
    minutes=6,
    ask=_time,
    tolerance=0.01,
    hints=["|λ|ᵏ is left after k steps."],
    answer="−ln(share)/steps. The angle of λ plays no part in it.",
)

WHICH = MultipleChoice(
    id="P.5-which",
    title="Which layer?",
    stars=2,
    minutes=8,
    ask="A sensor sends a number every millisecond, for ever. You want a running verdict that may depend on something "
    "minutes ago, on a chip with little memory. Which layer do you run there?",
    options=[
        Option(
            "A gated linear recurrence, by its loop",
            "One state of fixed size, one product a step. It was trained by the tree and now runs by the loop.",
            True,
        ),
        Option(
            "The same, by its tree",
            "The tree needs the whole sequence at once. Numbers that come one by one are met by the loop.",
        ),
        Option(
            "Attention with a causal mask",
            "It keeps all keys and values: minutes are 10⁵ pairs, and each step compares with all of them.",
        ),
        Option(
            "A convolution by Fourier transforms",
            "It needs a whole stretch of the sequence before it can begin, and memory for it.",
        ),
    ],
    hints=["What has each of them to keep, and when can it begin?"],
    answer="The recurrence in its loop: its state has a fixed size, and each step costs the same.",
)


def _bank_kernel(lam: np.ndarray, B: np.ndarray, C: np.ndarray, tau: int) -> np.ndarray:
    return kernel(lam, B, C, tau)


def _units(rng: np.random.Generator) -> list[tuple]:
    def draw() -> np.ndarray:
        return rng.normal(size=3) + 1j * rng.normal(size=3)

    return [(rng.uniform(0.5, 0.95, 3) * np.exp(1j * rng.uniform(0, 6, 3)), draw(), draw(), tau) for tau in (1, 9)]


KERNEL = Implement(
    "P.5-kernel",
    reference=_bank_kernel,
    cases=_units,
    wrong=[
        Wrong(
            "one late",
            lambda lam, B, C, tau: kernel(lam, lam * B, C, tau),
            "It looks as if the powers began at λ¹: an input counts at its own step, with λ⁰ = 1.",
        ),
        Wrong(
            "magnitudes",
            lambda lam, B, C, tau: kernel(np.abs(lam), B, C, tau),
            "It looks as if only |λ| were used: the angle turns each power.",
        ),
        Wrong(
            "without B",
            lambda lam, B, C, tau: kernel(lam, np.ones_like(B), C, tau),
            "It looks as if B were missing: the input comes in through it.",
        ),
        Wrong(
            "real parts first",
            lambda lam, B, C, tau: kernel(lam, B.real, C.real, tau),
            "It looks as if real parts were taken before the product: take the real part of the whole sum.",
        ),
    ],
)

EXERCISES = [
    *(ROUNDS, ORDER, TANH, PAST),
    *(WINDOW, DECAY, TREE, CIRCLE, WHICH, KERNEL, FAST, BACK),
]
