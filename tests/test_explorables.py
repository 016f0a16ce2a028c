"""The Python side of the interactive figures; the browser side is tested in `tests/browser`."""

import gzip
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import figures
from companion.figures import assets
from companion.figures.base import compact
from companion.figures.kinds import KINDS

from .browser.kinds import EXAMPLES
from .conftest import ROOT

FOLDER = ROOT / "companion" / "figures"
every_kind = pytest.mark.parametrize("make", EXAMPLES.values(), ids=EXAMPLES)

NEW_KIND = """
from companion.figures.base import Explorable
from companion.figures.controls import Toggle
__all__ = ["Dots"]
class Dots(Explorable):
    def __init__(self):
        super().__init__("dots", [Toggle("on")], {}, title="", caption="")
"""
USE_IT = """
from companion.figures import Dots, assets
from companion.figures.kinds import KINDS
assert 'define("dots"' in Dots._esm and 'define("dots"' in assets.page_script(KINDS) and ".ex-dots" in Dots._css
assert 'data-explorable="dots"' in Dots().html()
"""


def specification(figure):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure.html()).group(1))


@every_kind
def test_a_cell_output_holds_the_page_the_picture_and_a_text_without_address(make):
    data, _ = make()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/html"].startswith('<figure class="explorable"')
    assert "0x" not in data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data


@every_kind
def test_the_page_begins_in_the_state_that_the_figure_had_when_it_was_shown(make):
    figure = make()
    control = next(c for c in specification(figure)["controls"] if c["type"] != "text")
    options = control.get("options") or control.get("values") or [control.get("min"), control.get("max")]
    other = next(value for value in options[::-1] if value != getattr(figure, control["name"]))
    setattr(figure, control["name"], other)
    spec = specification(figure)
    assert spec["state"][control["name"]] == other
    assert spec["start"][control["name"]] != other
    figure.reset()
    assert specification(figure)["state"] == spec["start"]


def test_markup_in_a_caption_cannot_break_out_of_the_page():
    figure = EXAMPLES["sweep"](caption="</script><b>&", say=lambda k: "<i>")
    assert figure.html().count("</script>") == 1
    assert specification(figure)["caption"] == "</script><b>&"


def test_a_trait_out_of_range_is_refused_and_nothing_changes():
    figure = figures.Eigenvalues(rho=0.9)
    with pytest.raises(traitlets.TraitError, match="rho"):
        figure.rho = 7
    assert figure.rho == 0.9


@given(st.floats(-1e6, 1e6))
@settings(max_examples=50)
def test_numbers_in_the_page_are_right_to_four_digits(value):
    assert compact(value) == pytest.approx(value, rel=5e-4)


def test_what_is_not_finite_becomes_a_gap():
    assert compact([np.nan, np.inf, np.float64(1.5), np.int64(3)]) == [None, None, 1.5, 3]


def test_every_folder_of_kinds_is_found_and_exports_one_figure():
    assert set(KINDS) == {path.parent.name for path in FOLDER.glob("kinds/*/*.js")}
    assert len(KINDS) >= 7
    exported = [name for kind in KINDS.values() for name in kind.__all__]
    assert len(set(exported)) == len(exported) and set(exported) < set(figures.__all__)
    for name, kind in KINDS.items():
        values = [getattr(figures, value) for value in kind.__all__]
        (figure,) = [value for value in values if issubclass(value, figures.Explorable)]
        assert isinstance(EXAMPLES[name](), figure) and figure.kind == name


def test_a_new_kind_is_its_own_folder_and_nothing_else(tmp_path):
    shutil.copytree(ROOT / "companion", tmp_path / "companion", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "companion" / "figures" / "kinds" / "dots"
    folder.mkdir()
    (folder / "__init__.py").write_text(NEW_KIND)
    (folder / "dots.js").write_text('explorables.define("dots", {});')
    (folder / "dots.css").write_text(".ex-dots {}")
    done = subprocess.run([sys.executable, "-c", USE_IT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_figure_made_from_a_kind_is_drawn_as_that_kind():
    class Mine(figures.Eigenvalues):
        pass

    assert Mine().spec["kind"] == "eigenvalues" and Mine._esm == figures.Eigenvalues._esm


def test_a_widget_is_sent_the_kit_and_its_own_script_only():
    for name in KINDS:
        sent = str(EXAMPLES[name]()._esm)
        assert re.findall(r'explorables.define\("(.*?)"', sent) == [name] and len(sent) < 60_000


def test_all_kinds_together_stay_under_60_kilobytes():
    together = assets.page_script(KINDS) + assets.page_style(KINDS)
    assert len(gzip.compress(together.encode())) < 60_000


def test_a_page_is_sent_the_same_script_as_a_widget_without_its_comments_and_indentation():
    whole = [assets.script(KINDS), assets._read("questions/questions.js"), assets._read("page.js")]
    written = [line.strip() for line in "\n".join(whole).splitlines()]
    sent = assets.page_script(KINDS).splitlines()
    assert sent == [line for line in written if line and not line.startswith("//")]
    assert all(line.count("`") % 2 == 0 for line in sent), "a text over several lines would lose its indentation"


@pytest.mark.parametrize("path", sorted([*FOLDER.rglob("*.js"), *FOLDER.rglob("*.css")]), ids=lambda path: path.name)
def test_scripts_and_styles_fit_the_width_of_the_rest_of_the_code(path):
    assert [n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if len(line) > 120] == []
