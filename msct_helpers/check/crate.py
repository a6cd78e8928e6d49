"""Pack a built book as an RO-Crate: data, code, notebooks and outputs, each described.

Notes
-----
Soiland-Reyes et al., Packaging research artefacts with RO-Crate, Data Science 2022;5:97-138.
"""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msct_helpers.book.records import load
from msct_helpers.sphinx.ext import compute_digest
from msct_helpers.sphinx.output import empty
from msct_helpers.trial.load import load_study
from msct_helpers.trial.paths import ROOT, data_folder
from msct_helpers.trial.text import show_characters

if TYPE_CHECKING:
    from rocrate.model.entity import Entity
    from rocrate.rocrate import ROCrate

VERSION = "1.2"
"""Version of RO-Crate; the first whose terms include sha256."""

METADATA = "ro-crate-metadata.json"
BUILD = ROOT / "_build"

PARTS = {
    "data": "Data sets, published statements and stored runs",
    "chapters": "Chapters as text notebooks",
    "notebooks": "The same chapters as Jupyter notebooks",
    "msct_helpers": "Code of every calculation, and of the book",
    "assets": "Styles of the pages",
    "tools": "Scripts that make lists and locks",
    "tests/reference": "Results that a verification compares with",
}
"""Folders of the project that a book is built from."""

LOOSE = (
    "CITATION.cff",
    "LICENSE",
    "LICENSES.md",
    "Makefile",
    "README.md",
    "_config.yml",
    "_toc.yml",
    "codemeta.json",
    "index.md",
    "pyproject.toml",
    "requirements.txt",
)
"""Files of the project's root of the same kind."""

TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".py": "text/x-python",
    ".yml": "application/yaml",
}


class CrateError(ValueError):
    """A crate cannot be made of what is there; its text says why."""


def write_crate(out: Path) -> int:
    """Write the data set that MSCT_DATA names, the code and the built book as an RO-Crate.

    Parameters
    ----------
    out
        Folder to write to; what an earlier crate left in it is removed.

    Returns
    -------
    int
        Number of files that the crate describes one by one.

    Raises
    ------
    CrateError
        If the book in ``_build/html`` was not built from data and code as they are, or the folder
        holds something else.
    """
    from rocrate.rocrate import ROCrate

    seal = load(BUILD / ".seal.json") or {}
    if seal.get("facts", {}).get("digest") != compute_digest():
        raise CrateError(f"_build/html is no book of {data_folder()} as it is. Remedy: make book")
    if out.is_dir() and any(out.iterdir()) and not (out / METADATA).is_file():
        raise CrateError(f"{out} holds something else; expected an empty folder")
    crate = ROCrate(version=VERSION)
    describe_project(crate)
    used = [add_folder(crate, ROOT / name, name, about) for name, about in PARTS.items()]
    used += [add_file(crate, ROOT / name, name) for name in LOOSE]
    used.append(add_data(crate, data_folder()))
    book = add_folder(crate, BUILD / "html", "book", "The book: pages, results, manifest, PDF")
    describe_build(crate, used, book)
    empty(out)
    crate.write(out)
    return len(crate.get_by_type("File"))


def describe_project(crate: "ROCrate") -> None:
    """Say what the crate is, of which version, by whom, and under what licences."""
    about = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    made = time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    crate.name, crate.description = about["name"], about["description"]
    crate.keywords, crate.datePublished = about["keywords"], time.strftime("%Y-%m-%d", made)
    crate.root_dataset["version"] = about["version"]
    crate.root_dataset["license"] = {"@id": "LICENSES.md"}
    authors = [{"@id": f"#author-{i}"} | author for i, author in enumerate(about["author"], 1)]
    crate.root_dataset["author"] = [crate.add_jsonld(author) for author in authors]


def add_file(crate: "ROCrate", path: Path, name: str) -> "Entity":
    """Add a file under a name, with its type, size and sha256; one already there is kept."""
    content = path.read_bytes()
    facts = {
        "name": show_characters(path.name),
        "encodingFormat": TYPES.get(path.suffix, "text/plain"),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return crate.dereference(name) or crate.add_file(path, name, properties=facts)


def add_folder(crate: "ROCrate", folder: Path, name: str, about: str) -> "Entity":
    """Add the files of a folder and of those in it, and the folder that holds them."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    names = [f"{name}/{path.relative_to(folder).as_posix()}" for path in paths]
    parts = [add_file(crate, path, inner) for path, inner in zip(paths, names, strict=True)]
    return crate.add_dataset(dest_path=name, properties={"name": about, "hasPart": parts})


def add_data(crate: "ROCrate", folder: Path) -> "Entity":
    """Add the data set of the book, with its label, licence and source, and nothing beside it."""
    study, name = load_study(folder), f"data/{folder.name}"
    paths = sorted([*folder.glob("*.csv"), *folder.glob("*.yml")])
    about = {
        "name": show_characters(study.title),
        "description": show_characters(study.label),
        "license": show_characters(study.licence),
        "creditText": show_characters(study.source),
        "hasPart": [add_file(crate, path, f"{name}/{path.name}") for path in paths],
    }
    return crate.add_dataset(dest_path=name, properties=about)


def describe_build(crate: "ROCrate", used: "list[Entity]", book: "Entity") -> None:
    """Say that the book was made from data and code, and by which command."""
    about = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    tool = {
        "@id": "#msct-helpers",
        "@type": "SoftwareApplication",
        "name": about["identifier"],
        "version": about["version"],
        "license": {"@id": about["license"]},
    }
    licence = {"@id": about["license"], "@type": "CreativeWork", "name": "MIT License"}
    crate.add_jsonld(licence)
    instrument = crate.add_jsonld(tool)
    name = {"name": "make book"}
    crate.add_action(instrument, "#build", object=used, result=[book], properties=name)
