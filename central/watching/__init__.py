"""Tells people and programs what needs somebody, while it does. Pure."""
