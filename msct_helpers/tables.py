"""Display tables: text only, taken from the record. No statistic is computed here."""

import pandas as pd

from msct_helpers.results import get_text, make_id
from msct_helpers.schema import ADSL, PARAMETERS, SCHEMAS, VISITS, Study

LABELS = {
    "UMBILICAL CORD": "umbilical cord",
    "CORD BLOOD": "cord blood",
    "BONE MARROW": "bone marrow",
    "NOT APPLICABLE": "no MSC given",
    "DEATH": "died",
    "LIVER TRANSPLANT": "received a liver transplant",
    "LOST TO FOLLOW-UP": "lost to follow-up",
    "WITHDRAWAL BY SUBJECT": "withdrew",
    "IN FOLLOW-UP": "still followed at two years",
    "FOLLOW-UP ENDED": "alive, data end earlier",
    "SERIOUS 24H": "serious adverse event within 24 hours of an infusion",
    "F": "women",
    "M": "men",
    "NOT RECORDED": "not recorded",
}
"""Words for coded values."""


def table_disposition(record: pd.DataFrame) -> pd.DataFrame:
    """Return cell source and outcome at two years as n (%)."""
    rows = []
    for analysis, head in (("source", "Cell source"), ("status", "Outcome at two years")):
        for group in record.loc[record["analysis"] == analysis, "group"].unique():
            rows.append((head, LABELS.get(group, group), _n_percent(record, analysis, group)))
    out = pd.DataFrame(rows, columns=["Item", "Group", "Participants, n (%)"])
    return out.assign(Item=out["Item"].mask(out["Item"].duplicated(), ""))


def table_attendance(record: pd.DataFrame) -> pd.DataFrame:
    """Return who was seen, followed and gone at each visit as n (%)."""
    rows = [
        (
            unbroken(visit),
            *(_n_percent(record, "visit", g, month) for g in ("SEEN", "FOLLOWED", "LEFT")),
        )
        for month, visit in VISITS.items()
    ]
    return pd.DataFrame(rows, columns=["Visit", "Seen, n (%)", "Followed, n (%)", "Left, n (%)"])


def table_baseline(record: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return baseline characteristics: n, mean (SD) and median (quartiles), or n (%).

    Parameters
    ----------
    record
        Record of `msct_helpers.population.summarise_baseline`.
    names
        Name of each score by its code.
    """
    text = get_text(record)
    rows = []
    for (code, group), part in record.groupby(["parameter", "group"], sort=False):
        if group:
            head = {"SEX": "Sex", "DIAG": "Diagnosis"}[code]
            name = LABELS.get(group, group)
            share = _n_percent(record, "base", group, parameter=code)
            rows.append((f"{head}: {name}", part["n"].iloc[0], share, ""))
            continue
        t = {s: text[make_id("base", s, code)] for s in part["statistic"]}
        rows.append(
            (
                name_parameter(code, str(part["unit"].iloc[0]), names),
                t["n"],
                f"{t['mean']} ({t['sd']})",
                f"{t['median']} ({t['q1']} to {t['q3']})",
            )
        )
    columns = ["Characteristic", "n", "Mean (SD) or n (%)", "Median (quartiles)"]
    return pd.DataFrame(rows, columns=columns)


def table_change(record: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return a parameter's course: as observed and among pairs, one row a visit."""
    text = get_text(record)

    def cell(analysis: str, statistic: str, month: int) -> str:
        return text[make_id(analysis, statistic, code, month)]

    rows = []
    for month, visit in VISITS.items():
        seen = (
            unbroken(visit),
            cell("obs", "n", month),
            unbroken(f"{cell('obs', 'mean', month)} ({cell('obs', 'sd', month)})"),
        )
        if not month:
            rows.append((*seen, "", "", "", "", ""))
            continue
        pairs = [cell("chg", s, month) for s in ("n", "mean", "p_t", "p_wilcoxon")]
        interval = f"{cell('chg', 'ci_low', month)} to {cell('chg', 'ci_high', month)}"
        rows.append((*seen, pairs[0], pairs[1], unbroken(interval), pairs[2], pairs[3]))
    columns = ["Visit", "Seen, n", "Mean (SD), all seen", "Pairs, n", "Mean change, pairs"]
    return pd.DataFrame(rows, columns=[*columns, "95% CI", "p, paired t", "p, Wilcoxon"])


def table_risks(record: pd.DataFrame) -> pd.DataFrame:
    """Return risks with exact intervals."""
    text = get_text(record)
    rows = []
    for group in record.loc[record["analysis"] == "risk", "group"].unique():
        t = {
            s: text[make_id("risk", s, group=group)]
            for s in ("count", "denominator", "percent", "percent_low", "percent_high")
        }
        interval = f"{t['percent_low']} to {t['percent_high']}"
        name = LABELS[group].capitalize()
        rows.append(
            (
                name,
                unbroken(f"{t['count']} of {t['denominator']}"),
                t["percent"],
                unbroken(interval),
            )
        )
    return pd.DataFrame(rows, columns=["Event", "Participants", "Per cent", "Exact 95% CI, %"])


def table_events(record: pd.DataFrame) -> pd.DataFrame:
    """Return adverse events by system organ class and preferred term."""
    text = get_text(record)
    rows = []
    terms = record.drop_duplicates(["parameter", "group"])
    for organ, term in zip(terms["parameter"], terms["group"], strict=True):
        t = {
            s: text[make_id("ae", s, organ, group=term)]
            for s in ("count", "percent", "events_count", "serious_count", "severe_count")
        }
        share = f"{t['count']} ({t['percent']})"
        rows.append((organ, term, share, t["events_count"], t["serious_count"], t["severe_count"]))
    heads = ["System organ class", "Preferred term", "Participants, n (%)", "Events"]
    out = pd.DataFrame(rows, columns=[*heads, "Serious, n", "Grade 3 or more, n"])
    first = out["System organ class"].mask(out["System organ class"].duplicated(), "")
    return out.assign(**{"System organ class": first})


def table_dictionary(table: str) -> pd.DataFrame:
    """Return the data dictionary of a table, from the schema that validates it."""
    schema = SCHEMAS[table]
    rows = []
    for name, column in schema.columns.items():
        kind = "number" if str(column.dtype) == "float64" else "text"
        rules = [str(c.error) for c in column.checks]
        rules += ["each value once"] if column.unique else []
        rules += ["may be blank"] if column.nullable else []
        rows.append((f"`{name}`", column.description, kind, "; ".join(rules)))
    return pd.DataFrame(rows, columns=["Variable", "Meaning", "Type", "Rule"])


def table_rules(table: str) -> pd.DataFrame:
    """Return the rules that hold between columns of a table."""
    rows = [str(check.error).partition("|")[::2] for check in SCHEMAS[table].checks]
    return pd.DataFrame([(f"`{c}`", e) for c, e in rows], columns=["Variable", "Rule"])


def table_units() -> pd.DataFrame:
    """Return the parameters with the units that are read and converted."""
    rows = []
    for p in PARAMETERS.values():
        units = [f"{u} (1 = {f:g} {next(iter(p.units))})" for u, f in list(p.units.items())[1:]]
        rows.append((f"`{p.code}`", p.name, ", ".join([next(iter(p.units)), *units])))
    return pd.DataFrame(rows, columns=["PARAMCD", "Parameter", "Units"])


def table_study() -> pd.DataFrame:
    """Return the keys of ``study.yml``."""
    rows = [(f"`{n}`", f.metadata["about"]) for n, f in Study.__dataclass_fields__.items()]
    return pd.DataFrame(rows, columns=["Key", "Meaning"])


def name_parameter(code: str, unit: str, names: dict[str, str]) -> str:
    """Return a parameter or score with its unit, as a row's head."""
    if code == "AGE":
        return f"{ADSL.columns['AGE'].description}"
    if code in names:
        return f"{names[code]}, points"
    name = PARAMETERS[code].name
    return name if unit == "1" else f"{name}, {unit}"


def _n_percent(
    record: pd.DataFrame, analysis: str, group: str, visit: int | None = None, parameter: str = ""
) -> str:
    text = get_text(record)
    count = text[make_id(analysis, "count", parameter, visit, group)]
    return f"{count} ({text[make_id(analysis, 'percent', parameter, visit, group)]})"


def unbroken(text: str) -> str:
    """Return a short text that does not break over lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
