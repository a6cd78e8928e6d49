"""Many simulated trials of one design, fitted at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import patsy

from msct_helpers.stats.mmrm.design import factorise_visits, split_formula
from msct_helpers.stats.mmrm.model import (
    WORST_CONDITION,
    Inference,
    adjust,
    compare_to_zero,
    make_starts,
)
from msct_helpers.stats.mmrm.reml import Floats, Statistics, maximise

CHUNK = 250
"""Trials fitted side by side: more would not fit in the processor's cache."""


@dataclass(frozen=True)
class BatchFit:
    """Fits of many trials: arrays of (trials, terms); NaN where a trial has no valid fit.

    ``converged`` says for each trial whether a maximum was reached.
    """

    terms: list[str]
    estimate: Floats
    se: Floats
    df: Floats
    p_value: Floats
    ci_low: Floats
    ci_high: Floats
    converged: npt.NDArray[np.bool_]


def fit_mmrm_batch(
    formula: str,
    design: pd.DataFrame,
    responses: npt.ArrayLike,
    *,
    subject: str,
    visit: str,
    level: float,
    inference: Inference = "kenward-roger",
) -> BatchFit:
    """Fit the same MMRM to many trials that share participants, visits and covariates.

    Parameters
    ----------
    formula
        As in `msct_helpers.stats.mmrm.model.fit_mmrm`; the response is not looked up in `design`.
    design
        Covariates: one row for every participant and visit.
    responses
        (trials, rows of `design`); NaN where a participant did not attend.
    subject, visit
        Columns of `design`.
    level
        Confidence level of the intervals.
    inference
        As in `msct_helpers.stats.mmrm.model.fit_mmrm`.

    Returns
    -------
    BatchFit
        One row a trial. A trial with too few complete cases, without a maximum, or whose maximum
        is on the edge of the parameter space has NaN.

    Raises
    ------
    ValueError
        If `design` is not a full grid or `responses` has another number of columns.
    """
    table = np.asarray(responses, dtype=float)
    codes, visits = factorise_visits(design[visit])
    who = pd.factorize(design[subject])[0]
    members, width = int(who.max()) + 1, len(visits)
    order = np.lexsort((codes, who))
    if len(design) != members * width or design.duplicated([subject, visit]).any():
        raise ValueError("design: expected one row for every participant and visit")
    if table.ndim != 2 or table.shape[1] != len(design):
        raise ValueError(f"responses: shape {table.shape}; expected (trials, {len(design)})")
    matrix = patsy.dmatrix(split_formula(formula)[1], design, NA_action="raise")
    terms = matrix.design_info.column_names
    grid = np.asarray(matrix)[order].reshape(members, width, -1)
    values = table[:, order].reshape(-1, members, width)
    parts = [
        fit_chunk(grid, values[i : i + CHUNK], inference) for i in range(0, len(values), CHUNK)
    ]
    estimate, se, df = (np.concatenate([p[i] for p in parts]) for i in range(3))
    tested = compare_to_zero(estimate, se, df, level)
    del tested["statistic"]
    return BatchFit(terms, estimate, se, df, **tested, converged=np.isfinite(se).all(axis=1))


def fit_chunk(grid: Floats, values: Floats, inference: Inference) -> tuple[Floats, Floats, Floats]:
    """Return estimates, standard errors and degrees of freedom of some trials."""
    trials, width, columns = len(values), values.shape[2], grid.shape[2]
    seen = ~np.isnan(values)
    spread = np.nanstd(values, axis=(1, 2))
    scale = np.where(spread > 0, spread, 1.0)
    stats = sum_patterns(grid, np.nan_to_num(values / scale[:, None, None]), seen)
    rank = max(int(np.linalg.matrix_rank(grid[:, t])) for t in range(width))
    usable = np.flatnonzero((seen.all(axis=2).sum(axis=1) >= width + rank) & (spread > 0))
    out = np.full((3, trials, columns), np.nan)
    if not len(usable):
        return out[0], out[1], out[2]
    own = stats.take(usable)
    point, slopes, done = maximise(own, make_starts(own, few=False))
    top = np.linalg.eigvalsh(slopes.hessian)[:, -1]
    spread = np.sqrt(np.einsum("zaa->za", point.sigma))
    correlation = point.sigma / (spread[:, :, None] * spread[:, None, :])
    inside = np.linalg.cond(correlation) < WORST_CONDITION
    good = np.flatnonzero(done & (top < 0) & inside)
    variance = np.linalg.inv(-slopes.hessian[good])
    phi, xx = point.phi[good], slopes.slope[good][:, :, :-1, :-1]
    plain = np.einsum("zkk->zk", phi)
    pull = np.einsum("zrk,zjkl,zlr->zrj", phi, xx, phi, optimize=True)
    df = 2 * plain**2 / np.einsum("zrj,zjk,zrk->zr", pull, variance, pull, optimize=True)
    adjusted = phi
    if inference == "kenward-roger":
        adjusted = adjust(own.take(good), point, slopes, variance, good)
    factor = scale[usable[good], None]
    out[0, usable[good]] = point.beta[good] * factor
    out[1, usable[good]] = np.sqrt(np.einsum("zkk->zk", adjusted)) * factor
    out[2, usable[good]] = np.inf if inference == "asymptotic" else df
    return out[0], out[1], out[2]


def sum_patterns(grid: Floats, values: Floats, seen: npt.NDArray[np.bool_]) -> Statistics:
    """Return sufficient statistics of each trial over the patterns that occur in any of them."""
    trials, members, width = values.shape
    bits = seen @ (1 << np.arange(width))
    found = np.unique(bits)
    found = found[found > 0]
    patterns = ((found[:, None] >> np.arange(width)) & 1).astype(float)
    member = (bits[:, None, :] == found[None, :, None]).astype(float)
    columns = grid.shape[2]
    cross = np.empty((trials, len(found), width, width, columns + 1, columns + 1))
    both = patterns[:, :, None] * patterns[:, None, :]
    squares = np.einsum("iak,ibl->iabkl", grid, grid).reshape(members, -1)
    shape = (trials, len(found), width, width, columns, columns)
    cross[..., :-1, :-1] = (member @ squares).reshape(shape) * both[:, :, :, None, None]
    weighted = member[:, :, :, None] * values[:, None]
    mixed = np.tensordot(weighted, grid, axes=(2, 0)).transpose(0, 1, 3, 4, 2)
    mixed = mixed.transpose(0, 1, 2, 4, 3) * both[..., None]
    cross[..., :-1, -1] = mixed
    cross[..., -1, :-1] = mixed.transpose(0, 1, 3, 2, 4)
    cross[..., -1, -1] = weighted.transpose(0, 1, 3, 2) @ values[:, None]
    return Statistics(patterns, member.sum(axis=2), cross)
