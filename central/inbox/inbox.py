"""Takes batches once and in order, posts them, and says how far it is. Edge of the database.

All payloads of a call are one transaction. What an outcome acknowledges is committed: the caller
publishes acknowledgements after `accept` has returned, never before.

    decode, authenticate | lock positions, judge | lock the ledger, post, write | commit
    any number at once     one call an epoch       one call at a time

The ledger's own lock comes last, and not at all where nothing is new.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from central.clock import Clock
from central.contract.acks import Ack, AckProblem
from central.contract.facts import NO_HEAD
from central.inbox import quarantine
from central.inbox.gateways import Enrolled, enrolled_gateways, enrolled_soon, mark_seen
from central.inbox.offers import Offer, authenticate, decode_offer
from central.inbox.positions import Position, Positions, lock_positions, lock_with_ledger
from central.inbox.receiver import CREDIT_COUNT, acknowledgement, digest_of, judge, take_order
from central.inbox.seen import Seen
from central.inbox.written import Written
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import Entry, Finding, finding_of
from central.ledger.in_turn import post_in_turn
from central.ledger.ledger import Follower, Ledger
from central.ledger.runs import Run, Told
from central.ledger.state import LedgerState, lock_soon, read_state
from central.storage.database import Database

PAYLOADS_PER_CALL_MAX = 64
ENROLLED_KEPT_MAX = 10_000  # Gateways of which the key is remembered.

OutcomeKind = Literal["accepted", "duplicate", "gap", "quarantined"]


class Outcome(msgspec.Struct, frozen=True):
    """What became of one payload.

    ack: where its epoch stands after the call, to sign and to tell `gateway`; None if the payload
    names none. detail: why it was quarantined, "" otherwise. accepted_count: facts that were new.
    """

    kind: OutcomeKind
    ack: Ack | None
    gateway: str
    detail: str = ""
    accepted_count: int = 0


class _Decision(msgspec.Struct, frozen=True):
    """What is to become of an offer. position: None if the ledger says nothing of its epoch.

    offset: how many facts of an accepted batch the ledger has already.
    """

    offer: Offer
    kind: OutcomeKind
    position: Position | None = None
    problem: AckProblem = ""
    offset: int = 0


class Inbox:
    """The ledger's way in. `accept` may be called from several threads and processes at once.

    credit: returns how many facts a gateway may have under way just now. stable_at_commit: what is
    committed is replicated already, as by a synchronous standby; else a backup has to come first.
    followers: of what is posted.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        credit: Callable[[], int] = lambda: CREDIT_COUNT,
        stable_at_commit: bool = False,
        followers: Sequence[Follower] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._credit = credit
        self._stable_at_commit = stable_at_commit
        self._ledger = Ledger(followers)
        self._enrolled: dict[str, Enrolled] = {}
        self._written = Written()
        self._seen = Seen()

    def accept(self, payloads: Sequence[tuple[str | None, bytes]]) -> list[Outcome]:
        """Take (gateway of the topic, payload) pairs; return one outcome each, in their order.

        None stands for no topic: the gateway is whom the payload itself names.
        Whatever the bytes are, each gets an outcome. On return all of it is durable.
        Raises LedgerUnavailable, and then nothing of it is committed: offer it again.
        """
        assert len(payloads) <= PAYLOADS_PER_CALL_MAX
        decoded = [decode_offer(topic, payload) for topic, payload in payloads]
        names = {offer.batch.gateway for offer in decoded if offer.batch is not None}
        while True:
            enrolled = self._known(names)
            # Outside the locks: signatures cost more than the rest of the decision.
            offers = [authenticate(offer, enrolled) for offer in decoded]
            try:
                return self._take(offers, names, enrolled)
            except _OvertakenError:
                continue  # Its row is there now, so this comes at most once an epoch.
            except _EnrolledAnewError:
                self._enrolled = {}

    def _known(self, names: Set[str]) -> dict[str, Enrolled]:
        """Return the enrolled ones of these gateways, as far as is known; `_take` looks again."""
        known = self._enrolled if len(self._enrolled) < ENROLLED_KEPT_MAX else {}
        unknown = {name for name in names if name not in known}  # Not all keys are walked through.
        if unknown:
            with self._database.read() as connection:
                known = known | enrolled_gateways(connection, unknown)
            self._enrolled = known
        return {name: known[name] for name in names if name in known}

    def _take(
        self, offers: Sequence[Offer], names: Set[str], enrolled: Mapping[str, Enrolled]
    ) -> list[Outcome]:
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            epochs = [(one.batch.gateway, str(one.batch.epoch)) for one in offers if one.batch]
            told = self._told_if_new(offers)
            ledger_locked: Callable[[], LedgerState] | None = None
            if told is None:
                locked = lock_positions(connection, epochs)
            else:
                locked, ledger_locked = lock_with_ledger(connection, epochs)
            still_enrolled = enrolled_soon(connection, names)
            self._ledger.look_ahead(connection, told or ())
            if still_enrolled() != enrolled:
                raise _EnrolledAnewError
            positions = Positions(connection, locked(), stable_at_commit=self._stable_at_commit)
            call = _Call(connection, positions)
            decisions: dict[int, _Decision] = {}
            for index in take_order([offer.batch for offer in offers]):
                decisions[index] = call.decide(offers[index])
            if all(one.kind in {"duplicate", "gap"} for one in decisions.values()):
                state = read_state(connection) if ledger_locked is None else ledger_locked()
            else:
                state = call.write(
                    self._ledger, list(decisions.values()), ledger_locked, now_ms=now_ms
                )
            newly_seen = self._seen.due(call.seen, now_ms=now_ms)
            mark_seen(connection, newly_seen, now_ms=now_ms)
        self._seen.note(newly_seen, now_ms=now_ms)
        said = [(one.kind == "accepted", one.offer.batch) for one in decisions.values()]
        self._written.note(
            (batch for is_taken, batch in said if is_taken and batch is not None),
            (batch for is_taken, batch in said if not is_taken and batch is not None),
        )
        credit_count = self._credit()
        return [
            call.outcome(decisions[index], state, credit_count=credit_count, now_ms=now_ms)
            for index in range(len(offers))
        ]

    def _told_if_new(self, offers: Sequence[Offer]) -> list[Told] | None:
        """Return what offers tell if all of it is probably new, None if not.

        That is what follows on what this inbox itself has written last.
        """
        told: list[Told] = []
        for offer in offers:
            batch, facts = offer.batch, offer.facts
            if batch is None or facts is None or not self._written.is_followed_by(batch):
                return None
            told.append((offer.warehouse, facts))
        return told


class _EnrolledAnewError(Exception):
    """A gateway has another key or warehouse than the one by which it was authenticated."""


class _OvertakenError(Exception):
    """Another worker has begun an epoch that this call was about to begin."""


class _Call:
    """One attempt of `accept`, in one transaction."""

    def __init__(self, connection: Connection, positions: Positions) -> None:
        self._connection = connection
        self._positions = positions
        self._runs: list[Run] = []
        self._findings: list[Finding] = []
        self.seen: set[str] = set()

    def decide(self, offer: Offer) -> _Decision:
        """Judge an offer by what the ledger and the offers before it have."""
        batch = offer.batch
        if batch is None:
            return _Decision(offer, "quarantined")
        if offer.reason == "unknown_gateway":
            return _Decision(offer, "quarantined", None, "unknown_gateway")
        position = self._positions.at((batch.gateway, str(batch.epoch)), warehouse=offer.warehouse)
        if offer.reason == "bad_signature":
            return _Decision(offer, "quarantined", position, "bad_signature")
        self.seen.add(batch.gateway)
        if offer.said_warehouse not in {"", position.warehouse}:
            return _refused(offer, position, "wrong_warehouse")
        verdict = judge(
            position.standing,
            batch,
            digest_at=lambda seq: self._positions.digest_at(position, seq),
        )
        if verdict.kind == "accept":
            after = self._positions.advance(position, batch)
            return _Decision(offer, "accepted", after, offset=verdict.offset)
        if verdict.kind == "gap":
            return _Decision(offer, "gap", position)
        if verdict.kind == "duplicate":
            return _Decision(offer, "duplicate", position)
        return _refused(offer, position, verdict.kind)

    def write(
        self,
        ledger: Ledger,
        decisions: Sequence[_Decision],
        locked: Callable[[], LedgerState] | None,
        *,
        now_ms: int,
    ) -> LedgerState:
        """Write everything that the decisions lead to, under the ledger's lock.

        locked: gives the ledger's state if the lock is taken already. Returns the state as it was
        before.
        """
        told = [
            (one.position.warehouse, one.offer.facts)
            for one in decisions
            if one.kind == "accepted" and one.position is not None and one.offer.facts
        ]
        if locked is None or told != [(one.offer.warehouse, one.offer.facts) for one in decisions]:
            locked = locked or lock_soon(self._connection)
            ledger.look_ahead(self._connection, told)
        state = locked()
        if self._positions.overtaken():
            raise _OvertakenError
        for decision in decisions:
            if decision.kind == "accepted":
                self._append(decision, state)
            elif decision.problem in {"fork", "broken_chain"}:
                self._alarm(decision, state)
        post_in_turn(ledger, self._connection, state, self._runs, now_ms=now_ms)
        self._positions.write(now_ms=now_ms)
        open_discrepancies(self._connection, self._findings, now_ms=now_ms, counts=False)
        refused = [
            quarantine.Refused(one.topic_gateway, one.reason, one.detail, one.payload)
            for one in (decision.offer for decision in decisions)
            if one.reason
        ]
        quarantine.keep(self._connection, state, refused, now_ms=now_ms)
        return state

    def outcome(
        self, decision: _Decision, state: LedgerState, *, credit_count: int, now_ms: int
    ) -> Outcome:
        """Return what became of an offer; where the ledger stands is said as after all of them."""
        offer, batch, position = decision.offer, decision.offer.batch, decision.position
        if batch is None:
            return Outcome("quarantined", None, offer.topic_gateway, offer.detail)
        if position is not None:
            position = self._positions.newest(position)
        ack = acknowledgement(
            gateway=batch.gateway,
            epoch=batch.epoch,
            standing=position.standing if position is not None else None,
            credit_count=credit_count,
            generation=state.generation,
            ledger_time_ms=now_ms,
            problem=decision.problem,
            refused_digest=digest_of(offer.payload) if decision.problem else b"",
        )
        accepted_count = len(batch.facts) - decision.offset if decision.kind == "accepted" else 0
        return Outcome(decision.kind, ack, batch.gateway, offer.detail, accepted_count)

    def _append(self, decision: _Decision, state: LedgerState) -> None:
        batch, position = decision.offer.batch, decision.position
        facts = decision.offer.facts
        assert batch is not None and position is not None and facts is not None
        run = Run(
            position.warehouse,
            position.gateway,
            position.epoch,
            batch.first_seq,
            state.record_no + sum(len(run.bodies) for run in self._runs) + 1,
            batch.facts,
            batch.digests,
            facts,
        ).without_first(decision.offset)
        self._runs.append(run)
        if run.first_seq == 1 and not self._positions.links_to_known_head(batch):
            self._findings.append(_new_journal(run.entry_at(0), batch.previous_epoch_head))

    def _alarm(self, decision: _Decision, state: LedgerState) -> None:
        batch, position = decision.offer.batch, decision.position
        assert batch is not None and position is not None
        entry = Entry(
            position.warehouse,
            position.gateway,
            position.epoch,
            batch.first_seq,
            b"",
            b"",
            state.record_no,
        )
        kind: Literal["fork", "broken_chain"] = (
            "fork" if decision.problem == "fork" else "broken_chain"
        )
        subject = f"{entry.gateway}/{entry.epoch}"
        self._findings.append(finding_of(entry, kind, subject, detail=decision.offer.detail))


def _refused(
    offer: Offer,
    position: Position,
    problem: Literal["wrong_warehouse", "fork", "broken_chain"],
) -> _Decision:
    """Leave the facts with the gateway, whole."""
    if problem == "wrong_warehouse":
        # Taken, they would never be stock anywhere.
        detail = (
            f"{position.gateway} sends facts about {offer.said_warehouse},"
            f" its epoch belongs to {position.warehouse}"
        )
    else:
        detail = f"{position.gateway} offers another history than the ledger has ({problem})"
    return _Decision(
        replace(offer, reason=problem, detail=detail), "quarantined", position, problem
    )


def _new_journal(entry: Entry, previous_epoch_head: bytes) -> Finding:
    """A journal that began anew or went back in time is taken, and people are told."""
    detail = "the journal before this epoch is not what the ledger has: card changed or restored"
    if previous_epoch_head == NO_HEAD:
        detail = "the journal began anew: what only the old card held is not here"
    return finding_of(entry, "broken_chain", f"{entry.gateway}/{entry.epoch}", detail=detail)
