"""Replies of ZPL printers become states; no bytes whatever raise."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.protocols.printer_zpl_status import (
    BUFFER_BYTES_MAX,
    StatusReplies,
    parse_error_status,
    parse_host_status,
)
from drivers.readings import PrinterCondition, PrinterStatus

# Layout of docs.zebra.com, ~HS; the values are ours.
READY = (
    b"\x02030,0,0,0406,000,0,0,0,000,0,0,0\x03\r\n"
    b"\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n"
    b"\x021234,0\x03\r\n"
)
# Read by CUPS lprint 1.1.0 as "other, media-empty".
HEAD_OPEN_AND_MEDIA_OUT = (
    b"\x02\r\n  PRINTER STATUS                      \r\n"
    b"   ERRORS:         1 00000000 00000005 \r\n"
    b"   WARNINGS:       0 00000000 00000000 \r\n\x03"
)


def host_status(first: str, second: str = "000,0,0,0,0,2,4,0,00000000,1,000") -> bytes:
    return f"\x02{first}\x03\r\n\x02{second}\x03\r\n\x021234,0\x03\r\n".encode()


def error_status(errors: str) -> bytes:
    return HEAD_OPEN_AND_MEDIA_OUT.replace(b"1 00000000 00000005", errors.encode())


HOST_STATES: dict[str, tuple[bytes, tuple[PrinterCondition, ...]]] = {
    "ready": (READY, ("ready",)),
    "paper out": (host_status("030,1,0,0406,000,0,0,0,000,0,0,0"), ("paper_out",)),
    "paused": (host_status("030,0,1,0406,000,0,0,0,000,0,0,0"), ("paused",)),
    "buffer full": (host_status("030,0,0,0406,000,1,0,0,000,0,0,0"), ("busy",)),
    "diagnostic mode": (host_status("030,0,0,0406,000,0,1,0,000,0,0,0"), ("error",)),
    "partial format": (host_status("030,0,0,0406,000,0,0,1,000,0,0,0"), ("busy",)),
    "corrupt memory": (host_status("030,0,0,0406,000,0,0,0,000,1,0,0"), ("error",)),
    "too cold": (host_status("030,0,0,0406,000,0,0,0,000,0,1,0"), ("error",)),
    "too hot": (host_status("030,0,0,0406,000,0,0,0,000,0,0,1"), ("over_temperature",)),
    "head open, so paused": (
        host_status("030,0,1,0406,000,0,0,0,000,0,0,0", "000,0,1,0,0,2,4,0,00000000,1,000"),
        ("head_open", "paused"),
    ),
    "ribbon out": (
        host_status("030,0,0,0406,000,0,0,0,000,0,0,0", "000,0,0,1,0,2,4,0,00000000,1,000"),
        ("ribbon_out",),
    ),
    "flag of two digits": (host_status("030,00,0,0406,000,0,0,0,000,0,0,0"), ("error",)),
    "count of letters": (host_status("030,0,0,0406,0x0,0,0,0,000,0,0,0"), ("error",)),
    "too few fields": (host_status("030,0,0,0406"), ("error",)),
    "nothing": (b"", ("error",)),
}


@pytest.mark.parametrize(("reply", "conditions"), HOST_STATES.values(), ids=HOST_STATES)
def test_host_status_names_what_stops_the_printer(
    reply: bytes, conditions: tuple[PrinterCondition, ...]
) -> None:
    assert parse_host_status(reply).conditions == conditions


def test_host_status_counts_what_waits() -> None:
    reply = host_status("030,0,0,0406,007,0,0,0,000,0,0,0", "000,0,0,0,0,2,4,0,00000012,1,000")
    status = parse_host_status(reply)
    assert (status.formats_waiting_count, status.labels_left_count) == (7, 12)
    assert status.raw == reply


ERROR_STATES: dict[str, tuple[bytes, tuple[PrinterCondition, ...]]] = {
    "no error": (error_status("0 00000000 00000000"), ("ready",)),
    "head open, media out": (HEAD_OPEN_AND_MEDIA_OUT, ("head_open", "paper_out")),
    "ribbon out": (error_status("1 00000000 00000002"), ("ribbon_out",)),
    "cutter": (error_status("1 00000000 00000008"), ("error",)),
    "head too hot": (error_status("1 00000000 00000010"), ("over_temperature",)),
    "paused": (error_status("1 00000000 00010000"), ("paused",)),
    "jam": (error_status("1 00000000 00001000"), ("error",)),
    "group 2": (error_status("1 00000001 00000000"), ("error",)),
    "an error without a reason": (error_status("1 00000000 00000000"), ("error",)),
    "bits cut short": (error_status("1 00000000 00005"), ("error",)),
    "no bits": (error_status(""), ("error",)),
}


@pytest.mark.parametrize(("reply", "conditions"), ERROR_STATES.values(), ids=ERROR_STATES)
def test_error_status_names_what_stops_the_printer(
    reply: bytes, conditions: tuple[PrinterCondition, ...]
) -> None:
    status = parse_error_status(reply)
    assert status.conditions == conditions
    assert status.formats_waiting_count is None


@pytest.mark.parametrize("split", range(len(READY)))
def test_a_reply_cut_anywhere_is_the_same_reply(split: int) -> None:
    replies = StatusReplies()
    replies.receive_data(READY[:split])
    early = replies.next_host_status()
    assert early is None or split >= len(READY) - 2  # Only CR LF was missing.
    replies.receive_data(READY[split:])
    assert early or replies.next_host_status()
    assert replies.next_host_status() is None


@pytest.mark.parametrize(
    "noise", [b"\xff\x00", b"\x02", b"\x02030,0,0", b"\x03\r\n", b"S S 1 kg\r\n"]
)
def test_noise_before_a_reply_does_not_hide_it(noise: bytes) -> None:
    replies = StatusReplies()
    replies.receive_data(noise + READY)
    status = replies.next_host_status()
    assert status is not None and status.ready


def test_a_reply_that_lost_a_string_is_no_reply() -> None:
    replies = StatusReplies()
    replies.receive_data(b"".join(READY.splitlines(keepends=True)[1:]))
    assert replies.next_host_status() is None


def test_answers_come_out_in_order_and_once() -> None:
    replies = StatusReplies()
    replies.receive_data(READY + host_status("030,1,0,0406,000,0,0,0,000,0,0,0"))
    assert [replies.next_host_status().conditions for _ in range(2)] == [("ready",), ("paper_out",)]
    assert replies.next_host_status() is None


@given(st.binary(max_size=300))
@example(b"\x02" * 300)
@example(b"\x02,,,,,,,,,,,\x03\x02,,,,,,,,,,\x03\x02,\x03")
@example("\x02٠,٠,٠\x03".encode())
def test_no_bytes_raise(data: bytes) -> None:
    replies = StatusReplies()
    replies.receive_data(data)
    for status in (
        replies.next_host_status(),
        replies.next_error_status(),
        parse_host_status(data),
        parse_error_status(data),
    ):
        assert status is None or (isinstance(status, PrinterStatus) and status.conditions)


@given(st.lists(st.binary(max_size=50), max_size=10), st.integers(0, len(READY) - 1))
def test_a_flipped_byte_never_makes_a_stopped_printer_ready(noise: list[bytes], place: int) -> None:
    stopped = bytearray(host_status("030,1,0,0406,000,0,0,0,000,0,0,0"))
    if place == stopped.index(b",1,") + 1:
        return  # That byte is the truth itself.
    stopped[place] ^= 0x10
    replies = StatusReplies()
    replies.receive_data(b"".join(noise) + bytes(stopped))
    while (status := replies.next_host_status()) is not None:
        assert not status.ready


def test_noise_without_end_costs_bounded_memory() -> None:
    replies = StatusReplies()
    for _ in range(100):
        replies.receive_data(b"\x02" + b"," * 999)
    assert len(replies._buffer) == BUFFER_BYTES_MAX
    replies.receive_data(READY)
    assert replies.next_host_status() is not None
