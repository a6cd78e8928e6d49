"""Which published claims each of many trials satisfies, in every reading of them."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from msct_helpers.trial.plan import SCORES
from msct_helpers.worlds.draw import Drawn, Flags, Floats, decimals_of, derive
from msct_helpers.worlds.ranks import is_significant
from msct_helpers.worlds.target import Claim, Target

READINGS = ("observed", "pairs")


@dataclass(frozen=True)
class Change:
    """Change of one parameter at one visit, in units of its last decimal.

    ``change`` (trials, patients) is zero where not measured; the others are by trial: number of
    pairs, their mean change and its SD, and the mean of all seen minus that of all at baseline.
    """

    change: Floats
    n: Floats
    mean: Floats
    sd: Floats
    diff: Floats

    def is_t_significant(self, alpha: float) -> Flags:
        """Return whether the paired t-test rejects; False where it does not apply."""
        size = int(self.change.shape[1])
        limits = stats.t.ppf(1 - alpha / 2, np.maximum(np.arange(size + 1) - 1, 1))
        limit = limits[self.n.astype(int)]
        return self.is_testable & (self.mean**2 * self.n > limit**2 * self.sd**2)

    @property
    def is_testable(self) -> Flags:
        """Whether there are two pairs or more that did not all change alike."""
        return (self.n >= 2) & (self.sd > 0)


def summarise(first: Floats, later: Floats, seen: Floats) -> Change:
    """Return the change of a parameter at a visit; `seen` is one where measured, else zero."""
    change = (later - first) * seen
    n = seen.sum(axis=1)
    sums, squares = change.sum(axis=1), np.einsum("tp,tp->t", change, change)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums / n
        variance = (squares - sums * mean) / (n - 1)
        diff = np.einsum("tp,tp->t", later, seen) / n - first.mean(axis=1)
    # A variance that binary arithmetic left beside zero is zero.
    variance = np.where(variance > 1e-9 * np.maximum(squares, 1e-300), variance, 0.0)
    return Change(change, n, mean, np.sqrt(variance), diff)


@dataclass(frozen=True)
class Judged:
    """What many trials satisfy.

    ``holds`` has by claim and reading whether each trial satisfies it; ``numbers`` by name what the
    authors could have printed, in the unit of the parameter.
    """

    holds: dict[tuple[str, str], Flags]
    numbers: dict[str, Floats]

    def statement(self, claim: str) -> Flags:
        """Return which trials satisfy a claim in all its readings."""
        own = [flags for (name, _), flags in self.holds.items() if name == claim]
        return np.logical_and.reduce(own)

    def accepted(self) -> Flags:
        """Return which trials satisfy every claim in every reading."""
        return np.logical_and.reduce(list(self.holds.values()))


def judge(drawn: Drawn, target: Target) -> Judged:
    """Return which claims of an abstract each trial satisfies.

    A direction is read as observed and among pairs, of a score also with its points rounded. A
    significance asks the paired t-test and the exact signed-rank test.
    """
    changes: dict[tuple[str, int], Change] = {}
    rounded: dict[tuple[str, int], Change] = {}
    baseline: dict[str, Floats] = {}
    seen = drawn.seen.astype(float)
    for code in target.parameters:
        first, later = derive(drawn.first, code), derive(drawn.later, code)
        unit = 10.0 ** decimals_of(code)
        baseline[f"{code}_0_mean"] = first.mean(axis=1) / unit
        baseline[f"{code}_0_sd"] = first.std(axis=1, ddof=1) / unit
        for v in range(len(target.visits)):
            changes[code, v] = summarise(first, later[v], seen[v])
            if code in SCORES:
                points = round_half_up(first), round_half_up(later[v])
                rounded[code, v] = summarise(*points, seen[v])
    holds: dict[tuple[str, str], Flags] = {}
    for claim in target.claims:
        holds |= judge_claim(claim, changes, rounded, target.alpha)
    return Judged(holds, baseline | list_numbers(changes, target))


def judge_claim(
    claim: Claim,
    changes: dict[tuple[str, int], Change],
    rounded: dict[tuple[str, int], Change],
    alpha: float,
) -> dict[tuple[str, str], Flags]:
    """Return by reading which trials satisfy one claim."""
    own = [changes[claim.parameter, v] for v in claim.visits]
    if claim.significance == "significant":
        # Whoever states a significant change and no direction is taken at the word alone.
        right = [c.mean * claim.sign > 0 if claim.sign else c.is_testable for c in own]
        tests = [is_clear(c, alpha, r) for c, r in zip(own, right, strict=True)]
        return {(claim.id, "pairs"): np.logical_and.reduce(tests)}
    if claim.significance:
        return {(claim.id, "pairs"): is_unclear(own, alpha)}
    out: dict[tuple[str, str], Flags] = {}
    for words, source in (("", changes), (", rounded", rounded)):
        for key in [(claim.parameter, v) for v in claim.visits if (claim.parameter, v) in source]:
            change = source[key]
            found = (change.diff * claim.sign > 0, change.mean * claim.sign > 0)
            for reading, flags in zip(READINGS, found, strict=True):
                name = (claim.id, reading + words)
                out[name] = flags & (change.n >= 2) & out.get(name, np.True_)
    return out


def is_clear(change: Change, alpha: float, asked: Flags) -> Flags:
    """Return which of those asked for are significant by both tests; cheap ones first."""
    out = change.is_t_significant(alpha) & asked
    left = np.flatnonzero(out)
    out[left] = is_significant(change.change[left], alpha)
    return out


def is_unclear(changes: list[Change], alpha: float) -> Flags:
    """Return which trials have no significant change at any visit, by either test."""
    out = np.ones(len(changes[0].n), dtype=bool)
    for change in changes:
        out &= change.is_testable & ~change.is_t_significant(alpha)
    for change in changes:
        left = np.flatnonzero(out)
        out[left] = ~is_significant(change.change[left], alpha)
    return out


def round_half_up(points: Floats) -> Floats:
    """Return scores in whole points, as `msct_helpers.stats.scores.round_points` does."""
    out: Floats = np.floor(np.round(points, 9) + 0.5)
    return out


def list_numbers(changes: dict[tuple[str, int], Change], target: Target) -> dict[str, Floats]:
    """Return what could have been printed of each change: n, mean and SD of the pairs."""
    out: dict[str, Floats] = {}
    for (code, v), change in changes.items():
        unit, month = 10.0 ** decimals_of(code), target.visits[v].number
        out[f"{code}_{month}_mean"] = change.mean / unit
        out[f"{code}_{month}_sd"] = change.sd / unit
        out.setdefault(f"n_{month}", change.n)
    return out
