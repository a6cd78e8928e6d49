"""Renew CITATION.cff, codemeta.json and .zenodo.json from pyproject.toml."""

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent


def read_project() -> dict[str, Any]:
    """Return what pyproject.toml says of the project, with its title and the names of authors."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = content["project"]
    names = [author["name"] for author in project["authors"]]
    return project | {"title": content["tool"]["msct"]["title"], "names": names}


def write_citation(project: dict[str, Any]) -> str:
    """Return CITATION.cff, in version 1.2.0 of the Citation File Format."""
    content = {
        "cff-version": "1.2.0",
        "message": "If you use this report or its helpers, please cite it as below.",
        "title": project["title"],
        "type": "software",
        "version": project["version"],
        "license": project["license"],
        "abstract": project["description"],
        "authors": [{"name": name} for name in project["names"]],
        "keywords": project["keywords"],
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def write_codemeta(project: dict[str, Any]) -> str:
    """Return codemeta.json, in version 3.0 of CodeMeta."""
    content = {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": project["title"],
        "identifier": project["name"],
        "description": project["description"],
        "version": project["version"],
        "license": f"https://spdx.org/licenses/{project['license']}",
        "author": [{"@type": "Organization", "name": name} for name in project["names"]],
        "keywords": project["keywords"],
        "programmingLanguage": "Python",
        "runtimePlatform": f"Python {project['requires-python']}",
    }
    return write_json(content)


def write_zenodo(project: dict[str, Any]) -> str:
    """Return .zenodo.json, by which Zenodo describes a release that it archives."""
    content = {
        "title": project["title"],
        "upload_type": "software",
        "description": project["description"],
        "version": project["version"],
        "license": project["license"].lower(),
        "creators": [{"name": name} for name in project["names"]],
        "keywords": project["keywords"],
    }
    return write_json(content)


def write_json(content: dict[str, Any]) -> str:
    """Return JSON as it is stored."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


WRITERS = {
    "CITATION.cff": write_citation,
    "codemeta.json": write_codemeta,
    ".zenodo.json": write_zenodo,
}
"""What writes each file."""


def main() -> None:
    """Write all files."""
    project = read_project()
    for name, write in WRITERS.items():
        (ROOT / name).write_text(write(project), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
