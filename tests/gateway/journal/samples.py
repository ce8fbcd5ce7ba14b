"""Drafts, a clock and journals for the tests of the journal. Edge of a temporary folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from central.contract.facts import Count, Evidence, Movement, Packing, Passage, Reversal, Weighing
from central.contract.identifiers import FactId
from gateway.journal.journal import Journal
from gateway.station.effects import UNNUMBERED

GATEWAY = "sh1-dock-2"
WAREHOUSE = "sh1"
STAMPS = {
    "seq": UNNUMBERED,
    "event_time_ms": 1_795_000_000_000,
    "clock_synced": True,
    "boot_id": "boot-1",
    "monotonic_ns": 5,
    "warehouse": WAREHOUSE,
    "station": "dock-2",
    "operator": "ann",
}


class StillClock:
    """A clock that moves only when told."""

    boot_id = "boot-1"

    def __init__(self) -> None:
        self.elapsed_ns = 0

    def now_ms(self) -> int:
        return 1_795_000_000_000 + self.elapsed_ns // 1_000_000

    def monotonic_ns(self) -> int:
        return self.elapsed_ns

    def synced(self) -> bool:
        return True


def open_journal(path: Path, *, clock: StillClock | None = None, nonce: int = 7) -> Journal:
    """Return the journal of the sample gateway."""
    return Journal.open(
        path, gateway=GATEWAY, warehouse=WAREHOUSE, clock=clock or StillClock(), nonce=nonce
    )


@contextmanager
def opened(path: Path, **settings) -> Iterator[Journal]:
    """Open the journal of the sample gateway and close it at the end."""
    journal = open_journal(path, **settings)
    try:
        yield journal
    finally:
        journal.close()


def movement(**fields) -> Movement:
    """Return the draft of a receipt of 2.5 kg of rice at dock-1."""
    values = {
        "business_step": "receiving",
        "from_location": "supplier",
        "to_location": "dock-1",
        "item": "rice",
        "quantity": "2.5",
        "unit": "KGM",
        "document": "PO-1",
        "document_line": 1,
        "evidence": (Evidence(device="scanner", kind="barcode", symbology="]C1", raw=b"x" * 40),),
    }
    return Movement(**STAMPS, **{**values, **fields})


def weighing(**fields) -> Weighing:
    """Return the draft of a weighing on scale-1."""
    values = {
        "scale": "scale-1",
        "item": "rice",
        "gross": "3.00",
        "tare": "0.50",
        "net": "2.50",
        "unit": "KGM",
        "alibi_number": 0,
    }
    return Weighing(**STAMPS, **{**values, **fields})


def passage(**fields) -> Passage:
    """Return the draft of a tag that came in at dock-1."""
    values = {
        "epc": "3074257BF7194E4000001A85",
        "read_point": "dock-1",
        "direction": "in",
        "reads_count": 12,
        "first_seen_ms": 1_790_000_000_000,
        "last_seen_ms": 1_790_000_002_000,
        "gtin": "80614141123458",
        "serial": "6789",
    }
    return Passage(**STAMPS, **{**values, **fields})


def count(**fields) -> Count:
    """Return the draft of a count of 3 kg of rice at dock-1, asked for by CNT-1."""
    values = {
        "location": "dock-1",
        "item": "rice",
        "quantity": "3",
        "unit": "KGM",
        "document": "CNT-1",
        "document_line": 2,
    }
    return Count(**STAMPS, **{**values, **fields})


def packing() -> Packing:
    """Return the draft of a carton that was put on a pallet."""
    return Packing(
        **STAMPS, parent="106141412345678908", children=("006141411234567890",), action="pack"
    )


def reversal(fact_id: FactId) -> Reversal:
    """Return the draft that takes back `fact_id`."""
    return Reversal(
        **STAMPS, reverses_epoch=str(fact_id.epoch), reverses_seq=fact_id.seq, reason="undo"
    )


def signature(path: Path) -> list[tuple]:
    """Return every row of every table of a journal, by a connection that only reads."""
    import sqlite3

    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return [
            (table, *row)
            for (table,) in sorted(tables.fetchall())
            for row in connection.execute(f"SELECT * FROM {table}")
        ]
    finally:
        connection.close()
