"""Baseline characteristics by group, and how those who left differ from those who stayed.

ICH E3 section 11.2. No test compares groups: whoever left is compared by standardised difference.
"""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.book.words import UNKNOWN
from msct_helpers.cohort.population import derive_follow_up
from msct_helpers.stats.estimate import describe_values
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import CELL_SOURCES, VISITS

CATEGORIES = ("SEX", "DIAG")
"""Characteristics that are counted; all others are numbers."""


def list_sources(adsl: pd.DataFrame) -> list[str]:
    """Return the sources of cells that were given: those that are known first, then others."""
    given = set(adsl["MSCSRC"]) - {"NOT APPLICABLE"}
    return [s for s in CELL_SOURCES if s in given] + sorted(given - set(CELL_SOURCES))


def derive_groups(trial: Trial) -> dict[str, pd.Series]:
    """Return who belongs to each column of the baseline tables, by name of the group.

    Returns
    -------
    dict
        ALL; each source of cells that was given; COMPLETED (at risk at the last visit) and LEFT.
        Boolean series over the rows of adsl.
    """
    adsl = trial.adsl
    stayed = derive_follow_up(trial)["LASTRISK"] == max(VISITS)
    groups = {"ALL": pd.Series(True, index=adsl.index)}
    groups |= {source: adsl["MSCSRC"] == source for source in list_sources(adsl)}
    return groups | {"COMPLETED": stayed, "LEFT": ~stayed}


def derive_characteristics(trial: Trial, scores: pd.DataFrame) -> pd.DataFrame:
    """Return baseline characteristics, one row a participant in the order of adsl.

    Parameters
    ----------
    trial
        The data set.
    scores
        Score rows in the shape of adlb (`msct_helpers.meld.derive.derive_scores`).

    Returns
    -------
    DataFrame
        AGE, SEX, DIAG and a column for each parameter and score measured at baseline.
    """
    labs = pd.concat([trial.adlb, scores])
    first = labs[labs["AVISITN"] == 0]
    wide = first.pivot(index="USUBJID", columns="PARAMCD", values="AVAL")
    wide = wide.reindex(index=trial.adsl["USUBJID"], columns=first["PARAMCD"].unique())
    people = trial.adsl[["AGE", *CATEGORIES]].fillna(dict.fromkeys(CATEGORIES, UNKNOWN))
    for code in CATEGORIES:
        people[code] = pd.Categorical(people[code], people[code].value_counts().index)
    return pd.concat([people, wide.reset_index(drop=True)], axis=1)


def summarise_baseline(trial: Trial, scores: pd.DataFrame) -> pd.DataFrame:
    """Return baseline characteristics of every group, and differences of those who left.

    Returns
    -------
    DataFrame
        Record. ``group`` with the size of each group of `derive_groups`; ``base`` with n, mean,
        sd, median, q1, q3 of numbers and count, percent of levels (parameter ``SEX=F``);
        ``smd`` with the standardised mean difference, those who left minus those who completed.
    """
    groups = derive_groups(trial)
    people = derive_characteristics(trial, scores)
    units = pd.concat([trial.adlb, scores]).drop_duplicates("PARAMCD").set_index("PARAMCD")["AVALU"]
    rows: list[dict[str, Any]] = []
    for group, members in groups.items():
        rows += make_rows(
            "group",
            {"count": int(members.sum())},
            group=group,
            n=int(members.sum()),
            method="count",
            function="summarise_baseline",
        )
        for code in people:
            unit = "age" if code == "AGE" else str(units.get(code, ""))
            rows += describe_column(people.loc[members, code], str(code), unit, group)
    for code in people:
        rows += compare_column(people[code], groups["COMPLETED"], groups["LEFT"], str(code))
    return make_record(rows)


def describe_column(values: pd.Series, code: str, unit: str, group: str) -> list[dict[str, Any]]:
    """Return the rows of one characteristic in one group."""
    common: dict[str, Any] = {"group": group, "function": "summarise_baseline"}
    if code in CATEGORIES:
        rows = []
        for level, count in values.value_counts(sort=False).items():
            share = 100 * int(count) / len(values) if len(values) else float("nan")
            shown = {"count": int(count), "percent": share}
            rows += make_rows(
                "base",
                shown,
                parameter=f"{code}={level}",
                n=len(values),
                method="count and per cent of the group",
                **common,
            )
        return rows
    known = values.dropna().astype(float)
    return make_rows(
        "base",
        describe_values(known, geometric=False),
        parameter=code,
        unit=unit,
        n=len(known),
        method="all of the group with a value at baseline",
        **common,
    )


def compare_column(
    values: pd.Series, stayed: pd.Series, left: pd.Series, code: str
) -> list[dict[str, Any]]:
    """Return the standardised differences of one characteristic, a row for each level."""
    parts = (
        {f"{code}={level}": (values == level).astype(float) for level in values.cat.categories}
        if code in CATEGORIES
        else {code: values.astype(float)}
    )
    rows = []
    for name, numbers in parts.items():
        value = estimate_smd(numbers[left].dropna(), numbers[stayed].dropna(), code in CATEGORIES)
        rows += make_rows(
            "smd",
            {"smd": value},
            parameter=name,
            unit="SD",
            decimals=2,
            n=int(numbers.notna().sum()),
            method="difference of means, over the root of the mean of the two variances",
            function="estimate_smd",
        )
    return rows


def estimate_smd(one: pd.Series, other: pd.Series, proportion: bool = False) -> float:
    """Return the standardised mean difference of `one` minus `other`.

    Parameters
    ----------
    one, other
        Values of two groups, none missing; 0 and 1 where they make a proportion.
    proportion
        Whether the variance is that of a proportion, p(1 - p).

    Returns
    -------
    float
        Difference in means over the root of the mean of the two variances; NaN where a variance
        cannot be estimated or both are zero.

    Notes
    -----
    Austin, Commun Stat Simul Comput 2009; 38: 1228-1234.
    """
    if not len(one) or not len(other):
        return float("nan")
    spread = [
        g.mean() * (1 - g.mean()) if proportion else (g.var() if len(g) > 1 else float("nan"))
        for g in (one, other)
    ]
    pooled = float(np.sqrt(np.mean(spread)))
    difference = float(one.mean() - other.mean())
    return difference / pooled if pooled > 0 else float("nan")
