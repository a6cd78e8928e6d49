"""Primary inference and what the missing patients could do to it."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from msct_helpers import Trial
from msct_helpers.efficacy import inference, missing
from msct_helpers.efficacy import sections as passages
from msct_helpers.meld import derive as meld
from tests.conftest import get_text

CODES = tuple(passages.FAMILY)


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=9))
def test_sign_flip_test_equals_enumeration(change: list[int]) -> None:
    signs = np.array(list(itertools.product([-1, 1], repeat=len(change))))
    sums = np.abs(signs @ np.abs(change))
    expected = np.mean(sums >= abs(sum(change)))
    assert inference.estimate_sign_flip_p(np.array(change, dtype=float)) == pytest.approx(expected)


def test_exact_rank_test_equals_scipy_without_ties() -> None:
    change = np.array([1.2, -0.4, 3.1, 0.9, -2.2, 4.0, 5.5])
    expected = stats.wilcoxon(change, method="exact").pvalue
    assert missing.estimate_rank_p(change) == pytest.approx(expected)


def test_counts_alone_bound_the_composite() -> None:
    # All 17 without an event improve, e events rank worst; computed in R.
    for events, p in enumerate((0.0001, 0.0019, 0.018, 0.076, 0.203, 0.406)):
        change = np.concatenate([np.arange(1.0, 18), -100.0 - np.arange(events)])
        found = missing.estimate_rank_p(change)
        assert found < p if events == 0 else found == pytest.approx(p, rel=0.03)


def test_rubin_by_hand() -> None:
    # Within 1, between 1 over two imputations: total 1 + 1.5 * 1.
    out = missing.pool_rubin(np.array([0.0, np.sqrt(2)]), np.array([1.0, 1.0]), 25)
    assert out["estimate"] == pytest.approx(np.sqrt(0.5))
    share = 1.5 / 2.5
    observed = 25 * 26 / 28 * (1 - share)
    df = 1 / (1 / observed + share**2)
    assert out["ci_high"] - out["estimate"] == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(2.5))


def test_mayo_family_shows_the_reference_values(mayo: Trial) -> None:
    # R 4.2.2, mmrm 0.3.18: log bilirubin .4343 and albumin -.1942 at 24 months.
    text = get_text(inference.summarise_family(meld.derive_all(mayo), CODES))
    assert text["mmrm.bili.m24.change"] == "54.4"
    assert text["mmrm.alb.m24.change"] == "−0.194"
    assert text["mmrm.bili.m24.df"] == "59.2"


def test_holm_covers_the_whole_family(synthetic: Trial) -> None:
    record = inference.summarise_family(meld.derive_all(synthetic), CODES)
    raw, holm = (
        record.loc[record["statistic"] == s, "value"].to_numpy() for s in ("p_mmrm", "p_holm")
    )
    assert len(raw) == 15
    assert holm.min() == pytest.approx(raw.min() * 15)
    assert (holm >= raw).all()


def test_words_turn_with_the_direction(synthetic: Trial) -> None:
    labs = meld.derive_all(synthetic)
    worse = labs.assign(AVAL=labs["AVAL"].where(labs["AVISITN"] == 0, labs["AVAL"] * 3))
    for table, word in ((labs, "lower"), (worse, "higher")):
        said = passages.say_primary(inference.summarise_family(table, CODES), {})
        assert f"total bilirubin was {word} by" in said
    imputed = {"BILI": missing.simulate_imputations(worse, "BILI")}
    record = missing.summarise_missing(
        worse,
        synthetic.adsl,
        inference.summarise_family(worse, ("BILI",)),
        imputed,
    )
    assert "unfavourable side of zero" in passages.say_missing(record)


def test_a_worse_delta_moves_towards_worse(synthetic: Trial) -> None:
    labs = meld.derive_all(synthetic)
    for code in ("ALB", "MELD"):
        imputed = missing.simulate_imputations(labs, code)[24]
        trace = missing.trace_tipping(imputed, missing.BETTER[code])
        assert (np.diff(trace["estimate"]) * missing.BETTER[code] < 0).all()
        again = missing.simulate_imputations(labs, code)[24]
        assert (again.change == imputed.change).all()
        known = ~imputed.missing
        assert (imputed.change[:, known] == imputed.change[0, known]).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_death_ranks_below_any_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    who = [f"P{i}" for i in range(10)]
    labs = pd.DataFrame(
        {
            "USUBJID": np.repeat(who, 2),
            "PARAMCD": "ALB",
            "AVISITN": np.tile([0, 24], 10),
            "AVAL": rng.normal(30, 4, 20),
        }
    )
    adsl = pd.DataFrame(
        {"USUBJID": who, "EOSSTT": "COMPLETED", "DCSREAS": None, "EOSDY": 740.0}
    ).astype({"DCSREAS": object})
    alive = missing.estimate_composite(labs, adsl, "ALB")
    adsl.loc[0, ["EOSSTT", "DCSREAS", "EOSDY"]] = ["DISCONTINUED", "DEATH", 300.0]
    died = missing.estimate_composite(labs[labs["USUBJID"] != "P0"], adsl, "ALB")
    both = missing.estimate_composite(labs, adsl, "ALB")
    assert alive[1] == both[1] == 10
    assert died[1] == 9
    assert both[2] == 1
