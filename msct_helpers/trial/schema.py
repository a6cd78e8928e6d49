"""The data contract: what a data set must look like, stated once.

A data set is a folder with ``study.yml`` and ADaM-shaped tables. The models below validate it
(`msct_helpers.trial.load.load_trial`) and the data dictionary is generated from them, so the two
cannot disagree. Terms follow CDISC ADaM; days are CDISC study days (day 1 is the day of the first
infusion or of study entry, there is no day 0).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, get_type_hints

import pandas as pd
import pandera.pandas as pa

from msct_helpers.trial.parameters import FACTORS
from msct_helpers.trial.parameters import PARAMETERS as PARAMETERS
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

TERMS: dict[str, tuple[str, ...]] = {
    "SEX": ("F", "M"),
    "MSCSRC": CELL_SOURCES,
    "EOSSTT": END_OF_STUDY,
    "DCSREAS": DISCONTINUATION + OTHER_REASONS,
    "SAFFL": ("Y", "N"),
    "FASFL": ("Y", "N"),
    "ABLFL": ("Y", "N"),
    "PARAMCD": tuple(PARAMETERS),
    "AESER": ("Y", "N"),
    "AEREL": RELATEDNESS,
    "AEOUT": OUTCOMES,
    "AESEV": SEVERITIES,
}
"""Coded columns and their terms."""

SYNONYMS: dict[str, dict[str, str]] = {
    "AEREL": {
        "unrelated": "NOT RELATED",
        "unlikely related": "UNLIKELY",
        "possibly related": "POSSIBLE",
        "probably related": "PROBABLE",
        "definitely related": "RELATED",
    },
    "AESEV": {"life-threatening": "LIFE THREATENING"},
    "DCSREAS": {"lost to followup": "LOST TO FOLLOW-UP", "lost to follow up": "LOST TO FOLLOW-UP"},
}
"""Further ways to write a term, and the one that is meant."""


def _one_of(*values: object) -> pa.Check:
    return pa.Check.isin(list(values), error="one of " + ", ".join(map(str, values)))


def _is(expected: str, rule: Callable[[pd.Series], pd.Series]) -> pa.Check:
    return pa.Check(rule, error=expected)


def _rule(column: str, expected: str, rule: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """Return a rule about whole rows; its error names the column to look at."""
    return pa.Check(rule, error=f"{column}|{expected}")


def _number(about: str, *checks: pa.Check, blank: bool = False) -> pa.Column:
    return pa.Column(float, list(checks), nullable=blank, coerce=True, description=about)


def _text(about: str, *checks: pa.Check, blank: bool = False, unique: bool = False) -> pa.Column:
    return pa.Column(
        str, list(checks), nullable=blank, unique=unique, coerce=True, description=about
    )


_YES_NO = _one_of("Y", "N")
_NOT_BLANK = _is("text that is not blank", lambda s: s.str.strip() != "")
_DAY = _is(
    "a study day: a whole number, not 0 (the day before day 1 is day -1), from "
    f"-{LAST_DAY} to {LAST_DAY}",
    lambda day: (day % 1 == 0) & (day != 0) & (day.abs() <= LAST_DAY),
)


def _ended_by(d: pd.DataFrame, reason: str) -> pd.Series:
    return d["DCSREAS"].eq(reason).fillna(False).astype(bool)


def _make_adsl(plan: Plan) -> pa.DataFrameSchema:
    columns = {
        "USUBJID": _text("Unique participant identifier", _NOT_BLANK, unique=True),
        "AGE": _number(
            AGE, pa.Check.in_range(0, 120, error="an age in years from 0 to 120"), blank=True
        ),
        "SEX": _text("Sex; U is read as not recorded", _one_of("F", "M"), blank=True),
        "DIAG": _text("Diagnosis", blank=True),
        "MSCSRC": _text(
            "Source of the mesenchymal stem cells; "
            f"{NO_CELLS} for everybody where nobody received any",
            _NOT_BLANK,
        ),
        "TRTSDY": _number(
            "Study day of the first infusion; blank if never treated", _DAY, blank=True
        ),
        "EOSSTT": _text("End-of-study status", _one_of(*END_OF_STUDY)),
        "DCSREAS": _text(
            "Reason for discontinuation", _one_of(*DISCONTINUATION, *OTHER_REASONS), blank=True
        ),
        "EOSDY": _number("Study day of the last contact or of the event that ended it", _DAY),
        "DTHDY": _number("Study day of death; blank if alive", _DAY, blank=True),
        "LTXDY": _number("Study day of liver transplant; blank if none", _DAY, blank=True),
        "SAFFL": _text("Safety analysis set: received any infusion", _YES_NO),
        "FASFL": _text("Full analysis set: analysed for change from baseline", _YES_NO),
    }
    title = "Subject-level analysis data: one row a participant"
    return pa.DataFrameSchema(columns, _adsl_rules(plan), name="adsl.csv", title=title)


def _adsl_rules(plan: Plan) -> list[pa.Check]:
    death, transplant = "DEATH", "LIVER TRANSPLANT"
    return [
        _rule(
            "DCSREAS",
            "a reason if EOSSTT is DISCONTINUED, blank otherwise",
            lambda d: (d["EOSSTT"] == "DISCONTINUED") == d["DCSREAS"].notna(),
        ),
        _rule(
            "DTHDY",
            "where DCSREAS is DEATH, the study day of EOSDY",
            lambda d: ~_ended_by(d, death) | (d["DTHDY"] == d["EOSDY"]),
        ),
        _rule(
            "DTHDY",
            "blank unless DCSREAS is DEATH (or LIVER TRANSPLANT, with a later death)",
            lambda d: (
                d["DTHDY"].isna()
                | _ended_by(d, death)
                | (_ended_by(d, transplant) & ~(d["DTHDY"] < d["LTXDY"]))
            ),
        ),
        _rule(
            "LTXDY",
            "where DCSREAS is LIVER TRANSPLANT, the study day of EOSDY",
            lambda d: ~_ended_by(d, transplant) | (d["LTXDY"] == d["EOSDY"]),
        ),
        _rule(
            "LTXDY",
            "blank unless DCSREAS is LIVER TRANSPLANT, the event that ends follow-up",
            lambda d: d["LTXDY"].isna() | _ended_by(d, transplant),
        ),
        _rule(
            "EOSDY",
            f"day {plan.completed_from} or later where EOSSTT is COMPLETED "
            f"(a report of {plan.horizon})",
            lambda d: (d["EOSSTT"] != "COMPLETED") | ~(d["EOSDY"] < plan.completed_from),
        ),
        _rule("EOSDY", "a study day from 1 on", lambda d: ~(d["EOSDY"] < 1)),
        _rule(
            "TRTSDY",
            "a study day from 1 to EOSDY",
            lambda d: ~(d["TRTSDY"] < 1) & ~(d["TRTSDY"] > d["EOSDY"]),
        ),
        _rule(
            "SAFFL",
            "Y where TRTSDY gives the day of an infusion, N otherwise",
            lambda d: (d["SAFFL"] == "Y") == d["TRTSDY"].notna(),
        ),
        _rule(
            "MSCSRC",
            f"the source of the cells, not {NO_CELLS}, where TRTSDY gives the day of an infusion",
            lambda d: d["TRTSDY"].isna() | (d["MSCSRC"] != NO_CELLS),
        ),
    ]


def _make_adlb(plan: Plan) -> pa.DataFrameSchema:
    columns = {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "PARAMCD": _text(
            "Laboratory parameter; others than these are listed and not analysed",
            _one_of(*PARAMETERS),
        ),
        "AVISIT": _text(
            "Analysis visit; other visits only count for the worst value after baseline",
            _one_of(*(v.name for v in plan.visits)),
        ),
        "AVISITN": _number(f"Analysis visit, {plan.unit}s", _one_of(*plan.numbers)),
        "ADY": _number("Study day of the measurement", _DAY),
        "AVAL": _number(
            "Value, in the unit of AVALU; below a limit of detection (`<7`) half of it is taken",
            _is("a number above 0", lambda s: s > 0),
        ),
        "AVALU": _text("Unit of the value; may be blank for a ratio", _NOT_BLANK),
    }
    title = "Laboratory analysis data: one row a measurement"
    return pa.DataFrameSchema(columns, _adlb_rules(plan), name="adlb.csv", title=title)


def _adlb_rules(plan: Plan) -> list[pa.Check]:
    listed = "; ".join(f"{p.code}: {' or '.join(p.units)}" for p in PARAMETERS.values())
    names = {v.number: v.name for v in plan.visits}
    named = "; ".join(f"{number}: {name}" for number, name in names.items())
    spans = "; ".join(f"{v.name}: {v.window[0]} to {v.window[1]}" for v in plan.visits)
    first, last = ({v.number: v.window[i] for v in plan.visits} for i in (0, 1))
    return [
        _rule(
            "AVALU",
            f"a unit known for the parameter ({listed})",
            lambda d: pd.Series(
                pd.MultiIndex.from_frame(d[["PARAMCD", "AVALU"]]).isin(list(FACTORS)), index=d.index
            ),
        ),
        _rule(
            "AVISIT",
            f"the visit that belongs to AVISITN ({named})",
            lambda d: (d["AVISITN"].map(names) == d["AVISIT"]) | ~d["AVISITN"].isin(names),
        ),
        _rule(
            "AVISITN",
            "one value for a participant, parameter and visit (of several at baseline, "
            "flag one with Y in ABLFL)",
            lambda d: ~d.duplicated(["USUBJID", "PARAMCD", "AVISITN"], keep=False),
        ),
        _rule(
            "ADY",
            f"a study day near the visit ({spans})",
            lambda d: ~(d["ADY"] < d["AVISITN"].map(first)) & ~(d["ADY"] > d["AVISITN"].map(last)),
        ),
    ]


ADAE = pa.DataFrameSchema(
    {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "AEDECOD": _text("Preferred term of the adverse event; blank if not coded", _NOT_BLANK),
        "AEBODSYS": _text("System organ class; blank if not coded", _NOT_BLANK),
        "AETOXGR": _number(
            "Severity grade (CTCAE; version in study.yml); blank if not graded. AESEV ("
            + ", ".join(SEVERITIES)
            + ") may stand in its place",
            pa.Check.isin([1, 2, 3, 4, 5], error="a grade from 1 to 5"),
            blank=True,
        ),
        "AESER": _text("Serious event", _YES_NO),
        "AEREL": _text("Relation to the infusion", _one_of(*RELATEDNESS)),
        "ASTDY": _number(
            "Study day of onset; blank if not known, which counts as on treatment", _DAY, blank=True
        ),
        "AEHRINF": _number(
            "Hours from the end of the last infusion to onset, 0 during it; blank, or no such "
            "column, if not recorded",
            pa.Check.in_range(0, 24 * LAST_DAY, error="hours, 0 or more, within twenty years"),
            blank=True,
        ),
        "AEOUT": _text("Outcome", _one_of(*OUTCOMES)),
    },
    checks=[
        _rule(
            "AESER",
            "Y where AEOUT is FATAL: a fatal event is serious",
            lambda d: (d["AEOUT"] != "FATAL") | (d["AESER"] == "Y"),
        ),
        _rule(
            "AETOXGR",
            "grade 5 only where AEOUT is FATAL",
            lambda d: (d["AETOXGR"] != 5) | (d["AEOUT"] == "FATAL"),
        ),
    ],
    name="adae.csv",
    title="Adverse-event analysis data: one row an event; no file if events were not recorded",
)

ADEX = pa.DataFrameSchema(
    {
        "USUBJID": _text("Participant, as in adsl.csv", _NOT_BLANK),
        "ASTDY": _number("Study day of the infusion", _DAY),
        "EXDOSE": _number(
            "Dose given; blank if not recorded", _is("a dose above 0", lambda s: s > 0), blank=True
        ),
        "EXDOSU": _text("Unit of the dose; blank if not recorded", _NOT_BLANK, blank=True),
    },
    checks=[
        _rule(
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

    title: Annotated[str, "Title of the study"]
    short_title: Annotated[str, "Title for running heads"]
    origin: Annotated[str, "synthetic or real"]
    label: Annotated[str, "One sentence on what the data are, shown everywhere"]
    source: Annotated[str, "Where the data come from"]
    licence: Annotated[str, "Licence of the data"]
    population: Annotated[str, "Who the participants are"]
    treatment: Annotated[str, "What they received"]
    horizon_months: Annotated[int, "Months of follow-up that are reported"]
    reporting_units: Annotated[dict[str, str], "Unit in which each parameter is reported"]
    assumed: Annotated[list[str], "Every assumption behind the data, in words"]
    visits: Annotated[list[int] | None, "When visits are due, from 0 on; default 0, 6, 12, 24"] = (
        None
    )
    visit_unit: Annotated[str | None, "What visits are counted in, months (default) or weeks"] = (
        None
    )
    windows: Annotated[
        dict[int, list[int]] | None,
        "First and last study day on which values of a visit are believed, by visit; default half "
        "way to the visits beside it",
    ] = None
    endpoints: Annotated[
        list[str] | None, "PARAMCD of the laboratory endpoints; default ALT, BILI, ALB, PT"
    ] = None
    statements: Annotated[
        str | None,
        "published, where the book weighs the statements of the abstract (data/published)",
    ] = None
    assessed: Annotated[int | None, "Participants assessed for entry"] = None
    reference_ranges: Annotated[
        dict[str, list[float]] | None,
        "Lower and upper limit of normal by parameter, in reporting units",
    ] = None
    ctcae_version: Annotated[str | None, "CTCAE version of AETOXGR"] = None
    seed: Annotated[int | None, "Seed of the generator"] = None
    draws: Annotated[int | None, "Draws until one was accepted"] = None
    checksums: Annotated[dict[str, str] | None, "sha256 of source files"] = None

    @cached_property
    def plan(self) -> Plan:
        """The analysis plan of the data set."""
        return make_plan(
            self.horizon_months, self.visits, self.visit_unit, self.windows, self.endpoints
        )


KEYS: dict[str, str] = {
    name: hint.__metadata__[0] + " (optional)" * hasattr(Study, name)
    for name, hint in get_type_hints(Study, include_extras=True).items()
}
"""Keys of ``study.yml``, and what each says."""
