"""Passages of the MELD chapter: parts, floors, bands, noise, disagreement between scores."""

import pandas as pd
from IPython.display import display

from msct_helpers.ard.results import get_refs, make_id, ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.book.layout import unbroken
from msct_helpers.book.words import LABELS
from msct_helpers.meld import change as meld_change
from msct_helpers.meld import figures as figures_meld
from msct_helpers.meld.change import BANDS, LAST, WEIGHTS
from msct_helpers.meld.derive import NAMES
from msct_helpers.safety.shifts import count_moves
from msct_helpers.trial.schema import VISITS

PARTS = figures_meld.PART_NAMES


def show_parts(book: Chapter, why: str) -> None:
    """Show the parts of the change in MELD(i) and how many values stand on a floor."""
    if why:
        display(book.say(f"Parts of the change in MELD(i): not assessable, {why}."))
        return
    parts = meld_change.decompose_change(book.trial.efficacy_labs)
    record = book.record(meld_change.summarise_parts(parts))
    floors = book.record(meld_change.count_floors(book.trial.efficacy_labs))
    months = sorted(int(m) for m in parts["AVISITN"].unique())
    if LAST not in months:
        display(book.say(f"No participant has all components at baseline and month {LAST}."))
        return
    each = ", ".join(f"{ref('part', 'mean', c, LAST)} from {n}" for c, n in PARTS.items())
    sentence = (
        f"At month {LAST} the mean change of {ref('part', 'mean', 'TOTAL', LAST)} points is the "
        f"sum of {each}."
    )
    display(book.say(sentence))
    book.figure(
        figures_meld.plot_parts(parts, LAST),
        name="fig-parts",
        caption=f"Change in MELD(i) at month {LAST} of each participant, split exactly into the "
        "parts of bilirubin, INR and creatinine.",
        alt=f"Stacked bars, one a participant. {sentence}",
        rows=record[record["visit"] == LAST],
    )
    display(
        book.table(
            table_parts(record, floors, months),
            name="tab-parts",
            caption="Mean parts of the change in MELD(i), points, and values that count as one in "
            "the score (on the floor) among those measured.",
        )
    )


def table_parts(record: pd.DataFrame, floors: pd.DataFrame, months: list[int]) -> pd.DataFrame:
    """Return mean parts and floors by visit."""
    text = get_refs(pd.concat([record, floors]))

    def floor(code: str, month: int) -> str:
        found = [text[make_id("floor", s, code, month)] for s in ("count", "denominator")]
        return unbroken(" of ".join(found))

    rows = []
    for month, visit in VISITS.items():
        cells = [
            text[make_id("part", "mean", c, month)] if month in months else ""
            for c in (*WEIGHTS, "TOTAL")
        ]
        rows.append((unbroken(visit), *cells, *(floor(c, month) for c in WEIGHTS)))
    heads = [f"Part of {n}" for n in PARTS.values()]
    return pd.DataFrame(
        rows, columns=["Visit", *heads, "Total", *(f"Floor: {n}" for n in PARTS.values())]
    )


def show_bands(book: Chapter, scores: pd.DataFrame, why: str) -> None:
    """Show movement between bands of MELD(i) from baseline to the last visit."""
    if why:
        display(book.say(f"Movement between bands of MELD(i): not assessable, {why}."))
        return
    moves = meld_change.derive_bands(scores, book.trial.adsl)
    ends = [*BANDS, "DEATH", "LIVER TRANSPLANT", "NOT SEEN"]
    book.record(count_moves(moves, tuple(BANDS), tuple(ends), "band"))
    table = [
        (unbroken(start), *(ref("band", "count", group=f"{start} to {end}") for end in ends))
        for start in BANDS
    ]
    names = LABELS | {"NOT SEEN": "not seen"}
    display(
        book.table(
            pd.DataFrame(table, columns=["At baseline", *(names.get(e, e) for e in ends)]),
            name="tab-bands",
            caption=f"Bands of MELD(i), rounded: participants by band at baseline (rows) and by "
            f"band or event at month {LAST} (columns).",
        )
    )


def show_noise(book: Chapter, scores: pd.DataFrame, why: str) -> None:
    """Show what noise and regression to the mean alone would give."""
    if why:
        display(book.say(f"Noise and regression to the mean: not assessable, {why}."))
        return
    record = book.record(meld_change.summarise_noise(scores))
    if record.loc[record["analysis"] == "noise", "value"].isna().any():
        display(book.say("Noise: not assessable, too few participants with repeated visits."))
        return
    falls = " / ".join(ref("rtm", "fall", group=f"above-{s}") for s in (10, 25, 50))
    display(
        book.say(
            f"Between later visits MELD(i) of one participant varies with a standard deviation of "
            f"{ref('noise', 'sd')} points, so a change below {ref('noise', 'smallest')} points "
            f"cannot be told from noise. Of {ref('noise', 'total_count')} participants with both "
            f"values at month {LAST}, {ref('noise', 'better_count')} fell and "
            f"{ref('noise', 'worse_count')} rose by more."
        )
    )
    display(
        book.say(
            "Regression to the mean gives a fall with no treatment where patients entered because "
            "their score was high. With the standard deviation at baseline "
            f"({ref('rtm', 'sd')} points) and the correlation with later visits "
            f"({ref('rtm', 'rho')}) seen here, entry above the lowest tenth, quarter or half of "
            f"all patients would give mean falls of {falls} points."
        )
    )


def show_disagreements(book: Chapter, scores: pd.DataFrame, why: str) -> None:
    """Show whose scores moved in different directions."""
    if why:
        display(book.say(f"Agreement of the scores: not assessable, {why}."))
        return
    found = meld_change.list_disagreements(scores)
    if found.empty:
        display(book.say(f"At month {LAST} all scores of every participant moved the same way."))
        return
    book.record(meld_change.summarise_disagreements(found))
    codes = [c for c in NAMES if c in found]
    people = range(1, len(found) + 1)
    shown = pd.DataFrame(
        {NAMES[c]: [ref("disagree", "change", c, group=f"{i}") for i in people] for c in codes}
    )
    shown.insert(0, "Participant", [str(i) for i in people])
    display(
        book.table(
            shown,
            name="tab-disagree",
            caption=f"Participants whose scores moved in different directions by month {LAST}: "
            "change of each score. Scores differ because each weighs other components: sodium, "
            "albumin and sex stand in some only. Participants are numbered within this table.",
        )
    )


def show_compatible(book: Chapter) -> None:
    """Show which changes of the components are compatible with a lower MELD(i)."""
    book.figure(
        figures_meld.plot_compatible(),
        name="fig-compatible",
        caption="Which changes of bilirubin and INR leave MELD(i) lower, for a creatinine that "
        "fell by a tenth, stayed or rose by a tenth. From the formula alone, above the floors; no "
        "data.",
        alt="Three falling lines of no change of MELD(i), for creatinine lower by 10%, unchanged "
        "and higher by 10%; below a line MELD(i) is lower.",
        label=False,
    )
