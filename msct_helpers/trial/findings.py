"""What checking a data set found: problems that keep it out, and readings that a reader must know.

A problem names file, row, column, participant, the value as it stands in the file, what was
expected and, where it can be guessed, the remedy. A reading says how something was read that the
file does not literally say. `describe_problems` groups and caps them for people.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from msct_helpers.trial.text import show_text

SHOWN_VALUES = 5
"""Values named in a line of the report."""

SHOWN_GROUPS = 40
"""Lines of a report; the rest is counted."""


class Problem(NamedTuple):
    """One thing that keeps a data set from being read.

    ``row`` is the line of the file as an editor counts it; ``value`` is as it stands in the file,
    None where no value can be named; ``note`` is what else must be known of this row.
    """

    file: str
    column: str
    row: int | None
    participant: str
    value: str | None
    expected: str
    remedy: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How something was read that the file does not literally say.

    ``count`` is the number of cells or rows; ``matters`` is True where a number of the book
    depends on it.
    """

    file: str
    column: str
    text: str
    count: int
    matters: bool


@dataclass
class Log:
    """Problems and readings, in the order in which they were found."""

    problems: list[Problem] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    def refuse(
        self,
        file: str,
        expected: str,
        *,
        column: str = "",
        row: int | None = None,
        value: str | None = None,
        remedy: str = "",
        note: str = "",
    ) -> None:
        """Note one problem."""
        self.problems.append(Problem(file, column, row, "", value, expected, remedy, note))

    def state(
        self, file: str, column: str, text: str, count: int = 1, matters: bool = False
    ) -> None:
        """Note one reading."""
        self.readings.append(Reading(file, column, text, count, matters))


def show_value(value: str | None) -> str:
    """Return a value in quotes as it stands in the file, or the word blank."""
    return "blank" if value is None or value == "" else f"'{show_text(value)}'"


def list_values(values: Iterable[str], limit: int = SHOWN_VALUES) -> str:
    """Return values in quotes, the first few of them, and how many more there are."""
    every = list(values)
    more = f" and {len(every) - limit:,} more" if len(every) > limit else ""
    return ", ".join(show_value(v) for v in every[:limit]) + more


def describe_problems(
    problems: list[Problem], rows: dict[str, int] | None = None, limit: int = SHOWN_GROUPS
) -> list[str]:
    """Return problems grouped by file, column and kind, a line a group.

    Parameters
    ----------
    problems
        As found.
    rows
        Rows of each file, named where many of them are affected.
    limit
        Lines returned at most, besides a last one that counts the others.
    """
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for p in problems:
        groups.setdefault((p.file, p.column, p.expected), []).append(p)
    shown = list(groups.values())[:limit]
    lines = [_describe(group, (rows or {}).get(group[0].file, 0)) for group in shown]
    hidden = len(groups) - len(lines)
    return lines + ([f"and {hidden:,} more kinds of problem"] if hidden else [])


def describe_readings(readings: Iterable[Reading]) -> list[str]:
    """Return readings, a line each; those that a number depends on come first and say so."""
    ordered = sorted(readings, key=lambda r: not r.matters)
    return [
        ", ".join(show_text(x) for x in (r.file, r.column) if x)
        + f": {r.text} ({r.count:,})"
        + (" [numbers depend on it]" if r.matters else "")
        for r in ordered
    ]


def _describe(group: list[Problem], total: int) -> str:
    first = group[0]
    remedies = list(dict.fromkeys(p.remedy for p in group if p.remedy))
    remedy = f". {'; '.join(remedies[:3])}" if remedies else ""
    if len(group) == 1:
        return f"{_place(first)}: {_value(first)}expected {first.expected}{remedy}"
    where = show_text(first.file) + (f", {show_text(first.column)}" if first.column else "")
    among = f" in {total:,} rows" if total else ""
    rows = [p.row for p in group if p.row is not None]
    start = f", the first in row {min(rows)}" if rows else ""
    seen = f"{where}: {len(group):,} problems{among}{start}: {_values(group)}"
    return f"{seen}; expected {first.expected}{remedy}"


def _place(p: Problem) -> str:
    row = f" row {p.row}" if p.row is not None else ""
    column = f", {show_text(p.column)}" if p.column else ""
    return f"{show_text(p.file)}{row}{column}"


def _value(p: Problem) -> str:
    who = [f"participant {show_text(p.participant)}"] if p.participant else []
    about = ", ".join([*who, *([p.note] if p.note else [])])
    shown = "" if p.value is None else show_value(p.value)
    if not shown:
        return f"{about}; " if about else ""
    return f"{shown} ({about}); " if about else f"{shown}; "


def _values(group: list[Problem]) -> str:
    """Return the commonest values of a group, each with its number and its first row."""
    seen: dict[str | None, list[Problem]] = {}
    for p in group:
        seen.setdefault(p.value, []).append(p)
    ordered = sorted(seen.values(), key=len, reverse=True)
    parts = [_seen(same) for same in ordered[:SHOWN_VALUES]]
    more = (
        f" and {len(ordered) - SHOWN_VALUES:,} more values" if len(ordered) > SHOWN_VALUES else ""
    )
    return ", ".join(parts) + more


def _seen(same: list[Problem]) -> str:
    first = same[0]
    about = [] if len(same) == 1 else [f"{len(same):,} times" if first.row is None else ""]
    if first.row is not None and len(same) <= 3:
        about += [f"row{'s' * (len(same) > 1)} " + ", ".join(str(p.row) for p in same)]
    elif first.row is not None:
        about += [f"{len(same):,} times; first row {first.row}"]
    who = list(dict.fromkeys(show_text(p.participant) for p in same if p.participant))
    about += [f"participant {who[0]}" if len(who) == 1 or len(same) > 3 else ""] if who else []
    about += [first.note]
    told = ", ".join(a for a in about if a)
    shown = "" if first.value is None else show_value(first.value)
    return f"{shown} ({told})" if shown and told else shown or told
