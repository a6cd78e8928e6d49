"""Passages that chapters repeat for each parameter: answer, figure and table, or why not."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import display

from msct_helpers.ard.results import ref
from msct_helpers.book import figures, tables
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.words import join_words, name_unit, upper_first
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy.change import get_value, say_change
from msct_helpers.efficacy.figures import find_ends
from msct_helpers.efficacy.tables import table_values
from msct_helpers.trial.load import Trial
from msct_helpers.trial.schema import VISITS

ENDPOINTS = {
    "ALT": "ALT",
    "BILI": "total bilirubin",
    "ALB": "serum albumin",
    "PT": "prothrombin time",
}
"""Laboratory endpoints of the report by PARAMCD, as named in sentences."""


def list_unrecorded(trial: Trial) -> dict[str, str]:
    """Return for each endpoint why it cannot be assessed; an empty text where it can."""
    return {c: "" if c in trial.parameters else "not recorded" for c in ENDPOINTS}


def show_course(
    book: Chapter, labs: pd.DataFrame, record: pd.DataFrame, code: str, name: str, why: str = ""
) -> None:
    """Show the course of one parameter: sentences, figure, table; or say why it is missing.

    Parameters
    ----------
    book
        The chapter.
    labs, record
        Measurements (adlb) and their record (`msct_helpers.efficacy.change.summarise_change`).
    code, name
        PARAMCD and its name in a sentence.
    why
        Why it cannot be assessed, in words; default: not recorded.
    """
    own = labs[labs["PARAMCD"] == code]
    if own.empty:
        display(book.say(f"{upper_first(name)}: not assessable, {why or 'not recorded'}."))
        return
    unit = str(own["AVALU"].iloc[0])
    unit_word = {"score": "points", "1": ""}.get(unit, unit)
    first, last = min(VISITS), max(VISITS)
    sentences = [say_change(record, code, name, unit_word, last)]
    sentences += [s for month in VISITS if month and (s := say_disagreement(record, code, month))]
    display(book.say(" ".join(sentences)))
    ends = find_ends(labs, derive_disposition(book.trial.adsl, book.plan), code)
    in_unit = f", {unit_word}" if unit_word else ""
    alt = (
        f"Lines for {own['USUBJID'].nunique()} participants. Mean {name} of all seen "
        f"{ref('obs', 'mean', code, first)} {unit_word} at baseline and "
        f"{ref('obs', 'mean', code, last)} {unit_word} at month {last}."
    )
    book.figure(
        figures.plot_course(labs, record, code, name, ends),
        name=f"fig-{code.lower()}",
        caption=f"{upper_first(name)}{in_unit}, by visit. Thin lines: participants. "
        "Black: mean of all seen at the visit with its 95% interval. Marks: last value of "
        "participants who died, were transplanted or were lost.",
        alt=alt,
        rows=record[(record["analysis"] == "obs") & (record["parameter"] == code)],
    )
    display(
        book.table(
            table_values(record, code),
            name=f"tab-{code.lower()}-values",
            caption=f"{upper_first(name)}{in_unit}: values of all seen at each visit, and means of "
            "the pairs, who have a value at baseline and at the visit. SD, standard deviation.",
        )
    )
    display(
        book.table(
            tables.table_change(record, code),
            name=f"tab-{code.lower()}",
            caption=f"{upper_first(name)}{in_unit}: all seen at each visit, and change from "
            "baseline among participants with both values. "
            "SD, standard deviation; CI, confidence interval.",
        )
    )


def say_disagreement(record: pd.DataFrame, code: str, month: int) -> str:
    """Return a sentence where all seen and the pairs moved in opposite directions, else nothing."""
    observed = get_value(record, "obs", "diff", code, month)
    paired = get_value(record, "chg", "mean", code, month)
    if not observed * paired < 0:
        return ""
    above = "above" if observed > 0 else "below"
    rose = "rose" if paired > 0 else "fell"
    return (
        f"At month {month} the two readings disagree: the mean of all seen was {above} the mean of "
        f"all at baseline ({ref('obs', 'diff', code, month)}), while the same participants "
        f"{rose} ({ref('chg', 'mean', code, month)}): those seen later are not all who began."
    )


def say_headline(record: pd.DataFrame, names: dict[str, str], absent: dict[str, str]) -> str:
    """Return the answer of a chapter on changes: the paired change of each parameter at the end.

    Parameters
    ----------
    record
        Record of `msct_helpers.efficacy.change.summarise_change`.
    names
        Name by PARAMCD of the parameters to speak of.
    absent
        Why a parameter cannot be assessed, by PARAMCD; an empty text where it can.
    """
    last = max(VISITS)
    parts, gone = [], [f"{n} ({absent[c]})" for c, n in names.items() if absent.get(c)]
    for code, name in names.items():
        mean = get_value(record, "chg", "mean", code, last)
        low = get_value(record, "chg", "ci_low", code, last)
        if np.isnan(low):
            continue
        high = get_value(record, "chg", "ci_high", code, last)
        means = record[(record["parameter"] == code) & (record["statistic"] == "mean")]
        unit = means["unit"].iloc[0]
        word = name_unit(unit)
        clear = "" if low <= 0 <= high else ", excluding zero"
        sign = "lower" if mean < 0 else "higher"
        at: dict[str, Any] = {"parameter": code, "visit": last}
        parts.append(
            f"{name} was {sign} by {ref('chg', 'mean', unsigned=True, **at)}{word} (95% confidence "
            f"interval of the change {ref('chg', 'ci_low', **at)} to "
            f"{ref('chg', 'ci_high', **at)}{clear}; n = {ref('chg', 'n', **at)})"
        )
    out = f"At {last} months, among participants measured at both visits, " + "; ".join(parts) + "."
    if not parts:
        out = f"No change from baseline to {last} months can be estimated."
    if gone:
        out += f" Not assessable: {join_words(gone)}."
    return out + " These are changes from baseline without a control arm."
