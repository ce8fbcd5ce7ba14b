"""Claims on disk, their codes on the screen, and what a claim refuses."""

import json
import os

import pytest

from gateway.devices.binding_codes import (
    CODE_LIFE_NS,
    LETTERS,
    OVERLAP_NS,
    BindingCodes,
    refreshed,
    without,
)
from gateway.devices.claims import CLAIMS_FILE, ClaimStore
from gateway.errors import ClaimRefused, ClaimsDamaged, ClaimsUnwritable
from gateway.station.claiming import Claim

SCALE = Claim(
    name="dock-2-scale",
    driver="mt-sics-serial",
    identity="serial:usb:0403:6001:A50285BI:00",
    settings={"baud_rate": 4800},
    claimed_at="2026-03-01T08:00:00+00:00",
    by="page",
)


def stored(folder):
    store = ClaimStore(folder)
    store.load()
    return store


def test_a_claim_is_there_after_a_restart_and_released_for_good(tmp_path):
    stored(tmp_path).add(SCALE)
    assert stored(tmp_path).claims == (SCALE,)
    stored(tmp_path).remove("dock-2-scale")
    assert stored(tmp_path).claims == ()
    (path,) = tmp_path.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == (CLAIMS_FILE, 0o600)


@pytest.mark.parametrize(
    ("name", "identity"),
    [("dock-2-scale", "another"), ("another", SCALE.identity)],
    ids=["same-name", "same-device"],
)
def test_two_claims_of_one_name_or_device_are_refused(tmp_path, name, identity):
    store = stored(tmp_path)
    store.add(SCALE)
    with pytest.raises(ClaimRefused):
        store.add(Claim(name=name, driver="mt-sics-serial", identity=identity))
    assert stored(tmp_path).claims == (SCALE,)


def test_what_is_not_claimed_cannot_be_released(tmp_path):
    with pytest.raises(ClaimRefused):
        stored(tmp_path).remove("dock-2-scale")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"version": 2, "claims": []}',
        b'{"version": 1, "claims": [{"name": "x"}]}',
        json.dumps(
            {"version": 1, "claims": [{"name": "x", "driver": "d", "identity": "i"}] * 2}
        ).encode(),
        b" " * (1024 * 1024 + 1),
        b'{"version": 1, "claims": [{"name": "x", "driver": "d", "identity": "i", '
        + b'"settings": {"a": '
        + b"[" * 10_000
        + b"]" * 10_000
        + b"}}]}",
    ],
    ids=["empty", "cut", "not-utf-8", "newer", "field-missing", "same-twice", "huge", "deep"],
)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(tmp_path, data):
    (tmp_path / CLAIMS_FILE).write_bytes(data)
    store = ClaimStore(tmp_path)
    with pytest.raises(ClaimsDamaged, match="kept as"):
        store.load()
    assert store.claims == ()
    store.add(SCALE)
    assert (tmp_path / f"{CLAIMS_FILE}.damaged").read_bytes() == data
    assert stored(tmp_path).claims == (SCALE,)


def test_a_second_damaged_file_does_not_replace_the_first(tmp_path):
    for text in ("first", "second"):
        (tmp_path / CLAIMS_FILE).write_text(text)
        with pytest.raises(ClaimsDamaged):
            ClaimStore(tmp_path).load()
    kept = sorted(path.read_text() for path in tmp_path.iterdir())
    assert kept == ["first", "second"]


def test_a_claim_that_cannot_be_written_is_not_made(tmp_path):
    store = stored(tmp_path / "missing")
    with pytest.raises(ClaimsUnwritable):
        store.add(SCALE)
    assert store.claims == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for another")
def test_what_root_claims_belongs_to_the_user_of_the_gateway(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    ClaimStore(tmp_path).add(SCALE)
    assert (tmp_path / CLAIMS_FILE).stat().st_uid == 65534


def counting():
    number = iter(range(1_000_000))
    return lambda: next(number)


def test_a_code_is_short_readable_and_of_one_device():
    codes = refreshed(BindingCodes(), ["a", "b", "a"], now_ns=0, random=counting())
    shown = [codes.shown(key) for key in ("a", "b")]
    assert len(set(shown)) == 2
    for code, key in zip(shown, ("a", "b"), strict=True):
        assert code[:4] == "BND-" and len(code) == 8 and set(code[4:]) <= set(LETTERS)
        assert codes.key(f" {code.lower()} ", now_ns=1) == key
    assert codes.shown("c") == ""
    assert codes.key("BND-ZZZZ", now_ns=1) == ""


def test_a_code_expires_and_its_successor_is_shown_before():
    random = counting()
    codes = refreshed(BindingCodes(), ["a"], now_ns=0, random=random)
    old = codes.shown("a")
    codes = refreshed(codes, ["a"], now_ns=CODE_LIFE_NS - OVERLAP_NS, random=random)
    new = codes.shown("a")
    assert new != old
    assert {codes.key(code, now_ns=CODE_LIFE_NS - 1) for code in (old, new)} == {"a"}
    assert codes.key(old, now_ns=CODE_LIFE_NS) == ""


def test_a_used_code_is_used_up_and_one_of_a_device_that_is_gone_as_well():
    codes = refreshed(BindingCodes(), ["a", "b"], now_ns=0, random=counting())
    used, gone = codes.shown("a"), codes.shown("b")
    assert without(codes, "a").key(used, now_ns=1) == ""
    assert refreshed(codes, ["a"], now_ns=1, random=counting()).key(gone, now_ns=1) == ""


def test_random_numbers_that_repeat_give_two_devices_two_codes():
    numbers = iter([7, 7, 8])
    codes = refreshed(BindingCodes(), ["a", "b"], now_ns=0, random=lambda: next(numbers))
    assert codes.shown("a") != codes.shown("b")
