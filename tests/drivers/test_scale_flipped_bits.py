"""What one flipped bit makes of a weight, by protocol, as SCALES.md says. Pure.

Every bit of every message that states a stable weight is flipped, alone. Counted is what comes out
as another stable weight: with another number, or with another unit, sign, point, net or gross.
A port with 7 bits and parity shows a wrong byte as FFh 00h and itself; then nothing may come out.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from drivers.kit.captures import parse_capture
from drivers.kit.conformance import protocol_of
from drivers.readings import WeightMeasured
from drivers.registry import load_driver

CAPTURES = Path(__file__).parents[1] / "captures"
DOCUMENT = Path(__file__).parents[2] / "drivers" / "builtin" / "SCALES.md"
SEVEN_BITS = [
    f"{path.parent.name}/{path.stem}"
    for family in ("toledo_8217", "toledo_continuous", "nci")
    for path in CAPTURES.glob(f"scale_{family}/*.capture")
]
ROW = re.compile(r"\| `(scale_\w+/\w+)` \| [^|]+ \| ([\d.]+) % \| ([\d.]+) % \|")


@cache
def rows():
    return {name: (number, other) for name, number, other in ROW.findall(DOCUMENT.read_text())}


def test_the_document_names_a_capture_of_each_protocol_of_scales():
    assert {name.partition("/")[0] for name in rows()} == {
        path.name for path in CAPTURES.glob("scale_*")
    }


@pytest.mark.parametrize("name", sorted(rows()))
def test_one_flipped_bit_does_what_the_document_says(name):
    numbers, others, tried = 0, 0, 0
    for protocols, data in messages(name):
        (whole,) = stable_weights(next(protocols), data)
        for flipped in range(len(data) * 8):
            damaged = bytearray(data)
            damaged[flipped // 8] ^= 1 << flipped % 8
            told = stable_weights(next(protocols), bytes(damaged)) - {whole}
            is_number = any(one[1:] == whole[1:] for one in told)
            numbers += is_number
            others += bool(told) and not is_number
            tried += 1
    assert (f"{100 * numbers / tried:.1f}", f"{100 * others / tried:.1f}") == rows()[name]


@pytest.mark.parametrize("name", sorted(SEVEN_BITS))
def test_a_byte_that_the_port_shows_with_wrong_parity_makes_no_weight(name):
    for protocols, data in messages(name):
        (whole,) = stable_weights(next(protocols), data)
        for place, byte in enumerate(data):
            shown = data[:place] + bytes([0xFF, 0x00, byte ^ 1]) + data[place + 1 :]
            assert stable_weights(next(protocols), shown) <= {whole}


def messages(name):
    """Return each message of one stable weight, with protocols that have read all before it."""
    capture = parse_capture((CAPTURES / f"{name}.capture").read_text(encoding="utf-8"))
    new_protocol = protocol_of(load_driver(capture.driver), capture)
    before, run, told = [], [], []
    for step in (*capture.steps, None):
        if told and (step is None or step.kind != "expected"):
            if len(told) == 1 and told[0].startswith("weight") and "stable" in told[0]:
                yield ready_protocols(new_protocol, list(before)), b"".join(run)
            before, run, told = [*before, *run], [], []
        if step is not None and step.kind == "received":
            run.append(step.data)
        elif step is not None and step.kind == "expected":
            told.append(step.text)


def ready_protocols(new_protocol, before):
    while True:
        protocol = new_protocol()
        for data in before:
            protocol.receive_data(data)
        yield protocol


def stable_weights(protocol, data):
    """Return number, decimals, sign, unit and kind of each stable weight in `data`."""
    found = [one for one in protocol.receive_data(data) if isinstance(one, WeightMeasured)]
    return {
        (one.value.as_tuple().digits, one.value.as_tuple()[::2], one.unit, one.kind)
        for one in found
        if one.stable
    }
