"""Inference on change: MMRM first, then paired tests, and Holm over the whole family."""

from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.efficacy.change import derive_change, is_log_scale
from msct_helpers.stats.estimate import estimate_mean_change, estimate_sign_flip_p
from msct_helpers.stats.mmrm.model import fit_mmrm
from msct_helpers.trial.schema import VISITS


def estimate_mmrm(labs: pd.DataFrame, code: str) -> dict[int, dict[str, float]]:
    """Return the MMRM change from baseline at each later visit, in its analysis scale.

    Parameters
    ----------
    labs
        USUBJID, PARAMCD, AVISITN, AVAL of the full analysis set.
    code
        PARAMCD; ALT, AST and bilirubin are analysed as logarithms.

    Returns
    -------
    dict
        By month: estimate, se, df, p_value, ci_low, ci_high; empty where no MMRM can be fitted.
    """
    own = labs.loc[labs["PARAMCD"] == code, ["USUBJID", "AVISITN", "AVAL"]]
    if is_log_scale(code):
        own = own.assign(AVAL=np.log(own["AVAL"]))
    own = own.assign(AVISITN=own["AVISITN"].astype(int))
    if own["AVISITN"].nunique() < 2:
        return {}
    try:
        model = fit_mmrm("AVAL ~ C(AVISITN)", own, subject="USUBJID", visit="AVISITN")
    except ValueError:
        return {}
    return {
        month: model.coefficients.loc[f"C(AVISITN)[T.{month}]"].to_dict()
        for month in VISITS
        if f"C(AVISITN)[T.{month}]" in model.coefficients.index
    }


def summarise_family(labs: pd.DataFrame, codes: tuple[str, ...]) -> pd.DataFrame:
    """Return the primary analysis of every endpoint and visit, with Holm's adjustment.

    Parameters
    ----------
    labs
        Measurements and scores of the full analysis set.
    codes
        Endpoints of the family, by PARAMCD; those not recorded are left out.

    Returns
    -------
    DataFrame
        Record, analysis ``mmrm``: change, ci_low, ci_high (per cent where the scale is log), df,
        p_mmrm, p_holm, p_t, p_wilcoxon, p_flip; and standard, standard_low, standard_high: the
        change on the scale of analysis in baseline standard deviations.
    """
    change = derive_change(labs)
    found: list[tuple[str, int, dict[str, float]]] = []
    for code in codes:
        own = change[change["PARAMCD"] == code]
        fits = estimate_mmrm(labs, code)
        for month in (m for m in VISITS if m):
            pairs = own.loc[own["AVISITN"] == month, "CHG"].dropna().to_numpy(dtype=float)
            if len(own) and month in fits:
                found.append((code, month, describe(code, own, fits[month], pairs)))
    if found:
        adjusted = multipletests([f[2]["p_mmrm"] for f in found], method="holm")[1]
        for entry, p in zip(found, adjusted, strict=True):
            entry[2]["p_holm"] = float(p)
    rows: list[dict[str, Any]] = []
    for code, month, statistics in found:
        own = change[change["PARAMCD"] == code]
        unit = "%" if is_log_scale(code) else str(own["AVALU"].iloc[0])
        shared: dict[str, Any] = {
            "parameter": code,
            "visit": month,
            "n": own["USUBJID"].nunique(),
            "method": "MMRM, unstructured covariance, Kenward-Roger",
            "function": "summarise_family",
        }
        for name, value in statistics.items():
            plain = name in ("change", "ci_low", "ci_high") or name.startswith("p_")
            own_unit = unit if plain else "SD" if name.startswith("standard") else "df"
            decimals = None if plain else 2 if own_unit == "SD" else 1
            rows += make_rows("mmrm", {name: value}, unit=own_unit, decimals=decimals, **shared)
    return make_record(rows)


def describe(
    code: str, own: pd.DataFrame, fit: dict[str, float], pairs: np.ndarray
) -> dict[str, float]:
    """Return the statistics of one endpoint and visit."""

    def show(value: float) -> float:
        return 100 * float(np.expm1(value)) if is_log_scale(code) else value

    base = own.loc[own["AVISITN"] == 0, "AVAL"]
    spread = float((np.log(base) if is_log_scale(code) else base).std())
    paired = estimate_mean_change(pairs)
    return {
        "change": show(fit["estimate"]),
        "ci_low": show(fit["ci_low"]),
        "ci_high": show(fit["ci_high"]),
        "df": fit["df"],
        "p_mmrm": fit["p_value"],
        "p_holm": float("nan"),
        "p_t": paired["p_t"],
        "p_wilcoxon": paired["p_wilcoxon"],
        "p_flip": estimate_sign_flip_p(pairs),
        "standard": fit["estimate"] / spread,
        "standard_low": fit["ci_low"] / spread,
        "standard_high": fit["ci_high"] / spread,
    }
