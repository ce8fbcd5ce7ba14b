"""Takes up count facts as they are posted, for the count that asked or a new one. Edge.

A fact belongs to the count that it names while that one is counted. Any other fact, without a
document or too late for it, opens an ad hoc count of its gateway or joins the one that is open:
what somebody counted is never lost.
"""

from dataclasses import replace

from sqlalchemy import Connection

from central.ledger.entries import CountPosted
from central.ledger.ledger import Posted
from central.ledger.state import append_events
from central.orders.counts.count_book import PREFIX
from central.orders.counts.count_rows import find_head, load_lines, open_ad_hoc, store_head
from central.orders.counts.counts import DEFAULT_RULES, OBSERVED, CountHead, CountLine
from central.storage import bulk, count_tables, tables

AD_HOC_MS_MAX = 24 * 3600 * 1000  # So long one takes up counts: nobody might ever finish it.
Lines = dict[int, tuple[CountLine, ...]]


def follow_counts(connection: Connection, posted: Posted) -> None:
    """Store the counts among the facts of a posting, and move their documents on."""
    # What a gateway says of another warehouse is a discrepancy, and no count of it.
    counted = [one for one in posted.counts if one.fact.warehouse == one.key.warehouse]
    if not counted:
        return
    heads: dict[str, CountHead] = {}
    lines: dict[str, Lines] = {}
    rows = []
    for one in counted:
        head = _head_of(connection, posted, one, heads)
        if head.code not in heads:
            lines[head.code] = load_lines(connection, head.code)
        of_count = one.fact.document == head.code
        round_no = min(one.fact.round, head.round) if of_count else 1
        if round_no >= head.round:
            head = replace(head, state=OBSERVED[head.state])
        heads[head.code] = head
        line_no = one.fact.document_line if of_count else 0
        asked = lines[head.code].get(round_no, ())
        part = next((line.part for line in asked if line.line == line_no), 0)
        rows.append(_row(one, head, round_no=round_no, line_no=line_no, part=part))
    bulk.insert_rows(connection, count_tables.count_observations, rows)
    for head in heads.values():
        store_head(connection, head)


def _head_of(
    connection: Connection, posted: Posted, one: CountPosted, heads: dict[str, CountHead]
) -> CountHead:
    code, warehouse, gateway = one.fact.document, one.key.warehouse, one.key.gateway
    asked = heads.get(code) or (find_head(connection, code) if code else None)
    if asked is not None and asked.warehouse == warehouse and asked.state in OBSERVED:
        return asked
    for head in heads.values():
        if head.kind == "ad_hoc" and head.gateway == gateway and head.state == "counting":
            return head
    there = open_ad_hoc(
        connection, warehouse=warehouse, gateway=gateway, since_ms=posted.now_ms - AD_HOC_MS_MAX
    )
    return there or _opened(connection, one, now_ms=posted.now_ms)


def _opened(connection: Connection, one: CountPosted, *, now_ms: int) -> CountHead:
    """Return a new ad hoc count; it is stored with the observation."""
    head = CountHead(
        code=_next_code(connection),
        warehouse=one.key.warehouse,
        kind="ad_hoc",
        state="counting",
        blind=True,
        round=1,
        rules=DEFAULT_RULES,
        plan="",
        gateway=one.key.gateway,
        note="",
        reason="",
        created_by=one.fact.operator or one.key.gateway,
        created_ms=now_ms,
        released_ms=now_ms,
        finished_ms=0,
        ended_by="",
        ended_ms=0,
        version=0,
    )
    _note_opened(connection, head)
    return head


def _next_code(connection: Connection) -> str:
    table = tables.object_numbers
    rows = list(bulk.select_by_key(connection, table, [(PREFIX,)], columns_count=1))
    number = (rows[0][1] if rows else 0) + 1
    bulk.upsert_rows(connection, table, [(PREFIX, number)])
    return f"{PREFIX}-{number:06d}"


def _note_opened(connection: Connection, head: CountHead) -> None:
    # No change at the desk is under way: facts of its own always name a count that is there.
    row = ("count", head.code, "opened", head.warehouse, head.created_by)
    append_events(connection, [(*row, head.created_ms, "{}")])


def _row(one: CountPosted, head: CountHead, *, round_no: int, line_no: int, part: int) -> bulk.Row:
    fact = one.fact
    return (
        *one.key,
        head.code,
        round_no,
        line_no,
        part,
        one.record_no,
        fact.event_time_ms,
        fact.location,
        fact.item,
        fact.lot,
        fact.serial,
        fact.sscc,
        one.unit,
        fact.expiry_date,
        one.quantity_micro,
        one.book_micro,
        fact.operator,
        fact.station,
    )
