"""A small part of the hardware lab in every test run, where QEMU can be had. Edge of QEMU.

One scanner through the kernel's own USB and input drivers, and one power cut of a journal. The
guest is that of `make lab`. `make test` builds and freezes it before its tests: they fetch nothing.
"""

from contextlib import ExitStack

import pytest

from tests.hardware.cache import in_use
from tests.hardware.errors import LabUnusable
from tests.hardware.guest_work import UnderTest, run_checks
from tests.hardware.guests import FreshGuests
from tests.hardware.host import find_host
from tests.hardware.image import Image, places
from tests.hardware.machine import Machine
from tests.hardware.power_cuts import JOURNAL_ALONE, cut_power
from tests.hardware.scratch import scratch

CHECK = "check_scanners.py"
CHECK_S_MAX = 300
SEED = 3
HOW = "Build it with `make lab`, which says what is missing."


@pytest.fixture(scope="module")
def image():
    with ExitStack() as kept:
        try:
            host = find_host()
            built = Image(places(host)[1], host.architecture)
            if not built.folder.is_dir():
                raise LabUnusable(f"{host.cache} has no guest of this version", hint=HOW)
            kept.enter_context(in_use(built.folder))
        except LabUnusable as error:
            pytest.skip(f"the hardware lab is left out: {error}. {error.hint}")
        assert built.frozen, "the guest was built and could not be frozen: see `make lab`"
        kept.enter_context(scratch())
        yield built


@pytest.fixture(scope="module")
def under_test(image):
    with UnderTest() as made:
        yield made


@pytest.mark.timeout(900)
def test_a_scanner_is_read_through_the_kernel(image, under_test):
    said = []
    with Machine(image) as machine:
        under_test.bring_into(machine)
        run_checks(machine, CHECK, said.append, only="read_alone", timeout_s=CHECK_S_MAX)
    assert "1 passed" in "".join(said)


@pytest.mark.timeout(900)
def test_a_journal_whose_power_is_cut_keeps_what_was_durable(image, under_test):
    guests = FreshGuests(image, under_test)
    report = cut_power(guests, print, subject=JOURNAL_ALONE, cycles=1, seed=SEED)
    assert report.kept, (report.lost, report.broken)
    assert report.greens_count > 0
