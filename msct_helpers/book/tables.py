"""Display tables: text only, taken from the record. No statistic is computed here."""

import re

import pandas as pd

from msct_helpers.book.document import quote
from msct_helpers.trial.load import Trial
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import KEYS, PARAMETERS, make_schemas


def table_dictionary(table: str, plan: Plan) -> pd.DataFrame:
    """Return the data dictionary of a table, from the schema that validates it."""
    schema = make_schemas(plan)[table]
    rows = []
    for name, column in schema.columns.items():
        kind = "number" if str(column.dtype) == "float64" else "text"
        rules = [str(c.error) for c in column.checks]
        rules += ["each value once"] if column.unique else []
        rules += ["may be blank"] if column.nullable else []
        rows.append((f"`{name}`", column.description, kind, "; ".join(rules)))
    return pd.DataFrame(rows, columns=["Variable", "Meaning", "Type", "Rule"])


def table_rules(table: str, plan: Plan) -> pd.DataFrame:
    """Return the rules that hold between columns of a table."""
    rows = [str(check.error).partition("|")[::2] for check in make_schemas(plan)[table].checks]
    return pd.DataFrame([(f"`{c}`", e) for c, e in rows], columns=["Variable", "Rule"])


def table_units() -> pd.DataFrame:
    """Return the parameters with the units that are read and converted."""
    rows = []
    for p in PARAMETERS.values():
        units = [f"{u} (1 = {f:g} {next(iter(p.units))})" for u, f in list(p.units.items())[1:]]
        rows.append((f"`{p.code}`", p.title, ", ".join([next(iter(p.units)), *units])))
    return pd.DataFrame(rows, columns=["PARAMCD", "Parameter", "Units"])


def table_study() -> pd.DataFrame:
    """Return the keys of ``study.yml``."""
    rows = [(f"`{key}`", about) for key, about in KEYS.items()]
    return pd.DataFrame(rows, columns=["Key", "Meaning"])


def hide_participants(text: str, people: set[str]) -> str:
    """Return a text in which quoted participants are not named."""

    def hide(match: re.Match[str]) -> str:
        words = match.group(1).split(" ")
        for end in range(len(words), 0, -1):
            if " ".join(words[:end]) in people:
                return " ".join(["a participant", *words[end:]])
        return match.group()

    return re.sub(r"'([^']*)'", hide, text)


def table_readings(trial: Trial) -> pd.DataFrame:
    """Return what of a data set was read otherwise than it literally stands in its files.

    Nobody is named: who needs to know uses ``msct check``.
    """
    people = set(trial.adsl["USUBJID"])
    rows = [
        (
            f"`{quote(r.file)}`",
            f"`{quote(r.column)}`" if r.column else "",
            quote(hide_participants(r.text, people)),
            str(r.count),
        )
        for r in sorted(trial.readings, key=lambda r: not r.matters)
    ]
    return pd.DataFrame(rows, columns=["File", "Column", "Read as", "Rows or values"])
