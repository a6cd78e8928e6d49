"""Published statements: the list itself, and each check on tables small enough to do by hand."""

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.abstract import ledger
from msct_helpers.abstract.robustness import Check
from msct_helpers.abstract.statements import (
    NOT_TESTABLE,
    VERDICTS,
    WEIGHED,
    check_statements,
    check_trial,
    describe_rules,
)
from msct_helpers.ard.results import make_rows
from msct_helpers.book.layout import lay_out
from msct_helpers.efficacy.change import summarise_change
from msct_helpers.meld.derive import derive_scores
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan, plan_visits
from tests.conftest import show_cells, with_tables

UNITS = {"ALT": "U/L", "BILI": "umol/L", "ALB": "g/L", "INR": "1", "CREAT": "umol/L", "PT": "s"}
MONTHS = (6, 12, 24)


def make_labs(**values: dict[int, list[float | None]]) -> pd.DataFrame:
    """Return adlb of participants SYN-01, SYN-02... from values by parameter and visit."""
    rows = [
        (f"SYN-{who:02d}", code, f"Month {month}" if month else "Baseline", month, value)
        for code, visits in values.items()
        for month, column in visits.items()
        for who, value in enumerate(column, start=1)
        if value is not None
    ]
    labs = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "AVISIT", "AVISITN", "AVAL"])
    return labs.assign(AVALU=labs["PARAMCD"].map(UNITS))


def check(trial: Trial, **tables: pd.DataFrame | None) -> pd.DataFrame:
    """Return the checks, by statement, of a trial with some of its tables changed."""
    return check_trial(with_tables(trial, **tables)).set_index("id")


def summarise(labs: pd.DataFrame) -> dict[str, float]:
    """Return the values of changes by id."""
    record = summarise_change(labs, Plan())
    return dict(zip(record["id"], record["value"], strict=True))


def make_results(code: str, months: tuple[int, ...] = MONTHS, **values: float) -> pd.DataFrame:
    """Return results of participants of whom one parameter changed alike at every visit."""
    found = {"diff": 1.0, "n": 20, "mean": 1.0, "p_t": 0.01, "p_wilcoxon": 0.01} | values
    rows = make_rows("set", {"count": 26}, group="SAFFL")
    rows += make_rows("enrolled", {"count": 26})
    for month in months:
        for statistic, value in found.items():
            analysis = "obs" if statistic == "diff" else "chg"
            rows += make_rows(analysis, {statistic: value}, parameter=code, visit=month)
    return pd.DataFrame(rows)


def judge(name: str, record: pd.DataFrame, plan: Plan | None = None) -> str:
    """Return the verdict on one statement from results made by hand."""
    checked = check_statements(load_statements(), record, plan or Plan())
    return str(checked.set_index("id").loc[name, "verdict"])


@pytest.mark.parametrize(
    ("rise", "verdict"),
    [
        ({"diff": 1.0, "mean": 1.0}, "holds"),
        ({"diff": 1.0, "mean": -1.0}, "holds only as observed"),
        ({"diff": -1.0, "mean": 1.0}, "holds only among pairs"),
        ({"diff": -1.0, "mean": -1.0}, "does not hold"),
    ],
)
def test_each_verdict_flips_with_the_sign_of_a_mean(rise: dict[str, float], verdict: str) -> None:
    assert verdict in VERDICTS
    fall = {name: -value for name, value in rise.items()}
    # Albumin was published as higher, ALT as lower.
    assert judge("E9", make_results("ALB", **rise)) == verdict
    assert judge("E3", make_results("ALT", **fall)) == verdict


@pytest.mark.parametrize(
    ("tests", "significant"),
    [
        ({"p_t": 0.04, "p_wilcoxon": 0.04}, True),
        ({"p_t": 0.06, "p_wilcoxon": 0.04}, False),
        ({"p_t": 0.04, "p_wilcoxon": 0.06}, False),
        ({"p_t": 0.05, "p_wilcoxon": 0.04}, False),
    ],
)
def test_a_significant_rise_needs_both_tests_below_the_level(
    tests: dict[str, float], significant: bool
) -> None:
    verdict = {True: "holds", False: "does not hold"}
    assert judge("E10", make_results("ALB", **tests)) == verdict[significant]
    assert judge("E10", make_results("ALB", mean=-1, **tests)) == "does not hold"


@pytest.mark.parametrize(
    ("tests", "holds"),
    [
        ({"p_t": 0.06, "p_wilcoxon": 0.06}, True),
        ({"p_t": 0.05, "p_wilcoxon": 0.06}, True),
        ({"p_t": 0.04, "p_wilcoxon": 0.06}, False),
        ({"p_t": 0.06, "p_wilcoxon": 0.04}, False),
    ],
)
def test_no_significance_needs_both_tests_above_the_level(
    tests: dict[str, float], holds: bool
) -> None:
    verdict = {True: "holds", False: "does not hold"}
    assert judge("E4", make_results("ALT", **tests)) == verdict[holds]


def test_the_level_of_the_plan_governs_significance() -> None:
    tests = {"p_t": 0.03, "p_wilcoxon": 0.03}
    strict = Plan(level=0.99)
    assert judge("E10", make_results("ALB", **tests)) == "holds"
    assert judge("E10", make_results("ALB", **tests), strict) == "does not hold"
    assert judge("E4", make_results("ALT", **tests)) == "does not hold"
    assert judge("E4", make_results("ALT", **tests), strict) == "holds"
    rules = describe_rules(strict)["Rule"]
    assert "at the 1% level" in rules[2]


def test_a_statement_needs_the_visit_that_it_speaks_of() -> None:
    year = Plan(visits=plan_visits((0, 6, 12)), horizon_months=12)
    found = make_results("ALT", months=(6, 12), diff=-1, mean=-1, p_t=0.5, p_wilcoxon=0.5)
    assert judge("E1", found, year) == judge("E2", found, year) == "holds"
    missing = "not assessable: no visit 24 months after baseline"
    assert judge("E3", found, year) == missing
    # It speaks of all three changes.
    assert judge("E4", found, year) == missing
    assert "within one year" in describe_rules(year)["Assumed"][0]


def test_further_visits_are_none_of_the_published_ones() -> None:
    plan = Plan(visits=plan_visits((0, 3, 6, 12, 24, 36)), horizon_months=36)
    quiet = {"p_t": 0.5, "p_wilcoxon": 0.5}
    found = make_results("ALT", **quiet)
    loud = make_results("ALT", months=(3, 36), p_t=0.001, p_wilcoxon=0.001).iloc[2:]
    assert judge("E4", pd.concat([found, loud]), plan) == "holds"


def test_a_week_is_the_month_on_whose_day_it_is_due() -> None:
    weeks = Plan(visits=plan_visits((0, 12, 26), "week"), unit="week", horizon_months=6)
    found = make_results("ALB", months=(12, 26))
    checked = check_statements(load_statements(), found, weeks).set_index("id")
    assert checked.loc["E7", "verdict"] == "holds"
    assert [visit.words for visit in checked.loc["E7", "visits"]] == ["week 26"]
    # Week 12 is not the twelfth month.
    assert checked.loc["E8", "verdict"] == "not assessable: no visit 12 months after baseline"


def test_every_statement_is_listed_once() -> None:
    published = load_statements()
    ids = ["P1", "P2", "P3", *(f"N{i}" for i in range(1, 6)), *(f"E{i}" for i in range(1, 15))]
    assert published["id"].tolist() == [*ids, "S1", "C1", "C2", "C3", "C4"]
    assert (published["statement"].str.len() > 0).all()
    counts = published[published["count"] != ""].set_index("id")["count"].astype(int)
    assert counts.to_dict() == {"N1": 26, "N2": 23, "N3": 3, "N4": 2, "N5": 4, "S1": 0}


def test_the_two_readings_of_a_mean_can_disagree(synthetic: Trial) -> None:
    # C has the lowest albumin and leaves: the mean of those seen rises, A and B fall.
    labs = make_labs(ALB={0: [40, 36, 20], 6: [39, 34, None]})
    assert check(synthetic, adlb=labs).loc["E7", "verdict"] == "holds only as observed"
    found = summarise(labs)
    assert found["obs.alb.m6.diff"] == pytest.approx(36.5 - 32)
    assert found["chg.alb.m6.mean"] == pytest.approx(-1.5)
    assert (found["obs.alb.m6.n"], found["chg.alb.m6.n"]) == (2, 2)
    # Changes -1 and -2: t = -1.5 / 0.5 = -3 on 1 df, p = 1 - 2 atan(3) / pi.
    assert found["chg.alb.m6.p_t"] == pytest.approx(1 - 2 * np.arctan(3) / np.pi)


def test_significance_needs_both_tests(synthetic: Trial) -> None:
    # Five rises, all different: t is large, the least signed-rank p of five is 2/32 = .0625.
    first = [30.0] * 8
    five = make_labs(ALB={0: first[:5], 24: [34.8, 34.9, 35, 35.1, 35.2]})
    assert summarise(five)["chg.alb.m24.p_t"] < 0.001
    assert summarise(five)["chg.alb.m24.p_wilcoxon"] == pytest.approx(0.0625)
    assert not check(synthetic, adlb=five).loc["E10", "holds_pairs"]
    later = [34.8, 34.9, 35, 35.1, 35.2, 35.3]
    six = check(synthetic, adlb=make_labs(ALB={0: first[:6], 24: later}))
    assert six.loc["E10", "holds_pairs"]
    fallen = check(synthetic, adlb=make_labs(ALB={0: later, 24: first[:6]}))
    assert not fallen.loc["E10", "holds_pairs"], "a significant fall is not a rise"


def test_one_significant_visit_breaks_not_significant(synthetic: Trial) -> None:
    still = [50.0, 47, 52, 49, 51, 48]
    moved = [41.0, 41.1, 41.2, 41.3, 41.4, 41.5]
    first = [50.0] * 6
    none = check(synthetic, adlb=make_labs(ALT={0: first, 6: still, 12: still, 24: still}))
    assert none.loc["E4", "holds_pairs"]
    one = check(synthetic, adlb=make_labs(ALT={0: first, 6: still, 12: moved, 24: still}))
    assert not one.loc["E4", "holds_pairs"]


def test_meld_is_derived_in_any_unit(synthetic: Trial) -> None:
    # Creatinine below 1 mg/dL and INR 1 throughout: only 3.78 ln(bilirubin mg/dL) moves.
    bili = {0: [68.4, 68.4], 6: [34.2, 17.1]}
    labs = make_labs(BILI=bili, INR={0: [1, 1], 6: [1, 1]}, CREAT={0: [60, 60], 6: [60, 60]})
    assert check(synthetic, adlb=labs).loc["E12", "holds_pairs"]
    scores = derive_scores(labs, synthetic.adsl)
    change = summarise(scores)["chg.meld.m6.mean"]
    assert change == pytest.approx(-3.78 * np.log(2) * 1.5)
    factor = labs["PARAMCD"].map({"BILI": 17.1, "CREAT": 88.4, "INR": 1.0})
    other = labs.assign(AVAL=labs["AVAL"] / factor, AVALU=labs["AVALU"].replace("umol/L", "mg/dL"))
    again = summarise(derive_scores(other, synthetic.adsl))["chg.meld.m6.mean"]
    assert again == pytest.approx(change)


def test_equal_changes_have_a_direction_but_no_test(synthetic: Trial) -> None:
    found = check(synthetic, adlb=make_labs(ALB={0: [30, 32], 24: [33, 35]}))
    assert found.loc["E9", "holds_pairs"]
    assert "same amount" in found.loc["E10", "why_not"]
    one = check(synthetic, adlb=make_labs(ALB={0: [30, 32], 24: [33, None]}))
    assert one.loc["E9", "why_not"] == "fewer than two participants measured at both visits"


def test_what_was_not_recorded_is_said(synthetic: Trial) -> None:
    labs = synthetic.adlb[~synthetic.adlb["PARAMCD"].isin(["ALT", "INR"])]
    found = check(synthetic, adlb=labs, adae=None)
    why = found["why_not"]
    assert found.loc["P1", "verdict"] == NOT_TESTABLE
    assert found.loc["C1", "verdict"] == WEIGHED
    assert why[["E1", "E4"]].tolist() == ["alanine aminotransferase not recorded"] * 2
    assert why["E12"] == "INR not recorded"
    assert why["S1"] == "adverse events not recorded"
    assert found.loc["E5", "verdict"] in VERDICTS
    assert found.loc[["E1", "S1"], ["holds_observed", "holds_pairs"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("claim", "old", "new"),
    [
        ("N3", "DEATH", "LIVER TRANSPLANT"),
        ("N4", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP"),
        ("N5", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT"),
    ],
)
def test_one_outcome_more_or_less_breaks_a_count(
    synthetic: Trial, claim: str, old: str, new: str
) -> None:
    before = check(synthetic).loc[claim]
    adsl = synthetic.adsl.copy()
    adsl.loc[adsl.index[adsl["DCSREAS"] == old][0], "DCSREAS"] = new
    after = check(synthetic, adsl=adsl).loc[claim]
    assert before["holds_pairs"]
    assert not after["holds_pairs"]
    assert after["found_count"] == before["found_count"] - 1
    assert after["found_denominator"] == 26


def test_a_source_of_cells_breaks_n2(synthetic: Trial) -> None:
    adsl = synthetic.adsl.copy()
    adsl.loc[adsl.index[adsl["MSCSRC"] == "CORD BLOOD"][0], "MSCSRC"] = "BONE MARROW"
    after = check(synthetic, adsl=adsl).loc["N2"]
    assert after["found_count"] == 23
    assert not after["holds_pairs"], "2 cord blood and 1 bone marrow belong to the statement"


@pytest.mark.parametrize(("hours", "holds"), [(0.0, False), (24.0, False), (24.1, True)])
def test_serious_events_count_up_to_24_hours(synthetic: Trial, hours: float, holds: bool) -> None:
    assert synthetic.adae is not None
    adae = synthetic.adae.copy()
    adae.loc[adae.index[0], ["AESER", "AEHRINF"]] = ["Y", hours]
    row = check(synthetic, adae=adae).loc["S1"]
    assert bool(row["holds_pairs"]) is holds
    assert row["found_count"] == int(not holds)


def test_the_tables_are_left_as_they_were(synthetic: Trial) -> None:
    before = synthetic.adsl.copy(), synthetic.adlb.copy()
    check(synthetic)
    pd.testing.assert_frame_equal(synthetic.adsl, before[0])
    pd.testing.assert_frame_equal(synthetic.adlb, before[1])


def test_a_statement_survives_so_many_of_the_checks_that_were_asked(mayo: Trial) -> None:
    checked = check_trial(mayo)
    outcomes = {"mixed": True, "rank": False, "holm": None, "tip": False}
    checks = {"E7": [Check(name, survives, "") for name, survives in outcomes.items()]}
    record = ledger.summarise_ledger(checked, checks, mayo.plan)
    rows = [row for row in ledger.statement_rows(checked) if row.group == "E7"]
    heads = ["Id", "Statement"]
    shown = lay_out(record, rows, ledger.statement_columns(checked), heads)
    cells = dict(zip(shown.columns, show_cells(shown, record)[0], strict=True))
    assert cells["Survives"] == "1 of 3"
    assert cells["Checks asked"] == "mixed model yes, worst rank no, tipping point no"
