"""What an item's card contradicts of the stock that lies there, and of itself. Edge of SQL.

    unit         not while stock or open orders are in it, nor while figures in it stand as before
    weight_unit  not once anything was weighed: any unit of mass converts into the one that holds
    tracking     not while something lies there without what the item would ask for from now on

What is inspected is what comes in: what lies there was taken over by the rules of then.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from central.contract.quantities import MICRO_PER_UNIT
from central.ledger.lying_stock import dated_lots, first_lying, weighed_in
from central.ledger.measures import WEIGHED_IN
from central.ledger.unit_ratios import unit_ratio
from central.orders.catalogue.cards import Fault
from central.orders.catalogue.item_cards import ItemCard
from central.orders.catalogue.packs import text_of
from central.orders.catalogue.uses import item_uses

LEVELS = ("min", "max", "safety", "cost")
FIGURES_NAMED_MAX = 3


def asks_stock(before: ItemCard | None, card: ItemCard) -> bool:
    """Return whether stock decides if a card may take the place of another, None if there is none.

    Of an item that is new to the catalogue there may be facts that came before its card.
    """
    if before is None:
        return _weighed(card) != WEIGHED_IN
    return (
        before.unit != card.unit
        or before.policy.weight_unit != card.policy.weight_unit
        or bool(_newly_asked(before, card))
    )


def stock_conflicts(
    connection: Connection, card: ItemCard, before: ItemCard | None
) -> Iterator[Fault]:
    """Yield what of the stock stands against a card where another is, or None."""
    if before is not None and before.unit != card.unit:
        yield from _unit_faults(connection, card, before)
    yield from _weight_faults(connection, card, before)
    if before is not None:
        yield from _lacking_faults(connection, card, before)


def _unit_faults(connection: Connection, card: ItemCard, before: ItemCard) -> Iterator[Fault]:
    uses = item_uses(connection, card.code)
    if uses:
        hint = f"Keep it in {before.unit}, or end those first."
        yield Fault("unit", f"cannot change while in use: {uses[0]}", hint)
    if unit_ratio(from_unit=before.unit, to_unit=card.unit) == 1:
        return
    figures = _figures(before) & _figures(card)
    if figures:
        listed = ", ".join(sorted(figures)[:FIGURES_NAMED_MAX])
        yield Fault(
            "unit",
            message=f"cannot change from {before.unit} to {card.unit} while figures in"
            f" {before.unit} stand as they are: {listed}",
            hint=f"State them in {card.unit} with the same change, or take them away first.",
        )


def _figures(card: ItemCard) -> set[str]:
    """Return what a card says in the item's own unit, in words; what is not said is left out."""
    named = [(name, getattr(card.policy, f"{name}_micro")) for name in LEVELS]
    for place in card.places:
        where = f"{place.warehouse} {place.location}".strip()
        named += [(f"{where} min", place.min_micro), (f"{where} max", place.max_micro)]
    scans = [one for one in card.barcodes if one.quantity_micro != MICRO_PER_UNIT]
    named += [(one.gtin, one.quantity_micro) for one in scans]
    found = {f"{name} {text_of(micro)}" for name, micro in named if micro}
    return found | {f"{pack.unit} {pack.size}" for pack in card.packs}


def _weighed(card: ItemCard) -> str:
    return card.policy.weight_unit or WEIGHED_IN


def _weight_faults(
    connection: Connection, card: ItemCard, before: ItemCard | None
) -> Iterator[Fault]:
    said = before.policy.weight_unit if before is not None else ""
    if before is not None and said == card.policy.weight_unit:
        return
    kept = weighed_in(connection, card.code)
    if kept and kept != _weighed(card):
        lying = first_lying(connection, card.code, lambda one: one.weight_micro != 0)
        there = f", {lying} among them" if lying is not None else ""
        yield Fault(
            "policy.weight_unit",
            message=f"cannot become {_weighed(card)}: weights of the item are kept in"
            f" {kept}{there}",
            hint=f"Keep {kept}: what is weighed in another unit of mass is converted.",
        )
    elif before is not None and card.policy.weight_unit and not said:
        lying = first_lying(connection, card.code, lambda one: one.weight_micro == 0)
        if lying is not None:
            yield Fault(
                "policy.weight_unit",
                message=f"cannot be asked for while {lying} have no weight",
                hint="Use them up, or count them out first and receive them again with a weight.",
            )


def _lacking_faults(connection: Connection, card: ItemCard, before: ItemCard) -> Iterator[Fault]:
    asked = _newly_asked(before, card)
    if "lot_tracked" in asked:
        lying = first_lying(connection, card.code, lambda one: not one.lot)
        if lying is not None:
            yield Fault(
                "lot_tracked",
                message=f"cannot be asked for while {lying} have no lot",
                hint="Count them with their lots first (a count may name lots of any item),"
                " or use them up.",
            )
    if "serial_tracked" in asked:
        lying = first_lying(connection, card.code, lambda one: not one.serial)
        if lying is not None:
            yield Fault(
                "policy.serial_tracked",
                message=f"cannot be asked for while {lying} have no serial number",
                hint="Count them with their serial numbers first (a count may name those of any"
                " item), or use them up.",
            )
    if "expiry_tracked" in asked:
        dated = dated_lots(connection, card.code)
        lying = first_lying(connection, card.code, lambda one: one.lot not in dated)
        if lying is not None:
            yield Fault(
                "policy.expiry_tracked",
                message=f"cannot be asked for while {lying} have no expiry date",
                hint="Move or count them with their lot and its date first, or use them up.",
            )


def _newly_asked(before: ItemCard, card: ItemCard) -> set[str]:
    """Return what an item asks of its goods from now on."""
    was, becomes = before.policy, card.policy
    named = (
        ("lot_tracked", before.lot_tracked, card.lot_tracked),
        ("serial_tracked", was.serial_tracked, becomes.serial_tracked),
        ("expiry_tracked", was.expiry_tracked, becomes.expiry_tracked),
    )
    return {name for name, then, now in named if now and not then}
