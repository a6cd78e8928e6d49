"""The course of a measure over the visits, as chapters tell it: answer, figure and tables."""

from collections.abc import Sequence

import pandas as pd

from msct_helpers.ard.results import ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.document import Document, fold, join
from msct_helpers.book.layout import Cell, Row, lay_out
from msct_helpers.book.words import join_words, name_people, upper_first
from msct_helpers.efficacy.change import get_unit, say_change, say_disagreement, select
from msct_helpers.efficacy.figures import plot_courses
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import MEASURES, Plan, Visit


def list_unrecorded(trial: Trial) -> dict[str, str]:
    """Return for each endpoint why it cannot be assessed; an empty text where it can."""
    return {c: "" if c in trial.parameters else "not recorded" for c in trial.plan.endpoints}


def value_columns(codes: Sequence[str]) -> dict[str, Cell]:
    """Return location and spread of all seen, and the means of the pairs, of some measures."""
    ratios = any(MEASURES[code].log_scale for code in codes)
    return {
        "Seen, n": "{obs.n}",
        "Mean (SD)": "{obs.mean} ({obs.sd})",
        "Median (quartiles)": "{obs.median} ({obs.q1} to {obs.q3})",
        **({"Geometric mean": "{obs.geometric}"} if ratios else {}),
        "Pairs: at baseline": "{chg.base}",
        "Pairs: at visit": "{chg.end}",
    }


def change_columns(plan: Plan) -> dict[str, Cell]:
    """Return the change of a measure between all seen, and among pairs."""
    return {
        "All seen minus all at baseline": "{obs.diff}",
        "Pairs, n": "{chg.n}",
        f"Mean change, pairs ({plan.level_words} CI)": "{chg.mean} ({chg.ci_low} to {chg.ci_high})",
        "Hodges-Lehmann": "{chg.hl}",
        "p, paired t": "{chg.p_t}",
        "p, Wilcoxon": "{chg.p_wilcoxon}",
    }


def measure_rows(record: pd.DataFrame, visits: tuple[Visit, ...]) -> list[Row]:
    """Return a row for each measure with its unit, and visit."""
    codes = list(dict.fromkeys(record.loc[record["analysis"] == "obs", "parameter"]))
    return [
        Row((name_with_unit(record, code), str(visit.number)), "", code, visit.number)
        for code in codes
        for visit in visits
    ]


def name_with_unit(record: pd.DataFrame, code: str) -> str:
    """Return a measure with its unit, as tables name it."""
    unit = get_unit(record, "obs", "mean", code)
    return f"{upper_first(MEASURES[code].name)}{',' if unit else ''}{unit}"


def say_courses(
    record: pd.DataFrame, plan: Plan, absent: dict[str, str], who: str = "participants"
) -> str:
    """Return as a list how each measure changed, or why it cannot be assessed.

    Parameters
    ----------
    record
        Record of the measurements (`msct_helpers.efficacy.change.summarise_change`).
    plan
        The analysis plan.
    absent
        By PARAMCD why a measure cannot be assessed, in words; an empty text where it can.
    who
        What the participants are called (`msct_helpers.book.words.name_people`).
    """
    out = []
    for code, why in absent.items():
        if select(record, "obs", code).empty:
            out.append(f"{upper_first(MEASURES[code].name)}: not assessable, {why}.")
            continue
        said = [say_change(record, plan, code, who)]
        said += [s for visit in plan.later if (s := say_disagreement(record, code, visit))]
        out.append(" ".join(said))
    return "\n".join(f"- {text}" for text in out)


def tell_courses(
    book: Chapter,
    labs: pd.DataFrame,
    status: pd.DataFrame,
    record: pd.DataFrame,
    absent: dict[str, str],
    name: str,
) -> Document:
    """Return the courses of several measures: sentences, one figure, and two tables.

    Parameters
    ----------
    book
        The chapter.
    labs, status
        Measurements, and how each participant's follow-up ended
        (`msct_helpers.cohort.population.derive_disposition`).
    record
        Record of the measurements (`msct_helpers.efficacy.change.summarise_change`).
    absent
        By PARAMCD why a measure cannot be assessed, in words; an empty text where it can.
    name
        What the figure and the tables are called.
    """
    plan, last = book.plan, book.plan.last
    known = [code for code in absent if (labs["PARAMCD"] == code).any()]
    own, told = (t[t[c].isin(known)] for t, c in ((labs, "PARAMCD"), (record, "parameter")))
    counted = [
        f"{MEASURES[code].name} {ref('composite', 'better_count', code, last.number)} of "
        f"{ref('composite', 'denominator', code, last.number)}"
        for code in known
    ]
    heads = ["Measure", plan.unit.capitalize()]
    changes = book.table(
        lay_out(told, measure_rows(told, plan.later), change_columns(plan), heads),
        name=f"tab-{name}",
        caption="Change from baseline: the difference of the means of all seen, and the change "
        "among participants with both values. CI, confidence interval.",
    )
    values = book.table(
        lay_out(told, measure_rows(told, plan.visits), value_columns(known), heads),
        name=f"tab-{name}-values",
        caption="Values of all seen at each visit, and means of the pairs, who have a value at "
        "baseline and at the visit. SD, standard deviation.",
    )
    return join(
        book.say(say_courses(record, plan, absent, name_people(book.trial))),
        book.figure(
            plot_courses,
            own,
            status,
            plan,
            name=f"fig-{name}",
            caption=f"One line a participant, dark where better at {last.words} than at baseline, "
            "dotted where not measured then. "
            "Marks: last value of participants who died, were transplanted or were lost.",
            alt=f"One panel a measure, one line a participant. Better at {last.words} of all "
            f"enrolled: {join_words(counted)}.",
        ),
        *([fold("The same in numbers", changes, values)] if known else []),
    )
