"""Renew requirements.txt (hash lock) and environment.yml (the same pins for conda users)."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
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


def main() -> None:
    """Resolve pyproject.toml for every platform and write both files."""
    command = (
        "uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url"
        " --no-header --no-annotate --extra dev --upgrade -q pyproject.toml -o requirements.txt"
    )
    subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, check=True)
    lock = (ROOT / "requirements.txt").read_text()
    (ROOT / "environment.yml").write_text(write_environment(lock))


if __name__ == "__main__":
    main()
