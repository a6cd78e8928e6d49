"""What a chapter uses to speak: numbers, sentences, tables and figures from one record.

`Chapter` is the only place where a number goes from the record to a page, and text from a data set
through `msct_helpers.book.document.quote`. The whole record of the chapter is glued (MyST-NB) under
`RECORD_KEY`, so that the build can publish it; sentences with a name are, so that other pages can
paste them.
"""

import base64
import io
import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from myst_nb import glue

from msct_helpers.ard.columns import PROSE, PUBLISHED
from msct_helpers.ard.reference import compare_records, say_agreement
from msct_helpers.ard.results import NOT_ESTIMABLE, make_record
from msct_helpers.book import document
from msct_helpers.book.document import NARROW, WIDE, Document, Node, make_text, quote
from msct_helpers.book.figures import FAMILIES, drawn_at, write_mark
from msct_helpers.book.records import RECORD_KEY, read_record
from msct_helpers.trial.load import Trial, load_reference, load_trial
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.text import show_characters

_PLACEHOLDER = re.compile(r"(= )?\{([\w.+=~-]+)(\|abs)?\}")


class Chapter:
    """A chapter being written: the data set, its record, and what has been shown of it.

    Parameters
    ----------
    name
        File name of the chapter without its ending, as ``cohort-flow``.
    """

    def __init__(self, name: str):
        self.name = name
        self.trial: Trial = load_trial()
        self._record: dict[str, dict[str, Any]] = {}

    @property
    def plan(self) -> Plan:
        """The analysis plan of the data set."""
        return self.trial.plan

    @property
    def own_rows(self) -> list[dict[str, Any]]:
        """The results that this chapter computed, as they are published."""
        return [row for row in self._record.values() if row["chapter"] == self.name]

    def take(self, name: str) -> pd.DataFrame:
        """Return the results of another chapter, so that this one can show and weigh them.

        They stay that chapter's: a number shown here leads to its row there. The build runs the
        other chapter first; where its results are not at hand, as in a notebook opened alone, its
        code is run here.
        """
        rows = read_record(name)
        for row in rows:
            self._record.setdefault(row["id"], row | {"shown": ""})
        return make_record(rows)

    def rows(self, name: str) -> pd.DataFrame:
        """Return the results behind a table or figure that was shown, for whoever looks closer."""
        shown = [row for row in self._record.values() if name in row["shown"].split()]
        return make_record(shown)

    def record(self, rows: pd.DataFrame, *, origin: str = "") -> pd.DataFrame:
        """Add results to the chapter's record and return them.

        Parameters
        ----------
        rows
            Results (`msct_helpers.ard.results.make_record`).
        origin
            What they rest on, where that is not this data set: published, real or assumed.

        Raises
        ------
        ValueError
            If an id was recorded before with another value.
        """
        about = {"chapter": self.name, "shown": "", "origin": origin or self.trial.study.origin}
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
            known = self._record.setdefault(row["id"], row | about)
            if known["value"] != row["value"]:
                raise ValueError(f"{row['id']}: recorded before with another value")
        return rows

    def fill(self, template: str, where: str) -> str:
        """Return a template as plain text, with the shown text of results for their ids."""
        return document.to_plain(document.split_leaves(template, partial(self._fill, where)))

    def _fill(self, where: str, text: str) -> list[Node]:
        """Return the leaves of a text of ours: numbers where their ids stand in braces.

        Raises
        ------
        KeyError
            If an id was never recorded.
        """
        out: list[Node] = []
        start = 0
        for match in _PLACEHOLDER.finditer(text):
            equals, key, unsigned = match.group(1) or "", match.group(2), match.group(3)
            if key not in self._record:
                raise KeyError(f"{key}: not recorded in {self.name}")
            row = self._record[key]
            self._mark(key, where)
            shown = str(row["text"])
            shown = shown.lstrip("\N{MINUS SIGN}") if unsigned else shown
            # A p-value below the last decimal brings its own sign.
            equals = "" if shown.startswith("<") else equals
            out += document.make_text(text[start : match.start()] + equals)
            out += [describe_number(shown, row) if where == PROSE else make_text(shown)[0]]
            start = match.end()
        return out + document.make_text(text[start:])

    def _mark(self, key: str, where: str) -> None:
        """Note that a result is shown in the prose, or in the table or figure of that name."""
        row = self._record[key]
        if where not in row["shown"].split():
            row["shown"] = f"{row['shown']} {where}".strip()

    def say(self, template: str, *, name: str = "", target: str = "") -> Document:
        """Return sentences with their numbers filled in.

        Parameters
        ----------
        template
            A little Markdown (`msct_helpers.book.document`); ids in braces are filled in.
        name
            Lets other pages paste it.
        target
            Makes the first paragraph a place that links can lead to.
        """
        blocks = document.parse(template, partial(self._fill, PROSE))
        if target:
            blocks[0]["target"] = target
        shown = Document(blocks)
        if name:
            self.offer(shown, name=name)
        return shown

    def offer(self, shown: Document, *, name: str) -> None:
        """Leave a document for other pages to paste; it is not shown here."""
        glue(name, shown, display=False)

    def table(
        self,
        shown: pd.DataFrame,
        *,
        name: str = "",
        caption: str = "",
        label: bool = True,
        otherwise: str = "",
    ) -> Document:
        """Return a numbered table with caption and label.

        Parameters
        ----------
        shown
            Display table: text only, columns as they are headed; ids in braces are filled in.
        name
            Target for cross-references; none for a table to be pasted elsewhere.
        caption
            Sentence that can be read alone; ids in braces are filled in.
        label
            Whether the caption says whose data the table shows; not for tables that show none.
        otherwise
            What is said where the table has no row, such as why it is not assessable.
        """
        if shown.empty:
            return self.say(otherwise)
        fill = partial(self._fill, name or PROSE)
        cells = [
            [document.parse_inline(str(cell), fill) for cell in row]
            for row in [shown.columns, *shown.itertuples(index=False)]
        ]
        texts = [document.to_plain(cell) for row in cells for cell in row]
        if any(re.search(rf"\b{NOT_ESTIMABLE}\b", text) for text in texts):
            caption = f"{caption} {NOT_ESTIMABLE}, not estimable."
        table = {
            "kind": "table",
            "name": name,
            "caption": document.parse_inline(self._label(caption, label), fill),
            "heads": cells[0],
            "rows": cells[1:],
        }
        return Document([table, *self._offer_rows(name)])

    def _mark_data(self) -> str:
        """Return in a few words what data these are."""
        return "Synthetic data" if self.trial.synthetic else self.trial.study.short_title

    def _label(self, caption: str, label: bool) -> str:
        """Return a text that says whose data it tells of, where it tells of any."""
        return f"{caption} {quote(self._mark_data())}." if label else caption

    def _offer_rows(self, name: str) -> list[Node]:
        """Return a link to the numbers of a table or figure as CSV, or nothing if it has none."""
        behind = any(name in row["shown"].split() for row in self._record.values())
        return [{"kind": "rows", "name": name}] if behind else []

    def say_assumptions(self) -> Document:
        """Return what the data set assumes, as a list."""
        head = (
            "Where these synthetic data needed such a fact, it was assumed:"
            if self.trial.synthetic
            else "For this data set the following was chosen or assumed:"
        )
        listed = "\n".join(f"- {quote(a)}" for a in self.trial.study.assumed)
        return self.say(f"{head}\n\n{listed}")

    def figure(
        self,
        plot: Callable[..., Figure],
        *data: Any,
        name: str,
        caption: str,
        alt: str,
        rows: pd.DataFrame | None = None,
        label: bool = True,
        mark: str = "",
        otherwise: str = "",
    ) -> Document:
        """Return a numbered vector figure.

        Parameters
        ----------
        plot
            Draws the figure from `data`.
        data
            What is drawn, if anything of this data set; where the first of it is empty, there is no
            figure.
        name
            Target for cross-references.
        caption, alt
            Sentences that can be read alone; ids in braces are filled in.
        rows
            Results that are drawn; default: the first of `data`.
        label
            Whether the alt text says whose data it shows; not where it shows none.
        mark
            What the drawing itself says of its data, where these are not those of the data set.
        otherwise
            What is said where there is no figure, such as why it is not assessable.
        """
        first = data[0] if data else {"id": ()}
        if data and len(first) == 0:
            return self.say(otherwise)
        for key in (first if rows is None else rows).get("id", ()):
            self._mark(key, name)
        about = show_characters(mark or self.trial.study.label)
        block = {
            "kind": "figure",
            "name": name,
            # The drawing bears its own mark.
            "caption": document.parse_inline(caption, partial(self._fill, name)),
            "alt": self.fill(self._label(alt, label), name),
            **draw_widths(partial(plot, *data), mark or self._mark_data(), about),
        }
        return Document([block, *self._offer_rows(name)])

    def publish(self) -> Document:
        """Leave the chapter's record with the notebook, and say if it agrees with the reference.

        The book hides what is returned; whoever runs the notebook sees it.
        """
        rows = self.own_rows
        shown = [row for row in self._record.values() if row["shown"] and row not in rows]
        glue(RECORD_KEY, json.dumps([*rows, *shown]), display=False)
        try:
            stored = load_reference(self.trial.folder)
        except ValueError as error:
            # A spoilt reference must not keep the book from being built.
            return self.say(f"{self.name}: the reference cannot be read, {quote(error)}.")
        differences = None
        if stored is not None:
            names = {name: PUBLISHED[name][0] for name in ("chapter", "id", "statistic")}
            names |= {"value": "rawValue", "text": "formattedValue"}
            now = pd.DataFrame(rows, columns=list(names)).rename(columns=names)
            differences = compare_records(stored[stored["chapter"] == self.name], now)
        agreement = say_agreement(self.trial.folder, len(rows), differences)
        return self.say(f"{self.name}: {quote(agreement)}")


def describe_number(text: str, row: dict[str, Any]) -> Node:
    """Return a number that leads to its row in the results, and says on hovering what it is."""
    value = "" if row["value"] is None else f"{row['value']:.8g}"
    if row["text"] == NOT_ESTIMABLE:
        value = "not estimable"
    parts = [value, row["unit"] if row["unit"] not in ("", "1") else ""]
    parts += ["" if row["n"] is None else f"n = {row['n']}", row["method"]]
    about = show_characters("; ".join(p for p in parts if p))
    return {"kind": "number", "text": text, "about": about} | {k: row[k] for k in ("id", "chapter")}


def draw_widths(plot: Callable[[], Figure], mark: str, about: str) -> dict[str, str]:
    """Return a figure as it is drawn for a phone (narrow), for a wide screen (svg) and for paper.

    Parameters
    ----------
    plot
        Draws the figure at the width of now (`msct_helpers.book.figures.drawn_at`).
    mark
        What the drawing says of its data.
    about
        What its file says of them.
    """
    drawn: dict[str, str] = {}
    for name, width in (("narrow", NARROW), ("svg", WIDE)):
        with drawn_at(width):
            fig = plot()
        write_mark(fig, mark)
        drawn[name] = draw_svg(fig, about).decode()
    return drawn | {"pdf": base64.b64encode(draw_pdf(fig, about)).decode()}


# A file says what its data are, and no date. A canvas is asked itself: `Figure.savefig` draws twice
# where a layout is found.
def draw_svg(fig: Figure, about: str) -> bytes:
    """Return a figure as a file for the web; its layout is found, and stays."""
    out = io.BytesIO()
    said = {"Date": None, "Creator": None, "Description": about}
    FigureCanvasSVG(fig).print_svg(out, metadata=said)
    fig.set_layout_engine("none")
    return shorten_svg(out.getvalue())


def draw_pdf(fig: Figure, about: str) -> bytes:
    """Return a figure as a file for paper."""
    out = io.BytesIO()
    FigureCanvasPdf(fig).print_pdf(out, metadata={"CreationDate": None, "Subject": about})
    return out.getvalue()


def shorten_svg(svg: bytes) -> bytes:
    """Return a drawing with its places rounded and its fonts named once, for all of its texts."""
    svg = _TEXT.sub(_clear_text, _SHAPE.sub(_round_places, svg))
    return svg.replace(b"</style>", b"text{font-family:%s}</style>" % FAMILIES.encode(), 1)


_SHAPE = re.compile(rb"<(?:path|use|rect|image|text) [^>]*>")
"""An element that is drawn; texts, which may be those of a data set, hold no such sign."""

_TEXT = re.compile(rb"<text [^>]*>")

_PLACE = re.compile(rb'(?<= )(?:d|x|y)="[^"]*"')
"""A place of a drawing, which Matplotlib writes with six decimals: a third of the file."""


def _round_places(shape: re.Match[bytes]) -> bytes:
    """Return an element with its places to two decimals: a hundredth of a point."""

    def shorten(place: re.Match[bytes]) -> bytes:
        return re.sub(rb"\d+\.\d{3,}", lambda number: b"%.2f" % float(number[0]), place[0])

    return _PLACE.sub(shorten, shape[0])


def _clear_text(text: re.Match[bytes]) -> bytes:
    """Return the head of a text without the font by which it was measured, or a turn by nothing."""
    return re.sub(rb"; font-family: [^;\"]*| transform=\"rotate\(-0 [^\"]*\"", b"", text[0])
