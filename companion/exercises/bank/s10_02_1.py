"""Section 10.2.1: the teacher in the likelihood, steps taken apart, and networks that are left alone."""

import numpy as np

from companion.cells.output import OutputRNN, output_rnn_init
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.forcing import hold, scheduled_optimum, steps_gradient, teacher_inputs

# ---- self-test -------------------------------------------------------------------------------------------------

LIKELIHOOD = MultipleChoice(
    id="10.2.1-likelihood",
    title="What it would not have written",
    ask="A sequence starts with y⁽¹⁾ = “q”, which the network itself hardly ever writes. Why must the likelihood of "
    "y⁽¹⁾, y⁽²⁾ be computed with “q” fed back all the same?",
    options=[
        Option(
            "The second factor asks only about the case in which “q” was written",
            "It is P(y⁽²⁾ | y⁽¹⁾ = q, x). How rare that case is, the first factor says already.",
            True,
        ),
        Option(
            "Otherwise the gradient would vanish",
            "The gradient is another matter: with what the network would rather have written, you would compute the "
            "probability of something else.",
        ),
        Option(
            "In training the network's own symbols are still too bad to be fed back to it",
            "That is a reason to be practical. The likelihood asks for it of a perfect network as well.",
        ),
        Option(
            "Because it is faster: all steps can be computed at once",
            "A welcome consequence for this kind of network. With hidden recurrence nothing is gained, and the "
            "likelihood still asks for it.",
        ),
    ],
    hints=["Write the chain rule for two symbols. What stands behind the bar?"],
    answer="The conditions of the chain rule are the data's own past. So to compute the likelihood you feed the data.",
)

BOTH = MultipleChoice(
    id="10.2.1-both",
    title="Two kinds of recurrence",
    ask="A network hands on its hidden state and also reads the symbol before, as nearly every recurrent language model "
    "does. Can it be trained with teacher forcing, and with all time steps at once?",
    options=[
        Option(
            "With the teacher yes, at once no",
            "The likelihood asks for the teacher, wherever the memory sits. But the states still form a chain, so "
            "forward pass and backpropagation run step by step.",
            True,
        ),
        Option(
            "Both, since the targets are known beforehand",
            "The targets are known; the states are not. Each waits for the one before.",
        ),
        Option(
            "Neither: the teacher is for networks without hidden recurrence",
            "The likelihood conditions on the data's past in any network that reads its symbols.",
        ),
        Option(
            "With the teacher no, at once yes",
            "It is the other way round: what is known beforehand can be fed, and what forms a chain cannot be split.",
        ),
    ],
    hints=["Two questions: what does the likelihood condition on, and what does step t wait for?"],
    answer="Teacher forcing yes; in parallel over time no, because of the states.",
)

CUT = MultipleChoice(
    id="10.2.1-cut",
    title="What the loss never hears",
    ask="Why does a loss that is computed with the teacher tell a network nothing about what its slips will do later, "
    "when it is alone?",
    options=[
        Option(
            "What the next step reads has no slip in it",
            "The next step reads the data, so no gradient comes back from it either. Slip and gradient use the same arrows, and those arrows are not there.",
            True,
        ),
        Option(
            "After training with a teacher there are hardly any slips",
            "There are, if small ones: δ is never quite zero. What becomes of them is decided by J, which was never "
            "looked at.",
        ),
        Option(
            "The gradient of later steps vanishes over time",
            "That is another effect, over long chains. Here it is exactly zero, over a single step.",
        ),
        Option(
            "The loss adds up over time, so a slip is averaged out",
            "It is counted, once, at its own step. What is not counted are the steps that would have read it.",
        ),
    ],
    hints=["Follow a slip in ŷ⁽²⁾ forward through the graph, once with the teacher and once without."],
    answer="With the teacher no arrow leads from what was said to what is read. So the loss sees δ and never J.",
)


def _contracting(rng: np.random.Generator) -> Asked:
    j, delta = float(rng.choice([0.6, 0.75, 0.8, 0.9])), float(rng.choice([0.01, 0.02, 0.03]))
    most = round(delta / (1 - j), 6)
    return Asked(
        f"On a series that contracts, |J| = {j:g} everywhere, and the error of one step with the teacher is at most "
        f"{delta:g}. To first order, how large can the error get when the network is alone, after any number of steps?",
        most,
        f"{delta:g} · (1 + {j:g} + {j:g}² + …) = {delta:g} / (1 − {j:g}).",
        {
            delta: "That is one step. Earlier errors are carried on, each of them shrunk.",
            round(delta * (1 + j), 6): f"That is after two steps. More terms follow, each smaller by the factor {j:g}.",
            round(delta / j, 6): "Dividing by |J| would undo one step. What is asked is the sum of a geometric series.",
        },
    )


CONTRACTING = Numerical(
    id="10.2.1-contracting",
    title="Where the error levels off",
    ask=_contracting,
    hints=["e⁽ᵗ⁺¹⁾ is at most δ + |J| e⁽ᵗ⁾. Which e stays as it is?"],
    answer="δ / (1 − |J|), the sum of a geometric series.",
)

UNRELATED = Numerical(
    id="10.2.1-unrelated",
    title="Right in every way, and unrelated",
    ask=lambda rng: Asked(
        "Errors are root-mean-square distances divided by the spread (standard deviation) of the series. What is the "
        "error of a forecast that is a series of exactly the right kind, but independent of the true one?",
        float(np.sqrt(2)),
        "The variances of two independent series add: √(1 + 1). Always answering with the mean gets 1.",
        {
            1.0: "That is the error of always answering with the mean. This forecast is farther off, on average.",
            2.0: "That is the mean square. The error is its root.",
            0.0: "It has the right distribution, and still differs from the true series at each step.",
        },
    ),
    hints=["What is the variance of the difference of two independent series?"],
    answer="√2 = 1.41…: farther off than someone who says nothing, and in all other ways the better model.",
)

INDEPENDENT = MultipleChoice(
    id="10.2.1-independent",
    title="Who is not harmed?",
    ask="With scheduled sampling and ε = 0, the second of two symbols is learned from the first symbol that the network "
    "itself has drawn. For which data does the optimum stay right?",
    options=[
        Option(
            "For data whose two symbols are independent",
            "At ε = 0 the optimum is the marginal P(y⁽²⁾). Only then is it also the conditional.",
            True,
        ),
        Option(
            "For data in which the first symbol decides the second",
            "There it loses most: the fed symbol has nothing to do with the target, so the link cannot be learned.",
        ),
        Option(
            "For any data, if there are enough of them",
            "It is the optimum itself that is shifted; more data only find it more exactly.",
        ),
        Option(
            "For any data, if the network is large enough",
            "The optimum is over all functions of the fed symbol. A larger network comes closer to the wrong one.",
        ),
    ],
    hints=["At ε = 0, Q(y⁽²⁾ | z) = P(y⁽²⁾). When is that P(y⁽²⁾ | y⁽¹⁾ = z)?"],
    answer="Independent symbols: then the conditional is the marginal.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

SHUFFLE = MultipleChoice(
    id="10.2.1-shuffle",
    title="Two ways to shuffle",
    stars=1,
    minutes=5,
    ask="`steps_gradient(p, x, z, y)` returns the losses of all steps and the gradient of their sum. (A) You shuffle the "
    "rows of x, z and y together. (B) You shuffle the sequence, x and y, and compute z = `teacher_inputs(y, n_o)` "
    "afterwards. When does the gradient change?",
    options=[
        Option(
            "Only in B",
            "In A the same rows are added up in another order. In B each step reads another predecessor: another data "
            "set.",
            True,
        ),
        Option(
            "Only in A",
            "In A every step keeps its own input, what it was fed and its target. A sum does not depend on the order.",
        ),
        Option("In both", "In A nothing that a step needs has been torn apart."),
        Option(
            "In neither: the steps do not wait for each other",
            "They do not wait, but they do read their predecessor's target. After B it is another one.",
        ),
    ],
    hints=["What does one step read? Does it read the same after the shuffle?"],
    answer="Only in B. The time order is in z, and nowhere else.",
)


def _pairs(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for k in (2, 4):
        joint, own = rng.dirichlet(np.ones(k * k)).reshape(k, k), rng.dirichlet(np.ones(k))
        cases.append((joint, own, float(rng.uniform(0.2, 0.8))))
    return cases


def _weights(P: np.ndarray, q: np.ndarray, epsilon: float) -> np.ndarray:
    return epsilon * P + (1 - epsilon) * np.outer(q, P.sum(axis=0))


def _rows(w: np.ndarray) -> np.ndarray:
    return w / w.sum(axis=1, keepdims=True)


OPTIMUM = Implement(
    "10.2.1-optimum",
    reference=lambda P, q, epsilon: _rows(_weights(P, q, epsilon)),
    cases=_pairs,
    wrong=[
        Wrong(
            "as if q were the data's",
            lambda P, q, epsilon: scheduled_optimum(P, epsilon),
            "It looks like the formula of the section, which holds if q is the data's own P(y⁽¹⁾). Here a symbol z that "
            "the network draws more often than the data comes from the draw more often than 1 − ε.",
        ),
        Wrong(
            "ε the other way round",
            lambda P, q, epsilon: _rows(_weights(P, q, 1 - epsilon)),
            "It looks as if ε and 1 − ε had been exchanged: ε is the teacher's share.",
        ),
        Wrong(
            "weights not normalised",
            _weights,
            "It looks like the weights of the pairs (z, k). For each z they must be divided by their sum.",
        ),
        Wrong(
            "normalised by columns",
            lambda P, q, epsilon: (lambda w: w / w.sum(axis=0))(_weights(P, q, epsilon)),
            "It looks as if the columns summed to one. Row z is a distribution over the second symbol.",
        ),
        Wrong(
            "draws that know the target",
            lambda P, q, epsilon: _rows(P),
            "It looks like the data's own conditional, as if the network's draw went together with the target. It is "
            "drawn without looking at this example.",
        ),
    ],
)

COPYING = FindBug(
    id="10.2.1-copying",
    title="Too good to be true",
    stars=1,
    minutes=8,
    ask="One training step of an output-recurrent network with the teacher, all time steps at once; y holds the targets. "
    "On random targets the loss falls to almost nothing. Which line is wrong?",
    code="""\
Z = np.eye(n_o)[y]
H = np.tanh(X @ U.T + Z @ W.T + b)
O = H @ V.T + c
G_O = softmax(O) - np.eye(n_o)[y]
G_A = (G_O @ V) * (1 - H**2)""",
    line=1,
    lines={
        2: "Rows are steps: Z Wᵀ is W z⁽ᵗ⁻¹⁾ for each of them, if Z is right.",
        3: "One row of logits for each step.",
        4: "∇o L = ŷ − onehot(y): here the target of the same step is what is wanted.",
        5: "Back through V and the slope of tanh; the transposes are those of rows.",
    },
    reasons=[
        Option(
            "Row t holds the target of step t, not of the step before",
            "The network only has to copy its input. `teacher_inputs(y, n_o)` shifts by one row and begins with zeros.",
            True,
        ),
        Option(
            "What is fed back should be the network's own ŷ, and no target at all",
            "That is a network without a teacher. It could not predict random targets either.",
        ),
        Option(
            "A one-hot row should be scaled to variance 1",
            "It may help or not; it does not explain a loss near zero on what cannot be predicted.",
        ),
        Option(
            "The rows should be in a random order",
            "The order of the rows does not matter, as long as each has its own input and target.",
        ),
    ],
    hints=["Which line lets the network know what nobody can know?"],
    answer="The first line: no shift. Two tests catch it: the first row of Z must be zero, and random targets cannot be "
    "predicted better than log n_o nats per step on new data.",
)


def _sequences(rng: np.random.Generator) -> list[tuple]:
    cases = []
    for n, tau, size in ((3, 6, 5), (4, 5, 8)):
        p = output_rnn_init(2, 5, 3, rng)._replace(b=rng.normal(size=5), c=rng.normal(size=3))
        x, y = rng.normal(size=(n, tau, 2)), rng.integers(3, size=(n, tau))
        rows = np.append(rng.integers(n * tau, size=size - 2), [tau, 2 * tau])
        cases.append((p, x, y, rows))
    return cases


def _heap(x: np.ndarray, y: np.ndarray, n_o: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return x.reshape(-1, x.shape[2]), np.vstack([teacher_inputs(one, n_o) for one in y]), y.ravel()


def _estimate(p: OutputRNN, heap: tuple, rows: np.ndarray, factor: float) -> OutputRNN:
    gradient = steps_gradient(p, *(part[rows] for part in heap))[1]
    return OutputRNN(*(factor * g for g in gradient))


HEAP = Implement(
    "10.2.1-heap",
    reference=lambda p, x, y, rows: _estimate(p, _heap(x, y, len(p.c)), rows, y.size / len(rows)),
    cases=_sequences,
    gradients=["U", "W", "V", "b", "c"],
    wrong=[
        Wrong(
            "not scaled",
            lambda p, x, y, rows: _estimate(p, _heap(x, y, len(p.c)), rows, 1.0),
            "It looks like the sum over the drawn steps: smaller than the full gradient, by the share that was drawn.",
        ),
        Wrong(
            "a mean",
            lambda p, x, y, rows: _estimate(p, _heap(x, y, len(p.c)), rows, 1 / len(rows)),
            "It looks like the mean over the drawn steps. The full gradient is a sum over all steps.",
        ),
        Wrong(
            "sequences glued together",
            lambda p, x, y, rows: _estimate(
                p, (x.reshape(-1, x.shape[2]), teacher_inputs(y.ravel(), len(p.c)), y.ravel()), rows, y.size / len(rows)
            ),
            "It looks as if the first step of a sequence read the last target of the sequence before it. Every "
            "sequence begins with z⁽⁰⁾ = 0.",
        ),
        Wrong(
            "no shift",
            lambda p, x, y, rows: _estimate(
                p, (x.reshape(-1, x.shape[2]), np.eye(len(p.c))[y.ravel()], y.ravel()), rows, y.size / len(rows)
            ),
            "It looks as if each step read its own target.",
        ),
    ],
)


def _says(x: np.ndarray) -> np.ndarray:
    """What solves the holding task: wait, and at the flag name the bit."""
    bit = (x[:, :1, 0] > 0).astype(int)
    return np.where(x[:, :, 1] > 0, bit, 2)


WHISPER = Implement(
    "10.2.1-whisper",
    reference=_says,
    cases=lambda rng: [(hold(int(length))[0],) for length in (3, rng.integers(5, 20), 100)],
    wrong=[
        Wrong(
            "deaf",
            lambda x: np.where(x[:, :, 1] > 0, 0, 2),
            "It says 0 at the flag, whatever the bit was: nothing of the bit is left. Does the fed-back ŷ₁ − ŷ₀ reach "
            "the unit that keeps the bit, with a gain large enough?",
        ),
        Wrong(
            "deaf, the other way",
            lambda x: np.where(x[:, :, 1] > 0, 1, 2),
            "It says 1 at the flag, whatever the bit was: nothing of the bit is left. Does the fed-back ŷ₁ − ŷ₀ reach "
            "the unit that keeps the bit, with a gain large enough?",
        ),
        Wrong(
            "never speaks",
            lambda x: np.full(x.shape[:2], 2),
            "It waits at the flag too. A second unit must read the flag and take the logit of “wait” down.",
        ),
        Wrong(
            "shouts",
            lambda x: np.broadcast_to((x[:, :1, 0] > 0).astype(int), x.shape[:2]).copy(),
            "It names the bit at every step. “Wait” must be the loudest of the three before the flag.",
        ),
        Wrong(
            "turned round",
            lambda x: np.where(x[:, :, 1] > 0, 1 - (x[:, :1, 0] > 0), 2),
            "It holds the bit and names the other one. Is a sign turned round between the unit and the logits of 0 and 1?",
        ),
        Wrong(
            "in turns",
            lambda x: np.where(
                x[:, :, 1] > 0, (x[:, :1, 0] > 0) ^ (np.arange(x.shape[1]) % 2 == 1), np.full(x.shape[:2], 2)
            ),
            "The bit changes its sign at every step. Does the fed-back ŷ₁ − ŷ₀ push the unit the way that made it?",
        ),
    ],
)

WRITING = Parsons(
    id="10.2.1-writing",
    title="A network that writes",
    stars=1,
    minutes=8,
    ask="Put the lines in order so that an output-recurrent network writes a sequence from its own distribution. Leave "
    "out what does not belong.",
    code="""\
z, y = np.zeros(n_o), []
for t in range(tau):
    h = np.tanh(b + W @ z + U @ x[t])
    yhat = softmax(c + V @ h)
    k = rng.choice(n_o, p=yhat)
    y.append(k)
    z = np.eye(n_o)[k]
return np.array(y)""",
    rules=[
        Rule(1, 2, "Before the first step nothing has been written: z begins at zero, once."),
        Rule(2, 3, "The hidden layer is computed anew at every step, inside the loop."),
        Rule(3, 4, "The distribution is read from the hidden layer of this step."),
        Rule(4, 5, "Draw from this step's distribution, which must be there."),
        Rule(5, 6, "A symbol must be drawn before it can be written down."),
        Rule(5, 7, "What is fed back is the symbol that was drawn."),
        Rule(3, 7, "Step t reads what step t − 1 wrote; the feedback for the next step comes at the end."),
        Rule(6, 8, "The loop ends before the function returns."),
        Rule(7, 8, "The loop ends before the function returns, with the feedback in it."),
    ],
    extra={
        "    z = yhat": "Fed its whole ŷ, no step knows which symbol was drawn. That is another model, and its sequences "
        "are not those of the likelihood.",
        "    z = np.eye(n_o)[target[t]]": "The teacher is for training. In use nobody knows the target.",
        "    k = yhat.argmax()": "That is greedy: it writes one sequence, for ever the same, and not a draw.",
    },
    hints=["Read, compute, draw, write down, feed back."],
    answer="One symbol at a time (ancestral sampling): each is drawn given those that were drawn before it.",
)

LONG_RANGE = MultipleChoice(
    id="10.2.1-long-range",
    title="Better at long range?",
    stars=2,
    minutes=8,
    ask="On the chaotic series, nets trained with scheduled sampling to the end (no teacher left) have an error of 1.0 "
    "after 30 steps alone; nets trained with the teacher have 1.4, in every one of eight seeds. A colleague writes: "
    "“Scheduled sampling predicts chaos better at long range.” What shows best what the difference is made of?",
    options=[
        Option(
            "Compare both with always answering with the mean",
            "The nets with error 1.0 have fallen silent: they say the mean, whose error is 1. The others write a series of "
            "the right kind that is out of step, whose error is √2. Neither predicts anything at 30 steps.",
            True,
        ),
        Option(
            "Train 80 seeds instead of eight, and test the difference",
            "The difference is there in every seed; more of them make it surer and explain nothing.",
        ),
        Option(
            "Test at 60 and 100 steps as well",
            "It will be 1.0 against 1.4 again, since both errors have long levelled off.",
        ),
        Option(
            "Train both twice as long",
            "What decides is where the optimum lies, not how closely it is reached.",
        ),
    ],
    hints=["What error has a forecaster who knows nothing and says so? And one who knows nothing and invents?"],
    answer="Compare with trivial forecasts. In a root-mean-square error the mean beats an unrelated series of the right "
    "kind by √2, so that a lower error can belong to the worse model.",
)

EXERCISES = [
    *(LIKELIHOOD, BOTH, CUT, CONTRACTING, UNRELATED, INDEPENDENT),
    *(SHUFFLE, OPTIMUM, COPYING, HEAP, WHISPER, WRITING, LONG_RANGE),
]
