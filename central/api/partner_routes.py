"""The addresses below /api/v1 of suppliers and customers. Edge of HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from central.api.context import Reading
from central.api.item_models import RetiredOut
from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.partner_models import (
    NewPartnerBody,
    PartnerBody,
    PartnerOut,
    PartnerPage,
    PartnerParameters,
    PartnerPatch,
    partner_card,
    partner_out,
    patched_partner,
)
from central.api.problems import PROBLEM
from central.api.writing import EDIT_REFUSALS, REFUSALS, Answer, Call, Edit, Writing, etag_of
from central.contract.identifiers import parse_code
from central.ledger.desk import Change
from central.orders.catalogue.catalogue_lists import PartnerFilter, list_partners
from central.orders.catalogue.partners import (
    StoredPartner,
    create_partner,
    replace_partner,
    require_partner,
    retire_partner,
)

router = APIRouter(
    prefix=f"{PREFIX}/partners",
    responses={422: PROBLEM, 503: PROBLEM},
    tags=["catalogue"],
)
NOT_THERE: dict[int | str, dict[str, Any]] = {404: PROBLEM}
PartnerCode = Annotated[str, AfterValidator(lambda text: parse_code(text, what="partner"))]


@router.get("")
def partners(reading: Reading, asked: Annotated[PartnerParameters, Query()]) -> PartnerPage:
    """List partners by code, each with its certificates."""
    wanted = PartnerFilter(
        search=asked.search or "",
        kind=asked.kind or "",
        region=asked.region or "",
        active=asked.active,
        certificate_ends_before=asked.certificate_ends_before or "",
    )
    after = read_cursor(asked.cursor, str) or ""
    with reading.database.read() as connection:
        rows = list_partners(connection, wanted, after=after, limit=asked.limit + 1)
    page = rows[: asked.limit]
    return PartnerPage.model_construct(
        partners=[partner_out(one) for one in page],
        next_cursor=write_cursor(page[-1].card.code) if len(rows) > asked.limit else None,
    )


@router.post("", status_code=201, response_model=PartnerOut, responses=REFUSALS)
def add_partner(writing: Writing, call: Call, body: NewPartnerBody) -> Response:
    """Add a supplier or customer."""

    def work(change: Change) -> Answer:
        stored = create_partner(change, partner_card(body.code, body))
        place = f"{PREFIX}/partners/{stored.card.code}"
        return _answer(stored, status=201, location=place)

    return writing.answer(call, work)


@router.get("/{code}", responses=NOT_THERE)
def partner(reading: Reading, response: Response, code: PartnerCode) -> PartnerOut:
    """Return a partner."""
    with reading.database.read() as connection:
        stored = require_partner(connection, code)
    response.headers["ETag"] = etag_of(stored.version)
    return partner_out(stored)


@router.put("/{code}", response_model=PartnerOut, responses=EDIT_REFUSALS)
def put_partner(writing: Writing, call: Edit, code: PartnerCode, body: PartnerBody) -> Response:
    """Make the body everything that is said of a partner."""
    card = partner_card(code, body)
    return writing.answer(
        call, lambda change: _answer(replace_partner(change, card, version=call.version))
    )


@router.patch("/{code}", response_model=PartnerOut, responses=EDIT_REFUSALS)
def change_partner(writing: Writing, call: Edit, code: PartnerCode, body: PartnerPatch) -> Response:
    """Change what the body names; a list takes the place of the old one."""

    def work(change: Change) -> Answer:
        card = patched_partner(require_partner(change.connection, code), body)
        return _answer(replace_partner(change, card, version=call.version))

    return writing.answer(call, work)


@router.delete("/{code}", response_model=RetiredOut, responses=EDIT_REFUSALS)
def delete_partner(writing: Writing, call: Edit, code: PartnerCode) -> Response:
    """Take out a partner that no order ever named."""

    def work(change: Change) -> Answer:
        retire_partner(change, code, version=call.version)
        return Answer(RetiredOut(retired=code))

    return writing.answer(call, work)


def _answer(stored: StoredPartner, *, status: int = 200, location: str = "") -> Answer:
    return Answer(partner_out(stored), status, stored.version, location)
