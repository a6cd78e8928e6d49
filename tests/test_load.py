"""The contract: what is accepted, converted and refused, and in which words."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from msct_helpers import DataError, Trial, load_trial
from msct_helpers.book.tables import table_dictionary
from msct_helpers.trial.load import convert_units, load_study
from msct_helpers.trial.paths import digest_data
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import make_schemas
from tests.conftest import ROOT, swap


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the synthetic data set that a test may spoil."""
    for path in (ROOT / "data/msct_synthetic").glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def spoil(folder: Path, table: str, row: int, column: str, value: object) -> None:
    """Write a value into a cell; `row` counts the file's lines, the heading is 1."""
    path = folder / f"{table}.csv"
    content = pd.read_csv(path, dtype=object)
    content.loc[row - 2, column] = value
    content.to_csv(path, index=False)


def test_every_problem_is_listed_with_its_place(folder: Path) -> None:
    spoil(folder, "adsl", 3, "SEX", "female")
    spoil(folder, "adsl", 5, "AGE", "old")
    spoil(folder, "adsl", 6, "AGE", "-2")
    spoil(folder, "adlb", 4, "AVALU", "mg")
    spoil(folder, "adlb", 9, "AVAL", "-3")
    spoil(folder, "adae", 2, "AETOXGR", "6")
    with pytest.raises(DataError) as caught:
        load_trial(folder)
    text = str(caught.value)
    assert "adsl.csv row 3, SEX: 'female' (participant SYN-02); expected one of F, M" in text
    assert "adsl.csv row 5, AGE: 'old' (participant SYN-04); expected a number (Age at" in text
    assert "adsl.csv row 6, AGE: '-2' (participant SYN-05); expected an age in years" in text
    assert "adlb.csv row 4, AVALU: 'mg' (participant SYN-01); expected a unit known for" in text
    assert "adlb.csv row 9, AVAL: '-3' (participant SYN-01); expected a number above 0" in text
    assert "adae.csv row 2, AETOXGR: '6' (participant SYN-01); expected a grade from 1 to 5" in text
    assert len(caught.value.problems) == 6


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "message"),
    [
        ("adsl", 2, "USUBJID", "SYN-02", "expected each value once"),
        ("adsl", 2, "DCSREAS", "DEATH", "a reason if EOSSTT is DISCONTINUED, blank otherwise"),
        ("adsl", 2, "EOSDY", "0", "a study day: a whole number, not 0"),
        ("adlb", 2, "USUBJID", "SYN-99", "expected a participant listed in adsl.csv"),
        ("adlb", 2, "ADY", "9999", "a study day: a whole number, not 0"),
        ("adlb", 27, "ADY", "760", "(participant SYN-01, EOSDY 732); expected a day no later"),
        ("adlb", 2, "AVISIT", "Month 6", "the visit that belongs to AVISITN"),
        ("adlb", 2, "AVAL", "", "AVAL: blank (participant SYN-01); expected a value"),
        ("adlb", 3, "PARAMCD", "ALT", "one value for a participant, parameter and visit"),
    ],
)
def test_a_rule_that_is_broken_is_named(
    folder: Path, table: str, row: int, column: str, value: str, message: str
) -> None:
    spoil(folder, table, row, column, value)
    with pytest.raises(DataError, match=r".*") as caught:
        load_trial(folder)
    assert message in str(caught.value)


def test_missing_files_and_keys_are_named(folder: Path) -> None:
    (folder / "adlb.csv").unlink()
    study = (folder / "study.yml").read_text().replace("origin: synthetic", "origin: guessed")
    (folder / "study.yml").write_text(study)
    with pytest.raises(DataError) as caught:
        load_trial(folder)
    assert "adlb.csv: not found; expected a file of this name" in str(caught.value)
    assert "origin: 'guessed'; expected synthetic or real" in str(caught.value)
    with pytest.raises(DataError, match="origin: 'guessed'"):
        load_study(folder)


def test_missing_column_is_named(folder: Path) -> None:
    table = pd.read_csv(folder / "adsl.csv").drop(columns="EOSDY")
    table.to_csv(folder / "adsl.csv", index=False)
    with pytest.raises(DataError, match=r"adsl\.csv, EOSDY: missing; expected a column"):
        load_trial(folder)


def test_without_events_file_none_were_recorded(folder: Path) -> None:
    (folder / "adae.csv").unlink()
    assert load_trial(folder).adae is None


def test_infusions_fit_the_first_day_and_the_end(folder: Path) -> None:
    (folder / "adex.csv").write_text(
        "USUBJID,ASTDY,EXDOSE,EXDOSU\nSYN-01,2,1.5,\nSYN-01,733,,\nNOBODY,1,,\n"
    )
    with pytest.raises(DataError) as caught:
        load_trial(folder)
    found = {(p.file, p.row, p.column): p for p in caught.value.problems}
    assert found["adex.csv", 2, "EXDOSU"].expected.startswith("a unit where EXDOSE gives a dose")
    assert found["adex.csv", 3, "ASTDY"].note == "EOSDY 732"
    assert found["adex.csv", 4, "USUBJID"].value == "NOBODY"
    first = found["adsl.csv", 2, "TRTSDY"]
    assert (first.value, first.note) == ("1", "there day 2")


def test_limits_of_normal_must_be_ordered(folder: Path) -> None:
    study = folder / "study.yml"
    study.write_text(study.read_text().replace("  - 5\n  - 40\n", "  - 40\n  - 5\n"))
    with pytest.raises(DataError, match=r"reference_ranges: '\[40, 5\]'; expected for ALT"):
        load_trial(folder)


def test_units_are_converted_by_published_factors() -> None:
    labs = pd.DataFrame(
        {
            "PARAMCD": ["BILI", "BILI", "CREAT", "ALB", "SODIUM", "ALT"],
            "AVAL": [2.0, 34.2, 1.0, 3.5, 140.0, 2.0],
            "AVALU": ["mg/dL", "umol/L", "mg/dL", "g/dL", "mEq/L", "ukat/L"],
        }
    )
    out = convert_units(labs, {"BILI": "umol/L", "ALB": "g/L"})
    assert out["AVAL"].tolist() == pytest.approx([34.2, 34.2, 88.4, 35.0, 140.0, 120.0])
    assert out["AVALU"].tolist() == ["umol/L", "umol/L", "umol/L", "g/L", "mmol/L", "U/L"]
    assert labs["AVAL"].tolist() == [2.0, 34.2, 1.0, 3.5, 140.0, 2.0]


def test_digest_follows_the_data(folder: Path) -> None:
    before = digest_data(folder)
    spoil(folder, "adsl", 2, "AGE", "62")
    assert digest_data(folder) != before


def test_dictionary_says_what_the_schema_enforces() -> None:
    plan = Plan()
    for name, schema in make_schemas(plan).items():
        shown = table_dictionary(name, plan)
        assert shown["Variable"].tolist() == [f"`{c}`" for c in schema.columns]
        assert not shown["Meaning"].isna().any()
    rules = table_dictionary("adsl", plan).set_index("Variable")["Rule"]
    assert "one of F, M" in rules["`SEX`"]


def test_full_analysis_set_limits_efficacy(synthetic: Trial) -> None:
    assert len(synthetic.efficacy_labs) == len(synthetic.adlb)


def test_a_changed_file_is_read_again_and_tables_are_the_callers_own(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "data/msct_synthetic", tmp_path / "data")
    first = load_trial(folder)
    first.adsl.loc[first.adsl.index[0], "AGE"] = 99
    first.adsl["MINE"] = 1
    second = load_trial(folder)
    assert "MINE" not in second.adsl
    age = int(second.adsl["AGE"].iloc[0])
    assert age != 99
    swap(folder / "adsl.csv", f"SYN-01,{age},", f"SYN-01,{age + 1},")
    assert load_trial(folder).adsl["AGE"].iloc[0] == age + 1
    (folder / "adsl.csv").unlink()
    with pytest.raises(DataError, match=r"adsl\.csv"):
        load_trial(folder)
