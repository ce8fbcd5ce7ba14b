"""Settings that central may change, put into the configuration. Pure.

    language           of labels at once, of the page with the next start
    receive_location   where goods come in
    place_template, pallet_template

A setting of a station counts for every station of the gateway; `receive_location@dock-2` for that
one alone, and more than one for all.

Nothing else: no setting of central names a path, a device, a key, a broker or the journal. One that
cannot be used changes nothing, and is told.
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import VIRTUAL_PLACES
from central.contract.identifiers import parse_code
from central.contract.notices import Setting
from gateway.config_sections import GatewayConfig

LANGUAGES = ("en", "zh")
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
OF_ONE = "@"  # No code has it.
STATION_SETTINGS = frozenset({"receive_location", "place_template", "pallet_template"})


@dataclass(frozen=True, slots=True)
class RefusedSetting:
    """A setting that does not count. reason: English, for the log."""

    name: str
    reason: str


def with_settings(
    config: GatewayConfig, settings: Sequence[Setting]
) -> tuple[GatewayConfig, tuple[RefusedSetting, ...]]:
    """Return the configuration with central's settings in it, and those that do not count."""
    refused = []
    stations = frozenset(place.code for place in config.work_places)
    for setting in sorted(settings, key=lambda one: OF_ONE in one.name):
        reason = _reason_against(setting, stations)
        if reason:
            refused.append(RefusedSetting(setting.name, reason))
        elif setting.name == "language":
            section = msgspec.structs.replace(config.gateway, language=setting.value)
            config = msgspec.structs.replace(config, gateway=section)
        else:
            config = _with_station_setting(config, setting)
    return config, tuple(refused)


def _with_station_setting(config: GatewayConfig, setting: Setting) -> GatewayConfig:
    name, _, code = setting.name.partition(OF_ONE)
    places = tuple(
        msgspec.structs.replace(place, **{name: setting.value})
        if code in {"", place.code}
        else place
        for place in config.work_places
    )
    if config.station is not None:
        return msgspec.structs.replace(config, station=places[0])
    return msgspec.structs.replace(config, stations=places)


def _reason_against(setting: Setting, stations: Container[str]) -> str:
    name, of_one, code = setting.name.partition(OF_ONE)
    value = setting.value
    if of_one and name in STATION_SETTINGS and code not in stations:
        return f"no station here is called {code!r}"
    if of_one and name not in STATION_SETTINGS:
        return "central may not set this"
    if name == "language":
        return "" if value in LANGUAGES else f"{value[:40]!r} is none of {', '.join(LANGUAGES)}"
    if name == "receive_location":
        try:
            parse_code(value, what=name)
        except ContractError as error:
            return str(error)
        return f"{value} is no place that goods come to" if value in VIRTUAL_PLACES else ""
    if name in STATION_SETTINGS:
        return "" if TEMPLATE_NAME.fullmatch(value) else f"{value[:40]!r} is no template's name"
    return "central may not set this"
