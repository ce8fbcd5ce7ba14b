"""Settings, label templates and prints that people order of gateways. Edge of the database.

Every order is stored and numbered for its gateways in the caller's transaction.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from central.contract.errors import ContractError
from central.contract.facts import VIRTUAL_PLACES
from central.contract.identifiers import parse_code
from central.contract.notices import (
    PrintRequested,
    Setting,
    TemplateChanged,
    encode_notice,
)
from central.errors import GatewayUnknown, OrderRefused
from central.outbox.notices import (
    Kind,
    StreamRow,
    add_notices,
    begin_stream,
    has_room,
    lock_stream,
    settings_notice,
)
from central.storage import bulk
from central.storage.tables import (
    gateway_settings,
    gateways,
    label_templates,
    print_requests,
)

# What a gateway may be told from afar; it has the same list and takes nothing else. Nothing here
# touches its journal, its identity, its devices or whom it speaks with.
SETTING_NAMES = ("language", "receive_location", "place_template", "pallet_template")
OF_ONE = "@"  # receive_location@dock-2: for that station of a gateway alone.
SETTING_NAME_MAX = 64  # What gateways read.
LANGUAGES = ("en", "zh")
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
TEMPLATE_CHARACTERS_MAX = 64 * 1024
TEMPLATES_COUNT_MAX = 1000
# Of all gateways, and of one: together as many as a gateway reads.
TEMPLATES_OF_ONE_MAX = 32
JOB_KEPT_S = 90 * 24 * 3600  # A code that is asked for again within this prints nothing new.
ALL_GATEWAYS = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """What an order is written with. new_name: makes names of streams and codes of jobs."""

    connection: Connection
    now_ms: int
    new_name: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Ordered:
    """Which notice says it; changed is False if it was ordered before."""

    stream: str
    number: int
    changed: bool


def change_settings(writing: Writing, gateway: str, settings: Sequence[Setting]) -> Ordered:
    """Make these all of the gateway's remote settings.

    Raises ContractError for a setting or a value that no gateway takes, GatewayUnknown.
    """
    names = [setting.name for setting in settings]
    if len(set(names)) < len(names):
        raise ContractError("a setting is named twice", hint="Name each setting once.")
    for setting in settings:
        _check_setting(setting)
    connection = writing.connection
    row = _locked(writing, gateway)
    table = gateway_settings
    found = connection.execute(
        select(table.c.name, table.c.value).where(table.c.gateway == gateway)
    )
    wanted = {setting.name: setting.value for setting in settings}
    if dict(tuple(one) for one in found) == wanted:
        return Ordered(row.stream, row.head, changed=False)
    connection.execute(delete(table).where(table.c.gateway == gateway))
    bulk.insert_rows(
        connection, table, [(gateway, name, value) for name, value in sorted(wanted.items())]
    )
    body = encode_notice(settings_notice(connection, gateway))
    return _told(writing, row, "settings", body)


def read_settings(connection: Connection, gateway: str) -> tuple[Setting, ...]:
    """Return the remote settings of a gateway, by name."""
    table = gateway_settings.c
    rows = connection.execute(
        select(table.name, table.value).where(table.gateway == gateway).order_by(table.name)
    )
    return tuple(Setting(name, value) for name, value in rows)


def put_template(writing: Writing, name: str, text: str, *, gateway: str = ALL_GATEWAYS) -> int:
    """Keep a label template, for all gateways that have none of their own or for one; return how
    many gateways are told.

    Raises ContractError for what is no TOML or too long, GatewayUnknown.
    """
    parse_template(name)
    if not text or len(text) > TEMPLATE_CHARACTERS_MAX:
        raise ContractError(
            f"template {name} has {len(text)} characters, at most {TEMPLATE_CHARACTERS_MAX}",
            hint="Send the template's TOML text.",
        )
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ContractError(
            f"template {name} is not TOML: {error}", hint="Correct the line that is named."
        ) from error
    encode_notice(TemplateChanged(name=name, text=text))  # Raises if it is too many bytes.
    rows = _locked_for(writing, gateway)
    connection = writing.connection
    table = label_templates.c
    same = select(table.text).where(table.gateway == gateway, table.name == name)
    known = connection.execute(same).scalar_one_or_none()
    if known == text:
        return 0
    if known is None:
        _check_room(connection, gateway)
    bulk.upsert_rows(connection, label_templates, [(gateway, name, text)])
    return _tell_template(writing, rows, name, general=gateway == ALL_GATEWAYS)


def remove_template(writing: Writing, name: str, *, gateway: str = ALL_GATEWAYS) -> int | None:
    """Take a label template away, so that the one of all gateways or the shipped one counts again;
    return how many gateways are told, None if there was no such template.

    Raises ContractError, GatewayUnknown.
    """
    parse_template(name)
    rows = _locked_for(writing, gateway)
    table = label_templates.c
    gone = writing.connection.execute(
        delete(label_templates).where(table.gateway == gateway, table.name == name)
    )
    if not gone.rowcount:
        return None
    return _tell_template(writing, rows, name, general=gateway == ALL_GATEWAYS)


def read_templates(connection: Connection, gateway: str) -> tuple[TemplateChanged, ...]:
    """Return the label templates that count at a gateway, by name."""
    table = label_templates.c
    rows = connection.execute(
        select(table.name, table.text)
        .where(table.gateway.in_([ALL_GATEWAYS, gateway]))
        .order_by(table.gateway)  # "" first: the gateway's own replaces it.
    )
    texts: dict[str, str] = dict(tuple(row) for row in rows)
    return tuple(TemplateChanged(name=name, text=texts[name]) for name in sorted(texts))


def request_print(writing: Writing, gateway: str, request: PrintRequested) -> Ordered:
    """Have labels printed; a job code that was given before prints nothing again.

    Raises ContractError, GatewayUnknown, OrderRefused if the code was given for something else or
    too much waits for the gateway.
    """
    parse_code(request.job, what="job")
    parse_template(request.template)
    if request.printer:
        parse_code(request.printer, what="printer")
    for field in request.fields:
        parse_code(field.name, what="field")
    connection = writing.connection
    row = _locked(writing, gateway)
    body = encode_notice(request)
    digest = hashlib.sha256(gateway.encode() + b"\0" + body).digest()
    table = print_requests
    connection.execute(delete(table).where(table.c.made_ms < writing.now_ms - JOB_KEPT_S * 1000))
    known = _job_digest(connection, request.job)
    if known is None:
        if not has_room(connection, row, len(body)):
            raise OrderRefused(
                f"too much waits for gateway {gateway}",
                hint="Find out why the gateway does not answer; ask again when it does.",
            )
        new = (request.job, gateway, digest, writing.now_ms)
        bulk.insert_missing_rows(connection, table, [new])
    if _job_digest(connection, request.job) != digest:
        raise OrderRefused(
            f"job {request.job} was given for something else",
            hint="Give each print job a code of its own, or none.",
        )
    if known is not None:
        return Ordered(row.stream, row.head, changed=False)
    added = add_notices(connection, row, "print", [body], now_ms=writing.now_ms)
    return Ordered(added.stream, added.head, changed=True)


def parse_template(name: str) -> str:
    """Return `name` if it can be one of a label template. Raises ContractError."""
    if not TEMPLATE_NAME.fullmatch(name):
        raise ContractError(
            f"template name {name[:80]!r} is not usable",
            hint="Give the template a name of 1 to 64 letters, digits, '_' or '-'.",
        )
    return name


def _check_setting(setting: Setting) -> None:
    name, of_one, station = setting.name.partition(OF_ONE)
    if of_one:
        parse_code(station, what="station")
    is_known = name in SETTING_NAMES and not (of_one and name == "language")
    if not is_known or len(setting.name) > SETTING_NAME_MAX:
        raise ContractError(
            f"no gateway takes the setting {setting.name[:64]!r}",
            hint=f"Name one of {', '.join(SETTING_NAMES)}; with @ and a station for it alone.",
        )
    if name == "language" and setting.value not in LANGUAGES:
        raise ContractError(
            f"{setting.value[:64]!r} is no language of the gateway",
            hint=f"Name one of {', '.join(LANGUAGES)}.",
        )
    if name == "receive_location" and setting.value in VIRTUAL_PLACES:
        raise ContractError(
            f"goods cannot be received at {setting.value}",
            hint="Name a dock door or another place of the warehouse.",
        )
    if name.endswith("_template"):
        parse_template(setting.value)
    else:
        parse_code(setting.value, what=name)


def _check_room(connection: Connection, gateway: str) -> None:
    counting = select(func.count()).select_from(label_templates)
    of_one = counting.where(label_templates.c.gateway == gateway)
    for query, count_max in ((counting, TEMPLATES_COUNT_MAX), (of_one, TEMPLATES_OF_ONE_MAX)):
        count = connection.execute(query).scalar_one()
        if count >= count_max:
            raise OrderRefused(
                f"there are {count} templates already, at most {count_max}",
                hint="Delete templates that are no longer used.",
            )


def _locked(writing: Writing, gateway: str) -> StreamRow:
    row = lock_stream(writing.connection, gateway, new_name=writing.new_name)
    if row is None:
        raise GatewayUnknown(
            f"gateway {gateway[:64]} is not enrolled",
            hint="Enrol it first: dockledger-central enrol-gateway.",
        )
    return row


def _locked_for(writing: Writing, gateway: str) -> list[StreamRow]:
    if gateway != ALL_GATEWAYS:
        return [_locked(writing, gateway)]
    enrolled = writing.connection.execute(select(gateways.c.gateway)).scalars()
    # Always in one order, so that two who do this cannot wait for each other.
    return [_locked(writing, name) for name in sorted(enrolled)]


def _job_digest(connection: Connection, job: str) -> bytes | None:
    table = print_requests.c
    digest = connection.execute(select(table.digest).where(table.job == job)).scalar_one_or_none()
    return None if digest is None else bytes(digest)


def _tell_template(writing: Writing, rows: Sequence[StreamRow], name: str, *, general: bool) -> int:
    """general: it is the one of all gateways; those with one of their own are not concerned."""
    table = label_templates.c
    found = writing.connection.execute(select(table.gateway, table.text).where(table.name == name))
    texts: dict[str, str] = dict(tuple(row) for row in found)
    told_count = 0
    for row in rows:
        if general and row.gateway in texts:
            continue
        text = texts.get(row.gateway, texts.get(ALL_GATEWAYS, ""))
        body = encode_notice(TemplateChanged(name=name, text=text))
        _told(writing, row, "template", body)
        told_count += 1
    return told_count


def _told(writing: Writing, row: StreamRow, kind: Kind, body: bytes) -> Ordered:
    connection, now_ms = writing.connection, writing.now_ms
    if has_room(connection, row, len(body)):
        row = add_notices(connection, row, kind, [body], now_ms=now_ms)
    else:  # The gateway was away for long: a snapshot says it all, this too.
        row = begin_stream(connection, row, new_name=writing.new_name, now_ms=now_ms)
    return Ordered(row.stream, row.head, changed=True)
