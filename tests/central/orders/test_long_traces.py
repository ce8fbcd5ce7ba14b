"""A long way of goods is read page by page, and what it comes to is told with each page."""

import pytest

from tests.central.clients import ask
from tests.central.orders.settling import Settling
from tests.central.web.test_weights_of_stock import shown


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def pages(site, limit, lot="LI"):
    cursor, found = "", []
    while cursor is not None:
        found.append(site.get(f"/trace?item=BOLT&lot={lot}&limit={limit}{cursor}"))
        following = found[-1]["next_cursor"]
        cursor = f"&cursor={following}" if following else None
    return found


def wandered(site):
    """A lot of two statuses goes to and fro; a part is settled to have left as another lot."""
    site.dock.move(quantity="3", lot="LI", target="BIN-2")
    site.send()
    held = {"warehouse": "SH1", "item": "BOLT", "lot": "LI", "reason": "smell"}
    assert site.ask("POST", "/holds", held).status_code == 201
    site.dock.move(quantity="6", lot="LI", target="BIN-1", document="PO-1")
    site.send()
    freed = held | {"location": "BIN-1", "becomes": "available"}
    assert site.ask("POST", "/holds/release", freed).status_code == 201
    site.dock.move(quantity="6", lot="LI", source="BIN-1", target="BIN-2")
    site.dock.move(quantity="8", lot="LI", source="BIN-2", target="BIN-1")  # Of both statuses.
    site.dock.move(quantity="8", lot="LI", source="BIN-1", target="BIN-2")
    site.dock.move(quantity="2", lot="L0", source="BIN-2", target="customer", document="SO-1")
    site.send()
    answer = site.settle("negative_balance", {"action": "reassign", "lot": "LI"})
    assert answer.status_code == 200, answer.text
    site.dock.reverse(2)
    site.send()


@pytest.mark.parametrize("limit", range(1, 8))
def test_pages_of_a_trace_together_are_the_whole_of_it(site, limit):
    wandered(site)
    (whole,) = pages(site, 1000)
    assert whole["complete"] and len(whole["steps"]) > 10
    assert len({step["record_no"] for step in whole["steps"]}) < len(whole["steps"])
    assert {step["lot"] for step in whole["steps"]} == {"LI", "L0"}
    parts = pages(site, limit)
    assert [step for part in parts for step in part["steps"]] == whole["steps"]
    assert [len(part["steps"]) for part in parts[:-1]] == [limit] * (len(parts) - 1)
    assert not any(part["complete"] for part in parts[:-1])
    assert all(part["settled"] == whole["settled"] != [] for part in parts)


def test_a_reversal_is_of_its_movements_order_on_another_page_too(site):
    wandered(site)
    (last,) = [step for part in pages(site, 2) for step in part["steps"]][-1:]
    assert (last["kind"], last["document"]) == ("reversal", "PO-1")


def test_what_it_comes_to_outside_is_told_with_the_first_page(site):
    wandered(site)
    first = pages(site, 4)[0]
    told = {(one["location"], one["lot"], one["on_hand"]) for one in first["outside"]}
    assert told >= {("supplier", "LI", "-3"), ("customer", "L0", "2")}


def test_a_cursor_of_something_else_is_refused(site):
    for cursor in ("x", "WzFd", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2LDFd"):
        answer = ask(site.app, f"/api/v1/trace?item=BOLT&lot=LI&cursor={cursor}")
        assert answer.status_code == 422, cursor


def test_the_page_of_a_lot_shows_the_first_steps_and_leads_on(site):
    for _ in range(30):
        site.dock.move(quantity="1", lot="LI", target="BIN-2")
        site.dock.move(quantity="1", lot="LI", source="BIN-2", target="BIN-1")
    site.send()
    first = ask(site.app, "/tables/item-trace?item=BOLT&lot=LI").text
    assert first.count("data-key=") == 50
    assert "cursor=50%2F1" in first
    rest = ask(site.app, "/tables/item-trace?item=BOLT&lot=LI&cursor=50%2F1").text
    assert rest.count("data-key=") == 10
    assert "|10 rows here|" in shown(site.app, "/tables/item-trace?item=BOLT&lot=LI&cursor=50/1")
