"""Sphinx extension of the book, the execution's part: chapters run side by side, once.

`msct_helpers.sphinx.ext` loads it. What a chapter's code gives is kept under the digest of all that
it depends on (`msct_helpers.book.records`); what is missing or damaged is executed before pages are
read, and MyST-NB, which executes nothing itself, gets pages with their outputs.
"""

import ast
import atexit
import itertools
import json
import os
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from graphlib import TopologicalSorter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from filelock import FileLock
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from nbclient.client import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold
from traitlets.config import Config

from msct_helpers.book.records import (
    RECORD_KEY,
    cache_folder,
    find_left,
    list_taken,
    load,
    read_cells,
    store,
)
from msct_helpers.sphinx.processes import stop

WORKERS = min(os.cpu_count() or 1, 3) + 1
"""Chapters executed at a time: one more than cores, because a kernel that starts mostly waits."""

CELL_TIMEOUT, START_TIMEOUT = 300, 60
"""Seconds for one cell, and for a kernel to start."""

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
        execute_all([page for page in chapters.values() if load(find_left(page)) is None])
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


def execute_all(pages: list[Path]) -> None:
    """Execute pages side by side, each after those from which it takes results."""
    if not pages:
        return
    logger.info(bold("executing %s chapter(s), %s at a time"), len(pages), WORKERS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["MPLBACKEND"] = "agg"
    start, runs = time.perf_counter(), dict[Future[None], Path]()
    order = TopologicalSorter({p: set(list_taken(p)) & set(pages) for p in pages})
    order.prepare()
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        ready: list[Path] = []
        for count in range(1, len(pages) + 1):
            # The longest first, so that none is left to run alone at the end.
            ready = sorted([*ready, *order.get_ready()], key=lambda page: page.stat().st_size)
            while ready and len(runs) < WORKERS:
                page = ready.pop()
                runs[pool.submit(execute, page)] = page
            run = next(as_completed(runs))
            page = runs.pop(run)
            try:
                run.result()
            except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
                pool.shutdown(cancel_futures=True)
                stop(f"{page.name}: {error}")
            order.done(page)
            logger.info(
                "  [%s/%s] %s, %.1f s", count, len(pages), page.name, time.perf_counter() - start
            )


def execute(page: Path) -> None:
    """Run a page's code in a fresh kernel, in its own folder, and keep what it gives.

    Nothing is run where those from which it takes gave, executed again, what they gave before.

    Raises
    ------
    CellExecutionError, CellTimeoutError
        If a cell fails or takes too long.
    RuntimeError
        If the kernel does not start or dies, twice; if what was run cannot be told.
    """
    left = find_left(page)
    if load(left) is not None:
        return
    notebook = read_myst_markdown_notebook(page.read_text(encoding="utf-8"))
    cells = list_cells(notebook)
    if [cell.source.strip("\n") for cell in cells] != read_cells(page):
        raise RuntimeError("a cell of code is fenced in an unusual way; expected ```{code-cell}")
    try:
        run_kernel(notebook, page.parent)
    except RuntimeError as error:
        logger.info("  %s: %s", page.name, error)
        try:
            run_kernel(notebook, page.parent)
        except RuntimeError as again:
            raise RuntimeError(f"its kernel did not start, or died, twice: {again}") from again
    outputs = [cell.outputs for cell in cells]
    rows = find_rows(outputs)
    taken = {row["chapter"] for row in rows} - {page.stem}
    unnamed = taken - {path.stem for path in list_taken(page)}
    if unnamed:
        raise RuntimeError(f'expected book.take("{min(unnamed)}") in one of its cells')
    if left != find_left(page):
        raise RuntimeError("what it depends on was changed while it ran. Build again")
    store(left, {"rows": [r for r in rows if r["chapter"] == page.stem], "outputs": outputs})


def find_rows(outputs: list[list[nbformat.NotebookNode]]) -> list[dict[str, Any]]:
    """Return the results that a chapter left with its outputs."""
    for output in itertools.chain.from_iterable(outputs):
        if output.get("metadata", {}).get("scrapbook", {}).get("name") == RECORD_KEY:
            text = output["data"]["application/papermill.record/text/plain"]
            return list(json.loads(ast.literal_eval(text)))
    return []


def run_kernel(notebook: nbformat.NotebookNode, cwd: Path) -> None:
    """Execute a notebook in place."""
    with TemporaryDirectory(prefix="msct-") as folder:
        config = Config()
        if os.name == "posix":
            # Ports are chosen before they are taken, and of several kernels that start at once
            # two may choose the same: talk through sockets in a folder of their own.
            config.KernelManager.transport = "ipc"
            config.KernelManager.ip = f"{folder}/kernel"
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            startup_timeout=START_TIMEOUT,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(cwd)}},
            config=config,
        )
        try:
            client.execute()
        finally:
            # Of a kernel that never started, nbclient's own clean-up at exit prints tracebacks.
            atexit.unregister(client._cleanup_kernel)
