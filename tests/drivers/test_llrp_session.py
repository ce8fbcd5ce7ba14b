"""One LLRP connection as a state machine: every way it can go, on a clock of the test. Pure."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceLost, DeviceSilent, DriverError, SettingsInvalid
from drivers.protocols.llrp_identity import IN_USE, IdentityQuestion
from drivers.protocols.llrp_requests import InputTrigger, Inventory
from drivers.protocols.llrp_session import (
    CHECK_S,
    FETCH_S_MAX,
    HELD_PAUSE_S,
    HELD_S_MAX,
    QUIET_S,
    LlrpSession,
)
from drivers.readings import DeviceFault, TagRead
from drivers.simulators.reader_llrp_core import ReaderCore, ReaderModel
from drivers.simulators.reader_llrp_wire import Sighting, message, status, tlv

EPC = bytes.fromhex("3074257BF7194E4000001A85")
DAY_US = 1_780_000_000_000_000


class Bench:
    """A session and a reader core with a line between them that cuts nothing and loses nothing."""

    def __init__(self, core=None, inventory=None, *, now_s=0.0, **options):
        self.core = core or ReaderCore(ReaderModel())
        self.now_s = now_s
        self.session = LlrpSession(
            inventory or Inventory(), inputs={}, peer="reader", now_s=now_s, **options
        )
        self.core.outbox.clear()

    @property
    def clock_us(self):
        return DAY_US + int(self.now_s * 1e6)

    def see(self, epc=EPC):
        return self.core.see(Sighting(epc, 1, -5500, 0, 1, self.clock_us, self.clock_us))

    def exchange(self):
        """Carry everything back and forth until both are quiet; return the readings."""
        readings = []
        while True:
            readings += self.session.advance(count_max=1000)
            sent = self.session.data_to_send()
            while sent:
                length = int.from_bytes(sent[2:6], "big")
                self.core.take(sent[:length], now_s=self.now_s)
                sent = sent[length:]
            data = bytes(self.core.outbox)
            self.core.outbox.clear()
            self.session.receive_data(data, self.now_s)
            if not data:
                return readings + self.session.advance(count_max=1000)

    def connect(self):
        self.core.greet(self.clock_us)
        return self.exchange()

    def wait(self, seconds, *, keepalives=True):
        """Let time pass in steps; return the readings."""
        readings, end_s = [], self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(self.now_s + 0.25, end_s)
            if keepalives:
                self.core.tick(self.now_s)
            readings += self.exchange()
        return readings

    def hang_up(self):
        self.core.connected = False
        self.core.outbox.clear()


def asked(core):
    return [kind for kind in core.messages_seen if kind != 72]


def test_a_reader_without_work_is_set_up_and_reads():
    bench = Bench()
    bench.connect()
    assert asked(bench.core) == [1, 26, 64, 60, 3, 20, 24]
    assert bench.session.running
    assert bench.see()
    (read,) = bench.exchange()
    assert (read.epc, read.held) == (EPC.hex().upper(), False)


def test_nothing_is_sent_before_the_reader_has_greeted():
    bench = Bench()
    assert bench.exchange() == []
    assert bench.session.data_to_send() == b""
    assert asked(bench.core) == []


def test_reports_held_while_away_are_fetched_and_the_work_is_left_alone():
    bench = Bench()
    bench.connect()
    bench.hang_up()
    bench.now_s = 1000.0
    for number in range(3):
        assert bench.see(bytes([number]) * 12)
    bench.core.messages_seen.clear()
    again = Bench(bench.core, now_s=2000.0)
    held = again.connect()
    assert [one.epc[:2] for one in held] == ["00", "01", "02"]
    assert all(one.held for one in held)
    again.wait(QUIET_S + 0.5)
    assert again.session.running
    assert asked(again.core) == [1, 26, 64, 60, 3], "nothing deleted, nothing added"
    again.see()
    assert [one.held for one in again.exchange()] == [False]


def test_reports_held_for_other_settings_are_fetched_before_those_are_deleted():
    bench = Bench()
    bench.connect()
    bench.hang_up()
    bench.now_s = 10.0
    assert bench.see()
    bench.core.messages_seen.clear()
    again = Bench(bench.core, Inventory(antennas=(2,)), now_s=20.0)
    (held,) = again.connect()
    assert held.held
    assert asked(again.core) == [1, 26, 64, 60]
    again.wait(QUIET_S + 0.5)
    assert again.session.running
    assert asked(again.core) == [1, 26, 64, 60, 21, 3, 20, 24]


@pytest.mark.parametrize(
    ("request_kind", "asked_then"),
    [(23, [1, 26, 64, 60, 21, 3, 20, 24]), (25, [1, 26, 64, 60, 3, 24])],
    ids=["stopped", "disabled"],
)
def test_work_that_somebody_stopped_is_taken_up_again(request_kind, asked_then):
    bench = Bench()
    bench.connect()
    bench.core.take(message(request_kind, 1, bytes(4)), now_s=1.0)
    bench.hang_up()
    bench.core.messages_seen.clear()
    again = Bench(bench.core, now_s=20.0)
    again.connect()
    again.wait(QUIET_S + 0.5)
    assert asked(again.core) == asked_then
    assert again.see()


def test_a_stream_of_held_reports_ends_at_a_limit():
    bench = Bench()
    bench.connect()
    bench.hang_up()
    again = Bench(bench.core, now_s=20.0)
    again.connect()
    old_us = again.clock_us - 1
    for _ in range(int(FETCH_S_MAX / 0.25) + 2):
        again.core.see(Sighting(EPC, 1, -5500, 0, 1, old_us, old_us))
        again.wait(0.25)
    assert again.session.running


def test_held_ends_when_the_readers_clock_is_set_back_while_connected():
    bench = Bench()
    bench.connect()
    bench.hang_up()
    again = Bench(bench.core, now_s=20.0)
    again.connect()
    again.wait(HELD_PAUSE_S + 2)
    again.see()
    again.exchange()
    old_us = again.clock_us - 3_600_000_000
    again.core.see(Sighting(EPC, 1, -5500, 0, 1, old_us, old_us))
    assert [one.held for one in again.exchange()] == [False]


def test_held_ends_also_when_a_clock_that_was_set_back_never_rests():
    bench = Bench()
    bench.connect()
    bench.hang_up()
    again = Bench(bench.core, now_s=20.0)
    again.connect()
    year_us = 365 * 86_400 * 1_000_000
    seen = []
    for _ in range(int(HELD_S_MAX) + 10):
        again.wait(1.0)
        behind_us = again.clock_us - year_us
        again.core.see(Sighting(EPC, 1, -5500, 0, 1, behind_us, behind_us))
        seen += [one.held for one in again.exchange() if isinstance(one, TagRead)]
    assert len(seen) == int(HELD_S_MAX) + 10
    assert seen[0]
    assert not any(seen[-9:])


def test_a_reader_without_time_of_day_tells_held_from_new_by_its_uptime():
    bench = Bench(ReaderCore(ReaderModel(utc=False)))
    bench.connect()
    bench.hang_up()
    bench.now_s = 5.0
    bench.see()
    again = Bench(bench.core, now_s=9.0)
    (held,) = again.connect()
    assert (held.held, held.first_seen_us, held.last_seen_us) == (True, None, None)
    again.wait(2)
    again.see()
    assert [one.held for one in again.exchange()] == [False]


def test_a_reader_that_cannot_hold_is_not_asked_to():
    bench = Bench(ReaderCore(ReaderModel(holds_reports=False)))
    bench.connect()
    assert bench.session.running


def test_impinjs_extensions_are_switched_on_before_they_are_used():
    bench = Bench(inventory=Inventory(impinj=True))
    bench.connect()
    assert asked(bench.core)[:2] == [1, 1023]
    bench.core.see(Sighting(EPC, 1, -5512, 77, 1, 1, 1))
    assert [(one.rssi_cdbm, one.phase) for one in bench.exchange()] == [(-5512, 77)]


@pytest.mark.parametrize(("speaks_1_1", "version"), [(True, 2), (False, 1)])
def test_version_1_1_is_spoken_if_both_can(speaks_1_1, version):
    bench = Bench(ReaderCore(ReaderModel(speaks_1_1=speaks_1_1)), negotiate=True)
    bench.connect()
    assert bench.session.running
    bench.session.close()
    assert bench.session.data_to_send()[0] >> 2 == version


@pytest.mark.parametrize("code", [1, 2, 3, 4, 77])
def test_each_refusal_of_a_connection_says_what_to_do(code):
    bench = Bench()
    bench.core.outbox += bench.core.refusal(code, DAY_US)
    with pytest.raises(DeviceLost, match=f"status {code}") as caught:
        bench.exchange()
    assert len(caught.value.hint) > 20
    other = 1 if code != 1 else 2
    bench = Bench()
    bench.core.outbox += bench.core.refusal(other, DAY_US)
    with pytest.raises(DeviceLost) as again:
        bench.exchange()
    assert again.value.hint != caught.value.hint


def test_another_client_that_tries_does_not_disturb():
    bench = Bench()
    bench.connect()
    bench.core.outbox += bench.core.refusal(4, DAY_US)
    assert bench.exchange() == []
    assert bench.session.running


@pytest.mark.parametrize(
    ("inventory", "words"),
    [
        (Inventory(antennas=(1, 5)), "4 antennas"),
        (Inventory(input_ports=(9,)), "4 inputs"),
        (Inventory(start=InputTrigger(8, high=True)), "4 inputs"),
    ],
    ids=["antenna", "input", "trigger"],
)
def test_settings_that_the_reader_cannot_meet_are_named(inventory, words):
    with pytest.raises(SettingsInvalid, match=words) as caught:
        Bench(inventory=inventory).connect()
    assert caught.value.hint


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (100, SettingsInvalid),
        (201, SettingsInvalid),
        (301, SettingsInvalid),
        (401, DeviceLost),
        (900, DeviceLost),
    ],
)
@pytest.mark.parametrize("in_error_message", [True, False])
def test_a_refused_rospec_is_a_wrong_setting_or_a_fault_of_the_reader(
    code, error, in_error_message
):
    bench = Bench()
    bench.core.greet(DAY_US)
    refused = status(code, "no such\x1b thing")
    original = bench.core.take

    def take(data, *, now_s):
        original(data, now_s=now_s)
        if data[1] == 20:
            bench.core.outbox.clear()
            bench.core.outbox += message(100 if in_error_message else 30, 6, refused)

    bench.core.take = take
    with pytest.raises(error, match=f"{code}.*no such[?] thing"):
        bench.exchange()


def test_no_greeting_is_silence_and_no_answer_too():
    bench = Bench(answer_s=2.0)
    with pytest.raises(DeviceSilent, match="greeting"):
        bench.wait(3)
    bench = Bench(answer_s=2.0)
    bench.core.greet(0)
    bench.core.take = lambda *_, **__: None
    with pytest.raises(DeviceSilent, match="capabilities"):
        bench.wait(3)


def test_two_and_a_half_keepalives_of_silence_are_a_lost_reader():
    bench = Bench(inventory=Inventory(keepalive_ms=1000))
    bench.connect()
    bench.wait(20)
    assert list(bench.core.messages_seen).count(72) >= 19
    bench.wait(2.25, keepalives=False)
    with pytest.raises(DeviceLost, match="no keepalive"):
        bench.wait(0.5, keepalives=False)


def test_a_stall_of_our_own_is_not_taken_for_silence():
    bench = Bench(inventory=Inventory(keepalive_ms=1000))
    bench.connect()
    bench.now_s += 60
    bench.see()
    assert len(bench.exchange()) == 1
    assert bench.session.running


def test_a_stall_of_our_own_is_not_taken_for_a_missing_answer():
    bench = Bench(inventory=Inventory(keepalive_ms=1000))
    bench.connect()
    bench.wait(CHECK_S - 1)
    session = bench.session
    session.receive_data(b"", CHECK_S + 0.1)
    session.advance(count_max=10)
    question = session.data_to_send()
    assert question[1] == 26, "it asks whether its work is still there"
    session.receive_data(message(62, 1), CHECK_S + 30)
    assert session.advance(count_max=10) == []
    session.receive_data(b"", CHECK_S + 30.1)
    with pytest.raises(DeviceSilent):
        session.advance(count_max=10)


def test_a_reader_that_talks_and_never_answers_is_silent_all_the_same():
    bench = Bench(answer_s=2.0)
    bench.core.greet(0)
    bench.core.take = lambda *_, **__: None

    def talk():
        while True:
            bench.now_s += 1
            bench.core.outbox += message(62, 1)
            bench.exchange()

    with pytest.raises(DeviceSilent):
        talk()
    assert bench.now_s < 30


def test_work_that_is_gone_while_connected_is_noticed():
    bench = Bench()
    bench.connect()
    bench.wait(CHECK_S + 5)
    assert bench.session.running
    bench.core.rospecs.clear()
    with pytest.raises(DeviceLost, match="forgotten"):
        bench.wait(CHECK_S + 5)


def test_a_reader_that_closes_says_so():
    bench = Bench()
    bench.connect()
    bench.core._events_wanted.add(0)
    bench.core.event(tlv(257), kind=0, clock_us=DAY_US)
    with pytest.raises(DeviceLost, match="ends the connection"):
        bench.exchange()


def test_noise_is_a_fault_and_then_a_loss_after_what_came_before():
    bench = Bench()
    bench.connect()
    bench.see()
    bench.core.outbox += b"HTTP/1.1 400 Bad Request\r\n"
    read = bench.session
    read.receive_data(bytes(bench.core.outbox), 0.0)
    first, second = read.advance(count_max=10)
    assert isinstance(first, TagRead)
    assert isinstance(second, DeviceFault)
    for _ in range(2):
        with pytest.raises(DeviceLost, match="does not speak LLRP"):
            read.advance(count_max=10)


def test_one_call_returns_no_more_than_was_asked_for():
    bench = Bench()
    bench.connect()
    for _ in range(250):
        bench.see()
    bench.session.receive_data(bytes(bench.core.outbox), 0.0)
    counts = [len(bench.session.advance(count_max=100)) for _ in range(4)]
    assert counts == [100, 100, 50, 0]


def test_an_error_message_while_running_is_a_fault_of_the_reader():
    bench = Bench()
    bench.connect()
    bench.core.outbox += message(100, 999, status(112, "surprise"))
    (fault,) = bench.exchange()
    assert (fault.code, fault.detail) == ("reader_error", "M_UnexpectedMessage (112) surprise")


@given(
    chunks=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda kind, body: struct.pack(">HII", 1 << 10 | kind, 10 + len(body), 1) + body,
                st.sampled_from([4, 11, 13, 30, 34, 36, 56, 61, 62, 63, 100, 1023]),
                st.binary(max_size=40),
            ),
        ),
        max_size=8,
    ),
    greeted=st.booleans(),
)
def test_whatever_a_reader_says_only_documented_errors_come_of_it(chunks, greeted):
    bench = Bench()
    if greeted:
        bench.core.greet(DAY_US)
        bench.session.receive_data(bytes(bench.core.outbox), 0.0)
    hints = ["none was needed"]
    try:
        for number, chunk in enumerate(chunks):
            bench.session.receive_data(chunk, float(number))
            bench.session.advance(count_max=100)
    except DriverError as error:
        hints.append(error.hint)
    assert all(hints)


def test_a_reader_is_asked_who_it_is_without_changing_it():
    core = ReaderCore(ReaderModel())
    question = IdentityQuestion()
    core.greet(DAY_US)
    while not question.done:
        sent = question.receive_data(bytes(core.outbox))
        core.outbox.clear()
        core.take(sent, now_s=0.0)
    assert question.words == "Impinj model 2001002 firmware 7.6.1.240 id 001625fffe102030"
    assert asked(core) == [1, 2, 14]
    question = IdentityQuestion()
    question.receive_data(core.refusal(2, DAY_US))
    assert (question.words, question.done) == (IN_USE, True)
