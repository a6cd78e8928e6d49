"""Sphinx extension of the book, the PDF's part: title page, running header, no code.

`msct_helpers.sphinx.ext` loads it. ``preamble.tex`` and ``maketitle.tex`` are the little LaTeX that
Sphinx has no option for; its options stand in ``_config.yml``.
"""

import os
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from docutils import nodes
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import texescape

from msct_helpers.book.document import WIDE
from msct_helpers.sphinx.document import data_text, picture
from msct_helpers.sphinx.paper import LeaveOut, write_latex
from msct_helpers.trial.paths import ROOT

PDF = ROOT / "_build" / "pdf" / "msct-trial-report.pdf"
"""Where `make pdf` leaves the book; a file of the same name with .digest says from what."""

CERTIFICATE = ROOT / "_build" / "verify" / "certificate.html"
"""Where `make verify` leaves its certificate, with a .digest and a .json beside it."""

OFFERED = {
    PDF: "Download this book as PDF",
    CERTIFICATE: "Certificate of re-execution of this book",
}
"""Files that the front page offers where they were made from the same state of the book."""

FULL_WIDTH = 72 * WIDE
"""Width of most figures as drawn, points: that of a line."""

FONTS = ("FreeSerif", "FreeSerifBold", "FreeSans", "FreeSansBold")
"""Fonts of the PDF in which text of a data set may be set."""

LATIN_END = 0x0250
"""First code point after the Latin letters."""


def configure_latex(config: Config, study: dict[str, str], digest: str) -> None:
    """Set title page and header of the PDF from the data set's description.

    Parameters
    ----------
    config
        Sphinx configuration, changed in place.
    study
        What the pages say of the study, with its origin and the name of the data set.
    digest
        First characters of the sha256 of the data.
    """
    texescape.init()
    texts = study | {"author": str(config.author), "version": str(config.release)}
    words = {key: texescape.escape(fit_fonts(text), "xelatex") for key, text in texts.items()}
    kind = "Synthetic data" if study["origin"] == "synthetic" else "Real data"
    words |= {"kind": kind, "digest": digest, "date": format_date()}
    for part in ("preamble", "maketitle"):
        template = Path(__file__).with_name(f"{part}.tex").read_text(encoding="utf-8")
        config.latex_elements[part] = Template(template).substitute(words)


@cache
def list_printable() -> frozenset[int]:
    """Return the code points that every font of the PDF has; empty where they are not found."""
    found = [
        subprocess.run(["kpsewhich", f"{name}.otf"], capture_output=True, text=True).stdout.strip()
        for name in FONTS
    ]
    if not all(found):
        return frozenset()
    return frozenset.intersection(*(frozenset(TTFont(path).getBestCmap()) for path in found))


def fit_fonts(text: str) -> str:
    """Return a text with the characters that the fonts of the PDF lack named by their code."""
    # Fonts are large; Latin letters are in all of them.
    if all(ord(c) < LATIN_END for c in text):
        return text
    known = list_printable()
    return "".join(
        c if not known or ord(c) < LATIN_END or ord(c) in known else f"[U+{ord(c):04X}]"
        for c in text
    )


def format_date() -> str:
    """Return the day of the build; that of SOURCE_DATE_EPOCH where it is set."""
    now = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    moment = time.gmtime(now)
    return f"{moment.tm_mday} {time.strftime('%B %Y', moment)}"


def set_title(app: Sphinx, env: BuildEnvironment) -> None:
    """Give the PDF the data set's title; Jupyter Book sets that of _config.yml late."""
    title = texescape.escape(fit_fonts(app.config.html_title), "xelatex")
    app.config.latex_documents = [
        (doc, name, title, *rest) for doc, name, _, *rest in app.config.latex_documents
    ]


class FitPaper(SphinxPostTransform):
    """Take code out of the PDF, where it cannot be unfolded, and fit figures beside their text."""

    formats = ("latex",)
    default_priority = 300

    def run(self, **kwargs: Any) -> None:
        """Remove the input part of every code cell and set the width of figures."""
        for data in self.document.findall(data_text):
            data.children = [nodes.Text(fit_fonts(data.astext()))]
        for pair in list(self.document.findall(picture)):
            pair.replace_self(pair.children[-1])
        for image in self.document.findall(nodes.image):
            # A figure drawn narrower than the others stays narrower.
            share = min(image.get("drawn", [0.0])[0] / FULL_WIDTH or 1.0, 1.0)
            # Letters of 7 points and more.
            image["width"] = f"{85 * share:.0f}%"
        # What links lead to begins on the page where it goes on.
        for target in list(self.document.findall(nodes.target)):
            if isinstance(target.next_node(descend=False, siblings=True), nodes.paragraph):
                target.parent.insert(target.parent.index(target), write_latex("\\msctroom{4em}"))
        # LaTeX gives an empty paragraph in a cell a line of its own.
        for cell in self.document.findall(nodes.entry):
            if not cell.astext().strip():
                cell.children.clear()
        for node in list(self.document.findall(nodes.container)):
            if "cell_input" in node["classes"]:
                node.parent.remove(node)


def list_offered(digest: str) -> list[str]:
    """Return the files of `OFFERED` that were made from the state of the book with this digest."""
    offered = []
    for path in OFFERED:
        note = path.with_suffix(".digest")
        made = note.read_text(encoding="utf-8").strip() if note.is_file() else ""
        if path.is_file() and made == digest:
            offered.append(str(path))
    return offered


def add_downloads(app: Sphinx, pagename: str, context: dict[str, Any]) -> None:
    """Offer PDF and certificate on the front page."""
    if app.config.msct_offered and pagename == app.config.root_doc:
        paths = [Path(name) for name in app.config.msct_offered]
        links = [f'<a href="{path.name}">{OFFERED[path]}</a>' for path in paths]
        shown = "<p>" + " · ".join(links) + "</p>"
        context["body"] = context["body"].replace("</h1>", f"</h1>{shown}", 1)


def copy_offered(app: Sphinx) -> None:
    """Put what is offered beside the pages."""
    for name in app.config.msct_offered:
        for path in (Path(name), Path(name).with_suffix(".json")):
            if path.is_file():
                shutil.copyfile(path, Path(app.outdir) / path.name)


def setup_pdf(app: Sphinx) -> None:
    """Register what the PDF needs."""
    app.add_config_value("msct_offered", [], "html", [list])
    app.add_post_transform(LeaveOut)
    app.add_post_transform(FitPaper)
    app.connect("env-updated", set_title)
