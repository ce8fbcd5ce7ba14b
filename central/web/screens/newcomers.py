"""A gateway shows a code: type it, compare, let it in or not. Edge of HTTP.

Three steps on one address, each sent in a form's body: the code never stands in an address, a
history or a log. Who only looks sees nothing here that he has no code of.
"""

from collections.abc import Callable, Mapping
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from central.api.claim_routes import change_places, staff_name
from central.api.enrol_routes import trust_of
from central.contract.enrolment import SHOWN_PAGE
from central.contract.errors import ContractError
from central.errors import DeskRefused
from central.trust.admission import Admission, Admittance, Newcomer
from central.trust.registry import ClaimRow
from central.trust.shown_codes import parse_shown_code, shown_text
from central.web.asking import Asked, Asking
from central.web.cells import moment_cell
from central.web.kpi_cells import warehouse_choices
from central.web.people.frame import form_of
from central.web.shell import page
from central.web.words import marked

TITLE = marked("A gateway shows a code")

router = APIRouter(include_in_schema=False)


@router.get(SHOWN_PAGE)
def shown_page(request: Request, asking: Asked) -> Response:
    """Ask for the code that stands on a gateway's screen."""
    trust_of(request)
    return _page(asking)


@router.post(SHOWN_PAGE)
async def decide(request: Request, asking: Asked) -> Response:
    """Show what has the code that was typed; let it in, or not."""
    admission, form = Admission(trust_of(request)), await form_of(request)
    by, places = staff_name(request), change_places(request)
    steps: dict[str, Callable[[], Response]] = {
        "approve": partial(_approve, asking, admission, form, by, places),
        "deny": partial(_deny, asking, admission, form, by),
    }
    look = partial(_look, asking, admission, form, by, places)
    return await run_in_threadpool(steps.get(form.get("step", ""), look))


def _look(
    asking: Asking,
    admission: Admission,
    form: Mapping[str, str],
    by: str,
    places: frozenset[str] | None,
) -> Response:
    code = form.get("code", "")
    try:
        found = admission.look_at(code, by=by)
    except DeskRefused as error:
        return _page(asking, code=code, refusal=_sentences(asking, error))
    return _page(asking, code=code, found=found, form=form, places=places)


def _approve(
    asking: Asking,
    admission: Admission,
    form: Mapping[str, str],
    by: str,
    places: frozenset[str] | None,
) -> Response:
    code = form.get("code", "")
    compared = form.get("fingerprint", "") if form.get("compared") else ""
    wanted = Admittance(
        fingerprint=compared,
        gateway=form.get("gateway", "").strip(),
        warehouse=form.get("warehouse", "").strip(),
        receive_location=form.get("receive_location", "").strip(),
    )
    try:
        claim = admission.approve(code, wanted, by=by, places=places)
    except (ContractError, DeskRefused) as error:
        try:
            found = admission.look_at(code, by=by)
        except DeskRefused:
            found = None  # It is over: the first refusal says why.
        return _page(
            asking,
            code=code,
            found=found,
            form=form,
            places=places,
            refusal=_sentences(asking, error),
        )
    return _page(asking, let_in=claim)


def _deny(asking: Asking, admission: Admission, form: Mapping[str, str], by: str) -> Response:
    code = form.get("code", "")
    try:
        admission.deny(code, by=by)
    except DeskRefused as error:
        return _page(asking, code=code, refusal=_sentences(asking, error))
    return _page(asking, denied=True)


def _sentences(asking: Asking, error: ContractError | DeskRefused) -> list[str]:
    return [asking.texts.sentence(str(error)), asking.texts.sentence(error.hint)]


def _page(
    asking: Asking,
    *,
    code: str = "",
    found: Newcomer | None = None,
    form: Mapping[str, str] | None = None,
    places: frozenset[str] | None = None,
    let_in: ClaimRow | None = None,
    denied: bool = False,
    refusal: object = (),
) -> Response:
    machine = None
    if found is not None:
        row, typed = found.row, form or {}
        machine = {
            "code": shown_text(parse_shown_code(code)),
            "fingerprint": found.fingerprint,
            "address": row.address,
            "hardware": row.hardware,
            "asked": moment_cell(row.asked_ms),
            "until": moment_cell(row.expires_ms),
            "is_set_up": bool(row.gateway),
            "gateway": row.gateway or typed.get("gateway", ""),
            "warehouse": typed.get("warehouse", ""),
            "receive_location": typed.get("receive_location", ""),
        }
    answer = page(
        asking,
        "oversight/newcomer.html",
        title=asking.texts.say(TITLE),
        content={
            "code": code if found is None else "",
            "machine": machine,
            "let_in": let_in,
            "denied": denied,
            "refusal": refusal,
            "warehouses": [
                one for one in warehouse_choices(asking) if places is None or one[0] in places
            ],
        },
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
