"""Figures, drawn from the record and the data it describes. Colours survive colour blindness."""

from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from scipy import stats

from msct_helpers.trial.schema import PARAMETERS, VISITS

INK = "#222222"
BLUE, ORANGE, GREEN = (sns.color_palette("colorblind", as_cmap=False)[i] for i in (0, 1, 2))
WIDTH = 5.2
"""Width in inches: text stays readable when a phone shows the figure across its screen."""

STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "msct",
    "figure.facecolor": "white",
    "pdf.fonttype": 42,
    # Text may come from a data set.
    "text.parse_math": False,
}


MARKS = {
    "DEATH": ("X", "died"),
    "LIVER TRANSPLANT": ("s", "transplant"),
    "LOST TO FOLLOW-UP": ("d", "lost"),
}
"""Marker and word for the last value of who left; other last values end without a mark."""


def set_style() -> None:
    """Apply the house style."""
    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]


def fit_font(text: str) -> str:
    """Return a text with the characters that the font of figures lacks named by their code."""
    font = get_font(findfont(FontProperties()))
    known = font.get_charmap()
    return "".join(c if c == "\n" or ord(c) in known else f"[U+{ord(c):04X}]" for c in text)


def make_figure(height: float) -> tuple[Figure, Axes]:
    """Return an empty figure in the house style."""
    set_style()
    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    return fig, fig.subplots()


def plot_course(
    labs: pd.DataFrame, record: pd.DataFrame, code: str, name: str, ends: pd.DataFrame
) -> Figure:
    """Return every participant's course of one parameter with the mean of all seen.

    Parameters
    ----------
    labs
        Measurements: USUBJID, PARAMCD, AVISITN, AVAL, AVALU.
    record
        Record of `msct_helpers.efficacy.change.summarise_change`; gives means and their intervals.
    code, name
        PARAMCD and its name on the axis.
    ends
        AVISITN, AVAL and STATUS of the last value of whoever left.
    """
    fig, ax = make_figure(3.4)
    own = labs[labs["PARAMCD"] == code]
    sns.lineplot(
        own,
        x="AVISITN",
        y="AVAL",
        units="USUBJID",
        estimator=None,
        color=BLUE,
        alpha=min(0.45, 12 / max(own["USUBJID"].nunique(), 1)),
        linewidth=0.8,
        marker=".",
        markeredgecolor="none",
        ax=ax,
    )
    size = 34 if own["USUBJID"].nunique() <= 40 else 12
    for status, (marker, word) in MARKS.items():
        gone = ends[ends["STATUS"] == status]
        if len(gone):
            ax.scatter(
                gone["AVISITN"], gone["AVAL"], marker=marker, color=ORANGE, label=word, s=size
            )
    if ax.get_legend_handles_labels()[1]:
        ax.legend(title="last value before", frameon=False, fontsize=8, title_fontsize=8)
    means = get_means(record, code)
    half = stats.t.ppf(0.975, (means["n"] - 1).clip(lower=1)) * means["sd"] / means["n"] ** 0.5
    ax.errorbar(
        means["visit"], means["mean"], yerr=half.fillna(0), color=INK, marker="o", capsize=3, lw=2
    )
    if code in PARAMETERS and PARAMETERS[code].log_scale:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
        ax.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
        ax.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    unit = str(own["AVALU"].iloc[0])
    ax.set(xlabel="Month", ylabel=name if unit in ("1", "score") else f"{name}, {unit}")
    ax.set_xticks(list(VISITS))
    return fig


def get_means(record: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return n, mean and SD by visit of all seen, from the record."""
    own = record[(record["analysis"] == "obs") & (record["parameter"] == code)]
    wide = own.pivot_table(index="visit", columns="statistic", values="value")
    return wide.reindex(columns=["n", "mean", "sd"]).dropna(subset="mean").reset_index()
