"""Which kinds of objects have events that a subscriber can be told of. Pure."""

from collections.abc import Collection, Iterable

from central.errors import Unusable

EVENT_KINDS: frozenset[str] = frozenset(
    {
        "alert",
        "count",
        "count_plan",
        "customer_return",
        "discrepancy",
        "gateway",
        "gateway_claim",
        "import",
        "inspection",
        "item",
        "label_template",
        "location",
        "lot",
        "newcomer",
        "partner",
        "period",
        "pick_wave",
        "purchase_order",
        "sales_order",
        "shipping_notice",
        "sign_in",
        "stock_hold",
        "supplier_return",
        "token",
        "transfer",
        "user",
        "warehouse",
        "webhook",
    }
)
# Who signs in, and who else is told, is no business of whoever asked for everything about stock.
ONLY_IF_NAMED = frozenset({"sign_in", "user", "token", "webhook"})


def is_wanted(kind: str, *, among: Collection[str]) -> bool:
    """Return whether a subscription to these kinds, to none for all, is told of one."""
    return kind in among if among else kind not in ONLY_IF_NAMED


def checked_kinds(kinds: Iterable[str], *, before: Iterable[str] = ()) -> tuple[str, ...]:
    """Return kinds, each once, sorted. Raises Unusable for one that nothing is of.

    before: those that a subscription has already; they may stay.
    """
    unknown = sorted(set(kinds) - EVENT_KINDS - set(before))
    if unknown:
        raise Unusable(
            f"nothing is of the kind {unknown[0][:40]!r}",
            hint=f"Use some of {', '.join(sorted(EVENT_KINDS))}.",
            fields={"unknown": unknown, "kinds": sorted(EVENT_KINDS)},
        )
    return tuple(sorted(set(kinds)))
