"""What a reader sees of a number, and that each number has one source."""

import base64
import json
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sphinx.errors import ExtensionError

from msct_helpers.ard.columns import PUBLISHED
from msct_helpers.ard.results import format_p, format_rounded, make_record, make_rows
from msct_helpers.book.chapter import Chapter, draw_svg
from msct_helpers.book.figures import make_figure
from msct_helpers.book.records import RECORD_KEY
from msct_helpers.sphinx import results as sphinx_results


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(2.5, 0, "3"), (-2.5, 0, "−3"), (0.125, 2, "0.13"), (1.005, 2, "1.01"), (-0.04, 1, "0.0")],
)
def test_halves_go_away_from_zero(value: float, decimals: int, text: str) -> None:
    assert format_rounded(value, decimals) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.00001, "<0.0001"), (0.0094, "0.0094"), (0.0096, "0.010"), (0.0351, "0.035"), (1, "1.000")],
)
def test_p_values_are_never_zero(p: float, text: str) -> None:
    assert format_p(p) == text


@given(st.floats(-1e6, 1e6), st.integers(0, 4))
def test_rounding_moves_a_value_by_half_a_step_at_most(value: float, decimals: int) -> None:
    shown = float(format_rounded(value, decimals).replace("\N{MINUS SIGN}", "-"))
    assert abs(shown - value) <= 0.5 * 10**-decimals + 1e-6


def test_a_number_has_one_source_and_nan_is_said() -> None:
    rows = make_rows("chg", {"mean": np.nan}, parameter="ALB", visit=6, unit="g/L")
    assert make_record(rows)["text"].tolist() == ["NE"]
    with pytest.raises(ValueError, match=r"chg\.alb\.m6\.mean"):
        make_record(rows + rows)


def test_a_result_comes_from_one_chapter(monkeypatch: pytest.MonkeyPatch) -> None:
    own = dict.fromkeys(PUBLISHED, "") | {"id": "x", "chapter": "a", "value": 1.0, "shown": "prose"}
    left = {"a": [own], "b": [own | {"shown": "tab-b"}]}
    monkeypatch.setattr(
        sphinx_results, "read_left", lambda env, name: {RECORD_KEY: json.dumps(left[name])}
    )
    app: Any = SimpleNamespace(env=SimpleNamespace(found_docs={"a", "b"}))
    (row,) = sphinx_results.collect_record(app)
    assert (row["chapter"], row["shownIn"]) == ("a", "prose tab-b")
    for other in ({"chapter": "b"}, {"value": 2.0}):
        left["b"] = [own | other]
        with pytest.raises(ExtensionError, match=r"x: 1\.0 of a and [12]\.0 of [ab]"):
            sphinx_results.collect_record(app)


def test_results_and_figure_files_say_what_they_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msct_helpers.book.chapter.glue", lambda *args, **names: None)
    book = Chapter("safety")
    own, other = (make_record(make_rows(a, {"count": 1})) for a in ("own", "other"))
    book.record(own)
    book.record(other, origin="published")
    rows = [{PUBLISHED[name][0]: row[name] for name in PUBLISHED} for row in book.own_rows]
    assert [row["origin"] for row in rows] == ["synthetic", "published"]
    assert "origin" in sphinx_results.write_csv(rows).splitlines()[0].split(",")
    (figure,) = book.figure(lambda: make_figure(2.0)[0], name="fig-x", caption="x", alt="x").blocks
    label = str(book.trial.study.label)
    assert label in figure["svg"]
    assert label.encode() in base64.b64decode(figure["pdf"])


def test_places_of_a_drawing_are_short_and_texts_of_data_as_they_are() -> None:
    fig, ax = make_figure(2.0)
    ax.plot([0, 1 / 3], [0, 2 / 7])
    told = ' x="1.23456" d="M 1.23456"'
    ax.set_title(told)
    svg = draw_svg(fig, told).decode()
    assert svg.count("1.23456") == 4  # in the description and in the title
    drawn = re.findall(r' d="(M [^"]*)"', svg)
    assert len(drawn) > 5
    assert not re.search(r"\.\d{3}", " ".join(d for d in drawn if "1.23456" not in d))


@pytest.mark.parametrize(
    ("value", "n", "shown"),
    [
        (100 * 11 / 26, 26, "42"),
        (0.1, 26, "0.1"),
        (0.0, 26, "0"),
        (-28.4, 15, "−28"),
        (24.8, 109, "24.8"),
        (24.8, None, "24.8"),
    ],
)
def test_a_percentage_of_few_has_no_decimals(value: float, n: int | None, shown: str) -> None:
    (row,) = make_rows("share", {"percent": value}, n=n)
    assert row["text"] == shown
