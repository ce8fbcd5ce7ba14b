"""The gateway's one TOML file as checked values. Edge of the configuration file.

`gateway.example.toml` beside this module shows every key. Every mistake is answered with the line,
the key and what to write instead.
"""

import difflib
import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from gateway.config_doors import DOOR_EXAMPLES, DOORS_MAX, DoorSection, door_mistakes
from gateway.config_lines import find_line
from gateway.errors import ConfigInvalid

CONFIG_BYTES_MAX = 1024 * 1024
PASSWORD_BYTES_MAX = 1024
NETWORK_ADDRESSES_MAX = 1024
DEVICES_MAX = 64  # As many as a state message to central can carry.

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]

# What to write, by key; the examples of the error messages.
EXAMPLES = {
    "gateway": "[gateway]",
    "gateway.code": 'code = "sh1-dock-2"',
    "gateway.site": 'site = "main"',
    "gateway.warehouse": 'warehouse = "sh1"',
    "gateway.data_directory": 'data_directory = "/var/lib/dockledger-gateway"',
    "gateway.reference_file": 'reference_file = "/etc/dockledger-gateway/reference.toml"',
    "gateway.language": 'language = "en" or language = "zh"',
    "station": "[station]",
    "station.code": 'code = "dock-2"',
    "station.receive_location": 'receive_location = "dock-1"',
    "station.sscc_company_prefix": 'sscc_company_prefix = "6901234"',
    "station.sscc_extension_digit": 'sscc_extension_digit = "0"',
    "station.place_template": 'place_template = "bin"',
    "station.pallet_template": 'pallet_template = "pallet"',
    "mqtt": "[mqtt]",
    "mqtt.host": 'host = "central.example.com"',
    "mqtt.port": "port = 1883",
    "mqtt.username": 'username = "sh1-dock-2"',
    "mqtt.password": 'password = "..."',
    "mqtt.password_file": 'password_file = "/etc/dockledger-gateway/mqtt-password"',
    "mqtt.keepalive_s": "keepalive_s = 15",
    "mqtt.tls_ca_file": 'tls_ca_file = "/etc/dockledger-gateway/ca.pem"',
    "screen": "[screen]",
    "screen.host": 'host = "127.0.0.1"',
    "screen.port": "port = 8081",
    "discovery": 'networks = ["192.168.10.0/28"]',
    "discovery.enabled": "enabled = true",
    "discovery.sweep_interval_s": "sweep_interval_s = 5",
    "discovery.hosts": 'hosts = ["192.168.10.23"]',
    "discovery.networks": 'networks = ["192.168.10.0/28"]',
    "discovery.ports": "ports = [9100, 5084]",
    "discovery.probe": "probe = true",
    "discovery.network_interval_s": "network_interval_s = 60",
    "device": "[[device]]",
    "device.name": 'name = "dock-2-scanner"',
    "device.driver": 'driver = "scanner-serial"',
    "device.settings": "[device.settings]",
} | DOOR_EXAMPLES

ERROR_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
FIELD_NAME = re.compile(r"field `([^`]*)`")
SYNTAX_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class GatewaySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who this gateway is. Paths are absolute once loaded; reference_file "" is none."""

    code: str
    warehouse: str
    data_directory: NonEmpty
    site: str = "main"
    reference_file: str = ""
    language: Literal["en", "zh"] = "en"


class StationSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The work place. sscc_company_prefix "": this station gives no SSCC to pallets."""

    code: str
    receive_location: str
    sscc_company_prefix: str = ""
    sscc_extension_digit: str = "0"
    place_template: NonEmpty = "bin"
    pallet_template: NonEmpty = "pallet"


class MqttSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker. password and password_file exclude each other; tls_ca_file "" is no TLS."""

    host: NonEmpty
    port: Port = 1883
    username: str = ""
    password: str = ""
    password_file: str = ""
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 15
    tls_ca_file: str = ""


class ScreenSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the operator's page is served."""

    host: NonEmpty = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8081


class DiscoverySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be looked for. Without `ports` nothing is ever connected to on the network."""

    enabled: bool = True
    sweep_interval_s: Annotated[float, msgspec.Meta(ge=0.5, le=3600)] = 5.0
    hosts: Annotated[tuple[NonEmpty, ...], msgspec.Meta(max_length=256)] = ()
    networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()
    ports: Annotated[tuple[Port, ...], msgspec.Meta(max_length=16)] = ()
    probe: bool = True
    network_interval_s: Annotated[float, msgspec.Meta(ge=5, le=86400)] = 60.0

    def __post_init__(self) -> None:
        sizes = [ipaddress.ip_network(one, strict=False).num_addresses for one in self.networks]
        if sum(sizes) > NETWORK_ADDRESSES_MAX:
            raise ValueError(f"more than {NETWORK_ADDRESSES_MAX} addresses in `networks`")


class DeviceSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device. settings: what its driver asks for; the driver checks them."""

    name: str
    driver: NonEmpty
    settings: dict[str, Any] = {}


class GatewayConfig(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"devices": "device", "dock_doors": "dock_door"},
):
    """The whole file."""

    gateway: GatewaySection
    station: StationSection
    mqtt: MqttSection
    screen: ScreenSection = ScreenSection()
    discovery: DiscoverySection = DiscoverySection()
    dock_doors: Annotated[tuple[DoorSection, ...], msgspec.Meta(max_length=DOORS_MAX)] = ()
    devices: Annotated[tuple[DeviceSection, ...], msgspec.Meta(max_length=DEVICES_MAX)] = ()


def load_config(path: Path) -> GatewayConfig:
    """Return the checked configuration; relative paths in it are made relative to the file.

    Raises ConfigInvalid that names line, key and what to write.
    """
    text = _read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, str(error)) from error
    except RecursionError as error:
        raise _syntax_error(path, "too deeply nested") from error
    try:
        config = msgspec.convert(data, GatewayConfig)
    except msgspec.ValidationError as error:
        raise _type_error(path, text, str(error)) from error
    _check_codes(path, text, config)
    _check_devices(path, text, config)
    _check_doors(path, text, config)
    _check_sscc(path, text, config)
    _check_password(path, text, config)
    return _with_absolute_paths(config, path.absolute().parent)


def read_password(mqtt: MqttSection) -> str:
    """Return the password for the broker, "" if there is none. Raises ConfigInvalid."""
    if not mqtt.password_file:
        return mqtt.password
    try:
        with Path(mqtt.password_file).open("rb") as file:
            return file.read(PASSWORD_BYTES_MAX).decode().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(
            f"mqtt.password_file: {mqtt.password_file} cannot be read: {error}",
            hint="Write the password into that file, readable for this user.",
        ) from error


def setting_error(
    path: Path, *, device: int, setting: str, reason: str, hint: str
) -> ConfigInvalid:
    """Return the error for a setting of the device of that index, with its line in the file.

    setting: its key as the driver names it, "" for the device's `driver` itself.
    """
    text = _read_text(path)
    key = f"device[{device}]" + (f".settings.{setting}" if setting else ".driver")
    return _invalid(path, text, key, reason, hint=hint)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_BYTES_MAX + 1)
        if len(data) > CONFIG_BYTES_MAX:
            raise ConfigInvalid(
                f"{path} is larger than {CONFIG_BYTES_MAX} bytes",
                hint="Name the right file; the example is gateway.example.toml.",
            )
        return data.decode()
    except OSError as error:
        raise ConfigInvalid(
            f"{path} cannot be read: {error}",
            hint="Name the file with --config, or copy gateway.example.toml there.",
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigInvalid(
            f"{path.name} line {line}: not UTF-8", hint="Save the file as UTF-8."
        ) from error


def _syntax_error(path: Path, message: str) -> ConfigInvalid:
    found = SYNTAX_LINE.search(message)
    line = f" line {found[1]}" if found else ""
    return ConfigInvalid(
        f"{path.name}{line}: not TOML: {SYNTAX_LINE.sub('', message).strip()}",
        hint='Write key = value, texts in "quotes", sections in [brackets].',
    )


def _type_error(path: Path, text: str, message: str) -> ConfigInvalid:
    match = ERROR_PATH.match(message)
    assert match is not None
    key, what = match["path"] or "", match["what"].replace("`", "")
    field = FIELD_NAME.search(match["what"])
    if field is None:
        return _invalid(path, text, key, f"{what[:1].lower()}{what[1:]}")
    key = f"{key}.{field[1]}".lstrip(".")
    if "missing" in what:
        return _invalid(path, text, key, "is missing")
    return _invalid(path, text, key, "there is no such key", hint=_known_keys(key))


def _known_keys(key: str) -> str:
    plain = re.sub(r"\[\d+\]", "", key)
    section, _, name = plain.rpartition(".")
    known = [
        example.rpartition(".")[2] for example in EXAMPLES if example.rpartition(".")[0] == section
    ]
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    where = f"[{section}]" if section else "the file"
    return f"remove it; {where} knows {', '.join(known)}"


def _invalid(path: Path, text: str, key: str, reason: str, *, hint: str = "") -> ConfigInvalid:
    example = EXAMPLES.get(re.sub(r"\[\d+\]", "", key))
    return ConfigInvalid(
        f"{path.name} line {find_line(text, key)}, {key or 'the file'}: {reason}",
        hint=hint or (f"write for example {example}" if example else "see gateway.example.toml"),
    )


def _check_codes(path: Path, text: str, config: GatewayConfig) -> None:
    codes = {
        "gateway.code": config.gateway.code,
        "gateway.site": config.gateway.site,
        "gateway.warehouse": config.gateway.warehouse,
        "station.code": config.station.code,
        "station.receive_location": config.station.receive_location,
    } | {f"device[{index}].name": device.name for index, device in enumerate(config.devices)}
    codes |= {
        f"dock_door[{index}].read_point": door.read_point
        for index, door in enumerate(config.dock_doors)
    }
    for key, code in codes.items():
        try:
            parse_code(code, what=key.rpartition(".")[2])
        except ContractError as error:
            raise _invalid(path, text, key, f"{error}: {error.hint}") from error


def _check_devices(path: Path, text: str, config: GatewayConfig) -> None:
    seen: set[str] = set()
    for index, device in enumerate(config.devices):
        if device.name in seen:
            raise _invalid(
                path,
                text,
                f"device[{index}].name",
                f"a second device is called {device.name!r}",
                hint="give each device a name of its own",
            )
        seen.add(device.name)


def _check_doors(path: Path, text: str, config: GatewayConfig) -> None:
    for key, reason, hint in door_mistakes(config.dock_doors):
        raise _invalid(path, text, key, reason, hint=hint)


def _check_sscc(path: Path, text: str, config: GatewayConfig) -> None:
    # GS1 General Specifications, section 1.4.3: a company prefix has 4 to 12 digits.
    prefix = config.station.sscc_company_prefix
    if prefix and not re.fullmatch(r"[0-9]{4,12}", prefix):
        raise _invalid(path, text, "station.sscc_company_prefix", "not 4 to 12 digits")
    if not re.fullmatch(r"[0-9]", config.station.sscc_extension_digit):
        raise _invalid(path, text, "station.sscc_extension_digit", "not one digit")


def _check_password(path: Path, text: str, config: GatewayConfig) -> None:
    if config.mqtt.password and config.mqtt.password_file:
        raise _invalid(
            path,
            text,
            "mqtt.password",
            "there is a password_file too",
            hint="keep only password_file, which others cannot read",
        )


def _with_absolute_paths(config: GatewayConfig, folder: Path) -> GatewayConfig:
    def absolute(text: str) -> str:
        return str(folder / text) if text else ""

    replace = msgspec.structs.replace
    return replace(
        config,
        gateway=replace(
            config.gateway,
            data_directory=absolute(config.gateway.data_directory),
            reference_file=absolute(config.gateway.reference_file),
        ),
        mqtt=replace(
            config.mqtt,
            password_file=absolute(config.mqtt.password_file),
            tls_ca_file=absolute(config.mqtt.tls_ca_file),
        ),
    )
