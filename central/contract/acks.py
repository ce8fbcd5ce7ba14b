"""Acknowledgements of the ledger as they travel: what it has committed, signed. Pure."""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import DIGEST_BYTES
from central.contract.identifiers import Epoch, parse_code
from central.contract.wire_types import CodeText, Digest, Number, Signature

ACK_VERSION = 1
ACK_BYTES_MAX = 4 * 1024
SIGNED_FIELDS_COUNT = 13  # All before `signature`.

# Why the ledger does not take what a gateway sends; each names a human action at the gateway.
AckProblem = Literal[
    "", "unknown_gateway", "bad_signature", "wrong_warehouse", "fork", "broken_chain"
]

_encoder = msgspec.msgpack.Encoder()


class Ack(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What the ledger has of one epoch; cumulative, made after its commit.

    acked: every fact up to this number is committed; 0 for none.
    head_digest: the chain there, which the gateway compares with its own (NO_HEAD for 0).
    want: the number to send next; lower than what was sent means: go back and send again.
    credit_count: facts that may be under way unacknowledged.
    ledger_generation: one per life of a database; a restore from a backup begins a new one.
    refused_digest: SHA-256 of the payload that `problem` is about, so that a gateway which never
        sent it need not believe that its own facts are refused; b"" from older ledgers.
    stable: facts up to this number are replicated or backed up: the gateway may forget them.
    signature: the ledger's, over the fields before it (`signed_bytes`); b"" from older ledgers.
    """

    version: Number = ACK_VERSION
    gateway: CodeText
    start_count: Number
    nonce: int  # Epoch checks its range; msgspec has no bound beyond int64.
    acked: Number
    want: Number
    head_digest: Digest
    credit_count: Number
    ledger_generation: CodeText
    ledger_time_ms: Number
    problem: str = ""
    refused_digest: Annotated[bytes, msgspec.Meta(max_length=DIGEST_BYTES)] = b""
    stable: Number = 0
    signature: Signature = b""

    @property
    def epoch(self) -> Epoch:
        """Return the epoch that is acknowledged."""
        return Epoch(start_count=self.start_count, nonce=self.nonce)

    @property
    def signed_bytes(self) -> bytes:
        """Return what the signature is made over; fields that come after it are not covered."""
        fields = [getattr(self, name) for name in self.__struct_fields__]
        return b"dockledger ack 1\0" + _encoder.encode(fields[:SIGNED_FIELDS_COUNT])


_ack_decoder = msgspec.msgpack.Decoder(Ack)


def sign_ack(ack: Ack, sign: Callable[[bytes], bytes]) -> Ack:
    """Return the acknowledgement with the ledger's signature."""
    return msgspec.structs.replace(ack, signature=sign(ack.signed_bytes))


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
