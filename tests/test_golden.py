"""What a reader sees of every chapter, of the two data sets and of odd ones."""

import re
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

from msct_helpers.sphinx.ext import leave_out_evidence
from tests import golden, odd
from tests.conftest import DATASETS, ROOT

STORED = (*DATASETS, *(change.__name__ for change in odd.PLANS))
NOT_NUMBERS = re.compile(r"\b(nan|NaN|inf|None(?! of))\b|<NA>|object at 0x|\{[\w.]+\}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return odd.make_folders(tmp_path_factory.mktemp("odd"))


@pytest.mark.parametrize("name", STORED)
def test_words_and_cells_are_those_that_were_stored(
    name: str, folders: dict[str, Path], books: dict[str, Path]
) -> None:
    """Renew them on purpose with ``make golden``."""
    # Chapters that a built book left are not run again.
    assert not set(DATASETS) & {name} or books[name]
    assert_stored(name, golden.run_book(folders[name]))


def test_words_of_the_evidence_are_those_that_were_stored(html: Path) -> None:
    assert_stored("evidence", golden.run_evidence())


def assert_stored(name: str, texts: dict[str, str]) -> None:
    moved: list[str] = []
    for chapter, text in texts.items():
        stored = (golden.GOLDEN / name / f"{chapter}.txt").read_text(encoding="utf-8")
        title = f"{name}/{chapter}"
        lines = unified_diff(stored.splitlines(), text.splitlines(), title, title, "", "", 0, "")
        moved += list(lines)
    assert not moved, "\n".join(moved)
    assert {path.stem for path in (golden.GOLDEN / name).glob("*.txt")} == set(texts)


def test_the_reader_is_asked_before_being_told() -> None:
    text = (golden.GOLDEN / "evidence/worlds.txt").read_text(encoding="utf-8")
    asked, told = text.index("Which is which?"), text.index("(folded) The answer")
    assert asked < text.index("[fig-pair]") < told < text.index("Patients improved in set B")
    assert "improved in set" not in text[:told]


def test_evidence_is_the_same_in_every_book() -> None:
    """Its chapters may be run once for several books."""
    stored = [read_reference(name) for name in DATASETS]
    names = {path.stem for path in golden.EVIDENCE}
    first, second = (table[table["chapter"].isin(names)] for table in stored)
    assert len(first) > 500
    pd.testing.assert_frame_equal(first.reset_index(drop=True), second.reset_index(drop=True))


def read_reference(name: str) -> pd.DataFrame:
    path = ROOT / "tests/reference" / name / "ard.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.mark.parametrize("name", ["evidence", *STORED])
def test_no_text_shows_a_gap(name: str) -> None:
    for path in (golden.GOLDEN / name).glob("*.txt"):
        assert not NOT_NUMBERS.search(path.read_text(encoding="utf-8")), path.name


FALSE = {
    "three_years": r"two years|two-year|24 months|month 24 (?:is|was) the last",
    "half_a_year": r"(?i)\bmonths?\b|two[- ]years?|\bone year\b",
    "more_endpoints": r"\bfour endpoints\b",
}
"""What would be false of a data set of another plan; the abstract itself speaks of two years."""

ABOUT_MORE = ("statements", "discussion", "data-dictionary", "how-to-rebuild")
"""Chapters that speak of the abstract, of trials of its size, or of every data set that fits."""


def list_claims(text: str) -> list[str]:
    """Return the lines of a chapter that speak of the data set, not of the abstract."""
    text = text.replace("constrained to the published abstract", "")
    return [line for line in text.splitlines() if "abstract" not in line.lower()]


@pytest.mark.parametrize("name", FALSE)
def test_words_are_true_of_another_plan(name: str) -> None:
    for path in sorted((golden.GOLDEN / name).glob("*.txt")):
        if path.stem in ABOUT_MORE:
            continue
        for line in list_claims(path.read_text(encoding="utf-8")):
            assert not re.search(FALSE[name], line), f"{path.stem}: {line[:300]}"


def test_visits_and_endpoints_of_another_plan_are_shown() -> None:
    def read(name: str, chapter: str) -> str:
        return (golden.GOLDEN / name / f"{chapter}.txt").read_text(encoding="utf-8")

    assert "first event within 36 months" in read("three_years", "cohort-flow")
    assert re.search(r"^ \| 36 \| ", read("three_years", "efficacy-endpoints"), re.M)
    assert "first event within 26 weeks" in read("half_a_year", "cohort-flow")
    assert re.search(r"^ \| 26 \| ", read("half_a_year", "meld"), re.M)
    further = read("more_endpoints", "efficacy-endpoints")
    for words in ("AST", "ALP", "platelets"):
        assert words in further


WORDS: dict[Callable[[odd.Tables], odd.Plan], list[tuple[str, str]]] = {
    odd.one_patient: [
        (
            "efficacy-endpoints",
            "No change from baseline to 24 months can be estimated by the mixed model",
        ),
        ("meld", "MELD-Na: not assessable, sodium not recorded."),
        ("safety", "Adverse events: not assessable"),
        ("safety", "Infusions and doses were not recorded one by one."),
    ],
    odd.nothing_happened: [
        (
            "cohort-flow",
            "No participant is known to have died or been transplanted within 24 months.",
        ),
        ("cohort-flow", "Nobody left before the last visit"),
        ("cohort-flow", "nobody was lost, so there is nothing to bound"),
        ("cohort-flow", "there is no incidence to estimate"),
        ("safety", "Adverse events were recorded, and none occurred."),
        ("safety", "No death and no serious adverse event was recorded."),
    ],
    odd.all_lost_at_once: [
        ("cohort-flow", "Everybody left before the last visit"),
        ("cohort-flow", "Of 26 synthetic participants nobody knows"),
        ("efficacy-endpoints", "no endpoint can be fitted by the mixed model"),
    ],
    odd.no_survivors: [
        ("cohort-flow", "Nobody was alive without transplant and followed to 24 months."),
        ("safety", "Death, cause not recorded"),
        ("cohort-flow", "No transplant competed with death"),
    ],
}


@pytest.mark.parametrize("change", WORDS, ids=lambda change: change.__name__)
def test_a_book_of_odd_data_says_what_it_lacks(
    change: Callable[[odd.Tables], odd.Plan], tmp_path: Path
) -> None:
    texts = golden.run_book(odd.make_odd(change, tmp_path / "odd"))
    for chapter, words in WORDS[change]:
        assert words in texts[chapter]
    for chapter, text in texts.items():
        assert not NOT_NUMBERS.search(text), chapter


def test_the_book_of_the_world_without_change_stands() -> None:
    """Every statement was built into data in which nobody improved, and the book says so."""
    texts = golden.run_book(ROOT / "data/msct_synthetic_null")
    assert "these data can answer 20. Of these, 20 were built in" in texts["statements"]
    assert "Data into which no improvement is built can agree with them too" in texts["statements"]
    for chapter, text in texts.items():
        assert not NOT_NUMBERS.search(text), chapter
        assert not re.search(r"\| holds|: holds", text), chapter


def test_a_book_of_another_trial_says_nothing_of_the_abstract(tmp_path: Path) -> None:
    site = parse_toc_yaml(ROOT / "_toc.yml")
    config = SimpleNamespace(external_site_map=site, exclude_patterns=[], msct_abstract=False)
    leave_out_evidence(SimpleNamespace(), config)  # type: ignore[arg-type]
    left = {name.removeprefix("chapters/") for name in site} - {"index"}
    gone = {"statements", "counts", "worlds", "without-cells", "next-trial", "standards", "methods"}
    assert left == {path.stem for path in golden.CHAPTERS} - gone
    assert set(config.exclude_patterns) == {f"chapters/{name}.md" for name in gone}
    # The dictionary explains the key by which a data set names the abstract.
    texts = golden.run_book(odd.make_odd(odd.another_trial, tmp_path / "odd"), left)
    spoken = {name for name, text in texts.items() if re.search(r"\babstract", text)}
    assert spoken <= {"data-dictionary"}
    assert "In this cohort 11 of 26 enrolled" in texts["discussion"]


def test_a_book_that_weighs_the_abstract_keeps_all_chapters() -> None:
    site = parse_toc_yaml(ROOT / "_toc.yml")
    config = SimpleNamespace(external_site_map=site, exclude_patterns=[], msct_abstract=True)
    leave_out_evidence(SimpleNamespace(), config)  # type: ignore[arg-type]
    assert {name for name in site if name != "index"} == {
        f"chapters/{path.stem}" for path in golden.CHAPTERS
    }


def test_results_name_functions_that_are_there() -> None:
    """A reviewer looks for what computed a result."""
    code = "\n".join(path.read_text() for path in (ROOT / "msct_helpers").rglob("*.py"))
    there = set(re.findall(r"^def (\w+)", code, re.M))
    texts = [path.read_text().partition("| method\n")[2] for path in golden.GOLDEN.rglob("*.txt")]
    named = set(re.findall(r"^[^|\n]+ \| (\w+) \| ", "\n".join(texts), re.M))
    assert len(named) > 40
    assert named <= there
