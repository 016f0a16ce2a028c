"""The ledger of reproduced results: each figure is read from a record, each row leads to its claim and its command."""

import inspect
import re
from collections import Counter

import numpy as np
import pytest

from companion import studies
from companion.data import store
from companion.publishing import reproduced
from companion.publishing.cited import entries
from companion.publishing.filled import prose
from companion.publishing.reproduced import RESULTS, Record, spread
from companion.sections import SECTIONS

from .conftest import ROOT

HERE = pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.paper)
PAGES = {section.number: ROOT / f"book/{section.page}.ipynb" for section in SECTIONS}


def record(study):
    """What a study stored."""
    found = store.record(study)
    return Record(found["settings"], found["metrics"], store.rows(study))


def test_there_are_rows_for_at_least_twelve_papers_and_not_all_of_them_agree():
    assert len({result.paper for result in RESULTS}) == len(RESULTS) >= 12
    assert {result.agrees for result in RESULTS} == set(reproduced.AGREES)
    assert {result.paper for result in RESULTS} <= entries(ROOT / "book/references.bib").keys()


@HERE
def test_a_row_leads_to_a_claim_on_the_page_of_its_study(result):
    text = prose(PAGES[result.section])
    assert result.section == studies.load(result.study).SECTION
    assert f'<a id="{result.claim}"></a>' in text
    assert result.agrees == "yes" or result.differs, "say how it differs"


@HERE
def test_no_number_of_ours_is_typed_unless_the_study_is_set_to_it(result):
    r = record(result.study)
    literal = " ".join(re.findall(r'f?"([^"]*)"', inspect.getsource(result.ours)))
    typed = re.findall(r"(?<![\w{:.,])\d+(?:\.\d+)?(?![\w}%])", literal)
    told = {"lin1996": {"8"}, "maass2002": {"100"}, "graves2014": {"20"}}.get(result.paper, set())  # steps, ms, vectors
    assert {*typed} <= told | {*re.findall(r"[\d.]+", str(r.settings))}
    assert re.search(r"\d", result.ours(r))


def test_a_spread_is_the_median_between_the_least_and_the_most():
    values = np.random.default_rng(0).normal(size=7)
    low, middle, high = np.sort(values)[[0, 3, 6]]
    assert spread(values, "{:.3f}") == f"{middle:.3f} ({low:.3f}–{high:.3f})"


def test_a_small_number_is_written_with_a_power_of_ten():
    assert spread([1.1e-5, 2e-5, 3e-12], "{:.1e}") == "1.1·10⁻⁵ (3.0·10⁻¹²–2.0·10⁻⁵)"


def test_a_few_figures_are_those_that_one_counts_by_hand():
    ours = {result.paper: result.ours(record(result.study)) for result in RESULTS}
    gated = store.rows("gated", study="adding", length=80, cell="RNN")
    assert f"RNN {sum(row['steps'] is not None for row in gated)} of {len(gated)}, LSTM" in ours["hochreiter1997"]
    by_rate = Counter()
    for row in store.rows("latch", recipe="plain", length=30):
        by_rate[row["rate"]] += sum(accuracy > 0.95 for accuracy in row["accuracy"])
    assert f"by {min(by_rate.values())} to {max(by_rate.values())} of 40 at 30" in ours["bengio1994"]
    wrong = [100 * row["errors"][-1] for row in store.rows("memory", task="copy", kind="machine")]
    assert f"machine {np.median(wrong):.1f} ({min(wrong):.1f}–{max(wrong):.1f})" in ours["graves2014"]
    bits = [row["bits"] for row in store.rows("bidirectional", net="both 64+64")]
    assert f"both sides {np.median(bits):.2f} ({min(bits):.2f}–{max(bits):.2f})" in ours["schuster1997"]


def test_the_page_names_each_paper_once_with_a_command_that_runs_its_study():
    text = reproduced.written(ROOT / "book")
    assert len(re.findall(r"^- \*\*Reported\.\*\* \[.+?\]\(bibliography\.md#\w+\): ", text, re.M)) == len(RESULTS)
    commands = re.findall(r"`python -m companion\.studies run (\w+)` \([^)]*minutes? on one core\)", text)
    assert len(commands) == len(RESULTS) and {*commands} <= {*studies.names()}
    sections = re.findall(r"\[Section ([\d.]+)\]", text)
    order = [section.number for section in SECTIONS]
    assert sections == sorted(sections, key=order.index)
