"""Whatever happens is told within a minute, with the turns that are shipped, on a test's clock."""

from threading import Condition, current_thread

from sqlalchemy import update

from central.access.refusals import WRITE_EVERY_S, Refusals
from central.config_keeping import AlertRecipient, AlertsSection
from central.stock.alerts import KINDS
from central.storage import access_tables, subscription_tables, tables
from central.storage.catalogue_tables import item_policies
from central.watching.records import Attempt
from central.watching.watch import Means, Watch
from central.watching.watch_loop import WatchLoop
from central.web.alert_words import ALERTS
from central.web.drawing import drawing_in
from gateway.replication.replicator import STATE_INTERVAL_S
from tests.central.scenery import NOW_MS
from tests.central.watching.test_every_alert import MICRO, PRINTERS, Ledger
from tests.house.source_tree import ROOT
from tests.waiting import wait_for

KEEPER = AlertRecipient(address="keeper@example.com", at_once="all", digest="none")
WITHIN_S = 60
STEP_S = 0.5
# The cause is that something lasts or a day comes: the README says of each how long it takes.
LASTING = {
    "lot_expired", "lot_unshippable", "lot_expiring",
    "transfer_overdue", "purchase_overdue", "sales_overdue",
    "gateway_silent", "gateway_lagging", "shard_unserved",
    "discrepancy_overdue", "discrepancy_old",
    "certificate_expiring", "certificate_expired", "revocation_list_ends",
    "backup_old", "drill_old", "mail_failing",
}  # fmt: skip


class Turned:
    """Time that goes on when everybody waits for it. Any thread."""

    def __init__(self):
        self.now_s = 0.0
        self._changed = Condition()
        self._waiting = {}

    def wait(self, event, seconds):
        """Stand for `Event.wait`."""
        with self._changed:
            due_s = self.now_s + seconds
            while not event.is_set() and self.now_s < due_s:
                self._waiting[current_thread()] = (event, due_s)
                self._changed.wait(0.02)
            self._waiting.pop(current_thread(), None)

    def goes_on(self, *, threads_count):
        """Let STEP_S pass, once all threads wait for something that is still to come."""
        wait_for(lambda: self._all_wait(threads_count), what="everybody to wait")
        with self._changed:
            self.now_s += STEP_S
            self._changed.notify_all()

    def _all_wait(self, threads_count):
        with self._changed:
            still = [
                1 for event, due_s in self._waiting.values()
                if not event.is_set() and due_s > self.now_s
            ]  # fmt: skip
            return len(still) == threads_count


class Post:
    """A mail server's place: every letter is taken, and when."""

    def __init__(self, turned):
        self.turned, self.came = turned, []

    def send(self, mails, *, now_s):
        self.came += [(self.turned.now_s, mail.letter.body) for mail in mails]
        return [Attempt(mail, error="") for mail in mails]


class Clock:
    """The ledger's clock, of that time."""

    def __init__(self, turned):
        self.turned = turned

    def now_ms(self):
        return NOW_MS + int(self.turned.now_s * 1000)

    def monotonic_s(self):
        return self.turned.now_s


def everything_happens(ledger, refusals):
    """Bring about every alert of which the cause happens at a moment."""
    ledger.bound(safety_micro=11 * MICRO, max_micro=9 * MICRO)
    ledger.put(item_policies, item="NUT", version=1, min_micro=11 * MICRO)
    ledger.move("NUT")
    ledger.move("NUT", source="BIN-2", target="customer")
    ledger.inbox.accept([(ledger.gateway.code, b"one")])
    ledger.gateway_is(problem="journal", disk_used_percent=95, clock_synced=False)
    with ledger.database.write() as connection:
        connection.execute(
            update(tables.gateways).values(
                failed_release="2.0", failed_reason="it hangs", devices_json=PRINTERS
            )
        )
    ledger.put(tables.epoch_heads, gateway=ledger.gateway.code, epoch="gone", head_seq=7)
    ledger.discrepancy(kind="fork")
    for kind in ("claim_burnt", "card_cloned", "revoked_seen"):
        ledger.event(kind)
    ledger.starts()
    ledger.run("dump", good=False)
    ledger.run("drill", good=False)
    ledger.put(subscription_tables.deliveries, subscription="SUB-1", state="given_up")
    failures = access_tables.access_failures
    ledger.put(failures, subject="user:keeper", failures_count=5, last_ms=NOW_MS)
    refusals.count("token_dismissed", subject="0" * 16)
    refusals.count("broker_certificate", subject="address:192.0.2.7")
    for _ in range(50):
        refusals.count("connection_slow", subject="address:192.0.2.7")


def test_what_happens_is_sent_within_a_minute_and_what_lasts_is_stated(database):
    turned, refusals = Turned(), Refusals()
    ledger = Ledger(database)
    ledger.gateway_is()
    post = Post(turned)
    texts, disk = drawing_in("en").texts, [50]
    means = Means(
        site="demo",
        alerts=AlertsSection(recipients=(KEEPER,)),
        mails=True,
        backups_configured=False,
        sender_domain="example.com",
        texts=lambda _: texts,
        new_name=iter(map("{:016x}".format, range(1000))).__next__,
        disk_percent=lambda: disk[0],
    )
    loop = WatchLoop(
        database,
        Watch(database, means),
        sender=post,
        clock=Clock(turned),
        jitter=lambda: 0.0,
        wait=turned.wait,
    )
    loop.start()
    try:
        wait_for(lambda: loop.counters().get("turns_total"), what="the first look")
        turned.goes_on(threads_count=2)  # Just after a look: the worst moment there is.
        happened_s = turned.now_s
        everything_happens(ledger, refusals)
        disk[0] = 95
        while turned.now_s < happened_s + WITHIN_S:
            if turned.now_s >= happened_s + WRITE_EVERY_S:
                refusals.write(database, now_ms=NOW_MS)
            turned.goes_on(threads_count=2)
    finally:
        loop.stop()
    told = "".join(body for _, body in post.came)
    expected = set(KINDS) - LASTING
    missing = {kind for kind in expected if f"] {texts.say(ALERTS[kind][0])}: " not in told}
    assert missing == set()
    late_s = max(at_s for at_s, _ in post.came) - happened_s
    assert late_s + STATE_INTERVAL_S < WITHIN_S


def test_the_readme_says_of_every_lasting_cause_how_long_it_lasts():
    text = (ROOT / "central" / "watching" / "README.md").read_text("utf-8")
    part = text.partition("## How soon")[2].partition("\n## ")[0]
    assert {kind for kind in LASTING if f"`{kind}`" not in part} == set()
