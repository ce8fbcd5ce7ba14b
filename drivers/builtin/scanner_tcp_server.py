"""Driver scanner-tcp-server: readers that call the gateway. Edge of the scanner.

Some fixed readers are TCP clients: they call a port of the gateway. One reader has one port.

    listening --caller on the list--> connected --closed, dead, called anew--> listening
        `--nobody for absent_after_s--> DeviceSilent: the device is closed and opened again

    who calls while a reader is connected    what becomes of it
    the same address                         the newest call wins: the reader was switched off and
                                             on, and its old connection may look alive for 25 s more
    another address                          hung up on: two readers on one port would mix
    an address that is not on the list       hung up on, always
"""

import time
from collections.abc import Sequence
from typing import Annotated

import msgspec

from drivers.api import CommandResult, DeviceCommand, Driver
from drivers.builtin.scanner_text import (
    SCANNER_COMMANDS,
    Port,
    Seconds,
    TextScannerSettings,
    text_device,
    text_protocol,
)
from drivers.builtin.stream import StreamDevice
from drivers.errors import DeviceLost, DeviceSilent
from drivers.readings import Reading
from drivers.transports.tcp_client import TcpClient
from drivers.transports.tcp_server import TcpServer, allowed_networks, open_tcp_server

LOOK_S = 0.2  # So soon a new call is noticed while a reader is connected.
LAST_READS_MAX = 64  # Of a connection that is given up: 64 times 4096 bytes.

Addresses = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=64)]


class TcpServerScannerSettings(
    TextScannerSettings, frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Settings of scanner-tcp-server, beside those of every scanner that sends lines of text.

    host: the gateway's address to listen on; "0.0.0.0" for all, "::" for all with IPv6.
    port: the TCP port that the reader calls; each reader has its own.
    allowed_addresses: addresses or networks that may call, such as ["192.0.2.7"].
    absent_after_s: so long without a connected reader, and the device is silent; 0 never.
    idle_s: so long a pause in the middle of a scan makes it a half scan; networks pause longer.
    """

    host: str
    port: Port
    allowed_addresses: Addresses
    absent_after_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 60.0
    idle_s: Seconds = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        allowed_networks(self.allowed_addresses)


class CallingScanner:
    """A CommandedDevice that waits for its reader to call; one thread uses it."""

    def __init__(self, server: TcpServer, settings: TcpServerScannerSettings) -> None:
        self._server = server
        self._settings = settings
        self._line: TcpClient | None = None
        self._device: StreamDevice | None = None
        self._protocol = text_protocol(settings)
        self._address = ""
        self._absent_since_s = time.monotonic()

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return what the reader said as soon as it said something; empty after `timeout_s`.

        Raises DeviceSilent when no reader has been connected for long, DeviceLost when the port
        itself is gone.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            left_s = max(deadline_s - time.monotonic(), 0.0)
            readings = self._attend(left_s)
            if readings or time.monotonic() >= deadline_s:
                return readings

    def execute(self, command: DeviceCommand) -> CommandResult:
        """Do one command, if a reader is connected."""
        if self._device is None:
            return CommandResult("refused", "no reader is connected")
        try:
            return self._device.execute(command)
        except DeviceLost as error:
            # What it had said before is kept by the device until the next `read`.
            return CommandResult("unknown", str(error))

    def close(self) -> None:
        """Hang up and stop listening. Never raises; may be called twice."""
        if self._device is not None:
            self._device.close()
            self._device = None
        self._server.close()

    def _attend(self, timeout_s: float) -> Sequence[Reading]:
        if self._device is None:
            self._greet(self._server.accept(timeout_s))
            if self._device is None:
                self._miss()
            return ()
        caller = self._server.accept(0.0, only_from=self._address)
        if caller is not None:
            left = self._hang_up(self._device)
            self._greet(caller)
            return left
        try:
            return self._device.read(min(timeout_s, LOOK_S))
        except DeviceLost:
            return self._hang_up(self._device)

    def _greet(self, caller: tuple[TcpClient, str] | None) -> None:
        if caller is None:
            return
        line, self._address = caller
        self._protocol = text_protocol(self._settings)
        self._device = text_device(
            line, self._protocol, self._settings, idle_s=self._settings.idle_s
        )

    def _hang_up(self, device: StreamDevice) -> Sequence[Reading]:
        """Close the connection; return what had arrived on it, the half scan as a fault."""
        readings: list[Reading] = []
        try:
            for _ in range(LAST_READS_MAX):
                more = device.read(0.0)
                if not more:
                    break
                readings += more
        except DeviceLost:
            pass  # It was lost before; now all that had come is read.
        readings += self._protocol.idle()
        device.close()
        self._device = None
        self._absent_since_s = time.monotonic()
        return readings

    def _miss(self) -> None:
        absent_s = time.monotonic() - self._absent_since_s
        if 0 < self._settings.absent_after_s <= absent_s:
            raise DeviceSilent(
                f"no reader has called port {self._settings.port} for {absent_s:.0f} s",
                hint="Check the reader's power and network, and that it calls this address "
                "and port.",
            )


def _open_calling_scanner(settings: TcpServerScannerSettings) -> CallingScanner:
    server = open_tcp_server(settings.host, settings.port, allowed=settings.allowed_addresses)
    return CallingScanner(server, settings)


SERVER = Driver(
    name="scanner-tcp-server",
    device_class="scanner",
    summary="Fixed bar code readers that connect to the gateway themselves, as TCP clients.",
    settings_type=TcpServerScannerSettings,
    open_device=_open_calling_scanner,
    commands=SCANNER_COMMANDS,
    new_protocol=text_protocol,
    tier="silver",
)
