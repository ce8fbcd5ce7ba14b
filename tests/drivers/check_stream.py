"""The one door through which protocol tests feed bytes, however a transport cuts them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol


class ReceivesData(Protocol):
    """A protocol under test."""

    def receive_data(self, data: bytes) -> Sequence[Any]:
        """Return what `data` completes."""
        ...


def check_stream(
    new_protocol: Callable[[], ReceivesData],
    stream: bytes,
    expected: Sequence[Any],
    *,
    tail: bytes = b"",
) -> None:
    """Assert that `stream` yields `expected` whole, byte by byte and cut in two anywhere.

    tail: the beginning of a further frame; it must wait in silence.
    """
    for chunks in _cuts(stream):
        assert feed(new_protocol(), chunks) == list(expected), f"cut as {chunks!r}"
    for chunks in _cuts(stream + tail):
        assert feed(new_protocol(), chunks) == list(expected), f"incomplete, cut as {chunks!r}"


def feed(protocol: ReceivesData, chunks: Iterable[bytes]) -> list[Any]:
    """Return all that the chunks yield, in order."""
    return [reading for chunk in chunks for reading in protocol.receive_data(chunk)]


def _cuts(stream: bytes) -> Iterator[list[bytes]]:
    yield [stream]
    yield [stream[index : index + 1] for index in range(len(stream))]
    for index in range(1, len(stream)):
        yield [stream[:index], stream[index:]]
