"""The generator of synthetic trials.

That the committed data regenerate bit for bit, satisfy every statement and stop at the event is
tested in test_trial.py.
"""

import numpy as np
import pandas as pd
import pytest

from msct_helpers import Trial
from msct_helpers.abstract import dataset, simulate
from msct_helpers.trial.load import load_study
from msct_helpers.trial.plan import Plan
from msct_helpers.trial.schema import make_schemas
from tests.conftest import ROOT, with_tables

SEEDS = range(12)
STUDY = load_study(ROOT / "data/msct_synthetic")


def draw(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return adsl, adlb and adae of one draw, accepted or not."""
    trial = simulate.draw_trial(np.random.default_rng(seed), simulate.UNCHANGED, STUDY)
    assert trial.adae is not None
    return trial.adsl, trial.adlb, trial.adae


def test_the_seed_decides_the_draw() -> None:
    for first, again, other in zip(draw(1), draw(1), draw(2), strict=True):
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_draw_keeps_the_contract_and_the_counts(seed: int) -> None:
    adsl, adlb, adae = draw(seed)
    schemas = make_schemas(Plan())
    for name, table in (("adsl", adsl), ("adlb", adlb), ("adae", adae)):
        schemas[name].validate(table, lazy=True)
    reasons = adsl["DCSREAS"].value_counts().to_dict()
    assert reasons == {"LOST TO FOLLOW-UP": 4, "DEATH": 3, "LIVER TRANSPLANT": 2}
    assert not (adsl["DTHDY"].notna() & adsl["LTXDY"].notna()).any()
    left = adsl[adsl["DCSREAS"].notna()]
    assert left["EOSDY"].between(60, 699).all()
    end = adsl.set_index("USUBJID")["EOSDY"]
    assert (adlb["ADY"] <= adlb["USUBJID"].map(end)).all()
    assert (adae["ASTDY"] <= adae["USUBJID"].map(end)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_death_is_a_fatal_event_and_none_is_serious_early(seed: int) -> None:
    adsl, _, adae = draw(seed)
    died = adsl.dropna(subset="DTHDY").set_index("USUBJID")["DTHDY"]
    fatal = adae[adae["AEOUT"] == "FATAL"]
    assert sorted(fatal["USUBJID"]) == sorted(died.index)
    assert (fatal["ASTDY"] <= fatal["USUBJID"].map(died)).all()
    assert ((adae["AETOXGR"] == 5) == (adae["AEOUT"] == "FATAL")).all()
    early = adae[adae["AEHRINF"] <= 24]
    assert (early["AESER"] == "N").all()
    assert early["AETOXGR"].isin([1, 2]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_events_are_clinically_possible(seed: int) -> None:
    adsl, _, adae = draw(seed)
    moved = adsl.dropna(subset="LTXDY").set_index("USUBJID")["LTXDY"]
    failed = adae[(adae["AEDECOD"] == "Hepatic failure") & (adae["AEOUT"] != "FATAL")]
    assert sorted(failed["USUBJID"]) == sorted(moved.index), "liver failure before each transplant"
    assert (failed["ASTDY"] < failed["USUBJID"].map(moved)).all()
    serious = adae["AETOXGR"] >= 3
    assert ((adae["AESER"] == "Y") == serious).all()
    assert serious[adae["AEDECOD"] == "Oesophageal varices haemorrhage"].all()
    assert (adae.loc[serious, "ASTDY"] > 2).all(), "the day of the infusion and the next"
    lost = adsl.loc[adsl["DCSREAS"] == "LOST TO FOLLOW-UP", "USUBJID"]
    assert adae.loc[adae["AEOUT"] == "UNKNOWN", "USUBJID"].isin(lost).all()


def test_values_are_stored_as_a_laboratory_prints_them() -> None:
    _, adlb, _ = draw(1)
    decimals = {"ALT": 0, "BILI": 1, "ALB": 1, "INR": 2, "CREAT": 0, "SODIUM": 0, "PT": 1}
    for code, own in adlb.groupby("PARAMCD")["AVAL"]:
        np.testing.assert_array_equal(own, own.round(decimals[str(code)]))
    wide = adlb.pivot_table(index=["USUBJID", "AVISITN"], columns="PARAMCD", values="AVAL")
    np.testing.assert_allclose(wide["PT"], 12 * wide["INR"], atol=0.05 + 1e-9)


def test_many_patients_have_the_declared_baseline() -> None:
    rng = np.random.default_rng(5)
    _, true = simulate.draw_patients(rng, size=40_000)
    bili, albumin = true["BILI"]["first"], true["ALB"]["first"]
    assert np.median(bili) == pytest.approx(42, rel=0.02)
    assert np.log(bili).std() == pytest.approx(0.8, rel=0.02)
    assert albumin.mean() == pytest.approx(31.5, abs=0.1)
    assert albumin.std() == pytest.approx(4.8, rel=0.02)
    # A visit shares with baseline what is not scatter: 1 - 0.16 and 1 - 0.45.
    for code, expected, scale in (("BILI", 0.84, np.log), ("ALB", 0.55, np.asarray)):
        later = simulate.measure(rng, code, true[code], simulate.UNCHANGED)
        found = np.corrcoef(scale(true[code]["first"]), scale(later))[0, 1]
        assert found == pytest.approx(expected, abs=0.02), code


def test_the_world_shifts_later_visits_only() -> None:
    rng = np.random.default_rng(7)
    _, true = simulate.draw_patients(rng, size=40_000)
    for code, expected in (("BILI", 0.86), ("INR", 0.95), ("ALT", 0.86), ("CREAT", 1.0)):
        later = simulate.measure(rng, code, true[code], simulate.IMPROVED)
        ratio = np.median(later) / np.median(true[code]["first"])
        assert ratio == pytest.approx(expected, abs=0.02), code
    later = simulate.measure(rng, "ALB", true["ALB"], simulate.IMPROVED)
    assert (later - true["ALB"]["first"]).mean() == pytest.approx(2.2, abs=0.1)


def test_the_sicker_die_or_are_transplanted_the_lost_are_like_the_rest() -> None:
    rng = np.random.default_rng(8)
    last_visit = np.full(26, 732)
    of: dict[str, list[float]] = {"event": [], "lost": [], "stayed": []}
    for _ in range(300):
        severity = rng.standard_normal(26)
        reason = simulate.draw_outcomes(rng, severity, last_visit, Plan())["DCSREAS"]
        event = reason.isin(["DEATH", "LIVER TRANSPLANT"])
        of["event"] += severity[event].tolist()
        of["lost"] += severity[reason == "LOST TO FOLLOW-UP"].tolist()
        of["stayed"] += severity[reason.isna()].tolist()
    mean = {group: np.mean(values) for group, values in of.items()}
    assert mean["event"] > 0.5
    assert mean["lost"] == pytest.approx(mean["stayed"], abs=0.1)


def test_only_a_compatible_draw_is_accepted(synthetic: Trial) -> None:
    adlb = synthetic.adlb

    def accepted(labs: pd.DataFrame) -> bool:
        return simulate.is_compatible(with_tables(synthetic, adlb=labs))

    assert accepted(adlb)
    assert not accepted(adlb[adlb["PARAMCD"] != "ALT"]), "what cannot be tested is not satisfied"
    for code in ("ALB", "BILI", "PT", "CREAT"):
        one = (adlb["PARAMCD"] == code) & (adlb["AVISITN"] == 6)
        factor = 0.5 if code == "ALB" else 4.0
        assert not accepted(adlb.assign(AVAL=adlb["AVAL"].where(~one, adlb["AVAL"] * factor))), code


def test_giving_up_is_said() -> None:
    world = simulate.World("worse", {"BILI": 5.0})
    with pytest.raises(RuntimeError, match="worse: no draw of 2 satisfies"):
        simulate.simulate_trial(STUDY, 1, world, max_draws=2)


def test_the_listed_assumptions_follow_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    before = " ".join(dataset.list_assumptions(simulate.SELECTED))
    assert "measured albumin of 30 g/L or less" in before
    assert "No entry criterion" in " ".join(dataset.list_assumptions(simulate.IMPROVED))
    changes = {
        "MISSED_SHARE": (0.11, "11% of those due"),
        "VISIT_WINDOW_DAYS": (17, "within 17 days"),
        "EVENT_DAYS": ((71, 601), "days 71 to 601"),
        "WOMEN_SHARE": (0.77, "77% are women"),
        "LOWEST_INR": (0.83, "below 0.83"),
        "DIAGNOSES": ({"Another": 1.0}, "100% another"),
    }
    for name, (value, _) in changes.items():
        monkeypatch.setattr(simulate, name, value)
    after = " ".join(dataset.list_assumptions(simulate.SELECTED))
    for _, words in changes.values():
        assert words in after
        assert words not in before
