"""Load a data set and hold it to the contract. The only module that reads data files."""

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import yaml

from msct_helpers.paths import ROOT, data_folder, digest_data
from msct_helpers.schema import OPTIONAL, PARAMETERS, SCHEMAS, Study

REFERENCES = ROOT / "tests" / "reference"
REFERENCE_COLUMNS = ["chapter", "id", "operationId", "rawValue", "formattedValue"]


@dataclass(frozen=True)
class Trial:
    """A validated data set, with values in the reporting units of its ``study.yml``.

    ``adae`` is None where adverse events were not recorded; an empty table means that they were
    recorded and none occurred. ``adex`` is None where infusions were not recorded one by one.
    """

    study: Study
    adsl: pd.DataFrame
    adlb: pd.DataFrame
    adae: pd.DataFrame | None
    adex: pd.DataFrame | None
    folder: str
    digest: str

    @property
    def synthetic(self) -> bool:
        """True where no participant is a real person."""
        return self.study.origin == "synthetic"

    @property
    def efficacy_labs(self) -> pd.DataFrame:
        """Measurements of the full analysis set."""
        members = self.adsl.loc[self.adsl["FASFL"] == "Y", "USUBJID"]
        return self.adlb[self.adlb["USUBJID"].isin(members)]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Codes of the laboratory parameters that the data set records."""
        return tuple(code for code in PARAMETERS if (self.adlb["PARAMCD"] == code).any())


class DataError(ValueError):
    """Everything that keeps a data set from meeting the contract, one line a problem."""

    def __init__(self, folder: Path, problems: list[str]):
        self.problems = problems
        count = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        super().__init__(f"{folder.name}: {count}\n" + "\n".join(f"  {p}" for p in problems))


def load_trial(folder: str | Path | None = None) -> Trial:
    """Read, validate and convert a data set.

    Parameters
    ----------
    folder
        Folder with ``study.yml``, ``adsl.csv``, ``adlb.csv`` and, where adverse events or
        infusions were recorded, ``adae.csv`` and ``adex.csv``. Default: the folder that
        ``MSCT_DATA`` names.

    Returns
    -------
    Trial
        Tables in the shape of `msct_helpers.schema`, AVAL and AVALU in reporting units.

    Raises
    ------
    DataError
        If anything is not as the contract says. Lists every problem with file, row, column, value
        and what was expected.
    """
    path = Path(folder) if folder is not None else data_folder()
    problems: list[str] = []
    study = _read_study(path, problems)
    tables = {name: _read_table(path, name, problems) for name in SCHEMAS}
    checked = {name: _check_table(name, t, problems) for name, t in tables.items()}
    adsl, adlb = checked["adsl"], checked["adlb"]
    if adsl is not None:
        problems += check_between(adsl, adlb, checked["adae"], checked["adex"])
    if problems or study is None or adsl is None or adlb is None:
        raise DataError(path, problems)
    labs = convert_units(adlb, study.reporting_units)
    others = {name: checked[name] for name in OPTIONAL}
    return Trial(study, adsl, labs, **others, folder=path.name, digest=digest_data(path))


def load_statements() -> pd.DataFrame:
    """Read the published statements: one row a statement, blank where the source says nothing."""
    return pd.read_csv(ROOT / "data/published/statements.csv", dtype=str, keep_default_na=False)


def load_reference(dataset: str) -> pd.DataFrame | None:
    """Read the results stored for a data set; None where none are.

    Returns
    -------
    DataFrame
        chapter, id, operationId, rawValue (missing where there is none) and formattedValue.

    Raises
    ------
    ValueError
        If the file is not as `msct_helpers.verify` writes it.
    """
    path = REFERENCES / dataset / "ard.csv"
    return read_results(path) if path.is_file() else None


def read_results(path: Path) -> pd.DataFrame:
    """Read published results, or those stored as a reference, in the columns of a reference."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [column for column in REFERENCE_COLUMNS if column not in table]
    if missing:
        raise ValueError(f"{path.name}: no column {missing[0]}; expected {REFERENCE_COLUMNS}")
    values = pd.to_numeric(table["rawValue"].replace("", "nan"), errors="coerce")
    unread = values.isna() & ~table["rawValue"].isin(["", "nan"])
    if unread.any():
        row = int(unread.idxmax())
        seen = table.loc[row, "rawValue"]
        raise ValueError(f"{path.name} row {row + 2}, rawValue: {seen!r}; expected a number")
    return table[REFERENCE_COLUMNS].assign(rawValue=values)


def load_standards() -> list[dict[str, Any]]:
    """Read the reporting standards: name, about, source and items of each."""
    text = (ROOT / "data/standards.yml").read_text(encoding="utf-8")
    standards: list[dict[str, Any]] = yaml.safe_load(text)
    return standards


def convert_units(adlb: pd.DataFrame, reporting: dict[str, str]) -> pd.DataFrame:
    """Return the table with AVAL and AVALU in reporting units.

    Parameters
    ----------
    adlb
        Columns PARAMCD, AVAL, AVALU; units as `msct_helpers.schema.PARAMETERS` lists them.
    reporting
        Unit by parameter code; a parameter that is not named goes to the first unit of its list.
    """
    target = adlb["PARAMCD"].map(
        {code: reporting.get(code, next(iter(p.units))) for code, p in PARAMETERS.items()}
    )
    factors = {(code, unit): f for code, p in PARAMETERS.items() for unit, f in p.units.items()}
    have = [factors[key] for key in zip(adlb["PARAMCD"], adlb["AVALU"], strict=True)]
    want = [factors[key] for key in zip(adlb["PARAMCD"], target, strict=True)]
    ratio = pd.Series(have, index=adlb.index, dtype=float) / pd.Series(
        want, index=adlb.index, dtype=float
    )
    return adlb.assign(AVAL=adlb["AVAL"] * ratio, AVALU=target)


def check_between(
    adsl: pd.DataFrame,
    adlb: pd.DataFrame | None,
    adae: pd.DataFrame | None,
    adex: pd.DataFrame | None,
) -> list[str]:
    """Return what does not fit between tables: who, days after the last, the first infusion."""
    problems = []
    tables = (("adlb", adlb, "ADY"), ("adae", adae, "ASTDY"), ("adex", adex, "ASTDY"))
    for name, table, day in tables:
        if table is None:
            continue
        # Of an empty table the keys would be mapped to text.
        last = table["USUBJID"].map(adsl.set_index("USUBJID")["EOSDY"]).astype(float)
        for row, who in table.loc[last.isna(), "USUBJID"].items():
            problems.append(_problem(name, row, "USUBJID", who, "a participant listed in adsl.csv"))
        for row in table.index[table[day] > last]:
            expected = f"a day no later than the participant's EOSDY ({last[row]:.0f})"
            problems.append(_problem(name, row, day, f"{table.loc[row, day]:.0f}", expected))
    if adex is not None:
        first = adsl["USUBJID"].map(adex.groupby("USUBJID")["ASTDY"].min())
        differs = ~((adsl["TRTSDY"] == first) | (adsl["TRTSDY"].isna() & first.isna()))
        for row in adsl.index[differs]:
            given = "blank" if pd.isna(first[row]) else f"{first[row]:.0f}"
            expected = f"the day of the first infusion in adex.csv ({given})"
            seen = adsl.loc[row, "TRTSDY"]
            seen = seen if pd.isna(seen) else f"{seen:.0f}"
            problems.append(_problem("adsl", row, "TRTSDY", seen, expected))
    return problems


def _read_study(folder: Path, problems: list[str]) -> Study | None:
    path = folder / "study.yml"
    if not path.is_file():
        problems.append(f"study.yml: file not found in {folder.name}; expected a description")
        return None
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    known = {f.name: f for f in fields(Study)}
    before = len(problems)
    for key in content.keys() - known.keys():
        problems.append(f"study.yml, {key}: not a known key; expected one of {', '.join(known)}")
    for name, f in known.items():
        if f.default is MISSING and content.get(name) in (None, ""):
            problems.append(f"study.yml, {name}: missing; expected {f.metadata['about']}")
    if content.get("origin") not in ("synthetic", "real"):
        problems.append(f"study.yml, origin: {content.get('origin')!r}; expected synthetic or real")
    for code, unit in (content.get("reporting_units") or {}).items():
        units = PARAMETERS[code].units if code in PARAMETERS else {}
        if unit not in units:
            expected = " or ".join(units) or f"a parameter among {', '.join(PARAMETERS)}"
            problems.append(f"study.yml, reporting_units {code}: {unit!r}; expected {expected}")
    for code, limits in (content.get("reference_ranges") or {}).items():
        ordered = isinstance(limits, list) and len(limits) == 2 and limits[0] < limits[1]
        if code not in PARAMETERS or not ordered:
            expected = f"[lower, upper] of a parameter among {', '.join(PARAMETERS)}"
            problems.append(f"study.yml, reference_ranges {code}: {limits!r}; expected {expected}")
    return Study(**content) if len(problems) == before else None


def _read_table(folder: Path, name: str, problems: list[str]) -> pd.DataFrame | None:
    path = folder / f"{name}.csv"
    if not path.is_file():
        if name not in OPTIONAL:
            problems.append(f"{path.name}: file not found in {folder.name}; expected a table")
        return None
    text = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    return text.astype(object)


def _check_table(name: str, table: pd.DataFrame | None, problems: list[str]) -> pd.DataFrame | None:
    """Validate one table; append its problems and return it typed, or None if it has any."""
    if table is None:
        return None
    cases, readable = [], table
    while True:
        try:
            valid = SCHEMAS[name].validate(readable, lazy=True)
            break
        except pa.errors.SchemaErrors as error:
            cases.append(error.failure_cases)
            # A cell that is no number hides what else is wrong in its column: look again without.
            unread = error.failure_cases[
                error.failure_cases["check"].astype(str).str.startswith("coerce_dtype")
            ].dropna(subset="index")
            if unread.empty or len(cases) > 1:
                break
            readable = readable.copy()
            for row, column in zip(unread["index"], unread["column"], strict=True):
                readable.loc[int(row), column] = None
    if cases:
        problems += _describe(name, table, pd.concat(cases))
        return None
    return valid


def _describe(name: str, table: pd.DataFrame, cases: pd.DataFrame) -> list[str]:
    """Turn pandera's failure cases into lines a clinician can act on, in the file's order."""
    schema, found = SCHEMAS[name], {}
    for case in cases.itertuples():
        check, row = str(case.check), case.index
        if check == "column_in_dataframe":
            column, row = str(case.failure_case), None
            expected = f"a column: {schema.columns[column].description}"
            found[(-1, column)] = f"{name}.csv, {column}: missing; expected {expected}"
            continue
        if case.schema_context == "DataFrameSchema":
            column, _, expected = check.partition("|")
        else:
            column = str(case.column)
            expected = _expected(check, str(schema.columns[column].description))
        if pd.isna(row) or column not in table:
            found.setdefault((-1, column), f"{name}.csv, {column}: expected {expected}")
            continue
        seen = table.loc[int(row), column]
        found.setdefault((int(row), column), _problem(name, int(row), column, seen, expected))
    in_rows = {column for row, column in found if row >= 0}
    return [found[key] for key in sorted(found) if key[0] >= 0 or key[1] not in in_rows]


def _expected(check: str, description: str) -> str:
    """Say in words what a check of a column asks for."""
    if check.startswith("coerce_dtype") or check.startswith("dtype"):
        return f"a number ({description})"
    if check == "not_nullable":
        return f"a value ({description})"
    if check == "field_uniqueness":
        return f"each value once ({description})"
    return check


def _problem(name: str, row: Any, column: str, seen: object, expected: str) -> str:
    value = "blank" if pd.isna(seen) else repr(seen)
    return f"{name}.csv row {int(row) + 2}, {column}: {value}; expected {expected}"
