"""Drafts of the facts that workflows record, stamped and flagged, not yet numbered. Pure."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import msgspec

from central.contract import facts
from central.contract.expiry import earliest_expiry
from central.contract.fact_kinds import VIRTUAL_PLACES
from central.contract.facts import (
    BusinessStep,
    Count,
    Evidence,
    Fact,
    Movement,
    Packing,
    Reversal,
    StockStatus,
    Weighing,
)
from central.contract.identifiers import FactId
from central.contract.quantities import canonical_text, to_micro
from drivers.readings import BarcodeScanned, InputChanged, WeightMeasured
from gateway.station.commands import COMMAND_PREFIX
from gateway.station.effects import UNNUMBERED, WEIGHING_BEFORE
from gateway.station.meanings import ScannedItem
from gateway.station.passages import TagPassage
from gateway.station.session import Load, PackUnits, Session, Surroundings, Tare

RAW_BYTES_MAX = 4096
MS_PER_DAY = 86_400_000
EPOCH_DAY = date(1970, 1, 1)
CUSTOMER = "customer"
# Where goods come in from whose date nobody knows yet: what a count finds does not come, and what
# another warehouse has sent it has stated.
COMES_FROM = frozenset({"supplier", "customer", "production"})


def counted_load(
    session: Session, scanned: ScannedItem, *, sscc: str, flags: tuple[str, ...] = ()
) -> Load:
    """Return what was scanned, quantity and catch weight times the quantity command, exactly.

    Raises ContractError for a quantity beyond all bounds, before it is among others in the hand.
    """
    quantity = scanned.quantity * session.multiplier
    to_micro(quantity)
    if scanned.net_weight and session.multiplier != 1:
        net_weight = canonical_text(Decimal(scanned.net_weight) * session.multiplier)
        scanned = replace(scanned, net_weight=net_weight)
    return Load(scanned, quantity, sscc=sscc, flags=flags)


def movement(
    session: Session,
    surroundings: Surroundings,
    load: Load,
    *,
    from_location: str,
    to_location: str,
    step: BusinessStep,
    document: str = "",
    line: int = 0,
    weighing_seq: int = 0,
    from_status: StockStatus | Literal[""] = "",
    to_status: StockStatus | Literal[""] = "",
) -> Movement:
    """Return the movement of a load; with statuses it may stay at its place.

    Its flags are the load's, those of `edge_flags`, what is wrong with its date on this way, and
    whether its unit is the item's.
    """
    observation, scanned = surroundings.observation, load.scanned
    differs = scanned.item is not None and scanned.unit != scanned.item.unit
    way_flags: tuple[str, ...] = ("unit_differs",) if differs else ()
    way_flags += _date_flags(surroundings, scanned, from_location, to_location)
    return Movement(
        seq=UNNUMBERED,
        event_time_ms=observation.event_time_ms,
        clock_synced=observation.clock_synced,
        boot_id=observation.boot_id,
        monotonic_ns=observation.monotonic_ns,
        warehouse=surroundings.setup.warehouse,
        station=surroundings.setup.station,
        operator=session.operator,
        flags=_sorted_flags(load.flags, edge_flags(session, surroundings, scanned), way_flags),
        evidence=(evidence(surroundings),),
        business_step=step,
        from_location=from_location,
        to_location=to_location,
        item=scanned.code,
        quantity=canonical_text(load.quantity),
        unit=scanned.unit,
        lot=scanned.lot,
        serial=scanned.serial,
        expiry_date=scanned.expiry_date,
        sscc=load.sscc,
        net_weight=scanned.net_weight,
        weight_unit=scanned.weight_unit,
        document=document,
        document_line=line,
        weighing_seq=weighing_seq,
        from_status=from_status,
        to_status=to_status,
    )


def weighing(
    session: Session,
    surroundings: Surroundings,
    scanned: ScannedItem,
    gross: WeightMeasured,
    *,
    scale: str,
    tare: Tare | None,
    document: str,
    line: int,
) -> Weighing:
    """Return the weighing of a load, with the scale's own digits."""
    observation = surroundings.observation
    tare_value = tare.value if tare else gross.value - gross.value
    proofs = [Evidence(device=scale, kind="weight", raw=gross.raw[:RAW_BYTES_MAX])]
    if tare:
        proofs.append(Evidence(device=scale, kind="weight", raw=tare.raw[:RAW_BYTES_MAX]))
    return Weighing(
        seq=UNNUMBERED,
        event_time_ms=observation.event_time_ms,
        clock_synced=observation.clock_synced,
        boot_id=observation.boot_id,
        monotonic_ns=observation.monotonic_ns,
        warehouse=surroundings.setup.warehouse,
        station=surroundings.setup.station,
        operator=session.operator,
        flags=edge_flags(session, surroundings, scanned),
        evidence=(*proofs, evidence(surroundings)),
        scale=scale,
        item=scanned.code,
        gross=f"{gross.value:f}",
        tare=f"{tare_value:f}",
        net=f"{gross.value - tare_value:f}",
        unit=gross.unit,
        alibi_number=0,
        device_alibi=gross.device_alibi,
        lot=scanned.lot,
        document=document,
        document_line=line,
    )


def count(
    session: Session,
    surroundings: Surroundings,
    load: Load,
    *,
    place: str,
    document: str = "",
    line: int = 0,
    round_number: int = 1,
) -> Count:
    """Return the count of a load at a place; a load of nothing says that it is not there."""
    observation, scanned = surroundings.observation, load.scanned
    differs = scanned.item is not None and scanned.unit != scanned.item.unit
    unit_flags = ("unit_differs",) if differs else ()
    return Count(
        seq=UNNUMBERED,
        event_time_ms=observation.event_time_ms,
        clock_synced=observation.clock_synced,
        boot_id=observation.boot_id,
        monotonic_ns=observation.monotonic_ns,
        warehouse=surroundings.setup.warehouse,
        station=surroundings.setup.station,
        operator=session.operator,
        flags=_sorted_flags(
            load.flags,
            edge_flags(session, surroundings, scanned if scanned.code else None),
            unit_flags,
        ),
        evidence=(evidence(surroundings),),
        location=place,
        item=scanned.code,
        quantity=canonical_text(load.quantity),
        unit=scanned.unit,
        lot=scanned.lot,
        serial=scanned.serial,
        sscc=load.sscc,
        expiry_date=scanned.expiry_date,
        document=document,
        document_line=line,
        round=round_number,
    )


def packing(session: Session, surroundings: Surroundings, units: PackUnits) -> Packing:
    """Return what was packed into the unit, or taken out of it."""
    observation = surroundings.observation
    return Packing(
        seq=UNNUMBERED,
        event_time_ms=observation.event_time_ms,
        clock_synced=observation.clock_synced,
        boot_id=observation.boot_id,
        monotonic_ns=observation.monotonic_ns,
        warehouse=surroundings.setup.warehouse,
        station=surroundings.setup.station,
        operator=session.operator,
        flags=edge_flags(session, surroundings, None),
        evidence=(evidence(surroundings),),
        parent=units.parent,
        children=units.children,
        action=units.action,
    )


def reversal(session: Session, surroundings: Surroundings, fact_id: FactId) -> Reversal:
    """Return the reversal of an earlier movement of this gateway."""
    observation = surroundings.observation
    return Reversal(
        seq=UNNUMBERED,
        event_time_ms=observation.event_time_ms,
        clock_synced=observation.clock_synced,
        boot_id=observation.boot_id,
        monotonic_ns=observation.monotonic_ns,
        warehouse=surroundings.setup.warehouse,
        station=surroundings.setup.station,
        operator=session.operator,
        flags=edge_flags(session, surroundings, None),
        evidence=(evidence(surroundings),),
        reverses_epoch=str(fact_id.epoch),
        reverses_seq=fact_id.seq,
        reason="undone at the station",
    )


def edge_flags(
    session: Session, surroundings: Surroundings, scanned: ScannedItem | None
) -> tuple[str, ...]:
    """Return what the edge notices of any fact: clock, person, item, lot and serial number."""
    flags: list[str] = []
    if not surroundings.observation.clock_synced:
        flags.append("clock_unsynced")
    if session.operator and surroundings.catalogue.operator(session.operator) is None:
        flags.append("unknown_operator")
    if scanned is not None and scanned.item is None:
        flags.append("unknown_item")
    if scanned is not None and scanned.item and scanned.item.lot_tracked and not scanned.lot:
        flags.append("no_lot")
    if scanned is not None and scanned.item and scanned.item.serial_tracked and not scanned.serial:
        flags.append("no_serial")
    return tuple(sorted(flags))


def _date_flags(
    surroundings: Surroundings, scanned: ScannedItem, from_location: str, to_location: str
) -> tuple[str, ...]:
    """Return whether goods come in without a date, or go to a customer too near to it.

    While the clock is not set nobody knows here which day it is.
    """
    item, observation = scanned.item, surroundings.observation
    if item is None:
        return ()
    if not scanned.expiry_date:
        comes_in = from_location in COMES_FROM and to_location not in VIRTUAL_PLACES
        return ("no_expiry",) if item.expiry_tracked and comes_in else ()
    asks = item.expiry_tracked or item.min_days_left_to_ship > 0
    if not asks or to_location != CUSTOMER or not observation.clock_synced:
        return ()
    today = EPOCH_DAY + timedelta(days=observation.event_time_ms // MS_PER_DAY)
    earliest = earliest_expiry(today, min_days_left=item.min_days_left_to_ship)
    return ("expired",) if scanned.expiry_date < earliest else ()


def evidence(surroundings: Surroundings) -> Evidence:
    """Return the reading of this step as evidence."""
    observation = surroundings.observation
    reading = observation.reading
    kind, symbology = "weight", ""
    if isinstance(reading, BarcodeScanned):
        symbology = reading.symbology
        kind = "command" if reading.data[:4].upper() == COMMAND_PREFIX else "barcode"
    elif isinstance(reading, InputChanged):
        kind = "button"
    assert not isinstance(reading, TagPassage), "a passage brings evidence of its own"
    return Evidence(
        device=observation.device, kind=kind, symbology=symbology, raw=reading.raw[:RAW_BYTES_MAX]
    )


def check_draft(fact: Fact) -> None:
    """Raise ContractError if the journal or the ledger could not take this draft once numbered."""
    if isinstance(fact, Movement):
        seq = 1 if fact.weighing_seq == WEIGHING_BEFORE else fact.weighing_seq
        numbered: Fact = msgspec.structs.replace(fact, seq=1, weighing_seq=seq)
    elif isinstance(fact, Weighing):
        numbered = msgspec.structs.replace(fact, seq=1, alibi_number=1)
    else:
        numbered = msgspec.structs.replace(fact, seq=1)
    facts.check_draft(numbered)


def _sorted_flags(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({flag for group in groups for flag in group}))
