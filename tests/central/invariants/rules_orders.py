"""What people do with orders: they draft, approve, release, reserve, cancel, close, decide."""

from random import Random

from sqlalchemy import select

from central.orders.purchasing import (
    inspection_book,
    purchase_book,
    purchase_orders,
    supplier_return_book,
    supplier_returns,
)
from central.orders.purchasing.inspection import OUTCOMES
from central.orders.purchasing.purchase_lines import LineAsked
from central.orders.sales import (
    customer_return_book,
    customer_returns,
    sales_book,
    sales_lines,
    sales_orders,
    sales_remainders,
)
from central.storage import purchasing_tables, sales_tables
from tests.central.invariants.world import BINS, ITEMS, WAREHOUSES, World

MICRO = 1_000_000
SALES_STEPS = {
    "submit": sales_book.submit_order,
    "approve": sales_book.approve_order,
    "reserve": sales_book.reserve_order,
    "release": sales_book.release_order,
    "recall": sales_book.recall_order,
    "close": sales_book.close_order,
}


def buy(world: World, chooser: Random) -> str:
    """Something is ordered of a supplier; mostly it goes through at once."""
    lines = tuple(
        LineAsked(line=number, item=item, quantity_micro=chooser.randrange(1, 40) * MICRO)
        for number, item in enumerate(chooser.sample(ITEMS, chooser.randrange(1, 4)), 1)
    )
    with world.desk.change(actor="li.na") as change:
        asked = purchase_book.OrderAsked(chooser.choice(WAREHOUSES), "ACME", lines)
        code = purchase_book.create_order(change, asked).order.code
        for action in ("submit", "approve", "send")[: chooser.choice((0, 1, 3, 3, 3))]:
            purchase_book.act_on_order(change, code, action, version=None)
    return f"buy {code}"


def act_on_purchase(world: World, chooser: Random) -> str:
    """A purchase order takes some step, which is often refused."""
    table = purchasing_tables.purchase_orders.c
    row = world.pick(chooser, select(table.code).order_by(table.code.desc()))
    if row is None:
        return ""
    action = chooser.choice(list(purchase_orders.STATES))
    acting = purchase_book.Acting(reason="because", line=chooser.randrange(1, 3))
    with world.desk.change(actor="li.na") as change:
        purchase_book.act_on_order(change, row.code, action, version=None, acting=acting)
    return f"{action} {row.code}"


def decide_inspection(world: World, chooser: Random) -> str:
    """Goods that came are accepted, rejected, held, sampled or gone."""
    table = purchasing_tables.inspections.c
    row = world.pick(chooser, select(table.code).order_by(table.code.desc()))
    if row is None:
        return ""
    decision = chooser.choice(list(OUTCOMES))
    asked = inspection_book.DecisionAsked(
        decision=decision,
        quantity_micro=chooser.randrange(1, 12) * MICRO,
        source=chooser.choice(list(OUTCOMES[decision])),
        to_location=chooser.choice(("", *BINS)),
        reason="looked",
        result=chooser.choice(("", "passed", "failed")) if "sample" in decision else "",
    )
    with world.desk.change(actor="li.na") as change:
        inspection_book.decide(change, row.code, [asked], version=None)
    return f"{decision} {row.code}"


def return_to_supplier(world: World, chooser: Random) -> str:
    """Goods are to go back to the supplier."""
    line = supplier_return_book.ReturnLineAsked(
        1, chooser.choice(ITEMS), chooser.randrange(1, 9) * MICRO
    )
    asked = supplier_return_book.ReturnAsked(chooser.choice(WAREHOUSES), "ACME", "damaged", (line,))
    with world.desk.change(actor="li.na") as change:
        code = supplier_return_book.create_return(change, asked).returned.code
        for action in ("approve", "release")[: chooser.choice((0, 2, 2))]:
            supplier_return_book.act_on_return(change, code, action, version=None)
    return f"return {code}"


def act_on_supplier_return(world: World, chooser: Random) -> str:
    """A return to a supplier takes some step."""
    table = purchasing_tables.supplier_returns.c
    row = world.pick(chooser, select(table.code).order_by(table.code.desc()))
    if row is None:
        return ""
    action = chooser.choice(list(supplier_returns.STATES))
    with world.desk.change(actor="li.na") as change:
        supplier_return_book.act_on_return(change, row.code, action, version=None, reason="because")
    return f"{action} {row.code}"


def sell(world: World, chooser: Random) -> str:
    """Something is sold; mostly it is approved, which sets goods aside, and released."""
    warehouse = chooser.choice(WAREHOUSES)
    lines = tuple(
        sales_lines.LineAsked(number, item, chooser.randrange(1, 15) * MICRO)
        for number, item in enumerate(chooser.sample(ITEMS, chooser.randrange(1, 4)), 1)
    )
    asked = sales_lines.OrderAsked(warehouse, "SHOP", lines, backorders=chooser.random() < 0.8)
    with world.desk.change(actor="li.na") as change:
        code = sales_book.draft_order(change, asked).code
        for step in ("submit", "approve", "release")[: chooser.choice((0, 2, 3, 3))]:
            SALES_STEPS[step](change, code)
    return f"sell {code}"


def act_on_sale(world: World, chooser: Random) -> str:
    """A sales order takes some step, or some of it is given up or not found."""
    table = sales_tables.sales_orders.c
    row = world.pick(chooser, select(table.code).order_by(table.code.desc()))
    if row is None:
        return ""
    action = chooser.choice([one for one in sales_orders.STATES if one != "edit"])
    line = chooser.randrange(1, 4)
    with world.desk.change(actor="li.na") as change:
        if action in SALES_STEPS:
            SALES_STEPS[action](change, row.code)
        elif action == "send_back":
            sales_book.send_back_order(change, row.code, reason="because")
        elif action == "reopen":
            sales_book.reopen_order(change, row.code, reason="because")
        elif action == "cancel":
            sales_book.cancel_order(change, row.code, reason="because")
        elif action == "sign":
            sales_book.sign_order(change, row.code, signed_by="Mr Wu")
        elif action == "give_up":
            sales_remainders.give_up(change, row.code, line, reason="because")
        else:
            found = chooser.randrange(3) * MICRO
            sales_remainders.pick_short(change, row.code, line, found_micro=found)
    return f"{action} {row.code}"


def reserve_backorders(world: World, chooser: Random) -> str:
    """What has come is set aside for those who wait."""
    warehouse = chooser.choice(WAREHOUSES)
    with world.desk.change(actor="li.na") as change:
        sales_remainders.reserve_backorders(change, warehouse)
    return f"reserve in {warehouse}"


def take_back_from_customer(world: World, chooser: Random) -> str:
    """A customer wants to send goods back."""
    line = customer_return_book.ReturnLineAsked(
        1, chooser.choice(ITEMS), chooser.randrange(1, 6) * MICRO
    )
    asked = customer_return_book.ReturnAsked(chooser.choice(WAREHOUSES), "SHOP", "other", (line,))
    with world.desk.change(actor="li.na") as change:
        code = customer_return_book.request_return(change, asked).returned.code
        for action in ("approve", "release")[: chooser.choice((0, 2, 2))]:
            customer_return_book.act_on_return(change, code, action, version=None)
    return f"take back {code}"


def act_on_customer_return(world: World, chooser: Random) -> str:
    """Goods that came back are decided on, or the return takes some step."""
    table = sales_tables.customer_returns.c
    row = world.pick(chooser, select(table.code).order_by(table.code.desc()))
    if row is None:
        return ""
    action = chooser.choice(list(customer_returns.STATES))
    with world.desk.change(actor="li.na") as change:
        if action == "decide":
            decision = customer_return_book.DecisionAsked(
                1,
                chooser.choice(("restock", "scrap", "exchange")),
                chooser.randrange(1, 4) * MICRO,
                reason="looked",
            )
            customer_return_book.decide_on_return(change, row.code, [decision], version=None)
        else:
            customer_return_book.act_on_return(
                change, row.code, action, version=None, reason="because"
            )
    return f"{action} {row.code}"


RULES = (
    (4, buy),
    (2, act_on_purchase),
    (4, decide_inspection),
    (1, return_to_supplier),
    (1, act_on_supplier_return),
    (4, sell),
    (5, act_on_sale),
    (2, reserve_backorders),
    (1, take_back_from_customer),
    (2, act_on_customer_return),
)
