"""Which permission each address of central asks for, and where it has to hold. Pure.

The first rule that an address fits counts; an address that fits none is closed. Whoever adds a
route finds out by `tests/central/api/test_access_walk.py`.
"""

from functools import lru_cache

from central.access.permissions import Permission
from central.api.access_rules import Fit, Rule, Way, Where, fit_of

P = Permission
API = "/api/v1"
FITS_KEPT_MAX = 4096
NEVER_MADE = frozenset({"inspections", "discrepancies"})  # They arise by themselves.
# What is printed, and which kind of document it is printed from.
PRINTED = {
    "sales-order": "sales_order",
    "delivery-note": "sales_order",
    "pick-list": "sales_order",
    "pick-round": "pick_wave",
    "purchase-order": "purchase_order",
    "goods-receipt": "purchase_order",
    "transfer-note": "transfer",
    "transfer-picks": "transfer_source",
    "count-sheet": "count",
}


@lru_cache(maxsize=FITS_KEPT_MAX)
def rule_of(path: str) -> Fit | None:
    """Return the rule of an address, None for one that nobody gave a rule."""
    for rule in _BY_BEGINNING.get(_beginning(path), ()):
        fit = fit_of(rule, path)
        if fit is not None:
            return fit
    return None


def _beginning(path: str) -> str:
    """Return what two addresses that fit one rule have alike: "transfers", "/api/v1" left out."""
    return path.removeprefix(f"{API}/").removeprefix("/").partition("/")[0]


_SETTLE = P.DISCREPANCIES_SETTLE
_MONEY = frozenset({P.MONEY_READ})


def _people(
    pattern: str,
    read: Permission | None,
    change: Permission | None = None,
    *,
    where: Where = Where.ANY,
    change_where: Where | None = None,
    kind: str = "",
    also: frozenset[Permission] = frozenset(),
) -> Rule:
    return Rule(
        pattern,
        read=read,
        change=change,
        also=also,
        where=where,
        change_where=change_where,
        kind=kind,
    )


def _documents(
    path: str, kind: str, read: Permission, change: Permission, *approving: tuple[str, Permission]
) -> tuple[Rule, ...]:
    """Return the rules of documents that are worked on: a list, the objects, what is done."""
    api = f"{API}/{path}"
    made = () if path in NEVER_MADE else (_people(f"/{path}/new", change),)
    pages = (
        _people(f"/{path}", read, where=Where.QUERY),
        *made,
        _people(f"/{path}/{{it}}", read, where=Where.OBJECT, kind=kind),
    )
    return (
        _people(api, read, change, where=Where.QUERY, change_where=Where.BODY),
        *(
            _people(f"{api}/{{it}}/{step}", None, permission, where=Where.OBJECT, kind=kind)
            for step, permission in approving
        ),
        _people(f"{api}/{{it}}/**", read, change, where=Where.OBJECT, kind=kind),
        _people(f"{api}/{{it}}", read, change, where=Where.OBJECT, kind=kind),
        *(() if path == "pick-waves" else pages),
    )


_OWN = (
    Rule("/login/**", Way.ANYBODY),
    Rule("/login", Way.ANYBODY),
    Rule("/static/*", Way.ANYBODY),
    Rule("/openapi.json", Way.ANYBODY),
    Rule(f"{API}/health", Way.ANYBODY),
    Rule("/metrics", Way.WATCHER, read=P.METRICS_READ),
    Rule("/logout", Way.SIGNED_IN),
    Rule("/account", Way.SIGNED_IN),
    Rule("/changes", Way.SIGNED_IN),
    Rule(f"{API}/ingest", Way.GATEWAY),
    Rule(f"{API}/snapshots", Way.GATEWAY),
    Rule(f"{API}/snapshots/*", Way.GATEWAY),
    Rule(f"{API}/enrol", Way.GATEWAY),
    Rule(f"{API}/enrol/*", Way.GATEWAY),
    Rule(f"{API}/renew", Way.GATEWAY),
    Rule(f"{API}/revocation-list", Way.ANYBODY),
    Rule(f"{API}/account/**", Way.SIGNED_IN),
)
_ACCESS = (
    _people(f"{API}/users", P.USERS_READ, P.USERS_CHANGE, where=Where.ALL),
    _people(f"{API}/users/**", P.USERS_READ, P.USERS_CHANGE, where=Where.ALL),
    _people("/users", P.USERS_READ, where=Where.ALL),
    _people("/tokens", P.TOKENS_CHANGE, P.TOKENS_CHANGE),
    _people(f"{API}/tokens", P.TOKENS_CHANGE, P.TOKENS_CHANGE),
    _people(f"{API}/tokens/**", P.TOKENS_CHANGE, P.TOKENS_CHANGE),
    _people("/audit", P.AUDIT_READ, where=Where.ALL),
    _people(f"{API}/audit", P.AUDIT_READ, where=Where.ALL),
    _people(f"{API}/audit/export.xlsx", P.AUDIT_READ, where=Where.ALL, also=_MONEY),
    _people(f"{API}/audit/**", P.AUDIT_READ, where=Where.ALL),
    _people(f"{API}/history/**", P.AUDIT_READ, where=Where.ALL),
)
_STOCK = (
    *(_people(f"/{it}", P.STOCK_READ, where=Where.QUERY) for it in ("stock", "movements", "holds")),
    _people("/stock/totals", P.STOCK_READ, where=Where.QUERY),
    _people(f"{API}/stock", P.STOCK_READ, where=Where.QUERY),
    _people(f"{API}/stock/totals", P.STOCK_READ, where=Where.QUERY),
    _people(f"{API}/movements", P.STOCK_READ, where=Where.QUERY),
    _people(f"{API}/movements/{{it}}/*/*", P.STOCK_READ, where=Where.OBJECT, kind="gateway"),
    _people(f"{API}/epcis/events", P.STOCK_READ, where=Where.QUERY),
    _people(f"{API}/trace", P.STOCK_READ, where=Where.ALL),
    _people(
        f"{API}/holds", P.STOCK_READ, P.GOODS_INSPECT, where=Where.QUERY, change_where=Where.BODY
    ),
    _people(f"{API}/holds/release", None, P.GOODS_INSPECT, change_where=Where.BODY),
    _people("/", P.STOCK_READ, where=Where.OWN),
    _people("/live", P.STOCK_READ, where=Where.OWN),
    _people("/all-stock.xlsx", P.STOCK_READ, where=Where.OWN),
    _people("/facts/{it}/*/*", P.STOCK_READ, where=Where.OBJECT, kind="gateway"),
    _people("/search", P.STOCK_READ, where=Where.OWN),
    _people("/items/**", P.STOCK_READ, where=Where.OWN),
    _people("/fragments/evidence/{it}/*/*", P.STOCK_READ, where=Where.OBJECT, kind="gateway"),
    *(_people(f"/fragments/{it}", P.STOCK_READ, where=Where.OWN) for it in ("stock", "places")),
    _people("/warehouses", P.STOCK_READ, where=Where.OWN),
    _people("/warehouses/{w}", P.STOCK_READ, where=Where.PATH),
    _people("/warehouses/{w}/**", P.STOCK_READ, where=Where.PATH),
)
_MOVING, _SELLING = frozenset({P.TRANSFERS_APPROVE}), frozenset({P.SALES_APPROVE})
_ORDERS = (
    _people(f"{API}/transfers/release", None, P.TRANSFERS_CHANGE, where=Where.SOURCE, also=_MOVING),
    *(
        _people(f"{API}/{path}", None, P.TRANSFERS_CHANGE, where=Where.SOURCE, kind="transfer")
        for path in ("transfers/{it}/release", "transfers/{it}/reserve")
    ),
    *_documents(
        "transfers",
        "transfer",
        P.ORDERS_READ,
        P.TRANSFERS_CHANGE,
        ("approve", P.TRANSFERS_APPROVE),
        ("reject", P.TRANSFERS_APPROVE),
    ),
    *_documents(
        "purchase-orders",
        "purchase_order",
        P.ORDERS_READ,
        P.PURCHASING_CHANGE,
        ("approve", P.PURCHASING_APPROVE),
        ("reject", P.PURCHASING_APPROVE),
    ),
    *_documents("shipping-notices", "shipping_notice", P.ORDERS_READ, P.GOODS_INSPECT),
    *_documents("inspections", "inspection", P.ORDERS_READ, P.GOODS_INSPECT),
    *_documents(
        "supplier-returns",
        "supplier_return",
        P.ORDERS_READ,
        P.PURCHASING_CHANGE,
        ("approve", P.PURCHASING_APPROVE),
        ("reject", P.PURCHASING_APPROVE),
    ),
    _people(
        f"{API}/sales-orders/reserve-backorders", None, P.SALES_CHANGE, change_where=Where.BODY
    ),
    _people(
        f"{API}/sales-orders/sell", None, P.SALES_CHANGE, change_where=Where.BODY, also=_SELLING
    ),
    _people(
        f"{API}/sales-orders/{{it}}/hand-over",
        None,
        P.SALES_CHANGE,
        where=Where.OBJECT,
        kind="sales_order",
        also=_SELLING,
    ),
    *_documents(
        "sales-orders",
        "sales_order",
        P.ORDERS_READ,
        P.SALES_CHANGE,
        ("approve", P.SALES_APPROVE),
        ("send-back", P.SALES_APPROVE),
    ),
    *_documents(
        "customer-returns",
        "customer_return",
        P.ORDERS_READ,
        P.SALES_CHANGE,
        ("approve", P.SALES_APPROVE),
        ("reject", P.SALES_APPROVE),
    ),
    _people(f"{API}/pick-lists/tell-stations", None, P.PICKING_CHANGE, change_where=Where.BODY),
    _people(f"{API}/pick-lists", P.ORDERS_READ, where=Where.QUERY),
    _people("/pick-lists/now", P.ORDERS_READ, where=Where.QUERY),
    *_documents("pick-waves", "pick_wave", P.ORDERS_READ, P.PICKING_CHANGE),
    _people("/pick-lists", P.ORDERS_READ, where=Where.QUERY),
    _people("/pick-lists/new", P.PICKING_CHANGE),
    _people("/pick-lists/{it}", P.ORDERS_READ, where=Where.OBJECT, kind="pick_wave"),
    _people(f"{API}/availability", P.ORDERS_READ, where=Where.QUERY),
    _people("/availability", P.ORDERS_READ, where=Where.QUERY),
    _people(f"{API}/in-transit", P.ORDERS_READ, where=Where.QUERY),
    _people("/in-transit", P.ORDERS_READ, where=Where.QUERY),
    _people(f"{API}/reservations", P.ORDERS_READ, where=Where.QUERY),
    _people("/reservations", P.ORDERS_READ, where=Where.QUERY),
    _people(f"{API}/replenishments", P.ORDERS_READ, where=Where.QUERY),
    _people("/replenishments", P.ORDERS_READ, where=Where.QUERY),
    _people(f"{API}/putaway-suggestions", P.ORDERS_READ, where=Where.QUERY),
)
_COUNTS = (
    *_documents(
        "counts",
        "count",
        P.COUNTS_READ,
        P.COUNTS_CHANGE,
        *((step, P.COUNTS_APPROVE) for step in ("post", "accept", "amend", "reject")),
    ),
    _people("/count-plans/new", P.COUNTS_APPROVE),
    *_documents("count-plans", "count_plan", P.COUNTS_READ, P.COUNTS_APPROVE),
    _people(f"{API}/discrepancies/counts", P.DISCREPANCIES_READ, where=Where.QUERY),
    *_documents("discrepancies", "discrepancy", P.DISCREPANCIES_READ, P.DISCREPANCIES_SETTLE),
    _people("/fragments/discrepancies", P.DISCREPANCIES_READ, where=Where.OWN),
    _people(
        "/fragments/discrepancy/{it}", P.DISCREPANCIES_READ, where=Where.OBJECT, kind="discrepancy"
    ),
    _people(f"{API}/periods", P.PERIODS_READ, P.PERIODS_CLOSE, where=Where.ALL),
    _people(f"{API}/periods/**", P.PERIODS_READ, P.PERIODS_CLOSE, where=Where.ALL),
    _people("/periods", P.PERIODS_READ, where=Where.ALL),
    _people("/periods/*", P.PERIODS_READ, where=Where.ALL),
)
_CATALOGUE = (
    _people(f"{API}/items", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, change_where=Where.ALL),
    _people(f"{API}/items/**", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, change_where=Where.ALL),
    _people(f"{API}/partners", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, change_where=Where.ALL),
    _people(f"{API}/partners/**", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, change_where=Where.ALL),
    _people(f"{API}/warehouses", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, change_where=Where.ALL),
    _people(f"{API}/warehouses/{{w}}/lot-date", P.STOCK_READ, _SETTLE, where=Where.PATH),
    _people(f"{API}/warehouses/{{w}}/handling-units/*", P.STOCK_READ, where=Where.PATH),
    _people(f"{API}/warehouses/{{w}}/**", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, where=Where.PATH),
    _people(
        f"{API}/warehouses/{{w}}",
        P.CATALOGUE_READ,
        P.CATALOGUE_CHANGE,
        where=Where.PATH,
        change_where=Where.ALL,
    ),
    _people(f"{API}/cleaning/**", P.CATALOGUE_READ, where=Where.ALL),
    _people(f"{API}/imports/**", P.CATALOGUE_READ, P.CATALOGUE_CHANGE, change_where=Where.ALL),
    _people(
        f"{API}/exports/*",
        P.CATALOGUE_READ,
        where=Where.ALL,
        also=frozenset({P.MONEY_READ, P.STOCK_READ}),
    ),
    _people("/catalogue/import", P.CATALOGUE_CHANGE, where=Where.ALL),
    *(
        _people(f"/catalogue/{what}/new", P.CATALOGUE_CHANGE, where=Where.ALL)
        for what in ("items", "partners", "warehouses")
    ),
    _people("/catalogue/places", P.CATALOGUE_READ, where=Where.QUERY),
    _people("/catalogue/places/{w}/new", P.CATALOGUE_CHANGE, where=Where.PATH),
    _people("/catalogue/places/{w}/*", P.CATALOGUE_READ, where=Where.PATH),
    _people("/catalogue/warehouses/{w}", P.CATALOGUE_READ, where=Where.PATH),
    *(
        _people(f"/catalogue/{what}", P.CATALOGUE_READ, where=Where.ALL)
        for what in ("cleaning", "gaps", "unused")
    ),
    _people("/catalogue/**", P.CATALOGUE_READ),
    # Its route keeps places and documents to somebody's warehouses itself.
    _people("/look-up/*", P.CATALOGUE_READ),
)
_REPORTS = (
    _people(f"{API}/kpis/**", P.REPORTS_READ, where=Where.QUERY),
    _people(f"{API}/alerts", P.REPORTS_READ, where=Where.QUERY),
    _people("/alerts", P.REPORTS_READ, where=Where.QUERY),
    _people("/dashboard", P.REPORTS_READ, where=Where.OWN),
    _people("/pictures", P.REPORTS_READ, where=Where.OWN),
    _people("/dashboard/*", P.REPORTS_READ, where=Where.QUERY),
    _people("/pictures/lots", P.REPORTS_READ, where=Where.QUERY),
    _people("/pictures/pareto", P.REPORTS_READ, where=Where.QUERY),
    _people("/pictures/*", P.REPORTS_READ, where=Where.OWN),
    _people(f"{API}/views/*", P.STOCK_READ, P.VIEWS_CHANGE),
    _people("/print/bin-labels/{w}.pdf", P.CATALOGUE_READ, where=Where.PATH),
    _people("/print/pallet-label/*", P.STOCK_READ, where=Where.ALL),
    *(
        _people(
            f"/print/{sheet}/{{it}}.pdf",
            P.COUNTS_READ if kind == "count" else P.ORDERS_READ,
            where=Where.OBJECT,
            kind=kind,
            also=frozenset({P.MONEY_READ} if sheet == "purchase-order" else ()),
        )
        for sheet, kind in PRINTED.items()
    ),
)
_MACHINES = (
    _people(f"{API}/gateways", P.GATEWAYS_READ, where=Where.QUERY),
    _people(
        f"{API}/gateways/{{it}}/print", None, P.LABELS_PRINT, where=Where.OBJECT, kind="gateway"
    ),
    _people(
        f"{API}/gateways/{{it}}/**",
        P.GATEWAYS_READ,
        P.GATEWAYS_CHANGE,
        where=Where.OBJECT,
        kind="gateway",
    ),
    _people("/gateways", P.GATEWAYS_READ, where=Where.QUERY),
    _people("/gateways/{it}", P.GATEWAYS_READ, where=Where.OBJECT, kind="gateway"),
    # Their routes keep to somebody's warehouses themselves: a code may be another's gateway.
    _people(f"{API}/claims", P.GATEWAYS_READ, P.GATEWAYS_CHANGE),
    _people(f"{API}/claims/**", P.GATEWAYS_READ, P.GATEWAYS_CHANGE),
    _people("/claims", P.GATEWAYS_READ, P.GATEWAYS_CHANGE),
    _people("/claims/shown", P.GATEWAYS_CHANGE, P.GATEWAYS_CHANGE),
    _people(f"{API}/templates/*", P.GATEWAYS_READ, P.GATEWAYS_CHANGE, where=Where.ALL),
    _people(f"{API}/workers", P.GATEWAYS_READ),
    _people(f"{API}/quarantine", P.GATEWAYS_READ, where=Where.ALL),
    _people(f"{API}/quarantine/**", P.GATEWAYS_READ, where=Where.ALL),
    _people("/quarantine", P.GATEWAYS_READ, where=Where.ALL),
    _people(f"{API}/webhooks", P.WEBHOOKS_READ, P.WEBHOOKS_CHANGE, where=Where.ALL),
    _people(f"{API}/webhooks/**", P.WEBHOOKS_READ, P.WEBHOOKS_CHANGE, where=Where.ALL),
)
RULES: tuple[Rule, ...] = (
    *(*_OWN, *_ACCESS, *_STOCK, *_ORDERS),
    *(*_COUNTS, *_CATALOGUE, *_REPORTS, *_MACHINES),
)

_BY_BEGINNING: dict[str, list[Rule]] = {}
for _rule in RULES:
    _BY_BEGINNING.setdefault(_beginning(_rule.pattern), []).append(_rule)
