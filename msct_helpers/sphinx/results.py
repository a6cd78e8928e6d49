"""Sphinx extension of the book, the results' part: analysis results data, pasting.

`msct_helpers.sphinx.ext` loads it. Chapters leave their records with their executed notebooks;
here they become files and pages beside the book, and pasted sentences on other pages.
"""

import ast
import csv
import html
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.utils import new_document
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective, SphinxRole

from msct_helpers.ard.columns import PROSE, PUBLISHED
from msct_helpers.book.document import MIME, Node
from msct_helpers.book.records import RECORD_KEY, digest_files
from msct_helpers.sphinx.document import TreeBuilder
from msct_helpers.sphinx.output import empty
from msct_helpers.trial.text import show_characters

RESULTS = "results"
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Characters with which a spreadsheet begins a formula; the last four are their wide forms."""

NUMERIC = {"rawValue": float, "AVISITN": int, "n": int}
"""Published columns that hold numbers."""


def read_left(env: BuildEnvironment, docname: str) -> dict[str, Any]:
    """Return what an executed chapter left, by name: its record as text, and documents.

    Sphinx reads pages in the order of their names, so that those of a folder called chapters are
    read before the front page, which pastes from them.
    """
    folder = Path(env.mystnb_config.output_folder)  # type: ignore[attr-defined]
    path = folder / f"{docname}.glue.json"
    glued = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    # MyST-NB glues the repr of a text.
    return {
        name: data[MIME] if MIME in data else ast.literal_eval(data["text/plain"])
        for name, data in ((name, left["data"]) for name, left in glued.items())
    }


def read_pasted(env: BuildEnvironment, target: str) -> tuple[str, list[Node]]:
    """Return the page and the document that ``page::name`` names.

    Raises
    ------
    ExtensionError
        If the page left no document of that name.
    """
    page, _, name = target.partition("::")
    left = read_left(env, page)
    if name not in left:
        raise ExtensionError(f"{env.docname}: {page} left nothing called {name!r} to paste")
    return page, left[name]


class PasteRole(SphinxRole):
    """A sentence that another page left: ``{paste}`chapters/meld::answer-meld` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the leaves and spans of the sentence."""
        page, blocks = read_pasted(self.env, self.text)
        builder = TreeBuilder(self.inliner.document, self.env, home=page)
        return [part for b in blocks for part in builder.build_inline(b["children"])], []


class PasteDirective(SphinxDirective):
    """A block, such as a table, that another page left."""

    required_arguments = 1
    option_spec = {"class": directives.class_option}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Return the block."""
        page, blocks = read_pasted(self.env, self.arguments[0])
        holder = nodes.container(classes=self.options.get("class", []))
        holder += TreeBuilder(self.state.document, self.env, home=page).build_blocks(blocks)
        return [holder]


def collect_record(app: Sphinx) -> list[dict[str, Any]]:
    """Return the results that all chapters left, under their published names, in book order.

    Raises
    ------
    ExtensionError
        If a result comes from two chapters.
    """
    rows: dict[str, dict[str, Any]] = {}
    for docname in sorted(app.env.found_docs):
        for row in json.loads(read_left(app.env, docname).get(RECORD_KEY, "[]")):
            known = rows.setdefault(row["id"], row | {"shown": ""})
            was, now = ((r["value"], r["chapter"]) for r in (known, row))
            if was != now:
                raise ExtensionError(f"{row['id']}: {was[0]} of {was[1]} and {now[0]} of {now[1]}")
            # A chapter may show what it took from another one.
            page = docname.rpartition("/")[2]
            shown = row["shown"] if page == row["chapter"] else name_prose(row["shown"], page)
            known["shown"] = " ".join(dict.fromkeys([*known["shown"].split(), *shown.split()]))
    return [{PUBLISHED[name][0]: row[name] for name in PUBLISHED} for row in rows.values()]


def name_prose(shown: str, page: str) -> str:
    """Return where a result is shown, with its prose named as that of a page."""
    return " ".join(f"{PROSE}:{page}" if word == PROSE else word for word in shown.split())


def guard_cell(value: object) -> object:
    """Return a cell of a CSV that no spreadsheet takes for a formula.

    Notes
    -----
    OWASP, CSV injection: a text that begins like a formula gets an apostrophe before it.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def write_csv(rows: list[dict[str, Any]]) -> str:
    """Return results as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [name for name, _ in PUBLISHED.values()], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: guard_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def write_parquet(rows: list[dict[str, Any]], path: Path) -> None:
    """Write results as a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    types = {float: pa.float64(), int: pa.int64(), str: pa.string()}
    fields = [(name, types[NUMERIC.get(name, str)]) for name, _ in PUBLISHED.values()]
    parquet.write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), path)


def publish_results(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Write the results and give each chapter a page of its own, where any of it changed."""
    if app.builder.format != "html":
        return
    rows = collect_record(app)
    titles = {doc: title.astext() for doc, title in sorted(app.env.titles.items())}
    # Results may be taken from a chapter that is no page of the book.
    pages = {
        chapter: (f"Results: {titles.get(f'chapters/{chapter}', chapter)}", own)
        for chapter, own in group_rows(rows, "chapter").items()
    }
    index_pages(app, pages)
    bases = [find_basis(app, f"{RESULTS}/{chapter}") for chapter in pages]
    key = digest_files((), json.dumps([rows, titles, bases, app.config.msct_study]))
    note, folder = Path(app.doctreedir) / "results.key", Path(app.outdir) / RESULTS
    if note.is_file() and note.read_text() == key:
        return
    write_results(rows, folder)
    for chapter, (title, own) in pages.items():
        page = f"{RESULTS}/{chapter}"
        context = {"title": title, "body": format_page(title, own, find_places(app, page, own))}
        yield page, context, "page.html"
    note.write_text(key)


def find_basis(app: Sphinx, pagename: str) -> str:
    """Return what a page, or the chapter of a page of results, says that it rests on; or nothing.

    Nothing is said where that is the data set.
    """
    chapter = pagename.replace(f"{RESULTS}/", "chapters/", 1)
    return str(app.env.metadata.get(chapter, {}).get("basis", ""))


def find_places(app: Sphinx, page: str, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return links from a page of results to where each is shown, by chapter and place."""
    known = app.env.get_domain("std").anonlabels  # type: ignore[attr-defined]
    links = {}
    for chapter, place in {(row["chapter"], p) for row in rows for p in row["shownIn"].split()}:
        prose, _, other = place.partition(":")
        name = other or chapter
        docname = name if name in app.env.found_docs else f"chapters/{name}"
        docname, at = (docname, "") if prose == PROSE else known.get(place, ("", ""))[:2]
        if docname in app.env.found_docs:
            link = app.builder.get_relative_uri(page, docname)
            links[f"{chapter} {place}"] = f"{link}#{at}" if at else link
    return links


def index_pages(app: Sphinx, pages: dict[str, tuple[str, list[dict[str, Any]]]]) -> None:
    """Let the search find the results pages too; Sphinx knows of pages with a source only."""
    indexer: Any = app.builder.indexer  # type: ignore[attr-defined]
    prune, names = indexer.prune, [f"{RESULTS}/{chapter}" for chapter in pages]
    indexer.prune = lambda docnames: prune([*docnames, *names])
    for name, (title, rows) in zip(names, pages.values(), strict=True):
        page = new_document(name)
        words = {str(row[column]) for row in rows for column in ("id", "method", "unit")}
        page += nodes.paragraph("", " ".join(sorted(words)))
        indexer.feed(name, f"{name}.html", html.escape(title), page)


def group_rows(rows: list[dict[str, Any]], by: str) -> dict[str, list[dict[str, Any]]]:
    """Return rows by each word of a column."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for word in row[by].split():
            groups.setdefault(word, []).append(row)
    return groups


def write_results(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write results into an emptied folder: whole, and the rows of each table and figure."""
    empty(folder)
    write_parquet(rows, folder / "ard.parquet")
    shown = group_rows(rows, "shownIn").items()
    files = {name: own for name, own in shown if name.partition(":")[0] != PROSE}
    for name, own in (files | {"ard": rows}).items():
        (folder / f"{name}.csv").write_text(write_csv(own), encoding="utf-8", newline="\n")


def escape_cell(value: object) -> str:
    """Return the characters of a value as HTML."""
    return html.escape(show_characters(str(value)))


def format_page(title: str, rows: list[dict[str, Any]], links: dict[str, str]) -> str:
    """Return the body of a results page; `links` lead from its rows to where they are shown."""
    shown = ["formattedValue", "rawValue", "unit", "n", "origin", "id", "method", "function"]
    heads = "".join(f'<th scope="col">{head}</th>' for head in [*shown, "shownIn"])
    lines = []
    for row in rows:
        cells = "".join(f"<td>{escape_cell('' if row[c] is None else row[c])}</td>" for c in shown)
        places = (link_place(links, row["chapter"], place) for place in row["shownIn"].split())
        cells += f"<td>{' '.join(places)}</td>"
        lines.append(f'<tr id="{escape_cell(row["id"])}">{cells}</tr>')
    return (
        f"<h1>{html.escape(title)}</h1>"
        "<p>Every number of the chapter, unrounded (rawValue) and as shown (formattedValue). "
        "In CSV files a text that begins like a formula has an apostrophe before it. All "
        'chapters together: <a href="ard.csv" download>ard.csv</a>, '
        '<a href="ard.parquet" download>ard.parquet</a>.</p>'
        '<div class="pst-scrollable-table-container"><table class="table msct-results">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def link_place(links: dict[str, str], chapter: str, place: str) -> str:
    """Return the name of a place as HTML, as a link where there is one."""
    shown, link = escape_cell(place), links.get(f"{chapter} {place}")
    return f'<a href="{html.escape(link)}">{shown}</a>' if link else shown


def setup_results(app: Sphinx) -> None:
    """Register what the results need."""
    app.add_role("paste", PasteRole())
    app.add_directive("paste", PasteDirective)
    app.connect("html-collect-pages", publish_results)
