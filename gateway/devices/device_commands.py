"""The commands `dockledger-gateway device ...`. Edge (command line, the running gateway's HTTP).

They ask the running gateway at the address of its page. Where none runs, a lock is written to disk,
where the next start finds it, and a bundle holds what can be known without it.
"""

import http.client
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.clock import SystemClock, random_64
from gateway.config import load_config
from gateway.config_sections import GatewayConfig
from gateway.devices.check import configured_devices
from gateway.devices.diagnostics import DeviceFindings, diagnostics_bundle
from gateway.devices.locks import DeviceLocks
from gateway.devices.record_command import record
from gateway.errors import DeviceCommandFailed

TIMEOUT_S = 15.0
ANSWER_BYTES_MAX = 16 * 1024 * 1024
EXIT_NOT_DONE = 1
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound here
START_HINT = "Start the gateway, or correct [screen] in the configuration file."

device_app = typer.Typer(help="Lock, unlock, ask and tell one device.", no_args_is_help=True)

device_app.command("record")(record)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The device's name.")]
ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]
DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")


class CommandAnswer(msgspec.Struct, frozen=True):
    """What became of a command."""

    outcome: str
    detail: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """Why the gateway did not do it."""

    error: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


@device_app.command("lock")
def lock(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Close a device and keep it closed, over restarts, until it is unlocked."""
    loaded = load_config(config)
    if _ask(loaded, "POST", f"{name}/lock") is None:
        _locks(loaded).lock(name)
        typer.echo(f"{name} is locked from the next start on; no gateway runs now", err=True)
    else:
        typer.echo(f"{name} is locked", err=True)


@device_app.command("unlock")
def unlock(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let a locked device be opened again."""
    loaded = load_config(config)
    if _ask(loaded, "POST", f"{name}/unlock") is None:
        _locks(loaded).unlock(name)
    typer.echo(f"{name} is not locked", err=True)


@device_app.command("command")
def command(
    name: NameArgument,
    command: Annotated[
        str,
        typer.Argument(metavar="COMMAND", help="zero, tare, clear_tare, trigger_on, signal ..."),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    signal: Annotated[
        str, typer.Option("--signal", help="Of the command signal: success, warning, error, off.")
    ] = "off",
) -> None:
    """Have a device of the running gateway do something. Exit status 1 if it was not done."""
    body = msgspec.json.encode({"command": command, "signal": signal})
    answer = _ask(load_config(config), "POST", f"{name}/command", body)
    if answer is None:
        raise DeviceCommandFailed("no gateway runs here", hint=START_HINT)
    told = msgspec.json.decode(answer.body, type=CommandAnswer)
    typer.echo(" ".join(word for word in (told.outcome, told.detail) if word), err=True)
    if told.outcome != "done":
        raise typer.Exit(EXIT_NOT_DONE)


@device_app.command("diagnose")
def diagnose(
    name: NameArgument,
    to: Annotated[Path, typer.Option("--to", help="The zip file to write.")],
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Show what was scanned, badges excepted.")
    ] = False,
) -> None:
    """Write all that support needs to know of a device, without credentials, into a zip file."""
    loaded = load_config(config)
    path = f"{name}/diagnostics" + ("?with_data=true" if with_data else "")
    answer = _ask(loaded, "GET", path)
    data = answer.body if answer else _bundle_without_gateway(loaded, config, name)
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise DeviceCommandFailed(
            f"{to} cannot be written: {error.strerror}", hint="Name a file that you can write."
        ) from error
    typer.echo(f"{to}" + ("" if answer else " (no gateway runs: without history and frames)"))


def _ask(config: GatewayConfig, method: str, path: str, body: bytes = b"") -> _Answer | None:
    """Return the running gateway's answer, None if none runs. Raises DeviceCommandFailed."""
    host = ANY_ADDRESS.get(config.screen.host, config.screen.host)
    connection = http.client.HTTPConnection(host, config.screen.port, timeout=TIMEOUT_S)
    headers = {"content-type": "application/json"}
    try:
        connection.request(method, f"/api/v1/devices/{path}", body, headers)
        answer = connection.getresponse()
        data = answer.read(ANSWER_BYTES_MAX)
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeviceCommandFailed(
            f"the gateway does not answer: {error}", hint=START_HINT
        ) from error
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise _refused(answer.status, data)
    return _Answer(answer.status, data)


def _refused(status: int, data: bytes) -> DeviceCommandFailed:
    try:
        refusal = msgspec.json.decode(data, type=Refusal)
    except msgspec.DecodeError:
        text = data[:200].decode("utf-8", "replace")
        return DeviceCommandFailed(f"the gateway answers {status}: {text}", hint=START_HINT)
    return DeviceCommandFailed(refusal.error, hint=refusal.hint)


def _bundle_without_gateway(config: GatewayConfig, config_path: Path, name: str) -> bytes:
    for device in configured_devices(config, config_path=config_path):
        if device.section.name == name:
            return diagnostics_bundle(
                DeviceFindings(device),
                time_ms=SystemClock().now_ms(),
                salt=random_64().to_bytes(8, "big"),
                with_data=False,
            )
    raise DeviceCommandFailed(
        f"no device is called {name!r} in {config_path}",
        hint="Name a configured device; start the gateway to ask it about a claimed one.",
    )


def _locks(config: GatewayConfig) -> DeviceLocks:
    return DeviceLocks(Path(config.gateway.data_directory))
