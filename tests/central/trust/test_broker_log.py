"""The broker's log is read once, whole, and takes no room, whatever becomes of its file."""

import os
from pathlib import Path

import pytest

from central.access.refusals import Refusals
from central.errors import TrustUnusable
from central.trust.broker_ear import BrokerEar
from central.trust.broker_log import HINT_HOLES, HINT_THERE, READ_BYTES_MAX, BrokerLog
from central.trust.broker_words import BrokerWords
from tests.waiting import wait_for

DENIED = b"1795409181: Denied PUBLISH from gw-a (d0, q1, r0, m1, 'x', ... (1 bytes))\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log"


def say(path, data):
    """Append as mosquitto does, whose standard error is opened so."""
    with path.open("ab") as file:
        file.write(data)


def everything(log):
    return b"".join(iter(log.read, b""))


def test_lines_are_read_once_and_take_no_room(path):
    lines = b"a line of the broker\n" * 20_000
    say(path, lines)
    log = BrokerLog(path)
    assert everything(log) == lines
    assert path.stat().st_blocks * 512 <= 4096
    say(path, b"more\n")
    assert everything(log) == b"more\n"
    assert log.read() == b""


def test_half_a_line_waits_for_its_end(path):
    say(path, b"one\nhal")
    log = BrokerLog(path)
    assert everything(log) == b"one\n"
    say(path, b"f\n")
    assert everything(log) == b"half\n"


def test_the_next_process_goes_on_where_the_last_one_was(path):
    say(path, b"x" * 5000 + b"\n" + b"y" * 100 + b"\nhal")
    assert len(everything(BrokerLog(path))) == 5102
    say(path, b"f\nmore\n")
    log = BrokerLog(path)
    assert everything(log) == b"half\nmore\n"
    assert everything(BrokerLog(path)) == b""


def test_a_file_that_is_made_anew_is_read_after_the_rest_of_the_old_one(path):
    log = BrokerLog(path)
    say(path, b"first\n")
    assert everything(log) == b"first\n"
    with path.open("ab") as old:
        path.unlink()
        say(path, b"new\n")
        old.write(b"last words\n")
        old.flush()
        assert log.read() == b"last words\n"
    assert log.read() == b"new\n"


def test_a_file_that_is_cut_off_is_read_from_its_new_beginning(path):
    log = BrokerLog(path)
    say(path, b"a line\n" * 100)
    everything(log)
    os.truncate(path, 0)
    say(path, b"again\n")
    assert everything(log) == b"again\n"


def test_what_is_no_line_costs_no_more_than_one_read(path):
    say(path, b"z" * (READ_BYTES_MAX + 10))
    log = BrokerLog(path)
    assert len(log.read()) == READ_BYTES_MAX
    say(path, b"\nword\n")
    assert everything(log) == b"zzzzzzzzzz\nword\n"


@pytest.mark.parametrize("kind", ["missing", "a link"])
def test_what_cannot_be_read_is_told_with_what_to_do(path, tmp_path, kind):
    if kind == "a link":
        (tmp_path / "elsewhere").write_bytes(b"not ours\n")
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrustUnusable, match="cannot be read") as caught:
        BrokerLog(path).read()
    assert caught.value.hint == HINT_THERE


def test_what_has_no_holes_is_told():
    with pytest.raises(TrustUnusable) as caught:
        BrokerLog(Path("/dev/zero")).read()
    assert caught.value.hint == HINT_HOLES


def test_a_log_that_comes_late_is_heard_and_a_flood_is_counted_as_one(path, caplog):
    refusals = Refusals()
    ear = BrokerEar(BrokerLog(path), BrokerWords(site="demo"), refusals, turn_s=0.01)
    ear.start()
    try:
        wait_for(lambda: "the broker is not heard" in caplog.text, what="a word about it")
        say(path, DENIED * 30_000)
        wait_for(lambda: refusals.totals()["broker_publish"] == 30_000, what="all of them")
        assert ear.alive()
    finally:
        ear.stop()
    assert not ear.alive()
    assert caplog.text.count("the broker is not heard") == 1
    assert len(refusals._waiting) == 1
