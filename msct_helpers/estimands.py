"""What is estimated: one row an endpoint, in the words of ICH E9(R1)."""

import pandas as pd

ROWS = (
    ("ALT", "ratio of ALT to baseline", "geometric mean ratio, shown as per cent change"),
    ("Total bilirubin", "ratio of bilirubin to baseline", "as ALT"),
    ("Serum albumin", "albumin minus baseline", "mean difference"),
    ("Prothrombin time", "prothrombin time minus baseline", "mean difference"),
    ("MELD(i)", "unrounded score minus baseline", "mean difference"),
)


def table_estimands() -> pd.DataFrame:
    """Return population, variable, intercurrent events and summary of each endpoint."""
    rows = [
        (
            name,
            "all who were enrolled, full analysis set",
            variable,
            "death, transplant: composite (worst rank; hypothetical in the mixed model)",
            summary,
        )
        for name, variable, summary in ROWS
    ]
    heads = ["Endpoint", "Population", "Variable, at each visit", "Intercurrent events", "Summary"]
    return pd.DataFrame(rows, columns=heads)
