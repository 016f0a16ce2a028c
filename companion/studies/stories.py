"""Which nets learn to answer questions about stories? Seeds, stories and facts counted (Section 10.13).

Memory networks (told the facts; from answers alone; with three kinds of help; without time; with random ages; on few
stories) and recurrent readers. Training stories have 2 to 10 sentences and never hold a pair of a person and a place
that is held out.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

SECTION = "10.13"
SHOWS = "Which memory networks and recurrent readers learn to answer questions about stories, and with what help."
MINUTES = 13
WEIGHTS = "stories.npz"


class Kind(NamedTuple):
    """One kind of run: which net, told the facts or not, how long and how fast, and what it is shown.

    The first `linear` steps are without softmax; the first `short` steps have stories of at most 4 sentences; `spread`
    draws ages at random; `stories` limits how many there are; `needs` are the sorts of questions.
    """

    told: bool = False
    steps: int = 1500
    rate: float = 0.005
    net: str = "memory"  # or "LSTM", "GRU"
    units: int = 24
    hops: int = 2
    time: bool = True
    linear: int = 0
    short: int = 0
    spread: bool = False
    stories: int | None = None
    needs: tuple[int, ...] = (1, 2)


SIZES = (180, 540, 1800, 5400, 18000)  # training stories, where they are few
KINDS = {
    "supervised": Kind(told=True),
    "soft": Kind(),
    "linear start": Kind(linear=300),
    "short first": Kind(short=500),
    "three hops": Kind(hops=3),
    "one hop": Kind(hops=1),
    "two-fact questions only": Kind(needs=(2,)),
    "supervised, no time": Kind(told=True, time=False),
    "soft, no time": Kind(time=False, short=500),
    "supervised, random ages": Kind(told=True, steps=4000, spread=True),
    "soft, random ages": Kind(steps=4000, short=500, spread=True),
    **{f"LSTM, {rate}": Kind(rate=rate, net="LSTM", units=20, short=500) for rate in (0.003, 0.01)},
    **{f"GRU, {rate}": Kind(rate=rate, net="GRU", units=23, short=500) for rate in (0.003, 0.01)},
    "large LSTM": Kind(steps=4500, rate=0.003, net="LSTM", units=64, short=500),
    "large LSTM, long": Kind(steps=20000, rate=0.003, net="LSTM", units=64, short=500),
    **{f"supervised, {n} stories": Kind(told=True, short=500, stories=n) for n in SIZES},
    **{f"soft, {n} stories": Kind(short=500, stories=n) for n in SIZES},
}
SEEDS = {
    **dict.fromkeys(KINDS, 5),
    **dict.fromkeys(("supervised", "soft", "linear start", "short first"), 20),
    **{k: 3 for k in KINDS if "LSTM" in k or "GRU" in k or "random ages" in k},
    "three hops": 10,
    "large LSTM, long": 1,
}


class Settings(NamedTuple):
    """All constants of the study."""

    kinds: dict[str, Kind] = KINDS
    seeds: dict[str, int] = SEEDS
    hard: tuple[str, ...] = ("supervised", "soft", "short first")  # kinds also judged with hard reading
    lengths: tuple[int, ...] = (2, 4, 6, 8, 10, 20, 40)  # sentences in tests
    judged: int = 1000  # test stories of a sort
    longest: int = 10  # sentences in training, one of the lengths
    learned: float = 0.95  # one- and two-fact questions about stories of the longest length, at least
    stuck: float = 0.6  # two-fact questions about them, below


SETTINGS, UNSEEN = Settings(), ("seeds", "longest", "learned", "stuck")
QUICK = Settings(
    {"supervised": Kind(told=True, steps=2), "soft": Kind(steps=2, linear=1), "GRU": Kind(net="GRU", steps=2)},
    {"supervised": 1, "soft": 2, "GRU": 1},
    judged=20,
)


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every kind with its seeds."""
    return [{"kind": kind, "seed": seed} for kind in settings.kinds for seed in range(settings.seeds[kind])]


def fresh(kind: Kind) -> Any:
    """The untrained net of a kind."""
    from companion.memory.network import MemoryNet, Reader

    if kind.net == "memory":
        return MemoryNet(kind.units, kind.hops, time=kind.time)
    return Reader(kind.units, kind.net)


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net of a kind from one seed.

    Returns
    -------
    parameters : numbers in the net. soft, hard : accuracies by reading, see `story_scores`.
    """
    from companion.memory.network import Batch, answer_loss, linear_loss, supervised_loss
    from companion.memory.story_practice import story_batches, story_scores
    from companion.training import torch_seed, train

    kind, seed = settings.kinds[key["kind"]], key["seed"]
    torch_seed(seed)
    net = fresh(kind).to(device)
    draw = story_batches(seed, kind.short, kind.spread, kind.stories, kind.needs)
    stages = [(0, kind.linear, linear_loss)] if kind.linear else []
    stages.append((kind.linear, kind.steps - kind.linear, supervised_loss if kind.told else answer_loss))
    for begin, steps, loss in stages:

        def batch(step: int, begin: int = begin) -> tuple:
            x, y = draw(begin + step)
            return Batch(*(v.to(device) for v in x)), y.to(device)

        train(net, batch, loss, steps=steps, lr=kind.rate, clip=10, every=kind.steps)
    net.cpu()
    reads = ("soft", "hard") if key["kind"] in settings.hard else ("soft",)
    scores = {read: story_scores(net, settings.lengths, read, settings.judged) for read in reads}
    weights = {name: value.numpy() for name, value in net.state_dict().items()}
    return {"parameters": sum(v.numel() for v in net.parameters()), **scores, "weights": weights}


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, int]]:
    """Of each kind, how many nets learned both sorts of questions."""
    at, found = settings.lengths.index(settings.longest), {}
    for kind in settings.kinds:
        nets = [row["soft"] for row in rows if row["kind"] == kind]
        good = sum(min(net["1"][at], net["2"][at]) >= settings.learned for net in nets)
        found[kind] = {"nets": len(nets), "learned": good}
    return found


def keep(settings: Settings, rows: list[dict]) -> list[dict]:
    """Three nets told the facts, three with short stories first, and all that answers alone got stuck."""
    at = settings.lengths.index(settings.longest)
    stuck = [row for row in rows if row["kind"] == "soft" and row["soft"]["2"][at] < settings.stuck]
    firsts = [row for row in rows if row["kind"] in ("supervised", "short first") and row["seed"] < 3]
    return [{"kind": row["kind"], "seed": row["seed"]} for row in firsts + stuck]
