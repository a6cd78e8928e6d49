"""The gate: what a data set holds comes out as its characters, whatever they are."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest
from docutils import nodes
from docutils.utils import new_document
from hypothesis import given, settings
from hypothesis import strategies as st

from msct_helpers import Chapter
from msct_helpers.ard.results import make_record, make_rows
from msct_helpers.book.document import (
    MIME,
    Document,
    Node,
    fold,
    parse,
    parse_inline,
    quote,
    show_characters,
    to_html,
    to_plain,
)
from msct_helpers.sphinx.document import (
    GAP,
    LINE,
    PlaceSections,
    TreeBuilder,
    fit_widths,
    measure,
)
from msct_helpers.trial.text import slug
from tests.hostile import PAYLOADS

PLAIN = st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"]))


@given(st.text())
@settings(deadline=None)
def test_quoted_text_is_one_leaf_between_the_words_of_ours(text: str) -> None:
    for inline in (f"**a** {quote(text)} b", f"`{quote(text)}`", f"- {quote(text)}"):
        shown = to_plain(parse(inline))
        assert show_characters(text) in shown
    before, data, after = parse_inline(f"a {quote(text)} b")
    assert (before["text"], data["text"], after["text"]) == ("a ", show_characters(text), " b")
    assert data["kind"] == "data"


@given(PLAIN)
@settings(deadline=None)
def test_text_with_a_shape_is_shown_unchanged(text: str) -> None:
    assert show_characters(text) == text


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        ("a\u202eb", "a[U+202E]b"),
        ("\x07", "[U+0007]"),
        ("a\nb", "a[U+000A]b"),
        ("\u200b", "[U+200B]"),
    ],
)
def test_characters_without_a_shape_are_named(hidden: str, seen: str) -> None:
    assert show_characters(hidden) == seen


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_of_a_payload_has_no_tag_of_its_own(payload: str) -> None:
    shown = to_html(parse_inline(f"*{quote(payload)}*"))
    assert re.findall(r"<[^>]*>", shown) == ["<em>", "<bdi>", "</bdi>", "</em>"]


@pytest.mark.parametrize("target", ["http://example.org", "/etc/passwd", "a.html"])
def test_a_link_stays_in_the_book(target: str) -> None:
    with pytest.raises(ValueError, match="inside the book"):
        parse(f"[x]({target})")
    assert to_html(parse("[x](javascript:a)")) == "<p>[x](javascript:a)</p>"
    assert parse("[x](../index.md#data)")[0]["children"][0]["to"] == "../index.md#data"


def test_jupyterlab_gets_a_real_table_with_caption_and_label() -> None:
    book = Chapter("safety")
    rows = make_rows("ae", {"count": 3}, group="<b>")
    book.record(make_record(rows))
    shown = pd.DataFrame([(quote("<b>"), f"{{{rows[0]['id']}}}")], columns=["Term", "n"])
    bundle = book.table(shown, name="tab-x", caption="Of *all*.")._repr_mimebundle_()
    assert bundle["text/html"] == (
        "<table><caption>Of <em>all</em>. <bdi>Synthetic data</bdi>.</caption>"
        '<thead><tr><th scope="col">Term</th><th scope="col">n</th></tr></thead>'
        "<tbody><tr><td><bdi>&lt;b&gt;</bdi></td><td>3</td></tr></tbody></table>"
    )
    assert bundle[MIME][1] == {"kind": "rows", "name": "tab-x"}


def test_a_number_in_a_sentence_knows_its_row_and_an_unknown_id_is_refused() -> None:
    book = Chapter("safety")
    book.record(make_record(make_rows("ae", {"count": 3}, n=26, method="count")))
    number: Node = book.say("Seen in {ae.count}.").blocks[0]["children"][1]
    assert (number["text"], number["id"], number["chapter"]) == ("3", "ae.count", "safety")
    assert number["about"] == "3; n = 26; count"
    with pytest.raises(KeyError, match=r"ae\.percent"):
        book.say("{ae.percent}")
    assert repr(Document(parse(f"{quote('{ae.percent}')}"))) == "{ae.percent}"


@given(st.sets(st.text(alphabet="ab .-/_^{}<>=+ä", min_size=1), min_size=2, max_size=2))
@settings(deadline=None)
def test_two_terms_that_differ_in_more_than_a_separator_have_two_ids(terms: set[str]) -> None:
    one, other = terms
    if re.sub(r"[ -]", "", one) != re.sub(r"[ -]", "", other):
        assert slug(one) != slug(other)


def test_a_heading_begins_a_section_behind_its_cell() -> None:
    page = new_document("page")
    blocks = parse("before\n\n### Albumin (ALB)\n\nhigher\n\n### Bilirubin\n\nlower")
    built = TreeBuilder(page, SimpleNamespace(docname="page")).build_blocks(blocks)  # type: ignore[arg-type]
    output = nodes.container("", *built)
    page += nodes.section("", nodes.title("", "Each"), nodes.container("", output))
    PlaceSections(page).apply()
    cell, *sections = page[0][1:]
    assert cell.astext() == "before"
    assert [section["ids"] for section in sections] == [["albumin-alb"], ["bilirubin"]]
    assert sections[0].astext().split() == ["Albumin", "(ALB)", "higher"]
    assert "<h3>Bilirubin</h3>" in Document(blocks)._repr_mimebundle_()["text/html"]


def test_what_is_folded_opens_under_its_title_and_a_sentence_stands_open() -> None:
    table: Node = {"kind": "table", "name": "tab-x", "caption": [], "heads": [], "rows": []}
    shown = fold("More *here*", Document(parse("Before.")), Document([table]))
    assert [block["kind"] for block in shown.blocks] == ["fold"]
    page = shown._repr_mimebundle_()["text/html"]
    assert page.startswith("<details><summary>More <em>here</em></summary><p>Before.</p><table>")
    said = Document(parse("Not assessable."))
    assert fold("More", said).blocks == parse("Not assessable.")
    assert [block["kind"] for block in fold("More", said, words=True).blocks] == ["fold"]
    assert not shown.blocks[0]["paper"]
    assert fold("More", Document([table]), paper=True).blocks[0]["paper"]


@given(st.lists(st.lists(st.text("ab ", min_size=1), min_size=2, max_size=2), min_size=1))
@settings(deadline=None)
def test_columns_fill_the_line_and_have_room_for_their_words(texts: list[list[str]]) -> None:
    columns = [[parse_inline(cell) for cell in column] for column in texts]
    widths = fit_widths(columns)
    assert sum(widths) == pytest.approx(LINE)
    least = [
        max((measure(w) for text in column for w in text.split()), default=0) for column in texts
    ]
    if sum(least) + GAP * len(least) <= LINE:
        assert all(w + GAP <= width + 1e-6 for w, width in zip(least, widths, strict=True))


def test_short_columns_get_what_they_need_and_long_ones_the_rest() -> None:
    columns = [["Month", "6"], ["What it says", "many words " * 40], ["Why", "some words " * 30]]
    month, says, why = fit_widths([[parse_inline(cell) for cell in c] for c in columns])
    assert measure("Month") + GAP <= month < 60
    assert says == pytest.approx(why, rel=0.1)
