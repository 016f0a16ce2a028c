"""P.1: what a net is asked while it reads, how it is sampled, and what may be compared."""

import numpy as np

from companion.core.functions import softmax
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.speech.writer import tempered

# ---- self-test -------------------------------------------------------------------------------------------------


def _questions(rng: np.random.Generator) -> Asked:
    windows, length = int(rng.choice([2000, 5000, 8000])), int(rng.choice([20, 40, 50]))
    return Asked(
        f"A net reads {windows} windows of {length} characters, each from a zero state, and its loss looks at the one "
        f"character after each. Streams read just as many characters, and their loss looks at every position. How many "
        f"times as many predictions do they answer for?",
        length,
        f"{windows} predictions for {windows * length} characters read, or {windows * length}: {length} times as many.",
        {
            windows: "That is how many predictions the windows answer for. What is the ratio?",
            length - 1: "Each of the characters that are read is followed by one to predict, the last one too.",
            1: "They read as much. But each state that they pass through is asked, not the last of a window alone.",
        },
    )


QUESTIONS = Numerical(
    id="P.1-questions",
    title="What is asked",
    ask=_questions,
    tolerance=0.001,
    hints=["Count the terms of both losses."],
    answer="As many as a window is long: the last-only loss uses one state of each window.",
)

COLDER = MultipleChoice(
    id="P.1-colder",
    title="A colder net",
    ask="You sample at T = 0.5 instead of T = 1. What happens to two characters whose probabilities were 0.4 and 0.1?",
    options=[
        Option(
            "Their ratio of 4 becomes 16",
            "Scores are divided by T, so ratios of probabilities are raised to the power 1/T = 2.",
            True,
        ),
        Option("Their ratio of 4 becomes 2", "That is T = 2: a higher temperature brings them closer together."),
        Option("Both are halved, and the rest goes to the likeliest", "Not the probabilities are divided: the scores."),
        Option("Their ratio stays, and characters below 0.1 are dropped", "Nothing is dropped. All ratios change."),
    ],
    hints=["ŷ is proportional to exp(o/T)."],
    answer="The ratio exp((oᵢ − oⱼ)/T) is squared: 16.",
)


def _bits(rng: np.random.Generator) -> Asked:
    bits = float(rng.choice([1.5, 2.5, 3.0, 5.0]))
    return Asked(
        f"A net needs {bits:g} bits per character of held-out text. What is its perplexity?",
        2**bits,
        f"2 to the power {bits:g}: as unsure as among {2**bits:.3g} characters that are equally likely.",
        {
            float(np.exp(bits)): "e to the power of nats. These are bits.",
            bits * float(np.log(2)): "Those are the nats per character. Take e to their power.",
            bits**2: "The bits are the exponent, and 2 is the base.",
        },
    )


BITS = Numerical(
    id="P.1-bits",
    title="Bits and perplexity",
    ask=_bits,
    tolerance=0.01,
    answer="Perplexity = 2^bits = e^nats.",
)

CARRY = MultipleChoice(
    id="P.1-carry",
    title="What the cut cuts",
    ask="Streams of 50 characters a step, state carried and detached. Can the net learn to use a character 80 steps back?",
    options=[
        Option(
            "It can use it, but no gradient tells it directly to keep it so long",
            "The state comes from there, so what the net has learned to keep over shorter distances may last. A gradient "
            "reaches back to the beginning of the stretch only.",
            True,
        ),
        Option(
            "No: the state is set to zero at every cut",
            "It is carried. Detaching removes the gradient's way back; the numbers stay.",
        ),
        Option(
            "Yes, as well as one 10 steps back: detaching changes no gradient inside the stretch",
            "Right about the inside; but this dependence crosses the cut, and its gradient is lost.",
        ),
        Option(
            "Only while it writes, since nothing is cut there",
            "While it learns, too, the state comes from 80 steps back. What is cut is the gradient.",
        ),
    ],
    hints=["Two things could cross the cut: numbers forward, gradients backward."],
    answer="Numbers cross, gradients do not.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _streams(codes: np.ndarray, B: int, tau: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.arange(B) * (len(codes) // B)
    at = (starts[:, None] + step * tau + np.arange(tau + 1)) % len(codes)
    return codes[at[:, :-1]], codes[at[:, 1:]]


def _cut(codes: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = codes[at % len(codes)]
    return rows[:, :-1], rows[:, 1:]


def _texts(rng: np.random.Generator) -> list[tuple]:
    sizes = [(101, 4, 7, 2), (60, 3, 5, 0), (83, 5, 6, 9)]
    return [(rng.integers(0, 36, n), B, tau, step) for n, B, tau, step in sizes]


STREAMS = Implement(
    "P.1-streams",
    reference=_streams,
    cases=_texts,
    wrong=[
        Wrong(
            "consecutive",
            lambda codes, B, tau, step: _cut(
                codes, (np.arange(B) * tau + step * B * tau)[:, None] + np.arange(tau + 1)
            ),
            "It looks as if the rows of one step stood side by side in the text. Then row b of the next step does not "
            "go on where row b ended, and the carried state is another text's.",
        ),
        Wrong(
            "overlap of one",
            lambda codes, B, tau, step: _cut(
                codes, (np.arange(B) * (len(codes) // B))[:, None] + step * (tau - 1) + np.arange(tau + 1)
            ),
            "It looks as if a step moved on by τ − 1 characters, so that one of them is read twice.",
        ),
        Wrong(
            "target not moved",
            lambda codes, B, tau, step: (_streams(codes, B, tau, step)[0],) * 2,
            "It looks as if x itself were the target: a net that copies its input would have no loss.",
        ),
        Wrong(
            "starts anew",
            lambda codes, B, tau, step: _streams(codes, B, tau, 0),
            "It looks as if every step read the first stretch again.",
        ),
    ],
)


def _pick(o: np.ndarray, T: float, u: float) -> tuple[float, np.ndarray]:
    p = tempered(o, T)
    return float(np.searchsorted(np.cumsum(p), u, side="right")), p


def _scores(rng: np.random.Generator) -> list[tuple]:
    return [(2 * rng.normal(size=8), T, u) for T, u in ((0.5, 0.3), (1.0, 0.62), (1.7, 0.9), (0.8, 0.02))]


def _wrong_pick(change: object) -> object:
    def answer(o: np.ndarray, T: float, u: float) -> tuple[float, np.ndarray]:
        p = change(o, T)
        return float(np.searchsorted(np.cumsum(p), u, side="right")), p

    return answer


PICK = Implement(
    "P.1-pick",
    reference=_pick,
    cases=_scores,
    wrong=[
        Wrong(
            "times T",
            _wrong_pick(lambda o, T: softmax(o * T)),
            "It looks as if the scores were multiplied by T: a low temperature would flatten.",
        ),
        Wrong(
            "after the softmax",
            _wrong_pick(lambda o, T: softmax(softmax(o) / T)),
            "It looks as if probabilities were divided by T and sent through a second softmax. Divide the scores.",
        ),
        Wrong(
            "without T",
            _wrong_pick(lambda o, T: softmax(o)),
            "It looks as if T were left out.",
        ),
        Wrong(
            "the likeliest",
            lambda o, T, u: (float(np.argmax(o)), tempered(o, T)),
            "It looks as if the likeliest character were taken, whatever u says.",
        ),
    ],
)

DETACH = FindBug(
    id="P.1-detach",
    title="Slower with every step",
    stars=2,
    minutes=6,
    ask="A training over streams. It should carry its state. The first step runs; the second stops with an error about a "
    "graph that is gone, and with `retain_graph=True` every step is slower than the one before. Which line is to blame?",
    code="""\
state = None
for x, y in stretches:
    h, state = lstm(x, state)
    loss = cross_entropy(head(h).flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(loss.item())""",
    line=3,
    lines={
        1: "PyTorch takes None for a state of zeros, which is what the first stretch wants.",
        4: "One loss for all positions: rows are flattened alike in scores and targets.",
        5: "Gradients are cleared before each backward pass, as they should be.",
        6: "The backward pass is where it shows. Why does it want to go so far?",
        8: "A number is kept, and no graph with it.",
    },
    reasons=[
        Option(
            "The state still hangs on the graph of all steps before; it must be detached",
            "`state = tuple(s.detach() for s in state)` keeps the numbers and cuts the graph.",
            True,
        ),
        Option(
            "The state must be set to zero for every stretch",
            "That runs, too, and loses what the carried state is for.",
        ),
        Option(
            "The LSTM must be in evaluation mode while it carries a state",
            "The mode changes dropout. It does not cut a graph.",
        ),
        Option(
            "`h` must be detached before the head reads it",
            "Then the LSTM would get no gradient at all.",
        ),
    ],
    hints=["What does `state` remember besides its numbers?"],
    answer="Line 3: the state that comes back is part of the graph. Detach it before the next stretch.",
)

ORDER = Parsons(
    id="P.1-order",
    title="Write",
    stars=1,
    minutes=6,
    ask="Put the lines in order so that the net reads `start` and then writes n characters, each of which it reads in turn. "
    "Leave out what does not belong.",
    code="""\
h, s, text = np.zeros(n_h), np.zeros(n_h), []
for code in start: h, s = step(code, h, s)
for u in draws(seed, n):
    p = softmax((c + V @ h) / T)
    code = np.searchsorted(np.cumsum(p), u, side="right")
    text.append(code)
    h, s = step(code, h, s)
return text""",
    rules=[
        Rule(1, 2, "There must be a state before the start is read."),
        Rule(2, 3, "The start is read before anything is written: it is the context."),
        Rule(3, 4, "The probabilities belong inside the loop: they change with every character."),
        Rule(4, 5, "A character is drawn from probabilities that are computed first."),
        Rule(5, 6, "There must be a character before it is written down."),
        Rule(5, 7, "The net reads the character that was drawn."),
        Rule(6, 8, "The text is returned when all characters stand in it."),
        Rule(7, 8, "The last line of the loop stands inside it."),
    ],
    extra={
        "    h, s = np.zeros(n_h), np.zeros(n_h)": "With a state of zeros for each character the net forgets all that "
        "it wrote.",
        "    p = p / T": "Probabilities divided by T no longer sum to one, and their ratios do not change. T divides "
        "the scores.",
    },
    hints=["Where does the net learn which character was drawn?"],
    answer="Read the start; then again and again: probabilities, draw, note, read.",
)

FAIR = MultipleChoice(
    id="P.1-fair",
    title="Whose validation text?",
    stars=2,
    minutes=6,
    ask="Notes draw 10,000 training windows of 31 characters at random from a text of 200,000, and 500 validation windows "
    "at random from the same text. The validation loss is far below that on a held-out chapter. Which is the best reason?",
    options=[
        Option(
            "Most validation windows overlap training windows",
            "10,000 windows of 31 cover the text about one and a half times over: most characters to predict were seen "
            "in training, with a part of their context. Hold out a stretch instead.",
            True,
        ),
        Option(
            "500 windows are so few that the loss is biased downward",
            "Few windows make the estimate noisy. Noise goes up as often as down.",
        ),
        Option(
            "The net was chosen on the validation windows",
            "That biases a little, by the best of a few dozen looks. It does not explain a large gap.",
        ),
        Option(
            "Dropout is off during validation, so the loss is lower there",
            "It is off on the held-out chapter as well.",
        ),
    ],
    hints=["How much of the text do the training windows cover?"],
    answer="The windows overlap: it is not held-out text.",
)


def _seconds(rng: np.random.Generator) -> Asked:
    B, tau = int(rng.choice([16, 32, 64])), int(rng.choice([25, 50, 100]))
    n = int(rng.choice([160_000, 320_000, 640_000]))
    return Asked(
        f"A text of {n:,} characters, {B} streams, {tau} characters of each a step. After how many steps has each stream "
        "come to where its neighbour began, so that the whole text is read once?",
        n / (B * tau),
        f"A step reads {B} · {tau} = {B * tau} characters: {n} / {B * tau}.",
        {
            n / tau: "That is one stream alone. All of them read at the same time.",
            n / B: "That is how many characters each stream reads. A step takes several of them.",
            n / (B * (tau + 1)): "The last character of a stretch is the first one of the next: nothing is skipped.",
        },
    )


SECONDS = Numerical(
    id="P.1-steps",
    title="Once through the text",
    stars=1,
    minutes=4,
    ask=_seconds,
    tolerance=0.001,
    hints=["How many characters does one step read, all streams together?"],
    answer="n / (B τ).",
)

EXERCISES = [QUESTIONS, COLDER, BITS, CARRY, SECONDS, ORDER, DETACH, FAIR, STREAMS, PICK]
