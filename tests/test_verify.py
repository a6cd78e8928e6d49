"""`msct verify` on a copy of the project with two chapters: agrees, and says what does not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, build_book

TOC = "format: jb-book\nroot: chapters/safety\nchapters:\n  - file: chapters/discussion\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project with two chapters and a reference of its own."""
    copy = tmp_path_factory.mktemp("verify") / "project"
    ignore = shutil.ignore_patterns("_build", ".*", "__pycache__", "*.egg-info", "notebooks")
    shutil.copytree(ROOT, copy, ignore=ignore)
    (copy / "_toc.yml").write_text(TOC)
    for name in ("safety", "discussion"):
        page = copy / "chapters" / f"{name}.md"
        for link in ("meld", "statements"):
            page.write_text(page.read_text().replace(f"{{doc}}`{link}`", "elsewhere"))
    for stale in ("msct_synthetic", "mayo_pbc"):
        shutil.rmtree(copy / "tests/reference" / stale)
    status, printed = verify(copy, "--update")
    assert status == 0, printed
    return copy


def verify(project: Path, *options: str) -> tuple[int, str]:
    """Run the command on a copy of the project and return its status and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "msct_helpers.check.cli", "verify", *options],
        env=os.environ | {"PYTHONPATH": str(project), "MSCT_DATA": "data/msct_synthetic"},
        cwd=project,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def swap(path: Path, old: str, new: str) -> str:
    """Change a file and return its former content."""
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))
    return content


def test_what_was_stored_agrees(project: Path) -> None:
    status, printed = verify(project)
    assert status == 0, printed
    assert "Results: agrees" in printed
    assert "[2/2]" in printed, "no progress was shown"
    page = (project / "_build/verify/certificate.html").read_text()
    assert "Everything agrees" in page
    assert "Synthetic data" in page
    told = json.loads((project / "_build/verify/certificate.json").read_text())
    assert told["agrees"]
    assert {c["name"] for c in told["checks"]} >= {"Data", "Book", "Results", "Ledger", "Links"}
    assert str(project) not in page + json.dumps(told)


CHANGES = {
    "data": (
        "data/msct_synthetic/adsl.csv",
        "SYN-03,51,F,Autoimmune hepatitis,UMBILICAL CORD,1,DISCONTINUED,LOST TO FOLLOW-UP",
        "SYN-03,51,F,Autoimmune hepatitis,UMBILICAL CORD,1,DISCONTINUED,WITHDRAWAL BY SUBJECT",
        ["adsl.csv: changed", "safety, risk.lost-to-follow-up.count: 4 -> 3, by 1"],
    ),
    "reference": (
        "tests/reference/msct_synthetic/ard.csv",
        "safety,risk.death.percent,percent,11.538461538461538,11.5",
        "safety,risk.death.percent,percent,12.538461538461538,12.5",
        ["safety, risk.death.percent: 12.5 -> 11.5, by 1"],
    ),
    "spoilt reference": (
        "tests/reference/msct_synthetic/ard.csv",
        "safety,risk.death.percent,percent,11.538461538461538,11.5",
        "safety,risk.death.percent,percent,eleven,11.5",
        ["rawValue: 'eleven'; expected a number"],
    ),
    "constant": (
        "msct_helpers/safety/safety.py",
        "DAYS_A_YEAR = 365.25",
        "DAYS_A_YEAR = 365",
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


@pytest.mark.parametrize(
    "names",
    [("data", "reference", "constant", "standards"), ("spoilt reference",), ("contract",)],
    ids=", ".join,
)
def test_what_is_corrupted_is_named(project: Path, names: tuple[str, ...]) -> None:
    changes = [CHANGES[name] for name in names]
    former = [swap(project / file, old, new) for file, old, new, _ in changes]
    try:
        status, printed = verify(project)
    finally:
        for (file, *_), content in zip(changes, former, strict=True):
            (project / file).write_text(content)
    assert status == 1, printed
    for *_, lines in changes:
        for line in lines:
            assert line in printed
    told = json.loads((project / "_build/verify/certificate.json").read_text())
    assert not told["agrees"]


def test_two_cold_builds_are_identical(books: dict[str, Path], tmp_path: Path) -> None:
    build_book("msct_synthetic", tmp_path / "cold", MSCT_CACHE=str(tmp_path / "cache"))
    manifests = []
    for html in (books["msct_synthetic"], tmp_path / "cold/_build/html"):
        listed = json.loads((html / "manifest.json").read_text())
        files = {p.relative_to(html).as_posix() for p in html.rglob("*") if p.is_file()}
        assert {f["file"] for f in listed} == files - {"manifest.json"}
        manifests.append(listed)
    assert manifests[0] == manifests[1]
    assert len(manifests[0]) > 50
