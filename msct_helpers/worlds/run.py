"""Run many trials in blocks: the result depends on the seed alone, not on who ran which block."""

import ast
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.abstract import simulate
from msct_helpers.stats import scores
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.paths import ROOT
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds.assume import COURSE_MONTHS, WORLDS, World
from msct_helpers.worlds.draw import PT_DECIMALS, draw_trials
from msct_helpers.worlds.judge import Judged, judge
from msct_helpers.worlds.target import Target, read_target

BLOCK = 1000
"""Trials that share a stream of random numbers; a part of the definition of the result."""

PART = 20
"""Blocks that a worker runs at once, and that are stored together."""

ENGINE = ("target", "assume", "draw", "ranks", "judge", "tally")
"""Modules of this room that decide the result of a run."""

SHARED = (
    simulate.LABS,
    simulate.MODEST_EFFECT,
    simulate.RISK_SLOPE,
    simulate.EVENT_DAYS,
    simulate.MISSED_SHARE,
    simulate.VISIT_WINDOW_DAYS,
    simulate.NORMAL_PT_S,
    simulate.LOWEST_INR,
    scores.MELD_WEIGHTS,
    scores.MELD_CONSTANT,
    COURSE_MONTHS,
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
        (w.name, dict(w.shift), dict(w.course), w.entry, w.risk_slope, w.scatter)
        for w in WORLDS.values()
    ]
    total = hashlib.sha256(repr((SHARED, worlds)).encode())
    for name in ENGINE:
        total.update(read_code(Path(__file__).with_name(f"{name}.py")).encode())
    total.update((ROOT / "data/published/statements.csv").read_bytes())
    return total.hexdigest()[:16]


def read_code(path: Path) -> str:
    """Return a module's functions and classes without docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    kept = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return "\n".join(ast.unparse(node) for node in kept)


def describe_run(world: World, target: Target, trials: int, seed: int) -> dict[str, Any]:
    """Return what a stored run must agree with before it is continued."""
    assumed = json.loads(json.dumps(asdict(world), default=dict))
    return {
        "world": assumed,
        "target": json.loads(json.dumps(asdict(target))),
        "trials": trials,
        "seed": seed,
        "block": BLOCK,
        "digest": digest_run(),
    }


def store_part(
    folder: str, world: World, target: Target, trials: int, seed: int, start: int
) -> None:
    """Run a part and write it; a part that is there is left alone.

    It is written under another name first, so that a run that is killed leaves no half part.
    """
    path = Path(folder) / f"{start:010d}.parquet"
    if path.exists():
        return
    end = min(trials, start + PART * BLOCK)
    table = pd.concat(simulate_blocks(world, target, end, seed, start))
    draft = path.with_suffix(".draft")
    table.to_parquet(draft)
    draft.replace(path)


def run_stored(
    world: World,
    target: Target,
    trials: int,
    seed: int,
    out: Path,
    map_parts: Callable[[Callable[..., None], Sequence[tuple[Any, ...]]], None],
) -> pd.DataFrame:
    """Run a world part by part, continue where an earlier run stopped, and write the whole.

    Parameters
    ----------
    world, target, trials, seed
        As in `simulate_worlds`.
    out
        Parquet file. Parts lie beside it, in a folder that is removed at the end.
    map_parts
        Calls a function with each of some arguments, in any order and on any machine.

    Raises
    ------
    ValueError
        If the parts found are of another run.
    """
    folder = out.with_name(out.name + ".parts")
    folder.mkdir(parents=True, exist_ok=True)
    note, wanted = folder / "run.json", describe_run(world, target, trials, seed)
    if note.exists() and json.loads(note.read_text()) != wanted:
        raise ValueError(f"{folder.name} holds parts of another run; remove it or name another out")
    note.write_text(json.dumps(wanted, indent=1))
    starts = range(0, trials, PART * BLOCK)
    parts = [folder / f"{start:010d}.parquet" for start in starts]
    where = str(folder.resolve())
    todo = [
        (where, world, target, trials, seed, start)
        for start, path in zip(starts, parts, strict=True)
        if not path.exists()
    ]
    map_parts(store_part, todo)
    table = pd.concat([pd.read_parquet(path) for path in parts])
    table.to_parquet(out)
    for path in [*parts, note]:
        path.unlink()
    folder.rmdir()
    return table
