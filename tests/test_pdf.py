"""The PDF book: the same numbers as the pages, labelled, complete and reproducible."""

import os
import re
import shutil
import subprocess
import sys
from bisect import bisect_left
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

from msct_helpers import load_trial
from msct_helpers.sphinx.document import INSIDE
from msct_helpers.sphinx.paper import ON_SCREEN
from tests.conftest import DATASETS, EPOCH, ROOT

CAPTION = (
    r'caption-number">(Fig\.|Table) ([\d.]+) ?</span>'
    r'<span class="caption-text">([^<]{12,40})'
)
FOLDED = re.compile(
    r'<details class="(msct-fold[^"]*)"[^>]*>((?:(?!<details class="msct-fold).)*?)</details>', re.S
)
CODE = re.compile(r'<details class="[^"]*hide.*?</details>', re.S)
NUMBER = re.compile(r'class="msct-number" href="[^"#]*#([^"]+)"')
BODY = ("-x", "0", "-y", "57", "-W", "596", "-H", "735")
"""What `pdftotext` reads of an A4 page: all between its header and its number, in points."""

BLOCKS = ("p", "li", "ul", "ol", "td", "th", "tr", "caption", "figcaption", "h1", "h2", "h3", "div")
SKIPPED = ("details", "script", "pre", "math", "svg")
SKIPPED_CLASSES = ("headerlink", "msct-label", "msct-rows", "msct-files", "math", "caption-number")
VOID = ("img", "br", "wbr", "hr", "input", "meta", "link")


class Blocks(HTMLParser):
    """Texts of an article, each paragraph, item, cell, caption and heading by itself.

    What is closed, what says where files are, and formulas are no part of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = [""]
        self.inside = self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        self.inside += tag == "article"
        skipped = tag in SKIPPED or any(name in classes for name in SKIPPED_CLASSES)
        self.depth += tag not in VOID and bool(skipped or self.depth)
        if tag in BLOCKS or skipped:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag == "article"
        self.depth -= tag not in VOID and self.depth > 0
        if tag in BLOCKS or not self.depth:
            self.texts += [""] if tag in (*BLOCKS, *SKIPPED) else []

    def handle_data(self, data: str) -> None:
        if self.inside and not self.depth:
            self.texts[-1] += data


def drop_listings(text: str) -> str:
    """Return a page without its folded listings; folded sentences stand open, as on paper."""

    def drop(fold: re.Match[str]) -> str:
        listing = "msct-paper" not in fold[1] and re.search("<(table|figure|ul)", fold[2])
        # On paper the heading is enough.
        return "" if listing else fold[2].replace(INSIDE, "", 1)

    text = CODE.sub("", text)
    # A fold may hold others.
    while FOLDED.search(text):
        text = FOLDED.sub(drop, text)
    return text


def read_folds(text: str) -> str:
    """Return what is folded on a page."""
    return "".join(fold for _, fold in FOLDED.findall(CODE.sub("", text)))


def read_blocks(page: Path) -> list[str]:
    """Return the blocks of a page, without the numbers of chapters and sections."""
    parser = Blocks()
    parser.feed(drop_listings(page.read_text(encoding="utf-8")))
    texts = (re.sub(r"^\s*\d+\.(\d+\.)? ", "", text) for text in parser.texts)
    return [text for text in texts if text.strip()]


def list_pages(book: Path) -> list[Path]:
    """Return the pages of a book that the PDF shows too."""
    chapters = sorted((book / "chapters").glob("*.html"))
    return [
        book / "index.html",
        *(page for page in chapters if f"chapters/{page.stem}" not in ON_SCREEN),
    ]


def strip(text: str) -> str:
    """Return a text without spaces and hyphens, which line ends add and take."""
    return squeeze(text).replace("-", "").replace("\u200b", "")


def is_in(text: str, words: str) -> bool:
    """Return whether words hold a text; a page may end within it."""
    if text in words:
        return True
    ends = range(len(text))
    found = bisect_left(ends, True, key=lambda i: text[: i + 1] not in words)
    return found > 0 and text[found:] in words


def make_pdf(dataset: str | Path, out: Path) -> Path:
    """Build the PDF of a data set, by name or folder, as `make pdf` does, into another folder."""
    if shutil.which("xelatex") is None:
        if os.environ.get("CI"):
            pytest.fail("xelatex is missing; expected it to be installed where CI runs")
        pytest.skip("xelatex is missing: install TeX Live to test the PDF")
    done = subprocess.run(
        ["sh", "tools/pdf.sh", str(out)],
        env=os.environ
        | {
            "MSCT_DATA": str(ROOT / "data" / dataset),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SOURCE_DATE_EPOCH": EPOCH,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out / "msct-trial-report.pdf"


@pytest.fixture(scope="module")
def pdfs() -> dict[str, Path]:
    out = ROOT / "_build" / "tests"
    return {name: make_pdf(name, out / f"pdf-{name}") for name in DATASETS}


def read_words(path: Path) -> str:
    """Return the text of a PDF without spaces and hyphenation, which line breaks disturb."""
    return re.sub(r"[\s\u00a0]|-\n", "", "".join(read_pages(path)))


def read_pages(path: Path, *area: str) -> list[str]:
    """Return the text of each page of a PDF, or of an area, in the order in which it was set."""
    command = ["pdftotext", "-raw", *area, "-enc", "UTF-8", str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\f")[:-1]


def squeeze(text: str) -> str:
    """Return a text as `read_words` would."""
    return re.sub(r"[\s\u00a0]", "", text)


def list_prose(shown: str, own: str) -> list[str]:
    """Return the chapters in whose prose a result is shown."""
    words = (word.partition(":") for word in shown.split())
    return [page or own for kind, _, page in words if kind == "prose"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_pdf_says_what_the_pages_say(
    pdfs: dict[str, Path], books: dict[str, Path], dataset: str
) -> None:
    words = read_words(pdfs[dataset])
    record = pd.read_csv(books[dataset] / "results/ard.csv", dtype=str, keep_default_na=False)
    told = {
        name: text
        for name, text, shown, own in record[
            ["id", "formattedValue", "shownIn", "chapter"]
        ].itertuples(index=False)
        if {f"chapters/{page}" for page in list_prose(shown, own)} - set(ON_SCREEN)
    }
    pages = [page.read_text() for page in list_pages(books[dataset])]
    seen, closed = set(), set()
    for page in pages:
        seen |= {unquote(name) for name in NUMBER.findall(drop_listings(page))}
        closed |= {unquote(name) for name in NUMBER.findall(read_folds(page))}
    # What is told in a folded listing only stands on the pages alone.
    assert told.keys() - seen <= closed
    told = {name: text for name, text in told.items() if name in seen}
    assert len(told) > 20
    assert [t for t in told.values() if squeeze(t.lstrip("−")) not in words] == []
    body = strip("".join(read_pages(pdfs[dataset], *BODY)))
    blocks = [text for page in list_pages(books[dataset]) for text in read_blocks(page)]
    assert len(blocks) > 1500
    assert [text for text in blocks if not is_in(strip(text), body)] == []
    study = load_trial(ROOT / "data" / dataset).study
    # Line ends hyphenate words: compare without hyphens.
    assert words.replace("-", "").count(squeeze(study.label).replace("-", "")) > 1
    # Folded on the page, and a part of the report.
    assert squeeze("Estimands (ICH E9(R1)), the same for every endpoint") in words
    assert "objectat0x" not in words
    assert "{table}" not in words
    assert ".md" not in words


@pytest.mark.parametrize("dataset", DATASETS)
def test_pdf_has_outline_metadata_header_and_fonts(pdfs: dict[str, Path], dataset: str) -> None:
    reader = PdfReader(pdfs[dataset])
    study = load_trial(ROOT / "data" / dataset).study
    outline = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    titles = [
        re.search(r"^# (.+)$", (ROOT / "chapters" / f"{name}.md").read_text(), re.M).group(1)  # type: ignore[union-attr]
        for name in re.findall(r"chapters/([\w-]+)", (ROOT / "_toc.yml").read_text())
        if f"chapters/{name}" not in ON_SCREEN
    ]
    assert outline == [*titles, "Bibliography"]
    assert reader.metadata is not None
    assert reader.metadata.title == study.title
    assert "MELD" in reader.metadata["/Keywords"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    head = "Synthetic data" if dataset == "msct_synthetic" else "Real data"
    pages = read_pages(pdfs[dataset])
    assert len(pages) == len(reader.pages)
    assert [text for text in pages[1:] if head not in text[:200]] == []
    listed = subprocess.run(["pdffonts", pdfs[dataset]], capture_output=True, text=True).stdout
    rows = listed.splitlines()[2:]
    assert rows
    assert all(re.search(r"\syes\s+(yes|no)\s+(yes|no)\s", row) for row in rows)


@pytest.mark.parametrize("dataset", DATASETS)
def test_nothing_runs_off_the_page(pdfs: dict[str, Path], dataset: str) -> None:
    log = pdfs[dataset].parent / "work/_build/latex/msct-trial-report.log"
    wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt", log.read_text(errors="replace"))
    assert [w for w in wide if float(w) > 2] == []


@pytest.mark.parametrize("dataset", DATASETS)
def test_numbers_of_figures_and_tables_agree_with_the_pages(
    pdfs: dict[str, Path], books: dict[str, Path], dataset: str
) -> None:
    words = read_words(pdfs[dataset])
    found, left = 0, 0
    for page in list_pages(books[dataset]):
        text = page.read_text()
        for kind, number, caption in re.findall(CAPTION, drop_listings(text)):
            found += 1
            assert squeeze(f"{kind}{number}:{caption[:12]}") in words
        for kind, number, caption in re.findall(CAPTION, read_folds(text)):
            # What a section would be empty without stands open.
            others = r"(,?(and)?(Table|Fig\.)[\d.]+)*"
            line = rf"{re.escape(squeeze(kind + number))}{others},ontheHTMLpageofthischapter"
            told = bool(re.search(line, words))
            left += told
            assert told or squeeze(f"{kind}{number}:{caption[:12]}") in words
    assert found > 8
    assert left > 3


@pytest.mark.parametrize("dataset", DATASETS)
def test_paper_says_where_it_is_what_stands_on_the_pages_alone(
    pdfs: dict[str, Path], books: dict[str, Path], dataset: str
) -> None:
    first, *rest = read_pages(pdfs[dataset])
    chapters = (ROOT / "_toc.yml").read_text().split("chapters/")[1:]
    numbers = {f"chapters/{c.split()[0]}": i for i, c in enumerate(chapters, 1)}
    for name in ON_SCREEN:
        title = re.search(r"^# (.+)$", (ROOT / f"{name}.md").read_text(), re.M).group(1)  # type: ignore[union-attr]
        assert f"{numbers[name]} {title}" in " ".join(first.split())
    files = re.findall(r"on the HTML page of this chapter, ([\w-]+\.csv)", " ".join(rest))
    assert len(files) > 3
    assert [name for name in files if not (books[dataset] / "results" / name).is_file()] == []


def measure_pages(path: Path, folder: Path) -> list[float]:
    """Return how full each page of a PDF is: the share of the height of its text that is used.

    Blank strips of more than a few lines count as unused.
    """
    subprocess.run(["pdftoppm", "-r", "36", "-gray", path, folder / "page"], check=True)
    shares = []
    for picture in sorted(folder.glob("page-*.pgm")):
        kind, size, _, pixels = picture.read_bytes().split(b"\n", 3)
        assert kind == b"P5"
        width, height = map(int, size.split())
        rows = np.frombuffer(pixels, np.uint8).reshape(height, width).min(axis=1) < 200
        body = rows[round(height * 20 / 297) : round(height * 280 / 297)]
        near = np.convolve(body, np.ones(17), "same") > 0
        shares.append(float(near.mean()))
    return shares


@pytest.mark.parametrize("dataset", DATASETS)
def test_paper_is_short_and_its_pages_are_full(
    pdfs: dict[str, Path], dataset: str, tmp_path: Path
) -> None:
    reader = PdfReader(pdfs[dataset])
    assert len(reader.pages) <= 35
    chapters = [entry for entry in reader.outline if not isinstance(entry, list)]
    height = float(reader.pages[0].mediabox.height)
    # A chapter ends on the page before one that begins at the top.
    last = {
        number - 1
        for entry in chapters
        if (number := reader.get_destination_page_number(entry)) and entry.top > 0.85 * height
    }
    last.add(len(reader.pages) - 1)
    shares = measure_pages(pdfs[dataset], tmp_path)
    assert len(shares) == len(reader.pages)
    assert [i + 1 for i, share in enumerate(shares) if share < 0.5 and i not in last] == []


def test_two_builds_are_identical(pdfs: dict[str, Path], tmp_path: Path) -> None:
    assert make_pdf(DATASETS[0], tmp_path).read_bytes() == pdfs[DATASETS[0]].read_bytes()
