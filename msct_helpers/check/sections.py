"""Passages of the chapter on reporting standards."""

from IPython.display import display

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.chapter import Chapter
from msct_helpers.check import standards
from msct_helpers.trial.load import load_standards

TITLES = {
    "index": "Front page",
    "chapters/cohort-flow": "Cohort flow",
    "chapters/efficacy-endpoints": "Efficacy endpoints",
    "chapters/meld": "MELD score",
    "chapters/safety": "Safety",
    "chapters/statements": "Published statements",
    "chapters/discussion": "Discussion",
    "chapters/data-dictionary": "Data dictionary",
    "chapters/how-to-rebuild": "How to rebuild",
}
"""Titles of the pages that items link to."""


def show_counts(book: Chapter) -> None:
    """Show how many items are reported, and how many cannot be."""
    listed = load_standards()
    items = [item["status"] for standard in listed for item in standard["items"]]
    counts: dict[str, float] = {"all_count": len(items), "standards_count": len(listed)}
    counts |= {f"{s.replace(' ', '-')}_count": items.count(s) for s in standards.STATUSES}
    book.record(make_record(make_rows("items", counts, method="count", function="show_counts")))
    whole, part, silent, never = (
        ref("items", f"{s.replace(' ', '-')}_count") for s in standards.STATUSES
    )
    display(
        book.say(
            f"Of {ref('items', 'all_count')} items of {ref('items', 'standards_count')} standards "
            f"of reporting and method, {whole} are reported, {part} partly, {silent} are not "
            f"reported in the source and {never} do not apply to a single arm."
        )
    )
    display(
        book.table(
            standards.count_statuses(listed),
            name="tab-standards",
            caption="Items of each standard by status.",
            label=False,
        )
    )


def show_standard(book: Chapter, key: str) -> None:
    """Show one standard: what it is for, and its items."""
    standard = next(s for s in load_standards() if s["key"] == key)
    source = " ".join(standard["source"].split())
    display(book.say(f"{' '.join(standard['about'].split())} Source: {source.rstrip('.')}."))
    display(
        book.table(
            standards.table_standard(standard["items"], TITLES),
            name=f"tab-{key}",
            caption=f"Items of {standard['name']}.",
            label=False,
        )
    )
