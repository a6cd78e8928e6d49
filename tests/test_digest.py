"""What is executed again after a change: what depends on it, and nothing else."""

import ast
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from myst_nb.core.read import read_myst_markdown_notebook

from msct_helpers.book import records, run
from msct_helpers.book.run import Outputs
from msct_helpers.sphinx import execute as sphinx_execute
from tests.conftest import ROOT

CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.md"))
CELL = "\n```{{code-cell}} ipython3\n{}\n```\n"


def digest_chapter(name: str) -> str:
    """Return the digest of a chapter of what `records` takes for the project."""
    return records.digest_page(records.ROOT / "chapters" / f"{name}.md")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what chapters depend on, which `records` takes for the project."""
    for folder in ("chapters", "data", "msct_helpers"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    monkeypatch.setattr(records, "ROOT", tmp_path)
    monkeypatch.setenv("MSCT_DATA", str(tmp_path / "data/msct_synthetic"))
    return tmp_path


@pytest.fixture
def changed(project: Path) -> Callable[[str, str, str], set[str]]:
    """Return what tells the chapters whose digest is another one after an edit of a file."""

    def edit(file: str, old: str, new: str) -> set[str]:
        before = {name: digest_chapter(name) for name in CHAPTERS}
        path = project / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return {name for name in CHAPTERS if digest_chapter(name) != before[name]}

    return edit


def takers(name: str) -> set[str]:
    """Return a chapter and all that take from it, directly or through others."""
    found = {name}
    for other in CHAPTERS * len(CHAPTERS):
        taken = records.list_taken(ROOT / "chapters" / f"{other}.md")
        if found & {path.stem for path in taken}:
            found.add(other)
    return found


def importers(module: str) -> set[str]:
    """Return the chapters whose code imports a module, directly or through others."""
    cells = {name: records.read_cells(ROOT / "chapters" / f"{name}.md") for name in CHAPTERS}
    return {name for name in CHAPTERS if module in records.list_modules(cells[name])}


@pytest.mark.parametrize("file", ["sphinx/pdf.py", "sphinx/execute.py", "check/verify.py"])
def test_the_build_itself_executes_nothing_again(
    changed: Callable[[str, str, str], set[str]], file: str
) -> None:
    assert changed(f"msct_helpers/{file}", '"""', '"""Now. ') == set()


def test_a_topic_executes_what_depends_on_it(
    changed: Callable[[str, str, str], set[str]],
) -> None:
    found = changed("msct_helpers/safety/adverse_events.py", '"""', '"""Now. ')
    users = importers("msct_helpers.safety.adverse_events")
    assert found == {name for user in users for name in takers(user)}
    assert "safety" in found
    assert not found & {"cohort-flow", "efficacy-endpoints", "meld", "how-to-rebuild"}


def test_what_all_import_executes_all(changed: Callable[[str, str, str], set[str]]) -> None:
    assert changed("msct_helpers/trial/plan.py", '"""', '"""Now. ') == set(CHAPTERS)


def test_prose_and_tags_execute_nothing(changed: Callable[[str, str, str], set[str]]) -> None:
    assert changed("chapters/safety.md", "## How it was done", "## How it all was done") == set()
    assert changed("chapters/safety.md", "[remove-input]", "[hide-input]") == set()


def test_code_executes_its_chapter_and_who_takes_from_it(
    changed: Callable[[str, str, str], set[str]],
) -> None:
    found = changed("chapters/safety.md", "book.publish()", "book.publish()  # now")
    assert found == takers("safety")


def test_data_execute_all_that_read_them(changed: Callable[[str, str, str], set[str]]) -> None:
    assert changed("data/msct_synthetic/adlb.csv", "58.0", "58.1") == set(CHAPTERS)
    found = changed("data/mayo_pbc/adlb.csv", "PBC-001", "PBC-999")
    assert {"meld", "without-cells"} <= found
    assert not found & {"cohort-flow", "efficacy-endpoints", "safety", "how-to-rebuild"}
    assert changed("data/standards.yml", "reason", "reason ") == {"standards"}
    found = changed("data/published/statements.csv", "\n", "\n\n")
    assert "statements" in found
    assert not found & {"how-to-rebuild", "data-dictionary"}


def test_pages_that_rest_on_no_data_set_are_executed_once_for_all_books(
    changed: Callable[[str, str, str], set[str]], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {name: digest_chapter(name) for name in CHAPTERS}
    monkeypatch.setenv("MSCT_DATA", str(project / "data/mayo_pbc"))
    evidence = {name for name in CHAPTERS if digest_chapter(name) == own[name]}
    assert evidence == {"counts", "worlds", "without-cells", "next-trial", "methods"}
    # They are run with the project's own data, and others follow what they take from them.
    found = changed("data/msct_synthetic/adlb.csv", "58.0", "58.1")
    assert evidence <= found
    assert "safety" not in found


def test_a_page_is_run_with_the_data_on_which_it_rests(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (chain / "a.md").write_text("---\nbasis: Nothing.\n---\n" + (chain / "a.md").read_text())
    seen: list[str] = []
    monkeypatch.setenv("MSCT_DATA", str(chain.parent / "data/mayo_pbc"))
    monkeypatch.setattr(run, "run_cells", lambda cells: seen.append(os.environ["MSCT_DATA"]) or [])
    for name in "ad":
        sphinx_execute.execute(chain / f"{name}.md")
    assert [Path(folder).name for folder in seen] == ["msct_synthetic", "mayo_pbc"]


def test_other_versions_execute_all(
    changed: Callable[[str, str, str], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest_chapter("safety")
    versions = [*records.list_versions()[:-1], "statsmodels==0"]
    monkeypatch.setattr(records, "list_versions", lambda: versions)
    assert digest_chapter("safety") != before


@pytest.fixture
def chain(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of chapters: c takes from b, b from a; d is alone."""
    folder = project / "chapters"
    many = "names = ('b', 'none')\nrows = [book.take(name) for name in names]"
    takes = {"a": "", "b": 'book.take("a")', "c": many, "d": ""}
    for name, code in takes.items():
        (folder / f"{name}.md").write_text(f"# {name}\n{CELL.format(code or name)}")
    monkeypatch.setenv(records.CACHE, str(project / "cache"))
    return folder


def test_who_takes_is_executed_after_and_again(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [chain / f"{name}.md" for name in "cbad"]
    ran: list[str] = []
    monkeypatch.setattr(sphinx_execute, "execute", lambda page: ran.append(page.stem))
    execute_all(pages)
    assert sorted(ran) == ["a", "b", "c", "d"]
    assert ran.index("a") < ran.index("b") < ran.index("c")
    before = {name: find(chain, name) for name in "abcd"}
    (chain / "a.md").write_text(f"# a\n{CELL.format('a + 1')}")
    moved = [
        name for name, path in before.items() if records.find_left(chain / f"{name}.md") != path
    ]
    assert sorted(moved) == ["a", "b", "c"]
    env = SimpleNamespace(
        found_docs={"chapters/a", "chapters/b", "chapters/c", "chapters/d"},
        doc2path=lambda name: project_page(chain, name),
        msct_left={f"chapters/{name}": path.name for name, path in before.items()},
    )
    app = SimpleNamespace(config=SimpleNamespace(root_doc="index"))
    monkeypatch.setattr(sphinx_execute, "is_myst_markdown_notebook", lambda text: True)
    again = sphinx_execute.reread_dependent(app, env, set(), {"chapters/a"}, set())  # type: ignore[arg-type]
    assert sorted(again) == ["chapters/b", "chapters/c", "index"]
    assert sphinx_execute.reread_dependent(app, env, set(), set(), set()) == []  # type: ignore[arg-type]


def test_who_takes_the_same_results_is_not_executed_again(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, ran = {"a": 1, "b": 2, "c": 3}, []

    def give(cells: list[str]) -> list[Outputs]:
        """Leave a chapter's results, whose first cell names it."""
        name = cells[0][0]
        ran.append(name)
        record = json.dumps([{"chapter": name, "id": name, "value": values[name]}])
        data = {"application/papermill.record/text/plain": repr(record)}
        metadata = {"scrapbook": {"name": records.RECORD_KEY}}
        return [[nbformat.v4.new_output("display_data", data, metadata=metadata)]]

    monkeypatch.setattr(run, "run_cells", give)
    pages = [chain / f"{name}.md" for name in "abc"]
    for page in pages[1:]:
        page.write_text(page.read_text().replace("ipython3\n", f"ipython3\n{page.stem}\n"))
    execute_all(pages)
    (chain / "a.md").write_text(CELL.format("a + 1"))
    execute_all(pages)
    assert ran == ["a", "b", "c", "a"]
    (chain / "a.md").write_text(CELL.format("a + 2"))
    values |= {"a": 4}
    execute_all(pages)
    assert ran == ["a", "b", "c", "a", "a", "b"]


def execute_all(pages: list[Path]) -> None:
    with ThreadPoolExecutor(1) as pool:
        sphinx_execute.execute_all(pages, pool)


def find(folder: Path, name: str) -> Path:
    return records.find_left(folder / f"{name}.md")


def project_page(folder: Path, docname: str) -> str:
    return str(folder.parent / f"{docname}.md")


def test_a_circle_is_told(chain: Path) -> None:
    (chain / "a.md").write_text(CELL.format('book.take("c")'))
    with pytest.raises(ValueError, match=r"a\.md takes from itself: a\.md -> c\.md -> b\.md"):
        digest_chapter("a")


def test_results_shown_of_another_chapter_are_taken_from_it(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "run_cells", lambda cells: [])
    monkeypatch.setattr(run, "find_rows", lambda outputs: [{"chapter": "a"}])
    with pytest.raises(RuntimeError, match=r'expected book\.take\("a"\) in one of its cells'):
        sphinx_execute.execute(chain / "d.md")
    assert list((chain.parent / "cache").glob("d-*")) == []


def test_what_changed_while_it_ran_is_not_kept(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(cells: list[str]) -> list[Outputs]:
        (chain / "d.md").write_text(CELL.format("changed"))
        return []

    monkeypatch.setattr(run, "run_cells", edit)
    with pytest.raises(RuntimeError, match="was changed while it ran"):
        sphinx_execute.execute(chain / "d.md")
    assert list((chain.parent / "cache").glob("*")) == []


def test_cells_that_only_the_build_would_find_are_refused(chain: Path) -> None:
    (chain / "d.md").write_text(f"# d\n{CELL.format('x')}\n ```{{code-cell}}\n y\n ```\n")
    with pytest.raises(RuntimeError, match="fenced in an unusual way"):
        sphinx_execute.execute(chain / "d.md")


@pytest.mark.parametrize("name", CHAPTERS)
def test_cells_are_those_that_are_executed(name: str) -> None:
    page = ROOT / "chapters" / f"{name}.md"
    notebook = read_myst_markdown_notebook(page.read_text())
    executed = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert records.read_cells(page) == executed


def test_imports_are_followed_wherever_they_stand() -> None:
    code = (
        "def f():\n    from msct_helpers.meld import derive\nimport msct_helpers.stats.scores as s"
    )
    modules = records.list_modules([code])
    assert {"msct_helpers", "msct_helpers.meld.derive", "msct_helpers.meld"} <= modules.keys()
    assert "msct_helpers.stats.scores" in modules
    # The package loads its names late; they count from the start.
    assert "msct_helpers.book.chapter" in modules
    assert "msct_helpers.safety.safety" not in modules
    relative = records.list_names("from . import x\nfrom ..a import y as z", "msct_helpers.b")
    assert relative == {"msct_helpers.b", "msct_helpers.b.x", "msct_helpers.a", "msct_helpers.a.y"}
    cells = "%matplotlib inline\nif 1: import msct_helpers.a as a, msct_helpers.b; import numpy"
    assert records.list_names(cells) == {"msct_helpers.a", "msct_helpers.b"}
    cells = "from msct_helpers import (\n a as b,  # why\n c,\n)\nfrom msct_helpers.d import \\\n e"
    names = {"a", "c", "d", "d.e"}
    assert records.list_names(cells) == {"msct_helpers", *(f"msct_helpers.{n}" for n in names)}


def test_no_import_of_the_package_is_missed() -> None:
    for path in (ROOT / "msct_helpers").rglob("*.py"):
        code, names = path.read_text(), set()
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("msct_helpers"):
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                names |= {a.name for a in node.names if a.name.startswith("msct_helpers")}
        assert records.list_names(code) == names, path


def test_results_are_taken_from_the_build_or_computed_here(
    chain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = "class B:\n    own_rows = [{'id': 'x', 'value': %s}]\nbook = B()"
    (chain / "a.md").write_text(CELL.format(book % 1))
    assert records.read_record("a") == [{"id": "x", "value": 1}]
    path = records.find_left(chain / "a.md")
    assert not path.exists()
    records.store(path, {"rows": [{"id": "x", "value": 2}]})
    assert records.read_record("a") == [{"id": "x", "value": 2}]
    path.write_text(path.read_text().replace("2}", "3}"))
    assert records.read_record("a") == [{"id": "x", "value": 1}]


@pytest.mark.parametrize("text", ["", "no digest", "\0\n{}", "\ud800"])
def test_what_was_not_stored_whole_is_not_there(tmp_path: Path, text: str) -> None:
    path = tmp_path / "left.json"
    assert records.load(path) is None
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert records.load(path) is None
    records.store(path, [1])
    assert records.load(path) == [1]
    path.unlink()
    path.mkdir()
    assert records.load(path) is None
    records.store(path, [1])
    assert records.load(path) == [1]
