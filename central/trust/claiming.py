"""Makes claims, for staff who asked and for staff who let a machine in. Edge of SQLAlchemy."""

from collections.abc import Sequence

from sqlalchemy import Connection

from central.clock import random_key_hex
from central.contract.identifiers import parse_code
from central.errors import Conflict, EnrolmentRefused, NotThere, Unusable
from central.inbox.gateways import check_warehouse
from central.ledger.desk import Change
from central.ledger.own_facts import OWN_GATEWAY
from central.trust import registry
from central.trust.broker_rules import is_reserved
from central.trust.claim_codes import RANDOM_BITS, ClaimCode, make_code
from central.trust.registry import ClaimRow

CLAIM_HOURS, CLAIM_HOURS_MAX = 72, 24 * 30
HOUR_MS = 3_600_000
ROLE = "gateway"
CLAIM = "gateway_claim"  # A kind of what stands in the audit.


def new_claim(
    *, gateway: str, warehouse: str, by: str, hours: int, now_ms: int
) -> tuple[ClaimCode, ClaimRow]:
    """Return a claim that is not written yet, with its code. Raises ContractError, Unusable."""
    parse_code(gateway, what="gateway")
    parse_code(warehouse, what="warehouse")
    if gateway == OWN_GATEWAY or is_reserved(gateway):
        raise Unusable(
            f"{gateway!r} is a name of the ledger's own",
            hint="Give the gateway a code that names its place, e.g. sh1-dock-2.",
        )
    if not 1 <= hours <= CLAIM_HOURS_MAX:
        raise Unusable(
            f"a claim is good for 1 to {CLAIM_HOURS_MAX} hours",
            hint="Give a shorter time; a claim is made again in a moment.",
        )
    code = make_code(int(random_key_hex(), 16) % (1 << RANDOM_BITS))
    row = ClaimRow(
        name=code.name,
        secret_digest=registry.secret_digest(code.secret),
        gateway=gateway,
        warehouse=warehouse,
        role=ROLE,
        made_by=by,
        made_ms=now_ms,
        expires_ms=now_ms + hours * HOUR_MS,
        wrong_count=0,
        withdrawn_ms=0,
        used_ms=0,
        spki=b"",
        signing_key=b"",
        certificate="",
        hardware="",
    )
    return code, row


def write_new_claim(change: Change, row: ClaimRow, *, places: frozenset[str] | None) -> None:
    """Write a claim; earlier open ones of its gateway are withdrawn. Raises Unusable, NotThere,
    Conflict. places: the warehouses where whoever asks may, None for all of them."""
    connection = change.connection
    _check_warehouse(connection, row.warehouse)
    registry.lock_gateway(connection, row.gateway)
    if registry.find_claim(connection, row.name) is not None:
        raise Conflict("another claim has this name", hint="Make the claim once more.")
    earlier = registry.open_claims_of(connection, row.gateway, now_ms=row.made_ms)
    _check_places(connection, row, earlier, places)
    for one in earlier:
        registry.change_claim(connection, one.name, withdrawn_ms=row.made_ms)
    registry.write_claim(connection, row)
    change.note(CLAIM, row.name, "made", warehouse=row.warehouse, gateway=row.gateway)


def _check_warehouse(connection: Connection, warehouse: str) -> None:
    try:
        check_warehouse(connection, warehouse)
    except EnrolmentRefused as error:
        raise Unusable(str(error), hint=error.hint) from error


def _check_places(
    connection: Connection,
    row: ClaimRow,
    earlier: Sequence[ClaimRow],
    places: frozenset[str] | None,
) -> None:
    """Raise NotThere if a claim reaches beyond somebody's warehouses: also a gateway that is
    another's, or is being claimed there, is not theirs to take."""
    if places is None:
        return
    known = registry.gateway_row(connection, row.gateway)
    reached = {row.warehouse, *(one.warehouse for one in earlier)}
    if known is not None:
        reached.add(known[0])
    if not reached <= places:
        raise NotThere(
            "this gateway or warehouse is not one of yours",
            hint="Name a warehouse of your own, and a code that no other warehouse uses.",
        )
