"""Who was studied: enrolment, disposition, attendance (ICH E3 section 10.1)."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, name_reason, name_source, upper_first
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import MEASURES, Plan
from msct_helpers.trial.schema import DISCONTINUATION, NO_CELLS

STATES = {"RISK": "Expected", "ATTENDED": "Attended", "MISSED": "Missed", "LEFT": "Left"}
"""What is counted at each visit, and its head."""


def derive_disposition(adsl: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return how each participant's follow-up stood at the end of the horizon.

    Parameters
    ----------
    adsl
        One row a participant; EOSDY, EOSSTT, DCSREAS.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        USUBJID, STATUS (a reason of discontinuation, or IN FOLLOW-UP for whoever was still
        followed when the horizon was over, or FOLLOW-UP ENDED for whoever completed or was
        censored before) and DAYS (days from entry to the event or the end, at most the horizon).
    """
    days, reason = adsl["EOSDY"].to_numpy() - 1, adsl["DCSREAS"]
    completed = (adsl["EOSSTT"] == "COMPLETED") & reason.isna()
    followed = completed | (days > plan.horizon_days)
    status = np.where(followed, "IN FOLLOW-UP", reason.fillna("FOLLOW-UP ENDED").astype(object))
    days = days.clip(max=plan.horizon_days)
    return pd.DataFrame({"USUBJID": adsl["USUBJID"], "STATUS": status, "DAYS": days})


def keeps_counts(trial: Trial) -> bool:
    """Return whether data are synthetic and report all events that the published counts state."""
    if not trial.synthetic or trial.study.statements is None:
        return False
    status = derive_disposition(trial.adsl, trial.plan)["STATUS"]
    return int(status.isin(DISCONTINUATION).sum()) == int(trial.adsl["DCSREAS"].notna().sum())


def derive_follow_up(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return how long each participant could attend visits.

    Whoever attended a visit early, or completed the study, was at risk at that visit.

    Returns
    -------
    DataFrame
        USUBJID, STATUS, DAYS (`derive_disposition`) and LASTRISK: AVISITN of the last visit at
        which the participant was still followed, alive and without transplant.
    """
    status = derive_disposition(trial.adsl, plan)
    days = [visit.day for visit in plan.visits]
    due = np.searchsorted(days, status["DAYS"].clip(lower=0), side="right") - 1
    attended = status["USUBJID"].map(trial.adlb.groupby("USUBJID")["AVISITN"].max()).fillna(0)
    last = np.maximum(np.array(plan.numbers)[due], attended.to_numpy(dtype=int))
    last[status["STATUS"] == "IN FOLLOW-UP"] = plan.last.number
    return status.assign(LASTRISK=last)


def derive_attendance(course: pd.DataFrame, adlb: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return for each visit who was at risk of being seen, who was, and who had left.

    Parameters
    ----------
    course
        `derive_follow_up`.
    adlb
        Measurements.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        AVISITN, AVISIT, RISK, ATTENDED (any measurement), MISSED (at risk, no measurement) and
        LEFT (had died, been transplanted, been lost or been censored): numbers of participants.
    """
    last, numbers = course["LASTRISK"].to_numpy(), np.array(plan.numbers)
    risk = (last[:, None] >= numbers).sum(axis=0)
    seen = adlb.drop_duplicates(["USUBJID", "AVISITN"])["AVISITN"].to_numpy()
    attended = (seen[:, None] == numbers).sum(axis=0)
    return pd.DataFrame(
        {
            "AVISITN": numbers,
            "AVISIT": [visit.name for visit in plan.visits],
            "RISK": risk,
            "ATTENDED": attended,
            "MISSED": risk - attended,
            "LEFT": len(last) - risk,
        }
    )


def derive_exits(course: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return who left between visits: for each visit, how many left before it and why.

    Parameters
    ----------
    course
        `derive_follow_up`.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        AVISITN (the first visit at which they were no longer at risk; missing for who left after
        the last one, within the horizon), STATUS, COUNT; no row where nobody left.
    """
    following = dict(zip(plan.numbers, [*plan.numbers[1:], pd.NA], strict=True))
    left = course[course["STATUS"] != "IN FOLLOW-UP"]
    left = left.assign(AVISITN=left["LASTRISK"].map(following).astype("Int64"))
    counts = left.groupby(["AVISITN", "STATUS"], dropna=False).size()
    return counts.rename("COUNT").reset_index()


def list_splits(
    adsl: pd.DataFrame, status: pd.Series, visits: pd.DataFrame, exits: pd.DataFrame
) -> Iterator[tuple[str, int, int]]:
    """Yield each split of the flow, with the numbers of participants before and after it."""
    gone = exits.groupby("AVISITN")["COUNT"].sum()
    stayed = (status == "IN FOLLOW-UP").sum()
    ended = stayed + exits.loc[exits["AVISITN"].isna(), "COUNT"].sum()
    risk = visits["RISK"].tolist()
    yield "enrolled and expected at baseline", len(adsl), risk[0]
    yield "enrolled and sources of cells", len(adsl), adsl["MSCSRC"].notna().sum()
    yield "left by the last visit", visits["LEFT"].iloc[-1], gone.sum()
    yield "expected at the last visit, and at the end of follow-up or gone", risk[-1], ended
    for before, now in pairwise(visits.itertuples()):
        what = f"expected at {before.AVISIT}, and expected or gone at {now.AVISIT}"
        yield what, before.RISK, now.RISK + gone.get(now.AVISITN, 0)
    for visit in visits.itertuples():
        seen = min(visit.ATTENDED, visit.RISK)
        yield f"attended {visit.AVISIT} and expected then", visit.ATTENDED, seen


def check_flow(
    adsl: pd.DataFrame, status: pd.Series, visits: pd.DataFrame, exits: pd.DataFrame
) -> None:
    """Assert that no participant appears or vanishes at any split of the flow.

    Raises
    ------
    ValueError
        If counts on the two sides of a split differ; says which.
    """
    for what, one, other in list_splits(adsl, status, visits, exits):
        if one != other:
            raise ValueError(f"participant flow, {what}: {one} and {other}; expected equal counts")


def count_statuses(status: pd.Series) -> pd.Series:
    """Return how many ended how: the reasons of the contract first, with zeros, then any other."""
    reasons = [*DISCONTINUATION, "IN FOLLOW-UP", "FOLLOW-UP ENDED"]
    reasons += sorted(set(status) - set(reasons))
    return status.value_counts().reindex(reasons, fill_value=0)


def summarise_disposition(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return counts of enrolment, cell source, outcome at the horizon, attendance and exits.

    Returns
    -------
    DataFrame
        Record with analyses ``enrolled``, ``infused``, ``source``, ``status``, ``visit`` (group
        RISK, ATTENDED, MISSED, LEFT), ``exit`` (by visit and reason), ``set`` and, where known,
        ``assessed``.

    Raises
    ------
    ValueError
        If the counts do not conserve participants (`check_flow`).
    """
    adsl, total = trial.adsl, len(trial.adsl)
    course = derive_follow_up(trial, plan)
    status, exits = course["STATUS"], derive_exits(course, plan)
    visits = derive_attendance(course, trial.adlb, plan)
    check_flow(adsl, status, visits, exits)
    about: dict[str, Any] = {"method": "count", "function": "summarise_disposition"}
    rows = make_rows("enrolled", {"count": total}, n=total, **about)
    if trial.study.assessed is not None:
        known = {"count": trial.study.assessed, "excluded_count": trial.study.assessed - total}
        rows += make_rows("assessed", known, **about)
    infused = int(adsl["TRTSDY"].notna().sum())
    seen = visits.set_index("AVISITN")[list(STATES)]
    counts = [
        ("infused", pd.Series({"YES": infused, "NO": total - infused}), None),
        ("source", adsl["MSCSRC"].value_counts(), None),
        ("status", count_statuses(status), None),
        ("set", (adsl[["FASFL", "SAFFL"]] == "Y").sum(), None),
        *(("visit", own, visit) for visit, own in seen.iterrows()),
    ]
    shares = [(a, str(g), n, visit) for a, own, visit in counts for g, n in own.items()]
    shares += [
        ("exit", e.STATUS, e.COUNT, None if pd.isna(e.AVISITN) else int(e.AVISITN))
        for e in exits.itertuples()
    ]
    about["method"] = "count and per cent of all enrolled"
    for analysis, group, count, visit in shares:
        shown = {"count": int(count), "percent": 100 * int(count) / total}
        rows += make_rows(analysis, shown, group=group, visit=visit, n=total, **about)
    return make_record(rows)


def summarise_completeness(trial: Trial, plan: Plan) -> pd.DataFrame:
    """Return how many participants at risk at each visit have a value of each parameter.

    Returns
    -------
    DataFrame
        Record, analysis ``complete``: count, denominator (at risk) and percent by parameter and
        visit.
    """
    visits = derive_attendance(derive_follow_up(trial, plan), trial.adlb, plan)
    risk = visits.set_index("AVISITN")["RISK"]
    seen = trial.adlb.groupby(["PARAMCD", "AVISITN"]).size()
    rows: list[dict[str, object]] = []
    for code in trial.parameters:
        for visit in plan.numbers:
            count, total = int(seen.get((code, visit), 0)), int(risk[visit])
            share = 100 * count / total if total else float("nan")
            rows += make_rows(
                "complete",
                {"count": count, "denominator": total, "percent": share},
                parameter=code,
                visit=visit,
                n=total,
                method="participants with a value, of those expected at the visit",
                function="summarise_completeness",
            )
    return make_record(rows)


def list_groups(record: pd.DataFrame, analysis: str) -> list[str]:
    """Return the groups of an analysis in the order of the record."""
    return list(record.loc[record["analysis"] == analysis, "group"].unique())


def list_absent(recorded: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Return in words which of the wanted parameters are not recorded, or an empty text."""
    absent = [MEASURES[c].title for c in wanted if c not in recorded]
    absent = [a.replace("international normalised ratio", "INR") for a in absent]
    return f"{join_words(absent)} not recorded" if absent else ""


def list_disposition(record: pd.DataFrame, plan: Plan) -> list[Row]:
    """Return a row for each source of the cells, where any were given, and for each outcome."""
    head, sources = f"Outcome at {plan.horizon}", list_groups(record, "source")
    given = [] if NO_CELLS in sources else sources
    rows = [Row(("Cell source", name_source(s)), "source", group=s) for s in given]
    statuses = list_groups(record, "status")
    return rows + [Row((head, name_reason(g, plan)), "status", group=g) for g in statuses]


ATTENDANCE_COLUMNS: dict[str, Cell] = {
    f"{head}, n (%)": f"{{visit.count@{state}}} ({{visit.percent@{state}}})"
    for state, head in STATES.items()
}


def list_recorded(record: pd.DataFrame) -> list[Row]:
    """Return a row for each parameter of `summarise_completeness`."""
    codes = record["parameter"].unique()
    return [Row((upper_first(MEASURES[code].title),), "complete", code) for code in codes]


def completeness_columns(plan: Plan) -> dict[str, Cell]:
    """Return a column for each visit: participants with a value, of those at risk."""

    def at(visit: int) -> Cell:
        return lambda row: " of ".join(
            ref("complete", s, row.parameter, visit) for s in ("count", "denominator")
        )

    return {visit.name: at(visit.number) for visit in plan.visits}
