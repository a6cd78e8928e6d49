"""The built pages as those have them who do not see, or not well."""

from playwright.sync_api import Browser

from tests.web import ALL_LOOKS, LOOKS, find_violations


def test_axe_finds_nothing(browser: Browser, address: str, kinds: list[str]) -> None:
    page, found = browser.new_page(viewport={"width": 1280, "height": 900}), {}
    for name in [*kinds, "search.html?q=albumin"]:
        page.goto(f"{address}/{name}")
        found[name] = find_violations(page, ALL_LOOKS if name == "index.html" else LOOKS)
    page.close()
    assert {name: violations for name, violations in found.items() if violations} == {}
