"""Section 10.12: clocks that strike, masks that are turned round, and what a group that rests is good for."""

import numpy as np

from companion.cells.clockwork import Clockwork, clockwork_forward, clockwork_init, make_clock, mask, schedule
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option
from companion.multiscale import operations

# ---- self-test -------------------------------------------------------------------------------------------------


def _strikes(rng: np.random.Generator) -> Asked:
    t = int(rng.choice([12, 20, 24, 28, 36, 40, 44, 56]))
    twos = (t & -t).bit_length() - 1
    return Asked(
        f"Five groups have the periods 1, 2, 4, 8 and 16. How many of them move at step t = {t}?",
        twos + 1,
        f"{t} is divisible by {', '.join(str(2**k) for k in range(twos))} and {2**twos}, and by no larger period.",
        {
            1: "The slowest clock that strikes does not silence the others: each group looks at its own period only.",
            5: "By now all have a clock that runs, but a group moves only at multiples of its period.",
            twos: "So often 2 divides t. The group of period 1 moves, too, at every step.",
        },
    )


STRIKES = Numerical(
    id="10.12-strikes",
    title="Who moves?",
    ask=_strikes,
    tolerance=0.001,
    hints=["A group of period T moves where t mod T = 0. Try the five periods one by one."],
    answer="As many as there are periods that divide t.",
)


def _entries(rng: np.random.Generator) -> Asked:
    G, k = int(rng.integers(4, 9)), int(rng.choice([3, 5, 6, 8]))
    n = G * k
    return Asked(
        f"{G} groups of {k} units each have different periods. How many entries of W exist?",
        k * k * G * (G + 1) // 2,
        f"Blocks on the diagonal and above: {G}·{G + 1}/2 = {G * (G + 1) // 2}, each with {k}² = {k * k} entries.",
        {
            n * n: "That is the full matrix of a plain net. A slow unit must not hear a faster one.",
            k * k * G * (G - 1) // 2: "The blocks on the diagonal are missing: a group hears itself.",
            n * (n + 1) // 2: "That is a matrix triangular entry by entry. It is triangular by blocks: within a group, "
            "every unit hears every other.",
            G * (G + 1) // 2: "That is the number of blocks. How many entries has a block?",
        },
    )


ENTRIES = Numerical(
    id="10.12-entries",
    title="What is left of W",
    ask=_entries,
    tolerance=0.001,
    answer="k² G (G + 1)/2 for G groups of k units: the blocks on the diagonal and above it.",
)


def _left(rng: np.random.Generator) -> Asked:
    rho, T, strikes = float(rng.choice([0.8, 0.9])), int(rng.choice([8, 16])), int(rng.choice([5, 10, 12]))
    d = T * strikes
    return Asked(
        f"A group has W_gg = ρ times an orthogonal matrix with ρ = {rho} and the period T = {T}. No input comes in "
        f"(h ≈ 0). Which share of its own gradient is left after {d} steps?",
        rho**strikes,
        f"In {d} steps it moves {strikes} times: {rho}^{strikes}. All other steps are copies.",
        {
            rho**d: "That is a group of period 1. This one multiplies by W_gg only when its clock strikes.",
            rho ** (d / T**2): "The period divides the exponent once: so many factors W_gg as there are strikes.",
            rho: "That is one strike.",
            rho / T: "The period acts on the number of factors, not on their size.",
        },
    )


LEFT = Numerical(
    id="10.12-left",
    title="What reaches back",
    ask=_left,
    tolerance=0.02,
    hints=["How often does the group move in this time?", "One factor ρ for each move."],
    answer="ρ^(d/T): the slope of its logarithm is (log ρ)/T.",
)

WHY_FURTHER = MultipleChoice(
    id="10.12-why-further",
    title="Why the slow group reaches further",
    ask="Why does the gradient of a slow group fade more slowly, step by step, than that of a fast one?",
    options=[
        Option(
            "While it rests it is a copy of itself",
            "The factor of such a step is the identity: no weight stands in it and no slope of tanh. Each strike still "
            "costs a factor, so the exponential is stretched and not removed.",
            True,
        ),
        Option(
            "It averages its input over T steps, so that its units are farther from saturation",
            "It averages nothing: it sees the input of the step at which it moves, and misses the others.",
        ),
        Option(
            "The mask spares it the paths through the other groups, which would shrink it",
            "The paths through other groups add to a gradient; they do not shrink its own. What changes is how many "
            "factors its own path has.",
        ),
        Option(
            "Its weights have to be larger, since it moves so seldom",
            "The weights of all groups are drawn alike, and the comparison holds for one and the same ρ.",
        ),
    ],
    hints=["Write down the factor by which a resting unit's state depends on its state a step before."],
    answer="At a step without a strike the unit is a copy, and the gradient passes unchanged; d steps hold only d/T "
    "factors W_gg.",
)

READ_AT_REST = MultipleChoice(
    id="10.12-read-at-rest",
    title="Read while it rests",
    ask="Can the output at step t depend on a slow group that did not move at t?",
    options=[
        Option("Yes, directly", "o⁽ᵗ⁾ = c + V h⁽ᵗ⁾ reads all units; one that rests is read at its old value.", True),
        Option(
            "Yes, but only through faster groups that hear it",
            "They do hear it. But V has a column for every unit, so there is a direct way as well.",
        ),
        Option("No, a group that rests sends zero", "It keeps its state; nothing is set to zero."),
        Option(
            "No, the mask cuts it off until it strikes",
            "The mask is on W, between hidden units, and it does not change with time. V is not masked.",
        ),
    ],
    answer="Yes: the output reads all units at every step, whether they moved or not.",
)

WHAT_WINS = MultipleChoice(
    id="10.12-what-wins",
    title="What the clocks give",
    ask="On the waves the clockwork net is far ahead of a plain one. What of it do the controls hold responsible?",
    options=[
        Option(
            "States that stand still for 1, 2, 4, … steps",
            "They are there before any training: with a fitted read-out alone the clockwork net is ahead. A net that is "
            "told the strikes has the same information and must learn to build such states.",
            True,
        ),
        Option(
            "The information which clocks strike at step t, which a plain net does not have",
            "A plain net that is told the strikes has this very information, and stays behind on every wave.",
        ),
        Option(
            "A gradient that reaches further back, with which it learns what a plain net cannot",
            "That may help in training, but the untrained net is ahead already, where no gradient was used.",
        ),
        Option("More parameters for the same number of units", "All nets have the same number of parameters, to 3 %."),
    ],
    hints=["Which difference is left between the clockwork net and the plain net that is told the strikes?"],
    answer="The states that hold. The strikes alone (the same information) help less, and the advantage shows before "
    "training.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

PUSH = MultipleChoice(
    id="10.12-push",
    title="One group is pushed",
    stars=1,
    minutes=6,
    ask="You run a clockwork net with the periods 1, 2 and 4 twice: once from h⁽⁰⁾ = 0, once with the two units of the "
    "fastest group pushed to 1. Which states of the other two groups differ between the runs?",
    options=[
        Option(
            "None, at any step",
            "Slow units do not hear fast ones, directly or on a detour: every path leads from slow to fast. Pushing the "
            "slowest group changes all.",
            True,
        ),
        Option(
            "All, from the first step on",
            "That is a plain net. Here the two groups rest at step 1, and the mask cuts what would come later.",
        ),
        Option(
            "Those of T = 2 from step 2 on, those of T = 4 from step 4 on",
            "Those are the first steps at which they move. But when they move, they listen to groups with a period at "
            "least as long as their own.",
        ),
        Option(
            "Those of T = 2 only: a group hears its neighbour",
            "A group hears all slower groups, and no faster one, however near.",
        ),
    ],
    hints=["W_ij leads from unit j to unit i. For which periods is it not zero?"],
    answer="None, at any step: W_ij = 0 where T(j) < T(i), and no detour leads from fast to slow.",
)


def _cost(rng: np.random.Generator) -> Asked:
    G, k = int(rng.integers(4, 9)), int(rng.choice([4, 5, 10]))
    value = k * k * (2 * G - 2 + 2.0 ** (1 - G))
    return Asked(
        f"{G} groups of {k} units have the periods 1, 2, 4, …, {2 ** (G - 1)}. How many multiplications by an entry of W "
        "does a step need, on average over a full cycle?",
        value,
        f"{k}² (2·{G} − 2 + 2^(1 − {G})). A plain net of this size needs {(G * k) ** 2}.",
        {
            2 * G * k * k: "That is the bound 2 G k², which the average never reaches. Sum the series to its end.",
            (G * k) ** 2: "That is a plain net, in which all rows are read at every step.",
            G * k * k: "That is the fastest group alone, which moves at every step and hears all.",
            k * k * (2 - 2.0 ** (1 - G)): "That counts one block for each group that moves. It hears all slower ones.",
        },
    )


COST = Numerical(
    id="10.12-cost",
    title="The price of a step",
    stars=2,
    minutes=15,
    ask=_cost,
    tolerance=0.001,
    hints=[
        "Group g, counted from 0, moves at one step in 2ᵍ and then reads G − g blocks of k² entries.",
        "Σ (G − g) 2⁻ᵍ for g = 0 … G − 1: write it as G Σ 2⁻ᵍ − Σ g 2⁻ᵍ, or look at G = 1, 2, 3 and guess.",
    ],
    answer="k² (2G − 2 + 2^(1−G)). For G = 1 it is k², for G = 2 it is 2.5 k².",
)

MASK = FindBug(
    id="10.12-mask",
    title="A mask turned round",
    stars=2,
    minutes=6,
    ask="One step of a clockwork net. `periods` has one entry for each group, from fast to slow. Everything runs, and it "
    "trains. Which line is wrong?",
    code="""\
def step(p, h, x_t, t):
    T = np.repeat(p.periods, p.sizes)
    hears = T[None, :] <= T[:, None]
    a = p.b + (p.W * hears) @ h + p.U @ x_t
    return np.where(t % T == 0, np.tanh(a), h)""",
    line=3,
    lines={
        2: "One period for each unit: the group's, as often as it has units.",
        4: "Rows of W belong to the unit that hears, and entries that do not exist count as zero.",
        5: "A unit moves where its period divides t, and keeps its state elsewhere.",
    },
    reasons=[
        Option(
            "Unit i may hear unit j only if T(j) ≥ T(i)",
            "Row i, column j must be kept where `T[None, :] >= T[:, None]`. As it stands, fast units speak to slow ones, "
            "and slow ones to none but slower.",
            True,
        ),
        Option(
            "A group must not hear itself, so the comparison has to be strict",
            "The blocks on the diagonal exist: they are what a group remembers by.",
        ),
        Option(
            "The mask belongs on the gradient of W and not on W",
            "It belongs on both. In the forward step it is needed where W was not drawn with the zeros.",
        ),
        Option(
            "The mask has to change with t",
            "What changes with t is who moves. Who hears whom is fixed.",
        ),
    ],
    hints=["Draw the mask for the periods 1, 2 and 4. Which row should be full?"],
    answer="Line 3: it must be `T[None, :] >= T[:, None]`. The mask is the transposed one, block lower triangular.",
)

SEEN_BY = MultipleChoice(
    id="10.12-seen-by",
    title="Which check sees it?",
    stars=2,
    minutes=6,
    ask="A colleague's clockwork net hears the wrong way round: fast groups speak to slow ones. It trains, and five checks "
    "are on his list. Which is the one that fails?",
    options=[
        Option(
            "Push the fastest group, and look whether a slower one changes",
            "It changes, at its first strike, and must not. The check looks at what the mask is for.",
            True,
        ),
        Option(
            "Fit the slope of each group's own gradient and compare it with (log ρ)/T",
            "The blocks on the diagonal are the same, and a group's own gradient sees no other block. It passes.",
        ),
        Option(
            "Set all periods to 1 and compare with the plain net",
            "Then nothing is masked, in either direction. It passes.",
        ),
        Option(
            "Compare the gradient by hand with central differences, at every index",
            "Both are derivatives of the same, wrong forward pass. They agree.",
        ),
        Option(
            "Count the entries of W that exist",
            "A transposed mask has as many ones. The count agrees.",
        ),
    ],
    hints=["Three of the checks ask for a property that a transposed mask has, too; one never looks at a mask."],
    answer="The push: it is the one that looks at the direction. A test of a symmetric property cannot see a transposition.",
)


def _net(rng: np.random.Generator) -> Clockwork:
    p = clockwork_init(make_clock((1, 2, 3, 6), 2), 2, 1, rng)
    return p._replace(b=rng.normal(size=8))


def _by_units(p: Clockwork, x: np.ndarray, on: np.ndarray, in_place: bool = False) -> np.ndarray:
    h = [np.zeros(len(p.b))]
    for x_t, now in zip(x, on, strict=True):
        new = h[-1].copy()
        for i in np.flatnonzero(now):
            new[i] = np.tanh(p.b[i] + p.W[i] @ (new if in_place else h[-1]) + p.U[i] @ x_t)
        h.append(new)
    return np.array(h)


def _skipping(p: Clockwork, x: np.ndarray) -> tuple[np.ndarray, int]:
    return clockwork_forward(p, x).h, int(operations(p.clock, len(x)).sum())


def _late(p: Clockwork, x: np.ndarray) -> tuple[np.ndarray, int]:
    on = np.roll(schedule(p.clock, 6 * len(x)), 1, axis=0)[: len(x)]  # the row of t = 0 is that of a full cycle
    return _by_units(p, x, on), int((on @ mask(p.clock).sum(axis=1)).sum())


SKIPPING = Implement(
    "10.12-skipping",
    reference=_skipping,
    cases=lambda rng: [(_net(rng), rng.normal(size=(tau, 2))) for tau in (7, 20)],
    wrong=[
        Wrong(
            "in place",
            lambda p, x: (_by_units(p, x, schedule(p.clock, len(x)), in_place=True), _skipping(p, x)[1]),
            "It looks as if a unit read states that had just been renewed: all units of a step read h⁽ᵗ⁻¹⁾.",
        ),
        Wrong(
            "whole rows",
            lambda p, x: (_skipping(p, x)[0], len(p.b) * int(schedule(p.clock, len(x)).sum())),
            "It looks as if whole rows were counted: a unit multiplies only by those that it hears.",
        ),
        Wrong(
            "nothing skipped",
            lambda p, x: (_skipping(p, x)[0], len(x) * int(mask(p.clock).sum())),
            "It looks as if every row were multiplied at every step, and then thrown away where a unit rests.",
        ),
        Wrong("from zero", _late, "It looks as if time were counted from 0: the first step is t = 1."),
    ],
)


def _back(W: np.ndarray, g: np.ndarray, h: np.ndarray, on: np.ndarray) -> np.ndarray:
    return (1 - on) * g + W.T @ (on * (1 - h**2) * g)


def _steps(rng: np.random.Generator) -> list[tuple]:
    M = mask(make_clock((1, 2, 4), 2))
    on = [np.array([1, 1, 1, 1, 0, 0.0]), np.array([1, 1, 0, 0, 0, 0.0])]
    return [(M * rng.normal(size=(6, 6)), rng.normal(size=6), rng.uniform(-0.9, 0.9, 6), s) for s in on]


STEP_BACK = Implement(
    "10.12-step-back",
    reference=_back,
    cases=_steps,
    gradients=["result"],
    wrong=[
        Wrong(
            "no copy",
            lambda W, g, h, on: W.T @ (on * (1 - h**2) * g),
            "It looks as if the copy were missing: a unit that rested hands its gradient on.",
        ),
        Wrong(
            "all copied",
            lambda W, g, h, on: g + W.T @ (on * (1 - h**2) * g),
            "It looks as if every unit handed its gradient on as it is: one that moved has no copy of its old state.",
        ),
        Wrong(
            "all moved",
            lambda W, g, h, on: (1 - on) * g + W.T @ ((1 - h**2) * g),
            "It looks as if units that rested sent something back through W. They read nothing at this step.",
        ),
        Wrong(
            "W not transposed",
            lambda W, g, h, on: (1 - on) * g + W @ (on * (1 - h**2) * g),
            "It looks as if W stood where its transpose should.",
        ),
    ],
)


def _classes(rng: np.random.Generator) -> Asked:
    m = int(rng.integers(4, 8))
    T = 2**m
    return Asked(
        f"The periods are 1, 2, 4, …, {T}. For each group you are told how many steps ago it last moved (all have moved "
        f"at least once). How many different values of this list are there, over all later steps?",
        T,
        f"The slowest group's number alone is t mod {T}, and the others follow from it: {T} values.",
        {
            m + 1: "The schedule itself has that many different rows. It says only who moves now.",
            2 * T: "That would be all sets of groups. But if a group moves, all faster ones move with it.",
            2.0 ** (m * (m + 1) // 2): "The numbers of the groups are not independent: each follows from that of the "
            "slowest.",
        },
    )


CLASSES = Numerical(
    id="10.12-classes",
    title="How much time does a schedule tell?",
    stars=2,
    minutes=10,
    ask=_classes,
    tolerance=0.001,
    hints=[
        "How long ago did the group of period T move, at step t?",
        "t mod T for each period. Does t mod 64 tell t mod 8?",
    ],
    answer="As many as the longest period: the list says t mod T for each T, and t mod T of the slowest tells the rest. A "
    "single row of the schedule has only one value more than there are doublings.",
)

EXERCISES = [
    *(STRIKES, ENTRIES, LEFT, WHY_FURTHER, READ_AT_REST, WHAT_WINS),
    *(PUSH, COST, MASK, SEEN_BY, SKIPPING, STEP_BACK, CLASSES),
]
