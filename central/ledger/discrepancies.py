"""Opens discrepancies, one per kind and subject while it is open. Edge of the database."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, select, update

from central.ledger.entries import DiscrepancyKind, Finding
from central.ledger.settled_news import tell_settled
from central.storage import bulk, tables

KEYS_PER_SELECT_MAX = 100
Subject = tuple[str, str, str]  # warehouse, kind, subject


def open_discrepancies(
    connection: Connection, findings: Sequence[Finding], *, now_ms: int, counts: bool = True
) -> int:
    """Open what is not open yet, count further facts at what is; return how many were opened.

    counts: False for findings that the same bytes cause again at each offer, such as a fork.
    """
    if not findings:
        return 0
    grouped: dict[Subject, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.warehouse, finding.kind, finding.subject), []).append(finding)
    known = _open_identities(connection, list(grouped))
    bulk.insert_missing_rows(
        connection,
        tables.discrepancies,
        [
            _row(found, now_ms=now_ms)
            for subject, found in sorted(grouped.items())
            if subject not in known
        ],
    )
    again = {subject: found for subject, found in grouped.items() if subject in known}
    if again and counts:
        _count_again(connection, again, known)
    return len(grouped) - len(again)


def discrepancy_id(finding: Finding) -> str:
    """Return the identity that a discrepancy opened by this fact has on every machine."""
    text = "\0".join(
        (finding.kind, finding.subject, finding.gateway, finding.epoch, str(finding.seq))
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def settle_discrepancies(
    connection: Connection, identities: Sequence[str], *, settlement: str, now_ms: int
) -> None:
    """Settle open discrepancies, say why, and tell their gateways; what is settled already stays
    as it is."""
    table = tables.discrepancies
    for start in range(0, len(identities), KEYS_PER_SELECT_MAX):
        is_meant = and_(
            table.c.state == "open", table.c.id.in_(identities[start : start + KEYS_PER_SELECT_MAX])
        )
        rows = connection.execute(select(table).where(is_meant).order_by(table.c.id)).all()
        tell_settled(connection, rows, decided="itself", now_ms=now_ms)
        connection.execute(
            update(table)
            .where(is_meant)
            .values(
                state="settled",
                settled_ms=now_ms,
                settlement=settlement,
                version=table.c.version + 1,
            )
        )


def settle_where(
    connection: Connection,
    *,
    kind: DiscrepancyKind,
    subject: str,
    settlement: str,
    now_ms: int,
    warehouse: str = "",
) -> int:
    """Settle what is open of one kind and subject, as it is no longer so; return how many were.

    settlement: why, for people. warehouse: "" for every one.
    """
    table = tables.discrepancies.c
    query = select(table.id).where(
        table.kind == kind, table.subject == subject, table.state == "open"
    )
    if warehouse:
        query = query.where(table.warehouse == warehouse)
    identities = list(connection.execute(query).scalars())
    settle_discrepancies(connection, identities, settlement=settlement, now_ms=now_ms)
    return len(identities)


def settle_subjects(
    connection: Connection, subjects: Sequence[Subject], *, settlement: str, now_ms: int
) -> None:
    """Settle what is open of these subjects, however many they are, as it is no longer so."""
    identities = sorted(_open_identities(connection, list(subjects)).values())
    settle_discrepancies(connection, identities, settlement=settlement, now_ms=now_ms)


def _open_identities(connection: Connection, subjects: list[Subject]) -> dict[Subject, str]:
    """Return what is open of these subjects: a look into the index for each, however many are."""
    keys = [(warehouse, "open", kind, subject) for warehouse, kind, subject in subjects]
    found = bulk.select_by_columns(
        connection,
        tables.discrepancies,
        keys,
        columns=("warehouse", "state", "kind", "subject"),
        index="discrepancies_open",
        where="",
    )
    return {(row[1], row[2], row[3]): row[0] for row in found}


def _row(found: list[Finding], *, now_ms: int) -> bulk.Row:
    first = found[0]
    return (
        discrepancy_id(first) if first.epoch else _id_without_fact(first, now_ms=now_ms),
        first.warehouse,
        first.kind,
        first.subject,
        first.gateway,
        first.epoch,
        first.seq,
        first.item,
        first.location,
        first.lot,
        first.unit,
        first.document,
        first.document_line,
        first.expected_micro,
        found[-1].actual_micro,
        first.detail,
        "open",
        len(found),
        now_ms,
        first.record_no,
        0,
        "",
        "",
        0,
        len(found),
    )


def _id_without_fact(finding: Finding, *, now_ms: int) -> str:
    """Return an identity of its own for each time: no fact tells one from the next."""
    named = (finding.kind, finding.warehouse, finding.subject, str(now_ms), str(finding.record_no))
    text = "\0".join(named)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _count_again(
    connection: Connection, again: dict[Subject, list[Finding]], known: dict[Subject, str]
) -> None:
    table = tables.discrepancies
    connection.execute(
        update(table)
        .where(table.c.id == bindparam("b_id"))
        .values(
            facts_count=table.c.facts_count + bindparam("b_count"),
            actual_micro=bindparam("b_actual"),
            # By facts, not by calls: the same stands there however they were cut into batches.
            version=table.c.version + bindparam("b_count"),
        ),
        [
            {"b_id": known[subject], "b_count": len(found), "b_actual": found[-1].actual_micro}
            for subject, found in sorted(again.items())
        ],
    )
