"""What tests and benchmarks ask of a page in a browser."""

from importlib.resources import files

from playwright.sync_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
"""The accessibility checks of Deque, to be evaluated in a page once."""

RUN_AXE = """async (options) => {
  const found = await axe.run({resultTypes: ['violations'], preload: false, ...options});
  return found.violations.map(
    rule => [rule.id, rule.impact, rule.nodes.length, rule.nodes[0].failureSummary]
  );
}"""
"""Returns what axe finds wrong: rule, impact, how often, and how to mend it."""

COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""Rules that dark colours can break."""

SHAPES = {"rules": {"color-contrast": {"enabled": False}}}
"""All rules but that on contrast, which takes longest."""

TRIM = """() => {
  document.querySelectorAll('tbody tr:nth-child(n+5)').forEach(row => row.remove());
  document.querySelectorAll('details.msct-fold').forEach(fold => { fold.open = true; });
  document.querySelectorAll('details:not(.msct-fold)').forEach((details, i) => {
    if (i) details.querySelectorAll(':scope > :not(summary)').forEach(code => code.remove());
    else details.open = true;
  });
  const seen = {};
  document.querySelectorAll('article a.msct-number').forEach(link => {
    const place = link.parentElement.tagName;
    seen[place] = (seen[place] || 0) + 1;
    if (seen[place] > 6) link.replaceWith(...link.childNodes);
  });
}"""
"""Opens what is folded; leaves four rows of a table, one cell's code and six numbers of a kind.

Others are like them, and axe is slow.
"""

OPEN = "document.querySelectorAll('details.msct-fold').forEach(fold => { fold.open = true; })"
"""Opens what is folded on a page, so that it is looked at too."""

SETTLED = """() => [...document.querySelectorAll('pre, .pst-scrollable-table-container')].every(
  box => (box.tabIndex === 0)
    === (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight)
)"""
"""Whether the theme has seen what scrolls; it looks a third of a second after a change of size."""

TABLES = """() => {
  const tables = [...document.querySelectorAll('article table')];
  const box = table => table.closest('.pst-scrollable-table-container, .scroll, .output')
    || table.parentElement;
  const wide = tables.filter(table => box(table).scrollWidth > box(table).clientWidth + 1);
  const scrolls = table => ['auto', 'scroll'].includes(getComputedStyle(box(table)).overflowX);
  const name = table => table.id || table.className;
  return {
    all: tables.length,
    scroll: wide.filter(scrolls).map(name),
    cut: wide.filter(table => !scrolls(table)).map(name),
  };
}"""
"""Returns how many tables a page has, which scroll sideways, and which are cut off."""


LOOKS: dict[tuple[int, str], dict[str, object]] = {
    (1280, "light"): {},
    (1280, "dark"): COLOURS,
    (390, "light"): SHAPES,
    (320, "light"): SHAPES,
}
"""What is asked of every page, by width and colours."""

ALL_LOOKS: dict[tuple[int, str], dict[str, object]] = {
    (width, colours): {} for width in (1280, 390, 320) for colours in ("light", "dark")
}
"""What is asked of one page: whether a colour stands out does not depend on the page."""


def find_violations(page: Page, looks: dict[tuple[int, str], dict[str, object]]) -> list[object]:
    """Return what axe finds on a page, light and dark, at three widths."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE)
    page.evaluate(TRIM)
    found = []
    for (width, colours), options in looks.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        page.wait_for_function(SETTLED)
        found += [(colours, width, *broken) for broken in page.evaluate(RUN_AXE, options)]
    return found
