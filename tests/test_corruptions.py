"""No spoilt data set ends in a traceback, a hang, vague words or a false reading in silence."""

import multiprocessing
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corruptions import corpus, repeated, sample
from tests.corruptions.base import Answer, copy_data, edit_cell, read_rows
from tests.corruptions.oracle import RIGHT, WRONG, Outcome, check, limit, limit_memory, run


def test_the_corpus_is_large_and_every_corruption_named_once() -> None:
    assert sum(map(len, corpus().values())) >= 1_500
    assert repeated() == []
    assert len(sample(100)) == CHOSEN
    assert {c.dataset for made in corpus().values() for c in made} == {"msct_synthetic", "mayo_pbc"}


CHOSEN = 97
"""How many of the corpus are tried here."""


@pytest.mark.parametrize("nth", range(CHOSEN))
def test_a_spoilt_data_set_is_refused_or_its_reading_stated(nth: int) -> None:
    # Made where they are met: the corpus takes seconds, also of a process that meets none.
    outcome = run(sample(100)[nth])
    assert outcome.right, str(outcome)


@pytest.mark.slow
def test_the_whole_corpus() -> None:
    start = time.monotonic()
    chosen = [(rule, n) for rule, made in corpus().items() for n in range(len(made))]
    # Forked, the other processes have the corpus at hand, which cannot be sent to them.
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=fork, initializer=limit_memory) as pool:
        outcomes = list(pool.map(_run_one, chosen, chunksize=20))
    print(_tabulate([rule for rule, _ in chosen], outcomes))
    print(f"{len(outcomes)} corruptions in {time.monotonic() - start:.0f} s")
    wrong = [str(outcome) for outcome in outcomes if not outcome.right]
    assert not wrong, "\n".join(wrong)


def _run_one(chosen: tuple[str, int]) -> Outcome:
    rule, n = chosen
    return run(corpus()[rule][n])


def _tabulate(rules: list[str], outcomes: list[Outcome]) -> str:
    """Lay out rule by outcome, and the number of readings stated."""
    counts = Counter((rule, o.name) for rule, o in zip(rules, outcomes, strict=True))
    names = [*RIGHT, *WRONG]
    lines = [["", *names, "readings"]]
    for rule in dict.fromkeys(rules):
        stated = sum(o.stated for r, o in zip(rules, outcomes, strict=True) if r == rule)
        lines.append([rule, *(str(counts[rule, name]) for name in names), str(stated)])
    total = Counter(o.name for o in outcomes)
    stated = sum(o.stated for o in outcomes)
    lines.append(["all", *(str(total[name]) for name in names), str(stated)])
    return "\n" + "\n".join("  ".join(f"{cell:>11}" for cell in line) for line in lines)


def test_the_oracle_knows_silence_from_truth() -> None:
    """A loader that reads in silence is caught; what the file says as it stands is not."""
    made = [c for c in corpus()["cells"] if c.answer is Answer.NOTICED]
    literal = [c for c in corpus()["cells"] if c.answer is Answer.LITERAL]
    assert len(made) > 5 * len(literal) > 100


BYTES = st.binary(max_size=300)
CELLS = st.text(max_size=30)
PLAIN = settings(
    deadline=None,
    max_examples=8,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@PLAIN
@given(
    name=st.sampled_from(["adsl.csv", "adlb.csv", "adae.csv", "adex.csv", "study.yml"]), end=BYTES
)
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, name: str, end: bytes) -> None:
    folder = copy_data("small", tmp_path_factory.mktemp("bytes") / "data")
    path = folder / name
    path.write_bytes(path.read_bytes()[: len(end) * 4] + end)
    with limit(10):
        check(folder)


@PLAIN
@given(
    table=st.sampled_from(["adsl", "adlb", "adae", "adex"]),
    at=st.integers(0, 9),
    column=st.integers(0, 12),
    text=CELLS,
)
def test_no_cell_raises(
    tmp_path_factory: pytest.TempPathFactory, table: str, at: int, column: int, text: str
) -> None:
    folder = copy_data("small", tmp_path_factory.mktemp("cells") / "data")
    names = read_rows(folder / f"{table}.csv")[0]
    edit_cell(table, at, names[column % len(names)], text)(folder)
    with limit(10):
        check(folder)


@PLAIN
@given(
    key=st.sampled_from(["title", "assessed", "reporting_units", "reference_ranges"]), value=CELLS
)
def test_no_study_raises(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    folder: Path = copy_data("small", tmp_path_factory.mktemp("study") / "data")
    with (folder / "study.yml").open("a", encoding="utf-8") as file:
        file.write(f"{key}: {value}\n")
    with limit(10):
        check(folder)
