"""Conditions on places in statements: physical ones, and what is under way. Edge of SQLAlchemy.

What is in transit under a document is at a place of its own, `in_transit/TR-1`. The conditions
compare by code points on both databases, whatever their collation says of letters.
"""

from sqlalchemy import ColumnElement, and_, func, or_

from central.contract.facts import VIRTUAL_PLACES

IN_TRANSIT = "in_transit"
_UNDER_WAY = IN_TRANSIT + "/"
_VIRTUAL = ", ".join(f"'{place}'" for place in sorted(VIRTUAL_PLACES))
# Two of the conditions below, for a line called `l` in a statement that is written out.
PHYSICAL_LINE = (
    f"l.location NOT IN ({_VIRTUAL}) AND substr(l.location, 1, {len(_UNDER_WAY)}) <> '{_UNDER_WAY}'"
)
TRANSIT_LINE = (
    f"(l.location = '{IN_TRANSIT}' OR substr(l.location, 1, {len(_UNDER_WAY)}) = '{_UNDER_WAY}')"
)


def physical(location: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a place is one of a warehouse."""
    return and_(location.not_in(sorted(VIRTUAL_PLACES)), _begins(location) != _UNDER_WAY)


def is_physical(location: str) -> bool:
    """Return True for a place of a warehouse, as `physical` has it."""
    return location not in VIRTUAL_PLACES and not location.startswith(_UNDER_WAY)


def in_transit(location: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a place is `in_transit`, of a document or not."""
    return or_(location == IN_TRANSIT, under_a_document(location))


def under_a_document(location: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a place is that of what is in transit under one document."""
    return _begins(location) == _UNDER_WAY


def _begins(location: ColumnElement[str]) -> ColumnElement[str]:
    return func.substr(location, 1, len(_UNDER_WAY))
