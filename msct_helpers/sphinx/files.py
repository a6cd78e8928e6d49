"""Sphinx extension of the book, the files' part: what a chapter can be taken away as.

`msct_helpers.sphinx.ext` loads it. Each chapter ends with one box that names its source and its
notebook, its results, the state it was built from, and how to cite it.
"""

import html
import json
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from msct_helpers.book.records import RECORD_KEY
from msct_helpers.sphinx.pdf import OFFERED
from msct_helpers.sphinx.results import RESULTS, read_left
from msct_helpers.trial.paths import ROOT, data_folder, digest_data

CHAPTERS = "chapters"
SOURCES = "sources"
"""Folder of the HTML book with the texts and notebooks of chapters."""

CITATION = ROOT / "CITATION.cff"


def list_sources(chapter: str) -> dict[Path, str]:
    """Return the files of a chapter that are there, with what they are called."""
    files = {
        ROOT / "notebooks" / f"{chapter}.ipynb": "notebook",
        ROOT / CHAPTERS / f"{chapter}.md": "source",
    }
    return {path: name for path, name in files.items() if path.is_file()}


def link(target: str, words: str, *, download: bool = True) -> str:
    """Return a link, to be kept as a file or to be read."""
    kept = " download" if download else ""
    return f'<a href="../{html.escape(target)}"{kept}>{html.escape(words)}</a>'


def add_box(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """End a chapter with a box of its files."""
    folder, _, chapter = pagename.rpartition("/")
    if folder != CHAPTERS or "body" not in context:
        return
    links = [link(f"{SOURCES}/{path.name}", name) for path, name in list_sources(chapter).items()]
    rows = json.loads(read_left(app.env, pagename).get(RECORD_KEY, "[]"))
    if any(row["chapter"] == chapter for row in rows):
        links.append(link(f"{RESULTS}/{chapter}.html", "every number", download=False))
    links += [
        link(f"{RESULTS}/ard.csv", "all results, CSV"),
        link(f"{RESULTS}/ard.parquet", "Parquet"),
    ]
    offered = [Path(name) for name in app.config.msct_offered]
    links += [link(path.name, OFFERED[path], download=False) for path in offered]
    if CITATION.is_file():
        links.append(link(CITATION.name, "cite this"))
    study = app.config.msct_study
    state = (
        f"Version <code>{html.escape(app.config.release)}</code>, from data set "
        f"<code><bdi>{html.escape(study['dataset'])}</bdi></code> "
        f"(sha256 <code>{digest_data(data_folder())}</code>)."
    )
    context["body"] += (
        '<section class="msct-files" aria-label="Files of this chapter">'
        f"<p><strong>Take this chapter along</strong>: {' · '.join(links)}. {state}</p></section>"
    )


def copy_sources(app: Sphinx, exception: Exception | None) -> None:
    """Put the texts and notebooks of the chapters beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    home = Path(app.outdir) / SOURCES
    home.mkdir(exist_ok=True)
    for docname in sorted(app.env.found_docs):
        folder, _, chapter = docname.rpartition("/")
        for path in list_sources(chapter) if folder == CHAPTERS else ():
            shutil.copyfile(path, home / path.name)
    if CITATION.is_file():
        shutil.copyfile(CITATION, Path(app.outdir) / CITATION.name)


def setup_files(app: Sphinx) -> None:
    """Register what offers the files of chapters."""
    app.connect("html-page-context", add_box)
    app.connect("build-finished", copy_sources)
