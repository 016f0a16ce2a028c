"""RNN and LSTM on seven forecasting tasks: settings chosen before the first origin, then forecasts of all origins."""

from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from companion.forecasting import load_series, truth, windows
from companion.forecasting.trials import NETS, TASKS, choice_error, forecasts, width_of

SECTION = "P.2"
SHOWS = "How RNN and LSTM forecast four series from a rolling origin, up to 84 steps ahead, with five seeds each."
MINUTES = 6
CPU_ONLY = True


class Settings(NamedTuple):
    """All constants of the study."""

    tasks: tuple[str, ...] = tuple(TASKS)
    kinds: tuple[str, ...] = ("rnn", "lstm")
    chosen_on: int = 2  # nets with each setting, to choose among the settings
    seeds: int = 5  # nets that forecast
    updates: int = 400


SETTINGS, UNSEEN = Settings(), ("tasks", "kinds", "chosen_on", "seeds")
QUICK = Settings(tasks=("sunspots",), kinds=("rnn",), chosen_on=1, seeds=1, updates=2)
WEIGHTS = "forecasting.npz"


def plan(settings: Settings, rows: list[dict]) -> list[dict]:
    """Every setting of every net on every task, to choose from; then forecasts by new nets with the best setting."""
    pairs = [(task, kind) for task in settings.tasks for kind in settings.kinds]
    keys = [
        {"stage": "choice", "task": task, "kind": kind, "setting": setting, "seed": seed}
        for task, kind in pairs
        for setting in range(len(NETS))
        for seed in range(settings.chosen_on)
    ]
    if sum(row["stage"] == "choice" for row in rows) == len(keys):
        for task, kind in pairs:
            setting = best(rows, task, kind)
            keys += [
                {"stage": "forecasts", "task": task, "kind": kind, "setting": setting, "seed": 100 + seed}
                for seed in range(settings.seeds)
            ]
    return keys


def best(rows: list[dict], task: str, kind: str) -> int:
    """The setting of the least error before the first origin, the mean of its nets."""
    tried = [row for row in rows if (row["stage"], row["task"], row["kind"]) == ("choice", task, kind)]
    mean = [np.mean([row["error"] for row in tried if row["setting"] == s]) for s in range(len(NETS))]
    return int(np.argmin(mean))


def run(key: dict, settings: SimpleNamespace, device: str) -> dict[str, Any]:
    """Train one net: its error before the first origin, or its forecasts, stored as changes from the last value."""
    task = TASKS[key["task"]]
    y = load_series(task.series)[1]
    made = (y, task, key["kind"], key["setting"], key["seed"], settings.updates)
    if key["stage"] == "choice":
        return {"error": round(choice_error(*made), 6)}
    ahead = forecasts(*made)
    error = np.abs(ahead - truth(y, task.origins, task.horizon)).mean(0)
    change = ahead - windows(y, task.origins, width_of(task))[:, -1:]
    return {
        "one step": round(float(error[0]), 6),
        "all steps": round(float(error.mean()), 6),
        "weights": {"change": change.astype(np.float16)},
    }


def judge(settings: Settings, rows: list[dict]) -> dict[str, dict[str, Any]]:
    """By task and net: the setting, and the errors of all seeds, one step ahead and over the horizon."""
    out: dict[str, dict[str, Any]] = {}
    for row in (row for row in rows if row["stage"] == "forecasts"):
        found = out.setdefault(f"{row['task']}, {row['kind']}", {"setting": row["setting"], "one step": [], "all": []})
        found["one step"].append(row["one step"])
        found["all"].append(row["all steps"])
    return out
