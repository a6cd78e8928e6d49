"""Data sets that a report may meet: of another plan, or in which little or everything happened."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from tests.conftest import DATASETS, ROOT

Tables = dict[str, pd.DataFrame]
"""Tables of a data set as text, by the names of their files."""

Plan = dict[str, object]
"""Keys of ``study.yml`` that differ; None for those that are gone."""

SOURCE = ROOT / "data/msct_synthetic"


def scale_days(tables: Tables, numerator: int, denominator: int) -> None:
    """Multiply every study day, each up to a whole day."""
    for table in tables.values():
        for column in {"TRTSDY", "EOSDY", "DTHDY", "LTXDY", "ASTDY", "ADY"} & set(table):
            known = table[column] != ""
            days = table.loc[known, column].astype(int)
            # Days before the first stay; there is no day 0.
            scaled = -(-days * numerator // denominator)
            table.loc[known, column] = scaled.where(days > 0, days).astype(str)


def copy_visit(labs: pd.DataFrame, number: str, to: str, name: str, day: int) -> pd.DataFrame:
    """Return the rows of a visit as those of another one, on its day and a little apart."""
    rows = labs[labs["AVISITN"] == number]
    apart = 0.95 + 0.02 * (np.arange(len(rows)) * 7 % 6)
    values = (rows["AVAL"].astype(float) * apart).round(2).astype(str)
    return rows.assign(AVISIT=name, AVISITN=to, ADY=str(day), AVAL=values)


def three_years(tables: Tables) -> Plan:
    """Visits at months 3 and 36 besides, and follow-up to the end of the third year."""
    people, labs = tables["adsl"], tables["adlb"]
    completed = people["EOSSTT"] == "COMPLETED"
    tables["adsl"] = people.assign(EOSDY=people["EOSDY"].mask(completed, "1102"))
    stayed = labs["USUBJID"].isin(people.loc[completed, "USUBJID"])
    later = copy_visit(labs[stayed], "24", "36", "Month 36", 1096)
    tables["adlb"] = pd.concat([labs, copy_visit(labs, "6", "3", "Month 3", 92), later])
    ends = dict(zip(tables["adsl"]["USUBJID"], tables["adsl"]["EOSDY"].astype(int), strict=True))
    known = tables["adlb"]["ADY"].astype(int) <= tables["adlb"]["USUBJID"].map(ends)
    tables["adlb"] = tables["adlb"][known]
    return {"visits": [0, 3, 6, 12, 24, 36], "horizon_months": 36}


def half_a_year(tables: Tables) -> Plan:
    """Visits in weeks, 0, 12 and 26, of a follow-up of half a year."""
    scale_days(tables, 182, 365)
    labs = tables["adlb"]
    labs = labs[labs["AVISITN"].isin(["0", "6", "12"])]
    names = {"0": "Baseline", "6": "Week 12", "12": "Week 26"}
    numbers = {"0": "0", "6": "12", "12": "26"}
    tables["adlb"] = labs.assign(
        AVISIT=labs["AVISITN"].map(names), AVISITN=labs["AVISITN"].map(numbers)
    )
    return {"visits": [0, 12, 26], "visit_unit": "weeks", "horizon_months": 6}


def more_endpoints(tables: Tables) -> Plan:
    """AST, ALP and platelets as further endpoints."""
    labs = tables["adlb"]

    def derive(code: str, source: str, factor: float, unit: str) -> pd.DataFrame:
        own = labs[labs["PARAMCD"] == source]
        values = (own["AVAL"].astype(float) * factor).round(1).astype(str)
        return own.assign(PARAMCD=code, AVAL=values, AVALU=unit)

    further = [
        ("AST", "ALT", 1.2, "U/L"),
        ("ALP", "BILI", 3.1, "U/L"),
        ("PLAT", "ALB", 3, "10^9/L"),
    ]
    tables["adlb"] = pd.concat([labs, *(derive(*each) for each in further)])
    return {"endpoints": ["ALT", "AST", "ALP", "BILI", "ALB", "PT", "PLAT"]}


def one_patient(tables: Tables) -> Plan:
    """Keep one participant, at baseline only, without sodium; events and infusions unrecorded."""
    tables["adsl"] = tables["adsl"].iloc[:1]
    labs = tables["adlb"]
    kept = (labs["USUBJID"] == tables["adsl"]["USUBJID"].item()) & (labs["AVISITN"] == "0")
    tables["adlb"] = labs[kept & (labs["PARAMCD"] != "SODIUM")]
    del tables["adae"], tables["adex"]
    return {}


def nothing_happened(tables: Tables) -> Plan:
    """Let nobody die, leave or have an adverse event."""
    quiet = {"DCSREAS": "", "DTHDY": "", "LTXDY": "", "EOSSTT": "COMPLETED", "EOSDY": "760"}
    tables["adsl"] = tables["adsl"].assign(**quiet)
    tables["adae"] = tables["adae"].iloc[:0]
    return {}


def all_lost_at_once(tables: Tables) -> Plan:
    """Lose everyone on the same day."""
    lost = {"DCSREAS": "LOST TO FOLLOW-UP", "DTHDY": "", "LTXDY": "", "EOSSTT": "DISCONTINUED"}
    tables["adsl"] = tables["adsl"].assign(**lost, EOSDY="400")
    tables["adlb"] = tables["adlb"][tables["adlb"]["AVISITN"] == "0"]
    events = tables["adae"]
    known = (events["ASTDY"].astype(int) <= 400) & (events["AEOUT"] != "FATAL")
    tables["adae"] = events[known]
    return {}


def no_survivors(tables: Tables) -> Plan:
    """Let everyone die, each on a day of their own; no infusion is followed by anything else."""
    size = len(tables["adsl"])
    days = [str(60 + 20 * i) for i in range(size)]
    dead = {"DCSREAS": "DEATH", "LTXDY": "", "EOSSTT": "DISCONTINUED"}
    tables["adsl"] = tables["adsl"].assign(**dead, EOSDY=days, DTHDY=days)
    last = tables["adlb"]["USUBJID"].map(dict(zip(tables["adsl"]["USUBJID"], days, strict=True)))
    tables["adlb"] = tables["adlb"][tables["adlb"]["ADY"].astype(int) <= last.astype(int)]
    del tables["adae"]
    return {}


def another_trial(tables: Tables) -> Plan:
    """A trial of somebody's own: real, and no published statements stand behind it."""
    told = ("title", "short_title", "label", "source", "licence", "population", "treatment")
    own: Plan = {key: f"A {key.replace('_', ' ')} of our own." for key in told}
    return own | {"origin": "real", "statements": None, "assumed": ["Nothing."], "draws": None}


PLANS = (three_years, half_a_year, more_endpoints)
"""Data sets of another plan."""


def make_odd(change: Callable[[Tables], Plan], folder: Path) -> Path:
    """Write the synthetic data set as a change leaves it, and return its folder."""
    folder.mkdir(parents=True)
    tables = {
        path.stem: pd.read_csv(path, dtype=str, keep_default_na=False)
        for path in SOURCE.glob("*.csv")
    }
    study = yaml.safe_load((SOURCE / "study.yml").read_text(encoding="utf-8")) | change(tables)
    study = {key: value for key, value in study.items() if value is not None}
    (folder / "study.yml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def make_folders(home: Path) -> dict[str, Path]:
    """Return the folders of the data sets whose words and cells are stored."""
    odd = {change.__name__: make_odd(change, home / change.__name__) for change in PLANS}
    return {name: ROOT / "data" / name for name in DATASETS} | odd
