"""Taggers of Python's own source files, and classifiers of spoken vowels (Section P.3).

Accuracies of taggers are over the names of modules that nobody learned from; what is chosen for the vowels is chosen by
folds of the training set, and the test set is asked once.
"""

import platform
from collections import Counter
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.tagging import (
    PARTS,
    TAGS,
    class_logits,
    classifier,
    coded,
    dtw_distances,
    folds,
    japanese_vowels,
    library_lines,
    most_frequent_tag,
    nearest,
    pad,
    resampled,
    standardised,
    statistics,
    tag_logits,
    tagger,
    vocabulary,
    window_places,
)

SECTION = "P.3"
SHOWS = "What both directions are worth to a tagger, what wrong padding costs, and nets against simple rules on speech."
MINUTES, WEIGHTS = 5, "tagging.npz"
CPU_ONLY = True


class Settings(NamedTuple):
    """All constants of the study."""

    parts: dict[str, tuple[str, ...]] = PARTS
    names: int = 200  # that a tagger knows by their spelling
    width: int = 24  # of a word's vector
    units: dict[str, int] = {"left": 64, "right": 64, "both": 42}  # noqa: RUF012
    tag_steps: int = 700  # the last third at a fifth of the rate
    tag_rate: float = 4e-3
    batch: int = 32
    windows: dict[str, tuple[int, int]] = {  # noqa: RUF012  (words before, words after) of a logistic regression
        "2 before": (2, 0),
        "2 after": (0, 2),
        "2 before, 2 after": (2, 2),
        "4 before, 4 after": (4, 4),
    }
    fitted: int = 20_000  # names that a logistic regression learns from
    cells: dict[str, tuple[str, str]] = {  # noqa: RUF012  (cell, which state is read)
        "gru, last": ("gru", "last"),
        "gru, mean": ("gru", "mean"),
        "lstm, last": ("lstm", "last"),
        "lstm, mean": ("lstm", "mean"),
        "gru, padded end": ("gru", "padded end"),
    }
    vowel_units: int = 32
    vowel_steps: int = 300  # the last third at a fifth of the rate
    vowel_rate: float = 5e-3
    noises: tuple[float, ...] = (0.0, 0.6)  # deviation of the noise that is added to the frames in training
    strengths: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)  # of a logistic regression: C
    stretched: int = 16  # steps of the nearest neighbour without warping
    parted: int = 3  # folds
    utterances: int = 370  # of the test set
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    wrong_seeds: tuple[int, ...] = (0, 1, 2)


SETTINGS, UNSEEN = Settings(), ("wrong_seeds",)
QUICK = Settings(
    parts={"learn": ("sched",), "validate": ("queue",), "test": ("netrc",)},
    tag_steps=3,
    batch=2,
    windows={"2 before": (2, 0)},
    fitted=100,
    cells={"gru, last": ("gru", "last"), "gru, padded end": ("gru", "padded end")},
    vowel_steps=3,
    noises=(0.0,),
    strengths=(1.0,),
    utterances=3,
    seeds=(0,),
    wrong_seeds=(0,),
)
WRONG = ("both, reads padding", "left, loss over padding")


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """The corpus, baselines and taggers; classifiers of vowels by folds, then with the noise that was best there."""
    keys: list[dict] = [{"task": "corpus"}, {"task": "tags", "kind": "word"}]
    keys += [{"task": "tags", "kind": f"window {name}"} for name in settings.windows]
    keys += [{"task": "tags", "kind": side, "seed": seed} for seed in settings.seeds for side in settings.units]
    keys += [{"task": "tags", "kind": kind, "seed": seed} for seed in settings.wrong_seeds for kind in WRONG]
    keys += [{"task": "vowels", "kind": kind} for kind in ("nearest", "nearest, warped", "regression")]
    tried = [
        {"task": "folds", "kind": kind, "noise": noise, "fold": fold}
        for kind in settings.cells
        for noise in settings.noises
        for fold in range(settings.parted)
    ]
    keys += tried
    if sum(row["task"] == "folds" for row in rows) == len(tried):
        for kind in settings.cells:
            best = max(settings.noises, key=lambda noise: _folded(rows, kind, noise))
            keys += [{"task": "vowels", "kind": kind, "noise": best, "seed": seed} for seed in settings.seeds]
    return keys


def _folded(rows: list[dict], kind: str, noise: float) -> float:
    """The mean accuracy of one kind of net over the folds."""
    found = [r["accuracy"] for r in rows if (r["task"], r.get("kind"), r.get("noise")) == ("folds", kind, noise)]
    return float(np.mean(found))


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """One row: what the corpus is, a baseline, or a net that is trained and judged."""
    if key["task"] == "corpus":
        return _described(settings)
    if key["task"] == "tags":
        return _net_tags(key, settings) if "seed" in key else _baseline_tags(key, settings)
    return _net_voices(key, settings) if "noise" in key else _baseline_voices(key, settings)


# the tags of names


@cache
def _coded(learn: tuple[str, ...], asked: tuple[str, ...], names: int) -> tuple:
    """The vocabulary; words and tags of each line to learn from and of each that is asked."""
    parts = [library_lines(modules) for modules in (learn, asked)]
    known = vocabulary(parts[0], names)
    return known, *[(coded([x.words for x in part], known), [np.array(x.tags) for x in part]) for part in parts]


def _texts(settings: SimpleNamespace) -> tuple:
    return _coded(tuple(settings.parts["learn"]), tuple(settings.parts["test"]), settings.names)


def _described(settings: SimpleNamespace) -> dict[str, Any]:
    """The Python whose texts were read, the vocabulary, and by part the numbers of lines, words and names by tag."""
    out: dict[str, Any] = {"python": platform.python_version(), "known": _texts(settings)[0], "parts": {}}
    for part, modules in settings.parts.items():
        lines = library_lines(modules)
        tags = Counter(TAGS[t] for line in lines for t in line.tags if t >= 0)
        words = [len(line.words) for line in lines]
        out["parts"][part] = {"lines": len(lines), "words": sum(words), "longest": max(words), "tags": dict(tags)}
    return out


def _judged(found: np.ndarray, tags: np.ndarray, after: np.ndarray, known: list[str]) -> dict[str, Any]:
    """Accuracy, the table of true and found tags, and how many names are right by the word that follows."""
    table = np.zeros((len(TAGS), len(TAGS)), int)
    np.add.at(table, (tags, found), 1)
    follows = {}
    for word in ("(", "=", ".", ",", ")"):
        here = after == known.index(word) if word in known else np.zeros(len(after), bool)
        follows[word] = [int((found == tags)[here].sum()), int(here.sum())]
    return {"accuracy": round(float((found == tags).mean()), 4), "table": table.tolist(), "follows": follows}


def _following(lines: list[np.ndarray]) -> np.ndarray:
    """The word after each word; −1 at a line's end."""
    return np.concatenate([np.append(line[1:], -1) for line in lines])


def _baseline_tags(key: dict, settings: SimpleNamespace) -> dict[str, Any]:
    """The most frequent tag of each word, or a logistic regression on the words around it."""
    known, (learn, told), (asked, true) = _texts(settings)
    y, z = np.concatenate(told), np.concatenate(true)
    if key["kind"] == "word":
        found = most_frequent_tag(np.concatenate(learn)[y >= 0], y[y >= 0], np.concatenate(asked)[z >= 0])
    else:
        from scipy.sparse import csr_array
        from sklearn.linear_model import LogisticRegression

        before, after = settings.windows[key["kind"].removeprefix("window ")]
        width, size = before + 1 + after, (before + 1 + after) * (len(known) + 1)

        def ones(places: np.ndarray) -> csr_array:
            ends = width * np.arange(len(places) + 1)
            return csr_array((np.ones(places.size), places.ravel(), ends), shape=(len(places), size))

        x = window_places(learn, before, after, len(known))[y >= 0]
        some = np.random.default_rng(0).permutation(len(x))[: settings.fitted]
        model = LogisticRegression(max_iter=300).fit(ones(x[some]), y[y >= 0][some])
        found = model.predict(ones(window_places(asked, before, after, len(known))[z >= 0]))
    return _judged(found, z[z >= 0], _following(asked)[z >= 0], known)


def _net_tags(key: dict, settings: SimpleNamespace) -> dict[str, Any]:
    """Train one tagger, right or wrong, and judge it on the names of other modules; seed 0 gives its weights.

    Returns
    -------
    accuracy, table, follows : over names. parameters : how many. And, for the net that reads padding: accuracy of each
    line alone; for the one whose loss counts padding: accuracy with the padding counted as its loss counts it.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    side = key["kind"].partition(",")[0]
    packed, over = "reads padding" not in key["kind"], "loss over" in key["kind"]
    known, (learn, told), (asked, true) = _texts(settings)
    torch_seed(key["seed"])
    net = tagger(side, len(known), settings.width, settings.units[side], len(TAGS))

    def batch(step: int) -> tuple:
        drawn = np.random.default_rng([key["seed"], step]).integers(0, len(learn), settings.batch)
        return _padded([learn[i] for i in drawn], [told[i] for i in drawn])

    def loss(net: torch.nn.ModuleDict, x: tuple, y: torch.Tensor) -> torch.Tensor:
        o = tag_logits(net, *x, side, packed)
        if over:  # wrong: what has no tag, padding too, is counted as the first one
            y = y.clamp(min=0)
        return cross_entropy(o.flatten(0, 1), y.flatten(), ignore_index=-1)

    first = settings.tag_steps * 2 // 3
    train(net, batch, loss, steps=first, lr=settings.tag_rate)
    train(net, lambda s: batch(first + s), loss, steps=settings.tag_steps - first, lr=settings.tag_rate / 5)
    net.eval()

    def say(size: int) -> tuple[np.ndarray, float]:
        """What it says of every word, in batches of so many lines; and the accuracy with padding counted."""
        said, right, every = [], 0, 0
        for i in range(0, len(asked), size):
            x, y = _padded(asked[i : i + size], true[i : i + size])
            with torch.no_grad():
                o = tag_logits(net, *x, side, packed).argmax(2)
            said += [row[:k].numpy() for row, k in zip(o, x[1], strict=True)]
            right, every = right + int((o == y.clamp(min=0)).sum()), every + y.numel()
        return np.concatenate(said), right / every

    z, (found, counted) = np.concatenate(true), say(settings.batch)
    out = _judged(found[z >= 0], z[z >= 0], _following(asked)[z >= 0], known)
    out["parameters"] = sum(w.numel() for w in net.parameters())
    if not packed:
        out["alone"] = round(float((say(1)[0] == z)[z >= 0].mean()), 4)
    if over:
        out["counted"] = round(counted, 4)
    if key["kind"] == "both":  # the same net, right in training, asked as if the padding were words
        packed = False
        out["reads padding"] = round(float((say(settings.batch)[0] == z)[z >= 0].mean()), 4)
    return out if key["seed"] or "," in key["kind"] else {**out, "weights": _rounded(net)}


def _rounded(net: Any) -> dict[str, np.ndarray]:
    """What is stored of a net."""
    return {name: w.numpy().astype(np.float16) for name, w in net.state_dict().items()}


def _padded(lines: list[np.ndarray], tags: list[np.ndarray]) -> tuple:
    """A batch of lines: (words, lengths), and tags, −1 at padding."""
    import torch

    lengths = torch.tensor([len(line) for line in lines])
    x, y = torch.zeros(len(lines), int(lengths.max()), dtype=torch.long), None
    y = torch.full_like(x, -1)
    for i, (line, tag) in enumerate(zip(lines, tags, strict=True)):
        x[i, : len(line)], y[i, : len(tag)] = torch.from_numpy(line), torch.from_numpy(tag)
    return (x, lengths), y


# whose voice


@cache
def _voices() -> tuple:
    return japanese_vowels("train"), japanese_vowels("test")


def _baseline_voices(key: dict, settings: SimpleNamespace) -> dict[str, Any]:
    """The nearest neighbour, without or with warping, or a logistic regression on means and deviations."""
    train, test = _voices()
    X, Z = standardised(train.x, test.x[: settings.utterances])
    y, z = train.y, test.y[: settings.utterances]
    chosen: dict[str, Any] = {}
    if key["kind"] == "regression":
        from sklearn.linear_model import LogisticRegression

        (S,) = standardised([np.array([statistics(x) for x in X])])
        mean = np.array([statistics(x) for x in X])
        asked = (np.array([statistics(x) for x in Z]) - mean.mean(0)) / mean.std(0)

        def folded(C: float) -> float:
            right = [
                (LogisticRegression(C=C, max_iter=5000).fit(S[0][a], y[a]).predict(S[0][b]) == y[b]).mean()
                for a, b in folds(y, settings.parted)
            ]
            return float(np.mean(right))

        C = max(settings.strengths, key=folded)
        found = LogisticRegression(C=C, max_iter=5000).fit(S[0], y).predict(asked)
        chosen = {"C": C, "folded": round(folded(C), 4)}
    elif key["kind"] == "nearest":
        flat = [np.array([resampled(x, settings.stretched).ravel() for x in part]) for part in (X, Z)]
        found = nearest(((flat[1][:, None] - flat[0]) ** 2).sum(-1), y)
    else:
        found = nearest(np.array([dtw_distances(x, X) for x in Z]), y)
    return {"accuracy": round(float((found == z).mean()), 4), **chosen}


def _net_voices(key: dict, settings: SimpleNamespace) -> dict[str, Any]:
    """Train one classifier on two folds of three, or on the whole training set, and judge it on the rest or the test.

    Returns
    -------
    accuracy : of utterances. And, of a net that reads the last state: the same net read at the padded end.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from companion.training import torch_seed, train

    (cell, reading), (spoken, test) = settings.cells[key["kind"]], _voices()
    if "fold" in key:
        a, b = folds(spoken.y, settings.parted)[key["fold"]]
        x, y, asked, z = [spoken.x[i] for i in a], spoken.y[a], [spoken.x[i] for i in b], spoken.y[b]
    else:
        x, y, asked, z = spoken.x, spoken.y, test.x[: settings.utterances], test.y[: settings.utterances]
    (x, lengths), (asked, ends) = (_tensor(part) for part in standardised(x, asked))
    y, seed = torch.from_numpy(y), key.get("seed", 0)
    torch_seed(seed)
    net = classifier(cell, x.shape[2], settings.vowel_units, 9)

    def batch(step: int) -> tuple:
        rng = np.random.default_rng([seed, step])
        i = rng.choice(len(x), settings.batch, replace=False)
        noise = torch.tensor(rng.standard_normal((settings.batch, *x.shape[1:])), dtype=torch.float32)
        real = (torch.arange(x.shape[1]) < lengths[i][:, None])[:, :, None]
        return (x[i] + key["noise"] * noise * real, lengths[i]), y[i]

    def loss(net: torch.nn.ModuleDict, x: tuple, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(class_logits(net, *x, reading), y)

    first = settings.vowel_steps * 2 // 3
    train(net, batch, loss, steps=first, lr=settings.vowel_rate)
    train(net, lambda s: batch(first + s), loss, steps=settings.vowel_steps - first, lr=settings.vowel_rate / 5)

    def accuracy(how: str) -> float:
        with torch.no_grad():
            return round(float((class_logits(net, asked, ends, how).argmax(1).numpy() == z).mean()), 4)

    out: dict[str, Any] = {"accuracy": accuracy(reading)}
    if reading == "last":
        out["padded end"] = accuracy("padded end")
    return {**out, "weights": _rounded(net)} if (key["kind"], key.get("seed")) == ("gru, last", 0) else out


def _tensor(sequences: list[np.ndarray]) -> tuple:
    """Padded sequences and their lengths, for torch."""
    import torch

    x, mask = pad(sequences)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(mask.sum(1).astype(int))


# what it shows


def judge(settings: Settings, rows: list[dict]) -> dict[str, Any]:
    """By task and kind: the lowest, the median and the highest accuracy over the seeds."""
    out: dict[str, Any] = {}
    for row in rows:
        if row["task"] in ("tags", "vowels"):
            out.setdefault(row["task"], {}).setdefault(row["kind"], []).append(row["accuracy"])
    return {
        task: {kind: [min(found), round(float(np.median(found)), 4), max(found)] for kind, found in kinds.items()}
        for task, kinds in out.items()
    }
