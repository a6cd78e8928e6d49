"""What the change would be had nobody died or been lost, and if the missing were worse than that.

These analyses are supplementary: they take death and transplant for missing data (hypothetical,
ICH E9(R1)). The primary estimand is `msct_helpers.efficacy.composite`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.efficacy.change import get_value
from msct_helpers.efficacy.composite import say_ranks
from msct_helpers.efficacy.inference import find_unit, name_row, unscale
from msct_helpers.stats.imputation import impute, pool_rubin
from msct_helpers.trial.plan import MEASURES, Plan

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
    """Return multiple imputations of an endpoint's change at each visit, missing at random.

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
    copies = impute(wide.to_numpy(dtype=float), plan.imputations, plan.burn_in, plan.seed)
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
    "mi": "multiple imputation by Bayesian normal regression on all other visits, Rubin's rules",
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
        Record, analyses ``mi`` (missing at random) with change, ci_low, ci_high, p_value; and
        ``tip`` with the tipping points in baseline SD: delta (interval includes zero; NaN if at no
        shift tried) and flip (mean change turns; NaN if nobody is missing).
    """
    rows: list[dict[str, Any]] = []
    for code, visit, own in list_imputed(imputed):
        common: dict[str, Any] = {"parameter": code, "visit": visit, "n": own.change.shape[1]}
        common["function"] = "summarise_imputed"
        pooled = own.pool(plan.level)
        shown = {s: unscale(code, pooled[s]) for s in ("estimate", "ci_low", "ci_high")}
        shown = {"change": shown.pop("estimate")} | shown | {"p_value": pooled["p_value"]}
        rows += make_rows("mi", shown, unit=find_unit(labs, code), method=METHODS["mi"], **common)
        tips = {"delta": find_tipping(own, plan), "flip": find_flip(own, pooled["estimate"])}
        rows += make_rows("tip", tips, unit="SD", decimals=1, method=METHODS["tip"], **common)
    return make_record(rows)


def list_imputed(imputed: dict[str, dict[int, Imputed]]) -> list[tuple[str, int, Imputed]]:
    """Return endpoint, visit and imputations, one after the other."""
    return [(code, n, own) for code, visits in imputed.items() for n, own in visits.items()]


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


ASSUMPTIONS = {
    "composite": "primary: death worst, then transplant",
    "nolt": "transplant as if not measured, death worst",
    "alive": "value at the visit, or last before an event",
    "mmrm": "mixed model, nobody died or was lost",
    "mi": "multiple imputation of the same",
}
"""What each analysis makes of events and of the missing; the first three rank, the last two model
the mean."""


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
    """Return how many are better, the change with its interval, and the p-value."""

    def ranked(row: Row) -> bool:
        return row.analysis in ("composite", "nolt", "alive")

    return {
        "Better": lambda row: "{better_count} of {denominator}" if ranked(row) else "",
        "Change": lambda row: "{hl}" if ranked(row) else "{change}",
        f"{plan.level_words} CI": lambda row: (
            "{hl_low} to {hl_high}" if ranked(row) else "{ci_low} to {ci_high}"
        ),
        "p": lambda row: "{p_mmrm}" if row.analysis == "mmrm" else "{p_value}",
    }


def say_missing(record: pd.DataFrame, plan: Plan) -> str:
    """Return what is left of each change that the mixed model finds significant at the end."""
    codes, at = list_assessed(record, plan), plan.last.number
    if not codes:
        return "No endpoint has enough values at both ends for these analyses."
    clear = [c for c in codes if get_value(record, "mmrm", "p_mmrm", c, at) < plan.alpha]
    out = [
        f"For {MEASURES[code].name} the model alone gives p = "
        f"{ref('mmrm', 'p_mmrm', code, at)}; {say_ranks(record, plan, code)}; "
        f"{say_imputed(record, plan, code)}."
        for code in clear
    ]
    none = f"At {plan.at_last} the model finds no change below {plan.alpha_words}, adjusted or not."
    return " ".join(out) or none


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
