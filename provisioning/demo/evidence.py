"""What was found on either side at the end of the demo, before it is judged. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from provisioning.demo.actions import Provoked


@dataclass(frozen=True, slots=True, order=True)
class StockKey:
    """What stock is counted by at physical places of one warehouse."""

    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str


# (epoch, seq, digest in hexadecimal): equal on both sides only if every byte before is equal.
FactMark = tuple[str, int, str]
Stock = dict[StockKey, Decimal]


@dataclass(frozen=True, slots=True)
class GatewayEvidence:
    """One gateway's journal, and what the ledger has of it.

    facts_expected_count: what the script and the traffic caused. verified: the verdict of
    `journal verify`. unsent_count: what the gateway itself said last.
    """

    gateway: str
    warehouse: str
    facts_expected_count: int
    journaled: frozenset[FactMark]
    posted: frozenset[FactMark]
    posted_rows_count: int
    heads: dict[str, int]
    acked: dict[str, int]
    unsent_count: int
    local_stock: Stock
    central_stock: Stock
    verified: bool


@dataclass(frozen=True, slots=True)
class LabelEvidence:
    """One printed label: the bar codes that it should carry and those read back."""

    expected: tuple[str, ...]
    decoded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CutEvidence:
    """One cut of the network: facts recorded during it, and facts that the gateway kept for it."""

    gateway: str
    caused_count: int
    kept_count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the summary is made from."""

    gateways: tuple[GatewayEvidence, ...]
    ledger_facts_count: int
    quarantined_count: int
    ledger_verified: bool
    labels: tuple[LabelEvidence, ...]
    cuts: tuple[CutEvidence, ...]
    provoked: frozenset[Provoked]
    discrepancies: frozenset[Provoked]
    children_ended: tuple[str, ...]
