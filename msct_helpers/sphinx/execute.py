"""Sphinx extension of the book, the execution's part: chapters run side by side, once.

`msct_helpers.sphinx.ext` loads it. What a chapter's code gives is kept under the digest of all that
it depends on (`msct_helpers.book.records`); what is missing or damaged is executed before pages are
read, and MyST-NB, which executes nothing itself, gets pages with their outputs.
"""

import os
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import chdir
from graphlib import TopologicalSorter
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import nbformat
from filelock import FileLock
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold

from msct_helpers.book.records import (
    cache_folder,
    find_data,
    find_left,
    list_taken,
    load,
    read_cells,
    store,
)
from msct_helpers.sphinx.processes import begin_worker, stop

TIMEOUT = 600
"""Seconds within which one chapter or another must be done."""

logger = logging.getLogger(__name__)


def find_chapters(env: BuildEnvironment, docnames: Iterable[str]) -> dict[str, Path]:
    """Return the pages that have code, by name."""
    pages = {docname: Path(env.doc2path(docname)) for docname in docnames}
    return {
        docname: page
        for docname, page in pages.items()
        if is_myst_markdown_notebook(page.read_text(encoding="utf-8"))
    }


def reread_dependent(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Read again, where a page is read, what depends on it: those that take from it, the front.

    The front page pastes sentences of the chapters.
    """
    if not added | changed:
        return []
    known: dict[str, str] = getattr(env, "msct_left", {})
    chapters = find_chapters(env, env.found_docs - added - changed)
    outdated = [name for name, page in chapters.items() if find_left(page).name != known.get(name)]
    return [str(app.config.root_doc), *outdated]


def execute_chapters(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute what is missing of the chapters that are read, and hand all of them to MyST-NB."""
    chapters = find_chapters(env, docnames)
    cache_folder().mkdir(parents=True, exist_ok=True)
    # Builds in other folders share what is kept: the second finds executed what the first did.
    with FileLock(cache_folder() / ".lock"):
        missing = [page for page in chapters.values() if load(find_left(page)) is None]
        if missing:
            pool = make_pool()
            execute_all(missing, pool)
            # They end while pages are read.
            pool.shutdown(wait=False)
    left = {page: find_left(page) for page in chapters.values()}
    known = {name: left[page].name for name, page in chapters.items()}
    env.msct_left = getattr(env, "msct_left", {}) | known  # type: ignore[attr-defined]
    config = {"config": env.myst_config}  # type: ignore[attr-defined]
    env.mystnb_config = env.mystnb_config.copy(  # type: ignore[attr-defined]
        custom_formats={
            str(page): (f"{__name__}.read_executed", config | {"path": path}, False)
            for page, path in left.items()
        }
    )


def read_executed(text: str, path: Path, config: Any) -> nbformat.NotebookNode:
    """Return a page as a notebook with the outputs that its code left."""
    notebook = read_myst_markdown_notebook(text, config, add_source_map=True)
    for cell, outputs in zip(list_cells(notebook), load(path)["outputs"], strict=True):
        cell.outputs = nbformat.from_dict(outputs)
    return notebook


def list_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the cells of a notebook that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def make_pool() -> ProcessPoolExecutor:
    """Return processes that run chapters and import packages once; they end when this one does."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["MPLBACKEND"] = "agg"
    # A copy of this process (fork) may inherit a lock that nobody lets go of.
    return ProcessPoolExecutor(
        min(os.cpu_count() or 1, 4), get_context("spawn"), begin_worker, (os.getpid(), os.getpid())
    )


def execute_all(pages: list[Path], pool: Executor) -> None:
    """Execute pages side by side, each after those from which it takes results."""
    logger.info(bold("executing %s chapter(s)"), len(pages))
    start, runs = time.perf_counter(), dict[Future[None], Path]()
    order = TopologicalSorter({p: set(list_taken(p)) & set(pages) for p in pages})
    order.prepare()
    for count in range(1, len(pages) + 1):
        # The longest first, so that none is left to run alone at the end.
        for page in sorted(order.get_ready(), key=lambda page: -page.stat().st_size):
            runs[pool.submit(execute, page)] = page
        done, _ = wait(runs, TIMEOUT, FIRST_COMPLETED)
        if not done:
            end(f"{min(runs.values()).name} and others: not done within {TIMEOUT} s")
        run = done.pop()
        page = runs.pop(run)
        try:
            run.result()
        except RuntimeError as error:
            end(f"{page.name}: {error}")
        order.done(page)
        logger.info(
            "  [%s/%s] %s, %.1f s", count, len(pages), page.name, time.perf_counter() - start
        )


def end(message: str) -> NoReturn:
    """Stop the build with a message, and whatever runs chapters for it."""
    for process in active_children():
        process.kill()
    stop(message)


def execute(page: Path) -> None:
    """Run a page's code, in its own folder, and keep what it gives.

    Nothing is run where those from which it takes gave, executed again, what they gave before.

    Raises
    ------
    RuntimeError
        If a cell fails; if what was run cannot be told.
    """
    # What draws and computes is not needed, and not loaded, where nothing is executed.
    from msct_helpers.book.run import find_rows, run_cells

    left = find_left(page)
    if load(left) is not None:
        return
    cells = read_cells(page)
    notebook = read_myst_markdown_notebook(page.read_text(encoding="utf-8"))
    if [cell.source.strip("\n") for cell in list_cells(notebook)] != cells:
        raise RuntimeError("a cell of code is fenced in an unusual way; expected ```{code-cell}")
    with chdir(page.parent), patch.dict(os.environ, MSCT_DATA=str(find_data(page))):
        outputs = run_cells(cells)
    rows = find_rows(outputs)
    taken = {row["chapter"] for row in rows} - {page.stem}
    unnamed = taken - {path.stem for path in list_taken(page)}
    if unnamed:
        raise RuntimeError(f'expected book.take("{min(unnamed)}") in one of its cells')
    if left != find_left(page):
        raise RuntimeError("what it depends on was changed while it ran. Build again")
    store(left, {"rows": [r for r in rows if r["chapter"] == page.stem], "outputs": outputs})
