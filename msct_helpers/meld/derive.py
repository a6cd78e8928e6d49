"""Scores of liver function over visits, derived from their components."""

import numpy as np
import pandas as pd

from msct_helpers.cohort.population import list_absent
from msct_helpers.stats import scores
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import PARAMETERS, SCORES

UNITS = {"BILI": "mg/dL", "CREAT": "mg/dL", "ALB": "g/dL", "INR": "1", "SODIUM": "mmol/L"}
"""Units in which the scores take their components."""


def list_assessable(trial: Trial) -> dict[str, str]:
    """Return for each score why it cannot be assessed, in words; an empty text where it can."""
    return {code: list_absent(trial.parameters, score.parts) for code, score in SCORES.items()}


def derive_all(trial: Trial) -> pd.DataFrame:
    """Return measurements and derived scores of the full analysis set in one table."""
    labs = trial.efficacy_labs
    return pd.concat([labs, derive_scores(labs, trial.adsl)], ignore_index=True)


def derive_scores(adlb: pd.DataFrame, adsl: pd.DataFrame, *, rounded: bool = False) -> pd.DataFrame:
    """Return the scores of each participant and visit whose components are all known.

    Parameters
    ----------
    adlb
        Measurements, in any known unit.
    adsl
        USUBJID and SEX.
    rounded
        Whether to round as the score's policy says; not for change.

    Returns
    -------
    DataFrame
        Rows in the shape of adlb: USUBJID, PARAMCD (MELD, MELDNA, MELD3, ALBI), AVISIT, AVISITN,
        AVAL (points), AVALU ("score"). Empty where no score can be assessed.
    """
    labs = derive_components(adlb).reset_index()
    labs = labs.merge(adsl[["USUBJID", "SEX"]], on="USUBJID", how="left")
    bili, inr, creat, sodium, alb = (
        labs[c].to_numpy(dtype=float) for c in ("BILI", "INR", "CREAT", "SODIUM", "ALB")
    )
    female = labs["SEX"].map({"F": 1.0, "M": 0.0}).to_numpy(dtype=float)
    values = {
        "MELD": scores.meld(bili, inr, creat, rounded=rounded),
        "MELDNA": scores.meld_na(bili, inr, creat, sodium, rounded=rounded),
        "MELD3": scores.meld_3_0(bili, inr, creat, sodium, alb, female, rounded=rounded),
        "ALBI": scores.albi(
            bili * PARAMETERS["BILI"].units["mg/dL"], alb * PARAMETERS["ALB"].units["g/dL"]
        ),
    }
    keys = labs[["USUBJID", "AVISIT", "AVISITN"]]
    tables = [keys.assign(PARAMCD=code, AVAL=v, AVALU="score") for code, v in values.items()]
    return pd.concat(tables, ignore_index=True).dropna(subset="AVAL").reset_index(drop=True)


def derive_components(adlb: pd.DataFrame) -> pd.DataFrame:
    """Return labs side by side in the units of the scores (`UNITS`).

    Returns
    -------
    DataFrame
        Index USUBJID, AVISIT, AVISITN; columns BILI, CREAT (mg/dL), ALB (g/dL), INR, SODIUM
        (mmol/L); missing where not measured.
    """
    labs = adlb[adlb["PARAMCD"].isin(UNITS)]
    factor = [
        PARAMETERS[c].units[u] / PARAMETERS[c].units[UNITS[c]]
        for c, u in zip(labs["PARAMCD"], labs["AVALU"], strict=True)
    ]
    labs = labs.assign(AVAL=labs["AVAL"] * np.array(factor, dtype=float))
    wide = labs.set_index(["USUBJID", "AVISIT", "AVISITN", "PARAMCD"])["AVAL"].unstack("PARAMCD")
    return wide.reindex(columns=list(UNITS))
