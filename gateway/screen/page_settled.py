"""What the office settled of what was recorded here, in words. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from central.contract.notices import Settled
from gateway.station.effects import Message
from gateway.station.messages import N_, say

SETTLED_SHOWN_MAX = 3
SHOWN_FOR_MS = 24 * 3600 * 1000

SETTLED_TEXT = N_("{kind}, {about}: {decided}")
# By the ledger's names; what a newer ledger names otherwise is shown as it comes.
KIND_WORDS = {
    "negative_balance": N_("Stock below zero"),
    "filled_twice": N_("Filled, and came after all"),
    "reversed_twice": N_("Reversed, and undone besides"),
    "over_received": N_("More received than expected"),
    "over_shipped": N_("More shipped than expected"),
    "over_returned": N_("More returned than the order moved"),
    "moved_unavailable": N_("Moved, but not available"),
    "serial_twice": N_("Serial number is there twice"),
    "unit_twice": N_("Handling unit is there twice"),
    "reservation_short": N_("Set aside, but gone"),
    "outside_tolerance": N_("Weight outside tolerance"),
    "received_before_shipped": N_("Received before it was shipped"),
    "moved_after_end": N_("Moved after the transfer ended"),
    "count_outdated": N_("Came late for a count"),
    "transit_unnamed": N_("To or from another warehouse without a transfer"),
    "weight_missing": N_("Weight missing"),
    "weight_differs": N_("Weight without pieces"),
    "lot_missing": N_("Lot not stated"),
    "serial_missing": N_("Serial number not stated"),
    "expiry_missing": N_("Expiry date not known"),
    "expired_shipped": N_("Shipped after its date"),
    "piece_parted": N_("Part of a piece"),
    "expiry_differs": N_("Different expiry date"),
    "packing_impossible": N_("Packing that cannot be"),
    "quantity_overflow": N_("Quantity out of range"),
    "unknown_document": N_("Unknown document"),
    "unexpected": N_("Not expected"),
    "unknown_item": N_("Unknown item"),
    "unknown_location": N_("Unknown place"),
    "unit_differs": N_("Different unit"),
    "unreadable_fact": N_("Unreadable record"),
    "wrong_warehouse": N_("Record of another warehouse"),
    "reversal_unmatched": N_("Undone, but never recorded"),
}
DECIDED_WORDS = {
    "adjust": N_("the stock was corrected by a count"),
    "reverse": N_("it was booked back"),
    "reassign": N_("it was booked to what was meant"),
    "reserve": N_("other stock was set aside"),
    "correct": N_("the expiry date of the lot was corrected"),
    "accept": N_("it stays as it was recorded"),
    "itself": N_("later records explain it"),
}


class PageSettled(msgspec.Struct, frozen=True):
    """time_ms: when it was settled."""

    time_ms: int
    text: str


def shown_settled(settled: Sequence[Settled], *, now_ms: int) -> tuple[Settled, ...]:
    """Return the newest few that are not older than a day. settled: newest first."""
    young = (one for one in settled if now_ms - one.at_ms < SHOWN_FOR_MS)
    return tuple(young)[:SETTLED_SHOWN_MAX]


def page_settled(
    settled: Sequence[Settled],
    *,
    text: Callable[[Message], str],
    translate: Callable[[str], str],
) -> tuple[PageSettled, ...]:
    """Return them in a language, in the order given."""
    return tuple(PageSettled(one.at_ms, text(_message(one, translate))) for one in settled)


def _message(settled: Settled, translate: Callable[[str], str]) -> Message:
    codes = [settled.item, settled.location, settled.document]
    kind, decided = settled.kind, settled.decided
    return say(
        SETTLED_TEXT,
        kind=translate(KIND_WORDS[kind]) if kind in KIND_WORDS else kind,
        about=" ".join(filter(None, codes)) or settled.subject,
        decided=translate(DECIDED_WORDS[decided]) if decided in DECIDED_WORDS else decided,
    )
