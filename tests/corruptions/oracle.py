"""Judge what a loader makes of a corruption, by what stands in the files alone."""

import re
import resource
import shutil
import signal
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from tests.corruptions.base import PREPARED, Answer, Change, Corruption, copy_data, records

SECONDS = 10
"""Longer than that is a hang."""

FRAMES = ("adsl", "adlb", "adae", "adex", "unscheduled", "carried")
RIGHT = ("refused", "stated", "unchanged", "as written")
WRONG = (
    *("traceback", "hang", "vague", "silent", "misread"),
    *("elsewhere", "let in", "turned away", "unsafe"),
)
UNSAFE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that must not reach a terminal or a page raw: they hide, reorder or command."""
INTERNAL = re.compile(r"Traceback|object at 0x|NoneType|<class|\b[A-Z]\w+Error\b|site-packages")
"""What only a programmer understands."""


@dataclass(frozen=True)
class Outcome:
    """What came of a corruption, one of RIGHT or WRONG, and the words that show it."""

    corruption: str
    name: str
    words: str
    stated: int = 0

    @property
    def right(self) -> bool:
        """Whether a reader was told the truth."""
        return self.name in RIGHT

    def __str__(self) -> str:
        return f"{self.name}: {self.corruption}: {self.words}"


class Hang(BaseException):
    """Raised by the alarm; no `except Exception` can catch it."""


def run(corruption: Corruption) -> Outcome:
    """Spoil a copy of the data set, hand it to the loader and judge the answer."""
    root = Path(tempfile.mkdtemp(prefix="corrupt-"))
    try:
        folder = copy_data(corruption.dataset, root / "data")
        PREPARED[corruption.prepare](folder)
        corruption.spoil(folder)
        return _judge(corruption, folder)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _judge(corruption: Corruption, folder: Path) -> Outcome:
    try:
        with limit(SECONDS):
            result = check(folder)
    except Hang:
        return Outcome(corruption.name, "hang", f"more than {SECONDS} s")
    except (Exception, RecursionError, SystemExit, MemoryError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(
            corruption.name, "traceback", f"{error!r:.200} in {last.name}, {last.filename}"
        )
    before = unspoilt(corruption.dataset, corruption.prepare)
    known = {_say(reading) for reading in before.readings}
    readings = [reading for reading in result.readings if _say(reading) not in known]
    name, words = _name(corruption, result, readings, before)
    return Outcome(corruption.name, name, words, len(readings))


def check(folder: Path) -> Any:
    """Call the loader under test."""
    from msct_helpers.trial.contract import check_folder

    return check_folder(folder)


@lru_cache
def unspoilt(dataset: str, prepare: str) -> Any:
    """Return what the loader says of the unspoilt data set."""
    with tempfile.TemporaryDirectory() as root:
        folder = copy_data(dataset, Path(root) / "data")
        PREPARED[prepare](folder)
        result = check(folder)
    assert result.trial is not None, [_say(problem) for problem in result.problems]
    return result


def _name(corruption: Corruption, result: Any, readings: list[Any], before: Any) -> tuple[str, str]:
    """Return the outcome and the words that show it."""
    answer = corruption.answer
    said = [_say(item) for item in (*result.problems, *readings)]
    shown = " / ".join(said[:3])
    unsafe = next((text for text in said if UNSAFE.search(text)), "")
    if unsafe:
        return "unsafe", f"{unsafe!r:.300}"
    if result.problems:
        return _name_refusal(corruption, result.problems, shown)
    if result.trial is None:
        return "vague", "no trial and no problem"
    difference = compare(expected(before.trial, corruption), result.trial)
    unchanged = difference == "" and not corruption.means
    if answer is Answer.REFUSED:
        return "let in", shown
    if corruption.means is not None and difference:
        return ("misread" if readings else "silent"), f"{difference}; said {shown!r}"
    if any(_names(corruption, reading) for reading in readings):
        return "stated", shown
    if unchanged and not corruption.means:
        return "unchanged", ""
    if answer is Answer.LITERAL:
        return "as written", ""
    return ("elsewhere" if readings else "silent"), difference or shown


def _name_refusal(corruption: Corruption, problems: list[Any], shown: str) -> tuple[str, str]:
    if corruption.answer is Answer.LOADS:
        return "turned away", shown
    for problem in problems:
        if not problem.file or not problem.expected or INTERNAL.search(_say(problem)):
            return "vague", _say(problem)
    if not any(_names(corruption, problem) for problem in problems):
        return "elsewhere", shown
    return "refused", shown


def _say(item: Any) -> str:
    """Return all words of a problem or a reading."""
    words = [str(item)]
    if is_dataclass(item) and not isinstance(item, type):
        # The value stands as it is in the file; only what is printed must be safe.
        words += [str(v) for k, v in asdict(item).items() if v is not None and k != "value"]
    return " ".join(words)


def _names(corruption: Corruption, item: Any) -> bool:
    """Whether an answer names one of the files, and one of the columns or lines that are spoilt."""
    said = _say(item).lower()
    if corruption.files and not any(name in said for name in corruption.files):
        return False
    named = not corruption.columns or any(column.lower() in said for column in corruption.columns)
    return named or getattr(item, "row", None) in corruption.lines


def expected(trial: Any, corruption: Corruption) -> dict[str, Any]:
    """Return the unspoilt trial's content with the changes that a right reading makes."""
    content = describe(trial)
    for change in corruption.means or ():
        frame = content[change.table].copy()
        at = frame.index[change.row]
        frame[change.column] = frame[change.column].astype(object)
        frame.loc[at, change.column] = _converted(corruption, change, frame.loc[at, change.column])
        content[change.table] = frame
    return content


def _converted(corruption: Corruption, change: Change, reported: Any) -> str | float | None:
    """Return a value in the unit in which the trial holds it."""
    if change.column != "AVAL" or change.value is None:
        return change.value
    lines = records(corruption.dataset, change.table, corruption.prepare)
    return float(change.value) * float(reported) / float(lines[change.row]["AVAL"])


def describe(trial: Any) -> dict[str, Any]:
    """Return the tables of a trial and what it says of the study."""
    content = {name: getattr(trial, name, None) for name in FRAMES}
    return content | {"study": asdict(trial.study)}


def compare(wanted: dict[str, Any], trial: Any) -> str:
    """Say how a trial's content differs; nothing where it does not, whatever its rows' order."""
    seen = describe(trial)
    for name in FRAMES:
        one, other = wanted[name], seen[name]
        if one is None or other is None:
            if (one is None) != (other is None):
                return f"{name} is {'there' if one is None else 'gone'}"
            continue
        if len(one) != len(other):
            return f"{name} has {len(other)} rows, not {len(one)}"
        if set(one.columns) - set(other.columns):
            return f"{name} lacks {sorted(set(one.columns) - set(other.columns))}"
        difference = _differ(_sorted(one), _sorted(other[list(one.columns)]))
        if difference:
            return f"{name}: {difference}"
    study = [k for k, v in wanted["study"].items() if repr(seen["study"].get(k)) != repr(v)]
    return f"study: {study[0]} is {seen['study'][study[0]]!r:.80}" if study else ""


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in an order of their own, every cell as a text or a rounded number."""
    plain = pd.DataFrame({column: [_cell(v) for v in frame[column]] for column in frame})
    return plain.sort_values(list(plain.columns)).reset_index(drop=True)


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.9g}" if isinstance(value, (int, float)) else str(value)


def _differ(one: pd.DataFrame, other: pd.DataFrame) -> str:
    for column in one:
        unequal = one[column] != other[column]
        if unequal.any():
            at = unequal.idxmax()
            return f"{column} {other.loc[at, column]!r:.60}, not {one.loc[at, column]!r:.60}"
    return ""


@contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raise Hang after some seconds; kill the process where even that does not help."""

    def ring(signum: int, frame: object) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        raise Hang

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def limit_memory() -> None:
    """Let a loader that reads an endless file fail here, not the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
