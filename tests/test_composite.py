"""The primary estimand: everybody enrolled, death below transplant below any change."""

import re

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.book.layout import lay_out
from msct_helpers.book.words import name_people
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy import composite
from msct_helpers.efficacy.change import get_value
from msct_helpers.meld.derive import derive_all
from msct_helpers.stats.ranks import estimate_hodges_lehmann
from msct_helpers.trial.plan import Plan
from tests.conftest import get_text, show_cells

VISIT = Plan().last


@pytest.fixture(scope="module")
def record(synthetic: Trial) -> pd.DataFrame:
    status = derive_disposition(synthetic.adsl, synthetic.plan)
    return composite.summarise_outcomes(derive_all(synthetic), status, ("ALB", "MELD"), Plan())


def make_people() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return albumin of six people, and what became of them: the last two had an event."""
    who = ["UP", "DOWN", "SAME", "LOST", "MOVED", "DEAD"]
    first = pd.DataFrame({"USUBJID": who, "AVISITN": 0, "AVAL": 30.0})
    half = pd.DataFrame({"USUBJID": who[:5], "AVISITN": 6, "AVAL": [31.0, 29, 30, 33, 34]})
    last = pd.DataFrame({"USUBJID": who[:3], "AVISITN": 24, "AVAL": [33.0, 28, 30]})
    status = pd.DataFrame({"USUBJID": who, "STATUS": "IN FOLLOW-UP", "DAYS": 731.0})
    status.loc[3:, "STATUS"] = ["LOST TO FOLLOW-UP", "LIVER TRANSPLANT", "DEATH"]
    status.loc[3:, "DAYS"] = [300.0, 400.0, 731.0]
    return pd.concat([first, half, last]), status


OUTCOMES = {
    "composite": ["NOT MEASURED", "LIVER TRANSPLANT", "DEATH"],
    "nolt": ["NOT MEASURED", "NOT MEASURED", "DEATH"],
    "alive": ["NOT MEASURED", "BETTER", "NOT MEASURED"],
}
"""Of the last three people, by strategy."""


@pytest.mark.parametrize("strategy", OUTCOMES)
def test_each_strategy_meets_events_in_its_way(strategy: str) -> None:
    values, status = make_people()
    found = composite.derive_outcomes(values, status, "ALB", VISIT, strategy)
    measured = ["BETTER", "NOT BETTER", "NOT BETTER"]
    assert found["OUTCOME"].tolist() == measured + OUTCOMES[strategy]


def test_death_ranks_below_transplant_below_any_change() -> None:
    values, status = make_people()
    for code, up in (("ALB", 3.0), ("PT", -3.0)):
        found = composite.derive_outcomes(values, status, code, VISIT)
        ranked = pd.Series(composite.rank_outcomes(found), found.index)
        assert ranked["UP"] == up
        assert ranked["LOST"] == 0
        assert ranked["DEAD"] < ranked["MOVED"] < -3


def test_an_event_after_the_visit_does_not_count_at_it(record: pd.DataFrame) -> None:
    # Deaths on days 88, 301, 458 and transplants on days 62, 376 after entry.
    counts = [get_value(record, "composite", "events_count", "ALB", m) for m in (6, 12, 24)]
    assert counts == [2, 3, 5]
    values, status = make_people()
    late = status.assign(DAYS=status["DAYS"].where(status["STATUS"] != "DEATH", VISIT.day + 1))
    found = composite.derive_outcomes(values, late, "ALB", VISIT)
    assert found.loc["DEAD", "OUTCOME"] == "NOT MEASURED"


def test_the_share_is_of_everybody_enrolled(record: pd.DataFrame) -> None:
    text = get_text(record)
    shown = [text[f"composite.meld.m24.{s}"] for s in ("better_count", "denominator")]
    assert shown == ["11", "26"]
    limits = [text[f"composite.meld.m24.percent_{s}"] for s in ("low", "high")]
    assert limits == ["23", "63"]
    own = record[(record["parameter"] == "MELD") & (record["visit"] == 24)]
    own = own[own["analysis"] == "composite"].set_index("statistic")["value"]
    assert own[["percent_low", "percent_high"]].round(1).tolist() == [23.4, 63.1]
    ends = ["better_count", *(composite.name_count(o) for o in composite.OUTCOMES[1:])]
    assert own[ends].sum() == 26


def test_a_limit_among_the_events_is_named(record: pd.DataFrame) -> None:
    text = get_text(record)
    assert (text["composite.alb.m24.hl_low"], text["composite.meld.m24.hl_high"]) == ("event",) * 2
    assert np.isfinite(get_value(record, "composite", "hl_high", "ALB", 24))


def test_the_unmeasured_pull_the_middle_change_towards_zero(record: pd.DataFrame) -> None:
    values, status = make_people()
    found = composite.describe_outcomes(
        composite.derive_outcomes(values, status, "ALB", VISIT, "nolt"), "ALB", 0.95
    )
    # Pairwise means of 3, -2, 0 and an event; then of the same with two more at zero.
    assert (found["hl_known"], found["hl"]) == (-1.5, 0.0)
    words = composite.say_pulled(record, Plan(), ("ALB", "MELD"))
    assert "{composite.meld.m24.hl_known} points instead of {composite.meld.m24.hl} points" in words
    measured = record.assign(
        value=record["value"].mask(record["statistic"] == "not_measured_count", 0.0)
    )
    assert composite.say_pulled(measured, Plan(), ("ALB", "MELD")) == ""
    worst = record.assign(value=record["value"].mask(record["statistic"] == "hl_known", -np.inf))
    assert "an event instead of {composite.alb" in composite.say_pulled(worst, Plan(), ("ALB",))


def test_whoever_was_measured_before_an_event_is_told(mayo: Trial, synthetic: Trial) -> None:
    (real, words), (made, none) = (
        (found["value"].tolist(), composite.say_early(found, trial.plan))
        for trial in (mayo, synthetic)
        for found in [
            composite.count_early(
                trial.efficacy_labs, derive_disposition(trial.adsl, trial.plan), trial.plan
            )
        ]
    )
    # Measured on days 300 and 336, dead on 321 and 348; on 690, and dead on 694.
    assert (real, made) == ([0, 2, 1], [0, 0, 0])
    assert "{early.m12.count} at month 12" in words
    assert "nobody had been" in none


def test_a_sentence_on_invented_people_says_so(record: pd.DataFrame, synthetic: Trial) -> None:
    who = name_people(synthetic)
    for said in (
        composite.say_outcomes(record, Plan(), ("ALB", "MELD"), {}, who),
        composite.say_lead(record, Plan(), ("ALB", "MELD"), who),
    ):
        assert "} synthetic participants" in said
    answer = composite.say_outcomes(record, Plan(), ("MELD",), {}, who)
    assert "Hodges-Lehmann estimate of the change {composite.meld.m24.hl} points" in answer


def test_the_answer_names_who_cannot_be_assessed(record: pd.DataFrame) -> None:
    absent = {"ALT": "not recorded", "ALB": "", "MELD": ""}
    said = composite.say_outcomes(record, Plan(), tuple(absent), absent)
    assert said.startswith("Alive, without transplant, measured and better at two years")
    assert "Not assessable: ALT (not recorded)." in said
    nothing = composite.say_outcomes(record.iloc[:0], Plan(), ("ALT",), absent)
    assert nothing.startswith("Who was better at two years cannot be assessed.")


def test_outcomes_stand_in_their_cells(record: pd.DataFrame) -> None:
    rows, columns = (
        composite.outcome_rows(record, Plan(), ("MELD",)),
        composite.outcome_columns(),
    )
    shown = lay_out(record, rows, columns, ["Endpoint", "Month"])
    assert dict(zip(shown.columns, show_cells(shown, record)[-1], strict=True)) == {
        "Endpoint": "",
        "Month": "24",
        "Better / not / not seen": "11 / 4 / 6",
        "LTx / died": "2 / 3",
        "Better, % (CI)": "42 (23 to 63)",
        "HL (CI)": "0.00 (−1.17 to event)",
        "p": "0.861",
    }


def test_limits_of_the_middle_change_follow_the_level() -> None:
    change = pd.DataFrame({"CHANGE": np.arange(-3.0, 17), "OUTCOME": "BETTER"})
    for level in (0.95, 0.9):
        found = composite.describe_outcomes(change, "ALB", level)
        expected = estimate_hodges_lehmann(change["CHANGE"].to_numpy(), level)
        assert {name: found[name] for name in expected} == expected


def test_the_answer_is_that_of_the_last_visit(record: pd.DataFrame) -> None:
    said = composite.say_outcomes(record, Plan(), ("MELD",), {"MELD": ""})
    assert set(re.findall(r"\{composite\.meld\.(\w+)\.\w+\}", said)) == {"m24"}


def test_three_means_are_told_apart_at_the_last_visit() -> None:
    keys = (("mmrm", "change"), ("chg", "mean"), ("obs", "diff"))
    rows = [make_rows(a, {s: -1.0}, parameter="MELD", visit=24) for a, s in keys]
    found = make_record(row for own in rows for row in own)
    assert (
        "{mmrm.meld.m24.change} by the mixed model, of everybody as if all had lived and stayed; "
        "{chg.meld.m24.mean} among the {chg.meld.m24.n} who were measured twice; "
        "{obs.meld.m24.diff} between all who were seen"
    ) in composite.say_reconciled(found, Plan(), "MELD")
    for lacking in found["id"]:
        assert composite.say_reconciled(found[found["id"] != lacking], Plan(), "MELD") == ""


def make_leads(*tests: tuple[str, int, float, int]) -> pd.DataFrame:
    """Return results of endpoints: PARAMCD, how many were better, p-value and side of the ranks."""
    rows = []
    for code, better, p_value, side in tests:
        shown = {"better_count": better, "p_value": p_value, "side": side, "denominator": 26}
        rows += make_rows("composite", shown, parameter=code, visit=24)
    return make_record(rows)


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (
            [("ALT", 8, 0.2, 1), ("ALB", 12, 0.06, -1)],
            "between {composite.alt.m24.better_count} and {composite.alb.m24.better_count} were "
            "alive, without transplant, measured and better at two years; no rank test lies below "
            "5%.",
        ),
        (
            [("ALT", 9, 0.2, 1), ("ALB", 9, 0.04, -1)],
            "{composite.alt.m24.better_count} were alive, without transplant, measured and better "
            "at two years; the rank tests of serum albumin lie below 5%, towards worse.",
        ),
        (
            [("ALT", 8, 0.01, 1), ("ALB", 12, 0.04, -1)],
            "between {composite.alt.m24.better_count} and {composite.alb.m24.better_count} were "
            "alive, without transplant, measured and better at two years; every rank test lies "
            "below 5%, towards better and towards worse.",
        ),
    ],
)
def test_the_lead_follows_counts_and_sides(
    tests: list[tuple[str, int, float, int]], said: str
) -> None:
    codes = tuple(code for code, *_ in tests)
    lead = composite.say_lead(make_leads(*tests), Plan(), codes)
    assert lead == f"Of {{composite.alt.m24.denominator}} participants enrolled, {said}"
    assert composite.say_lead(make_leads(*tests), Plan(), ("PT",)) == ""
