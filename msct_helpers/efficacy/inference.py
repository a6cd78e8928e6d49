"""Supplementary inference on change: MMRM, paired tests, and Holm over the whole family."""

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words
from msct_helpers.efficacy.change import (
    derive_change,
    get_unit,
    get_value,
    say_absent,
    say_interval,
)
from msct_helpers.stats.estimate import estimate_mean_change
from msct_helpers.stats.mmrm.model import MMRM, Adjustment, fit_mmrm
from msct_helpers.stats.ranks import estimate_max_t_p
from msct_helpers.trial.plan import MEASURES, Plan

KEYS, COLUMNS = ["parameter", "visit"], ["PARAMCD", "AVISITN"]
"""What names a comparison, in the record and in a data set."""

UNFITTED = "the mixed model cannot be fitted"


def scale_values(labs: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return an endpoint's values on its scale of analysis: logarithms where the plan has them.

    Returns
    -------
    DataFrame
        USUBJID, AVISITN (whole numbers), AVAL.
    """
    own = labs.loc[labs["PARAMCD"] == code, ["USUBJID", "AVISITN", "AVAL"]]
    own = own.astype({"AVISITN": int})
    return own.assign(AVAL=np.log(own["AVAL"])) if MEASURES[code].log_scale else own


def unscale(code: str, change: Any) -> Any:
    """Return changes on the scale of analysis as they are shown: logarithms as per cent change."""
    return 100 * np.expm1(change) if MEASURES[code].log_scale else change


def find_unit(labs: pd.DataFrame, code: str) -> str:
    """Return the unit in which changes of an endpoint are shown."""
    if MEASURES[code].log_scale:
        return "%"
    return str(labs.loc[labs["PARAMCD"] == code, "AVALU"].iloc[0])


def fit_change(
    formula: str, values: pd.DataFrame, plan: Plan, adjustment: Adjustment = "linear"
) -> MMRM | None:
    """Fit the mixed model of one endpoint; None where its values are too few for one.

    Parameters
    ----------
    formula
        Mean model, as ``AVAL ~ C(AVISITN)``.
    values
        The endpoint on its scale of analysis (`scale_values`).
    plan
        The analysis plan.
    adjustment
        As in `msct_helpers.stats.mmrm.model.fit_mmrm`.
    """
    if values["AVISITN"].nunique() < 2:
        return None
    try:
        return fit_mmrm(
            formula,
            values,
            subject="USUBJID",
            visit="AVISITN",
            level=plan.level,
            adjustment=adjustment,
        )
    except ValueError:
        return None


def summarise_fits(fits: dict[str, MMRM | None], labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the change from baseline at each later visit by the mixed model.

    Parameters
    ----------
    fits
        Mixed model by PARAMCD (`fit_change`).
    labs
        Measurements and scores of the full analysis set.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        By parameter and visit: change, ci_low, ci_high (per cent where the scale is log), df,
        p_mmrm; standard, standard_low, standard_high, the change on the scale of analysis in
        baseline standard deviations; unit and n.
    """
    found = {
        code: describe_fit(fit, scale_values(labs, code), code, plan).assign(
            unit=find_unit(labs, code)
        )
        for code, fit in fits.items()
        if fit is not None
    }
    if not found:
        empty = pd.MultiIndex.from_tuples([], names=KEYS)
        return pd.DataFrame(columns=["p_mmrm"], index=empty)
    return pd.concat(found, names=KEYS)


def describe_fit(fit: MMRM, values: pd.DataFrame, code: str, plan: Plan) -> pd.DataFrame:
    """Return the changes of one endpoint by visit, as they are shown and in baseline SD."""
    visits = {f"C(AVISITN)[T.{v.number}]": v.number for v in plan.later}
    own = fit.coefficients.rename(index=visits)
    own = own[own.index.isin(list(visits.values()))]
    interval = own[["estimate", "ci_low", "ci_high"]]
    shown = unscale(code, interval).set_axis(["change", "ci_low", "ci_high"], axis=1)
    spread = values.loc[values["AVISITN"] == 0, "AVAL"].std()
    names = ["standard", "standard_low", "standard_high"]
    standard = (interval / spread).set_axis(names, axis=1)
    rest = own[["df", "p_value"]].rename(columns={"p_value": "p_mmrm"})
    return shown.join(rest).join(standard).assign(n=values["USUBJID"].nunique())


def compare_pairs(labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return tests of the paired change of each endpoint at each later visit, on its own scale.

    Returns
    -------
    DataFrame
        By parameter and visit: p_t, p_wilcoxon, and p_maxt, which is adjusted over all of them by
        step-down max-T (`msct_helpers.stats.ranks.estimate_max_t_p`).
    """
    changes = widen_changes(labs, plan)
    tests = {
        key: estimate_mean_change(own.dropna().to_numpy(), plan.level)
        for key, own in changes.items()
    }
    out = pd.DataFrame(tests.values(), changes.columns, columns=["p_t", "p_wilcoxon"])
    return out.assign(p_maxt=estimate_max_t_p(changes, plan.flips, plan.seed))


def widen_changes(labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return every change of the family on its scale of analysis.

    Returns
    -------
    DataFrame
        Indexed by USUBJID, a column for each endpoint and later visit (`KEYS`) with any change.
    """
    scaled = [
        scale_values(labs, code).assign(PARAMCD=code)
        for code in plan.family
        if (labs["PARAMCD"] == code).any()
    ]
    if not scaled:
        return pd.DataFrame(columns=pd.MultiIndex.from_tuples([], names=KEYS))
    change = derive_change(pd.concat(scaled))
    change = change[change["AVISITN"] > 0].rename(columns=dict(zip(COLUMNS, KEYS, strict=True)))
    wide = change.pivot(index="USUBJID", columns=KEYS, values="CHG").astype(float)
    return wide.dropna(axis=1, how="all")


def adjust(family: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return a family of comparisons with p_holm: its p_mmrm adjusted over all rows."""
    raw = family["p_mmrm"].to_numpy(dtype=float)
    return family.assign(p_holm=multipletests(raw, method=method)[1] if len(raw) else raw)


KINDS = {
    "df": ("df", 1),
    "standard": ("SD", 2),
    "standard_low": ("SD", 2),
    "standard_high": ("SD", 2),
}
"""Unit and decimals of statistics that are not in the unit of the endpoint."""

STATISTICS = ["change", "ci_low", "ci_high", "df", "p_mmrm", "p_holm", "p_t", "p_wilcoxon"]
STATISTICS += ["p_maxt", "standard", "standard_low", "standard_high"]


METHODS = {
    "p_holm": "MMRM, Kenward-Roger; Holm over the family",
    "p_t": "paired t, pairs",
    "p_wilcoxon": "exact signed rank, pairs",
    "p_maxt": "paired t, pairs; step-down max-T over the family by random signs",
}
"""How statistics were found that are not the mixed model's own."""


def record_family(family: pd.DataFrame) -> pd.DataFrame:
    """Return the family of comparisons as a record, analysis ``mmrm``, with its counts.

    Parameters
    ----------
    family
        By parameter and visit: the columns of `summarise_fits`, `compare_pairs` and `adjust`.
    """
    rows: list[dict[str, Any]] = []
    for (code, visit), row in family.to_dict("index").items():
        for name in STATISTICS:
            unit, decimals = KINDS.get(name, (row["unit"], None))
            rows += make_rows(
                "mmrm",
                {name: row[name]},
                parameter=code,
                visit=visit,
                unit=unit,
                decimals=decimals,
                n=row["n"],
                method=METHODS.get(name, "MMRM, unstructured covariance, Kenward-Roger"),
                function="summarise_fits",
            )
    return make_record(rows)


def count_family(record: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return how many comparisons the family has and how many stay below the level."""
    p = record.loc[record["statistic"] == "p_holm", "value"]
    counts: dict[str, float] = {"count": len(p), "clear_count": int((p < plan.alpha).sum())}
    return make_record(make_rows("family", counts, method="Holm", function="count_family"))


def name_row(record: pd.DataFrame, analysis: str, code: str) -> str:
    """Return an endpoint with the unit of its changes, as the head of a table's row."""
    unit = get_unit(record, analysis, "change", code).strip()
    return f"{MEASURES[code].name}, {unit}" if unit else MEASURES[code].name


def family_rows(record: pd.DataFrame) -> list[Row]:
    """Return a row for each comparison of the family."""
    own = record[record["statistic"] == "change"]
    return [
        Row((name_row(record, "mmrm", code), str(visit)), "mmrm", code, int(visit))
        for code, visit in zip(own["parameter"], own["visit"], strict=True)
    ]


def family_columns(plan: Plan) -> dict[str, Cell]:
    """Return the mixed model's change with raw and adjusted p-values, and the paired tests."""
    return {
        "Change": "{change}",
        f"{plan.level_words} CI": "{ci_low} to {ci_high}",
        "p, MMRM": "{p_mmrm}",
        "p, Holm": "{p_holm}",
        "p, paired t": "{p_t}",
        "p, Wilcoxon": "{p_wilcoxon}",
        "p, max-T": "{p_maxt}",
    }


def note_logs(plan: Plan) -> str:
    """Return in brackets which endpoints are shown as per cent change; nothing if none is."""
    names = [MEASURES[code].name for code in plan.family if MEASURES[code].log_scale]
    return f" (per cent for {join_words(names)})" if names else ""


def say_modelled(
    record: pd.DataFrame, plan: Plan, absent: dict[str, str], who: str = "participants"
) -> str:
    """Return each endpoint by the mixed model at the last visit, and the family's verdict.

    Parameters
    ----------
    record
        Record of the family (`record_family`).
    plan
        The analysis plan.
    absent
        Why an endpoint cannot be assessed, by PARAMCD; an empty text where it can.
    who
        What the participants are called (`msct_helpers.book.words.name_people`).
    """
    at, fitted = plan.last.number, set(record["parameter"])
    known = [c for c in plan.family if not np.isnan(get_value(record, "mmrm", "change", c, at))]
    parts = [describe_modelled(record, plan, code) for code in known]
    out = (
        f"At {plan.span}, as if none of the {who} had died, been transplanted or missed a visit, "
        f"{'; '.join(parts)}."
    )
    if not parts:
        out = f"No change from baseline to {plan.span} can be estimated by the mixed model."
    out += say_absent({c: absent.get(c) or UNFITTED for c in plan.family if c not in fitted})
    return f"{out} {say_family(record, plan)}"


def describe_modelled(record: pd.DataFrame, plan: Plan, code: str) -> str:
    """Return the change of one endpoint at the last visit by the mixed model."""
    at = (code, plan.last.number)
    side = "lower" if get_value(record, "mmrm", "change", *at) < 0 else "higher"
    return (
        f"{MEASURES[code].name} was {side} by {ref('mmrm', 'change', *at, unsigned=True)}"
        f"{get_unit(record, 'mmrm', 'change', code)} "
        f"({say_interval('mmrm', code, plan.last, plan)})"
    )


def say_family(record: pd.DataFrame, plan: Plan) -> str:
    """Return which comparisons stay significant when the whole family is adjusted for."""
    tests = record[record["statistic"] == "p_holm"]
    if tests.empty:
        return "No comparison can be tested."
    clear = tests[tests["value"] < plan.alpha]
    if clear.empty:
        return (
            f"Of {{family.count}} comparisons, none is below {plan.alpha_words} after Holm's "
            "adjustment."
        )
    kept = [
        f"{MEASURES[code].name} at {plan.visit(visit).words}"
        for code, visit in zip(clear["parameter"], clear["visit"], strict=True)
    ]
    return (
        f"Of {{family.count}} comparisons, {{family.clear_count}} stay below {plan.alpha_words} "
        f"after Holm's adjustment: {join_words(kept)}."
    )
