"""The stored runs: every world, and a grid over the assumptions that the answer may rest on."""

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msct_helpers.trial.load import load_statements
from msct_helpers.trial.paths import ROOT
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds.assume import (
    CONCOMITANT,
    IMPROVEMENT,
    NULLS,
    PROGRESSING,
    SELECTED,
    STABLE,
    WORLDS,
    WORSENING,
    Course,
    Entry,
    World,
    enlarge,
    vary,
)
from msct_helpers.worlds.calibrate import ASSESSABLE, calibrate
from msct_helpers.worlds.run import digest_run
from msct_helpers.worlds.tally import ALL, list_directions, tally_world
from msct_helpers.worlds.target import Target, read_target
from msct_helpers.worlds.weigh import weigh_numbers

STORED = ROOT / "data" / "worlds"
SEED = 20260101
TRIALS = 1_000_000
"""Trials of each world."""

CELL_TRIALS = 200_000
"""Trials of each cell of the grid."""

CALIBRATION_DRAWS = 20_000
"""Draws of real untreated patients."""

SAMPLE = 5_000
"""First trials of every run, whose count is stored beside the whole: so many can be run again."""


@dataclass(frozen=True)
class Cell:
    """A world with one assumption changed; ``value`` says to what."""

    assumption: str
    value: str
    world: World


def slow(course: Course, times: float) -> Course:
    """Return a course so many times as fast."""
    return {c: tuple(times * x for x in steps) for c, steps in course.items()}


def list_cells() -> Iterator[Cell]:
    """Yield the cells of the grid."""
    for scatter in (0.5, 1.0, 1.5, 2.0):
        for world in (IMPROVEMENT, STABLE, SELECTED, CONCOMITANT):
            yield Cell("scatter", f"{scatter:g}", vary(world, scatter=scatter))
    for slope in (0.0, 0.5, 1.0, 1.5):
        for world in (IMPROVEMENT, STABLE, SELECTED, CONCOMITANT):
            yield Cell("risk slope", f"{slope:g}", vary(world, risk_slope=slope))
    for limit in (28.0, 30.0, 32.0, 34.0):
        entry = Entry("ALB", limit)
        for world in (IMPROVEMENT, SELECTED):
            yield Cell("entry", f"albumin {limit:g} g/L or less", vary(world, entry=entry))
    for limit in (12.0, 15.0, 18.0):
        entry = Entry("MELD", limit, above=True)
        for world in (IMPROVEMENT, SELECTED):
            yield Cell("entry", f"MELD(i) {limit:g} or more", vary(world, entry=entry))
    for times in (0.0, 0.25, 0.5, 1.0):
        course = slow(WORSENING, times)
        yield Cell("progression", f"{times:g}", vary(PROGRESSING, course=course))
        yield Cell("progression", f"{times:g}", vary(SELECTED, course=course))
        yield Cell("progression", f"{times:g}", vary(CONCOMITANT, course=course))
    for times in (0.5, 1.0, 1.5, 2.0):
        shift = enlarge(IMPROVEMENT.shift, times)
        yield Cell("improvement", f"{times:g}", vary(IMPROVEMENT, shift=shift))
    for times in (1.0, 1.5, 2.0, 3.0):
        shift = enlarge(IMPROVEMENT.shift, times)
        yield Cell("treatment begun at entry", f"{times:g}", vary(CONCOMITANT, shift=shift))


GRID = {
    "scatter": "Share of variance that is new at each visit, as a multiple",
    "risk slope": "Log of how much likelier death or transplant is, per SD of severity",
    "entry": "Threshold at entry",
    "progression": "Worsening by itself, as a multiple of that of untreated patients",
    "improvement": "Size of the improvement, as a multiple",
    "treatment begun at entry": "Treatment begun at entry, as a multiple of the improvement",
}
"""Words for the assumptions of the grid."""


def run_worlds(
    target: Target, trials: int, seed: int, tell: Callable[[str], None]
) -> dict[str, pd.DataFrame]:
    """Return acceptance, patterns and numbers of every world, as they are stored."""
    directions = [claim.id for claim in list_directions(target, ASSESSABLE)]
    tallies = {}
    for name, world in WORLDS.items():
        tallies[name] = tally_world(world, target, trials, seed, directions)
        tell(f"{name}: {tallies[name].counts[ALL]} of {trials} accepted")
    accepted = [
        pd.DataFrame({"world": n, "statement": t.counts.index, "count": t.counts, "trials": trials})
        for n, t in tallies.items()
    ]
    accepted = [
        table.assign(sample=tally_world(WORLDS[n], target, SAMPLE, seed).counts)
        for n, table in zip(tallies, accepted, strict=True)
    ]
    patterns = [t.patterns.assign(world=n, trials=trials) for n, t in tallies.items()]
    first = tallies[IMPROVEMENT.name].numbers
    moved = [weigh_numbers(first, tallies[n].numbers, 0.95, seed).assign(world=n) for n in NULLS]
    return {
        "acceptance": pd.concat(accepted, ignore_index=True),
        "patterns": pd.concat(patterns, ignore_index=True),
        "numbers": pd.concat([m for m in moved if len(m)], ignore_index=True),
    }


def run_cell(cell: Cell, target: Target, trials: int, seed: int) -> dict[str, Any]:
    """Return the acceptance of one cell of the grid."""
    count, sample = (
        int(tally_world(cell.world, target, n, seed).counts[ALL]) for n in (trials, SAMPLE)
    )
    place = {"assumption": cell.assumption, "value": cell.value, "world": cell.world.name}
    return place | {"count": count, "trials": trials, "sample": sample}


def store_grid(
    folder: Path,
    trials: int,
    cell_trials: int,
    seed: int,
    tell: Callable[[str], None],
) -> None:
    """Run every world and every cell, and write CSV files with a note on how they were made."""
    folder.mkdir(parents=True, exist_ok=True)
    target = read_target(load_statements(), Plan())
    tables = run_worlds(target, trials, seed, tell)
    rows = []
    for cell in list_cells():
        rows.append(run_cell(cell, target, cell_trials, seed))
        tell("{assumption} {value}, {world}: {count} of {trials}".format(**rows[-1]))
    tables["grid"] = pd.DataFrame(rows)
    tables["calibration"] = calibrate(tables["patterns"], target, CALIBRATION_DRAWS, seed)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    note = {
        "made_by": "msct worlds",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": seed,
        "trials": trials,
        "cell_trials": cell_trials,
        "digest": digest_run(),
    }
    (folder / "run.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def load_grid(name: str, folder: Path = STORED) -> pd.DataFrame:
    """Return a stored table: acceptance, patterns, numbers, grid or calibration."""
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, dtype={"value": str})


def load_note(folder: Path = STORED) -> Mapping[str, Any]:
    """Return how the stored tables were made: date, seed, trials, digest."""
    note: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return note


__all__ = ["GRID", "load_grid", "load_note", "store_grid"]
