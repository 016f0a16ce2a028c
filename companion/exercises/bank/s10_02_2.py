"""Section 10.2.2: the gradient, written down, cut short, and looked for where it went wrong."""

from math import ceil

import numpy as np

from companion.cells.rnn import RNN, backward, rnn_bptt, rnn_bptt_nodes, rnn_forward, rnn_init, sum_over_copies
from companion.core import tree
from companion.core.functions import nll_grad
from companion.core.scan import scan
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FigureGoal, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.recurrent import truncated_bptt

# ---- self-test -------------------------------------------------------------------------------------------------

FIRST_COPY = MultipleChoice(
    id="10.2.2-first-copy",
    title="The first copy of W",
    ask="The sequence starts with h⁽⁰⁾ = 0. What is the gradient of the first copy of W, the one that is used at t = 1?",
    options=[
        Option(
            "Zero",
            "Its gradient is (∇a⁽¹⁾ L) h⁽⁰⁾ᵀ, and h⁽⁰⁾ is zero. The first copies of U and b still get something.",
            True,
        ),
        Option(
            "The largest of all, since the first step influences every later one",
            "The influence is in ∇a⁽¹⁾ L. W meets it multiplied by h⁽⁰⁾, whatever comes later.",
        ),
        Option(
            "The same as that of every other copy, since W is shared",
            "The values are shared, not the gradients: each copy has its own, and their sum is ∇W L.",
        ),
        Option(
            "It is not defined, since there is no step before the first",
            "There is a state before the first step, h⁽⁰⁾, and a⁽¹⁾ = b + W h⁽⁰⁾ + U x⁽¹⁾ has a derivative.",
        ),
    ],
    hints=["Write ∇W⁽ᵗ⁾ L as an outer product. What stands on its right?"],
    answer="Zero: ∇W⁽¹⁾ L = (∇a⁽¹⁾ L) h⁽⁰⁾ᵀ with h⁽⁰⁾ = 0.",
)

NOT_KEPT = MultipleChoice(
    id="10.2.2-not-kept",
    title="What may be forgotten",
    ask="The forward pass of the network of this section is over. Which of its quantities does the backward pass not need?",
    options=[
        Option(
            "The pre-activations a⁽ᵗ⁾",
            "The slope of tanh is 1 − h², so h⁽ᵗ⁾ is enough. (With another activation it may not be.)",
            True,
        ),
        Option("The states h⁽ᵗ⁾", "They are read twice: for the slope 1 − h², and for the gradients of W and V."),
        Option("The inputs x⁽ᵗ⁾", "The gradient of U is Σ (∇a⁽ᵗ⁾ L) x⁽ᵗ⁾ᵀ."),
        Option("The outputs ŷ⁽ᵗ⁾", "The pass starts from them: ∇o⁽ᵗ⁾ L = ŷ⁽ᵗ⁾ − onehot(y⁽ᵗ⁾)."),
    ],
    answer="Only a⁽ᵗ⁾: all h⁽ᵗ⁾ with h⁽⁰⁾, all ŷ⁽ᵗ⁾ (or o⁽ᵗ⁾), inputs and targets are read.",
)

WINDOW = MultipleChoice(
    id="10.2.2-window",
    title="A window of one",
    ask="With truncated BPTT and window 1, what gradient does W get, and why?",
    options=[
        Option(
            "One that is not zero, since h⁽ᵗ⁻¹⁾ is used as if it were an input",
            "Within a step, the path L⁽ᵗ⁾ → o⁽ᵗ⁾ → h⁽ᵗ⁾ → a⁽ᵗ⁾ → W is whole; what is cut is a⁽ᵗ⁾ → h⁽ᵗ⁻¹⁾.",
            True,
        ),
        Option(
            "Zero, since W acts between steps and every path between steps is cut",
            "W is used inside the step, in a⁽ᵗ⁾ = b + W h⁽ᵗ⁻¹⁾ + U x⁽ᵗ⁾. Only the path on to h⁽ᵗ⁻¹⁾ is cut.",
        ),
        Option(
            "The full one, since the states are carried on",
            "The forward pass is whole. The gradient lacks every path that goes back over a step.",
        ),
        Option(
            "The full one divided by τ",
            "Nothing is divided; terms are missing, and those that stay are not a fixed share of the whole.",
        ),
    ],
    hints=["Which arrows of the unfolded graph cross from one chunk to the one before?"],
    answer="Only paths within a step are left, and W still lies on them: it multiplies h⁽ᵗ⁻¹⁾, a number like an input.",
)

PARALLEL = MultipleChoice(
    id="10.2.2-parallel",
    title="All at once?",
    ask="Why can the gradients on all h⁽ᵗ⁾ not be computed at the same time?",
    options=[
        Option(
            "Each needs the gradient on the next state first",
            "∇h⁽ᵗ⁾ L contains Wᵀ diag(1 − (h⁽ᵗ⁺¹⁾)²) ∇h⁽ᵗ⁺¹⁾ L. Without arrows from state to state it could be done at once.",
            True,
        ),
        Option("The weights are shared", "Sharing makes one sum at the end; sums can be done in any order."),
        Option(
            "The loss is a sum over time",
            "A sum splits into parts that could be done side by side. What chains them is the recurrence.",
        ),
        Option(
            "The states must be computed in order",
            "They must, but that is over when the backward pass begins. It has a chain of its own.",
        ),
    ],
    answer="∇h⁽ᵗ⁾ L needs ∇h⁽ᵗ⁺¹⁾ L. Where no arrow runs from state to state (10.2.1), all steps can be done at once.",
)


def _checkpoints(rng: np.random.Generator) -> Asked:
    tau, k = int(rng.choice([600, 800, 1200, 1500])), int(rng.choice([8, 12, 16, 24]))
    return Asked(
        f"A sequence has τ = {tau} steps, and a checkpoint is kept every {k} steps. "
        "How many states must be held at once, at most?",
        ceil(tau / k) + k,
        f"⌈{tau}/{k}⌉ = {ceil(tau / k)} checkpoints and the {k} states of the chunk that is made again.",
        {
            ceil(
                tau / k
            ): "Those are the checkpoints. One chunk's states are in memory with them when it is made again.",
            tau: "That is without checkpoints. All but one chunk's states are thrown away.",
            k: "That is one chunk. The checkpoints of the others wait beside it.",
            ceil(tau / k) * k: "Checkpoints and a chunk's states are held side by side, not each for each: add.",
        },
    )


CHECKPOINTS = Numerical(
    id="10.2.2-checkpoints",
    title="Held at once",
    ask=_checkpoints,
    tolerance=0.001,
    hints=["What lies in memory while the last chunk is run again?"],
    answer="⌈τ/k⌉ checkpoints plus the k states of one chunk. It is smallest, about 2√τ, where k is near √τ.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _net(rng: np.random.Generator, tau: int = 7, n_x: int = 3, n_h: int = 5, n_o: int = 4) -> tuple:
    p = rnn_init(n_x, n_h, n_o, rng, radius=1.0)
    p = p._replace(b=rng.normal(size=n_h), c=rng.normal(size=n_o))
    return p, rng.normal(size=(tau, n_x)), rng.integers(0, n_o, tau)


def _real_targets(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for _ in range(2):
        p, x, _ = _net(rng)
        cases.append((p, x, rng.normal(size=(7, 4))))
    return cases


def _squared(p: RNN, x: np.ndarray, y: np.ndarray, factor: float = 1.0, sign: float = 1.0) -> RNN:
    run = rnn_forward(p, x)
    return sum_over_copies(backward(p, run.h, sign * factor * (run.o - y)), x, run.h)


SQUARED = Implement(
    "10.2.2-squared",
    reference=_squared,
    cases=_real_targets,
    gradients=["U", "W", "V", "b", "c"],
    wrong=[
        Wrong(
            "the half forgotten",
            lambda p, x, y: _squared(p, x, y, factor=2),
            "It looks as if the ½ in front of the square had been forgotten: everything is twice as large.",
        ),
        Wrong(
            "softmax kept",
            lambda p, x, y: (lambda run: sum_over_copies(backward(p, run.h, run.yhat - y), x, run.h))(
                rnn_forward(p, x)
            ),
            "It looks as if ŷ, after the softmax, stood where o should: there is no softmax in this loss.",
        ),
        Wrong(
            "sign",
            lambda p, x, y: _squared(p, x, y, sign=-1),
            "It looks like y − o: the sign is that of a step downhill, not of the gradient.",
        ),
    ],
)


def _start(p: RNN, x: np.ndarray, y: np.ndarray, h0: np.ndarray) -> np.ndarray:
    return rnn_bptt_nodes(p, x, y, h0).h[0]


def _with_start(rng: np.random.Generator) -> list[tuple]:
    return [(*_net(rng), rng.normal(size=5)) for _ in range(2)]


START = Implement(
    "10.2.2-start",
    reference=_start,
    cases=_with_start,
    gradients=["result"],
    wrong=[
        Wrong(
            "W not transposed",
            lambda p, x, y, h0: p.W @ rnn_bptt_nodes(p, x, y, h0).a[0],
            "It looks as if W stood where its transpose should.",
        ),
        Wrong(
            "slope forgotten",
            lambda p, x, y, h0: p.W.T @ rnn_bptt_nodes(p, x, y, h0).h[1],
            "It looks as if the slope of tanh were missing: ∇h⁽¹⁾ L was taken for ∇a⁽¹⁾ L.",
        ),
        Wrong(
            "an output term",
            lambda p, x, y, h0: _start(p, x, y, h0) + p.V.T @ rnn_bptt_nodes(p, x, y, h0).o[0],
            "It looks as if an output hung on h⁽⁰⁾. The first output hangs on h⁽¹⁾.",
        ),
        Wrong(
            "one step late",
            lambda p, x, y, h0: rnn_bptt_nodes(p, x, y, h0).h[1],
            "It looks like the gradient on h⁽¹⁾, one step too late.",
        ),
    ],
)

TRANSPOSED = FindBug(
    id="10.2.2-transposed",
    title="Five lines, one wrong",
    stars=2,
    minutes=5,
    ask="This function should return ∇h⁽ᵗ⁾ L and ∇a⁽ᵗ⁾ L for every step. Which line is wrong?",
    code="""\
g_h = g_o @ p.V
for t in range(tau, 0, -1):
    g_a[t] = (1 - h[t] ** 2) * g_h[t]
    if t > 1:
        g_h[t - 1] += p.W @ g_a[t]""",
    line=5,
    lines={
        1: "Row t of this product is Vᵀ ∇o⁽ᵗ⁾ L: for rows, the transposed matrix on the left is the matrix on the right.",
        2: "The chain runs from the last step to the first.",
        3: "1 − h² is the slope of tanh where h = tanh(a).",
        4: "h⁽⁰⁾ needs no gradient here.",
    },
    reasons=[
        Option(
            "It must be p.W.T: a gradient goes back through the transposed matrix",
            "a⁽ᵗ⁾ = W h⁽ᵗ⁻¹⁾ + …, so ∇h⁽ᵗ⁻¹⁾ L gets Wᵀ ∇a⁽ᵗ⁾ L.",
            True,
        ),
        Option("It must be = and not +=", "Then what the output of step t − 1 sends would be lost."),
        Option("It must be g_h[t], not g_a[t]", "The slope of tanh belongs in between, and g_a has it."),
    ],
    hints=["Compare the shapes if W were not square: which product is possible?"],
    answer="The last line: it must be `p.W.T @ g_a[t]`. A symmetric W hides it from a gradient check.",
)

ORDER = Parsons(
    id="10.2.2-order",
    title="Truncated BPTT in order",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that the function returns the gradient by truncated BPTT: the state goes on, the "
    "gradient does not. Leave out what does not belong.",
    code="""\
total, h = zeros_like(p), h0
for start in range(0, len(x), window):
    part = slice(start, start + window)
    states = forward(p, x[part], h)
    g_o = softmax(outputs(p, states)) - onehot(y[part])
    total += backward(p, states, g_o)
    h = states[-1]
return total""",
    rules=[
        Rule(1, 2, "The sum and the first state must exist before the loop adds to them."),
        Rule(2, 3, "The chunk is chosen inside the loop."),
        Rule(3, 4, "The chunk must be chosen before it is run."),
        Rule(3, 5, "The chunk must be chosen before its targets are read."),
        Rule(4, 5, "The outputs are those of states that were computed just before."),
        Rule(5, 6, "The backward pass starts from ∇o, which must be known."),
        Rule(4, 7, "The last state is handed on after the chunk was run."),
        Rule(4, 6, "The backward pass goes over states that must have been computed."),
        Rule(6, 8, "What is returned is the sum over all chunks."),
        Rule(7, 8, "The loop ends before the function returns."),
    ],
    extra={
        "    h = h0": "Then every chunk would begin at h⁽⁰⁾: the state must go on, or the forward pass is another one.",
        "    g_o = g_o + g_end": "Nothing comes back from a later chunk; that is what is cut.",
    },
    hints=["What must be known before the backward pass of a chunk? What does the next chunk need of this one?"],
    answer="Each chunk: choose it, run it from the state that was handed on, go back over it alone, hand its last state on.",
)


def _sliding(p: RNN, x: np.ndarray, y: np.ndarray, window: int) -> RNN:
    h = scan(p, (np.zeros(len(p.b)),), x).h
    g_o = nll_grad(p.c + h[1:] @ p.V.T, y)
    total = RNN(*map(np.zeros_like, p))
    for t in range(1, len(x) + 1):
        first = max(0, t - window)
        one_loss = np.zeros((t - first, len(p.c)))
        one_loss[-1] = g_o[t - 1]
        here = h[first : t + 1]
        total = tree.map(np.add, total, sum_over_copies(backward(p, here, one_loss), x[first:t], here))
    return total


def _no_memory(p: RNN, x: np.ndarray, y: np.ndarray, window: int) -> RNN:
    parts = [(max(0, t - window), t) for t in range(1, len(x) + 1)]
    total = RNN(*map(np.zeros_like, p))
    for first, t in parts:
        run = rnn_forward(p, x[first:t])
        g_o = np.zeros_like(run.o)
        g_o[-1] = nll_grad(run.o, y[first:t])[-1]
        total = tree.map(np.add, total, sum_over_copies(backward(p, run.h, g_o), x[first:t], run.h))
    return total


SLIDING = Implement(
    "10.2.2-sliding",
    reference=_sliding,
    cases=lambda rng: [(*_net(rng, tau=9), k) for k in (1, 3, 9)],
    gradients=["U", "W", "V", "b", "c"],
    wrong=[
        Wrong(
            "chunks", truncated_bptt, "It looks like chunks: a loss just after a cut reaches back over one step only."
        ),
        Wrong(
            "one step too far",
            lambda p, x, y, k: _sliding(p, x, y, k + 1),
            "It looks as if every loss reached back over k earlier steps instead of k − 1.",
        ),
        Wrong(
            "the state forgotten",
            _no_memory,
            "It looks as if the state of each window began at zero: the forward pass must be the whole one.",
        ),
        Wrong("nothing cut", lambda p, x, y, k: rnn_bptt(p, x, y), "It looks like the full gradient: nothing is cut."),
    ],
)

TWO_LEVELS = Numerical(
    id="10.2.2-two-levels",
    title="Checkpoints of checkpoints",
    stars=3,
    minutes=15,
    ask=lambda rng: (
        lambda e: Asked(
            f"For a sequence of τ = 10^{3 * e} steps, checkpoints are kept every k₁ steps, and when a chunk is made again, "
            "every k₂-th of its states, so that τ/k₁ + k₁/k₂ + k₂ states are held. What is the smallest number?",
            3.0 * 10**e,
            f"All three terms are equal: k₂ = 10^{e}, k₁ = 10^{2 * e}.",
            {
                2.0 * 10 ** (1.5 * e): "That is the best with one level of checkpoints, 2√τ.",
                10.0**e: "That is one term of three.",
            },
        )
    )(int(rng.integers(1, 4))),
    hints=["The product of the three terms does not depend on k₁ and k₂.", "A sum of fixed product is smallest when …"],
    answer="3 τ^(1/3), where all three terms are equal. With d levels: (d + 1) τ^(1/(d+1)) states for d + 1 runs forward.",
)

CREDIT = MultipleChoice(
    id="10.2.2-credit",
    title="Credit or memory?",
    stars=2,
    minutes=8,
    ask="A colleague trains with a window of 4 on a task whose answer depends on the input seven steps back. It is learned "
    "in 18 of 20 runs. She writes: “Truncated BPTT with window 4 sends credit back at least seven steps.” Which experiment "
    "tests her sentence?",
    options=[
        Option(
            "Make the state forget: a small radius, with the same window",
            "It takes the information away and leaves the gradient alone. If credit travelled back, W could still build a "
            "memory; if the state carried the answer forward, nothing is learned any more.",
            True,
        ),
        Option(
            "Repeat it with more seeds",
            "It would say how often it is learned, not why. Both explanations predict 18 of 20.",
        ),
        Option(
            "Use a window of 8",
            "It will be learned too, and both explanations predict it.",
        ),
        Option(
            "Train longer, until the loss has stopped falling in all runs",
            "Both explanations predict that the other two runs may come right.",
        ),
    ],
    hints=["Two explanations fit her result: credit travelled back, or information travelled forward."],
    answer="Vary what she did not: the memory of the state. A direct look also decides it: the gradient of the copies of W "
    "before the window is exactly zero.",
)


def _budget():
    from companion.figures import Goal, Slider, Sweep

    tau, store, off = 32, 8, 0.05
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(tau, 3)), rng.integers(0, 4, tau)
    windows, radii = [1, 2, 4, 8, 16, 32], [0.3, 0.6, 0.9, 1.2]
    nets = {radius: rnn_init(3, 12, 4, np.random.default_rng(4), radius) for radius in radii}
    full = {radius: rnn_bptt(p, x, y).W for radius, p in nets.items()}

    def misses(window, radius):
        cut = truncated_bptt(nets[radius], x, y, int(window)).W
        return float(np.linalg.norm(cut - full[radius]) / np.linalg.norm(full[radius]))

    table = {(window, radius): round(misses(window, radius), 4) for window in windows for radius in radii}
    largest = max(radius for radius in radii if table[store, radius] < off)

    def within_budget(window, radius):
        error = table[window, radius]
        if window > store:
            return False, f"Chunks of {window} steps do not fit: at most {store} states can be kept."
        if error >= off:
            if min(table[w, radius] for w in windows if w <= store) >= off:
                return False, f"Off by {100 * error:.1f} %, and no chunk that fits gets below 5 % at this radius."
            return False, f"Off by {100 * error:.1f} %: at this radius longer chunks help."
        if radius < largest:
            return False, f"Off by {100 * error:.1f} %, which is good enough. Can a larger radius have that, too?"
        return True, (
            f"Off by {100 * error:.1f} %. How long a chunk has to be is a matter of the net: what a cut drops has come through W "
            "and the slopes once for each step back, and a smaller radius leaves less of it to drop."
        )

    return Sweep(
        "budget",
        lambda window, radius: {"what a truncated ∇W is off by": [100 * table[w, radius] for w in windows[:-1]]},
        np.array(windows[:-1]),
        {"window": Slider(windows, "steps in a chunk k", 1), "radius": Slider(radii, "spectral radius of W", 0.9)},
        title="A budget of eight states",
        caption="Truncated BPTT on 32 steps with random targets, for a net of twelve units; how far its gradient of W is "
        "from the whole one, relative to that one's norm.",
        xlabel="steps in a chunk k",
        ylabel="error of ∇W, %",
        ylim=(0, 50),
        say=lambda window, radius: f"With chunks of {window} steps ∇W is off by {100 * table[window, radius]:.1f} %.",
        roles={"what a truncated ∇W is off by": "loss"},
        goals=[
            Goal(
                "you can keep the states of 8 steps, and ∇W shall be off by less than 5 %. Find the chunk, and the largest "
                "radius at which that works.",
                within_budget,
            )
        ],
    )


BUDGET = FigureGoal(
    id="10.2.2-budget",
    title="A budget of eight states",
    minutes=5,
    figure=_budget,
    hints=["Longer chunks never hurt here: take the longest that fits, then move the radius."],
    answer="Chunks of 8, and radius 0.6: from 0.9 on what comes from more than a few steps back is too much to drop.",
)

EXERCISES = [
    *(FIRST_COPY, NOT_KEPT, WINDOW, PARALLEL, CHECKPOINTS),
    *(SQUARED, START, TRANSPOSED, ORDER, SLIDING, TWO_LEVELS, CREDIT, BUDGET),
]
