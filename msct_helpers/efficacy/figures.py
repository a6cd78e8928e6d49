"""Figures of the efficacy chapter."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from msct_helpers.book.figures import BLUE, INK, ORANGE, WIDTH, make_figure, set_style
from msct_helpers.trial.schema import VISITS


def plot_forest(record: pd.DataFrame, names: dict[str, str]) -> Figure:
    """Return all changes of the family with intervals, in baseline standard deviations."""
    wide = record.pivot_table(
        index=["parameter", "visit"], columns="statistic", values="value", sort=False
    )
    fig, ax = make_figure(0.9 + 0.3 * len(wide))
    y = 0.0
    ticks, labels = [], []
    previous = None
    for (code, month), row in wide.iterrows():
        y -= 1.0 if code == previous or previous is None else 1.6
        previous = code
        clear = row["p_holm"] < 0.05
        ax.plot([row["standard_low"], row["standard_high"]], [y, y], color=INK, lw=1.3)
        ax.plot(
            row["standard"],
            y,
            marker="o",
            ms=6,
            color=BLUE if clear else "white",
            mec=BLUE,
            mew=1.4,
        )
        ticks.append(y)
        labels.append(f"{names[str(code)]}, {month}")
    ax.axvline(0, color=ORANGE, lw=1.2, zorder=0)
    ax.set_yticks(ticks, labels)
    ax.set(xlabel="Change from baseline, baseline SD (95% interval)", ylim=(y - 0.8, -0.2))
    return fig


def plot_tipping(traces: dict[str, pd.DataFrame], names: dict[str, str]) -> Figure:
    """Return for each endpoint how the pooled change moves as missing patients get worse.

    Parameters
    ----------
    traces
        By PARAMCD: delta, estimate, ci_low, ci_high in baseline SD.
    names
        Name of each endpoint.
    """
    set_style()
    fig = Figure(figsize=(WIDTH, 1.25 * len(traces) + 0.5), layout="constrained")
    axes = np.atleast_1d(fig.subplots(len(traces), 1, sharex=True))
    for ax, (code, trace) in zip(axes, traces.items(), strict=True):
        ax.fill_between(trace["delta"], trace["ci_low"], trace["ci_high"], color=BLUE, alpha=0.25)
        ax.plot(trace["delta"], trace["estimate"], color=BLUE)
        ax.axhline(0, color=ORANGE, lw=1.2)
        ax.set_title(names[code], fontsize=10, loc="left")
    fig.supylabel("Change, baseline SD", fontsize=10)
    axes[-1].set_xlabel("Missing patients worse than imputed by, baseline SD")
    return fig


def find_ends(labs: pd.DataFrame, status: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return the last value of each participant who left before the last visit, and why.

    Parameters
    ----------
    labs
        USUBJID, PARAMCD, AVISITN, AVAL.
    status
        USUBJID, STATUS (`msct_helpers.cohort.population.derive_disposition`).

    Returns
    -------
    DataFrame
        AVISITN, AVAL, STATUS; a row for each participant without a value at the last visit.
    """
    own = labs[labs["PARAMCD"] == code].sort_values("AVISITN")
    last = own.drop_duplicates("USUBJID", keep="last")
    return last[last["AVISITN"] < max(VISITS)].merge(status, on="USUBJID")[
        ["AVISITN", "AVAL", "STATUS"]
    ]
