"""What a gateway signs to become one, to stay one, and to ask over HTTP; where it asks. Pure.

    POST /api/v1/enrol       {claim, csr, signing_key, signing_proof, hardware}
    POST /api/v1/enrol/ask   {csr, signing_key, signing_proof, hardware}   a code to show
    POST /api/v1/enrol/poll  {secret, signature}                           what became of it
    POST /api/v1/renew       {serial, csr, signature}
    GET  (any)               Authorization: Dockledger GATEWAY:TIME_MS:SIGNATURE

Each signature begins with a purpose of its own, so that one can never stand for another. csr is the
PEM text of a PKCS #10 request (RFC 2986), whose subject nobody reads.
"""

import hashlib
import re

ENROL_PATH = "/api/v1/enrol"
ASK_PATH, POLL_PATH = "/api/v1/enrol/ask", "/api/v1/enrol/poll"
SHOWN_PAGE = "/claims/shown"  # Of central: where people type the code that a gateway shows.
FINGERPRINT_DIGITS = 16
RENEW_PATH = "/api/v1/renew"
ENROL_BYTES_MAX = 16 * 1024  # Of a request; an answer has at most ANSWER_BYTES_MAX.
ANSWER_BYTES_MAX = 64 * 1024
SCHEME = "Dockledger"
# A gateway without a time server may be hours off; what is asked so is no secret of the hour.
CLOCK_APART_MS_MAX = 24 * 3_600_000
AUTHORIZATION = re.compile(
    rf"{SCHEME} ([A-Za-z0-9][A-Za-z0-9._-]{{0,63}}):(\d{{1,15}}):([0-9a-f]{{128}})"
)


def proof_bytes(csr: str) -> bytes:
    """Return what a gateway signs with its journal's key (Ed25519) when it enrols."""
    return b"dockledger enrol 1\0" + csr.encode()


def poll_bytes(secret: str) -> bytes:
    """Return what a machine that shows a code signs with the key that it asks a certificate for."""
    return b"dockledger poll 1\0" + secret.encode()


def fingerprint(*, spki: bytes, signing_key: bytes) -> str:
    """Return both keys of a gateway in 16 hexadecimal digits, for people to compare.

    spki: of the certificate's key (RFC 5280, 4.1.2.7). signing_key: of the journal, 32 bytes.
    """
    digest = hashlib.sha256(b"dockledger fingerprint 1\0" + signing_key + spki).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, FINGERPRINT_DIGITS, 4))


def renewal_bytes(csr: str) -> bytes:
    """Return what a gateway signs with the key of its certificate (ECDSA, SHA-256) to renew it."""
    return b"dockledger renew 1\0" + csr.encode()


def request_bytes(*, method: str, path: str, gateway: str, time_ms: int) -> bytes:
    """Return what a gateway signs with its journal's key when it asks for something over HTTP."""
    return f"dockledger request 1\0{method}\n{path}\n{gateway}\n{time_ms}".encode()


def authorization(*, gateway: str, time_ms: int, signature: bytes) -> str:
    """Return the header's value."""
    return f"{SCHEME} {gateway}:{time_ms}:{signature.hex()}"


def parse_authorization(text: str) -> tuple[str, int, bytes] | None:
    """Return (gateway, time, signature) of a header's value; None if it is not of this form."""
    match = AUTHORIZATION.fullmatch(text)
    return (match[1], int(match[2]), bytes.fromhex(match[3])) if match else None
