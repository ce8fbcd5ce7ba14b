"""Short guides inside the pages: a few sentences each, by the address of the page. Pure.

An address that ends in "/" is that of one object: "/transfers/" guides every page of a transfer.
"""

from central.web.guides_orders import GUIDES_OF_ORDERS
from central.web.guides_people import GUIDES_OF_PEOPLE
from central.web.words import marked

_OF_STOCK: dict[str, tuple[str, ...]] = {
    "/": (
        marked(
            "Each row is an item; the columns say how much of it each warehouse has, and how much "
            "is on its way between them."
        ),
        marked(
            "Type into the search field or scan a bar code to narrow the table; the address of "
            "the page keeps what you have set."
        ),
        marked(
            "Figures change by themselves as gateways report. A green or red tint shows what has "
            "just changed."
        ),
        marked(
            "If a banner says that the figures are not current, the connection is lost: wait, the "
            "page catches up by itself."
        ),
        marked("Open an item to see its places, lots and every movement with the scan behind it."),
    ),
    "/stock": (
        marked(
            "Each row is what one place holds of one lot, serial number or pallet, with its status."
        ),
        marked(
            "Choose a warehouse and a moment to see what stood where then: by when it happened, or "
            "by what the ledger knew. The page of an item shows it for all warehouses."
        ),
        marked(
            "A figure below zero means that more was taken than was known to be there: count that "
            "place."
        ),
        marked(
            "Narrow it by warehouse, place, lot or status, keep what you have set as a view, and "
            "export every row to Excel."
        ),
    ),
    "/holds": (
        marked(
            "Hold a lot everywhere to recall it, or in one warehouse; or all that stands at one "
            "place, or one row of the stock."
        ),
        marked(
            "Held goods are counted as on hand, but nobody sets them aside, picks or sells them. "
            "Orders that had them get others, or are told."
        ),
        marked(
            "Give goods free once they are found good, or reject them; also those that a station "
            "held while picking."
        ),
        marked("What is on its way is not held: look again when it has arrived."),
    ),
    "/pictures": (
        marked(
            "Each picture answers one question; its table below has the same figures and can be "
            "exported."
        ),
        marked("The days behind the line are counted back from today's stock by its movements."),
        marked("Colours never stand alone: each line and each field is named, too."),
    ),
    "/quarantine": (
        marked(
            "Here lies what came over the network and could not be read or proved; nothing of it "
            "was booked."
        ),
        marked("The reason says which gateway it claims to be from, and what is wrong with it."),
        marked(
            "Enrol the gateway or replace its card as the reason says; then it sends everything "
            "again by itself."
        ),
    ),
    "/items/": (
        marked(
            "This page shows one item: where it is, its lots by expiry date and everything that "
            "happened to it."
        ),
        marked("Held and rejected goods are counted as on hand, but not as available."),
        marked(
            "Open a movement to see its evidence: who scanned what, when, and the raw bytes of "
            "the scanner."
        ),
        marked(
            "The chart draws the stock at the end of each day; the table below it has the same "
            "figures and can be exported."
        ),
    ),
    "/movements": (
        marked(
            "Every line is one movement: stock left one place and came to another. The newest is "
            "on top."
        ),
        marked(
            "Nothing here is ever changed or deleted. A mistake is taken back by a reversing "
            "movement that names it."
        ),
        marked("Open a line to see the station, the operator, both clocks and the raw readings."),
        marked(
            '"Time corrected" means that the clock of the gateway was wrong; the ledger has '
            "worked out the true time."
        ),
    ),
    "/search": (
        marked(
            "Scan or type anything: an item, a bar code, a lot, a serial number, a pallet, a "
            "place, an order or a gateway."
        ),
        marked(
            "The bar code of a GS1 label is taken apart: item, lot and expiry date are looked up "
            "together."
        ),
        marked("On a telephone, the camera button scans a bar code where the browser allows it."),
    ),
    "/dashboard": (
        marked(
            "The figures on top are what people act on today; each leads to the list behind it."
        ),
        marked("Every picture has its table, which holds the same figures and can be exported."),
        marked(
            "Red asks for action now, amber for action soon. The word beside the colour says which."
        ),
    ),
    "/catalogue/items": (
        marked(
            "An item needs a code, a name and the unit in which it is kept; everything else can "
            "come later."
        ),
        marked("Add every bar code that is printed on it, and what each pack of it holds."),
        marked(
            "Stations know a change within seconds, and keep working with what they know while "
            "they are offline."
        ),
    ),
    "/catalogue/partners": (
        marked("Partners are suppliers, customers or both."),
        marked("One that orders name is not deleted but made inactive."),
        marked("The lead time is what a late delivery is measured against."),
    ),
    "/catalogue/places": (
        marked("Places are a tree: a warehouse has dock doors, staging and bins."),
        marked(
            "Print bin labels from here; each carries the code as a bar code that every station "
            "reads."
        ),
        marked("The walking order decides in which order places are listed for picking."),
    ),
    "/catalogue/import": (
        marked(
            "Export first, change the file, and import it again: columns that you leave out stay "
            "as they are."
        ),
        marked(
            "Every row is checked before anything is written; a wrong row is named with its cell "
            "and what to do."
        ),
        marked("Nothing in a file can become a formula: text is taken as text."),
    ),
    "/catalogue/cleaning": (
        marked(
            "This page lists what looks double, unused or incomplete, so that the catalogue stays "
            "small."
        ),
        marked("Look at each before you act: two items with like names can still be two items."),
        marked("What has stock or is named by orders cannot be deleted."),
    ),
    "/in-transit": (
        marked("Each row is what has left one warehouse under a transfer and has not arrived yet."),
        marked("It belongs to the transfer until it is received, or closed with a reason."),
        marked("What stays here for long is late or lost: ask the driver, then close the rest."),
        marked("Choose a moment to see what was on its way then, by either clock."),
    ),
    "/discrepancies": (
        marked("Everything here does not add up: what was scanned is not what was expected."),
        marked("A scan is never refused. It is recorded, and you decide here what it meant."),
        marked(
            "Take one, look at the facts behind it, and settle it with one button and a reason."
        ),
        marked(
            "Many settle themselves when a late report arrives; wait for a gateway that is offline."
        ),
    ),
    "/discrepancies/": (
        marked("On top is what happened, below it the facts with their raw readings."),
        marked("The proposed settlement is the usual one; others stand beside it."),
        marked(
            "A settlement is a movement of its own: it can be opened again, and is never edited."
        ),
    ),
    "/periods": (
        marked(
            "Close a period when its figures are final; nothing is booked into it by hand any more."
        ),
        marked("What gateways report late is still recorded, and listed as late with its totals."),
        marked("The checklist shows what should be settled first."),
    ),
    "/gateways": (
        marked(
            "A gateway is the small computer at a dock. Green is well; otherwise the row says "
            "what a person can do."
        ),
        marked(
            "Unsent movements are safe on the gateway and come by themselves once it is connected."
        ),
        marked("Lag is the age of the oldest movement that has not come yet."),
    ),
    "/gateways/": (
        marked("Each device shows its state and the action that repairs it."),
        marked(
            "Print a label on its printer from here; a repeated job with the same code prints once."
        ),
        marked("If its stock differs from the ledger, the places that differ are named."),
    ),
    "/warehouses": (
        marked(
            "Each tile is a warehouse: how full it is, what is on its way, and what needs a look."
        ),
        marked("The colour goes with a word, so that nobody has to tell red from green."),
        marked("Open a warehouse for its places, its gateways and its movements."),
    ),
    "/warehouses/": (
        marked(
            "This page shows one warehouse: its places, what is in them, its gateways and its "
            "open work."
        ),
        marked(
            "A place that is below zero has been taken from more than was known to be there: "
            "count it."
        ),
        marked("Print labels of its bins from the catalogue of places."),
    ),
    "/alerts": (
        marked(
            "An alert is something that a person should see to; it goes away by itself when that "
            "is done."
        ),
        marked("The gravest and the oldest stand on top."),
        marked("Each leads to the page where it is seen to."),
    ),
    "/kpis": (
        marked(
            "Each figure says from when to when it counts, and opens to the rows that it is made "
            "of."
        ),
        marked(
            "Stock counts as dead when nothing of it has left for long; the page says for how long."
        ),
        marked("Export a table to go on calculating with it: the figures in the file are numbers."),
    ),
}
GUIDES = GUIDES_OF_ORDERS | GUIDES_OF_PEOPLE | _OF_STOCK


def guide_of(path: str) -> tuple[str, ...]:
    """Return the guide of a page by its address, sentence by sentence, () where there is none.

    The sentences are texts of the catalogue, in English.
    """
    if path in GUIDES:
        return GUIDES[path]
    above, _, name = path.rpartition("/")
    while above:
        if name and f"{above}/" in GUIDES:
            return GUIDES[f"{above}/"]
        if above in GUIDES:
            return GUIDES[above]
        above, _, name = above.rpartition("/")
    return ()
