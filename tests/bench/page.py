"""From the green signal at a gateway to the row on central's page in a browser. Root.

Ten gateways' cores scan 50 times a second in all; mosquitto, the shipped central on SQLite and
headless Chromium with the stock page run on the same machine, whose clock is the one of both ends.
A row counts as shown at the first frame that is painted after it came.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright
from sqlalchemy import text

from central.storage.database import open_database
from tests import brokers
from tests.bench.acknowledgement import start_central
from tests.bench.catch_up import ledger_of
from tests.bench.figures import Ratio, percentile

GATEWAYS = tuple(f"dock-{number:02d}" for number in range(10))
SCANS_PER_S = 50
SECONDS = 20
MEDIAN_MS_MAX = 150
P99_MS_MAX = 500
# Notes when each record number was first painted.
WATCH = """() => {
  window.shown = {};
  const note = () => requestAnimationFrame(() => setTimeout(() => {
    const now = performance.timeOrigin + performance.now();
    for (const row of document.querySelectorAll("#feed li[data-no]"))
      if (!(row.dataset.no in window.shown)) window.shown[row.dataset.no] = now;
  }, 0));
  new MutationObserver(note).observe(document.getElementById("feed"), { childList: true });
}"""


def measure() -> list[Ratio]:
    """Return median and 99th percentile in milliseconds."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, ExitStack() as stack:
        directory = Path(name)
        for code in GATEWAYS:
            (directory / code).mkdir()
        broker = stack.enter_context(brokers.mosquitto(directory / "broker"))
        ledger_of(directory / "ledger.db", directory, GATEWAYS).close()
        central = start_central(directory, broker, stack)
        shown, signals = _scan(directory, broker.port, central.http_port)
        delays = _delays(directory / "ledger.db", shown, signals)
    detail = f"{len(delays)} of {len(signals)} rows seen, {SCANS_PER_S} scans a second"
    return [
        Ratio("beep-to-row-median-ms", median(delays), detail, at_most=MEDIAN_MS_MAX),
        Ratio("beep-to-row-p99-ms", percentile(delays, 99), detail, at_most=P99_MS_MAX),
    ]


def _scan(
    directory: Path, broker_port: int, http_port: int
) -> tuple[dict[str, float], list[tuple[str, str, int, float]]]:
    arguments = [str(directory), str(broker_port), str(SCANS_PER_S), str(SECONDS)]
    gateways = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.page_gateways", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert gateways.stdout is not None and gateways.stdin is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{http_port}/?lang=en")
        page.evaluate(WATCH)
        assert gateways.stdout.readline() == "ready\n"
        gateways.stdin.write("go\n")
        gateways.stdin.flush()
        page.wait_for_timeout(SECONDS * 1000)
        signals = [tuple(one) for one in json.loads(gateways.stdout.readline())]
        page.wait_for_timeout(1000)
        shown = page.evaluate("() => window.shown")
        browser.close()
    gateways.communicate(timeout=30)
    return shown, signals


def _delays(
    database_file: Path, shown: dict[str, float], signals: list[tuple[str, str, int, float]]
) -> list[float]:
    database = open_database(f"sqlite:///{database_file}", checkpoints=False)
    with database.read() as connection:
        rows = connection.execute(text("SELECT gateway, epoch, seq, record_no FROM facts"))
        numbers = {(row[0], row[1], row[2]): str(row[3]) for row in rows}
    database.close()
    found = [(shown.get(numbers[one[:3]]), one[3]) for one in signals]
    return [at_ms - signal_ms for at_ms, signal_ms in found if at_ms is not None]
