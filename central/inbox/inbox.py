"""Takes batches once and in order, posts them, and says how far it is. Edge of the database.

All payloads of a call are one transaction. What an outcome acknowledges is committed: the caller
publishes acknowledgements after `accept` has returned, never before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from central.clock import Clock
from central.contract.acks import Ack, AckProblem
from central.contract.envelope import Batch, decode_batch
from central.contract.errors import ContractError
from central.contract.facts import NO_HEAD, decode_fact
from central.inbox import quarantine
from central.inbox.gateways import Enrolled, enrolled_gateways, mark_seen
from central.inbox.positions import Position, Positions
from central.inbox.sequences import classify, overlap_seq
from central.ledger.discrepancies import open_discrepancies
from central.ledger.entries import Entry, Finding, finding_of
from central.ledger.ledger import Ledger
from central.ledger.state import LedgerState, lock_ledger
from central.storage.database import Database

# Facts that a gateway may have under way: two full batches in flight per direction of a slow link.
CREDIT_COUNT = 8000
PAYLOADS_PER_CALL_MAX = 64

OutcomeKind = Literal["accepted", "duplicate", "gap", "quarantined"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one payload.

    ack: to publish to `gateway`, None if the payload does not say whose epoch it is about.
    detail: why it was quarantined, "" otherwise. accepted_count: facts that were new.
    """

    kind: OutcomeKind
    ack: Ack | None
    gateway: str
    detail: str = ""
    accepted_count: int = 0


@dataclass(frozen=True, slots=True)
class _Offer:
    """A payload as far as it can be judged without the ledger's lock.

    warehouse: for which the gateway is enrolled. said_warehouse: what the first fact of an
    authentic batch says, "" if it cannot be read.
    """

    topic_gateway: str
    payload: bytes
    batch: Batch | None
    warehouse: str = ""
    reason: str = ""
    detail: str = ""
    said_warehouse: str = ""


class Inbox:
    """The ledger's way in. `accept` may be called from several threads and processes at once."""

    def __init__(
        self, database: Database, *, clock: Clock, credit_count: int = CREDIT_COUNT
    ) -> None:
        self._database = database
        self._clock = clock
        self._credit_count = credit_count
        self._ledger = Ledger()

    def accept(self, payloads: Sequence[tuple[str, bytes]]) -> list[Outcome]:
        """Take (gateway of the topic, payload) pairs; return one outcome each, in order.

        Whatever the bytes are, each gets an outcome. On return all of it is durable.
        Raises LedgerUnavailable, and then nothing of it is committed: offer it again.
        """
        assert len(payloads) <= PAYLOADS_PER_CALL_MAX
        offers = self._opened([(topic, *_decoded(payload), payload) for topic, payload in payloads])
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            call = _Call(
                connection,
                lock_ledger(connection),
                offers,
                now_ms=now_ms,
                credit_count=self._credit_count,
            )
            outcomes = [call.take(offer) for offer in offers]
            call.write(self._ledger)
        return outcomes

    def _opened(self, decoded: Sequence[tuple[str, Batch | None, str, bytes]]) -> list[_Offer]:
        """Authenticate outside the lock: signatures cost more than the rest of the decision."""
        names = {batch.gateway for _, batch, _, _ in decoded if batch is not None}
        enrolled: dict[str, Enrolled] = {}
        if names:
            with self._database.read() as connection:
                enrolled = enrolled_gateways(connection, names)
        return [
            _authenticated(_Offer(topic, payload, batch, detail=problem), enrolled)
            for topic, batch, problem, payload in decoded
        ]


def _decoded(payload: bytes) -> tuple[Batch | None, str]:
    try:
        return decode_batch(payload), ""
    except ContractError as error:
        return None, str(error)


def _authenticated(offer: _Offer, enrolled: dict[str, Enrolled]) -> _Offer:
    batch = offer.batch
    if batch is None:
        return _Offer(offer.topic_gateway, offer.payload, None, "", "unreadable", offer.detail)
    topic, payload, gateway = offer.topic_gateway, offer.payload, batch.gateway
    if topic != gateway:
        detail = f"a batch of {gateway} came as {topic[:64]}"
        return _Offer(topic, payload, None, "", "wrong_topic", detail)
    known = enrolled.get(gateway)
    if known is None:
        detail = f"gateway {gateway} is not enrolled"
        return _Offer(topic, payload, batch, "", "unknown_gateway", detail)
    try:
        key = Ed25519PublicKey.from_public_bytes(known.public_key)
        key.verify(batch.signature, batch.signed_bytes)
    except (InvalidSignature, ValueError):
        detail = f"the signature is not that of {gateway}"
        return _Offer(topic, payload, batch, known.warehouse, "bad_signature", detail)
    said_warehouse = _warehouse_of(batch.facts[0])
    return _Offer(topic, payload, batch, known.warehouse, said_warehouse=said_warehouse)


def _warehouse_of(body: bytes) -> str:
    try:
        return decode_fact(body).warehouse
    except ContractError:
        return ""  # The ledger keeps it raw, with a discrepancy.


class _Call:
    """One call of `accept` under the ledger's lock."""

    def __init__(
        self,
        connection: Connection,
        state: LedgerState,
        offers: Sequence[_Offer],
        *,
        now_ms: int,
        credit_count: int,
    ) -> None:
        self._connection = connection
        self._state = state
        self._now_ms = now_ms
        self._credit_count = credit_count
        self._entries: list[Entry] = []
        self._refused: list[quarantine.Refused] = []
        self._findings: list[Finding] = []
        self._seen: set[str] = set()
        self._positions = Positions(
            connection,
            (
                (offer.batch.gateway, str(offer.batch.epoch))
                for offer in offers
                if offer.batch is not None
            ),
        )

    def take(self, offer: _Offer) -> Outcome:
        """Decide one offer and note what is to be written."""
        batch = offer.batch
        if batch is None:
            return self._refuse(offer, None)
        position = self._positions.at((batch.gateway, str(batch.epoch)), warehouse=offer.warehouse)
        if offer.reason == "unknown_gateway":
            return self._refuse(offer, self._ack(batch, None, "unknown_gateway"))
        if offer.reason == "bad_signature":
            return self._refuse(offer, self._ack(batch, position, "bad_signature"))
        self._seen.add(batch.gateway)
        if offer.said_warehouse not in ("", position.warehouse):
            return self._refuse_warehouse(offer, batch, position)
        overlap = overlap_seq(
            acked=position.acked, first_seq=batch.first_seq, last_seq=batch.last_seq
        )
        verdict = classify(
            acked=position.acked,
            head_digest=position.head_digest,
            first_seq=batch.first_seq,
            previous_digest=batch.previous_digest,
            digests=batch.digests,
            known_digest=self._positions.digest_at(position, overlap),
        )
        if verdict.kind == "fork":
            return self._alarm(offer, batch, position, "fork")
        if verdict.kind == "broken_chain":
            return self._alarm(offer, batch, position, "broken_chain")
        if verdict.kind == "accept":
            return self._append(batch, position, verdict.offset)
        return Outcome(verdict.kind, self._ack(batch, position), batch.gateway)

    def write(self, ledger: Ledger) -> None:
        """Write everything that the offers led to."""
        ledger.post(self._connection, self._state, self._entries, now_ms=self._now_ms)
        self._positions.write(now_ms=self._now_ms)
        open_discrepancies(self._connection, self._findings, now_ms=self._now_ms, counts=False)
        quarantine.keep(self._connection, self._state, self._refused, now_ms=self._now_ms)
        mark_seen(self._connection, self._seen, now_ms=self._now_ms)

    def _append(self, batch: Batch, position: Position, offset: int) -> Outcome:
        number = self._state.record_no + len(self._entries) + 1
        start = len(self._entries)
        epoch = str(batch.epoch)
        for index in range(offset, len(batch.facts)):
            self._entries.append(
                Entry(
                    position.warehouse,
                    batch.gateway,
                    epoch,
                    batch.first_seq + index,
                    batch.facts[index],
                    batch.digests[index],
                    number + index - offset,
                )
            )
        if batch.first_seq == 1 and not position.acked:
            self._check_link(batch, self._entries[start])
        self._positions.advance(position, batch)
        taken = self._positions.at((batch.gateway, epoch), warehouse=position.warehouse)
        count = len(self._entries) - start
        return Outcome("accepted", self._ack(batch, taken), batch.gateway, accepted_count=count)

    def _check_link(self, batch: Batch, entry: Entry) -> None:
        """A journal that began anew or went back in time is taken, and people are told."""
        if self._positions.links_to_known_head(batch):
            return
        detail = (
            "the journal before this epoch is not what the ledger has: card changed or restored"
        )
        if batch.previous_epoch_head == NO_HEAD:
            detail = "the journal began anew: what only the old card held is not here"
        self._findings.append(
            finding_of(entry, "broken_chain", f"{entry.gateway}/{entry.epoch}", detail=detail)
        )

    def _alarm(
        self,
        offer: _Offer,
        batch: Batch,
        position: Position,
        problem: Literal["fork", "broken_chain"],
    ) -> Outcome:
        detail = f"{batch.gateway} offers another history than the ledger has ({problem})"
        entry = Entry(
            position.warehouse,
            batch.gateway,
            str(batch.epoch),
            batch.first_seq,
            b"",
            b"",
            self._state.record_no,
        )
        subject = f"{entry.gateway}/{entry.epoch}"
        self._findings.append(finding_of(entry, problem, subject, detail=detail))
        refused = _Offer(
            offer.topic_gateway, offer.payload, batch, offer.warehouse, problem, detail
        )
        return self._refuse(refused, self._ack(batch, position, problem))

    def _refuse_warehouse(self, offer: _Offer, batch: Batch, position: Position) -> Outcome:
        """Leave the facts with the gateway: taken, they would never be stock anywhere."""
        detail = (
            f"{batch.gateway} sends facts about {offer.said_warehouse},"
            f" its epoch belongs to {position.warehouse}"
        )
        refused = replace(offer, reason="wrong_warehouse", detail=detail)
        return self._refuse(refused, self._ack(batch, position, "wrong_warehouse"))

    def _refuse(self, offer: _Offer, ack: Ack | None) -> Outcome:
        self._refused.append(
            quarantine.Refused(offer.topic_gateway, offer.reason, offer.detail, offer.payload)
        )
        return Outcome("quarantined", ack, offer.topic_gateway, offer.detail)

    def _ack(self, batch: Batch, position: Position | None, problem: AckProblem = "") -> Ack:
        acked = position.acked if position is not None else 0
        return Ack(
            gateway=batch.gateway,
            start_count=batch.epoch.start_count,
            nonce=batch.epoch.nonce,
            acked=acked,
            want=acked + 1,
            head_digest=position.head_digest if position is not None else NO_HEAD,
            credit_count=self._credit_count,
            ledger_generation=self._state.generation,
            ledger_time_ms=self._now_ms,
            problem=problem,
        )
