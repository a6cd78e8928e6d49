"""Figures, drawn from the record and the data it describes. Colours survive colour blindness."""

from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from msct_helpers.trial.text import show_characters

INK, GREY = "#222222", "#8a8a8a"
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


def write_mark(fig: Figure, text: str) -> None:
    """Write under a drawing what data it shows, so that a copied figure still says it."""
    shown = fit_font(show_characters(text))
    shown = shown if len(shown) <= LONGEST_MARK else f"{shown[:LONGEST_MARK]}..."
    fig.supxlabel(shown, x=0.99, ha="right", fontsize=7, color=INK)


LONGEST_MARK = 70
"""Characters of a mark that fit under a drawing."""
