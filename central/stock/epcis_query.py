"""Which EPCIS events are asked for, by the parameters of EPCIS 2.0, 8.2.7.1. Pure.

An event is compared as it is told. To look into fewer facts, what the bytes of a fact must hold for
its event to be asked for is told beforehand: such a hint may let too many facts through, never too
few. What takes another fact back is told as that one, so hints say nothing of it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from central.stock.epcis import BUSINESS_STEPS, DISPOSITIONS, STEPS_KNOWN, EpcisEvent
from central.stock.epcis_names import LINK
from central.stock.times import utc_text

TEXTS_MAX = 20  # In a hint: each is looked for in every fact.
ANY: frozenset[str] = frozenset()
# Movements of which a step is told that is not their own, by what their bytes hold.
STEP_TEXTS = {
    "commissioning": ("production",),
    "destroying": ("scrap",),
    "receiving": ("transferring",),
} | {told: (ours,) for ours, told in BUSINESS_STEPS.items()}
STEP_KINDS = {
    "cycle_counting": ("count",),
    "entering_exiting": ("passage",),
    "packing": ("packing",),
    "unpacking": ("packing",),
}
DISPOSITION_TEXTS = {
    "in_transit": "in_transit",
    "unknown": "adjustment",
    "returned": "transferring",
} | {told: ours for ours, told in DISPOSITIONS.items()}


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events; what is empty or None asks for any.

    Times are milliseconds: from is in it, until is not. transactions: URIs of documents, by type.
    epcs: of which one is listed or packed; any_epcs: also as what it is in; parents: only so.
    """

    warehouse: str = ""
    event_from_ms: int | None = None
    event_until_ms: int | None = None
    record_from_ms: int | None = None
    record_until_ms: int | None = None
    types: frozenset[str] = ANY
    actions: frozenset[str] = ANY
    steps: frozenset[str] = ANY
    dispositions: frozenset[str] = ANY
    read_points: frozenset[str] = ANY
    locations: frozenset[str] = ANY
    transactions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    epcs: frozenset[str] = ANY
    any_epcs: frozenset[str] = ANY
    parents: frozenset[str] = ANY
    classes: frozenset[str] = ANY

    @property
    def is_plain(self) -> bool:
        """Return whether every event, of a warehouse at most, is asked for."""
        return self == EventQuery(warehouse=self.warehouse)


@dataclass(frozen=True, slots=True)
class Hint:
    """Facts that may be asked for hold one of these texts or are of one of these kinds.

    in_unit: goods in an SSCC, too. With nothing of it no fact is asked for.
    """

    texts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    in_unit: bool = False

    @property
    def is_none(self) -> bool:
        return not (self.texts or self.kinds or self.in_unit)


def is_asked(event: EpcisEvent, query: EventQuery) -> bool:
    """Return whether an event is one of those that are asked for."""
    children = {*event.epc_list, *event.child_epcs}
    amounts = (*event.quantity_list, *event.child_quantity_list)
    parent = {event.parent_id} if event.parent_id else set()
    documents = event.biz_transaction_list
    return (
        _is_within(event.event_time, query.event_from_ms, query.event_until_ms)
        and _is_within(event.record_time, query.record_from_ms, query.record_until_ms)
        and _is_one(query.types, {event.type})
        and _is_one(query.actions, {event.action})
        and _is_one(query.steps, {event.biz_step})
        and _is_one(query.dispositions, {event.disposition})
        and _is_one(query.read_points, {event.read_point.id} if event.read_point else ())
        and _is_one(query.locations, {event.biz_location.id} if event.biz_location else ())
        and all(
            _is_one(uris, {one.transaction for one in documents if one.type == kind})
            for kind, uris in query.transactions.items()
        )
        and _is_one(query.epcs, children)
        and _is_one(query.any_epcs, children | parent)
        and _is_one(query.parents, parent)
        and _is_one(query.classes, {one.epc_class for one in amounts})
    )


def hints_of(
    query: EventQuery, *, base: str, items_of: Callable[[str], Collection[str]]
) -> list[Hint]:
    """Return what is known beforehand of facts that may be asked for; all of it holds.

    base: as in `Naming`. items_of: which items a GTIN was ever of, as digits.
    """
    named = (query.epcs, query.any_epcs, query.parents, query.classes)
    hints = [
        *(_texts(_goods_texts(uri, base, items_of) for uri in some) for some in named if some),
        *(
            _texts(_own(uri, base, "document") for uri in some)
            for some in query.transactions.values()
        ),
        *(_place_hint(some, base) for some in (query.read_points, query.locations) if some),
        _step_hint(query.steps) if query.steps else None,
        _texts([(DISPOSITION_TEXTS[one],) for one in query.dispositions & {*DISPOSITION_TEXTS}])
        if query.dispositions
        else None,
        _type_hint(query.types) if query.types else None,
        Hint(("scrap", "adjustment"), ("packing",)) if query.actions == {"DELETE"} else None,
    ]
    return [hint for hint in hints if hint is not None and len(hint.texts) <= TEXTS_MAX]


def _is_one(wanted: frozenset[str], said: Iterable[str]) -> bool:
    return not wanted or not wanted.isdisjoint(said)


def _is_within(said: str, from_ms: int | None, until_ms: int | None) -> bool:
    """Compare texts of one form; a time beyond the year 9999 is told as its end."""
    since, until = (None if one is None else utc_text(one) for one in (from_ms, until_ms))
    return (since is None or said >= since) and (until is None or said < until)


def _texts(found: Iterable[tuple[str, ...]]) -> Hint:
    return Hint(tuple(sorted({text for texts in found for text in texts})))


def _own(uri: str, base: str, kind: str) -> tuple[str, ...]:
    """Return the last part of a URI of ours of one kind, as facts have it; empty if it is none."""
    head = f"{base}/{kind}/"
    if not uri.startswith(head):
        return ()
    return (unquote(uri.removeprefix(head).rpartition("/")[2]),)


def _goods_texts(
    uri: str, base: str, items_of: Callable[[str], Collection[str]]
) -> tuple[str, ...]:
    """Return what a fact about some goods may hold: a number of theirs, else their item."""
    for head in (f"{LINK}/", f"{base}/item/"):
        if uri.startswith(head):
            parts = uri.removeprefix(head).split("/")
            break
    else:
        return ()
    if len(parts) in (2, 4) and head == f"{LINK}/":
        key, *rest = parts
        if key == "00":
            return (rest[0],)
        return (unquote(rest[-1]),) if len(rest) > 1 else tuple(items_of(rest[0]))
    return (unquote(parts[-1]),) if len(parts) in (1, 3) else ()


def _place_hint(uris: frozenset[str], base: str) -> Hint:
    texts = _texts(_own(uri, base, "place") for uri in uris).texts
    # A station without a name packs at "station", which no fact says.
    return Hint(texts, ("packing",) if "station" in texts else ())


def _step_hint(steps: frozenset[str]) -> Hint | None:
    if "other" in steps:
        return None  # Whatever is no word of the vocabulary.
    texts = {text for step in steps for text in STEP_TEXTS.get(step, ())}
    kinds = {kind for step in steps for kind in STEP_KINDS.get(step, ())}
    return Hint(tuple(sorted(texts | (steps & STEPS_KNOWN))), tuple(sorted(kinds)))


def _type_hint(types: frozenset[str]) -> Hint | None:
    if types & {"ObjectEvent", "TransactionEvent"}:
        return None
    return Hint((), ("packing",), in_unit=True) if "AggregationEvent" in types else Hint()
