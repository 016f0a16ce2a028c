"""Wherever the sections are listed, they are listed as `companion.sections` has them."""

import ast
import re
from difflib import unified_diff
from importlib.util import find_spec

import nbformat
import pytest

from companion import sections, studies
from companion.sections import PLACES, SECTIONS
from tests.conftest import ROOT

INTRO = nbformat.read(ROOT / "book" / "intro.ipynb", 4)


def differences(place: str, text: str) -> list[str]:
    """The lines of a list that are not as they should be."""
    lines = unified_diff(text.splitlines(), sections.written(place, text).splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize("place", PLACES)
def test_every_list_of_sections_is_the_one_list(place):
    found = differences(place, (ROOT / place).read_text(encoding="utf-8"))
    assert not found, f"{place} (`make sections` writes it):\n" + "\n".join(found)


@pytest.mark.parametrize("place", PLACES)
def test_a_section_that_is_missing_misplaced_or_too_much_is_named(place):
    text = (ROOT / place).read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "graphical" in line)
    without = "".join(lines[:at] + lines[at + 1 :])
    swapped = "".join([*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]])
    twice = "".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])
    for wrong, sign in ((without, "+"), (swapped, "+-"), (twice, "-")):
        assert {line[0] for line in differences(place, wrong)} == set(sign)
        assert sections.written(place, wrong) == text
    with pytest.raises(ValueError, match="^text: want"):
        sections.written(place, "nothing of this kind")


def test_writing_changes_only_the_lists_that_differ(tmp_path, capsys):
    for place in PLACES:
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).write_text((ROOT / place).read_text(encoding="utf-8"), encoding="utf-8")
    contents = tmp_path / "_toc.yml"
    contents.write_text(contents.read_text().replace("      - file: book/10_05_deep\n", ""))
    sections.main(tmp_path)
    assert capsys.readouterr().out == "_toc.yml: the sections are written\n"
    assert all((tmp_path / place).read_text() == (ROOT / place).read_text() for place in PLACES)


def test_every_section_has_its_page_under_its_title_and_every_such_page_is_a_section():
    written = [*ROOT.glob("book/10_*.ipynb"), *ROOT.glob("book/practice/*.ipynb")]
    there = {path.relative_to(ROOT / "book").with_suffix("").as_posix() for path in written}
    assert there == {s.page for s in SECTIONS}
    for section in SECTIONS:
        heading = nbformat.read(ROOT / "book" / f"{section.page}.ipynb", 4).cells[0].source.splitlines()[0]
        assert heading == f"# {section.number} {section.title}"


def test_numbers_are_in_order_and_modules_are_there():
    numbers = [[int(part) for part in section.number.replace("P", "99").split(".")] for section in SECTIONS]
    assert numbers == sorted(numbers)
    for section in SECTIONS:
        assert section.modules
        assert all(find_spec(f"companion.{module}") for module in section.modules), section


def test_the_introduction_links_every_section_in_order():
    text = next(cell.source for cell in INTRO.cells if "The sections:" in cell.source).split("The sections:")[1]
    links = re.findall(r"^( *)- \[([P\d.]+) [^]]+\]\(([\w/]+)\.ipynb\):", text, re.MULTILINE)
    assert links == [("  " * (s.number.count(".") - 1), s.number, s.page) for s in SECTIONS]


def test_the_introductions_map_shows_every_section_of_the_chapter_once():
    source = next(cell.source for cell in INTRO.cells if cell.source.startswith("columns_of_boxes"))
    boxes = ast.literal_eval(ast.parse(source).body[0].value)
    assert sorted(number for number, _, _ in boxes.values()) == sorted(
        s.number for s in SECTIONS if s.part == "Sequence modeling"
    )


def test_every_study_belongs_to_a_section_whose_page_says_how_to_run_it():
    pages = {section.number: section.page for section in SECTIONS} | {"10": "intro"}
    for name in studies.names():
        page = (ROOT / "book" / f"{pages[studies.load(name).SECTION]}.ipynb").read_text(encoding="utf-8")
        assert f"python -m companion.studies run {name}" in page, name
