"""What is refused is said in Chinese too, whole, with the same values, and codes stay codes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.api import problem_catalogue
from central.api.problem_catalogue import PO_FILE, compiled, found_sentences, sentences
from central.api.problem_sources import sentences_of
from central.api.problem_translations import MO_FILE, chinese_words
from central.api.problem_words import TEXT_CHARACTERS_MAX, ProblemWords
from central.api.writing import WriteSide
from central.ledger.desk import Desk
from tests.central.clients import call
from tests.central.one_app import application
from tests.central.scenery import FixedClock, Gateway, furnished

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
PLACES = re.compile(r"\{(\d+)(?::[tl])?\}")
WORDS = ProblemWords(
    {
        "{0} is {1}": "{0:t}的状态是{1:t}",
        "{0} is {1}: {2} is not possible": "{0:t}的状态是{1:t}：不能{2:t}",
        "transfer {0}": "调拨单 {0}",
        "no item is called {0}": "没有名为 {0} 的物料",
        "Possible now: {0}.": "现在可以：{0:l}。",
        "draft": "草稿",
        "close": "关闭",
    }
)


def test_every_sentence_that_is_said_is_translated_and_no_other():
    translations = problem_catalogue.read_translations()
    assert {one.id for one in translations} == {one.id for one in found_sentences()}
    assert not [one.id for one in translations if one.id and not one.string]
    assert MO_FILE.read_bytes() == compiled(translations), f"{PO_FILE} was not compiled"


def test_a_translation_has_no_place_that_its_sentence_lacks():
    for one in problem_catalogue.read_translations():
        if one.id:
            assert set(PLACES.findall(one.string)) <= set(PLACES.findall(one.id)), one.id


def test_every_sentence_is_found_again_with_values_in_it():
    words, templates = chinese_words(), {one.template for one in sentences()}
    for template in templates:
        said = words.said(PLACES.sub("Q-7", template))
        assert re.search(r"[\u4e00-\u9fff]|^(SSCC|GTIN|GLN|Dockledger)$", said), (template, said)


def test_sentences_are_read_from_the_sources_with_places_for_values():
    source = """
HINT = "Wait."
class Order:
    def __str__(self): return f"order {self.code}"
def refuse(code, count, first, *, hint="Look."):
    why = "late" if first else "early"
    raise Conflict(f"{code} has {count} line{'s' if count > 1 else ''}, {why} "
        f"{code!r}", hint=HINT)
    raise Other(code, hint=code, what="the " + "order", fields={"no": "sentence"})
"""
    assert [one.template for one in sentences_of("x.py", source)] == [
        "order {0}",
        "Look.",
        "{0} has {1} lines, late {2}",
        "{0} has {1} lines, early {2}",
        "{0} has {1} line, late {2}",
        "{0} has {1} line, early {2}",
        "Wait.",
        "the order",
    ]


def test_faults_of_cards_are_read_without_the_names_of_their_parts():
    source = """
def check(name):
    yield Fault("name", f"{name} is no name", "Write one.")
"""
    path = "central/orders/catalogue/x.py"
    assert [one.template for one in sentences_of(path, source)] == ["{0} is no name", "Write one."]
    assert list(sentences_of("central/ledger/x.py", source)) == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        pytest.param("draft", "草稿", id="word"),
        pytest.param("transfer TR-1 is draft", "调拨单 TR-1的状态是草稿", id="sentence-in-it"),
        pytest.param(
            "transfer T is a: close is not possible", "调拨单 T的状态是a：不能关闭", id="both"
        ),
        pytest.param("a is b: close is not possible", "a的状态是b：不能关闭", id="the-longer-one"),
        pytest.param("a is b: c is d", "a的状态是b: c的状态是d", id="value-with-a-sentence"),
        pytest.param("no item is called draft", "没有名为 draft 的物料", id="a-code-is-no-word"),
        pytest.param("Possible now: draft, close.", "现在可以：草稿、关闭。", id="list"),
        pytest.param("Possible now: .", "现在可以：。", id="nothing-listed"),
        pytest.param("nobody said this", "nobody said this", id="unknown"),
        pytest.param("", "", id="empty"),
        pytest.param(" is " * 2000, " is " * 2000, id="too-long"),
        pytest.param("no item is called {0}", "没有名为 {0} 的物料", id="braces-in-a-value"),
        pytest.param("no item is called \\1\n", "没有名为 \\1\n 的物料", id="nothing-is-a-pattern"),
    ],
)
def test_a_sentence_is_said_in_chinese_with_its_values(english, chinese):
    assert WORDS.said(english) == chinese


@given(st.text(alphabet="i s:,.\n{}01 draft", max_size=TEXT_CHARACTERS_MAX))
def test_any_text_is_answered_with_a_text(text):
    assert isinstance(WORDS.said(text), str)


@pytest.fixture
def ask(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move("BOLT", "5")
    inbox.accept([gateway.offer()])
    clock = FixedClock()
    app = application(
        database=database, clock=clock, writing=WriteSide(Desk(database, clock=clock))
    )

    def asked(method, path, **options):
        answer = call(app, method, f"/api/v1{path}", **options)
        assert answer.status_code >= 400
        problem = answer.json()
        said = (problem["title"], problem["detail"], problem["hint"])
        return said, answer.headers.get("content-language")

    return asked


BODY = {"from_warehouse": "SH1", "to_warehouse": "SH1", "lines": [{"item": "BOLT"}]}


@pytest.mark.parametrize(
    ("method", "path", "options", "detail", "hint"),
    [
        pytest.param(
            "GET",
            "/items/GEAR",
            {},
            "没有名为 'GEAR' 的物料",
            "请在物料列表中核对编码。",
            id="refused",
        ),
        pytest.param(
            "POST",
            "/items",
            {"json": {"code": "A B", "name": "Gear", "unit": "C62"}},
            "物料 A B：code：物料编码 'A B' 不可用",
            "物料编码须为 1 到 64 个字母、数字、'.'、'_' 或 '-'。",
            id="unusable",
        ),
        pytest.param(
            "POST",
            "/items",
            {"json": {"code": "GEAR", "name": " ", "unit": "C62"}},
            "物料 GEAR：name：未填写",
            "请填写。",
            id="not-filled-in",
        ),
        pytest.param(
            "PATCH",
            "/items/BOLT",
            {"json": {"unit": "KGM"}},
            "物料 BOLT：unit：使用中，不能更改：SH1 BIN-1 的库存",
            "请仍用 C62，或先结束它们。",
            id="in-use",
        ),
        pytest.param(
            "GET",
            "/stock?item=BOLT&as_of=soon",
            {},
            "'soon' 不是时间",
            "请写日期 2026-11-22，或带时区的时间 2026-11-22T08:00:00Z。",
            id="no-time",
        ),
        pytest.param(
            "GET",
            "/cleaning/duplicates?of=x",
            {},
            "of: 应为 'items' 或 'partners'",
            "请更正所指的参数；全部参数见 /openapi.json。",
            id="no-choice",
        ),
        pytest.param(
            "POST",
            "/items",
            {"json": {"code": "GEAR", "colour": "red", "unit": 7}},
            "name: 必须填写; unit: 应为文本; colour: 不允许多余的字段",
            "请更正所指的参数；全部参数见 /openapi.json。",
            id="of-the-wrong-form",
        ),
        pytest.param(
            "GET",
            "/nothing",
            {},
            "未找到。",
            "请检查地址和方法；全部地址见 /openapi.json。",
            id="no-address",
        ),
        pytest.param(
            "GET",
            "/stock?cursor=x",
            {},
            "该游标不是本账本给出的",
            "第一页请不带 `cursor`，之后原样传回 `next_cursor`。",
            id="contract",
        ),
    ],
)
def test_a_refusal_is_said_in_the_language_that_is_read(ask, method, path, options, detail, hint):
    options = options | {"headers": CHINESE | {"If-Match": "*"}}
    (title, *said), language = ask(method, path, **options)
    assert (said, language) == ([detail, hint], "zh-Hans")
    assert re.search("[\u4e00-\u9fff]", title)
    options["headers"] = {"If-Match": "*"}
    (_, english, _), language = ask(method, path, **options)
    assert language is None
    assert not re.search("[\u4e00-\u9fff]", english)


def test_whoever_reads_the_pages_in_chinese_reads_refusals_in_chinese(ask):
    cookie = {"Cookie": "dockledger_language=zh", "Accept-Language": "en-GB"}
    assert ask("GET", "/items/GEAR", headers=cookie)[0][0] == "不存在"
    cookie = {"Cookie": "dockledger_language=en", "Accept-Language": "zh"}
    assert ask("GET", "/items/GEAR", headers=cookie)[0][0] == "Not there"
