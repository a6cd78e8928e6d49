"""What the head of a page says to those who cite or share it."""

from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from msct_helpers import __version__
from msct_helpers.sphinx.citation import list_tags, write_tags
from tests.conftest import DATASETS, ROOT
from tests.hostile import PAYLOADS

THEIRS = {"viewport", "docsearch:language", "docsearch:version"}
"""What the theme says of a page."""


class Head(HTMLParser):
    """Collects the tags named meta of a page, and the names of all others."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.meta: list[tuple[str, str]] = []
        self.others: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "meta" and found.keys() <= {"name", "property", "content"}:
            self.meta.append((found.get("name") or found["property"], found["content"]))
        else:
            self.others.add(tag)


def make_config(text: str) -> SimpleNamespace:
    names = ("title", "short_title", "label", "population", "treatment")
    study = {name: f"{name} {text}" for name in names}
    return SimpleNamespace(
        msct_study=study, msct_date="2026/01/01", release="1.2.3", author="Authors"
    )


@pytest.mark.parametrize("text", PAYLOADS)
def test_text_of_a_data_set_stays_text(text: str) -> None:
    tags = list_tags(make_config(text), f"Safety {text}", "")
    head = Head(write_tags(tags))
    assert dict(head.meta) == tags
    assert head.others == set()
    assert f"label {text}" in tags["description"]
    assert tags["og:title"] == f"Safety {text}"


def test_a_page_on_a_basis_of_its_own_says_so() -> None:
    tags = list_tags(make_config(""), "The next trial", "Formulas.")
    assert tags["description"] == tags["og:description"] == "Formulas."
    undated = make_config("")
    undated.msct_date = ""
    assert "citation_publication_date" not in list_tags(undated, "", "")


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_page_says_how_to_cite_it(dataset: str, books: dict[str, Path]) -> None:
    study = yaml.safe_load((ROOT / "data" / dataset / "study.yml").read_text(encoding="utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    pages = [books[dataset] / "index.html", *(books[dataset] / "chapters").glob("*.html")]
    assert len(pages) > 8
    for page in pages:
        said = Head(page.read_text(encoding="utf-8").partition("</head>")[0]).meta
        tags = dict(said)
        ours = [name for name, _ in said if name in tags.keys() - THEIRS]
        assert len(ours) == len(set(ours)), f"{page.name} says something twice"
        assert tags["citation_title"] == " ".join(study["title"].split())
        assert tags["citation_author"] == config["author"]
        assert tags["citation_publication_date"] == "2026/01/01"
        assert tags["version"] == __version__
        assert tags["description"] == tags["og:description"] != ""
    front = dict(Head((books[dataset] / "index.html").read_text(encoding="utf-8")).meta)
    assert front["og:type"] == "website"
    assert front["og:title"] == front["citation_title"]
    safety = (books[dataset] / "chapters/safety.html").read_text(encoding="utf-8")
    assert dict(Head(safety).meta)["og:title"] == "Safety"
