"""Wilcoxon's signed-rank test at one level, exactly, for many trials side by side."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HIGHEST_ALPHA = 7 / 32
"""Level up to which a sum within one standard deviation is never significant."""


def is_significant(change: Floats, alpha: float) -> Flags:
    """Return whether the exact two-sided signed-rank test rejects, row by row.

    Zeros are dropped and ties have their mid-rank; the distribution is that over all patterns of
    signs. Rows far from the limit are settled by two inequalities, the others in full.

    Parameters
    ----------
    change
        (trials, patients), whole numbers or values whose ties are exact; zero where missing.
    alpha
        Level, at most 7/32.

    Returns
    -------
    array
        (trials,). False where every change is zero.

    Notes
    -----
    Hoeffding (1963) bounds the tail from above by 2 exp(-z^2 / 2). A sum of signed numbers lies at
    least one standard deviation from zero with probability 7/32 or more (Dvorak and Tiba 2021), so
    a sum nearer than that is not significant.
    """
    if not 0 < alpha <= HIGHEST_ALPHA:
        raise ValueError(f"alpha {alpha:g}; expected above 0 and at most 7/32")
    doubled = rank_sizes(np.abs(change))
    total = np.abs((np.sign(change) * doubled).sum(axis=1))
    variance = (doubled**2).sum(axis=1)
    out: Flags = total**2 >= 2 * np.log(2 / alpha) * variance
    out &= variance > 0
    open_ = np.flatnonzero(~out & (total**2 > variance))
    if len(open_):
        out[open_] = compute_p(doubled[open_], total[open_]) < alpha
    return out


def rank_sizes(size: Floats) -> Floats:
    """Return twice the mid-rank of each size in its row among those above zero, else zero."""
    order = np.argsort(size, axis=1)
    ascending = np.take_along_axis(size, order, axis=1)
    rows, width = size.shape
    new = np.ones((rows, width + 1), dtype=bool)
    new[:, 1:-1] = ascending[:, 1:] != ascending[:, :-1]
    place = np.arange(width + 1)
    first = np.maximum.accumulate(np.where(new[:, :-1], place[:-1], 0), axis=1)
    after = np.where(new[:, 1:], place[1:], width)
    last = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    zeros = (size == 0).sum(axis=1)[:, None]
    ranks = np.where(ascending > 0, first + last + 1 - 2 * zeros, 0).astype(float)
    out = np.empty_like(ranks)
    np.put_along_axis(out, order, ranks, axis=1)
    return out


@lru_cache(maxsize=8)
def make_cosines(width: int) -> tuple[Floats, Floats, Floats, int]:
    """Return log sizes and signs of cosines by doubled rank and frequency, angles and period."""
    period = width * (width + 1) + 1
    angle = np.pi * np.arange(1, (period + 1) // 2) / period
    cosine = np.cos(np.arange(2 * width + 1)[:, None] * angle)
    return np.log(np.abs(cosine)), (cosine < 0).astype(float), angle, period


def compute_p(doubled: Floats, total: Floats) -> Floats:
    """Return exact two-sided p-values from doubled ranks and the absolute sum of signed ones.

    The characteristic function of the sum is a product of cosines; the chance of a smaller sum is
    its finite Fourier inverse, summed in closed form. The period is odd and longer than the range
    of the sum, so the inverse is exact and no cosine is zero.
    """
    rows, width = doubled.shape
    logs, negative, angle, period = make_cosines(width)
    cell = np.arange(rows)[:, None] * (2 * width + 1) + doubled.astype(np.intp)
    counts = np.bincount(cell.ravel(), minlength=rows * (2 * width + 1)).reshape(rows, -1)
    counts = counts.astype(float)
    counts[:, 0] = 0.0
    wave = np.exp(counts @ logs) * (1 - 2 * np.mod(counts @ negative, 2))
    kernel = np.sin((total[:, None] - 1) * angle) / np.sin(angle)
    nearer = (total - 1 + 2 * (kernel * wave).sum(axis=1)) / period
    out: Floats = np.where(total > 0, 1 - nearer, 1.0)
    return out
