"""Time the MMRM beside statsmodels' MixedLM, in one process and on one core.

Run by `make bench`. Aims are in milliseconds after import, formula parsing included.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from msct_helpers import load_trial
from msct_helpers.stats.mmrm.batch import fit_mmrm_batch
from msct_helpers.stats.mmrm.model import fit_mmrm


def time_best(call: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call in milliseconds."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken))


def simulate(subjects: int, visits: int, seed: int = 1) -> pd.DataFrame:
    """Return trials with monotone dropout and two arms."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(subjects, 1)) + rng.normal(size=(subjects, visits))
    last = np.where(rng.random(subjects) < 0.6, visits, rng.integers(1, visits + 1, subjects))
    who, when = np.meshgrid(np.arange(subjects), np.arange(visits), indexing="ij")
    kept = when < last[:, None]
    arm = np.where(who % 2, "b", "a")
    return pd.DataFrame({"id": who[kept], "visit": when[kept], "y": y[kept], "arm": arm[kept]})


def main() -> None:
    """Measure and print."""
    small, wide, large = simulate(26, 4), simulate(1000, 10), simulate(1_000_000, 4)
    stage4 = load_trial("data/mayo_pbc").adlb.query("PARAMCD == 'ALB'")
    stage4 = stage4.rename(columns={"USUBJID": "id", "AVISITN": "visit", "AVAL": "y"})
    cases = [
        ("26 patients by 4 visits", "y ~ C(visit)", small, 40, 6),
        ("Mayo stage 4", "y ~ C(visit)", stage4, 40, 8),
        ("1,000 by 10 visits, 20 terms", "y ~ C(visit) * arm", wide, 5, 60),
        ("1,000,000 by 4 visits", "y ~ C(visit)", large, 3, 1000),
    ]
    for name, formula, data, repeats, aim in cases:

        def run(formula: str = formula, data: pd.DataFrame = data) -> object:
            return fit_mmrm(formula, data, subject="id", visit="visit", level=0.95)

        print(f"{name}: {time_best(run, repeats):.1f} ms (aim {aim})")
    for name, data in (("26 patients", small), ("Mayo stage 4", stage4)):

        def mixed(data: pd.DataFrame = data) -> object:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return smf.mixedlm("y ~ C(visit)", data, groups=data["id"]).fit(reml=True)

        print(f"statsmodels MixedLM, random intercept, {name}: {time_best(mixed, 5):.1f} ms")
    rng = np.random.default_rng(2)
    grid = pd.DataFrame({"id": np.repeat(np.arange(26), 4), "visit": np.tile(np.arange(4), 26)})
    trials = rng.normal(size=(4000, 26, 1)) + rng.normal(size=(4000, 26, 4))
    trials[rng.random(trials.shape) < np.array([0, 0.1, 0.2, 0.35])] = np.nan
    start = time.perf_counter()
    batch = fit_mmrm_batch(
        "y ~ C(visit)", grid, trials.reshape(4000, -1), subject="id", visit="visit", level=0.95
    )
    rate = len(trials) / (time.perf_counter() - start)
    print(f"batch: {rate:.0f} Kenward-Roger fits a second (aim 3500)")
    print(f"batch: {batch.converged.mean():.1%} of null trials fitted, of which ", end="")
    print(f"{np.nanmean(batch.p_value[batch.converged, 3] < 0.05):.1%} below 5% at the last visit")


if __name__ == "__main__":
    main()
