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
    visits: it mixes measurement error with real changes over the months between them. The smallest
    detectable change is 1.96 (at a level of 95%) times the square root of two times that SD.

    Returns
    -------
    dict
        sd, smallest, and n (participants with two or more later visits); NaN where there are none.
    """
    wide = widen_meld(scores, plan)[[v.number for v in plan.later]]
    wide = wide[wide.notna().sum(axis=1) >= 2]
    if len(wide) < 3:
        return {"sd": np.nan, "smallest": np.nan, "n": float(len(wide))}
    # Centred within participants, only the visits are left to estimate.
    seen = wide.notna().to_numpy()
    response = wide.sub(wide.mean(axis=1), axis=0).to_numpy()[seen]
    visits = seen[:, :, None] * np.eye(seen.shape[1])
    design = (visits - visits.sum(axis=1, keepdims=True) / seen.sum(axis=1)[:, None, None])[seen]
    fitted = design @ np.linalg.lstsq(design, response, rcond=None)[0]
    freedom = len(response) - len(wide) - int(np.linalg.matrix_rank(design))
    sd = float(np.sqrt(((response - fitted) ** 2).sum() / freedom))
    quantile = round(float(stats.norm.ppf((1 + plan.level) / 2)), 2)
    return {"sd": sd, "smallest": quantile * float(np.sqrt(2)) * sd, "n": float(len(wide))}


def estimate_regression(sd: float, slope: float, z: float) -> float:
    """Return the fall that regression to the mean alone gives to patients above a cut-off.

    Parameters
    ----------
    sd
        Standard deviation of a single measurement, between and within patients together.
    slope
        Slope of a later measurement on the first one: their correlation where both vary alike.
    z
        Cut-off in standard deviations from the mean; patients above it enter.

    Notes
    -----
    Barnett, van der Pols and Dobson, Int J Epidemiol 2005; 34: 215-220, equation 1.
    """
    return sd * (1 - slope) * float(stats.norm.pdf(z) / stats.norm.sf(z))


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


def summarise_regression(population: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the fall by regression to the mean of patients who entered because of a high score.

    Mean, spread and correlation are those of a population, never of the patients who were enrolled:
    for MELD(i) they are assumed, for ALBI those of the Mayo cohort.

    Parameters
    ----------
    population
        Scores of a cohort that nobody selected (`derive_scores`).
    plan
        The analysis plan of that cohort.

    Returns
    -------
    DataFrame
        Record, analysis ``rtm`` by score: cutoff, centre, sd; and by group, how closely a later
        visit follows the first: slope, and fall beside what happens to everybody.
    """
    rows: list[dict[str, Any]] = []
    known = {"MELD": ASSUMED} | measure_population(population, plan)
    for code, (cutoff, centre, sd, slopes) in known.items():
        about: dict[str, Any] = {"parameter": code, "unit": "score"}
        about["function"] = "summarise_regression"
        whole = 0 if code == "MELD" else None
        shown = {"cutoff": cutoff, "centre": centre, "sd": sd}
        rows += make_rows("rtm", shown, decimals=whole, **about)
        for name, slope in slopes.items():
            fall = estimate_regression(sd, slope, (cutoff - centre) / sd)
            own = about | {"group": name, "method": "Barnett 2005, equation 1"}
            rows += make_rows("rtm", {"slope": slope, "fall": fall}, **own)
    return make_record(rows)


ASSUMED = (15.0, 12.0, 5.0, {"low": 0.5, "middle": 0.7, "high": 0.8})
"""Entry at this MELD(i) or more, mean, SD and correlations of two visits in a population; assumed,
because the abstract gives none of them."""

ALBI_GRADE_3 = -1.39
"""Johnson et al., J Clin Oncol 2015; 33: 550-558."""


def measure_population(
    scores: pd.DataFrame, plan: Plan
) -> dict[str, tuple[float, float, float, dict[str, float]]]:
    """Return cut-off, mean, SD of ALBI and slopes of later visits on the first, where scored."""
    own = scores[scores["PARAMCD"] == "ALBI"]
    if own.empty:
        return {}
    wide = own.pivot(index="USUBJID", columns="AVISITN", values="AVAL")
    first, ends = wide[0], (plan.later[0].number, plan.last.number)
    # Those seen later began less spread than all: their slope is not the correlation.
    slopes = {
        name: float(first.cov(wide[n]) / first[wide[n].notna()].var())
        for name, n in zip(("first", "last"), ends, strict=True)
    }
    return {"ALBI": (ALBI_GRADE_3, float(first.mean()), float(first.std()), slopes)}


LABORATORIES = {"low": 8, "high": 14, "laboratories": 14, "gap": 4.8, "fewer": 7}
"""MELD of one sample in 14 laboratories (doi 10.1111/j.1600-6143.2007.01822.x), and the mean
difference between the highest and the lowest of seven (PMID 18482269)."""


def record_laboratories() -> pd.DataFrame:
    """Return what others found on MELD between laboratories, analysis ``labs``."""
    rows: list[dict[str, Any]] = []
    for name, value in LABORATORIES.items():
        method = "doi 10.1111/j.1600-6143.2007.01822.x; PMID 18482269"
        rows += make_rows("labs", {name: value}, decimals=int(name == "gap"), method=method)
    return make_record(rows)


def say_noise(record: pd.DataFrame, plan: Plan, why: str) -> str:
    """Return which changes cannot be told from noise, within patients and between laboratories.

    Parameters
    ----------
    record
        Records of `summarise_noise` and `record_laboratories`.
    plan
        The analysis plan.
    why
        Why MELD is not assessable, in words.
    """
    at = {name: ref("labs", name) for name in LABORATORIES}
    elsewhere = (
        f"Elsewhere one blood sample scored between {at['low']} and {at['high']} in "
        f"{at['laboratories']} laboratories (doi:10.1111/j.1600-6143.2007.01822.x), and the "
        f"highest and the lowest of {at['fewer']} laboratories lay {at['gap']} points apart on "
        "average (PMID 18482269)."
    )
    own = record[record["analysis"] == "noise"]
    if own.empty:
        return f"Noise of MELD(i) in these participants: not assessable, {why}. {elsewhere}"
    if own["value"].isna().any():
        few = "too few participants with repeated visits"
        return f"Noise of MELD(i) in these participants: not assessable, {few}. {elsewhere}"
    return (
        f"Between later visits MELD(i) of one participant varies with a standard deviation of "
        f"{ref('noise', 'sd')} points. That mixes error of measurement with real changes between "
        f"visits; a change below {ref('noise', 'smallest')} points cannot be told from it. Of "
        f"{ref('noise', 'total_count')} participants with both values at {plan.last.words}, "
        f"{ref('noise', 'better_count')} fell and {ref('noise', 'worse_count')} rose by more. "
        f"{elsewhere}"
    )


def say_regression(record: pd.DataFrame) -> str:
    """Return what regression to the mean gives to patients who entered because of a high score.

    Parameters
    ----------
    record
        Record of `summarise_regression`.
    """

    def at(statistic: str, code: str, group: str = "") -> str:
        return ref("rtm", statistic, code, group=group)

    low, middle, high = ASSUMED[3]
    out = (
        "Regression to the mean gives a fall with no treatment to patients who entered because "
        "their score was high. What it gives depends on the population from which they came, "
        "which the patients enrolled cannot tell. Assume one in which MELD(i) has a mean of "
        f"{at('centre', 'MELD')} and a standard deviation of {at('sd', 'MELD')} points, and entry "
        f"at {at('cutoff', 'MELD')} or more: the mean then falls by {at('fall', 'MELD', middle)} "
        f"points where two visits correlate by {at('slope', 'MELD', middle)}, by "
        f"{at('fall', 'MELD', low)} at {at('slope', 'MELD', low)} and by "
        f"{at('fall', 'MELD', high)} at {at('slope', 'MELD', high)}."
    )
    if not (record["parameter"] == "ALBI").any():
        return out
    return (
        f"{out} ALBI can be measured in a real cohort: in the Mayo patients (mean "
        f"{at('centre', 'ALBI')}, standard deviation {at('sd', 'ALBI')}, slope of the first and "
        f"the last later visit on the first value {at('slope', 'ALBI', 'first')} and "
        f"{at('slope', 'ALBI', 'last')}), entry at grade 3 would give falls of "
        f"{at('fall', 'ALBI', 'first')} and {at('fall', 'ALBI', 'last')} points, against the "
        "worsening of the whole cohort."
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
