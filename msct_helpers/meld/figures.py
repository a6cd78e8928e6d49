"""Figures of the MELD chapter."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from msct_helpers.book.figures import INK, make_figure
from msct_helpers.meld.change import PART_NAMES
from msct_helpers.stats.scores import MELD_WEIGHTS


def plot_parts(parts: pd.DataFrame) -> Figure:
    """Return every participant's change in MELD(i) at a visit, split into its parts.

    Parameters
    ----------
    parts
        Parts of each change at the visit (`msct_helpers.meld.change.decompose_change`).
    """
    own = parts.sort_values("TOTAL").reset_index(drop=True)
    fig, ax = make_figure(3.6)
    colours = sns.color_palette("colorblind")
    below, above = np.zeros(len(own)), np.zeros(len(own))
    for colour, (code, name) in zip(colours, PART_NAMES.items(), strict=False):
        values = own[code].to_numpy()
        base = np.where(values < 0, below, above)
        ax.bar(own.index, values, bottom=base, color=colour, label=name, width=0.8)
        below += np.minimum(values, 0)
        above += np.maximum(values, 0)
    ax.plot(own.index, own["TOTAL"], "o", color=INK, ms=4, label="total")
    ax.axhline(0, color=INK, lw=0.8)
    ax.set(xlabel="Participants, by total change", ylabel="Change in MELD(i), points", xticks=[])
    ax.legend(frameon=False, fontsize=9)
    return fig


def plot_compatible() -> Figure:
    """Return which changes of bilirubin and INR leave MELD(i) lower, by change of creatinine.

    Lines join the changes that leave the score as it was; below a line it is lower.
    """
    fig, ax = make_figure(3.6)
    ratio = np.linspace(0.6, 1.6, 60)
    colours = sns.color_palette("colorblind")
    for colour, style, creat in zip(colours, ("-", "--", ":"), (0.9, 1.0, 1.1), strict=False):
        left = MELD_WEIGHTS["BILI"] * np.log(ratio) + MELD_WEIGHTS["CREAT"] * np.log(creat)
        label = f"creatinine {100 * (creat - 1):+.0f}%" if creat != 1 else "creatinine unchanged"
        line = 100 * (np.exp(-left / MELD_WEIGHTS["INR"]) - 1)
        ax.plot(100 * (ratio - 1), line, style, color=colour, label=label)
    ax.axhline(0, color=INK, lw=0.6)
    ax.axvline(0, color=INK, lw=0.6)
    ax.text(-36, -12, "MELD(i) lower", fontsize=9)
    ax.text(30, 12, "MELD(i) higher", fontsize=9)
    ax.set(xlabel="Change in bilirubin, %", ylabel="Change in INR, %")
    ax.legend(frameon=False, fontsize=8, loc="upper right")
    return fig
