"""Safety: exposure, the 24-hour window, deaths and transplants (ICH E3 sections 12.1 and 12.3)."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.document import quote
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.stats.estimate import estimate_proportion, estimate_upper_limit
from msct_helpers.trial.load import Trial

WINDOW_HOURS = 24
"""Hours after the end of an infusion within which events count as infusion events."""

DAYS_A_YEAR = 365.25


def estimate_none_seen(risk: Any, total: int) -> Any:
    """Return the chance that none of `total` participants has an event of this true risk (0-1)."""
    return (1 - np.asarray(risk, dtype=float)) ** total


def find_size_to_exclude(risk: float, level: float = 0.95) -> int:
    """Return how many participants without an event rule out a risk (0-1) at this level."""
    return int(np.ceil(np.log(1 - level) / np.log(1 - risk)))


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
    rows = make_rows(
        "exposure",
        statistics,
        unit="years",
        method="first infusion to end of follow-up",
        **common,
    )
    if trial.adex is None:
        return make_record(rows)
    given = trial.adex[trial.adex["USUBJID"].isin(treated["USUBJID"])]
    each = given.groupby("USUBJID").size()
    counts: dict[str, float] = {
        "infusions_count": len(given),
        "most_count": int(each.max()) if len(each) else 0,
        "dosed_count": int(given["EXDOSE"].notna().sum()),
    }
    rows += make_rows("exposure", counts, method="infusions as recorded", **common)
    for unit, doses in given.dropna(subset="EXDOSE").groupby("EXDOSU")["EXDOSE"]:
        shown = {"dose_median": doses.median(), "dose_low": doses.min(), "dose_high": doses.max()}
        rows += make_rows(
            "exposure",
            shown,
            group=str(unit),
            unit=str(unit),
            method="dose of an infusion",
            **common,
        )
    return make_record(rows)


def summarise_safety(trial: Trial) -> pd.DataFrame:
    """Return deaths, transplants, losses and serious events within 24 hours, with exact intervals.

    Returns
    -------
    DataFrame
        Record with analysis ``risk``: group DEATH, LIVER TRANSPLANT, LOST TO FOLLOW-UP (within two
        years, of all enrolled) and SERIOUS 24H (of all who were infused; only where adverse events
        were recorded, someone was infused, and it is known of every serious event whether it fell
        into the window; with percent_upper and percent_three where none). Otherwise ``window``
        with unknown_count.
    """
    status = derive_disposition(trial.adsl)["STATUS"]
    counts = {
        group: (int((status == group).sum()), len(status))
        for group in ("DEATH", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP")
    }
    treated = select_safety_set(trial)["USUBJID"]
    rows = []
    if trial.adae is not None and len(treated):
        seen, unknown = count_window(trial.adsl, trial.adae, trial.adex)
        if not unknown:
            counts["SERIOUS 24H"] = (seen, len(treated))
        else:
            rows += make_rows(
                "window",
                {"unknown_count": unknown, "denominator": len(treated)},
                n=len(treated),
                method="serious events of which neither hours nor the day tell",
                function="summarise_safety",
            )
    for group, (count, total) in counts.items():
        shown = estimate_proportion(count, total)
        if group == "SERIOUS 24H" and not count:
            shown |= estimate_upper_limit(total)
        rows += make_rows(
            "risk",
            shown,
            group=group,
            n=total,
            method="Clopper-Pearson 95% interval",
            function="summarise_safety",
        )
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


def say_window(trial: Trial, record: pd.DataFrame) -> str:
    """Return the sentence on serious events within 24 hours of an infusion.

    Parameters
    ----------
    trial, record
        The data set, and its `summarise_safety`.
    """
    if (record["analysis"] == "window").any():
        return (
            "Serious adverse events within 24 hours of an infusion: not assessable. Of "
            f"{ref('window', 'denominator')} participants {ref('window', 'unknown_count')} had a "
            "serious event of which the hours are not recorded and the day does not exclude it."
        )
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


def say_limits(record: pd.DataFrame) -> str:
    """Return how high the risk may be where no serious event was seen, or an empty text."""
    if not (record["statistic"] == "percent_upper").any():
        return ""
    return (
        "Seeing none does not rule a risk out: the exact one-sided 95% upper limit of the risk is "
        f"{ref('risk', 'percent_upper', group='SERIOUS 24H')}%, and the rule of three gives "
        f"{ref('risk', 'percent_three', group='SERIOUS 24H')}%."
    )


def say_exposure(record: pd.DataFrame) -> str:
    """Return the sentences on infusions, doses and person-time."""
    if record.empty:
        return "Exposure: not assessable, no participant received an infusion."
    out = (
        f"{ref('exposure', 'treated_count')} participants were infused and followed for "
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
