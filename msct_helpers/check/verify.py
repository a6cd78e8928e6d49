"""Verify a book: data, results, ledger, links and standards, each against what is stored.

The book is built once more, strictly, in an empty folder: every chapter is executed afresh and
no result of an earlier run is used.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from msct_helpers import __version__
from msct_helpers.ard.reference import TOLERANCES, compare_records
from msct_helpers.book.records import CACHE, cache_folder, load
from msct_helpers.check.links import find_dead_links
from msct_helpers.check.provenance import PACKAGES
from msct_helpers.check.standards import check_standards
from msct_helpers.sphinx.processes import WATCH
from msct_helpers.trial.findings import describe_problems
from msct_helpers.trial.load import (
    REFERENCE_COLUMNS,
    REFERENCES,
    DataError,
    load_reference,
    load_standards,
    load_study,
    load_trial,
    read_results,
)
from msct_helpers.trial.paths import ROOT, digest_data

Say = Callable[[str], None]


@dataclass(frozen=True)
class Check:
    """One part of the verification: what was looked at, and what does not agree."""

    name: str
    looked_at: str
    problems: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """True where nothing differs."""
        return not self.problems


def verify_book(folder: Path, out: Path, say: Say) -> tuple[list[Check], pd.DataFrame | None]:
    """Verify the book of a data set.

    Parameters
    ----------
    folder
        Data-set folder.
    out
        Folder for the build of this verification; emptied first.
    say
        Called with a line of progress.

    Returns
    -------
    list of Check
        What agrees and what differs.
    DataFrame or None
        Present results in the columns of a reference; None where the book could not be built.
    """
    say(f"1/5 data of {folder.name}: digests and contract")
    checks, results = [check_data(folder)], None
    if not any(p.startswith("contract") for p in checks[0].problems):
        say("2/5 book: every chapter executed afresh, no cache, strict")
        checks.append(build_fresh(folder, out, say))
        html = out / "_build" / "html"
        if checks[-1].agrees:
            checks.append(check_repeated(out / "cache"))
            results = read_results(html / "results" / "ard.csv")
            say(f"3/5 results: {len(results)} values against the reference")
            checks += check_results(folder.name, results)
            say("4/5 links: every link between the pages")
            count, dead = find_dead_links(html)
            checks.append(Check("Links", f"{count} links between pages", dead))
    say("5/5 reporting standards: items, reasons and links")
    listed = load_standards()
    items = sum(len(s["items"]) for s in listed)
    checks.append(Check("Reporting standards", f"{items} items", check_standards(listed)))
    return checks, results


def certify(folder: Path, checks: list[Check], begun: float) -> dict[str, Any]:
    """Return the certificate of a verification, as plain values.

    Parameters
    ----------
    folder
        Data-set folder.
    checks
        What agrees and what differs.
    begun
        When it began, seconds of the epoch.
    """
    now = float(os.environ.get("SOURCE_DATE_EPOCH", begun))
    try:
        label = load_study(folder).label
    except DataError:
        label = ""
    return {
        "agrees": all(check.agrees for check in checks),
        "dataset": folder.name,
        "label": label,
        "digest": digest_data(folder),
        "started": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
        "seconds": round(time.time() - begun, 1),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "processors": str(os.cpu_count()),
            "python": platform.python_version(),
        },
        "versions": {"msct-helpers": __version__} | {name: version(name) for name in PACKAGES},
        "tolerances": [
            dict(zip(("statistics", "relative", "absolute", "why"), kind, strict=True))
            for kind in TOLERANCES
        ],
        "checks": [asdict(check) | {"agrees": check.agrees} for check in checks],
    }


def list_digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each table and description of a data set, by file name."""
    files = sorted([*folder.glob("*.csv"), *folder.glob("*.yml")])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_data(folder: Path) -> Check:
    """Compare the files of a data set with their stored digests, and hold them to the contract."""
    problems = []
    stored = REFERENCES / folder.name / "digests.json"
    digests = list_digests(folder)
    if stored.is_file():
        known = json.loads(stored.read_text(encoding="utf-8"))
        for name in sorted(known.keys() | digests.keys()):
            if known.get(name) != digests.get(name):
                state = "changed" if name in known and name in digests else "missing"
                state = "new" if name not in known else state
                problems.append(f"{name}: {state} since the reference was stored")
    else:
        problems.append(f"no digests are stored for {folder.name}; run msct verify --update")
    try:
        declared = load_trial(folder).study.checksums or {}
        problems += [
            f"{name}: sha256 differs from that in study.yml"
            for name, expected in declared.items()
            if digests.get(name) != expected
        ]
    except DataError as error:
        problems += [f"contract, {line}" for line in describe_problems(error.problems)]
    return Check("Data", f"{len(digests)} files: digests, contract, checksums", problems)


def build_fresh(folder: Path, out: Path, say: Say) -> Check:
    """Build the HTML book strictly, in an empty folder with an empty cache."""
    shutil.rmtree(out, ignore_errors=True)
    program = str(Path(sys.executable).parent / "jupyter-book")
    command = [program, "build", str(ROOT), "-W", "-n", "--keep-going", "--path-output", str(out)]
    own = {"MSCT_DATA": str(folder), CACHE: str(out / "cache"), WATCH: str(os.getpid())}
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=os.environ | own | {"NO_COLOR": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("  ["):
                say(line.rstrip())
    told = [line for line in lines if "WARNING" in line or "ERROR" in line or "Error" in line]
    problems = (told[-20:] or lines[-20:]) if process.returncode else []
    return Check("Book", "every chapter executed afresh; cross-references and warnings", problems)


def check_repeated(fresh: Path) -> Check:
    """Compare what chapters gave, executed afresh, with what earlier builds left of them.

    Words, numbers and drawings must be the same to the byte; of a chapter that was not executed
    before, as it stands, there is nothing to compare.
    """
    pairs = [(path, cache_folder() / path.name) for path in sorted(fresh.glob("*.json"))]
    again = [(path, kept) for path, kept in pairs if load(kept) is not None]
    problems = [
        f"{path.stem.rpartition('-')[0]}: executed again, it gives something else"
        for path, kept in again
        if path.read_bytes() != kept.read_bytes()
    ]
    return Check("Repetition", f"{len(again)} chapters against what earlier builds left", problems)


def check_results(dataset: str, results: pd.DataFrame) -> list[Check]:
    """Compare results and verdicts with the reference."""
    try:
        stored = load_reference(dataset)
    except ValueError as error:
        return [Check("Results", "reference", [str(error)])]
    if stored is None:
        problem = f"no reference is stored for {dataset}; run msct verify --update"
        return [Check("Results", f"{len(results)} values", [problem])]
    differences = compare_records(stored, results)
    ledger = [str(d) for d in differences if d.id.endswith(".verdict")]
    others = [str(d) for d in differences if not d.id.endswith(".verdict")]
    verdicts = results["operationId"].eq("verdict").sum()
    return [
        Check("Results", f"{len(results) - verdicts} values against the reference", others),
        Check("Ledger", f"{verdicts} verdicts against the reference", ledger),
    ]


def update_reference(folder: Path, results: pd.DataFrame) -> None:
    """Store digests and results of a data set as its reference."""
    home = REFERENCES / folder.name
    home.mkdir(parents=True, exist_ok=True)
    digests = json.dumps(list_digests(folder), indent=1) + "\n"
    (home / "digests.json").write_text(digests, encoding="utf-8", newline="\n")
    results[REFERENCE_COLUMNS].to_csv(home / "ard.csv", index=False, lineterminator="\n")
