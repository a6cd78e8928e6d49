"""Display tables of the safety chapter: text only, taken from the record."""

import pandas as pd

from msct_helpers.abstract.published import EXCLUDED
from msct_helpers.ard.results import ref
from msct_helpers.book.document import quote
from msct_helpers.book.layout import unbroken
from msct_helpers.book.words import LABELS, upper_first
from msct_helpers.cohort.tables import show_interval
from msct_helpers.safety.adverse_events import GRADES, IN_WINDOW, OVERVIEW, PUBLISHED, SEVERITIES
from msct_helpers.safety.shifts import NONE_LATER
from msct_helpers.trial.schema import PARAMETERS

CLASSES = {"LOW": "low", "NORMAL": "normal", "HIGH": "high", NONE_LATER: "no later value"}
CLASSES |= {"1": "1 point", "2": "2 points", "3": "3 points"}
SPARE = "\N{EM SPACE}"
"""Sets a preferred term in from its system organ class."""

BASIS = "Basis"

SEVERE = "Severe or worse"
"""Words for severe events where data have severities and no grades."""


def table_risks(record: pd.DataFrame) -> pd.DataFrame:
    """Return risks with exact intervals."""
    groups = record.loc[record["analysis"] == "risk", "group"].unique()
    rows = [(upper_first(LABELS[g]), *show_interval("risk", g)) for g in groups]
    return pd.DataFrame(rows, columns=["Event", "Participants", "Per cent", "Exact 95% CI, %"])


def table_exclude() -> pd.DataFrame:
    """Return for some true risks the chance of seeing none, and the number that rules them out."""
    rows = [
        (
            ref("exclude", "risk_percent", group=f"{risk}"),
            ref("unseen", "percent", group=f"{risk}"),
            ref("exclude", "count", group=f"{risk}"),
        )
        for risk in EXCLUDED
    ]
    heads = ["True risk, %", "Chance of seeing none, %", "Patients without an event to rule it out"]
    return pd.DataFrame(rows, columns=heads)


def show_rate(analysis: str, parameter: str, group: str) -> str:
    """Return a rate with its interval."""
    rate, low, high = (
        ref(analysis, s, parameter, group=group) for s in ("rate", "rate_low", "rate_high")
    )
    return unbroken(f"{rate} ({low} to {high})")


def table_overview(synthetic: bool, severe: str) -> pd.DataFrame:
    """Return participants and events by kind, zero rows kept.

    Parameters
    ----------
    synthetic
        Whether to say of each row if it is published or assumed.
    severe
        Words for severe events, by grade or by severity.
    """
    rows = []
    for group, name in (OVERVIEW | {"SEVERE": severe}).items():
        count, percent, interval = show_interval("overview", group)
        events = ref("overview", "events_count", group=group)
        basis = "published" if group in PUBLISHED else "assumed"
        rate = "" if group in IN_WINDOW else show_rate("overview", "", group)
        rows.append((name, basis, count, percent, interval, events, rate))
    heads = ["Adverse events", BASIS, "Participants", "Per cent", "Exact 95% CI, %", "Events"]
    out = pd.DataFrame(rows, columns=[*heads, "Per 100 years (exact 95% CI)"])
    return out if synthetic else out.drop(columns=BASIS)


def list_terms(record: pd.DataFrame) -> list[tuple[str, str]]:
    """Return system organ class and preferred term (empty for the class), in their order."""
    terms = record.drop_duplicates(["parameter", "group"])
    return list(zip(terms["parameter"], terms["group"], strict=True))


def table_events(record: pd.DataFrame, synthetic: bool, severe: str) -> pd.DataFrame:
    """Return adverse events by system organ class and preferred term."""
    rows = []
    for organ, term in list_terms(record):

        def cell(statistic: str, organ: str = organ, term: str = term) -> str:
            return ref("ae", statistic, organ, group=term)

        rows.append(
            (
                f"{SPARE}{quote(term)}" if term else f"**{quote(organ)}**",
                "assumed",
                unbroken(f"{cell('count')} ({cell('percent')})"),
                unbroken(f"{cell('severe_count')} ({cell('severe_percent')})"),
                cell("serious_count"),
                cell("related_count"),
                cell("events_count"),
                show_rate("ae", organ, term),
            )
        )
    heads = [
        "Class and term",
        BASIS,
        "Any, n (%)" if severe == SEVERE else "Any grade, n (%)",
        f"{severe}, n (%)",
        "Serious, n",
    ]
    heads += ["Related, n", "Events", "Per 100 years (exact 95% CI)"]
    out = pd.DataFrame(rows, columns=heads)
    return out if synthetic else out.drop(columns=BASIS)


def table_grades(record: pd.DataFrame, synthetic: bool, severe: str) -> pd.DataFrame:
    """Return participants by worst grade or severity of each preferred term."""
    heads = [f"Grade {g}" for g in GRADES]
    heads = [upper_first(s.lower()) for s in SEVERITIES] if severe == SEVERE else heads
    counts = [f"grade{g}_count" for g in GRADES]
    if record["statistic"].eq("ungraded_count").any():
        heads, counts = [*heads, "Not recorded"], [*counts, "ungraded_count"]
    rows = [
        (quote(term), "assumed", *(ref("ae", count, organ, group=term) for count in counts))
        for organ, term in list_terms(record)
        if term
    ]
    out = pd.DataFrame(rows, columns=["Preferred term", BASIS, *heads])
    return out if synthetic else out.drop(columns=BASIS)


def table_serious(listing: pd.DataFrame, synthetic: bool) -> pd.DataFrame:
    """Return the listing of deaths and serious events, participants numbered within it.

    Columns of which nothing was recorded are left out.
    """
    people = {who: str(i) for i, who in enumerate(listing["USUBJID"].unique(), 1)}
    rows = []
    for number, row in enumerate(listing.itertuples(), 1):
        grade = ref("listing", "grade", group=f"{number}") if pd.notna(row.GRADE) else ""
        related = "" if pd.isna(row.AEREL) else quote(str(row.AEREL).lower())
        day = ref("listing", "day", group=f"{number}") if pd.notna(row.DAY) else "not recorded"
        outcome = quote(str(row.AEOUT).lower())
        rows.append(
            (people[row.USUBJID], day, quote(row.EVENT), "assumed", grade, related, outcome)
        )
    heads = ["Participant", "Study day", "Event", BASIS, "Grade", "Relation", "Outcome"]
    out = pd.DataFrame(rows, columns=heads)
    blank = [head for head in out if (out[head] == "").all()]
    return out.drop(columns=[*blank, *([] if synthetic else [BASIS])])


def table_shifts(record: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return the shifts of the parameters that have these classes: rows from, columns to."""
    first = f"{classes[0]} to {classes[0]}"
    rows = []
    for code in record.loc[record["group"] == first, "parameter"]:
        for start in classes:
            cells = [
                ref("shift", "count", code, group=f"{start} to {end}")
                for end in (*classes, NONE_LATER)
            ]
            name = upper_first(PARAMETERS[code].title) if start == classes[0] else ""
            rows.append((name, CLASSES[start], *cells))
    worst = [f"Worst later: {CLASSES[c]}" for c in classes]
    heads = ["Parameter", "At baseline", *worst, upper_first(CLASSES[NONE_LATER])]
    return pd.DataFrame(rows, columns=heads)
