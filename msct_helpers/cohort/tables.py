"""Display tables of the cohort chapter: text only, taken from the record."""

from typing import Any

import pandas as pd

from msct_helpers.abstract.published import GROUPS
from msct_helpers.ard.results import make_id, ref
from msct_helpers.book.layout import unbroken
from msct_helpers.book.tables import n_percent, name_parameter
from msct_helpers.book.words import name_level, name_reason, name_source, upper_first
from msct_helpers.cohort.baseline import CATEGORIES
from msct_helpers.cohort.survival import CAUSES
from msct_helpers.trial.schema import PARAMETERS, VISITS

HEADS = {"SEX": "Sex", "DIAG": "Diagnosis"}
GROUP_NAMES = {"ALL": "All", "COMPLETED": "Completed", "LEFT": "Left"}


def table_disposition(record: pd.DataFrame) -> pd.DataFrame:
    """Return cell source and outcome at two years as n (%)."""
    rows = []
    heads = {"source": "Cell source", "status": "Outcome at two years"}
    if record["id"].eq("source.not-applicable.count").any():
        del heads["source"]
    for analysis, head in heads.items():
        name = name_source if analysis == "source" else name_reason
        for group in record.loc[record["analysis"] == analysis, "group"].unique():
            rows.append((head, name(group), n_percent(analysis, group)))
    out = pd.DataFrame(rows, columns=["Item", "Group", "Participants, n (%)"])
    return out.assign(Item=out["Item"].mask(out["Item"].duplicated(), ""))


def table_attendance() -> pd.DataFrame:
    """Return who was at risk, seen, missing and gone at each visit as n (%) of all enrolled."""
    groups = ("RISK", "ATTENDED", "MISSED", "LEFT")
    rows = [
        (unbroken(visit), *(n_percent("visit", g, month) for g in groups))
        for month, visit in VISITS.items()
    ]
    heads = ["Visit", "At risk, n (%)", "Attended, n (%)", "Missed, n (%)", "Left, n (%)"]
    return pd.DataFrame(rows, columns=heads)


def table_completeness(record: pd.DataFrame) -> pd.DataFrame:
    """Return how many of those at risk have a value of each parameter at each visit."""
    rows = []
    for code in record["parameter"].unique():
        cells = [
            unbroken(
                f"{ref('complete', 'count', code, month)} of "
                f"{ref('complete', 'denominator', code, month)}"
            )
            for month in VISITS
        ]
        rows.append((upper_first(PARAMETERS[code].title), *cells))
    return pd.DataFrame(rows, columns=["Parameter", *VISITS.values()])


def list_characteristics(record: pd.DataFrame) -> list[tuple[str, str]]:
    """Return parameter and unit of every baseline characteristic, in the order of the record."""
    own = record[(record["analysis"] == "base") & (record["group"] == "ALL")]
    own = own[own["statistic"].isin(["mean", "count"])]
    own = own.drop_duplicates("parameter")
    return list(zip(own["parameter"], own["unit"], strict=True))


def name_characteristic(parameter: str, unit: str, names: dict[str, str]) -> str:
    """Return a baseline characteristic as a row's head."""
    variable, _, level = parameter.partition("=")
    if variable in CATEGORIES:
        return f"{HEADS[variable]}: {name_level(variable, level)}"
    return upper_first(name_parameter(parameter, unit, names))


def show_characteristic(parameter: str, group: str) -> str:
    """Return mean (SD) or n (%) of a characteristic in a group."""
    if "=" in parameter:
        return unbroken(n_percent("base", group, parameter=parameter))
    at: dict[str, Any] = {"parameter": parameter, "group": group}
    return unbroken(f"{ref('base', 'mean', **at)} ({ref('base', 'sd', **at)})")


def table_baseline(record: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return baseline characteristics of all: n, mean (SD) or n (%), median (quartiles).

    Parameters
    ----------
    record
        Record of `msct_helpers.cohort.baseline.summarise_baseline`.
    names
        Name of each score by its code.
    """
    rows = []
    for parameter, unit in list_characteristics(record):
        at: dict[str, Any] = {"parameter": parameter, "group": "ALL"}
        number = "=" not in parameter
        low, high = (ref("base", q, **at) for q in ("q1", "q3"))
        median = f"{ref('base', 'median', **at)} ({low} to {high})"
        rows.append(
            (
                name_characteristic(parameter, unit, names),
                ref("base", "n", **at) if number else ref("group", "count", group="ALL"),
                show_characteristic(parameter, "ALL"),
                unbroken(median) if number else "",
            )
        )
    columns = ["Characteristic", "n", "Mean (SD) or n (%)", "Median (quartiles)"]
    return pd.DataFrame(rows, columns=columns)


def table_groups(
    record: pd.DataFrame, names: dict[str, str], groups: list[str], smd: bool = False
) -> pd.DataFrame:
    """Return baseline characteristics of groups side by side, mean (SD) or n (%).

    Parameters
    ----------
    record, names
        As in `table_baseline`.
    groups
        Columns, by name of the group.
    smd
        Whether to add the standardised difference of who left and who completed.
    """
    rows = []
    for parameter, unit in list_characteristics(record):
        cells = [show_characteristic(parameter, group) for group in groups]
        if smd:
            cells.append(ref("smd", "smd", parameter))
        rows.append((name_characteristic(parameter, unit, names), *cells))
    heads = [
        f"{upper_first(GROUP_NAMES.get(g) or name_source(g))}, n = {ref('group', 'count', group=g)}"
        for g in groups
    ]
    return pd.DataFrame(
        rows, columns=["Characteristic", *heads, *(["Standardised difference"] if smd else [])]
    )


def table_survival(record: pd.DataFrame) -> pd.DataFrame:
    """Return transplant-free survival and the incidence of each event at each visit.

    Parameters
    ----------
    record
        Record of `msct_helpers.cohort.survival.summarise_survival`.
    """
    known = record.dropna(subset="value")["id"].tolist()
    rows = []
    for month in (m for m in VISITS if m):
        cells = []
        for analysis, group in (("tfs", ""), *(("cif", cause) for cause in CAUSES)):
            at: dict[str, Any] = {"visit": month, "group": group}
            low, high = (ref(analysis, f"percent_{s}", **at) for s in ("low", "high"))
            estimated = make_id(analysis, "percent_low", **at) in known
            interval = f" ({low} to {high})" if estimated else ""
            cells.append(unbroken(f"{ref(analysis, 'percent', **at)}{interval}"))
        naive = ref("naive", "percent", visit=month, group="DEATH")
        rows.append((str(month), ref("tfs", "risk_count", visit=month), *cells, naive))
    heads = ["Month", "At risk, n", "Transplant-free survival, % (95% CI)"]
    heads += ["Death, % (95% CI)", "Transplant, % (95% CI)", "Death by 1 − Kaplan-Meier, %"]
    return pd.DataFrame(rows, columns=heads)


def show_interval(analysis: str, group: str) -> tuple[str, str, str]:
    """Return count of denominator, per cent and exact interval of a group."""
    low, high = (ref(analysis, f"percent_{s}", group=group) for s in ("low", "high"))
    count = f"{ref(analysis, 'count', group=group)} of {ref(analysis, 'denominator', group=group)}"
    return unbroken(count), ref(analysis, "percent", group=group), unbroken(f"{low} to {high}")


def table_bounds() -> pd.DataFrame:
    """Return two-year risks if all of the lost lived, and if all of them died."""
    rows = [
        ("Died", "all alive without transplant", *show_interval("bound", "DEATH ALIVE")),
        ("Died", "all dead", *show_interval("bound", "DEATH DEAD")),
        (
            "Died or transplanted",
            "all alive without transplant",
            *show_interval("bound", "EVENT ALIVE"),
        ),
        ("Died or transplanted", "all dead", *show_interval("bound", "EVENT DEAD")),
    ]
    heads = ["Event", "If the lost were", "Participants", "Per cent", "Exact 95% CI, %"]
    return pd.DataFrame(rows, columns=heads)


def table_published() -> pd.DataFrame:
    """Return the published counts and their combinations with exact intervals."""
    rows = [
        (upper_first(name), *show_interval("published", group)) for group, name in GROUPS.items()
    ]
    return pd.DataFrame(rows, columns=["Event", "Patients", "Per cent", "Exact 95% CI, %"])
