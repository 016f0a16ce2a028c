"""Section 10.8: reservoirs that are drawn, read-outs that are solved, and memory that must be measured fairly."""

import numpy as np

from companion.cells.echo import esn_states, many_states
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FigureGoal, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.reservoir import esn_init, readout, ridge_fit

# ---- self-test -------------------------------------------------------------------------------------------------


def _other(rng: np.random.Generator) -> Asked:
    rate, top = float(rng.choice([0.1, 0.25, 0.4])), float(rng.choice([0.6, 0.8]))
    return Asked(
        f"A library says leaking rate {rate}, and the largest singular value of W is {top}. By which factor does every "
        "step shrink the distance of two states, at least?",
        1 - rate + rate * top,
        f"α = {1 - rate:g}, and q = {1 - rate:g} + {rate} · {top} = {1 - rate + rate * top:g}, below 1: it forgets, for "
        "every input.",
        {
            rate + (1 - rate) * top: f"That takes {rate} for α. A leaking rate is the share that is replaced; our α is "
            "the share that is kept.",
            rate * top: "That is the new part alone. The kept part carries the difference on as well.",
            top: "That is the factor without any leak.",
        },
    )


OTHER = Numerical(
    id="10.8-other-leak",
    title="The other leak",
    ask=_other,
    hints=["q = α + (1 − α) σ_max(W). What is α?"],
    answer="α is 1 minus the leaking rate, and q = α + (1 − α) σ_max(W).",
)

DELAY = MultipleChoice(
    id="10.8-delay",
    title="Further back than there are units",
    ask="A reservoir of 100 linear units: can a read-out repeat the input of 150 steps ago?",
    options=[
        Option(
            "No: the memory capacity is at most 100, so delays end at 100",
            "The sum of all MC_k is at most 100. That says nothing about where the memory sits.",
        ),
        Option(
            "Perhaps: the sum over delays is bounded, not the longest delay",
            "In a delay line the memory does sit at delays up to 100; a cleverly built W can keep some old input instead of "
            "newer ones.",
            True,
        ),
        Option(
            "Yes: linear units forget nothing",
            "With a radius below 1 each input fades. And 100 numbers cannot hold all inputs of 150 steps.",
        ),
        Option(
            "Only if the spectral radius is above 1",
            "Then the states grow without bound, and with them what is to be forgotten.",
        ),
    ],
    answer="Perhaps. The bound is on the sum over delays.",
)

SOLVE = MultipleChoice(
    id="10.8-solve",
    title="Solved at once",
    ask="Why can one solve for V at once, but not for W?",
    options=[
        Option(
            "V is smaller than W",
            "With many outputs it may be larger. What counts is how the output depends on it.",
        ),
        Option(
            "The loss has no minimum in W",
            "It may have many. To find one takes a search, since they solve no linear equation.",
        ),
        Option(
            "W would have to be inverted, and a drawn matrix is often singular",
            "A drawn matrix hardly ever is, and nobody needs the inverse. Even an invertible W would not help.",
        ),
        Option(
            "The output is linear in V, since the states do not depend on V",
            "Change W, and all states change, nonlinearly, through all steps. With fixed states, a squared error is "
            "quadratic in V.",
            True,
        ),
    ],
    answer="With fixed states the output is linear in V, so the problem is convex. Every state depends on W, nonlinearly.",
)

LAW = MultipleChoice(
    id="10.8-law",
    title="Radius 0.9",
    ask="W has spectral radius 0.9, the units are tanh with α = 0, and there is an input. What follows for two runs from "
    "different states?",
    options=[
        Option(
            "They meet, for every input, since 0.9 is below 1",
            "That is so for linear units. The section has a W of radius 0 whose net remembers its first state for ever.",
        ),
        Option(
            "They meet, provided that the input is weak enough",
            "With no input and no bias, states near rest do. A weak input has been seen to let them meet in every draw; "
            "that is no proof, and no statement about all W.",
        ),
        Option(
            "Nothing for certain: measure it along a run on your input",
            "Radius below 1 is neither sufficient nor necessary. A proof is q = σ_max(W) below 1; without it, run two "
            "starts.",
            True,
        ),
        Option(
            "They do not meet: for that, σ_max(W) must be below 1",
            "That is sufficient. In the section pairs meet although it is near 1.7.",
        ),
    ],
    hints=["Which of the conditions in the section are proofs, and for which units?"],
    answer="Nothing for certain. For linear units ρ decides; for tanh units the net and its input decide together.",
)

WARM_UP = FindBug(
    id="10.8-warm-up",
    title="R² = −300",
    minutes=4,
    ask="On the steps of the fit the score is 0.93, on the test it is far below zero. Which line is at fault?",
    code="""\
h = esn_states(p, x[:1200])[1:]
r = ridge_fit(h[200:], y[200:1200], 1e-9)
h_test = esn_states(p, x[1200:])[1:]
o = readout(r, h_test)
print(1 - nrmse(y[1200:], o) ** 2)""",
    line=3,
    lines={
        1: "The state begins at zero, but the next line leaves out the first 200 steps.",
        2: "200 steps of washout, and a small ridge. It fits well, and the same read-out serves a test that is done right.",
        4: "The same V and c as on the steps of the fit.",
        5: "R² = 1 − NRMSE².",
    },
    reasons=[
        Option(
            "The test begins at h = 0, where the net never was during the fit",
            "Carry the state on: `esn_states(p, x[1200:], h[-1])`. Or let it run over the last inputs before the test.",
            True,
        ),
        Option(
            "The row of h⁽⁰⁾ must be kept, or states and targets are out of step",
            "Row t of `[1:]` is the state after input t, as in line 1. Keeping h⁽⁰⁾ would put them out of step.",
        ),
        Option(
            "The test inputs must be standardised by their own mean",
            "They must be treated as those of the fit were; here neither is changed.",
        ),
    ],
    hints=["Where does a run of `esn_states` begin, if you do not say?"],
    answer="A read-out with large weights meets states near zero, which it was never fitted to. A few steps spoil the score.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _one_unit(rng: np.random.Generator) -> Asked:
    w, k = float(rng.choice([0.6, 0.8, 0.9])), int(rng.choice([1, 2, 3]))
    return Asked(
        f"One linear unit, h⁽ᵗ⁾ = w h⁽ᵗ⁻¹⁾ + x⁽ᵗ⁾ with w = {w}, hears independent inputs of variance 1. How large is MC_{k}, "
        f"the share of x⁽ᵗ⁻{'¹²³'[k - 1]}⁾ that can be read from h⁽ᵗ⁾?",
        (1 - w**2) * w ** (2 * k),
        "MC_k = (1 − w²) w²ᵏ, the squared correlation. Over all k from 0 on it sums to 1: one unit, one remembered number.",
        {
            w ** (2 * k): "That is the squared covariance. Divide it by the variance of the state, 1 / (1 − w²).",
            w**k: "That is the covariance of h⁽ᵗ⁾ and the input of k steps ago.",
            (1 - w**2) * w**k: "The variance of the state is right, but the covariance wᵏ must be squared.",
            (1 - w**2) * w ** (2 * k + 2): "That is one step too far back: the present input has k = 0.",
        },
    )


ONE_UNIT = Numerical(
    id="10.8-one-unit",
    title="One unit, one number",
    stars=2,
    minutes=15,
    ask=_one_unit,
    hints=["Unroll: h⁽ᵗ⁾ = Σ wᵏ x⁽ᵗ⁻ᵏ⁾. What are its variance and its covariance with x⁽ᵗ⁻ᵏ⁾?"],
    answer="(1 − w²) w²ᵏ. MC₀ = 1 − w² is 1 − det(W)², and the sum over all k is 1 for every w.",
)

ORTHOGONAL = MultipleChoice(
    id="10.8-orthogonal",
    title="An orthogonal reservoir",
    minutes=10,
    ask="Weak input, tanh units, 30 of them, ρ = 0.95. Replace the Gaussian W by 0.95 times an orthogonal matrix. How many "
    "of its inputs will the net remember?",
    options=[
        Option(
            "Fewer: an orthogonal matrix only turns the state and makes no new features",
            "New features are for products of inputs. To remember, turning is just right: nothing is lost on the way.",
        ),
        Option(
            "About as many: the radius is the same, and it decides",
            "Of a Gaussian matrix only the leading eigenvalues have this modulus. What lies along the others fades fast.",
        ),
        Option(
            "More: no direction fades faster than another",
            "All eigenvalues and all singular values are 0.95 now. It provably forgets, too, slowly and evenly.",
            True,
        ),
        Option(
            "All of them for ever, since an orthogonal matrix keeps lengths",
            "It is 0.95 times an orthogonal matrix: after 90 steps 1 % of a length is left. And no state holds more than 30.",
        ),
    ],
    hints=["What are the eigenvalues, and the singular values, of 0.95 Q?"],
    answer="More, nearly all 30, as in every direction a step keeps 95 %.",
)

CAPACITY = FindBug(
    id="10.8-capacity",
    title="More than 30 of 30",
    stars=2,
    minutes=5,
    ask="`h` holds 700 states of 30 units, `past` the inputs of 1 to 400 steps before each of them. The sum of all MC_k "
    "comes out as 48. Which line is to blame?",
    code="""\
fit, test = slice(0, 300), slice(300, 700)
r = ridge_fit(h[fit], past[fit], 1e-11)
error = ((readout(r, h[fit]) - past[fit]) ** 2).mean(0)
MC = np.maximum(0, 1 - error / past[fit].var(0))
print(MC.sum())""",
    line=3,
    lines={
        1: "300 steps for the fit and 400 that are kept for the test.",
        2: "One read-out for each delay, all by one call.",
        4: "An error is measured against the variance on the same steps. Their choice was made in another line.",
        5: "The sum over all delays is what the theorem bounds.",
    },
    reasons=[
        Option(
            "The error is measured on the steps of the fit",
            "Thirty free weights explain a part of any target on the steps that they were fitted to, also of an input that "
            "is long forgotten.",
            True,
        ),
        Option(
            "The error must be summed over time, not averaged",
            "It is compared with a variance, which is a mean as well.",
        ),
        Option(
            "The ridge λ = 1e-11 must enter the error",
            "What the weights cost belongs to the fit. The share remembered is about the error alone.",
        ),
    ],
    hints=["Which of the two slices is never used?"],
    answer="It must be `test` in lines 3 and 4. On held-out steps the sum stays below 30, as the theorem says.",
)


def _by_chance(rng: np.random.Generator) -> Asked:
    n, steps, delays = int(rng.choice([30, 20, 40])), int(rng.choice([200, 300])), int(rng.choice([400, 600]))
    return Asked(
        f"How much is it by chance? {n} free weights are fitted to {steps} steps, once for each of {delays} delays that "
        "the state knows nothing of. To what do these MC_k add up, about, on the steps of the fit?",
        n / steps * delays,
        f"Each explains about {n}/{steps} of its target, so {delays} · {n}/{steps} = {n / steps * delays:g} in all.",
        {
            n / steps: "That is the share of one target. There are many targets.",
            float(n): "That is the bound for what is really remembered, with endless data.",
            0.0: "On held-out steps it would be. On the steps of the fit, free weights always find something.",
        },
    )


BY_CHANCE = Numerical(
    id="10.8-by-chance",
    title="Memory of what was never heard",
    stars=2,
    minutes=5,
    ask=_by_chance,
    tolerance=0.05,
    hints=["n free weights fit n of the dimensions of a target that has one dimension a step."],
    answer="(weights / steps) · delays. Here is the excess over 30.",
)


def _said(h: np.ndarray, y: np.ndarray, h_test: np.ndarray, ridge: float, feature=lambda v: np.hstack([v, v**2])):
    return readout(ridge_fit(feature(h), y, ridge), feature(h_test))


def _runs(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for n in (5, 8):
        p = esn_init(1, n, rng, 0.9, scale=0.5, bias=0.3)
        x = rng.uniform(-1, 1, (160, 1))
        h = esn_states(p, x)[21:]
        y = np.column_stack([x[20:, 0] * x[17:-3, 0], x[18:-2, 0]])
        cases.append((h[:100], y[:100], h[100:], 1e-4))
    return cases


SQUARES = Implement(
    "10.8-squares",
    reference=_said,
    cases=_runs,
    wrong=[
        Wrong(
            "squares alone",
            lambda h, y, h_test, ridge: _said(h, y, h_test, ridge, lambda v: v**2),
            "It looks as if the squares had replaced the states. The read-out gets both, side by side.",
        ),
        Wrong(
            "no squares",
            lambda h, y, h_test, ridge: _said(h, y, h_test, ridge, lambda v: v),
            "It looks like the plain read-out, without squares.",
        ),
        Wrong(
            "added",
            lambda h, y, h_test, ridge: _said(h, y, h_test, ridge, lambda v: v + v**2),
            "It looks as if h and h² had been added. Then a unit and its square share one weight.",
        ),
        Wrong(
            "the outputs squared",
            lambda h, y, h_test, ridge: _said(h, y, h_test, ridge, lambda v: v) ** 2,
            "It looks as if the outputs had been squared, after the fit.",
        ),
        Wrong(
            "fitted to the test",
            lambda h, y, h_test, ridge: readout(
                ridge_fit(np.hstack([h, h**2]), y, ridge), np.hstack([h, h**2])[: len(h_test)]
            ),
            "It looks like outputs for the states of the fit. What is wanted are those for `h_test`.",
        ),
    ],
)

LOOP = Parsons(
    id="10.8-loop",
    title="Closing the loop",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that the reservoir runs freely: it has heard a series up to now and is in state h, it has "
    "said `first`, and from now on what it says is what it hears. Its kept share is α. Leave out what does not belong.",
    code="""\
said = [first]
for _ in range(steps):
    a = b + W @ h + U @ said[-1]
    h = alpha * h + (1 - alpha) * np.tanh(a)
    said.append(c + V @ h)
return np.array(said)""",
    rules=[
        Rule(1, 2, "The first word must be noted before the loop begins: the net hears it."),
        Rule(2, 3, "Each step begins inside the loop."),
        Rule(3, 4, "The pre-activation comes before the state that is made of it."),
        Rule(4, 5, "The net speaks from its new state: the old one has not heard what was said last."),
        Rule(5, 6, "The loop ends before the function returns."),
    ],
    extra={
        "    h = (1 - alpha) * h + alpha * np.tanh(a)": "That is a library's leaking rate. Our α is the share that is kept.",
        "    a = b + W @ h + U @ x[t]": "Then it would hear the true series, and the loop would be open.",
        "h = np.zeros(n_h)": "It has heard a series and is in a state of it. A start at zero is where the net never was "
        "during the fit.",
    },
    hints=["What does the net hear in the first round, and what in the second?"],
    answer="Hear what was said last, move the state, speak from the new state.",
)

UNSTABLE = MultipleChoice(
    id="10.8-unstable",
    title="No input, radius above one",
    stars=2,
    minutes=10,
    ask="No bias, input zero, α = 0, tanh units, ρ(W) above 1. Prove that this reservoir does not forget its first state. "
    "Which argument is a proof?",
    options=[
        Option(
            "‖Wᵗ‖ grows without bound, so the distance of two states does as well",
            "Of a linear net. Here every state stays within 1, and distances with it.",
        ),
        Option(
            "σ_max(W) ≥ ρ(W) is above 1, so a step is no contraction, and two runs cannot meet",
            "No contraction in one step is no proof of the contrary: in the section runs meet with σ_max near 1.7.",
        ),
        Option(
            "h = 0 is a resting state which some states leave, however near to it they begin",
            "The Jacobian there is W, with an eigenvalue outside the unit circle. One run rests at 0; a run from such a state "
            "does not tend to 0. Same input, two starts, no meeting.",
            True,
        ),
        Option(
            "With ρ above 1 the net is chaotic, and chaotic runs part",
            "It need not be chaotic: just above 1 it may settle on a resting state away from 0. That it leaves 0 is what "
            "counts.",
        ),
    ],
    hints=["Look for one run that you know for all times."],
    answer="Linearise at h = 0. With other inputs the argument fails, since h = 0 is then no resting state, as you saw.",
)

LOUDER = MultipleChoice(
    id="10.8-louder",
    title="What did the radius do?",
    stars=2,
    minutes=8,
    ask="“On the adding problem with 20 steps we start a net as PyTorch does, or as a sparse reservoir of radius 1.1 with an "
    "input U that is 3.5 times as large. No seed of five solves it from the first start, all do from the second. So a radius "
    "above 1 makes long memories learnable.” Which start is missing?",
    options=[
        Option(
            "A reservoir of radius 1.5, with the larger U",
            "It would tell whether more is better. That the radius matters at all has not been shown.",
        ),
        Option(
            "PyTorch's start, with the larger U",
            "Two things were changed and one was named. In the section this start solves 20 steps with all five seeds: there "
            "the radius has no merit of its own. At 40 steps it has, at one of two rates.",
            True,
        ),
        Option(
            "The same two starts, with fifty other seeds",
            "None of five against five of five is clear enough. It is the reason that is not.",
        ),
        Option(
            "The second start, with a dense reservoir",
            "That would separate sparsity from the rest. It is the third difference; the loudest is another one.",
        ),
    ],
    hints=["In how many ways do the two starts differ, and how many of them does the last sentence name?"],
    answer="A control that has the louder input and not the radius.",
)


def _both():
    from companion.figures import Goal, Slider, Sweep

    names, delays = ("input of k steps ago", "product of inputs k, k + 1"), np.arange(16)
    radii, scales, biases = [0.5, 0.9, 1.2], [0.02, 0.1, 0.5, 2], [0, 0.5]
    x = np.random.default_rng(0).uniform(-1, 1, (600, 1))
    drawn = esn_init(1, 50, np.random.default_rng(1), 1.0, bias=1.0)
    places = [(rho, scale, bias) for rho in radii for scale in scales for bias in biases]
    nets = [drawn._replace(W=rho * drawn.W, U=scale * drawn.U, b=bias * drawn.b) for rho, scale, bias in places]
    past = np.hstack([np.roll(x, k, 0) for k in (*delays, len(delays))])
    wanted = np.hstack([past[:, :-1], past[:, :-1] * past[:, 1:]])
    fit, test = slice(50, 400), slice(400, 600)

    def shares(h):
        o = readout(ridge_fit(h[fit], wanted[fit], 1e-8), h[test])
        error = ((o - wanted[test]) ** 2).mean(0) / wanted[test].var(0)
        return np.round(np.maximum(0, 1 - error), 2).reshape(2, -1)

    table = {at: shares(h[1:]) for at, h in zip(places, many_states(nets, x), strict=True)}

    def old_and_product(rho, scale, bias):
        inputs, products = table[rho, scale, bias]
        old, product = inputs[12], products[0]
        got = f"{old:.2f} of the old input, {product:.2f} of the product"
        if not bias:
            return False, f"{got}: without a bias h(−x) = −h(x), but the product is the same for x and −x."
        if rho > 1:
            return False, f"{got}: above radius 1 the state is full of its own past."
        if product < 0.8:
            return False, f"{got}: at this size the units bend the input into more than its product."
        if old < 0.8:
            return False, f"{got}: too little is left of what came 12 steps ago."
        return (
            True,
            f"{got}: the bias bends, a small input at a radius near 1 keeps, and there is just enough room for both.",
        )

    return Sweep(
        "old-and-product",
        lambda rho, scale, bias: dict(zip(names, table[rho, scale, bias], strict=True)),
        delays,
        {
            "rho": Slider(radii, "spectral radius ρ", 0.5),
            "scale": Slider(scales, "input scale", 0.5),
            "bias": Slider(biases, "bias scale", 0),
        },
        title="Memory or bending",
        caption="50 units, one drawing of W, U and b, scaled by the sliders. What share of a target's variance a linear "
        "read-out finds in the state, on held-out steps.",
        xlabel="steps back k",
        ylabel="share that is found",
        ylim=(-0.04, 1.04),
        say=lambda rho, scale, bias: (
            f"Found: {table[rho, scale, bias][0, 12]:.2f} of the input of 12 steps ago, "
            f"{table[rho, scale, bias][1, 0]:.2f} of the product of the last two."
        ),
        roles=dict(zip(names, ("state", "output"), strict=True)),
        goals=[
            Goal(
                "from the same states, find at least 0.8 of the input of 12 steps ago and 0.8 of the product of the last "
                "two inputs.",
                old_and_product,
            )
        ],
    )


BOTH = FigureGoal(
    id="10.8-both",
    title="Memory or bending",
    stars=2,
    minutes=8,
    figure=_both,
    hints=[
        "One slider alone lets the product appear at all. What is tanh(−a)?",
        "Then memory: which scale of the input keeps the units near their straight part, and which radius fades slowly?",
    ],
    answer="Radius 0.9, a small input, and a bias. An odd net has no even function of its input; with a bias, each unit "
    "stands where tanh is bent. What the units bend they do not keep as it was, so the input has to be small.",
)

EXERCISES = [
    *(OTHER, DELAY, SOLVE, LAW, WARM_UP),
    *(ONE_UNIT, ORTHOGONAL, CAPACITY, BY_CHANCE, SQUARES, LOOP, UNSTABLE, LOUDER, BOTH),
]
