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

COLUMNS = list(ADAE.columns)


def make_adae(rng: np.random.Generator, adsl: pd.DataFrame) -> pd.DataFrame:
    """Return adverse events: none serious within a day of the infusion, every death as an event.

    Parameters
    ----------
    rng
        Random generator.
    adsl
        USUBJID, EOSDY, DTHDY.

    Returns
    -------
    DataFrame
        adae, sorted by participant and day.
    """
    rows: list[tuple[object, ...]] = []
    deaths = 0
    for who, last, died in zip(adsl["USUBJID"], adsl["EOSDY"], adsl["DTHDY"], strict=True):
        for term, organ, chance in EARLY:
            if rng.random() < chance:
                hours = round(float(rng.uniform(0.5, 20)), 1)
                grade = int(rng.choice([1, 2], p=[0.7, 0.3]))
                rows.append(
                    (who, term, organ, grade, "N", "POSSIBLE", 1, hours, "RECOVERED/RESOLVED")
                )
        for term, organ, chance in LATE:
            if rng.random() < chance:
                grade = int(rng.choice([2, 3], p=[0.65, 0.35]))
                day = int(rng.integers(15, last))
                serious = "Y" if grade == 3 else "N"
                end = "RECOVERED/RESOLVED" if rng.random() < 0.8 else "UNKNOWN"
                rows.append((who, term, organ, grade, serious, "NOT RELATED", day, np.nan, end))
        if not pd.isna(died):
            term, organ = FATAL[deaths % len(FATAL)]
            deaths += 1
            start = max(15, int(died) - int(rng.integers(0, 15)))
            rows.append((who, term, organ, 5, "Y", "NOT RELATED", start, np.nan, "FATAL"))
    events = pd.DataFrame(rows, columns=COLUMNS)
    return events.sort_values(["USUBJID", "ASTDY"], kind="stable").reset_index(drop=True)
