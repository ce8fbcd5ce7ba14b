"""Light traffic after the morning: goods come in and are put away, chosen by a seed. Pure."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from central.contract.reference import Reference
from provisioning.demo.actions import Action, Scan, command, place
from provisioning.demo.goods import Goods

GOODS_A_ROUND_MAX = 3

One = TypeVar("One")


class Chance(Protocol):
    """What is used of `random.Random`."""

    def choice(self, choices: Sequence[One], /) -> One:
        """Return one of them."""
        ...

    def randint(self, a: int, b: int) -> int:
        """Return a number from a to b, both included."""
        ...


def traffic_round(reference: Reference, chance: Chance, warehouse: str) -> tuple[Action, ...]:
    """Return one round: some goods without an order come in and go to bins; no difference arises.

    Only pieces without lots, for a lot would have to be scanned.
    """
    goods = Goods(reference)
    pieces = [item for item in reference.items if item.kind == "piece" and not item.lot_tracked]
    bins = [
        location.code
        for known in reference.warehouses
        if known.code == warehouse
        for location in known.locations
        if location.kind == "bin" and not location.code.startswith("SILO")
    ]
    came: list[tuple[str, str]] = []
    for _ in range(chance.randint(1, GOODS_A_ROUND_MAX)):
        item = chance.choice(pieces)
        boxed = len(item.barcodes) > 1 and chance.randint(0, 1) == 1
        came.append(goods.box(item.code) if boxed else goods.each(item.code))
    scanner = chance.randint(0, 1)
    actions: list[Action] = [command(warehouse, "CMD-RECEIVE")]
    for data, symbology in came:
        actions.append(Scan(warehouse, data, symbology=symbology, facts_count=1, scanner=scanner))
    actions += [command(warehouse, "CMD-DONE"), command(warehouse, "CMD-PUTAWAY")]
    for data, symbology in came:
        actions.append(Scan(warehouse, data, symbology=symbology))
        actions.append(place(warehouse, chance.choice(bins), facts_count=1))
    return (*actions, command(warehouse, "CMD-DONE"))
