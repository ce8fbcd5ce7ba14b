"""Reads the facts of a batch, before anything is locked. Pure.

Most facts are movements that differ from an earlier one in number, time and quantity alone. What
the contract asks of their places, codes and units was found true of that one, and is remembered.
"""

from collections.abc import Sequence

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import Count, Fact, Movement, Reversal, decode_fact
from central.ledger.measures import quantity_in_unit
from central.ledger.runs import FactsRead, Route
from central.ledger.unit_ratios import MEASURES

REMEMBERED_COUNT_MAX = 50_000

_decoder = msgspec.msgpack.Decoder(Fact)
# Routes and quantities (and how many millionths they are) of movements that `read_fact` found
# sound. With a document, a date or a second weight it looks again: those are not in here.
_sound_routes: dict[Route, Route] = {}
_sound_quantities: dict[str, int] = {}
# The same of quantities with decimals in units that measure; parts of pieces are looked at closely.
_sound_measured: dict[tuple[str, str], int] = {}


def read_facts(bodies: Sequence[bytes], *, first_seq: int) -> FactsRead:
    """Return the facts first_seq, first_seq + 1 ... in canonical bytes, or why they are none.

    What `read_fact` says of each, only quicker. Equal routes are mostly one object.
    """
    read = FactsRead([], [], [], [])
    facts, movements, routes, micros = read.facts, read.movements, read.routes, read.micros
    decode, sound_route, sound_micro = _decoder.decode, _sound_routes.get, _sound_quantities.get
    sound_measured = _sound_measured.get
    for seq, body in enumerate(bodies, first_seq):
        try:
            fact = decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            _read_closely(body, seq, read)
            continue
        if type(fact) is Movement:
            route = sound_route(
                (
                    fact.warehouse,
                    fact.from_location,
                    fact.to_location,
                    fact.item,
                    fact.lot,
                    fact.serial,
                    fact.sscc,
                    fact.unit,
                )
            )
            micro = sound_micro(fact.quantity) or (
                None if route is None else sound_measured((fact.quantity, fact.unit))
            )
            if (
                route is not None
                and micro is not None
                and fact.seq == seq
                and not (fact.document or fact.expiry_date or fact.net_weight)
                and not (fact.from_status or fact.to_status)
            ):
                facts.append(fact)
                movements.append(fact)
                routes.append(route)
                micros.append(micro)
                continue
        _read_closely(body, seq, read)
    return read


def read_fact(body: bytes, *, seq: int) -> Fact:
    """Return the fact at a number. Raises ContractError if it cannot be read or cannot be true."""
    fact = decode_fact(body)
    if fact.seq != seq:
        raise ContractError(f"the fact at number {seq} says that it is number {fact.seq}")
    # PostgreSQL cannot store U+0000 in text; no device code, lot or serial number holds one.
    if "\0" in _codes_of(fact):
        raise ContractError(f"the fact at number {seq} holds U+0000 in a code")
    return fact


def route_of(movement: Movement) -> Route:
    """Return what a movement has in common with others of its kind."""
    return (
        movement.warehouse,
        movement.from_location,
        movement.to_location,
        movement.item,
        movement.lot,
        movement.serial,
        movement.sscc,
        movement.unit,
    )


def _codes_of(fact: Fact) -> str:
    """Return all that is stored in columns of its own, in one text."""
    if isinstance(fact, Movement):
        return "".join((*route_of(fact), fact.document))
    if isinstance(fact, Count):
        what = (fact.item, fact.lot, fact.serial, fact.sscc, fact.document, fact.operator)
        return "".join((*what, fact.location, fact.station))
    return ""


def _is_apart(movement: Movement) -> bool:
    """Return whether a movement says more than where plain stock went."""
    stated = (movement.document, movement.net_weight, movement.from_status, movement.to_status)
    return any(stated)


def _read_closely(body: bytes, seq: int, read: FactsRead) -> None:
    fact: Fact | str
    try:
        fact = read_fact(body, seq=seq)
    except ContractError as error:
        fact = str(error).replace("\0", "\\0")
    read.facts.append(fact)
    is_part = False
    if isinstance(fact, Movement):
        if fact.lot and fact.expiry_date:
            read.dated.add((fact.item, fact.lot))
        is_part = "." in fact.quantity and fact.unit not in MEASURES
        if is_part:
            read.parts.append(len(read.facts) - 1)
    elif isinstance(fact, Reversal):
        read.reversals.append(fact)
    if not isinstance(fact, Movement) or _is_apart(fact):
        if not isinstance(fact, str):
            read.apart.append(fact)
        read.movements.append(None)
        read.routes.append(None)
        read.micros.append(0)
        return
    if len(_sound_routes) + len(_sound_quantities) + len(_sound_measured) >= REMEMBERED_COUNT_MAX:
        for sound in (_sound_routes, _sound_quantities, _sound_measured):
            sound.clear()
    route, micro = route_of(fact), quantity_in_unit(fact, fact.unit)
    assert micro is not None
    read.movements.append(fact)
    read.routes.append(_sound_routes.setdefault(route, route))
    if "." not in fact.quantity:
        _sound_quantities[fact.quantity] = micro
    elif not is_part:
        _sound_measured[fact.quantity, fact.unit] = micro
    read.micros.append(micro)
