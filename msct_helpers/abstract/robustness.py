"""Does a verdict survive? Mixed model, Holm, worst rank and tipping point, for one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.abstract.statements import CHANGES, VERDICTS
from msct_helpers.ard.results import make_id, ref
from msct_helpers.book.words import join_words, name_unit
from msct_helpers.efficacy.composite import name_side
from msct_helpers.trial.plan import MEASURES, Plan, Visit

OTHER_WAY = ", in the other direction"

CHECKS = {
    "mixed": "Mixed model",
    "holm": "Holm",
    "rank": "Worst rank",
    "tip": "Tipping point",
}
"""Name of each check."""


def describe_checks(plan: Plan) -> pd.DataFrame:
    """Return what each check asks."""
    side = f"on the same side of {plan.alpha_words}"
    shift = f"{plan.plausible_shift:g} baseline standard deviations"
    if plan.plausible_shift == 0.5:
        shift = "half a baseline standard deviation"
    rules = {
        "mixed": "The mixed model's change has the published direction; for a word on "
        f"significance, its p-value is {side}.",
        "holm": f"For a word on significance: the mixed model's p-value is {side} after Holm's "
        "adjustment over all endpoints and visits. It is not asked of a direction, which claims no "
        "significance, nor of a word of no significance, which adjustment can only confirm.",
        "rank": "With everybody enrolled ranked, death and transplant up to the visit worst, the "
        "sum of the signed ranks has the published direction; for a word on significance, its "
        f"p-value is {side}. At two years the published counts alone exclude a significant "
        "improvement, so a claim of one fails there whatever the changes are, and a word of no "
        "significance is not asked.",
        "tip": f"The conclusion stands while missing patients are {shift} (assumed) worse than "
        "imputed: the mean change keeps its direction, or its interval excludes zero. It is not "
        "asked of a word of no significance.",
    }
    rows = [(CHECKS[name], rule) for name, rule in rules.items()]
    return pd.DataFrame(rows, columns=["Check", "A statement on a change survives if"])


@dataclass(frozen=True)
class Check:
    """The outcome of one check: does the statement survive, and why.

    ``survives`` is None where the check cannot be made, or asks more than the statement says.
    """

    name: str
    survives: bool | None
    words: str

    def __str__(self) -> str:
        """Return the check as a sentence."""
        if self.survives is None:
            return f"{CHECKS[self.name]}: {self.words}."
        word = "survives" if self.survives else "does not survive"
        return f"{CHECKS[self.name]}: {word} ({self.words})."


Claim = Mapping[Any, Any]
Key = tuple[str, str]

USED: tuple[Key, ...] = (
    *(("mmrm", s) for s in ("change", "ci_low", "ci_high", "p_mmrm", "p_holm")),
    *(("composite", s) for s in ("p_value", "side", "hl")),
    *(("tip", s) for s in ("delta", "flip")),
)
"""Analysis and statistic of the results that the checks use."""


def check_changes(
    checked: pd.DataFrame, record: pd.DataFrame, plan: Plan
) -> dict[str, list[Check]]:
    """Return the checks of robustness of every statement on a change that the data agree with.

    A statement that does not hold in any reading has nothing that could survive.

    Parameters
    ----------
    checked
        Statements with their verdicts (`msct_helpers.abstract.statements.check_statements`).
    record
        Results: ``mmrm``, ``composite``, ``mi`` and ``tip`` at each visit.
    plan
        Level of the tests, and the shift that is taken as plausible.
    """
    able = checked[checked["kind"].isin(CHANGES) & checked["verdict"].isin(VERDICTS[:-1])]
    evidence = record.set_index("id")
    return {c["id"]: check_robustness(c, evidence, plan) for c in able.to_dict("records")}


def check_robustness(claim: Claim, evidence: pd.DataFrame, plan: Plan) -> list[Check]:
    """Return the four checks of a statement on a change, their words with ids in braces."""
    if claim["significance"] == "not significant":
        return check_null(claim, evidence["value"], plan)
    where = (claim["parameter"], claim["visits"][0].number)
    value = {key: float(evidence["value"].get(make_id(*key, *where), np.nan)) for key in USED}
    if np.isnan([value["mmrm", "p_mmrm"], value["composite", "p_value"]]).any():
        return [Check(name, None, "not assessable") for name in CHECKS]
    shown = {key: ref(*key, *where) for key in USED}
    unit = name_unit(str(evidence["unit"][make_id("mmrm", "change", *where)]))
    return [
        *check_model(claim, value, shown, unit, plan),
        check_rank(claim, value, shown, plan),
        check_tipping(claim, value, shown, plan),
    ]


def check_model(
    claim: Claim, value: Mapping[Key, float], shown: Mapping[Key, str], unit: str, plan: Plan
) -> list[Check]:
    """Return whether the mixed model agrees, and still does after Holm's adjustment."""
    sign = 1 if claim["direction"] == "higher" else -1
    right = sign * value["mmrm", "change"] > 0
    other = "" if right else OTHER_WAY
    words = (
        f"change {shown['mmrm', 'change']}{unit} ({plan.level_words} interval "
        f"{shown['mmrm', 'ci_low']} to {shown['mmrm', 'ci_high']}), p = {shown['mmrm', 'p_mmrm']}"
    )
    adjusted = f"p = {shown['mmrm', 'p_holm']} after adjustment{other}"
    if claim["significance"] != "significant":
        asked = f"not asked of a statement on direction, {adjusted}"
        return [Check("mixed", right, words + other), Check("holm", None, asked)]
    clear = {s: right and value["mmrm", s] < plan.alpha for s in ("p_mmrm", "p_holm")}
    return [
        Check("mixed", clear["p_mmrm"], words + other),
        Check("holm", clear["p_holm"], adjusted),
    ]


def check_rank(
    claim: Claim, value: Mapping[Key, float], shown: Mapping[Key, str], plan: Plan
) -> Check:
    """Return whether everybody's ranks agree, with the events worst, in direction and p-value."""
    rises = 1 if claim["direction"] == "higher" else -1
    published = rises * MEASURES[str(claim["parameter"])].better
    side = value["composite", "side"]
    survives = side == published
    if claim["significance"] == "significant":
        survives &= value["composite", "p_value"] < plan.alpha
    p, middle = shown["composite", "p_value"], shown["composite", "hl"]
    return Check(
        "rank",
        bool(survives),
        f"ranks lean {name_side(side)}, p = {p}; Hodges-Lehmann estimate {middle}",
    )


def check_tipping(
    claim: Claim, value: Mapping[Key, float], shown: Mapping[Key, str], plan: Plan
) -> Check:
    """Return whether a statement stands at the shift that is taken as plausible."""
    key, what = ("tip", "flip"), "the mean change turns"
    if claim["significance"] == "significant":
        key, what = ("tip", "delta"), "the interval includes zero"
    if np.isnan(value[key]):
        return Check("tip", True, "stands at every shift tried, or nobody is missing")
    if value[key] == 0:
        return Check("tip", False, f"{what} without any shift")
    words = f"{what} when the missing are {shown[key]} SD worse"
    return Check("tip", value[key] >= plan.plausible_shift, words)


def check_null(claim: Claim, values: pd.Series, plan: Plan) -> list[Check]:
    """Return the checks of a statement that no change of a parameter was significant.

    The worst-rank test is not asked at the last visit of the abstract: with the published counts
    no improvement can be significant there.
    """

    def check(name: str, analysis: str, statistic: str, visits: Sequence[Visit]) -> Check:
        where = [(claim["parameter"], visit.number) for visit in visits]
        found = [values.get(make_id(analysis, statistic, *at), np.nan) for at in where]
        if not where or np.isnan(found).any():
            return Check(name, None, "not assessable")
        shown = join_words([ref(analysis, statistic, *at) for at in where])
        at = join_words([visit.words for visit in visits])
        return Check(name, bool(min(found) >= plan.alpha), f"p = {shown} at {at}")

    visits = claim["visits"]
    imputed = check("tip", "mi", "p_value", visits).words
    words = f"not asked of a statement of no significance; by multiple imputation {imputed}"
    adjusted = check("holm", "mmrm", "p_holm", visits).words
    return [
        check("mixed", "mmrm", "p_mmrm", visits),
        Check("holm", None, f"not asked, adjustment can only raise p-values; {adjusted}"),
        check("rank", "composite", "p_value", list(visits[:-1])),
        Check("tip", None, words),
    ]


def find_failed(checks: Sequence[Check]) -> list[str]:
    """Return the names of the checks that a statement does not survive, inside a sentence."""
    return [INSIDE[check.name] for check in checks if check.survives is False]


INSIDE = {
    "mixed": "the mixed model",
    "holm": "Holm's adjustment",
    "rank": "the worst-rank test",
    "tip": "the tipping point",
}
"""Names of the checks inside a sentence."""


def list_asked(checks: Sequence[Check]) -> str:
    """Return which checks were asked of a statement, and the outcome of each, in a few words."""
    asked = [check for check in checks if check.survives is not None]
    return ", ".join(
        f"{CHECKS[check.name].lower().replace('holm', 'Holm')} {'yes' if check.survives else 'no'}"
        for check in asked
    )
