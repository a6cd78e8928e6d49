"""Figures of the safety chapter."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from msct_helpers.book.figures import BLUE, INK, ORANGE, make_figure
from msct_helpers.safety.safety import estimate_none_seen


def plot_risks(record: pd.DataFrame, names: dict[str, str]) -> Figure:
    """Return risks with their exact intervals as a dot plot.

    Parameters
    ----------
    record
        Record of `msct_helpers.safety.safety.summarise_safety`.
    names
        Words for each group.
    """
    record = record[record["analysis"] == "risk"]
    wide = record.pivot(index="group", columns="statistic", values="value")
    wide = wide.loc[record["group"].unique()[::-1]]
    fig, ax = make_figure(0.6 + 0.6 * len(wide))
    low, high = wide["percent"] - wide["percent_low"], wide["percent_high"] - wide["percent"]
    ax.errorbar(wide["percent"], range(len(wide)), xerr=[low, high], fmt="o", color=BLUE, capsize=4)
    ax.set_yticks(range(len(wide)), [fill(names[g], 26) for g in wide.index])
    ax.set(xlabel="Per cent (exact 95% interval)", ylim=(-0.6, len(wide) - 0.4))
    ax.set_xlim(left=0)
    return fig


def plot_none_seen(sizes: dict[str, int], upper: float, shown: str) -> Figure:
    """Return the chance of seeing no event, by true risk, in groups of the given sizes.

    Parameters
    ----------
    sizes
        Number of participants by name of the group.
    upper, shown
        Upper limit of the risk in the first group, per cent, and its text.
    """
    fig, ax = make_figure(3.0)
    risk = np.linspace(0, 0.25, 251)
    styles = zip(sizes.items(), ("-", "--"), (BLUE, INK), strict=False)
    for (name, total), style, colour in styles:
        ax.plot(100 * risk, 100 * estimate_none_seen(risk, total), style, color=colour, label=name)
    ax.plot([upper, upper, 0], [0, 5, 5], color=ORANGE, lw=1.2)
    ax.annotate(
        f"upper limit {shown}%", (upper, 5), (upper + 2, 18), fontsize=9,
        arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.8},
    )  # fmt: skip
    ax.set(xlabel="True risk of the event, %", ylabel="Chance of seeing none, %")
    ax.set(xlim=(0, 25), ylim=(0, 101))
    ax.legend(frameon=False)
    return fig
