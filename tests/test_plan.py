"""The plan of a data set, as its study.yml gives it: followed where it can be, refused in words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.trial.contract import CheckResult, check_folder
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import read_unit
from tests.corruptions.base import copy_data, edit_text

MONTHS = "visits: [0, 3, 6, 12, 24, 36]\n"
WEEKS = "visit_unit: weeks\nvisits: [0, 12, 26]\n"
MORE = "endpoints: [ALT, AST, ALP, BILI, ALB, PT, PLAT]\n"


def write(folder: Path, table: str, data: pd.DataFrame) -> None:
    data.to_csv(folder / f"{table}.csv", index=False)


def read(folder: Path, table: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)


def give(folder: Path, keys: str, months: int) -> None:
    """Give study.yml further keys and another horizon."""
    edit_text("study.yml", lambda text: text.replace(": 24\n", f": {months}\n") + keys)(folder)


def make_months(folder: Path) -> None:
    """Visits at months 3 and 36 too; those who completed were followed for three years."""
    give(folder, MONTHS, 36)
    labs, people = read(folder, "adlb"), read(folder, "adsl")
    done = people["EOSSTT"].eq("COMPLETED")
    third = labs[labs["AVISITN"].eq("6")].assign(AVISIT="Month 3", AVISITN="3", ADY="92")
    last = labs[labs["AVISITN"].eq("24") & labs["USUBJID"].isin(people.loc[done, "USUBJID"])]
    last = last.assign(AVISIT="Month 36", AVISITN="36", ADY="1097")
    write(folder, "adlb", pd.concat([labs, third, last]))
    write(folder, "adsl", people.assign(EOSDY=people["EOSDY"].mask(done, "1100")))


def make_weeks(folder: Path) -> None:
    """Visits at weeks 12 and 26; nobody was followed beyond day 190."""
    give(folder, WEEKS, 6)
    labs, people = read(folder, "adlb"), read(folder, "adsl")
    labs = labs[labs["AVISITN"].isin(["0", "6", "12"])]
    for old, new, day in (("12", "26", "183"), ("6", "12", "85")):
        at = labs["AVISITN"].eq(old) & ~labs["AVISIT"].str.startswith("Week")
        labs.loc[at, ["AVISIT", "AVISITN", "ADY"]] = [f"Week {new}", new, day]
    late = people["EOSDY"].astype(int) > 190
    people.loc[late, ["EOSSTT", "DCSREAS", "EOSDY", "DTHDY", "LTXDY"]] = [
        *("COMPLETED", "", "190", "", "")
    ]
    last = labs["USUBJID"].map(people.set_index("USUBJID")["EOSDY"].astype(int))
    events = read(folder, "adae")
    write(folder, "adlb", labs[labs["ADY"].astype(int) <= last])
    write(folder, "adsl", people)
    write(folder, "adae", events[events["ASTDY"].astype(int) < 60])


def make_endpoints(folder: Path) -> None:
    """Three more parameters, one of them in a unit that is written in several ways."""
    give(folder, MORE, 24)
    labs = read(folder, "adlb")
    alt = labs[labs["PARAMCD"].eq("ALT")]
    more = [alt.assign(PARAMCD="AST"), alt.assign(PARAMCD="ALP", AVAL="120")]
    more += [alt.assign(PARAMCD="PLAT", AVAL="130", AVALU="x10^9/L")]
    write(folder, "adlb", pd.concat([labs, *more]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the small data set that a test may change."""
    return copy_data("small", tmp_path / "data")


def load(folder: Path, make: Callable[[Path], None]) -> tuple[Trial, CheckResult]:
    make(folder)
    result = check_folder(folder)
    assert result.trial is not None, result.describe()
    return result.trial, result


def test_without_keys_the_plan_is_the_usual_one(folder: Path) -> None:
    trial, _ = load(folder, lambda f: None)
    assert trial.plan == Plan()
    keys = "visits: [0, 6, 12, 24]\nvisit_unit: months\nendpoints: [ALT, BILI, ALB, PT]\n"
    trial, _ = load(folder, lambda f: give(f, keys, 24))
    assert trial.plan == Plan()


def test_visits_to_month_36(folder: Path) -> None:
    trial, result = load(folder, make_months)
    assert result.readings == []
    plan = trial.plan
    assert plan.numbers == (0, 3, 6, 12, 24, 36)
    assert (plan.horizon, plan.at_last, plan.horizon_days) == ("36 months", "36 months", 1096)
    assert [v.window for v in plan.later] == [
        *((46, 138), (139, 275), (276, 549), (550, 914), (915, 1644))
    ]
    assert set(trial.adlb["AVISIT"]) == {v.name for v in plan.visits}


def test_visits_in_weeks(folder: Path) -> None:
    trial, result = load(folder, make_weeks)
    assert result.readings == []
    plan = trial.plan
    assert [v.name for v in plan.visits] == ["Baseline", "Week 12", "Week 26"]
    assert (plan.horizon, plan.horizon_days, plan.last.day) == ("26 weeks", 183, 182)
    assert [v.window for v in plan.later] == [(43, 134), (135, 273)]
    assert trial.adlb["AVISITN"].unique().tolist() == [0, 12, 26]


def test_further_endpoints(folder: Path) -> None:
    trial, result = load(folder, make_endpoints)
    assert [r.text for r in result.readings] == ["PLAT: unit 'x10^9/L' read as 10^9/L"]
    assert trial.plan.endpoints == ("ALT", "AST", "ALP", "BILI", "ALB", "PT", "PLAT")
    assert replace(trial.plan, endpoints=Plan().endpoints) == Plan()
    assert set(trial.plan.endpoints) <= set(trial.parameters)


def test_given_windows_are_used_and_the_others_stay(folder: Path) -> None:
    trial, _ = load(folder, lambda f: give(f, "windows: {6: [150, 250], 24: [600, 800]}\n", 24))
    assert [v.window for v in trial.plan.later] == [(150, 250), (276, 549), (600, 800)]
    # T01 was seen on day 167.
    edit_text("study.yml", lambda text: text.replace("[150,", "[170,"))(folder)
    assert "Month 6: 170 to 250" in check_folder(folder).describe()


def test_a_horizon_long_after_the_last_visit_is_stated(folder: Path) -> None:
    people = read(folder, "adsl")
    done = people["EOSSTT"].eq("COMPLETED")
    write(folder, "adsl", people.assign(EOSDY=people["EOSDY"].mask(done, "1500")))
    trial, result = load(folder, lambda f: give(f, "", 48))
    assert trial.plan.at_last == "month 24"
    assert [r.text for r in result.readings] == [
        "48 months, long after month 24, with which laboratory results end"
    ]


@pytest.mark.parametrize(
    ("keys", "months", "column", "said"),
    [
        ("visits: [0, 12, 6]\n", 24, "visits", "'[0, 12, 6]'; expected a list of 2 to 30 whole"),
        ("visits: [6, 12, 24]\n", 24, "visits", "ascending, the first 0"),
        ("visits: [0]\n", 24, "visits", "'[0]'; expected a list of 2 to 30"),
        ("visits: [0, 6, 6]\n", 24, "visits", "ascending"),
        ("visits: [0, 6.5]\n", 24, "visits", "'6.5'; expected a list of 2 to 30 whole numbers"),
        ("visits: [0, 5000]\n", 24, "visits", "none above 1043"),
        ("visits: Month 6\n", 24, "visits", "'Month 6'; expected a list"),
        ("visit_unit: days\n", 24, "visit_unit", "'days'; expected months or weeks"),
        ("visit_unit: weeks\n", 24, "visit_unit", "a list of visits beside it"),
        ("endpoints: [ALT, GGT]\n", 24, "endpoints", "'GGT'; expected a parameter among ALT, AST"),
        ("endpoints: [ALT, alt]\n", 24, "endpoints", "'ALT'; expected each parameter once"),
        ("endpoints: []\n", 24, "endpoints", "expected at least one parameter"),
        ("windows: {6: [300, 200]}\n", 24, "windows", "'[300, 200]'; expected for visit 6"),
        ("windows: {6: [0, 200]}\n", 24, "windows", "two study days, not 0"),
        ("windows: {6: 200}\n", 24, "windows", "expected for visit 6 [first, last]"),
        ("windows: {9: [200, 300]}\n", 24, "windows", "'9'; expected a visit among 0, 6, 12, 24"),
        (
            "windows: {Month 6: [1, 2]}\n",
            24,
            "windows",
            "'Month 6'; expected the number of a visit",
        ),
        (
            "windows: {6: [20, 30]}\n",
            24,
            "windows",
            "study days around day 184, on which it is due",
        ),
        ("windows: {6: [150, 300]}\n", 24, "windows", "month 6 and month 12 that do not overlap"),
        ("", 6, "horizon_months", "'6'; expected months that reach the last visit, month 24"),
        ("", 0, "horizon_months", "'0'; expected a whole number from 1 to 240"),
        ("", 241, "horizon_months", "'241'; expected a whole number from 1 to 240"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(
    folder: Path, keys: str, months: int, column: str, said: str
) -> None:
    give(folder, keys, months)
    result = check_folder(folder)
    assert result.trial is None
    assert [(p.file, p.column) for p in result.problems] == [("study.yml", column)]
    assert said in result.describe()
    length = (folder / "study.yml").read_text().count("\n")
    known = result.problems[0].row
    assert known is None or 1 <= known <= length


def test_a_horizon_that_nobody_came_near_is_refused(folder: Path) -> None:
    give(folder, "", 60)
    words = check_folder(folder).describe()
    assert "day 1097 or later where EOSSTT is COMPLETED (a report of 60 months)" in words
    people = read(folder, "adsl")
    write(folder, "adsl", people.assign(EOSSTT=people["EOSSTT"].replace("COMPLETED", "ONGOING")))
    (problem,) = check_folder(folder).problems
    assert (problem.column, problem.value) == ("horizon_months", "60")
    assert problem.expected == "a follow-up of 60 months, as every page of this report says"
    assert problem.note == "nobody in adsl.csv was followed beyond day 737"


def test_visits_of_another_plan_are_refused_by_name(folder: Path) -> None:
    make_weeks(folder)
    labs = read(folder, "adlb")
    write(folder, "adlb", labs.assign(AVISIT=labs["AVISIT"].replace("Week 26", "Month 6")))
    words = check_folder(folder).describe()
    assert "AVISIT 'Month 6', AVISITN '26'" in words
    assert "expected the visit that belongs to AVISITN" in words


def test_other_faults_of_the_study_do_not_hide_its_plan(folder: Path) -> None:
    make_weeks(folder)
    edit_text("study.yml", lambda text: text.replace("origin: real", "origin: guessed"))(folder)
    assert [p.column for p in check_folder(folder).problems] == ["origin"]


def test_platelets_are_known_in_every_spelling() -> None:
    for text in ("10^9/L", "x10^9/L", "x 10^9/l", "×10⁹/L", "10*9/L", "10E9/L", "G/L"):
        assert read_unit("PLAT", text) == "10^9/L", text
    for text in ("10^3/uL", "x10^3/µL", "10*3/uL", "10³/μL", "K/uL"):
        assert read_unit("PLAT", text) == "10^3/uL", text
    assert read_unit("PLAT", "10^6/L") == "10^6/L"
    assert (read_unit("ALB", "G/L"), read_unit("ALP", "IU/l")) == ("g/L", "U/L")
