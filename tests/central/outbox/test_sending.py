"""What gateways are told of stock, reference data and orders, on both databases."""

import pytest

from central.contract.errors import ContractError
from central.contract.notices import (
    LabelField,
    PrintRequested,
    ReferenceChanged,
    Setting,
    SettingsChanged,
    StockChanged,
)
from central.contract.topics import shard_of
from central.contract.wire_types import EpochSeq
from central.inbox.gateways import enrol_gateway
from central.outbox import changes, orders
from central.outbox.desk import Work, write_work
from central.outbox.notices import read_stream
from central.outbox.snapshot import REUSE_S
from central.storage import tables
from tests.central.outbox.scenes import Outbox, Told, new_name
from tests.central.scenery import REFERENCE, FixedClock, Gateway, furnished, load, rows

ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def served(database, *gateways):
    """(outbox, inbox, told ...) with every gateway at its snapshot."""
    told = [Told(gateway) for gateway in gateways or [Gateway()]]
    inbox = furnished(database, *(one.facts for one in told))
    outbox = Outbox(database, *told)
    for one in told:
        outbox.load(one)
    outbox.settle()
    return outbox, inbox, *told


def levels(notice):
    return [(one.location, one.item, one.on_hand_micro) for one in notice.levels]


def position(gateway, seq):
    epoch = gateway.epoch
    return EpochSeq(start_count=epoch.start_count, nonce=epoch.nonce, seq=seq)


def test_a_gateway_is_told_of_stock_with_its_own_positions(database):
    outbox, inbox, told, other = served(database, Gateway("sh1-dock-1"), Gateway("sh1-dock-2"))
    told.facts.move("BOLT", "5")
    told.facts.move("BOLT", "2", source="BIN-1", target="BIN-2")
    inbox.accept([told.facts.offer()])
    outbox.settle()
    (mine,), (theirs,) = told.applied, other.applied
    assert (
        levels(mine)
        == levels(theirs)
        == [
            ("BIN-1", "BOLT", 3_000_000),
            ("BIN-2", "BOLT", 2_000_000),
        ]
    )
    assert (mine.revision, mine.final, mine.positions) == (2, True, (position(told.facts, 2),))
    assert (theirs.revision, theirs.positions) == (2, ())


def test_a_level_that_comes_to_nothing_is_told_as_zero(database):
    outbox, inbox, told = served(database)
    told.facts.move("BOLT", "5")
    told.facts.move("NUT", "3")
    inbox.accept([told.facts.offer()])
    outbox.settle()
    told.facts.move("BOLT", "5", source="BIN-1", target="customer")
    inbox.accept([told.facts.offer(3)])
    outbox.settle()
    assert [levels(one) for one in told.applied] == [
        [("BIN-1", "BOLT", 5_000_000), ("BIN-1", "NUT", 3_000_000)],
        [("BIN-1", "BOLT", 0)],
    ]


def test_facts_without_stock_move_the_position_alone(database):
    outbox, inbox, told, other = served(database, Gateway("sh1-dock-1"), Gateway("sh1-dock-2"))
    told.facts.print_label()
    inbox.accept([told.facts.offer()])
    outbox.settle()
    assert [(one.levels, one.positions) for one in told.applied] == [
        ((), (position(told.facts, 1),))
    ]
    assert other.applied == []


def test_another_warehouse_is_nobodys_business(database):
    outbox, inbox, told, other = served(
        database, Gateway("sh1-dock-1"), Gateway("bj1-dock-1", warehouse="BJ1")
    )
    told.facts.move("BOLT", "5")
    inbox.accept([told.facts.offer()])
    outbox.settle()
    assert told.kinds() == ["StockChanged"] and other.applied == []


def test_what_changes_while_a_notice_is_under_way_becomes_one_notice(database):
    outbox, inbox, told = served(database)
    for count in range(1, 8):
        told.facts.move("BOLT", "1")
        inbox.accept([told.facts.offer(count)])
        outbox.clock.time_ms += 250
        outbox.sending.work(outbox.now_s)
    assert len(outbox.messages) == 1
    outbox.settle()
    assert [levels(one)[0][2] for one in told.applied] == [1_000_000, 7_000_000]
    assert told.applied[-1].positions == (position(told.facts, 7),)


def test_much_stock_is_cut_and_the_last_piece_is_final(database):
    outbox, inbox, told = served(database)
    for number in range(1500):
        told.facts.move("BOLT", "1", lot=f"LOT-{number:04d}")
    for first in range(1, 1500, 300):
        inbox.accept([told.facts.offer(first, first + 299)])
    outbox.settle()
    assert [(len(one.levels), one.final, one.revision) for one in told.applied] == [
        (1000, False, 1500),
        (500, True, 1500),
    ]
    assert all(one.positions == (position(told.facts, 1500),) for one in told.applied)


def test_a_gateway_that_was_away_is_told_what_changed_meanwhile(database):
    outbox, inbox, told = served(database)
    before = told.number
    for count in (1, 2, 3):
        told.facts.move("BOLT", "1")
        inbox.accept([told.facts.offer(count)])
    outbox.restart()
    outbox.turn()
    assert told.number == before, "it was not heard since, and does not say that it is online"
    outbox.hear(told)
    outbox.settle()
    assert [levels(one) for one in told.applied] == [[("BIN-1", "BOLT", 3_000_000)]]


def test_new_reference_data_is_told_as_what_changed_of_the_own_warehouse(database):
    outbox, _, told, other = served(
        database, Gateway("sh1-dock-1"), Gateway("bj1-dock-1", warehouse="BJ1")
    )
    changed = (
        REFERENCE.replace(b"revision = 1", b"revision = 2")
        .replace(b'name = "Nut"', b'name = "Wing nut"')
        .replace(b'  { code = "BIN-3", kind = "bin" },\n', b'  { code = "BIN-4", kind = "bin" },\n')
        .replace(b'quantity = "100"', b'quantity = "120"')
    )
    load(database, changed)
    outbox.settle()
    (mine,), (theirs,) = told.applied, other.applied
    assert isinstance(mine, ReferenceChanged) and (mine.revision, mine.final) == (2, True)
    assert [item.name for item in mine.items] == ["Wing nut"]
    assert [place.code for place in mine.locations] == ["BIN-4"]
    assert mine.gone_locations == ("BIN-3",)
    assert [document.lines[0].quantity for document in mine.documents] == ["120"]
    assert [item.name for item in theirs.items] == ["Wing nut"]
    assert (theirs.locations, theirs.documents) == ((), ())


def test_orders_are_told_in_their_order(database):
    outbox, _, told, other = served(database, Gateway("sh1-dock-1"), Gateway("sh1-dock-2"))
    outbox.order(orders.change_settings, told.code, [Setting("language", "zh")])
    assert outbox.order(orders.put_template, "bin", 'a = "1"') == 2
    assert outbox.order(orders.put_template, "bin", 'a = "2"', gateway=told.code) == 1
    assert outbox.order(orders.put_template, "bin", 'a = "3"') == 1
    assert outbox.order(orders.put_template, "bin", 'a = "3"') == 0
    assert outbox.order(orders.remove_template, "bin", gateway=told.code) == 1
    assert outbox.order(orders.remove_template, "bin") == 2
    assert outbox.order(orders.remove_template, "bin") is None
    outbox.hear(told), outbox.hear(other)
    outbox.settle()
    assert told.applied[0] == SettingsChanged(settings=(Setting("language", "zh"),))
    assert [one.text for one in told.applied[1:]] == ['a = "1"', 'a = "2"', 'a = "3"', ""]
    assert [one.text for one in other.applied] == ['a = "1"', 'a = "3"', ""]


def test_a_job_is_printed_once_and_survives_a_new_stream(database):
    outbox, _inbox, told = served(database)
    request = PrintRequested(
        job="J-1", printer="", template="bin", fields=(LabelField("place", "BIN-1"),)
    )
    first = outbox.order(orders.request_print, told.code, request)
    again = outbox.order(orders.request_print, told.code, request)
    assert (first.changed, again.changed) == (True, False)
    outbox.clock.time_ms += (REUSE_S + 1) * 1000
    begun = told.stream
    outbox.load(told)
    outbox.settle()
    assert told.applied == [request] and told.number == 1 and told.stream != begun


@ONE_DATABASE
def test_settings_that_are_so_already_are_no_notice(database):
    outbox, _, told = served(database)
    settings = [Setting("language", "zh"), Setting("receive_location", "DOCK-1")]
    assert outbox.order(orders.change_settings, told.code, settings).changed
    assert not outbox.order(orders.change_settings, told.code, settings[::-1]).changed


@ONE_DATABASE
def test_a_setting_may_be_of_one_station_and_the_language_never_is(database):
    outbox, _, told = served(database)
    of_one = [Setting("receive_location@dock-2", "DOCK-2")]
    assert outbox.order(orders.change_settings, told.code, of_one).changed
    too_long = "pallet_template@" + "x" * 60
    for name in ("language@dock-2", "receive_location@", "paths@dock-2", too_long):
        with pytest.raises(ContractError):
            outbox.order(orders.change_settings, told.code, [Setting(name, "zh")])


@ONE_DATABASE
@pytest.mark.parametrize("forged", ["key", "name", "said", "bytes", "stranger"])
def test_a_forged_acknowledgement_moves_nothing_and_is_counted(database, forged):
    outbox, _inbox, told, other = served(database, Gateway("sh1-dock-1"), Gateway("sh1-dock-2"))
    outbox.order(orders.change_settings, told.code, [Setting("language", "zh")])
    outbox.sending.work(outbox.now_s)
    message = {
        "key": told.ack(number=1, key=other.facts.key),
        "name": other.ack(stream=told.stream, number=1),
        "said": told.ack(number=1, gateway="sh1-dock-9"),
        "bytes": told.ack(number=1)[:-7],
        "stranger": told.ack(number=1),
    }[forged]
    outbox.sending.take_ack("nobody" if forged == "stranger" else told.code, message, outbox.now_s)
    outbox.sending.work(outbox.now_s)
    with database.read() as connection:
        assert read_stream(connection, told.code).acked == 0
    counted = {"bytes": "unreadable", "stranger": "of_strangers"}.get(forged, "forged")
    assert outbox.sending.counters[f"acks_{counted}_total"] == 1


@ONE_DATABASE
def test_acknowledged_notices_are_forgotten_but_the_newest(database):
    outbox, inbox, told = served(database)
    for count in range(1, 31):
        told.facts.move("BOLT", "1")
        inbox.accept([told.facts.offer(count)])
        outbox.turn()
        outbox.turn()
    outbox.settle()
    kept = [number for _, number in rows(database, tables.notices, "gateway", "number")]
    assert told.number >= 25 and kept == list(range(told.number - 15, told.number + 1))


def test_a_new_generation_of_the_ledger_begins_another_stream(database):
    outbox, _inbox, told = served(database)
    begun = told.stream
    with database.write() as connection:
        connection.execute(
            tables.ledger_state.update()
            .where(tables.ledger_state.c.key == "generation")
            .values(value="generation-2")
        )
    outbox.clock.time_ms += 20_000
    for _ in range(5):
        outbox.turn(loads=True)
    outbox.settle()
    assert told.stream != begun and told.snapshot.generation == "generation-2"


def test_another_warehouse_begins_another_stream(database):
    outbox, _inbox, told = served(database)
    enrol_gateway(
        database,
        gateway=told.code,
        site="demo",
        warehouse="BJ1",
        public_key=told.facts.public_key,
        clock=FixedClock(),
    )
    outbox.clock.time_ms += 20_000
    for _ in range(5):
        outbox.turn(loads=True)
    assert told.snapshot.warehouse == "BJ1"
    assert [one.code for one in told.snapshot.reference.warehouses] == ["BJ1"]


def test_a_ledger_that_forgot_what_it_said_begins_another_stream(database):
    outbox, _inbox, told = served(database)
    told.number = 99
    begun = told.stream
    outbox.hear(told)
    outbox.clock.time_ms += 20_000
    for _ in range(5):
        outbox.turn(loads=True)
    assert told.stream != begun


def test_a_gateway_that_lost_everything_is_asked_and_begins_anew(database):
    outbox, inbox, told = served(database)
    told.facts.move("BOLT", "5")
    inbox.accept([told.facts.offer()])
    outbox.settle()
    told.stream, told.number = "long-ago", 7
    outbox.hear(told)
    outbox.clock.time_ms += 20_000
    for _ in range(5):
        outbox.turn(loads=True)
    assert levels(told.snapshot) == [("BIN-1", "BOLT", 5_000_000)]
    assert told.snapshot.positions == (position(told.facts, 1),)


def test_only_the_worker_of_the_shard_sends(database):
    gateways = [Gateway(f"sh1-dock-{number}") for number in range(1, 5)]
    outbox, inbox, *told = served(database, *gateways)
    mine = told[0]
    outbox.restart(shards={shard_of(mine.code)})
    for one in told:
        outbox.hear(one)
    mine.facts.move()
    inbox.accept([mine.facts.offer()])
    outbox.settle()
    others = [one for one in told if shard_of(one.code) != shard_of(mine.code)]
    assert mine.kinds() == ["StockChanged"] and others and not any(one.applied for one in others)


def test_two_workers_that_overlap_make_one_numbering(database):
    outbox, inbox, told = served(database)
    second = Outbox(database, told)
    second.clock = outbox.clock
    second.restart()
    for count in range(1, 13):
        told.facts.move("BOLT", "1")
        inbox.accept([told.facts.offer(count)])
        outbox.sending.take_ack(told.code, told.ack(), outbox.now_s)
        second.sending.take_ack(told.code, told.ack(), outbox.now_s)
        outbox.turn(1.1)
        second.turn(0.3)
    outbox.settle()
    assert [type(one) for one in told.applied] == [StockChanged] * len(told.applied)
    revisions = [one.revision for one in told.applied]
    assert revisions == sorted(set(revisions)) and revisions[-1] == 12


def test_what_was_noticed_meanwhile_is_not_noticed_twice(database):
    outbox, inbox, told = served(database)
    told.facts.move()
    inbox.accept([told.facts.offer()])
    with database.read() as connection:
        row = read_stream(connection, told.code)
        work = Work(
            changes=changes.read_changes(connection, [changes.Told(row, row.stock_revision)])
        )
    assert work.changes[0].stock
    for _ in range(2):
        with database.write() as connection:
            write_work(connection, work, now_ms=outbox.clock.now_ms(), new_name=new_name)
        assert rows(database, tables.notice_streams, "next_number") == [(row.next_number + 1,)]


@ONE_DATABASE
def test_a_gateway_away_for_long_costs_bounded_room(database):
    outbox, _, told = served(database)
    for number in range(80):
        text = f'a{number} = "{"x" * 60_000}"'
        outbox.order(orders.put_template, f"t-{number % 20}", text)
    held = sum(len(body) for _, body in rows(database, tables.notices, "number", "body"))
    assert held < 5 * 1024 * 1024
    with database.read() as connection:
        assert not read_stream(connection, told.code).has_snapshot
    outbox.clock.time_ms += 20_000
    outbox.hear(told)
    for _ in range(5):
        outbox.turn(loads=True)
    outbox.settle()
    assert len(told.snapshot.templates) == 20
    assert all(one.text.startswith(("a6", "a7")) for one in told.snapshot.templates)
