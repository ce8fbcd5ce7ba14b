"""When a lot expires: as its standing facts state, or as somebody corrected it, in all books."""

import pytest
from sqlalchemy import text

from central.ledger.lot_dates import dates_as_of
from central.ledger.verify import verify_ledger
from central.storage import tables
from central.web.drawing import drawing_in
from central.web.settlement_words import sentence
from tests.central.orders.settling import Settling
from tests.central.scenery import NOW_MS, REFERENCE, Gateway, rows, set_policy

MILK = b'[[items]]\ncode = "MILK"\nname = "n"\nname_zh = "n"\nunit = "C62"\n'
DOCUMENT = REFERENCE.replace(b"[[documents]]", MILK + b"[[documents]]", 1)
WRONG, RIGHT, OTHER = "2062-06-01", "2020-06-01", "2028-12-01"
PATH = "/warehouses/SH1/lot-date?item=MILK&lot=A"


@pytest.fixture
def site(database):
    made = Settling(database, DOCUMENT)
    set_policy(database, "MILK", expiry_tracked=True, lot_tracked=True)
    yield made
    made.proved()


def came(gateway, date, lot="A", **fields):
    return gateway.move("MILK", "5", lot=lot, expiry_date=date, **fields)


def dates(site):
    return rows(site.database, tables.lots, "warehouse", "lot", "expiry_date", "first_record_no")


def history(site):
    return rows(site.database, tables.lot_dates, "number", "expiry_date", "record_no", "cause")


def still_open(site):
    found = site.get("/discrepancies?state=open")["discrepancies"]
    return sorted((one["kind"], one["warehouse"], one["subject"]) for one in found)


def shipped(site, lot="A"):
    site.dock.move("MILK", "1", lot=lot, source="BIN-1", target="customer")
    site.send()


# --- What states the date is taken back.


def test_a_date_that_was_taken_back_is_none_and_the_next_one_counts(site):
    wrong = came(site.dock, WRONG)
    site.send()
    site.dock.reverse(wrong)
    site.send()
    assert dates(site) == []
    came(site.dock, RIGHT)
    site.send()
    assert (dates(site), still_open(site)) == ([("SH1", "A", RIGHT, 3)], [])
    assert history(site) == [(1, WRONG, 1, "stated"), (2, "", 2, "taken_back")]
    # What is expired is told from now on.
    shipped(site)
    assert ("expired_shipped", "SH1", "MILK/A") in still_open(site)


def test_the_next_standing_fact_gives_the_date_and_settles_what_differed(site):
    wrong = came(site.dock, WRONG)
    came(site.dock, RIGHT, target="BIN-2")
    site.send()
    assert still_open(site) == [("expiry_differs", "SH1", "MILK/A")]
    site.dock.reverse(wrong)
    site.send()
    assert dates(site) == [("SH1", "A", RIGHT, 2)]
    assert still_open(site) == []
    row = site.found("expiry_differs", "settled")
    assert "agree by now" in row["settlement"] or "was taken back" in row["settlement"]


def test_a_date_stays_while_another_fact_states_it(site):
    first = came(site.dock, WRONG)
    came(site.dock, WRONG)
    came(site.dock, RIGHT)
    site.send()
    site.dock.reverse(first)
    site.send()
    assert dates(site) == [("SH1", "A", WRONG, 2)]
    assert still_open(site) == [("expiry_differs", "SH1", "MILK/A")]


def test_all_of_it_in_one_call_is_as_one_by_one(site):
    wrong = came(site.dock, WRONG)
    site.dock.reverse(wrong)
    came(site.dock, RIGHT)
    site.send()
    assert (dates(site), still_open(site)) == ([("SH1", "A", RIGHT, 3)], [])


def test_what_is_taken_back_before_it_comes_states_nothing(site):
    late = site.dock
    came(late, WRONG)
    came(late, RIGHT)
    later = Gateway(start_count=2, previous_head=late.head, key=late.key)
    later.reverse(1, epoch=late.epoch)
    site.send(later)
    site.send(late)
    assert dates(site) == [("SH1", "A", RIGHT, 3)]
    assert not [one for one in still_open(site) if one[0] == "expiry_differs"]


def test_goods_that_lose_their_date_are_told(site):
    wrong = came(site.dock, WRONG)
    came(site.dock, "", target="BIN-2")
    site.send()
    assert still_open(site) == []
    site.dock.reverse(wrong)
    site.send()
    assert still_open(site) == [("expiry_missing", "SH1", "MILK/A")]
    came(site.dock, RIGHT)
    site.send()
    assert still_open(site) == []


def test_a_date_that_was_accepted_once_is_told_again_as_it_counts(site):
    right = came(site.dock, RIGHT)
    came(site.dock, WRONG)
    came(site.dock, RIGHT)
    site.send()
    site.settle("expiry_differs")
    assert still_open(site) == []
    site.dock.reverse(right)
    site.send()
    # The next that stands is the misread one: somebody has to look once more.
    assert dates(site) == [("SH1", "A", WRONG, 2)]
    assert still_open(site) == [("expiry_differs", "SH1", "MILK/A")]
    assert site.settle("expiry_differs", {"action": "correct"}).status_code == 200
    assert dates(site)[0][2] == RIGHT


def test_a_settlement_that_takes_the_first_word_back_gives_the_next_one(site):
    came(site.dock, WRONG)
    came(site.dock, RIGHT)
    site.dock.move("MILK", "5", lot="A", source="BIN-1", target="BIN-2", expiry_date=RIGHT)
    site.send()
    row = site.found("expiry_differs")
    fact = row["facts"][0]["id"]
    body = {"action": "reverse", "facts": [fact]}
    assert site.settle("expiry_differs", body).status_code == 200
    assert dates(site) == [("SH1", "A", WRONG, 1)]


# --- Somebody corrects it.


def test_the_date_that_a_fact_states_is_taken_in_one_action_and_undone(site):
    came(site.dock, WRONG)
    came(site.dock, RIGHT, target="BIN-2")
    site.send()
    row = site.found("expiry_differs")
    assert [one["body"] for one in row["proposals"]] == [
        {"action": "accept"},
        {"action": "correct", "expiry_date": RIGHT},
        {"action": "reverse"},
    ]
    path = f"/discrepancies/{row['id']}"
    answer = site.ask("POST", f"{path}/settle", {"reason": "seen", **row["proposals"][1]["body"]})
    assert answer.json()["state"] == "settled", answer.text
    assert (dates(site), still_open(site)) == ([("SH1", "A", RIGHT, 1)], [])
    assert site.ask("POST", f"{path}/reopen", {"reason": "no"}).status_code == 200
    assert dates(site) == [("SH1", "A", WRONG, 1)]
    assert [one[3] for one in history(site)] == ["stated", "corrected", "reopened"]
    # What was corrected since stays, if the settlement is opened again.
    site.settle("expiry_differs", {"action": "correct"})
    put(site, OTHER)
    assert site.ask("POST", f"{path}/reopen", {"reason": "no"}).status_code == 200
    assert dates(site) == [("SH1", "A", OTHER, 1)]


def put(site, date, path=PATH, reason="the label says so", **headers):
    headers = {"If_Match": "*"} | headers
    return site.ask("PUT", path, {"expiry_date": date, "reason": reason}, **headers)


def test_who_saw_a_date_that_was_taken_back_does_not_overwrite_a_correction(site):
    for _ in range(3):
        came(site.dock, "")
    wrong = came(site.dock, WRONG)
    site.send()
    version = site.ask("GET", PATH).headers["ETag"]
    site.dock.reverse(wrong)
    site.send()
    assert put(site, RIGHT).status_code == 200
    assert put(site, OTHER, If_Match=version).status_code == 412


def test_somebody_corrects_a_lot_and_it_is_kept_who_why_and_from_what(site):
    first = came(site.dock, WRONG)
    site.send()
    before = site.ask("GET", PATH)
    assert before.json()["history"] == []
    site.clock.time_ms += 60_000
    version = before.headers["ETag"]
    assert put(site, RIGHT, If_Match='"7"').status_code == 412
    assert site.ask("PUT", PATH, {"expiry_date": RIGHT, "reason": "x"}).status_code == 428
    keys = {"If_Match": version, "Idempotency_Key": "k-1", "Dockledger_Actor": "li.na"}
    answer = put(site, RIGHT, **keys)
    assert answer.status_code == 200, answer.text
    assert put(site, RIGHT, **keys).json() == answer.json()
    assert put(site, OTHER, If_Match=version).status_code == 412
    told = site.get(PATH)
    assert told == answer.json()
    assert [
        (one["expiry_date"], one["cause"], one["actor"], one["reason"]) for one in told["history"]
    ] == [(WRONG, "stated", "", ""), (RIGHT, "corrected", "li.na", "the label says so")]
    (event,) = site.get("/history/lot/MILK%2FA")["events"]
    assert (event["action"], event["fields"]["was"]) == ("corrected", WRONG)
    shipped(site)
    assert ("expired_shipped", "SH1", "MILK/A") in still_open(site)
    # No fact changes it any more, but says so.
    came(site.dock, WRONG, target="BIN-2")
    site.dock.reverse(first)
    site.send()
    assert dates(site)[0][2] == RIGHT
    assert ("expiry_differs", "SH1", "MILK/A") in still_open(site)
    with site.database.read() as connection:
        lot = ("SH1", "MILK", "A")
        known = [dates_as_of(connection, [lot], record_no=1, at_ms=at) for at in (NOW_MS, 2**50)]
    assert known == [{lot: WRONG}, {lot: RIGHT}]


def test_an_order_is_told_why_goods_of_a_corrected_lot_are_not_released(site):
    came(site.dock, WRONG)
    site.send()
    site.ask("POST", "/partners", {"code": "SHOP", "name": "s", "kind": "customer"})
    lines = [{"line": 1, "item": "MILK", "quantity": "2"}]
    order = {"promised_on": "2026-06-05", "warehouse": "SH1", "customer": "SHOP", "lines": lines}
    path = f"/sales-orders/{site.ask('POST', '/sales-orders', order).json()['code']}"
    for step in ("submit", "approve"):
        assert site.ask("POST", f"{path}/{step}", {}).status_code == 200
    put(site, RIGHT)
    refused = site.ask("POST", f"{path}/release", {})
    assert refused.status_code == 409
    (line,) = refused.json()["fields"]["lines"]
    assert (line["available"], line["unfit"]) == ("0", {"expires_too_soon": "5"})
    assert "has expired" in refused.json()["hint"]
    # Other stock does for it, once it has come.
    came(site.dock, "2062-07-01", lot="B", target="BIN-2")
    site.send()
    assert site.ask("POST", f"{path}/release", {}).status_code == 200
    picks = site.get(path)["picks"]
    assert [one["lot"] for one in picks if one["quantity"] != "0"] == ["B"]


def test_a_lot_without_a_date_gets_one_and_is_what_orders_take(site):
    came(site.dock, "")
    site.send()
    assert still_open(site) == [("expiry_missing", "SH1", "MILK/A")]
    assert site.found("expiry_missing")["advice"][0]["page"] == "/items/MILK?lot=A"
    assert put(site, OTHER).status_code == 200
    assert (dates(site), still_open(site)) == ([("SH1", "A", OTHER, 1)], [])
    assert history(site) == [(1, "", 0, "stated"), (2, OTHER, 1, "corrected")]


@pytest.mark.parametrize(
    ("date", "path", "status"),
    [
        (WRONG, PATH, 409),
        ("2026-02-30", PATH, 422),
        ("", PATH, 422),
        (RIGHT, PATH.replace("lot=A", "lot=Z"), 404),
        (RIGHT, PATH.replace("SH1", "BJ1"), 404),
    ],
)
def test_what_cannot_be_a_correction_is_refused(site, date, path, status):
    came(site.dock, WRONG)
    site.send()
    answer = put(site, date, path)
    assert answer.status_code == status, answer.text
    assert (dates(site), history(site)) == ([("SH1", "A", WRONG, 1)], [])
    assert put(site, RIGHT, reason=" ").status_code == 422


# --- Other books.


def test_another_date_in_another_warehouse_is_told_and_settled_there(site):
    came(site.dock, RIGHT)
    site.send()
    came(site.other, OTHER)
    site.send(site.other)
    assert still_open(site) == [("expiry_differs", "BJ1", "MILK/A")]
    row = site.found("expiry_differs")
    assert row["detail"] == f"{OTHER} is stated, {RIGHT} was before"
    assert row["proposals"][1]["body"] == {"action": "correct", "expiry_date": RIGHT}
    assert row["proposals"][1]["why"] == f"Lot A expires on {RIGHT}, as SH1 says."
    assert site.settle("expiry_differs", row["proposals"][1]["body"]).json()["state"] == "settled"
    assert [one[2] for one in dates(site)] == [RIGHT, RIGHT]


def test_it_settles_itself_as_the_first_book_is_corrected(site):
    came(site.dock, RIGHT)
    site.send()
    came(site.other, OTHER)
    site.send(site.other)
    assert put(site, OTHER).status_code == 200
    assert still_open(site) == []
    # Corrected so that both have another date, the other book is told.
    assert put(site, "2027-01-01").status_code == 200
    assert still_open(site) == [("expiry_differs", "BJ1", "MILK/A")]
    (row,) = site.get("/discrepancies?state=open")["discrepancies"]
    shown = site.get(f"/discrepancies/{row['id']}")
    assert {"action": "correct", "expiry_date": "2027-01-01"} in [
        one["body"] for one in shown["proposals"]
    ]


def test_both_warehouses_in_one_call(site):
    came(site.dock, RIGHT)
    came(site.other, OTHER)
    outcomes = site.inbox.accept([site.dock.offer(), site.other.offer()])
    assert [one.kind for one in outcomes] == ["accepted", "accepted"]
    assert len(still_open(site)) == 1


# --- It is proved.


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE lots SET expiry_date = '2030-01-01'",
        "DELETE FROM lots",
        "DELETE FROM lot_dates WHERE cause = 'corrected'",
        "UPDATE lot_dates SET expiry_date = '2030-01-01' WHERE cause = 'corrected'",
    ],
)
def test_dates_that_are_not_as_decided_are_found(site, damage):
    came(site.dock, WRONG)
    site.send()
    put(site, RIGHT)
    assert verify_ledger(site.database).faults == ()
    with site.database.write() as connection:
        kept = [connection.execute(one.select()).all() for one in (tables.lots, tables.lot_dates)]
        connection.execute(text(damage))
    assert {one.check for one in verify_ledger(site.database).faults} == {"lot"}
    with site.database.write() as connection:
        for table, was in zip((tables.lots, tables.lot_dates), kept, strict=True):
            connection.execute(table.delete())
            connection.execute(table.insert(), [one._asdict() for one in was])


# --- What a correction means for goods that were shipped, or set aside.


def sold(site, quantity="2", **fields):
    """The code of an approved order."""
    site.ask("POST", "/partners", {"code": "SHOP", "name": "s", "kind": "customer"})
    lines = [{"line": 1, "item": "MILK", "quantity": quantity, **fields}]
    order = {"promised_on": "2026-06-05", "warehouse": "SH1", "customer": "SHOP", "lines": lines}
    code = site.ask("POST", "/sales-orders", order).json()["code"]
    for step in ("submit", "approve"):
        assert site.ask("POST", f"/sales-orders/{code}/{step}", {}).status_code == 200
    return code


def held(site, code):
    picks = site.get(f"/sales-orders/{code}")["picks"]
    return [(one["lot"], one["quantity"]) for one in picks if one["quantity"] != "0"]


def test_what_went_to_customers_under_a_wrong_date_is_told_once(site):
    came(site.dock, WRONG)
    site.send()
    shipped(site)
    assert still_open(site) == []
    assert put(site, RIGHT).status_code == 200
    row = site.found("expired_shipped")
    assert (row["subject"], row["state"]) == ("MILK/A", "open")
    assert row["detail"].startswith(f"it expires on {RIGHT} and was shipped on ")
    assert len(row["facts"]) == 1
    assert site.settle("expired_shipped", {"action": "accept"}).status_code == 200
    # It is no news that it is too old by another date.
    assert put(site, "2020-05-01").status_code == 200
    assert still_open(site) == []


def test_what_was_not_shipped_too_late_after_all_settles_itself(site):
    came(site.dock, RIGHT)
    site.send()
    shipped(site)
    assert still_open(site) == [("expired_shipped", "SH1", "MILK/A")]
    assert put(site, OTHER).status_code == 200
    assert still_open(site) == []
    why = site.found("expired_shipped", "settled")["settlement"]
    assert why == "the lot has a date by now at which they were not shipped too late"
    assert "批次" in sentence(why, drawing_in("zh").texts)


def test_an_order_gets_other_stock_as_its_lot_is_too_old_by_now(site):
    came(site.dock, WRONG)
    came(site.dock, "2062-07-01", lot="B", target="BIN-2")
    site.send()
    code = sold(site)
    assert held(site, code) == [("A", "2")]
    assert put(site, RIGHT).status_code == 200
    assert (held(site, code), still_open(site)) == ([("B", "2")], [])


def test_an_order_is_told_at_once_that_it_is_short(site):
    came(site.dock, WRONG)
    site.send()
    code = sold(site)
    assert put(site, RIGHT).status_code == 200
    assert held(site, code) == []
    (line,) = site.get(f"/sales-orders/{code}")["lines"]
    assert (line["reserved"], line["backorder"]) == ("0", "2")
    row = site.found("reservation_short")
    assert (row["document"], row["lot"]) == (code, "A")
    assert row["detail"] == "lot A of BIN-1 was set aside and may no longer be shipped"
    assert "批次" in sentence(row["detail"], drawing_in("zh").texts)
    came(site.dock, "2062-07-01", lot="B", target="BIN-2")
    site.send()
    assert site.settle("reservation_short").status_code == 200
    assert (held(site, code), still_open(site)) == ([("B", "2")], [])


def test_what_becomes_the_date_as_a_fact_is_taken_back_is_told_so_too(site):
    wrong = came(site.dock, WRONG)
    came(site.dock, RIGHT)
    site.send()
    code = sold(site)
    shipped(site)
    site.dock.reverse(wrong)
    site.send()
    kinds = {kind for kind, _, _ in still_open(site)}
    assert {"expired_shipped", "reservation_short"} <= kinds
    assert held(site, code) == []
