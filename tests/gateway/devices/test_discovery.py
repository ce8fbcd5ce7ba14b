"""What is plugged in, bound and offered: every transition of the table. Pure."""

import pytest

from drivers.candidates import Candidate, Matcher
from gateway.devices.discovery import (
    CANDIDATES_MAX,
    Changes,
    DriverSheet,
    Table,
    after_add,
    after_remove,
    after_sweep,
    binding,
    place_of,
    unclaimed,
)

SERIAL = frozenset({"serial"})
NUMBER = "serial:usb:0403:6001:A50285BI:00"


def usb(node="/dev/ttyUSB0", number="A50285BI", port="p1"):
    return Candidate(
        "serial",
        node,
        vendor_id=0x0403,
        product_id=0x6001,
        serial_number=number,
        interface="00",
        port_path=port,
    )


def swept(*sweeps, kinds=SERIAL):
    table, changes = Table(), Changes()
    for seen in sweeps:
        table, changes = after_sweep(table, seen, kinds=kinds)
    return table, changes


ONE, OTHER = usb(), usb("/dev/ttyUSB1", "B6028000", "p2")


@pytest.mark.parametrize(
    ("sweeps", "present", "appeared", "gone"),
    [
        pytest.param([[ONE]], [ONE], [ONE], [], id="absent-seen-present"),
        pytest.param([[ONE], [ONE]], [ONE], [], [], id="present-seen-present"),
        pytest.param([[ONE], []], [ONE], [], [], id="present-missed-missing"),
        pytest.param([[ONE], [], [ONE]], [ONE], [], [], id="missing-seen-present"),
        pytest.param([[ONE], [], []], [], [], [ONE], id="missing-missed-absent"),
        pytest.param([[ONE], [], [ONE], []], [ONE], [], [], id="misses-are-counted-in-a-row"),
        pytest.param(
            [[ONE], [usb(number="C7")]],
            [usb(number="C7")],
            [usb(number="C7")],
            [ONE],
            id="replaced",
        ),
    ],
)
def test_sweeps_take_two_misses_for_gone(sweeps, present, appeared, gone):
    table, changes = swept(*sweeps)
    assert list(table.candidates) == present
    assert (list(changes.appeared), list(changes.gone)) == (appeared, gone)


def test_a_remove_is_believed_at_once_and_an_add_is_always_news():
    table, changes = after_add(Table(), ONE)
    assert changes == Changes((ONE,))
    assert after_add(table, ONE)[1].appeared == (ONE,)
    table, changes = after_remove(table, ONE.node)
    assert (table.candidates, changes.gone) == ((), (ONE,))
    assert after_remove(table, ONE.node)[1] == Changes()


def test_an_add_at_the_node_of_another_replaces_it():
    table, _ = after_add(Table(), ONE)
    table, changes = after_add(table, usb(number="C7028000"))
    assert (changes.gone, len(table.candidates)) == ((ONE,), 1)


def test_a_sweep_of_the_network_misses_no_serial_port():
    table, _ = swept([ONE])
    for _ in range(3):
        table, changes = after_sweep(table, [], kinds={"network"})
    assert (table.candidates, changes) == ((ONE,), Changes())


def test_more_than_can_be_kept_is_not_kept():
    many = [usb(f"/dev/ttyUSB{n}", f"SERIAL{n:04}", f"p{n}") for n in range(CANDIDATES_MAX + 9)]
    table, _ = swept(many)
    assert len(table.candidates) == CANDIDATES_MAX
    assert after_add(table, many[-1])[1] == Changes()


def test_a_claim_follows_its_device_to_another_port_and_node():
    table, _ = swept([ONE])
    held = ONE
    table, _ = after_remove(table, ONE.node)
    assert binding(table, NUMBER, held=held).state == "absent"
    moved = usb("/dev/ttyUSB7", port="p9")
    table, _ = after_add(table, moved)
    assert binding(table, NUMBER, held=None).candidate == moved


def test_a_twin_that_appears_takes_nothing_over_now_or_later():
    table, _ = swept([ONE])
    twin = usb("/dev/ttyUSB1", port="p2")
    table, _ = after_add(table, twin)
    assert binding(table, NUMBER, held=ONE).candidate == ONE
    assert binding(table, NUMBER, held=None).state == "ambiguous"
    table, _ = after_remove(table, ONE.node)
    assert binding(table, NUMBER, held=None).state == "ambiguous", "the twin is another device"


def test_what_a_sweep_missed_is_no_twin_of_what_it_saw():
    moved = usb("/dev/ttyUSB1")  # Plugged in again while no event was heard.
    table, _ = swept([ONE], [moved], [moved])
    assert table.twins == frozenset()
    assert binding(table, NUMBER, held=ONE).candidate == moved


def test_a_twin_that_takes_the_node_of_a_claimed_device_takes_no_claim_over():
    twin, at_its_node = usb("/dev/ttyUSB1", port="p2"), usb(port="p2")
    table, _ = swept([ONE], [ONE, twin], [at_its_node])
    assert binding(table, NUMBER, held=ONE).state == "ambiguous"


def test_a_claim_by_port_does_not_open_another_kind_of_device_in_that_port():
    table, _ = swept([usb(number="")])
    identity = "serial:port:p1:0403:6001"
    assert binding(table, identity, held=None).state == "present"
    other = Candidate("serial", "/dev/ttyUSB0", vendor_id=0x1A86, product_id=0x7523, port_path="p1")
    table, _ = swept([other])
    assert binding(table, identity, held=None).state == "absent"


def sheet(name, score, **fields):
    return DriverSheet(
        name,
        "scale",
        matchers=(Matcher("serial", score, **fields),),
        node_setting="port",
    )


SHEETS = (
    sheet("any-serial", 5),
    sheet("knows-it", 70, vendor_id=0x0403),
    sheet("knows-another", 90, vendor_id=0x9999),
    DriverSheet("no-node", matchers=(Matcher("serial", 99),)),
    DriverSheet(
        "needs-a-map", matchers=(Matcher("serial", 5),), node_setting="port", required=("map",)
    ),
)


def offered(table, *, claimed=frozenset(), taken=frozenset(), confirmed=None):
    return unclaimed(table, SHEETS, claimed=claimed, taken=taken, confirmed=confirmed or {})


def test_the_driver_that_knows_a_device_is_offered_first_and_one_that_needs_settings_last():
    table, _ = swept([ONE])
    (found,) = offered(table)
    assert found.identity == NUMBER
    assert [one.sheet.name for one in found.offers] == ["knows-it", "any-serial", "needs-a-map"]


def test_the_driver_that_was_answered_is_offered_before_all():
    table, _ = swept([ONE])
    (found,) = offered(table, confirmed={place_of(ONE): "any-serial"})
    assert found.offers[0].sheet.name == "any-serial"


def test_what_is_claimed_or_configured_is_not_offered():
    table, _ = swept([ONE, OTHER])
    assert [one.candidate for one in offered(table, claimed={NUMBER})] == [OTHER]
    assert [one.candidate for one in offered(table, taken={place_of(OTHER)})] == [ONE]


def test_of_twins_each_is_offered_by_its_port_and_what_has_none_is_refused():
    table, _ = swept([ONE, usb("/dev/ttyUSB1", port="p2")])
    found = offered(table)
    assert [one.identity for one in found] == [
        "serial:port:p1:0403:6001",
        "serial:port:p2:0403:6001",
    ]
    assert all(one.twin for one in found)
    table, _ = swept([usb(number="", port=""), usb("/dev/ttyUSB1", "", "")])
    assert [one.identity for one in offered(table)] == ["", ""]


def test_the_twin_of_a_claimed_device_is_still_offered():
    twin = usb("/dev/ttyUSB1", port="p2")
    table, _ = swept([ONE, twin])
    (found,) = offered(table, claimed={NUMBER}, taken={place_of(ONE)})
    assert (found.candidate, found.identity) == (twin, "serial:port:p2:0403:6001")
