"""What a gateway begins with, who gets it, and in which pieces, on both databases."""

from contextlib import contextmanager
from threading import Thread

import pytest

from central.contract.errors import ContractError
from central.contract.notices import Setting
from central.contract.snapshots import decode_snapshot
from central.contract.wire_types import EpochSeq
from central.outbox import orders
from central.outbox.snapshot import (
    PAUSE_S,
    REUSE_S,
    TURN_S_MAX,
    WAITING_COUNT_MAX,
    Refusal,
    Snapshots,
    find_file,
    read_piece,
)
from central.storage import tables
from tests.central.outbox.scenes import LEDGER_KEY, Outbox, Told, new_name
from tests.central.scenery import Gateway, enrol, furnished, rows
from tests.waiting import wait_for


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def outbox(database, told):
    furnished(database, told.facts)
    return Outbox(database, told)


def test_it_holds_all_that_the_gateway_has_to_know(database, told):
    other = Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, told.facts, other)
    outbox = Outbox(database, told)
    told.facts.move("BOLT", "5")
    told.facts.move("NUT", "7")
    told.facts.move("NUT", "7", source="BIN-1", target="customer")
    other.move("BOLT", "9")
    inbox.accept([told.facts.offer(), other.offer()])
    outbox.order(orders.change_settings, told.code, [Setting("language", "zh")])
    outbox.order(orders.put_template, "bin", "a = 1")
    outbox.order(orders.put_template, "pallet", "a = 2")
    outbox.order(orders.put_template, "bin", "a = 3", gateway=told.code)
    snapshot = outbox.load(told)
    assert (snapshot.gateway, snapshot.warehouse, snapshot.number) == (told.code, "SH1", 0)
    assert (snapshot.generation, snapshot.revision) == ("generation-1", 4)
    assert [(*one.key[:2], one.on_hand_micro) for one in snapshot.levels] == [
        ("BIN-1", "BOLT", 5_000_000)
    ]
    epoch = told.facts.epoch
    assert snapshot.positions == (
        EpochSeq(start_count=epoch.start_count, nonce=epoch.nonce, seq=3),
    )
    reference = snapshot.reference
    assert [one.code for one in reference.warehouses] == ["SH1"]
    assert [one.code for one in reference.items] == ["BOLT", "NUT", "RICE"]
    assert [one.lines[0].tolerance_percent for one in reference.documents] == ["5"]
    assert [(one.name, one.text) for one in snapshot.templates] == [
        ("bin", "a = 3"),
        ("pallet", "a = 2"),
    ]
    assert snapshot.settings == (Setting("language", "zh"),)
    outbox.settle()
    assert told.applied == []


def test_a_ledger_without_reference_data_says_so(database, told):
    enrol(database, told.facts)
    outbox = Outbox(database, told)
    assert outbox.load(told).reference is None


@pytest.mark.parametrize("wrong", ["key", "stranger", "again"])
def test_who_cannot_sign_for_the_gateway_learns_nothing(outbox, told, database, wrong):
    stranger = Told(Gateway("sh1-dock-9"))
    message = {
        "key": told.request(key=stranger.facts.key),
        "stranger": stranger.request(),
        "again": told.request(nonce="n-1"),
    }[wrong]
    if wrong == "again":
        assert not isinstance(outbox.manifest(message), Refusal)
    files = rows(database, tables.snapshots, "sha256")
    refusal = outbox.manifest(message)
    assert isinstance(refusal, Refusal) and refusal.kind == "denied" and refusal.hint
    assert rows(database, tables.snapshots, "sha256") == files


@pytest.mark.parametrize("message", [b"", b"\x93", b"x" * 2000, bytes(range(256))])
def test_bytes_that_are_no_request_raise_the_documented_error(outbox, message):
    with pytest.raises(ContractError):
        outbox.manifest(message)


def test_the_same_file_is_given_again_while_it_may_still_be_loaded(outbox, told):
    first = outbox.manifest(told.request())
    outbox.clock.time_ms += (REUSE_S - 1) * 1000
    assert outbox.manifest(told.request()) == first
    outbox.clock.time_ms += 2000
    later = outbox.manifest(told.request())
    assert (later.sha256, later.stream) != (first.sha256, first.stream)


def test_a_gateway_that_has_gone_on_gets_another_file_but_not_at_once(outbox, told):
    first = outbox.load(told)
    outbox.order(orders.change_settings, told.code, [Setting("language", "zh")])
    outbox.hear(told)
    outbox.turn()
    assert told.number == 1
    refusal = outbox.manifest(told.request())
    assert isinstance(refusal, Refusal) and refusal.kind == "later"
    outbox.clock.time_ms += PAUSE_S * 1000
    assert outbox.manifest(told.request()).stream != first.stream


def test_what_is_ordered_while_a_file_is_loaded_follows_it(outbox, told):
    manifest = outbox.manifest(told.request())
    outbox.order(orders.put_template, "bin", "a = 1")
    with outbox.database.read() as connection:
        data = read_piece(connection, manifest.sha256, start=0, bytes_count=manifest.bytes_count)
    told.begin(decode_snapshot(data))
    outbox.hear(told)
    outbox.settle()
    assert [one.text for one in told.applied] == ["a = 1"]


class Interrupted:
    """A database where somebody writes after the second reading of each request."""

    def __init__(self, database, write):
        self._database, self._write = database, write
        self._reads_count = 0

    def write(self):
        return self._database.write()

    @contextmanager
    def read(self):
        with self._database.read() as connection:
            yield connection
        self._reads_count += 1
        if self._reads_count == 2:
            self._write()


def test_what_is_ordered_while_a_file_is_made_is_in_it(outbox, told, database):
    def order():
        outbox.order(orders.change_settings, told.code, [Setting("language", "zh")])

    outbox.snapshots = Snapshots(
        Interrupted(database, order),
        clock=outbox.clock,
        sign=LEDGER_KEY.sign,
        new_name=new_name,
        told=lambda: None,
    )
    assert outbox.load(told).settings == (Setting("language", "zh"),)


def test_a_file_is_read_in_pieces(outbox, told):
    manifest = outbox.manifest(told.request())
    with outbox.database.read() as connection:
        assert find_file(connection, manifest.sha256) == manifest.bytes_count
        whole = read_piece(connection, manifest.sha256, start=0, bytes_count=10**6)
        assert len(whole) == manifest.bytes_count
        cut = [
            read_piece(connection, manifest.sha256, start=at, bytes_count=100)
            for at in range(0, len(whole), 100)
        ]
        assert b"".join(cut) == whole
        assert find_file(connection, "0" * 64) is None
        assert read_piece(connection, "0" * 64, start=0, bytes_count=5) == b""


def test_only_the_newest_file_of_a_gateway_is_kept(outbox, told):
    for _ in range(3):
        outbox.manifest(told.request())
        outbox.clock.time_ms += (REUSE_S + 1) * 1000
    assert len(rows(outbox.database, tables.snapshots, "sha256")) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_waits_for_a_snapshot_takes_no_more_than_a_few_threads(outbox, told, database):
    answers = []

    def ask(message):
        answers.append(outbox.snapshots.answer(message))

    askers = [Thread(target=ask, args=(told.request(),)) for _ in range(WAITING_COUNT_MAX + 1)]
    with database.write():  # The first one waits for this, the others for the first one.
        for asker in askers:
            asker.start()
        (answer,) = wait_for(lambda: tuple(answers), timeout_s=TURN_S_MAX / 2)
    assert isinstance(answer, Refusal) and answer.kind == "later"
    for asker in askers:
        asker.join()
    assert sum(isinstance(one, bytes) for one in answers) == WAITING_COUNT_MAX
