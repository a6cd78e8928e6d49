"""Load a data set that meets the contract, and the project's own tables beside it."""

import os
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from msct_helpers.trial import contract as check
from msct_helpers.trial.contract import CheckResult, check_folder
from msct_helpers.trial.findings import Log, Problem, describe_problems
from msct_helpers.trial.paths import ROOT, data_folder
from msct_helpers.trial.schema import Study
from msct_helpers.trial.text import show_text
from msct_helpers.trial.trial import Trial, convert_units

REFERENCES = ROOT / "tests" / "reference"
REFERENCE_COLUMNS = ["chapter", "id", "operationId", "rawValue", "formattedValue"]


class DataError(ValueError):
    """Everything that keeps a data set from meeting the contract, grouped, a line a kind."""

    def __init__(self, folder: Path, problems: list[Problem], rows: dict[str, int] | None = None):
        self.problems = problems
        count = f"{len(problems):,} problem{'s' * (len(problems) != 1)}"
        lines = [f"  {line}" for line in describe_problems(problems, rows)]
        super().__init__("\n".join([f"{show_text(folder.name)}: {count}", *lines]))


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
        Tables in the shape of `msct_helpers.trial.schema`, AVAL and AVALU in reporting units.

    Raises
    ------
    DataError
        If anything is not as the contract says. Names every problem with file, row, column, value
        and what was expected (`msct_helpers.trial.contract.check_folder`).
    """
    path = Path(folder) if folder is not None else data_folder()
    result = _check_once(path, _stamp(path))
    if result.trial is None:
        raise DataError(path, result.problems, result.rows)
    return _copy(result.trial)


def _stamp(folder: Path) -> tuple[object, ...]:
    """Return what changes with a folder's files, which are not read, or something ever new."""
    try:
        found = sorted((entry.name, entry.stat()) for entry in os.scandir(folder))
    except (OSError, ValueError):
        return (object(),)
    return tuple(
        (name, of.st_ino, of.st_size, of.st_mtime_ns, of.st_ctime_ns) for name, of in found
    )


@lru_cache(maxsize=4)
def _check_once(folder: Path, stamp: tuple[object, ...]) -> CheckResult:
    """Return `check_folder`, once for several chapters of a process."""
    return check_folder(folder)


def _copy(trial: Trial) -> Trial:
    """Return a trial whose tables may be changed: those that others get stay as they are."""
    tables = {
        field.name: value.copy(deep=False)
        for field in fields(trial)
        if isinstance(value := getattr(trial, field.name), pd.DataFrame)
    }
    return replace(trial, **tables)


def load_population() -> Trial:
    """Return the Mayo cohort, a population of such patients that no trial selected."""
    return load_trial(ROOT / "data" / "mayo_pbc")


def load_pair() -> tuple[Trial, Trial]:
    """Return the project's two synthetic data sets: of improvement, and of no change."""
    first, second = (load_trial(ROOT / "data" / f"msct_synthetic{end}") for end in ("", "_null"))
    return first, second


def load_study(folder: str | Path | None = None) -> Study:
    """Read ``study.yml`` alone, held to the contract; `DataError` where it does not meet it."""
    path = Path(folder) if folder is not None else data_folder()
    log = Log()
    study = check.load_study(path, log)
    if study is None:
        raise DataError(path, log.problems)
    return study


def load_statements(path: Path | None = None) -> pd.DataFrame:
    """Read published statements: one row a statement, blank where the source says nothing.

    Parameters
    ----------
    path
        Statements of another abstract; by default those of ``data/published/statements.csv``.
    """
    path = path or ROOT / "data/published/statements.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def load_reference(dataset: str) -> pd.DataFrame | None:
    """Read the results stored for a data set; None where none are.

    Returns
    -------
    DataFrame
        chapter, id, operationId, rawValue (missing where there is none) and formattedValue.

    Raises
    ------
    ValueError
        If the file is not as `msct_helpers.check.verify` writes it.
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


__all__ = [
    "DataError",
    "Trial",
    "convert_units",
    "load_reference",
    "load_standards",
    "load_statements",
    "load_study",
    "load_trial",
    "read_results",
]
