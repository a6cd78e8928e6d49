"""What of a synthetic data set was published, and what was invented around it."""

import re

import pandas as pd

from msct_helpers.abstract.statements import COUNTED, OTHER_CELLS
from msct_helpers.ard.results import make_id
from msct_helpers.safety.safety import FIRST_EVENTS
from msct_helpers.trial.load import Trial

FIXED = {
    *COUNTED.values(),
    *(make_id("source", "count", group=source) for source in OTHER_CELLS),
    *(make_id("risk", "count", group=group) for group in FIRST_EVENTS),
}
"""Results that every synthetic data set takes from the published counts."""


def add_basis(table: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """Return a display table with published counts in bold, and a column that says what each is.

    Parameters
    ----------
    table
        Text with ids in braces (`msct_helpers.book.layout.lay_out`).
    trial
        The data set; the table of one that is not synthetic, or that no abstract stands behind,
        stays as it is.
    """
    if not trial.synthetic or trial.study.statements is None or table.empty:
        return table
    marked = table.map(mark_published)
    fixed = (marked != table).any(axis=1)
    return marked.assign(Basis=fixed.map({True: "published", False: "invented"}))


def mark_published(cell: str) -> str:
    """Return a cell with the published counts in it in bold."""
    return re.sub(
        r"\{([\w.+=~-]+)\}", lambda m: f"**{m[0]}**" if m[1] in FIXED else m[0], str(cell)
    )
