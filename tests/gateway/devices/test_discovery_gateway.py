"""Plug in, claim, unplug, plug in elsewhere: a whole gateway on the kernel that umockdev plays."""

import ctypes
import gc
import json
import subprocess
import sys

import pytest

from drivers.candidates import Candidate
from gateway.devices.kernel_devices import KernelDevices
from tests.gateway.devices.mocked_machine import MockedMachine
from tests.gateway.devices.served_gateway import CONFIGURATION, served_gateway
from tests.waiting import wait_for, within

BACK_S_MAX = 2.0  # From the kernel's event to ready: what is promised.
TEA = "6901234567892"
QUICK = 0.5
# HID 1.11, appendix E.6 (its first items), and the usage of a bar code scanner (page 8C).
KEYBOARD = bytes.fromhex("05010906a101c0")
EVERY_KEY = "8000000000000000 " * 11 + "fffffffffffffffe"  # 768 bits, the most that Linux has.
POS_SCANNER = bytes.fromhex("058c0902a101c0")


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    """One machine and one gateway for all tests that use ports and names of their own."""
    with MockedMachine() as machine:
        folder = tmp_path_factory.mktemp("gateway")
        with served_gateway(folder, machine, sweep_interval_s=QUICK) as gateway:
            yield machine, gateway


def ready(gateway, name):
    wait_for(lambda: gateway.state(name) == "ready", what=f"{name} ready")


def test_a_claimed_adapter_is_back_within_two_seconds_on_any_port_and_node(floor):
    machine, gateway = floor
    line = machine.plug_serial("ttyUSB0", port="1", serial="A50285BI")
    said = gateway.claim("/dev/ttyUSB0", "scanner-serial", "door-scanner")
    assert said == {"kind": "success", "text": "door-scanner is in service."}
    ready(gateway, "door-scanner")
    gateway.scan_until_seen(line, "FIRST-1")
    machine.unplug("ttyUSB0", port="1")
    wait_for(lambda: gateway.state("door-scanner") == "offline", what="offline")
    # Another one takes the number that has become free: it is not opened in its stead.
    stranger = machine.plug_serial("ttyUSB0", port="1", serial="ZZ999999")
    wait_for(lambda: gateway.found("/dev/ttyUSB0"), what="the stranger offered")
    assert gateway.state("door-scanner") == "offline"
    gateway.scan(stranger, "STRANGER-1")
    line = machine.plug_serial("ttyUSB5", port="8.4", serial="A50285BI", event=False)
    with within(BACK_S_MAX, what="the way back", also=gateway.pid):
        machine.event(machine.path("ttyUSB5", port="8.4"), "add")
        ready(gateway, "door-scanner")
    gateway.scan_until_seen(line, "SECOND-1")
    assert "STRANGER-1" not in gateway.codes()
    lines = [one["event"] for one in gateway.log() if one.get("device") == "door-scanner"]
    assert lines == ["device claimed", "device lost", "device back"]


def test_two_without_serial_number_are_each_known_by_its_port(floor):
    machine, gateway = floor
    cheap = {"vendor": "1a86", "product": "7523", "name": "USB2.0-Serial"}
    first = machine.plug_serial("ttyUSB10", port="2.1", **cheap)
    machine.plug_serial("ttyUSB11", port="2.2", **cheap)
    one = wait_for(lambda: gateway.found("/dev/ttyUSB10"), what="offered")
    other = wait_for(lambda: gateway.found("/dev/ttyUSB11"), what="offered")
    assert one["key"] != other["key"]
    assert "always into this same port" in one["note"]
    gateway.claim("/dev/ttyUSB10", "scanner-serial", "left-scanner")
    ready(gateway, "left-scanner")
    gateway.scan_until_seen(first, "LEFT-1")
    machine.unplug("ttyUSB10", port="2.1")
    machine.unplug("ttyUSB11", port="2.2")
    # Plugged in again in the other order: the numbers change places, the ports do not.
    machine.plug_serial("ttyUSB10", port="2.2", **cheap)
    left = machine.plug_serial("ttyUSB11", port="2.1", **cheap)
    ready(gateway, "left-scanner")
    gateway.scan_until_seen(left, "LEFT-2")
    assert gateway.found("/dev/ttyUSB10")["key"] == other["key"]


def test_a_twin_with_the_same_serial_number_takes_nothing_over(floor):
    machine, gateway = floor
    first = machine.plug_serial("ttyUSB20", port="3.1", serial="SAME7777")
    gateway.claim("/dev/ttyUSB20", "scanner-serial", "twin-scanner")
    ready(gateway, "twin-scanner")
    machine.plug_serial("ttyUSB21", port="3.2", serial="SAME7777")
    twin = wait_for(lambda: gateway.found("/dev/ttyUSB21"), what="the twin offered")
    assert "same serial number" in twin["note"] and ":port:" in twin["key"]
    gateway.scan_until_seen(first, "TWIN-1")
    machine.unplug("ttyUSB20", port="3.1")
    wait_for(lambda: gateway.state("twin-scanner") == "offline", what="offline")
    claimed = {one["name"]: one for one in gateway.get("api/v1/devices")["claimed"]}
    assert claimed["twin-scanner"]["state"] == "ambiguous"
    assert gateway.found("/dev/ttyUSB21")["key"] == twin["key"]


def test_a_sweep_makes_good_what_events_have_missed(floor):
    machine, gateway = floor
    machine.plug_serial("ttyUSB30", port="4", serial="LOST0001", event=False)
    wait_for(lambda: gateway.found("/dev/ttyUSB30"), what="found by a sweep")
    machine.unplug("ttyUSB30", port="4", event=False)
    wait_for(lambda: not gateway.found("/dev/ttyUSB30"), what="missed by two sweeps")


def test_a_new_scanner_claims_itself_by_the_code_on_the_screen_and_records_nothing_else(floor):
    machine, gateway = floor
    line = machine.plug_serial("ttyACM0", port="5", serial="SC771234", name="Acme Barcode Scanner")
    code = wait_for(lambda: gateway.get("api/v1/devices")["scanner_code"], what="its code")
    gateway.scan(line, TEA)
    notice = "Nothing was recorded: claim this scanner first"
    wait_for(lambda: notice in gateway.get("api/v1/devices")["notice"], what="the notice")
    assert TEA not in gateway.codes()
    gateway.scan(line, code)
    ready(gateway, "dock-2-scanner")
    gateway.scan_until_seen(line, TEA)
    assert gateway.get("api/v1/devices")["scanner_code"] == ""


def test_a_working_scanner_claims_another_device_by_its_code_once(floor):
    machine, gateway = floor
    line = machine.plug_serial("ttyUSB40", port="6", serial="WORKS123")
    gateway.claim("/dev/ttyUSB40", "scanner-serial", "working-scanner")
    ready(gateway, "working-scanner")
    machine.plug_serial("ttyUSB41", port="7", serial="NEW77123")
    one = wait_for(lambda: gateway.found("/dev/ttyUSB41"), what="offered")
    gateway.scan_until_seen(line, one["code"])
    ready(gateway, one["name"])
    gateway.scan(line, one["code"])
    wait_for(
        lambda: "old or used" in gateway.get("api/v1/state")["scans"][0]["signal"]["text"],
        what="the code refused",
    )
    assert gateway.post("api/v1/releases", {"name": one["name"]})["kind"] == "success"
    assert gateway.state(one["name"]) == ""
    wait_for(lambda: gateway.found("/dev/ttyUSB41"), what="offered again")


def test_a_wrong_driver_is_noticed_before_the_claim_and_may_be_insisted_on(floor):
    machine, gateway = floor
    machine.plug_serial("ttyUSB50", port="9", serial="MUTE1234")
    said = gateway.claim("/dev/ttyUSB50", "mt-sics-serial", "mute-scale")
    assert said["kind"] == "error"
    assert "does not answer as mt-sics-serial: switch it on" in said["text"]
    one = gateway.found("/dev/ttyUSB50")
    taken = gateway.post("api/v1/claims", {"key": one["key"], "name": "mute-scale", "driver": "no"})
    assert "No driver is chosen" in taken["text"]
    wish = {"key": one["key"], "driver": "mt-sics-serial", "name": "mute-scale", "force": True}
    assert gateway.post("api/v1/claims", {**wish, "name": "mute scale"})["kind"] == "error"
    assert gateway.post("api/v1/claims", wish)["kind"] == "success"
    again = gateway.post("api/v1/claims", wish)
    assert "not there any more" in again["text"]


def test_claims_outlive_the_gateway_and_are_listed_and_released_without_it(tmp_path):
    with MockedMachine() as machine:
        machine.plug_serial("ttyUSB0", port="1", serial="A50285BI")
        with served_gateway(tmp_path, machine) as gateway:
            gateway.claim("/dev/ttyUSB0", "scanner-serial", "door-scanner")
        machine.unplug("ttyUSB0", port="1")
        line = machine.plug_serial("ttyUSB3", port="2", serial="A50285BI")
        with served_gateway(tmp_path, machine) as gateway:
            ready(gateway, "door-scanner")
            gateway.scan_until_seen(line, TEA)

        def command(*words):
            return subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "gateway",
                    "devices",
                    *words,
                    "--config",
                    str(tmp_path / "gateway.toml"),
                ],
                env=machine.environment,
                capture_output=True,
                text=True,
                check=False,
            )

        listed = command("--json").stdout
        assert '"state":"claimed"' in listed and '"node":"/dev/ttyUSB3"' in listed
        assert command("release", "door-scanner").returncode == 0
        key = "serial:usb:0403:6001:A50285BI:00"
        assert command("claim", key, "--driver", "scanner-serial").returncode == 0
        assert '"dock-2-scanner"' in (tmp_path / "data" / "devices.json").read_text()


def test_a_device_that_is_opened_again_and_again_loads_no_library_again():
    kernel, gone = KernelDevices(), Candidate("serial", "/dev/ttyUSB999")
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(one, ctypes.CDLL) for one in gc.get_objects())
        assert [kernel.read_again(gone) for _ in range(20)] == [None] * 20
        assert sum(isinstance(one, ctypes.CDLL) for one in gc.get_objects()) == before
    finally:
        gc.enable()


def test_every_kind_of_device_is_described_and_what_is_none_is_not_listed(tmp_path):
    (tmp_path / "gateway.toml").write_text(CONFIGURATION.format(sweep_interval_s=1))
    with MockedMachine() as machine:
        machine.plug_hid("hidraw0", port="1", descriptor=POS_SCANNER, serial="P7712345")
        machine.plug_hid(
            "hidraw1", port="2", descriptor=KEYBOARD, keys=EVERY_KEY, serial="K7712345"
        )
        machine.plug_printer("lp0", port="3", serial="Z7712345", vendor="0a5f", product="0166")
        machine.plug_serial("ttyUSB0", port="4.1", vendor="1a86", product="7523")
        machine.add_serial_without_chip("ttyS0")
        shown = subprocess.run(
            [
                sys.executable,
                "-m",
                "gateway",
                "devices",
                "--json",
                "--config",
                str(tmp_path / "gateway.toml"),
            ],
            env=machine.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    listed = {one["key"]: one for one in map(json.loads, shown.splitlines())}
    assert sorted(listed) == [
        "hidraw:usb:0403:6001:P7712345:00",
        "keyboard:usb:0403:6001:K7712345:00",
        "serial:port:pci-0000:00:14.0-usb-0:4.1:1.0:1a86:7523",
        "usb_printer:usb:0a5f:0166:Z7712345:00",
    ]
    keyboard = listed["keyboard:usb:0403:6001:K7712345:00"]
    assert (keyboard["node"], keyboard["title"]) == ("/dev/input/event5", "Acme Barcode Scanner")
    assert keyboard["drivers"][0] == "scanner-evdev"
    assert listed["hidraw:usb:0403:6001:P7712345:00"]["drivers"][0] == "scanner-hidraw"
    assert listed["usb_printer:usb:0a5f:0166:Z7712345:00"]["node"] == "/dev/usb/lp0"
