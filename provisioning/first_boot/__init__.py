"""Prepares a card so that a Raspberry Pi becomes a gateway by itself. Pure."""
