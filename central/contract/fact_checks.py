"""What cannot be true in a fact, whoever says it. Pure."""

import re
from datetime import date

from central.contract.errors import ContractError
from central.contract.fact_kinds import (
    STOCK_STATUSES,
    VIRTUAL_PLACES,
    Count,
    Movement,
    Packing,
    Passage,
    Weighing,
)
from central.contract.gs1 import check_key
from central.contract.quantities import DIGITS_MAX, parse_decimal, parse_unit, to_micro

EPC_FORM = re.compile(r"(?:[0-9A-F]{2})+", re.ASCII)
SSCC_DIGITS = 18
# A decision: who decides need not know what the goods were.
INSPECTING_STEP = "inspecting"


def check_movement(fact: Movement) -> None:
    """Raise ContractError unless a movement can be true."""
    _check_positive(fact.quantity, what="quantity")
    parse_unit(fact.unit)
    if fact.net_weight:
        _check_positive(fact.net_weight, what="net weight")
        parse_unit(fact.weight_unit)
    if fact.expiry_date:
        _check_date(fact.expiry_date)
    if not fact.item or not fact.from_location or not fact.to_location:
        raise ContractError("a movement needs an item, a from and a to location")
    for status in (fact.from_status, fact.to_status):
        if status and status not in STOCK_STATUSES:
            raise ContractError(
                f"status {status[:20]!r} is none of stock",
                hint=f"Use {', '.join(sorted(STOCK_STATUSES))}, or leave it empty.",
            )
    may_change = bool(fact.from_status) or fact.business_step == INSPECTING_STEP
    changes_status = bool(fact.to_status) and fact.from_status != fact.to_status
    if fact.from_location == fact.to_location and not (may_change and changes_status):
        raise ContractError(f"a movement from {fact.from_location} to itself moves nothing")


def check_weighing(fact: Weighing) -> None:
    """Raise ContractError unless the weights of a weighing add up."""
    parse_unit(fact.unit)
    gross, tare, net = (parse_decimal(text) for text in (fact.gross, fact.tare, fact.net))
    if gross - tare != net:
        raise ContractError(f"gross {gross} - tare {tare} is not net {net}")


def check_passage(fact: Passage) -> None:
    """Raise ContractError unless a passage names a tag and where it passed."""
    if not EPC_FORM.fullmatch(fact.epc):
        raise ContractError(f"EPC {fact.epc[:40]!r} is not upper case hexadecimal bytes")
    if not fact.read_point:
        raise ContractError("a passage needs a read point")


def check_count(fact: Count) -> None:
    """Raise ContractError unless a count names what was counted where, and how much it was."""
    parse_unit(fact.unit)
    value = parse_decimal(fact.quantity)
    to_micro(value)
    if value < 0:
        raise ContractError(f"counted quantity {fact.quantity} is less than zero")
    if fact.expiry_date:
        _check_date(fact.expiry_date)
    if not fact.location or not (fact.item or value == 0):
        raise ContractError("a count needs an item and a location")
    if fact.location in VIRTUAL_PLACES:
        raise ContractError(f"nobody can count at {fact.location}, which is no real place")


def check_packing(fact: Packing) -> None:
    """Raise ContractError unless a unit is packed with other units, each once."""
    for sscc in (fact.parent, *fact.children):
        check_sscc(sscc)
    if len({fact.parent, *fact.children}) != 1 + len(fact.children):
        raise ContractError(f"unit {fact.parent} is packed with a unit twice, or with itself")


def check_sscc(sscc: str) -> None:
    """Raise ContractError unless a text is an SSCC with the right check digit."""
    if len(sscc) != SSCC_DIGITS:
        raise ContractError(f"SSCC {sscc[:40]!r} does not have {SSCC_DIGITS} digits")
    check_key(sscc, what="SSCC")


def _check_positive(text: str, *, what: str) -> None:
    if text.isdecimal() and text.isascii() and len(text) <= DIGITS_MAX and text[0] != "0":
        return  # Most quantities are such; the rest of the rules cannot fail for them.
    value = parse_decimal(text, what=what)
    to_micro(value, what=what)
    if value <= 0:
        raise ContractError(f"{what} {text} is not greater than zero")


def _check_date(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ContractError(f"expiry date {text[:20]!r} is not a date YYYY-MM-DD") from error
