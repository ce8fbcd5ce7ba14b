"""Goes through every address once with the examples of the OpenAPI document, as people would.

`post("/transfers/TR-000001/close")` sends the example that the document has for that address, or
what a scene needs beside. Every answer has to be a success of the form that the document says.
"""

import json
import re
from functools import cache

import httpx
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from central.web.app import create_app
from tests.central.clients import run
from tests.central.scenery import sscc

PREFIX = "/api/v1"
PALLET = sscc(1)


class Walk:
    """An application, asked again and again. asked: (method, address as the document has it)."""

    def __init__(self, app, inbox, *gateways):
        self.app, self.document = app, document()
        self._inbox, self._gateways = inbox, {gateway.warehouse: gateway for gateway in gateways}
        self._sent = dict.fromkeys(self._gateways, 0)
        self.asked = set()
        self._addresses = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path)
            for path in sorted(self.document["paths"], key=lambda path: path.count("{"))
        ]

    def move(self, item, quantity, source, target, *, warehouse="SH1", **fields):
        """The gateway of a warehouse says that goods moved."""
        gateway = self._gateways[warehouse]
        gateway.move(item, quantity, source=source, target=target, **fields)
        (outcome,) = self._inbox.accept([gateway.offer(self._sent[warehouse] + 1)])
        assert outcome.accepted_count == 1
        self._sent[warehouse] += 1

    def get(self, path, **query):
        return self._ask("GET", path, params=query)

    def post(self, path, body=None, **options):
        return self._ask("POST", path, body, **options)

    def put(self, path, body=None):
        return self._ask("PUT", path, body)

    def patch(self, path, body=None):
        return self._ask("PATCH", path, body)

    def delete(self, path):
        return self._ask("DELETE", path)

    def steps(self, path, *actions):
        for action in actions:
            said = self.post(f"{path}/{action}")
        return said

    def _ask(self, method, path, body=None, **options):
        address = next(
            known for form, known in self._addresses if form.match(PREFIX + path.partition("?")[0])
        )
        operation = self.document["paths"][address][method.lower()]
        content = operation.get("requestBody", {}).get("content", {})
        if body is not None:
            options["json"] = body
        elif "application/json" in content:
            options["json"] = self._example(content["application/json"]["schema"])
        if any(
            one["name"] == "if-match" for one in operation.get("parameters", ()) if one["required"]
        ):
            options["headers"] = {"If-Match": self._version(path, method)}
        if body is None or "application/json" not in content:
            self.asked.add((method, address.removeprefix(PREFIX)))
        answer = run(self._send(method, path, options))
        place = f"{method} {path}"
        assert 200 <= answer.status_code < 300, f"{place}: {answer.status_code} {answer.text}"
        said = operation["responses"][str(answer.status_code)].get("content", {})
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in said, f"{place}: {media_type} is not in the document"
        if media_type != "application/json":
            return answer
        check(said[media_type]["schema"], answer.json(), place)
        return answer.json()

    def _version(self, path, method):
        """The ETag of what is edited, as whoever edits it has read it."""
        read = path if method != "POST" else path.rpartition("/")[0]
        return run(self._send("GET", read, {})).headers["ETag"]

    async def _send(self, method, path, options):
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
            return await client.request(method, PREFIX + path, **options)

    def _example(self, schema):
        name = schema["$ref"].rpartition("/")[2]
        example = self.document["components"]["schemas"][name]["examples"][0]
        check(schema, example, f"the example of {name}")
        return example


@cache
def document():
    """The document, which all applications have the same: it takes half a second to make."""
    return create_app(database=None, clock=None, site="demo").openapi()


def check(schema, value, what):
    """Fail unless a value has a form of the document."""
    fault = best_match(_validator(json.dumps(schema)).iter_errors(value))
    assert fault is None, f"{what}: {fault.json_path} {fault.message}"


@cache
def _validator(schema):
    return Draft202012Validator(json.loads(schema) | {"components": document()["components"]})


def catalogue(walk):
    walk.post("/items")
    walk.put("/items/BOLT-M8")
    walk.patch("/items/BOLT-M8")
    walk.get("/items")
    walk.get("/items/BOLT-M8")
    query = {"quantity": "3", "from_unit": "CT", "to_unit": "C62"}
    walk.get("/items/BOLT-M8/conversion", **query)
    walk.delete("/items/BOLT-M8")
    packs = [{"unit": "CT", "numerator": 24}]
    walk.put("/items/BOLT", {"name": "Bolt", "unit": "C62", "packs": packs})
    policy = {"inspected": True}
    walk.put("/items/RICE", {"name": "Rice", "unit": "KGM", "kind": "bulk", "policy": policy})
    walk.post("/warehouses")
    walk.put("/warehouses/SH2")
    walk.post("/warehouses/SH2/places")
    walk.put("/warehouses/SH2/places/BIN-7")
    walk.patch("/warehouses/SH2/places/BIN-7")
    for path in ("", "/SH2", "/SH2/places", "/SH2/places/BIN-7"):
        walk.get(f"/warehouses{path}")
    walk.delete("/warehouses/SH2/places/BIN-7")
    walk.delete("/warehouses/SH2")
    walk.post("/partners")
    walk.put("/partners/ACME")
    walk.patch("/partners/ACME")
    walk.get("/partners")
    walk.get("/partners/ACME")
    walk.post("/partners", {"code": "GONE", "name": "Gone", "kind": "supplier"})
    walk.delete("/partners/GONE")
    walk.post("/partners", {"code": "SHOP", "name": "The shop", "kind": "customer"})
    table = {"content": b"item,name,unit\nCOG,Cog,C62\n", "headers": {"content-type": "text/csv"}}
    walk.post("/imports/items/check", **table)
    walk.post("/imports/items", **table)
    walk.get("/imports/items")
    walk.get("/exports/items", format="csv")
    walk.get("/cleaning/duplicates")
    walk.get("/cleaning/missing", lacks="barcode")
    walk.get("/cleaning/unused", since="2026-01-01")


def purchasing(walk):
    orders = [walk.post("/purchase-orders")["code"] for _ in range(3)]
    first, second, third = (f"/purchase-orders/{code}" for code in orders)
    walk.patch(first)
    walk.steps(first, "submit", "reject", "revise", "submit", "approve", "send", "confirm")
    walk.move("BOLT", "1", "supplier", "BIN-3", lot="LOT-1", sscc=PALLET)
    walk.move("BOLT", "200", "supplier", "DOCK-1", document=orders[0], document_line=1)
    walk.get("/holds", item="BOLT", lot="LOT-1")
    walk.post("/holds")
    walk.post("/holds/release")
    walk.put("/warehouses/SH1/lot-date?item=BOLT&lot=LOT-1")
    walk.get("/warehouses/SH1/lot-date", item="BOLT", lot="LOT-1")
    walk.post(f"{first}/lines/1/close")
    walk.steps(second, "submit", "approve", "send", "close")
    walk.post(f"{third}/cancel")
    walk.get("/purchase-orders")
    walk.get(first)
    notices = [walk.post("/shipping-notices", asked)["code"] for asked in (None, UNITLESS)]
    notice, other = (f"/shipping-notices/{code}" for code in notices)
    walk.patch(notice)
    walk.steps(notice, "expect", "close")
    walk.post(f"{other}/cancel")
    walk.get("/shipping-notices")
    walk.get(notice)
    walk.move("RICE", "50", "supplier", "DOCK-1", unit="KGM", document="PO-1", document_line=2)
    inspection = walk.get("/inspections")["inspections"][0]["code"]
    walk.post(f"/inspections/{inspection}/decisions")
    walk.get(f"/inspections/{inspection}")
    returns = [walk.post("/supplier-returns")["code"] for _ in range(3)]
    back, refused, dropped = (f"/supplier-returns/{code}" for code in returns)
    walk.patch(back)
    walk.steps(back, "approve", "release")
    claims = walk.post(f"{back}/claims")["claims"]
    walk.post(f"{back}/claims/{claims[0]['number']}/decide")
    walk.move(
        "BOLT", "24", "DOCK-1", "supplier", document=returns[0], document_line=1,
        business_step="shipping",
    )  # fmt: skip
    walk.post(f"{back}/close")
    walk.post(f"{refused}/reject")
    walk.post(f"{dropped}/cancel")
    walk.get("/supplier-returns")
    walk.get(back)


UNITLESS = {
    "warehouse": "SH1",
    "supplier": "ACME",
    "lines": [{"line": 1, "item": "BOLT", "quantity": "5"}],
}


def transfers(walk):
    codes = [walk.post("/transfers")["code"] for _ in range(3)]
    first, second, third = (f"/transfers/{code}" for code in codes)
    walk.patch(first)
    walk.steps(first, "request", "revise", "request", "approve", "release", "reserve")
    under = {"document": codes[0], "document_line": 1}
    walk.move("BOLT", "12", "DOCK-1", "in_transit", business_step="shipping", **under)
    walk.move("BOLT", "10", "in_transit", "BIN-1", warehouse="BJ1", **under)
    walk.get(f"{first}/in-transit")
    walk.post(f"{first}/close")
    walk.post(f"{second}/cancel")
    walk.steps(third, "request", "reject")
    walk.post("/transfers/release")
    walk.get("/transfers")
    walk.get(first)
    walk.get(f"/history/transfer/{codes[0]}")


def sales(walk):
    codes = [walk.post("/sales-orders")["code"] for _ in range(3)]
    first, second, third = (f"/sales-orders/{code}" for code in codes)
    walk.put(first)
    walk.steps(first, "submit", "send-back", "submit", "approve", "reserve")
    wave = walk.post("/pick-waves")["code"]
    walk.get("/pick-waves")
    walk.get(f"/pick-waves/{wave}")
    walk.get("/pick-lists", warehouse="SH1")
    walk.steps(f"/pick-waves/{wave}", "break-up")
    walk.post("/sales-orders/reserve-backorders")
    walk.steps(first, "recall", "release")
    walk.post("/pick-lists/tell-stations")
    pick = walk.get(first)["picks"][0]
    walk.post(f"{first}/picks/{pick['pick']}/short")
    walk.post(f"{first}/lines/1/give-up")
    walk.get("/in-transit", as_of="2026-06-02T00:00:00Z")
    walk.get("/reservations")
    walk.get("/availability")
    walk.move(
        "BOLT", "9", "DOCK-1", "customer", document=codes[0], document_line=1,
        business_step="shipping",
    )  # fmt: skip
    walk.steps(first, "sign", "close")
    walk.post("/sales-orders/sell")
    walk.steps(f"/sales-orders/{walk.post('/sales-orders')['code']}", "hand-over")
    walk.get("/sales-orders")
    walk.steps(second, "submit", "approve", "reopen")
    walk.post(f"{third}/cancel")
    walk.get("/putaway-suggestions", warehouse="SH1", item="BOLT", quantity="3")
    walk.get("/replenishments", warehouse="SH1")
    returns = [walk.post("/customer-returns")["code"] for _ in range(3)]
    back, refused, dropped = (f"/customer-returns/{code}" for code in returns)
    walk.steps(back, "approve", "release")
    walk.move("BOLT", "2", "customer", "DOCK-1", document=returns[0], document_line=1)
    walk.post(f"{back}/decisions")
    rest = {"line": 1, "decision": "scrap", "quantity": "1", "location": "DOCK-1", "reason": "wet"}
    walk.post(f"{back}/decisions", {"decisions": [rest]})
    walk.post(f"{back}/close")
    walk.post(f"{refused}/reject")
    walk.post(f"{dropped}/cancel")
    walk.get("/customer-returns")
    walk.get(back)


def counts(walk):
    walk.move("BOLT", "10", "DOCK-1", "BIN-1", business_step="storing")
    codes = [walk.post("/counts")["code"] for _ in range(4)]
    right, accepted, again, dropped = (f"/counts/{code}" for code in codes)
    walk.steps(right, "release", "entries", "finish", "post")
    walk.move("BOLT", "1", "DOCK-1", "BIN-1", business_step="storing")
    for path in (accepted, again):
        walk.steps(path, "release", "entries", "finish", "refer")
    walk.steps(accepted, "reject", "accept", "amend")
    walk.steps(again, "recount")
    walk.post(f"{dropped}/cancel")
    for name in ("", "/lines", "/observations", "/variances", "/sheet"):
        walk.get(f"{accepted}{name}")
    walk.get("/counts")
    walk.put("/count-plans/A-SH1")
    walk.get("/count-plans")
    walk.get("/count-plans/A-SH1")
    walk.get("/count-plans/A-SH1/due")
    walk.post("/count-plans/A-SH1/draw")
    walk.get("/kpis/count-accuracy")


def settlements(walk):
    walk.move("NUT", "3", "BIN-3", "BIN-2", business_step="storing")
    found = walk.get("/discrepancies", kind="negative_balance")["discrepancies"]
    path = f"/discrepancies/{found[0]['id']}"
    walk.get(path)
    walk.get("/discrepancies/counts")
    walk.steps(path, "assign", "comments", "settle", "reopen")
    walk.get("/periods/checklist", through="2026-05-31")
    walk.post("/periods")
    walk.get("/periods")
    for name in ("", "/balances", "/late", "/late/totals"):
        walk.get(f"/periods/2026-05{name}")


def programs(walk):
    code = walk.post("/webhooks")["code"]
    walk.patch(f"/webhooks/{code}")
    walk.post(f"/webhooks/{code}/retry")
    for path in ("", f"/{code}", f"/{code}/deliveries"):
        walk.get(f"/webhooks{path}")
    walk.delete(f"/webhooks/{code}")
    walk.put("/views/stock")
    walk.get("/views/stock")
    walk.delete("/views/stock?name=Short in Shanghai")
    walk.put("/gateways/sh1-dock-1/settings")
    walk.put("/templates/place")
    walk.post("/gateways/sh1-dock-1/print")
    walk.get("/gateways/sh1-dock-1/notices")
    walk.delete("/templates/place")


def ledger(walk):
    for path in ("health", "stock", "gateways", "workers", "epcis/events", "quarantine"):
        walk.get(f"/{path}")
    walk.get("/epcis/events", EQ_bizStep="receiving|shipping", GE_recordTime="2026-05-31T16:00:00Z")
    walk.get("/stock", warehouse="SH1", as_of="2026-05-30")
    walk.get("/stock/totals", warehouse="SH1", within="BIN-1")
    fact = walk.get("/movements")["movements"][0]
    walk.get(f"/movements/{fact['id']}")
    walk.get("/trace", item="BOLT", lot="LOT-1")
    walk.get(f"/warehouses/SH1/handling-units/{PALLET}")
    for name in ("turnover", "movers", "dead-stock", "stock-age", "in-transit-age"):
        walk.get(f"/kpis/{name}")
    for name in ("deliveries", "suppliers", "throughput"):
        walk.get(f"/kpis/{name}")
    walk.get("/alerts")
    refused = walk.get("/quarantine")["quarantine"][0]
    walk.get(f"/quarantine/{refused['id']}/payload")


WAYS = (catalogue, purchasing, transfers, sales, counts, settlements, programs, ledger)
