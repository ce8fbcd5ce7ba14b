"""Batches of facts, acknowledgements and gateway states as they travel. Pure.

A batch is a contiguous run of one epoch:

    [version, gateway, start_count, nonce, first_seq, count,
     previous_epoch_head, previous_digest, head_digest, signature, zstd([fact bytes, ...])]

`previous_digest` is the chain before the first fact, `head_digest` after the last. The signature
covers everything before it, hence through the chain every byte of every fact: a broker can lose a
batch, but neither forge nor change one.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
import zstandard

from central.contract.errors import ContractError
from central.contract.facts import DIGEST_BYTES, FACT_BYTES_MAX, chain_next, chain_start
from central.contract.identifiers import SEQ_MAX, Epoch, parse_code

VERSION = 1
FACTS_PER_BATCH_MAX = 1000
# The broker's payload limit is configured above this; mosquitto and our embedded broker carry it.
BATCH_BYTES_MAX = 256 * 1024
BODY_BYTES_MAX = 4 * 1024 * 1024  # Uncompressed: bounds what a hostile batch can unpack to.
STATE_BYTES_MAX = 64 * 1024
ACK_BYTES_MAX = 4 * 1024

Digest = Annotated[bytes, msgspec.Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
Gateway = Annotated[str, msgspec.Meta(max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]

# Why the ledger does not take what a gateway sends; each names a human action at the gateway.
AckProblem = Literal[
    "", "unknown_gateway", "bad_signature", "wrong_warehouse", "fork", "broken_chain"
]
# Why facts do not get through: the ledger says so, or the gateway finds it in answer or journal.
LinkProblem = Literal[
    AckProblem,
    "unknown_epoch",  # The ledger acknowledges an epoch that this journal never had.
    "foreign_head",  # The ledger's chain is not the journal's.
    "ack_ahead",  # The ledger has more facts than the journal.
    "facts_gone",  # The journal no longer holds what the ledger wants.
    "too_large",  # The broker takes no message as large as one fact.
]
# What a gateway's state names; "journal": nothing can be recorded there.
GatewayProblem = Literal[LinkProblem, "journal"]
# What a device that works says of itself so often, or so long, that a person should look.
ReadProblem = Literal["unreadable", "scan_again", "reader_error", "reads_lost"]
ScaleProblem = Literal["overload", "underload", "not_ready", "zero_error"]
# Why a device is not ready; each has a sentence for people, in both languages, on every page.
DeviceProblem = Literal[
    "",
    "lost",  # The line, port or socket is gone.
    "silent",  # The line is there, the device does not answer.
    "settings",  # It can never work as it is configured.
    "crashed",  # Its driver made a mistake.
    "locked",  # An administrator keeps it closed.
    "in_use",  # Another program has its line.
    "no_permission",  # The gateway's user may not open its line.
    "wrong_driver",  # All that it says is unreadable: another driver's device, or another speed.
    "unsteady",  # It had to be opened again several times.
    ReadProblem,
    ScaleProblem,
    "paper_low",
    "ribbon_low",
    # From here on a label printer says it of itself.
    "paper_out",
    "ribbon_out",
    "head_open",
    "paused",
    "busy",
    "over_temperature",
    "error",
]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded batch whose chain is verified; the signature is for the caller to check.

    facts: canonical bytes of the facts first_seq, first_seq + 1, ...
    digests: the chain after each fact, same order.
    """

    gateway: str
    epoch: Epoch
    first_seq: int
    previous_epoch_head: bytes
    previous_digest: bytes
    signature: bytes
    facts: tuple[bytes, ...]
    digests: tuple[bytes, ...]

    @property
    def last_seq(self) -> int:
        """Return the number of the last fact."""
        return self.first_seq + len(self.facts) - 1

    @property
    def signed_bytes(self) -> bytes:
        """Return what the signature is made over."""
        return _signed_bytes(_wire_header(self, head_digest=self.digests[-1]))


class Ack(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What the ledger has of one epoch; cumulative, made after its commit.

    acked: every fact up to this number is committed; 0 for none.
    head_digest: the chain there, which the gateway compares with its own (NO_HEAD for 0).
    want: the number to send next; lower than what was sent means: go back and send again.
    credit_count: facts that may be under way unacknowledged.
    ledger_generation: one per database; a restore from a backup does not change it yet.
    """

    version: Number = VERSION
    gateway: Gateway
    start_count: Number
    nonce: int  # Epoch checks its range; msgspec has no bound beyond int64.
    acked: Number
    want: Number
    head_digest: Digest
    credit_count: Number
    ledger_generation: Gateway
    ledger_time_ms: Number
    problem: str = ""

    @property
    def epoch(self) -> Epoch:
        """Return the epoch that is acknowledged."""
        return Epoch(start_count=self.start_count, nonce=self.nonce)


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """How one device is. state: "configured", "opening", "ready", "degraded", "offline", "fault".

    detail: what is wrong, in the words of its driver, English. problem: a DeviceProblem, or what a
    newer gateway says.
    """

    name: Gateway
    device_class: Gateway
    state: Gateway
    detail: Annotated[str, msgspec.Meta(max_length=256)] = ""
    problem: Gateway = ""


class GatewayState(msgspec.Struct, frozen=True, kw_only=True):
    """Birth, death and health of a gateway: telemetry, never a fact. JSON on the wire, retained.

    online: False in the last will and at a clean end. head_seq: last fact of `epoch`.
    unsent_count: facts of all epochs that the ledger has not acknowledged.
    problem: a GatewayProblem, or what a newer gateway says.
    """

    version: Number = VERSION
    gateway: Gateway
    warehouse: Gateway
    epoch: Gateway
    online: bool
    time_ms: Number = 0
    head_seq: Number = 0
    unsent_count: Number = 0
    software: Gateway = ""
    problem: Gateway = ""
    devices: Annotated[tuple[DeviceState, ...], msgspec.Meta(max_length=64)] = ()


class _WireBatch(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    version: Number
    gateway: Gateway
    start_count: Number
    nonce: int  # Epoch checks its range; msgspec has no bound beyond int64.
    first_seq: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
    count: Annotated[int, msgspec.Meta(ge=1, le=FACTS_PER_BATCH_MAX)]
    previous_epoch_head: Digest
    previous_digest: Digest
    head_digest: Digest
    signature: Annotated[bytes, msgspec.Meta(max_length=128)] = b""
    body: Annotated[bytes, msgspec.Meta(max_length=BATCH_BYTES_MAX)] = b""


_encoder = msgspec.msgpack.Encoder()
_batch_decoder = msgspec.msgpack.Decoder(_WireBatch)
_body_decoder = msgspec.msgpack.Decoder(
    Annotated[
        list[Annotated[bytes, msgspec.Meta(max_length=FACT_BYTES_MAX)]],
        msgspec.Meta(max_length=FACTS_PER_BATCH_MAX),
    ]
)
_ack_decoder = msgspec.msgpack.Decoder(Ack)
_state_decoder = msgspec.json.Decoder(GatewayState)


def encode_batch(
    *,
    gateway: str,
    epoch: Epoch,
    first_seq: int,
    previous_epoch_head: bytes,
    previous_digest: bytes,
    facts: Sequence[bytes],
    sign: Callable[[bytes], bytes],
) -> bytes:
    """Return the payload of one batch of `facts` (canonical bytes, contiguous from `first_seq`).

    previous_epoch_head: head of the epoch before; counts only where `first_seq` is 1, NO_HEAD else.
    sign: returns the signature of its argument with the gateway's key.
    Raises ContractError if the batch exceeds a limit; send fewer facts then.
    """
    assert 1 <= len(facts) <= FACTS_PER_BATCH_MAX
    digest = previous_digest
    for fact in facts:
        digest = chain_next(digest, fact)
    header = _WireBatch(
        version=VERSION,
        gateway=gateway,
        start_count=epoch.start_count,
        nonce=epoch.nonce,
        first_seq=first_seq,
        count=len(facts),
        previous_epoch_head=previous_epoch_head,
        previous_digest=previous_digest,
        head_digest=digest,
    )
    body = zstandard.ZstdCompressor(level=3).compress(_encoder.encode(list(facts)))
    signature = sign(_signed_bytes(header))
    data = _encoder.encode(msgspec.structs.replace(header, signature=signature, body=body))
    if len(data) > BATCH_BYTES_MAX:
        raise ContractError(f"batch of {len(data)} bytes exceeds {BATCH_BYTES_MAX}")
    return data


def decode_batch(data: bytes) -> Batch:
    """Return the batch in a payload, its chain verified.

    Raises ContractError, whatever the bytes are.
    """
    if len(data) > BATCH_BYTES_MAX:
        raise ContractError(f"batch of {len(data)} bytes exceeds {BATCH_BYTES_MAX}")
    try:
        wire = _batch_decoder.decode(data)
        if wire.version > VERSION:
            raise ContractError(
                f"batch version {wire.version} is newer than {VERSION}",
                hint="Upgrade central first.",
            )
        epoch = Epoch(start_count=wire.start_count, nonce=wire.nonce)
        body = _unpack(wire.body)
        facts = tuple(_body_decoder.decode(body))
    except (msgspec.DecodeError, zstandard.ZstdError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable batch: {error}") from error
    parse_code(wire.gateway, what="gateway")
    if len(facts) != wire.count:
        raise ContractError(f"batch announces {wire.count} facts and holds {len(facts)}")
    digests = _verified_chain(wire, epoch=epoch, facts=facts)
    return Batch(
        gateway=wire.gateway,
        epoch=epoch,
        first_seq=wire.first_seq,
        previous_epoch_head=wire.previous_epoch_head,
        previous_digest=wire.previous_digest,
        signature=wire.signature,
        facts=facts,
        digests=digests,
    )


def encode_ack(ack: Ack) -> bytes:
    """Return the payload of an acknowledgement."""
    return _encoder.encode(ack)


def decode_ack(data: bytes) -> Ack:
    """Return the acknowledgement in a payload. Raises ContractError, whatever the bytes are."""
    try:
        if len(data) > ACK_BYTES_MAX:
            raise ContractError(f"acknowledgement of {len(data)} bytes")
        ack = _ack_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable acknowledgement: {error}") from error
    parse_code(ack.gateway, what="gateway")
    Epoch(start_count=ack.start_count, nonce=ack.nonce)
    if ack.want > ack.acked + 1:
        raise ContractError(f"acknowledgement wants {ack.want} after {ack.acked}")
    return ack


def encode_state(state: GatewayState) -> bytes:
    """Return the payload of a gateway's state."""
    return msgspec.json.encode(state)


def decode_state(data: bytes) -> GatewayState:
    """Return the gateway state in a payload. Raises ContractError, whatever the bytes are."""
    try:
        if len(data) > STATE_BYTES_MAX:
            raise ContractError(f"gateway state of {len(data)} bytes")
        state = _state_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable gateway state: {error}") from error
    parse_code(state.gateway, what="gateway")
    return state


def _unpack(packed: bytes) -> bytes:
    # A frame that states its size is unpacked into a buffer of that size whatever the limit says,
    # so the statement is checked first; one that does not is stopped at the limit.
    size = zstandard.get_frame_parameters(packed).content_size
    if size != zstandard.CONTENTSIZE_UNKNOWN and size > BODY_BYTES_MAX:
        raise ContractError(f"batch unpacks to {size} bytes, more than {BODY_BYTES_MAX}")
    return zstandard.ZstdDecompressor(max_window_size=2**23).decompress(
        packed, max_output_size=BODY_BYTES_MAX, allow_extra_data=False
    )


def _verified_chain(
    wire: _WireBatch, *, epoch: Epoch, facts: tuple[bytes, ...]
) -> tuple[bytes, ...]:
    if wire.first_seq == 1 and wire.previous_digest != chain_start(
        gateway=wire.gateway, epoch=epoch, previous_epoch_head=wire.previous_epoch_head
    ):
        raise ContractError("the chain of the epoch does not start at its gateway and epoch")
    digests: list[bytes] = []
    digest = wire.previous_digest
    for fact in facts:
        digest = chain_next(digest, fact)
        digests.append(digest)
    if digest != wire.head_digest:
        raise ContractError("the facts do not give the batch's head digest")
    return tuple(digests)


def _wire_header(batch: Batch, *, head_digest: bytes) -> _WireBatch:
    return _WireBatch(
        version=VERSION,
        gateway=batch.gateway,
        start_count=batch.epoch.start_count,
        nonce=batch.epoch.nonce,
        first_seq=batch.first_seq,
        count=len(batch.facts),
        previous_epoch_head=batch.previous_epoch_head,
        previous_digest=batch.previous_digest,
        head_digest=head_digest,
    )


def _signed_bytes(header: _WireBatch) -> bytes:
    return b"dockledger batch 1\0" + _encoder.encode(header)
