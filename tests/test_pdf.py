"""The PDF book: the same numbers as the pages, labelled, complete and reproducible."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from pypdf import PdfReader

from msct_helpers import load_trial
from tests.conftest import DATASETS, EPOCH, ROOT

CAPTION = (
    r'caption-number">(Fig\.|Table) ([\d.]+) ?</span>'
    r'<span class="caption-text">([^<]{12,40})'
)


def make_pdf(dataset: str | Path, out: Path) -> Path:
    """Build the PDF of a data set, by name or folder, as `make pdf` does, into another folder."""
    if shutil.which("xelatex") is None:
        if os.environ.get("CI"):
            pytest.fail("xelatex is missing; expected it to be installed where CI runs")
        pytest.skip("xelatex is missing: install TeX Live to test the PDF")
    done = subprocess.run(
        ["sh", "tools/pdf.sh", str(out)],
        env=os.environ | {"MSCT_DATA": str(ROOT / "data" / dataset), "SOURCE_DATE_EPOCH": EPOCH},
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


def read_pages(path: Path) -> list[str]:
    """Return the text of each page of a PDF, in the order in which it was set."""
    command = ["pdftotext", "-raw", "-enc", "UTF-8", str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\f")[:-1]


def squeeze(text: str) -> str:
    """Return a text as `read_words` would."""
    return re.sub(r"[\s\u00a0]", "", text)


@pytest.mark.parametrize("dataset", DATASETS)
def test_pdf_says_what_the_pages_say(
    pdfs: dict[str, Path], books: dict[str, Path], dataset: str
) -> None:
    words = read_words(pdfs[dataset])
    record = pd.read_csv(books[dataset] / "results/ard.csv", dtype=str, keep_default_na=False)
    prose = record.loc[record["shownIn"].str.contains("prose"), "formattedValue"]
    assert len(prose) > 20
    assert [t for t in prose if squeeze(t.lstrip("−")) not in words] == []
    study = load_trial(ROOT / "data" / dataset).study
    # Line ends hyphenate words: compare without hyphens.
    assert words.replace("-", "").count(squeeze(study.label).replace("-", "")) > 5
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
    found = 0
    for page in sorted((books[dataset] / "chapters").glob("*.html")):
        for kind, number, caption in re.findall(CAPTION, page.read_text()):
            found += 1
            assert squeeze(f"{kind}{number}:{caption[:12]}") in words
    assert found > 8


def test_two_builds_are_identical(pdfs: dict[str, Path], tmp_path: Path) -> None:
    again = make_pdf("msct_synthetic", tmp_path)
    assert again.read_bytes() == pdfs["msct_synthetic"].read_bytes()
