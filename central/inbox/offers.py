"""Reads and authenticates what was offered, before anything is locked. Edge of cryptography."""

from collections.abc import Mapping
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.contract.envelope import Batch, decode_batch
from central.contract.errors import ContractError
from central.inbox.gateways import Enrolled
from central.ledger.reading import read_facts
from central.ledger.runs import FactsRead

KEYS_KEPT_MAX = 1000  # Keys of gateways that were heard last; one that is none is tried each time.


class Offer(msgspec.Struct, frozen=True):
    """A payload as far as it can be judged without knowing where the ledger stands.

    topic_gateway: in whose name it came. batch: None if nothing of it can be believed.
    warehouse: for which the gateway is enrolled. reason: why it is refused, "" if it is authentic;
    detail: the same in words. facts: of an authentic batch, None of any other.
    """

    topic_gateway: str
    payload: bytes
    batch: Batch | None
    warehouse: str = ""
    reason: str = ""
    detail: str = ""
    facts: FactsRead | None = None

    @property
    def said_warehouse(self) -> str:
        """Return what the first fact of an authentic batch says, "" if it cannot be read."""
        first = self.facts.facts[0] if self.facts is not None else ""
        return "" if isinstance(first, str) else first.warehouse


def decode_offer(topic_gateway: str | None, payload: bytes) -> Offer:
    """Return the offer, refused as "unreadable" if it is no batch; not yet authenticated.

    topic_gateway: None if it came without a topic, in the name of whom the payload names.
    """
    try:
        batch = decode_batch(payload)
    except ContractError as error:
        return Offer(topic_gateway or "", payload, None, "", "unreadable", str(error))
    return Offer(batch.gateway if topic_gateway is None else topic_gateway, payload, batch)


def authenticate(offer: Offer, enrolled: Mapping[str, Enrolled]) -> Offer:
    """Return the offer with what is wrong about its sender, or with its warehouses."""
    batch = offer.batch
    if batch is None:
        return offer
    topic, payload, gateway = offer.topic_gateway, offer.payload, batch.gateway
    if topic != gateway:
        detail = f"a batch of {gateway} came as {topic[:64]}"
        return Offer(topic, payload, None, "", "wrong_topic", detail)
    known = enrolled.get(gateway)
    if known is None:
        detail = f"gateway {gateway} is not enrolled"
        return Offer(topic, payload, batch, "", "unknown_gateway", detail)
    try:
        _key_of(known.public_key).verify(batch.signature, batch.signed_bytes)
    except (InvalidSignature, ValueError):
        detail = f"the signature is not that of {gateway}"
        return Offer(topic, payload, batch, known.warehouse, "bad_signature", detail)
    # What cannot be read the ledger keeps raw, with a discrepancy.
    facts = read_facts(batch.facts, first_seq=batch.first_seq)
    return Offer(topic, payload, batch, known.warehouse, facts=facts)


@lru_cache(KEYS_KEPT_MAX)
def _key_of(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)
