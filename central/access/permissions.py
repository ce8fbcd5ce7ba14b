"""What people may do: permissions, the roles that hold them, and where they hold. Pure.

A grant is a role in one warehouse or in all of them. Whoever has no grant may do nothing.

    may(principal, Permission.STOCK_READ, warehouse="SH1")
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

EVERYWHERE = ""  # As the warehouse of a grant: all of them, also those that are yet to come.


class Permission(StrEnum):
    """Everything that a route may ask for. A word that ends with ".read" changes nothing."""

    STOCK_READ = "stock.read"
    ORDERS_READ = "orders.read"
    PURCHASING_CHANGE = "purchasing.change"
    PURCHASING_APPROVE = "purchasing.approve"
    SALES_CHANGE = "sales.change"
    SALES_APPROVE = "sales.approve"
    TRANSFERS_CHANGE = "transfers.change"
    TRANSFERS_APPROVE = "transfers.approve"
    GOODS_INSPECT = "goods.inspect"
    PICKING_CHANGE = "picking.change"
    MONEY_READ = "money.read"
    CATALOGUE_READ = "catalogue.read"
    CATALOGUE_CHANGE = "catalogue.change"
    COUNTS_READ = "counts.read"
    COUNTS_CHANGE = "counts.change"
    COUNTS_APPROVE = "counts.approve"
    DISCREPANCIES_READ = "discrepancies.read"
    DISCREPANCIES_SETTLE = "discrepancies.settle"
    PERIODS_READ = "periods.read"
    PERIODS_CLOSE = "periods.close"
    REPORTS_READ = "reports.read"
    VIEWS_CHANGE = "views.change"
    GATEWAYS_READ = "gateways.read"
    GATEWAYS_CHANGE = "gateways.change"
    LABELS_PRINT = "labels.print"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_CHANGE = "webhooks.change"
    METRICS_READ = "metrics.read"
    USERS_READ = "users.read"
    USERS_CHANGE = "users.change"
    TOKENS_CHANGE = "tokens.change"
    AUDIT_READ = "audit.read"
    ACT_FOR_OTHERS = "act.for_others"


P = Permission
ALL_READS = frozenset(one for one in Permission if one.endswith(".read"))
_VIEWER = frozenset({P.STOCK_READ, P.ORDERS_READ, P.CATALOGUE_READ})
_KEEPER = _VIEWER | {
    P.TRANSFERS_CHANGE,
    P.GOODS_INSPECT,
    P.PICKING_CHANGE,
    P.COUNTS_READ,
    P.COUNTS_CHANGE,
    P.DISCREPANCIES_READ,
    P.REPORTS_READ,
    P.VIEWS_CHANGE,
    P.LABELS_PRINT,
}
_BUYER = _VIEWER | {
    P.PURCHASING_CHANGE,
    P.MONEY_READ,
    P.CATALOGUE_CHANGE,
    P.DISCREPANCIES_READ,
    P.REPORTS_READ,
    P.VIEWS_CHANGE,
}
_SELLER = _VIEWER | {P.SALES_CHANGE, P.PICKING_CHANGE, P.REPORTS_READ, P.VIEWS_CHANGE}
_FINANCE = _VIEWER | {
    P.MONEY_READ,
    P.PURCHASING_APPROVE,
    P.COUNTS_READ,
    P.DISCREPANCIES_READ,
    P.PERIODS_READ,
    P.PERIODS_CLOSE,
    P.REPORTS_READ,
    P.VIEWS_CHANGE,
}
_SUPERVISOR = (_KEEPER | _BUYER | _SELLER) | {
    P.PURCHASING_APPROVE,
    P.SALES_APPROVE,
    P.TRANSFERS_APPROVE,
    P.COUNTS_APPROVE,
    P.DISCREPANCIES_SETTLE,
    P.PERIODS_READ,
    P.GATEWAYS_READ,
    P.TOKENS_CHANGE,
}
_FLEET = frozenset(
    {
        P.STOCK_READ,
        P.CATALOGUE_READ,
        P.REPORTS_READ,
        P.GATEWAYS_READ,
        P.GATEWAYS_CHANGE,
        P.LABELS_PRINT,
        P.METRICS_READ,
        P.TOKENS_CHANGE,
    }
)


class Role(StrEnum):
    """What somebody is."""

    VIEWER = "viewer"
    KEEPER = "keeper"
    BUYER = "buyer"
    SELLER = "seller"
    FINANCE = "finance"
    SUPERVISOR = "supervisor"
    FLEET = "fleet"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


ROLES: MappingProxyType[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.KEEPER: _KEEPER,
        Role.BUYER: _BUYER,
        Role.SELLER: _SELLER,
        Role.FINANCE: _FINANCE,
        Role.SUPERVISOR: _SUPERVISOR,
        Role.FLEET: _FLEET,
        Role.AUDITOR: ALL_READS,
        Role.ADMINISTRATOR: frozenset(Permission),
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a warehouse, or EVERYWHERE."""

    role: Role
    warehouse: str = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks, once it is known who. name: stands beside each change.

    allowed: pairs of a permission and a warehouse or EVERYWHERE. session: digest of the session,
    token: of the API token; both "" where nobody signed in ("open").
    """

    name: str
    allowed: frozenset[tuple[Permission, str]]
    session: str = ""
    token: str = ""


def allowed_by(grants: frozenset[Grant]) -> frozenset[tuple[Permission, str]]:
    """Return what grants allow, and where."""
    return frozenset(
        (permission, grant.warehouse) for grant in grants for permission in ROLES[grant.role]
    )


def narrowed(
    allowed: frozenset[tuple[Permission, str]],
    *,
    permissions: frozenset[Permission],
    warehouse: str,
) -> frozenset[tuple[Permission, str]]:
    """Return what of that is left for a token. warehouse: EVERYWHERE leaves the owner's own."""
    kept = ((one, place) for one, place in allowed if one in permissions)
    if warehouse == EVERYWHERE:
        return frozenset(kept)
    return frozenset((one, warehouse) for one, place in kept if place in {EVERYWHERE, warehouse})


def may(principal: Principal, permission: Permission, *, warehouse: str = EVERYWHERE) -> bool:
    """Return whether somebody may do something in a warehouse; EVERYWHERE asks for all of them."""
    return (permission, EVERYWHERE) in principal.allowed or (
        permission,
        warehouse,
    ) in principal.allowed


def warehouses_of(principal: Principal, permission: Permission) -> frozenset[str] | None:
    """Return the warehouses where somebody may do something, None for all of them."""
    places = {place for one, place in principal.allowed if one == permission}
    return None if EVERYWHERE in places else frozenset(places)


def may_see_money(principal: Principal, concerned: frozenset[str]) -> bool:
    """Return whether somebody may see the money of what belongs to these warehouses.

    concerned: empty for what no single warehouse has, such as what an item costs, or a list of
    several: it is shown to whoever sees nothing of a warehouse whose money is not theirs.
    """
    places = warehouses_of(principal, Permission.MONEY_READ)
    if places is None or not places:
        return places is None
    if concerned:
        return concerned <= places
    return all(place in places for _, place in principal.allowed)


# Where nobody signs in, whoever reaches the address is the administrator.
OPEN_PRINCIPAL = Principal(
    "staff", frozenset((permission, EVERYWHERE) for permission in Permission)
)
