"""Checks of the house rules that a machine can check. Edge of the source tree."""
