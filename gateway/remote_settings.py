"""Settings that central may change, put into the configuration. Pure.

    language           of labels at once, of the page with the next start
    receive_location   where goods come in
    place_template, pallet_template

Nothing else: no setting of central names a path, a device, a key, a broker or the journal. One that
cannot be used changes nothing, and is told.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from central.contract.errors import ContractError
from central.contract.facts import VIRTUAL_PLACES
from central.contract.identifiers import parse_code
from central.contract.notices import Setting
from gateway.config_sections import GatewayConfig

LANGUAGES = ("en", "zh")
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
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
    for setting in settings:
        reason = _reason_against(setting) or _many(setting, config)
        if reason:
            refused.append(RefusedSetting(setting.name, reason))
        elif setting.name in STATION_SETTINGS and config.station is not None:
            station = msgspec.structs.replace(config.station, **{setting.name: setting.value})
            config = msgspec.structs.replace(config, station=station)
        else:
            section = msgspec.structs.replace(config.gateway, language=setting.value)
            config = msgspec.structs.replace(config, gateway=section)
    return config, tuple(refused)


def _many(setting: Setting, config: GatewayConfig) -> str:
    """Return why a setting of the station says nothing here: there are several, it names none."""
    several = setting.name in STATION_SETTINGS and config.station is None
    return "this gateway has several stations; its file says it for each" if several else ""


def _reason_against(setting: Setting) -> str:
    name, value = setting.name, setting.value
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
