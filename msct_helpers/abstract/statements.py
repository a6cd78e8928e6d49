"""Test the published statements about the trial on the results of a data set."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from msct_helpers.ard.results import make_id
from msct_helpers.cohort.population import list_absent, summarise_disposition
from msct_helpers.efficacy.change import summarise_change
from msct_helpers.meld.derive import derive_scores
from msct_helpers.safety.safety import summarise_safety
from msct_helpers.trial.load import Trial, load_statements
from msct_helpers.trial.parameters import MEASURES
from msct_helpers.trial.plan import Plan, Visit, to_days

CHANGES = ("direction", "significance")
"""Kinds of statement that speak of a change from baseline."""

VERDICTS = ("holds", "holds only as observed", "holds only among pairs", "does not hold")
"""Verdicts on statements that the data can test."""

WORDS = {
    "treated": dict(zip(VERDICTS, VERDICTS, strict=True)),
    "synthetic": {
        "holds": "built in",
        "holds only as observed": "built in only as observed",
        "holds only among pairs": "built in only among pairs",
        "does not hold": "not built in",
    },
    "untreated": {
        "holds": "seen too",
        "holds only as observed": "seen too, only as observed",
        "holds only among pairs": "seen too, only among pairs",
        "does not hold": "not seen in this cohort",
    },
}
"""Words for each verdict by kind of data: only patients who were infused could have said otherwise.
"""

HEADS = {
    "treated": "Verdict on these data",
    "synthetic": "Built into these data",
    "untreated": "Seen in these patients",
}
"""Heads of the columns in which these words stand."""

NOT_TESTABLE = "design, not testable"
WEIGHED = "weighed, no verdict"

NEAR_DAYS = 7
"""A planned visit is that of a statement if it is due within so many days of it (assumed)."""

COUNTED = {
    "N1": make_id("enrolled", "count"),
    "N2": make_id("source", "count", group="UMBILICAL CORD"),
    "N3": make_id("status", "count", group="DEATH"),
    "N4": make_id("status", "count", group="LIVER TRANSPLANT"),
    "N5": make_id("status", "count", group="LOST TO FOLLOW-UP"),
    "S1": make_id("risk", "count", group="SERIOUS 24H"),
}
"""Result of the data that answers each published count."""

OTHER_CELLS = {"CORD BLOOD": 2, "BONE MARROW": 1}
"""What statement N2 says of the sources that it does not count first."""

FIELDS: dict[str, Any] = {
    "visits": (),
    "why_not": "",
    "holds_observed": None,
    "holds_pairs": None,
    "found_count": None,
    "found_denominator": None,
}
"""What a check finds, with the values that stand where it finds nothing."""


def describe_rules(plan: Plan) -> pd.DataFrame:
    """Return how each kind of statement is judged, and what the rule assumes."""
    rows = [
        (
            "Count",
            "The number of participants in the data equals the published one.",
            f"Counts are within {plan.horizon}, and of a participant's events the first counts; "
            "the source does not say whether the dead, the transplanted and the lost are "
            "different people.",
        ),
        (
            "Direction of a mean",
            "The mean moved in the published direction: for all seen at the visit against all at "
            "baseline (observed), and among participants with both values (pairs).",
            "The source does not say which of the two means it reports; MELD is MELD(i), "
            "unrounded.",
        ),
        (
            "Significance",
            "Among pairs, the paired t-test and Wilcoxon's signed-rank test agree with the "
            f"published word at the {plan.alpha_words} level.",
            "The source names no test and no level.",
        ),
        ("Design", "No rule: a statement on design or purpose cannot be tested on data.", ""),
        ("Conclusion", "No rule: evidence for and against is set side by side.", ""),
    ]
    return pd.DataFrame(rows, columns=["Kind of statement", "Rule", "Assumed"])


def name_kind(trial: Trial) -> str:
    """Return what kind of data a data set is, by the keys of `WORDS`."""
    if trial.synthetic:
        return "synthetic"
    return "treated" if (trial.adsl["SAFFL"] == "Y").any() else "untreated"


def check_statements(
    published: pd.DataFrame, record: pd.DataFrame, plan: Plan, data: str = "treated"
) -> pd.DataFrame:
    """Return for each published statement whether the data agree with it.

    Parameters
    ----------
    published
        Published statements (`msct_helpers.trial.load.load_statements`).
    record
        Results of the data: counts of participants (``enrolled``, ``source``, ``status``, ``set``,
        ``risk``) and changes of parameters and scores (``obs``, ``chg``).
    plan
        Its visits and the level of its tests.
    data
        What kind of data it is (`name_kind`).

    Returns
    -------
    DataFrame
        The statements in the same order with `FIELDS`, verdict, its words and data.
        ``holds_observed`` compares the mean of all seen at the visit with that of all at baseline,
        ``holds_pairs`` the mean change among participants with both values. ``visits`` are those
        of the plan that a statement on a change speaks of.
    """
    values = record.set_index("id")["value"].to_dict()
    recorded = tuple(record.loc[record["analysis"] == "obs", "parameter"].unique())
    rows = []
    for claim in published.to_dict("records"):
        row = claim | FIELDS
        if claim["kind"] == "count":
            row |= check_count(claim, values)
        elif claim["kind"] in CHANGES:
            months = list_months(claim, published)
            row["visits"] = tuple(find_visit(month, plan) for month in months)
            row |= check_change(claim, row["visits"], months, values, recorded, plan.alpha)
        verdict = judge(row)
        words = WORDS[data].get(verdict, verdict)
        rows.append(row | {"verdict": verdict, "words": words, "data": data})
    return pd.DataFrame(rows)


def check_trial(trial: Trial) -> pd.DataFrame:
    """Return the check of every published statement on a data set, with a verdict.

    It computes anew what the statements speak of; a chapter takes it from the others.
    """
    published = load_statements()
    spoken = [MEASURES[code] for code in published["parameter"].unique() if code]
    codes = {code for measure in spoken for code in (measure.code, *measure.parts)}
    labs = trial.efficacy_labs
    labs = pd.concat([labs, derive_scores(labs, trial.adsl)])
    found = [
        summarise_change(labs[labs["PARAMCD"].isin(codes)], trial.plan),
        summarise_disposition(trial, trial.plan),
        summarise_safety(trial, trial.plan),
    ]
    return check_statements(published, pd.concat(found), trial.plan, name_kind(trial))


def judge(row: Mapping[Any, Any]) -> str:
    """Return the verdict on one statement: what its readings on the data at hand say."""
    if row["kind"] in ("design", "conclusion"):
        return NOT_TESTABLE if row["kind"] == "design" else WEIGHED
    if row["why_not"]:
        return f"not assessable: {row['why_not']}"
    known = [v for v in (row["holds_observed"], row["holds_pairs"]) if v is not None]
    if all(known):
        return "holds"
    if not any(known):
        return "does not hold"
    return "holds only as observed" if known[0] else "holds only among pairs"


def list_months(claim: Mapping[Any, Any], published: pd.DataFrame) -> list[int]:
    """Return the months of a statement; all that are published of its parameter if it has none."""
    own = published.loc[published["parameter"] == claim["parameter"], "visit"]
    return [int(m) for m in ([claim["visit"]] if claim["visit"] else own[own != ""].unique())]


def find_visit(month: int, plan: Plan) -> Visit | None:
    """Return the planned visit that is due when a statement says, or None."""
    due = to_days(month, "month")
    return next((v for v in plan.later if abs(v.day - due) <= NEAR_DAYS), None)


def check_change(
    claim: Mapping[Any, Any],
    visits: Sequence[Visit | None],
    months: Sequence[int],
    values: Mapping[str, float],
    recorded: tuple[str, ...],
    alpha: float,
) -> dict[str, Any]:
    """Return the check of a statement on direction or significance of a change."""
    code = str(claim["parameter"])
    if code not in recorded:
        needs = MEASURES[code].parts or (code,)
        return {"why_not": list_absent(recorded, needs) or "components never together"}
    if None in visits:
        return {"why_not": f"no visit {months[visits.index(None)]} months after baseline"}
    at = read_changes(values, code, [v.number for v in visits if v])
    tests = at[["p_t", "p_wilcoxon"]]
    if (at["n"] < 2).any():
        return {"why_not": "fewer than two participants measured at both visits"}
    if claim["significance"] and tests.isna().any(axis=None):
        return {"why_not": "every participant changed by the same amount, no test applies"}
    if claim["significance"] == "not significant":
        return {"holds_pairs": bool((tests >= alpha).all(axis=None))}
    moved = (at[["diff", "mean"]] * (1 if claim["direction"] == "higher" else -1) > 0).iloc[0]
    if claim["significance"] == "significant":
        return {"holds_pairs": bool(moved["mean"] and (tests < alpha).all(axis=None))}
    return {"holds_observed": bool(moved["diff"]), "holds_pairs": bool(moved["mean"])}


def read_changes(values: Mapping[str, float], code: str, visits: Sequence[int]) -> pd.DataFrame:
    """Return the change of a parameter, as observed and among pairs, one row a visit."""
    of = {"diff": "obs", "n": "chg", "mean": "chg", "p_t": "chg", "p_wilcoxon": "chg"}
    rows = [
        {s: values.get(make_id(a, s, code, visit), float("nan")) for s, a in of.items()}
        for visit in visits
    ]
    return pd.DataFrame(rows, index=list(visits)).fillna({"n": 0})


def check_count(claim: Mapping[Any, Any], values: Mapping[str, float]) -> dict[str, Any]:
    """Return the check of a published count, where participants of the data set were infused."""
    if not values[make_id("set", "count", group="SAFFL")]:
        return {"why_not": "nobody in this data set received MSC"}
    key, total, agrees = COUNTED[claim["id"]], values["enrolled.count"], True
    if claim["id"] == "S1":
        if key not in values:
            known = make_id("window", "unknown_count") in values
            unknown = "of a serious event neither hours nor the day tell"
            return {"why_not": unknown if known else "adverse events not recorded"}
        total = values[make_id("risk", "denominator", group="SERIOUS 24H")]
        agrees = total == int(claim["denominator"])
    if claim["id"] == "N2":
        agrees = all(
            values.get(make_id("source", "count", group=source), 0) == count
            for source, count in OTHER_CELLS.items()
        )
    count = int(values.get(key, 0))
    holds = agrees and count == int(claim["count"])
    return {"holds_pairs": holds, "found_count": count, "found_denominator": int(total)}
