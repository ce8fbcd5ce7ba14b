"""When posted counts have said what is there. Edge of the database; writes nothing."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, RowMapping, and_, func, select

from central.orders.counts.count_judging import Thing
from central.storage import bulk
from central.storage.count_tables import THING, count_adjustments, count_results
from central.storage.tables import facts


def results_of(
    connection: Connection, things: Iterable[Thing], *, warehouse: str
) -> Iterator[tuple[Thing, RowMapping]]:
    """Yield what posted counts have set right, or found right, of things; maybe of others, too."""
    places = sorted({(thing.location, thing.item) for thing in things})
    for start in range(0, len(places), bulk.KEYS_PER_SELECT_MAX):
        chunk = places[start : start + bulk.KEYS_PER_SELECT_MAX]
        query = select(count_results).where(
            count_results.c.warehouse == warehouse,
            count_results.c.location.in_({location for location, _ in chunk}),
            count_results.c.item.in_({item for _, item in chunk}),
            count_results.c.outcome.in_(("matched", "adjusted")),
        )
        for row in connection.execute(query).mappings():
            yield Thing(*(row[name] for name in THING)), row


def counted_at(
    connection: Connection, things: Iterable[Thing], *, warehouse: str
) -> dict[Thing, list[tuple[int, str]]]:
    """Return when posted counts have counted things, in milliseconds, and which; of others, too."""
    found: dict[Thing, list[tuple[int, str]]] = {}
    for thing, row in results_of(connection, things, warehouse=warehouse):
        found.setdefault(thing, []).append((row["event_time_ms"], row["count"]))
    return found


def adjusted_last(connection: Connection, codes: Iterable[str]) -> dict[Thing, int]:
    """Return the last record by which any of these counts has put things right."""
    own, every = count_adjustments.c, sorted(set(codes))
    names = [own[name] for name in THING]
    key = ("warehouse", "gateway", "epoch", "seq")
    found: dict[Thing, int] = {}
    for start in range(0, len(every), bulk.KEYS_PER_SELECT_MAX):
        query = (
            select(*names, func.max(facts.c.record_no))
            .join(facts, and_(*(facts.c[name] == own[name] for name in key)))
            .where(own["count"].in_(every[start : start + bulk.KEYS_PER_SELECT_MAX]))
            .group_by(*names)
        )
        for row in connection.execute(query):
            thing = Thing(*row[:-1])
            found[thing] = max(row[-1], found.get(thing, 0))
    return found
