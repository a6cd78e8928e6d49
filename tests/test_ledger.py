"""Verdicts, their robustness, and the conclusions, on both data sets and on data by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.abstract import conclusions, ledger, robustness
from msct_helpers.trial.load import load_statements
from tests.conftest import get_text, with_tables

CHANGES = [f"E{i}" for i in range(1, 15)]


def claim(name: str) -> dict[str, str]:
    """Return one published statement."""
    rows = load_statements().set_index("id", drop=False)
    return dict(rows.loc[name])


def make_evidence(**values: float) -> pd.DataFrame:
    """Return the evidence on albumin at month 24 from values by analysis__statistic."""
    found = {f"{k.split('__')[0]}.alb.m24.{k.split('__')[1]}": v for k, v in values.items()}
    return pd.DataFrame({"value": found, "unit": "g/L"})


STRONG = {
    "mmrm__change": 3.0,
    "mmrm__p_mmrm": 0.001,
    "mmrm__p_holm": 0.015,
    "composite__p_value": 0.2,
    "composite__better_count": 15.0,
    "composite__n": 20.0,
    "tip__delta": 0.6,
    "tip__flip": 1.4,
}


@pytest.fixture(scope="module")
def evidence(synthetic: Trial) -> pd.DataFrame:
    return ledger.summarise_evidence(synthetic)


def test_every_statement_has_a_verdict(synthetic: Trial, mayo: Trial) -> None:
    for trial in (synthetic, mayo):
        checked = ledger.check_trial(trial).set_index("id")
        assert checked.index.tolist() == load_statements()["id"].tolist()
        known = (*ledger.VERDICTS, ledger.NOT_TESTABLE, ledger.WEIGHED)
        for verdict in checked["verdict"]:
            assert verdict in known or verdict.startswith("not assessable: ")
            assert len(verdict) > 4
        assert (checked.loc[["P1", "P2", "P3"], "verdict"] == ledger.NOT_TESTABLE).all()
        assert (checked.loc[["C1", "C2", "C3", "C4"], "verdict"] == ledger.WEIGHED).all()
    verdict = ledger.check_trial(mayo).set_index("id")["verdict"]
    # Counts, ALT and MELD: nobody infused, not recorded, no components.
    gone = verdict[verdict.str.startswith("not assessable")].index
    assert set(gone) == {
        "N1",
        "N2",
        "N3",
        "N4",
        "N5",
        "S1",
        "E1",
        "E2",
        "E3",
        "E4",
        "E12",
        "E13",
        "E14",
    }


def test_each_check_turns_on_its_own_number() -> None:
    names = ["mixed", "holm", "rank", "tip"]

    def survive(name: str, **changed: float) -> dict[str, bool | None]:
        found = robustness.check_robustness(claim(name), make_evidence(**(STRONG | changed)))
        assert [c.name for c in found] == names
        return {c.name: c.survives for c in found}

    # A direction claims no significance, so Holm is not asked of it.
    assert survive("E9") == {"mixed": True, "holm": None, "rank": True, "tip": True}
    # E10 speaks of significance: the composite is not significant.
    assert survive("E10") == {"mixed": True, "holm": True, "rank": False, "tip": True}
    assert survive("E10", mmrm__p_holm=0.06)["holm"] is False
    assert survive("E9", mmrm__change=-3.0) == {
        "mixed": False,
        "holm": None,
        "rank": True,
        "tip": True,
    }
    assert survive("E9", composite__better_count=10.0)["rank"] is False
    assert survive("E9", tip__flip=0.4)["tip"] is False
    assert survive("E10", tip__delta=0.4)["tip"] is False
    assert survive("E10", mmrm__p_mmrm=0.06)["mixed"] is False
    assert survive("E10", tip__delta=np.nan)["tip"] is True
    nothing = robustness.check_robustness(claim("E9"), make_evidence())
    assert [c.survives for c in nothing] == [None] * 4


def test_no_significance_must_hold_at_every_visit() -> None:
    values = {
        f"{analysis}.alt.m{month}.{statistic}": 0.3
        for analysis, statistic in (
            ("mmrm", "p_mmrm"),
            ("mmrm", "p_holm"),
            ("composite", "p_value"),
            ("mi", "p_value"),
        )
        for month in (6, 12, 24)
    }
    still = pd.DataFrame({"value": values, "unit": "%"})
    assert [c.survives for c in robustness.check_robustness(claim("E4"), still)] == [True] * 3 + [
        None
    ]
    still.loc["mmrm.alt.m12.p_mmrm", "value"] = 0.04
    assert robustness.check_robustness(claim("E4"), still)[0].survives is False


def test_synthetic_albumin_rise_is_significant_but_not_robust(
    synthetic: Trial, evidence: pd.DataFrame
) -> None:
    checked = ledger.check_trial(synthetic)
    checks = ledger.check_changes(checked, evidence)
    assert list(checks) == CHANGES
    rise = {c.name: c.survives for c in checks["E10"]}
    # No composite can be significant at two years with these counts.
    assert rise["rank"] is False
    record = ledger.summarise_ledger(checked, checks)
    text = get_text(record)
    assert text["claims.all_count"] == "27"
    assert text["claims.assessable_count"] == text["claims.holds_count"] == "20"
    assert text["claim.s1.count"] == "0"
    assert text["claim.e10.verdict"] == "holds"
    # Ranks recomputed in R: ALT and PT at month 6, 10 of 21 better; albumin at month 24, p = .876.
    assert {k for k, own in checks.items() if any(c.survives is False for c in own)} == {
        "E1",
        "E10",
        "E11",
    }
    assert text["claims.robust_count"] == "11"


def test_conclusions_are_met_with_evidence_on_both_sides(synthetic: Trial, mayo: Trial) -> None:
    for trial, word in ((synthetic, "made to agree"), (mayo, "neither for nor against")):
        weighed = conclusions.weigh_conclusions(trial, ledger.check_trial(trial), 5)
        assert list(weighed) == ["C1", "C2", "C3", "C4"]
        assert all(found.pro and found.contra for found in weighed.values())
        # What was built into the data is no evidence for it.
        assert word in weighed["C2"].here[0]
        assert word in weighed["C1"].here[0]
    own = replace(synthetic, study=replace(synthetic.study, origin="real"))
    said = conclusions.weigh_conclusions(own, ledger.check_trial(own), 5)
    assert said["C1"].here == ["These data hold no such event either."]


def test_a_verdict_turns_with_the_data(synthetic: Trial) -> None:
    fewer = with_tables(synthetic, adsl=synthetic.adsl.iloc[1:])
    checked = ledger.check_trial(fewer).set_index("id")["verdict"]
    assert checked["N1"] == "does not hold"
    assert checked["N3"] == "holds"
