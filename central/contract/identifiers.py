"""Identities of gateways, epochs and facts. Pure.

A fact is known everywhere by `(gateway, epoch, seq)`:

    gateway  code given at enrolment, e.g. "sh1-dock-2"
    epoch    minted at every process start: start counter and a random 64-bit number
    seq      1, 2, 3 ... within the epoch, without gaps

The random part of the epoch makes a restored card image unable to reuse a number, even though its
start counter repeats. No UUID travels; APIs derive one from the identity where a client wants it.
"""

import re
import uuid
from dataclasses import dataclass
from functools import lru_cache

from central.contract.errors import ContractError

CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
EPOCH_TEXT = re.compile(r"(\d{8})-([0-9a-f]{16})")
FACT_TEXT = re.compile(r"([^/]+)/([^/]+)/(\d{1,19})")
START_COUNT_MAX = 99_999_999
SEQ_MAX = 2**63 - 1
CODES_REMEMBERED_MAX = 4096  # The same few codes are in every fact.
# Namespace of the derived UUIDs: uuid5(NAMESPACE_URL, "https://dockledger.invalid/fact").
FACT_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://dockledger.invalid/fact")


@lru_cache(maxsize=CODES_REMEMBERED_MAX)
def parse_code(text: str, *, what: str) -> str:
    """Return `text` if it can be a code of a gateway, site, warehouse, location, item or station.

    1 to 64 letters, digits, ".", "_" or "-", beginning and ending with a letter or digit: safe in
    MQTT topics, URLs, file names and bar codes. Raises ContractError that names `what`.
    """
    if not CODE.fullmatch(text):
        raise ContractError(
            f"{what} code {text[:80]!r} is not usable",
            hint=f"Give the {what} a code of 1 to 64 letters, digits, '.', '_' or '-'.",
        )
    return text


@dataclass(frozen=True, slots=True, order=True)
class Epoch:
    """One run of one gateway. Ordered by start counter, then by the random number.

    start_count: 1 for the first start of a journal, then one more at each start.
    nonce: 64 random bits.
    """

    start_count: int
    nonce: int

    def __post_init__(self) -> None:
        if not 1 <= self.start_count <= START_COUNT_MAX or not 0 <= self.nonce < 2**64:
            raise ContractError(f"epoch {self.start_count}-{self.nonce} is out of range")

    def __str__(self) -> str:
        """Return e.g. "00000012-9f3a5c0b1d2e4f60"; sorts as text as the epochs sort."""
        return f"{self.start_count:08d}-{self.nonce:016x}"


def parse_epoch(text: str) -> Epoch:
    """Return the epoch that `str(epoch)` wrote. Raises ContractError."""
    match = EPOCH_TEXT.fullmatch(text)
    if match is None:
        raise ContractError(f"epoch {text[:80]!r} is not of the form 00000012-9f3a5c0b1d2e4f60")
    return Epoch(start_count=int(match[1]), nonce=int(match[2], 16))


@dataclass(frozen=True, slots=True, order=True)
class FactId:
    """The identity of one fact."""

    gateway: str
    epoch: Epoch
    seq: int

    def __post_init__(self) -> None:
        if not 1 <= self.seq <= SEQ_MAX:
            raise ContractError(f"sequence number {self.seq} is out of range")

    def __str__(self) -> str:
        """Return "gateway/epoch/seq", the form in logs, URLs and on screens."""
        return f"{self.gateway}/{self.epoch}/{self.seq}"


def parse_fact_id(text: str) -> FactId:
    """Return the identity that `str(fact_id)` wrote. Raises ContractError."""
    match = FACT_TEXT.fullmatch(text)
    if match is None:
        raise ContractError(f"fact identity {text[:120]!r} is not of the form gateway/epoch/seq")
    gateway = parse_code(match[1], what="gateway")
    return FactId(gateway=gateway, epoch=parse_epoch(match[2]), seq=int(match[3]))


def fact_uuid(fact_id: FactId) -> uuid.UUID:
    """Return the UUIDv5 (RFC 9562) of a fact, the same on every machine."""
    return uuid.uuid5(FACT_NAMESPACE, str(fact_id))
