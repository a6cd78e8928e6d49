"""Laboratory values from baseline to the worst value afterwards (ICH E3 section 12.4)."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, upper_first
from msct_helpers.stats.scores import CHILD_PUGH_LIMITS, child_pugh_points
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import MEASURES, Plan

NONE_LATER = "NO LATER VALUE"
RANGES = ("LOW", "NORMAL", "HIGH")
POINTS = ("1", "2", "3")
WORDS = {"LOW": "low", "NORMAL": "normal", "HIGH": "high", NONE_LATER: "no later value"}
WORDS |= {"1": "1 point", "2": "2 points", "3": "3 points"}

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
        units = MEASURES[code].units
        unit = trial.study.reporting_units.get(code, MEASURES[code].unit)
        diagnosis = own["USUBJID"].map(trial.adsl.set_index("USUBJID")["DIAG"]).fillna("")
        cholestatic = diagnosis.str.lower().str.contains(CHOLESTATIC).to_numpy()
        points = child_pugh_points(code, values * units[unit] / units[UNITS[code]], cholestatic)
        found = np.asarray(points, dtype=float).astype(int).astype(str)
    else:
        low, high = (trial.study.reference_ranges or {})[code]
        found = np.select([values < low, values > high], ["LOW", "HIGH"], "NORMAL")
    return own[["USUBJID", "AVISITN", "ADY", "AVAL"]].assign(CLASS=found)


def derive_shifts(trial: Trial, code: str, plan: Plan) -> pd.DataFrame:
    """Return class at baseline and at the worst later value of each participant.

    Returns
    -------
    DataFrame
        USUBJID, START, END (a class, or NO LATER VALUE); participants with a value at baseline.
    """
    classed = derive_classes(trial, code)
    base = classed[classed["AVISITN"] == 0].set_index("USUBJID")
    first = base["CLASS"]
    planned = classed["AVISITN"].isin(plan.numbers)
    after = classed["ADY"] > classed["USUBJID"].map(base["ADY"]).astype(float)
    later = classed[(planned & (classed["AVISITN"] > 0)) | (~planned & after)]
    later = later.sort_values("AVAL", ascending=MEASURES[code].better < 0)
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
    counts = moves.groupby(["START", "END"]).size()
    rows: list[dict[str, Any]] = []
    for start, end in product(starts, ends):
        rows += make_rows(
            analysis,
            {"count": counts.get((start, end), 0)},
            parameter=parameter,
            group=f"{start} to {end}",
            n=len(moves),
            method="participants with a value at baseline",
            function="count_moves",
        )
    return make_record(rows)


def summarise_shifts(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return the shift table of every parameter that can be classed, in one record.

    Returns
    -------
    DataFrame
        Record, analysis ``shift``; see `count_moves`. Empty where no parameter can be classed.
    """
    ends = (NONE_LATER,)
    parts = [
        count_moves(derive_shifts(trial, code, plan), classes, classes + ends, "shift", code)
        for code, classes in list_shifts(trial).items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else make_record([])


def list_shifted(record: pd.DataFrame, classes: tuple[str, ...]) -> list[str]:
    """Return the parameters of a record that have these classes."""
    first = f"{classes[0]} to {classes[0]}"
    return record.loc[record["group"] == first, "parameter"].tolist()


def list_starts(record: pd.DataFrame, classes: tuple[str, ...]) -> list[Row]:
    """Return a row for each parameter and class at baseline."""
    return [
        Row((upper_first(MEASURES[code].title), WORDS[start]), "shift", code, group=start)
        for code in list_shifted(record, classes)
        for start in classes
    ]


def shift_columns(classes: tuple[str, ...]) -> dict[str, Cell]:
    """Return a column for each class of the worst later value."""

    def moved(end: str) -> Cell:
        return lambda row: ref(row.analysis, "count", row.parameter, group=f"{row.group} to {end}")

    worst = {f"Worst later: {WORDS[end]}": moved(end) for end in classes}
    return worst | {upper_first(WORDS[NONE_LATER]): moved(NONE_LATER)}


def name_shifted(record: pd.DataFrame, classes: tuple[str, ...]) -> str:
    """Return the parameters that have these classes, as they begin a sentence."""
    titles = [MEASURES[code].title for code in list_shifted(record, classes)]
    return upper_first(join_words(titles))


def say_worst(record: pd.DataFrame) -> str:
    """Return of which parameters classed by limits of normal a low value is the worst one."""
    codes = list_shifted(record, RANGES)
    low = [MEASURES[code].title for code in codes if MEASURES[code].better > 0]
    if not low:
        return "Worst is the highest."
    others = ", and the highest of all others" if len(low) < len(codes) else ""
    return f"Worst is the lowest {join_words(low)}{others}."


def say_unclassed(record: pd.DataFrame) -> str:
    """Return why there is no table of shifts by limits of normal."""
    if record.empty:
        return "Laboratory shifts: not assessable, no parameter can be classed."
    return (
        "Shifts by limits of normal: not assessable, the data set gives no limits of its "
        "laboratory."
    )
