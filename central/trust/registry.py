"""Claims and certificates as the database has them. Edge of SQLAlchemy."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from sqlalchemy import Connection, case, func, insert, select, update

from central.storage import bulk
from central.storage.tables import gateways, positions
from central.storage.trust_tables import certificates, claims
from central.storage.watching_tables import watching_marks
from central.trust.authority import Revoked, pem_of

WRONG_MAX = 5
CLAIMS_LISTED_MAX = 200
CERTIFICATES_LISTED_MAX = 2000
RENEWALS_A_DAY_MAX = 4
DAY_MS = 86_400_000
GATEWAY_LOCK = 0x444C_4757  # First half of the advisory locks of gateways in PostgreSQL.
LIST_MARK = "trust/revocation_list"  # `central.stock.alerts_safety` looks for it.
REPLACED_STAYS_MS = DAY_MS  # A Pi that did not hear of its new certificate comes with the old one.
ClaimState = Literal["open", "used", "expired", "burnt", "withdrawn"]
Reason = Literal["lost", "stolen", "replaced", "retired", "mistake"]


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim. expires_ms and the rest as the table says."""

    name: str
    secret_digest: bytes
    gateway: str
    warehouse: str
    role: str
    made_by: str
    made_ms: int
    expires_ms: int
    wrong_count: int
    withdrawn_ms: int
    used_ms: int
    spki: bytes
    signing_key: bytes
    certificate: str
    hardware: str

    def state(self, *, now_ms: int) -> ClaimState:
        """Return what may be done with it."""
        if self.used_ms:
            return "used"
        if self.withdrawn_ms:
            return "withdrawn"
        if self.wrong_count >= WRONG_MAX:
            return "burnt"
        return "expired" if now_ms >= self.expires_ms else "open"


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A certificate that was issued to a gateway."""

    serial: str
    gateway: str
    spki: bytes
    pem: str
    how: str
    signing_key: bytes
    issued_ms: int
    expires_ms: int
    replaced_ms: int
    revoked_ms: int
    reason: str
    revoked_by: str
    last_epoch: str
    last_seq: int


def secret_digest(secret: str) -> bytes:
    """Return what is kept of a claim's secret."""
    return hashlib.sha256(b"dockledger claim\0" + secret.encode()).digest()


def lock_gateway(connection: Connection, gateway: str) -> None:
    """Let nobody else change claims or certificates of a gateway before our transaction ends.

    Taken before any of their rows, so that nobody waits for another in a circle, and what is read
    after it is what counts. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        own = func.pg_advisory_xact_lock(GATEWAY_LOCK, func.hashtext(gateway))
        connection.execute(select(own))


def find_claim(connection: Connection, name: str) -> ClaimRow | None:
    """Return a claim."""
    row = connection.execute(select(claims).where(claims.c.name == name)).first()
    return ClaimRow(*row) if row is not None else None


def lock_claim(connection: Connection, name: str) -> ClaimRow | None:
    """Return a claim that nobody else changes before our transaction ends, nor its gateway's."""
    found = find_claim(connection, name)
    if found is None:
        return None
    lock_gateway(connection, found.gateway)
    return find_claim(connection, name)


def list_claims(
    connection: Connection,
    *,
    places: frozenset[str] | None = None,
    before: tuple[int, str] | None = None,
    limit: int = CLAIMS_LISTED_MAX,
) -> tuple[ClaimRow, ...]:
    """Return claims, newest first, of one moment by name.

    places: those of these warehouses alone; before: made_ms and name of the last one of the page
    before.
    """
    table = claims.c
    query = select(claims).order_by(table.made_ms.desc(), table.name)
    if places is not None:
        query = query.where(table.warehouse.in_(places))
    if before is not None:
        made_ms, name = before
        same = (table.made_ms == made_ms) & (table.name > name)
        query = query.where((table.made_ms < made_ms) | same)
    return tuple(ClaimRow(*row) for row in connection.execute(query.limit(limit)))


def open_claims_of(connection: Connection, gateway: str, *, now_ms: int) -> tuple[ClaimRow, ...]:
    """Return the claims that still make somebody this gateway."""
    rows = connection.execute(select(claims).where(claims.c.gateway == gateway))
    found = [ClaimRow(*row) for row in rows]
    return tuple(one for one in found if one.state(now_ms=now_ms) == "open")


def write_claim(connection: Connection, row: ClaimRow) -> None:
    """Add a claim."""
    connection.execute(insert(claims).values({name: getattr(row, name) for name in CLAIM_NAMES}))


def change_claim(connection: Connection, name: str, **values: object) -> None:
    """Change some columns of a claim."""
    connection.execute(update(claims).where(claims.c.name == name).values(values))


def add_certificate(
    connection: Connection,
    certificate: x509.Certificate,
    *,
    gateway: str,
    spki: bytes,
    signing_key: bytes,
    how: Literal["claim", "renewal"],
    now_ms: int,
) -> CertificateRow:
    """Keep a certificate that was just issued; the ones before it are replaced."""
    row = CertificateRow(
        serial=f"{certificate.serial_number:x}",
        gateway=gateway,
        spki=spki,
        pem=pem_of(certificate),
        how=how,
        signing_key=signing_key,
        issued_ms=now_ms,
        expires_ms=int(certificate.not_valid_after_utc.timestamp() * 1000),
        replaced_ms=0,
        revoked_ms=0,
        reason="",
        revoked_by="",
        last_epoch="",
        last_seq=0,
    )
    table = certificates.c
    before = update(certificates).where(table.gateway == gateway, table.replaced_ms == 0)
    connection.execute(before.values(replaced_ms=now_ms))
    connection.execute(
        insert(certificates).values({name: getattr(row, name) for name in CERTIFICATE_NAMES})
    )
    return row


def find_certificate(connection: Connection, serial: str) -> CertificateRow | None:
    """Return a certificate by its serial number, hexadecimal."""
    row = connection.execute(select(certificates).where(certificates.c.serial == serial)).first()
    return CertificateRow(*row) if row is not None else None


def certificates_of(connection: Connection, gateway: str) -> tuple[CertificateRow, ...]:
    """Return a gateway's certificates, newest first."""
    table = certificates.c
    query = select(certificates).where(table.gateway == gateway).order_by(table.issued_ms.desc())
    rows = connection.execute(query.limit(CERTIFICATES_LISTED_MAX))
    return tuple(CertificateRow(*row) for row in rows)


def newest_certificates(
    connection: Connection,
    *,
    places: frozenset[str] | None = None,
    after: str = "",
    limit: int = CERTIFICATES_LISTED_MAX,
) -> tuple[CertificateRow, ...]:
    """Return each gateway's newest certificate, by gateway.

    places: as above; after: the last gateway of the page before.
    """
    table = certificates.c
    query = select(certificates).where(table.replaced_ms == 0, table.gateway > after)
    query = query.order_by(table.gateway)
    if places is not None:
        theirs = select(gateways.c.gateway).where(gateways.c.warehouse.in_(places))
        query = query.where(table.gateway.in_(theirs))
    rows = connection.execute(query.limit(limit))
    return tuple(CertificateRow(*row) for row in rows)


def revoke_certificates(
    connection: Connection, gateway: str, *, reason: Reason, by: str, now_ms: int
) -> int:
    """Revoke all that a gateway has; return how many. Notes how far the ledger had it then."""
    table, place = certificates.c, positions.c
    query = select(place.epoch, place.acked_seq).where(place.gateway == gateway)
    last = connection.execute(query.order_by(place.epoch.desc()).limit(1)).first()
    changed = connection.execute(
        update(certificates)
        .where(table.gateway == gateway, table.revoked_ms == 0)
        .values(
            revoked_ms=now_ms,
            reason=reason,
            revoked_by=by,
            last_epoch=last[0] if last is not None else "",
            last_seq=last[1] if last is not None else 0,
        )
    )
    return changed.rowcount


def revoke_replaced(connection: Connection, *, now_ms: int) -> int:
    """Revoke what was renewed long enough ago; return how many."""
    table = certificates.c
    due = (table.revoked_ms == 0) & (table.replaced_ms > 0)
    changed = connection.execute(
        update(certificates)
        .where(due, table.replaced_ms <= now_ms - REPLACED_STAYS_MS)
        .values(revoked_ms=now_ms, reason="renewed", revoked_by="")
    )
    return changed.rowcount


def revoked_list(connection: Connection, *, now_ms: int) -> tuple[Revoked, ...]:
    """Return what a revocation list has: revoked and not expired for longer than a day."""
    table = certificates.c
    query = (
        select(table.serial, table.revoked_ms)
        .where(table.revoked_ms > 0, table.expires_ms > now_ms - DAY_MS)
        .order_by(table.serial)
    )
    return tuple(Revoked(int(row[0], 16), row[1]) for row in connection.execute(query))


def mark_list(connection: Connection, *, until_ms: int) -> None:
    """Say until when the list is good that the broker has, for an alert if no newer one comes."""
    bulk.upsert_rows(connection, watching_marks, [(LIST_MARK, str(until_ms))])


def denied_gateways(connection: Connection) -> tuple[str, ...]:
    """Return the gateways that had certificates and have none any more that is not revoked."""
    table = certificates.c
    alive = func.sum(case((table.revoked_ms == 0, 1), else_=0))
    query = select(table.gateway).group_by(table.gateway).having(alive == 0)
    return tuple(sorted(connection.execute(query).scalars()))


def enrolled_gateways(connection: Connection) -> tuple[str, ...]:
    """Return the gateways that have a certificate which is not revoked."""
    table = certificates.c
    query = select(table.gateway).where(table.revoked_ms == 0).distinct()
    return tuple(sorted(connection.execute(query).scalars()))


def issued_since(connection: Connection, gateway: str, *, since_ms: int) -> int:
    """Return how many certificates a gateway was given since then."""
    table = certificates.c
    query = select(func.count()).where(table.gateway == gateway, table.issued_ms >= since_ms)
    return int(connection.execute(query).scalar_one())


def gateway_row(connection: Connection, gateway: str) -> tuple[str, bytes] | None:
    """Return warehouse and signing key of an enrolled gateway; None if it is not enrolled."""
    query = select(gateways.c.warehouse, gateways.c.public_key).where(gateways.c.gateway == gateway)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row is not None else None


CLAIM_NAMES: Sequence[str] = tuple(column.name for column in claims.columns)
CERTIFICATE_NAMES: Sequence[str] = tuple(column.name for column in certificates.columns)
