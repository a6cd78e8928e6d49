"""Check a data set: every problem and every reading of all its files, in one run.

`check_folder` takes any folder at all and never raises: what cannot be read is a problem that is
named.
"""

import gc
import hashlib
import os
import re
import traceback
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from msct_helpers.trial import labs, rules
from msct_helpers.trial.cells import Table, fill_blank_terms, make_table, refuse_near_terms
from msct_helpers.trial.findings import (
    Log,
    Problem,
    Reading,
    describe_problems,
    describe_readings,
    list_values,
)
from msct_helpers.trial.paths import digest_data
from msct_helpers.trial.plan import Plan, make_plan
from msct_helpers.trial.read import TABLE_BYTES, decode, parse_csv, read_bytes
from msct_helpers.trial.schema import OPTIONAL, TABLES, Study, make_schemas
from msct_helpers.trial.study import FILE, check_ranges, read_study
from msct_helpers.trial.text import has_hidden, show_text
from msct_helpers.trial.trial import Trial, convert_units

DATA_FILES = re.compile(
    r".*\.(csv|tsv|txt|tab|dat|xlsx?|xlsm|ods|sas7bdat|xpt|parquet|json|sav|dta|rds|gz|zip|ya?ml)"
)
"""Names of files that may be meant as data."""

FILES = (FILE, *(f"{name}.csv" for name in TABLES))
"""Files that are read, in the order of the report."""

UNKNOWN = make_plan(1, (0, 1))
"""The plan in place of one that cannot be read; it rules out what every plan does."""

DATES = {"adlb": "ADT", "adae": "ASTDT", "adex": "ASTDT"}
"""Column of dates by table."""


@dataclass
class CheckResult:
    """What checking a folder found: problems, readings, and the trial where there is no problem."""

    folder: str
    problems: list[Problem] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    trial: Trial | None = None
    rows: dict[str, int] = field(default_factory=dict)

    def describe(self) -> str:
        """Return the report: problems grouped and capped, then how things were read."""
        count = f"{len(self.problems):,} problem{'s' * (len(self.problems) != 1)}"
        lines = [f"{show_text(self.folder)}: {count if self.problems else 'no problem'}"]
        lines += [f"  {line}" for line in describe_problems(self.problems, self.rows)]
        if self.readings:
            lines.append("Read in a way that the files do not literally say:")
            lines += [f"  {line}" for line in describe_readings(self.readings)]
        return "\n".join(lines)


def check_folder(folder: str | Path) -> CheckResult:
    """Return everything that is wrong with a data set, and how it was read.

    Parameters
    ----------
    folder
        Folder with ``study.yml`` and the tables; whatever it holds, nothing is raised.
    """
    log = Log()
    result = CheckResult(Path(folder).name or str(folder), log.problems, log.readings)
    # Of a million rows, looking for garbage would take longer than reading them.
    collecting = gc.isenabled()
    gc.disable()
    try:
        _check(Path(folder), result, log)
    except Exception as error:
        # The last resort: a data set must never be able to stop the check itself.
        where = traceback.extract_tb(error.__traceback__)[-1].name
        note = f"{type(error).__name__} in {where}: {show_text(str(error))}"
        expected = "a data set that this check can follow; internal error"
        log.refuse(result.folder, expected, note=note)
        result.trial = None
    finally:
        if collecting:
            gc.enable()
    rank = {file: i for i, file in enumerate(FILES)}
    for found in (result.problems, result.readings):
        found.sort(key=lambda p: rank.get(p.file, len(rank)))
    return result


def load_study(folder: Path, log: Log) -> Study | None:
    """Return what ``study.yml`` of a folder says, or None with its problems in the log."""
    names = _list_names(folder, log)
    return read_study(folder, log)[0] if names and _is_there(FILE, names, log) else None


def _check(folder: Path, result: CheckResult, log: Log) -> None:
    names = _list_names(folder, log)
    if names is None:
        return
    study, plan = read_study(folder, log) if _is_there(FILE, names, log) else (None, None)
    schemas = make_schemas(plan or UNKNOWN)
    tables = {name: _read_table(folder, name, schemas[name], names, log) for name in TABLES}
    _state_others(folder, names, study, log)
    result.rows = {t.file: len(t.lines) for t in tables.values() if t is not None}
    found = _check_tables(tables, study, plan, log)
    if study is not None:
        check_ranges(study, log)
        _check_sums(folder, names, study, log)
    if not log.problems and study is not None:
        result.trial = _make_trial(folder, study, tables, found, log)


def _list_names(folder: Path, log: Log) -> list[str] | None:
    """Return the names in a folder; refuse a folder that cannot be listed or named."""
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        log.refuse(folder.name, "a folder with a data set", note=why.lower())
        return None
    name = folder.resolve().name
    if has_hidden(name) or not name.strip():
        log.refuse(name, "a folder whose name can be seen and is UTF-8", value=name)
        return None
    for other in names:
        if re.search("[\ud800-\udfff]", other):
            log.refuse(other, "a file whose name is UTF-8", value=other)
    return names


def _is_there(file: str, names: list[str], log: Log) -> bool:
    """Return True where a file has exactly its name; refuse files that are nearly called so."""
    stem = file.partition(".")[0]
    near = [n for n in names if n != file and _is_near(n, stem)]
    for name in near:
        remedy = f"Rename it to {file}" if file not in names else "Move it to another folder"
        expected = f"{file}, as the only file of this kind"
        log.refuse(name, expected, value=name, remedy=remedy)
    if file in names:
        return True
    if stem not in OPTIONAL and not near:
        log.refuse(file, "a file of this name", note="not found")
    return False


def _is_near(name: str, stem: str) -> bool:
    plain = unicodedata.normalize("NFKC", name).casefold()
    letters = re.sub(r"[^a-z]", "", plain)
    if stem == "study":
        return letters.startswith("study") and bool(re.fullmatch(r".*\.(ya?ml|txt)\s*", plain))
    return stem in letters and not plain.endswith((".py", ".md", ".r", ".sas"))


def _read_table(
    folder: Path, name: str, schema: pa.DataFrameSchema, names: list[str], log: Log
) -> Table | None:
    file = f"{name}.csv"
    if not _is_there(file, names, log):
        return None
    content = read_bytes(folder / file, TABLE_BYTES, log)
    text = decode(content, file, log) if content is not None else None
    sheet = parse_csv(text, file, log) if text is not None else None
    return make_table(name, sheet, schema, log) if sheet is not None else None


def _state_others(folder: Path, names: list[str], study: Study | None, log: Log) -> None:
    read = {*FILES, *((study and study.checksums) or {}), *(p.file for p in log.problems)}
    other = [n for n in names if n not in read and DATA_FILES.fullmatch(n.casefold())]
    inner = [n for n in names if n not in other and n[0] != "." and os.path.isdir(folder / n)]
    for kind, found in (("files", other), ("folders", inner)):
        if found:
            log.state("folder", "", f"{kind} not read: {list_values(found)}", len(found))


def _check_sums(folder: Path, names: list[str], study: Study, log: Log) -> None:
    """Refuse checksums that a file of the folder does not have; state those of no file."""
    for name, told in (study.checksums or {}).items():
        if name not in names:
            log.state(FILE, "checksums", f"no file {list_values([name])} to compare with")
            continue
        content = read_bytes(folder / name, TABLE_BYTES, log)
        if content is not None and hashlib.sha256(content).hexdigest() != told:
            expected = f"the sha256 of {show_text(name)} as it is; the file is another"
            log.refuse(FILE, expected, column="checksums", value=told)


def _check_tables(
    tables: dict[str, Table | None], study: Study | None, plan: Plan | None, log: Log
) -> labs.Labs | None:
    """Check each table, then all of them together; return the laboratory rows by their use."""
    adsl, adlb, adae, adex = (tables[name] for name in TABLES)
    others = [t for t in (adlb, adae, adex) if t is not None]
    for table in (adsl, *others):
        if table is not None:
            rules.check_copies(table)
            refuse_near_terms(table)
    _fill_days(adsl, others)
    sorted_labs = _check_labs(adlb, plan) if adlb is not None and plan is not None else None
    if adae is not None:
        fill_blank_terms(adae)
        rules.check_events(adae)
    for table in (adae, adex):
        if table is not None:
            rules.check_columns(table)
    if adsl is not None:
        _check_between(adsl, adlb, adae, adex)
        if adlb is not None and sorted_labs is not None:
            rules.state_late_baselines(adlb, adsl, sorted_labs.planned)
        if study is not None:
            rules.check_study(study, adsl, log)
    return sorted_labs


def _fill_days(adsl: Table | None, others: list[Table]) -> None:
    """Derive study days from dates, and the last day of those in ongoing follow-up."""
    adlb = next((t for t in others if t.name == "adlb"), None)
    first = labs.find_first_dates(adsl, adlb) if adsl is not None else pd.Series(dtype=object)
    for table in others:
        labs.derive_days(table, rules.DAYS[table.name], DATES[table.name], first)
        rules.check_day_column(table)
    if adsl is not None:
        rules.read_unknown_sex(adsl)
        rules.fill_last_days(adsl, others)


def _check_labs(adlb: Table, plan: Plan) -> labs.Labs:
    every = adlb.data
    found = labs.sort_labs(adlb, plan)
    adlb.data = analysed = pd.concat([found.planned, found.unscheduled]).sort_index()
    rules.check_columns(adlb, skip=("AVISIT", "AVISITN"))
    adlb.data = found.planned
    rules.check_columns(adlb, only=("AVISIT", "AVISITN"))
    labs.check_plausible(adlb, analysed)
    rules.check_baselines(found.planned, adlb)
    adlb.data = every
    return found


def _check_between(adsl: Table, adlb: Table | None, adae: Table | None, adex: Table | None) -> None:
    if adex is not None:
        rules.state_doses(adex)
        if adsl.whole and adex.whole:
            rules.check_infusions(adsl, adex)
    rules.check_subjects(adsl)
    rules.check_columns(adsl)
    for table in (adlb, adae, adex):
        if table is not None and adsl.whole and len(adsl.data):
            rules.check_people(table, adsl)
            rules.check_last_days(table, adsl)
    if adae is not None:
        rules.check_fatal(adsl, adae)
        rules.check_hours(adsl, adae, adex)


def _make_trial(
    folder: Path, study: Study, tables: dict[str, Table | None], found: labs.Labs | None, log: Log
) -> Trial | None:
    adsl, _, adae, adex = (_finish(tables[name]) for name in TABLES)
    if adsl is None or found is None:
        return None
    try:
        digest = digest_data(folder)
    except OSError as error:
        log.refuse(Path(error.filename or "").name, "a file that can be read")
        return None
    measured = (found.planned, found.unscheduled)
    adlb, unscheduled = (_type(convert_units(d, study.reporting_units)) for d in measured)
    return Trial(
        study=study,
        adsl=adsl,
        adlb=adlb,
        adae=adae,
        adex=adex,
        folder=folder.resolve().name,
        digest=digest,
        unscheduled=unscheduled,
        carried=_type(found.carried),
        readings=tuple(log.readings),
    )


def _finish(table: Table | None) -> pd.DataFrame | None:
    """Return the columns of the contract, and AESEV where the file has it."""
    if table is None:
        return None
    return _type(table.data[[c for c in (*table.schema.columns, "AESEV") if c in table.data]])


def _type(data: pd.DataFrame) -> pd.DataFrame:
    """Return a table with columns of text typed as text, and rows numbered from 0."""
    texts = [c for c in data if data[c].dtype == object]
    return data.reset_index(drop=True).astype(dict.fromkeys(texts, "str"))
