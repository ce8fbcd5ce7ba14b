"""Where the books have a serial number, or a unit, that is at several places. Edge of SQL."""

from sqlalchemy import Connection

from central.contract.quantities import MICRO_PER_UNIT, PIECE
from central.errors import Conflict, Unusable
from central.ledger.entries import GOODS_KEY_SIZE, BalanceKey
from central.ledger.locations import is_virtual
from central.ledger.unit_reading import BOOKS, read_units
from central.orders.settling.behind_rules import serial_of
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found
from central.orders.settling.settlement_moves import step_to_count
from central.orders.settling.settlement_steps import Step
from central.orders.settling.twice_decisions import Seen
from central.storage import bulk, tables

BALANCES_MAX = 200  # Of one number, that are looked at.
KINDS_TWICE = frozenset({"serial_twice", "unit_twice"})


def case_of_twice(connection: Connection, row: Found) -> Case:
    """Return where a serial number or a unit is, in the books of all warehouses."""
    held = _held(connection, row)
    seen = tuple(dict.fromkeys(Seen(key.warehouse, key.location) for key, _ in held))
    pieces = sum(amount for key, amount in held if key.unit == PIECE)
    too_many = row.kind == "serial_twice" and pieces > MICRO_PER_UNIT
    return Case(kind=row.kind, seen=seen, is_twice=len(seen) > 1 or too_many)


def steps_out_of(
    connection: Connection, row: Found, *, warehouse: str, location: str
) -> tuple[str, list[Step], int]:
    """Return in which warehouse what takes a number and its goods out of the book of a place.

    Last, at how many places it is too many then. Raises Unusable if no place is named, Conflict if
    the book does not have it there.
    """
    if not location:
        raise Unusable(
            f"a place has to be named where {_number_of(row)} is not",
            hint="Name the location, and the warehouse if it is another one.",
        )
    at = Seen(warehouse or row.warehouse, location)
    held = _held(connection, row)
    steps = [
        step
        for key, amount in held
        if Seen(key.warehouse, key.location) == at
        and (step := step_to_count(key, on_hand_micro=amount, counted_micro=0)) is not None
    ]
    if not steps:
        raise Conflict(
            f"the book of {location} does not have {_number_of(row)}",
            hint="Look where it is by now, and name a place where the book has it.",
        )
    others = {Seen(key.warehouse, key.location) for key, _ in held} - {at}
    return at.warehouse, steps, max(len(others) - 1, 0)


def _number_of(row: Found) -> str:
    return serial_of(row) if row.kind == "serial_twice" else str(row.subject)


def lying_micro(connection: Connection, row: Found) -> int:
    """Return how much of a number all books have at their places, below zero deducted."""
    return sum(amount for key, amount in _at_places(connection, row))


def _held(connection: Connection, row: Found) -> list[tuple[BalanceKey, int]]:
    """Return the balances that have a number, where it came last first."""
    there = [(key, amount) for key, amount in _at_places(connection, row) if amount > 0]
    return there[:BALANCES_MAX]


def _at_places(connection: Connection, row: Found) -> list[tuple[BalanceKey, int]]:
    """Return the balances of a number at places, below zero too, where it came last first."""
    if row.kind == "unit_twice":
        found = iter(read_units(connection, {row.subject}))
    else:
        books = [house for (house,) in bulk.select_rows(connection, BOOKS)]
        found = bulk.select_by_columns(
            connection,
            tables.balances,
            [(house, row.item, serial_of(row)) for house in books],
            columns=("warehouse", "item", "serial"),
            index="balances_serial",
            where="serial <> ''",
        )
    # warehouse, location ... status, on_hand_micro, record_no, weight_micro
    size = GOODS_KEY_SIZE + 1
    held = sorted((-one[size + 1], BalanceKey(*one[:size]), one[size]) for one in found)
    return [(key, amount) for _, key, amount in held if not is_virtual(key.location)]
