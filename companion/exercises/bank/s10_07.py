"""Section 10.7: powers and products of matrices, what a held bit costs, and comparisons that were not fair."""

from functools import cache
from math import ceil, log

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FigureGoal, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.longterm import fitted_slope, one_unit_memory, trajectory, two_unit

# ---- self-test -------------------------------------------------------------------------------------------------


def _left(rng: np.random.Generator) -> Asked:
    lam, t = [(0.99, 100), (0.99, 50), (0.98, 50), (0.995, 100)][rng.integers(4)]
    return Asked(
        f"A linear net has the eigenvalues {lam}, −0.5 and 0.3 ± 0.4i. A random h⁽⁰⁾ has a part along each eigenvector. "
        f"What share of the part along the leading one is left after {t} steps?",
        lam**t,
        f"{lam}^{t} ≈ {lam**t:.2f}. The others have shrunk by 0.5^{t}: the pair, too, has modulus √(0.09 + 0.16) = 0.5.",
        {
            lam: "That is after one step. Each step multiplies again.",
            1 - t * (1 - lam): "That takes the same amount away at each step. A step takes the same share.",
            1 - lam**t: "That is what is gone, not what is left.",
        },
    )


LEFT = Numerical(
    id="10.7-left",
    title="After many steps",
    ask=_left,
    hints=["Which eigenvalue has the largest modulus, and what do t steps do to it?"],
    answer="λ^t for the leading λ. Beside it nothing else is left: the other moduli are 0.5.",
)

NEGATIVE = MultipleChoice(
    id="10.7-negative",
    title="A negative eigenvalue",
    ask="Does the part of a state along an eigenvector with λ = −0.9 vanish faster or slower than one with λ = 0.9?",
    options=[
        Option(
            "Faster, since what alternates in sign cancels itself",
            "Cancelling needs a sum. The state after t steps is one term, (−0.9)^t, and nothing is added to it.",
        ),
        Option("As fast", "|(−0.9)^t| = 0.9^t: only the modulus counts. The sign changes at each step.", True),
        Option(
            "Slower, since it swings back at every second step",
            "It changes its sign at every step, but each time with 0.9 of its size.",
        ),
        Option(
            "It does not vanish: it swings for ever",
            "It would if its modulus were 1. With 0.9 the swings become smaller and smaller.",
        ),
    ],
    answer="As fast: its size is 0.9^t, and its sign changes at each step.",
)

DEEP = MultipleChoice(
    id="10.7-deep",
    title="Why deep nets are spared",
    ask="A feed-forward net of 100 layers is a product of 100 Jacobians, too. Why can it be trained nevertheless?",
    options=[
        Option(
            "Back-propagation through layers adds the Jacobians, it does not multiply them",
            "The chain rule multiplies in both. What is added are the shares of the copies of a shared weight.",
        ),
        Option(
            "Its layers have weights of their own, so the scale of each can be chosen for the product",
            "With v = (v*)^(1/n) the product has the wanted size, and in wide layers nearly every draw has it. A shared "
            "matrix has its own eigenvalues, direction by direction, and one scale does not suit them all.",
            True,
        ),
        Option(
            "It has far fewer layers than a sequence has steps",
            "Nets with hundreds of layers are trained, and plain recurrent nets fail at thirty steps.",
        ),
        Option(
            "Its layers do not saturate",
            "With tanh they do as much as a recurrent net's. And a linear recurrent net vanishes or explodes as well.",
        ),
    ],
    hints=["What can you choose for each layer and not for each step?"],
    answer="Different factors can be scaled so that their product has the wanted size; a power of one matrix cannot.",
)

WHOLE = MultipleChoice(
    id="10.7-whole",
    title="A healthy gradient",
    ask="The gradient ∇W L of a net on sequences of 40 steps has an ordinary size. The net does not learn a dependency "
    "over 40 steps. Why is this no contradiction?",
    options=[
        Option(
            "The step along the gradient is too small; with a higher rate it would learn it",
            "A higher rate magnifies the short-term part with the rest. Their proportion stays what it is.",
        ),
        Option(
            "Nearly all of that gradient comes from the last few steps",
            "∇W L is a sum over all copies of W. The shares of distant copies are exponentially smaller, and their sum "
            "does not show it.",
            True,
        ),
        Option(
            "It is one: a gradient of ordinary size has reached all steps",
            "The size of a sum says nothing about its smallest terms. Look at the shares by distance.",
        ),
        Option(
            "The distant shares are as large, but of the other sign, and cancel the near ones",
            "They are not of the same size: in the section the last 10 of 40 copies hold nearly everything.",
        ),
    ],
    answer="Vanishing is relative: the sum looks healthy because its short-term part is.",
)

FRIEND = MultipleChoice(
    id="10.7-friend",
    title="A thousand steps with gradient 1",
    ask="A friend says: “My LSTM holds a bit for 1000 steps with gradient 1. So the theorem of this section is wrong.” "
    "Is it?",
    options=[
        Option(
            "Yes: one counterexample is enough",
            "It would be, if the cell did what the theorem speaks of: pull the state back after noise has come in.",
        ),
        Option(
            "No: if she looked closely, the gradient would turn out to be small",
            "It is 1: with forget gate 1 and input gate 0 a step of the cell is s⁽ᵗ⁾ = s⁽ᵗ⁻¹⁾.",
        ),
        Option(
            "No: the theorem is about tanh units and about nothing else",
            "It holds for any smooth map that comes back after each small knock: that is contraction.",
        ),
        Option(
            "No: her cell keeps noise out, but what has come in it does not correct",
            "It is the adder of the section, with slope 1, and its gate keeps watch. The theorem is about memories that "
            "return to their place after a knock.",
            True,
        ),
    ],
    hints=["What happens to her bit if you add 0.1 to the cell's state, once?"],
    answer="The theorem stands: slope 1 means that a knock stays for ever. A gate can keep knocks out, as in Section 10.10.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _reach(rng: np.random.Generator) -> Asked:
    rho = float(rng.choice([0.95, 0.97, 0.98, 0.99]))
    other = 0.98 if rho == 0.99 else 0.99
    steps = ceil(log(0.01) / log(rho))
    return Asked(
        f"A symmetric W has spectral radius {rho}. After how many steps is the norm of a linear gradient below 1 % for "
        "the first time?",
        steps,
        f"ln 0.01 / ln {rho} = {log(0.01) / log(rho):.1f}, so {steps} steps. The reach is about 4.6 / (1 − ρ).",
        {
            ceil(log(0.01) / log(other)): f"That is for ρ = {other}.",
            steps - 1: "At this step it is still a little above 1 %.",
            ceil(-1 / log(rho)): "That is the time constant, after which 1/e ≈ 37 % is left.",
            ceil(-log(2) / log(rho)): "That is the half-life.",
            ceil(-2 / log(rho)): "Here log₁₀ 0.01 = −2 was divided by a natural logarithm.",
        },
    )


REACH = Numerical(
    id="10.7-reach",
    title="How far does it reach?",
    minutes=5,
    ask=_reach,
    tolerance=0.001,
    hints=["Of a symmetric matrix, ‖Wᵗ‖ = ρᵗ exactly."],
    answer="The first t with ρᵗ below 0.01, that is t above ln 0.01 / ln ρ: 90 steps for 0.95, 459 for 0.99.",
)

SKEW = MultipleChoice(
    id="10.7-skew",
    title="Bounded by the skew: the proof",
    stars=2,
    minutes=10,
    ask="To show ‖Wᵗ‖ ≤ κ ρᵗ for κ ≥ 1, write W = ρ S R S⁻¹ with a rotation R by θ. Which S does it, and what follows?",
    options=[
        Option(
            "S = diag(κ, 1): ‖Wᵗ‖ ≤ ρᵗ ‖S‖ ‖Rᵗ‖ ‖S⁻¹‖ = ρᵗ · κ · 1 · 1",
            "S R S⁻¹ has −κ sin θ above and sin θ / κ below the diagonal, as W / ρ has. All inner pairs S⁻¹ S cancel.",
            True,
        ),
        Option(
            "S = diag(κ, 1/κ): ‖Wᵗ‖ ≤ ρᵗ ‖S‖ ‖Rᵗ‖ ‖S⁻¹‖ = ρᵗ · κ · 1 · κ",
            "This S gives −κ² sin θ above the diagonal: it is the matrix of skew κ², and its bound is κ² as well.",
        ),
        Option(
            "S = diag(κ, 1): ‖Wᵗ‖ ≤ (ρ ‖S‖ ‖R‖ ‖S⁻¹‖)ᵗ = (κ ρ)ᵗ",
            "True, and far too weak: multiply the t factors first. The inner S⁻¹ S cancel, and only two S are left.",
        ),
        Option(
            "S = diag(1, κ): ‖Wᵗ‖ ≤ ρᵗ ‖S‖ ‖Rᵗ‖ ‖S⁻¹‖ = ρᵗ · κ · 1 · 1",
            "The same bound, but of another matrix: here sin θ is divided by κ above the diagonal and multiplied below.",
        ),
    ],
    hints=["Multiply S R S⁻¹ out for a diagonal S and compare with W / ρ, entry by entry."],
    answer="S = diag(κ, 1). Wᵗ = ρᵗ S Rᵗ S⁻¹, and a rotation has norm 1, so ‖Wᵗ‖ ≤ ρᵗ ‖S‖ ‖S⁻¹‖ = κ ρᵗ.",
)


def _touch(rng: np.random.Generator) -> Asked:
    n, kappa = int(rng.choice([6, 8, 10, 12])), int(rng.choice([3, 4, 6]))
    return Asked(
        f"Take ρ = 0.9, θ = π/{n} and κ = {kappa}. At which step t ≥ 1 is ‖Wᵗ‖ = κ ρᵗ for the first time?",
        n / 2,
        f"t θ = π/2 at t = {n // 2}: the rotation swaps the axes, and one entry of S Rᵗ S⁻¹ is ±κ alone.",
        {
            n: "There Rᵗ = −I is half a turn. It commutes with S, and ‖Wᵗ‖ = ρᵗ, the least that is possible.",
            2 * n: "There Rᵗ = I is a full turn, and ‖Wᵗ‖ = ρᵗ, the least that is possible.",
            1: "After one step both entries of a column are nonzero, and the norm is below κ ρ.",
        },
    )


TOUCH = Numerical(
    id="10.7-touch",
    title="Bounded by the skew: where it is reached",
    stars=2,
    minutes=5,
    ask=_touch,
    tolerance=0.001,
    hints=["For which rotation Rᵗ does S Rᵗ S⁻¹ have κ and 1/κ as its only entries?"],
    answer="Where t θ is an odd multiple of π/2.",
)

FACTORS = FindBug(
    id="10.7-factors",
    title="Right for one unit, wrong for four",
    stars=2,
    minutes=8,
    ask="This function should return ‖∂h⁽τ⁾/∂h⁽⁰⁾‖ of a tanh net. For one unit its result is right. Which line is wrong?",
    code="""\
M = np.eye(len(W))
for state in h[1:]:
    J = np.diag(1 - state**2) @ W
    M = M @ J
return np.linalg.norm(M, 2)""",
    line=4,
    lines={
        1: "∂h⁽⁰⁾/∂h⁽⁰⁾ is the identity.",
        2: "h[0] is h⁽⁰⁾, which no step has made; the Jacobians belong to h⁽¹⁾ … h⁽τ⁾.",
        3: "The slopes of the tanh belong to the outputs of the step, so they scale the rows of W.",
        5: "The largest stretch is the spectral norm, which is `norm(M, 2)`.",
    },
    reasons=[
        Option(
            "A later step belongs on the left: M = J @ M",
            "∂h⁽τ⁾/∂h⁽⁰⁾ = J⁽τ⁾ … J⁽¹⁾. Numbers, equal factors and a net at rest cannot show the difference.",
            True,
        ),
        Option(
            "A gradient goes back through the transposed matrix: M = J.T @ M",
            "The product of the transposes in this order is the transpose of J⁽¹⁾ … J⁽τ⁾: the same wrong order.",
        ),
        Option(
            "The Jacobians add up along the path: M = M + J",
            "Paths in parallel add up. Steps in a row are composed, and their Jacobians multiply.",
        ),
    ],
    hints=["Write ∂h⁽²⁾/∂h⁽⁰⁾ by the chain rule. Which Jacobian stands on the left?"],
    answer="`M = J @ M`. Test with different factors: with one unit, or in a net at rest, every order gives the same.",
)


def _pairs(rng: np.random.Generator) -> list[tuple]:
    """Runs of linear nets of six units whose leading eigenvalues are a skewed pair."""
    cases = []
    for _ in range(3):
        rho, theta = rng.uniform(0.85, 1.1), rng.uniform(0.5, 1.2)
        W = np.diag([0.0, 0.0, *(rho * rng.uniform(-0.8, 0.8, 4))])
        W[:2, :2] = two_unit(rho, theta, 4.0)
        Q, _ = np.linalg.qr(rng.standard_normal((6, 6)))
        cases.append((trajectory(Q @ W @ Q.T, rng.standard_normal(6), 400),))
    return cases


def _lengths(h: np.ndarray) -> np.ndarray:
    return np.linalg.norm(h, axis=1)


def _quotient(h: np.ndarray) -> float:
    return float(h[-2] @ h[-1] / (h[-2] @ h[-2]))


RADIUS = Implement(
    "10.7-radius",
    reference=lambda h: np.exp(fitted_slope(np.log(_lengths(h)), 100)),
    cases=_pairs,
    tolerance=0.01,
    wrong=[
        Wrong(
            "one ratio",
            lambda h: _lengths(h)[-1] / _lengths(h)[-2],
            "It looks like the growth in the last step alone. With a leading pair the length swings, so average over many.",
        ),
        Wrong(
            "Rayleigh quotient",
            _quotient,
            "It looks like the quotient hᵀ W h / hᵀ h at the end. It tells an eigenvalue when h is an eigenvector; here h "
            "keeps turning and it never settles.",
        ),
        Wrong(
            "mean of ratios",
            lambda h: (_lengths(h)[1:] / _lengths(h)[:-1]).mean(),
            "It looks like the mean of the ratios. Steps multiply: average their logs.",
        ),
        Wrong(
            "still a logarithm",
            lambda h: fitted_slope(np.log(_lengths(h)), 100),
            "It looks like the slope itself. The slope is log ρ.",
        ),
        Wrong(
            "wrong base",
            lambda h: np.exp(fitted_slope(np.log10(_lengths(h)), 100)),
            "It looks as if a logarithm to base 10 had been undone by the natural exponential.",
        ),
    ],
)

RESCALED = Parsons(
    id="10.7-rescaled",
    title="Without overflow",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that the function returns log ‖F⁽ᵗ⁾ … F⁽¹⁾‖ for t = 0 … n, also where the product "
    "itself would pass 1e308. Leave out what does not belong.",
    code="""\
logs, M = [0.0], np.eye(n_h)
for F in factors:
    M = F @ M
    size = np.linalg.norm(M, 2)
    logs.append(logs[-1] + np.log(size))
    M = M / size
return np.array(logs)""",
    rules=[
        Rule(1, 2, "The product must be the identity before the first factor comes."),
        Rule(2, 3, "The factor is named by the loop."),
        Rule(3, 4, "The size to measure is that of the product with the new factor."),
        Rule(4, 5, "The size must be measured before its logarithm is noted."),
        Rule(4, 6, "The size must be measured before M is divided by it."),
        Rule(5, 7, "The loop ends before the function returns."),
        Rule(6, 7, "The loop ends before the function returns."),
    ],
    extra={
        "    M = M @ F": "The last step stands on the left: its factor multiplies what the earlier ones have made.",
        "    logs.append(np.log(size))": "M was divided by its size at each step, so `size` is the growth of this step "
        "alone: add it to the log before.",
    },
    hints=["What is ‖M‖ at the beginning of each round?", "The log of a product is the sum of the logs."],
    answer="Multiply, measure, note the sum of the logs, divide: M keeps its direction and never grows.",
)


def _push(w: float) -> float:
    return one_unit_memory(w).margin


def _weight(value: float, of=_push) -> float:
    """The self-weight at which a rising function of it has a value."""
    low, high = 1.0 + 1e-9, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if of(middle) < value else (low, middle)
    return high


def _design(push: float, share: float, of=_push, slope=lambda w: one_unit_memory(w).slope, more: int = 0) -> tuple:
    w = _weight(push, of)
    return w, float(np.floor(np.log(share) / np.log(slope(w))) + more)


def _wishes(rng: np.random.Generator) -> list[tuple]:
    """Pushes and shares whose number of steps is well within a whole one."""
    cases = []
    while len(cases) < 3:
        push, share = rng.uniform(0.05, 0.5), float(rng.choice([0.1, 0.01, 0.001]))
        steps = np.log(share) / np.log(one_unit_memory(_weight(push)).slope)
        cases += [(push, share)] if 0.2 < steps % 1 < 0.8 else []
    return cases


DESIGN = Implement(
    "10.7-design",
    reference=_design,
    cases=_wishes,
    tolerance=1e-3,
    wrong=[
        Wrong(
            "the push against the state",
            lambda push, share: _design(push, share, of=lambda w: one_unit_memory(w).point),
            "It looks as if the resting point itself were to exceed the push. A push acts before the tanh, and again at "
            "every step: what withstands it for ever is the margin.",
        ),
        Wrong(
            "artanh forgotten",
            lambda push, share: _design(push, share, of=lambda w: np.sqrt(w * w - w)),
            "It looks as if the margin were w h_c, without − artanh h_c.",
        ),
        Wrong(
            "slope without w",
            lambda push, share: _design(push, share, slope=lambda w: 1 - one_unit_memory(w).point ** 2),
            "It looks as if the slope at rest were 1 − h². The map is tanh(w h): its slope is w (1 − h²).",
        ),
        Wrong(
            "one step too many",
            lambda push, share: _design(push, share, more=1),
            "The weight is right. It looks as if the steps were rounded up: after that many the gradient is below the "
            "share already.",
        ),
    ],
)

RATES = MultipleChoice(
    id="10.7-rates",
    title="Start or optimiser?",
    stars=2,
    minutes=8,
    ask="A report says: “At 50 steps, Adam at its usual rate 0.01 solves few nets. Plain descent at 0.5 from an orthogonal "
    "start solves most. So the start matters more than the optimiser.” The rate 0.5 had been found on this very task. "
    "Which experiment comes first?",
    options=[
        Option(
            "Sweep the rate of each recipe on spare nets, and compare at the best of each",
            "One side was tuned and the other was not. In the table of the section Adam solves 30 steps in fewer than half "
            "of the nets at 0.01 and in nearly all at 0.03.",
            True,
        ),
        Option(
            "Train four hundred nets of each recipe instead of forty, at the same two rates",
            "The counts become more exact, and the comparison stays as unfair as it was.",
        ),
        Option(
            "Give both recipes the same rate, since a fair comparison changes one thing at a time",
            "A rate means something else in Adam, whose steps do not depend on the gradient's size. The same number is "
            "not the same treatment.",
        ),
        Option(
            "Run Adam from the orthogonal start, since the two changes can be combined",
            "Good to know, but if it succeeds you still do not know which of the two was held back by its rate.",
        ),
    ],
    hints=["Which of the two numbers, 0.01 and 0.5, was chosen for this task?"],
    answer="The rates first, each chosen with the same care. Then count nets that hold the bit at other lengths, too.",
)


def _detour():
    from companion.figures import Goal, Slider, Sweep

    lags = np.arange(0, 101, 2)

    @cache
    def norms(rho, skew, turn):
        return np.array([np.linalg.norm(two_unit(rho**t, 2 * np.pi * t / turn, skew), 2) for t in lags.tolist()])

    def growing_and_gone(rho, skew, turn):
        ten, last = norms(rho, skew, turn)[[5, -1]]
        if rho >= 1:
            return False, f"Both eigenvalues have modulus {rho:g}: what has grown never fades."
        if skew == 1:
            return False, f"Without skew W is normal: each step back multiplies every gradient by {rho:g}."
        if (bound := skew * rho**10) <= 4:
            return False, f"{ten:.2g} from 10 steps back. The skew allows κ ρ¹⁰ = {bound:.2g} there, and no more."
        if ten <= 4:
            return False, (
                f"{ten:.2g} from 10 steps back. They turn by {round(3600 / turn) % 360}°, and most comes through where "
                "the turn is a quarter, or three."
            )
        return True, (
            f"{ten:.2g} from 10 steps back, {last:.2g} from 100. Both eigenvalues are {rho:g} in size: they say how it "
            "ends, the eigenvectors say how it begins."
        )

    return Sweep(
        "detour",
        lambda rho, skew, turn: {"‖Wᵗ‖": norms(rho, skew, turn)},
        lags,
        {
            "rho": Slider([0.8, 0.9, 0.95, 1, 1.05], "modulus of both eigenvalues ρ", 0.9),
            "skew": Slider([1, 2, 4, 8], "skew κ", 1),
            "turn": Slider([6, 12, 24, 48], "steps for a whole turn 2π/θ", 12),
        },
        title="More before less",
        caption="The norm of Wᵗ for the two-unit matrix of the section: the most by which a linear net multiplies a "
        "gradient on its way t steps back.",
        xlabel="steps back t",
        ylabel="‖Wᵗ‖",
        logy=True,
        ylim=(1e-4, 1e3),
        say=lambda rho, skew, turn: (
            "A gradient is multiplied by up to {:.2g} on 10 steps, by up to {:.2g} on 100.".format(
                *norms(rho, skew, turn)[[5, -1]]
            )
        ),
        roles={"‖Wᵗ‖": "gradient"},
        goals=[
            Goal(
                "make a gradient grow more than fourfold on its first 10 steps back, although every eigenvalue lies inside "
                "the unit circle.",
                growing_and_gone,
            )
        ],
    )


DETOUR = FigureGoal(
    id="10.7-detour",
    title="More before less",
    stars=2,
    minutes=8,
    figure=_detour,
    hints=[
        "Where t steps make a quarter of a turn, the cosine in Wᵗ is 0; what is ‖Wᵗ‖ there?",
        "At a quarter of a turn ‖Wᵗ‖ = κ ρᵗ. Which κ and which ρ below 1 make that more than 4 for t = 10?",
    ],
    answer="ρ = 0.95 and κ = 8, which allow 8 · 0.95¹⁰ = 4.8, and a turn that brings 10 steps near a quarter or three "
    "quarters: 48, 12 or 6 steps. With 24 they turn by 150°, of which the sine is only a half.",
)

EXERCISES = [
    *(LEFT, NEGATIVE, DEEP, WHOLE, FRIEND),
    *(REACH, SKEW, TOUCH, FACTORS, RADIUS, RESCALED, DESIGN, RATES, DETOUR),
]
