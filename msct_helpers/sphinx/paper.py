"""Sphinx extension of the book, the paper's part: what of the pages the PDF leaves out.

`msct_helpers.sphinx.pdf` loads it. Whole chapters and folded blocks that only someone at a computer
uses stand on the pages alone. The PDF says where, in place of each fold and once for all chapters,
and counts them: chapters, tables and figures have the same numbers in both.
"""

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

from msct_helpers.sphinx.document import folded, folded_title

ON_SCREEN = ("chapters/standards", "chapters/data-dictionary", "chapters/how-to-rebuild")
"""Chapters for whoever checks, changes or rebuilds the book; the PDF leaves them out."""

COUNTED: dict[type[nodes.Element], str] = {nodes.table: "table", nodes.figure: "figure"}
"""Nodes that LaTeX numbers where they have a caption, and its counters."""


LISTED = (*COUNTED, nodes.bullet_list)
"""What makes a fold a listing; other folds hold a few sentences."""


class LeaveOut(SphinxPostTransform):
    """Leave chapters and folds out of the PDF, before references to them are looked for."""

    formats = ("latex",)
    default_priority = 4

    def run(self, **kwargs: Any) -> None:
        """Remove what stands on the pages alone, and say where it is."""
        chapters = self.leave_chapters()
        folds = {name for fold in self.find_folds() for name in self.leave_fold(fold)}
        for link in list(self.document.findall(addnodes.pending_xref)):
            if self.find_chapter(link) in chapters or self.find_place(link) in folds:
                link.replace_self(self.say_link(link))
        for reference in list(self.document.findall(nodes.reference)):
            if reference.get("refid") in folds:
                reference.replace_self(reference.children)

    def leave_chapters(self) -> list[str]:
        """Remove chapters, count them, and name them below the contents."""
        files = list(self.document.findall(addnodes.start_of_file))
        left = [file for file in files if file["docname"] in ON_SCREEN]
        for file in left:
            # On the pages the chapter has a number.
            file.replace_self(write_latex("\\stepcounter{chapter}"))
        names = [file["docname"] for file in left]
        self.open_front(names)
        return names

    def open_front(self, names: list[str]) -> None:
        """Begin the front page below the contents, which end with what the PDF leaves out."""
        front = next(self.document.findall(nodes.section))
        note = [self.name_chapters(names)] if names else []
        front[1:1] = [*note, write_latex("\\msctfront")]
        contents = (n for n in self.document.findall(nodes.compound) if n.parent is front)
        first = next(contents, None)
        front.insert(front.index(first) if first else len(front), write_latex("\\msctfrontend"))

    def name_chapters(self, names: list[str]) -> nodes.paragraph:
        """Return what is said of the chapters and folds that stand on the pages alone."""
        titles = [
            f"{number_page(self.env, n)} {self.env.titles[n].astext()}".strip() for n in names
        ]
        several = len(names) > 1
        word, verbs = ("Chapters", "are {} stand") if several else ("Chapter", "is {} stands")
        said = verbs.format("for whoever checks or rebuilds this book, and")
        text = (
            f"{word} {join_words(titles)} {said} among its HTML pages alone. So do long listings, "
            "in whose place a line names them here. CSV files are in the folder "
        )
        folder = nodes.literal("", "results")
        return nodes.paragraph("", "", nodes.Text(text), folder, nodes.Text(" beside the pages."))

    def find_folds(self) -> list[folded]:
        """Return the folds to leave out.

        A few sentences stand open on paper, and so does what a section would be empty without, and
        what is meant to.
        """
        return [
            fold
            for fold in self.document.findall(folded)
            if not fold["paper"]
            and any(isinstance(node, LISTED) for node in fold.findall())
            and not is_alone(fold)
        ]

    def leave_fold(self, fold: folded) -> list[str]:
        """Put a line in the place of a fold and return the ids of what was in it."""
        ids = [name for node in fold.findall(nodes.Element) for name in node["ids"]]
        docname = find_docname(fold)
        counters, names = [], []
        for node in list_captioned(fold):
            kind = COUNTED[type(node)]
            counters.append(f"\\stepcounter{{{kind}}}")
            names += [n for i in node["ids"] if (n := name_number(self.env, docname, kind, i))]
        title = next(fold.findall(folded_title))
        files = [raw["rows"] for raw in fold.findall(nodes.raw) if "rows" in raw]
        line = nodes.paragraph("", "", *[child.deepcopy() for child in title.children])
        if names:
            line += nodes.Text(f": {join_words(names)}, on the HTML page of this chapter")
            for file in files:
                line += [nodes.Text(", "), nodes.literal("", f"{file}.csv")]
            line += nodes.Text(".")
        fold.replace_self([write_latex("".join(counters)), line])
        return ids

    def find_chapter(self, link: addnodes.pending_xref) -> str:
        """Return the chapter on the pages alone to which a link leads; blank for all others."""
        if link.get("reftype") not in ("doc", "myst", "ref", "any"):
            return ""
        target, home = str(link["reftarget"]), posixpath.dirname(link.get("refdoc", ""))
        names = (target.lstrip("/"), posixpath.normpath(posixpath.join(home, target)))
        return next((name.removesuffix(".md") for name in names if name in ON_SCREEN), "")

    def find_place(self, link: addnodes.pending_xref) -> str:
        """Return the id of the table or figure that a link asks for; blank for a whole page."""
        return self.find_labels().get(str(link["reftarget"]), ("", ""))[1]

    def find_labels(self) -> dict[str, tuple[str, str]]:
        """Return the page and id of each place that has a name."""
        domain: Any = self.env.get_domain("std")
        return dict(domain.anonlabels)

    def say_link(self, link: addnodes.pending_xref) -> nodes.Node:
        """Return plain words in place of a link: its own, or the title or number it stands for."""
        if link.get("refexplicit"):
            return nodes.inline("", link.astext())
        chapter = self.find_chapter(link)
        if chapter:
            return nodes.emphasis("", self.env.titles[chapter].astext())
        docname, place = self.find_labels()[link["reftarget"]]
        numbers = (name_number(self.env, docname, kind, place) for kind in COUNTED.values())
        return nodes.inline("", next(filter(None, numbers), link.astext()))


def write_latex(text: str) -> nodes.raw:
    """Return a line of LaTeX as a node."""
    return nodes.raw("", f"{text}\n", format="latex")


def find_docname(node: nodes.Node) -> str:
    """Return the page on which a node stands."""
    # Sphinx notes it on the sections of a page whose text it has put into the whole.
    while not (isinstance(node, nodes.Element) and node.get("docname")):
        node = node.parent
    return str(node["docname"])


def is_alone(fold: nodes.Node) -> bool:
    """Return whether a section shows nothing but a fold."""
    section = fold.parent
    while not isinstance(section, nodes.section):
        section = section.parent
    inside = set(map(id, fold.findall()))
    shown = (n for n in section.findall(nodes.Text) if id(n) not in inside)
    return all(is_unseen(text, section) for text in shown)


def is_unseen(text: nodes.Node, section: nodes.Node) -> bool:
    """Return whether a text of a section is its title, or code."""
    while text is not section:
        if isinstance(text, nodes.title | nodes.raw | nodes.literal_block):
            return True
        text = text.parent
    return False


def list_captioned(fold: nodes.Element) -> Iterator[nodes.Element]:
    """Yield the tables and figures of a fold that have a caption, which LaTeX counts."""
    for node in fold.findall(nodes.Element):
        captions = [c for c in node.children if isinstance(c, nodes.title | nodes.caption)]
        if type(node) in COUNTED and captions:
            yield node


def number_page(env: BuildEnvironment, docname: str) -> str:
    """Return the number of a chapter; blank where chapters have none."""
    return join_numbers(env.toc_secnumbers.get(docname, {}).get("") or ())


def name_number(env: BuildEnvironment, docname: str, kind: str, place: str) -> str:
    """Return what a table or figure is called, as in "Table 2.3"; blank without a number."""
    number = env.toc_fignumbers.get(docname, {}).get(kind, {}).get(place)
    return env.config.numfig_format[kind] % join_numbers(number) if number else ""


def join_words(words: list[str]) -> str:
    """Return words as a list in a sentence; that of the chapters comes with pandas."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def join_numbers(numbers: Iterable[int]) -> str:
    """Return the parts of a number as it is written."""
    return ".".join(map(str, numbers))
