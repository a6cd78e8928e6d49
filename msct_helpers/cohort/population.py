"""Who was studied: enrolment, disposition, attendance and baseline (ICH E3 sections 10.1, 11.2)."""

from itertools import pairwise

import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.words import join_words, name_source
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import DISCONTINUATION, HORIZON_DAYS, PARAMETERS, VISITS

VISIT_DAYS = {0: 0, 6: 183, 12: 365, 24: HORIZON_DAYS}
"""Days since entry at which each visit is due."""


def derive_disposition(adsl: pd.DataFrame) -> pd.DataFrame:
    """Return how each participant's follow-up stood at the end of the two years.

    Parameters
    ----------
    adsl
        One row a participant; EOSDY, DCSREAS.

    Returns
    -------
    DataFrame
        USUBJID, STATUS (a reason of discontinuation, or IN FOLLOW-UP for whoever was still
        followed when two years were over, or FOLLOW-UP ENDED for whoever completed or was
        censored before) and DAYS (days from entry to the event or the end, at most 731).
    """
    days = adsl["EOSDY"] - 1
    status = adsl["DCSREAS"].fillna("FOLLOW-UP ENDED").astype(object)
    completed = (days > HORIZON_DAYS) | ((adsl["EOSSTT"] == "COMPLETED") & adsl["DCSREAS"].isna())
    status = status.mask(completed, "IN FOLLOW-UP")
    return pd.DataFrame(
        {"USUBJID": adsl["USUBJID"], "STATUS": status, "DAYS": days.clip(upper=HORIZON_DAYS)}
    )


def derive_follow_up(trial: Trial) -> pd.DataFrame:
    """Return how long each participant could attend visits.

    Whoever attended a visit early, or completed the study, was at risk at that visit.

    Returns
    -------
    DataFrame
        USUBJID, STATUS, DAYS (`derive_disposition`), MSCSRC and LASTRISK: the last visit (month)
        at which the participant was still followed, alive and without transplant.
    """
    adsl, status = trial.adsl, derive_disposition(trial.adsl)
    attended = status["USUBJID"].map(trial.adlb.groupby("USUBJID")["AVISITN"].max())
    days = status["DAYS"].clip(lower=0)
    due = days.map(lambda day: max(m for m, d in VISIT_DAYS.items() if d <= day))
    last = (
        attended.astype(float)
        .fillna(0)
        .combine(due, max)
        .mask(status["STATUS"] == "IN FOLLOW-UP", max(VISITS))
    )
    return status.assign(MSCSRC=adsl["MSCSRC"], LASTRISK=last.astype(int))


def derive_attendance(trial: Trial) -> pd.DataFrame:
    """Return for each visit who was at risk of being seen, who was, and who had left.

    Returns
    -------
    DataFrame
        AVISITN, AVISIT, RISK, ATTENDED (any measurement), MISSED (at risk, no measurement) and
        LEFT (had died, been transplanted, been lost or been censored): numbers of participants.
    """
    last = derive_follow_up(trial)["LASTRISK"]
    rows = []
    for month, visit in VISITS.items():
        attended = trial.adlb.loc[trial.adlb["AVISITN"] == month, "USUBJID"].nunique()
        risk = int((last >= month).sum())
        rows.append((month, visit, risk, attended, risk - attended, len(last) - risk))
    return pd.DataFrame(rows, columns=["AVISITN", "AVISIT", "RISK", "ATTENDED", "MISSED", "LEFT"])


def derive_exits(trial: Trial) -> pd.DataFrame:
    """Return who left between visits: for each visit, how many left before it and why.

    Returns
    -------
    DataFrame
        AVISITN (the first visit at which they were no longer at risk; missing for who left after
        the last one, within two years), STATUS, COUNT; no row where nobody left.
    """
    course = derive_follow_up(trial)
    following = dict(zip(VISITS, [*list(VISITS)[1:], pd.NA], strict=True))
    left = course[course["STATUS"] != "IN FOLLOW-UP"]
    left = left.assign(AVISITN=left["LASTRISK"].map(following).astype("Int64"))
    grouped = left.groupby(["AVISITN", "STATUS"], dropna=False)
    return grouped.size().rename("COUNT").reset_index()


def check_flow(trial: Trial) -> None:
    """Assert that no participant appears or vanishes at any split of the flow.

    Raises
    ------
    ValueError
        If counts on the two sides of a split differ; says which.
    """
    visits, exits = derive_attendance(trial), derive_exits(trial)
    total = len(trial.adsl)
    gone = exits.groupby("AVISITN")["COUNT"].sum()
    sources = trial.adsl["MSCSRC"].value_counts().sum()
    stayed = (derive_disposition(trial.adsl)["STATUS"] == "IN FOLLOW-UP").sum()
    ended = stayed + exits.loc[exits["AVISITN"].isna(), "COUNT"].sum()
    splits = [
        ("enrolled and at risk at baseline", total, visits["RISK"].iloc[0]),
        ("enrolled and sources of cells", total, sources),
        ("left by the last visit", visits["LEFT"].iloc[-1], gone.sum()),
        ("at risk at the last visit, and at two years or gone", visits["RISK"].iloc[-1], ended),
    ]
    for before, now in pairwise(visits.itertuples()):
        what = f"at risk at {before.AVISIT}, and at risk or gone at {now.AVISIT}"
        splits.append((what, before.RISK, now.RISK + gone.get(now.AVISITN, 0)))
    for visit in visits.itertuples():
        seen = min(visit.ATTENDED, visit.RISK)
        splits.append((f"attended {visit.AVISIT} and at risk then", visit.ATTENDED, seen))
    for what, one, other in splits:
        if one != other:
            raise ValueError(f"participant flow, {what}: {one} and {other}; expected equal counts")


def summarise_disposition(trial: Trial) -> pd.DataFrame:
    """Return counts of enrolment, cell source, outcome at two years, attendance and exits.

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
    check_flow(trial)
    adsl, total = trial.adsl, len(trial.adsl)
    rows = make_rows(
        "enrolled", {"count": total}, n=total, method="count", function="summarise_disposition"
    )
    if trial.study.assessed is not None:
        known: dict[str, float] = {"count": trial.study.assessed}
        known["excluded_count"] = trial.study.assessed - total
        rows += make_rows("assessed", known, method="count", function="summarise_disposition")
    status = derive_disposition(adsl)["STATUS"]
    reasons = [*DISCONTINUATION, "IN FOLLOW-UP", "FOLLOW-UP ENDED"]
    reasons += sorted(set(status) - set(reasons))
    infused = adsl["TRTSDY"].notna()
    groups = {
        "infused": pd.Series({"YES": infused.sum(), "NO": (~infused).sum()}),
        "source": adsl["MSCSRC"].value_counts(),
        "status": status.value_counts().reindex(reasons, fill_value=0),
        "set": pd.Series({f: (adsl[f] == "Y").sum() for f in ("FASFL", "SAFFL")}),
    }
    for analysis, counts in groups.items():
        for group, count in counts.items():
            rows += _share(analysis, str(group), int(count), total)
    for visit in derive_attendance(trial).itertuples():
        for group in ("RISK", "ATTENDED", "MISSED", "LEFT"):
            rows += _share("visit", group, int(getattr(visit, group)), total, visit.AVISITN)
    for leaving in derive_exits(trial).itertuples():
        month = None if pd.isna(leaving.AVISITN) else int(leaving.AVISITN)
        rows += _share("exit", leaving.STATUS, int(leaving.COUNT), total, month)
    return make_record(rows)


def _share(
    analysis: str, group: str, count: int, total: int, visit: int | None = None
) -> list[dict[str, object]]:
    return make_rows(
        analysis,
        {"count": count, "percent": 100 * count / total},
        group=group,
        visit=visit,
        n=total,
        method="count and per cent of all enrolled",
        function="summarise_disposition",
    )


def summarise_completeness(trial: Trial) -> pd.DataFrame:
    """Return how many participants at risk at each visit have a value of each parameter.

    Returns
    -------
    DataFrame
        Record, analysis ``complete``: count, denominator (at risk) and percent by parameter and
        visit.
    """
    risk = derive_attendance(trial).set_index("AVISITN")["RISK"]
    rows: list[dict[str, object]] = []
    for code in trial.parameters:
        own = trial.adlb[trial.adlb["PARAMCD"] == code]
        for month in VISITS:
            count, total = int((own["AVISITN"] == month).sum()), int(risk[month])
            share = 100 * count / total if total else float("nan")
            rows += make_rows(
                "complete",
                {"count": count, "denominator": total, "percent": share},
                parameter=code,
                visit=month,
                n=total,
                method="participants with a value, of those at risk at the visit",
                function="summarise_completeness",
            )
    return make_record(rows)


def say_enrolment(trial: Trial) -> str:
    """Return who was enrolled, what ended follow-up, and how many were seen at the end."""
    last = max(VISITS)

    def count(group: str) -> str:
        return ref("status", "count", group=group)

    sources = [s for s in trial.adsl["MSCSRC"].unique() if s != "NOT APPLICABLE"]
    cells = join_words([f"{ref('source', 'count', group=s)} {name_source(s)}" for s in sources])
    given = (
        f"They received mesenchymal stem cells ({cells})."
        if cells
        else ("None of them received mesenchymal stem cells.")
    )
    total = len(trial.adsl)
    who = f"{ref('enrolled', 'count')} participant{'s were' if total != 1 else ' was'} enrolled."
    return (
        f"{who} {given} Within two years "
        f"the first event was death in {count('DEATH')}, liver transplant in "
        f"{count('LIVER TRANSPLANT')}, and {count('LOST TO FOLLOW-UP')} were lost to follow-up. At "
        f"{last} months {ref('visit', 'count', visit=last, group='RISK')} were still at risk and "
        f"{ref('visit', 'count', visit=last, group='ATTENDED')} were seen "
        f"({ref('visit', 'percent', visit=last, group='ATTENDED')}% of all)."
    )


def list_absent(recorded: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Return in words which of the wanted parameters are not recorded, or an empty text."""
    absent = [PARAMETERS[c].title for c in wanted if c not in recorded]
    absent = [
        a if a.isupper() else a.replace("international normalised ratio", "INR") for a in absent
    ]
    return f"{join_words(absent)} not recorded" if absent else ""
