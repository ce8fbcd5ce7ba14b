"""Central's part of a snapshot, with faults to choose. Edge of HTTP."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.contract.notices import StockLevel
from central.contract.sealed import open_sealed, seal
from central.contract.snapshots import (
    Snapshot,
    SnapshotManifest,
    decode_snapshot_request,
    encode_manifest,
    encode_snapshot,
    manifest_of,
)
from central.contract.wire_types import EpochSeq
from tests.gateway.journal.samples import GATEWAY, WAREHOUSE


def sample_snapshot(**fields) -> Snapshot:
    values = {
        "gateway": GATEWAY,
        "warehouse": WAREHOUSE,
        "stream": "stream-1",
        "number": 0,
        "generation": "g1",
        "revision": 7,
        "positions": (EpochSeq(start_count=9, nonce=9, seq=9),),
        "levels": tuple(
            StockLevel(f"A-{n}", "rice", "", "", "", "KGM", 1_000_000 * n) for n in range(1, 4000)
        ),
    }
    return Snapshot(**{**values, **fields})


@dataclass
class Central:
    """What the server says. cuts: after so many bytes of each answer the line breaks, oldest first.

    status: of every answer to POST. ranges: False answers every question with the whole file.
    """

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    data: bytes = field(default_factory=lambda: encode_snapshot(sample_snapshot()))
    manifest: SnapshotManifest | None = None
    cuts: list[int] = field(default_factory=list)
    status: int = 200
    ranges: bool = True
    asked: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    def sealed_manifest(self) -> bytes:
        manifest = self.manifest or manifest_of(sample_snapshot(), self.data)
        return seal("snapshot", encode_manifest(manifest), self.key.sign)


class _Answers(BaseHTTPRequestHandler):
    central: ClassVar[Central]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.central.requests.append(body)
        decode_snapshot_request(open_sealed(body, bytes_max=1024).payload)
        answer = self.central.sealed_manifest() if self.central.status == 200 else b"{}"
        self.send_response(self.central.status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        central = self.central
        asked = self.headers.get("range", "")
        central.asked.append(asked)
        begins = int(asked.removeprefix("bytes=").rstrip("-")) if central.ranges and asked else 0
        data = central.data[begins:]
        self.send_response(206 if central.ranges else 200)
        if central.ranges:
            size = len(central.data)
            self.send_header("content-range", f"bytes {begins}-{size - 1}/{size}")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        cut = central.cuts.pop(0) if central.cuts else len(data)
        self.wfile.write(data[:cut])
        self.close_connection = True

    def log_message(self, *args) -> None:
        pass


@contextmanager
def serving(central: Central, *, tls: ssl.SSLContext | None = None) -> Iterator[Central]:
    """Serve until the block is left; the address is in `central.url`."""
    answers = type("Answers", (_Answers,), {"central": central})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    server.daemon_threads = False
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    name = "localhost" if tls else "127.0.0.1"
    central.url = f"http{'s' if tls else ''}://{name}:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield central
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
