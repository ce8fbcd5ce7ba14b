"""The page says how old the stock is that it shows, in both languages."""

import json
import urllib.request

import pytest

from gateway.health import KnowledgeHealth
from gateway.screen.page_knowledge import page_knowledge, shown_knowledge
from gateway.screen.translation import translator
from gateway.station.messages import render
from tests.gateway.screen.served import served

NOW_MS = 1_795_000_000_000
MINUTE_MS = 60_000


def told(knowledge: KnowledgeHealth, language: str = "en"):
    translate = translator(language)
    return page_knowledge(
        shown_knowledge(knowledge, now_ms=NOW_MS),
        text=lambda message: render(message, language=language, translate=translate),
        translate=translate,
    )


def known(minutes: float, **fields) -> KnowledgeHealth:
    as_of_ms = NOW_MS - round(minutes * MINUTE_MS)
    return KnowledgeHealth(stream="s1", as_of_ms=as_of_ms, **fields)


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"),
    [
        (0, "0 min", "0 分钟"),
        (0.99, "0 min", "0 分钟"),
        (7, "7 min", "7 分钟"),
        (119, "119 min", "119 分钟"),
        (120, "2 h", "2 小时"),
        (47 * 60, "47 h", "47 小时"),
        (48 * 60, "2 days", "2 天"),
        (-5, "0 min", "0 分钟"),
    ],
)
def test_an_age_is_told_in_minutes_hours_or_days(minutes, english, chinese):
    assert told(known(minutes)).text == f"Stock as of {{time}}, {english} old"
    assert told(known(minutes), "zh").text == f"库存截至 {{time}}（{chinese}前）"
    assert told(known(minutes)).as_of_ms == known(minutes).as_of_ms


def test_a_clock_that_is_not_set_tells_no_age():
    """A machine without a battery goes on with the time of its last shutdown, days later."""
    shown = shown_knowledge(known(1), now_ms=NOW_MS, clock_synced=False)
    texts = [
        page_knowledge(
            shown,
            text=lambda message, language=language: render(
                message, language=language, translate=translator(language)
            ),
            translate=translator(language),
        ).text
        for language in ("en", "zh")
    ]
    assert texts == [
        "Stock as of {time}; how old that is, is not known: the clock is not set",
        "库存截至 {time}；时钟未校准，不知已过多久",
    ]
    assert shown.as_of_ms == known(1).as_of_ms


def test_stock_of_this_moment_needs_no_word():
    shown = told(known(7, is_live=True))
    assert (shown.text, shown.problem) == ("", "")


def test_a_station_without_central_says_that_it_counts_its_own_movements_alone():
    shown = told(KnowledgeHealth(problem="no_url"))
    assert shown.text == "Stock: only this station's own movements are counted"
    assert shown.problem == ""
    assert told(KnowledgeHealth(), "zh").text == "库存：只计入本站自己的移动"


def test_what_keeps_the_stock_away_names_what_to_do():
    assert told(KnowledgeHealth(problem="refused")).problem == (
        "Central refuses this gateway its stock: enrol it there."
    )
    assert "登记" in told(known(3, problem="refused"), "zh").problem


def test_the_page_changes_once_a_minute_and_not_while_it_is_live():
    seconds = {shown_knowledge(known(7), now_ms=NOW_MS + 1000 * n) for n in range(60)}
    assert len(seconds) == 1
    live = {shown_knowledge(known(n, is_live=True), now_ms=NOW_MS) for n in range(60)}
    assert len(live) == 1


def test_the_state_of_the_page_and_the_metrics_carry_it(tmp_path):
    with served(tmp_path) as (bench, server):
        now_ms = bench.clock.now_ms()
        bench.health.set_knowledge(
            KnowledgeHealth(stream="s1", as_of_ms=now_ms - 9 * MINUTE_MS, problem="unreachable")
        )
        with urllib.request.urlopen(server.url + "api/v1/state", timeout=60) as answer:
            knowledge = json.load(answer)["knowledge"]
        with urllib.request.urlopen(server.url + "metrics", timeout=60) as answer:
            metrics = answer.read().decode()
    assert knowledge == {
        "text": "Stock as of {time}, 9 min old",
        "as_of_ms": now_ms - 9 * MINUTE_MS,
        "problem": "Central's stock cannot be loaded: check [central] url and the network.",
    }
    assert "dockledger_gateway_central_stock_known 1\n" in metrics
    assert "dockledger_gateway_central_stock_age_minutes 9\n" in metrics
