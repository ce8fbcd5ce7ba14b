"""What is told of alerts: once when new, again after a day, once when over, and in words. Pure."""

import pytest

from central.config_keeping import AlertRecipient
from central.stock.alerts import KINDS, Alert
from central.watching.judging import (
    HOUR_MS,
    RESOLVED_AFTER_MS,
    Known,
    digest_slot,
    judge,
    told_at_once,
)
from central.watching.letters import LISTED_MAX, one_line, write_letter
from central.web.alert_words import ALERTS, alert_url
from central.web.drawing import drawing_in

NOW_MS = 1_780_000_000_000
DAY_MS = 24 * HOUR_MS
BAD = Alert(kind="negative_stock", warehouse="SH1", subject="BOLT", location="BIN-1")
WARN = Alert(kind="below_minimum", warehouse="BJ1", subject="NUT")
OWN = Alert(kind="backup_old", warehouse="", subject="central")


def judged(present, *known, now_ms=NOW_MS):
    return judge(present, {one.alert.key: one for one in known}, now_ms=now_ms, repeat_ms=DAY_MS)


def known(alert, *, gone_ms=0, told_ms=NOW_MS - HOUR_MS):
    return Known(alert, first_ms=told_ms, gone_ms=gone_ms, told_ms=told_ms)


@pytest.mark.parametrize(
    ("present", "remembered", "expected"),
    [
        pytest.param([BAD], [], {"new"}, id="new"),
        pytest.param([BAD], [known(BAD)], set(), id="still there: quiet"),
        pytest.param([BAD], [known(BAD, told_ms=NOW_MS - DAY_MS)], {"again"}, id="a day later"),
        pytest.param([], [known(BAD)], {"gone"}, id="not there: wait"),
        pytest.param([], [known(BAD, gone_ms=NOW_MS - 1)], set(), id="gone for a moment"),
        pytest.param(
            [], [known(BAD, gone_ms=NOW_MS - RESOLVED_AFTER_MS)], {"over"}, id="gone for long"
        ),
        pytest.param([BAD], [known(BAD, gone_ms=NOW_MS - 1)], {"back"}, id="back: quiet"),
        pytest.param([], [], set(), id="nothing"),
    ],
)
def test_an_alert_is_told_when_it_is_due(present, remembered, expected):
    found = judged(present, *remembered)
    names = ("new", "again", "back", "gone", "over")
    assert {name for name in names if getattr(found, name)} == expected
    assert found.is_quiet == (not expected)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, [BAD, OWN], id="the bad ones"),
        pytest.param({"at_once": "all"}, [BAD, WARN, OWN], id="all"),
        pytest.param({"at_once": "none"}, [], id="none"),
        pytest.param({"at_once": "all", "warehouses": ("BJ1",)}, [WARN, OWN], id="a warehouse"),
    ],
)
def test_a_recipient_hears_at_once_what_he_asked_for(settings, expected):
    recipient = AlertRecipient(address="a@example.com", **settings)
    assert told_at_once(recipient, [BAD, WARN, OWN]) == expected


def test_a_digest_is_due_once_a_day_at_its_hour():
    day = NOW_MS - NOW_MS % DAY_MS
    assert digest_slot(day + 6 * HOUR_MS, hour=6) == day + 6 * HOUR_MS
    assert digest_slot(day + 6 * HOUR_MS - 1, hour=6) == day - 18 * HOUR_MS
    assert digest_slot(day + DAY_MS - 1, hour=0) == day


def letter(*alerts, kind="raised", language="en", url="https://stock.example.com"):
    texts = drawing_in(language).texts
    return write_letter(kind, alerts, texts=texts, site="demo", url=url)


def test_a_letter_says_what_since_when_what_to_do_and_where():
    found = letter(BAD, WARN)
    assert found.subject == "[Dockledger demo] to see to: Stock below zero BOLT +1"
    assert found.body.splitlines()[2:6] == [
        "* [Act now] Stock below zero: SH1 · BOLT · BIN-1",
        "  What to do: Count the place, or settle the discrepancy that names it.",
        "  https://stock.example.com/warehouses/SH1/places/BIN-1",
        "",
    ]
    assert found.body.endswith("All alerts: https://stock.example.com/alerts\n")
    assert "http" not in letter(BAD, url="").body


def test_the_same_letter_in_chinese():
    found = letter(OWN, language="zh")
    assert found.subject == "[Dockledger demo] 待处理: 超过 26 小时没有成功的备份 central"
    assert "处理方法: 检查备份定时器及各存放位置，然后立即备份。" in found.body


def test_a_letter_about_very_many_names_some_and_counts_the_rest():
    many = [Alert(kind="below_minimum", warehouse="SH1", subject=f"I{n}") for n in range(500)]
    found = letter(*many)
    assert found.body.count("* [See to it]") == LISTED_MAX
    assert f"Further ones: {500 - LISTED_MAX}" in found.body


HOSTILE = "X\r\nBcc: all@example.com\r\n\r\n<script>\u202e\x00=cmd"


@pytest.mark.parametrize("kind", KINDS)
def test_no_alert_can_add_a_header_or_a_line(kind):
    alert = Alert(
        kind=kind, warehouse="SH1", subject=HOSTILE, location=HOSTILE, lot=HOSTILE,
        name=HOSTILE, detail=HOSTILE, since_ms=1,
    )  # fmt: skip
    found = letter(alert)
    assert found.subject.isprintable()
    assert all(line.isprintable() for line in found.body.splitlines())
    assert "\nBcc" not in found.body
    assert one_line("a\nb\x00") == "a b "


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_in_both_languages_what_to_do_and_leads_somewhere(kind):
    alert = Alert(kind=kind, warehouse="SH1", subject="central", location="BIN-1")
    for text in ALERTS[kind]:
        assert drawing_in("zh").texts.say(text) != text
    assert alert_url(alert).startswith("/")
    assert alert_url(alert) != "/gateways/central"
