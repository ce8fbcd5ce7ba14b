"""Reads update.toml. Edge of the file."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from provisioning.updating.errors import SettingsInvalid

SETTINGS_BYTES_MAX = 64 * 1024
MACHINE_ID_FILE = Path("/etc/machine-id")
HINT = "Correct the line in update.toml; provisioning/updating/README.md shows every key."


@dataclass(frozen=True, slots=True)
class Settings:
    """What the agent is told. Paths are absolute; times are seconds.

    source: "https://..." or a folder; "" looks for nothing. name: what rings are cut by, the
    machine's identity if it is not given. start_limit_s: until the new release must be healthy.
    probation_s: how long it must then stay so.
    """

    source: str = ""
    ca_file: str = ""
    key_file: str = "/etc/dockledger-gateway/update.pub"
    ring: str = "rest"
    name: str = ""
    health_url: str = "http://127.0.0.1:8081/health"
    releases_folder: str = "/opt/dockledger-gateway"
    state_folder: str = "/var/lib/dockledger-update"
    restart_file: str = "/run/dockledger-update/restart"
    check_interval_s: float = 900.0
    health_interval_s: float = 5.0
    health_timeout_s: float = 5.0
    start_limit_s: float = 150.0
    probation_s: float = 900.0


def load_settings(path: Path) -> Settings:
    """Return the checked settings of a file. Raises SettingsInvalid."""
    try:
        with path.open("rb") as file:
            data = tomllib.loads(file.read(SETTINGS_BYTES_MAX).decode("utf-8"))
    except OSError as error:
        raise SettingsInvalid(
            f"cannot read {path}: {error.strerror}", hint="Name an existing file with --config."
        ) from error
    except ValueError as error:
        raise SettingsInvalid(f"{path}: {error}", hint=HINT) from error
    known = {field.name: field.default for field in fields(Settings)}
    given: dict[str, str | float] = {}
    for key, value in data.items():
        if key not in known:
            raise SettingsInvalid(f"{path}: there is no key {key!r}", hint=HINT)
        if isinstance(known[key], str):
            if not isinstance(value, str):
                raise SettingsInvalid(f"{path}: {key} is no text", hint=HINT)
            given[key] = value
        else:
            if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
                raise SettingsInvalid(f"{path}: {key} is no number above 0", hint=HINT)
            given[key] = float(value)
    settings = Settings(**given)  # type: ignore[arg-type]
    _check_source(path, settings.source)
    return settings


def own_name(settings: Settings) -> str:
    """Return what decides when this gateway's turn is within its ring."""
    if settings.name:
        return settings.name
    try:
        return MACHINE_ID_FILE.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _check_source(path: Path, source: str) -> None:
    if source and not source.startswith(("https://", "/")):
        raise SettingsInvalid(
            f"{path}: source is neither https:// nor a folder",
            hint='Write source = "https://mirror.example.com/dockledger" or "/media/updates".',
        )
