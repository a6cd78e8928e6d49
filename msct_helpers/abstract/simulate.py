"""Synthetic trials, constrained to the published abstract; no participant is a person.

A draw makes true laboratory values that hang together through severity, adds the scatter of a
visit, enrols on measured values, lets death and transplant fall on the sicker, stops measurements
at the event and stores values as a laboratory prints them. The first draw that satisfies every
published statement is kept. Every number in this module is an assumption.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msct_helpers.abstract.simulate_events import make_adae
from msct_helpers.abstract.statements import CHANGES, check_trial
from msct_helpers.meld.derive import derive_scores
from msct_helpers.trial.load import Trial
from msct_helpers.trial.parameters import PARAMETERS
from msct_helpers.trial.plan import Plan, Visit
from msct_helpers.trial.schema import Study

VISIT_WINDOW_DAYS = 21
MISSED_SHARE = 0.03
NORMAL_PT_S = 12.0
LOWEST_INR = 0.9
EVENT_DAYS = (60, 699)
RISK_SLOPE = 1.0
POOL = 20
"""Patients drawn for each who may enter: more than enough."""

AGE_MEAN, AGE_SD = 50, 11
AGE_RANGE = (30, 75)
WOMEN_SHARE = 0.85
DIAGNOSES = {
    "Autoimmune hepatitis": 0.45,
    "Primary biliary cholangitis": 0.40,
    "Overlap syndrome": 0.15,
}


@dataclass(frozen=True)
class Lab:
    """How a laboratory value is drawn.

    ``centre`` and ``spread`` (SD) are on the log scale where ``log`` is true; ``severity`` is the
    correlation with severity, ``scatter`` the share of the variance that is new at each visit, and
    ``decimals`` how the laboratory prints it.
    """

    unit: str
    centre: float
    spread: float
    log: bool
    severity: float
    scatter: float
    decimals: int


LABS: dict[str, Lab] = {
    "ALT": Lab("U/L", float(np.log(48)), 0.65, True, 0.3, 0.40, 0),
    "BILI": Lab("umol/L", float(np.log(42)), 0.80, True, 0.7, 0.16, 1),
    "ALB": Lab("g/L", 31.5, 4.8, False, -0.6, 0.45, 1),
    "INR": Lab("1", float(np.log(1.28)), 0.17, True, 0.6, 0.40, 2),
    "CREAT": Lab("umol/L", float(np.log(62)), 0.25, True, 0.2, 0.25, 0),
    "SODIUM": Lab("mmol/L", 138.0, 3.2, False, -0.4, 0.50, 0),
}


@dataclass(frozen=True)
class World:
    """What happens to the laboratory values after the infusion.

    ``shift`` is the lasting change of a parameter after baseline: a ratio where the parameter is
    drawn on the log scale, a difference otherwise. ``most_albumin`` is the highest measured
    albumin (g/L) with which a patient enters.
    """

    name: str
    shift: dict[str, float]
    most_albumin: float = np.inf


IMPROVED = World("improvement", {"BILI": 0.86, "ALB": 2.2, "INR": 0.95, "ALT": 0.86})
UNCHANGED = World("no change", {})
SELECTED = World("no change, entry at a low albumin", {}, 30.0)


def simulate_trial(
    study: Study, seed: int, world: World = IMPROVED, max_draws: int = 20_000
) -> tuple[Trial, int]:
    """Return the first draw that satisfies every published statement, and how many it took.

    Parameters
    ----------
    study
        What ``study.yml`` will say: visits and horizon.
    seed
        Seed of the random generator.
    world
        What is assumed to happen after the infusion.
    max_draws
        Draws after which to give up.

    Raises
    ------
    RuntimeError
        If no draw was accepted.
    """
    rng = np.random.default_rng(seed)
    for draw in range(1, max_draws + 1):
        trial = draw_trial(rng, world, study)
        if is_compatible(trial):
            return trial, draw
    raise RuntimeError(f"{world.name}: no draw of {max_draws} satisfies the published statements")


def is_compatible(trial: Trial) -> bool:
    """Return whether every testable statement holds in both readings, MELD also when rounded."""
    checked = check_trial(trial)
    testable = checked[checked["kind"].isin(["count", *CHANGES])]
    if not (testable["verdict"] == "holds").all():
        return False
    points = derive_scores(trial.adlb, trial.adsl, rounded=True)
    points = points[points["PARAMCD"] == "MELD"].pivot_table(
        index="USUBJID", columns="AVISITN", values="AVAL"
    )
    later = points[[visit.number for visit in trial.plan.later]]
    paired = later.sub(points[0], axis=0).mean()
    return bool((paired < 0).all() and (later.mean() < points[0].mean()).all())


def draw_trial(rng: np.random.Generator, world: World, study: Study) -> Trial:
    """Return one draw, accepted or not."""
    severity, true = draw_entrants(rng, world.most_albumin)
    days = {v.number: draw_days(rng, v, len(severity)) for v in study.plan.visits}
    adsl = draw_outcomes(rng, severity, days[study.plan.last.number], study.plan)
    tables = []
    for visit in study.plan.visits:
        values = {
            code: measure(rng, code, true[code], world) if visit.number else true[code]["first"]
            for code in LABS
        }
        values["PT"] = np.round(NORMAL_PT_S * values["INR"], 1)
        attended = (rng.random(len(severity)) > MISSED_SHARE) | (visit.number == 0)
        own = pd.DataFrame(
            {
                "USUBJID": adsl["USUBJID"],
                "PARAMCD": "",
                "AVISIT": visit.name,
                "AVISITN": visit.number,
                "ADY": days[visit.number],
            }
        )
        present = attended & (own["ADY"] <= adsl["EOSDY"])
        for code, value in values.items():
            own = own.assign(PARAMCD=code, AVAL=value, AVALU=PARAMETERS[code].unit)
            tables.append(own[present])
    adlb = pd.concat(tables).sort_values(["USUBJID", "AVISITN"], kind="stable")
    adlb = adlb.reset_index(drop=True)
    return Trial(study, adsl, adlb, make_adae(rng, adsl), make_adex(adsl), folder="", digest="")


def draw_entrants(
    rng: np.random.Generator, most_albumin: float
) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]:
    """Return the first patients (`draw_patients`) whose measured albumin lets them enter."""
    if np.isinf(most_albumin):
        return draw_patients(rng)
    severity, true = draw_patients(rng, 26 * POOL)
    entered = np.flatnonzero(true["ALB"]["first"] <= most_albumin)[:26]
    return severity[entered], {
        code: {name: values[entered] for name, values in own.items()} for code, own in true.items()
    }


def draw_patients(
    rng: np.random.Generator, size: int = 26
) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]]]:
    """Return severity, and for each parameter the true and first measured values of each."""
    severity = rng.standard_normal(size)
    true: dict[str, dict[str, np.ndarray]] = {}
    for code, lab in LABS.items():
        own = rng.standard_normal(size)
        standard = lab.severity * severity + np.sqrt(1 - lab.severity**2) * own
        level = lab.centre + lab.spread * np.sqrt(1 - lab.scatter) * standard
        true[code] = {"level": level, "first": scatter(rng, lab, level)}
    return severity, true


def measure(
    rng: np.random.Generator, code: str, true: dict[str, np.ndarray], world: World
) -> np.ndarray:
    """Return what a later visit measures of a parameter."""
    lab = LABS[code]
    shift = world.shift.get(code, 1.0 if lab.log else 0.0)
    return scatter(rng, lab, true["level"] + (np.log(shift) if lab.log else shift))


def scatter(rng: np.random.Generator, lab: Lab, level: np.ndarray) -> np.ndarray:
    """Return one measurement of each true level, as the laboratory prints it."""
    noise = lab.spread * np.sqrt(lab.scatter) * rng.standard_normal(len(level))
    value = np.exp(level + noise) if lab.log else level + noise
    lowest = 10.0**-lab.decimals
    if lab.unit == "1":
        value = np.maximum(value, LOWEST_INR)
    return np.maximum(np.round(value, lab.decimals), lowest)


def draw_days(rng: np.random.Generator, visit: Visit, size: int) -> np.ndarray:
    """Return the study days of a visit: day 1 at baseline, later within a window around due."""
    early_or_late = rng.integers(-VISIT_WINDOW_DAYS, VISIT_WINDOW_DAYS + 1, size)
    return np.ones(size, dtype=int) + visit.day + (visit.number > 0) * early_or_late


def make_adex(adsl: pd.DataFrame) -> pd.DataFrame:
    """Return one infusion a participant, on the day of treatment, with no dose."""
    given = adsl.loc[adsl["TRTSDY"].notna(), ["USUBJID", "TRTSDY"]]
    return given.rename(columns={"TRTSDY": "ASTDY"}).assign(EXDOSE=None, EXDOSU=None)


def draw_outcomes(
    rng: np.random.Generator, severity: np.ndarray, last_visit: np.ndarray, plan: Plan
) -> pd.DataFrame:
    """Return adsl: 3 die, 2 are transplanted, 4 are lost, all different, the sicker first."""
    size = len(severity)
    risk = np.exp(RISK_SLOPE * severity)
    events = rng.choice(size, 5, replace=False, p=risk / risk.sum())
    others = np.setdiff1d(np.arange(size), events)
    reason = np.full(size, "", dtype=object)
    reason[events] = ["DEATH"] * 3 + ["LIVER TRANSPLANT"] * 2
    reason[rng.choice(others, 4, replace=False)] = "LOST TO FOLLOW-UP"
    left = reason != ""
    completed = np.maximum(last_visit, plan.horizon_days + 1)
    day = np.where(left, rng.integers(*EVENT_DAYS, size, endpoint=True), completed)
    source = rng.permutation(["UMBILICAL CORD"] * 23 + ["CORD BLOOD"] * 2 + ["BONE MARROW"])
    return pd.DataFrame(
        {
            "USUBJID": [f"SYN-{i:02d}" for i in range(1, size + 1)],
            "AGE": np.clip(np.round(rng.normal(AGE_MEAN, AGE_SD, size)), *AGE_RANGE).astype(int),
            "SEX": np.where(rng.random(size) < WOMEN_SHARE, "F", "M"),
            "DIAG": rng.choice(list(DIAGNOSES), size, p=list(DIAGNOSES.values())),
            "MSCSRC": source,
            "TRTSDY": 1,
            "EOSSTT": np.where(left, "DISCONTINUED", "COMPLETED"),
            "DCSREAS": pd.Series(reason).mask(~left, None),
            "EOSDY": day,
            "DTHDY": pd.Series(day, dtype="Int64").where(reason == "DEATH"),
            "LTXDY": pd.Series(day, dtype="Int64").where(reason == "LIVER TRANSPLANT"),
            "SAFFL": "Y",
            "FASFL": "Y",
        }
    )
