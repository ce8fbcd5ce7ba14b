"""What facts are in the words of GS1's EPCIS 2.0. Pure.

    movement under an order        TransactionEvent   ADD      the order, the goods
    movement inside an SSCC        AggregationEvent   OBSERVE  the SSCC, the goods in it
    any other movement             ObjectEvent        OBSERVE
    found, produced                ObjectEvent or AggregationEvent   ADD
    missed, lost, scrapped         ObjectEvent or AggregationEvent   DELETE
    packing, unpacking             AggregationEvent   ADD, DELETE
    count, tag at a read point     ObjectEvent        OBSERVE
    what takes a movement back     its event once more, with an errorDeclaration

Sources: EPCIS 2.0, 7.4 (event types, of which an ObjectEvent may also say "that an expected
observation failed to occur") and 7.4.1.3 (error declarations); CBV 2.0, 7.1 (business steps), 7.2
(dispositions: `unknown`, as nobody knows how it is with what was missed), 7.3 (error reasons) and
8.5 (transaction types); the JSON form is GS1's schema.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from central.contract.facts import Count, Movement, Packing, Passage
from central.contract.identifiers import FactId, fact_uuid
from central.stock.epcis_names import LINK, Naming, Recorded
from central.stock.rows import MovementRow, outside
from central.stock.times import utc_text

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
SCHEMA_VERSION = "2.0"
ADJUSTMENT, IN_TRANSIT = "adjustment", "in_transit"

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


class BusinessTransaction(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"transaction": "bizTransaction"}
):
    """An order or another document. type: "" for one that CBV has no word for, as a count."""

    transaction: str
    type: str = ""


class ErrorDeclaration(
    msgspec.Struct, frozen=True, omit_defaults=True, rename={"corrected_by": "correctiveEventIDs"}
):
    """That an event was wrong, and when that was said. corrected_by: events told instead."""

    declaration_time: str = msgspec.field(name="declarationTime")
    reason: str = msgspec.field(default_factory=lambda: "did_not_occur")
    corrected_by: tuple[str, ...] = ()


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
class Declaration:
    """That a movement was wrong. of: as it was recorded. corrected_by: facts posted instead."""

    of: MovementRow
    corrected_by: tuple[FactId, ...] = ()


def event_of(
    row: MovementRow, naming: Naming, declares: Declaration | None = None
) -> EpcisEvent | None:
    """Return the event that a fact is, None for one that is none (a weighing, a label).

    Also None for a movement or reversal that moved nothing, which a discrepancy explains. declares:
    what it says of another fact.
    """
    fact = row.fact
    if declares is not None:
        return _taken_back(row, declares, naming)
    if isinstance(fact, Movement):
        return _movement_event(row, fact, naming) if row.posted else None
    if isinstance(fact, Packing):
        return _packing_event(row, fact, naming)
    if isinstance(fact, Count):
        return _count_event(row, fact, naming)
    return _passage_event(row, fact, naming) if isinstance(fact, Passage) else None


def _movement_event(row: MovementRow, movement: Movement, naming: Naming) -> EpcisEvent:
    action = _action(movement)
    fields = _origin(row) | {
        "action": action,
        "biz_step": _business_step(movement),
        "disposition": _disposition(movement),
        "read_point": _place(naming, movement.warehouse, _seen_at(movement)),
    }
    if not outside(movement.to_location) or movement.to_location == IN_TRANSIT:
        fields["biz_location"] = _place(naming, movement.warehouse, movement.to_location)
    epcs, quantities = _goods(row, movement, naming)
    sscc = f"{LINK}/00/{movement.sscc}" if movement.sscc else ""
    if movement.document:
        order = BusinessTransaction(
            naming.own("document", movement.document), _transaction_type(movement)
        )
        fields["biz_transaction_list"] = (order,)
        if action == "OBSERVE" or movement.from_location == "production":
            return EpcisEvent(
                type="TransactionEvent",
                parent_id=sscc,
                epc_list=epcs,
                quantity_list=quantities,
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
    return EpcisEvent(type="ObjectEvent", epc_list=epcs, quantity_list=quantities, **fields)


def _taken_back(row: MovementRow, declares: Declaration, naming: Naming) -> EpcisEvent | None:
    """Return the event of a movement once more, but for when it was recorded, declared wrong."""
    event = event_of(declares.of, naming)
    if event is None:
        return None
    instead = tuple(f"urn:uuid:{fact_uuid(fact_id)}" for fact_id in declares.corrected_by)
    return msgspec.structs.replace(
        event,
        record_time=_time(row.record_time_ms),
        error_declaration=ErrorDeclaration(
            _time(row.record_time_ms),
            "incorrect_data" if instead else "did_not_occur",
            instead,
        ),
    )


def _packing_event(row: MovementRow, packing: Packing, naming: Naming) -> EpcisEvent:
    packs = packing.action == "pack"
    return EpcisEvent(
        type="AggregationEvent",
        parent_id=f"{LINK}/00/{packing.parent}",
        child_epcs=tuple(f"{LINK}/00/{child}" for child in packing.children),
        read_point=_place(naming, packing.warehouse, packing.station or "station"),
        **_origin(row),
        action="ADD" if packs else "DELETE",
        biz_step="packing" if packs else "unpacking",
    )


def _count_event(row: MovementRow, count: Count, naming: Naming) -> EpcisEvent | None:
    if count.quantity == "0":
        return None  # That something is not there is no observation of an object.
    epcs, quantities = _goods(row, count, naming)
    place = _place(naming, count.warehouse, count.location)
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
        read_point=_place(naming, passage.warehouse, passage.read_point),
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
    row: MovementRow, fact: Movement | Count, naming: Naming
) -> tuple[tuple[str, ...], tuple[QuantityElement, ...]]:
    """Return the instances and the quantities; one of both is empty."""
    amount = naming.amount(fact, Recorded(row.record_no, row.record_time_ms))
    if fact.serial and amount.quantity == "1":
        return (naming.instance(fact.item, amount.gtin, fact.serial),), ()
    element = QuantityElement(
        naming.item_class(fact.item, amount.gtin, fact.lot),
        msgspec.Raw(amount.quantity.encode()),  # Canonical decimal text is a JSON number.
        amount.uom,
    )
    return (), (element,)


def _place(naming: Naming, warehouse: str, location: str) -> Identified:
    return Identified(naming.own("place", warehouse, location))


def _action(movement: Movement) -> str:
    """Return what becomes of the goods: they come into the books, leave them, or neither."""
    if movement.from_location in ("production", ADJUSTMENT):
        return "ADD"
    return "DELETE" if movement.to_location in ("scrap", ADJUSTMENT) else "OBSERVE"


def _business_step(movement: Movement) -> str:
    if movement.from_location == "production":
        return "commissioning"
    if movement.to_location == "scrap":
        return "destroying"
    if movement.business_step == "transferring" and _adjusts(movement):
        return "other"  # Found or lost on the way: no vehicle moved it.
    if _sent_back(movement):
        return "receiving"
    step = BUSINESS_STEPS.get(movement.business_step, movement.business_step)
    return step if step in STEPS_KNOWN else "other"


def _adjusts(movement: Movement) -> bool:
    return ADJUSTMENT in (movement.from_location, movement.to_location)


def _sent_back(movement: Movement) -> bool:
    """Return whether a transfer was closed with goods that came back and were taken in again."""
    transferred = movement.business_step == "transferring"
    return (
        transferred and movement.from_location == IN_TRANSIT and not outside(movement.to_location)
    )


def _disposition(movement: Movement) -> str:
    if movement.to_location == IN_TRANSIT:
        return "in_transit"
    if movement.to_location == ADJUSTMENT:
        # What leaves by another step is not missed: it was of another lot or unit.
        return "unknown" if movement.business_step in ("counting", "transferring") else ""
    stands = DISPOSITIONS.get(movement.to_status, "")
    return stands or ("returned" if _sent_back(movement) else "")


def _seen_at(movement: Movement) -> str:
    """Return the place of the warehouse at which it was seen: where it came to, or came from."""
    if outside(movement.to_location) and movement.from_location != ADJUSTMENT:
        return movement.from_location
    return movement.to_location


def _transaction_type(movement: Movement) -> str:
    """Return what CBV calls the document, "" where its movement does not tell.

    An order of a customer is named as we name it, so it is `poc`, "sometimes internally referred to
    as a 'Sales Order'"; a transfer tells where goods go to what leaves for there.
    """
    ends = {movement.from_location, movement.to_location}
    if movement.business_step != "transferring" and _action(movement) != "OBSERVE":
        return "prodorder" if movement.from_location == "production" else ""
    if movement.to_location == "supplier" or movement.from_location == "customer":
        return "rma"
    if movement.from_location == "supplier":
        return "po"
    if movement.to_location == "customer":
        return "poc"
    if "production" in ends:
        return "prodorder"
    return "desadv" if IN_TRANSIT in ends else ""


def _time(time_ms: int) -> str:
    # A clock can state any time; beyond the year 9999 no text can, and a label may be wrong.
    return utc_text(time_ms) or "9999-12-31T23:59:59.999Z"
