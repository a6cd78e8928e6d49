"""Adverse events of the safety analysis set (ICH E3 sections 12.2 and 12.3).

Counted are events with onset on or after the day of the first infusion (treatment-emergent). A
participant counts once, with the worst grade; events and rates count every occurrence.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from statsmodels.stats.rates import confint_poisson

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.document import quote
from msct_helpers.book.layout import Cell, Row, proportion_columns
from msct_helpers.book.words import name_people, upper_first
from msct_helpers.cohort.population import keeps_counts
from msct_helpers.safety.safety import derive_person_years, derive_window, select_safety_set
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import Plan

RELATED = ("POSSIBLE", "PROBABLE", "RELATED")
"""Values of AEREL that count as related to the infusion."""

SEVERE_GRADE = 3
GRADES = (1, 2, 3, 4, 5)

SEVERITIES = {"MILD": 1, "MODERATE": 2, "SEVERE": 3, "LIFE THREATENING": 4, "DEATH": 5}
"""Values of AESEV in their order, for data that have no grades."""

OVERVIEW = {
    "ANY": "Any adverse event",
    "SEVERE": "",
    "SERIOUS": "Serious",
    "RELATED": "Related",
    "SERIOUS RELATED": "Serious and related",
    "FATAL": "Fatal",
    "WINDOW": "During the infusion or within 24 hours",
    "SERIOUS WINDOW": "Serious, during the infusion or within 24 hours",
}
"""Rows of the overview; all are kept, with zero where nothing was seen. Severe is told by grade or
by severity (`Grading`)."""

SPARE = "\N{EM SPACE}"
"""Sets a preferred term in from its system organ class."""

IN_WINDOW = ("WINDOW", "SERIOUS WINDOW")
"""Rows of the overview that speak of the day of the infusion only."""

FIXED = ("FATAL", "SERIOUS WINDOW")
"""Rows of the overview that the published statements fix in synthetic data."""


@dataclass(frozen=True)
class Grading:
    """How bad an event was, in words: a severe one, any one, and the five steps."""

    kind: str
    severe: str
    severe_one: str
    any_head: str
    steps: tuple[str, ...]


BY_GRADE = Grading(
    kind="grade",
    severe=f"Grade {SEVERE_GRADE} or more",
    severe_one=f"one of grade {SEVERE_GRADE} or more",
    any_head="Any grade, n (%)",
    steps=tuple(f"Grade {grade}" for grade in GRADES),
)
BY_SEVERITY = Grading(
    kind="severity",
    severe="Severe or worse",
    severe_one="a severe one",
    any_head="Any, n (%)",
    steps=tuple(upper_first(severity.lower()) for severity in SEVERITIES),
)


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
    by_severity = choose_grading(trial) is BY_SEVERITY
    level = events["AESEV"].map(SEVERITIES) if by_severity else events["AETOXGR"]
    window = derive_window(trial.adsl, events, trial.adex)
    return events.assign(LEVEL=level.astype(float)).join(window)


def choose_grading(trial: Trial) -> Grading:
    """Return the words of severities where events have these and no grades, else of grades."""
    adae = trial.adae
    if adae is None or "AESEV" not in adae or adae["AETOXGR"].notna().any():
        return BY_GRADE
    return BY_SEVERITY if adae["AESEV"].notna().any() else BY_GRADE


def estimate_rate(count: int, years: float, level: float) -> dict[str, float]:
    """Return events per 100 person-years with the exact Poisson interval; NaN without time.

    Notes
    -----
    Garwood, Biometrika 1936; 28: 437-442.
    """
    if years <= 0:
        return dict.fromkeys(("rate", "rate_low", "rate_high"), float("nan"))
    low, high = confint_poisson(count, years, method="exact-c", alpha=1 - level)
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


def summarise_overview(trial: Trial, plan: Plan) -> pd.DataFrame:
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
    events, total = derive_emergent(trial), len(treated)
    years = derive_person_years(treated).sum()
    rows: list[dict[str, Any]] = []
    for group, own in mark_overview(events).items():
        who, seen = events.loc[own, "USUBJID"].nunique(), int(own.sum())
        shown = estimate_proportion(who, total, plan.level) | {"events_count": seen}
        if group in IN_WINDOW:
            # A window of a day has no rate; where hours are not known it has no count either.
            unknown = events["UNKNOWN"] & ((events["AESER"] == "Y") | (group == "WINDOW"))
            known = {"denominator": float(total)}
            shown = dict.fromkeys(shown, float("nan")) | known if unknown.any() else shown
        else:
            shown |= estimate_rate(seen, years, plan.level)
        rows += make_rows(
            "overview",
            shown,
            group=group,
            unit="per 100 years",
            n=total,
            method="participants of the safety set; Clopper-Pearson and exact Poisson intervals",
            function="summarise_overview",
        )
    return make_record(rows)


def summarise_events(trial: Trial, plan: Plan) -> pd.DataFrame:
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
    for organ, term in list_terms(events):
        own = events[events["AEBODSYS"] == organ]
        own = own[own["AEDECOD"] == term] if term else own
        counts = count_events(own, total, some_ungraded)
        rows += make_rows(
            "ae",
            counts | estimate_rate(len(own), years, plan.level),
            parameter=organ,
            group=term,
            unit="per 100 years",
            n=total,
            method="participants of the safety set; exact Poisson interval of the rate",
            function="summarise_events",
        )
    return make_record(rows)


def list_terms(events: pd.DataFrame) -> list[tuple[str, str]]:
    """Return each class (with an empty term) followed by its terms, those of most people first."""
    return [
        (organ, term)
        for organ in order_groups(events, "AEBODSYS")
        for term in ["", *order_groups(events[events["AEBODSYS"] == organ], "AEDECOD")]
    ]


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


def derive_serious(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return deaths and serious events, one row each, in order of the day.

    Returns
    -------
    DataFrame
        USUBJID, EVENT (preferred term, or a death whose cause is not recorded as an event), DAY
        (study day), GRADE, AEREL, AEOUT; blank where not recorded. Deaths within the horizon.
    """
    columns = ["USUBJID", "EVENT", "DAY", "GRADE", "AEREL", "AEOUT"]
    names = {"AEDECOD": "EVENT", "ASTDY": "DAY", "LEVEL": "GRADE", "DTHDY": "DAY"}
    events = derive_emergent(trial)
    if not events.empty:
        events = events[events["AESER"] == "Y"].rename(columns=names)
    events = events.reindex(columns=columns)
    deaths = trial.adsl[trial.adsl["DTHDY"] - 1 <= plan.horizon_days].rename(columns=names)
    fatal = events.loc[events["AEOUT"] == "FATAL", "USUBJID"]
    deaths = deaths.loc[~deaths["USUBJID"].isin(fatal), ["USUBJID", "DAY"]]
    deaths = deaths.assign(EVENT="Death, cause not recorded", AEOUT="FATAL")
    parts = [part for part in (events, deaths) if len(part)]
    out = pd.concat(parts).reindex(columns=columns) if parts else events
    return out.sort_values(["DAY", "EVENT"], kind="stable").reset_index(drop=True)


def summarise_serious(listing: pd.DataFrame) -> pd.DataFrame:
    """Return day and grade of every row of `derive_serious`, and how many rows and people."""
    size = {"count": len(listing), "people_count": listing["USUBJID"].nunique()}
    rows = make_rows("listing", size, method="count", function="summarise_serious")
    for number, row in enumerate(listing.itertuples(), 1):
        known = {"day": row.DAY, "grade": row.GRADE}
        rows += make_rows(
            "listing",
            {name: float(value) for name, value in known.items() if pd.notna(value)},
            group=f"{number}",
            decimals=0,
            method="as recorded",
            function="summarise_serious",
        )
    return make_record(rows)


def derive_deaths(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return the deaths within the horizon, where adverse events tell their cause.

    Returns
    -------
    DataFrame
        USUBJID, DAY (of death), EVENT (the fatal event, or that none is recorded), AEREL; in order
        of the day. Empty where adverse events were not recorded.
    """
    columns = ["USUBJID", "DAY", "EVENT", "AEREL"]
    died = trial.adsl[trial.adsl["DTHDY"] - 1 <= plan.horizon_days]
    if trial.adae is None or died.empty:
        return pd.DataFrame(columns=columns)
    fatal = trial.adae[trial.adae["AEOUT"] == "FATAL"].drop_duplicates("USUBJID", keep="last")
    fatal = fatal.rename(columns={"AEDECOD": "EVENT"})[["USUBJID", "EVENT", "AEREL"]]
    out = died[["USUBJID", "DTHDY"]].rename(columns={"DTHDY": "DAY"}).merge(fatal, how="left")
    out = out.assign(EVENT=out["EVENT"].fillna("cause not recorded"))
    return out.sort_values("DAY", kind="stable").reset_index(drop=True)[columns]


def summarise_deaths(deaths: pd.DataFrame) -> pd.DataFrame:
    """Return the day of each death of `derive_deaths`, analysis ``death``."""
    rows: list[dict[str, Any]] = []
    for number, day in enumerate(deaths["DAY"], 1):
        rows += make_rows(
            "death", {"day": float(day)}, group=f"{number}", decimals=0, method="as recorded",
            function="derive_deaths",
        )  # fmt: skip
    return make_record(rows)


def lay_out_deaths(deaths: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """Return the table of deaths; of synthetic data, it says what was invented."""
    rows = [
        (
            str(number),
            ref("death", "day", group=f"{number}"),
            quote(str(row.EVENT)),
            "not recorded" if pd.isna(row.AEREL) else quote_lower(row.AEREL),
        )
        for number, row in enumerate(deaths.itertuples(), 1)
    ]
    out = pd.DataFrame(rows, columns=["Participant", "Study day", "Cause", "Relation to treatment"])
    return out.assign(Basis="invented") if trial.synthetic else out


def say_deaths(trial: Trial) -> str:
    """Return, for synthetic data that keep published counts, what of the deaths was published."""
    if not keeps_counts(trial):
        return ""
    return (
        "Published are the number of deaths and that their cause was complications of cirrhosis; "
        "the abstract does not state which, when, or any relation to the treatment."
    )


def say_no_deaths(trial: Trial, plan: Plan) -> str:
    """Return why there is no table of deaths."""
    if (trial.adsl["DTHDY"] - 1 <= plan.horizon_days).any():
        return "Causes of death were not recorded, as no adverse events were."
    return f"No death within {plan.horizon} was recorded."


def say_events(trial: Trial, overview: pd.DataFrame) -> str:
    """Return how many had an adverse event, a severe, a serious and a related one; or why not.

    Parameters
    ----------
    trial, overview
        The data set, and its `summarise_overview`.
    """
    if trial.adae is None:
        return "Adverse events: not assessable, not recorded in this data set."
    if overview.empty:
        return "Adverse events: not assessable, no participant is in the safety analysis set."
    if not overview.set_index("id")["value"]["overview.any.events_count"]:
        return "Adverse events were recorded, and none occurred."

    def count(group: str, statistic: str = "count") -> str:
        return ref("overview", statistic, group=group)

    return (
        f"{count('ANY')} of {count('ANY', 'denominator')} {name_people(trial)} had an adverse "
        f"event, {count('SEVERE')} {choose_grading(trial).severe_one} and {count('SERIOUS')} a "
        f"serious one. {count('RELATED')} had one that was called related to the infusion."
    )


def say_grades(trial: Trial) -> str:
    """Return by what events were graded, and that those of synthetic data are assumed."""
    if trial.adae is None:
        return ""
    version = trial.study.ctcae_version
    said = f"Grades by CTCAE {quote(version)}."
    said = said if version else "CTCAE version of the grades: not stated."
    if choose_grading(trial) is BY_SEVERITY:
        said = "Severity as recorded; no grades are."
    if not trial.synthetic:
        return said
    if trial.study.statements is None:
        return f"{said} Every event is invented."
    return (
        f"{said} Only the counts of deaths and of serious events within 24 hours are published; "
        "every other event is invented, as are all days."
    )


def say_listed(trial: Trial, plan: Plan) -> str:
    """Return what the listing of serious events holds."""
    unknown = " (adverse events were not recorded)"
    return f"Deaths within {plan.horizon}" + (
        unknown if trial.adae is None else " and serious adverse events"
    )


def is_published(row: Row, trial: Trial) -> bool:
    """Return whether a row of the overview is a published count that synthetic data keep."""
    kept = trial.synthetic and trial.study.statements is not None
    return kept and row.analysis == "overview" and row.group in FIXED


def basis_column(trial: Trial) -> dict[str, Cell]:
    """Return, for synthetic data only, the column that says what is published and what invented."""

    def fill(row: Row) -> str:
        return "published" if is_published(row, trial) else "invented"

    return {"Basis": fill} if trial.synthetic else {}


def rate_column(plan: Plan) -> dict[str, Cell]:
    """Return the column of a rate with its interval."""
    head = f"Per 100 years (exact {plan.level_words} CI)"
    return {head: "{rate} ({rate_low} to {rate_high})"}


def list_overview(trial: Trial) -> list[Row]:
    """Return a row for each kind of event, with or without any."""
    names = OVERVIEW | {"SEVERE": choose_grading(trial).severe}
    return [Row((name,), "overview", group=group) for group, name in names.items()]


def overview_columns(trial: Trial, plan: Plan) -> dict[str, Cell]:
    """Return the columns of the overview."""

    def rate(row: Row) -> str:
        """No rate on invented days of a published count."""
        return "" if is_published(row, trial) else str(pattern)

    def count(row: Row) -> str:
        return "**{count}** of {denominator}" if is_published(row, trial) else str(counted)

    counts = proportion_columns(plan)
    (who, counted), *_ = counts.items()
    ((head, pattern),) = rate_column(plan).items()
    shown: dict[str, Cell] = {who: count, "Events": "{events_count}", head: rate}
    return basis_column(trial) | counts | shown


def list_events(record: pd.DataFrame) -> list[Row]:
    """Return a row for each class, and for each of its terms, set in."""
    terms = record.drop_duplicates(["parameter", "group"])
    return [
        Row((f"{SPARE}{quote(term)}" if term else f"**{quote(organ)}**",), "ae", organ, group=term)
        for organ, term in zip(terms["parameter"], terms["group"], strict=True)
    ]


def event_columns(trial: Trial, plan: Plan) -> dict[str, Cell]:
    """Return the columns on participants and events of each class and term."""
    grading = choose_grading(trial)
    counts: dict[str, Cell] = {
        grading.any_head: "{count} ({percent})",
        f"{grading.severe}, n (%)": "{severe_count} ({severe_percent})",
        "Serious, n": "{serious_count}",
        "Related, n": "{related_count}",
        "Events": "{events_count}",
    }
    return basis_column(trial) | counts | rate_column(plan)


def list_graded(record: pd.DataFrame) -> list[Row]:
    """Return a row for each term."""
    terms = record[record["group"] != ""].drop_duplicates(["parameter", "group"])
    return [
        Row((quote(term),), "ae", organ, group=term)
        for organ, term in zip(terms["parameter"], terms["group"], strict=True)
    ]


def grade_columns(trial: Trial, record: pd.DataFrame) -> dict[str, Cell]:
    """Return a column for each grade or severity, and for events without one where there are."""
    steps = choose_grading(trial).steps
    counts = {step: f"{{grade{g}_count}}" for g, step in zip(GRADES, steps, strict=True)}
    if (record["statistic"] == "ungraded_count").any():
        counts["Not recorded"] = "{ungraded_count}"
    return basis_column(trial) | counts


def quote_lower(value: object) -> str:
    """Return a coded value of the data set in lower case, as a part of a template, or a blank."""
    return "" if pd.isna(value) else quote(str(value).lower())


def lay_out_serious(listing: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """Return the listing of deaths and serious events, participants numbered within it.

    Columns of which nothing was recorded are left out.
    """
    people = pd.factorize(listing["USUBJID"])[0] + 1
    places = [f"{number}" for number in range(1, len(listing) + 1)]
    out = pd.DataFrame(
        {
            "Participant": [f"{number}" for number in people],
            "Study day": [ref("listing", "day", group=g) for g in places],
            "Event": listing["EVENT"].map(quote),
            "Basis": "invented" if trial.synthetic else "",
            "Grade": [ref("listing", "grade", group=g) for g in places],
            "Relation": [quote_lower(text) for text in listing["AEREL"]],
            "Outcome": [quote_lower(text) for text in listing["AEOUT"]],
        }
    )
    out["Study day"] = out["Study day"].where(listing["DAY"].notna(), "not recorded")
    out["Grade"] = out["Grade"].where(listing["GRADE"].notna(), "")
    return out.loc[:, (out != "").any()]
