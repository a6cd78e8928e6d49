"""Kenward-Roger inference of many two-arm trials with monotone dropout, in closed form.

Where covariates are crossed with visit and nobody returns once gone, the restricted likelihood
falls apart into regressions of each visit on the covariates and the earlier visits, among those
still there. Their solution is the maximum; standard error and degrees of freedom follow from the
derivatives there, as in `msct_helpers.stats.mmrm`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from msct_helpers.stats.mmrm.model import adjust
from msct_helpers.stats.mmrm.reml import Floats, Statistics, differentiate, evaluate

COVARIATES = 3
"""Intercept, arm and baseline, each crossed with visit."""

CHUNK = 250
"""Trials side by side: more would not fit in the processor's cache."""


@dataclass(frozen=True)
class ArmTest:
    """Difference of the arms at the last visit, one value a trial."""

    estimate: Floats
    se: Floats
    df: Floats
    p_value: Floats


def compare_arms(base: Floats, outcome: Floats, arm: Floats) -> ArmTest:
    """Return the adjusted difference of two arms at the last visit, by MMRM with Kenward-Roger.

    The model has visit, and arm and baseline crossed with it, and an unstructured covariance
    matrix.

    Parameters
    ----------
    base
        (trials, patients).
    outcome
        (trials, patients, visits), missing from dropout on; each visit needs more than three
        patients and as many as there are earlier visits.
    arm
        (patients,) of 0 and 1.

    Raises
    ------
    ValueError
        If somebody is seen after a missed visit, or has no outcome at all.
    """
    seen = ~np.isnan(outcome)
    if (seen[..., 1:] & ~seen[..., :-1]).any() or not seen[..., 0].all():
        raise ValueError("outcome: expected to be missing from a visit on, and never at the first")
    parts = [
        fit_chunk(base[i : i + CHUNK], outcome[i : i + CHUNK], arm)
        for i in range(0, len(base), CHUNK)
    ]
    estimate, se, df = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return ArmTest(estimate, se, df, 2 * stats.t.sf(np.abs(estimate / se), df))


def fit_chunk(base: Floats, outcome: Floats, arm: Floats) -> tuple[Floats, Floats, Floats]:
    """Return estimate, standard error and degrees of freedom of some trials."""
    moments, count = sum_moments(base, outcome, arm)
    visits = outcome.shape[2]
    stats_ = cross(moments, count)
    point = evaluate(stats_, solve_sequence(moments, count))
    slopes = differentiate(stats_, point)
    variance = np.linalg.inv(-slopes.hessian)
    which = (visits - 1) * COVARIATES + 1
    adjusted = adjust(stats_, point, slopes, variance, np.arange(len(base)))
    column = point.phi[:, :, which]
    pull = np.einsum("zk,zjkl,zl->zj", column, slopes.slope[:, :, :-1, :-1], column, optimize=True)
    plain = column[:, which]
    df = 2 * plain**2 / np.einsum("zj,zjk,zk->z", pull, variance, pull, optimize=True)
    return point.beta[:, which], np.sqrt(adjusted[:, which, which]), df


def sum_moments(base: Floats, outcome: Floats, arm: Floats) -> tuple[Floats, Floats]:
    """Return moments and numbers of those last seen at each visit.

    Returns
    -------
    tuple
        (trials, visits, c, c) sums of products of intercept, arm, baseline and the outcomes; zero
        for outcomes never seen; and (trials, visits) numbers of patients.
    """
    trials, _, visits = outcome.shape
    # Constants fall into the intercept and the slope: centred values lose fewer digits.
    centred = base - base.mean(axis=1, keepdims=True)
    fixed = np.stack([np.ones_like(base), np.broadcast_to(arm, base.shape), centred], axis=2)
    values = np.concatenate([fixed, np.nan_to_num(outcome)], axis=2)
    last = (~np.isnan(outcome)).sum(axis=2) - 1
    moments = np.empty((trials, visits, values.shape[2], values.shape[2]))
    for visit in range(visits):
        own = values * (last == visit)[:, :, None]
        moments[:, visit] = own.transpose(0, 2, 1) @ values
    count = (last[:, :, None] == np.arange(visits)).sum(axis=1)
    return moments, count.astype(float)


def solve_sequence(moments: Floats, count: Floats) -> Floats:
    """Return (trials, visits, visits), the covariance matrix of greatest restricted likelihood."""
    trials, visits = count.shape
    sigma = np.zeros((trials, visits, visits))
    for t in range(visits):
        still = moments[:, t:].sum(axis=1)
        width = COVARIATES + t
        design, target = still[:, :width, :width], still[:, :width, width]
        slopes = np.linalg.solve(design, target[..., None])[..., 0]
        rest = still[:, width, width] - np.einsum("zk,zk->z", slopes, target)
        # Only what is spent on covariates counts: slopes on earlier visits are covariance.
        residual = rest / (count[:, t:].sum(axis=1) - COVARIATES)
        earlier = slopes[:, COVARIATES:]
        joint = np.einsum("zab,zb->za", sigma[:, :t, :t], earlier)
        sigma[:, t, :t] = sigma[:, :t, t] = joint
        sigma[:, t, t] = residual + np.einsum("za,za->z", joint, earlier)
    return sigma


def cross(moments: Floats, count: Floats) -> Statistics:
    """Return the sufficient statistics of the mixed model, patterns by last visit."""
    trials, visits = count.shape
    patterns = np.tri(visits)
    columns = visits * COVARIATES
    out = np.zeros((trials, visits, visits, visits, columns + 1, columns + 1))
    for g in range(visits):
        for a in range(g + 1):
            for b in range(g + 1):
                rows = slice(a * COVARIATES, (a + 1) * COVARIATES)
                cols = slice(b * COVARIATES, (b + 1) * COVARIATES)
                own = moments[:, g]
                out[:, g, a, b, rows, cols] = own[:, :COVARIATES, :COVARIATES]
                out[:, g, a, b, rows, -1] = own[:, :COVARIATES, COVARIATES + b]
                out[:, g, a, b, -1, cols] = own[:, COVARIATES + a, :COVARIATES]
                out[:, g, a, b, -1, -1] = own[:, COVARIATES + a, COVARIATES + b]
    return Statistics(patterns, count, out)
