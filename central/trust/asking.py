"""What a machine does that shows a code: asks for one, asks what became of it. Edge of SQL.

    ask   -> a code for the screen, a secret for the machine: waiting, 15 minutes
    poll  -> waiting | slow_down | denied | expired | its certificate (RFC 8628, 3.5)

Both are rows in the database: central and machine may be started anew meanwhile.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from central.access.failures import address_subject
from central.clock import random_64, random_key_hex
from central.contract.enrolment import fingerprint, poll_bytes
from central.errors import Unusable
from central.trust import newcomers
from central.trust.enrolling import EnrolmentRequest, Issued, Refused, plain_hardware
from central.trust.events import counted_since, note
from central.trust.newcomers import NewcomerRow
from central.trust.requests import check_proof, public_key_of_request, spki_of, verified_by_key
from central.trust.shown_codes import (
    CODES_COUNT,
    code_digest,
    make_shown_code,
    parse_shown_code,
    secret_digest,
)
from central.trust.trust import Trust

INTERVAL_S, SLOWER_S, INTERVAL_S_MAX = 5, 5, 60  # RFC 8628, 3.2 and 3.5.
EARLY_MS = 500  # So much sooner than told is not too soon: clocks and networks are not exact.
FULL_NOTED_MS, FULL_NOTED_MAX = 600_000, 20  # Who floods us fills nothing.
HINT_OWN_KEY = "Let the machine that shows the code ask itself, or show a new one."
PolledState = Literal["waiting", "slow_down", "denied", "expired"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a machine shows and keeps. The secret is nobody's but the machine's."""

    code: str
    secret: str
    fingerprint: str
    expires_in_s: int
    interval_s: int

    def __repr__(self) -> str:
        return f"Shown({self.fingerprint})"


@dataclass(frozen=True, slots=True)
class Full:
    """Too many wait already: here, or of the caller's address."""

    of_address: bool


@dataclass(frozen=True, slots=True)
class Polled:
    """What became of a machine that has not been let in. interval_s: when to ask again."""

    state: PolledState
    interval_s: int = INTERVAL_S
    expires_in_s: int = 0


@dataclass(frozen=True, slots=True)
class Asking:
    """The way to a certificate by a code on a screen. Any thread may call anything.

    waiting_max: of all machines together.
    """

    trust: Trust
    waiting_max: int = newcomers.WAITING_MAX

    def ask(self, request: EnrolmentRequest, *, address: str) -> Shown | Full | Refused:
        """Return a code to show; it is durable. The same machine's code before is good no more.

        request: as for a claim, which it has none of. Raises LedgerUnavailable.
        """
        try:
            spki = spki_of(public_key_of_request(request.csr))
            check_proof(request.csr, key=request.signing_key, proof=request.signing_proof)
        except Unusable as error:
            return Refused("unusable", str(error), error.hint)
        now_ms, network = self.trust.clock.now_ms(), address_subject(address)
        with self.trust.database.write() as connection:
            newcomers.make_room(connection, spki=spki, now_ms=now_ms)
            total, own = newcomers.waiting_counts(connection, network)
            if total >= self.waiting_max or own >= newcomers.WAITING_OF_ONE_MAX:
                _note_full(connection, network, address=address, total=total, now_ms=now_ms)
                return Full(of_address=own >= newcomers.WAITING_OF_ONE_MAX)
            code, digest = _free_code(connection)
            secret = random_key_hex()
            row = NewcomerRow(
                name=f"{random_64():016x}",
                code_digest=digest,
                secret_digest=secret_digest(secret),
                csr=request.csr,
                spki=spki,
                signing_key=request.signing_key,
                hardware=plain_hardware(request.hardware),
                gateway=request.gateway,
                address=address,
                network=network,
                asked_ms=now_ms,
                expires_ms=now_ms + newcomers.CODE_MS,
                interval_s=INTERVAL_S,
                polled_ms=0,
                decision="waiting",
                decided_by="",
                decided_ms=0,
                claim="",
                receive_location="",
            )
            newcomers.write_newcomer(connection, row)
        shown = fingerprint(spki=spki, signing_key=request.signing_key)
        return Shown(code, secret, shown, newcomers.CODE_MS // 1000, INTERVAL_S)

    def poll(
        self, secret: str, *, signature: bytes, address: str
    ) -> tuple[Issued, str] | Polled | Refused:
        """Return what became of a machine: its certificate, with where its goods come in, once it
        is let in. signature: DER, over `poll_bytes`, by the key that it asked for."""
        now_ms = self.trust.clock.now_ms()
        with self.trust.database.write() as connection:
            row = newcomers.by_secret(connection, secret_digest(secret))
            if row is None:
                return Polled("expired")
            if not verified_by_key(row.spki, signature=signature, data=poll_bytes(secret)):
                detail = "Who asks does not have the key that shows this code."
                return Refused("forbidden", detail, hint=HINT_OWN_KEY)
            state = row.state(now_ms=now_ms)
            if state == "denied":
                return Polled("denied")
            if state == "expired":
                return Polled("expired")
            if state == "waiting":
                early = 0 <= now_ms - row.polled_ms < row.interval_s * 1000 - EARLY_MS
                slower_s = min(row.interval_s + SLOWER_S, INTERVAL_S_MAX)
                interval_s = slower_s if early else row.interval_s
                newcomers.change_newcomer(
                    connection, row.name, polled_ms=now_ms, interval_s=interval_s
                )
                left_s = (row.expires_ms - now_ms) // 1000
                return Polled("slow_down" if early else "waiting", interval_s, left_s)
        answer = self.trust.enrol_approved(
            EnrolmentRequest(
                claim=row.claim,
                csr=row.csr,
                signing_key=row.signing_key,
                signing_proof=b"",  # Seen when it asked.
                hardware=row.hardware,
                gateway=row.gateway,
            ),
            address=address,
        )
        return (answer, row.receive_location) if isinstance(answer, Issued) else answer


def _free_code(connection: Connection) -> tuple[str, bytes]:
    """Return a code that nobody shows or has shown lately, and its digest."""
    while True:  # Once, but for one time in many millions.
        code = make_shown_code(int(random_key_hex(), 16) % CODES_COUNT)
        digest = code_digest(parse_shown_code(code))
        if newcomers.by_code(connection, digest) is None:
            return code, digest


def _note_full(
    connection: Connection, network: str, *, address: str, total: int, now_ms: int
) -> None:
    seen = counted_since(
        connection, ("newcomers_full",), since_ms=now_ms - FULL_NOTED_MS, limit=FULL_NOTED_MAX
    )
    if len(seen) < FULL_NOTED_MAX and network not in {one.subject for one in seen}:
        note(
            connection,
            "newcomers_full",
            subject=network,
            detail=f"{total} machines show a code",
            address=address,
            now_ms=now_ms,
        )
