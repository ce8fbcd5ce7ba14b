"""What is packed in what: bytes that never change, skipped by gateways of before. Pure."""

import json
from pathlib import Path

import msgspec
import pytest
import zstandard

from central.contract import notices, snapshots
from tests.contract import make_packing_vectors as made

VECTORS = json.loads((Path(__file__).parent / "vectors_packing.json").read_text(encoding="utf-8"))


class StockChangedOfBefore(msgspec.Struct, array_like=True, kw_only=True, tag=1):
    """As the release before reads it."""

    revision: int
    levels: tuple[notices.StockLevel, ...]
    positions: notices.EpochPositions
    final: bool = True
    shares: tuple[notices.DocumentShare, ...] = ()


@pytest.mark.parametrize("name", VECTORS["notices"])
def test_a_notice_reads_as_it_was_written(name):
    data = bytes.fromhex(VECTORS["notices"][name])
    assert notices.decode_notice(data) == made.NOTICES[name]
    assert notices.encode_notice(made.NOTICES[name]) == data


def test_a_snapshot_with_units_reads_as_it_was_written():
    data = bytes.fromhex(VECTORS["snapshot"])
    assert snapshots.decode_snapshot(data) == made.SNAPSHOT
    assert snapshots.decode_snapshot(snapshots.encode_snapshot(made.SNAPSHOT)) == made.SNAPSHOT


@pytest.mark.parametrize("name", ["alone", "with_shares"])
def test_a_gateway_of_before_takes_the_rest_and_skips_the_units(name):
    read = msgspec.msgpack.decode(
        bytes.fromhex(VECTORS["notices"][name]), type=StockChangedOfBefore
    )
    sent = made.NOTICES[name]
    assert (read.revision, read.final, read.shares) == (sent.revision, sent.final, sent.shares)


def test_a_gateway_of_before_takes_a_document_and_skips_what_is_under_way():
    changed = msgspec.msgpack.decode(bytes.fromhex(VECTORS["notices"]["units_under_way"]))
    (document,) = changed[6]
    assert set(document.pop("units")[0]) == {
        "sscc",
        "item",
        "quantity",
        "unit",
        "lot",
        "carried_by",
    }
    known = {"code", "warehouse", "partner", "lines", "kind", "counterpart"}
    assert set(document) == known


def test_units_take_room_only_where_there_are_some():
    both, shares = (made.NOTICES[name] for name in ("alone", "with_shares"))
    lengths = [
        len(msgspec.msgpack.decode(notices.encode_notice(one)))
        for one in (
            both,
            msgspec.structs.replace(both, packing=()),
            shares,
            msgspec.structs.replace(shares, packing=()),
        )
    ]
    assert lengths == [7, 5, 7, 6]
    unpacked = zstandard.ZstdDecompressor().decompress(snapshots.encode_snapshot(made.SNAPSHOT))
    assert len(msgspec.msgpack.decode(unpacked)) == 14


def test_a_full_notice_fits_beside_the_longest_shares_and_all_units():
    share = notices.DocumentShare("D" * 64, 2**53, 2**53 - 1, 2**53 - 1)
    unit = notices.PackedUnit("1" * 18, "2" * 18)
    stock = notices.StockChanged(
        revision=1,
        levels=(),
        positions=(),
        shares=(share,) * notices.SHARES_PER_NOTICE_MAX,
        packing=(unit,) * notices.PACKED_PER_NOTICE_MAX,
    )
    # Beside 96 KiB of levels and a thousand positions of 20 bytes.
    assert len(notices.encode_notice(stock)) < notices.NOTICE_BYTES_MAX - 96 * 1024 - 20_000
