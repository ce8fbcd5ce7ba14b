"""What may be asked for, and how a page is continued. Pure."""

import base64
import binascii
from typing import Annotated, Literal, TypeVar

import msgspec
from pydantic import AfterValidator, ConfigDict, Field

from central.api.api_model import ApiModel
from central.contract.errors import ContractError
from central.contract.facts import StockStatus
from central.contract.identifiers import parse_code, parse_epoch

PREFIX = "/api/v1"
LIMIT_DEFAULT = 100
LIMIT_MAX = 1000
TEXT_CHARACTERS_MAX = 64
CURSOR_CHARACTERS_MAX = 2000
RECORD_NO_MAX = 2**63 - 1

Key = TypeVar("Key")


def _warehouse(text: str) -> str:
    return parse_code(text, what="warehouse")


def _gateway(text: str) -> str:
    return parse_code(text, what="gateway")


def _epoch(text: str) -> str:
    return str(parse_epoch(text))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


# A gateway reports an item, a place or a lot that it does not know as it was scanned, so these
# are any text; warehouses and gateways are ours to name.
Text = Annotated[
    str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX), AfterValidator(_printable)
]
WarehouseCode = Annotated[str, AfterValidator(_warehouse)]
GatewayCode = Annotated[str, AfterValidator(_gateway)]
EpochText = Annotated[str, AfterValidator(_epoch)]
Cursor = Annotated[str, Field(max_length=CURSOR_CHARACTERS_MAX)]
FactKind = Literal["movement", "reversal", "weighing", "print", "passage", "count", "packing"]


class RecordCursor(msgspec.Struct, frozen=True, array_like=True):
    """The last row of a page in the ledger's order. id: "" where record_no alone tells."""

    record_no: Annotated[int, msgspec.Meta(ge=0, le=RECORD_NO_MAX)]
    id: str = ""


class PageParameters(ApiModel):
    """Where a page begins and how long it is. cursor: `next_cursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Cursor | None = None


class WholeParameters(PageParameters):
    """A page of a list that came whole before it had pages; as much as a page holds if unsaid.

    cursor: `next_cursor` of the page before.
    """

    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_MAX


class PastParameters(PageParameters):
    """As of when. as_of: a day or a time, e.g. 2026-11-22 or 2026-11-22T08:00:00Z; now if unsaid.

    as_of_time: "event" for what had happened by then, "record" for what the ledger knew then.
    """

    as_of: Annotated[str, Field(max_length=40)] | None = None
    as_of_time: Literal["event", "record"] = "event"


class StockParameters(PastParameters):
    """Which stock. include_virtual: also supplier, customer, in_transit and their kin.

    within: a place, say an aisle, with every place below it; its warehouse is named, too.

    as_of: a day or a time, e.g. 2026-11-22 or 2026-11-22T08:00:00Z; then a warehouse or an item is
    named, too. as_of_time: "event" for what had happened by then, "record" for what the ledger knew
    then. recorded_by: of what had happened by then only what the ledger knew by this time. The last
    moment of a closed period, recorded by its closed_time, is what its figures are.
    """

    warehouse: WarehouseCode | None = None
    location: Text | None = None
    within: Text | None = None
    recorded_by: Annotated[str, Field(max_length=40)] | None = None
    item: Text | None = None
    lot: Text | None = None
    status: StockStatus | None = None
    include_virtual: bool = False


class TotalParameters(PageParameters):
    """Of which stock. within: a place, say an aisle, with every place below it; its warehouse is
    named, too."""

    warehouse: WarehouseCode | None = None
    location: Text | None = None
    within: Text | None = None
    item: Text | None = None
    lot: Text | None = None
    status: StockStatus | None = None


class MovementParameters(PageParameters):
    """Which movements. kind: given several times for several; movement and reversal if left out."""

    warehouse: WarehouseCode | None = None
    gateway: GatewayCode | None = None
    epoch: EpochText | None = None
    item: Text | None = None
    location: Text | None = None
    lot: Text | None = None
    kind: list[FactKind] = Field(default=["movement", "reversal"], max_length=7)


class GatewayParameters(PageParameters):
    """Which gateways."""

    warehouse: WarehouseCode | None = None


def write_cursor(key: object) -> str:
    """Return the key of a page's last row as the text that asks for the next page."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).decode().rstrip("=")


def read_cursor(text: str | None, form: type[Key]) -> Key | None:
    """Return the key in a cursor, None for the first page. Raises ContractError."""
    if text is None:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        key = msgspec.msgpack.decode(data, type=form)
        if b"\\u0000" in msgspec.json.encode(key):  # PostgreSQL has no U+0000 in text.
            raise ValueError("U+0000 in a cursor")
        return key
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise ContractError(
            "the cursor is not one that this ledger gave out",
            hint="Leave `cursor` out for the first page, then pass `next_cursor` on unchanged.",
        ) from error
