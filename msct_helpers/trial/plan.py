"""The analysis plan as data: what a trial statistician writes down before seeing any result.

What differs between data sets (visits, horizon, endpoints) comes from ``study.yml``; what this
report decides for all of them stands in the defaults of `Plan`. No other module holds a visit, a
level or a direction of its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from msct_helpers.trial.parameters import MEASURES, PARAMETERS, SCORES, Parameter

DAYS_A_YEAR = 365.25
DAYS_IN = {"month": DAYS_A_YEAR / 12, "week": 7.0}
"""Days in each unit in which visits may be counted."""

ENTRY_WINDOW = (-180, 7)
"""Study days within which a baseline value is believed (assumed, wide on purpose)."""

BASELINE = "Baseline"
"""AVISIT of the first visit."""


@dataclass(frozen=True)
class Visit:
    """An analysis visit.

    ``number`` and ``name`` are AVISITN and AVISIT; ``day`` counts days after baseline on which it
    is due; ``window`` are the study days within which its values are believed.
    """

    number: int
    name: str
    day: int
    window: tuple[int, int]

    @property
    def words(self) -> str:
        """The visit inside a sentence, as ``month 6``."""
        return self.name[:1].lower() + self.name[1:]


def to_days(count: float, unit: str) -> int:
    """Return whole days of so many months or weeks, halves up."""
    return math.floor(count * DAYS_IN[unit] + 0.5)


def plan_visits(
    numbers: Sequence[int],
    unit: str = "month",
    windows: Mapping[int, tuple[int, int]] | None = None,
) -> tuple[Visit, ...]:
    """Return the visits of a schedule.

    Parameters
    ----------
    numbers
        Months or weeks after baseline, ascending, the first 0.
    unit
        ``month`` or ``week``.
    windows
        Study days (first, last) by visit; where none is given the window reaches half way to the
        visits beside it, and half as far again beyond the last.
    """
    days = [to_days(n, unit) for n in numbers]
    given = windows or {}
    out = []
    for i, (number, day) in enumerate(zip(numbers, days, strict=True)):
        first = days[1] // 2 + 1 if i == 1 else (days[i - 1] + day) // 2 + 2
        last = (day + days[i + 1]) // 2 + 1 if i + 1 < len(days) else day * 3 // 2
        entry = (ENTRY_WINDOW[0], min(ENTRY_WINDOW[1], days[1] // 2))
        window = (first, last) if number else entry
        name = f"{unit.capitalize()} {number}" if number else BASELINE
        out.append(Visit(number, name, day, given.get(number, window)))
    return tuple(out)


@dataclass(frozen=True)
class Plan:
    """Visits, endpoints and decisions of the report of one data set.

    Parameters
    ----------
    visits
        Baseline and the later visits, in order.
    unit
        ``month`` or ``week``: what visits are counted in.
    horizon_months
        Months of follow-up that are reported.
    endpoints
        Laboratory endpoints by PARAMCD, in the order of the report.
    key_score
        The score that stands in the family of comparisons beside them. At the last visit it is
        the primary endpoint: it weighs the endpoints that foretell death, and ranks patients for
        transplant.
    level
        Confidence level of every interval; its complement is the level of every test.
    adjustment
        Method of `statsmodels.stats.multitest.multipletests` for the family.
    imputations
        Number of imputed data sets of each endpoint.
    shifts
        Steps of the tipping-point analysis, in baseline standard deviations.
    plausible_shift
        The shift that the missing may well have, in baseline standard deviations.
    burn_in
        Rounds in which each visit is imputed again, given all others.
    flips
        Random patterns of signs of the max-T adjustment.
    seed
        Seed of the imputations and of the patterns of signs.
    bands
        Scores at which a band of the key score, in whole points, gives way to the next.
    """

    visits: tuple[Visit, ...] = field(default_factory=lambda: plan_visits((0, 6, 12, 24)))
    unit: str = "month"
    horizon_months: int = 24
    endpoints: tuple[str, ...] = ("ALT", "BILI", "ALB", "PT")
    key_score: str = "MELD"
    level: float = 0.95
    adjustment: str = "holm"
    imputations: int = 2_000
    shifts: tuple[float, ...] = tuple(i / 10 for i in range(21))
    plausible_shift: float = 0.5
    burn_in: int = 10
    flips: int = 99_999
    seed: int = 20260101
    bands: tuple[int, ...] = (10, 15, 20)

    @property
    def alpha(self) -> float:
        """Two-sided level of the tests."""
        return round(1 - self.level, 12)

    @property
    def level_words(self) -> str:
        """The confidence level in per cent, as ``95%``."""
        return f"{100 * self.level:g}%"

    @property
    def alpha_words(self) -> str:
        """The level of the tests in per cent, as ``5%``."""
        return f"{100 * self.alpha:g}%"

    @property
    def later(self) -> tuple[Visit, ...]:
        """The visits after baseline."""
        return self.visits[1:]

    @property
    def first(self) -> Visit:
        """The baseline visit."""
        return self.visits[0]

    @property
    def last(self) -> Visit:
        """The last visit: where changes are told first."""
        return self.visits[-1]

    @property
    def numbers(self) -> tuple[int, ...]:
        """AVISITN of every visit."""
        return tuple(v.number for v in self.visits)

    @property
    def horizon_days(self) -> int:
        """Days of follow-up that are reported."""
        return to_days(self.horizon_months, "month")

    @property
    def horizon(self) -> str:
        """The follow-up in words, as ``two years``, ``36 months``, ``26 weeks``."""
        if self.unit == "week":
            return f"{math.floor(self.horizon_days / 7 + 0.5)} weeks"
        plain = {1: "one month", 12: "one year", 24: "two years"}
        return plain.get(self.horizon_months, f"{self.horizon_months} months")

    @property
    def at_last(self) -> str:
        """When the last visit is, as it follows *at*: ``two years`` where the horizon ends it."""
        near = abs(self.last.day - self.horizon_days) <= DAYS_IN["week"]
        return self.horizon if near else self.last.words

    @property
    def completed_from(self) -> int:
        """Study day from which follow-up counts as completed: half way from the visit before."""
        return (self.visits[-2].day + self.horizon_days) // 2 + 2

    @property
    def span(self) -> str:
        """The time from baseline to the last visit, as ``24 months``."""
        number = self.last.number
        return f"{number} {self.unit}{'' if number == 1 else 's'}"

    @property
    def family(self) -> tuple[str, ...]:
        """PARAMCD of the endpoints and the score that are tested together."""
        return (*self.endpoints, self.key_score)

    def visit(self, number: float) -> Visit:
        """Return the visit with an AVISITN."""
        return next(v for v in self.visits if v.number == number)


def make_plan(
    horizon_months: int | None = None,
    visits: Sequence[int] | None = None,
    visit_unit: str | None = None,
    windows: Mapping[int, Sequence[int]] | None = None,
    endpoints: Sequence[str] | None = None,
) -> Plan:
    """Return the plan of a data set from the keys of its ``study.yml``, None where not given."""
    usual = Plan()
    unit = (visit_unit or f"{usual.unit}s").removesuffix("s")
    days = {number: (first, last) for number, (first, last) in (windows or {}).items()}
    return replace(
        usual,
        visits=plan_visits(visits or usual.numbers, unit, days),
        unit=unit,
        horizon_months=horizon_months or usual.horizon_months,
        endpoints=tuple(endpoints or usual.endpoints),
    )


__all__ = [
    "MEASURES",
    "PARAMETERS",
    "SCORES",
    "Parameter",
    "Plan",
    "Visit",
    "make_plan",
    "plan_visits",
]
