"""What a gateway asks with: the key in its request, and what its last key signed. Edge of X.509."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from central.contract.enrolment import proof_bytes
from central.errors import Unusable
from central.inbox.gateways import PUBLIC_KEY_BYTES

CSR_BYTES_MAX = 4096
HINT_CSR = "Let the gateway make its request; it makes an ECDSA key on P-256."


def public_key_of_request(pem: str) -> ec.EllipticCurvePublicKey:
    """Return the key for which somebody asks a certificate, and whose private half he has.

    Everything else in the request is ignored: the claim says who it is. Raises Unusable.
    """
    if len(pem) > CSR_BYTES_MAX:
        raise Unusable("the certificate request is too large", hint=HINT_CSR)
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
        proven = request.is_signature_valid
        key = request.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise Unusable("the certificate request cannot be read", hint=HINT_CSR) from error
    if not proven:
        raise Unusable("who asks for the certificate does not have its key", hint=HINT_CSR)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Unusable("the key is not an ECDSA key on P-256", hint=HINT_CSR)
    return key


def check_proof(csr: str, *, key: bytes, proof: bytes) -> None:
    """Return if the key of a journal has signed the request. Raises Unusable."""
    hint = "Let the gateway make its request; it signs with the key of its journal."
    if len(key) != PUBLIC_KEY_BYTES:
        raise Unusable("the key of the journal is no Ed25519 key", hint=hint)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(proof, proof_bytes(csr))
    except (InvalidSignature, ValueError) as error:
        raise Unusable("the request is not signed by the key of its journal", hint=hint) from error


def spki_of(key: PublicKeyTypes) -> bytes:
    """Return the encoded public key (RFC 5280, 4.1.2.7)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def verified_by(certificate_pem: str, *, signature: bytes, data: bytes) -> bool:
    """Return whether the key of a certificate has signed the data (ECDSA, SHA-256)."""
    key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    return _verified(key, signature=signature, data=data)


def verified_by_key(spki: bytes, *, signature: bytes, data: bytes) -> bool:
    """Return whether an encoded key (RFC 5280, 4.1.2.7) has signed the data (ECDSA, SHA-256)."""
    return _verified(load_der_public_key(spki), signature=signature, data=data)


def _verified(key: PublicKeyTypes, *, signature: bytes, data: bytes) -> bool:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
