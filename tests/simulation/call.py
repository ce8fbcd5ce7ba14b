"""One call of the inbox under its locks: the product's receiver over the modelled rows. Pure."""

from central.contract.acks import Ack
from central.contract.envelope import Batch
from central.inbox.receiver import NOTHING, Standing, acknowledgement, advanced, take_order
from tests.simulation.bugs import Bugs
from tests.simulation.database import Database, Key
from tests.simulation.network import Message


class Call:
    """One call of the inbox under its locks."""

    def __init__(
        self, database: Database, bugs: Bugs, ledger_time_ms: int, credit_count: int
    ) -> None:
        self._database = database
        self._bugs = bugs
        self._ledger_time_ms = ledger_time_ms
        self._credit_count = credit_count
        self._standings: dict[Key, Standing] = {}
        self._taken: dict[Key, list[Batch]] = {}
        self.added: list[tuple[Key, int, tuple[bytes, ...], tuple[bytes, ...], bytes]] = []

    def judge_all(self, messages: list[Message]) -> list[Ack]:
        """Return the acknowledgements, in the order in which the batches are taken."""
        batches = [None if one.kind == "corrupt" else one.batch for one in messages]
        acks = []
        for index in take_order(batches):
            batch = batches[index]
            if batch is not None:
                acks.append(self._take(batch, messages[index]))
        return acks

    def _take(self, batch: Batch, message: Message) -> Ack:
        key = batch.gateway, batch.epoch
        if batch.gateway not in self._database.enrolled:
            return self._ack(key, None, "unknown_gateway", message.digest)
        standing = self._standings.get(key)
        if standing is None:
            acked, digest = self._database.standing(key)
            standing = NOTHING
            if acked:
                stable = min(acked, self._database.stable.get(key, 0))
                standing = Standing(acked, digest, stable)
            self._standings[key] = standing
        if message.kind == "forged":
            return self._ack(key, standing, "bad_signature", message.digest)
        verdict = self._bugs.judge(standing, batch, digest_at=lambda seq: self._digest(key, seq))
        if verdict.kind in {"fork", "broken_chain"}:
            return self._ack(key, standing, verdict.kind, message.digest)
        if verdict.kind == "accept":
            first, offset = batch.first_seq + verdict.offset, verdict.offset
            facts, digests = batch.facts[offset:], batch.digests[offset:]
            self.added.append((key, first, facts, digests, batch.previous_epoch_head))
            standing = advanced(standing, batch, stable_at_commit=False)
            self._standings[key] = standing
            self._taken.setdefault(key, []).append(batch)
        return self._ack(key, standing)

    def _digest(self, key: Key, seq: int) -> bytes | None:
        for batch in self._taken.get(key, ()):
            if batch.first_seq <= seq <= batch.last_seq:
                return batch.digests[seq - batch.first_seq]
        return self._database.digest_at(key, seq)

    def _ack(
        self, key: Key, standing: Standing | None, problem: str = "", refused: bytes = b""
    ) -> Ack:
        return acknowledgement(
            gateway=key[0],
            epoch=key[1],
            standing=standing,
            credit_count=self._credit_count,
            generation=self._database.generation,
            ledger_time_ms=self._ledger_time_ms,
            problem=problem,
            refused_digest=refused,
        )
