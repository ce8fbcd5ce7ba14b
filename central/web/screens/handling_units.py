"""The page of one pallet or carton: what it is in, what is in it, where it stands. Edge of HTTP."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.api.problems import ProblemRaised
from central.contract.quantities import from_micro
from central.stock.handling_units import UnitGoods, UnitView, read_unit
from central.web.alert_words import unit_url
from central.web.asking import Asked, Asking
from central.web.listing import Cell
from central.web.screens.stock_tables import place_cell
from central.web.shell import page
from central.web.stock_words import item_url
from central.web.texts import Texts
from central.web.words import UNITS

DEPTHS_DRAWN = 8  # As many as can be inside each other.
Code = Annotated[str, Path(min_length=1, max_length=64)]
Sscc = Annotated[str, Path(pattern="^[0-9]{18}$")]

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class GoodsLine:
    """Goods in a unit. weight: "" for what is not weighed."""

    item: str
    item_href: str
    lot: str
    quantity: str
    unit: str
    weight: str
    place: Cell


@dataclass(frozen=True, slots=True)
class UnitLine:
    """A unit in the drawing. depth: 0 for the one whose page it is."""

    sscc: str
    href: str
    depth: int
    goods: tuple[GoodsLine, ...]


@router.get("/warehouses/{warehouse}/handling-units/{sscc}")
def handling_unit_page(asking: Asked, warehouse: Code, sscc: Sscc) -> HTMLResponse:
    """Draw a unit with all that is in it."""
    with asking.read() as connection:
        found = read_unit(connection, warehouse, sscc)
    if found is None:
        raise ProblemRaised(
            status=404,
            title="No such unit",
            detail="The warehouse knows nothing of a pallet or carton of this number.",
            hint="Look the number up by the search.",
        )
    content = {
        "warehouse": warehouse,
        "outer": [(one, unit_url(warehouse, one)) for one in found.outer],
        "units": _lines(asking, found),
        "more": found.more,
    }
    return page(
        asking,
        "stock/handling_unit.html",
        title=" ".join(("SSCC", sscc)),
        kinds=("movement",),
        content=content,
    )


def _lines(asking: Asking, found: UnitView) -> list[UnitLine]:
    own = UnitLine(found.sscc, "", 0, _goods(asking, found, found.goods))
    inner = (
        UnitLine(
            one.sscc,
            unit_url(found.warehouse, one.sscc),
            min(one.depth, DEPTHS_DRAWN),
            _goods(asking, found, one.goods),
        )
        for one in found.inner
    )
    return [own, *inner]


def _goods(asking: Asking, found: UnitView, goods: tuple[UnitGoods, ...]) -> tuple[GoodsLine, ...]:
    texts = asking.texts
    return tuple(
        GoodsLine(
            item=one.item,
            item_href=item_url(one.item),
            lot=one.lot or one.serial,
            quantity=texts.quantity(from_micro(one.on_hand_micro)),
            unit=texts.word(UNITS, one.unit),
            weight=_weight(texts, one) if one.weight_micro else "",
            place=place_cell(asking, warehouse=found.warehouse, location=one.location),
        )
        for one in goods
    )


def _weight(texts: Texts, goods: UnitGoods) -> str:
    amount = texts.quantity(from_micro(goods.weight_micro))
    return f"{amount} {texts.word(UNITS, goods.weight_unit)}"
