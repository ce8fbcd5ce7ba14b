"""A payload with a signature beside it, for everything signed but batches and acks. Pure.

    [version, payload, signature]      signature over "dockledger" purpose version 00 payload

The purpose is no part of the message: a signature for one purpose is none for another. Contents of
the payload may gain fields, since the signature is over its bytes.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from central.contract.errors import ContractError
from central.contract.wire_types import Number, Signature

SEALED_VERSION = 1
Purpose = Literal["down", "down-ack", "digests", "snapshot", "snapshot-request"]


class Sealed(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A payload that somebody signed; the signature is for the caller to check."""

    version: Number = SEALED_VERSION
    payload: bytes
    signature: Signature

    def signed_bytes(self, purpose: Purpose) -> bytes:
        """Return what the signature is made over, if it was made for `purpose`."""
        return signed_bytes(purpose, self.payload)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Sealed)


def signed_bytes(purpose: Purpose, payload: bytes) -> bytes:
    """Return what a signature of `payload` for `purpose` is made over."""
    return f"dockledger {purpose} {SEALED_VERSION}\0".encode() + payload


def seal(purpose: Purpose, payload: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the message with `payload`, signed for `purpose`."""
    return _encoder.encode(Sealed(payload=payload, signature=sign(signed_bytes(purpose, payload))))


def open_sealed(data: bytes, *, bytes_max: int) -> Sealed:
    """Return the payload and its signature, not yet checked. Raises ContractError."""
    if len(data) > bytes_max:
        raise ContractError(f"sealed message of {len(data)} bytes exceeds {bytes_max}")
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable sealed message: {error}") from error
