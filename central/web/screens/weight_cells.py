"""Cells of catch weights. Pure."""

from decimal import Decimal

from central.web.cells import quantity_cell, text_cell
from central.web.listing import Cell
from central.web.texts import Texts


def weight_cell(weight: Decimal, unit: str, texts: Texts) -> Cell:
    """Return a catch weight in the unit in which its item is weighed, a dash for none."""
    return quantity_cell(weight, unit, texts) if weight else text_cell("")
