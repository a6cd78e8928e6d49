"""What tests and benchmarks ask of a page in a browser."""

from importlib.resources import files

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
"""The accessibility checks of Deque, to be evaluated in a page once."""

RUN_AXE = """async () => {
  const found = await axe.run({resultTypes: ['violations'], preload: false});
  return found.violations.map(
    rule => [rule.id, rule.impact, rule.nodes.length, rule.nodes[0].failureSummary]
  );
}"""
"""Returns what axe finds wrong: rule, impact, how often, and how to mend it."""

TRIM = """() => {
  document.querySelectorAll('tbody tr:nth-child(n+5)').forEach(row => row.remove());
  document.querySelectorAll('details').forEach((details, i) => {
    if (i) details.querySelectorAll(':scope > :not(summary)').forEach(code => code.remove());
    else details.open = true;
  });
}"""
"""Leaves four rows of a table and the code of one cell: others are like them, and axe is slow."""

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
