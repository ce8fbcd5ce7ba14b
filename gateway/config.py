"""The gateway's one TOML file as checked values. Edge of the configuration file.

`gateway.example.toml` beside this module shows every key. Every mistake is answered with the line,
the key and what to write instead.
"""

import difflib
import re
import tomllib
from pathlib import Path

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import VIRTUAL_PLACES
from central.contract.identifiers import parse_code
from gateway.config_doors import door_mistakes
from gateway.config_lines import find_line
from gateway.config_sections import EXAMPLES, GatewayConfig, MqttSection, StationSection
from gateway.errors import ConfigInvalid

CONFIG_BYTES_MAX = 1024 * 1024
PASSWORD_BYTES_MAX = 1024
ERROR_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
FIELD_NAME = re.compile(r"field `([^`]*)`")
NAMED_BY_CENTRAL = frozenset(
    {"gateway.code", "gateway.warehouse", "station.code", "station.receive_location"}
)
SYNTAX_LINE = re.compile(r"\(at line (\d+), column \d+\)")


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
    _check_stations(path, text, config)
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
    } | {f"device[{index}].name": device.name for index, device in enumerate(config.devices)}
    codes |= {
        f"dock_door[{index}].read_point": door.read_point
        for index, door in enumerate(config.dock_doors)
    }
    for section, station in _sections(config):
        codes |= {
            f"{section}.code": station.code,
            f"{section}.receive_location": station.receive_location,
        }
        if station.ship_location:
            codes[f"{section}.ship_location"] = station.ship_location
        if station.returns_location:
            codes[f"{section}.returns_location"] = station.returns_location
    if config.is_nameless:  # Central says who it is, once it is let in.
        codes = {key: code for key, code in codes.items() if code or key not in NAMED_BY_CENTRAL}
    for key, code in codes.items():
        try:
            parse_code(code, what=key.rpartition(".")[2])
        except ContractError as error:
            raise _invalid(path, text, key, f"{error}: {error.hint}") from error
    for key, code in codes.items():
        if key.endswith("_location") and code in VIRTUAL_PLACES:
            raise _invalid(path, text, key, f"nothing is kept at {code}")


def _sections(config: GatewayConfig) -> list[tuple[str, StationSection]]:
    """Return each station with its key in the file."""
    if config.station is not None:
        return [("station", config.station)]
    return [(f"stations[{index}]", one) for index, one in enumerate(config.stations)]


def _check_stations(path: Path, text: str, config: GatewayConfig) -> None:
    if config.is_nameless and config.station is None:
        hint = "write one [station], or a gateway.code"
        raise _invalid(
            path, text, "gateway.code", "several stations need a gateway's code", hint=hint
        )
    codes: set[str] = set()
    taken: set[str] = set()
    for section, station in _sections(config):
        if station.code in codes:
            hint = "give each station a code of its own"
            reason = f"a second station is called {station.code!r}"
            raise _invalid(path, text, f"{section}.code", reason, hint=hint)
        codes.add(station.code)
        for name in station.devices:
            if name in taken:
                hint = "name each device at one station"
                reason = f"{name!r} serves another station already"
                raise _invalid(path, text, f"{section}.devices", reason, hint=hint)
            taken.add(name)


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
    for section, station in _sections(config):
        prefix = station.sscc_company_prefix
        if prefix and not re.fullmatch(r"[0-9]{4,12}", prefix):
            raise _invalid(path, text, f"{section}.sscc_company_prefix", "not 4 to 12 digits")
        if not re.fullmatch(r"[0-9]", station.sscc_extension_digit):
            raise _invalid(path, text, f"{section}.sscc_extension_digit", "not one digit")


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
        journal=replace(config.journal, copy_directory=absolute(config.journal.copy_directory)),
        backup=replace(
            config.backup, places=tuple(absolute(place) for place in config.backup.places)
        ),
        mqtt=replace(
            config.mqtt,
            password_file=absolute(config.mqtt.password_file),
            tls_ca_file=absolute(config.mqtt.tls_ca_file),
            tls_certificate_file=absolute(config.mqtt.tls_certificate_file),
            tls_key_file=absolute(config.mqtt.tls_key_file),
        ),
        identity=replace(config.identity, enrol_file=absolute(config.identity.enrol_file)),
        central=replace(config.central, tls_ca_file=absolute(config.central.tls_ca_file)),
    )
