"""What the published counts say by themselves, with no data of any participant."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.figures import BLUE, INK, ORANGE, SMALL, ZERO, make_figure
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import upper_first
from msct_helpers.stats.estimate import estimate_proportion, estimate_upper_limit
from msct_helpers.stats.ranks import estimate_signed_rank_p
from msct_helpers.trial.plan import Plan

LABEL = "From the published counts alone; no data of any participant."
"""Label of what this module computes, in place of the data set's."""

GROUPS = {
    "N3": "died of complications of cirrhosis",
    "N4": "received a liver transplant",
    "N5": "lost to follow-up",
    "EVENT": "died or transplanted, none of the lost",
    "GONE": "died, transplanted or lost",
    "DEAD-WORST": "died, if all of the lost died",
    "S1": "serious adverse event within 24 hours of the infusion",
}
"""What was counted, by statement or combination of statements; combinations assume that the dead,
the transplanted and the lost are different people."""

EXCLUDED = (10, 5, 1)
"""Risks (per cent) for which the number of patients to rule them out is given."""


def get_counts(published: pd.DataFrame) -> dict[str, int]:
    """Return the published counts of participants by id of the statement."""
    counted = published[published["kind"] == "count"]
    return {i: int(c) for i, c in zip(counted["id"], counted["count"], strict=True)}


def combine_counts(published: pd.DataFrame) -> dict[str, int]:
    """Return the count of each group of `GROUPS`."""
    counts = get_counts(published)
    died, moved, lost = counts["N3"], counts["N4"], counts["N5"]
    combined = {
        "EVENT": died + moved,
        "GONE": died + moved + lost,
        "DEAD-WORST": died + lost,
    }
    return {group: (counts | combined)[group] for group in GROUPS}


def estimate_none_seen(risk: Any, total: int) -> Any:
    """Return the chance that none of `total` participants has an event of this true risk (0-1)."""
    return (1 - np.asarray(risk, dtype=float)) ** total


def find_size_to_exclude(risk: float, level: float) -> int:
    """Return how many participants without an event rule out a risk (0-1) at this level."""
    return int(np.ceil(np.log(1 - level) / np.log(1 - risk)))


def summarise_counts(published: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return each published count and combination with its exact interval.

    Parameters
    ----------
    published
        Published statements (`msct_helpers.trial.load.load_statements`).
    plan
        The analysis plan; gives the level.

    Returns
    -------
    DataFrame
        Record, analysis ``published``: count, denominator, percent, percent_low, percent_high by
        group of `GROUPS`; and for S1 percent_upper (exact one-sided limit) and percent_three (rule
        of three).
    """
    total = get_counts(published)["N1"]
    about: dict[str, Any] = {"n": total, "function": "summarise_counts"}
    exact = f"published counts, Clopper-Pearson {plan.level_words} interval"
    rows: list[dict[str, Any]] = []
    for group, count in combine_counts(published).items():
        shown = estimate_proportion(count, total, plan.level)
        rows += make_rows("published", shown, group=group, method=exact, **about)
    limit = f"exact one-sided {plan.level_words} limit"
    limit = f"none seen: {limit}, and three over the number of patients"
    shown = estimate_upper_limit(total, plan.level)
    return make_record([*rows, *make_rows("published", shown, group="S1", method=limit, **about)])


def summarise_none_seen(published: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return what seeing no event among the published patients can rule out.

    Returns
    -------
    DataFrame
        Record by risk of `EXCLUDED`, analysis ``exclude``: risk_percent and count, the patients
        without an event needed to rule it out; ``unseen``: chance in per cent of seeing no event
        at that risk.
    """
    total = get_counts(published)["N1"]
    about: dict[str, Any] = {"function": "summarise_none_seen"}
    smallest = "smallest number for which a risk this high would show no event in under"
    smallest = f"{smallest} {plan.alpha_words}"
    chance = "chance of no event among the published number of patients"
    rows: list[dict[str, Any]] = []
    for risk in EXCLUDED:
        size = find_size_to_exclude(risk / 100, plan.level)
        shown = {"risk_percent": risk, "count": size}
        rows += make_rows("exclude", shown, group=f"{risk}", decimals=0, method=smallest, **about)
        unseen = {"percent": 100 * estimate_none_seen(risk / 100, total)}
        rows += make_rows("unseen", unseen, group=f"{risk}", n=total, method=chance, **about)
    return make_record(rows)


def summarise_composite_bound(published: pd.DataFrame) -> pd.DataFrame:
    """Return the best that a composite test can reach, by number of events counted.

    Everyone without death, transplant or loss is taken to have improved, and everyone whose event
    counts is ranked worst, deaths tied below transplants; the lost are left out. The signed-rank
    test favours no data more than those in which all improved alike.

    Returns
    -------
    DataFrame
        Record, analysis ``ceiling``: p_value (exact signed rank), events_count and improved_count
        by group, the number of events counted, transplants first, with distinct improvements; all
        events and ``EQUAL`` improvements; and all events where the lost improved too, distinctly
        (``LOST IMPROVED``) or alike (``LOST EQUAL``). Group ``SIGN``: the sign test, which ranks
        nothing.
    """
    counts = get_counts(published)
    died, moved = counts["N3"], counts["N4"]
    stayed = counts["N1"] - died - moved - counts["N5"]
    distinct = np.arange(1.0, stayed + 1)
    events = np.repeat([-2.0, -3.0], [moved, died]) * (counts["N1"] + 1)
    cases = {f"{n}": (distinct, events[:n]) for n in range(died + moved + 1)}
    cases["EQUAL"] = (np.ones(stayed), events)
    cases["LOST IMPROVED"] = (np.arange(1.0, stayed + counts["N5"] + 1), events)
    cases["LOST EQUAL"] = (np.ones(stayed + counts["N5"]), events)
    rows: list[dict[str, Any]] = []
    for group, (improved, worst) in cases.items():
        p = estimate_signed_rank_p(np.concatenate([improved, worst]))
        method = "exact two-sided signed-rank test, events worst, all others improved"
        rows += record_bound(group, p, len(improved), len(worst), method)
    p = float(stats.binomtest(stayed, stayed + died + moved).pvalue)
    return make_record([*rows, *record_bound("SIGN", p, stayed, died + moved, "sign test")])


def record_bound(
    group: str, p: float, improved: int, events: int, method: str
) -> list[dict[str, Any]]:
    """Return the rows of one case of the bound."""
    return make_rows(
        "ceiling",
        {"p_value": p, "events_count": events, "improved_count": improved},
        group=group,
        n=improved + events,
        method=method,
        function="summarise_composite_bound",
    )


def list_counts() -> list[Row]:
    """Return a row for each published count and combination."""
    return [Row((upper_first(name),), "published", group=group) for group, name in GROUPS.items()]


def list_excluded() -> list[Row]:
    """Return a row for each risk of `EXCLUDED`."""
    return [Row((ref("exclude", "risk_percent", group=f"{r}"),), group=f"{r}") for r in EXCLUDED]


EXCLUDED_COLUMNS: dict[str, Cell] = {
    "Chance of seeing none, %": "{unseen.percent}",
    "Patients without an event to rule it out": "{exclude.count}",
}


def say_counts(plan: Plan) -> str:
    """Return how many died, were transplanted and were lost, and the interval of the two events."""

    def of(group: str, statistic: str = "count") -> str:
        return ref("published", statistic, group=group)

    return (
        f"Of {of('N3', 'denominator')} patients {of('N3')} died, {of('N4')} were transplanted and "
        f"{of('N5')} were lost. Death or transplant in {of('EVENT')} is {of('EVENT', 'percent')}%, "
        f"with an exact {plan.level_words} interval from {of('EVENT', 'percent_low')}% to "
        f"{of('EVENT', 'percent_high')}%, if these events fell within the two years of the "
        "abstract, in different people, and none of the lost had one (all assumed)."
    )


def say_ceiling(record: pd.DataFrame, plan: Plan) -> str:
    """Return the lowest p-value of the composite test, and how few events leave it significant.

    Parameters
    ----------
    record
        Record of `summarise_composite_bound`.
    plan
        The analysis plan; gives the level.
    """

    def at(group: str, statistic: str) -> str:
        return ref("ceiling", statistic, group=group)

    p = record[record["statistic"] == "p_value"].set_index("group")["value"]
    p = p[p.index.str.isdigit()]
    every, few = p.index[-1], p.index[p < plan.alpha]
    only = f"only while at most {at(few[-1], 'events_count')} of the events count"
    return (
        f"With the lost left out, all {at(every, 'events_count')} deaths and transplants ranked "
        f"worst and the other {at(every, 'improved_count')} improved, each by another amount, the "
        f"exact two-sided signed-rank test gives p = {at(every, 'p_value')}; it is below "
        f"{plan.alpha_words} {only}. All improved by the same amount, which favours the test "
        f"most, give p = {at('EQUAL', 'p_value')}. Had the lost improved as well, these would be "
        f"p = {at('LOST IMPROVED', 'p_value')} and {at('LOST EQUAL', 'p_value')}. A sign test, "
        f"which only counts who is better, would give p = {at('SIGN', 'p_value')}."
    )


def say_lead() -> str:
    """Return in a short sentence what the counts exclude."""
    return (
        "With death and transplant ranked worst, the published counts alone exclude a significant "
        f"improvement at two years (p = {ref('ceiling', 'p_value', group='EQUAL')} at best)."
    )


def say_bound() -> str:
    """Return in one sentence what the counts exclude."""

    def at(statistic: str, group: str = "EQUAL") -> str:
        return ref("ceiling", statistic, group=group)

    return (
        f"With {at('events_count')} deaths and transplants ranked worst, not even "
        f"{at('improved_count')} improvements out of {at('improved_count')} make the signed-rank "
        f"test at two years significant (p = {at('p_value')} at best, or "
        f"{at('p_value', 'LOST EQUAL')} had the lost improved too), if the events fell before two "
        "years and in different people (assumed)."
    )


def say_limit(plan: Plan) -> str:
    """Return in one sentence what seeing no serious event leaves open."""
    total, upper = (ref("published", s, group="S1") for s in ("denominator", "percent_upper"))
    return (
        f"No serious event within a day of the infusion in {total} patients leaves room for a risk "
        f"of up to {upper}% (exact one-sided {plan.level_words} limit)."
    )


CEILING_MEANS = (
    "So no data that agree with these counts can give this test of death, transplant and change a "
    "significant improvement at two years, if the events fell before the two years of the abstract "
    "and in different people (both assumed). The bound is the signed-rank test's: the sign test is "
    "not bound."
)


def say_none_seen(plan: Plan) -> str:
    """Return how high a risk seeing no event among the published patients leaves room for."""

    def share(analysis: str, risk: int, statistic: str = "percent") -> str:
        return ref(analysis, statistic, group=f"{risk}")

    high, low, *_ = EXCLUDED
    return (
        f"Seeing none in {ref('published', 'denominator', group='S1')} leaves room for a risk of "
        f"up to {ref('published', 'percent_upper', group='S1')}% (exact one-sided "
        f"{plan.level_words} limit; rule of three "
        f"{ref('published', 'percent_three', group='S1')}%). A true risk of "
        f"{share('exclude', high, 'risk_percent')}% would still show no event in "
        f"{share('unseen', high)}% of such trials, one of "
        f"{share('exclude', low, 'risk_percent')}% in {share('unseen', low)}%."
    )


def plot_ceiling(record: pd.DataFrame, plan: Plan) -> Figure:
    """Return the lowest p-value the composite test can reach, by number of events counted.

    Parameters
    ----------
    record
        Record of `summarise_composite_bound`, without the case in which the lost improved.
    plan
        The analysis plan; gives the level.
    """
    wide = record.pivot(index="group", columns="statistic", values="value")
    fig, ax = make_figure(2.8)
    ax.axhline(plan.alpha, **ZERO)
    ax.text(0, 1.12 * plan.alpha, f"{plan.alpha_words} level", fontsize=SMALL)
    ax.plot(wide["events_count"], wide["p_value"], "o-", color=BLUE)
    ax.set_yscale("log")
    ax.set_yticks([0.0001, 0.001, 0.01, 0.1], ["0.0001", "0.001", "0.01", "0.1"])
    ax.set(
        xlabel="Deaths and transplants counted as worst",
        ylabel="Lowest p-value possible",
        xticks=wide["events_count"],
    )
    return fig


def plot_none_seen(record: pd.DataFrame, limit: pd.Series, plan: Plan) -> Figure:
    """Return the chance of seeing no event among the published patients, by true risk.

    Parameters
    ----------
    record
        Record of `summarise_none_seen`; its numbers are read off the curve.
    limit
        Row of the record with the upper limit of the published risk (``published.s1``).
    plan
        The analysis plan; gives the level.
    """
    total, upper, alpha = int(limit["n"]), float(limit["value"]), 100 * plan.alpha
    fig, ax = make_figure(3.0)
    risk = np.linspace(0, 0.25, 251)
    ax.plot(100 * risk, 100 * estimate_none_seen(risk, total), color=BLUE)
    ax.plot([upper, upper, 0], [0, alpha, alpha], "--", color=ORANGE, lw=1.2)
    ax.annotate(
        f"upper limit {limit['text']}%", (upper, alpha), (upper + 2, alpha + 13),
        arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.8},
    )  # fmt: skip
    ax.set(xlabel="True risk of the event, %", ylabel=f"Chance of seeing none in {total}, %")
    ax.set(xlim=(0, 25), ylim=(0, 101))
    return fig
