"""What is estimated: two estimands an endpoint, in the words of ICH E9(R1)."""

import pandas as pd

from msct_helpers.book.words import upper_first
from msct_helpers.trial.plan import MEASURES, SCORES, Plan

HEADS = ["Endpoint", "Estimand", "Variable, at each visit", "Death and transplant", "Summary"]

SUPPORTIVE = (
    "",
    "supportive",
    "better or worse than at baseline",
    "composite: death ranks worst, then transplant",
    "share better, signed-rank test",
)


def describe_primary(code: str) -> tuple[str, str]:
    """Return variable and summary of an endpoint's primary estimand."""
    name = MEASURES[code].name
    if MEASURES[code].log_scale:
        return f"ratio of {name} to baseline", "geometric mean ratio, shown as per cent change"
    variable = "unrounded score" if code in SCORES else name
    return f"{variable} minus baseline", "mean difference"


def table_estimands(plan: Plan) -> pd.DataFrame:
    """Return variable, intercurrent events and summary of each endpoint, primary first."""
    rows = []
    for code in plan.family:
        variable, summary = describe_primary(code)
        events = "hypothetical: as if they had not occurred"
        rows += [
            (upper_first(MEASURES[code].name), "primary", variable, events, summary),
            SUPPORTIVE,
        ]
    return pd.DataFrame(rows, columns=HEADS)
