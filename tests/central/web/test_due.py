"""Documents are narrowed by the day that was promised and by how far they are."""

import pytest

from central.web.documents.due import Due, due_filters, due_of

NOW_MS = 1_780_400_000_000  # 2 June 2026, 11:33 UTC.
OPEN = frozenset({"none", "partial"})


@pytest.mark.parametrize(
    ("values", "due"),
    [
        pytest.param({}, Due(), id="nothing"),
        pytest.param({"due": "late"}, Due("late", "", "2026-06-01", OPEN), id="late"),
        pytest.param({"due": "today"}, Due("today", "", "2026-06-02", OPEN), id="today"),
        pytest.param({"due": "soon"}, Due("soon", "", "2026-06-09", OPEN), id="within-a-week"),
        pytest.param({"due": "part"}, Due("part", "", "", frozenset({"partial"})), id="partly"),
        pytest.param(
            {"due": "soon", "from": "2026-06-03", "until": "2026-06-05"},
            Due("soon", "2026-06-03", "2026-06-05", OPEN),
            id="a-shorter-span",
        ),
        pytest.param({"from": "2026-02-30", "until": "=1+1"}, Due(), id="no-days"),
    ],
)
def test_what_is_due_is_a_span_of_days_and_how_far_it_may_be(values, due):
    assert due_of(values, promised="promised_on", now_ms=NOW_MS) == due


def test_a_table_without_promises_is_not_narrowed_by_them():
    assert due_filters("") == ()
    assert due_of({"due": "late", "from": "2026-01-01"}, promised="", now_ms=NOW_MS) == Due()
