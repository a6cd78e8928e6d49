"""Sphinx extension of the book, the output's part: whole, of one data set, and nothing else.

`msct_helpers.sphinx.ext` loads it. A build that succeeded leaves a seal beside its output: from
what it was built, and the digest of every file. The next build goes on from there only where all
is still so; otherwise it starts with empty folders. Executed chapters are kept apart.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from myst_nb.sphinx_ext import OUTPUT_FOLDER
from sphinx.application import Sphinx
from sphinx.util import logging

from msct_helpers.book.records import load, store
from msct_helpers.sphinx.processes import hold, stop

MANIFEST = "manifest.json"

logger = logging.getLogger(__name__)


def hold_output(app: Sphinx, dataset: str) -> None:
    """Let no other build write beside this one."""
    hold(Path(app.outdir).parent, dataset)


def find_seal(app: Sphinx) -> Path:
    """Return where a build leaves its seal."""
    return Path(app.outdir).parent / ".seal.json"


def read_seal(app: Sphinx) -> dict[str, Any]:
    """Return what the last build sealed: key, facts and files; empty where it did not succeed."""
    return load(find_seal(app)) or {}


def open_output(app: Sphinx, key: str, facts: dict[str, Any]) -> None:
    """Empty what an earlier build left, unless it has the same key and is whole.

    Parameters
    ----------
    app
        Sphinx application, before its environment is loaded.
    key
        Digest of all that the output depends on besides the text of the pages.
    facts
        What the next build wants to know of this one.
    """
    seal = read_seal(app)
    remove(find_seal(app))
    app.config.msct_seal = {"key": key, "facts": facts}
    if seal.get("key") == key:
        damaged = find_damage(seal["files"], list_files(app))
        if not damaged:
            return
        logger.info("%s is not as it was built: built again from the start", damaged)
    for folder in list_folders(app):
        empty(folder)


def list_folders(app: Sphinx) -> list[Path]:
    """Return the folders of a build: pages or LaTeX, what Sphinx remembers, what chapters left."""
    out = Path(app.outdir)
    return [out, Path(app.doctreedir), out.parent / OUTPUT_FOLDER]


def list_files(app: Sphinx) -> dict[str, str]:
    """Return the sha256 of each file of a build, by its path; blank where it cannot be read."""
    digests = {}
    for folder in list_folders(app):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(Path(app.outdir).parent).as_posix()
            try:
                digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError:
                digests[name] = ""
    return digests


def find_damage(sealed: dict[str, str], found: dict[str, str]) -> str:
    """Return the first file that was changed, removed or added; blank where there is none."""
    names = sorted(sealed.keys() | found.keys())
    return next((n for n in names if sealed.get(n) != found.get(n)), "")


def empty(folder: Path) -> None:
    """Make a folder that holds nothing; the folder itself stays, for who is looking at it."""
    if folder.is_dir():
        for inner in folder.iterdir():
            remove(inner)
    else:
        remove(folder)
    folder.mkdir(parents=True, exist_ok=True)


def remove(path: Path) -> None:
    """Remove a file or folder, or say what stands in the way and stop."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        stop(f"{error.filename}: cannot be removed ({error.strerror}). Remedy: make clean")


def prune_images(app: Sphinx, exception: Exception | None) -> None:
    """Remove pictures that no page shows any more."""
    if exception is None and app.builder.format == "html":
        shown = {name for _, name in app.env.images.values()}
        for path in (Path(app.outdir) / app.builder.imagedir).glob("*"):
            if path.name not in shown:
                remove(path)


def seal_output(app: Sphinx, exception: Exception | None) -> None:
    """List every file of the HTML book in its manifest, and seal all that was built.

    A build with a warning, which the next must give again, is not sealed; nor is one of LaTeX,
    which goes on writing in its folder after Sphinx has ended.
    """
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    manifest = f"{out.name}/{MANIFEST}"
    remove(out / MANIFEST)
    files = list_files(app)
    pages = {name: out.parent / name for name in files if name.startswith(f"{out.name}/")}
    listed = [
        {
            "file": path.relative_to(out).as_posix(),
            "size": path.stat().st_size,
            "sha256": files[name],
        }
        for name, path in pages.items()
    ]
    text = json.dumps(listed, indent=1) + "\n"
    (out / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    if not app._warncount:
        files[manifest] = hashlib.sha256(text.encode()).hexdigest()
        store(find_seal(app), app.config.msct_seal | {"files": files})


def setup_output(app: Sphinx) -> None:
    """Register what keeps the output whole."""
    app.add_config_value("msct_seal", {}, "", [dict])
    app.connect("build-finished", prune_images)
    # After everything else has written its files.
    app.connect("build-finished", seal_output, priority=900)
