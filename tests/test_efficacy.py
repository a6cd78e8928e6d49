"""Change from baseline against values computed in R, and properties."""

import re
from dataclasses import replace

import matplotlib.collections
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import same_color
from scipy import stats

from msct_helpers import Trial
from msct_helpers.ard.results import make_id
from msct_helpers.book.figures import BLUE
from msct_helpers.book.layout import Cell, lay_out, visit_rows
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy import change as efficacy
from msct_helpers.efficacy.composite import derive_outcomes, summarise_outcomes
from msct_helpers.efficacy.course import change_columns, value_columns
from msct_helpers.efficacy.figures import plot_courses, plot_forest, plot_outcomes
from msct_helpers.efficacy.inference import scale_values
from msct_helpers.stats.estimate import estimate_mean_change
from msct_helpers.trial.plan import Plan, plan_visits
from tests.conftest import ROOT, get_text, show_cells, with_tables

REFERENCE = pd.read_csv(
    ROOT / "tests/reference/mayo_pbc_visits.csv", dtype=str, keep_default_na=False
)


@pytest.mark.parametrize(
    "row", REFERENCE.to_dict("records"), ids=lambda r: f"{r['parameter']}{r['visit']}"
)
def test_mayo_tables_equal_r_to_the_printed_digit(mayo: Trial, row: dict[str, str]) -> None:
    text = get_text(efficacy.summarise_change(mayo.efficacy_labs, mayo.plan))

    def shown(analysis: str, statistic: str) -> str:
        key = make_id(analysis, statistic, row["parameter"], int(row["visit"]))
        return text[key].replace("0.", ".").replace("\N{MINUS SIGN}", "-")

    assert shown("obs", "n") == row["n"]
    assert shown("obs", "mean") == row["mean"]
    if row["visit"] != "0":
        for statistic, column in (("mean", "change"), ("p_t", "p_t"), ("p_wilcoxon",) * 2):
            assert shown("chg", statistic) == row[column]


def test_survivor_bias_is_said(mayo: Trial) -> None:
    # Those seen at 12 months began lower than those who were not: the mean falls, people rise.
    record = efficacy.summarise_change(mayo.efficacy_labs, mayo.plan)
    sentence = efficacy.say_disagreement(record, "BILI", mayo.plan.visit(12))
    assert "below" in sentence
    assert "rose" in sentence
    assert efficacy.say_disagreement(record, "BILI", mayo.plan.visit(24)) == ""


RECORDED = st.integers(-5_000, 5_000).map(lambda hundredths: hundredths / 100)
"""Changes as laboratories record them; beside 5e-324 a spread vanishes in binary."""


@given(st.lists(RECORDED, min_size=3, max_size=30))
def test_flipping_the_sign_flips_the_interval_and_keeps_p(change: list[float]) -> None:
    one = estimate_mean_change(np.array(change), 0.95)
    two = estimate_mean_change(-np.array(change), 0.95)
    if np.isnan(one["ci_low"]):
        assert len(set(change)) == 1
        return
    assert one["ci_low"] == pytest.approx(-two["ci_high"], abs=1e-9)
    assert one["p_t"] == pytest.approx(two["p_t"])
    assert one["ci_low"] <= one["mean"] <= one["ci_high"]


def test_words_follow_the_direction(synthetic: Trial) -> None:
    labs, plan = synthetic.efficacy_labs, synthetic.plan
    mirrored = labs.assign(AVAL=labs["AVAL"].max() + 1 - labs["AVAL"])
    for table, word in ((labs, "higher"), (mirrored, "lower")):
        record = efficacy.summarise_change(table, plan)
        assert f"was {word} than at baseline" in efficacy.say_change(record, plan, "ALB")


def make_pairs(changes: list[float]) -> pd.DataFrame:
    """Return albumin of some participants, 30 at baseline and changed at the last visit."""
    people = [f"P{i}" for i in range(len(changes))]
    first = pd.DataFrame({"USUBJID": people, "AVISITN": 0, "AVAL": 30.0})
    last = pd.DataFrame({"USUBJID": people, "AVISITN": 24, "AVAL": 30.0 + np.array(changes)})
    return pd.concat([first, last]).assign(PARAMCD="ALB", AVALU="g/L")


@pytest.mark.parametrize(
    ("changes", "clear"), [([-4.0, 1, 2, 3], "includes zero"), ([2.0, 3, 2, 4], "excludes zero")]
)
def test_the_verdict_follows_the_interval(changes: list[float], clear: str) -> None:
    plan = Plan()
    record = efficacy.summarise_change(make_pairs(changes), plan)
    assert f"which {clear};" in efficacy.say_change(record, plan, "ALB")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([], "not assessable, no participant has both values."),
        ([1.0], "too few changes to estimate an interval"),
        ([1.0, 1, 1], "changes too much alike to estimate an interval"),
    ],
)
def test_why_there_is_no_interval_is_said(changes: list[float], words: str) -> None:
    labs, plan = pd.concat([make_pairs([1.0, 2]).iloc[:2], make_pairs(changes)]), Plan()
    labs = labs.drop_duplicates(["USUBJID", "AVISITN"])
    record = efficacy.summarise_change(labs, plan)
    said = efficacy.say_change(record, plan, "ALB")
    assert said.startswith(f"Serum albumin at month 24: {words}")


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_the_paired_interval_follows_the_level(level: float) -> None:
    plan = replace(Plan(), level=level)
    record = efficacy.summarise_change(make_pairs([2.0, 3, 2, 4]), plan)
    found = [efficacy.get_value(record, "chg", s, "ALB", 24) for s in ("ci_low", "ci_high")]
    expected = stats.t.interval(level, 3, 2.75, stats.sem([2, 3, 2, 4]))
    assert found == pytest.approx(expected)


def test_words_follow_the_plan() -> None:
    plan = Plan(plan_visits((0, 12, 24), "week"), "week", 6, ("ALB",), level=0.9)
    record = efficacy.summarise_change(make_pairs([2.0, 3, 2, 4]), plan)
    sentence = efficacy.say_change(record, plan, "ALB")
    assert sentence.startswith("At week 24 mean serum albumin was higher")
    assert "(90% confidence interval" in sentence
    assert "Mean change, pairs (90% CI)" in change_columns(plan)


def test_no_change_is_neither_higher_nor_lower() -> None:
    plan = Plan(endpoints=("ALB",))
    record = efficacy.summarise_change(make_pairs([-1.0, 1, -2, 2]), plan)
    said = efficacy.say_change(record, plan, "ALB")
    assert said.startswith("At month 24 mean serum albumin was the same as at baseline (95%")


def test_only_the_full_analysis_set_counts(synthetic: Trial) -> None:
    adsl = synthetic.adsl.assign(FASFL=["N"] + ["Y"] * (len(synthetic.adsl) - 1))
    fewer = with_tables(synthetic, adsl=adsl)
    sizes = [
        efficacy.get_value(efficacy.summarise_change(t.efficacy_labs, t.plan), "obs", "n", "ALT", 0)
        for t in (synthetic, fewer)
    ]
    assert sizes == [26, 25]


def test_the_course_draws_who_was_better_and_who_left(synthetic: Trial) -> None:
    own = synthetic.efficacy_labs
    own, plan = own[own["PARAMCD"] == "ALB"], synthetic.plan
    status = derive_disposition(synthetic.adsl, plan)
    outcomes = derive_outcomes(scale_values(own, "ALB"), status, "ALB", plan.last)
    ax = plot_courses(own, status, plan).axes[0]
    drawn = [line for line in ax.lines if len(line.get_xdata()) > 0]
    dark = [line for line in drawn if same_color(line.get_color(), BLUE)]
    assert len(drawn) == 26
    assert len(dark) == (outcomes["OUTCOME"] == "BETTER").sum() == 12
    wide = own.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    gained = {tuple(row.dropna()) for _, row in wide[wide[24] > wide[0]].iterrows()}
    assert {tuple(line.get_ydata()) for line in dark} == gained
    assert ax.get_xlabel() == "Month"


def test_the_bars_of_outcomes_are_as_long_as_their_counts(synthetic: Trial) -> None:
    status = derive_disposition(synthetic.adsl, synthetic.plan)
    found = summarise_outcomes(synthetic.efficacy_labs, status, ("ALT", "ALB"), synthetic.plan)
    last = found[(found["analysis"] == "composite") & (found["visit"] == 24)]
    ax = plot_outcomes(last).axes[0]
    bars = np.array([[bar.get_width() for bar in group] for group in ax.containers])
    # From top to bottom ALT and albumin: better, not, not measured, transplanted, died.
    assert bars.T.tolist() == [[12, 3, 6, 2, 3], [11, 4, 6, 2, 3]]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["serum albumin", "ALT"]
    assert same_color(ax.containers[0][0].get_facecolor(), BLUE)


def make_family(p: list[float]) -> pd.DataFrame:
    """Return a family of comparisons of albumin at three visits with these adjusted p-values."""
    rows = {
        "standard": [0.1, 0.2, 0.3],
        "standard_low": [-0.1, 0.0, 0.1],
        "standard_high": [0.3, 0.4, 0.5],
        "p_holm": p,
    }
    return pd.concat(
        pd.DataFrame({"parameter": "ALB", "visit": [6, 12, 24], "statistic": s, "value": v}).assign(
            text=[f"{x:.2f}" for x in v], n=26
        )
        for s, v in rows.items()
    )


def test_the_forest_draws_intervals_and_fills_what_is_significant() -> None:
    family = make_family([0.2, 0.051, 0.049])
    ax = plot_forest(family, Plan()).axes[0]
    lines = next(c for c in ax.collections if isinstance(c, matplotlib.collections.LineCollection))
    drawn = np.array([segment[:, 0] for segment in lines.get_segments()])
    assert drawn == pytest.approx(np.array([[-0.1, 0.3], [0.0, 0.4], [0.1, 0.5]]))
    dots = next(c for c in ax.collections if isinstance(c, matplotlib.collections.PathCollection))
    filled = [same_color(colour, BLUE) for colour in dots.get_facecolor()]
    assert filled == [False, False, True]
    assert np.asarray(dots.get_offsets())[:, 0] == pytest.approx([0.1, 0.2, 0.3])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["month 6", "month 12", "month 24"]
    told = [text.get_text() for text in ax.texts]
    assert told[:3] == [
        "0.10 (-0.10 to 0.30)",
        "Serum albumin (n = 26), better →",
        "0.20 (0.00 to 0.40)",
    ]


def test_too_few_changes_give_no_interval() -> None:
    out = estimate_mean_change(np.array([1.0]), 0.95)
    assert out["mean"] == 1
    assert np.isnan(out["p_t"])


def test_values_and_changes_stand_in_their_cells(synthetic: Trial) -> None:
    record = efficacy.summarise_change(synthetic.efficacy_labs, synthetic.plan)

    def show(columns: dict[str, Cell]) -> dict[str, str]:
        shown = lay_out(record, visit_rows(synthetic.plan, "ALB"), columns, ["Visit"])
        return dict(zip(shown.columns, show_cells(shown, record)[-1], strict=True))

    assert show(value_columns(["ALB"])) == {
        "Visit": "Month 24",
        "Seen, n": "15",
        "Mean (SD)": "35.29 (5.65)",
        "Median (quartiles)": "34.00 (32.25 to 39.05)",
        "Pairs: at baseline": "32.17",
        "Pairs: at visit": "35.29",
    }
    assert show(change_columns(synthetic.plan)) == {
        "Visit": "Month 24",
        "All seen minus all at baseline": "3.59",
        "Pairs, n": "15",
        "Mean change, pairs (95% CI)": "3.12 (0.83 to 5.41)",
        "Hodges-Lehmann": "3.63",
        "p, paired t": "0.011",
        "p, Wilcoxon": "0.018",
    }


def test_numbers_behind_a_change_are_those_of_its_visit(synthetic: Trial) -> None:
    record = efficacy.summarise_change(synthetic.efficacy_labs, synthetic.plan)
    said = efficacy.say_change(record, synthetic.plan, "ALB")
    assert set(re.findall(r"\{chg\.alb\.(\w+)\.", said)) == {"m24"}
    own = record[(record["analysis"] == "chg") & (record["parameter"] == "ALB")]
    pairs = own[own["statistic"] == "n"].set_index("visit")["value"]
    assert pairs.tolist() == [19, 20, 15]
    assert (own["n"] == own["visit"].map(pairs)).all()
