"""The address below /api/v1 of one pallet or carton: what it is in, what is in it. Edge of HTTP."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path

from central.api.api_model import ApiModel
from central.api.context import Reading
from central.api.parameters import PREFIX
from central.api.problems import PROBLEM, ProblemRaised
from central.contract.quantities import canonical_text, from_micro
from central.stock.handling_units import UnitGoods, read_unit

router = APIRouter(
    prefix=PREFIX, responses=dict.fromkeys((404, 422, 503), PROBLEM), tags=["ledger"]
)
Code = Annotated[str, Path(min_length=1, max_length=64)]
Sscc = Annotated[str, Path(pattern="^[0-9]{18}$", description="GS1 SSCC, 18 digits.")]


class UnitGoodsOut(ApiModel):
    """Goods with a unit's own number on them.

    weight: of catch-weight items, in `weight_unit`, "0" otherwise.
    """

    location: str
    item: str
    lot: str
    serial: str
    status: str
    on_hand: str
    unit: str
    weight: str
    weight_unit: str


class PackedUnitOut(ApiModel):
    """A unit inside. depth: 1 for what is in the one that was asked for itself."""

    sscc: str
    parent: str
    depth: int
    goods: list[UnitGoodsOut]


class HandlingUnitOut(ApiModel):
    """A handling unit. outer: what it is in, the nearest first. inner: each after what it is in.

    complete: False where more is inside than is told.
    """

    warehouse: str
    sscc: str
    outer: list[str]
    goods: list[UnitGoodsOut]
    inner: list[PackedUnitOut]
    complete: bool


@router.get("/warehouses/{warehouse}/handling-units/{sscc}")
def get_handling_unit(warehouse: Code, sscc: Sscc, reading: Reading) -> HandlingUnitOut:
    """Say what a pallet or carton is in, what is in it, and where the goods of each stand."""
    with reading.database.read() as connection:
        found = read_unit(connection, warehouse, sscc)
    if found is None:
        raise ProblemRaised(
            status=404,
            title="Not found",
            detail=f"Warehouse {warehouse} knows nothing of unit {sscc}.",
            hint="Correct the number, or look for it in another warehouse.",
        )
    return HandlingUnitOut(
        warehouse=warehouse,
        sscc=sscc,
        outer=list(found.outer),
        goods=_goods_out(found.goods),
        inner=[
            PackedUnitOut(
                sscc=one.sscc, parent=one.parent, depth=one.depth, goods=_goods_out(one.goods)
            )
            for one in found.inner
        ],
        complete=not found.more,
    )


def _goods_out(goods: Iterable[UnitGoods]) -> list[UnitGoodsOut]:
    return [
        UnitGoodsOut(
            location=one.location,
            item=one.item,
            lot=one.lot,
            serial=one.serial,
            status=one.status,
            on_hand=canonical_text(from_micro(one.on_hand_micro)),
            unit=one.unit,
            weight=canonical_text(from_micro(one.weight_micro)),
            weight_unit=one.weight_unit,
        )
        for one in goods
    ]
