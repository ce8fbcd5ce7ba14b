"""Discrepancies and what settles them, periods that are closed. Pure."""
