"""Data sets that people really have end as the table of cases says, named by their place."""

from pathlib import Path

import pytest

from tests.cases import CASES, PAYLOADS, TEXTS, Case, make_folder
from tests.corruptions.oracle import check, compare, describe, unspoilt


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_ends_as_it_should(tmp_path: Path, case: Case) -> None:
    result = check(make_folder(tmp_path / "data", case.spoil))
    answers = result.problems if case.verdict == "refused" else result.readings
    assert (result.trial is None) == (case.verdict == "refused"), result.problems
    if case.verdict != "loads":
        found = [a for a in answers if (a.file, a.column) == case.where or not case.where[1]]
        words = [str(a) for a in found if a.file == case.where[0]]
        assert any(case.words in text for text in words), answers
    if case.same:
        assert compare(describe(unspoilt("small", "").trial), result.trial) == ""


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_a_text_like_any_other(tmp_path: Path, name: str) -> None:
    trial = check(make_folder(tmp_path / "data", TEXTS[name])).trial
    text = PAYLOADS[name]
    assert set(trial.adsl["DIAG"]) == set(trial.adae["AEDECOD"]) == {text}
    assert set(trial.adae["AEBODSYS"]) == set(trial.adex["EXDOSU"]) == {text}
    study = trial.study
    assert study.title == study.label == study.source == study.treatment == text
    assert study.assumed == [text]
