"""Adverse events of a synthetic trial. All but the published counts is assumed."""

import numpy as np
import pandas as pd

from msct_helpers.trial.schema import ADAE

EARLY = (
    ("Pyrexia", "General disorders and administration site conditions", 0.20),
    ("Chills", "General disorders and administration site conditions", 0.08),
    ("Headache", "Nervous system disorders", 0.10),
)
"""Non-serious events within a day of the infusion: term, organ class, chance."""

LATE = (
    ("Ascites", "Gastrointestinal disorders", 0.20),
    ("Hepatic encephalopathy", "Nervous system disorders", 0.10),
    ("Oesophageal varices haemorrhage", "Gastrointestinal disorders", 0.10),
    ("Urinary tract infection", "Infections and infestations", 0.20),
    ("Upper respiratory tract infection", "Infections and infestations", 0.25),
)
"""Later events, mostly complications of cirrhosis: term, organ class, chance."""

FATAL = (
    ("Hepatic failure", "Hepatobiliary disorders"),
    ("Oesophageal varices haemorrhage", "Gastrointestinal disorders"),
    ("Sepsis", "Infections and infestations"),
)
"""Causes of death in turn: complications of cirrhosis."""

ALWAYS_SERIOUS = ("Oesophageal varices haemorrhage",)
"""Events that are never mild: serious, and of grade 3 or more."""

LISTED_DAYS = 30
"""Days from the liver failure for which a participant is listed to the transplant."""

LASTING = ("Ascites",)
"""Events that may not have resolved at the end of follow-up."""

COLUMNS = list(ADAE.columns)

Event = tuple[object, ...]


def make_adae(rng: np.random.Generator, adsl: pd.DataFrame) -> pd.DataFrame:
    """Return adverse events: none serious within a day of the infusion, every death as an event.

    A transplant has the liver failure before it as a serious event. Outcomes are unknown only of
    participants who were lost.

    Parameters
    ----------
    rng
        Random generator.
    adsl
        USUBJID, EOSDY, DCSREAS, DTHDY, LTXDY.

    Returns
    -------
    DataFrame
        adae, sorted by participant and day.
    """
    rows: list[Event] = []
    deaths = 0
    for person in adsl.itertuples(index=False):
        rows += draw_early(rng, str(person.USUBJID))
        lost = person.DCSREAS == "LOST TO FOLLOW-UP"
        rows += draw_late(rng, str(person.USUBJID), int(person.EOSDY), lost)
        if not pd.isna(person.LTXDY):
            rows.append(make_end(person.USUBJID, FATAL[0], int(person.LTXDY) - LISTED_DAYS, 4))
        if not pd.isna(person.DTHDY):
            start = int(person.DTHDY) - int(rng.integers(0, 15))
            rows.append(make_end(person.USUBJID, FATAL[deaths % len(FATAL)], start, 5))
            deaths += 1
    events = pd.DataFrame(rows, columns=COLUMNS)
    return events.sort_values(["USUBJID", "ASTDY"], kind="stable").reset_index(drop=True)


def draw_early(rng: np.random.Generator, who: str) -> list[Event]:
    """Return one participant's events within hours of the infusion on day 1, none serious."""
    rows: list[Event] = []
    for term, organ, chance in EARLY:
        if rng.random() < chance:
            hours = round(float(rng.uniform(0.5, 20)), 1)
            grade = int(rng.choice([1, 2], p=[0.7, 0.3]))
            rows.append((who, term, organ, grade, "N", "POSSIBLE", 1, hours, "RECOVERED/RESOLVED"))
    return rows


def draw_late(rng: np.random.Generator, who: str, last: int, lost: bool) -> list[Event]:
    """Return one participant's later events, up to the last day of follow-up."""
    rows: list[Event] = []
    for term, organ, chance in LATE:
        if rng.random() < chance:
            grade = int(rng.choice([2, 3], p=[0.65, 0.35]))
            grade = max(grade, 3) if term in ALWAYS_SERIOUS else grade
            day = int(rng.integers(15, last))
            left = rng.random() >= 0.8
            end = "NOT RECOVERED/NOT RESOLVED" if left and term in LASTING else "RECOVERED/RESOLVED"
            end = "UNKNOWN" if left and lost else end
            serious = "Y" if grade >= 3 else "N"
            rows.append((who, term, organ, grade, serious, "NOT RELATED", day, np.nan, end))
    return rows


def make_end(who: object, term: tuple[str, str], start: int, grade: int) -> Event:
    """Return the event that ended in death (grade 5) or in transplant (grade 4)."""
    end = "FATAL" if grade == 5 else "RECOVERED/RESOLVED"
    return (who, *term, grade, "Y", "NOT RELATED", max(15, start), np.nan, end)
