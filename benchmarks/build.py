"""Time whole builds of the book, each as a ratio to an empty Jupyter Book with as many pages.

Run by `make bench`. Everything is measured in one run on copies of the project, so that the ratios
compare like with like; the wall-clock seconds depend on the machine.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).parent / "jupyter-book"
AIMS = {"cold build": 8.5, "unchanged": 0.9, "prose edit": 1.2, "code edit": 3.2}


def time_build(project: Path) -> float:
    """Return the seconds of one strict build as a whole process."""
    start = time.perf_counter()
    done = subprocess.run(
        [str(PROGRAM), "build", str(project), "-W", "-n", "--keep-going"],
        env=os.environ | {"PYTHONPATH": str(project)},
        cwd=project,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return time.perf_counter() - start


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


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    content = path.read_text()
    if old not in content:
        raise SystemExit(f"{path.name}: nothing to edit, {old!r} not found")
    path.write_text(content.replace(old, new, 1))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        skip = shutil.ignore_patterns("_build", ".*", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, project, ignore=skip)
        pages = len(list((project / "chapters").glob("*.md"))) + 1
        empty = min(time_build(make_empty(Path(name) / f"empty{i}", pages)) for i in range(3))
        chapter = project / "chapters" / "safety.md"
        seconds = {"cold build": time_build(project), "unchanged": time_build(project)}
        edit(chapter, "## How it was done", "## How it was all done")
        seconds["prose edit"] = time_build(project)
        edit(chapter, "book.publish()", "book.publish()  # edited")
        seconds["code edit"] = time_build(project)
    print(f"empty book of {pages} pages: {empty:.1f} s")
    for what, taken in seconds.items():
        print(f"{what}: {taken:.1f} s, {taken / empty:.2f} times empty (aim {AIMS[what]})")


if __name__ == "__main__":
    main()
