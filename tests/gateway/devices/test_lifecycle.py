"""The states of a device are those of the drawing; flapping shortens no pause. Pure."""

from typing import get_args

import pytest

from gateway.devices.lifecycle import (
    EVENTS,
    HISTORY_MAX,
    PAUSE_MAX_S,
    TRANSITIONS,
    Backoff,
    Lifecycle,
    LifecycleEvent,
    Transition,
)
from gateway.health import DeviceStateName

SECOND_NS = 1_000_000_000


def driven(*events: LifecycleEvent, state: DeviceStateName = "configured") -> Lifecycle:
    lifecycle = Lifecycle(state)
    for number, event in enumerate(events):
        lifecycle.take(event, time_ms=number)
    return lifecycle


@pytest.mark.parametrize(
    ("events", "state"),
    [
        pytest.param(("matched",), "unclaimed", id="a driver knows it"),
        pytest.param(("matched", "claimed"), "configured", id="a person claimed it"),
        pytest.param(("claimed",), "configured", id="claimed with a driver named by hand"),
        pytest.param(("claimed", "released"), "unclaimed", id="released"),
        pytest.param(("claimed", "starting"), "opening", id="being opened"),
        pytest.param(("claimed", "starting", "opened"), "ready", id="opened"),
        pytest.param(("claimed", "starting", "lost"), "offline", id="not there"),
        pytest.param(("claimed", "starting", "stopped"), "fault", id="wrong settings"),
        pytest.param(("claimed", "starting", "opened", "lost", "opened"), "ready", id="back"),
        pytest.param(("claimed", "starting", "opened", "doubted"), "degraded", id="doubted"),
        pytest.param(
            ("claimed", "starting", "opened", "doubted", "recovered"), "ready", id="recovered"
        ),
        pytest.param(("claimed", "starting", "opened", "doubted", "lost"), "offline", id="gone"),
        pytest.param(("claimed", "starting", "stopped", "opened"), "ready", id="paper loaded"),
        pytest.param(("claimed", "starting", "opened", "closed"), "configured", id="locked"),
    ],
)
def test_events_lead_from_state_to_state(events, state) -> None:
    assert driven(*events, state="discovered").state == state


def test_every_state_can_be_reached_and_every_event_leads_somewhere() -> None:
    assert EVENTS.keys() == set(get_args(LifecycleEvent))
    assert set(TRANSITIONS.values()) | {"discovered"} == set(get_args(DeviceStateName))


@pytest.mark.parametrize(
    ("state", "event"),
    [("discovered", "opened"), ("configured", "lost"), ("ready", "starting"), ("fault", "doubted")],
)
def test_what_the_drawing_does_not_have_is_a_mistake_of_ours(state, event) -> None:
    with pytest.raises(KeyError):
        Lifecycle(state).take(event, time_ms=0)


def test_every_change_is_in_the_history_with_time_and_cause_and_a_repetition_is_not() -> None:
    lifecycle = Lifecycle()
    assert lifecycle.take("starting", time_ms=1)
    assert lifecycle.take("lost", time_ms=2, problem="lost", detail="no such file")
    assert not lifecycle.take("lost", time_ms=3, problem="lost", detail="no such file")
    assert lifecycle.take("lost", time_ms=4, problem="silent", detail="no answer")
    assert lifecycle.history == (
        Transition(1, "configured", "opening", "starting"),
        Transition(2, "opening", "offline", "lost", "lost", "no such file"),
        Transition(4, "offline", "offline", "lost", "silent", "no answer"),
    )
    assert lifecycle.since_ms == 4


def test_the_history_keeps_the_newest_changes_only() -> None:
    lifecycle = driven("starting", *(("opened", "lost") * 200))
    assert len(lifecycle.history) == HISTORY_MAX
    assert lifecycle.history[-1] == Transition(400, "ready", "offline", "lost")


def test_a_long_detail_is_cut() -> None:
    lifecycle = driven("starting")
    lifecycle.take("lost", time_ms=1, problem="lost", detail="x" * 10_000)
    assert len(lifecycle.history[-1].detail) == 256


def test_pauses_double_up_to_half_a_minute() -> None:
    backoff = Backoff()
    pauses = [backoff.lost(0, jitter=1.0) for _ in range(2000)]
    assert pauses[:9] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert max(pauses) == PAUSE_MAX_S == 30.0


@pytest.mark.parametrize(("jitter", "pause_s"), [(0.0, 0.15), (0.5, 0.175), (1.0, 0.2)])
def test_jitter_takes_off_a_quarter_at_most(jitter, pause_s) -> None:
    assert Backoff().lost(0, jitter=jitter) == pytest.approx(pause_s)


@pytest.mark.parametrize(
    ("served_s", "next_pause_s"),
    [
        pytest.param(0, 1.6, id="dies at once"),
        pytest.param(9.9, 1.6, id="dies soon"),
        pytest.param(10, 0.2, id="served for a while"),
    ],
)
def test_only_a_device_that_served_begins_anew_with_the_shortest_pause(
    served_s, next_pause_s
) -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.lost(0, jitter=1.0)
    backoff.serving(SECOND_NS)
    backoff.serving(SECOND_NS + 1)  # Told again and again; the first time counts.
    assert backoff.lost(SECOND_NS + int(served_s * SECOND_NS), jitter=1.0) == next_pause_s


def test_service_before_the_last_loss_does_not_count_again() -> None:
    backoff = Backoff()
    backoff.serving(0)
    assert [backoff.lost(20 * SECOND_NS, jitter=1.0) for _ in range(3)] == [0.2, 0.4, 0.8]


def test_service_before_a_mistake_of_its_driver_does_not_count_for_the_next_loss() -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.lost(0, jitter=1.0)
    backoff.serving(0)
    backoff.failed()
    backoff.serving(20 * SECOND_NS)
    assert backoff.lost(20 * SECOND_NS + 1, jitter=1.0) == 1.6


def test_a_device_that_may_be_back_is_tried_soon() -> None:
    backoff = Backoff()
    for _ in range(20):
        backoff.lost(0, jitter=1.0)
    backoff.hurry()
    assert backoff.lost(0, jitter=1.0) == 0.2
