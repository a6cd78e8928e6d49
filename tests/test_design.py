"""The next trial: sizes by formula, tried out by simulation."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.check.cli import main
from msct_helpers.design import mmrm, related, simulate, size, words
from msct_helpers.design.size import Protocol, Size
from msct_helpers.design.table import ENDPOINTS, estimate_power, plan_trial
from msct_helpers.stats.mmrm.model import fit_mmrm

USUAL = Protocol()


def test_sizes_for_meld() -> None:
    assert size.size_ancova(USUAL) == Size(38, 58)
    assert size.size_ancova(replace(USUAL, difference=2)) == Size(85, 129)
    half = size.size_ancova(replace(USUAL, sd=10, difference=6))
    assert half == Size(38, 58), "only the difference in standard deviations counts"


def test_sizes_for_death_or_transplant() -> None:
    found = size.size_events(USUAL)
    assert (found.complete, found.events) == (203, 76)
    # At proportional hazards the log-rank test needs somewhat fewer.
    assert size.count_events(USUAL) == 72


def test_chances_of_the_hierarchical_comparison() -> None:
    wins = size.expect_wins(USUAL)
    assert wins.tie == pytest.approx(0)
    only = size.expect_wins(replace(USUAL, risk=1e-12))
    # A change of MELD has SD 5 * sqrt(.8).
    assert only.win == pytest.approx(stats.norm.cdf(3 / (5 * np.sqrt(0.8) * np.sqrt(2))))
    rng = np.random.default_rng(1)
    drawn = simulate.draw_trials(rng, USUAL, 60, 100, lost=0.0)
    between = simulate.compare_patients(drawn)[:, 60:, :60]
    assert (between > 0).mean() == pytest.approx(wins.win, abs=0.015)


@pytest.mark.parametrize(
    "wrong",
    [{"sd": 0}, {"rho": 1}, {"missing": 1}, {"risk": 0}, {"power": 0.01}, {"death_share": 2}],
)
def test_impossible_protocols_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Protocol(**wrong)


def find_error(power: float, trials: int) -> float:
    """Return four standard errors of a share, in per cent."""
    return 400 * float(np.sqrt(power * (1 - power) / trials))


def test_formula_and_simulation_agree_on_meld() -> None:
    trials, complete = 20_000, replace(USUAL, missing=0.0)

    def decide(rng: np.random.Generator, number: int) -> np.ndarray:
        base, meld = simulate.draw_visits(rng, complete, 38, number)
        return simulate.is_ancova_significant(base, meld[:, :, -1], 0.95)

    expected = size.power_ancova(USUAL, 38)
    assert 0.88 < expected < 0.9, "the normal approximation is a little short of 90%"
    found = estimate_power(decide, trials, 1, 0.95)["percent"]
    assert found == pytest.approx(100 * expected, abs=find_error(expected, trials))


def test_formula_and_simulation_agree_on_events_and_wins() -> None:
    """The formulas are approximations: within a further one and a half per cent."""
    table = plan_trial(replace(USUAL, lost=0.0), trials=4000)
    for endpoint in ("EVENT", "WINS"):
        power = table.loc[endpoint, "percent"]
        assert power == pytest.approx(90, abs=find_error(0.9, 4000) + 1.5)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, "in all of these comparisons. So"),
        ({"MELD": (85, 89), "WINS": (85, 88)}, "of MELD .* and death.* lies below .*; the other"),
        (
            {"MELD": (85, 89), "EVENT": (91, 95)},
            "MELD .* lies below .*, that of death .* lies above",
        ),
        (dict.fromkeys(ENDPOINTS, (85, 89)), r"lies below the [^;]* asked for\. So"),
    ],
)
def test_words_on_power_follow_the_simulated_intervals(
    limits: dict[str, tuple[float, float]], expected: str
) -> None:
    rows = []
    for name in ENDPOINTS:
        low, high = limits.get(name, (88, 92))
        rows += make_rows("next", {"percent_low": low, "percent_high": high}, group=name)
    assert re.search(expected, words.say_power(make_record(rows), USUAL))


def test_no_difference_is_seldom_found() -> None:
    table = plan_trial(USUAL, trials=4000, null=True)
    assert (table["percent"] - 5).abs().max() < find_error(0.05, 4000) + 0.4


def test_who_fares_better() -> None:
    """Patients: died early, died late, transplanted, lost, MELD fell by 4, MELD fell by 1."""
    none = np.inf
    trials = simulate.Trials(
        base=np.full((1, 6), 10.0),
        meld=np.array([[np.nan, np.nan, np.nan, np.nan, 6.0, 9.0]]),
        death=np.array([[0.2, 0.8, none, none, none, none]]),
        transplant=np.array([[none, none, 0.5, none, none, none]]),
        end=np.array([[1.0, 1.0, 1.0, 0.4, 1.0, 1.0]]),
    )
    better = simulate.compare_patients(trials)[0]
    np.testing.assert_array_equal(better, -better.T)
    assert better[4].tolist() == [1, 1, 1, 0, 0, 1]
    # The lost outlived the first, and were free of transplant no longer than followed.
    assert better[3].tolist() == [1, 0, 0, 0, 0, 0]
    assert better[2].tolist() == [1, 1, 0, 0, -1, -1]


def test_the_win_ratio_of_a_small_trial() -> None:
    rng = np.random.default_rng(2)
    drawn = simulate.draw_trials(rng, USUAL, 5, 1, lost=0.0)
    better = simulate.compare_patients(drawn)[0]
    found = simulate.find_win_ratios(drawn)
    wins = [better[i, j] for i in range(5, 10) for j in range(5)]
    assert found.ratio[0] == wins.count(1) / wins.count(-1)
    # The variance is that over all allocations.
    score = better.sum(axis=1)
    again = [score[rng.permutation(10)[:5]].sum() for _ in range(20_000)]
    statistic = score[5:].sum() / np.std(again)
    assert found.statistic[0] == pytest.approx(statistic, rel=0.02)


def test_closed_form_is_the_mixed_model() -> None:
    rng = np.random.default_rng(3)
    base, meld = simulate.draw_visits(rng, USUAL, 20, 3)
    arm = np.repeat([0.0, 1.0], 20)
    found = mmrm.compare_arms(base, meld, arm)
    for k in range(3):
        table = pd.DataFrame(
            {
                "id": np.repeat(np.arange(40), 3),
                "visit": np.tile(np.arange(3), 40),
                "y": meld[k].ravel(),
                "base": np.repeat(base[k], 3),
                "arm": np.repeat(arm, 3),
            }
        )
        formula = "y ~ 0 + C(visit) + C(visit):arm + C(visit):base"
        fit = fit_mmrm(formula, table, subject="id", visit="visit", level=0.95)
        own = fit.coefficients.loc["C(visit)[2]:arm", ["estimate", "se", "df", "p_value"]]
        batch = [found.estimate[k], found.se[k], found.df[k], found.p_value[k]]
        np.testing.assert_allclose(batch, own, rtol=1e-7)


def test_closed_form_refuses_those_who_return() -> None:
    base, meld = simulate.draw_visits(np.random.default_rng(3), USUAL, 20, 1)
    meld[0, 0] = [1, np.nan, 1]
    with pytest.raises(ValueError, match="missing from a visit on"):
        mmrm.compare_arms(base, meld, np.repeat([0.0, 1.0], 20))


def test_a_printed_count_that_disagrees_with_its_per_cent() -> None:
    cells, care = related.check_responders(related.SPAHR_2013, 0.95).to_dict("records")
    assert cells["agrees"]
    assert not care["agrees"]
    assert round(care["found"]) == 60
    assert care["counts"] == (16,)
    assert care["ratio"] == pytest.approx(1.6, abs=0.05)
    odds = related.estimate_odds_ratio((18, 16), (28, 30), 0.95)
    # The interval printed is .49 to 5.4; exact intervals differ in their upper limit.
    assert odds["low"] == pytest.approx(0.49, abs=0.005)
    assert 5.1 < odds["high"] < 5.4
    assert odds["p_value"] == pytest.approx(0.43, abs=0.02)


def test_other_studies_are_identified_and_compared() -> None:
    table = related.load_related()
    assert set(table["comparison"]) == {"before-after", "controlled"}
    assert (table[["pmid", "doi", "other"]] != "").any(axis=1).all()
    assert table["id"].is_unique
    spahr = table.set_index("id").loc["SPAHR2013"]
    assert int(spahr["patients"]) == sum(related.SPAHR_2013.sizes)


def test_the_command_prints_the_table() -> None:
    command = ["design", "--trials", "50", "--difference", "2"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert re.search(r"ANCOVA\)\s+85\s+129", done.output)
    assert re.search(r"proportions\)\s+203 .* 76", done.output)
    assert "expected between" in CliRunner().invoke(main, ["design", "--rho", "2"]).output
