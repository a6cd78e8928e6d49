"""Comparison with a reference, links of built pages, and the table of standards."""

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sphinx.errors import ExtensionError

from msct_helpers.ard.columns import PUBLISHED
from msct_helpers.ard.reference import compare_records, say_agreement
from msct_helpers.check.links import find_dead_links
from msct_helpers.check.standards import check_standards
from msct_helpers.check.verify import check_data, check_results
from msct_helpers.sphinx import results
from msct_helpers.trial.load import load_reference, load_standards, read_results
from tests.conftest import DATASETS, ROOT


def make_results(**values: float) -> pd.DataFrame:
    """Return results of one chapter from values by statistic."""
    return pd.DataFrame(
        {
            "chapter": "meld",
            "id": [f"chg.{s}" for s in values],
            "operationId": list(values),
            "rawValue": list(values.values()),
            "formattedValue": [f"{v:.2f}" for v in values.values()],
        }
    )


@pytest.mark.parametrize(
    ("statistic", "was", "now", "agrees"),
    [
        ("mean", 1.0, 1.0 + 5e-7, True),
        ("mean", 1.0, 1.0 + 5e-6, False),
        ("p_t", 0.01, 0.01 * (1 + 5e-5), True),
        ("p_t", 0.01, 0.01 * (1 + 5e-4), False),
        ("count", 5.0, 5.0, True),
        ("count", 5.0, 5.0 + 1e-8, False),
        ("mean", np.nan, np.nan, True),
        ("mean", np.nan, 1.0, False),
        # Within tolerance, but a reader sees another text.
        ("mean", 1.001, 1.0010004, True),
        ("mean", 1.0049999, 1.0050001, False),
    ],
)
def test_tolerances(statistic: str, was: float, now: float, agrees: bool) -> None:
    found = compare_records(make_results(**{statistic: was}), make_results(**{statistic: now}))
    assert (found == []) is agrees


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1e6, 1e6), min_size=2),
    st.floats(0.01, 100),
    st.data(),
)
def test_one_moved_value_is_one_readable_line(
    values: dict[str, float], step: float, data: st.DataObject
) -> None:
    moved = data.draw(st.sampled_from(sorted(values)))
    was, now = make_results(**values), make_results(**(values | {moved: values[moved] + step + 10}))
    assert compare_records(was, was) == []
    (line,) = map(str, compare_records(was, now))
    assert line.startswith(f"meld, chg.{moved}: {values[moved]:.2f} -> ")
    assert "\n" not in line
    gone = compare_records(was, was[was["operationId"] != moved])
    assert [(d.id, d.now) for d in gone] == [(f"chg.{moved}", "gone")]
    new = compare_records(was[was["operationId"] != moved], was)
    assert [(d.id, d.was) for d in new] == [(f"chg.{moved}", "nothing")]


def test_agreement_is_said_in_one_line() -> None:
    was, now = make_results(a=1.0, b=2.0), make_results(a=1.0, b=3.0)
    assert say_agreement("x", 2, None).startswith("No reference is stored for x")
    assert say_agreement("x", 2, []) == "All 2 results agree with the reference of x."
    said = say_agreement("x", 2, compare_records(was, now))
    assert said == "1 of 2 results differ from the reference of x: meld, chg.b: 2.00 -> 3.00, by 1."


def test_a_reference_that_is_no_table_of_results_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ard.csv"
    make_results(a=1.0).to_csv(file, index=False)
    assert compare_records(read_results(file), make_results(a=1.0)) == []
    file.write_text(file.read_text().replace("1.0,", "one,"))
    with pytest.raises(ValueError, match="row 2, rawValue: 'one'; expected a number"):
        read_results(file)
    file.write_text("id\nx\n")
    with pytest.raises(ValueError, match="no column chapter"):
        read_results(file)


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_id_stands_in_two_chapters(dataset: str) -> None:
    stored = load_reference(dataset)
    assert stored is not None
    twice = stored.loc[stored["id"].duplicated(keep=False), ["chapter", "id"]]
    assert twice.to_numpy().tolist() == []


def collect(monkeypatch: pytest.MonkeyPatch, *rows: tuple[str, str, float]) -> list[dict[str, Any]]:
    """Return what the build makes of results that chapters left: page, chapter, value of one id."""
    left: dict[str, list[dict[str, Any]]] = {}
    for page, chapter, value in rows:
        row = dict.fromkeys(PUBLISHED, "") | {"id": "x", "chapter": chapter, "value": value}
        left.setdefault(page, []).append(row | {"shown": f"tab-{page}"})
    monkeypatch.setattr(
        results, "read_left", lambda env, page: {results.RECORD_KEY: json.dumps(left[page])}
    )
    return results.collect_record(SimpleNamespace(env=SimpleNamespace(found_docs=set(left))))


def test_a_result_of_two_chapters_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = collect(monkeypatch, ("meld", "meld", 1.0), ("statements", "meld", 1.0))
    assert (row["chapter"], row["shownIn"]) == ("meld", "tab-meld tab-statements")
    with pytest.raises(ExtensionError, match=r"x: 1\.0 of meld and 1\.0 of statements"):
        collect(monkeypatch, ("meld", "meld", 1.0), ("statements", "statements", 1.0))
    with pytest.raises(ExtensionError, match=r"x: 1\.0 of meld and 2\.0 of meld"):
        collect(monkeypatch, ("meld", "meld", 1.0), ("statements", "meld", 2.0))


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="here"><a href="b.html#there">b</a></p>')
    (tmp_path / "b.html").write_text(
        '<p id="there"><a href="#here">x</a><a href="c.html">c</a></p><a href="a.html#here">a</a>'
    )
    count, dead = find_dead_links(tmp_path)
    assert count == 4
    assert dead == [
        "b.html: #here (no such place in it)",
        "b.html: c.html (no such file)",
    ]


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_link_of_a_book_is_dead(books: dict[str, Path], dataset: str) -> None:
    count, dead = find_dead_links(books[dataset])
    assert count > 500
    assert dead == []


def test_standards_are_complete_and_reasoned() -> None:
    listed = load_standards()
    assert check_standards(listed) == []
    broken = copy.deepcopy(listed)
    by_key = {s["key"]: s["items"] for s in broken}
    del by_key["trend"][4]
    by_key["ich-e3"][0]["status"] = "done"
    silent = next(i for i in by_key["consort-2025"] if i["status"] == "not applicable")
    silent["reason"] = ""
    unlinked = next(i for i in by_key["consort-harms"] if i["status"] == "reported")
    del unlinked["link"]
    assert [p.partition(":")[2][:26].strip() for p in check_standards(broken)] == [
        "missing",
        "not applicable, without a",
        "reported, without a link",
        "status 'done'; expected r",
    ]


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_book_and_its_data_are_those_of_the_stored_reference(
    books: dict[str, Path], dataset: str
) -> None:
    """All that ``make verify`` looks at, here of the book that was built for the other tests."""
    found = read_results(books[dataset] / "results/ard.csv")
    checks = [check_data(ROOT / "data" / dataset), *check_results(dataset, found)]
    assert [check.name for check in checks] == ["Data", "Results", "Ledger"]
    assert [problem for check in checks for problem in check.problems] == []
