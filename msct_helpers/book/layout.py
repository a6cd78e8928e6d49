"""Tables as specifications: which rows, which columns, and which results stand in a cell.

A cell is a pattern such as ``{obs.mean} ({obs.sd})``: each part in braces names a result by
analysis and statistic, and by group after ``@`` where the row names none; or it is a whole id.
`lay_out` puts the ids of the record in their place; a cell of which any result is not in the record
stays blank.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from msct_helpers.ard.results import make_id
from msct_helpers.trial.plan import Plan

_KEY = re.compile(r"\{([\w.+=~-]+?)(?:@([\w -]+))?(\|abs)?\}")


@dataclass(frozen=True)
class Row:
    """A row of a table: what stands at its head, and of what its results are."""

    heads: tuple[str, ...]
    analysis: str = ""
    parameter: str = ""
    visit: int | str | None = None
    group: str = ""


Cell = str | Callable[[Row], str]
"""A pattern, or a function that gives the pattern of a row."""


def lay_out(
    record: pd.DataFrame,
    rows: Sequence[Row],
    columns: Mapping[str, Cell],
    heads: Sequence[str] = ("",),
) -> pd.DataFrame:
    """Return the display table of a record.

    Parameters
    ----------
    record
        Results; nothing else can be shown.
    rows
        The rows, in order.
    columns
        Pattern of each column by its head.
    heads
        Heads of the columns that say what a row is about. What repeats from one row to the next
        in the first of several is left blank.

    Returns
    -------
    DataFrame
        Text with ids in braces, for `msct_helpers.book.chapter.Chapter.table`; empty where the
        record is.
    """
    known = set(record["id"])
    cells = [
        (*row.heads, *(fill_cell(cell, row, known) for cell in columns.values())) for row in rows
    ]
    out = pd.DataFrame(cells if known else [], columns=[*heads, *columns])
    first = out.columns[0]
    repeated = out[first].duplicated() & (len(heads) > 1)
    return out.assign(**{first: out[first].mask(repeated, "")})


def fill_cell(cell: Cell, row: Row, known: set[str]) -> str:
    """Return a pattern with placeholders of results, or nothing where one is not known."""
    missing = False

    def place(match: re.Match[str]) -> str:
        nonlocal missing
        key, group, unsigned = match.groups()
        analysis, _, statistic = key.rpartition(".")
        if "." not in analysis:
            at = (row.parameter, row.visit, group or row.group)
            key = make_id(analysis or row.analysis, statistic, *at)
        missing |= key not in known
        return "{" + key + (unsigned or "") + "}"

    filled = _KEY.sub(place, cell if isinstance(cell, str) else cell(row))
    return "" if missing else unbroken(filled)


def visit_rows(plan: Plan, parameter: str) -> list[Row]:
    """Return a row a visit."""
    return [Row((unbroken(v.name),), parameter=parameter, visit=v.number) for v in plan.visits]


def proportion_columns(plan: Plan, who: str = "Participants") -> dict[str, Cell]:
    """Return the columns of a count with its denominator, per cent and exact interval."""
    return {
        who: "{count} of {denominator}",
        "Per cent": "{percent}",
        f"Exact {plan.level_words} CI, %": "{percent_low} to {percent_high}",
    }


def unbroken(text: str) -> str:
    """Return a short text that does not break over lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
