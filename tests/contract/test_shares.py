"""What others did of documents: bytes that never change, skipped by gateways of before. Pure."""

import json
from pathlib import Path

import msgspec
import pytest
import zstandard

from central.contract import notices, snapshots
from tests.contract import make_downlink_vectors as first
from tests.contract import make_share_vectors as made

VECTORS = json.loads((Path(__file__).parent / "vectors_shares.json").read_text(encoding="utf-8"))


class StockChangedOfBefore(msgspec.Struct, array_like=True, kw_only=True, tag=1):
    """As the first release reads it."""

    revision: int
    levels: tuple[notices.StockLevel, ...]
    positions: notices.EpochPositions
    final: bool = True


def fields_of_before(kind, name):
    fields = [one for one in kind.__struct_fields__ if one != "shares"]
    return msgspec.defstruct(name, fields, array_like=True)


@pytest.mark.parametrize("name", VECTORS["notices"])
def test_a_notice_with_shares_reads_as_it_was_written(name):
    data = bytes.fromhex(VECTORS["notices"][name])
    assert notices.decode_notice(data) == made.NOTICES[name]
    assert notices.encode_notice(made.NOTICES[name]) == data


def test_a_snapshot_with_shares_reads_as_it_was_written():
    data = bytes.fromhex(VECTORS["snapshot"])
    assert snapshots.decode_snapshot(data) == made.SNAPSHOT
    assert snapshots.decode_snapshot(snapshots.encode_snapshot(made.SNAPSHOT)) == made.SNAPSHOT


@pytest.mark.parametrize("name", VECTORS["notices"])
def test_a_gateway_of_before_takes_the_stock_and_skips_the_shares(name):
    data = bytes.fromhex(VECTORS["notices"][name])
    read = msgspec.msgpack.decode(data, type=StockChangedOfBefore)
    sent = made.NOTICES[name]
    assert (read.revision, read.levels, read.final) == (sent.revision, sent.levels, sent.final)


def test_a_gateway_of_before_takes_a_snapshot_and_skips_the_shares():
    unpacked = zstandard.ZstdDecompressor().decompress(bytes.fromhex(VECTORS["snapshot"]))
    read = msgspec.msgpack.decode(unpacked, type=fields_of_before(snapshots.Snapshot, "Before"))
    assert (read.stream, read.number) == (made.SNAPSHOT.stream, made.SNAPSHOT.number)


def test_without_shares_the_bytes_are_those_of_before():
    (stock,) = (one for one in first.NOTICES.values() if isinstance(one, notices.StockChanged))
    assert len(msgspec.msgpack.decode(notices.encode_notice(stock))) == 5
    unpacked = zstandard.ZstdDecompressor().decompress(snapshots.encode_snapshot(first.SNAPSHOT))
    assert len(msgspec.msgpack.decode(unpacked)) == 12


def test_a_full_notice_fits_beside_the_longest_shares():
    share = notices.DocumentShare("D" * 64, 2**53, 2**53 - 1, 2**53 - 1)
    stock = notices.StockChanged(
        revision=1,
        levels=(),
        positions=(),
        shares=(share,) * notices.SHARES_PER_NOTICE_MAX,
    )
    # Beside 96 KiB of levels and a thousand positions of 20 bytes.
    assert len(notices.encode_notice(stock)) < notices.NOTICE_BYTES_MAX - 96 * 1024 - 20_000
