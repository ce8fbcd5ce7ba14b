"""RFID readers on a serial line through the guest's kernel and the drivers under test."""

import pytest

from drivers.readings import TagRead
from drivers.simulators.reader_uhf_serial import VirtualR200Module, VirtualSwnetReader
from tests.hardware.in_guest.line_gadgets import FtdiLine

EPC = "3074257BF7194E4000001A85"
OTHER = "30751FEB705C5904E3D50D70"
# Longer than this machine may hold up the reader, which is a program here.
READERS = {
    "uhf-r200-serial": (VirtualR200Module, {"quiet_s": 5.0, "asks_unanswered_max": 20}),
    "uhf-swnet-serial": (VirtualSwnetReader, {"poll_interval_s": 0.1, "polls_unanswered_max": 500}),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.drivers(name)) for name in READERS]
)
def test_a_serial_reader_tells_the_tags_that_lie_before_it_and_is_missed(name, opened):
    simulator, settings = READERS[name]
    with FtdiLine() as line, simulator(line) as far:
        far.lay(EPC)
        far.lay(OTHER)
        device = opened(name, port=line.node("ttyUSB"), **settings)
        device.until(lambda _: epcs(device) == {EPC, OTHER})
        far.take_away(OTHER)
        far.mute()
        line.write(b"\xbb\x02\x22\x00\x11" if "r200" in name else b"CT\x00\x20\x00")
        device.readings.clear()
        line.unplug()
        assert device.lost().hint
        assert epcs(device) <= {EPC, OTHER}  # Of before; half a frame is no tag.


def epcs(device):
    return {one.epc for one in device.readings if isinstance(one, TagRead)}
