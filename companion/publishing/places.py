"""What a page names with `<a id="…"></a>`, links can name: a claim, a formula, a figure, a work in the bibliography.

MyST resolves `[…](#place)` and `[…](page.ipynb#place)` from the list of a page's headings, and warns about any other
place. A name above a formula becomes the formula's own, and a caption below a picture or above a table joins it.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

NAMED = re.compile(r'^<a id="([^"]+)">')  # its end is a piece of its own
# A figure that moves has its own name.
MOVING = re.compile(r'^<figure class="explorable"[^>]* id="([^"]+)">')


class Remember(SphinxTransform):
    """Add the places that a page names in HTML to those that links can name, before MyST looks for them."""

    default_priority = 870

    def apply(self, **_: Any) -> None:
        """Go over a page that was read."""
        places = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for raw in self.document.findall(nodes.raw):
            for name in (*NAMED.findall(raw.astext()), *MOVING.findall(raw.astext())):
                places.setdefault(name, (None, name, name))
        self.document.myst_slugs = places
        for formula in list(self.document.findall(nodes.math_block)):
            _adopt(formula)


def _adopt(formula: nodes.math_block) -> None:
    """Give a formula the name that stands at the end of the paragraph above it."""
    above = formula.parent[formula.parent.index(formula) - 1] if formula.parent.index(formula) else None
    if not isinstance(above, nodes.paragraph) or len(above) < 2 or not isinstance(above[-2], nodes.raw):
        return
    if name := NAMED.match(above[-2].astext()):
        formula["ids"].append(name[1])
        del above[-2:]
        if not above.astext().strip():
            above.parent.remove(above)


def caption(app: Sphinx, page: nodes.document, _: str) -> None:
    """Make one figure of a picture and of the caption below it, and one table of a table and of that above it."""
    for text in list(page.findall(nodes.paragraph)):
        found = NAMED.match(text[0].astext()) if text.children and isinstance(text[0], nodes.raw) else None
        name, at = found[1] if found else "", text.parent.index(text)
        if name.startswith("tab-"):
            table = text.parent[at + 1]
            table["ids"].append(name)
            table.insert(0, nodes.title("", "", *text[2:]))
            text.parent.remove(text)
        elif name.startswith("fig-"):
            picture = list(text.parent[at - 1].findall(nodes.image))[-1]
            figure = nodes.figure("", ids=[name], align="default")
            picture.replace_self(figure)
            figure += [picture, nodes.caption("", "", *text[2:])]
            text.parent.remove(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Go over each page when it was read, and again when all that its cells show stands in it."""
    app.add_transform(Remember)
    app.connect("doctree-resolved", caption)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
