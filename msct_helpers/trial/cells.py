"""From the cells of a file to typed columns: headings, blanks, numbers and terms.

Each different text of a column is looked at once, so a million rows take seconds. What is read in
a way that the file does not literally say is stated; what cannot be read is refused with the
remedy where it can be guessed.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from msct_helpers.trial.findings import Log, Problem, list_values, show_value
from msct_helpers.trial.read import Sheet
from msct_helpers.trial.schema import CELL_SOURCES, NOT_CODED, SYNONYMS, TERMS
from msct_helpers.trial.text import has_hidden, looks_odd, slug

LONGEST_CELL = 200
"""Characters of a cell that is read."""

MISSING = {"", "na", "n/a", "n.a.", "nan", "<na>", "#n/a", ".", "-", "--", "null", "none", "nil"}
MISSING |= {"#null!", "#ref!", "#div/0!", "#value!", "#name?", "#num!", "missing", "nat"}
MISSING |= {"._", *(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")}
"""Texts, case folded, that stand for a missing value."""

ZERO_WIDTH = "\u200b\u2060\ufeff"

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
BELOW = re.compile(r"<=?\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
SMALLEST, LARGEST = 1e-6, 1e12
"""Sizes of numbers, besides 0, that are believed of anything."""

DATES_HINT = "Give study days, or ISO dates in a column of dates (ADT, ASTDT)"
REMEDIES: dict[str, str] = {
    r"[+-]?\d{1,3}([,' \u00a0]\d{3})+\.\d*": "Write numbers without thousands separators",
    r"[+-]?\d+,\d+([eE][+-]?\d+)?": "Write numbers with a decimal point, not a comma",
    r"[+-]?\d{1,3}([.' \u00a0]\d{3})+(,\d+)?": "Write numbers without thousands separators",
    r"\d{4}-\d{1,2}(-\d{1,2})?([T ].*)?": DATES_HINT,
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}": DATES_HINT,
    r"\d{1,2}[- ]?[A-Za-z]{3}[- ]?\d{2,4}.*": DATES_HINT,
    r"[<>≤≥]=?\s*\S+": "Give a number; in AVAL a value below a limit, <7, is read",
    r"[+-]?\d*\.?\d+\s*[A-Za-z%µμ/].*": "Give the number alone; a unit has its own column",
    r"(?i)[+-]?inf(inity)?|true|false|0x[0-9a-f]+|\d+_\d+": "Write plain decimal numbers",
}
"""What can be guessed of a cell that is no number, by its shape; the first that fits."""

FREE = ("DIAG", "MSCSRC", "AEDECOD", "AEBODSYS", "EXDOSU")
"""Columns of free terms, of which each has one spelling."""

ARMS = ("TRT01P", "TRT01A", "ARM", "ACTARM")
ALSO_READ: dict[str, dict[str, str]] = {
    "adsl": dict.fromkeys((*ARMS, "RFSTDTC", "TRTSDT"), "text"),
    "adlb": {"ABLFL": "text", "ADT": "text"},
    "adae": dict.fromkeys(("AESEV", "ASTDT", "AESEQ", "ASEQ", "AESPID", "AETERM"), "text"),
    "adex": dict.fromkeys(("ASTDT", "EXSEQ", "ASEQ"), "text"),
}
"""Columns beyond the contract that are read where they are given."""

MAY_LACK: dict[str, tuple[str, ...]] = {
    "adsl": (),
    "adlb": ("AVISIT", "AVISITN", "ADY"),
    "adae": ("AETOXGR", "AEHRINF", "ASTDY"),
    "adex": ("ASTDY",),
}
"""Columns that another column, or nothing, may stand in for."""


@dataclass
class Table:
    """A table on its way: cells as in the file, and columns as read, by position of the row."""

    name: str
    lines: np.ndarray
    raw: dict[str, np.ndarray]
    data: pd.DataFrame
    log: Log
    schema: pa.DataFrameSchema
    whole: bool = True
    bad: dict[str, np.ndarray] = field(default_factory=dict)
    """Cells by column of which a problem is noted: each has one."""

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}.csv"

    def refuse(
        self,
        column: str,
        where: Any,
        expected: str,
        remedy: str | Callable[[str], str] = "",
        note: Callable[[int], str] | None = None,
    ) -> None:
        """Note a problem for each row of a mask over `data`, but one a cell."""
        found = self.data.index.to_numpy()[np.asarray(where, dtype=bool)]
        bad = self.bad.setdefault(column, np.zeros(len(self.lines), dtype=bool))
        found = found[~bad[found]]
        bad[found] = True
        ids, cells = self.raw.get("USUBJID"), self.raw.get(column)
        guesses: dict[str, str] = {}
        for i in found:
            value = cells[i] if cells is not None else ""
            if callable(remedy) and value not in guesses:
                guesses[value] = remedy(value)
            self.log.problems.append(
                Problem(
                    self.file,
                    column,
                    int(self.lines[i]),
                    trim(ids[i]) if ids is not None else "",
                    value,
                    expected,
                    guesses[value] if callable(remedy) else remedy,
                    note(i) if note else "",
                )
            )

    def state(self, column: str, text: str, count: int = 1, matters: bool = False) -> None:
        """Note a reading."""
        self.log.state(self.file, column, text, int(count), matters)

    def state_rows(
        self, column: str, where: Any, said: str, *, name: bool = False, matters: bool = True
    ) -> None:
        """Note a reading of the rows of a mask over `data`, if any, and name their people."""
        rows = self.data.index[np.asarray(where, dtype=bool)]
        if len(rows):
            people = self.data.loc[rows, "USUBJID"].dropna().unique() if name else []
            named = f": {list_values(people)}" if name else ""
            self.state(column, said + named, len(rows), matters)

    def is_bad(self, column: str) -> np.ndarray:
        """Return which rows of `data` have a problem in a column."""
        none = np.zeros(len(self.lines), dtype=bool)
        return self.bad.get(column, none)[self.data.index.to_numpy()]


def trim(text: str) -> str:
    """Return a text without blanks and zero-width characters at its ends."""
    return text.strip().strip(ZERO_WIDTH).strip() if text else text


def fold(text: str) -> str:
    """Return the key under which texts that differ only in case and blanks are the same."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def make_table(name: str, sheet: Sheet, schema: pa.DataFrameSchema, log: Log) -> Table | None:
    """Return the typed columns of a table, or None where its heading cannot be read."""
    places = _place_columns(name, sheet, schema, log)
    if places is None:
        return None
    raw = {column: sheet.columns[i] for column, i in places.items()}
    data = pd.DataFrame(index=pd.RangeIndex(len(sheet.lines)))
    table = Table(name, sheet.lines, raw, data, log, schema, sheet.whole)
    columns = schema.columns
    for column in [*columns, *(c for c in ALSO_READ[name] if c in raw)]:
        if column not in raw:
            data[column] = np.nan
            continue
        number = column in columns and str(columns[column].dtype) == "float64"
        data[column] = read_numbers(table, column) if number else read_texts(table, column)
    return table


def _place_columns(
    name: str, sheet: Sheet, schema: pa.DataFrameSchema, log: Log
) -> dict[str, int] | None:
    """Return where each column that is read stands; refuse a heading that is unclear."""
    folded = [trim(unicodedata.normalize("NFKC", h)).upper() for h in sheet.heading]
    wanted = {*schema.columns, *ALSO_READ[name]}
    if not wanted & set(folded):
        expected = f"a heading with {', '.join(schema.columns)}"
        seen = f"the first row holds {list_values(sheet.heading)}"
        log.refuse(sheet.file, expected, row=1, note=seen)
        return None
    before = len(log.problems)
    for column in dict.fromkeys(f for f in folded if f and folded.count(f) > 1):
        log.refuse(sheet.file, "each column once", column=column, row=1, value=column)
    for column, about in schema.columns.items():
        if column not in folded and column not in MAY_LACK[name]:
            expected = f"a column: {about.description}"
            log.refuse(sheet.file, expected, column=column, note="missing")
    if len(log.problems) > before:
        return None
    places = {f: i for i, f in enumerate(folded) if f in wanted}
    _state_heading(sheet, folded, places, log)
    return places


def _state_heading(sheet: Sheet, folded: list[str], places: dict[str, int], log: Log) -> None:
    other = [f"{sheet.heading[i]}" for f, i in places.items() if sheet.heading[i] != f]
    if other:
        log.state(sheet.file, "", f"headings read as capitals: {list_values(other)}", len(other))
    unread = [h for h, f in zip(sheet.heading, folded, strict=True) if f not in places]
    unread = [h or "(no name)" for h in unread]
    if unread:
        log.state(sheet.file, "", f"columns not read: {list_values(unread, 20)}", len(unread))


@dataclass
class Cells:
    """The different cells of a column: where and how often each stands, trimmed, and if missing."""

    codes: np.ndarray
    unique: Any
    counts: np.ndarray
    trimmed: list[str]
    missing: np.ndarray

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return by row what is given by different cell."""
        return values[self.codes] if len(values) else values


def look_at(table: Table, column: str) -> Cells:
    """Return the different cells of a column."""
    codes, unique = pd.factorize(table.raw[column])
    trimmed = [trim(u) for u in unique]
    missing = np.array([t.casefold() in MISSING for t in trimmed], dtype=bool)
    return Cells(codes, unique, np.bincount(codes, minlength=len(unique)), trimmed, missing)


def _look_and_state(table: Table, column: str) -> tuple[Cells, list[tuple[str, str, int]]]:
    """Return cells, and those not missing as (in the file, trimmed, how many); state oddities."""
    cells = look_at(table, column)
    told = cells.missing & (cells.unique != "")
    if told.any() and not _keeps_missing(table, column):
        shown = list_values(cells.unique[told])
        table.state(column, f"{shown} read as missing", cells.counts[told].sum())
    every = zip(cells.unique, cells.trimmed, cells.counts.tolist(), strict=True)
    given = [cell for cell, missing in zip(every, cells.missing, strict=True) if not missing]
    _state_texts(table, column, given)
    return cells, given


def read_texts(table: Table, column: str) -> pd.Series:
    """Return a column of text: ends trimmed, one spelling a term, missing values missing."""
    cells, given = _look_and_state(table, column)
    spelled = _spell(table, column, given)
    texts = np.array([spelled.get(t, t) for t in cells.trimmed], dtype=object)
    texts[cells.missing] = np.nan
    long = np.array([len(u) > LONGEST_CELL for u in cells.unique], dtype=bool)
    if long.any():
        where = cells.spread(long)
        table.refuse(column, where, f"a text of at most {LONGEST_CELL} characters")
    return pd.Series(cells.spread(texts), dtype=object)


def _keeps_missing(table: Table, column: str) -> bool:
    """Return True where a blank is refused, so that nothing need be said of how it is read."""
    known = table.schema.columns.get(column)
    if known is None or column in ("AEDECOD", "AEBODSYS", "AVALU", "AVISIT", "AVISITN", "EOSDY"):
        return False
    return not known.nullable


def _state_texts(table: Table, column: str, texts: list[tuple[str, str, int]]) -> None:
    """State cells, as (in the file, trimmed, how many), that are not quite what they look like."""
    words = column in FREE and column != "EXDOSU"
    told = {
        "blanks at the ends are left out": [(raw, n) for raw, text, n in texts if raw != text],
        "no words, kept as text": [(t, n) for _, t, n in texts if words and _is_no_word(t)],
        "characters that cannot be seen are kept": [(t, n) for _, t, n in texts if has_hidden(t)],
        "characters that look like others, or were lost, are kept": [
            (t, n) for _, t, n in texts if column in FREE and looks_odd(t)
        ],
        "no source that is listed, kept as written": [
            (t, n) for _, t, n in texts if column == "MSCSRC" and not _is_source(t)
        ],
    }
    for said, cells in told.items():
        if cells:
            shown = list_values([cell for cell, _ in cells])
            table.state(column, f"{said}: {shown}", sum(n for _, n in cells))


def _is_source(text: str) -> bool:
    return fold(text) in {fold(source) for source in CELL_SOURCES}


def _is_no_word(text: str) -> bool:
    """Return True for a text that looks like a number, a date or a truth value."""
    odd = fold(text) in ("true", "false", "inf", "infinity") or NUMBER.fullmatch(fold(text))
    return bool(odd) or not any(c.isalpha() for c in text)


def _spell(table: Table, column: str, texts: list[tuple[str, str, int]]) -> dict[str, str]:
    """Return the spelling that stands for each text of a column of terms, and state them."""
    if column not in TERMS and column not in FREE:
        return {}
    totals = Counter[str]()
    for _, text, n in texts:
        totals[text] += n
    known = {fold(t): t for t in TERMS.get(column, ())}
    for text, _ in totals.most_common() if column in FREE else []:
        known.setdefault(fold(text), text)
    synonyms = SYNONYMS.get(column, {})
    spelled = {t: known.get(fold(t), synonyms.get(fold(t), t)) for t in totals}
    for text, term in spelled.items():
        if text != term:
            said = f"{show_value(text)} read as {show_value(term)}"
            table.state(column, said, totals[text], matters=fold(text) != fold(term))
    return spelled


def refuse_near_terms(table: Table) -> None:
    """Refuse terms of a column that differ only in punctuation: the book would mix them up."""
    for column in [c for c in FREE if c in table.data]:
        series = table.data[column]
        texts = dict.fromkeys([*series.dropna(), *TERMS.get(column, ())])
        groups: dict[str, list[str]] = {}
        for text in texts:
            groups.setdefault(slug(text), []).append(text)
        for same in groups.values():
            if len(same) > 1:
                expected = f"one spelling, not {list_values(same)}"
                table.refuse(column, series.isin(same), expected)


def read_numbers(table: Table, column: str) -> pd.Series:
    """Return a column of numbers; refuse what is none, and state what is read by a rule."""
    cells, _ = _look_and_state(table, column)
    values = np.array([parse_number(t) for t in cells.trimmed], dtype=float)
    if column == "AVAL":
        _read_below(table, cells, values)
    unread = np.isnan(values) & ~cells.missing
    # Visits may be named, and of parameters that are not analysed values may be words.
    if unread.any() and column not in ("AVISITN", "AVAL"):
        refuse_numbers(table, column, cells.spread(unread))
    return pd.Series(cells.spread(values), dtype=float)


def refuse_numbers(table: Table, column: str, where: np.ndarray) -> None:
    """Refuse cells that are no number."""
    about = table.schema.columns[column].description
    table.refuse(column, where, f"a number ({about})", guess_number)


def parse_number(text: str) -> float:
    """Return a plain decimal number, or NaN where the text is none or is out of all bounds."""
    if len(text) > 40 or not NUMBER.fullmatch(text):
        return float("nan")
    number = float(text)
    believed = number == 0 or SMALLEST <= abs(number) <= LARGEST
    return number if believed else float("nan")


def guess_number(text: str) -> str:
    """Return what to do about a cell that is no number, or an empty text."""
    bare = trim(text)
    if NUMBER.fullmatch(bare):
        return f"Numbers from {SMALLEST:g} to {LARGEST:g} are believed"
    if any(not c.isascii() and c.isnumeric() for c in bare):
        return "Write the digits 0 to 9"
    return next((r for shape, r in REMEDIES.items() if re.fullmatch(shape, bare)), "")


def _read_below(table: Table, cells: Cells, values: np.ndarray) -> None:
    """Read a value below a limit of detection as half the limit."""
    for i, text in enumerate(cells.trimmed):
        found = BELOW.fullmatch(text)
        if found and parse_number(found[1]) > 0:
            values[i] = parse_number(found[1]) / 2
            said = f"{show_value(text)} read as half the limit, {values[i]:g}"
            table.state("AVAL", said, cells.counts[i], matters=True)


def fill_blank_terms(table: Table) -> None:
    """Say of adverse events without a term or class that they are not coded."""
    for column in ("AEDECOD", "AEBODSYS"):
        blank = table.data[column].isna()
        table.data[column] = table.data[column].astype(object).mask(blank, NOT_CODED)
        table.state_rows(column, blank, f"blank read as '{NOT_CODED}'")
