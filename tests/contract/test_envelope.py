"""Batches, acknowledgements and states: tampering shows, bytes never hurt. Pure."""

import msgspec
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from central.contract import acks, envelope, states
from central.contract.errors import ContractError
from central.contract.facts import NO_HEAD, chain_start
from central.contract.identifiers import Epoch

EPOCH = Epoch(start_count=3, nonce=77)
START = chain_start(gateway="g-1", epoch=EPOCH, previous_epoch_head=NO_HEAD)


def make_batch(facts=(b"one", b"two"), **changes):
    arguments = {
        "gateway": "g-1",
        "epoch": EPOCH,
        "first_seq": 1,
        "previous_epoch_head": NO_HEAD,
        "previous_digest": START,
        "facts": facts,
        "sign": lambda _: b"s" * 64,
    }
    return envelope.encode_batch(**(arguments | changes))


def rewrite(data, index, value):
    values = msgspec.msgpack.decode(data)
    values[index] = value
    return msgspec.msgpack.encode(values)


def packed(facts):
    return zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(facts))


def test_a_batch_carries_facts_and_their_chain():
    batch = envelope.decode_batch(make_batch())
    assert batch.facts == (b"one", b"two")
    assert (batch.first_seq, batch.last_seq, batch.epoch) == (1, 2, EPOCH)
    follow = make_batch((b"three",), first_seq=3, previous_digest=batch.digests[-1])
    assert envelope.decode_batch(follow).previous_digest == batch.digests[-1]


@pytest.mark.parametrize(
    ("index", "value", "complaint"),
    [
        (0, 2, "newer"),
        (1, "g-2", "does not start"),
        (1, "g/1", "gateway code"),
        (2, 4, "does not start"),
        (2, 0, "out of range"),
        (3, -1, "out of range"),
        (4, 0, "readable"),
        (5, 3, "announces 3"),
        (6, b"x" * 32, "does not start"),
        (7, b"x" * 32, "does not start"),
        (8, b"x" * 32, "head digest"),
        (8, b"short", "readable"),
        (10, packed([b"one", b"2wo"]), "head digest"),
        (10, b"not zstandard", "readable"),
        (10, packed([]), "announces 2"),
        (10, packed(["text"]), "readable"),
        (10, packed([b"x" * (64 * 1024 + 1)] * 2), "readable"),
    ],
)
def test_a_changed_batch_is_refused_with_the_reason(index, value, complaint):
    with pytest.raises(ContractError, match=complaint):
        envelope.decode_batch(rewrite(make_batch(), index, value))


def test_a_batch_cannot_unpack_to_more_than_the_limit():
    bomb = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    body = bomb.compress(bytes(64 * 1024 * 1024)) + bomb.flush()
    with pytest.raises(ContractError):
        envelope.decode_batch(rewrite(make_batch(), 10, body))
    sized = zstandard.ZstdCompressor().compress(bytes(64 * 1024 * 1024))
    with pytest.raises(ContractError, match="unpacks to 67108864"):
        envelope.decode_batch(rewrite(make_batch(), 10, sized))


def test_the_signed_bytes_cover_every_part_but_the_signature():
    signed = envelope.decode_batch(make_batch()).signed_bytes
    seen = []
    make_batch(sign=lambda data: seen.append(data) or b"t" * 64)
    assert seen == [signed]
    others = [
        make_batch((b"one", b"2wo")),
        make_batch((b"one",)),
        make_batch(first_seq=2),
        make_batch(first_seq=2, previous_digest=b"p" * 32),
    ]
    assert len({envelope.decode_batch(other).signed_bytes for other in others} | {signed}) == 5


def test_an_oversized_batch_is_refused_before_it_is_sent():
    import secrets

    noise = [secrets.token_bytes(60_000) for _ in range(5)]
    with pytest.raises(ContractError, match="exceeds"):
        make_batch(noise)


def test_an_acknowledgement_that_contradicts_itself_is_refused():
    ack = acks.Ack(
        gateway="g-1",
        start_count=1,
        nonce=2,
        acked=5,
        want=7,
        head_digest=NO_HEAD,
        credit_count=1,
        ledger_generation="g",
        ledger_time_ms=0,
    )
    with pytest.raises(ContractError, match="wants 7 after 5"):
        acks.decode_ack(acks.encode_ack(ack))
    good = msgspec.structs.replace(ack, want=6)
    assert acks.decode_ack(acks.encode_ack(good)) == good


def test_a_state_survives_the_wire():
    state = states.GatewayState(
        gateway="g-1",
        warehouse="SH1",
        epoch=str(EPOCH),
        online=True,
        devices=(
            states.DeviceState(name="s", device_class="scale", state="ready"),
            states.DeviceState(
                name="p", device_class="label_printer", state="fault", problem="paper_out"
            ),
        ),
    )
    assert states.decode_state(states.encode_state(state)) == state


def test_a_state_of_an_older_gateway_has_devices_without_a_problem():
    device = b'{"name":"s","device_class":"scale","state":"offline","detail":"gone"}'
    data = b'{"gateway":"g-1","warehouse":"SH1","epoch":"1-2","online":true,"devices":[%s]}'
    (found,) = states.decode_state(data % device).devices
    assert (found.detail, found.problem) == ("gone", "")


@given(st.binary(max_size=400))
@pytest.mark.parametrize("decode", [envelope.decode_batch, acks.decode_ack, states.decode_state])
def test_any_bytes_raise_nothing_but_a_contract_error(decode, data):
    with pytest.raises(ContractError):
        decode(data)


@given(st.integers(0, 10_000), st.integers(0, 255))
@example(608, 2)  # Another first_seq: the chain does not bind it, the signature does.
def test_one_changed_byte_shows_in_the_chain_or_in_the_signed_bytes(position, value):
    original = make_batch()
    data = bytearray(original)
    data[position % len(data)] = value
    try:
        batch = envelope.decode_batch(bytes(data))
    except ContractError:
        return
    read = envelope.decode_batch(original)
    if batch.signed_bytes == read.signed_bytes:
        # Only the signature is left to differ, and the caller verifies it.
        assert msgspec.structs.replace(batch, signature=b"") == msgspec.structs.replace(
            read, signature=b""
        )
