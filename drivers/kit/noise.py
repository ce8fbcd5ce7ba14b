"""What the checks feed: noise, and messages that were damaged on the way. Pure."""

from collections.abc import Iterator

DAMAGED_MAX = 50  # Messages of a capture, and places of one that are damaged, evenly spread.
NOISE_CHUNK_BYTES = 4096


def noises() -> Iterator[bytes]:
    """Yield chunks that hold no end of a frame for one or the other protocol."""
    for byte in (b"\x00", b"\x02", b"0", b"A", b" ", b"\xbb", b"\xff"):
        yield byte * NOISE_CHUNK_BYTES
    yield bytes(range(256)) * (NOISE_CHUNK_BYTES // 256)


def damaged_copies(message: bytes) -> Iterator[bytes]:
    """Yield a message cut off, with a byte changed, lost and doubled, at places of it."""
    for place in range(0, len(message), max(1, len(message) // DAMAGED_MAX)):
        head, byte, tail = message[:place], message[place], message[place + 1 :]
        yield head
        yield head + tail
        yield head + bytes([byte, byte]) + tail
        yield from (head + bytes([byte ^ 1 << bit]) + tail for bit in range(8))
