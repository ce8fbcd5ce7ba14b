"""`dockledger-provision secure` and `set`: an installation made safe without an editor. Root.

Run as root. What central owns is made by central's program under central's user; root writes the
settings, the broker's configuration and the drop-in of its unit.
"""

import grp
import os
import pwd
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from provisioning.central_program import CentralFailed, ask_central
from provisioning.mosquitto import BrokerPlan, configuration
from provisioning.mosquitto_trial import installed_version, try_configuration
from provisioning.settings_text import SettingRefused, Value, parse_setting, with_settings
from provisioning.trust_commands import CONFIG_FILE, USAGE, ConfigFile, failures_named

SETTINGS_BYTES_MAX = 64 * 1024
SERVICE_USER, BROKER_GROUP = "dockledger-central", "mosquitto"
BROKER_PORT, CENTRAL_PORT, HTTP_PORT = 8883, 8884, 8000
EXAMPLES = "usr/share/doc/dockledger-central/examples"
# What they become below etc/systemd/system. The broker's log lies on the mount, for central alone.
UNITS = (
    "mosquitto.service.d/dockledger.conf",
    "mosquitto.service.d/heard-by-dockledger.conf",
    "run-dockledger-broker.mount",
)
BROKER_LOG = "/run/dockledger/broker/log"
RESTART = "systemctl daemon-reload && systemctl restart dockledger-central mosquitto"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are below a root folder, as our package and Debian's mosquitto have them."""

    root: Path = Path("/")

    @property
    def authorities(self) -> Path:
        return self.root / "var/lib/dockledger-central/trust"

    @property
    def page_certificate(self) -> Path:
        return self.root / "var/lib/dockledger-central/tls"

    @property
    def broker_files(self) -> Path:
        return self.root / "var/lib/dockledger-broker"

    @property
    def broker_configuration(self) -> Path:
        return self.root / "etc/mosquitto/conf.d/dockledger.conf"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"


def secure(
    name: Annotated[str, typer.Option(help="The installation's name, in its certificates.")],
    host: Annotated[str, typer.Option(help="The name by which gateways and people reach us.")],
    *,
    config: ConfigFile = CONFIG_FILE,
    root: Annotated[Path, typer.Option(hidden=True)] = Path("/"),
) -> None:
    """Give central and the mosquitto of this machine certificates and settings. Run it as root.

    May be run again: authorities stay, certificates are issued anew.
    """
    places = Places(root)
    with failures_named(), _settings_named():
        user = SERVICE_USER if os.geteuid() == 0 and root == Path("/") else None
        text = _read(config)
        port = _http_port(text)
        trust: Mapping[str, Value] = {
            "directory": str(places.authorities),
            "broker_directory": str(places.broker_files),
            "broker_log": BROKER_LOG,
            "public_url": f"https://{host}:{port}",
            "broker_host": host,
            "broker_port": BROKER_PORT,
        }
        text = with_settings(text, {"trust": trust})
        new = config.with_name(f".{config.name}.new")
        try:
            _write_like(new, text, like=config)
            _make_files(places, new, user=user, name=name, host=host)
            text = with_settings(text, _with_certificates(places))
            _write_like(new, text, like=config)
            ask_central("ledger-key", config=new, user=user)  # It reads all of the settings.
            new.replace(config)
        finally:
            new.unlink(missing_ok=True)
    typer.echo(
        f"Central and broker have certificates; pages: https://{host}:{port}\n"
        f"Now: {RESTART}\n"
        f"Then carry {places.authorities}/offline/root.key to a safe place and delete it here."
    )


def set_settings(
    settings: Annotated[list[str], typer.Argument(help="section.key=value, several.")],
    *,
    config: Annotated[Path, typer.Option("--config", help="The file to change.")] = CONFIG_FILE,
) -> None:
    """Write settings into a configuration file and keep the rest of it. Run it as root."""
    with failures_named(), _settings_named():
        changes: dict[str, dict[str, Value]] = {}
        for one in settings:
            section, key, value = parse_setting(one)
            changes.setdefault(section, {})[key] = value
        text = with_settings(_read(config), changes)
        new = config.with_name(f".{config.name}.new")
        _write_like(new, text, like=config)
        new.replace(config)
    typer.echo(f"Written: {config}. The service reads it when it is started again.")


def _make_files(places: Places, config: Path, *, user: str | None, name: str, host: str) -> None:
    """Make authorities, certificates and the broker's files and configuration, in this order."""
    ask_central("migrate", config=config, user=user)
    if user is not None:
        _give_to_broker(places.broker_files)
    if not (places.authorities / "root.pem").exists():
        ask_central("trust", "init", "--name", name, config=config, user=user)
    to = str(places.page_certificate)
    names = [word for one in (host, "localhost", "127.0.0.1") for word in ("--host", one)]
    ask_central("trust", "server-certificate", *names, "--to", to, config=config, user=user)
    ask_central("trust", "broker-files", *names, config=config, user=user)
    plan = BrokerPlan(
        files=str(places.broker_files), port=BROKER_PORT, central_port=CENTRAL_PORT, heard=True
    )
    version = installed_version()
    if version is not None:
        try_configuration(plan, version=version)
    places.broker_configuration.parent.mkdir(parents=True, exist_ok=True)
    text = configuration(plan, version=version or "2.0")
    places.broker_configuration.write_text(text, encoding="utf-8")
    for unit in UNITS:
        example = places.root / EXAMPLES / unit
        if example.exists():
            (places.units / unit).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(example, places.units / unit)


def _with_certificates(places: Places) -> dict[str, dict[str, Value]]:
    pages, broker = places.page_certificate / "central-http", places.broker_files
    return {
        "mqtt": {
            "host": "127.0.0.1",
            "port": CENTRAL_PORT,
            "tls_ca_file": f"{broker}/root.pem",
            "tls_certificate_file": f"{broker}/central.pem",
            "tls_key_file": f"{broker}/central.key",
        },
        "http": {
            "host": "0.0.0.0",  # noqa: S104 - gateways ask for their certificates there
            "tls_certificate_file": f"{pages}.pem",
            "tls_key_file": f"{pages}.key",
        },
    }


def _give_to_broker(folder: Path) -> None:
    """Let the broker read what central writes: our package may have come before the broker."""
    try:
        user, group = pwd.getpwnam(SERVICE_USER).pw_uid, grp.getgrnam(BROKER_GROUP).gr_gid
    except KeyError as error:
        raise CentralFailed(
            f"this machine lacks a user or group: {error}",
            hint="Install mosquitto and dockledger-central here first.",
            status=USAGE,
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, user, group)
    folder.chmod(0o2750)


def _http_port(text: str) -> int:
    section = tomllib.loads(with_settings(text, {})).get("http", {})
    port = section.get("port", HTTP_PORT) if isinstance(section, dict) else HTTP_PORT
    return port if isinstance(port, int) else HTTP_PORT


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(SETTINGS_BYTES_MAX + 1)
    if len(data) > SETTINGS_BYTES_MAX:
        raise SettingRefused(f"{path} is too large", hint="Name the right file.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingRefused(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error


def _write_like(path: Path, text: str, *, like: Path) -> None:
    """Write a file with owner, group and mode of another, durably."""
    status = like.stat()
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchown(file.fileno(), status.st_uid, status.st_gid)
        os.fchmod(file.fileno(), status.st_mode & 0o777)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _settings_named() -> Iterator[None]:
    try:
        yield
    except SettingRefused as error:
        typer.echo(f"error: {error}\nhint: {error.hint}", err=True)
        raise typer.Exit(USAGE) from error
