"""Figures of the efficacy and MELD chapters, drawn from the record."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from msct_helpers.book.figures import (
    BLUE,
    INK,
    MARKS,
    ORANGE,
    WIDTH,
    make_figure,
    set_style,
)
from msct_helpers.trial.plan import MEASURES, Plan


def plot_course(seen: pd.DataFrame, values: pd.DataFrame, ends: pd.DataFrame, plan: Plan) -> Figure:
    """Return every participant's course of one measure with the mean of all seen.

    Parameters
    ----------
    seen
        Record of all seen at each visit, analysis ``obs``: n, mean and sd.
    values
        Measurements of the measure: USUBJID, PARAMCD, AVISITN, AVAL, AVALU.
    ends
        Last value of whoever left (`find_ends`).
    plan
        The analysis plan.
    """
    fig, ax = make_figure(3.4)
    people = values["USUBJID"].nunique()
    lines = {"color": BLUE, "alpha": min(0.45, 12 / people), "linewidth": 0.8, "marker": "."}
    sns.lineplot(
        values, x="AVISITN", y="AVAL", units="USUBJID", estimator=None, ax=ax,
        markeredgecolor="none", **lines,
    )  # fmt: skip
    mark_ends(ax, ends, 34 if people <= 40 else 12)
    means = seen.pivot_table(index="visit", columns="statistic", values="value")
    means = means.reindex(columns=["n", "mean", "sd"]).dropna(subset="mean")
    quantile = stats.t.ppf((1 + plan.level) / 2, (means["n"] - 1).clip(lower=1))
    half = (quantile * means["sd"] / means["n"] ** 0.5).fillna(0)
    ax.errorbar(means.index, means["mean"], yerr=half, color=INK, marker="o", capsize=3, lw=2)
    measure, unit = MEASURES[values["PARAMCD"].iloc[0]], values["AVALU"].iloc[0]
    if measure.log_scale:
        set_log_scale(ax)
    name = measure.name if unit in ("1", "score") else f"{measure.name}, {unit}"
    ax.set(xlabel=plan.unit.capitalize(), ylabel=name, xticks=plan.numbers)
    return fig


def mark_ends(ax: Axes, ends: pd.DataFrame, size: int) -> None:
    """Mark the last values of whoever left, by why they did."""
    for status, (marker, word) in MARKS.items():
        gone = ends[ends["STATUS"] == status]
        if len(gone):
            ax.scatter(
                gone["AVISITN"], gone["AVAL"], marker=marker, color=ORANGE, label=word, s=size
            )
    if ax.get_legend_handles_labels()[1]:
        ax.legend(title="last value before", frameon=False, fontsize=8, title_fontsize=8)


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
