"""What facts are in the words of GS1's EPCIS 2.0. Pure.

    movement under an order        TransactionEvent   ADD      the order, the goods
    movement inside an SSCC        AggregationEvent   OBSERVE  the SSCC, the goods in it
    any other movement             ObjectEvent        OBSERVE, from production ADD, to scrap DELETE
    packing, unpacking             AggregationEvent   ADD, DELETE
    count, tag at a read point     ObjectEvent        OBSERVE
    reversal                       its movement's event once more, with an errorDeclaration

Identifiers are GS1 Digital Link URIs where there is a GS1 key, and URIs below `base` for what only
we name. Sources: EPCIS 2.0, 7.4 (event types) and 7.4.1.3 (error declarations); CBV 2.0, 7.1
(business steps), 7.2 (dispositions) and 8.5 (transaction types); the JSON form is GS1's schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from central.contract.facts import Count, Movement, Packing, Passage, Reversal
from central.contract.identifiers import FactId, fact_uuid, parse_epoch
from central.stock.rows import MovementRow, outside
from central.stock.times import utc_text

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
SCHEMA_VERSION = "2.0"
LINK = "https://id.gs1.org"
PIECES = "C62"  # EPCIS leaves the unit out where things are counted.

# Ours are EPCIS's but for these (CBV 2.0, 7.1); what is none of both is "other".
BUSINESS_STEPS = {
    "counting": "cycle_counting",
    "transferring": "transporting",
    "weighing": "other",
    "printing": "other",
}
STEPS_KNOWN = frozenset(
    {"receiving", "storing", "picking", "shipping", "packing", "unpacking", "inspecting"}
    | set(BUSINESS_STEPS.values())
)
DISPOSITIONS = {"rejected": "non_sellable_other", "held": "sellable_not_accessible"}


_NAMES = {"event_id": "eventID", "parent_id": "parentID", "child_epcs": "childEPCs"}


def _event_name(name: str) -> str:
    first, *rest = name.split("_")
    return _NAMES.get(name) or first + "".join(part.capitalize() for part in rest)


class Identified(msgspec.Struct, frozen=True):
    """A place, by its URI."""

    id: str


class QuantityElement(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """So much of a class of goods. quantity: a JSON number, exact. uom: "" for pieces."""

    epc_class: str
    quantity: msgspec.Raw
    uom: str = ""


class BusinessTransaction(msgspec.Struct, frozen=True, rename={"transaction": "bizTransaction"}):
    """An order."""

    type: str
    transaction: str


class ErrorDeclaration(msgspec.Struct, frozen=True, rename="camel"):
    """That an event did not happen, and when that was said."""

    declaration_time: str
    reason: str = "did_not_occur"


class EpcisEvent(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename=_event_name,
):
    """An event; what is empty is not said."""

    type: str
    event_id: str
    event_time: str
    record_time: str
    action: str
    biz_step: str
    # Made, not set: what has its default is left out, and this one is required.
    event_time_zone_offset: str = msgspec.field(default_factory=lambda: "+00:00")
    disposition: str = ""
    parent_id: str = ""
    epc_list: tuple[str, ...] = ()
    quantity_list: tuple[QuantityElement, ...] = ()
    child_epcs: tuple[str, ...] = ()
    child_quantity_list: tuple[QuantityElement, ...] = ()
    read_point: Identified | None = None
    biz_location: Identified | None = None
    biz_transaction_list: tuple[BusinessTransaction, ...] = ()
    error_declaration: ErrorDeclaration | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """How things are named. gtins: of items that have one for a single unit, by item."""

    base: str
    gtins: Mapping[str, str]

    def own(self, *parts: str) -> str:
        """Return the URI of something that only we name."""
        return "/".join((self.base, *(quote(part, safe="") for part in parts)))

    def place(self, warehouse: str, location: str) -> Identified:
        """Return a place of a warehouse."""
        return Identified(self.own("place", warehouse, location))

    def item_class(self, item: str, lot: str) -> str:
        """Return a class of goods: an item, or a lot of it."""
        gtin = self.gtins.get(item)
        link = f"{LINK}/01/{gtin}" if gtin else self.own("item", item)
        return f"{link}/10/{quote(lot, safe='')}" if lot else link

    def instance(self, item: str, serial: str) -> str:
        """Return one thing with a serial number."""
        return f"{self.item_class(item, '')}/21/{quote(serial, safe='')}"


def event_of(row: MovementRow, naming: Naming) -> EpcisEvent | None:
    """Return the event that a fact is, None for one that is none (a weighing, a label).

    Also None for a movement or reversal that moved nothing, which a discrepancy explains.
    """
    fact = row.fact
    if isinstance(fact, Reversal):
        if row.taken_back is None or not row.posted:
            return None
        return _taken_back(row, row.taken_back, naming)
    if isinstance(fact, Movement):
        return _movement_event(row, fact, naming) if row.posted else None
    if isinstance(fact, Packing):
        return _packing_event(row, fact, naming)
    if isinstance(fact, Count):
        return _count_event(row, fact, naming)
    return _passage_event(row, fact, naming) if isinstance(fact, Passage) else None


def _movement_event(row: MovementRow, movement: Movement, naming: Naming) -> EpcisEvent:
    fields = _origin(row) | {
        "action": "OBSERVE",
        "biz_step": _business_step(movement),
        "disposition": _disposition(movement),
        "read_point": naming.place(movement.warehouse, _seen_at(movement)),
    }
    if not outside(movement.to_location):
        fields["biz_location"] = naming.place(movement.warehouse, movement.to_location)
    elif movement.to_location == "in_transit":
        fields["biz_location"] = naming.place(movement.warehouse, "in_transit")
    epcs, quantities = _goods(movement, naming)
    sscc = f"{LINK}/00/{movement.sscc}" if movement.sscc else ""
    if movement.document:
        order = BusinessTransaction(
            _transaction_type(movement), naming.own("document", movement.document)
        )
        return EpcisEvent(
            type="TransactionEvent",
            parent_id=sscc,
            epc_list=epcs,
            quantity_list=quantities,
            biz_transaction_list=(order,),
            **(fields | {"action": "ADD"}),
        )
    if sscc:
        return EpcisEvent(
            type="AggregationEvent",
            parent_id=sscc,
            child_epcs=epcs,
            child_quantity_list=quantities,
            **fields,
        )
    action = {"production": "ADD"}.get(movement.from_location) or (
        "DELETE" if movement.to_location == "scrap" else "OBSERVE"
    )
    return EpcisEvent(
        type="ObjectEvent",
        epc_list=epcs,
        quantity_list=quantities,
        **(fields | {"action": action}),
    )


def _taken_back(row: MovementRow, movement: Movement, naming: Naming) -> EpcisEvent:
    """Return the event of the movement once more, declared not to have occurred."""
    event = _movement_event(row, movement, naming)
    fact = row.fact
    assert isinstance(fact, Reversal)
    epoch = parse_epoch(fact.reverses_epoch)
    erroneous = FactId(gateway=row.fact_id.gateway, epoch=epoch, seq=fact.reverses_seq)
    return msgspec.structs.replace(
        event,
        event_id=f"urn:uuid:{fact_uuid(erroneous)}",
        event_time=_time(movement.event_time_ms),
        error_declaration=ErrorDeclaration(_time(row.record_time_ms)),
    )


def _packing_event(row: MovementRow, packing: Packing, naming: Naming) -> EpcisEvent:
    packs = packing.action == "pack"
    return EpcisEvent(
        type="AggregationEvent",
        parent_id=f"{LINK}/00/{packing.parent}",
        child_epcs=tuple(f"{LINK}/00/{child}" for child in packing.children),
        read_point=naming.place(packing.warehouse, packing.station or "station"),
        **_origin(row),
        action="ADD" if packs else "DELETE",
        biz_step="packing" if packs else "unpacking",
    )


def _count_event(row: MovementRow, count: Count, naming: Naming) -> EpcisEvent | None:
    if count.quantity == "0":
        return None  # That something is not there is no observation of an object.
    epcs, quantities = _goods(count, naming)
    place = naming.place(count.warehouse, count.location)
    return EpcisEvent(
        type="ObjectEvent",
        epc_list=epcs,
        quantity_list=quantities,
        read_point=place,
        biz_location=place,
        **_origin(row),
        action="OBSERVE",
        biz_step="cycle_counting",
    )


def _passage_event(row: MovementRow, passage: Passage, naming: Naming) -> EpcisEvent | None:
    if passage.sscc:
        epc = f"{LINK}/00/{passage.sscc}"
    elif passage.gtin and passage.serial:
        epc = f"{LINK}/01/{passage.gtin}/21/{quote(passage.serial, safe='')}"
    else:
        return None  # No GS1 key: nobody else could tell what it is.
    return EpcisEvent(
        type="ObjectEvent",
        epc_list=(epc,),
        read_point=naming.place(passage.warehouse, passage.read_point),
        **_origin(row),
        action="OBSERVE",
        biz_step="entering_exiting",
    )


def _origin(row: MovementRow) -> dict[str, Any]:
    return {
        "event_id": f"urn:uuid:{fact_uuid(row.fact_id)}",
        "event_time": _time(row.event_time_ms),
        "record_time": _time(row.record_time_ms),
    }


def _goods(
    fact: Movement | Count, naming: Naming
) -> tuple[tuple[str, ...], tuple[QuantityElement, ...]]:
    """Return the instances and the quantities; one of both is empty."""
    if fact.serial and fact.quantity == "1":
        return (naming.instance(fact.item, fact.serial),), ()
    element = QuantityElement(
        naming.item_class(fact.item, fact.lot),
        msgspec.Raw(fact.quantity.encode()),  # Canonical decimal text is a JSON number.
        "" if fact.unit == PIECES else fact.unit,
    )
    return (), (element,)


def _business_step(movement: Movement) -> str:
    if movement.from_location == "production":
        return "commissioning"
    if movement.to_location == "scrap":
        return "destroying"
    step = BUSINESS_STEPS.get(movement.business_step, movement.business_step)
    return step if step in STEPS_KNOWN else "other"


def _disposition(movement: Movement) -> str:
    if movement.to_location == "in_transit":
        return "in_transit"
    return DISPOSITIONS.get(movement.to_status, "")


def _seen_at(movement: Movement) -> str:
    """Return the place of the warehouse at which it was seen: where it came to, or came from."""
    if outside(movement.to_location):
        return movement.from_location
    return movement.to_location


def _transaction_type(movement: Movement) -> str:
    if movement.to_location == "supplier" or movement.from_location == "customer":
        return "rma"
    if movement.from_location == "supplier":
        return "po"
    ends = {movement.from_location, movement.to_location}
    return "prodorder" if "production" in ends else "desadv"


def _time(time_ms: int) -> str:
    # A clock can state any time; beyond the year 9999 no text can, and a label may be wrong.
    return utc_text(time_ms) or "9999-12-31T23:59:59.999Z"
