"""What somebody has to say or do about a discrepancy, and on which page. Pure.

Where only people know there is no proposal: what they have to say first stands here. Done, it
settles itself or can be settled as proposed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from central.ledger.entries import DiscrepancyKind
from central.orders.settling.cases import Case, KnownOrder


@dataclass(frozen=True, slots=True)
class Advice:
    """What somebody has to do or to say, in a sentence, and the page where. page: "" for none."""

    text: str
    page: str = ""


def advise(case: Case) -> tuple[Advice, ...]:
    """Return what somebody has to do or to say about it; empty where a proposal says it all."""
    if case.known_now or case.gone or case.kind not in ADVISED:
        return ()
    return ADVISED[case.kind](case)


def advise_further(case: Case, *, looked_at: int) -> Advice:
    """Return what somebody has to see to where more facts were not looked at.

    looked_at: so many movements of the item were, from the first fact on.
    """
    text = (
        f"Only the first {looked_at} movements of {case.item} since then were looked through:"
        " look for later ones before it is settled."
    )
    named = {"item": case.item, "warehouse": case.warehouse, "document": case.document}
    query = urlencode({name: value for name, value in named.items() if value})
    return Advice(text, f"/movements?{query}")


def _item_advice(case: Case) -> tuple[Advice, ...]:
    if case.unit_missing:
        return tuple(_unit_asked(case, unit) for unit in case.units_unknown)
    if case.items:
        return ()
    if case.units_beyond:
        return tuple(_beyond(unit, case.subject) for unit in case.units_beyond)
    text = f"Say which item {case.subject} is: add it as an item, or as a bar code of one."
    return (Advice(text, f"/catalogue/items/new?code={quote(case.subject, safe='')}"),)


def _place_advice(case: Case) -> tuple[Advice, ...]:
    if not case.on_hand_micro:
        return ()
    text = f"Add {case.subject} as a place, or settle it with the place that was meant."
    code = quote(case.subject, safe="")
    return (Advice(text, f"/catalogue/places/{quote(case.warehouse, safe='')}/new?code={code}"),)


def _unit_advice(case: Case) -> tuple[Advice, ...]:
    if case.factor is not None or not case.on_hand_micro:
        return ()
    return (_unit_asked(case, case.unit),)


def _unit_asked(case: Case, unit: str) -> Advice:
    if unit in case.units_beyond:
        return _beyond(unit, case.item)
    text = f"Say how much one {unit} of {case.item} is: add it to the card of the item."
    return Advice(text, f"/catalogue/items/{quote(case.item, safe='')}")


def _beyond(unit: str, item: str) -> Advice:
    text = (
        f"So many {unit} of {item} cannot be: undo them at the station, or settle it with how much"
        " one of them was."
    )
    return Advice(text)


def _weight_advice(case: Case) -> tuple[Advice, ...]:
    if case.shared:
        return ()
    if not case.on_hand_micro:
        return (Advice("Does a paper say what they weighed? Settle it with that weight."),)
    return (Advice("Weigh them, and settle it with the weight.", _place_page(case)),)


def _document_advice(case: Case) -> tuple[Advice, ...]:
    if case.elsewhere is not None:
        return (_elsewhere_advice(case.elsewhere),)
    if case.lines or not case.document:
        return ()
    return (Advice(f"Look for the paper of {case.document}: once the order is told, it settles."),)


def _elsewhere_advice(order: KnownOrder) -> Advice:
    kind, code, warehouses = order
    page = f"/{kind.replace('_', '-')}s/{quote(code, safe='')}"
    if kind == "transfer":
        source, destination = warehouses
        text = (
            f"{code} is a transfer from {source} to {destination}: this counts as received at"
            " another warehouse. Send it on by a transfer of its own, or undo it at the station."
        )
    elif kind == "sales_order":
        text = (
            f"{code} is a sales order of {warehouses[0]}, which would ship it once more."
            " Cancel or change it there, or undo this at the station."
        )
    else:
        text = (
            f"{code} is a purchase order of {warehouses[0]}, which still waits for it."
            " Close its lines there, or undo this at the station."
        )
    return Advice(text, page)


def _transfer_advice(case: Case) -> tuple[Advice, ...]:
    page = f"/transfers/{quote(case.document, safe='')}"
    if case.under_way_micro < 0 and case.excess:
        text = f"More came than {case.document} expects: settle that first."
        return (Advice(text, f"/discrepancies/{quote(case.excess, safe='')}"),)
    if case.under_way_micro < 0:
        return (
            Advice("Facts that are still to come settle it; wait if the sender is late.", page),
        )
    if not case.under_way_micro:
        return ()
    return (Advice("Damaged or sent back? Close the transfer once more and say so.", page),)


def _excess_advice(case: Case) -> tuple[Advice, ...]:
    if case.excess_micro <= 0 or not case.excess:
        return ()
    text = f"What was given to {case.document} may go back to another order: settle that first."
    return (Advice(text, f"/discrepancies/{quote(case.excess, safe='')}"),)


def _unnamed_advice(case: Case) -> tuple[Advice, ...]:
    if case.lines:
        return ()
    text = "Was it a transfer? Enter it and release it, and settle what left and what came with it."
    return (Advice(text, "/transfers"),)


def _reservation_advice(case: Case) -> tuple[Advice, ...]:
    if not case.missing_micro or case.available_micro:
        return ()
    text = f"Nothing else is available of {case.item}: buy it, or bring it here."
    return (Advice(text, f"/items/{quote(case.item, safe='')}"),)


def _return_advice(case: Case) -> tuple[Advice, ...]:
    of = case.returned
    if of is None or of.names_goods or case.excess_micro <= 0:
        return ()
    order = quote(of.order, safe="")
    if of.is_sale:
        text = f"Did they go out after all? Have them shipped once more under {of.order}."
        return (Advice(text, f"/sales-orders/{order}"),)
    text = f"Did they come after all? Have them received once more under {of.order}."
    return (Advice(text, f"/purchase-orders/{order}"),)


def _count_advice(case: Case) -> tuple[Advice, ...]:
    return (Advice("Post the right quantity at the desk, or count the place.", _place_page(case)),)


def _date_advice(case: Case) -> tuple[Advice, ...]:
    meant = Advice(f"Not lot {case.lot}? Settle it with the lot that was meant.")
    if not case.dates:
        return ()
    return (
        meant,
        Advice("Another date is right? State it on the page of the lot.", _lot_page(case)),
    )


def _lot_page(case: Case) -> str:
    return f"/items/{quote(case.item, safe='')}?{urlencode({'lot': case.lot})}"


def _gateway_advice(text: str) -> Callable[[Case], tuple[Advice, ...]]:
    return lambda case: (
        (Advice(text, f"/gateways/{quote(case.gateway, safe='')}"),) if case.gateway else ()
    )


_UNDONE_ADVICE = _gateway_advice("Ask what was to be undone, and post that by hand.")
ADVISED: Mapping[DiscrepancyKind, Callable[[Case], tuple[Advice, ...]]] = {
    "unknown_item": _item_advice,
    "unknown_location": _place_advice,
    "unit_differs": _unit_advice,
    "weight_missing": _weight_advice,
    "unknown_document": _document_advice,
    "received_before_shipped": _transfer_advice,
    "moved_after_end": _transfer_advice,
    "transit_unnamed": _unnamed_advice,
    "over_received": _excess_advice,
    "over_shipped": _excess_advice,
    "reservation_short": _reservation_advice,
    "over_returned": _return_advice,
    "quantity_overflow": _count_advice,
    "expiry_differs": _date_advice,
    "expiry_missing": lambda case: (
        Advice("Does the label say it? State the date on the page of the lot.", _lot_page(case)),
    ),
    "packing_impossible": _gateway_advice("Look which unit it is in, and pack it again."),
    "unreadable_fact": _gateway_advice("Ask who worked there what it was, and post it by hand."),
    "reversal_unmatched": lambda case: () if case.undone else _UNDONE_ADVICE(case),
    "fork": _gateway_advice("Find the copied card or machine and switch it off first."),
    "broken_chain": _gateway_advice("Count where it worked: what only the old card had is lost."),
    "stock_differs": _gateway_advice("It settles itself with the next report that agrees."),
}


def _place_page(case: Case) -> str:
    if not case.location:
        return ""
    warehouse, place = quote(case.warehouse, safe=""), quote(case.location, safe="")
    return f"/warehouses/{warehouse}/places/{place}"
