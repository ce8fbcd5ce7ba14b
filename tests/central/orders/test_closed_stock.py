"""Stock as of the end of a period, as known when that was closed, is what its figures are."""

import html
import random
import re
from itertools import count

import pytest

from central.stock.times import utc_text
from tests.central.clients import ask
from tests.central.orders.settling import Settling
from tests.central.orders.test_periods import DAY_MS, END_OF_26, MAY_26, balances, closed

LAST_OF_26 = "2026-05-26"


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def stood(site, *, query):
    """{(warehouse, location, item): on hand} of both warehouses, virtual places included."""
    found = {}
    for warehouse in ("SH1", "BJ1"):
        path = f"/stock?warehouse={warehouse}&include_virtual=true&{query}"
        for row in site.get(path)["stock"]:
            found[row["warehouse"], row["location"], row["item"]] = row["on_hand"]
    return found


def as_closed(period, *, as_of=LAST_OF_26):
    return f"as_of={as_of}&recorded_by={period['closed_time']}"


def test_both_times_together_give_the_figures_whatever_came_late(site):
    site.dock.move(quantity="10", event_time_ms=MAY_26)
    site.dock.move(quantity="3", source="BIN-1", target="customer", event_time_ms=END_OF_26 - 1)
    site.dock.move(quantity="2", source="BIN-1", target="BIN-2", event_time_ms=END_OF_26)
    site.other.move("NUT", "4", event_time_ms=MAY_26, clock_synced=False)  # Dated by its record.
    site.send(site.dock, site.other)
    period = closed(site)
    figures = balances(site)
    assert stood(site, query=as_closed(period)) == figures
    # In the millisecond of the closing and after it.
    site.dock.move(quantity="1", source="BIN-1", target="scrap", event_time_ms=MAY_26)
    site.send()
    site.clock.time_ms += 3 * DAY_MS
    site.dock.move(quantity="5", event_time_ms=MAY_26)
    site.send()
    assert stood(site, query=f"as_of={LAST_OF_26}")["SH1", "BIN-1", "BOLT"] == "11"
    assert stood(site, query=as_closed(period)) == figures == balances(site)
    assert figures["SH1", "BIN-1", "BOLT"] == "7"


@pytest.mark.parametrize("seed", range(3))
def test_both_times_together_give_the_figures_of_every_period(site, seed):
    dice = random.Random(seed)
    periods, numbers = [], count(1)
    start = site.clock.time_ms
    for day in range(6):
        for _ in range(12):
            dock = dice.choice((site.dock, site.other))
            dock.move(
                quantity=str(dice.randint(1, 9)),
                target=dice.choice(("BIN-1", "BIN-2")),
                event_time_ms=site.clock.time_ms
                + dice.choice((-1, -90_000, -900_000, -DAY_MS, -3 * DAY_MS, 60_000, 900_000)),
                clock_synced=dice.random() < 0.8,
            )
            site.send(dock)
            site.clock.time_ms += dice.choice((0, 1, 60_000, 3_600_000))
        if day % 2:
            through = site.clock.time_ms - dice.choice((1, 300_000, 7_200_000))
            end = utc_text(through)
            code = f"P{next(numbers)}"
            periods.append((closed(site, code=code, through=end), utc_text(through - 1)))
    assert start < site.clock.time_ms and len(periods) == 3
    for period, last in periods:
        assert stood(site, query=as_closed(period, as_of=last)) == balances(site, period["period"])


def test_the_page_of_a_period_leads_to_its_stock_by_both_times(site):
    site.dock.move(quantity="10", event_time_ms=MAY_26)
    site.send()
    closed(site)
    site.dock.move(quantity="5", event_time_ms=MAY_26)
    site.send()
    path = re.search(r'href="(/\?as_of=[^"]*known=[^"]*)"', shown(site, "/periods/2026-05a"))[1]
    url = html.unescape(path)
    for language, said in (("en", "as far as the ledger knew it"), ("zh", "当时")):
        drawn = shown(site, f"{url}&lang={language}")
        assert said in drawn and re.search(r">\s*10\s*<", drawn)
    by_now = shown(site, url.split("&known")[0])
    assert "by all that is known now" in by_now and re.search(r">\s*15\s*<", by_now)
    for link in re.findall(r'href="(/\?[^"]*sort=[^"]*)"', shown(site, url)):
        assert "known=2026" in link


def shown(site, path):
    answer = ask(site.app, path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_what_was_known_is_asked_of_a_moment_of_the_past(site):
    for language, said in (("en", "recorded_by"), ("zh", "过去")):
        answer = site.ask(
            "GET",
            "/stock?warehouse=SH1&recorded_by=2026-05-26",
            **{"Accept-Language": language},
        )
        assert answer.status_code == 422 and said in answer.json()["detail"]
