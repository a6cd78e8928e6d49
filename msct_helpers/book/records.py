"""What a chapter's results depend on, and what executed chapters leave for whoever needs it.

A chapter is known by the digest of its own code, of the modules which that imports, of the files
that these read, and of the chapters from which it takes results. What it gave is kept under that
digest, so that nothing is executed twice and nothing old is taken for new.
"""

import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msct_helpers.trial.paths import DEFAULT_DATA, ROOT, data_folder

CACHE = "MSCT_CACHE"
"""Environment variable: a folder for what chapters leave, instead of the one that all share."""

RECORD_KEY = "record"
"""Glue key under which a chapter leaves its results with its notebook."""

PACKAGE = "msct_helpers"

VERSIONED = ("matplotlib", "myst-nb", "numpy", "pandas", "scipy", "seaborn", "statsmodels")
"""Packages whose version can change a number or a figure."""

READERS = {
    "load_statements": "data/published/*",
    "load_standards": "data/standards.yml",
    "load_population": "data/mayo_pbc/*",
    "load_pair": "data/msct_synthetic*/*",
    "load_related": "data/published/*",
    "load_grid": "data/worlds/*",
    "load_note": "data/worlds/*",
    "load_null_world": "data/null_world.csv",
}
"""Files of the project by the function that reads them: code that calls it depends on them."""

_IMPORT = re.compile(r"(?:\bfrom\s+([.\w]+)\s+)?\bimport\s+(\([^)]*\)|[^\n;(]+)")
_IGNORED = re.compile(r"#.*|\\\n")

RAN: dict[str, list[dict[str, Any]]] = {}
"""Results of chapters that were run in this process, by the digest of what they depend on."""

_CELL = re.compile(r"^(`{3,}|~{3,})\{code-cell\}.*\n((?::.*\n)*)((?:.*\n)*?)\1\s*$", re.M)


def read_cells(page: Path) -> list[str]:
    """Return the code of each cell of a text notebook."""
    found = _CELL.findall(page.read_text(encoding="utf-8"))
    return [code.strip("\n") for _, _, code in found]


@cache
def list_names(code: str, package: str = "") -> frozenset[str]:
    """Return the names of this package that code of a package imports, wherever in it.

    A module and each name taken from it, which may be a module as well. Text that only looks like
    an import does no harm.
    """
    names = set()
    for home, what in _IMPORT.findall(_IGNORED.sub(" ", code)):
        parts = re.findall(r"([\w.]+)(?:\s+as\s+\w+)?\s*(?:,|$|\))", what)
        home = resolve_name(home, package) if package and home.startswith(".") else home
        names |= {home, *(f"{home}.{part}" for part in parts)} if home else set(parts)
    return frozenset(name for name in names if name.startswith(PACKAGE))


def list_taken(page: Path) -> list[Path]:
    """Return the chapters from which a chapter takes results.

    They are those that a cell with ``book.take(...)`` names, be it there or in a list before it.
    """
    taking = "\n".join(cell for cell in read_cells(page) if ".take(" in cell)
    names = set(re.findall(r"[\"']([\w-]+)[\"']", taking)) - {page.stem}
    pages = [ROOT / "chapters" / f"{name}.md" for name in sorted(names)]
    return [page for page in pages if page.is_file()]


def list_modules(cells: list[str]) -> dict[str, Path]:
    """Return the modules of this package that code imports, directly or through others, by name."""
    found: dict[str, Path] = {}
    wanted = {name for cell in cells for name in list_names(cell)}
    while wanted:
        name = wanted.pop()
        path = find_module(name, ROOT)
        if path is not None:
            found[name] = path
            parent = name.rpartition(".")[0]
            package = name if path.stem == "__init__" else parent
            names = list_names(path.read_text(encoding="utf-8"), package) | {parent}
            wanted |= names - found.keys() - {""}
    return found


@cache
def find_module(name: str, root: Path) -> Path | None:
    """Return the file of a module or package of ours, or None where the name is of neither."""
    path = root.joinpath(*name.split("."))
    files = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)


def find_data(page: Path) -> Path:
    """Return the folder of the data set with which a page is run.

    A page with a basis of its own, which it names in its head, rests on no data set: it is run with
    the project's own one, so that no other changes it, and it is run once for the books of all.
    """
    head, _, _ = page.read_text(encoding="utf-8").partition("\n---\n")
    return ROOT / DEFAULT_DATA if re.search("^basis:", head, re.M) else data_folder()


def list_files(cells: list[str], data: Path) -> list[Path]:
    """Return all files on which the results of cells depend: modules, data, the project's own."""
    modules = list_modules(cells)
    callers = [path for name, path in modules.items() if name != "msct_helpers.trial.load"]
    texts = [*cells, *(path.read_text(encoding="utf-8") for path in callers)]
    files = [*modules.values(), *data.glob("*")]
    for reader, pattern in READERS.items():
        if any(f"{reader}(" in text for text in texts):
            files += ROOT.glob(pattern)
    return [path for path in files if path.is_file()]


def digest_files(files: Iterable[Path], *words: str) -> str:
    """Return a sha256 over files, with their names, and words."""
    total = hashlib.sha256(json.dumps(words).encode())
    for path in sorted(files):
        total.update(os.fsencode(f"{path.parent.name}/{path.name}") + b"\0" + path.read_bytes())
    return total.hexdigest()


@cache
def list_versions() -> list[str]:
    """Return the versions of Python and of every package that can change a number or a figure."""
    return [platform.python_version(), *(f"{name}=={version(name)}" for name in VERSIONED)]


def digest_page(page: Path, above: tuple[Path, ...] = ()) -> str:
    """Return a sha256 over all that the results of a page's code depend on; not over its prose.

    Of chapters from which it takes results, these count, and not how they came about; what these
    depend on, where they are not at hand yet.

    Raises
    ------
    ValueError
        If it takes, through others, from itself.
    """
    if page in above:
        raise ValueError(f"{page.name} takes from itself: {' -> '.join(p.name for p in above)}")
    cells, taken = read_cells(page), []
    for other in list_taken(page):
        digest = digest_page(other, (*above, page))
        left = load(name_left(other, digest))
        taken.append(digest if left is None else json.dumps(left["rows"]))
    return digest_files(list_files(cells, find_data(page)), *list_versions(), *cells, *taken)


def cache_folder() -> Path:
    """Return the folder in which is kept what chapters leave."""
    return Path(os.environ.get(CACHE, ROOT / "_build" / ".execution"))


def name_left(page: Path, digest: str) -> Path:
    """Return where is kept what a page's code gives in the state with this digest."""
    return cache_folder() / f"{page.stem}-{digest[:16]}.json"


def find_left(page: Path) -> Path:
    """Return where is kept what a page's code gives as it stands."""
    return name_left(page, digest_page(page))


def store(path: Path, value: Any) -> None:
    """Write a value as JSON under its digest: whole, or not at all."""
    text = json.dumps(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
    if path.is_dir():
        shutil.rmtree(path)
    part.replace(path)


def load(path: Path) -> Any:
    """Return what `store` wrote; None where it is missing or not as it was written."""
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return json.loads(text) if digest == hashlib.sha256(text.encode()).hexdigest() else None


def read_record(name: str) -> list[dict[str, Any]]:
    """Return a chapter's results: those that a build left, or else its code is run here.

    What was run here is not kept for others: this process may have begun with other code than
    stands there now.
    """
    page = ROOT / "chapters" / f"{name}.md"
    left = load(find_left(page))
    if left is not None:
        return left["rows"]
    digest = digest_page(page)
    if digest not in RAN:
        RAN[digest] = run_for_rows(read_cells(page))
    return RAN[digest]


def run_for_rows(cells: list[str]) -> list[dict[str, Any]]:
    """Run a chapter's code, show nothing of it, and return its results."""
    from IPython.utils.capture import capture_output

    scope: dict[str, Any] = {}
    with (
        patch("msct_helpers.book.chapter.glue"),
        patch("msct_helpers.book.chapter.draw_widths", return_value={"svg": ""}),
        capture_output(),
    ):
        for cell in cells:
            exec(compile(cell, "chapter", "exec"), scope)
    return scope["book"].own_rows
