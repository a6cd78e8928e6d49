"""Liver safety: the highest ALT and bilirubin of each participant against their upper limits."""

import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.words import name_people
from msct_helpers.trial.load import Trial

CODES = ("ALT", "BILI")
LIMITS = {"ALT": 3.0, "BILI": 2.0}
"""Multiples of the upper limit of normal: FDA, Drug-Induced Liver Injury, 2009 (Hy's law)."""


def list_limits(trial: Trial) -> dict[str, float]:
    """Return the upper limits of normal of ALT and bilirubin, in reporting units, as given."""
    ranges = trial.study.reference_ranges or {}
    return {code: float(ranges[code][1]) for code in CODES if code in ranges}


def derive_peaks(trial: Trial) -> pd.DataFrame:
    """Return the highest ALT and bilirubin after baseline, in multiples of their upper limits.

    Returns
    -------
    DataFrame
        Indexed by USUBJID: ALT and BILI of whoever has both. Empty where a limit is not given.
    """
    limits = list_limits(trial)
    if len(limits) < len(CODES):
        return pd.DataFrame(columns=list(CODES))
    labs = pd.concat([trial.adlb, trial.unscheduled])
    later = labs[(labs["AVISITN"] != 0) & labs["PARAMCD"].isin(CODES)]
    peaks = later.groupby(["USUBJID", "PARAMCD"])["AVAL"].max().unstack("PARAMCD")
    return peaks.reindex(columns=list(CODES)).dropna() / pd.Series(limits)


def summarise_peaks(peaks: pd.DataFrame) -> pd.DataFrame:
    """Return how many were above each line and above both, analysis ``hy``; empty without any."""
    if peaks.empty:
        return make_record([])
    above = peaks >= pd.Series(LIMITS)
    counts = {
        "alt_count": float(above["ALT"].sum()),
        "bilirubin_count": float(above["BILI"].sum()),
        "both_count": float(above.all(axis=1).sum()),
        "denominator": float(len(peaks)),
    }
    method = "highest value after baseline, multiples of the upper limit of normal"
    rows = make_rows("hy", counts, n=len(peaks), method=method, function="summarise_peaks")
    return make_record(rows)


def say_peaks(record: pd.DataFrame, trial: Trial) -> str:
    """Return how many were above the lines of Hy's law, or why that cannot be told."""
    if record.empty:
        missing = "no limits of normal are given for ALT and bilirubin, or one was not measured"
        return f"Liver safety by ALT and bilirubin: not assessable, {missing}."
    alt, bili, both, total = (
        ref("hy", s) for s in ("alt_count", "bilirubin_count", "both_count", "denominator")
    )
    return (
        f"Of {total} {name_people(trial)} with alanine aminotransferase (ALT) and bilirubin after "
        f"baseline, {alt} reached three times the upper limit of ALT, {bili} twice that of "
        f"bilirubin, and {both} both."
    )
