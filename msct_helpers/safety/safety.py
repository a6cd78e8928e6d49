"""Safety: exposure, the 24-hour window, deaths and transplants (ICH E3 sections 12.1 and 12.3)."""

from typing import Any

import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.document import quote
from msct_helpers.book.layout import Row
from msct_helpers.book.words import LABELS, join_words, name_people, upper_first
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.stats.estimate import estimate_proportion, estimate_upper_limit
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import DAYS_A_YEAR, Plan

WINDOW_HOURS = 24
"""Hours after the end of an infusion within which events count as infusion events."""

FIRST_EVENTS = ("DEATH", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP")
"""Ends of follow-up of which the risk is told."""


def select_safety_set(trial: Trial) -> pd.DataFrame:
    """Return the rows of adsl of participants who received any infusion."""
    return trial.adsl[trial.adsl["SAFFL"] == "Y"]


def derive_person_years(adsl: pd.DataFrame) -> pd.Series:
    """Return years from the first infusion (day included) to the end of follow-up."""
    return (adsl["EOSDY"] - adsl["TRTSDY"] + 1).clip(lower=0) / DAYS_A_YEAR


def summarise_exposure(trial: Trial) -> pd.DataFrame:
    """Return infusions, doses and person-time of the safety analysis set.

    Returns
    -------
    DataFrame
        Record, analysis ``exposure``: treated_count; years (total), years_median, years_low,
        years_high; where infusions were recorded infusions_count, most_count (of one participant)
        and dosed_count (infusions with a dose); by unit of dose dose_median, dose_low, dose_high.
        Empty where nobody was infused.
    """
    treated = select_safety_set(trial)
    if treated.empty:
        return make_record([])
    years = derive_person_years(treated)
    common: dict[str, Any] = {"n": len(treated), "function": "summarise_exposure"}
    statistics = {
        "treated_count": len(treated),
        "years": years.sum(),
        "years_median": years.median(),
        "years_low": years.min(),
        "years_high": years.max(),
    }
    method = "first infusion to end of follow-up"
    rows = make_rows("exposure", statistics, unit="years", method=method, **common)
    if trial.adex is None:
        return make_record(rows)
    given = trial.adex[trial.adex["USUBJID"].isin(treated["USUBJID"])]
    counts = {
        "infusions_count": len(given),
        "most_count": given["USUBJID"].value_counts().max() if len(given) else 0,
        "dosed_count": given["EXDOSE"].notna().sum(),
    }
    rows += make_rows("exposure", counts, method="infusions as recorded", **common)
    common["method"] = "dose of an infusion"
    for unit, doses in given.dropna(subset="EXDOSE").groupby("EXDOSU")["EXDOSE"]:
        shown = {"dose_median": doses.median(), "dose_low": doses.min(), "dose_high": doses.max()}
        rows += make_rows("exposure", shown, group=str(unit), unit=str(unit), **common)
    return make_record(rows)


def summarise_safety(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return deaths, transplants, losses and serious events within 24 hours, with exact intervals.

    Returns
    -------
    DataFrame
        Record with analysis ``risk``: group DEATH, LIVER TRANSPLANT, LOST TO FOLLOW-UP (within the
        horizon, of all enrolled) and SERIOUS 24H (of all who were infused; only where adverse
        events were recorded, someone was infused, and it is known of every serious event whether
        it fell into the window; with percent_upper and percent_three where none). Otherwise
        ``window`` with unknown_count.
    """
    about: dict[str, Any] = {"function": "summarise_safety"}
    status = derive_disposition(trial.adsl, plan)["STATUS"]
    counts = {group: (int((status == group).sum()), len(status)) for group in FIRST_EVENTS}
    treated, rows = len(select_safety_set(trial)), []
    if trial.adae is not None and treated:
        seen, unknown = count_window(trial.adsl, trial.adae, trial.adex)
        if unknown:
            method = "serious events of which neither hours nor the day tell"
            shown = {"unknown_count": unknown, "denominator": treated}
            rows += make_rows("window", shown, n=treated, method=method, **about)
        else:
            counts["SERIOUS 24H"] = (seen, treated)
    about["method"] = f"Clopper-Pearson {plan.level_words} interval"
    for group, (count, total) in counts.items():
        found = estimate_proportion(count, total, plan.level)
        if group == "SERIOUS 24H" and not count:
            found |= estimate_upper_limit(total, plan.level)
        rows += make_rows("risk", found, group=group, n=total, **about)
    return make_record(rows)


def list_infusions(adsl: pd.DataFrame, adex: pd.DataFrame | None) -> pd.DataFrame:
    """Return USUBJID and study day (DAY) of every infusion; of the first where no more is known."""
    if adex is not None:
        return adex[["USUBJID", "ASTDY"]].rename(columns={"ASTDY": "DAY"})
    return adsl[["USUBJID", "TRTSDY"]].rename(columns={"TRTSDY": "DAY"}).dropna()


def derive_window(
    adsl: pd.DataFrame, adae: pd.DataFrame, adex: pd.DataFrame | None
) -> pd.DataFrame:
    """Return whether each event began during an infusion or within 24 hours of its end.

    Where hours are not recorded, the day can exclude an event but not include it: an event on the
    day of an infusion or the next, or on an unknown day, may lie in the window.

    Returns
    -------
    DataFrame
        INSIDE and UNKNOWN, an event a row, in the order and with the index of `adae`.
    """
    infusions = list_infusions(adsl, adex)
    pairs = adae[["USUBJID", "ASTDY"]].reset_index().merge(infusions, on="USUBJID")
    near = pairs["ASTDY"].isna() | (pairs["ASTDY"] - pairs["DAY"]).isin([0, 1])
    possible = adae.index.isin(pairs.loc[near, "index"])
    hours = adae["AEHRINF"]
    return pd.DataFrame(
        {"INSIDE": hours <= WINDOW_HOURS, "UNKNOWN": hours.isna() & possible}, index=adae.index
    )


def count_window(
    adsl: pd.DataFrame, adae: pd.DataFrame, adex: pd.DataFrame | None
) -> tuple[int, int]:
    """Return how many of the safety set had a serious event in the window, and how many may have.

    Participants with one that is known to lie in it are not among those who may have had one.
    """
    treated = adsl.loc[adsl["SAFFL"] == "Y", "USUBJID"]
    serious = (adae["AESER"] == "Y") & adae["USUBJID"].isin(treated)
    window = derive_window(adsl, adae, adex)
    seen = set(adae.loc[serious & window["INSIDE"], "USUBJID"])
    may = set(adae.loc[serious & window["UNKNOWN"], "USUBJID"]) - seen
    return len(seen), len(may)


def say_window(trial: Trial, record: pd.DataFrame, plan: Plan) -> str:
    """Return the sentence on serious events within 24 hours of an infusion.

    Parameters
    ----------
    trial, record, plan
        The data set, its `summarise_safety`, and the plan; gives the level.
    """
    why = ""
    if (record["analysis"] == "window").any():
        why = (
            f". Of {ref('window', 'denominator')} participants {ref('window', 'unknown_count')} "
            "had a serious event of which the hours are not recorded and the day does not exclude "
            "it."
        )
    elif select_safety_set(trial).empty:
        why = ", no participant received one."
    elif trial.adae is None:
        why = ", adverse events not recorded."
    if why:
        return f"Serious adverse events within 24 hours of an infusion: not assessable{why}"
    return (
        "Serious adverse events during or within 24 hours after an infusion occurred in "
        f"{say_risk('SERIOUS 24H', plan, share=False, who=name_people(trial))}."
    )


def say_risk(group: str, plan: Plan, share: bool = True, who: str = "") -> str:
    """Return a risk of `who`, with its exact interval, inside a sentence; `share`: per cent too."""

    def at(statistic: str) -> str:
        return ref("risk", statistic, group=group)

    percent = f"{at('percent')}%; " if share else ""
    who = f" {who}" if who else ""
    return (
        f"{at('count')} of {at('denominator')}{who} ({percent}exact {plan.level_words} confidence "
        f"interval {at('percent_low')}% to {at('percent_high')}%)"
    )


def say_limits(record: pd.DataFrame, plan: Plan) -> str:
    """Return how high the risk may be where no serious event was seen, or an empty text."""
    if not (record["statistic"] == "percent_upper").any():
        return ""
    return (
        f"Seeing none does not rule a risk out: the exact one-sided {plan.level_words} upper limit "
        f"of the risk is {ref('risk', 'percent_upper', group='SERIOUS 24H')}%, and the rule of "
        f"three gives {ref('risk', 'percent_three', group='SERIOUS 24H')}%."
    )


def list_risks(record: pd.DataFrame) -> list[Row]:
    """Return a row for each risk."""
    groups = record.loc[record["analysis"] == "risk", "group"].unique()
    return [Row((upper_first(LABELS[group]),), "risk", group=group) for group in groups]


def name_risks(record: pd.DataFrame) -> str:
    """Return the events of which the risk is told, inside a sentence."""
    groups = record.loc[record["analysis"] == "risk", "group"].unique()
    return join_words([LABELS[group] for group in groups])


def say_exposure(record: pd.DataFrame, who: str = "participants") -> str:
    """Return the sentences on infusions, doses and person-time."""
    if record.empty:
        return "Exposure: not assessable, no participant received an infusion."
    out = (
        f"{ref('exposure', 'treated_count')} {who} were infused and followed for "
        f"{ref('exposure', 'years')} person-years in all (median of a participant "
        f"{ref('exposure', 'years_median')} years, range {ref('exposure', 'years_low')} to "
        f"{ref('exposure', 'years_high')})."
    )
    values = record.set_index("id")["value"]
    if "exposure.infusions_count" not in values:
        return f"{out} Infusions and doses were not recorded one by one."
    out += (
        f" {ref('exposure', 'infusions_count')} infusions are recorded, at most "
        f"{ref('exposure', 'most_count')} a participant;"
    )
    units = record.loc[record["statistic"] == "dose_median", "group"].tolist()
    if not units:
        return f"{out} no dose is recorded."
    doses = [
        f"median {ref('exposure', 'dose_median', group=u)} {quote(u)} "
        f"({ref('exposure', 'dose_low', group=u)} to {ref('exposure', 'dose_high', group=u)})"
        for u in units
    ]
    return f"{out} a dose for {ref('exposure', 'dosed_count')} of them: {'; '.join(doses)}."


def say_outcomes(plan: Plan) -> str:
    """Return the sentence on deaths, transplants and losses within the horizon."""
    died, moved, lost = (say_risk(group, plan) for group in FIRST_EVENTS)
    return (
        f"Within {plan.horizon} the first event was death in {died} and liver transplant in "
        f"{moved}; lost to follow-up were {lost}."
    )


SHELLS = {
    "Concomitant medication": "also what was given beside the cells, such as albumin or "
    "ursodeoxycholic acid",
    "Medical history": "duration of the disease, former decompensation",
    "Protocol deviations": "with the protocol itself",
    "Vital signs and physical findings": "around the infusion and later",
    "Narratives of deaths and serious events": "course, treatment, autopsy",
}
"""What reports tell besides (ICH E3), and what belongs to it."""


def list_shells(trial: Trial) -> pd.DataFrame:
    """Return what a full report would tell and this data set does not."""
    why = "not stated in the abstract, and not invented" if trial.synthetic else "not recorded"
    rows = [(name, f"{why} ({what})") for name, what in SHELLS.items()]
    return pd.DataFrame(rows, columns=["Item (ICH E3)", "In this data set"])
