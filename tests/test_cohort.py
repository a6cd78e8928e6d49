"""Flow, leavers, time to event and published counts, against R and against counts by hand."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from msct_helpers import Trial
from msct_helpers.abstract import published
from msct_helpers.abstract.basis import add_basis
from msct_helpers.book.layout import Row, lay_out, proportion_columns, visit_rows
from msct_helpers.book.words import name_people
from msct_helpers.cohort import baseline, flow, population, survival
from msct_helpers.cohort.figures import plot_survival
from msct_helpers.meld import derive as meld
from msct_helpers.stats.ranks import estimate_signed_rank_p
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan, plan_visits
from tests.conftest import get_text, show_cells, with_tables

PLAN = Plan()

EVENTS = ["DEATH", "LIVER TRANSPLANT", "LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT", None]


def change_course(
    trial: Trial, reasons: list[str | None], days: list[int], kept: list[bool]
) -> Trial:
    """Return a trial whose participants leave for these reasons on these days, visits missing."""
    adsl = trial.adsl.assign(DCSREAS=reasons, EOSDY=np.array(days, dtype=float))
    left = adsl["DCSREAS"].notna()
    stayed = np.where(adsl["EOSDY"] > 300, "COMPLETED", "ONGOING")
    adsl["EOSSTT"] = np.where(left, "DISCONTINUED", stayed)
    adsl["DTHDY"] = adsl["EOSDY"].where(adsl["DCSREAS"] == "DEATH")
    last = trial.adlb["USUBJID"].map(adsl.set_index("USUBJID")["EOSDY"])
    present = np.resize(kept, len(trial.adlb)) & (trial.adlb["ADY"] <= last).to_numpy()
    return with_tables(trial, adsl=adsl, adlb=trial.adlb[present])


@st.composite
def courses(draw: st.DrawFn, size: int = 26) -> tuple[list[str | None], list[int], list[bool]]:
    """Draw how a trial goes: any mixture of events, ties, missing visits, all lost, none lost."""
    kinds = draw(
        st.sampled_from([EVENTS, ["LOST TO FOLLOW-UP"], [None], ["DEATH"], ["DEATH", None]])
    )
    spread = draw(st.sampled_from([[50], [1, 200, 400, 900], list(range(1, 900))]))
    reasons = draw(st.lists(st.sampled_from(kinds), min_size=size, max_size=size))
    days = draw(st.lists(st.sampled_from(spread), min_size=size, max_size=size))
    return reasons, days, draw(st.lists(st.booleans(), min_size=1, max_size=40))


@settings(max_examples=60, deadline=None)
@given(drawn=courses())
def test_flow_conserves_participants(
    synthetic: Trial, drawn: tuple[list[str | None], list[int], list[bool]]
) -> None:
    trial = change_course(synthetic, *drawn)
    size = len(trial.adsl)
    course = population.derive_follow_up(trial, PLAN)
    visits = population.derive_attendance(course, trial.adlb, PLAN)
    exits = population.derive_exits(course, PLAN)
    assert (visits["RISK"] + visits["LEFT"] == size).all()
    assert (visits["ATTENDED"] + visits["MISSED"] == visits["RISK"]).all()
    assert (visits["MISSED"] >= 0).all()
    left_by = exits.groupby("AVISITN")["COUNT"].sum().reindex(PLAN.numbers[1:])
    assert left_by.fillna(0).tolist() == (-visits["RISK"].diff().dropna()).tolist()
    population.check_flow(trial.adsl, course["STATUS"], visits, exits)
    assert population.count_statuses(course["STATUS"]).sum() == size
    # Aalen-Johansen and Kaplan-Meier share out the same participants at every day.
    times = survival.derive_time_to_event(trial.adsl, PLAN)
    free = survival.estimate_survival(times["DAYS"], times["EVENT"] > 0, 0.95)
    both = survival.estimate_incidence(times["DAYS"], times["EVENT"], 0.95)
    for day in (0, 183, 365, 731):
        at, sums = survival.get_at(free, day), survival.get_at(both, day)
        assert at["SURVIVAL"] + sums["DEATH"] + sums["LIVER TRANSPLANT"] == pytest.approx(1)
    # More may be expected at a visit than are at risk on its day: who came early, or completed.
    for visit, expected in zip(PLAN.visits, visits["RISK"], strict=True):
        early = (course["LASTRISK"] >= visit.number) & (times["DAYS"] < visit.day)
        assert expected == (times["DAYS"] >= visit.day).sum() + early.sum()
    bounds = survival.count_bounds(course["STATUS"])
    assert bounds["EVENT DEAD"] - bounds["EVENT ALIVE"] == bounds["UNKNOWN"]
    # Nobody is unknown who had an event or was followed to the end.
    assert bounds["EVENT ALIVE"] + (times["STATUS"] == "IN FOLLOW-UP").sum() == (
        size - bounds["UNKNOWN"]
    )


def test_a_flow_that_loses_someone_is_refused(
    synthetic: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits = population.derive_exits(population.derive_follow_up(synthetic, PLAN), PLAN).iloc[:-1]
    monkeypatch.setattr(population, "derive_exits", lambda course, plan: exits)
    with pytest.raises(ValueError, match="left by the last visit: 9 and 8"):
        population.summarise_disposition(synthetic, PLAN)


def test_flow_of_the_synthetic_trial_counted_by_hand(synthetic: Trial) -> None:
    # Events on study days 89, 302, 459 (deaths), 63, 377 (transplants), 88, 119, 198, 598 (lost).
    course = population.derive_follow_up(synthetic, PLAN)
    visits = population.derive_attendance(course, synthetic.adlb, PLAN).set_index("AVISITN")
    assert visits["RISK"].tolist() == [26, 22, 20, 17]
    exits = population.derive_exits(course, PLAN)
    assert exits.groupby("AVISITN")["COUNT"].sum().to_dict() == {6: 4, 12: 2, 24: 3}


def test_who_leaves_after_the_last_visit_is_shown(mayo: Trial) -> None:
    exits = population.derive_exits(population.derive_follow_up(mayo, PLAN), PLAN)
    died = exits[exits["STATUS"] == "DEATH"]["COUNT"].tolist()
    # 26 deaths within two years in R; one on day 694 after entry, seen at month 24 before.
    assert died == [7, 9, 9, 1]
    assert exits["AVISITN"].isna().tolist() == [False] * 4 + [True]


def test_who_came_early_or_completed_was_at_risk(synthetic: Trial) -> None:
    one = synthetic.adsl.iloc[:2].assign(EOSDY=[700.0, 700.0])
    one["EOSSTT"] = ["COMPLETED", "ONGOING"]
    labs = synthetic.adlb[synthetic.adlb["USUBJID"].isin(one["USUBJID"])]
    trial = with_tables(synthetic, adsl=one, adlb=labs[labs["AVISITN"] < 24])
    assert population.derive_follow_up(trial, PLAN)["LASTRISK"].tolist() == [24, 12]
    late = labs[labs["AVISITN"] == 24].assign(ADY=690.0)
    trial = with_tables(trial, adlb=pd.concat([trial.adlb, late]))
    assert population.derive_follow_up(trial, PLAN)["LASTRISK"].tolist() == [24, 24]


# R 4.2.2, survival 3.5-3: survfit with conf.type "log-log", and with a factor of states.
R_SURVIVAL = {
    "mayo": [
        (6, 102, 0.9357798165, 0.8700125111, 0.9688563303, 0.06422018349, 0.0),
        (12, 91, 0.8348623853, 0.7507745275, 0.8925756180, 0.16513761468, 0.0),
        (24, 82, 0.7522935780, 0.6599628959, 0.8228802284, 0.23853211009, 0.009174311927),
    ],
    "synthetic": [
        (6, 22, 0.9214743590, 0.7207930265, 0.9797797514, 0.04006410256, 0.03846153846),
        (12, 20, 0.8775946276, 0.6657885850, 0.9589552019, 0.08394383394, 0.03846153846),
        (24, 17, 0.7898351648, 0.5653763553, 0.9070025579, 0.12782356532, 0.08234126984),
    ],
}


def summarise_curves(trial: Trial, plan: Plan = PLAN) -> pd.DataFrame:
    times = survival.derive_time_to_event(trial.adsl, plan)
    days, event = times["DAYS"], times["EVENT"]
    free = survival.estimate_survival(days, event > 0, plan.level)
    naive = survival.estimate_survival(days, event == 1, plan.level)
    incidence = survival.estimate_incidence(days, event, plan.level)
    return survival.summarise_survival(times, free, incidence, naive, plan)


@pytest.mark.parametrize("dataset", R_SURVIVAL)
def test_survival_and_incidence_equal_those_of_r(
    dataset: str, request: pytest.FixtureRequest
) -> None:
    trial: Trial = request.getfixturevalue(dataset)
    value = summarise_curves(trial).set_index("id")["value"]
    for month, risk, free, low, high, died, moved in R_SURVIVAL[dataset]:
        found = [value[f"tfs.m{month}.{s}"] for s in ("percent", "percent_low", "percent_high")]
        assert found == pytest.approx([100 * free, 100 * low, 100 * high], abs=1e-6)
        assert value[f"tfs.m{month}.risk_count"] == risk
        assert value[f"cif.m{month}.death.percent"] == pytest.approx(100 * died, abs=1e-7)
        assert value[f"cif.m{month}.liver-transplant.percent"] == pytest.approx(100 * moved)


def test_naive_incidence_and_standard_error_equal_those_of_r(mayo: Trial, synthetic: Trial) -> None:
    value = summarise_curves(mayo).set_index("id")["value"]
    assert value["cif.m24.death.percent_se"] == pytest.approx(4.08, abs=0.005)
    assert value["naive.m24.death.percent"] == pytest.approx(100 * (1 - 0.7609406306), abs=1e-6)
    value = summarise_curves(synthetic).set_index("id")["value"]
    assert value["naive.m24.death.percent"] == pytest.approx(100 * (1 - 0.8646616541), abs=1e-6)
    assert value["naive.m24.death.excess_percent"] == pytest.approx(13.53383459 - 12.78235653)


def test_curves_without_events_and_with_nobody_left() -> None:
    days, none = pd.Series([10, 20, 30]), pd.Series([0, 0, 0])
    curve = survival.estimate_survival(days, none, 0.95)
    assert curve["SURVIVAL"].tolist() == [1.0]
    assert curve["CI_LOW"].isna().all()
    assert survival.estimate_incidence(days, none, 0.95)["DEATH"].tolist() == [0.0]
    all_died = survival.estimate_survival(days, pd.Series([1, 1, 1]), 0.95)
    assert all_died["SURVIVAL"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert np.isnan(all_died["CI_HIGH"].iloc[-1])
    moved = survival.estimate_incidence(days, pd.Series([2, 2, 2]), 0.95)
    assert moved["LIVER TRANSPLANT"].iloc[-1] == pytest.approx(1)
    assert moved["DEATH"].iloc[-1] == 0


def test_published_counts_have_the_exact_intervals_of_r() -> None:
    # binom.test in R 4.2.2, per cent.
    record = pd.concat(
        [
            published.summarise_counts(load_statements(), PLAN),
            published.summarise_none_seen(load_statements(), PLAN),
        ]
    )
    text, value = get_text(record), record.set_index("id")["value"].round(1)
    for group, share, low, high in (
        ("n3", 11.5, 2.4, 30.2),
        ("n4", 7.7, 0.9, 25.1),
        ("n5", 15.4, 4.4, 34.9),
        ("event", 19.2, 6.6, 39.4),
        ("gone", 34.6, 17.2, 55.7),
        ("dead-worst", 26.9, 11.6, 47.8),
        ("s1", 0, 0, 13.2),
    ):
        named = ("percent", "percent_low", "percent_high")
        found = [value[f"published.{group}.{s}"] for s in named]
        assert found == [share, low, high], group
    assert [value[f"published.s1.percent_{s}"] for s in ("upper", "three")] == [10.9, 11.5]
    assert [value[f"unseen.{r}.percent"] for r in (10, 5)] == [6.5, 26.4]
    assert [text[f"exclude.{r}.count"] for r in (10, 5, 1)] == ["29", "59", "299"]


def test_no_data_with_these_counts_keep_a_composite_significant() -> None:
    value = published.summarise_composite_bound(load_statements()).set_index("id")["value"]
    # R 4.2.2, exact; events are tied from the second on.
    for events, p in enumerate((0.0000153, 0.0019, 0.018)):
        assert value[f"ceiling.{events}.p_value"] == pytest.approx(p, rel=0.03)
    assert value["ceiling.5.improved_count"] == 17
    # Deaths tied, transplants tied: distinct improvements, equal ones, and the lost improved too.
    bound = [value[f"ceiling.{case}.p_value"] for case in ("5", "equal", "lost-improved", "sign")]
    assert bound == pytest.approx([0.401, 0.366, 0.163, 0.017], abs=0.0005)
    assert value["ceiling.lost-equal.p_value"] == pytest.approx(0.118, abs=0.0005)


@pytest.mark.parametrize(("size", "case"), [(17, "equal"), (21, "lost-equal")])
def test_no_pattern_of_ties_goes_below_equal_improvements(size: int, case: str) -> None:
    value = published.summarise_composite_bound(load_statements()).set_index("id")["value"]
    rng = np.random.default_rng(1)
    events = [-900.0, -900, -999, -999, -999]
    for kinds in range(1, size + 1):
        improved = rng.integers(1, kinds + 1, size).astype(float)
        p = estimate_signed_rank_p(np.concatenate([improved, events]))
        assert p >= value[f"ceiling.{case}.p_value"] - 1e-12


def test_standardised_differences_by_hand() -> None:
    one, other = pd.Series([1.0, 2.0, 3.0]), pd.Series([4.0, 6.0, 8.0])
    # Variances 1 and 4: (2 - 6) / sqrt(2.5).
    assert baseline.estimate_smd(one, other) == pytest.approx(-4 / np.sqrt(2.5))
    half, fifth = pd.Series([0.0, 1.0]), pd.Series([1.0, 0.0, 0.0, 0.0, 0.0])
    expected = (0.5 - 0.2) / np.sqrt((0.25 + 0.16) / 2)
    assert baseline.estimate_smd(half, fifth, proportion=True) == pytest.approx(expected)
    assert np.isnan(baseline.estimate_smd(one, other.iloc[:0]))
    assert np.isnan(baseline.estimate_smd(half * 0, fifth * 0, proportion=True))


def test_baseline_groups_share_out_all_participants(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.adlb, synthetic.adsl)
    record = baseline.summarise_baseline(synthetic, scores, PLAN)
    size = record[record["analysis"] == "group"].set_index("group")["value"]
    assert size[["UMBILICAL CORD", "CORD BLOOD", "BONE MARROW"]].tolist() == [23, 2, 1]
    assert size[["COMPLETED", "EVENT", "LOST"]].tolist() == [17, 5, 4]
    text = get_text(record)
    women = [text[f"base.sex=f.{g}.count"] for g in ("all", "completed", "event", "lost")]
    assert women == ["20", "11", "5", "4"]
    albumin = synthetic.adlb.query("PARAMCD == 'ALB' and AVISITN == 0")["AVAL"]
    assert float(text["base.alb.all.mean"]) == pytest.approx(albumin.mean(), abs=0.005)
    assert not record["statistic"].str.startswith("p_").any()


WEEKS = Plan(visits=plan_visits((0, 12, 26), "week"), unit="week", horizon_months=6)
"""Another plan: visits in weeks, of half a year."""


@pytest.mark.parametrize(
    ("reason", "status", "day", "unknown"),
    [
        ("LOST TO FOLLOW-UP", "DISCONTINUED", 400, True),
        ("WITHDRAWAL BY SUBJECT", "DISCONTINUED", 400, True),
        ("PHYSICIAN DECISION", "DISCONTINUED", 400, True),
        (None, "ONGOING", 400, True),
        (None, "ONGOING", 732, True),
        (None, "ONGOING", 733, False),
        ("LOST TO FOLLOW-UP", "DISCONTINUED", 733, False),
        (None, "COMPLETED", 700, False),
        ("DEATH", "DISCONTINUED", 400, False),
        ("LIVER TRANSPLANT", "DISCONTINUED", 400, False),
    ],
)
def test_whose_fate_is_unknown(
    synthetic: Trial, reason: str | None, status: str, day: int, unknown: bool
) -> None:
    one = synthetic.adsl.iloc[:1].assign(EOSSTT=status, EOSDY=float(day), DCSREAS=reason)
    record = survival.summarise_bounds(one, PLAN).set_index("id")["value"]
    assert record["bound.unknown.count"] == unknown


def test_bounds_of_the_synthetic_trial_stand_in_their_cells(synthetic: Trial) -> None:
    # Three deaths, two transplants, four lost, of 26; intervals by binom.test in R 4.2.2.
    record = survival.summarise_bounds(synthetic.adsl, PLAN)
    rows = survival.list_bounds(record)
    shown = lay_out(record, rows, proportion_columns(PLAN), ["Event", "If the lost were"])
    assert list(shown.columns[2:]) == ["Participants", "Per cent", "Exact 95% CI, %"]
    assert [row[1:] for row in show_cells(shown, record)] == [
        ["all alive without transplant", "3 of 26", "12", "2 to 30"],
        ["all dead", "7 of 26", "27", "12 to 48"],
        ["all alive without transplant", "5 of 26", "19", "7 to 39"],
        ["all dead", "9 of 26", "35", "17 to 56"],
    ]


def test_survival_stands_in_its_cells(mayo: Trial) -> None:
    record = summarise_curves(mayo)
    rows = [Row((str(v.number),), visit=v.number) for v in PLAN.later]
    columns = survival.survival_columns(record, PLAN)
    assert show_cells(lay_out(record, rows, columns), record) == [
        ["6", "102", "93.6 (87.0 to 96.9)", "6.4 (2.8 to 12.1)", "0.0", "6.4"],
        ["12", "91", "83.5 (75.1 to 89.3)", "16.5 (10.3 to 24.1)", "0.0", "16.5"],
        ["24", "82", "75.2 (66.0 to 82.3)", "23.9 (16.3 to 32.2)", "0.9 (0.1 to 4.5)", "23.9"],
    ]
    assert [head.partition(",")[0] for head in columns] == [
        "At risk",
        "Transplant-free survival",
        "Death",
        "Transplant",
        "Death by 1 − Kaplan-Meier",
    ]


def test_attendance_and_sets_stand_in_their_cells(synthetic: Trial) -> None:
    adsl = synthetic.adsl.assign(FASFL=["N"] + ["Y"] * 25, SAFFL=["N"] * 2 + ["Y"] * 24)
    record = population.summarise_disposition(with_tables(synthetic, adsl=adsl), PLAN)
    shown = lay_out(record, visit_rows(PLAN, ""), population.ATTENDANCE_COLUMNS, ["Visit"])
    heads = ["Expected, n (%)", "Attended, n (%)", "Missed, n (%)", "Left, n (%)"]
    assert list(shown.columns[1:]) == heads
    last = ["Month 24", "17 (65)", "15 (58)", "2 (8)", "9 (35)"]
    assert show_cells(shown, record)[-1] == last
    steps = show_cells(flow.derive_steps(record, PLAN), record)
    assert steps[-1][0] == "Analysed\n25 full analysis set\n24 safety analysis set"
    assert steps[3][1] == "1 died\n1 received a liver transplant\n2 lost to follow-up"


def test_level_of_an_interval_is_that_of_the_plan(synthetic: Trial) -> None:
    wide, narrow = PLAN, replace(PLAN, level=0.9)
    for summarise in (
        lambda plan: survival.summarise_bounds(synthetic.adsl, plan),
        lambda plan: summarise_curves(synthetic, plan),
        lambda plan: published.summarise_counts(load_statements(), plan),
    ):
        low, high = (summarise(plan).set_index("id")["value"] for plan in (wide, narrow))
        limits = low.index[low.index.str.endswith("percent_low") & low.gt(0)]
        assert (high[limits] > low[limits]).all()
    assert "(Kaplan-Meier, 90% confidence" in survival.say_survival(
        summarise_curves(synthetic, narrow), narrow
    )
    # By definition of the exact interval: three or more, and three or fewer of 26, in 5% each.
    value = survival.summarise_bounds(synthetic.adsl, narrow).set_index("id")["value"]
    least, most = (value[f"bound.death-alive.percent_{s}"] / 100 for s in ("low", "high"))
    assert stats.binom.sf(2, 26, least) == pytest.approx(0.05)
    assert stats.binom.cdf(3, 26, most) == pytest.approx(0.05)


def test_sentences_on_survival_follow_the_data(synthetic: Trial) -> None:
    def say(reason: str | None, day: int) -> str:
        status = "DISCONTINUED" if reason else "ONGOING"
        adsl = synthetic.adsl.assign(DCSREAS=reason, EOSSTT=status, EOSDY=float(day))
        record = summarise_curves(with_tables(synthetic, adsl=adsl))
        return f"{survival.say_survival(record, PLAN)} {survival.say_competing(record, PLAN)}"

    assert say(None, 760).startswith("No participant is known to have died")
    assert say(None, 760).endswith("there is no incidence to estimate.")
    assert say(None, 500).startswith("Survival without transplant at 24 months cannot be estimated")
    assert say(None, 500).endswith("Nobody was followed to 24 months, so no incidence is "
                                   "estimated there.")  # fmt: skip
    assert say("DEATH", 500).startswith("Nobody was alive without transplant and followed to")
    assert "No transplant competed with death" in say("DEATH", 500)


def test_words_follow_the_plan(synthetic: Trial) -> None:
    adsl = synthetic.adsl
    labs = synthetic.adlb[synthetic.adlb["AVISITN"] == 0]
    trial = with_tables(synthetic, adsl=adsl, adlb=labs)
    record = population.summarise_disposition(trial, WEEKS)
    curves = summarise_curves(trial, WEEKS)
    bounds = survival.summarise_bounds(adsl, WEEKS)
    steps = flow.derive_steps(record, WEEKS)
    said = [
        flow.say_lead(record, WEEKS),
        flow.say_enrolment(record, WEEKS),
        flow.say_course(record, WEEKS),
        survival.say_survival(curves, WEEKS),
        survival.say_competing(curves, WEEKS),
        survival.say_bounds(bounds, WEEKS),
        *(row.heads[0] for row in population.list_disposition(record, WEEKS)),
        *(head for head in population.completeness_columns(WEEKS)),
        flow.say_steps(steps),
    ]
    for words in said:
        assert not re.search(r"(?i)month|year", words)
    assert [words.count("26 weeks") for words in said[:2]] == [1, 1]
    assert "26 weeks\n{status.in-follow-up.count} still followed" in steps["STEP"].tolist()
    # Died on days 89, 302, 459; transplanted 63, 377; lost 88, 119, 198, 598: by day 182.
    found = curves.set_index("id")["value"]
    assert found["tfs.m26.risk_count"] == 22


def test_who_left_is_told_by_reason_and_direction(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.adlb, synthetic.adsl)
    who = baseline.derive_groups(synthetic, PLAN)
    for sign, word in ((1, "higher"), (-1, "lower")):
        # Those with an event are older, or younger; those who left otherwise the other way round.
        age = 50 + 20 * sign * (who["EVENT"].astype(int) - who["LOST"].astype(int))
        adsl = synthetic.adsl.assign(AGE=age + age.index % 3)
        record = baseline.summarise_baseline(with_tables(synthetic, adsl=adsl), scores, PLAN)
        assert f"age ({word} by" in baseline.say_group(record, "EVENT")
        assert f"age ({word} by" not in baseline.say_group(record, "LOST")
    groups = baseline.list_leavers(record)
    columns = baseline.group_columns(groups) | baseline.difference_columns(groups)
    shown = lay_out(record, baseline.list_characteristics(record, groups), columns)
    heads = [head.partition(",")[0] for head in shown.columns[1:4]]
    assert heads == ["Stayed", "Died or transplanted", "Left otherwise"]
    cells = show_cells(shown, record)[0]
    stayed, event, lost = (float(cell.partition(" ")[0]) for cell in cells[1:4])
    assert event < stayed < lost
    assert cells[4].startswith("−")
    assert not cells[5].startswith("−")
    assert baseline.list_characteristics(record, ["ALL"]) == []


def test_prothrombin_time_and_inr_count_once(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.adlb, synthetic.adsl)
    record = baseline.summarise_baseline(synthetic, scores, PLAN)
    said = baseline.say_leavers(record)
    assert "prothrombin time" in said
    assert "international normalised ratio" not in said


def test_sentences_speak_of_the_last_visit(synthetic: Trial) -> None:
    record, curves = population.summarise_disposition(synthetic, PLAN), summarise_curves(synthetic)
    said = [
        flow.say_enrolment(record, PLAN),
        survival.say_survival(curves, PLAN),
        survival.say_competing(curves, PLAN),
    ]
    for words in said:
        assert set(re.findall(r"\.(m\d+)\.", words)) == {"m24"}


def test_numbers_at_risk_agree_and_those_expected_are_told_apart(
    mayo: Trial, synthetic: Trial
) -> None:
    # R, summary(survfit)$n.risk at days 183, 365, 731: 102, 91, 82.
    times = survival.derive_time_to_event(mayo.adsl, PLAN)
    fits = [survival.estimate_survival(times["DAYS"], times["EVENT"] == e, 0.95) for e in (1, 1)]
    incidence = survival.estimate_incidence(times["DAYS"], times["EVENT"], 0.95)
    curves = summarise_curves(mayo)
    drawn = plot_survival(curves, times, fits[0], incidence, fits[1], PLAN).axes[0].texts
    assert [text.get_text() for text in drawn] == ["At risk", "109", "102", "91", "82"]
    rows = [Row((v.name,), visit=v.number) for v in PLAN.later]
    shown = lay_out(curves, rows, survival.survival_columns(curves, PLAN))
    assert [row[1] for row in show_cells(shown, curves)] == ["102", "91", "82"]
    said = survival.say_expected(curves, population.summarise_disposition(mayo, PLAN), PLAN)
    text = get_text(pd.concat([curves, population.summarise_disposition(mayo, PLAN)]))
    keys = re.findall(r"\{(.+?)\}", said)
    assert [text[key] for key in keys] == ["93", "91", "83", "82"]
    flow_of = population.summarise_disposition(synthetic, PLAN)
    assert survival.say_expected(summarise_curves(synthetic), flow_of, PLAN) == ""


def test_invented_days_are_named_wherever_an_estimate_rests_on_them(
    synthetic: Trial, mayo: Trial
) -> None:
    assert survival.say_days(mayo) == ""
    assert "days of these events are invented" in survival.say_days(synthetic)
    assert "only their numbers were published" in survival.say_days(synthetic)
    half = replace(synthetic.study, visits=[0, 12, 26], visit_unit="week", horizon_months=6)
    short = replace(synthetic, study=half)
    assert "published" not in survival.say_days(short), "these are fewer events than published"
    assert survival.basis_of_bounds(short) == survival.basis_of_bounds(mayo) == {}
    cells = pd.DataFrame([["Died", "{status.death.count}"], ["Bone", "{source.bone-marrow.count}"]])
    assert add_basis(cells, synthetic)["Basis"].tolist() == ["published", "published"]
    assert add_basis(cells, short)["Basis"].tolist() == ["invented", "published"]
    record = population.summarise_disposition(synthetic, PLAN)
    assert "synthetic participants enrolled" in flow.say_lead(record, PLAN, name_people(synthetic))
    assert "synthetic" not in flow.say_lead(record, PLAN, name_people(mayo))


def test_versions_of_one_score_count_once(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.adlb, synthetic.adsl)
    said = baseline.say_leavers(baseline.summarise_baseline(synthetic, scores, PLAN))
    first, _, _ = said.partition(" left for another reason")
    assert first.count("MELD") == 1
