"""The built pages as a reader's browser has them: light, accessible, closed, usable anywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.pages import serve, weigh
from msct_helpers.sphinx import web
from tests.conftest import ROOT
from tests.web import AXE, RUN_AXE, TABLES, TRIM

FIRST, NEXT, REQUESTS = 110, 36, 18
"""Most kilobytes of a first visit and of the next page, compressed, and requests."""


@pytest.fixture(scope="module")
def html(books: dict[str, Path]) -> Path:
    return books["msct_synthetic"]


@pytest.fixture(scope="module")
def names(html: Path) -> list[str]:
    """Return every page of the book."""
    found = sorted(path.relative_to(html).as_posix() for path in html.rglob("*.html"))
    assert len(found) > 25
    return found


@pytest.fixture(scope="module")
def address(html: Path) -> Iterator[str]:
    with serve(html) as address:
        yield address


def test_every_page_is_light(browser: Browser, address: str, names: list[str]) -> None:
    for name in names:
        seen = weigh(browser, address, name)
        assert seen["kb"] <= FIRST, f"{name}: {seen}"
        assert seen["next"] <= NEXT, f"{name}: {seen}"
        assert seen["requests"] <= REQUESTS, f"{name}: {seen}"
        assert (seen["other"], seen["errors"]) == (0, 0), f"{name}: {seen}"


def find_violations(page: Page) -> list[object]:
    """Return what axe finds at three widths, light and dark."""
    page.evaluate(AXE)
    page.evaluate(TRIM)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (1280, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            # The theme looks again at what scrolls a third of a second after a change of size.
            page.wait_for_timeout(400)
            found += [(scheme, width, *violation) for violation in page.evaluate(RUN_AXE)]
    return found


def test_axe_finds_nothing(browser: Browser, address: str, names: list[str]) -> None:
    page, found = browser.new_page(), {}
    for name in [*names, "search.html?q=albumin"]:
        page.goto(f"{address}/{name}")
        found[name] = find_violations(page)
    page.close()
    assert {name: violations for name, violations in found.items() if violations} == {}
