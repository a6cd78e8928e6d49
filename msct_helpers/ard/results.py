"""Analysis results data: every number of the report, unrounded, with the text that is shown.

An analysis function collects rows with `make_rows`, and the record is a DataFrame with the columns
of `COLUMNS`. Tables, captions and prose show its ``text``; nothing else is printed. The build
publishes all records under the names of `msct_helpers.ard.columns`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.stats.rounding import round_half_away
from msct_helpers.trial.schema import PARAMETERS
from msct_helpers.trial.text import slug

COLUMNS = [
    "id",
    "analysis",
    "parameter",
    "visit",
    "group",
    "statistic",
    "value",
    "text",
    "unit",
    "n",
    "method",
    "function",
]
"""Columns of the record; ``id`` joins analysis, parameter, visit, group and statistic."""

NOT_ESTIMABLE = "NE"
"""Shown where a statistic cannot be computed from the data at hand."""

MANY = 100
"""From so many people on a percentage has a decimal."""

_COUNTS = {"n", "denominator"}
_DECIMALS = {"percent": 1, "age": 1, "score": 2, "years": 1, "per 100 years": 1}


def make_id(
    analysis: str,
    statistic: str,
    parameter: str = "",
    visit: int | str | None = None,
    group: str = "",
) -> str:
    """Return the id of a result, the same for whoever records or shows it."""
    at = "" if visit is None else f"m{visit}"
    parts = [analysis, parameter, at, group, statistic]
    return ".".join(slug(p) for p in parts if p)


def ref(
    analysis: str,
    statistic: str,
    parameter: str = "",
    visit: int | str | None = None,
    group: str = "",
    *,
    unsigned: bool = False,
) -> str:
    """Return the placeholder of a result for a sentence; `unsigned` leaves out its sign."""
    suffix = "|abs" if unsigned else ""
    return "{" + make_id(analysis, statistic, parameter, visit, group) + suffix + "}"


def make_rows(
    analysis: str,
    statistics: Mapping[str, float],
    *,
    parameter: str = "",
    visit: int | None = None,
    group: str = "",
    unit: str = "",
    n: int | None = None,
    method: str = "",
    function: str = "",
    decimals: int | None = None,
) -> list[dict[str, Any]]:
    """Return one row of the record for each statistic.

    Parameters
    ----------
    analysis, parameter, visit, group
        What was analysed: a short name, a PARAMCD, a month, a subgroup.
    statistics
        Value by name of the statistic; NaN where it cannot be estimated.
    unit, n, method, function
        Unit of the values (counts, shares and p-values have their own), number of participants
        behind them, method in words, name of the function that computed them.
    decimals
        Decimals shown; default: by parameter, unit and statistic (`decimals_of`).
    """
    rows = []
    for statistic, value in statistics.items():
        usual = decimals_of(statistic, parameter, unit, float(value), n)
        places = usual if decimals is None else decimals
        rows.append(
            {
                "id": make_id(analysis, statistic, parameter, visit, group),
                "analysis": analysis,
                "parameter": parameter,
                "visit": visit,
                "group": group,
                "statistic": statistic,
                "value": float(value),
                "text": format_value(float(value), statistic, places),
                "unit": unit_of(statistic, unit),
                "n": n,
                "method": method,
                "function": function,
            }
        )
    return rows


def make_text_row(
    analysis: str,
    statistic: str,
    text: str,
    *,
    group: str = "",
    method: str = "",
    function: str = "",
) -> dict[str, Any]:
    """Return a row whose result is a word, such as a verdict; its value is missing."""
    row = make_rows(analysis, {statistic: np.nan}, group=group, method=method, function=function)[0]
    return row | {"text": text}


def make_record(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a record.

    Raises
    ------
    ValueError
        If an id stands twice: a number must have one source.
    """
    record = pd.DataFrame(list(rows), columns=COLUMNS)
    record = record.astype({"visit": "Int64", "n": "Int64", "value": float})
    twice = record.loc[record["id"].duplicated(), "id"].tolist()
    if twice:
        raise ValueError(f"recorded twice: {', '.join(twice)}; each id must have one source")
    return record


def decimals_of(statistic: str, parameter: str, unit: str, value: float, n: int | None) -> int:
    """Return the decimals shown for a statistic of a parameter.

    Of fewer than `MANY` people a per cent has none, as each is more than one per cent; but what is
    no zero is not shown as one.
    """
    if statistic in _COUNTS or statistic.endswith("count"):
        return 0
    if "percent" in statistic or unit == "%":
        whole = n is not None and n < MANY and (value == 0 or abs(value) >= 1)
        return 0 if whole else _DECIMALS["percent"]
    if parameter in PARAMETERS:
        return PARAMETERS[parameter].decimals.get(unit, 2)
    return _DECIMALS.get(unit, 2)


def unit_of(statistic: str, unit: str) -> str:
    """Return the unit of a statistic: counts and p-values have none, shares are per cent."""
    if statistic in _COUNTS or statistic.endswith("count") or statistic.startswith("p_"):
        return ""
    return "%" if "percent" in statistic else unit


def format_value(value: float, statistic: str, decimals: int) -> str:
    """Return the text a reader sees: rounded once, half away from zero, with a true minus sign.

    P-values have three decimals, four below .01, and are never shown as zero.
    """
    if not np.isfinite(value):
        return NOT_ESTIMABLE
    if statistic.startswith("p_"):
        return format_p(value)
    return format_rounded(value, decimals)


def format_p(p: float) -> str:
    """Return a p-value as text."""
    if p < 0.0001:
        return "<0.0001"
    three = format_rounded(p, 3)
    return three if float(three) >= 0.01 else format_rounded(p, 4)


def format_rounded(value: float, decimals: int) -> str:
    """Return `value` with so many decimals (`round_half_away`), without a minus zero."""
    rounded = round_half_away(value, decimals)
    text = f"{abs(rounded):f}" if rounded == 0 else f"{rounded:f}"
    return text.replace("-", "\N{MINUS SIGN}")
