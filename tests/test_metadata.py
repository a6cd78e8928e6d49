"""What others cite and archive: one source, valid, and each part under its own licence."""

import json

import jsonschema
import pytest
import yaml

import msct_helpers
from tests.conftest import ROOT
from tools.metadata import WRITERS, read_project

SCHEMA = ROOT / "tests/reference/citation-file-format-1.2.0.json"
STUDIES = sorted(path.parent.name for path in (ROOT / "data").glob("*/study.yml"))


@pytest.mark.parametrize("name", WRITERS)
def test_files_for_others_are_as_pyproject_says(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == WRITERS[name](read_project())


def test_all_agree_on_title_version_licence_description_and_authors() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    codemeta, zenodo = (
        json.loads((ROOT / name).read_text(encoding="utf-8"))
        for name in ("codemeta.json", ".zenodo.json")
    )
    book = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert {citation["title"], codemeta["name"], zenodo["title"]} == {book["title"]}
    assert {citation["abstract"], codemeta["description"]} == {zenodo["description"]}
    versions = {citation["version"], codemeta["version"], zenodo["version"]}
    assert versions == {msct_helpers.__version__}
    licences = {citation["license"], codemeta["license"].rpartition("/")[2]}
    assert licences == {"MIT"} == {zenodo["license"].upper()}
    named = [citation["authors"], codemeta["author"], zenodo["creators"]]
    assert [[author["name"] for author in authors] for authors in named] == [[book["author"]]] * 3


def test_the_citation_is_valid() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(citation, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(citation | {"license": "none of SPDX"}, schema)


@pytest.mark.parametrize("name", STUDIES)
def test_data_stand_under_the_licence_of_their_study(name: str) -> None:
    study = yaml.safe_load((ROOT / "data" / name / "study.yml").read_text(encoding="utf-8"))
    lines = (ROOT / "LICENSES.md").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if f"`data/{name}`" in line)
    assert study["licence"] in line


def test_everything_in_data_has_a_licence() -> None:
    text = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    missing = [path.name for path in (ROOT / "data").iterdir() if f"`data/{path.name}`" not in text]
    assert missing == []
