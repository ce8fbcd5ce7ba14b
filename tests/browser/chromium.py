"""The browser of the tests: Chromium without a window of its own. Edge (browser).

Debian builds the same version twice. `chromium-headless-shell` is the engine without tabs, menus
and their processes: it lays out, draws and runs scripts alike, and takes a third of the time.
"""

from contextlib import contextmanager
from pathlib import Path

import pytest

SHELL, WHOLE = Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")
CHROMIUM = SHELL if SHELL.exists() else WHOLE
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
]


@contextmanager
def opened_browser(*more):
    """Give a browser; it is closed at the end. more: further switches of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, launched(playwright, *more) as opened:
        yield opened


@contextmanager
def launched(playwright, *more):
    """Give a browser of a Playwright that runs; it is closed at the end."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: run `make test`, which installs it")
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*ARGUMENTS, *more])
    yield opened
    opened.close()
