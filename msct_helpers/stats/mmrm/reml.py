"""Restricted likelihood of a mixed model for repeated measures, from sufficient statistics.

Everything is batched: the first axis is the trial, the second the pattern of attended visits.
Letters in ``einsum``: z trial, g pattern, a b c d visits, k l columns of the design with the
response as the last. With the elements of the covariance matrix as parameters its second
derivatives vanish, and the Hessian is exact with little algebra.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

MAX_STEPS = 100
TOLERANCE = 1e-10
"""Newton decrement (twice the log-likelihood still to be gained) at which to stop."""


@dataclass(frozen=True)
class Statistics:
    """Sufficient statistics of one or more trials.

    Attributes
    ----------
    seen
        (patterns, visits), 1 where a pattern has the visit.
    count
        (trials, patterns), number of participants.
    cross
        (trials, patterns, visits, visits, columns, columns): sums over participants of products
        of design and response at two visits; zero where a visit is not in the pattern.
    """

    seen: Floats
    count: Floats
    cross: Floats

    @property
    def size(self) -> Floats:
        """Number of measurements in each trial."""
        return self.count @ self.seen.sum(axis=1)

    def take(self, trials: npt.NDArray[np.intp]) -> "Statistics":
        """Return the statistics of some of the trials."""
        return Statistics(self.seen, self.count[trials], self.cross[trials])


@dataclass(frozen=True)
class Point:
    """Likelihood and its parts at one covariance matrix a trial."""

    sigma: Floats
    loglik: Floats
    weight: Floats
    phi: Floats
    beta: Floats


@lru_cache(maxsize=16)
def make_duplication(visits: int) -> Floats:
    """Return the matrix that turns a half-vectorised symmetric matrix into a vectorised one."""
    upper = np.triu_indices(visits)
    out = np.zeros((visits, visits, len(upper[0])))
    out[upper[0], upper[1], range(len(upper[0]))] = 1.0
    out[upper[1], upper[0], range(len(upper[0]))] = 1.0
    return out.reshape(visits * visits, -1)


def evaluate(stats: Statistics, sigma: Floats) -> Point:
    """Return the restricted log-likelihood at `sigma` (trials, visits, visits).

    Where `sigma` is not positive definite the log-likelihood is minus infinity.
    """
    trials, visits = sigma.shape[:2]
    both = stats.seen[:, :, None] * stats.seen[:, None, :]
    padded = sigma[:, None] * both + np.eye(visits) * (1.0 - stats.seen)[:, None, :]
    sign, logdet = np.linalg.slogdet(padded)
    smallest = np.linalg.eigvalsh(sigma)[:, 0]
    good = (smallest > 0) & (sign > 0).all(axis=1)
    padded = np.where(good[:, None, None, None], padded, np.eye(visits))
    weight = np.linalg.inv(padded) * both
    columns = stats.cross.shape[-1]
    flat = stats.cross.reshape(trials, -1, columns * columns)
    total = (weight.reshape(trials, 1, -1) @ flat).reshape(trials, columns, columns)
    information, score = total[:, :-1, :-1], total[:, :-1, -1]
    phi = np.linalg.inv(information)
    beta = (phi @ score[:, :, None])[:, :, 0]
    rest = total[:, -1, -1] - np.einsum("zk,zk->z", score, beta)
    freedom = stats.size - (columns - 1)
    loglik = -0.5 * (
        freedom * np.log(2 * np.pi)
        + np.einsum("zg,zg->z", stats.count, logdet)
        + np.linalg.slogdet(information)[1]
        + rest
    )
    return Point(sigma, np.where(good, loglik, -np.inf), weight, phi, beta)


@dataclass(frozen=True)
class Derivatives:
    """First and second derivatives at a point, over the half-vectorised covariance matrix.

    ``information`` is the expected one; ``slope`` (trials, parameters, columns, columns) holds
    X'V^-1 V_j V^-1 X, the response as the last column.
    """

    gradient: Floats
    hessian: Floats
    information: Floats
    slope: Floats


def differentiate(stats: Statistics, point: Point) -> Derivatives:
    """Return gradient, observed Hessian and expected information of the log-likelihood."""
    weight, phi, beta = point.weight, point.phi, point.beta
    trials, patterns, visits = weight.shape[:3]
    columns = stats.cross.shape[-1]
    dup = make_duplication(visits)
    ones = np.ones((trials, 1))
    contrast = np.concatenate([beta, -ones], axis=1)
    outer = contrast[:, :, None] * contrast[:, None, :]
    inner = np.zeros_like(outer)
    inner[:, :-1, :-1] = phi
    flat = stats.cross.reshape(trials, -1, columns * columns)
    weights = np.stack([inner.reshape(trials, -1), outer.reshape(trials, -1)], axis=2)
    spread = (flat @ weights).reshape(trials, patterns, visits, visits, 2)
    spread = weight[:, None] @ np.moveaxis(spread, -1, 1) @ weight[:, None]
    counted = stats.count[:, :, None, None] * weight
    full = spread.sum(axis=1)
    gradient = -0.5 * (counted - full).sum(axis=1).reshape(trials, -1) @ dup

    left = weight.transpose(0, 2, 3, 1).reshape(trials, visits * visits, patterns)
    right = np.stack([0.5 * counted - full, 0.5 * counted - spread[:, 0]], axis=1)
    tensor = left[:, None] @ right.reshape(trials, 2, patterns, visits * visits)
    tensor = tensor.reshape(trials, 2, visits, visits, visits, visits)
    tensor = tensor.transpose(0, 1, 5, 2, 3, 4).reshape(trials, 2, visits**2, visits**2)
    curved = dup.T @ tensor @ dup

    half = weight @ stats.cross.reshape(trials, patterns, visits, -1)
    half = half.reshape(trials, patterns, visits, visits, -1)
    whole = np.matmul(weight[:, :, None], half).sum(axis=1)
    slope = (dup.T @ whole.reshape(trials, visits * visits, -1)).reshape(
        trials, -1, columns, columns
    )
    xx, xy = slope[:, :, :-1, :-1], slope[:, :, :-1, -1]
    bent = (phi[:, None] @ xx).reshape(trials, xx.shape[1], -1)
    swapped = (phi[:, None] @ xx).transpose(0, 1, 3, 2).reshape(trials, xx.shape[1], -1)
    shared = 0.5 * bent @ swapped.transpose(0, 2, 1)
    miss = xy - (xx @ beta[:, None, :, None])[..., 0]
    hessian = curved[:, 0] + shared + miss @ phi @ miss.transpose(0, 2, 1)
    return Derivatives(gradient, hessian, curved[:, 1] + shared, slope)


def find_direction(d: Derivatives) -> tuple[Floats, Floats]:
    """Return a step that climbs and its Newton decrement: Newton's where curvature allows."""
    size = d.hessian.shape[-1]
    safe = d.hessian + d.hessian.transpose(0, 2, 1)
    concave = np.linalg.eigvalsh(safe)[:, -1] < 0
    matrix = np.where(concave[:, None, None], -0.5 * safe, d.information)
    ridge = 1e-10 * np.einsum("zjj->z", np.abs(matrix))[:, None, None] * np.eye(size)
    step = np.linalg.solve(
        matrix + np.where(concave[:, None, None], 0, ridge), d.gradient[..., None]
    )
    return step[..., 0], np.einsum("zj,zj->z", step[..., 0], d.gradient)


def maximise(stats: Statistics, start: Floats) -> tuple[Point, Derivatives, npt.NDArray[np.bool_]]:
    """Return the maximum of the restricted likelihood, its derivatives, and which converged.

    Newton steps with the exact Hessian where it is negative definite, Fisher scoring elsewhere,
    halved until the likelihood rises. Trials that have converged are left alone.
    """
    visits = start.shape[1]
    dup = make_duplication(visits)
    sigma = start.copy()
    done = np.zeros(len(start), dtype=bool)
    for _ in range(MAX_STEPS):
        active = np.flatnonzero(~done)
        if not len(active):
            break
        here = stats if len(active) == len(start) else stats.take(active)
        point = evaluate(here, sigma[active])
        step, decrement = find_direction(differentiate(here, point))
        move = (step @ dup.T).reshape(-1, visits, visits)
        sigma[active] = climb(here, point, move)
        done[active] = np.abs(decrement) < TOLERANCE
    point = evaluate(stats, sigma)
    return point, differentiate(stats, point), done


def climb(stats: Statistics, point: Point, move: Floats) -> Floats:
    """Return the covariance matrices after the longest halved step that does not descend."""
    length = np.ones(len(move))
    best = point.sigma.copy()
    left = np.arange(len(move))
    slack = 1e-9 * (1 + np.abs(point.loglik))
    for _ in range(40):
        here = stats if len(left) == len(move) else stats.take(left)
        trial = point.sigma[left] + length[left, None, None] * move[left]
        good = evaluate(here, trial).loglik >= (point.loglik - slack)[left]
        best[left[good]] = trial[good]
        left = left[~good]
        if not len(left):
            break
        length[left] *= 0.5
    return best
