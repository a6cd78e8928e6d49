"""Stored runs as results of the report: acceptance, ratios, and what they rest on."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.worlds.assume import IMPROVEMENT, NULLS, PROGRESSING, SELECTED, STABLE
from msct_helpers.worlds.judge import READINGS
from msct_helpers.worlds.tally import ALL
from msct_helpers.worlds.weigh import weigh_ratio, weigh_statements

FIRST = IMPROVEMENT.name
ABOUT = "stored run of msct worlds"
DIGITS = 2
"""Digits of a ratio that are shown."""

READ = READINGS[0]
"""How the directions of untreated patients are read: as observed, which favours improvement."""

ASKED = (STABLE.name, PROGRESSING.name, SELECTED.name)
"""Worlds that improvement is compared with where untreated patients are asked."""

LARGEST = 100.0
"""Factor beyond which only this limit is told: the two worlds hardly overlap, and how little is
decided by the far ends of assumed distributions."""

Rows = list[dict[str, Any]]


def make_ratio_rows(
    analysis: str, values: dict[str, float], digits: int = DIGITS, **about: Any
) -> Rows:
    """Return rows of the record, each with as many decimals as its size needs."""
    rows: Rows = []
    for name, value in values.items():
        size = np.log10(value) if np.isfinite(value) and value > 0 else 0
        places = int(max(0, digits - 1 - np.floor(size)))
        rows += make_rows(analysis, {name: value}, decimals=places, **about)
    return rows


def keep_known(values: dict[str, float]) -> dict[str, float]:
    """Return the values that are finite."""
    return {name: value for name, value in values.items() if np.isfinite(value)}


def pick(accepted: pd.DataFrame, world: str) -> tuple[pd.Series, int]:
    """Return a world's counts by statement, and its number of trials."""
    own = accepted[accepted["world"] == world]
    return own.set_index("statement")["count"], int(own["trials"].iloc[0])


def summarise_acceptance(accepted: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return how often each world satisfies each statement, and all.

    Parameters
    ----------
    accepted
        Stored counts: world, statement, count, trials.
    level
        Confidence level of the exact interval.

    Returns
    -------
    DataFrame
        Record, analysis ``accept-`` and the world: percent by statement; of ``all`` also count,
        percent_low and percent_high.
    """
    rows: Rows = []
    for row in accepted[~accepted["statement"].str.startswith("without ")].to_dict("records"):
        world, statement = row["world"], row["statement"]
        found = estimate_proportion(row["count"], row["trials"], level)
        about: dict[str, Any] = {"group": statement, "n": row["trials"], "method": ABOUT}
        about["function"] = "summarise_acceptance"
        if statement != ALL:
            rows += make_rows(f"accept-{world}", {"percent": found["percent"]}, **about)
            continue
        rows += make_rows(f"accept-{world}", {"count": row["count"]}, **about)
        share = {name: v for name, v in found.items() if name.startswith("percent")}
        rows += make_ratio_rows(f"accept-{world}", share, digits=3, **about)
    return make_record(rows)


def summarise_ratios(accepted: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the likelihood ratio of improvement and each other world, with Monte Carlo interval.

    Returns
    -------
    DataFrame
        Record, analysis ``ratio`` by world: ratio (not where it is infinite), ratio_low,
        ratio_high; ``carries`` by statement: the factor by which the ratio against the sick at
        entry falls without it.
    """
    rows: Rows = []
    counts, trials = pick(accepted, FIRST)
    for null in NULLS:
        table = weigh_statements(counts, trials, *pick(accepted, null), level)
        table = table.set_index("statement")
        found = table.loc[ALL, ["ratio", "ratio_low", "ratio_high"]].to_dict()
        about: dict[str, Any] = {"method": ABOUT, "function": "summarise_ratios"}
        rows += make_ratio_rows("ratio", keep_known(found), digits=3, group=null, **about)
        for statement, carries in table["carries"].drop(ALL).items():
            name = str(statement).removeprefix("without ")
            if null == SELECTED.name:
                rows += make_ratio_rows("carries", {"factor": carries}, group=name, **about)
    return make_record(rows)


def summarise_grid(grid: pd.DataFrame, accepted: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the ratio over the grid of assumptions.

    A cell is compared with the improved world under the same assumption where the grid has it;
    sizes of improvement are compared with the world of the sick at entry.

    Returns
    -------
    DataFrame
        Record, analysis ``grid-`` and the assumption, group value and world: ratio, or ratio_low
        where the other world never satisfied the statements.
    """
    base, base_trials = pick(accepted, FIRST)
    other, other_trials = pick(accepted, SELECTED.name)
    first = grid[grid["world"] == FIRST].set_index(["assumption", "value"])
    rows: Rows = []
    for row in grid.to_dict("records"):
        own, key = (row["count"], row["trials"]), (row["assumption"], row["value"])
        if row["assumption"] == FIRST:
            found = weigh_ratio(*own, other[ALL], other_trials, level)
        elif row["world"] == FIRST:
            continue
        elif key in first.index:
            same = first.loc[key]
            found = weigh_ratio(same["count"], same["trials"], *own, level)
        else:
            found = weigh_ratio(base[ALL], base_trials, *own, level)
        known = "ratio" if np.isfinite(found["ratio"]) else "ratio_low"
        world = SELECTED.name if row["assumption"] == FIRST else row["world"]
        about: dict[str, Any] = {"group": f"{row['value']} {world}", "n": row["trials"]}
        about["method"] = ABOUT
        analysis, about["function"] = f"grid-{row['assumption']}", "summarise_grid"
        rows += make_ratio_rows(analysis, {known: found[known]}, **about)
    return make_record(rows)


def summarise_numbers(numbers: pd.DataFrame, shown: int) -> pd.DataFrame:
    """Return by which factor each number, had it been printed, would be expected to move the ratio.

    Parameters
    ----------
    numbers
        Stored table: number, moves, moves_low, moves_high (natural logarithms), world.
    shown
        How many of each world, those that move most.

    Returns
    -------
    DataFrame
        Record, analysis ``number-`` and the world, by number: factor, factor_low, factor_high; or
        only factor_limit, where the factor is beyond `LARGEST`.
    """
    rows: Rows = []
    for null, own in numbers.groupby("world", sort=False):
        for row in own.head(shown).to_dict("records"):
            ends = {"factor": "moves", "factor_low": "moves_low", "factor_high": "moves_high"}
            found = {name: float(np.exp(row[column])) for name, column in ends.items()}
            about = {"group": row["number"], "method": ABOUT, "function": "summarise_numbers"}
            if found["factor_low"] > LARGEST:
                found = {"factor_limit": LARGEST}
            rows += make_ratio_rows(f"number-{null}", found, **about)
    return make_record(rows)


def summarise_calibration(calibration: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return how often untreated patients show the abstract's directions, and what follows.

    Returns
    -------
    DataFrame
        Record by cohort: analysis ``untreated-`` and reading: percent of draws that show every
        direction, with interval; with the world added, strong_percent of the draws, by the ratio
        of their own pattern as observed.
    """
    rows: Rows = []
    for (cohort, reading), own in calibration.groupby(["cohort", "reading"], sort=False):
        draws = int(own["draws"].iloc[0])
        about: dict[str, Any] = {"group": str(cohort), "n": draws, "method": ABOUT}
        about["function"] = "summarise_calibration"
        found = estimate_proportion(int(own["count"].iloc[0]), draws, level)
        share = {name: v for name, v in found.items() if name.startswith("percent")}
        rows += make_rows(f"untreated-{reading}", share, decimals=2, **about)
        for row in own[own["null"].isin(ASKED)].to_dict("records") if reading == READ else ():
            strong = {"strong_percent": 100 * row["strong"] / draws}
            rows += make_rows(f"untreated-{reading}-{row['null']}", strong, **about)
    return make_record(rows)


def summarise_run(note: dict[str, Any], calibration: pd.DataFrame) -> pd.DataFrame:
    """Return the size of the stored run: trials of a world and of a cell, draws, and the seed."""
    sizes = {
        "trials_count": note["trials"],
        "cell_trials_count": note["cell_trials"],
        "draws_count": int(calibration["draws"].iloc[0]),
        "seed_count": note["seed"],
    }
    return make_record(make_rows("run", sizes, method=ABOUT, function="summarise_run"))
