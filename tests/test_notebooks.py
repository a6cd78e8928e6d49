"""Chapters and their notebooks: in step, anonymous, and running from any folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupyter_cache.executors.utils import single_nb_execution

from msct_helpers.trial.paths import DEFAULT_DATA
from tests.conftest import ROOT

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
    assert set(notebook.metadata) <= {"kernelspec", "jupytext"}
    assert not any(c.get("outputs") for c in notebook.cells)


def test_notebooks_run_from_anywhere_and_end_with_a_check_against_the_reference() -> None:
    runs = [(p, p.parent) for p in NOTEBOOKS] + [(NOTEBOOKS[0], ROOT)]

    def run(job: tuple[Path, Path]) -> str | None:
        notebook = nbformat.read(job[0], as_version=4)
        result = single_nb_execution(notebook, cwd=str(job[1]), timeout=120, allow_errors=False)
        if result.exc_string:
            return str(result.exc_string)
        said = [o.data.get("text/plain", "") for o in result.nb.cells[-1].outputs if "data" in o]
        line = f"results agree with the reference of {DEFAULT_DATA.rpartition('/')[2]}."
        return None if any(words.endswith(line) for words in said) else f"{said}; expected {line}"

    with ThreadPoolExecutor(max_workers=2) as pool:
        failed = {j[0].name: e for j, e in zip(runs, pool.map(run, runs), strict=True) if e}
    assert not failed, "\n".join(failed.values())
