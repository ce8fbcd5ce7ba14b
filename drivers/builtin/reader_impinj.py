"""Driver impinj-iot: Impinj readers by their IoT device interface (REST and a stream). Loop."""

import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from drivers.api import Driver
from drivers.errors import SettingsInvalid
from drivers.protocols.rfid_impinj import ImpinjStreamProtocol
from drivers.readings import Reading
from drivers.transports.http_stream import HttpStream

HALF_EVENT_S = 2.0
PROBE_S = 1.5
PASSWORD_BYTES_MAX = 1024
NAME_CHARACTERS_MAX = 200
STREAM_PATH = "/api/v1/data/stream"
STATUS_PATH = "/api/v1/status"
SYSTEM_PATH = "/api/v1/system"
STOP_PATH = "/api/v1/profiles/stop"

NonEmpty = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
Seconds = Annotated[float, msgspec.Meta(ge=0.05, le=600)]


class ImpinjSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of impinj-iot.

    host: name or address of the reader.
    port: its port; left out, 443 or, without TLS, 80.
    user, password_file: as set in the reader; the file holds the password alone.
    tls: "verified"; "unverified" (encrypted, but anybody may be the reader); "off".
    ca_file: PEM file of the authority that signed the reader's certificate, or the certificate
        itself; left out, the authorities of the system.
    preset: the inventory preset to start when the reader is opened; left out, none is started.
    stop_at_close: whether inventory is stopped when the reader is closed.
    timeout_s: limit for connecting and for a short answer.
    quiet_s: after so long without a word the reader is asked whether it is there.
    """

    host: NonEmpty
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    user: str = ""
    password_file: str = ""
    tls: Literal["verified", "unverified", "off"] = "verified"
    ca_file: str = ""
    preset: str = ""
    stop_at_close: bool = False
    timeout_s: Seconds = 3.0
    quiet_s: Seconds = 10.0


class ImpinjReader:
    """A ReadingDevice on an open stream; one thread uses it. Made by `_open`."""

    def __init__(self, stream: HttpStream, settings: ImpinjSettings) -> None:
        self._stream = stream
        self._settings = settings
        self._protocol = ImpinjStreamProtocol()
        self._quiet_since_s = self._asked_s = time.monotonic()
        self._idle_told = True

    def read(self, timeout_s: float) -> Sequence[Reading]:
        """Return the tags as soon as some were read; empty after `timeout_s`.

        Raises DeviceLost, DeviceSilent, or SettingsInvalid if the reader wants another password.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            readings = self._step(deadline_s)
            if readings or time.monotonic() >= deadline_s:
                return readings

    def close(self) -> None:
        """Stop inventory if the settings say so, and give the line back. Never raises."""
        self._stream.close()

    def _step(self, deadline_s: float) -> Sequence[Reading]:
        wake_s = deadline_s
        if not self._idle_told:
            wake_s = min(wake_s, self._quiet_since_s + HALF_EVENT_S)
        data = self._stream.read(max(wake_s - time.monotonic(), 0.0))
        now_s = time.monotonic()
        if data:
            self._quiet_since_s, self._idle_told = now_s, False
            return self._protocol.receive_data(data)
        if not self._idle_told and now_s >= self._quiet_since_s + HALF_EVENT_S:
            self._idle_told = True
            return self._protocol.idle()
        if now_s >= max(self._quiet_since_s, self._asked_s) + self._settings.quiet_s:
            # No tag in sight and no reader look the same on a stream.
            self._stream.ask(STATUS_PATH)
            self._asked_s = now_s
        return ()


def _open(settings: ImpinjSettings) -> ImpinjReader:
    stream = _stream(settings, timeout_s=settings.timeout_s)
    try:
        if settings.preset:
            preset = quote(settings.preset, safe="")
            stream.post(f"/api/v1/profiles/inventory/presets/{preset}/start")
        stream.begin(STREAM_PATH)
    except BaseException:
        stream.close()
        raise
    return ImpinjReader(stream, settings)


def _probe(settings: ImpinjSettings) -> str:
    stream = _stream(settings, timeout_s=min(settings.timeout_s, PROBE_S))
    try:
        answer = stream.get(SYSTEM_PATH)
    finally:
        stream.close()
    try:
        stated = msgspec.json.decode(answer, type=_System)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    words = (stated.manufacturer, stated.productModel, stated.serialNumber)
    text = " ".join(word for word in words if word)[:NAME_CHARACTERS_MAX]
    return "".join(letter if letter.isprintable() else " " for letter in text)


class _System(msgspec.Struct, frozen=True):
    """What /api/v1/system says, as far as impinj-iot 0.2.0 reads it."""

    manufacturer: str = ""
    productModel: str = ""  # noqa: N815 - the names are the reader's.
    serialNumber: str = ""  # noqa: N815


def _stream(settings: ImpinjSettings, *, timeout_s: float) -> HttpStream:
    scheme = "http" if settings.tls == "off" else "https"
    port = settings.port or (80 if settings.tls == "off" else 443)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return HttpStream(
        f"{scheme}://{host}:{port}",
        user=settings.user,
        password=_password(settings.password_file),
        tls=_tls(settings),
        timeout_s=timeout_s,
        last_path=STOP_PATH if settings.stop_at_close else "",
    )


def _password(path: str) -> str:
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            return file.read(PASSWORD_BYTES_MAX).decode().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"password_file {path} cannot be read: {error}",
            hint="Write the reader's password into that file, readable for the gateway's user.",
        ) from error


def _tls(settings: ImpinjSettings) -> ssl.SSLContext | None:
    if settings.tls == "off":
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsInvalid(
            f"ca_file {settings.ca_file} cannot be used: {error}",
            hint="Name a PEM file that the gateway's user can read.",
        ) from error
    if settings.tls == "unverified":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


IMPINJ_IOT = Driver(
    name="impinj-iot",
    device_class="rfid_reader",
    summary="Impinj R700 and other readers with the IoT device interface, over HTTP or HTTPS.",
    settings_type=ImpinjSettings,
    open_device=_open,
    node_setting="host",
    tcp_port_setting="port",
    probe=_probe,
    new_protocol=lambda _: ImpinjStreamProtocol(),
    tier="silver",
)
