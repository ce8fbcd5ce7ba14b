"""Whoever works in one warehouse sees every page of it, and nothing of another on any of them."""

import io
import re
import zipfile
from urllib.parse import quote

import pytest

from central.access.permissions import Grant, Role
from central.api.access_rules import Way, Where
from central.api.access_table import rule_of
from central.inbox.inbox import Inbox
from central.orders.following import FOLLOWERS
from central.stock.marks import read_mark
from central.stock.rows import MatrixQuery
from central.stock.strays import StrayItems
from central.stock.updates import read_matrix, read_update
from central.storage.tables import warehouses
from central.web.screens.all_screens import LISTINGS
from tests.central.access.test_access_walk import ROUTES, example_of
from tests.central.scenery import Gateway, enrol

# How what belongs to the other warehouse gives itself away.
FOREIGN = re.compile(r"bj1|beijing|北京|LOT-THERE|777,?777|ELSEWHERE|THERE-ONLY", re.IGNORECASE)
# What is narrowed by statements of its own; the rest narrows by a filter that everybody has.
ASKED_IN_SQL = (
    *("/", "/?as_of=2026-06-03", "/items/BOLT", "/items/BOLT?lot=LOT-THERE", "/fragments/places"),
    *("/search?q=LOT-THERE", "/search?q=ELSEWHERE", "/search?q=b", "/search?q=THERE-ONLY"),
    *("/pictures/throughput", "/pictures/expiry", "/warehouses"),
)
ECHOED = re.compile(r"(?:q=|lot=|within=|/items/)([A-Z][^?&]+|bj1-dock-1)")
CHOICE = re.compile('<option value="BJ1" *>[^<]*</option>')  # Of forms: a code with its name.
STREAMS = {"/live", "/changes"}
TYPED = (
    "BIN-1",
    "LOT-THERE",
    "b",
    "BJ1/BIN-1",
    "ELSEWHERE",
    "bj1-dock-1",
    "THERE-ONLY",
    "TR-",
    "N",
)


@pytest.fixture
def both(people_on_both):
    """Goods, lots, unknown items and places in both warehouses, a transfer and counts of each."""
    people = people_on_both
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    enrol(people.database, here, there)
    here.move("BOLT", "5", source="supplier", target="BIN-1", lot="LOT-HERE")
    for item, lot in (("BOLT", "LOT-THERE"), ("NUT", ""), ("THERE-ONLY", "")):
        there.move(item, "777777", source="supplier", target="ELSEWHERE", lot=lot)
    inbox = Inbox(people.database, clock=people.clock, followers=FOLLOWERS)
    for gateway in (here, there):
        inbox.accept([gateway.offer(1)])
    supervisor = people.browser("supervisor")
    for warehouse in ("SH1", "BJ1"):
        body = {"warehouse": warehouse, "lines": [{"location": "BIN-1", "item": "BOLT"}]}
        assert supervisor.change("POST", "/api/v1/counts", body).status_code == 201
    people.add("supervisor-sh1", Grant(Role.SUPERVISOR, "SH1"))
    people.here, people.there, people.inbox = here, there, inbox
    return people


def addresses():
    """Everything that is narrowed to a warehouse of whoever asks."""
    for method, route in ROUTES:
        path = example_of(route.path).replace("/items/x", "/items/BOLT")
        fit = rule_of(path)
        narrow = fit is not None and fit.rule.way is Way.PEOPLE
        narrow = narrow and fit.rule.place(method) in {Where.QUERY, Where.OWN}
        if method == "GET" and narrow and route.path not in STREAMS:
            yield path
    yield from (f"/tables/{name}" for name in LISTINGS)
    yield from (f"/tables/{name}.xlsx" for name in ("stock", "lots", "movements", "expiry"))
    yield from (
        "/items/THERE-ONLY",
        "/items/BOLT?lot=LOT-THERE",
        "/items/NUT",
        "/?as_of=2026-06-03",
    )
    yield from ("/tables/item-lots?item=BOLT", "/tables/item-trace?item=BOLT&lot=LOT-THERE")
    yield from ("/fragments/places?item=BOLT", "/dashboard?days=90", "/pictures?item=NUT")
    yield from (f"/search?q={typed}" for typed in TYPED)
    yield from (f"/look-up/{what}?q=b&within=BJ1" for what in ("places", "sales-orders"))


def text_of(answer):
    """What an answer says, also one that is a file of Excel."""
    if "spreadsheet" not in answer.headers.get("content-type", ""):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return " ".join(book.read(name).decode() for name in book.namelist() if "xml" in name)


def test_nothing_of_another_warehouse_is_on_any_page_list_or_file(both):
    browser, wrong, seen = both.browser("supervisor-sh1"), [], 0
    everything = both.database.dialect == "sqlite"
    for path in dict.fromkeys(addresses() if everything else ASKED_IN_SQL):
        page = not path.startswith(("/api/", "/tables/", "/fragments/", "/look-up/"))
        answer = browser.ask("GET", path, page=page)
        said = CHOICE.sub("", text_of(answer))
        for typed in ECHOED.findall(path):  # What was asked for is said again.
            said = said.replace(typed, "").replace(quote(typed, safe=""), "")
        found = FOREIGN.search(said)
        seen += answer.status_code == 200
        if answer.status_code >= 500 or (found and answer.status_code == 200):
            around = said[max(0, found.start() - 80) : found.end() + 40] if found else ""
            wrong.append((path, answer.status_code, around))
    assert wrong == []
    assert seen > (60 if everything else 8)


def test_whoever_works_in_two_warehouses_sees_one_of_them_at_a_time(both):
    both.add("of-two", Grant(Role.KEEPER, "SH1"), Grant(Role.KEEPER, "BJ1"))
    browser = both.browser("of-two")
    first = browser.ask("GET", "/", page=True)
    assert first.headers["location"] == "/?warehouse=BJ1"
    for code, there in (("BJ1", "777,777"), ("SH1", ">5<")):
        page = browser.ask("GET", f"/?warehouse={code}", page=True).text
        assert (there in page, f'data-within="{code}"' in page) == (True, True)
        for own in ("SH1", "BJ1"):  # Both can be chosen.
            assert f">{own}</option>" in page
    assert browser.ask("GET", "/fragments/stock").status_code == 422
    assert browser.ask("GET", "/?warehouse=XX1", page=True).status_code == 404


def test_what_changes_is_told_of_the_own_warehouse_only(both):
    with both.database.read(within="SH1") as connection:
        update = read_update(connection, None, now_ms=1)
        since = read_update(connection, 0, now_ms=1)
    for one in (update, since):
        assert {row.fact_id.gateway for row in one.movements} == {"sh1-dock-1"}
        assert [row.code for row in one.gateways] == ["sh1-dock-1"]
    assert [(row.item, set(row.on_hand)) for row in since.rows] == [("BOLT", {"SH1"})]


def test_whose_warehouse_is_gone_sees_nothing_and_not_all_the_others(both):
    with both.database.write() as connection:
        connection.execute(warehouses.insert().values(warehouse="XX1", name="", name_zh=""))
    both.add("of-none", Grant(Role.SUPERVISOR, "XX1"))
    with both.database.write() as connection:
        connection.execute(warehouses.delete().where(warehouses.c.warehouse == "XX1"))
    browser = both.browser("of-none")
    for path in (
        "/",
        "/dashboard",
        "/pictures/throughput",
        "/search?q=LOT-THERE",
        "/all-stock.xlsx",
    ):
        answer = browser.ask("GET", path, page=True)
        assert answer.status_code == 200
        said = text_of(answer).replace("q=LOT-THERE", "").replace('value="LOT-THERE"', "")
        assert not re.search(r"777,?777|>777|sh1-dock|LOT-HERE|SH1", said), path
        assert not FOREIGN.search(said), path


def test_alerts_of_others_are_not_even_counted(both):
    both.there.move("BOLT", "3", source="BIN-1", target="ELSEWHERE")  # There it is below zero.
    both.inbox.accept([both.there.offer(4)])
    counts = []
    for name in ("supervisor", "supervisor-sh1"):
        browser = both.browser(name)
        summary = browser.ask("GET", "/alerts", page=True).text  # Now the menu knows of them, too.
        counts.append(int(re.search(r"(\d+) to act on now", summary[summary.index("<main") :])[1]))
        listed = browser.ask("GET", "/tables/alerts?severity=bad&warehouse=SH1", page=True).text
        own = listed.count("<tr data-key")
        for path in ("/alerts", "/", "/catalogue/items"):
            page = browser.ask("GET", path, page=True).text
            badge = re.search(r'class="badge"><span aria-hidden="true">(\d+)', page)
            assert int(badge[1] if badge else "0") == counts[-1], path
    assert counts[1] == own < counts[0]


def test_a_page_and_its_stream_know_the_same_mark_and_it_counts_nothing(both):
    page = both.browser("supervisor-sh1").ask("GET", "/alerts", page=True).text
    with both.database.read() as connection:
        mark = read_mark(connection, now_ms=1)
    assert mark.discrepancies_open > 0
    assert f'data-mark="{mark.text}"' in page
    assert re.fullmatch("[0-9a-f]{16}", mark.text)


def test_no_order_of_rows_tells_what_stands_in_another_warehouse(both):
    both.here.move("NUT", "1", source="supplier", target="BIN-1")
    both.there.move("NUT", "1", source="supplier", target="ELSEWHERE")  # More than of BOLT.
    both.inbox.accept([both.here.offer(2)])
    both.inbox.accept([both.there.offer(4)])
    asked = MatrixQuery(warehouse="SH1", sort="w:BJ1", descending=True)
    for within, order in (("", ["NUT", "BOLT"]), ("SH1", ["BOLT", "NUT"])):
        with both.database.read(within=within) as connection:
            found = read_matrix(connection, asked, StrayItems(), moment=None)
        assert [row.item for row in found.rows] == order
