"""Disposition, safety, scores and statements on both data sets, against counts by hand."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from msct_helpers import Trial, load_trial
from msct_helpers.abstract import simulate, statements
from msct_helpers.efficacy.change import derive_change
from msct_helpers.meld import derive as meld
from msct_helpers.safety import safety
from msct_helpers.stats.scores import meld as meld_score
from tests.conftest import DATASETS, ROOT, get_text, with_tables


@pytest.mark.parametrize("dataset", [*DATASETS, "msct_synthetic_null"])
def test_data_regenerate_bit_for_bit(dataset: str, tmp_path: Path) -> None:
    home = ROOT / "data" / dataset
    runpy.run_path(str(home / "make_data.py"))["write_data"](tmp_path)
    made = sorted(p.name for p in tmp_path.iterdir())
    assert {"adsl.csv", "adlb.csv"} <= set(made)
    for name in made:
        assert (tmp_path / name).read_bytes() == (home / name).read_bytes(), name


@pytest.mark.parametrize("dataset", ["msct_synthetic", "msct_synthetic_null"])
def test_both_worlds_satisfy_every_statement(dataset: str) -> None:
    trial = load_trial(ROOT / "data" / dataset)
    assert simulate.is_compatible(trial)
    first = trial.adlb[(trial.adlb["PARAMCD"] == "ALB") & (trial.adlb["AVISITN"] == 0)]["AVAL"]
    assert (first.max() <= 30) == (dataset == "msct_synthetic_null")


def test_mayo_deaths_by_visit(mayo: Trial) -> None:
    # R, survival 3.5-3: 7, 18 and 26 deaths by 6, 12 and 24 months; 1 transplant by 24.
    days = mayo.adsl["DTHDY"] - 1
    assert [(days <= d).sum() for d in (183, 365, 731)] == [7, 18, 26]
    text = get_text(safety.summarise_safety(mayo, mayo.plan))
    assert text["risk.death.count"] == "26"
    assert text["risk.liver-transplant.count"] == "1"


def test_synthetic_data_satisfy_every_statement(synthetic: Trial) -> None:
    # Written again from the abstract with pandas and scipy alone.
    adsl, adae = synthetic.adsl, synthetic.adae
    assert len(adsl) == 26
    assert adsl["MSCSRC"].value_counts().to_dict() == {
        "UMBILICAL CORD": 23,
        "CORD BLOOD": 2,
        "BONE MARROW": 1,
    }
    assert adsl["DCSREAS"].value_counts().to_dict() == {
        "LOST TO FOLLOW-UP": 4,
        "DEATH": 3,
        "LIVER TRANSPLANT": 2,
    }
    assert adae is not None
    assert not ((adae["AESER"] == "Y") & (adae["AEHRINF"] <= 24)).any()
    wide = synthetic.adlb.pivot_table(
        index="USUBJID", columns=["PARAMCD", "AVISITN"], values="AVAL"
    )
    for month in (0, 6, 12, 24):
        parts = wide["BILI"][month] / 17.1, wide["INR"][month], wide["CREAT"][month] / 88.4
        wide[("MELD", month)] = meld_score(*parts, rounded=False)
    lower = [("ALT", m) for m in (6, 12, 24)] + [("BILI", 6), ("BILI", 12), ("PT", 6)]
    lower += [("MELD", m) for m in (6, 12, 24)]
    higher = [("ALB", m) for m in (6, 12, 24)]
    for sign, claims in ((-1, lower), (1, higher)):
        for code, month in claims:
            later, first = wide[code][month], wide[code][0]
            assert sign * (later.mean() - first.mean()) > 0, (code, month, "all seen")
            assert sign * (later - first).mean() > 0, (code, month, "pairs")
    for code, month, significant in (
        ("ALT", 6, False),
        ("ALT", 12, False),
        ("ALT", 24, False),
        ("ALB", 24, True),
    ):
        change = (wide[code][month] - wide[code][0]).dropna()
        for p in (stats.ttest_1samp(change, 0).pvalue, stats.wilcoxon(change).pvalue):
            assert (p < 0.05) == significant, (code, month)


def test_synthetic_labs_stop_at_the_event(synthetic: Trial) -> None:
    last = synthetic.adlb["USUBJID"].map(synthetic.adsl.set_index("USUBJID")["EOSDY"])
    assert (synthetic.adlb["ADY"] <= last).all()


def test_verdicts_turn_when_the_data_turn(synthetic: Trial) -> None:
    checked = statements.check_trial(synthetic)
    testable = checked[checked["verdict"].isin(statements.VERDICTS)]
    assert len(testable) == 20
    assert (testable["verdict"] == "holds").all()
    labs = synthetic.adlb
    worse = labs["AVAL"].where(labs["AVISITN"] == 0, labs["AVAL"] * 2)
    better = labs["AVAL"].where(labs["AVISITN"] == 0, labs["AVAL"] / 4)
    flipped = worse.where(labs["PARAMCD"] != "ALB", better)
    turned = statements.check_trial(with_tables(synthetic, adlb=labs.assign(AVAL=flipped)))
    efficacy = turned[turned["id"].str.startswith("E")]
    assert (efficacy["verdict"] == "does not hold").all()


def test_mayo_verdicts_say_why_not(mayo: Trial) -> None:
    verdict = statements.check_trial(mayo).set_index("id")["verdict"]
    assert verdict["E6"] == "holds only as observed"
    assert verdict["E5"] == "does not hold"
    assert verdict["E12"] == "not assessable: INR and creatinine not recorded"
    assert verdict["S1"] == "not assessable: nobody in this data set received MSC"
    assert meld.list_assessable(mayo) == {
        "MELD": "INR and creatinine not recorded",
        "MELDNA": "INR, creatinine and sodium not recorded",
        "MELD3": "INR, creatinine and sodium not recorded",
        "ALBI": "",
    }


def test_scores_are_derived_from_components(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.adlb, synthetic.adsl)
    one = synthetic.adlb.query("USUBJID == 'SYN-01' and AVISITN == 0").set_index("PARAMCD")["AVAL"]
    expected = 10 * (
        0.957 * np.log(max(one["CREAT"] / 88.4, 1))
        + 0.378 * np.log(max(one["BILI"] / 17.1, 1))
        + 1.120 * np.log(max(one["INR"], 1))
        + 0.643
    )
    found = scores.query("USUBJID == 'SYN-01' and AVISITN == 0 and PARAMCD == 'MELD'")["AVAL"]
    assert found.item() == pytest.approx(expected)


def test_change_needs_a_baseline() -> None:
    labs = pd.DataFrame(
        {"USUBJID": ["A", "A", "B"], "PARAMCD": "ALB", "AVISITN": [0, 6, 6], "AVAL": [30, 33, 40]}
    )
    assert derive_change(labs)["CHG"].tolist()[:2] == [0, 3]
    assert derive_change(labs)["CHG"].isna().tolist() == [False, False, True]
