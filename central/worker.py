"""Builds what takes facts: the inbox, and a worker that hears the broker. Root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from central.clock import SystemClock, random_fraction
from central.config import Config
from central.errors import ConfigInvalid
from central.inbox.announcing import Announcing, offline_will, worker_state
from central.inbox.gateways import record_states
from central.inbox.inbox import Inbox, Outcome
from central.inbox.intake_loop import IntakeLoop
from central.inbox.ledger_key import LedgerKey, load_ledger_key
from central.inbox.receiver import CREDIT_COUNT, credit_for
from central.inbox.workers import record_worker
from central.ledger.state import read_state
from central.mqtt_link import WAITING_MAX, CentralLink
from central.orders.following import FOLLOWERS
from central.storage.database import Database
from central.trust.clones import CloneWatch
from central.trust.events import note_clones


class ToldInbox:
    """An inbox that tells somebody after each commit."""

    def __init__(self, inbox: Inbox, told: Callable[[], None]) -> None:
        self._inbox = inbox
        self._told = told

    def accept(self, payloads: Sequence[tuple[str | None, bytes]]) -> list[Outcome]:
        """Return the outcomes, all durable. Raises LedgerUnavailable."""
        outcomes = self._inbox.accept(payloads)
        self._told()
        return outcomes


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that is not started yet. credit: returns the credit that it gives just now."""

    link: CentralLink
    intake: IntakeLoop
    credit: Callable[[], int]


def build_inbox(
    config: Config,
    database: Database,
    *,
    told: Callable[[], None],
    credit: Callable[[], int] = lambda: CREDIT_COUNT,
) -> ToldInbox:
    """Return the way into the ledger. told: called after each commit."""
    inbox = Inbox(
        database,
        clock=SystemClock(),
        credit=credit,
        stable_at_commit=config.ledger.stable == "commit",
        followers=FOLLOWERS,
    )
    return ToldInbox(inbox, told)


def build_worker(
    config: Config,
    database: Database,
    *,
    name: str,
    shards: tuple[int, ...] | None,
    told: Callable[[], None],
) -> Worker:
    """Return a worker for the gateways of some shards, None for all.

    Raises DatabaseUnusable if the database has no signing key, LedgerUnavailable.
    """
    clock, site = SystemClock(), config.ledger.site

    def read_generation() -> str:
        with database.read() as connection:
            return read_state(connection).generation

    key: LedgerKey = load_ledger_key(database)
    state = worker_state(
        worker=name, shards=shards, generation=read_generation(), public_key=key.public_key_hex
    )
    link = CentralLink(
        config.mqtt,
        site=site,
        worker=name,
        shards=shards,
        will=offline_will(state, site=site),
    )

    def credit() -> int:
        return credit_for(waiting_count=link.waiting_count, waiting_max=WAITING_MAX)

    clones = CloneWatch()

    def note_states(payloads: Sequence[tuple[str, bytes]]) -> None:
        cloned = clones.look(record_states(database, payloads, clock=clock))
        note_clones(database, cloned, now_ms=clock.now_ms())
        told()

    intake = IntakeLoop(
        link=link,
        inbox=build_inbox(config, database, told=told, credit=credit),
        note_states=note_states,
        jitter=random_fraction,
        sign=key.sign,
        announcing=Announcing(
            state,
            link=link,
            clock=clock,
            read_generation=read_generation,
            noted=lambda said: record_worker(database, said, clock=clock),
        ),
    )
    return Worker(link, intake, credit)


def refuse_second_worker_of_sqlite(config: Config) -> None:
    """Return if several processes may take facts. Raises ConfigInvalid."""
    if config.database.url.startswith("sqlite"):
        raise ConfigInvalid(
            "an SQLite ledger has one process that takes facts: `dockledger-central serve`",
            hint="Give the URL of a PostgreSQL database under [database], or let `serve` take all"
            " shards.",
        )
