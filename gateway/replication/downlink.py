"""Brings central's notices and snapshots into the journal, and says how old what we know is. Loop.

    replicator --take(message)--> Inbound --> Journal.apply_notices --> Follower (station)
               <--- ack() -------                                            |
               --tick()--------> SnapshotLoader (child process)              |
                                     '--> Journal.apply_snapshot ------------'

The replicator's thread calls everything; whether a message is central's is checked before.
"""

from collections.abc import Callable
from typing import Protocol

from central.contract.errors import ContractError
from central.contract.notices import DownAck, DownMessage, PrintRequested
from central.contract.snapshots import Snapshot, decode_snapshot
from gateway.clock import Clock
from gateway.errors import JournalFull
from gateway.health import Health, KnowledgeHealth, KnowledgeProblem
from gateway.journal.journal import Journal
from gateway.journal.records import Applied, Standing
from gateway.logs import log_event
from gateway.replication.inbound import Inbound
from gateway.replication.snapshot_load import Loaded, LoadFailure, SnapshotLoader
from gateway.station.effects import NewPrintJob

LOAD_PAUSE_S = 5.0
LOAD_PAUSE_S_MAX = 300.0
SPREAD_S = 5.0  # So that not all gateways ask in the same moment when central is set up anew.
PRINTS_PER_STEP_MAX = 8
FULL_PAUSE_S = 2.0
SETTLED_S = 5.0  # After a connection, until what came meanwhile is taken to be here.

# By KnowledgeProblem, for the log; what the screen says is in its catalogue.
LOAD_HINTS: dict[KnowledgeProblem, str] = {
    "no_url": "Write [central] url, so that this gateway can load the stock of its warehouse.",
    "refused": "Enrol this gateway at central with the public key that it shows.",
    "unreachable": "Check [central] url and the network; go on working until then.",
    "busy": "Wait; the gateway asks again.",
    "not_trusted": "Check [central] url and tls_ca_file, and [ledger] public_key.",
    "damaged": "Tell central staff if it stays; the gateway tries again.",
    "disk": "Make space on the gateway's disk; the gateway tries again.",
}


class Follower(Protocol):
    """Who works by what central says. Called from the replicator's thread."""

    def follow(self, applied: Applied) -> None:
        """Take up what has changed; it is in the journal."""
        ...

    def label_for(self, request: PrintRequested) -> tuple[NewPrintJob, str]:
        """Return the print job for a request, and why it cannot be printed, "" if it can."""
        ...


class Downlink:
    """The gateway's end of the way from central. Times are seconds of one monotonic clock.

    jitter: returns a random number from 0 to 1.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        loader: SnapshotLoader,
        follower: Follower,
        clock: Clock,
        health: Health,
        jitter: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._loader = loader
        self._follower = follower
        self._clock = clock
        self._health = health
        self._jitter = jitter
        knowledge = journal.knowledge
        self._inbound = Inbound(knowledge.standing(), asks_again=loader.is_possible)
        self._known = knowledge.known()
        self._fresh_ms = self._known.known_ms if self._known else 0
        self._live_from_s: float | None = None
        self._problem: KnowledgeProblem = "" if loader.is_possible else "no_url"
        self._load_due_s: float | None = None
        self._failures_count = 0
        self._prints_wait = True  # Those that an earlier start left.
        self._full_until_s = 0.0
        if self._problem and self.wants_snapshot:
            hint = LOAD_HINTS[self._problem]
            log_event("info", "only own movements are counted as stock", hint=hint)
        self._write_health(is_live=False)

    @property
    def wants_snapshot(self) -> bool:
        """Return True while what central says cannot be gone on with."""
        return self._inbound.wants_snapshot

    @property
    def standing(self) -> Standing:
        """Return the stream and the last notice of it that is applied."""
        return self._inbound.standing

    def connected(self, now_s: float) -> None:
        """The broker holds our connection."""
        self._inbound.connected(now_s)

    def disconnected(self) -> None:
        """The broker is gone."""
        self._inbound.disconnected()
        self._live_from_s = None

    def listening(self, now_s: float, *, yes: bool) -> None:
        """Learn whether a worker of central serves us: what we know is of this moment then."""
        if not yes:
            self._live_from_s = None
        elif self._live_from_s is None:
            self._live_from_s = now_s + SETTLED_S

    def take(self, message: DownMessage, now_s: float) -> None:
        """Apply what is new of a message that is central's; durable on return, or sent again."""
        if message.gateway != self._journal.gateway:
            self._health.count("notices_foreign_total")
            return
        todo = self._inbound.received(message, now_s)
        if todo is None or now_s < self._full_until_s:
            return
        new = message.notices[todo.skip_count :]
        first_number = message.first_number + todo.skip_count
        try:
            applied = self._journal.knowledge.apply_notices(message.stream, first_number, new)
        except JournalFull as error:
            self._full_until_s = now_s + FULL_PAUSE_S
            self._health.count("notices_not_applied_total")
            log_event("error", "notices not applied", detail=str(error), hint=error.hint)
            return
        self._health.count("notices_applied_total", len(new))
        self._applied(applied, now_s)

    def ack_due(self, now_s: float) -> bool:
        """Return whether `ack` should go to the broker now; tell `acknowledged` when it has."""
        return self._inbound.ack_due(now_s)

    def ack(self) -> DownAck:
        """Return what is applied durably; to be sealed for "down-ack"."""
        standing = self._inbound.standing
        return DownAck(
            gateway=self._journal.gateway, stream=standing.stream, number=standing.number
        )

    def acknowledged(self, now_s: float) -> None:
        """Tell that the broker was given `ack`."""
        self._inbound.acknowledged(now_s)

    def next_wake_s(self) -> float | None:
        """Return when there is something to do if nothing happens before; None: nothing known.

        A load that runs is looked after by the steps that come in any case.
        """
        times = [self._inbound.next_wake_s(), self._load_due_s]
        return min((time for time in times if time is not None), default=None)

    def tick(self, now_s: float) -> None:
        """Load a snapshot where one is wanted, print what central wants, tell how old all is."""
        ended = self._loader.ended()
        if isinstance(ended, Loaded):
            self._take_file(ended, now_s)
        elif ended is not None:
            self._load_failed(ended, now_s)
        self._load_if_due(now_s)
        if self._prints_wait:
            self._queue_prints()
        live_from_s = self._live_from_s
        self._write_health(is_live=live_from_s is not None and now_s >= live_from_s)

    def stop(self) -> None:
        """End a load that runs; it goes on where it was another time."""
        self._loader.stop()

    def _load_if_due(self, now_s: float) -> None:
        if not self.wants_snapshot or not self._loader.is_possible or self._loader.is_busy:
            self._load_due_s = None
            return
        if self._load_due_s is None:
            has_stock = bool(self._inbound.standing.stream)
            self._load_due_s = now_s + (SPREAD_S * self._jitter() if has_stock else 0.0)
        if now_s >= self._load_due_s:
            self._load_due_s = None
            log_event("info", "loading a snapshot", stream=self._inbound.standing.stream)
            self._loader.start()

    def _take_file(self, loaded: Loaded, now_s: float) -> None:
        manifest = loaded.manifest
        try:
            snapshot = decode_snapshot(loaded.read())
            reason = self._reason_against(snapshot)
            if reason:
                raise ContractError(reason)
            if (snapshot.stream, snapshot.number) != (manifest.stream, manifest.number):
                raise ContractError("the snapshot is another one than its manifest says")
            standing = self._inbound.standing
            if snapshot.stream == standing.stream and snapshot.number <= standing.number:
                self._inbound.confirmed(now_s)  # Notices were faster.
            else:
                self._applied(self._journal.knowledge.apply_snapshot(snapshot), now_s)
        except ContractError as error:
            self._load_failed(LoadFailure("damaged", str(error)), now_s)
        except (OSError, JournalFull) as error:
            self._load_failed(LoadFailure("disk", str(error)), now_s)
            return  # The file stays: the next try need not load it again.
        else:
            self._problem, self._failures_count = "", 0
            log_event(
                "info",
                "snapshot applied",
                stream=snapshot.stream,
                number=snapshot.number,
                levels_count=len(snapshot.levels),
            )
        loaded.forget()

    def _reason_against(self, snapshot: Snapshot) -> str:
        """Return why a snapshot is not for this gateway, "" if it is."""
        ours = (self._journal.gateway, self._journal.warehouse)
        if (snapshot.gateway, snapshot.warehouse) != ours:
            return f"a snapshot for {snapshot.gateway} in {snapshot.warehouse}"
        return ""

    def _load_failed(self, failure: LoadFailure, now_s: float) -> None:
        self._failures_count += 1
        pause_s = min(LOAD_PAUSE_S * 2.0 ** min(self._failures_count - 1, 10), LOAD_PAUSE_S_MAX)
        self._load_due_s = now_s + pause_s * (0.75 + 0.5 * self._jitter())
        if failure.problem != self._problem:  # Once for each thing to do.
            self._problem = failure.problem
            hint = LOAD_HINTS.get(failure.problem, "")
            log_event("error", "no snapshot loaded", detail=failure.detail, hint=hint)
        self._health.count("snapshots_failed_total")

    def _applied(self, applied: Applied, now_s: float) -> None:
        self._inbound.stands(applied.standing, now_s)
        self._known = self._journal.knowledge.known()
        self._fresh_ms = self._clock.now_ms()
        self._prints_wait = self._prints_wait or applied.print_requests
        if applied.reference or applied.templates or applied.settings or applied.shares:
            self._follower.follow(applied)

    def _queue_prints(self) -> None:
        """Make print jobs of what central wants; what cannot be printed becomes a fact that says
        so."""
        requests = self._journal.knowledge.open_print_requests(PRINTS_PER_STEP_MAX)
        for request in requests:
            job, refused = self._follower.label_for(request)
            if refused:
                log_event(
                    "warning",
                    "label from central not printed",
                    job=request.job,
                    reason=refused,
                    hint="Tell who asked for it; central sees the reason.",
                )
            try:
                self._journal.end_requested(request, job, refused=refused)
            except JournalFull:  # The station says so to everyone; tried again with the next step.
                return
        self._prints_wait = len(requests) == PRINTS_PER_STEP_MAX

    def _write_health(self, *, is_live: bool) -> None:
        known, wanted = self._known, self.wants_snapshot
        is_live = is_live and known is not None and not wanted
        if is_live:
            self._fresh_ms = self._clock.now_ms()
        self._health.set_knowledge(
            KnowledgeHealth(
                stream=known.standing.stream if known else "",
                notice=known.standing.number if known else 0,
                stock_revision=known.revision if known else 0,
                reference_revision=known.reference_revision if known else 0,
                is_live=is_live,
                as_of_ms=self._fresh_ms,
                problem=self._problem if wanted else "",
            )
        )
