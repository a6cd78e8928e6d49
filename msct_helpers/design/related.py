"""What other studies found, and a count in one of their abstracts that disagrees with itself."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy import stats

from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.trial.paths import ROOT

RELATED = ROOT / "data" / "published" / "related.csv"


def load_related() -> pd.DataFrame:
    """Read what other studies found, one row a study and kind of comparison.

    Returns
    -------
    DataFrame
        id, study, pmid, doi, other (identifier), design, comparison (``before-after`` or
        ``controlled``), patients, studies, disease, cells, followed, improved, unchanged, note; in
        our words after the public abstracts, blank where those say nothing.
    """
    return pd.read_csv(RELATED, dtype=str, keep_default_na=False)


@dataclass(frozen=True)
class Responders:
    """Counts of two arms as an abstract prints them, with the per cents and odds ratio beside."""

    sizes: tuple[int, int]
    counts: tuple[int, int]
    percents: tuple[int, int]
    odds_ratio: tuple[float, float, float]


SPAHR_2013 = Responders((28, 30), (18, 18), (64, 53), (1.6, 0.49, 5.4))
"""Fall of MELD by 3 points or more at 3 months, cells and standard care, as printed; the odds ratio
with its 95% interval. Spahr 2013, PMID 23341981."""


def find_counts(percent: int, size: int) -> list[int]:
    """Return the counts of `size` that round to a printed per cent."""
    return [n for n in range(size + 1) if int(100 * n / size + 0.5) == percent]


def estimate_odds_ratio(
    counts: tuple[int, int], sizes: tuple[int, int], level: float
) -> dict[str, float]:
    """Return the conditional odds ratio of two arms with its exact interval and p-value.

    Parameters
    ----------
    counts, sizes
        Those with the outcome and all, by arm.
    level
        Confidence level.

    Returns
    -------
    dict
        ratio, low, high, p_value (Fisher's exact test, two-sided).

    Notes
    -----
    Fisher, J R Stat Soc 1935; 98: 39-82. Other exact intervals differ a little.
    """
    (a, c), (b, d) = counts, (sizes[0] - counts[0], sizes[1] - counts[1])
    found = stats.contingency.odds_ratio([[a, b], [c, d]])
    low, high = found.confidence_interval(level)
    p_value = stats.fisher_exact([[a, b], [c, d]]).pvalue
    ratio = {"ratio": found.statistic, "low": low, "high": high, "p_value": p_value}
    return {name: float(value) for name, value in ratio.items()}


def check_responders(printed: Responders, level: float) -> pd.DataFrame:
    """Return for each arm whether the printed count gives the printed per cent, and what would.

    Returns
    -------
    DataFrame
        arm, size, count, percent (as printed), found (per cent of the printed count), agrees,
        counts (those that would give the per cent), ratio (odds ratio with the first of these in
        place of a count that does not agree).
    """
    possible = [find_counts(p, n) for p, n in zip(printed.percents, printed.sizes, strict=True)]
    mended = tuple(
        n if n in fits else fits[0] for n, fits in zip(printed.counts, possible, strict=True)
    )
    ratio = estimate_odds_ratio((mended[0], mended[1]), printed.sizes, level)["ratio"]
    rows = [
        {
            "arm": arm,
            "size": printed.sizes[arm],
            "count": printed.counts[arm],
            "percent": printed.percents[arm],
            "found": 100 * printed.counts[arm] / printed.sizes[arm],
            "agrees": printed.counts[arm] in possible[arm],
            "counts": tuple(possible[arm]),
            "ratio": ratio,
        }
        for arm in (0, 1)
    ]
    return pd.DataFrame(rows)


def summarise_printed(level: float) -> pd.DataFrame:
    """Return the check of a printed count in another study's abstract.

    Returns
    -------
    DataFrame
        Record, analysis ``printed`` by arm (``CELLS``, ``CARE``): count, size_count, printed and
        found percent, mended_count; ``ODDS``: ratio with the mended count, ratio_low, ratio_high,
        p_value.
    """
    table = check_responders(SPAHR_2013, level)
    rows: list[dict[str, Any]] = []
    about: dict[str, Any] = {"function": "summarise_printed"}
    for name, row in zip(("CELLS", "CARE"), table.to_dict("records"), strict=True):
        counts = {"count": row["count"], "size_count": row["size"]}
        counts["mended_count"] = row["counts"][0]
        shares = {"printed_percent": row["percent"], "found_percent": row["found"]}
        rows += make_rows("printed", counts, group=name, method="as printed", **about)
        rows += make_rows("printed", shares, group=name, decimals=0, **about)
    mended = tuple(table["counts"].str[0])
    found = estimate_odds_ratio(mended, SPAHR_2013.sizes, level)
    p_value = found.pop("p_value")
    named = {"ratio": found["ratio"], "ratio_low": found["low"], "ratio_high": found["high"]}
    rows += make_rows(
        "printed", named, group="ODDS", decimals=1, method="exact conditional", **about
    )
    rows += make_rows("printed", {"p_value": p_value}, group="ODDS", method="Fisher", **about)
    return make_record(rows)
