"""What pages show: no button for whoever may not press it, and words for what was done."""

import pytest

from central.access.permissions import Permission, Principal
from central.api.warehouse_bound import may_ask, may_open
from central.web.drawing import drawing_in
from central.web.people.audit_words import (
    action_choices,
    done_word,
    event_lines,
    page_of_object,
    short_code,
)
from central.web.people.words import PERMISSIONS
from tests.central.access.test_reach import _transfer

EN, ZH = (drawing_in(language).texts for language in ("en", "zh"))
SAID = {
    "reason": ({"reason": "damaged"}, "原因: 损坏"),
    "count": ({"lines_count": 2, "version": 3}, "行数: 2"),
    "quantity": ({"missing_micro": 1_500_000}, "缺少: 1.5"),
    "changed": ({"changes": {"policy.inspected": [False, True]}}, "收货须检验: 否 → 是"),
    "roles": ({"before": {"roles": ["viewer"]}, "after": {"roles": []}}, "角色: 查看者 → –"),
    "typed": ({"text": "lost"}, "lost"),
    "units": ({"changes": {"units": [[], [{"sscc": "1", "parent": "2"}]]}}, "– → 1 · 2"),
}


@pytest.mark.parametrize(
    ("path", "button"),
    [("/transfers", "/transfers/new"), ("/catalogue/items", "/catalogue/items/new")],
)
def test_whoever_may_not_press_a_button_does_not_see_it(people, path, button):
    assert f'href="{button}"' in people.browser("supervisor").ask("GET", path, page=True).text
    assert f'href="{button}"' not in people.browser("viewer").ask("GET", path, page=True).text


def test_what_can_be_done_to_a_document_is_drawn_for_whoever_may(people):
    path = f"/transfers/{_transfer(people)}"
    step = 'id="act-cancel"'
    assert step in people.browser("supervisor").ask("GET", path, page=True).text
    assert step not in people.browser("viewer").ask("GET", path, page=True).text


def test_what_is_ones_own_asks_for_no_permission():
    nobody = Principal("li.na", frozenset())
    assert may_ask(nobody, "DELETE", "/api/v1/account/sessions/x")
    assert not may_ask(nobody, "POST", "/api/v1/transfers")
    assert not may_open(nobody, "/not/there")


def test_each_permission_has_a_word():
    assert set(PERMISSIONS) == {str(one) for one in Permission}


@pytest.mark.parametrize(("fields", "line"), SAID.values(), ids=SAID)
def test_what_belongs_to_an_event_is_said_in_words(fields, line):
    assert line in "\n".join(event_lines(fields, ZH))


def test_an_action_means_what_it_means_for_its_kind():
    assert done_word("discrepancy", "reopened", EN) == "opened again"
    assert done_word("sales_order", "reopened", EN) == "made it a draft again"
    texts = [text for _, text in action_choices(ZH)]
    assert len(texts) == len(set(texts))


def test_an_object_is_one_press_away_and_its_code_fits():
    assert page_of_object("transfer", "TR-1/2") == "/transfers/TR-1%2F2"
    assert page_of_object("user", "li.na") == ""
    assert short_code("7559b753b0f7d177da81360e37e55a30") == "7559b753…"
