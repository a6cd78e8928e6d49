"""Read ``study.yml``: a plain list of keys, held to the type that each has in `schema.Study`.

YAML is read from its events and nothing is constructed: no anchors, tags or second documents, no
key twice, and a scalar keeps the characters of the file, so ``5.0`` stays ``5.0``.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from msct_helpers.trial.findings import Log, show_value
from msct_helpers.trial.plan import Plan, make_plan
from msct_helpers.trial.read import STUDY_BYTES, decode, read_bytes
from msct_helpers.trial.schema import KEYS, LAST_DAY, PARAMETERS, PLAUSIBLE, Study, read_unit
from msct_helpers.trial.text import has_hidden, looks_odd, show_text

FILE = "study.yml"
DEEPEST = 5
"""Lists and mappings inside each other; the contract needs three."""

LONGEST = 2000
LONGEST_LIST = 200
"""Characters of a text, and items of a list, in ``study.yml``."""

INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,14})")
DECIMAL = re.compile(r"[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})")
VISIT = re.compile(r"0|[1-9][0-9]{0,3}")
SHA256 = re.compile(r"[0-9a-f]{64}")

CHOICES = {
    "origin": ("synthetic", "real"),
    "visit_unit": ("months", "weeks"),
    "statements": ("published",),
}
"""Texts of which one must stand."""

PLAN = ("horizon_months", "visits", "visit_unit", "windows", "endpoints")
"""Keys of the analysis plan."""

LONGEST_HORIZON = 240
"""Months."""

MOST_VISITS, LAST_WEEK = 30, LAST_DAY // 7
AS_WRITTEN = ("ctcae_version",)
BEYOND = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
"""Escapes of characters beyond the last one."""
VERSION = re.compile(r"(?i)(v|version )?[1-9](\.[0-9]{1,2})?")
"""Texts that may look like numbers."""


@dataclass(frozen=True)
class Scalar:
    """A scalar of the file: its characters, the kind that YAML takes it for, and its line."""

    text: str
    kind: str
    line: int


class _Refused(Exception):
    def __init__(self, line: int | None, expected: str, value: str | None = None):
        self.line, self.expected, self.value = line, expected, value
        super().__init__(expected)


def read_study(folder: Path, log: Log) -> tuple[Study | None, Plan | None]:
    """Return what ``study.yml`` says, and its plan; None with all that is wrong in the log.

    The plan is also returned where only other keys are wrong.
    """
    content = read_bytes(folder / FILE, STUDY_BYTES, log)
    text = decode(content, FILE, log) if content is not None else None
    tree = _parse(text, log) if text is not None else None
    if tree is None:
        return None, None
    before = len(log.problems)
    known = {f.name: f for f in fields(Study)}
    for key in tree.keys() - known.keys():
        log.refuse(FILE, f"one of the keys {', '.join(known)}", column=key, row=_line(tree[key]))
    values: dict[str, Any] = {}
    for name, f in known.items():
        given = tree.get(name)
        if given is None or (isinstance(given, Scalar) and given.kind == "null"):
            if f.default is MISSING:
                log.refuse(FILE, f"{KEYS[name]}; the key is missing", column=name)
            continue
        try:
            values[name] = _READERS[name](name, given, log)
        except _Refused as error:
            about = f"{error.expected} ({KEYS[name]})"
            log.refuse(FILE, about, column=name, row=error.line, value=error.value)
    plan = None
    if not any(p.column in PLAN for p in log.problems[before:]):
        plan = _read_plan(values, tree, log)
    return (Study(**values) if len(log.problems) == before else None), plan


def _read_plan(values: dict[str, Any], tree: dict[str, Any], log: Log) -> Plan | None:
    """Return the plan that the keys make together; None with what rules it out in the log."""
    plan = make_plan(**{key: values[key] for key in PLAN if key in values})
    clashes = list(_find_clashes(plan, values))
    for key, value, expected, remedy in clashes:
        row = _line(tree.get(key, []))
        log.refuse(FILE, expected, column=key, row=row, value=value, remedy=remedy)
    if plan.last.window[1] < plan.horizon_days:
        said = f"{plan.horizon}, long after {plan.last.words}, with which laboratory results end"
        log.state(FILE, "horizon_months", said)
    return None if clashes else plan


def _find_clashes(plan: Plan, values: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield key, value, what was expected and remedy where keys of the plan do not fit."""
    if plan.unit == "week" and "visits" not in values:
        yield "visit_unit", "weeks", "a list of visits beside it, in the key visits", ""
        return
    given, last = values.get("windows", {}), plan.last
    for number in given.keys() - set(plan.numbers):
        expected = f"a visit among {', '.join(map(str, plan.numbers))}"
        yield "windows", f"{number}", expected, ""
    for visit in plan.visits:
        if not visit.window[0] <= visit.day + 1 <= visit.window[1]:
            expected = (
                f"for {visit.words} study days around day {visit.day + 1}, on which it is due"
            )
            yield "windows", f"{list(visit.window)}", expected, ""
    for one, other in pairwise(plan.visits):
        if one.window[1] >= other.window[0]:
            value = f"{list(one.window)}, {list(other.window)}"
            expected = f"windows of {one.words} and {other.words} that do not overlap"
            yield "windows", value, expected, "Where only one of them is given, give the other too"
    if last.window[0] > plan.horizon_days + 1:
        expected = f"months that reach the last visit, {last.words} (day {last.window[0]} or later)"
        remedy = "Give the visits of the data set in the key visits, or a longer follow-up"
        yield "horizon_months", f"{plan.horizon_months}", expected, remedy
    # A month has more than four weeks.
    if plan.horizon_days > 4 * last.day:
        expected = f"months, not weeks, of a follow-up that ends soon after {last.words}"
        yield "horizon_months", f"{plan.horizon_months}", expected, "Give the follow-up in months"


def _parse(text: str, log: Log) -> dict[str, Any] | None:
    expected, note, remedy, value = "YAML that can be read", "", "", None
    lone = re.search(r"\r(?!\n)", text)
    try:
        tree = _build(iter(yaml.parse(text, Loader=yaml.SafeLoader))) if not lone else None
        if isinstance(tree, dict):
            return tree
        row: int | None = 1
        expected = "keys with values, such as `title: A trial`"
        if lone:
            row, note = _count_lines(text, lone.start()), "a carriage return alone"
            expected = "lines that end in one way"
    except _Refused as error:
        expected, row, value = error.expected, error.line, error.value
    except yaml.MarkedYAMLError as error:
        # A quote that is never closed is told where it was opened, not where the file ends.
        opened = "quoted" in str(error.context)
        mark = (error.context_mark if opened else error.problem_mark) or error.context_mark
        row, note = mark.line + 1 if mark else None, str(error.problem or error.context or "")
        remedy = "Put a text that holds a colon or begins with a sign in quotes; indent with blanks"
    except (ValueError, OverflowError):
        found = BEYOND.search(text)
        row = _count_lines(text, found.start()) if found else None
        note = "a character of no such number"
    except yaml.reader.ReaderError as error:
        row = _count_lines(text, error.position)
        note = f"character {chr(error.character)} cannot stand in YAML"
    log.refuse(FILE, expected, row=row, value=value, note=show_text(note), remedy=remedy)
    return None


def _count_lines(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _build(events: Any) -> Any:
    """Return dicts, lists and scalars from YAML events; refuse what the contract has no use for."""
    resolver = yaml.SafeLoader("")
    root: list[Any] = []
    # Each open container, with the key that waits for its value.
    stack: list[Any] = [root]
    keys: list[Scalar | None] = [None]
    for event in events:
        line = event.start_mark.line + 1
        _refuse_odd(event, line, len(stack), root)
        if isinstance(event, yaml.ScalarEvent):
            tag = resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
            _put(stack[-1], keys, Scalar(event.value, tag.rpartition(":")[2], line))
        elif isinstance(event, yaml.CollectionStartEvent):
            inner: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            _put(stack[-1], keys, inner, line)
            stack.append(inner)
            keys.append(None)
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
            keys.pop()
    return root[0] if root else None


def _refuse_odd(event: Any, line: int, depth: int, root: list[Any]) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise _Refused(line, "no anchors (&) and aliases (*); put a text that begins so in quotes")
    if getattr(event, "tag", None):
        raise _Refused(line, "no tags (!)", event.tag)
    if isinstance(event, yaml.DocumentStartEvent) and root:
        raise _Refused(line, "one document; a line of --- begins another")
    if depth > DEEPEST + 1:
        raise _Refused(line, f"at most {DEEPEST} levels of lists and keys")


def _put(into: Any, keys: list[Scalar | None], value: Any, line: int = 0) -> None:
    if isinstance(into, list):
        into.append(value)
    elif keys[-1] is None:
        if not isinstance(value, Scalar):
            raise _Refused(line, "a word as key")
        if value.text in into:
            raise _Refused(value.line, "each key once", value.text)
        keys[-1] = value
    else:
        into[keys[-1].text] = value
        keys[-1] = None


def _line(value: Any) -> int | None:
    """Return the line of a scalar, or of the first one inside a list or mapping."""
    if isinstance(value, Scalar):
        return value.line
    inner = value.values() if isinstance(value, dict) else value
    return next((line for v in inner if (line := _line(v))), None)


def _text(value: Any) -> str | None:
    return value.text if isinstance(value, Scalar) else None


def _scalar(value: Any, expected: str) -> Scalar:
    if not isinstance(value, Scalar):
        seen = "a list" if isinstance(value, list) else "keys with values"
        raise _Refused(_line(value), f"{expected}, not {seen}")
    return value


def _read_text(name: str, value: Any, log: Log) -> str:
    scalar = _scalar(value, "a text")
    if scalar.kind != "str" and name not in AS_WRITTEN:
        raise _Refused(scalar.line, "a text, in quotes where it looks like a number", scalar.text)
    if not scalar.text.strip():
        raise _Refused(scalar.line, "a text that is not blank", scalar.text)
    if len(scalar.text) > LONGEST:
        raise _Refused(scalar.line, f"a text of at most {LONGEST:,} characters", scalar.text)
    if name == "ctcae_version" and not VERSION.fullmatch(scalar.text.strip()):
        log.state(FILE, name, f"no version number, kept as written: {show_value(scalar.text)}")
    if scalar.text not in CHOICES.get(name, (scalar.text,)):
        raise _Refused(scalar.line, " or ".join(CHOICES[name]), scalar.text)
    plain = " ".join(re.split(r"[ \n\t]+", scalar.text))
    if has_hidden(plain) or looks_odd(plain):
        said = "characters that cannot be seen, or are odd, are kept"
        log.state(FILE, name, f"{said}: {show_value(plain)}")
    return scalar.text.strip()


def _read_integer(name: str, value: Any, log: Log) -> int:
    if name == "horizon_months":
        expected = f"a whole number from 1 to {LONGEST_HORIZON}"
        return _whole(value, expected, 1, LONGEST_HORIZON)
    return _whole(value, "a whole number, 0 or more", 0)


def _whole(value: Any, expected: str, least: int, most: float = math.inf) -> int:
    scalar = _scalar(value, expected)
    whole = scalar.kind == "int" and INTEGER.fullmatch(scalar.text)
    if not whole or not least <= int(scalar.text) <= most:
        raise _Refused(scalar.line, expected, scalar.text)
    return int(scalar.text)


def _read_visits(name: str, value: Any, log: Log) -> list[int]:
    expected = (
        f"a list of 2 to {MOST_VISITS} whole numbers, ascending, the first 0 and none above "
        f"{LAST_WEEK}"
    )
    if not isinstance(value, list):
        raise _Refused(_line(value), expected, _text(value))
    numbers = [_whole(item, expected, 0, LAST_WEEK) for item in value]
    rising = all(a < b for a, b in pairwise(numbers))
    if not (2 <= len(numbers) <= MOST_VISITS and numbers[0] == 0 and rising):
        raise _Refused(_line(value), expected, f"{numbers}")
    return numbers


def _read_windows(name: str, value: Any, log: Log) -> dict[int, list[int]]:
    out = {}
    for key, given in _mapping(value, "such as `6: [120, 270]`").items():
        if not VISIT.fullmatch(key):
            raise _Refused(_line(given), "the number of a visit, a colon and a window", key)
        expected = f"for visit {key} [first, last]: two study days, not 0, the first no later"
        days = [_whole(item, expected, -LAST_DAY, LAST_DAY) for item in _pair(given, expected)]
        if 0 in days or days[0] > days[1]:
            raise _Refused(_line(given), expected, f"{days}")
        out[int(key)] = days
    return out


def _read_endpoints(name: str, value: Any, log: Log) -> list[str]:
    codes = [_parameter(text, item) for item, text in _texts(name, value, log)]
    if not codes:
        raise _Refused(None, "at least one parameter")
    for code in codes:
        if codes.count(code) > 1:
            raise _Refused(_line(value), "each parameter once", code)
    return codes


def _pair(value: Any, expected: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise _Refused(_line(value), expected)
    return value


def _read_list(name: str, value: Any, log: Log) -> list[str]:
    return [text for _, text in _texts(name, value, log)]


def _texts(name: str, value: Any, log: Log) -> list[tuple[Any, str]]:
    """Return the items of a list of texts, and what they say."""
    if not isinstance(value, list):
        expected = "a list, each item on a line that begins with -"
        raise _Refused(_line(value), expected, _text(value))
    if len(value) > LONGEST_LIST:
        raise _Refused(_line(value), f"a list of at most {LONGEST_LIST} items")
    return [(item, _read_text(name, item, log)) for item in value]


def _mapping(value: Any, such: str = "such as `ALT: U/L`") -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Refused(_line(value), f"keys with values, {such}", _text(value))
    return value


def _parameter(code: str, value: Any) -> str:
    if code.strip().upper() not in PARAMETERS:
        raise _Refused(_line(value), f"a parameter among {', '.join(PARAMETERS)}", code)
    return code.strip().upper()


def _read_units(name: str, value: Any, log: Log) -> dict[str, str]:
    out = {}
    for key, given in _mapping(value).items():
        code = _parameter(key, given)
        scalar = _scalar(given, "a unit")
        unit = read_unit(code, scalar.text)
        units = PARAMETERS[code].units
        if unit not in units:
            raise _Refused(scalar.line, f"for {code} {' or '.join(units)}", scalar.text)
        if unit != scalar.text:
            log.state(FILE, name, f"{code}: '{show_text(scalar.text)}' read as {unit}")
        out[code] = unit
    if not out:
        log.state(FILE, name, "no unit given: each parameter stands in the first of its list")
    return out


def _read_ranges(name: str, value: Any, log: Log) -> dict[str, list[float]]:
    out = {}
    for key, given in _mapping(value).items():
        code = _parameter(key, given)
        expected = f"for {code} [lower, upper]: two numbers, the lower first"
        limits = [_read_limit(item, expected) for item in _pair(given, expected)]
        if not 0 <= limits[0] < limits[1]:
            raise _Refused(_line(given), expected, f"[{given[0].text}, {given[1].text}]")
        out[code] = [int(x) if x.is_integer() else x for x in limits]
    return out


def _read_limit(value: Any, expected: str) -> float:
    scalar = _scalar(value, expected)
    if scalar.kind not in ("int", "float") or not DECIMAL.fullmatch(scalar.text):
        raise _Refused(scalar.line, expected, scalar.text)
    number = float(scalar.text)
    if not math.isfinite(number):
        raise _Refused(scalar.line, expected, scalar.text)
    return number


def _read_checksums(name: str, value: Any, log: Log) -> dict[str, str]:
    out = {}
    for key, given in _mapping(value).items():
        scalar = _scalar(given, "a sha256")
        if not SHA256.fullmatch(scalar.text):
            raise _Refused(scalar.line, "a sha256 of 64 hexadecimal digits", scalar.text)
        if not key or key.startswith(".") or "/" in key or "\\" in key:
            raise _Refused(scalar.line, "the name of a file of this folder", key)
        out[key] = scalar.text
    return out


def check_ranges(study: Study, log: Log) -> None:
    """Refuse limits of normal that no laboratory prints in the reporting unit."""
    for code, (_, high) in (study.reference_ranges or {}).items():
        unit = study.reporting_units.get(code, PARAMETERS[code].unit)
        limits = [x / PARAMETERS[code].units[unit] for x in PLAUSIBLE[code].usual]
        if not limits[0] / 2 <= high <= limits[1] * 2:
            expected = f"limits of {code} in {unit}, its reporting unit"
            log.refuse(FILE, expected, column="reference_ranges", value=f"{high:g}")


_READERS: dict[str, Any] = {
    key: _read_text for key, kind in get_type_hints(Study).items() if kind in (str, str | None)
} | {
    "horizon_months": _read_integer,
    "visits": _read_visits,
    "windows": _read_windows,
    "endpoints": _read_endpoints,
    "assessed": _read_integer,
    "seed": _read_integer,
    "draws": _read_integer,
    "assumed": _read_list,
    "reporting_units": _read_units,
    "reference_ranges": _read_ranges,
    "checksums": _read_checksums,
}
