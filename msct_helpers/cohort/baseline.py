"""Baseline characteristics by group, and how those who left differ from those who stayed.

ICH E3 section 11.2. No test compares groups: whoever left is compared by standardised difference.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import (
    UNKNOWN,
    join_words,
    name_level,
    name_source,
    name_unit,
    upper_first,
)
from msct_helpers.cohort.population import derive_follow_up
from msct_helpers.stats.estimate import describe_values
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import MEASURES, Plan
from msct_helpers.trial.schema import AGE, CELL_SOURCES, NO_CELLS

CATEGORIES = {"SEX": "Sex", "DIAG": "Diagnosis"}
"""Characteristics that are counted, and their heads; all others are numbers."""

GROUP_NAMES = {
    "ALL": "All",
    "COMPLETED": "Stayed",
    "EVENT": "Died or transplanted",
    "LOST": "Left otherwise",
}

APART = 0.5
"""Standardised difference from which those who left are said to differ."""


def list_sources(adsl: pd.DataFrame) -> list[str]:
    """Return the sources of cells that were given: those that are known first, then others."""
    given = set(adsl["MSCSRC"]) - {NO_CELLS}
    return [s for s in CELL_SOURCES if s in given] + sorted(given - set(CELL_SOURCES))


def derive_groups(trial: Trial, plan: Plan) -> dict[str, pd.Series]:
    """Return who belongs to each column of the baseline tables, by name of the group.

    Returns
    -------
    dict
        ALL; each source of cells that was given; COMPLETED (expected at the last visit), and of
        who left before it EVENT (died or transplanted) and LOST (for another reason). Boolean
        series over the rows of adsl.
    """
    adsl = trial.adsl
    course = derive_follow_up(trial, plan)
    stayed = course["LASTRISK"] == plan.last.number
    event = ~stayed & course["STATUS"].isin(["DEATH", "LIVER TRANSPLANT"])
    groups = {"ALL": pd.Series(True, index=adsl.index)}
    groups |= {source: adsl["MSCSRC"] == source for source in list_sources(adsl)}
    return groups | {"COMPLETED": stayed, "EVENT": event, "LOST": ~stayed & ~event}


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


def summarise_baseline(trial: Trial, scores: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return baseline characteristics of every group, and differences of those who left.

    Returns
    -------
    DataFrame
        Record. ``group`` with the size of each group of `derive_groups`; ``base`` with n, mean,
        sd, median, q1, q3 of numbers and count, percent of levels (parameter ``SEX=F``);
        ``smd`` with the standardised mean difference, EVENT and LOST minus COMPLETED.
    """
    groups = derive_groups(trial, plan)
    people = derive_characteristics(trial, scores)
    units = pd.concat([trial.adlb, scores]).drop_duplicates("PARAMCD").set_index("PARAMCD")["AVALU"]
    about: dict[str, Any] = {"method": "count", "function": "summarise_baseline"}
    rows: list[dict[str, Any]] = []
    for group, members in groups.items():
        size = int(members.sum())
        rows += make_rows("group", {"count": size}, group=group, n=size, **about)
        for code in people:
            unit = "age" if code == "AGE" else str(units.get(code, ""))
            rows += describe_column(people.loc[members, code], str(code), unit, group)
    for code in map(str, people):
        for group in ("EVENT", "LOST"):
            rows += compare_column(people[code], groups["COMPLETED"], groups[group], code, group)
    return make_record(rows)


def describe_column(values: pd.Series, code: str, unit: str, group: str) -> list[dict[str, Any]]:
    """Return the rows of one characteristic in one group."""
    about: dict[str, Any] = {"group": group, "function": "summarise_baseline"}
    if code not in CATEGORIES:
        known = values.dropna().astype(float)
        shown = describe_values(known, geometric=False)
        about["method"] = "all of the group with a value at baseline"
        return make_rows("base", shown, parameter=code, unit=unit, n=len(known), **about)
    rows, total = [], len(values)
    about["method"] = "count and per cent of the group"
    for level, count in values.value_counts(sort=False).items():
        share = 100 * int(count) / total if total else float("nan")
        shown = {"count": int(count), "percent": share}
        rows += make_rows("base", shown, parameter=f"{code}={level}", n=total, **about)
    return rows


def compare_column(
    values: pd.Series, stayed: pd.Series, left: pd.Series, code: str, group: str
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
            group=group,
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


def name_characteristic(parameter: str, unit: str) -> str:
    """Return a baseline characteristic as a row's head."""
    variable, _, level = parameter.partition("=")
    if variable in CATEGORIES:
        return f"{CATEGORIES[variable]}: {name_level(variable, level)}"
    if variable == "AGE":
        return AGE
    known = f",{name_unit(unit)}" if name_unit(unit) else ""
    return upper_first(MEASURES[variable].title) + known


def list_characteristics(record: pd.DataFrame, groups: Sequence[str] | None = None) -> list[Row]:
    """Return a row for each baseline characteristic.

    Parameters
    ----------
    record
        Record of `summarise_baseline`.
    groups
        Groups to be seen beside each other: there is no row if they are fewer than two, or if one
        of them is empty.
    """
    size = record[record["analysis"] == "group"].set_index("group")["value"]
    if groups is not None and (len(groups) < 2 or not size[list(groups)].all()):
        return []
    own = record[(record["analysis"] == "base") & (record["group"] == "ALL")]
    own = own[own["statistic"].isin(["mean", "count"])]
    return [
        Row((name_characteristic(parameter, unit),), "base", parameter)
        for parameter, unit in zip(own["parameter"], own["unit"], strict=True)
    ]


def show_group(group: str) -> Cell:
    """Return a column of a group: mean (SD) of numbers, n (%) of what is counted."""

    def fill(row: Row) -> str:
        statistics = ("count", "percent") if "=" in row.parameter else ("mean", "sd")
        first, second = (ref("base", s, row.parameter, group=group) for s in statistics)
        return f"{first} ({second})"

    return fill


def count_known(row: Row) -> str:
    """Return of how many a characteristic is known; blanks are a level of what is counted."""
    return ref("group", "count", group="ALL") if "=" in row.parameter else "{n@ALL}"


def head_group(group: str) -> str:
    """Return the head of a group's column, with its size."""
    name = upper_first(GROUP_NAMES.get(group) or name_source(group))
    return f"{name}, n = {ref('group', 'count', group=group)}"


BASELINE_COLUMNS: dict[str, Cell] = {
    "n": count_known,
    "Mean (SD) or n (%)": show_group("ALL"),
    "Median (quartiles)": "{median@ALL} ({q1@ALL} to {q3@ALL})",
}


def group_columns(groups: Sequence[str]) -> dict[str, Cell]:
    """Return a column for each group."""
    return {head_group(group): show_group(group) for group in groups}


def list_leavers(record: pd.DataFrame) -> list[str]:
    """Return the groups, of those who stayed and those who left in one way, that have anybody."""
    size = record[record["analysis"] == "group"].set_index("group")["value"]
    return [group for group in ("COMPLETED", "EVENT", "LOST") if size[group]]


def difference_columns(groups: Sequence[str]) -> dict[str, Cell]:
    """Return the columns of the standardised differences of who left in a way."""
    short = {"EVENT": "Difference, died or transplanted", "LOST": "Difference, left otherwise"}
    return {short[g]: f"{{smd.smd@{g}}}" for g in groups if g in short}


def say_leavers(record: pd.DataFrame, who: str = "participants") -> str:
    """Return in which characteristics those who left, by reason, differed from those who stayed."""
    size = record[record["analysis"] == "group"].set_index("group")["value"]
    if not size["COMPLETED"] or size["COMPLETED"] == size["ALL"]:
        left = "Nobody left" if size["COMPLETED"] else "Everybody left"
        return f"{left} before the last visit: there are no groups to compare."
    parts = [say_group(record, group) for group in ("EVENT", "LOST") if size[group]]
    return (
        f"Of {ref('group', 'count', group='ALL')} {who} "
        f"{ref('group', 'count', group='COMPLETED')} stayed to the last visit. {' '.join(parts)} "
        "Some differences arise by chance, and no test is made; but where the sicker die, later "
        "means look better. Whoever only missed a visit is counted among those who stayed."
    )


SAME = {"MELDNA": "MELD", "MELD3": "MELD"}
"""Scores that are versions of another one: a sentence names the one that differs most."""


def say_group(record: pd.DataFrame, group: str) -> str:
    """Return in what those who left in one way differed most from those who stayed, at baseline."""
    own = record[(record["analysis"] == "smd") & (record["group"] == group)]
    # Prothrombin time and INR are one measurement.
    same = own["parameter"].eq("INR") & (own["parameter"] == "PT").any()
    own = own[~own["parameter"].str.contains("=") & ~same]
    own = own.assign(size=own["value"].abs()).sort_values("size", ascending=False)
    own = own[~own["parameter"].replace(SAME).duplicated()]
    apart = own[own["size"] >= APART].head(3)
    who = "died or were transplanted" if group == "EVENT" else "left for another reason"
    head = f"{ref('group', 'count', group=group)} {who}; at baseline"
    if apart.empty:
        return f"{head} no measured value of theirs differed by half a standard deviation."
    parts = [
        f"{'age' if c == 'AGE' else MEASURES[c].title} "
        f"({'higher' if value > 0 else 'lower'} by "
        f"{ref('smd', 'smd', c, group=group, unsigned=True)} standard deviations)"
        for c, value in zip(apart["parameter"], apart["value"], strict=True)
    ]
    return f"{head} they differed most in {join_words(parts)}."
