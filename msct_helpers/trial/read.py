"""Read files as they stand: bytes within bounds, characters, and cells with their line numbers.

Nothing here knows what a column means. A file that cannot be taken literally is refused with the
reason: what an editor or a spreadsheet would guess is never guessed in silence.
"""

import csv
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msct_helpers.trial.findings import Log, list_values, show_value

TABLE_BYTES = 200_000_000
STUDY_BYTES = 256_000
MOST_COLUMNS = 200
MOST_ROWS = 2_000_000
LONGEST_LINE = 200_000

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SAVE_CSV = "Save it as CSV with commas and decimal points, in UTF-8"

MAGIC = {
    b"PK\x03\x04": "an Excel workbook or other archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"HEADER RECORD": "a SAS transport file",
    b"{\\rtf": "a rich-text file",
}
"""First bytes of files that are no text, and what they are."""

MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

WESTERN = re.compile(r"[\xc0-\xff\xb5\xb0\xb1\xb2\xb3\xa0‘’“”–—…€™®©¼½¾•]")
"""What texts in Windows-1252 hold besides ASCII; other characters mean another encoding."""

MISREAD = re.compile(
    "[ÃÂ][\u0080-\u00bf‘’“”–—…€™ŠšŽžŒœŸ]|â€|[^\\W\\d_a-zA-Z]{3}|”[a-zA-Z]|[a-zA-Z]“"
)
"""How UTF-8, or an alphabet that is not Latin, looks when it is read as Windows-1252."""


@dataclass
class Sheet:
    """The cells of a CSV file: names of the heading, columns of text, line of each row."""

    file: str
    heading: list[str] = field(default_factory=list)
    columns: list[np.ndarray] = field(default_factory=list)
    lines: np.ndarray = field(default_factory=lambda: np.array([], dtype=int))
    whole: bool = True
    """False where rows had to be left out."""


def read_bytes(path: Path, limit: int, log: Log) -> bytes | None:
    """Return the content of an ordinary file, or None with the reason in the log.

    Opening never waits, so a pipe or a device cannot hold the check up.
    """
    name = path.name
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        log.refuse(name, "a file that can be read", note=why.lower())
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        log.refuse(name, "an ordinary file, not a folder, pipe or device")
        return None
    with open(handle, "rb") as file:
        try:
            large = os.fstat(handle).st_size > limit
            content = b"" if large else file.read(limit + 1)
        except OSError as error:
            log.refuse(name, "a file that can be read", note=str(error.strerror).lower())
            return None
    if large or len(content) > limit:
        log.refuse(name, f"a file of at most {limit:,} bytes")
        return None
    return content


def decode(content: bytes, name: str, log: Log) -> str | None:
    """Return the characters of a file, or None with the reason in the log.

    UTF-8, with or without a mark; Windows-1252 where all that is not ASCII looks like it, which is
    stated with the words concerned.
    """
    if not content.strip():
        log.refuse(name, "a file with content", note="the file is empty")
        return None
    known = _name_format(content)
    if known:
        log.refuse(name, "text in UTF-8", note=f"the file is {known}", remedy=SAVE_CSV)
        return None
    if b"\0" in content:
        row = content[: content.index(b"\0")].count(b"\n") + 1
        log.refuse(name, "text without NUL characters", row=row, remedy=SAVE_CSV)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _decode_western(content, name, error.start, log)


def parse_csv(text: str, name: str, log: Log) -> Sheet | None:
    """Return the cells of a CSV file with commas and true line numbers.

    None where there is no heading to go by. Rows of another length than the heading, and quotes
    that swallow rows, are refused and left out.
    """
    sheet = Sheet(name)
    rows: list[list[str]] = []
    lines: list[int] = []
    records = _list_records(text, sheet, log)
    line, _, heading = next(records, (0, 0, []))
    if not heading or not _take_heading(heading, line, sheet, log):
        if not heading and sheet.whole:
            log.refuse(name, "a heading and rows", note="the file is empty")
        return None
    for line, last, fields in records:
        if _fits(fields, line, last, sheet, log):
            rows.append(fields)
            lines.append(line)
        if len(rows) > MOST_ROWS:
            log.refuse(name, f"a table of at most {MOST_ROWS:,} rows")
            return None
    sheet.lines = np.array(lines, dtype=int)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(sheet.heading)
    sheet.columns = [_as_array(column) for column in columns]
    return sheet


def _list_records(text: str, sheet: Sheet, log: Log) -> Iterator[tuple[int, int, list[str]]]:
    """Yield first line, last line and cells of each record; say where they cannot be told apart."""
    # A field may be as long as a line: what is too long is said later, cell by cell.
    csv.field_size_limit(TABLE_BYTES)
    reader = csv.reader(_bound_lines(io.StringIO(text, newline="")), strict=True)
    before = blank = 0
    try:
        for fields in reader:
            line, before = before + 1, reader.line_num
            if any(fields):
                yield line, before, fields
            else:
                blank += bool(fields)
    except csv.Error as error:
        sheet.whole = False
        long = isinstance(error, _LongLineError)
        expected = "quotes that open and close around a whole cell"
        remedy = "A quotation mark inside quotes is written twice"
        if long:
            expected, remedy = f"lines of at most {LONGEST_LINE:,} characters", ""
        note = "" if long else str(error)
        log.refuse(sheet.file, expected, row=before + 1, note=note, remedy=remedy)
    if blank:
        log.state(sheet.file, "", "rows in which every cell is blank are left out", blank)


class _LongLineError(csv.Error):
    """A line is longer than any row may be."""


def _bound_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise _LongLineError
        yield line


def _as_array(cells: tuple[str, ...]) -> np.ndarray:
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def _name_format(content: bytes) -> str:
    for start, what in {**MARKS, **MAGIC}.items():
        if content.startswith(start):
            return what
    # UTF-16 without a mark: every other byte of ASCII text is NUL.
    sample = content[:2000]
    return "UTF-16" if sample.count(b"\0") > len(sample) // 3 else ""


def _decode_western(content: bytes, name: str, start: int, log: Log) -> str | None:
    row = content[:start].count(b"\n") + 1
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    other = WESTERN.sub("", text)
    if not text or not other.isascii() or MISREAD.search(text):
        seen = f"byte 0x{content[start]:02X} at position {start + 1:,}"
        log.refuse(name, "text in UTF-8", row=row, note=seen, remedy="Save it as UTF-8")
        return None
    words = [w for w in re.findall(r"[^\s,;:\"']+", text) if not w.isascii()]
    shown = list_values(dict.fromkeys(words))
    log.state(name, "", f"no UTF-8; read as Windows-1252: {shown}", len(words))
    return text


def _take_heading(fields: list[str], line: int, sheet: Sheet, log: Log) -> bool:
    """Keep the heading, or refuse one that shows another kind of file."""
    whole = fields[0]
    for mark, word in SEPARATORS.items():
        if len(fields) <= 2 and (whole.count(mark) > 1 or whole.casefold() == f"sep={mark}"):
            note = f"the heading is separated by {word}"
            log.refuse(
                sheet.file, "cells separated by commas", row=line, note=note, remedy=SAVE_CSV
            )
            return False
    if len(fields) > MOST_COLUMNS:
        note = f"{len(fields):,} columns"
        log.refuse(sheet.file, f"a table of at most {MOST_COLUMNS} columns", row=line, note=note)
        return False
    sheet.heading = fields
    return True


def _fits(fields: list[str], line: int, last: int, sheet: Sheet, log: Log) -> bool:
    """Return True for a row that can be taken literally; say why not otherwise."""
    width = len(sheet.heading)
    swallowed = last > line and any(
        ("\n" in f or "\r" in f) and f.count(",") >= width - 1 for f in fields
    )
    if swallowed:
        expected = "one row a line; here a quotation mark swallows the rows that follow it"
        note = f"from row {line} to {last}: {show_value(max(fields, key=len))}"
        remedy = "Delete the stray quotation marks"
        log.refuse(sheet.file, expected, row=line, note=note, remedy=remedy)
    elif len(fields) != width:
        remedy = "Is there a comma inside a value, such as a decimal comma? Put it in quotes"
        note = f"{len(fields)} cells"
        expected = f"as many cells as the heading has ({width})"
        log.refuse(sheet.file, expected, row=line, note=note, remedy=remedy)
    else:
        return True
    sheet.whole = False
    return False
