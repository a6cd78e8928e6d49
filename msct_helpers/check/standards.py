"""Reporting standards: each item in short words, whether it is reported, and where."""

from typing import Any

import pandas as pd

STATUSES = ("reported", "partly", "not reported in the source", "not applicable")

REQUIRED: dict[str, tuple[str, ...]] = {
    "trend": tuple(map(str, range(1, 23))),
    "consort-2025": tuple(map(str, range(1, 31))),
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


def table_standard(items: list[dict[str, Any]], titles: dict[str, str]) -> pd.DataFrame:
    """Return the items of one standard: what is asked, status with reason, and link.

    Parameters
    ----------
    items
        Items of the standard.
    titles
        Title by page, as ``chapters/safety``.
    """
    rows = []
    for item in items:
        page, _, anchor = (item.get("link") or "").partition("#")
        link = ""
        if page:
            file = f"../{page}.md" if "/" not in page else f"{page.partition('/')[2]}.md"
            words = anchor.replace("-", " ") if anchor else ""
            words = f"{titles[page]}: {words}" if words else titles[page]
            link = f"[{words}]({file}#{anchor})" if anchor else f"[{words}]({file})"
        reason = f": {item['reason']}" if item.get("reason") else ""
        rows.append((item["id"], item["item"], f"**{item['status']}**{reason}", link))
    return pd.DataFrame(rows, columns=["Item", "What is asked", "In this book", "Where"])


def count_statuses(standards: list[dict[str, Any]]) -> pd.DataFrame:
    """Return how many items of each standard have each status."""
    rows = []
    for standard in standards:
        statuses = [item["status"] for item in standard["items"]]
        counts = [str(statuses.count(status)) for status in STATUSES]
        rows.append((standard["name"], str(len(statuses)), *counts))
    heads = ["Standard", "Items", *(s[:1].upper() + s[1:] for s in STATUSES)]
    return pd.DataFrame(rows, columns=heads)
