"""Primary inference and what the missing patients could do to it."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from msct_helpers import Trial
from msct_helpers.book.layout import lay_out
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy import inference, missing
from msct_helpers.efficacy.change import get_value
from msct_helpers.meld import derive as meld
from msct_helpers.stats.estimate import estimate_rank_p, estimate_sign_flip_p
from msct_helpers.stats.imputation import pool_rubin
from msct_helpers.trial.plan import MEASURES, Plan, plan_visits
from tests.conftest import get_text

Imputations = dict[str, dict[int, missing.Imputed]]


def summarise_family(labs: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Return the record of the family, in the steps of the chapter."""
    fits = {
        code: inference.fit_change("AVAL ~ C(AVISITN)", inference.scale_values(labs, code), plan)
        for code in plan.family
    }
    changes = inference.summarise_fits(fits, labs, plan).join(inference.compare_pairs(labs, plan))
    return inference.record_family(inference.adjust(changes, plan.adjustment))


def impute(labs: pd.DataFrame, codes: tuple[str, ...], plan: Plan) -> Imputations:
    """Return the imputations of some endpoints, in the steps of the chapter."""
    return {
        code: missing.impute_changes(
            inference.scale_values(labs, code), MEASURES[code].better, plan
        )
        for code in codes
    }


@pytest.fixture(scope="module")
def labs(synthetic: Trial) -> pd.DataFrame:
    return meld.derive_all(synthetic)


@pytest.fixture(scope="module")
def family(labs: pd.DataFrame, synthetic: Trial) -> pd.DataFrame:
    return summarise_family(labs, synthetic.plan)


@pytest.fixture(scope="module")
def imputed(labs: pd.DataFrame, synthetic: Trial) -> Imputations:
    return impute(labs, ("ALB", "MELD"), synthetic.plan)


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=9))
def test_sign_flip_test_equals_enumeration(change: list[int]) -> None:
    signs = np.array(list(itertools.product([-1, 1], repeat=len(change))))
    sums = np.abs(signs @ np.abs(change))
    expected = np.mean(sums >= abs(sum(change)))
    assert estimate_sign_flip_p(np.array(change, dtype=float)) == pytest.approx(expected)


def test_exact_rank_test_equals_scipy_without_ties() -> None:
    change = np.array([1.2, -0.4, 3.1, 0.9, -2.2, 4.0, 5.5])
    expected = stats.wilcoxon(change, method="exact").pvalue
    assert estimate_rank_p(change) == pytest.approx(expected)


def test_counts_alone_bound_the_composite() -> None:
    # All 17 without an event improve, e events rank worst; computed in R.
    for events, p in enumerate((0.0001, 0.0019, 0.018, 0.076, 0.203, 0.406)):
        change = np.concatenate([np.arange(1.0, 18), -100.0 - np.arange(events)])
        found = estimate_rank_p(change)
        assert found < p if events == 0 else found == pytest.approx(p, rel=0.03)


@pytest.mark.parametrize("level", [0.95, 0.9])
def test_rubin_by_hand(level: float) -> None:
    # Within 1, between 1 over two imputations: total 1 + 1.5 * 1.
    out = pool_rubin(np.array([0.0, np.sqrt(2)]), np.array([1.0, 1.0]), 25, level)
    assert out["estimate"] == pytest.approx(np.sqrt(0.5))
    share = 1.5 / 2.5
    observed = 25 * 26 / 28 * (1 - share)
    df = 1 / (1 / observed + share**2)
    half = stats.t.ppf((1 + level) / 2, df) * np.sqrt(2.5)
    assert out["ci_high"] - out["estimate"] == pytest.approx(half)


def test_mayo_family_shows_the_reference_values(mayo: Trial) -> None:
    # R 4.2.2, mmrm 0.3.18: log bilirubin .4343 and albumin -.1942 at 24 months.
    text = get_text(summarise_family(meld.derive_all(mayo), mayo.plan))
    assert text["mmrm.bili.m24.change"] == "54.4"
    assert text["mmrm.alb.m24.change"] == "−0.194"
    assert text["mmrm.bili.m24.df"] == "59.2"


def test_holm_covers_the_whole_family(family: pd.DataFrame) -> None:
    raw, holm = (
        family.loc[family["statistic"] == s, "value"].to_numpy() for s in ("p_mmrm", "p_holm")
    )
    assert len(raw) == 15
    assert holm.min() == pytest.approx(raw.min() * 15)
    assert (holm >= raw).all()


def test_the_family_is_adjusted_by_holm() -> None:
    # The smallest times three, the next times two, none below the one before.
    found = inference.adjust(pd.DataFrame({"p_mmrm": [0.02, 0.01, 0.03]}), Plan().adjustment)
    assert found["p_holm"].tolist() == pytest.approx([0.04, 0.03, 0.04])


def test_raw_and_adjusted_p_values_stand_under_their_heads(family: pd.DataFrame) -> None:
    plan = Plan()
    rows, columns = inference.family_rows(family), inference.family_columns(plan)
    first = lay_out(family, rows, columns, heads=["Endpoint", "Month"]).iloc[0]
    assert first.to_dict() == {
        "Endpoint": "ALT, %",
        "Month": "6",
        "Change": "{mmrm.alt.m6.change}",
        "95% CI": "{mmrm.alt.m6.ci_low} to {mmrm.alt.m6.ci_high}".replace(" ", "\xa0"),
        "p, MMRM": "{mmrm.alt.m6.p_mmrm}",
        "p, Holm": "{mmrm.alt.m6.p_holm}",
        "p, paired t": "{mmrm.alt.m6.p_t}",
        "p, Wilcoxon": "{mmrm.alt.m6.p_wilcoxon}",
        "p, sign flip": "{mmrm.alt.m6.p_flip}",
    }


def test_verdicts_of_the_family_turn_at_the_level() -> None:
    tests = {"parameter": "ALB", "visit": [6, 12, 24], "statistic": "p_holm"}
    near = pd.DataFrame(tests | {"value": [0.051, 0.049, 0.2]})
    assert inference.count_family(near, Plan())["value"].tolist() == [3, 1]
    said = inference.say_family(near, Plan())
    assert said.endswith("stay below 5% after Holm's adjustment: serum albumin at month 12.")
    far = inference.say_family(near.assign(value=0.051), Plan())
    assert far.endswith("none is below 5% after Holm's adjustment.")


def test_intervals_and_verdicts_follow_the_level(
    labs: pd.DataFrame, family: pd.DataFrame, synthetic: Trial
) -> None:
    # Holm's p-values of the third and fourth comparison are .139 and .240.
    wide = replace(synthetic.plan, level=0.85)
    again = summarise_family(labs, wide)
    low, narrow = (get_value(r, "mmrm", "ci_low", "ALB", 24) for r in (family, again))
    estimate, df = (get_value(family, "mmrm", s, "ALB", 24) for s in ("change", "df"))
    ratio = stats.t.ppf(0.925, df) / stats.t.ppf(0.975, df)
    assert estimate - narrow == pytest.approx((estimate - low) * ratio)
    counts = [inference.count_family(again, p)["value"].tolist() for p in (synthetic.plan, wide)]
    assert counts == [[15, 2], [15, 3]]
    assert "2 stay below" not in inference.say_family(family, wide)
    assert "stay below 15% after Holm's adjustment: total" in inference.say_family(family, wide)


def test_words_turn_with_the_direction(labs: pd.DataFrame, synthetic: Trial) -> None:
    plan = replace(synthetic.plan, endpoints=("BILI",))
    worse = labs.assign(AVAL=labs["AVAL"].where(labs["AVISITN"] == 0, labs["AVAL"] * 3))
    for table, word in ((labs, "lower"), (worse, "higher")):
        said = inference.say_primary(summarise_family(table, plan), plan, {})
        assert f"total bilirubin was {word} by" in said
    found = impute(worse, ("BILI",), plan)
    record = pd.concat(
        [
            missing.summarise_imputed(found, worse, plan),
            missing.summarise_ranks(
                found, worse, derive_disposition(synthetic.adsl, synthetic.plan), plan
            ),
        ]
    )
    assert "unfavourable side of zero" in missing.say_missing(record, plan)


def make_verdict(**values: float) -> pd.DataFrame:
    """Return a record on albumin at month 24 from values by analysis__statistic."""
    rows = [
        {"id": f"{key.split('__')[0]}.alb.m24.{key.split('__')[1]}", "value": value}
        | {"analysis": key.split("__")[0], "parameter": "ALB", "visit": 24}
        for key, value in values.items()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "the interval excludes zero until the missing are {tip.alb.m24.delta} baseline SD"),
        ({"tip__delta": np.nan}, "the interval excludes zero at every shift that was tried"),
        ({"mi__ci_low": -0.1}, "with imputed values the interval includes zero"),
        ({"tip__delta": 0.0}, "the interval lies on the unfavourable side of zero"),
        ({"composite__p_value": 0.051}, "the change is not significant"),
        ({}, "the change is significant, towards better"),
        ({"composite__better_count": 9.0}, "the change is significant, towards worse"),
    ],
)
def test_verdicts_on_the_missing_turn_with_each_number(
    changed: dict[str, float], words: str
) -> None:
    plan = Plan()
    clear = {"mi__ci_low": 0.1, "mi__ci_high": 2.0, "tip__delta": 0.4}
    clear |= {"composite__p_value": 0.049, "composite__better_count": 11.0, "composite__n": 20.0}
    assert words in missing.say_missing(make_verdict(**(clear | changed)), plan)


def test_a_worse_delta_moves_towards_worse(
    labs: pd.DataFrame, imputed: Imputations, synthetic: Trial
) -> None:
    plan = synthetic.plan
    again = impute(labs, ("ALB", "MELD"), plan)
    for code in ("ALB", "MELD"):
        own = imputed[code][24]
        trace = missing.trace_tipping(own, plan)
        assert (np.diff(trace["estimate"]) * MEASURES[code].better < 0).all()
        assert (again[code][24].change == own.change).all()
        known = ~own.missing
        assert (own.change[:, known] == own.change[0, known]).all()
        assert len(own.change) == plan.imputations


def test_flip_is_where_the_pooled_change_turns(imputed: Imputations, synthetic: Trial) -> None:
    for own in imputed["ALB"].values():
        flip = missing.find_flip(own, own.pool(0.95)["estimate"])
        before, after = (own.pool(0.95, flip + d)["estimate"] for d in (-0.01, 0.01))
        assert before > 0 > after


def test_without_missing_patients_only_an_unfavourable_change_tips() -> None:
    known = missing.Imputed(np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([False, False]), 2.0, 1)
    assert np.isnan(missing.find_flip(known, 1.5))
    assert missing.find_flip(replace(known, better=-1), 1.5) == 0
    # Half missing, SD 2: a mean of 1.5 turns when they are 1.5 / (2 * 0.5) worse.
    assert missing.find_flip(replace(known, missing=np.array([True, False])), 1.5) == 1.5


def test_events_after_a_visit_do_not_count_at_it(
    labs: pd.DataFrame, imputed: Imputations, synthetic: Trial
) -> None:
    # Deaths on days 88, 301, 458 and transplants on days 62, 376 after entry.
    status = derive_disposition(synthetic.adsl, synthetic.plan)
    ranked = missing.summarise_ranks(imputed, labs, status, synthetic.plan)
    counts = [get_value(ranked, "composite", "events_count", "ALB", m) for m in (6, 12, 24)]
    assert counts == [2, 3, 5]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([-1, 1]))
def test_death_ranks_below_transplant_below_any_change(seed: int, better: int) -> None:
    rng = np.random.default_rng(seed)
    who = [f"P{i}" for i in range(10)]
    values = pd.DataFrame(
        {
            "USUBJID": np.repeat(who, 2),
            "AVISITN": np.tile([0, 24], 10),
            "AVAL": rng.normal(30, 4, 20),
        }
    )
    plan, visit = Plan(), Plan().last
    status = pd.DataFrame({"USUBJID": who, "STATUS": "IN FOLLOW-UP", "DAYS": 731.0})
    alive, events = missing.rank_events(values, status, better, visit, plan)
    assert (len(alive), events) == (10, 0)
    status.loc[0, ["STATUS", "DAYS"]] = ["DEATH", 300.0]
    status.loc[1, ["STATUS", "DAYS"]] = ["LIVER TRANSPLANT", 731.0]
    ranked, events = missing.rank_events(values, status, better, visit, plan)
    assert events == 2
    assert ranked["P0"] < ranked["P1"] < min(ranked.iloc[2:].min(), -ranked.iloc[2:].abs().max())
    assert (ranked.iloc[2:] == alive.iloc[2:]).all()
    # Whoever died needs no value at the visit; the lost are left out.
    unseen = values[~((values["AVISITN"] == 24) & values["USUBJID"].isin(["P0", "P2"]))]
    ranked, _ = missing.rank_events(unseen, status, better, visit, plan)
    assert set(ranked.index) == set(who) - {"P2"}


def test_what_cannot_be_fitted_is_left_out_and_said(labs: pd.DataFrame) -> None:
    plan = Plan(plan_visits((0, 12, 24), "week"), "week", 6, ("ALT", "AST"))
    own = labs[(labs["PARAMCD"] == "ALT") & labs["AVISITN"].isin([0, 12, 24])]
    record = summarise_family(own, plan)
    assert set(record["parameter"]) == {"ALT"}
    said = inference.say_primary(record, plan, {"AST": "not recorded", "MELD": ""})
    assert said.startswith("At 24 weeks, estimated")
    assert (
        "Not assessable: AST (not recorded) and MELD(i) (the mixed model cannot be fitted)." in said
    )
    assert "No change from baseline to 36 weeks" in inference.say_primary(
        record, Plan(plan_visits((0, 12, 24, 36), "week"), "week", 6, ("ALT",)), {}
    )
    nothing = summarise_family(labs[labs["PARAMCD"] == "NONE"], plan)
    assert nothing.empty
    assert "No comparison can be tested." in inference.say_primary(nothing, plan, {})
