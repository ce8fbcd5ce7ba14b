"""Asks the gateway how it is. Edge of HTTP."""

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_BYTES_MAX = 256 * 1024
WORKING = frozenset({"ready", "degraded"})


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """What a running gateway says of itself.

    run: another one after each start. writable: its journal takes facts. ready: devices that work.
    central: the version of central that it heard last, "" if it heard none.
    """

    version: str
    run: str
    writable: bool
    connected: bool
    ready: frozenset[str]
    central: str = ""


def ask_health(url: str, *, timeout_s: float) -> GatewayHealth | None:
    """Return how the gateway is, None if it does not answer in time or not understandably."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=timeout_s)) as connection:
            connection.request("GET", parts.path or "/")
            body = connection.getresponse().read(ANSWER_BYTES_MAX)
        return _health(json.loads(body))
    except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError):
        return None


def shortcoming(
    health: GatewayHealth | None, *, version: str, ready: frozenset[str], connected: bool
) -> str:
    """Return what is worse than it was before the update, "" if nothing is."""
    if health is None:
        return "it does not answer"
    if health.version != version:
        return f"version {health.version} answers"
    if not health.writable:
        return "its journal cannot be written"
    if not ready <= health.ready:
        return f"devices that worked do not: {', '.join(sorted(ready - health.ready))}"
    if connected and not health.connected:
        return "it does not reach the broker"
    return ""


def _health(data: dict[str, object]) -> GatewayHealth:
    devices = data["devices"]
    if not isinstance(devices, dict):
        raise TypeError("devices are missing")
    return GatewayHealth(
        # A gateway from before releases says neither.
        version=str(data.get("version", "")),
        run=str(data.get("run", "")),
        writable=data["status"] == "ok",
        connected=data["central_connected"] is True,
        ready=frozenset(str(name) for name, state in devices.items() if state in WORKING),
        central=str(data.get("central_version", "")),
    )
