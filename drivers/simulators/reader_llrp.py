"""A virtual LLRP reader behind a real TCP port. Edge of the network (sockets).

What it does is in reader_llrp_core; here are its socket, its thread and its clock.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from drivers.simulators.reader_llrp_core import ACTIVE, ReaderCore, ReaderModel
from drivers.simulators.reader_llrp_wire import Sighting, big, message, tlv

READ_BYTES_MAX = 65_536
REQUEST_BYTES_MAX = 65_536
WRITE_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0
SERVE_STEP_S = 0.01
FIRST_CLOCK_US = 1_780_000_000_000_000  # A fixed day in 2026: a reader's clock is its own.
ALREADY_CONNECTED = 2


class VirtualLlrpReader:
    """Serves in a thread of its own; any thread may call. Use as a context manager.

    port: stays the same through `refuse` and `listen`.
    """

    def __init__(self, model: ReaderModel | None = None, *, port: int = 0) -> None:
        self.port = port
        self._core = ReaderCore(model or ReaderModel())
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._received = bytearray()
        self._stopping = False
        self._muted = False
        self._refuse_status = 0
        self._clock_offset_us = FIRST_CLOCK_US
        self._started_us = time.monotonic_ns() // 1000
        self.listen()
        self._thread = threading.Thread(target=self._serve, name="llrp-reader", daemon=True)
        self._thread.start()

    def see(
        self,
        epc: str,
        antenna: int = 1,
        *,
        rssi_cdbm: int = -5500,
        phase: int = 0,
        count: int = 1,
    ) -> bool:
        """Let a tag answer on an antenna; False if the reader does not read there now."""
        now_us = self.clock_us()
        one = Sighting(bytes.fromhex(epc), antenna, rssi_cdbm, phase, count, now_us, now_us)
        return self.see_all([one]) == 1

    def see_all(self, sightings: Iterable[Sighting]) -> int:
        """Let many tags answer at once; return how many the reader took."""
        with self._lock:
            taken = sum(self._core.see(one) for one in sightings)
            self._flush()
        return taken

    def set_input(self, port: int, *, high: bool) -> None:
        """Change the level of an input; starts and stops what waits for it."""
        with self._lock:
            self._core.set_input(port, high=high, clock_us=self.clock_us(), now_s=time.monotonic())
            self._flush()

    def set_antenna(self, antenna: int, *, connected: bool) -> None:
        """Screw an antenna off or on."""
        self._tell(tlv(255, big(int(connected), 1), big(antenna, 2)), kind=8)

    def warn_memory(self, percent: int) -> None:
        """Say that the report memory fills up."""
        self._tell(tlv(250, big(percent, 1)), kind=3)

    def fail(self, text: str) -> None:
        """Report an exception of the reader's own."""
        said = text.encode()
        self._tell(tlv(252, big(len(said), 2), said), kind=4)

    def drop_client(self, *, mid_frame: bool = False) -> None:
        """Cut the connection, in the middle of a report if wanted."""
        with self._lock:
            if mid_frame:
                self._core.outbox += message(61, 1, tlv(240, b"\x8d", bytes(12)))[:19]
                self._flush()
            self._hang_up()

    def say(self, data: bytes) -> None:
        """Send any bytes."""
        with self._lock:
            self._core.outbox += data
            self._flush()

    def mute(self, *, muted: bool = True) -> None:
        """Say and hear nothing while the connection stays: a pulled cable."""
        with self._lock:
            self._muted = muted

    def reboot(self, *, clock_jump_us: int = 0) -> None:
        """Restart: client, ROSpecs, settings and what was kept are gone; the uptime is 0."""
        with self._lock:
            self._hang_up()
            self._core.forget()
            self._muted = False
            self._clock_offset_us += clock_jump_us
            self._started_us = time.monotonic_ns() // 1000

    def forget_rospecs(self) -> None:
        """Lose the ROSpecs while connected, as by a change on the reader's own web page."""
        with self._lock:
            self._core.rospecs.clear()

    def refuse_with(self, connection_status: int) -> None:
        """Greet every client with this status from now on; 0 takes them again."""
        with self._lock:
            self._refuse_status = connection_status

    def refuse_rospecs_with(self, status: int) -> None:
        """Answer every ADD_ROSPEC with this LLRPStatus from now on; 0 takes them again."""
        with self._lock:
            self._core.rospec_status = status

    def refuse(self) -> None:
        """Accept nobody any more and drop the client; what it kept stays for `listen`."""
        with self._lock:
            if self._listener is not None:
                _close(self._listener)
                self._listener = None
            self._hang_up()

    def listen(self) -> None:
        """Accept clients (again) at `port`."""
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port))
                self.port = self._listener.getsockname()[1]

    @property
    def connected(self) -> bool:
        """True while a client is connected."""
        return self._client is not None

    @property
    def reading(self) -> bool:
        """True while a ROSpec is active."""
        with self._lock:
            return any(state == ACTIVE for _, state in self._core.rospecs.values())

    @property
    def messages_seen(self) -> list[int]:
        """Return the types of the last messages that clients sent, oldest first."""
        with self._lock:
            return list(self._core.messages_seen)

    def clock_us(self) -> int:
        """Return the reader's clock; without time of day it is its uptime."""
        now_us = time.monotonic_ns() // 1000
        return now_us + self._clock_offset_us if self._core.model.utc else now_us - self._started_us

    def close(self) -> None:
        """Switch it off for good. May be called twice."""
        self.refuse()
        self._stopping = True
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

    def _tell(self, event: bytes, *, kind: int) -> None:
        with self._lock:
            self._core.event(event, kind=kind, clock_us=self.clock_us())
            self._flush()

    def _serve(self) -> None:
        while not self._stopping:
            with self._lock:
                sockets = [one for one in (self._listener, self._client) if one is not None]
                if self._muted and self._client is not None:
                    sockets.remove(self._client)
            try:
                ready = select.select(sockets, [], [], SERVE_STEP_S)[0]
            except (OSError, ValueError):
                continue  # One of them was closed meanwhile; look again.
            with self._lock:
                for one in ready:
                    if one is self._listener:
                        self._accept(one)
                    elif one is self._client:
                        self._receive(one)
                self._core.tick(time.monotonic())
                self._flush()

    def _accept(self, listener: socket.socket) -> None:
        try:
            client = listener.accept()[0]
            client.settimeout(WRITE_TIMEOUT_S)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            outcome = self._refuse_status or (ALREADY_CONNECTED if self._client else 0)
            if outcome:
                client.sendall(self._core.refusal(outcome, self.clock_us()))
                _close(client)
                return
        except OSError:
            return
        self._client = client
        self._received.clear()
        self._core.greet(self.clock_us())

    def _receive(self, client: socket.socket) -> None:
        try:
            data = client.recv(READ_BYTES_MAX)
        except OSError:
            data = b""
        self._received += data
        while len(self._received) >= 10:
            length = int.from_bytes(self._received[2:6], "big")
            if not 10 <= length <= REQUEST_BYTES_MAX:
                data = b""  # No LLRP: the connection is worthless.
                break
            if len(self._received) < length:
                break
            self._core.take(bytes(self._received[:length]), now_s=time.monotonic())
            del self._received[:length]
        self._flush()
        if not data or self._core.farewell:
            self._hang_up()

    def _flush(self) -> None:
        data = bytes(self._core.outbox)
        self._core.outbox.clear()
        if self._client is None or self._muted or not data:
            return
        try:
            self._client.sendall(data)
        except OSError:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            _close(self._client)
        self._client = None
        self._core.connected = False
        self._core.outbox.clear()
        self._received.clear()


def _close(one: socket.socket) -> None:
    # A select() in the other thread keeps a closed socket alive in the kernel; shutdown ends it.
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
