"""Serial UHF readers: commands, keeping them at it, unplugging, silence. Edge of the system."""

import time

import pytest

from drivers.errors import DeviceLost, DeviceSilent
from drivers.protocols import rfid_uhf_r200, rfid_uhf_swnet
from drivers.protocols.rfid_frames import NOISE_BYTES_MAX
from drivers.readings import DeviceFault, TagRead
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.reader_uhf_serial import VirtualR200Module, VirtualSwnetReader
from tests.drivers.waiting import read_until, read_until_raises, read_until_true
from tests.waiting import wait_for, within

EPC = "3074257BF7194E4000001A85"
OTHER = "30751FEB705C5904E3D50D70"
QUICK_R200 = {"quiet_s": 0.1, "asks_unanswered_max": 2}
QUICK_SWNET = {"poll_interval_s": 0.05, "polls_unanswered_max": 4}


def opened(name, **settings):
    driver = load_driver(name)
    return driver.open_device(driver.parse_settings(settings))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (rfid_uhf_r200.command(rfid_uhf_r200.ONE_ROUND), "bb00220000227e"),
        (rfid_uhf_r200.command(rfid_uhf_r200.MANY_ROUNDS, b"\x22\x27\x10"), "bb00270003222710837e"),
        (rfid_uhf_r200.command(rfid_uhf_r200.MANY_ROUNDS, b"\x22\0\0"), "bb0027000322 00004c7e"),
        (rfid_uhf_r200.command(rfid_uhf_r200.STOP), "bb00280000287e"),
        (rfid_uhf_swnet.question(rfid_uhf_swnet.WHO), "53570003ff1044"),
        (rfid_uhf_swnet.question(rfid_uhf_swnet.SEARCH), "53570003ff0153"),
    ],
    ids=["one round", "10000 rounds", "rounds", "stop", "who", "search"],
)
def test_commands_are_those_that_public_programs_send(made, expected):
    assert made == bytes.fromhex(expected)


def test_a_module_is_set_and_made_to_search_and_its_tags_are_read(tmp_path):
    with VirtualSerialLine(tmp_path / "reader") as line, VirtualR200Module(line) as module:
        module.lay(EPC, -48)
        device = opened("uhf-r200-serial", port=str(line.path), power_dbm=20)
        [read] = read_until(device, 1)[:1]
        assert (read.epc, read.rssi_cdbm, read.antenna) == (EPC, -4800, 0)
        assert module.power_cdbm == 2000
        device.close()


def test_a_module_that_finds_no_tag_is_neither_silent_nor_faulty(tmp_path):
    with VirtualSerialLine(tmp_path / "reader") as line, VirtualR200Module(line) as module:
        device = opened("uhf-r200-serial", port=str(line.path), **QUICK_R200)
        ends_s = time.monotonic() + 0.5  # Longer than all questions of a silent one.
        while time.monotonic() < ends_s:
            assert not device.read(0.1)
        module.lay(EPC)
        assert read_until(device, 1)[0].epc == EPC
        device.close()


def test_a_module_that_has_stopped_after_its_rounds_is_started_again(tmp_path):
    with (
        VirtualSerialLine(tmp_path / "reader") as line,
        VirtualR200Module(line, rounds_count_max=2) as module,
    ):
        module.lay(EPC)
        device = opened("uhf-r200-serial", port=str(line.path), **QUICK_R200)
        assert len(read_until(device, 5)) >= 5
        device.close()


@pytest.mark.parametrize(
    ("name", "virtual", "quick"),
    [
        ("uhf-r200", VirtualR200Module, QUICK_R200),
        ("uhf-swnet", VirtualSwnetReader, QUICK_SWNET),
    ],
    ids=["r200", "swnet"],
)
class TestBothFamilies:
    def test_a_reader_that_says_nothing_is_silent_with_a_hint(self, name, virtual, quick, tmp_path):
        with VirtualSerialLine(tmp_path / "reader") as line, virtual(line) as reader:
            reader.lay(EPC)
            device = opened(f"{name}-serial", port=str(line.path), **quick)
            read_until(device, 1)
            reader.mute()
            error = read_until_raises(device, DeviceSilent)
            assert "baud_rate" in error.hint
            device.close()
            reader.mute(muted=False)
            device = opened(f"{name}-serial", port=str(line.path), **quick)
            assert read_until(device, 1)[0].epc == EPC
            device.close()

    def test_a_reader_that_is_unplugged_is_lost_and_reads_again_once_back(
        self, name, virtual, quick, tmp_path
    ):
        with VirtualSerialLine(tmp_path / "reader") as line, virtual(line) as reader:
            reader.lay(EPC)
            device = opened(f"{name}-serial", port=str(line.path), **quick)
            read_until(device, 1)
            line.unplug()
            read_until_raises(device, DeviceLost)
            device.close()
            line.plug_in()
            device = opened(f"{name}-serial", port=str(line.path), **quick)
            assert read_until(device, 1)[0].epc == EPC
            device.close()

    def test_two_readers_do_not_hear_each_other(self, name, virtual, quick, tmp_path):
        with (
            VirtualSerialLine(tmp_path / "first") as first_line,
            VirtualSerialLine(tmp_path / "second") as second_line,
            virtual(first_line) as first,
            virtual(second_line) as second,
        ):
            first.lay(EPC)
            second.lay(OTHER)
            one = opened(f"{name}-serial", port=str(first_line.path), **quick)
            other = opened(f"{name}-serial", port=str(second_line.path), **quick)
            assert {read.epc for read in read_until(one, 3)} == {EPC}
            assert {read.epc for read in read_until(other, 3)} == {OTHER}
            one.close()
            other.close()

    def test_a_reader_behind_a_device_server_is_read_over_tcp(self, name, virtual, quick):
        with VirtualTcpPort() as port, virtual(port) as reader:
            reader.lay(EPC)
            device = opened(f"{name}-tcp", host="127.0.0.1", port=port.port, **quick)
            assert read_until(device, 1)[0].epc == EPC
            port.refuse()
            read_until_raises(device, DeviceLost)
            device.close()

    def test_half_a_frame_is_one_fault_and_the_next_tag_is_whole(
        self, name, virtual, quick, tmp_path
    ):
        with VirtualSerialLine(tmp_path / "reader") as line, virtual(line) as reader:
            device = opened(f"{name}-serial", port=str(line.path), **quick)
            device.read(0.1)
            reader.mute()
            reader.say(bytes.fromhex("43540016000101" if "swnet" in name else "bb022200"))
            reader.mute(muted=False)
            reader.lay(EPC)
            found = read_until_true(device, lambda reading: isinstance(reading, TagRead))
            assert found.epc == EPC
            device.close()

    def test_the_probe_returns_what_the_reader_calls_itself_and_nothing_of_another(
        self, name, virtual, quick, tmp_path
    ):
        driver = load_driver(f"{name}-serial")
        with VirtualSerialLine(tmp_path / "reader") as line, virtual(line) as reader:
            settings = driver.parse_settings({"port": str(line.path)})
            assert driver.probe(settings) in {
                "M100 26dBm V1.0",
                "53 57 reader 1411C3DD938E170123",
            }
            reader.mute()
            with within(2, what="the probe"):
                assert driver.probe(settings) == ""


def test_a_reader_is_asked_again_only_when_its_line_is_quiet(tmp_path):
    with VirtualSerialLine(tmp_path / "reader") as line, VirtualR200Module(line) as module:
        module.lay(EPC)
        device = opened("uhf-r200-serial", port=str(line.path), quiet_s=30)
        read_until(device, 3)
        wait_for(lambda: module.searching)
        device.close()


def test_long_noise_makes_one_fault_for_each_piece():
    protocol = rfid_uhf_r200.UhfR200Protocol()
    faults = protocol.receive_data(b"\x55" * (3 * NOISE_BYTES_MAX + 1))
    assert [(type(fault), len(fault.raw)) for fault in faults] == [(DeviceFault, 256)] * 3
