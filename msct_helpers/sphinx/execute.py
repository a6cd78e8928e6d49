"""Sphinx extension of the book, the execution's part: chapters run side by side, once.

`msct_helpers.sphinx.ext` loads it. MyST-NB takes executed chapters from a cache; what it lacks is
executed here before MyST-NB looks, and what was damaged since is executed again.
"""

import atexit
import copy
import hashlib
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from nbclient.client import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.console import bold
from traitlets.config import Config

from msct_helpers.sphinx import results as sphinx_results
from msct_helpers.sphinx.processes import stop

WORKERS = min(os.cpu_count() or 1, 3) + 1
"""Chapters executed at a time: one more than cores, because a kernel that starts mostly waits."""

CELL_TIMEOUT, START_TIMEOUT = 300, 60
"""Seconds for one cell, and for a kernel to start."""

SEAL = "sha256"
"""Name of the digest of an executed chapter's outputs in its record of the cache."""

logger = logging.getLogger(__name__)


def execute_chapters(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute what the cache lacks, side by side, and fill the cache for MyST-NB."""
    read = {Path(env.doc2path(d)): sphinx_results.read_notebook(env, d) for d in docnames}
    notebooks = {path: notebook for path, notebook in read.items() if notebook is not None}
    if not notebooks:
        return
    folder = Path(env.mystnb_config.execution_cache_path)  # type: ignore[attr-defined]
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Builds in other folders share the cache: the second finds executed what the first did.
    with FileLock(f"{folder}.lock"):
        cache, todo = open_cache(folder, notebooks)
        if todo:
            fill_cache(cache, todo)


def open_cache(
    folder: Path, notebooks: dict[Path, nbformat.NotebookNode]
) -> tuple[JupyterCacheAbstract, dict[Path, nbformat.NotebookNode]]:
    """Return the cache, emptied where anything wanted of it is damaged, and what it lacks."""
    try:
        cache = get_cache(folder)
        recorded = {record.hashkey for record in cache.list_cache_records()}
        if recorded != {path.name for path in folder.glob("executed/*")}:
            raise ValueError("records and notebooks differ")
        return cache, {p: n for p, n in notebooks.items() if not is_executed(cache, n)}
    except Exception as error:
        # Damage of a database or a notebook shows in many ways, and all have the same remedy.
        logger.info("executed chapters of an earlier build are damaged (%s): dropped", error)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            stop(f"{folder} cannot be removed. Remedy: make clean")
        return get_cache(folder), notebooks


def is_executed(cache: JupyterCacheAbstract, notebook: nbformat.NotebookNode) -> bool:
    """Return whether the cache holds what a notebook's code gave.

    Raises
    ------
    ValueError
        If what it holds is not what was put there.
    """
    try:
        record = cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    if digest_outputs(cache.get_cache_bundle(record.pk).nb) != record.data.get(SEAL):
        raise ValueError(f"{Path(record.uri).name}: not as it was executed")
    return True


def digest_outputs(notebook: nbformat.NotebookNode) -> str:
    """Return the sha256 of the outputs of a notebook as it is once written and read."""
    stored = nbformat.reads(nbformat.writes(notebook), nbformat.NO_CONVERT)
    outputs = [cell.get("outputs") for cell in stored.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def fill_cache(cache: JupyterCacheAbstract, todo: dict[Path, nbformat.NotebookNode]) -> None:
    """Execute notebooks side by side and keep each in the cache as soon as it is done."""
    logger.info(bold("executing %s chapter(s), %s at a time"), len(todo), WORKERS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["MPLBACKEND"] = "agg"
    start = time.perf_counter()
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        # The longest first, so that none is left to run alone at the end.
        order = sorted(todo, key=lambda path: -path.stat().st_size)
        runs = {pool.submit(execute, path, todo[path]): path for path in order}
        for count, run in enumerate(as_completed(runs), 1):
            path = runs[run]
            try:
                seconds, notebook = run.result()
            except (CellExecutionError, CellTimeoutError, RuntimeError) as error:
                pool.shutdown(cancel_futures=True)
                stop(f"{path.name}: {error}")
            data = {"execution_seconds": seconds, SEAL: digest_outputs(notebook)}
            bundle = CacheBundleIn(notebook, str(path), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            logger.info(
                "  [%s/%s] %s, %.1f s", count, len(todo), path.name, time.perf_counter() - start
            )


def execute(path: Path, notebook: nbformat.NotebookNode) -> tuple[float, nbformat.NotebookNode]:
    """Run one notebook in a fresh kernel, in its own folder.

    Returns
    -------
    tuple
        Seconds taken, and the notebook with its outputs.

    Raises
    ------
    CellExecutionError, CellTimeoutError
        If a cell fails or takes too long.
    RuntimeError
        If the kernel does not start or dies, twice.
    """
    for last in (False, True):
        executed = copy.deepcopy(notebook)
        start = time.perf_counter()
        try:
            run_kernel(executed, path.parent)
            return round(time.perf_counter() - start, 1), executed
        except RuntimeError as error:
            logger.info("  %s: %s", path.name, error)
            if last:
                raise RuntimeError(f"its kernel did not start, or died, twice: {error}") from error
    raise AssertionError("unreachable")


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
            # Times in the metadata would hide the notebook from whoever looks for its code.
            record_timing=False,
            resources={"metadata": {"path": str(cwd)}},
            config=config,
        )
        try:
            client.execute()
        finally:
            # Of a kernel that never started, nbclient's own clean-up at exit prints tracebacks.
            atexit.unregister(client._cleanup_kernel)
