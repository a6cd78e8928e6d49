"""What is estimated: two estimands an endpoint, in the words of ICH E9(R1)."""

import pandas as pd

ROWS = (
    ("ALT", "ratio of ALT to baseline", "geometric mean ratio, shown as per cent change"),
    ("Total bilirubin", "ratio of bilirubin to baseline", "as ALT"),
    ("Serum albumin", "albumin minus baseline", "mean difference"),
    ("Prothrombin time", "prothrombin time minus baseline", "mean difference"),
    ("MELD(i)", "unrounded score minus baseline", "mean difference"),
)


def table_estimands() -> pd.DataFrame:
    """Return variable, intercurrent events and summary of each endpoint, primary first."""
    rows = []
    for name, variable, summary in ROWS:
        rows.append(
            (name, "primary", variable, "hypothetical: as if they had not occurred", summary)
        )
        rows.append(
            (
                "",
                "supportive",
                "better or worse than at baseline",
                "composite: death ranks worst, then transplant",
                "share better, signed-rank test",
            )
        )
    heads = ["Endpoint", "Estimand", "Variable, at each visit", "Death and transplant", "Summary"]
    return pd.DataFrame(rows, columns=heads)
