"""Tells other programs over HTTP what happened to objects. Pure."""
