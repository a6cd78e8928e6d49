"""Estimates of changes and proportions: known values, and what is left where nothing is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from msct_helpers.stats import estimate

CHANGE = np.array([1.0, -2.0, 4.0, 3.0, 2.5, 0.5])


def test_a_mean_change_is_that_of_the_paired_t_test() -> None:
    found = estimate.estimate_mean_change(CHANGE, 0.95)
    assert (found["mean"], found["sd"]) == pytest.approx((1.5, np.std(CHANGE, ddof=1)))
    assert found["p_t"] == pytest.approx(stats.ttest_1samp(CHANGE, 0).pvalue)
    half = stats.t.ppf(0.975, 5) * found["sd"] / np.sqrt(6)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((1.5 - half, 1.5 + half))
    # Ranks 2, -3, 6, 5, 4, 1: 3 or less on one side in 5 of 64 patterns, either side.
    assert found["p_wilcoxon"] == pytest.approx(10 / 64)


@pytest.mark.parametrize(("change", "mean"), [([], np.nan), ([2.0], 2.0), ([2.0, 2.0, 2.0], 2.0)])
def test_changes_without_spread_have_a_mean_and_no_test(change: list[float], mean: float) -> None:
    found = estimate.estimate_mean_change(np.array(change), 0.95)
    assert found["mean"] == pytest.approx(mean, nan_ok=True)
    for name in ("sd", "ci_low", "ci_high", "p_t", "p_wilcoxon"):
        assert np.isnan(found[name]), name
    # Two that differ suffice.
    assert estimate.estimate_mean_change(np.array([1.0, 3.0]), 0.95)["p_t"] < 0.5


def test_values_are_described_by_name() -> None:
    values = pd.Series([1.0, 2.0, 4.0, 8.0])
    found = estimate.describe_values(values, geometric=True)
    assert found == {
        "n": 4,
        "mean": 3.75,
        "sd": pytest.approx(np.std(values, ddof=1)),
        "median": 3.0,
        "q1": 1.75,
        "q3": 5.0,
        "geometric": pytest.approx(2**1.5),
    }
    assert "geometric" not in estimate.describe_values(values, geometric=False)


def test_proportions_have_their_exact_interval_in_per_cent() -> None:
    # binom.test in R 4.2.2.
    found = estimate.estimate_proportion(3, 26, 0.95)
    assert found == {
        "count": 3,
        "denominator": 26,
        "percent": pytest.approx(100 * 3 / 26),
        "percent_low": pytest.approx(2.45, abs=0.005),
        "percent_high": pytest.approx(30.15, abs=0.005),
    }


def test_two_uncertain_risks_differ_as_published() -> None:
    # Newcombe, Statistics in Medicine 1998; 17: 873-890, example a, method 10, by Wilson's limits.
    risks = []
    for count, total in ((56, 70), (48, 80)):
        low, high = proportion_confint(count, total, method="wilson")
        limits = {"percent_low": 100 * low, "percent_high": 100 * high}
        risks.append({"percent": 100 * count / total} | limits)
    found = estimate.compare_risks(*risks)
    assert list(found.values()) == pytest.approx([20.00, 5.24, 33.39], abs=0.005)


def test_the_limit_of_a_risk_that_was_not_seen() -> None:
    found = estimate.estimate_upper_limit(26, 0.95)
    # At that risk none of 26 has the event in one trial of twenty.
    assert (1 - found["percent_upper"] / 100) ** 26 == pytest.approx(0.05)
    assert found["percent_three"] == pytest.approx(300 / 26)
    assert estimate.estimate_upper_limit(1, 0.95)["percent_upper"] == pytest.approx(95)
    nobody = estimate.estimate_upper_limit(0, 0.95)
    assert set(nobody) == {"percent_upper", "percent_three"}
    assert np.isnan(list(nobody.values())).all()
