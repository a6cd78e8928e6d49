"""Who was studied: enrolment, disposition, attendance and baseline (ICH E3 sections 10.1, 11.2)."""

import pandas as pd

from msct_helpers.load import Trial
from msct_helpers.results import make_record, make_rows, ref
from msct_helpers.schema import DISCONTINUATION, HORIZON_DAYS, PARAMETERS, VISITS
from msct_helpers.words import join_words

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


def derive_attendance(trial: Trial) -> pd.DataFrame:
    """Return for each visit who was seen (any measurement) and who was still followed.

    Returns
    -------
    DataFrame
        AVISITN, AVISIT, SEEN, FOLLOWED, LEFT: numbers of participants; LEFT had died, been
        transplanted, been lost or been censored before the visit was due.
    """
    disposition = derive_disposition(trial.adsl)
    rows = []
    for month, visit in VISITS.items():
        seen = set(trial.adlb.loc[trial.adlb["AVISITN"] == month, "USUBJID"])
        still = disposition["DAYS"] >= VISIT_DAYS[month]
        followed = int((still | disposition["USUBJID"].isin(seen)).sum())
        rows.append((month, visit, len(seen), followed, len(disposition) - followed))
    return pd.DataFrame(rows, columns=["AVISITN", "AVISIT", "SEEN", "FOLLOWED", "LEFT"])


def derive_exits(trial: Trial) -> pd.DataFrame:
    """Return who left between visits: for each visit, how many left before it and why.

    Returns
    -------
    DataFrame
        AVISITN (the first visit at which they were no longer followed), STATUS, COUNT; no row
        where nobody left.
    """
    disposition = derive_disposition(trial.adsl)
    last = trial.adlb.groupby("USUBJID")["AVISITN"].max()
    seen_last = disposition["USUBJID"].map(last).fillna(-1)
    months = pd.Series(VISIT_DAYS)
    gone = [
        next((m for m, due in months.items() if days < due and m > seen), None)
        for days, seen in zip(disposition["DAYS"], seen_last, strict=True)
    ]
    left = disposition.assign(AVISITN=pd.array(gone, dtype="Int64")).dropna(subset="AVISITN")
    return left.groupby(["AVISITN", "STATUS"]).size().rename("COUNT").reset_index()


def summarise_disposition(trial: Trial) -> pd.DataFrame:
    """Return counts of enrolment, cell source, outcome at two years and attendance.

    Returns
    -------
    DataFrame
        Record with analyses ``enrolled``, ``source``, ``status`` and ``visit``.
    """
    adsl, total = trial.adsl, len(trial.adsl)
    rows = make_rows(
        "enrolled", {"count": total}, n=total, method="count", function="summarise_disposition"
    )
    status = derive_disposition(adsl)["STATUS"]
    reasons = [*DISCONTINUATION, "IN FOLLOW-UP", "FOLLOW-UP ENDED"]
    groups = {
        "source": adsl["MSCSRC"].value_counts(),
        "status": status.value_counts().reindex(reasons, fill_value=0),
    }
    for analysis, counts in groups.items():
        for group, count in counts.items():
            rows += _share(analysis, str(group), int(count), total)
    for visit in derive_attendance(trial).itertuples():
        for group in ("SEEN", "FOLLOWED", "LEFT"):
            rows += _share("visit", group, int(getattr(visit, group)), total, visit.AVISITN)
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


def summarise_baseline(trial: Trial, scores: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return baseline characteristics of all who were enrolled.

    Parameters
    ----------
    trial
        The data set.
    scores
        Score rows in the shape of adlb (`msct_helpers.meld.derive_scores`), if any.

    Returns
    -------
    DataFrame
        Record: ``base`` with n, mean, sd, median, q1, q3 of numbers; count and per cent of groups.
    """
    adsl = trial.adsl
    rows = _numbers("AGE", adsl["AGE"], "age")
    for variable in ("SEX", "DIAG"):
        for level, count in adsl[variable].fillna("NOT RECORDED").value_counts().items():
            rows += make_rows(
                "base",
                {"count": int(count), "percent": 100 * int(count) / len(adsl)},
                parameter=variable,
                group=str(level),
                n=len(adsl),
                method="count and per cent of all enrolled",
                function="summarise_baseline",
            )
    labs = trial.adlb if scores is None else pd.concat([trial.adlb, scores])
    first = labs[labs["AVISITN"] == 0]
    for code, values in first.groupby("PARAMCD", sort=False):
        rows += _numbers(str(code), values["AVAL"], str(values["AVALU"].iloc[0]))
    return make_record(rows)


def _numbers(code: str, values: pd.Series, unit: str) -> list[dict[str, object]]:
    known = values.dropna()
    statistics = {
        "n": float(len(known)),
        "mean": float(known.mean()),
        "sd": float(known.std()),
        "median": float(known.median()),
        "q1": float(known.quantile(0.25)),
        "q3": float(known.quantile(0.75)),
    }
    return make_rows(
        "base",
        statistics,
        parameter=code,
        unit=unit,
        n=len(known),
        method="all with a value at baseline",
        function="summarise_baseline",
    )


def say_enrolment(trial: Trial) -> str:
    """Return the answer of the chapter: who was enrolled, and how many were seen at the end."""
    last = max(VISITS)

    def count(group: str) -> str:
        return ref("status", "count", group=group)

    sources = [s for s in trial.adsl["MSCSRC"].unique() if s != "NOT APPLICABLE"]
    cells = join_words([f"{ref('source', 'count', group=s)} {s.lower()}" for s in sources])
    given = (
        f"They received mesenchymal stem cells ({cells})."
        if cells
        else ("None of them received mesenchymal stem cells.")
    )
    return (
        f"{ref('enrolled', 'count')} participants were enrolled. {given} Within two years "
        f"the first event was death in {count('DEATH')}, liver transplant in "
        f"{count('LIVER TRANSPLANT')}, and {count('LOST TO FOLLOW-UP')} were lost to follow-up. At "
        f"{last} months {ref('visit', 'count', visit=last, group='SEEN')} were seen "
        f"({ref('visit', 'percent', visit=last, group='SEEN')}%)."
    )


def list_absent(recorded: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    """Return in words which of the wanted parameters are not recorded, or an empty text."""
    absent = [PARAMETERS[c].name for c in wanted if c not in recorded]
    absent = [
        a if a.isupper() else a.replace("international normalised ratio", "INR") for a in absent
    ]
    return f"{join_words(absent)} not recorded" if absent else ""
