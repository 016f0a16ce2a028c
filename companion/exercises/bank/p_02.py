"""Section P.2: copies, leaks and naive forecasts, a loop to close and a difference to undo."""

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option

# ---- self-test -------------------------------------------------------------------------------------------------

PLOT = MultipleChoice(
    id="P.2-plot",
    title="The plot that convinces",
    ask="One-step forecasts of a price lie on top of the price, correlation 0.98. Which further number would tell you "
    "most about whether the next day's move is forecast?",
    options=[
        Option(
            "The correlation of the forecast change with the true change",
            "It leaves out what both share, the level of yesterday. For a shifted copy it is near 0.",
            True,
        ),
        Option(
            "The share of the variance of the price that the forecast explains, on days that were held out",
            "The variance of the price is that of its level, which yesterday's price explains. R² is near 1 for a copy, "
            "on held-out days too.",
        ),
        Option(
            "The mean absolute error in dollars, over all the days of the plot",
            "Without the error of persistence beside it, dollars say nothing.",
        ),
        Option(
            "The same correlation, but computed over a longer stretch of the price",
            "Over a longer stretch the level moves more, and the correlation of a copy comes closer to 1 still.",
        ),
    ],
    hints=["What would each number be if the forecast were yesterday's price?"],
    answer="The correlation of the changes: it is near 0 for a shifted copy, whose other numbers look good.",
)

LEAK = MultipleChoice(
    id="P.2-leak",
    title="Where the future comes in",
    ask="Four habits of a forecaster. Which one leaks no future into the forecasts?",
    options=[
        Option(
            "Fitting the net again each year, on all values up to then",
            "At each refit only the past is used. That is a rolling origin.",
            True,
        ),
        Option(
            "Scaling the whole series to mean 0 and deviation 1 before anything else is done",
            "Mean and deviation hold the test years too. With a trend they tell where the series will go.",
        ),
        Option(
            "Filling a gap by a line between the values before and after it, just before the origin",
            "The value after the gap lies behind the origin. Fill with what was known.",
        ),
        Option(
            "Stopping the training of a net when its error on the test years begins to rise",
            "Then the test years have chosen the number of updates. Stop by values before the origin.",
        ),
    ],
    hints=["Ask of each habit: which later value could change the forecast?"],
    answer="The refit on all values up to then. The other three use values behind the origin.",
)


def _skill(rng: np.random.Generator) -> Asked:
    naive, ours = float(rng.choice([2.0, 4.0, 5.0])), float(rng.choice([1.0, 1.5, 3.0]))
    return Asked(
        f"The mean absolute error of your forecasts is {ours:g}, that of persistence on the same days is {naive:g}. "
        "What is the skill against persistence?",
        1 - ours / naive,
        f"1 − {ours:g}/{naive:g}. Negative if persistence is better.",
        {
            ours / naive: "That is the ratio of the errors. Skill is 1 minus it.",
            1 - naive / ours: "The naive error stands below the line.",
            naive - ours: "A difference has a unit. Divide by the naive error.",
        },
    )


SKILL = Numerical(
    id="P.2-skill",
    title="Skill",
    ask=_skill,
    tolerance=0.005,
    answer="1 − (error of the forecast)/(error of persistence).",
)

TREND = MultipleChoice(
    id="P.2-trend",
    title="Beyond what was seen",
    ask="Why does a net that was trained on CO₂ itself forecast the next years too low, while a linear autoregression "
    "does not?",
    options=[
        Option(
            "Its tanh units bend where the inputs leave the range of training",
            "Its output is bounded and was fitted inside the range only. A linear map goes on as it began.",
            True,
        ),
        Option(
            "It has more weights than the linear autoregression and fits the noise of the training years",
            "Overfitting would show on years within the range as well. On the differences the same net, with as many "
            "weights, does well.",
        ),
        Option(
            "Its window is too short to hold the trend, which lasts for decades and not for months",
            "The linear autoregression sees a shorter window still, and goes on climbing.",
        ),
        Option(
            "Its squared error punishes forecasts that are too high more than forecasts that are too low",
            "A square punishes both alike.",
        ),
    ],
    hints=["Which of the two can give a value that is higher than any that it was fitted to?"],
    answer="Bounded units, fitted within a range; differences bring the later years back into it.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

SCALED = FindBug(
    id="P.2-scaled",
    title="A careful split",
    stars=1,
    minutes=6,
    ask="The function forecasts the value after each window in y[split:], by a fit to y[:split]. `fit(past)` gives a "
    "function of windows. Which line lets the future in?",
    code="""\
def ahead(y, split, width, fit):
    mean, spread = y.mean(), y.std()
    z = (y - mean) / spread
    f = fit(z[:split])
    seen = np.stack([z[t - width : t] for t in range(split, len(z))])
    return mean + spread * f(seen)""",
    line=2,
    lines={
        3: "With a mean and a deviation of the past this line would be right.",
        4: "The method is fitted to the past alone.",
        5: "A window for t ends at t − 1. The windows move through the test years, value by value: what is known by then.",
        6: "The scale is undone, as it has to be.",
    },
    reasons=[
        Option(
            "Mean and deviation must be those of y[:split]",
            "With the trend of CO₂ the mean of all years lies well above that of the past, and tells what will come.",
            True,
        ),
        Option("The deviation may be zero, and then all is lost", "For a constant series; but that is no future."),
        Option(
            "A series with a trend must not be scaled at all, only its differences",
            "Scaling is harmless if its two numbers come from the past.",
        ),
        Option("The median would be the right measure, since it is robust", "A median of all years leaks as well."),
    ],
    hints=["Change a value after the split. Which quantities change that a forecast of an earlier value uses?"],
    answer="Line 2: `y[:split].mean(), y[:split].std()`.",
)

WALKS = MultipleChoice(
    id="P.2-walks",
    title="Three columns",
    stars=1,
    minutes=5,
    ask="Three one-step forecasters of one series, on the same days. A: correlation with the truth 0.99, skill against "
    "persistence −0.40. B: correlation 0.985, skill 0.35. C: correlation 0.97, skill 0, every forecast is yesterday's "
    "value. Which statement follows?",
    options=[
        Option(
            "A is the shifted copy of the three: it has the highest correlation with the truth, but no skill",
            "The copy of yesterday's value is C, and has skill 0. A is worse than a copy: its forecasts have the shape of "
            "the truth, and lie too high or too low, which a correlation does not see.",
        ),
        Option(
            "By mean absolute error, B is the best of the three, and C is better than A",
            "Skill is a decreasing function of the mean absolute error, and the naive error is the same for all three.",
            True,
        ),
        Option(
            "A is the best forecaster, since its correlation with the truth is the highest",
            "Correlation does not see a shift of the level or a wrong scale, and a copy has it for nothing.",
        ),
        Option(
            "C knows nothing of the series, so its MASE must be exactly 1",
            "MASE divides by the naive error of the past. If the later steps are larger, even persistence has a MASE "
            "above 1.",
        ),
    ],
    hints=["Skill is 1 − error/naive error, and all three share the naive error."],
    answer="B, then C, then A. Correlation ranks otherwise: it does not see offset and scale.",
)


def _fades(rng: np.random.Generator) -> Asked:
    w, k, gap = float(rng.choice([0.8, 0.9])), int(rng.choice([5, 10])), float(rng.choice([10, 20]))
    value = gap * w**k
    return Asked(
        f"A linear autoregression of order 1, ŷ⁽ᵗ⁺¹⁾ = μ + w (y⁽ᵗ⁾ − μ) with w = {w}, starts {gap:g} above μ. How far "
        f"above μ is its closed-loop forecast {k} steps ahead?",
        value,
        f"{gap:g} · {w}^{k}: each turn of the loop multiplies by w.",
        {
            gap * w: "That is one step ahead. Feed it back.",
            gap * w ** (k - 1): "One turn too few: the first forecast has a factor w already.",
            gap * (1 - k * (1 - w)): "The loop multiplies; it does not subtract the same amount each time.",
            gap: "That is persistence, w = 1.",
        },
    )


FADES = Numerical(
    id="P.2-fades",
    title="What the loop makes of it",
    stars=1,
    minutes=8,
    ask=_fades,
    tolerance=0.01,
    hints=["Write down two steps ahead.", "ŷ⁽ᵗ⁺ᵏ⁾ − μ = w (ŷ⁽ᵗ⁺ᵏ⁻¹⁾ − μ)."],
    answer="wᵏ times the distance at the origin: far ahead, the forecast is the mean.",
)


def _days(rng: np.random.Generator) -> Asked:
    share = float(rng.choice([0.52, 0.53, 0.54]))
    d = share - 0.5
    return Asked(
        f"A method is right about the direction on a share {share} of all days. After how many days does the interval "
        "share ± 1.96 √(¼/n) leave one half outside?",
        (1.96 * 0.5 / d) ** 2,
        f"n = (0.98 / {d:.2f})². Four years of trading are about a thousand days.",
        {
            1.96 * 0.5 / d: "That is √n.",
            (1.96 / d) ** 2: "The deviation of one toss is ½, not 1.",
            (0.5 / d) ** 2: "That is one deviation. The interval has 1.96 on each side.",
        },
    )


DAYS = Numerical(
    id="P.2-days",
    title="How long a record",
    stars=2,
    minutes=10,
    ask=_days,
    tolerance=0.02,
    hints=["Set share − 1.96 √(¼/n) = ½ and solve for n."],
    answer="n = (0.98/(share − ½))²: a small edge wants thousands of days.",
)


def _closed(w: np.ndarray, c: float, past: np.ndarray, horizon: int) -> np.ndarray:
    values = list(past)
    for _ in range(horizon):
        values.append(c + sum(a * v for a, v in zip(w, values[::-1], strict=False)))
    return np.array(values[len(past) :])


def _still(w: np.ndarray, c: float, past: np.ndarray, horizon: int) -> np.ndarray:
    return np.full(horizon, _closed(w, c, past, 1)[0])


def _oldest_first(w: np.ndarray, c: float, past: np.ndarray, horizon: int) -> np.ndarray:
    return _closed(w[::-1], c, past, horizon)


def _without(w: np.ndarray, c: float, past: np.ndarray, horizon: int) -> np.ndarray:
    return _closed(w, 0.0, past, horizon)


def _with_the_past(w: np.ndarray, c: float, past: np.ndarray, horizon: int) -> np.ndarray:
    return np.concatenate([past[-1:], _closed(w, c, past, horizon)])[:horizon]


LOOP = Implement(
    "P.2-loop",
    reference=_closed,
    cases=lambda rng: [
        (rng.uniform(-0.5, 0.5, p), float(rng.normal()), rng.normal(size=12), horizon)
        for p, horizon in ((1, 4), (3, 6), (5, 9))
    ],
    wrong=[
        Wrong("one forecast for all", _still, "It looks as if the window stood still: append each forecast to it."),
        Wrong("oldest first", _oldest_first, "It looks as if w[0] met the oldest value: it belongs to the newest."),
        Wrong("no constant", _without, "It looks as if the constant c were left out."),
        Wrong("a step late", _with_the_past, "It begins with the last known value: a shifted copy."),
    ],
)


def _undone(z: np.ndarray, past: np.ndarray, lag: int) -> np.ndarray:
    values = list(past)
    for step in z:
        values.append(values[-lag] + step)
    return np.array(values[len(past) :])


def _from_the_last(z: np.ndarray, past: np.ndarray, lag: int) -> np.ndarray:
    return past[-1] + np.cumsum(z)


def _never_fed_back(z: np.ndarray, past: np.ndarray, lag: int) -> np.ndarray:
    return np.resize(past[-lag:], len(z)) + z


def _next_lag(z: np.ndarray, past: np.ndarray, lag: int) -> np.ndarray:
    return _undone(z, past, lag + 1)


UNDONE = Implement(
    "P.2-undo",
    reference=_undone,
    cases=lambda rng: [(rng.normal(size=n), rng.normal(size=30), lag) for n, lag in ((5, 12), (20, 12), (9, 4))],
    wrong=[
        Wrong(
            "lag one", _from_the_last, "It looks as if the changes were summed up from the last value: that is d = 1."
        ),
        Wrong(
            "the second year",
            _never_fed_back,
            "Right for the first d steps. From then on, the value d steps ago is itself a forecast.",
        ),
        Wrong(
            "off by one",
            _next_lag,
            "It adds to the value d + 1 steps ago. For the first forecast, y⁽ᵗ⁺¹⁻ᵈ⁾ is past[-d].",
        ),
    ],
)

EXERCISES = [
    *(PLOT, LEAK, SKILL, TREND),
    *(WALKS, SCALED, FADES, LOOP, UNDONE, DAYS),
]
