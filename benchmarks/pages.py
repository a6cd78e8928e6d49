"""Measure the built pages in a browser: weight, requests, accessibility, tables and length.

Run as `python -m benchmarks.pages [FOLDER OF HTML]`. Pages come from a server of this machine that
compresses, as public ones do, so that bytes are those of a reader's connection.
"""

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import FLAGS, ROOT, find_chromium
from tests.web import AXE, RUN_AXE, SETTLED, TABLES, TRIM

TEXT = (".html", ".css", ".js", ".svg", ".json", ".csv", ".txt")
AXE_WIDTHS = (1280, 390, 320)
TABLE_WIDTHS = (320, 390, 768, 1024, 1280, 1366, 1440)
SCREENS = ((1280, 800), (390, 844))


IDLE = """new Promise(
  resolve => requestAnimationFrame(() => requestIdleCallback(resolve))
)"""
"""Is done when a page was painted once, so that near pictures are asked for, and has nothing to do.
"""


class Compressing(SimpleHTTPRequestHandler):
    """Serves a folder, texts compressed, to be kept for ten minutes."""

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def send_head(self) -> Any:
        """Send the head of a reply and return its body."""
        path = Path(self.translate_path(self.path))
        if not path.is_file() or path.suffix not in TEXT:
            return super().send_head()
        body = gzip.compress(path.read_bytes(), 6, mtime=0)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)

    def end_headers(self) -> None:
        """Let the browser keep what it got."""
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressing, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def visit(page: Page, address: str, name: str) -> dict[str, Any]:
    """Return what the network did for one visit of a page."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    sizes: Counter[str] = Counter()
    asked: list[str] = []
    under_way: set[str] = set()

    def ask(event: dict[str, Any]) -> None:
        asked.append(event["request"]["url"])
        under_way.add(event["requestId"])

    def end(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] += int(event.get("encodedDataLength", 0))
        under_way.discard(event["requestId"])

    client.on("Network.requestWillBeSent", ask)
    client.on("Network.requestServedFromCache", lambda _: asked.append("cache"))
    client.on("Network.loadingFinished", end)
    client.on("Network.loadingFailed", end)
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.goto(f"{address}/{name}", wait_until="load")
    page.evaluate(IDLE)
    while under_way:
        page.wait_for_timeout(10)
    urls = [url for url in asked if url.startswith("http")]
    other = [url for url in urls if not url.startswith(address)]
    client.detach()
    return {
        "kb": sum(sizes.values()) / 1000,
        "requests": len(urls) - asked.count("cache"),
        "other": len(other),
        "errors": len(errors),
    }


def weigh(browser: Browser, address: str, names: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each page with its network's figures: first of all, and after another page."""
    size: Any = {"width": 1280, "height": 800}
    home, *others = names
    with browser.new_context(viewport=size) as warm:
        page = warm.new_page()
        page.goto(f"{address}/{others[0]}", wait_until="networkidle")
        page.goto("about:blank")
        after = {home: visit(page, address, home)}
        # All that pages have in common is there; what only one shows is not.
        after |= {name: visit(page, address, name) for name in others[1:]}
    with browser.new_context(viewport=size) as warm:
        page = warm.new_page()
        page.goto(f"{address}/{home}", wait_until="networkidle")
        after[others[0]] = visit(page, address, others[0])
    with browser.new_context(viewport=size) as cold:
        page = cold.new_page()
        client = cold.new_cdp_session(page)
        for name in names:
            page.goto("about:blank")
            client.send("Network.clearBrowserCache")
            yield name, visit(page, address, name) | {"next": after[name]["kb"]}


def count_violations(browser: Browser, address: str, name: str) -> list[int]:
    """Return the violations that axe finds, light then dark, by width."""
    out = []
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme, reduced_motion="reduce") as context:
            page = context.new_page()
            page.goto(f"{address}/{name}")
            page.evaluate(AXE)
            page.evaluate(TRIM)
            for width in AXE_WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_function(SETTLED)
                out.append(len(page.evaluate(RUN_AXE, [{}, None])))
    return out


def look(browser: Browser, address: str, name: str) -> dict[str, Any]:
    """Return tables that scroll and that are cut off, by width, and the length in screens."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/{name}")
        tables = []
        for width in TABLE_WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found = page.evaluate(TABLES)
            tables.append((found["all"], len(found["scroll"]), len(found["cut"])))
        screens = []
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("for (const i of document.images) i.loading = 'eager'")
            page.wait_for_load_state("networkidle")
            screens.append(page.evaluate("document.documentElement.scrollHeight") / height)
    return {"tables": tables, "screens": screens}


def main() -> None:
    """Measure every page and print one table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html"
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    )
    print(
        "page | first KB | requests | next KB | other hosts | errors | axe light "
        f"{'/'.join(map(str, AXE_WIDTHS))}, dark | tables | scroll(cut) at "
        f"{'/'.join(map(str, TABLE_WIDTHS))} | screens 1280x800, 390x844"
    )
    with serve(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for name, net in weigh(browser, address, names):
            axe = count_violations(browser, address, name)
            seen = look(browser, address, name)
            scroll = "/".join(f"{s}({c})" if c else str(s) for _, s, c in seen["tables"])
            print(
                f"{name} | {net['kb']:.0f} | {net['requests']} | {net['next']:.0f} | "
                f"{net['other']} | {net['errors']} | {' '.join(map(str, axe))} | "
                f"{seen['tables'][0][0]} | {scroll} | "
                + ", ".join(f"{s:.1f}" for s in seen["screens"]),
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
