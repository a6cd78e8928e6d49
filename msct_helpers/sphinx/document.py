"""Sphinx extension of the book, the documents' part: its trees as document nodes.

`msct_helpers.sphinx.ext` loads it. Cells of chapters leave trees, other pages paste them, and roles
show what ``study.yml`` says; none of it passes through Markdown or any other markup.
"""

import base64
import hashlib
import html
import math
import posixpath
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from docutils import nodes
from markupsafe import Markup
from myst_nb.core.render import MimeData, NbElementRenderer
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole

from msct_helpers.book.document import MIME, Node, to_plain
from msct_helpers.trial.text import show_characters

LINE = 483.0
"""Points on a line of the PDF."""

GAP = 8.0
"""Points between two columns of a table in the PDF."""

WIDTHS = dict.fromkeys("iljtfI.,:;'|()[]! \N{NO-BREAK SPACE}", 2.9) | dict.fromkeys("mwMW%@", 7.2)
"""Points of letters that are much narrower or wider than others, in the type of tables."""

LONG = 12
"""Lines of a table from which on it may break over pages of the PDF."""

NARROW_SCREEN = "(max-width: 755px), (min-width: 960px) and (max-width: 1010px)"
"""Screens whose text is narrower than a wide drawing: its letters would be too small. From 960 px
on the contents stand beside the text."""

SPANS: dict[str, type[nodes.Element]] = {
    "paragraph": nodes.paragraph,
    "item": nodes.list_item,
    "list": nodes.bullet_list,
    "strong": nodes.strong,
    "emphasis": nodes.emphasis,
    "literal": nodes.literal,
}


TITLES = ("docstitle", "shorttitle", "project", "pagetitle")
"""Texts of the theme's templates that may come from a data set."""


class data_text(nodes.literal):
    """Characters of a data set: literal, so that typography leaves them alone."""


class result_number(nodes.inline):
    """A number of the record: leads to its row in the results, where there are such pages."""


METHODS, INSIDE = "How it was done", "Definitions and methods of this chapter"
"""Heading of the section at the end of a chapter that few readers open, and what stands for it."""


class folded(nodes.General, nodes.Element):
    """What is closed on a page until a reader opens it: a title, then the rest.

    ``paper`` says whether it stands open on paper, whatever it holds.
    """


class folded_title(nodes.TextElement):
    """The title of what is closed."""


class picture(nodes.General, nodes.Element):
    """A figure as it is drawn for a phone and for a wide screen: a reader loads one of them."""


class narrow_image(nodes.image):
    """A figure as it is drawn for a phone."""


def make_data(text: str) -> nodes.Element:
    """Return a text from a data set as a node; unseen characters are made visible."""
    shown = show_characters(text)
    return data_text(shown, shown)


class DocumentRenderer:
    """MyST-NB plugin: the documents that cells leave, in HTML and PDF."""

    mime_priority_overrides = (("*", MIME, 1),)

    @staticmethod
    def handle_mime(
        renderer: NbElementRenderer, data: MimeData, inline: bool
    ) -> list[nodes.Element] | None:
        """Return the nodes of a document, or None for any other mime type."""
        if inline or data.mime_type != MIME:
            return None
        myst: Any = renderer.renderer
        builder = TreeBuilder(myst.document, myst.sphinx_env, renderer)
        return builder.build_blocks(list(data.content))


class TreeBuilder:
    """Makes document nodes of trees, for one page.

    Parameters
    ----------
    document
        The page.
    env
        Environment of the build.
    renderer
        Writes the files of figures; not needed where there are none.
    home
        Page on which links and targets of the trees stand; default: the page itself.
    """

    def __init__(
        self,
        document: nodes.document,
        env: BuildEnvironment,
        renderer: NbElementRenderer | None = None,
        home: str = "",
    ):
        self.document, self.env, self.renderer = document, env, renderer
        self.home = home or env.docname

    def build_blocks(self, blocks: Iterable[Node]) -> list[nodes.Element]:
        """Return the nodes of blocks; a heading begins a section with what follows it."""
        special = {"table": self.build_table, "figure": self.build_figure}
        special |= {"rows": self.build_rows, "fold": self.build_fold}
        out: list[nodes.Element] = []
        home: Any = out
        for block in blocks:
            if block["kind"] == "heading":
                home = self.build_section(block)
                out.append(home)
                continue
            if block.get("target"):
                target = nodes.target("", "", names=[block["target"]])
                self.document.note_explicit_target(target, target)
                home.append(target)
            home += special.get(block["kind"], self.build_spans)(block)
        return out

    def build_section(self, block: Node) -> nodes.section:
        """Return a section with nothing but its heading."""
        title = nodes.title("", "", *self.build_inline(block["children"]))
        section = nodes.section("", title, names=[nodes.fully_normalize_name(title.astext())])
        self.document.note_implicit_target(section, section)
        return section

    def build_inline(self, children: list[Node]) -> list[nodes.Node]:
        """Return the nodes of leaves and spans."""
        return [self.build_leaf(child) for child in children]

    def build_leaf(self, node: Node) -> nodes.Node:
        """Return one leaf or span."""
        if node["kind"] == "text":
            return nodes.Text(node["text"])
        if node["kind"] == "data":
            return make_data(node["text"])
        if node["kind"] == "number":
            keys = {key: node[key] for key in ("about", "chapter", "id")}
            return result_number(node["text"], node["text"], result=keys)
        return self.build_link(node) if node["kind"] == "link" else self.build_span(node)

    def build_span(self, node: Node) -> nodes.Element:
        """Return a paragraph, list, item or span with what is inside it."""
        out = SPANS[node["kind"]]()
        out += self.build_inline(node["children"])
        return out

    def build_spans(self, node: Node) -> list[nodes.Element]:
        """Return `build_span` as a list."""
        return [self.build_span(node)]

    def build_link(self, node: Node) -> nodes.Element:
        """Return a link to a place or page of the book; without words it takes its title."""
        page, _, place = node["to"].partition("#")
        inside = self.build_inline(node["children"])
        if not page and inside:
            return nodes.reference("", "", *inside, refid=place, internal=True)
        common = {"refdoc": self.env.docname, "refexplicit": bool(inside), "refwarn": True}
        if not page:
            shown = nodes.inline(place, place, classes=["std", "std-numref"])
            numbered = {"refdomain": "std", "reftype": "numref", "reftarget": place}
            return addnodes.pending_xref("", shown, **numbered, **common)
        docname = posixpath.normpath(posixpath.join(posixpath.dirname(self.home), page))
        # In the PDF a heading is found by its page alone.
        wanted = {"refdomain": "doc", "reftype": "myst", "reftargetid": place or None}
        target = docname.removesuffix(".md")
        shown = nodes.inline("", "", *inside, classes=["xref", "myst"])
        return addnodes.pending_xref("", shown, reftarget=target, **wanted, **common)

    def name(self, node: nodes.Element, name: str) -> None:
        """Make a node a target of cross-references."""
        if name:
            node["names"].append(nodes.fully_normalize_name(name))
            self.document.note_explicit_target(node, node)

    def build_table(self, block: Node) -> list[nodes.Element]:
        """Return a table with its column widths for the PDF."""
        heads, rows = block["heads"], block["rows"]
        columns = list(zip(heads, *rows, strict=True))
        sides = ["right" if is_numeric(column[1:]) else "left" for column in columns]
        widths = fit_widths(columns)
        long = count_lines(rows, widths) > LONG
        classes = ["colwidths-auto", "msct", *(["longtable"] if long else [])]
        table = nodes.table(classes=classes)
        if block["caption"]:
            table += nodes.title("", "", *self.build_inline(block["caption"]))
        group = nodes.tgroup(cols=len(heads))
        group += [nodes.colspec(colwidth=100 // len(heads)) for _ in heads]
        group += nodes.thead("", self.build_row(heads, sides))
        body, above = nodes.tbody(), ""
        for row in rows:
            above = to_plain(row[0]) or above
            body += self.build_row(row, sides, above)
        group += body
        table += group
        self.name(table, block["name"])
        return [addnodes.tabular_col_spec(spec=format_columns(widths, sides)), table]

    def build_row(self, cells: list[list[Node]], sides: list[str], above: str = "") -> nodes.row:
        """Return a row of a table; one whose first cell is blank is named as that above it."""
        lines = [nodes.paragraph("", "", *self.build_inline(cell)) for cell in cells]
        if above and not to_plain(cells[0]):
            unseen = html.escape(show_characters(above))
            lines[0] += nodes.raw(
                "", f'<span class="visually-hidden">{unseen}</span>', format="html"
            )
        entries = [
            nodes.entry("", line, classes=[f"text-{side}"])
            for line, side in zip(lines, sides, strict=True)
        ]
        if above:
            entries[0]["classes"].insert(0, "msct-name")
        return nodes.row("", *entries)

    def build_figure(self, block: Node) -> list[nodes.Element]:
        """Return a figure, vector in HTML and PDF, and write its files."""
        assert self.renderer is not None
        drawn = {"svg": block["svg"].encode(), "pdf": base64.b64decode(block["pdf"])}
        stem = f"{block['name']}-{digest(drawn['svg'])}"
        for kind, content in drawn.items():
            uri = self.renderer.write_file([f"{stem}.{kind}"], content, exists_ok=True)
        image = nodes.image(uri=uri.removesuffix("pdf") + "*", alt=block["alt"])
        image["drawn"] = measure_drawing(block["svg"])
        small = block["narrow"].encode()
        name = f"{block['name']}-narrow-{digest(small)}.svg"
        narrow = narrow_image(uri=self.renderer.write_file([name], small, exists_ok=True))
        narrow["drawn"] = measure_drawing(block["narrow"])
        figure = nodes.figure("", picture("", narrow, image), align="default")
        figure += nodes.caption("", "", *self.build_inline(block["caption"]))
        self.name(figure, block["name"])
        return [figure]

    def build_fold(self, block: Node) -> list[nodes.Element]:
        """Return what a reader may open; on paper `msct_helpers.sphinx.paper` decides."""
        title = folded_title("", "", *self.build_inline(block["title"]))
        paper = bool(block.get("paper"))
        return [folded("", title, *self.build_blocks(block["blocks"]), paper=paper)]

    def build_rows(self, block: Node) -> list[nodes.Element]:
        """Return a link to the numbers of a table or figure as CSV."""
        up = "../" * self.env.docname.count("/")
        link = f'<a href="{up}results/{block["name"]}.csv" download>Numbers behind this (CSV)</a>'
        shown = f'<p class="msct-rows">{link}</p>'
        return [nodes.raw("", shown, format="html", rows=block["name"])]


def digest(content: bytes) -> str:
    """Return what a file's name holds of its content: browsers keep a file by its name."""
    return hashlib.sha256(content).hexdigest()[:12]


def measure_drawing(svg: str) -> list[float]:
    """Return width and height of a drawing in points; zero where it says none."""
    sides = (re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', svg) for side in ("width", "height"))
    return [float(side.group(1)) if side else 0.0 for side in sides]


def is_numeric(cells: Iterable[list[Node]]) -> bool:
    """Return whether a column of cells holds numbers: every cell empty or led by one."""
    texts = [to_plain(cell) for cell in cells]
    return any(texts) and all(re.match(r"$|[\d−<]|NE", text) for text in texts)


def measure(text: str, *, wide: bool = False) -> float:
    """Return about how wide a text is in a table of the PDF, in points; code is set wider."""
    return 5.0 * len(text) if wide else sum(WIDTHS.get(letter, 4.2) for letter in text)


def measure_cell(cell: list[Node]) -> tuple[float, float]:
    """Return the width of the longest word of a cell, and that of all its text, in points."""
    wide = any(part["kind"] == "literal" for part in cell)
    text = to_plain(cell)
    words = max(measure(word, wide=wide) for word in text.split(" "))
    return words + GAP, measure(text, wide=wide) + GAP


def measure_head(cell: list[Node], lines: int) -> float:
    """Return the width of a head on one line, or on two where it can be broken, in points."""
    words = to_plain(cell).split(" ")
    breaks = range(1, len(words)) if lines > 1 and len(words) > 1 else [len(words)]
    halves = ((" ".join(words[:i]), " ".join(words[i:])) for i in breaks)
    return 1.1 * min(max(map(measure, pair)) for pair in halves) + GAP


def fit_widths(columns: list[Any]) -> list[float]:
    """Return widths for the columns of a table in the PDF, in points; they fill the line.

    Parameters
    ----------
    columns
        Cells of each column, its head first; a head may stand on two lines.

    Returns
    -------
    list of float
        A column has room for its longest word. Those that need less than an even share of the line
        get what they need, and the others share the rest by how much they have to say.
    """
    sizes = [[measure_cell(cell) for cell in column] for column in columns]
    least = [max(word for word, _ in column) for column in sizes]
    for lines in (1, 2):
        wanted = [
            max(word, measure_head(column[0], lines), *(text for _, text in cells))
            for word, column, (_, *cells) in zip(least, columns, sizes, strict=True)
        ]
        if sum(wanted) <= LINE:
            return [width * LINE / sum(wanted) for width in wanted]
    widths = dict(enumerate(least))
    room = max(LINE - sum(least), 0.0)
    # The short first: what they leave over is for the long ones.
    for left, i in enumerate(sorted(widths, key=lambda i: wanted[i] - least[i])):
        more = min(wanted[i] - least[i], room / (len(widths) - left))
        widths[i] += more
        room -= more
    total = max(sum(widths.values()), LINE)
    return [widths[i] * LINE / total for i in sorted(widths)]


def count_lines(rows: list[list[list[Node]]], widths: list[float]) -> int:
    """Return about how many lines the rows of a table have in the PDF."""
    return sum(
        max(math.ceil((measure_cell(cell)[1] - GAP) / (width - GAP)) for cell, width in cells)
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    )


def format_columns(widths: list[float], sides: list[str]) -> str:
    """Return column widths for the PDF, as shares of the line."""
    pairs = zip(sides, widths, strict=True)
    return "".join(f"{side[0].upper()}{{{width / LINE:.3f}}}" for side, width in pairs)


class PlaceSections(SphinxTransform):
    """Moves sections out of the outputs of cells, so that contents and readers find them."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Put each section behind its cell."""
        for section in reversed(list(self.document.findall(nodes.section))):
            cell: nodes.Element = section
            while not isinstance(cell.parent, nodes.section | nodes.document):
                cell = cell.parent
            if cell is not section:
                section.parent.remove(section)
                cell.parent.insert(cell.parent.index(cell) + 1, section)


class StudyRole(SphinxRole):
    """What the data set's ``study.yml`` says: ``{study}`title` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the characters of a value."""
        return [make_data(self.config.msct_study[self.text])], []


class PlanRole(SphinxRole):
    """What the analysis plan says, in words: ``{plan}`horizon` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the words."""
        return [nodes.Text(self.config.msct_study[f"plan.{self.text}"])], []


def visit_data(self: Any, node: data_text) -> None:
    """Begin a text from a data set: its direction must not reach the words around it."""
    self.body.append(self.starttag(node, "bdi", ""))


def depart_data(self: Any, node: data_text) -> None:
    """End a text from a data set."""
    self.body.append("</bdi>")


def visit_number(self: Any, node: result_number) -> None:
    """Begin a link to a number's row."""
    row = node["result"]
    here = self.builder.current_docname
    page = self.builder.get_relative_uri(here, f"results/{row['chapter']}")
    about = html.escape(row["about"])
    href = f"{page}#{quote(row['id'])}"
    self.body.append(f'<a class="msct-number" href="{href}" title="{about}">')


def depart_number(self: Any, node: result_number) -> None:
    """End a link to a number's row."""
    self.body.append("</a>")


def visit_picture(self: Any, node: picture) -> None:
    """Begin a figure of two drawings."""
    self.body.append("<picture>")


def depart_picture(self: Any, node: picture) -> None:
    """End a figure of two drawings."""
    self.body.append("</picture>")


def visit_narrow(self: Any, node: narrow_image) -> None:
    """Offer the drawing for a phone where the text is narrow."""
    name = self.builder.images[node["uri"]]
    source = quote(posixpath.join(self.builder.imgpath, name))
    wide, tall = (round(points / 0.75) for points in node["drawn"])
    size = f'width="{wide}" height="{tall}"'
    self.body.append(f'<source media="{NARROW_SCREEN}" srcset="{source}" {size} />')
    raise nodes.SkipNode


def visit_folded(self: Any, node: folded) -> None:
    """Begin what a reader may open."""
    name = "msct-fold msct-paper" if node.get("paper") else "msct-fold"
    self.body.append(self.starttag(node, "details", CLASS=name))


def depart_folded(self: Any, node: folded) -> None:
    """End what a reader may open."""
    self.body.append("</details>\n")


def visit_folded_title(self: Any, node: folded_title) -> None:
    """Begin the title on which a reader opens it."""
    self.body.append(self.starttag(node, "summary", ""))


def depart_folded_title(self: Any, node: folded_title) -> None:
    """End the title."""
    self.body.append("</summary>\n")


def print_title(self: Any, node: folded_title) -> None:
    """Begin the title on paper."""
    self.body.append("\n\n\\msctroom{6em}\\textbf{")


def depart_print_title(self: Any, node: folded_title) -> None:
    """End the title on paper."""
    self.body.append("}\\par\\nobreak\n")


def guard_templates(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Escape the titles that the theme's templates print as they are."""
    for name in TITLES:
        if name in context:
            context[name] = Markup(html.escape(str(context[name])))


def guard_search(app: Sphinx) -> Iterable[tuple[str, dict[str, Any], str]]:
    """Escape titles of pages in the search index: the search page shows them as HTML."""
    titles = app.builder.indexer._all_titles if app.builder.format == "html" else {}  # type: ignore[attr-defined]
    for docname, found in titles.items():
        own = app.env.titles[docname].astext()
        titles[docname] = [(html.escape(t) if t == own else t, place) for t, place in found]
    return ()


class FoldMethods(SphinxPostTransform):
    """Close on a page what a section says of methods alone; on paper it stands open."""

    formats = ("html",)
    default_priority = 300

    def run(self, **kwargs: Any) -> None:
        """Fold the sections with the heading `METHODS`."""
        for section in list(self.document.findall(nodes.section)):
            title, *rest = section.children
            if title.astext() == METHODS:
                name = folded_title("", INSIDE)
                section.children = [title]
                section += folded("", name, *rest, paper=True)


def skip(self: Any, node: nodes.Element) -> None:
    """Write what is inside a node, and nothing of its own."""


def setup_documents(app: Sphinx) -> None:
    """Register what documents need."""
    app.add_config_value("msct_study", {}, "env", [dict])
    plain = {"latex": (skip, skip), "text": (skip, skip)}
    app.add_node(data_text, html=(visit_data, depart_data), **plain)  # type: ignore[arg-type]
    app.add_node(result_number, html=(visit_number, depart_number), **plain)  # type: ignore[arg-type]
    app.add_node(folded, html=(visit_folded, depart_folded), **plain)  # type: ignore[arg-type]
    app.add_node(picture, html=(visit_picture, depart_picture), **plain)  # type: ignore[arg-type]
    app.add_node(narrow_image, html=(visit_narrow, skip), **plain)  # type: ignore[arg-type]
    app.add_node(
        folded_title,
        html=(visit_folded_title, depart_folded_title),
        latex=(print_title, depart_print_title),
        text=(skip, skip),
    )
    app.add_transform(PlaceSections)
    app.add_post_transform(FoldMethods)
    app.add_role("study", StudyRole())
    app.add_role("plan", PlanRole())
    # After the theme has set its own.
    app.connect("html-page-context", guard_templates, priority=900)
    app.connect("html-collect-pages", guard_search)
