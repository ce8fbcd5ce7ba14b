"""Reads central.toml; every mistake names its line, its key and what to write. Edge of the file."""

import re
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.errors import ConfigInvalid

CONFIG_BYTES_MAX = 64 * 1024
SECRET_BYTES_MAX = 4 * 1024

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class DatabaseSection(_Section, frozen=True, kw_only=True):
    """url: "sqlite:////path/of/ledger.db" or "postgresql+psycopg://user:password@host/database"."""

    url: Text


class MqttSection(_Section, frozen=True, kw_only=True):
    """The broker. password: after reading, also if it came from `password_file`; "" for none.

    tls_ca_file: certificates that the broker's must come from; "" speaks without TLS.
    """

    host: Text
    port: Port = 1883
    username: str = ""
    password: str = ""
    password_file: str = ""
    tls_ca_file: str = ""


class HttpSection(_Section, frozen=True, kw_only=True):
    """Where pages and API are served. port: 0 takes a free one."""

    host: Text = "127.0.0.1"
    port: Port = 8000


class LedgerSection(_Section, frozen=True, kw_only=True):
    """site: the second part of every topic; all gateways of this ledger have the same."""

    site: Text


class Config(_Section, frozen=True, kw_only=True):
    """The whole file."""

    database: DatabaseSection
    mqtt: MqttSection
    ledger: LedgerSection
    http: HttpSection = HttpSection()


def load_config(path: Path) -> Config:
    """Return the checked configuration of a file; secrets are read from their files.

    Raises ConfigInvalid that names line and key.
    """
    text = _read_text(path, bytes_max=CONFIG_BYTES_MAX, what="the configuration")
    try:
        config = msgspec.convert(tomllib.loads(text), Config)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(
            f"{path}: {error}", hint="Correct the line; strings stand in double quotes."
        ) from error
    except msgspec.ValidationError as error:
        raise _located(path, text, error) from error
    _check_site(path, text, config)
    return _with_certificates(path, text, _with_password(path, text, config))


def _read_text(path: Path, *, bytes_max: int, what: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
        if len(data) > bytes_max:
            raise ConfigInvalid(
                f"{path} is larger than {bytes_max} bytes", hint="Name the right file."
            )
        return data.decode("utf-8")
    except OSError as error:
        raise ConfigInvalid(
            f"cannot read {what} {path}: {error.strerror}",
            hint="Name an existing file that this user may read, e.g. with --config.",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigInvalid(f"{path} is not UTF-8 text", hint="Save it as UTF-8.") from error


def _located(path: Path, text: str, error: msgspec.ValidationError) -> ConfigInvalid:
    """msgspec says e.g. "Expected `int`, got `str` - at `$.mqtt.port`"."""
    message = str(error)
    place = re.search(r"`\$\.?([^`]*)`", message.rpartition(" - at ")[2])
    keys = place[1].split(".") if place and place[1] else []
    named = re.search(r"(?:unknown|required) field `([^`]+)`", message)
    if named:
        keys.append(named[1])
    key = ".".join(keys)
    return ConfigInvalid(
        f"{path}, line {line_of(text, keys)}: {key}: {message.partition(' - at ')[0]}",
        hint=f"Correct `{key}`; central/README.md shows every key.",
    )


def line_of(text: str, keys: list[str]) -> int:
    """Return the line, from 1, of a key; of its section if the key is missing; else 1."""
    section, found = "", 1
    wanted = ".".join(keys[:-1])
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.]+)\s*\]", line)
        if header:
            section = header[1]
            if section in {wanted, ".".join(keys)}:
                found = number
        elif keys and section == wanted and re.match(rf"\s*{re.escape(keys[-1])}\s*=", line):
            return number
    return found


def _check_site(path: Path, text: str, config: Config) -> None:
    try:
        parse_code(config.ledger.site, what="site")
    except ContractError as error:
        line = line_of(text, ["ledger", "site"])
        raise ConfigInvalid(
            f"{path}, line {line}: ledger.site: {error}", hint=error.hint
        ) from error


def _with_password(path: Path, text: str, config: Config) -> Config:
    mqtt = config.mqtt
    if not mqtt.password_file:
        return config
    if mqtt.password:
        line = line_of(text, ["mqtt", "password_file"])
        raise ConfigInvalid(
            f"{path}, line {line}: mqtt.password_file: mqtt.password is given, too",
            hint="Keep one of `password` and `password_file`.",
        )
    secret = _read_text(
        path.parent / mqtt.password_file, bytes_max=SECRET_BYTES_MAX, what="mqtt.password_file"
    )
    password = secret.rstrip("\r\n")
    return msgspec.structs.replace(config, mqtt=msgspec.structs.replace(mqtt, password=password))


def _with_certificates(path: Path, text: str, config: Config) -> Config:
    mqtt = config.mqtt
    if not mqtt.tls_ca_file:
        return config
    file = path.parent / mqtt.tls_ca_file
    if not file.is_file():
        line = line_of(text, ["mqtt", "tls_ca_file"])
        raise ConfigInvalid(
            f"{path}, line {line}: mqtt.tls_ca_file: {file} is not a file",
            hint="Name the PEM file of the authority that signed the broker's certificate.",
        )
    return msgspec.structs.replace(
        config, mqtt=msgspec.structs.replace(mqtt, tls_ca_file=str(file))
    )
