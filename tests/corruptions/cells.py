"""Corruptions of one cell, or of a whole column: every column by every kind that fits it."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tests.corruptions.base import (
    TABLES,
    Answer,
    Change,
    Corruption,
    edit_cell,
    edit_column,
    pick,
    records,
    stored,
)
from tests.corruptions.numbers import READS_BLANK, is_possible, read_number

IDS = {"USUBJID"}
FREE = {"DIAG", "AEDECOD", "AEBODSYS", "EXDOSU"}
NUMBERS = {
    *("AGE", "TRTSDY", "EOSDY", "DTHDY", "LTXDY", "AVISITN", "ADY", "AVAL"),
    *("AETOXGR", "ASTDY", "AEHRINF", "EXDOSE"),
}
BETWEEN = {"USUBJID", "TRTSDY", "EOSSTT", "EOSDY", "DTHDY", "SAFFL", "DCSREAS"}
"""Columns of adsl.csv that other tables depend on: an answer may name the other table."""

UNBOUND = {"AGE", "AETOXGR", "AEHRINF", "EXDOSE"}
"""Numbers of which a whole column may be another without anybody knowing."""

Write = Callable[[str], str]


@dataclass(frozen=True)
class Kind:
    """A way to spoil a cell.

    ``same``: whoever reads it at all must read what stood there before.
    ``missing``: whoever reads it at all must read a missing value.
    ``text``: free text may hold it, as it stands.
    ``number``: it may be a number that is possible, as it stands.
    """

    name: str
    write: Write
    same: bool = False
    missing: bool = False
    text: bool = False
    number: bool = False


def _put(text: str) -> Write:
    return lambda value: text


def _times(factor: float) -> Write:
    return lambda value: f"{float(value) * factor:.10g}"


def _inside(text: str) -> Write:
    """Put characters in the middle of a value."""
    return lambda value: value[: len(value) // 2] + text + value[len(value) // 2 :]


def _digits(zero: str) -> Write:
    """Write digits in another script."""
    return lambda value: "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in value)


BLANK = (
    Kind("blank", _put(""), missing=True),
    Kind("two blanks", _put("  "), missing=True),
    Kind("no-break space", _put("\u00a0"), missing=True),
    Kind("ideographic space", _put("\u3000"), missing=True),
    Kind("tab", _put("\t"), missing=True),
    *(
        Kind(f"missing written {text}", _put(text), missing=True)
        for text in ("NA", ".", "NaN", "nan", "NULL", "N/A", "n/a", "#N/A", "<NA>", "None", "-")
    ),
    *(Kind(f"missing written {text}", _put(text)) for text in ("#DIV/0!", "#REF!", ".A")),
    Kind("zero-width space", _put("\u200b")),
    Kind("NUL", _put("\0")),
)
AROUND = (
    Kind("blank behind", lambda v: v + " ", same=True),
    Kind("blank before", lambda v: " " + v, same=True),
    Kind("no-break space behind", lambda v: v + "\u00a0", same=True),
    Kind("tab behind", lambda v: v + "\t", same=True),
    Kind("newline behind", lambda v: v + "\n", same=True),
    Kind("carriage return behind", lambda v: v + "\r", same=True),
    Kind("byte-order mark before", lambda v: "\ufeff" + v, same=True),
    Kind("zero-width space behind", lambda v: v + "\u200b", same=True),
    Kind("quotes around", lambda v: f'"{v}"', same=True, text=True),
    Kind("apostrophe before", lambda v: "'" + v, same=True, text=True),
    Kind('Excel\'s ="..."', lambda v: f'="{v}"', same=True, text=True),
    Kind("vertical tab behind", lambda v: v + "\v", same=True),
)
BROKEN = (
    Kind("NUL inside", _inside("\0")),
    Kind("NUL behind", lambda v: v + "\0"),
    Kind("escape sequence", lambda v: "\x1b[31m" + v),
    Kind("backspace inside", _inside("x\b")),
    Kind("C1 control", lambda v: v + "\x85"),
    Kind("right-to-left override", lambda v: "\u202e" + v),
    Kind("bidi isolate", lambda v: "\u2066" + v + "\u2069"),
    Kind("soft hyphen inside", _inside("\u00ad")),
    Kind("zero-width joiner inside", _inside("\u200d")),
    Kind("word joiner inside", _inside("\u2060")),
    Kind("replacement character", _inside("\ufffd")),
    Kind("line separator", _inside("\u2028")),
    Kind("newline inside", _inside("\n")),
    Kind("tag characters", lambda v: v + "\U000e0041"),
    Kind("private use", lambda v: v + "\ue000"),
    Kind("20,000 characters", _put("x" * 20_000)),
)
PAYLOADS = tuple(
    Kind(f"text {text}", _put(text), text=True)
    for text in (
        *(
            "{x}",
            "{overview.any.count}",
            "{{ 7*7 }}",
            "{% raw %}",
            "=1+1",
            "+1",
            "@SUM(A1)",
            "-1+1",
        ),
        *("<script>alert(1)</script>", "$x^2$", r"\input{x}", "[a](b)", "![](x.png)", "a | b"),
        *(
            "&amp;",
            "`x`",
            "{download}`x`",
            "# x",
            "%s %d",
            "100 %",
            "~~~",
            ":::",
            "'; DROP TABLE x",
        ),
        *("a,b", 'a "b" c', "Sjögren ✓", "🫀", "C:\\x", "../../x", "$(id)", "TRUE", "1", "--all"),
    )
)
CASES = (
    Kind("lower case", str.lower, same=True),
    Kind("upper case", str.upper, same=True),
    Kind("title case", str.title, same=True),
    Kind("two blanks for one", lambda v: v.replace(" ", "  "), same=True),
    Kind("no-break space for a blank", lambda v: v.replace(" ", "\u00a0"), same=True),
    Kind("underline for a blank", lambda v: v.replace(" ", "_"), text=True),
    Kind("full-width letters", lambda v: "".join(_widen(c) for c in v)),
    Kind("cut by one", lambda v: v[:-1], text=True),
    Kind("one more", lambda v: v + "X", text=True),
    Kind("first letter", lambda v: v[:1], text=True),
    Kind("doubled", lambda v: v + "/" + v, text=True),
    Kind("Cyrillic letter", lambda v: v.translate(str.maketrans("AEOCaeoc", "АЕОСаеос"))),
    Kind("accent apart", lambda v: v[:1] + "\u0301" + v[1:]),
)
HALF_A_DAY = Kind("half a day on", lambda v: f"{float(v) + 0.5:g}", number=True)
VALUES = (
    *(Kind(f"number {text}", _put(text)) for text in ("1_5", "0x1F", "0b11", "0o17", "1e400")),
    *(Kind(f"number {text}", _put(text)) for text in ("inf", "-inf", "Infinity", "+inf", "1e-300")),
    *(Kind(f"number {text}", _put(text)) for text in ("-1e-300", "1E5000", "4.9e-324", "1.8e308")),
    *(
        Kind(f"number {text}", _put(text))
        for text in ("12:30", "½", "²", "1/2", "1e", "1.2.3", "ten")
    ),
    *(Kind(f"number {text}", _put(text)) for text in ("<7", ">7", "≤7", "~7", "(7)", "7-", "--7")),
    *(Kind(f"number {text}", _put(text)) for text in ("7%", "7 U/L", "7*", "7H", "1 058", "1'058")),
    *(
        Kind(f"number {text}", _put(text))
        for text in ("1,058.0", "1.058,0", "58,0", "−5", "1d3", "7f")
    ),
    *(Kind(f"date {text}", _put(text)) for text in ("2020-03-01", "01/03/2020", "01MAR2020")),
    *(Kind(f"date {text}", _put(text)) for text in ("2020-03", "2020-03-01T10:00:00", "P6M")),
    *(
        Kind(f"number {text}", _put(text), number=True)
        for text in (
            "0",
            "-0",
            "-5",
            "0.5",
            "-1",
            "99",
            "-99",
            "999",
            "9999",
            "43891",
            "1e5",
            "1e15",
        )
    ),
    Kind("number of 400 digits", _put("1" * 400)),
    Kind("400 decimals", lambda v: v + ("" if "." in v else ".") + "3" * 400, number=True),
    Kind("underlined", lambda v: v[0] + "_" + (v[1:] or "0")),
    Kind("full-width digits", _digits("０"), same=True),
    Kind("Arabic digits", _digits("٠"), same=True),
    Kind("mathematical digits", _digits("𝟎"), same=True),
    Kind("zeros before", lambda v: "000" + v, same=True),
    Kind("plus before", lambda v: "+" + v, same=True),
    Kind("as float", lambda v: v if "." in v else v + ".0", same=True),
    Kind("as power", lambda v: v + "e0", same=True),
    Kind("point behind", lambda v: v if "." in v else v + ".", same=True),
    Kind("minus before", lambda v: "-" + v, number=True),
    Kind("twice", lambda v: f"{v};{v}"),
    *(Kind(f"times {f:g}", _times(f), number=True) for f in (10, 100, 1000, 0.1, 0.01, 0.001)),
    HALF_A_DAY,
)


def _widen(character: str) -> str:
    wide = chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character
    return wide if unicodedata.normalize("NFKC", wide) == character else character


def corrupt_cells(dataset: str) -> Iterator[Corruption]:
    """Yield each column's cell spoilt in every way that fits."""
    for table in TABLES[dataset]:
        prepare = "doses" if table == "adex" else ""
        for column in stored(dataset, table)[0]:
            for kind in _fitting(column):
                made = _corrupt_cell(dataset, table, column, kind, prepare)
                if made:
                    yield made


def corrupt_columns(dataset: str) -> Iterator[Corruption]:
    """Yield whole columns spoilt: what a faulty export does."""
    whole = (*BLANK[:6], AROUND[0], AROUND[2], AROUND[6], AROUND[8], BROKEN[1], BROKEN[13])
    for table in TABLES[dataset]:
        prepare = "doses" if table == "adex" else ""
        for column in stored(dataset, table)[0]:
            extra = VALUES[-18:] if column in NUMBERS else CASES
            for kind in (*whole, *extra):
                made = _corrupt_column(dataset, table, column, kind, prepare)
                if made:
                    yield made


def _fitting(column: str) -> tuple[Kind, ...]:
    if column in NUMBERS:
        return (*BLANK, *AROUND, *BROKEN[:7], BROKEN[-1], *VALUES)
    return (*BLANK, *AROUND, *BROKEN, *CASES, *PAYLOADS[:: 1 if column in FREE else 8])


def _places(table: str, column: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files and columns that a true answer may name."""
    linked = table == "adsl" and column in BETWEEN
    files = ("adsl", "adlb", "adae", "adex") if linked else (table,)
    columns = (column, *({"AVISIT": ("AVISITN",), "AVISITN": ("AVISIT",)}.get(column, ())))
    return tuple(f"{name}.csv" for name in files), columns


def _corrupt_cell(
    dataset: str, table: str, column: str, kind: Kind, prepare: str
) -> Corruption | None:
    values = [record[column] for record in records(dataset, table, prepare)]
    filled = [row for row, value in enumerate(values) if value] or list(range(len(values)))
    # A visit after baseline, one of several, and a term used twice: so it can be compared.
    if table == "adlb":
        filled = _later_visits(dataset)
    if column in FREE:
        filled = [row for row in filled if values.count(values[row]) > 1]
    row = pick(filled, dataset, table, column, kind.name)
    before = values[row]
    after = _written(kind, before)
    if after is None:
        return None
    files, columns = _places(table, column)
    answer, means = _judge(dataset, table, row, column, kind, before, after)
    spoil = edit_cell(table, row, column, after)
    place = f"{table}.{column}"
    return Corruption(
        dataset,
        place,
        f"cell, {kind.name}",
        spoil,
        files,
        columns,
        (row + 2,),
        answer,
        means,
        prepare,
    )


@lru_cache
def _later_visits(dataset: str) -> list[int]:
    """Return the rows of months 12 and 24 of whoever has a value at three visits or more."""
    lines = stored(dataset, "adlb")[1:]
    visits = Counter(line[:2] for line in lines)
    return [n for n, line in enumerate(lines) if visits[line[:2]] >= 3 and line[3] in ("12", "24")]


def _written(kind: Kind, before: str) -> str | None:
    """Return the spoilt value; None where the kind leaves this one as it is."""
    if not before and kind.write("1") != kind.write("2"):
        return None
    try:
        after = kind.write(before)
    except ValueError:
        return None
    return after if after != before else None


def _judge(
    dataset: str, table: str, row: int, column: str, kind: Kind, before: str, after: str
) -> tuple[Answer, tuple[Change, ...] | None]:
    """Return what a loader may do with a cell, and what the cell then means."""
    number = read_number(after) if column in NUMBERS else None
    if kind.missing:
        literal = after == "" and column in READS_BLANK
        return (Answer.LITERAL if literal else Answer.NOTICED), _missing(table, row, column)
    if kind.text and column in FREE:
        return Answer.LITERAL, (Change(table, row, column, after),)
    if kind.number and number is not None and is_possible(dataset, table, row, column, number):
        return Answer.LITERAL, (Change(table, row, column, number),)
    return Answer.NOTICED, _unchanged(kind, column)


def _unchanged(kind: Kind, column: str) -> tuple[Change, ...] | None:
    """Return no change for a value that can only be read as before; a name or a term may differ."""
    return () if kind.same and column not in FREE | IDS | {"MSCSRC"} else None


def _is_possible_of_all(kind: Kind, column: str) -> bool:
    """Whether a whole column of numbers may be so without anybody knowing."""
    return kind.number and (column in UNBOUND or (kind is HALF_A_DAY and column == "AVAL"))


def _missing(table: str, row: int, column: str) -> tuple[Change, ...] | None:
    """Return a blank cell; a blank visit or unit may be told from its neighbours."""
    loose = column in {"AVISIT", "AVISITN", "AVALU", "AEDECOD", "AEBODSYS"}
    return None if loose else (Change(table, row, column, None),)


def _corrupt_column(
    dataset: str, table: str, column: str, kind: Kind, prepare: str
) -> Corruption | None:
    values = [record[column] for record in records(dataset, table, prepare)]
    after = [_written(kind, value) for value in values]
    if all(new is None for new in after) or _is_possible_of_all(kind, column):
        return None
    files, columns = _places(table, column)
    blank = kind.name == "blank" and column in READS_BLANK
    # Terms that all are written another way stay the same terms.
    consistent = column in FREE and (kind.text or kind in CASES[:3])

    def write(value: str) -> str:
        new = _written(kind, value)
        return value if new is None else new

    means = tuple(Change(table, row, column, None) for row in range(len(values)))
    return Corruption(
        dataset,
        f"{table}.{column}",
        f"column, {kind.name}",
        edit_column(table, column, write),
        files,
        columns,
        tuple(range(2, len(values) + 2)),
        Answer.LITERAL if blank or consistent else Answer.NOTICED,
        means if blank else _unchanged(kind, column),
        prepare,
    )
