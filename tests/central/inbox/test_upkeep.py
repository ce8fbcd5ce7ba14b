"""The upkeep outlives a lost database, its own mistakes and too many reports."""

from threading import Event

from central.errors import LedgerUnavailable
from central.inbox.time_correction import FACTS_PER_TICK_MAX
from central.inbox.upkeep import PAYLOADS_WAITING_MAX, Upkeep
from central.orders.sales.stale_guidance import ORDERS_PER_TICK_MAX
from tests.waiting import wait_for


class Comparing:
    """Stands for `Reconciliation`: fails in turn, then takes; holds the thread while told to."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.taken = []
        self.waiting_count = 0
        self.free = Event()
        self.free.set()

    def take_digests(self, payloads):
        assert self.free.wait(60)
        if payloads and self.failures:
            raise self.failures.pop(0)
        self.taken += payloads

    def compare_waiting(self):
        return 0

    def counters(self):
        return {}


class Correcting:
    """Stands for `TimeCorrection`: a backlog of several full ticks."""

    def __init__(self, *counts):
        self.counts = list(counts)

    def tick(self):
        return self.counts.pop(0) if self.counts else 0


def test_it_goes_on_after_a_lost_database_and_after_its_own_mistake(caplog):
    lost = LedgerUnavailable("gone", hint="Start it.")
    comparing = Comparing(lost, ZeroDivisionError())
    upkeep = Upkeep(comparing, correction=None)
    upkeep.start()
    try:
        for payload in (b"1", b"2", b"3"):
            before = sum(upkeep.counters().values())
            upkeep.take_digests([("gw", payload)])
            wait_for(
                lambda before=before: comparing.taken or sum(upkeep.counters().values()) > before,
                what="the turn",
            )
    finally:
        upkeep.stop()
    assert comparing.taken == [("gw", b"3")]
    assert upkeep.counters() == {"database_failures_total": 1, "crashes_total": 1}
    assert "the upkeep has no database" in caplog.text


class Guiding:
    """Stands for `StaleGuidance`: some full turns of orders."""

    def __init__(self, *counts):
        self.counts = list(counts)

    def tick(self):
        return self.counts.pop(0) if self.counts else 0


def test_many_orders_are_told_without_waiting_for_the_next_second():
    total = 12 * ORDERS_PER_TICK_MAX + 1
    guiding = Guiding(*[ORDERS_PER_TICK_MAX] * 12, 1)
    upkeep = Upkeep(Comparing(), correction=None, guidance=guiding)
    upkeep.start()
    try:
        wait_for(lambda: upkeep.counters().get("orders_told_total") == total, what="the orders")
    finally:
        upkeep.stop()


def test_returns_that_orders_explain_are_settled():
    class Explaining:
        def tick(self):
            return 1

    upkeep = Upkeep(Comparing(), correction=None, returns=Explaining())
    upkeep.start()
    try:
        wait_for(lambda: upkeep.counters().get("returns_explained_total"), what="the return")
    finally:
        upkeep.stop()


def test_reports_that_wait_are_bounded():
    comparing = Comparing()
    comparing.free.clear()
    upkeep = Upkeep(comparing, correction=None)
    many = [("gw", b"x")] * (PAYLOADS_WAITING_MAX + 7)
    upkeep.take_digests(many)
    upkeep.take_digests(many[:3])
    assert upkeep.counters() == {"digests_dropped_total": 10}
    comparing.free.set()
    upkeep.start()
    wait_for(lambda: len(comparing.taken) == PAYLOADS_WAITING_MAX, what="what waited")
    upkeep.stop()


def test_a_backlog_of_times_is_corrected_without_waiting_for_the_next_second():
    correcting = Correcting(FACTS_PER_TICK_MAX, FACTS_PER_TICK_MAX, 5)
    upkeep = Upkeep(Comparing(), correction=correcting)
    upkeep.start()
    try:
        total = 2 * FACTS_PER_TICK_MAX + 5
        wait_for(
            lambda: upkeep.counters().get("times_corrected_total") == total, what="the backlog"
        )
    finally:
        upkeep.stop()


class Telling:
    """Stands for `OutdatedCounts`: keeps which facts have other times since."""

    def __init__(self):
        self.corrected = []
        self.ticks_count = 0

    def note_corrected(self, record_nos):
        self.corrected += record_nos

    def tick(self):
        self.ticks_count += 1
        return True


def test_counts_are_told_of_facts_whose_times_were_corrected():
    correcting, telling = Correcting(2), Telling()
    upkeep = Upkeep(Comparing(), correction=correcting, counts=telling)
    correcting.take_corrected = lambda: [7, 8] if telling.ticks_count == 0 else []
    upkeep.start()
    try:
        wait_for(lambda: telling.ticks_count)
    finally:
        upkeep.stop()
    assert telling.corrected == [7, 8]
    assert not upkeep.counters().get("crashes_total")
