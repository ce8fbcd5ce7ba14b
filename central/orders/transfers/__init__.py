"""Transfers between warehouses. Pure."""
