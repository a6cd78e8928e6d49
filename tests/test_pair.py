"""Two data sets side by side: each is the one that is named, on scales that can be compared."""

import numpy as np
import pandas as pd
import pytest

from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan
from msct_helpers.worlds import pair
from tests.conftest import ROOT, get_text

PLAN = Plan()
FOLDERS = {"A": "msct_synthetic_null", "B": "msct_synthetic"}


@pytest.fixture(scope="module")
def values() -> pd.DataFrame:
    return pair.load_values()


@pytest.fixture(scope="module")
def record(values: pd.DataFrame) -> pd.DataFrame:
    return pair.summarise_pair(values, load_statements(), PLAN)


def read_wide(name: str, code: str) -> pd.DataFrame:
    """Return the values of a file, a row a participant, with pandas alone."""
    table = pd.read_csv(ROOT / "data" / FOLDERS[name] / "adlb.csv")
    own = table[table["PARAMCD"] == code]
    return own.pivot(index="USUBJID", columns="AVISITN", values="AVAL")


@pytest.mark.parametrize("name", FOLDERS)
def test_the_numbers_are_those_of_the_set_that_is_named(name: str, record: pd.DataFrame) -> None:
    wide = read_wide(name, "ALB")
    change = (wide[24] - wide[0]).dropna()
    value = record.set_index("id")["value"]
    assert value[f"{name.lower()}-chg.alb.m24.mean"] == pytest.approx(change.mean())
    assert value[f"{name.lower()}-chg.alb.m24.n"] == len(change)


def test_the_solution_names_the_set_that_was_chosen_by_a_low_albumin(record: pd.DataFrame) -> None:
    low = {name: read_wide(name, "ALB")[0].max() <= 30 for name in FOLDERS}
    assert low == {"A": True, "B": False}
    said = pair.say_solution(record, PLAN)
    assert said.startswith("Patients improved in set B; in set A nothing changed")
    assert "{pair.threshold} g/L or less in everybody, gives set A away" in said
    assert get_text(record)["pair.threshold"] == "30"
    assert get_text(record)["pair.statements_count"] == "20"
    assert "in set A rose by {a-chg.alb.m24.mean" in pair.say_alike(record, PLAN)


def test_both_sets_are_drawn_on_the_same_scales(record: pd.DataFrame, values: pd.DataFrame) -> None:
    axes = pair.plot_pair(record, values, PLAN).axes
    assert [ax.get_title(loc="left") for ax in axes[:2]] == ["Set A", "Set B"]
    assert [ax.get_ylabel() for ax in axes] == [
        "Serum albumin, g/L",
        "",
        "Total bilirubin, µmol/L",
        "",
    ]
    for left, right in (axes[:2], axes[2:]):
        assert left.get_ylim() == right.get_ylim()
        assert left.get_xlim() == right.get_xlim()
    for ax, (code, name) in zip(
        axes, ((c, n) for c in ("ALB", "BILI") for n in FOLDERS), strict=True
    ):
        wide = read_wide(name, code)
        *people, mean = ax.lines
        assert len(people) == 26
        assert np.asarray(mean.get_ydata()) == pytest.approx(wide.mean().to_numpy())
