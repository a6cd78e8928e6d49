"""Time to death and to liver transplant, and what the lost could change (ICH E3 section 11.4).

Curves come from `statsmodels.duration`; this module arranges the data, adds log-log intervals and
reads the curves at the visits.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from msct_helpers.ard.results import make_id, make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.cohort.population import derive_disposition, keeps_counts
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import Plan

CAUSES = {"DEATH": 1, "LIVER TRANSPLANT": 2}
"""Competing events and their codes; 0 is censored."""

KNOWN_AT_END = (*CAUSES, "IN FOLLOW-UP")
"""Status of participants of whom it is known whether they lived without transplant to the end."""


def derive_time_to_event(adsl: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return time to the first of death and transplant within the horizon.

    Parameters
    ----------
    adsl
        USUBJID, EOSDY, EOSSTT, DCSREAS.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        USUBJID, STATUS, DAYS (from entry, at least 0) and EVENT: 0 censored, 1 death, 2 transplant.
    """
    out = derive_disposition(adsl, plan)
    event = out["STATUS"].map(CAUSES).fillna(0).astype(int)
    return out.assign(DAYS=out["DAYS"].clip(lower=0), EVENT=event)


def estimate_survival(days: pd.Series, event: pd.Series, level: float) -> pd.DataFrame:
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


def estimate_log_log(share: pd.Series, se: pd.Series, level: float) -> tuple[pd.Series, pd.Series]:
    """Return the log(-log) interval of probabilities; NaN where one is 0 or 1.

    Notes
    -----
    Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2002, section 1.4; of a
    cumulative incidence: Choudhury, Stat Med 2002; 21: 1129-1144.
    """
    inside = share.where((share > 0) & (share < 1))
    half = stats.norm.ppf((1 + level) / 2) * se / (inside * np.log(inside)).abs()
    return inside ** np.exp(half), inside ** np.exp(-half)


def estimate_incidence(days: pd.Series, cause: pd.Series, level: float) -> pd.DataFrame:
    """Return the cumulative incidence of death and of transplant as competing risks.

    Parameters
    ----------
    days, cause
        Time, and what happened then: 0 censored, 1 death, 2 transplant.
    level
        Confidence level.

    Returns
    -------
    DataFrame
        A row for day 0 and for each day of the data: DAY, and for each cause the Aalen-Johansen
        estimate, its standard error, and its log(-log) interval (columns DEATH, DEATH_SE,
        DEATH_LOW, DEATH_HIGH, LIVER TRANSPLANT, ...).
    """
    times, shares, errors = [], [], []
    if cause.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            fit = CumIncidenceRight(days.to_numpy(), cause.to_numpy())
        times, shares, errors = fit.times, fit.cinc, fit.cinc_se
    curve = pd.DataFrame({"DAY": [0.0, *times]})
    for name, code in CAUSES.items():
        known = code <= len(shares)
        curve[name] = [0.0, *shares[code - 1]] if known else 0.0
        curve[f"{name}_SE"] = [0.0, *errors[code - 1]] if known else 0.0
        low, high = estimate_log_log(curve[name], curve[f"{name}_SE"], level)
        curve[f"{name}_LOW"], curve[f"{name}_HIGH"] = low, high
    return curve


def get_at(curve: pd.DataFrame, day: float) -> pd.Series:
    """Return the row of a step curve that holds at a day."""
    return curve[curve["DAY"] <= day].iloc[-1]


def is_reached(times: pd.DataFrame, free: pd.DataFrame, day: int) -> bool:
    """Return whether a curve can be read at a day: somebody was followed to it, or all are gone.

    Whoever was followed to the end of the horizon counts, though the visit may be due later.
    """
    followed = (times["DAYS"] >= day) | (times["STATUS"] == "IN FOLLOW-UP")
    return bool(followed.any()) or get_at(free, day)["SURVIVAL"] == 0


def read_curves(
    free: pd.DataFrame, incidence: pd.DataFrame, naive: pd.DataFrame, day: int
) -> dict[tuple[str, str], dict[str, float]]:
    """Return per cent at a day by statistic, by analysis and event."""
    at, risks = get_at(free, day), get_at(incidence, day)
    alone = 1 - get_at(naive, day)["SURVIVAL"]
    ends = {"percent": "", "percent_se": "_SE", "percent_low": "_LOW", "percent_high": "_HIGH"}
    limits = {"percent_low": at["CI_LOW"], "percent_high": at["CI_HIGH"]}
    found = {("tfs", ""): {"percent": at["SURVIVAL"], **limits}}
    found |= {("cif", cause): {s: risks[cause + e] for s, e in ends.items()} for cause in CAUSES}
    found["naive", "DEATH"] = {"percent": alone, "excess_percent": alone - risks["DEATH"]}
    return {key: {s: 100 * v for s, v in shown.items()} for key, shown in found.items()}


def summarise_survival(
    times: pd.DataFrame,
    free: pd.DataFrame,
    incidence: pd.DataFrame,
    naive: pd.DataFrame,
    plan: Plan,
) -> pd.DataFrame:
    """Return transplant-free survival, cumulative incidences and numbers at risk at each visit.

    Parameters
    ----------
    times
        `derive_time_to_event`.
    free, naive
        `estimate_survival` of both events, and of death with the transplanted censored.
    incidence
        `estimate_incidence`.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record by visit: ``tfs`` percent, percent_low, percent_high, risk_count (followed to that
        day without an event); ``cif`` percent, percent_se, percent_low, percent_high by event;
        ``naive`` percent of death by one minus Kaplan-Meier with transplants censored, and
        excess_percent over the cumulative incidence. Missing at a visit that
        nobody reached.
    """
    interval = f"log-log {plan.level_words} interval"
    methods = {
        "tfs": f"Kaplan-Meier, {interval}",
        "cif": f"Aalen-Johansen, competing risks, {interval} of the incidence",
        "naive": "one minus Kaplan-Meier of death, transplants censored",
    }
    rows: list[dict[str, Any]] = []
    for visit in plan.visits:
        found = read_curves(free, incidence, naive, visit.day)
        if not is_reached(times, free, visit.day):
            found = {key: dict.fromkeys(shown, np.nan) for key, shown in found.items()}
        found["tfs", ""]["risk_count"] = int((times["DAYS"] >= visit.day).sum())
        for (analysis, group), shown in found.items():
            for statistic, value in shown.items():
                rows += make_rows(
                    analysis,
                    {statistic: value},
                    group=group,
                    visit=visit.number,
                    n=len(times),
                    method=methods[analysis],
                    function="summarise_survival",
                    decimals=2 if statistic == "excess_percent" else None,
                )
    return make_record(rows)


def count_bounds(status: pd.Series) -> dict[str, int]:
    """Return how many had each event if all unknown were alive, and if all of them were dead.

    Unknown is whoever was last seen before the horizon ended, neither dead nor transplanted.
    """
    dead, moved = int((status == "DEATH").sum()), int((status == "LIVER TRANSPLANT").sum())
    unknown = int((~status.isin(KNOWN_AT_END)).sum())
    return {
        "DEATH ALIVE": dead,
        "DEATH DEAD": dead + unknown,
        "EVENT ALIVE": dead + moved,
        "EVENT DEAD": dead + moved + unknown,
        "UNKNOWN": unknown,
    }


def summarise_bounds(adsl: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return what the lost could change: risks if none and if all of them had the event.

    Returns
    -------
    DataFrame
        Record, analysis ``bound``: groups ``DEATH`` and ``EVENT`` (death or transplant), each with
        ``ALIVE`` (all unknown alive without transplant) and ``DEAD`` (all unknown dead): count,
        denominator, percent with its exact interval; and ``UNKNOWN``, their number.
    """
    counts, total = count_bounds(derive_disposition(adsl, plan)["STATUS"]), len(adsl)
    exact = f"Clopper-Pearson {plan.level_words} interval"
    rows: list[dict[str, Any]] = []
    for group, count in counts.items():
        rows += make_rows(
            "bound",
            estimate_proportion(count, total, plan.level),
            group=group,
            n=total,
            method=f"of all enrolled, within {plan.horizon_days} days, {exact}",
            function="summarise_bounds",
        )
    return make_record(rows)


def say_survival(record: pd.DataFrame, plan: Plan) -> str:
    """Return the sentence on transplant-free survival at the last visit."""
    last = plan.last.number
    value = record.loc[record["id"] == f"tfs.m{last}.percent", "value"].item()
    if np.isnan(value):
        return (
            f"Survival without transplant at {plan.span} cannot be estimated: nobody was "
            "followed that long."
        )
    if value == 100:
        return f"No participant is known to have died or been transplanted within {plan.span}."
    if value == 0:
        return f"Nobody was alive without transplant and followed to {plan.span}."
    low, high = ref("tfs", "percent_low", visit=last), ref("tfs", "percent_high", visit=last)
    return (
        f"Transplant-free survival at {plan.span} was {ref('tfs', 'percent', visit=last)}% "
        f"(Kaplan-Meier, {plan.level_words} confidence interval {low}% to {high}%)."
    )


def say_competing(record: pd.DataFrame, plan: Plan) -> str:
    """Return the incidence of each event, and what one minus Kaplan-Meier would make of death."""
    last = plan.last.number
    values = record.set_index("id")["value"]
    died, moved = (values[f"cif.m{last}.{c}.percent"] for c in ("death", "liver-transplant"))
    if np.isnan(died):
        return f"Nobody was followed to {plan.span}, so no incidence is estimated there."
    if not died + moved:
        return "No death and no transplant was recorded, so there is no incidence to estimate."

    def at(analysis: str, statistic: str, group: str = "DEATH") -> str:
        return ref(analysis, statistic, visit=last, group=group)

    out = (
        f"At {plan.span} the cumulative incidence of death was {at('cif', 'percent')}% "
        f"(standard error {at('cif', 'percent_se')}) and that of transplant "
        f"{at('cif', 'percent', 'LIVER TRANSPLANT')}%."
    )
    if values[f"naive.m{last}.death.excess_percent"] < 1e-9:
        return f"{out} No transplant competed with death, so one minus Kaplan-Meier agrees."
    return (
        f"{out} One minus Kaplan-Meier, which treats the transplanted as if they could still die "
        f"without a transplant, would give {at('naive', 'percent')}% for death, higher by "
        f"{at('naive', 'excess_percent')} percentage points."
    )


def say_days(trial: Trial) -> str:
    """Return, for synthetic data only, that what rests on the days of events is invented."""
    if not trial.synthetic:
        return ""
    said = "The days of these events are invented, and so is each estimate over time"
    return f"{said}{'; only their numbers were published' * keeps_counts(trial)}."


def say_expected(record: pd.DataFrame, disposition: pd.DataFrame, plan: Plan) -> str:
    """Return at which visits more were expected than were at risk on the day, and why."""
    value = pd.concat([record, disposition]).set_index("id")["value"]
    at = [v.number for v in plan.later]
    keys = [(make_id("visit", "count", "", v, "RISK"), f"tfs.m{v}.risk_count") for v in at]
    apart = [(v, *key) for v, key in zip(at, keys, strict=True) if value[key[0]] != value[key[1]]]
    if not apart:
        return ""
    parts = [f"{plan.visit(v).name.lower()}: {{{one}}} and {{{other}}}" for v, one, other in apart]
    return (
        f"More were expected than at risk at some visits ({'; '.join(parts)}), as some attended "
        "before the day on which the visit was due, or completed the study early, and had left by "
        "that day."
    )


def basis_of_bounds(trial: Trial) -> dict[str, Cell]:
    """Return, for synthetic data that keep published counts, the column that says so."""
    return {"Basis": "published counts"} if keeps_counts(trial) else {}


def say_bounds(record: pd.DataFrame, plan: Plan, who: str = "participants") -> str:
    """Return of how many it is not known what became of them, and what that could change."""
    if not record.set_index("id")["value"]["bound.unknown.count"]:
        return (
            f"Of every participant it is known whether they lived to {plan.horizon} without "
            "transplant: nobody was lost, so there is nothing to bound."
        )
    return (
        f"Of {ref('bound', 'count', group='UNKNOWN')} {who} nobody knows whether "
        f"they lived to {plan.horizon} without transplant. If all of them did, "
        f"{ref('bound', 'percent', group='EVENT ALIVE')}% had died or been transplanted; "
        f"if all of them died, {ref('bound', 'percent', group='EVENT DEAD')}%."
    )


def list_bounds(record: pd.DataFrame) -> list[Row]:
    """Return a row for each event and fate of the lost; none where nobody was lost."""
    if not record.set_index("id")["value"]["bound.unknown.count"]:
        return []
    events = {"DEATH": "Died", "EVENT": "Died or transplanted"}
    fates = {"ALIVE": "all alive without transplant", "DEAD": "all dead"}
    return [
        Row((event, fate), "bound", group=f"{group} {end}")
        for group, event in events.items()
        for end, fate in fates.items()
    ]


def survival_columns(record: pd.DataFrame, plan: Plan) -> dict[str, Cell]:
    """Return the columns on survival and incidence; no interval where none was estimated."""
    known = set(record.dropna(subset="value")["id"])

    def estimate(analysis: str, group: str = "") -> Cell:
        def fill(row: Row) -> str:
            at = (analysis, "percent_low", "", row.visit, group)
            share, low, high = (
                ref(analysis, s, visit=row.visit, group=group)
                for s in ("percent", "percent_low", "percent_high")
            )
            return f"{share} ({low} to {high})" if make_id(*at) in known else share

        return fill

    interval = f"% ({plan.level_words} CI)"
    return {
        "At risk, n": "{tfs.risk_count}",
        f"Transplant-free survival, {interval}": estimate("tfs"),
        f"Death, {interval}": estimate("cif", "DEATH"),
        f"Transplant, {interval}": estimate("cif", "LIVER TRANSPLANT"),
        "Death by 1 − Kaplan-Meier, %": "{naive.percent@DEATH}",
    }
