"""The tests of the next trial tried out on many simulated ones, two arms side by side."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from msct_helpers.design.size import Protocol

Floats = npt.NDArray[np.float64]
VISITS = 3
"""Visits after baseline."""

CHUNK = 200
"""Trials simulated side by side."""


@dataclass(frozen=True)
class Trials:
    """Simulated trials; arrays are (trials, patients), the first half of the patients are controls.

    ``death``, ``transplant`` and ``end`` are times as a share of the horizon, infinite where there
    is none; ``end`` is that of follow-up. ``base`` and ``meld`` are points; ``meld`` is missing
    after death, transplant or loss.
    """

    base: Floats
    meld: Floats
    death: Floats
    transplant: Floats
    end: Floats


def draw_trials(
    rng: np.random.Generator,
    protocol: Protocol,
    per_arm: int,
    trials: int,
    *,
    lost: float,
    null: bool = False,
) -> Trials:
    """Return simulated trials.

    Parameters
    ----------
    rng
        Random generator.
    protocol
        What is assumed.
    per_arm, trials
        Patients in each arm, number of trials.
    lost
        Share lost to follow-up, at random times.
    null
        Whether the treated fare as the controls do.
    """
    shape = (trials, 2 * per_arm)
    treated = (np.arange(2 * per_arm) >= per_arm) & (not null)
    base = protocol.sd * rng.standard_normal(shape)
    meld = protocol.rho * base + protocol.residual_sd * rng.standard_normal(shape)
    meld -= protocol.difference * treated
    risk = protocol.risk * np.where(treated, protocol.risk_ratio, 1.0)
    fate, when = rng.random(shape), rng.random(shape)
    death = np.where(fate < risk * protocol.death_share, when, np.inf)
    moved = (fate >= risk * protocol.death_share) & (fate < risk)
    transplant = np.where(moved, when, np.inf)
    end = np.where(rng.random(shape) < lost, rng.random(shape), 1.0)
    meld[(fate < risk) | (end < 1)] = np.nan
    return Trials(base, meld, death, transplant, end)


def is_ancova_significant(base: Floats, meld: Floats, level: float) -> npt.NDArray[np.bool_]:
    """Return which trials an analysis of covariance of the measured calls significant.

    Parameters
    ----------
    base, meld
        (trials, patients), the first half are controls; patients without `meld` are left out.
    level
        Two-sided confidence level.
    """
    seen = ~np.isnan(meld)
    half = base.shape[1] // 2
    arms = [(slice(None), slice(0, half)), (slice(None), slice(half, None))]
    sums = np.zeros((3, len(base)))
    means, sizes = [], []
    for arm in arms:
        n = seen[arm].sum(axis=1)
        x, y = (np.where(seen[arm], v[arm], 0.0) for v in (base, meld))
        centre = [v.sum(axis=1) / n for v in (x, y)]
        x, y = (np.where(seen[arm], v - c[:, None], 0) for v, c in zip((x, y), centre, strict=True))
        sums += np.stack([(x * x).sum(axis=1), (x * y).sum(axis=1), (y * y).sum(axis=1)])
        means.append(centre)
        sizes.append(n)
    slope = sums[1] / sums[0]
    apart = [b - a for a, b in zip(*means, strict=True)]
    df = sizes[0] + sizes[1] - 3
    variance = (sums[2] - slope * sums[1]) / df
    variance *= 1 / sizes[0] + 1 / sizes[1] + apart[0] ** 2 / sums[0]
    statistic = (apart[1] - slope * apart[0]) / np.sqrt(variance)
    significant: npt.NDArray[np.bool_] = np.abs(statistic) > stats.t.ppf((1 + level) / 2, df)
    return significant


def compare_patients(trials: Trials) -> Floats:
    """Return (trials, patients, patients): 1 where the first fares better than the second.

    -1 where worse, 0 where the two cannot be told apart. An event counts while the other patient
    is still followed.
    """
    out = np.zeros((*trials.base.shape, trials.base.shape[1]))
    for time in (trials.death, trials.transplant):
        observed = np.where(time <= trials.end, time, np.inf)
        free = np.minimum(time, trials.end)
        # The second has the event while the first is known to be free of it.
        better = observed[:, None, :] < free[:, :, None]
        sign = better.astype(float) - better.transpose(0, 2, 1)
        out = np.where(out == 0, sign, out)
    change = trials.base - trials.meld
    apart = np.nan_to_num(change[:, :, None] - change[:, None, :])
    return np.where(out == 0, np.sign(apart), out)


@dataclass(frozen=True)
class WinRatios:
    """Win ratio of each trial, and the test of Finkelstein and Schoenfeld (standard normal)."""

    ratio: Floats
    statistic: Floats


def find_win_ratios(trials: Trials) -> WinRatios:
    """Return win ratio and test of each trial.

    Notes
    -----
    Pocock et al., Eur Heart J 2012; 33: 176-182. Finkelstein and Schoenfeld, Stat Med 1999; 18:
    1341-1354: the variance is that over all allocations of the patients to two arms.
    """
    better = compare_patients(trials)
    size = better.shape[1]
    half = size // 2
    score = better.sum(axis=2)
    between = better[:, half:, :half]
    with np.errstate(divide="ignore"):
        ratio = (between > 0).sum(axis=(1, 2)) / (between < 0).sum(axis=(1, 2))
    variance = half * (size - half) / (size * (size - 1)) * (score**2).sum(axis=1)
    return WinRatios(ratio, score[:, half:].sum(axis=1) / np.sqrt(variance))


def are_events_significant(trials: Trials, level: float) -> npt.NDArray[np.bool_]:
    """Return which trials the comparison of two proportions of death or transplant rejects.

    Everybody is taken to be followed to the horizon.
    """
    half = trials.base.shape[1] // 2
    event = np.isfinite(trials.death) | np.isfinite(trials.transplant)
    control, treated = (part.mean(axis=1) for part in (event[:, :half], event[:, half:]))
    pooled = (control + treated) / 2
    error = np.sqrt(2 * pooled * (1 - pooled) / half)
    significant: npt.NDArray[np.bool_] = np.abs(control - treated) > error * stats.norm.ppf(
        (1 + level) / 2
    )
    return significant


def draw_visits(
    rng: np.random.Generator, protocol: Protocol, per_arm: int, trials: int, *, null: bool = False
) -> tuple[Floats, Floats]:
    """Return baseline (trials, patients) and MELD at three visits, missing from dropout on.

    Any two visits correlate as `protocol` says, the difference of the arms is there from the first
    visit on, and the share that is missing at the last drops out before the second or the third.
    """
    shape = (trials, 2 * per_arm)
    shared = np.sqrt(abs(protocol.rho)) * rng.standard_normal(shape)
    own = np.sqrt(1 - abs(protocol.rho)) * rng.standard_normal((*shape, VISITS + 1))
    values = shared[:, :, None] + own
    if protocol.rho < 0:
        values[:, :, 0] -= 2 * shared
    values *= protocol.sd
    meld = values[:, :, 1:]
    if not null:
        meld[:, per_arm:] -= protocol.difference
    seen = np.where(rng.random(shape) < protocol.missing, rng.integers(1, VISITS, shape), VISITS)
    meld[np.arange(VISITS) >= seen[:, :, None]] = np.nan
    return values[:, :, 0], meld
