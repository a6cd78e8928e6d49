"""What a newcomer's machine relies on: pins, names and clean files."""

import re
import subprocess
import tomllib

import pytest
import yaml

from tests.conftest import ROOT
from tools.lock import EXTRAS, read_pins, write_environment

LOCK = (ROOT / "requirements.txt").read_text()


def test_environment_and_lock_hold_the_same_pins() -> None:
    assert (ROOT / "environment.yml").read_text() == write_environment(LOCK)
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert listed[:-1] == read_pins(LOCK)
    assert len(listed) > 100


@pytest.mark.parametrize("name", ["requirements.txt", *(f"requirements-{e}.txt" for e in EXTRAS)])
def test_every_pin_has_a_hash(name: str) -> None:
    lock = (ROOT / name).read_text()
    blocks = re.split(r"\n(?=[a-z])", lock.strip())
    assert len(blocks) == len(read_pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_an_extra_adds_agrees_with_the_lock(extra: str) -> None:
    added = read_versions((ROOT / f"requirements-{extra}.txt").read_text())
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = wanted["optional-dependencies"][extra]
    assert {re.split("[<>=]", requirement)[0] for requirement in named} <= added.keys()
    both = read_versions(LOCK)
    assert {name: both[name] for name in added if name in both}.items() <= added.items()


def read_versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.M))


def test_no_tracked_file_names_a_host_of_packages_or_a_machine() -> None:
    pattern = "python[h]osted|pypi[.]org|debian[.]org|registry[.]npm|/root[/]"
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", ".", ":!tests/test_project.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
