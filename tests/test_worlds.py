"""Many synthetic trials at once."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

from msct_helpers.abstract import simulate
from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.check.cli import main
from msct_helpers.stats.ranks import estimate_signed_rank_p
from msct_helpers.stats.scores import meld, round_points
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import DAYS_IN, Plan, make_plan
from msct_helpers.worlds import calibrate, draw, grid, report, run, tally, weigh, words
from msct_helpers.worlds.assume import (
    COURSE_MONTHS,
    IMPROVEMENT,
    NULLS,
    PROGRESSING,
    SELECTED,
    STABLE,
    WORLDS,
    Entry,
    vary,
)
from msct_helpers.worlds.judge import judge, round_half_up, summarise
from msct_helpers.worlds.ranks import is_significant, rank_sizes
from msct_helpers.worlds.tally import list_directions
from msct_helpers.worlds.target import read_target
from msct_helpers.worlds.workers import choose_workers, run_here

PLAN = Plan()
TARGET = read_target(load_statements(), PLAN)

SMALL = pd.DataFrame(
    [
        ("N1", "count", "", "", "", "", "12", ""),
        ("N3", "count", "", "", "", "", "1", "12"),
        ("N4", "count", "", "", "", "", "0", "12"),
        ("N5", "count", "", "", "", "", "2", "12"),
        ("E1", "direction", "ALB", "3", "higher", "", "", ""),
        ("E2", "direction", "MELD", "9", "lower", "", "", ""),
        ("E3", "significance", "BILI", "9", "lower", "significant", "", ""),
    ],
    columns=[
        *("id", "kind", "parameter", "visit", "direction", "significance", "count", "denominator")
    ],
)
"""Another abstract: twelve patients seen after three and nine months."""


def simulate_one(rng: np.random.Generator, world: str) -> dict[str, bool]:
    """Return which statements one trial, drawn patient by patient, satisfies.

    Written without the package's generator; only its constants are shared.
    """
    labs, days = simulate.LABS, (183, 365, 731)

    def see(code: str, level: float) -> float:
        lab = labs[code]
        value = level + lab.spread * np.sqrt(lab.scatter) * rng.standard_normal()
        value = np.exp(value) if lab.log else value
        value = max(value, 0.9) if code == "INR" else value
        return float(max(round(value, lab.decimals), 10.0**-lab.decimals))

    people: list[tuple[float, dict[str, float], dict[str, float]]] = []
    while len(people) < 26:
        severity, levels = rng.standard_normal(), {}
        for code, lab in labs.items():
            z = lab.severity * severity + np.sqrt(1 - lab.severity**2) * rng.standard_normal()
            levels[code] = lab.centre + lab.spread * np.sqrt(1 - lab.scatter) * z
        first = {code: see(code, levels[code]) for code in labs}
        if world != "selected" or first["ALB"] <= 30:
            people.append((severity, levels, first))
    end = [9999] * 26
    pool = list(range(26))
    for _ in range(5):
        risk = np.exp([people[i][0] for i in pool])
        pick = pool[int(rng.choice(len(pool), p=risk / risk.sum()))]
        pool.remove(pick)
        end[pick] = int(rng.integers(60, 700))
    for pick in rng.choice(pool, 4, replace=False):
        end[pick] = int(rng.integers(60, 700))
    moved = {"BILI": np.log(0.86), "ALB": 2.2, "INR": np.log(0.95), "ALT": np.log(0.86)}
    seen: dict[tuple[str, int], dict[int, float]] = {}

    def note(i: int, when: int, own: dict[str, float]) -> None:
        own = own | {"PT": round(12 * own["INR"], 1)}
        parts = (own["BILI"] / 17.1, own["INR"], own["CREAT"] / 88.4)
        own["MELD"] = 6.43 + sum(
            w * np.log(max(x, 1)) for w, x in zip((3.78, 11.2, 9.57), parts, strict=True)
        )
        own["POINTS"] = np.floor(own["MELD"] + 0.5)
        for code, value in own.items():
            seen.setdefault((code, when), {})[i] = value

    for i, (_, levels, first) in enumerate(people):
        note(i, 0, first)
        for when, due in enumerate(days, start=1):
            if rng.random() > 0.03 and 1 + due + rng.integers(-21, 22) <= end[i]:
                shift = moved if world == "improvement" else {}
                note(i, when, {c: see(c, levels[c] + shift.get(c, 0)) for c in labs})

    def change(code: str, when: int) -> tuple[np.ndarray, float]:
        first, now = seen[code, 0], seen[code, when]
        pairs = np.array([now[i] - first[i] for i in now])
        return pairs, float(np.mean(list(now.values())) - np.mean(list(first.values())))

    def clear(code: str, when: int) -> list[bool]:
        pairs, _ = change(code, when)
        t = pairs.mean() / pairs.std(ddof=1) * np.sqrt(len(pairs))
        return [2 * stats.t.sf(abs(t), len(pairs) - 1) < 0.05, estimate_signed_rank_p(pairs) < 0.05]

    out, number = {}, 0
    for code, visits in {"ALT": 3, "BILI": 2, "ALB": 3, "PT": 1, "MELD": 3}.items():
        for when in range(1, visits + 1):
            number += 1 + (number in (3, 9))  # E4 and E10 are on significance
            sign = 1 if code == "ALB" else -1
            read = [c for kind in (code, "POINTS") for c in change(kind, when)][
                : 2 + 2 * (number > 11)
            ]
            out[f"E{number}"] = all(sign * np.mean(c) > 0 for c in read)
    out["E4"] = not any(any(clear("ALT", when)) for when in (1, 2, 3))
    out["E10"] = out["E9"] and all(clear("ALB", 3))
    return out | {"accepted": all(out.values())}


@pytest.mark.parametrize("world", ["improvement", "selected"])
def test_a_plain_loop_accepts_as_often(world: str) -> None:
    """Each statement, and all, within what chance allows: 4 standard errors."""
    rng, trials = np.random.default_rng(3), 200
    plain = pd.DataFrame([simulate_one(rng, world) for _ in range(trials)]).mean()
    fast = run.simulate_worlds(PLAN, WORLDS[world], 20_000, 4)[list(plain.index)].mean()
    error = np.sqrt(fast * (1 - fast) * (1 / trials + 1 / 20_000)) + 1 / trials
    assert ((plain - fast).abs() < 4 * error).all()


@pytest.mark.parametrize(
    ("world", "low", "high"), [("improvement", 7, 10), ("selected", 0.43, 0.46)]
)
def test_rates_of_the_generator_of_one_trial(world: str, low: float, high: float) -> None:
    """Per cent, as two hands measured them before; give or take 3.5 standard errors."""
    trials = 20_000
    found = 100 * run.simulate_worlds(PLAN, WORLDS[world], trials, 4)["accepted"].mean()
    error = 350 * np.sqrt(high / 100 / trials)
    assert low - error < found < high + error


def test_rates_where_nothing_improved() -> None:
    # Three of 20,000 were found before: 12 or more would be surprising at that rate.
    assert run.simulate_worlds(PLAN, STABLE, 20_000, 9)["accepted"].sum() < 12
    assert run.simulate_worlds(PLAN, PROGRESSING, 10_000, 9)["accepted"].sum() <= 2


def test_the_statements_decide_each_acceptance() -> None:
    table = run.simulate_worlds(PLAN, IMPROVEMENT, 3000, 1)
    claims = [claim.id for claim in TARGET.claims]
    assert (table["accepted"] <= table[claims].all(axis=1)).all()
    assert table["ALB_24_mean"].notna().equals(table["accepted"])
    held = table[table["accepted"]]
    assert (held["ALB_24_mean"] > 0).all()
    assert (held["MELD_24_mean"] < 0).all()
    assert held["n_24"].between(12, 26).all()


def test_blocks_and_their_order_decide_nothing() -> None:
    whole = run.simulate_worlds(PLAN, IMPROVEMENT, 2500, 7)
    parts = run.simulate_blocks(IMPROVEMENT, TARGET, 2500, 7, start=2000)
    pd.testing.assert_frame_equal(whole.iloc[2000:], pd.concat(parts))
    pd.testing.assert_frame_equal(
        whole.iloc[:1200], run.simulate_worlds(PLAN, IMPROVEMENT, 1200, 7)
    )
    assert not whole.equals(run.simulate_worlds(PLAN, IMPROVEMENT, 2500, 8))


def test_another_abstract_is_another_file() -> None:
    plan = make_plan(horizon_months=9, visits=[0, 3, 9])
    target = read_target(SMALL, plan)
    assert (target.enrolled, target.drawn) == (12, ("ALB", "BILI", "INR", "CREAT"))
    table = run.simulate_worlds(plan, IMPROVEMENT, 2000, 1, SMALL)
    assert {"E1", "E2", "E3", "accepted", "ALB_3_mean", "n_9"} <= set(table)
    assert 0 < table["accepted"].mean() < 0.5
    with pytest.raises(ValueError, match="E1: no such visit"):
        read_target(SMALL, Plan())
    with pytest.raises(ValueError, match="no count N4"):
        read_target(SMALL[SMALL["id"] != "N4"], plan)


@pytest.mark.parametrize("world", [STABLE, PROGRESSING], ids=lambda w: w.name)
def test_without_noise_only_the_course_is_left(world: draw.World) -> None:
    quiet = vary(world, scatter=0.0)
    drawn = draw.draw_trials(run.make_rng(1, 0), quiet, TARGET, 50)
    assert (0, *(v.number for v in TARGET.visits)) == COURSE_MONTHS
    for code, lab in simulate.LABS.items():
        if code not in TARGET.drawn:
            continue
        for v, visit in enumerate(TARGET.visits):
            moved = world.change(code, visit.day / DAYS_IN["month"])
            first, unit = drawn.first[code], 10.0**lab.decimals
            expected = first * np.exp(moved) if lab.log else first + moved * unit
            size = np.abs(drawn.later[code][v] - expected)
            kept = first > 0.9 * unit + 1 if code == "INR" else size < np.inf
            # Half a unit of rounding at each visit.
            assert (size[kept] <= 0.501 + 0.5 * (np.exp(moved) if lab.log else 1)).all()


def test_trials_keep_counts_and_end_at_the_event() -> None:
    drawn = draw.draw_trials(run.make_rng(1, 0), STABLE, TARGET, 4000)
    seen = drawn.seen.mean(axis=(1, 2))
    # 9 of 26 leave on days 60 to 699, and 3% of the visits due are missed.
    due = 1 - 9 / 26 * np.array([(184 - 60) / 640, (366 - 60) / 640, 1.0])
    np.testing.assert_allclose(seen, 0.97 * due, atol=0.004)
    left = draw.draw_leavers(run.make_rng(2, 0), np.zeros((300, 26)), STABLE, TARGET)
    assert (left.sum(axis=1) == 9).all()


def test_the_sicker_leave_first() -> None:
    severity = np.random.default_rng(1).standard_normal((4000, 26))
    only = replace(TARGET, lost=0)
    left = draw.draw_leavers(run.make_rng(3, 0), severity, STABLE, only)
    assert severity[left].mean() > 0.5
    flat = draw.draw_leavers(run.make_rng(3, 0), severity, vary(STABLE, risk_slope=0.0), only)
    assert severity[flat].mean() == pytest.approx(0, abs=0.03)


def test_entry_asks_for_the_measured_value() -> None:
    drawn = draw.draw_trials(run.make_rng(1, 0), SELECTED, TARGET, 200)
    assert drawn.first["ALB"].max() == 300
    assert drawn.later["ALB"].mean() > drawn.first["ALB"].mean() + 15
    high = vary(STABLE, entry=Entry("MELD", 15.0, above=True))
    assert (
        draw.derive(draw.draw_trials(run.make_rng(1, 0), high, TARGET, 50).first, "MELD").min()
        >= 15
    )
    with pytest.raises(ValueError, match="hardly anybody"):
        draw.draw_trials(run.make_rng(1, 0), vary(STABLE, entry=Entry("ALB", 0.0)), TARGET, 1)


def test_draws_are_those_of_the_generator_of_one_trial() -> None:
    drawn = draw.draw_trials(run.make_rng(5, 0), IMPROVEMENT, TARGET, 4000)
    _, true = simulate.draw_patients(np.random.default_rng(5), 100_000)
    for code in TARGET.drawn:
        lab = simulate.LABS[code]
        later = simulate.measure(np.random.default_rng(6), code, true[code], simulate.IMPROVED)
        for own, other in ((drawn.first[code], true[code]["first"]), (drawn.later[code][0], later)):
            own = own.ravel() / 10.0**lab.decimals
            np.testing.assert_allclose(
                np.quantile(own, [0.1, 0.5, 0.9]), np.quantile(other, [0.1, 0.5, 0.9]), rtol=0.02
            )
    points = draw.derive(drawn.first, "MELD")
    one = [
        drawn.first[c][0, 0] / 10.0 ** simulate.LABS[c].decimals for c in ("BILI", "INR", "CREAT")
    ]
    assert points[0, 0] == pytest.approx(meld(one[0] / 17.1, one[1], one[2] / 88.4, rounded=False))
    np.testing.assert_array_equal(round_half_up(points[:5]), round_points(points[:5]))


def test_the_exact_rank_test_of_many_trials() -> None:
    """With ties, zeros and missing values, at every size; as the test of one trial."""
    rng = np.random.default_rng(11)
    for patients, step, shift in ((26, 1, 0.8), (26, 40, 0.3), (17, 4, 0.5), (7, 1, 1.2)):
        change = np.round(step * rng.normal(shift, 2, (150, patients)))
        change[rng.random(change.shape) < 0.2] = 0
        change[0] = 0
        for alpha in (0.05, 0.01):
            one = [any(c) and estimate_signed_rank_p(c) < alpha for c in change]
            np.testing.assert_array_equal(is_significant(change, alpha), one)
    np.testing.assert_array_equal(rank_sizes(np.array([[3.0, 0, 1, 1]])), [[6, 0, 3, 3]])
    with pytest.raises(ValueError, match="alpha"):
        is_significant(change, 0.4)


def test_changes_of_pairs_and_of_all_seen() -> None:
    first, later = np.array([[10.0, 20, 30]]), np.array([[12.0, 25, 99]])
    change = summarise(first, later, np.array([[1.0, 1, 0]]))
    assert (change.n[0], change.mean[0], change.diff[0]) == (2, 3.5, -1.5)
    assert change.sd[0] == pytest.approx(np.sqrt(4.5))
    alike = summarise(first, first + 3, np.ones((1, 3)))
    assert not alike.is_testable[0]
    assert not alike.is_t_significant(0.05)[0]


def test_each_reading_is_judged() -> None:
    drawn = draw.draw_trials(run.make_rng(1, 0), IMPROVEMENT, TARGET, 500)
    judged = judge(drawn, TARGET)
    readings = {name: {r for c, r in judged.holds if c == name} for name in ("E1", "E10", "E12")}
    assert readings["E1"] == {"observed", "pairs"}
    assert readings["E10"] == {"pairs"}
    assert readings["E12"] == {"observed", "pairs", "observed, rounded", "pairs, rounded"}


def test_untreated_patients_seldom_show_the_pattern() -> None:
    """Stage 4, 20,000 draws: .75% as observed and .065% in pairs were found before."""
    claims = list_directions(TARGET, calibrate.ASSESSABLE)
    assert [c.id for c in claims] == ["E5", "E6", "E7", "E8", "E9", "E11"]
    cohort = calibrate.load_cohort("stage 4")
    blocks = list(calibrate.draw_patterns(cohort, claims, 26, 20_000, 1))
    for reading, before in (("observed", 0.0075), ("pairs", 0.00065)):
        found = np.concatenate([b[reading] for b in blocks]) == 2 ** len(claims) - 1
        assert found.mean() == pytest.approx(before, abs=4 * np.sqrt(2 * before / 20_000))


def test_the_cohorts_are_those_of_the_facts() -> None:
    stage4, low = calibrate.load_cohort("stage 4"), calibrate.load_cohort("low albumin")
    assert calibrate.load_cohort("whole")["ALB"].shape == (4, 312)
    assert (~np.isnan(stage4["BILI"])).sum(axis=1).tolist() == [109, 79, 75, 55]
    assert low["ALB"].shape == (4, 168)
    change = low["ALB"][1:] - low["ALB"][0]
    np.testing.assert_allclose(np.nanmean(change, axis=1) / 100, [0.252, 0.242, 0.279], atol=6e-4)
    bili = np.nanmean(low["BILI"][1:] - low["BILI"][0], axis=1) / 10
    np.testing.assert_allclose(bili, [1.27, 1.70, 0.87], atol=6e-3)


def find_workers() -> list[int]:
    """Return one worker, and two where joblib is installed."""
    return [1, 2] if find_spec("joblib") else [1]


@pytest.mark.parametrize("workers", find_workers())
def test_a_run_that_was_stopped_goes_on(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PART", 1)
    out, asked = tmp_path / "results.parquet", []

    def stop_after_two(tasks: Sequence[run.Task]) -> Iterable[pd.DataFrame]:
        for task in tasks[:2]:
            yield run.run_part(*task)
        raise KeyboardInterrupt

    def count(tasks: Sequence[run.Task]) -> Iterable[pd.DataFrame]:
        asked.extend(tasks)
        return choose_workers(workers, None)(tasks)

    about = (IMPROVEMENT, TARGET, 3500, 7, out)
    with pytest.raises(KeyboardInterrupt):
        run.run_stored(*about, stop_after_two, lambda n: None)
    with pytest.raises(ValueError, match="parts of another run"):
        run.run_stored(STABLE, *about[1:], run_here, lambda n: None)
    told: list[int] = []
    # Workers know nothing of the patch: a part of theirs is the whole run.
    if workers > 1:
        monkeypatch.undo()
        shutil.rmtree(tmp_path / "results.parquet.parts")
    table = run.run_stored(*about, count, told.append)
    assert (len(asked), sum(told)) == (2 if workers == 1 else 1, 3500)
    pd.testing.assert_frame_equal(table, run.simulate_worlds(PLAN, IMPROVEMENT, 3500, 7))
    pd.testing.assert_frame_equal(pd.read_parquet(out), table)
    assert [path.name for path in tmp_path.iterdir()] == ["results.parquet"]


@pytest.mark.slow
def test_a_cluster_of_two_workers_gives_the_same(tmp_path: Path) -> None:
    distributed = pytest.importorskip("dask.distributed", reason="needs the extra cluster")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1) as cluster:
        parts = choose_workers(2, cluster.scheduler_address)
        about = (IMPROVEMENT, TARGET, 45_000, 1, tmp_path / "results.parquet")
        table = run.run_stored(*about, parts, lambda n: None)
    pd.testing.assert_frame_equal(table, run.simulate_worlds(PLAN, IMPROVEMENT, 45_000, 1))


def test_the_command_takes_another_abstract(tmp_path: Path) -> None:
    SMALL.to_csv(tmp_path / "small.csv", index=False)
    out = tmp_path / "small.parquet"
    command = ["simulate", "--trials", "1000", "--out", str(out)]
    command += ["--statements", str(tmp_path / "small.csv"), "--visits"]
    done = CliRunner().invoke(main, [*command, "3,9"])
    assert done.exit_code == 0, done.output
    assert "of 1000 trials satisfy every statement" in done.output
    assert {"E1", "E2", "E3", "accepted"} <= set(pd.read_parquet(out))
    assert "no such visit" in CliRunner().invoke(main, [*command, "3"]).output
    assert "expected one of" in CliRunner().invoke(main, [*command, "3,9", "--world", "x"]).output


def test_ratios_and_their_error() -> None:
    found = weigh.weigh_ratio(800, 10_000, 40, 10_000, 0.95)
    assert found["ratio"] == 20
    assert found["log_se"] == pytest.approx(np.sqrt(0.92 / 800 + 0.996 / 40))
    rng = np.random.default_rng(1)
    again = np.log(rng.binomial(10_000, 0.08, 4000) / rng.binomial(10_000, 0.004, 4000))
    assert found["log_se"] == pytest.approx(again.std(), rel=0.05)
    never = weigh.weigh_ratio(800, 10_000, 0, 10_000, 0.95)
    # Exact limits: 7.47% against 0.0369%.
    assert np.isinf(never["ratio"])
    assert never["ratio_low"] == pytest.approx(7.47 / 0.0369, rel=0.01)
    assert np.isnan(weigh.weigh_ratio(0, 10, 0, 10, 0.95)["ratio"])


def test_what_a_statement_carries() -> None:
    """A statement that only one world satisfies carries everything; one that both do, nothing."""
    one = pd.Series({"E1": 90, "E2": 100, "all": 90, "without E1": 100, "without E2": 90})
    two = pd.Series({"E1": 30, "E2": 100, "all": 30, "without E1": 100, "without E2": 30})
    table = weigh.weigh_statements(one, 100, two, 100, 0.95).set_index("statement")
    assert table["carries"].tolist() == pytest.approx([1, 3, 1])


def test_what_a_number_would_move() -> None:
    rng = np.random.default_rng(4)
    first = pd.DataFrame({"tells": rng.normal(1, 1, 20_000), "idle": rng.normal(0, 1, 20_000)})
    second = pd.DataFrame({"tells": rng.normal(0, 1, 8000), "idle": rng.normal(0, 1, 8000)})
    table = weigh.weigh_numbers(first, second, 0.95, 1).set_index("number")
    # Between two normal distributions one SD apart the divergence is a half; ten parts lose some.
    assert 0.42 < table.loc["tells", "moves"] < 0.5
    assert table.loc["idle", "moves"] < 0.005
    assert weigh.weigh_numbers(first, second.iloc[:20], 0.95, 1).empty


def test_tallies_are_counts_of_trials() -> None:
    found = tally.tally_world(IMPROVEMENT, TARGET, 3000, 1, ["E5", "E9"])
    table = run.simulate_worlds(PLAN, IMPROVEMENT, 3000, 1)
    assert found.counts["E9"] == table["E9"].sum()
    assert found.counts["all"] == table["accepted"].sum() == len(found.numbers)
    others = [c.id for c in TARGET.claims if c.id != "E10"]
    assert found.counts["without E10"] == table[others].all(axis=1).sum()
    assert found.patterns.groupby("reading")["count"].sum().tolist() == [3000, 3000]
    with pytest.raises(ValueError, match="multiple of 1000"):
        tally.tally_world(IMPROVEMENT, TARGET, 1500, 1)


def test_stored_runs_are_what_a_sample_gives_again() -> None:
    """The first trials of every world and of a few cells, and the code and statements behind."""
    note = grid.load_note()
    assert note["digest"] == run.digest_run(), "run `msct worlds` again: what decides it changed"
    accepted = grid.load_grid("acceptance").set_index(["world", "statement"])["sample"]
    for name, world in WORLDS.items():
        counts = tally.tally_world(world, TARGET, grid.SAMPLE, note["seed"]).counts
        assert accepted[name].to_dict() == counts.to_dict()
    stored = grid.load_grid("grid")
    cells = list(grid.list_cells())
    assert [(c.assumption, c.value, c.world.name) for c in cells] == list(
        stored[["assumption", "value", "world"]].itertuples(index=False, name=None)
    )
    for i in (5, 28, 44, 60):
        again = tally.tally_world(cells[i].world, TARGET, grid.SAMPLE, note["seed"])
        assert again.counts["all"] == stored["sample"][i]
    rates = grid.load_grid("acceptance").query("statement == 'all'").set_index("world")
    percent = 100 * rates["count"] / rates["trials"]
    assert 7 < percent["improvement"] < 10
    assert percent["stable"] == pytest.approx(0.015, abs=0.01)
    assert percent["selected"] == pytest.approx(0.445, abs=0.03)
    assert percent["progressing"] < 0.001


def test_words_follow_the_ratio() -> None:
    plan, record = Plan(), make_ratios(ratio=20.0, low=15.0, high=25.0)
    assert "lean to improvement" in words.say_answer(record, plan)
    assert "lean to the other world" in words.say_answer(make_ratios(0.4, 0.2, 0.7), plan)
    assert "do not tell the two apart" in words.say_answer(make_ratios(1.2, 0.8, 1.9), plan)
    never = words.say_answer(make_ratios(np.inf, 30.0, np.inf), plan)
    assert "since that world never satisfied them" in never


def make_ratios(ratio: float, low: float, high: float) -> pd.DataFrame:
    """Return the record of one ratio against every other world."""
    found = report.keep_known({"ratio": ratio, "ratio_low": low, "ratio_high": high})
    return make_record(row for n in NULLS for row in make_rows("ratio", found, group=n))


def test_words_follow_the_untreated_patients() -> None:
    def say(progressing: int, selected: int) -> str:
        asked = {"stable": 0, "progressing": progressing, "selected": selected, "concomitant": 0}
        rows = [
            {"cohort": c, "reading": r, "draws": 100, "count": 2, "null": n, "strong": strong}
            for c in calibrate.COHORTS
            for r in ("observed", "pairs")
            for n, strong in asked.items()
        ]
        return words.say_calibration(report.summarise_calibration(pd.DataFrame(rows), 0.95))

    assert "seldom mislead" in say(2, 1)
    assert "leaves out how patients were chosen" in say(40, 1)
    assert "no world here is what happened" in say(40, 30)


def test_numbers_have_names() -> None:
    assert words.name_number("ALB_0_sd") == "SD of serum albumin at baseline"
    assert words.name_number("n_24") == "number of patients measured at month 24"
    found = words.name_number("MELD_6_mean")
    assert found == "mean change of the pairs in MELD(i) at month 6"
