"""Passages of the safety chapter: exposure, 24-hour window, adverse events, shifts."""

import pandas as pd
from IPython.display import display

from msct_helpers.abstract import published
from msct_helpers.ard.results import ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.document import quote
from msct_helpers.book.words import LABELS, join_words, upper_first
from msct_helpers.safety import adverse_events, safety, shifts, tables
from msct_helpers.safety import figures as figures_safety
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import PARAMETERS

ASSUMED = (
    " Every event other than the published counts of deaths and of serious events within 24 hours "
    "is assumed."
)


def say_no_events(trial: Trial) -> str:
    """Return why there is no table of adverse events, or an empty text where there is one."""
    if trial.adae is None:
        return "Adverse events: not assessable, not recorded in this data set."
    if safety.select_safety_set(trial).empty:
        return "Adverse events: not assessable, no participant is in the safety analysis set."
    if adverse_events.derive_emergent(trial).empty:
        return "Adverse events were recorded, and none occurred."
    return ""


def name_severe(trial: Trial) -> str:
    """Return the words for severe events: by grade, or by severity where there are no grades."""
    by_severity = trial.adae is not None and adverse_events.is_by_severity(trial.adae)
    return tables.SEVERE if by_severity else adverse_events.OVERVIEW["SEVERE"]


def say_grades(trial: Trial) -> str:
    """Return the CTCAE version of the grades, and that synthetic events are assumed."""
    if trial.adae is None:
        return ""
    if name_severe(trial) == tables.SEVERE:
        return "Severity as recorded; no grades are." + (ASSUMED if trial.synthetic else "")
    version = trial.study.ctcae_version
    grades = (
        f"Grades by CTCAE {quote(version)}."
        if version
        else "CTCAE version of the grades: not stated."
    )
    return grades + (ASSUMED if trial.synthetic else "")


def show_exposure(book: Chapter) -> None:
    """Show infusions, doses and person-time."""
    record = book.record(safety.summarise_exposure(book.trial))
    display(book.say(safety.say_exposure(record)))


def name_risks(record: pd.DataFrame) -> str:
    """Return the events of a record of risks in words."""
    own = record.loc[record["analysis"] == "risk", "group"]
    return join_words([LABELS[group] for group in own.unique()])


def show_risks(book: Chapter) -> None:
    """Show the risks of death, transplant, loss and serious infusion events."""
    record = book.record(safety.summarise_safety(book.trial))
    book.figure(
        figures_safety.plot_risks(record, LABELS),
        name="fig-risks",
        caption=f"Risks with exact 95% intervals: {name_risks(record)}. Of death, transplant and "
        "loss the first within two years counts.",
        alt=f"Dots with intervals. {safety.say_outcomes()}",
        rows=record,
    )
    display(
        book.table(
            tables.table_risks(record),
            name="tab-risks",
            caption=f"Risks with exact intervals: {name_risks(record)}. CI, confidence interval.",
        )
    )


def show_window(book: Chapter) -> None:
    """Show what none of a few patients means: these data, and the published count."""
    record = book.record(safety.summarise_safety(book.trial))
    limits = safety.say_limits(record)
    display(book.say(f"{safety.say_window(book.trial, record)} {limits}".strip()))
    counted = book.take("cohort-flow")
    values = counted.set_index("id")
    total = int(values.loc["published.s1.denominator", "value"])
    treated = len(safety.select_safety_set(book.trial))
    sizes = {f"{total} patients, as published": total}
    if treated and treated != total:
        sizes[f"{treated} participants of this data set"] = treated
    upper = values.loc["published.s1.percent_upper"]
    sentence = (
        f"Seeing none in {ref('published', 'denominator', group='S1')} leaves room for a risk of "
        f"up to {ref('published', 'percent_upper', group='S1')}% (exact one-sided 95% limit; rule "
        f"of three {ref('published', 'percent_three', group='S1')}%). A true risk of "
        f"{ref('exclude', 'risk_percent', group='10')}% would still show no event in "
        f"{ref('unseen', 'percent', group='10')}% of such trials, one of "
        f"{ref('exclude', 'risk_percent', group='5')}% in {ref('unseen', 'percent', group='5')}%."
    )
    display(book.say(f"The abstract reports no serious event in this window. {sentence}"))
    book.figure(
        figures_safety.plot_none_seen(sizes, float(upper["value"]), str(upper["text"])),
        name="fig-none-seen",
        caption="True risk of an event against the chance of seeing none. Where the curve is above "
        f"5%, seeing none does not rule the risk out. {published.LABEL}",
        alt=f"A falling curve. {sentence}",
        rows=counted[counted["analysis"].isin(["unseen", "exclude"])],
        label=False,
    )
    display(
        book.table(
            tables.table_exclude(),
            name="tab-exclude",
            caption=f"Chance of seeing no event in {ref('published', 'denominator', group='S1')} "
            "patients, and how many patients without an event would bring the exact one-sided 95% "
            f"limit below the risk. {published.LABEL}",
            label=False,
        )
    )


def show_events(book: Chapter) -> None:
    """Show adverse events: overview, by class and term, by worst grade; or why there are none."""
    trial = book.trial
    if trial.adae is None or safety.select_safety_set(trial).empty:
        display(book.say(say_no_events(trial)))
        return
    book.record(adverse_events.summarise_overview(trial))
    grades, severe = say_grades(trial), name_severe(trial)
    kind = "severity" if severe == tables.SEVERE else "grade"
    severe_one = "a severe one" if severe == tables.SEVERE else "one of grade 3 or more"
    display(
        book.say(
            f"{ref('overview', 'count', group='ANY')} of "
            f"{ref('overview', 'denominator', group='ANY')} participants had an adverse event, "
            f"{ref('overview', 'count', group='SEVERE')} {severe_one} and "
            f"{ref('overview', 'count', group='SERIOUS')} a serious one. "
            f"{ref('overview', 'count', group='RELATED')} had one that was called related to the "
            "infusion."
        )
    )
    display(
        book.table(
            tables.table_overview(trial.synthetic, severe),
            name="tab-overview",
            caption="Adverse events after the first infusion, safety analysis set. A participant "
            "counts once in a row; rates count every event, per 100 person-years, and are left out "
            "where the window is a day. "
            f"CI, confidence interval. {grades}",
        )
    )
    record = book.record(adverse_events.summarise_events(trial))
    if record.empty:
        display(book.say(say_no_events(trial)))
        return
    display(
        book.table(
            tables.table_events(record, trial.synthetic, severe),
            name="tab-events",
            caption="Adverse events by system organ class and preferred term: participants, with "
            f"the worst {kind} each, and events. CI, confidence interval. {grades}",
        )
    )
    display(
        book.table(
            tables.table_grades(record, trial.synthetic, severe),
            name="tab-grades",
            caption=f"Participants by worst {kind} of each preferred term. {grades}",
        )
    )


def show_serious(book: Chapter) -> None:
    """List deaths and serious events."""
    listing = adverse_events.derive_serious(book.trial)
    book.record(adverse_events.summarise_serious(listing))
    if listing.empty:
        display(book.say("No death and no serious adverse event was recorded."))
        return
    what = "Deaths within two years and serious adverse events"
    if book.trial.adae is None:
        what = "Deaths within two years (adverse events were not recorded)"
    display(
        book.table(
            tables.table_serious(listing, book.trial.synthetic),
            name="tab-serious",
            caption=f"{what}, in order of the study day. Participants are numbered within this "
            f"table. {say_grades(book.trial)}".strip(),
        )
    )


def name_shifted(record: pd.DataFrame, classes: tuple[str, ...]) -> str:
    """Return the parameters that are classed in one way, in words."""
    own = record[record["group"].str.startswith(f"{classes[0]} to")]
    names = [PARAMETERS[code].title for code in own["parameter"].unique()]
    return upper_first(join_words(names))


def show_shifts(book: Chapter) -> None:
    """Show laboratory shifts from baseline to the worst later value."""
    record = book.record(shifts.summarise_shifts(book.trial))
    if record.empty:
        display(book.say("Laboratory shifts: not assessable, no parameter can be classed."))
        return
    has_points = record["group"].str.startswith(shifts.POINTS[0]).any()
    has_ranges = record["group"].str.startswith(shifts.RANGES[0]).any()
    if has_points:
        display(
            book.table(
                tables.table_shifts(record, shifts.POINTS),
                name="tab-shift-points",
                caption=f"{name_shifted(record, shifts.POINTS)} by Child-Pugh points (three is "
                "worst), from baseline to the worst value at a later visit: participants.",
            )
        )
    if has_ranges:
        display(
            book.table(
                tables.table_shifts(record, shifts.RANGES),
                name="tab-shift-ranges",
                caption=f"{name_shifted(record, shifts.RANGES)} below, within and above the limits "
                "of normal, from baseline to the worst value at a later visit: participants. Worst "
                "is the lowest sodium, and the highest of all others.",
            )
        )
    else:
        display(
            book.say(
                "Shifts by limits of normal: not assessable, the data set gives no limits of its "
                "laboratory."
            )
        )
