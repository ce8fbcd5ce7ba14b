"""The commands `dockledger-gateway devices ...`. Edge (command line, the running gateway's HTTP).

The list is what this program sees itself, with or without a running gateway. A claim is made by
the running gateway, which serves the device at once; where none runs, it is made here.
"""

import http.client
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gateway.clock import SystemClock
from gateway.config import load_config
from gateway.config_sections import GatewayConfig
from gateway.devices.bindings import Bindings
from gateway.devices.check import ConfiguredDevice, configured_devices
from gateway.devices.claim_desk import ClaimDesk
from gateway.devices.claims import ClaimStore
from gateway.devices.device_commands import ANY_ADDRESS
from gateway.devices.driver_sheets import read_driver_sheets
from gateway.devices.kernel_devices import KERNEL_KINDS, KernelDevices
from gateway.errors import DeviceCommandFailed
from gateway.health import Health
from gateway.station.claiming import ClaimRequest
from gateway.station.effects import Signal
from gateway.station.messages import render

TIMEOUT_S = 30.0
ANSWER_BYTES_MAX = 65536
EXIT_NOT_DONE = 1
DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")

devices_app = typer.Typer(
    help="List what is plugged in; claim and release devices.", invoke_without_command=True
)

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON lines to standard output.")]


class ListedDevice(msgspec.Struct, frozen=True):
    """One line of the list. key: what `claim` takes; drivers: those that match, best first.

    state: "configured", "claimed", "absent", "ambiguous", "unusable", "unclaimed" or "refused".
    """

    state: str
    name: str
    key: str
    node: str
    title: str
    drivers: tuple[str, ...] = ()
    note: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a claim or release."""

    kind: str
    text: str


@devices_app.callback()
def devices(
    context: typer.Context, config: ConfigOption = DEFAULT_CONFIG, *, as_json: JsonOption = False
) -> None:
    """List all devices: configured, claimed, and those that nobody has claimed."""
    if context.invoked_subcommand is not None:
        return
    for listed in list_devices(load_config(config), config_path=config):
        if as_json:
            typer.echo(msgspec.json.encode(listed).decode())
        else:
            drivers = f" drivers: {', '.join(listed.drivers)}" if listed.drivers else ""
            text = f"{listed.state:11} {listed.name:24} {listed.key} {listed.node} {listed.title}"
            typer.echo(f"{text.rstrip()}{drivers} {listed.note}".rstrip(), err=True)


@devices_app.command("claim")
def claim(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The device's key in the list.")],
    config: ConfigOption = DEFAULT_CONFIG,
    driver: Annotated[str, typer.Option("--driver", help="Default: the first that matches.")] = "",
    name: Annotated[str, typer.Option("--name", help="By role and place: dock-2-scale.")] = "",
    setting: Annotated[
        list[str] | None, typer.Option("--setting", help="A line such as 'baud_rate = 19200'.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Although it does not answer.")] = False,
) -> None:
    """Try a device and put it into service. Exit status 1 if it was not claimed."""
    request = ClaimRequest(
        key=key,
        driver=driver,
        name=name,
        by="command",
        force=force,
        settings=_settings(setting or []),
    )
    body = msgspec.json.encode(
        {
            "key": request.key,
            "driver": request.driver,
            "name": request.name,
            "settings": request.settings,
            "force": request.force,
            "by": request.by,
        }
    )
    loaded = load_config(config)
    outcome = _ask(loaded, "claims", body)
    _end(outcome or _outcome(_desk(loaded, config).claim(request)))


@devices_app.command("release")
def release(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The claimed device's name.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take a claimed device out of service. Exit status 1 if there is none of that name."""
    loaded = load_config(config)
    outcome = _ask(loaded, "releases", msgspec.json.encode({"name": name}))
    _end(outcome or _outcome(_desk(loaded, config).release(name)))


def list_devices(config: GatewayConfig, *, config_path: Path) -> list[ListedDevice]:
    """Return all devices: those of the configuration, the claimed ones, and the others.

    Raises ConfigInvalid, and DevicesUnseen where there is no libudev.
    """
    configured = configured_devices(config, config_path=config_path)
    listed = _desk(config, config_path, configured).device_list()
    lines = [
        ListedDevice("configured", one.section.name, "", _node(one), one.driver.name)
        for one in configured
    ]
    lines += [
        ListedDevice(
            state="claimed" if one.state == "present" else one.state,
            name=one.name,
            key=one.identity,
            node=one.node,
            title=one.driver,
            note=one.note.text if one.note else "",
        )
        for one in listed.claimed
    ]
    return lines + [
        ListedDevice(
            state="unclaimed" if one.key else "refused",
            name="",
            key=one.key,
            node=one.where,
            title=one.title,
            drivers=tuple(choice.name for choice in one.choices),
            note=one.note.text if one.note else "",
        )
        for one in listed.found
    ]


def _desk(
    config: GatewayConfig, config_path: Path, configured: Sequence[ConfiguredDevice] | None = None
) -> ClaimDesk:
    """Return a desk without a gateway: it serves nothing, it only reads and writes claims."""
    if configured is None:
        configured = configured_devices(config, config_path=config_path)
    kernel = KernelDevices()
    bindings = Bindings(read_again=kernel.read_again)
    desk = ClaimDesk(
        store=ClaimStore(Path(config.gateway.data_directory)),
        bindings=bindings,
        configured=configured,
        stations=[place.code for place in config.work_places],
        health=Health(),
        clock=SystemClock(),
    )
    bindings.swept(kernel.sweep(), kinds=KERNEL_KINDS)
    bindings.set_sheets(read_driver_sheets())
    return desk


def _node(device: ConfiguredDevice) -> str:
    return str(getattr(device.settings, device.driver.node_setting or "path", ""))


def _settings(lines: Sequence[str]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        raise DeviceCommandFailed(
            f"--setting is not TOML: {error}", hint="Write --setting 'baud_rate = 19200'."
        ) from error


def _ask(config: GatewayConfig, path: str, body: bytes) -> Outcome | None:
    """Return what the running gateway says, None if none runs. Raises DeviceCommandFailed."""
    host = ANY_ADDRESS.get(config.screen.host, config.screen.host)
    connection = http.client.HTTPConnection(host, config.screen.port, timeout=TIMEOUT_S)
    try:
        headers = {"content-type": "application/json"}
        connection.request("POST", f"/api/v1/{path}?lang=en", body, headers)
        return msgspec.json.decode(connection.getresponse().read(ANSWER_BYTES_MAX), type=Outcome)
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeviceCommandFailed(
            f"the gateway does not answer as expected: {error}",
            hint="Start the gateway, or correct [screen] in the configuration file.",
        ) from error
    finally:
        connection.close()


def _outcome(signal: Signal) -> Outcome:
    return Outcome(signal.kind, render(signal.message, language="en", translate=str))


def _end(outcome: Outcome) -> None:
    typer.echo(outcome.text, err=True)
    if outcome.kind == "error":
        raise typer.Exit(EXIT_NOT_DONE)
