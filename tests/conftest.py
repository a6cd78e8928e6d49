"""Shared fixtures: the two data sets, and both books built once a session."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, sync_playwright

from msct_helpers import Trial, load_trial

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ("msct_synthetic", "mayo_pbc")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def synthetic() -> Trial:
    return load_trial(ROOT / "data/msct_synthetic")


@pytest.fixture(scope="session")
def mayo() -> Trial:
    return load_trial(ROOT / "data/mayo_pbc")


def build_book(dataset: str | Path, out: Path, *options: str, root: Path = ROOT) -> str:
    """Build the book of a data set, by name or folder, and return what the build printed."""
    program = str(Path(sys.executable).parent / "jupyter-book")
    command = [program, "build", str(root), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(out), *options],
        env=os.environ
        | {"MSCT_DATA": str(root / "data" / dataset), "NO_COLOR": "1", "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def books() -> dict[str, Path]:
    """Return the HTML folder of each data set's book; a second run rebuilds nothing."""
    out = {name: ROOT / "_build" / "tests" / name for name in DATASETS}
    for name, folder in out.items():
        build_book(name, folder)
    return {name: folder / "_build" / "html" for name, folder in out.items()}


def get_text(record: pd.DataFrame) -> dict[str, str]:
    """Return the shown text of a record by id."""
    return dict(zip(record["id"], record["text"], strict=True))


def with_tables(trial: Trial, **tables: pd.DataFrame | None) -> Trial:
    """Return a trial with some of its tables changed."""
    return replace(trial, **tables)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing; expected it to be installed where CI runs")
        pytest.skip("chromium is missing: install it to test the pages in a browser")
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield chrome
        chrome.close()


def show_cells(table: pd.DataFrame, record: pd.DataFrame) -> list[list[str]]:
    """Return the cells of a display table as a reader sees them, row by row."""
    texts = get_text(record)

    def fill(cell: str) -> str:
        shown = re.sub(r"\{([\w.=-]+)\}", lambda m: texts[m[1]], cell)
        return shown.replace("\N{NO-BREAK SPACE}", " ")

    return [[fill(cell) for cell in row] for row in table.itertuples(index=False)]
