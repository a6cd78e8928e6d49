"""Published statements: the list itself, and each check on tables small enough to do by hand."""

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.abstract.statements import check_statements
from msct_helpers.trial.load import load_statements

UNITS = {"ALT": "U/L", "BILI": "umol/L", "ALB": "g/L", "INR": "1", "CREAT": "umol/L", "PT": "s"}


def make_labs(**values: dict[int, list[float | None]]) -> pd.DataFrame:
    """Return adlb of participants A, B, C... from values by parameter and visit."""
    rows = [
        (who, code, f"Month {month}" if month else "Baseline", month, value, UNITS[code])
        for code, visits in values.items()
        for month, column in visits.items()
        for who, value in zip("ABCDEFGH", column, strict=False)
        if value is not None
    ]
    names = ["USUBJID", "PARAMCD", "AVISIT", "AVISITN", "AVAL", "AVALU"]
    return pd.DataFrame(rows, columns=names)


def check(trial: Trial, **tables: pd.DataFrame | None) -> pd.DataFrame:
    """Return the checks, by statement, of a trial with some of its tables changed."""
    given = {"adsl": trial.adsl, "adlb": trial.adlb, "adae": trial.adae} | tables
    return check_statements(load_statements(), **given).set_index("id")


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
    row = check(synthetic, adlb=labs).loc["E7"]
    assert row["estimate_observed"] == pytest.approx(36.5 - 32)
    assert row["estimate_pairs"] == pytest.approx(-1.5)
    assert (row["n_observed"], row["n_pairs"]) == (2, 2)
    assert row["holds_observed"]
    assert not row["holds_pairs"]
    # Changes -1 and -2: t = -1.5 / 0.5 = -3 on 1 df, p = 1 - 2 atan(3) / pi.
    assert row["p_value"] == pytest.approx(1 - 2 * np.arctan(3) / np.pi)


def test_significance_needs_both_tests(synthetic: Trial) -> None:
    # Five rises, all different: t is large, the least signed-rank p of five is 2/32 = .0625.
    first = [30.0] * 8
    five = check(synthetic, adlb=make_labs(ALB={0: first[:5], 24: [34.8, 34.9, 35, 35.1, 35.2]}))
    assert five.loc["E10", "p_value"] < 0.001
    assert five.loc["E10", "p_wilcoxon"] == pytest.approx(0.0625)
    assert not five.loc["E10", "holds_pairs"]
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
    row = check(synthetic, adlb=labs).loc["E12"]
    assert row["estimate_pairs"] == pytest.approx(-3.78 * np.log(2) * 1.5)
    assert row["holds_pairs"]
    factor = labs["PARAMCD"].map({"BILI": 17.1, "CREAT": 88.4, "INR": 1.0})
    other = labs.assign(AVAL=labs["AVAL"] / factor, AVALU=labs["AVALU"].replace("umol/L", "mg/dL"))
    again = check(synthetic, adlb=other).loc["E12"]
    assert again["estimate_pairs"] == pytest.approx(row["estimate_pairs"])


def test_equal_changes_have_a_direction_but_no_test(synthetic: Trial) -> None:
    found = check(synthetic, adlb=make_labs(ALB={0: [30, 32], 24: [33, 35]}))
    assert found.loc["E9", "holds_pairs"]
    assert not found.loc["E10", "assessable"]
    assert "same amount" in found.loc["E10", "why_not"]
    one = check(synthetic, adlb=make_labs(ALB={0: [30, 32], 24: [33, None]}))
    assert one.loc["E9", "why_not"] == "fewer than two participants measured at both visits"


def test_what_was_not_recorded_is_said(synthetic: Trial) -> None:
    labs = synthetic.adlb[~synthetic.adlb["PARAMCD"].isin(["ALT", "INR"])]
    found = check(synthetic, adlb=labs, adae=None)
    why = found.loc[~found["assessable"], "why_not"]
    assert why["P1"] == "design, not testable"
    assert why["C1"] == "conclusion, not testable"
    assert why[["E1", "E4"]].tolist() == ["alanine aminotransferase not recorded"] * 2
    assert why["E12"] == "INR not recorded"
    assert why["S1"] == "adverse events not recorded"
    assert found.loc["E5", "assessable"]
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
    assert after["count"] == before["count"] - 1
    assert after["denominator"] == 26


def test_a_source_of_cells_breaks_n2(synthetic: Trial) -> None:
    adsl = synthetic.adsl.copy()
    adsl.loc[adsl.index[adsl["MSCSRC"] == "CORD BLOOD"][0], "MSCSRC"] = "BONE MARROW"
    after = check(synthetic, adsl=adsl).loc["N2"]
    assert after["count"] == 23
    assert not after["holds_pairs"], "2 cord blood and 1 bone marrow belong to the statement"


@pytest.mark.parametrize(("hours", "holds"), [(0.0, False), (24.0, False), (24.1, True)])
def test_serious_events_count_up_to_24_hours(synthetic: Trial, hours: float, holds: bool) -> None:
    assert synthetic.adae is not None
    adae = synthetic.adae.copy()
    adae.loc[adae.index[0], ["AESER", "AEHRINF"]] = ["Y", hours]
    row = check(synthetic, adae=adae).loc["S1"]
    assert bool(row["holds_pairs"]) is holds
    assert row["count"] == int(not holds)


def test_the_tables_are_left_as_they_were(synthetic: Trial) -> None:
    before = synthetic.adsl.copy(), synthetic.adlb.copy()
    check(synthetic)
    pd.testing.assert_frame_equal(synthetic.adsl, before[0])
    pd.testing.assert_frame_equal(synthetic.adlb, before[1])
