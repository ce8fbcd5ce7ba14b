"""Asks central's API: what is there, and to change something. Edge of HTTP."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar

import httpx
import msgspec

from provisioning.demo.actions import JsonValue, Provoked
from provisioning.demo.evidence import FactMark, Stock, StockKey

REQUEST_TIMEOUT_S = 10.0
OFFICE = "office"
PAGE_ROWS = 1000
PAGES_MAX = 10_000
KINDS = ("movement", "reversal", "weighing", "print", "count")


class LedgerCounts(msgspec.Struct, frozen=True):
    """How much the ledger holds."""

    facts: int
    gateways_online: int
    quarantined: int


class LedgerHealth(msgspec.Struct, frozen=True):
    """Whether the ledger hears the broker, and how much it holds."""

    intake_connected: bool | None
    counts: LedgerCounts | None


class LedgerPosition(msgspec.Struct, frozen=True):
    """How far one epoch is committed."""

    epoch: str
    acked_seq: int


class LedgerGateway(msgspec.Struct, frozen=True):
    """What the ledger knows of a gateway."""

    gateway: str
    online: bool
    positions: list[LedgerPosition]


class _Stock(msgspec.Struct, frozen=True):
    location: str
    item: str
    lot: str
    serial: str
    sscc: str
    unit: str
    on_hand: str


class _Fact(msgspec.Struct, frozen=True):
    epoch: str
    seq: int
    digest: str
    serial: str = ""


class _Discrepancy(msgspec.Struct, frozen=True):
    warehouse: str
    kind: str
    subject: str


class _Told(msgspec.Struct, frozen=True):
    last_number: int
    acked_number: int
    reference_revision: int
    reference_newest: int


class _Changed(msgspec.Struct, frozen=True):
    code: str = ""


class _Page(msgspec.Struct, frozen=True):
    """Any page; only the list that was asked for is there."""

    next_cursor: str | None
    stock: list[_Stock] = []
    movements: list[_Fact] = []
    gateways: list[LedgerGateway] = []
    discrepancies: list[_Discrepancy] = []


Answer = TypeVar("Answer")


class LedgerClient:
    """Asks central at 127.0.0.1:`port`. Raises httpx.HTTPError if it does not answer."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self._client = httpx.Client(base_url=self.url, timeout=REQUEST_TIMEOUT_S, trust_env=False)

    def health(self) -> LedgerHealth | None:
        """Return how central is, None if it does not answer yet."""
        try:
            return self._get("/api/v1/health", {}, LedgerHealth)
        except httpx.HTTPError:
            return None

    def gateways(self) -> list[LedgerGateway]:
        """Return every enrolled gateway."""
        return [row for page in self._pages("/api/v1/gateways", {}) for row in page.gateways]

    def acknowledged(self, gateway: str) -> dict[str, int]:
        """Return the last number that the ledger has committed, by epoch."""
        return {
            position.epoch: position.acked_seq
            for known in self.gateways()
            if known.gateway == gateway
            for position in known.positions
            if position.acked_seq
        }

    def stock(self, warehouse: str) -> Stock:
        """Return the balances of a warehouse at physical places that are not zero."""
        return {
            StockKey(row.location, row.item, row.lot, row.serial, row.sscc, row.unit): Decimal(
                row.on_hand
            )
            for page in self._pages("/api/v1/stock", {"warehouse": warehouse})
            for row in page.stock
        }

    def facts(self, gateway: str) -> list[FactMark]:
        """Return every fact of a gateway, of all kinds, newest first."""
        asked: dict[str, str | tuple[str, ...]] = {"gateway": gateway, "kind": KINDS}
        return [
            (row.epoch, row.seq, row.digest)
            for page in self._pages("/api/v1/movements", asked)
            for row in page.movements
        ]

    def serials(self, gateway: str) -> list[str]:
        """Return the serial number of every movement of a gateway, "" where it has none."""
        asked: dict[str, str | tuple[str, ...]] = {"gateway": gateway, "kind": ("movement",)}
        return [
            row.serial for page in self._pages("/api/v1/movements", asked) for row in page.movements
        ]

    def discrepancies(self) -> list[Provoked]:
        """Return every open discrepancy."""
        return [
            Provoked(row.warehouse, row.kind, row.subject)
            for page in self._pages("/api/v1/discrepancies", {"state": "open"})
            for row in page.discrepancies
        ]

    def change(self, path: str, body: dict[str, JsonValue]) -> str:
        """Have head office change something; return the code of what it is, "" for none."""
        answer = self._client.post(
            f"/api/v1{path}", json=body, headers={"Dockledger-Actor": OFFICE}
        )
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=_Changed).code

    def has_told(self, gateway: str) -> bool:
        """Return True if a gateway knows all documents, items and places that there are."""
        told = self._get(f"/api/v1/gateways/{gateway}/notices", {}, _Told)
        newest = told.reference_revision == told.reference_newest
        return newest and told.acked_number == told.last_number

    def close(self) -> None:
        """Close the connection. May be called twice."""
        self._client.close()

    def _pages(self, path: str, asked: dict[str, str | tuple[str, ...]]) -> Iterator[_Page]:
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            more = {"cursor": cursor} if cursor else {}
            page = self._get(path, {**asked, **more, "limit": str(PAGE_ROWS)}, _Page)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def _get(
        self, path: str, asked: dict[str, str | tuple[str, ...]], form: type[Answer]
    ) -> Answer:
        answer = self._client.get(path, params=asked)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=form)
