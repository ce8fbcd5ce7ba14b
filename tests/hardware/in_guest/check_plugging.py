"""Plugging in and out while the whole gateway works: found, claimed, known again, no leak."""

import os
import time
from itertools import pairwise
from statistics import median

import pytest

from drivers.simulators.printer_zpl import VirtualZplPrinter
from tests.hardware.in_guest.hid_gadgets import HidScale, KeyboardScanner
from tests.hardware.in_guest.line_gadgets import AcmScanner
from tests.hardware.in_guest.open_counts import grown
from tests.hardware.in_guest.printer_gadget import LabelPrinter
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
# Of the other kinds of devices, all at once: a printer is missed by the next question, in 10 s.
OTHERS_WARM_CYCLES, OTHERS_CYCLES = 1, 4


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


class Held:
    """What the gateway holds after each replug: memory and descriptors."""

    def __init__(self, gateway, *, warm_count):
        self._gateway = gateway
        self._warm_count = warm_count
        self._memory, self._counts = [], []

    def look(self):
        """Take note of a moment."""
        self._memory.append(self._gateway.memory_bytes())
        self._counts.append(self._gateway.open_counts())

    def judge(self, *, ends_count, devices_count=1):
        """Assert that no replug leaves anything behind, once it is warm.

        ends_count: see `grown`. devices_count: so many were pulled out each time.
        """
        memory, counts = self._memory[self._warm_count :], self._counts[self._warm_count :]
        growth = median(after - before for before, after in pairwise(memory)) / devices_count
        print(f"memory {self._memory}: {growth:+.0f} bytes a replug")
        print(f"open {[dict(sorted(one.items())) for one in self._counts]}", flush=True)
        assert not (leaks := grown(counts, ends_count=ends_count)), leaks
        assert growth <= GROWTH_BYTES_MAX


@pytest.mark.timeout(300 + 20 * (WARM_CYCLES + CYCLES))
def test_unplugging_for_minutes_leaks_nothing(gateway):
    held = Held(gateway, warm_count=WARM_CYCLES)
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
            held.look()
            time.sleep(max(0.0, PERIOD_S - (time.monotonic() - begin)))
    held.judge(ends_count=MOMENTS)


def test_scales_serial_scanners_and_printers_leak_nothing_either(gateway):
    with (
        HidScale("WEIGH7", port=1) as scale,
        AcmScanner("BELT7", port=2) as scanner,
        LabelPrinter("LABEL7", port=3) as line,
        VirtualZplPrinter(line),
    ):
        gateway.claim(gateway.found("Lab CDC Scanner")["key"], "belt", "scanner-serial")
        gateway.claim(gateway.found("Lab Label Printer")["key"], "labels", "zpl-device")
        held = Held(gateway, warm_count=OTHERS_WARM_CYCLES)
        for _ in range(OTHERS_WARM_CYCLES + OTHERS_CYCLES):
            for device in (scale, scanner, line):
                device.unplug()
            for name in ("floor", "belt", "labels"):
                gateway.wait_for(name, "offline")
            for device in (scale, scanner, line):
                device.plug()
            for name in ("floor", "belt", "labels"):
                gateway.wait_for(name, *WORKS)
            held.look()
        held.judge(ends_count=OTHERS_CYCLES // 2, devices_count=3)
