"""Makes the batch for a run of the sender, as large as broker and contract take. Loop."""

from dataclasses import dataclass
from typing import Literal

from central.contract.envelope import encode_batch
from central.contract.errors import ContractError
from gateway.journal.journal import Journal
from gateway.journal.records import StoredRun
from gateway.replication.sender import SendRun
from gateway.replication.signing import GatewayKey

RUN_BYTES_MAX = 128 * 1024  # Before compression; the broker's limit is checked after it.


@dataclass(frozen=True, slots=True)
class MadeBatch:
    """A message to publish. last_seq: the last fact in it."""

    payload: bytes
    last_seq: int


def make_batch(
    journal: Journal, key: GatewayKey, run: SendRun, *, bytes_max: int
) -> MadeBatch | Literal["facts_gone", "too_large"]:
    """Return the batch that begins as `run` says, or why there is none.

    bytes_max: what the broker lets a message hold, 0 if it does not say. A batch that is too large
    is halved until it fits.
    """
    facts_max = run.facts_max
    while facts_max:
        stored = journal.read_run(
            run.epoch, first_seq=run.first_seq, facts_max=facts_max, bytes_max=RUN_BYTES_MAX
        )
        if stored is None:
            return "facts_gone"
        payload = _payload_of(stored, journal.gateway, key)
        if payload is not None and (bytes_max == 0 or len(payload) <= bytes_max):
            return MadeBatch(payload, stored.first_seq + len(stored.facts) - 1)
        facts_max = len(stored.facts) // 2
    return "too_large"


def _payload_of(stored: StoredRun, gateway: str, key: GatewayKey) -> bytes | None:
    try:
        return encode_batch(
            gateway=gateway,
            epoch=stored.epoch,
            first_seq=stored.first_seq,
            previous_epoch_head=stored.previous_epoch_head,
            previous_digest=stored.previous_digest,
            facts=stored.facts,
            sign=key.sign,
        )
    except ContractError:
        return None  # Larger than the contract takes.
