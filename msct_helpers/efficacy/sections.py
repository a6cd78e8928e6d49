"""Passages of the efficacy chapter: answer, forest, family of comparisons, missing patients."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import display

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.words import join_words, name_unit, upper_first
from msct_helpers.efficacy import figures as figures_efficacy
from msct_helpers.efficacy import missing
from msct_helpers.efficacy import tables as tables_efficacy
from msct_helpers.efficacy.change import get_value
from msct_helpers.efficacy.course import ENDPOINTS
from msct_helpers.trial.schema import VISITS

FAMILY = {**ENDPOINTS, "MELD": "MELD(i)"}
"""Endpoints of the family over which p-values are adjusted."""

LAST = max(VISITS)


def say_primary(record: pd.DataFrame, absent: dict[str, str]) -> str:
    """Return the answer of the chapter: each endpoint by the mixed model at the last visit.

    Parameters
    ----------
    record
        Record of `msct_helpers.efficacy.inference.summarise_family`.
    absent
        Why an endpoint cannot be assessed, by PARAMCD; an empty text where it can.
    """
    own = record[(record["visit"] == LAST) & (record["statistic"] == "change")]
    parts = []
    for code, unit, value in zip(own["parameter"], own["unit"], own["value"], strict=True):
        word = name_unit(unit)
        side = "lower" if value < 0 else "higher"
        at: dict[str, Any] = {"parameter": code, "visit": LAST}
        parts.append(
            f"{FAMILY[code]} was {side} by {ref('mmrm', 'change', unsigned=True, **at)}{word} "
            f"(95% confidence interval of the change {ref('mmrm', 'ci_low', **at)} to "
            f"{ref('mmrm', 'ci_high', **at)})"
        )
    out = (
        f"At {LAST} months, estimated for all who were enrolled as if nobody had died, been "
        f"transplanted or missed a visit, {'; '.join(parts)}."
    )
    if not parts:
        out = "No change from baseline can be estimated by the mixed model."
    fitted = set(own["parameter"])
    gone = [
        f"{name} ({absent.get(code) or 'the mixed model cannot be fitted'})"
        for code, name in FAMILY.items()
        if code not in fitted
    ]
    if gone:
        out += f" Not assessable: {join_words(gone)}."
    return f"{out} {say_family(record)} These are changes from baseline without a control arm."


def say_family(record: pd.DataFrame) -> str:
    """Return which comparisons stay significant when the whole family is adjusted for."""
    tests = record[record["statistic"] == "p_holm"]
    if tests.empty:
        return "No comparison can be tested."
    clear = tests[tests["value"] < 0.05]
    if clear.empty:
        return "Of {family.count} comparisons, none is below 5% after Holm's adjustment."
    kept = [
        f"{FAMILY[c]} at month {m}" for c, m in zip(clear["parameter"], clear["visit"], strict=True)
    ]
    return (
        "Of {family.count} comparisons, {family.clear_count} stay below 5% after Holm's "
        f"adjustment: {join_words(kept)}."
    )


def count_family(record: pd.DataFrame) -> pd.DataFrame:
    """Return how many comparisons the family has and how many stay below 5%."""
    tests = record[record["statistic"] == "p_holm"]
    counts: dict[str, float] = {
        "count": len(tests),
        "clear_count": int((tests["value"] < 0.05).sum()),
    }
    return make_record(make_rows("family", counts, method="Holm", function="count_family"))


def show_forest(book: Chapter, record: pd.DataFrame) -> None:
    """Show all changes of the family in one figure."""
    if record.empty:
        return
    book.figure(
        figures_efficacy.plot_forest(record, FAMILY),
        name="fig-forest",
        caption="Change from baseline of every endpoint at every visit (months), by the mixed "
        "model, in baseline standard deviations, with 95% intervals. Filled: below 5% after "
        "Holm's adjustment.",
        alt=f"Dots with intervals. {say_family(record)}",
        rows=record[record["statistic"].str.startswith(("standard", "p_holm"))],
    )


def show_family(book: Chapter, record: pd.DataFrame) -> None:
    """Show the table of the family, with raw and adjusted p-values."""
    if record.empty:
        display(book.say("Not assessable: no endpoint can be fitted by the mixed model."))
        return
    display(
        book.table(
            tables_efficacy.table_family(record, FAMILY),
            name="tab-family",
            caption="Change from baseline by the mixed model (per cent for ALT and bilirubin), "
            "its p-value raw and after Holm's adjustment over the whole table, and paired tests. "
            "CI, confidence interval.",
        )
    )


def show_missing(book: Chapter, labs: pd.DataFrame, family: pd.DataFrame) -> None:
    """Show what the assumptions about the missing do: sentences, table and tipping figure."""
    imputed = {c: missing.simulate_imputations(labs, c) for c in FAMILY}
    record = book.record(missing.summarise_missing(labs, book.trial.adsl, family, imputed))
    display(book.say(say_missing(record)))
    if record.empty:
        return
    display(
        book.table(
            tables_efficacy.table_missing(record, family, FAMILY),
            name="tab-missing",
            caption="Two-year change under each assumption about the missing (per cent for ALT "
            "and bilirubin). Worst rank: participants better than at baseline among those "
            "analysed, exact signed-rank test; whoever has no value and no event is left out.",
        )
    )
    traces = {
        c: missing.trace_tipping(imputed[c][LAST], missing.BETTER[c])
        for c in record["parameter"].unique()
    }
    book.figure(
        figures_efficacy.plot_tipping(traces, FAMILY),
        name="fig-tipping",
        caption="Tipping points at two years: the pooled change with its 95% interval as every "
        "imputed value is made worse. Where the band first touches zero the interval no longer "
        "excludes it; where it does so from the start there is no tipping point.",
        alt=f"One panel an endpoint. {say_missing(record)}",
        rows=record[record["analysis"].isin(["mi", "tip"])],
    )


def say_missing(record: pd.DataFrame) -> str:
    """Return what the assumptions about the missing do to each endpoint's two-year result."""
    out = []
    for code in record["parameter"].unique():
        low = get_value(record, "mi", "ci_low", code, LAST)
        high = get_value(record, "mi", "ci_high", code, LAST)
        delta = get_value(record, "tip", "delta", code, LAST)
        ranked = get_value(record, "composite", "p_value", code, LAST)
        better = get_value(record, "composite", "better_count", code, LAST)
        side = "better" if 2 * better > get_value(record, "composite", "n", code, LAST) else "worse"
        verdict = f"is significant, towards {side}" if ranked < 0.05 else "is not significant"
        composite = (
            f"with death and transplant ranked worst the change {verdict} "
            f"(p = {ref('composite', 'p_value', code, LAST)})"
        )
        if low <= 0 <= high:
            first = "with imputed values the interval includes zero"
        elif delta == 0:
            first = "with imputed values the interval lies on the unfavourable side of zero"
        elif np.isnan(delta):
            first = "the interval excludes zero at every shift that was tried"
        else:
            first = (
                "the interval excludes zero until the missing are "
                f"{ref('tip', 'delta', code, LAST)} baseline SD worse than imputed"
            )
        out.append(f"{upper_first(FAMILY[code])}: {first}; {composite}.")
    return " ".join(out) or "No endpoint has enough values at both ends for these analyses."
