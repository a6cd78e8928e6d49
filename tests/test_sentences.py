"""Every number that a sentence or a cell names is one that its record holds."""

import re
from collections.abc import Iterable

import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.abstract import published
from msct_helpers.book.layout import lay_out, proportion_columns, visit_rows
from msct_helpers.cohort import flow, population, survival
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.context import mayo as context
from msct_helpers.efficacy import composite, course, inference, missing
from msct_helpers.efficacy.change import say_change, say_disagreement, summarise_change
from msct_helpers.meld import change as behind
from msct_helpers.meld.derive import derive_all, derive_scores
from msct_helpers.safety import adverse_events, safety
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan

PLAN = Plan()
ID = re.compile(r"\{([^{}|]+)(?:\|abs)?\}")


def check_ids(texts: Iterable[str], record: pd.DataFrame) -> None:
    """Assert that texts name some results, and none that is not in the record."""
    named = {key for text in texts for key in ID.findall(text)}
    assert named
    assert named <= set(record["id"]), sorted(named - set(record["id"]))


def list_cells(table: pd.DataFrame) -> list[str]:
    """Return all cells of a table, of which none is blank for want of a result."""
    blank = [head for head in table.columns[1:] if (table[head] == "").all()]
    assert not blank
    return [cell for row in table.itertuples(index=False) for cell in row]


def test_cohort(synthetic: Trial) -> None:
    flown = population.summarise_disposition(synthetic, PLAN)
    times = survival.derive_time_to_event(synthetic.adsl, PLAN)
    days, event = times["DAYS"], times["EVENT"]
    curves = survival.summarise_survival(
        times,
        survival.estimate_survival(days, event > 0, 0.95),
        survival.estimate_incidence(days, event, 0.95),
        survival.estimate_survival(days, event == 1, 0.95),
        PLAN,
    )
    bounds = survival.summarise_bounds(synthetic.adsl, PLAN)
    steps = flow.derive_steps(flown, PLAN)
    check_ids(
        [flow.say_lead(flown, PLAN), flow.say_enrolment(flown, PLAN), flow.say_course(flown, PLAN)],
        flown,
    )
    check_ids([flow.say_steps(steps), *steps["STEP"], *steps["LEFT"]], flown)
    check_ids([survival.say_survival(curves, PLAN), survival.say_competing(curves, PLAN)], curves)
    check_ids([survival.say_bounds(bounds, PLAN)], bounds)
    rows = survival.list_bounds(bounds)
    check_ids(list_cells(lay_out(bounds, rows, proportion_columns(PLAN), ["", " "])), bounds)
    assert [row.heads for row in rows] == [
        ("Died", "all alive without transplant"),
        ("Died", "all dead"),
        ("Died or transplanted", "all alive without transplant"),
        ("Died or transplanted", "all dead"),
    ]


@pytest.mark.parametrize("code", ["ALT", "ALB"])
def test_change(synthetic: Trial, code: str) -> None:
    record = summarise_change(synthetic.efficacy_labs, PLAN)
    said = [say_change(record, PLAN, code)]
    check_ids(said + [say_disagreement(record, code, v) for v in PLAN.later], record)
    for columns in (course.value_columns([code]), course.change_columns(PLAN)):
        check_ids(list_cells(lay_out(record, visit_rows(PLAN, code), columns)), record)


def test_efficacy(synthetic: Trial) -> None:
    labs, status = derive_all(synthetic), derive_disposition(synthetic.adsl, PLAN)
    values = {code: inference.scale_values(labs, code) for code in PLAN.family}
    fits = {c: inference.fit_change("AVAL ~ C(AVISITN)", v, PLAN) for c, v in values.items()}
    changes = inference.summarise_fits(fits, labs, PLAN).join(inference.compare_pairs(labs, PLAN))
    family = inference.record_family(inference.adjust(changes, PLAN.adjustment))
    imputed = {code: missing.impute_changes(own, 1, PLAN) for code, own in values.items()}
    record = pd.concat(
        [
            composite.summarise_outcomes(labs, status, PLAN.family, PLAN),
            family,
            inference.count_family(family, PLAN),
            missing.summarise_imputed(imputed, labs, PLAN),
            summarise_change(labs, PLAN),
        ]
    )
    said = [
        composite.say_outcomes(record, PLAN, PLAN.family, {}),
        composite.say_ranks(record, PLAN, "ALB"),
        composite.say_reconciled(record, PLAN, "MELD"),
        inference.say_modelled(family, PLAN, {}),
        missing.say_missing(record, PLAN),
        missing.say_imputed(record, PLAN, "ALB"),
    ]
    assert all(said)
    check_ids(said, record)
    for rows, columns in (
        (inference.family_rows(family), inference.family_columns(PLAN)),
        (composite.outcome_rows(record, PLAN, PLAN.family), composite.outcome_columns()),
        (missing.missing_rows(record, PLAN), missing.missing_columns(PLAN)),
    ):
        check_ids(list_cells(lay_out(record, rows, columns, ["", " "])), record)


def test_meld(synthetic: Trial, mayo: Trial) -> None:
    labs = synthetic.efficacy_labs
    scores = derive_scores(labs, synthetic.adsl)
    parts = behind.summarise_parts(behind.decompose_change(labs))
    noise = pd.concat([behind.summarise_noise(scores, PLAN), behind.record_laboratories()])
    reach = behind.summarise_regression(derive_scores(mayo.efficacy_labs, mayo.adsl), PLAN)
    check_ids([behind.say_parts(parts, PLAN, "")], parts)
    check_ids([behind.say_noise(noise, PLAN, "")], noise)
    check_ids([behind.say_regression(reach)], reach)


def test_safety(synthetic: Trial) -> None:
    record = pd.concat(
        [safety.summarise_safety(synthetic, PLAN), safety.summarise_exposure(synthetic)]
    )
    said = [
        safety.say_window(synthetic, record, PLAN),
        safety.say_limits(record, PLAN),
        safety.say_exposure(record),
    ]
    check_ids(said, record)
    seen = adverse_events.summarise_events(synthetic, PLAN)
    table = lay_out(
        seen, adverse_events.list_events(seen), adverse_events.event_columns(synthetic, PLAN)
    )
    check_ids(list_cells(table), seen)


def test_context_and_counts(mayo: Trial) -> None:
    change = context.rename(summarise_change(mayo.efficacy_labs, PLAN), "pbc")
    low = context.rename(context.summarise_low(PLAN), "low")
    events = context.rename(context.summarise_events(mayo, (5, 26), PLAN), "pbc")
    check_ids([context.say_answer(change, PLAN)], change)
    check_ids([context.say_low(low, PLAN)], low)
    check_ids([context.say_events(events, PLAN)], events)
    claims = load_statements()
    bound = published.summarise_composite_bound(claims)
    counts = [published.summarise_counts(claims, PLAN), published.summarise_none_seen(claims, PLAN)]
    check_ids([published.say_ceiling(bound, PLAN)], bound)
    check_ids([published.say_counts(PLAN), published.say_none_seen(PLAN)], pd.concat(counts))
    improved = bound.set_index("id")["value"]["ceiling.lost-improved.improved_count"]
    assert improved == 21
