"""A device on a line: waiting, idle limits, polling and silence. Loop."""

import threading
import time

import pytest

from drivers.api import DeviceCommand
from drivers.builtin.stream import Polling, StreamDevice
from drivers.errors import DeviceLost, DeviceSilent
from drivers.protocols.scale_mt_sics import MtSicsProtocol
from drivers.protocols.scanner_text import ScannerText, ScannerTextProtocol
from drivers.readings import BarcodeScanned, WeightMeasured
from drivers.simulators.lines import VirtualTcpPort
from drivers.transports.tcp_client import open_tcp
from tests.drivers.waiting import DEADLINE_S, read_until, read_until_raises
from tests.waiting import within


@pytest.fixture
def far():
    with VirtualTcpPort() as port:
        yield port


@pytest.fixture
def line(far):
    opened = open_tcp("127.0.0.1", far.port, connect_timeout_s=DEADLINE_S)
    assert far.wait_for_client(DEADLINE_S)
    yield opened
    opened.close()


def scanner(line, *, idle_s=0.05):
    return StreamDevice(line, ScannerTextProtocol(ScannerText()), idle_s=idle_s)


def scale(line, *, interval_s=0.02, unanswered_max=3, answer_age_max_s=1.0):
    polling = Polling(
        command=b"SI\r\n",
        interval_s=interval_s,
        unanswered_max=unanswered_max,
        silent_hint="Switch the scale on.",
        answer_age_max_s=answer_age_max_s,
    )
    return StreamDevice(line, MtSicsProtocol(), idle_s=0.05, polling=polling)


def test_readings_are_returned_as_soon_as_they_are_complete(far, line):
    far.write(b"]E04006381333931\r95011\r")
    with within(1, what="the reading"):
        readings = read_until(scanner(line), 2, timeout_s=DEADLINE_S)
    assert [reading.data for reading in readings] == ["4006381333931", "95011"]


def test_nothing_said_is_nothing_returned_after_the_timeout(line):
    started_s = time.monotonic()
    with within(1, what="the timeout"):
        assert list(scanner(line).read(0.05)) == []
    assert time.monotonic() - started_s > 0.04


def test_a_pause_in_a_scan_makes_it_a_half_one_and_the_next_is_whole(far, line):
    device = scanner(line)
    far.write(b"]C10109501")
    (half,) = read_until(device, 1)
    assert (half.code, half.raw) == ("scan_again", b"]C10109501")
    far.write(b"]E04006381333931\r")
    assert read_until(device, 1) == [BarcodeScanned("]E0", "4006381333931", b"]E04006381333931")]


def test_a_pause_is_measured_over_many_short_reads(far, line):
    device = scanner(line, idle_s=0.05)
    far.write(b"half")
    deadline_s = time.monotonic() + DEADLINE_S
    while not (readings := device.read(0.001)):
        assert time.monotonic() < deadline_s
    assert [reading.code for reading in readings] == ["scan_again"]


def test_a_scan_that_comes_slowly_is_whole_as_long_as_no_pause_is_too_long(far, line):
    device = scanner(line, idle_s=DEADLINE_S)
    for part in (b"]E040063", b"8133", b"3931", b"\r"):
        far.write(part)
        readings = device.read(0.02)
    assert [reading.data for reading in readings or read_until(device, 1)] == ["4006381333931"]


def test_a_pause_begins_with_the_last_byte_not_with_the_scan_before(far, line):
    device = scanner(line, idle_s=0.4)
    assert list(device.read(0.45)) == []
    far.write(b"]E040063")
    assert list(device.read(0.05)) == []
    far.write(b"81333931\r")
    assert [reading.data for reading in read_until(device, 1)] == ["4006381333931"]


def test_a_scale_is_asked_again_and_again_while_it_is_read(far, line):
    device = scale(line, interval_s=0.02, unanswered_max=100)
    for _ in range(3):
        assert list(device.read(0.03)) == []
        assert far.read(DEADLINE_S).startswith(b"SI\r\n")
        far.write(b"S S     100.00 g\r\n")
        (weight,) = read_until(device, 1)
        assert isinstance(weight, WeightMeasured)


def test_a_scale_that_leaves_questions_unanswered_is_silent(far, line):
    device = scale(line, unanswered_max=3)
    silent = read_until_raises(device, DeviceSilent)
    assert silent.retriable and silent.hint == "Switch the scale on."
    asked = b""
    while data := far.read(0.05):
        asked += data
    assert asked == b"SI\r\n" * 3


def test_an_echo_is_no_answer(far, line):
    device = scale(line, unanswered_max=3)
    with pytest.raises(DeviceSilent):
        echo_until_silent(device, far)


def echo_until_silent(device, far):
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        device.read(0.05)
        far.write(far.read(0.0))


def test_a_failure_is_an_answer(far, line):
    device = scale(line, unanswered_max=2)
    for _ in range(5):
        far.write(b"S I\r\n")
        (fault,) = read_until(device, 1)
        assert fault.code == "not_ready"


def test_an_answer_that_waited_while_nobody_read_is_not_taken_for_the_present_load(far, line):
    device = scale(line, answer_age_max_s=0.05)
    far.write(b"S S     999.00 g\r\nS S     9")
    assert [str(weight.value) for weight in read_until(device, 1)] == ["999.00"]
    far.write(b"99.00 g\r\nS S     999.00 g\r\n")
    while far.read(0.1):
        pass  # Nobody reads the scale for a while: what it said in the meantime grows old.
    assert list(device.read(0.0)) == []
    far.write(b"S S     100.00 g\r\n")
    assert [str(weight.value) for weight in read_until(device, 1)] == ["100.00"]


def test_a_lost_line_is_raised_and_closing_twice_is_harmless(far, line):
    device = scale(line)
    far.refuse()
    assert read_until_raises(device, DeviceLost).hint
    device.close()
    device.close()


def commanded(line, *, timeout_s=0.1, late_answer_max_s=60.0, polled=False):
    protocol = MtSicsProtocol(tare="asked")
    polling = Polling(command=b"SI\r\n", interval_s=0.02, unanswered_max=100, silent_hint="Look.")
    return StreamDevice(
        line,
        protocol,
        idle_s=0.05,
        polling=polling if polled else None,
        commands=protocol,
        command_timeout_s=timeout_s,
        late_answer_max_s=late_answer_max_s,
    )


def execute_answered(device, far, name, answer, *, wanted):
    """Return what became of a command whose answer is sent once it was heard."""
    heard = bytearray()

    def speak():
        deadline_s = time.monotonic() + DEADLINE_S
        while wanted not in heard and time.monotonic() < deadline_s:
            heard.extend(far.read(0.1))
        far.write(answer)

    thread = threading.Thread(target=speak)
    thread.start()
    result = device.execute(DeviceCommand(name))
    thread.join()
    return result


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(b"Z A\r\n", "done", id="done"),
        pytest.param(b"Z I\r\n", "refused", id="busy"),
        pytest.param(b"Z +\r\n", "refused", id="over the range of zeroing"),
        pytest.param(b"Z -\r\n", "refused", id="under the range of zeroing"),
    ],
)
def test_a_command_is_answered_as_the_scale_says(far, line, answer, outcome):
    device = commanded(line, timeout_s=DEADLINE_S)
    result = execute_answered(device, far, "zero", answer, wanted=b"Z\r\n")
    assert result.outcome == outcome
    assert result.detail.startswith("zero: ")


def test_what_comes_while_a_command_waits_is_read_later_in_its_order(far, line):
    device = commanded(line, timeout_s=DEADLINE_S)
    answer = b"S +\r\nS -\r\nZ A\r\nS I\r\n"
    assert execute_answered(device, far, "zero", answer, wanted=b"Z\r\n").outcome == "done"
    assert [fault.code for fault in read_until(device, 3)] == [
        "overload",
        "underload",
        "not_ready",
    ]


def test_no_answer_is_unknown_and_the_late_one_never_passes_for_that_of_the_next(far, line):
    device = commanded(line, timeout_s=2.0)  # The last answer has to come within it.
    assert device.execute(DeviceCommand("zero")).outcome == "unknown"
    assert far.read(DEADLINE_S) == b"Z\r\n"
    refused = device.execute(DeviceCommand("zero"))
    assert refused.outcome == "refused" and "may still come" in refused.detail
    assert far.read(0.05) == b""  # Not a byte was sent for it.
    far.write(b"Z A\r\n")
    assert list(device.read(0.1)) == []  # The late answer is no reading.
    result = execute_answered(device, far, "zero", b"Z I\r\n", wanted=b"Z\r\n")
    assert result.outcome == "refused" and "busy" in result.detail


def test_an_answer_that_never_comes_stops_no_command_for_ever(far, line):
    device = commanded(line, late_answer_max_s=0.1)
    assert device.execute(DeviceCommand("zero")).outcome == "unknown"
    assert far.read(DEADLINE_S) == b"Z\r\n"
    deadline_s = time.monotonic() + DEADLINE_S
    while (result := device.execute(DeviceCommand("tare"))).outcome == "refused":
        assert time.monotonic() < deadline_s
        device.read(0.01)
    assert result.outcome == "unknown"
    assert far.read(DEADLINE_S) == b"T\r\n"


def test_a_command_waits_until_the_question_before_it_is_answered(far, line):
    device = commanded(line, polled=True, timeout_s=0.2)
    assert list(device.read(0.01)) == []
    result = device.execute(DeviceCommand("zero"))
    assert result.outcome == "refused" and "nothing was sent" in result.detail
    asked = b""
    while data := far.read(0.05):
        asked += data
    assert asked.replace(b"SI\r\n", b"") == b""
    far.write(b"S +\r\n")
    assert execute_answered(device, far, "zero", b"Z A\r\n", wanted=b"Z\r\n").outcome == "done"


def test_readings_kept_for_nobody_grow_old(far, line):
    protocol = MtSicsProtocol()
    polling = Polling(
        command=b"", interval_s=9.0, unanswered_max=9, silent_hint="Look.", answer_age_max_s=0.05
    )
    device = StreamDevice(
        line,
        protocol,
        idle_s=0.05,
        polling=polling,
        commands=protocol,
        command_timeout_s=DEADLINE_S,
    )
    answer = b"S S     999.00 g\r\nZ A\r\n"
    assert execute_answered(device, far, "zero", answer, wanted=b"Z\r\n").outcome == "done"
    while far.read(0.1):
        pass  # Nobody reads for longer than an answer lives.
    assert list(device.read(0.0)) == []


def test_a_scale_that_speaks_by_itself_is_silent_after_a_while_without_a_word(far, line):
    polling = Polling(command=b"", interval_s=0.02, unanswered_max=3, silent_hint="Look.")
    device = StreamDevice(line, MtSicsProtocol(), idle_s=0.05, polling=polling)
    assert "not a word" in str(read_until_raises(device, DeviceSilent))
    assert far.read(0.05) == b""


def test_a_command_on_a_lost_line_raises(far, line):
    device = commanded(line, timeout_s=DEADLINE_S)
    far.refuse()
    with pytest.raises(DeviceLost):
        device.execute(DeviceCommand("zero"))


def test_what_was_said_before_the_line_was_lost_over_a_command_is_still_read(far, line):
    device = commanded(line, timeout_s=DEADLINE_S)

    def speak_and_break_off():
        deadline_s = time.monotonic() + DEADLINE_S
        while not far.read(0.1) and time.monotonic() < deadline_s:
            continue
        far.write(b"S +\r\n")
        far.refuse()

    thread = threading.Thread(target=speak_and_break_off)
    thread.start()
    assert device.execute(DeviceCommand("zero")).outcome == "unknown"
    thread.join()
    assert [fault.code for fault in device.read(0.0)] == ["overload"]
    with pytest.raises(DeviceLost):
        device.read(0.1)
