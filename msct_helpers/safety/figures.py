"""Figures of the safety chapter."""

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from msct_helpers.book.figures import BLUE, make_figure
from msct_helpers.book.words import LABELS
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
