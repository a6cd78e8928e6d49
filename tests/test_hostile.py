"""Text of a data set is text on every page and on paper: nothing runs, is read or reaches out."""

import csv
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import ROOT, build_book
from tests.hostile import PAYLOADS, SECRET, SHOWN, make_hostile
from tests.test_pdf import make_pdf, read_words, squeeze

IDLE = "new Promise(resolve => requestIdleCallback(resolve))"
EVALUATED = ("42001", str(7777 * 7777), SECRET)
"""What a page would show if a payload had run or read a file."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hostile(tmp_path_factory.mktemp("hostile") / "<b>{{ 7777*7777 }}$x$ = data")


@pytest.fixture(scope="module")
def book(data: Path) -> Path:
    out = ROOT / "_build" / "tests" / "hostile"
    build_book(data, out)
    return out / "_build" / "html"


@pytest.fixture(scope="module")
def address(book: Path) -> Iterator[str]:
    # A browser asks for an icon on its own.
    (book / "favicon.ico").touch()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(book)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[tuple[Page, list[str]]]:
    """Return a browser page, and whatever happens on it that should not."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    seen: list[str] = []
    page.on("dialog", lambda d: (seen.append(f"dialog {d.message}"), d.dismiss()))
    page.on(
        "request", lambda r: None if r.url.startswith((address, "data:")) else seen.append(r.url)
    )
    page.on("console", lambda m: seen.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: seen.append(str(e)))
    page.on("response", lambda r: seen.append(r.url) if r.status >= 400 else None)
    yield page, seen
    page.close()


def read_page(page: Page, url: str) -> str:
    """Return every text of a page, also what is folded away, once all scripts have run."""
    page.goto(url)
    page.wait_for_load_state("load")
    page.evaluate(IDLE)
    return " ".join(str(page.evaluate("document.body.textContent")).split())


def test_no_page_runs_reads_or_asks_for_anything(
    watched: tuple[Page, list[str]], address: str, book: Path
) -> None:
    page, seen = watched
    files = (p.relative_to(book).as_posix() for p in book.rglob("*.html"))
    pages = [name for name in files if not name.startswith("_static/")]
    assert len(pages) > 15
    for name in pages:
        text = read_page(page, f"{address}/{name}")
        assert [e for e in EVALUATED if e in text] == [], name
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{name} scrolls sideways on a phone by {wider} px"
    for word in ("script", "title", "heading"):
        found = read_page(page, f"{address}/search.html?q={word}")
        assert [e for e in EVALUATED if e in found] == []
    page.wait_for_load_state("networkidle")
    assert seen == []


def test_every_payload_is_seen_as_it_stands(watched: tuple[Page, list[str]], address: str) -> None:
    page, _ = watched
    texts = {
        name: read_page(page, f"{address}/{name}.html")
        for name in ("index", "chapters/safety", "chapters/discussion", "chapters/cohort-flow")
    }
    for shown in SHOWN:
        assert shown in texts["chapters/safety"], "AEDECOD or AEBODSYS"
    for payload in PAYLOADS:
        # Lines of study.yml may be folded.
        shown = SHOWN[PAYLOADS.index(payload)].replace("[U+000A]", " ")
        assert shown in texts["index"], "study.yml"
        assert shown in texts["chapters/discussion"], "an assumption of study.yml"
    for shown in SHOWN[:26]:
        assert shown in texts["chapters/cohort-flow"], "DIAG"
    for shown in SHOWN[26:]:
        assert texts["chapters/safety"].count(shown) > 2, "EXDOSU"


def test_the_paper_shows_the_same_and_read_no_file(data: Path, tmp_path: Path) -> None:
    words = read_words(make_pdf(data, tmp_path))
    assert [e for e in EVALUATED if e in words] == []
    for shown in SHOWN:
        # The last two: letters that the fonts lack have their codes, and hyphens may break.
        if all(ord(c) < 0x250 for c in shown):
            assert squeeze(shown).replace("-", "") in words.replace("-", ""), shown
    assert "[U+809D]" in words
    assert not list(ROOT.rglob("evil.txt"))
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_spreadsheet_gets_no_formula_and_parquet_the_text(book: Path) -> None:
    exact = pd.read_parquet(book / "results/ard.parquet")
    with (book / "results/ard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(PAYLOADS) <= set(exact["resultGroup"])
    cells = [value for row in rows for value in row.values()]
    formulas = [v for v in cells if v.startswith(("=", "+", "@", "\t", "-1+"))]
    assert formulas == []
    assert "'=1+1" in cells
