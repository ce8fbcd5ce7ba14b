"""Asks central for a certificate, in a process of its own that ends with it. Edge of HTTPS.

The gateway starts it (`keeper`), so that httpx and X.509 never live in the gateway; the command
`dockledger-gateway enrol` calls `ask` itself.

    root.pem, pending.key  ->  POST  ->  identity.pem

Cut off anywhere, the same key is asked for again and central gives the same certificate again. An
order to show a code stays until somebody has answered it (`showing`).
"""

import select
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from central.contract.enrolment import ENROL_PATH, RENEW_PATH, proof_bytes, renewal_bytes
from gateway.config_sections import GatewayConfig
from gateway.errors import GatewayError, IdentityUnusable
from gateway.identity.certificate import (
    AskFailed,
    decode_issued,
    keep_certificate,
    pending_key,
    post,
    request_for,
)
from gateway.identity.exchange import (
    LINE_BYTES_MAX,
    CodeShown,
    Ended,
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
from gateway.identity.showing import show_code
from gateway.replication.signing import KEY_FILE, load_or_create_key


def main() -> None:
    """Take an order from standard input, say on standard output how it ended."""
    order = decode_order(sys.stdin.buffer.readline(LINE_BYTES_MAX))
    shows = order.task == "show"
    _say(show_code(order, tell=_say, ends=_ends) if shows else ask(order))


def ask(order: Order) -> Ended:
    """Ask for a certificate and keep it; return how it ended. Raises nothing but our mistakes."""
    folder = IdentityFolder(Path(order.data_directory))
    try:
        key = pending_key(folder)
        csr = request_for(key)
        route, body = _enrolment(order, csr) if order.claim else _renewal(folder, csr)
        keep_certificate(folder, order, key, decode_issued(post(folder, order, route, body)))
    except AskFailed as error:
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


def _ends(seconds: float) -> bool:
    """Whoever has started us and is gone, or wants no code any more, has closed our input."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _say(said: CodeShown | Ended) -> None:
    sys.stdout.buffer.write(encode(said))
    sys.stdout.buffer.flush()


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


if __name__ == "__main__":
    main()
