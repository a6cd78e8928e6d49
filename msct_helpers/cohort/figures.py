"""Figures of the cohort chapter: participant flow, time in study, time to event."""

from textwrap import fill
from typing import Any

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
from msct_helpers.cohort.population import VISIT_DAYS
from msct_helpers.cohort.survival import get_at
from msct_helpers.trial.schema import HORIZON_DAYS

FLOW_WIDTH = 4.4
LATE_DAYS = 122
"""A visit this long after the end of the two years still belongs to them."""

LINE = 0.19
"""Height of a line of text in the flow diagram, inches."""

LETTERS = 30
"""Letters on a line of the flow diagram."""


def wrap_lines(text: str) -> str:
    """Return a text with its lines broken where they would leave their box."""
    return "\n".join(fill(fit_font(line), LETTERS) for line in text.split("\n"))


def plot_flow(steps: list[tuple[str, list[str]]]) -> Figure:
    """Return the participant flow as a CONSORT diagram.

    Parameters
    ----------
    steps
        From enrolment to analysis: the text of the box, and the lines of the box beside the arrow
        that leads to it (who left before this step; empty for nobody).
    """
    set_style()
    steps = [(wrap_lines(text), [wrap_lines(line) for line in beside]) for text, beside in steps]
    gaps = [
        max(0.25, LINE * sum(1 + line.count("\n") for line in beside) + 0.22) for _, beside in steps
    ]
    heights = [LINE * (1 + text.count("\n")) + 0.22 for text, _ in steps]
    gaps[0] = 0.0
    height = sum(gaps) + sum(heights) + 0.1
    # Narrower than other figures: on a phone its words stay as large as those beside it.
    fig = Figure(figsize=(FLOW_WIDTH, height))
    ax = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_axis_off()
    ax.set(xlim=(0, FLOW_WIDTH), ylim=(-height + 0.05, 0.05))
    box = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": BLUE, "linewidth": 1.4}
    side = box | {"edgecolor": ORANGE}
    middle, y = 1.15, 0.0
    for (text, beside), gap, tall in zip(steps, gaps, heights, strict=True):
        if gap:
            arrow = {"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (middle, y - gap), (middle, y), arrowprops=arrow)
        if beside:
            ax.plot([middle, 2.45], [y - gap / 2] * 2, color=INK, lw=1)
            words = "\n".join(beside)
            ax.text(2.55, y - gap / 2, words, ha="left", va="center", bbox=side, fontsize=9)
        y -= gap
        ax.text(middle, y - tall / 2, text, ha="center", va="center", bbox=box)
        y -= tall
    return fig


def plot_swimmer(course: pd.DataFrame, visits: pd.DataFrame) -> Figure:
    """Return every participant's time in study, visits attended and event; nobody is named.

    Parameters
    ----------
    course
        USUBJID, STATUS, DAYS (`msct_helpers.cohort.population.derive_follow_up`).
    visits
        USUBJID and ADY of each visit attended.
    """
    seen = visits.loc[visits["ADY"] - 1 <= HORIZON_DAYS + LATE_DAYS]
    late = course["USUBJID"].map(seen.groupby("USUBJID")["ADY"].max() - 1)
    course = course.assign(DAYS=course["DAYS"].clip(lower=late.fillna(0)))
    order = course.sort_values(["DAYS", "STATUS"], ascending=False).reset_index(drop=True)
    size = len(order)
    fig, ax = make_figure(float(np.clip(0.16 * size, 1.6, 7.5)) + 0.9)
    place = pd.Series(order.index[::-1], index=order["USUBJID"])
    thick = 0.62 if size <= 40 else 0.8
    ax.barh(order.index[::-1], order["DAYS"], height=thick, color=BLUE, alpha=0.3, linewidth=0)
    spot = 14.0 if size <= 40 else 3.0
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
    days = list(VISIT_DAYS.values())
    ax.set_xticks(days, [str(m) for m in VISIT_DAYS])
    ax.set(xlabel="Months since entry", ylabel="Participants", yticks=[], ylim=(-0.8, size - 0.2))
    fig.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=8, handletextpad=0.2)
    return fig


def plot_survival(
    free: pd.DataFrame,
    incidence: pd.DataFrame,
    naive: pd.DataFrame,
    times: pd.DataFrame,
    record: pd.DataFrame,
) -> Figure:
    """Return transplant-free survival above and cumulative incidences below, with numbers at risk.

    Parameters
    ----------
    free, naive
        Curves of `msct_helpers.cohort.survival.estimate_survival`: of both events, and of death
        alone.
    incidence
        Curve of `msct_helpers.cohort.survival.estimate_incidence`.
    times
        DAYS and EVENT of each participant.
    record
        Record of `msct_helpers.cohort.survival.summarise_survival`; gives the numbers at risk.
    """
    set_style()
    fig = Figure(figsize=(WIDTH, 6.0), layout="constrained")
    upper, lower = fig.subplots(2, 1, sharex=True, height_ratios=[1.25, 1])
    curve = extend(free)
    upper.step(curve["DAY"], 100 * curve["SURVIVAL"], where="post", color=BLUE, lw=2)
    low, high = 100 * curve["CI_LOW"], 100 * curve["CI_HIGH"]
    upper.fill_between(curve["DAY"], low, high, step="post", color=BLUE, alpha=0.2, lw=0)
    censored = times.loc[(times["EVENT"] == 0) & (times["DAYS"] < HORIZON_DAYS), "DAYS"]
    heights = [100 * get_at(free, int(d))["SURVIVAL"] for d in censored]
    upper.plot(censored, heights, "|", color=INK, ms=8)
    upper.set(ylabel=fill("Alive without transplant, %", 20), ylim=(0, 103))
    add_risk_table(upper, record)
    steps = extend(incidence)
    for name, colour, style, word in (
        ("DEATH", ORANGE, "-", "death"),
        ("LIVER TRANSPLANT", GREEN, "--", "transplant"),
    ):
        lower.step(
            steps["DAY"], 100 * steps[name], where="post", color=colour, ls=style, label=word, lw=2
        )
    alone = extend(naive)
    label = "death, 1 − Kaplan-Meier"
    lower.step(
        alone["DAY"], 100 - 100 * alone["SURVIVAL"], where="post", color=INK, ls=":", label=label
    )
    top = float(100 - 100 * alone["SURVIVAL"].min())
    lower.set(ylabel=fill("Cumulative incidence, %", 20), xlabel="Months since entry")
    lower.set_ylim(0, max(10.0, 1.25 * max(top, 100 * float(steps["LIVER TRANSPLANT"].max()))))
    lower.legend(frameon=False, fontsize=8, loc="upper left")
    lower.set_xticks(list(VISIT_DAYS.values()), [str(m) for m in VISIT_DAYS])
    return fig


def extend(curve: pd.DataFrame) -> pd.DataFrame:
    """Return a step curve drawn on to the end of the two years."""
    last = curve.iloc[[-1]].assign(DAY=max(float(HORIZON_DAYS), curve["DAY"].max()))
    return pd.concat([curve, last], ignore_index=True)


def add_risk_table(ax: Axes, record: pd.DataFrame) -> None:
    """Write the numbers at risk under an axis."""
    ax.text(-0.01, -0.13, "At risk", transform=ax.transAxes, ha="right", va="top", fontsize=9)
    own = record[(record["analysis"] == "tfs") & (record["statistic"] == "risk_count")]
    below: dict[str, Any] = {
        "transform": ax.get_xaxis_transform(),
        "ha": "center",
        "va": "top",
        "fontsize": 9,
    }
    for month, count in zip(own["visit"], own["text"], strict=True):
        ax.text(VISIT_DAYS[month], -0.13, count, **below)


def plot_ceiling(record: pd.DataFrame) -> Figure:
    """Return the lowest p-value a two-year composite test can reach, by number of events counted.

    Parameters
    ----------
    record
        Record of `msct_helpers.abstract.published.summarise_composite_bound`.
    """
    wide = record.pivot(index="group", columns="statistic", values="value")
    fig, ax = make_figure(2.8)
    ax.axhline(0.05, color=ORANGE, lw=1.2)
    ax.text(0, 0.056, "5% level", color=INK, fontsize=8)
    ax.plot(wide["events_count"], wide["p_value"], "o-", color=BLUE)
    ax.set_yscale("log")
    ax.set_yticks([0.0001, 0.001, 0.01, 0.1], ["0.0001", "0.001", "0.01", "0.1"])
    ax.set(
        xlabel="Deaths and transplants counted as worst",
        ylabel=fill("Lowest p-value possible", 16),
        xticks=wide["events_count"],
    )
    return fig
