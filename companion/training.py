"""One small training loop for every net in the book that is trained.

The loop shows a bar with its total, clips gradients, survives an interrupt, resumes from a checkpoint and
stops with a plain message when the loss is no longer a number. Set the environment variable `TQDM_DISABLE=1`
to run it without the bar (as the book does when it stores executed notebooks).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from companion.core.checks import Count, Positive, checked

__all__ = ["Rule", "each_by_norm", "net_norms", "torch_seed", "train"]

Rule = Callable[[nn.Module], Tensor]  # changes a model's gradients in place; returns a norm that has to be finite

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}


@checked
def torch_seed(n: Annotated[int, (0, None)]) -> torch.Generator:
    """Seed torch's global generator (which initialises layers) and return a fresh one for drawing data."""
    torch.manual_seed(n)
    return torch.Generator().manual_seed(n)


def net_norms(model: nn.Module) -> Tensor:
    """The norm of each net's gradient in a stack, whose nets the first axis of every parameter counts: (nets,)."""
    return sum((p.grad**2).flatten(1).sum(1) for p in model.parameters() if p.grad is not None).sqrt()


@checked
def each_by_norm(v: Positive) -> Rule:
    """The rule that clips each net of a stack by the norm of its own gradient, which may be v at most."""

    def rule(model: nn.Module) -> Tensor:
        norms = net_norms(model)
        factor = (v / norms.clamp(min=1e-300)).clamp(max=1)
        for g in (p.grad for p in model.parameters() if p.grad is not None):
            g *= factor.reshape(-1, *[1] * (g.ndim - 1))
        return norms.max()

    return rule


@checked
def train(
    model: nn.Module,
    batch: Callable[[int], tuple[Tensor, Tensor]],
    loss: Callable[[nn.Module, Tensor, Tensor], Tensor],
    *,
    steps: Count,
    lr: Positive = 1e-3,
    clip: Positive | None = 1.0,
    rule: Rule | None = None,
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam",
    evaluate: Callable[[nn.Module], dict[str, float]] | None = None,
    every: Count = 100,
    stop: Callable[[list[dict]], bool] | None = None,
    desc: str = "training",
    checkpoint: str | Path | None = None,
) -> list[dict]:
    """Minimise a loss by steps along its gradient, after a rule for the gradient: clipping (Section 10.11.1).

    Parameters
    ----------
    model : the net; it is trained in place.
    batch : step (0 … steps − 1) → (x, y), the minibatch of that step. Drawn from the step alone, it makes a
        resumed run equal an uninterrupted one.
    loss : (model, x, y) → a scalar tensor.
    steps : gradient steps in all, those of an earlier, interrupted run included.
    lr : learning rate. clip : largest norm of the gradient; None leaves it as it is.
    rule : what is done to the gradients, instead of that, after they are computed and before the step: a function
        of the model that changes every `grad` in place and returns a norm, which ends the training if it is not
        finite. A stack of nets that share nothing wants `each_by_norm`, and a loss that is the sum of theirs.
    evaluate : model → figures to add to the history, called every `every` steps and after the last, without
        gradients and with the model in evaluation mode.
    every : steps from one entry of the history to the next.
    stop : history → True to end early; asked after every entry.
    desc : what the bar says.
    checkpoint : file to resume from if it exists; written at every entry, at an interrupt and at the end.

    Returns
    -------
    The history: one dict an entry, with `step` (steps done), `loss` (mean since the entry before) and
    whatever `evaluate` returned. After a KeyboardInterrupt it is what there is so far.

    Raises
    ------
    ValueError
        If the checkpoint belongs to another model.
    FloatingPointError
        If the loss or the gradient is NaN or infinite; the last checkpoint stays as it was.
    """
    most = float("inf") if clip is None else clip
    rule = (lambda model: nn.utils.clip_grad_norm_(model.parameters(), most)) if rule is None else rule
    optim = OPTIMIZERS[optimizer](model.parameters(), lr=lr)
    path = None if checkpoint is None else Path(checkpoint)
    history, done = _resume(path, model, optim), 0
    if history:
        done = history[-1]["step"]
    losses: list[float] = []
    model.train()
    with tqdm(total=steps, initial=min(done, steps), desc=desc, unit="step", leave=None, mininterval=0.5) as bar:
        try:
            while done < steps and not (history and not losses and stop is not None and stop(history)):
                losses.append(_step(model, optim, loss, batch(done), rule, done, lr))
                done += 1
                bar.update()
                if done % every == 0 or done == steps:
                    history.append(_entry(model, evaluate, done, losses))
                    bar.set_postfix({k: f"{v:.4g}" for k, v in history[-1].items() if k != "step"})
                    losses = []
                    _save(path, model, optim, history)
        except KeyboardInterrupt:
            bar.write(f"{desc}: interrupted after {done} of {steps} steps; what was learned is kept")
            if losses:
                history.append({"step": done, "loss": float(np.mean(losses))})
            _save(path, model, optim, history)
    return history


def _step(
    model: nn.Module,
    optim: torch.optim.Optimizer,
    loss: Callable[[nn.Module, Tensor, Tensor], Tensor],
    data: tuple[Tensor, Tensor],
    rule: Rule,
    step: int,
    lr: float,
) -> float:
    optim.zero_grad()
    value = loss(model, *data)
    if value.ndim:
        raise ValueError(f"loss: want a scalar tensor, got shape {tuple(value.shape)}")
    where = f"at step {step} with lr = {lr:g}; try a smaller lr or clip"
    if not torch.isfinite(value):
        raise FloatingPointError(f"the loss is {value.item()} {where}")
    value.backward()
    norm = rule(model)
    if not torch.isfinite(norm):
        raise FloatingPointError(f"the gradient's norm is {norm.item()} {where}")
    optim.step()
    return value.item()


def _entry(model: nn.Module, evaluate: Callable | None, done: int, losses: list[float]) -> dict:
    entry = {"step": done, "loss": float(np.mean(losses))}
    if evaluate is not None:
        model.eval()
        with torch.no_grad():
            entry |= {k: float(v) for k, v in evaluate(model).items()}
        model.train()
    return entry


def _save(path: Path | None, model: nn.Module, optim: torch.optim.Optimizer, history: list[dict]) -> None:
    if path is None or not all(torch.isfinite(p).all() for p in model.parameters()):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")  # written whole, then renamed: an interrupt leaves the old one
    torch.save({"model": model.state_dict(), "optim": optim.state_dict(), "history": history}, part)
    os.replace(part, path)


def _resume(path: Path | None, model: nn.Module, optim: torch.optim.Optimizer) -> list[dict]:
    if path is None or not path.exists():
        return []
    try:
        saved = torch.load(path, weights_only=True)
        model.load_state_dict(saved["model"])
        optim.load_state_dict(saved["optim"])
        return saved["history"]
    except Exception as error:
        raise ValueError(f"checkpoint: want one of this model and optimizer, got {str(path)!r}: {error}") from error
