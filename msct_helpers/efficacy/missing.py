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

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy.change import is_log_scale
from msct_helpers.stats.estimate import estimate_mean_change, estimate_sign_flip_p
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import VISITS

IMPUTATIONS = 50
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


class MainEffects(MICEData):
    """Chained equations that are linear in all other columns, without parsing a formula.

    MICEData's default formulas mean the same, but most of its time goes into building the same
    design matrices from text again and again. Predictions are rounded before donors are sought:
    laboratory values are full of ties, and the last binary digit, which differs between machines,
    would otherwise choose among them.
    """

    def _get_predicted(self, obj: Any) -> np.ndarray:
        return np.round(super()._get_predicted(obj), 9)

    def _make_design(self, vname: str) -> np.ndarray:
        others = self.data.drop(columns=vname).to_numpy(dtype=float)
        return np.column_stack([np.ones(len(others)), others])

    def get_fitting_data(self, vname: str) -> tuple[Any, ...]:
        """Return response and design where the variable was observed."""
        rows = self.ix_obs[vname]
        return self.data[vname].to_numpy()[rows], self._make_design(vname)[rows], {}, {}

    def get_split_data(self, vname: str) -> tuple[Any, ...]:
        """Return response and design where it was observed, and design where it was missing."""
        design, observed = self._make_design(vname), self.ix_obs[vname]
        response = self.data[[vname]].to_numpy()[observed]
        return response, design[observed], design[self.ix_miss[vname]], {}, {}


def make_wide(labs: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return one row a participant with a baseline value, a column a visit, analysis scale."""
    own = labs[labs["PARAMCD"] == code]
    wide = own.pivot_table(index="USUBJID", columns="AVISITN", values="AVAL")
    wide = wide.reindex(columns=[float(m) for m in VISITS])
    wide.columns = pd.Index([f"m{m}" for m in VISITS])
    wide = wide.dropna(subset="m0")
    return np.log(wide) if is_log_scale(code) else wide


def simulate_imputations(labs: pd.DataFrame, code: str) -> dict[int, Imputed]:
    """Return multiple imputations of the change at each visit by chained equations.

    Predictive mean matching from the other visits (statsmodels' MICE), under a fixed seed.

    Returns
    -------
    dict
        By month; without the visits at which fewer than five participants have a value and a
        baseline.
    """
    wide = make_wide(labs, code)
    wide = wide.loc[:, wide.notna().sum() >= 5]
    months = [m for m in VISITS if m and f"m{m}" in wide]
    if not months or "m0" not in wide:
        return {}
    missing = wide.isna()
    spread = float(wide["m0"].std())
    data = MainEffects(wide.reset_index(drop=True), k_pmm=5, rng=np.random.default_rng(SEED))
    draws: dict[int, list[np.ndarray]] = {m: [] for m in months}
    data.update_all(BURN_IN)
    for _ in range(IMPUTATIONS):
        data.update_all(1)
        for m in months:
            draws[m].append((data.data[f"m{m}"] - data.data["m0"]).to_numpy(dtype=float))
    return {m: Imputed(np.array(draws[m]), missing[f"m{m}"].to_numpy(), spread) for m in months}


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
    labs: pd.DataFrame, adsl: pd.DataFrame, code: str, month: int = max(VISITS)
) -> tuple[float, int, int, int]:
    """Return the exact signed-rank test in which death ranks worst and transplant next.

    Counted are the events up to the day on which the visit is due.

    Returns
    -------
    tuple
        p-value, number analysed, number with an event, number better than at baseline. The lost
        are missing and are left out.
    """
    wide = make_wide(labs, code)
    course = derive_disposition(adsl, Plan()).set_index("USUBJID").reindex(wide.index)
    status = course["STATUS"].where(course["DAYS"] <= Plan().visit(month).day)
    change = BETTER[code] * (wide[f"m{month}"] - wide["m0"])
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
    labs: pd.DataFrame,
    adsl: pd.DataFrame,
    family: pd.DataFrame,
    imputations: dict[str, dict[int, Imputed]],
    months: tuple[int, ...] = (max(VISITS),),
) -> pd.DataFrame:
    """Return every endpoint's change under each assumption about who is missing.

    Parameters
    ----------
    labs, adsl
        Measurements and scores of the full analysis set, and participants.
    family
        Record of `msct_helpers.efficacy.inference.summarise_family`.
    imputations
        By PARAMCD and month (`simulate_imputations`).
    months
        Visits to speak of.

    Returns
    -------
    DataFrame
        Record, analyses ``mi`` (missing at random), ``rtb`` (missing return to baseline), both
        with change, ci_low, ci_high, p_value; ``composite`` with p_value, n, events_count,
        better_count; ``tip`` with the tipping points in baseline SD: delta (interval includes
        zero; NaN if none up to 2) and flip (mean change turns; NaN if nobody is missing).
    """
    rows: list[dict[str, Any]] = []
    changes = family[family["statistic"] == "change"]
    for code, by_month in imputations.items():
        units = changes.loc[changes["parameter"] == code, "unit"]
        for month in months:
            if len(units) and month in by_month:
                rows += describe_missing(labs, adsl, code, month, by_month[month], units.iloc[0])
    return make_record(rows)


def describe_missing(
    labs: pd.DataFrame, adsl: pd.DataFrame, code: str, month: int, imputed: Imputed, unit: str
) -> list[dict[str, Any]]:
    """Return the rows of one endpoint at one visit."""
    common: dict[str, Any] = {"parameter": code, "visit": month, "function": "summarise_missing"}
    size = imputed.change.shape[1]
    fixed = estimate_mean_change(np.where(imputed.missing, 0.0, imputed.change[0]))
    pooled = estimate_delta(imputed, BETTER[code], 0.0)
    back = {k: fixed[k] for k in ("ci_low", "ci_high")}
    back |= {"estimate": fixed["mean"], "p_value": fixed["p_t"]}
    rows: list[dict[str, Any]] = []
    for analysis, found in (("mi", pooled), ("rtb", back)):
        shown = {
            "change": _show(code, found["estimate"]),
            "ci_low": _show(code, found["ci_low"]),
            "ci_high": _show(code, found["ci_high"]),
            "p_value": found["p_value"],
        }
        rows += make_rows(analysis, shown, unit=unit, n=size, method=METHODS[analysis], **common)
    p, n, events, better = estimate_composite(labs, adsl, code, month)
    ranked = {"p_value": p, "n": n, "events_count": events, "better_count": better}
    rows += make_rows("composite", ranked, n=n, method=METHODS["composite"], **common)
    tips = {
        "delta": find_tipping(imputed, BETTER[code]),
        "flip": find_flip(imputed, BETTER[code], pooled["estimate"]),
    }
    rows += make_rows("tip", tips, unit="SD", decimals=1, n=size, method=METHODS["tip"], **common)
    return rows


METHODS = {
    "mi": "multiple imputation by chained equations, Rubin's rules",
    "rtb": "missing values return to the participant's baseline",
    "composite": "exact signed rank on the scale of analysis, death worst, then transplant",
    "tip": "shift of imputed values towards worse: interval includes zero, or mean change turns",
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


def find_flip(imputed: Imputed, better: int, estimate: float) -> float:
    """Return the shift at which the pooled mean change is no longer favourable.

    The pooled mean falls in proportion to the shift and the share missing. 0 where it is not
    favourable without any shift, NaN where it is and nobody is missing.
    """
    share = float(imputed.missing.mean())
    if better * estimate <= 0:
        return 0.0
    return better * estimate / (imputed.spread * share) if share else float("nan")


def trace_tipping(imputed: Imputed, better: int) -> pd.DataFrame:
    """Return delta, estimate, ci_low and ci_high in baseline SD along the shifts tried."""
    rows = []
    for delta in DELTAS:
        found = estimate_delta(imputed, better, float(delta))
        rows.append({"delta": float(delta)} | {k: v / imputed.spread for k, v in found.items()})
    return pd.DataFrame(rows)[["delta", "estimate", "ci_low", "ci_high"]]


def _show(code: str, value: float) -> float:
    return 100 * float(np.expm1(value)) if is_log_scale(code) else value
