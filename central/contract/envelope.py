"""Batches of facts as they travel. Pure.

A batch is a contiguous run of one epoch:

    [version, gateway, start_count, nonce, first_seq, count,
     previous_epoch_head, previous_digest, head_digest, signature, zstd([fact bytes, ...])]

`previous_digest` is the chain before the first fact, `head_digest` after the last. The signature
covers everything before it, hence through the chain every byte of every fact: a broker can lose a
batch, but neither forge nor change one.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec
import zstandard

from central.contract.errors import ContractError
from central.contract.facts import FACT_BYTES_MAX, chain_next, chain_start
from central.contract.identifiers import SEQ_MAX, Epoch, parse_code
from central.contract.wire_types import CodeText, Digest, Number

VERSION = 1
FACTS_PER_BATCH_MAX = 1000
# The broker's payload limit is configured above this; mosquitto and our embedded broker carry it.
BATCH_BYTES_MAX = 256 * 1024
BODY_BYTES_MAX = 4 * 1024 * 1024  # Uncompressed: bounds what a hostile batch can unpack to.


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


class _WireBatch(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    version: Number
    gateway: CodeText
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
# To make one takes longer than to unpack a small batch. As many as there were threads at once; one
# that has failed is not used again.
_idle_unpackers: list[zstandard.ZstdDecompressor] = []
_body_decoder = msgspec.msgpack.Decoder(
    Annotated[
        list[Annotated[bytes, msgspec.Meta(max_length=FACT_BYTES_MAX)]],
        msgspec.Meta(max_length=FACTS_PER_BATCH_MAX),
    ]
)


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


def _unpack(packed: bytes) -> bytes:
    # A frame that states its size is unpacked into a buffer of that size whatever the limit says,
    # so the statement is checked first; one that does not is stopped at the limit.
    size = zstandard.get_frame_parameters(packed).content_size
    if size != zstandard.CONTENTSIZE_UNKNOWN and size > BODY_BYTES_MAX:
        raise ContractError(f"batch unpacks to {size} bytes, more than {BODY_BYTES_MAX}")
    try:
        unpacker = _idle_unpackers.pop()
    except IndexError:
        unpacker = zstandard.ZstdDecompressor(max_window_size=2**23)
    body = unpacker.decompress(packed, max_output_size=BODY_BYTES_MAX, allow_extra_data=False)
    if size != zstandard.CONTENTSIZE_UNKNOWN:  # Of any other it keeps a whole window.
        _idle_unpackers.append(unpacker)
    return body


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
        digest = sha256(digest + fact).digest()  # `chain_next`, without a call for each fact.
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
