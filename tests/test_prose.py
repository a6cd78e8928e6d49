"""No number is typed by hand: every digit a reader sees comes from the record or is a constant."""

import html
import re
from pathlib import Path

import pandas as pd
import pytest

from msct_helpers import load_trial
from msct_helpers.book.words import join_words
from msct_helpers.trial.load import load_standards, load_statements
from msct_helpers.trial.plan import Plan
from tests.conftest import DATASETS, ROOT

DEFAULT = join_words([str(visit.number) for visit in Plan().later]).replace(" ", r"\s+")
"""The visits of a data set that names none, as a pattern."""

CONSTANTS = (
    (rf"baseline\s+and\s+after\s+{DEFAULT}\b", "visits where study.yml names none"),
    (r"MELD 3\.0", "name of a score"),
    (r"CONSORT 2025|ICH E3|ICH E9\(R1\)", "names of standards"),
    (r"CTCAE [\d.]+", "version of the grades, as the data set states it"),
    (r"\b95%|\b5%", "levels of confidence and of significance"),
    (r"\b24[ -]hours?\b", "window after an infusion"),
    (r"\b[Mm]onth (0|6|12|24)\b|\b24 months\b", "visits of the protocol"),
    (r"[Ww]eek\s+(12|26)\b(?:[\w\s]+from\s+day\s+71\s+to\s+day\s+99)?", "the plan of an example"),
    (r"\b[PNESC]\d{1,2}\b", "ids of statements"),
    (r"\bgrade 3\b", "severe grades, and a grade of ALBI"),
    (r"\bsha256\b", "name of a digest"),
    (r"\bdoi:\S+|\bPMID \d+|\bSpahr 2013\b", "identifiers of sources"),
    (r"\b(1|10|25|50)%(?= (lower|higher))", "labels of a scale"),
)
"""Digits that may stand in prose although no result is behind them, and why."""


def drop_constants(text: str) -> str:
    """Return a text without the digits that may stand in it."""
    for pattern, _ in CONSTANTS:
        text = re.sub(pattern, " ", text)
    return text


def find_digits(text: str) -> list[str]:
    """Return each digit that is left, with what stands around it."""
    return [text[max(0, m.start() - 30) : m.end() + 20] for m in re.finditer(r"\d[\d.]*", text)]


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "chapters").glob("*.md")), ROOT / "index.md"], ids=lambda p: p.stem
)
def test_no_digit_is_typed_into_a_chapter(path: Path) -> None:
    text = re.sub(r"\A---.*?\n---\n", "", path.read_text(), flags=re.S)
    text = re.sub(r"```(?:\{code-cell\}|yaml).*?```|\$\$.*?\$\$|`[^`]*`", " ", text, flags=re.S)
    text = re.sub(r"^\d\. ", "", text, flags=re.M)
    assert find_digits(drop_constants(text)) == []


def read_prose(page: Path, dataset: str) -> str:
    """Return the prose of a page: no code, tables, figures, links to results or quoted sources."""
    article = re.search(r"<article.*?</article>", page.read_text(), re.S)
    assert article
    text = re.sub(r'<a class="msct-number".*?</a>', " ", article.group(), flags=re.S)
    for tag in ("details", "table", "figure", "math", "code", "pre", "h1", "h2", "h3"):
        text = re.sub(rf"<{tag}[ >].*?</{tag}>", " ", text, flags=re.S)
    text = re.sub(r'<div class="citation" .*?</div>', " ", text, flags=re.S)
    text = re.sub(r'<a class="reference.*?</a>', " ", text, flags=re.S)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())
    study = load_trial(ROOT / "data" / dataset).study
    quoted = [study.title, study.label, study.source, study.population, *study.assumed]
    cited = [str(s[key]) for s in load_standards() for key in ("about", "source")]
    quoted += [" ".join(words.split()).rstrip(".") for words in cited]
    quoted += load_statements()[["statement", "not_stated"]].to_numpy().ravel().tolist()
    for words in sorted(filter(None, quoted), key=len, reverse=True):
        # Typography makes quotes and dashes of plain signs.
        plain = " ".join(words.split())
        text = text.replace(plain, " ").replace(plain.replace("'", "\u2019"), " ")
    return text


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_digit_in_the_prose_of_a_page_leads_to_its_result(
    books: dict[str, Path], dataset: str
) -> None:
    pages = [*sorted((books[dataset] / "chapters").glob("*.html")), books[dataset] / "index.html"]
    for page in pages:
        if page.stem == "how-to-rebuild":
            continue
        assert find_digits(drop_constants(read_prose(page, dataset))) == [], page.stem


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_number_leads_to_its_row(books: dict[str, Path], dataset: str) -> None:
    rows = pd.read_csv(books[dataset] / "results/ard.csv", dtype=str, keep_default_na=False)
    shown = rows.set_index(["chapter", "id"])["formattedValue"].to_dict()
    link = (
        r'<a class="msct-number" href="(?:\.\./)?results/([\w-]+)\.html#([^"]+)"[^>]*>([^<]+)</a>'
    )
    found = 0
    for page in [*(books[dataset] / "chapters").glob("*.html"), books[dataset] / "index.html"]:
        for chapter, key, text in re.findall(link, page.read_text()):
            found += 1
            wanted = shown[chapter, html.unescape(key)]
            assert html.unescape(text) in (wanted, wanted.lstrip("\N{MINUS SIGN}"))
    assert found > 150


@pytest.mark.parametrize("dataset", DATASETS)
def test_numbers_of_a_table_are_the_rows_it_offers(books: dict[str, Path], dataset: str) -> None:
    checked = 0
    for page in sorted((books[dataset] / "chapters").glob("*.html")):
        tables = re.findall(r'<table[^>]*id="([\w-]+)".*?</table>', page.read_text(), re.S)
        for name in tables:
            file = books[dataset] / "results" / f"{name}.csv"
            if not file.is_file():
                continue
            offered = pd.read_csv(file, dtype=str, keep_default_na=False)["formattedValue"]
            known = {number for text in offered for number in re.findall(r"[\d.]+", text)}
            body = re.search(rf'<table[^>]*id="{name}".*?</table>', page.read_text(), re.S)
            assert body
            top, _, rest = body.group().partition("</thead>")
            heads = re.findall(r"<th .*?</th>", top, re.S)
            for row in re.findall(r"<tr.*?</tr>", rest, re.S):
                cells = re.findall(r"<t[dh] .*?</t[dh]>", row, re.S)
                for head, cell in zip(heads, cells, strict=False):
                    if "text-right" not in cell or re.search(
                        "Month<|Participant<|At baseline<", head
                    ):
                        continue
                    words = drop_constants(html.unescape(re.sub(r"<[^>]+>", "", cell)))
                    for number in re.findall(r"\d[\d.]*", words):
                        checked += 1
                        assert number in known, (page.stem, name, cell)
    assert checked > 300
