"""Figures, drawn from the record and the data it describes, for phones and for wide screens.

A figure is drawn twice, since a drawing that is only scaled has letters too small to read on one
screen or too large on the other. Text stays text in a drawing for the web: it is measured here with
a font that is wider than those in which readers see it (`FAMILIES`), so that nothing leaves its
place. Colours survive colour blindness, and nothing is told apart by colour alone.
"""

import atexit
import os
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D

from msct_helpers.book.document import NARROW, WIDE
from msct_helpers.trial.text import show_characters

INK, GREY = "#222222", "#8a8a8a"
BLUE, ORANGE, GREEN = (sns.color_palette("colorblind", as_cmap=False)[i] for i in (0, 1, 2))

SIZE, SMALL = 9.0, 8.25
"""Sizes of letters in points: 12 and 11 px. Nothing is smaller."""

LINE = 1.3
"""Height of a line of text, in sizes of its letters."""

FAMILIES = "Helvetica,Arial,sans-serif"
"""Fonts in which readers see the text of a drawing; one of them is everywhere."""

ZERO: dict[str, Any] = {"color": GREY, "lw": 0.8, "zorder": 0}
"""A line of no change, or of a level: thin and grey, behind what is compared with it."""

FONT, PART = "DejaVu Sans", "DejaVu Sans, part"
"""Font with which texts are measured and, on paper, shown; and its letters that texts mostly have.

To take a figure's letters out of the whole font takes longer than to draw the figure.
"""

LETTERS = (
    *(*range(0x20, 0x180), *range(0x391, 0x3CA), *range(0x2010, 0x2027), *range(0x2190, 0x2194)),
    *(0x2212, 0x221E, 0x2248, *range(0x2260, 0x2266)),
)
"""Code points of `PART`: Latin, Greek, dashes and quotation marks, arrows, signs of comparison."""

STYLE: dict[str, Any] = {
    # Of the whole font only what the part of it lacks.
    "font.family": [PART, FONT],
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # Pages are light or dark.
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.hashsalt": "msct",
    "svg.fonttype": "none",
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

_width: ContextVar[float] = ContextVar("width", default=WIDE)


@contextmanager
def drawn_at(width: float) -> Iterator[None]:
    """Have figures drawn at a width in inches (`NARROW` or `WIDE`)."""
    before = _width.set(width)
    try:
        yield
    finally:
        _width.reset(before)


def get_width() -> float:
    """Return the width in inches at which figures are drawn now."""
    return _width.get()


def is_narrow() -> bool:
    """Return whether figures are drawn for a phone now."""
    return get_width() < (NARROW + WIDE) / 2


def set_style() -> None:
    """Apply the house style."""
    load_fonts()
    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]


@cache
def load_fonts() -> FT2Font:
    """Return `PART`, and `FONT` for what it lacks; Matplotlib finds both by their names."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    whole = findfont(FONT)
    font = TTFont(whole, recalcTimestamp=False)
    options = subset.Options(layout_features=[], legacy_kern=True)
    options.drop_tables += ["FFTM"]  # when it was made
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=LETTERS)
    subsetter.subset(font)
    font["name"].setName(PART, 1, 1, 0, 0)
    font["name"].setName(PART, 1, 3, 1, 0x409)
    # Matplotlib opens it by its path, as long as this process draws.
    folder = tempfile.mkdtemp(prefix="msct-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    part = os.path.join(folder, "part.ttf")
    font.save(part)
    fontManager.addfont(part)
    return get_font([part, whole])


def fit_font(text: str) -> str:
    """Return a text with the characters that the font of figures lacks named by their code."""
    known = get_font(findfont(FONT)).get_charmap()
    return "".join(c if c == "\n" or ord(c) in known else f"[U+{ord(c):04X}]" for c in text)


def measure(text: str, size: float = SIZE) -> float:
    """Return how wide a line of text is, in inches."""
    # Sizes are in 64ths of a point, at 72 points an inch.
    font = load_fonts()
    font.set_size(size, 72)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64 / 72


def wrap(text: str, inches: float, size: float = SIZE) -> str:
    """Return a text with its lines broken where they would be wider than some inches."""
    return "\n".join("\n".join(_break(line, inches, size)) for line in text.split("\n"))


def _break(text: str, inches: float, size: float) -> Iterator[str]:
    """Yield the lines of a text; a word that is too long for a line is broken as well."""
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if measure(joined, size) <= inches:
            line = joined
            continue
        if line:
            yield line
        while measure(word, size) > inches and len(word) > 1:
            ends = range(1, len(word))
            fits = max(bisect_right(ends, inches, key=lambda n: measure(word[:n], size)), 1)
            yield word[:fits]
            word = word[fits:]
        line = word
    yield line


def new_figure(height: float) -> Figure:
    """Return an empty figure in the house style, at the width of now."""
    set_style()
    return Figure(figsize=(get_width(), height), layout="constrained")


def make_figure(height: float) -> tuple[Figure, Axes]:
    """Return a figure with one empty panel, in the house style."""
    fig = new_figure(height)
    return fig, fig.subplots()


def write_key(fig: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Write above the data what marks mean, where these cannot be named beside themselves."""
    wide = max((measure(label, SMALL) for label in labels), default=0.0) + 0.45
    columns = max(1, min(len(labels), int(get_width() / wide)))
    fig.legend(
        handles, labels, loc="outside upper left", ncols=columns, handletextpad=0.4,
        handlelength=1.8, columnspacing=1.0, borderpad=0.1, borderaxespad=0.2, labelspacing=0.25,
    )  # fmt: skip


def write_key_of(fig: Figure, *axes: Axes) -> None:
    """Write above the data what the labelled marks of some panels mean, each once."""
    named: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    if named:
        write_key(fig, list(named.values()), list(named))


def name_lines(ax: Axes, lines: Sequence[Line2D], names: Sequence[str], tall: float) -> None:
    """Name lines at their right ends (`name_ends`); above the panel where it is too narrow."""
    if not is_narrow():
        name_ends(ax, lines, names, tall)
        return
    ax.legend(
        lines, names, loc="lower left", bbox_to_anchor=(-0.02, 1.0), handlelength=2.2,
        labelspacing=0.25, borderpad=0.1, borderaxespad=0.1,
    )  # fmt: skip


def point_better(ax: Axes, better: int) -> None:
    """Say above a panel on which side of it a value is better: 1 above, -1 below."""
    ax.set_title(f"better {'↑' if better > 0 else '↓'}", loc="right", fontsize=SMALL)


def name_ends(ax: Axes, lines: Sequence[Line2D], names: Sequence[str], tall: float) -> None:
    """Name lines at their right ends, apart from each other.

    Parameters
    ----------
    ax
        The panel, with its limits set.
    lines, names
        What is named, and how.
    tall
        About how tall the panel is, in inches.
    """
    low, high = ax.get_ylim()
    least = (high - low) * LINE * SMALL / 72 / tall
    ends = [float(np.asarray(line.get_ydata())[-1]) for line in lines]
    x = max(float(np.asarray(line.get_xdata())[-1]) for line in lines)
    rising = sorted(zip(ends, names, strict=True))
    for (_, name), y in zip(rising, spread(sorted(ends), least), strict=True):
        ax.annotate(
            name, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=SMALL,
            annotation_clip=False,
        )  # fmt: skip


def spread(places: Sequence[float], least: float) -> list[float]:
    """Return rising places moved as little as may be, so that they are `least` apart."""
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        # Who is too near is set around their common middle; that may reach the next below.
        while len(groups) > 1 and _top(groups[-2], least) + least > _bottom(groups[-1], least):
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_bottom(group, least) + i * least for group in groups for i in range(len(group))]


def _bottom(group: Sequence[float], least: float) -> float:
    """Return the lowest place of a group spread around its middle."""
    return sum(group) / len(group) - least * (len(group) - 1) / 2


def _top(group: Sequence[float], least: float) -> float:
    """Return the highest place of a group spread around its middle."""
    return sum(group) / len(group) + least * (len(group) - 1) / 2


def make_rows(rows: Sequence[tuple[str, str]]) -> tuple[Figure, Axes, list[float]]:
    """Return a figure of rows, each with a name and its numbers above what will be drawn.

    A name stands at the left and its numbers at the right, under each other where the width is not
    enough for both. A unit of the vertical axis is an inch.

    Returns
    -------
    fig, ax
        The figure, as tall as its rows need.
    places
        Where each row is drawn on the vertical axis, from above.
    """
    set_style()
    room, line = get_width() - 0.2, LINE * SIZE / 72
    beside = all(measure(name) + measure(told, SMALL) < room - 0.2 for name, told in rows)
    lines = [wrap(name if beside else f"{name}\n{told}", room) for name, told in rows]
    places, y = [], 0.0
    for text in lines:
        y -= line * (text.count("\n") + 1) + 0.14
        places.append(y)
        y -= 0.16
    fig, ax = make_figure(0.75 - y)
    across = ax.get_yaxis_transform()
    for place, text, (_, told) in zip(places, lines, rows, strict=True):
        ax.text(0, place + 0.1, text, transform=across, va="bottom")
        if beside:
            ax.text(1, place + 0.1, told, transform=across, ha="right", va="bottom", fontsize=SMALL)
    ax.set(yticks=[], ylim=(y + 0.02, 0))
    ax.spines["left"].set_visible(False)
    return fig, ax, places


def write_mark(fig: Figure, text: str) -> None:
    """Write under a drawing what data it shows, so that a copied figure still says it."""
    shown = fit_font(show_characters(text))
    shown = shown if len(shown) <= LONGEST_MARK else f"{shown[:LONGEST_MARK]}..."
    shown = wrap(shown, float(fig.get_figwidth()) - 0.15, SMALL)
    fig.supxlabel(shown, x=0.01, ha="left", fontsize=SMALL, color=INK)


LONGEST_MARK = 80
"""Characters of a mark that are written under a drawing."""
