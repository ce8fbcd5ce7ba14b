"""A release that was given up is told to people and to central, and forgotten when mended. Edge."""

import json

import pytest

from gateway.health import Health
from gateway.update_report import FailedRelease, tell_failed_release


def subjects(health):
    return [one.subject for one in health.troubles() if one.problem == "update_failed"]


def test_a_failed_release_is_a_trouble_until_another_word_comes(tmp_path):
    report, health = tmp_path / "report.json", Health()
    said = {"failed_version": "1.2.0", "failed_reason": "it does not answer", "failed_at_s": 7}
    report.write_text(json.dumps(said), encoding="utf-8")
    assert tell_failed_release(health, report=report) == FailedRelease(
        "1.2.0", "it does not answer", 7000
    )
    assert subjects(health) == ["1.2.0"]
    assert health.troubles()[0].since_ms == 7000
    report.write_text(json.dumps(said | {"failed_version": "1.3.0"}), encoding="utf-8")
    assert tell_failed_release(health, report=report).version == "1.3.0"
    assert subjects(health) == ["1.3.0"]
    report.write_text(json.dumps(said | {"failed_version": ""}), encoding="utf-8")
    assert tell_failed_release(health, report=report) == FailedRelease()
    assert subjects(health) == []


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b'{"failed_version": "<script>"}', b'{"failed_version": 1}']
)
def test_a_report_that_cannot_be_read_tells_nothing(tmp_path, data):
    report = tmp_path / "report.json"
    report.write_bytes(data)
    assert tell_failed_release(Health(), report=report) == FailedRelease()


def test_without_an_agent_nothing_is_told(tmp_path):
    assert tell_failed_release(Health(), report=tmp_path / "nothing") == FailedRelease()
