"""A digest per bin of a gateway's local stock, compared at central with the ledger's own. Pure.

What a gateway shows is the ledger's stock at a revision plus its own facts beyond that, up to
`heads`. Central computes the same from its lines, so that both speak of exactly the same moment,
whatever else has moved since. A digest is 8 bytes of SHA-256 over the levels of the bin that are
not zero, sorted by their key.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated

import msgspec

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.contract.wire_types import CodeText, EpochSeq, Number

DIGESTS_VERSION = 1
DIGESTS_BYTES_MAX = 200 * 1024
BINS_PER_REPORT_MAX = 5000
BIN_DIGEST_BYTES = 8

StockKey = tuple[str, str, str, str, str, str]  # location, item, lot, serial, sscc, unit


class BinDigest(msgspec.Struct, frozen=True, array_like=True):
    """The digest of one bin that is not empty."""

    location: CodeText
    digest: Annotated[bytes, msgspec.Meta(min_length=BIN_DIGEST_BYTES, max_length=BIN_DIGEST_BYTES)]


class StockDigests(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a gateway shows, bin by bin; a physical place that is not named is empty there.

    stream, revision: of the ledger's stock that it stands on. heads: up to where its own facts are
    in it, every epoch that has facts beyond the revision's positions.
    after, to: the report is about the places with after < code <= to, in the order of code points;
    "" for no bound. A warehouse of many bins takes several reports.
    """

    version: Number = DIGESTS_VERSION
    gateway: CodeText
    stream: CodeText
    revision: Number
    heads: Annotated[tuple[EpochSeq, ...], msgspec.Meta(max_length=1000)]
    bins: Annotated[tuple[BinDigest, ...], msgspec.Meta(max_length=BINS_PER_REPORT_MAX)]
    after: CodeText = ""
    to: CodeText = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(StockDigests)


def digests_by_bin(levels: Iterable[tuple[StockKey, int]]) -> dict[str, bytes]:
    """Return the digest of each place that is not empty. levels: (key, millionths), in any order.

    Levels of one key may come only once.
    """
    digests: dict[str, hashlib._Hash] = {}
    for key, micro in sorted(levels):
        if micro:
            digest = digests.setdefault(key[0], hashlib.sha256())
            digest.update(_encoder.encode((*key, micro)))
    return {place: digest.digest()[:BIN_DIGEST_BYTES] for place, digest in digests.items()}


def encode_digests(report: StockDigests) -> bytes:
    """Return the payload to seal for "digests"."""
    return _encoder.encode(report)


def decode_digests(payload: bytes) -> StockDigests:
    """Return the report in an opened "digests" payload. Raises ContractError."""
    try:
        report = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not readable stock digests: {error}") from error
    parse_code(report.gateway, what="gateway")
    return report
