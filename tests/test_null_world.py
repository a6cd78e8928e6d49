"""The simulation of trials without change: what it draws, and that its table is its own."""

import datetime

import numpy as np
import pandas as pd
import pytest

from benchmarks import null_world
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def world() -> null_world.World:
    return null_world.draw_world(200, 1)


def test_each_trial_has_the_published_counts(world: null_world.World) -> None:
    assert world.values.shape == (200, 26, 4, 5)
    counts = [(world.cause == code).sum(axis=1) for code in (1, 2)]
    assert [set(own) for own in counts] == [{3}, {2}]
    seen = ~np.isnan(world.values[..., 0])
    assert seen[:, :, 0].all()
    assert set(seen[:, :, -1].sum(axis=1)) == {17}
    assert (seen[:, :, :-1] >= seen[:, :, 1:]).all(), "whoever left came back"


def test_nothing_changes_and_correlations_are_those_assumed(world: null_world.World) -> None:
    values = world.values
    assert np.abs(np.nanmean(values, axis=(0, 1))).max() < 0.05
    first, second, other = values[:, :, 0, 0], values[:, :, 1, 0], values[:, :, 0, 1]
    both = ~np.isnan(second)
    assert np.corrcoef(first[both], second[both])[0, 1] == pytest.approx(0.7, abs=0.02)
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] == pytest.approx(0.5, abs=0.03)


def test_a_trial_does_not_depend_on_how_many_are_drawn(world: null_world.World) -> None:
    assert np.array_equal(null_world.draw_world(3, 1).values, world.values[:3], equal_nan=True)


@pytest.mark.parametrize(("events", "unmeasured"), [(5 / 26, 4 / 26), (5 / 26, 0), (0, 9 / 26)])
def test_the_middle_of_a_composite_is_that_of_many_patients(
    events: float, unmeasured: float
) -> None:
    rng = np.random.default_rng(3)
    kind = rng.random((2, 400_000))
    change = rng.normal(0, np.sqrt(2 * (1 - null_world.WITHIN)), kind.shape)
    change = np.where(kind < events, -np.inf, np.where(kind > 1 - unmeasured, 0, change))
    expected = np.median(change.mean(axis=0))
    found = null_world.find_middle(events, unmeasured)
    assert found == pytest.approx(expected, abs=0.005)


def test_events_come_at_the_published_risks() -> None:
    causes = np.concatenate([cause for _, cause in null_world.draw_events(1_500, 1)])
    # Of 39,000 patients; some die after they were lost, unseen.
    assert (causes == 1).mean() / (causes == 2).mean() == pytest.approx(1.5, abs=0.15)
    assert 0.9 * 5 / 26 < (causes > 0).mean() < 5 / 26


def test_trials_without_an_answer_are_left_out() -> None:
    found = {("one", "coverage"): [1.0, 0.0, np.nan, 1.0, 1.0]}
    table = null_world.tabulate(found, 7, datetime.date(2026, 1, 1))
    row = table.iloc[0]
    assert (row["estimate"], row["trials"], row["seed"]) == (0.75, 4, 7)
    assert row["mc_error"] == pytest.approx(np.sqrt(5 / 8 * 3 / 8 / 8), abs=5e-5)


def test_the_first_trials_are_counted_beside_the_whole() -> None:
    marks = [0.0, *[1.0] * (null_world.FIRST - 1), 1.0, 1.0]
    row = null_world.tabulate({("one", "rejection"): marks}, 7, datetime.date(2026, 1, 1)).iloc[0]
    assert (row["first"], row["trials"]) == (null_world.FIRST - 1, null_world.FIRST + 2)


def test_the_first_trials_are_what_the_code_gives_today() -> None:
    table = pd.read_csv(ROOT / "data/null_world.csv")
    found = null_world.assess(null_world.FIRST, int(table["seed"].iloc[0]))
    again = {name: int(np.nansum(marks)) for name, marks in found.items()}
    assert again == table.set_index(["method", "quantity"])["first"].to_dict()


def test_the_stored_table_is_within_reason() -> None:
    table = pd.read_csv(ROOT / "data/null_world.csv")
    assert list(table.columns) == null_world.COLUMNS
    assert table["trials"].max() == 2_000
    own = table.set_index(["method", "quantity"])["estimate"]
    # Exact methods keep their promise but for Monte Carlo error.
    error = 3 * np.sqrt(0.05 * 0.95 / 2_000)
    assert own["Wilcoxon signed rank, exact, pairs", "rejection"] < 0.05 + error
    assert own["Hodges-Lehmann, exact, pairs", "coverage"] > 0.95 - error
    middle = "Hodges-Lehmann of all enrolled, death and transplant worst"
    assert own[middle, "coverage"] > 0.95 - error
    assert own[middle, "limit among events"] == 1, "the page says that it bounds one side only"
    assert own["Clopper-Pearson, risk 5/26", "coverage"] > 0.95 - error
    assert own["paired t, pairs", "coverage"] == pytest.approx(0.95, abs=error)
