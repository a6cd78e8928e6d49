"""Processes of a build: one at a time in a folder, none that outlives the command behind it."""

import gc
import os
import sys
import time
from pathlib import Path
from threading import Thread
from typing import NoReturn

from filelock import FileLock, Timeout

WATCH = "MSCT_WATCH"
"""Environment variable: id of the process (make, `msct verify`) without which a build ends."""

HELD: list[FileLock] = []
"""Locks of this process. The system lets go of them when it ends, however it ends."""


def stop(message: str) -> NoReturn:
    """End the command with a message on stderr and status 1, without a traceback."""
    sys.exit(message)


def hold(folder: Path, dataset: str) -> None:
    """Keep a folder for this process until it ends; where another has it, say so and stop.

    Parameters
    ----------
    folder
        Folder in which this process writes; made where it is missing.
    dataset
        Name of the data set, told to whoever finds the folder held.
    """
    path = folder / ".lock"
    lock = FileLock(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
        path.write_text(f"process {os.getpid()}, data set {dataset}, since {time.ctime()}")
    except Timeout:
        holder = path.read_text(encoding="utf-8") or "a process that has just started"
        stop(
            f"{folder} is in use by another build ({holder}).\n"
            "Wait until it ends, or build elsewhere: jupyter-book build . --path-output FOLDER"
        )
    except OSError as error:
        stop(f"{error.filename}: cannot be written ({error.strerror}). Remedy: make clean")
    HELD.append(lock)


def end_with_caller() -> None:
    """End this process within seconds of the one that `WATCH` names, or of its own parent.

    A process that is killed cannot end what it started. Without the variable nothing is watched:
    a build may well outlive the shell from which it was started.
    """
    caller = os.environ.get(WATCH, "")
    if caller.isdigit():
        end_with(int(caller), os.getppid())


def collect_seldom() -> None:
    """Let this process look for garbage seldom: it is short, and the search a fifth of its time.

    Documents are large, and live until they are written: each search goes over all of them.
    """
    gc.set_threshold(200_000, 20, 100)


def begin_worker(caller: int, parent: int) -> None:
    """Prepare a process that works for another: `collect_seldom`, `end_with`."""
    collect_seldom()
    end_with(caller, parent)


def end_with(caller: int, parent: int) -> None:
    """End this process within seconds of its parent, or of another process behind that."""
    if os.name == "posix":
        Thread(target=_watch, args=(caller, parent), daemon=True).start()


def _watch(caller: int, parent: int) -> None:
    while os.getppid() == parent:
        try:
            os.kill(caller, 0)
        except ProcessLookupError:
            break
        time.sleep(1)
    os._exit(1)
