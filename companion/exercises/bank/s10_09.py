"""Section 10.9: time constants, delays and leaks, and what a comparison of them does not show."""

from math import ceil, log, sqrt

import numpy as np

from companion.cells.leaky import LeakyNodes, LeakyRNN
from companion.core.functions import spectral_radius
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.longterm import draw_weights
from companion.timescales import delay_radius, time_constant

# ---- self-test -------------------------------------------------------------------------------------------------


def _constant(rng: np.random.Generator) -> Asked:
    alpha = float(rng.choice([0.9, 0.95, 0.98, 0.99]))
    tau = time_constant(alpha)
    return Asked(
        f"What is the time constant τ of a leaky unit with α = {alpha}, roughly?",
        tau,
        f"About 1 / (1 − α) = {1 / (1 - alpha):.0f} steps; exactly −1 / ln α = {tau:.1f}.",
        {
            tau * log(2): "That is the half-life. After τ steps 1/e ≈ 37 % is left.",
            tau * log(10): "That takes the logarithm to base 10. After so many steps 10 % is left.",
            1 - alpha: "That is the share that is replaced in a step. About how many steps replace all?",
        },
    )


CONSTANT = Numerical(
    id="10.9-constant",
    title="A time constant",
    ask=_constant,
    tolerance=0.06,
    hints=["For α near 1, −ln α is about 1 − α."],
    answer="About 1 / (1 − α), exactly −1 / ln α.",
)


def _skip(rng: np.random.Generator) -> Asked:
    rho, d = float(rng.choice([0.9, 0.8])), int(rng.choice([10, 20, 25]))
    return Asked(
        f"W has ρ = {rho}, and it is the only connection, over d = {d} steps. What share of a linear gradient is left after "
        "200 steps, apart from a transient?",
        rho ** (200 / d),
        f"{rho}^(200/{d}) = {rho ** (200 / d):.2f}. With d = 1 it would be {rho**200:.0e}.",
        {
            rho**200: "That is without the skip: one factor for each step.",
            rho ** (200 - d): "A skip does not leave out d steps once. Every jump is one factor for d steps.",
            rho**d: "There are 200/d jumps, not d.",
            rho / d: "The rate is divided by d, and the rate stands in the exponent.",
        },
    )


SKIP = Numerical(
    id="10.9-skip",
    title="Through skips",
    ask=_skip,
    hints=["How many factors does the gradient pass in 200 steps?"],
    answer="ρ^(t/d): one factor for each jump.",
)

RATE_1 = MultipleChoice(
    id="10.9-rate-1",
    title="Leak rate 1",
    ask="A library says leak rate 1. What kind of unit is that, in the letters of this section?",
    options=[
        Option(
            "A unit that never forgets: α = 1",
            "Here α = 1 keeps everything. A leak rate is the share that is replaced: 1 − α.",
        ),
        Option(
            "A unit of the plain net: α = 0",
            "Everything is replaced. The unit itself keeps nothing; the net still remembers through W.",
            True,
        ),
        Option(
            "A unit that forgets at once whatever it heard, and the net with it",
            "The unit keeps nothing of its own, but W h⁽ᵗ⁻¹⁾ brings the past back, as in every plain net.",
        ),
        Option(
            "A unit whose τ is one step",
            "τ = 1 needs α = 1/e. Leak rate 1 is α = 0, and τ = 0.",
        ),
    ],
    answer="The plain unit, α = 0.",
)

PRICE = MultipleChoice(
    id="10.9-price",
    title="What slowness costs",
    ask="A leaky unit with α = 0.98 keeps a value for long. What does it pay for that?",
    options=[
        Option(
            "Its gradient explodes, since α is so near 1",
            "Along its own path a gradient is multiplied by α, which is below 1.",
        ),
        Option(
            "It needs 50 times as many steps of training",
            "Its time constant is about 50 steps of a sequence. How long training takes is another matter.",
        ),
        Option(
            "It listens slowly: a pulse of 1 moves it by 0.02",
            "Keeping and listening share one number: what it does not keep, 1 − α, is what it takes in.",
            True,
        ),
        Option(
            "It can no longer be erased: what is in it stays",
            "It fades by 2 % at each step, whatever comes. To keep and to erase at will takes a gate.",
        ),
    ],
    hints=["Look at both factors in μ⁽ᵗ⁾ = α μ⁽ᵗ⁻¹⁾ + (1 − α) v⁽ᵗ⁾."],
    answer="A unit that forgets slowly also listens slowly: the two factors add up to 1.",
)

COMB = MultipleChoice(
    id="10.9-comb",
    title="Between the teeth",
    ask="A net has connections of delay 8 alone, and no leak. The cue comes in steps 1 to 3, the question after step 40. "
    "What can training achieve?",
    options=[
        Option(
            "Nothing: the last state depends on steps 40, 32, …, 8 alone",
            "None of them is 1, 2 or 3. The gradient on what the net did with the cue is exactly zero, and it can only guess.",
            True,
        ),
        Option(
            "As much as with delay 1, only faster: there are five factors instead of forty",
            "Five factors on the strand that step 40 belongs to. The cue is on other strands.",
        ),
        Option(
            "Much, if W starts orthogonal, so that nothing fades between cue and question",
            "There is no path, whatever its factors are.",
        ),
        Option(
            "The cue can reach the question through the inputs of the steps between",
            "They carry noise. What the net made of the cue stays on the strands of steps 1, 2 and 3.",
        ),
    ],
    hints=["Which steps does the state at step 40 see?"],
    answer="Nothing. At 41, 42 and 43 steps it could: 41 − 40 = 1, and so on.",
)

CLOCK = MultipleChoice(
    id="10.9-clock",
    title="Learns or holds?",
    ask="All forty nets with added skips answer rightly at 67 steps, the length of their training. Why does this not show "
    "that they hold the bit?",
    options=[
        Option(
            "Forty nets are too few to tell",
            "Forty of forty is clear. It is clear about 67 steps.",
        ),
        Option(
            "They were trained with skips of 8 steps, and 67 is no multiple of 8",
            "They have the short connections as well, so the remainder does not matter to them.",
        ),
        Option(
            "A state that turns can be right at one length and wrong at the next",
            "A clock carries the bit in its phase. Ask at 63 to 71: in the section most of these nets fail at some of them.",
            True,
        ),
        Option(
            "The test sequences might have been among those of the training",
            "They are drawn afresh, and noise is never the same twice.",
        ),
    ],
    answer="Being right at one length may be the work of a clock. Holding is being right at all lengths nearby.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _halve(rng: np.random.Generator) -> Asked:
    n = int(rng.choice([10, 20, 30]))
    return Asked(
        f"Which α halves an old value every {n} steps?",
        2 ** (-1 / n),
        f"α = 2^(−1/{n}) = {2 ** (-1 / n):.4f}, and τ = {n} / ln 2 = {n / log(2):.1f} steps.",
        {
            float(np.exp(-1 / n)): f"That is for τ = {n}: after {n} steps 1/e ≈ 37 % is left.",
            1 - 1 / (2 * n): "That takes the same amount away at each step. A step takes a share of what is there.",
            1 - 1 / n: f"That replaces the share 1/{n} a step, so about 1/e is left after {n} steps.",
            1 - 2 ** (-1 / n): "That is the share that is replaced, a library's leak rate. Here α is what is kept.",
        },
    )


HALVE = Numerical(
    id="10.9-halve",
    title="Half after so many steps",
    ask=_halve,
    tolerance=0.0015,
    hints=["αᵗ = ½."],
    answer="α = 2^(−1/n), four digits of it.",
)


def _rise(rng: np.random.Generator) -> Asked:
    alpha = float(rng.choice([0.9, 0.95, 0.98]))
    t = ceil(log(0.1) / log(alpha))
    return Asked(
        f"A leaky unit with α = {alpha} rests at 0. Then its input jumps from 0 to 1 and stays there. After how many steps "
        "does the unit reach 90 %?",
        t,
        f"1 − αᵗ ≥ 0.9 from t = {t} on: τ ln 10, about 2.3 τ. The unit that remembers longest reacts last.",
        {
            ceil(time_constant(alpha)): "That is τ: after it the unit has reached 63 %.",
            ceil(
                log(0.9) / log(alpha)
            ): "After so many steps 90 % of an old value is still left: the unit has risen by 10 %.",
            ceil(log(0.5) / log(alpha)): "That is when it has reached half.",
            t - 1: "At this step it is still just below 90 %.",
        },
    )


RISE = Numerical(
    id="10.9-rise",
    title="How fast does it react?",
    ask=_rise,
    tolerance=0.001,
    hints=["What is the distance 1 − μ⁽ᵗ⁾ multiplied by at each step?"],
    answer="The first t with αᵗ at most 0.1.",
)


def _two_delays(rng: np.random.Generator) -> Asked:
    w1, w2 = [(0.3, 0.5), (0.2, 0.6), (0.5, 0.3), (0.4, 0.3)][rng.integers(4)]
    root = (w1 + sqrt(w1 * w1 + 4 * w2)) / 2
    return Asked(
        f"One linear unit has h⁽ᵗ⁾ = w₁ h⁽ᵗ⁻¹⁾ + w₂ h⁽ᵗ⁻²⁾ with w₁ = {w1} and w₂ = {w2}. By which factor does it grow or "
        "fade per step, in the long run?",
        root,
        f"λ² = w₁ λ + w₂ has the roots {root:.3f} and {w1 - root:.3f}; the larger one leads.",
        {
            w1 + w2: "The sum says on which side of 1 the factor lies, and is the factor only if it is 1.",
            sqrt(w2): "That is without the short connection.",
            max(w1, w2): "Both connections act at every step, so neither weight alone is the factor.",
            root * root: "That is the factor of two steps.",
        },
    )


TWO_DELAYS = Numerical(
    id="10.9-two-delays",
    title="Two self-connections: the rate",
    stars=2,
    minutes=8,
    ask=_two_delays,
    tolerance=0.004,
    hints=["Try h⁽ᵗ⁾ = λᵗ."],
    answer="½ (w₁ + √(w₁² + 4 w₂)).",
)

BALANCED = MultipleChoice(
    id="10.9-balanced",
    title="Two self-connections: the balance",
    stars=2,
    minutes=5,
    ask="For w₁, w₂ ≥ 0, when does this unit neither grow nor vanish?",
    options=[
        Option(
            "When w₁² + w₂² = 1",
            "That is the length of the vector (w₁, w₂). What counts is a root of λ² = w₁ λ + w₂ at 1.",
        ),
        Option(
            "When w₁ w₂ = 1",
            "With w₁ = w₂ = 1 the states are Fibonacci's numbers, which grow by 1.618 a step.",
        ),
        Option(
            "When the larger of the two weights is 1",
            "With w₁ = 1 and any w₂ above 0 it grows: the second path adds to the first.",
        ),
        Option(
            "When w₁ + w₂ = 1",
            "Then λ = 1 is a root, and the other one, −w₂, is not larger. The leading root grows with both weights, so a "
            "smaller sum fades and a larger one grows. A leaky unit is such a case: α + (1 − α) w with w = 1.",
            True,
        ),
    ],
    hints=["Put λ = 1 into λ² = w₁ λ + w₂."],
    answer="When w₁ + w₂ = 1.",
)


def _sent(g: np.ndarray, v: np.ndarray, W: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    cell = LeakyRNN(None, W[None], None, None, None, alpha)
    _, to = cell.back(LeakyNodes(a=np.arctanh(v)), None, LeakyNodes(past=g[None]))
    return to.past[-1]


def _leaks(rng: np.random.Generator) -> list[tuple]:
    return [
        (rng.normal(size=4), rng.uniform(-0.9, 0.9, 4), rng.normal(size=(4, 4)), alpha)
        for alpha in (np.zeros(4), rng.uniform(0.1, 0.9, 4))
    ]


SENT = Implement(
    "10.9-sent",
    reference=_sent,
    cases=_leaks,
    wrong=[
        Wrong(
            "as it stood",
            lambda g, v, W, alpha: W.T @ ((1 - v**2) * g) + alpha * g,
            "That is the line as it stood. It is right for α = 0. What multiplies tanh a⁽ᵗ⁾ in the forward step?",
        ),
        Wrong(
            "the factor outside",
            lambda g, v, W, alpha: (1 - alpha) * (W.T @ ((1 - v**2) * g)) + alpha * g,
            "It looks as if 1 − α stood outside the product with Wᵀ. It belongs to the unit whose tanh it scales, before "
            "Wᵀ mixes the units.",
        ),
        Wrong(
            "alpha for 1 − alpha",
            lambda g, v, W, alpha: W.T @ (alpha * (1 - v**2) * g) + (1 - alpha) * g,
            "It looks as if α and 1 − α were exchanged: α is the share that is kept.",
        ),
        Wrong(
            "the leak forgotten",
            lambda g, v, W, alpha: W.T @ ((1 - alpha) * (1 - v**2) * g),
            "It looks as if the path through the leak were missing: h⁽ᵗ⁻¹⁾ also speaks to h⁽ᵗ⁾ by α.",
        ),
        Wrong(
            "both paths scaled",
            lambda g, v, W, alpha: (1 - alpha) * (W.T @ ((1 - v**2) * g) + alpha * g),
            "It looks as if the whole sum were multiplied by 1 − α. The path through the leak has the factor α alone.",
        ),
        Wrong(
            "W not transposed",
            lambda g, v, W, alpha: W @ ((1 - alpha) * (1 - v**2) * g) + alpha * g,
            "It looks as if W stood where its transpose should.",
        ),
    ],
)


def _skips(rng: np.random.Generator) -> list[tuple]:
    return [
        (np.stack([draw_weights(3, rng, radius) for radius in radii]), delays)
        for radii, delays in (((0.5, 0.7), (1, 4)), ((0.4, 0.3, 0.6), (1, 3, 5)), ((0.8,), (3,)))
    ]


def _companion(W: np.ndarray, delays: tuple[int, ...]) -> np.ndarray:
    n, longest = W.shape[1], max(delays)
    C = np.eye(n * longest, k=-n)
    for M, d in zip(W, delays, strict=True):
        C[:n, (d - 1) * n : d * n] = M
    return C


GROWTH = Implement(
    "10.9-growth",
    reference=delay_radius,
    cases=_skips,
    wrong=[
        Wrong(
            "each alone",
            lambda W, delays: max(spectral_radius(M) ** (1 / d) for M, d in zip(W, delays, strict=True)),
            "It looks like the best single connection, ρ(W_d)^(1/d). Paths that mix delays count as well.",
        ),
        Wrong(
            "the sum",
            lambda W, delays: spectral_radius(W.sum(0)),
            "It looks like the radius of the sum of the matrices, as if all delays were 1.",
        ),
        Wrong(
            "delays renumbered",
            lambda W, delays: spectral_radius(_companion(W, tuple(range(1, len(W) + 1)))),
            "It looks as if the matrices stood side by side in the first blocks. W_d belongs in block number d.",
        ),
        Wrong(
            "norm for radius",
            lambda W, delays: np.linalg.norm(_companion(W, delays), 2),
            "It looks like the spectral norm of the companion matrix. In the long run its spectral radius counts.",
        ),
        Wrong(
            "growth of the longest delay",
            lambda W, delays: delay_radius(W, delays) ** max(delays),
            "It looks like the growth over as many steps as the longest delay has. The companion matrix moves on by one step.",
        ),
    ],
)

DOUBLING = Parsons(
    id="10.9-doubling",
    title="All steps at once",
    stars=2,
    minutes=10,
    ask="Put the lines in order so that all μ⁽ᵗ⁾ = keep⁽ᵗ⁾ μ⁽ᵗ⁻¹⁾ + u⁽ᵗ⁾, from μ⁽⁰⁾ = 0, come out in log₂ τ rounds. After the "
    "round with `back` = k, every step has gathered what the last 2k steps took in. Leave out what does not belong.",
    code="""\
keep, mu, back = keep.copy(), u.copy(), 1
while back < len(mu):
    mu[back:] = mu[back:] + keep[back:] * mu[:-back]
    keep[back:] = keep[back:] * keep[:-back]
    back *= 2
return mu""",
    rules=[
        Rule(1, 2, "The loop asks how long `mu` is and where `back` stands."),
        Rule(2, 3, "The rounds stand inside the loop."),
        Rule(
            3,
            4,
            "`mu` needs what is kept over the last `back` steps; once `keep` is multiplied, it spans twice as many.",
        ),
        Rule(4, 5, "`keep` must take over from the same distance as `mu`, before `back` is doubled."),
        Rule(5, 6, "The loop ends before the function returns."),
    ],
    extra={
        "    back += 1": "Each round doubles what a step has gathered, so the next one must reach twice as far back.",
        "    keep[back:] = keep[back:] ** 2": "That is right if all steps keep the same share. Here they may differ.",
    },
    hints=["After a round, what is keep[t]: what one step keeps, or what several keep together?"],
    answer="Sums first, with the old products; then the products; then twice the distance.",
)

REPORT = MultipleChoice(
    id="10.9-report",
    title="Nineteen to none",
    stars=2,
    minutes=10,
    ask="“We trained twenty nets of each kind at 131 steps, with the learning rate that worked best for ours. Nineteen nets "
    "with added skips succeed and none with leaks. Skips keep a bit better than leaks.” Which measurement tests the word "
    "“keep”?",
    options=[
        Option(
            "Choose the learning rate for each kind by the same search",
            "A must, since it was chosen for one side. It makes the count of those that learn fair. Whether they keep "
            "anything is still not asked.",
        ),
        Option(
            "Rescale all kinds to the same growth per step at the start",
            "A good control: added nets happen to start at growth 1. It tells what the connections do for learning.",
        ),
        Option(
            "Train two hundred nets of each kind, from several seeds",
            "The counts become more exact. They stay counts of being right at 131 steps.",
        ),
        Option(
            "Ask the same nets at 127 to 135 steps",
            "Being right at one length may be the work of a clock. Around 67 steps, most nets with added skips failed at "
            "some length, and hardly a leaky one that had learned it.",
            True,
        ),
    ],
    hints=["What was held fixed that the last sentence does not name? Several things: which of them is about keeping?"],
    answer="Other lengths. Rate, start and number of draws are open as well; the report may say that from these starts, with "
    "this rate, nets with added skips learn 131 steps more often.",
)

EXERCISES = [
    *(CONSTANT, SKIP, RATE_1, PRICE, COMB, CLOCK),
    *(HALVE, RISE, TWO_DELAYS, BALANCED, SENT, GROWTH, DOUBLING, REPORT),
]
