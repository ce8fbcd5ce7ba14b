"""The page speaks two languages and shows hostile text as text."""

from html.parser import HTMLParser

import pytest

from central.contract.facts import Evidence
from central.contract.states import DeviceState, GatewayState, encode_state
from central.inbox.gateways import record_states
from central.web.app import create_app
from central.web.assets import assets
from central.web.languages import choose_language
from tests.central.clients import ask
from tests.central.scenery import REFERENCE, FixedClock, Gateway, furnished, load

HOSTILE = "<script>alert(1)</script>"
QUOTED = "\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def dock(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    reading = Evidence(device="scanner-1", kind="barcode", raw=HOSTILE.encode())
    gateway.move("BOLT", "1234.5", lot=HOSTILE, evidence=(reading,))
    gateway.move(QUOTED, "1", target=HOSTILE, flags=(HOSTILE,))
    inbox.accept([gateway.offer()])
    return gateway


def tags_of(text):
    """Every (tag, attributes) that a browser would see."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(text)
    return found


@pytest.fixture
def app(database, dock):
    return create_app(database=database, clock=FixedClock(), site=HOSTILE)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?lang=zh",
        "/?q=%22%3E%3Cscript%3E&warehouse=%22%3E%3Cscript%3E&page=%3Cscript%3E",
        "/fragments/stock",
        "/fragments/places?item=BOLT",
        "/fragments/places?item=%3Cscript%3E",
        "/fragments/discrepancies",
        "evidence",
    ],
)
def test_hostile_text_stays_text(app, dock, path):
    if path == "evidence":
        path = f"/fragments/evidence/{dock.code}/{dock.epoch}/1"
    answer = ask(app, path)
    assert answer.status_code == 200
    tags = tags_of(answer.text)
    scripts = [attributes for tag, attributes in tags if tag == "script"]
    own = {asset.url for asset in assets().values()}
    for script in scripts:  # What is no script of ours is data: the browser does not run it.
        assert script.get("src") in own or script == {"type": "application/json", "id": "words"}
    assert "img" not in {tag for tag, _ in tags}


def test_the_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(app):
    answer = ask(app, "/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    tags = tags_of(answer.text)
    addresses = [
        attributes[name]
        for _, attributes in tags
        for name in ("src", "href", "action", "data-src")
        if name in attributes
    ]
    assert len(addresses) > 10
    assert all(address.startswith(("/", "?", "#")) or not address for address in addresses)
    assert not any(address.startswith("//") for address in addresses)
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert not [tag for tag, attributes in tags if tag == "style" or "style" in attributes]


def test_pages_are_fresh_and_assets_are_kept_for_ever(app):
    assert ask(app, "/").headers["cache-control"] == "no-cache"
    asset = assets()["page.js"]
    kept = ask(app, asset.url)
    assert (kept.status_code, kept.content) == (200, asset.body)
    assert "immutable" in kept.headers["cache-control"]
    assert ask(app, "/static/page.js?v=old").headers["cache-control"] == "no-cache"
    assert ask(app, "/static/..%2Fapp.py").status_code == 404
    assert ask(app, "/static/app.py").status_code == 404


def test_the_page_is_in_the_language_that_was_asked_for(app):
    english, chinese = ask(app, "/").text, ask(app, "/?lang=zh").text
    assert '<html lang="en">' in english
    assert '<html lang="zh-Hans">' in chinese
    assert ("Movements" in english, "库存移动" in chinese) == (True, True)
    assert ("Bolt" in english, "螺栓" in chinese, "上海一仓" in chinese) == (True, True, True)
    assert ask(app, "/?lang=zh").cookies["dockledger_language"] == "zh"
    assert "库存移动" in ask(app, "/", headers={"cookie": "dockledger_language=zh"}).text
    assert "set-cookie" not in ask(app, "/?lang=xx").headers


@pytest.mark.parametrize(
    ("asked", "cookie", "accept", "chosen"),
    [
        pytest.param("zh", "en", "en", "zh", id="asked for"),
        pytest.param("", "zh", "en", "zh", id="remembered"),
        pytest.param("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh", id="browser, Chinese first"),
        pytest.param("", "", "en;q=0.5, zh-Hant;q=0.7", "zh", id="by weight"),
        pytest.param("", "", "zh;q=0,de", "en", id="refused"),
        pytest.param("xx", "yy", "de,fr;q=x", "en", id="nothing of ours"),
        pytest.param("", "", "", "en", id="nothing"),
    ],
)
def test_the_language_is_chosen(asked, cookie, accept, chosen):
    assert choose_language(asked=asked, cookie=cookie, accept=accept) == chosen


def test_device_and_gateway_problems_are_told_in_both_languages_and_new_codes_as_they_are(
    app, dock, database
):
    devices = (
        DeviceState(
            name="printer-1",
            device_class="label_printer",
            state="fault",
            detail="paper out",
            problem="paper_out",
        ),
        DeviceState(
            name="scanner-1",
            device_class="scanner",
            state="offline",
            detail="/dev/ttyACM0: no such file",
            problem="lost",
        ),
        DeviceState(name="scale-1", device_class="scale", state="fault", problem="on_fire"),
        DeviceState(name="scale-2", device_class="scale", state="offline", detail="gone"),
    )
    state = GatewayState(
        gateway=dock.code,
        warehouse="SH1",
        epoch=str(dock.epoch),
        online=True,
        problem="journal",
        devices=devices,
    )
    record_states(database, [(dock.code, encode_state(state))], clock=FixedClock())
    english, chinese = ask(app, "/").text, ask(app, "/?lang=zh").text
    for wanted in (
        "printer-1: out of labels: load some",
        "scanner-1: not connected: check its cable",
        "scale-1: on_fire",
        "scale-2: offline",
        "it cannot record: make space",
    ):
        assert wanted in english
    for wanted in (
        "printer-1: 标签纸用完：请装上标签纸",
        "scanner-1: 未连接：请检查电缆",
        "scale-1: on_fire",
        "scale-2: 离线",
        "无法记录：请清理其磁盘空间或更换存储卡",
    ):
        assert wanted in chinese
    assert not [text for text in ("paper out", "no such file", "gone") if text in chinese]


def test_an_unavailable_database_is_said_in_both_languages(app, database):
    if database.dialect != "sqlite":
        pytest.skip("a dropped table stands for a lost SQLite file; PostgreSQL is lost by its link")
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE facts")
    for lang, words in (("en", "cannot read its database"), ("zh", "无法读取数据库")):
        answer = ask(app, f"/?lang={lang}")
        assert (answer.status_code, words in answer.text) == (503, True)


def test_an_empty_ledger_says_what_will_appear(database):
    load(database, REFERENCE)
    text = ask(create_app(database=database, clock=FixedClock(), site="x"), "/").text
    assert "The first scan at a dock appears here" in text
    assert "No gateway is enrolled yet" in text
