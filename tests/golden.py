"""The words and cells of the book as plain text, from chapters run in this process.

``make golden`` writes the stored texts again; a change is then seen, and meant, in the diff.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jupytext
from matplotlib.figure import Figure

from msct_helpers import load_trial
from msct_helpers.book import chapter, records
from msct_helpers.book.document import MIME, NARROW, WIDE, Node, to_plain
from msct_helpers.book.figures import drawn_at
from msct_helpers.book.run import find_rows, run_cells
from msct_helpers.trial.plan import Plan
from tests.conftest import ROOT

GOLDEN = ROOT / "tests/golden"
GLUED = f"application/papermill.record/{MIME}"
PLAN = re.compile(r"\{plan\}`(\w+)`")
_TAKEN = {path: records.list_taken(path) for path in sorted((ROOT / "chapters").glob("*.md"))}
CHAPTERS = list(TopologicalSorter(_TAKEN).static_order())
"""Each chapter after those from which it takes results."""

EVIDENCE = [path for path in CHAPTERS if re.search(r"^basis:", path.read_text(), re.M)]
"""Chapters that rest on no data set of a book: they are run, and their words stored, once."""


def write_block(block: Node) -> Iterator[str]:
    """Yield the lines of a block, with numbers as they are shown."""
    if block["kind"] == "list":
        yield from (f"- {to_plain(item['children'])}" for item in block["children"])
    elif block["kind"] == "table":
        yield f"[{block['name']}] {to_plain(block['caption'])}"
        yield from (
            " | ".join(to_plain(cell) for cell in row) for row in [block["heads"], *block["rows"]]
        )
    elif block["kind"] == "figure":
        yield f"[{block['name']}] {to_plain(block['caption'])}"
        yield f"Alternative text: {block['alt']}"
    elif block["kind"] == "fold":
        yield f"(folded) {to_plain(block['title'])}"
        yield from (line for part in block["blocks"] for line in write_block(part))
    elif block["kind"] in ("heading", "paragraph"):
        yield to_plain(block["children"])


def write_output(data: dict[str, Any], metadata: dict[str, Any]) -> str:
    """Return a cell's output as text; what other pages paste is named."""
    blocks = data.get(MIME) or data.get(GLUED) or []
    name = metadata.get("scrapbook", {}).get("name") if GLUED in data else None
    lines = [line for block in blocks for line in write_block(block)]
    return "\n".join([f"<{name}>"] * bool(name and lines) + lines)


def write_prose(source: str, plan: Plan) -> list[str]:
    """Return the paragraphs of a page's own prose that take words from the plan."""
    return [
        PLAN.sub(lambda role: str(getattr(plan, role[1])), " ".join(paragraph.split()))
        for paragraph in source.split("\n\n")
        if PLAN.search(paragraph)
    ]


def plot_only(plot: Callable[[], Figure], *_: str) -> dict[str, str]:
    """Make a figure at both widths, and draw nothing."""
    for width in (NARROW, WIDE):
        with drawn_at(width):
            plot()
    return {"svg": ""}


def run_chapter(path: Path, plan: Plan) -> tuple[str, list[dict[str, Any]]]:
    """Run a chapter's code; return what a reader sees of its outputs, and its results."""
    with patch.object(chapter, "draw_widths", plot_only):
        outputs = run_cells(records.read_cells(path))
    rows = [row for row in find_rows(outputs) if row["chapter"] == path.stem]
    texts, shown = [], iter(outputs)
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            texts += [write_output(out["data"], out["metadata"]) for out in next(shown)]
        else:
            texts += write_prose(cell.source, plan)
    return normalise("\n\n".join(text for text in texts if text)) + "\n", rows


@cache
def run_evidence() -> dict[Path, tuple[str, list[dict[str, Any]]]]:
    """Return the text and results of each chapter of `EVIDENCE`, run in this project's own book."""
    folder = ROOT / "data/msct_synthetic"
    with patch.dict(os.environ, MSCT_DATA=str(folder)):
        return {path: run_chapter(path, load_trial(folder).plan) for path in EVIDENCE}


def run_book(folder: Path, names: Collection[str] = ()) -> dict[str, str]:
    """Return the text of each chapter of a data set's book but `EVIDENCE`, or of those named."""
    trial, texts, evidence = load_trial(folder), {}, run_evidence()
    with (
        patch.dict(os.environ, MSCT_DATA=str(folder)),
        patch.object(chapter, "load_trial", return_value=trial),
    ):
        for path in CHAPTERS:
            if path in EVIDENCE:
                rows = evidence[path][1]
            elif path.stem in names or not names:
                texts[path.stem], rows = run_chapter(path, trial.plan)
            else:
                continue
            # Chapters that take from this one need not run it again.
            records.RAN[records.digest_page(path)] = rows
        return texts


def normalise(text: str) -> str:
    """Return a text without what differs between two states, and with plain blanks."""
    return re.sub(r"\b[0-9a-f]{16}\b", "<digest>", text.replace("\N{NO-BREAK SPACE}", " "))


def main() -> None:
    """Write the stored texts."""
    from tests.odd import make_folders

    for path, (text, _) in run_evidence().items():
        (GOLDEN / "evidence").mkdir(parents=True, exist_ok=True)
        (GOLDEN / "evidence" / f"{path.stem}.txt").write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as home:
        for name, folder in make_folders(Path(home)).items():
            (GOLDEN / name).mkdir(parents=True, exist_ok=True)
            for title, text in run_book(folder).items():
                (GOLDEN / name / f"{title}.txt").write_text(text, encoding="utf-8")
            print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
