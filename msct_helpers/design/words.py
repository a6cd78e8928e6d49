"""Results, sentences, tables and figure of the chapter on the next trial."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.figures import BLUE, INK, ORANGE, SMALL, ZERO, make_figure, write_key_of
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, upper_first
from msct_helpers.design import size
from msct_helpers.design.size import Protocol
from msct_helpers.design.table import ENDPOINTS, plan_differences, plan_trial

LABEL = "From formulas and simulated trials; every input is assumed."
MARK = "Formulas and simulated trials; every input is assumed"
DIFFERENCES = (2.0, 3.0, 4.0)
"""Differences of MELD, in points, for which sizes are shown."""

INPUTS = {
    "difference": ("difference of MELD to be found, points", 0),
    "sd": ("SD of MELD at a visit, points", 0),
    "rho": ("correlation of a later MELD with that at baseline", 1),
    "risk_percent": ("death or transplant to the horizon in controls, %", 0),
    "treated_percent": ("the same if treated, %", 1),
    "death_percent": ("deaths among these events, %", 0),
    "missing_percent": ("without MELD at the horizon for any reason, %", 0),
    "lost_percent": ("lost to follow-up, %", 0),
    "level_percent": ("confidence level, two-sided, %", 0),
    "power_percent": ("power, %", 0),
}
"""What is assumed, in words, with decimals."""


def summarise_inputs(protocol: Protocol) -> pd.DataFrame:
    """Return what is assumed as results: analysis ``assumed``."""
    p = protocol
    values = {"difference": p.difference, "sd": p.sd, "rho": p.rho}
    shares = {
        "risk": p.risk,
        "treated": p.risk * p.risk_ratio,
        "death": p.death_share,
        "missing": p.missing,
        "lost": p.lost,
        "level": p.level,
        "power": p.power,
    }
    values |= {f"{name}_percent": 100 * share for name, share in shares.items()}
    rows: list[dict[str, Any]] = []
    for name, value in values.items():
        about: dict[str, Any] = {"decimals": INPUTS[name][1], "method": "assumed"}
        rows += make_rows("assumed", {name: value}, function="summarise_inputs", **about)
    return make_record(rows)


def summarise_plan(protocol: Protocol, trials: int, seed: int) -> pd.DataFrame:
    """Return sizes and power of the next trial.

    Parameters
    ----------
    protocol
        What is assumed.
    trials, seed
        Simulated trials of each endpoint, and their seed.

    Returns
    -------
    DataFrame
        Record, analysis ``next`` by endpoint: complete_count and enrolled_count (an arm),
        events_count (both arms, where events are counted), percent of simulated trials that
        reject, with interval; ``exact``: percent, the power of the size for MELD by the noncentral
        t; ``logrank``: events_count; ``sizes`` by difference.
    """
    rows: list[dict[str, Any]] = []
    for name, found in plan_trial(protocol, trials=trials, seed=seed).iterrows():
        counts = {f"{k}_count": found[k] for k in ("complete", "enrolled", "events")}
        counts = {k: v for k, v in counts.items() if not np.isnan(v)}
        about: dict[str, Any] = {"group": str(name), "function": "summarise_plan"}
        rows += make_rows("next", counts, method="formula", **about)
        power = {k: found[k] for k in ("percent", "percent_low", "percent_high")}
        rows += make_rows("next", power, n=trials, method="simulated trials, exact", **about)
    rows += make_rows("logrank", {"events_count": size.count_events(protocol)}, method="Schoenfeld")
    least = size.power_ancova(protocol, size.size_ancova(protocol).complete)
    exact: dict[str, Any] = {"group": "MELD", "method": "noncentral t", "function": "power_ancova"}
    rows += make_rows("exact", {"percent": 100 * least}, **exact)
    wins = size.expect_wins(protocol).ratio
    rows += make_rows("wins", {"ratio": wins}, method="formula", function="expect_wins")
    for found in plan_differences(protocol, DIFFERENCES).to_dict("records"):
        counts = {f"{k}_count": found[k] for k in ("complete", "enrolled")}
        about = {"group": f"{found['difference']:g}", "function": "plan_differences"}
        rows += make_rows("sizes", counts, method="formula", **about)
        rows += make_rows("sizes", {"points": found["difference"]}, decimals=0, **about)
    return make_record(rows)


def list_endpoints() -> list[Row]:
    """Return a row an endpoint."""
    return [Row((upper_first(text),), "next", group=name) for name, text in ENDPOINTS.items()]


PLAN_COLUMNS: dict[str, Cell] = {
    "An arm, all measured": "{next.complete_count}",
    "An arm, enrolled": "{next.enrolled_count}",
    "Events": "{next.events_count}",
    "Power in simulated trials, % (95% CI)": "{percent} ({percent_low} to {percent_high})",
}


def list_inputs() -> list[Row]:
    """Return a row for each input."""
    return [Row((upper_first(text), ref("assumed", name))) for name, (text, _) in INPUTS.items()]


def say_lead() -> str:
    """Return in a short sentence which trial would decide."""
    return (
        "To show a halved risk of death or transplant a randomised trial needs "
        f"{ref('next', 'enrolled_count', group='event')} patients an arm, "
        f"{ref('next', 'complete_count', group='event')} if nobody is lost."
    )


def say_finding() -> str:
    """Return in one sentence which trial would decide."""
    return (
        "A randomised trial that could show a halved risk of death or transplant needs "
        f"{ref('next', 'enrolled_count', group='event')} patients an arm; one on MELD needs "
        f"{ref('next', 'enrolled_count', group='meld')}, and takes the dead for missing."
    )


def say_plan() -> str:
    """Return how many patients would decide, and what each comparison takes for what."""

    def at(group: str, statistic: str) -> str:
        return ref("next", statistic, group=group)

    return (
        "A randomised trial that is to find a difference of "
        f"{ref('assumed', 'difference')} MELD points at two years needs "
        f"{at('MELD', 'complete_count')} patients an arm, {at('MELD', 'enrolled_count')} if as "
        "many are missing as in the abstract; but this takes the dead for missing. One to show "
        f"a halved risk of death or transplant needs {at('EVENT', 'complete_count')} an arm, in "
        f"whom {at('EVENT', 'events_count')} events are expected, and "
        f"{at('EVENT', 'enrolled_count')} if as many are lost as in the abstract. A hierarchical "
        "comparison of death, then transplant, then MELD counts death as an outcome and needs "
        f"{at('WINS', 'enrolled_count')} an arm with as many lost, if both the risk and MELD "
        "improve as assumed."
    )


def say_power(record: pd.DataFrame, protocol: Protocol) -> str:
    """Return how the power of simulated trials compares with what was asked of the formulas.

    Parameters
    ----------
    record
        Record of `summarise_plan`.
    protocol
        What is assumed.
    """
    own = record[record["analysis"] == "next"].pivot_table("value", "group", "statistic")
    asked = 100 * protocol.power
    low, high = own["percent_low"].reindex(ENDPOINTS), own["percent_high"].reindex(ENDPOINTS)
    sides = {
        "below": [name for name in ENDPOINTS if high[name] < asked],
        "above": [name for name in ENDPOINTS if low[name] > asked],
    }
    power = f"the {ref('assumed', 'power_percent')}% asked for"
    apart = [
        f"of {join_words([ENDPOINTS[name] for name in names])} lies {side} {power}"
        for side, names in sides.items()
        if names
    ]
    said = f"The intervals of the simulated power hold {power} in all of these comparisons."
    if apart:
        held = sum(map(len, sides.values())) < len(ENDPOINTS)
        rest = f"; the other intervals hold {power}." if held else "."
        said = f"The simulated power {', that '.join(apart)}{rest}"
    return (
        f"Sizes by formula are approximate. {said} So many simulated trials "
        "do not tell a point of power. By the noncentral t distribution "
        f"{ref('next', 'complete_count', group='MELD')} an arm give "
        f"{ref('exact', 'percent', group='MELD')}% for MELD, not the power asked for: the formula "
        "takes the normal distribution."
    )


def say_differences() -> str:
    """Return how fast the size grows as the difference shrinks."""
    small, usual = (f"{d:g}" for d in DIFFERENCES[:2])
    points = ref("sizes", "points", group=small)
    return (
        f"The size goes with the square of the difference: for {points} points it is "
        f"{ref('sizes', 'complete_count', group=small)} an arm instead of "
        f"{ref('sizes', 'complete_count', group=usual)}. No smallest difference that matters to "
        "patients was found validated for MELD."
    )


def plot_power(record: pd.DataFrame, protocol: Protocol) -> Figure:
    """Return the power of the analysis of covariance by size and difference.

    Parameters
    ----------
    record
        Record of `summarise_plan`, analysis ``sizes``: where the curves reach the power.
    protocol
        What is assumed.
    """
    fig, ax = make_figure(3.0)
    sizes = np.arange(8, 141, 2)
    styles = ((ORANGE, ":"), (BLUE, "-"), (INK, "--"))
    for difference, (colour, style) in zip(DIFFERENCES, styles, strict=True):
        own = replace(protocol, difference=difference)
        power = [100 * size.power_ancova(own, int(n)) for n in sizes]
        ax.plot(sizes, power, style, color=colour, label=f"{difference:g} points")
    reached = record[record["statistic"] == "complete_count"]
    for count, text in zip(reached["value"], reached["text"], strict=True):
        ax.plot(count, 100 * protocol.power, "o", color=INK, ms=4)
        ax.annotate(text, (count, 100 * protocol.power), (4, -3), textcoords="offset points",
                    va="top", fontsize=SMALL)  # fmt: skip
    ax.axhline(100 * protocol.power, **ZERO)
    ax.set(xlabel="Patients an arm, all measured", ylabel="Power, %", ylim=(0, 101))
    write_key_of(fig, ax)
    return fig
