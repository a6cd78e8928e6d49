"""Figures of the cohort chapter: participant flow, time in study, time to event."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from msct_helpers.book.figures import (
    BLUE,
    GREEN,
    INK,
    LINE,
    MARKS,
    ORANGE,
    SIZE,
    SMALL,
    fit_font,
    get_width,
    make_figure,
    measure,
    name_lines,
    new_figure,
    set_style,
    wrap,
    write_key_of,
)
from msct_helpers.book.words import upper_first
from msct_helpers.cohort.survival import get_at
from msct_helpers.trial.plan import Plan

FLOW_WIDTH = 5.2
"""Most inches of the flow diagram: its words are few."""

PAD, GAP = 0.09, 0.2
"""Room between a box and its text, and between boxes, inches."""


def plot_flow(steps: pd.DataFrame) -> Figure:
    """Return the participant flow as a CONSORT diagram.

    Parameters
    ----------
    steps
        From enrolment to analysis: STEP, the text of the box, and LEFT, that of the box beside the
        arrow that leads to it (who left before this step; empty for nobody).
    """
    set_style()
    width = min(get_width(), FLOW_WIDTH)
    main = 0.58 * width
    middle = 0.05 + main / 2
    # Boxes beside the arrow stand in the gaps between those that it joins.
    edge = middle + 0.3
    rest = width - edge - 0.05
    line = LINE * SIZE / 72
    boxes = [
        wrap(join_head(fit_font(text), main - 2 * PAD), main - 2 * PAD) for text in steps["STEP"]
    ]
    left = [wrap(fit_font(text), rest - 2 * PAD) if text else "" for text in steps["LEFT"]]
    heights = [measure_box(text) for text in boxes]
    gaps = [0.0, *(measure_box(text) + GAP if text else 0.25 for text in left[1:])]
    height = sum(gaps) + sum(heights) + 0.1
    # Room for what data they are.
    foot = 0.05 + line
    fig = Figure(figsize=(width, height + foot))
    ax = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set(xlim=(0, width), ylim=(-height - foot + 0.05, 0.05))
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
    y = 0.0
    for text, beside, gap, tall in zip(boxes, left, gaps, heights, strict=True):
        if gap:
            ax.annotate("", (middle, y - gap), (middle, y), arrowprops=arrow)
        if beside:
            ax.plot([middle, edge], [y - gap / 2] * 2, color=INK, lw=1)
            draw_box(ax, beside, (edge, y - GAP / 2, rest), ORANGE)
        y -= gap
        draw_box(ax, text, (0.05, y, main), BLUE)
        y -= tall
    return fig


def join_head(text: str, inches: float) -> str:
    """Return a text with its first two lines as one, where there is room for it."""
    head, _, rest = text.partition("\n")
    joined = f"{head}: {rest}"
    return joined if rest and measure(joined.split("\n")[0]) <= inches else text


def measure_box(text: str) -> float:
    """Return how tall the box of a text is, in inches."""
    return LINE * SIZE / 72 * (text.count("\n") + 1) + 2 * PAD


def draw_box(ax: Axes, text: str, place: tuple[float, float, float], colour: Any) -> None:
    """Draw a text in its box, from its left and top edge and as wide as it says, in inches."""
    left, top, width = place
    tall = measure_box(text)
    frame = FancyBboxPatch(
        (left, top - tall), width, tall, boxstyle="round,pad=0,rounding_size=0.06",
        facecolor="none", edgecolor=colour, linewidth=1.4,
    )  # fmt: skip
    ax.add_patch(frame)
    # A line each: in the middle of the box whatever font a reader has.
    for i, line in enumerate(text.split("\n")):
        y = top - PAD - LINE * SIZE / 72 * (i + 0.5)
        ax.text(left + width / 2, y, line, ha="center", va="center")


def label_visits(ax: Axes, plan: Plan) -> None:
    """Put the visits on an axis of days."""
    ax.set_xticks([v.day for v in plan.visits], [str(v.number) for v in plan.visits])
    ax.set_xlabel(f"{upper_first(plan.unit)}s since entry")


def plot_swimmer(course: pd.DataFrame, labs: pd.DataFrame, plan: Plan) -> Figure:
    """Return every participant's time in study, visits attended and event; nobody is named.

    Parameters
    ----------
    course
        USUBJID, STATUS, DAYS (`msct_helpers.cohort.population.derive_follow_up`).
    labs
        USUBJID, AVISITN and ADY of each measurement.
    plan
        The analysis plan.
    """
    seen = labs.groupby(["USUBJID", "AVISITN"], as_index=False)["ADY"].min()
    late = course["USUBJID"].map(seen.groupby("USUBJID")["ADY"].max() - 1)
    course = course.assign(DAYS=course["DAYS"].clip(lower=late.fillna(0)))
    order = course.sort_values(["DAYS", "STATUS"], ascending=False).reset_index(drop=True)
    size = len(order)
    fig, ax = make_figure(float(np.clip(0.16 * size, 1.6, 7.5)) + 0.9)
    place = pd.Series(order.index[::-1], index=order["USUBJID"])
    thick, spot = (0.62, 14.0) if size <= 40 else (0.8, 3.0)
    ax.barh(order.index[::-1], order["DAYS"], height=thick, color=BLUE, alpha=0.3, linewidth=0)
    ax.scatter(
        seen["ADY"] - 1, seen["USUBJID"].map(place), s=spot, color=BLUE, label="visit attended"
    )
    for status, (marker, word) in MARKS.items():
        own = order[order["STATUS"] == status]
        if len(own):
            ax.scatter(
                own["DAYS"], own["USUBJID"].map(place), marker=marker, s=3 * spot, color=ORANGE,
                edgecolor=INK, linewidth=0.4, label=word, zorder=3,
            )  # fmt: skip
    label_visits(ax, plan)
    ax.set(ylabel="Participants", yticks=[], ylim=(-0.8, size - 0.2))
    write_key_of(fig, ax)
    return fig


def plot_survival(
    record: pd.DataFrame,
    times: pd.DataFrame,
    free: pd.DataFrame,
    incidence: pd.DataFrame,
    naive: pd.DataFrame,
    plan: Plan,
) -> Figure:
    """Return transplant-free survival above and cumulative incidences below, with numbers at risk.

    Parameters
    ----------
    record
        Record of `msct_helpers.cohort.survival.summarise_survival`; gives the numbers at risk.
    times, free, incidence, naive, plan
        What it was made of.
    """
    fig = new_figure(4.8)
    upper, lower = fig.subplots(2, 1, sharex=True, height_ratios=[1.25, 1])
    curve = extend(free, plan)
    upper.step(curve["DAY"], 100 * curve["SURVIVAL"], where="post", color=BLUE, lw=2)
    low, high = 100 * curve["CI_LOW"], 100 * curve["CI_HIGH"]
    upper.fill_between(curve["DAY"], low, high, step="post", color=BLUE, alpha=0.2, lw=0)
    censored = times.loc[(times["EVENT"] == 0) & (times["DAYS"] < plan.horizon_days), "DAYS"]
    heights = [100 * get_at(free, day)["SURVIVAL"] for day in censored]
    upper.plot(censored, heights, "|", color=INK, ms=8)
    upper.set(ylabel="Alive without transplant, %", ylim=(0, 103))
    add_risk_table(upper, record, plan)
    steps, alone = extend(incidence, plan), extend(naive, plan)
    dead = 100 - 100 * alone["SURVIVAL"]
    lines, words = [], []
    for days, share, word, style in (
        (steps["DAY"], 100 * steps["DEATH"], "death", {"color": ORANGE, "lw": 2}),
        (
            steps["DAY"],
            100 * steps["LIVER TRANSPLANT"],
            "transplant",
            {"color": GREEN, "ls": "--", "lw": 2},
        ),
        (
            alone["DAY"],
            dead,
            "death, 1 − Kaplan-Meier",
            {"color": INK, "ls": ":"},
        ),
    ):
        lines += lower.step(days, share, where="post", label=word, **style)
        words.append(word)
    lower.set(ylabel="Cumulative incidence, %")
    top = max(float(dead.max()), 100 * float(steps["LIVER TRANSPLANT"].max()))
    lower.set_ylim(0, max(10.0, 1.25 * top))
    label_visits(lower, plan)
    name_lines(lower, lines, words, 1.6)
    return fig


def extend(curve: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return a step curve drawn on to the end of the horizon."""
    last = curve.iloc[[-1]].assign(DAY=max(float(plan.horizon_days), curve["DAY"].max()))
    return pd.concat([curve, last], ignore_index=True)


def add_risk_table(ax: Axes, record: pd.DataFrame, plan: Plan) -> None:
    """Write the numbers at risk under an axis."""
    ax.text(-0.01, -0.13, "At risk", transform=ax.transAxes, ha="right", va="top", fontsize=SMALL)
    own = record[(record["analysis"] == "tfs") & (record["statistic"] == "risk_count")]
    below = ax.get_xaxis_transform()
    for visit, count in zip(own["visit"], own["text"], strict=True):
        day = plan.visit(visit).day
        ax.text(day, -0.13, count, transform=below, ha="center", va="top", fontsize=SMALL)
