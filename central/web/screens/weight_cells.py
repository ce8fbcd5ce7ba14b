"""Cells of catch weights, in the units in which items are weighed. Edge of the database."""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import Connection

from central.contract.quantities import KILOGRAM
from central.orders.catalogue.items import policies_of
from central.web.cells import quantity_cell, text_cell
from central.web.listing import Cell
from central.web.texts import Texts


def weight_units(connection: Connection, items: Iterable[str]) -> dict[str, str]:
    """Return in which unit each of these items is weighed; without any, nothing is read."""
    named = set(items)
    policies = policies_of(connection, named) if named else {}
    return {item: policy.weight_unit or KILOGRAM for item, policy in policies.items()}


def weight_cell(weight: Decimal, unit: str, texts: Texts) -> Cell:
    """Return a catch weight with its unit, a dash for none."""
    return quantity_cell(weight, unit, texts) if weight else text_cell("")
