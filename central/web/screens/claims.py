"""Adding a gateway: claims with their codes, certificates, revocation. Edge of HTTP."""

from functools import partial
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from central.api.claim_routes import change_places, read_places, staff_name
from central.api.enrol_routes import trust_of
from central.contract.errors import ContractError
from central.errors import DeskRefused
from central.printing.bar_codes import draw_qr
from central.trust import registry
from central.trust.claiming import CLAIM_HOURS
from central.trust.events import latest
from central.trust.trust import MadeClaim
from central.web.asking import Asked, Asking
from central.web.cells import moment_cell, state_cell
from central.web.kpi_cells import warehouse_choices
from central.web.listing import Tone
from central.web.people.frame import form_of
from central.web.shell import page
from central.web.words import marked

EVENTS_SHOWN = 30
SOON_MS = 20 * registry.DAY_MS
TITLE = marked("Add a gateway")
STATES: dict[str, tuple[str, Tone]] = {
    "open": (marked("waits for its Pi"), "busy"),
    "used": (marked("used"), "good"),
    "expired": (marked("past its time"), "quiet"),
    "burnt": (marked("dead after wrong codes"), "bad"),
    "withdrawn": (marked("withdrawn"), "quiet"),
}
REASONS: dict[str, str] = {
    "lost": marked("lost"),
    "stolen": marked("stolen"),
    "replaced": marked("replaced by another Pi"),
    "retired": marked("no longer used"),
    "mistake": marked("enrolled by mistake"),
    "renewed": marked("renewed"),
}
EVENTS: dict[str, str] = {
    "claim_unknown": marked("A code that no claim has was tried."),
    "claim_guessed": marked("A wrong code was tried for a claim."),
    "claim_burnt": marked("A claim that is dead was tried."),
    "claim_expired": marked("A claim that is past its time was tried."),
    "claim_reused": marked("A used claim was tried by another machine."),
    "request_refused": marked("A request for a certificate could not be used."),
    "enrolled": marked("A gateway was enrolled."),
    "renewed": marked("A certificate was renewed."),
    "renewal_refused": marked("A certificate was not renewed."),
    "revoked": marked("A gateway was revoked."),
    "revoked_seen": marked("A revoked gateway has asked for something."),
    "card_cloned": marked("Two machines use one certificate."),
    "shown_code_guessed": marked("A code that no gateway shows was typed."),
    "newcomer_approved": marked("A gateway that showed a code was let in."),
    "newcomer_denied": marked("A machine that showed a code was not let in."),
    "newcomers_full": marked("Too many machines showed a code at once."),
}

router = APIRouter(include_in_schema=False)


@router.get("/claims")
def claims_page(request: Request, asking: Asked) -> Response:
    """Show claims and certificates, and the form of a new claim."""
    return _page(request, asking)


@router.post("/claims")
async def make_claim(request: Request, asking: Asked) -> Response:
    """Make a claim and show its code, now and never again."""
    trust, form = trust_of(request), await form_of(request)
    hours = form.get("hours", "").strip()
    try:
        made = await run_in_threadpool(
            partial(
                trust.make_claim,
                gateway=form.get("gateway", "").strip(),
                warehouse=form.get("warehouse", "").strip(),
                hours=int(hours) if hours.isascii() and hours.isdigit() else 0,
                by=staff_name(request),
                places=change_places(request),
            )
        )
    except (ContractError, DeskRefused) as error:
        sentences = [asking.texts.sentence(str(error)), asking.texts.sentence(error.hint)]
        return await run_in_threadpool(partial(_page, request, asking, refusal=sentences))
    return await run_in_threadpool(partial(_page, request, asking, made=made))


def _page(
    request: Request, asking: Asking, *, made: MadeClaim | None = None, refusal: object = ()
) -> Response:
    trust = trust_of(request)
    now_ms, places = asking.now_ms, read_places(request)
    with trust.database.read() as connection:
        claims = registry.list_claims(connection, places=places)
        certificates = registry.newest_certificates(connection, places=places)
        # They name gateways and codes of every warehouse.
        events = latest(connection, limit=EVENTS_SHOWN) if places is None else ()
    own = change_places(request)
    texts = asking.texts
    new = None
    if made is not None:
        svg = draw_qr(made.code.text).svg
        new = {
            "code": made.code.text,
            "gateway": made.row.gateway,
            "warehouse": made.row.warehouse,
            "until": moment_cell(made.row.expires_ms),
            # Drawn by us, of letters and digits: no text of anybody's is in it.
            "qr": Markup(svg[svg.index("<svg") :]),  # noqa: S704
        }
    answer = page(
        asking,
        "oversight/claims.html",
        title=texts.say(TITLE),
        content={
            "new": new,
            "refusal": refusal,
            "hours": str(CLAIM_HOURS),
            "warehouses": [
                one for one in warehouse_choices(asking) if own is None or one[0] in own
            ],
            "claims": [_claim(asking, one) for one in claims],
            "certificates": [_certificate(asking, one, now_ms=now_ms) for one in certificates],
            "reasons": [(key, texts.say(REASONS[key])) for key in REASONS if key != "renewed"],
            "events": [
                (moment_cell(one.at_ms), texts.word(EVENTS, one.kind), one.subject, one.detail)
                for one in events
            ],
        },
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _claim(asking: Asking, row: registry.ClaimRow) -> dict[str, object]:
    state = row.state(now_ms=asking.now_ms)
    word, tone = STATES[state]
    return {
        "name": row.name,
        "gateway": row.gateway,
        "warehouse": row.warehouse,
        "state": state_cell(asking.texts.say(word), tone),
        "is_open": state == "open",
        "until": moment_cell(row.used_ms or row.expires_ms),
        "by": row.made_by,
        "hardware": row.hardware,
    }


def _certificate(asking: Asking, row: registry.CertificateRow, *, now_ms: int) -> dict[str, object]:
    say = asking.texts.say
    if row.revoked_ms:
        cell = state_cell(say("revoked"), "bad", note=asking.texts.word(REASONS, row.reason))
    elif row.expires_ms <= now_ms:
        cell = state_cell(say("expired"), "bad")
    elif row.expires_ms - now_ms < SOON_MS:
        cell = state_cell(say("ends soon"), "warn")
    else:
        cell = state_cell(say("good"), "good")
    return {
        "gateway": row.gateway,
        "path": quote(row.gateway, safe=""),
        "state": cell,
        "is_good": not row.revoked_ms,
        "issued": moment_cell(row.issued_ms),
        "until": moment_cell(row.revoked_ms or row.expires_ms),
    }
