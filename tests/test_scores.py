"""Scores against published worked examples, and properties that hold for all input."""

import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msct_helpers.stats import scores

bili = st.floats(0.1, 60)
inr = st.floats(0.5, 12)
creat = st.floats(0.1, 15)
sodium = st.floats(110, 160)
alb = st.floats(0.8, 6)


def test_meld_worked_examples() -> None:
    # Tests of the R package ameld; a public calculator; public test data.
    assert scores.meld(4.2, 1.2, 1.9, rounded=False) == pytest.approx(20.0391626, abs=1e-7)
    assert scores.meld(4.2, 1.2, 1.9) == 20
    assert scores.meld_na(4.2, 1.2, 1.9, 125) == 28
    assert scores.meld(1.5, 1.5, 1.0) == 13
    assert scores.meld_na(1.5, 1.5, 1.0, 135) == 15
    assert scores.meld(2.0, 1.5, 1.2) == 15
    assert scores.meld_3_0(2.0, 1.5, 1.2, 138, 3.5, False, rounded=False) == pytest.approx(
        14.877, abs=5e-4
    )
    assert scores.meld_3_0(2.0, 1.5, 1.2, 138, 3.5, False) == 15
    assert scores.meld(0.9, 1.0, 0.8) == 6
    assert scores.meld_na(0.9, 1.0, 0.8, 140) == 6


def test_meld_3_0_by_hand() -> None:
    # Every term counts: a woman, bilirubin e, INR e, creatinine e, sodium 130, albumin 2.5.
    by_hand = 1.33 + 4.56 + 0.82 * 7 - 0.24 * 7 + 9.09 + 11.14 + 1.85 - 1.83 + 6
    found = scores.meld_3_0(np.e, np.e, np.e, 130, 2.5, True, rounded=False)
    assert found == pytest.approx(by_hand)
    assert scores.meld_3_0(np.e, np.e, np.e, 130, 2.5, True, upper=30) == 30
    # Beyond its bounds a value counts as the bound.
    low = scores.meld_3_0(1.0, 1.0, 1.0, 137, 3.5, False, rounded=False)
    assert scores.meld_3_0(0.3, 0.5, 0.4, 150, 5.0, False, rounded=False) == low == 6
    sick = scores.meld_3_0(1.0, 1.0, 3.0, 125, 1.5, False, rounded=False)
    assert scores.meld_3_0(1.0, 1.0, 9.0, 110, 1.0, False, rounded=False) == sick
    assert scores.meld_3_0(1.0, 1.0, 0.9, 125, 1.5, False, dialysis=True, rounded=False) == sick
    above = scores.meld_3_0(1.5, 1.0, 1.0, 137, 3.5, False, rounded=False)
    assert above == pytest.approx(6 + 4.56 * np.log(1.5))


def test_dialysis_counts_as_the_highest_creatinine() -> None:
    assert scores.meld_na(2.0, 1.5, 1.0, 130, dialysis=True) == scores.meld_na(2.0, 1.5, 4, 130)
    assert scores.meld(2.0, 1.5, 1.0, dialysis=True) == scores.meld(2.0, 1.5, 9) > 20
    with pytest.raises(ValueError, match=r"^dialysis: "):
        scores.meld(2.0, 1.5, 1.0, dialysis=2)


def test_other_worked_examples() -> None:
    # A laboratory reference; a published calculator page.
    assert scores.inr_from_pt(15, 12, 1.1) == pytest.approx(1.28, abs=0.005)
    assert scores.albi(20.52, 35) == pytest.approx(-2.109, abs=5e-4)
    assert scores.albi_grade(scores.albi(20.52, 35)) == 2
    np.testing.assert_array_equal(scores.albi_grade([-2.60, -2.59, -1.39, -1.38]), [1, 2, 2, 3])


def test_child_pugh_boundaries() -> None:
    assert scores.child_pugh(1.9, 1.6, 3.6, 0, 0) == 5
    assert scores.child_pugh(2.0, 1.7, 3.5, 1, 1) == 10
    assert scores.child_pugh(3.1, 2.4, 2.7, 2, 4) == 15
    assert scores.child_pugh(3.9, 1.0, 4.0, 0, 0, cholestatic=True) == 5
    assert scores.child_pugh(10.1, 1.0, 4.0, 0, 2, cholestatic=True) == 8
    assert list(scores.child_pugh_class([5, 6, 7, 9, 10, 15])) == list("AABBCC")
    assert scores.child_pugh_class(np.nan) is None


def test_both_limits_of_a_child_pugh_class_give_two_points() -> None:
    points = scores.child_pugh_points
    for code, values in (("BILI", [1.99, 2, 3, 3.01]), ("INR", [1.69, 1.7, 2.3, 2.31])):
        assert points(code, values).tolist() == [1, 2, 2, 3]
    assert points("ALB", [3.51, 3.5, 2.8, 2.79]).tolist() == [1, 2, 2, 3]
    assert points("BILI", [3.99, 4, 10, 10.01], True).tolist() == [1, 2, 2, 3]
    assert np.isnan(points("ALB", np.nan))
    # Ascites and grades of encephalopathy, each beside five points at least.
    assert [scores.child_pugh(1, 1, 4, a, 0) for a in range(3)] == [5, 6, 7]
    assert [scores.child_pugh(1, 1, 4, 0, e) for e in range(5)] == [5, 6, 6, 7, 7]


def test_scores_of_several_patients_stay_apart_and_gaps_stay_gaps() -> None:
    assert scores.child_pugh([1.0, 4.0], 1.0, 4.0, 0, 0).tolist() == [5, 7]
    np.testing.assert_array_equal(scores.albi_grade([np.nan, -3.0]), [np.nan, 1])
    for bad in (4, 16):
        with pytest.raises(ValueError, match=f"^points: {bad}; expected 5 to 15 points$"):
            scores.child_pugh_class([5.0, bad])


def test_mayo_risk_by_hand() -> None:
    # ln 1 = 0: only age and edema remain.
    assert scores.mayo_pbc_risk(1, 1, 50, 1, 0.5) == pytest.approx(0.039 * 50 + 0.859 * 0.5)
    assert scores.mayo_pbc_risk(np.e, np.e, 1, np.e, 0) == pytest.approx(
        0.871 - 2.53 + 0.039 + 2.38
    )


@given(bili, inr, creat, sodium, alb, st.floats(1, 2))
def test_worse_labs_never_score_lower(
    b: float, i: float, c: float, na: float, a: float, k: float
) -> None:
    start = scores.meld(b, i, c, rounded=False)
    for worse in ((b * k, i, c), (b, i * k, c), (b, i, c * k)):
        assert scores.meld(*worse, rounded=False) >= start
    assert scores.meld_na(b, i, c, na / k, rounded=False) >= scores.meld_na(
        b, i, c, na, rounded=False
    )
    assert scores.albi(b * k, a) >= scores.albi(b, a) >= scores.albi(b, a * k)


@given(bili, inr, creat)
def test_meld_floors_bounds_and_rounding(b: float, i: float, c: float) -> None:
    exact, whole = scores.meld(b, i, c, rounded=False), scores.meld(b, i, c)
    assert 6.43 - 1e-9 <= exact <= 40
    assert abs(whole - exact) <= 0.5 + 1e-6
    assert whole == int(whole)
    assert exact == scores.meld(max(b, 1), max(i, 1), min(max(c, 1), 4), rounded=False)
    assert scores.meld(b, i, c, dialysis=True) == scores.meld(b, i, 4.0)


def test_halves_are_rounded_away_from_zero() -> None:
    # Half to even would give 0, 2, 2 and 12.
    values = [0.5, 1.5, 2.5, 12.5, 12.4999, -0.5, np.nan]
    np.testing.assert_array_equal(
        scores.round_points(values), [1.0, 2.0, 3.0, 13.0, 12.0, -1.0, np.nan]
    )
    # 100 times 1.005 is 100.49999999999999 in binary: it counts as the half that it was.
    assert scores.round_points(100 * 1.005) == 101
    half = np.exp((12.5 - scores.MELD_CONSTANT) / scores.MELD_WEIGHTS["INR"])
    assert scores.meld(1.0, half, 1.0) == 13


def test_sodium_counts_above_eleven_points_only() -> None:
    def ratio(points: float) -> float:
        return float(np.exp((points - scores.MELD_CONSTANT) / scores.MELD_WEIGHTS["INR"]))

    assert scores.meld_na(1.0, ratio(11.2), 1.0, 125) == 11
    assert scores.meld_na(1.0, ratio(11.6), 1.0, 125) == 23  # 12 + 1.32 * 12 - 0.033 * 12 * 12
    assert scores.meld_na(1.0, ratio(10.9), 1.0, 125, rounded=False) == pytest.approx(10.9)
    assert scores.meld_na(1.0, ratio(11.1), 1.0, 125, rounded=False) > 22


def test_rounding_before_the_sodium_step_is_a_choice() -> None:
    rounded = scores.meld_na(1.5, 1.5, 1.0, 130)
    assert rounded == 19  # 13 + 1.32 * 7 - 0.033 * 13 * 7 = 19.237
    unrounded = scores.meld_na(1.5, 1.5, 1.0, 130, rounded=False)
    assert unrounded == pytest.approx(12.50390 + 1.32 * 7 - 0.033 * 12.50390 * 7, abs=1e-4)


@given(st.lists(bili, min_size=1, max_size=5))
def test_arrays_and_scalars_agree_and_missing_stays_missing(values: list[float]) -> None:
    series = pd.Series([*values, np.nan])
    out = scores.meld(series, 1.3, 1.1)
    assert out[:-1] == pytest.approx([scores.meld(v, 1.3, 1.1) for v in values])
    assert np.isnan(out[-1])
    for missing in (None, pd.NA, np.nan):
        assert np.isnan(scores.meld_3_0(missing, 1.3, 1.1, 138, 3.0, True))


@pytest.mark.parametrize("bad", [0, -1, "2.0", np.inf, [1.0, -2.0]])
def test_impossible_input_names_the_argument(bad: object) -> None:
    with pytest.raises(ValueError, match=r"bilirubin_mg_dl: .*expected a .*number"):
        scores.meld(bad, 1.0, 1.0)


def list_arguments() -> list[tuple[str, str]]:
    """Return every argument of every score that is a measurement."""
    choices = {"rounded", "floor_creatinine", "cap", "round_first"}
    return [
        (name, argument)
        for name, score in inspect.getmembers(scores, inspect.isfunction)
        if score.__module__ == scores.__name__
        and not name.startswith(("_", "x_", "round_", "child_pugh_p"))
        for argument, about in inspect.signature(score).parameters.items()
        if argument not in choices and about.kind is about.POSITIONAL_OR_KEYWORD
    ]


@pytest.mark.parametrize(("score", "argument"), list_arguments())
def test_text_is_refused_by_the_name_of_its_argument(score: str, argument: str) -> None:
    function = getattr(scores, score)
    given = {
        name: 1.0
        for name, about in inspect.signature(function).parameters.items()
        if about.default is about.empty
    }
    with pytest.raises(ValueError, match=rf"^{argument}: 'much'; expected a number$"):
        function(**given | {argument: "much"})


def test_impossible_levels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"edema: 0.3; expected 0, 0.5 or 1"):
        scores.mayo_pbc_risk(1, 3, 50, 11, 0.3)
    with pytest.raises(ValueError, match=r"encephalopathy: 5; expected a whole number from 0 to 4"):
        scores.child_pugh(1, 1, 4, 0, 5)
    with pytest.raises(ValueError, match=r"ascites: 3; expected a whole number from 0 to 2"):
        scores.child_pugh(1, 1, 4, 3, 0)
    with pytest.raises(ValueError, match=r"^cholestatic: "):
        scores.child_pugh(1, 1, 4, 0, 0, cholestatic=2)
    with pytest.raises(ValueError, match=r"female: 2; expected true or false"):
        scores.meld_3_0(1, 1, 1, 138, 3, 2)
