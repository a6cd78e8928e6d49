"""Laboratory values from baseline to the worst value afterwards (ICH E3 section 12.4)."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.stats.scores import CHILD_PUGH_LIMITS, child_pugh_points
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import PARAMETERS, VISITS

NONE_LATER = "NO LATER VALUE"
RANGES = ("LOW", "NORMAL", "HIGH")
POINTS = ("1", "2", "3")
LOW_IS_WORSE = ("ALB", "SODIUM")
"""Parameters of which a low value is the bad one."""

CHOLESTATIC = "cholangitis"
"""Word in a diagnosis for which Child-Pugh has higher limits of bilirubin."""

UNITS = {"BILI": "mg/dL", "ALB": "g/dL", "INR": "1"}
"""Units of the Child-Pugh limits."""


def list_shifts(trial: Trial) -> dict[str, tuple[str, ...]]:
    """Return the parameters that can be classed, each with its classes.

    Bilirubin, albumin and INR are classed by Child-Pugh points; others by the limits of normal of
    ``study.yml``, where it gives any.
    """
    ranges = trial.study.reference_ranges or {}
    classes = dict.fromkeys(CHILD_PUGH_LIMITS, POINTS) | {
        c: RANGES for c in ranges if c not in CHILD_PUGH_LIMITS
    }
    return {c: classes[c] for c in trial.parameters if c in classes}


def derive_classes(trial: Trial, code: str) -> pd.DataFrame:
    """Return each measurement of a parameter with its class.

    Returns
    -------
    DataFrame
        USUBJID, AVISITN, ADY, AVAL and CLASS; unscheduled measurements too.
    """
    labs = pd.concat([trial.adlb, trial.unscheduled], ignore_index=True)
    own = labs[labs["PARAMCD"] == code]
    values = own["AVAL"].to_numpy(dtype=float)
    if code in CHILD_PUGH_LIMITS:
        units = PARAMETERS[code].units
        unit = trial.study.reporting_units.get(code, next(iter(units)))
        diagnosis = own["USUBJID"].map(trial.adsl.set_index("USUBJID")["DIAG"]).fillna("")
        cholestatic = diagnosis.str.lower().str.contains(CHOLESTATIC).to_numpy()
        points = child_pugh_points(code, values * units[unit] / units[UNITS[code]], cholestatic)
        found = np.asarray(points, dtype=float).astype(int).astype(str)
    else:
        low, high = (trial.study.reference_ranges or {})[code]
        found = np.select([values < low, values > high], ["LOW", "HIGH"], "NORMAL")
    return own[["USUBJID", "AVISITN", "ADY", "AVAL"]].assign(CLASS=found)


def derive_shifts(trial: Trial, code: str) -> pd.DataFrame:
    """Return class at baseline and at the worst later value of each participant.

    Returns
    -------
    DataFrame
        USUBJID, START, END (a class, or NO LATER VALUE); participants with a value at baseline.
    """
    classed = derive_classes(trial, code)
    base = classed[classed["AVISITN"] == 0].set_index("USUBJID")
    first = base["CLASS"]
    planned = classed["AVISITN"].isin(VISITS)
    after = classed["ADY"] > classed["USUBJID"].map(base["ADY"]).astype(float)
    later = classed[(planned & (classed["AVISITN"] > 0)) | (~planned & after)]
    later = later.sort_values("AVAL", ascending=code not in LOW_IS_WORSE)
    worst = later.drop_duplicates("USUBJID", keep="last").set_index("USUBJID")["CLASS"]
    end = worst.reindex(first.index).fillna(NONE_LATER)
    return pd.DataFrame({"USUBJID": first.index, "START": first.to_numpy(), "END": end.to_numpy()})


def count_moves(
    moves: pd.DataFrame,
    starts: tuple[str, ...],
    ends: tuple[str, ...],
    analysis: str,
    parameter: str = "",
) -> pd.DataFrame:
    """Return how many moved from each class to each other, zeros kept.

    Parameters
    ----------
    moves
        START and END, one row a participant.
    starts, ends
        All classes, in order.
    analysis, parameter
        Ids of the record; its group is ``start to end``.
    """
    table = pd.crosstab(moves["START"], moves["END"])
    table = table.reindex(index=list(starts), columns=list(ends), fill_value=0)
    rows: list[dict[str, Any]] = []
    for start in starts:
        for end in ends:
            rows += make_rows(
                analysis,
                {"count": int(table.loc[start, end])},
                parameter=parameter,
                group=f"{start} to {end}",
                n=len(moves),
                method="participants with a value at baseline",
                function="count_moves",
            )
    return make_record(rows)


def summarise_shifts(trial: Trial) -> pd.DataFrame:
    """Return the shift table of every parameter that can be classed, in one record.

    Returns
    -------
    DataFrame
        Record, analysis ``shift``; see `count_moves`. Empty where no parameter can be classed.
    """
    parts = [
        count_moves(derive_shifts(trial, code), classes, (*classes, NONE_LATER), "shift", code)
        for code, classes in list_shifts(trial).items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else make_record([])
