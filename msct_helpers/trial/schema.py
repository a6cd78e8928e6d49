"""The data contract: what a data set must look like, stated once.

A data set is a folder with ``study.yml`` and ADaM-shaped tables. The models below validate it
(`msct_helpers.trial.load.load_trial`) and the data dictionary is generated from them, so the two
cannot disagree. Terms follow CDISC ADaM; days are CDISC study days (day 1 is the day of the first
infusion or of study entry, there is no day 0).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import pandas as pd
import pandera.pandas as pa

from msct_helpers.trial.parameters import PARAMETERS, Parameter
from msct_helpers.trial.plan import Plan, make_plan

LAST_DAY = 7305
"""Study days that are believed, before or after day 1: twenty years (assumed, wide on purpose)."""


@dataclass(frozen=True)
class Plausible:
    """What is believed of a parameter, in the first of its units: assumed, and wide on purpose.

    A value outside ``possible`` or a median outside ``median`` is refused: its unit must be wrong.
    A median outside ``usual``, or a value that differs ``jump`` times from the participant's
    others, may be true of severe disease: it is kept and stated.
    """

    possible: tuple[float, float]
    median: tuple[float, float]
    usual: tuple[float, float]
    jump: float


PLAUSIBLE: dict[str, Plausible] = {
    "ALT": Plausible((1, 20000), (5, 1000), (10, 300), 10),
    "AST": Plausible((1, 20000), (5, 1000), (10, 300), 10),
    "ALP": Plausible((5, 6000), (20, 2000), (40, 900), 8),
    "BILI": Plausible((1, 1200), (5, 340), (7, 200), 8),
    "ALB": Plausible((5, 70), (15, 55), (22, 50), 2.5),
    "PT": Plausible((5, 200), (8, 40), (9, 25), 3),
    "INR": Plausible((0.5, 20), (0.8, 5), (0.9, 2.5), 3),
    "CREAT": Plausible((10, 2500), (30, 500), (40, 200), 8),
    "SODIUM": Plausible((90, 200), (115, 165), (125, 150), 1.3),
    "PLAT": Plausible((2, 2000), (20, 600), (40, 400), 8),
}

_UNITS = [(code, unit) for code, p in PARAMETERS.items() for unit in p.units]
UNIT_NAMES = {"iu/l": "u/l", "sec": "s", "secs": "s", "second": "s", "seconds": "s"}
UNIT_NAMES |= {"g/l": "10^9/l", "gpt/l": "10^9/l", "/nl": "10^9/l", "k/ul": "10^3/ul"}
NO_UNIT = ("", "1", "ratio", "inr")
"""Ways to write the unit of a ratio, which has none."""


def read_unit(code: str, text: str) -> str:
    """Return the unit of a parameter that a text means, or the text where it means none of them.

    Both micro signs are the letter u, case and blanks do not count, IU/L is U/L, and a power of ten
    may be written as ``x10^9``, ``10*9`` or ``10E9``.
    """
    key = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    key = key.replace("\N{GREEK SMALL LETTER MU}", "u").replace("mcmol", "umol")
    key = re.sub(r"^[x×*]?10[\^*e]*([39])/", r"10^\1/", key)
    units = PARAMETERS[code].units if code in PARAMETERS else {}
    if "1" in units and key in NO_UNIT:
        return "1"
    keys = (key, UNIT_NAMES.get(key))
    return next((unit for unit in units if unit.casefold() in keys), text)


AGE = "Age at entry, years"
CELL_SOURCES = ("UMBILICAL CORD", "CORD BLOOD", "BONE MARROW", "NOT APPLICABLE")
"""Sources of cells that are known; any other may be named."""

NO_CELLS = "NOT APPLICABLE"
END_OF_STUDY = ("COMPLETED", "DISCONTINUED", "ONGOING")
DISCONTINUATION = ("DEATH", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT")
OTHER_REASONS = (
    "ADVERSE EVENT",
    "DISEASE RELAPSE",
    "FAILURE TO MEET CONTINUATION CRITERIA",
    "LACK OF EFFICACY",
    "NON-COMPLIANCE WITH STUDY DRUG",
    "OTHER",
    "PHYSICIAN DECISION",
    "PREGNANCY",
    "PROGRESSIVE DISEASE",
    "PROTOCOL DEVIATION",
    "PROTOCOL VIOLATION",
    "RECOVERY",
    "SITE TERMINATED BY SPONSOR",
    "STUDY TERMINATED BY SPONSOR",
    "TECHNICAL PROBLEMS",
    "WITHDRAWAL BY PARENT/GUARDIAN",
)
"""Further reasons of the CDISC codelist NCOMPLT; all of them end follow-up without an event."""

RELATEDNESS = ("NOT RELATED", "UNLIKELY", "POSSIBLE", "PROBABLE", "RELATED")
OUTCOMES = (
    "RECOVERED/RESOLVED",
    "RECOVERED/RESOLVED WITH SEQUELAE",
    "RECOVERING/RESOLVING",
    "NOT RECOVERED/NOT RESOLVED",
    "FATAL",
    "UNKNOWN",
)
SEVERITIES = ("MILD", "MODERATE", "SEVERE", "LIFE THREATENING", "DEATH")
"""Values of AESEV, which may stand in place of AETOXGR."""

NOT_CODED = "Not coded"
"""What stands for a blank term or class of an adverse event."""


def _one_of(values: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(list(values), error="one of " + ", ".join(values))


def _whole_day() -> pa.Check:
    return pa.Check(
        lambda day: (day % 1 == 0) & (day != 0) & (day.abs() <= LAST_DAY),
        error="a study day: a whole number, not 0 (the day before day 1 is day -1), "
        f"from -{LAST_DAY} to {LAST_DAY}",
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


def _where(d: pd.DataFrame, column: str, value: str) -> pd.Series:
    return d[column].eq(value).fillna(False).astype(bool)


def _in_window(d: pd.DataFrame, plan: Plan) -> pd.Series:
    first = d["AVISITN"].map({v.number: v.window[0] for v in plan.visits})
    last = d["AVISITN"].map({v.number: v.window[1] for v in plan.visits})
    return d["ADY"].between(first, last) | first.isna() | d["ADY"].isna()


def _make_adsl(plan: Plan) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {
            "USUBJID": pa.Column(
                str,
                _NOT_BLANK,
                unique=True,
                coerce=True,
                description="Unique participant identifier",
            ),
            "AGE": _col(
                AGE,
                pa.Check.in_range(0, 120, error="an age in years from 0 to 120"),
                nullable=True,
            ),
            "SEX": _text("Sex; U is read as not recorded", _one_of(("F", "M")), nullable=True),
            "DIAG": _text("Diagnosis", nullable=True),
            "MSCSRC": _text(
                "Source of the mesenchymal stem cells; "
                f"{NO_CELLS} for everybody where nobody received any",
                _NOT_BLANK,
            ),
            "TRTSDY": _col(
                "Study day of the first infusion; blank if never treated",
                _whole_day(),
                nullable=True,
            ),
            "EOSSTT": _text("End-of-study status", _one_of(END_OF_STUDY)),
            "DCSREAS": _text(
                "Reason for discontinuation",
                _one_of(DISCONTINUATION + OTHER_REASONS),
                nullable=True,
            ),
            "EOSDY": _col(
                "Study day of the last contact or of the event that ended it", _whole_day()
            ),
            "DTHDY": _col("Study day of death; blank if alive", _whole_day(), nullable=True),
            "LTXDY": _col(
                "Study day of liver transplant; blank if none", _whole_day(), nullable=True
            ),
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
                "where DCSREAS is DEATH, the study day of EOSDY",
                lambda d: ~_where(d, "DCSREAS", "DEATH") | (d["DTHDY"] == d["EOSDY"]),
            ),
            _row_rule(
                "DTHDY",
                "blank unless DCSREAS is DEATH (or LIVER TRANSPLANT, with a later death)",
                lambda d: (
                    d["DTHDY"].isna()
                    | _where(d, "DCSREAS", "DEATH")
                    | (_where(d, "DCSREAS", "LIVER TRANSPLANT") & ~(d["DTHDY"] < d["LTXDY"]))
                ),
            ),
            _row_rule(
                "LTXDY",
                "where DCSREAS is LIVER TRANSPLANT, the study day of EOSDY",
                lambda d: ~_where(d, "DCSREAS", "LIVER TRANSPLANT") | (d["LTXDY"] == d["EOSDY"]),
            ),
            _row_rule(
                "LTXDY",
                "blank unless DCSREAS is LIVER TRANSPLANT, the event that ends follow-up",
                lambda d: d["LTXDY"].isna() | _where(d, "DCSREAS", "LIVER TRANSPLANT"),
            ),
            _row_rule(
                "EOSDY",
                f"day {plan.completed_from} or later where EOSSTT is COMPLETED (a report of "
                f"{plan.horizon})",
                lambda d: ~_where(d, "EOSSTT", "COMPLETED") | ~(d["EOSDY"] < plan.completed_from),
            ),
            _row_rule("EOSDY", "a study day from 1 on", lambda d: ~(d["EOSDY"] < 1)),
            _row_rule(
                "TRTSDY",
                "a study day from 1 to EOSDY",
                lambda d: ~(d["TRTSDY"] < 1) & ~(d["TRTSDY"] > d["EOSDY"]),
            ),
            _row_rule(
                "SAFFL",
                "Y where TRTSDY gives the day of an infusion, N otherwise",
                lambda d: (d["SAFFL"] == "Y") == d["TRTSDY"].notna(),
            ),
            _row_rule(
                "MSCSRC",
                f"the source of the cells, not {NO_CELLS}, where TRTSDY gives the day of an "
                "infusion",
                lambda d: d["TRTSDY"].isna() | ~_where(d, "MSCSRC", NO_CELLS),
            ),
        ],
        name="adsl.csv",
        title="Subject-level analysis data: one row a participant",
    )


def _make_adlb(plan: Plan) -> pa.DataFrameSchema:
    names = {v.number: v.name for v in plan.visits}
    return pa.DataFrameSchema(
        {
            "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
            "PARAMCD": _text(
                "Laboratory parameter; others than these are listed and not analysed",
                _one_of(tuple(PARAMETERS)),
            ),
            "AVISIT": _text(
                "Analysis visit; other visits only count for the worst value after baseline",
                _one_of(tuple(names.values())),
            ),
            "AVISITN": _col(
                f"Analysis visit, {plan.unit}s",
                pa.Check.isin(list(names), error="one of " + ", ".join(map(str, names))),
            ),
            "ADY": _col("Study day of the measurement", _whole_day()),
            "AVAL": _col(
                "Value, in the unit of AVALU; below a limit of detection (`<7`) half of it is "
                "taken",
                pa.Check(lambda s: s > 0, error="a number above 0"),
            ),
            "AVALU": _text("Unit of the value; may be blank for a ratio", _NOT_BLANK),
        },
        checks=[
            _row_rule(
                "AVALU",
                "a unit known for the parameter ("
                + "; ".join(f"{p.code}: {' or '.join(p.units)}" for p in PARAMETERS.values())
                + ")",
                lambda d: pd.Series(
                    pd.MultiIndex.from_frame(d[["PARAMCD", "AVALU"]]).isin(_UNITS), index=d.index
                ),
            ),
            _row_rule(
                "AVISIT",
                "the visit that belongs to AVISITN ("
                + "; ".join(f"{n}: {v}" for n, v in names.items())
                + ")",
                lambda d: (d["AVISITN"].map(names) == d["AVISIT"]) | ~d["AVISITN"].isin(names),
            ),
            _row_rule(
                "AVISITN",
                "one value for a participant, parameter and visit (of several at baseline, "
                "flag one with Y in ABLFL)",
                lambda d: ~d.duplicated(["USUBJID", "PARAMCD", "AVISITN"], keep=False),
            ),
            _row_rule(
                "ADY",
                "a study day near the visit ("
                + "; ".join(f"{v.name}: {v.window[0]} to {v.window[1]}" for v in plan.visits)
                + ")",
                lambda d: _in_window(d, plan),
            ),
        ],
        name="adlb.csv",
        title="Laboratory analysis data: one row a measurement",
    )


ADAE = pa.DataFrameSchema(
    {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "AEDECOD": _text("Preferred term of the adverse event; blank if not coded", _NOT_BLANK),
        "AEBODSYS": _text("System organ class; blank if not coded", _NOT_BLANK),
        "AETOXGR": _col(
            "Severity grade (CTCAE; version in study.yml); blank if not graded. AESEV ("
            + ", ".join(SEVERITIES)
            + ") may stand in its place",
            pa.Check.isin([1, 2, 3, 4, 5], error="a grade from 1 to 5"),
            nullable=True,
        ),
        "AESER": _text("Serious event", _YES_NO),
        "AEREL": _text("Relation to the infusion", _one_of(RELATEDNESS)),
        "ASTDY": _col(
            "Study day of onset; blank if not known, which counts as on treatment",
            _whole_day(),
            nullable=True,
        ),
        "AEHRINF": _col(
            "Hours from the end of the last infusion to onset, 0 during it; blank, or no such "
            "column, if not recorded",
            pa.Check.in_range(0, 24 * LAST_DAY, error="hours, 0 or more, within twenty years"),
            nullable=True,
        ),
        "AEOUT": _text("Outcome", _one_of(OUTCOMES)),
    },
    checks=[
        _row_rule(
            "AESER",
            "Y where AEOUT is FATAL: a fatal event is serious",
            lambda d: ~_where(d, "AEOUT", "FATAL") | (d["AESER"] == "Y"),
        ),
        _row_rule(
            "AETOXGR",
            "grade 5 only where AEOUT is FATAL",
            lambda d: ~(d["AETOXGR"] == 5) | _where(d, "AEOUT", "FATAL"),
        ),
    ],
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


@lru_cache
def make_schemas(plan: Plan) -> dict[str, pa.DataFrameSchema]:
    """Return the schema of each table of a data set with this plan."""
    return {"adsl": _make_adsl(plan), "adlb": _make_adlb(plan), "adae": ADAE, "adex": ADEX}


TABLES = ("adsl", "adlb", "adae", "adex")
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
    visits: list[int] | None = field(
        default=None,
        metadata={"about": "When visits are due, from 0 on; default 0, 6, 12, 24 (optional)"},
    )
    visit_unit: str | None = field(
        default=None,
        metadata={"about": "What visits are counted in, months (default) or weeks (optional)"},
    )
    windows: dict[int, list[int]] | None = field(
        default=None,
        metadata={
            "about": "First and last study day on which values of a visit are believed, by visit; "
            "default half way to the visits beside it (optional)"
        },
    )
    endpoints: list[str] | None = field(
        default=None,
        metadata={
            "about": "PARAMCD of the laboratory endpoints; default ALT, BILI, ALB, PT (optional)"
        },
    )
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

    @cached_property
    def plan(self) -> Plan:
        """The analysis plan of the data set."""
        return make_plan(
            self.horizon_months, self.visits, self.visit_unit, self.windows, self.endpoints
        )


# For rooms that do not take the plan of the data set yet.
VISITS: dict[int, str] = {v.number: v.name for v in Plan().visits}
WINDOWS: dict[int, tuple[int, int]] = {v.number: v.window for v in Plan().visits}
HORIZON_DAYS = Plan().horizon_days
SCHEMAS = make_schemas(Plan())

__all__ = [
    "ADAE",
    "ADEX",
    "HORIZON_DAYS",
    "OPTIONAL",
    "PARAMETERS",
    "SCHEMAS",
    "TABLES",
    "VISITS",
    "WINDOWS",
    "Parameter",
    "Study",
    "make_schemas",
]
