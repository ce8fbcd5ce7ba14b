"""Tests of the card and of the first boot. Pure."""
