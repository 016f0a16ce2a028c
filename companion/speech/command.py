"""What `python -m companion.speech` does: train a net on a text, with a checkpoint, and let it write (Section P.1)."""

import hashlib
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor

from companion.core.checks import Count, Positive, checked
from companion.gated.characters import CharLSTM
from companion.speech.nets import Batches, carried_nats, every_loss, stream_batches, stream_net, to_numpy
from companion.speech.prose import parts, places, read_prose
from companion.speech.writer import stored_writer, unpacked
from companion.training import torch_seed, train

__all__ = ["learn", "writer_of"]

STREAMS, LENGTH = 32, 50


@checked
def learn(
    text: str | Path | None,
    checkpoint: str | Path,
    *,
    steps: Count = 2500,
    units: Count = 128,
    rate: Positive = 4e-3,
    seed: Annotated[int, (0, None)] = 0,
    every: Count = 100,
) -> list[dict]:
    """Train a net on a text by streams with a carried state, on a GPU where there is one; resume where it stopped.

    An interrupt (Ctrl-C, or a kill) is heeded between two steps, so what is resumed ends as if nothing had happened.

    Parameters
    ----------
    text : a file, or None for the corpus of Python. checkpoint : the file to write, and to resume from.
    steps : gradient steps in all. units : of the LSTM. rate : learning rate. seed : of the first weights.
    every : steps from one checkpoint, and one look at the validation text, to the next.

    Returns
    -------
    The history, as `companion.training.train` has it; "bits" are those a character on the validation text.
    """
    codes = read_prose(text)
    cut, device = parts(codes), "cuda" if torch.cuda.is_available() else "cpu"
    mark = hashlib.sha256(codes.tobytes()).hexdigest()[:16]
    torch_seed(seed)
    net = stream_net(units, streams=STREAMS, text=f"{mark} seed {seed} rate {rate:g}").to(device)
    batch = stream_batches(cut.learn, STREAMS, LENGTH, seed, device)
    seconds = _seconds_a_step(units, batch, device)
    print(
        f"{len(codes)} characters, {steps} steps on {device}: about {max(1, round(steps * seconds / 60))} min at most; "
        f"what is learned stands in {checkpoint}",
        flush=True,
    )
    spots = places(cut.validation, 1)

    def bits(net: torch.nn.Module) -> dict[str, float]:
        return {"bits": carried_nats(net, cut.validation, spots) / torch.log(torch.tensor(2.0)).item()}

    with _between_steps() as asked:

        def next_batch(step: int) -> tuple[Tensor, Tensor]:
            if asked:
                raise KeyboardInterrupt
            return batch(step)

        return train(
            net, next_batch, every_loss, steps=steps, lr=rate, evaluate=bits, every=every,
            desc="learning", checkpoint=checkpoint,
        )  # fmt: skip


def _seconds_a_step(units: int, batch: Batches, device: str) -> float:
    """How long a step takes, by three steps of a net that is thrown away."""
    with torch.random.fork_rng():
        net = stream_net(units, streams=STREAMS).to(device)
        every_loss(net, *batch(0)).backward()
        began = time.perf_counter()
        for step in range(3):
            every_loss(net, *batch(step)).backward()
        return (time.perf_counter() - began) / 3


@contextmanager
def _between_steps() -> Iterator[list]:
    """Signals to stop are noted in the list that is given, for whoever looks there between two steps."""
    asked: list[int] = []
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, lambda number, _: asked.append(number)) for name in names]
    try:
        yield asked
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def writer_of(checkpoint: str | Path | None) -> CharLSTM:
    """The net of a checkpoint, or for None the one that comes with the book.

    Raises
    ------
    ValueError
        If the file is no checkpoint of `learn`.
    """
    if checkpoint is None:
        return unpacked(stored_writer())
    try:
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")["model"]
        net = stream_net(**state["_extra_state"])
        net.load_state_dict(state)
    except Exception as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"checkpoint: want a file that train wrote, got {str(checkpoint)!r}: {why}") from error
    return to_numpy(net)
