"""Which parts of the lab run side by side, and what counts as back in service. Pure."""

import pytest

from tests.hardware.back_in_service import BackInService
from tests.hardware.errors import GuestFailed
from tests.hardware.lanes import LANES, lanes_of


def test_two_guests_side_by_side_run_every_part_once():
    lanes = lanes_of([part for lane in LANES for part in lane], cores_count=2, memory_bytes=1 << 34)
    assert lanes == [["devices", "plugging"], ["cuts", "controls"]]


@pytest.mark.parametrize(
    ("parts", "cores_count", "memory_bytes"),
    [
        pytest.param(["cuts", "controls"], 2, 1 << 34, id="parts of one lane"),
        pytest.param(["devices", "cuts"], 1, 1 << 34, id="one core"),
        pytest.param(["devices", "cuts"], 2, 1 << 31, id="memory for one guest"),
    ],
)
def test_otherwise_there_is_one_lane_in_the_order_that_was_asked_for(
    parts, cores_count, memory_bytes
):
    assert lanes_of(parts, cores_count=cores_count, memory_bytes=memory_bytes) == [parts]


def heard(*lines, waits):
    """Return who has heard a guest that waited for a core so long at each look."""
    waited = iter(waits)
    said = []
    back = BackInService(lambda: next(waited), said.append)
    for at in range(0, len(text := "".join(f"{line}\n" for line in lines)), 3):
        back.hear(text[at : at + 3])
    return back, said


def test_what_a_guest_waits_for_a_core_is_not_the_gateways():
    back, said = heard(
        ".AWAY", "BACK 1.500", "something", "AWAY", "BACK 9.000", waits=(0, 0.5, 1, 9)
    )
    assert back.took_s == [1.0, 1.0]
    back.judge()
    back.say_figures()
    assert said == ["something", "back in service 2 times: median 1.00 s, slowest 1.00 s"]


def test_whoever_is_back_too_late_is_found():
    back, _ = heard("AWAY", "BACK 2.100", waits=(3, 3))
    with pytest.raises(GuestFailed, match=r"after 2.10 s, 2.0 are allowed"):
        back.judge()


def test_no_plugging_at_all_is_no_success():
    back, _ = heard("..", waits=())
    with pytest.raises(GuestFailed, match="no device was seen"):
        back.judge()
