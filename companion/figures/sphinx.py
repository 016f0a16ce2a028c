"""The book's Sphinx extension: every page loads one script and one style sheet, made of all kinds of figures.

They are classic files beside the pages, since a page opened as a file may load no modules. A change in any of them
makes all pages anew.
"""

import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from . import assets
from .kinds import KINDS

LAST = 900  # after the theme's own files and the book's


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two files with Sphinx."""
    files = {"explorables.js": assets.page_script(KINDS), "explorables.css": assets.page_style(KINDS)}

    def write(app: Sphinx) -> None:
        folder = Path(app.outdir, "_static")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")

    app.connect("builder-inited", write)
    app.add_js_file("explorables.js", priority=LAST)
    app.add_css_file("explorables.css", priority=LAST)
    # Sphinx compares the values of a build with those of the last; a new fingerprint makes every page anew.
    fingerprint = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    app.add_config_value("explorables_fingerprint", fingerprint, "html", [str])
    return {"parallel_read_safe": True, "parallel_write_safe": True}
