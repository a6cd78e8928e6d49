"""Change from baseline against values computed in R, and properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msct_helpers import Trial
from msct_helpers.ard.results import make_id
from msct_helpers.efficacy import change as efficacy
from msct_helpers.efficacy import course as sections
from tests.conftest import ROOT, get_text

REFERENCE = pd.read_csv(
    ROOT / "tests/reference/mayo_pbc_visits.csv", dtype=str, keep_default_na=False
)


@pytest.mark.parametrize(
    "row", REFERENCE.to_dict("records"), ids=lambda r: f"{r['parameter']}{r['visit']}"
)
def test_mayo_tables_equal_r_to_the_printed_digit(mayo: Trial, row: dict[str, str]) -> None:
    text = get_text(efficacy.summarise_change(mayo.efficacy_labs))

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
    record = efficacy.summarise_change(mayo.efficacy_labs)
    sentence = sections.say_disagreement(record, "BILI", 12)
    assert "below" in sentence
    assert "rose" in sentence
    assert sections.say_disagreement(record, "BILI", 24) == ""


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=30))
def test_flipping_the_sign_flips_the_interval_and_keeps_p(change: list[float]) -> None:
    one = efficacy.estimate_mean_change(np.array(change))
    two = efficacy.estimate_mean_change(-np.array(change))
    if np.isnan(one["ci_low"]):
        assert len(set(change)) == 1
        return
    assert one["ci_low"] == pytest.approx(-two["ci_high"], abs=1e-9)
    assert one["p_t"] == pytest.approx(two["p_t"])
    assert one["ci_low"] <= one["mean"] <= one["ci_high"]


def test_words_follow_the_direction(synthetic: Trial) -> None:
    labs = synthetic.efficacy_labs
    mirrored = labs.assign(AVAL=labs["AVAL"].max() + 1 - labs["AVAL"])
    for table, word in ((labs, "higher"), (mirrored, "lower")):
        record = efficacy.summarise_change(table)
        assert f"was {word} than at baseline" in efficacy.say_change(record, "ALB", "x", "g/L", 24)
        assert f"serum albumin was {word}" in sections.say_headline(record, sections.ENDPOINTS, {})


def test_exact_signed_rank_of_a_small_sample() -> None:
    # All five of five differences positive: 2 of 2^5 sign patterns are as extreme.
    assert efficacy.estimate_signed_rank_p(np.array([1.0, 2, 3, 4, 5])) == pytest.approx(2 / 32)


def test_too_few_changes_give_no_interval() -> None:
    out = efficacy.estimate_mean_change(np.array([1.0]))
    assert out["mean"] == 1
    assert np.isnan(out["p_t"])
