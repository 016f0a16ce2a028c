"""Section 10.2.3: joints and tables, temperature, how a sequence ends, chains, and searching."""

import numpy as np

from companion.core.functions import softmax
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.graphical import Chain, max_product, sum_product, table_parameters

# ---- self-test -------------------------------------------------------------------------------------------------

IMPOSSIBLE = MultipleChoice(
    id="10.2.3-impossible",
    title="Good at each step",
    ask="A net without feedback names 95 % of the steps right. Can the most probable of all its sequences be one that "
    "never occurs?",
    options=[
        Option(
            "Yes: the best labels of single steps need not fit together",
            "Its joint is a product, so the best sequence is chosen step by step. Cat, dog, cat is an example.",
            True,
        ),
        Option(
            "No: a sequence that never occurs has probability zero, which is never the largest",
            "In the data, yes. The product of its marginals gives it a probability above zero all the same.",
        ),
        Option(
            "No: what is best at every step is best as a whole",
            "Under its own joint that is so; but what is best under that joint may never occur in the data.",
        ),
        Option(
            "Only if it was trained badly",
            "With perfect marginals it can happen too. What is missing is the dependence, and no training brings it.",
        ),
    ],
    answer="Yes. The argmax of a product is the argmax at each step, whether or not they fit together.",
)


def _stationary(rng: np.random.Generator) -> Asked:
    k, tau = int(rng.integers(5, 31)), int(rng.choice([200, 500, 1000]))
    return Asked(
        f"How many free numbers has a stationary model that looks one symbol back, over {k} symbols and {tau:,} steps?",
        k * k - 1,
        f"{k} · {k - 1} for the shared table, and {k - 1} for the first symbol, which has none before it.",
        {
            k * (k - 1): "That is the shared table. The first symbol has no symbol before it and a distribution of its "
            "own.",
            k * k: "Each row sums to one, so one number in each is not free; and the first symbol is not in the table.",
            k - 1 + (tau - 1) * k * (k - 1): "That would be a table of its own at each step. Stationary means one for "
            "all.",
        },
    )


STATIONARY = Numerical(
    id="10.2.3-stationary",
    title="One symbol back",
    ask=_stationary,
    tolerance=1e-4,
    hints=[
        "How many rows has the table, and how many free numbers each row?",
        "Where does the first symbol come from?",
    ],
    answer="k (k − 1) for the table and k − 1 for the first symbol: k² − 1, whatever the length.",
)


def _halting(rng: np.random.Generator) -> Asked:
    s = float(rng.choice([0.04, 0.05, 0.1, 0.2, 0.25]))
    return Asked(
        f"A halting unit says {s:g} before every symbol, whatever the state. What is the mean length of a sequence?",
        round((1 - s) / s, 6),
        f"P(τ = n) = {s:g} · {1 - s:g}ⁿ has the mean (1 − s)/s. The most probable length is zero: it falls with n.",
        {
            round(1 / s, 6): "That counts how often the unit is asked, the time it says stop included. Symbols are one "
            "fewer.",
            0.0: "Zero is the most probable length. The mean is another matter.",
            round(
                float(np.log(0.5) / np.log(1 - s)), 6
            ): "That is about the median: half of the sequences are shorter.",
        },
    )


HALTING = Numerical(
    id="10.2.3-halting",
    title="A unit that hears nothing",
    ask=_halting,
    hints=["The length is how often it says “go on” before the first “stop”: a geometric distribution."],
    answer="(1 − s)/s, with zero as the most probable length.",
)


def _perplexity(rng: np.random.Generator) -> Asked:
    bits = float(rng.choice([1.5, 2.0, 2.5, 3.0, 3.5]))
    return Asked(
        f"A model of text needs {bits:g} bits per character. What is its perplexity per character?",
        round(2.0**bits, 6),
        f"2^{bits:g}: as hard to predict as a fair die with so many sides.",
        {
            round(float(np.exp(bits)), 6): "That takes the bits for nats. Bits go with powers of two.",
            round(
                float(2 ** (bits * np.log(2))), 6
            ): f"That has 2^{bits * np.log(2):.2f}, with the bits turned into nats: "
            "change the unit or the base, not one of the two.",
            bits**2: "That is the square: the bits stand in the exponent.",
        },
    )


PERPLEXITY = Numerical(
    id="10.2.3-perplexity",
    title="A fair die",
    ask=_perplexity,
    hints=["How many bits does a fair die with 8 sides take?"],
    answer="2 to the number of bits, or e to the number of nats: the same number.",
)

NO_SUM = MultipleChoice(
    id="10.2.3-no-sum",
    title="Why no sum-product?",
    ask="A chain sums over all k^τ sequences in τ k² steps. Why is there no such shortcut for a recurrent net that reads "
    "its own symbols?",
    options=[
        Option(
            "Each past gives a state of its own",
            "A message would need one entry for each of them. In the chain the label y⁽ᵗ⁾ separates past from future: k values. In the net the state does, and after t "
            "symbols there are up to kᵗ different ones.",
            True,
        ),
        Option(
            "Its states are real numbers, and sums over real numbers are integrals",
            "The states take only as many values as there are pasts. They are finitely many, but too many.",
        ),
        Option(
            "The net is not normalised, so Z is unknown",
            "It is normalised at every step: Z = 1. It is the marginals and the best sequence that cost.",
        ),
        Option(
            "Its tanh cannot be exchanged with a sum",
            "A linear state would not help: it still tells all pasts apart.",
        ),
    ],
    hints=["What must a message at step t be able to tell apart?"],
    answer="What separates past from future is y⁽ᵗ⁾ in the chain, with k values, and h⁽ᵗ⁾ in the net, with up to kᵗ.",
)

WORSE = MultipleChoice(
    id="10.2.3-worse",
    title="Wider and worse",
    ask="A beam of width 5 returns a sequence that is less probable than the one of width 4. Is there a bug?",
    options=[
        Option(
            "Not necessarily: more prefixes also compete for the places",
            "One that looks better may push out the one that mattered: beam search is not monotone in its width. It would be a bug if the full width, k^(τ−1), lost.",
            True,
        ),
        Option(
            "Yes: the wider beam has looked at everything that the narrower one looked at",
            "At the first steps, yes. Then its extra prefixes have offspring, which compete for the places.",
        ),
        Option(
            "Yes, unless two prefixes have exactly the same probability",
            "No tie is needed. It takes two prefixes that look good now and have no good continuation.",
        ),
        Option(
            "No: a beam looks for a typical sequence, not for a probable one",
            "It looks for a probable one; for what is typical you would draw samples.",
        ),
    ],
    hints=["Follow the prefixes of width 4 in the beam of width 5. Can one of them be dropped?"],
    answer="Not necessarily. More places also mean more prefixes that compete for them at the next step.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _even(rng: np.random.Generator) -> Asked:
    k, half = int(rng.integers(4, 8)), int(rng.integers(3, 5))
    tau, value = 2 * half, 2 * (k**half - 1)
    return Asked(
        f"{tau} symbols, each one of {k}. Step t looks at all even positions before it, and at no other. How many free "
        "numbers do the tables of all steps hold together?",
        value,
        f"Step t has ⌊(t − 1)/2⌋ parents, so Σₜ {k}^⌊(t−1)/2⌋ · {k - 1} = 2 · ({k}^{half} − 1).",
        {
            table_parameters(
                k, tau
            ): "That is the complete graph, and the single table: every step looks at all before it.",
            k**half - 1: "Steps 2j + 1 and 2j + 2 look at the same j symbols, so each term comes twice.",
            2 * k**half: "Each row sums to one, so it has one free number less than entries.",
            (k - 1) * (k**half - 1): "Add up powers of k, each twice, times k − 1.",
        },
    )


EVEN = Numerical(
    id="10.2.3-even",
    title="Even positions only",
    stars=1,
    minutes=10,
    ask=_even,
    tolerance=1e-4,
    hints=[
        "How many rows has the table of a step with m parents? How many free numbers has a row?",
        "Write down the number of parents for t = 1, 2, 3, 4.",
    ],
    answer="2 (k^(τ/2) − 1): the exponent of the complete graph, halved. For the complete graph no sum is needed: every "
    "joint gives one set of tables and every set of tables one joint, so both have k^τ − 1 free numbers.",
)

CLOCK = MultipleChoice(
    id="10.2.3-clock",
    title="The clock",
    stars=2,
    minutes=15,
    ask="Times from 0000 to 2359, four digits, all equally likely. Two models predict them digit by digit: (A) one table "
    "for all positions, which looks one digit back; (B) a table for each position, without any context. Which needs fewer "
    "nats per digit?",
    options=[
        Option(
            "B, the tables by position",
            "Position tells a lot: the first digit is 0, 1 or 2, the third 0 to 5. The digit before tells little, and the "
            "shared table mixes all positions.",
            True,
        ),
        Option(
            "A, since context is what a model of sequences lives on",
            "Only one context says something here: after a first 2 comes 0 to 3. The shared table cannot even tell that "
            "2 from one of the minutes.",
        ),
        Option(
            "Both the same, since the digits are independent",
            "Nearly independent, but not of one distribution: B knows the position, A does not.",
        ),
        Option(
            "A, since it has more numbers: 99 against 36",
            "Numbers help where they stand for what differs. Here positions differ.",
        ),
    ],
    hints=["What does the digit before say, beyond the position? What does the position say?"],
    answer="B. A recurrent net could have both, although its step is shared: a state can count positions.",
)


def _chains(rng: np.random.Generator) -> list[tuple]:
    return [(rng.normal(size=(tau, k)), rng.normal(size=(k, k))) for tau, k in ((2, 2), (40, 3), (7, 4))]


def _changes(unary: np.ndarray, pair: np.ndarray) -> float:
    return float((1 - np.trace(sum_product(Chain(unary, pair)).pairs, axis1=1, axis2=2)).sum())


def _as_if_independent(unary: np.ndarray, pair: np.ndarray) -> float:
    m = sum_product(Chain(unary, pair)).marginals
    return float((1 - (m[:-1] * m[1:]).sum(axis=1)).sum())


CHANGES = Implement(
    "10.2.3-changes",
    reference=_changes,
    cases=_chains,
    wrong=[
        Wrong(
            "independent",
            _as_if_independent,
            "It looks as if neighbours were independent: products of single marginals know nothing of θ(i, j). The "
            "chance of y⁽ᵗ⁾ = y⁽ᵗ⁺¹⁾ is in the pair marginals.",
        ),
        Wrong(
            "how often it stays",
            lambda unary, pair: len(unary) - 1 - _changes(unary, pair),
            "It looks like the expected number of steps at which the label stays.",
        ),
        Wrong(
            "one sequence",
            lambda unary, pair: float((np.diff(max_product(Chain(unary, pair))[0]) != 0).sum()),
            "It looks like the changes in the most probable sequence. An expectation is over all sequences.",
        ),
        Wrong(
            "a mean",
            lambda unary, pair: _changes(unary, pair) / (len(unary) - 1),
            "It looks like the mean chance of a change, per pair of neighbours. A number of changes is a sum.",
        ),
    ],
)


def _warm(p: np.ndarray, T: float) -> np.ndarray:
    return softmax(np.log(p) / T)


TEMPERATURE = Implement(
    "10.2.3-temperature",
    reference=_warm,
    cases=lambda rng: [(rng.dirichlet(np.full(6, 2.0)), T) for T in (2.0, 0.5, 0.001)],
    wrong=[
        Wrong(
            "probabilities divided",
            lambda p, T: softmax(p / T),
            "It looks as if the probabilities were divided by T and put through a softmax. It is their logarithms that "
            "a softmax takes: at T = 1, nothing may change.",
        ),
        Wrong(
            "the wrong way",
            lambda p, T: softmax(np.log(p) * T),
            "It looks as if T multiplied: then a small T would even out, and a large one sharpen.",
        ),
        Wrong(
            "not normalised",
            lambda p, T: np.exp(np.log(p) / T),
            "It looks like p^(1/T) alone. It has to sum to one again.",
        ),
        Wrong(
            "no temperature",
            lambda p, T: p,
            "It looks as if T had no effect. That is right at T = 1 alone.",
        ),
        Wrong(
            "mixed with chance",
            lambda p, T: p / T + (1 - 1 / T) / len(p),
            "It looks like a mixture with a fair die. A temperature changes ratios: those of log p are divided by T.",
        ),
    ],
)

NORMALISER = FindBug(
    id="10.2.3-normaliser",
    title="The wrong normaliser",
    stars=2,
    minutes=12,
    ask="This function should return log P(y) in a chain with potentials θ⁽ᵗ⁾(j) (`unary`) and θ(i, j) (`pair`). For every "
    "chain its probabilities sum to one, and yet it is another distribution. Which line is wrong?",
    code="""\
total, before = 0.0, np.zeros(k)
for t in range(tau):
    scores = unary[t] + before
    total += scores[y[t]] - logsumexp(scores)
    before = pair[y[t]]
return total""",
    line=4,
    lines={
        1: "The first label has no neighbour before it, so no pair potential yet.",
        2: "Every label brings its potential, and each but the first a pair.",
        3: "For each value of y⁽ᵗ⁾: what the input says and what the label before says. Its entry at y⁽ᵗ⁾ belongs to the "
        "score.",
        5: "Row i of pair is θ(i, ·): how well each label follows i.",
    },
    reasons=[
        Option(
            "It normalises at each step, the chain only once",
            "Each factor sums to one on its own, whatever comes later. So later evidence cannot change the belief about "
            "an earlier label: β has been set to one.",
            True,
        ),
        Option(
            "The logsumexp must be added, not subtracted",
            "Then nothing would sum to one. Normalising does subtract, but once, log Z.",
        ),
        Option(
            "It must take the maximum of the scores, not the entry at y⁽ᵗ⁾",
            "The probability of this y is asked, not that of the best.",
        ),
        Option(
            "The pair potential must be subtracted again before the logsumexp",
            "Then P would not depend on neighbours in the way the score says, and it would still be normalised stepwise.",
        ),
    ],
    hints=["Let strong evidence come at the last step. Which beliefs may it change in the chain, and in this code?"],
    answer="The fourth line. The undirected edge has become an arrow: a step with few sensible successors hands on all of "
    "its probability, whatever the later input says. That is known as the label bias.",
)

VITERBI = Parsons(
    id="10.2.3-viterbi",
    title="The best of all sequences",
    stars=2,
    minutes=12,
    ask="Put the lines in order so that the function returns the most probable labels of a chain (max-product). "
    "`unary[t]` holds θ⁽ᵗ⁾, row i of `pair` holds θ(i, ·). Leave out what does not belong.",
    code="""\
best, back = unary[0], []
for t in range(1, tau):
    arrive = best[:, None] + pair
    back.append(arrive.argmax(axis=0))
    best = arrive.max(axis=0) + unary[t]
y = [best.argmax()]
for came_from in reversed(back):
    y.append(came_from[y[-1]])
return y[::-1]""",
    rules=[
        Rule(1, 2, "Before the first step forward, the best way to each label is its own potential."),
        Rule(2, 3, "The ways from label to label are compared once for each step, inside the loop."),
        Rule(3, 4, "What is best to come from is read off the ways to arrive."),
        Rule(3, 5, "The maximum is taken over the ways to arrive, which must have been computed."),
        Rule(5, 6, "The last label is chosen when the forward pass is over."),
        Rule(4, 6, "The pointers are set on the way forward, before anything is read back."),
        Rule(6, 7, "The way back starts from the last label."),
        Rule(7, 8, "One label for each pointer, inside the second loop."),
        Rule(8, 9, "The labels come out last first, and are turned round at the end."),
    ],
    extra={
        "    best = logsumexp(arrive, axis=0) + unary[t]": "That sums over all ways to arrive: sum-product, for "
        "marginals. For the best sequence take the maximum.",
        "    y.append(best.argmax())": "The best label at each step on the way forward need not be on the best way as a "
        "whole: what comes later may turn it down.",
    },
    hints=["Forward: how good is the best way to each label, and where does it come from? Back: follow the pointers."],
    answer="Forward with maxima and pointers, then back along the pointers: τ k² operations.",
)


AGREE = MultipleChoice(
    id="10.2.3-agree",
    title="What made the labels right?",
    stars=2,
    minutes=8,
    ask="Six noisy frames show one animal. A softmax on each frame alone names 65 % of the frames right; a chain over the "
    "same frames, with pair potentials, 91 %. A colleague writes: “The dependence between the labels names the frames "
    "right.” Which comparison tests his sentence?",
    options=[
        Option(
            "Independent softmaxes, each of which reads all six frames",
            "It gives each label the same view of the input and no dependence on other labels. It names 93 % right: the view "
            "was what counted. Dependence shows elsewhere, in how often all labels agree.",
            True,
        ),
        Option(
            "A chain with twice as many pair potentials",
            "If it does better, both explanations are left: labels that depend on each other also see more input.",
        ),
        Option(
            "The same chain, on the same frames, without its pair potentials",
            "That is the softmax on each frame again: it takes away the dependence and the view at once.",
        ),
        Option(
            "More clips for training",
            "Both labellers may gain. What the difference between them is made of stays open.",
        ),
    ],
    hints=["The chain differs from the frame-wise softmax in two ways. Which are they?"],
    answer="Give the independent labels the view of the whole clip. Which input an output sees decides how many labels are "
    "right; dependence between outputs decides whether the joint is.",
)

EXERCISES = [
    *(IMPOSSIBLE, STATIONARY, PERPLEXITY, HALTING, NO_SUM, WORSE),
    *(EVEN, CLOCK, CHANGES, TEMPERATURE, NORMALISER, VITERBI, AGREE),
]
