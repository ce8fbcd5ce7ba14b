"""Mounts the root of a gateway read-only, and keeps its data on a partition of their own. Pure."""
