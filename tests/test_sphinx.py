"""Whoever builds it, in whatever folder: the book is the same."""

import json
import os
import subprocess
from pathlib import Path

from tests.conftest import EPOCH, ROOT


def read_digests(book: Path) -> dict[str, str]:
    """Return the sha256 of each file of a book by name; its manifest lists them all."""
    listed = json.loads((book / "manifest.json").read_text(encoding="utf-8"))
    found = {p.relative_to(book).as_posix() for p in book.rglob("*") if p.is_file()}
    assert {entry["file"] for entry in listed} == found - {"manifest.json"}
    assert len(listed) > 50
    return {entry["file"]: entry["sha256"] for entry in listed}


def test_sphinx_alone_builds_the_same_book_to_the_byte(
    books: dict[str, Path], tmp_path: Path
) -> None:
    jupyter_book = read_digests(books["msct_synthetic"])
    variables = {
        "MSCT_DATA": str(ROOT / "data/msct_synthetic"),
        "SOURCE_DATE_EPOCH": EPOCH,
    }
    done = subprocess.run(
        ["sh", str(ROOT / "tools/sphinx.sh"), str(tmp_path / "sphinx")],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert read_digests(tmp_path / "sphinx/_build/html") == jupyter_book
    assert not (ROOT / "conf.py").exists()
