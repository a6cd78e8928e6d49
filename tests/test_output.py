"""What a build leaves: this data set's files and nothing else, whole, and no process."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from filelock import FileLock

from msct_helpers.book import records
from msct_helpers.book.records import CACHE
from msct_helpers.sphinx import execute as sphinx_execute
from msct_helpers.sphinx import output as sphinx_output
from msct_helpers.sphinx.execute import make_pool
from msct_helpers.sphinx.processes import WATCH
from tests.conftest import build_book

PROGRAM = str(Path(sys.executable).parent / "jupyter-book")


@pytest.fixture(scope="module")
def project(small: Path) -> Path:
    return small


def read_manifest(out: Path) -> object:
    return json.loads((out / "_build/html/manifest.json").read_text())


def start(project: Path, out: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a build and return its process."""
    return subprocess.Popen(
        [PROGRAM, "build", str(project), "-W", "-n", "--keep-going", "--path-output", str(out)],
        env=os.environ | {"PYTHONPATH": str(project), "NO_COLOR": "1"} | variables,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fail(project: Path, out: Path, **variables: str) -> str:
    """Build, expecting a failure told without a traceback, and return what it said."""
    build = start(project, out, **variables)
    _, told = build.communicate(timeout=60)
    assert build.returncode == 1
    assert "Traceback" not in told
    return told


def test_nothing_of_another_data_set_stays(project: Path, tmp_path: Path) -> None:
    build_book("mayo_pbc", tmp_path, root=project)
    (tmp_path / "_build/html/notes.txt").write_text("left by hand")
    build_book("msct_synthetic", tmp_path, root=project)
    assert read_manifest(tmp_path) == read_manifest(project.parent / "fresh")


def test_one_build_at_a_time_in_a_folder(project: Path, tmp_path: Path) -> None:
    build = tmp_path / "_build"
    build.mkdir()
    with FileLock(build / ".lock"):
        (build / ".lock").write_text("process 1, data set other, since noon")
        told = fail(project, tmp_path)
    assert "in use by another build (process 1, data set other, since noon)" in told
    assert "--path-output" in told
    assert sorted(build.iterdir()) == [build / ".lock", build / "html"]
    assert list((build / "html").iterdir()) == []


def test_problems_of_the_data_are_told_once(project: Path, tmp_path: Path) -> None:
    data = tmp_path / "broken"
    shutil.copytree(project / "data/msct_synthetic", data)
    table = data / "adlb.csv"
    table.write_text(
        re.sub(r"(?m)^(SYN-01,ALT,Baseline,0,1),[\d.]+", r"\1,much", table.read_text())
    )
    told = fail(project, tmp_path, MSCT_DATA=str(data))
    assert told.count("adlb.csv") == 1
    assert "'much'" in told
    assert "no folder" in fail(project, tmp_path, MSCT_DATA=str(tmp_path / "absent"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def spoil(path: Path) -> None:
    path.write_bytes(b"\0garbage" + path.read_bytes()[8:])


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARM = (Path.unlink, truncate, spoil, make_folder)
HARMED = (
    "html/results/ard.csv",
    "html/results/ard.parquet",
    "html/results/tab-*.csv",
    "html/chapters/safety.html",
    "html/manifest.json",
    "html/searchindex.js",
    "html/_static/*.css",
    "html/_images/*.svg",
    "html/.buildinfo",
    ".doctrees/chapters/safety.doctree",
    ".doctrees/environment.pickle",
    ".doctrees/results.key",
    "jupyter_execute/chapters/safety.glue.json",
)


HARMED_APART = ("html/results/ard.csv", ".doctrees/environment.pickle", ".seal.json")
"""Files of a page, of Sphinx and of this project, each after whose damage a build begins empty."""


@pytest.fixture(scope="module")
def copied(project: Path) -> Path:
    return shutil.copytree(project.parent / "fresh", project.parent / "copied")


@pytest.mark.parametrize("pattern", HARMED)
def test_damage_is_seen(copied: Path, pattern: str) -> None:
    build = copied / "_build"
    app = SimpleNamespace(outdir=build / "html", doctreedir=build / ".doctrees")
    sealed = sphinx_output.read_seal(app)["files"]  # type: ignore[arg-type]
    path = sorted(build.glob(pattern))[0]
    kept = path.read_bytes()
    for harm in HARM:
        harm(path)
        seen = sphinx_output.find_damage(sealed, sphinx_output.list_files(app))  # type: ignore[arg-type]
        sphinx_output.remove(path)
        path.write_bytes(kept)
        assert build / seen == path
    assert not sphinx_output.find_damage(sealed, sphinx_output.list_files(app))  # type: ignore[arg-type]


def test_damage_is_mended(project: Path, copied: Path) -> None:
    build = copied / "_build"
    spoil(build / "html/results/ard.csv")
    make_folder(build / ".doctrees/environment.pickle")
    truncate(build / ".seal.json")
    stored = list((project / "_build/.execution").glob("*.json"))
    assert stored
    for path in stored:
        spoil(path)
    printed = build_book("msct_synthetic", copied, root=project)
    assert "executing 1 chapter" in printed
    assert "Traceback" not in printed
    assert read_manifest(copied) == read_manifest(project.parent / "fresh")


@pytest.mark.parametrize("harm", [None, *HARM], ids=lambda harm: getattr(harm, "__name__", "none"))
@pytest.mark.parametrize("name", HARMED_APART)
def test_a_build_begins_empty_after_damage(
    copied: Path, tmp_path: Path, name: str, harm: Callable[[Path], None] | None
) -> None:
    build = shutil.copytree(copied / "_build", tmp_path / "_build")
    app = SimpleNamespace(
        outdir=build / "html", doctreedir=build / ".doctrees", config=SimpleNamespace()
    )
    before = sphinx_output.list_files(app)  # type: ignore[arg-type]
    key = sphinx_output.read_seal(app)["key"]  # type: ignore[arg-type]
    if harm is not None:
        harm(build / name)
    sphinx_output.open_output(app, key, {})  # type: ignore[arg-type]
    assert not (build / ".seal.json").exists()
    folders = [build / "html", build / ".doctrees", build / "jupyter_execute"]
    if harm is None:
        assert sphinx_output.list_files(app) == before  # type: ignore[arg-type]
    else:
        assert [list(folder.iterdir()) for folder in folders] == [[], [], []]


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_an_executed_chapter_that_is_damaged_is_not_there(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path, value = tmp_path / "chapter.json", {"outputs": ["−1.29"], "rows": []}
    records.store(path, value)
    harm(path)
    assert records.load(path) is None
    records.store(path, value)
    assert records.load(path) == value


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_a_seal_that_is_damaged_seals_nothing(copied: Path, harm: Callable[[Path], None]) -> None:
    build = copied / "_build"
    app = SimpleNamespace(outdir=build / "html", doctreedir=build / ".doctrees")
    assert sphinx_output.read_seal(app)  # type: ignore[arg-type]
    kept = (build / ".seal.json").read_bytes()
    harm(build / ".seal.json")
    read = sphinx_output.read_seal(app)  # type: ignore[arg-type]
    sphinx_output.remove(build / ".seal.json")
    (build / ".seal.json").write_bytes(kept)
    assert read == {}


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.1)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("killed", ["build", "caller"])
def test_nothing_outlives_a_killed_build(project: Path, tmp_path: Path, killed: str) -> None:
    caller = subprocess.Popen(["sleep", "600"])
    build = start(project, tmp_path, MSCT_CACHE=str(tmp_path / "cache"), **{WATCH: str(caller.pid)})
    process = psutil.Process(build.pid)
    wait_until(lambda: bool(process.children()), 60)
    left = process.children(recursive=True)
    (build if killed == "build" else caller).send_signal(signal.SIGKILL)
    caller.kill()
    caller.wait()
    build.communicate(timeout=30)
    wait_until(lambda: not any(p.is_running() for p in left), 30)


@pytest.mark.parametrize(
    ("code", "timeout", "said"),
    [
        ("1 / 0", 60, "cell 1:\n1 / 0\n.*ZeroDivisionError"),
        ("while 1: pass", 1, "not done within 1 s"),
    ],
)
def test_a_chapter_that_fails_or_hangs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, timeout: int, said: str
) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path))
    monkeypatch.setattr(sphinx_execute, "TIMEOUT", timeout)
    page = tmp_path / "broken.md"
    page.write_text(f"```{{code-cell}} ipython3\n{code}\n```\n")
    with pytest.raises(SystemExit, match=f"(?s)^broken.md.*{said}"), make_pool() as pool:
        sphinx_execute.execute_all([page], pool)
