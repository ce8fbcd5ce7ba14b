"""That a gateway was heard is noted once a second, and again after a clock was set back."""

import pytest

from central.inbox.seen import GATEWAYS_KEPT_MAX, SEEN_AGAIN_MS, Seen

NOW_MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("later_ms", "due"),
    [
        pytest.param(0, [], id="at the same moment"),
        pytest.param(SEEN_AGAIN_MS - 1, [], id="within the second"),
        pytest.param(SEEN_AGAIN_MS, ["dock"], id="a second later"),
        pytest.param(-1, ["dock"], id="by a clock that was set back"),
    ],
)
def test_a_gateway_is_due_again_after_a_second(later_ms, due):
    seen = Seen()
    assert seen.due(["dock"], now_ms=NOW_MS) == ["dock"]
    seen.note(["dock"], now_ms=NOW_MS)
    assert seen.due(["dock"], now_ms=NOW_MS + later_ms) == due
    assert seen.due(["other"], now_ms=NOW_MS) == ["other"]


def test_what_was_not_noted_is_still_due():
    seen = Seen()
    assert seen.due(["dock"], now_ms=NOW_MS) == seen.due(["dock"], now_ms=NOW_MS) == ["dock"]


def test_no_more_gateways_are_remembered_than_a_bound():
    seen = Seen()
    seen.note([f"dock-{number}" for number in range(GATEWAYS_KEPT_MAX + 1)], now_ms=NOW_MS)
    seen.note(["dock"], now_ms=NOW_MS)
    assert seen.due(["dock", "dock-1"], now_ms=NOW_MS) == ["dock-1"]
