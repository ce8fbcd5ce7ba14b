"""Turns a claim into a certificate, once: one transaction a call. Edge of the database.

    claim ok, not used          -> certificate, gateway enrolled, claim bound to the key
    used by this very key       -> the same certificate (a power cut, a lost answer)
    used by another key         -> refused, and people are told
    wrong secret, WRONG_MAX x   -> the claim is dead, whatever comes later
    claim of an approved code   -> the same, but for the key that was approved and without a secret

The name in the certificate is the claim's, never the request's. A gateway that had certificates is
a replaced Pi: the old ones are revoked and its old signing key is good for nothing more; what the
old card had not sent comes when its journal is restored on the new Pi, signed by the new key.
"""

import hmac
from dataclasses import dataclass
from logging import getLogger
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Connection

from central.clock import Clock
from central.errors import EnrolmentRefused, Unusable
from central.inbox.gateways import write_enrolment
from central.storage.database import Database
from central.trust import registry
from central.trust.authority import issue_gateway
from central.trust.authority_files import Authorities
from central.trust.claim_codes import ClaimCode, parse_claim
from central.trust.events import EventKind, note
from central.trust.registry import CertificateRow, ClaimRow
from central.trust.requests import check_proof, public_key_of_request, spki_of

HARDWARE_CHARACTERS_MAX = 64
HINT_NEW_CLAIM = "Ask for a new claim on the page of gateways, and type or scan that."
HINT_OTHER = "Correct gateway.code in the configuration, or make a claim for this gateway."
NOT_GOOD = "This claim is not good."
RefusalKind = Literal["unusable", "forbidden", "conflict"]

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentRequest:
    """What a Pi sends. gateway: who it believes to be, "" if it does not know.

    signing_key: Ed25519, 32 bytes; signing_proof: over `proof_bytes`.
    """

    claim: str
    csr: str
    signing_key: bytes
    signing_proof: bytes
    hardware: str = ""
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A gateway's certificate, and whether it is new or the one that it was given before."""

    certificate: CertificateRow
    warehouse: str
    is_new: bool
    replaced_count: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing is issued, in words for a person."""

    kind: RefusalKind
    detail: str
    hint: str


class Enrolling:
    """The way to a certificate by a claim. Any thread may call; each call is one transaction."""

    def __init__(
        self,
        database: Database,
        authorities: Authorities,
        *,
        clock: Clock,
        site: str,
        crl_url: str,
    ) -> None:
        self._database = database
        self._authorities = authorities
        self._clock = clock
        self._site = site
        self._crl_url = crl_url

    def redeem(self, request: EnrolmentRequest, *, address: str) -> Issued | Refused:
        """Return the certificate, or why there is none; both are durable. Raises LedgerUnavailable.

        address: of the caller, kept with what was suspicious.
        """
        try:
            code = parse_claim(request.claim)
        except Unusable as error:
            return Refused("forbidden", str(error), error.hint)
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            turn = _Turn(connection, address=address, now_ms=now_ms)
            row = turn.find(code)
            if isinstance(row, Refused):
                return row
            try:
                key = public_key_of_request(request.csr)
                check_proof(request.csr, key=request.signing_key, proof=request.signing_proof)
            except Unusable as error:
                turn.note("request_refused", row.gateway, str(error))
                return Refused("unusable", str(error), error.hint)
            if request.gateway not in {"", row.gateway}:
                detail = f"The claim is for {row.gateway}, the machine is {request.gateway[:64]}."
                turn.note("request_refused", row.gateway, detail)
                return Refused("conflict", detail, HINT_OTHER)
            before = turn.judge(row, spki_of(key), request.signing_key)
            if before is not None:
                return before
            return self._issue(turn, row, key, request)

    def redeem_approved(self, request: EnrolmentRequest, *, address: str) -> Issued | Refused:
        """Return the certificate of a machine that staff have let in; `redeem` says the rest.

        request: its claim is the name of the one that the approval has made, its keys are those
        that were approved, and whoever calls has seen that the caller has them.
        """
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            turn = _Turn(connection, address=address, now_ms=now_ms)
            row = registry.lock_claim(connection, request.claim)
            if row is None:
                return Refused("forbidden", NOT_GOOD, HINT_NEW_CLAIM)
            key = public_key_of_request(request.csr)
            before = turn.judge(row, spki_of(key), request.signing_key)
            return before if before is not None else self._issue(turn, row, key, request)

    def _issue(
        self, turn: "_Turn", row: ClaimRow, key: EllipticCurvePublicKey, request: EnrolmentRequest
    ) -> Issued | Refused:
        connection, now_ms = turn.connection, turn.now_ms
        try:
            write_enrolment(
                connection,
                gateway=row.gateway,
                site=self._site,
                warehouse=row.warehouse,
                public_key=request.signing_key,
                now_ms=now_ms,
            )
        except EnrolmentRefused as error:
            return Refused("conflict", str(error), error.hint)
        replaced_count = registry.revoke_certificates(
            connection, row.gateway, reason="replaced", by=row.made_by, now_ms=now_ms
        )
        certificate = issue_gateway(
            self._authorities.gateways, key, row.gateway, now_ms=now_ms, crl_url=self._crl_url
        )
        spki = spki_of(key)
        issued = registry.add_certificate(
            connection,
            certificate,
            gateway=row.gateway,
            spki=spki,
            signing_key=request.signing_key,
            how="claim",
            now_ms=now_ms,
        )
        registry.change_claim(
            connection,
            row.name,
            used_ms=now_ms,
            spki=spki,
            signing_key=request.signing_key,
            certificate=issued.serial,
            hardware=plain_hardware(request.hardware),
        )
        turn.note("enrolled", row.gateway, f"claim {row.name}, certificate {issued.serial}")
        return Issued(issued, row.warehouse, is_new=True, replaced_count=replaced_count)


class _Turn:
    """One attempt, in its transaction."""

    def __init__(self, connection: Connection, *, address: str, now_ms: int) -> None:
        self.connection = connection
        self.now_ms = now_ms
        self._address = address

    def find(self, code: ClaimCode) -> ClaimRow | Refused:
        """Return the claim if the secret is its secret; a wrong one is counted."""
        row = registry.lock_claim(self.connection, code.name)
        refused = Refused("forbidden", NOT_GOOD, HINT_NEW_CLAIM)
        if row is None:
            self.note("claim_unknown", code.name, "")
            return refused
        if row.wrong_count >= registry.WRONG_MAX:
            self.note("claim_burnt", row.name, row.gateway)
            return refused
        right = hmac.compare_digest(row.secret_digest, registry.secret_digest(code.secret))
        if not right:
            registry.change_claim(self.connection, row.name, wrong_count=row.wrong_count + 1)
            self.note("claim_guessed", row.name, row.gateway)
            return refused
        return row

    def judge(self, row: ClaimRow, spki: bytes, signing_key: bytes) -> Issued | Refused | None:
        """Return how it ends already; None if the claim may be redeemed now."""
        state = row.state(now_ms=self.now_ms)
        if state == "used":
            issued = registry.find_certificate(self.connection, row.certificate)
            same = (row.spki, row.signing_key) == (spki, signing_key)
            if issued is not None and same and not issued.revoked_ms:
                return Issued(issued, row.warehouse, is_new=False)
            self.note("claim_reused", row.gateway, f"claim {row.name} with another key")
            return Refused("conflict", "This claim was used by another machine.", HINT_NEW_CLAIM)
        if state != "open":
            kind: EventKind = "claim_burnt" if state == "burnt" else "claim_expired"
            self.note(kind, row.gateway, f"claim {row.name}")
            words = {"expired": "This claim is past its time."}
            return Refused("forbidden", words.get(state, NOT_GOOD), HINT_NEW_CLAIM)
        return None

    def note(self, kind: EventKind, subject: str, detail: str) -> None:
        """Keep what happened."""
        logger.info("enrolment", extra={"event": kind, "gateway": subject})
        note(
            self.connection,
            kind,
            subject=subject,
            detail=detail,
            address=self._address,
            now_ms=self.now_ms,
        )


def plain_hardware(text: str) -> str:
    """Return what a machine says of its hardware as one short printable line."""
    return "".join(one for one in text[:HARDWARE_CHARACTERS_MAX] if one.isprintable())
