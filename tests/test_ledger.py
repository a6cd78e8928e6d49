"""Verdicts, their robustness, and the conclusions, on both data sets and on data by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.abstract import conclusions, ledger, robustness, statements
from msct_helpers.trial.load import load_reference, load_statements
from msct_helpers.trial.plan import Plan, plan_visits
from tests.conftest import get_text, with_tables

CHANGES = [f"E{i}" for i in range(1, 15)]


def claim(name: str, plan: Plan | None = None) -> dict[str, object]:
    """Return one published statement, with the visits that it speaks of."""
    published = load_statements()
    row = published.set_index("id", drop=False).loc[name].to_dict()
    months = statements.list_months(row, published)
    visits = tuple(statements.find_visit(month, plan or Plan()) for month in months)
    return row | {"visits": visits, "verdict": "holds"}


def make_evidence(**values: float) -> pd.DataFrame:
    """Return the evidence on albumin at month 24 from values by analysis__statistic."""
    found = {f"{k.split('__')[0]}.alb.m24.{k.split('__')[1]}": v for k, v in values.items()}
    return pd.DataFrame({"value": found, "unit": "g/L"})


STRONG = {
    "mmrm__change": 3.0,
    "mmrm__p_mmrm": 0.001,
    "mmrm__p_holm": 0.015,
    "composite__p_value": 0.2,
    "composite__side": 1.0,
    "composite__hl": 1.0,
    "tip__delta": 0.6,
    "tip__flip": 1.4,
}


@pytest.fixture(scope="module")
def evidence() -> pd.DataFrame:
    """Return the stored results of the synthetic data, which those of its book are held to."""
    stored = load_reference("msct_synthetic")
    assert stored is not None
    return stored.rename(columns={"rawValue": "value"}).assign(unit="")


def drop_first(trial: Trial) -> Trial:
    """Return a trial without its first participant."""
    rest = trial.adsl.iloc[1:]
    return with_tables(
        trial, adsl=rest, adlb=trial.adlb[trial.adlb["USUBJID"].isin(rest["USUBJID"])]
    )


def test_every_statement_has_a_verdict(synthetic: Trial, mayo: Trial) -> None:
    for trial in (synthetic, mayo):
        checked = statements.check_trial(trial).set_index("id")
        assert checked.index.tolist() == load_statements()["id"].tolist()
        known = (*statements.VERDICTS, statements.NOT_TESTABLE, statements.WEIGHED)
        for verdict in checked["verdict"]:
            assert verdict in known or verdict.startswith("not assessable: ")
            assert len(verdict) > 4
        assert (checked.loc[["P1", "P2", "P3"], "verdict"] == statements.NOT_TESTABLE).all()
        assert (checked.loc[["C1", "C2", "C3", "C4"], "verdict"] == statements.WEIGHED).all()
    verdict = statements.check_trial(mayo).set_index("id")["verdict"]
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
        found = robustness.check_robustness(
            claim(name), make_evidence(**(STRONG | changed)), Plan()
        )
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
    # The check uses the ranks that it tests, not the number better.
    assert survive("E9", composite__side=-1.0)["rank"] is False
    assert survive("E9", composite__side=0.0)["rank"] is False
    assert survive("E9", tip__flip=0.4)["tip"] is False
    assert survive("E10", tip__delta=0.4)["tip"] is False
    assert survive("E10", mmrm__p_mmrm=0.06)["mixed"] is False
    assert survive("E10", tip__delta=np.nan)["tip"] is True
    nothing = robustness.check_robustness(claim("E9"), make_evidence(), Plan())
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
    found = robustness.check_robustness(claim("E4"), still, Plan())
    # Adjustment can only raise p-values, and imputation is not asked of no significance.
    assert [c.survives for c in found] == [True, None, True, None]
    # Nor are the ranks at two years, where the published counts rule significance out.
    still.loc["composite.alt.m24.p_value", "value"] = 0.04
    assert robustness.check_robustness(claim("E4"), still, Plan())[2].survives is True
    still.loc["composite.alt.m12.p_value", "value"] = 0.04
    assert robustness.check_robustness(claim("E4"), still, Plan())[2].survives is False
    still.loc["mmrm.alt.m12.p_mmrm", "value"] = 0.04
    assert robustness.check_robustness(claim("E4"), still, Plan())[0].survives is False


def test_synthetic_albumin_rise_is_significant_but_not_robust(
    synthetic: Trial, evidence: pd.DataFrame
) -> None:
    checked = statements.check_trial(synthetic)
    checks = robustness.check_changes(checked, evidence, synthetic.plan)
    assert list(checks) == CHANGES
    rise = {c.name: c.survives for c in checks["E10"]}
    # No composite can be significant at two years with these counts.
    assert rise["rank"] is False
    record = ledger.summarise_ledger(checked, checks, synthetic.plan)
    text = get_text(record)
    assert text["claims.all_count"] == "27"
    assert text["claims.assessable_count"] == text["claims.holds_count"] == "20"
    assert text["claim.s1.count"] == "0"
    assert text["claim.e10.verdict"] == "built in"
    assert text["claim.e10.asked"] == ("mixed model yes, Holm no, worst rank no, tipping point no")
    # Everybody's ranks lean to worse, though most of those measured were better.
    failed = {k for k, own in checks.items() if any(c.survives is False for c in own)}
    assert failed == {"E1", "E3", "E8", "E9", "E10", "E14"}
    assert text["claims.robust_count"] == "8"
    answer = ledger.say_agreement(checked, checks)
    assert (
        "(E10) would not survive Holm's adjustment, the worst-rank test and the tipping point."
        in answer
    )
    assert "hold" not in answer.replace("{claims.holds_count}", "")


def test_the_plan_governs_the_level_and_the_plausible_shift() -> None:
    def survive(plan: Plan) -> dict[str, bool | None]:
        values = STRONG | {"mmrm__p_mmrm": 0.03, "composite__p_value": 0.03}
        values |= {"mmrm__p_holm": 0.03}
        found = robustness.check_robustness(claim("E10"), make_evidence(**values), plan)
        return {c.name: c.survives for c in found}

    assert survive(Plan()) == dict.fromkeys(robustness.CHECKS, True)
    assert survive(Plan(level=0.99)) == dict.fromkeys(robustness.CHECKS, False) | {"tip": True}
    assert survive(Plan(plausible_shift=0.7))["tip"] is False
    asked = " ".join(robustness.describe_checks(Plan(level=0.99, plausible_shift=0.7)).iloc[:, 1])
    assert "side of 1%" in asked
    assert "0.7 baseline standard deviations (assumed) worse" in asked
    assert "5%" not in asked
    assert "half a baseline" in " ".join(robustness.describe_checks(Plan()).iloc[:, 1])


@pytest.mark.parametrize(
    ("survives", "said"),
    [
        (True, "Holm: survives (p = {x})."),
        (False, "Holm: does not survive (p = {x})."),
        (None, "Holm: p = {x}."),
    ],
)
def test_a_check_says_whether_the_statement_survives(survives: bool | None, said: str) -> None:
    assert str(robustness.Check("holm", survives, "p = {x}")) == said


def make_checked(data: str = "treated", **verdicts: str) -> pd.DataFrame:
    """Return statements on counts with given verdicts, on a kind of data."""
    own = {"id": verdicts.keys(), "kind": "count", "verdict": verdicts.values()}
    words = [statements.WORDS[data].get(v, v) for v in verdicts.values()]
    return pd.DataFrame(own | {"words": words, "data": data, "significance": ""})


VERDICT_WORDS = [
    ("treated", {"N1": "holds", "N2": "holds"}, "{claims.holds_count} hold"),
    (
        "treated",
        {"N1": "holds", "N2": "does not hold"},
        "{claims.holds_count} holds and {claims.does-not-hold_count} does not hold (N2)",
    ),
    (
        "treated",
        {"N1": "holds only as observed"},
        "{claims.holds-only-as-observed_count} holds only as observed (N1)",
    ),
    (
        "treated",
        {"N1": "holds only among pairs", "N2": "holds only among pairs"},
        "{claims.holds-only-among-pairs_count} hold only among pairs (N1 and N2)",
    ),
    ("synthetic", {"N1": "holds"}, "{claims.holds_count} was built in"),
    ("synthetic", {"N1": "holds", "N2": "holds"}, "{claims.holds_count} were built in"),
    (
        "synthetic",
        {"N1": "does not hold"},
        "{claims.does-not-hold_count} was not built in (N1)",
    ),
    ("untreated", {"N1": "holds"}, "{claims.holds_count} is seen too"),
    ("untreated", {"N1": "holds", "N2": "holds"}, "{claims.holds_count} are seen too"),
    (
        "untreated",
        {"N1": "does not hold"},
        "{claims.does-not-hold_count} is not seen in this cohort (N1)",
    ),
]


@pytest.mark.parametrize(("data", "verdicts", "said"), VERDICT_WORDS)
def test_the_answer_follows_the_verdicts(data: str, verdicts: dict[str, str], said: str) -> None:
    start = "Of {claims.all_count} published statements, these data can answer "
    answer = ledger.say_agreement(make_checked(data, **verdicts), {})
    assert answer == f"{start}{{claims.assessable_count}}. Of these, {said}."
    none = "These data can answer none of {claims.all_count} published statements."
    assert ledger.say_agreement(make_checked(N1="not assessable: x"), {}) == none


@pytest.mark.parametrize("data", statements.WORDS)
def test_a_claim_of_significance_is_told_by_its_checks(data: str) -> None:
    checked = make_checked(data, E10="holds").assign(
        kind="significance", significance="significant"
    )
    would = "would " if data == "synthetic" else ""
    passed = [robustness.Check("rank", True, ""), robustness.Check("holm", None, "")]
    failed = [robustness.Check("rank", False, ""), robustness.Check("tip", False, "")]
    said = ledger.say_agreement(checked, {"E10": passed})
    assert f"(E10) {would}survive" in said
    assert "every check that was asked of it." in said
    said = ledger.say_agreement(checked, {"E10": failed})
    assert "not survive the worst-rank test and the tipping point." in said


def test_only_what_was_checked_is_said_to_pass() -> None:
    checked = make_checked(E1="holds", E2="holds", E3="holds")
    passed, failed, unknown = (
        [robustness.Check("rank", survives, "")] for survives in (True, False, None)
    )
    some = {"E1": passed, "E2": failed, "E3": unknown}

    def count(checks: ledger.Checks) -> tuple[str, str]:
        found = checked.assign(found_count=None)
        text = get_text(ledger.summarise_ledger(found, checks, Plan()))
        return text["claims.changes_count"], text["claims.robust_count"]

    assert count(some) == ("2", "1")
    assert count({"E1": passed, "E2": passed}) == ("2", "2")
    assert count({"E1": unknown}) == ("0", "0")
    said = ledger.say_agreement(checked, some)
    assert "changes that hold in some reading and can be checked, " in said
    assert "changes that hold in some reading, " in ledger.say_agreement(checked, {"E1": passed})
    assert "changes" not in ledger.say_agreement(checked, {"E1": unknown})
    # What was built in is no evidence, so it is not tallied for a conclusion.
    assert len(conclusions.say_tally(checked, some)) == 1
    assert conclusions.say_tally(checked.assign(data="synthetic"), some) == []


def test_what_does_not_hold_has_nothing_to_survive() -> None:
    asked = {
        verdict: robustness.check_changes(
            pd.DataFrame([claim("E9") | {"verdict": verdict}]),
            make_evidence(**STRONG).reset_index(names="id"),
            Plan(),
        )
        for verdict in statements.VERDICTS
    }
    assert [name for name, checks in asked.items() if not checks] == ["does not hold"]


def test_the_abstract_s_last_visit_is_not_asked_in_a_longer_plan() -> None:
    longer = Plan(visits=plan_visits((0, 6, 12, 24, 36)), horizon_months=36)
    values = {f"composite.alt.m{month}.p_value": 0.3 for month in (6, 12)}
    # Ranks at two years cannot be significant for improvement, whichever visit the plan ends with.
    values["composite.alt.m24.p_value"] = 0.04
    found = robustness.check_null(claim("E4", longer), pd.Series(values), longer)
    assert found[2].survives is True


def test_statements_are_grouped_by_verdict() -> None:
    checked = make_checked(N1="does not hold", N2="holds", N3="not assessable: x", N4="holds")
    assert ledger.group_verdicts(checked).to_numpy().tolist() == [
        ["holds", "N2, N4"],
        ["does not hold", "N1"],
        ["not assessable", "N3"],
    ]


def test_what_is_said_of_a_change_follows_the_plan() -> None:
    units = {f"chg.alb.m{visit}.mean": "g/L" for visit in (24, 26)} | {"chg.alt.m6.mean": "U/L"}
    built = {"not_stated": "", "words": "built in"}
    said = ledger.say_claim(claim("E10") | built, {}, units, Plan(level=0.9))
    assert "(90% interval {chg.alb.m24.ci_low} to {chg.alb.m24.ci_high}), p = " in said
    assert "{chg.alb.m24.p_t} (t) and {chg.alb.m24.p_wilcoxon} (Wilcoxon)" in said
    assert "[](efficacy-endpoints.md), [](#tab-courses)" in said
    # The data set counts weeks, and albumin is none of its endpoints.
    visits = plan_visits((0, 12, 26), "week")
    weeks = Plan(visits=visits, unit="week", horizon_months=6, endpoints=("ALT",))
    said = ledger.say_claim(claim("E7", weeks) | {"words": "built in"}, {}, units, weeks)
    assert "Week 26: among {chg.alb.m26.n} participants" in said
    assert (
        "the mean of all {obs.alb.m26.n} seen differs from baseline by {obs.alb.m26.diff}" in said
    )
    assert said.strip().endswith("Shown in [](efficacy-endpoints.md).")


def test_conclusions_are_met_with_evidence_on_both_sides(synthetic: Trial, mayo: Trial) -> None:
    for trial, word in ((synthetic, "made to agree"), (mayo, "neither for nor against")):
        weighed = conclusions.weigh_conclusions(trial, statements.check_trial(trial), {})
        assert list(weighed) == ["C1", "C2", "C3", "C4"]
        assert all(found.pro and found.contra for found in weighed.values())
        # What was built into the data is no evidence for it.
        assert word in weighed["C2"].here[0]
        assert word in weighed["C1"].here[0]
    fewer = drop_first(synthetic)
    about, _ = conclusions.describe_kind(fewer, statements.check_trial(fewer))
    # Not all of these data agree, so they were not made to.
    assert about.startswith("These data are synthetic:")
    own = replace(synthetic, study=replace(synthetic.study, origin="real"))
    said = conclusions.weigh_conclusions(own, statements.check_trial(own), {})
    assert said["C1"].here == ["These data hold no such event either."]


def test_a_verdict_turns_with_the_data(synthetic: Trial) -> None:
    fewer = drop_first(synthetic)
    checked = statements.check_trial(fewer).set_index("id")["verdict"]
    assert checked["N1"] == "does not hold"
    assert checked["N3"] == "holds"
