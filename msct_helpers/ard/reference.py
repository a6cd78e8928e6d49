"""Compare results with those stored for a data set: what agrees, what differs and by how much."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

EXACT = ("count", "denominator", "n", "day", "grade")
"""Statistics that must be equal: counts and recorded whole numbers."""

TOLERANCES = (
    ("counts, study days and grades", 0.0, 0.0, "whole numbers"),
    ("p-values", 1e-4, 1e-9, "tails of distributions differ between mathematics libraries"),
    ("all other statistics", 1e-6, 1e-9, "sums and fits differ in the last digits"),
)
"""Kind of statistic, relative tolerance, absolute tolerance, and why that much is allowed."""


@dataclass(frozen=True)
class Difference:
    """One result that is not as it was: where it stands, what it was and what it is now."""

    chapter: str
    id: str
    was: str
    now: str
    size: float | None

    def __str__(self) -> str:
        """Return the difference as one line."""
        by = "" if self.size is None else f", by {self.size:.3g}"
        return f"{self.chapter}, {self.id}: {self.was} -> {self.now}{by}"


def find_tolerance(statistic: str) -> tuple[float, float]:
    """Return relative and absolute tolerance of a statistic."""
    if statistic in EXACT or statistic.endswith("count"):
        return TOLERANCES[0][1:3]
    return TOLERANCES[1 if statistic.startswith("p_") else 2][1:3]


def compare_records(was: pd.DataFrame, now: pd.DataFrame) -> list[Difference]:
    """Return every result that differs from the reference by more than its tolerance.

    Parameters
    ----------
    was, now
        Reference and present results: chapter, id, operationId, rawValue, formattedValue.

    Returns
    -------
    list
        Changed values, changed words, results that are gone and results that are new, in the
        order of the reference.
    """
    keys = ["chapter", "id"]
    both = was.merge(now, on=keys, how="outer", suffixes=("_was", "_now"), indicator=True)
    rank = {key: i for i, key in enumerate(zip(was["chapter"], was["id"], strict=True))}
    pairs = zip(both["chapter"], both["id"], strict=True)
    order = np.argsort([rank.get(key, len(rank)) for key in pairs], kind="stable")
    found = []
    for row in both.iloc[order].to_dict("records"):
        difference = compare_row(row)
        if difference is not None:
            found.append(difference)
    return found


def compare_row(row: dict[str, Any]) -> Difference | None:
    """Return how one result differs, or None where it agrees."""
    where = {"chapter": str(row["chapter"]), "id": str(row["id"])}
    if row["_merge"] == "left_only":
        return Difference(**where, was=str(row["formattedValue_was"]), now="gone", size=None)
    if row["_merge"] == "right_only":
        return Difference(**where, was="nothing", now=str(row["formattedValue_now"]), size=None)
    old, new = float(row["rawValue_was"]), float(row["rawValue_now"])
    was, now = str(row["formattedValue_was"]), str(row["formattedValue_now"])
    relative, absolute = find_tolerance(str(row["operationId_was"]))
    close = bool(np.isclose(new, old, rtol=relative, atol=absolute, equal_nan=True))
    if close and was == now:
        return None
    if was == now and not np.isnan([old, new]).any():
        was, now = f"{was} ({old:.10g})", f"{now} ({new:.10g})"
    size = abs(new - old) if np.isfinite([old, new]).all() else None
    return Difference(**where, was=was, now=now, size=size)


def say_agreement(dataset: str, total: int, differences: list[Difference] | None) -> str:
    """Return in one line whether results agree with the reference; None where none is stored."""
    if differences is None:
        return f"No reference is stored for {dataset}; `msct verify --update` makes one."
    if not differences:
        return f"All {total} results agree with the reference of {dataset}."
    shown = "; ".join(str(d) for d in differences[:3])
    more = f"; and {len(differences) - 3} more" if len(differences) > 3 else ""
    count = f"{len(differences)} of {total} results differ"
    return f"{count} from the reference of {dataset}: {shown}{more}."
