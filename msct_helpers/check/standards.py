"""Reporting standards: each item in short words, whether it is reported, and where."""

from typing import Any

import pandas as pd

from msct_helpers.ard.results import make_record, make_rows, ref
from msct_helpers.book.words import upper_first

STATUSES = ("reported", "partly", "not reported in the source", "not applicable")
OPTIONAL = ("reason", "link")

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

REQUIRED: dict[str, tuple[str, ...]] = {
    "trend": tuple(map(str, range(1, 23))),
    "consort-2025": tuple(map(str, range(1, 31))),
    "consort-abstracts": tuple(map(str, range(1, 18))),
    "consort-harms": tuple(map(str, range(1, 11))),
    "ich-e3": (
        *("9", "10.1", "10.2", "11.1", "11.2", "11.4"),
        *("12.1", "12.2", "12.3", "12.4", "13", "14", "16.2"),
    ),
    "ich-e9-r1": tuple(map(str, range(1, 9))),
    "robins-i": tuple(map(str, range(1, 8))),
}
"""Items that each standard has."""


def check_standards(standards: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the table of standards, a line each: missing items, no reason.

    Parameters
    ----------
    standards
        As read by `msct_helpers.trial.load.load_standards`.
    """
    problems = []
    by_key = {s["key"]: s["items"] for s in standards}
    for key, wanted in REQUIRED.items():
        found = [item["id"] for item in by_key.get(key, [])]
        problems += [f"{key} {i}: missing" for i in wanted if i not in found]
        problems += [f"{key} {i}: not an item of it" for i in found if i not in wanted]
        problems += [f"{key} {i}: listed twice" for i in sorted(set(found)) if found.count(i) > 1]
    for key, items in by_key.items():
        for item in items:
            where, status = f"{key} {item['id']}", item["status"]
            if status not in STATUSES:
                problems.append(f"{where}: status {status!r}; expected {', '.join(STATUSES)}")
            if status != "reported" and not item.get("reason"):
                problems.append(f"{where}: {status}, without a reason")
            if status in ("reported", "partly") and not item.get("link"):
                problems.append(f"{where}: {status}, without a link")
    return problems


def table_standard(standard: dict[str, Any]) -> pd.DataFrame:
    """Return the items of one standard: what is asked, status with reason, and link."""
    items = pd.DataFrame(standard["items"]).reindex(columns=["id", "item", "status", *OPTIONAL])
    items = items.fillna("")
    reason = items["reason"].where(items["reason"] == "", ": " + items["reason"])
    return pd.DataFrame(
        {
            "Item": items["id"],
            "What is asked": items["item"],
            "In this book": "**" + items["status"] + "**" + reason,
            "Where": items["link"].map(write_link),
        }
    )


def write_link(target: str) -> str:
    """Return a link to a page, as ``chapters/safety``, or to a place on it, after ``#``."""
    if not target:
        return ""
    page, _, anchor = target.partition("#")
    file = f"{page.removeprefix('chapters/')}.md" if "/" in page else f"../{page}.md"
    if not anchor:
        return f"[{TITLES[page]}]({file})"
    return f"[{TITLES[page]}: {anchor.replace('-', ' ')}]({file}#{anchor})"


def count_statuses(standards: list[dict[str, Any]]) -> pd.DataFrame:
    """Return how many items of each standard have each status."""
    rows = []
    for standard in standards:
        statuses = [item["status"] for item in standard["items"]]
        counts = [str(statuses.count(status)) for status in STATUSES]
        rows.append((standard["name"], str(len(statuses)), *counts))
    return pd.DataFrame(rows, columns=["Standard", "Items", *map(upper_first, STATUSES)])


def summarise_items(standards: list[dict[str, Any]]) -> pd.DataFrame:
    """Return how many items of all standards have each status."""
    items = [item["status"] for standard in standards for item in standard["items"]]
    counts: dict[str, float] = {"all_count": len(items), "standards_count": len(standards)}
    counts |= {f"{s.replace(' ', '-')}_count": items.count(s) for s in STATUSES}
    return make_record(make_rows("items", counts, method="count", function="summarise_items"))


def say_items() -> str:
    """Return how many items are reported, and how many cannot be."""
    whole, part, silent, never = (
        ref("items", f"{status.replace(' ', '-')}_count") for status in STATUSES
    )
    return (
        f"Of {ref('items', 'all_count')} items of {ref('items', 'standards_count')} standards of "
        f"reporting and method, {whole} are reported, {part} partly, {silent} are not reported in "
        f"the source and {never} do not apply to a single arm."
    )


def say_source(standard: dict[str, Any]) -> str:
    """Return what a standard is for, and where it is from."""
    about, source = (" ".join(standard[key].split()) for key in ("about", "source"))
    return f"{about} Source: {source.rstrip('.')}."
