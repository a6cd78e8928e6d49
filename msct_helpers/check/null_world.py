"""Coverage and rejection of the methods of this book in trials where nothing changes, as stored."""

from typing import Any

import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.trial.paths import ROOT

COLUMNS: dict[str, Cell] = {"Per cent": "{percent}", "Monte Carlo error": "{error_percent}"}


def load_null_world() -> pd.DataFrame:
    """Read method, quantity (coverage or rejection), estimate, mc_error, trials, seed and date."""
    return pd.read_csv(ROOT / "data" / "null_world.csv")


def name_group(row: Any) -> str:
    """Return the group of a stored row in the record."""
    return f"{row.method} {row.quantity}"


def summarise_null_world(stored: pd.DataFrame) -> pd.DataFrame:
    """Return the stored rates as a record, analysis ``null``: percent and error_percent."""
    rows: list[dict[str, Any]] = []
    for row in stored.itertuples(index=False):
        shown = {"percent": 100 * row.estimate, "error_percent": 100 * row.mc_error}
        rows += make_rows(
            "null", shown, group=name_group(row), n=int(row.trials),
            method=f"simulated trials, seed {row.seed}, {row.date}",
            function="summarise_null_world",
        )  # fmt: skip
    most, least = (int(f(stored["trials"])) for f in (max, min))
    shown = {"trials_count": most, "left_count": most - least}
    return make_record([*rows, *make_rows("null", shown, function="summarise_null_world")])


def list_rows(stored: pd.DataFrame) -> list[Row]:
    """Return a row for each method and rate."""
    return [
        Row((str(row.method), str(row.quantity)), "null", group=name_group(row))
        for row in stored.itertuples(index=False)
    ]


def say_null_world(record: pd.DataFrame) -> str:
    """Return how far the rates of tests and intervals are from what they promise."""
    shown = record["statistic"] == "percent"
    own = record[record["group"].str.lower().str.endswith("coverage") & shown]
    least = own.loc[own["value"].idxmin()]
    return (
        f"In {ref('null', 'trials_count')} simulated trials without any change, every 95% interval "
        f"of this book covers the truth in {{{least['id']}}}% of trials or more. "
        f"Trials without an estimate are left out, {ref('null', 'left_count')} at most."
    )
