"""Run many trials in blocks: the result depends on the seed alone, not on who ran which block."""

import ast
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.abstract import simulate
from msct_helpers.abstract.simulate import LABS
from msct_helpers.stats import scores
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.paths import ROOT
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds.assume import COURSE_MONTHS as MONTHS
from msct_helpers.worlds.assume import WORLDS, World
from msct_helpers.worlds.draw import PT_DECIMALS, draw_trials
from msct_helpers.worlds.judge import Judged, judge
from msct_helpers.worlds.target import Target, read_target

Task = tuple[World, Target, int, int, int]
RunParts = Callable[[Sequence[Task]], Iterable[pd.DataFrame]]

BLOCK = 1000
"""Trials that share a stream of random numbers; a part of the definition of the result."""

PART = 20
"""Blocks that a worker runs at once, and that are stored together."""

ENGINE = ("target", "draw", "ranks", "judge", "tally")
"""Modules of this room that decide the result of a run."""

SHARED = (
    LABS,
    simulate.RISK_SLOPE,
    simulate.EVENT_DAYS,
    simulate.MISSED_SHARE,
    simulate.VISIT_WINDOW_DAYS,
    simulate.NORMAL_PT_S,
    simulate.LOWEST_INR,
    scores.MELD_WEIGHTS,
    scores.MELD_CONSTANT,
    PT_DECIMALS,
)
"""Assumptions and constants that are taken from elsewhere, and decide it as well."""


def make_rng(seed: int, block: int) -> np.random.Generator:
    """Return the generator of a block of trials."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block,))))


def simulate_worlds(
    plan: Plan,
    world: World,
    trials: int,
    seed: int,
    published: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return which statements each of many trials of a world satisfies.

    Parameters
    ----------
    plan
        Gives the visits after baseline and the level of the tests.
    world
        What is assumed.
    trials
        Number of trials. Those of a larger number begin with the same ones.
    seed
        Seed of the random numbers.
    published
        Statements of the abstract; by default ``data/published/statements.csv``.

    Returns
    -------
    DataFrame
        One row a trial, index its number. By statement on a change whether it is satisfied in
        every reading; ``accepted`` whether all are; then what the authors could have printed
        (``ALB_24_mean``: parameter, visit, statistic of the pairs, in the units of the generator),
        missing where the trial is not accepted.

    Raises
    ------
    ValueError
        If the statements do not fit the plan (`read_target`).
    """
    target = read_target(load_statements() if published is None else published, plan)
    return pd.concat(simulate_blocks(world, target, trials, seed))


def simulate_blocks(
    world: World, target: Target, trials: int, seed: int, start: int = 0
) -> Iterator[pd.DataFrame]:
    """Yield the trials from number `start`, which begins a block, a block at a time."""
    for first in range(start, trials, BLOCK):
        judged = judge_block(world, target, seed, first // BLOCK)
        yield tabulate(judged, target, first).iloc[: trials - first]


def judge_block(world: World, target: Target, seed: int, block: int) -> Judged:
    """Return what the trials of one block satisfy."""
    return judge(draw_trials(make_rng(seed, block), world, target, BLOCK), target)


def tabulate(judged: Judged, target: Target, first: int) -> pd.DataFrame:
    """Return one row a trial, numbered from `first`."""
    accepted = judged.accepted()
    columns: dict[str, Any] = {c.id: judged.statement(c.id) for c in target.claims}
    columns["accepted"] = accepted
    columns |= {name: np.where(accepted, v, np.nan) for name, v in judged.numbers.items()}
    index = pd.RangeIndex(first, first + len(accepted), name="trial")
    return pd.DataFrame(columns, index)


def digest_run() -> str:
    """Return the start of the sha256 over what decides a result: engine, constants, statements.

    Docstrings and comments decide nothing, nor do the words for a world.
    """
    worlds = [
        (w.name, w.entry, w.risk_slope, w.scatter, [w.change(c, m) for c in LABS for m in MONTHS])
        for w in WORLDS.values()
    ]
    total = hashlib.sha256(repr((SHARED, worlds)).encode())
    for name in ENGINE:
        total.update(read_code(Path(__file__).with_name(f"{name}.py")).encode())
    total.update((ROOT / "data/published/statements.csv").read_bytes())
    return total.hexdigest()[:16]


def read_code(path: Path) -> str:
    """Return a module without docstrings, comments and blank lines."""
    text = path.read_text(encoding="utf-8")
    words: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            words.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [line for i, line in enumerate(text.splitlines(), start=1) if i not in words]
    return "\n".join(line for line in lines if line.strip() and not line.strip().startswith("#"))


def describe_run(world: World, target: Target, trials: int, seed: int) -> dict[str, Any]:
    """Return what a stored run must agree with before it is continued."""
    assumed = json.loads(json.dumps(asdict(world)))
    return {
        "world": assumed,
        "target": json.loads(json.dumps(asdict(target))),
        "trials": trials,
        "seed": seed,
        "block": BLOCK,
        "digest": digest_run(),
    }


def run_part(world: World, target: Target, trials: int, seed: int, start: int) -> pd.DataFrame:
    """Return the trials of one part: what a worker does."""
    end = min(trials, start + PART * BLOCK)
    return pd.concat(simulate_blocks(world, target, end, seed, start))


def run_stored(
    world: World,
    target: Target,
    trials: int,
    seed: int,
    out: Path,
    run_parts: RunParts,
    tell: Callable[[int], None],
) -> pd.DataFrame:
    """Run a world part by part, continue where an earlier run stopped, and write the whole.

    Parameters
    ----------
    world, target, trials, seed
        As in `simulate_worlds`.
    out
        Parquet file. Parts lie beside it, in a folder that is removed at the end.
    run_parts
        Runs parts, on this machine or others, and yields each as it is ready
        (`msct_helpers.worlds.workers`).
    tell
        Told the number of trials of each part that is there.

    Raises
    ------
    ValueError
        If the parts found are of another run.
    """
    folder = out.with_name(out.name + ".parts")
    folder.mkdir(parents=True, exist_ok=True)
    claim_folder(folder, describe_run(world, target, trials, seed))
    parts = {s: folder / f"{s:010d}.parquet" for s in range(0, trials, PART * BLOCK)}
    todo = [start for start, path in parts.items() if not path.exists()]
    for start in parts.keys() - todo:
        tell(min(trials - start, PART * BLOCK))
    for table in run_parts([(world, target, trials, seed, start) for start in todo]):
        # Under another name first, so that a run that is killed leaves no half part.
        draft = folder / "draft"
        table.to_parquet(draft)
        draft.replace(parts[int(table.index[0])])
        tell(len(table))
    whole = pd.concat([pd.read_parquet(path) for path in parts.values()])
    whole.to_parquet(out)
    shutil.rmtree(folder)
    return whole


def claim_folder(folder: Path, run: dict[str, Any]) -> None:
    """Note in a folder of parts which run it belongs to; ValueError if it is another's."""
    note = folder / "run.json"
    if note.exists() and json.loads(note.read_text(encoding="utf-8")) != run:
        raise ValueError(f"{folder.name} holds parts of another run; remove it or name another out")
    note.write_text(json.dumps(run, indent=1), encoding="utf-8")
