"""Ledger of the published statements: verdict on each, how robust it is, and what it rests on."""

from typing import Any

import pandas as pd

from msct_helpers.abstract.robustness import Check, check_robustness
from msct_helpers.abstract.statements import check_statements
from msct_helpers.ard.results import make_record, make_rows, make_text_row, ref
from msct_helpers.book.words import join_words, name_unit, upper_first
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy import change as efficacy
from msct_helpers.efficacy import inference, missing
from msct_helpers.meld import derive as meld
from msct_helpers.stats.estimate import estimate_proportion
from msct_helpers.trial.load import Trial, load_statements
from msct_helpers.trial.plan import MEASURES
from msct_helpers.trial.schema import VISITS

FAMILY = ("ALT", "BILI", "ALB", "PT", "MELD")
"""Endpoints that the statements speak of."""

NOT_TESTABLE = "design, not testable"
WEIGHED = "weighed, no verdict"
VERDICTS = ("holds", "holds only as observed", "holds only among pairs", "does not hold")
"""Verdicts on statements that the data can test."""


def check_trial(trial: Trial) -> pd.DataFrame:
    """Return the check of every published statement on a data set, with a verdict.

    Returns
    -------
    DataFrame
        Columns of `msct_helpers.abstract.statements.check_statements` and verdict.
    """
    checked = check_statements(
        load_statements(), trial.adsl, trial.efficacy_labs, trial.adae, trial.adex
    )
    return checked.assign(verdict=[judge(row) for row in checked.to_dict("records")])


def judge(row: dict[str, object]) -> str:
    """Return the verdict on one statement: what its readings on the data at hand say."""
    if row["kind"] in ("design", "conclusion"):
        return NOT_TESTABLE if row["kind"] == "design" else WEIGHED
    if not row["assessable"]:
        return f"not assessable: {row['why_not']}"
    observed, pairs = row["holds_observed"], row["holds_pairs"]
    known = [bool(v) for v in (observed, pairs) if not pd.isna(v)]
    if not known:
        return "not assessable: no value"
    if all(known):
        return "holds"
    if not any(known):
        return "does not hold"
    return "holds only as observed" if known[0] else "holds only among pairs"


def summarise_evidence(trial: Trial) -> pd.DataFrame:
    """Return the numbers on change that verdicts and checks rest on, at every visit.

    Returns
    -------
    DataFrame
        Records of changes, of the mixed model and of the missing, for the endpoints of the
        statements.
    """
    plan, status = trial.plan, derive_disposition(trial.adsl)
    labs = meld.derive_all(trial)
    labs = labs[labs["PARAMCD"].isin(FAMILY)]
    values = {code: inference.scale_values(labs, code) for code in FAMILY}
    fits = {code: inference.fit_change("AVAL ~ C(AVISITN)", values[code], plan) for code in FAMILY}
    changes = inference.summarise_fits(fits, labs, plan).join(inference.compare_pairs(labs, plan))
    imputed = {
        code: missing.impute_changes(values[code], MEASURES[code].better, plan)
        for code in FAMILY
        if fits[code]
    }
    return pd.concat(
        [
            efficacy.summarise_change(labs, plan),
            inference.record_family(inference.adjust(changes, plan.adjustment)),
            missing.summarise_imputed(imputed, labs, plan),
            missing.summarise_ranks(imputed, labs, status, plan),
        ],
        ignore_index=True,
    )


def summarise_ledger(checked: pd.DataFrame, checks: dict[str, list[Check]]) -> pd.DataFrame:
    """Return verdicts, counts and how many statements got each verdict.

    Parameters
    ----------
    checked
        Statements with their verdicts (`check_trial`).
    checks
        Checks of robustness by id of the statement.

    Returns
    -------
    DataFrame
        Record: ``claim`` with group the statement's id: verdict (a word), of counts their exact
        interval, of changes survives_count and checks_count; ``claims`` with counts of verdicts.
    """
    rows = []
    for row in checked.to_dict("records"):
        own: dict[str, Any] = {"group": str(row["id"]), "function": "check_statements"}
        verdict = str(row["verdict"])
        rows.append(make_text_row("claim", "verdict", verdict, method="see the rules", **own))
        if not pd.isna(row["count"]):
            found = estimate_proportion(int(row["count"]), int(row["denominator"]))
            rows += make_rows("claim", found, method="Clopper-Pearson 95% interval", **own)
        known = [c.survives for c in checks.get(str(row["id"]), []) if c.survives is not None]
        if known:
            tally: dict[str, float] = {"survives_count": sum(known), "checks_count": len(known)}
            rows += make_rows("claim", tally, method="checks of robustness", **own)
    testable = checked[checked["verdict"].isin(VERDICTS)]
    counts: dict[str, float] = {"all_count": len(checked), "assessable_count": len(testable)}
    for verdict in VERDICTS:
        name = verdict.replace(" ", "-")
        counts[f"{name}_count"] = int((testable["verdict"] == verdict).sum())
    changes = [i for i in testable["id"] if i in checks]
    counts["changes_count"] = len(changes)
    passed = [all(c.survives is not False for c in checks[i]) for i in changes]
    counts["robust_count"] = sum(passed)
    rows += make_rows("claims", counts, method="count", function="summarise_ledger")
    return make_record(rows)


def check_changes(checked: pd.DataFrame, evidence: pd.DataFrame) -> dict[str, list[Check]]:
    """Return the checks of robustness of every statement on a change that the data can test."""
    able = checked.loc[checked["verdict"].isin(VERDICTS), "id"].tolist()
    claims = load_statements()
    claims = claims[claims["kind"].isin(["direction", "significance"]) & claims["id"].isin(able)]
    return {
        c["id"]: check_robustness(c, evidence.set_index("id")) for c in claims.to_dict("records")
    }


def say_agreement(checked: pd.DataFrame) -> str:
    """Return the answer of the chapter: how many statements the data can test and satisfy."""
    able = int(checked["verdict"].isin(VERDICTS).sum())
    holding = int((checked["verdict"] == "holds").sum())
    out = "Of {claims.all_count} published statements, this data set can test "
    if not able:
        return f"{out}none."
    out += "{claims.assessable_count}"
    if holding == able:
        out += ", and all of these hold in every reading."
    elif holding:
        out += "; {claims.holds_count} of these hold in every reading."
    else:
        out += "; none of these holds in every reading."
    for verdict in VERDICTS[1:]:
        own = checked.loc[checked["verdict"] == verdict, "id"].tolist()
        if own:
            said = verdict.replace("holds", "hold", 1).replace("does not", "do not")
            count = f"{{claims.{verdict.replace(' ', '-')}_count}}"
            said = said if len(own) > 1 else verdict
            out += f" {count} {said} ({join_words(own)})."
    if checked.loc[checked["kind"].isin(["direction", "significance"]), "assessable"].any():
        out += (
            " Of {claims.changes_count} testable statements on changes, {claims.robust_count} "
            "also pass every check that applies: the mixed model, Holm's adjustment, death and "
            "transplant ranked worst, and missing patients worse than imputed."
        )
    return out


def describe_claim(claim: dict[str, str], units: dict[str, str]) -> str:
    """Return what the data at hand show for a statement, with the ids of its numbers.

    Parameters
    ----------
    claim
        Row of the published statements.
    units
        Reporting unit by parameter.
    """
    group, code = claim["id"], claim["parameter"]
    if claim["id"] in ("N1", "N2"):
        return (
            f"{ref('claim', 'count', group=group)} of {ref('claim', 'denominator', group=group)}."
        )
    if claim["kind"] == "count":
        count, total = (ref("claim", s, group=group) for s in ("count", "denominator"))
        low, high = (ref("claim", f"percent_{s}", group=group) for s in ("low", "high"))
        share = ref("claim", "percent", group=group)
        return f"{count} of {total} ({share}%, exact 95% interval {low}% to {high}%)."
    months = [int(claim["visit"])] if claim["visit"] else [m for m in VISITS if m]
    unit = name_unit(units.get(code, ""))
    parts = []
    for month in months:
        mean, low, high = (ref("chg", s, code, month) for s in ("mean", "ci_low", "ci_high"))
        when = f"month {month}: " if len(months) > 1 else ""
        part = (
            f"{when}among {ref('chg', 'n', code, month)} participants measured at both visits a "
            f"change of {mean}{unit} (95% interval {low} to {high})"
        )
        if claim["significance"]:
            p, q = ref("chg", "p_t", code, month), ref("chg", "p_wilcoxon", code, month)
            part += f", p = {p} (t) and {q} (Wilcoxon)"
        else:
            diff, seen = ref("obs", "diff", code, month), ref("obs", "n", code, month)
            part += f"; the mean of all {seen} seen differs from baseline by {diff}{unit}"
        parts.append(part)
    return upper_first(f"{'; '.join(parts)}.")
