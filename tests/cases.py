"""Data sets that people really have, and some that attack, as edits on a small data set.

Each was reported by people who prepare trial data, or tried against the book; the small data set in
``tests/data/small`` holds ten made-up participants, T01 to T10.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.corruptions.base import (
    Rows,
    Spoil,
    all_of,
    edit_bytes,
    edit_column,
    edit_rows,
    edit_text,
    edit_where,
)

TABLES = ("adsl", "adlb", "adae", "adex")


@dataclass(frozen=True)
class Case:
    """A change and what the loader must make of it.

    ``verdict`` is "refused", "stated" or "loads"; ``where`` and ``words`` stand in the answer.
    ``same``: the trial must be the one of the unchanged data set.
    """

    name: str
    spoil: Spoil
    verdict: str
    where: tuple[str, str] = ("", "")
    words: str = ""
    same: bool = False


def put(table: str, values: dict[str, str], **where: str) -> Spoil:
    """Write values into the records that hold all of `where`."""

    def chosen(record: dict[str, str]) -> bool:
        return all(record[column] == value for column, value in where.items())

    return all_of(*(edit_where(table, c, lambda _, v=v: v, chosen) for c, v in values.items()))


def _first_event(**values: str) -> Spoil:
    return put("adae", values, USUBJID="T01", AEDECOD="Ascites")


def _value(text: str) -> Spoil:
    return put("adlb", {"AVAL": text}, USUBJID="T02", PARAMCD="ALT", AVISITN="6")


def _again(changes: dict[str, str], by: float = 1.0, **where: str) -> Spoil:
    """Repeat records below with some cells changed and the value multiplied."""

    def edit(rows: Rows) -> Rows:
        records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        chosen = [r for r in records if all(r[c] == v for c, v in where.items())]
        more = [r | {"AVAL": f"{float(r['AVAL']) * by:g}"} | changes for r in chosen]
        return [*rows, *(list(r.values()) for r in more)]

    return edit_rows("adlb", edit)


def _flagged() -> Spoil:
    """Give T01 two baselines, one of them flagged."""

    def flag(rows: Rows) -> Rows:
        flags = ["Y" if row[3] == "0" and row[4] != "-7" else "" for row in rows[1:]]
        return [[*rows[0], "ABLFL"], *([*r, f] for r, f in zip(rows[1:], flags, strict=True))]

    return all_of(_again({"ADY": "-7"}, 1.1, USUBJID="T01", AVISITN="0"), edit_rows("adlb", flag))


def _units(parameter: str, unit: str, factor: float = 1.0, digits: int = 12) -> Spoil:
    def chosen(record: dict[str, str]) -> bool:
        return record["PARAMCD"] == parameter

    scale = edit_where("adlb", "AVAL", lambda v: f"{float(v) * factor:.{digits}g}", chosen)
    return all_of(scale, edit_where("adlb", "AVALU", lambda v: unit, chosen))


def _every_table(change: object) -> Spoil:
    return all_of(*(edit_text(f"{t}.csv", change) for t in TABLES))  # type: ignore[arg-type]


def _dates(rows: Rows) -> Rows:
    """Write dates in place of days; day 1 is 1 March 2021."""
    from datetime import date, timedelta

    at = rows[0].index("ADY")
    rows[0][at] = "ADT"
    for row in rows[1:]:
        day = int(row[at])
        row[at] = str(date(2021, 3, 1) + timedelta(day - (day > 0)))
    return rows


def _row_names(rows: Rows) -> Rows:
    """Write what R's write.csv writes: row names, and NA for missing."""
    named = [[str(n), *(cell or "NA" for cell in row)] for n, row in enumerate(rows)]
    return [["", *rows[0]], *named[1:]]


def _arms(rows: Rows) -> Rows:
    more = ["TRT01P", "TRT01A", "ARM"]
    return [
        [*rows[0], *more],
        *([*r, *[("Drug", "Placebo")[n % 2]] * 3] for n, r in enumerate(rows[1:])),
    ]


def _rename_participant(name: str, encoding: str) -> Spoil:
    def change(content: bytes) -> bytes:
        return content.decode().replace("T01,", f"{name},").encode(encoding)

    return all_of(*(edit_bytes(f"{t}.csv", change) for t in TABLES))


def _study(text: str) -> Spoil:
    return lambda folder: (folder / "study.yml").write_text(text, encoding="utf-8") and None


def _line(old: str, new: str) -> Spoil:
    """Replace a text of study.yml."""
    return edit_text("study.yml", lambda text: text.replace(old, new))


def _more(lines: str) -> Spoil:
    return edit_text("study.yml", lambda text: text + lines)


def _swallow(content: str) -> str:
    """Open a quote in one line and close it three lines on."""
    lines = content.split("\n")
    lines[3] = lines[3].replace("T02,", 'T02,"')
    lines[6] = lines[6].replace("Hepatic failure", 'Hepatic failure"')
    return "\n".join(lines)


def _everywhere(text: str) -> Spoil:
    """Write a text into every free text of the tables and of study.yml."""

    def study(content: str) -> str:
        keys = ("title", "short_title", "label", "source", "licence", "population", "treatment")
        quoted = "'" + text.replace("'", "''") + "'"
        lines = [
            f"{line.split(':')[0]}: {quoted}" if line.split(":")[0] in keys else line
            for line in content.splitlines()
        ]
        return "\n".join(lines).replace("- None.", f"- {quoted}") + "\n"

    doses = all_of(
        edit_column("adex", "EXDOSE", lambda v: "50"), edit_column("adex", "EXDOSU", lambda v: text)
    )
    columns = (("adsl", "DIAG"), ("adae", "AEDECOD"), ("adae", "AEBODSYS"))
    cells = (edit_column(table, column, lambda v: text) for table, column in columns)
    return all_of(*cells, doses, edit_text("study.yml", study))


CASES = (
    Case(
        "two baselines",
        _again({"ADY": "-7"}, 1.1, USUBJID="T01", AVISITN="0"),
        *("refused", ("adlb.csv", "AVISITN"), "one value for a participant"),
    ),
    Case("two baselines, one flagged", _flagged(), "stated", ("adlb.csv", "ABLFL"), "", True),
    Case("event without a start", _first_event(ASTDY=""), "stated", ("adae.csv", "ASTDY")),
    Case("value below a limit", _value("<7"), "stated", ("adlb.csv", "AVAL"), "half"),
    Case("bilirubin in mg/dL", _units("BILI", "mg/dL", 1 / 17.1), "loads", same=True),
    Case("INR without unit", _units("INR", ""), "stated", ("adlb.csv", "AVALU"), "INR", True),
    Case("ALT in ukat/L", _units("ALT", "ukat/L", 1 / 60), "loads", same=True),
    Case("ALT in IU/L", _units("ALT", "IU/L"), "stated", ("adlb.csv", "AVALU"), "U/L", True),
    Case("day 0", put("adlb", {"ADY": "0"}, AVISITN="0"), "refused", ("adlb.csv", "ADY"), "not 0"),
    Case("dates for days", edit_rows("adlb", _dates), "stated", ("adlb.csv", "ADY"), "ADT", True),
    Case(
        "blank behind a name",
        put("adlb", {"USUBJID": "T04 "}, USUBJID="T04"),
        *("stated", ("adlb.csv", "USUBJID"), "blanks", True),
    ),
    Case(
        "blank behind a term",
        edit_column("adsl", "SEX", lambda v: v + " "),
        *("stated", ("adsl.csv", "SEX"), "blanks", True),
    ),
    Case(
        "death after loss",
        put("adsl", {"DTHDY": "658"}, USUBJID="T03"),
        "refused",
        ("adsl.csv", "DTHDY"),
    ),
    Case(
        "Windows-1252",
        _rename_participant("Müller-01", "cp1252"),
        *("stated", ("adsl.csv", ""), "Windows-1252"),
    ),
    Case("UTF-8 beyond ASCII", _rename_participant("Müller-01 ✓", "utf-8"), "loads"),
    Case("byte-order mark", _every_table(lambda text: "\ufeff" + text), "loads", same=True),
    Case(
        "decimal comma",
        edit_column("adlb", "AVAL", lambda v: v.replace(".", ",")),
        *("refused", ("adlb.csv", "AVAL"), "comma"),
    ),
    Case("thousands", _value("1,058.0"), "refused", ("adlb.csv", "AVAL"), "thousands"),
    Case(
        "no baseline",
        edit_rows("adlb", lambda rows: [r for r in rows if r[0] != "T05" or r[3] != "0"]),
        "loads",
    ),
    Case(
        "unscheduled visit",
        _again(
            {"AVISIT": "Unscheduled 6.1", "AVISITN": "6.1", "ADY": "200"},
            USUBJID="T01",
            AVISITN="6",
        ),
        *("stated", ("adlb.csv", "AVISIT"), "outside the plan"),
    ),
    Case(
        "visit at month 3",
        _again({"AVISIT": "Month 3", "AVISITN": "3", "ADY": "92"}, AVISITN="6"),
        *("stated", ("adlb.csv", "AVISIT"), "Month 3"),
    ),
    Case(
        "event not coded",
        _first_event(AEDECOD="", AEBODSYS=""),
        *("stated", ("adae.csv", "AEDECOD"), "Not coded"),
    ),
    Case(
        "NA and row names",
        all_of(*(edit_rows(t, _row_names) for t in TABLES)),
        *("stated", ("adsl.csv", "DCSREAS"), "missing", True),
    ),
    Case(
        "visit names for numbers",
        edit_rows("adlb", lambda rows: [rows[0], *([*r[:3], r[2], *r[4:]] for r in rows[1:])]),
        *("stated", ("adlb.csv", "AVISITN"), "AVISIT", True),
    ),
    Case(
        "visit names in capitals",
        edit_column("adlb", "AVISIT", str.upper),
        *("stated", ("adlb.csv", "AVISIT"), "Baseline", True),
    ),
    Case(
        "headings in lower case",
        all_of(
            *(edit_rows(t, lambda rows: [[*map(str.lower, rows[0])], *rows[1:]]) for t in TABLES)
        ),
        *("stated", ("adsl.csv", ""), "headings", True),
    ),
    Case(
        "event without a grade",
        _first_event(AETOXGR=""),
        "stated",
        ("adae.csv", "AETOXGR"),
        "not graded",
    ),
    Case(
        "severity for grade",
        edit_rows(
            "adae",
            lambda rows: [
                [*rows[0][:3], "AESEV", *rows[0][4:]],
                *([*r[:3], "MODERATE", *r[4:]] for r in rows[1:]),
            ],
        ),
        *("stated", ("adae.csv", "AETOXGR"), "not graded"),
    ),
    Case(
        "another parameter",
        _again({"PARAMCD": "GGT"}, PARAMCD="ALT"),
        *("stated", ("adlb.csv", "PARAMCD"), "not analysed"),
    ),
    Case(
        "left for an adverse event",
        put("adsl", {"EOSSTT": "DISCONTINUED", "DCSREAS": "ADVERSE EVENT"}, USUBJID="T01"),
        "loads",
    ),
    Case(
        "ongoing without an end",
        put("adsl", {"EOSSTT": "ONGOING", "EOSDY": ""}, USUBJID="T01"),
        *("stated", ("adsl.csv", "EOSDY"), "last day"),
    ),
    Case("sex unknown", put("adsl", {"SEX": "U"}, USUBJID="T01"), "stated", ("adsl.csv", "SEX")),
    Case("serious on day 1, hours blank", _first_event(AESER="Y", ASTDY="1"), "loads"),
    Case(
        "colon in a text",
        _line("title: A small", "title: A: small"),
        "refused",
        ("study.yml", ""),
        "YAML",
    ),
    Case(
        "tab in study.yml", _study("title: x\n\tlabel: y\n"), "refused", ("study.yml", ""), "YAML"
    ),
    Case(
        "horizon in words",
        _line("horizon_months: 24", "horizon_months: two years"),
        *("refused", ("study.yml", "horizon_months"), "whole number"),
    ),
    Case(
        "assessed in words",
        _more("assessed: about 40\n"),
        *("refused", ("study.yml", "assessed"), "whole number"),
    ),
    Case(
        "units as a list",
        _line("  ALT: U/L\n  BILI: umol/L\n  ALB: g/L\n", "- U/L\n"),
        *("refused", ("study.yml", "reporting_units"), "keys with values"),
    ),
    Case(
        "limits as texts",
        _more("reference_ranges:\n  ALT: ['5', '40']\n"),
        *("refused", ("study.yml", "reference_ranges"), "two numbers"),
    ),
    Case("no laboratory rows", edit_rows("adlb", lambda rows: rows[:1]), "loads"),
    Case(
        "a file without bytes",
        edit_text("adlb.csv", lambda text: ""),
        "refused",
        ("adlb.csv", ""),
        "empty",
    ),
    Case("two arms", edit_rows("adsl", _arms), "refused", ("adsl.csv", "ARM"), "single-arm"),
    Case("value 0", _value("0"), "refused", ("adlb.csv", "AVAL"), "above 0"),
    Case("value 2,000,000", _value("2000000"), "refused", ("adlb.csv", "AVAL"), "20000"),
    Case(
        "a participant twice",
        edit_rows("adsl", lambda rows: [*rows, rows[1]]),
        *("refused", ("adsl.csv", "USUBJID"), "once"),
    ),
    Case(
        "zeros lost",
        all_of(
            edit_column("adsl", "USUBJID", lambda v: v[1:]),
            *(edit_column(t, "USUBJID", lambda v: v[1:].lstrip("0")) for t in TABLES[1:]),
        ),
        *("refused", ("adlb.csv", "USUBJID"), "zeros"),
    ),
    Case(
        "measured after the end",
        put("adlb", {"ADY": "900"}, USUBJID="T02", AVISITN="24"),
        *("refused", ("adlb.csv", "ADY"), "EOSDY"),
    ),
    Case("days as floats", edit_column("adlb", "ADY", lambda v: v + ".0"), "loads", same=True),
    Case("power of ten", _value("8.0E1"), "loads", same=True),
    Case(
        "an event twice",
        edit_rows("adae", lambda rows: [*rows, rows[1]]),
        "refused",
        ("adae.csv", ""),
        "once",
    ),
    Case(
        "dose without unit",
        edit_column("adex", "EXDOSE", lambda v: "50"),
        *("refused", ("adex.csv", "EXDOSU"), "a unit where EXDOSE"),
    ),
    Case(
        "first infusion on day 2",
        edit_column("adex", "ASTDY", lambda v: "2"),
        *("refused", ("adsl.csv", "TRTSDY"), "first infusion"),
    ),
    Case(
        "cells of another source",
        edit_column("adsl", "MSCSRC", lambda v: "ADIPOSE TISSUE"),
        "loads",
    ),
    Case(
        "diagnosis NA",
        put("adsl", {"DIAG": "NA"}, USUBJID="T01"),
        "stated",
        ("adsl.csv", "DIAG"),
        "missing",
    ),
    Case(
        "full analysis set of nobody",
        edit_column("adsl", "FASFL", lambda v: "N"),
        *("refused", ("adsl.csv", "FASFL"), "Y for somebody"),
    ),
    Case(
        "safety set without the infused",
        edit_column("adsl", "SAFFL", lambda v: "N"),
        *("refused", ("adsl.csv", "SAFFL"), "TRTSDY"),
    ),
    Case(
        "a term in lower case",
        put("adae", {"AEDECOD": "ascites"}, USUBJID="T01"),
        *("stated", ("adae.csv", "AEDECOD"), "ascites", True),
    ),
    Case(
        "quotes swallow rows",
        edit_text("adae.csv", _swallow),
        "refused",
        ("adae.csv", ""),
        "quotation mark",
    ),
    Case("underline in a number", _value("1_5"), "refused", ("adlb.csv", "AVAL"), "number"),
    Case("a folder notes.csv", lambda folder: (folder / "notes.csv").mkdir(), "loads", same=True),
    Case("a line out of step", _more("\n bad\n  x: [\n"), "refused", ("study.yml", ""), "YAML"),
    Case(
        "Latin-1",
        _rename_participant("Primär", "latin-1"),
        "stated",
        ("adsl.csv", ""),
        "Windows-1252",
    ),
    Case(
        "events without bytes",
        edit_text("adae.csv", lambda text: ""),
        "refused",
        ("adae.csv", ""),
        "empty",
    ),
)
"""What people have: each refused or stated in words that name it, or loaded."""

PAYLOADS = {
    "Jinja": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "download": "{download}`x <../../README.md>`",
    "image": "![x](/etc/hostname)",
    "script": "<script>alert(1)</script>",
    "script in mathematics": r"$\text{<script>alert(1)</script>}$",
    "TeX": r"$\input /etc/hostname $",
    "placeholder": "{overview.any.count}",
    "formula": "=1+1",
    "formula with a command": "=cmd|' /C calc'!A0",
    "markup": "Our *own* trial <b>x</b> | 100% & {math}`x` $5 [a](b)",
}
"""Texts that try to run, read or break something: to the loader they are texts."""

TEXTS = {name: _everywhere(text) for name, text in PAYLOADS.items()}


def make_folder(target: Path, spoil: Spoil) -> Path:
    """Return a spoilt copy of the small data set."""
    from tests.corruptions.base import copy_data

    folder = copy_data("small", target)
    spoil(folder)
    return folder
