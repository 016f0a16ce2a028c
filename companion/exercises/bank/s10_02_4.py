"""Section 10.2.4: a context and its ways in, its gradient, and outputs that have to agree with each other."""

import numpy as np

from companion.context import ContextRNN, context_bptt, context_init
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule

# ---- self-test -------------------------------------------------------------------------------------------------


def _parameters(rng: np.random.Generator) -> Asked:
    n_x, n_h = int(rng.choice([128, 256, 512])), int(rng.choice([64, 100, 200]))
    return Asked(
        f"A caption net has n_x = {n_x} and n_h = {n_h}. How many parameters does the picture add if it comes in both "
        "ways, as an extra input at every step and as the first state?",
        2 * n_x * n_h + n_h,
        f"R and S have {n_x} · {n_h} each, and s has {n_h}. None of it depends on the length of the caption.",
        {
            n_x * n_h: "That is R alone. The first state has a matrix of its own, and a bias.",
            n_x * n_h + n_h: "That is the first state, S and s. The extra input has a matrix of its own.",
            2 * n_x * n_h: "R and S are counted. The first state also has a bias, s.",
            2 * (n_x * n_h + n_h): "The extra input brings no second bias: Rᵀx is added to the b that is there.",
        },
    )


PARAMETERS = Numerical(
    id="10.2.4-parameters",
    title="What the picture costs",
    ask=_parameters,
    tolerance=1e-4,
    hints=["Write down the shapes of R, S and s."],
    answer="2 n_x n_h + n_h, whatever the length of the caption.",
)

WASTE = MultipleChoice(
    id="10.2.4-waste",
    title="Told again at every step",
    ask="The extra input is the same at every step of a caption of 20 words. What does it add to the cost of a step, and "
    "why?",
    options=[
        Option(
            "Nothing: Rᵀx is computed once and added to the bias",
            "It does not depend on t. Given the picture, the net is a plain recurrent one with another bias.",
            True,
        ),
        Option(
            "n_x n_h products, as for any input",
            "So it would be for an input that changes. This product is the same 20 times, so do it once.",
        ),
        Option(
            "Nothing, since after the first step the state has the picture anyway",
            "The term is there at every step and acts at every step; with the first state alone it is not told again.",
        ),
        Option(
            "More with every step, since the contributions add up",
            "They are added inside the tanh anew at each step; nothing piles up outside the state.",
        ),
    ],
    answer="Nothing. A constant input is a bias that the context has chosen.",
)

RANK = MultipleChoice(
    id="10.2.4-rank",
    title="One singular value",
    ask="For one picture and one caption, the gradient of R, a matrix of n_x × n_h numbers, has rank one, however long the "
    "caption is. Why?",
    options=[
        Option(
            "The same x meets the sum of all ∇a⁽ᵗ⁾ L",
            "Rᵀx sits where b sits, so ∇R L = x (∇b L)ᵀ: an outer product of two vectors.",
            True,
        ),
        Option(
            "Only the first step has a gradient that reaches the picture",
            "Every step has: Rᵀx is added at each of them. It is because x does not change that they share one factor.",
        ),
        Option(
            "The gradient vanishes for all singular values but the first",
            "They are exactly zero, for a caption of one letter as well. Nothing has faded.",
        ),
        Option(
            "The state has only one direction that depends on the picture",
            "R may move the state in many directions, and different pictures move it differently. This is the gradient "
            "for one picture.",
        ),
    ],
    hints=["Write the gradient of U, the weights of an input that changes, and let the input be constant."],
    answer="Σₜ x (∇a⁽ᵗ⁾ L)ᵀ = x (Σₜ ∇a⁽ᵗ⁾ L)ᵀ. With several pictures in a batch the rank can be as large as their number.",
)


def _consistent(rng: np.random.Generator) -> Asked:
    tau = int(rng.integers(6, 13))
    return Asked(
        f"{tau} outputs share one fair hidden bit. A net without feedback has the right marginals. Its outputs are "
        "consistent once in how many sequences, on average?",
        2.0 ** (tau - 1),
        f"Two ways to agree, each with chance 2^−{tau}: once in 2^{tau - 1}.",
        {
            2.0**tau: "There are two ways to agree: all outputs may show 0, and all may show 1.",
            2.0: "Each single output is right half the time. All of them have to agree.",
            float(tau): "Chances of independent outputs multiply; they do not add.",
        },
    )


CONSISTENT = Numerical(
    id="10.2.4-consistent",
    title="Once in how many?",
    ask=_consistent,
    hints=["The first output may be either. What must the others do?"],
    answer="2^(τ − 1): the first output is free, and each of the others agrees with it with chance ½.",
)

SETTLED = MultipleChoice(
    id="10.2.4-settled",
    title="Nothing left to agree on",
    ask="Given x, the labels of a task are independent of each other. Does output feedback help?",
    options=[
        Option(
            "Not in principle: a net without it can already represent the truth",
            "The product over steps is the true distribution here. Feedback costs parameters, and errors that are read "
            "back can spread.",
            True,
        ),
        Option(
            "Yes: a step that knows the last label knows more",
            "It knows more, and none of it says anything about its own label, once x is known.",
        ),
        Option(
            "Yes: without feedback the state has no memory",
            "The memory of the inputs is in W. Feedback brings in the outputs.",
        ),
        Option(
            "No: feedback can never help a net that reads all of x",
            "“Never” is too much: if x leaves something open, as a dialect, outputs can only agree by hearing of each "
            "other.",
        ),
    ],
    hints=["Which factors of the chain rule change if the other labels are known as well?"],
    answer="Not in principle. In practice x rarely settles everything, as the blended digits show.",
)

PROBABILITIES = MultipleChoice(
    id="10.2.4-probabilities",
    title="Feed back what?",
    ask="A speaker net for the dialects is given ŷ⁽ᵗ⁻¹⁾, all the probabilities of the step before, in place of the word "
    "that was drawn. Its words are drawn from ŷ. Can it keep to one dialect?",
    options=[
        Option(
            "No: no step learns which word was drawn",
            "ŷ is the same whatever the draw was. Given x nothing random enters the state, so the words are independent "
            "again.",
            True,
        ),
        Option(
            "Yes: ŷ says more than a single word",
            "It says more about what might have been said, and nothing about what was. The coin is in the draw.",
        ),
        Option(
            "Yes, with enough hidden units",
            "However large the net is: there is nothing in what it reads that depends on the coin.",
        ),
        Option(
            "Only if the probabilities are near 0 and 1",
            "At the first word both dialects have ½, and must, or half of the data get probability zero.",
        ),
    ],
    hints=["Where does the coin enter? Follow it into the state of the next step."],
    answer="No. To agree with what was said, a step must read what was said.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

NO_W = MultipleChoice(
    id="10.2.4-no-w",
    title="What is left without W?",
    stars=1,
    minutes=8,
    ask="You take a trained speller whose picture comes in as the first state, and one whose picture is an extra input at "
    "every step, and set W = 0 in both. Which of them still writes different words about different pictures?",
    options=[
        Option(
            "The one with the extra input only",
            "Rᵀx does not go through W. The first state acts through W h⁽⁰⁾ and nothing else: with W = 0 every picture "
            "gets the same word.",
            True,
        ),
        Option(
            "The one with the first state only",
            "h⁽⁰⁾ is set by the picture, but it is read in one place: W h⁽⁰⁾.",
        ),
        Option(
            "Both: W only links the letters to each other",
            "W carries the state from step to step, and h⁽⁰⁾ is a state.",
        ),
        Option(
            "Neither: without W a net has forgotten its picture",
            "It cannot remember the picture, and it need not: the extra input is told anew at each step.",
        ),
    ],
    hints=["In which terms of a⁽¹⁾ does the picture stand, for each of the two?"],
    answer="The one with the extra input. The words will hardly be names, but they differ.",
)


def _dialects(rng: np.random.Generator) -> Asked:
    m, tau = int(rng.integers(3, 7)), int(rng.integers(3, 6))
    return Asked(
        f"Let there be {m} equally likely dialects, and {tau} words. A net without feedback has the right chance for "
        "each single word. Its words are all of one dialect once in how many sequences, on average?",
        float(m) ** (tau - 1),
        f"{m} ways to agree, each with chance {m}^−{tau}: once in {m}^{tau - 1}.",
        {
            float(m) ** tau: f"That is the chance for one given dialect. Any of the {m} will do.",
            2.0 ** (tau - 1): "That is for two dialects.",
            float(m * (tau - 1)): "Chances multiply: each of the later words must agree with the first.",
        },
    )


DIALECTS = Numerical(
    id="10.2.4-dialects",
    title="More dialects",
    stars=2,
    minutes=15,
    ask=_dialects,
    hints=["The first word may be of any dialect. With what chance does the next one agree?"],
    answer="m^(τ − 1): a share of m · m^−τ. The more there is to share, the less independent outputs can.",
)

SLOPE = FindBug(
    id="10.2.4-slope",
    title="The way back to the picture",
    stars=2,
    minutes=10,
    ask="The picture comes in both ways. These lines should compute the gradients of R and S for one caption; row t − 1 of "
    "g_a is ∇a⁽ᵗ⁾ L, from a backward pass that is right. In a check against differences, one of the matrices is wrong. "
    "Which line?",
    code="""\
h0 = np.tanh(s + S.T @ x)
g_b = g_a.sum(axis=0)
g_R = np.outer(x, g_b)
g_h0 = W.T @ g_a[0]
g_S = np.outer(x, g_h0)""",
    line=5,
    lines={
        1: "The first state, as the forward pass has it.",
        2: "b is added at every step, so its gradient is the sum over all steps.",
        3: "Rᵀx stands where b stands; R has the shape (n_x, n_h), so x comes first.",
        4: "h⁽⁰⁾ is read by a⁽¹⁾ alone, through W, and there is no output at step 0.",
    },
    reasons=[
        Option(
            "The slope of the tanh that made h⁽⁰⁾ is missing",
            "h⁽⁰⁾ = tanh(s + Sᵀx), so ∇s L = (1 − (h⁽⁰⁾)²) ∇h⁽⁰⁾ L, and ∇S L = x (∇s L)ᵀ. While s and S are small the "
            "slope is near 1, and the mistake hides.",
            True,
        ),
        Option(
            "It must be the other outer product, with x on the right",
            "That would have the shape (n_h, n_x). S is stored as (n_x, n_h), as it is used: Sᵀx.",
        ),
        Option(
            "It must use g_b: S acts at every step",
            "S sets the state before the first step, once. R is the one that acts at each step.",
        ),
        Option(
            "It lacks the gradients from the later steps",
            "They are in g_a[0] already: the backward pass has brought them to step 1.",
        ),
    ],
    hints=["Two functions lie between S and a⁽¹⁾. Has every line of the forward pass its counterpart?"],
    answer="The last line: `g_S = np.outer(x, (1 - h0**2) * g_h0)`. A check at S = 0 and s = 0 would not see it.",
)


def _contexts(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for way in ("input", "state", "both"):
        p = context_init(5, 6, 4, rng)._replace(b=rng.normal(size=6), s=rng.normal(size=6))
        cases.append((p, rng.normal(size=5), rng.integers(4, size=7), way))
    return cases


def _on_context(p: ContextRNN, x: np.ndarray, y: np.ndarray, way: str, bias: bool = True, slope: int = 0) -> np.ndarray:
    grad, h0 = context_bptt(p, x, y, way), np.tanh(p.s + x @ p.S)
    through_b = p.R @ grad.b * (bias or way != "state")
    return through_b + p.S @ ((1 - h0**2) ** slope * grad.s)


PIXELS = Implement(
    "10.2.4-pixels",
    reference=lambda p, x, y, way: _on_context(p, x, y, way, bias=False),
    cases=_contexts,
    gradients=["result"],
    wrong=[
        Wrong(
            "always through b",
            _on_context,
            "It looks as if R ∇b L were there in way “state” too. There b has a gradient as well, but x does not act "
            "through it.",
        ),
        Wrong(
            "only through the input",
            lambda p, x, y, way: p.R @ context_bptt(p, x, y, way).b * (way != "state"),
            "It looks as if the way through the first state were missing: S ∇s L.",
        ),
        Wrong(
            "only through the state",
            lambda p, x, y, way: p.S @ context_bptt(p, x, y, way).s,
            "It looks as if the way through the extra input were missing: R ∇b L.",
        ),
        Wrong(
            "the slope twice",
            lambda p, x, y, way: _on_context(p, x, y, way, bias=False, slope=1),
            "It looks as if the slope of the first state's tanh stood there twice: ∇s L has it already.",
        ),
        Wrong(
            "the slope divided out",
            lambda p, x, y, way: _on_context(p, x, y, way, bias=False, slope=-1),
            "It looks as if ∇h⁽⁰⁾ L stood where ∇s L should: the slope of the tanh lies between s and h⁽⁰⁾.",
        ),
    ],
)

TELL = Parsons(
    id="10.2.4-tell",
    title="The loss of a caption",
    stars=1,
    minutes=8,
    ask="The picture x comes in both ways. Put the lines in order so that they compute the loss of the caption y. Leave out "
    "what does not belong.",
    code="""\
bias = b + R.T @ x
h = np.tanh(s + S.T @ x)
read, loss = np.zeros(n_o), 0.0
for t in range(tau):
    h = np.tanh(bias + W @ h + U @ read)
    loss -= log_softmax(c + V @ h)[y[t]]
    read = np.eye(n_o)[y[t]]""",
    rules=[
        Rule(1, 4, "The bias does not depend on t: once, before the loop."),
        Rule(2, 4, "The first state is set once, before the loop."),
        Rule(3, 4, "Before the first letter nothing has been read, and nothing lost."),
        Rule(4, 5, "The state is renewed at every step, inside the loop."),
        Rule(5, 6, "The letter at t is predicted from the state at t."),
        Rule(5, 7, "If the letter at t is read first, the net is told the answer."),
        Rule(4, 6, "Each step has a loss, inside the loop."),
    ],
    extra={
        "    bias = bias + R.T @ x": "Then the picture would grow from step to step. It is added inside the sum, once "
        "for each step.",
        "    h = h + np.tanh(s + S.T @ x)": "The first state is the first state. What is told at every step goes through "
        "R.",
    },
    hints=["What does not depend on t? What must the net not know while it predicts y⁽ᵗ⁾?"],
    answer="Bias and first state from the picture; then step, predict, and only then read the letter.",
)

TOO_GOOD = MultipleChoice(
    id="10.2.4-too-good",
    title="A loss of almost zero",
    stars=2,
    minutes=10,
    ask="A colleague's caption net reports a loss of almost zero for every picture and every word, even “xxxx”. What it "
    "writes alone is rubbish. Which single test shows what is wrong?",
    options=[
        Option(
            "Change the letter y⁽ᵗ⁾, and see whether the prediction at step t moves",
            "It must not: step t may read y⁽ᵗ⁻¹⁾ and earlier letters. Here it does, for `np.eye(16)[y]` was fed without the "
            "shift: the net copies its target.",
            True,
        ),
        Option(
            "Compute the loss on held-out pictures",
            "It is almost zero there as well: the answer is told with every picture.",
        ),
        Option(
            "Check the gradients against differences",
            "They are right: they are the gradients of the loss as it was computed.",
        ),
        Option(
            "Train with less data and see whether the loss rises",
            "To copy is learned from a handful of words.",
        ),
    ],
    hints=["Which letters may the prediction at step t depend on?"],
    answer="Test what a prediction depends on. And be alarmed by a loss below what any honest net could reach.",
)

MEMORY = MultipleChoice(
    id="10.2.4-memory",
    title="Feedback without memory",
    stars=3,
    minutes=20,
    ask="Take W away, so that the fed-back output is the only memory. The input is a random bit x⁽ᵗ⁾; a hidden fair bit s is "
    "drawn once for each sequence, and y⁽ᵗ⁾ = x⁽ᵗ⁾ if s = 0, else 1 − x⁽ᵗ⁾. Can a net that reads x⁽ᵗ⁾ and y⁽ᵗ⁻¹⁾ be "
    "consistent?",
    options=[
        Option(
            "No: y⁽ᵗ⁻¹⁾ shows s only to who still knows x⁽ᵗ⁻¹⁾",
            "s is 1 exactly where y⁽ᵗ⁻¹⁾ differs from x⁽ᵗ⁻¹⁾. Alone, y⁽ᵗ⁻¹⁾ is a fair bit for either s, so the share of "
            "consistent sequences falls as 2 · 2^−τ again.",
            True,
        ),
        Option(
            "Yes: as with the dialects, the last output shows the hidden bit",
            "A word of a dialect shows its dialect by itself. Here an output is 0 or 1, whatever s is.",
        ),
        Option(
            "Yes, from the second step on",
            "At the second step it knows y⁽¹⁾ and no longer x⁽¹⁾. It would have to compare them.",
        ),
        Option(
            "No: without W nothing of the past enters at all",
            "The last output does, through F; in the dialect task that is enough.",
        ),
    ],
    hints=["What does y⁽ᵗ⁻¹⁾ = 1 tell you about s if you no longer know x⁽ᵗ⁻¹⁾?"],
    answer="No. The state has to keep the last input for one step: feedback and memory are different wires. (In the dialect "
    "task the last word alone is enough.)",
)

EXERCISES = [
    *(PARAMETERS, WASTE, RANK, CONSISTENT, SETTLED, PROBABILITIES),
    *(NO_W, DIALECTS, TELL, SLOPE, PIXELS, TOO_GOOD, MEMORY),
]
