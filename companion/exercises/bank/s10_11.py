"""Section 10.11: what clipping does and does not, one norm for all parameters, and the penalty that keeps gradients."""

from math import atan2, degrees, radians

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.optimization import clip_by_norm, clip_by_value

# ---- self-test -------------------------------------------------------------------------------------------------

SHORT = MultipleChoice(
    id="10.11-short",
    title="A short gradient",
    ask="The gradient is g = (0.3, 0.4) and the threshold is v = 1. What do the two ways of clipping make of it?",
    options=[
        Option("Neither changes it", "No entry exceeds 1, and ‖g‖ = 0.5. A threshold is a bound from above.", True),
        Option(
            "By norm it becomes (0.6, 0.8), by value it stays",
            "That would stretch it to length 1. Clipping shortens what is too long and lengthens nothing.",
        ),
        Option(
            "By norm it stays, by value it becomes (1, 1)",
            "By value each entry is cut to [−1, 1], and both are inside already.",
        ),
    ],
    answer="Nothing: it is shorter than v, and so is each of its entries.",
)


def _turn(rng: np.random.Generator) -> Asked:
    a, b = [(3.0, 4.0), (2.0, 6.0), (0.5, 4.0), (5.0, 2.0), (0.4, 3.0)][int(rng.integers(5))]
    before, after = degrees(atan2(b, a)), degrees(atan2(min(b, 1), min(a, 1)))
    value = abs(before - after)
    return Asked(
        f"The gradient g = ({a:g}, {b:g}) is clipped by value at v = 1. By how many degrees does it turn?",
        value,
        f"It becomes ({min(a, 1):g}, {min(b, 1):g}): from {before:.1f}° to {after:.1f}°. By norm it would not turn.",
        {
            0: "That is clipping by norm, which has one factor for all entries.",
            radians(value): "That is in radians.",
            after: "That is where the clipped gradient points. By how much has it turned?",
        },
    )


TURN = Numerical(
    id="10.11-turn",
    title="By how much does it turn?",
    ask=_turn,
    tolerance=0.02,
    hints=["Cut each entry to [−1, 1]. In which directions do the two vectors point?"],
    answer="The large entries lose more than the small ones, so the direction turns towards the diagonal.",
)

ALL_CLIPPED = MultipleChoice(
    id="10.11-all-clipped",
    title="Always too long",
    ask="In a training run every gradient is longer than v and is clipped by norm. You halve v. What else would have had the "
    "same effect?",
    options=[
        Option(
            "To halve the learning rate",
            "Every update has the length rate × v. Only the product of the two matters.",
            True,
        ),
        Option(
            "To double the learning rate",
            "That undoes it: rate × v, the length of every update, is again what it was.",
        ),
        Option(
            "Nothing: the direction is the same, and that is what counts",
            "The direction is the same, but each update is half as long.",
        ),
        Option(
            "To halve the minibatches, whose gradients then vary more",
            "The length of the update would stay rate × v. What changes is its direction.",
        ),
    ],
    answer="Half the rate: a threshold that always bites is a learning rate by another name.",
)

NO_LONGER = MultipleChoice(
    id="10.11-no-longer",
    title="Where clipping ends",
    ask="With clipping all 20 nets learn the order over 20 steps, and hardly any over 30, at none of three rates. What is the "
    "likeliest reason?",
    options=[
        Option(
            "What has vanished stays vanished",
            "Clipping shortens the long ones. With the penalty Ω, which asks each step back to keep the gradient's size, "
            "nearly all nets learn 30 steps.",
            True,
        ),
        Option(
            "Over 30 steps gradients are so long that they overflow before they are clipped",
            "No gradient overflowed in any of these runs.",
        ),
        Option(
            "The clipped gradient no longer points downhill",
            "By norm the direction of each minibatch's gradient is kept.",
        ),
        Option(
            "The threshold is too low for longer sequences, so that the steps are too short",
            "Then a larger rate would help, since rate × threshold is the longest step. None of the three does.",
        ),
    ],
    hints=["Which rule does learn 30 steps, and what does it do that clipping does not?"],
    answer="It cannot lengthen a gradient that has vanished.",
)

ZERO_OMEGA = MultipleChoice(
    id="10.11-zero-omega",
    title="Nothing to pay",
    ask="In a net Ω = 0 on all training sequences. What follows for W?",
    options=[
        Option(
            "Only how it acts on the vectors that come back",
            "They keep their size on these sequences, the slopes 1 − h² included. All other directions are free: the net "
            "may still forget.",
            True,
        ),
        Option(
            "It is orthogonal, since every step keeps all lengths",
            "An orthogonal W keeps all vectors, but a step back also multiplies by the slopes 1 − h², and Ω asks for the "
            "vectors g⁽ᵗ⁾ only.",
        ),
        Option(
            "Its spectral radius is 1",
            "That is about many repetitions of W alone. Where slopes are below 1, W must stretch what comes back.",
        ),
        Option(
            "It is zero: no weight, no penalty",
            "With W = 0 every ratio is 0, and each step pays (0 − 1)² = 1. Ω asks for ratios of 1.",
        ),
    ],
    answer="Not that it is orthogonal: only the vectors g⁽ᵗ⁾ that actually come back keep their size.",
)

NEWTON = MultipleChoice(
    id="10.11-newton",
    title="Two numbers that vanish",
    ask="On the long product, gradient and curvature have both vanished, and their ratio is of sensible size. Why is a Newton "
    "step still not safe?",
    options=[
        Option(
            "Where the curvature is negative it leads uphill",
            "Newton's step goes to where the gradient is zero, a maximum or a saddle included. Here it runs to w = 0.",
            True,
        ),
        Option(
            "Dividing by a tiny curvature makes the step enormous",
            "The gradient is as tiny: −w/(τ − 1) is a modest step.",
        ),
        Option(
            "The step is as small as the gradient, so nothing moves",
            "That is plain descent. The ratio of the two does not vanish.",
        ),
        Option(
            "It needs n² numbers, which no computer has for a large net",
            "That is what it costs. The question is where it goes.",
        ),
    ],
    answer="The ratio has the right size and may have the wrong sign: the curvature of the product is negative for nearly all "
    "w below 1.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

SKIP = MultipleChoice(
    id="10.11-skip",
    title="Skip instead of clip",
    stars=2,
    minutes=12,
    ask="On the cliff you do not clip a gradient longer than v = 1: you skip the update. There is no noise. What becomes of a "
    "descent that lands on the wall?",
    options=[
        Option(
            "It stays there for ever",
            "The next gradient is the same and is skipped again. A random step would leave; with minibatches the next "
            "gradient is another one, and skipping can work.",
            True,
        ),
        Option(
            "It waits a little and goes on, since the wall is thin",
            "Nothing moves while it waits: the place is the same, and so is the gradient.",
        ),
        Option(
            "It does as well as clipped descent, only more slowly",
            "Clipped descent takes a short step off the wall. This one takes none.",
        ),
        Option(
            "It is thrown far away, as without clipping",
            "The long step is just what is skipped.",
        ),
    ],
    hints=["What has changed at the step after a skipped one?"],
    answer="It hangs there: where nothing is random, a skipped update comes back unchanged.",
)


def _scaled(grads: tuple, factor: float) -> tuple:
    return tuple(g * factor for g in grads)


def _norms(grads: tuple) -> list[float]:
    return [float(np.linalg.norm(g)) for g in grads]


def _gradients(rng: np.random.Generator) -> list[tuple]:
    def grads(scale: float) -> tuple:
        return 3 * scale * rng.normal(size=(4, 4)), scale * rng.normal(size=(4, 2)), 0.2 * scale * rng.normal(size=4)

    return [(grads(1.0), 1.0), (grads(0.02), 1.0), (grads(5.0), 0.5)]


EACH = Implement(
    "10.11-each",
    reference=clip_by_norm,
    cases=_gradients,
    wrong=[
        Wrong(
            "not repaired",
            lambda grads, v: tuple(clip_by_norm(g, v) for g in grads),
            "That is the function as it was: each parameter has a norm of its own, and the direction turns.",
        ),
        Wrong(
            "by value",
            clip_by_value,
            "That is clipping by value: it, too, turns the direction.",
        ),
        Wrong(
            "always",
            lambda grads, v: _scaled(grads, v / float(np.hypot.reduce(_norms(grads)))),
            "It looks as if short gradients were stretched: divide only where the norm exceeds v.",
        ),
        Wrong(
            "sum of norms",
            lambda grads, v: _scaled(grads, min(1.0, v / sum(_norms(grads)))),
            "It looks as if the norms of the parameters were added: the norm of all entries is the root of the sum of "
            "squares.",
        ),
        Wrong(
            "the largest norm",
            lambda grads, v: _scaled(grads, min(1.0, v / max(_norms(grads)))),
            "It looks as if the longest parameter alone set the factor: all entries together make the norm.",
        ),
    ],
)


def _edge(rng: np.random.Generator) -> Asked:
    tau = int(rng.choice([20, 30, 50, 100]))
    ratio = (tau - 1) / (2 * tau - 1)
    return Asked(
        f"L(w) = ½ (w^τ − 1)² with τ = {tau}. Below which w, smaller than 1, is the curvature L'' negative? Give it to four "
        "digits.",
        ratio ** (1 / tau),
        f"L'' is negative where w^τ (2τ − 1) is less than τ − 1, that is below ({tau - 1}/{2 * tau - 1})^(1/{tau}).",
        {
            ratio: "That is w^τ at the edge. Take the root.",
            1 - 1 / tau: "1 − 1/τ is a guess of the right kind. Set L'' itself to zero.",
            ((tau - 1) / tau) ** (1 / tau): "It looks as if w^τ had lost its factor τ when it was differentiated.",
            1: "It looks as if only w^(τ−1) had been differentiated: the other factor, w^τ − 1, changes with w, too.",
        },
    )


EDGE = Numerical(
    id="10.11-edge",
    title="Where Newton turns round",
    stars=2,
    minutes=15,
    ask=_edge,
    tolerance=0.0005,
    hints=["L' = τ w^(τ−1) (w^τ − 1). Differentiate the product.", "Divide by τ w^(τ−2), which is positive."],
    answer="w = ((τ − 1)/(2τ − 1))^(1/τ), about (½)^(1/τ). The longer the product, the nearer to 1, and the shorter the part "
    "of the way on which Newton's step goes the right way.",
)


def _term(W: np.ndarray, h: np.ndarray, g: np.ndarray) -> tuple[float, np.ndarray]:
    s = (1 - h**2) * g
    v = W.T @ s
    size, kept = np.linalg.norm(g), np.linalg.norm(v)
    return (kept / size - 1) ** 2, 2 * (kept / size - 1) / (size * kept) * np.outer(s, v)


def _no_slope(W: np.ndarray, h: np.ndarray, g: np.ndarray) -> tuple[float, np.ndarray]:
    return _term(W, 0 * h, g)


TERM = Implement(
    "10.11-term",
    reference=_term,
    cases=lambda rng: [
        (radius * rng.normal(size=(5, 5)) / 5**0.5, rng.uniform(-0.9, 0.9, 5), rng.normal(size=5))
        for radius in (0.6, 2)
    ],
    gradients=["1"],
    wrong=[
        Wrong(
            "no slope",
            _no_slope,
            "It looks as if the slopes 1 − h² were missing: a step back multiplies by diag(1 − h²) W.",
        ),
        Wrong(
            "W not transposed",
            lambda W, h, g: (lambda value, grad: (value, grad.T))(*_term(W.T, h, g)),
            "It looks as if W stood where its transpose should: as a column, the gradient one step back is Wᵀ s.",
        ),
        Wrong(
            "half",
            lambda W, h, g: (_term(W, h, g)[0], 0.5 * _term(W, h, g)[1]),
            "The penalty is right; its gradient looks as if the 2 of the square had been forgotten.",
        ),
        Wrong(
            "turned",
            lambda W, h, g: (_term(W, h, g)[0], _term(W, h, g)[1].T),
            "The penalty is right; its gradient looks transposed: entry (i, j) is s_i v_j.",
        ),
        Wrong(
            "not the norm of v",
            lambda W, h, g: (
                _term(W, h, g)[0],
                _term(W, h, g)[1] * float(np.linalg.norm(W.T @ ((1 - h**2) * g))),
            ),
            "The penalty is right; its gradient looks as if ‖v‖ were differentiated to v and not to v/‖v‖.",
        ),
    ],
)

ORDER = Parsons(
    id="10.11-order",
    title="Clipping in mixed precision",
    stars=2,
    minutes=8,
    ask="In half precision small gradients are lost, so the loss is multiplied by a large number before the backward pass. Put "
    "the lines of one update in order, and leave out what does not belong.",
    code="""\
for g in grads: g.zero_()
loss = loss_of(net, x, y)
(scale * loss).backward()
for g in grads: g.div_(scale)
norm = clip_by_norm(grads, v=1.0)
log(norm)
optimizer.step()""",
    rules=[
        Rule(1, 3, "Gradients add up: those of the update before must be gone when the backward pass begins."),
        Rule(2, 3, "The backward pass starts from a loss that must have been computed."),
        Rule(3, 4, "There is nothing to divide before the backward pass."),
        Rule(4, 5, "Divide before you clip: a scaled gradient is always longer than v, and all would be cut."),
        Rule(5, 6, "The norm must be known before it is written down."),
        Rule(5, 7, "The step is taken along the clipped gradient."),
    ],
    extra={
        "for g in grads: clip_by_norm([g], v=1.0)": "One norm for each parameter turns the direction; one call has them all.",
        "optimizer.lr = optimizer.lr / scale": "Then the gradient would be clipped while it is scaled. Divide the gradient.",
    },
    hints=["In which unit is the threshold v: in that of the gradient, or of the scaled one?"],
    answer="Clear, run forward, run the scaled loss backward, divide by the scale, clip all parameters by one norm, write the "
    "norm down, step.",
)

RATES = MultipleChoice(
    id="10.11-rates",
    title="Does clipping teach?",
    stars=2,
    minutes=6,
    ask="At a learning rate of 0.3, plain descent teaches 1 of 10 nets the order of the two marks over 15 steps, and clipped "
    "descent all 10. A colleague concludes: “Without clipping, this task cannot be learned.” Which experiment tests it?",
    options=[
        Option(
            "Plain descent at smaller rates, with the same data",
            "At 0.03 it teaches nearly all nets. What clipping buys is the larger rate: each rule must be judged at its own "
            "best.",
            True,
        ),
        Option(
            "Both rules with thirty more starts, at the same rate",
            "It makes 1 of 10 against 10 of 10 more certain, and that was not in doubt.",
        ),
        Option(
            "Clipped descent with other thresholds, at the same rate",
            "It says which thresholds are good. His sentence is about what happens without any.",
        ),
        Option(
            "Both rules on 30 steps, where gradients are longer still",
            "Another task. Over 15 steps his sentence would be as untested as before.",
        ),
    ],
    hints=["He varied the rule and kept the rate. For which of the two rules was the rate chosen?"],
    answer="Give plain descent a rate of its own. A comparison at one rate compares rates as much as rules.",
)

EXERCISES = [
    *(SHORT, TURN, ALL_CLIPPED, NO_LONGER, ZERO_OMEGA, NEWTON),
    *(SKIP, EACH, EDGE, TERM, ORDER, RATES),
]
