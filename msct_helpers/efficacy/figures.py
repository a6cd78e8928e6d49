"""Figures of the efficacy and MELD chapters, drawn from the record."""

from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msct_helpers.book.figures import (
    BLUE,
    GREY,
    INK,
    MARKS,
    ORANGE,
    SIZE,
    SMALL,
    ZERO,
    get_width,
    is_narrow,
    make_figure,
    measure,
    new_figure,
    point_better,
    write_key_of,
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
    codes = list(values["PARAMCD"].unique())
    columns = min(1 if is_narrow() else 2, len(codes))
    rows = -(-len(codes) // columns)
    fig = new_figure((1.5 if is_narrow() else 1.9) * rows + 0.9)
    axes = fig.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for ax, code in zip(axes, codes, strict=False):
        draw_course(ax, values[values["PARAMCD"] == code], status, plan)
    for ax in axes[len(codes) :]:
        ax.set_axis_off()
    for ax in axes[max(len(codes) - columns, 0) : len(codes)]:
        ax.set_xlabel(plan.unit.capitalize())
        ax.tick_params(labelbottom=True)
    write_key_of(fig, *axes)
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
        for _, course in own.sort_values("AVISITN").groupby("USUBJID"):
            ax.plot(
                course["AVISITN"], course["AVAL"], color=colour, linestyle=style,
                alpha=min(0.8, 25 / people), linewidth=1, marker=".", markeredgecolor="none",
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
    ax.set_title(f"{name},{unit}" if unit else name, loc="left")
    point_better(ax, MEASURES[code].better)


COURSES = {"": (GREY, ":"), "NOT BETTER": (GREY, "--"), "BETTER": (BLUE, "-")}
"""Colour and line of a participant's course by what became of them; the rest first."""

OUTCOME_COLOURS = {
    "BETTER": BLUE,
    "NOT BETTER": "#9ecae1",
    "NOT MEASURED": "none",
    "LIVER TRANSPLANT": ORANGE,
    "DEATH": INK,
}
"""Colours of outcomes, each of another lightness, so that prints without colour show them, too."""


def plot_outcomes(record: pd.DataFrame) -> Figure:
    """Return for each endpoint how many of all enrolled were better, and what became of the rest.

    Parameters
    ----------
    record
        Record of the primary estimand at one visit (`msct_helpers.efficacy.composite`).
    """
    wide = record.pivot(index="parameter", columns="statistic", values="value")
    wide = wide.loc[list(dict.fromkeys(record["parameter"]))[::-1]]
    fig, ax = make_figure(1.2 + 0.46 * len(wide))
    left = np.zeros(len(wide))
    total = wide[list(map(name_count, OUTCOME_COLOURS))].sum(axis=1).max()
    for outcome, colour in OUTCOME_COLOURS.items():
        size = wide[name_count(outcome)].to_numpy(dtype=float)
        name = "died" if outcome == "DEATH" else outcome.lower().replace("liver ", "")
        ax.barh(
            range(len(wide)), size, left=left, height=0.7, color=colour, label=name,
            edgecolor=GREY, linewidth=0.6,
        )  # fmt: skip
        ink = "white" if outcome in ("BETTER", "DEATH") else INK
        for y, (start, width) in enumerate(zip(left, size, strict=True)):
            text = f"{width:.0f}"
            fits = width / total * 0.7 * get_width() > measure(text) + 0.03
            if width and fits:
                ax.text(start + width / 2, y, text, ha="center", va="center", color=ink)
            elif width:
                ax.text(start + width / 2, y + 0.36, text, ha="center", va="bottom", fontsize=SMALL)
        left += size
    ax.set_yticks(range(len(wide)), [MEASURES[code].name for code in wide.index])
    ax.set(xlabel="Participants", xlim=(0, left.max()))
    write_key_of(fig, ax)
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
    keys = ["parameter", "visit"]
    pivot = partial(record.pivot_table, index=keys, columns="statistic", sort=False)
    wide = pivot(values="value").reset_index()
    texts = pivot(values="text", aggfunc="first").reset_index()
    sizes = record.drop_duplicates(keys)["n"]
    new = wide["parameter"].ne(wide["parameter"].shift())
    line = 0.21
    # Above the first row of an endpoint its name.
    y = -line * (np.where(new, 2.3, 1.0).cumsum() - 0.4)
    fig, ax = make_figure(0.85 - y[-1] + line)
    ax.hlines(y, wide["standard_low"], wide["standard_high"], color=INK, lw=1.3)
    filled = [BLUE if p < plan.alpha else "white" for p in wide["p_holm"]]
    marker: dict[str, Any] = {"edgecolors": [BLUE], "linewidths": 1.4, "s": 32, "zorder": 3}
    ax.scatter(wide["standard"], y, facecolors=filled, **marker)
    ax.set_yticks(y, [f"{plan.unit} {visit}" for visit in wide["visit"]])
    ax.tick_params(axis="y", length=0)
    across = ax.get_yaxis_transform()
    for place, size, (_, row) in zip(y, sizes, texts.iterrows(), strict=True):
        told = f"{row['standard']} ({row['standard_low']} to {row['standard_high']})"
        ax.text(1.02, place, told, transform=across, va="center", fontsize=SMALL)
        if new[row.name]:
            arrow = "better →" if MEASURES[row["parameter"]].better > 0 else "← better"
            name = f"{upper_first(MEASURES[row['parameter']].name)} (n = {size}), {arrow}"
            ax.text(0, place + 1.1 * line, name, transform=across, va="center")
    top = y + line * np.where(new, 0.6, 1.0)
    ax.vlines(np.zeros(len(y)), y - 0.5 * line, top, **ZERO)
    ax.locator_params(axis="x", nbins=5)
    label = f"Change, baseline SD ({plan.level_words} interval)"
    ax.set(xlabel=label, ylim=(y[-1] - line, 0))
    ax.spines["left"].set_visible(False)
    return fig


def plot_tipping(traces: dict[str, pd.DataFrame]) -> Figure:
    """Return for each endpoint how the pooled change moves as missing patients get worse.

    Parameters
    ----------
    traces
        By PARAMCD: delta, estimate, ci_low, ci_high in baseline SD.
    """
    columns = min(1 if is_narrow() else 2, len(traces))
    rows = -(-len(traces) // columns)
    fig = new_figure(1.35 * rows + 0.7)
    axes = fig.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, (code, trace) in zip(axes, traces.items(), strict=False):
        ax.fill_between(trace["delta"], trace["ci_low"], trace["ci_high"], color=BLUE, alpha=0.25)
        ax.plot(trace["delta"], trace["estimate"], color=BLUE)
        ax.axhline(0, **ZERO)
        ax.set_title(MEASURES[code].name, loc="left")
        point_better(ax, MEASURES[code].better)
    for ax in axes[len(traces) :]:
        ax.set_axis_off()
    for ax in axes[max(len(traces) - columns, 0) : len(traces)]:
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("Missing worse than imputed by, SD")
    fig.supylabel("Change, baseline SD", fontsize=SIZE)
    return fig
