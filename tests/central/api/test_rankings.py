"""Rankings go on page by page: each row once, in order, of the moment of the first page."""

import pytest

from central.api.parameters import PREFIX, read_cursor, write_cursor
from central.api.ranking import NUMBER_MAX, RankCursor, Ranking
from central.contract.errors import ContractError
from tests.central.api.test_openapi import gone
from tests.central.clients import call

NOW_MS = 1_780_400_000_000
RANKINGS = [
    ("/kpis/turnover", "turnover", {}),
    ("/kpis/movers", "items", {}),
    ("/kpis/movers", "items", {"order": "worst"}),
    ("/kpis/dead-stock", "items", {"days": 1}),
    ("/kpis/stock-age", "items", {}),
    ("/kpis/in-transit-age", "transfers", {}),
    ("/kpis/deliveries", "late", {}),
    ("/kpis/suppliers", "suppliers", {}),
    ("/kpis/throughput", "hours", {}),
    ("/count-plans/EVERY/due", "due", {}),
]


def test_each_ranking_is_the_same_row_by_row_as_whole(database):
    walk = gone(database)
    for item, place in (("NUT", "BIN-2"), ("BOLT", "BIN-3"), ("RICE", "BIN-2"), ("NUT", "BIN-3")):
        walk.move(item, "3", "supplier", place, unit="KGM" if item == "RICE" else "C62")
        walk.move(item, "1", place, "customer", unit="KGM" if item == "RICE" else "C62")

    walk.post("/counts/CNT-000005/cancel", {"reason": "its goods are due again"})
    plan = call(walk.app, "PUT", f"{PREFIX}/count-plans/EVERY", json={"warehouse": "SH1"})
    assert plan.status_code == 200, plan.text

    def ask(path, **query):
        answer = call(walk.app, "GET", PREFIX + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    long = set()
    for path, key, asked in RANKINGS:
        whole = ask(path, limit=500, **asked)
        assert whole.pop("next_cursor") is None
        rows, cursor = [], {}
        while True:
            page = ask(path, limit=1, **asked, **cursor)
            rows += page.pop(key)
            further = page.pop("next_cursor")
            assert page == {name: said for name, said in whole.items() if name != key}
            if further is None:
                break
            cursor = {"cursor": further}
        assert rows == whole[key], path
        long |= {path} if len(rows) > 1 else set()
        foreign = write_cursor(RankCursor(NOW_MS, ("a", "b", "c", "d", 5, 6)))
        if rows:
            refused = call(walk.app, "GET", PREFIX + path, params=asked | {"cursor": foreign})
            assert refused.status_code == 422 and "cursor" in refused.json()["detail"]
    assert long >= {"/kpis/movers", "/kpis/stock-age", "/count-plans/EVERY/due"}


def test_pages_are_of_the_moment_of_the_first_one():
    first, further = Ranking(None, now_ms=NOW_MS, limit=1).page("ab", lambda one: (one,))
    second = Ranking(further, now_ms=NOW_MS + 5000, limit=1)
    assert (first, second.now_ms) == (["a"], NOW_MS)
    assert second.page("abc", lambda one: (one,))[0] == ["b"]
    assert read_cursor(second.cursor_after(("b",)), RankCursor).now_ms == NOW_MS
    assert Ranking(further, now_ms=NOW_MS - 5000, limit=1).now_ms == NOW_MS - 5000


def test_figures_that_no_cursor_holds_are_told_apart_by_what_follows():
    rows = [(-3 * NUMBER_MAX, "a"), (-2 * NUMBER_MAX, "b"), (0, "c"), (4 * NUMBER_MAX, "d")]
    seen, cursor = [], None
    for _ in rows:
        page, cursor = Ranking(cursor, now_ms=NOW_MS, limit=1).page(rows, lambda one: one)
        seen += page
    assert (seen, cursor) == (rows, None)


@pytest.mark.parametrize("rank", [(1,), ("a", 1), (1, "a", "b"), ()])
def test_the_cursor_of_another_ranking_is_refused(rank):
    cursor = write_cursor(RankCursor(NOW_MS, rank))
    with pytest.raises(ContractError):
        Ranking(cursor, now_ms=NOW_MS, limit=1).page([(1, "a")], lambda one: one)
    with pytest.raises(ContractError):
        Ranking(cursor, now_ms=NOW_MS, limit=1).require((0, ""))
