"""What lies behind a change of MELD: its parts, floors, bands, noise and regression to the mean."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import LABELS
from msct_helpers.meld.derive import derive_components
from msct_helpers.safety.shifts import count_moves
from msct_helpers.stats.scores import (
    MELD_CAP,
    MELD_CONSTANT,
    MELD_WEIGHTS,
    meld_terms,
    round_points,
)
from msct_helpers.trial.plan import SCORES, Plan

PART_NAMES = {"BILI": "bilirubin", "INR": "INR", "CREAT": "creatinine"}
"""Components of MELD(i), as named beside each other."""

GONE = ("DEATH", "LIVER TRANSPLANT", "NOT SEEN")
"""Where a participant without a score may stand at the last visit."""

ENTRY = {10: "tenth", 25: "quarter", 50: "half"}
"""Shares of all patients, in per cent, above which regression to the mean is shown."""


def decompose_change(adlb: pd.DataFrame) -> pd.DataFrame:
    """Return the exact parts of each participant's change in MELD(i) from baseline.

    The score is a sum of logarithms, so its change is the sum of the changes of its terms, each
    counted after floor and cap.

    Returns
    -------
    DataFrame
        USUBJID, AVISITN, BILI, INR, CREAT (points), CAP (what the cap of the score takes off) and
        TOTAL; a row for each later visit at which all components are known, as at baseline.
    """
    labs = derive_components(adlb)[list(MELD_WEIGHTS)].dropna().droplevel("AVISIT")
    points = pd.DataFrame(meld_terms(labs["BILI"], labs["INR"], labs["CREAT"]), index=labs.index)
    uncapped = points.sum(axis=1) + MELD_CONSTANT
    points["CAP"] = uncapped.clip(upper=MELD_CAP) - uncapped
    visit = points.index.get_level_values("AVISITN")
    first = points[visit == 0].droplevel("AVISITN")
    parts = points[visit > 0].sub(first, level="USUBJID").dropna()
    return parts.assign(TOTAL=parts.sum(axis=1)).reset_index()


def summarise_parts(parts: pd.DataFrame) -> pd.DataFrame:
    """Return the mean part of each component in the change at each visit."""
    rows: list[dict[str, Any]] = []
    for visit, own in parts.groupby("AVISITN"):
        for code in (*MELD_WEIGHTS, "TOTAL"):
            rows += make_rows(
                "part",
                {"mean": float(own[code].mean())},
                parameter=code,
                visit=int(visit),
                unit="score",
                n=len(own),
                method="mean over pairs",
                function="summarise_parts",
            )
    return make_record(rows)


def count_floors(adlb: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return how many values of each component stand on the floor of one at each visit.

    Empty where a component was never measured.
    """
    labs = derive_components(adlb)[list(MELD_WEIGHTS)]
    if labs.isna().all().any():
        return make_record([])
    rows: list[dict[str, Any]] = []
    for code in MELD_WEIGHTS:
        for visit in plan.visits:
            values = labs.loc[labs.index.get_level_values("AVISITN") == visit.number, code].dropna()
            rows += make_rows(
                "floor",
                {"count": int((values <= 1).sum()), "denominator": len(values)},
                parameter=code,
                visit=visit.number,
                n=len(values),
                method="values that count as 1 in the score",
                function="count_floors",
            )
    return make_record(rows)


def part_columns() -> dict[str, Cell]:
    """Return mean parts and floors by visit."""
    total: dict[str, Cell] = {"Total": show_part("TOTAL")}
    parts = {f"Part of {name}": show_part(code) for code, name in PART_NAMES.items()}
    floors = {f"Floor: {name}": show_floor(code) for code, name in PART_NAMES.items()}
    return parts | total | floors


def show_part(code: str) -> Cell:
    """Return the cell of a component's mean part at a row's visit."""
    return lambda row: ref("part", "mean", code, row.visit)


def show_floor(code: str) -> Cell:
    """Return the cell of a component's values on the floor at a row's visit."""
    return lambda row: " of ".join(
        ref("floor", s, code, row.visit) for s in ("count", "denominator")
    )


def say_parts(record: pd.DataFrame, plan: Plan, why: str) -> str:
    """Return of which parts the mean change at the last visit is the sum, or `why` of none."""
    at = plan.last.number
    if why:
        return f"Parts of the change in MELD(i): not assessable, {why}."
    if not (record["visit"] == at).any():
        return f"No participant has all components at baseline and {plan.last.words}."
    each = ", ".join(f"{ref('part', 'mean', c, at)} from {n}" for c, n in PART_NAMES.items())
    return (
        f"At {plan.last.words} the mean change of {ref('part', 'mean', 'TOTAL', at)} points is the "
        f"sum of {each}."
    )


def name_bands(plan: Plan) -> list[str]:
    """Return the bands of the rounded score, as ``<10``, ``10-14``, ``20+``."""
    cuts = plan.bands
    middle = [f"{low}-{high - 1}" for low, high in pairwise(cuts)]
    return [f"<{cuts[0]}", *middle, f"{cuts[-1]}+"]


def find_bands(points: pd.Series, plan: Plan) -> pd.Series:
    """Return the band of each score, after rounding it to whole points."""
    edges = [-np.inf, *plan.bands, np.inf]
    whole = pd.Series(round_points(points), index=points.index)
    return pd.cut(whole, edges, right=False, labels=name_bands(plan)).astype(object)


def widen_meld(scores: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return MELD(i) with one row a participant and a column a visit."""
    own = scores[scores["PARAMCD"] == "MELD"]
    wide = own.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    return wide.reindex(columns=list(plan.numbers))


def derive_bands(scores: pd.DataFrame, status: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return band at baseline and where each participant stood at the last visit.

    Parameters
    ----------
    scores
        Scores (`msct_helpers.meld.derive.derive_scores`).
    status
        USUBJID, STATUS (`msct_helpers.cohort.population.derive_disposition`).
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        USUBJID, START (band), END (band, or DEATH, LIVER TRANSPLANT, or NOT SEEN).
    """
    wide = widen_meld(scores, plan)
    wide = wide.dropna(subset=plan.first.number)
    reason = status.set_index("USUBJID")["STATUS"].reindex(wide.index)
    gone = reason.where(reason.isin(GONE), "NOT SEEN")
    bands = pd.DataFrame(
        {
            "START": find_bands(wide[plan.first.number], plan),
            "END": find_bands(wide[plan.last.number], plan).fillna(gone),
        }
    )
    return bands.reset_index()


def count_bands(moves: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return how many moved from each band to each end (`derive_bands`), zeros kept.

    Empty where nobody has a score at baseline.
    """
    if moves.empty:
        return make_record([])
    bands = tuple(name_bands(plan))
    return count_moves(moves, bands, (*bands, *GONE), "band")


def band_rows(plan: Plan) -> list[Row]:
    """Return a row for each band at baseline."""
    return [Row((band,), "band", group=band) for band in name_bands(plan)]


def band_columns(plan: Plan) -> dict[str, Cell]:
    """Return how many of a band stood in each band, or had which event, at the last visit."""
    ends = [*name_bands(plan), *GONE]
    return {LABELS.get(end, end.lower()): count_to(end) for end in ends}


def count_to(end: str) -> Cell:
    """Return the cell of those who went from a row's band to an end."""
    return lambda row: ref("band", "count", group=f"{row.group} to {end}")


def estimate_noise(scores: pd.DataFrame, plan: Plan) -> dict[str, float]:
    """Return within-patient SD of MELD(i) after baseline and the smallest change beyond noise.

    The SD is the residual one of a model with a mean for each participant and visit, over later
    visits, so it holds measurement error and short-term change together. The smallest detectable
    change is 1.96 (at a level of 95%) times the square root of two times that SD.

    Returns
    -------
    dict
        sd, smallest, and n (participants with two or more later visits); NaN where there are none.
    """
    wide = widen_meld(scores, plan)[[v.number for v in plan.later]]
    wide = wide[wide.notna().sum(axis=1) >= 2]
    if len(wide) < 3:
        return {"sd": np.nan, "smallest": np.nan, "n": float(len(wide))}
    long = wide.melt(ignore_index=False, value_name="y").dropna().reset_index()
    design = pd.get_dummies(long[["USUBJID", "AVISITN"]].astype(str), dtype=float).to_numpy()
    fitted = design @ np.linalg.lstsq(design, long["y"].to_numpy(), rcond=None)[0]
    freedom = len(long) - int(np.linalg.matrix_rank(design))
    sd = float(np.sqrt(((long["y"] - fitted) ** 2).sum() / freedom))
    quantile = round(float(stats.norm.ppf((1 + plan.level) / 2)), 2)
    return {"sd": sd, "smallest": quantile * float(np.sqrt(2)) * sd, "n": float(len(wide))}


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


def summarise_noise(scores: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return noise, and who changed beyond it at the last visit.

    Returns
    -------
    DataFrame
        Record, analysis ``noise``: sd, smallest, n, better_count, worse_count, total_count. Empty
        where MELD is not assessable.
    """
    wide = widen_meld(scores, plan)
    if wide.empty:
        return make_record([])
    noise = estimate_noise(scores, plan)
    change = (wide[plan.last.number] - wide[plan.first.number]).dropna()
    noise |= {
        "better_count": float((change < -noise["smallest"]).sum()),
        "worse_count": float((change > noise["smallest"]).sum()),
        "total_count": float(len(change)),
    }
    method = "residual SD over later visits"
    return make_record(
        make_rows("noise", noise, unit="score", method=method, function="estimate_noise")
    )


def summarise_regression(scores: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the fall by regression to the mean for patients who enter above a share of all.

    Returns
    -------
    DataFrame
        Record, analysis ``rtm``: sd at baseline, rho (correlation of baseline with later visits)
        and fall, by group. Empty where MELD is not assessable.
    """
    wide = widen_meld(scores, plan)
    if wide.empty:
        return make_record([])
    first = plan.first.number
    rho, sd = float(wide.corr().loc[first].drop(first).mean()), float(wide[first].std())
    rows = make_rows("rtm", {"sd": sd, "rho": rho}, unit="score", function="summarise_regression")
    for share in ENTRY:
        rows += make_rows(
            "rtm",
            {"fall": estimate_regression(sd, rho, float(stats.norm.ppf(share / 100)))},
            group=f"above-{share}",
            unit="score",
            method="Barnett 2005, equation 1",
            function="estimate_regression",
        )
    return make_record(rows)


def say_noise(record: pd.DataFrame, plan: Plan, why: str) -> str:
    """Return which changes cannot be told from noise, and what regression to the mean would give.

    Parameters
    ----------
    record
        Records of `summarise_noise` and `summarise_regression`.
    plan
        The analysis plan.
    why
        Why MELD is not assessable, in words.
    """
    if record.empty:
        return f"Noise and regression to the mean: not assessable, {why}."
    if record.loc[record["analysis"] == "noise", "value"].isna().any():
        return "Noise: not assessable, too few participants with repeated visits."
    falls = " / ".join(ref("rtm", "fall", group=f"above-{share}") for share in ENTRY)
    *shares, last = ENTRY.values()
    return (
        f"Between later visits MELD(i) of one participant varies with a standard deviation of "
        f"{ref('noise', 'sd')} points, so a change below {ref('noise', 'smallest')} points "
        f"cannot be told from noise. Of {ref('noise', 'total_count')} participants with both "
        f"values at {plan.last.words}, {ref('noise', 'better_count')} fell and "
        f"{ref('noise', 'worse_count')} rose by more.\n\n"
        "Regression to the mean gives a fall with no treatment where patients entered because "
        "their score was high. With the standard deviation at baseline "
        f"({ref('rtm', 'sd')} points) and the correlation with later visits "
        f"({ref('rtm', 'rho')}) seen here, entry above the lowest {', '.join(shares)} or {last} of "
        f"all patients would give mean falls of {falls} points."
    )


def compare_scores(scores: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the change of each score at the last visit, of whoever has all of them.

    Returns
    -------
    DataFrame
        Indexed by USUBJID, a column a score.
    """
    ends = scores[scores["AVISITN"].isin([plan.first.number, plan.last.number])]
    wide = ends.pivot(index=["USUBJID", "PARAMCD"], columns="AVISITN", values="AVAL")
    wide = wide.reindex(columns=[plan.first.number, plan.last.number])
    change = (wide[plan.last.number] - wide[plan.first.number]).unstack("PARAMCD")
    return change[[c for c in SCORES if c in change]].dropna()


def find_disagreements(change: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `compare_scores` in which scores moved in different directions."""
    return change[(change > 0).any(axis=1) & (change < 0).any(axis=1)]


def summarise_disagreements(found: pd.DataFrame) -> pd.DataFrame:
    """Return the changes of `find_disagreements` as a record, participants numbered."""
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(found.to_dict("records"), 1):
        for code, change in row.items():
            rows += make_rows(
                "disagree",
                {"change": change},
                parameter=str(code),
                group=f"{number}",
                unit="score",
                method="score at the visit minus baseline",
                function="find_disagreements",
            )
    return make_record(rows)


def disagreement_rows(found: pd.DataFrame) -> list[Row]:
    """Return a row for each participant, numbered."""
    numbers = [str(i) for i in range(1, len(found) + 1)]
    return [Row((number,), "disagree", group=number) for number in numbers]


def disagreement_columns(found: pd.DataFrame) -> dict[str, Cell]:
    """Return the change of each score."""

    def cell(code: str) -> Cell:
        return lambda row: ref("disagree", "change", code, group=row.group)

    return {SCORES[code].name: cell(code) for code in found}


def say_agreement(change: pd.DataFrame, plan: Plan, why: str) -> str:
    """Return why no participant is listed: nothing to compare, or all scores moved the same way.

    Parameters
    ----------
    change
        Change of each score (`compare_scores`).
    plan
        The analysis plan.
    why
        Why scores are not assessable, in words.
    """
    if why or change.shape[1] < 2:
        return f"Agreement of the scores: not assessable, {why or 'fewer than two scores'}."
    if change.empty:
        return f"No participant has all scores at baseline and {plan.last.words}."
    return f"At {plan.last.words} all scores of every participant moved the same way."
