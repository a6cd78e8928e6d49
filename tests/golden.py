"""The words and cells of the book as plain text, from chapters run in this process.

``make golden`` writes the stored texts again; a change is then seen, and meant, in the diff.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
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
from msct_helpers.book.records import find_data
from msct_helpers.book.run import Outputs, find_rows, run_cells
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


def write_methods(rows: list[dict[str, Any]]) -> list[str]:
    """Return what the pages of results say of how the results of a chapter were found."""
    ways = dict.fromkeys(f"{r['analysis']} | {r['function']} | {r['method']}" for r in rows)
    return ["\n".join(["[results] analysis | function | method", *ways])] if ways else []


def plot_only(plot: Callable[[], Figure], *_: str) -> dict[str, str]:
    """Make a figure at both widths, and draw nothing."""
    for width in (NARROW, WIDE):
        with drawn_at(width):
            plot()
    return {"svg": ""}


def run_chapter(path: Path) -> list[Outputs]:
    """Return what a chapter's cells give: what a build left, or else its code is run here."""
    left = records.load(records.find_left(path))
    if left is not None:
        return left["outputs"]
    with patch.object(chapter, "draw_widths", plot_only):
        outputs = run_cells(records.read_cells(path))
    # Chapters that take from this one need not run it again.
    rows = [row for row in find_rows(outputs) if row["chapter"] == path.stem]
    records.RAN[records.digest_page(path)] = rows
    return outputs


def write_chapter(path: Path, plan: Plan) -> str:
    """Return what a reader sees of a chapter."""
    outputs = run_chapter(path)
    texts, shown = [], iter(outputs)
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            texts += [write_output(out["data"], out["metadata"]) for out in next(shown)]
        else:
            texts += write_prose(cell.source, plan)
    rows = [row for row in find_rows(outputs) if row["chapter"] == path.stem]
    # Before the last cell, which checks what the others gave.
    texts[-1:-1] = write_methods(rows)
    return normalise("\n\n".join(text for text in texts if text)) + "\n"


def run_evidence() -> dict[str, str]:
    """Return the text of each chapter of `EVIDENCE`."""
    return run_chapters(find_data(EVIDENCE[0]), EVIDENCE)


def run_book(folder: Path, names: Collection[str] = ()) -> dict[str, str]:
    """Return the text of each chapter of a data set's book but `EVIDENCE`, or of those named."""
    own = [path for path in CHAPTERS if path not in EVIDENCE]
    return run_chapters(folder, [path for path in own if path.stem in names or not names])


def run_chapters(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """Return the text of chapters by name, with a data set's numbers."""
    trial = load_trial(folder)
    with (
        patch.dict(os.environ, MSCT_DATA=str(folder)),
        patch.object(chapter, "load_trial", return_value=trial),
    ):
        return {path.stem: write_chapter(path, trial.plan) for path in paths}


def normalise(text: str) -> str:
    """Return a text without what differs between two states, and with plain blanks."""
    return re.sub(r"\b[0-9a-f]{16}\b", "<digest>", text.replace("\N{NO-BREAK SPACE}", " "))


def main() -> None:
    """Write the stored texts."""
    from tests.odd import make_folders

    store("evidence", run_evidence())
    with tempfile.TemporaryDirectory() as home:
        for name, folder in make_folders(Path(home)).items():
            store(name, run_book(folder))


def store(name: str, texts: dict[str, str]) -> None:
    """Write the texts of chapters."""
    (GOLDEN / name).mkdir(parents=True, exist_ok=True)
    for title, text in texts.items():
        (GOLDEN / name / f"{title}.txt").write_text(text, encoding="utf-8")
    print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
