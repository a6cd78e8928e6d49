"""Time to death and to liver transplant, and what the lost could change (ICH E3 section 11.4).

Curves come from `statsmodels.duration`; this module arranges the data, adds log-log intervals and
reads the curves at the visits.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.cohort.population import VISIT_DAYS, derive_disposition
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import HORIZON_DAYS

CAUSES = {"DEATH": 1, "LIVER TRANSPLANT": 2}
"""Competing events and their codes; 0 is censored."""

KNOWN_AT_END = (*CAUSES, "IN FOLLOW-UP")
"""Status of participants of whom it is known whether they lived without transplant to the end."""


def derive_time_to_event(adsl: pd.DataFrame) -> pd.DataFrame:
    """Return time to the first of death and transplant within two years.

    Parameters
    ----------
    adsl
        USUBJID, EOSDY, EOSSTT, DCSREAS.

    Returns
    -------
    DataFrame
        USUBJID, STATUS, DAYS (from entry, at least 0) and EVENT: 0 censored, 1 death, 2 transplant.
    """
    out = derive_disposition(adsl)
    event = out["STATUS"].map(CAUSES).fillna(0).astype(int)
    return out.assign(DAYS=out["DAYS"].clip(lower=0), EVENT=event)


def estimate_survival(days: pd.Series, event: pd.Series, level: float = 0.95) -> pd.DataFrame:
    """Return the Kaplan-Meier curve with its log-log interval.

    Parameters
    ----------
    days, event
        Time and whether the event occurred then (otherwise censored), one a participant.
    level
        Confidence level.

    Returns
    -------
    DataFrame
        A row for day 0 and for each day with an event: DAY, SURVIVAL, SE (Greenwood), CI_LOW,
        CI_HIGH (NaN where the curve is 1 or 0).

    Notes
    -----
    Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2002, section 1.4.
    """
    start = pd.DataFrame({"DAY": [0.0], "SURVIVAL": [1.0], "SE": [0.0]})
    if not event.astype(bool).any():
        return start.assign(CI_LOW=np.nan, CI_HIGH=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = SurvfuncRight(days.to_numpy(), event.astype(int).to_numpy())
        curve = pd.DataFrame(
            {"DAY": fit.surv_times, "SURVIVAL": fit.surv_prob, "SE": fit.surv_prob_se}
        )
    # Products that end at zero leave a trace of rounding.
    curve["SURVIVAL"] = curve["SURVIVAL"].mask(curve["SURVIVAL"] < 1e-12, 0.0)
    curve = pd.concat([start, curve], ignore_index=True)
    low, high = estimate_log_log(curve["SURVIVAL"], curve["SE"], level)
    return curve.assign(CI_LOW=low, CI_HIGH=high)


def estimate_log_log(
    share: pd.Series, se: pd.Series, level: float = 0.95
) -> tuple[pd.Series, pd.Series]:
    """Return the log-log interval of probabilities; NaN where one is 0 or 1."""
    inside = share.where((share > 0) & (share < 1))
    half = stats.norm.ppf((1 + level) / 2) * se / (inside * np.log(inside)).abs()
    return inside ** np.exp(half), inside ** np.exp(-half)


def estimate_incidence(days: pd.Series, cause: pd.Series) -> pd.DataFrame:
    """Return the cumulative incidence of death and of transplant as competing risks.

    Parameters
    ----------
    days, cause
        Time, and what happened then: 0 censored, 1 death, 2 transplant.

    Returns
    -------
    DataFrame
        A row for day 0 and for each day of the data: DAY, and for each cause the Aalen-Johansen
        estimate and its standard error (columns DEATH, DEATH_SE, LIVER TRANSPLANT, ...).
    """
    names = [c for cause in CAUSES for c in (cause, f"{cause}_SE")]
    start = pd.DataFrame([[0.0] * 5], columns=["DAY", *names])
    if not cause.any():
        return start
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = CumIncidenceRight(days.to_numpy(), cause.to_numpy())
    curve = pd.DataFrame({"DAY": fit.times})
    for name, code in CAUSES.items():
        known = code <= len(fit.cinc)
        curve[name] = fit.cinc[code - 1] if known else 0.0
        curve[f"{name}_SE"] = fit.cinc_se[code - 1] if known else 0.0
    return pd.concat([start, curve], ignore_index=True)


def get_at(curve: pd.DataFrame, day: int) -> pd.Series:
    """Return the row of a step curve that holds at a day."""
    return curve[curve["DAY"] <= day].iloc[-1]


def is_reached(times: pd.DataFrame, day: int) -> bool:
    """Return whether anybody was followed to a day, or to the end of the two years."""
    return bool(((times["DAYS"] >= day) | (times["STATUS"] == "IN FOLLOW-UP")).any())


def summarise_survival(trial: Trial) -> pd.DataFrame:
    """Return transplant-free survival, cumulative incidences and numbers at risk at each visit.

    Returns
    -------
    DataFrame
        Record by visit: ``tfs`` percent, percent_low, percent_high, risk_count (followed to that
        day without an event); ``cif`` percent, percent_se, percent_low, percent_high by event;
        ``naive`` percent of death by one minus Kaplan-Meier with transplants censored, and
        excess_percent over the cumulative incidence. Missing at a visit that
        nobody reached.
    """
    times = derive_time_to_event(trial.adsl)
    free = estimate_survival(times["DAYS"], times["EVENT"] > 0)
    incidence = estimate_incidence(times["DAYS"], times["EVENT"])
    alone = estimate_survival(times["DAYS"], times["EVENT"] == CAUSES["DEATH"])
    rows: list[dict[str, Any]] = []
    for month, day in VISIT_DAYS.items():
        common: dict[str, Any] = {"visit": month, "n": len(times), "function": "summarise_survival"}
        at = get_at(free, day)
        reached = is_reached(times, day) or at["SURVIVAL"] == 0
        shown = {
            "percent": 100 * at["SURVIVAL"],
            "percent_low": 100 * at["CI_LOW"],
            "percent_high": 100 * at["CI_HIGH"],
            "risk_count": int((times["DAYS"] >= day).sum()),
        }
        shown = shown if reached else dict.fromkeys(shown, np.nan) | {"risk_count": 0}
        rows += make_rows("tfs", shown, method="Kaplan-Meier, log-log 95% interval", **common)
        at = get_at(incidence, day)
        for cause in CAUSES:
            low, high = estimate_log_log(1 - at[[cause]], at[[f"{cause}_SE"]].set_axis([cause]))
            shown = {
                "percent": 100 * at[cause],
                "percent_se": 100 * at[f"{cause}_SE"],
                "percent_low": 100 * (1 - float(high.iloc[0])),
                "percent_high": 100 * (1 - float(low.iloc[0])),
            }
            shown = shown if reached else dict.fromkeys(shown, np.nan)
            method = "Aalen-Johansen, competing risks, log-log 95% interval of one minus incidence"
            rows += make_rows("cif", shown, group=cause, method=method, **common)
        naive = 100 * (1 - get_at(alone, day)["SURVIVAL"]) if reached else np.nan
        for statistic, value, decimals in (
            ("percent", naive, 1),
            ("excess_percent", naive - 100 * at["DEATH"], 2),
        ):
            rows += make_rows(
                "naive",
                {statistic: value},
                group="DEATH",
                decimals=decimals,
                method="one minus Kaplan-Meier of death, transplants censored",
                **common,
            )
    return make_record(rows)


def summarise_bounds(trial: Trial) -> pd.DataFrame:
    """Return what the lost could change: two-year risks if none and if all of them had the event.

    Returns
    -------
    DataFrame
        Record, analysis ``bound``: groups ``DEATH`` and ``EVENT`` (death or transplant), each with
        ``ALIVE`` (all unknown alive without transplant) and ``DEAD`` (all unknown dead): count,
        denominator, percent with its exact interval; and ``UNKNOWN``, their number.
    """
    status = derive_disposition(trial.adsl)["STATUS"]
    dead = int((status == "DEATH").sum())
    moved = int((status == "LIVER TRANSPLANT").sum())
    unknown = int((~status.isin(KNOWN_AT_END)).sum())
    total = len(status)
    counts = {
        "DEATH ALIVE": dead,
        "DEATH DEAD": dead + unknown,
        "EVENT ALIVE": dead + moved,
        "EVENT DEAD": dead + moved + unknown,
        "UNKNOWN": unknown,
    }
    rows: list[dict[str, Any]] = []
    for group, count in counts.items():
        rows += make_rows(
            "bound",
            estimate_proportion(count, total),
            group=group,
            n=total,
            method=f"of all enrolled, within {HORIZON_DAYS} days, Clopper-Pearson 95% interval",
            function="summarise_bounds",
        )
    return make_record(rows)


def say_survival(record: pd.DataFrame) -> str:
    """Return the sentence on transplant-free survival at the last visit."""
    last = max(VISIT_DAYS)
    value = record.loc[record["id"] == f"tfs.m{last}.percent", "value"].item()
    if np.isnan(value):
        return (
            f"Survival without transplant at {last} months cannot be estimated: nobody was "
            "followed that long."
        )
    if value == 100:
        return f"No participant is known to have died or been transplanted within {last} months."
    low, high = ref("tfs", "percent_low", visit=last), ref("tfs", "percent_high", visit=last)
    if value == 0:
        return f"Nobody was alive without transplant and followed to {last} months."
    return (
        f"Transplant-free survival at {last} months was {ref('tfs', 'percent', visit=last)}% "
        f"(Kaplan-Meier, 95% confidence interval {low}% to {high}%)."
    )
