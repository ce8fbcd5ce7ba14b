"""More of the week: announced pallets, returns, broken and weighed goods, a day offline. Edge.

Each story has goods of its own and ends with what stands where, and nothing open.
"""

from datetime import UTC, datetime

from tests.scenarios.other_days import DAY_MS, turn
from tests.scenarios.week import element
from tests.waiting import wait_for

LAMP, HONEY, CHEESE, BREAD = "6901234567939", "6901234567946", "6901234567953", "6901234567960"
PALLET, CASE, SPARE, SINGLE = (
    "069012345000000011",
    "069012345000000028",
    "069012345000000035",
    "069012345000000042",
)
MORE_GOODS = {
    "LAMP": {"name": "Lamp", "name_zh": "台灯", "barcodes": [{"gtin": "0" + LAMP}]},
    "HONEY": {
        "name": "Honey",
        "name_zh": "蜂蜜",
        "lot_tracked": True,
        "barcodes": [{"gtin": "0" + HONEY}],
        "policy": {"inspected": True, "expiry_tracked": True},
    },
    "CHEESE": {
        "name": "Cheese",
        "name_zh": "奶酪",
        "barcodes": [{"gtin": "0" + CHEESE}],
        "policy": {"weight_unit": "KGM"},
    },
    "BREAD": {"name": "Bread", "name_zh": "面包", "barcodes": [{"gtin": "0" + BREAD}]},
}
HOUR_MS = DAY_MS // 24


def more_days(week):
    """Tell all but the one of the day before."""
    announced_pallets(week)
    a_backorder_is_filled(week)
    inspected_at_the_station(week)
    back_to_the_supplier(week)
    broken_on_the_way(week)
    cancelled_on_the_way(week)
    pieces_and_weight(week)


def sunday(week):
    """The shop works a whole day, by itself, with a mistake; the ledger hears of it the next."""
    for code, fields in MORE_GOODS.items():
        week.post("items", {"code": code, "unit": "C62"} | fields)
    week.knows("shop")
    shop, relay = week.docks["shop"], week.relays["shop"]
    relay.cut()
    shop.kill()
    file = week.folder / "shop.clock"
    now_ms = _ms(week.get("health")["time"])
    turn(file, by_ms=-DAY_MS)
    shop.live_on(file)
    shop.start()
    shop.scan("CMD-RECEIVE", "CMD-QTY-20", BREAD, "CMD-QTY-2", BREAD, "CMD-UNDO", "CMD-DONE")
    wait_for(shop.done, what="the bread of the morning is recorded")
    turn(file, by_ms=-DAY_MS + 9 * HOUR_MS)
    shop.scan("CMD-SHIP", "LOC-DOCK-1", "CMD-QTY-13", BREAD, "CMD-DONE")
    wait_for(shop.done, what="what was sold until the evening is recorded")
    turn(file, by_ms=0)
    assert week.stock("shop", item="BREAD") == {}
    relay.mend()
    week.heard("shop")
    assert week.stock("shop", item="BREAD") == {("DOCK-1", "BREAD", "available"): 7}
    noon, evening = (_text(now_ms - DAY_MS + hours * HOUR_MS) for hours in (5, 12))
    bread = {"item": "BREAD", "as_of": noon}
    assert week.stock("shop", **bread) == {("DOCK-1", "BREAD", "available"): 20}
    assert week.stock("shop", **bread, as_of_time="record") == {}
    late = {"item": "BREAD", "as_of": evening}
    assert week.stock("shop", **late) == {("DOCK-1", "BREAD", "available"): 7}
    assert week.discrepancies() == []


def announced_pallets(week):
    """A notice names two pallets, one with two cases on it; one case was never loaded."""
    order = {"warehouse": "sh1", "supplier": "ACME", "code": "PO-LAMP"}
    week.post("purchase-orders", order | {"lines": [{"line": 1, "item": "LAMP", "quantity": "30"}]})
    week.steps("purchase-orders/PO-LAMP", "submit", "approve", "send")
    units = [
        {"sscc": PALLET},
        {"sscc": CASE, "parent": PALLET},
        {"sscc": SPARE, "parent": PALLET},
        {"sscc": SINGLE},
    ]
    lines = [
        {"line": number, "item": "LAMP", "quantity": "10", "sscc": sscc}
        for number, sscc in enumerate((CASE, SPARE, SINGLE), start=1)
    ]
    notice = {"order": "PO-LAMP", "code": "ASN-LAMP", "units": units, "lines": lines}
    week.post("shipping-notices", notice)
    week.post("shipping-notices/ASN-LAMP/expect")
    week.knows("sh1")
    dock = week.docks["sh1"]
    # The label of the pallet brings both cases; the one that is not there is taken back.
    dock.scan("DOC-ASN-LAMP", f"00{SINGLE}", f"00{PALLET}", "CMD-UNDO", f"00{CASE}", "CMD-DONE")
    week.heard("sh1")
    assert _pallets(week, "sh1", "LAMP") == {SINGLE: 10, CASE: 10}
    came = week.get("shipping-notices/ASN-LAMP")
    assert {one["sscc"]: one["presence"] for one in came["units"]} == {
        PALLET: "differs",
        CASE: "received",
        SPARE: "missing",
        SINGLE: "received",
    }
    refused = week.post("shipping-notices/ASN-LAMP/close", {}, expect=409)
    assert refused["hint"]
    why = {"reason": "one case was not loaded"}
    assert week.post("shipping-notices/ASN-LAMP/close", why)["state"] == "closed"
    bought = week.get("purchase-orders/PO-LAMP")
    assert (bought["state"], bought["lines"][0]["remaining"]) == ("part_received", "10")
    assert week.discrepancies() == []


def a_backorder_is_filled(week):
    """More is ordered than is there; the rest goes out when the missing case has come."""
    order = {"warehouse": "sh1", "customer": "NOODLE", "code": "SO-LAMP"}
    week.post("sales-orders", order | {"lines": [{"line": 1, "item": "LAMP", "quantity": "26"}]})
    week.steps("sales-orders/SO-LAMP", "submit", "approve", "release")
    line = week.get("sales-orders/SO-LAMP")["lines"][0]
    assert (line["reserved"], line["backorder"]) == ("20", "6")
    week.knows("sh1")
    dock = week.docks["sh1"]
    dock.scan("DOC-SO-LAMP", f"00{SINGLE}", f"00{CASE}", "CMD-DONE")
    week.heard("sh1")
    sold = week.get("sales-orders/SO-LAMP")
    assert (sold["state"], sold["lines"][0]["shipped"]) == ("part_shipped", "20")
    dock.scan("DOC-PO-LAMP", "CMD-QTY-10", LAMP, "CMD-DONE")
    week.heard("sh1")
    assert week.get("purchase-orders/PO-LAMP")["state"] == "received"
    covered = week.post("sales-orders/reserve-backorders", {"warehouse": "sh1"})["lines"]
    assert [(one["order"], one["reserved"], one["missing"]) for one in covered] == [
        ("SO-LAMP", "6", "0")
    ]
    week.knows("sh1")
    dock.scan("DOC-SO-LAMP", "CMD-QTY-6", LAMP, "CMD-DONE")
    week.heard("sh1")
    sold = week.get("sales-orders/SO-LAMP")
    assert (sold["state"], sold["lines"][0]["backorder"]) == ("shipped", "0")
    assert week.stock("sh1", item="LAMP") == {("DOCK-1", "LAMP", "available"): 4}
    assert week.discrepancies() == []


def inspected_at_the_station(week):
    """Honey is accepted, rejected to another place and tasted where it stands, by scans alone."""
    order = {"warehouse": "sh1", "supplier": "ACME", "code": "PO-HONEY"}
    honey = {"line": 1, "item": "HONEY", "quantity": "12"}
    week.post("purchase-orders", order | {"lines": [honey]})
    week.steps("purchase-orders/PO-HONEY", "submit", "approve", "send")
    week.knows("sh1")
    dock, jar = week.docks["sh1"], element(HONEY, lot="H-1", expiry="280131")
    dock.scan("DOC-PO-HONEY", "CMD-QTY-12", jar, "CMD-DONE")
    dock.scan("CMD-INSPECT", "LOC-DOCK-1", "CMD-QTY-7", jar, "CMD-ACCEPT")
    dock.scan("CMD-QTY-4", jar, "CMD-REJECT", "LOC-HOLD", "CMD-REASON-QUALITY")
    dock.scan(jar, "CMD-SAMPLE", "CMD-DONE")
    week.heard("sh1")
    (decided,) = week.get("inspections?document=PO-HONEY")["inspections"]
    assert not decided["open"]
    assert (decided["accepted"], decided["rejected"], decided["scrapped"]) == ("7", "4", "1")
    assert week.stock("sh1", item="HONEY") == {
        ("DOCK-1", "HONEY", "available"): 7,
        ("HOLD", "HONEY", "rejected"): 4,
    }
    assert week.discrepancies() == []


def back_to_the_supplier(week):
    """What was rejected goes back, all of it, and the supplier grants what is claimed."""
    (decided,) = week.get("inspections?document=PO-HONEY")["inspections"]
    honey = {"line": 1, "item": "HONEY", "quantity": "4", "lot": "H-1", "location": "HOLD"}
    asked = {"warehouse": "sh1", "supplier": "ACME", "order": "PO-HONEY", "reason": "defective"}
    lines = [honey | {"inspection": decided["code"]}]
    code = week.post("supplier-returns", asked | {"lines": lines})["code"]
    week.steps(f"supplier-returns/{code}", "approve", "release")
    week.knows("sh1")
    jar = element(HONEY, lot="H-1", expiry="280131")
    week.docks["sh1"].scan(f"DOC-{code}", "CMD-QTY-4", jar, "CMD-DONE")
    week.heard("sh1")
    assert week.get(f"supplier-returns/{code}")["state"] == "shipped"
    credit = {"kind": "credit", "amount": "96.5", "currency": "CNY"}
    week.post(f"supplier-returns/{code}/claims", credit)
    week.post(f"supplier-returns/{code}/claims/1/decide", {"state": "granted"})
    assert week.post(f"supplier-returns/{code}/close")["state"] == "closed"
    assert week.stock("sh1", item="HONEY") == {("DOCK-1", "HONEY", "available"): 7}
    assert week.discrepancies() == []


def broken_on_the_way(week):
    """Of four lamps three come to Beijing whole; the fourth is closed as damaged."""
    code = _sent(week, house="bj1", item="LAMP", quantity="4")
    week.docks["sh1"].scan(f"DOC-{code}", "CMD-QTY-4", LAMP, "CMD-DONE")
    week.heard("sh1")
    week.docks["bj1"].scan(f"DOC-{code}", "CMD-QTY-3", LAMP, "CMD-DONE")
    week.heard("bj1")
    assert _under_way(week, code) == ["1"]
    damaged = {"item": "LAMP", "unit": "C62", "quantity": "1", "reason": "damaged"}
    closed = week.post(f"transfers/{code}/close", {"closings": [damaged], "reason": "a hard road"})
    assert (closed["state"], _under_way(week, code)) == ("closed", [])
    assert week.stock("sh1", item="LAMP") == {}
    assert week.stock("bj1", item="LAMP") == {("DOCK-1", "LAMP", "available"): 3}
    scrap = week.get("stock?warehouse=sh1&item=LAMP&include_virtual=true")["stock"]
    assert [one["on_hand"] for one in scrap if one["location"] == "scrap"] == ["1"]
    assert week.discrepancies() == []


def cancelled_on_the_way(week):
    """A transfer is called off under way; the shop, cut off, has unloaded two; three come back."""
    code = _sent(week, house="shop", item="HONEY", quantity="7")
    jar = element(HONEY, lot="H-1", expiry="280131")
    week.docks["sh1"].scan(f"DOC-{code}", "CMD-QTY-5", jar, "CMD-DONE")
    week.heard("sh1")
    week.relays["shop"].cut()
    called_off = week.post(f"transfers/{code}/cancel", {"reason": "the shop is closed"})
    assert called_off["state"] == "returning"
    week.docks["shop"].scan(f"DOC-{code}", "CMD-QTY-2", jar, "CMD-DONE")
    week.relays["shop"].mend()
    week.heard("shop")
    assert _under_way(week, code) == ["3"]
    assert ("moved_after_end", "shop") in week.discrepancies()
    back = {"item": "HONEY", "lot": "H-1", "unit": "C62", "quantity": "3", "reason": "sent_back"}
    closings = {"closings": [back | {"location": "DOCK-1"}], "reason": "the truck turned round"}
    ended = week.post(f"transfers/{code}/close", closings)
    assert (ended["state"], _under_way(week, code)) == ("cancelled", [])
    assert week.stock("sh1", item="HONEY") == {("DOCK-1", "HONEY", "available"): 5}
    assert week.stock("shop", item="HONEY") == {("DOCK-1", "HONEY", "available"): 2}
    assert week.discrepancies() == []


def pieces_and_weight(week):
    """Three cheeses come, each with the weight on its label; two are sold by piece and weight."""
    order = {"warehouse": "sh1", "code": "PO-CHEESE", "supplier": "ACME"}
    cheese = {"line": 1, "item": "CHEESE"}
    week.post("purchase-orders", order | {"lines": [cheese | {"quantity": "3"}]})
    week.steps("purchase-orders/PO-CHEESE", "submit", "approve", "send")
    sold = {"warehouse": "sh1", "code": "SO-CHEESE", "customer": "NOODLE"}
    week.knows("sh1")
    dock = week.docks["sh1"]
    weighed = [f"010{CHEESE}3103{grams:06d}" for grams in (4125, 3980, 4250)]
    dock.scan("DOC-PO-CHEESE", *weighed, "CMD-DONE")
    week.heard("sh1")
    assert _weighed(week, "sh1", "CHEESE") == [("DOCK-1", "3", "12.355")]
    week.post("sales-orders", sold | {"lines": [cheese | {"quantity": "2"}]})
    week.steps("sales-orders/SO-CHEESE", "submit", "approve", "release")
    week.knows("sh1")
    dock.scan("DOC-SO-CHEESE", *weighed[:2], "CMD-DONE")
    week.heard("sh1")
    assert week.get("sales-orders/SO-CHEESE")["state"] == "shipped"
    assert _weighed(week, "sh1", "CHEESE") == [("DOCK-1", "1", "4.25")]
    assert week.discrepancies() == []


def _sent(week, *, house, item, quantity):
    """A transfer from Shanghai that both docks know of."""
    ends = {"source_warehouse": "sh1", "destination_warehouse": house}
    line = {"item": item, "quantity": quantity, "from_location": "DOCK-1"}
    code = week.post("transfers", ends | {"lines": [line]})["code"]
    week.steps(f"transfers/{code}", "request", "approve", "release")
    week.knows("sh1", house)
    return code


def _under_way(week, code):
    """How much of each thing is still between the warehouses."""
    things = week.get(f"transfers/{code}/in-transit")["things"]
    return [one["under_way"] for one in things if one["under_way"] != "0"]


def _pallets(week, house, item):
    rows = week.get(f"stock?warehouse={house}&item={item}")["stock"]
    return {row["sscc"]: int(row["on_hand"]) for row in rows}


def _weighed(week, house, item):
    rows = week.get(f"stock?warehouse={house}&item={item}")["stock"]
    return [(row["location"], row["on_hand"], row["weight"]) for row in rows]


def _ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _text(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
