"""What is measured: laboratory parameters, and the scores that are derived from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Parameter:
    """A laboratory parameter or score.

    ``name`` is its name in a sentence and ``title`` in a heading. ``units`` maps each accepted unit
    to the factor that turns a value into the first of them; ``decimals`` maps the unit to the
    decimals of a mean. ``better`` is 1 where a rise is an improvement, -1 where a fall is one.
    Parameters on a log scale are analysed as logarithms and shown as per cent change. ``parts`` are
    the parameters of which a score is made.
    """

    code: str
    name: str
    title: str
    units: Mapping[str, float]
    decimals: Mapping[str, int]
    better: int
    log_scale: bool = False
    parts: tuple[str, ...] = field(default=())

    @property
    def unit(self) -> str:
        """The first of its units: that of limits, and of reports that choose none."""
        return next(iter(self.units))


_ENZYME = {"U/L": 1.0, "ukat/L": 60.0}
_ENZYME_DECIMALS = {"U/L": 1, "ukat/L": 2}
_UMOL_DECIMALS = {"umol/L": 1, "mg/dL": 2}

PARAMETERS: dict[str, Parameter] = {
    p.code: p
    for p in (
        Parameter(
            "ALT", "ALT", "alanine aminotransferase", _ENZYME, _ENZYME_DECIMALS, -1, log_scale=True
        ),
        Parameter(
            "AST",
            "AST",
            "aspartate aminotransferase",
            _ENZYME,
            _ENZYME_DECIMALS,
            -1,
            log_scale=True,
        ),
        Parameter(
            "ALP", "ALP", "alkaline phosphatase", _ENZYME, _ENZYME_DECIMALS, -1, log_scale=True
        ),
        Parameter(
            "BILI",
            "total bilirubin",
            "total bilirubin",
            {"umol/L": 1.0, "mg/dL": 17.1},
            _UMOL_DECIMALS,
            -1,
            log_scale=True,
        ),
        Parameter(
            "ALB",
            "serum albumin",
            "serum albumin",
            {"g/L": 1.0, "g/dL": 10.0},
            {"g/L": 2, "g/dL": 3},
            1,
        ),
        Parameter("PT", "prothrombin time", "prothrombin time", {"s": 1.0}, {"s": 2}, -1),
        Parameter("INR", "INR", "international normalised ratio", {"1": 1.0}, {"1": 3}, -1),
        Parameter(
            "CREAT",
            "creatinine",
            "creatinine",
            {"umol/L": 1.0, "mg/dL": 88.4},
            _UMOL_DECIMALS,
            -1,
        ),
        Parameter(
            "SODIUM",
            "sodium",
            "sodium",
            {"mmol/L": 1.0, "mEq/L": 1.0},
            {"mmol/L": 1, "mEq/L": 1},
            1,
        ),
        Parameter(
            "PLAT",
            "platelets",
            "platelets",
            {"10^9/L": 1.0, "10^3/uL": 1.0},
            {"10^9/L": 1, "10^3/uL": 1},
            1,
        ),
    )
}
"""Parameters that a data set may record; any may be absent."""

FACTORS: dict[tuple[str, str], float] = {
    (p.code, unit): factor for p in PARAMETERS.values() for unit, factor in p.units.items()
}
"""What turns a value into the first unit of its parameter, by parameter and unit."""

_SCORE = {"score": 1.0}
_SCORE_DECIMALS = {"score": 2}

SCORES: dict[str, Parameter] = {
    code: Parameter(code, name, name, _SCORE, _SCORE_DECIMALS, -1, parts=parts)
    for code, name, parts in (
        ("MELD", "MELD(i)", ("BILI", "INR", "CREAT")),
        ("MELDNA", "MELD-Na", ("BILI", "INR", "CREAT", "SODIUM")),
        ("MELD3", "MELD 3.0", ("BILI", "INR", "CREAT", "SODIUM", "ALB")),
        ("ALBI", "ALBI", ("BILI", "ALB")),
    )
}
"""Scores in points; a lower score means better liver function."""

MEASURES: dict[str, Parameter] = PARAMETERS | SCORES
"""Everything that has a value at a visit."""
