"""Exact signed ranks, their estimate, and max-T over a family."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from msct_helpers import Trial
from msct_helpers.stats import ranks

MIXED = np.array([1.2, -0.4, 3.1, 0.9, -2.2, 4.0, 5.5])


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9).filter(any))
def test_the_test_equals_enumeration_of_all_signs(change: list[int]) -> None:
    signed = ranks.rank_signed(np.array(change, dtype=float))
    signs = np.array(list(itertools.product([-1, 1], repeat=len(signed))))
    expected = np.mean(np.abs(signs @ np.abs(signed)) >= abs(signed.sum()))
    assert ranks.estimate_signed_rank_p(np.array(change, float)) == pytest.approx(expected)


def test_without_ties_it_is_wilcoxons_test() -> None:
    expected = stats.wilcoxon(MIXED, method="exact").pvalue
    assert ranks.estimate_signed_rank_p(MIXED) == pytest.approx(expected)
    # All five of five differences positive: 2 of 2^5 patterns are as extreme.
    assert ranks.estimate_signed_rank_p(np.arange(1.0, 6)) == pytest.approx(2 / 32)
    many = np.random.default_rng(1).normal(0.1, 1, 600)
    expected = stats.wilcoxon(many, method="asymptotic").pvalue
    assert ranks.estimate_signed_rank_p(many) == pytest.approx(expected, rel=1e-9)


# Computed with numpy, independently: differences rounded to recorded decimals, zeros dropped.
MAYO = {
    "BILI": (0.4138, 0.0065, 0.0002),
    "ALB": (0.0216, 0.1239, 0.0096),
    "PT": (0.2486, 0.0505, 0.0024),
}


@pytest.mark.parametrize("code", MAYO)
def test_real_patients_with_ties_and_zeros(mayo: Trial, code: str) -> None:
    own = mayo.efficacy_labs[mayo.efficacy_labs["PARAMCD"] == code]
    wide = own.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    found = [
        ranks.estimate_signed_rank_p((wide[v] - wide[0]).dropna().to_numpy()) for v in (6, 12, 24)
    ]
    assert found == pytest.approx(MAYO[code], abs=5e-5)


def test_hodges_lehmann_and_its_interval_invert_the_test() -> None:
    found = ranks.estimate_hodges_lehmann(MIXED, 0.95)
    pairs = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(MIXED, 2)]
    assert found["hl"] == pytest.approx(np.median(pairs))
    # Just inside the limits the shifted data are not rejected, just outside they are.
    for limit, out in ((found["hl_low"], -1e-6), (found["hl_high"], 1e-6)):
        assert ranks.estimate_signed_rank_p(MIXED - limit - out) <= 0.05
        assert ranks.estimate_signed_rank_p(MIXED - limit + out) > 0.05
    assert np.isnan(ranks.estimate_hodges_lehmann(MIXED[:5], 0.95)["hl_low"])


def test_limits_among_events_are_infinite() -> None:
    change = np.concatenate([np.full(5, -np.inf), np.linspace(-1, 3, 21)])
    found = ranks.estimate_hodges_lehmann(change, 0.95)
    assert found["hl_low"] == -np.inf
    assert np.isfinite([found["hl"], found["hl_high"]]).all()


def test_max_t_of_one_comparison_is_its_permutation_test() -> None:
    changes = pd.DataFrame({"a": MIXED})
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=len(MIXED))))
    t = np.abs(ranks.find_t(changes.to_numpy(), signs))
    expected = (t >= t[-1] - 1e-12).mean()
    found = ranks.estimate_max_t_p(changes, 20_000, 1)["a"]
    assert found == pytest.approx(expected, abs=0.004)
    assert t[-1, 0] == pytest.approx(stats.ttest_1samp(MIXED, 0).statistic)


def test_max_t_steps_down_as_by_hand() -> None:
    rng = np.random.default_rng(5)
    changes = pd.DataFrame(rng.normal([0.5, 1.2, 0.9], 1, (9, 3)), columns=list("abc"))
    changes.iloc[0, 0] = changes.iloc[3, 2] = np.nan
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=9)))
    flipped = (signs[:, :, None] * changes.to_numpy()).swapaxes(0, 1)
    t = np.abs(stats.ttest_1samp(flipped, 0, nan_policy="omit").statistic)
    order = np.argsort(-t[0])
    steps = [(t[:, order[i:]].max(axis=1) >= t[0, order[i]] - 1e-12).mean() for i in range(3)]
    expected = np.maximum.accumulate(steps)
    found = ranks.estimate_max_t_p(changes, 20_000, 1).to_numpy()
    assert found[order] == pytest.approx(expected, abs=0.008)
    assert (np.diff(expected) > 0.02).all()


def test_max_t_charges_nothing_for_copies_and_keeps_the_order() -> None:
    rng = np.random.default_rng(3)
    changes = pd.DataFrame(rng.normal([0.9, 0.1, 0.4], 1, (20, 3)), columns=list("abc"))
    alone = ranks.estimate_max_t_p(changes, 5_000, 1)
    copied = ranks.estimate_max_t_p(changes.assign(d=changes["a"], e=changes["c"]), 5_000, 1)
    assert copied[["a", "b", "c"]].tolist() == alone.tolist()
    assert copied["d"] == copied["a"]
    assert alone["c"] <= alone["a"] <= alone["b"]
    still = ranks.estimate_max_t_p(changes.assign(f=0.0), 100, 1)
    assert np.isnan(still["f"])


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_limits_beyond_the_exact_ones_go_on_as_they_were(level: float) -> None:
    exact, beyond = (ranks.find_rank(size, level) for size in (ranks.EXACT, ranks.EXACT + 1))
    # One difference more moves the limit by about half of all of them.
    assert 0 < beyond - exact < ranks.EXACT / 2
    # A limit is a whole rank, so its tail is the wanted one but for a step.
    size = ranks.EXACT + 1
    mean, variance = size * (size + 1) / 4, size * (size + 1) * (2 * size + 1) / 24
    assert stats.norm.cdf((beyond - mean) / np.sqrt(variance)) == pytest.approx(
        (1 - level) / 2, abs=1e-4
    )
