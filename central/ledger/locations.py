"""Which places are virtual and which must never be below zero. Pure.

Virtual places are the other side of what enters and leaves a warehouse. They are below zero by
nature (`supplier` has given more than it took); a place of the warehouse below zero means that
something moved that was never seen coming.

What is under way under a document is at a place of its own, `in_transit/TR-1`, in the books of both
warehouses: what the one has given there and the other has not taken is under way.
"""

from central.contract.facts import VIRTUAL_PLACES

SUPPLIER = "supplier"
CUSTOMER = "customer"
ADJUSTMENT = "adjustment"
SCRAP = "scrap"
IN_TRANSIT = "in_transit"
IN_TRANSIT_PREFIX = IN_TRANSIT + "/"


def is_virtual(location: str) -> bool:
    """Return True for `supplier`, `customer`, `in_transit`, `adjustment`, `scrap`, `production`.

    And for the place of a transfer, `in_transit/CODE`.
    """
    return location in VIRTUAL_PLACES or location.startswith(IN_TRANSIT_PREFIX)


def may_be_negative(location: str) -> bool:
    """Return True if a balance below zero is in order there."""
    return is_virtual(location)


def place_of(location: str, *, document: str) -> str:
    """Return the place that a fact means: what is in transit under a document is apart."""
    return IN_TRANSIT_PREFIX + document if location == IN_TRANSIT and document else location
