"""The same question asked of real patients who were given no cells.

So many patients as the abstract has are drawn from a real untreated cohort, again and again; the
directions that can be assessed there are read off as in the abstract, and the ratio that the
worlds give for such a pattern of directions is looked up.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from msct_helpers.context.mayo import LOW_ALBUMIN, SOURCE, choose_visits
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds.assume import IMPROVEMENT, NULLS
from msct_helpers.worlds.draw import Floats
from msct_helpers.worlds.judge import READINGS
from msct_helpers.worlds.run import BLOCK, make_rng
from msct_helpers.worlds.tally import code_pattern, list_directions
from msct_helpers.worlds.target import Claim, Target

LABS = {"BILI": ("bili", 1), "ALB": ("albumin", 2), "PT": ("protime", 1)}
"""Column of the source and decimals that it records, by PARAMCD."""

ASSESSABLE = tuple(LABS)
"""Parameters of the abstract that the cohort was measured on."""

COHORTS = {
    "whole": "Whole cohort",
    "stage 4": "Stage 4 (cirrhosis)",
    "low albumin": f"Entered at the first albumin of {LOW_ALBUMIN:g} g/dL or less",
}
"""Cohorts of untreated patients, in words."""

STRONG = 10.0
"""A ratio from which the worlds would be read as speaking for improvement (our choice)."""

Cohort = dict[str, Floats]
"""By PARAMCD (visits with baseline, patients), in units of the last decimal; NaN if missing."""


def load_cohort(name: str) -> Cohort:
    """Return the visits of one of `COHORTS`: baseline, then the visits of the plan.

    Raises
    ------
    KeyError
        If there is no such cohort.
    """
    visits = pd.read_csv(SOURCE).rename(columns={"id": "USUBJID"})
    entry = visits[visits["day"] == 0]
    if name == "stage 4":
        entry = entry[entry["stage"] == 4]
    elif name == "low albumin":
        low = visits[visits["albumin"] <= LOW_ALBUMIN]
        entry = low.sort_values(["USUBJID", "day"]).drop_duplicates("USUBJID")
    elif name != "whole":
        raise KeyError(name)
    plan, begun = Plan(), entry.set_index("USUBJID")["day"]
    chosen = choose_visits(visits, begun, plan)
    out = {}
    for code, (column, decimals) in LABS.items():
        wide = chosen.pivot(index="AVISITN", columns="USUBJID", values=column)
        out[code] = np.round(wide[begun.index].to_numpy() * 10**decimals)
    return out


def draw_patterns(
    cohort: Cohort, claims: list[Claim], size: int, draws: int, seed: int
) -> Iterator[dict[str, np.ndarray]]:
    """Yield by reading the patterns of directions of random draws without replacement.

    Parameters
    ----------
    cohort
        Real patients.
    claims
        Statements on a direction.
    size
        Patients in a draw.
    draws
        Number of draws.
    seed
        Seed; each block of draws has a stream of its own.
    """
    patients = next(iter(cohort.values())).shape[1]
    for first in range(0, draws, BLOCK):
        key = make_rng(seed, first // BLOCK).random((BLOCK, patients))
        drawn = np.argpartition(key, size - 1, axis=1)[: draws - first, :size]
        holds: dict[str, list[np.ndarray]] = {reading: [] for reading in READINGS}
        for claim in claims:
            base, later = cohort[claim.parameter][[0, claim.visits[0] + 1]][:, drawn]
            diff = average(later) - average(base)
            pairs = average(later - base)
            holds["observed"].append(claim.sign * diff > 0)
            holds["pairs"].append(claim.sign * pairs > 0)
        yield {reading: code_pattern(np.stack(flags)) for reading, flags in holds.items()}


def average(values: Floats) -> Floats:
    """Return the mean of each row's known values; NaN where none is."""
    count = (~np.isnan(values)).sum(axis=1)
    return np.nansum(values, axis=1) / np.where(count > 0, count, np.nan)


def look_up_ratios(patterns: pd.DataFrame, reading: str, null: str, claims: int) -> np.ndarray:
    """Return by pattern how many times likelier it is in the improved world than in a null one.

    Half a trial is added to each count, so that what was never seen has a finite ratio.
    """
    own = patterns[patterns["reading"] == reading]
    counts = [
        np.bincount(part["pattern"], part["count"], minlength=1 << claims) + 0.5
        for part in (own[own["world"] == w] for w in (IMPROVEMENT.name, null))
    ]
    ratio: np.ndarray = (counts[0] / counts[0].sum()) / (counts[1] / counts[1].sum())
    return ratio


def calibrate(patterns: pd.DataFrame, target: Target, draws: int, seed: int) -> pd.DataFrame:
    """Return how often untreated patients "improve" as the abstract has it, and what is concluded.

    Parameters
    ----------
    patterns
        Patterns of directions in the worlds: reading, pattern, count, world.
    target
        The abstract.
    draws
        Draws of each cohort.
    seed
        Seed of the draws.

    Returns
    -------
    DataFrame
        cohort, reading, draws; count, draws that show every direction; null, the world that
        improvement is compared with; ratio, what the worlds give for every direction together;
        favours and strong, draws whose own pattern has a ratio above 1 and above `STRONG`.
    """
    claims = list_directions(target, ASSESSABLE)
    full, rows = (1 << len(claims)) - 1, []
    for name in COHORTS:
        blocks = list(draw_patterns(load_cohort(name), claims, target.enrolled, draws, seed))
        for reading in READINGS:
            found = np.concatenate([block[reading] for block in blocks])
            for null in NULLS:
                ratio = look_up_ratios(patterns, reading, null, len(claims))
                own = ratio[found]
                counted = {"draws": draws, "count": int((found == full).sum()), "null": null}
                counted |= {"ratio": ratio[full], "favours": int((own > 1).sum())}
                counted["strong"] = int((own > STRONG).sum())
                rows.append({"cohort": name, "reading": reading} | counted)
    return pd.DataFrame(rows)
