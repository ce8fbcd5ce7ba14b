"""Two more stories of the week: a pallet travels with its cases, cheese travels and dries. Edge.

Each ends with what stands where, and what differs is said and settled.
"""

from tests.scenarios.more_days import CHEESE
from tests.waiting import wait_for

VASE = "6901234567977"
PALLET, CASE, SPARE = "069012340000000115", "069012340000000122", "069012340000000139"
VASE_CARD = {
    "code": "VASE",
    "unit": "C62",
    "name": "Vase",
    "name_zh": "花瓶",
    "barcodes": [{"gtin": "0" + VASE}],
}


def pallet_days(week):
    """Tell both."""
    a_pallet_travels(week)
    cheese_travels(week)


def a_pallet_travels(week):
    """An announced pallet is moved and sent by its own label; one case is taken out on the way."""
    week.post("items", VASE_CARD)
    order = {"warehouse": "sh1", "supplier": "ACME", "code": "PO-VASE"}
    week.post("purchase-orders", order | {"lines": [{"line": 1, "item": "VASE", "quantity": "12"}]})
    week.steps("purchase-orders/PO-VASE", "submit", "approve", "send")
    cases = [
        {"line": number, "item": "VASE", "quantity": "6", "sscc": sscc}
        for number, sscc in enumerate((CASE, SPARE), start=1)
    ]
    on_pallet = [{"sscc": sscc, "parent": PALLET} for sscc in (CASE, SPARE)]
    units = {"units": [{"sscc": PALLET}, *on_pallet], "lines": cases}
    week.post("shipping-notices", {"order": "PO-VASE", "code": "ASN-VASE"} | units)
    week.post("shipping-notices/ASN-VASE/expect")
    week.knows("sh1")
    dock = week.docks["sh1"]
    dock.scan("DOC-ASN-VASE", f"00{PALLET}", "CMD-UNDO", "CMD-UNDO")
    week.heard("sh1")
    week.ask("GET", f"warehouses/sh1/handling-units/{PALLET}", expect=404)  # Nothing is on it.
    dock.scan(f"00{PALLET}", "CMD-DONE")
    dock.scan("CMD-MOVE", "LOC-DOCK-1", f"00{PALLET}", "LOC-BIN-1", "CMD-DONE")
    wait_for(lambda: _vases(week) == [("BIN-1", "12")], what="the pallet stands in BIN-1")
    assert _on_pallet(week, "sh1") == {CASE: ["BIN-1"], SPARE: ["BIN-1"]}
    code = _transfer(week, item="VASE", quantity="12", place="BIN-1")
    dock.scan("CMD-SHIP", f"DOC-{code}", f"00{PALLET}", "CMD-DONE")
    dock.scan("CMD-UNPACK", f"00{PALLET}", f"00{SPARE}", "CMD-DONE", "CMD-DONE")
    week.heard("sh1")
    week.knows("bj1")
    there = week.docks["bj1"]
    there.scan("CMD-RECEIVE", f"DOC-{code}", f"00{PALLET}", "CMD-DONE")
    week.heard("bj1")
    assert _on_pallet(week, "bj1") == {CASE: ["DOCK-1"]}
    assert _under_way(week, code) == ["6"]  # The case that was taken out.
    lost = {"item": "VASE", "unit": "C62", "quantity": "6", "reason": "lost"}
    closed = week.post(f"transfers/{code}/close", {"closings": [lost], "reason": "taken out"})
    assert closed["state"] == "closed"
    assert week.discrepancies() == []


def cheese_travels(week):
    """Three weighed cheeses go; two come unweighed, and the last one weighs less than it did."""
    order = {"warehouse": "sh1", "code": "PO-CHEESE-2", "supplier": "ACME"}
    line = {"line": 1, "item": "CHEESE", "quantity": "2"}
    week.post("purchase-orders", order | {"lines": [line]})
    week.steps("purchase-orders/PO-CHEESE-2", "submit", "approve", "send")
    week.knows("sh1")
    dock = week.docks["sh1"]
    dock.scan("DOC-PO-CHEESE-2", _weighing(4000), _weighing(4100), "CMD-DONE")
    week.heard("sh1")
    assert _weighed(week, "sh1") == [("DOCK-1", "3", "12.35")]
    code = _transfer(week, item="CHEESE", quantity="3", place="DOCK-1")
    labels = [_weighing(grams) for grams in (4250, 4000, 4100)]
    dock.scan("CMD-SHIP", f"DOC-{code}", *labels, "CMD-DONE")
    week.heard("sh1")
    there = week.docks["bj1"]
    there.scan("CMD-RECEIVE", f"DOC-{code}", "CMD-QTY-2", CHEESE, _weighing(4010), "CMD-DONE")
    week.heard("bj1")
    assert _weighed(week, "sh1") == []
    assert _weighed(week, "bj1") == [("DOCK-1", "3", "12.243333")]
    assert _under_way(week, code) == []
    assert week.post(f"transfers/{code}/close")["state"] == "closed"
    assert week.discrepancies() == [("weight_differs", "bj1"), ("weight_missing", "bj1")]
    assert week.discrepancy("weight_differs")["actual"] == "0.106667"
    for kind in ("weight_differs", "weight_missing"):
        path = f"discrepancies/{week.discrepancy(kind)['id']}/settle"
        week.post(path, {"action": "accept", "reason": "it dried on the way"})
    assert week.discrepancies() == []


def _transfer(week, *, item, quantity, place):
    """A transfer from Shanghai to Beijing that both docks know of."""
    ends = {"source_warehouse": "sh1", "destination_warehouse": "bj1"}
    line = {"item": item, "quantity": quantity, "from_location": place}
    code = week.post("transfers", ends | {"lines": [line]})["code"]
    week.steps(f"transfers/{code}", "request", "approve", "release")
    week.knows("sh1", "bj1")
    return code


def _on_pallet(week, house):
    """{case: places of its goods in the house} of what is on the pallet."""
    page = week.get(f"warehouses/{house}/handling-units/{PALLET}")
    return {one["sscc"]: [goods["location"] for goods in one["goods"]] for one in page["inner"]}


def _vases(week):
    """Where how many stand in Shanghai: a row a case, or one for both, added up."""
    found = {}
    for row in week.get("stock?warehouse=sh1&item=VASE")["stock"]:
        found[row["location"]] = found.get(row["location"], 0) + int(row["on_hand"])
    return [(place, str(count)) for place, count in found.items() if count]


def _under_way(week, code):
    things = week.get(f"transfers/{code}/in-transit")["things"]
    return [one["under_way"] for one in things if one["under_way"] != "0"]


def _weighed(week, house):
    rows = week.get(f"stock?warehouse={house}&item=CHEESE")["stock"]
    return [(row["location"], row["on_hand"], row["weight"]) for row in rows]


def _weighing(grams):
    """The label of a cheese with its weight."""
    return f"010{CHEESE}3103{grams:06d}"
