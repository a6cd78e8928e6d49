"""What a newcomer's machine relies on: pins, names and clean files."""

import re
import subprocess

import yaml

from tests.conftest import ROOT
from tools.lock import read_pins, write_environment

LOCK = (ROOT / "requirements.txt").read_text()


def test_environment_and_lock_hold_the_same_pins() -> None:
    assert (ROOT / "environment.yml").read_text() == write_environment(LOCK)
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][-1]["pip"]
    assert listed[:-1] == read_pins(LOCK)
    assert len(listed) > 100


def test_every_pin_has_a_hash() -> None:
    blocks = re.split(r"\n(?=[a-z])", LOCK.strip())
    assert len(blocks) == len(read_pins(LOCK))
    assert all("--hash=sha256:" in block for block in blocks)


def test_no_tracked_file_names_a_host_of_packages_or_a_machine() -> None:
    pattern = "python[h]osted|pypi[.]org|debian[.]org|registry[.]npm|/root[/]"
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", ".", ":!tests/test_project.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
