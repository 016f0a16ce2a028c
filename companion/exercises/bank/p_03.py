"""Practice P.3: which side tells a tag, what padding does to losses and states, and warping in time."""

import numpy as np

from companion.exercises.ladder import Implement, Wrong
from companion.exercises.questions import Asked, FindBug, MultipleChoice, Numerical, Option, Parsons, Rule
from companion.tagging import dtw_distances

# ---- self-test -------------------------------------------------------------------------------------------------

WHICH_SIDE = MultipleChoice(
    id="P.3-which-side",
    title="Which side tells?",
    ask="In `send(parcel, to=home)`, a net reads from the left and must tag `to` when it has just read it. Why can it "
    "not know that `to` names an argument?",
    options=[
        Option(
            "The sign that says so, =, has not been read",
            "Up to `to`, the line could go on as `send(parcel, to)`, where `to` is a variable, or as `send(parcel, "
            "to(home))`, where it is called. No training can change that.",
            True,
        ),
        Option(
            "Its state has forgotten the ( by then",
            "Three words are no distance for a GRU. And with the bracket in mind it would still have three tags left.",
        ),
        Option(
            "`to` is not among the names that it knows",
            "A known spelling would help a little, but here the missing sign decides, whatever the name.",
        ),
        Option(
            "It has half as many units as a net of two directions",
            "It has as many parameters. More units cannot show it a sign that it has not read.",
        ),
    ],
    hints=["Write down two lines that begin in the same way and give the name different tags."],
    answer="What settles it comes after the name: the net has not read the = yet.",
)


def _diluted(rng: np.random.Generator) -> Asked:
    lengths = [int(n) for n in rng.permutation([[2, 4, 10], [3, 5, 12], [1, 6, 8], [4, 5, 15]][rng.integers(4)])]
    real, whole = sum(lengths), 3 * max(lengths)
    return Asked(
        f"Three lines of {lengths[0]}, {lengths[1]} and {lengths[2]} words are padded to one array. The loss is 1.2 at "
        f"each word and 0 at each padded step. You take the mean over the whole array. What do you get?",
        1.2 * real / whole,
        f"{real} of {whole} places are words: 1.2 · {real}/{whole}. The next batch has other lengths, and so another "
        "factor.",
        {
            1.2: "That is the masked mean. The plain mean divides by the padded places too.",
            1.2 * whole / real: "The padding adds zeros: it makes the mean smaller.",
            0.4: "The number of lines does not matter, but how many of the places are words.",
        },
    )


DILUTED = Numerical(
    id="P.3-diluted",
    title="A diluted loss",
    ask=_diluted,
    tolerance=0.01,
    hints=["How many places has the array, and at how many of them stands a word?"],
    answer="The loss times the share of places that are words.",
)

FIRST_MET = MultipleChoice(
    id="P.3-first-met",
    title="Who meets the padding first?",
    ask="Lines are padded at their ends. You run a bidirectional net over the array, without mask or packing, and look "
    "at real steps only. Which states are wrong?",
    options=[
        Option(
            "Those of the backward direction, at all real steps",
            "It starts at the padded end and carries what it read there into every real step. The forward states at "
            "real steps have not met the padding yet.",
            True,
        ),
        Option(
            "Those of both directions, at the last real step only",
            "The forward state is right at every real step. The backward state is wrong there and at all steps before.",
        ),
        Option(
            "None, since the loss is masked",
            "The mask on the loss keeps padded steps out of the mean. It does nothing to states at real steps.",
        ),
        Option(
            "Those of the forward direction, after the first short line",
            "Lines of a batch do not touch each other: each has its own state.",
        ),
    ],
    hints=["In which order does each direction meet the real steps and the padded ones?"],
    answer="The backward states at all real steps: that direction reads the padding first.",
)

WHAT_TEST = MultipleChoice(
    id="P.3-what-test",
    title="When is the test set asked?",
    ask="You try ten settings of a net on the 370 test utterances and report the best. What is wrong with the number?",
    options=[
        Option(
            "It is too good: the best of ten has luck in it",
            "One setting of ten gets a few utterances right by luck, and you chose the one that did. On fresh speech it "
            "has no such luck. Choose on folds of the training set; then ask once.",
            True,
        ),
        Option(
            "Nothing, as no net was trained on the test set",
            "No weight was fitted to it, but a setting was chosen by it, which is fitting too.",
        ),
        Option(
            "It is too bad: the net should also have learned from the test set",
            "Then nothing would be left to judge by.",
        ),
        Option(
            "The ten settings need ten seeds each, and then the best may be taken",
            "More seeds make each number steadier. The best of them is still chosen by the test set.",
        ),
    ],
    answer="A choice by the test set makes its number too good; choose by data that the last judgement does not use.",
)

# ---- exercises -------------------------------------------------------------------------------------------------

SAME_BEGINNING = MultipleChoice(
    id="P.3-same-beginning",
    title="Decided too early",
    stars=1,
    minutes=6,
    ask="Which of these names can a net that reads from the left tag for sure when it has just read it?",
    options=[
        Option(
            "`cost` in `def cost(x): pass`",
            "`def` stands before it: whatever comes after, the name is being defined.",
            True,
        ),
        Option(
            "`cost` in `cost = 3`",
            "Up to there, the line might go on as `cost(3)`, a call, or `cost + 3`, which reads a variable.",
        ),
        Option(
            "`cost` in `shop.cost`",
            "The dot leaves a method that is called, an attribute that is read, and one that is assigned.",
        ),
        Option(
            "`cost` in `[cost, tax]`",
            "`[cost(x), tax]` begins in the same way, and so does `[cost, tax] = bill`, which assigns.",
        ),
    ],
    hints=["For each of them, write a line with the same beginning in which the name is something else."],
    answer="`cost` after `def`: nothing that follows can change it.",
)


def _mean(h: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    mask = np.arange(h.shape[1]) < np.asarray(lengths)[:, None]
    return (mask[:, :, None] * h).sum(1) / np.asarray(lengths)[:, None]


def _batches(rng: np.random.Generator) -> list[tuple]:
    return [(rng.normal(size=(4, 6, 3)), np.array([6, 2, 1, 4])), (rng.normal(size=(2, 3, 2)), np.array([1, 2]))]


MASKED = Implement(
    "P.3-masked",
    reference=_mean,
    cases=_batches,
    wrong=[
        Wrong("plain mean", lambda h, lengths: h.mean(1), "It looks as if the padded steps were in the mean."),
        Wrong(
            "sum over the array",
            lambda h, lengths: _mean(h, lengths) * np.asarray(lengths)[:, None] / h.shape[1],
            "It looks as if you divided by the length of the array: each sequence has its own number of steps.",
        ),
        Wrong(
            "not divided",
            lambda h, lengths: _mean(h, lengths) * np.asarray(lengths)[:, None],
            "It looks like the sum: divide it by the sequence's length.",
        ),
        Wrong(
            "last state",
            lambda h, lengths: h[np.arange(len(h)), np.asarray(lengths) - 1],
            "It looks like the last state; asked is the mean of all real ones.",
        ),
    ],
)

PADDED_END = FindBug(
    id="P.3-padded-end",
    title="A reader of silence",
    stars=1,
    minutes=6,
    ask="The function gives the logits of a padded batch of utterances, x (B, tau, 12), with their lengths (B,).",
    code="def voices(net, x, lengths):\n"
    "    B, tau, _ = x.shape\n"
    "    h, _ = net['rnn'](x)  # (B, tau, n_h)\n"
    "    mask = torch.arange(tau) < lengths[:, None]\n"
    "    last = h[:, tau - 1]\n"
    "    mean = (mask[:, :, None] * h).sum(1) / lengths[:, None]\n"
    "    return net['head'](torch.cat([last, mean], dim=1))",
    line=5,
    lines={
        3: "The net runs on into the padding, but it reads forward: states at real steps have not met it.",
        4: "Step t (from 0) is real where t < length.",
        6: "The sum of real states over the number of real steps: the masked mean.",
    },
    reasons=[
        Option(
            "It is the state after the padding, not at each utterance's own last step",
            "Right: `h[torch.arange(B), lengths - 1]`. What stands at tau − 1 depends on how long the longest "
            "utterance of the batch is.",
            True,
        ),
        Option(
            "It counts from 0, so the last step is h[:, tau]",
            "That is beyond the end of the array. The index is not the trouble; that it is the same for all is.",
        ),
        Option(
            "It should be h[:, 0], since the first state has seen everything",
            "That holds for the backward direction. This net reads forward.",
        ),
    ],
    hints=["Give a short utterance alone, then beside a long one. Which line changes?"],
    answer="Line 5: want h[torch.arange(B), lengths − 1], each sequence at its own end.",
)

ORDER = Parsons(
    id="P.3-order",
    title="Pack, run, unpack",
    stars=2,
    minutes=8,
    ask="Put the lines in order: the mean loss of a bidirectional tagger over the words of a padded batch. x (B, tau) "
    "holds words, y (B, tau) tags, −1 where there is none.",
    code="v = embed(x)\n"
    "packed = pack_padded_sequence(v, lengths, batch_first=True, enforce_sorted=False)\n"
    "states, last = gru(packed)\n"
    "h, _ = pad_packed_sequence(states, batch_first=True)\n"
    "o = head(h)\n"
    "loss = cross_entropy(o.flatten(0, 1), y.flatten(), ignore_index=-1)",
    rules=[
        Rule(1, 2, "Words become vectors before they are packed."),
        Rule(2, 3, "The GRU must be given what is packed, or its backward half reads the padding first."),
        Rule(3, 4, "There is nothing to unpack before the GRU has run."),
        Rule(4, 5, "The head is a linear layer for arrays: unpack first."),
        Rule(5, 6, "The loss needs the logits."),
    ],
    extra={
        "states, last = gru(v)": "So the backward half reads the padding first. Give it what is packed.",
        "loss = cross_entropy(o.flatten(0, 1), y.flatten().clamp(min=0))": "So what has no tag is counted as tag 0, "
        "and the mean is over the whole array.",
    },
    hints=["Which line needs what another line makes?"],
    answer="Vectors, packed, through the GRU, unpacked, logits, and a loss that leaves out what has no tag.",
)


def _warped(x: np.ndarray, z: np.ndarray) -> float:
    return float(dtw_distances(x, [z])[0])


def _warp(x: np.ndarray, z: np.ndarray, ways: tuple, root: bool = True, edge: float = np.inf) -> float:
    D = np.full((len(x) + 1, len(z) + 1), edge)
    D[0, 0] = 0
    for i in range(1, len(x) + 1):
        for j in range(1, len(z) + 1):
            before = 0.0 if i == j == 1 else min(D[i - a, j - b] for a, b in ways)
            D[i, j] = ((x[i - 1] - z[j - 1]) ** 2).sum() + before
    return float(np.sqrt(D[-1, -1]) if root else D[-1, -1])


ALL_WAYS = ((1, 0), (0, 1), (1, 1))

WARPING = Implement(
    "P.3-warping",
    reference=_warped,
    cases=lambda rng: [(rng.normal(size=(m, 2)), rng.normal(size=(n, 2)) + 1) for m, n in ((4, 6), (7, 3), (5, 5))],
    wrong=[
        Wrong(
            "no square root",
            lambda x, z: _warp(x, z, ALL_WAYS, root=False),
            "It looks as if the square root at the end were missing.",
        ),
        Wrong(
            "no diagonal",
            lambda x, z: _warp(x, z, ((1, 0), (0, 1))),
            "It looks as if both sequences could not step on together: the third way is D(i − 1, j − 1).",
        ),
        Wrong(
            "free start",
            lambda x, z: _warp(x, z, ALL_WAYS, edge=0.0),
            "It looks as if the edge were 0: then an alignment may leave out the beginning. Want ∞ there.",
        ),
        Wrong(
            "no warping",
            lambda x, z: float(np.sqrt(((x[: len(z)] - z[: len(x)]) ** 2).sum())),
            "It looks as if step i were compared with step i only.",
        ),
    ],
)


def _windows(rng: np.random.Generator) -> Asked:
    known, k, tags = int(rng.choice([200, 300, 400])), int(rng.integers(2, 6)), 8
    return Asked(
        f"A logistic regression tags a word by a one-hot of the word and of its {k} neighbours on each side. Each of "
        f"the one-hots has {known} entries, and there are {tags} tags. How many weights has it, without biases?",
        known * (2 * k + 1) * tags,
        f"{2 * k + 1} places of {known} entries, times {tags} tags: it grows with the window, and a recurrent net does "
        "not.",
        {
            known * 2 * k * tags: "The word itself is looked at, too.",
            known * (k + 1) * tags: f"{k} neighbours on each side: 2 · {k}, and the word.",
            known * (2 * k + 1): "Each tag has weights of its own.",
            known * tags: "A weight for each place of the window: a word means another thing before than after.",
        },
    )


WINDOWS = Numerical(
    id="P.3-windows",
    title="The price of a window",
    stars=1,
    minutes=5,
    ask=_windows,
    tolerance=0.001,
    hints=["How many places has the window?"],
    answer="Words of the vocabulary times places of the window times tags.",
)

EXERCISES = [
    *(WHICH_SIDE, DILUTED, FIRST_MET, WHAT_TEST),
    *(SAME_BEGINNING, WINDOWS, MASKED, PADDED_END, ORDER, WARPING),
]
