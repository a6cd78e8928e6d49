"""The MMRM against R's mmrm, against the paired t-test, and properties that hold for all data."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from msct_helpers import Trial
from msct_helpers.efficacy.inference import scale_values
from msct_helpers.meld.derive import derive_all
from msct_helpers.stats.mmrm.batch import fit_mmrm_batch
from msct_helpers.stats.mmrm.model import MMRM, fit_mmrm
from tests.conftest import ROOT

REFERENCE = pd.read_csv(ROOT / "tests/reference/mmrm_mayo_stage4.csv")
SYNTHETIC = pd.read_csv(ROOT / "tests/reference/mmrm_msct_synthetic.csv")


def simulate(seed: int, subjects: int = 26, visits: int = 4, missing: float = 0.15) -> pd.DataFrame:
    """Return correlated measurements with gaps; the first participants are complete."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(subjects, 1)) + 0.7 * rng.normal(size=(subjects, visits))
    gone = rng.random(y.shape) < missing
    gone[: 3 * visits] = False
    y[gone] = np.nan
    who, when = np.meshgrid(np.arange(subjects), np.arange(visits), indexing="ij")
    return pd.DataFrame({"id": who.ravel(), "visit": when.ravel(), "y": y.ravel()})


def fit(data: pd.DataFrame, formula: str = "y ~ C(visit)", **options: Any) -> MMRM:
    given: dict[str, Any] = {"subject": "id", "visit": "visit", "level": 0.95} | options
    return fit_mmrm(formula, data, **given)


@pytest.mark.parametrize(
    "row", REFERENCE.to_dict("records"), ids=lambda r: f"{r['response']}{r['visit']}"
)
def test_agrees_with_r(mayo: Trial, row: dict[str, float]) -> None:
    code = "BILI" if row["response"] == "log_bilirubin" else "ALB"
    data = mayo.adlb[mayo.adlb["PARAMCD"] == code]
    if code == "BILI":
        data = data.assign(AVAL=np.log(data["AVAL"]))
    for inference, adjustment, se in (
        ("kenward-roger", "linear", "kenward_roger"),
        ("kenward-roger", "second-derivatives", "second_derivatives"),
        ("satterthwaite", "linear", "satterthwaite"),
    ):
        model = fit_mmrm(
            "AVAL ~ C(AVISITN)",
            data,
            subject="USUBJID",
            visit="AVISITN",
            level=0.95,
            inference=inference,  # type: ignore[arg-type]
            adjustment=adjustment,  # type: ignore[arg-type]
        )
        found = model.coefficients.loc[f"C(AVISITN)[T.{row['visit']:.1f}]"]
        expected = row[f"se_{se}"]
        assert found["estimate"] == pytest.approx(row["estimate"], abs=1e-6 * expected)
        assert found["se"] == pytest.approx(expected, rel=1e-6)
        assert found["df"] == pytest.approx(row["df"], rel=1e-6)
        assert model.log_likelihood == pytest.approx(row["log_likelihood"], abs=1e-8)


@pytest.mark.parametrize("code", SYNTHETIC["response"].unique())
@pytest.mark.parametrize("adjustment", ["linear", "second-derivatives"])
def test_agrees_with_r_at_26_patients(synthetic: Trial, code: str, adjustment: str) -> None:
    values = scale_values(derive_all(synthetic), code)
    model = fit_mmrm(
        "AVAL ~ C(AVISITN)",
        values,
        subject="USUBJID",
        visit="AVISITN",
        level=0.95,
        adjustment=adjustment,  # type: ignore[arg-type]
    )
    expected = SYNTHETIC[SYNTHETIC["response"] == code]
    found = model.coefficients.iloc[1:]
    se = expected[f"se_{adjustment.replace('-', '_')}"].to_numpy()
    assert found["se"].to_numpy() == pytest.approx(se, rel=1e-6)
    assert found["df"].to_numpy() == pytest.approx(expected["df"].to_numpy(), rel=1e-6)
    assert np.abs(found["estimate"].to_numpy() - expected["estimate"]).max() < 1e-6 * se.min()
    assert model.log_likelihood == pytest.approx(expected["log_likelihood"].iloc[0], abs=1e-7)


@pytest.mark.parametrize("inference", ["kenward-roger", "satterthwaite"])
def test_complete_data_give_the_paired_t_test(inference: str) -> None:
    data = simulate(1, missing=0)
    wide = data.pivot_table(index="id", columns="visit", values="y")
    table = fit(data, inference=inference).coefficients
    for month in (1, 2, 3):
        change = wide[month] - wide[0]
        expected = stats.ttest_1samp(change, 0)
        found = table.loc[f"C(visit)[T.{month}]"]
        assert found["estimate"] == pytest.approx(change.mean(), abs=1e-10)
        assert found["df"] == pytest.approx(25, rel=1e-7)
        assert found["p_value"] == pytest.approx(expected.pvalue, rel=1e-7)
        low, high = expected.confidence_interval()
        assert (found["ci_low"], found["ci_high"]) == pytest.approx((low, high), abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-50, 50))
def test_order_names_and_units_do_not_matter(seed: int, scale: float, shift: float) -> None:
    data = simulate(seed % 50)
    one = fit(data)
    other = data.sample(frac=1, random_state=seed).assign(
        id=lambda d: "p" + (97 - d["id"]).astype(str),
        visit=lambda d: d["visit"].map({0: "a", 1: "b", 2: "c", 3: "d"}),
        y=lambda d: d["y"] * scale + shift,
    )
    two = fit(other)
    changes = slice(1, None)
    for column, factor in (("estimate", scale), ("se", scale), ("df", 1.0), ("p_value", 1.0)):
        expected = one.coefficients[column].to_numpy()[changes] * factor
        assert two.coefficients[column].to_numpy()[changes] == pytest.approx(
            expected, rel=1e-5, abs=1e-7 * factor
        )
    assert np.allclose(two.covariance, one.covariance.to_numpy() * scale**2, rtol=1e-5)


def test_gaps_single_visits_and_missing_baselines_are_used() -> None:
    data = simulate(3)
    extra = pd.DataFrame({"id": [90, 91, 91], "visit": [2, 1, 3], "y": [0.5, 0.1, -0.2]})
    with_more, without = fit(pd.concat([data, extra])), fit(data)
    assert with_more.coefficients["se"].iloc[3] != without.coefficients["se"].iloc[3]


def test_contrast_and_interactions() -> None:
    data = simulate(4, subjects=40).assign(arm=lambda d: np.where(d["id"] % 2, "b", "a"))
    model = fit(data, "y ~ C(visit) * arm")
    row = model.contrast({"C(visit)[T.3]": 1, "C(visit)[T.3]:arm[T.b]": 1})
    parts = model.coefficients["estimate"]
    assert row["estimate"] == pytest.approx(
        parts["C(visit)[T.3]"] + parts["C(visit)[T.3]:arm[T.b]"]
    )
    alone = model.contrast({"arm[T.b]": 1})
    assert alone.to_numpy() == pytest.approx(model.coefficients.loc["arm[T.b]"].to_numpy())
    swapped = fit(
        data.assign(arm=lambda d: d["arm"].map({"a": "b", "b": "a"})), "y ~ C(visit) * arm"
    )
    assert swapped.coefficients.loc["C(visit)[T.3]", "df"] == pytest.approx(row["df"], rel=1e-5)
    with pytest.raises(ValueError, match="expected among"):
        model.contrast({"nothing": 1})


def test_kenward_roger_is_wider_and_asymptotic_has_no_df() -> None:
    data = simulate(5, subjects=16, missing=0.3)
    adjusted, plain, normal = (
        fit(data, inference=i).coefficients
        for i in ("kenward-roger", "satterthwaite", "asymptotic")
    )
    assert (adjusted["se"].iloc[1:] > plain["se"].iloc[1:]).all()
    assert np.isinf(normal["df"]).all()
    assert (normal["se"] == plain["se"]).all()


def make_covariance(theta: np.ndarray, visits: int) -> np.ndarray:
    """Return L L', row i of L being exp(theta_i) times (below the diagonal, 1)."""
    unit = np.eye(visits)
    unit[np.tril_indices(visits, -1)] = theta[visits:]
    factor = np.diag(np.exp(theta[:visits])) @ unit
    return factor @ factor.T


def differentiate_twice(function: Any, at: np.ndarray, step: float = 2e-3) -> np.ndarray:
    """Return all second derivatives of `function`, by central differences of fourth order."""
    weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    axes = np.eye(len(at)) * step
    rows = [
        [
            sum(
                a * b * function(at + m * axes[i] + n * axes[j])
                for m, a in weights.items()
                for n, b in weights.items()
            )
            for j in range(len(at))
        ]
        for i in range(len(at))
    ]
    return np.array(rows) / step**2


def adjust_by_definition(data: pd.DataFrame, sigma: np.ndarray, linear: bool) -> np.ndarray:
    """Return Kenward and Roger's covariance of the visits' changes, participant by participant.

    Their formula as printed, with P, Q and R from derivatives by finite differences; nothing of
    the package is used.
    """
    visits = len(sigma)
    factor = np.linalg.cholesky(sigma)
    lower = (factor / np.diag(factor)[:, None])[np.tril_indices(visits, -1)]
    theta = np.concatenate([np.log(np.diag(factor)), lower])
    people = [
        (own["visit"].to_numpy(), own["y"].to_numpy())
        for _, own in data.dropna().sort_values("visit").groupby("id")
    ]
    design = np.eye(visits)
    design[:, 0] = 1

    def give(at: np.ndarray) -> tuple[np.ndarray, float]:
        whole = make_covariance(at, visits)
        information, score, rest = np.zeros((visits, visits)), np.zeros(visits), 0.0
        for seen, y in people:
            weight = np.linalg.inv(whole[np.ix_(seen, seen)])
            information += design[seen].T @ weight @ design[seen]
            score += design[seen].T @ weight @ y
            rest += y @ weight @ y - np.linalg.slogdet(weight)[1]
        phi = np.linalg.inv(information)
        rest += np.linalg.slogdet(information)[1] - score @ phi @ score
        return phi, -0.5 * rest

    phi = give(theta)[0]
    w = np.linalg.inv(-differentiate_twice(lambda at: give(at)[1], theta))
    step = np.eye(len(theta)) * 1e-5
    slopes = [
        (make_covariance(theta + h, visits) - make_covariance(theta - h, visits)) / 2e-5
        for h in step
    ]
    bends = differentiate_twice(lambda at: make_covariance(at, visits), theta)
    inner = np.zeros_like(phi)
    for i in range(len(theta)):
        for j in range(len(theta)):
            p_i, p_j, q, r = (np.zeros_like(phi) for _ in range(4))
            for seen, _ in people:
                x, cut = design[seen], np.ix_(seen, seen)
                v = np.linalg.inv(sigma[cut])
                p_i -= x.T @ v @ slopes[i][cut] @ v @ x
                p_j -= x.T @ v @ slopes[j][cut] @ v @ x
                q += x.T @ v @ slopes[i][cut] @ v @ slopes[j][cut] @ v @ x
                r += x.T @ v @ bends[i, j][cut] @ v @ x
            inner += w[i, j] * (q - p_i @ phi @ p_j - (0 if linear else r / 4))
    return phi + 2 * phi @ inner @ phi


@pytest.mark.parametrize("adjustment", ["linear", "second-derivatives"])
def test_kenward_roger_is_its_definition(adjustment: str) -> None:
    data = simulate(8, subjects=18, visits=3, missing=0.4)
    model = fit(data, adjustment=adjustment)
    sigma = model.covariance.to_numpy()
    expected = adjust_by_definition(data, sigma, adjustment == "linear")
    found = model.coefficients["se"].to_numpy()
    assert found == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-6)
    other = fit(data).coefficients
    assert np.array_equal(model.coefficients["df"], other["df"])
    assert np.array_equal(model.coefficients["estimate"], other["estimate"])


def break_data(kind: str) -> tuple[str, pd.DataFrame]:
    """Return a formula and data that cannot be fitted."""
    data = simulate(6)
    formula = "y ~ C(visit)"
    if kind == "twice":
        data = pd.concat([data, data.iloc[[0]]])
    elif kind == "empty visit":
        data.loc[data["visit"] == 2, "y"] = np.nan
    elif kind == "rank":
        data, formula = data.assign(copy=data["visit"] * 2.0), "y ~ C(visit) + copy"
    elif kind == "infinite":
        data.loc[3, "y"] = np.inf
    elif kind == "constant":
        data["y"] = 1.0
    elif kind == "few":
        data.loc[(data["id"] >= 4) & (data["visit"] == 3), "y"] = np.nan
    elif kind == "column":
        formula = "nothing ~ C(visit)"
    return formula, data


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("twice", r"id .* has two rows at visit"),
        ("empty visit", "visit 2: nobody has a response there"),
        ("rank", "linearly dependent"),
        ("infinite", "expected finite numbers"),
        ("constant", "a constant response has no model"),
        ("few", "4 participants were seen at all 4 visits; expected at least 5"),
        ("column", "nothing: not a column of the data"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused(kind: str, message: str) -> None:
    formula, data = break_data(kind)
    with pytest.raises(ValueError, match=message):
        fit(data, formula)


def test_an_adjustment_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of linear, second-derivatives"):
        fit(simulate(1), adjustment="quadratic")


def test_a_batch_is_its_single_fits() -> None:
    trials = [simulate(seed) for seed in range(8)]
    trials[7].loc[trials[7]["id"] >= 3, "y"] = np.nan
    batch = fit_mmrm_batch(
        "y ~ C(visit)",
        trials[0],
        [t["y"] for t in trials],
        subject="id",
        visit="visit",
        level=0.95,
    )
    for i, data in enumerate(trials[:7]):
        table = fit(data).coefficients
        for column in ("estimate", "se", "df", "p_value", "ci_low", "ci_high"):
            assert getattr(batch, column)[i] == pytest.approx(
                table[column].to_numpy(), rel=1e-5, abs=1e-8
            )
    assert batch.converged.tolist() == [True] * 7 + [False]
    assert np.isnan(batch.estimate[7]).all()


def test_intervals_follow_the_level() -> None:
    wide, narrow = (fit(simulate(7), level=level).coefficients.iloc[3] for level in (0.95, 0.9))
    for table, level in ((wide, 0.95), (narrow, 0.9)):
        limits = stats.t.interval(level, table["df"], table["estimate"], table["se"])
        assert (table["ci_low"], table["ci_high"]) == pytest.approx(limits)
    assert wide["p_value"] == narrow["p_value"]
