"""What a corruption is, and the small tools that rules spoil a copy of a data set with."""

import csv
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from tests.conftest import ROOT

FOLDERS = {
    "msct_synthetic": ROOT / "data/msct_synthetic",
    "mayo_pbc": ROOT / "data/mayo_pbc",
    "small": ROOT / "tests/data/small",
}
TABLES = {"msct_synthetic": ("adsl", "adlb", "adae", "adex"), "mayo_pbc": ("adsl", "adlb")}

Rows = list[list[str]]
"""The lines of a CSV file, the heading first."""
Spoil = Callable[[Path], None]
"""Changes a folder in place."""


class Answer(Enum):
    """What a loader may do with a corruption; refusing in clear words is right except for LOADS."""

    NOTICED = "refuse it, or load it and state the reading; silence only if nothing changed"
    LITERAL = "also load it in silence, if the trial holds just what the file says"
    LOADS = "load it, unchanged"
    REFUSED = "refuse it"


@dataclass(frozen=True)
class Change:
    """One value of a trial that a correct reading changes; None is a missing value."""

    table: str
    row: int
    column: str
    value: str | float | None


@dataclass(frozen=True)
class Corruption:
    """A data set with one thing spoilt.

    Attributes
    ----------
    place, kind
        Where and how it is spoilt; together with the data set its name.
    spoil
        Does it to a copy of the data set.
    answer
        What a loader may do.
    files, columns
        An answer must name one of each; no columns where a whole file is meant.
    lines
        Lines of the file that are spoilt; a fault of the file's syntax is named by its line.
    means
        How a trial that loads must differ from the unspoilt one; None where a loader may choose.
    prepare
        Makes the unspoilt data set, where that is not the stored one.
    """

    dataset: str
    place: str
    kind: str
    spoil: Spoil
    files: tuple[str, ...]
    columns: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    answer: Answer = Answer.NOTICED
    means: tuple[Change, ...] | None = None
    prepare: str = ""

    @property
    def name(self) -> str:
        """Name that no other corruption has."""
        return f"{self.dataset}: {self.place}: {self.kind}"


def copy_data(dataset: str, target: Path) -> Path:
    """Copy the files of a data set that a loader reads."""
    target.mkdir(parents=True)
    for path in FOLDERS[dataset].iterdir():
        if path.suffix in (".csv", ".yml"):
            shutil.copy(path, target / path.name)
    return target


def read_rows(path: Path) -> Rows:
    """Read all cells as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def write_rows(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write cells, quoted where CSV asks for it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


@lru_cache
def stored(dataset: str, table: str, prepare: str = "") -> tuple[tuple[str, ...], ...]:
    """Return the unspoilt lines of a table, the heading first."""
    rows = read_rows(FOLDERS[dataset] / f"{table}.csv")
    if prepare and table == "adex":
        rows = fill_doses(rows)
    return tuple(map(tuple, rows))


def fill_doses(rows: Rows) -> Rows:
    """Give every infusion a dose, which the stored data lack."""
    return [rows[0], *([who, day, "50", "10^6 cells"] for who, day, *_ in rows[1:])]


PREPARED: dict[str, Spoil] = {
    "": lambda folder: None,
    "doses": lambda folder: edit_rows("adex", fill_doses)(folder),
}
"""Data sets that a rule may start from, by the name in `Corruption.prepare`."""


def edit_rows(table: str, change: Callable[[Rows], Iterable[Iterable[str]]]) -> Spoil:
    """Spoil the lines of a table."""

    def spoil(folder: Path) -> None:
        path = folder / f"{table}.csv"
        write_rows(path, change(read_rows(path)))

    return spoil


def edit_cell(table: str, row: int, column: str, value: str) -> Spoil:
    """Spoil one cell; row 0 is the first below the heading."""

    def change(rows: Rows) -> Rows:
        rows[row + 1][rows[0].index(column)] = value
        return rows

    return edit_rows(table, change)


def edit_column(table: str, column: str, change: Callable[[str], str]) -> Spoil:
    """Spoil every cell of a column."""
    return edit_where(table, column, change, lambda record: True)


def edit_where(
    table: str,
    column: str,
    change: Callable[[str], str],
    chosen: Callable[[dict[str, str]], bool],
) -> Spoil:
    """Spoil the cells of a column in the chosen records."""

    def edit(rows: Rows) -> Rows:
        at = rows[0].index(column)
        for row in rows[1:]:
            if chosen(dict(zip(rows[0], row, strict=True))):
                row[at] = change(row[at])
        return rows

    return edit_rows(table, edit)


def edit_text(name: str, change: Callable[[str], str]) -> Spoil:
    """Spoil a file's text."""
    return edit_bytes(name, lambda content: change(content.decode()).encode())


def edit_bytes(name: str, change: Callable[[bytes], bytes]) -> Spoil:
    """Spoil a file's bytes."""

    def spoil(folder: Path) -> None:
        path = folder / name
        path.write_bytes(change(path.read_bytes()))

    return spoil


def all_of(*steps: Spoil) -> Spoil:
    """Spoil in several steps."""

    def spoil(folder: Path) -> None:
        for step in steps:
            step(folder)

    return spoil


def pick(items: list[int], *key: str) -> int:
    """Choose one, always the same for a key."""
    return items[crc32("/".join(key).encode()) % len(items)]


@lru_cache
def records(dataset: str, table: str, prepare: str = "") -> tuple[dict[str, str], ...]:
    """Return the unspoilt records of a table."""
    head, *rows = stored(dataset, table, prepare)
    return tuple(dict(zip(head, row, strict=True)) for row in rows)
