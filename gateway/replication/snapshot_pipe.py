"""What a gateway and its child that loads a snapshot say to each other, a line each. Pure.

gateway -> child   LoadOrder      where, and the sealed request
child -> gateway   GotManifest    the sealed manifest, as central sent it
gateway -> child   LoadFile       what the file must be: the seal was good
child -> gateway   LoadEnded      the file is there, whole; or why not
"""

import msgspec

from gateway.health import KnowledgeProblem

LINE_BYTES_MAX = 64 * 1024
ROUTE = "/api/v1/snapshots"
PART_PREFIX, PART_SUFFIX = "snapshot-", ".part"


class LoadOrder(msgspec.Struct, frozen=True, tag="order"):
    """url: of central. tls_ca_file: "" for the system's. folder: where the file is to be."""

    url: str
    tls_ca_file: str
    folder: str
    request: bytes


class GotManifest(msgspec.Struct, frozen=True, tag="manifest"):
    """The sealed manifest, not yet checked by anyone."""

    data: bytes


class LoadFile(msgspec.Struct, frozen=True, tag="file"):
    """The file to load. authorization: the header that shows who asks."""

    sha256: str
    bytes_count: int
    authorization: str = ""


class LoadEnded(msgspec.Struct, frozen=True, tag="ended"):
    """problem "": the file is whole. detail: English, for the log."""

    problem: KnowledgeProblem = ""
    detail: str = ""


PipeMessage = LoadOrder | GotManifest | LoadFile | LoadEnded


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(PipeMessage)


def encode_line(message: PipeMessage) -> bytes:
    """Return one line."""
    line = _encoder.encode(message) + b"\n"
    assert len(line) <= LINE_BYTES_MAX
    return line


def decode_line(line: bytes) -> PipeMessage | None:
    """Return what a line says, None if nothing that is known: the other end has ended."""
    try:
        message: PipeMessage = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return message


def part_name(sha256: str) -> str:
    """Return the name of the file while and after it is loaded; half of it can be gone on with."""
    return f"{PART_PREFIX}{sha256}{PART_SUFFIX}"
