"""Figures of the safety chapter."""

from functools import partial

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from msct_helpers.book.figures import BLUE, SMALL, ZERO, make_figure, make_rows
from msct_helpers.book.words import LABELS
from msct_helpers.safety.liver import LIMITS
from msct_helpers.trial.plan import Plan


def plot_risks(record: pd.DataFrame, plan: Plan) -> Figure:
    """Return risks with their exact intervals as a dot plot.

    Parameters
    ----------
    record
        Record of `msct_helpers.safety.safety.summarise_safety`.
    plan
        The analysis plan; gives the level.
    """
    record = record[record["analysis"] == "risk"]
    pivot = partial(record.pivot, index="group", columns="statistic")
    groups = list(record["group"].unique())
    wide, texts = pivot(values="value").loc[groups], pivot(values="text").loc[groups]
    told = (
        texts["percent"] + "% (" + texts["percent_low"] + " to " + texts["percent_high"] + "), "
        + texts["count"] + " of " + texts["denominator"]
    )  # fmt: skip
    fig, ax, places = make_rows([(LABELS[g], t) for g, t in zip(groups, told, strict=True)])
    low, high = wide["percent"] - wide["percent_low"], wide["percent_high"] - wide["percent"]
    ax.errorbar(
        wide["percent"], places, xerr=[low, high], fmt="o", color=BLUE, capsize=4, clip_on=False
    )
    ax.set(xlabel=f"Per cent (exact {plan.level_words} interval), \N{LEFTWARDS ARROW} better")
    ax.set_xlim(left=0)
    return fig


def plot_liver(peaks: pd.DataFrame) -> Figure:
    """Return highest ALT against highest bilirubin, in multiples of their upper limits.

    Parameters
    ----------
    peaks
        `msct_helpers.safety.liver.derive_peaks`.
    """
    fig, ax = make_figure(3.6)
    ax.axvline(LIMITS["ALT"], **ZERO)
    ax.axhline(LIMITS["BILI"], **ZERO)
    ax.scatter(peaks["ALT"], peaks["BILI"], color=BLUE, s=22, alpha=0.8, edgecolors="none")
    ticks = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 50]
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("log")
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())
    # Each quarter has room for its name, beside its lines and above or below all dots.
    room = {"ALT": (0.3, 10.0), "BILI": (0.7, 5.0)}
    ends = {
        code: (min(low, peaks[code].min() / 1.5), max(high, 1.5 * peaks[code].max()))
        for code, (low, high) in room.items()
    }
    ax.set(xlim=ends["ALT"], ylim=ends["BILI"])
    corners = {"Hy's law": (0.99, 0.99), "bilirubin alone": (0.01, 0.99), "ALT alone": (0.99, 0.01)}
    for text, (x, y) in corners.items():
        side, level = ("right" if x > 0.5 else "left"), ("top" if y > 0.5 else "bottom")
        ax.text(x, y, text, transform=ax.transAxes, ha=side, va=level, fontsize=SMALL)
    ax.set(xlabel="Highest ALT / upper limit", ylabel="Highest bilirubin / upper limit")
    return fig
