"""Sentences, tables and figures of the chapter on the worlds."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from msct_helpers.ard.results import make_id, ref
from msct_helpers.book.figures import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    ZERO,
    make_figure,
    make_rows,
    write_key_of,
)
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, upper_first
from msct_helpers.trial.plan import MEASURES, Plan
from msct_helpers.worlds.assume import (
    CONCOMITANT,
    IMPROVEMENT,
    NULLS,
    PROGRESSING,
    SELECTED,
    WORLDS,
    list_assumptions,
)
from msct_helpers.worlds.calibrate import COHORTS, STRONG
from msct_helpers.worlds.grid import GRID
from msct_helpers.worlds.report import ASKED, READ
from msct_helpers.worlds.tally import ALL

LABEL = "Simulated trials under the assumptions listed; no patient is represented."
MARK = "Simulated trials; no patient is represented"
SHAPES = ((INK, "o"), (BLUE, "s"), (GREEN, "^"), (ORANGE, "D"))
"""Colours and markers of the worlds with which improvement is compared."""

OFTEN = 0.05
"""Share of draws of untreated patients above which a strong ratio for improvement misleads."""

NAMES = {
    "improvement": "improvement",
    "stable": "no change",
    "selected": "the sick at entry",
    "progressing": "worsening alone",
    "concomitant": "other treatment begun at entry",
}
"""Names of the worlds inside a sentence."""

FACTORS = ("factor", "factor_limit")

MARKS = {"o": "ratio", ">": "ratio_low"}
"""Mark of a ratio, and of its lower limit where it is infinite: that has an arrow besides."""

STATISTICS = {"mean": "mean change of the pairs", "sd": "SD of the change of the pairs"}


def get_value(record: pd.DataFrame, analysis: str, statistic: str, group: str) -> float:
    """Return one unrounded value of a record."""
    key = make_id(analysis, statistic, group=group)
    return float(record.loc[record["id"] == key, "value"].iloc[0])


def describe_ratio(record: pd.DataFrame, null: str) -> str:
    """Return the ratio of improvement and another world, with its interval or what is known."""
    low = ref("ratio", "ratio_low", group=null)
    if make_id("ratio", "ratio", group=null) not in set(record["id"]):
        return f"at least {low}, since that world never satisfied them"
    return (
        f"{ref('ratio', 'ratio', group=null)} ({low} to {ref('ratio', 'ratio_high', group=null)})"
    )


def find_lean(record: pd.DataFrame, null: str) -> str:
    """Return which way the statements lean between improvement and another world."""
    if get_value(record, "ratio", "ratio_low", null) > 1:
        return "lean to improvement"
    high = get_value(record, "ratio", "ratio_high", null)
    return "lean to the other world" if high < 1 else "do not tell the two apart"


def say_answer(record: pd.DataFrame, plan: Plan) -> str:
    """Return how far the abstract leans, against what, and what that is not.

    Parameters
    ----------
    record
        Acceptance and ratios.
    plan
        The analysis plan; gives the level.
    """

    def share(world: str) -> str:
        return f"{ref(f'accept-{world}', 'percent', group=ALL)}%"

    other = NULLS[-1]
    return (
        f"Under the assumptions of this chapter {share(IMPROVEMENT.name)} of simulated trials in "
        "which patients improved satisfy every statement of the abstract, and "
        f"{share(SELECTED.name)} of those in which nothing changed but sick patients were "
        f"enrolled: a likelihood ratio of {describe_ratio(record, SELECTED.name)}, with its Monte "
        f"Carlo {plan.level_words} interval. The statements {find_lean(record, SELECTED.name)}. "
        "Improvement is not an effect of the cells: against a worsening disease with other "
        f"treatment begun at entry the ratio is {describe_ratio(record, other)}."
    )


def say_lead() -> str:
    """Return in a short sentence how far the statements lean."""
    selected, other = (ref("ratio", "ratio", group=name) for name in (SELECTED.name, NULLS[-1]))
    return (
        f"Under stated assumptions improvement makes the statements {selected} times likelier than "
        f"no change in sick patients, and {other} times likelier than other treatment."
    )


def say_finding() -> str:
    """Return in one sentence how far the statements lean, and how far that is from an effect."""
    selected, other = (ref("ratio", "ratio", group=name) for name in (SELECTED.name, NULLS[-1]))
    return (
        "Under stated assumptions the statements are likelier if patients improved than if the "
        f"sick were enrolled and nothing changed ({selected} times), and only a little likelier "
        f"than if other treatment was begun at entry ({other} times): improvement is not an effect."
    )


def list_worlds() -> pd.DataFrame:
    """Return the worlds with their reasons and what they assume, as a display table."""
    rows = []
    for world in WORLDS.values():
        assumed = "; ".join(f"{what}: {size}" for what, size, _ in list_assumptions(world))
        rows.append((world.title, world.reason, assumed.replace("-", "\N{MINUS SIGN}")))
    return pd.DataFrame(rows, columns=["World", "Why", "Assumed"])


def list_ratios() -> list[Row]:
    """Return a row a world."""
    return [Row((world.title,), group=name) for name, world in WORLDS.items()]


def ratio_columns(record: pd.DataFrame, plan: Plan) -> dict[str, Cell]:
    """Return acceptance of all statements and the ratio of improvement and each world."""

    def accepted(row: Row) -> str:
        name = f"accept-{row.group}"
        low, high = (ref(name, f"percent_{end}", group=ALL) for end in ("low", "high"))
        return f"{ref(name, 'percent', group=ALL)} ({low} to {high})"

    def ratio(row: Row) -> str:
        if row.group == IMPROVEMENT.name:
            return "1"
        if make_id("ratio", "ratio", group=row.group) not in set(record["id"]):
            return "> {ratio.ratio_low}"
        return describe_ratio(record, row.group)

    return {
        "Accepted": lambda row: ref(f"accept-{row.group}", "count", group=ALL),
        f"Per cent (exact {plan.level_words} CI)": accepted,
        f"Improvement is likelier by ({plan.level_words} CI)": ratio,
    }


def list_statements(claims: pd.DataFrame) -> list[Row]:
    """Return a row for each statement on a change."""
    own = claims[claims["kind"].isin(["direction", "significance"])]
    return [Row((i, s), group=i) for i, s in zip(own["id"], own["statement"], strict=True)]


def statement_columns() -> dict[str, Cell]:
    """Return how often each world satisfies a statement, and what the statement carries."""
    shares: dict[str, Cell] = {
        upper_first(name): "{accept-" + name + ".percent}" for name in WORLDS
    }
    return shares | {"Carries, sick at entry": "{carries.factor}"}


def name_number(number: str) -> str:
    """Return in words what the authors could have printed."""
    code, *rest = number.split("_")
    if code == "n":
        return f"number of patients measured at month {rest[0]}"
    month, statistic = rest
    name = MEASURES[code].name
    if month == "0":
        return f"{'SD' if statistic == 'sd' else 'mean'} of {name} at baseline"
    return f"{STATISTICS[statistic]} in {name} at month {month}"


def list_numbers(record: pd.DataFrame) -> list[Row]:
    """Return a row for each number that is shown, by world."""
    own = record[record["statistic"].isin(FACTORS)]
    return [
        Row((WORLDS[a.removeprefix("number-")].title, upper_first(name_number(g))), a, group=g)
        for a, g in zip(own["analysis"], own["group"], strict=True)
    ]


def number_columns(record: pd.DataFrame, plan: Plan) -> dict[str, Cell]:
    """Return the factor by which a number would be expected to move the ratio."""
    known = set(record["id"])

    def factor(row: Row) -> str:
        if make_id(row.analysis, "factor_limit", group=row.group) in known:
            return "> {factor_limit}"
        return "{factor} ({factor_low} to {factor_high})"

    return {f"Expected factor ({plan.level_words} CI)": factor}


def say_numbers(record: pd.DataFrame) -> str:
    """Return which number would have moved the ratio most, against each world."""
    parts = []
    for analysis, own in record[record["statistic"].isin(FACTORS)].groupby("analysis", sort=False):
        # A limit stands for what is larger than any factor that is told.
        best = own.sort_values("value").iloc[-1]
        sign = "above " if best["statistic"] == "factor_limit" else ""
        parts.append(
            f"against {NAMES[str(analysis).removeprefix('number-')]} the "
            f"{name_number(best['group'])} (expected factor {sign}{{{best['id']}}})"
        )
    return (
        "Of the numbers that the authors could have printed, these would be expected to move the "
        f"ratio most: {join_words(parts)}. A mean or SD at baseline tells who was enrolled, one of "
        "a change what happened; how much it tells rests on the population that is assumed."
    )


def say_grid(record: pd.DataFrame) -> str:
    """Return between which limits the ratio runs over the grid, against two of the worlds."""
    parts = []
    for null in (SELECTED.name, CONCOMITANT.name):
        own = record[record["group"].str.endswith(f" {null}")].sort_values("value")
        low, high = own.iloc[0], own.iloc[-1]
        more = "more than " if high["statistic"] == "ratio_low" else ""
        verdict = "never below one" if low["value"] >= 1 else "below one in some cells"
        parts.append(
            f"Against {NAMES[null]} it runs from {{{low['id']}}} ({describe_cell(low, null)}) to "
            f"{more}{{{high['id']}}} ({describe_cell(high, null)}), and is {verdict}."
        )
    return f"The ratio moves with every assumption. {' '.join(parts)}"


def describe_cell(row: pd.Series, null: str) -> str:
    """Return the assumption and value of a result of the grid."""
    assumption = str(row["analysis"]).removeprefix("grid-")
    value = str(row["group"]).removesuffix(f" {null}")
    name = GRID[assumption].split(",")[0].lower()
    return f"{name}, `{value}`"


def list_grid(record: pd.DataFrame) -> list[Row]:
    """Return a row for each assumption and value of the grid."""
    own = record[record["statistic"].isin(["ratio", "ratio_low"])]
    rows = {}
    for analysis, group in zip(own["analysis"], own["group"], strict=True):
        value = group.rpartition(" ")[0]
        name = GRID[analysis.removeprefix("grid-")]
        rows[analysis, value] = Row((name, value), analysis, group=value)
    return list(rows.values())


def grid_columns(record: pd.DataFrame) -> dict[str, Cell]:
    """Return the ratio of improvement and each other world under one assumption."""
    known = set(record["id"])

    def of(null: str) -> Cell:
        def cell(row: Row) -> str:
            group = f"{row.group} {null}"
            if make_id(row.analysis, "ratio", group=group) in known:
                return ref(row.analysis, "ratio", group=group)
            limit = make_id(row.analysis, "ratio_low", group=group) in known
            return f"> {ref(row.analysis, 'ratio_low', group=group)}" if limit else ""

        return cell

    return {upper_first(null): of(null) for null in NULLS}


def list_cohorts() -> list[Row]:
    """Return a row for each cohort of untreated patients."""
    return [Row((title,), group=name) for name, title in COHORTS.items()]


def cohort_columns(plan: Plan) -> dict[str, Cell]:
    """Return how often untreated patients show the abstract's directions, and the ratios given."""
    ends = "({percent_low} to {percent_high})"
    out: dict[str, Cell] = {}
    for reading, head in (("observed", "As observed"), ("pairs", "Among pairs")):
        name = f"untreated-{reading}"
        shown = "{percent} " + ends
        out[f"{head}, % ({plan.level_words} CI)"] = shown.replace("{", "{" + name + ".")
    for null in ASKED:
        column = f"Ratio above {STRONG:g} against {lower_first(WORLDS[null].title)}, %"
        out[column] = "{untreated-" + READ + "-" + null + ".strong_percent}"
    return out


def lower_first(text: str) -> str:
    """Return a text that begins in lower case."""
    return text[:1].lower() + text[1:]


def say_calibration(record: pd.DataFrame) -> str:
    """Return how often real untreated patients "improve", and whether the worlds mislead."""
    last, stage = list(COHORTS)[-1], list(COHORTS)[1]

    def share(reading: str, cohort: str) -> str:
        return f"{ref(f'untreated-{reading}', 'percent', group=cohort)}%"

    def strong(null: str) -> str:
        return f"{ref(f'untreated-{READ}-{null}', 'strong_percent', group=last)}%"

    misled = {
        null: get_value(record, f"untreated-{READ}-{null}", "strong_percent", last) > 100 * OFTEN
        for null in ASKED
    }
    verdict = "So they seldom mislead in these patients"
    if misled[SELECTED.name]:
        verdict = "So they mislead: no world here is what happened to these patients"
    elif any(misled.values()):
        verdict = "So a ratio misleads where the other world leaves out how patients were chosen"
    return (
        "In random draws of as many real patients with cirrhosis and no cells, every direction "
        f"that can be assessed is seen in {share('observed', stage)} as observed and in "
        f"{share('pairs', stage)} among pairs; of those who entered at a low albumin in "
        f"{share('observed', last)} and {share('pairs', last)}. Of the latter, whose albumin "
        "tended back by itself while bilirubin rose, the worlds would speak strongly for "
        f"improvement in {strong(PROGRESSING.name)} of draws (as observed) if compared with "
        f"worsening alone, and in {strong(SELECTED.name)} if compared with sick patients in whom "
        f"nothing changed. {verdict}."
    )


def plot_acceptance(record: pd.DataFrame) -> Figure:
    """Return the acceptance of all statements by world on a log axis, with exact intervals.

    Parameters
    ----------
    record
        Record of `msct_helpers.worlds.report.summarise_acceptance`, group ``all``.
    """
    found = record.set_index("id")
    ends = {
        name: [make_id(f"accept-{name}", f"percent{s}", group=ALL) for s in ("", "_low", "_high")]
        for name in WORLDS
    }
    told = []
    for name, keys in ends.items():
        rate, low, high = found.loc[keys, "text"]
        seen = found.loc[keys[0], "value"] > 0
        size = f"n = {found.loc[keys[0], 'n']:,}"
        shown = f"{rate}% ({low} to {high})" if seen else f"none (up to {high}%)"
        told.append((WORLDS[name].title, f"{shown}, {size}"))
    _, ax, places = drawn = make_rows(told)
    for y, keys in zip(places, ends.values(), strict=True):
        rate, low, high = found.loc[keys, "value"]
        if rate > 0:
            ax.plot([low, high], [y, y], color=INK, lw=1.5)
            ax.plot(rate, y, "o", color=BLUE)
        else:
            ax.plot(high, y, marker="<", color=BLUE)
    set_log(ax)
    ax.set_xlabel("Trials that satisfy all, %")
    return drawn[0]


def plot_grid(record: pd.DataFrame) -> Figure:
    """Return the ratio over the grid of assumptions, against each other world, on a log axis.

    Parameters
    ----------
    record
        Record of `msct_helpers.worlds.report.summarise_grid`.
    """
    rows = list_grid(record)
    fig, ax = make_figure(1.5 + 0.24 * len(rows))
    value = record.set_index("id")["value"]
    arrow = {"arrowstyle": "<-", "shrinkA": 0, "shrinkB": 4}
    for i, (null, (colour, shape)) in enumerate(zip(NULLS, SHAPES, strict=True)):
        ax.plot([], [], shape, color=colour, label=WORLDS[null].title)
        # Equal ratios of a row are seen beside each other.
        for y, row in zip(np.arange(len(rows)) + 0.2 * (i - 1.5), rows, strict=True):
            group = f"{row.group} {null}"
            keys = {mark: make_id(row.analysis, s, group=group) for mark, s in MARKS.items()}
            mark, key = next(((m, k) for m, k in keys.items() if k in value.index), ("", ""))
            if key:
                ax.plot(value[key], y, shape, color=colour, ms=5)
            if mark == ">":
                ax.annotate("", (value[key], y), (16, 0), textcoords="offset points",
                            arrowprops=arrow | {"color": colour})  # fmt: skip
    ax.axvline(1, **ZERO)
    set_log(ax)
    # Room for arrows.
    ax.set_xlim(right=5 * ax.get_xlim()[1])
    ax.set_yticks(
        range(len(rows)), [f"{r.analysis.removeprefix('grid-')}: {r.group}" for r in rows]
    )
    ax.set(ylim=(len(rows) - 0.5, -0.5))
    ax.set_xlabel("Improvement is likelier by this factor than", loc="right")
    write_key_of(fig, ax)
    return fig


def set_log(ax: Axes) -> None:
    """Make the x axis logarithmic, with plain numbers at the powers of ten."""
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
