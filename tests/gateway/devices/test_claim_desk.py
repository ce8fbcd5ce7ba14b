"""The desk: what is offered, claimed, refused and told. Edge of a temporary folder."""

from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from threading import Timer

import pytest

from drivers.candidates import Candidate
from drivers.errors import DeviceLost
from drivers.readings import DeviceFault, PrinterStatus, WeightMeasured
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from gateway.config_sections import DeviceSection
from gateway.devices.binding_codes import CODE_LIFE_NS
from gateway.devices.check import ConfiguredDevice
from gateway.devices.claim_trial import trial
from gateway.devices.claims import CLAIMS_FILE
from gateway.devices.discovery import DriverSheet
from gateway.station.claiming import ClaimRequest
from gateway.station.messages import render
from tests.gateway.devices.claim_bench import ClaimBench, usb_serial
from tests.gateway.devices.scripted import NoSettings, ScriptedPrinter, ScriptedReader
from tests.waiting import until

NUMBER = "serial:usb:0403:6001:A50285BI:00"


def words(signal):
    return signal.kind, render(signal.message, language="en", translate=str)


def scale_at(path):
    return usb_serial(str(path), "A50285BI", "p1")


@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        pytest.param(
            DeviceFault("overload", "too much", b""), "answers", id="overload-is-an-answer"
        ),
        pytest.param(
            WeightMeasured(Decimal(1), "KGM", "gross", stable=True, raw=b"1"),
            "answers",
            id="weight",
        ),
    ],
)
def test_a_scale_that_says_anything_of_its_own_answers(says, outcome):
    reader = ScriptedReader("scale")
    reader.say(says)
    section = DeviceSection(name="scale", driver="scripted")
    assert trial(ConfiguredDevice(section, reader.driver, NoSettings())) == outcome
    assert reader.closes_count == 1


@pytest.mark.parametrize(
    ("condition", "outcome"), [("silent", "mute"), ("paper_out", "answers"), ("ready", "answers")]
)
def test_a_printer_that_is_not_silent_answers(condition, outcome):
    printer = ScriptedPrinter()
    printer.now = PrinterStatus((condition,))
    section = DeviceSection(name="printer", driver="scripted")
    assert trial(ConfiguredDevice(section, printer.driver, NoSettings())) == outcome


def test_a_device_that_is_still_being_given_back_is_waited_for(tmp_path):
    driver = load_driver("scanner-serial")
    with VirtualSerialLine(tmp_path / "tty"):
        settings = driver.parse_settings({"port": str(tmp_path / "tty")})
        device = ConfiguredDevice(DeviceSection(name="x", driver=driver.name), driver, settings)
        in_use = driver.open_device(settings)
        with pytest.raises(DeviceLost, match="lock"):
            trial(device)
        closing_soon = Timer(0.3, in_use.close)
        closing_soon.start()
        assert trial(device) == "answers"
        closing_soon.join()


@pytest.fixture
def bench(tmp_path):
    made = ClaimBench(tmp_path)
    yield made
    made.desk.stop()


def test_a_scale_that_answers_is_claimed_and_served_where_it_is(bench, tmp_path):
    with VirtualSerialLine(tmp_path / "tty") as line, VirtualMtSicsScale(line):
        bench.plug(scale_at(tmp_path / "tty"))
        said = bench.desk.claim(ClaimRequest(NUMBER, driver="mt-sics-serial"))
        assert words(said) == ("success", "dock-2-scale is in service.")
        (device,) = bench.floor.devices
        assert (device.section.name, device.identity) == ("dock-2-scale", NUMBER)
        with closing(device.driver.open_device(device.settings)):
            pass
        bench.plug(sweeps_count=2)
        with pytest.raises(DeviceLost, match="absent") as lost:
            device.driver.open_device(device.settings)
        assert "Plug the device in" in lost.value.hint
        bench.plug(scale_at(tmp_path / "tty"))
        assert bench.floor.woken == ["dock-2-scale"]


def test_what_took_the_node_of_a_claimed_device_is_not_opened(bench, tmp_path):
    bench.plug(scale_at(tmp_path / "tty"))
    bench.desk.claim(ClaimRequest(NUMBER, driver="mt-sics-serial", force=True))
    (device,) = bench.floor.devices
    # The kernel gave the node away, and neither event nor sweep has told yet.
    bench.present = {str(tmp_path / "tty"): usb_serial(str(tmp_path / "tty"), "OTHER999", "p1")}
    with pytest.raises(DeviceLost, match="absent"):
        device.driver.open_device(device.settings)


def test_the_twin_that_took_the_node_of_a_claimed_device_is_not_opened(bench, tmp_path):
    ours, node = scale_at(tmp_path / "tty"), str(tmp_path / "tty")
    bench.plug(ours)
    bench.desk.claim(ClaimRequest(NUMBER, driver="mt-sics-serial", force=True))
    bench.plug(ours, usb_serial("/dev/ttyUSB1", "A50285BI", "p2"))
    (device,) = bench.floor.devices
    # Ours was pulled, its twin got its number, and neither event nor sweep has told yet.
    bench.present = {node: usb_serial(node, "A50285BI", "p2")}
    with pytest.raises(DeviceLost, match="absent"):
        device.driver.open_device(device.settings)


def test_a_claimed_device_that_only_sweeps_see_at_another_node_is_woken(bench, tmp_path):
    bench.plug(scale_at(tmp_path / "tty"))
    bench.desk.claim(ClaimRequest(NUMBER, driver="mt-sics-serial", name="scale", force=True))
    bench.plug(usb_serial("/dev/ttyUSB1", "A50285BI", "p1"), sweeps_count=2)
    assert bench.bindings.where(NUMBER).candidate.node == "/dev/ttyUSB1"
    assert bench.floor.woken == ["scale"]
    assert bench.troubles() == set()


@pytest.mark.parametrize(
    ("request_fields", "answer"),
    [
        pytest.param({"driver": "mt-sics-serial", "name": "a b"}, "a b is no name", id="name"),
        pytest.param({"driver": "mt-sics-serial", "name": "taken"}, "called taken", id="taken"),
        pytest.param({"driver": "modbus-scale-rtu"}, "needs settings (map)", id="settings-missing"),
        pytest.param({"driver": "no-such"}, "No driver is chosen", id="unknown-driver"),
        pytest.param(
            {"driver": "mt-sics-serial", "settings": {"baud": 1}}, "cannot be used", id="settings"
        ),
        pytest.param({"driver": "mt-sics-serial"}, "cannot be opened", id="does-not-open"),
    ],
)
def test_a_claim_is_refused_with_what_to_do(tmp_path, request_fields, answer):
    configured = ConfiguredDevice(
        DeviceSection(name="taken", driver="scripted"), ScriptedReader().driver, NoSettings()
    )
    bench = ClaimBench(tmp_path, [configured])
    bench.plug(scale_at(tmp_path / "missing"))
    kind, text = words(bench.desk.claim(ClaimRequest(NUMBER, **request_fields)))
    assert kind == "error" and answer in text
    assert not (tmp_path / CLAIMS_FILE).exists()
    assert bench.floor.devices == []


def test_a_device_of_the_configuration_is_woken_and_never_offered(tmp_path):
    link = tmp_path / "by-id"
    node = tmp_path / "ttyUSB0"
    node.touch()
    link.symlink_to(node)
    driver = load_driver("scanner-serial")
    section = DeviceSection(name="door", driver=driver.name, settings={"port": str(link)})
    configured = ConfiguredDevice(section, driver, driver.parse_settings(section.settings))
    bench = ClaimBench(tmp_path, [configured])
    bench.plug(usb_serial(str(node), "A50285BI"), usb_serial("/dev/ttyUSB9", "B50285BI"))
    assert [one.where for one in bench.desk.device_list().found] == ["/dev/ttyUSB9"]
    assert bench.floor.woken == ["door"]


def test_what_is_wrong_is_told_until_it_is_mended(bench):
    twins = (usb_serial("/dev/ttyUSB0"), usb_serial("/dev/ttyUSB1"))
    unknown = Candidate(
        "hidraw", "/dev/hidraw0", vendor_id=1, product_id=2, product="UPS", port_path="p9"
    )
    keyboard = Candidate("keyboard", "/dev/input/event1", vendor_id=1, product_id=3, port_path="p8")
    chip = Candidate("gpio", "/dev/gpiochip0", port_path="soc/gpio")
    bench.plug(*twins, unknown, keyboard, chip, usb_serial("/dev/ttyUSB2", "A50285BI"))
    assert bench.troubles() == {
        ("two_alike", "USB Serial"),
        ("no_driver", "UPS"),
        ("unclaimed", "USB Serial"),
    }
    refused = [one for one in bench.desk.device_list().found if not one.key]
    assert [one.where for one in refused] == ["/dev/ttyUSB0", "/dev/ttyUSB1"]
    bench.plug(chip, keyboard, sweeps_count=2)
    assert bench.troubles() == set()


def test_a_damaged_file_of_claims_is_told_and_stops_nothing(tmp_path):
    (tmp_path / CLAIMS_FILE).write_text("{")
    bench = ClaimBench(tmp_path)
    assert bench.troubles() == {("claims_damaged", "devices.json")}
    assert bench.desk.devices() == []


def test_a_claim_whose_driver_is_gone_is_listed_and_can_be_released(tmp_path):
    (tmp_path / CLAIMS_FILE).write_text(
        '{"version":1,"claims":[{"name":"old","driver":"gone-driver","identity":"serial:port:p"}]}'
    )
    bench = ClaimBench(tmp_path)
    (one,) = bench.desk.device_list().claimed
    assert (one.name, one.state) == ("old", "unusable")
    assert bench.desk.devices() == []
    assert bench.desk.release("old").kind == "success"
    assert bench.desk.device_list().claimed == ()
    assert bench.desk.release("old").kind == "error"


def test_a_scanned_code_claims_once_and_expires(bench, tmp_path):
    with VirtualSerialLine(tmp_path / "tty") as line, VirtualMtSicsScale(line):
        bench.plug(scale_at(tmp_path / "tty"))
        (found,) = bench.desk.device_list().found
        assert found.choices[0].name == "scanner-serial", "the best match is offered first"
        bench.clock.elapsed_ns = CODE_LIFE_NS
        assert words(bench.desk.scanned(found.code))[0] == "error"
        bench.desk.refresh()
        code = bench.desk.device_list().found[0].code
        assert words(bench.desk.scanned(code, station="dock-3"))[0] == "warning"
        until(lambda: bench.floor.devices, "claimed")
        assert bench.floor.devices[0].section.name == "dock-3-scanner", "of where it was scanned"
        assert words(bench.desk.scanned(code)) == (
            "error",
            "This code is old or used: scan the one on the screen now.",
        )


def test_a_code_of_a_device_that_no_driver_knows_any_more_claims_nothing(bench, tmp_path):
    bench.plug(scale_at(tmp_path / "tty"))
    code = bench.desk.device_list().found[0].code
    bench.bindings.set_sheets(())
    assert words(bench.desk.scanned(code))[0] == "error"


def test_a_driver_that_cannot_be_loaded_is_not_claimed_even_if_insisted_on(bench, tmp_path):
    bench.plug(scale_at(tmp_path / "tty"))
    bench.bindings.set_sheets([DriverSheet("broken", problem="RuntimeError: no licence")])
    said = bench.desk.claim(ClaimRequest(NUMBER, driver="broken", force=True))
    assert words(said) == ("error", "No driver is chosen: choose one on the page of devices.")


def test_a_code_is_used_up_also_when_the_device_cannot_be_claimed(bench, tmp_path):
    bench.plug(scale_at(tmp_path / "missing"))
    code = bench.desk.device_list().found[0].code
    assert words(bench.desk.scanned(code))[0] == "warning"
    until(lambda: bench.desk.device_list().notice, "the outcome")
    assert "cannot be opened" in bench.desk.device_list().notice.text
    assert words(bench.desk.scanned(code))[0] == "error"
    assert bench.desk.device_list().found[0].code not in {"", code}


def test_a_printer_that_got_the_address_of_a_claimed_one_is_not_printed_on(bench):
    ours = Candidate("network", "192.0.2.7", tcp_port=9100, reader_id="00:07:4d:11:22:33")
    identity = "network:reader:00:07:4d:11:22:33:9100"
    bench.plug(ours)
    bench.desk.claim(ClaimRequest(identity, driver="zpl-tcp", force=True))
    (device,) = bench.floor.devices
    assert bench.bindings.where(device.identity).candidate == ours
    bench.present = {ours.node: replace(ours, reader_id="00:07:4d:44:55:66")}
    with pytest.raises(DeviceLost, match="absent"):
        device.driver.open_device(device.settings)


def test_a_network_printer_is_bound_to_its_address_without_being_found(tmp_path):
    identity = "network:address:192.0.2.7:9100"
    (tmp_path / CLAIMS_FILE).write_text(
        '{"version":1,"claims":[{"name":"far","driver":"scanner-tcp",'
        f'"identity":"{identity}"}}]}}'
    )
    bench = ClaimBench(tmp_path)
    bound = bench.bindings.where(identity)
    assert (bound.state, bound.candidate.node, bound.candidate.tcp_port) == (
        "present",
        "192.0.2.7",
        9100,
    )
    assert bench.desk.uses("192.0.2.7", 9100)
    assert not bench.desk.uses("192.0.2.7", 9101)
