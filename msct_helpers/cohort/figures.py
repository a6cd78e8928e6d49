"""Figures of the cohort chapter: participant flow, time in study, time to event."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msct_helpers.book.figures import (
    BLUE,
    GREEN,
    INK,
    MARKS,
    ORANGE,
    WIDTH,
    fit_font,
    make_figure,
    set_style,
)
from msct_helpers.book.words import upper_first
from msct_helpers.cohort.survival import get_at
from msct_helpers.trial.plan import Plan

FLOW_WIDTH = 4.4

LINE = 0.19
"""Height of a line of text in the flow diagram, inches."""

LETTERS = 30
"""Letters on a line of the flow diagram."""


def wrap_lines(text: str) -> str:
    """Return a text with its lines broken where they would leave their box."""
    return "\n".join(fill(fit_font(line), LETTERS) for line in text.split("\n"))


def plot_flow(steps: pd.DataFrame) -> Figure:
    """Return the participant flow as a CONSORT diagram.

    Parameters
    ----------
    steps
        From enrolment to analysis: STEP, the text of the box, and LEFT, that of the box beside the
        arrow that leads to it (who left before this step; empty for nobody).
    """
    set_style()
    steps = steps.map(wrap_lines)
    lines = steps.apply(lambda column: column.str.count("\n") + 1)
    heights = LINE * lines["STEP"] + 0.22
    gaps = (LINE * lines["LEFT"] + 0.22).where(steps["LEFT"] != "", 0.25)
    gaps.iloc[0] = 0.0
    height = gaps.sum() + heights.sum() + 0.1
    # Narrower than other figures: on a phone its words stay as large as those beside it.
    fig = Figure(figsize=(FLOW_WIDTH, height))
    ax = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set(xlim=(0, FLOW_WIDTH), ylim=(-height + 0.05, 0.05))
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": BLUE, "linewidth": 1.4}
    side = box | {"edgecolor": ORANGE}
    arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
    middle, y = 1.15, 0.0
    for text, beside, gap, tall in zip(steps["STEP"], steps["LEFT"], gaps, heights, strict=True):
        if gap:
            ax.annotate("", (middle, y - gap), (middle, y), arrowprops=arrow)
        if beside:
            ax.plot([middle, 2.45], [y - gap / 2] * 2, color=INK, lw=1)
            ax.text(2.55, y - gap / 2, beside, ha="left", va="center", bbox=side, fontsize=9)
        y -= gap
        ax.text(middle, y - tall / 2, text, ha="center", va="center", bbox=box)
        y -= tall
    return fig


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
    fig.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=8, handletextpad=0.2)
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
    set_style()
    fig = Figure(figsize=(WIDTH, 6.0), layout="constrained")
    upper, lower = fig.subplots(2, 1, sharex=True, height_ratios=[1.25, 1])
    curve = extend(free, plan)
    upper.step(curve["DAY"], 100 * curve["SURVIVAL"], where="post", color=BLUE, lw=2)
    low, high = 100 * curve["CI_LOW"], 100 * curve["CI_HIGH"]
    upper.fill_between(curve["DAY"], low, high, step="post", color=BLUE, alpha=0.2, lw=0)
    censored = times.loc[(times["EVENT"] == 0) & (times["DAYS"] < plan.horizon_days), "DAYS"]
    heights = [100 * get_at(free, day)["SURVIVAL"] for day in censored]
    upper.plot(censored, heights, "|", color=INK, ms=8)
    upper.set(ylabel=fill("Alive without transplant, %", 20), ylim=(0, 103))
    add_risk_table(upper, record, plan)
    steps, alone = extend(incidence, plan), extend(naive, plan)
    dead = 100 - 100 * alone["SURVIVAL"]
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
        lower.step(days, share, where="post", label=word, **style)
    lower.set(ylabel=fill("Cumulative incidence, %", 20))
    top = max(float(dead.max()), 100 * float(steps["LIVER TRANSPLANT"].max()))
    lower.set_ylim(0, max(10.0, 1.25 * top))
    lower.legend(frameon=False, fontsize=8, loc="upper left")
    label_visits(lower, plan)
    return fig


def extend(curve: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return a step curve drawn on to the end of the horizon."""
    last = curve.iloc[[-1]].assign(DAY=max(float(plan.horizon_days), curve["DAY"].max()))
    return pd.concat([curve, last], ignore_index=True)


def add_risk_table(ax: Axes, record: pd.DataFrame, plan: Plan) -> None:
    """Write the numbers at risk under an axis."""
    ax.text(-0.01, -0.13, "At risk", transform=ax.transAxes, ha="right", va="top", fontsize=9)
    own = record[(record["analysis"] == "tfs") & (record["statistic"] == "risk_count")]
    below = ax.get_xaxis_transform()
    for visit, count in zip(own["visit"], own["text"], strict=True):
        day = plan.visit(visit).day
        ax.text(day, -0.13, count, transform=below, ha="center", va="top", fontsize=9)
