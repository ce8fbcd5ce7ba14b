"""How far gateways said that their epochs go, for when a card is lost. Edge of the database."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from central.contract.errors import ContractError
from central.contract.identifiers import parse_epoch
from central.contract.states import GatewayState
from central.storage import bulk
from central.storage.tables import epoch_heads, positions

# Of one gateway; states are not signed, so anyone at the broker could make epochs up.
EPOCHS_PER_GATEWAY_MAX = 16


def note_heads(connection: Connection, states: Sequence[GatewayState]) -> None:
    """Keep the heads that states name; an epoch that is committed so far is forgotten."""
    stated = {(state.gateway, state.epoch): state.head_seq for state in states if _says_head(state)}
    if not stated:
        return
    known = {
        (row[0], row[1]): row[2]
        for row in bulk.select_by_key(connection, epoch_heads, sorted(stated), columns_count=2)
    }
    changed = {key: head for key, head in stated.items() if head > known.get(key, 0)}
    bulk.upsert_rows(
        connection, epoch_heads, [(*key, head) for key, head in sorted(changed.items())]
    )
    for gateway in sorted({gateway for gateway, epoch in changed if (gateway, epoch) not in known}):
        _tidy(connection, gateway)


def _says_head(state: GatewayState) -> bool:
    try:
        parse_epoch(state.epoch)
    except ContractError:
        return False
    return state.head_seq > 0


def _tidy(connection: Connection, gateway: str) -> None:
    """Forget what a new epoch of a gateway shows to be over, and what is too much."""
    heads, places = epoch_heads.c, positions.c
    done = (
        select(heads.epoch)
        .join(positions, (places.gateway == heads.gateway) & (places.epoch == heads.epoch))
        .where(heads.gateway == gateway, places.acked_seq >= heads.head_seq)
    )
    kept = (
        select(heads.epoch)
        .where(heads.gateway == gateway)
        .order_by(heads.epoch.desc())
        .limit(EPOCHS_PER_GATEWAY_MAX)
    )
    over = list(connection.execute(done).scalars())
    newest = list(connection.execute(kept).scalars())
    connection.execute(
        delete(epoch_heads).where(
            heads.gateway == gateway, heads.epoch.in_(over) | heads.epoch.not_in(newest)
        )
    )
