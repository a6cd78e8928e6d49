"""Install again what the lock asks for and the environment no longer holds whole."""

import re
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

LOCK = Path(__file__).resolve().parent.parent / "requirements.txt"


def read_lock(text: str) -> dict[str, str]:
    """Return the block of each package of a lock, with its hashes, by its first line."""
    blocks = re.split(r"^(?=\S)", text, flags=re.M)
    return {re.split(r" *\\\n", block)[0].strip(): block for block in blocks if "==" in block}


def is_whole(wanted: Requirement) -> bool:
    """Return whether a package is installed in the wanted version with all its modules."""
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return False
    return found.version in wanted.specifier and not lacks_files(found)


def lacks_files(found: Distribution) -> bool:
    """Return whether a module of a package is missing or empty that should not be."""
    modules = [f for f in found.files or [] if f.suffix in (".py", ".so")]
    root = Path(str(found.locate_file("")))
    return not found.files or any(is_damaged(root / f, f.size) for f in modules)


def is_damaged(path: Path, size: int | None) -> bool:
    """Return whether a file is not there, or is shorter or longer than it was."""
    try:
        return path.stat().st_size != (path.stat().st_size if size is None else size)
    except OSError:
        return True


def main() -> None:
    """Find what is missing and install it."""
    blocks = read_lock(LOCK.read_text(encoding="utf-8"))
    wanted = {line: Requirement(line) for line in blocks}
    broken = [
        line
        for line, r in wanted.items()
        if (r.marker is None or r.marker.evaluate()) and not is_whole(r)
    ]
    if not broken:
        return
    print(f"Installing again: {', '.join(wanted[line].name for line in broken)}", flush=True)
    with TemporaryDirectory() as folder:
        lock = Path(folder) / "requirements.txt"
        lock.write_text("".join(blocks[line] for line in broken), encoding="utf-8")
        options = "--quiet --disable-pip-version-check --require-hashes --compile --no-deps"
        command = f"-m pip install {options} --force-reinstall --ignore-installed -r"
        subprocess.run([sys.executable, *command.split(), str(lock)], check=True)


if __name__ == "__main__":
    main()
