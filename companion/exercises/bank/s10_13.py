"""Section 10.13: look-ups by hand, the gradient of a hop, and what a memory cannot know without being told."""

from math import ceil, log, log2

import numpy as np

from companion.core.functions import softmax
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.memory import hard_hop, soft_hop

# ---- self-test -------------------------------------------------------------------------------------------------

HARD = MultipleChoice(
    id="10.13-hard",
    title="Reading hard, and learning",
    ask="A net reads hard, so the loss of its answers sends no gradient to its addresses. Why can it learn where to look?",
    options=[
        Option(
            "It is told the facts",
            "The second term of its loss makes the scores a classifier over sentences. Its gradient reaches the "
            "addresses without passing through the reading.",
            True,
        ),
        Option(
            "The contents are learned, and the addresses are made of the same matrices",
            "A and C are matrices of their own in this net. Nothing that C learns moves an address.",
        ),
        Option(
            "Over a whole minibatch, the maximum jumps often enough to give a slope",
            "A mean of functions that are flat almost everywhere is flat almost everywhere.",
        ),
        Option(
            "The question's matrix B still gets a gradient, and that moves the scores",
            "B gets one through u' = u + o alone. It says how to answer, and nothing about where to look.",
        ),
    ],
    hints=["Look at the loss of the net that is told where to look. Does each of its terms need a reading?"],
    answer="Because the facts are given in training: −log softmax(s) of the right sentence has a gradient of its own.",
)

ONE_HOP = MultipleChoice(
    id="10.13-one-hop",
    title="Two facts, one hop",
    ask="A net with a single hop is asked “where is the coin?”. The pick-up says who has it, and a walk says where that "
    "person is. What will the net learn to do?",
    options=[
        Option(
            "Average over likely walks, such as recent ones",
            "When it has to choose a walk, it knows the thing and not the person. Likely walks are the best it can do, "
            "and little better than a guess.",
            True,
        ),
        Option(
            "Read both facts at once, half of the weight on each",
            "It could, if it knew which walk. For that it needs the person, whom only a first look-up would bring.",
        ),
        Option(
            "Read the pick-up, and say where its person usually goes",
            "People have no usual places in these stories: where somebody is, only the story tells.",
        ),
        Option(
            "Nothing at all: it stays at one in six",
            "It finds at least that answers are places, places stand in walks, and late walks count more.",
        ),
    ],
    answer="It averages over likely walks: the score of a walk can depend on the thing that is asked for, and not on the "
    "person who has it.",
)

TRAP = MultipleChoice(
    id="10.13-trap",
    title="Stuck",
    ask="In hop 1 the sentence that counts has the weight p = 0.001, and reading it would lower the loss. Why does its "
    "score hardly rise?",
    options=[
        Option(
            "The gradient of its score is multiplied by p",
            "∇s_i = p_i (c_i − o)ᵀ g. The second factor may be large; the first makes it small. What is hardly read "
            "hardly learns.",
            True,
        ),
        Option(
            "Only the sentence with the largest weight gets a gradient",
            "That is so where one reads hard. A soft hop sends something to every sentence, in proportion to its weight.",
        ),
        Option(
            "Its content is nearly equal to what is read, so that c_i − o is small",
            "Then reading it would change nothing. Here it would lower the loss.",
        ),
        Option(
            "The first hop is too far from the loss: its gradient has passed the second one",
            "It has a direct way: u is added from hop to hop, so g arrives as it is. The walks of hop 1 learn well.",
        ),
    ],
    hints=["Three factors stand in the gradient of a score. Which of them is small here?"],
    answer="Because of the factor p_i in ∇s_i L = p_i (c_i − o)ᵀ g. The softmax makes a trap of what it reads first.",
)


def _rounds(rng: np.random.Generator) -> Asked:
    n = int(rng.choice([5, 6, 7, 10, 12, 20, 25, 50]))
    rounds = ceil(log2(n))
    return Asked(
        f"{n} facts have to be chained: a → b, b → c, and so on. How many rounds are needed at least, if in each round "
        "every row may ask all rows?",
        rounds,
        f"After {rounds - 1} rounds every row points {2 ** (rounds - 1)} pairs ahead, after {rounds} rounds "
        f"{2**rounds}.",
        {
            n: "A single question needs that many hops. Here the rows ask as well, and the reach doubles.",
            rounds - 1: f"After {rounds - 1} rounds a row points {2 ** (rounds - 1)} pairs ahead: not far enough.",
            n / 2: "A round does not halve what is left by two facts at a time: all rows ask at once, so the reach "
            "doubles.",
        },
    )


ROUNDS = Numerical(
    id="10.13-rounds",
    title="A chain of facts",
    ask=_rounds,
    tolerance=0.001,
    hints=["How far does each row point after one round, and after two?"],
    answer="The logarithm of the number of facts to base 2, rounded up. One question alone needs as many hops as facts.",
)

NO_TIME = MultipleChoice(
    id="10.13-no-time",
    title="Without an age",
    ask="“ada walks to the barn … ada walks to the hall … where is ada now?” A memory network has no ages T. What does it "
    "answer?",
    options=[
        Option(
            "Barn or hall, whichever of the words scores higher, in either order",
            "Its weights depend on what a sentence says and not on where it stands: without T the memory is a set.",
            True,
        ),
        Option(
            "Hall: later sentences are stored later, and replace what came before",
            "Nothing is replaced: each sentence has a row of its own, and the softmax does not know the rows' numbers.",
        ),
        Option(
            "Barn: of equal scores, the first one counts",
            "A soft read has no first: equal scores get equal weights.",
        ),
        Option(
            "A place at random: without T all scores are equal",
            "The words still count: sentences about Ada score higher than those about others.",
        ),
    ],
    answer="It cannot know which came last: shuffling the sentences leaves every weight where its sentence is.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _gap(rng: np.random.Generator) -> Asked:
    N, p = int(rng.choice([10, 50, 200, 1000])), float(rng.choice([0.9, 0.95, 0.99]))
    odds = p / (1 - p)
    return Asked(
        f"A memory has N = {N} sentences. The right one has a score that is δ above all others, which are equal. How "
        f"large must δ be for a weight of {p}?",
        log(odds * (N - 1)),
        f"p = e^δ/(e^δ + {N - 1}), so δ = ln({odds:.3g} · {N - 1}). It grows with the logarithm of the memory.",
        {
            log(odds): "That is for two sentences. Here N − 1 others share what the right one does not get.",
            odds * (N - 1): "That is e^δ. Take the logarithm.",
            log(odds * (N - 1)) / log(10): "That is the logarithm to base 10. A softmax has e.",
        },
    )


GAP = Numerical(
    id="10.13-gap",
    title="How far ahead?",
    stars=1,
    minutes=10,
    ask=_gap,
    tolerance=0.005,
    hints=["Write the weight of the right sentence with e^δ and N − 1 others."],
    answer="δ = ln(p (N − 1)/(1 − p)). A read that is sharp on short stories gets blurred on long ones, even where every "
    "score is right.",
)


def _last_wins(rng: np.random.Generator) -> Asked:
    N, lead = int(rng.choice([8, 10, 20, 40])), int(rng.choice([4, 5, 6]))
    return Asked(
        f"You write addresses by hand. A sentence that matches the question scores δ, any other 0, and each step of age "
        f"takes s off. Of two matching neighbours the newer must lead by {lead}; and a matching sentence must lead by "
        f"{lead} over all others, even if it is the oldest of N = {N} and they are new. How large must δ be, at least?",
        lead * N,
        f"s = {lead}, and δ − {N - 1} s ≥ {lead}, so δ = {lead}·{N}. A slope that serves neighbours must be paid for over "
        "the whole story.",
        {
            lead * (N - 1): "Then the oldest matching sentence is level with the newest other one. It has to lead.",
            2 * lead: "That is enough against a neighbour. The oldest sentence loses s for each step of its age.",
            lead: "That is enough without ages. The slope s takes from old sentences what δ gives.",
        },
    )


LAST_WINS = Numerical(
    id="10.13-last-wins",
    title="The last one wins",
    stars=2,
    minutes=10,
    ask=_last_wins,
    tolerance=0.001,
    hints=[
        "How large must s be, for two matching neighbours?",
        "What is left of δ for a matching sentence of age N − 1? What has a newer sentence that does not match?",
    ],
    answer="s is the lead itself, and δ is N times the lead. An address that says “last” by a straight slope must score "
    "ever higher as stories get longer.",
)

MINUS_O = FindBug(
    id="10.13-minus-o",
    title="A hop backward",
    stars=2,
    minutes=8,
    ask="The backward pass of a hop: given g = ∇u' L, it returns the gradients on addresses, contents and question. On a "
    "first test it agrees with torch. Which line is wrong?",
    code="""\
p = softmax(m @ u)
g_c = np.outer(p, g)
g_s = p * (c @ g)
g_m = np.outer(g_s, u)
g_u = g + g_s @ m""",
    line=3,
    lines={
        1: "Scores are m_iᵀ u, and the weights their softmax.",
        2: "Content i enters u' with the weight p_i, so it gets p_i g.",
        4: "s_i = m_iᵀ u, so address i gets ∇s_i times u.",
        5: "The question goes on directly, u' = u + o, and it is part of every score.",
    },
    reasons=[
        Option(
            "What is read, o, must be taken from each content first",
            "The Jacobian of a softmax is diag p − p pᵀ: `p * ((c - p @ c) @ g)`. One sentence's share rises at the cost "
            "of the others.",
            True,
        ),
        Option(
            "The factor must be p (1 − p): that is the slope of a softmax",
            "That is its diagonal. A score changes all weights, its own and the others'.",
        ),
        Option(
            "It must be m @ g: a score belongs to an address",
            "What counts is what the sentence would bring if it were read more, and that is its content.",
        ),
        Option(
            "The factor p is in the contents' gradient already",
            "That is another path. Raising a score by a little raises the weight by p times as much.",
        ),
    ],
    hints=["A number that is added to all scores changes no weight. What follows for the sum of their gradients?"],
    answer="Line 3: `g_s = p * ((c - p @ c) @ g)`. Without the mean it agrees only where oᵀ g = 0.",
)

SUM = MultipleChoice(
    id="10.13-sum",
    title="A test that passed",
    stars=2,
    minutes=6,
    ask="A colleague has g_s = p * (c @ g), where p * ((c − o) @ g) is right. His one test took contents that cancel, so "
    "that o = 0, and agreed with torch to all digits. Which check sees the bug on any other input, without torch?",
    options=[
        Option(
            "Add up the entries of g_s: the sum must be 0",
            "One number added to all scores changes nothing, so the right gradient sums to 0. His sums to oᵀ g.",
            True,
        ),
        Option(
            "Add up the rows of the contents' gradient: the sum must be g",
            "It is, with and without the bug: p_i g needs no score. This path has no mistake.",
        ),
        Option(
            "Look at the sign of g_s: a score whose content points along g must get a positive entry",
            "In both versions some do. And the right one can be negative there, if what is read points along g even more.",
        ),
        Option(
            "Run the test in higher precision",
            "On those inputs the two lines are equal exactly. What is needed is another input, or another property.",
        ),
        Option(
            "Check that g_s has one entry for each sentence",
            "It has. The subtraction of o changes numbers and no shape.",
        ),
    ],
    answer="The sum over scores. An invariance of the forward pass is a property that any gradient must have.",
)


def _hops(m: np.ndarray, c: np.ndarray, U: np.ndarray) -> np.ndarray:
    return np.array([soft_hop(m, c, u).u for u in U])


def _many(rng: np.random.Generator) -> list[tuple]:
    return [tuple(rng.normal(size=(n, 4)) for n in (N, N, Q)) for N, Q in ((7, 3), (5, 5), (6, 1))]


HOPS = Implement(
    "10.13-hops",
    reference=_hops,
    cases=_many,
    wrong=[
        Wrong(
            "over questions",
            lambda m, c, U: U + softmax(m @ U.T).T @ c,
            "It looks as if the softmax went over the questions: each question must distribute itself over the sentences.",
        ),
        Wrong(
            "only what was read",
            lambda m, c, U: _hops(m, c, U) - U,
            "It looks like o, what was read. The next question is u + o.",
        ),
        Wrong(
            "swapped",
            lambda m, c, U: _hops(c, m, U),
            "It looks as if addresses and contents were swapped: compare with m, read from c.",
        ),
        Wrong(
            "hard",
            lambda m, c, U: np.array([hard_hop(m, c, u).u for u in U]),
            "It looks like a hard hop, which reads the best sentence only.",
        ),
    ],
)

ORDER = Parsons(
    id="10.13-order",
    title="From question to answer",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that a memory network answers: x holds the counts of words of each sentence, q those "
    "of the question, age the sentences' ages. Leave out what does not belong.",
    code="""\
u = B @ q
for A_k, T_k, C_k in zip(A, T, C):
    m = x @ A_k.T + T_k[age]
    c = x @ C_k.T
    p = softmax(m @ u)
    u = u + p @ c
return softmax(V @ u)""",
    rules=[
        Rule(1, 2, "The question must be a vector before the first hop compares it."),
        Rule(2, 3, "Each hop has addresses of its own: they belong into the loop."),
        Rule(2, 4, "Each hop has contents of its own: they belong into the loop."),
        Rule(3, 5, "The question is compared with addresses that must be known."),
        Rule(4, 6, "What is read are contents that must be known."),
        Rule(5, 6, "The weights must be known before anything is read by them."),
        Rule(6, 7, "The answer is read off the question after the last hop."),
    ],
    extra={
        "    u = p @ c": "Then the question would be lost after the first hop: what was read is added to it.",
        "    c = m": "Address and content are two vectors here: what a sentence is about, and what one gets by reading it.",
    },
    hints=["What does the second hop compare with its addresses?"],
    answer="The question becomes a vector; each hop makes its addresses and contents, compares, reads and adds; the answer "
    "is read off at the end.",
)

LUCK = MultipleChoice(
    id="10.13-luck",
    title="The best of ten",
    stars=2,
    minutes=6,
    ask="Ten seeds learn two-fact questions from answers alone. Six end near 0.97 and four near 0.45. A colleague keeps the "
    "one with the highest accuracy on the test stories and reports 0.98 for the method. What must she change first?",
    options=[
        Option(
            "Choose by training loss, and say how many seeds got stuck",
            "A choice by the test set reports luck as skill. The training loss tells stuck nets, too, and the count is a "
            "result of its own.",
            True,
        ),
        Option(
            "Report the mean accuracy of all ten seeds instead, which depends on no choice",
            "It is honest, but 0.76 describes none of the nets: there are two kinds of them, and the mean hides that.",
        ),
        Option(
            "Ask more test stories, so that 0.98 has a smaller standard error",
            "The error is in the choice and not in the number of stories.",
        ),
        Option(
            "Train the four others longer, until all ten get there",
            "They are stuck: what they do not read gets practically no gradient, however long they train.",
        ),
    ],
    hints=["Which data decided what is reported?"],
    answer="The test stories must not choose the net. And where nets come in two kinds, their numbers belong in the report.",
)

EXERCISES = [
    *(HARD, ONE_HOP, TRAP, ROUNDS, NO_TIME),
    *(GAP, LAST_WINS, MINUS_O, SUM, HOPS, ORDER, LUCK),
]
