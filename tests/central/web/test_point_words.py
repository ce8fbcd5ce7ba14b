"""What is open before a period is closed is said in both languages, whatever writes it."""

import pytest

from central.orders.settling.periods import OpenPoint
from central.web.drawing import drawing_in
from central.web.point_words import point_detail

SAID = [
    (
        "gateway",
        "last heard of: never; it may hold facts of the period",
        "从未联系过；可能还有该期间的事实",
    ),
    (
        "gateway",
        "last heard of: 2026-05-29T04:26:00Z; it may hold facts of the period",
        "最近联系：2026-05-29T04:26:00Z；可能还有该期间的事实",
    ),
    ("gateway", "3 of its facts are not here yet", "其 3 条事实尚未到达"),
    (
        "discrepancy",
        "negative_balance BIN-3/NUT////C62, seen to by li.na",
        "库存为负：BIN-3/NUT////C62，由 li.na 处理",
    ),
    ("discrepancy", "negative_balance BIN-3/NUT////C62", "库存为负：BIN-3/NUT////C62"),
    ("transfer", "goods are under way to BJ1", "货物正在发往 BJ1 途中"),
    ("count", "the count is released", "盘点状态：已下达"),
    ("balance", "-5 C62 of NUT/L1", "NUT/L1：-5 件"),
]


@pytest.mark.parametrize(("check", "detail", "chinese"), SAID)
def test_what_is_open_is_said_in_chinese(check, detail, chinese):
    assert point_detail(OpenPoint(check, "SH1", "x", detail), drawing_in("zh").texts) == chinese


def test_what_nobody_knows_the_form_of_is_said_as_it_is():
    point = OpenPoint("count", "SH1", "CT-1", "something new")
    assert point_detail(point, drawing_in("zh").texts) == "something new"
