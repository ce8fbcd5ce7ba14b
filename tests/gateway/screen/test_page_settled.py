"""The page says quietly what the office settled, in both languages, for a day."""

import json
import urllib.request
from typing import get_args

import msgspec
import pytest

from central.contract.notices import Settled
from central.ledger.entries import DiscrepancyKind
from central.ledger.settled_news import Decided
from gateway.screen.page_settled import (
    DECIDED_WORDS,
    KIND_WORDS,
    SETTLED_SHOWN_MAX,
    SHOWN_FOR_MS,
    page_settled,
    shown_settled,
)
from gateway.screen.translation import translator
from gateway.station.messages import render
from tests.gateway.screen.served import served, settle_for

NOW_MS = 1_795_000_000_000
ONE = Settled(
    discrepancy="d-1",
    kind="negative_balance",
    subject="sh1/BIN-1/BOLT",
    item="BOLT",
    location="BIN-1",
    document="",
    decided="adjust",
    at_ms=NOW_MS,
    epoch="00000001-0000000000000001",
    seq=1,
)


def told(settled, language):
    translate = translator(language)
    (shown,) = page_settled(
        [settled],
        text=lambda message: render(message, language=language, translate=translate),
        translate=translate,
    )
    return shown.text


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        pytest.param(
            {},
            "Stock below zero, BOLT BIN-1: the stock was corrected by a count",
            "库存为负，BOLT BIN-1：已按盘点更正库存",
            id="with its codes",
        ),
        pytest.param(
            {"item": "", "location": "", "kind": "unknown_document", "decided": "itself"},
            "Unknown document, sh1/BIN-1/BOLT: later records explain it",
            "未知单据，sh1/BIN-1/BOLT：后续记录已说明，自动结清",
            id="with its subject where it has none",
        ),
        pytest.param(
            {"kind": "newer", "decided": "later"},
            "newer, BOLT BIN-1: later",
            "newer，BOLT BIN-1：later",
            id="what a newer central says",
        ),
    ],
)
def test_a_settlement_is_told_in_both_languages(changes, english, chinese):
    settled = msgspec.structs.replace(ONE, **changes)
    assert told(settled, "en") == english
    assert told(settled, "zh") == chinese


def test_there_are_words_for_every_decision_and_every_kind_of_a_fact():
    assert set(DECIDED_WORDS) == set(get_args(Decided))
    # Those that no fact of a gateway opens are not told.
    assert set(get_args(DiscrepancyKind)) - set(KIND_WORDS) == {
        "fork",
        "broken_chain",
        "stock_differs",
    }


def test_the_newest_few_of_a_day_are_shown():
    ages_ms = [0, 1000, SHOWN_FOR_MS - 1, SHOWN_FOR_MS, SHOWN_FOR_MS + 1]
    all_of_them = [msgspec.structs.replace(ONE, at_ms=NOW_MS - age_ms) for age_ms in ages_ms]
    assert shown_settled(all_of_them[2:], now_ms=NOW_MS) == (all_of_them[2],)
    assert shown_settled([ONE] * 9, now_ms=NOW_MS) == (ONE,) * SETTLED_SHOWN_MAX


def test_the_served_page_has_them_from_the_journal(tmp_path):
    with served(tmp_path) as (bench, server):
        fresh_ms, _ = settle_for(bench)
        with urllib.request.urlopen(f"{server.url}api/v1/state?lang=zh") as answer:
            state = json.loads(answer.read())
    assert state["settled"] == [{"time_ms": fresh_ms, "text": "库存为负，BOLT BIN-1：按原记录保留"}]
