"""Records of chapters beside each other, so that one chapter can weigh the results of others."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jupytext
from filelock import FileLock
from IPython.utils.capture import capture_output

from msct_helpers.trial.paths import ROOT

FOLDER = ROOT / "_build" / ".records"


def digest_chapter(name: str) -> str:
    """Return a sha256 over all code that a chapter's results depend on, and its text."""
    total = hashlib.sha256()
    files = sorted((ROOT / "msct_helpers").rglob("*.py"))
    for path in [*files, ROOT / "chapters" / f"{name}.md"]:
        total.update(os.fsencode(path.name) + b"\0" + path.read_bytes())
    return total.hexdigest()


def find_record(name: str, data: str) -> Path:
    """Return where a chapter leaves its results of the data set with this digest."""
    return FOLDER / f"{name}-{data}-{digest_chapter(name)[:16]}.json"


def write_record(name: str, data: str, rows: list[dict[str, Any]]) -> None:
    """Leave a chapter's results for the others."""
    path = find_record(name, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", is_singleton=True):
        path.write_text(json.dumps(rows), encoding="utf-8")


def read_record(name: str, data: str) -> list[dict[str, Any]]:
    """Return a chapter's results; its code is run where nobody ran it in this state before."""
    path = find_record(name, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", is_singleton=True):
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return run_chapter(name)


def run_chapter(name: str) -> list[dict[str, Any]]:
    """Run a chapter's code here, show nothing of it, and return its results."""
    scope: dict[str, Any] = {}
    notebook = jupytext.read(ROOT / "chapters" / f"{name}.md")
    with patch("msct_helpers.book.chapter.glue"), capture_output():
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, name, "exec"), scope)
    return scope["book"].own_rows
