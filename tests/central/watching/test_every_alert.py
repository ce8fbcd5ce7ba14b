"""Each kind of alert comes from its cause, with its severity and advice; no kind is left out."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import msgspec
import pytest
from sqlalchemy import insert, update

from central.backup.records import Run, record_run
from central.contract.states import DeviceState
from central.stock.alert_book import read_alerts
from central.stock.alerts import KINDS, AlertKind
from central.stock.alerts_refused import REFUSED_ALERTS
from central.stock.alerts_safety import (
    BACKUPS_MARK,
    DISK_MARK,
    REVOCATION_LIST_MARK,
    TRUST_ALERTS,
)
from central.stock.deliveries import day_text
from central.stock.kpis import DAY_MS
from central.storage import (
    access_tables,
    catalogue_tables,
    purchasing_tables,
    refusal_tables,
    sales_tables,
    subscription_tables,
    tables,
    transfer_tables,
    trust_tables,
    watching_tables,
)
from central.watching.letters import write_letter
from central.web.alert_words import ALERTS
from central.web.drawing import drawing_in
from tests.central.orders.purchasing import row
from tests.central.scenery import NOW_MS, FixedClock, Gateway, furnished

MICRO = 1_000_000
HOUR_MS = 3_600_000
YESTERDAY = (date.fromisoformat(day_text(NOW_MS)) - timedelta(days=1)).isoformat()
GATEWAY = "sh1-dock-1"
ADDRESS = "address:192.0.2.7"
STATE = {"online": True, "seen_ms": NOW_MS, "told_ms": NOW_MS, "clock_synced": True, "state_ms": 1}


class Ledger:
    """A ledger with one gateway, and what a cause is made with."""

    def __init__(self, database):
        self.database, self.gateway = database, Gateway(GATEWAY)
        self.inbox = furnished(database, self.gateway)

    def put(self, table, **values):
        with self.database.write() as connection:
            connection.execute(insert(table), [row(table, **values)])

    def mark(self, mark, value):
        self.put(watching_tables.watching_marks, mark=mark, value=value)

    def gateway_is(self, **values):
        with self.database.write() as connection:
            connection.execute(update(tables.gateways).values(**(STATE | values)))

    def move(self, item="BOLT", **fields):
        self.gateway.move(item, "10", **fields)
        self.inbox.accept([self.gateway.offer(len(self.gateway.bodies))])
        self.gateway_is()

    def bound(self, **values):
        self.move()
        self.put(catalogue_tables.item_policies, item="BOLT", version=1, **values)

    def lot(self, *, days, days_left=0):
        day = (date.fromisoformat(day_text(NOW_MS)) + timedelta(days=days)).isoformat()
        self.move(lot="L1", expiry_date=day)
        policies = catalogue_tables.item_policies
        self.put(policies, item="BOLT", version=1, min_days_left_to_ship=days_left)

    def purchase(self):
        orders = purchasing_tables.purchase_orders
        self.put(orders, code="PO-1", warehouse="SH1", state="sent", promised_date=YESTERDAY)
        lines = purchasing_tables.purchase_lines
        self.put(lines, code="PO-1", line=1, item="BOLT", expected_micro=MICRO)

    def discrepancy(self, **values):
        known = {"id": "d1", "warehouse": "SH1", "kind": "unexpected", "state": "open"}
        opened = {"version": 1, "opened_ms": NOW_MS - DAY_MS}
        self.put(tables.discrepancies, **(known | opened | values))

    def refused(self, kind, count=1):
        self.put(
            refusal_tables.refusals,
            kind=kind,
            subject=ADDRESS,
            address="192.0.2.7",
            refused_count=count,
            first_ms=NOW_MS,
            last_ms=NOW_MS,
        )

    def event(self, kind, count=1, *, first=0):
        for number in range(first, first + count):
            self.put(
                trust_tables.trust_events,
                event=f"{NOW_MS:015d}-{kind}-{number}",
                at_ms=NOW_MS,
                kind=kind,
                subject=GATEWAY,
            )

    def certificate(self, expires_ms):
        values = {"serial": "1", "gateway": GATEWAY, "expires_ms": expires_ms}
        empty = {"spki": b"", "signing_key": b""}
        self.put(trust_tables.certificates, **(values | empty))

    def run(self, kind, *, good, at_ms=NOW_MS):
        made = Run(kind=kind, name="b", began_ms=at_ms, ended_ms=at_ms, good=good, detail="")
        record_run(self.database, made)

    def starts(self):
        for number in range(3):
            self.put(
                watching_tables.watched_starts,
                subject=GATEWAY,
                start_count=number,
                nonce=f"{number}",
                first_ms=NOW_MS,
            )

    def backups(self, *, drill_ms, dump_ms):
        self.mark(BACKUPS_MARK, "1")
        self.run("drill", good=True, at_ms=drill_ms)
        self.run("dump", good=True, at_ms=dump_ms)


class Case(NamedTuple):
    """What brings an alert, and how bad it is."""

    kind: AlertKind
    severity: str
    subject: str
    cause: Callable[[Ledger], object]


PRINTER = DeviceState(name="p", device_class="printer", state="offline", problem="paper_out")
PRINTERS = msgspec.json.encode([PRINTER]).decode()
CASES = (
    Case("negative_stock", "bad", "BOLT", lambda it: it.move(source="BIN-2", target="customer")),
    Case("below_safety", "bad", "BOLT", lambda it: it.bound(safety_micro=11 * MICRO)),
    Case("below_minimum", "warn", "BOLT", lambda it: it.bound(min_micro=11 * MICRO)),
    Case("above_maximum", "warn", "BOLT", lambda it: it.bound(max_micro=9 * MICRO)),
    Case("lot_expired", "bad", "BOLT", lambda it: it.lot(days=-1)),
    Case("lot_unshippable", "warn", "BOLT", lambda it: it.lot(days=10, days_left=20)),
    Case("lot_expiring", "warn", "BOLT", lambda it: it.lot(days=29)),
    Case(
        "transfer_overdue",
        "warn",
        "TR-1",
        lambda it: it.put(
            transfer_tables.transfers,
            transfer="TR-1",
            destination_warehouse="BJ1",
            under_way_since_ms=NOW_MS - 3 * DAY_MS,
        ),
    ),
    Case("purchase_overdue", "warn", "PO-1", Ledger.purchase),
    Case(
        "sales_overdue",
        "bad",
        "SO-1",
        lambda it: it.put(
            sales_tables.sales_orders,
            code="SO-1",
            warehouse="SH1",
            state="released",
            promised_on=YESTERDAY,
        ),
    ),
    Case("gateway_problem", "bad", GATEWAY, lambda it: it.gateway_is(problem="journal")),
    Case("gateway_silent", "bad", GATEWAY, lambda it: it.gateway_is(online=False)),
    Case("gateway_lagging", "warn", GATEWAY, lambda it: it.gateway_is(lag_s=400, unsent_count=5)),
    Case(
        "gateway_lost",
        "bad",
        GATEWAY,
        lambda it: (
            it.gateway_is(),
            it.put(tables.epoch_heads, gateway=GATEWAY, epoch="gone", head_seq=7),
        ),
    ),
    Case("gateway_disk", "warn", GATEWAY, lambda it: it.gateway_is(disk_used_percent=90)),
    Case(
        "update_failed",
        "warn",
        GATEWAY,
        lambda it: it.gateway_is(failed_release="2.0", failed_reason="it hangs", failed_ms=1),
    ),
    Case("device_not_ready", "warn", GATEWAY, lambda it: it.gateway_is(devices_json=PRINTERS)),
    Case("clock_unsynced", "warn", GATEWAY, lambda it: it.gateway_is(clock_synced=False)),
    Case(
        "shard_unserved",
        "bad",
        "1",
        lambda it: it.put(
            tables.workers,
            worker="w1",
            online=True,
            seen_ms=NOW_MS,
            shards_json=str([one for one in range(64) if one != 1]),
        ),
    ),
    Case("discrepancy_fork", "bad", "d1", lambda it: it.discrepancy(kind="fork")),
    Case("discrepancy_overdue", "warn", "d1", lambda it: it.discrepancy(due_ms=NOW_MS - 1)),
    Case("discrepancy_old", "warn", "d1", lambda it: it.discrepancy(opened_ms=NOW_MS - 8 * DAY_MS)),
    Case("quarantined", "bad", GATEWAY, lambda it: it.inbox.accept([(GATEWAY, b"one")])),
    Case(
        "login_failures",
        "bad",
        "user:keeper",
        lambda it: it.put(
            access_tables.access_failures,
            subject="user:keeper",
            failures_count=5,
            last_ms=NOW_MS,
        ),
    ),
    Case("credential_refused", "bad", ADDRESS, lambda it: it.refused("token_dismissed")),
    Case("connections_held", "bad", ADDRESS, lambda it: it.refused("connection_slow", 20)),
    Case("broker_refused", "bad", ADDRESS, lambda it: it.refused("broker_publish")),
    Case("enrolment_refused", "bad", GATEWAY, lambda it: it.event("claim_expired")),
    Case("gateway_cloned", "bad", GATEWAY, lambda it: it.event("card_cloned")),
    Case("revoked_seen", "bad", GATEWAY, lambda it: it.event("revoked_seen")),
    Case("certificate_expiring", "warn", GATEWAY, lambda it: it.certificate(NOW_MS + 19 * DAY_MS)),
    Case("certificate_expired", "bad", GATEWAY, lambda it: it.certificate(NOW_MS)),
    Case(
        "revocation_list_ends",
        "bad",
        "broker",
        lambda it: it.mark(REVOCATION_LIST_MARK, str(NOW_MS + 71 * HOUR_MS)),
    ),
    Case("restarting", "bad", GATEWAY, Ledger.starts),
    Case(
        "machine_disk",
        "bad",
        "central",
        lambda it: it.mark(DISK_MARK, f'{{"percent": 90, "at_ms": {NOW_MS}}}'),
    ),
    Case("backup_failed", "bad", "central", lambda it: it.run("dump", good=False)),
    Case(
        "backup_old",
        "bad",
        "central",
        lambda it: it.backups(drill_ms=NOW_MS, dump_ms=NOW_MS - 27 * HOUR_MS),
    ),
    Case("drill_failed", "bad", "central", lambda it: it.run("drill", good=False)),
    Case(
        "drill_old",
        "warn",
        "central",
        lambda it: it.backups(drill_ms=NOW_MS - 31 * DAY_MS, dump_ms=NOW_MS),
    ),
    Case(
        "mail_failing",
        "bad",
        "keeper@example.com",
        lambda it: it.put(
            watching_tables.alert_mails, recipient="keeper@example.com", state="given_up"
        ),
    ),
    Case(
        "webhook_failing",
        "warn",
        "SUB-1",
        lambda it: it.put(subscription_tables.deliveries, subscription="SUB-1", state="given_up"),
    ),
)


def test_no_kind_is_missing_from_this_table():
    assert {case.kind for case in CASES} == set(KINDS) == set(ALERTS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cause_brings_its_alert_with_advice_in_both_languages(database, case):
    ledger = Ledger(database)
    assert read_alerts(database, FixedClock()).alerts == ()
    case.cause(ledger)
    alerts = read_alerts(database, FixedClock()).alerts
    assert [(one.kind, one.severity, one.subject) for one in alerts] == [case[:3]]
    told = {}
    for language in ("en", "zh"):
        texts = drawing_in(language).texts
        told[language] = [texts.say(text) for text in ALERTS[case.kind]]
        body = write_letter("raised", alerts, texts=texts, site="demo", url="").body
        assert all(text in body for text in told[language])
    assert all(text.isascii() for text in told["en"])
    assert not any(text.isascii() for text in told["zh"])


def test_each_kind_of_refusal_and_of_enrolment_brings_its_alert_from_its_number_on(database):
    ledger = Ledger(database)
    ledger.certificate(NOW_MS)
    ledger.run("dump", good=False)
    for why, (_, least, _) in REFUSED_ALERTS.items():
        ledger.refused(why, least - 1)
    for why, (_, least) in TRUST_ALERTS.items():
        ledger.event(why, least - 1)
    others = ["backup_failed", "certificate_expired"]
    assert sorted(one.kind for one in read_alerts(database, FixedClock()).alerts) == others
    refused = refusal_tables.refusals
    with database.write() as connection:
        connection.execute(update(refused).values(refused_count=refused.c.refused_count + 1))
    for why in TRUST_ALERTS:
        ledger.event(why, first=9)
    found = [(one.kind, one.lot) for one in read_alerts(database, FixedClock()).alerts]
    expected = [(kind, why) for why, (kind, *_) in (REFUSED_ALERTS | TRUST_ALERTS).items()]
    assert sorted(one for one in found if one[0] not in others) == sorted(expected)
