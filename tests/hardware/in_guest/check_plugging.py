"""Plugging in and out while the whole gateway works: found, claimed, known again, no leak."""

import os
import time
from statistics import median

import pytest

from tests.hardware.in_guest.hid_gadgets import HidScale, KeyboardScanner
from tests.hardware.in_guest.line_gadgets import AcmScanner
from tests.hardware.in_guest.running_gateway import RunningGateway

EAN = "4006381333931"
# After three losses in ten minutes a device works, but people are told that it is unsteady.
WORKS = ("ready", "degraded")
BACK_S_MAX = 2.0  # From the device node to "ready".
CYCLES = int(os.environ.get("PLUG_CYCLES", "10"))
PERIOD_S = 6.0  # Ten cycles a minute.
WARM_CYCLES = 10
MEMORY_GROWTH_BYTES_MAX = 512 * 1024


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with RunningGateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def test_devices_are_found_claimed_and_read(gateway):
    with KeyboardScanner("DOCK7", port=0) as scanner, HidScale("WEIGH7", port=1):
        gateway.claim(gateway.found("Lab Scanner")["key"], "hand", "scanner-evdev")
        gateway.claim(gateway.found("Lab Scale")["key"], "floor", "scale-hidraw")
        idle = gateway.prompt()
        gateway.scan(scanner, "CMD-RECEIVE", until=lambda: gateway.prompt() != idle)
        gateway.scan(scanner, EAN, until=gateway.movements)


def test_each_is_known_again_in_another_port_and_another_order(gateway):
    with (
        KeyboardScanner("DOCK7", plugged=False) as scanner,
        HidScale("WEIGH7", plugged=False) as scale,
        AcmScanner("OTHER", port=0),
    ):
        gateway.wait_for("hand", "offline")
        gateway.wait_for("floor", "offline")
        scale.plug(port=3)
        scanner.plug(port=2)
        scanner.node("event")
        print(f"back in service after {gateway.wait_for('hand', 'ready'):.2f} s")
        gateway.wait_for("floor", "ready")


def test_unplugging_for_minutes_leaks_nothing_and_each_time_it_is_back_at_once(gateway):
    backs, measured = [], []
    with KeyboardScanner("DOCK7", port=4) as scanner:
        for _ in range(WARM_CYCLES + CYCLES):
            begin = time.monotonic()
            gateway.wait_for("hand", *WORKS)
            scanner.press([(0, 0x1E)])  # In the middle of a code.
            scanner.unplug()
            gateway.wait_for("hand", "offline")
            scanner.plug()
            scanner.node("event")
            backs.append(gateway.wait_for("hand", *WORKS))
            measured.append(
                (gateway.memory_bytes(), gateway.threads_count(), gateway.descriptors())
            )
            time.sleep(max(0.0, PERIOD_S - (time.monotonic() - begin)))
    print(f"back in service: median {median(backs):.2f} s, slowest {max(backs):.2f} s")
    (first, threads, files), (last, threads_last, files_last) = measured[WARM_CYCLES], measured[-1]
    print(f"bytes {[one[0] for one in measured]}; threads {threads} -> {threads_last}")
    assert threads_last == threads
    assert files_last == files
    assert last - first <= MEMORY_GROWTH_BYTES_MAX
    assert median(backs) <= BACK_S_MAX
