"""The pages of central, in the order of the menu. Pure."""

from dataclasses import dataclass

from central.web.words import marked


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu. label: a text of the catalogue. badge: name of a figure, "" for none.

    guide: name of its guide in `guides`.
    """

    path: str
    label: str
    badge: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Pages that belong together."""

    label: str
    entries: tuple[Entry, ...]


MENU: tuple[Section, ...] = (
    Section(
        marked("Oversight"),
        (
            Entry("/dashboard", marked("Dashboard")),
            Entry("/alerts", marked("Alerts"), badge="alerts"),
            Entry("/discrepancies", marked("Discrepancies")),
            Entry("/gateways", marked("Gateways")),
            Entry("/quarantine", marked("Quarantine")),
            Entry("/warehouses", marked("Warehouses")),
            Entry("/periods", marked("Periods")),
        ),
    ),
    Section(
        marked("Stock"),
        (
            Entry("/", marked("All warehouses")),
            Entry("/stock", marked("By place and lot")),
            Entry("/movements", marked("Movements")),
            Entry("/holds", marked("Hold and give free")),
            Entry("/pictures", marked("Pictures")),
        ),
    ),
    Section(
        marked("Moving and buying"),
        (
            Entry("/transfers", marked("Transfers")),
            Entry("/in-transit", marked("On its way")),
            Entry("/purchase-orders", marked("Purchase orders")),
            Entry("/shipping-notices", marked("Notices of shipment")),
            Entry("/inspections", marked("Inspections")),
            Entry("/supplier-returns", marked("Returns to suppliers")),
        ),
    ),
    Section(
        marked("Selling"),
        (
            Entry("/sales-orders", marked("Sales orders")),
            Entry("/pick-lists", marked("Pick rounds")),
            Entry("/pick-lists/now", marked("To be taken now")),
            Entry("/customer-returns", marked("Returns of customers")),
            Entry("/availability", marked("Availability")),
            Entry("/reservations", marked("What is set aside")),
            Entry("/replenishments", marked("Pick faces that are low")),
        ),
    ),
    Section(
        marked("Counting stock"),
        (
            Entry("/counts", marked("Counts")),
            Entry("/count-plans", marked("Plans of counts")),
        ),
    ),
    Section(
        marked("Catalogue"),
        (
            Entry("/catalogue/items", marked("Items")),
            Entry("/catalogue/partners", marked("Partners")),
            Entry("/catalogue/places", marked("Places")),
            Entry("/catalogue/import", marked("Import and export")),
            Entry("/catalogue/cleaning", marked("Cleaning up")),
        ),
    ),
    Section(
        marked("People"),
        (
            Entry("/users", marked("Users")),
            Entry("/tokens", marked("Keys of programs")),
            Entry("/audit", marked("What was done")),
        ),
    ),
)


def section_of(path: str) -> Entry | None:
    """Return the entry of the menu that a page belongs to: its own, or that of its list."""
    best: Entry | None = None
    for section in MENU:
        for entry in section.entries:
            below = entry.path != "/" and path.startswith(entry.path + "/")
            if (path == entry.path or below) and (best is None or len(entry.path) > len(best.path)):
                best = entry
    return best
