"""The stock page with 20,000 items in 12 warehouses and ten pages open. Root.

Ten pages in headless Chromium on the same machine; 20 movements a second are recorded in the
server's process. A movement counts as shown at the first frame that is painted with its row.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

from tests.bench.figures import Ratio, percentile
from tests.bench.page import WATCH
from tests.ports import steady_port

PAGES, MOVEMENTS_PER_S, SECONDS = 10, 20, 20
# First paint with the table in it, and all bytes that came for it.
OPENED = """() => {
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const parts = [...performance.getEntriesByType("navigation"),
                 ...performance.getEntriesByType("resource")];
  return [paint.startTime, parts.reduce((sum, one) => sum + one.transferSize, 0) / 1000];
}"""


def measure() -> list[Ratio]:
    """Return first paint, bytes, delay of a movement and the server's memory."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        port = steady_port()
        arguments = [f"{name}/ledger.db", str(port), str(MOVEMENTS_PER_S), str(SECONDS)]
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.stock_page_server", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            return _watched(server, f"http://127.0.0.1:{port}/?lang=en")
        finally:
            server.communicate("\n", timeout=60)


def _watched(server: "subprocess.Popen[str]", url: str) -> list[Ratio]:
    assert server.stdin is not None and server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        opened = []
        pages = []
        for number in range(PAGES + 1):
            # Each has a cache of its own; the first one, that prepares the server, is not counted.
            page = browser.new_context().new_page()
            page.goto(url)
            page.wait_for_selector("#live.good", state="attached")
            if number:
                opened.append(page.evaluate(OPENED))
                pages.append(page)
            else:
                page.context.close()
        watched = pages[-1]
        watched.evaluate(WATCH)
        server.stdin.write("\n")
        server.stdin.flush()
        watched.wait_for_timeout(SECONDS * 1000)
        told: dict[str, Any] = json.loads(server.stdout.readline())
        watched.wait_for_timeout(1000)
        shown = watched.evaluate("() => window.shown")
        browser.close()
    committed = told["committed"]
    delays = [shown[number] - at_ms for number, at_ms in committed.items() if number in shown]
    detail = f"{len(delays)} of {len(committed)} movements seen, {PAGES} pages open"
    paints = [one[0] for one in opened]
    return [
        Ratio("stock-first-paint-ms", median(paints), f"worst {max(paints):.0f}", at_most=1000),
        Ratio("stock-bytes-kb", max(one[1] for one in opened), "compressed", at_most=300),
        Ratio("stock-movement-median-ms", median(delays), detail, at_most=300),
        Ratio("stock-movement-p95-ms", percentile(delays, 95), detail),
        Ratio("stock-server-mb", told["memory_mb"], detail, at_most=150),
    ]
