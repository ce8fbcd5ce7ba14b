"""What gateways show is compared with the ledger, bin by bin; on both databases."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from central.contract.facts import VIRTUAL_PLACES, Movement, Reversal, decode_fact
from central.contract.quantities import parse_decimal, to_micro
from central.contract.sealed import seal
from central.contract.stock_digests import StockDigests, encode_digests
from central.contract.wire_types import EpochSeq
from central.inbox.reconciliation import WAITING_MAX, Reconciliation
from central.storage import bulk, tables
from gateway.journal.records import StockReport
from gateway.replication.stock_report import stock_digests
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import FixedClock, Gateway, enrol, furnished, rows

STREAM = "stream-1"


class LocalStock:
    """What a gateway shows: what the ledger once said, and its own facts beyond that."""

    def __init__(self, database, gateway):
        self.database = database
        self.epochs = [gateway]
        self.base, self.revision, self.positions = {}, 0, {}
        self.tampered = {}

    @property
    def gateway(self):
        return self.epochs[-1]

    def restart(self):
        self.epochs.append(self.gateway.next_epoch())

    def hears(self):
        """What a notice would say now; `learns` applies it, perhaps later."""
        balances, positions = tables.balances.c, tables.positions.c
        with self.database.read() as connection:
            found = connection.execute(
                select(tables.balances).where(
                    balances.warehouse == self.gateway.warehouse,
                    balances.location.not_in(sorted(VIRTUAL_PLACES)),
                )
            )
            base = {tuple(row[1:7]): row.on_hand_micro for row in found}
            number = connection.execute(
                text("SELECT value FROM ledger_state WHERE key = 'record_no'")
            ).scalar_one()
            acked = connection.execute(
                select(positions.epoch, positions.acked_seq).where(
                    positions.gateway == self.gateway.code
                )
            )
            return base, int(number), {row[0]: row[1] for row in acked}

    def learns(self, notice=None):
        self.base, self.revision, self.positions = notice or self.hears()

    def levels(self):
        levels = dict(self.base)
        for epoch in self.epochs:
            for body in epoch.bodies[self.positions.get(str(epoch.epoch), 0) :]:
                fact, sign = decode_fact(body), 1
                if isinstance(fact, Reversal):
                    fact, sign = self.movement_at(fact), -1
                if isinstance(fact, Movement):
                    micro = sign * to_micro(parse_decimal(fact.quantity))
                    what = (fact.item, fact.lot, fact.serial, fact.sscc, fact.unit)
                    for place, change in (
                        (fact.from_location, -micro),
                        (fact.to_location, micro),
                    ):
                        if place not in VIRTUAL_PLACES:
                            levels[(place, *what)] = levels.get((place, *what), 0) + change
        for key, micro in self.tampered.items():
            levels[key] = levels.get(key, 0) + micro
        return levels

    def movement_at(self, reversal):
        (epoch,) = [one for one in self.epochs if str(one.epoch) == reversal.reverses_epoch]
        return decode_fact(epoch.bodies[reversal.reverses_seq - 1])

    def report(self, **options):
        """Sealed reports, as the gateway's own code makes them."""
        heads = tuple(
            EpochSeq(start_count=one.epoch.start_count, nonce=one.epoch.nonce, seq=len(one.bodies))
            for one in self.epochs
            if len(one.bodies) > self.positions.get(str(one.epoch), 0)
        )
        levels = tuple(sorted((key, micro) for key, micro in self.levels().items() if micro))
        said = StockReport(STREAM, self.revision, heads, levels, "", "")
        payloads = stock_digests(said, gateway=self.gateway.code, **options)
        sign = self.gateway.key.sign
        return [(self.gateway.code, seal("digests", payload, sign)) for payload in payloads]


class Site:
    """Two gateways of one warehouse, the ledger's inbox and its comparison."""

    def __init__(self, database):
        first, second = Gateway("sh1-dock-1"), Gateway("sh1-dock-2")
        self.database = database
        self.inbox = furnished(database, first, second)
        self.stocks = [LocalStock(database, first), LocalStock(database, second)]
        self.clock = FixedClock()
        self.comparing = Reconciliation(database, clock=self.clock)
        begin_streams(database, first, second)

    def send(self, stock, count=None):
        for epoch in stock.epochs:
            first = self.acked(epoch) + 1
            if first <= len(epoch.bodies):
                last = len(epoch.bodies) if count is None else min(len(epoch.bodies), first + count)
                self.inbox.accept([epoch.offer(first, last)])

    def acked(self, epoch):
        found = rows(self.database, tables.positions, "gateway", "epoch", "acked_seq")
        return next((row[2] for row in found if row[:2] == (epoch.code, str(epoch.epoch))), 0)

    def compare(self, *stocks, **options):
        self.clock.time_ms += 1000
        for stock in stocks:
            self.comparing.take_digests(stock.report(**options))
        self.comparing.compare_waiting()
        return found_bins(self.database)


def begin_streams(database, *gateways, generation="generation-1", stream=STREAM):
    names = [column.name for column in tables.notice_streams.columns]
    values = dict.fromkeys(names, 0) | {
        "stream": stream,
        "generation": generation,
        "has_snapshot": True,
    }
    with database.write() as connection:
        bulk.upsert_rows(
            connection,
            tables.notice_streams,
            [
                tuple(
                    (values | {"gateway": one.code, "warehouse": one.warehouse})[n] for n in names
                )
                for one in gateways
            ],
        )


def found_bins(database):
    """(state, subject) of every `stock_differs`."""
    found = rows(database, tables.discrepancies, "kind", "state", "subject")
    return [row[1:] for row in found if row[0] == "stock_differs"]


@pytest.fixture
def site(database):
    return Site(database)


def test_two_gateways_on_the_same_bins_agree_connected_or_not(site):
    first, second = site.stocks
    first.gateway.move(quantity="10", target="BIN-1")
    second.gateway.move(quantity="4", target="BIN-1")
    site.send(first)
    first.learns()
    assert site.compare(first) == []
    # The second one stands on nothing and has sent nothing: its report waits for its facts.
    assert site.compare(second) == []
    assert site.comparing.waiting_count == 1
    first.gateway.move(quantity="3", source="BIN-1", target="BIN-2")
    second.gateway.move(quantity="1", source="BIN-1", target="BIN-2")
    assert site.compare(first, second) == []
    site.send(second)
    site.send(first)
    assert site.compare() == []
    assert site.comparing.waiting_count == 0
    assert site.comparing.counters()["digests_compared_total"] == 3
    second.learns()
    first.learns()
    assert first.levels() == second.levels()
    assert site.compare(first, second) == []


def test_a_tampered_row_is_named_and_settles_when_it_is_right_again(site):
    first, _ = site.stocks
    first.gateway.move(quantity="10", target="BIN-1", lot="L1")
    first.gateway.move(quantity="5", target="BIN-2")
    site.send(first)
    first.learns()
    first.gateway.move(quantity="2", source="BIN-2", target="BIN-3")
    site.send(first)
    first.tampered = {("BIN-1", "BOLT", "L1", "", "", "C62"): -1_000_000}
    assert site.compare(first) == [("open", "sh1-dock-1/BIN-1")]
    (row,) = rows(site.database, tables.discrepancies, "location", "gateway", "epoch", "detail")
    assert row[:3] == ("BIN-1", "sh1-dock-1", "")
    assert "BOLT L1 10 C62" in row[3] and row[3].count("sum ") == 2
    # While it is open, the same report opens no second one.
    assert site.compare(first) == [("open", "sh1-dock-1/BIN-1")]
    first.tampered = {}
    assert site.compare(first) == [("settled", "sh1-dock-1/BIN-1")]
    (row,) = rows(site.database, tables.discrepancies, "settlement", "settled_ms", "facts_count")
    assert row == ("the gateway's report at revision 2 agrees", site.clock.time_ms, 1)
    first.tampered = {("BIN-1", "BOLT", "L1", "", "", "C62"): -1_000_000}
    assert site.compare(first) == [
        ("open", "sh1-dock-1/BIN-1"),
        ("settled", "sh1-dock-1/BIN-1"),
    ]


def test_what_is_open_about_a_gateways_former_warehouse_does_not_stay_open_for_ever(site):
    first, _ = site.stocks
    first.gateway.move(quantity="10", target="BIN-1")
    site.send(first)
    first.learns()
    first.tampered = {("BIN-1", "BOLT", "", "", "", "C62"): -1_000_000}
    assert site.compare(first) == [("open", "sh1-dock-1/BIN-1")]
    first.gateway.warehouse = "BJ1"
    enrol(site.database, first.gateway)
    begin_streams(site.database, first.gateway)
    first.tampered = {}
    first.learns()
    assert site.compare(first) == [("settled", "sh1-dock-1/BIN-1")]


def test_a_fact_that_nobody_can_read_holds_no_comparison_up(site):
    first, _ = site.stocks
    first.gateway.move(quantity="10", target="BIN-1")
    site.send(first)
    first.learns()
    first.gateway.reverse(1)
    site.send(first)
    with site.database.write() as connection:
        facts = tables.facts
        connection.execute(update(facts).where(facts.c.seq == 1).values(body=b"of a later version"))
    site.compare(first)
    assert site.comparing.counters()["digests_compared_total"] == 1


def test_staff_read_which_place_of_which_gateway_differs_and_why_it_is_settled(site):
    first, _ = site.stocks
    first.tampered = {("BIN-1", "BOLT", "", "", "", "C62"): 1}
    site.compare(first)
    app = application(database=site.database, clock=site.clock)
    for language, words in (("en", "Gateway shows other stock"), ("zh", "网关显示的库存不同")):
        shown = ask(app, f"/fragments/discrepancies?lang={language}").text
        assert words in shown and "sh1-dock-1 · BIN-1" in shown
    first.tampered = {}
    site.compare(first)
    (row,) = ask(app, "/api/v1/discrepancies?kind=stock_differs").json()["discrepancies"]
    assert (row["state"], row["location"], row["fact"]) == ("settled", "BIN-1", None)
    assert row["settlement"] == "the gateway's report at revision 0 agrees"
    assert row["settled_time"] is not None
    assert "sh1-dock-1 · BIN-1" not in ask(app, "/fragments/discrepancies").text


def test_a_bin_that_only_one_side_has_is_named(site):
    first, _ = site.stocks
    first.gateway.move(quantity="10", target="BIN-1")
    site.send(first)
    first.learns()
    first.tampered = {
        ("BIN-1", "BOLT", "", "", "", "C62"): -10_000_000,
        ("BIN-9", "NUT\0", "", "", "", "C62"): 1,
        ("BIN-\0", "NUT", "", "", "", "C62"): 1,
    }
    assert site.compare(first) == [
        ("open", "sh1-dock-1/BIN-1"),
        ("open", "sh1-dock-1/BIN-9"),
        ("open", "sh1-dock-1/BIN-\\0"),
    ]
    details = [row[0] for row in rows(site.database, tables.discrepancies, "detail")]
    assert sum("shows nothing" in detail for detail in details) == 1
    assert sum("has nothing: empty" in detail for detail in details) == 2


def test_a_report_in_parts_names_the_bins_of_each_and_settles_only_its_own(site):
    first, _ = site.stocks
    for number in range(1, 6):
        first.gateway.move(quantity="1", target=f"P-{number}")
    site.send(first)
    first.learns()
    first.tampered = {(f"P-{number}", "BOLT", "", "", "", "C62"): 1 for number in (2, 4, 7)}
    named = [("open", f"sh1-dock-1/P-{number}") for number in (2, 4, 7)]
    assert len(first.report(bins_max=2)) == 3
    assert site.compare(first, bins_max=2) == named
    first.tampered = {}
    middle = first.report(bins_max=2)[1]
    site.comparing.take_digests([middle])
    assert site.compare() == [named[0], named[2], ("settled", "sh1-dock-1/P-4")]


@pytest.mark.parametrize(
    ("stream", "generation"),
    [
        pytest.param("another", "generation-1", id="a stream that central has left"),
        pytest.param(STREAM, "generation-0", id="a life of the ledger before this one"),
    ],
)
def test_a_report_that_stands_on_what_is_no_longer_told_is_left_out(site, stream, generation):
    first, _ = site.stocks
    begin_streams(site.database, first.gateway, stream=stream, generation=generation)
    first.tampered = {("BIN-1", "BOLT", "", "", "", "C62"): 1}
    assert site.compare(first) == []
    assert site.comparing.counters()["digests_left_out_total"] == 1
    assert site.comparing.waiting_count == 0


def test_a_report_of_a_revision_that_is_still_to_come_waits(site):
    first, _ = site.stocks
    first.revision = 1
    first.tampered = {("BIN-1", "BOLT", "", "", "", "C62"): 1}
    assert site.compare(first) == []
    assert site.comparing.waiting_count == 1
    site.stocks[1].gateway.move(target="BIN-2")
    site.send(site.stocks[1])
    assert site.compare() == [("open", "sh1-dock-1/BIN-1"), ("open", "sh1-dock-1/BIN-2")]


def forged(site):
    report = StockDigests(gateway="sh1-dock-1", stream=STREAM, revision=0, heads=(), bins=())
    own, other = site.stocks[0].gateway.key.sign, site.stocks[1].gateway.key.sign
    payload = encode_digests(report)
    impossible = encode_digests(
        StockDigests(
            gateway="sh1-dock-1",
            stream=STREAM,
            revision=0,
            heads=(EpochSeq(start_count=1, nonce=-1, seq=1),),
            bins=(),
        )
    )
    return {
        "unreadable": [("sh1-dock-1", b"noise"), ("sh1-dock-1", seal("digests", b"[]", own))],
        "impossible epoch": [("sh1-dock-1", seal("digests", impossible, own))],
        "bad_signature": [
            ("sh1-dock-1", seal("digests", payload, other)),
            ("sh1-dock-1", seal("down-ack", payload, own)),
        ],
        "wrong_topic": [("sh1-dock-2", seal("digests", payload, own))],
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("unreadable", "unreadable", id="no report"),
        pytest.param("impossible epoch", "unreadable", id="an epoch that cannot be"),
        pytest.param("bad_signature", "bad_signature", id="another's key, another purpose"),
        pytest.param("wrong_topic", "wrong_topic", id="another's topic"),
    ],
)
def test_a_report_that_is_not_authentic_is_quarantined_and_the_others_go_on(site, name, reason):
    first, _ = site.stocks
    payloads = forged(site)[name]
    site.comparing.take_digests(payloads + first.report())
    assert {row[0] for row in rows(site.database, tables.quarantine, "reason")} == {reason}
    assert len(rows(site.database, tables.quarantine)) == len(payloads)
    assert site.comparing.waiting_count == 1


def test_reports_that_wait_are_bounded_and_a_newer_one_takes_the_place(site):
    first, _ = site.stocks
    first.gateway.move()  # Never sent: no report with it is ever ready.
    first.learns()
    site.comparing.take_digests(first.report())
    site.comparing.take_digests(first.report())
    assert site.comparing.waiting_count == 1
    first.base = {(f"P-{n:04d}", "BOLT", "", "", "", "C62"): 1 for n in range(WAITING_MAX + 5)}
    site.comparing.take_digests(first.report(bins_max=1))
    assert site.comparing.waiting_count == WAITING_MAX


PLACES = ["supplier", "BIN-1", "BIN-2", "customer"]
STEPS = st.one_of(
    st.tuples(
        st.just("move"),
        st.integers(0, 1),
        st.sampled_from([("BOLT", "C62"), ("RICE", "KGM"), ("RICE", "GRM"), ("NEW", "C62")]),
        st.permutations(PLACES),
        st.sampled_from(["1", "2.5", "0.001", "999999999"]),
    ),
    st.tuples(st.just("reverse"), st.integers(0, 1), st.integers(0, 9)),
    st.tuples(st.just("send"), st.integers(0, 1), st.integers(0, 3)),
    st.tuples(st.sampled_from(["hear", "learn", "report", "restart"]), st.integers(0, 1)),
    st.just(("compare",)),
)


def play(site, steps):
    """Let both gateways work, send, learn late and report; nothing is ever wrong with them."""
    notices, reversed_facts = {}, set()
    for name, *values in steps:
        if name == "compare":
            site.compare()
            continue
        stock = site.stocks[values[0]]
        if name == "move":
            (item, unit), places, quantity = values[1:]
            stock.gateway.move(item, quantity, unit=unit, source=places[0], target=places[1])
        elif name == "reverse":
            movements = [
                (epoch, seq)
                for epoch in stock.epochs
                for seq, body in enumerate(epoch.bodies, 1)
                if isinstance(decode_fact(body), Movement)
                and (epoch.code, epoch.epoch, seq) not in reversed_facts
            ]
            if movements:
                epoch, seq = movements[values[1] % len(movements)]
                reversed_facts.add((epoch.code, epoch.epoch, seq))
                stock.gateway.reverse(seq, epoch=epoch.epoch)
        elif name == "send":
            site.send(stock, values[1])
        elif name == "hear":
            notices[values[0]] = stock.hears()
        elif name == "learn" and values[0] in notices:
            stock.learns(notices.pop(values[0]))
        elif name == "report":
            site.comparing.take_digests(stock.report(bins_max=1 if len(steps) % 2 else 5000))
        elif name == "restart":
            stock.restart()


@given(steps=st.lists(STEPS, min_size=5, max_size=40))
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_differs_whatever_the_order_of_facts_notices_and_reports(database, steps):
    with database.write() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name != "ledger_state":
                connection.execute(table.delete())
        connection.execute(
            text(
                "UPDATE ledger_state SET value = '0' WHERE value <> '0'"
                " AND key NOT IN ('generation', 'signing_key', 'lots_on_hold')"
            )
        )
    site = Site(database)
    play(site, steps)
    for stock in site.stocks:
        site.send(stock)
    for stock in site.stocks:
        site.comparing.take_digests(stock.report())
    while site.comparing.waiting_count:
        before = site.comparing.waiting_count
        site.compare()
        assert site.comparing.waiting_count < before
    assert found_bins(database) == []
    assert site.comparing.counters().get("digests_left_out_total", 0) == 0
