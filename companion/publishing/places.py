"""A link to another page can name a claim: what a page calls `<a id="…"></a>` counts as its headings do.

MyST resolves `[…](page.ipynb#place)` from the list of a page's headings, and warns about any other place.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

NAMED = re.compile(r'^<a id="([^"]+)">')  # its end is a piece of its own


def remember(app: Sphinx, page: nodes.document) -> None:
    """Add the places that a page names in HTML to those that links can name."""
    places = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for raw in page.findall(nodes.raw):
        for name in NAMED.findall(raw.astext()):
            places.setdefault(name, (None, name, name))


def setup(app: Sphinx) -> dict[str, Any]:
    """Go over each page when it was read."""
    app.connect("doctree-read", remember)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
