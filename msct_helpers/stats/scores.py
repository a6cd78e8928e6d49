"""Scores of liver disease as functions over arrays.

Every function takes scalars, lists, arrays or Series that broadcast together, and returns a float
for scalars and an array otherwise. Missing input (None, NaN, pandas' NA) gives NaN; impossible
input raises ValueError.
"""

from typing import Any

import numpy as np

from msct_helpers.stats.inputs import (
    Floats,
    refuse,
    to_flag,
    to_level,
    to_number,
    to_output,
    to_positive,
)
from msct_helpers.stats.rounding import round_half_away

MELD_WEIGHTS = {"BILI": 3.78, "INR": 11.20, "CREAT": 9.57}
"""Points of MELD(i) for a unit of the logarithm of each component (OPTN policy 9.1.D)."""

MELD_CONSTANT = 6.43
"""Points of MELD(i) where every component counts as 1."""

MELD_CAP = 40.0
"""Highest MELD score."""

SODIUM_RANGE = (125.0, 137.0)
"""Serum sodium in mmol/L outside which MELD-Na and MELD 3.0 take the nearer limit."""


def meld(
    bilirubin_mg_dl: Any,
    inr: Any,
    creatinine_mg_dl: Any,
    *,
    dialysis: Any = False,
    rounded: bool = True,
) -> Any:
    """Return MELD(i), the score without sodium.

    Parameters
    ----------
    bilirubin_mg_dl, inr, creatinine_mg_dl
        Total bilirubin (mg/dL), INR, creatinine (mg/dL). Each counts as at least 1; creatinine
        as at most 4.
    dialysis
        True where dialysed twice or more in the week (or 24 h of CVVHD): creatinine counts as 4.
    rounded
        Whether to round to whole points. Use False for change.

    Returns
    -------
    float or array
        Points, at most 40.

    Raises
    ------
    ValueError
        If a value is not a number above 0.

    Notes
    -----
    OPTN policy 9.1.D (2016).
    """
    terms = meld_terms(bilirubin_mg_dl, inr, creatinine_mg_dl, dialysis=dialysis)
    points = MELD_CONSTANT + sum(terms.values())
    return to_output(np.minimum(round_points(points) if rounded else points, MELD_CAP))


def meld_terms(
    bilirubin_mg_dl: Any, inr: Any, creatinine_mg_dl: Any, *, dialysis: Any = False
) -> dict[str, Floats]:
    """Return the points that each component adds to MELD(i), after its floor and cap.

    Parameters
    ----------
    bilirubin_mg_dl, inr, creatinine_mg_dl, dialysis
        As in `meld`.

    Returns
    -------
    dict
        Points by component, as `MELD_WEIGHTS` names them.
    """
    counted = {
        "BILI": np.maximum(to_positive(bilirubin_mg_dl, "bilirubin_mg_dl"), 1.0),
        "INR": np.maximum(to_positive(inr, "inr"), 1.0),
        "CREAT": _creatinine(creatinine_mg_dl, dialysis, 4.0),
    }
    return {code: MELD_WEIGHTS[code] * np.log(value) for code, value in counted.items()}


def meld_na(
    bilirubin_mg_dl: Any,
    inr: Any,
    creatinine_mg_dl: Any,
    sodium_mmol_l: Any,
    *,
    dialysis: Any = False,
    rounded: bool = True,
) -> Any:
    """Return MELD-Na: MELD(i) with a term for sodium where MELD(i) is above 11.

    Parameters
    ----------
    bilirubin_mg_dl, inr, creatinine_mg_dl, dialysis
        As in `meld`.
    sodium_mmol_l
        Serum sodium (mmol/L); counts as 125 to 137.
    rounded
        If True, MELD(i) is rounded before the sodium step and the result after it; if False,
        nothing is rounded. The order matters for about one input in seven.

    Returns
    -------
    float or array
        Points, at most 40.

    Raises
    ------
    ValueError
        If a value is not a number above 0.

    Notes
    -----
    OPTN policy 9.1.D (2016).
    """
    base = np.asarray(
        meld(bilirubin_mg_dl, inr, creatinine_mg_dl, dialysis=dialysis, rounded=rounded)
    )
    gap = 137.0 - np.clip(to_positive(sodium_mmol_l, "sodium_mmol_l"), *SODIUM_RANGE)
    with_sodium = base + 1.32 * gap - 0.033 * base * gap
    points = np.where(base > 11.0, with_sodium, base + 0.0 * gap)
    return to_output(np.minimum(round_points(points) if rounded else points, MELD_CAP))


def meld_3_0(
    bilirubin_mg_dl: Any,
    inr: Any,
    creatinine_mg_dl: Any,
    sodium_mmol_l: Any,
    albumin_g_dl: Any,
    female: Any,
    *,
    dialysis: Any = False,
    rounded: bool = True,
    upper: float = MELD_CAP,
) -> Any:
    """Return MELD 3.0.

    Parameters
    ----------
    bilirubin_mg_dl, inr, creatinine_mg_dl
        As in `meld`; creatinine counts as at most 3.
    sodium_mmol_l
        Serum sodium (mmol/L); counts as 125 to 137.
    albumin_g_dl
        Serum albumin (g/dL); counts as 1.5 to 3.5.
    female
        True or False.
    dialysis
        As in `meld`: creatinine counts as 3.
    rounded
        Whether to round to whole points.
    upper
        Highest score.

    Returns
    -------
    float or array
        Points, at most `upper`.

    Raises
    ------
    ValueError
        If a value is not a number above 0, or `female` is not true or false.

    Notes
    -----
    OPTN policy 9 (2023).
    """
    log_bili = np.log(np.maximum(to_positive(bilirubin_mg_dl, "bilirubin_mg_dl"), 1.0))
    log_inr = np.log(np.maximum(to_positive(inr, "inr"), 1.0))
    log_creat = np.log(_creatinine(creatinine_mg_dl, dialysis, 3.0))
    low_na = 137.0 - np.clip(to_positive(sodium_mmol_l, "sodium_mmol_l"), *SODIUM_RANGE)
    low_alb = 3.5 - np.clip(to_positive(albumin_g_dl, "albumin_g_dl"), 1.5, 3.5)
    points = (
        1.33 * to_flag(female, "female")
        + 4.56 * log_bili
        + 0.82 * low_na
        - 0.24 * low_na * log_bili
        + 9.09 * log_inr
        + 11.14 * log_creat
        + 1.85 * low_alb
        - 1.83 * low_alb * log_creat
        + 6.0
    )
    return to_output(np.minimum(round_points(points) if rounded else points, upper))


def albi(bilirubin_umol_l: Any, albumin_g_l: Any) -> Any:
    """Return the albumin-bilirubin score; lower is better.

    Parameters
    ----------
    bilirubin_umol_l, albumin_g_l
        Total bilirubin (umol/L) and serum albumin (g/L).

    Returns
    -------
    float or array
        Score; grade by `albi_grade`.

    Raises
    ------
    ValueError
        If a value is not a number above 0.

    Notes
    -----
    Johnson et al., J Clin Oncol 2015; 33: 550-558.
    """
    bili = to_positive(bilirubin_umol_l, "bilirubin_umol_l")
    return to_output(0.66 * np.log10(bili) - 0.085 * to_positive(albumin_g_l, "albumin_g_l"))


def albi_grade(score: Any) -> Any:
    """Return the ALBI grade: 1 up to -2.60, 2 up to -1.39, else 3; NaN where missing."""
    value = to_number(score, "score")
    return to_output(np.where(np.isnan(value), np.nan, 1.0 + (value > -2.60) + (value > -1.39)))


CHILD_PUGH_LIMITS = {"BILI": (2.0, 3.0), "INR": (1.7, 2.3), "ALB": (3.5, 2.8)}
"""Limits of the middle class (2 points, both included): mg/dL, no unit, g/dL."""

CHOLESTATIC_LIMITS = (4.0, 10.0)
"""Limits of bilirubin in primary biliary and sclerosing cholangitis, mg/dL."""


def child_pugh(
    bilirubin_mg_dl: Any,
    inr: Any,
    albumin_g_dl: Any,
    ascites: Any,
    encephalopathy: Any,
    *,
    cholestatic: Any = False,
) -> Any:
    """Return Child-Pugh points, 5 to 15; class by `child_pugh_class`.

    Parameters
    ----------
    bilirubin_mg_dl, inr, albumin_g_dl
        Total bilirubin (mg/dL), INR, serum albumin (g/dL).
    ascites
        0 none, 1 mild, 2 moderate or worse.
    encephalopathy
        Grade 0 to 4.
    cholestatic
        True for primary biliary or sclerosing cholangitis, whose bilirubin limits are higher.

    Returns
    -------
    float or array
        Points.

    Raises
    ------
    ValueError
        If a value is impossible.

    Notes
    -----
    Pugh et al., Br J Surg 1973; 60: 646-649.
    """
    parts = [
        child_pugh_points("BILI", to_positive(bilirubin_mg_dl, "bilirubin_mg_dl"), cholestatic),
        child_pugh_points("INR", to_positive(inr, "inr")),
        child_pugh_points("ALB", to_positive(albumin_g_dl, "albumin_g_dl")),
        to_level(ascites, "ascites", 2) + 1.0,
        1.0 + np.ceil(to_level(encephalopathy, "encephalopathy", 4) / 2.0),
    ]
    return to_output(np.sum(np.broadcast_arrays(*parts), axis=0))


def child_pugh_points(parameter: str, value: Any, cholestatic: Any = False) -> Floats:
    """Return the points, 1 to 3, that one laboratory value adds to the Child-Pugh score.

    Parameters
    ----------
    parameter
        BILI (mg/dL), INR or ALB (g/dL).
    value
        Measurements in that unit; NaN where missing.
    cholestatic
        As in `child_pugh`; counts for bilirubin only.
    """
    number = to_positive(value, parameter)
    low, high = CHILD_PUGH_LIMITS[parameter]
    if parameter == "ALB":
        return _points(number, number <= low, number < high)
    wide = (to_flag(cholestatic, "cholestatic") > 0) & (parameter == "BILI")
    lower = np.where(wide, CHOLESTATIC_LIMITS[0], low)
    upper = np.where(wide, CHOLESTATIC_LIMITS[1], high)
    return _points(number, number >= lower, number > upper)


def child_pugh_class(points: Any) -> Any:
    """Return the Child-Pugh class: A for 5-6, B for 7-9, C for 10-15 points; None where missing."""
    value = to_number(points, "points")
    bad = ~np.isnan(value) & ((value < 5) | (value > 15))
    refuse(value, bad, "points", "5 to 15 points")
    out = np.asarray(np.where(value <= 6, "A", np.where(value <= 9, "B", "C")), dtype=object)
    out[np.isnan(value)] = None
    return out.item() if out.ndim == 0 else out


def mayo_pbc_risk(
    bilirubin_mg_dl: Any, albumin_g_dl: Any, age: Any, protime_s: Any, edema: Any
) -> Any:
    """Return the Mayo risk score of primary biliary cholangitis.

    Parameters
    ----------
    bilirubin_mg_dl, albumin_g_dl, age, protime_s
        Total bilirubin (mg/dL), serum albumin (g/dL), age (years), prothrombin time (s).
    edema
        0 none, 0.5 untreated or resolved by diuretics, 1 despite diuretics.

    Returns
    -------
    float or array
        Risk score; higher is worse.

    Raises
    ------
    ValueError
        If a value is impossible.

    Notes
    -----
    Dickson et al., Hepatology 1989; 10: 1-7.
    """
    swelling = to_number(edema, "edema")
    refuse(swelling, ~np.isnan(swelling) & ~np.isin(swelling, (0, 0.5, 1)), "edema", "0, 0.5 or 1")
    return to_output(
        0.871 * np.log(to_positive(bilirubin_mg_dl, "bilirubin_mg_dl"))
        - 2.53 * np.log(to_positive(albumin_g_dl, "albumin_g_dl"))
        + 0.039 * to_positive(age, "age")
        + 2.38 * np.log(to_positive(protime_s, "protime_s"))
        + 0.859 * swelling
    )


def inr_from_pt(pt_s: Any, mean_normal_pt_s: Any, isi: Any) -> Any:
    """Return the INR of a prothrombin time (s), given the laboratory's mean normal time and ISI."""
    ratio = to_positive(pt_s, "pt_s") / to_positive(mean_normal_pt_s, "mean_normal_pt_s")
    return to_output(ratio ** to_positive(isi, "isi"))


def round_points(value: Any) -> Floats:
    """Return scores in whole points (`round_half_away`)."""
    return np.vectorize(lambda v: float(round_half_away(v)), otypes=[float])(value)


def _creatinine(value: Any, dialysis: Any, cap: float) -> Floats:
    creat = np.clip(to_positive(value, "creatinine_mg_dl"), 1.0, cap)
    return np.where(to_flag(dialysis, "dialysis") > 0, cap, creat)


def _points(value: Floats, middle: Any, upper: Any) -> Floats:
    return np.where(np.isnan(value), np.nan, 1.0 + middle + upper)
