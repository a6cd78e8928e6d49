"""Figures of the safety chapter."""

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from msct_helpers.book.figures import BLUE, INK, ORANGE, make_figure
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
    wide = record.pivot(index="group", columns="statistic", values="value")
    wide = wide.loc[record["group"].unique()[::-1]]
    fig, ax = make_figure(0.6 + 0.6 * len(wide))
    low, high = wide["percent"] - wide["percent_low"], wide["percent_high"] - wide["percent"]
    ax.errorbar(wide["percent"], range(len(wide)), xerr=[low, high], fmt="o", color=BLUE, capsize=4)
    ax.set_yticks(range(len(wide)), [fill(LABELS[group], 26) for group in wide.index])
    ax.set(xlabel=f"Per cent (exact {plan.level_words} interval)", ylim=(-0.6, len(wide) - 0.4))
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
    ax.axvline(LIMITS["ALT"], color=ORANGE, lw=1.2)
    ax.axhline(LIMITS["BILI"], color=ORANGE, lw=1.2)
    ax.scatter(peaks["ALT"], peaks["BILI"], color=BLUE, s=22, alpha=0.8, edgecolors="none")
    ticks = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 50]
    for axis, scale in ((ax.xaxis, ax.set_xscale), (ax.yaxis, ax.set_yscale)):
        scale("log")
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())
    ax.margins(0.12)
    corners = {"Hy's law": (0.99, 0.99), "bilirubin alone": (0.01, 0.99), "ALT alone": (0.99, 0.01)}
    for text, (x, y) in corners.items():
        side, level = ("right" if x > 0.5 else "left"), ("top" if y > 0.5 else "bottom")
        ax.text(x, y, text, transform=ax.transAxes, ha=side, va=level, fontsize=8, color=INK)
    ax.set(xlabel="Highest ALT / upper limit", ylabel="Highest bilirubin / upper limit")
    return fig
