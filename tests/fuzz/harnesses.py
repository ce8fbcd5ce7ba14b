"""What must hold for any bytes: one function for each decoder, raises where it does not. Pure.

`python -m tests.fuzz` feeds them what atheris makes up; test_corpus.py what was kept of that.
"""

from collections.abc import Callable, Iterator

from central.contract.errors import ContractError
from central.contract.gs1 import (
    check_key,
    encode_elements,
    mass_unit,
    parse_date,
    parse_elements,
    parse_measure,
)
from drivers.errors import DriverError
from drivers.protocols.llrp_frames import LlrpInvalid
from drivers.protocols.llrp_identity import IdentityQuestion
from drivers.protocols.llrp_requests import Inventory
from drivers.protocols.llrp_session import LlrpSession
from drivers.protocols.llrp_stream import LlrpStream
from drivers.readings import DeviceFault, InputChanged, TagRead

# ConnectionAttemptEvent 0 at 2026-05-28: the only thing after which a session begins to talk.
GREETING = bytes.fromhex("043f0000002000000000 00f60016 0080000c 000652e68bb34000 010000060000")
READINGS_MAX = 50
INPUT_BYTES_MAX = 4096


def fuzz_llrp_stream(data: bytes) -> None:
    """Any bytes give readings, the same however they are cut, and no more than they hold."""
    data = data[:INPUT_BYTES_MAX]
    whole = list(LlrpStream({}).receive_data(data))
    assert all(isinstance(one, TagRead | InputChanged | DeviceFault) for one in whole)
    assert sum(len(one.raw) for one in whole if isinstance(one, TagRead)) <= len(data)
    cut = LlrpStream({})
    pieces = [reading for piece in _pieces(data) for reading in cut.receive_data(piece)]
    assert [_told(one) for one in pieces] == [_told(one) for one in whole]


def fuzz_llrp_session(data: bytes) -> None:
    """Whatever a reader says, only documented errors come of it, with a hint; answers are few."""
    data = data[:INPUT_BYTES_MAX]
    session = LlrpSession(Inventory(impinj=True), inputs={}, peer="reader", now_s=0.0)
    session.receive_data(GREETING, 0.0)
    session.advance(count_max=READINGS_MAX)
    assert session.state == "capabilities"
    sent_bytes, received_bytes, now_s = len(session.data_to_send()), 0, 0.0
    hint = "none was needed"
    try:
        for piece in _pieces(data):
            now_s += 0.3
            received_bytes += len(piece)
            session.receive_data(piece, now_s)
            while readings := session.advance(count_max=READINGS_MAX):
                assert len(readings) <= READINGS_MAX
            sent_bytes += len(session.data_to_send())
    except DriverError as error:
        hint = error.hint
    assert hint
    assert sent_bytes <= 4096 + 2 * received_bytes
    try:
        IdentityQuestion().receive_data(data)
    except LlrpInvalid:
        return


def fuzz_gs1(data: bytes) -> None:
    """Any text is elements or a ContractError; elements survive being encoded and parsed again."""
    message = data[:INPUT_BYTES_MAX].decode("utf-8", "surrogateescape")
    for check in (
        lambda: check_key(message, what="key"),
        lambda: parse_date((message + "000000")[:6], today=None) if message.isdigit() else None,
    ):
        try:
            check()
        except ContractError:
            continue
    try:
        elements = parse_elements(message)
    except ContractError:
        return
    assert elements
    assert all(element.value.isascii() for element in elements)
    again = parse_elements(encode_elements(elements))
    assert again == elements, f"{elements} became {again}"
    for element in elements:
        if mass_unit(element) is not None:
            assert parse_measure(element).is_finite()


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "llrp_stream": fuzz_llrp_stream,
    "llrp_session": fuzz_llrp_session,
    "gs1": fuzz_gs1,
}


def _pieces(data: bytes) -> Iterator[bytes]:
    """Yield `data` in pieces as long as its own bytes decide, so that a fuzzer finds the cuts."""
    offset = 0
    while offset < len(data):
        size = 1 + data[offset] % 61
        yield data[offset : offset + size]
        offset += size


def _told(reading: object) -> object:
    # The evidence of a fault at a wrong header is what came with it, which a cut changes.
    return (reading.code, reading.detail) if isinstance(reading, DeviceFault) else reading
