"""Worlds: what may have happened to the patients. Every size here is assumed.

A world says who was enrolled, what the disease did by itself, and what changed when the cells were
given. Which of them an abstract fits better is what the acceptance rates compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from msct_helpers.abstract.simulate import IMPROVED, LABS, RISK_SLOPE
from msct_helpers.trial.parameters import MEASURES, PARAMETERS

Course = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Entry:
    """A threshold on a value measured at entry; ``above`` where the value must not be lower.

    ``limit`` is in the unit in which the parameter is drawn; scores are unrounded points.
    """

    parameter: str
    limit: float
    above: bool = False


@dataclass(frozen=True)
class World:
    """Assumptions about one world.

    Attributes
    ----------
    name, title
        A short name, and words for it.
    reason
        Why such a world is looked at, and where its sizes come from.
    shift
        Lasting change after baseline: a ratio where the parameter is drawn on the log scale, a
        difference otherwise.
    course
        Change of the disease by itself at `COURSE_MONTHS`: of the logarithm where the parameter is
        drawn on the log scale, a difference otherwise.
    entry
        Who is enrolled; None for everybody.
    risk_slope
        Logarithm of how many times likelier death or transplant is for a patient one standard
        deviation sicker.
    scatter
        Factor on the share of variance that is new at each visit; 1 as the generator has it.
    """

    name: str
    title: str
    reason: str
    shift: Mapping[str, float] = field(default_factory=dict)
    course: Course = field(default_factory=dict)
    entry: Entry | None = None
    risk_slope: float = RISK_SLOPE
    scatter: float = 1.0

    def change(self, code: str, months: float) -> float:
        """Return how far the true value of a parameter has moved, on the scale of its drawing."""
        shift = self.shift.get(code)
        moved = 0.0 if shift is None else np.log(shift) if LABS[code].log else shift
        natural = np.interp(months, COURSE_MONTHS, self.course.get(code, (0.0,) * 4))
        return float(moved + natural)


COURSE_MONTHS = (0, 6, 12, 24)

WORSENING: Course = {
    "BILI": (0.0, 0.0177, 0.1991, 0.4343),
    "ALB": (0.0, -0.731, -0.824, -1.942),
    "INR": (0.0, 0.012, 0.024, 0.048),
}
"""Course of untreated patients: changes of log bilirubin and of albumin (g/L) by MMRM in the Mayo
Clinic cohort, stage 4; prothrombin time rose by about a twentieth in two years, here evenly. What
that cohort did not measure is left unchanged."""


def enlarge(shift: Mapping[str, float], times: float) -> Mapping[str, float]:
    """Return a shift so many times as large, on the scale on which each parameter is drawn."""
    return {code: s**times if LABS[code].log else s * times for code, s in shift.items()}


IMPROVEMENT = World(
    "improvement",
    "Improvement, of whatever cause",
    "A modest lasting improvement after the infusion; its size is assumed.",
    shift=IMPROVED.shift,
)
STABLE = World(
    "stable",
    "No change",
    "True values stay as they are; only the scatter of visits, deaths and losses is at work. "
    "It flatters the disease, which worsens in untreated patients.",
)
LOW_ALBUMIN = Entry("ALB", 30.0)
SELECTED = World(
    "selected",
    "No change, sick at entry",
    "True values stay as they are, but entry asked for a low measured albumin, so that later "
    "values tend back. The threshold is assumed.",
    entry=LOW_ALBUMIN,
)
PROGRESSING = World(
    "progressing",
    "Worsening as in untreated patients",
    "True values worsen as they did in the real patients of the Mayo Clinic cohort at stage 4, who "
    "lived in another era.",
    course=WORSENING,
)
CONCOMITANT = World(
    "concomitant",
    "Worsening, with other treatment begun at entry",
    "The disease worsens as in untreated patients, and treatment begun at entry (albumin, vitamin "
    "K, ursodeoxycholic acid, immunosuppression) works against it. No size is known: twice those "
    "of the improvement are assumed, on the scale on which each parameter is drawn.",
    shift=enlarge(IMPROVED.shift, 2),
    course=WORSENING,
)
WORLDS = {w.name: w for w in (IMPROVEMENT, STABLE, SELECTED, PROGRESSING, CONCOMITANT)}
"""Worlds by name; the first is the one that the others are compared with."""

NULLS = tuple(name for name in WORLDS if name != IMPROVEMENT.name)
"""Worlds in which no cells act."""


def list_assumptions(world: World) -> list[tuple[str, str, str]]:
    """Return what a world assumes: what, how much and why, in words."""
    rows = []
    for code, lab in LABS.items():
        name, unit = PARAMETERS[code].title, "" if lab.unit == "1" else f" {lab.unit}"
        if code in world.shift:
            size = world.shift[code]
            words = f"{100 * (size - 1):+.0f}%" if lab.log else f"{size:+.1f}{unit}"
            rows.append((f"{name}, lasting change after entry", words, "assumed"))
        if code in world.course:
            end = world.course[code][-1]
            words = f"{100 * np.expm1(end):+.0f}%" if lab.log else f"{end:+.1f}{unit}"
            why = "real untreated patients, Mayo Clinic cohort; that they compare is assumed"
            rows.append((f"{name}, by itself in two years", words, why))
    if world.entry:
        sign = "at least" if world.entry.above else "at most"
        name = MEASURES[world.entry.parameter].name
        unit = MEASURES[world.entry.parameter].unit.replace("score", "points")
        words = f"{sign} {world.entry.limit:g} {unit}"
        rows.append((f"{name} measured at entry", words, "assumed; the abstract names none"))
    times = f"{np.exp(world.risk_slope):.1f} times"
    what = "risk of death or transplant, one standard deviation sicker"
    return [*rows, (what, times, "assumed")]


def vary(world: World, **changes: object) -> World:
    """Return a world with some assumptions changed."""
    return replace(world, **changes)  # type: ignore[arg-type]
