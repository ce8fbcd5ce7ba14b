"""Enrolment, keys and reported states of gateways. Edge of the database."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from central.clock import Clock
from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.contract.states import GatewayState, decode_state
from central.errors import EnrolmentRefused
from central.inbox.boots import note_states
from central.inbox.epoch_heads import note_heads
from central.ledger.own_facts import OWN_GATEWAY
from central.storage import bulk
from central.storage.database import Database
from central.storage.tables import gateways, warehouses

PUBLIC_KEY_BYTES = 32  # Ed25519, RFC 8032
NO_KEY = b""  # Of a revoked gateway: no signature is good.


class Enrolled(msgspec.Struct, frozen=True):
    """What authenticates a gateway, and the warehouse that it speaks for."""

    public_key: bytes
    warehouse: str


def enrol_gateway(
    database: Database, *, gateway: str, site: str, warehouse: str, public_key: bytes, clock: Clock
) -> bool:
    """Let a gateway speak for a warehouse; return False if it was enrolled so already.

    A gateway that is enrolled gets the new key and warehouse: a replaced machine, or a moved one.
    Raises ContractError for an unusable code, EnrolmentRefused for a key that is none or for a
    warehouse that the loaded reference data does not have.
    """
    with database.write() as connection:
        return write_enrolment(
            connection,
            gateway=gateway,
            site=site,
            warehouse=warehouse,
            public_key=public_key,
            now_ms=clock.now_ms(),
        )


def write_enrolment(
    connection: Connection,
    *,
    gateway: str,
    site: str,
    warehouse: str,
    public_key: bytes,
    now_ms: int,
) -> bool:
    """Do what `enrol_gateway` does, in the transaction of the caller; raises the same."""
    for what, code in (("gateway", gateway), ("site", site), ("warehouse", warehouse)):
        parse_code(code, what=what)
    if gateway == OWN_GATEWAY:
        raise EnrolmentRefused(
            f"{gateway!r} is what the ledger calls itself",
            hint="Give the gateway a code that names its place, e.g. sh1-dock-2.",
        )
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise EnrolmentRefused(
            f"the public key of {gateway} has {len(public_key)} bytes, not {PUBLIC_KEY_BYTES}",
            hint="Give the Ed25519 public key that the gateway shows, 64 hexadecimal digits.",
        )
    identity = {"site": site, "warehouse": warehouse, "public_key": public_key}
    check_warehouse(connection, warehouse)
    row = connection.execute(select(gateways).where(gateways.c.gateway == gateway)).first()
    if row is not None and all(getattr(row, key) == value for key, value in identity.items()):
        return False
    bulk.insert_missing_rows(
        connection,
        gateways,
        [(gateway, site, warehouse, public_key, now_ms, *_never_heard())],
    )
    connection.execute(update(gateways).where(gateways.c.gateway == gateway).values(identity))
    return True


def check_warehouse(connection: Connection, warehouse: str) -> None:
    """Return if gateways may speak for a warehouse. Raises EnrolmentRefused."""
    known = set(connection.execute(select(warehouses.c.warehouse)).scalars())
    if known and warehouse not in known:
        raise EnrolmentRefused(
            f"no warehouse is called {warehouse!r}; known: {', '.join(sorted(known))[:200]}",
            hint="Name a warehouse of the reference data, or load newer reference data first.",
        )


def close_key(connection: Connection, *, gateway: str) -> None:
    """Believe nothing more of what a gateway signs, until it is enrolled with another key."""
    closed = update(gateways).where(gateways.c.gateway == gateway)
    connection.execute(closed.values(public_key=NO_KEY))


def enrolled_gateways(connection: Connection, names: Iterable[str]) -> dict[str, Enrolled]:
    """Return the enrolled ones of these gateways."""
    return enrolled_soon(connection, names)()


def enrolled_soon(
    connection: Connection, names: Iterable[str]
) -> Callable[[], dict[str, Enrolled]]:
    """Look for the enrolled ones of these gateways with what is asked next; return what gives them.

    What gateways say of themselves is not read: it is long, and in the same rows.
    """
    wanted = sorted(set(names))
    if not wanted:
        return dict
    # Padded to a power of two, so that few different statements are prepared.
    slots_count = 1 << (len(wanted) - 1).bit_length()
    sql = _enrolled_sql(connection.dialect.name, slots_count)
    values = [*wanted, *wanted[:1] * (slots_count - len(wanted))]
    rows = bulk.open_with(connection, sql, values, columns=_ENROLLED_COLUMNS)
    return lambda: {name: Enrolled(bytes.fromhex(key), house) for name, house, key in rows()}


def record_states(
    database: Database, payloads: Sequence[tuple[str, bytes]], *, clock: Clock
) -> tuple[GatewayState, ...]:
    """Store what gateways say of themselves; return the states that were taken, in order.

    payloads: (gateway of the topic, payload). A state that cannot be read, or is of a gateway
    that is not enrolled or not the topic's, is left out: the next one comes soon.
    """
    states: dict[str, GatewayState] = {}
    for topic_gateway, payload in payloads:
        try:
            state = decode_state(payload)
        except ContractError:
            continue
        if state.gateway == topic_gateway and "\0" not in _texts(state):
            states[topic_gateway] = state
    if not states:
        return ()
    with database.write() as connection:
        known = enrolled_gateways(connection, states)
        taken = tuple(states[name] for name in sorted(known))
        now_ms = clock.now_ms()
        _write(connection, [one for one in taken if not _is_will(one)], now_ms, _state_values)
        _write(connection, [one for one in taken if _is_will(one)], now_ms, _will_values)
        note_heads(connection, taken)
        note_states(connection, taken, now_ms=now_ms)
    return taken


def mark_seen(connection: Connection, names: Iterable[str], *, now_ms: int) -> None:
    """Note that authenticated words of these gateways came just now."""
    rows = [(name, now_ms) for name in sorted(set(names))]
    bulk.update_rows(connection, gateways, ("gateway", "seen_ms"), rows)


_ENROLLED_COLUMNS = ("gateway", "warehouse", "public_key")
_AS_HEX = {"sqlite": "hex(public_key)", "postgresql": "encode(public_key, 'hex')"}


@cache
def _enrolled_sql(dialect: str, slots_count: int) -> str:
    return (
        f"SELECT gateway, warehouse, {_AS_HEX[dialect]} AS public_key"  # noqa: S608 - our own words
        f" FROM gateways WHERE gateway IN ({', '.join('?' * slots_count)})"
    )


def _never_heard() -> bulk.Row:
    return (False, 0, 0, "", 0, 0, "", "", "[]", 0, True, 0, "", 0, 0, 0, 0, 0, 0, 0, "", "", 0)


def _texts(state: GatewayState) -> str:
    return "".join(
        (
            state.epoch,
            state.software,
            state.problem,
            state.boot_id,
            state.stream,
            state.failed_release,
            state.failed_reason,
        )
    )


def _is_will(state: GatewayState) -> bool:
    """Return whether the broker says it, with figures from when the gateway connected."""
    return not state.online and not state.time_ms


def _write(
    connection: Connection,
    states: Sequence[GatewayState],
    now_ms: int,
    values: Callable[[GatewayState, int], dict[str, object]],
) -> None:
    if not states:
        return
    connection.execute(
        update(gateways)
        .where(gateways.c.gateway == bindparam("b_gateway"))
        .values({name: bindparam(f"b_{name}") for name in values(states[0], now_ms)}),
        [
            {"b_gateway": state.gateway}
            | {f"b_{name}": value for name, value in values(state, now_ms).items()}
            for state in states
        ],
    )


def _will_values(state: GatewayState, now_ms: int) -> dict[str, object]:
    return {"online": state.online, "seen_ms": now_ms}


def _state_values(state: GatewayState, now_ms: int) -> dict[str, object]:
    # A broker hands out a retained state again when we connect anew: a set clock tells its age.
    told_ms = min(now_ms, state.time_ms) if state.clock_synced else now_ms
    return {
        "online": state.online,
        "state_ms": state.time_ms,
        "seen_ms": now_ms,
        "epoch": state.epoch,
        "head_seq": state.head_seq,
        "unsent_count": state.unsent_count,
        "software": state.software,
        "problem": state.problem,
        "devices_json": msgspec.json.encode(state.devices).decode(),
        "told_ms": told_ms,
        # A gateway of an older version does not say; it is not to be alarmed for that.
        "clock_synced": state.clock_synced or not state.boot_id,
        "lag_s": state.lag_s,
        "stream": state.stream,
        "notice": state.notice,
        "stock_revision": state.stock_revision,
        "reference_revision": state.reference_revision,
        "known_age_s": state.known_age_s,
        "disk_used_percent": state.disk_used_percent,
        "written_bytes_day": state.written_bytes_day,
        "shed_count": state.shed_count,
        "failed_release": state.failed_release,
        "failed_reason": state.failed_reason,
        "failed_ms": state.failed_time_ms,
    }
