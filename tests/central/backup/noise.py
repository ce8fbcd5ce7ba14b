"""Bytes that do not pack, the same each time."""

import hashlib


def noise(size):
    """`size` bytes that look random."""
    return hashlib.shake_128(b"dockledger").digest(size)
