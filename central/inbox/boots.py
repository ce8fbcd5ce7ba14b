"""Keeps the best known clock offset of each boot of each gateway. Edge of the database."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from central.contract.states import GatewayState
from central.inbox.clocks import ClockOffset, arrival_offset, better_offset, stated_offset
from central.storage import bulk
from central.storage.tables import boots

# Of one gateway; states are not signed, so anyone at the broker could make boots up.
BOOTS_PER_GATEWAY_MAX = 64

BootKey = tuple[str, str]  # gateway, boot


def known_offsets(connection: Connection, keys: Sequence[BootKey]) -> dict[BootKey, ClockOffset]:
    """Return the offsets of these boots, as far as any is known."""
    wanted = sorted(set(keys))
    return {
        (gateway, boot_id): ClockOffset(offset_ms, error_ms, source)
        for gateway, boot_id, offset_ms, error_ms, source, _updated_ms in bulk.select_by_key(
            connection, boots, wanted, columns_count=2
        )
    }


def note_offsets(
    connection: Connection, found: Mapping[BootKey, Sequence[ClockOffset]], *, now_ms: int
) -> dict[BootKey, ClockOffset]:
    """Keep what is better than what is known; return the best offset of each boot."""
    known = known_offsets(connection, list(found))
    best: dict[BootKey, ClockOffset] = {}
    for key, offsets in found.items():
        chosen = known.get(key)
        for offset in offsets:
            chosen = better_offset(chosen, offset)
        if chosen is not None:
            best[key] = chosen
    changed = {key: offset for key, offset in best.items() if offset != known.get(key)}
    bulk.upsert_rows(
        connection,
        boots,
        [
            (*key, offset.offset_ms, offset.error_ms, offset.source, now_ms)
            for key, offset in sorted(changed.items())
        ],
    )
    for gateway in sorted(
        {gateway for gateway, boot_id in changed if (gateway, boot_id) not in known}
    ):
        _forget_oldest(connection, gateway)
    return best


def note_states(connection: Connection, states: Sequence[GatewayState], *, now_ms: int) -> None:
    """Learn from states that have just come; a last will says nothing of the time."""
    found: dict[BootKey, Sequence[ClockOffset]] = {}
    for state in states:
        if not state.boot_id or not state.monotonic_ms or not state.time_ms:
            continue
        if state.clock_synced:
            offset = stated_offset(
                time_ms=state.time_ms, monotonic_ms=state.monotonic_ms, source="synced_state"
            )
        else:
            offset = arrival_offset(received_ms=now_ms, monotonic_ms=state.monotonic_ms)
        found[(state.gateway, state.boot_id)] = [offset]
    note_offsets(connection, found, now_ms=now_ms)


def _forget_oldest(connection: Connection, gateway: str) -> None:
    newest = (
        select(boots.c.boot_id)
        .where(boots.c.gateway == gateway)
        .order_by(boots.c.updated_ms.desc(), boots.c.boot_id)
        .limit(BOOTS_PER_GATEWAY_MAX)
    )
    kept = list(connection.execute(newest).scalars())
    if len(kept) == BOOTS_PER_GATEWAY_MAX:
        connection.execute(
            delete(boots).where(boots.c.gateway == gateway, boots.c.boot_id.not_in(kept))
        )
