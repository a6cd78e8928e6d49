"""The built pages as a reader's browser has them: light, accessible, closed, usable anywhere."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from benchmarks.pages import weigh
from msct_helpers.check.cli import write_certificate
from msct_helpers.sphinx.web import POLICY, Used, purge
from msct_helpers.trial.paths import digest_data
from tests.conftest import ROOT
from tests.web import ALL_LOOKS, OPEN, TABLES, find_violations

FIRST, NEXT, REQUESTS = 110, 36, 18
"""Most kilobytes of a first visit and of the next page, compressed, and requests."""


def test_every_page_is_light(browser: Browser, address: str, kinds: list[str]) -> None:
    for name, seen in weigh(browser, address, kinds):
        assert seen["kb"] <= FIRST, f"{name}: {seen}"
        assert seen["next"] <= NEXT, f"{name}: {seen}"
        assert seen["requests"] <= REQUESTS, f"{name}: {seen}"
        assert (seen["other"], seen["errors"]) == (0, 0), f"{name}: {seen}"


def test_a_certificate_is_accessible_and_closed(browser: Browser, tmp_path: Path) -> None:
    told = {"name": "Data", "looked_at": "2 files", "problems": ["adsl.csv: changed"]}
    write_certificate(
        {
            "dataset": "<i>mine</i>",
            "label": "Synthetic data",
            "checks": [told, told | {"name": "Book", "problems": [], "agrees": True}],
            "tolerances": [{"statistics": "p", "relative": 1, "absolute": 0, "why": "so"}],
            "machine": {"system": "Linux"},
            "versions": {"numpy": "2"},
        },
        tmp_path,
    )
    page, errors = browser.new_page(), []
    page.on("console", lambda m: errors.append(m.text))
    page.goto((tmp_path / "certificate.html").as_uri())
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "736px"
    assert find_violations(page, ALL_LOOKS) == []
    assert errors == []
    page.evaluate("document.body.append(Object.assign(document.createElement('style')))")
    assert any("Content Security Policy" in error for error in errors)
    page.close()


def test_a_page_runs_nothing_but_its_own_files(
    browser: Browser, address: str, html: Path, names: list[str]
) -> None:
    page, errors = browser.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{address}/chapters/safety.html")
    page.evaluate(
        """() => {
          document.body.insertAdjacentHTML('beforeend', '<img src="x.svg" onerror="ran = 1">');
          const script = document.createElement('script');
          script.textContent = 'ran = 2';
          document.body.append(script);
        }"""
    )
    page.wait_for_load_state("networkidle")
    assert page.evaluate("typeof ran") == "undefined"
    assert len([error for error in errors if "Content Security Policy" in error]) == 2
    page.close()
    for name in names:
        text = (html / name).read_text(encoding="utf-8")
        assert f'content="{POLICY}"' in unescape(text), name
        assert " style=" not in text, name


def test_pages_are_read_without_a_script(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/chapters/efficacy-endpoints.html")
        assert page.locator("article h1").is_visible()
        assert page.locator("article figure img").first.is_visible()
        assert page.locator("nav.bd-docs-nav a", has_text="Safety").is_visible()
        assert page.locator("article details pre").first.is_hidden()
        page.locator("article details summary").first.click()
        assert page.locator("article details pre").first.is_visible()
        methods = page.locator("#how-it-was-done")
        assert methods.locator("h2").is_visible()
        assert methods.locator("p").last.is_hidden()
        methods.locator("summary").first.click()
        assert methods.locator("p").last.is_visible()
        assert page.locator(".theme-switch-button").is_hidden()
        page.goto(f"{address}/search.html")
        assert page.get_by_text("needs JavaScript").is_visible()


def test_keys_lead_to_the_text_and_focus_is_seen(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/chapters/meld.html")
    page.keyboard.press("Tab")
    link = page.locator("#pst-skip-link a")
    assert link.evaluate("link => link === document.activeElement")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    unseen = page.evaluate(
        """async () => {
          const able = [...document.querySelectorAll('a[href], button, input, summary, [tabindex]')]
            .filter(node => node.tabIndex >= 0
              && node.checkVisibility({visibilityProperty: true}));
          const unseen = [];
          for (const node of able) {
            node.focus({focusVisible: true});
            const style = getComputedStyle(node);
            const drawn = style.outlineStyle !== 'none' && style.outlineWidth !== '0px';
            if (!drawn && style.boxShadow === 'none') unseen.push(node.outerHTML.slice(0, 80));
          }
          return unseen;
        }"""
    )
    assert unseen == []
    page.close()


def test_few_tables_scroll_on_a_phone_and_none_is_cut(
    browser: Browser, address: str, names: list[str]
) -> None:
    page, all_of, scroll, cut = browser.new_page(), 0, [], []
    for name in names:
        if name.startswith("results/"):
            continue
        page.goto(f"{address}/{name}")
        page.evaluate(OPEN)
        for media, width in (("screen", 390), ("print", 680)):
            page.emulate_media(media=media)  # type: ignore[arg-type]
            page.set_viewport_size({"width": width, "height": 900})
            seen = page.evaluate(TABLES)
            cut += seen["cut"]
            if media == "screen":
                all_of += seen["all"]
                scroll += seen["scroll"]
    page.close()
    assert cut == []
    assert len(scroll) <= all_of / 4, scroll


def test_rows_and_columns_have_heads(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/chapters/safety.html")
    heads = "[...document.querySelectorAll('article thead th')].map(head => head.scope)"
    assert set(page.evaluate(heads)) == {"col"}
    names = "[...document.querySelectorAll('#tab-risks tbody th[scope=row]')].map(n => n.innerText)"
    assert "Died" in page.evaluate(names)
    unnamed = """[...document.querySelectorAll('article tbody tr')].filter(
      row => !row.querySelector('th[scope=row]')?.textContent.trim()
    ).map(row => row.innerText)"""
    for name in ("safety", "efficacy-endpoints", "meld", "cohort-flow", "worlds"):
        page.goto(f"{address}/chapters/{name}.html")
        assert page.evaluate(unnamed) == []
    page.close()


@pytest.mark.parametrize("offline", [False, True])
def test_search_finds_pages_and_results_and_quotes_no_code(
    browser: Browser, address: str, html: Path, offline: bool
) -> None:
    page, errors = browser.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    start = html.as_uri() if offline else address
    page.goto(f"{start}/search.html?q={quote('summarise transplant')}")
    page.wait_for_load_state("networkidle")
    page.locator("#search-results li").first.wait_for()
    page.goto(f"{start}/search.html?q=transplant")
    page.locator("#search-results li").first.wait_for()
    page.wait_for_load_state("networkidle")
    shown = page.locator("#search-results").inner_text()
    assert "Safety" in shown
    assert "Results: " in shown
    assert "book.record" not in shown
    assert page.locator("#search-offline").is_visible() == offline
    assert errors == []
    page.close()


def test_a_number_leads_to_its_row_and_the_row_back(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/chapters/safety.html")
    page.locator('article a.msct-number[href$="#risk.death.count"]').first.click()
    row = page.locator("tr:target")
    assert row.get_attribute("id") == "risk.death.count"
    row.get_by_role("link", name="tab-risks").click()
    assert page.url.endswith("chapters/safety.html#tab-risks")
    page.close()


def test_a_chapter_ends_with_its_files(html: Path) -> None:
    for name in ("safety", "how-to-rebuild"):
        text = (html / f"chapters/{name}.html").read_text(encoding="utf-8")
        box = text.partition('<section class="msct-files"')[2].partition("</section>")[0]
        targets = re.findall(r'href="\.\./([^"]+)"', box)
        assert {f"sources/{name}.ipynb", f"sources/{name}.md", "CITATION.cff"} <= set(targets)
        assert all((html / target).is_file() for target in targets)
        assert ("results/safety.html" in targets) == (name == "safety")
        assert digest_data(ROOT / "data/msct_synthetic") in box


def test_purging_keeps_what_is_used() -> None:
    page = '<p class="a b" id="c"><a href="x">y</a></p>'
    css = """
    .a.b, .no { color: red }
    #c > a:hover:not(.no) { --unread: 1; --read: url("data:a;b,{}"); color: var(--read) }
    .a .no, table { color: blue }
    @media print { .b { margin: 0 } .no { margin: 1px } }
    @media screen { .no { margin: 0 } }
    .scripted { top: 0 }
    """
    kept = purge(css, Used([page], "add('scripted')"))
    assert "".join(kept.split()) == (
        '.a.b{color:red}#c>a:hover:not(.no){--read:url("data:a;b,{}");color:var(--read)}'
        "@mediaprint{.b{margin:0}}.scripted{top:0}"
    )
