"""Figures of the MELD chapter."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from msct_helpers.book.figures import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    ZERO,
    make_figure,
    name_lines,
    point_better,
    write_key_of,
)
from msct_helpers.meld.change import PART_NAMES
from msct_helpers.stats.scores import MELD_WEIGHTS
from msct_helpers.trial.plan import MEASURES

PART_COLOURS = (BLUE, ORANGE, "#d9d9d9")
"""Colours of the parts of MELD(i), each of another lightness."""


def plot_parts(parts: pd.DataFrame) -> Figure:
    """Return every participant's change in MELD(i) at a visit, split into its parts.

    Parameters
    ----------
    parts
        Parts of each change at the visit (`msct_helpers.meld.change.decompose_change`).
    """
    own = parts.sort_values("TOTAL").reset_index(drop=True)
    fig, ax = make_figure(3.6)
    below, above = np.zeros(len(own)), np.zeros(len(own))
    bar: dict[str, Any] = {"width": 0.8, "edgecolor": GREY, "linewidth": 0.6}
    for colour, (code, name) in zip(PART_COLOURS, PART_NAMES.items(), strict=True):
        values = own[code].to_numpy()
        base = np.where(values < 0, below, above)
        ax.bar(own.index, values, bottom=base, color=colour, label=name, **bar)
        below += np.minimum(values, 0)
        above += np.maximum(values, 0)
    ax.plot(own.index, own["TOTAL"], "o", color=INK, ms=4, label="total")
    ax.axhline(0, **ZERO)
    point_better(ax, MEASURES["MELD"].better)
    ax.set(xlabel="Participants, by total change", ylabel="Change in MELD(i), points", xticks=[])
    write_key_of(fig, ax)
    return fig


def plot_compatible() -> Figure:
    """Return which changes of bilirubin and INR leave MELD(i) lower, by change of creatinine.

    Lines join the changes that leave the score as it was; below a line it is lower.
    """
    fig, ax = make_figure(3.6)
    lines, names = [], []
    ratio = np.linspace(0.6, 1.6, 60)
    for colour, style, creat in ((BLUE, "-", 0.9), (INK, "--", 1.0), (ORANGE, ":", 1.1)):
        left = MELD_WEIGHTS["BILI"] * np.log(ratio) + MELD_WEIGHTS["CREAT"] * np.log(creat)
        change = f"{100 * (creat - 1):+.0f}%".replace("-", "\N{MINUS SIGN}")
        names.append(f"creatinine {change if creat != 1 else 'unchanged'}")
        line = 100 * (np.exp(-left / MELD_WEIGHTS["INR"]) - 1)
        lines += ax.plot(100 * (ratio - 1), line, style, color=colour)
    ax.axhline(0, **ZERO)
    ax.axvline(0, **ZERO)
    ax.text(-38, -20, "MELD(i) lower:\nbetter")
    ax.text(30, 12, "MELD(i) higher")
    ax.set(xlabel="Change in bilirubin, %", ylabel="Change in INR, %")
    name_lines(ax, lines, names, 3.0)
    return fig
