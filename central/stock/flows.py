"""How much transfers carry from which warehouse to which. Edge of the database."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from central.contract.quantities import from_micro
from central.storage.places import PHYSICAL_LINE

TRANSFERS_READ_MAX = 2_000  # The newest ones.
BEHIND = PHYSICAL_LINE.replace("l.location", "o.location")

# A line at the place of a transfer whose other half is in the source is what left; in any other
# warehouse it is what arrived. With a virtual place behind it, it was closed at the desk.
_FLOWS = text(f"""
SELECT t.source_warehouse AS source, t.destination_warehouse AS destination, l.unit,
  COUNT(DISTINCT t.transfer) AS transfers,
  SUM(CASE WHEN l.warehouse = t.source_warehouse THEN l.quantity_micro ELSE 0 END) AS sent,
  SUM(CASE WHEN l.warehouse = t.source_warehouse THEN 0 ELSE -l.quantity_micro END) AS arrived
FROM (SELECT transfer, source_warehouse, destination_warehouse FROM transfers
      WHERE released_ms >= :since AND released_ms > 0
      ORDER BY released_ms DESC, transfer LIMIT :limit) AS t
JOIN transfer_facts AS f ON f.transfer = t.transfer
JOIN lines AS l ON l.warehouse = f.warehouse AND l.record_no = f.record_no
  AND l.location = 'in_transit/' || t.transfer
JOIN lines AS o ON o.warehouse = l.warehouse AND o.record_no = l.record_no
  AND o.line_no = l.line_no + CASE WHEN l.line_no % 2 = 1 THEN 1 ELSE -1 END
  AND {BEHIND}
GROUP BY source, destination, l.unit ORDER BY sent DESC, source, destination, l.unit
""")  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class TransferFlow:
    """All transfers from one warehouse to another, in one unit.

    sent: what left, less what came back there. arrived: what was received elsewhere.
    """

    source: str
    destination: str
    unit: str
    transfers: int
    sent: Decimal
    arrived: Decimal


def transfer_flows(connection: Connection, *, since_ms: int) -> list[TransferFlow]:
    """Return what the transfers carried that were released since a time, the largest flow first.

    At most the TRANSFERS_READ_MAX newest transfers. What is under way, or was closed at the desk as
    lost, was sent and did not arrive.
    """
    found = connection.execute(_FLOWS, {"since": since_ms, "limit": TRANSFERS_READ_MAX})
    return [
        TransferFlow(
            row.source,
            row.destination,
            row.unit,
            row.transfers,
            from_micro(int(row.sent)),
            from_micro(int(row.arrived)),
        )
        for row in found
    ]
