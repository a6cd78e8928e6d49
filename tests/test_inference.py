"""Primary inference and what the missing patients could do to it."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from msct_helpers import Trial
from msct_helpers.book.layout import lay_out
from msct_helpers.cohort.population import derive_disposition
from msct_helpers.efficacy import adjustments, composite, inference, missing
from msct_helpers.efficacy.change import get_value
from msct_helpers.meld import derive as meld
from msct_helpers.stats.imputation import impute as impute_values
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
    assert out["p_value"] == pytest.approx(2 * stats.t.sf(np.sqrt(0.5 / 2.5), df))


def test_rubin_without_anything_missing_is_the_paired_t_test() -> None:
    change = np.array([1.0, -2.0, 4.0, 3.0, 2.5, 0.5])
    copies = np.tile(change, (3, 1))
    found = missing.Imputed(copies, np.zeros(6, dtype=bool), 1.0, 1).pool(0.95)
    test = stats.ttest_1samp(change, 0)
    assert found["estimate"] == pytest.approx(1.5)
    # Barnard and Rubin's degrees of freedom of complete data: df (df + 1) / (df + 3).
    df = 5 * 6 / 8
    assert found["p_value"] == pytest.approx(2 * stats.t.sf(test.statistic, df))
    assert found["ci_low"] == pytest.approx(1.5 - stats.t.ppf(0.975, df) * stats.sem(change))


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
        "p, max-T": "{mmrm.alt.m6.p_maxt}",
    }


def test_paired_tests_are_on_the_scale_of_the_row(labs: pd.DataFrame, synthetic: Trial) -> None:
    found = inference.compare_pairs(labs, synthetic.plan)
    for code, log in (("BILI", True), ("ALB", False)):
        own = labs[labs["PARAMCD"] == code].pivot(index="USUBJID", columns="AVISITN", values="AVAL")
        own = np.log(own) if log else own
        change = (own[24] - own[0]).dropna()
        expected = stats.ttest_1samp(change, 0).pvalue
        assert found.loc[(code, 24), "p_t"] == pytest.approx(expected)


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
        said = inference.say_modelled(summarise_family(table, plan), plan, {})
        assert f"total bilirubin was {word} by" in said
    found = impute(worse, ("BILI",), plan)
    status = derive_disposition(synthetic.adsl, plan)
    record = pd.concat(
        [
            summarise_family(worse, plan),
            missing.summarise_imputed(found, worse, plan),
            composite.summarise_outcomes(worse, status, plan.family, plan),
        ]
    )
    said = missing.say_missing(record, plan)
    assert "unfavourable side of zero" in said
    assert "the changes lean towards worse (p = " in said


def make_verdict(**values: float) -> pd.DataFrame:
    """Return a record on albumin at month 24 from values by analysis__statistic."""
    rows = [
        {"id": f"{key.split('__')[0]}.alb.m24.{key.split('__')[1]}", "value": value}
        | {"analysis": key.split("__")[0], "parameter": "ALB", "visit": 24}
        | {"statistic": key.split("__")[1], "unit": "g/L"}
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
        ({"composite__p_value": 0.051}, "{composite.alb.m24.p_value}, not significant"),
        ({}, "lean towards better (p = {composite.alb.m24.p_value}, which is below 5%"),
        ({"composite__side": -1.0}, "lean towards worse"),
        ({"composite__side": 0.0}, "lean to neither side"),
        ({"mmrm__p_mmrm": 0.051}, "At two years the model finds no change below 5%"),
    ],
)
def test_verdicts_on_the_missing_turn_with_each_number(
    changed: dict[str, float], words: str
) -> None:
    plan = Plan()
    clear = {"mi__ci_low": 0.1, "mi__ci_high": 2.0, "tip__delta": 0.4}
    clear |= {"composite__p_value": 0.049, "composite__side": 1.0, "composite__hl": 1.0}
    clear |= {"mmrm__p_mmrm": 0.049}
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


@pytest.mark.parametrize("code", ["ALT", "BILI", "ALB", "PT", "MELD"])
def test_imputation_agrees_with_the_mixed_model(labs: pd.DataFrame, code: str) -> None:
    # Both assume the same; what is left between them is the error of 2,000 draws, and the prior.
    plan = replace(Plan(), imputations=2_000)
    values = inference.scale_values(labs, code)
    fit = inference.fit_change("AVAL ~ C(AVISITN)", values, plan)
    assert fit is not None
    for (visit, own), model in zip(
        missing.impute_changes(values, 1, plan).items(),
        fit.coefficients["estimate"].iloc[1:],
        strict=True,
    ):
        means = own.change.mean(axis=1)
        error = means.std() / np.sqrt(len(means))
        assert abs(means.mean() - model) < 4 * error + 0.05 * fit.coefficients["se"].iloc[1], visit


def test_imputation_has_no_bias_where_nothing_changes() -> None:
    # The sicker are missed more often; nobody changes but by chance.
    rng = np.random.default_rng(20260101)
    found = []
    for trial in range(500):
        level = rng.normal(12, 3, (26, 1))
        values = level + rng.normal(0, 1.5, (26, 4))
        gone = (values[:, 1] + rng.normal(0, 3, 26)).argsort()[-9:]
        values[gone, 3] = np.nan
        values[gone[:4], 2] = np.nan
        found.append((impute_values(values, 10, 5, trial)[:, :, 3] - values[:, 0]).mean())
    assert abs(np.mean(found)) < 0.1


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


def test_what_cannot_be_fitted_is_left_out_and_said(labs: pd.DataFrame) -> None:
    plan = Plan(plan_visits((0, 12, 24), "week"), "week", 6, ("ALT", "AST"))
    own = labs[(labs["PARAMCD"] == "ALT") & labs["AVISITN"].isin([0, 12, 24])]
    record = summarise_family(own, plan)
    assert set(record["parameter"]) == {"ALT"}
    said = inference.say_modelled(record, plan, {"AST": "not recorded", "MELD": ""})
    assert said.startswith("At 24 weeks, as if none of the participants had died")
    assert (
        "Not assessable: AST (not recorded) and MELD(i) (the mixed model cannot be fitted)." in said
    )
    assert "No change from baseline to 36 weeks" in inference.say_modelled(
        record, Plan(plan_visits((0, 12, 24, 36), "week"), "week", 6, ("ALT",)), {}
    )
    nothing = summarise_family(labs[labs["PARAMCD"] == "NONE"], plan)
    assert nothing.empty
    assert "No comparison can be tested." in inference.say_modelled(nothing, plan, {})


def test_the_model_is_told_at_the_last_visit(family: pd.DataFrame) -> None:
    said = inference.say_modelled(family, Plan(), {})
    assert set(re.findall(r"\{mmrm\.\w+\.(\w+)\.", said)) == {"m24"}


def test_each_assumption_has_its_own_cells_at_the_last_visit(
    family: pd.DataFrame, labs: pd.DataFrame, imputed: Imputations, synthetic: Trial
) -> None:
    plan = replace(synthetic.plan, endpoints=("ALB",))
    status = derive_disposition(synthetic.adsl, plan)
    ranked = composite.summarise_outcomes(labs, status, plan.family, plan)
    found = pd.concat([ranked, family, missing.summarise_imputed(imputed, labs, plan)])
    rows = missing.missing_rows(found, plan)[:5]
    cells = lay_out(found, rows, missing.missing_columns(plan), ["Endpoint", "Assumption"])
    shown = {name: row for (_, name, *row) in cells.itertuples(index=False)}
    for analysis in ("composite", "nolt", "alive"):
        assert [cell.replace("\xa0", " ") for cell in shown[missing.ASSUMPTIONS[analysis]]] == [
            pattern.format(f"{analysis}.alb.m24")
            for pattern in (
                "{{{0}.better_count}} of {{{0}.denominator}}",
                "{{{0}.hl}}",
                "{{{0}.hl_low}} to {{{0}.hl_high}}",
                "{{{0}.p_value}}",
            )
        ]
    for analysis, p in (("mmrm", "p_mmrm"), ("mi", "p_value")):
        head = f"{analysis}.alb.m24"
        assert [cell.replace("\xa0", " ") for cell in shown[missing.ASSUMPTIONS[analysis]]] == [
            "",
            f"{{{head}.change}}",
            f"{{{head}.ci_low}} to {{{head}.ci_high}}",
            f"{{{head}.{p}}}",
        ]


def test_each_test_of_the_family_is_named_by_its_method(synthetic: Trial) -> None:
    labs, plan = meld.derive_all(synthetic), synthetic.plan
    values = inference.scale_values(labs, "ALB")
    fits = {"ALB": inference.fit_change("AVAL ~ C(AVISITN)", values, plan)}
    changes = inference.summarise_fits(fits, labs, plan).join(inference.compare_pairs(labs, plan))
    record = inference.record_family(inference.adjust(changes, plan.adjustment))
    method = record.drop_duplicates("statistic").set_index("statistic")["method"]
    assert method[["change", "p_mmrm"]].str.startswith("MMRM").all()
    assert method[["p_t", "p_maxt"]].str.startswith("paired t").all()
    assert "max-T" in method["p_maxt"]
    assert "signed rank" in method["p_wilcoxon"]
    assert "Holm" in method["p_holm"]


def test_both_forms_of_the_adjustment_are_told(labs: pd.DataFrame, synthetic: Trial) -> None:
    plan = synthetic.plan
    record = adjustments.summarise_adjustments(labs, plan)
    own = record.pivot_table("value", "statistic", "group")
    assert own["linear"]["p_value"] != own["second-derivatives"]["p_value"]
    assert own["linear"]["se"] > own["second-derivatives"]["se"]
    assert own["linear"]["df"] == own["second-derivatives"]["df"]
    values = inference.scale_values(labs, "MELD")
    fit = inference.fit_change("AVAL ~ C(AVISITN)", values, plan)
    table = inference.summarise_fits({"MELD": fit}, labs, plan)
    assert own["linear"]["p_value"] == table.loc[("MELD", plan.last.number), "p_mmrm"]
    words = adjustments.say_adjustments(record, plan, "these data")
    assert set(re.findall(r"{([^}]+)}", words)) <= set(record["id"])
    assert words.index("linear.se") < words.index("second-derivatives.se")


def test_nothing_is_said_of_a_model_that_cannot_be_fitted(
    labs: pd.DataFrame, synthetic: Trial
) -> None:
    few = labs[labs["USUBJID"].isin(labs["USUBJID"].unique()[:3])]
    record = adjustments.summarise_adjustments(few, synthetic.plan)
    assert adjustments.say_adjustments(record, synthetic.plan, "these data") == ""
