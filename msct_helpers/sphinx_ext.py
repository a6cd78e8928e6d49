"""Sphinx extension of the book: fresh execution, figures, labels and the published record.

What Jupyter Book leaves open and this report needs:

- Execution is cached under a digest of helpers, data and versions, so a change to any of them is
  never hidden by an old number; chapters that must run do so side by side.
- A figure carries caption, name and alt text computed beside the code that draws it.
- Every page says what kind of data it shows.
- The record of results is left beside the pages (`msct_helpers.sphinx_results`).
"""

import hashlib
import html
import os
import platform
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
import yaml
from docutils import nodes
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.console import bold

from msct_helpers import __version__, sphinx_document, sphinx_pdf, sphinx_results
from msct_helpers.document import show_characters
from msct_helpers.paths import ROOT, data_folder, digest_data

WORKERS = min(os.cpu_count() or 1, 3) + 1
"""Chapters executed at a time: one more than cores, because a kernel that starts mostly waits."""

CACHE, PLAIN = "MSCT_CACHE", "MSCT_PLAIN_KERNELS"
"""Environment variables of `msct_helpers.verify`: a folder for the execution cache of this build
alone, and that each chapter's kernel is started in the ordinary way."""

VERSIONED = ("matplotlib", "myst-nb", "numpy", "pandas", "scipy", "seaborn", "statsmodels")
"""Packages whose version can change a number or a figure."""

logger = logging.getLogger(__name__)


def compute_digest() -> str:
    """Return a sha256 over all that an executed chapter depends on besides its own code."""
    total = hashlib.sha256(platform.python_version().encode())
    for name in VERSIONED:
        total.update(f"{name}=={version(name)}".encode())
    folders = [ROOT / "msct_helpers", ROOT / "data" / "published", data_folder()]
    files = [p for f in folders for p in f.glob("*") if p.is_file()]
    for path in sorted([*files, ROOT / "data" / "standards.yml"]):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def compute_book_digest(digest: str) -> str:
    """Return a sha256 over `digest` and the texts of the book: the state that a PDF shows."""
    total = hashlib.sha256(digest.encode())
    for path in sorted([*(ROOT / "chapters").glob("*.md"), ROOT / "index.md", ROOT / "_toc.yml"]):
        total.update(path.read_bytes())
    return total.hexdigest()


def configure(app: Sphinx, config: Config) -> None:
    """Point the cache at the digest and take titles and labels from the data set."""
    drop_thebe(app)
    folder = data_folder()
    os.environ["MSCT_DATA"] = str(folder)
    study_file = folder / "study.yml"
    if not study_file.is_file():
        raise ExtensionError(f"MSCT_DATA: no study.yml in {folder}; expected a data-set folder")
    study = yaml.safe_load(study_file.read_text(encoding="utf-8"))
    config.msct_digest = compute_digest()
    shared = ROOT / "_build" / ".execution"
    caches = Path(os.environ[CACHE]) if CACHE in os.environ else shared
    config.nb_execution_cache_path = str(caches / config.msct_digest[:16])
    config.msct_study = {
        key: show_characters(re.sub(r"[ \n]+", " ", str(study.get(key, ""))).strip())
        for key in ("title", "short_title", "label", "source", "licence", "population", "treatment")
    } | {"dataset": folder.name}
    config.html_title = config.project = config.msct_study["short_title"]
    config.msct_origin = study["origin"]
    config.release = config.version = __version__
    # Sphinx copies a changed style sheet only when it writes pages.
    style = ROOT / "assets" / "book.css"
    config.msct_style = hashlib.sha256(style.read_bytes()).hexdigest()
    config.msct_book = compute_book_digest(config.msct_digest)
    config.msct_offered = sphinx_pdf.list_offered(config.msct_book)
    words = config.msct_study | {"origin": study["origin"]}
    sphinx_pdf.configure_latex(config, words, digest_data(folder))


def drop_thebe(app: Sphinx) -> None:
    """Unload Thebe, which Jupyter Book always loads and which asks another host for its script."""
    for listeners in app.events.listeners.values():
        for listener in [x for x in listeners if x.handler.__module__ == "sphinx_thebe"]:
            listeners.remove(listener)
    styles = app.registry.css_files
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]


def execute_chapters(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute what the cache lacks, side by side, and fill the cache for MyST-NB."""
    cache = get_cache(env.mystnb_config.execution_cache_path)  # type: ignore[attr-defined]
    todo: dict[Path, nbformat.NotebookNode] = {}
    for docname in docnames:
        path = Path(env.doc2path(docname))
        notebook = sphinx_results.read_notebook(env, docname)
        if notebook is None:
            continue
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            todo[path] = notebook
    if not todo:
        return
    logger.info(bold("executing %s chapter(s), %s at a time"), len(todo), WORKERS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["MPLBACKEND"] = "agg"
    # The server's imports pay from three chapters on.
    if sys.platform == "linux" and len(todo) > 2 and PLAIN not in os.environ:
        os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "msct-fork"
    start = time.perf_counter()
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        # The longest first, so that none is left to run alone at the end.
        order = sorted(todo, key=lambda path: -path.stat().st_size)
        runs = {pool.submit(execute, path, todo[path]): path for path in order}
        for count, run in enumerate(as_completed(runs), 1):
            path = runs[run]
            result = run.result()
            if result.err is not None:
                pool.shutdown(cancel_futures=True)
                check_data()
                raise ExtensionError(f"{path.name}: a cell failed\n{result.exc_string}")
            bundle = CacheBundleIn(
                result.nb, str(path), data={"execution_seconds": round(result.time, 1)}
            )
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            logger.info(
                "  [%s/%s] %s, %.1f s", count, len(todo), path.name, time.perf_counter() - start
            )
    stop_server()


def stop_server() -> None:
    """End the kernel server and start later kernels in the ordinary way."""
    if os.environ.pop("JUPYTER_DEFAULT_PROVISIONER_NAME", None):
        from msct_helpers.kernel_server import SERVER

        SERVER.stop()


def check_data() -> None:
    """Tell what is wrong with the data set, where that is why a chapter failed."""
    from msct_helpers.load import DataError, load_trial

    try:
        load_trial()
    except DataError as error:
        raise ExtensionError(str(error)) from None


def execute(path: Path, notebook: nbformat.NotebookNode) -> ExecutionResult:
    """Run one notebook in a fresh kernel, in its own folder."""
    return single_nb_execution(
        notebook,
        cwd=str(path.parent),
        timeout=300,
        allow_errors=False,
        meta_override=False,
        shutdown_kernel="immediate",
        # A kernel on this machine talks over TCP, and would warn of it once a chapter.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )


def visit_math(self: Any, node: nodes.math) -> None:
    """Write inline mathematics as MathML, which browsers draw without any script."""
    self.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def visit_displaymath(self: Any, node: nodes.math_block) -> None:
    """Write displayed mathematics as MathML."""
    math = convert(node.astext(), display="block")
    self.body.append(f'<div class="math" tabindex="0">{math}</div>')
    raise nodes.SkipNode


def add_label(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Put the data set's label at the top of a page."""
    if "body" in context:
        kind = app.config.msct_origin
        text = html.escape(app.config.msct_study["label"])
        label = f'<p class="msct-label msct-{kind}" role="note">{text}</p>'
        context["body"] = label + context["body"]
        sphinx_pdf.add_downloads(app, pagename, context)


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Note which state of the book a PDF shows, and put what is offered beside the pages."""
    if exception is not None:
        return
    if app.builder.format == "latex":
        (Path(app.outdir) / "digest.txt").write_text(app.config.msct_book, encoding="utf-8")
    if app.builder.format == "html":
        sphinx_pdf.copy_offered(app)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_config_value("msct_digest", "", "env", [str])
    app.add_config_value("msct_style", "", "html", [str])
    app.add_config_value("msct_book", "", "", [str])
    app.add_config_value("msct_origin", "", "html", [str])
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    sphinx_pdf.setup_pdf(app)
    app.connect("config-inited", configure)
    app.connect("env-before-read-docs", execute_chapters)
    app.connect("html-page-context", add_label)
    app.connect("build-finished", finish)
    sphinx_document.setup_documents(app)
    sphinx_results.setup_results(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
