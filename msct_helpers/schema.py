"""The data contract: what a data set must look like, stated once.

A data set is a folder with ``study.yml`` and ADaM-shaped tables. The models below validate it
(`msct_helpers.load.load_trial`) and the book's data dictionary is generated from them, so the two
cannot disagree. Terms follow CDISC ADaM; days are CDISC study days (day 1 is the day of the first
infusion or of study entry, there is no day 0).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
import pandera.pandas as pa

VISITS: dict[int, str] = {0: "Baseline", 6: "Month 6", 12: "Month 12", 24: "Month 24"}
"""Analysis visits: AVISITN (months) to AVISIT."""

HORIZON_DAYS = 731
"""Study days of the two-year follow-up reported in the book (24 months)."""


@dataclass(frozen=True)
class Parameter:
    """A laboratory parameter or score: its name, units and how many decimals are shown.

    ``units`` maps each accepted unit to the factor that turns a value into the first of them;
    ``decimals`` maps the unit to the decimals of a mean.
    """

    code: str
    name: str
    units: dict[str, float]
    decimals: dict[str, int]
    log_scale: bool = False


PARAMETERS: dict[str, Parameter] = {
    p.code: p
    for p in (
        Parameter("ALT", "alanine aminotransferase", {"U/L": 1.0}, {"U/L": 1}, True),
        Parameter("AST", "aspartate aminotransferase", {"U/L": 1.0}, {"U/L": 1}, True),
        Parameter(
            "BILI",
            "total bilirubin",
            {"umol/L": 1.0, "mg/dL": 17.1},
            {"umol/L": 1, "mg/dL": 2},
            True,
        ),
        Parameter("ALB", "serum albumin", {"g/L": 1.0, "g/dL": 10.0}, {"g/L": 2, "g/dL": 3}),
        Parameter("PT", "prothrombin time", {"s": 1.0}, {"s": 2}),
        Parameter("INR", "international normalised ratio", {"1": 1.0}, {"1": 3}),
        Parameter("CREAT", "creatinine", {"umol/L": 1.0, "mg/dL": 88.4}, {"umol/L": 1, "mg/dL": 2}),
        Parameter("SODIUM", "sodium", {"mmol/L": 1.0, "mEq/L": 1.0}, {"mmol/L": 1, "mEq/L": 1}),
    )
}
"""Parameters that a data set may record; any may be absent."""

CELL_SOURCES = ("UMBILICAL CORD", "CORD BLOOD", "BONE MARROW", "NOT APPLICABLE")
END_OF_STUDY = ("COMPLETED", "DISCONTINUED", "ONGOING")
DISCONTINUATION = ("DEATH", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")
RELATEDNESS = ("NOT RELATED", "UNLIKELY", "POSSIBLE", "PROBABLE", "RELATED")
OUTCOMES = (
    "RECOVERED/RESOLVED",
    "RECOVERING/RESOLVING",
    "NOT RECOVERED/NOT RESOLVED",
    "FATAL",
    "UNKNOWN",
)


def _one_of(values: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(list(values), error="one of " + ", ".join(values))


def _whole_day() -> pa.Check:
    return pa.Check(
        lambda day: (day % 1 == 0) & (day != 0),
        error="a study day: a whole number, not 0 (the day before day 1 is day -1)",
    )


def _col(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    return pa.Column(float, list(checks), nullable=nullable, coerce=True, description=description)


def _text(description: str, *checks: pa.Check, nullable: bool = False) -> pa.Column:
    return pa.Column(str, list(checks), nullable=nullable, coerce=True, description=description)


def _row_rule(column: str, expected: str, rule: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """Return a rule about whole rows; its error names the column to look at."""
    return pa.Check(rule, error=f"{column}|{expected}")


_YES_NO = _one_of(("Y", "N"))
_NOT_BLANK = pa.Check(lambda s: s.str.strip() != "", error="text that is not blank")

ADSL = pa.DataFrameSchema(
    {
        "USUBJID": pa.Column(
            str, _NOT_BLANK, unique=True, coerce=True, description="Unique participant identifier"
        ),
        "AGE": _col(
            "Age at entry, years",
            pa.Check.in_range(0, 120, error="an age in years from 0 to 120"),
            nullable=True,
        ),
        "SEX": _text("Sex", _one_of(("F", "M")), nullable=True),
        "DIAG": _text("Diagnosis", nullable=True),
        "MSCSRC": _text("Source of the mesenchymal stem cells", _one_of(CELL_SOURCES)),
        "TRTSDY": _col(
            "Study day of the first infusion; blank if never treated", _whole_day(), nullable=True
        ),
        "EOSSTT": _text("End-of-study status", _one_of(END_OF_STUDY)),
        "DCSREAS": _text("Reason for discontinuation", _one_of(DISCONTINUATION), nullable=True),
        "EOSDY": _col("Study day of the last contact or of the event that ended it", _whole_day()),
        "DTHDY": _col("Study day of death; blank if alive", _whole_day(), nullable=True),
        "LTXDY": _col("Study day of liver transplant; blank if none", _whole_day(), nullable=True),
        "SAFFL": _text("Safety analysis set: received any infusion", _YES_NO),
        "FASFL": _text("Full analysis set: analysed for change from baseline", _YES_NO),
    },
    checks=[
        _row_rule(
            "DCSREAS",
            "a reason if EOSSTT is DISCONTINUED, blank otherwise",
            lambda d: (d["EOSSTT"] == "DISCONTINUED") == d["DCSREAS"].notna(),
        ),
        _row_rule(
            "DTHDY",
            "a study day where DCSREAS is DEATH",
            lambda d: (d["DCSREAS"] != "DEATH") | d["DTHDY"].notna(),
        ),
        _row_rule(
            "LTXDY",
            "a study day where DCSREAS is LIVER TRANSPLANT",
            lambda d: (d["DCSREAS"] != "LIVER TRANSPLANT") | d["LTXDY"].notna(),
        ),
        _row_rule(
            "SAFFL",
            "Y only where TRTSDY gives the day of an infusion",
            lambda d: (d["SAFFL"] != "Y") | d["TRTSDY"].notna(),
        ),
    ],
    name="adsl.csv",
    title="Subject-level analysis data: one row a participant",
)

ADLB = pa.DataFrameSchema(
    {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "PARAMCD": _text("Laboratory parameter", _one_of(tuple(PARAMETERS))),
        "AVISIT": _text("Analysis visit", _one_of(tuple(VISITS.values()))),
        "AVISITN": _col(
            "Analysis visit, months",
            pa.Check.isin(list(VISITS), error="one of " + ", ".join(map(str, VISITS))),
        ),
        "ADY": _col("Study day of the measurement", _whole_day()),
        "AVAL": _col(
            "Value, in the unit of AVALU",
            pa.Check(lambda s: (s > 0) & (s < 1e6), error="a number above 0"),
        ),
        "AVALU": _text("Unit of the value", _NOT_BLANK),
    },
    checks=[
        _row_rule(
            "AVALU",
            "a unit known for the parameter ("
            + "; ".join(f"{p.code}: {' or '.join(p.units)}" for p in PARAMETERS.values())
            + ")",
            lambda d: pd.Series(
                [
                    p not in PARAMETERS or u in PARAMETERS[p].units
                    for p, u in zip(d["PARAMCD"], d["AVALU"], strict=True)
                ],
                index=d.index,
                dtype=bool,
            ),
        ),
        _row_rule(
            "AVISIT",
            "the visit that belongs to AVISITN ("
            + "; ".join(f"{n}: {v}" for n, v in VISITS.items())
            + ")",
            lambda d: (d["AVISITN"].map(VISITS) == d["AVISIT"]) | ~d["AVISITN"].isin(VISITS),
        ),
        _row_rule(
            "AVISITN",
            "one value for a participant, parameter and visit",
            lambda d: ~d.duplicated(["USUBJID", "PARAMCD", "AVISITN"]),
        ),
    ],
    name="adlb.csv",
    title="Laboratory analysis data: one row a measurement",
)

ADAE = pa.DataFrameSchema(
    {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "AEDECOD": _text("Preferred term of the adverse event", _NOT_BLANK),
        "AEBODSYS": _text("System organ class", _NOT_BLANK),
        "AETOXGR": _col(
            "Severity grade (CTCAE; version in study.yml)",
            pa.Check.isin([1, 2, 3, 4, 5], error="a grade from 1 to 5"),
        ),
        "AESER": _text("Serious event", _YES_NO),
        "AEREL": _text("Relation to the infusion", _one_of(RELATEDNESS)),
        "ASTDY": _col("Study day of onset", _whole_day()),
        "AEHRINF": _col(
            "Hours from the end of the last infusion to onset, 0 during it; blank if not recorded",
            pa.Check.ge(0, error="hours, 0 or more"),
            nullable=True,
        ),
        "AEOUT": _text("Outcome", _one_of(OUTCOMES)),
    },
    name="adae.csv",
    title="Adverse-event analysis data: one row an event; no file if events were not recorded",
)

ADEX = pa.DataFrameSchema(
    {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "ASTDY": _col("Study day of the infusion", _whole_day()),
        "EXDOSE": _col(
            "Dose given; blank if not recorded",
            pa.Check.gt(0, error="a dose above 0"),
            nullable=True,
        ),
        "EXDOSU": _text("Unit of the dose; blank if not recorded", _NOT_BLANK, nullable=True),
    },
    checks=[
        _row_rule(
            "EXDOSU",
            "a unit where EXDOSE gives a dose, blank otherwise",
            lambda d: d["EXDOSE"].notna() == d["EXDOSU"].notna(),
        ),
    ],
    name="adex.csv",
    title="Exposure analysis data: one row an infusion; no file if infusions were not recorded",
)

SCHEMAS: dict[str, pa.DataFrameSchema] = {"adsl": ADSL, "adlb": ADLB, "adae": ADAE, "adex": ADEX}
OPTIONAL = ("adae", "adex")
"""Tables that a data set may lack."""


@dataclass(frozen=True)
class Study:
    """What ``study.yml`` says of a data set."""

    title: str = field(metadata={"about": "Title of the study"})
    short_title: str = field(metadata={"about": "Title for running heads"})
    origin: str = field(metadata={"about": "synthetic or real"})
    label: str = field(metadata={"about": "One sentence on what the data are, shown everywhere"})
    source: str = field(metadata={"about": "Where the data come from"})
    licence: str = field(metadata={"about": "Licence of the data"})
    population: str = field(metadata={"about": "Who the participants are"})
    treatment: str = field(metadata={"about": "What they received"})
    horizon_months: int = field(metadata={"about": "Months of follow-up that are reported"})
    reporting_units: dict[str, str] = field(
        metadata={"about": "Unit in which each parameter is reported"}
    )
    assumed: list[str] = field(metadata={"about": "Every assumption behind the data, in words"})
    assessed: int | None = field(
        default=None, metadata={"about": "Participants assessed for entry (optional)"}
    )
    reference_ranges: dict[str, list[float]] | None = field(
        default=None,
        metadata={
            "about": "Lower and upper limit of normal by parameter, in reporting units (optional)"
        },
    )
    ctcae_version: str | None = field(
        default=None, metadata={"about": "CTCAE version of AETOXGR (optional)"}
    )
    seed: int | None = field(default=None, metadata={"about": "Seed of the generator (optional)"})
    draws: int | None = field(
        default=None, metadata={"about": "Draws until one was accepted (optional)"}
    )
    checksums: dict[str, str] | None = field(
        default=None, metadata={"about": "sha256 of source files (optional)"}
    )


__all__ = [
    "ADAE",
    "ADEX",
    "ADLB",
    "ADSL",
    "HORIZON_DAYS",
    "OPTIONAL",
    "PARAMETERS",
    "SCHEMAS",
    "VISITS",
    "Parameter",
    "Study",
]
