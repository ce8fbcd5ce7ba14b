"""Who is who, in one place: claims, certificates, revocation, upkeep. Edge of the database."""

from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from logging import getLogger
from threading import BoundedSemaphore, Lock

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.access.failures import address_subject
from central.clock import Clock
from central.errors import Conflict, NotThere, TrustUnusable
from central.inbox.gateways import close_key
from central.ledger.desk import Change, Desk
from central.storage.database import Database
from central.trust import registry
from central.trust.authority import crl_der, make_crl
from central.trust.authority_files import Authorities
from central.trust.broker_files import BrokerFiles
from central.trust.claim_codes import ClaimCode
from central.trust.claiming import CLAIM, CLAIM_HOURS, HOUR_MS, new_claim, write_new_claim
from central.trust.enrolling import Enrolling, EnrolmentRequest, Issued, Refused
from central.trust.events import EVENTS_MAX, counted_since, forget_old, note
from central.trust.registry import ClaimRow, Reason
from central.trust.renewing import RenewalRequest, Renewing

REQUESTS_AT_ONCE_MAX = 4  # Each checks signatures and waits for the ledger's lock.
ATTEMPTS_A_MINUTE_MAX = 120  # Of everybody together; a claim has a few attempts of its own.
ATTEMPTS_OF_ONE_MAX = 60  # Of one address: nobody alone keeps all others out.
POLLS_A_MINUTE_MAX = 6_000  # Of machines that show a code, and ask each five seconds.
POLLS_OF_ONE_MAX = 600
GATEWAY = "gateway"  # A kind of what stands in the audit.

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MadeClaim:
    """A new claim: its code is shown now and never again."""

    code: ClaimCode
    row: ClaimRow


class Attempts:
    """Counts attempts of the last minute, so that guessing costs time. Any thread may call."""

    def __init__(
        self, *, all_max: int = ATTEMPTS_A_MINUTE_MAX, own_max: int = ATTEMPTS_OF_ONE_MAX
    ) -> None:
        self._lock = Lock()
        self._own_max = own_max
        self._all_max = all_max
        self._made: deque[tuple[float, str]] = deque(maxlen=all_max)
        self._own: Counter[str] = Counter()

    def allowed(self, now_s: float, *, address: str = "") -> bool:
        """Count an attempt; return whether it may be made. address: "" for an unknown one; an
        IPv6 network of 64 bits is one."""
        address = address_subject(address) if address else ""
        with self._lock:
            while self._made and now_s - self._made[0][0] >= 60.0:
                self._forget(self._made.popleft()[1])
            own = self._own[address] if address else 0
            if len(self._made) == self._all_max or own >= self._own_max:
                return False
            self._made.append((now_s, address))
            self._own[address] += 1
            return True

    def _forget(self, address: str) -> None:
        self._own[address] -= 1
        if not self._own[address]:
            del self._own[address]


@dataclass(frozen=True, slots=True)
class Trust:
    """Who is who, in an installation that has authorities. Any thread may call anything.

    broker: None where it is ruled elsewhere. public_url, broker_host, broker_port: where gateways
    reach us; "" where the installer says it. ledger_key: returns the public key that gateways pin.
    """

    database: Database
    clock: Clock
    site: str
    authorities: Authorities
    broker: BrokerFiles | None
    crl_url: str
    public_url: str
    broker_host: str
    broker_port: int
    ledger_key: Callable[[], str]
    attempts: Attempts = field(default_factory=Attempts)
    polls: Attempts = field(
        default_factory=lambda: Attempts(all_max=POLLS_A_MINUTE_MAX, own_max=POLLS_OF_ONE_MAX)
    )
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(REQUESTS_AT_ONCE_MAX))

    def make_claim(
        self,
        *,
        gateway: str,
        warehouse: str,
        by: str,
        hours: int = CLAIM_HOURS,
        places: frozenset[str] | None = None,
    ) -> MadeClaim:
        """Return a new claim; earlier open ones of the gateway are withdrawn.

        places: the warehouses where whoever asks may, None for all of them. Raises ContractError,
        Unusable, NotThere or Conflict.
        """
        code, row = new_claim(
            gateway=gateway,
            warehouse=warehouse,
            by=by,
            hours=hours,
            now_ms=self.clock.now_ms(),
        )
        with self.change(by) as change:
            write_new_claim(change, row, places=places)
        return MadeClaim(code, row)

    def withdraw_claim(self, name: str, *, by: str, places: frozenset[str] | None = None) -> None:
        """Let nobody use a claim any more; places: as above. Raises NotThere or Conflict."""
        now_ms = self.clock.now_ms()
        with self.change(by) as change:
            connection = change.connection
            row = registry.lock_claim(connection, name)
            if row is None or (places is not None and row.warehouse not in places):
                raise NotThere("there is no such claim", hint="Look at the list of claims.")
            if row.state(now_ms=now_ms) == "used":
                raise Conflict(
                    "the claim was used",
                    hint="Revoke the gateway if the wrong machine used it.",
                )
            registry.change_claim(connection, name, withdrawn_ms=now_ms)
            change.note(CLAIM, name, "withdrawn", warehouse=row.warehouse, gateway=row.gateway)

    def enrol(self, request: EnrolmentRequest, *, address: str) -> Issued | Refused:
        """Return a certificate for a claim, or why not; then the broker knows of it."""
        return self._told(self._enrolling().redeem(request, address=address))

    def enrol_approved(self, request: EnrolmentRequest, *, address: str) -> Issued | Refused:
        """Return the certificate of a machine that staff have let in, as `enrol` does."""
        return self._told(self._enrolling().redeem_approved(request, address=address))

    def _enrolling(self) -> Enrolling:
        return Enrolling(
            self.database,
            self.authorities,
            clock=self.clock,
            site=self.site,
            crl_url=self.crl_url,
        )

    def _told(self, answer: Issued | Refused) -> Issued | Refused:
        # Also where it is the same again: the broker may not have been told the first time.
        if isinstance(answer, Issued):
            if answer.is_new:
                self._note_enrolled(answer)
            try:
                self.write_rules()
            except TrustUnusable as error:  # The certificate is good; upkeep tells the broker.
                told = {"detail": str(error), "hint": error.hint}
                logger.warning("the broker is not told", extra=told)
        return answer

    def renew(self, request: RenewalRequest, *, address: str) -> Issued | Refused:
        """Return the next certificate, or why not."""
        renewing = Renewing(self.database, self.authorities, clock=self.clock, crl_url=self.crl_url)
        return renewing.renew(request, address=address)

    def revoke(self, gateway: str, *, reason: Reason, by: str) -> int:
        """Let a gateway do nothing any more; return how many certificates are revoked now.

        The broker is told before this returns. Raises NotThere, TrustUnusable (then it is revoked
        here, and the broker is told by the next upkeep).
        """
        now_ms = self.clock.now_ms()
        with self.change(by) as change:
            connection = change.connection
            registry.lock_gateway(connection, gateway)
            if not registry.certificates_of(connection, gateway):
                raise NotThere(
                    f"{gateway[:64]!r} has no certificate", hint="Look at the list of gateways."
                )
            count = registry.revoke_certificates(
                connection, gateway, reason=reason, by=by, now_ms=now_ms
            )
            for one in registry.open_claims_of(connection, gateway, now_ms=now_ms):
                registry.change_claim(connection, one.name, withdrawn_ms=now_ms)
            close_key(connection, gateway=gateway)
            note(connection, "revoked", subject=gateway, detail=reason, address="", now_ms=now_ms)
            known = registry.gateway_row(connection, gateway)
            place = known[0] if known is not None else ""
            change.note(
                GATEWAY, gateway, "revoked", warehouse=place, reason=reason, certificates=count
            )
        self.write_rules()
        return count

    def write_rules(self) -> int:
        """Write what the broker goes by; return until when its revocation list is good.

        0 where the broker is ruled elsewhere. Raises TrustUnusable.
        """
        if self.broker is None:
            return 0
        with self.broker.alone():
            now_ms = self.clock.now_ms()
            with self.database.read() as connection:
                revoked = registry.revoked_list(connection, now_ms=now_ms)
                denied = registry.denied_gateways(connection)
                enrolled = registry.enrolled_gateways(connection)
            until_ms = self.broker.write_rules(
                self.authorities, revoked=revoked, denied=denied, enrolled=enrolled, now_ms=now_ms
            )
        with self.database.write() as connection:
            registry.mark_list(connection, until_ms=until_ms)
        return until_ms

    def change(self, by: str) -> AbstractContextManager[Change]:
        """Begin a change that stands in the audit with whoever asked for it."""
        return Desk(self.database, clock=self.clock).change(actor=by)

    def is_signed(self, gateway: str, data: bytes, signature: bytes, *, address: str) -> bool:
        """Return whether an enrolled gateway made a signature; a revoked one is noted."""
        with self.database.read() as connection:
            row = registry.gateway_row(connection, gateway)
        if row is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(row[1]).verify(signature, data)
        except (InvalidSignature, ValueError):
            if not row[1]:
                self._note_revoked(gateway, address=address)
            return False
        return True

    def _note_enrolled(self, issued: Issued) -> None:
        row = issued.certificate
        with self.change(row.gateway) as change:
            change.note(
                GATEWAY,
                row.gateway,
                "enrolled",
                warehouse=issued.warehouse,
                certificate=row.serial,
            )

    def _note_revoked(self, gateway: str, *, address: str) -> None:
        now_ms = self.clock.now_ms()
        with self.database.write() as connection:
            seen = counted_since(
                connection,
                ("revoked_seen",),
                since_ms=now_ms - HOUR_MS,
                limit=EVENTS_MAX,
            )
            if any(one.subject == gateway for one in seen):
                return  # A gateway that asks each second fills nothing.
            note(
                connection,
                "revoked_seen",
                subject=gateway,
                detail="asked over HTTP",
                address=address,
                now_ms=now_ms,
            )

    def revocation_list(self) -> bytes:
        """Return the gateways' revocation list of this moment, DER."""
        now_ms = self.clock.now_ms()
        with self.database.read() as connection:
            revoked = registry.revoked_list(connection, now_ms=now_ms)
        number = now_ms // 1000
        pem = make_crl(
            self.authorities.gateways, revoked, now_ms=now_ms, number=number, crl_url=self.crl_url
        )
        return crl_der(pem)

    def keep_up(self) -> int:
        """Do what is due each day: revoke what was renewed, forget, write the rules anew."""
        now_ms = self.clock.now_ms()
        with self.database.write() as connection:
            registry.revoke_replaced(connection, now_ms=now_ms)
            forget_old(connection, now_ms=now_ms)
        return self.write_rules()
