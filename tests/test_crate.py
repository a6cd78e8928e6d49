"""A crate of the book: whole, described, and of the data and code that the book was built from."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from msct_helpers.check import crate
from msct_helpers.check.cli import main
from tests.conftest import ROOT


@pytest.fixture
def built(books: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let commands find the book of the synthetic data where tests built it."""
    pytest.importorskip("rocrate", reason="rocrate is missing: make crate installs it")
    folder = books["msct_synthetic"].parent
    monkeypatch.setattr(crate, "BUILD", folder)
    monkeypatch.setenv("MSCT_DATA", str(ROOT / "data/msct_synthetic"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return folder


def pack(out: Path) -> tuple[int, str]:
    """Return exit status and output of the command."""
    done = CliRunner().invoke(main, ["crate", "--out", str(out)])
    return done.exit_code, done.output


def test_every_file_of_a_crate_is_described_and_as_described(built: Path, tmp_path: Path) -> None:
    from rocrate.rocrate import ROCrate

    status, said = pack(tmp_path / "crate")
    assert status == 0, said
    packed = ROCrate(tmp_path / "crate")
    assert packed.datePublished.isoformat().startswith("2026-01-01")
    files = {entity.id: entity for entity in packed.get_by_type("File")}
    found = [p for p in (tmp_path / "crate").rglob("*") if p.is_file()]
    names = {path.relative_to(tmp_path / "crate").as_posix() for path in found}
    assert names == files.keys() | {crate.METADATA}
    for name, entity in files.items():
        content = (tmp_path / "crate" / name).read_bytes()
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert entity["contentSize"] == str(len(content))
    assert {"book/manifest.json", "book/results/ard.csv", "notebooks/meld.ipynb"} <= names
    assert packed.get("data/msct_synthetic/")["license"] == "CC0 1.0"
    build = packed.get("#build")
    assert [entity.id for entity in build["result"]] == ["book/"]
    assert "data/msct_synthetic/" in [entity.id for entity in build["object"]]


def test_a_crate_is_made_anew_but_nothing_else_is_removed(built: Path, tmp_path: Path) -> None:
    assert pack(tmp_path / "crate")[0] == 0
    (tmp_path / "crate/old.txt").write_text("of an earlier crate")
    assert pack(tmp_path / "crate")[0] == 0
    assert not (tmp_path / "crate/old.txt").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("mine")
    status, said = pack(tmp_path / "other")
    assert status == 2
    assert "holds something else" in said
    assert (tmp_path / "other/letter.txt").read_text() == "mine"


def test_no_crate_of_a_book_that_was_built_from_something_else(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSCT_DATA", str(ROOT / "data/mayo_pbc"))
    status, said = pack(tmp_path / "crate")
    assert status == 2
    assert "Remedy: make book" in said
    assert not (tmp_path / "crate").exists()


def test_whose_machine_lacks_the_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rocrate.rocrate", None)
    status, said = pack(ROOT / "_build/none")
    assert status == 2
    assert "rocrate is missing. Remedy: make crate" in said


def test_names_of_the_projects_files_are_true() -> None:
    assert [name for name in crate.LOOSE if not (ROOT / name).is_file()] == []
    assert [name for name in crate.PARTS if not (ROOT / name).is_dir()] == []
    described = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    assert {"name", "description", "keywords", "version", "author", "license"} <= described.keys()
