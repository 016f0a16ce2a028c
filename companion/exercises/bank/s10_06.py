"""Section 10.6: what the shape of a tree costs, half a gradient, and a tree that is found merge by merge."""

from itertools import pairwise
from math import ceil, log, log2

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, MultipleChoice, Numerical, Option, Parsons, Rule

# ---- self-test -------------------------------------------------------------------------------------------------

MERGES = MultipleChoice(
    id="10.6-merges",
    title="How many merges?",
    ask="How many compositions does a binary tree over τ leaves make?",
    options=[
        Option(
            "τ − 1, whatever its shape",
            "Each merge turns two nodes into one. The shape decides how many can be done at the same time.",
            True,
        ),
        Option(
            "⌈log₂ τ⌉ if it is balanced, τ − 1 if it is a chain",
            "That is the depth: how many merges lie on the longest way from a leaf to the root.",
        ),
        Option(
            "2τ − 1, one for each node",
            "That is the number of nodes. A leaf gets its state from its input, without a merge.",
        ),
        Option(
            "τ/2 if it is balanced, since each merge takes two leaves",
            "Only the first round merges leaves. The winners are merged in their turn.",
        ),
    ],
    answer="τ − 1, always.",
)


def _rounds(rng: np.random.Generator) -> Asked:
    k, more = int(rng.choice([5, 6, 7])), int(rng.choice([1, 2, 3]))
    tau = 2**k + more
    return Asked(
        f"What is the depth of a balanced tree over {tau} leaves?",
        k + 1,
        f"⌈log₂ {tau}⌉ = {k + 1}. A few leaves above {2**k} cost a whole round.",
        {
            k: f"{k} rounds are enough for {2**k} leaves. There are more.",
            tau - 1: "That is the number of merges, or the depth of a chain.",
            tau // 2: "That is the number of merges in the first round.",
        },
    )


ROUNDS = Numerical(
    id="10.6-rounds",
    title="One leaf too many",
    ask=_rounds,
    hints=["A round turns n nodes into ⌈n/2⌉."],
    answer="⌈log₂ τ⌉ rounds.",
)

ONE_PARENT = MultipleChoice(
    id="10.6-one-parent",
    title="Where nothing is added up",
    ask="Why does no sum over several readers appear at the nodes when the gradient goes back through a tree, as it does in a recurrent "
    "net with an output at every step?",
    options=[
        Option(
            "Every node but the root has one parent, which reads its state",
            "In the recurrent net h⁽ᵗ⁾ is read by its output and by the next state. Here only the parameters are read many times.",
            True,
        ),
        Option(
            "Each merge has parameters of its own, so that nothing needs to be added",
            "One composition is shared by all merges, and its gradient is a sum over them. That sum is at the parameters.",
        ),
        Option(
            "There is one loss only, at the root",
            "That is part of it. But with one loss, too, a node that is read twice would get two shares.",
        ),
        Option(
            "The two children's shares are added in the parent",
            "It is the other way round: the parent's gradient is split into the shares of its two children.",
        ),
    ],
    hints=["Who reads the state of a node?"],
    answer="In a tree each state is read once. Sums appear at W, b and U, which all merges or all leaves share.",
)

ONE_CHAIN = MultipleChoice(
    id="10.6-one-chain",
    title="A single chain, by depth",
    ask="You compute one chain of 1,000 leaves by depth, all merges of equal height in one product. What do you gain?",
    options=[
        Option(
            "Nothing to speak of",
            "Every height holds one merge. You gain when many chains are computed together.",
            True,
        ),
        Option(
            "About a factor of 1,000, since all merges share W",
            "They share W, but each needs the state that the one before it makes.",
        ),
        Option(
            "About a factor of 100, the number of merges over ⌈log₂ 1000⌉",
            "That is for a balanced tree. A chain is 999 deep, and so there are 999 products.",
        ),
        Option(
            "Memory: states of one height can be thrown away",
            "That would be so with any order of work, and the backward pass needs them.",
        ),
    ],
    answer="Nothing to speak of: one merge at each height.",
)


def _tensor(rng: np.random.Generator) -> Asked:
    n = int(rng.choice([5, 6, 7, 8, 10]))
    return Asked(
        f"How many parameters does the tensor of the composition add for {n} units?",
        n * (2 * n) ** 2,
        f"One square matrix of 2·{n} rows for each of {n} units.",
        {
            n**3: "Its two sides are not n_h but 2 n_h long: z holds both children.",
            (2 * n) ** 2: "That is one unit's matrix. Each unit has one.",
            2 * n * n: "That is W. The tensor has a whole matrix for each unit.",
            (2 * n) ** 3: "It makes n_h units, not 2 n_h.",
        },
    )


TENSOR = Numerical(
    id="10.6-tensor",
    title="The price of a product",
    ask=_tensor,
    tolerance=0.001,
    hints=["zᵀ Tᵢ z is one number, for one unit i. How long is z?"],
    answer="n_h (2 n_h)².",
)

SHALLOW = MultipleChoice(
    id="10.6-shallow",
    title="Shallow and yet last",
    ask="In logic, the balanced tree has the shortest way to each leaf, and it came last, behind the chain. Why?",
    options=[
        Option(
            "Its nodes cover fragments that cut through brackets, open on both sides",
            "It has to learn pieces such as `and False ) or` at every alignment. Shallow is not the same as easy.",
            True,
        ),
        Option(
            "It makes fewer merges, so that less is computed",
            "Every binary tree over τ leaves makes τ − 1 merges.",
        ),
        Option(
            "Its gradient vanishes before it reaches the leaves",
            "Of the three trees it has the shortest ways: six merges for 64 leaves.",
        ),
        Option(
            "It has fewer parameters than the chain, which has a matrix for each step",
            "Trees have no parameters. All three share one composition of the same size.",
        ),
    ],
    hints=["What does a node of the balanced tree know, and what of it is a whole expression?"],
    answer="Its fragments follow the position, not the structure. A node of the parse tree has two symbols to carry at most.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _nested(rng: np.random.Generator) -> Asked:
    k = int(rng.choice([3, 4, 5]))
    text = "".join(f"{i}+(" for i in range(1, k + 1)) + f"{k + 1}+{k + 2}" + ")" * k
    tokens = 4 * k + 3
    return Asked(
        f"What is the depth of the parse tree of `{text}`? An operator first takes its right side, then its left one; a bracket is a "
        "leaf, and in `( e )` the closing bracket is merged with e first, then the opening one.",
        2 + 4 * k,
        f"2 for the innermost sum, and 4 for each nesting: closing bracket, opening bracket, operator, left operand. That is as deep "
        f"as the chain of {tokens} tokens; the balanced tree has {ceil(log2(tokens))}.",
        {
            ceil(log2(tokens)): "That is the balanced tree over as many tokens.",
            2 + 2 * k: "Each nesting adds four merges: the two brackets count, too.",
            k + 2: "That is without the brackets, where each further operator adds one level on its left side.",
        },
    )


NESTED = Numerical(
    id="10.6-nested",
    title="Predict the tree",
    minutes=8,
    ask=_nested,
    tolerance=0.001,
    hints=[
        "Draw the merges of the innermost sum first: the operator takes its right side.",
        "How many merges does one bracket add?",
    ],
    answer="2 for the innermost sum and 4 for each bracket around it.",
)

FRAGMENT = MultipleChoice(
    id="10.6-fragment",
    title="Never more than two",
    stars=2,
    minutes=15,
    ask="Which of these fragments can be what a node of a parse tree covers?",
    options=[
        Option(
            "or ( True and False )",
            "An operator with its right operand: the operand has a value, so the node carries two symbols.",
            True,
        ),
        Option("True and", "An operator takes its right side first; its left side comes only when both are known."),
        Option("not (", "A `not` waits for its whole operand, and the operand of this one has hardly begun."),
        Option("( True and False", "An enclosed expression is merged with its closing bracket first."),
    ],
    hints=["`a op b` is (a (op b)), and `( e )` is (( (e )))."],
    answer="There are three kinds of inner node: a whole expression, an operator with its right operand, and an expression with its "
    "closing bracket.",
)

CHILDREN = MultipleChoice(
    id="10.6-children",
    title="Order of the children",
    stars=2,
    minutes=10,
    ask="A colleague saves parameters: the same matrix M for both children, h = tanh(b + M (h_left + h_right)). Which pair of token "
    "sequences gives her net the same output, whatever M is?",
    options=[
        Option(
            "1 - 2 and - 1 2, over a chain",
            "The first two tokens are children of one node, and she sees their sum only; that the second is no expression at all does "
            "not matter to her.",
            True,
        ),
        Option(
            "1 - 2 and 2 - 1, over the parse tree",
            "2 is merged with the operator first, and 1 only afterwards: they are not children of one node.",
        ),
        Option(
            "1 - 2 and 2 - 1, over a chain",
            "Over a chain 1 and - are merged first, then 2. In the other, 2 and - are.",
        ),
        Option(
            "1 - 2 and 1 2 -, over a chain",
            "The first merge sees 1 and - in one, 1 and 2 in the other.",
        ),
    ],
    hints=["Which two tokens are children of the same node?"],
    answer="Exchanging the two children of a node changes nothing; exchanging leaves of different nodes does.",
)


def _forms(rng: np.random.Generator) -> list[tuple]:
    return [(rng.normal(size=(n, 2 * n, 2 * n)), rng.normal(size=2 * n), rng.normal(size=n)) for n in (2, 3)]


HALF = Implement(
    "10.6-half",
    reference=lambda T, z, delta: np.einsum("i,ijk,k->j", delta, T + T.transpose(0, 2, 1), z),
    cases=_forms,
    gradients=["result"],
    wrong=[
        Wrong(
            "half",
            lambda T, z, delta: np.einsum("i,ijk,k->j", delta, T, z),
            "It looks like Σ δᵢ Tᵢ z, the colleague's own line. z stands in zᵀ Tᵢ z twice, and each of the two has a share.",
        ),
        Wrong(
            "twice the half",
            lambda T, z, delta: 2 * np.einsum("i,ijk,k->j", delta, T, z),
            "It looks like 2 Tᵢ z. That is right for a symmetric Tᵢ only; the other share is Tᵢᵀ z.",
        ),
        Wrong(
            "the other half",
            lambda T, z, delta: np.einsum("i,ijk,j->k", delta, T, z),
            "It looks like Σ δᵢ Tᵢᵀ z: the share of the z on the right. That of the z on the left is missing.",
        ),
        Wrong(
            "the value",
            lambda T, z, delta: np.einsum("i,ijk,j,k->i", delta, T, z, z),
            "It looks like the forms zᵀ Tᵢ z themselves, times δᵢ. Wanted is their slope in z, one number for each entry of z.",
        ),
    ],
)


def _flat(rng: np.random.Generator) -> Asked:
    k, d = [(3, 4), (4, 3), (5, 3), (4, 4)][int(rng.integers(4))]
    tau = k**d - int(rng.integers(1, 10))
    return Asked(
        f"Let each node merge up to {k} children instead of two. What is the least depth of a tree over {tau} leaves?",
        d,
        f"A tree of depth d has at most {k}ᵈ leaves, and {k}^{d} = {k**d}; joining in rounds of {k} reaches it.",
        {
            ceil(log2(tau)): "That is with two children.",
            ceil(tau / k): f"That is the number of merges in the first round of {k}.",
            round(log(tau) / log(k), 6): "A depth is a whole number of rounds.",
            d + 1: "That counts the nodes on the way. Depth counts the merges.",
        },
    )


FLAT = Numerical(
    id="10.6-flat",
    title="A bound on flatness",
    stars=2,
    minutes=15,
    ask=_flat,
    tolerance=0.0005,
    hints=["How many leaves can a tree of depth d have at most?"],
    answer="⌈log_k τ⌉. The matrix of the composition is n_h × k n_h, so with k = τ the depth is 1, but each position has a block of its "
    "own, and the sharing is gone.",
)

ORDER = Parsons(
    id="10.6-order",
    title="From the root down",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that they compute the gradients of U and W by backpropagation through structure. The merges stand in "
    "the order in which they were computed; merge k made node τ + k. Leave out what does not belong.",
    code="""\
g = zeros((2 * tau - 1, n_h))
g[-1] = V.T @ (yhat - onehot(y))
for k, (left, right) in reversed(list(enumerate(merges))):
    z = concatenate([h[left], h[right]])
    delta = (1 - h[tau + k] ** 2) * g[tau + k]
    grad_W += outer(delta, z)
    g[left], g[right] = split(W.T @ delta, 2)
grad_U = g[:tau].T @ x""",
    rules=[
        Rule(1, 2, "The gradients of all nodes need a place before the root's is written there."),
        Rule(2, 3, "The walk begins at the root, whose gradient must be known."),
        Rule(3, 4, "z is put together anew for each merge."),
        Rule(3, 5, "δ belongs to one merge, inside the loop."),
        Rule(4, 6, "The outer product needs the children's states."),
        Rule(5, 6, "The outer product needs δ."),
        Rule(5, 7, "What goes to the children is Wᵀ δ."),
        Rule(6, 8, "The leaves come last, when all merges are done."),
        Rule(7, 8, "The gradients at the leaves are known when the last merge has been undone."),
    ],
    extra={
        "for k, (left, right) in enumerate(merges):": "In this order the children come before the parent, whose gradient is not known "
        "yet.",
        "    g[left], g[right] = delta, delta": "Both children would get the same. Each gets its half of Wᵀ δ.",
    },
    hints=["Which node's gradient do you know first?"],
    answer="From the root to the leaves: δ of the parent, its share of ∇W, and the two halves of Wᵀ δ for the children.",
)


def _sequences(rng: np.random.Generator) -> list[tuple]:
    n = 4
    return [
        (rng.normal(size=(n, 2 * n)), rng.normal(size=n), rng.normal(size=n), rng.normal(size=(tau, n)))
        for tau in (6, 9, 12)
    ]


def _found(
    W: np.ndarray, b: np.ndarray, u: np.ndarray, h: np.ndarray, sign: int = 1, score: str = "parent"
) -> np.ndarray:
    nodes, alive, merges = list(h), list(range(len(h))), []
    while len(alive) > 1:
        pairs = [np.tanh(b + W @ np.concatenate([nodes[i], nodes[j]])) for i, j in pairwise(alive)]
        if score == "parent":
            worth = [sign * (u @ parent) for parent in pairs]
        elif score == "children":
            worth = [u @ (nodes[i] + nodes[j]) for i, j in pairwise(alive)]
        else:
            worth = [-k for k in range(len(pairs))]
        at = int(np.argmax(worth))
        merges.append((alive[at], alive[at + 1]))
        alive[at : at + 2] = [len(nodes)]
        nodes.append(pairs[at])
    return np.array(merges)


def _first_scores(W: np.ndarray, b: np.ndarray, u: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The gaps between leaves, closed in the order of the scores that they had at the beginning."""
    worth = [u @ np.tanh(b + W @ np.concatenate([h[i], h[i + 1]])) for i in range(len(h) - 1)]
    node_of, merges = {i: i for i in range(len(h))}, []
    for gap in np.argsort(worth)[::-1]:
        left, right = node_of[gap], node_of[gap + 1]
        merges.append((left, right))
        new = len(h) + len(merges) - 1
        node_of = {leaf: new if node in (left, right) else node for leaf, node in node_of.items()}
    return np.array(merges)


def _places(W: np.ndarray, b: np.ndarray, u: np.ndarray, h: np.ndarray) -> np.ndarray:
    alive, merges = list(h), []
    while len(alive) > 1:
        pairs = [np.tanh(b + W @ np.concatenate(two)) for two in pairwise(alive)]
        at = int(np.argmax([u @ parent for parent in pairs]))
        merges.append((at, at + 1))
        alive[at : at + 2] = [pairs[at]]
    return np.array(merges)


GREEDY = Implement(
    "10.6-greedy",
    reference=_found,
    cases=_sequences,
    wrong=[
        Wrong(
            "the worst",
            lambda *net: _found(*net, sign=-1),
            "It looks as if the pair with the lowest score had been merged first.",
        ),
        Wrong(
            "a chain",
            lambda *net: _found(*net, score="place"),
            "It looks like a chain: the first two nodes are merged each time, whatever the scores are.",
        ),
        Wrong(
            "the children scored",
            lambda *net: _found(*net, score="children"),
            "It looks as if the score were u · (h_left + h_right). It is that of the parent that the merge would make.",
        ),
        Wrong(
            "old scores",
            _first_scores,
            "It looks as if the scores of the beginning had been kept. A new node has new neighbours, and their scores have to be "
            "computed.",
        ),
        Wrong(
            "places",
            _places,
            "The right pairs are merged, but what is returned are their places among the nodes that are left. Wanted are numbers of "
            "nodes: leaves 0 to τ − 1, and τ + k for what merge k makes.",
        ),
    ],
)

EXERCISES = [
    *(MERGES, ROUNDS, ONE_PARENT, ONE_CHAIN, TENSOR, SHALLOW),
    *(NESTED, FRAGMENT, CHILDREN, HALF, FLAT, ORDER, GREEDY),
]
