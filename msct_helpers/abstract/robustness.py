"""Does a verdict survive? Mixed model, Holm, worst rank and tipping point, for one statement."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msct_helpers.abstract.statements import ALPHA
from msct_helpers.ard.results import make_id, ref
from msct_helpers.book.words import join_words, name_unit
from msct_helpers.trial.schema import VISITS

PLAUSIBLE_SHIFT = 0.5
"""Assumed: missing patients half a baseline standard deviation worse than imputed are plausible."""

OTHER_WAY = ", in the other direction"
RANKED = ("p_value", "better_count", "n")

CHECKS = {
    "mixed": "Mixed model",
    "holm": "Holm",
    "rank": "Worst rank",
    "tip": "Tipping point",
}
"""Name of each check."""

RULES = {
    "mixed": "The mixed model's change has the published direction; for a word on significance, "
    "its p-value is on the same side of 5%.",
    "holm": "For a word on significance: the mixed model's p-value is on the same side of 5% after "
    "Holm's adjustment over all endpoints and visits. It is not asked of a direction, which claims "
    "no significance; its p-value is shown.",
    "rank": "With death and transplant up to the visit ranked worst, more than half are better "
    "than at baseline; for a word on significance, the signed-rank p-value is on the same side of "
    "5%.",
    "tip": "The conclusion stands while missing patients are half a baseline standard deviation "
    "(assumed) worse than imputed: the mean change keeps its direction, or its interval excludes "
    "zero. It is not asked of a word of no significance.",
}
"""What each check asks."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check: does the statement survive, and why.

    ``survives`` is None where the check cannot be made, or asks more than the statement says.
    """

    name: str
    survives: bool | None
    words: str


def check_robustness(claim: dict[str, str], evidence: pd.DataFrame) -> list[Check]:
    """Return the four checks of a statement on a change.

    Parameters
    ----------
    claim
        Row of the published statements: parameter, visit, significance.
    evidence
        Record by id, value and unit: ``mmrm``, ``composite``, ``mi`` and ``tip`` at each visit.

    Returns
    -------
    list
        One entry a check of `CHECKS`, its words with ids in braces.
    """
    code, values = claim["parameter"], evidence["value"]
    if claim["significance"] == "not significant":
        return check_null(code, values)
    month, wanted = int(claim["visit"]), claim["significance"] == "significant"

    def get(analysis: str, statistic: str) -> float:
        return float(values.get(make_id(analysis, statistic, code, month), np.nan))

    sign = 1 if claim["direction"] == "higher" else -1
    right = sign * get("mmrm", "change") > 0
    unit = name_unit(str(evidence["unit"].get(make_id("mmrm", "change", code, month), "")))
    checks = [
        check_mixed(code, month, wanted, right, get("mmrm", "p_mmrm"), unit),
        check_holm(code, month, wanted, right, get("mmrm", "p_holm")),
        check_rank(code, month, wanted, *(get("composite", s) for s in RANKED)),
        check_tipping(code, month, wanted, get("tip", "delta"), get("tip", "flip")),
    ]
    if np.isnan([get("mmrm", "p_mmrm"), get("composite", "p_value")]).any():
        return [Check(check.name, None, "not assessable") for check in checks]
    return checks


def check_mixed(code: str, month: int, wanted: bool, right: bool, p: float, unit: str) -> Check:
    """Return whether the mixed model agrees: in direction, and where `wanted` in significance."""
    at = {s: ref("mmrm", s, code, month) for s in ("change", "ci_low", "ci_high", "p_mmrm")}
    words = (
        f"change {at['change']}{unit} (95% interval {at['ci_low']} to {at['ci_high']}), "
        f"p = {at['p_mmrm']}{'' if right else OTHER_WAY}"
    )
    return Check("mixed", right and (p < ALPHA or not wanted), words)


def check_holm(code: str, month: int, wanted: bool, right: bool, p: float) -> Check:
    """Return whether a significant change stays so; a statement on direction is not asked."""
    words = f"p = {ref('mmrm', 'p_holm', code, month)} after adjustment"
    words += "" if right else OTHER_WAY
    if not wanted:
        return Check("holm", None, f"not asked of a statement on direction, {words}")
    return Check("holm", right and p < ALPHA, words)


def check_rank(code: str, month: int, wanted: bool, p: float, better: float, size: float) -> Check:
    """Return whether most are better, and where `wanted` significantly, with the events worst."""
    at = {s: ref("composite", s, code, month) for s in RANKED}
    words = f"{at['better_count']} of {at['n']} better, p = {at['p_value']}"
    return Check("rank", 2 * better > size and (p < ALPHA or not wanted), words)


def check_tipping(code: str, month: int, wanted: bool, delta: float, flip: float) -> Check:
    """Return whether a statement stands at the shift that is taken as plausible."""
    shift, statistic = (delta, "delta") if wanted else (flip, "flip")
    what = "the interval includes zero" if wanted else "the mean change turns"
    if np.isnan(shift):
        return Check("tip", True, "stands at every shift tried, or nobody is missing")
    if shift == 0:
        return Check("tip", False, f"{what} without any shift")
    at = ref("tip", statistic, code, month)
    return Check("tip", shift >= PLAUSIBLE_SHIFT, f"{what} when the missing are {at} SD worse")


def check_null(code: str, values: pd.Series) -> list[Check]:
    """Return the checks of a statement that no change of a parameter was significant."""
    months = [m for m in VISITS if m]

    def check(name: str, analysis: str, statistic: str) -> Check:
        found = [values.get(make_id(analysis, statistic, code, m), np.nan) for m in months]
        if any(np.isnan(v) for v in found):
            return Check(name, None, "not assessable")
        shown = join_words([ref(analysis, statistic, code, m) for m in months])
        return Check(name, bool(min(found) >= ALPHA), f"p = {shown} at the three visits")

    checks = [
        check("mixed", "mmrm", "p_mmrm"),
        check("holm", "mmrm", "p_holm"),
        check("rank", "composite", "p_value"),
    ]
    imputed = check("tip", "mi", "p_value").words
    words = f"not asked of a statement of no significance; by multiple imputation {imputed}"
    return [*checks, Check("tip", None, words)]
