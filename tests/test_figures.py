"""What is drawn: ends of lines, bands, bars and labels, read back from the axes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection

from msct_helpers import Trial
from msct_helpers.abstract import published
from msct_helpers.cohort import population, survival
from msct_helpers.cohort.figures import join_head, plot_survival, plot_swimmer
from msct_helpers.context import mayo as context
from msct_helpers.efficacy.change import summarise_change
from msct_helpers.efficacy.figures import plot_tipping
from msct_helpers.meld.change import decompose_change
from msct_helpers.meld.figures import plot_parts
from msct_helpers.safety.figures import plot_risks
from msct_helpers.safety.safety import summarise_safety
from msct_helpers.trial.load import load_statements
from msct_helpers.trial.plan import Plan

PLAN = Plan()


def read_band(ax: Axes) -> np.ndarray:
    """Return the corners of the first filled band as (corners, 2)."""
    (band,) = ax.collections[:1]
    return np.asarray(band.get_paths()[0].vertices)


def read_line(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of the line with a label."""
    line = next(line for line in ax.lines if line.get_label() == label)
    return np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)


def test_the_band_of_a_tipping_point_reaches_both_limits() -> None:
    trace = pd.DataFrame({"delta": [0.0, 1.0], "estimate": [0.5, 0.1]})
    trace = trace.assign(ci_low=[0.1, -0.5], ci_high=[0.9, 0.7])
    ax = plot_tipping({"ALB": trace}).axes[0]
    corners = {tuple(corner) for corner in read_band(ax)}
    assert corners == {(0.0, 0.1), (0.0, 0.9), (1.0, -0.5), (1.0, 0.7)}
    assert ax.lines[0].get_ydata().tolist() == [0.5, 0.1]
    assert ax.get_title(loc="left") == "serum albumin"


def test_a_risk_is_drawn_with_its_whole_interval(synthetic: Trial) -> None:
    ax = plot_risks(summarise_safety(synthetic, PLAN), PLAN).axes[0]
    bars = next(c for c in ax.collections if isinstance(c, LineCollection)).get_segments()
    # Exact intervals of three, two, four and none of 26, from above.
    limits = [(2.4, 30.2), (0.9, 25.1), (4.4, 34.9), (0.0, 13.2)]
    assert [tuple(bar[:, 0]) for bar in bars] == [pytest.approx(pair, abs=0.06) for pair in limits]
    texts = [t.get_text() for t in ax.texts]
    assert texts[:3] == ["died", "12% (2 to 30), 3 of 26", "received a liver transplant"]
    assert ax.get_xlabel() == "Per cent (exact 95% interval), ← better"


@pytest.fixture(scope="module")
def curves(synthetic: Trial) -> tuple[list[pd.DataFrame], list[Axes]]:
    """Return the curves of the synthetic trial, and the two axes that show them."""
    times = survival.derive_time_to_event(synthetic.adsl, PLAN)
    days, event = times["DAYS"], times["EVENT"]
    free = survival.estimate_survival(days, event > 0, 0.95)
    naive = survival.estimate_survival(days, event == 1, 0.95)
    both = survival.estimate_incidence(days, event, 0.95)
    record = survival.summarise_survival(times, free, both, naive, PLAN)
    return [free, both, naive], plot_survival(record, times, free, both, naive, PLAN).axes


def test_the_curve_and_its_band_are_those_estimated(
    curves: tuple[list[pd.DataFrame], list[Axes]],
) -> None:
    (free, *_), (upper, _) = curves
    assert upper.lines[0].get_ydata()[:-1] == pytest.approx(100 * free["SURVIVAL"].to_numpy())
    heights = set(np.round(read_band(upper)[:, 1], 6))
    limits = free[["CI_LOW", "CI_HIGH"]].dropna().to_numpy()
    assert heights == set(np.round(100 * limits.ravel(), 6))


def test_each_cause_is_drawn_under_its_name(
    curves: tuple[list[pd.DataFrame], list[Axes]],
) -> None:
    (_, both, naive), (_, lower) = curves
    shown = {
        "death": both["DEATH"],
        "transplant": both["LIVER TRANSPLANT"],
        "death, 1 − Kaplan-Meier": 1 - naive["SURVIVAL"],
    }
    for name, share in shown.items():
        assert read_line(lower, name)[1][-1] == pytest.approx(100 * share.iloc[-1])
    assert len({round(share.iloc[-1], 6) for share in shown.values()}) == 3


def test_numbers_at_risk_stand_under_their_visits(
    curves: tuple[list[pd.DataFrame], list[Axes]],
) -> None:
    upper = curves[1][0]
    shown = {text.get_position()[0]: text.get_text() for text in upper.texts[1:]}
    assert shown == {0: "26", 183: "22", 365: "20", 731: "17"}


def test_a_bar_is_as_long_as_somebody_was_followed(synthetic: Trial) -> None:
    course = population.derive_follow_up(synthetic, PLAN)
    ax = plot_swimmer(course, synthetic.adlb, PLAN).axes[0]
    lengths = sorted(bar.get_width() for bar in ax.patches)
    # Whoever left did so on these study days, day 1 being entry.
    assert lengths[:9] == [d - 1 for d in (63, 88, 89, 119, 198, 302, 377, 459, 598)]
    marks = [c for c in ax.collections if isinstance(c, PathCollection)][1:]
    ends = {mark.get_label(): np.asarray(mark.get_offsets())[:, 0].tolist() for mark in marks}
    assert {name: sorted(days) for name, days in ends.items()} == {
        "died": [88, 301, 458],
        "transplant": [62, 376],
        "lost": [87, 118, 197, 597],
    }


def test_the_parts_of_each_change_are_stacked_to_its_total(synthetic: Trial) -> None:
    parts = decompose_change(synthetic.efficacy_labs)
    own = parts[parts["AVISITN"] == 24].sort_values("TOTAL")
    ax = plot_parts(own).axes[0]
    for bars, code in zip(ax.containers, ("BILI", "INR", "CREAT"), strict=True):
        assert [bar.get_height() for bar in bars] == pytest.approx(own[code].tolist())
    assert [bars.get_label() for bars in ax.containers] == ["bilirubin", "INR", "creatinine"]
    assert read_line(ax, "total")[1] == pytest.approx(own["TOTAL"].to_numpy())


def test_the_lowest_p_values_and_the_level_are_drawn() -> None:
    record = published.summarise_composite_bound(load_statements())
    record = record[record["group"] != "LOST IMPROVED"]
    ax = published.plot_ceiling(record, PLAN).axes[0]
    level, curve = ax.lines
    assert level.get_ydata()[0] == pytest.approx(0.05)
    expected = record.loc[record["statistic"] == "p_value", "value"]
    assert np.asarray(curve.get_ydata(), float) == pytest.approx(expected.to_numpy())


def test_the_upper_limit_is_read_off_the_curve_at_the_level() -> None:
    counts = published.summarise_counts(load_statements(), PLAN).set_index("id")
    ax = published.plot_none_seen(pd.DataFrame(), counts.loc["published.s1.percent_upper"], PLAN)
    curve, limit = ax.axes[0].lines
    assert np.asarray(limit.get_ydata(), float) == pytest.approx([0, 5, 5])
    upper = limit.get_xdata()[0]
    assert upper == pytest.approx(10.88, abs=0.005)
    assert np.interp(upper, curve.get_xdata(), curve.get_ydata()) == pytest.approx(5, abs=0.01)


def test_those_still_seen_rise_to_the_mean_of_all_seen(mayo: Trial) -> None:
    labs = mayo.efficacy_labs
    record = context.rename(
        pd.concat([summarise_change(labs, PLAN), context.summarise_seen(labs, PLAN)]), "pbc"
    )
    ax = context.plot_survivors(record).axes[0]
    # All seen, the same patients, and those not seen; mg/dL.
    drawn = [np.asarray(line.get_ydata(), float) for line in ax.lines]
    expected = ([4.55, 4.49], [3.41, 4.49], [7.06])
    for line, means in zip(drawn, expected, strict=True):
        assert line == pytest.approx(means, abs=0.005)
    assert [text.get_text() for text in ax.texts] == [
        "all seen (n = 109, then 75)",
        "the same patients (n = 75)",
        "not seen at month 12 (n = 34)",
    ]


@pytest.mark.parametrize(
    ("text", "inches", "expected"),
    [
        ("Enrolled\n26", 3.0, "Enrolled: 26"),
        ("Infused\n26\n23 cord", 3.0, "Infused: 26\n23 cord"),
        ("Month 6\n22 expected, 19 attended", 1.0, "Month 6\n22 expected, 19 attended"),
        ("No MSC given", 3.0, "No MSC given"),
    ],
)
def test_the_head_of_a_box_is_one_line_where_it_fits(
    text: str, inches: float, expected: str
) -> None:
    assert join_head(text, inches) == expected
