"""Mixed model for repeated measures (MMRM) with small-sample inference.

Restricted maximum likelihood, unstructured covariance over visits, Kenward-Roger or Satterthwaite
inference as SAS PROC MIXED (DDFM=KR) and R's mmrm give it: both with the observed information of
the covariance parameters, Kenward-Roger in its linear form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats as distributions

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
    """

    coefficients: pd.DataFrame
    covariance: pd.DataFrame
    log_likelihood: float
    converged: bool
    inference: Inference
    level: float
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
    return finish(design, point, slopes, best, inference, level)


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
    level: float,
) -> MMRM:
    """Return the fit in the units of the data."""
    phi, slope = point.phi[best], slopes.slope[best][:, :-1, :-1]
    variance = np.linalg.inv(-slopes.hessian[best])
    adjusted = phi
    if inference == "kenward-roger":
        adjusted = adjust(design.stats, point, slopes, variance[None], np.array([best]))[0]
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
