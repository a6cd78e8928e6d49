"""What tests and benchmarks ask of a page in a browser."""

from importlib.resources import files

from playwright.sync_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
"""The accessibility checks of Deque, to be evaluated in a page once."""

RUN_AXE = """async ([options, among]) => {
  const asked = {resultTypes: ['violations'], preload: false, ...options};
  const found = await axe.run(among || document, asked);
  return found.violations.map(
    rule => [rule.id, rule.impact, rule.nodes.length, rule.nodes[0].failureSummary]
  );
}"""
"""Returns what axe finds wrong: rule, impact, how often, and how to mend it."""

COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""Rules about colours."""

MARK = """() => {
  const look = node => {
    const {color, backgroundColor, fontSize, fontWeight} = getComputedStyle(node);
    return [node.tagName, node.className, color, backgroundColor, fontSize, fontWeight].join();
  };
  const path = node => node.parentElement ? path(node.parentElement) + '/' + look(node) : '';
  const kinds = {};
  for (const node of document.querySelectorAll('body *')) {
    node.removeAttribute('data-marked');
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    if (own && node.checkVisibility()) (kinds[path(node)] ||= []).push(node);
  }
  for (const node of Object.values(kinds).flatMap(nodes => nodes.slice(0, 2))) {
    node.setAttribute('data-marked', '');
  }
}"""
"""Marks two texts of all that look the same within elements that look the same.

Whether letters stand out from their ground is the same for all of them.
"""

MARKED = "[data-marked]"

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


Look = tuple[int, str, dict[str, object]]
"""Width, colours, and what axe is asked."""

LOOKS: list[Look] = [
    (1280, "light", SHAPES),
    *((1280, colours, COLOURS) for colours in ("light", "dark")),
    *((width, "light", SHAPES) for width in (390, 320)),
]
"""What is asked of every page."""

ALL_LOOKS: list[Look] = [
    (width, colours, {}) for width in (1280, 390, 320) for colours in ("light", "dark")
]
"""What is asked of one page."""


def find_violations(page: Page, looks: list[Look]) -> list[object]:
    """Return what axe finds on a page; of colours, in what `MARK` marks."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE)
    page.evaluate(TRIM)
    found = []
    for width, colours, options in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
        page.wait_for_function(SETTLED)
        if options is COLOURS:
            page.evaluate(MARK)
        broken = page.evaluate(RUN_AXE, [options, MARKED if options is COLOURS else None])
        found += [(colours, width, *rule) for rule in broken]
    return found
