"""Time whole builds of the book, each as a ratio to an empty Jupyter Book with as many pages.

Run by `make bench`. Everything is measured in one run on a copy of the project, so that ratios
compare like with like. Seconds on the clock depend on what else the machine does; those of the
processor, of a build and of all that it started, much less.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).parent / "jupyter-book"
AIMS = {"cold": 7.0, "unchanged": 0.9, "prose edit": 1.2, "code edit": 2.5}
"""Most that a build may take, in times of the empty book."""

EVIDENCE, SHARE = ("counts", "worlds", "without-cells", "next-trial"), 4.0
"""Chapters that rest on no data set of a trial, and most seconds that they may add together."""

REPEATS = 3

Seconds = tuple[float, float]
"""On the clock and of the processor."""


def time_build(project: Path) -> Seconds:
    """Return the seconds of one strict build as a whole process."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(
        [str(PROGRAM), "build", str(project), "-W", "-n", "--keep-going"],
        env=os.environ | {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": ""},
        cwd=project,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    clock, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return clock, used - before.children_user - before.children_system


def time_least(project: Path, change: Callable[[int], object] = lambda count: None) -> Seconds:
    """Return the least seconds of several builds, each after a change."""
    taken = []
    for count in range(REPEATS):
        change(count)
        taken.append(time_build(project))
    clock, used = zip(*taken, strict=True)
    return min(clock), min(used)


def make_empty(folder: Path, pages: int) -> Path:
    """Return a book of so many pages with a heading and nothing else."""
    folder.mkdir()
    names = [f"page{i}" for i in range(pages)]
    for name in names:
        (folder / f"{name}.md").write_text(f"# {name}\n")
    (folder / "_config.yml").write_text("title: Empty\nonly_build_toc_files: true\n")
    chapters = "".join(f"  - file: {name}\n" for name in names[1:])
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: {names[0]}\nchapters:\n{chapters}")
    return folder


def append(path: Path, text: str) -> Callable[[int], object]:
    """Return an edit that adds to a page."""
    content = path.read_text()
    return lambda count: path.write_text(f"{content}\n{text.format(count)}\n")


def forget(project: Path, *kept: str) -> None:
    """Remove all that builds left, but what the code of some chapters gave."""
    folder = project / "_build"
    stored = folder / ".execution"
    left = {p.name: p.read_bytes() for name in kept for p in stored.glob(f"{name}-*.json")}
    shutil.rmtree(folder)
    stored.mkdir(parents=True)
    for name, content in left.items():
        (stored / name).write_bytes(content)


def time_evidence(project: Path) -> Seconds:
    """Return what the chapters of `EVIDENCE` add to a cold build."""
    whole = time_least(project, lambda count: forget(project))
    rest = time_least(project, lambda count: forget(project, *EVIDENCE))
    return whole[0] - rest[0], whole[1] - rest[1]


def measure(home: Path) -> dict[str, Seconds]:
    """Return the seconds of each kind of build, in an empty folder."""
    project, chapter = home / "project", home / "project/chapters/safety.md"
    skip = shutil.ignore_patterns("_build", "mutants", ".*", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, project, ignore=skip)
    empty = make_empty(home / "empty", len(list((project / "chapters").glob("*.md"))) + 1)
    return {
        "empty": time_least(empty, lambda count: shutil.rmtree(empty / "_build", True)),
        "cold": time_build(project),
        "unchanged": time_least(project),
        "prose edit": time_least(project, append(chapter, "Words {}.")),
        "code edit": time_least(project, append(chapter, "```{{code-cell}}\n{}\n```")),
        "evidence": time_evidence(project),
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        seconds = measure(Path(name))
    empty, (clock, used) = seconds.pop("empty"), seconds.pop("evidence")
    print(
        f"chapters of evidence: {clock:.1f} s of a cold build (aim {SHARE}), "
        f"{used:.1f} s of the processor"
    )
    print(f"empty book: {empty[0]:.1f} s on the clock, {empty[1]:.1f} s of the processor")
    for what, (clock, used) in seconds.items():
        print(
            f"{what}: {clock:.1f} s, {clock / empty[0]:.2f} times empty (aim {AIMS[what]}); "
            f"of the processor {used:.1f} s, {used / empty[1]:.2f} times empty"
        )


if __name__ == "__main__":
    main()
