"""The bibliography holds what the pages cite and nothing else, and says where an article is to be found."""

import re

import nbformat

from tests.conftest import ROOT

ENTRIES = {
    re.match(r"@\w+\{(\w+),", entry)[1]: entry
    for entry in re.split(r"^(?=@)", (ROOT / "book/references.bib").read_text(), flags=re.M)[1:]
}


def pages():
    """The text of every page."""
    for path in (ROOT / "book").rglob("*.ipynb"):
        yield "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    for path in (ROOT / "book").glob("*.md"):
        yield path.read_text()


def test_each_entry_is_cited_and_each_citation_has_its_entry():
    cited = {key for text in pages() for key in re.findall(r"\]\([^)#]*bibliography\.md#(\w+)\)", text)}
    assert cited - set(ENTRIES) == set(), "cited without an entry"
    assert set(ENTRIES) - cited == set(), "an entry that no page cites"


def test_each_article_and_each_page_on_the_web_has_an_address_of_its_own():
    kinds = ("@article", "@misc")
    lacking = [
        key for key, e in ENTRIES.items() if e.startswith(kinds) and not re.search(r"^\s+(doi|url)\s*=", e, re.M)
    ]
    assert lacking == []
    addresses = re.findall(r"^\s+(?:doi|url)\s*=\s*\{(.+?)\}", "\n".join(ENTRIES.values()), re.M)
    assert len(addresses) == len(set(addresses)) > 80
    assert all(re.fullmatch(r"10\.\d{4,5}/\S+|https://\S+", address) for address in addresses)
