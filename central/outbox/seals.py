"""Checks what gateways sign beside their batches. Edge of cryptography."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.contract.sealed import Purpose, Sealed


def is_signed_by(public_key: bytes, sealed: Sealed, purpose: Purpose) -> bool:
    """Return whether the key's owner signed the message for this purpose."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(sealed.signature, sealed.signed_bytes(purpose))
    except (InvalidSignature, ValueError):
        return False
    return True
