"""Simulate trials in which nothing changes, and count how often each method of the book errs.

Twenty-six patients, visits at baseline and months 6, 12 and 24. In each trial five of them leave by
an event and four are lost, chosen at random on days drawn evenly over the two years: the counts of
the published abstract, their timing and their chance nature are assumed. Every analysis is the
function that the book itself uses, with the same plan. Writes ``data/null_world.csv``: coverage of
intervals at 95%, and rejection of tests at 5%.

    python benchmarks/null_world.py --trials 2000 --seed 20260101
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from msct_helpers.cohort.survival import estimate_incidence, estimate_survival, get_at
from msct_helpers.efficacy.composite import rank_outcomes
from msct_helpers.efficacy.inference import adjust
from msct_helpers.efficacy.missing import impute_changes
from msct_helpers.stats.estimate import estimate_mean_change, estimate_proportion
from msct_helpers.stats.mmrm.batch import BatchFit, fit_mmrm_batch
from msct_helpers.stats.ranks import (
    estimate_hodges_lehmann,
    estimate_max_t_p,
    estimate_signed_rank_p,
    find_side,
)
from msct_helpers.trial.plan import Plan

OUT = Path(__file__).resolve().parent.parent / "data" / "null_world.csv"

PLAN = replace(Plan(), imputations=200)
PATIENTS, DEATHS, TRANSPLANTS, LOST = 26, 3, 2, 4
"""Published counts."""

WITHIN, SHARED = 0.7, 0.5
"""Correlation of two visits of a patient, and of two endpoints at one visit; assumed."""

FLIPS = 999
"""Patterns of signs of max-T in each trial; the book uses more, for one trial."""

FIRST = 20
"""Trials whose marks are added up beside the whole, so that a test can count them again."""

COLUMNS = ["method", "quantity", "estimate", "mc_error", "trials", "first", "seed", "date"]


@dataclass(frozen=True)
class World:
    """Trials without change: values (trials, patients, visits, endpoints), NaN after leaving.

    ``day`` is when each patient left, or after the last visit; ``cause`` is 1 died, 2 transplanted,
    0 lost or stayed.
    """

    values: np.ndarray
    day: np.ndarray
    cause: np.ndarray


def make_correlated(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard normal values of endpoints (the last axis) that share a factor."""
    alone = rng.standard_normal(shape)
    return np.sqrt(SHARED) * rng.standard_normal((*shape[:-1], 1)) + np.sqrt(1 - SHARED) * alone


def draw_trial(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, day of leaving and cause of one trial."""
    size = len(PLAN.family)
    level = make_correlated(rng, (PATIENTS, 1, size))
    noise = make_correlated(rng, (PATIENTS, len(PLAN.visits), size))
    values = np.sqrt(WITHIN) * level + np.sqrt(1 - WITHIN) * noise
    codes = [1] * DEATHS + [2] * TRANSPLANTS + [0] * (PATIENTS - DEATHS - TRANSPLANTS)
    leaves = np.arange(PATIENTS) < DEATHS + TRANSPLANTS + LOST
    order = rng.permutation(PATIENTS)
    day = rng.integers(1, PLAN.last.day, PATIENTS).astype(float)
    day = np.where(leaves, day, PLAN.last.day + 30.0)[order]
    due = np.array([visit.day for visit in PLAN.visits])
    values[day[:, None] < due] = np.nan
    return values, day, np.array(codes)[order]


def draw_world(trials: int, seed: int) -> World:
    """Return many trials, each with a seed of its own."""
    seeds = np.random.SeedSequence(seed).spawn(trials)
    drawn = [draw_trial(np.random.default_rng(own)) for own in seeds]
    return World(*(np.stack(part) for part in zip(*drawn, strict=True)))


def draw_events(trials: int, seed: int) -> Iterator[tuple[pd.Series, pd.Series]]:
    """Yield days and causes of trials with the risks by two years that were published.

    Events and losses come at constant rates, so their numbers differ from trial to trial.
    """
    rng = np.random.default_rng(seed + 1)
    risk = np.array([DEATHS, TRANSPLANTS]) / PATIENTS
    rate = risk * -np.log(1 - risk.sum()) / risk.sum()
    loss = -np.log(1 - LOST / PATIENTS)
    for _ in range(trials):
        times = PLAN.last.day * rng.exponential(1 / np.array([*rate, loss]), (PATIENTS, 3))
        first = times.argmin(axis=1)
        day = np.minimum(times.min(axis=1), PLAN.last.day + 1)
        ended = (times.min(axis=1) <= PLAN.last.day) & (first < 2)
        yield pd.Series(np.ceil(day)), pd.Series(np.where(ended, first + 1, 0))


def cover(low: float, truth: float, high: float) -> float:
    """Return 1 where an interval holds the truth, else 0; NaN where no interval is estimated."""
    return float("nan") if np.isnan(low + high) else float(low <= truth <= high)


def assess_pairs(world: World) -> dict[tuple[str, str], list[float]]:
    """Return coverage and rejections of what the book makes of pairs at the last visit."""
    change = world.values[:, :, -1, 0] - world.values[:, :, 0, 0]
    found = [estimate_mean_change(own[~np.isnan(own)], PLAN.level) for own in change]
    return {
        ("paired t, pairs", "coverage"): [cover(f["ci_low"], 0, f["ci_high"]) for f in found],
        ("paired t, pairs", "rejection"): [f["p_t"] < PLAN.alpha for f in found],
        ("Wilcoxon signed rank, exact, pairs", "rejection"): [
            f["p_wilcoxon"] < PLAN.alpha for f in found
        ],
        ("Hodges-Lehmann, exact, pairs", "coverage"): [
            cover(f["hl_low"], 0, f["hl_high"]) for f in found
        ],
    }


def assess_composite(world: World) -> dict[tuple[str, str], list[float]]:
    """Return how often the rank test of everybody rejects, by the side to which it leans.

    Deaths and transplants happen in these trials, so a rejection towards worse is no error.
    """
    change = world.values[:, :, -1, 0] - world.values[:, :, 0, 0]
    ranked = [rank_everybody(*own) for own in zip(change, world.cause, strict=True)]
    name = "exact signed rank of all enrolled, death and transplant worst"
    return {
        (name, "rejection towards better"): [p < PLAN.alpha and side > 0 for p, side in ranked],
        (name, "rejection towards worse"): [p < PLAN.alpha and side < 0 for p, side in ranked],
    }


def rank_everybody(change: np.ndarray, cause: np.ndarray) -> tuple[float, float]:
    """Return the p-value of one trial's composite, and the sign of its summed ranks."""
    outcome = np.select([cause == 1, cause == 2], ["DEATH", "LIVER TRANSPLANT"], "MEASURED")
    ranked = rank_outcomes(pd.DataFrame({"OUTCOME": outcome, "CHANGE": np.nan_to_num(change)}))
    return estimate_signed_rank_p(ranked), find_side(ranked)


def find_middle(events: float, unmeasured: float) -> float:
    """Return what the Hodges-Lehmann estimate of the composite estimates where nothing changes.

    The median of the mean of two changes drawn at random: an event makes the mean minus infinity,
    whoever was not measured stands at zero, and a measured change is normal about zero. With
    events the truth is therefore below zero, although nobody changes.

    Parameters
    ----------
    events, unmeasured
        Shares of everybody enrolled.

    Returns
    -------
    float
        In standard deviations of a value.
    """
    measured, spread = 1 - events - unmeasured, np.sqrt(1 - WITHIN)

    def exceed(middle: float) -> float:
        """Return the chance of a mean of two below `middle`, less a half."""
        both = measured**2 * norm.cdf(middle / spread)
        one = 2 * measured * unmeasured * norm.cdf(middle / spread * np.sqrt(2))
        none = unmeasured**2 * (middle >= 0)
        return float(1 - (1 - events) ** 2 + both + one + none - 0.5)

    # The two unmeasured make a step at zero; without events the middle lies on it.
    return 0.0 if events == 0 else float(brentq(exceed, -9, 0))


def assess_middle(world: World) -> dict[tuple[str, str], list[float]]:
    """Return coverage of the composite's Hodges-Lehmann interval, with and without its events.

    With them the truth is that of `find_middle`; without, whoever died or was transplanted is one
    more who was not measured, and the truth is zero.
    """
    change = np.nan_to_num(world.values[:, :, -1, 0] - world.values[:, :, 0, 0])
    out = {}
    for words, worst, events in (
        ("death and transplant worst", -np.inf, DEATHS + TRANSPLANTS),
        ("events as not measured", 0.0, 0),
    ):
        name = f"Hodges-Lehmann of all enrolled, {words}"
        truth = find_middle(events / PATIENTS, (DEATHS + TRANSPLANTS + LOST - events) / PATIENTS)
        ranked = np.where(world.cause > 0, worst, change)
        found = [estimate_hodges_lehmann(own, PLAN.level) for own in ranked]
        out[name, "coverage"] = [cover(f["hl_low"], truth, f["hl_high"]) for f in found]
        if events:
            out[name, "limit among events"] = [float(np.isinf(f["hl_low"])) for f in found]
    return out


def fit_family(world: World, inference: str) -> list[BatchFit]:
    """Return the mixed model of every endpoint in every trial."""
    visits = [visit.number for visit in PLAN.visits]
    grid = pd.MultiIndex.from_product([range(PATIENTS), visits], names=["USUBJID", "AVISITN"])
    design = grid.to_frame(index=False)
    return [
        fit_mmrm_batch(
            "AVAL ~ C(AVISITN)",
            design,
            world.values[..., i].reshape(len(world.values), -1),
            subject="USUBJID",
            visit="AVISITN",
            level=PLAN.level,
            inference=inference,  # type: ignore[arg-type]
        )
        for i in range(len(PLAN.family))
    ]


def assess_models(world: World) -> dict[tuple[str, str], list[float]]:
    """Return coverage and rejections of the mixed model, and the family-wise errors."""
    out: dict[tuple[str, str], list[float]] = {}
    for inference in ("kenward-roger", "satterthwaite"):
        family = fit_family(world, inference)
        first, name = family[0], f"MMRM, {inference.title()}"
        limits = zip(first.ci_low[:, -1], first.ci_high[:, -1], strict=True)
        out[name, "coverage"] = [cover(low, 0, high) for low, high in limits]
        out[name, "rejection"] = mark(first.p_value[:, -1])
        if inference == "kenward-roger":
            raw = np.concatenate([fit.p_value[:, 1:] for fit in family], axis=1)
            out["MMRM, Kenward-Roger, unadjusted", "any rejection"] = mark(raw.min(axis=1))
            holm = [adjust_row(own) for own in raw]
            out["MMRM, Kenward-Roger, Holm", "any rejection"] = mark(np.array(holm))
    return out


def mark(p: np.ndarray) -> list[float]:
    """Return whether each p-value is below the level; NaN where there is none."""
    return list(np.where(np.isnan(p), np.nan, p < PLAN.alpha))


def adjust_row(raw: np.ndarray) -> float:
    """Return the smallest adjusted p-value of one trial's family; NaN where a fit failed."""
    if np.isnan(raw).any():
        return float("nan")
    return float(adjust(pd.DataFrame({"p_mmrm": raw}), PLAN.adjustment)["p_holm"].min())


def assess_max_t(world: World, seed: int) -> dict[tuple[str, str], list[float]]:
    """Return the family-wise error of step-down max-T over all endpoints and visits."""
    change = world.values[:, :, 1:] - world.values[:, :, :1]
    smallest = [
        estimate_max_t_p(pd.DataFrame(own.reshape(PATIENTS, -1)), FLIPS, seed + i).min()
        for i, own in enumerate(change)
    ]
    return {("paired t, max-T", "any rejection"): mark(np.array(smallest))}


def assess_imputed(world: World) -> dict[tuple[str, str], list[float]]:
    """Return coverage and rejections of multiple imputation by Rubin's rules at the end."""
    visits = [visit.number for visit in PLAN.visits]
    found = []
    for own in world.values[..., 0]:
        wide = pd.DataFrame(own, columns=visits).rename_axis("USUBJID").reset_index()
        long = wide.melt("USUBJID", visits, "AVISITN", "AVAL").dropna()
        found.append(impute_changes(long, 1, PLAN)[PLAN.last.number].pool(PLAN.level))
    name = "multiple imputation, Rubin"
    return {
        (name, "coverage"): [cover(f["ci_low"], 0, f["ci_high"]) for f in found],
        (name, "rejection"): [f["p_value"] < PLAN.alpha for f in found],
    }


def assess_events(trials: int, seed: int) -> dict[tuple[str, str], list[float]]:
    """Return coverage of the intervals of risks, with and without losses."""
    risk = np.array([DEATHS, TRANSPLANTS]) / PATIENTS
    exact, free, died = [], [], []
    rng = np.random.default_rng(seed + 2)
    for days, cause in draw_events(trials, seed):
        share = estimate_proportion(rng.binomial(PATIENTS, risk.sum()), PATIENTS, PLAN.level)
        exact.append(cover(share["percent_low"], 100 * risk.sum(), share["percent_high"]))
        at = get_at(estimate_survival(days, cause > 0, PLAN.level), PLAN.last.day)
        free.append(cover(at["CI_LOW"], 1 - risk.sum(), at["CI_HIGH"]))
        at = get_at(estimate_incidence(days, cause, PLAN.level), PLAN.last.day)
        died.append(cover(at["DEATH_LOW"], risk[0], at["DEATH_HIGH"]))
    return {
        ("Clopper-Pearson, risk 5/26", "coverage"): exact,
        ("Kaplan-Meier, log-log, two years", "coverage"): free,
        ("cumulative incidence of death, log-log, two years", "coverage"): died,
    }


def tabulate(
    found: dict[tuple[str, str], list[float]], seed: int, date: datetime.date
) -> pd.DataFrame:
    """Return a row for each method and quantity; trials without an answer are left out."""
    rows = []
    for (method, quantity), marks in found.items():
        given = np.asarray(marks, dtype=float)
        known = given[~np.isnan(given)]
        # Two of each kind are added for the error, which then is not zero where none is seen.
        near = (known.sum() + 2) / (len(known) + 4)
        error = np.sqrt(near * (1 - near) / (len(known) + 4))
        shown = (round(float(known.mean()), 4), round(float(error), 4), len(known))
        rows.append((method, quantity, *shown, int(np.nansum(given[:FIRST])), seed, date))
    return pd.DataFrame(rows, columns=COLUMNS)


def assess(trials: int, seed: int) -> dict[tuple[str, str], list[float]]:
    """Return by method and quantity what each trial says: 1, 0, or NaN where it has no answer."""
    world = draw_world(trials, seed)
    return (
        assess_pairs(world)
        | assess_composite(world)
        | assess_middle(world)
        | assess_models(world)
        | assess_max_t(world, seed)
        | assess_imputed(world)
        | assess_events(trials, seed)
    )


def main() -> None:
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=PLAN.seed)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    table = tabulate(
        assess(given.trials, given.seed), given.seed, datetime.datetime.now(tz=datetime.UTC).date()
    )
    table.to_csv(given.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
