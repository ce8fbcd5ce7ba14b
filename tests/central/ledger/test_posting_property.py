"""However facts are cut into calls, and whatever they say, the same stands in the ledger."""

from fractions import Fraction
from itertools import groupby, pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from central.contract.facts import NO_HEAD, Movement, Reversal
from central.ledger import reading
from central.ledger.bookkeeping import Bookkeeper, Goods, Targets
from central.ledger.entries import ExpectedLine, FactKey, Known
from central.ledger.ledger import Ledger
from central.ledger.packing import PackingBook
from central.ledger.reading import read_facts
from central.ledger.running import RunningBooks
from central.ledger.runs import Run
from central.ledger.state import lock_ledger, read_state
from central.ledger.verify import verify_ledger
from central.storage import bulk, tables
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.central.scenery import NOW_MS, Gateway, load, rows, set_packs, set_policy, sscc
from tests.postgresql import new_database

# The reference data asks for harmless codes; a movement may name any.
ODD_ITEMS = [
    ("{,}\\\"'", "odd", "", "C62", "piece", False, "file"),
    ("NULL", "null", "", "C62", "piece", False, "file"),
]
ODD_PLACES = [("SH1", 'B"{\\N,', "bin", "file"), ("SH1", "NULL", "bin", "file")]
OUTWARD = {"SO-1": "shipment", "TR-1": "transfer_out"}
OUTWARD_ROWS = [("SH1", code, kind, "", "file", "", 1) for code, kind in OUTWARD.items()]
OUTWARD_LINES = [("SH1", code, 1, "BOLT", 5_000_000, 0, "", "", "") for code in OUTWARD]
TABLES = (
    tables.lots,
    tables.handling_units,
    tables.facts,
    tables.lines,
    tables.balances,
    tables.document_progress,
    tables.reversals,
    tables.discrepancies,
    tables.ledger_state,
)
BINS = ["BIN-1", 'B"{\\N,', "NULL", "BIN-9", "螺"]
PLACES = [*BINS, "supplier", "customer", "adjustment", "in_transit"]
ITEMS = ["BOLT", "BOLT", "RICE", "{,}\\\"'", "NULL", "UNKNOWN", "{}"]
QUANTITIES = ["1", "1", "2", "100", "2.5", "0.000001", "0.7", "9999999999"]
STATUSES = st.sampled_from(["", "", "", "available", "inspection", "held", "rejected"])
TEXTS = st.sampled_from(["", "", "", "L1", "NULL", '"', "\\", "a,b", "{", "''", "\t\n", "\u0301é"])


@st.composite
def movements(draw):
    return {
        "item": draw(st.sampled_from(ITEMS)),
        "quantity": draw(st.sampled_from(QUANTITIES)),
        "source": draw(st.sampled_from(["supplier", *PLACES])),
        "target": draw(st.sampled_from(["BIN-1", *PLACES])),
        "unit": draw(st.sampled_from(["C62", "C62", "KGM", "GRM", "LBR", "CT"])),
        "lot": draw(TEXTS),
        "serial": draw(TEXTS),
        "expiry_date": draw(st.sampled_from(["", "", "2027-01-31"])),
        "document": draw(st.sampled_from(["", "", "PO-1", "SO-1", "TR-1", "PO\\9"])),
        "net_weight": draw(st.sampled_from(["", "", "2.5", "0.001"])),
        "weight_unit": draw(st.sampled_from(["KGM", "GRM", "C62"])),
        "from_status": draw(STATUSES),
        "to_status": draw(STATUSES),
        "document_line": draw(st.integers(0, 3)),
        "flags": draw(st.sampled_from([(), ("outside_tolerance",)])),
        "clock_synced": draw(st.booleans()),
        "warehouse": draw(st.sampled_from(["SH1"] * 8 + ["BJ1"])),
    }


PLAIN = st.builds(
    lambda source, target, quantity: {"source": source, "target": target, "quantity": quantity},
    st.sampled_from(["supplier", "supplier", "customer", "BIN-1"]),
    st.sampled_from(BINS),
    st.sampled_from(QUANTITIES),
)
COUNTS = st.builds(
    lambda location, item, unit: {"location": location, "item": item, "unit": unit},
    st.sampled_from(BINS),
    st.sampled_from(ITEMS),
    st.sampled_from(["C62", "KGM", "GRM"]),
)
PACKINGS = st.tuples(st.sampled_from(["pack", "unpack"]), st.permutations(range(4)))
BYTES = [b"", b"\xc1", b"\x93\x01\xed\xa0\x80", b"\0", bytes(70)]
REVERSALS = st.tuples(st.just("reverse"), st.tuples(st.integers(0, 2), st.integers(0, 40)))
SAYINGS = st.one_of(
    st.tuples(st.just("move"), PLAIN),
    st.tuples(st.just("move"), PLAIN),
    st.tuples(st.just("move"), movements()),
    st.tuples(st.just("bent"), st.sampled_from(["seq", "nul", "surrogate", "zero", "cut"])),
    st.tuples(st.just("say"), st.sampled_from(BYTES)),
    st.tuples(st.just("flood"), st.sampled_from(BINS)),
    st.tuples(st.just("count"), COUNTS),
    st.tuples(st.just("pack"), PACKINGS),
    st.tuples(st.sampled_from(["weigh", "print_label", "pass_by"]), st.just({})),
    REVERSALS,
    REVERSALS,
)
# Which of four epochs speaks, and what it says: three are of one gateway, in any order.
ONE = st.tuples(st.integers(0, 3), SAYINGS)
HISTORIES = st.integers(1, 30).flatmap(lambda size: st.lists(ONE, min_size=size, max_size=size))


def told(history):
    """Return the epochs, and (epoch, number) of every fact in the order of the history."""
    first = Gateway()
    epochs = [first, first.next_epoch(previous_head=NO_HEAD)]
    epochs.append(epochs[1].next_epoch(previous_head=NO_HEAD))
    epochs.append(Gateway("sh1-dock-2"))
    order = []
    for index, (kind, what) in history:
        before = len(epochs[index].bodies)
        _say(epochs, index, kind, what)
        order += [(index, seq + 1) for seq in range(before, len(epochs[index].bodies))]
    return epochs, order


def _say(epochs, index, kind, what):
    epoch = epochs[index]
    if kind == "reverse":
        other = epochs[what[0]]  # Mostly something that it said, else what it may say yet.
        epoch.reverse(1 + what[1] % (len(other.bodies) + 2), epoch=other.epoch)
    elif kind == "bent":
        epoch.say(_bent(epoch, what))
    elif kind == "say":
        epoch.say(what)
    elif kind == "flood":
        for _ in range(10):  # A balance holds ten times the most that one movement can move.
            epoch.move(quantity="9999999999", target=what)
    elif kind == "pack":
        action, (parent, *children) = what
        epoch.pack(sscc(parent), *map(sscc, children[1:]), action=action)
    elif kind == "move" and what.get("source", "supplier") == what.get("target"):
        epoch.move()
    else:
        getattr(epoch, kind)(**what)


def _bent(epoch, how):
    """Return a movement that is none, for one small reason."""
    other = Gateway(epoch.code, start_count=epoch.epoch.start_count)
    other.bodies = list(epoch.bodies)
    other.digests = list(epoch.digests)
    other.move(**({"seq": 77} if how == "seq" else {"lot": "\0"} if how == "nul" else {}))
    body = other.bodies[-1]
    if how == "surrogate":
        return body.replace(b"BIN-1", b"B\xed\xa0\x80-")
    if how == "zero":
        movement = msgspec.structs.replace(
            msgspec.msgpack.decode(body, type=Movement), quantity="0"
        )
        return msgspec.msgpack.encode(movement)
    return body[:-1] if how == "cut" else body


def post(database, ledger, epochs, order):
    """Post these facts in one call."""
    with database.write() as connection:
        state = lock_ledger(connection)
        runs = runs_of(epochs, order, record_no=state.record_no)
        opened = ledger.post(connection, state, runs, now_ms=NOW_MS)
        positions = [
            (epochs[index].code, str(epochs[index].epoch), "SH1", seq, epochs[index].digests[seq])
            for index, seq in dict(order).items()
        ]
        bulk.upsert_rows(
            connection, tables.positions, [(*row, NO_HEAD, 0, 0) for row in sorted(positions)]
        )
    return opened


def runs_of(epochs, order, *, record_no):
    """Return these facts as a call has them, numbered after `record_no`."""
    runs = []
    for _, run in groupby(order, key=lambda one: one[0]):
        (index, first), *_, (_, last) = list(run) * 2
        epoch = epochs[index]
        bodies, digests = epoch.bodies[first - 1 : last], epoch.digests[first : last + 1]
        where = ("SH1", epoch.code, str(epoch.epoch))
        read = read_facts(bodies, first_seq=first)
        runs.append(Run(*where, first, record_no + 1, bodies, digests, read))
        record_no += len(bodies)
    return runs


def posted(database, history, cuts):
    """Post a history from an empty ledger, cut before these facts; return what stands there."""
    with database.write() as connection:
        for table in (*TABLES[:-1], tables.positions):
            connection.execute(table.delete())
        connection.execute(
            text(
                "UPDATE ledger_state SET value = '0'"
                " WHERE key IN ('record_no', 'reversals_waiting_count', 'reference_revision')"
            )
        )
    load(database)
    with database.write() as connection:
        bulk.insert_rows(connection, tables.items, ODD_ITEMS)
        bulk.insert_rows(connection, tables.locations, ODD_PLACES)
        bulk.insert_rows(connection, tables.documents, OUTWARD_ROWS)
        bulk.insert_rows(connection, tables.document_lines, OUTWARD_LINES)
    set_policy(database, "RICE", inspected=True, weight_unit="GRM")
    set_policy(database, "NULL", expiry_tracked=True, serial_tracked=True)
    set_packs(database, "BOLT", CT=(7, 3))
    epochs, order = told(history)
    ledger = Ledger()
    bounds = sorted({0, len(order), *(cut % len(order) for cut in cuts)})
    opened = sum(
        post(database, ledger, epochs, order[start:end]) for start, end in pairwise(bounds)
    )
    assert verify_ledger(database).faults == ()
    assert waiting_as_counted(database)
    return opened, [rows(database, table) for table in TABLES]


def waiting_as_counted(database):
    with database.read() as connection:
        state = read_state(connection)
    known = set(rows(database, tables.facts, "warehouse", "gateway", "epoch", "seq"))
    named = rows(database, tables.reversals, "warehouse", "gateway", "epoch", "seq")
    return state.reversals_waiting_count == len([one for one in named if one not in known])


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def one_database(request, tmp_path_factory):
    """A ledger that each example empties itself."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('property') / 'ledger.db'}"
        opened = open_database(url)
        migrate(opened, generation="g")
        yield opened
        opened.close()
        return
    with new_database(request.getfixturevalue("postgresql_url"), "posting_property") as url:
        opened = open_database(url)
        migrate(opened, generation="g")
        yield opened
        opened.close()


def said(*sayings):
    """A history of the first epoch, or of the one named before a saying."""
    return [(one[0], one[1:]) if isinstance(one[0], int) else (0, one) for one in sayings]


def plain(source="supplier", target="BIN-1", quantity="1"):
    return {"source": source, "target": target, "quantity": quantity}


BELOW_ZERO = said(("move", plain()), ("move", plain("BIN-1", "NULL", "2")))
TOO_MUCH = said(("flood", "BIN-1"), ("move", plain("customer", quantity="100")))
TOO_LITTLE = said(("flood", "BIN-1"), ("move", plain(target="NULL", quantity="100")))
TAKEN_BACK = said(("move", plain()), ("reverse", (0, 0)), ("reverse", (0, 0)))
TAKEN_BACK_EARLY = said(
    (1, "reverse", (0, 0)), (0, "move", plain()), (1, "reverse", (0, 0)), (0, "move", plain())
)
NOT_AVAILABLE = said(
    ("move", plain() | {"to_status": "held"}),
    ("move", plain()),
    ("move", plain("BIN-1", "NULL", "2")),
    ("reverse", (0, 2)),
    ("move", plain() | {"item": "RICE", "unit": "KGM"}),
    ("move", plain("BIN-1", "customer") | {"item": "RICE", "unit": "KGM"}),
)
DATED = said(
    *(("move", plain() | {"lot": "L1", "expiry_date": f"2027-01-0{day}"}) for day in (1, 1, 2)),
    ("move", plain() | {"serial": "S1"}),
    ("move", plain(target="NULL") | {"serial": "S1"}),
)
UNWEIGHED = said(
    ("move", plain(quantity="100") | {"net_weight": "2.5", "weight_unit": "KGM"}),
    ("move", plain("BIN-1", "customer", "0.7")),
    ("move", plain("BIN-1", "NULL", "2") | {"unit": "CT"}),
    ("move", plain("BIN-1", "NULL", "0.000003") | {"unit": "CT"}),
    ("reverse", (0, 1)),
    ("move", plain("BIN-1", "customer")),
    ("move", plain("NULL", "customer", "100")),
)
LACKING = said(
    ("move", plain() | {"item": "NULL", "lot": "L1"}),
    ("move", plain() | {"item": "NULL", "lot": "L1", "expiry_date": "2020-01-31"}),
    ("move", plain() | {"item": "NULL", "lot": "L1"}),
    ("move", plain("BIN-1", "customer") | {"item": "NULL", "lot": "L1"}),
    ("move", plain("BIN-1", "customer") | {"item": "NULL", "lot": "L1"}),
    ("move", plain("BIN-1", "NULL") | {"item": "NULL"}),
)
OF_A_REVERSAL = said(
    (2, "reverse", (1, 0)), (0, "move", plain()), (1, "reverse", (0, 0)), (2, "reverse", (0, 0))
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    history=HISTORIES,
    cuts=st.lists(st.integers(0, 30), max_size=6),
    forgetful=st.booleans(),
)
@example(history=BELOW_ZERO, cuts=[], forgetful=False)
@example(history=TOO_MUCH, cuts=[], forgetful=False)
@example(history=TOO_LITTLE, cuts=[], forgetful=False)
@example(history=TAKEN_BACK, cuts=[], forgetful=False)
@example(history=TAKEN_BACK_EARLY, cuts=[2], forgetful=True)
@example(history=OF_A_REVERSAL, cuts=[2], forgetful=True)
@example(history=NOT_AVAILABLE, cuts=[2], forgetful=True)
@example(history=DATED, cuts=[2], forgetful=True)
@example(history=UNWEIGHED, cuts=[2], forgetful=True)
@example(history=LACKING, cuts=[2, 4], forgetful=True)
def test_what_stands_in_the_ledger_does_not_depend_on_the_calls(
    one_database, history, cuts, forgetful
):
    one_by_one = posted(one_database, history, range(len(history)))
    if forgetful:
        reading._sound_routes.clear()
        reading._sound_quantities.clear()
    assert posted(one_database, history, []) == one_by_one
    assert posted(one_database, history, cuts) == one_by_one


KNOWN = Known(
    item_units={"BOLT": "C62", "RICE": "KGM"} | {row[0]: row[3] for row in ODD_ITEMS},
    locations=frozenset({("SH1", "BIN-1"), *(row[:2] for row in ODD_PLACES)}),
    documents={
        ("SH1", "PO-1"): {1: ExpectedLine("BOLT", 100_000_000, 5_000_000)},
        ("SH1", "SO-1"): {1: ExpectedLine("BOLT", 5_000_000, 0)},
    },
    document_kinds={("SH1", "PO-1"): "receipt", ("SH1", "SO-1"): "shipment"},
    inspected_items=frozenset({"RICE"}),
    weight_units={"RICE": "GRM"},
    packs={"BOLT": {"CT": Fraction(7, 3)}},
)


def kept(history, *, quickly):
    """Everything that the bookkeeper notes of a history; without routes no movement is plain."""
    runs = runs_of(*told(history), record_no=0)
    facts = [(run, fact) for run in runs for fact in run.read.facts]
    named = frozenset(
        FactKey("SH1", run.gateway, fact.reverses_epoch, fact.reverses_seq)
        for run, fact in facts
        if isinstance(fact, Reversal)
    )
    routes = {route for run in runs for route in run.read.routes if route} if quickly else ()
    books = RunningBooks(KNOWN, balances={}, progress={})
    targets = Targets(named, {}, {})
    goods = Goods({}, PackingBook({}), {})
    keeper = Bookkeeper(KNOWN, books, sorted(routes), targets, goods, now_ms=NOW_MS, blob=bytes)
    for run in runs:
        keeper.post(run)
    return vars(keeper.noted), books.changed(), books.progress, books.progress_numbers


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORIES)
@example(history=BELOW_ZERO)
@example(history=TOO_MUCH)
@example(history=TOO_LITTLE)
@example(history=TAKEN_BACK_EARLY)
@example(history=NOT_AVAILABLE)
@example(history=DATED)
@example(history=UNWEIGHED)
def test_plain_movements_are_posted_as_the_rules_for_all_facts_would(history):
    assert kept(history, quickly=True) == kept(history, quickly=False)
