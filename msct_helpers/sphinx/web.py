"""Sphinx extension of the book, the pages' part: light, and closed to whatever is not theirs.

`msct_helpers.sphinx.ext` loads it. The theme's scripts become one file and its styles another, of
which only what some page uses is left; so is its icon font. What no page asks for is removed.
"""

import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tinycss2
from docutils import nodes
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.config import Config

from msct_helpers.book.records import cache_folder, digest_files, load, store
from msct_helpers.sphinx.document import narrow_image
from msct_helpers.sphinx.output import remove

POLICY = (
    "default-src 'self'; "
    # The theme's style sheet holds small pictures as data.
    "img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'"
)
"""What a page may load and run: files of the book; nothing inline, neither script nor style."""

STYLES = (
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "copybutton.css",
    "mystnb.*.css",
    "book.css",
)
"""Style sheets of a page, in the order in which they override each other."""

SCRIPTS = (
    "documentation_options.js",
    "doctools.js",
    "sphinx_highlight.js",
    "clipboard.min.js",
    "copybutton.js",
    "scripts/sphinx-book-theme.js",
    "scripts/pydata-sphinx-theme.js",
)
"""Scripts of every page. Bootstrap's would draw tooltips; the browser shows titles itself."""

SEARCH = ("searchtools.js", "language_data.js", "search.js")
"""Scripts of the search page besides."""

FONT = "vendor/fontawesome/webfonts/fa-solid-900.woff2"
ICONS = "icons.woff2"
KEPT = ("style.css", "script.js", "search.js", "mode.js", "favicon.svg", ICONS)
"""All that stays of the static files."""


class Used:
    """Names that pages and scripts use: tags, classes and ids.

    Parameters
    ----------
    pages
        HTML of all pages.
    script
        Text of all scripts: any word of it may be a name.
    """

    def __init__(self, pages: Iterable[str], script: str):
        words = set(re.findall(r"[\w-]+", script))
        self.tags, self.names = set(words), set(words)
        for page in pages:
            self.tags.update(re.findall(r"<([a-z][a-z0-9]*)", page))
            for listed in set(re.findall(r' (?:class|id)="([^"]*)"', page)):
                self.names.update(listed.split())

    def matches(self, selector: list[Any]) -> bool:
        """Return whether a selector can match; what stands in brackets is not looked at."""
        before = ""
        for token in selector:
            if token.type == "hash" and token.value not in self.names:
                return False
            if token.type == "ident" and before != ":":
                known = self.names if before == "." else self.tags
                if token.value not in known:
                    return False
            before = token.value if token.type == "literal" else ""
        return True


def purge_once(css: str, used: Used) -> str:
    """Return `purge` of a style sheet, kept beside executed chapters: it takes seconds."""
    words = set(re.findall(r"[\w-]+", css))
    wanted = (sorted(names & words) for names in (used.tags, used.names))
    note = (
        cache_folder()
        / f"style-{digest_files([Path(__file__)], css, *map(' '.join, wanted))[:16]}.json"
    )
    style = load(note)
    if style is None:
        style = purge(css, used)
        store(note, style)
    return str(style)


def split_selectors(prelude: list[Any]) -> Iterator[list[Any]]:
    """Yield the selectors of a rule."""
    selector: list[Any] = []
    for token in prelude:
        if token == ",":
            yield selector
            selector = []
        else:
            selector.append(token)
    yield selector


def purge(css: str, used: Used) -> str:
    """Return a style sheet without the rules that match nothing and the variables nobody reads."""
    before = ""
    while css != before:
        before, read = css, set(re.findall(r"var\(\s*(--[\w-]+)", css))
        rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
        css = "".join(write_rules(rules, used, read))
    return css


def write_rules(rules: list[Any], used: Used, read: set[str]) -> Iterator[str]:
    """Yield rules of which some selector can match and that declare something."""
    for rule in rules:
        if rule.type == "qualified-rule":
            kept = [s for s in split_selectors(rule.prelude) if used.matches(s)]
            body = write_body(rule.content, read)
            if kept and body:
                yield f"{','.join(tinycss2.serialize(s).strip() for s in kept)}{{{body}}}\n"
        elif rule.type != "at-rule":
            continue
        elif rule.lower_at_keyword in ("media", "supports"):
            inner = "".join(write_rules(tinycss2.parse_rule_list(rule.content), used, read))
            if inner:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}\n"
        elif rule.lower_at_keyword == "keyframes" or ICONS in rule.serialize():
            yield f"{rule.serialize()}\n"


def write_body(content: list[Any], read: set[str]) -> str:
    """Return the declarations of a rule, without variables that are not read."""
    declared = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return ";".join(
        part.serialize()
        for part in declared
        if part.type != "declaration" or not part.name.startswith("--") or part.name in read
    )


def subset_font(path: Path, characters: Iterable[str]) -> bytes:
    """Return a font with a few of its characters only."""
    # This loads slowly, and most builds find the font that an earlier one made.
    from fontTools import subset

    font = TTFont(path, recalcTimestamp=False)
    options = subset.Options(flavor="woff2", hinting=False, layout_features=[])
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(characters))
    subsetter.subset(font)
    out = io.BytesIO()
    subset.save_font(font, out, options)
    return out.getvalue()


def join(folder: Path, names: Iterable[str], end: str = "\n") -> str:
    """Return the texts of files, each with an end, without links to maps of their sources."""
    paths = [path for name in names for path in sorted(folder.glob(name))]
    text = "".join(path.read_text(encoding="utf-8") + end for path in paths)
    return re.sub(r"/[/*]# sourceMappingURL=.*", "", text)


def lighten(app: Sphinx, exception: Exception | None) -> None:
    """Make one style sheet and one script of all, and remove the rest."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    # A build in which nothing changed copies nothing.
    if (static / STYLES[1]).is_file():
        # Some end without a semicolon.
        search, script = (join(static, names, "\n;\n") for names in (SEARCH, SCRIPTS))
        pages = (path.read_text(encoding="utf-8") for path in Path(app.outdir).rglob("*.html"))
        style = purge_once(join(static, STYLES), Used(pages, search + script))
        icons = sorted({c for c in style if "\ue000" <= c <= "\uf8ff"})
        (static / ICONS).write_bytes(subset_font(static / FONT, icons))
        for name, text in (("search.js", search), ("script.js", script), ("style.css", style)):
            (static / name).write_text(text, encoding="utf-8", newline="\n")
    for path in static.iterdir():
        if path.name not in KEPT:
            remove(path)


def mend_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give pictures a size, to be loaded when they are near, and heads of tables their scope."""
    context["msct_policy"] = POLICY
    if "body" not in context:
        return
    body = context["body"]
    for image in doctree.findall(nodes.image) if doctree else ():
        if isinstance(image, narrow_image):
            continue
        name = image["uri"].rpartition("/")[2]
        wide, tall = (round(points / 0.75) for points in image["drawn"])
        size = f'width="{wide}" height="{tall}"'
        body = re.sub(rf'<img (?=[^>]*/{re.escape(name)}")', rf'<img loading="lazy" {size} ', body)
    body = re.sub(r'<th class="head', '<th scope="col" class="head', body)
    # The summary has words; a label would hide them.
    body = body.replace(' aria-label="Toggle hidden content"', "")
    # Roles of sources that are deprecated, or not allowed where docutils puts them.
    body = re.sub(r' role="(?:doc-biblioentry|doc-backlink|list)"', "", body)
    # Whoever has no mouse scrolls with keys.
    boxed = '<div class="pst-scrollable-table-container"'
    body = body.replace(boxed, f'{boxed} tabindex="0"')
    body = re.sub(
        r'<td class="msct-name (.*?)">(.*?)</td>',
        r'<th scope="row" class="\1">\2</th>',
        body,
        flags=re.S,
    )
    # Numbers of a cell may stand under each other where the screen is narrow (assets/book.css).
    context["body"] = re.sub(
        r'<td class="text-right">.*?</td>',
        lambda cell: cell[0].replace("\N{NO-BREAK SPACE}", "\N{NO-BREAK SPACE}<wbr />"),
        body,
        flags=re.S,
    )


def add_templates(app: Sphinx, config: Config) -> None:
    """Put the project's templates before those of the theme."""
    config.templates_path = [str(Path(__file__).with_name("templates")), *config.templates_path]


def setup_web(app: Sphinx) -> None:
    """Register what makes pages light."""
    app.connect("config-inited", add_templates)
    app.connect("html-page-context", mend_page)
    # After every file was written, and before they are listed and sealed.
    app.connect("build-finished", lighten, priority=850)
