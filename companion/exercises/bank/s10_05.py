"""Section 10.5: lengths of paths, layers that are one step late, and what a comparison of depths has to hold fixed."""

from math import comb

import numpy as np

from companion.cells.rnn import Layer, gaussian
from companion.core.scan import scan
from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule

UP = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# ---- self-test -------------------------------------------------------------------------------------------------


def _stack_path(rng: np.random.Generator) -> Asked:
    k, lag = int(rng.choice([3, 4, 5])), int(rng.choice([40, 60, 100]))
    return Asked(
        f"A stack has {k} recurrent layers. How many layers lie on a path from the lowest state now to the highest state {lag} steps "
        "later?",
        lag + k - 1,
        f"{lag} steps to the right and {k - 1} up, in whatever order: {lag + k - 1} on every path.",
        {
            k * lag: "That would be so if each step went through all layers. In a stack a path may stay in its layer.",
            lag: "That is from a state to the same layer. To the highest layer you have to go up, too.",
            lag + k: f"From the first layer to layer {k} there are {k - 1} steps up.",
        },
    )


STACK_PATH = Numerical(
    id="10.5-stack-path",
    title="Up and to the right",
    ask=_stack_path,
    tolerance=0.001,
    hints=["How often does a path go to the right, how often up?"],
    answer="δ + k − 1: depth is paid once, not at every step.",
)


def _block_path(rng: np.random.Generator) -> Asked:
    m, lag = int(rng.choice([3, 4, 5])), int(rng.choice([40, 60, 100]))
    return Asked(
        f"One state, and a block of {m} layers from state to state, without a skip connection. How many layers lie on the "
        f"shortest path between two states {lag} steps apart?",
        m * lag,
        "There is only one path, and it goes through the whole block at every step.",
        {
            lag: "That is the shortest path with a skip connection. Without it there is no way past the block.",
            lag + m - 1: "That is a stack, where depth is paid once. Here it is paid at every step.",
            (m - 1) * lag: f"The layers inside the MLP are {m - 1}; the last matrix W with its tanh is one more.",
        },
    )


BLOCK_PATH = Numerical(
    id="10.5-block-path",
    title="Through every block",
    ask=_block_path,
    tolerance=0.001,
    hints=["How many paths are there?"],
    answer="m δ, on the only path. With a skip connection the shortest has δ and the longest still m δ.",
)

NEARER = MultipleChoice(
    id="10.5-nearer",
    title="Nearer by one",
    ask="Which is fewer layers away from the top state h_k⁽ᵗ⁾ of a stack: x⁽ᵗ⁾ or x⁽ᵗ⁻¹⁾?",
    options=[
        Option(
            "x⁽ᵗ⁾, by one layer",
            "k layers up for the input of this step; k up and one to the right for the one before.",
            True,
        ),
        Option(
            "x⁽ᵗ⁻¹⁾, since the state of the step before is ready when the step begins",
            "Ready it is. But a path from x⁽ᵗ⁻¹⁾ has to go up as well, and one step to the right besides.",
        ),
        Option("Both are k layers away", "Going to the right takes a layer, too: it passes a matrix W and a tanh."),
        Option(
            "x⁽ᵗ⁾, by k layers",
            "Then the way to the right would cost k layers. It costs one, in whichever layer it is taken.",
        ),
    ],
    answer="x⁽ᵗ⁾ → h_k⁽ᵗ⁾ takes k layers, x⁽ᵗ⁻¹⁾ → h_k⁽ᵗ⁾ takes k + 1.",
)

OUTPUT_BLOCK = MultipleChoice(
    id="10.5-output-block",
    title="A deeper output",
    ask="You deepen only the block from state to output. How does that change the paths between two states?",
    options=[
        Option(
            "Not at all: it lies on no such path",
            "It adds the same number of layers to every path from a state to the loss, once.",
            True,
        ),
        Option(
            "Each gets longer by the new layers at every step",
            "That is what a deeper block from state to state does. Nothing goes from an output to the next state.",
        ),
        Option(
            "The shortest stays, the longest gets longer",
            "That is what a skip connection does together with a deep block. Here no path between states is touched.",
        ),
    ],
    answer="Not at all. It lengthens every path from a state to the loss, once.",
)

ZERO_S = MultipleChoice(
    id="10.5-zero-s",
    title="A skip of zero",
    ask="In a net with an MLP of m layers in each step and a skip connection, S happens to be zero. How long is the shortest path over "
    "δ steps, and what does the gradient do?",
    options=[
        Option(
            "δ in the graph; but nothing flows there, and the gradient takes the m δ layers",
            "A path says what can flow; the weights say what does.",
            True,
        ),
        Option(
            "δ, and so the gradient fades no faster than in the plain net",
            "The edge multiplies by S, and S is zero: what takes this way arrives as nothing.",
        ),
        Option(
            "m δ, since an edge with weight zero is no edge, in the graph and in the computation alike",
            "The graph is that of the computation as it is written. Its edge stays, and training may fill it.",
        ),
    ],
    answer="The graph has the edge, and its shortest path is δ. The computation takes the other way.",
)

FRESH_MASK = MultipleChoice(
    id="10.5-fresh-mask",
    title="Which mask?",
    ask="Why does dropout harm a recurrent net if its mask is drawn afresh at every step and laid on the arrows from step to step?",
    options=[
        Option(
            "What a unit has to hold for many steps must survive the mask at every one of them",
            "With one fifth masked, 0.8ᵗ is left after t steps. One mask for the whole sequence takes its fifth once.",
            True,
        ),
        Option(
            "The gradient cannot be computed where a unit was masked",
            "It can: it is zero there, as in any net with dropout.",
        ),
        Option(
            "The expected state becomes too small, since a fifth of what comes in is missing at each step",
            "What is kept is divided by 0.8, which makes up for the mean. What was erased does not come back.",
        ),
        Option(
            "Weights that are shared over time must not be masked at all",
            "One mask for all steps of a sequence does just that, and harms much less.",
        ),
    ],
    hints=["Think of one bit that a unit holds for 30 steps."],
    answer="It erases a share of the memory at every step. Put dropout between the layers, or keep one mask for the whole sequence.",
)

# ---- exercises -------------------------------------------------------------------------------------------------


def _commonest(rng: np.random.Generator) -> Asked:
    m, half = int(rng.choice([3, 4, 5])), int(rng.choice([2, 3, 4]))
    lag = 2 * half
    short, long = 3 + lag, 3 + m * lag
    return Asked(
        f"A net with an MLP inside each block and a skip connection has {m} layers from state to state, two from input to state and "
        f"one from state to output. Take all paths from x⁽¹⁾ to o⁽{str(lag + 1).translate(UP)}⁾. Predict which length, in layers, most of them have.",
        short + (m - 1) * half,
        f"The lag is {lag}. Shortest {short}, longest {long}, 2^{lag} = {2**lag} paths; most, {comb(lag, half)} of them, take the long "
        f"way {half} times.",
        {
            short: f"That is the shortest; only one path of {2**lag} has it.",
            long: f"That is the longest; only one path of {2**lag} has it.",
            lag + (m - 1) * half: "That is from state to state. Two layers lead in, and one leads out.",
        },
    )


COMMONEST = Numerical(
    id="10.5-commonest",
    title="Predict the paths",
    minutes=8,
    ask=_commonest,
    tolerance=0.001,
    hints=[
        "At each of the steps a path takes the skip or the MLP.",
        "Of n steps, how many choices take the MLP j times?",
    ],
    answer="Each path takes the long way j times, and C(δ, j) paths do so: most for j = δ/2. With the first and the last block that "
    "makes 2 + δ + (m − 1) δ/2 + 1 layers.",
)


def _skip_stack(rng: np.random.Generator) -> list[tuple]:
    def draw(k: int) -> tuple:
        layers, below = [], 3
        for _ in range(k):
            layers.append(Layer(gaussian((3, below), rng), gaussian((3, 3), rng), 0.3 * rng.normal(size=3)))
        R = tuple(gaussian((3, 3), rng) for _ in range(k - 1))
        V = tuple(gaussian((2, 3), rng) for _ in range(k))
        return tuple(layers), R, V, rng.normal(size=2), rng.normal(size=(6, 3))

    return [draw(2), draw(3)]


def _skipping(
    layers: tuple,
    R: tuple,
    V: tuple,
    c: np.ndarray,
    x: np.ndarray,
    late: bool = False,
    top: bool = False,
    inside: bool = True,
) -> np.ndarray:
    o, below, tau = np.tile(c, (len(x), 1)), x, len(x)
    for l, (layer, V_l) in enumerate(zip(layers, V, strict=True)):
        read, more = below, np.zeros((tau, len(layer.b)))
        if l:
            more = (np.vstack([np.zeros(x.shape[1]), x[:-1]]) if late else x) @ R[l - 1].T
        both = Layer(np.hstack([layer.U, np.eye(len(layer.b))]), layer.W, layer.b)
        h = scan(both, (np.zeros(len(layer.b)),), np.hstack([read, more if inside else 0 * more])).h[1:]
        below = h if inside else h + more
        if not top or l == len(layers) - 1:
            o = o + below @ V_l.T
    return o


SKIPS = Implement(
    "10.5-skips",
    reference=_skipping,
    cases=_skip_stack,
    wrong=[
        Wrong(
            "the top layer alone",
            lambda *net: _skipping(*net, top=True),
            "It looks as if only the highest layer reached the output. Here every layer has a matrix V of its own.",
        ),
        Wrong(
            "x one step late",
            lambda *net: _skipping(*net, late=True),
            "It looks as if the higher layers read the input of the step before. They read x⁽ᵗ⁾, at the same step.",
        ),
        Wrong(
            "outside the tanh",
            lambda *net: _skipping(*net, inside=False),
            "It looks as if R x had been added after the tanh, as in a residual net. Here it is one more summand inside.",
        ),
        Wrong(
            "no skips into the layers",
            lambda layers, R, V, c, x: _skipping(layers, tuple(0 * r for r in R), V, c, x),
            "It looks as if R were not used: the higher layers read x only through the layers below.",
        ),
    ],
)

SHORTENED = MultipleChoice(
    id="10.5-shortened",
    title="What has been shortened?",
    ask="Which way do these skips shorten?",
    options=[
        Option(
            "The way through the layers: one matrix in, one matrix out",
            "From x⁽¹⁾ to o⁽ᵗ⁾ the shortest path has two layers besides the steps, as in the plain net, however large k is.",
            True,
        ),
        Option(
            "The way through time: fewer steps lie between two inputs",
            "Every path still takes one layer for each step to the right. In a stack that way never was longer than the lag.",
        ),
        Option(
            "Both the way through time and the way through the layers, by one step each",
            "No arrow passes over a step. Count the layers of a path that stays within one layer of the stack.",
        ),
    ],
    answer="The way through the layers, which eases training when k is large. The longest paths are as long as before.",
)

LATE = FindBug(
    id="10.5-late",
    title="One step late",
    stars=2,
    minutes=10,
    ask="A colleague writes a stack of two layers. The shapes fit and the loss falls, but PyTorch disagrees. Which line is wrong where "
    "it stands?",
    code="""\
h1 = h2 = np.zeros(n)
o = []
for x_t in x:
    h2 = np.tanh(b2 + W2 @ h2 + U2 @ h1)
    h1 = np.tanh(b1 + W1 @ h1 + U1 @ x_t)
    o.append(c + V @ h2)""",
    line=4,
    lines={
        1: "Both start at zero, and neither is changed in place, so one array may serve for both.",
        3: "One step for each input.",
        5: "The first layer reads its own past and this input. Who has read it before it is made?",
        6: "The output reads the top layer.",
    },
    reasons=[
        Option(
            "It reads h1 of the step before; it has to come after the next line",
            "A layer reads what the layer below computed at the same step. As written, o⁽ᵗ⁾ does not depend on x⁽ᵗ⁾ at all.",
            True,
        ),
        Option(
            "U2 must act on x_t, since U is the matrix from the input to the state",
            "The input of the second layer is the state of the first.",
        ),
        Option(
            "W2 must act on h1, because the layers are connected through W",
            "W of a layer connects it with its own past. Between the layers stands U.",
        ),
        Option(
            "A bias too many: b1 and b2 act as a sum", "They act on different layers, so no single bias replaces them."
        ),
    ],
    hints=["Change the last input only. Which outputs can move?"],
    answer="The line of h2: it is computed before h1 is made new, so the arrow upward has a delay. Swap the two lines.",
)

PARITY = MultipleChoice(
    id="10.5-parity",
    title="Where the input joins",
    stars=2,
    minutes=20,
    ask="A net with ONE state unit should know whether it has seen an odd number of ones: h near +1 for odd, near −1 for even, with x "
    "0 or 1. Take h⁽ᵗ⁾ = tanh(b + W z⁽ᵗ⁾ + U u⁽ᵗ⁾), where z⁽ᵗ⁾ is an MLP of h⁽ᵗ⁻¹⁾ and u⁽ᵗ⁾ an MLP of x⁽ᵗ⁾. Why can it not, however "
    "wide and deep the MLPs are?",
    options=[
        Option(
            "What comes before the tanh is a function of h plus a function of x",
            "F(h₋) + G(0) and F(h₊) + G(1) must be negative, F(h₋) + G(1) and F(h₊) + G(0) positive. But the first two have the same "
            "sum as the last two.",
            True,
        ),
        Option(
            "One unit cannot hold a bit reliably, since tanh pulls its state towards zero at each step",
            "With W above one it holds a bit for ever. Holding is not what fails here; changing it is.",
        ),
        Option(
            "An MLP cannot compute exclusive or",
            "A single layer cannot, an MLP can: but here no MLP ever sees h and x together.",
        ),
        Option(
            "tanh is monotone, so h⁽ᵗ⁾ can only rise with h⁽ᵗ⁻¹⁾ or only fall",
            "That was so without an MLP. With one, F may rise and fall as it likes.",
        ),
    ],
    hints=[
        "Write the four conditions on the sign before the tanh, one for each pair of state and input.",
        "Add two of them, and add the other two.",
    ],
    answer="It is additive, F(h) + G(x), and exclusive or is not. If x joins before the MLP, z = tanh(b′ + W′ h + U′ x), two inner units "
    "are enough.",
)

ORDER = Parsons(
    id="10.5-order",
    title="Back through a stack",
    stars=2,
    minutes=8,
    ask="Put the lines in order so that the function returns the gradients of all layers of a stack. `back(above, layer, states, g)` "
    "does the backward pass of one layer, whose states are read through the matrix `above`, and returns ∇a of its steps. Leave out "
    "what does not belong.",
    code="""\
states, yhat = forward(layers, V, x)
above, g = V, yhat - onehot(y)
for l in reversed(range(k)):
    below = x if l == 0 else states[l - 1]
    g_a = back(above, layers[l], states[l], g)
    grads[l] = sum_over_steps(g_a, below, states[l])
    above, g = layers[l].U, g_a
return grads""",
    rules=[
        Rule(1, 2, "∇o needs the predictions, so the forward pass comes first."),
        Rule(2, 3, "To the top layer, V and ∇o are what stands above; they must be there before the loop."),
        Rule(3, 4, "What a layer reads is chosen inside the loop."),
        Rule(4, 6, "The sum of ∇U needs what the layer has read."),
        Rule(3, 5, "Each layer does its own pass inside the loop."),
        Rule(5, 6, "The parameters' gradient is a sum over ∇a, which must be known."),
        Rule(5, 7, "What goes down to the next layer is the ∇a of this one."),
        Rule(6, 8, "All layers are done before the function returns."),
        Rule(7, 8, "The loop ends before the function returns."),
    ],
    extra={
        "    above, g = V, yhat - onehot(y)": "The output reads the top layer alone. To a lower layer, the layer above is its output "
        "layer.",
        "for l in range(k):": "The pass begins at the top: a lower layer needs the ∇a of the layer above.",
    },
    hints=["To a layer, the layer above is its output layer: which matrix, and which gradient?"],
    answer="From the top: run one layer back, sum its parameters, and hand U and ∇a down in the place of V and ∇o.",
)

DEPTH_PAYS = MultipleChoice(
    id="10.5-depth-pays",
    title="Three layers win",
    stars=2,
    minutes=8,
    ask="A colleague trains three recurrent layers of 64 units and one layer of 64 units, each with the rate that suits it best on "
    "validation text. On test text, over ten seeds, the stack is better every time. She writes: “Depth pays.” Which experiment "
    "tests her sentence?",
    options=[
        Option(
            "Widen the single layer until it has as many parameters, and choose its rate again",
            "Three layers of 64 have almost three times the parameters of one. If the wide layer does as well, it was size.",
            True,
        ),
        Option(
            "Repeat both with a hundred seeds each, and give an interval for the difference of the two",
            "The difference is sure already. What is not sure is where it comes from.",
        ),
        Option(
            "Train both with the same rate, so that nothing else differs",
            "Then one of them may get the wrong rate, and you compare rates. To choose it for each was right.",
        ),
        Option(
            "Add a fourth layer and see whether it gets better still",
            "It gets more layers and more parameters once more. The two stay mixed.",
        ),
    ],
    hints=["What else differs between the two nets?"],
    answer="Compare at equal numbers of parameters, and choose the rate for each net on validation text.",
)

EXERCISES = [
    *(STACK_PATH, BLOCK_PATH, NEARER, OUTPUT_BLOCK, ZERO_S, FRESH_MASK),
    *(COMMONEST, SKIPS, SHORTENED, LATE, PARITY, ORDER, DEPTH_PAYS),
]
