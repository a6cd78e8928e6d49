"""What acceptance rates say: likelihood ratios, what carries them, and what would move them."""

import numpy as np
import pandas as pd
from scipy import stats

from msct_helpers.stats.estimate import estimate_proportion

FEW = 10
"""Below so many accepted trials the interval of a ratio is made of exact limits of both rates."""

FEWEST = 50
"""Accepted trials that each world needs before they are split by the value of a number."""

BINS = 10
"""Parts into which the accepted trials are split by the value of a number."""

RESAMPLES = 400


def weigh_ratio(
    count: int, trials: int, other: int, other_trials: int, level: float
) -> dict[str, float]:
    """Return the ratio of two acceptance rates with its Monte Carlo interval.

    Parameters
    ----------
    count, trials
        Accepted trials and all trials of a world.
    other, other_trials
        Those of the world that it is compared with.
    level
        Confidence level.

    Returns
    -------
    dict
        ratio, ratio_low, ratio_high, and log_se, the standard error of its natural logarithm
        (missing with few accepted trials). Infinite where the other world never satisfied the
        statements; the lower limit says what is known then. Missing where neither did.
    """
    rate, rate_other = count / trials, other / other_trials
    if min(count, other) >= FEW:
        se = float(np.sqrt((1 - rate) / count + (1 - rate_other) / other))
        half = float(np.exp(stats.norm.ppf((1 + level) / 2) * se))
        ratio = rate / rate_other
        low, high = ratio / half, ratio * half
        return {"ratio": ratio, "ratio_low": low, "ratio_high": high, "log_se": se}
    own = estimate_proportion(count, trials, level)
    versus = estimate_proportion(other, other_trials, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "ratio": float(np.float64(rate) / rate_other),
            "ratio_low": float(np.float64(own["percent_low"]) / versus["percent_high"]),
            "ratio_high": float(np.float64(own["percent_high"]) / versus["percent_low"]),
            "log_se": float("nan"),
        }


def weigh_statements(
    counts: pd.Series, trials: int, other: pd.Series, other_trials: int, level: float
) -> pd.DataFrame:
    """Return the ratio of two worlds by all statements, and how much each statement carries.

    Parameters
    ----------
    counts, other
        Counts of two worlds (`msct_helpers.worlds.tally.Tally`).
    trials, other_trials
        Their numbers of trials.
    level
        Confidence level.

    Returns
    -------
    DataFrame
        One row for ``all`` and one a statement (``without E1`` and so on): statement, ratio,
        ratio_low, ratio_high, log_se; carries, the factor by which the ratio falls when the
        statement is left out.
    """
    rows = []
    for name in counts.index:
        if name == "all" or name.startswith("without "):
            found = weigh_ratio(counts[name], trials, other[name], other_trials, level)
            rows.append({"statement": name} | found)
    table = pd.DataFrame(rows)
    full = float(table.loc[table["statement"] == "all", "ratio"].iloc[0])
    with np.errstate(invalid="ignore"):
        return table.assign(carries=full / table["ratio"].to_numpy())


def weigh_numbers(
    numbers: pd.DataFrame, other: pd.DataFrame, level: float, seed: int
) -> pd.DataFrame:
    """Return how far each number, had it been printed, would move the ratio of two worlds.

    The accepted trials of both worlds are split by the value of the number; the ratio of their
    shares in a part is the factor by which that value would move the ratio.

    Parameters
    ----------
    numbers, other
        What accepted trials of the two worlds would have printed, one row a trial.
    level
        Confidence level of the Monte Carlo interval.
    seed
        Seed of the resampling behind the interval.

    Returns
    -------
    DataFrame
        number; if_first and if_second, the expected change of the natural logarithm of the ratio
        towards the world that is true; moves, their mean, with moves_low and moves_high. Sorted by
        moves. Empty where a world has too few accepted trials.
    """
    if min(len(numbers), len(other)) < FEWEST:
        return pd.DataFrame()
    rng = np.random.default_rng(seed)
    rows = []
    for name in numbers:
        counts = split(numbers[name].to_numpy(), other[name].to_numpy())
        again = [
            np.stack([rng.multinomial(c.sum(), c / c.sum()) for c in counts])
            for _ in range(RESAMPLES)
        ]
        error = np.std([np.mean(measure_shift(c)) for c in again], ddof=1)
        first, second = measure_shift(counts)
        moves = (first + second) / 2
        half = stats.norm.ppf((1 + level) / 2) * error
        rows.append(
            {
                "number": name,
                "if_first": first,
                "if_second": second,
                "moves": moves,
                "moves_low": max(moves - half, 0.0),
                "moves_high": moves + half,
            }
        )
    return pd.DataFrame(rows).sort_values("moves", ascending=False, ignore_index=True)


def split(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (2, parts): how many values of each world lie in each part of their equal mixture."""
    weights = np.concatenate(
        [np.full(len(first), 0.5 / len(first)), np.full(len(second), 0.5 / len(second))]
    )
    values = np.concatenate([first, second])
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    inner = np.searchsorted(cumulative, np.arange(1, BINS) / BINS)
    edges = np.unique(values[order][np.minimum(inner, len(values) - 1)])
    return np.stack(
        [np.bincount(np.searchsorted(edges, v), minlength=len(edges) + 1) for v in (first, second)]
    )


def measure_shift(counts: np.ndarray) -> tuple[float, float]:
    """Return the expected change of the log ratio towards the first and the second world.

    These are the two directed divergences of the split, less what chance alone makes of them.
    """
    share = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    size = counts.sum(axis=1)
    log = np.log(share[0] / share[1])
    chance = (counts.shape[1] - 1) / 2 * (1 / size[0] + 1 / size[1])
    return (
        max(float(share[0] @ log) - chance, 0.0),
        max(float(-share[1] @ log) - chance, 0.0),
    )
