"""Change from baseline at each visit, as observed and among pairs (ICH E3 section 11.4)."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.stats.estimate import describe_values, estimate_mean_change
from msct_helpers.trial.schema import PARAMETERS, VISITS


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


def summarise_change(adlb: pd.DataFrame) -> pd.DataFrame:
    """Return every parameter's course: as observed at each visit, and among pairs.

    Parameters
    ----------
    adlb
        Measurements of the full analysis set, one unit a parameter.

    Returns
    -------
    DataFrame
        Record. Analysis ``obs``: n, mean, sd, median, q1, q3 of all seen at the visit,
        geometric (mean) where the log scale suits, and diff, their mean minus
        the mean of all at baseline. Analysis ``chg``: n, base, end, mean, sd, ci_low, ci_high, p_t,
        p_wilcoxon of participants with both values.
    """
    rows = []
    for (code, unit), values in derive_change(adlb).groupby(["PARAMCD", "AVALU"], sort=False):
        start = values.loc[values["AVISITN"] == 0, "AVAL"].mean()
        for month in VISITS:
            at = values[values["AVISITN"] == month]
            common: dict[str, Any] = {"parameter": str(code), "visit": month, "unit": str(unit)}
            seen = describe_values(at["AVAL"], is_log_scale(str(code)))
            if month:
                seen["diff"] = at["AVAL"].mean() - start
            rows += make_rows(
                "obs",
                seen,
                n=len(at),
                method="all observed at the visit",
                function="summarise_change",
                **common,
            )
            if month:
                pairs = at.dropna(subset="CHG")
                paired = {"n": float(len(pairs)), "base": float(pairs["BASE"].mean())}
                paired["end"] = float(pairs["AVAL"].mean())
                rows += make_rows(
                    "chg",
                    paired | estimate_mean_change(pairs["CHG"].to_numpy(dtype=float)),
                    n=len(pairs),
                    method="participants with both values",
                    function="summarise_change",
                    **common,
                )
    return make_record(rows)


def is_log_scale(code: str) -> bool:
    """Return whether a parameter is analysed on the log scale and shown as per cent change."""
    return code in PARAMETERS and PARAMETERS[code].log_scale


def get_value(
    record: pd.DataFrame, analysis: str, statistic: str, parameter: str, visit: int
) -> float:
    """Return one unrounded value of a record; NaN if it is not there."""
    where = (
        (record["analysis"] == analysis)
        & (record["statistic"] == statistic)
        & (record["parameter"] == parameter)
        & (record["visit"] == visit)
    )
    found = record.loc[where, "value"]
    return float(found.iloc[0]) if len(found) else float("nan")


def say_change(record: pd.DataFrame, parameter: str, name: str, unit: str, visit: int) -> str:
    """Return a sentence on the paired change of a parameter at a visit.

    The words follow the sign of the estimate and whether its interval contains zero.
    """
    mean = get_value(record, "chg", "mean", parameter, visit)
    low = get_value(record, "chg", "ci_low", parameter, visit)
    high = get_value(record, "chg", "ci_high", parameter, visit)
    at: dict[str, Any] = {"parameter": parameter, "visit": visit}
    if np.isnan(mean):
        return f"{name} at month {visit}: not assessable, no participant has both values."
    pairs = f"{ref('chg', 'n', **at)} participants measured at both visits"
    if np.isnan(low):
        return f"{name} at month {visit}: too few changes to estimate an interval ({pairs})."
    word = "was higher than" if mean > 0 else "was lower than"
    clear = "includes zero" if low <= 0 <= high else "excludes zero"
    return (
        f"At month {visit} mean {name} {word} at baseline by "
        f"{ref('chg', 'mean', unsigned=True, **at)} {unit} (95% confidence interval of the change "
        f"{ref('chg', 'ci_low', **at)} to {ref('chg', 'ci_high', **at)}, which {clear}; {pairs})."
    )
