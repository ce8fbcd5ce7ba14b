"""Settings of all tests: searches are not timed, and a failing example is printed to repeat it."""

import gc
import sys
from functools import cache
from importlib.util import find_spec

import pytest
from hypothesis import settings

# A deadline would time the machine, not the code.
settings.register_profile("dockledger", deadline=None, print_blob=True)
settings.load_profile("dockledger")

# As central has it when it runs: tests make and drop far more than Python's own thresholds expect.
gc.set_threshold(50_000, 20, 100)

# The HTTP client asks for it with each request; where it is not installed, that is a search of the
# whole path, a twentieth of a request to an application in this process.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None

# A package of its own with its own tests: tests/drivers/test_third_party.py installs and runs it.
collect_ignore = ["third_party"]

# What takes longest comes first: at the end one worker would wait alone. Pages keep a core busy and
# what starts programs or keeps to the times of a device waits, so they take turns.
LONG = (
    "tests/hardware/test_lab_smoke.py",
    "tests/browser/test_every_page.py",
    "tests/central/test_workers.py",
    "tests/trust/test_broker_heard.py",
    "tests/browser/test_station_workflows.py",
    "tests/scenarios/test_demo.py",
    "tests/drivers/test_conformance_devices.py",
    "tests/chaos/test_kills.py",
    "tests/scenarios/test_a_week.py",
    "tests/simulation/",
    "tests/central/web/test_connections.py",
    "tests/browser/test_station_page.py",
    "tests/scenarios/test_two_docks.py",
    "tests/gateway/devices/test_discovery_gateway.py",
    "tests/browser/test_document_pages.py",
    "tests/gateway/test_command_line.py",
    "tests/browser/test_oversight.py",
    "tests/trust/test_broker.py",
    "tests/browser/test_central_bad_input.py",
    "tests/provisioning/updating/",
    "tests/browser/test_shell.py",
    "tests/drivers/test_printer_zpl_driver.py",
    "tests/central/stock/test_as_of.py",
    "tests/central/invariants/",
    "tests/chaos/",
    "tests/browser/",
    "tests/scenarios/",
    "tests/central/backup/",
    "tests/central/api/test_openapi.py",
    "tests/central/test_",
    "tests/gateway/test_",
    "tests/gateway/replication/",
    "tests/provisioning/",
    "tests/trust/",
    "tests/drivers/",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no cycles while tests are collected: all that is made lives to the end.

    The search would go through it again and again, for 40 % of the time, in each of the workers.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items):
    """Put the files that take longest first, and leave the order within them."""

    @cache
    def rank(file):
        starts = (number for number, path in enumerate(LONG) if file.startswith(path))
        return next(starts, len(LONG))

    items.sort(key=lambda item: rank(item.nodeid.partition("::")[0]))


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_already_is_not_collected():
    """Leave what earlier files made out of the search for cycles.

    Whole applications stay in memory from file to file; tests that look at memory collect dozens of
    times, and would walk through all of it each time. Collected at the end of a file, what it has
    left open is told as a fault of its last test.
    """
    gc.freeze()
    yield
    gc.collect()
