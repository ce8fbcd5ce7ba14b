"""Shows a code and asks central what became of it, until somebody has answered. Edge of HTTPS.

    root.pem, pending.key  ->  ask   ->  a code for the screen; its secret is kept in `shown`
                               poll  ->  waiting ...  ->  identity.pem | denied | expired

As RFC 8628, 3.2 to 3.5: asks no sooner than told, slower when told so or when nobody answers. A
process that is started anew goes on with the code that it kept.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from central.contract.enrolment import ASK_PATH, POLL_PATH, fingerprint, poll_bytes, proof_bytes
from gateway.errors import GatewayError
from gateway.identity.certificate import (
    AskFailed,
    IssuedCertificate,
    Text,
    keep_certificate,
    pending_key,
    post,
    request_for,
    spki_of,
)
from gateway.identity.exchange import CodeShown, Ended, Order
from gateway.identity.files import IdentityFolder, KeptCode
from gateway.replication.signing import load_or_create_key

INTERVAL_S, INTERVAL_S_MAX = 5, 60
# Central is not there for so long while a code is shown: it is over, another one is asked for.
LOST_COUNT_MAX = 15
RETRIED = frozenset({"unreachable", "busy", "unexpected"})
QUIET_CELLS = 4  # White around a QR code.


class _Asked(msgspec.Struct, frozen=True):
    """What central answers to who asks for a code."""

    code: Text
    secret: Text
    fingerprint: Text
    page: Text
    expires_in_s: int
    interval_s: int

    def __repr__(self) -> str:
        return f"_Asked({self.fingerprint})"


class _Polled(msgspec.Struct, frozen=True):
    """What central answers to who shows one."""

    state: str
    interval_s: int = INTERVAL_S
    expires_in_s: int = 0
    issued: IssuedCertificate | None = None


def show_code(
    order: Order, *, tell: Callable[[CodeShown], None], ends: Callable[[float], bool]
) -> Ended:
    """Show a code until it is answered; return how it ended.

    tell: called with what is shown, after each question. ends: waits some seconds, and returns
    whether nobody wants the code any more.
    """
    folder = IdentityFolder(Path(order.data_directory))
    try:
        key = pending_key(folder)
        own = _fingerprint(order, key)
        kept = folder.read_code()
        if kept is None or (kept.fingerprint, kept.central_url) != (own, order.central_url):
            kept = _ask(folder, order, key, own)
        return _await_answer(folder, order, key, kept, tell=tell, ends=ends)
    except AskFailed as error:
        if error.ended.problem in {"claim_refused", "refused"}:
            folder.forget_code()
        return error.ended
    except GatewayError as error:
        return Ended(problem="disk", detail=str(error), hint=error.hint)


def _ask(
    folder: IdentityFolder, order: Order, key: ec.EllipticCurvePrivateKey, own: str
) -> KeptCode:
    csr = request_for(key)
    signing = load_or_create_key(Path(order.signing_key_file))
    body = {
        "csr": csr,
        "signing_key": signing.public_key_hex,
        "signing_proof": signing.sign(proof_bytes(csr)).hex(),
        "hardware": order.hardware,
        "gateway": order.gateway,
    }
    try:
        asked = msgspec.json.decode(post(folder, order, ASK_PATH, body), type=_Asked)
    except msgspec.DecodeError as error:
        raise AskFailed("unexpected", f"central's answer cannot be read: {error}") from error
    if asked.fingerprint != own:
        raise AskFailed("unexpected", "central has seen other keys than ours")
    kept = KeptCode(
        central_url=order.central_url,
        code=asked.code,
        secret=asked.secret,
        fingerprint=own,
        page=order.central_url.rstrip("/") + asked.page,
    )
    folder.keep_code(kept)
    return kept


def _await_answer(
    folder: IdentityFolder,
    order: Order,
    key: ec.EllipticCurvePrivateKey,
    kept: KeptCode,
    *,
    tell: Callable[[CodeShown], None],
    ends: Callable[[float], bool],
) -> Ended:
    signature = key.sign(poll_bytes(kept.secret), ec.ECDSA(hashes.SHA256())).hex()
    body = {"secret": kept.secret, "signature": signature}
    qr_svg = _qr_svg(kept.page)
    interval_s, lost_count = INTERVAL_S, 0
    while True:
        try:
            polled = msgspec.json.decode(post(folder, order, POLL_PATH, body), type=_Polled)
        except msgspec.DecodeError as error:
            raise AskFailed("unexpected", f"central's answer cannot be read: {error}") from error
        except AskFailed as error:
            lost_count += 1
            if error.ended.problem not in RETRIED or lost_count > LOST_COUNT_MAX:
                raise
            interval_s = min(2 * interval_s, INTERVAL_S_MAX)
            polled = _Polled("lost", interval_s)
        else:
            lost_count = 0
        if polled.state == "issued" and polled.issued is not None:
            keep_certificate(folder, order, key, polled.issued)
            return Ended()
        if polled.state in {"denied", "expired"}:
            folder.forget_code()
            return Ended(problem="denied" if polled.state == "denied" else "code_expired")
        tell(
            CodeShown(
                code=kept.code,
                fingerprint=kept.fingerprint,
                page=kept.page,
                qr_svg=qr_svg,
                expires_in_s=polled.expires_in_s,
                reached=not lost_count,
            )
        )
        interval_s = max(0, min(polled.interval_s, INTERVAL_S_MAX))
        if ends(interval_s):
            return Ended(problem="unreachable", detail="nobody wants the code any more")


def _fingerprint(order: Order, key: ec.EllipticCurvePrivateKey) -> str:
    signing = load_or_create_key(Path(order.signing_key_file))
    own = bytes.fromhex(signing.public_key_hex)
    return fingerprint(spki=spki_of(key.public_key()), signing_key=own)


def _qr_svg(page: str) -> str:
    """Return a QR code (ISO/IEC 18004) of central's page with its quiet zone, "" if it has none."""
    # Who has no code to show pays nothing for it.
    from drivers.drawing.matrix_codes import qr_cells  # noqa: PLC0415
    from drivers.errors import LabelInvalid  # noqa: PLC0415

    try:
        cells = qr_cells(page)
    except LabelInvalid:
        return ""
    width = cells.width + 2 * QUIET_CELLS
    path = "".join(
        f"M{x + QUIET_CELLS} {y + QUIET_CELLS}h1v1h-1z"
        for y in range(cells.height)
        for x in range(cells.width)
        if cells.rows[y * cells.row_bytes + x // 8] & 0x80 >> x % 8
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {width}"'
        ' shape-rendering="crispEdges">'
        f'<rect width="{width}" height="{width}" fill="#fff"/><path d="{path}"/></svg>'
    )
