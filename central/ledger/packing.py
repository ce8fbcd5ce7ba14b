"""What is packed in what, fact by fact. Pure.

    carton 1 --.
    carton 2 --+--> pallet 9          each unit is in one other at most, never in itself, and not
    pallet 9 -----> container 4       deeper than DEPTH_MAX

A unit that cannot be where a fact says stays where it was, and a finding says so; the others of the
fact are packed. What is packed moves no stock: the movements say where its goods are.
"""

from collections.abc import Mapping

from central.contract.facts import Packing
from central.ledger.entries import Entry, Finding, finding_of

DEPTH_MAX = 8  # Units inside each other; in the trade carton, layer, pallet, container.
UnitKey = tuple[str, str]  # warehouse, SSCC


class PackingBook:
    """Which unit is in which. `apply` follows one fact after another.

    parents: of every unit that may be touched, of all that they are in and all that is in them.
    changed: parent, and record number of the packing that said so last, of each unit it moved.
    """

    def __init__(self, parents: Mapping[UnitKey, str]) -> None:
        self._parents: dict[UnitKey, str] = {}
        self._children: dict[UnitKey, set[str]] = {}
        self.changed: dict[UnitKey, tuple[str, int]] = {}
        for unit, parent in parents.items():
            self._put(unit, parent)

    def apply(self, entry: Entry, packing: Packing) -> list[Finding]:
        """Pack or unpack what a fact says; return what of it cannot be."""
        warehouse, findings = entry.warehouse, []
        for child in packing.children:
            unit = (warehouse, child)
            inside = self._parents.get(unit, "") == packing.parent
            if packing.action == "pack":
                why = "" if inside else self._why_not(unit, packing.parent)
                parent = packing.parent
            else:
                why = "" if inside else f"is not in {packing.parent}"
                parent = ""
            if why:
                findings.append(_impossible(entry, packing, child=child, why=why))
            elif self._parents.get(unit, "") != parent:
                self._put(unit, parent)
                self.changed[unit] = (parent, entry.record_no)
        return findings

    def _why_not(self, unit: UnitKey, parent: str) -> str:
        """Return why a unit cannot be put into another, "" if it can."""
        warehouse, child = unit
        above = self._above((warehouse, parent))
        if child in above:
            return f"holds {parent} itself"
        if len(above) + self._height(unit) > DEPTH_MAX:
            return f"would make more than {DEPTH_MAX} units inside each other"
        return ""

    def _above(self, unit: UnitKey) -> list[str]:
        """Return a unit and all that it is in, the outermost last."""
        warehouse, sscc = unit
        above: list[str] = []
        while sscc and len(above) <= DEPTH_MAX:
            above.append(sscc)
            sscc = self._parents.get((warehouse, sscc), "")
        return above

    def _height(self, unit: UnitKey) -> int:
        """Return how many units are inside each other from a unit down, itself included."""
        warehouse, level, height = unit[0], [unit[1]], 0
        while level and height <= DEPTH_MAX:
            height += 1
            level = [child for sscc in level for child in self._children.get((warehouse, sscc), ())]
        return height

    def _put(self, unit: UnitKey, parent: str) -> None:
        warehouse, sscc = unit
        before = self._parents.get(unit, "")
        if before:
            self._children[warehouse, before].discard(sscc)
        if parent:
            self._children.setdefault((warehouse, parent), set()).add(sscc)
        self._parents[unit] = parent


def _impossible(entry: Entry, packing: Packing, *, child: str, why: str) -> Finding:
    return finding_of(
        entry,
        "packing_impossible",
        f"{packing.parent}/{child}",
        detail=f"to {packing.action} {child}: it {why}",
    )
