"""Figures of the efficacy and MELD chapters, drawn from the record."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msct_helpers.book.figures import (
    BLUE,
    GREY,
    INK,
    MARKS,
    ORANGE,
    WIDTH,
    make_figure,
    set_style,
)
from msct_helpers.book.words import name_unit, upper_first
from msct_helpers.efficacy.composite import derive_outcomes, name_count
from msct_helpers.efficacy.inference import scale_values
from msct_helpers.trial.plan import MEASURES, Plan


def plot_courses(values: pd.DataFrame, status: pd.DataFrame, plan: Plan) -> Figure:
    """Return every participant's course of each measure; dark where better at the last visit.

    Parameters
    ----------
    values
        Measurements, a panel a measure: USUBJID, PARAMCD, AVISITN, AVAL, AVALU.
    status
        How each participant's follow-up ended
        (`msct_helpers.cohort.population.derive_disposition`).
    plan
        The analysis plan.
    """
    set_style()
    codes = list(values["PARAMCD"].unique())
    columns = min(2, len(codes))
    rows = -(-len(codes) // columns)
    fig = Figure(figsize=(WIDTH, 1.9 * rows + 0.9), layout="constrained")
    axes = fig.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for ax, code in zip(axes, codes, strict=False):
        draw_course(ax, values[values["PARAMCD"] == code], status, plan)
    for ax in axes[len(codes) :]:
        ax.set_axis_off()
    for ax in axes[max(len(codes) - columns, 0) : len(codes)]:
        ax.set_xlabel(plan.unit.capitalize())
        ax.tick_params(labelbottom=True)
    named = {
        label: handle
        for ax in axes
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    if named:
        place: dict[str, Any] = {"loc": "outside upper center", "ncols": 2, "frameon": False}
        fig.legend(list(named.values()), list(named), fontsize=8, **place)
    return fig


def draw_course(ax: Axes, values: pd.DataFrame, status: pd.DataFrame, plan: Plan) -> None:
    """Draw every participant's course of one measure, and mark the last values of who left."""
    code = str(values["PARAMCD"].iloc[0])
    outcomes = derive_outcomes(scale_values(values, code), status, code, plan.last)
    people = values["USUBJID"].nunique()
    outcome = values["USUBJID"].map(outcomes["OUTCOME"])
    for name, (colour, style) in COURSES.items():
        own = values[outcome == name] if name else values[~outcome.isin(list(COURSES))]
        if own.empty:
            continue
        sns.lineplot(
            own, x="AVISITN", y="AVAL", units="USUBJID", estimator=None, ax=ax, color=colour,
            linestyle=style, alpha=min(0.8, 25 / people), linewidth=1, marker=".",
            markeredgecolor="none", legend=False,
        )  # fmt: skip
    for name, (colour, style) in COURSES.items():
        if name and (outcome == name).any():
            label = f"{name.lower()} at {plan.last.words}"
            ax.plot([], [], color=colour, linestyle=style, label=label)
    mark_ends(ax, find_ends(values, status, plan), 26 if people <= 40 else 10)
    if MEASURES[code].log_scale:
        set_log_scale(ax)
    unit = name_unit(str(values["AVALU"].iloc[0]))
    ax.set(xlabel="", ylabel="", xticks=plan.numbers)
    name = upper_first(MEASURES[code].name)
    ax.set_title(f"{name},{unit}" if unit else name, loc="left", fontsize=10)


COURSES = {"": (GREY, ":"), "NOT BETTER": (GREY, "-"), "BETTER": (BLUE, "-")}
"""Colour and line of a participant's course by what became of them; the rest first."""

OUTCOME_COLOURS = {
    "BETTER": BLUE,
    "NOT BETTER": "#9ecae1",
    "NOT MEASURED": "#e8e8e8",
    "LIVER TRANSPLANT": "#fdbe85",
    "DEATH": ORANGE,
}


def plot_outcomes(record: pd.DataFrame) -> Figure:
    """Return for each endpoint how many of all enrolled were better, and what became of the rest.

    Parameters
    ----------
    record
        Record of the primary estimand at one visit (`msct_helpers.efficacy.composite`).
    """
    wide = record.pivot(index="parameter", columns="statistic", values="value")
    wide = wide.loc[list(dict.fromkeys(record["parameter"]))[::-1]]
    fig, ax = make_figure(1.1 + 0.42 * len(wide))
    left = np.zeros(len(wide))
    for outcome, colour in OUTCOME_COLOURS.items():
        size = wide[name_count(outcome)].to_numpy(dtype=float)
        name = "died" if outcome == "DEATH" else outcome.lower().replace("liver ", "")
        ax.barh(range(len(wide)), size, left=left, color=colour, label=name, edgecolor="white")
        ink = "white" if outcome == "BETTER" else INK
        for y, (start, width) in enumerate(zip(left, size, strict=True)):
            if width:
                ax.text(
                    start + width / 2,
                    y,
                    f"{width:.0f}",
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=ink,
                )
        left += size
    ax.set_yticks(range(len(wide)), [MEASURES[code].name for code in wide.index])
    ax.set(xlabel="Participants", xlim=(0, left.max()))
    fig.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return fig


def mark_ends(ax: Axes, ends: pd.DataFrame, size: int) -> None:
    """Mark the last values of whoever left, by why they did."""
    for status, (marker, word) in MARKS.items():
        gone = ends[ends["STATUS"] == status]
        if len(gone):
            ax.scatter(
                gone["AVISITN"],
                gone["AVAL"],
                marker=marker,
                color=ORANGE,
                s=size,
                zorder=3,
                label=f"last value before: {word}",
            )


def set_log_scale(ax: Axes) -> None:
    """Give the vertical axis a log scale with plain numbers."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
    ax.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    ax.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))


def find_ends(values: pd.DataFrame, status: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the last value of each participant who left before the last visit, and why.

    Parameters
    ----------
    values
        Measurements of one measure: USUBJID, AVISITN, AVAL.
    status
        USUBJID, STATUS (`msct_helpers.cohort.population.derive_disposition`).
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        AVISITN, AVAL, STATUS; a row for each participant without a value at the last visit.
    """
    last = values.sort_values("AVISITN").drop_duplicates("USUBJID", keep="last")
    left = last[last["AVISITN"] < plan.last.number].merge(status, on="USUBJID")
    return left[["AVISITN", "AVAL", "STATUS"]]


def plot_forest(record: pd.DataFrame, plan: Plan) -> Figure:
    """Return all changes of the family with intervals, in baseline standard deviations.

    Markers are filled where the adjusted p-value is below the level of the tests.
    """
    wide = record.pivot_table(
        index=["parameter", "visit"], columns="statistic", values="value", sort=False
    ).reset_index()
    fig, ax = make_figure(0.9 + 0.3 * len(wide))
    new = wide["parameter"].ne(wide["parameter"].shift())
    y = -np.where(new, 1.6, 1.0).cumsum() + 0.6
    ax.hlines(y, wide["standard_low"], wide["standard_high"], color=INK, lw=1.3)
    filled = [BLUE if p < plan.alpha else "white" for p in wide["p_holm"]]
    marker: dict[str, Any] = {"edgecolors": [BLUE], "linewidths": 1.4, "s": 36, "zorder": 3}
    ax.scatter(wide["standard"], y, facecolors=filled, **marker)
    names = [MEASURES[code].name for code in wide["parameter"]]
    labels = [f"{name}, {visit}" for name, visit in zip(names, wide["visit"], strict=True)]
    ax.axvline(0, color=ORANGE, lw=1.2, zorder=0)
    ax.set_yticks(y, labels)
    label = f"Change from baseline, baseline SD ({plan.level_words} interval)"
    ax.set(xlabel=label, ylim=(y[-1] - 0.8, -0.2))
    return fig


def plot_tipping(traces: dict[str, pd.DataFrame]) -> Figure:
    """Return for each endpoint how the pooled change moves as missing patients get worse.

    Parameters
    ----------
    traces
        By PARAMCD: delta, estimate, ci_low, ci_high in baseline SD.
    """
    set_style()
    fig = Figure(figsize=(WIDTH, 1.25 * len(traces) + 0.5), layout="constrained")
    axes = np.atleast_1d(fig.subplots(len(traces), 1, sharex=True))
    for ax, (code, trace) in zip(axes, traces.items(), strict=True):
        ax.fill_between(trace["delta"], trace["ci_low"], trace["ci_high"], color=BLUE, alpha=0.25)
        ax.plot(trace["delta"], trace["estimate"], color=BLUE)
        ax.axhline(0, color=ORANGE, lw=1.2)
        ax.set_title(MEASURES[code].name, fontsize=10, loc="left")
    fig.supylabel("Change, baseline SD", fontsize=10)
    axes[-1].set_xlabel("Missing patients worse than imputed by, baseline SD")
    return fig
