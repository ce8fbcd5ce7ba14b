"""Reads central.toml; every mistake names its line, its key and what to write. Edge of the file."""

import ipaddress
import re
import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from central.config_access import AccessSection, checked_access
from central.config_keeping import AlertsSection, BackupSection, MailSection
from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.contract.topics import SHARD_COUNT
from central.errors import ConfigInvalid

CONFIG_BYTES_MAX = 64 * 1024
SECRET_BYTES_MAX = 4 * 1024
BASE_URI_CHARACTERS_MAX = 200  # Stands before each identifier of each event.
# RFC 3986, 3.2.2 and 3.3: a host, perhaps a port, then segments that are not empty.
BASE_URI = re.compile(
    r"https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"
    r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*"
)

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
    tls_certificate_file, tls_key_file: PEM files by which we log in, where the broker asks for it.
    protocol: "3.1.1" for clusters that do not speak MQTT 5, such as NATS and RabbitMQ 3.
    """

    host: Text
    port: Port = 1883
    username: str = ""
    password: str = ""
    password_file: str = ""
    tls_ca_file: str = ""
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    protocol: Literal["5", "3.1.1"] = "5"


class HttpSection(_Section, frozen=True, kw_only=True):
    """Where pages and API are served. port: 0 takes a free one.

    tls_certificate_file, tls_key_file: PEM files; with both, everything is served over TLS.
    trusted_proxies: addresses and networks whose X-Forwarded-For is believed, and which may hold
    any number of connections. connections_per_address: that any other may hold at once.
    """

    host: Text = "127.0.0.1"
    port: Port = 8000
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    trusted_proxies: tuple[Text, ...] = ("127.0.0.1", "::1")
    connections_per_address: Annotated[int, msgspec.Meta(ge=8, le=512)] = 128


class LedgerSection(_Section, frozen=True, kw_only=True):
    """site: the second part of every topic; all gateways of this ledger have the same.

    stable: when gateways may forget what is committed: "commit" if that means two machines (a
    synchronous standby), "backup" if `dockledger-central confirm-backup` has to say so first.
    """

    site: Text
    stable: Literal["backup", "commit"] = "backup"


class EpcisSection(_Section, frozen=True, kw_only=True):
    """base_uri: what URIs of things without a GS1 key begin with; "" for a name of the site's."""

    base_uri: str = ""


class TrustSection(_Section, frozen=True, kw_only=True):
    """Who is who. directory: of the authorities; "" where gateways are enrolled by hand.

    broker_directory: what is written for the broker; "" is `broker` in `directory`.
    broker_pid_file: of the broker, which is told there that something changed; "" where a systemd
    path unit does that. broker_log: what a mosquitto of this machine writes for us, emptied by
    `serve`; "" hears nobody. crl_url: from where other brokers fetch the revocation list.
    public_url, broker_host, broker_port: where gateways reach us, for what they are given.
    """

    directory: str = ""
    broker_directory: str = ""
    broker_pid_file: str = ""
    broker_log: str = ""
    crl_url: str = ""
    public_url: str = ""
    broker_host: str = ""
    broker_port: Port = 8883


class Config(_Section, frozen=True, kw_only=True):
    """The whole file."""

    database: DatabaseSection
    mqtt: MqttSection
    ledger: LedgerSection
    http: HttpSection = HttpSection()
    epcis: EpcisSection = EpcisSection()
    trust: TrustSection = TrustSection()
    backup: BackupSection = BackupSection()
    alerts: AlertsSection = AlertsSection()
    mail: MailSection = MailSection()
    access: AccessSection = AccessSection()


def load_config(path: Path, *, before_certificates: bool = False) -> Config:
    """Return the checked configuration of a file; secrets are read from their files.

    before_certificates: for who makes them; the files that it names need not be there yet.
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
    _check_base_uri(path, text, config)
    _check_proxies(path, text, config)
    config = _with_trust(path, config)
    access = checked_access(path, config.access, http_host=config.http.host)
    config = msgspec.structs.replace(config, access=access)
    if before_certificates:
        return config
    return _with_certificates(path, text, _with_password(path, text, config))


def parse_shards(text: str) -> tuple[int, ...]:
    """Return the shards of e.g. "0-31,40", sorted. Raises ConfigInvalid."""
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < SHARD_COUNT:
            raise ConfigInvalid(
                f"{part.strip()!r} is no shard and no range of them",
                hint=f"Write numbers from 0 to {SHARD_COUNT - 1}, such as 0-31,40.",
            )
        found.update(range(first, last + 1))
    return tuple(sorted(found))


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


def _check_base_uri(path: Path, text: str, config: Config) -> None:
    base_uri = config.epcis.base_uri
    if not base_uri:
        return
    if len(base_uri) <= BASE_URI_CHARACTERS_MAX and BASE_URI.fullmatch(base_uri):
        return
    line = line_of(text, ["epcis", "base_uri"])
    raise ConfigInvalid(
        f"{path}, line {line}: epcis.base_uri: {base_uri!r} cannot begin an identifier",
        hint="Write https://, a host of yours and perhaps a path: no query, no slash at the end,"
        f" at most {BASE_URI_CHARACTERS_MAX} characters.",
    )


def _check_proxies(path: Path, text: str, config: Config) -> None:
    for proxy in config.http.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            line = line_of(text, ["http", "trusted_proxies"])
            raise ConfigInvalid(
                f"{path}, line {line}: http.trusted_proxies: {error}",
                hint="Write addresses or networks, such as 192.0.2.4 or 192.0.2.0/28.",
            ) from error


def _with_password(path: Path, text: str, config: Config) -> Config:
    for name in ("mqtt", "mail"):
        section = getattr(config, name)
        if not section.password_file:
            continue
        if section.password:
            line = line_of(text, [name, "password_file"])
            raise ConfigInvalid(
                f"{path}, line {line}: {name}.password_file: {name}.password is given, too",
                hint="Keep one of `password` and `password_file`.",
            )
        secret = _read_text(
            path.parent / section.password_file,
            bytes_max=SECRET_BYTES_MAX,
            what=f"{name}.password_file",
        )
        changed = msgspec.structs.replace(section, password=secret.rstrip("\r\n"))
        config = msgspec.structs.replace(config, **{name: changed})
    return config


def _with_certificates(path: Path, text: str, config: Config) -> Config:
    files = (
        ("mqtt", "tls_ca_file", "the authority that signed the broker's certificate"),
        ("mqtt", "tls_certificate_file", "the certificate by which central logs in at the broker"),
        ("mqtt", "tls_key_file", "the private key of that certificate"),
        ("mail", "tls_ca_file", "the authority that signed the mail server's certificate"),
        ("http", "tls_certificate_file", "the certificate that browsers and gateways are shown"),
        ("http", "tls_key_file", "the private key of that certificate"),
    )
    for section in ("http", "mqtt"):
        part = getattr(config, section)
        if bool(part.tls_certificate_file) != bool(part.tls_key_file):
            line = line_of(text, [section, "tls_key_file"])
            raise ConfigInvalid(
                f"{path}, line {line}: {section}.tls_certificate_file and {section}.tls_key_file"
                " are not both given",
                hint="Name both PEM files, or neither.",
            )
    for section, key, what in files:
        given = getattr(getattr(config, section), key)
        if not given:
            continue
        file = path.parent / given
        if not file.is_file():
            line = line_of(text, [section, key])
            raise ConfigInvalid(
                f"{path}, line {line}: {section}.{key}: {file} is not a file",
                hint=f"Name the PEM file of {what}.",
            )
        changed = msgspec.structs.replace(getattr(config, section), **{key: str(file)})
        config = msgspec.structs.replace(config, **{section: changed})
    _try_certificates(path, text, config)
    return config


def _with_trust(path: Path, config: Config) -> Config:
    trust = config.trust
    if not trust.directory:
        return config
    directory = path.parent / trust.directory
    broker = (
        path.parent / trust.broker_directory if trust.broker_directory else directory / "broker"
    )
    changed = msgspec.structs.replace(trust, directory=str(directory), broker_directory=str(broker))
    return msgspec.structs.replace(config, trust=changed)


def _try_certificates(path: Path, text: str, config: Config) -> None:
    """Read the files as the broker's client and the web server will, to name them here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        place = ["mqtt", "tls_ca_file"]
        if config.mqtt.tls_ca_file:
            context.load_verify_locations(config.mqtt.tls_ca_file)
        place = ["mqtt", "tls_certificate_file"]
        if config.mqtt.tls_certificate_file:
            context.load_cert_chain(
                config.mqtt.tls_certificate_file, config.mqtt.tls_key_file, password=b""
            )
        place = ["http", "tls_certificate_file"]
        if config.http.tls_certificate_file:
            # Without a password: the service has nobody to ask for one.
            context.load_cert_chain(
                config.http.tls_certificate_file, config.http.tls_key_file, password=b""
            )
    except (OSError, ValueError) as error:
        raise ConfigInvalid(
            f"{path}, line {line_of(text, place)}: {'.'.join(place)}: {error}",
            hint="Name PEM files that this user may read and that belong together.",
        ) from error
