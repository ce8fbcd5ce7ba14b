"""What is doubtful in a reference document of gateways, which is loaded all the same. Pure."""

from collections.abc import Iterable, Iterator

from central.contract.reference import Reference
from central.orders.catalogue.unit_codes import is_unit, likely_unit


def reference_doubts(reference: Reference) -> list[str]:
    """Return a sentence for each unit that nobody knows, and for codes that differ in case alone.

    A card at the desk would be refused for it; documents have had such units and codes for long.
    """
    found = [
        f"item {item.code}: unit {item.unit} is not a UN/CEFACT unit code{_meant(item.unit)}"
        for item in reference.items
        if not is_unit(item.unit)
    ]
    found += _twins("item", (item.code for item in reference.items))
    for warehouse in reference.warehouses:
        what = f"place of {warehouse.code}"
        found += _twins(what, (place.code for place in warehouse.locations))
    return found


def _meant(unit: str) -> str:
    likely = likely_unit(unit)
    return f"; did you mean {likely}?" if likely else ""


def _twins(what: str, codes: Iterable[str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for code in codes:
        other = first.setdefault(code.lower(), code)
        if other != code:
            yield f"{what}: {code} and {other} differ in upper and lower case alone"
