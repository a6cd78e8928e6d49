"""Passages of the cohort chapter: flow, baseline, attendance, time to event, published counts."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import display

from msct_helpers.ard.results import ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.tables import name_parameter
from msct_helpers.book.words import join_words, name_reason, name_source
from msct_helpers.cohort import baseline, population, survival, tables
from msct_helpers.cohort import figures as figures_cohort
from msct_helpers.meld import derive as meld
from msct_helpers.trial.schema import VISITS

LAST = max(VISITS)
APART = 0.5
"""Standardised difference from which those who left are said to differ."""


def list_steps(record: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Return the steps of the participant flow, in words, with the ids of their numbers.

    Parameters
    ----------
    record
        Record of `msct_helpers.cohort.population.summarise_disposition`.

    Returns
    -------
    list
        Of each step: its text, and who left before it.
    """
    values = record.set_index("id")["value"]
    steps: list[tuple[str, list[str]]] = []
    excluded: list[str] = []
    if "assessed.count" in values:
        steps.append((f"Assessed\n{ref('assessed', 'count')}", []))
        excluded.append(f"{ref('assessed', 'excluded_count')} not selected")
    steps.append((f"Enrolled\n{ref('enrolled', 'count')}", excluded))
    sources = list(record.loc[record["analysis"] == "source", "group"].unique())
    given = [f"{ref('source', 'count', group=s)} {name_source(s)}" for s in sources]
    if values["infused.yes.count"]:
        beside = [f"{ref('infused', 'count', group='NO')} not infused"]
        received = [g for g, s in zip(given, sources, strict=True) if s != "NOT APPLICABLE"]
        text = "\n".join([f"Infused with MSC\n{ref('infused', 'count', group='YES')}", *received])
        steps.append((text, beside if values["infused.no.count"] else []))
    else:
        steps.append(("No MSC given", []))
    exits = record[(record["analysis"] == "exit") & (record["statistic"] == "count")]
    for month, visit in VISITS.items():
        own = exits[exits["visit"] == month]
        left = [
            f"{ref('exit', 'count', visit=month, group=g)} {name_reason(g)}" for g in own["group"]
        ]
        risk, seen = (ref("visit", "count", visit=month, group=g) for g in ("RISK", "ATTENDED"))
        steps.append((f"{visit}\n{risk} at risk, {seen} attended", left))
    late = exits.loc[exits["visit"].isna(), "group"]
    left = [f"{ref('exit', 'count', group=g)} {name_reason(g)}" for g in late]
    stayed = ref("status", "count", group="IN FOLLOW-UP")
    steps.append((f"Two years\n{stayed} still followed", left))
    full, safe = (ref("set", "count", group=g) for g in ("FASFL", "SAFFL"))
    steps.append((f"Analysed\n{full} full analysis set\n{safe} safety analysis set", []))
    return steps


def show_flow(book: Chapter, record: pd.DataFrame) -> None:
    """Show the participant flow, as a diagram and as text."""
    steps = list_steps(record)
    said = []
    for text, left in steps:
        head, _, rest = text.partition("\n")
        said += [f"Before the next step: {'; '.join(left)}."] if left else []
        said.append(f"{head}{': ' if rest else ''}{rest.replace(chr(10), ', ')}.")
    drawn = [
        (book.fill(text, "fig-flow"), [book.fill(line, "fig-flow") for line in left])
        for text, left in steps
    ]
    book.figure(
        figures_cohort.plot_flow(drawn),
        name="fig-flow",
        caption="Participant flow. At risk: still followed, alive and without transplant. "
        "Attended: any measurement at the visit. Beside an arrow: who left before the next step, "
        "and why.",
        alt=" ".join(said),
    )


def show_baseline(book: Chapter) -> pd.DataFrame:
    """Show baseline characteristics, of all and by source of the cells, and return the record."""
    scores = meld.derive_scores(book.trial.adlb, book.trial.adsl)
    record = book.record(baseline.summarise_baseline(book.trial, scores))
    display(
        book.table(
            tables.table_baseline(record, meld.NAMES),
            name="tab-baseline",
            caption="Baseline characteristics of all who were enrolled. SD, standard deviation.",
        )
    )
    groups = [g for g in baseline.derive_groups(book.trial) if g not in ("COMPLETED", "LEFT")]
    if len(groups) > 2:
        display(
            book.table(
                tables.table_groups(record, meld.NAMES, groups),
                name="tab-baseline-source",
                caption="Baseline by source of the cells: mean (SD) or n (%). Groups this small "
                "describe their members and cannot be compared; no test is made.",
            )
        )
    return record


def show_leavers(book: Chapter, record: pd.DataFrame) -> None:
    """Show how those who left differed at baseline from those who completed."""
    values = record.set_index("id")["value"]
    if not values["group.left.count"] or not values["group.completed.count"]:
        left = values["group.left.count"]
        who = "Everybody left" if left else "Nobody left"
        display(book.say(f"{who} before the last visit: there are no two groups to compare."))
        return
    display(book.say(say_leavers(record)))
    display(
        book.table(
            tables.table_groups(record, meld.NAMES, ["COMPLETED", "LEFT"], smd=True),
            name="tab-left",
            caption="Those still at risk at the last visit beside those who left before it: mean "
            "(SD) or n (%) at baseline. Standardised difference: left minus completed, in pooled "
            "standard deviations.",
        )
    )


def say_leavers(record: pd.DataFrame) -> str:
    """Return in which characteristics those who left differed most."""
    own = record[(record["analysis"] == "smd") & ~record["parameter"].str.contains("=")]
    own = own.assign(size=own["value"].abs()).sort_values("size", ascending=False)
    apart = own[own["size"] >= APART].head(3)
    head = (
        f"{ref('group', 'count', group='LEFT')} left before the last visit and "
        f"{ref('group', 'count', group='COMPLETED')} did not."
    )
    if apart.empty:
        return f"{head} At baseline no measured value differed by half a standard deviation."
    names = [
        "age" if c == "AGE" else name_parameter(c, "1", meld.NAMES) for c in apart["parameter"]
    ]
    parts = [
        f"{name.removesuffix(', points')} ({'higher' if v > 0 else 'lower'} in those who left, by "
        f"{ref('smd', 'smd', c, unsigned=True)} standard deviations)"
        for name, c, v in zip(names, apart["parameter"], apart["value"], strict=True)
    ]
    return (
        f"{head} Of age, laboratory values and scores they differed at baseline most in "
        f"{join_words(parts)}. Some differences arise by chance, and no test is made; but where "
        "the sicker leave, later means look better. Whoever only missed a visit is counted among "
        "those who did not leave."
    )


def show_attendance(book: Chapter) -> None:
    """Show attendance by visit and completeness by parameter."""
    display(
        book.table(
            tables.table_attendance(),
            name="tab-attendance",
            caption="Attendance. Attended: any measurement at the visit. Missed: at risk, but no "
            "measurement. Per cent of all enrolled.",
        )
    )
    record = book.record(population.summarise_completeness(book.trial))
    display(
        book.table(
            tables.table_completeness(record),
            name="tab-complete",
            caption="Data completeness: participants with a value, of those at risk at the visit.",
        )
    )


def show_swimmer(book: Chapter, record: pd.DataFrame) -> None:
    """Show every participant's time in study."""
    course = population.derive_follow_up(book.trial)
    visits = book.trial.adlb.groupby(["USUBJID", "AVISITN"])["ADY"].min().reset_index()
    counts = [
        f"{ref('status', 'count', group=g)} {name_reason(g)}"
        for g in record.loc[record["analysis"] == "status", "group"].unique()
    ]
    book.figure(
        figures_cohort.plot_swimmer(course, visits),
        name="fig-swimmer",
        caption="Time in study: a bar for each participant, longest first. Dots: visits attended. "
        "Marks: the event that ended follow-up.",
        alt=f"{ref('enrolled', 'count')} bars, longest first. {join_words(counts)}.",
    )


def show_survival(book: Chapter) -> None:
    """Show transplant-free survival and competing risks: sentences, figure and table."""
    trial = book.trial
    record = book.record(survival.summarise_survival(trial))
    sentence = say_competing(record)
    display(book.say(sentence))
    times = survival.derive_time_to_event(trial.adsl)
    free = survival.estimate_survival(times["DAYS"], times["EVENT"] > 0)
    incidence = survival.estimate_incidence(times["DAYS"], times["EVENT"])
    naive = survival.estimate_survival(times["DAYS"], times["EVENT"] == 1)
    book.figure(
        figures_cohort.plot_survival(free, incidence, naive, times, record),
        name="fig-survival",
        caption="Above: survival without transplant (Kaplan-Meier) with its log-log 95% interval; "
        "ticks are censored participants; below the axis, numbers at risk. Below: cumulative "
        "incidence of death and of transplant as competing risks. Dotted: death by one minus "
        "Kaplan-Meier.",
        alt=f"Two step curves over two years. {survival.say_survival(record)} {sentence}",
        rows=record,
    )
    display(
        book.table(
            tables.table_survival(record),
            name="tab-survival",
            caption="Transplant-free survival and cumulative incidences. At risk: followed to the "
            "day on which the visit is due, without an event. CI, confidence interval.",
        )
    )


def say_competing(record: pd.DataFrame) -> str:
    """Return the incidence of each event, and what one minus Kaplan-Meier would make of death."""
    values = record.set_index("id")["value"]
    died, moved = (values[f"cif.m{LAST}.{c}.percent"] for c in ("death", "liver-transplant"))
    if np.isnan(died):
        return f"Nobody was followed to {LAST} months, so no incidence is estimated there."
    if not died + moved:
        return "No death and no transplant was recorded, so there is no incidence to estimate."
    at: dict[str, Any] = {"visit": LAST}
    out = (
        f"At {LAST} months the cumulative incidence of death was "
        f"{ref('cif', 'percent', group='DEATH', **at)}% (standard error "
        f"{ref('cif', 'percent_se', group='DEATH', **at)}) and that of transplant "
        f"{ref('cif', 'percent', group='LIVER TRANSPLANT', **at)}%."
    )
    if values[f"naive.m{LAST}.death.excess_percent"] < 1e-9:
        return f"{out} No transplant competed with death, so one minus Kaplan-Meier agrees."
    return (
        f"{out} One minus Kaplan-Meier, which treats the transplanted as if they could still die "
        f"without a transplant, would give {ref('naive', 'percent', group='DEATH', **at)}% for "
        f"death, higher by {ref('naive', 'excess_percent', group='DEATH', **at)} percentage points."
    )


def show_bounds(book: Chapter) -> None:
    """Show what the lost could change."""
    record = book.record(survival.summarise_bounds(book.trial))
    values = record.set_index("id")["value"]
    if not values["bound.unknown.count"]:
        text = "Of every participant it is known whether they lived to two years without transplant"
        display(book.say(f"{text}: nobody was lost, so there is nothing to bound."))
        return
    display(
        book.say(
            f"Of {ref('bound', 'count', group='UNKNOWN')} participants nobody knows whether "
            "they lived to two years without transplant. If all of them did, "
            f"{ref('bound', 'percent', group='EVENT ALIVE')}% had died or been transplanted; "
            f"if all of them died, {ref('bound', 'percent', group='EVENT DEAD')}%."
        )
    )
    display(
        book.table(
            tables.table_bounds(),
            name="tab-bounds",
            caption="Two-year risks of all who were enrolled, if the lost all lived and if they "
            "all died. CI, confidence interval.",
        )
    )
