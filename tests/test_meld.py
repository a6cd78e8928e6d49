"""What lies behind a change of MELD."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from msct_helpers import Trial
from msct_helpers.book.layout import lay_out, visit_rows
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy.change import derive_change
from msct_helpers.meld import change as meld_change
from msct_helpers.meld import derive as meld
from msct_helpers.trial.plan import Plan
from tests.conftest import ROOT


def test_parts_add_up_to_the_change(synthetic: Trial) -> None:
    parts = meld_change.decompose_change(synthetic.efficacy_labs)
    scores = derive_change(meld.derive_scores(synthetic.efficacy_labs, synthetic.adsl))
    change = scores[(scores["PARAMCD"] == "MELD") & (scores["AVISITN"] > 0)]
    both = parts.merge(change, on=["USUBJID", "AVISITN"])
    assert len(both) == len(parts) == len(change)
    assert both["TOTAL"].to_numpy() == pytest.approx(both["CHG"].to_numpy(), abs=1e-9)
    assert both[["BILI", "INR", "CREAT", "CAP"]].sum(axis=1).to_numpy() == pytest.approx(
        both["TOTAL"].to_numpy()
    )


def test_a_floor_hides_a_fall() -> None:
    rows = [
        ("A", c, v, m, x, u)
        for c, u, (a, b) in (
            ("BILI", "mg/dL", (0.9, 0.5)),
            ("INR", "1", (1.5, 1.2)),
            ("CREAT", "mg/dL", (5.0, 4.5)),
        )
        for v, m, x in (("Baseline", 0, a), ("Month 6", 6, b))
    ]
    labs = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "AVISIT", "AVISITN", "AVAL", "AVALU"])
    part = meld_change.decompose_change(labs).iloc[0]
    assert part["BILI"] == 0
    assert part["CREAT"] == 0
    assert part["TOTAL"] == pytest.approx(11.2 * np.log(1.2 / 1.5))


def test_regression_to_the_mean_equals_published_examples() -> None:
    # Barnett 2005, table: mean 60, SD 15, entry below 40; and MELD 12 (5), entry from 15.
    for rho, change in ((0, 26.97), (0.3, 18.88), (0.5, 13.49), (0.8, 5.39)):
        assert meld_change.estimate_regression(15, rho, 20 / 15) == pytest.approx(change, abs=0.005)
    assert meld_change.estimate_regression(5, 0.7, 0.6) == pytest.approx(1.82, abs=0.005)


def test_bands_count_everyone_once(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.efficacy_labs, synthetic.adsl)
    status = derive_disposition(synthetic.adsl, synthetic.plan)
    moves = meld_change.derive_bands(scores, status, synthetic.plan)
    assert len(moves) == moves["USUBJID"].nunique() == 26
    assert (moves["END"] == "DEATH").sum() == 3
    assert meld_change.count_bands(moves, synthetic.plan)["value"].sum() == 26
    assert meld_change.count_bands(moves.iloc[:0], synthetic.plan).empty


def test_bands_begin_at_their_lowest_score() -> None:
    points = pd.Series([9.4, 9.6, 14.49, 14.51, 19.49, 40])
    assert meld_change.find_bands(points, Plan()).tolist() == [
        "<10",
        "10-14",
        "10-14",
        "15-19",
        "15-19",
        "20+",
    ]


def test_noise_of_simulated_patients_is_found() -> None:
    rng = np.random.default_rng(1)
    level = rng.normal(12, 3, (400, 1)) + np.array([[0.0, -1.0, -1.0, -1.0]])
    values = level + rng.normal(0, 1.5, level.shape)
    scores = pd.DataFrame(
        {
            "USUBJID": np.repeat([f"P{i}" for i in range(400)], 4),
            "PARAMCD": "MELD",
            "AVISITN": np.tile([0, 6, 12, 24], 400),
            "AVAL": values.ravel(),
        }
    )
    noise = meld_change.estimate_noise(scores, Plan())
    assert noise["sd"] == pytest.approx(1.5, abs=0.1)
    assert noise["smallest"] == pytest.approx(
        stats.norm.ppf(0.975) * np.sqrt(2) * noise["sd"], rel=1e-3
    )


def test_scores_that_move_apart_are_listed(synthetic: Trial) -> None:
    scores = meld.derive_scores(synthetic.efficacy_labs, synthetic.adsl)
    compared = meld_change.compare_scores(scores, synthetic.plan)
    found = meld_change.find_disagreements(compared)
    signs = np.sign(found[["MELD", "MELDNA", "MELD3", "ALBI"]].to_numpy())
    assert 0 < len(found) < len(compared)
    assert ((signs > 0).any(axis=1) & (signs < 0).any(axis=1)).all()


def test_why_no_score_disagrees_is_said() -> None:
    plan, none = Plan(), pd.DataFrame({"MELD": [], "ALBI": []})
    one = pd.DataFrame({"MELD": [-1.0], "ALBI": [-0.1]})
    said = [meld_change.say_agreement(*given) for given in ((one, plan, ""), (none, plan, ""))]
    assert "at month 24 all scores" in said[0].lower()
    assert said[1] == "No participant has all scores at baseline and month 24."
    assert "not assessable, INR not recorded." in meld_change.say_agreement(
        none, plan, "INR not recorded"
    )


def test_parts_and_floors_stand_under_their_names(synthetic: Trial) -> None:
    labs, plan = synthetic.efficacy_labs, synthetic.plan
    means = meld_change.summarise_parts(meld_change.decompose_change(labs))
    record = pd.concat([means, meld_change.count_floors(labs, plan)])
    shown = lay_out(record, visit_rows(plan, ""), meld_change.part_columns(), ["Visit"])
    assert dict(zip(shown.columns, shown.iloc[-1].str.replace("\xa0", " "), strict=True)) == {
        "Visit": "Month 24",
        "Part of bilirubin": "{part.bili.m24.mean}",
        "Part of INR": "{part.inr.m24.mean}",
        "Part of creatinine": "{part.creat.m24.mean}",
        "Total": "{part.total.m24.mean}",
        "Floor: bilirubin": "{floor.bili.m24.count} of {floor.bili.m24.denominator}",
        "Floor: INR": "{floor.inr.m24.count} of {floor.inr.m24.denominator}",
        "Floor: creatinine": "{floor.creat.m24.count} of {floor.creat.m24.denominator}",
    }
    assert meld_change.say_parts(means, plan, "").endswith(
        "of {part.total.m24.mean} points is the sum of {part.bili.m24.mean} from bilirubin, "
        "{part.inr.m24.mean} from INR, {part.creat.m24.mean} from creatinine."
    )


def test_what_regresses_is_the_slope_of_those_seen_again(mayo: Trial) -> None:
    # ALBI by its formula (Johnson 2015) from the file, in mg/dL and g/dL; slopes by least squares.
    table = pd.read_csv(ROOT / "data/mayo_pbc/adlb.csv")
    wide = table.pivot(index="USUBJID", columns=["PARAMCD", "AVISITN"], values="AVAL")
    albi = 0.66 * np.log10(17.1 * wide["BILI"]) - 0.085 * 10 * wide["ALB"]
    first = albi[0]
    scores = meld.derive_scores(mayo.efficacy_labs, mayo.adsl)
    record = meld_change.summarise_regression(scores, mayo.plan).set_index("id")["value"]
    ratio = stats.norm.pdf((-1.39 - first.mean()) / first.std())
    ratio /= stats.norm.sf((-1.39 - first.mean()) / first.std())
    for name, visit in (("first", 6), ("last", 24)):
        pairs = albi[[0, visit]].dropna()
        slope = np.polyfit(pairs[0], pairs[visit], 1)[0]
        assert record[f"rtm.albi.{name}.slope"] == pytest.approx(slope)
        assert record[f"rtm.albi.{name}.fall"] == pytest.approx(first.std() * (1 - slope) * ratio)
