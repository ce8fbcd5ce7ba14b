"""Notices, snapshots, seals and digests: any bytes, every bound, bytes that never change. Pure."""

import json
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from central.contract import notices, sealed, snapshots, stock_digests
from central.contract.errors import ContractError
from tests.contract import make_downlink_vectors as made

VECTORS = json.loads((Path(__file__).parent / "vectors_downlink.json").read_text(encoding="utf-8"))
PACKED = {"down", "snapshot"}  # The compressor's output may differ by version.


def opened(data):
    return sealed.open_sealed(data, bytes_max=64 * 1024)


READERS = [
    pytest.param(notices.decode_notice, id="notice"),
    pytest.param(notices.decode_down, id="down"),
    pytest.param(notices.decode_down_ack, id="down-ack"),
    pytest.param(snapshots.decode_snapshot, id="snapshot"),
    pytest.param(snapshots.decode_manifest, id="manifest"),
    pytest.param(snapshots.decode_snapshot_request, id="request"),
    pytest.param(stock_digests.decode_digests, id="digests"),
    pytest.param(opened, id="sealed"),
]
TRUE_BYTES = [
    *(bytes.fromhex(text) for text in VECTORS["notices"].values()),
    *(bytes.fromhex(VECTORS[name]) for name in ("down", "down_ack", "snapshot", "digests")),
    bytes.fromhex(VECTORS["sealed_down_ack"]),
    VECTORS["manifest"].encode(),
    VECTORS["request"].encode(),
]


@pytest.mark.parametrize("read", READERS)
@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_the_documented_error(read, data):
    reads(read, data)


@pytest.mark.parametrize("read", READERS)
@given(
    data=st.sampled_from(TRUE_BYTES),
    place=st.integers(0, 10_000),
    change=st.integers(1, 255),
    length=st.integers(0, 10_000),
)
def test_spoilt_and_cut_messages_give_a_value_or_the_documented_error(
    read, data, place, change, length
):
    spoilt = bytearray(data)
    spoilt[place % len(spoilt)] ^= change
    reads(read, bytes(spoilt))
    reads(read, data[: length % len(data)])
    reads(read, data + data)


@pytest.mark.parametrize("read", READERS)
def test_deep_nesting_gives_the_documented_error(read):
    for opening in (b"\x91", b"["):
        reads(read, opening * 100_000)


def reads(read, data):
    with suppress(ContractError):
        read(data)


@pytest.mark.parametrize("name", VECTORS["notices"])
def test_a_notice_reads_as_it_was_written(name):
    data = bytes.fromhex(VECTORS["notices"][name])
    assert notices.decode_notice(data) == made.NOTICES[name]
    assert notices.encode_notice(made.NOTICES[name]) == data


def test_messages_read_as_they_were_written():
    down = notices.decode_down(bytes.fromhex(VECTORS["down"]))
    assert down.notices == tuple(made.NOTICES.values())
    assert (down.gateway, down.stream) == (made.GATEWAY, made.STREAM)
    assert (down.first_number, down.last_number) == (7, 11)
    assert notices.decode_down_ack(bytes.fromhex(VECTORS["down_ack"])) == made.ACK
    assert snapshots.decode_snapshot(bytes.fromhex(VECTORS["snapshot"])) == made.SNAPSHOT
    assert snapshots.decode_manifest(VECTORS["manifest"].encode()) == made.MANIFEST
    assert snapshots.decode_snapshot_request(VECTORS["request"].encode()) == made.REQUEST
    assert stock_digests.decode_digests(bytes.fromhex(VECTORS["digests"])) == made.DIGESTS


def test_todays_code_writes_the_bytes_of_the_downlink():
    written = made.vectors()
    assert {key: value for key, value in written.items() if key not in PACKED} == {
        key: value for key, value in VECTORS.items() if key not in PACKED
    }


def test_a_seal_holds_for_its_purpose_alone():
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(VECTORS["public_key"]))
    message = opened(bytes.fromhex(VECTORS["sealed_down_ack"]))
    assert message.payload.hex() == VECTORS["down_ack"]
    key.verify(message.signature, message.signed_bytes("down-ack"))
    with pytest.raises(InvalidSignature):
        key.verify(message.signature, message.signed_bytes("down"))


def test_fields_may_be_appended_to_what_is_sealed_and_noticed():
    ack = msgspec.msgpack.encode([*msgspec.msgpack.decode(bytes.fromhex(VECTORS["down_ack"])), 1])
    assert notices.decode_down_ack(ack) == made.ACK
    stock = msgspec.msgpack.decode(bytes.fromhex(VECTORS["notices"]["stock"]))
    newer = msgspec.msgpack.encode([*stock, [], [], "new"])
    assert notices.decode_notice(newer) == made.NOTICES["stock"]


def packed(value, *, stated=True):
    data = msgspec.msgpack.encode(value)
    if stated:
        return zstandard.ZstdCompressor().compress(data)
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


def down(**changes):
    fields = {"version": 1, "gateway": "g", "stream": "s", "first": 1, "body": packed([b"x"])}
    return msgspec.msgpack.encode(list((fields | changes).values()))


SETTINGS = notices.encode_notice(notices.SettingsChanged(settings=()))
WRONG_DOWN = [
    pytest.param(down(version=2, body=packed([SETTINGS])), id="a newer version"),
    pytest.param(down(gateway="a/b", body=packed([SETTINGS])), id="no code of a gateway"),
    pytest.param(down(stream="", body=packed([SETTINGS])), id="no stream"),
    pytest.param(down(first=0, body=packed([SETTINGS])), id="number 0"),
    pytest.param(down(body=packed([])), id="no notices"),
    pytest.param(down(body=packed([SETTINGS] * 257)), id="too many notices"),
    pytest.param(down(body=packed([SETTINGS], stated=False)), id="a size that is not stated"),
    pytest.param(down(body=packed([bytes(2**21)])), id="a bomb"),
    pytest.param(down(body=packed([bytes(notices.NOTICE_BYTES_MAX + 1)])), id="a huge notice"),
    pytest.param(down(body=packed([SETTINGS]) + b"x"), id="more behind it"),
    pytest.param(down(body=packed([msgspec.msgpack.encode([99, 1])])), id="an unknown kind"),
    pytest.param(down(body=b"no zstd"), id="not packed"),
]


@pytest.mark.parametrize("data", WRONG_DOWN)
def test_notices_that_cannot_be_are_refused_whole(data):
    assert notices.decode_down(down(body=packed([SETTINGS]))).notices
    with pytest.raises(ContractError):
        notices.decode_down(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(packed(b"x", stated=False), id="a size that is not stated"),
        pytest.param(
            zstandard.ZstdCompressor().compress(bytes(snapshots.SNAPSHOT_UNPACKED_BYTES_MAX + 1)),
            id="a bomb",
        ),
        pytest.param(bytes.fromhex(VECTORS["snapshot"])[:-5], id="cut"),
        pytest.param(bytes.fromhex(VECTORS["snapshot"]) + b"x", id="more behind it"),
        pytest.param(
            packed(msgspec.structs.replace(made.SNAPSHOT, version=2)), id="a newer version"
        ),
        pytest.param(packed(msgspec.structs.replace(made.SNAPSHOT, stream="")), id="no stream"),
        pytest.param(
            packed(msgspec.structs.replace(made.SNAPSHOT, warehouse="a b")), id="no warehouse"
        ),
    ],
)
def test_snapshots_that_cannot_be_are_refused_whole(data):
    with pytest.raises(ContractError):
        snapshots.decode_snapshot(data)


def test_a_manifest_is_that_of_its_file():
    data = snapshots.encode_snapshot(made.SNAPSHOT)
    manifest = snapshots.manifest_of(made.SNAPSHOT, data)
    assert manifest.bytes_count == len(data)
    assert snapshots.decode_manifest(snapshots.encode_manifest(manifest)) == manifest


@pytest.mark.parametrize(
    ("stream", "number", "is_right"),
    [("", 0, True), ("s", 0, True), ("s", 9, True), ("", 1, False)],
)
def test_nobody_acknowledges_a_notice_of_no_stream(stream, number, is_right):
    ack = notices.DownAck(gateway="g", stream=stream, number=number)
    data = notices.encode_down_ack(ack)
    if is_right:
        assert notices.decode_down_ack(data) == ack
    else:
        with pytest.raises(ContractError):
            notices.decode_down_ack(data)


def test_a_notice_that_is_too_large_is_not_written():
    text = "界" * (notices.NOTICE_BYTES_MAX // 3)
    with pytest.raises(ContractError):
        notices.encode_notice(notices.TemplateChanged(name="bin", text=text))


def test_a_sealed_message_that_is_too_large_is_not_read():
    data = sealed.seal("down", bytes(100), lambda _: b"")
    assert sealed.open_sealed(data, bytes_max=len(data)).payload == bytes(100)
    with pytest.raises(ContractError):
        sealed.open_sealed(data, bytes_max=len(data) - 1)


KEY_PARTS = st.tuples(*[st.sampled_from(["", "a", "b"])] * 6)


@given(st.dictionaries(KEY_PARTS, st.integers(-3, 3)), st.randoms())
def test_digests_depend_on_the_levels_and_on_nothing_else(levels, random):
    shuffled = list(levels.items())
    random.shuffle(shuffled)
    digests = stock_digests.digests_by_bin(shuffled)
    assert digests == stock_digests.digests_by_bin(levels.items())
    assert set(digests) == {key[0] for key, micro in levels.items() if micro}
    for key, micro in levels.items():
        changed = levels | {key: micro + 10}
        assert stock_digests.digests_by_bin(changed.items()) != digests
