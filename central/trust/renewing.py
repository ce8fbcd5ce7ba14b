"""Gives a gateway its next certificate, asked for with the key of the last one. Edge of SQL.

Over HTTPS rather than over the broker: a Pi whose certificate has expired in a drawer reaches no
broker, and one way is enough for both. It asks at two thirds of the certificate's life and may ask
until EXPIRED_MS_MAX after its end, if nobody revoked it. The same new key again gets the same
certificate; the one before is revoked a day later.
"""

import binascii
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Connection

from central.clock import Clock
from central.contract.enrolment import renewal_bytes
from central.errors import Unusable
from central.storage.database import Database
from central.trust import registry
from central.trust.authority import issue_gateway
from central.trust.authority_files import Authorities
from central.trust.enrolling import HINT_NEW_CLAIM, Issued, Refused
from central.trust.events import note
from central.trust.requests import public_key_of_request, spki_of, verified_by

EXPIRED_MS_MAX = 180 * registry.DAY_MS
SERIAL = re.compile("[0-9a-f]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalRequest:
    """serial: of the certificate that its key signs with. signature: DER, over `renewal_bytes`."""

    serial: str
    csr: str
    signature: bytes


class Renewing:
    """The way to the next certificate. Any thread may call; each call is one transaction."""

    def __init__(
        self, database: Database, authorities: Authorities, *, clock: Clock, crl_url: str
    ) -> None:
        self._database = database
        self._authorities = authorities
        self._clock = clock
        self._crl_url = crl_url

    def renew(self, request: RenewalRequest, *, address: str) -> Issued | Refused:
        """Return the next certificate, or why there is none. Raises LedgerUnavailable."""
        now_ms = self._clock.now_ms()
        try:
            key = public_key_of_request(request.csr)
        except Unusable as error:
            return Refused("unusable", str(error), error.hint)
        with self._database.write() as connection:
            known = None
            if SERIAL.fullmatch(request.serial):
                known = registry.find_certificate(connection, request.serial)
            if known is not None:
                # Whoever revokes it at this moment is waited for.
                registry.lock_gateway(connection, known.gateway)
                known = registry.find_certificate(connection, request.serial)
            if known is None or not _signed(known.pem, request):
                return Refused("forbidden", "Nobody here knows this key.", HINT_NEW_CLAIM)
            gateway = known.gateway

            def refuse(kind: str, detail: str) -> Refused:
                seen = "revoked_seen" if kind == "revoked" else "renewal_refused"
                note(
                    connection,
                    seen,  # type: ignore[arg-type]
                    subject=gateway,
                    detail=detail,
                    address=address,
                    now_ms=now_ms,
                )
                return Refused("forbidden", detail, HINT_NEW_CLAIM)

            if known.revoked_ms:
                return refuse("revoked", "This certificate is revoked.")
            if now_ms > known.expires_ms + EXPIRED_MS_MAX:
                return refuse("expired", "This certificate expired too long ago.")
            return self._next(connection, known, key, now_ms=now_ms) or refuse(
                "often", "This gateway was given too many certificates today."
            )

    def _next(
        self,
        connection: Connection,
        known: registry.CertificateRow,
        key: EllipticCurvePublicKey,
        *,
        now_ms: int,
    ) -> Issued | None:
        gateway, spki = known.gateway, spki_of(key)
        enrolled = registry.gateway_row(connection, gateway)
        warehouse = enrolled[0] if enrolled is not None else ""
        for one in registry.certificates_of(connection, gateway):
            if one.spki == spki and not one.revoked_ms:
                return Issued(one, warehouse, is_new=False)
        since_ms = now_ms - registry.DAY_MS
        count = registry.issued_since(connection, gateway, since_ms=since_ms)
        if count >= registry.RENEWALS_A_DAY_MAX:
            return None
        certificate = issue_gateway(
            self._authorities.gateways,
            key,
            gateway,
            now_ms=now_ms,
            crl_url=self._crl_url,
        )
        issued = registry.add_certificate(
            connection,
            certificate,
            gateway=gateway,
            spki=spki,
            signing_key=known.signing_key,
            how="renewal",
            now_ms=now_ms,
        )
        detail = f"certificate {issued.serial}"
        note(connection, "renewed", subject=gateway, detail=detail, address="", now_ms=now_ms)
        return Issued(issued, warehouse, is_new=True)


def _signed(pem: str, request: RenewalRequest) -> bool:
    try:
        return verified_by(pem, signature=request.signature, data=renewal_bytes(request.csr))
    except (ValueError, binascii.Error):
        return False
