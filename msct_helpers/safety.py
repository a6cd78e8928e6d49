"""Safety: the 24-hour window, deaths, transplants and adverse events (ICH E3 section 12)."""

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from msct_helpers.load import Trial
from msct_helpers.population import derive_disposition
from msct_helpers.results import make_record, make_rows, ref

WINDOW_HOURS = 24
"""Hours after the end of an infusion within which events count as infusion events."""


def estimate_proportion(count: int, total: int, level: float = 0.95) -> dict[str, float]:
    """Return a proportion in per cent with its Clopper-Pearson interval.

    Parameters
    ----------
    count, total
        Participants with the event, and all; `total` at least 1.
    level
        Confidence level of the two-sided interval.

    Returns
    -------
    dict
        count, denominator, percent, percent_low, percent_high.

    Notes
    -----
    Clopper and Pearson, Biometrika 1934; 26: 404-413.
    """
    low, high = proportion_confint(count, total, alpha=1 - level, method="beta")
    return {
        "count": count,
        "denominator": total,
        "percent": 100 * count / total,
        "percent_low": 100 * float(low),
        "percent_high": 100 * float(high),
    }


def summarise_safety(trial: Trial) -> pd.DataFrame:
    """Return deaths, transplants, losses and serious events within 24 hours, with exact intervals.

    Returns
    -------
    DataFrame
        Record with analysis ``risk``: group DEATH, LIVER TRANSPLANT, LOST TO FOLLOW-UP (within two
        years, of all enrolled) and SERIOUS 24H (of all who were infused; only where adverse events
        were recorded and someone was infused).
    """
    status = derive_disposition(trial.adsl)["STATUS"]
    counts = {
        group: (int((status == group).sum()), len(status))
        for group in ("DEATH", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP")
    }
    treated = trial.adsl.loc[trial.adsl["SAFFL"] == "Y", "USUBJID"]
    if trial.adae is not None and len(treated):
        early = select_infusion_events(trial.adae)
        serious = early.loc[early["AESER"] == "Y", "USUBJID"]
        counts["SERIOUS 24H"] = (int(serious[serious.isin(treated)].nunique()), len(treated))
    rows = []
    for group, (count, total) in counts.items():
        rows += make_rows(
            "risk",
            estimate_proportion(count, total),
            group=group,
            n=total,
            method="Clopper-Pearson 95% interval",
            function="summarise_safety",
        )
    return make_record(rows)


def select_infusion_events(adae: pd.DataFrame) -> pd.DataFrame:
    """Return the events with onset during an infusion or within 24 hours of its end."""
    return adae[adae["AEHRINF"] <= WINDOW_HOURS]


def summarise_events(trial: Trial) -> pd.DataFrame:
    """Return adverse events by preferred term: participants and events.

    Returns
    -------
    DataFrame
        Record with analysis ``ae``, parameter AEBODSYS/AEDECOD; statistics count (participants),
        percent (of the safety set), events, serious_count, severe_count (grade 3 or more), in
        falling order of participants. Empty where no event was recorded.
    """
    adae, total = trial.adae, int((trial.adsl["SAFFL"] == "Y").sum())
    rows = []
    if adae is not None and total:
        for (organ, term), events in adae.groupby(["AEBODSYS", "AEDECOD"]):
            who = events["USUBJID"].nunique()
            statistics = {
                "count": who,
                "percent": 100 * who / total,
                "events_count": len(events),
                "serious_count": events.loc[events["AESER"] == "Y", "USUBJID"].nunique(),
                "severe_count": events.loc[events["AETOXGR"] >= 3, "USUBJID"].nunique(),
            }
            rows += make_rows(
                "ae",
                statistics,
                parameter=str(organ),
                group=str(term),
                n=total,
                method="participants of the safety set",
                function="summarise_events",
            )
    return make_record(rows)


def say_window(trial: Trial) -> str:
    """Return the sentence on serious events within 24 hours of an infusion."""
    if not (trial.adsl["SAFFL"] == "Y").any():
        return (
            "Serious adverse events within 24 hours of an infusion: not assessable, "
            "no participant received one."
        )
    if trial.adae is None:
        return (
            "Serious adverse events within 24 hours of an infusion: not assessable, "
            "adverse events not recorded."
        )
    return (
        "Serious adverse events during an infusion or within 24 hours of its end were recorded "
        f"in {ref('risk', 'count', group='SERIOUS 24H')} of "
        f"{ref('risk', 'denominator', group='SERIOUS 24H')} participants (exact 95% confidence "
        f"interval {ref('risk', 'percent_low', group='SERIOUS 24H')}% to "
        f"{ref('risk', 'percent_high', group='SERIOUS 24H')}%)."
    )


def say_outcomes() -> str:
    """Return the sentence on deaths, transplants and losses within two years."""

    def part(group: str) -> str:
        return (
            f"{ref('risk', 'count', group=group)} of {ref('risk', 'denominator', group=group)} "
            f"({ref('risk', 'percent', group=group)}%; exact 95% confidence interval "
            f"{ref('risk', 'percent_low', group=group)}% to "
            f"{ref('risk', 'percent_high', group=group)}%)"
        )

    return (
        f"Within two years the first event was death in {part('DEATH')} and liver transplant in "
        f"{part('LIVER TRANSPLANT')}; lost to follow-up were {part('LOST TO FOLLOW-UP')}."
    )


def say_no_events(trial: Trial) -> str:
    """Return why there is no table of adverse events, or an empty text where there is one."""
    if trial.adae is None:
        return "Adverse events: not assessable, not recorded in this data set."
    if not (trial.adsl["SAFFL"] == "Y").any():
        return "Adverse events: not assessable, no participant is in the safety analysis set."
    return "" if len(trial.adae) else "Adverse events were recorded, and none occurred."


def say_events_caption(trial: Trial) -> str:
    """Return the caption of the adverse-event table."""
    version = trial.study.ctcae_version
    grades = (
        f"Grades by CTCAE version {version}." if version else "Version of the grades: not stated."
    )
    assumed = (
        " Every event other than the published counts of deaths and of serious events within "
        "24 hours is assumed."
        if trial.synthetic
        else ""
    )
    head = "Adverse events by system organ class and preferred term, safety analysis set."
    return f"{head} {grades}{assumed}"
