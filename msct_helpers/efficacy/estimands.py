"""What is estimated: the estimands of each endpoint, in the words of ICH E9(R1)."""

import pandas as pd

from msct_helpers.book.words import upper_first
from msct_helpers.trial.plan import MEASURES, Plan

HEADS = ["Estimand", "Variable, at each visit", "Death and transplant", "Not measured", "Summary"]

RANKED = (
    (
        "primary",
        "better or not, and change, against baseline",
        "composite: death ranks worst, then transplant",
        "not better; unchanged, so without a rank in the test",
        "share better of all enrolled; signed-rank test, Hodges-Lehmann estimate",
    ),
    (
        "sensitivity",
        "the same",
        "transplant hypothetical, as not measured; death as above",
        "the same",
        "the same",
    ),
    (
        "supplementary",
        "value at the visit, or last before an event, against baseline",
        "while alive without transplant",
        "not better; unchanged",
        "the same",
    ),
)


def describe_variables(plan: Plan) -> str:
    """Return the variable of the mixed model, by endpoint."""
    ratios = [MEASURES[c].name for c in plan.family if MEASURES[c].log_scale]
    plain = [MEASURES[c].name for c in plan.family if not MEASURES[c].log_scale]
    parts = [f"ratio to baseline ({', '.join(ratios)})"] if ratios else []
    parts += [f"value minus baseline ({', '.join(plain)})"] if plain else []
    return upper_first("; ".join(parts))


def table_estimands(plan: Plan) -> pd.DataFrame:
    """Return variable, strategies and summary of each estimand, primary first."""
    modelled = (
        "supplementary",
        describe_variables(plan),
        "hypothetical: as if they had not occurred",
        "missing at random",
        "mean change (mixed model, multiple imputation)",
    )
    rows = [tuple(upper_first(cell) for cell in row) for row in (*RANKED, modelled)]
    return pd.DataFrame(rows, columns=HEADS)
