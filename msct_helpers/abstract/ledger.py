"""Ledger of the published statements: verdict on each, how robust it is, and what it rests on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from msct_helpers.abstract.robustness import Check, find_failed, list_asked
from msct_helpers.abstract.statements import HEADS, NOT_TESTABLE, VERDICTS, WEIGHED, WORDS
from msct_helpers.ard.results import make_id, make_record, make_rows, make_text_row, ref
from msct_helpers.book.document import quote
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, name_unit, upper_first
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.trial.parameters import SCORES
from msct_helpers.trial.plan import Plan, Visit

Checks = Mapping[str, Sequence[Check]]
"""Checks of robustness by id of the statement."""

SHOWN = {
    "P1": ("discussion", ""),
    "P2": ("safety", ""),
    "P3": ("efficacy-endpoints", ""),
    "N1": ("cohort-flow", "fig-flow"),
    "N2": ("cohort-flow", "tab-disposition"),
    "N3": ("cohort-flow", "tab-disposition"),
    "N4": ("cohort-flow", "tab-disposition"),
    "N5": ("cohort-flow", "tab-disposition"),
    "S1": ("safety", "tab-risks"),
    "C1": ("safety", ""),
    "C2": ("efficacy-endpoints", ""),
    "C3": ("discussion", ""),
    "C4": ("discussion", ""),
}
"""Chapter and figure or table where each statement is shown; those on changes follow from their
parameter."""


def summarise_ledger(checked: pd.DataFrame, checks: Checks, plan: Plan) -> pd.DataFrame:
    """Return verdicts, counts and how many statements got each verdict.

    Parameters
    ----------
    checked
        Statements with their verdicts (`msct_helpers.abstract.statements.check_statements`).
    checks
        Their checks (`msct_helpers.abstract.robustness.check_changes`).
    plan
        Level of the intervals.

    Returns
    -------
    DataFrame
        Record: ``claim`` with group the statement's id: verdict (a word), of counts their exact
        interval, of changes survives_count and checks_count; ``claims`` with counts of verdicts.
    """
    rows = [r for c in checked.to_dict("records") for r in summarise_claim(c, checks, plan)]
    testable = checked[checked["verdict"].isin(VERDICTS)]
    tally = testable["verdict"].value_counts()
    counts: dict[str, float] = {"all_count": len(checked), "assessable_count": len(testable)}
    counts |= {f"{v.replace(' ', '-')}_count": int(tally.get(v, 0)) for v in VERDICTS}
    outcomes = list_outcomes(checks)
    counts["changes_count"] = len(outcomes)
    counts["robust_count"] = sum(all(known) for known in outcomes.values())
    rows += make_rows("claims", counts, method="count", function="summarise_ledger")
    return make_record(rows)


def summarise_claim(claim: Mapping[Any, Any], checks: Checks, plan: Plan) -> list[dict[str, Any]]:
    """Return the rows of the record of one statement."""
    own: dict[str, Any] = {"group": claim["id"], "function": "check_statements"}
    rows = [make_text_row("claim", "verdict", claim["words"], method="see the rules", **own)]
    if not pd.isna(claim["found_count"]):
        total = int(claim["found_denominator"])
        found = estimate_proportion(int(claim["found_count"]), total, plan.level)
        method = f"Clopper-Pearson {plan.level_words} interval"
        rows += make_rows("claim", found, n=total, method=method, **own)
    known = list_outcomes(checks).get(claim["id"])
    if known:
        tally: dict[str, float] = {"survives_count": sum(known), "checks_count": len(known)}
        rows += make_rows("claim", tally, method="checks of robustness", **own)
        asked = list_asked(checks[claim["id"]])
        rows.append(make_text_row("claim", "asked", asked, method="checks of robustness", **own))
    return rows


def list_outcomes(checks: Checks) -> dict[str, list[bool]]:
    """Return the outcomes of the checks that can be made, by statement that has any."""
    known = {i: [c.survives for c in own if c.survives is not None] for i, own in checks.items()}
    return {name: outcomes for name, outcomes in known.items() if outcomes}


def group_verdicts(checked: pd.DataFrame) -> pd.DataFrame:
    """Return which statements got which verdict, in the words for this kind of data."""
    data = checked["data"].iloc[0]
    short = checked["verdict"].str.partition(":")[0]
    order = [*VERDICTS, "not assessable", NOT_TESTABLE, WEIGHED]
    rows = [
        (WORDS[data].get(v, v), ", ".join(checked.loc[short == v, "id"]))
        for v in order
        if (short == v).any()
    ]
    return pd.DataFrame(rows, columns=[HEADS[data], "Statements"])


def statement_columns(checked: pd.DataFrame) -> dict[str, Cell]:
    """Return the verdict on each statement, and which checks were asked of it."""
    head = "Would survive" if checked["data"].iloc[0] == "synthetic" else "Survives"
    return {
        HEADS[checked["data"].iloc[0]]: "{verdict}",
        head: "{survives_count} of {checks_count}",
        "Checks asked": "{asked}",
    }


def statement_rows(checked: pd.DataFrame) -> list[Row]:
    """Return a row a statement, which leads to what is said of it."""
    return [
        Row((f"[{name}](#{find_target(name)})", statement), analysis="claim", group=name)
        for name, statement in zip(checked["id"], checked["statement"], strict=True)
    ]


def find_target(name: str) -> str:
    """Return the place at which a statement is discussed."""
    return f"claim-{name.lower()}"


def say_agreement(checked: pd.DataFrame, checks: Checks) -> str:
    """Return the answer of the chapter: what the data could test, and what became of it."""
    able = checked[checked["verdict"].isin(VERDICTS)]
    data = checked["data"].iloc[0]
    if able.empty:
        return "These data can answer none of {claims.all_count} published statements."
    out = "Of {claims.all_count} published statements, these data can answer "
    out += f"{{claims.assessable_count}}. Of these, {tell_verdicts(able, data)}."
    claims = [say_significance(c, checks, data) for c in able.to_dict("records")]
    out += "".join(f" {said}" for said in claims if said)
    if list_outcomes(checks):
        would = "would survive" if data == "synthetic" else "survive"
        out += (
            f" Of the {name_checked(checks, data)}, {{claims.robust_count}} of "
            f"{{claims.changes_count}} {would} every check that was asked."
        )
    return out


def tell_verdicts(able: pd.DataFrame, data: str) -> str:
    """Return how many statements got which verdict, with their ids where they are few."""
    parts = []
    for verdict in VERDICTS:
        own = able.loc[able["verdict"] == verdict, "id"].tolist()
        if own:
            count = f"{{claims.{verdict.replace(' ', '-')}_count}}"
            names = f" ({join_words(own)})" if verdict != "holds" else ""
            conjugate = (PLURAL if len(own) > 1 else SINGULAR)[data]
            parts.append(f"{count} {conjugate(WORDS[data][verdict])}{names}")
    return join_words(parts)


PLURAL: dict[str, Callable[[str], str]] = {
    "treated": lambda words: words.replace("holds", "hold").replace("does not", "do not"),
    "synthetic": lambda words: f"were {words}",
    "untreated": lambda words: f"are {words}",
}
"""Words for what several statements are, by kind of data."""

SINGULAR: dict[str, Callable[[str], str]] = {
    "treated": str,
    "synthetic": lambda words: f"was {words}",
    "untreated": lambda words: f"is {words}",
}
"""Words for what one statement is, by kind of data."""

AGREED = {"treated": "hold in some reading", "synthetic": "were built in", "untreated": "are seen"}
"""Of statements with which the data agree, by kind of data."""


def say_significance(claim: Mapping[Any, Any], checks: Checks, data: str) -> str:
    """Return what becomes of a claim of significance under the checks; nothing of other claims."""
    if claim["significance"] != "significant" or claim["id"] not in checks:
        return ""
    failed, name = find_failed(checks[claim["id"]]), claim["id"]
    would = "would not survive" if data == "synthetic" else "does not survive"
    if failed:
        return f"The claim of significance ({name}) {would} {join_words(failed)}."
    would = "would survive" if data == "synthetic" else "survives"
    return f"The claim of significance ({name}) {would} every check that was asked of it."


def name_checked(checks: Checks, data: str) -> str:
    """Return the statements on changes that were checked for robustness, in words."""
    some = "" if len(list_outcomes(checks)) == len(checks) else " and can be checked"
    return f"statements on changes that {AGREED[data]}{some}"


def say_claim(
    claim: Mapping[Any, Any], checks: Checks, units: Mapping[str, str], plan: Plan
) -> str:
    """Return a statement with its verdict, what the data say for it, and each check in a line.

    Parameters
    ----------
    claim
        Row of `msct_helpers.abstract.statements.check_statements`.
    checks
        Its checks, among others.
    units
        Unit of each result, by id.
    plan
        Level of the intervals, and what has a table of its own.
    """
    able = claim["verdict"] in VERDICTS
    silent = f"Not stated: {claim['not_stated']}. " if claim["not_stated"] else ""
    found = ""
    if able:
        say = say_count if claim["kind"] == "count" else say_changes
        found = f"{say(claim, units, plan)} "
    return "\n".join(
        [
            f"**{claim['id']}. {claim['statement']}** *On these data: {quote(claim['words'])}.*",
            "",
            f"{found}{silent}Shown in {link_shown(claim, able, plan)}.",
            "",
            *(f"- {check}" for check in checks.get(claim["id"], ())),
        ]
    )


def link_shown(claim: Mapping[Any, Any], able: bool, plan: Plan) -> str:
    """Return a reference to the chapter, and the table or figure, where a statement is shown."""
    code = claim["parameter"]
    chapter, target = SHOWN.get(claim["id"], ("efficacy-endpoints", ""))
    if code in SCORES:
        chapter, target = "meld", "tab-score-courses"
    elif code in plan.endpoints:
        target = "tab-courses"
    page = f"[]({chapter}.md)"
    return f"{page}, [](#{target})" if target and able else page


def say_count(claim: Mapping[Any, Any], units: Mapping[str, str], plan: Plan) -> str:
    """Return how many participants the data count, with an interval where it is a risk."""
    statistics = ("count", "denominator", "percent", "percent_low", "percent_high")
    count, total, share, low, high = (ref("claim", s, group=claim["id"]) for s in statistics)
    if claim["id"] in ("N1", "N2"):
        return f"{count} of {total}."
    interval = f"exact {plan.level_words} interval {low}% to {high}%"
    return f"{count} of {total} ({share}%, {interval})."


def say_changes(claim: Mapping[Any, Any], units: Mapping[str, str], plan: Plan) -> str:
    """Return the changes that a statement speaks of, visit by visit."""
    parts = [say_change(claim, visit, units, plan) for visit in claim["visits"]]
    return upper_first(f"{'; '.join(parts)}.")


def say_change(claim: Mapping[Any, Any], visit: Visit, units: Mapping[str, str], plan: Plan) -> str:
    """Return the change of a parameter at a visit: among pairs, and its tests or as observed."""

    def at(analysis: str, statistic: str) -> str:
        return ref(analysis, statistic, claim["parameter"], visit.number)

    unit = name_unit(units[make_id("chg", "mean", claim["parameter"], visit.number)])
    named = len(claim["visits"]) > 1 or plan.unit != "month"
    out = (
        f"{f'{visit.words}: ' if named else ''}among {at('chg', 'n')} participants measured at "
        f"both visits a change of {at('chg', 'mean')}{unit} ({plan.level_words} interval "
        f"{at('chg', 'ci_low')} to {at('chg', 'ci_high')})"
    )
    if claim["significance"]:
        return f"{out}, p = {at('chg', 'p_t')} (t) and {at('chg', 'p_wilcoxon')} (Wilcoxon)"
    return (
        f"{out}; the mean of all {at('obs', 'n')} seen differs from baseline by "
        f"{at('obs', 'diff')}{unit}"
    )
