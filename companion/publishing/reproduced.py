"""The ledger of reproduced results: what a paper reports, what came out here, and the command that gives it.

Our figures are read from the stored records of the studies when the book is built; nobody types them. A study that is
run again, with other seeds say, writes its record anew, and the ledger follows.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sphinx.application import Sphinx

from companion.data import store
from companion.sections import SECTIONS

from .cited import entries
from .filled import below

PAGE = "book/reproduced"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
AGREES = {"yes": "as reported", "in part": "in part", "no": "not here"}


class Record(NamedTuple):
    """What a study stored."""

    settings: dict[str, Any]
    metrics: dict[str, Any]
    rows: list[dict[str, Any]]

    def where(self, **wanted: Any) -> list[dict[str, Any]]:
        """The rows with these entries."""
        return [row for row in self.rows if wanted.items() <= row.items()]


class Result(NamedTuple):
    """One reported result and ours."""

    paper: str  # its key in references.bib
    about: str
    reports: str
    study: str
    section: str  # of the study
    claim: str  # where its page says and tests it
    ours: Callable[[Record], str]
    agrees: str  # a key of AGREES
    differs: str = ""  # how our setting, or what came out, is another one


def spread(values: Iterable[float], form: str = "{:.2f}") -> str:
    """The median of several runs, and the least and the most of them."""
    low, middle, high = (_powers(form.format(np.quantile(list(values), q))) for q in (0, 0.5, 1))
    return f"{middle} ({low}–{high})"


def _powers(number: str) -> str:
    """A number such as 1.1e-05 as it is written by hand."""
    return re.sub(r"e([+-]\d+)$", lambda power: "·10" + str(int(power[1])).translate(RAISED), number)


def _latch(r: Record, recipe: str, length: int) -> str:
    """Of the recipe's nets, how many solve the latch, at its worst and at its best rate."""
    found = [m["solve"] for name, m in r.metrics.items() if name.startswith(recipe) and name.endswith(f" {length}")]
    nets = next(m["nets"] for m in r.metrics.values())
    return f"{min(found)} to {max(found)} of {nets}" if min(found) < max(found) else f"{max(found)} of {nets}"


def _latches(r: Record) -> str:
    short, long = r.settings["lengths"]
    return (
        f"solved by {_latch(r, 'plain ', short)} nets at {short} steps, by {_latch(r, 'plain ', long)} at {long}, "
        "depending on the rate"
    )


def _identity(r: Record) -> str:
    long = max(r.settings["lengths"])
    return (
        f"at {long} steps: from W = I {_latch(r, 'identity, ReLU', long)}, rectified units from the usual start "
        f"{_latch(r, 'ReLU', long)}, tanh units {_latch(r, 'plain ', long)}, depending on the rate"
    )


def _skips(r: Record) -> str:
    length = str(r.settings["lengths"][0])
    learns = {kind: found["learns"][length] for kind, found in r.metrics.items()}
    holds = r.metrics["added"]["holds"][length]
    nets = r.settings["nets"][1]
    return (
        f"over {length} steps: {learns['added']} of {nets} nets with skips of 8 steps, {learns['plain']} without; "
        f"{holds} of those with skips are also right a few steps earlier and later"
    )


def _solved(r: Record, cell: str, length: int, study: str = "adding", **more: Any) -> str:
    """How many seeds of a cell solve a gated study's task."""
    rows = r.where(study=study, cell=cell, length=length, ablation="full", **({"forget_bias": 1.0} | more))
    return f"{sum(row['steps'] is not None for row in rows)} of {len(rows)}"


def _adding(r: Record) -> str:
    long = r.settings["lengths"][-1]
    return ", ".join(f"{cell} {_solved(r, cell, long)}" for cell in ("RNN", "LSTM")) + f" at {long} steps"


def _bias(r: Record) -> str:
    length = r.settings["bias_length"]
    steps = {b: [x["steps"] or np.inf for x in r.where(task="adding", cell="LSTM", length=length, forget_bias=b,
                                                        ablation="full")] for b in (0.0, 1.0, 2.0)}  # fmt: skip
    told = [f"bias {b:g}: {spread(found, '{:,.0f}')}" for b, found in steps.items()]
    return f"updates until the adding problem of {length} steps is solved, " + "; ".join(told)


def _ablation(r: Record) -> str:
    length, rows = r.settings["ablation_length"], r.where(study="ablation", cell="LSTM")
    counts = {}
    for row in rows:
        counts.setdefault(row["ablation"], []).append(row["steps"] is not None)
    tasks = dict.fromkeys(row["task"] for row in rows)
    told = ", ".join(f"{kind} {sum(found)} of {len(found)}" for kind, found in counts.items())
    return f"runs that solve {' and '.join(tasks)} at {length} steps: {told}"


def _gru(r: Record) -> str:
    length = r.settings["lengths"][-1]

    def steps(cell: str) -> list[float]:
        rows = r.where(study="adding", cell=cell, length=length, forget_bias=1.0, ablation="full")
        return [row["steps"] or np.inf for row in rows]

    return (
        f"updates until the adding problem of {length} steps is solved: GRU {spread(steps('GRU'), '{:,.0f}')}, "
        f"LSTM {spread(steps('LSTM'), '{:,.0f}')}; latch of {length} steps: "
        f"GRU {_solved(r, 'GRU', length, 'latch')}, LSTM {_solved(r, 'LSTM', length, 'latch')}"
    )


def _attention(r: Record) -> str:
    trained, lengths, largest = r.settings["trained"], r.settings["lengths"], max(r.settings["sizes"])

    def exact(kind: str, size: int) -> str:
        rows = r.where(kind=kind, size=size, way="both", times=1)
        return spread([100 * row["digits"][lengths.index(trained)] for row in rows], "{:.0f}")

    return (
        f"digits right, in per cent, of lines with {trained} dates, the longest trained on: attention "
        f"{exact('attention', min(r.settings['sizes']))}, a context of {largest} units {exact('context', largest)}"
    )


def _deep(r: Record) -> str:
    def bits(way: str) -> str:
        return spread([row["test"] for row in r.where(way=way, rate=r.metrics[way]["rate"])])

    return "bits per character at equal parameters: " + ", ".join(f"{way} {bits(way)}" for way in r.settings["ways"])


def _mackey(r: Record) -> str:
    far = {row["ridge"]: [x["far"] for x in r.where(study="forecast", by="companion", ridge=row["ridge"])]
           for row in r.where(study="forecast", by="companion")}  # fmt: skip
    best = min(far, key=lambda ridge: np.median(far[ridge]))
    return f"{spread(far[best], '{:.1e}')} with {r.settings['size']:,} units"


def _clockwork(r: Record) -> str:
    def error(kind: str) -> str:
        rows = r.where(kind=kind, rate=r.metrics[kind]["rate"])
        return spread(rows[0]["errors"], "{:.4f}")

    return "mean squared error: " + ", ".join(
        f"{name} {error(kind)}" for name, kind in (("clockwork", "clockwork"), ("plain", "plain"), ("LSTM", "lstm"))
    )


def _copy(r: Record) -> str:
    longest = len(r.settings["tests"]["copy"]) - 1

    def wrong(kind: str) -> str:
        return spread([100 * row["errors"][longest] for row in r.where(task="copy", kind=kind)], "{:.1f}")

    return (
        f"wrong bits in per cent at {r.settings['tests']['copy'][longest]} vectors, after training on up to 20: "
        f"machine {wrong('machine')}, LSTM {wrong('patient')}"
    )


def _stories(r: Record) -> str:
    told = {"supervised": "told where to look", "soft": "untold", "LSTM, 0.003": "LSTM", "GRU, 0.003": "GRU"}
    return "nets that learn questions of two facts: " + ", ".join(
        f"{said} {r.metrics[kind]['learned']} of {r.metrics[kind]['nets']}" for kind, said in told.items()
    )


def _linear_start(r: Record) -> str:
    found = (r.metrics["soft"], r.metrics["linear start"])
    told = [f"{m['learned']} of {m['nets']}" for m in found]
    return f"nets that learn: {told[0]} from the usual start, {told[1]} from a linear one"


def _tensor(r: Record) -> str:
    longest = str(r.settings["lengths"][-1])

    def right(composition: str) -> str:
        rows = r.where(kind="arithmetic", tree="parse", composition=composition)
        return spread([100 * row["accuracy"][longest] for row in rows], "{:.0f}")

    return f"sums and products of {longest} tokens right, in per cent: tensor {right('tensor')}, plain {right('plain')}"


def _both_sides(r: Record) -> str:
    def bits(net: str) -> str:
        return spread([row["bits"] for row in r.where(net=net)])

    told = {"both 64+64": "both sides", "left 100": "from the left", "right 100": "from the right"}
    return "bits for a hidden character: " + ", ".join(f"{said} {bits(net)}" for net, said in told.items())


def _scheduled(r: Record) -> str:
    def error(series: str, floor: float) -> str:
        return spread(r.where(series=series, floor=floor)[0]["after_5"])

    return "error of a free run after five steps: " + "; ".join(
        f"{said}, teacher {error(series, 1.0)}, half of it left {error(series, 0.5)}"
        for series, said in (("cycle", "noisy cycle"), ("chaos", "chaos"))
    )


def _omega(r: Record) -> str:
    nets, kinds = r.settings["nets"], r.metrics["kinds"]
    at = [str(length) for length in r.settings["lengths"][1:]]
    told = [
        f"{kind} " + ", ".join(str(max(kinds[kind][length].values())) for length in at)
        for kind in ("plain", "clip", "clip + Ω")
    ]
    return f"of {nets} nets at each rule's best rate, at {', '.join(at)} steps: " + "; ".join(told)


def _liquid(r: Record) -> str:
    rows = r.where(study="liquid")
    best = max(r.metrics["liquid"], key=r.metrics["liquid"].get).removeprefix("strength ")
    chosen = [row for row in rows if f"{row['strength']:g}" == best]
    return (
        f"which of two patterns came 100 ms ago, in per cent right: read off the liquid "
        f"{spread([100 * row['liquid'] for row in chosen], '{:.0f}')}, off its input "
        f"{spread([100 * row['input, filtered'] for row in chosen], '{:.0f}')}"
    )


def _additive(r: Record) -> str:
    nets = r.settings["nets"][1]
    told = ", ".join(f"{kind} {found['learns']}" for kind, found in r.metrics.items())
    return f"of {nets} nets, keep a bit over {r.settings['length']} steps: {told}"


def _normed(r: Record) -> str:
    def best(kind: str) -> str:
        rows = r.where(kind=kind)
        return f"{spread([r.settings['every'] * (row['best'] + 1) for row in rows], '{:,.0f}')}"

    def bits(kind: str) -> str:
        return spread([row["test_carried"] / np.log(2) for row in r.where(kind=kind)])

    plain, normed = "streams", "streams, layer norm"
    return (
        f"updates to the best validation loss: with it {best(normed)}, without {best(plain)}; "
        f"bits per character then: {bits(normed)}, {bits(plain)}"
    )


def _voices(r: Record) -> str:
    def right(kind: str) -> str:
        return spread([100 * row["accuracy"] for row in r.where(task="vowels", kind=kind)], "{:.0f}")

    told = {"nearest": "nearest neighbour", "regression": "regression on statistics", "gru, last": "GRU"}
    return "utterances told right, in per cent: " + ", ".join(f"{said} {right(kind)}" for kind, said in told.items())


def _min_gru(r: Record) -> str:
    long = max(r.metrics["minGRU"], key=int)
    return f"updates until the adding problem of {long} steps is solved: " + ", ".join(
        f"{kind} {spread(r.metrics[kind][long]['steps'], '{:,.0f}')}" for kind in ("minGRU", "LSTM")
    )


RESULTS = (
    Result(
        "bengio1994",
        "latching one bit",
        "Descent learns to latch one bit over a few steps, and over more and more steps ever more seldom.",
        "latch",
        "10.7",
        "claim-ten",
        _latches,
        "yes",
    ),
    Result(
        "le2015",
        "rectified units from the identity",
        "Rectified units that start at W = I and b = 0 learn what lies far back, where others do not.",
        "latch",
        "10.7",
        "claim-ten",
        _identity,
        "in part",
        "A small latch, not their tasks; a rate that is too large spoils the start.",
    ),
    Result(
        "lin1996",
        "long delays",
        "Connections with long delays make what lies far back easier to learn.",
        "timescales",
        "10.9",
        "claim-hold",
        _skips,
        "in part",
        "They learn it for the length they were trained on; few hold it at others.",
    ),
    Result(
        "hochreiter1997",
        "the adding problem",
        "An LSTM solves the adding problem over lags at which other recurrent nets fail.",
        "gated",
        "10.10",
        "claim-adding",
        _adding,
        "yes",
        "Shorter lags, and Adam.",
    ),
    Result(
        "jozefowicz2015",
        "the forget bias",
        "A forget gate that starts with bias 1 helps the LSTM.",
        "gated",
        "10.10",
        "claim-bias",
        _bias,
        "yes",
        "One toy problem, where still larger biases help more.",
    ),
    Result(
        "greff2017",
        "LSTM, part by part",
        "No variant clearly beats the standard LSTM; forget gate and output activation matter most.",
        "gated",
        "10.10",
        "claim-ablation",
        _ablation,
        "in part",
        "Two toy problems, which nearly every variant solves.",
    ),
    Result(
        "chung2014",
        "GRU or LSTM",
        "Between GRU and LSTM there is no clear winner.",
        "gated",
        "10.10",
        "claim-gru",
        _gru,
        "in part",
        "On the adding problem the GRU is faster.",
    ),
    Result(
        "bahdanau2015",
        "attention",
        "With a context of fixed size the writer gets worse as sentences get longer; attention does not.",
        "seq2seq",
        "10.4",
        "claim-attention",
        _attention,
        "yes",
        "Dates in words, not languages; plain recurrent layers.",
    ),
    Result(
        "pascanu2014",
        "depth",
        "Recurrent nets gain by depth, in layers and, with a short cut, inside the step.",
        "deep",
        "10.5",
        "claim-text",
        _deep,
        "in part",
        "Two layers gain; here the short cut does not.",
    ),
    Result(
        "pascanu2013",
        "clipping and Ω",
        "Temporal order is learned over more steps with clipping, and over still more with clipping and Ω.",
        "optimization",
        "10.11",
        "claim-order",
        _omega,
        "yes",
        "They train much longer, and reach 200 steps.",
    ),
    Result(
        "jaeger2004",
        "forecasting chaos",
        "A trained echo state net forecasts the Mackey–Glass series 84 steps ahead to 10^−4.2.",
        "reservoir",
        "10.8",
        "claim-mackey",
        _mackey,
        "yes",
        "The value is fed back as the input, and the ridge is chosen small.",
    ),
    Result(
        "maass2002",
        "a liquid of spikes",
        "A fixed random net of spiking units keeps what was, so that a linear read-out can tell.",
        "reservoir",
        "10.8",
        "claim-liquid",
        _liquid,
        "yes",
        "A small liquid and one question; some liquids fail at every strength.",
    ),
    Result(
        "koutnik2014",
        "the clockwork net",
        "A clockwork net writes a wave better than a plain net or an LSTM of as many weights.",
        "clockwork",
        "10.12",
        "claim-waves",
        _clockwork,
        "yes",
        "A small budget; and a plain net that is told the count is ahead of it on most waves.",
    ),
    Result(
        "graves2014",
        "copying with a tape",
        "A machine with a tape copies sequences far longer than it was trained on; an LSTM does not.",
        "memory",
        "10.13.2",
        "claim-paper",
        _copy,
        "yes",
    ),
    Result(
        "weston2015",
        "questions of two facts",
        "Told which facts matter, a memory network answers questions that take two; recurrent nets fail.",
        "stories",
        "10.13",
        "claim-told",
        _stories,
        "yes",
        "A small world of our own.",
    ),
    Result(
        "sukhbaatar2015",
        "a linear start",
        "Trained end to end, some nets end in poor minima; a start without softmax helps.",
        "stories",
        "10.13",
        "claim-stuck",
        _linear_start,
        "no",
        "Some nets are stuck here, too, but a linear start did harm; short stories first freed them.",
    ),
    Result(
        "socher2013",
        "a tensor in the tree",
        "A tensor in the composition beats one matrix, where a word changes what another one does.",
        "recursive",
        "10.6",
        "claim-trees",
        _tensor,
        "yes",
        "Arithmetic in place of sentiment.",
    ),
    Result(
        "schuster1997",
        "reading from both sides",
        "A net that reads from both sides beats nets that read from one.",
        "bidirectional",
        "10.3",
        "claim-sides",
        _both_sides,
        "yes",
        "Characters of text.",
    ),
    Result(
        "bengio2015scheduled",
        "scheduled sampling",
        "Mixing a net’s own outputs into training makes what it writes alone better.",
        "forcing",
        "10.2.1",
        "claim-scheduled",
        _scheduled,
        "in part",
        "A gain on the noisy cycle after a few steps, none after thirty; on chaos it did harm.",
    ),
    Result(
        "ba2016",
        "layer normalisation",
        "Layer normalisation makes recurrent nets learn faster, and some of them better.",
        "speech",
        "P.1",
        "claim-norm",
        _normed,
        "yes",
        "Characters of one manual; a step costs more.",
    ),
    Result(
        "kudo1999",
        "nine voices",
        "On Japanese vowels, 94.1 per cent of the utterances go to the right one of nine speakers.",
        "tagging",
        "P.3",
        "claim-voices",
        _voices,
        "yes",
        "Other methods; all of ours are above it.",
    ),
    Result(
        "feng2024",
        "gates without a chain",
        "A GRU whose gate hears the input alone learns as well as gated nets do, and runs in parallel.",
        "epilogue",
        "P.5",
        "claim-study",
        _min_gru,
        "yes",
        "The adding problem; on one processor its step is no cheaper.",
    ),
)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else "about a minute"


def written(book: Path) -> str:
    """The ledger in Markdown: a heading for each result.

    Parameters
    ----------
    book : the folder of the pages.
    """
    works = entries(book / "references.bib")
    pages = {section.number: section for section in SECTIONS}
    parts = []
    for result in sorted(RESULTS, key=lambda result: [*pages].index(result.section)):
        record, section = store.record(result.study), pages[result.section]
        ours = result.ours(Record(record["settings"], record["metrics"], store.rows(result.study)))
        differs = f" {result.differs}" if result.differs else ""
        parts.append(
            f"## {result.about[0].upper()}{result.about[1:]}\n\n"
            f"- **Reported.** [{works[result.paper].textual}](bibliography.md#{result.paper}): {result.reports}\n"
            f"- **Here.** {ours[0].upper()}{ours[1:]}.\n"
            f"- **Agrees:** {AGREES[result.agrees]}.{differs}\n"
            f"- [Section {section.number}]({section.page}.ipynb#{result.claim}), "
            f"`{record['command']}` ({_minutes(record['seconds'])} on one core)\n"
        )
    return "\n".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when it is read."""
    book = Path(app.srcdir, "book")
    sources = [Path(__file__), book / "references.bib", *(store.find(f"{r.study}.json") for r in RESULTS)]
    return below(app, PAGE, lambda: written(book), sources)
