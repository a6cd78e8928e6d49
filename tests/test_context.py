"""Patients without cells: the Mayo cohort read in three ways, entered low, and its events."""

import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.book.layout import lay_out
from msct_helpers.context import mayo as context
from msct_helpers.efficacy.change import summarise_change
from msct_helpers.trial.plan import Plan
from tests.conftest import get_text, show_cells

PLAN = Plan()
HEADS = ["Parameter", "Month"]


def show(record: pd.DataFrame, columns: dict[str, object]) -> dict[str, list[str]]:
    """Return the cells of bilirubin at month 12 by the head of their column."""
    shown = lay_out(record, context.change_rows(PLAN), columns, HEADS)
    return dict(zip(shown.columns, show_cells(shown, record)[1], strict=True))


@pytest.fixture(scope="module")
def change(mayo: Trial) -> pd.DataFrame:
    return context.rename(summarise_change(mayo.efficacy_labs, PLAN), "pbc")


@pytest.fixture(scope="module")
def low() -> pd.DataFrame:
    return context.rename(context.summarise_low(PLAN), "low")


def test_three_readings_of_a_change_stand_under_their_heads(
    mayo: Trial, change: pd.DataFrame
) -> None:
    models = context.rename(context.summarise_models(mayo.efficacy_labs, PLAN), "pbc")
    # Means and paired t by R 4.2.2; albumin by R's mmrm is -.0824 at this visit.
    assert show(pd.concat([change, models]), context.change_columns(PLAN)) == {
        "Parameter": "",
        "Month": "12",
        "Seen, n": "75",
        "All seen minus all at baseline": "−0.06",
        "Pairs (95% CI)": "1.09 (0.02 to 2.15)",
        "Mixed model (95% CI)": "1.73 (0.64 to 2.81)",
    }
    assert get_text(models)["pbc-mmrm.alb.m12.change"] == "−0.082"


def test_those_not_seen_stand_under_their_own_head(mayo: Trial) -> None:
    seen = context.rename(context.summarise_seen(mayo.efficacy_labs, PLAN), "pbc")
    assert list(show(seen, context.seen_columns()).items())[2:] == [
        ("Seen, n", "75"),
        ("Seen: mean at baseline", "3.41"),
        ("Not seen, n", "34"),
        ("Not seen: mean at baseline", "7.06"),
    ]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_answer_turns_with_each_of_its_means(change: pd.DataFrame, sign: int) -> None:
    side, moved = {1: ("below", "rose"), -1: ("above", "fell")}[sign]
    turned = change.assign(value=sign * change["value"])
    said = context.say_answer(turned, PLAN)
    assert f"seen at month 12 was {side} baseline" in said
    assert f"while the same patients {moved} by" in said


def test_who_entered_low_rises_without_cells(low: pd.DataFrame) -> None:
    # Independent of this project: changes and numbers of pairs at each visit.
    text = get_text(low)
    found = [[text[f"low-chg.{c}.m{v}.mean"] for v in (6, 12, 24)] for c in ("alb", "bili", "pt")]
    assert found == [
        ["0.252", "0.242", "0.279"],
        ["1.27", "1.70", "0.87"],
        ["0.67", "0.22", "0.45"],
    ]
    assert [text[f"low-chg.alb.m{v}.n"] for v in (6, 12, 24)] == ["52", "70", "56"]
    assert text["low-obs.alb.m0.n"] == "168"
    assert "(n = {low-chg.alb.m24.n} at the last)" in context.say_low(low, PLAN)


def test_how_it_moved_turns_with_the_values(low: pd.DataFrame) -> None:
    fallen = low.assign(value=-low["value"])
    mixed = low.assign(value=low["value"].where(low["visit"] != 6, -1.0))
    for record, word in ((low, "rises"), (fallen, "falls"), (mixed, "changes")):
        assert context.describe_moves(record, "ALB", PLAN).startswith(f"{word} by ")


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (5, "cannot be told apart from theirs"),
        (1, "is below theirs"),
        (14, "is above theirs"),
    ],
)
def test_events_are_compared_with_the_published_count(mayo: Trial, count: int, words: str) -> None:
    events = context.summarise_events(mayo, (count, 26), PLAN)
    assert words in context.say_events(events, PLAN)
    value = events.set_index("id")["value"]
    # One minus the event-free Kaplan-Meier .752 (log-log .660 to .823) of R.
    shown = [value[f"event.mayo.{s}"] for s in ("percent", "percent_low", "percent_high")]
    assert shown == pytest.approx([24.77, 17.71, 34.00], abs=0.005)
    assert count != 5 or value["event.both.p_value"] == pytest.approx(0.35, abs=0.005)
