"""`msct verify` on a copy of the project with one chapter: agrees, and says what does not."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from msct_helpers.book import records
from msct_helpers.check import verify as verify_module
from msct_helpers.check.cli import main
from msct_helpers.trial import load
from tests.conftest import ROOT, swap


@pytest.fixture(scope="module")
def project(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project of one chapter, with the results of its book as reference."""
    copy = shutil.copytree(small, tmp_path_factory.mktemp("verify") / "project")
    with patch.object(verify_module, "REFERENCES", copy / "tests/reference"):
        store_reference(copy / "data/msct_synthetic", small)
    return copy


def store_reference(data: Path, small: Path) -> None:
    """Store the results of the book of one chapter as reference of a data set."""
    results = load.read_results(small.parent / "fresh/_build/html/results/ard.csv")
    verify_module.update_reference(data, results)


def verify(project: Path) -> tuple[int, str]:
    """Run the command on a copy of the project and return its status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "msct_helpers.check.cli", "verify"],
        env=os.environ | {"PYTHONPATH": str(project), "MSCT_DATA": "data/msct_synthetic"},
        cwd=project,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


CHANGES = {
    "data": (
        "data/msct_synthetic/adsl.csv",
        "SYN-03,51,F,Autoimmune hepatitis,UMBILICAL CORD,1,DISCONTINUED,LOST TO FOLLOW-UP",
        "SYN-03,51,F,Autoimmune hepatitis,UMBILICAL CORD,1,DISCONTINUED,WITHDRAWAL BY SUBJECT",
        ["adsl.csv: changed", "safety, risk.lost-to-follow-up.count: 4 -> 3, by 1"],
    ),
    "reference": (
        "tests/reference/msct_synthetic/ard.csv",
        "safety,risk.death.percent,percent,11.538461538461538,12",
        "safety,risk.death.percent,percent,12.538461538461538,13",
        ["safety, risk.death.percent: 13 -> 12, by 1"],
    ),
    "spoilt reference": (
        "tests/reference/msct_synthetic/ard.csv",
        "safety,risk.death.percent,percent,11.538461538461538,12",
        "safety,risk.death.percent,percent,eleven,12",
        ["rawValue: 'eleven'; expected a number"],
    ),
    "constant": (
        "msct_helpers/safety/safety.py",
        "/ DAYS_A_YEAR",
        "/ 365",
        ["safety, exposure.years: 40.6 (40.56125941) -> 40.6 (40.5890411), by 0.0278"],
    ),
    "contract": (
        "data/msct_synthetic/adlb.csv",
        "SYN-01,ALT,Baseline,0,1,58.0,U/L",
        "SYN-01,ALT,Baseline,0,1,much,U/L",
        ["contract, adlb.csv row 2, AVAL: 'much' (participant SYN-01); expected a number"],
    ),
    "standards": (
        "data/standards.yml",
        "reason: Single arm, so there are no groups to compare.",
        'reason: ""',
        ["trend 15: not applicable, without a reason"],
    ),
}
"""File, what stands in it, what is put there, and the lines that must name the change."""

LOOKED_AT = {
    "data": "Data",
    "reference": "Results",
    "spoilt reference": "Results",
    "contract": "Data",
    "standards": "Reporting standards",
}
"""Check of the certificate that must not agree where nothing else was changed."""


def test_what_is_corrupted_is_named_after_a_build(project: Path) -> None:
    changes = [CHANGES[name] for name in ("data", "constant")]
    former = [swap(project / file, old, new) for file, old, new, _ in changes]
    try:
        status, printed = verify(project)
    finally:
        for (file, *_), content in zip(changes, former, strict=True):
            (project / file).write_text(content)
    assert status == 1, printed
    assert "[1/1]" in printed, "no progress was shown"
    for line in (line for *_, lines in changes for line in lines):
        assert line in printed
    told = json.loads((project / "_build/verify/certificate.json").read_text())
    assert not told["agrees"]


@pytest.fixture
def home(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of data and reference, to which `msct verify` in this process holds a book.

    The book is that of one chapter, built before: a change that needs a build is not seen.
    """
    shutil.copytree(ROOT / "data", tmp_path / "data")
    references = tmp_path / "tests/reference"
    monkeypatch.setattr(verify_module, "REFERENCES", references)
    monkeypatch.setattr(load, "REFERENCES", references)
    monkeypatch.setattr(load, "ROOT", tmp_path)
    monkeypatch.setenv("MSCT_DATA", str(tmp_path / "data/msct_synthetic"))
    book = small.parent / "fresh/_build"

    def take_built(folder: Path, out: Path, say: verify_module.Say) -> verify_module.Check:
        shutil.copytree(book, out / "_build")
        return verify_module.Check("Book", "built before")

    monkeypatch.setattr(verify_module, "build_fresh", take_built)
    store_reference(tmp_path / "data/msct_synthetic", small)
    return tmp_path


def run_here(home: Path, *options: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["verify", "--out", str(home / "out"), *options])


def verify_here(home: Path) -> tuple[int, str, Any]:
    """Return the status of the command, its words and the certificate."""
    done = run_here(home)
    return done.exit_code, done.output, json.loads((home / "out/certificate.json").read_text())


def test_what_was_stored_agrees(home: Path) -> None:
    status, printed, told = verify_here(home)
    assert status == 0, printed
    assert "Results: agrees" in printed
    assert told["agrees"]
    assert {c["name"] for c in told["checks"]} >= {"Data", "Book", "Results", "Ledger", "Links"}
    page = (home / "out/certificate.html").read_text()
    assert "Everything agrees" in page
    assert "Synthetic data" in page
    assert str(ROOT) not in page + json.dumps(told)


def test_a_chapter_that_gives_something_else_again_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(records.CACHE, str(tmp_path / "kept"))
    for name, kept, fresh in (("meld-1", 1, 1), ("safety-2", 1, 2), ("worlds-3", None, 1)):
        records.store(tmp_path / "fresh" / f"{name}.json", fresh)
        if kept is not None:
            records.store(tmp_path / "kept" / f"{name}.json", kept)
    found = verify_module.check_repeated(tmp_path / "fresh")
    assert found.looked_at.startswith("2 chapters")
    assert found.problems == ["safety: executed again, it gives something else"]


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "constant"])
def test_each_change_alone_is_named(home: Path, name: str) -> None:
    file, old, new, lines = CHANGES[name]
    swap(home / file, old, new)
    status, printed, told = verify_here(home)
    assert status == 1, printed
    assert lines[0] in printed
    # Data that break the contract end it before a build.
    assert ("2/5" in printed) == (name != "contract")
    assert not told["agrees"]
    assert [c["name"] for c in told["checks"] if not c["agrees"]] == [LOOKED_AT[name]]


def test_what_is_found_becomes_the_reference_on_purpose(home: Path) -> None:
    file, old, new, _ = CHANGES["data"]
    swap(home / file, old, new)
    done = run_here(home, "--update")
    assert done.exit_code == 0, done.output
    assert re.search(r"Stored \d\d+ results as the reference of msct_synthetic", done.output)
    assert verify_here(home)[0] == 0
    file, old, new, _ = CHANGES["contract"]
    swap(home / file, old, new)
    done = run_here(home, "--update")
    assert done.exit_code == 1
    assert "the reference was left as it was" in done.output
