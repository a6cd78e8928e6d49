"""Chapters and their notebooks: in step, anonymous, and running from any folder."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from jupyter_cache.executors.utils import single_nb_execution

from msct_helpers.trial.paths import DEFAULT_DATA
from tests.conftest import DATASETS, ROOT
from tests.golden import EVIDENCE

CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))
NOTEBOOKS = [ROOT / "notebooks" / f"{p.stem}.ipynb" for p in CHAPTERS]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda p: p.stem)
def test_pair_is_in_step(chapter: Path) -> None:
    text = jupytext.read(chapter)
    notebook = jupytext.read(ROOT / "notebooks" / f"{chapter.stem}.ipynb")
    cells = [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in text.cells]
    assert cells == [(c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells], (
        "run make pair"
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_carries_no_output_and_nobodys_kernel(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.kernelspec == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    assert set(notebook.metadata) <= {"kernelspec", "jupytext", "basis"}
    assert not any(c.get("outputs") for c in notebook.cells)


@pytest.mark.parametrize("home", ["notebooks", "."])
def test_a_notebook_runs_from_anywhere_and_ends_with_a_check_against_the_reference(
    home: str,
) -> None:
    """One in a kernel of its own; tests/test_golden.py holds the last line of every chapter."""
    notebook = nbformat.read(ROOT / "notebooks/safety.ipynb", as_version=4)
    run = single_nb_execution(notebook, cwd=str(ROOT / home), timeout=120, allow_errors=False)
    assert not run.exc_string
    said = [o.data.get("text/plain", "") for o in run.nb.cells[-1].outputs if "data" in o]
    line = f"results agree with the reference of {DEFAULT_DATA.rpartition('/')[2]}."
    assert any(words.endswith(line) for words in said)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("chapter", [p.stem for p in CHAPTERS])
def test_every_chapter_ends_with_a_check_against_the_reference(chapter: str, dataset: str) -> None:
    if chapter in {path.stem for path in EVIDENCE}:
        dataset, home = "msct_synthetic", "evidence"
    else:
        home = dataset
    text = (ROOT / "tests/golden" / home / f"{chapter}.txt").read_text(encoding="utf-8")
    last = text.strip().rpartition("\n")[2]
    assert last.startswith(f"{chapter}: ")
    assert last.endswith(f"agree with the reference of {dataset}.")
