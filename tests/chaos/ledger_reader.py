"""Reads the ledger's tables beside the ledger, as one consistent state. Edge of the database."""

from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url

from tests.chaos.checkers import (
    PIECE_MICRO,
    QUIET_KINDS,
    LedgerEvidence,
    LedgerFact,
    LedgerPosition,
)

SELECT_FACTS = "SELECT record_no, gateway, epoch, seq, digest FROM facts ORDER BY record_no"
SELECT_POSITIONS = "SELECT gateway, epoch, acked_seq, head_digest FROM positions"
SELECT_RECEIPTS = (
    "SELECT facts.gateway, lines.serial FROM lines LEFT JOIN facts"
    " ON facts.record_no = lines.record_no"
    " WHERE lines.serial <> '' AND lines.line_no = 2 AND lines.location = :place"
)
SELECT_ENTRY_SUMS = (
    "SELECT 'record ' || record_no, sum(quantity_micro) AS total FROM lines"
    " GROUP BY record_no HAVING sum(quantity_micro) <> 0 OR count(*) <> 2"
)
SELECT_ITEM_SUMS = (
    "SELECT warehouse || '/' || item, sum(on_hand_micro) AS total FROM balances"
    " GROUP BY warehouse, item, unit HAVING sum(on_hand_micro) <> 0"
)
SELECT_ON_HAND = (
    "SELECT serial, sum(on_hand_micro) FROM balances WHERE location = :place AND serial <> ''"
    " GROUP BY serial HAVING sum(on_hand_micro) <> 0"
)
SELECT_QUARANTINE = "SELECT reason, topic_gateway, detail FROM quarantine"
SELECT_DISCREPANCIES = "SELECT kind, subject, detail FROM discrepancies"


class LedgerReader:
    """Looks into the database itself, not through central. Raises SQLAlchemyError if it is away."""

    def __init__(self, url: str, *, place: str) -> None:
        """url: as in central.toml. place: the location at which serial numbers are received."""
        self._place = place
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            # Read-only, so that closing it never checkpoints beside the ledger.
            parsed = make_url(f"sqlite:///file:{parsed.database}?mode=ro&uri=true")
        self._engine = create_engine(parsed, poolclass=NullPool)

    def positions(self) -> dict[tuple[str, str], int]:
        """Return the last committed number by gateway and epoch, for those that have one."""
        with self._state() as connection:
            rows = connection.execute(text(SELECT_POSITIONS)).all()
        return {(gateway, epoch): acked for gateway, epoch, acked, _ in rows if acked}

    def evidence(self) -> LedgerEvidence:
        """Return everything that the checkers look at."""
        place = {"place": self._place}
        with self._state() as connection:
            facts = connection.execute(text(SELECT_FACTS))
            return LedgerEvidence(
                facts=[
                    LedgerFact(number, gateway, epoch, seq, bytes(digest).hex())
                    for number, gateway, epoch, seq, digest in facts
                ],
                positions=[
                    LedgerPosition(gateway, epoch, acked, bytes(digest).hex())
                    for gateway, epoch, acked, digest in connection.execute(text(SELECT_POSITIONS))
                ],
                receipts=[
                    (gateway, serial)
                    for gateway, serial in connection.execute(text(SELECT_RECEIPTS), place)
                ],
                sums=[
                    f"{subject}: {int(total) / PIECE_MICRO}"
                    for query in (SELECT_ENTRY_SUMS, SELECT_ITEM_SUMS)
                    for subject, total in connection.execute(text(query))
                ],
                on_hand={
                    serial: int(micro)
                    for serial, micro in connection.execute(text(SELECT_ON_HAND), place)
                },
                refused=_refused(connection),
            )

    @contextmanager
    def _state(self):
        with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection


def _refused(connection: Connection) -> list[str]:
    quarantined = connection.execute(text(SELECT_QUARANTINE)).all()
    found = connection.execute(text(SELECT_DISCREPANCIES)).all()
    return [
        *(
            f"quarantined {reason} of {gateway}: {detail}"
            for reason, gateway, detail in quarantined
        ),
        *(
            f"{kind} of {subject}: {detail}"
            for kind, subject, detail in found
            if kind in QUIET_KINDS
        ),
    ]
