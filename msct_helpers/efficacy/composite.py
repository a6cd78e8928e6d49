"""The primary estimand: everybody enrolled, death below transplant below any change.

Death and transplant are intercurrent events, met by a composite (ICH E9(R1)). Whoever was not
measured is missing: not better in the share, and unchanged in the ranks. The signed-rank test drops
what is unchanged, so its p-value speaks of the measured and of the events; the Hodges-Lehmann
estimate keeps it, and is pulled towards zero by it, which flatters it where events are many. The
estimate of those whose outcome is known stands beside it.
"""

from typing import Any

import numpy as np
import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, upper_first
from msct_helpers.efficacy.change import get_unit, get_value, say_absent
from msct_helpers.efficacy.inference import find_unit, scale_values, unscale
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.stats.ranks import estimate_hodges_lehmann, estimate_signed_rank_p, find_side
from msct_helpers.trial.plan import MEASURES, Plan, Visit

OUTCOMES = ("BETTER", "NOT BETTER", "NOT MEASURED", "LIVER TRANSPLANT", "DEATH")
"""What became of a participant by a visit, from best to worst, the unknown between."""

EVENTS = ("LIVER TRANSPLANT", "DEATH")

STRATEGIES = {
    "composite": "composite: death worst, then transplant",
    "nolt": "hypothetical for transplant: as if not measured",
    "alive": "while alive without transplant: the last value before it stands for an event",
}
"""How death and transplant are met, by analysis; the first is primary."""

METHOD = (
    "share of all enrolled, Clopper-Pearson; exact signed-rank test and Hodges-Lehmann estimate on "
    "the scale of analysis; not measured: not better, and unchanged, which has no rank in the test"
)


def derive_outcomes(
    values: pd.DataFrame, status: pd.DataFrame, code: str, visit: Visit, strategy: str = "composite"
) -> pd.DataFrame:
    """Return what became of everybody enrolled by a visit, for one endpoint.

    Parameters
    ----------
    values
        The endpoint on its scale of analysis (`msct_helpers.efficacy.inference.scale_values`).
    status
        USUBJID, STATUS, DAYS of everybody enrolled
        (`msct_helpers.cohort.population.derive_disposition`). Events count up to the day on which
        the visit is due.
    code, visit
        PARAMCD and visit.
    strategy
        How death and transplant are met (`STRATEGIES`).

    Returns
    -------
    DataFrame
        Indexed by USUBJID: OUTCOME (`OUTCOMES`) and CHANGE from baseline with better as positive,
        on the scale of analysis; 0 where not measured, minus infinity after an event.
    """
    course = status.set_index("USUBJID")
    event = course["STATUS"].where(course["STATUS"].isin(EVENTS) & (course["DAYS"] <= visit.day))
    own = values[values["AVISITN"] <= visit.number].sort_values("AVISITN")
    first = own[own["AVISITN"] == 0].set_index("USUBJID")["AVAL"]
    last = own[own["AVISITN"] == visit.number].set_index("USUBJID")["AVAL"]
    if strategy == "alive":
        before = own[own["AVISITN"] > 0].groupby("USUBJID")["AVAL"].last()
        last = last.reindex(course.index).fillna(before[before.index.isin(event.dropna().index)])
        event = event.where(event.isna())
    if strategy == "nolt":
        last = last[~last.index.isin(event.index[event == "LIVER TRANSPLANT"])]
        event = event.where(event != "LIVER TRANSPLANT")
    change = (MEASURES[code].better * (last - first)).reindex(course.index).round(9)
    known = change.gt(0).map({True: "BETTER", False: "NOT BETTER"})
    outcome = event.fillna(known.where(change.notna(), "NOT MEASURED"))
    return pd.DataFrame(
        {"OUTCOME": outcome, "CHANGE": change.fillna(0.0).mask(event.notna(), -np.inf)}
    )


def rank_outcomes(outcomes: pd.DataFrame) -> np.ndarray:
    """Return finite changes in which death ranks below transplant, and that below every change."""
    change = outcomes["CHANGE"].to_numpy(dtype=float)
    worst = np.abs(change[np.isfinite(change)]).max(initial=0.0) + 1
    ranked = np.where(outcomes["OUTCOME"] == "LIVER TRANSPLANT", -2 * worst, change)
    return np.where(outcomes["OUTCOME"] == "DEATH", -3 * worst, ranked)


def describe_outcomes(outcomes: pd.DataFrame, code: str, level: float) -> dict[str, float]:
    """Return the share better of everybody enrolled, the rank test, and how many met each end.

    Parameters
    ----------
    outcomes
        `derive_outcomes`.
    code, level
        PARAMCD and confidence level.

    Returns
    -------
    dict
        n (everybody), better_count, denominator, percent, percent_low, percent_high; p_value
        (two-sided) and side (1 where the ranks lean to better, -1 to worse, else 0); hl, hl_low,
        hl_high (Hodges-Lehmann, as changes are shown; infinite where among the events), and
        hl_known, the estimate without whoever was not measured; a count by outcome, and
        events_count.
    """
    counts = outcomes["OUTCOME"].value_counts().reindex(OUTCOMES, fill_value=0)
    share = estimate_proportion(int(counts["BETTER"]), len(outcomes), level)
    ranked = rank_outcomes(outcomes)
    out = {"n": float(len(outcomes)), "better_count": share.pop("count")} | share
    out |= {"p_value": estimate_signed_rank_p(ranked), "side": find_side(ranked)}
    change = outcomes["CHANGE"].to_numpy(dtype=float)
    out |= show_middle(change, code, level)
    known = change[(outcomes["OUTCOME"] != "NOT MEASURED").to_numpy()]
    out["hl_known"] = show_middle(known, code, level)["hl"]
    out |= {name_count(o): float(counts[o]) for o in OUTCOMES[1:]}
    return out | {"events_count": float(counts[list(EVENTS)].sum())}


def name_count(outcome: str) -> str:
    """Return the statistic that counts an outcome."""
    return f"{outcome.lower().replace(' ', '_')}_count"


def show_middle(change: np.ndarray, code: str, level: float) -> dict[str, float]:
    """Return the Hodges-Lehmann estimate of changes, better as positive, as changes are shown."""
    better = MEASURES[code].better
    found = estimate_hodges_lehmann(change, level)
    shown = {name: unscale(code, better * value) for name, value in found.items()}
    if better < 0:
        shown |= {"hl_low": shown["hl_high"], "hl_high": shown["hl_low"]}
    return shown


def summarise_outcomes(
    labs: pd.DataFrame, status: pd.DataFrame, codes: tuple[str, ...], plan: Plan
) -> pd.DataFrame:
    """Return the primary estimand of each endpoint at each later visit, and its variants.

    Parameters
    ----------
    labs
        Measurements and scores of the full analysis set.
    status
        How the follow-up of everybody enrolled ended
        (`msct_helpers.cohort.population.derive_disposition`).
    codes
        PARAMCD of those to be told; those never measured are left out.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record by analysis of `STRATEGIES` with the statistics of `describe_outcomes`; limits among
        the events are shown as that word.
    """
    rows: list[dict[str, Any]] = []
    for code in (code for code in codes if (labs["PARAMCD"] == code).any()):
        values = scale_values(labs, code)
        for analysis in STRATEGIES:
            for visit in plan.later:
                found = derive_outcomes(values, status, code, visit, analysis)
                shown = describe_outcomes(found, code, plan.level)
                if analysis != "composite":  # told of the primary estimand alone
                    del shown["hl_known"]
                rows += make_rows(
                    analysis,
                    shown,
                    parameter=code,
                    visit=visit.number,
                    unit=find_unit(labs, code),
                    n=len(found),
                    method=f"{STRATEGIES[analysis]}; {METHOD}",
                    function="summarise_outcomes",
                )
    return make_record(row | {"text": name_limit(row)} for row in rows)


def name_limit(row: dict[str, Any]) -> str:
    """Return the text of a result: a word where it lies among the events."""
    return "event" if np.isinf(row["value"]) else str(row["text"])


def count_early(labs: pd.DataFrame, status: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return how many were measured at a visit and met an event before the day it was due.

    The window of a visit opens before that day. The composite counts them by the event; the flow
    of participants counts them as attending.

    Parameters
    ----------
    labs, status, plan
        As in `summarise_outcomes`.

    Returns
    -------
    DataFrame
        Record, analysis ``early``: count by later visit.
    """
    met = status[status["STATUS"].isin(EVENTS)].set_index("USUBJID")["DAYS"]
    rows: list[dict[str, Any]] = []
    for visit in plan.later:
        seen = labs.loc[labs["AVISITN"] == visit.number, "USUBJID"].unique()
        early = met[met.index.isin(seen) & (met <= visit.day)]
        rows += make_rows(
            "early", {"count": len(early)}, visit=visit.number, n=len(status),
            function="count_early",
        )  # fmt: skip
    return make_record(rows)


def say_early(record: pd.DataFrame, plan: Plan) -> str:
    """Return whom the composite counts by an event and the flow of participants as attending."""
    rule = (
        "Events count up to the day on which a visit is due, also of whoever had been measured "
        "early in its window"
    )
    page = "[the flow of participants](cohort-flow.md)"
    if not record["value"].any():
        return f"{rule}; nobody had been, so {page} counts the same people."
    each = join_words([f"{ref('early', 'count', visit=v.number)} at {v.words}" for v in plan.later])
    return f"{rule}: {each}. In {page} these count as having attended."


def outcome_rows(record: pd.DataFrame, plan: Plan, codes: tuple[str, ...]) -> list[Row]:
    """Return a row for each endpoint that was measured, and visit."""
    known = set(record["parameter"])
    return [
        Row((upper_first(MEASURES[code].name), str(visit.number)), "composite", code, visit.number)
        for code in codes
        if code in known
        for visit in plan.later
    ]


def outcome_columns() -> dict[str, Cell]:
    """Return how many met each end, the share better, and the test of the ranks."""
    return {
        "Better / not / not seen": "{better_count} / {not_better_count} / {not_measured_count}",
        "LTx / died": "{liver_transplant_count} / {death_count}",
        "Better, % (CI)": "{percent} ({percent_low} to {percent_high})",
        "HL (CI)": "{hl} ({hl_low} to {hl_high})",
        "p": "{p_value}",
    }


def say_lead(
    record: pd.DataFrame, plan: Plan, codes: tuple[str, ...], who: str = "participants"
) -> str:
    """Return in one short sentence how many were better, and the tests (as `say_outcomes`)."""
    at = plan.last.number
    known = [code for code in codes if code in set(record["parameter"])]
    if not known:
        return ""
    better = {c: get_value(record, "composite", "better_count", c, at) for c in known}
    least, most = min(known, key=lambda c: better[c]), max(known, key=lambda c: better[c])
    count = ref("composite", "better_count", least, at)
    if better[least] < better[most]:
        count = f"between {count} and {ref('composite', 'better_count', most, at)}"
    clear = [c for c in known if get_value(record, "composite", "p_value", c, at) < plan.alpha]
    sides = {name_side(get_value(record, "composite", "side", c, at)) for c in clear}
    tests = f"no rank test lies below {plan.alpha_words}"
    if clear:
        names = join_words([MEASURES[c].name for c in clear])
        which = "every rank test lies" if clear == known else f"the rank tests of {names} lie"
        tests = f"{which} below {plan.alpha_words}, {' and '.join(sorted(sides))}"
    return (
        f"Of {ref('composite', 'denominator', least, at)} {who} enrolled, {count} were alive, "
        f"without transplant, measured and better at {plan.at_last}; {tests}."
    )


def say_outcomes(
    record: pd.DataFrame,
    plan: Plan,
    codes: tuple[str, ...],
    absent: dict[str, str],
    who: str = "participants",
) -> str:
    """Return the answer of a chapter: who was better at the last visit, of everybody enrolled.

    Parameters
    ----------
    record
        Record of `summarise_outcomes`.
    plan
        The analysis plan.
    codes
        PARAMCD of those to speak of.
    absent
        Why one cannot be assessed, by PARAMCD; an empty text where it can.
    who
        What the participants are called (`msct_helpers.book.words.name_people`).
    """
    known = [code for code in codes if code in set(record["parameter"])]
    if not known:
        out = f"Who was better at {plan.at_last} cannot be assessed."
    else:
        each = join_words(
            [describe_share(record, plan, code, "" if i else who) for i, code in enumerate(known)]
        )
        out = f"Alive, without transplant, measured and better at {plan.at_last} than at baseline: "
        out += f"{each}."
    out += say_absent({c: absent.get(c) or "not measured" for c in codes if c not in known})
    return f"{out} These are changes from baseline without a control arm."


def describe_share(record: pd.DataFrame, plan: Plan, code: str, who: str) -> str:
    """Return the share better of an endpoint at the last visit, and its ranks.

    In short where nobody is named by `who`.
    """

    def at(statistic: str) -> str:
        return ref("composite", statistic, code, plan.last.number)

    name = f"{MEASURES[code].name} in {at('better_count')} of {at('denominator')} {who}".strip()
    interval = f"{at('percent_low')}% to {at('percent_high')}%"
    head = f"{plan.level_words} confidence interval {interval}" if who else interval
    middle = tell_middle(record, plan, code, "hl")
    middle = f"Hodges-Lehmann estimate of the change {middle}" if who else middle
    return f"{name} ({at('percent')}%, {head}; p = {at('p_value')}, {middle})"


def tell_middle(record: pd.DataFrame, plan: Plan, code: str, statistic: str) -> str:
    """Return a Hodges-Lehmann estimate at the last visit with its unit, or that it is an event."""
    if np.isinf(get_value(record, "composite", statistic, code, plan.last.number)):
        return "an event"
    unit = get_unit(record, "composite", "hl", code)
    return f"{ref('composite', statistic, code, plan.last.number)}{unit}"


def name_side(side: float) -> str:
    """Return the side to which ranks lean (`msct_helpers.stats.ranks.find_side`) in words."""
    return {1.0: "towards better", -1.0: "towards worse"}.get(side, "to neither side")


def say_ranks(record: pd.DataFrame, plan: Plan, code: str) -> str:
    """Return to which side everybody's ranks lean at the last visit, and the middle change."""
    at = (code, plan.last.number)
    p, side = (get_value(record, "composite", s, *at) for s in ("p_value", "side"))
    clear = f"which is below {plan.alpha_words}" if p < plan.alpha else "not significant"
    unit = get_unit(record, "composite", "hl", code)
    return (
        "with everybody ranked, death worst and the unmeasured as unchanged, the changes lean "
        f"{name_side(side)} "
        f"(p = {ref('composite', 'p_value', *at)}, {clear}; Hodges-Lehmann estimate "
        f"{ref('composite', 'hl', *at)}{unit})"
    )


def say_pulled(record: pd.DataFrame, plan: Plan, codes: tuple[str, ...]) -> str:
    """Return what the rule for the unmeasured does to the Hodges-Lehmann estimates at the end.

    Parameters
    ----------
    record
        Record of `summarise_outcomes`.
    plan, codes
        The analysis plan, and PARAMCD of those to speak of; nothing is said where all of them were
        measured in everybody who met no event.
    """
    at = plan.last.number
    known = [c for c in codes if get_value(record, "composite", "not_measured_count", c, at) > 0]
    if not known:
        return ""
    each = [
        f"{tell_middle(record, plan, c, 'hl_known')} instead of "
        f"{tell_middle(record, plan, c, 'hl')} for {MEASURES[c].name}"
        for c in known
    ]
    return (
        "Whoever was not measured stands in the Hodges-Lehmann estimate as unchanged. This pulls "
        "it towards zero from either side: it understates a change for the better, and also how "
        "much worse a group is in which several died. The rank test leaves the unmeasured out; "
        f"without them the estimate at {plan.at_last} is {join_words(each)}."
    )


def say_reconciled(record: pd.DataFrame, plan: Plan, code: str) -> str:
    """Return why the mean changes of an endpoint at the last visit differ from each other.

    Parameters
    ----------
    record
        Record with the analyses ``mmrm``, ``chg`` and ``obs`` of the endpoint; nothing is said
        where one of them is not there, or of an endpoint whose model is of ratios.
    plan, code
        The analysis plan, and PARAMCD.
    """
    at = (code, plan.last.number)
    keys = (("mmrm", "change"), ("chg", "mean"), ("obs", "diff"))
    unknown = any(np.isnan(get_value(record, analysis, s, *at)) for analysis, s in keys)
    # A ratio and two differences cannot be set side by side.
    if unknown or MEASURES[code].log_scale:
        return ""
    model, pairs, seen = (ref(analysis, s, *at) for analysis, s in keys)
    return (
        f"Three mean changes of {MEASURES[code].name} at {plan.at_last} differ, because they speak "
        f"of different people: {model} by the mixed model, of everybody as if all had lived and "
        f"stayed; {pairs} among the {ref('chg', 'n', *at)} who were measured twice; {seen} between "
        "all who were seen and all at baseline, who are not the same. None of them counts death."
    )
