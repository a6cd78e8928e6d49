"""Rooms of the package: imports run downwards only."""

import ast
from pathlib import Path

from tests.conftest import ROOT

FLOORS = [
    "check",
    "sphinx",
    "worlds",
    "abstract",
    "design",
    "context",
    "meld",
    "safety",
    "efficacy",
    "cohort",
    "book",
    "ard",
    "trial",
    "stats",
]
"""Rooms from top to bottom; each imports from itself and from those below it."""


def list_imports(path: Path) -> set[str]:
    """Return the rooms that a module imports from."""
    names = [
        node.module or ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    parts = [name.split(".") for name in names if name.startswith("msct_helpers.")]
    return {part[1] for part in parts}


def test_imports_run_downwards() -> None:
    package = ROOT / "msct_helpers"
    upwards = [
        f"{path.relative_to(package)} imports from {room}"
        for level, name in enumerate(FLOORS)
        for path in sorted((package / name).rglob("*.py"))
        for room in sorted(list_imports(path))
        if room not in FLOORS[level:]
    ]
    assert not upwards
    assert {p.parent.name for p in package.glob("*/__init__.py")} == set(FLOORS)


def test_the_mixed_model_stands_alone() -> None:
    for path in (ROOT / "msct_helpers/stats").rglob("*.py"):
        assert list_imports(path) <= {"stats"}
