"""What the published counts say by themselves, with no data of any participant."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.safety.safety import estimate_none_seen, find_size_to_exclude
from msct_helpers.stats.estimate import estimate_proportion, estimate_rank_p, estimate_upper_limit

LABEL = "From the published counts alone; no data of any participant."
"""Label of what this module computes, in place of the data set's."""

GROUPS = {
    "N3": "died of complications of cirrhosis",
    "N4": "received a liver transplant",
    "N5": "lost to follow-up",
    "EVENT": "died or transplanted, none of the lost",
    "GONE": "died, transplanted or lost",
    "DEAD-WORST": "died, if all of the lost died",
    "S1": "serious adverse event within 24 hours of the infusion",
}
"""What was counted, by statement or combination of statements; combinations assume that the dead,
the transplanted and the lost are different people."""

EXCLUDED = (10, 5, 1)
"""Risks (per cent) for which the number of patients to rule them out is given."""


def get_counts(published: pd.DataFrame) -> dict[str, int]:
    """Return the published counts of participants by id of the statement."""
    counted = published[published["kind"] == "count"]
    return {i: int(c) for i, c in zip(counted["id"], counted["count"], strict=True)}


def combine_counts(published: pd.DataFrame) -> dict[str, int]:
    """Return the count of each group of `GROUPS`."""
    counts = get_counts(published)
    died, moved, lost = counts["N3"], counts["N4"], counts["N5"]
    combined = {
        "EVENT": died + moved,
        "GONE": died + moved + lost,
        "DEAD-WORST": died + lost,
    }
    return {group: (counts | combined)[group] for group in GROUPS}


def summarise_counts(published: pd.DataFrame) -> pd.DataFrame:
    """Return each published count and combination with its exact interval.

    Parameters
    ----------
    published
        Published statements (`msct_helpers.trial.load.load_statements`).

    Returns
    -------
    DataFrame
        Record, analysis ``published``: count, denominator, percent, percent_low, percent_high by
        group of `GROUPS`; and for S1 percent_upper (one-sided 95% limit) and percent_three (rule
        of three). Analysis ``exclude``: count of patients without an event needed to rule out a
        risk of 10, 5 or 1%; ``unseen``: chance in per cent of seeing no event at that risk.
    """
    total = get_counts(published)["N1"]
    rows: list[dict[str, Any]] = []
    for group, count in combine_counts(published).items():
        rows += make_rows(
            "published",
            estimate_proportion(count, total),
            group=group,
            n=total,
            method="published counts, Clopper-Pearson 95% interval",
            function="summarise_counts",
        )
    rows += make_rows(
        "published",
        estimate_upper_limit(total),
        group="S1",
        n=total,
        method="none seen: exact one-sided 95% limit, and three over the number of patients",
        function="estimate_upper_limit",
    )
    for risk in EXCLUDED:
        rows += make_rows(
            "exclude",
            {"risk_percent": risk, "count": find_size_to_exclude(risk / 100)},
            group=f"{risk}",
            decimals=0,
            method="smallest number for which a risk this high would show no event in under 5%",
            function="find_size_to_exclude",
        )
        rows += make_rows(
            "unseen",
            {"percent": 100 * estimate_none_seen(risk / 100, total)},
            group=f"{risk}",
            n=total,
            method="chance of no event among the published number of patients",
            function="estimate_none_seen",
        )
    return make_record(rows)


def summarise_composite_bound(published: pd.DataFrame) -> pd.DataFrame:
    """Return the best that a composite test at two years can reach, by number of events counted.

    Everyone without death, transplant or loss is taken to have improved, and everyone whose event
    counts is ranked worst; the lost are left out. With the signed-rank test no real result can be
    more favourable.

    Returns
    -------
    DataFrame
        Record, analysis ``ceiling``: p_value (exact signed rank), events_count and
        improved_count by group, the number of events counted; and group ``LOST IMPROVED``, in
        which all events count and the lost improved too.
    """
    counts = get_counts(published)
    events = counts["N3"] + counts["N4"]
    stayed = counts["N1"] - events - counts["N5"]
    cases = {f"{counted}": (counted, stayed) for counted in range(events + 1)}
    cases["LOST IMPROVED"] = (events, stayed + counts["N5"])
    rows: list[dict[str, Any]] = []
    for group, (counted, improved) in cases.items():
        ranked = np.concatenate(
            [np.arange(1.0, improved + 1), -np.arange(improved + 1.0, improved + counted + 1)]
        )
        rows += make_rows(
            "ceiling",
            {
                "p_value": estimate_rank_p(ranked),
                "events_count": counted,
                "improved_count": improved,
            },
            group=group,
            n=improved + counted,
            method="exact two-sided signed-rank test, events worst, all others improved",
            function="summarise_composite_bound",
        )
    return make_record(rows)
