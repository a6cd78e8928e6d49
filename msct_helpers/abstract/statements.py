"""Test the published statements about the trial on a data set."""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.cohort.population import derive_disposition, list_absent
from msct_helpers.efficacy.change import derive_change
from msct_helpers.meld.derive import derive_scores
from msct_helpers.safety.safety import count_window
from msct_helpers.stats.estimate import estimate_mean_change
from msct_helpers.trial.plan import SCORES, Plan

ALPHA = 0.05

RULES: dict[str, tuple[str, str]] = {
    "count": (
        "The number of participants in the data equals the published one.",
        "Counts are within two years, and of a participant's events the first counts; the source "
        "does not say whether the dead, the transplanted and the lost are different people.",
    ),
    "direction": (
        "The mean moved in the published direction: for all seen at the visit against all at "
        "baseline (observed), and among participants with both values (pairs).",
        "The source does not say which of the two means it reports; MELD is MELD(i), unrounded.",
    ),
    "significance": (
        "Among pairs, the paired t-test and Wilcoxon's signed-rank test agree with the published "
        "word at the 5% level.",
        "The source names no test and no level.",
    ),
    "design": ("No rule: a statement on design or purpose cannot be tested on data.", ""),
    "conclusion": ("No rule: evidence for and against is set side by side.", ""),
}
"""How each kind of statement is judged, and what the rule assumes."""
FIELDS: dict[str, Any] = {
    "assessable": False,
    "why_not": "",
    "holds_observed": pd.NA,
    "holds_pairs": pd.NA,
    "estimate_observed": np.nan,
    "estimate_pairs": np.nan,
    "p_value": np.nan,
    "p_wilcoxon": np.nan,
    "n_observed": pd.NA,
    "n_pairs": pd.NA,
    "count": pd.NA,
    "denominator": pd.NA,
}
"""What a check finds, with the values that stand where it finds nothing."""


def check_statements(
    published: pd.DataFrame,
    adsl: pd.DataFrame,
    adlb: pd.DataFrame,
    adae: pd.DataFrame | None,
    adex: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return for each published statement whether the data agree with it.

    Parameters
    ----------
    published
        Columns id, kind, parameter, visit, direction, significance, count, statement; all text.
    adsl, adlb, adae, adex
        Tables of a data set; `adae` None where adverse events were not recorded, `adex` where
        infusions were not recorded one by one.

    Returns
    -------
    DataFrame
        One row a statement, in the same order: id, kind, parameter, visit, statement and `FIELDS`.
        ``holds_observed`` compares the mean of all seen at the visit with that of all at baseline,
        ``holds_pairs`` the mean change among participants with both values. Significance is
        judged among pairs, by the paired t-test and Wilcoxon's signed-rank test together (assumed:
        the source names no test). Counts are within two years; of a participant's events the first
        counts (assumed).
    """
    labs = pd.concat([adlb, derive_scores(adlb, adsl)])
    change = derive_change(labs)
    rows = []
    for claim in published.to_dict("records"):
        row = {k: claim[k] for k in ("id", "kind", "parameter", "visit", "statement")} | FIELDS
        if claim["kind"] == "count":
            row |= check_count(claim, adsl, adae, adex)
        elif claim["kind"] in ("direction", "significance"):
            row |= check_change(claim, change)
        else:
            row |= {"why_not": f"{claim['kind']}, not testable"}
        rows.append(row)
    return pd.DataFrame(rows)


def check_change(claim: dict[Any, Any], change: pd.DataFrame) -> dict[str, Any]:
    """Return the check of a statement on direction or significance of a change."""
    code = str(claim["parameter"])
    own = change[change["PARAMCD"] == code]
    if own.empty:
        return {"why_not": _why_absent(code, change)}
    months = [int(claim["visit"])] if claim["visit"] else [6, 12, 24]
    found = [compare_visit(own, month) for month in months]
    if any(f["n_pairs"] < 2 for f in found):
        return {"why_not": "fewer than two participants measured at both visits"}
    if claim["significance"] and any(np.isnan(f["p_value"]) for f in found):
        return {"why_not": "every participant changed by the same amount, no test applies"}
    if claim["significance"] == "not significant":
        holds = all(min(f["p_value"], f["p_wilcoxon"]) >= ALPHA for f in found)
        nearest = min(found, key=lambda f: min(f["p_value"], f["p_wilcoxon"]))
        return nearest | {"assessable": True, "holds_pairs": holds}
    sign = 1.0 if claim["direction"] == "higher" else -1.0
    result = found[0] | {"assessable": True}
    result["holds_pairs"] = bool(sign * result["estimate_pairs"] > 0)
    if claim["significance"] == "significant":
        result["holds_pairs"] &= max(result["p_value"], result["p_wilcoxon"]) < ALPHA
    else:
        result["holds_observed"] = bool(sign * result["estimate_observed"] > 0)
    return result


def compare_visit(own: pd.DataFrame, month: int) -> dict[str, Any]:
    """Return the change of one parameter at a visit, as observed and among pairs.

    Parameters
    ----------
    own
        Rows of one parameter, with AVISITN, AVAL and CHG.
    month
        Visit.
    """
    at = own[own["AVISITN"] == month]
    pairs = at["CHG"].dropna().to_numpy(dtype=float)
    paired = estimate_mean_change(pairs, 1 - ALPHA)
    start = own.loc[own["AVISITN"] == 0, "AVAL"].mean()
    return {
        "estimate_observed": float(at["AVAL"].mean() - start),
        "estimate_pairs": paired["mean"],
        "p_value": paired["p_t"],
        "p_wilcoxon": paired["p_wilcoxon"],
        "n_observed": len(at),
        "n_pairs": len(pairs),
    }


def check_count(
    claim: dict[Any, Any],
    adsl: pd.DataFrame,
    adae: pd.DataFrame | None,
    adex: pd.DataFrame | None,
) -> dict[str, Any]:
    """Return the check of a published count, where participants of the data set were infused."""
    treated = adsl.loc[adsl["SAFFL"] == "Y", "USUBJID"]
    if treated.empty:
        return {"why_not": "nobody in this data set received MSC"}
    status = derive_disposition(adsl, Plan())["STATUS"]
    counts = {
        "N1": len(adsl),
        "N2": int((adsl["MSCSRC"] == "UMBILICAL CORD").sum()),
        "N3": int((status == "DEATH").sum()),
        "N4": int((status == "LIVER TRANSPLANT").sum()),
        "N5": int((status == "LOST TO FOLLOW-UP").sum()),
    }
    agrees = True
    if claim["id"] == "S1":
        if adae is None:
            return {"why_not": "adverse events not recorded"}
        counts["S1"], unknown = count_window(adsl, adae, adex)
        if unknown:
            return {"why_not": "of a serious event neither hours nor the day tell"}
        agrees = len(treated) == int(claim["denominator"])
    if claim["id"] == "N2":
        others = [int((adsl["MSCSRC"] == s).sum()) for s in ("CORD BLOOD", "BONE MARROW")]
        agrees = others == [2, 1]
    count = counts[str(claim["id"])]
    holds = agrees and count == int(claim["count"])
    total = len(treated) if claim["id"] == "S1" else len(adsl)
    return {"assessable": True, "holds_pairs": holds, "count": count, "denominator": total}


def _why_absent(code: str, change: pd.DataFrame) -> str:
    needs = SCORES[code].parts if code in SCORES else (code,)
    return list_absent(tuple(change["PARAMCD"].unique()), needs) or "components never together"
