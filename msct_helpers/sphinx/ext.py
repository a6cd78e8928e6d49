"""Sphinx extension of the book: fresh execution, figures, labels and the published record.

What Jupyter Book leaves open and this report needs:

- What a chapter gives is kept under a digest of all that it depends on, so a change to any of it
  is never hidden by an old number; chapters that must run do so side by side.
- A figure carries caption, name and alt text computed beside the code that draws it.
- Every page says what kind of data it shows.
- The record of results is left beside the pages (`msct_helpers.sphinx.results`).
- A chapter ends with its files (`msct_helpers.sphinx.files`).
- Pages are light and closed to whatever is not theirs (`msct_helpers.sphinx.web`).
- The output is whole, of one data set, and nothing else (`msct_helpers.sphinx.output`).
"""

import html
import os
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from msct_helpers import __version__
from msct_helpers.book.records import digest_files, list_versions
from msct_helpers.sphinx import citation as sphinx_citation
from msct_helpers.sphinx import document as sphinx_document
from msct_helpers.sphinx import execute as sphinx_execute
from msct_helpers.sphinx import files as sphinx_files
from msct_helpers.sphinx import output as sphinx_output
from msct_helpers.sphinx import pdf as sphinx_pdf
from msct_helpers.sphinx import results as sphinx_results
from msct_helpers.sphinx import web as sphinx_web
from msct_helpers.sphinx.processes import collect_seldom, end_with_caller, stop
from msct_helpers.trial.paths import ROOT, data_folder, digest_data
from msct_helpers.trial.text import show_characters

FACTS = ("title", "short_title", "label", "source", "licence", "population", "treatment")
"""What of a study's description the pages say; its origin is the one fact besides."""

EVIDENCE = "Evidence"
"""Part of the contents whose chapters are about the abstract."""

JUDGING = ("chapters/standards", "chapters/methods")
"""Chapters of other parts that judge it, or simulate trials of its size."""

WORDS = ("horizon", "at_last", "level_words", "alpha_words")
"""What pages say of the analysis plan, by the names of `msct_helpers.trial.plan.Plan`."""


def compute_digest() -> str:
    """Return a sha256 over all that the book depends on besides its texts and settings."""
    files = [path for path in (ROOT / "msct_helpers").rglob("*") if path.suffix != ".pyc"]
    files += [*ROOT.glob("data/published/*"), ROOT / "data/standards.yml", *data_folder().glob("*")]
    return digest_files([path for path in files if path.is_file()], *list_versions())


def compute_book_digest(digest: str) -> str:
    """Return a sha256 over `digest` and the texts of the book: the state that a PDF shows."""
    return digest_files([*ROOT.glob("chapters/*.md"), ROOT / "index.md", ROOT / "_toc.yml"], digest)


def configure(app: Sphinx, config: Config) -> None:
    """Hold the output, take titles and labels from the data set, and open the output."""
    end_with_caller()
    drop_thebe(app)
    folder = data_folder()
    os.environ["MSCT_DATA"] = str(folder)
    sphinx_output.hold_output(app, folder.name)
    study, config.msct_digest = read_facts(app, folder)
    shown = {name: show_characters(text) for name, text in study.items()}
    config.msct_study = shown | {"dataset": show_characters(folder.name)}
    config.html_title = config.project = shown["short_title"]
    config.msct_origin, config.msct_abstract = study["origin"], bool(study["statements"])
    config.release = config.version = __version__
    config.msct_book = compute_book_digest(config.msct_digest)
    config.msct_offered = sphinx_pdf.list_offered(config.msct_book)
    sphinx_pdf.configure_latex(config, config.msct_study, digest_data(folder))
    facts = {"digest": config.msct_digest, "study": study}
    sphinx_output.open_output(app, compute_key(config), facts)


def leave_out_evidence(app: Sphinx, config: Config) -> None:
    """Leave the chapters about the abstract out of a book whose data set does not name it."""
    if config.msct_abstract:
        return
    site, kept, names = config.external_site_map, [], []
    for part in site.root.subtrees:
        items = [str(item) for item in part.items]
        dropped = items if part.caption == EVIDENCE else [n for n in items if n in JUDGING]
        names += dropped
        part.items = [item for item in part.items if str(item) not in dropped]
        kept += [part] if part.items else []
    site.root.subtrees = kept
    for name in names:
        del site[name]
    config.exclude_patterns = config.exclude_patterns + [f"{name}.md" for name in names]


class AboutAbstract(SphinxDirective):
    """Content of a page for books that weigh the abstract; nothing in all others."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the content, or nothing."""
        return self.parse_content_to_nodes() if self.config.msct_abstract else []


def read_facts(app: Sphinx, folder: Path) -> tuple[dict[str, str], str]:
    """Return what the pages say of the study, and the digest of all that chapters depend on.

    The data set is loaded, and its problems told, where this output was not built from it. A build
    in which nothing changed has no need of pandas.
    """
    try:
        digest = compute_digest()
    except OSError as error:
        digest, unread = "", f"{error.filename}: cannot be read ({error.strerror})"
    facts = sphinx_output.read_seal(app).get("facts", {})
    if digest and facts.get("digest") == digest:
        return facts["study"], digest
    study = load_facts(folder)
    if not digest:
        # A file of the project, or one that the loader has no use for.
        stop(unread)
    return study, digest


def load_facts(folder: Path) -> dict[str, str]:
    """Return what the pages say of a study, or print what is wrong with its data and stop."""
    from msct_helpers.trial.load import DataError, load_trial

    if not folder.is_dir():
        stop(f"MSCT_DATA: no folder {folder}; expected one with a data set")
    try:
        study = load_trial(folder).study
    except DataError as error:
        stop(str(error))
    facts = {name: str(getattr(study, name)) for name in (*FACTS, "origin")}
    facts["statements"] = study.statements or ""
    facts |= {f"plan.{name}": str(getattr(study.plan, name)) for name in WORDS}
    return {name: re.sub(r"[ \n]+", " ", text).strip() for name, text in facts.items()}


def compute_key(config: Config) -> str:
    """Return a sha256 over all that the output depends on besides the texts of the pages."""
    settings = [ROOT / name for name in ("_config.yml", "_toc.yml", "requirements.txt")]
    settings += [path for path in (ROOT / "assets").rglob("*") if path.is_file()]
    return digest_files(settings, config.msct_digest, *config.msct_offered)


def drop_thebe(app: Sphinx) -> None:
    """Unload Thebe, which Jupyter Book always loads and which asks another host for its script."""
    for listeners in app.events.listeners.values():
        for listener in [x for x in listeners if x.handler.__module__ == "sphinx_thebe"]:
            listeners.remove(listener)
    styles = app.registry.css_files
    styles[:] = [style for style in styles if style[0] != "sphinx-thebe.css"]


def write_math(formula: str, display: str) -> str:
    """Return a formula as MathML, with room about the name of a function."""
    space, math = '<mspace width="0.167em" />', convert(formula, display=display)
    return re.sub(r"<mi>(?:ln|log|exp|max|min)</mi>", rf"{space}\g<0>{space}", math)


def visit_math(self: Any, node: nodes.math) -> None:
    """Write inline mathematics as MathML, which browsers draw without any script."""
    self.body.append(write_math(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_displaymath(self: Any, node: nodes.math_block) -> None:
    """Write displayed mathematics as MathML."""
    math = write_math(node.astext(), "block")
    self.body.append(f'<div class="math" tabindex="0">{math}</div>')
    raise nodes.SkipNode


def add_label(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Put a label at the top of a page: the data set's, or what its chapter rests on."""
    if "body" in context:
        own = sphinx_results.find_basis(app, pagename)
        kind = "real" if own else app.config.msct_origin
        text = html.escape(own or app.config.msct_study["label"])
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
    collect_seldom()
    app.add_config_value("msct_digest", "", "", [str])
    app.add_config_value("msct_book", "", "", [str])
    app.add_config_value("msct_origin", "", "html", [str])
    app.add_config_value("msct_abstract", True, "env", [bool])
    app.add_directive("about-abstract", AboutAbstract)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    sphinx_pdf.setup_pdf(app)
    app.connect("config-inited", configure)
    # Once the contents are read, at 900.
    app.connect("config-inited", leave_out_evidence, priority=950)
    app.connect("env-get-outdated", sphinx_execute.reread_dependent)
    app.connect("env-before-read-docs", sphinx_execute.execute_chapters)
    app.connect("html-page-context", add_label)
    app.connect("build-finished", finish)
    sphinx_citation.setup_citation(app)
    sphinx_document.setup_documents(app)
    sphinx_results.setup_results(app)
    sphinx_files.setup_files(app)
    sphinx_web.setup_web(app)
    sphinx_output.setup_output(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
