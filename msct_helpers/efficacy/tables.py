"""Display tables of the efficacy chapter: text only, taken from the record."""

import pandas as pd

from msct_helpers.ard.results import get_refs, make_id
from msct_helpers.book.layout import unbroken
from msct_helpers.trial.schema import VISITS

HEADS = ["Endpoint", "Month", "Change", "95% CI"]


def table_values(record: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return location and spread by visit: all seen, and the pairs beside them."""
    text = get_refs(record)
    geometric = (record["statistic"] == "geometric") & (record["parameter"] == code)
    rows = []
    for month, visit in VISITS.items():

        def cell(analysis: str, statistic: str, month: int = month) -> str:
            return text[make_id(analysis, statistic, code, month)]

        quartiles = f"{cell('obs', 'q1')} to {cell('obs', 'q3')}"
        row = [
            unbroken(visit),
            cell("obs", "n"),
            unbroken(f"{cell('obs', 'mean')} ({cell('obs', 'sd')})"),
            unbroken(f"{cell('obs', 'median')} ({quartiles})"),
        ]
        if geometric.any():
            row.append(cell("obs", "geometric"))
        row += [cell("chg", s) for s in ("n", "base", "end")] if month else ["", "", ""]
        rows.append(row)
    heads = ["Visit", "Seen, n", "Mean (SD)", "Median (quartiles)"]
    heads += ["Geometric mean"] if geometric.any() else []
    pairs = ["Pairs, n", "Pairs: mean at baseline", "Pairs: mean at visit"]
    return pd.DataFrame(rows, columns=[*heads, *pairs])


def table_family(record: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return the primary analysis of every endpoint and visit with raw and adjusted p-values."""
    text = get_refs(record)
    rows = []
    for code, month in _keys(record):
        t = {
            s: text[make_id("mmrm", s, code, month)]
            for s in ("change", "ci_low", "ci_high", "p_mmrm", "p_holm", "p_t", "p_wilcoxon")
        }
        t["p_flip"] = text[make_id("mmrm", "p_flip", code, month)]
        unit = _unit(record, code)
        interval = unbroken(f"{t['ci_low']} to {t['ci_high']}")
        tests = [t[p] for p in ("p_mmrm", "p_holm", "p_t", "p_wilcoxon", "p_flip")]
        rows.append((f"{names[code]}{unit}", str(month), t["change"], interval, *tests))
    tests = ["p, MMRM", "p, Holm", "p, paired t", "p, Wilcoxon", "p, sign flip"]
    out = pd.DataFrame(rows, columns=[*HEADS, *tests])
    return out.assign(Endpoint=out["Endpoint"].mask(out["Endpoint"].duplicated(), ""))


def table_missing(
    record: pd.DataFrame, family: pd.DataFrame, names: dict[str, str]
) -> pd.DataFrame:
    """Return each endpoint's two-year change under each assumption about the missing."""
    text = get_refs(pd.concat([family, record]))
    last = max(VISITS)
    rows = []
    for code in record["parameter"].unique():
        unit = _unit(family, code)
        for analysis, label in (
            ("mmrm", "mixed model, missing at random"),
            ("mi", "multiple imputation, missing at random"),
            ("rtb", "missing return to baseline"),
        ):
            t = {s: text[make_id(analysis, s, code, last)] for s in ("change", "ci_low", "ci_high")}
            p = text[make_id(analysis, "p_mmrm" if analysis == "mmrm" else "p_value", code, last)]
            interval = unbroken(f"{t['ci_low']} to {t['ci_high']}")
            rows.append((f"{names[code]}{unit}", label, t["change"], interval, p))
        t = {s: text[make_id("composite", s, code, last)] for s in ("better_count", "n", "p_value")}
        share = f"{t['better_count']} of {t['n']} better"
        rows.append(
            (f"{names[code]}{unit}", "worst rank for death, transplant", share, "", t["p_value"])
        )
    out = pd.DataFrame(rows, columns=["Endpoint", "Assumption", "Change", "95% CI", "p"])
    return out.assign(Endpoint=out["Endpoint"].mask(out["Endpoint"].duplicated(), ""))


def _keys(record: pd.DataFrame) -> list[tuple[str, int]]:
    pairs = record[["parameter", "visit"]].drop_duplicates()
    return [(str(c), int(m)) for c, m in zip(pairs["parameter"], pairs["visit"], strict=True)]


def _unit(record: pd.DataFrame, code: str) -> str:
    own = record[(record["parameter"] == code) & (record["statistic"] == "change")]
    unit = str(own["unit"].iloc[0])
    return {"score": ", points", "1": ""}.get(unit, f", {unit}")
