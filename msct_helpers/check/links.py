"""Links of the built pages: each must lead to a file, and to a place in it, that is there."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """Collects the ids and links of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note ids, and links of anchors."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            if tag == "a" and name == "href" and value:
                self.links.append(value)


def read_page(path: Path) -> _Page:
    """Return ids and links of a page."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def find_dead_links(folder: Path) -> tuple[int, list[str]]:
    """Return how many links between its files a built book has, and each that leads nowhere.

    Parameters
    ----------
    folder
        Folder of the HTML book.
    """
    pages = {path.resolve(): read_page(path) for path in sorted(folder.rglob("*.html"))}
    count, dead = 0, []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            count += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = f"{path.relative_to(folder.resolve())}: {link}"
            if not target.is_file():
                dead.append(f"{where} (no such file)")
                continue
            place = unquote(parts.fragment)
            if place and target in pages and place not in pages[target].ids:
                dead.append(f"{where} (no such place in it)")
    return count, dead
