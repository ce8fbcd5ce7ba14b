"""Everything that can be wrong is a task for a person, and is gone when it is mended. Pure."""

from typing import get_args

import pytest

from central.contract.states import DeviceProblem
from drivers.readings import FaultCode
from gateway.health import DeviceHealth, Health, InstallationProblem, InstallationTrouble
from gateway.screen.translation import translator
from gateway.station.messages import render
from gateway.station.repairs import (
    DEVICE_SEVERITIES,
    INSTALLATION_SEVERITIES,
    repairs,
    tell_broken_templates,
)
from gateway.station.templates.model import TemplateFault

DEVICE_PROBLEMS = sorted(set(get_args(DeviceProblem)) - {""})


def sentence(repair, language: str) -> str:
    return render(repair.message, language=language, translate=translator(language))


@pytest.mark.parametrize("problem", DEVICE_PROBLEMS)
def test_every_problem_of_a_device_is_a_repair_with_a_sentence_in_both_languages(problem) -> None:
    (repair,) = repairs([DeviceHealth("dock-1-scale", "scale", "fault", problem, "why", 7)], [])
    assert (repair.id, repair.subject) == (f"dock-1-scale/{problem}", "dock-1-scale")
    assert (repair.since_ms, repair.detail) == (7, "why")
    english, chinese = sentence(repair, "en"), sentence(repair, "zh")
    assert "{" not in english + chinese
    assert any("一" <= letter <= "鿿" for letter in chinese)


@pytest.mark.parametrize("problem", get_args(InstallationProblem))
def test_every_trouble_of_the_installation_is_a_repair_in_both_languages(problem) -> None:
    (repair,) = repairs([], [InstallationTrouble(problem, "usb-1.4", "why", 7)])
    assert repair.id == f"usb-1.4/{problem}"
    english, chinese = sentence(repair, "en"), sentence(repair, "zh")
    assert "{" not in english + chinese
    assert any("一" <= letter <= "鿿" for letter in chinese)


def test_every_code_has_a_severity_and_every_fault_code_is_a_problem_a_device_can_have() -> None:
    assert DEVICE_SEVERITIES.keys() == set(DEVICE_PROBLEMS)
    assert INSTALLATION_SEVERITIES.keys() == set(get_args(InstallationProblem))
    assert set(get_args(FaultCode)) <= set(DEVICE_PROBLEMS)


def test_a_device_that_works_needs_no_repair() -> None:
    states = ("ready", "opening", "configured")
    assert repairs([DeviceHealth(state, "scale", state) for state in states], []) == ()


def test_the_gravest_comes_first_then_what_is_wrong_longest() -> None:
    devices = [
        DeviceHealth("locked", "scale", "configured", "locked", since_ms=1),
        DeviceHealth("a-young", "scale", "offline", "lost", since_ms=9),
        DeviceHealth("rubbish", "scanner", "degraded", "unreadable", since_ms=2),
        DeviceHealth("old", "scale", "offline", "silent", since_ms=3),
    ]
    troubles = [InstallationTrouble("two_alike", "scale", since_ms=4)]
    subjects = [repair.subject for repair in repairs(devices, troubles)]
    assert subjects == ["old", "scale", "a-young", "rubbish", "locked"]


def test_a_trouble_told_again_is_as_old_as_before_and_gone_when_cleared() -> None:
    health = Health()
    health.set_trouble(InstallationTrouble("template_broken", "bin", "line 3", since_ms=5))
    health.set_trouble(InstallationTrouble("template_broken", "bin", "line 4", since_ms=9))
    health.set_trouble(InstallationTrouble("template_broken", "pallet", since_ms=9))
    assert [(one.subject, one.since_ms, one.detail) for one in health.troubles()] == [
        ("bin", 5, "line 4"),
        ("pallet", 9, ""),
    ]
    health.clear_trouble("template_broken", "bin")
    health.clear_trouble("template_broken", "bin")
    assert [one.subject for one in health.troubles()] == ["pallet"]


def test_troubles_and_counts_are_bounded_and_a_removed_device_takes_its_own_along() -> None:
    health = Health()
    health.set_device(DeviceHealth("gate", "rfid_reader", "ready"))
    for number in range(5000):
        health.set_trouble(InstallationTrouble("unclaimed", f"usb-{number}"))
        health.count_device("gate", "faults", f"made-up-{number}")
    assert len(health.troubles()) == 64
    assert len(health.device_counts()) == 2048
    health.note_reading("gate", 5, 3)
    health.remove_device("gate")
    assert health.device_counts() == ()
    health.note_reading("gate", 6, 9)
    assert (health.device_counts(), health.last_readings_ns()) == ((), {})
    health.set_device(DeviceHealth("gate", "rfid_reader", "ready"))
    health.note_reading("gate", 7, 2)
    assert [one.count for one in health.device_counts()] == [2]
    assert health.last_readings_ns() == {"gate": 7}


def test_a_broken_template_is_a_repair_until_a_setup_without_it() -> None:
    health = Health()
    faults = [TemplateFault("bin.toml", "line 3", "Write a number.")]
    tell_broken_templates([*faults, TemplateFault("x.toml", "?", "")], health, now_ms=5)
    tell_broken_templates(faults, health, now_ms=9)
    assert [(one.subject, one.since_ms) for one in health.troubles()] == [("bin.toml", 5)]
    health.set_trouble(InstallationTrouble("unclaimed", "usb-1"))
    tell_broken_templates([], health, now_ms=11)
    assert [one.problem for one in health.troubles()] == ["unclaimed"]
