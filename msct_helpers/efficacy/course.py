"""The course of a measure over the visits, as chapters tell it: answer, figure and tables."""

import pandas as pd

from msct_helpers.ard.results import ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.document import Document, join
from msct_helpers.book.layout import Cell, lay_out, visit_rows
from msct_helpers.book.words import upper_first
from msct_helpers.efficacy.change import get_unit, say_change, say_disagreement, select
from msct_helpers.efficacy.composite import derive_outcomes
from msct_helpers.efficacy.figures import find_ends, plot_course
from msct_helpers.efficacy.inference import scale_values
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import MEASURES, Plan


def list_unrecorded(trial: Trial) -> dict[str, str]:
    """Return for each endpoint why it cannot be assessed; an empty text where it can."""
    return {c: "" if c in trial.parameters else "not recorded" for c in trial.plan.endpoints}


def value_columns(code: str) -> dict[str, Cell]:
    """Return location and spread by visit: all seen, and the pairs beside them."""
    geometric = {"Geometric mean": "{obs.geometric}"} if MEASURES[code].log_scale else {}
    return {
        "Seen, n": "{obs.n}",
        "Mean (SD)": "{obs.mean} ({obs.sd})",
        "Median (quartiles)": "{obs.median} ({obs.q1} to {obs.q3})",
        **geometric,
        "Pairs, n": "{chg.n}",
        "Pairs: mean at baseline": "{chg.base}",
        "Pairs: mean at visit": "{chg.end}",
    }


def change_columns(plan: Plan) -> dict[str, Cell]:
    """Return a measure's course: as observed, and its change among pairs."""
    return {
        "Mean (SD), all seen": "{obs.mean} ({obs.sd})",
        "Pairs, n": "{chg.n}",
        "Mean change, pairs": "{chg.mean}",
        f"{plan.level_words} CI": "{chg.ci_low} to {chg.ci_high}",
        "Hodges-Lehmann": "{chg.hl}",
        "p, paired t": "{chg.p_t}",
        "p, Wilcoxon": "{chg.p_wilcoxon}",
    }


def name_heading(code: str) -> str:
    """Return a measure as a heading, with its short name if it has one."""
    measure = MEASURES[code]
    short = f" ({measure.name})" if measure.name != measure.title else ""
    return upper_first(measure.title) + short


def tell_course(
    book: Chapter,
    labs: pd.DataFrame,
    status: pd.DataFrame,
    record: pd.DataFrame,
    code: str,
    why: str,
) -> Document:
    """Return the section on one measure: sentences, figure and tables, or why there are none.

    Parameters
    ----------
    book
        The chapter.
    labs, status
        Measurements, and how each participant's follow-up ended
        (`msct_helpers.cohort.population.derive_disposition`).
    record
        Record of the measurements (`msct_helpers.efficacy.change.summarise_change`).
    code, why
        PARAMCD, and why it cannot be assessed, in words.
    """
    heading, seen = f"### {name_heading(code)}", select(record, "obs", code)
    if seen.empty:
        return book.say(f"{heading}\n\n{upper_first(MEASURES[code].name)}: not assessable, {why}.")
    said = [say_change(record, book.plan, code)]
    said += [s for visit in book.plan.later if (s := say_disagreement(record, code, visit))]
    own = labs[labs["PARAMCD"] == code]
    return join(
        book.say(f"{heading}\n\n{' '.join(said)}"),
        show_figure(book, record, own, status),
        show_tables(book, record, code),
    )


def name_with_unit(record: pd.DataFrame, code: str) -> str:
    """Return a measure with its unit, as captions begin."""
    unit = get_unit(record, "obs", "mean", code)
    return f"{upper_first(MEASURES[code].name)}{',' if unit else ''}{unit}"


def show_figure(
    book: Chapter, record: pd.DataFrame, own: pd.DataFrame, status: pd.DataFrame
) -> Document:
    """Return the figure of a measure (`msct_helpers.efficacy.figures.plot_course`)."""
    plan, code = book.plan, str(own["PARAMCD"].iloc[0])
    outcomes = derive_outcomes(scale_values(own, code), status, code, plan.last)
    counted = [ref("composite", s, code, plan.last.number) for s in ("better_count", "denominator")]
    return book.figure(
        plot_course,
        outcomes,
        own,
        find_ends(own, status, plan),
        plan,
        name=f"fig-{code.lower()}",
        caption=f"{name_with_unit(record, code)}, by visit: one line a "
        f"participant, dark where better at {plan.last.words} than at baseline. Marks: last value "
        "of participants who died, were transplanted or were lost.",
        alt=f"Lines for {own['USUBJID'].nunique()} participants; better at {plan.last.words}: "
        f"{' of '.join(counted)} enrolled.",
    )


def show_tables(book: Chapter, record: pd.DataFrame, code: str) -> Document:
    """Return the tables of a measure: its values, and its change."""
    rows, about = visit_rows(book.plan, code), name_with_unit(record, code)
    return join(
        book.table(
            lay_out(record, rows, value_columns(code), heads=["Visit"]),
            name=f"tab-{code.lower()}-values",
            caption=f"{about}: values of all seen at each visit, and means of the pairs, who have "
            "a value at baseline and at the visit. SD, standard deviation.",
        ),
        book.table(
            lay_out(record, rows, change_columns(book.plan), heads=["Visit"]),
            name=f"tab-{code.lower()}",
            caption=f"{about}: all seen at each visit, and change from baseline among participants "
            "with both values. SD, standard deviation; CI, confidence interval.",
        ),
    )
