"""The next trial in one table: size by formula and power by simulation of each endpoint."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from msct_helpers.design import size
from msct_helpers.design.mmrm import compare_arms
from msct_helpers.design.simulate import (
    CHUNK,
    Floats,
    are_events_significant,
    draw_trials,
    draw_visits,
    find_win_ratios,
    is_ancova_significant,
)
from msct_helpers.design.size import Protocol, Size
from msct_helpers.stats.estimate import estimate_proportion

Decide = Callable[[np.random.Generator, int], npt.NDArray[np.bool_]]

ENDPOINTS = {
    "MELD": "MELD at the horizon, adjusted for baseline (ANCOVA)",
    "MMRM": "MELD over visits (MMRM, Kenward-Roger)",
    "EVENT": "death or transplant (two proportions)",
    "WINS": "death, then transplant, then MELD (win ratio)",
}
"""Endpoints of the next trial, in words."""

SEED = 20260101
TRIALS = 2000


def list_sizes(protocol: Protocol) -> dict[str, Size]:
    """Return the sizes by endpoint; the MMRM takes those of the analysis of covariance."""
    ancova = size.size_ancova(protocol)
    return {
        "MELD": ancova,
        "MMRM": ancova,
        "EVENT": size.size_events(protocol),
        "WINS": size.size_wins(protocol),
    }


def estimate_power(decide: Decide, trials: int, seed: int, level: float) -> dict[str, float]:
    """Return the share of simulated trials that reject, in per cent with its exact interval.

    Parameters
    ----------
    decide
        Simulates so many trials and returns which of them reject.
    trials
        Number of trials.
    seed
        Seed; each chunk of trials has a stream of its own.
    level
        Confidence level of the interval.
    """
    rejected = 0
    for first in range(0, trials, CHUNK):
        rng = np.random.default_rng([seed, first])
        rejected += int(decide(rng, min(CHUNK, trials - first)).sum())
    return estimate_proportion(rejected, trials, level)


def make_decisions(protocol: Protocol, sizes: dict[str, Size], null: bool) -> dict[str, Decide]:
    """Return by endpoint the test of simulated trials of the size to be enrolled.

    Those that the size allows for are missing: of MELD anybody, else only the lost.
    """
    level = protocol.level

    def draw_complete(rng: np.random.Generator, trials: int) -> tuple[Floats, Floats]:
        visits = draw_visits(rng, protocol, sizes["MELD"].enrolled, trials, null=null)
        return visits[0], visits[1][:, :, -1]

    def ancova(rng: np.random.Generator, trials: int) -> npt.NDArray[np.bool_]:
        return is_ancova_significant(*draw_complete(rng, trials), level)

    def mmrm(rng: np.random.Generator, trials: int) -> npt.NDArray[np.bool_]:
        per_arm = sizes["MMRM"].enrolled
        base, meld = draw_visits(rng, protocol, per_arm, trials, null=null)
        arm = np.repeat([0.0, 1.0], per_arm)
        return compare_arms(base, meld, arm).p_value < 1 - level

    def events(rng: np.random.Generator, trials: int) -> npt.NDArray[np.bool_]:
        per_arm = sizes["EVENT"].complete
        drawn = draw_trials(rng, protocol, per_arm, trials, lost=0.0, null=null)
        return are_events_significant(drawn, level)

    def wins(rng: np.random.Generator, trials: int) -> npt.NDArray[np.bool_]:
        per_arm = sizes["WINS"].enrolled
        drawn = draw_trials(rng, protocol, per_arm, trials, lost=protocol.lost, null=null)
        return np.abs(find_win_ratios(drawn).statistic) > protocol.quantiles[0]

    return {"MELD": ancova, "MMRM": mmrm, "EVENT": events, "WINS": wins}


def plan_trial(
    protocol: Protocol, *, trials: int = TRIALS, seed: int = SEED, null: bool = False
) -> pd.DataFrame:
    """Return sizes and simulated power of each endpoint.

    Parameters
    ----------
    protocol
        What is assumed.
    trials, seed
        Simulated trials of each endpoint, and their seed.
    null
        Whether the treated fare as the controls do: the power is then the type I error.

    Returns
    -------
    DataFrame
        Index `ENDPOINTS`: complete and enrolled (an arm), events (both arms, missing where none
        are counted), percent, percent_low, percent_high of the trials that reject.
    """
    sizes = list_sizes(protocol)
    decisions = make_decisions(protocol, sizes, null)
    rows = {}
    for name, own in sizes.items():
        found = estimate_power(decisions[name], trials, seed, protocol.level)
        power = {k: v for k, v in found.items() if k.startswith("percent")}
        events = np.nan if own.events is None else own.events
        rows[name] = {"complete": own.complete, "enrolled": own.enrolled, "events": events} | power
    return pd.DataFrame.from_dict(rows, orient="index")


def plan_differences(protocol: Protocol, differences: tuple[float, ...]) -> pd.DataFrame:
    """Return sizes of the analysis of covariance by the difference to be found, in points."""
    found = {d: size.size_ancova(replace(protocol, difference=d)) for d in differences}
    rows = [
        {"difference": d, "complete": s.complete, "enrolled": s.enrolled} for d, s in found.items()
    ]
    return pd.DataFrame(rows)


def show_table(protocol: Protocol, table: pd.DataFrame, trials: int) -> str:
    """Return the table as text for a terminal, with what it assumes."""
    share = f"{100 * protocol.missing:.0f}%"
    lines = [
        f"Assumed: {protocol.difference:g} points of MELD, SD {protocol.sd:g}, correlation "
        f"{protocol.rho:g}; {100 * protocol.risk:g}% die or are transplanted, "
        f"{100 * protocol.risk * protocol.risk_ratio:g}% if treated;",
        f"two-sided {100 * (1 - protocol.level):g}%, power {100 * protocol.power:g}%; {share} "
        f"without MELD for any reason, {100 * protocol.lost:.0f}% lost.",
        "",
        f"{'endpoint':<54}{'an arm':>8}{'enrolled':>10}{'events':>8}  power in {trials} trials",
    ]
    for name, row in table.iterrows():
        events = "" if np.isnan(row["events"]) else f"{row['events']:.0f}"
        power = f"{row['percent']:.1f}% ({row['percent_low']:.1f} to {row['percent_high']:.1f})"
        lines.append(
            f"{ENDPOINTS[str(name)]:<54}{row['complete']:>8.0f}{row['enrolled']:>10.0f}"
            f"{events:>8}  {power}"
        )
    needed = size.count_events(protocol)
    return "\n".join([*lines, "", f"A log-rank test of death or transplant needs {needed} events."])
