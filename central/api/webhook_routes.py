"""The addresses below /api/v1 at which other programs ask to be told. Edge of HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import (
    PREFIX,
    PageParameters,
    RecordCursor,
    Text,
    WholeParameters,
    read_cursor,
    write_cursor,
)
from central.api.problems import PROBLEM
from central.api.writing import EDIT_REFUSALS, REFUSALS, Answer, Call, Edit, Writing, etag_of
from central.clock import random_key_hex
from central.ledger.desk import Change
from central.stock.times import utc_text
from central.webhooks.messages import shown_secret
from central.webhooks.subscribing import (
    KINDS_MAX,
    URL_CHARACTERS_MAX,
    Subscription,
    change_subscription,
    list_deliveries,
    list_subscriptions,
    load_subscription,
    subscribe,
    try_again,
    unsubscribe,
)

router = APIRouter(
    prefix=f"{PREFIX}/webhooks",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["webhooks"],
)
Code = Annotated[str, Path(min_length=1, max_length=64, pattern="^[A-Za-z0-9-]+$")]
Url = Annotated[str, Field(min_length=1, max_length=URL_CHARACTERS_MAX)]
Kinds = Annotated[list[Text], Field(max_length=KINDS_MAX)]


class WebhookIn(ApiModel):
    """Who is to be told.

    kinds: of objects, e.g. "transfer"; if it is empty all but "sign_in", "user", "token" and
    "webhook", which have to be named.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"url": "https://erp.example.com/hooks/stock", "kinds": ["transfer"]}]
        },
    )

    url: Url
    kinds: Kinds = Field(default_factory=list)


class WebhookPatch(ApiModel):
    """What changes; what is left out stays. new_secret: makes another secret, shown once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"active": False}]})

    url: Url | None = None
    kinds: Kinds | None = None
    active: bool | None = None
    new_secret: bool = False


class WebhookOut(ApiModel):
    """One subscriber. secret: only when it was just made, None ever after, also to whoever repeats
    the request with its Idempotency-Key."""

    code: str
    url: str
    kinds: list[str]
    active: bool
    version: int
    made_time: str | None
    last_event_no: int
    secret: str | None = None


class WebhookList(ApiModel):
    """Subscribers by code. next_cursor: None on the last page."""

    webhooks: list[WebhookOut]
    next_cursor: str | None


class DeliveryOut(ApiModel):
    """An event that was not taken yet. state: "waiting" or "given_up". last_status: 0 for none."""

    event_no: int
    kind: str
    code: str
    state: str
    attempts_count: int
    next_time: str | None
    last_status: int
    last_error: str


class DeliveryPage(ApiModel):
    """Events that were not taken, in their order."""

    deliveries: list[DeliveryOut]
    next_cursor: str | None


class RetriedOut(ApiModel):
    """How many events are tried again."""

    retried_count: int


class GoneOut(ApiModel):
    """What is no longer there."""

    code: str


@router.get("")
def webhooks(reading: Reading, asked: Annotated[WholeParameters, Query()]) -> WebhookList:
    """List who is told of events, by code."""
    after = read_cursor(asked.cursor, str)
    with reading.database.read() as connection:
        found = list_subscriptions(connection, after=after or "", limit=asked.limit + 1)
    page = found[: asked.limit]
    return WebhookList(
        webhooks=[_out(one) for one in page],
        next_cursor=write_cursor(page[-1].code) if len(found) > asked.limit else None,
    )


@router.post("", status_code=201, response_model=WebhookOut, responses=REFUSALS)
def add_webhook(writing: Writing, call: Call, body: WebhookIn) -> Response:
    """Tell an address of every event from now on; the first answer alone shows the secret."""

    def work(change: Change) -> Answer:
        made = subscribe(change, url=body.url, kinds=body.kinds, new_secret=random_key_hex)
        return _answer(made, status=201, location=f"{PREFIX}/webhooks/{made.code}", secret=True)

    return writing.answer(call, work)


@router.get("/{code}", responses={404: PROBLEM})
def webhook(reading: Reading, response: Response, code: Code) -> WebhookOut:
    """Return one subscriber."""
    with reading.database.read() as connection:
        found = load_subscription(connection, code)
    response.headers["ETag"] = etag_of(found.version)
    return _out(found)


@router.patch("/{code}", response_model=WebhookOut, responses=EDIT_REFUSALS)
def change_webhook(writing: Writing, call: Edit, code: Code, body: WebhookPatch) -> Response:
    """Change, pause or resume what a subscriber is told; while paused, events wait."""

    def work(change: Change) -> Answer:
        changed = change_subscription(
            change,
            code,
            version=call.version,
            url=body.url,
            kinds=body.kinds,
            active=body.active,
            new_secret=random_key_hex if body.new_secret else None,
        )
        return _answer(changed, secret=body.new_secret)

    return writing.answer(call, work)


@router.delete("/{code}", response_model=GoneOut, responses=EDIT_REFUSALS)
def remove_webhook(writing: Writing, call: Edit, code: Code) -> Response:
    """Tell a subscriber nothing more."""

    def work(change: Change) -> Answer:
        unsubscribe(change, code, version=call.version)
        return Answer(GoneOut(code=code))

    return writing.answer(call, work)


@router.get("/{code}/deliveries", responses={404: PROBLEM})
def deliveries(
    reading: Reading, code: Code, asked: Annotated[PageParameters, Query()]
) -> DeliveryPage:
    """List events that a subscriber has not taken yet, and why."""
    after = read_cursor(asked.cursor, RecordCursor)
    with reading.database.read() as connection:
        load_subscription(connection, code)
        rows = list_deliveries(
            connection, code, after_event_no=after.record_no if after else 0, limit=asked.limit + 1
        )
    page = rows[: asked.limit]
    return DeliveryPage(
        deliveries=[
            DeliveryOut(
                event_no=one.event_no,
                kind=one.kind,
                code=one.code,
                state=one.state,
                attempts_count=one.attempts_count,
                next_time=utc_text(one.next_ms),
                last_status=one.last_status,
                last_error=one.last_error,
            )
            for one in page
        ],
        next_cursor=write_cursor(RecordCursor(page[-1].event_no))
        if len(rows) > asked.limit
        else None,
    )


@router.post("/{code}/retry", response_model=RetriedOut, responses=REFUSALS)
def retry(writing: Writing, call: Call, code: Code) -> Response:
    """Try again what was given up."""
    return writing.answer(
        call, lambda change: Answer(RetriedOut(retried_count=try_again(change, code)))
    )


def _answer(
    one: Subscription, *, status: int = 200, location: str = "", secret: bool = False
) -> Answer:
    plain = _out(one)
    if not secret:
        return Answer(plain, status, one.version, location)
    shown = _out(one, secret=True)
    return Answer(shown, status, one.version, location, repeated=plain)


def _out(one: Subscription, *, secret: bool = False) -> WebhookOut:
    return WebhookOut(
        code=one.code,
        url=one.url,
        kinds=list(one.kinds),
        active=one.active,
        version=one.version,
        made_time=utc_text(one.made_ms),
        last_event_no=one.last_event_no,
        secret=shown_secret(one.secret_hex) if secret else None,
    )
