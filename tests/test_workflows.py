"""What runs on GitHub: pinned, with the least that it needs, and calling the project's scripts."""

import json
import os
import re
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

FOLDER = ROOT / ".github/workflows"
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yml")}
WRITES = {("release", "deploy"): {"pages", "id-token"}}
"""What a job may write; all others only read."""


def read_jobs(name: str) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow by name."""
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


def list_commands(name: str) -> list[str]:
    """Return every command that a workflow runs."""
    steps = [step for job in read_jobs(name).values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_action_is_pinned_by_commit_and_names_its_version(name: str) -> None:
    uses = re.findall(r"^.*\buses:.*$", WORKFLOWS[name], re.M)
    assert uses
    for line in uses:
        assert re.fullmatch(r" +(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_job_may_do_what_it_needs_and_no_more(name: str) -> None:
    assert yaml.safe_load(WORKFLOWS[name])["permissions"] == {}
    for job, content in read_jobs(name).items():
        writes = {key for key, may in content["permissions"].items() if may != "read"}
        assert writes == WRITES.get((name, job), set())
        checkouts = [s for s in content["steps"] if "actions/checkout" in s.get("uses", "")]
        assert all(s["with"]["persist-credentials"] is False for s in checkouts)
        assert "secrets" not in str(content)


def test_what_runs_are_scripts_of_the_project() -> None:
    assert list_commands("change") == ["sudo make system", ".ci/run"]
    assert list_commands("release") == ["sudo make system", ".ci/publish"]
    assert list_commands("weekly") == ["make verify"]
    triggers = {name: set(yaml.safe_load(text)[True]) for name, text in WORKFLOWS.items()}
    assert triggers == {
        "change": {"push", "pull_request"},
        "release": {"release"},
        "weekly": {"schedule", "workflow_dispatch"},
    }


@pytest.mark.parametrize("script", ["run", "publish"])
def test_scripts_can_be_run_and_stop_at_the_first_failure(script: str) -> None:
    path = ROOT / ".ci" / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text()


def test_the_development_container_is_pinned_and_sets_up_by_make() -> None:
    text = (ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8")
    container = json.loads(text)
    assert re.fullmatch(r"python:3\.11-bookworm@sha256:[0-9a-f]{64}", container["image"])
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    make, *called = container["postCreateCommand"].split()
    assert make == "make"
    assert set(called) <= set(targets)
