"""Estimates, intervals and exact tests of changes, and of proportions."""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from msct_helpers.stats.ranks import estimate_hodges_lehmann, estimate_signed_rank_p


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
        mean, sd, ci_low, ci_high (paired t), p_t (paired t-test), p_wilcoxon
        (`msct_helpers.stats.ranks.estimate_signed_rank_p`); hl, hl_low, hl_high
        (`msct_helpers.stats.ranks.estimate_hodges_lehmann`).
        NaN where fewer than two changes are known or all are equal.
    """
    out = dict.fromkeys(("mean", "sd", "ci_low", "ci_high", "p_t", "p_wilcoxon"), float("nan"))
    out |= estimate_hodges_lehmann(change, level)
    if len(change):
        out["mean"] = float(np.mean(change))
    if len(change) < 2 or np.ptp(change) == 0:
        return out
    test = stats.ttest_1samp(change, 0.0)
    low, high = (float(limit) for limit in test.confidence_interval(level))
    out |= {"sd": float(np.std(change, ddof=1)), "ci_low": low, "ci_high": high}
    return out | {"p_t": float(test.pvalue), "p_wilcoxon": estimate_signed_rank_p(change)}


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


def compare_risks(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    """Return the difference of two independent risks, first minus second, with an interval.

    The limits of the difference are recovered from those of either risk, so that both count as
    uncertain, and either may come from a curve.

    Parameters
    ----------
    first, second
        percent, percent_low, percent_high of each, at one level.

    Returns
    -------
    dict
        percent, percent_low, percent_high, in percentage points.

    Notes
    -----
    Zou and Donner, Statistics in Medicine 2008; 27: 1693-1702.
    """
    p, q = first["percent"], second["percent"]
    below = np.hypot(p - first["percent_low"], second["percent_high"] - q)
    above = np.hypot(first["percent_high"] - p, q - second["percent_low"])
    return {
        "percent": p - q,
        "percent_low": float(p - q - below),
        "percent_high": float(p - q + above),
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
