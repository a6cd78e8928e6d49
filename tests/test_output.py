"""A build leaves the files of its data set and nothing else, alone, and no process behind."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from msct_helpers.sphinx_output import find_damage
from tests.conftest import ROOT, build_book

PROGRAM = str(Path(sys.executable).parent / "jupyter-book")


def read_manifest(out: Path) -> dict[str, str]:
    """Return the sha256 of each file of a book, as its manifest lists them."""
    listed = json.loads((out / "_build/html/manifest.json").read_text())
    return {entry["file"]: entry["sha256"] for entry in listed}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a book of the default data set, built in an empty folder."""
    os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    out = tmp_path_factory.mktemp("fresh")
    build_book("msct_synthetic", out)
    yield out
    del os.environ["SOURCE_DATE_EPOCH"]


@pytest.fixture(scope="module")
def reused(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which another data set was built before."""
    out = tmp_path_factory.mktemp("reused") / "elsewhere"
    build_book("mayo_pbc", out)
    before = read_manifest(out)
    build_book("msct_synthetic", out)
    assert before != read_manifest(out)
    return out


def test_after_another_data_set_a_book_is_as_if_built_alone(fresh: Path, reused: Path) -> None:
    html = reused / "_build/html"
    names = {p.relative_to(html).as_posix() for p in html.rglob("*") if p.is_file()}
    assert read_manifest(reused) == read_manifest(fresh)
    assert names == {*read_manifest(fresh), "manifest.json"}
    for name, digest in read_manifest(reused).items():
        assert hashlib.sha256((html / name).read_bytes()).hexdigest() == digest


DAMAGE = {
    "html/results/ard.csv": b"id,rawValue\n",
    "html/results/ard.parquet": b"",
    "html/chapters/safety.html": b"<html>",
    "html/_static/book.css": None,
    "html/manifest.json": b"[]",
    ".doctrees/environment.pickle": b"\x80",
    ".doctrees/chapters/meld.doctree": b"junk",
    "jupyter_execute/chapters/meld.glue.json": b"{",
    ".seal.json": b"junk",
}
"""Files of a build, and what becomes of them; None for a folder in a file's place."""


@pytest.mark.parametrize("names", [list(DAMAGE)[:4], list(DAMAGE)[5:6], list(DAMAGE)], ids=len)
def test_what_was_damaged_is_built_again(reused: Path, fresh: Path, names: list[str]) -> None:
    for name in names:
        path = reused / "_build" / name
        assert path.is_file(), name
        content = DAMAGE[name]
        if content is None:
            path.unlink()
            path.mkdir()
        else:
            path.write_bytes(content)
    build_book("msct_synthetic", reused)
    assert read_manifest(reused) == read_manifest(fresh)


def test_damaged_executed_chapters_are_executed_again(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = sorted((ROOT / "_build/.execution").glob("*/"), key=lambda p: p.stat().st_mtime)[-1]
    shutil.copytree(stored, tmp_path / "cache" / stored.name)
    for number, path in enumerate(sorted((tmp_path / "cache").rglob("base.ipynb"))):
        text = path.read_text()
        path.write_text(text.replace("26", "27") if number else text[:100])
    monkeypatch.setenv("MSCT_CACHE", str(tmp_path / "cache"))
    said = build_book("msct_synthetic", tmp_path / "out")
    assert "are damaged" in said
    assert "Traceback" not in said
    assert read_manifest(tmp_path / "out") == read_manifest(fresh)


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ({"a": "1", "b": "2"}, ""),
        ({"a": "1", "b": "3"}, "b"),
        ({"b": "2"}, "a"),
        ({"a": "1", "b": "2", "c": "3"}, "c"),
    ],
)
def test_changed_missing_and_foreign_files_are_found(now: dict[str, str], first: str) -> None:
    assert find_damage({"a": "1", "b": "2"}, now) == first


def start_build(out: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a build in the background."""
    return subprocess.Popen(
        [PROGRAM, "build", str(ROOT), "--path-output", str(out)],
        env=os.environ | {"MSCT_DATA": "data/msct_synthetic"} | environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def list_processes(word: str) -> list[int]:
    """Return the ids of all processes whose command or environment holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (path / "environ").read_bytes() + (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_one_build_at_a_time_and_nothing_outlives_a_killed_one(tmp_path: Path) -> None:
    out, mark = tmp_path / "out", f"mark-{os.getpid()}"
    first = start_build(out, MSCT_CACHE=str(tmp_path / "cache"), MSCT_MARK=mark)
    deadline = time.monotonic() + 60
    while len(list_processes(mark)) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(list_processes(mark)) >= 3, "no kernels were started"
    second = start_build(out)
    said, _ = second.communicate(timeout=60)
    assert second.returncode != 0
    assert f"in use by another build (process {first.pid}, data set msct_synthetic" in said
    assert "Traceback" not in said
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 30
    while list_processes(mark) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert list_processes(mark) == []
