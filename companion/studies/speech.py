"""The recipe of a lecture for a net that writes, and a better one (Section P.1): time, quality, what two changes do."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.cells.interop import from_torch
from companion.gated.characters import CharLSTM
from companion.speech.prose import contexts, parts, places, read_prose, recipe_windows
from companion.speech.writer import model_nats, packed, unpacked

SECTION = "P.1"
SHOWS = "How long a lecture's recipe takes to its best validation loss, and how long streams with a carried state do."
MINUTES, WEIGHTS = 20, "speech.npz"


class Settings(NamedTuple):
    """All constants of the study."""

    seeds: tuple[int, ...] = (0, 1, 2)
    windows: int = 10_000  # the recipe's, as are the next six
    validated: int = 500
    units: int = 200
    layers: int = 2
    rate: float = 5e-3
    dropout: float = 0.2
    size: int = 100
    passes: int = 14  # at most; it ends when three of them brought nothing
    stream_units: int = 128
    streams: int = 32
    length: int = 50
    stream_rate: float = 4e-3
    steps: int = 2500
    every: int = 100
    compared: int = 2000  # windows of the validation text, on which both are timed
    apart: int = 5  # from one judged place of the test text to the next
    page_units: int = 80
    page_steps: int = 6000  # the last third at a fifth of the rate
    levels: int = 127  # of a stored weight, on each side of zero


SETTINGS, UNSEEN = Settings(), ("seeds",)
QUICK = Settings(
    seeds=(0,), windows=20, validated=10, units=4, size=10, passes=1, stream_units=4, streams=2, length=10,
    steps=4, every=2, compared=20, apart=1000, page_units=4, page_steps=6,
)  # fmt: skip


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """The net that writes in the page, the better training, the recipe, the better training with two changes."""
    kinds = ("streams", "recipe", "streams, dropout", "streams, layer norm")
    return [{"kind": "page", "seed": 0}, *({"kind": kind, "seed": seed} for kind in kinds for seed in settings.seeds)]


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net and judge it where its validation loss was best.

    Returns
    -------
    seconds_at, characters_at, nats : processor seconds of training, characters read, and nats of the next
        character given 30, at every entry of the learning curve; on the same windows for all kinds.
    nats_500, learned : the same on the first 500 windows, as many as the recipe drew; the loss that was learned from.
    best : the entry with the fewest nats.
    test_context, test_carried : nats on the test text there, given 30 characters, and with a carried state.
    weights : of the net that writes in the page, in whole numbers with a scale for each row.
    """
    return _page(key, settings, device) if key["kind"] == "page" else _race(key, settings, device)


def _race(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    import copy

    from companion.speech import nets
    from companion.training import torch_seed, train

    kind, seed = key["kind"], key["seed"]
    recipe = kind.startswith("recipe")
    text, rng = parts(read_prose()), np.random.default_rng([seed, 1])
    compared = recipe_windows(text.validation, settings.compared, np.random.default_rng(0))
    watch, curve, kept = nets.Stopwatch(), [], {}
    torch_seed(seed)
    if recipe:
        drawn = recipe_windows(text.learn, settings.windows, rng)
        dropout = 0.0 if kind.endswith("no dropout") else settings.dropout
        net = nets.SpeechNet(settings.units, settings.layers, dropout=dropout).to(device)
        batch, loss = nets.recipe_batches(drawn, settings.size, seed, device), nets.last_loss
        every, read = settings.windows // settings.size, settings.size * 30
        steps, rate, clip = settings.passes * every, settings.rate, None
    else:
        net = nets.stream_net(
            settings.stream_units,
            dropout=settings.dropout if kind.endswith("dropout") else 0.0,
            norm=kind.endswith("norm"),
            streams=settings.streams,
        ).to(device)
        batch, loss = nets.stream_batches(text.learn, settings.streams, settings.length, seed, device), nets.every_loss
        every, read = settings.every, settings.streams * settings.length
        steps, rate, clip = settings.steps, settings.stream_rate, 1.0

    def evaluate(net: Any) -> dict[str, float]:
        with watch:
            seconds = watch.stopped - watch.began
            own = nets.context_nats(net, compared[: settings.validated])
            nats = nets.context_nats(net, compared)
            if not kept or nats < kept["nats"]:
                kept.update(nats=nats, at=len(curve), net=copy.deepcopy(net.state_dict()))
            curve.append((round(seconds, 2), round(nats, 4), round(own, 4)))
        return {"nats": nats}

    def stop(history: list[dict]) -> bool:
        return recipe and len(history) - 1 - kept["at"] >= 3

    history = train(
        net, batch, loss, steps=steps, lr=rate, clip=clip, evaluate=evaluate, every=every, stop=stop, desc=kind
    )
    net.load_state_dict(kept["net"])
    net.eval()
    seconds, nats, own = map(list, zip(*curve, strict=True))
    return {
        "seconds_at": seconds,
        "characters_at": [entry["step"] * read for entry in history],
        "nats": nats,
        "nats_500": own,
        "learned": [round(entry["loss"], 4) for entry in history],
        "best": kept["at"],
        "test_context": round(nets.context_nats(net, contexts(text.test, settings.apart)), 4),
        "test_carried": round(nets.carried_nats(net, text.test, places(text.test, settings.apart)), 4),
    }


def _page(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    from companion.speech import nets
    from companion.training import torch_seed, train

    text, seed = parts(read_prose()), key["seed"]
    torch_seed(100 + seed)
    net = nets.stream_net(settings.page_units, streams=settings.streams).to(device)
    batch = nets.stream_batches(text.learn, settings.streams, settings.length, seed, device)
    first = settings.page_steps * 2 // 3
    train(net, batch, nets.every_loss, steps=first, lr=settings.stream_rate)
    last = settings.page_steps - first
    train(net, lambda step: batch(first + step), nets.every_loss, steps=last, lr=settings.stream_rate / 5)
    net.eval()
    spots = places(text.test, settings.apart)
    model = CharLSTM(from_torch(net.lstm), *(w.detach().double().cpu().numpy() for w in net.head.parameters()))
    weights = packed(model, settings.levels)
    return {
        "test_carried_before": round(nets.carried_nats(net, text.test, spots), 4),
        "test_carried": round(model_nats(unpacked(weights), text.test, spots), 4),
        "test_context": round(nets.context_nats(net, contexts(text.test, settings.apart)), 4),
        "weights": weights._asdict(),
    }


def judge(settings: Settings, rows: list[dict]) -> dict[str, Any]:
    """Of each kind: nats on the test text with 30 characters and with a carried state, means over its seeds."""
    kinds = dict.fromkeys(row["kind"] for row in rows)
    return {
        kind: {
            name: round(float(np.mean([row[name] for row in rows if row["kind"] == kind])), 3)
            for name in ("test_context", "test_carried")
        }
        for kind in kinds
    }
