"""The Mayo cohort by itself: those still seen, those who entered low, and those with an event."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.figures import BLUE, GREY, INK, make_figure, point_better
from msct_helpers.book.layout import Cell, Row
from msct_helpers.book.words import join_words, upper_first
from msct_helpers.cohort.survival import derive_time_to_event, estimate_survival
from msct_helpers.efficacy.change import get_value, summarise_change
from msct_helpers.efficacy.inference import fit_change
from msct_helpers.stats.estimate import compare_risks, estimate_proportion
from msct_helpers.trial.load import Trial
from msct_helpers.trial.paths import ROOT
from msct_helpers.trial.plan import MEASURES, Plan

SOURCE = ROOT / "data" / "mayo_pbc" / "pbcseq.csv"

COLUMNS = {"bili": "BILI", "albumin": "ALB", "protime": "PT"}
UNITS = {"BILI": "mg/dL", "ALB": "g/dL", "PT": "s"}
"""Laboratory values of the source that the abstract speaks of, too."""

LOW_ALBUMIN = 3.0
"""Entry at the first visit with albumin (g/dL) at or below this; assumed."""

WINDOWS = {6: (122, 274), 12: (275, 456), 24: (610, 850)}
"""Days from entry within which a visit of the source belongs to a month, as in the data set."""

SHOWN = ("BILI", 12)
"""Parameter and visit of the figure: a mean that falls while the same patients rise."""


def rename(record: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return a record whose analyses and ids begin with a word, so that they stay apart."""
    return record.assign(id=prefix + "-" + record["id"], analysis=prefix + "-" + record["analysis"])


def summarise_models(labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the change of each parameter by the mixed model, in its own unit.

    Parameters
    ----------
    labs
        Measurements of the cohort.
    plan
        The analysis plan.

    Returns
    -------
    DataFrame
        Record, analysis ``mmrm``: change, ci_low, ci_high, p_value by parameter and visit.
    """
    rows: list[dict[str, Any]] = []
    for code, unit in UNITS.items():
        own = labs.loc[labs["PARAMCD"] == code, ["USUBJID", "AVISITN", "AVAL"]]
        fit = fit_change("AVAL ~ C(AVISITN)", own.astype({"AVISITN": int}), plan)
        if fit is None:
            continue
        for visit in plan.later:
            found = fit.coefficients.loc[f"C(AVISITN)[T.{visit.number}]"]
            shown = {"change": found["estimate"]} | dict(found[["ci_low", "ci_high", "p_value"]])
            rows += make_rows(
                "mmrm", shown, parameter=code, visit=visit.number, unit=unit,
                n=own["USUBJID"].nunique(), method="MMRM, Kenward-Roger",
                function="summarise_models",
            )  # fmt: skip
    return make_record(rows)


def summarise_seen(labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the baseline of those who were still seen at each visit, and of those who were not.

    Returns
    -------
    DataFrame
        Record, analysis ``entry``, groups ``SEEN`` and ``GONE``: mean and n by parameter and visit.
    """
    rows: list[dict[str, Any]] = []
    for code, unit in UNITS.items():
        wide = labs[labs["PARAMCD"] == code].pivot(
            index="USUBJID", columns="AVISITN", values="AVAL"
        )
        for visit in plan.later:
            seen = wide[visit.number].notna()
            for group, own in (("SEEN", wide.loc[seen, 0]), ("GONE", wide.loc[~seen, 0])):
                rows += make_rows(
                    "entry", {"n": len(own), "mean": own.mean()}, parameter=code,
                    visit=visit.number, group=group, unit=unit, n=len(own),
                    method="mean at baseline", function="summarise_seen",
                )  # fmt: skip
    return make_record(rows)


def choose_visits(visits: pd.DataFrame, entry: pd.Series, plan: Plan) -> pd.DataFrame:
    """Return by patient and visit the row of the source that is nearest to the day it is due.

    Parameters
    ----------
    visits
        The source, with USUBJID and day.
    entry
        Day of entry by USUBJID; others are left out. Windows (`WINDOWS`) count from it.
    plan
        Gives the visits.

    Returns
    -------
    DataFrame
        The rows chosen, with AVISITN: 0 at entry, then the visits of the plan.
    """
    visits = visits[visits["USUBJID"].isin(entry.index)]
    visits = visits.assign(day=visits["day"] - visits["USUBJID"].map(entry))
    tables = [visits[visits["day"] == 0].assign(AVISITN=0)]
    for visit in plan.later:
        inside = visits[visits["day"].between(*WINDOWS[visit.number])]
        near = inside.assign(far=(inside["day"] - visit.day).abs())
        near = near.sort_values(["USUBJID", "far", "day"]).drop_duplicates("USUBJID")
        tables.append(near.assign(AVISITN=visit.number))
    return pd.concat(tables)


def enter_low(plan: Plan) -> pd.DataFrame:
    """Return the values of all patients of the source from the first low albumin on.

    Parameters
    ----------
    plan
        Gives the visits; windows count from the day of entry.

    Returns
    -------
    DataFrame
        USUBJID, PARAMCD, AVISITN, AVAL, AVALU; of several visits in a window the nearest counts.
    """
    visits = pd.read_csv(SOURCE).rename(columns=COLUMNS | {"id": "USUBJID"})
    low = visits[visits["ALB"] <= LOW_ALBUMIN].groupby("USUBJID")["day"].min()
    chosen = choose_visits(visits, low, plan)
    chosen = chosen.melt(["USUBJID", "AVISITN"], list(UNITS), "PARAMCD", "AVAL")
    return chosen.dropna(subset="AVAL").assign(AVALU=lambda d: d["PARAMCD"].map(UNITS))


def summarise_low(plan: Plan) -> pd.DataFrame:
    """Return the change of patients who entered because their albumin was low (`enter_low`).

    Returns
    -------
    DataFrame
        Record of `msct_helpers.efficacy.change.summarise_change`, and ``entry`` with the threshold.
    """
    threshold = make_rows(
        "entry", {"threshold": LOW_ALBUMIN}, parameter="ALB", unit="g/dL", decimals=1,
        method="assumed", function="enter_low",
    )  # fmt: skip
    return pd.concat([summarise_change(enter_low(plan), plan), make_record(threshold)])


def summarise_events(trial: Trial, published: tuple[int, int], plan: Plan) -> pd.DataFrame:
    """Return how often such patients died or were transplanted, beside the published counts.

    Parameters
    ----------
    trial
        The cohort.
    published
        Deaths and transplants together, and patients, of the abstract.
    plan
        The analysis plan of the cohort.

    Returns
    -------
    DataFrame
        Record, analysis ``event``: ``MAYO`` percent, percent_low, percent_high (one minus
        Kaplan-Meier at the last visit) and n; ``ABSTRACT`` count, denominator, percent and exact
        interval; ``BOTH`` p_value, the chance of so few or fewer were the cohort's risk known,
        and percent, percent_low, percent_high of the difference with both uncertain.
    """
    times = derive_time_to_event(trial.adsl, plan)
    curve = estimate_survival(times["DAYS"], times["EVENT"] > 0, plan.level)
    at = curve[curve["DAY"] <= plan.last.day].iloc[-1]
    risk = {"percent": "SURVIVAL", "percent_low": "CI_HIGH", "percent_high": "CI_LOW"}
    shown = {name: 100 * (1 - at[column]) for name, column in risk.items()}
    count, total = published
    about: dict[str, Any] = {"function": "summarise_events"}
    chance = float(stats.binom.cdf(count, total, shown["percent"] / 100))
    method = f"one minus Kaplan-Meier, log-log {plan.level_words} interval"
    rows = make_rows("event", shown, group="MAYO", n=len(times), method=method, **about)
    exact = estimate_proportion(count, total, plan.level)
    method = f"published counts, Clopper-Pearson {plan.level_words} interval"
    rows += make_rows("event", exact, group="ABSTRACT", n=total, method=method, **about)
    apart = compare_risks(shown, exact)
    recovered = f"difference of risks, {plan.level_words} limits recovered from those of each"
    rows += make_rows("event", apart, group="BOTH", method=recovered, **about)
    tail = "binomial at the cohort's risk as if it were known, one-sided"
    rows += make_rows("event", {"p_value": chance}, group="BOTH", method=tail, **about)
    return make_record(rows)


def change_rows(plan: Plan) -> list[Row]:
    """Return a row for each parameter and later visit."""
    return [
        Row((f"{upper_first(MEASURES[code].name)}, {unit}", str(v.number)), "", code, v.number)
        for code, unit in UNITS.items()
        for v in plan.later
    ]


def change_columns(plan: Plan) -> dict[str, Cell]:
    """Return the same change read in three ways."""
    return {
        "Seen, n": "{pbc-obs.n}",
        "All seen minus all at baseline": "{pbc-obs.diff}",
        f"Pairs ({plan.level_words} CI)": "{pbc-chg.mean} ({pbc-chg.ci_low} to {pbc-chg.ci_high})",
        f"Mixed model ({plan.level_words} CI)": (
            "{pbc-mmrm.change} ({pbc-mmrm.ci_low} to {pbc-mmrm.ci_high})"
        ),
    }


def seen_columns() -> dict[str, Cell]:
    """Return the baseline of those still seen and of those not."""
    return {
        "Seen, n": "{pbc-entry.n@seen}",
        "Seen: mean at baseline": "{pbc-entry.mean@seen}",
        "Not seen, n": "{pbc-entry.n@gone}",
        "Not seen: mean at baseline": "{pbc-entry.mean@gone}",
    }


def low_columns(plan: Plan) -> dict[str, Cell]:
    """Return the change of those who entered low."""
    return {
        "Pairs, n": "{low-chg.n}",
        f"Change ({plan.level_words} CI)": "{low-chg.mean} ({low-chg.ci_low} to {low-chg.ci_high})",
        "p, paired t": "{low-chg.p_t}",
    }


def say_answer(record: pd.DataFrame, plan: Plan) -> str:
    """Return the one sentence of the chapter, in the words that its numbers bear out."""
    code, visit = SHOWN
    name, words = MEASURES[code].name, plan.visit(visit).words

    def value(analysis: str, statistic: str) -> float:
        own = record[(record["analysis"] == analysis) & (record["parameter"] == code)]
        return float(
            own.loc[(own["visit"] == visit) & (own["statistic"] == statistic), "value"].iloc[0]
        )

    side = "below" if value("pbc-obs", "diff") < 0 else "above"
    moved = "rose" if value("pbc-chg", "mean") > 0 else "fell"
    return (
        f"In {ref('pbc-obs', 'n', code, 0)} real patients without cells mean {name} of those "
        f"seen at {words} was {side} baseline, while the same patients {moved} by "
        f"{ref('pbc-chg', 'mean', code, visit, unsigned=True)} {UNITS[code]}."
    )


def describe_moves(record: pd.DataFrame, code: str, plan: Plan) -> str:
    """Return how a parameter moved in those who entered low, visit after visit.

    Parameters
    ----------
    record
        Record of `summarise_low`, renamed ``low``.
    code, plan
        PARAMCD, and the analysis plan.
    """
    values = [get_value(record, "low-chg", "mean", code, v.number) for v in plan.later]
    up, down = all(v > 0 for v in values), all(v < 0 for v in values)
    verb = "rises" if up else "falls" if down else "changes"
    each = [ref("low-chg", "mean", code, v.number, unsigned=up or down) for v in plan.later]
    return f"{verb} by {', '.join(each[:-1])} and {each[-1]} {UNITS[code]}"


def say_low(record: pd.DataFrame, plan: Plan) -> str:
    """Return what happened to patients who entered because of a low albumin."""
    last = plan.last.number
    return (
        f"Let each of {ref('low-obs', 'n', 'ALB', 0)} patients enter at the first visit with "
        f"albumin of {ref('low-entry', 'threshold', 'ALB')} g/dL or less. Their albumin then "
        f"{describe_moves(record, 'ALB', plan)} at {join_words([v.words for v in plan.later])} "
        f"(n = {ref('low-chg', 'n', 'ALB', last)} at the last), without "
        f"cells: regression to the mean. Their bilirubin {describe_moves(record, 'BILI', plan)}, "
        "because nobody was selected for that. Of what the abstract reports, selection at a low "
        "albumin can make the rise of albumin and not the fall of bilirubin."
    )


def say_events(record: pd.DataFrame, plan: Plan) -> str:
    """Return how the risk of these patients compares with the published counts."""

    def at(statistic: str, group: str) -> str:
        return ref("pbc-event", statistic, group=group)

    own = record[record["group"] == "BOTH"].set_index("statistic")["value"]
    verdict = "is below" if own["percent_low"] > 0 else "cannot be told apart from"
    verdict = "is above" if own["percent_high"] < 0 else verdict
    return (
        f"Within two years {at('percent', 'MAYO')}% of these patients died or were transplanted "
        f"({at('percent_low', 'MAYO')}% to {at('percent_high', 'MAYO')}%); the abstract reports "
        f"{at('count', 'ABSTRACT')} of {at('denominator', 'ABSTRACT')} "
        f"({at('percent_low', 'ABSTRACT')}% to {at('percent_high', 'ABSTRACT')}%), if all of them "
        "fell within two years (assumed). With both uncertain, the risk of the Mayo patients less "
        f"that of the abstract is {at('percent', 'BOTH')} percentage points ({plan.level_words} "
        f"confidence interval {at('percent_low', 'BOTH')} to {at('percent_high', 'BOTH')}): the "
        f"abstract's count {verdict} theirs. Were theirs known without error, so few or fewer "
        f"would be seen in {at('p_value', 'BOTH')} of such groups. Another era, "
        "ursodeoxycholic acid and the choice of patients lie between the two."
    )


def plot_survivors(record: pd.DataFrame) -> Figure:
    """Return the mean of all seen beside the means of those who stayed and of those who left.

    Parameters
    ----------
    record
        Records of `summarise_change` and `summarise_seen` (``pbc-``) at the visit of `SHOWN`.
    """
    code, visit = SHOWN
    value = record[record["parameter"] == code].set_index("id")["value"]
    key = code.lower()
    first, seen = value[f"pbc-obs.{key}.m0.mean"], value[f"pbc-obs.{key}.m{visit}.mean"]
    stayed, left = (value[f"pbc-entry.{key}.m{visit}.{g}.mean"] for g in ("seen", "gone"))
    sizes = [value[f"pbc-obs.{key}.m0.n"], value[f"pbc-obs.{key}.m{visit}.n"]]
    sizes += [value[f"pbc-entry.{key}.m{visit}.{g}.n"] for g in ("seen", "gone")]
    fig, ax = make_figure(3.0)
    ax.plot([0, visit], [first, seen], "o--", color=GREY, lw=1.5)
    ax.plot([0, visit], [stayed, seen], "o-", color=BLUE, lw=2.2)
    ax.plot([0], [left], "X", color=INK, ms=8)
    for y, text, colour, up in (
        (first, f"all seen (n = {sizes[0]:.0f}, then {sizes[1]:.0f})", INK, 7),
        (stayed, f"the same patients (n = {sizes[2]:.0f})", BLUE, -16),
        (left, f"not seen at month {visit} (n = {sizes[3]:.0f})", INK, 7),
    ):
        ax.annotate(text, (0, y), (8, up), textcoords="offset points", color=colour)
    point_better(ax, MEASURES[code].better)
    top = 1.2 * max(first, left)
    ax.set(xlabel="Month", ylabel=f"Mean {MEASURES[code].name}, {UNITS[code]}", ylim=(0, top))
    ax.set_xticks([0, visit])
    return fig
