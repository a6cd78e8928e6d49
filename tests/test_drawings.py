"""The drawings of the built books, as readers have them: letters, ground, and nothing cut off."""

import base64
import re
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from matplotlib.font_manager import findfont, get_font
from playwright.sync_api import Browser
from pypdf import PdfReader

from msct_helpers import load_trial
from msct_helpers.book.chapter import draw_widths
from msct_helpers.book.figures import (
    FONT,
    NARROW,
    SIZE,
    SMALL,
    WIDE,
    drawn_at,
    is_narrow,
    make_figure,
    make_rows,
    measure,
    spread,
    wrap,
    write_mark,
)
from tests.conftest import DATASETS, ROOT

LEAST = 11
"""Pixels of the smallest letters, on a phone and on a wide screen."""

LOST = """(others) => {
  const box = document.documentElement.viewBox.baseVal;
  const texts = [...document.querySelectorAll('text')];
  const scale = document.documentElement.getBoundingClientRect().width / box.width;
  const places = texts.map(text => text.getBoundingClientRect());
  const out = texts.filter((text, i) => places[i].left < -0.5 || places[i].top < -0.5
    || places[i].right > box.width * scale + 0.5 || places[i].bottom > box.height * scale + 0.5);
  const over = [];
  // Boxes of letters are taller than the letters.
  places.forEach((a, i) => places.slice(i + 1).forEach((b, k) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && tall > 4) {
      over.push(texts[i].textContent + ' | ' + texts[i + k + 1].textContent);
    }
  }));
  return {out: out.map(text => text.textContent), over};
}"""
"""Returns the texts of a drawing that leave it, and those that are written over others."""


def find_drawings(html: Path) -> dict[str, list[Path]]:
    """Return the drawings of a book's figures by width: phone and wide screen."""
    paths = sorted((html / "_images").glob("fig-*.svg"))
    narrow = [path for path in paths if "-narrow-" in path.name]
    return {"narrow": narrow, "wide": [path for path in paths if path not in narrow]}


def read_width(svg: str) -> float:
    """Return how wide a drawing is shown, in pixels."""
    found = re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)
    assert found
    return float(found[1]) / 0.75


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_figure_has_a_drawing_for_a_phone_and_one_for_a_wide_screen(
    books: dict[str, Path], dataset: str
) -> None:
    drawings = find_drawings(books[dataset])
    assert len(drawings["narrow"]) == len(drawings["wide"]) > 15
    for path in drawings["narrow"]:
        assert read_width(path.read_text(encoding="utf-8")) == pytest.approx(342)
    wide = [read_width(path.read_text(encoding="utf-8")) for path in drawings["wide"]]
    assert max(wide) == pytest.approx(690)
    # The flow diagram has few words.
    assert sorted(wide)[1] == pytest.approx(690)


@pytest.mark.parametrize("dataset", DATASETS)
def test_letters_are_letters_large_enough_on_a_clear_ground(
    books: dict[str, Path], dataset: str
) -> None:
    for path in (p for paths in find_drawings(books[dataset]).values() for p in paths):
        svg = path.read_text(encoding="utf-8")
        # Shown at its own width, a point has four thirds of a pixel.
        sizes = [float(size) / 0.75 for size in re.findall(r"font-size: ([\d.]+)px", svg)]
        assert min(sizes) >= LEAST, path.name
        texts = re.findall(r"<text [^>]*>", svg)
        assert len(texts) == len(sizes) > 3, path.name
        assert "font-family" not in "".join(texts)
        assert "text{font-family:Helvetica,Arial,sans-serif}" in svg
        ground = re.search(r'<g id="patch_1">\s*<path[^>]*fill: #', svg)
        assert ground is None, f"{path.name} has a ground of its own"


@pytest.mark.parametrize("dataset", DATASETS)
def test_each_drawing_says_what_data_it_shows(books: dict[str, Path], dataset: str) -> None:
    study = load_trial(ROOT / "data" / dataset).study
    own = "Synthetic data" if dataset == "msct_synthetic" else study.short_title
    marked = 0
    for path in (p for paths in find_drawings(books[dataset]).values() for p in paths):
        svg = path.read_text(encoding="utf-8")
        words = " ".join(unescape(t) for t in re.findall(r"<text [^>]*>([^<]*)</text>", svg))
        known = (
            own,
            "no data of any",
            "no patient is",
            "every input is",
            "Real patients",
            "two sets",
        )
        assert any(word in words for word in known), path.name
        marked += own in words
    assert marked >= 10


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_text_of_a_drawing_leaves_it_or_hides_another(
    browser: Browser, books: dict[str, Path], dataset: str
) -> None:
    page, lost = browser.new_page(), {}
    for path in (p for paths in find_drawings(books[dataset]).values() for p in paths):
        page.goto(path.as_uri())
        found = page.evaluate(LOST)
        if found["out"] or found["over"]:
            lost[path.name] = found
    page.close()
    assert lost == {}


@pytest.mark.parametrize("width", [390, 768, 1000, 1280])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_reader_loads_the_drawing_that_fits_and_no_other(
    browser: Browser, address: str, width: int, colours: str
) -> None:
    page, asked = browser.new_page(viewport={"width": width, "height": 900}), []
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/chapters/safety.html")
    shown = page.evaluate(
        """async () => {
          const image = document.querySelector('#fig-risks img');
          image.scrollIntoView();
          await image.decode();
          const style = getComputedStyle(image);
          return [image.currentSrc, image.width, image.naturalWidth, style.filter,
                  style.backgroundColor];
        }"""
    )
    source, drawn, natural, filtered, ground = shown
    page.close()
    # At its own size, so that letters are as large as they were drawn.
    assert drawn == natural
    assert natural in (342, 690)
    assert {url for url in asked if "fig-risks" in url} == {source}
    assert ("invert" in filtered) == (colours == "dark")
    assert ground == "rgba(0, 0, 0, 0)"


def test_the_mark_is_text_in_each_drawing_and_on_paper_and_drawings_do_not_vary() -> None:
    drawn, again = (draw_widths(lambda: make_figure(2.0)[0], "Some <data>", "x") for _ in "12")
    assert drawn == again
    for name in ("narrow", "svg"):
        assert ">Some &lt;data&gt;</text>" in drawn[name]
    (page,) = PdfReader(BytesIO(base64.b64decode(drawn["pdf"]))).pages
    assert "Some <data>" in page.extract_text()
    assert float(page.mediabox.width) == pytest.approx(72 * WIDE)


def test_letters_that_are_seldom_are_drawn_and_measured_as_the_others() -> None:
    text = "Жук −1.3 AV"
    whole = get_font(findfont(FONT))
    whole.set_size(SIZE, 72)
    whole.set_text(text, 0.0)
    assert measure(text) == whole.get_width_height()[0] / 64 / 72
    drawn = draw_widths(lambda: make_figure(2.0)[0], text, "x")
    (page,) = PdfReader(BytesIO(base64.b64decode(drawn["pdf"]))).pages
    assert text in page.extract_text()


def test_a_figure_is_as_wide_as_it_is_asked_to_be() -> None:
    assert make_figure(2.0)[0].get_figwidth() == WIDE
    with drawn_at(NARROW):
        assert is_narrow()
        assert make_figure(2.0)[0].get_figwidth() == NARROW
    assert not is_narrow()


@pytest.mark.parametrize("text", ["", "one", "two words " * 9, "x" * 90, "a " + "W" * 40 + "\nb"])
def test_no_line_is_wider_than_its_room_and_no_letter_lost(text: str) -> None:
    lines = wrap(text, 1.5).split("\n")
    assert all(measure(line) <= 1.5 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")


def test_a_long_mark_stands_on_several_lines() -> None:
    with drawn_at(NARROW):
        fig, _ = make_figure(2.0)
        write_mark(fig, "Some data\u202e " + "W" * 40)
    (mark,) = fig.texts
    lines = mark.get_text().split("\n")
    assert "[U+202E]" in lines[0]
    assert all(measure(line, SMALL) <= NARROW for line in lines)


def test_a_row_has_its_numbers_beside_its_name_or_below_it() -> None:
    rows = [("died", "11.5% (2.4 to 30.2), 3 of 26"), ("a name of many words " * 2, "0.0%, n = 26")]
    wide = [text.get_text() for text in make_rows(rows)[1].texts]
    assert wide == [text for row in rows for text in row]
    with drawn_at(NARROW):
        _, ax, places = make_rows(rows)
    assert [text.get_text().split("\n")[-1] for text in ax.texts] == [told for _, told in rows]
    assert places == sorted(places, reverse=True)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([1.0, 9.0], [1.0, 9.0]),
        ([4.0, 5.0], [3.5, 5.5]),
        ([4.0, 4.0, 5.5], [2.5, 4.5, 6.5]),
    ],
)
def test_names_are_moved_apart_as_little_as_may_be(
    places: list[float], expected: list[float]
) -> None:
    assert spread(places, 2.0) == pytest.approx(expected)
