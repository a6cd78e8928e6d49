"""What the result at the end would be if the missing patients differed: sensitivity analyses.

Death and liver transplant are intercurrent events, met by a composite that ranks them worst; loss
to follow-up is missing data (ICH E9(R1)).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import upper_first
from msct_helpers.efficacy.change import get_value
from msct_helpers.efficacy.inference import find_unit, name_row, scale_values, unscale
from msct_helpers.stats.estimate import estimate_mean_change, estimate_rank_p
from msct_helpers.stats.imputation import impute, pool_rubin
from msct_helpers.trial.plan import MEASURES, Plan, Visit

LEAST = 5
"""Participants with a value and a baseline below which a visit is not imputed."""


@dataclass(frozen=True)
class Imputed:
    """Imputed changes of one endpoint at one visit, on the scale of analysis.

    ``change`` is (imputations, participants); ``missing`` marks who had no value; ``spread`` is the
    baseline standard deviation; ``better`` is the sign of a favourable change.
    """

    change: np.ndarray
    missing: np.ndarray
    spread: float
    better: int

    def pool(self, level: float, delta: float = 0.0) -> dict[str, float]:
        """Return the pooled change when each imputed value is `delta` baseline SD worse."""
        change = self.change - self.better * delta * self.spread * self.missing
        size = change.shape[1]
        within = change.var(axis=1, ddof=1) / size
        return pool_rubin(change.mean(axis=1), within, size - 1, level)


def make_wide(values: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return one row a participant with a baseline value, a column a visit."""
    wide = values.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    return wide.reindex(columns=list(plan.numbers)).dropna(subset=plan.first.number)


def impute_changes(values: pd.DataFrame, better: int, plan: Plan) -> dict[int, Imputed]:
    """Return multiple imputations of an endpoint's change at each visit by chained equations.

    Parameters
    ----------
    values
        The endpoint on its scale of analysis
        (`msct_helpers.efficacy.inference.scale_values`).
    better
        Sign of a favourable change.
    plan
        The analysis plan.

    Returns
    -------
    dict
        By visit; without those at which fewer than five participants have a value and a baseline.
    """
    wide = make_wide(values, plan)
    wide = wide.loc[:, wide.notna().sum() >= LEAST]
    first, later = plan.first.number, [n for n in wide.columns if n]
    if not later or first not in wide:
        return {}
    copies = impute(wide, plan.imputations, plan.burn_in, plan.seed)
    column = {number: i for i, number in enumerate(wide.columns)}
    return {
        n: Imputed(
            copies[:, :, column[n]] - copies[:, :, column[first]],
            wide[n].isna().to_numpy(),
            float(wide[first].std()),
            better,
        )
        for n in later
    }


METHODS = {
    "mi": "multiple imputation by chained equations, Rubin's rules",
    "rtb": "missing values return to the participant's baseline",
    "composite": "exact signed rank on the scale of analysis, death worst, then transplant",
    "tip": "shift of imputed values towards worse: interval includes zero, or mean change turns",
}


def summarise_imputed(
    imputed: dict[str, dict[int, Imputed]], labs: pd.DataFrame, plan: Plan
) -> pd.DataFrame:
    """Return every endpoint's change when the missing are imputed, and what it takes to tip it.

    Parameters
    ----------
    imputed
        By PARAMCD and visit (`impute_changes`).
    labs
        Measurements and scores of the full analysis set.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record, analyses ``mi`` (missing at random) and ``rtb`` (missing return to baseline), both
        with change, ci_low, ci_high, p_value; and ``tip`` with the tipping points in baseline SD:
        delta (interval includes zero; NaN if at no shift tried) and flip (mean change turns; NaN
        if nobody is missing).
    """
    rows: list[dict[str, Any]] = []
    for code, visit, own in list_imputed(imputed):
        common: dict[str, Any] = {"parameter": code, "visit": visit, "n": own.change.shape[1]}
        common["function"] = "summarise_imputed"
        pooled = own.pool(plan.level)
        for analysis, found in (("mi", pooled), ("rtb", return_to_baseline(own, plan.level))):
            shown = {s: unscale(code, found[s]) for s in ("estimate", "ci_low", "ci_high")}
            shown = {"change": shown.pop("estimate")} | shown | {"p_value": found["p_value"]}
            unit, method = find_unit(labs, code), METHODS[analysis]
            rows += make_rows(analysis, shown, unit=unit, method=method, **common)
        tips = {"delta": find_tipping(own, plan), "flip": find_flip(own, pooled["estimate"])}
        rows += make_rows("tip", tips, unit="SD", decimals=1, method=METHODS["tip"], **common)
    return make_record(rows)


def list_imputed(imputed: dict[str, dict[int, Imputed]]) -> list[tuple[str, int, Imputed]]:
    """Return endpoint, visit and imputations, one after the other."""
    return [(code, n, own) for code, visits in imputed.items() for n, own in visits.items()]


def return_to_baseline(imputed: Imputed, level: float) -> dict[str, float]:
    """Return the change when whoever has no value, the dead included, is as at baseline."""
    found = estimate_mean_change(np.where(imputed.missing, 0.0, imputed.change[0]), level)
    return found | {"estimate": found["mean"], "p_value": found["p_t"]}


def find_tipping(imputed: Imputed, plan: Plan) -> float:
    """Return the smallest shift at which a favourable interval no longer excludes zero.

    0 where it includes zero without any shift, NaN where it excludes zero at every shift tried.
    """
    for delta in plan.shifts:
        found = imputed.pool(plan.level, delta)
        low = found["ci_low"] if imputed.better > 0 else -found["ci_high"]
        if low <= 0:
            return delta
    return float("nan")


def find_flip(imputed: Imputed, estimate: float) -> float:
    """Return the shift at which the pooled mean change is no longer favourable.

    The pooled mean falls in proportion to the shift and the share missing. 0 where it is not
    favourable without any shift, NaN where it is and nobody is missing.
    """
    share, gain = float(imputed.missing.mean()), imputed.better * estimate
    if gain <= 0:
        return 0.0
    return gain / (imputed.spread * share) if share else float("nan")


def trace_tippings(imputed: dict[str, dict[int, Imputed]], plan: Plan) -> dict[str, pd.DataFrame]:
    """Return by endpoint how the pooled change at the last visit moves along the shifts tried."""
    last = plan.last.number
    return {c: trace_tipping(own[last], plan) for c, own in imputed.items() if last in own}


def trace_tipping(imputed: Imputed, plan: Plan) -> pd.DataFrame:
    """Return delta, estimate, ci_low and ci_high in baseline SD along the shifts tried."""
    found = pd.DataFrame([imputed.pool(plan.level, delta) for delta in plan.shifts])
    traced = found[["estimate", "ci_low", "ci_high"]] / imputed.spread
    return traced.assign(delta=plan.shifts)


def rank_events(
    values: pd.DataFrame, status: pd.DataFrame, better: int, visit: Visit, plan: Plan
) -> tuple[pd.Series, int]:
    """Return changes with better as positive, death below transplant below every change.

    Parameters
    ----------
    values
        An endpoint on its scale of analysis
        (`msct_helpers.efficacy.inference.scale_values`).
    status
        USUBJID, STATUS, DAYS (`msct_helpers.cohort.population.derive_disposition`). Counted are
        the events up to the day on which the visit is due.
    better
        Sign of a favourable change.
    visit, plan
        The visit, and the analysis plan.

    Returns
    -------
    tuple
        Change by participant, and how many had an event. The lost are missing and are left out.
    """
    wide = make_wide(values, plan)
    course = status.set_index("USUBJID").reindex(wide.index)
    event = course["STATUS"].where(course["DAYS"] <= visit.day)
    change = better * (wide[visit.number] - wide[plan.first.number])
    worst = change.abs().max() if change.notna().any() else 1.0
    change = change.mask(event == "LIVER TRANSPLANT", -2 * worst - 1)
    change = change.mask(event == "DEATH", -3 * worst - 2)
    return change.dropna(), int(event.isin(["DEATH", "LIVER TRANSPLANT"]).sum())


def summarise_ranks(
    imputed: dict[str, dict[int, Imputed]], labs: pd.DataFrame, status: pd.DataFrame, plan: Plan
) -> pd.DataFrame:
    """Return the exact signed-rank test with the events ranked worst, where values were imputed.

    Returns
    -------
    DataFrame
        Record, analysis ``composite``: p_value, n, events_count, better_count.
    """
    rows: list[dict[str, Any]] = []
    for code, number, own in list_imputed(imputed):
        values = scale_values(labs, code)
        change, events = rank_events(values, status, own.better, plan.visit(number), plan)
        found = {
            "p_value": estimate_rank_p(change.to_numpy(dtype=float)),
            "n": len(change),
            "events_count": events,
            "better_count": int((change > 0).sum()),
        }
        rows += make_rows(
            "composite",
            found,
            parameter=code,
            visit=number,
            n=len(change),
            method=METHODS["composite"],
            function="summarise_ranks",
        )
    return make_record(rows)


ASSUMPTIONS = {
    "mmrm": "mixed model, missing at random",
    "mi": "multiple imputation, missing at random",
    "rtb": "missing return to baseline",
    "composite": "worst rank for death, transplant",
}
"""What each analysis assumes of the missing."""


def list_assessed(record: pd.DataFrame, plan: Plan) -> list[str]:
    """Return the endpoints that can be imputed at the last visit."""
    own = record.loc[(record["visit"] == plan.last.number) & (record["analysis"] == "mi")]
    return [code for code in plan.family if code in set(own["parameter"])]


def missing_rows(record: pd.DataFrame, plan: Plan) -> list[Row]:
    """Return a row for each endpoint and assumption about the missing, at the last visit."""
    return [
        Row((name_row(record, "mi", code), label), analysis, code, plan.last.number)
        for code in list_assessed(record, plan)
        for analysis, label in ASSUMPTIONS.items()
    ]


def missing_columns(plan: Plan) -> dict[str, Cell]:
    """Return change, interval and p-value, or how many are better where events rank worst."""
    return {
        "Change": lambda row: (
            "{better_count} of {n} better" if row.analysis == "composite" else "{change}"
        ),
        f"{plan.level_words} CI": "{ci_low} to {ci_high}",
        "p": lambda row: "{p_mmrm}" if row.analysis == "mmrm" else "{p_value}",
    }


def say_missing(record: pd.DataFrame, plan: Plan) -> str:
    """Return what the assumptions about the missing do to each endpoint's last result."""
    out = [
        f"{upper_first(MEASURES[code].name)}: {say_imputed(record, plan, code)}; "
        f"{say_ranks(record, plan, code)}."
        for code in list_assessed(record, plan)
    ]
    return " ".join(out) or "No endpoint has enough values at both ends for these analyses."


def say_imputed(record: pd.DataFrame, plan: Plan, code: str) -> str:
    """Return whether the pooled interval excludes zero, and how much worse would change that."""
    at = (code, plan.last.number)
    low, high = (get_value(record, "mi", s, *at) for s in ("ci_low", "ci_high"))
    delta = get_value(record, "tip", "delta", *at)
    if low <= 0 <= high:
        return "with imputed values the interval includes zero"
    if delta == 0:
        return "with imputed values the interval lies on the unfavourable side of zero"
    if np.isnan(delta):
        return "the interval excludes zero at every shift that was tried"
    return (
        f"the interval excludes zero until the missing are {ref('tip', 'delta', *at)} baseline SD "
        "worse than imputed"
    )


def say_ranks(record: pd.DataFrame, plan: Plan, code: str) -> str:
    """Return the verdict of the signed-rank test with the events ranked worst."""
    at = (code, plan.last.number)
    p, better, size = (
        get_value(record, "composite", s, *at) for s in ("p_value", "better_count", "n")
    )
    side = "better" if 2 * better > size else "worse"
    verdict = f"is significant, towards {side}" if p < plan.alpha else "is not significant"
    return (
        f"with death and transplant ranked worst the change {verdict} "
        f"(p = {ref('composite', 'p_value', *at)})"
    )
