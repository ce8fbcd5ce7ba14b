"""The addresses below /api/v1 of items. Edge of HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from central.api.context import Reading
from central.api.item_models import (
    ConversionOut,
    ConversionParameters,
    ItemBody,
    ItemOut,
    ItemPage,
    ItemParameters,
    ItemPatch,
    NewItemBody,
    PartOut,
    RetiredOut,
    item_card,
    item_out,
    patched_item,
)
from central.api.order_values import quantity_text
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.api.writing import EDIT_REFUSALS, REFUSALS, Answer, Call, Edit, Writing, etag_of
from central.contract.identifiers import parse_code
from central.contract.quantities import parse_decimal, to_micro
from central.ledger.desk import Change
from central.orders.catalogue.catalogue_lists import ItemFilter, list_items
from central.orders.catalogue.item_cards import units_of_card
from central.orders.catalogue.items import (
    StoredItem,
    create_item,
    replace_item,
    require_item,
    retire_item,
)
from central.orders.catalogue.packs import convert, largest_packs

router = APIRouter(
    prefix=f"{PREFIX}/items",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["catalogue"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
ItemCode = Annotated[str, AfterValidator(lambda text: parse_code(text, what="item"))]


@router.get("")
def items(reading: Reading, asked: Annotated[ItemParameters, Query()]) -> ItemPage:
    """List items by code, each with its packs, bar codes, home places and policy."""
    wanted = ItemFilter(
        search=asked.search or "",
        gtin=asked.gtin or "",
        category=asked.category or "",
        abc=asked.abc or "",
        kind=asked.kind or "",
    )
    after = read_cursor(asked.cursor, str) or ""
    with reading.database.read() as connection:
        rows = list_items(connection, wanted, after=after, limit=asked.limit + 1)
    page = rows[: asked.limit]
    return ItemPage.model_construct(
        items=[item_out(one) for one in page],
        next_cursor=write_cursor(page[-1].card.code) if len(rows) > asked.limit else None,
    )


@router.post("", status_code=201, response_model=ItemOut, responses=REFUSALS)
def add_item(writing: Writing, call: Call, body: NewItemBody) -> Response:
    """Add an item; gateways are told of it."""

    def work(change: Change) -> Answer:
        stored = create_item(change, item_card(body.code, body))
        place = f"{PREFIX}/items/{stored.card.code}"
        return _answer(stored, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def item(reading: Reading, response: Response, code: ItemCode) -> ItemOut:
    """Return an item."""
    with reading.database.read() as connection:
        stored = require_item(connection, code)
    response.headers["ETag"] = etag_of(stored.version)
    return item_out(stored)


@router.put("/{code}", response_model=ItemOut, responses=EDIT_REFUSALS)
def put_item(writing: Writing, call: Edit, code: ItemCode, body: ItemBody) -> Response:
    """Make the body everything that is said of an item."""
    return writing.answer(
        call,
        lambda change: _answer(replace_item(change, item_card(code, body), version=call.version)),
    )


@router.patch("/{code}", response_model=ItemOut, responses=EDIT_REFUSALS)
def change_item(writing: Writing, call: Edit, code: ItemCode, body: ItemPatch) -> Response:
    """Change what the body names; a list takes the place of the old one."""

    def work(change: Change) -> Answer:
        card = patched_item(require_item(change.connection, code), body)
        return _answer(replace_item(change, card, version=call.version))

    return writing.answer(call, work)


@router.delete("/{code}", response_model=RetiredOut, responses=EDIT_REFUSALS)
def delete_item(writing: Writing, call: Edit, code: ItemCode) -> Response:
    """Take an item out, if nothing of it is in stock, on its way or on order."""

    def work(change: Change) -> Answer:
        retire_item(change, code, version=call.version)
        return Answer(RetiredOut(retired=code))

    return writing.answer(call, work)


@router.get("/{code}/conversion", responses=NOT_THERE)
def conversion(
    reading: Reading, code: ItemCode, asked: Annotated[ConversionParameters, Query()]
) -> ConversionOut:
    """State a quantity of an item in another of its units, exactly or not at all."""
    with reading.database.read() as connection:
        units = units_of_card(require_item(connection, code).card)
    quantity = to_micro(parse_decimal(asked.quantity))
    exact = convert(quantity, units, from_unit=asked.from_unit, to_unit=asked.to_unit)
    base_micro = convert(quantity, units, from_unit=asked.from_unit, to_unit=units.base)
    parts = largest_packs(base_micro, units)
    return ConversionOut(
        item=code,
        quantity=quantity_text(exact),
        unit=asked.to_unit,
        as_packs=[
            PartOut(unit=part.unit, count=part.packs_count, rest=quantity_text(part.rest_micro))
            for part in parts
        ],
    )


def _answer(stored: StoredItem, *, status: int = 200, location: str = "") -> Answer:
    return Answer(item_out(stored), status, stored.version, location)
