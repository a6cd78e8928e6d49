"""Multiple imputation by chained equations, and Rubin's rules."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.imputation.mice import MICEData

DONORS = 5
"""Participants among whom predictive mean matching draws a value."""


class MainEffects(MICEData):
    """Chained equations that are linear in all other columns, without parsing a formula.

    MICEData's default formulas mean the same, but most of its time goes into building the same
    design matrices from text again and again. Predictions are rounded before donors are sought:
    laboratory values are full of ties, and the last binary digit, which differs between machines,
    would otherwise choose among them.
    """

    def _get_predicted(self, obj: Any) -> np.ndarray:
        return np.round(super()._get_predicted(obj), 9)

    def _make_design(self, vname: str) -> np.ndarray:
        others = self.data.drop(columns=vname).to_numpy(dtype=float)
        return np.column_stack([np.ones(len(others)), others])

    def get_fitting_data(self, vname: str) -> tuple[Any, ...]:
        """Return response and design where the variable was observed."""
        rows = self.ix_obs[vname]
        return self.data[vname].to_numpy()[rows], self._make_design(vname)[rows], {}, {}

    def get_split_data(self, vname: str) -> tuple[Any, ...]:
        """Return response and design where it was observed, and design where it was missing."""
        design, observed = self._make_design(vname), self.ix_obs[vname]
        response = self.data[[vname]].to_numpy()[observed]
        return response, design[observed], design[self.ix_miss[vname]], {}, {}


def impute(wide: pd.DataFrame, imputations: int, burn_in: int, seed: int) -> np.ndarray:
    """Return imputed copies of a table by predictive mean matching (statsmodels' MICE).

    Parameters
    ----------
    wide
        One row a participant, missing values as NaN.
    imputations, burn_in
        How many copies are kept, and how many rounds go before the first.
    seed
        Seed of the random generator.

    Returns
    -------
    array
        (imputations, rows, columns).
    """
    plain = wide.reset_index(drop=True).rename(columns=lambda name: f"m{name}")
    data = MainEffects(plain, k_pmm=DONORS, rng=np.random.default_rng(seed))
    data.update_all(burn_in)
    copies = []
    for _ in range(imputations):
        data.update_all(1)
        copies.append(data.data[plain.columns].to_numpy(dtype=float))
    return np.array(copies)


def pool_rubin(
    estimates: np.ndarray, variances: np.ndarray, complete_df: float, level: float
) -> dict[str, float]:
    """Return Rubin's pooled estimate with Barnard and Rubin's degrees of freedom.

    Parameters
    ----------
    estimates, variances
        One for each imputation.
    complete_df
        Degrees of freedom if nothing were missing.
    level
        Confidence level.

    Notes
    -----
    Rubin 1987; Barnard and Rubin, Biometrika 1999; 86: 948-955.
    """
    m = len(estimates)
    mean, within = float(estimates.mean()), float(variances.mean())
    between = float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    observed = complete_df * (complete_df + 1) / (complete_df + 3) * (1 - share)
    df = observed if share == 0 else 1 / (1 / observed + share**2 / (m - 1))
    half = float(stats.t.ppf((1 + level) / 2, df)) * np.sqrt(total)
    p = 2 * float(stats.t.sf(abs(mean) / np.sqrt(total), df))
    return {"estimate": mean, "ci_low": mean - half, "ci_high": mean + half, "p_value": p}
