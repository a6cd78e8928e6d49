"""What the two-year result would be if the missing patients differed: sensitivity analyses.

Death and liver transplant are intercurrent events, met by a composite that ranks them worst; loss
to follow-up is missing data (ICH E9(R1)).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.imputation.mice import MICEData

from msct_helpers.efficacy import estimate_mean_change, is_log_scale
from msct_helpers.inference import estimate_sign_flip_p
from msct_helpers.population import derive_disposition
from msct_helpers.results import make_record, make_rows
from msct_helpers.schema import VISITS

IMPUTATIONS = 20
BURN_IN = 3
SEED = 20260101
DELTAS = np.round(np.arange(0, 2.01, 0.1), 1)
"""Shifts of the imputed values towards worse, in baseline standard deviations."""

BETTER = {"ALT": -1, "AST": -1, "BILI": -1, "ALB": 1, "PT": -1, "INR": -1, "MELD": -1}
"""Sign of a favourable change."""


@dataclass(frozen=True)
class Imputed:
    """Imputed changes of one endpoint, on the scale of analysis.

    ``change`` is (imputations, participants); ``missing`` marks who had no value at two years;
    ``spread`` is the baseline standard deviation.
    """

    change: np.ndarray
    missing: np.ndarray
    spread: float


def make_wide(labs: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return one row a participant with a baseline value, a column a visit, analysis scale."""
    own = labs[labs["PARAMCD"] == code]
    wide = own.pivot_table(index="USUBJID", columns="AVISITN", values="AVAL")
    wide = wide.reindex(columns=[float(m) for m in VISITS])
    wide.columns = pd.Index([f"m{m}" for m in VISITS])
    wide = wide.dropna(subset="m0")
    return np.log(wide) if is_log_scale(code) else wide


def simulate_imputations(labs: pd.DataFrame, code: str) -> Imputed | None:
    """Return multiple imputations of the two-year change by chained equations.

    Predictive mean matching from the other visits (statsmodels' MICE), under a fixed seed.

    Returns
    -------
    Imputed or None
        None where fewer than five participants have values at both ends.
    """
    wide = make_wide(labs, code)
    last = f"m{max(VISITS)}"
    if wide[last].notna().sum() < 5:
        return None
    missing = wide[last].isna().to_numpy()
    spread = float(wide["m0"].std())
    wide = wide.loc[:, wide.notna().sum() >= 5]
    data = MICEData(wide.reset_index(drop=True), k_pmm=5, rng=np.random.default_rng(SEED))
    draws = []
    data.update_all(BURN_IN)
    for _ in range(IMPUTATIONS):
        data.update_all(1)
        draws.append((data.data[last] - data.data["m0"]).to_numpy(dtype=float))
    return Imputed(np.array(draws), missing, spread)


def pool_rubin(
    estimates: np.ndarray, variances: np.ndarray, complete_df: float
) -> dict[str, float]:
    """Return Rubin's pooled estimate with Barnard and Rubin's degrees of freedom.

    Parameters
    ----------
    estimates, variances
        One for each imputation.
    complete_df
        Degrees of freedom if nothing were missing.

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
    half = float(stats.t.ppf(0.975, df)) * np.sqrt(total)
    p = 2 * float(stats.t.sf(abs(mean) / np.sqrt(total), df))
    return {"estimate": mean, "ci_low": mean - half, "ci_high": mean + half, "p_value": p}


def estimate_delta(imputed: Imputed, better: int, delta: float) -> dict[str, float]:
    """Return the pooled change when each imputed value is `delta` baseline SD worse."""
    shift = -better * delta * imputed.spread * imputed.missing
    change = imputed.change + shift
    size = change.shape[1]
    return pool_rubin(change.mean(axis=1), change.var(axis=1, ddof=1) / size, size - 1)


def estimate_composite(
    labs: pd.DataFrame, adsl: pd.DataFrame, code: str
) -> tuple[float, int, int, int]:
    """Return the exact signed-rank test in which death ranks worst and transplant next.

    Returns
    -------
    tuple
        p-value, number analysed, number with an event, number better than at baseline. The lost
        are missing and are left out.
    """
    wide = make_wide(labs, code)
    status = derive_disposition(adsl).set_index("USUBJID")["STATUS"].reindex(wide.index)
    change = BETTER[code] * (wide[f"m{max(VISITS)}"] - wide["m0"])
    worst = float(np.nanmax(np.abs(change))) if change.notna().any() else 1.0
    change = change.mask(status == "LIVER TRANSPLANT", -2 * worst - 1)
    change = change.mask(status == "DEATH", -3 * worst - 2).dropna()
    events = int(status.isin(["DEATH", "LIVER TRANSPLANT"]).sum())
    return (
        estimate_rank_p(change.to_numpy(dtype=float)),
        len(change),
        events,
        int((change > 0).sum()),
    )


def estimate_rank_p(change: np.ndarray) -> float:
    """Return the exact two-sided p-value of the signed-rank test, with mid-ranks for ties."""
    kept = change[change != 0]
    ranks = stats.rankdata(np.round(np.abs(kept), 9))
    return estimate_sign_flip_p(np.sign(kept) * ranks)


def summarise_missing(
    labs: pd.DataFrame, adsl: pd.DataFrame, family: pd.DataFrame, imputations: dict[str, Imputed]
) -> pd.DataFrame:
    """Return every endpoint's two-year change under each assumption about who is missing.

    Parameters
    ----------
    labs, adsl
        Measurements and scores of the full analysis set, and participants.
    family
        Record of `msct_helpers.inference.summarise_family`.
    imputations
        By PARAMCD, of the endpoints that can be imputed.

    Returns
    -------
    DataFrame
        Record, analyses ``mi`` (missing at random), ``rtb`` (missing return to baseline), both
        with change, ci_low, ci_high, p_value; ``composite`` with p_value, n, events_count,
        better_count; ``tip`` with tipping delta in baseline SD (NaN if none up to 2).
    """
    rows: list[dict[str, Any]] = []
    last = max(VISITS)
    for code, imputed in imputations.items():
        if not (family["parameter"] == code).any():
            continue
        unit = family.loc[
            (family["parameter"] == code) & (family["statistic"] == "change"), "unit"
        ].iloc[0]
        common: dict[str, Any] = {"parameter": code, "visit": last, "function": "summarise_missing"}
        size = imputed.change.shape[1]
        back = np.where(imputed.missing, 0.0, imputed.change[0])
        fixed = estimate_mean_change(back)
        results = {
            "mi": estimate_delta(imputed, BETTER[code], 0.0),
            "rtb": {
                "estimate": fixed["mean"],
                "ci_low": fixed["ci_low"],
                "ci_high": fixed["ci_high"],
                "p_value": fixed["p_t"],
            },
        }
        for analysis, found in results.items():
            shown = {
                "change": _show(code, found["estimate"]),
                "ci_low": _show(code, found["ci_low"]),
                "ci_high": _show(code, found["ci_high"]),
                "p_value": found["p_value"],
            }
            rows += make_rows(
                analysis, shown, unit=unit, n=size, method=METHODS[analysis], **common
            )
        p, n, events, better = estimate_composite(labs, adsl, code)
        ranked = {"p_value": p, "n": n, "events_count": events, "better_count": better}
        rows += make_rows("composite", ranked, n=n, method=METHODS["composite"], **common)
        rows += make_rows(
            "tip",
            {"delta": find_tipping(imputed, BETTER[code])},
            unit="SD",
            decimals=1,
            n=size,
            method=METHODS["tip"],
            **common,
        )
    return make_record(rows)


METHODS = {
    "mi": "multiple imputation by chained equations, Rubin's rules",
    "rtb": "missing values return to the participant's baseline",
    "composite": "exact signed rank, death worst, then transplant",
    "tip": "smallest shift of imputed values towards worse at which the interval includes zero",
}


def find_tipping(imputed: Imputed, better: int) -> float:
    """Return the smallest shift at which a favourable interval no longer excludes zero.

    0 where it includes zero without any shift, NaN where it excludes zero at every shift tried.
    """
    for delta in DELTAS:
        found = estimate_delta(imputed, better, float(delta))
        low = better * found["ci_low"] if better > 0 else -found["ci_high"]
        if low <= 0:
            return float(delta)
    return float("nan")


def trace_tipping(imputed: Imputed, better: int) -> pd.DataFrame:
    """Return delta, estimate, ci_low and ci_high in baseline SD along the shifts tried."""
    rows = []
    for delta in DELTAS:
        found = estimate_delta(imputed, better, float(delta))
        rows.append({"delta": float(delta)} | {k: v / imputed.spread for k, v in found.items()})
    return pd.DataFrame(rows)[["delta", "estimate", "ci_low", "ci_high"]]


def _show(code: str, value: float) -> float:
    return 100 * float(np.expm1(value)) if is_log_scale(code) else value
