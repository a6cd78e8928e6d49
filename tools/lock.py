"""Renew the locks.

They are requirements.txt, requirements-EXTRA.txt for what an extra adds to it, and environment.yml
(the pins of the first for conda users).
"""

import re
import subprocess
import sys
from pathlib import Path

from tools.environment import read_lock

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("crate", "lab", "mutate")
"""Extras that are installed on demand, into the same environment."""

HEAD = """\
# The pins of requirements.txt, for conda users: conda env create -f environment.yml
# Renewed by `make lock`; a test holds the two together.
name: msct-report
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def read_pins(lock: str) -> list[str]:
    """Return the pins of a lock, with their markers, in its order."""
    return re.findall(r"^([\w.\-\[\]]+==[^\\\n]+?) *\\?$", lock, re.M)


def write_environment(lock: str) -> str:
    """Return environment.yml for a lock."""
    lines = [f'      - "{pin}"\n' for pin in read_pins(lock)]
    return HEAD + "".join(lines) + "      - -e .\n"


def compile_lock(extra: str, *options: str) -> str:
    """Return the lock of the package with an extra, for every platform, with hashes."""
    command = (
        "uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url"
        f" --no-header --no-annotate --extra {extra} --upgrade -q pyproject.toml"
    )
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), *options],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def main() -> None:
    """Resolve pyproject.toml and write all files."""
    lock = compile_lock("dev")
    (ROOT / "requirements.txt").write_text(lock)
    (ROOT / "environment.yml").write_text(write_environment(lock))
    for extra in EXTRAS:
        known = read_lock(lock)
        blocks = read_lock(compile_lock(extra, "--constraint", "requirements.txt"))
        added = [block for pin, block in blocks.items() if pin not in known]
        (ROOT / f"requirements-{extra}.txt").write_text("".join(added))


if __name__ == "__main__":
    main()
