"""The station page on a slow computer, with a whole gateway behind it. Root.

A gateway runs as a process of its own, with a scanner on TCP; headless Chromium shows its page at
1024 x 600 with its CPU throttled six-fold, as DevTools does, which is about a Pi 3. "First paint"
is that of the prompt and the lights, not of an empty page. A scan counts from its last byte on the
scanner's line until the frame after the one that shows it.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.bench.figures import Ratio, percentile
from tests.waiting import wait_for

THROTTLED = 6
LOADS = 5
SCANS = 60
PAUSE_S = 0.25
PAGE_KB_MAX = 60
PAINT_MS_MAX = 1000
PICTURE_MS_MAX = 100
CONFIGURATION = """
[gateway]
code = "bench-1"
warehouse = "SH1"
data_directory = "data"
[station]
code = "dock-1"
receive_location = "DOCK-1"
[mqtt]
host = "127.0.0.1"
port = 1
[screen]
port = 0
[discovery]
enabled = false
[[device]]
name = "dock-1-scanner"
driver = "scanner-tcp"
settings = { host = "127.0.0.1", port = PORT }
"""
# Notes by the wall clock when what was scanned has been painted.
WATCH = """() => {
  window.painted = {};
  const note = () => {
    const text = document.getElementById("scans").textContent;
    const code = (text.match(/LOT[0-9]+/) || [""])[0];
    if (code) requestAnimationFrame(() => setTimeout(() => {
      window.painted[code] = window.painted[code] || performance.timeOrigin + performance.now();
    }, 0));
  };
  new MutationObserver(note).observe(document.getElementById("scans"), { childList: true });
}"""
READY = """() => document.querySelector("#prompt").textContent.startsWith("Scan")
  && new Promise((done) =>
    requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""


def measure() -> list[Ratio]:
    """Return the page's size, its first paint and the time from a scan to its picture."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = _gateway(Path(name), server.getsockname()[1], stack)
        line = stack.enter_context(server.accept()[0])
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        stack.callback(browser.close)
        kilobytes, paints = [], []
        for _ in range(LOADS):
            page = browser.new_page(viewport={"width": 1024, "height": 600})
            counted = _load(page, url)
            paints.append(page.wait_for_function(READY).json_value())
            page.wait_for_timeout(500)  # Until all that it loads is here.
            kilobytes.append(sum(counted) / 1000)
            page.close()
        delays = _scan(browser.new_page(viewport={"width": 1024, "height": 600}), url, line)
    slow = f"CPU throttled {THROTTLED}-fold"
    return [
        Ratio("station-page-kb", max(kilobytes), "all that it loads", at_most=PAGE_KB_MAX),
        Ratio(
            "station-page-first-paint-ms",
            median(paints),
            f"{LOADS} loads, {slow}",
            at_most=PAINT_MS_MAX,
        ),
        Ratio(
            "scan-to-picture-median-ms",
            median(delays),
            f"{len(delays)} of {SCANS} scans seen, p95 {percentile(delays, 95):.0f} ms, {slow}",
            at_most=PICTURE_MS_MAX,
        ),
    ]


def _gateway(folder: Path, port: int, stack: ExitStack) -> str:
    config, log_file = folder / "gateway.toml", folder / "gateway.log"
    config.write_text(CONFIGURATION.replace("PORT", str(port)))
    program = subprocess.Popen(
        [sys.executable, "-m", "gateway.service", str(config), "info"],
        stderr=stack.enter_context(log_file.open("wb")),
    )
    stack.callback(program.wait, 20)
    stack.callback(program.terminate)

    def running() -> list[str]:
        lines = [line for line in log_file.read_text().splitlines() if line.startswith("{")]
        said = [json.loads(line) for line in lines]
        return [one["screen"] for one in said if one["event"] == "gateway running"]

    return wait_for(running, what="gateway running", timeout_s=30)[0]


def _load(page: Page, url: str) -> list[int]:
    """Open the page, throttled; return the bytes of every answer, which go on to be added."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLED})
    counted: list[int] = []
    session.on("Network.dataReceived", lambda said: counted.append(said["dataLength"]))
    page.goto(url, wait_until="commit")
    return counted


def _scan(page: Page, url: str, line: socket.socket) -> list[float]:
    _load(page, url)
    page.wait_for_selector("#tiles button")
    line.sendall(b"CMD-RECEIVE\r")
    page.wait_for_selector("#signal.info")
    page.evaluate(WATCH)
    sent: dict[str, float] = {}
    for number in range(SCANS):
        code = f"LOT{number}"
        line.sendall(code.encode() + b"\r")
        sent[code] = time.time() * 1000
        page.wait_for_timeout(PAUSE_S * 1000)
    painted = page.evaluate("() => window.painted")
    return [painted[code] - at for code, at in sent.items() if code in painted]
