"""What lies behind a change of MELD: its parts, floors, bands, noise and regression to the mean."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.meld.derive import NAMES, derive_components
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import VISITS

LAST = max(VISITS)
WEIGHTS = {"BILI": 3.78, "INR": 11.20, "CREAT": 9.57}
"""Points of MELD(i) for a unit of the logarithm of each component (OPTN policy)."""

BANDS = {
    "<10": (-np.inf, 10.0),
    "10-14": (10.0, 15.0),
    "15-19": (15.0, 20.0),
    "20+": (20.0, np.inf),
}
"""Bands of the rounded score: lowest score in and first score above."""


def decompose_change(adlb: pd.DataFrame) -> pd.DataFrame:
    """Return the exact parts of each participant's change in MELD(i) from baseline.

    The score is a sum of logarithms, so its change is the sum of the changes of its terms, each
    counted after floor and cap.

    Returns
    -------
    DataFrame
        USUBJID, AVISITN, BILI, INR, CREAT (points), CAP (what the cap of the score at 40 takes
        off) and TOTAL; a row for each later visit at which all components are known, as at
        baseline.
    """
    labs = derive_components(adlb)[["BILI", "INR", "CREAT"]].dropna()
    parts = np.log(labs.clip(lower=1.0).assign(CREAT=labs["CREAT"].clip(1.0, 4.0)))
    points = parts.mul(pd.Series(WEIGHTS)).reset_index()
    uncapped = points[list(WEIGHTS)].sum(axis=1) + 6.43
    points["CAP"] = np.minimum(uncapped, 40.0) - uncapped
    columns = [*WEIGHTS, "CAP"]
    first = points[points["AVISITN"] == 0].set_index("USUBJID")[columns]
    later = points[(points["AVISITN"] > 0) & points["USUBJID"].isin(first.index)].copy()
    later[columns] = later[columns].to_numpy() - first.loc[later["USUBJID"]].to_numpy()
    later["TOTAL"] = later[columns].sum(axis=1)
    return later[["USUBJID", "AVISITN", *columns, "TOTAL"]].reset_index(drop=True)


def count_floors(adlb: pd.DataFrame) -> pd.DataFrame:
    """Return how many values of each component stand on the floor of one at each visit."""
    labs = derive_components(adlb)[list(WEIGHTS)].reset_index()
    rows: list[dict[str, Any]] = []
    for code in WEIGHTS:
        for month in VISITS:
            values = labs.loc[labs["AVISITN"] == month, code].dropna()
            rows += make_rows(
                "floor",
                {"count": int((values <= 1).sum()), "denominator": len(values)},
                parameter=code,
                visit=month,
                n=len(values),
                method="values that count as 1 in the score",
                function="count_floors",
            )
    return make_record(rows)


def summarise_parts(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the mean part of each component in the change at each visit."""
    rows: list[dict[str, Any]] = []
    for month, own in parts.groupby("AVISITN"):
        for code in (*WEIGHTS, "TOTAL"):
            rows += make_rows(
                "part",
                {"mean": float(own[code].mean())},
                parameter=code,
                visit=int(month),
                unit="score",
                n=len(own),
                method="mean over pairs",
                function="summarise_parts",
            )
    return make_record(rows)


def name_band(points: float) -> str:
    """Return the band of a score, after rounding it to whole points."""
    whole = np.floor(points + 0.5)
    return next(name for name, (low, high) in BANDS.items() if low <= whole < high)


def derive_bands(scores: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Return band at baseline and where each participant stood at the last visit.

    Returns
    -------
    DataFrame
        USUBJID, START (band), END (band, or DEATH, LIVER TRANSPLANT, or NOT SEEN).
    """
    own = scores[scores["PARAMCD"] == "MELD"].pivot(
        index="USUBJID", columns="AVISITN", values="AVAL"
    )
    own = own.reindex(columns=list(VISITS)).dropna(subset=0)
    status = derive_disposition(adsl, Plan()).set_index("USUBJID")["STATUS"].reindex(own.index)
    gone = status.where(status.isin(["DEATH", "LIVER TRANSPLANT"]), "NOT SEEN")
    end = [
        reason if np.isnan(value) else name_band(value)
        for value, reason in zip(own[LAST], gone, strict=True)
    ]
    return pd.DataFrame(
        {"USUBJID": own.index, "START": own[0].map(name_band).to_numpy(), "END": end}
    )


def estimate_noise(scores: pd.DataFrame) -> dict[str, float]:
    """Return within-patient SD of MELD(i) after baseline and the smallest change beyond noise.

    The SD is the residual one of a model with a mean for each participant and visit, over later
    visits, so it holds measurement error and short-term change together. The smallest detectable
    change is 1.96 times the square root of two times that SD.

    Returns
    -------
    dict
        sd, smallest, and n (participants with two or more later visits); NaN where there are none.
    """
    later = scores[(scores["PARAMCD"] == "MELD") & (scores["AVISITN"] > 0)]
    wide = later.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    wide = wide[wide.notna().sum(axis=1) >= 2]
    nan = float("nan")
    if len(wide) < 3:
        return {"sd": nan, "smallest": nan, "n": float(len(wide))}
    long = wide.melt(ignore_index=False, value_name="y").dropna().reset_index()
    design = pd.get_dummies(long[["USUBJID", "AVISITN"]].astype(str), dtype=float).to_numpy()
    fitted = design @ np.linalg.lstsq(design, long["y"].to_numpy(), rcond=None)[0]
    freedom = len(long) - int(np.linalg.matrix_rank(design))
    sd = float(np.sqrt(((long["y"] - fitted) ** 2).sum() / freedom))
    return {"sd": sd, "smallest": 1.96 * float(np.sqrt(2)) * sd, "n": float(len(wide))}


def estimate_regression(sd: float, rho: float, z: float) -> float:
    """Return the fall that regression to the mean alone gives to patients above a cut-off.

    Parameters
    ----------
    sd
        Standard deviation of a single measurement, between and within patients together.
    rho
        Correlation of two measurements of a patient.
    z
        Cut-off in standard deviations from the mean; patients above it enter.

    Notes
    -----
    Barnett, van der Pols and Dobson, Int J Epidemiol 2005; 34: 215-220, equation 1.
    """
    return sd * (1 - rho) * float(stats.norm.pdf(z) / stats.norm.sf(z))


def summarise_noise(scores: pd.DataFrame) -> pd.DataFrame:
    """Return noise, who changed beyond it at the last visit, and regression to the mean.

    Returns
    -------
    DataFrame
        Record: ``noise`` (sd, smallest, better_count, worse_count, total_count) and ``rtm``
        (fall, for patients who enter above the lowest tenth, quarter or half of all, given the
        SD at baseline and the correlation of baseline with later visits). Empty where MELD is
        not assessable.
    """
    own = scores[scores["PARAMCD"] == "MELD"]
    if own.empty:
        return make_record([])
    noise = estimate_noise(scores)
    wide = own.pivot(index="USUBJID", columns="AVISITN", values="AVAL").reindex(
        columns=list(VISITS)
    )
    change = (wide[LAST] - wide[0]).dropna()
    noise |= {
        "better_count": float((change < -noise["smallest"]).sum()),
        "worse_count": float((change > noise["smallest"]).sum()),
        "total_count": float(len(change)),
    }
    rows = make_rows(
        "noise",
        noise,
        unit="score",
        method="residual SD over later visits",
        function="estimate_noise",
    )
    rho = float(wide.corr().loc[0, [m for m in VISITS if m]].mean())
    sd = float(wide[0].std())
    rows += make_rows("rtm", {"sd": sd, "rho": rho}, unit="score", function="summarise_noise")
    for share in (10, 25, 50):
        fall = estimate_regression(sd, rho, float(stats.norm.ppf(share / 100)))
        rows += make_rows(
            "rtm",
            {"fall": fall},
            group=f"above-{share}",
            unit="score",
            method="Barnett 2005, equation 1",
            function="estimate_regression",
        )
    return make_record(rows)


def list_disagreements(scores: pd.DataFrame) -> pd.DataFrame:
    """Return whose scores moved in different directions by the last visit.

    Returns
    -------
    DataFrame
        USUBJID and the change of each score; rows in which both signs occur.
    """
    own = scores[scores["AVISITN"].isin([0, LAST])]
    wide = own.pivot(index="USUBJID", columns=["PARAMCD", "AVISITN"], values="AVAL")
    codes = [c for c in NAMES if (c, 0) in wide.columns and (c, LAST) in wide.columns]
    change = pd.DataFrame({c: wide[(c, LAST)] - wide[(c, 0)] for c in codes}).dropna()
    if change.empty or len(codes) < 2:
        return pd.DataFrame(columns=["USUBJID", *codes])
    mixed = (change > 0).any(axis=1) & (change < 0).any(axis=1)
    return change[mixed].reset_index()


def summarise_disagreements(found: pd.DataFrame) -> pd.DataFrame:
    """Return the changes of `list_disagreements` as a record, participants numbered."""
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(found.drop(columns="USUBJID").to_dict("records"), 1):
        for code, change in row.items():
            rows += make_rows(
                "disagree",
                {"change": change},
                parameter=str(code),
                group=f"{number}",
                unit="score",
                method="score at the visit minus baseline",
                function="list_disagreements",
            )
    return make_record(rows)
