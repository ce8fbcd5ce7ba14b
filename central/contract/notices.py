"""Notices: what central tells one gateway, numbered 1, 2, 3 ... within a stream. Pure.

    down      sealed [version, gateway, stream, first_number, zstd([notice bytes, ...])]
    down-ack  sealed [version, gateway, stream, number]

A stream is one numbering; central begins a new one, with another random name, when it can no
longer go on from what a gateway has, and the gateway then loads a snapshot. A gateway that knows no
stream acknowledges number 0 of the stream "".

Kinds are only ever added. A reader refuses a message with a kind that it does not know, and takes
it after its upgrade: notices are applied in order, none is left out.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import zstandard

from central.contract.errors import ContractError
from central.contract.identifiers import SEQ_MAX, parse_code
from central.contract.reference import ExpectedDocument, Item, Location, Operator
from central.contract.wire_types import CodeText, EpochSeq, Number

NOTICES_VERSION = 1
NOTICES_PER_MESSAGE_MAX = 256
NOTICE_BYTES_MAX = 128 * 1024
DOWN_BYTES_MAX = 192 * 1024  # With the seal; below every broker's packet limit that we ship.
DOWN_BODY_BYTES_MAX = 1024 * 1024  # Unpacked.
DOWN_ACK_BYTES_MAX = 1024
LEVELS_PER_NOTICE_MAX = 1000
SHARES_PER_NOTICE_MAX = 100  # With a full notice of levels still below NOTICE_BYTES_MAX.
PACKED_PER_NOTICE_MAX = 80  # With both of them, too.

Name = Annotated[str, msgspec.Meta(max_length=256)]
TemplateText = Annotated[str, msgspec.Meta(max_length=64 * 1024)]
Sscc = Annotated[str, msgspec.Meta(max_length=18)]
Micro = Annotated[int, msgspec.Meta(ge=-SEQ_MAX, le=SEQ_MAX)]
EpochPositions = Annotated[tuple[EpochSeq, ...], msgspec.Meta(max_length=10_000)]


class StockLevel(msgspec.Struct, frozen=True, array_like=True):
    """What the ledger has on hand at a physical place, in 10^-6 units; 0 where it came to nothing.

    The first six fields are its key, in the order of the gateway's own stock.
    """

    location: CodeText
    item: CodeText
    lot: CodeText
    serial: CodeText
    sscc: CodeText
    unit: CodeText
    on_hand_micro: Micro

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """Return what the level is kept by."""
        return (self.location, self.item, self.lot, self.serial, self.sscc, self.unit)


class DocumentShare(msgspec.Struct, frozen=True, array_like=True):
    """What all other gateways of the warehouse did of a document line, in 10^-6 units of the item.

    Absolute, reversals deducted; 0 where it came to nothing. picked_micro: put ready to go out;
    done_micro: came in or went out.
    """

    document: CodeText
    line: Number
    picked_micro: Micro
    done_micro: Micro


class PackedUnit(msgspec.Struct, frozen=True, array_like=True):
    """On or in which other logistic unit one is. parent: "" for none any more."""

    sscc: Sscc
    parent: Sscc


class StockChanged(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=1):
    """The ledger's stock of the gateway's warehouse at `revision`, as far as it changed.

    revision: the ledger's record number; levels are absolute, not differences.
    positions: which of this gateway's own facts the revision holds, every epoch that moved since
        the notice before (one that is not named stays where it was; a snapshot names all): the
        gateway shows the levels plus its facts beyond these.
    final: False if more notices of the same revision follow.
    shares: of document lines that moved on, as they are at the revision; they count as they come.
        Added later: written only where there are some, and skipped by gateways of before.
    packing: of units that were packed or unpacked, as they are at the revision; likewise.
    """

    revision: Number
    levels: Annotated[tuple[StockLevel, ...], msgspec.Meta(max_length=LEVELS_PER_NOTICE_MAX)]
    positions: EpochPositions
    final: bool = True
    shares: Annotated[
        tuple[DocumentShare, ...], msgspec.Meta(max_length=SHARES_PER_NOTICE_MAX)
    ] = ()
    packing: Annotated[tuple[PackedUnit, ...], msgspec.Meta(max_length=PACKED_PER_NOTICE_MAX)] = ()


class ReferenceChanged(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=2):
    """Items with their bar codes, places, expected documents and operators that changed.

    revision: of the reference data after it. `gone_...`: codes of what is no longer there.
    Only the gateway's own warehouse. final: False if more notices of the same revision follow.
    """

    revision: Number
    items: tuple[Item, ...] = ()
    gone_items: tuple[CodeText, ...] = ()
    locations: tuple[Location, ...] = ()
    gone_locations: tuple[CodeText, ...] = ()
    documents: tuple[ExpectedDocument, ...] = ()
    gone_documents: tuple[CodeText, ...] = ()
    operators: tuple[Operator, ...] = ()
    gone_operators: tuple[CodeText, ...] = ()
    final: bool = True


class TemplateChanged(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=3):
    """A label template, as TOML; "" takes it away, so that the shipped one counts again."""

    name: CodeText
    text: TemplateText


class Setting(msgspec.Struct, frozen=True, array_like=True):
    """One remote setting; the gateway has a list of those that it takes."""

    name: CodeText
    value: Name


class SettingsChanged(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=4):
    """All remote settings of the gateway: those that are not named count no longer."""

    settings: Annotated[tuple[Setting, ...], msgspec.Meta(max_length=64)]


class LabelField(msgspec.Struct, frozen=True, array_like=True):
    """What one field of a label template says."""

    name: CodeText
    value: Name


class PrintRequested(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=5):
    """Somebody at central wants labels printed there.

    job: a code that central never gives twice; the Print fact names it in `content`'s job.
    printer: a device of the gateway, "" for the station's first. requested_by: who, for people.
    """

    job: CodeText
    printer: CodeText
    template: CodeText
    fields: Annotated[tuple[LabelField, ...], msgspec.Meta(max_length=64)]
    copies_count: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    requested_by: Name = ""


class Settled(msgspec.Struct, frozen=True, array_like=True, kw_only=True, tag=6):
    """A discrepancy that a fact of this gateway opened is settled; by whom is not said.

    discrepancy: its id. kind, subject: as the ledger names them, the subject cut to its bound.
    item, location, document: what it is about, "" for none. decided: "adjust", "reverse", "accept",
    "reassign", or "itself" where later facts explained it. epoch, seq: the fact that opened it.
    """

    discrepancy: CodeText
    kind: CodeText
    subject: Name
    item: CodeText
    location: CodeText
    document: CodeText
    decided: CodeText
    at_ms: Number
    epoch: CodeText
    seq: Number


# Tag 7 is kept for transfers.
Notice = (
    StockChanged | ReferenceChanged | TemplateChanged | SettingsChanged | PrintRequested | Settled
)


class DownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A run of notices to one gateway, first_number, first_number + 1, ..."""

    gateway: str
    stream: str
    first_number: int
    notices: tuple[Notice, ...]

    @property
    def last_number(self) -> int:
        """Return the number of the last notice."""
        return self.first_number + len(self.notices) - 1


class DownAck(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a gateway has applied durably: every notice of `stream` up to `number`."""

    version: Number = NOTICES_VERSION
    gateway: CodeText
    stream: CodeText
    number: Number


class _WireDown(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    version: Number
    gateway: CodeText
    stream: CodeText
    first_number: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
    body: bytes


_encoder = msgspec.msgpack.Encoder()
_down_decoder = msgspec.msgpack.Decoder(_WireDown)
_down_ack_decoder = msgspec.msgpack.Decoder(DownAck)
_notice_decoder = msgspec.msgpack.Decoder(Notice)
_body_decoder = msgspec.msgpack.Decoder(
    Annotated[
        list[Annotated[bytes, msgspec.Meta(max_length=NOTICE_BYTES_MAX)]],
        msgspec.Meta(min_length=1, max_length=NOTICES_PER_MESSAGE_MAX),
    ]
)


def encode_notice(notice: Notice) -> bytes:
    """Return the bytes of a notice. Raises ContractError if it is too large; divide it then."""
    data = _encoder.encode(notice)
    if isinstance(notice, StockChanged):
        data = without_empty(data, notice.shares, notice.packing)
    if len(data) > NOTICE_BYTES_MAX:
        raise ContractError(f"notice of {len(data)} bytes exceeds {NOTICE_BYTES_MAX}")
    return data


def without_empty(data: bytes, *added: tuple[object, ...]) -> bytes:
    """Return a MessagePack array of at most 15 entries without those last ones that are empty.

    added: the last ones, in their order. So a message to which fields were added is, without them,
    what the first release made of it.
    """
    for one in reversed(added):
        if one:
            break
        assert 0x91 <= data[0] <= 0x9F and data[-1] == 0x90
        data = bytes((data[0] - 1,)) + data[1:-1]
    return data


def decode_notice(data: bytes) -> Notice:
    """Return the notice in its bytes. Raises ContractError, whatever the bytes are."""
    try:
        notice: Notice = _notice_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(
            f"not a readable notice: {error}", hint="Upgrade this gateway."
        ) from error
    return notice


def encode_down(*, gateway: str, stream: str, first_number: int, notices: Sequence[bytes]) -> bytes:
    """Return the payload to seal for "down"; `notices` are bytes of `encode_notice`."""
    assert 1 <= len(notices) <= NOTICES_PER_MESSAGE_MAX
    return _encoder.encode(
        _WireDown(
            version=NOTICES_VERSION,
            gateway=gateway,
            stream=stream,
            first_number=first_number,
            body=zstandard.ZstdCompressor(level=3).compress(_encoder.encode(list(notices))),
        )
    )


def decode_down(payload: bytes) -> DownMessage:
    """Return the notices in an opened "down" payload. Raises ContractError."""
    try:
        wire = _down_decoder.decode(payload)
        if wire.version > NOTICES_VERSION:
            raise ContractError(
                f"notices of version {wire.version}, newer than {NOTICES_VERSION}",
                hint="Upgrade this gateway.",
            )
        size = zstandard.get_frame_parameters(wire.body).content_size
        if size > DOWN_BODY_BYTES_MAX:  # Also where the size is not stated, which ours is.
            raise ContractError(f"notices unpack to more than {DOWN_BODY_BYTES_MAX} bytes")
        unpacked = zstandard.ZstdDecompressor(max_window_size=2**23).decompress(
            wire.body, max_output_size=DOWN_BODY_BYTES_MAX, allow_extra_data=False
        )
        bodies = _body_decoder.decode(unpacked)
    except (msgspec.DecodeError, zstandard.ZstdError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not readable notices: {error}") from error
    parse_code(wire.gateway, what="gateway")
    parse_code(wire.stream, what="stream")
    return DownMessage(
        gateway=wire.gateway,
        stream=wire.stream,
        first_number=wire.first_number,
        notices=tuple(decode_notice(body) for body in bodies),
    )


def encode_down_ack(ack: DownAck) -> bytes:
    """Return the payload to seal for "down-ack"."""
    return _encoder.encode(ack)


def decode_down_ack(payload: bytes) -> DownAck:
    """Return the acknowledgement in an opened "down-ack" payload. Raises ContractError."""
    try:
        ack = _down_ack_decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable acknowledgement of notices: {error}") from error
    parse_code(ack.gateway, what="gateway")
    if not ack.stream and ack.number:
        raise ContractError(f"{ack.gateway} acknowledges notice {ack.number} of no stream")
    return ack
