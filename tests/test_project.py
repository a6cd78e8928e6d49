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
def test_what_an_extra_adds_is_not_in_the_lock(extra: str) -> None:
    added = (ROOT / f"requirements-{extra}.txt").read_text()
    names = {re.match(r"[\w.-]+", pin).group() for pin in read_pins(LOCK)}  # type: ignore[union-attr]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for requirement in wanted["optional-dependencies"][extra]:
        assert f"{re.split('[<>=]', requirement)[0]}==" in added
    assert not names & {re.match(r"[\w.-]+", pin).group() for pin in read_pins(added)}  # type: ignore[union-attr]


def test_no_tracked_file_names_a_host_of_packages_or_a_machine() -> None:
    pattern = "python[h]osted|pypi[.]org|debian[.]org|registry[.]npm|/root[/]"
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", ".", ":!tests/test_project.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
