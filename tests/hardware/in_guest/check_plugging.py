"""Plugging in and out while the whole gateway works: found, claimed, known again, no leak."""

import os
import time
from itertools import pairwise
from statistics import median

import pytest

from tests.hardware.in_guest.hid_gadgets import HidScale, KeyboardScanner
from tests.hardware.in_guest.line_gadgets import AcmScanner
from tests.hardware.in_guest.running_gateway import RunningGateway

EAN = "4006381333931"
# After three losses in ten minutes a device works, but people are told that it is unsteady.
WORKS = ("ready", "degraded")
CYCLES = int(os.environ.get("PLUG_CYCLES", "10"))
# Ten cycles a minute where minutes are asked for; few are done as fast as they go.
PERIOD_S = 6.0 if CYCLES >= 30 else 0.0
WARM_CYCLES = 5
MOMENTS = 5  # At each end, of which the quietest are compared.
# Of memory, from a cycle to the next, in the middle: what is done once, after a minute or when a
# history is full, is no leak; what a replug leaves behind is there in each difference.
GROWTH_BYTES_MAX = 32 * 1024


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


@pytest.mark.timeout(300 + 20 * (WARM_CYCLES + CYCLES))
def test_unplugging_for_minutes_leaks_nothing(gateway):
    memory, counts = [], []
    with KeyboardScanner("DOCK7", port=4) as scanner:
        for _ in range(WARM_CYCLES + CYCLES):
            begin = time.monotonic()
            gateway.wait_for("hand", *WORKS)
            scanner.press([(0, 0x1E)])  # In the middle of a code.
            scanner.unplug()
            gateway.wait_for("hand", "offline")
            scanner.plug()
            scanner.node("event")
            print("AWAY", flush=True)  # The host judges: it knows how long it kept us waiting.
            print(f"BACK {gateway.wait_for('hand', *WORKS):.3f}", flush=True)
            memory.append(gateway.memory_bytes())
            counts.append((gateway.threads_count(), gateway.descriptors()))
            time.sleep(max(0.0, PERIOD_S - (time.monotonic() - begin)))
    growth = median(after - before for before, after in pairwise(memory[WARM_CYCLES:]))
    threads, files = [one[0] for one in counts], [len(one[1]) for one in counts]
    print(f"memory {memory}: {growth:+.0f} bytes a cycle")
    print(f"threads {sorted(set(threads))}, descriptors {sorted(set(files))}", flush=True)
    for kept in (threads, files):  # More of them for a moment are a sweep of /sys, or a start.
        assert min(kept[-MOMENTS:]) <= min(kept[WARM_CYCLES:][:MOMENTS])
    assert growth <= GROWTH_BYTES_MAX
