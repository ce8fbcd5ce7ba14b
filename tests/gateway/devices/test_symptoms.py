"""A device that works badly is degraded, and is well again by itself. Pure."""

from decimal import Decimal

import pytest

from drivers.readings import BarcodeScanned, DeviceFault, PrinterStatus, WeightMeasured
from gateway.devices.symptoms import SECOND_NS, Symptoms

SCAN = BarcodeScanned("]C1", "0112345", b"]C10112345\r")
WEIGHT = WeightMeasured(Decimal("1.5"), "KGM", "gross", stable=True, raw=b"")


def said(symptoms: Symptoms, *codes: str, at_s: float = 0.0, every_s: float = 0.0) -> None:
    for number, code in enumerate(codes):
        symptoms.note([DeviceFault(code, "x")], ns(at_s + number * every_s))


def ns(seconds: float) -> int:
    return int(seconds * SECOND_NS)


@pytest.fixture
def scanner() -> Symptoms:
    symptoms = Symptoms()
    symptoms.opened()
    symptoms.note([SCAN], 0)
    return symptoms


@pytest.mark.parametrize("code", ["unreadable", "scan_again"])
def test_five_within_a_minute_are_a_symptom_and_four_are_not(scanner, code) -> None:
    said(scanner, *[code] * 4)
    assert scanner.worst(ns(1)) == ""
    said(scanner, code, at_s=59)
    assert scanner.worst(ns(59)) == code
    assert scanner.worst(ns(60)) == ""


def test_five_within_an_hour_are_none(scanner) -> None:
    said(scanner, *["unreadable"] * 30, every_s=20)
    assert scanner.worst(ns(600)) == ""


def test_a_device_of_which_nothing_could_ever_be_read_has_the_wrong_driver() -> None:
    symptoms = Symptoms()
    symptoms.opened()
    said(symptoms, *["unreadable"] * 9, every_s=20)
    assert symptoms.worst(ns(400)) == ""
    said(symptoms, "unreadable", at_s=400)
    assert symptoms.worst(ns(500)) == "wrong_driver"
    symptoms.note([SCAN], ns(501))
    assert symptoms.worst(ns(501)) == ""


def test_a_scale_whose_own_faults_are_understood_has_the_right_driver() -> None:
    symptoms = Symptoms()
    said(symptoms, "overload", *["unreadable"] * 20)
    assert symptoms.worst(ns(1)) == "unreadable"


def test_a_device_that_was_understood_since_it_was_opened_has_the_right_driver(scanner) -> None:
    said(scanner, *["unreadable"] * 50)
    assert scanner.worst(ns(1)) == "unreadable"
    scanner.opened()
    said(scanner, *["unreadable"] * 10, at_s=2)
    assert scanner.worst(ns(3)) == "wrong_driver"


@pytest.mark.parametrize("code", ["overload", "underload", "not_ready"])
def test_a_scale_without_a_weight_for_ten_seconds_is_degraded_until_it_has_one(code) -> None:
    symptoms = Symptoms()
    said(symptoms, *[code] * 20, every_s=0.5)
    assert symptoms.worst(ns(9.9)) == ""
    assert symptoms.worst(ns(10)) == code
    symptoms.note([WEIGHT], ns(11))
    assert symptoms.worst(ns(30)) == ""


def test_a_scale_that_is_loaded_too_much_now_and_then_is_well() -> None:
    symptoms = Symptoms()
    for second in range(60):
        symptoms.note([WEIGHT if second % 5 == 0 else DeviceFault("overload", "")], ns(second))
        assert symptoms.worst(ns(second)) == ""


def test_a_scale_without_zero_is_degraded_at_once() -> None:
    symptoms = Symptoms()
    said(symptoms, "zero_error")
    assert symptoms.worst(0) == "zero_error"


@pytest.mark.parametrize(("code", "held_s"), [("reader_error", 600), ("reads_lost", 60)])
def test_what_a_reader_tells_once_is_a_symptom_for_a_while(code, held_s) -> None:
    symptoms = Symptoms()
    said(symptoms, code)
    symptoms.note([SCAN], 1)
    assert symptoms.worst(ns(held_s) - 1) == code
    assert symptoms.worst(ns(held_s)) == ""


def test_a_printer_that_is_low_on_paper_says_so_itself() -> None:
    symptoms = Symptoms()
    symptoms.note_status(PrinterStatus(("ready",), warnings=("paper_low",)))
    assert symptoms.worst(0) == "paper_low"
    symptoms.note_status(PrinterStatus(("ready",)))
    assert symptoms.worst(0) == ""


def test_a_device_lost_three_times_within_ten_minutes_is_unsteady() -> None:
    symptoms = Symptoms()
    for second in (100, 200, 300):
        assert symptoms.worst(ns(second)) == ""
        symptoms.lost(ns(second))
        symptoms.opened()
    assert symptoms.worst(ns(699)) == "unsteady"
    assert symptoms.worst(ns(700)) == ""
