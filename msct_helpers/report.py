"""What a chapter uses to speak: numbers, sentences, tables and figures from one record.

`Chapter` is the only place where a number goes from the record to a page. Each number that is shown
is glued under its id (MyST-NB), so that any page can paste it, and the whole record of the chapter
is glued under `RECORD_KEY`, so that the build can publish it.
"""

import base64
import html
import io
import json
import re
from typing import Any

import pandas as pd
from IPython.display import Markdown, display
from matplotlib.figure import Figure
from myst_nb import glue

from msct_helpers.load import Trial, load_reference, load_trial
from msct_helpers.published_names import PUBLISHED
from msct_helpers.reference import compare_records, say_agreement
from msct_helpers.results import NOT_ESTIMABLE

RECORD_KEY = "record"
"""Glue key under which a chapter leaves its record."""

FIGURE_MIME = "application/vnd.msct.figure+json"
"""Mime type of a figure with caption, name and alt text; rendered by `msct_helpers.sphinx_ext`."""

LINE = 104
"""Letters on a line of a table in the PDF."""

_PLACEHOLDER = re.compile(r"(= )?\{([\w.+=-]+)(\|abs)?\}(?!`)")


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
        self._glued: set[str] = set()

    def record(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Add results to the chapter's record and return them.

        Raises
        ------
        ValueError
            If an id was recorded before with another value.
        """
        for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
            known = self._record.setdefault(row["id"], row | {"chapter": self.name, "shown": ""})
            if known["value"] != row["value"]:
                raise ValueError(f"{row['id']}: recorded before with another value")
        return rows

    def fill(self, template: str, where: str) -> str:
        """Put the shown text of results where `template` names their ids in braces.

        Raises
        ------
        KeyError
            If an id was never recorded.
        """

        def show(match: re.Match[str]) -> str:
            equals, key, unsigned = match.group(1) or "", match.group(2), match.group(3)
            if key not in self._record:
                raise KeyError(f"{key}: not recorded in {self.name}")
            row = self._record[key]
            self._mark(key, where)
            if where == "prose" and key not in self._glued:
                self._glued.add(key)
                glue(key, row["text"], display=False)
            text = str(row["text"])
            text = text.lstrip("\N{MINUS SIGN}") if unsigned else text
            # A p-value below the last decimal brings its own sign.
            equals = "" if text.startswith("<") else equals
            return equals + (link_number(text, row) if where == "prose" else text)

        return _PLACEHOLDER.sub(show, template)

    def _mark(self, key: str, where: str) -> None:
        """Note that a result is shown in the prose, or in the table or figure of that name."""
        row = self._record[key]
        if where not in row["shown"].split():
            row["shown"] = f"{row['shown']} {where}".strip()

    def say(self, template: str, *, name: str | None = None) -> Markdown:
        """Return a paragraph with its numbers filled in; `name` lets other pages paste it."""
        text = self.fill(template, "prose")
        if name is not None:
            self.offer(text, name=name)
        return Markdown(text)

    def offer(self, text: str, *, name: str) -> None:
        """Leave a Markdown text for other pages to paste; it is not shown here."""
        glue(name, text, display=False)

    def table(
        self, shown: pd.DataFrame, *, name: str, caption: str, label: bool = True
    ) -> Markdown:
        """Return a numbered table with caption and label.

        Parameters
        ----------
        shown
            Display table: text only, columns as they are headed; ids in braces are filled in.
        name
            Target for cross-references.
        caption
            Sentence that can be read alone; ids in braces are filled in.
        label
            Whether the caption says what kind of data the table shows; not for tables that
            show none.
        """
        caption = self.fill(caption, name)
        shown = shown.astype(str).map(lambda cell: self.fill(cell, name))
        shown.columns = pd.Index([self.fill(str(head), name) for head in shown.columns])
        if shown.apply(lambda c: c.str.contains(rf"\b{NOT_ESTIMABLE}\b")).any(axis=None):
            caption = f"{caption} {NOT_ESTIMABLE}, not estimable."
        if label:
            caption = f"{caption} {self.trial.study.label}"
        return Markdown(format_table(shown, name, caption) + self._offer_rows(name))

    def _offer_rows(self, name: str) -> str:
        """Return a link to the numbers of a table or figure as CSV, or nothing if it has none."""
        if not any(name in row["shown"].split() for row in self._record.values()):
            return ""
        link = f'<a href="../results/{name}.csv" download>Numbers behind this (CSV)</a>'
        return f'\n<p class="msct-rows">{link}</p>\n'

    def say_assumptions(self) -> Markdown:
        """Return what the data set assumes, as a list."""
        head = (
            "Where these synthetic data needed such a fact, it was assumed:"
            if self.trial.synthetic
            else "For this data set the following was chosen or assumed:"
        )
        listed = "\n".join(f"- {' '.join(a.split())}" for a in self.trial.study.assumed)
        return Markdown(f"{head}\n\n{listed}")

    def figure(
        self,
        fig: Figure,
        *,
        name: str,
        caption: str,
        alt: str,
        rows: pd.DataFrame | None = None,
        label: bool = True,
    ) -> None:
        """Show a numbered vector figure.

        Parameters
        ----------
        fig
            The figure.
        name
            Target for cross-references.
        caption, alt
            Sentences that can be read alone; ids in braces are filled in.
        rows
            Results that are drawn, as recorded.
        label
            Whether caption and alt text say what kind of data it shows; not where it shows none.
        """
        for key in [] if rows is None else rows["id"]:
            self._mark(key, name)
        kind = f" {self.trial.study.label}" if label else ""
        data = {
            "name": name,
            "caption": self.fill(caption, name) + kind,
            "alt": self.fill(alt, name) + kind,
            "rows": self._offer_rows(name),
            "svg": draw(fig, "svg").decode(),
            "pdf": base64.b64encode(draw(fig, "pdf")).decode(),
        }
        display({FIGURE_MIME: data, "image/svg+xml": data["svg"]}, raw=True)

    def publish(self) -> Markdown:
        """Leave the chapter's record with the notebook, and say if it agrees with the reference.

        The book hides what is returned; whoever runs the notebook sees it.
        """
        rows = list(self._record.values())
        glue(RECORD_KEY, json.dumps(rows), display=False)
        try:
            stored = load_reference(self.trial.folder)
        except ValueError as error:
            # A spoilt reference must not keep the book from being built.
            return Markdown(f"{self.name}: the reference cannot be read, {error}.")
        differences = None
        if stored is not None:
            names = {name: PUBLISHED[name][0] for name in ("chapter", "id", "statistic")}
            names |= {"value": "rawValue", "text": "formattedValue"}
            now = pd.DataFrame(rows, columns=list(names)).rename(columns=names)
            differences = compare_records(stored[stored["chapter"] == self.name], now)
        return Markdown(f"{self.name}: {say_agreement(self.trial.folder, len(rows), differences)}")


def link_number(text: str, row: dict[str, Any]) -> str:
    """Return a number that leads to its row in the results, and says on hovering what it is.

    Plain HTML inside Markdown, so that JupyterLab shows it as the book does.
    """
    value = "" if row["value"] is None else f"{row['value']:.8g}"
    if row["text"] == NOT_ESTIMABLE:
        value = "not estimable"
    parts = [value, row["unit"] if row["unit"] not in ("", "1") else ""]
    parts += ["" if row["n"] is None else f"n = {row['n']}", row["method"]]
    about = html.escape("; ".join(p for p in parts if p), quote=True)
    target = f"../results/{row['chapter']}.html#{row['id']}"
    return f'<a class="msct-number" href="{target}" title="{about}">{html.escape(text)}</a>'


def format_table(shown: pd.DataFrame, name: str, caption: str) -> str:
    """Return a display table as a MyST table directive; the first column is the row's head."""

    def cells(values: Any) -> str:
        return "| " + " | ".join(str(v).replace("|", "\\|") for v in values) + " |"

    align = cells(["--:" if is_numeric(shown[c]) else ":--" for c in shown])
    rows = [cells(row) for row in shown.itertuples(index=False)]
    body = "\n".join([cells(shown.columns), align, *rows])
    columns = format_columns(shown)
    # In the PDF a long table breaks over pages and a short one does not.
    long = ":class: msct longtable" if len(shown) > 12 else ":class: msct"
    # Tildes, because a caption may hold backticks.
    return (
        f"~~~{{tabularcolumns}} {columns}\n~~~\n\n"
        f"~~~{{table}} {caption}\n:name: {name}\n{long}\n\n{body}\n~~~\n"
    )


def format_columns(shown: pd.DataFrame) -> str:
    """Return column widths for the PDF, as shares of the line.

    Each column has room for its longest word; what is left goes to the columns with most text.
    """
    least, wanted = [], []
    for column in shown:
        texts = [read_plain(text) for text in (column, *shown[column])]
        words = [w for t in texts for w in t.split(" ")]
        # Words in backticks are set in a wider type.
        word = max(1.35 * len(w) if "`" in w else 1.2 * len(w) for w in words)
        least.append((word + 4) / LINE)
        wanted.append(float(min(max(map(len, texts)), 60)))
    spare = max(1 - sum(least), 0)
    total = max(sum(least), 1)
    shares = [
        (low + spare * want / sum(wanted)) / total for low, want in zip(least, wanted, strict=True)
    ]
    return "".join(
        f"{'R' if is_numeric(shown[c]) else 'L'}{{{share:.3f}}}"
        for c, share in zip(shown, shares, strict=True)
    )


def read_plain(text: Any) -> str:
    """Return what a reader sees of a cell: no targets of links, no marks of emphasis."""
    return (
        re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", str(text)).replace("**", "").replace("&emsp;", "")
    )


def is_numeric(column: pd.Series) -> bool:
    """Return whether a column of shown texts holds numbers: every cell empty or led by one."""
    texts = column.astype(str)
    return bool(texts.str.match(r"$|[\d−<]|NE").all() and (texts != "").any())


def draw(fig: Figure, kind: str) -> bytes:
    """Return a figure as a file of `kind` (svg, pdf), with no date or creator in it."""
    out = io.BytesIO()
    nothing = {"svg": {"Date": None, "Creator": None}, "pdf": {"CreationDate": None}}
    fig.savefig(out, format=kind, metadata=nothing[kind])
    return out.getvalue()
