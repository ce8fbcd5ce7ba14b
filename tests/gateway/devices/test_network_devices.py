"""What is connected to on the network: only what is allowed, and never a device of ours."""

import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from threading import Event
from threading import enumerate as enumerate_threads

import msgspec
import pytest

from drivers.candidates import Matcher
from drivers.registry import load_driver
from gateway.config_sections import DeviceSection, DiscoverySection
from gateway.devices.check import ConfiguredDevice
from gateway.devices.claims import ClaimStore
from gateway.devices.discovery import DriverSheet
from gateway.devices.discovery_loop import STOP_S_MAX, DiscoveryLoop
from gateway.devices.driver_sheets import probe_device, read_driver_sheets
from gateway.devices.network_devices import (
    CONNECT_S_MAX,
    HOSTS_MAX,
    NetworkReach,
    mac_addresses,
    sweep_network,
)
from gateway.station.claiming import Claim
from tests.gateway.devices.claim_bench import SHEETS, ClaimBench, usb_serial
from tests.waiting import until, within

DESK_WITH_CLAIMS = """
import sys
from pathlib import Path
from tests.gateway.devices.claim_bench import ClaimBench
print(*(one.state for one in ClaimBench(Path(sys.argv[1])).desk.device_list().claimed))
"""

RAISING_DRIVER = """
import msgspec
from drivers.api import Driver
class Settings(msgspec.Struct):
    port: str
D = Driver(name="raising", device_class="scanner", summary="", settings_type=Settings,
           open_device=lambda settings: {}["baud"], node_setting="port")
"""
CLAIM_WITH_IT = """
import sys
from pathlib import Path
from gateway.devices.driver_sheets import sheet_of
from drivers.registry import load_driver
from gateway.station.claiming import ClaimRequest
from tests.gateway.devices.claim_bench import ClaimBench, usb_serial
bench = ClaimBench(Path(sys.argv[1]))
bench.bindings.set_sheets([sheet_of(load_driver("raising"))])
bench.plug(usb_serial("/dev/ttyUSB0", "A50285BI"))
key = bench.desk.device_list().found[0].key
said = bench.desk.claim(ClaimRequest(key, driver="raising"))
print(said.kind, dict(said.message.values)["hint"])
"""


def listener(stack):
    return stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))


def port_of(server):
    return server.getsockname()[1]


def connections(server):
    """Return how many connections wait at a listening socket."""
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
            count += 1
        except BlockingIOError:
            return count


def sweep(reach, skip=lambda host, port: False):
    return sweep_network(reach, skip=skip, stopping=lambda: False)


def test_only_open_ports_are_found_and_a_device_of_ours_is_left_alone():
    with ExitStack() as stack:
        one, ours = listener(stack), listener(stack)
        shut = socket.create_server(("127.0.0.1", 0))
        shut_port = port_of(shut)
        shut.close()
        reach = NetworkReach(hosts=("127.0.0.1",), ports=(port_of(one), port_of(ours), shut_port))
        found = sweep(reach, skip=lambda host, port: port == port_of(ours))
        assert [(one.node, one.tcp_port) for one in found] == [("127.0.0.1", port_of(one))]
        assert (connections(one), connections(ours)) == (1, 0)


def test_hosts_that_do_not_answer_cost_a_bounded_time():
    # TEST-NET-1 (RFC 5737) is routed nowhere; a name that does not exist is no error either.
    reach = NetworkReach(
        hosts=("127.0.0.1", "no.such.host.invalid"), networks=("192.0.2.0/29",), ports=(9,)
    )
    with within(CONNECT_S_MAX * 4, what="the sweep"):
        assert sweep(reach) == ()


def test_no_more_hosts_are_tried_than_the_limit():
    targets = list(NetworkReach(networks=("10.0.0.0/8",), ports=(9100,)).targets())
    assert len(targets) == HOSTS_MAX
    assert list(NetworkReach(hosts=("a", "a"), ports=(1, 2)).targets()) == [("a", 1), ("a", 2)]
    assert list(NetworkReach(hosts=("a",)).targets()) == []


def test_hosts_on_the_wire_are_known_by_their_mac_address():
    table = (
        "IP address       HW type     Flags       HW address            Mask     Device\n"
        "192.168.10.23    0x1         0x2         00:07:4D:11:22:33     *        eth0\n"
        "192.168.10.24    0x1         0x0         00:00:00:00:00:00     *        eth0\n"
        "cut off\n"
    )
    assert mac_addresses(table) == {"192.168.10.23": "00:07:4d:11:22:33"}
    assert mac_addresses("") == {}


def test_a_network_of_more_addresses_than_may_be_tried_is_a_mistake():
    for networks in (("10.0.0.0/8",), ("192.168.0.0/23", "192.168.2.0/23", "192.168.4.0/31")):
        with pytest.raises(msgspec.ValidationError, match="more than 1024 addresses"):
            msgspec.convert({"networks": networks}, DiscoverySection)
    assert msgspec.convert({}, DiscoverySection).ports == ()


class SweepsOnly:
    """A kernel that has no netlink: it is asked, it never tells."""

    def __init__(self):
        self.present = ()
        self.sweeps_count = 0

    def watch(self):
        return "Address family not supported by protocol"

    def sweep(self):
        self.sweeps_count += 1
        return self.present

    def next_event(self, timeout_s):
        time.sleep(min(timeout_s, 0.01))


def test_without_events_from_the_kernel_sweeps_find_everything_and_it_is_said_once(
    tmp_path, caplog
):
    bench, kernel = ClaimBench(tmp_path), SweepsOnly()
    loop = DiscoveryLoop(
        kernel=kernel,
        bindings=bench.bindings,
        desk=bench.desk,
        section=DiscoverySection(sweep_interval_s=0.5),
    )
    loop.start()
    try:
        until(lambda: kernel.sweeps_count, "a sweep")
        kernel.present = (usb_serial("/dev/ttyUSB0", "A50285BI"),)
        until(lambda: bench.desk.device_list().found, "found")
        until(lambda: kernel.sweeps_count > 2, "more sweeps")
    finally:
        loop.stop()
    said = [one for one in caplog.records if "only sweeps" in one.message]
    assert len(said) == 1 and "AF_NETLINK" in said[0].fields["hint"]


def test_an_open_port_is_asked_once_who_it_is_and_that_driver_offered_first(tmp_path):
    with ExitStack() as stack:
        server = listener(stack)
        matches = (Matcher("network", 20, tcp_port=port_of(server)),)
        sheets = tuple(
            DriverSheet(
                name, "label_printer", matchers=matches, node_setting="host", probes=name != "mute"
            )
            for name in ("aaa-tcp", "mute", "zzz-tcp")
        )
        asked = []

        def probe(driver, settings):
            asked.append((driver, settings))
            return "ZD421" if driver == "zzz-tcp" else ""

        bench = ClaimBench(tmp_path)
        loop = DiscoveryLoop(
            kernel=None,
            bindings=bench.bindings,
            desk=bench.desk,
            section=DiscoverySection(
                hosts=("127.0.0.1",), ports=(port_of(server),), network_interval_s=0.02
            ),
            read_sheets=lambda: sheets,
            probe=probe,
        )
        loop.start()
        try:
            until(lambda: [one.title for one in bench.desk.device_list().found] == ["ZD421"])
            for _ in range(3):
                until(lambda: connections(server), "one more sweep")
        finally:
            loop.stop()
        (found,) = bench.desk.device_list().found
        assert found.key == f"network:address:127.0.0.1:{port_of(server)}"
        assert [one.name for one in found.choices] == ["zzz-tcp", "aaa-tcp", "mute"]
        assert asked == [(name, {"host": "127.0.0.1"}) for name in ("aaa-tcp", "zzz-tcp")]


def test_a_configured_printer_is_left_alone_by_whatever_name_it_is_reached(tmp_path):
    with ExitStack() as stack:
        ours, other = listener(stack), listener(stack)
        driver = load_driver("zpl-tcp")
        settings = {"host": "localhost", "port": port_of(ours)}
        section = DeviceSection(name="printer", driver=driver.name, settings=settings)
        configured = ConfiguredDevice(section, driver, driver.parse_settings(settings))
        bench = ClaimBench(tmp_path, [configured])
        loop = DiscoveryLoop(
            kernel=None,
            bindings=bench.bindings,
            desk=bench.desk,
            section=DiscoverySection(
                hosts=("127.0.0.1",), ports=(port_of(ours), port_of(other)), probe=False
            ),
            own_hosts=["localhost"],
            read_sheets=lambda: SHEETS,
        )
        loop.start()
        try:
            until(lambda: bench.desk.device_list().found, "the other one found")
        finally:
            loop.stop()
        (found,) = bench.desk.device_list().found
        assert found.where == f"127.0.0.1:{port_of(other)}"
        assert connections(ours) == 0


def test_drivers_that_could_not_be_read_are_read_again_later(tmp_path):
    bench, kernel, answers = ClaimBench(tmp_path), SweepsOnly(), iter([()])
    bench.bindings.set_sheets(())
    kernel.present = (usb_serial("/dev/ttyUSB0", "A50285BI"),)
    loop = DiscoveryLoop(
        kernel=kernel,
        bindings=bench.bindings,
        desk=bench.desk,
        section=DiscoverySection(sweep_interval_s=0.5),
        read_sheets=lambda: next(answers, SHEETS),
        sheets_again_s=0.0,
    )
    loop.start()
    try:
        until(lambda: [one for one in bench.desk.device_list().found if one.choices], "offers")
    finally:
        loop.stop()


def test_what_hangs_in_a_driver_does_not_keep_discovery_from_ending(tmp_path):
    bench, kernel, hanging, asked = ClaimBench(tmp_path), SweepsOnly(), Event(), Event()
    kernel.present = (usb_serial(str(tmp_path / "tty"), "A50285BI", product="Scanner"),)
    bench.bindings.set_sheets(())

    def read_sheets():
        asked.set()
        hanging.wait(60)
        return SHEETS

    loop = DiscoveryLoop(
        kernel=kernel,
        bindings=bench.bindings,
        desk=bench.desk,
        section=DiscoverySection(ports=(1,)),
        read_sheets=read_sheets,
    )
    loop.start()
    assert asked.wait(60)
    with within(2 * STOP_S_MAX, what="the end"):
        loop.stop()
    hanging.set()
    until(lambda: not [one for one in enumerate_threads() if one.name == "drivers"], "ended")
    assert bench.bindings.sheets() == (), "nothing begins after the end"


def test_one_driver_that_cannot_be_imported_hides_no_other(tmp_path, monkeypatch):
    (tmp_path / "broken_driver.py").write_text("raise RuntimeError('no licence')\n")
    package = tmp_path / "broken-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[dockledger.drivers]\nbroken = broken_driver:D\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    problems = {sheet.name: sheet.problem for sheet in read_driver_sheets()}
    assert "RuntimeError: no licence" in problems["broken"]
    assert problems["scanner-serial"] == ""
    # Nor does a claim of such a driver keep the gateway from starting.
    (tmp_path / "claimed").mkdir()
    ClaimStore(tmp_path / "claimed").add(Claim(name="x", driver="broken", identity="i"))
    begun = subprocess.run(
        [sys.executable, "-c", DESK_WITH_CLAIMS, str(tmp_path / "claimed")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert begun.stdout == "unusable\n", begun.stderr


def test_a_mistake_in_a_driver_that_is_tried_is_told_to_whoever_claims(tmp_path, monkeypatch):
    (tmp_path / "raising_driver.py").write_text(RAISING_DRIVER)
    package = tmp_path / "raising-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: raising\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[dockledger.drivers]\nraising = raising_driver:D\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "claimed").mkdir()
    begun = subprocess.run(
        [sys.executable, "-c", CLAIM_WITH_IT, str(tmp_path / "claimed")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert begun.stdout == "error 'baud'\n", begun.stderr


def test_every_installed_driver_is_read_in_another_program_and_none_is_broken():
    sheets = {sheet.name: sheet for sheet in read_driver_sheets()}
    assert {"scanner-serial", "mt-sics-serial", "modbus-scale-rtu"} <= sheets.keys()
    assert [name for name, sheet in sheets.items() if sheet.problem] == []
    assert sheets["modbus-scale-rtu"].required == ("map",)


@pytest.mark.parametrize(
    ("driver", "settings"),
    [
        pytest.param("no-such-driver", {}, id="no-driver"),
        pytest.param("scanner-serial", {"port": "/dev/null"}, id="no-probe"),
    ],
)
def test_what_cannot_be_probed_says_nothing(driver, settings):
    assert probe_device(driver, settings) == ""
