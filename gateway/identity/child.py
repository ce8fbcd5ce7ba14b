"""Asks central for a certificate once, in a process of its own that ends with it. Edge of HTTPS.

The gateway starts it (`keeper`), so that httpx and X.509 never live in the gateway; the command
`dockledger-gateway enrol` calls `ask` itself.

    root.pem, pending.key  ->  POST  ->  identity.pem

Cut off anywhere, the same key is asked for again and central gives the same certificate again. The
server's certificate must come from root.pem, which was in the enrolment file: whoever else answers
hears nothing of the claim.
"""

import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
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

from central.contract.enrolment import (
    ANSWER_BYTES_MAX,
    ENROL_PATH,
    RENEW_PATH,
    proof_bytes,
    renewal_bytes,
)
from gateway.config_sections import GatewayConfig
from gateway.errors import GatewayError, IdentityUnusable
from gateway.identity.exchange import (
    LINE_BYTES_MAX,
    Ended,
    ExchangeProblem,
    Order,
    decode_order,
    encode,
)
from gateway.identity.files import (
    Identity,
    IdentityFolder,
    hardware_serial,
    read_enrol_file,
)
from gateway.replication.signing import KEY_FILE, load_or_create_key

CONNECT_TIMEOUT_S, SILENCE_S_MAX = 10.0, 20.0
Text = Annotated[str, msgspec.Meta(max_length=8192)]


class _Issued(msgspec.Struct, frozen=True):
    """What central answers."""

    gateway: Text
    warehouse: Text
    site: Text
    certificate: Text
    chain: Text
    serial: Text
    ledger_public_key: Text


class _Problem(msgspec.Struct, frozen=True):
    detail: Text = ""
    hint: Text = ""


class _AskFailed(Exception):
    def __init__(self, problem: ExchangeProblem, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.ended = Ended(problem=problem, detail=detail, hint=hint)


def main() -> None:
    """Take an order from standard input, say on standard output how it ended."""
    order = decode_order(sys.stdin.buffer.readline(LINE_BYTES_MAX))
    sys.stdout.buffer.write(encode(ask(order)))
    sys.stdout.buffer.flush()


def ask(order: Order) -> Ended:
    """Ask for a certificate and keep it; return how it ended. Raises nothing but our mistakes."""
    folder = IdentityFolder(Path(order.data_directory))
    try:
        key = _key(folder)
        csr = _request(key)
        route, body = _enrolment(order, csr) if order.claim else _renewal(folder, csr)
        issued = _post(folder, order, route, body)
        _keep(folder, order, key, issued)
    except _AskFailed as error:
        return error.ended
    except GatewayError as error:
        return Ended(problem="disk", detail=str(error), hint=error.hint)
    return Ended()


def enrol_now(config: GatewayConfig, file: Path) -> Identity:
    """Return who this gateway is after asking with an enrolment file. Raises IdentityUnusable."""
    folder = IdentityFolder(Path(config.gateway.data_directory))
    given = read_enrol_file(file)
    if given is None:
        raise IdentityUnusable(f"there is no {file}", hint="Name the enrolment file with --file.")
    folder.keep_root(given.root_pem)
    ended = ask(
        Order(
            data_directory=config.gateway.data_directory,
            signing_key_file=str(Path(config.gateway.data_directory) / KEY_FILE),
            gateway=config.gateway.code,
            central_url=given.central_url,
            claim=given.claim,
            hardware=hardware_serial(),
        )
    )
    identity = folder.read()
    if ended.problem or identity is None:
        raise IdentityUnusable(ended.detail, hint=ended.hint or "Check the way to central.")
    return identity


def _key(folder: IdentityFolder) -> ec.EllipticCurvePrivateKey:
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


def _request(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a request (PKCS #10) with no name: central says who we are."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _enrolment(order: Order, csr: str) -> tuple[str, dict[str, str]]:
    signing = load_or_create_key(Path(order.signing_key_file))
    return ENROL_PATH, {
        "claim": order.claim,
        "csr": csr,
        "signing_key": signing.public_key_hex,
        "signing_proof": signing.sign(proof_bytes(csr)).hex(),
        "hardware": order.hardware,
        "gateway": order.gateway,
    }


def _renewal(folder: IdentityFolder, csr: str) -> tuple[str, dict[str, str]]:
    identity = folder.read()
    assert identity is not None, "who has nothing has nothing to renew"
    key = load_pem_private_key(folder.key_and_certificate().encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(renewal_bytes(csr), ec.ECDSA(hashes.SHA256()))
    return RENEW_PATH, {"serial": identity.serial, "csr": csr, "signature": signature.hex()}


def _post(folder: IdentityFolder, order: Order, route: str, body: dict[str, str]) -> _Issued:
    try:
        trusted = ssl.create_default_context(cafile=str(folder.root))
    except (OSError, ssl.SSLError) as error:
        raise _AskFailed("not_trusted", f"{folder.root} is not usable: {error}") from error
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
                    raise _AskFailed("unexpected", "central's answer is too long")
            status = answer.status_code
    except httpx.HTTPError as error:
        raise _lost(error) from error
    if status != httpx.codes.OK:
        raise _refused(status, bytes(data), is_claim=bool(order.claim))
    try:
        return msgspec.json.decode(bytes(data), type=_Issued)
    except msgspec.DecodeError as error:
        raise _AskFailed("unexpected", f"central's answer cannot be read: {error}") from error


def _keep(
    folder: IdentityFolder, order: Order, key: ec.EllipticCurvePrivateKey, issued: _Issued
) -> None:
    if issued.gateway != order.gateway:
        raise _AskFailed(
            "wrong_gateway",
            f"the claim is for {issued.gateway}, this gateway is {order.gateway}",
            "Correct gateway.code in the configuration, or make a claim for this gateway.",
        )
    try:
        certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    except ValueError as error:
        raise _AskFailed("unexpected", f"the certificate cannot be read: {error}") from error
    if _spki(certificate.public_key()) != _spki(key.public_key()):
        raise _AskFailed("unexpected", "the certificate is for another key")
    identity = Identity(
        gateway=issued.gateway,
        warehouse=issued.warehouse,
        site=issued.site,
        serial=issued.serial,
        central_url=order.central_url,
        ledger_public_key=issued.ledger_public_key,
        issued_ms=_milliseconds(certificate.not_valid_before_utc),
        expires_ms=_milliseconds(certificate.not_valid_after_utc),
    )
    folder.write(identity, pem=_key_pem(key) + issued.certificate + issued.chain)


def _refused(status: int, data: bytes, *, is_claim: bool) -> _AskFailed:
    try:
        said = msgspec.json.decode(data, type=_Problem)
    except msgspec.DecodeError:
        said = _Problem()
    detail = said.detail or f"central answers {status}"
    if status in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
        return _AskFailed("busy", detail, said.hint)
    if status in {
        httpx.codes.BAD_REQUEST,
        httpx.codes.FORBIDDEN,
        httpx.codes.CONFLICT,
        httpx.codes.UNPROCESSABLE_ENTITY,
    }:
        return _AskFailed("claim_refused" if is_claim else "refused", detail, said.hint)
    return _AskFailed("unexpected", detail, said.hint)


def _lost(error: httpx.HTTPError) -> _AskFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _AskFailed("not_trusted", f"central's certificate: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    return _AskFailed("unreachable", f"central cannot be reached: {error!r}")


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _milliseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)


if __name__ == "__main__":
    main()
