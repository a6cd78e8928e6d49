"""Change from baseline at each visit, as observed and among pairs (ICH E3 section 11.4)."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_id, make_record, make_rows, ref
from msct_helpers.book.words import join_words, name_unit, upper_first
from msct_helpers.stats.estimate import describe_values, estimate_mean_change
from msct_helpers.trial.plan import MEASURES, Plan, Visit


def derive_change(adlb: pd.DataFrame) -> pd.DataFrame:
    """Return measurements with their baseline and the change from it.

    Parameters
    ----------
    adlb
        USUBJID, PARAMCD, AVISITN, AVAL; at most one row a participant, parameter and visit.

    Returns
    -------
    DataFrame
        The rows of `adlb` with BASE (value at baseline, missing if none) and CHG = AVAL - BASE.
    """
    base = adlb.loc[adlb["AVISITN"] == 0].set_index(["USUBJID", "PARAMCD"])["AVAL"]
    keys = pd.MultiIndex.from_frame(adlb[["USUBJID", "PARAMCD"]])
    out = adlb.assign(BASE=base.reindex(keys).to_numpy())
    return out.assign(CHG=out["AVAL"] - out["BASE"])


def summarise_change(adlb: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return every parameter's course: as observed at each visit, and among pairs.

    Parameters
    ----------
    adlb
        Measurements of the full analysis set, one unit a parameter.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record. Analysis ``obs``: n, mean, sd, median, q1, q3 of all seen at the visit,
        geometric (mean) where the log scale suits, and diff, their mean minus
        the mean of all at baseline. Analysis ``chg``: n, base, end, mean, sd, ci_low, ci_high, p_t,
        p_wilcoxon of participants with both values.
    """
    rows: list[dict[str, Any]] = []
    for (code, unit), values in derive_change(adlb).groupby(["PARAMCD", "AVALU"], sort=False):
        for visit in plan.visits:
            at = values[values["AVISITN"] == visit.number]
            common: dict[str, Any] = {"parameter": code, "visit": visit.number, "unit": unit}
            common["function"] = "summarise_change"
            seen = describe_values(at["AVAL"], geometric=MEASURES[str(code)].log_scale)
            if visit in plan.later:
                first = values.loc[values["AVISITN"] == 0, "AVAL"]
                seen["diff"] = at["AVAL"].mean() - first.mean()
            rows += make_rows("obs", seen, n=len(at), method="all observed at the visit", **common)
            if visit in plan.later:
                pairs = at.dropna(subset="CHG")
                found = describe_pairs(pairs, plan.level)
                method = "participants with both values"
                rows += make_rows("chg", found, n=len(pairs), method=method, **common)
    return make_record(rows)


def describe_pairs(pairs: pd.DataFrame, level: float) -> dict[str, float]:
    """Return number and means of participants with both values, and what their change is."""
    means = {
        "n": float(len(pairs)),
        "base": float(pairs["BASE"].mean()),
        "end": float(pairs["AVAL"].mean()),
    }
    return means | estimate_mean_change(pairs["CHG"].to_numpy(dtype=float), level)


def select(record: pd.DataFrame, analysis: str, parameter: str) -> pd.DataFrame:
    """Return the results of one analysis of one parameter."""
    return record[(record["analysis"] == analysis) & (record["parameter"] == parameter)]


def get_value(
    record: pd.DataFrame, analysis: str, statistic: str, parameter: str, visit: int
) -> float:
    """Return one unrounded value of a record; NaN if it is not there."""
    found = record.loc[record["id"] == make_id(analysis, statistic, parameter, visit), "value"]
    return float(found.iloc[0]) if len(found) else float("nan")


def get_unit(record: pd.DataFrame, analysis: str, statistic: str, parameter: str) -> str:
    """Return the unit of a statistic as it follows a number, with its space."""
    own = select(record, analysis, parameter)
    return name_unit(str(own.loc[own["statistic"] == statistic, "unit"].iloc[0]))


def say_interval(analysis: str, code: str, visit: Visit, plan: Plan) -> str:
    """Return the interval of a change in words."""
    low, high = (ref(analysis, s, code, visit.number) for s in ("ci_low", "ci_high"))
    return f"{plan.level_words} confidence interval of the change {low} to {high}"


def say_change(record: pd.DataFrame, plan: Plan, code: str, who: str = "participants") -> str:
    """Return a sentence on the paired change of a parameter at the last visit.

    The words follow the sign of the estimate and whether its interval contains zero; `who` is what
    the participants are called (`msct_helpers.book.words.name_people`).
    """
    visit, name = plan.last, MEASURES[code].name
    mean, low, high, n = (
        get_value(record, "chg", s, code, visit.number) for s in ("mean", "ci_low", "ci_high", "n")
    )
    pairs = f"{ref('chg', 'n', code, visit.number)} {who} measured at both visits"
    if np.isnan(low):
        why = "too few changes" if n == 1 else "changes too much alike"
        why = f"{why} to estimate an interval ({pairs})"
        why = why if n >= 1 else "not assessable, no participant has both values"
        return f"{upper_first(name)} at {visit.words}: {why}."
    clear = "includes zero" if low <= 0 <= high else "excludes zero"
    size = ref("chg", "mean", code, visit.number, unsigned=True)
    moved = f"{'higher' if mean > 0 else 'lower'} than at baseline by {size}"
    moved += get_unit(record, "chg", "mean", code)
    return (
        f"At {visit.words} mean {name} was {moved if mean else 'the same as at baseline'} "
        f"({say_interval('chg', code, visit, plan)}, which {clear}; {pairs})."
    )


def say_disagreement(record: pd.DataFrame, code: str, visit: Visit) -> str:
    """Return a sentence where all seen and the pairs moved in opposite directions, else nothing."""
    at = (code, visit.number)
    observed, paired = get_value(record, "obs", "diff", *at), get_value(record, "chg", "mean", *at)
    if not observed * paired < 0:
        return ""
    above = "above" if observed > 0 else "below"
    rose = "rose" if paired > 0 else "fell"
    return (
        f"At {visit.words} the two readings disagree: the mean of all seen was {above} the mean of "
        f"all at baseline ({ref('obs', 'diff', *at)}), while the same participants "
        f"{rose} ({ref('chg', 'mean', *at)}): those seen later are not all who began."
    )


def say_absent(why: dict[str, str]) -> str:
    """Return which measures cannot be assessed, and why; nothing where all can."""
    gone = [f"{MEASURES[code].name} ({reason})" for code, reason in why.items() if reason]
    return f" Not assessable: {join_words(gone)}." if gone else ""
