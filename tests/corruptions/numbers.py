"""Which numbers are possible: limits of medicine and of the calendar, not of any loader."""

import re
from statistics import median

from tests.corruptions.base import records

PLAIN = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
LIMITS = {
    ("ALT", "U/L"): (2, 20_000),
    ("AST", "U/L"): (2, 20_000),
    ("BILI", "umol/L"): (1, 1_200),
    ("BILI", "mg/dL"): (0.1, 70),
    ("ALB", "g/L"): (8, 70),
    ("ALB", "g/dL"): (0.8, 7),
    ("PT", "s"): (6, 200),
    ("INR", "1"): (0.5, 20),
    ("CREAT", "umol/L"): (10, 2_500),
    ("SODIUM", "mmol/L"): (90, 200),
}
"""What a laboratory can find in a living person."""

JUMP = 8
"""Times that one value may differ from the same participant's others and still be believed."""

READS_BLANK = {"AGE", "SEX", "DIAG", "AEHRINF"}
"""Columns in which a blank says "not recorded" and nothing else."""


def read_number(text: str) -> float | None:
    """Read a number as every program reads it; None where programs differ."""
    return float(text) if PLAIN.fullmatch(text) else None


def is_possible(dataset: str, table: str, row: int, column: str, value: float) -> bool:
    """Whether nobody who sees the other data could know that the number is wrong."""
    record = records(dataset, table)[row]
    match table, column:
        case "adsl", "AGE":
            return 0 <= value <= 110
        case "adae", "AETOXGR":
            return value in (1, 2, 3, 4, 5) and record["AEOUT"] != "FATAL"
        case "adae", "AEHRINF":
            return 0 <= value <= 24 and record["ASTDY"] == "1"
        case "adae", "ASTDY":
            end = {r["USUBJID"]: float(r["EOSDY"]) for r in records(dataset, "adsl")}
            whole = value % 1 == 0 and value != 0
            # A day before the infusions' by more than a year is no day of a trial.
            return whole and -366 < value <= end[record["USUBJID"]] and not record["AEHRINF"]
        case "adex", "EXDOSE":
            # The prepared data give 50 to all.
            return 0 < value < 50_000
        case "adlb", "AVAL":
            return _is_believable(dataset, record, value)
    return False


def _is_believable(dataset: str, record: dict[str, str], value: float) -> bool:
    low, high = LIMITS[record["PARAMCD"], record["AVALU"]]
    others = [
        float(r["AVAL"])
        for r in records(dataset, "adlb")
        if (r["USUBJID"], r["PARAMCD"]) == (record["USUBJID"], record["PARAMCD"]) and r != record
    ]
    usual = median(others)
    return low <= value <= high and usual / JUMP < value < usual * JUMP
