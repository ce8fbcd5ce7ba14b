"""By what a device is known again: serial number, port, reader id, and what counts as none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.candidates import Candidate
from gateway.devices.hid_descriptor import COLLECTIONS_MAX, top_level_usages
from gateway.devices.identity import (
    address_of,
    counts_as_serial,
    identities,
    identity_of,
    is_by_port,
    port_of,
    shared_identities,
)

PCI = "/sys/devices/pci0000:00/0000:00:14.0/usb1"
PI = "/sys/devices/platform/soc/fe980000.usb/usb1"
PORTS = [
    pytest.param(
        f"{PCI}/1-2/1-2:1.0/ttyUSB0/tty/ttyUSB0", "pci-0000:00:14.0-usb-0:2:1.0", id="pci"
    ),
    pytest.param(
        f"{PCI}/1-2/1-2.4/1-2.4:1.2/tty/ttyACM3",
        "pci-0000:00:14.0-usb-0:2.4:1.2",
        id="behind-a-hub",
    ),
    pytest.param(
        PCI.replace("usb1", "usb3") + "/3-2/3-2:1.0/ttyUSB9/tty/ttyUSB9",
        "pci-0000:00:14.0-usb-0:2:1.0",
        id="other-bus-and-node-numbers",
    ),
    pytest.param(
        f"{PI}/1-1/1-1.3/1-1.3:1.0/0003:0C2E:0B61.0001/hidraw/hidraw0",
        "platform-fe980000.usb-usb-0:1.3:1.0",
        id="raspberry-pi",
    ),
    pytest.param(
        "/sys/devices/platform/soc/fe201000.serial/tty/ttyAMA0",
        "platform/soc/fe201000.serial",
        id="soldered-in",
    ),
    pytest.param("/sys/devices/virtual/misc/uhid/0005:1.2/input/event4", "", id="no-port-at-all"),
]


@pytest.mark.parametrize(("sys_path", "port"), PORTS)
def test_the_port_does_not_change_with_bus_or_node_numbers(sys_path, port):
    assert port_of(sys_path, node_name=sys_path.rpartition("/")[2]) == port


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("A50285BI", True),
        ("S/N: 21147523", True),
        ("", False),
        ("0001", False),
        ("00000000", False),
        ("FFFFFFFF", False),
        ("0123456789ABCDEF", False),
        ("0123456789abcdef", False),
        ("000000000001", False),
        ("None", False),
    ],
)
def test_numbers_that_makers_write_into_all_devices_do_not_count(text, counts):
    assert counts_as_serial(text) is counts


def serial(node="/dev/ttyUSB0", number="A50285BI", port="p1", **fields):
    return Candidate(
        kind="serial",
        node=node,
        vendor_id=0x0403,
        product_id=0x6001,
        serial_number=number,
        interface="00",
        port_path=port,
        **fields,
    )


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        pytest.param(serial(), "serial:usb:0403:6001:A50285BI:00", id="serial-number"),
        pytest.param(serial(number=""), "serial:port:p1:0403:6001", id="port"),
        pytest.param(serial(number="0001"), "serial:port:p1:0403:6001", id="dummy-number"),
        pytest.param(
            Candidate("serial", "/dev/ttyAMA0", port_path="soc/fe2"),
            "serial:port:soc/fe2",
            id="not-on-usb",
        ),
        pytest.param(
            Candidate("network", "192.0.2.7", tcp_port=9100, reader_id="00:07:4d:01:02:03"),
            "network:reader:00:07:4d:01:02:03:9100",
            id="mac-address",
        ),
        pytest.param(
            Candidate("network", "192.0.2.7", tcp_port=9100),
            "network:address:192.0.2.7:9100",
            id="address",
        ),
        pytest.param(Candidate("hidraw", "/dev/hidraw0"), "", id="nothing-to-go-by"),
    ],
)
def test_the_best_identity_is_taken_and_never_the_node(candidate, expected):
    assert identity_of(candidate, shared=frozenset()) == expected
    if candidate.kind != "network":
        assert not any(candidate.node in identity for identity in identities(candidate))


def test_two_with_one_serial_number_are_known_by_their_ports():
    first, second = serial(port="p1"), serial("/dev/ttyUSB1", port="p2")
    shared = shared_identities([first, second])
    assert shared == {"serial:usb:0403:6001:A50285BI:00"}
    found = [identity_of(one, shared=shared) for one in (first, second)]
    assert found == ["serial:port:p1:0403:6001", "serial:port:p2:0403:6001"]
    assert all(is_by_port(one) for one in found)


def test_two_without_serial_number_and_port_are_refused():
    twins = [serial("/dev/ttyUSB0", "", ""), serial("/dev/ttyUSB1", "", "")]
    assert [identity_of(one, shared=shared_identities(twins)) for one in twins] == ["", ""]


def test_one_interface_that_is_keyboard_and_hidraw_has_two_identities():
    ids = {"vendor_id": 1, "product_id": 2, "serial_number": "S77123", "interface": "00"}
    pair = [Candidate("keyboard", "/dev/input/event5", **ids), Candidate("hidraw", "/x", **ids)]
    assert shared_identities(pair) == frozenset()


def test_an_address_needs_no_finding():
    found = address_of("network:address:fe80::1:9100")
    assert found is not None
    assert (found.node, found.tcp_port) == ("fe80::1", 9100)
    assert address_of("network:address::9100") is None
    assert address_of("network:reader:00:07:4d:01:02:03:9100") is None


# A boot keyboard (HID 1.11, appendix E.6, first items), a POS scanner (HID Usage Tables, page 8C)
# and both in one descriptor.
KEYBOARD = bytes.fromhex("05010906a101050719e029e715002501750195088102c0")
SCANNER = bytes.fromhex("058c0902a1018502150026ff0075080902a10009fe8102c0c0")


@pytest.mark.parametrize(
    ("descriptor", "usages"),
    [
        pytest.param(KEYBOARD, ((0x01, 0x06),), id="keyboard"),
        pytest.param(SCANNER, ((0x8C, 0x02),), id="nested-collections-are-not-top"),
        pytest.param(KEYBOARD + SCANNER, ((0x01, 0x06), (0x8C, 0x02)), id="two"),
        pytest.param(bytes.fromhex("0b20008d00a101c0"), ((0x8D, 0x20),), id="usage-with-its-page"),
        pytest.param(bytes.fromhex("fe02ff0000") + KEYBOARD, ((0x01, 0x06),), id="long-item"),
        pytest.param(b"", (), id="empty"),
    ],
)
def test_the_usages_of_the_top_level_collections_are_read(descriptor, usages):
    assert top_level_usages(descriptor) == usages


@given(st.binary(max_size=5000))
def test_any_descriptor_gives_some_answer(data):
    assert len(top_level_usages(data)) <= COLLECTIONS_MAX
