"""Where the project and the data set of this build are."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Root of the project."""

DEFAULT_DATA = "data/msct_synthetic"


def data_folder() -> Path:
    """Return the folder named by ``MSCT_DATA``, or the default data set.

    A relative path is taken from the project's root, so that a notebook finds the same data from
    whatever folder it runs in.
    """
    return (ROOT / os.environ.get("MSCT_DATA", DEFAULT_DATA)).resolve()


def digest_data(folder: Path) -> str:
    """Return the start of the sha256 over names and contents of a folder's tables and study.yml."""
    total = hashlib.sha256()
    found = [p for p in [*folder.glob("*.csv"), *folder.glob("*.yml")] if p.is_file()]
    for path in sorted(found):
        total.update(os.fsencode(path.name) + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]
