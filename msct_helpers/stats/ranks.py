"""Tests over patterns of signs: exact signed ranks with their estimate, and a whole family."""

import numpy as np
import pandas as pd
from scipy import stats

TIED = 9
"""Decimals to which differences are rounded before they are ranked: the last binary digits, which
differ between machines, must not break ties of recorded values."""


EXACT = 500
"""Differences up to which distributions are enumerated; beyond, the normal approximation differs
in no decimal that is shown."""


def rank_signed(change: np.ndarray) -> np.ndarray:
    """Return twice the signed mid-rank of each difference, a whole number; zeros are dropped.

    Parameters
    ----------
    change
        n differences.
    """
    known = np.round(change, TIED)
    known = known[known != 0]
    return np.rint(2 * stats.rankdata(np.abs(known)) * np.sign(known)).astype(int)


def estimate_signed_rank_p(change: np.ndarray) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test.

    Zeros are dropped, ties get their mid-rank, and the distribution is the exact one given these
    ranks, over all patterns of signs; beyond `EXACT` differences its normal approximation.

    Parameters
    ----------
    change
        n differences.

    Notes
    -----
    Pratt and Gibbons, Concepts of Nonparametric Theory, 1981, section 3.7.
    """
    signed = rank_signed(change)
    if len(signed) > EXACT:
        return float(
            2 * stats.norm.sf(abs(signed.sum()) / np.sqrt((signed.astype(float) ** 2).sum()))
        )
    chance, total = sum_signs(np.abs(signed)), int(np.abs(signed).sum())
    far = np.abs(2 * np.arange(total + 1) - total) >= abs(int(signed.sum()))
    return float(min(chance[far].sum(), 1.0))


def find_side(change: np.ndarray) -> float:
    """Return to which side the signed ranks lean: 1 above zero, -1 below, 0 neither."""
    return float(np.sign(rank_signed(change).sum()))


def sum_signs(scores: np.ndarray) -> np.ndarray:
    """Return the chance of each sum of the positive scores when every sign is as likely.

    Parameters
    ----------
    scores
        Whole numbers, 0 or more.

    Returns
    -------
    array
        (total of the scores + 1,).
    """
    chance = np.zeros(int(scores.sum()) + 1)
    chance[0] = 1.0
    for score in scores:
        shifted = np.zeros_like(chance)
        shifted[score:] = chance[: len(chance) - score]
        chance = (chance + shifted) / 2
    return chance


def estimate_hodges_lehmann(change: np.ndarray, level: float) -> dict[str, float]:
    """Return the median of all pairwise means, with its exact interval.

    Parameters
    ----------
    change
        n differences, with those that rank last as infinite.
    level
        Confidence level; with ties the closed interval holds at least that.

    Returns
    -------
    dict
        hl, hl_low, hl_high; infinite where a limit lies among those who rank last, NaN where
        there are too few differences for a limit.

    Notes
    -----
    Hodges and Lehmann, Ann Math Stat 1963; 34: 598-611.
    """
    size = len(change)
    out = dict.fromkeys(("hl", "hl_low", "hl_high"), float("nan"))
    if not size:
        return out
    first, second = np.triu_indices(size)
    means = np.sort((change[first] + change[second]) / 2)
    out["hl"] = find_median(means)
    rank = find_rank(size, level)
    if rank:
        out |= {"hl_low": float(means[rank - 1]), "hl_high": float(means[-rank])}
    return out


def find_rank(size: int, level: float) -> int:
    """Return which of the sorted pairwise means is the limit of the interval; 0 where none is."""
    if size > EXACT:
        spread = np.sqrt(size * (size + 1) * (2 * size + 1) / 24)
        return int(size * (size + 1) / 4 - stats.norm.ppf((1 + level) / 2) * spread)
    below = np.cumsum(sum_signs(np.arange(1, size + 1)))
    return int(np.searchsorted(below, (1 - level) / 2, side="right"))


def find_median(values: np.ndarray) -> float:
    """Return the median of sorted values, which may be infinite."""
    low, high = values[(len(values) - 1) // 2], values[len(values) // 2]
    return float(low if low == high else (low + high) / 2)


def estimate_max_t_p(changes: pd.DataFrame, flips: int, seed: int) -> pd.Series:
    """Return step-down max-T p-values of mean changes that are correlated.

    Every sign pattern gives all changes of a participant one sign, so what they have in common
    stays; an adjusted p-value is the share of patterns in which the largest absolute t statistic
    of this comparison and all weaker ones is at least as large.

    Parameters
    ----------
    changes
        One row a participant, a column a comparison; missing values as NaN.
    flips
        Random patterns of signs, beside the one observed.
    seed
        Seed of the random generator.

    Returns
    -------
    Series
        By column; NaN where fewer than two changes are known or all are alike.

    Notes
    -----
    Westfall and Young, Resampling-Based Multiple Testing, 1993, algorithm 4.1.
    """
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(flips, len(changes)))
    known = changes.loc[:, changes.max() > changes.min()]
    size = np.abs(find_t(known.to_numpy(dtype=float), np.vstack([np.ones(len(changes)), signs])))
    weakest = np.argsort(size[0], kind="stable")
    largest = np.maximum.accumulate(size[:, weakest], axis=1)
    share = (largest >= size[0, weakest] * (1 - 1e-9)).mean(axis=0)
    # No comparison may come out below a stronger one.
    adjusted = np.maximum.accumulate(share[::-1])[::-1]
    return pd.Series(adjusted, known.columns[weakest]).reindex(changes.columns)


def find_t(changes: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Return the one-sample t statistic of each column under each pattern of signs.

    Parameters
    ----------
    changes
        (participants, comparisons), missing values as NaN.
    signs
        (patterns, participants) of 1 and -1.
    """
    size = (~np.isnan(changes)).sum(axis=0)
    squares, filled = np.nansum(changes**2, axis=0), np.nan_to_num(changes)
    mean = signs @ filled / size
    variance = (squares - size * mean**2) / (size - 1)
    with np.errstate(divide="ignore"):
        return mean / np.sqrt(np.maximum(variance, 0) / size)
