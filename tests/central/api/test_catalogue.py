"""Items, places, partners and whole files over HTTP: once, against a version, with problems."""

import pytest

from central.api import item_models, partner_models, place_models
from central.api.body_bound import BODY_BYTES_MAX
from central.api.writing import WriteSide
from central.ledger.desk import Desk
from tests.central.clients import ANY, call
from tests.central.one_app import application
from tests.central.orders.catalogue import GTIN
from tests.central.scenery import FixedClock, load

GEAR = {
    "name": "Gear",
    "unit": "C62",
    "barcodes": [{"gtin": GTIN}],
    "packs": [{"unit": "CT", "numerator": 48, "denominator": 2}],
    "policy": {"inspected": True, "min": "12", "abc": "A"},
}


class Api:
    """One application over a ledger with the usual reference data."""

    def __init__(self, database):
        load(database)
        self.database = database
        self.clock = FixedClock()
        self.desk = Desk(database, clock=self.clock)
        self.app = application(database=database, clock=self.clock, writing=WriteSide(self.desk))

    def __call__(self, method, path, status, **options):
        answer = call(self.app, method, f"/api/v1{path}", **options)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture
def api(database):
    return Api(database)


def test_an_item_is_added_read_changed_and_taken_out(api):
    made = api("POST", "/items", 201, json=GEAR | {"code": "GEAR"})
    assert (made.headers["ETag"], made.headers["Location"]) == ('"1"', "/api/v1/items/GEAR")
    read = api("GET", "/items/GEAR", 200)
    assert read.json() == made.json()
    assert read.json()["packs"] == [{"unit": "CT", "numerator": 24, "denominator": 1, "gtin": ""}]
    assert (read.json()["policy"]["min"], read.json()["version"]) == ("12", 1)
    patch = {"policy": {"max": "40"}, "name_zh": "齿轮"}
    changed = api("PATCH", "/items/GEAR", 200, json=patch, headers={"If-Match": '"1"'})
    assert changed.json()["policy"]["min"] == "12" and changed.json()["policy"]["max"] == "40"
    stale = api("PATCH", "/items/GEAR", 412, json=patch, headers={"If-Match": '"1"'})
    assert stale.json()["fields"] == {"version": 2}
    put = api("PUT", "/items/GEAR", 200, json={"name": "Cog", "unit": "C62"}, headers=ANY)
    assert (put.json()["packs"], put.json()["policy"]["abc"], put.headers["ETag"]) == (
        [],
        "",
        '"3"',
    )
    api("DELETE", "/items/GEAR", 412, headers={"If-Match": '"1"'})
    assert api("DELETE", "/items/GEAR", 200, headers=ANY).json() == {"retired": "GEAR"}
    api("GET", "/items/GEAR", 404)


def test_one_request_is_done_once_and_another_under_its_key_is_refused(api):
    headers = {"Idempotency-Key": "k-1"}
    first = api("POST", "/items", 201, json=GEAR | {"code": "GEAR"}, headers=headers)
    again = api("POST", "/items", 201, json=GEAR | {"code": "GEAR"}, headers=headers)
    assert again.content == first.content and again.headers["Idempotency-Replayed"] == "true"
    api("POST", "/items", 422, json=GEAR | {"code": "COG"}, headers=headers)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/items", GEAR | {"code": "a\u0000b"}, 422, "in no text"),
        ("POST", "/items", GEAR | {"code": "BOLT"}, 409, "there already"),
        ("POST", "/items", GEAR | {"code": "X", "colour": "red"}, 422, "colour"),
        ("PUT", "/items/GONE", GEAR, 404, "no item"),
        ("PUT", "/items/BOLT", GEAR | {"packs": [{"unit": "CT", "numerator": 0}]}, 422, "packs"),
        ("PATCH", "/items/BOLT", {"policy": {"min": "-1"}}, 422, "no quantity in stock"),
        ("PATCH", "/items/BOLT", {"policy": {"min": "0.0000001"}}, 422, "6 decimal places"),
        ("PATCH", "/items/BOLT", {"policy": {"min": "x"}}, 422, "policy.min"),
        ("PATCH", "/items/BOLT", {"barcodes": [{"gtin": "123"}]}, 422, "8, 12, 13 or 14"),
        ("POST", "/warehouses/XX1/places", {"code": "A"}, 409, "no warehouse"),
        ("POST", "/warehouses/SH1/places", {"code": "A", "parent": "A"}, 422, "in itself"),
        ("POST", "/warehouses/SH1/places", {"code": "supplier"}, 422, "ledger's own"),
        ("DELETE", "/warehouses/SH1", None, 409, "in use"),
        ("POST", "/partners", {"code": "A", "name": " "}, 422, "nothing is there"),
        ("POST", "/partners", {"code": "A", "name": "A", "gln": "1"}, 422, "13 digits"),
        ("GET", "/items?search=%00", None, 422, "in no text"),
        ("GET", "/items/BOLT/conversion?quantity=1&from_unit=C62&to_unit=KGM", None, 422, "stated"),
        ("GET", "/exports/sales", None, 422, "table"),
        ("POST", "/imports/items/check", None, 422, "empty"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_is_answered_with_a_problem(api, method, path, body, status, words):
    headers = {} if method in ("GET", "POST") else ANY
    problem = api(method, path, status, json=body, headers=headers).json()
    assert words in problem["detail"]
    assert problem["hint"]


def test_lists_are_paged_and_narrowed(api):
    first = api("GET", "/items?limit=2", 200).json()
    assert [one["code"] for one in first["items"]] == ["BOLT", "NUT"]
    rest = api("GET", f"/items?limit=2&cursor={first['next_cursor']}", 200).json()
    assert ([one["code"] for one in rest["items"]], rest["next_cursor"]) == (["RICE"], None)
    assert len(api("GET", "/items?kind=bulk", 200).json()["items"]) == 1
    page = api("GET", "/warehouses/SH1/places?limit=4", 200).json()
    rest = api("GET", f"/warehouses/SH1/places?cursor={page['next_cursor']}", 200).json()
    codes = [one["code"] for one in (*page["places"], *rest["places"])]
    assert codes == ["BIN-1", "BIN-2", "BIN-3", "DOCK-1", "STAGE-1"]
    assert [one["code"] for one in api("GET", "/warehouses", 200).json()["warehouses"]] == [
        "BJ1",
        "SH1",
    ]


def test_a_place_and_a_warehouse_are_made_changed_and_taken_out(api):
    api("POST", "/warehouses", 201, json={"code": "GZ1", "name": "Guangzhou"})
    body = {"name": "Guangzhou 1", "gln": "6901234567892"}
    api("PUT", "/warehouses/GZ1", 200, json=body, headers={"If-Match": '"1"'})
    api("POST", "/warehouses/GZ1/places", 201, json={"code": "HALL", "kind": "area"})
    made = api("POST", "/warehouses/GZ1/places", 201, json={"code": "B-1", "parent": "HALL"})
    assert made.json()["walk_order"] == 0
    path = "/warehouses/GZ1/places/B-1"
    hall = "/warehouses/GZ1/places/HALL"
    for said, blocked_by in ((True, "HALL"), (False, "")):
        api("PATCH", hall, 200, json={"blocked": said}, headers=ANY)
        place = api("GET", path, 200).json()
        assert (place["blocked"], place["blocked_by"]) == (False, blocked_by)
        assert api("PATCH", path, 200, json={}, headers=ANY).json() == place  # Nothing is said.
    patched = api("PATCH", path, 200, json={"walk_order": 5}, headers=ANY).json()
    assert (patched["walk_order"], patched["parent"], patched["version"]) == (5, "HALL", 2)
    hall = "/warehouses/GZ1/places/HALL"
    api("PUT", hall, 409, json={"kind": "area", "parent": "B-1"}, headers=ANY)
    api("DELETE", hall, 409, headers=ANY)
    for path in ("/places/B-1", "/places/HALL", ""):
        api("DELETE", f"/warehouses/GZ1{path}", 200, headers=ANY)
    api("GET", "/warehouses/GZ1", 404)


def test_a_partner_is_made_changed_and_taken_out(api):
    body = {"code": "ACME", "name": "Acme", "certificates": [{"kind": "ISO", "number": "1"}]}
    api("POST", "/partners", 201, json=body)
    patched = api("PATCH", "/partners/ACME", 200, json={"kind": "both"}, headers=ANY).json()
    assert (patched["kind"], len(patched["certificates"])) == ("both", 1)
    api("PUT", "/partners/ACME", 200, json={"name": "Acme Ltd"}, headers={"If-Match": '"2"'})
    assert api("GET", "/partners/ACME", 200).json()["certificates"] == []
    assert api("GET", "/partners?kind=supplier", 200).json()["partners"][0]["name"] == "Acme Ltd"
    api("DELETE", "/partners/ACME", 200, headers=ANY)
    assert api("GET", "/partners", 200).json() == {"partners": [], "next_cursor": None}


def test_a_quantity_is_stated_in_packs(api):
    api("POST", "/items", 201, json=GEAR | {"code": "GEAR"})
    path = "/items/GEAR/conversion?quantity=5&from_unit=DZN&to_unit=C62"
    assert api("GET", path, 200).json() == {
        "item": "GEAR",
        "quantity": "60",
        "unit": "C62",
        "as_packs": [
            {"unit": "CT", "count": 2, "rest": "0"},
            {"unit": "C62", "count": 12, "rest": "0"},
        ],
    }


def test_a_file_is_checked_then_imported_then_exported(api):
    data = b"item,name,unit,min\nGEAR,Gear,C62,5\nCOG,,C62,x\n"
    report = api("POST", "/imports/items/check", 200, content=data).json()
    assert (report["rows_count"], report["sound_count"], report["created"]) == (2, 1, None)
    assert [(one["row"], one["column"]) for one in report["faults"]] == [(3, "min"), (3, "name")]
    refused = api("POST", "/imports/items", 422, content=data).json()
    assert refused["fields"]["faults_count"] == 2
    api("GET", "/items/GEAR", 404)
    headers = {"Idempotency-Key": "file-1"}
    for _ in range(2):
        done = api("POST", "/imports/items?only_valid=true", 200, content=data, headers=headers)
        assert (done.json()["created"], done.json()["import_code"]) == (1, "IM-000001")
    for query, kind in (("", "text/csv; charset=utf-8"), ("?format=xlsx&language=zh", "openxml")):
        exported = api("GET", f"/exports/items{query}", 200)
        assert kind in exported.headers["Content-Type"]
        again = api("POST", "/imports/items", 200, content=exported.content).json()
        assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 4)
    columns = api("GET", "/imports/items", 200).json()["columns"]
    assert columns[0] == {
        "name": "item",
        "name_zh": "物料编码",
        "kind": "code",
        "required": True,
        "key": True,
        "choices": [],
    }


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_only_imports_may_be_as_large_as_a_table(api):
    rows = "".join(f"I-{number},Item {number},C62\n" for number in range(30_000))
    data = f"item,name,unit\n{rows}".encode()
    assert len(data) > BODY_BYTES_MAX
    api("POST", "/partners", 413, content=data)
    report = api("POST", "/imports/items/check", 200, content=data).json()
    assert report["sound_count"] == 30_000


def test_the_catalogue_says_what_wants_a_look(api):
    for code, name in (("GEAR-01", "Gear, steel"), ("GEAR1", "Steel gear"), ("COG", "Cog")):
        api("POST", "/items", 201, json={"code": code, "name": name, "unit": "C62"})
    found = api("GET", "/cleaning/duplicates", 200).json()["duplicates"]
    assert [(one["by"], one["codes"]) for one in found] == [
        ("code", ["GEAR-01", "GEAR1"]),
        ("name", ["GEAR-01", "GEAR1"]),
    ]
    for code in ("A", "B"):
        api(
            "POST", "/partners", 201, json={"code": code, "name": code, "phone": "+86 21-5555 1234"}
        )
    found = api("GET", "/cleaning/duplicates?of=partners", 200).json()["duplicates"]
    assert [(one["by"], one["codes"]) for one in found] == [("phone", ["A", "B"])]
    lacking = api("GET", "/cleaning/missing?lacks=policy", 200).json()["items"]
    assert [one["code"] for one in lacking] == ["BOLT", "NUT", "RICE"]
    api("PATCH", "/items/COG", 200, json={"barcodes": [{"gtin": GTIN}]}, headers=ANY)
    lacking = api("GET", "/cleaning/missing?lacks=barcode&limit=3", 200).json()
    assert "COG" not in [one["code"] for one in lacking["items"]] and lacking["next_cursor"]
    for gap in ("place", "name_zh", "cost", "shelf_life", "lots"):
        api("GET", f"/cleaning/missing?lacks={gap}", 200)
    balances = b"warehouse,location,item,quantity\nSH1,BIN-1,COG,5\n"
    api("POST", "/imports/balances", 200, content=balances)
    unused = api("GET", "/cleaning/unused?since=2030-01-01", 200).json()["unused"]
    assert [one["last_record_no"] for one in unused] == [0, 1, 0, 0, 0, 0]
    unused = api("GET", "/cleaning/unused?since=2020-01-01", 200).json()["unused"]
    assert "COG" not in [one["code"] for one in unused]
    places = api("GET", "/cleaning/unused?of=locations&since=2020-01-01", 200).json()["unused"]
    assert ("SH1", "BIN-1") not in [(one["warehouse"], one["code"]) for one in places]
    partners = api("GET", "/cleaning/unused?of=partners&since=2020-01-01", 200).json()["unused"]
    assert [one["code"] for one in partners] == ["A", "B"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_examples_of_the_document_are_accepted(api):
    for path, model, patch in (
        ("/items", item_models.NewItemBody, item_models.ItemPatch),
        ("/partners", partner_models.NewPartnerBody, partner_models.PartnerPatch),
        ("/warehouses", place_models.NewWarehouseBody, None),
        ("/warehouses/SH1/places", place_models.NewPlaceBody, place_models.PlaceBody),
    ):
        (new,) = model.model_config["json_schema_extra"]["examples"]
        made = api("POST", path, 201, json=new).json()
        assert new.items() <= made.items() or made["code"] == new["code"]
        if patch is not None:
            (change,) = patch.model_config["json_schema_extra"]["examples"]
            api("PATCH", f"{path}/{new['code']}", 200, json=change, headers=ANY)
