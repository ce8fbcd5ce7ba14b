"""The addresses below /api/v1 of warehouses and the places in them. Edge of HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from central.api.context import Reading
from central.api.item_models import RetiredOut
from central.api.parameters import (
    PREFIX,
    PageParameters,
    WarehouseCode,
    read_cursor,
    write_cursor,
)
from central.api.place_models import (
    NewPlaceBody,
    NewWarehouseBody,
    PlaceBody,
    PlaceCursor,
    PlaceOut,
    PlacePage,
    PlaceParameters,
    WarehouseBody,
    WarehouseOut,
    WarehousePage,
    patched_place,
    place_card,
    place_out,
    warehouse_card,
    warehouse_out,
)
from central.api.problems import PROBLEM
from central.api.writing import EDIT_REFUSALS, REFUSALS, Answer, Call, Edit, Writing, etag_of
from central.contract.identifiers import parse_code
from central.ledger.desk import Change
from central.orders.catalogue.catalogue_lists import PlaceFilter, list_places, list_warehouses
from central.orders.catalogue.places import (
    StoredPlace,
    create_place,
    replace_place,
    require_place,
    retire_place,
)
from central.orders.catalogue.warehouses import (
    StoredWarehouse,
    create_warehouse,
    replace_warehouse,
    require_stored_warehouse,
    retire_warehouse,
)

router = APIRouter(
    prefix=f"{PREFIX}/warehouses",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["catalogue"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
PlaceCode = Annotated[str, AfterValidator(lambda text: parse_code(text, what="location"))]


@router.get("")
def warehouses(reading: Reading, asked: Annotated[PageParameters, Query()]) -> WarehousePage:
    """List warehouses by code."""
    after = read_cursor(asked.cursor, str) or ""
    with reading.database.read() as connection:
        rows = list_warehouses(connection, after=after, limit=asked.limit + 1)
    page = rows[: asked.limit]
    return WarehousePage(
        warehouses=[warehouse_out(one) for one in page],
        next_cursor=write_cursor(page[-1].card.code) if len(rows) > asked.limit else None,
    )


@router.post("", status_code=201, response_model=WarehouseOut, responses=REFUSALS)
def add_warehouse(writing: Writing, call: Call, body: NewWarehouseBody) -> Response:
    """Add a warehouse."""

    def work(change: Change) -> Answer:
        stored = create_warehouse(change, warehouse_card(body.code, body))
        place = f"{PREFIX}/warehouses/{stored.card.code}"
        return _warehouse_answer(stored, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{warehouse}", responses=NOT_THERE)
def warehouse(reading: Reading, response: Response, warehouse: WarehouseCode) -> WarehouseOut:
    """Return a warehouse."""
    with reading.database.read() as connection:
        stored = require_stored_warehouse(connection, warehouse)
    response.headers["ETag"] = etag_of(stored.version)
    return warehouse_out(stored)


@router.put("/{warehouse}", response_model=WarehouseOut, responses=EDIT_REFUSALS)
def put_warehouse(
    writing: Writing, call: Edit, warehouse: WarehouseCode, body: WarehouseBody
) -> Response:
    """Make the body everything that is said of a warehouse."""
    card = warehouse_card(warehouse, body)
    return writing.answer(
        call,
        lambda change: _warehouse_answer(replace_warehouse(change, card, version=call.version)),
    )


@router.delete("/{warehouse}", response_model=RetiredOut, responses=EDIT_REFUSALS)
def delete_warehouse(writing: Writing, call: Edit, warehouse: WarehouseCode) -> Response:
    """Take out a warehouse that has no places, gateways, documents or stock."""

    def work(change: Change) -> Answer:
        retire_warehouse(change, warehouse, version=call.version)
        return Answer(RetiredOut(retired=warehouse))

    return writing.answer(call, work)


@router.get("/{warehouse}/places", responses=NOT_THERE)
def places(
    reading: Reading, warehouse: WarehouseCode, asked: Annotated[PlaceParameters, Query()]
) -> PlacePage:
    """List places and areas of a warehouse by code."""
    wanted = PlaceFilter(warehouse, asked.parent, asked.zone or "", asked.pick_face, asked.blocked)
    after = read_cursor(asked.cursor, PlaceCursor) or PlaceCursor("", "")
    with reading.database.read() as connection:
        require_stored_warehouse(connection, warehouse)
        rows = list_places(
            connection, wanted, after=(after.warehouse, after.code), limit=asked.limit + 1
        )
    page = rows[: asked.limit]
    last = PlaceCursor(page[-1].card.warehouse, page[-1].card.code) if page else None
    return PlacePage.model_construct(
        places=[place_out(one) for one in page],
        next_cursor=write_cursor(last) if len(rows) > asked.limit else None,
    )


@router.post("/{warehouse}/places", status_code=201, response_model=PlaceOut, responses=REFUSALS)
def add_place(
    writing: Writing, call: Call, warehouse: WarehouseCode, body: NewPlaceBody
) -> Response:
    """Add a place or an area; gateways are told of places."""

    def work(change: Change) -> Answer:
        stored = create_place(change, place_card(warehouse, body.code, body))
        where = f"{PREFIX}/warehouses/{warehouse}/places/{stored.card.code}"
        return _answer(stored, status=201, location=where)

    return writing.answer(call, work)


@router.get("/{warehouse}/places/{code}", responses=NOT_THERE)
def place(
    reading: Reading, response: Response, warehouse: WarehouseCode, code: PlaceCode
) -> PlaceOut:
    """Return a place."""
    with reading.database.read() as connection:
        stored = require_place(connection, warehouse, code)
    response.headers["ETag"] = etag_of(stored.version)
    return place_out(stored)


@router.put("/{warehouse}/places/{code}", response_model=PlaceOut, responses=EDIT_REFUSALS)
def put_place(
    writing: Writing, call: Edit, warehouse: WarehouseCode, code: PlaceCode, body: PlaceBody
) -> Response:
    """Make the body everything that is said of a place."""
    card = place_card(warehouse, code, body)
    return writing.answer(
        call, lambda change: _answer(replace_place(change, card, version=call.version))
    )


@router.patch("/{warehouse}/places/{code}", response_model=PlaceOut, responses=EDIT_REFUSALS)
def change_place(
    writing: Writing, call: Edit, warehouse: WarehouseCode, code: PlaceCode, body: PlaceBody
) -> Response:
    """Change what the body names; what is left out stays."""

    def work(change: Change) -> Answer:
        card = patched_place(require_place(change.connection, warehouse, code), body)
        return _answer(replace_place(change, card, version=call.version))

    return writing.answer(call, work)


@router.delete("/{warehouse}/places/{code}", response_model=RetiredOut, responses=EDIT_REFUSALS)
def delete_place(
    writing: Writing, call: Edit, warehouse: WarehouseCode, code: PlaceCode
) -> Response:
    """Take out a place, if nothing is there and nothing belongs there."""

    def work(change: Change) -> Answer:
        retire_place(change, warehouse, code, version=call.version)
        return Answer(RetiredOut(retired=f"{warehouse}/{code}"))

    return writing.answer(call, work)


def _warehouse_answer(stored: StoredWarehouse, *, status: int = 200, location: str = "") -> Answer:
    return Answer(warehouse_out(stored), status, stored.version, location)


def _answer(stored: StoredPlace, *, status: int = 200, location: str = "") -> Answer:
    return Answer(place_out(stored), status, stored.version, location)
