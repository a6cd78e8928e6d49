"""Texts of the book as trees: the one gate through which any text reaches a page.

A sentence, caption or cell is a template that this package wrote: a little Markdown (emphasis,
code, links inside the book, lists) with ids of results in braces. Text that comes from a data set
or its ``study.yml`` is put into a template with `quote` only, and becomes a leaf of the tree that
shows its characters and nothing else. Markup, mathematics, HTML and directives do not exist here.

Trees are plain values, so that a notebook can hold them as JSON; `msct_helpers.sphinx.document`
makes document nodes of them, and `to_html` what JupyterLab shows.
"""

import base64
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from msct_helpers.trial.text import show_characters

MIME = "application/vnd.msct.document+json"
"""Mime type of a document in a notebook."""

NARROW, WIDE = 342 / 96, 690 / 96
"""Widths in inches of the drawings for a phone and for a wide screen or paper: 342 and 690 px."""

Node = dict[str, Any]
"""``kind`` of the node, and its ``text``, ``children`` or what else the kind needs."""

Fill = Callable[[str], list[Node]]
"""Makes leaves of a text of ours, as one that puts numbers where their ids stand."""

_OPEN, _CLOSE = "\ue000", "\ue001"
_QUOTED = re.compile(f"({_OPEN}[0-9a-f]*{_CLOSE})")
_MARKDOWN = MarkdownIt("zero").enable(
    ["heading", "list", "emphasis", "backticks", "link", "newline"]
)
_INSIDE = re.compile(r"#[a-z0-9-]+|(?:\.\./)?[\w/-]+\.md(?:#[\w-]+)?")
"""Targets that a link may have: a place, a page, or a place on a page of this book."""


def quote(text: object) -> str:
    """Return a text from a data set as a part of a template that nothing but `parse` can read."""
    return _OPEN + str(text).encode("utf-8", "surrogatepass").hex() + _CLOSE


def unquote(token: str) -> str:
    """Return the characters that `quote` put into a part of a template."""
    return show_characters(bytes.fromhex(token[1:-1]).decode("utf-8", "surrogatepass"))


def make_text(text: str) -> list[Node]:
    """Return a text of ours as a leaf."""
    return [{"kind": "text", "text": text}] if text else []


def split_leaves(text: str, fill: Fill = make_text) -> list[Node]:
    """Return the leaves of a text without markup: quoted data apart, the rest filled in."""
    out: list[Node] = []
    for part in _QUOTED.split(text):
        quoted = _QUOTED.fullmatch(part)
        out += [{"kind": "data", "text": unquote(part)}] if quoted else fill(part)
    return out


def parse(template: str, fill: Fill = make_text) -> list[Node]:
    """Return the blocks of a template: headings, paragraphs and lists.

    Raises
    ------
    ValueError
        If a link leads out of the book.
    """
    tree = SyntaxTreeNode(_MARKDOWN.parse(template))
    return [parse_node(node, fill)[0] for node in tree.children]


def parse_inline(template: str, fill: Fill = make_text) -> list[Node]:
    """Return the leaves and spans of a template without blocks, as a caption or a cell."""
    tree = SyntaxTreeNode(_MARKDOWN.parseInline(template))
    return parse_children(tree, fill)


def parse_children(node: SyntaxTreeNode, fill: Fill) -> list[Node]:
    """Return the nodes inside a node."""
    return [part for child in node.children for part in parse_node(child, fill)]


def parse_node(node: SyntaxTreeNode, fill: Fill) -> list[Node]:
    """Return one node of Markdown as nodes of a tree."""
    if node.type == "text":
        return split_leaves(node.content, fill)
    if node.type in ("softbreak", "hardbreak"):
        return make_text(" ")
    if node.type == "code_inline":
        return [{"kind": "literal", "children": split_leaves(node.content, fill)}]
    if node.type == "inline":
        return parse_children(node, fill)
    out: Node = {"kind": KINDS[node.type], "children": parse_children(node, fill)}
    if node.type == "link":
        out["to"] = str(node.attrGet("href"))
        if not _INSIDE.fullmatch(out["to"]):
            raise ValueError(f"{out['to']!r}: expected a link inside the book")
    return [out]


KINDS = {
    "heading": "heading",
    "paragraph": "paragraph",
    "bullet_list": "list",
    "list_item": "item",
    "strong": "strong",
    "em": "emphasis",
    "link": "link",
}
"""Kind of a node by its type in Markdown."""


def to_plain(children: list[Node]) -> str:
    """Return the characters that a reader sees of leaves and spans."""
    return "".join(
        str(c["text"]) if "text" in c else to_plain(c.get("children", [])) for c in children
    )


@dataclass(frozen=True)
class Document:
    """Blocks of a page: headings, paragraphs, lists, tables, figures; for book and JupyterLab."""

    blocks: list[Node]

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        shown = "".join(block_html(block) for block in self.blocks)
        return {MIME: self.blocks, "text/html": shown, "text/plain": repr(self)}

    def __repr__(self) -> str:
        keys = ("children", "caption", "title")
        texts = [to_plain(next((b[k] for k in keys if b.get(k)), [])) for b in self.blocks]
        return "\n".join(text for text in texts if text)


def join(*documents: Document) -> Document:
    """Return documents one below the other."""
    return Document([block for document in documents for block in document.blocks])


def fold(title: str, *documents: Document, words: bool = False, paper: bool = False) -> Document:
    """Return documents under a title of ours, closed on a page until a reader opens them.

    What has neither table nor figure, as where something is not assessable, stands open, unless
    it is the `words` that are to be hidden. On `paper` a listing is left out, unless it is to stand
    open there.
    """
    blocks = join(*documents).blocks
    if not words and not any(block["kind"] in ("table", "figure") for block in blocks):
        return Document(blocks)
    return Document(
        [{"kind": "fold", "title": parse_inline(title), "blocks": blocks, "paper": paper}]
    )


def fold_rest(shown: Document, *, target: str = "") -> Document:
    """Return a document folded under its first paragraph, of words alone, where links lead."""
    first, *rest = shown.blocks
    block = {"kind": "fold", "title": first["children"], "blocks": rest}
    return Document([block | ({"target": target} if target else {})])


TAGS = {
    "heading": "h3",
    "paragraph": "p",
    "list": "ul",
    "item": "li",
    "strong": "strong",
    "emphasis": "em",
    "literal": "code",
    "data": "bdi",
}


def to_html(children: list[Node]) -> str:
    """Return leaves and spans as HTML."""
    return "".join(node_html(child) for child in children)


def node_html(node: Node) -> str:
    """Return one leaf, span, paragraph or list as HTML; links of the book have no page here."""
    inside = html.escape(node["text"]) if "text" in node else to_html(node["children"])
    if node["kind"] == "number":
        return f'<span title="{html.escape(node["about"])}">{inside}</span>'
    if node["kind"] == "link" and not inside:
        return html.escape(node["to"].lstrip("#").removesuffix(".md"))
    tag = TAGS.get(node["kind"])
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def block_html(block: Node) -> str:
    """Return a block as HTML."""
    if block["kind"] == "table":
        return table_html(block)
    if block["kind"] == "figure":
        source = base64.b64encode(block["svg"].encode()).decode()
        image = f'<img alt="{html.escape(block["alt"])}" src="data:image/svg+xml;base64,{source}"'
        # A drawing has no ground of its own, and dark themes of JupyterLab would hide its ink.
        image += ' style="background: white">'
        return f"<figure>{image}<figcaption>{to_html(block['caption'])}</figcaption></figure>"
    if block["kind"] == "fold":
        inside = "".join(block_html(part) for part in block["blocks"])
        return f"<details><summary>{to_html(block['title'])}</summary>{inside}</details>"
    return "" if block["kind"] == "rows" else node_html(block)


def table_html(block: Node) -> str:
    """Return a table with its caption as HTML."""
    heads = "".join(f'<th scope="col">{to_html(cell)}</th>' for cell in block["heads"])
    rows = "".join(
        "<tr>" + "".join(f"<td>{to_html(cell)}</td>" for cell in row) + "</tr>"
        for row in block["rows"]
    )
    caption = f"<caption>{to_html(block['caption'])}</caption>" if block["caption"] else ""
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
