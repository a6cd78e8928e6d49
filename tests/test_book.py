"""The built pages, in a real browser and as text."""

import html
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from playwright.sync_api import Browser

from msct_helpers import load_trial
from msct_helpers.abstract import published
from tests.conftest import DATASETS, ROOT, build_book, swap
from tests.web import OPEN

CHAPTERS = tuple(sorted(p.stem for p in (ROOT / "chapters").glob("*.md")))
NO_DATA = (
    published.LABEL,
    "Estimands (ICH E9(R1))",
    "Items of",
    "How a verdict is reached",
    "Checks of robustness",
    "What other studies",
    "What reports of trials tell besides",
)
"""What captions say of tables that show no participants, which need no label of the data."""
PAGES = ("index", *(f"chapters/{c}" for c in CHAPTERS))


def find_basis(name: str) -> str:
    """Return what a page says itself that it rests on, or nothing."""
    text = (ROOT / f"{name}.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else {}
    return str(head.get("basis", ""))


def read_text(page: Path, *, code: bool = True) -> str:
    """Return the words of a page's article, tags removed, with the code of its cells or without."""
    article = re.search(r"<article.*?</article>", page.read_text(), re.S)
    assert article, page
    shown = article.group()
    if not code:
        shown = re.sub(r'<div class="highlight-python.*?</pre>', "", shown, flags=re.S)
    numbers = re.sub(r'<a class="msct-number"[^>]*>(.*?)</a>', r"\1", shown, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", numbers)).split())


@pytest.mark.parametrize("dataset", DATASETS)
def test_results_say_what_their_chapter_rests_on(books: dict[str, Path], dataset: str) -> None:
    label = load_trial(ROOT / "data" / dataset).study.label
    pages = list((books[dataset] / "results").glob("*.html"))
    own = [find_basis(f"chapters/{page.stem}") for page in pages]
    assert any(own)
    assert not all(own)
    for page, basis in zip(pages, own, strict=True):
        (said,) = re.findall(r'<p class="msct-label[^>]*>(.*?)</p>', page.read_text())
        assert html.unescape(said) == (basis or label), page.stem


@pytest.mark.parametrize("dataset", DATASETS)
def test_pages_stand_alone_in_a_browser(
    books: dict[str, Path], browser: Browser, dataset: str
) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    label = load_trial(ROOT / "data" / dataset).study.label
    for name in PAGES:
        page.goto((books[dataset] / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{name} scrolls sideways on a phone by {wider} px"
        assert page.locator(".msct-label").inner_text() == (find_basis(name) or label)
        assert page.locator(".msct-label").is_visible()
        # Pictures are loaded when they are near.
        near = "i => (i.loading = 'eager', i.decode())"
        page.evaluate(f"Promise.allSettled([...document.images].map({near}))")
        broken = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
        assert page.evaluate(broken) == []
    page.wait_for_load_state("networkidle")
    page.close()
    assert [u for u in asked if not u.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []


WIDTHS = (1024, 1280, 1366, 1440)

CLIPPED = """[...document.querySelectorAll('article table')].filter(table => {
  const around = table.closest('.pst-scrollable-table-container') || table.parentElement;
  return around.scrollWidth > around.clientWidth + 1;
}).map(table => table.id)"""


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_table_is_clipped_on_a_desktop(
    books: dict[str, Path], browser: Browser, dataset: str
) -> None:
    page = browser.new_page()
    for name in PAGES:
        page.goto((books[dataset] / f"{name}.html").as_uri())
        page.evaluate(OPEN)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(CLIPPED) == [], f"{name} at {width} px"
    page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280])
def test_menu_and_contents_open(books: dict[str, Path], browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((books["msct_synthetic"] / "chapters/meld.html").as_uri())
    for side in ("primary", "secondary"):
        bar, button = page.locator(f".bd-sidebar-{side}"), page.locator(f".{side}-toggle:visible")
        if not button.count():
            # Where there is room for it, it stands open.
            assert bar.is_visible()
            continue
        shown = bar.is_visible()
        button.first.click()
        bar.wait_for(state="hidden" if shown else "visible", timeout=3000)
        page.keyboard.press("Escape")
    page.close()


@pytest.mark.parametrize("dataset", DATASETS)
def test_figures_and_tables_are_labelled_and_described(
    books: dict[str, Path], dataset: str
) -> None:
    study = load_trial(ROOT / "data" / dataset).study
    mark = "Synthetic data" if study.origin == "synthetic" else study.short_title
    figures = 0
    for name in PAGES:
        source = (books[dataset] / f"{name}.html").read_text()
        for figure in re.findall(r"<figure.*?</figure>", source, re.S):
            figures += 1
            image = re.search(r'<img[^>]*alt="([^"]{40,})"[^>]*src="([^"]+\.svg)"', figure)
            assert image, f"{name}: a figure without alt text, or not a vector"
            own = find_basis(name) or "no data" in figure
            assert mark in html.unescape(image.group(1)) or own, name
            drawing = (books[dataset] / "chapters" / image.group(2)).read_text()
            assert study.label in html.unescape(drawing) or own, name
            assert re.search(r"\d", image.group(1)), f"{name}: alt text without numbers"
        if name.endswith(("dictionary", "rebuild")):
            continue
        for caption in re.findall(r"<caption>.*?</caption>", source, re.S):
            words = html.unescape(re.sub(r"<[^>]+>", "", caption))
            own = find_basis(name) or any(head in words for head in NO_DATA)
            assert f"{mark}." in words or own, (name, words)
    assert figures >= 5


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_page_shows_a_gap(books: dict[str, Path], dataset: str) -> None:
    for name in PAGES:
        text = read_text(books[dataset] / f"{name}.html", code=False)
        gap = re.search(r"\b(nan|NaN)\b|\bNone\b(?! of)|<NA>|object at 0x|\{[\w.]+\}", text)
        assert not gap, f"{name}: {gap}"


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_published_file_names_a_participant(books: dict[str, Path], dataset: str) -> None:
    people = set(load_trial(ROOT / "data" / dataset).adsl["USUBJID"])
    prefix = next(iter(people)).partition("-")[0]
    read = 0
    for path in books[dataset].rglob("*"):
        if path.suffix in (".html", ".svg", ".csv", ".json"):
            read += 1
            named = set(re.findall(rf"{prefix}-\d+", path.read_text(encoding="utf-8")))
            assert not named & people, path.name
    assert read > 50


@pytest.mark.parametrize("dataset", DATASETS)
def test_record_holds_what_the_pages_say(books: dict[str, Path], dataset: str) -> None:
    record = pd.read_csv(books[dataset] / "results/ard.csv", dtype=str, keep_default_na=False)
    places = record.assign(place=record["shownIn"].str.split()).explode("place")
    prose = places[places["place"].str.startswith("prose", na=False)]
    assert len(prose) > 20
    other = prose["place"].str.partition(":")[2]
    for chapter, rows in prose.groupby(other.where(other != "", prose["chapter"])):
        text = read_text(books[dataset] / f"chapters/{chapter}.html")
        missing = [t for t in rows["formattedValue"] if t.lstrip("−") not in text]
        assert not missing, f"{chapter}: {missing}"
    numbers = record[record["formattedValue"].str.match(r"[−\d]")]
    shown = numbers["formattedValue"].str.replace("−", "-").astype(float)
    places = numbers["formattedValue"].str.extract(r"\.(\d+)$")[0].fillna("").str.len()
    assert ((shown - numbers["rawValue"].astype(float)).abs() <= 0.51 * 10.0**-places).all()


def test_mayo_book_says_what_it_cannot_assess(books: dict[str, Path]) -> None:
    meld = read_text(books["mayo_pbc"] / "chapters/meld.html")
    assert "MELD(i): not assessable, INR and creatinine not recorded." in meld
    efficacy = read_text(books["mayo_pbc"] / "chapters/efficacy-endpoints.html")
    assert "ALT: not assessable, not recorded." in efficacy
    for row in ("12 −0.06 75 1.09 (0.02 to 2.15)", "24 −0.137 55 −0.209 (−0.367 to −0.052)"):
        assert row in efficacy
    front = read_text(books["mayo_pbc"] / "index.html")
    assert "Of 109 participants enrolled, the first event within two years was death in 26" in front
    assert "None of them received mesenchymal stem cells" in front


def test_changes_reach_the_page_and_nothing_runs_twice(small: Path, tmp_path: Path) -> None:
    project = shutil.copytree(small, tmp_path / "project")
    page = tmp_path / "_build/html/chapters/safety.html"

    def build() -> tuple[str, str]:
        printed = build_book("msct_synthetic", tmp_path, root=project)
        return printed, read_text(page)

    assert "2% to 30%" in read_text(small.parent / "fresh/_build/html/chapters/safety.html")
    swap(project / "msct_helpers/trial/plan.py", "level: float = 0.95", "level: float = 0.90")
    printed, text = build()
    assert "executing 1 chapter" in printed
    assert "2% to 30%" not in text
    printed, text = build()
    assert "executing" not in printed
    data = project / "data/msct_synthetic/adsl.csv"
    lost = data.read_text()
    assert "LOST TO FOLLOW-UP" in lost
    data.write_text(lost.replace("LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT"))
    printed, text = build()
    assert "lost to follow-up were 0 of 26" in text
