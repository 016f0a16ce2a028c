"""Section 10.4: what attention weighs, what a context carries, and an answer that leaked."""

from math import log

import numpy as np

from companion.core.functions import softmax
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.seq2seq import additive_attention, attention

# ---- self-test -------------------------------------------------------------------------------------------------

SHAPE = MultipleChoice(
    id="10.4-shape",
    title="The matrix of weights",
    ask="The source has 7 words, the target 23 symbols, reader and writer have 64 units. All weights of attention that are used "
    "while the target is written are put into one matrix. Which is true?",
    options=[
        Option("It is 23 × 7, and each row of 7 sums to one", "One softmax over the words for each symbol.", True),
        Option(
            "It is 23 × 7, and each column of 23 sums to one",
            "That would share each word out among the symbols. The softmax is taken over the words, once for each symbol.",
        ),
        Option(
            "It is 64 × 64, and no row sums to anything in particular",
            "That is A, the matrix of the score. It is learned once and is the same for all lines.",
        ),
        Option(
            "It is 23 × 7, and all 161 entries together sum to one",
            "Each symbol has a softmax of its own, so the whole sums to 23.",
        ),
    ],
    answer="23 rows, one for each symbol, with 7 weights each that sum to one.",
)

SAME_C = MultipleChoice(
    id="10.4-same-c",
    title="One context, two lines",
    ask="Two source lines happen to have exactly the same context C. Can a writer without attention write different lines for them?",
    options=[
        Option(
            "No: it gets the source through C alone, so both have the same distribution",
            "Everything that the writer knows of the source has passed through C. With attention the states g differ, so it can.",
            True,
        ),
        Option(
            "Yes, since the words of the two lines are different and the writer reads them at each step",
            "At each step it reads the symbol that it has written before. It never sees the words.",
        ),
        Option(
            "Yes, if C comes in as an input at every step instead of as the initial state",
            "Then it is told the same thing more often. It is still the same C.",
        ),
        Option(
            "Only if the writer has more units than C has numbers",
            "A larger state can compute more from C, but the same from the same.",
        ),
    ],
    answer="No. Without attention the source enters through C only.",
)

WIDER = MultipleChoice(
    id="10.4-wider",
    title="A wider beam",
    ask="Which of these changes when you widen the beam: the model, its loss on held-out pairs, the line that is written?",
    options=[
        Option(
            "Only the line that is written",
            "Decoding searches in a distribution that training has fixed. And a likelier line need not be a better one.",
            True,
        ),
        Option(
            "The line that is written, and with it the loss",
            "The loss is −log P of the given target. No search takes part in it.",
        ),
        Option(
            "All three",
            "The weights are what they are after training. A beam only chooses.",
        ),
        Option(
            "None, if the model is trained well enough",
            "Even in a perfect model the likeliest first symbol need not begin the likeliest line.",
        ),
    ],
    answer="Only the line that is written.",
)

ZERO_A = MultipleChoice(
    id="10.4-zero-a",
    title="A score that says nothing",
    ask="What does attention hand to the writer if A = 0?",
    options=[
        Option(
            "The plain mean of the reader's states, the same at every step",
            "All scores are zero, so all weights are 1/τₓ.",
            True,
        ),
        Option(
            "Zero, so that nothing is read", "The scores are zero. The weights are their softmax, and they sum to one."
        ),
        Option(
            "The last state of the reader, as in a net without attention",
            "Nothing prefers the last state: all scores are equal.",
        ),
        Option(
            "One state of the reader, drawn at random at each step",
            "Nothing is drawn. A soft lookup is a mean under weights.",
        ),
    ],
    answer="All weights are 1/τₓ, and m⁽ᵗ⁾ is the plain mean.",
)


def _weight(rng: np.random.Generator) -> Asked:
    k, words = int(rng.choice([3, 5, 9])), int(rng.choice([3, 4, 6]))
    return Asked(
        f"A line has {words} words. The scores of attention are e₁ = ln {k} = {log(k):.3f} for the first word and 0 for all "
        "others. Which weight gets the first word?",
        k / (k + words - 1),
        f"The softmax: {k} / ({k} + {words - 1}).",
        {
            1.0: "That divides by the sum of the scores. A score of 0 is no weight of 0: it counts as e⁰ = 1.",
            1 / words: "That is as if all scores were equal.",
            k / (k + 1): "That is with one other word. Each of them counts 1 below the line.",
            log(k): "That is the score. The softmax makes weights of scores.",
        },
    )


WEIGHT = Numerical(
    id="10.4-weight",
    title="From scores to weights",
    ask=_weight,
    hints=["α₁ is e to the first score, divided by the sum of e to all scores."],
    answer="α₁ = exp(e₁) / Σ exp(e_k).",
)

OWN_SYMBOL = MultipleChoice(
    id="10.4-own-symbol",
    title="Why read what you wrote?",
    ask="Why does the writer read the symbol that it wrote last?",
    options=[
        Option(
            "Because the symbols of a line depend on each other, and a choice has to be known to what follows",
            "If AB and BA are equally likely, a writer that cannot see its choice writes AA and BB as often.",
            True,
        ),
        Option(
            "So that it does not write the same symbol twice in a row",
            "Sixteen sixteen has to be written 1616. Nothing forbids a symbol to come twice.",
        ),
        Option(
            "So that it can tell at which place of the line it is, since nothing else counts the steps for it",
            "Its state could count the steps. What the state cannot know is which symbol was chosen.",
        ),
        Option(
            "Because the decoder has to undo what the encoder did, symbol by symbol",
            "The writer does not run the reader backwards. It has weights of its own.",
        ),
    ],
    hints=["Suppose that two lines are equally likely, AB and BA."],
    answer="The state and C fix the odds; which symbol was chosen under these odds is news, and the rest of the line depends on it.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

SHUFFLED = MultipleChoice(
    id="10.4-shuffled",
    title="Words in a bag",
    minutes=5,
    ask="After the reader has finished, you shuffle its states g⁽¹⁾, …, g⁽τ⁾ before attention sees them. What happens?",
    options=[
        Option(
            "The weights are shuffled alike, and m stays as it is",
            "m is a sum over a set. Attention knows of order only what each g⁽ᵏ⁾ itself carries.",
            True,
        ),
        Option(
            "The weights stay, so m becomes another mean",
            "Each weight is computed from its own state and goes along with it.",
        ),
        Option(
            "Both change, since attention has learned where in a line to look",
            "It has learned what to look for: a score depends on h and on one state, never on that state's place.",
        ),
        Option(
            "Nothing changes at all: neither the weights nor m",
            "The k-th weight belongs to the k-th state, and another state stands there now.",
        ),
    ],
    answer="α is shuffled alike, and m stays.",
)


def _looks(rng: np.random.Generator) -> list[tuple]:
    """Square matrices, so that what is exchanged still fits."""
    return [(rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(tau, 4))) for tau in (3, 6)]


def _jacobian(A: np.ndarray, h: np.ndarray, g: np.ndarray) -> np.ndarray:
    alpha, m = attention(A, h, g)
    return (g - m).T @ (alpha[:, None] * (g - m)) @ A.T


JACOBIAN = Implement(
    "10.4-jacobian",
    reference=_jacobian,
    cases=_looks,
    gradients=["result"],
    wrong=[
        Wrong(
            "weights held fixed",
            lambda A, h, g: g.T @ (attention(A, h, g)[0][:, None] * g) @ A.T,
            "It looks as if the weights did not have to sum to one: when one of them grows, the others shrink, and that takes "
            "m mᵀ away from the second moment.",
        ),
        Wrong(
            "no weights",
            lambda A, h, g: np.cov(g.T, bias=True) @ A.T,
            "It looks as if all states counted alike in the covariance. Each counts with its weight α.",
        ),
        Wrong(
            "A not transposed",
            lambda A, h, g: _jacobian(A, h, g) @ np.linalg.inv(A.T) @ A,
            "It looks as if A stood where its transpose should: e_k = hᵀ A g⁽ᵏ⁾, so ∂e_k/∂h is the row (A g⁽ᵏ⁾)ᵀ = g⁽ᵏ⁾ᵀ Aᵀ.",
        ),
        Wrong(
            "the factor Aᵀ forgotten",
            lambda A, h, g: _jacobian(A, h, g) @ np.linalg.inv(A.T),
            "It looks like the covariance alone. From h to the scores there is one factor more.",
        ),
    ],
)

SURE = MultipleChoice(
    id="10.4-sure",
    title="When nothing is learned",
    ask="∂m/∂h = Cov_α(g) Aᵀ. In which case does no gradient tell attention where to look?",
    options=[
        Option(
            "When one weight is practically 1",
            "The covariance under such weights is zero: a pointer that is sure no longer learns where to point, also where it is "
            "sure of the wrong word.",
            True,
        ),
        Option(
            "When all weights are equal, as at the beginning of training",
            "Then the covariance is that of all states, and as a rule it is large. Nothing is lost there.",
        ),
        Option(
            "When the line is long, since each weight is then small",
            "Small weights are many. Their covariance is a mean over the line and does not shrink with its length.",
        ),
        Option(
            "When the states of the reader are far apart from each other",
            "Then the covariance is large. It vanishes if the states with weight are all alike.",
        ),
    ],
    answer="When one weight is near 1, or when all states with weight are alike: then Cov_α(g) is zero.",
)


def _additive_cases(rng: np.random.Generator) -> list[tuple]:
    return [
        (rng.normal(size=4), *(rng.normal(size=(4, 4)) for _ in "AB"), rng.normal(size=4), rng.normal(size=(tau, 4)))
        for tau in (4, 6)
    ]


def _looked(e: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return e, e @ g


ADDITIVE = Implement(
    "10.4-additive",
    reference=additive_attention,
    cases=_additive_cases,
    wrong=[
        Wrong(
            "no tanh",
            lambda v, A, B, h, g: _looked(softmax((A @ h + g @ B.T) @ v), g),
            "It looks as if tanh were missing. Without it the term of h is the same for all words and drops out of the softmax: "
            "the net would look at the same word whatever it has written.",
        ),
        Wrong(
            "no softmax",
            lambda v, A, B, h, g: _looked(np.tanh(A @ h + g @ B.T) @ v, g),
            "It looks as if the scores had been used as weights. The softmax makes them positive, with sum one.",
        ),
        Wrong(
            "divided by the sum",
            lambda v, A, B, h, g: (lambda e: _looked(e / e.sum(), g))(np.tanh(A @ h + g @ B.T) @ v),
            "It looks as if the scores had been divided by their sum. Scores may be negative; the softmax takes e to each first.",
        ),
        Wrong(
            "A and B exchanged",
            lambda v, A, B, h, g: additive_attention(v, B, A, h, g),
            "It looks as if A and B had changed places: A belongs to the writer's state, B to the reader's.",
        ),
        Wrong(
            "the mean of B g",
            lambda v, A, B, h, g: (lambda a: (a, a @ g @ B.T))(additive_attention(v, A, B, h, g)[0]),
            "The weights are right, but m looks like the mean of B g⁽ᵏ⁾. It is the mean of the states themselves.",
        ),
    ],
)

LEAK = FindBug(
    id="10.4-leak",
    title="Zero loss, nonsense lines",
    stars=2,
    minutes=8,
    ask="A friend trains a writer with teacher forcing. The loss falls to zero within minutes, and the lines that it then writes "
    "are nonsense. Which line is wrong?",
    code="""\
C = reader(source)
inputs = Y[targets]
logits = writer(inputs, C)
loss = nll(logits, targets).mean()
loss.backward()""",
    line=2,
    lines={
        1: "The reader makes one context of the source, as it should.",
        3: "One row of logits for each step. Look at what the writer has read by then.",
        4: "Row t of the logits is compared with y⁽ᵗ⁾, as it should be.",
        5: "Both networks are trained by one loss.",
    },
    reasons=[
        Option(
            "It lacks a shift by one: step t reads y⁽ᵗ⁾ and has to predict y⁽ᵗ⁾",
            "It learns to copy its input, which needs no source. It must be `Y[[END, *targets[:-1]]]`.",
            True,
        ),
        Option(
            "The writer must read its own symbols in training, not the targets",
            "Reading the targets is teacher forcing, and it is allowed. It is which target each step reads that matters.",
        ),
        Option(
            "It must be one-hot rows and not rows of Y",
            "A row of Y is a one-hot vector times a matrix: the same thing, computed faster.",
        ),
        Option(
            "The end mark has to be taken off the targets, or it is learned too",
            "It has to be learned: otherwise the writer never ends.",
        ),
    ],
    hints=["Change y⁽⁸⁾ alone. The logits of which step may not move?"],
    answer="Line 2: the inputs must be shifted by one, with the end mark in front. A quick test: change y⁽⁸⁾; if the logits of step 8 "
    "move, the answer leaks.",
)

LAST_STATE = MultipleChoice(
    id="10.4-last-state",
    title="Attention with one word to look at",
    stars=2,
    minutes=15,
    ask="A net was trained with attention and writes nearly every held-out date without a mistake. Now let attention see only the "
    "last state of the reader, without training again. How many single dates come out right?",
    options=[
        Option(
            "Hardly any",
            "With one state its weight is 1 at every step, and m⁽ᵗ⁾ = g⁽τ⁾. The bottleneck is back, in a net that never had to "
            "carry a date through it.",
            True,
        ),
        Option(
            "About one in five, as with the net that has a context of 64 and no attention",
            "That net was trained to put the date into its context. This one never had to.",
        ),
        Option(
            "About half: the year is said last and survives",
            "Some digits survive, but a line is right only as a whole, and the day and the month are read from earlier states.",
        ),
        Option(
            "Nearly all, since the last state has read the whole line",
            "It has read it. But it was never asked to keep it: each word was fetched where it stood.",
        ),
    ],
    hints=["What was the last state of the reader trained to hold?"],
    answer="Hardly any: the weight is 1 at every step, and the last state was never trained to hold the line.",
)

GREEDY = Parsons(
    id="10.4-greedy",
    title="Write a line",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that the function writes a line greedily, with attention. Leave out what does not belong.",
    code="""\
g, C = encode(source)
h, y, line = start(C), END, []
while len(line) < longest:
    h = step(h, y, C)
    alpha = softmax(g @ A.T @ h)
    y = argmax(logits(h, alpha @ g))
    line.append(y)
    if y == END: break
return line""",
    rules=[
        Rule(1, 2, "The first state comes from C, so the source is read first."),
        Rule(2, 3, "State, symbol and line exist before the loop uses them."),
        Rule(3, 4, "The writer makes its steps inside the loop."),
        Rule(4, 5, "The state of this step asks where to look: h⁽ᵗ⁾ stands in the score, not h⁽ᵗ⁻¹⁾."),
        Rule(5, 6, "The logits need what attention has read."),
        Rule(6, 7, "A symbol is chosen before it is written down."),
        Rule(6, 8, "Whether the line ends is known when the symbol is chosen."),
        Rule(7, 8, "The end mark is part of the line, so it is written down before the loop ends."),
        Rule(8, 9, "The line is returned after the loop."),
    ],
    extra={
        "    y = target[len(line)]": "That is teacher forcing. There is no target when a line is written.",
        "    C = alpha @ g": "C stays what the reader left. What attention reads goes into the logits of this step.",
    },
    hints=["What does the first step read as the symbol before?", "Which state stands in the score of step t?"],
    answer="Read, start from the end mark, and at each step: state, weights, logits, symbol. The end mark ends the line.",
)

IDLE = MultipleChoice(
    id="10.4-idle",
    title="Is C used?",
    stars=2,
    minutes=8,
    ask="A net has attention and, beside it, a context of four numbers. A colleague swaps the contexts of many pairs of lines, all of "
    "one date; no written line changes. She concludes: “C is not used, everything goes through m.” Which experiment tests her "
    "sentence?",
    options=[
        Option(
            "Swap the contexts of lines that hold different numbers of dates",
            "C may carry what her lines have in common. One of the three nets of this section reads from C how many dates to "
            "write; her swap can never show it.",
            True,
        ),
        Option(
            "Swap the contexts of a thousand more pairs of one date, all of them held out",
            "If C carries what all lines of one date share, no number of such pairs will show it.",
        ),
        Option(
            "Train again with a context of 64 numbers instead of four",
            "That asks what another net does with more room, not what this net does.",
        ),
        Option(
            "Look at the weights of attention: where they peak on the right word, C cannot matter",
            "They say where something was fetched. They do not say what else was used.",
        ),
    ],
    hints=["What do all of her lines have in common?"],
    answer="Vary what she held fixed. A swap tells only about differences between the lines that are swapped.",
)

EXERCISES = [
    *(SHAPE, SAME_C, WIDER, ZERO_A, WEIGHT, OWN_SYMBOL),
    *(SHUFFLED, JACOBIAN, SURE, ADDITIVE, LEAK, LAST_STATE, GREEDY, IDLE),
]
