"""Shared fixtures: two data sets, their books, and a project of one chapter; built once a run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pandas as pd
import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from msct_helpers import Trial, load_trial
from msct_helpers.sphinx.processes import collect_seldom

collect_seldom()
# How long an example takes depends on the machine.
hypothesis.settings.register_profile("clockless", deadline=None)
hypothesis.settings.load_profile("clockless")

ROOT = Path(__file__).resolve().parent.parent
DATASETS = ("msct_synthetic", "mayo_pbc")
EPOCH = "1767225600"
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
"""Names this run of the suite, in all its processes."""

TAKES = re.compile(r"^```\{code-cell\}[^`]*\.take\(.*?(?=^## )", re.M | re.S)

HEAVY = (
    *("test_hostile", "test_axe", "test_output", "test_book", "test_pdf", "test_web"),
    *("test_golden", "test_verify", "test_sphinx", "test_crate"),
)
"""Modules that build books: they begin first, so that no process is left alone at the end."""
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first."""
    order = {f"{name}.py": i for i, name in enumerate(HEAVY)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


def once(folder: Path, make: Callable[[], object]) -> Path:
    """Make a folder's content once in this run of the suite, whichever process comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / ".run"
    with FileLock(folder.with_suffix(".lock")):
        if not note.is_file() or note.read_text() != RUN:
            make()
            note.write_text(RUN)
    return folder


def build_book(dataset: str | Path, out: Path, *, root: Path = ROOT, **variables: str) -> str:
    """Build the book of a data set, by name or folder, and return what the build printed."""
    program = str(Path(sys.executable).parent / "jupyter-book")
    command = [program, "build", str(root), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(out)],
        env=os.environ
        | {
            "MSCT_DATA": str(root / "data" / dataset),
            "NO_COLOR": "1",
            "PYTHONPATH": str(root),
            "SOURCE_DATE_EPOCH": EPOCH,
        }
        | variables,
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


class Books(dict[str, Path]):
    """The HTML folder of each data set's book, built when it is first asked for."""

    def __missing__(self, name: str) -> Path:
        out = ROOT / "_build" / "tests" / name
        self[name] = once(out, lambda: build_book(name, out)) / "_build" / "html"
        return self[name]


@pytest.fixture(scope="session")
def books() -> dict[str, Path]:
    """Return the HTML folder of each data set's book; a second run rebuilds nothing."""
    return Books()


@pytest.fixture(scope="session")
def html(books: dict[str, Path]) -> Path:
    return books["msct_synthetic"]


@pytest.fixture(scope="session")
def names(html: Path) -> list[str]:
    """Return every page of the book; a certificate, where one was made, stands alone."""
    found = sorted(path.relative_to(html).as_posix() for path in html.rglob("*.html"))
    found = [name for name in found if name != "certificate.html"]
    assert len(found) > 25
    return found


@pytest.fixture(scope="session")
def kinds(html: Path, names: list[str]) -> list[str]:
    """Return every page of the book, and of the results the longest: the others are like it."""
    size = {name: (html / name).stat().st_size for name in names}
    longest = max((n for n in names if n.startswith("results/")), key=lambda name: size[name])
    return [name for name in names if not name.startswith("results/") or name == longest]


@pytest.fixture(scope="session")
def address(html: Path) -> Iterator[str]:
    from benchmarks.pages import serve

    with serve(html) as address:
        yield address


def copy_project(to: Path, *chapters: str) -> Path:
    """Return a copy of the project whose book has some chapters only; they take from no other."""
    ignore = shutil.ignore_patterns("_build", ".*", "*.egg-info", "notebooks")
    shutil.copytree(ROOT, to, ignore=ignore)
    first, *others = chapters
    lines = [f"  - file: chapters/{name}\n" for name in others]
    listed = "".join(["chapters:\n", *lines] if lines else [])
    (to / "_toc.yml").write_text(f"format: jb-book\nroot: chapters/{first}\n{listed}")
    links = re.compile(rf"\{{doc\}}`(?!(?:{'|'.join(chapters)})`)[\w-]+`")
    for name in chapters:
        page = to / "chapters" / f"{name}.md"
        # From where a chapter takes results to the next heading.
        text = re.sub(TAKES, "", page.read_text())
        assert ".take(" not in text
        page.write_text(links.sub("elsewhere", text))
    return to


def swap(path: Path, old: str, new: str) -> str:
    """Change a file and return its former content."""
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))
    return content


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of one chapter, with its book built in a folder ``fresh`` beside it."""
    shared = tmp_path_factory.getbasetemp().parent / f"small-{RUN}"

    def make() -> None:
        project = copy_project(shared / "project", "safety")
        build_book("msct_synthetic", shared / "fresh", root=project)

    return once(shared, make) / "project"


def get_text(record: pd.DataFrame) -> dict[str, str]:
    """Return the shown text of a record by id."""
    return dict(zip(record["id"], record["text"], strict=True))


def with_tables(trial: Trial, **tables: pd.DataFrame | None) -> Trial:
    """Return a trial with some of its tables changed."""
    return replace(trial, **tables)


def find_chromium() -> str | None:
    """Return the path of Debian's browser."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
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
