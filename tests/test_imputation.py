"""Bayesian normal imputation: what is drawn follows the predictive distribution of theory."""

import numpy as np
import pytest
from scipy import stats

from msct_helpers.stats.imputation import choose_predictors, draw_missing, find_root, impute

COPIES = 20_000


def draw_one(x: list[float] | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return draws of one missing value given ten seen ones, the response, and the design."""
    rng = np.random.default_rng(2)
    response = rng.normal(5, 2, 10)
    columns = [np.ones(10)] if x is None else [np.ones(10), np.arange(10.0)]
    design, target = np.stack(columns, axis=1), np.array([1.0] if x is None else [1.0, *x])
    drawn = draw_missing(
        np.broadcast_to(design, (COPIES, *design.shape)),
        response,
        np.broadcast_to(target, (COPIES, 1, len(target))),
        rng,
    )
    return drawn[:, 0], response, design


@pytest.mark.parametrize("x", [None, [12.0]])
def test_draws_follow_the_predictive_t_distribution(x: list[float] | None) -> None:
    drawn, response, design = draw_one(x)
    slopes, squares, *_ = np.linalg.lstsq(design, response, rcond=None)
    at = np.array([1.0] if x is None else [1.0, *x])
    df = len(response) - len(slopes)
    spread = at @ np.linalg.inv(design.T @ design) @ at
    expected = stats.t(df, at @ slopes, np.sqrt(squares[0] / df * (1 + spread)))
    assert stats.kstest(drawn, expected.cdf).pvalue > 0.01


def test_what_was_seen_stays_and_copies_differ_where_it_was_not() -> None:
    values = np.random.default_rng(1).normal(size=(12, 3))
    values[3, 2] = values[5, 1] = np.nan
    copies = impute(values, 4, 2, 7)
    assert copies.shape == (4, 12, 3)
    seen = ~np.isnan(values)
    assert (copies[:, seen] == values[seen]).all()
    assert len(set(copies[:, 3, 2])) == len(set(copies[:, 5, 1])) == 4
    assert np.array_equal(impute(values, 4, 2, 7), copies)


def test_few_participants_have_fewer_predictors() -> None:
    # One intercept, the predictors, and three to spare.
    assert choose_predictors([0, 1, 2], 7) == [0, 1, 2]
    assert choose_predictors([0, 1, 2], 6) == [0]
    assert choose_predictors([0, 1, 2], 5) == [0]
    assert choose_predictors([0, 1, 2], 4) == []


@pytest.mark.parametrize("alike", [False, True])
def test_a_root_gives_the_pseudo_inverse_also_where_all_values_are_alike(alike: bool) -> None:
    values = np.random.default_rng(1).normal(size=(5, 12))
    design = np.stack([np.ones_like(values), values, values if alike else values**2], axis=2)
    if alike:
        design[:, :, 1:] = 0.0
    cross = design.swapaxes(1, 2) @ design
    root = find_root(cross)
    np.testing.assert_allclose(root @ root.swapaxes(1, 2), np.linalg.pinv(cross), atol=1e-9)
