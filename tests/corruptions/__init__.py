"""Data sets spoilt by rule: every column of every table by every kind that fits, and more.

A rule makes `Corruption`s: a data set, one thing that is spoilt, and what a loader may answer. The
`oracle` hands each to the loader and judges the answer without any of the loader's code: refused
and named, loaded and stated, loaded unchanged, or loaded as written where that is the truth.
Whatever else comes of it is a fault: a traceback, a hang, vague words, silence.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from tests.corruptions.base import TABLES, Corruption
from tests.corruptions.between import corrupt_between, corrupt_together
from tests.corruptions.cells import corrupt_cells, corrupt_columns
from tests.corruptions.study import corrupt_study
from tests.corruptions.tables import corrupt_bytes, corrupt_files, corrupt_headings, corrupt_rows

RULES = {
    "cells": corrupt_cells,
    "columns": corrupt_columns,
    "headings": corrupt_headings,
    "rows": corrupt_rows,
    "bytes": corrupt_bytes,
    "files": corrupt_files,
    "study": corrupt_study,
    "between": corrupt_between,
    "together": corrupt_together,
}
"""The corpus: what is spoilt, and the rule that spoils it."""


EVERY = int(os.environ.get("FUZZ_EVERY", "3"))
"""Of the rules that cross columns with kinds every so many is taken; 1 takes all."""
SECOND = 6
"""And of those in the second data set: its files and kinds of columns are the same."""


@lru_cache
def corpus() -> dict[str, list[Corruption]]:
    """Return the corruptions by rule."""
    return {name: list(_of_both(name)) for name in RULES}


def _of_both(name: str) -> Iterator[Corruption]:
    for turn, dataset in enumerate(TABLES):
        crossed = name in ("cells", "columns", "headings", "bytes", "files", "study")
        step = EVERY * (SECOND if turn else 1) if crossed else 1
        # A column has dozens of kinds; a step that shares no factor with them meets all in turn.
        yield from list(RULES[name](dataset))[::step]


def sample(size: int) -> list[Corruption]:
    """Return a fixed sample: from every rule as many as its share, spread over its length."""
    rules = corpus()
    total = sum(map(len, rules.values()))
    return [c for made in rules.values() for c in _spread(made, max(1, size * len(made) // total))]


def _spread(made: list[Corruption], size: int) -> Iterator[Corruption]:
    for n in range(size):
        yield made[(2 * n + 1) * len(made) // (2 * size)]


def repeated() -> list[str]:
    """Return names that more than one corruption has."""
    names = Counter(c.name for made in corpus().values() for c in made)
    return [name for name, times in names.items() if times > 1]
