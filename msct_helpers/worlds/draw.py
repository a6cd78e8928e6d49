"""The generator of `msct_helpers.abstract.simulate`, for many trials side by side.

Values are held in units of their last printed decimal, so that differences are whole numbers and
ties are ties. Arrays are (trials, patients), with the visit first where there is one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msct_helpers.abstract.simulate import (
    EVENT_DAYS,
    LABS,
    LOWEST_INR,
    MISSED_SHARE,
    NORMAL_PT_S,
    VISIT_WINDOW_DAYS,
    Lab,
)
from msct_helpers.stats import scores
from msct_helpers.trial.parameters import PARAMETERS
from msct_helpers.trial.plan import DAYS_IN
from msct_helpers.worlds.assume import World
from msct_helpers.worlds.target import Target

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PT_DECIMALS = 1
TRIES = 10_000
"""Rounds of candidates after which an entry threshold counts as one that nobody meets."""


@dataclass(frozen=True)
class Drawn:
    """Trials as they are measured.

    Attributes
    ----------
    first
        By PARAMCD, (trials, patients): values at baseline, in units of the last decimal.
    later
        By PARAMCD, (visits, trials, patients); also where nobody was measured.
    seen
        (visits, trials, patients): whether a patient attended before any event.
    """

    first: dict[str, Floats]
    later: dict[str, Floats]
    seen: Flags


def draw_trials(rng: np.random.Generator, world: World, target: Target, size: int) -> Drawn:
    """Return so many trials of a world, accepted or not.

    Parameters
    ----------
    rng
        Random generator.
    world
        What is assumed.
    target
        What the abstract fixes.
    size
        Number of trials.

    Raises
    ------
    ValueError
        If hardly anybody meets the entry threshold.
    """
    shape = (size, target.enrolled)
    severity, level, first = draw_patients(rng, world, target.drawn, size * target.enrolled)
    seen = draw_attendance(rng, severity.reshape(shape), world, target)
    later = {code: [] for code in target.drawn}  # type: dict[str, list[Floats]]
    for visit in target.visits:
        months = visit.day / DAYS_IN["month"]
        for code in target.drawn:
            true = level[code] + world.change(code, months)
            later[code].append(measure(rng, LABS[code], true, world).reshape(shape))
    return Drawn(
        {code: value.reshape(shape) for code, value in first.items()},
        {code: np.stack(values) for code, values in later.items()},
        seen,
    )


def draw_patients(
    rng: np.random.Generator, world: World, codes: tuple[str, ...], size: int
) -> tuple[Floats, dict[str, Floats], dict[str, Floats]]:
    """Return severity, true level and first measured value of patients who may enter."""
    kept: list[list[Floats]] = []
    found = 0
    for _ in range(TRIES):
        rows = draw_candidates(rng, world, codes, size)
        if world.entry:
            first = dict(zip(codes, rows[1 + len(codes) :], strict=True))
            allowed = meets_entry(first, world)
            rows = [row[allowed] for row in rows]
        kept.append(rows)
        found += len(rows[0])
        if found >= size:
            break
    else:
        raise ValueError(f"{world.name}: hardly anybody meets the entry threshold")
    joined = [np.concatenate(parts)[:size] for parts in zip(*kept, strict=True)]
    width = len(codes)
    level = dict(zip(codes, joined[1 : 1 + width], strict=True))
    return joined[0], level, dict(zip(codes, joined[1 + width :], strict=True))


def draw_candidates(
    rng: np.random.Generator, world: World, codes: tuple[str, ...], size: int
) -> list[Floats]:
    """Return severity, then the true levels, then the first measurements of so many people."""
    severity = rng.standard_normal(size)
    levels = []
    for code in codes:
        lab = LABS[code]
        spread = lab.spread * np.sqrt(1 - share_new(lab, world))
        own = np.sqrt(1 - lab.severity**2) * rng.standard_normal(size)
        levels.append(lab.centre + spread * (lab.severity * severity + own))
    first = [measure(rng, LABS[c], level, world) for c, level in zip(codes, levels, strict=True)]
    return [severity, *levels, *first]


def share_new(lab: Lab, world: World) -> float:
    """Return the share of a parameter's variance that is new at each visit."""
    return min(lab.scatter * world.scatter, 1.0)


def measure(rng: np.random.Generator, lab: Lab, level: Floats, world: World) -> Floats:
    """Return one measurement of each true level, in units of the last printed decimal."""
    value = rng.standard_normal(len(level))
    value *= lab.spread * np.sqrt(share_new(lab, world))
    value += level
    if lab.log:
        np.exp(value, out=value)
    if lab.unit == "1":
        np.maximum(value, LOWEST_INR, out=value)
    value *= 10.0**lab.decimals
    return np.maximum(np.rint(value, out=value), 1.0, out=value)


def meets_entry(first: dict[str, Floats], world: World) -> Flags:
    """Return who meets the entry threshold of a world with the first measured values."""
    entry = world.entry
    if entry is None:
        raise ValueError(f"{world.name}: no entry threshold")
    value = derive(first, entry.parameter) / 10.0 ** decimals_of(entry.parameter)
    return value >= entry.limit if entry.above else value <= entry.limit


def draw_attendance(
    rng: np.random.Generator, severity: Floats, world: World, target: Target
) -> Flags:
    """Return (visits, trials, patients): who attended, and before death, transplant or loss."""
    end = np.where(draw_leavers(rng, severity, world, target), 0, np.inf)
    end += rng.integers(*EVENT_DAYS, severity.shape, endpoint=True)
    seen = []
    for visit in target.visits:
        window = rng.integers(-VISIT_WINDOW_DAYS, VISIT_WINDOW_DAYS, severity.shape, endpoint=True)
        attended = rng.random(severity.shape) > MISSED_SHARE
        seen.append(attended & (1 + visit.day + window <= end))
    return np.stack(seen)


def draw_leavers(rng: np.random.Generator, severity: Floats, world: World, target: Target) -> Flags:
    """Return who dies, is transplanted (the sicker first) or is lost (anybody else).

    Adding Gumbel noise to the logarithm of a risk and taking the largest draws without
    replacement, in proportion to the risk.
    """
    events = target.died + target.transplanted
    first = mark_largest(world.risk_slope * severity + rng.gumbel(size=severity.shape), events)
    second = np.where(first, -np.inf, rng.random(severity.shape))
    return first | mark_largest(second, target.lost)


def mark_largest(key: Floats, count: int) -> Flags:
    """Return which are the `count` largest of each row."""
    if count == 0:
        return np.zeros(key.shape, dtype=bool)
    limit = np.partition(key, -count, axis=1)[:, -count]
    return key >= limit[:, None]


def decimals_of(code: str) -> int:
    """Return the decimals in whose last a parameter is held; scores are held in points."""
    if code == "PT":
        return PT_DECIMALS
    return LABS[code].decimals if code in LABS else 0


def derive(values: dict[str, Floats], code: str) -> Floats:
    """Return a parameter as it was drawn, or derived: prothrombin time, MELD (unrounded)."""
    if code == "PT":
        scale = NORMAL_PT_S * 10.0 ** (PT_DECIMALS - LABS["INR"].decimals)
        return np.rint(scale * values["INR"])
    if code != "MELD":
        return values[code]
    bili, inr, creat = (values[c] / 10.0 ** LABS[c].decimals for c in ("BILI", "INR", "CREAT"))
    factor = {c: PARAMETERS[c].units["mg/dL"] for c in ("BILI", "CREAT")}
    out: Floats = scores.meld(bili / factor["BILI"], inr, creat / factor["CREAT"], rounded=False)
    return out
