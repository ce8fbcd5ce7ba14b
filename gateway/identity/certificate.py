"""A key, a request for its certificate, and the way to central that answers it. Edge of HTTPS.

In the processes of `child` alone: httpx and X.509 never live in the gateway. The server's
certificate must come from root.pem, which was in the enrolment file: whoever else answers hears
nothing.
"""

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import httpx
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from central.contract.enrolment import ANSWER_BYTES_MAX
from gateway.errors import IdentityUnusable
from gateway.identity.exchange import Ended, ExchangeProblem, Order
from gateway.identity.files import Identity, IdentityFolder

CONNECT_TIMEOUT_S, SILENCE_S_MAX = 10.0, 20.0
Text = Annotated[str, msgspec.Meta(max_length=8192)]


class IssuedCertificate(msgspec.Struct, frozen=True):
    """What central answers."""

    gateway: Text
    warehouse: Text
    site: Text
    certificate: Text
    chain: Text
    serial: Text
    ledger_public_key: Text
    receive_location: Text = ""


class _Problem(msgspec.Struct, frozen=True):
    detail: Text = ""
    hint: Text = ""


class AskFailed(Exception):
    """Central gave nothing; `ended` says why."""

    def __init__(self, problem: ExchangeProblem, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.ended = Ended(problem=problem, detail=detail, hint=hint)


def pending_key(folder: IdentityFolder) -> ec.EllipticCurvePrivateKey:
    """Return the key that waits for its certificate; a new one is kept before it is used.

    One that was left behind by a cut after its certificate had come waits for nothing any more.
    """
    pem = folder.read_pending()
    has_certificate = folder.certificate.exists()
    if pem and not (has_certificate and pem in folder.key_and_certificate()):
        try:
            key = load_pem_private_key(pem.encode(), password=None)
        except ValueError:
            key = None
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    made = ec.generate_private_key(ec.SECP256R1())
    folder.keep_pending(_key_pem(made))
    return made


def request_for(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a request (PKCS #10) with no name: central says who we are."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def post(folder: IdentityFolder, order: Order, route: str, body: dict[str, str]) -> bytes:
    """Return what central answers. Raises AskFailed."""
    try:
        trusted = ssl.create_default_context(cafile=str(folder.root))
    except (OSError, ssl.SSLError) as error:
        raise AskFailed("not_trusted", f"{folder.root} is not usable: {error}") from error
    try:
        with (
            httpx.Client(
                base_url=order.central_url.rstrip("/"),
                verify=trusted,
                timeout=httpx.Timeout(SILENCE_S_MAX, connect=CONNECT_TIMEOUT_S),
                trust_env=False,
                follow_redirects=False,
            ) as client,
            client.stream("POST", route, json=body) as answer,
        ):
            data = bytearray()
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > ANSWER_BYTES_MAX:
                    raise AskFailed("unexpected", "central's answer is too long")
            status = answer.status_code
    except httpx.HTTPError as error:
        raise _lost(error) from error
    if status != httpx.codes.OK:
        raise _refused(status, bytes(data), is_claim=bool(order.claim))
    return bytes(data)


def decode_issued(data: bytes) -> IssuedCertificate:
    """Return the certificate in central's answer. Raises AskFailed."""
    try:
        return msgspec.json.decode(data, type=IssuedCertificate)
    except msgspec.DecodeError as error:
        raise AskFailed("unexpected", f"central's answer cannot be read: {error}") from error


def keep_certificate(
    folder: IdentityFolder,
    order: Order,
    key: ec.EllipticCurvePrivateKey,
    issued: IssuedCertificate,
) -> None:
    """Become who the certificate says. Raises AskFailed, IdentityUnusable.

    An order without a gateway takes whatever name it is given.
    """
    if order.gateway and issued.gateway != order.gateway:
        raise AskFailed(
            "wrong_gateway",
            f"the claim is for {issued.gateway}, this gateway is {order.gateway}",
            "Correct gateway.code in the configuration, or make a claim for this gateway.",
        )
    try:
        certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    except ValueError as error:
        raise AskFailed("unexpected", f"the certificate cannot be read: {error}") from error
    if spki_of(certificate.public_key()) != spki_of(key.public_key()):
        raise AskFailed("unexpected", "the certificate is for another key")
    identity = Identity(
        gateway=issued.gateway,
        warehouse=issued.warehouse,
        site=issued.site,
        serial=issued.serial,
        central_url=order.central_url,
        ledger_public_key=issued.ledger_public_key,
        issued_ms=_milliseconds(certificate.not_valid_before_utc),
        expires_ms=_milliseconds(certificate.not_valid_after_utc),
        receive_location=issued.receive_location or _said_before(folder, issued.gateway),
    )
    folder.write(identity, pem=_key_pem(key) + issued.certificate + issued.chain)


def _said_before(folder: IdentityFolder, gateway: str) -> str:
    """Return where goods come in, as whoever let it in has said: a renewal does not say it."""
    with suppress(IdentityUnusable):  # What cannot be read is replaced just now.
        known = folder.read()
        if known is not None and known.gateway == gateway:
            return known.receive_location
    return ""


def _refused(status: int, data: bytes, *, is_claim: bool) -> AskFailed:
    try:
        said = msgspec.json.decode(data, type=_Problem)
    except msgspec.DecodeError:
        said = _Problem()
    detail = said.detail or f"central answers {status}"
    if status in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
        return AskFailed("busy", detail, said.hint)
    if status in {
        httpx.codes.BAD_REQUEST,
        httpx.codes.FORBIDDEN,
        httpx.codes.CONFLICT,
        httpx.codes.UNPROCESSABLE_ENTITY,
    }:
        return AskFailed("claim_refused" if is_claim else "refused", detail, said.hint)
    return AskFailed("unexpected", detail, said.hint)


def _lost(error: httpx.HTTPError) -> AskFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return AskFailed("not_trusted", f"central's certificate: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    return AskFailed("unreachable", f"central cannot be reached: {error!r}")


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def spki_of(key: PublicKeyTypes) -> bytes:
    """Return the encoded public key (RFC 5280, 4.1.2.7)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _milliseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)
