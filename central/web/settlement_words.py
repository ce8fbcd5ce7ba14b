"""What discrepancies mean and what settles them, in words of both languages. Pure."""

import re

from central.orders.settling.kind_rules import Action, Cause
from central.web.filled_words import PATTERNS as FILLED
from central.web.proposal_words import PATTERNS, PLAIN
from central.web.stock_words import place_word
from central.web.taken_back_words import TAKEN_BACK
from central.web.texts import Texts
from central.web.words import UNITS, marked

CAUSES: dict[Cause, str] = {
    "goods": marked("Goods"),
    "documents": marked("Documents"),
    "devices": marked("Gateways and devices"),
    "data": marked("Master data"),
}
ACTIONS: dict[Action, tuple[str, str]] = {
    "adjust": (marked("Adjust"), marked("The place was counted, and the book follows.")),
    "reverse": (marked("Reverse"), marked("What was moved is moved back in the book.")),
    "reassign": (marked("Reassign"), marked("It was meant for something else.")),
    "reserve": (marked("Reserve"), marked("Other stock is set aside for the order.")),
    "correct": (marked("Correct the date"), marked("The lot expires on the date that is named.")),
    "accept": (marked("Accept"), marked("It is so; nothing moves.")),
}
DONE: dict[str, str] = {
    "adjust": marked("adjusted"),
    "reverse": marked("reversed"),
    "reassign": marked("reassigned"),
    "reserve": marked("reserved anew"),
    "correct": marked("corrected the date"),
    "accept": marked("accepted"),
    "reopen": marked("opened again"),
    "assigned": marked("assigned"),
    "commented": marked("commented"),
    "settled": marked("settled"),
    "reopened": marked("opened again"),
}
MEANINGS: dict[str, str] = {
    "negative_balance": marked("More left the place than the book had there."),
    "filled_twice": marked("Goods came after all for which stock below zero was filled already."),
    "reversed_twice": marked(
        "Something else was undone after what was too much had been reversed."
    ),
    "over_received": marked("More came than the order expects and tolerates."),
    "over_shipped": marked("More left than the order asks for and tolerates."),
    "over_returned": marked("More was returned than the order of the return had moved."),
    "moved_unavailable": marked("Goods left that were in inspection, held or rejected."),
    "serial_twice": marked("A serial number is at more than one place."),
    "unit_twice": marked("A handling unit is at more than one place."),
    "reservation_short": marked("Goods that were set aside for an order are gone."),
    "outside_tolerance": marked("The scale showed a weight outside the tolerance of the line."),
    "received_before_shipped": marked(
        "Goods of a transfer arrived whose departure nobody has told yet."
    ),
    "moved_after_end": marked("Goods moved under a transfer that was closed; close it once more."),
    "count_outdated": marked(
        "Something from before a count came after it was posted: its adjustment is off."
    ),
    "weight_missing": marked("Goods of catch weight were not weighed."),
    "weight_differs": marked("The last pieces left a weight behind; it is written off."),
    "expiry_differs": marked("A lot came with another expiry date than before."),
    "lot_missing": marked("Goods moved without the lot that their item asks for."),
    "serial_missing": marked("Goods moved without the serial number that their item asks for."),
    "expiry_missing": marked("A lot came in, and nobody has said when it expires."),
    "expired_shipped": marked(
        "Goods went to a customer that had expired, or had too few days left."
    ),
    "piece_parted": marked("A part of a piece moved of goods that are counted."),
    "packing_impossible": marked("A unit cannot be packed as was said."),
    "quantity_overflow": marked("The quantity would take a balance out of range; nothing moved."),
    "unknown_document": marked("The order is not there."),
    "unexpected": marked("The order does not expect the item on that line."),
    "transit_unnamed": marked(
        "Goods left for another warehouse, or came from one, under no document."
    ),
    "unknown_item": marked("No item has this code."),
    "unknown_location": marked("The place is not there."),
    "unit_differs": marked("The unit has no exact value in the item's own unit."),
    "unreadable_fact": marked("These bytes are no fact; they moved nothing."),
    "wrong_warehouse": marked(
        "The gateway spoke about another warehouse than its own; nothing moved."
    ),
    "reversal_unmatched": marked("What was to be taken back is not there."),
    "fork": marked("Another card or machine speaks in the name of the gateway."),
    "broken_chain": marked("The journal of the gateway began anew."),
    "stock_differs": marked("The gateway shows other stock than the ledger has."),
}
# The ledger's own sentences (proposals, and why something settled itself) -> as people read them.
# What a group matches stands in the translation under its name.
SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (
            r"It is known by now, and was posted as it was said\.",
            marked("It is known by now, and was posted as it was said."),
        ),
        (
            r"What is behind it is taken back already\.",
            marked("What is behind it is taken back already."),
        ),
        (
            r"They took their share of the weight that was there\.",
            marked("They took their share of the weight that was there."),
        ),
        (
            r"No pieces are left that could weigh it\.",
            marked("No pieces are left that could weigh it."),
        ),
        (
            r"more was weighed out than in: (?P<amount>\S+) is left for the pieces that are there",
            marked("More was weighed out than in: %(amount)s is left for the pieces there."),
        ),
        (
            r"record (?P<number>\d+) was taken back, and was accounted for before",
            marked("Record %(number)s was taken back, and was accounted for before."),
        ),
        *(
            (re.escape(text), text)
            for text in (
                marked("Leave it so: these goods cannot be traced by a lot."),
                marked("Leave it so: these goods cannot be traced by a serial number."),
                marked("Leave it so: no order takes the lot until a movement states its date."),
                marked("Leave it so: the books have a part of a piece until the rest of it moves."),
                marked("The customer has them: call them back if they must not be used."),
            )
        ),
        (
            r"it expires on (?P<date>\S+) and was shipped on (?P<day>\S+), "
            r"(?P<count>\d+) days before are asked for",
            marked(
                "It expires on %(date)s and was shipped on %(day)s; "
                "%(count)s days before are asked for."
            ),
        ),
        (
            r"it expires on (?P<date>\S+) and was shipped on (?P<day>\S+)",
            marked("It expires on %(date)s and was shipped on %(day)s."),
        ),
        (
            r"the lot has a date by now at which they were not shipped too late",
            marked(
                "Settled itself: the lot has a date by now at which they were not shipped too late."
            ),
        ),
        (
            r"lot (?P<lot>.+) of (?P<place>.+) was set aside and may no longer be shipped",
            marked("Lot %(lot)s of %(place)s was set aside and may no longer be shipped."),
        ),
        (
            r"lot (?P<lot>.+) of (?P<place>.+) was set aside and is gone",
            marked("Lot %(lot)s of %(place)s was set aside and is gone."),
        ),
        (
            r"(?P<item>.+) of (?P<place>.+) was set aside and is gone",
            marked("%(item)s of %(place)s was set aside and is gone."),
        ),
        (
            r"by the facts, what was found under way was missing there",
            marked("Settled itself: by the facts, what was found under way was missing there."),
        ),
        (
            r"the expiry date of the lot is known now",
            marked("Settled itself: the expiry date of the lot is known now."),
        ),
        (
            r"the expiry dates of the lot agree by now",
            marked("Settled itself: the expiry dates of the lot agree by now."),
        ),
        (
            r"the expiry date of the lot was corrected",
            marked("The expiry date of the lot was corrected."),
        ),
        (
            r"The balance is no longer below zero\.",
            marked("The balance is no longer below zero."),
        ),
        (
            r"(?P<place>.+) has (?P<amount>\S+) (?P<unit>\S*) of lot (?P<lot>.+): "
            r"they may have been taken from there\.",
            marked(
                "%(place)s has %(amount)s %(unit)s of lot %(lot)s: "
                "they may have been taken from there."
            ),
        ),
        (
            r"(?P<place>.+) has (?P<amount>\S+) (?P<unit>\S*): "
            r"they may have been taken from there\.",
            marked("%(place)s has %(amount)s %(unit)s: they may have been taken from there."),
        ),
        (
            r"Count (?P<place>.+): (?P<amount>\S+) (?P<unit>\S*) are missing in the book\.",
            marked("Count %(place)s: %(amount)s %(unit)s are missing in the book."),
        ),
        (
            r"The order no longer has more than it expects\.",
            marked("The order no longer has more than it expects."),
        ),
        (
            r"Move (?P<amount>\S+) (?P<unit>\S*) back to where they came from\.",
            marked("Move %(amount)s %(unit)s back to where they came from."),
        ),
        (
            r"Leave it at (?P<amount>\S+) (?P<unit>\S*) more than expected\.",
            marked("Leave it at %(amount)s %(unit)s more than expected."),
        ),
        (
            r"(?P<order>.+) line (?P<line>\d+) still expects (?P<amount>.+)\.",
            marked("%(order)s line %(line)s still expects %(amount)s."),
        ),
        (
            r"It is a code of item (?P<item>.+?), (?P<amount>\S+) (?P<unit>\S+) a scan\.",
            marked("It is a code of item %(item)s, %(amount)s %(unit)s a scan."),
        ),
        (r"It is a code of item (?P<item>.+)\.", marked("It is a code of item %(item)s.")),
        (
            r"One (?P<unit>.+) is (?P<amount>.+) of its own unit\.",
            marked("One %(unit)s is %(amount)s of its own unit."),
        ),
        (
            r"The gateway said that it was in (?P<warehouse>.+)\.",
            marked("The gateway said that it was in %(warehouse)s."),
        ),
        (
            r"record (?P<number>\d+) brought it to (?P<amount>.+)",
            marked("Settled itself: record %(number)s brought it to %(amount)s."),
        ),
        (
            r"record (?P<number>\d+) left it at (?P<place>.+) alone",
            marked("Settled itself: since record %(number)s it is at %(place)s alone."),
        ),
        (
            r"(?P<gateway>\S+)'s fact has come \(record (?P<number>\d+) of (?P<warehouse>.+)\): .*",
            marked(
                "Settled itself: record %(number)s of %(warehouse)s came late from %(gateway)s."
            ),
        ),
        (
            r"a decision at the desk has come \(record (?P<number>\d+) of (?P<warehouse>.+)\): .*",
            marked("Settled by a decision at the desk: record %(number)s of %(warehouse)s."),
        ),
        (
            r"the gateway's report at revision (?P<number>\d+) agrees",
            marked("Settled itself: the gateway reports the same stock again."),
        ),
        (
            r"its movement came as record (?P<number>\d+) and is taken back",
            marked("Settled itself: its movement came as record %(number)s and is taken back."),
        ),
        (
            r"document (?P<document>.+) is known now; .*",
            marked("Settled itself: %(document)s is known now, and its goods count for it."),
        ),
        (
            r"document (?P<document>.+) expects as much now",
            marked("Settled itself: %(document)s expects as much now."),
        ),
        (
            r"document (?P<document>.+) expects (?P<item>.+) now",
            marked("Settled itself: %(document)s expects %(item)s now."),
        ),
        (
            r"(?P<transfer>\S+) was closed by (?P<who>\S+).*: nothing is under way",
            marked("Settled when %(who)s closed %(transfer)s: nothing is under way."),
        ),
        (
            r"other stock was set aside",
            marked("Settled itself: other stock was set aside."),
        ),
        (
            r"all that it asks for has left",
            marked("Settled itself: all that it asks for has left."),
        ),
        (
            r"what was received has the status with which it left",
            marked("Settled itself: what was received has the status with which it left."),
        ),
        *TAKEN_BACK,
        *FILLED,
        *PATTERNS,
        *((re.escape(text), text) for text in PLAIN),
    )
)

# What a proposal that settles a part says besides: by which movements, and whether all are counted.
PART = re.compile(
    r"(?P<said>.+) It settles the (?P<which>oldest|newest) (?P<number>\d+) of "
    r"(?P<least>at least )?(?P<count>\d+) movements; the rest stays open\.",
    re.DOTALL,
)
PARTS: dict[tuple[str, bool], str] = {
    ("oldest", False): marked(
        "It settles the oldest %(number)s of %(count)s movements; the rest stays open."
    ),
    ("oldest", True): marked(
        "It settles the oldest %(number)s of at least %(count)s movements; the rest stays open."
    ),
    ("newest", False): marked(
        "It settles the newest %(number)s of %(count)s movements; the rest stays open."
    ),
    ("newest", True): marked(
        "It settles the newest %(number)s of at least %(count)s movements; the rest stays open."
    ),
}

# What a proposal says besides that fills a balance below zero in part, or gives a line its part.
LEAVING = re.compile(
    r"(?P<said>.+) (?P<amount>\S+) (?P<unit>\S*) (?P<what>stay missing|are left), "
    r"and it stays open\.",
    re.DOTALL,
)
LEFT: dict[str, str] = {
    "stay missing": marked("%(amount)s %(unit)s stay missing, and it stays open."),
    "are left": marked("%(amount)s %(unit)s are left, and it stays open."),
}


def sentence(text: str, texts: Texts) -> str:
    """Return a sentence of the ledger in the reader's language; as it is if nobody knows it."""
    leaving = LEAVING.fullmatch(text)
    if leaving:
        words = leaving.groupdict() | {"unit": texts.word(UNITS, leaving["unit"])}
        return f"{sentence(leaving['said'], texts)} {texts.say(LEFT[leaving['what']]) % words}"
    part = PART.fullmatch(text)
    if part:
        template = PARTS[part["which"], part["least"] is not None]
        told = texts.say(template) % part.groupdict()
        return f"{sentence(part['said'], texts)} {told}"
    for pattern, translated in SENTENCES:
        found = pattern.fullmatch(text)
        if found:
            groups = found.groupdict()
            if "unit" in groups:
                groups["unit"] = texts.word(UNITS, groups["unit"])
            for name in ("place", "target"):
                if name in groups:
                    groups[name] = place_word(groups[name], texts)
            return texts.say(translated) % groups
    return texts.say(text) if text else ""
