"""Published statements beside what a data set shows for each."""

import pandas as pd

from msct_helpers.load import Trial, load_statements
from msct_helpers.results import get_refs, make_id, make_record, make_rows
from msct_helpers.statements import check_statements


def check_trial(trial: Trial) -> pd.DataFrame:
    """Return the check of every published statement on a data set, with a verdict.

    Returns
    -------
    DataFrame
        Columns of `msct_helpers.statements.check_statements` and verdict.
    """
    checked = check_statements(load_statements(), trial.adsl, trial.efficacy_labs, trial.adae)
    return checked.assign(verdict=[judge(row) for row in checked.to_dict("records")])


def judge(row: dict[str, object]) -> str:
    """Return the verdict on one statement: what its readings on the data at hand say."""
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


def summarise_ledger(checked: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """Return the numbers behind each verdict, and how many statements hold.

    Returns
    -------
    DataFrame
        Record: ``claim`` with group the statement's id; ``claims`` with counts of verdicts.
    """
    rows = []
    for row in checked[checked["assessable"]].to_dict("records"):
        statistics = {
            "diff": row["estimate_observed"],
            "mean": row["estimate_pairs"],
            "p_t": row["p_value"],
            "p_wilcoxon": row["p_wilcoxon"],
            "count": row["count"],
            "denominator": row["denominator"],
        }
        known = {k: float(v) for k, v in statistics.items() if not pd.isna(v)}
        unit = trial.study.reporting_units.get(row["parameter"], "score")
        rows += make_rows(
            "claim",
            known,
            parameter=row["parameter"],
            unit=unit,
            group=row["id"],
            n=None if pd.isna(row["n_pairs"]) else int(row["n_pairs"]),
            method="see the rule of the statement",
            function="check_statements",
        )
    testable = checked[checked["assessable"]]
    counts: dict[str, float] = {
        "all_count": len(checked),
        "assessable_count": len(testable),
        "holds_count": int((testable["verdict"] == "holds").sum()),
    }
    rows += make_rows("claims", counts, method="count", function="summarise_ledger")
    return make_record(rows)


def say_agreement(checked: pd.DataFrame) -> str:
    """Return the answer of the chapter: how many statements the data can test and satisfy."""
    testable = checked[checked["assessable"]]
    failing = testable.loc[testable["verdict"] != "holds", "id"].tolist()
    rest = f" Not or only partly met: {', '.join(failing)}." if failing else ""
    return (
        "Of {claims.all_count} published statements, this data set can test "
        "{claims.assessable_count}; {claims.holds_count} of these hold in every reading." + rest
    )


def table_ledger(checked: pd.DataFrame, record: pd.DataFrame) -> pd.DataFrame:
    """Return statement, what the data show, and verdict, one row a statement."""
    text = get_refs(record)
    rows = []
    for row in checked.to_dict("records"):

        def cell(statistic: str, row: dict[str, object] = row) -> str:
            key = make_id("claim", statistic, str(row["parameter"] or ""), group=str(row["id"]))
            return text.get(key, "")

        shown = []
        if cell("count"):
            shown.append(f"{cell('count')} of {cell('denominator')}")
        if cell("diff"):
            shown.append(f"change {cell('diff')} (all seen), {cell('mean')} (pairs)")
        if cell("p_t"):
            shown.append(f"p {cell('p_t')} (t), {cell('p_wilcoxon')} (Wilcoxon)")
        rows.append((row["id"], row["statement"], "; ".join(shown), row["verdict"]))
    return pd.DataFrame(rows, columns=["Id", "Published statement", "These data", "Verdict"])
