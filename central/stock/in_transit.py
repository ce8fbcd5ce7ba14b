"""What is on its way under documents, now or as of a moment, by either time. Edge of the database.

Under a document it stands in the books of both ends: +3 where it left, -3 where it came. Their sum
is what is under way; below zero it came, and nobody has said that it left.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, Text, bindparam, text

from central.contract.quantities import from_micro
from central.stock.as_of import bounds_of, parts_of
from central.stock.feed import last_record_no
from central.stock.moments import Anchor, Moment, anchor_of_items, nearest_anchor
from central.stock.rows import UNDER_WAY_PREFIX
from central.stock.views import every_warehouse
from central.storage.places import IN_TRANSIT, TRANSIT_LINE


@dataclass(frozen=True, slots=True)
class TransitFilter:
    """What is asked for; "" is any. warehouse: from or to there, or in its books."""

    warehouse: str = ""
    item: str = ""
    document: str = ""


class TransitKey(NamedTuple):
    """A thing at the place of a document. book: whose, where no document is named."""

    location: str
    book: str
    item: str
    lot: str
    serial: str
    unit: str


@dataclass(frozen=True, slots=True)
class TransitRow:
    """A thing under way. source, destination: of the transfer, "" where the document is none.

    The quantity is not zero, in the item's unit.
    """

    key: TransitKey
    quantity: Decimal
    source: str
    destination: str

    @property
    def document(self) -> str:
        """Return the document under which it is on its way, "" for none."""
        return self.key.location[len(UNDER_WAY_PREFIX) :]


def list_in_transit(
    connection: Connection,
    wanted: TransitFilter,
    moment: Moment | None,
    *,
    after: TransitKey | None,
    limit: int,
) -> list[TransitRow]:
    """Return what is or was under way, in the order of the keys. moment: None for now.

    after: the key of the last row of the page before. The books of all warehouses are read, also on
    a narrowed connection: half of a transfer stands in another's.
    """
    anchor = Anchor(last_record_no(connection), checkpoint=False)
    if moment is None:
        moment = Moment(anchor.record_no)
    else:
        near = anchor_of_items if wanted.item else nearest_anchor
        anchor = near(connection, moment.sure_no)
    dialect = connection.dialect.name
    bounds: dict[str, object] = bounds_of(moment, anchor) | {
        "codes": [one.code for one in every_warehouse(connection)],
        "end": wanted.warehouse,
        "limit": limit,
    }
    condition = f" AND {TRANSIT_LINE} AND {_BEGINS[dialect]}"
    for name, value in (("item", wanted.item), ("location", _place(wanted.document))):
        if value:
            condition += f" AND l.{name} = :{name}"
            bounds[name] = value
    parts = " UNION ALL ".join(
        part + condition
        for part in parts_of(dialect, moment, anchor, items="= :item" if wanted.item else "")
    )
    query = _SUMS.format(parts=parts.replace("= :warehouse", "IN :codes"))
    if after is not None:
        query += f" AND ({_KEY}) > ({', '.join(f':after_{name}' for name in TransitKey._fields)})"
        bounds |= {f"after_{name}": value for name, value in after._asdict().items()}
    query += f" ORDER BY {_KEY} LIMIT :limit"
    statement = text(query).bindparams(bindparam("codes", expanding=True, type_=Text))
    return [
        TransitRow(
            key=TransitKey(*row[: len(TransitKey._fields)]),
            quantity=from_micro(int(row.micro)),
            source=row.source or "",
            destination=row.destination or "",
        )
        for row in connection.execute(statement, bounds)
    ]


def _place(document: str) -> str:
    return UNDER_WAY_PREFIX + document if document else ""


# Says the same as TRANSIT_LINE, less exactly: by this the places are found in the order of a key.
_BEGINS = {
    "sqlite": f"l.location GLOB '{IN_TRANSIT}*'",
    "postgresql": f"l.location LIKE '{IN_TRANSIT.replace('_', '!_')}%' ESCAPE '!'",
}
_KEY = ", ".join(f"k.{name}" for name in TransitKey._fields)
_BOOK = f"CASE WHEN p.location = '{IN_TRANSIT}' THEN p.warehouse ELSE '' END"
# What is in transit under no document is a warehouse's own: nobody knows where it is to go.
_SUMS = (
    f"SELECT {_KEY}, k.micro, t.source_warehouse AS source,"  # noqa: S608 - ours
    " t.destination_warehouse AS destination"
    f" FROM (SELECT p.location, {_BOOK} AS book, p.item, p.lot, p.serial, p.unit,"
    " SUM(p.micro) AS micro,"
    " MAX(CASE WHEN p.warehouse = :end THEN 1 ELSE 0 END) AS own"
    " FROM ({parts}) AS p"
    f" GROUP BY p.location, {_BOOK}, p.item, p.lot, p.serial, p.unit"
    " HAVING SUM(p.micro) <> 0) AS k"
    f" LEFT JOIN transfers t ON t.transfer = substr(k.location, {len(UNDER_WAY_PREFIX) + 1})"
    " WHERE (CAST(:end AS TEXT) = '' OR k.own = 1 OR t.source_warehouse = :end"
    " OR t.destination_warehouse = :end)"
)
