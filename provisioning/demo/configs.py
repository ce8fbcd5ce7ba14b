"""The configuration files of central and gateways, as an installer would write them. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """An MQTT 5 broker. password_file: where both sides read the password, "" for none."""

    host: str
    port: int
    username: str
    password_file: str


def central_toml(*, site: str, database_file: str, broker: BrokerAddress, http_port: int) -> str:
    """Return central's configuration on SQLite, pages on 127.0.0.1 that ask for no password."""
    return (
        f"[database]\nurl = {_quoted(f'sqlite:///{database_file}')}\n\n{_mqtt(broker)}\n"
        f"[ledger]\nsite = {_quoted(site)}\n\n"
        f'[http]\nhost = "127.0.0.1"\nport = {http_port}\n\n[access]\nmode = "open"\n'
    )


def gateway_toml(
    *,
    site: str,
    code: str,
    warehouse: str,
    data_directory: str,
    reference_file: str,
    language: str,
    broker: BrokerAddress,
    central_url: str,
    screen_port: int,
    sscc_company_prefix: str,
    sscc_extension_digit: str,
    devices: Sequence[str],
) -> str:
    """Return a gateway's configuration; its station has its code and receives at DOCK-1.

    devices: [[device]] entries, see `device_toml`.
    """
    return (
        f"[gateway]\ncode = {_quoted(code)}\nsite = {_quoted(site)}\n"
        f"warehouse = {_quoted(warehouse)}\ndata_directory = {_quoted(data_directory)}\n"
        f"reference_file = {_quoted(reference_file)}\nlanguage = {_quoted(language)}\n\n"
        f'[station]\ncode = {_quoted(code)}\nreceive_location = "DOCK-1"\n'
        f"sscc_company_prefix = {_quoted(sscc_company_prefix)}\n"
        f"sscc_extension_digit = {_quoted(sscc_extension_digit)}\n\n{_mqtt(broker)}\n"
        f"[central]\nurl = {_quoted(central_url)}\n\n"
        f'[screen]\nhost = "127.0.0.1"\nport = {screen_port}\n\n' + "\n".join(devices)
    )


def device_toml(name: str, driver: str, settings: Sequence[tuple[str, str | int]]) -> str:
    """Return a [[device]] entry; a dot in the name of a setting leads into a table, as in TOML."""
    lines = [f"{key} = {_quoted(value)}" for key, value in settings]
    head = f"[[device]]\nname = {_quoted(name)}\ndriver = {_quoted(driver)}\n\n[device.settings]\n"
    return head + "\n".join(lines) + "\n"


def _mqtt(broker: BrokerAddress) -> str:
    secret = f"password_file = {_quoted(broker.password_file)}\n" if broker.password_file else ""
    return (
        f"[mqtt]\nhost = {_quoted(broker.host)}\nport = {broker.port}\n"
        f"username = {_quoted(broker.username)}\n{secret}"
    )


def _quoted(value: str | int) -> str:
    # A JSON string is a TOML basic string (TOML 1.0), and an integer is an integer.
    return json.dumps(value, ensure_ascii=False)
