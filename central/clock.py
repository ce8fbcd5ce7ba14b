"""The ledger's only source of time and randomness. Edge of the operating system."""

import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Time, passed to whoever needs it."""

    def now_ms(self) -> int:
        """Return wall time, milliseconds since 1970-01-01 UTC; it may jump when it is set."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since some moment of the past; it never goes back while we run."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


def random_64() -> int:
    """Return 64 random bits from the operating system, e.g. for a new ledger generation."""
    return secrets.randbits(64)


def random_fraction() -> float:
    """Return a random number from 0 to below 1, for pauses that must not march in step."""
    return secrets.randbits(53) / 2**53


def random_key_hex() -> str:
    """Return 256 random bits, as 64 hexadecimal digits: a private key of Ed25519 (RFC 8032)."""
    return secrets.token_hex(32)
