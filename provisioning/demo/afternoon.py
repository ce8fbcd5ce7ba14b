"""The afternoon of two warehouses, as data: head office decides, the docks carry it out. Pure.

Nothing of it adds to the differences that the morning provokes: one box of the transfer is still
under way when it ends, which the transfer explains by itself.
"""

from provisioning.demo.actions import (
    Action,
    Converge,
    JsonValue,
    Office,
    Scan,
    Step,
    Told,
    command,
    place,
)
from provisioning.demo.goods import Goods
from provisioning.demo.morning import HANGZHOU, SHANGHAI, TEA_LOT
from provisioning.demo.words import N_

TRANSFER, COUNT, SALE, PURCHASE = "TR-000001", "CNT-000001", "SO-2601", "PO-2701"
BOLT, NUT, TEA, GLOVES = "BOLT-M8X40", "NUT-M8", "TEA-LJ-250", "GLOVE-NIT-L"


def afternoon(goods: Goods) -> tuple[Step, ...]:
    """Return the steps of the afternoon, in order; the morning's goods are where it put them."""
    return (
        Step(
            N_("Head office sends bolts from Shanghai to Hangzhou; one box is still on the lorry"),
            _transfer(goods),
        ),
        Step(
            N_("Head office sells tea; the lot that expires first is set aside, picked, shipped"),
            _sale(goods),
        ),
        Step(
            N_("Shanghai counts a bin blind, while work goes on; the count agrees with the book"),
            _count(goods),
        ),
        Step(
            N_("Head office orders gloves; the order waits for a second person's approval"),
            _purchase(),
        ),
    )


def _transfer(goods: Goods) -> tuple[Action, ...]:
    box = goods.box_quantity(BOLT)
    line: JsonValue = {"item": BOLT, "quantity": str(2 * box), "from_location": "A-01-01"}
    wanted: dict[str, JsonValue] = {
        "source_warehouse": SHANGHAI,
        "destination_warehouse": HANGZHOU,
        "note": "for the assembly line",
        "lines": [line],
    }
    bolts, symbology = goods.box(BOLT)
    return (
        Office("/transfers", wanted, TRANSFER),
        *_steps(f"/transfers/{TRANSFER}", "request", "approve", "release"),
        Told(SHANGHAI),
        Scan(SHANGHAI, f"DOC-{TRANSFER}"),
        *(Scan(SHANGHAI, bolts, symbology=symbology, facts_count=1),) * 2,
        command(SHANGHAI, "CMD-DONE"),
        Converge(),
        Told(HANGZHOU),
        Scan(HANGZHOU, f"DOC-{TRANSFER}"),
        Scan(HANGZHOU, bolts, symbology=symbology, facts_count=1),
    )


def _sale(goods: Goods) -> tuple[Action, ...]:
    box = str(goods.box_quantity(TEA))
    line: JsonValue = {"line": 1, "item": TEA, "quantity": box}
    order: dict[str, JsonValue] = {
        "warehouse": SHANGHAI,
        "customer": "TEAHOUSE",
        "code": SALE,
        "promised_on": "2026-12-01",
        "lines": [line],
    }
    house: dict[str, JsonValue] = {
        "code": "TEAHOUSE",
        "name": "West Lake Tea House",
        "name_zh": "西湖茶楼",
        "kind": "customer",
    }
    tea, symbology = goods.with_lot(TEA, lot=TEA_LOT, boxed=True)
    return (
        Office("/partners", house),
        Office("/sales-orders", order, SALE),
        *_steps(f"/sales-orders/{SALE}", "submit", "approve", "release"),
        Told(SHANGHAI),
        Scan(SHANGHAI, f"DOC-{SALE}"),
        place(SHANGHAI, "B-01-01"),
        Scan(SHANGHAI, tea, symbology=symbology, facts_count=1),
        command(SHANGHAI, "CMD-DONE"),
    )


def _count(goods: Goods) -> tuple[Action, ...]:
    line: JsonValue = {"location": "A-01-02", "item": NUT}
    nuts, symbology = goods.box(NUT)
    return (
        Office("/counts", {"warehouse": SHANGHAI, "lines": [line]}, COUNT),
        Office(f"/counts/{COUNT}/release", {}),
        Told(SHANGHAI),
        Scan(SHANGHAI, f"DOC-{COUNT}"),
        place(SHANGHAI, "A-01-02"),
        command(SHANGHAI, "CMD-QTY-3"),
        Scan(SHANGHAI, nuts, symbology=symbology),
        Scan(SHANGHAI, "CMD-CONFIRM", facts_count=1),
        command(SHANGHAI, "CMD-DONE"),
        Converge(),
        Office(f"/counts/{COUNT}/finish", {}),
    )


def _purchase() -> tuple[Action, ...]:
    supplier: dict[str, JsonValue] = {
        "code": "SAFEHAND",
        "name": "Safehand Gloves",
        "name_zh": "安手劳保用品",
        "kind": "supplier",
        "lead_time_days": 7,
    }
    line: JsonValue = {"line": 1, "item": GLOVES, "quantity": "200"}
    order: dict[str, JsonValue] = {
        "warehouse": HANGZHOU,
        "supplier": "SAFEHAND",
        "code": PURCHASE,
        "lines": [line],
    }
    return (
        Office("/partners", supplier),
        Office("/purchase-orders", order, PURCHASE),
        *_steps(f"/purchase-orders/{PURCHASE}", "submit"),
    )


def _steps(path: str, *actions: str) -> tuple[Action, ...]:
    return tuple(Office(f"{path}/{action}", {}) for action in actions)
