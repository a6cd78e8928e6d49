"""What of a synthetic data set was published, and what was invented around it."""

import re
from functools import partial

import pandas as pd

from msct_helpers.abstract.statements import COUNTED, OTHER_CELLS
from msct_helpers.ard.results import make_id
from msct_helpers.cohort.population import keeps_counts
from msct_helpers.safety.safety import FIRST_EVENTS
from msct_helpers.trial.load import Trial

EVENTS = {make_id(a, "count", group=g) for a in ("status", "risk") for g in FIRST_EVENTS}
"""Published counts of events, which a report of a shorter follow-up does not reach."""

FIXED = {
    *COUNTED.values(),
    *(make_id("source", "count", group=source) for source in OTHER_CELLS),
    *EVENTS,
}
"""Results that synthetic data take from the published counts."""


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
    fixed = FIXED if keeps_counts(trial) else FIXED - EVENTS
    marked = table.map(partial(mark_published, fixed=fixed))
    published = (marked != table).any(axis=1)
    return marked.assign(Basis=published.map({True: "published", False: "invented"}))


def mark_published(cell: str, fixed: set[str]) -> str:
    """Return a cell with the published counts in it in bold."""
    return re.sub(
        r"\{([\w.+=~-]+)\}", lambda m: f"**{m[0]}**" if m[1] in fixed else m[0], str(cell)
    )
