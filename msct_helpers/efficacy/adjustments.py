"""What the two forms of Kenward and Roger's adjustment give for the model of the key score."""

from typing import Any

import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.efficacy.inference import fit_change, scale_values
from msct_helpers.stats.mmrm.model import ADJUSTMENTS
from msct_helpers.trial.plan import MEASURES, Plan

WORDS = {"linear": "linear form", "second-derivatives": "with second derivatives"}


def summarise_adjustments(labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the change of the key score at the last visit under each form of the adjustment.

    Parameters
    ----------
    labs
        Measurements and scores of the full analysis set.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record, analysis ``kr``, a group for each form (`ADJUSTMENTS`): change, se, ci_low, ci_high
        on the scale of analysis, df and p_value. Empty where the model cannot be fitted.
    """
    values = scale_values(labs, plan.key_score)
    rows: list[dict[str, Any]] = []
    for form in ADJUSTMENTS:
        fit = fit_change("AVAL ~ C(AVISITN)", values, plan, form)
        if fit is None:
            continue
        own = fit.coefficients.loc[f"C(AVISITN)[T.{plan.last.number}]"]
        shown = {"change": own["estimate"]} | dict(own[["se", "ci_low", "ci_high", "p_value"]])
        for statistics, unit in ((shown, "score"), ({"df": own["df"]}, "df")):
            rows += make_rows(
                "kr", statistics, parameter=plan.key_score, visit=plan.last.number, group=form,
                unit=unit, n=values["USUBJID"].nunique(), decimals=1 if unit == "df" else None,
                method=f"MMRM, Kenward-Roger, {WORDS[form]}", function="summarise_adjustments",
            )  # fmt: skip
    return make_record(rows)


def say_adjustments(record: pd.DataFrame, plan: Plan, whose: str) -> str:
    """Return which form the book uses, why, and what the other gives; nothing without a model.

    Parameters
    ----------
    record
        Record of `summarise_adjustments`.
    plan
        The analysis plan.
    whose
        The data, as in "for MELD of the synthetic trial".
    """
    if record.empty:
        return ""

    def at(statistic: str, form: str) -> str:
        return ref("kr", statistic, plan.key_score, plan.last.number, form)

    linear, bent = ADJUSTMENTS
    return (
        "The mixed model uses the linear form of Kenward and Roger's adjustment, which with "
        f"complete data gives the paired t test exactly: for {MEASURES[plan.key_score].name} at "
        f"{plan.at_last} of {whose} the standard error of the change is {at('se', linear)} points "
        f"and p = {at('p_value', linear)}; the form with second derivatives, which R's mmrm takes "
        f"unless told otherwise, gives {at('se', bent)} and p = {at('p_value', bent)}."
    )
