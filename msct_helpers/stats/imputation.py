"""Multiple imputation by Bayesian normal regression, visit after visit, and Rubin's rules."""

import numpy as np
from scipy import stats

SPARE = 3
"""Participants seen at a visit beyond the coefficients of its regression, at least; with fewer,
only the first visit predicts, and then nothing but the visit's own mean."""


def impute(values: np.ndarray, imputations: int, rounds: int, seed: int) -> np.ndarray:
    """Return imputed copies of repeated measurements, valid if missing at random.

    Each visit is regressed on all earlier ones, which are imputed by then, and afterwards, in
    rounds, on all others; coefficients and residual variance are drawn from their posterior under
    the usual flat prior, and so is each missing value.

    Parameters
    ----------
    values
        (participants, visits) in order of time; missing values as NaN, none at the first visit.
    imputations
        How many copies are drawn; each is a chain of its own.
    rounds
        How often each visit is drawn again.
    seed
        Seed of the random generator.

    Returns
    -------
    array
        (imputations, participants, visits).

    Notes
    -----
    Rubin, Multiple Imputation for Nonresponse in Surveys, 1987, example 5.1; van Buuren, Flexible
    Imputation of Missing Data, 2018, section 3.2.
    """
    rng = np.random.default_rng(seed)
    copies = np.repeat(values[None].astype(float), imputations, axis=0)
    visits = list(range(values.shape[1]))
    gaps = [visit for visit in visits if np.isnan(values[:, visit]).any()]
    for round_ in range(rounds + 1):
        for visit in gaps:
            others = [v for v in visits if v < visit or (round_ and v > visit)]
            seen = ~np.isnan(values[:, visit])
            chosen = choose_predictors(others, int(seen.sum()))
            design = np.concatenate([np.ones_like(copies[:, :, :1]), copies[:, :, chosen]], axis=2)
            drawn = draw_missing(design[:, seen], values[seen, visit], design[:, ~seen], rng)
            copies[:, ~seen, visit] = drawn
    return copies


def choose_predictors(others: list[int], seen: int) -> list[int]:
    """Return the visits that predict one at which so many participants were seen."""
    for wanted in (others, [0]):
        if seen >= 1 + len(wanted) + SPARE:
            return wanted
    return []


def draw_missing(
    design: np.ndarray, response: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return one draw of each missing value from its posterior predictive distribution.

    Parameters
    ----------
    design, target
        (imputations, participants, coefficients) of those seen, and of those to be drawn.
    response
        (participants seen,).
    rng
        Random generator.

    Returns
    -------
    array
        (imputations, participants to be drawn).
    """
    copies, seen, size = design.shape
    root = find_root(design.swapaxes(1, 2) @ design)
    centre = np.einsum("mij,mkj,mnk,n->mi", root, root, design, response, optimize=True)
    residual = response - np.einsum("mnj,mj->mn", design, centre)
    deviation = np.sqrt((residual**2).sum(axis=1) / rng.chisquare(seen - size, copies))
    noise = np.einsum("mij,mj->mi", root, rng.standard_normal((copies, size)))
    slopes = centre + deviation[:, None] * noise
    error = rng.standard_normal(target.shape[:2])
    return np.einsum("mnj,mj->mn", target, slopes) + deviation[:, None] * error


def find_root(cross: np.ndarray) -> np.ndarray:
    """Return matrices that, times their transposes, are the inverses of cross-products.

    Parameters
    ----------
    cross
        (imputations, coefficients, coefficients); where one has no inverse, as where all values
        of a visit are alike, the pseudo-inverse stands for that of each.
    """
    try:
        return np.linalg.inv(np.linalg.cholesky(cross)).swapaxes(1, 2)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(cross)
        known = values > values.max(axis=1, keepdims=True) * 1e-12
        inverse = np.divide(1, values, out=np.zeros_like(values), where=known)
        return vectors * np.sqrt(inverse)[:, None, :]


def pool_rubin(
    estimates: np.ndarray, variances: np.ndarray, complete_df: float, level: float
) -> dict[str, float]:
    """Return Rubin's pooled estimate with Barnard and Rubin's degrees of freedom.

    Parameters
    ----------
    estimates, variances
        One for each imputation.
    complete_df
        Degrees of freedom if nothing were missing.
    level
        Confidence level.

    Notes
    -----
    Rubin 1987; Barnard and Rubin, Biometrika 1999; 86: 948-955.
    """
    m = len(estimates)
    mean, within = float(estimates.mean()), float(variances.mean())
    between = float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    observed = complete_df * (complete_df + 1) / (complete_df + 3) * (1 - share)
    df = observed if share == 0 else 1 / (1 / observed + share**2 / (m - 1))
    half = float(stats.t.ppf((1 + level) / 2, df)) * np.sqrt(total)
    p = 2 * float(stats.t.sf(abs(mean) / np.sqrt(total), df))
    return {"estimate": mean, "ci_low": mean - half, "ci_high": mean + half, "p_value": p}
