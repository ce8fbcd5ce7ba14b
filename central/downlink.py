"""Builds what tells gateways things, and other programs and people. Root."""

from collections.abc import Callable
from dataclasses import dataclass

from central.clock import SystemClock, random_64, random_fraction
from central.config import Config
from central.inbox.ledger_key import load_ledger_key
from central.inbox.reconciliation import Reconciliation
from central.inbox.time_correction import TimeCorrection
from central.inbox.upkeep import Upkeep
from central.ledger.checkpoints import Checkpoints
from central.ledger.desk import Desk
from central.mqtt_link import CentralLink
from central.orders.counts.outdated_counts import OutdatedCounts
from central.orders.explained_returns import ExplainedReturns
from central.orders.following import FOLLOWERS
from central.orders.sales.stale_guidance import StaleGuidance
from central.outbox.down_loop import DownLoop, publish_down
from central.outbox.sending import Parts, Sending
from central.storage.database import Database
from central.watching.building import build_watching
from central.watching.watch_loop import WatchLoop
from central.webhooks.http_sender import HttpSender
from central.webhooks.webhook_loop import WebhookLoop


@dataclass(frozen=True, slots=True)
class Downlink:
    """What tells gateways of some shards, and other programs; not started yet.

    webhooks, watching: None where another process tells them.
    """

    link: CentralLink
    loop: DownLoop
    upkeep: Upkeep
    webhooks: WebhookLoop | None
    watching: WatchLoop | None

    @property
    def loops(self) -> tuple[DownLoop | Upkeep | WebhookLoop | WatchLoop, ...]:
        """Return everything that has a thread of its own."""
        others = (self.webhooks, self.watching)
        return (self.loop, self.upkeep, *(one for one in others if one is not None))


def build_downlink(
    config: Config,
    database: Database,
    *,
    name: str,
    shards: tuple[int, ...] | None,
    told: Callable[[], None] = lambda: None,
) -> Downlink:
    """Return what tells the gateways of some shards, None for all. name: of the worker beside it.

    told: called after each commit by which stations are told of goods that have moved. Raises
    DatabaseUnusable if the database has no signing key, LedgerUnavailable.
    """
    clock = SystemClock()
    link = CentralLink(
        config.mqtt,
        site=config.ledger.site,
        worker=f"{name}-down",
        shards=shards,
        channels=("down-ack", "digests"),
    )
    sending = Sending(
        Parts(
            database=database,
            clock=clock,
            publish=publish_down(link),
            sign=load_ledger_key(database).sign,
            new_name=new_name,
            jitter=random_fraction,
            shards=None if shards is None else frozenset(shards),
        )
    )
    # One of all workers corrects times, copies balances, has stations told of goods that have
    # moved, and people of what came late for counts, and tells other programs what happened.
    alone = shards is None or 0 in shards
    webhooks = None
    if alone:
        webhooks = WebhookLoop(database, sender=HttpSender(), clock=clock, jitter=random_fraction)

    def guided() -> None:
        loop.facts_posted()
        told()
        if webhooks is not None:
            webhooks.wake()

    desk = Desk(database, clock=clock, followers=FOLLOWERS, told=guided)
    upkeep = Upkeep(
        Reconciliation(database, clock=clock),
        correction=TimeCorrection(database, clock=clock) if alone else None,
        checkpoints=Checkpoints(database, clock=clock) if alone else None,
        guidance=StaleGuidance(database, desk=desk) if alone else None,
        returns=ExplainedReturns(database, desk=desk, clock=clock) if alone else None,
        counts=OutdatedCounts(database, clock=clock) if alone else None,
    )
    watching = None
    if webhooks is not None:
        watching = build_watching(config, database, told=webhooks.wake)
    loop = DownLoop(link=link, sending=sending, clock=clock, comparing=upkeep)
    return Downlink(link, loop, upkeep, webhooks, watching)


def new_name() -> str:
    """Return a code that nobody guesses: of a stream, of a print job."""
    return f"{random_64():016x}"
