"""How often trials of a world satisfy the statements, counted block by block."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msct_helpers.worlds.assume import World
from msct_helpers.worlds.draw import Flags
from msct_helpers.worlds.judge import READINGS, Judged
from msct_helpers.worlds.run import BLOCK, judge_block
from msct_helpers.worlds.target import Claim, Target

ALL = "all"
"""Name of the count of trials that satisfy every statement."""


@dataclass(frozen=True)
class Tally:
    """Counts of a world, and what the accepted trials would have printed.

    Attributes
    ----------
    counts
        By statement, by `ALL` and by ``without`` and a statement (every other one is satisfied):
        number of trials.
    trials
        Number of trials.
    numbers
        One row an accepted trial: what the authors could have printed.
    patterns
        reading, pattern (see `code_pattern`), count: number of trials.
    """

    counts: pd.Series
    trials: int
    numbers: pd.DataFrame
    patterns: pd.DataFrame


def tally_world(
    world: World, target: Target, trials: int, seed: int, directions: Sequence[str] = ()
) -> Tally:
    """Return how often a world satisfies each statement, and all.

    Parameters
    ----------
    world, target, seed
        As in `msct_helpers.worlds.run.simulate_worlds`.
    trials
        Number of trials, in whole blocks.
    directions
        Statements on a direction of which patterns are counted.

    Raises
    ------
    ValueError
        If the number of trials is not one of whole blocks.
    """
    if trials % BLOCK or trials <= 0:
        raise ValueError(f"{trials} trials; expected a multiple of {BLOCK}")
    counts, numbers = [], []
    patterns: Counter[tuple[str, int]] = Counter()
    for block in range(trials // BLOCK):
        judged = judge_block(world, target, seed, block)
        accepted = judged.accepted()
        counts.append(count_statements(judged, target))
        numbers.append(pd.DataFrame({k: v[accepted] for k, v in judged.numbers.items()}))
        patterns.update(count_patterns(judged, directions))
    return Tally(
        pd.DataFrame(counts).sum(),
        trials,
        pd.concat(numbers, ignore_index=True),
        pd.DataFrame(
            [(*key, n) for key, n in sorted(patterns.items())],
            columns=["reading", "pattern", "count"],
        ),
    )


def count_statements(judged: Judged, target: Target) -> dict[str, int]:
    """Return how many trials satisfy each statement, all, and all but one."""
    names = [claim.id for claim in target.claims]
    holds = np.stack([judged.statement(name) for name in names])
    failed = (~holds).sum(axis=0)
    out = {name: int(own.sum()) for name, own in zip(names, holds, strict=True)}
    out[ALL] = int((failed == 0).sum())
    for name, own in zip(names, holds, strict=True):
        out[f"without {name}"] = int((failed == ~own).sum())
    return out


def count_patterns(judged: Judged, directions: Sequence[str]) -> dict[tuple[str, int], int]:
    """Return how many trials show each pattern of directions, by reading."""
    out: dict[tuple[str, int], int] = {}
    for reading in READINGS if directions else ():
        holds = np.stack([judged.holds[name, reading] for name in directions])
        found, times = np.unique(code_pattern(holds), return_counts=True)
        out |= {(reading, int(code)): int(n) for code, n in zip(found, times, strict=True)}
    return out


def code_pattern(holds: Flags) -> np.ndarray:
    """Return the pattern of each trial as a number: bit i is set where statement i is satisfied.

    Parameters
    ----------
    holds
        (statements, trials).
    """
    return (1 << np.arange(len(holds))) @ holds


def list_directions(target: Target, parameters: Sequence[str]) -> list[Claim]:
    """Return the statements on a direction of some parameters."""
    return [c for c in target.claims if not c.significance and c.parameter in parameters]
