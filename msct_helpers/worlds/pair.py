"""Two data sets that satisfy every statement, side by side: one improved, the other did not."""

import pandas as pd
from matplotlib.figure import Figure

from msct_helpers.abstract.statements import CHANGES
from msct_helpers.ard.results import make_id, make_record, make_rows, ref
from msct_helpers.book.figures import BLUE, GREY, new_figure, point_better
from msct_helpers.book.words import join_words, name_unit, upper_first
from msct_helpers.context.mayo import rename
from msct_helpers.efficacy.change import summarise_change
from msct_helpers.trial.load import load_pair
from msct_helpers.trial.plan import MEASURES, Plan
from msct_helpers.worlds.assume import IMPROVEMENT, LOW_ALBUMIN, SELECTED

SHOWN = ("ALB", "BILI")
"""Parameters of the figure, one that the statements call higher, one that they call lower."""

SETS = {"A": SELECTED, "B": IMPROVEMENT}
"""World of each data set, under the name by which the reader is asked."""

MARK = "Synthetic data: two sets that satisfy the same statements"


def load_values() -> pd.DataFrame:
    """Return the measurements of both data sets.

    Returns
    -------
    DataFrame
        SET (`SETS`), USUBJID, PARAMCD (`SHOWN`), AVISITN, AVAL, AVALU.
    """
    trials = dict(zip((IMPROVEMENT.name, SELECTED.name), load_pair(), strict=True))
    labs = pd.concat([trials[world.name].efficacy_labs.assign(SET=s) for s, world in SETS.items()])
    return labs[labs["PARAMCD"].isin(SHOWN)]


def summarise_pair(values: pd.DataFrame, claims: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the change from baseline in each set, as all seen and among pairs.

    Parameters
    ----------
    values
        `load_values`.
    claims
        Published statements.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record of `msct_helpers.efficacy.change.summarise_change`; analyses begin with ``a-`` and
        ``b-``; and ``pair`` with the statements on counts and changes, which both sets satisfy.
    """
    met = sum(claims["kind"].isin(["count", *CHANGES]))
    size = values.loc[values["SET"] == "A", "USUBJID"].nunique()
    rows = make_rows("pair", {"statements_count": met, "patients_count": size})
    rows += make_rows("pair", {"threshold": LOW_ALBUMIN.limit}, unit="g/L", decimals=0)
    changes = [
        rename(summarise_change(values[values["SET"] == name], plan), name.lower()) for name in SETS
    ]
    return pd.concat([*changes, make_record(rows)])


def say_question() -> str:
    """Return what the reader is asked before being told."""
    return (
        f"Each of these two sets of {ref('pair', 'patients_count')} invented patients satisfies "
        f"every one of the {ref('pair', 'statements_count')} statements of the abstract on counts "
        "and changes. In one, patients improved after infusion. In the other nobody's disease "
        "changed: patients with a low albumin were enrolled, some left, and measurements vary. "
        "Which is which?"
    )


def say_alike(record: pd.DataFrame, plan: Plan) -> str:
    """Return how albumin moved in each set.

    Parameters
    ----------
    record
        `summarise_pair`.
    plan
        The analysis plan.
    """
    values, last = record.set_index("id")["value"], plan.last.number
    told = []
    for name in SETS:
        change = f"{name.lower()}-chg"
        verb = "rose" if values[make_id(change, "mean", "ALB", last)] > 0 else "fell"
        mean = ref(change, "mean", "ALB", last, unsigned=True)
        pairs = ref(change, "n", "ALB", last)
        told.append(f"in set {name} {verb} by {mean} g/L ({pairs} pairs)")
    return f"At {plan.last.words} albumin {join_words(told)}."


def say_solution(record: pd.DataFrame, plan: Plan) -> str:
    """Return which set was drawn in which world, and how little their numbers differ."""
    told = {world.name: name for name, world in SETS.items()}
    return (
        f"Patients improved in set {told[IMPROVEMENT.name]}; in set {told[SELECTED.name]} nothing "
        f"changed but who was left and what chance measured. {say_alike(record, plan)} A low "
        f"albumin at entry, of {ref('pair', 'threshold')} g/L or less in everybody, gives set "
        f"{told[SELECTED.name]} away, and the abstract gives no albumin at entry."
    )


def plot_pair(record: pd.DataFrame, values: pd.DataFrame, plan: Plan) -> Figure:
    """Return every patient's course and the mean of those seen, both sets on the same scales.

    Parameters
    ----------
    record
        `summarise_pair`; its means are drawn.
    values
        `load_values`.
    plan
        The analysis plan.
    """
    fig = new_figure(4.6)
    axes = fig.subplots(len(SHOWN), len(SETS), sharex=True, sharey="row")
    means = record.set_index("id")["value"]
    for row, code in zip(axes, SHOWN, strict=True):
        for ax, name in zip(row, SETS, strict=True):
            own = values[(values["PARAMCD"] == code) & (values["SET"] == name)]
            for _, course in own.groupby("USUBJID"):
                ax.plot(course["AVISITN"], course["AVAL"], color=GREY, lw=0.6, alpha=0.6)
            seen = [means[make_id(f"{name.lower()}-obs", "mean", code, n)] for n in plan.numbers]
            ax.plot(plan.numbers, seen, "o-", color=BLUE, lw=2.2, ms=4)
            ax.set_xticks(plan.numbers)
        unit = name_unit(values.loc[values["PARAMCD"] == code, "AVALU"].iloc[0])
        point_better(row[1], MEASURES[code].better)
        row[0].set_ylabel(f"{upper_first(MEASURES[code].name)},{unit}")
    for ax, name in zip(axes[0], SETS, strict=True):
        ax.set_title(f"Set {name}", loc="left")
    for ax in axes[-1]:
        ax.set_xlabel(plan.unit.capitalize())
    return fig
