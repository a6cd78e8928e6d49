"""Estimates, intervals and exact tests of changes, and of proportions."""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

EXACT_LIMIT = 50
"""Below so many pairs without ties or zeros the signed-rank test is exact."""


def estimate_mean_change(change: np.ndarray, level: float) -> dict[str, float]:
    """Return mean, SD, t interval and p-values of paired changes.

    Parameters
    ----------
    change
        Changes from baseline of n participants, in the unit of the parameter; no missing values.
    level
        Confidence level.

    Returns
    -------
    dict
        mean, sd, ci_low, ci_high (paired t), p_t (paired t-test), p_wilcoxon (signed rank, see
        `estimate_signed_rank_p`).
        NaN where fewer than two changes are known or all are equal.
    """
    out = dict.fromkeys(("mean", "sd", "ci_low", "ci_high", "p_t", "p_wilcoxon"), float("nan"))
    if len(change):
        out["mean"] = float(np.mean(change))
    if len(change) < 2 or np.ptp(change) == 0:
        return out
    test = stats.ttest_1samp(change, 0.0)
    low, high = (float(limit) for limit in test.confidence_interval(level))
    out |= {"sd": float(np.std(change, ddof=1)), "ci_low": low, "ci_high": high}
    return out | {"p_t": float(test.pvalue), "p_wilcoxon": estimate_signed_rank_p(change)}


def estimate_signed_rank_p(change: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test; zeros are dropped.

    Exact below 50 pairs without ties or zeros, else the normal approximation without continuity
    correction.
    """
    size = np.abs(change[change != 0])
    exact = len(size) == len(change) < EXACT_LIMIT and len(np.unique(size)) == len(size)
    method = "exact" if exact else "asymptotic"
    return float(stats.wilcoxon(change[change != 0], method=method).pvalue)


def describe_values(values: pd.Series, geometric: bool) -> dict[str, float]:
    """Return n, mean, sd, median, q1, q3 and, where asked for, the geometric mean."""
    out = {
        "n": float(len(values)),
        "mean": values.mean(),
        "sd": values.std(),
        "median": values.median(),
        "q1": values.quantile(0.25),
        "q3": values.quantile(0.75),
    }
    return out | {"geometric": float(np.exp(np.log(values).mean()))} if geometric else out


GRID = 400_000
"""Steps into which a sum of changes is divided where changes lie on no grid of their own."""


def estimate_sign_flip_p(change: np.ndarray) -> float:
    """Return the exact two-sided p-value of the sign-flip permutation test of a mean change.

    Under no change each difference is as likely with either sign; the distribution of their sum
    over all 2^n sign patterns is built by adding one difference at a time.

    Parameters
    ----------
    change
        Differences. Those on a grid of up to three decimals are summed exactly; others are first
        rounded to 1/400,000 of the sum of their sizes.

    Notes
    -----
    Fisher, The Design of Experiments, 1935.
    """
    size = np.abs(change[change != 0]).astype(float)
    if not len(size):
        return 1.0
    scale = next(
        (s for s in (1, 2, 10, 100, 1000) if np.allclose(size * s, np.round(size * s), atol=1e-6)),
        None,
    )
    if scale is None or size.sum() * scale > GRID:
        scale = GRID / size.sum()
    steps = np.round(size * scale).astype(int)
    total = int(steps.sum())
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for step in steps:
        shifted = np.zeros_like(chance)
        shifted[step:] = chance[: len(chance) - step]
        chance = 0.5 * (chance + shifted)
    observed = int(steps[change[change != 0] > 0].sum())
    far = abs(2 * observed - total)
    sums = np.abs(2 * np.arange(total + 1) - total)
    return float(min(chance[sums >= far].sum(), 1.0))


def estimate_rank_p(change: np.ndarray) -> float:
    """Return the exact two-sided p-value of the signed-rank test, with mid-ranks for ties."""
    kept = change[change != 0]
    ranks = stats.rankdata(np.round(np.abs(kept), 9))
    return estimate_sign_flip_p(np.sign(kept) * ranks)


def estimate_proportion(count: int, total: int, level: float) -> dict[str, float]:
    """Return a proportion in per cent with its Clopper-Pearson interval.

    Parameters
    ----------
    count, total
        Participants with the event, and all; `total` at least 1.
    level
        Confidence level of the two-sided interval.

    Returns
    -------
    dict
        count, denominator, percent, percent_low, percent_high.

    Notes
    -----
    Clopper and Pearson, Biometrika 1934; 26: 404-413.
    """
    low, high = proportion_confint(count, total, alpha=1 - level, method="beta")
    return {
        "count": count,
        "denominator": total,
        "percent": 100 * count / total,
        "percent_low": 100 * float(low),
        "percent_high": 100 * float(high),
    }


def estimate_upper_limit(total: int, level: float) -> dict[str, float]:
    """Return how high a risk may be, in per cent, when none of `total` participants had the event.

    Returns
    -------
    dict
        percent_upper (exact one-sided limit) and percent_three (the rule of three, 3 / total).

    Notes
    -----
    Hanley and Lippman-Hand, JAMA 1983; 249: 1743-1745.
    """
    upper = 100 * (1 - (1 - level) ** (1 / total)) if total else float("nan")
    return {"percent_upper": upper, "percent_three": 300 / total if total else float("nan")}
