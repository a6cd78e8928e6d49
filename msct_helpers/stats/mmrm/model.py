"""Mixed model for repeated measures (MMRM) with small-sample inference.

Restricted maximum likelihood, unstructured covariance over visits, Kenward-Roger or Satterthwaite
inference as SAS PROC MIXED (DDFM=KR) and R's mmrm give it: both with the observed information of
the covariance parameters, Kenward-Roger in its linear form or, as an option, with the second
derivatives of the covariance matrix as R's mmrm has them by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats as distributions

from msct_helpers.stats.mmrm.curvature import bend_covariance
from msct_helpers.stats.mmrm.design import Design, make_design
from msct_helpers.stats.mmrm.reml import (
    Derivatives,
    Floats,
    Point,
    Statistics,
    make_duplication,
    maximise,
)

Inference = Literal["kenward-roger", "satterthwaite", "asymptotic"]
INFERENCES = ("kenward-roger", "satterthwaite", "asymptotic")
Adjustment = Literal["linear", "second-derivatives"]
ADJUSTMENTS: tuple[Adjustment, Adjustment] = ("linear", "second-derivatives")
WORST_CONDITION = 1e10
"""Condition number of the correlations beyond which a maximum counts as lying on the edge."""


@dataclass(frozen=True)
class MMRM:
    """A fitted MMRM.

    Attributes
    ----------
    coefficients
        By term: estimate, se, df, statistic, p_value, ci_low, ci_high.
    covariance
        Covariance of the response, visit by visit.
    log_likelihood
        Restricted log-likelihood at the maximum, in the units of the response.
    converged
        Always True: a fit that does not converge is an error.
    inference
        How standard errors and degrees of freedom were obtained.
    level
        Confidence level of the intervals.
    adjustment
        Form of Kenward and Roger's adjustment of the standard error.
    """

    coefficients: pd.DataFrame
    covariance: pd.DataFrame
    log_likelihood: float
    converged: bool
    inference: Inference
    level: float
    adjustment: Adjustment
    _phi: Floats
    _adjusted: Floats
    _slope: Floats
    _variance: Floats

    def contrast(self, weights: Mapping[str, float]) -> pd.Series:
        """Return a linear combination of coefficients, with the columns of `coefficients`.

        Raises
        ------
        ValueError
            If a term is not in the model or all weights are zero.
        """
        terms = list(self.coefficients.index)
        unknown = [t for t in weights if t not in terms]
        if unknown:
            raise ValueError(f"term {unknown[0]!r}; expected among {', '.join(terms)}")
        row = np.array([float(weights.get(t, 0.0)) for t in terms])
        if not row.any():
            raise ValueError("every weight is zero; expected a contrast")
        found = infer(
            row[None],
            self.coefficients["estimate"].to_numpy(),
            self._phi,
            self._adjusted,
            self._slope,
            self._variance,
            self.inference,
            self.level,
        )
        return found.iloc[0].rename("contrast")


def fit_mmrm(
    formula: str,
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    level: float,
    inference: Inference = "kenward-roger",
    adjustment: Adjustment = "linear",
) -> MMRM:
    """Fit an MMRM with an unstructured covariance matrix.

    Parameters
    ----------
    formula
        Mean model in patsy's language, as ``"AVAL ~ C(AVISITN)"``; the response is a column.
    data
        One row a measurement; rows without a response are left out (missing at random).
    subject, visit
        Columns that name participant and visit.
    level
        Confidence level of the intervals.
    inference
        Standard errors and degrees of freedom: Kenward-Roger (adjusted standard error),
        Satterthwaite, or asymptotic (normal).
    adjustment
        Form of Kenward and Roger's standard error: linear in the elements of the covariance matrix,
        as SAS has it for an unstructured one, or with second derivatives by the logarithms of its
        Cholesky factor, in the order of the visits, as R's mmrm has it unless told otherwise.
        Estimates and degrees of freedom are the same.

    Returns
    -------
    MMRM
        The fit, at a maximum of the restricted likelihood.

    Raises
    ------
    ValueError
        If the data do not fit the model: see `msct_helpers.stats.mmrm.design.make_design`; too few
        complete cases for a bounded likelihood; or no maximum inside the parameter space.

    Notes
    -----
    Kenward and Roger, Biometrics 1997; 53: 983-997. Satterthwaite, Biometrics 1946; 2: 110-114.
    Fai and Cornelius, J Stat Comput Simul 1996; 54: 363-378.
    """
    if inference not in INFERENCES:
        raise ValueError(f"inference {inference!r}; expected one of {', '.join(INFERENCES)}")
    if adjustment not in ADJUSTMENTS:
        raise ValueError(f"adjustment {adjustment!r}; expected one of {', '.join(ADJUSTMENTS)}")
    design = make_design(formula, data, subject, visit)
    width = len(design.visits)
    needed = width + design.rank
    if design.complete < needed:
        raise ValueError(
            f"{design.complete} participants were seen at all {width} visits; expected at least "
            f"{needed}, with fewer the likelihood has no maximum"
        )
    starts = make_starts(design.stats, few=design.complete < 3 * width)
    point, slopes, done = maximise(repeat(design.stats, len(starts)), starts)
    best = int(np.argmax(np.where(done, point.loglik, -np.inf)))
    check_maximum(point, slopes, done, best)
    return finish(design, point, slopes, best, inference, adjustment, level)


def repeat(stats: Statistics, times: int) -> Statistics:
    """Return one trial's statistics so many times, to climb from several starts at once."""
    return stats if times == 1 else stats.take(np.zeros(times, dtype=np.intp))


def make_starts(stats: Statistics, *, few: bool) -> Floats:
    """Return starting covariance matrices: from residual products; more where data are few."""
    diagonal = np.einsum(
        "zgaakl,zga->zkl",
        stats.cross,
        np.broadcast_to(stats.seen, (*stats.count.shape, stats.seen.shape[1])),
    )
    beta = np.linalg.solve(diagonal[:, :-1, :-1], diagonal[:, :-1, -1][..., None])[..., 0]
    contrast = np.concatenate([beta, -np.ones((len(beta), 1))], axis=1)
    products = np.einsum("zgabkl,zk,zl->zab", stats.cross, contrast, contrast, optimize=True)
    pairs = np.einsum("zg,ga,gb->zab", stats.count, stats.seen, stats.seen)
    raw = products / np.maximum(pairs - 1, 1)
    spread = np.sqrt(np.maximum(np.einsum("zaa->za", raw), 1e-8))
    scale = spread[:, :, None] * spread[:, None, :]
    correlation = np.clip(raw / scale, -0.95, 0.95)
    visits = raw.shape[-1]
    identity = np.eye(visits)
    correlation = correlation * (1 - identity) + identity
    lowest = np.linalg.eigvalsh(correlation)[:, 0]
    shrink = np.clip((0.1 - lowest) / (1 - lowest), 0, 1)[:, None, None]
    first = ((1 - shrink) * correlation + shrink * identity) * scale
    if not few:
        return first
    compound = (0.5 + 0.5 * identity) * scale
    return np.concatenate([first, identity * scale, compound])


def check_maximum(point: Point, slopes: Derivatives, done: np.ndarray, best: int) -> None:
    """Raise ValueError unless the fit is a maximum inside the parameter space."""
    sigma = point.sigma[best]
    spread = np.sqrt(np.diag(sigma))
    if not done[best] or np.linalg.eigvalsh(slopes.hessian[best])[-1] >= 0:
        raise ValueError("the fit did not converge to a maximum of the restricted likelihood")
    if np.linalg.cond(sigma / np.outer(spread, spread)) > WORST_CONDITION:
        raise ValueError("the covariance matrix is singular at the best fit; no inference there")


def finish(
    design: Design,
    point: Point,
    slopes: Derivatives,
    best: int,
    inference: Inference,
    adjustment: Adjustment,
    level: float,
) -> MMRM:
    """Return the fit in the units of the data."""
    phi, slope = point.phi[best], slopes.slope[best][:, :-1, :-1]
    variance = np.linalg.inv(-slopes.hessian[best])
    adjusted = phi
    if inference == "kenward-roger":
        adjusted = adjust(design.stats, point, slopes, variance[None], np.array([best]))[0]
        if adjustment == "second-derivatives":
            adjusted = adjusted + curve(point.sigma[best], variance, phi, slope)
    beta = point.beta[best] * design.scale + design.centre * design.shift
    square = design.scale**2
    table = infer(
        np.eye(len(beta)),
        beta,
        phi * square,
        adjusted * square,
        slope / square,
        variance,
        inference,
        level,
    )
    columns = len(beta)
    freedom = float(design.stats.size[0]) - columns
    visits = pd.Index(design.visits)
    return MMRM(
        table.set_index(pd.Index(design.terms, name="term")),
        pd.DataFrame(point.sigma[best] * square, visits, visits),
        float(point.loglik[best]) - freedom * float(np.log(design.scale)),
        True,
        inference,
        level,
        adjustment,
        phi * square,
        adjusted * square,
        slope / square,
        variance,
    )


def adjust(
    stats: Statistics,
    point: Point,
    slopes: Derivatives,
    variance: Floats,
    trials: np.ndarray,
) -> Floats:
    """Return Kenward and Roger's covariance matrix of the coefficients, linear form.

    Parameters
    ----------
    stats, point, slopes
        Statistics, maximum and derivatives; `trials` of point and slopes are adjusted.
    variance
        (trials, parameters, parameters) covariance of the covariance parameters.
    """
    weight, phi = point.weight[trials], point.phi[trials]
    xx = slopes.slope[trials][:, :, :-1, :-1]
    count, visits = len(weight), weight.shape[2]
    dup = make_duplication(visits)
    cube = (dup @ variance @ dup.T).reshape(count, visits, visits, visits, visits)
    middle = np.einsum("zabcd,zgbc->zgad", cube, weight, optimize=True)
    outer = (weight @ middle @ weight).reshape(count, 1, -1)
    columns = stats.cross.shape[-1]
    flat = stats.cross.reshape(len(stats.cross), -1, columns * columns)
    second = (outer @ flat).reshape(count, columns, columns)[:, :-1, :-1]
    p = columns - 1
    mixed = (variance @ xx.reshape(count, -1, p * p)).reshape(count, -1, p, p)
    first = (xx @ phi[:, None] @ mixed).sum(axis=1)
    return phi + 2 * phi @ (second - first) @ phi


def curve(sigma: Floats, variance: Floats, phi: Floats, slope: Floats) -> Floats:
    """Return what second derivatives add to the linear form of Kenward and Roger's covariance.

    Minus half of Phi X'V^-1 B V^-1 X Phi, with B the second derivatives of the covariance matrix
    weighted by the covariances of its parameters (`bend_covariance`).

    Parameters
    ----------
    sigma, variance
        (visits, visits) covariance of the response; (parameters, parameters) that of its elements.
    phi, slope
        (columns, columns) and (parameters, columns, columns), as in `Point` and `Derivatives`.
    """
    bent = bend_covariance(sigma, variance)[np.triu_indices(len(sigma))]
    return -0.5 * phi @ np.einsum("j,jkl->kl", bent, slope) @ phi


def infer(
    rows: Floats,
    beta: Floats,
    phi: Floats,
    adjusted: Floats,
    slope: Floats,
    variance: Floats,
    inference: Inference,
    level: float,
) -> pd.DataFrame:
    """Return estimate, se, df, statistic, p_value, ci_low, ci_high of each row of weights.

    For a single contrast Kenward and Roger's degrees of freedom are Satterthwaite's.
    """
    estimate = rows @ beta
    turned = rows @ phi
    plain = np.einsum("rk,rk->r", turned, rows)
    pull = np.einsum("rk,jkl,rl->rj", turned, slope, turned, optimize=True)
    df = 2 * plain**2 / np.einsum("rj,jk,rk->r", pull, variance, pull)
    if inference == "asymptotic":
        df = np.full(len(rows), np.inf)
    se = np.sqrt(np.einsum("rk,kl,rl->r", rows, adjusted, rows))
    tested = compare_to_zero(estimate, se, df, level)
    return pd.DataFrame({"estimate": estimate, "se": se, "df": df} | tested)


def compare_to_zero(estimate: Floats, se: Floats, df: Floats, level: float) -> dict[str, Floats]:
    """Return statistic and p-value of the t-test against zero, and the interval beside it."""
    statistic = estimate / se
    half = distributions.t.ppf((1 + level) / 2, df) * se
    return {
        "statistic": statistic,
        "p_value": 2 * distributions.t.sf(np.abs(statistic), df),
        "ci_low": estimate - half,
        "ci_high": estimate + half,
    }
