"""A virtual Impinj reader: a small HTTP server with presets and an endless event stream. Loop."""

import base64
import json
import queue
import ssl
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

STOP_TIMEOUT_S = 5.0
EVENTS_MAX = 10_000
WAIT_S = 0.05
SYSTEM = {"manufacturer": "Impinj", "productModel": "R700", "serialNumber": "370-20-00-0000"}


class VirtualImpinjReader:
    """Serves 127.0.0.1:`port` until closed. Use as a context manager; any thread may call.

    user, password: wanted of whoever asks, "" of nobody. tls: serves HTTPS with this context.
    presets: the presets that can be started. started: those that were, in order; "" a stop.
    """

    def __init__(
        self,
        *,
        user: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        presets: tuple[str, ...] = ("default",),
        port: int = 0,
    ) -> None:
        self._credentials = base64.b64encode(f"{user}:{password}".encode()) if user else b""
        self._presets = presets
        self._lock = threading.Lock()
        self._streams: list[queue.Queue[bytes | None]] = []
        self._mute = False
        self._stopping = threading.Event()
        self.started: list[str] = []
        reader = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer_get(self) -> None:
                reader._answer_get(self)

            def answer_post(self) -> None:
                reader._answer_post(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep quiet."""

        # The names by which http.server finds them.
        names = {"GET": Exchange.answer_get, "POST": Exchange.answer_post}
        for method, answer in names.items():
            setattr(Exchange, f"do_{method}", answer)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Exchange)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(WAIT_S,), name="impinj-reader", daemon=True
        )
        self._thread.start()

    def read_tag(
        self,
        epc: str,
        *,
        antenna: int = 1,
        rssi_cdbm: int = -5200,
        at: datetime | None = None,
        as_base64: bool = False,
    ) -> None:
        """Tell every stream of one tag. as_base64: with the field epc instead of epcHex."""
        stamp = (at or datetime.fromtimestamp(0, UTC)).isoformat().replace("+00:00", "Z")
        event: dict[str, object] = {"antennaPort": antenna, "peakRssiCdbm": rssi_cdbm}
        if as_base64:
            event["epc"] = base64.urlsafe_b64encode(bytes.fromhex(epc)).decode()
        else:
            event["epcHex"] = epc
        event |= {"phaseAngle": 33.75, "lastSeenTime": stamp}
        line = {"timestamp": stamp, "eventType": "tagInventory", "tagInventoryEvent": event}
        self.say(json.dumps(line).encode() + b"\r\n")

    def say(self, data: bytes) -> None:
        """Send any bytes on every stream, as one chunk."""
        with self._lock:
            for stream in self._streams:
                stream.put_nowait(data)

    def streams_count(self) -> int:
        """Return how many listen to events now."""
        with self._lock:
            return len(self._streams)

    def end_streams(self) -> None:
        """End every stream in good order, as a reader does that restarts its service."""
        with self._lock:
            for stream in self._streams:
                stream.put_nowait(None)

    def mute(self, *, muted: bool = True) -> None:
        """Let new requests wait without an answer, as a reader that hangs."""
        with self._lock:
            self._mute = muted

    def close(self) -> None:
        """Stop serving; streams end. May be called twice."""
        self._stopping.set()
        self.end_streams()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _answer_get(self, exchange: BaseHTTPRequestHandler) -> None:
        if not self._is_allowed(exchange):
            return
        match exchange.path:
            case "/api/v1/status":
                _send(exchange, 200, {"status": "running"})
            case "/api/v1/system":
                _send(exchange, 200, dict(SYSTEM))
            case "/api/v1/data/stream":
                self._send_events(exchange)
            case _:
                _send(exchange, 404, {"message": "not found"})

    def _answer_post(self, exchange: BaseHTTPRequestHandler) -> None:
        if not self._is_allowed(exchange):
            return
        *_, preset, action = exchange.path.split("/")
        if exchange.path == "/api/v1/profiles/stop":
            self.started.append("")
            _send(exchange, 204, None)
        elif "/profiles/inventory/presets/" in exchange.path and action == "start":
            known = preset in self._presets
            if known:
                self.started.append(preset)
            _send(exchange, 204 if known else 404, None)
        else:
            _send(exchange, 404, {"message": "not found"})

    def _is_allowed(self, exchange: BaseHTTPRequestHandler) -> bool:
        while self._is_muted() and not self._stopping.wait(WAIT_S):
            continue
        stated = exchange.headers.get("Authorization", "").partition(" ")[2].encode()
        if self._credentials and stated != self._credentials:
            _send(exchange, 401, {"message": "unauthorized"})
            return False
        return True

    def _is_muted(self) -> bool:
        with self._lock:
            return self._mute

    def _send_events(self, exchange: BaseHTTPRequestHandler) -> None:
        events: queue.Queue[bytes | None] = queue.Queue(EVENTS_MAX)
        exchange.send_response(200)
        exchange.send_header("Content-Type", "application/json")
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        with self._lock:
            self._streams.append(events)
        exchange.close_connection = True
        try:
            while (data := events.get()) is not None:
                exchange.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            exchange.wfile.write(b"0\r\n\r\n")
        except OSError:
            return  # The listener is gone.
        finally:
            with self._lock:
                self._streams.remove(events)


def _send(exchange: BaseHTTPRequestHandler, status: int, answer: dict[str, str] | None) -> None:
    body = b"" if answer is None else json.dumps(answer).encode()
    exchange.send_response(status)
    if status != 204:
        exchange.send_header("Content-Length", str(len(body)))
        exchange.send_header("Content-Type", "application/json")
    exchange.end_headers()
    exchange.wfile.write(body)
