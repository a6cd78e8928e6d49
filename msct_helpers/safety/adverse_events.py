"""Adverse events of the safety analysis set (ICH E3 sections 12.2 and 12.3).

Counted are events with onset on or after the day of the first infusion (treatment-emergent). A
participant counts once, with the worst grade; events and rates count every occurrence.
"""

from typing import Any

import pandas as pd
from statsmodels.stats.rates import confint_poisson

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.safety.safety import derive_person_years, derive_window, select_safety_set
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import HORIZON_DAYS

RELATED = ("POSSIBLE", "PROBABLE", "RELATED")
"""Values of AEREL that count as related to the infusion."""

SEVERE_GRADE = 3
GRADES = (1, 2, 3, 4, 5)

SEVERITIES = {"MILD": 1, "MODERATE": 2, "SEVERE": 3, "LIFE THREATENING": 4, "DEATH": 5}
"""Values of AESEV in their order, for data that have no grades."""

OVERVIEW = {
    "ANY": "Any adverse event",
    "SEVERE": "Grade 3 or more",
    "SERIOUS": "Serious",
    "RELATED": "Related",
    "SERIOUS RELATED": "Serious and related",
    "FATAL": "Fatal",
    "WINDOW": "During the infusion or within 24 hours",
    "SERIOUS WINDOW": "Serious, during the infusion or within 24 hours",
}
"""Rows of the overview; all are kept, with zero where nothing was seen."""

IN_WINDOW = ("WINDOW", "SERIOUS WINDOW")
"""Rows of the overview that speak of the day of the infusion only."""

PUBLISHED = ("FATAL", "SERIOUS WINDOW")
"""Rows of the overview that the published statements fix."""


def derive_emergent(trial: Trial) -> pd.DataFrame:
    """Return treatment-emergent events of the safety analysis set; empty where none are known.

    An event of which the day is not known counts as treatment-emergent.

    Returns
    -------
    DataFrame
        Columns of adae; LEVEL, the grade, or the place of the severity where no event has a grade
        (missing where neither is recorded); INSIDE and UNKNOWN (`safety.derive_window`).
    """
    treated = select_safety_set(trial).set_index("USUBJID")["TRTSDY"]
    if trial.adae is None:
        return pd.DataFrame()
    # Of an empty table the keys would be mapped to text.
    start = trial.adae["USUBJID"].map(treated).astype(float)
    events = trial.adae[start.notna() & ~(trial.adae["ASTDY"] < start)]
    level = events["AESEV"].map(SEVERITIES) if is_by_severity(trial.adae) else events["AETOXGR"]
    window = derive_window(trial.adsl, events, trial.adex)
    return events.assign(LEVEL=level.astype(float)).join(window)


def is_by_severity(adae: pd.DataFrame) -> bool:
    """Return whether events have a severity and no grades."""
    return "AESEV" in adae and adae["AETOXGR"].isna().all() and adae["AESEV"].notna().any()


def estimate_rate(count: int, years: float) -> dict[str, float]:
    """Return events per 100 person-years with the exact Poisson interval; NaN without time.

    Notes
    -----
    Garwood, Biometrika 1936; 28: 437-442.
    """
    if years <= 0:
        return dict.fromkeys(("rate", "rate_low", "rate_high"), float("nan"))
    low, high = confint_poisson(count, years, method="exact-c")
    # The limit below zero events is undefined as a quantile; it is zero.
    return {
        "rate": 100 * count / years,
        "rate_low": 100 * float(low) if count else 0.0,
        "rate_high": 100 * float(high),
    }


def mark_overview(events: pd.DataFrame) -> dict[str, pd.Series]:
    """Return which events belong to each row of `OVERVIEW`."""
    serious = events["AESER"] == "Y"
    related = events["AEREL"].isin(RELATED)
    return {
        "ANY": pd.Series(True, index=events.index),
        "SEVERE": events["LEVEL"] >= SEVERE_GRADE,
        "SERIOUS": serious,
        "RELATED": related,
        "SERIOUS RELATED": serious & related,
        "FATAL": (events["AEOUT"] == "FATAL") | (events["LEVEL"] == max(GRADES)),
        "WINDOW": events["INSIDE"],
        "SERIOUS WINDOW": serious & events["INSIDE"],
    }


def summarise_overview(trial: Trial) -> pd.DataFrame:
    """Return participants and events of each row of `OVERVIEW`.

    Returns
    -------
    DataFrame
        Record, analysis ``overview``: count, denominator, percent with its exact interval (of the
        safety set), events_count, and but for `IN_WINDOW` rate with its exact interval (per 100
        person-years). Missing in the window where neither hours nor the day of an event tell if it
        lies there. Empty where adverse events were not recorded or nobody was infused.
    """
    treated = select_safety_set(trial)
    if trial.adae is None or treated.empty:
        return make_record([])
    events, years = derive_emergent(trial), derive_person_years(treated).sum()
    rows: list[dict[str, Any]] = []
    for group, own in mark_overview(events).items():
        who = events.loc[own, "USUBJID"].nunique()
        shown = estimate_proportion(who, len(treated)) | {"events_count": int(own.sum())}
        if group in IN_WINDOW:
            # A window of a day has no rate; where hours are not known it has no count either.
            unknown = events["UNKNOWN"] & ((events["AESER"] == "Y") | (group == "WINDOW"))
            known = {"denominator": float(len(treated))}
            shown = dict.fromkeys(shown, float("nan")) | known if unknown.any() else shown
        else:
            shown |= estimate_rate(int(own.sum()), years)
        rows += make_rows(
            "overview",
            shown,
            group=group,
            unit="per 100 years",
            n=len(treated),
            method="participants of the safety set; Clopper-Pearson and exact Poisson intervals",
            function="summarise_overview",
        )
    return make_record(rows)


def summarise_events(trial: Trial) -> pd.DataFrame:
    """Return adverse events by system organ class and preferred term.

    Returns
    -------
    DataFrame
        Record, analysis ``ae``, parameter AEBODSYS, group AEDECOD (empty for the whole class):
        count, percent (participants, of the safety set), severe_count, severe_percent (grade 3 or
        more), serious_count, related_count, grade1_count to grade5_count (participants by worst
        grade; ungraded_count where some event has none), events_count, rate, rate_low, rate_high.
        Classes and terms by falling number of participants. Empty where no event was recorded.
    """
    treated, events = select_safety_set(trial), derive_emergent(trial)
    if events.empty:
        return make_record([])
    years = derive_person_years(treated).sum()
    total, some_ungraded = len(treated), bool(events["LEVEL"].isna().any())
    rows: list[dict[str, Any]] = []
    for organ in order_groups(events, "AEBODSYS"):
        inside = events[events["AEBODSYS"] == organ]
        parts = {"": inside}
        parts |= {t: inside[inside["AEDECOD"] == t] for t in order_groups(inside, "AEDECOD")}
        for term, own in parts.items():
            rows += make_rows(
                "ae",
                count_events(own, total, some_ungraded) | estimate_rate(len(own), years),
                parameter=organ,
                group=term,
                unit="per 100 years",
                n=total,
                method="participants of the safety set; exact Poisson interval of the rate",
                function="summarise_events",
            )
    return make_record(rows)


def order_groups(events: pd.DataFrame, column: str) -> list[str]:
    """Return the groups of a column by falling number of participants, then by name."""
    size = events.groupby(column)["USUBJID"].nunique()
    return [str(g) for g in size.sort_index().sort_values(ascending=False, kind="stable").index]


def count_events(own: pd.DataFrame, total: int, some_ungraded: bool) -> dict[str, float]:
    """Return participants, by worst grade and kind, and events of one group of events."""
    worst = own.groupby("USUBJID")["LEVEL"].max()
    severe = int((worst >= SEVERE_GRADE).sum())
    out: dict[str, float] = {
        "count": len(worst),
        "percent": 100 * len(worst) / total,
        "severe_count": severe,
        "severe_percent": 100 * severe / total,
        "serious_count": own.loc[own["AESER"] == "Y", "USUBJID"].nunique(),
        "related_count": own.loc[own["AEREL"].isin(RELATED), "USUBJID"].nunique(),
        "events_count": len(own),
    }
    out |= {f"grade{g}_count": int((worst == g).sum()) for g in GRADES}
    return out | ({"ungraded_count": int(worst.isna().sum())} if some_ungraded else {})


def derive_serious(trial: Trial) -> pd.DataFrame:
    """Return deaths and serious events, one row each, in order of the day.

    Returns
    -------
    DataFrame
        USUBJID, EVENT (preferred term, or a death whose cause is not recorded as an event), DAY
        (study day), GRADE, AEREL, AEOUT; blank where not recorded. Deaths within two years.
    """
    columns = ["USUBJID", "EVENT", "DAY", "GRADE", "AEREL", "AEOUT"]
    deaths = trial.adsl[trial.adsl["DTHDY"] - 1 <= HORIZON_DAYS]
    deaths = deaths[["USUBJID", "DTHDY"]].rename(columns={"DTHDY": "DAY"})
    found = derive_emergent(trial)
    if found.empty:
        serious = pd.DataFrame(columns=columns)
    else:
        serious = found[found["AESER"] == "Y"].rename(
            columns={"AEDECOD": "EVENT", "ASTDY": "DAY", "LEVEL": "GRADE"}
        )[columns]
        fatal = serious.loc[serious["AEOUT"] == "FATAL", "USUBJID"]
        deaths = deaths[~deaths["USUBJID"].isin(fatal)]
    unexplained = deaths.assign(EVENT="Death, cause not recorded", AEOUT="FATAL")
    rows = [t for t in (serious, unexplained) if len(t)]
    if not rows:
        return pd.DataFrame(columns=columns)
    out = pd.concat(rows, ignore_index=True).reindex(columns=columns)
    return out.sort_values(["DAY", "EVENT"], kind="stable").reset_index(drop=True)


def summarise_serious(listing: pd.DataFrame) -> pd.DataFrame:
    """Return day and grade of every row of `derive_serious`, and how many rows and people."""
    rows = make_rows(
        "listing",
        {"count": len(listing), "people_count": listing["USUBJID"].nunique()},
        method="count",
        function="summarise_serious",
    )
    for number, row in enumerate(listing.itertuples(), 1):
        known = {"day": row.DAY, "grade": row.GRADE}
        shown = {name: float(value) for name, value in known.items() if pd.notna(value)}
        rows += make_rows(
            "listing",
            shown,
            group=f"{number}",
            decimals=0,
            method="as recorded",
            function="summarise_serious",
        )
    return make_record(rows)
