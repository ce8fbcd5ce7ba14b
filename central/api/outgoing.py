"""What gateways are told: orders from people, and how far each gateway is. Edge of HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ConfigDict, Field

from central.api.api_model import ApiModel
from central.api.at_once import at_once
from central.api.context import Outgoing, Reading, Telling
from central.api.parameters import PREFIX, GatewayCode
from central.api.problems import PROBLEM, ProblemRaised
from central.api.writing import Call, Writing
from central.contract.notices import LabelField, PrintRequested, Setting
from central.errors import GatewayUnknown, OrderRefused
from central.ledger.desk import Desk
from central.outbox import orders
from central.outbox.notices import read_progress
from central.outbox.ordering import Ordering
from central.stock.times import utc_text

FIELDS_MAX = 64
VALUE_CHARACTERS_MAX = 256

router = APIRouter(
    prefix=PREFIX,
    responses=dict.fromkeys((404, 409, 413, 422, 503), PROBLEM),
    tags=["downlink"],
)

Code = Annotated[str, Field(max_length=64)]
Value = Annotated[str, Field(max_length=VALUE_CHARACTERS_MAX)]
GatewayInPath = Annotated[GatewayCode, Path(max_length=64)]
GatewayInQuery = Annotated[
    GatewayCode | None, Query(description="Only for this gateway; for all others if left out.")
]


class _Body(ApiModel):
    model_config = ConfigDict(extra="forbid")


class SettingsIn(_Body):
    """All remote settings of a gateway; what is left out, its own file says again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"settings": {"language": "zh"}}]})

    settings: dict[Code, Value] = Field(max_length=FIELDS_MAX)


class TemplateIn(_Body):
    """A label template."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": 'name = "place"'}]})

    text: str = Field(max_length=orders.TEMPLATE_CHARACTERS_MAX, description="TOML.")


class PrintIn(_Body):
    """Labels to print at a gateway."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"template": "place", "fields": {"place": "BIN-1"}, "requested_by": "li.na"}
            ]
        }
    )

    template: Code
    fields: dict[Code, Value] = Field(max_length=FIELDS_MAX, default={})
    printer: Code = Field(default="", description="A device of the gateway; empty for its first.")
    copies_count: Annotated[int, Field(ge=1, le=100)] = 1
    requested_by: Value = ""
    job: Code | None = Field(
        default=None, description="A code of your own: asked for again, it prints nothing new."
    )


class OrderedOut(ApiModel):
    """Which notice tells the gateway. changed: False if it was ordered before."""

    gateway: str
    stream: str
    number: int
    changed: bool


class PrintOut(OrderedOut):
    """A print job that is on its way."""

    job: str


class TemplateOut(ApiModel):
    """A template that is on its way. gateways_count: how many are told."""

    name: str
    gateways_count: int


class NoticesOut(ApiModel):
    """How far a gateway is. waiting: kinds of notices that it has not acknowledged, with counts.

    reference_revision: of items, places and documents that it was told last; reference_newest: that
    there is.

    has_snapshot: whether this stream began with a snapshot; if not, the gateway has to load one.
    """

    gateway: str
    stream: str
    has_snapshot: bool
    last_number: int
    acked_number: int
    acked_time: str | None
    stock_revision: int
    reference_revision: int
    reference_newest: int
    waiting: dict[str, int]


@dataclass(frozen=True, slots=True)
class OrderingSide:
    """What orders to gateways are given with: the desk, who asks, and what wakes the downlink."""

    desk: Desk
    actor: str
    telling: Outgoing

    @contextmanager
    def ordering(self) -> Iterator[Ordering]:
        """Yield what orders are given with; what they refuse becomes a problem."""
        try:
            with self.desk.change(actor=self.actor) as change:
                yield Ordering(change, new_name=self.telling.new_name)
        except GatewayUnknown as error:
            raise _not_found(f"{error}.", hint=error.hint) from error
        except OrderRefused as error:
            raise ProblemRaised(
                status=409, title="Cannot be ordered", detail=f"{error}.", hint=error.hint
            ) from error
        self.telling.told()


def ordering_side_of(writing: Writing, call: Call, telling: Telling) -> OrderingSide:
    """Return what one request works with."""
    return OrderingSide(writing.desk, call.actor, telling)


OrderDesk = Annotated[OrderingSide, Depends(at_once(ordering_side_of))]


@router.put("/gateways/{gateway}/settings")
def put_settings(gateway: GatewayInPath, body: SettingsIn, desk: OrderDesk) -> OrderedOut:
    """Make these all of a gateway's remote settings."""
    settings = [Setting(name, value) for name, value in sorted(body.settings.items())]
    with desk.ordering() as ordering:
        ordered = ordering.settings(gateway, settings)
    return OrderedOut(gateway=gateway, **asdict(ordered))


@router.put("/templates/{name}")
def put_template(
    name: str,
    body: TemplateIn,
    desk: OrderDesk,
    gateway: GatewayInQuery = None,
) -> TemplateOut:
    """Give a label template to one gateway, or to all that have none of their own by the name."""
    with desk.ordering() as ordering:
        count = ordering.template(name, body.text, gateway=gateway or "")
    return TemplateOut(name=name, gateways_count=count)


@router.delete("/templates/{name}")
def delete_template(name: str, desk: OrderDesk, gateway: GatewayInQuery = None) -> TemplateOut:
    """Take a label template away; the one of all gateways, or the shipped one, counts again."""
    with desk.ordering() as ordering:
        count = ordering.no_template(name, gateway=gateway or "")
    if count is None:
        raise _not_found(
            f"No template is called {name[:64]} there.",
            hint="Name a template that was given before, and its gateway if it had one.",
        )
    return TemplateOut(name=name, gateways_count=count)


@router.post("/gateways/{gateway}/print")
def post_print(gateway: GatewayInPath, body: PrintIn, desk: OrderDesk) -> PrintOut:
    """Have labels printed at a gateway, also at one that is offline just now."""
    with desk.ordering() as ordering:
        job = body.job or f"job-{desk.telling.new_name()}"
        request = PrintRequested(
            job=job,
            printer=body.printer,
            template=body.template,
            fields=tuple(LabelField(name, value) for name, value in sorted(body.fields.items())),
            copies_count=body.copies_count,
            requested_by=body.requested_by,
        )
        ordered = ordering.labels(gateway, request)
    return PrintOut(gateway=gateway, job=job, **asdict(ordered))


@router.get("/gateways/{gateway}/notices")
def get_notices(gateway: GatewayInPath, reading: Reading) -> NoticesOut:
    """Say how far a gateway is with what it is told."""
    with reading.database.read() as connection:
        found = read_progress(connection, gateway)
    if found is None:
        raise _not_found(
            f"Gateway {gateway} was never told anything.",
            hint="Start the gateway: it asks for a snapshot by itself.",
        )
    row = found.row
    return NoticesOut(
        gateway=gateway,
        stream=row.stream,
        has_snapshot=row.has_snapshot,
        last_number=row.head,
        acked_number=row.acked,
        acked_time=utc_text(row.acked_ms) if row.acked_ms else None,
        stock_revision=row.stock_revision,
        reference_revision=row.reference_revision,
        reference_newest=found.reference_newest,
        waiting=dict(found.waiting),
    )


def _not_found(detail: str, *, hint: str) -> ProblemRaised:
    return ProblemRaised(status=404, title="Not found", detail=detail, hint=hint)
