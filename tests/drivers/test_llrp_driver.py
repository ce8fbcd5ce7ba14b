"""llrp-tcp from its settings to its readings, over TCP, with readers ours and foreign. Root."""

import asyncio
import contextlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from llrpkit.reader import Reader

from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.readings import DeviceFault, InputChanged, TagRead
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualTcpPort
from drivers.simulators.reader_llrp import VirtualLlrpReader
from drivers.simulators.reader_llrp_core import ReaderModel
from tests.drivers.waiting import read_until, read_until_raises, read_until_true
from tests.programs import started
from tests.waiting import wait_for, within

EPC = "3074257BF7194E4000001A85"
OTHER = "3174257BF4499602D2000000"
ROOT = Path(__file__).parents[2]
DRIVER = load_driver("llrp-tcp")


def settings_for(port, **settings):
    return DRIVER.parse_settings({"host": "127.0.0.1", "port": port, **settings})


@pytest.fixture
def opened():
    with contextlib.ExitStack() as stack:

        def open_at(port, **settings):
            device = DRIVER.open_device(settings_for(port, **settings))
            stack.callback(device.close)
            return device

        yield open_at


@pytest.fixture
def reader():
    with VirtualLlrpReader() as virtual:
        yield virtual


def test_a_tag_that_passes_is_read(reader, opened):
    device = opened(reader.port)
    assert reader.see(EPC, 3, rssi_cdbm=-6100, count=2)
    (read,) = read_until(device, 1)
    assert (read.epc, read.antenna, read.rssi_cdbm, read.reads_count) == (EPC, 3, -6100, 2)
    assert abs(read.last_seen_us - reader.clock_us()) < 10_000_000
    assert device.read(0.0) == []


def test_a_reader_switched_off_is_lost_and_what_it_held_comes_first_when_it_is_back(reader, opened):
    device = opened(reader.port)
    reader.refuse()
    read_until_raises(device, DeviceLost)
    device.close()
    assert reader.see(EPC, 1)
    with pytest.raises(DeviceLost, match="cannot connect"):
        opened(reader.port)
    reader.listen()
    device = opened(reader.port)
    reader.see(OTHER, 1)
    first, second = read_until(device, 2)
    assert (first.epc, first.held) == (EPC, True)
    assert (second.epc, second.held) == (OTHER, False)


def test_what_was_held_is_told_even_if_the_reader_then_refuses_to_work(reader, opened):
    opened(reader.port).close()
    wait_for(lambda: not reader.connected)
    assert reader.see(EPC, 1)
    reader.refuse_rospecs_with(401)
    device = opened(reader.port, antennas=[2])
    (held,) = read_until(device, 1)
    assert (held.epc, held.held) == (EPC, True)
    error = read_until_raises(device, DeviceLost)
    assert "R_DeviceError" in str(error)
    device.close()
    with pytest.raises(DeviceLost, match="R_DeviceError"):
        opened(reader.port, antennas=[2])


def test_a_report_cut_off_in_the_middle_is_never_joined_to_another(reader, opened):
    device = opened(reader.port)
    reader.see(EPC, 1)
    read_until(device, 1)
    reader.drop_client(mid_frame=True)
    read_until_raises(device, DeviceLost)
    device.close()
    device = opened(reader.port)
    reader.see(OTHER, 1)
    assert [one.epc for one in read_until(device, 1)] == [OTHER]


def test_a_pulled_cable_is_noticed_by_missing_keepalives(reader, opened):
    device = opened(reader.port, keepalive_s=0.1)
    reader.mute()
    with within(2, what="the notice"):
        error = read_until_raises(device, DeviceLost)
    assert "keepalive" in str(error)
    assert "cable" in error.hint


def test_keepalives_are_answered_while_nothing_passes(reader, opened):
    device = opened(reader.port, keepalive_s=0.1)
    wait_for(lambda: device.read(0.05) == [] and reader.messages_seen.count(72) >= 5)


def test_a_reader_takes_one_program_only(reader, opened):
    opened(reader.port)
    with pytest.raises(DeviceLost, match="status 2") as caught:
        opened(reader.port)
    assert "another program" in caught.value.hint.lower() or "other program" in caught.value.hint


def test_a_closed_device_leaves_the_reader_free_at_once(reader, opened):
    device = opened(reader.port)
    device.close()
    device.close()
    wait_for(lambda: not reader.connected)
    assert 14 in reader.messages_seen


def test_two_readers_do_not_mix(opened):
    with VirtualLlrpReader() as first, VirtualLlrpReader() as second:
        devices = opened(first.port), opened(second.port)
        for number in range(20):
            first.see(f"{number:024X}", 1)
            second.see(f"{number + 100:024X}", 1)
        found = [[int(one.epc, 16) for one in read_until(device, 20)] for device in devices]
    assert found == [list(range(20)), list(range(100, 120))]


def test_a_reader_that_reboots_with_another_clock_is_set_up_again(reader, opened):
    device = opened(reader.port)
    reader.see(EPC, 1)
    (before,) = read_until(device, 1)
    reader.reboot(clock_jump_us=-86_400_000_000)
    read_until_raises(device, DeviceLost)
    device.close()
    assert not reader.see(EPC, 1), "it has forgotten its work"
    device = opened(reader.port)
    reader.see(EPC, 1)
    (after,) = read_until(device, 1)
    assert after.last_seen_us < before.last_seen_us
    assert not after.held


def test_an_input_starts_and_stops_reading_and_is_told(reader, opened):
    device = opened(
        reader.port,
        start={"port": 1, "level": "high"},
        stop={"port": 1, "level": "low", "timeout_s": 60},
        report_every_tags=0,
        inputs=[{"port": 1, "name": "beam", "code": "CMD-DOCK"}],
    )
    assert not reader.see(EPC, 1)
    reader.set_input(1, high=True)
    assert reader.see(EPC, 1)
    assert read_until(device, 1) == [InputChanged("beam", True, "CMD-DOCK", b"\x00\x01\x80")]
    reader.set_input(1, high=False)
    found = read_until(device, 2)
    assert {type(one) for one in found} == {InputChanged, TagRead}
    assert not reader.see(EPC, 1)


def test_reading_ends_after_its_time(reader, opened):
    opened(reader.port, start={"port": 2}, stop_after_s=0.05)
    reader.set_input(2, high=True)
    assert reader.reading
    wait_for(lambda: not reader.reading)


def test_what_troubles_the_reader_is_told(reader, opened):
    device = opened(reader.port)
    reader.set_antenna(2, connected=False)
    reader.set_antenna(2, connected=True)
    reader.warn_memory(90)
    reader.fail("PA too hot")
    faults = read_until(device, 3)
    assert [one.code for one in faults] == ["reader_error"] * 3
    assert [one.detail for one in faults] == [
        "antenna 2 is disconnected",
        "its report memory is 90 % full",
        "exception: PA too hot",
    ]


def test_a_reader_whose_memory_overflowed_while_away_says_that_reads_are_lost(opened):
    with VirtualLlrpReader(ReaderModel(kept_reports_max=5)) as reader:
        opened(reader.port).close()
        wait_for(lambda: not reader.connected)
        for number in range(9):
            reader.see(f"{number:024X}", 1)
        device = opened(reader.port)
        found = read_until(device, 6)
    assert [one.code for one in found if isinstance(one, DeviceFault)] == ["reads_lost"]
    assert [int(one.epc, 16) for one in found if isinstance(one, TagRead)] == list(range(5))


def test_one_call_returns_a_bounded_number_of_readings(reader, opened):
    device = opened(reader.port)
    for number in range(1200):
        reader.see(f"{number:024X}", 1)
    counts = []
    while sum(counts) < 1200:
        counts.append(len(device.read(1.0)))
        assert 0 < counts[-1] <= 500


@pytest.mark.parametrize("status", [1, 3])
def test_a_reader_that_refuses_is_lost_with_its_reason(reader, opened, status):
    reader.refuse_with(status)
    with pytest.raises(DeviceLost, match=f"status {status}"):
        opened(reader.port)


def test_something_else_at_the_port_is_silent_or_no_reader(opened):
    with VirtualTcpPort() as other:
        with pytest.raises(DeviceSilent):
            opened(other.port, answer_timeout_s=0.1)
        other.drop_clients()

        def greet():
            assert other.wait_for_client(5)
            other.write(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(DeviceLost, match="does not speak LLRP"):
            opened(other.port)
        thread.join()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"stop_after_s": 5}, "start"),
        ({"stop": {"port": 1}}, "start"),
        ({"report_every_tags": 0}, "report_every_tags"),
        ({"start": {"port": 1}, "stop": {"port": 1}, "stop_after_s": 1}, "not both"),
        ({"inputs": [{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]}, "same port"),
        ({"inputs": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]}, "same name"),
        ({"session": 4}, "session"),
        ({"antennas": [0]}, "antennas"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, words):
    with pytest.raises(SettingsInvalid, match=words):
        settings_for(5084, **settings)


def test_a_reader_says_who_it_is_also_while_in_use(reader, opened):
    assert DRIVER.probe(settings_for(reader.port)).startswith("Impinj model 2001002")
    wait_for(lambda: not reader.connected)
    opened(reader.port)
    assert "in use" in DRIVER.probe(settings_for(reader.port))
    with VirtualTcpPort() as other:
        other.refuse()
        assert DRIVER.probe(settings_for(other.port)) == ""


@pytest.fixture
def foreign():
    command = [sys.executable, "-m", "tests.drivers.llrp_peer", "400"]
    with started(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        yield peer, int(peer.stdout.readline())
        peer.stdin.close()
        assert peer.wait(60) == 0


def test_a_foreign_reader_is_read_with_its_inputs_and_faults(foreign, opened):
    peer, port = foreign
    device = opened(port, impinj_extensions=True, inputs=[{"port": 1, "name": "beam"}])
    reads = [one for one in read_until(device, 100) if isinstance(one, TagRead)]
    assert {one.epc[:20] for one in reads} == {"E2000017010B01621000"}
    assert {one.antenna for one in reads} <= {1, 2, 3, 4}
    assert all(-9000 < one.rssi_cdbm < -3000 and 0 <= one.phase < 4096 for one in reads)
    assert all(one.first_seen_us == one.last_seen_us for one in reads)
    print("input 1 1", file=peer.stdin, flush=True)
    found = read_until_true(device, lambda one: isinstance(one, InputChanged))
    assert (found.name, found.active) == ("beam", True)
    print("antenna 2 0", file=peer.stdin, flush=True)
    fault = read_until_true(device, lambda one: isinstance(one, DeviceFault))
    assert fault.detail == "antenna 2 is disconnected"
    device.close()
    assert read_until(opened(port, keepalive_s=0.2), 10)


def test_a_foreign_reader_tells_who_it_is(foreign):
    _, port = foreign
    assert DRIVER.probe(settings_for(port)) == "Impinj model 700 firmware llrpkit-emu 0.1"


def test_a_foreign_client_reads_our_virtual_reader(reader):
    async def read_some():
        found = []
        async with Reader("127.0.0.1", reader.port) as client:
            assert client.capabilities.manufacturer == 25882
            stream = client.inventory(antennas=[1], session=2)
            feeder = asyncio.get_running_loop().create_task(pass_tags())
            async for report in stream:
                found.append(report)
                if len(found) == 20:
                    break
            await stream.aclose()
            feeder.cancel()
        return found

    async def pass_tags():
        while True:
            reader.see(OTHER, 1, rssi_cdbm=-5500)
            await asyncio.sleep(0.001)

    reports = asyncio.run(asyncio.wait_for(read_some(), 20))
    assert {one.epc_hex.upper() for one in reports} == {OTHER}
    assert {one.rssi_dbm for one in reports} == {-55.0}
