"""Which places are virtual and which must never be below zero. Pure.

Virtual places are the other side of what enters and leaves a warehouse. They are below zero by
nature (`supplier` has given more than it took); a place of the warehouse below zero means that
something moved that was never seen coming.
"""

from central.contract.facts import VIRTUAL_PLACES

SUPPLIER = "supplier"


def is_virtual(location: str) -> bool:
    """Return True for `supplier`, `customer`, `in_transit`, `adjustment`, `scrap`, `production`."""
    return location in VIRTUAL_PLACES


def may_be_negative(location: str) -> bool:
    """Return True if a balance below zero is in order there."""
    return location in VIRTUAL_PLACES
