"""What people read of a discrepancy comes in the language that a program asks for."""

import re

import pytest

from tests.central.orders.settling import Settling

CHINESE = re.compile("[\u4e00-\u9fff]")
READ = ("means", "detail")
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def site(database):
    """A place below zero, an order that nobody knows, an item and a place without a name."""
    site = Settling(database)
    site.dock.move(quantity="2", source="BIN-2", target="BIN-1")
    site.dock.move(quantity="5", document="PO-404")
    site.dock.move("WHAT", "1")
    site.dock.move(quantity="1", source="BIN-1", target="NOWHERE")
    site.send()
    return site


def read(site, row, **headers):
    answer = site.ask("GET", f"/discrepancies/{row['id']}", **headers)
    return answer.json(), answer.headers.get("content-language")


def people_read(body):
    """{what people read: the text} of a discrepancy, without what has none."""
    texts = {name: body[name] for name in (*READ, "settlement")}
    texts |= {f"why {number}": one["why"] for number, one in enumerate(body["proposals"])}
    texts |= {f"advice {number}": one["text"] for number, one in enumerate(body["advice"])}
    return {name: text for name, text in texts.items() if text}


def for_programs(body):
    """The rest, which no language changes."""
    proposals = [one["body"] for one in body["proposals"]]
    pages = [one["page"] for one in body["advice"]]
    words = {*READ, "settlement", "proposals", "advice", "settlements"}
    return proposals, pages, {name: body[name] for name in body.keys() - words}


def test_means_why_and_advice_are_in_the_language_that_is_asked_for(site):
    rows = site.get("/discrepancies")["discrepancies"]
    seen = set()
    for row in rows:
        english, no_language = read(site, row)
        chinese, language = read(site, row, **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
        assert (no_language, language) == (None, "zh-Hans")
        assert for_programs(english) == for_programs(chinese)
        said, translated = people_read(english), people_read(chinese)
        assert said.keys() == translated.keys()
        for name, text in said.items():
            assert not CHINESE.search(text)
            # A detail may be a name alone.
            assert CHINESE.search(translated[name]) or (
                name == "detail" and text == translated[name]
            )
        seen |= {name.split()[0] for name in said}
    assert len(rows) >= 4 and seen >= {"means", "why", "advice"}


def test_a_settlement_and_a_list_are_in_the_language_that_is_asked_for(site):
    row = site.found("negative_balance")
    site.dock.move(quantity="9", target="BIN-2")
    site.send()
    (settled,) = site.ask(
        "GET", "/discrepancies?kind=negative_balance", **{"Accept-Language": "zh"}
    ).json()["discrepancies"]
    (english,) = site.get("/discrepancies?kind=negative_balance")["discrepancies"]
    assert settled["state"] == "settled" and CHINESE.search(settled["settlement"])
    assert english["settlement"] and not CHINESE.search(english["settlement"])
    unknown = site.found("unknown_document")
    body = {"action": "accept", "reason": "it is so"}
    path = f"/discrepancies/{unknown['id']}/settle"
    answer = site.ask("POST", path, body, **{"Accept-Language": "zh"})
    assert answer.status_code == 200 and CHINESE.search(answer.json()["means"])
    decided = answer.json()["settlement"]
    assert decided.endswith("：it is so") and "已接受" in decided
    english = site.get(f"/discrepancies/{unknown['id']}")["settlement"]
    assert re.fullmatch(r"accept by \S+: it is so", english)
    assert row["id"] == settled["id"]


def test_what_is_open_of_a_period_is_in_the_language_that_is_asked_for(site):
    site.clock.time_ms += 2 * DAY_MS
    path = "/periods/checklist?through=2026-05-28"
    english = site.get(path)["open"]
    answer = site.ask("GET", path, **{"Accept-Language": "zh"})
    chinese = answer.json()["open"]
    assert answer.headers["content-language"] == "zh-Hans"
    assert {one["check"] for one in english} >= {"gateway", "discrepancy"}
    for one, translated in zip(english, chinese, strict=True):
        assert not CHINESE.search(one["detail"]) and CHINESE.search(translated["detail"])
        assert one | {"detail": ""} == translated | {"detail": ""}
    body = {"period": "2026-05", "through": "2026-05-28", "reason": "known", "anyway": True}
    closed = site.ask("POST", "/periods", body, **{"Accept-Language": "zh"})
    assert closed.status_code == 201, closed.text
    for path in ("/periods/2026-05", "/periods"):
        found = site.ask("GET", path, **{"Accept-Language": "zh"}).json()
        (period,) = found.get("periods", [found])
        assert [one["detail"] for one in period["open"]] == [one["detail"] for one in chinese]
        (period,) = [site.get(path)] if path != "/periods" else site.get(path)["periods"]
        assert [one["detail"] for one in period["open"]] == [one["detail"] for one in english]
