"""Transfers between warehouses as documents. Edge of the database."""

from collections.abc import Sequence

from central.api.transfer_answers import transfer_head_out, transfer_out, under_way_out
from central.orders.document_lists import open_discrepancies_of
from central.orders.transfers.transfer_store import find_transfers, load_transfer
from central.orders.transfers.transfer_transit import list_under_way
from central.orders.transfers.transfer_views import read_detail
from central.web.documents.kinds import ActionOf, Connection, DocumentKind, Read, TableOf
from central.web.documents.parts import Values
from central.web.words import marked

THINGS_SHOWN_MAX = 200


def read_heads(connection: Connection, codes: Sequence[str], now_ms: int) -> list[Values]:
    """Return transfers without their lines, each with how many discrepancies of it are open."""
    found = find_transfers(connection, codes)
    open_ones = open_discrepancies_of(connection, tuple(found))
    return [
        transfer_head_out(found[code], now_ms=now_ms).model_dump()
        | {"discrepancies": open_ones.get(code, 0), "strayed": found[code].strayed}
        for code in sorted(found)
    ]


def _whole(connection: Connection, values: Values, now_ms: int) -> Read:
    transfer = load_transfer(connection, values["code"])
    out = transfer_out(read_detail(connection, transfer), now_ms=now_ms).model_dump()
    under_way = list_under_way(connection, transfer, after=None, limit=THINGS_SHOWN_MAX)
    things = [under_way_out(one, now_ms=now_ms).model_dump() for one in under_way]
    for one in things:
        came = (f"{part['quantity']} {part['warehouse']}" for part in one["received"])
        one["received"] = ", ".join(came)
    whole = {**values, **out, "things": things, "facts": _facts(things)}
    lines = [line | {"quantity": line["requested"]} for line in out["lines"]]
    return Read(
        whole,
        {"edit": whole | {"lines": lines}, "close": {"closings": _closings(things)}},
        warehouse="",
    )


def _closings(things: Sequence[Values]) -> list[Values]:
    """Return what has to be said of what is under way, but for why."""
    return [
        {
            **{name: one[name] for name in ("item", "lot", "serial", "unit")},
            "quantity": one["under_way"].lstrip("-"),
            "reason": "found" if one["under_way"].startswith("-") else None,
        }
        for one in things
        if one["under_way"] != "0"
    ]


def _facts(things: Sequence[Values]) -> list[Values]:
    """Return the facts behind what is under way, as rows of one table."""
    return [
        fact | {"item": one["item"], "lot": one["lot"], "unit": one["unit"]}
        for one in things
        for fact in one["facts"]
    ]


def _waits(values: Values) -> bool:
    """Return whether goods can be set aside now, and something still has to leave."""
    return "reserve" in values["actions"] and any(one["to_ship"] != "0" for one in values["lines"])


def _links(values: Values) -> tuple[tuple[str, str], ...]:
    if not values.get("discrepancies"):
        return ()
    return ((f"/discrepancies?document={values['code']}", marked("Open discrepancies")),)


TRANSFER = DocumentKind(
    name="transfer",
    path="/transfers",
    api="/api/v1/transfers/{code}",
    title=marked("Transfer"),
    new_title=marked("New transfer"),
    create="/api/v1/transfers",
    facts=(
        *("source_warehouse", "destination_warehouse", "under_way_since", "under_way_days"),
        *("created_by", "created_time", "requested_by", "approved_by", "released_time"),
        *("second_person", "backorders", "stale", "ended_time", "ended_reason", "note"),
    ),
    tables=(
        TableOf(
            "lines",
            marked("Lines"),
            (
                *(
                    "line",
                    "item",
                    "lot",
                    "requested",
                    "reserved",
                    "backorder",
                    "shipped",
                    "to_ship",
                ),
                *("received", "damaged", "elsewhere", "remainder"),
                *("from_location", "to_location"),
            ),
            wide=frozenset(
                {"line", "lot", "backorder", "to_ship", "damaged", "from_location", "to_location"}
            ),
            empty=marked("No lines."),
        ),
        TableOf(
            "picks",
            marked("Set aside"),
            ("line", "item", "location", "lot", "serial", "sscc", "quantity", "picked"),
            wide=frozenset({"line", "picked"}),
            seen_at="source_warehouse",
        ),
        TableOf(
            "things",
            marked("Under way: shipped less received less accounted for"),
            (
                *("item", "lot", "serial", "shipped", "received", "closed", "under_way", "unit"),
                *("since", "days"),
            ),
            wide=frozenset({"lot", "serial", "closed", "unit", "since"}),
        ),
        TableOf(
            "facts",
            marked("Facts behind what is under way"),
            (
                *("event_time", "item", "lot", "quantity", "warehouse", "location", "sscc"),
                *("operator", "fact"),
            ),
            wide=frozenset({"lot", "location", "sscc", "operator", "fact"}),
        ),
        TableOf(
            "unasked",
            marked("Moved, and no line asks for it"),
            ("item", "shipped", "received", "unit"),
        ),
        TableOf(
            "closings",
            marked("What became of it"),
            (
                *("item", "lot", "serial", "quantity", "reason", "location", "note", "actor"),
                *("time", "fact"),
            ),
            wide=frozenset({"lot", "serial", "location", "actor", "fact"}),
        ),
    ),
    read_many=read_heads,
    read_whole=_whole,
    actions=(
        ActionOf("edit", method="PATCH", there={"quantity": "requested"}),
        ActionOf("release", taken_at="source_warehouse"),
        ActionOf("reserve", taken_at="source_warehouse", possible=_waits),
    ),
    links=_links,
    kinds=("movement", "discrepancy"),
)
