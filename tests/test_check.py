"""A data set that is not quite as the contract says: each change is refused or stated, by name."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from msct_helpers.safety.shifts import derive_shifts
from msct_helpers.trial.contract import CheckResult, check_folder
from msct_helpers.trial.findings import Problem, describe_problems
from tests.conftest import ROOT

Edit = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the synthetic data set that a test may spoil."""
    target = tmp_path / "trial"
    shutil.copytree(ROOT / "data/msct_synthetic", target)
    return target


def swap(file: str, old: str, new: str, count: int = -1) -> Edit:
    """Return an edit that replaces a text of a file."""

    def edit(folder: Path) -> None:
        content = (folder / file).read_bytes()
        assert old.encode() in content, old
        (folder / file).write_bytes(content.replace(old.encode(), new.encode(), count))

    return edit


def recode(file: str, encoding: str, old: str = "", new: str = "") -> Edit:
    """Return an edit that saves a file in another encoding."""

    def edit(folder: Path) -> None:
        text = (folder / file).read_text().replace(old, new)
        (folder / file).write_bytes(text.encode(encoding))

    return edit


def rename(old: str, new: str) -> Edit:
    return lambda folder: (folder / old).rename(folder / new)


def in_place_of(file: str, make: Callable[[Path], object]) -> Edit:
    def edit(folder: Path) -> None:
        (folder / file).unlink()
        make(folder / file)

    return edit


def set_cells(file: str, column: str, value: str, row: int | None = None) -> Edit:
    """Return an edit that writes a value into a column, or into one line of the file."""

    def edit(folder: Path) -> None:
        table = pd.read_csv(folder / file, dtype=str, keep_default_na=False)
        table.loc[slice(None) if row is None else row - 2, column] = value
        table.to_csv(folder / file, index=False)

    return edit


def give_dates(folder: Path) -> None:
    table = pd.read_csv(folder / "adlb.csv")
    days = pd.to_timedelta(table.pop("ADY") - 1, unit="D")
    table["ADT"] = (pd.Timestamp("2021-03-01") + days).dt.strftime("%Y-%m-%d")
    table.to_csv(folder / "adlb.csv", index=False)


FIRST_ALT = "SYN-01,ALT,Baseline,0,1,58.0,U/L"
FIRST_AE = "SYN-01,Ascites,Gastrointestinal disorders,2,N,NOT RELATED,420,,RECOVERED/RESOLVED"
LOST = "DISCONTINUED,LOST TO FOLLOW-UP,598,,"

REFUSED: dict[str, tuple[Edit, str]] = {
    "pipe": (in_place_of("adlb.csv", os.mkfifo), "adlb.csv: expected an ordinary file"),
    "folder": (in_place_of("adlb.csv", Path.mkdir), "adlb.csv: expected an ordinary file"),
    "empty": (in_place_of("adae.csv", Path.touch), "adae.csv: the file is empty"),
    "loop": (
        in_place_of("study.yml", lambda p: p.symlink_to("study.yml")),
        "study.yml: too many levels of symbolic links",
    ),
    "other case": (rename("adae.csv", "ADAE.CSV"), "ADAE.CSV: 'ADAE.CSV'; expected adae.csv"),
    "utf-16": (recode("adlb.csv", "utf-16"), "adlb.csv: the file is UTF-16"),
    "dos": (recode("adae.csv", "cp850", "Ascites", "Übelkeit"), "adae.csv row 2: byte 0x9A"),
    "semicolons": (swap("adsl.csv", ",", ";"), "adsl.csv row 1: the heading is separated by semi"),
    "decimal comma": (
        swap("adlb.csv", "58.0", '"58,0"', 1),
        "Write numbers with a decimal point, not a comma",
    ),
    "cells": (swap("adlb.csv", "58.0", "58,0", 1), "adlb.csv row 2: 8 cells; expected as many"),
    "quotes": (
        lambda f: (
            swap("adae.csv", "SYN-02,Oeso", 'SYN-02,"Oeso', 1)(f),
            swap("adae.csv", "Hepatic failure", 'Hepatic failure"', 1)(f),
        ),
        "adae.csv row 4: from row 4 to 7",
    ),
    "open quote": (swap("adae.csv", "Ascites", '"Ascites', 1), "quotes that open and close"),
    "column twice": (swap("adsl.csv", "DTHDY", "sex", 1), "SEX: 'SEX'; expected each column once"),
    "nul": (swap("adae.csv", "Ascites", "Asc\0", 1), "adae.csv row 2: expected text without NUL"),
    "blank line": (
        swap("adlb.csv", FIRST_ALT, "\n" + FIRST_ALT.replace("58.0", "1_5"), 1),
        "adlb.csv row 3, AVAL: '1_5'",
    ),
    "digits": (swap("adlb.csv", "58.0", "５８", 1), "Write the digits 0 to 9"),
    "tiny": (swap("adlb.csv", "58.0", "1e-300", 1), "AVAL: '1e-300'"),
    "row twice": (swap("adae.csv", FIRST_AE, f"{FIRST_AE}\n{FIRST_AE}"), "same as row 3"),
    "two spellings": (
        swap("adae.csv", "Urinary tract", "Urinary-tract", 1),
        "expected one spelling, not 'Urinary-tract infection', 'Urinary tract infection'",
    ),
    "INR": (set_cells("adlb.csv", "AVAL", "130", 5), "expected for INR 0.5 to 20"),
    "unit of all": (
        swap("adlb.csv", "umol/L", "mg/dL"),
        "a median of 5 to 340 umol/L (assumed, wide on purpose)",
    ),
    "late baseline": (swap("adlb.csv", "Baseline,0,1,", "Baseline,0,30,"), "ADY: 182 problems"),
    "nearly a visit": (swap("adlb.csv", "Month 6,6", "Month 06,"), "Is Month 6 meant?"),
    "two arms": (
        lambda f: [
            swap("adsl.csv", "FASFL", "FASFL,ARM", 1)(f),
            swap("adsl.csv", "Y,Y", "Y,Y,Drug", 3)(f),
            swap("adsl.csv", "Y,Y\n", "Y,Y,Placebo\n")(f),
        ],
        "arms are not supported",
    ),
    "some cells": (
        set_cells("adsl.csv", "MSCSRC", "NOT APPLICABLE", 2),
        "arms are not supported: either everybody",
    ),
    "safety set": (set_cells("adsl.csv", "SAFFL", "N"), "SAFFL: 26 problems in 26 rows"),
    "analysis set": (set_cells("adsl.csv", "FASFL", "N"), "a full analysis set with nobody in it"),
    "death of a lost one": (
        swap("adsl.csv", LOST, "DISCONTINUED,LOST TO FOLLOW-UP,598,658,"),
        "If the death is known, give DCSREAS DEATH",
    ),
    "short": (
        lambda f: [swap("adsl.csv", "COMPLETED,,732", "COMPLETED,,185")(f)],
        "day 550 or later where EOSSTT is COMPLETED",
    ),
    "fatal": (
        swap("adae.csv", FIRST_AE, FIRST_AE.replace("RECOVERED/RESOLVED", "FATAL")),
        "a fatal event only of a participant with DTHDY",
    ),
    "hours": (set_cells("adae.csv", "AEHRINF", "2", 2), "hours that fit ASTDY"),
    "zeros": (swap("adlb.csv", "SYN-0", "SYN-"), "differs only in zeros"),
    "no baseline": (swap("adlb.csv", "Baseline,0", "Screening,"), "expected a value at Baseline"),
    "yaml": (swap("study.yml", "label: ", "label: a: "), "study.yml row 5: mapping values"),
    "key twice": (swap("study.yml", "draws: 21", "seed: 21"), "'seed'; expected each key once"),
    "alias": (swap("study.yml", "draws: 21", "draws: &a 21"), "expected no anchors (&)"),
    "list": (swap("study.yml", "assumed:\n", "assumed: None.\nx:\n"), "assumed: 'None.'"),
    "blank": (swap("study.yml", "licence: CC0 1.0", "licence: '  '"), "a text that is not blank"),
    "number": (swap("study.yml", "licence: CC0 1.0", "licence: 10"), "looks like a number"),
    "horizon": (swap("study.yml", "months: 24", "months: 6"), "months that reach the last visit"),
    "assessed": (swap("study.yml", "draws: 21", "assessed: 9"), "at least the 26 participants"),
}

STATED: dict[str, tuple[Edit, str, bool]] = {
    "other file": (lambda f: (f / "more.csv").touch(), "files not read: 'more.csv'", False),
    "a further source": (
        swap("adsl.csv", "CORD BLOOD", "ADIPOSE TISSUE"),
        "kept as written: 'ADIPOSE TISSUE'",
        False,
    ),
    "column": (swap("adsl.csv", "\n", ",x\n"), "columns not read: 'x'", False),
    "western": (
        recode("adae.csv", "cp1252", "Ascites", "Übelkeit"),
        "read as Windows-1252: 'Übelkeit'",
        False,
    ),
    "headings": (swap("adsl.csv", "USUBJID", "usubjid", 1), "read as capitals", False),
    "ends": (swap("adlb.csv", "SYN-01,", "SYN-01 ,"), "left out: 'SYN-01 '", False),
    "hidden": (swap("adae.csv", "Ascites", "As\u202ec"), "are kept: 'As[U+202E]c'", False),
    "case": (swap("adae.csv", "Ascites", "ASCITES", 1), "'ASCITES' read as 'Ascites'", False),
    "NA": (set_cells("adsl.csv", "DIAG", "NA", 2), "'NA' read as missing", False),
    "limit": (swap("adlb.csv", "58.0", "<7", 1), "'<7' read as half the limit, 3.5", True),
    "micro": (swap("adlb.csv", "umol/L", "µmol/L"), "'µmol/L' read as umol/L", False),
    "enzyme": (swap("adlb.csv", ",U/L", ",IU/L"), "ALT: unit 'IU/L' read as U/L", False),
    "ratio": (swap("adlb.csv", ",1\n", ",\n"), "INR: unit blank read as 1", False),
    "dates": (give_dates, "days derived from ADT", True),
    "visit names": (swap("adlb.csv", "Month 6,6", "MONTH 6,NA"), "read as 6, by AVISIT", False),
    "outside": (swap("adlb.csv", "Month 6,6", "Week 26,26"), "'Week 26' (133 rows)", True),
    "parameter": (swap("adlb.csv", ",PT,", ",GGT,"), "not analysed: 'GGT' (80 rows)", True),
    "jump": (set_cells("adlb.csv", "AVAL", "865", 3), "times above the other values", True),
    "not coded": (swap("adae.csv", "Ascites,", ",", 1), "blank read as 'Not coded'", True),
    "not graded": (swap("adae.csv", "disorders,2", "disorders,", 1), "without a grade", True),
    "no day": (swap("adae.csv", "RELATED,420", "RELATED,", 1), "counted as on treatment", True),
    "no hours": (swap("adae.csv", "AEHRINF", "X", 1), "nobody knows which events", True),
    "hours blank": (
        set_cells("adae.csv", "ASTDY", "1", 2),
        "whether they began within 24 hours is not known",
        True,
    ),
    "related": (
        swap("adae.csv", ",POSSIBLE,", ",POSSIBLY RELATED,"),
        "'POSSIBLY RELATED' read as 'POSSIBLE'",
        True,
    ),
    "ongoing": (
        swap("adsl.csv", "COMPLETED,,732", "ONGOING,,", 1),
        "the last day in any table is taken: 'SYN-01 day",
        True,
    ),
    "sex": (set_cells("adsl.csv", "SEX", "U", 2), "'U' read as not recorded", True),
    "child": (set_cells("adsl.csv", "AGE", "9", 2), "ages below 18", True),
}

SILENT: dict[str, Edit] = {
    "unchanged": lambda folder: None,
    "mark": recode("adsl.csv", "utf-8-sig"),
    "line ends": swap("adlb.csv", "\n", "\r\n"),
    "sizes of numbers": swap("adlb.csv", "58.0", "5.8E1", 1),
    "a further reason": swap("adsl.csv", LOST, LOST.replace("LOST TO FOLLOW-UP", "ADVERSE EVENT")),
    "text is text": swap("adae.csv", "Ascites", "{{ 7*7 }} <b>$x$</b> =1+1"),
}
"""Changes of which nothing need be said: the file is read as it stands."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(folder: Path, name: str) -> None:
    edit, said = REFUSED[name]
    edit(folder)
    result = check_folder(folder)
    assert result.trial is None
    assert said in result.describe()
    assert "internal error" not in result.describe()


@pytest.mark.parametrize("name", STATED)
def test_what_is_read_otherwise_is_stated(folder: Path, name: str) -> None:
    edit, said, matters = STATED[name]
    edit(folder)
    result = check_folder(folder)
    assert result.problems == []
    found = [r for r in result.readings if said in r.text]
    assert [r.matters for r in found][:1] == [matters], result.describe()
    assert result.trial is not None
    assert result.trial.readings == tuple(result.readings)


@pytest.mark.parametrize("name", SILENT)
def test_of_what_is_read_as_it_stands_nothing_is_said(folder: Path, name: str) -> None:
    SILENT[name](folder)
    result = check_folder(folder)
    assert (result.problems, result.readings) == ([], [])


def test_of_real_data_only_an_odd_value_is_stated() -> None:
    result = check_folder(ROOT / "data/mayo_pbc")
    assert result.problems == []
    # 6.2 U/L stands in the source as well.
    assert [r.text[:33] for r in result.readings] == ["AST of 'PBC-001', row 9: 6.2 U/L "]


@pytest.mark.parametrize("place", ["nowhere", "adsl.csv", "\0", "x" * 5000])
def test_no_folder_at_all_is_a_problem(folder: Path, place: str) -> None:
    result = check_folder(folder / place)
    assert [p.expected for p in result.problems] == ["a folder with a data set"]


def test_days_from_dates_are_those_of_the_file(folder: Path) -> None:
    expected = check_folder(folder).trial
    give_dates(folder)
    found = check_folder(folder).trial
    assert expected is not None
    assert found is not None
    assert found.adlb["ADY"].tolist() == expected.adlb["ADY"].tolist()


def test_a_flagged_baseline_is_used(folder: Path) -> None:
    path = folder / "adlb.csv"
    table = pd.read_csv(path, dtype=str)
    flagged = table["AVISITN"].eq("0") & table["USUBJID"].eq("SYN-01")
    other = table[flagged].assign(ADY="-7", AVAL="60.0").query("PARAMCD == 'ALT'")
    table.loc[flagged, "ABLFL"] = "Y"
    pd.concat([other, table]).to_csv(path, index=False)
    trial = load(check_folder(folder))
    assert trial.query("USUBJID == 'SYN-01' and PARAMCD == 'ALT' and AVISITN == 0")[
        "AVAL"
    ].tolist() == [58.0]
    table.drop(columns="ABLFL").to_csv(path, index=False)
    pd.concat([other, table.drop(columns="ABLFL")]).to_csv(path, index=False)
    notes = [p.note for p in check_folder(folder).problems]
    assert notes == ["ALT, as in row 3", "ALT, as in row 2"]


def load(result: CheckResult) -> pd.DataFrame:
    """Return the laboratory data of a folder that must load."""
    assert result.trial is not None, result.describe()
    return result.trial.adlb


def test_visits_outside_the_plan_count_for_the_worst_value_only(folder: Path) -> None:
    before = check_folder(folder).trial
    with (folder / "adlb.csv").open("a") as file:
        file.write("SYN-01,ALB,Unscheduled,6.1,200,12,g/L\nSYN-01,ALB,Screening,,-9,6,g/L\n")
        file.write("SYN-01,GGT,Baseline,0,1,negative,\n")
    after = check_folder(folder).trial
    assert before is not None
    assert after is not None
    pd.testing.assert_frame_equal(before.adlb, after.adlb)
    assert after.unscheduled["AVAL"].tolist() == [12, 6]
    assert after.carried["PARAMCD"].tolist() == ["GGT"]
    ends = [derive_shifts(t, "ALB", t.plan).set_index("USUBJID")["END"] for t in (before, after)]
    assert [e["SYN-01"] for e in ends] == ["1", "3"]
    assert ends[0].drop("SYN-01").equals(ends[1].drop("SYN-01"))


def test_problems_are_grouped_and_capped() -> None:
    weeks = [
        Problem("adlb.csv", "AVISIT", i, "T04", f"Week {2 if i > 9 else i}", "a visit", "Map it")
        for i in range(3, 1003)
    ]
    assert describe_problems(weeks, {"adlb.csv": 32605}) == [
        "adlb.csv, AVISIT: 1,000 problems in 32,605 rows, the first in row 3: 'Week 2' (993 times; "
        "first row 10, participant T04), 'Week 3' (row 3, participant T04), 'Week 4' (row 4, "
        "participant T04), 'Week 5' (row 5, participant T04), 'Week 6' (row 6, participant T04) "
        "and 3 more values; expected a visit. Map it"
    ]
    kinds = [Problem("a.csv", str(i), None, "", "\x1b[2J", "text") for i in range(50)]
    lines = describe_problems(kinds)
    assert lines[0] == "a.csv, 0: '[U+001B][2J'; expected text"
    assert lines[-1] == "and 10 more kinds of problem"


def test_the_command_says_it_to_people_and_programs(folder: Path, tmp_path: Path) -> None:
    set_cells("adsl.csv", "SEX", "=1+1", 3)(folder)
    every = tmp_path / "all.csv"
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "msct_helpers.check.cli",
        "check",
        str(folder),
    ]
    done = subprocess.run(
        [*command, "--json", "--all", str(every)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1
    assert "sphinx" not in done.stderr
    assert json.loads(done.stdout)["problems"][0]["value"] == "=1+1"
    with every.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:5] == ["file", "column", "row", "participant", "value"]
    assert rows[1][:5] == ["adsl.csv", "SEX", "3", "SYN-02", "'=1+1"]
