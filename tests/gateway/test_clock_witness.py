"""A gateway that may not ask the kernel believes a witness, as long as it speaks. Edge."""

import os
import subprocess
import sys

import pytest

from gateway.clock import WITNESS_AGE_NS_MAX, SystemClock
from gateway.clock_witness import write_once
from tests.programs import started
from tests.waiting import until


class Forbidden(SystemClock):
    """A clock in a service with ProtectClock=."""

    def kernel_says(self):
        return None


def test_the_witness_says_what_the_kernel_says(tmp_path):
    path = tmp_path / "synced"
    kernel = SystemClock(witness=path)
    write_once(path, kernel)
    assert Forbidden(witness=path).synced() is kernel.synced()


LINES = {
    "disciplined": ("{now} 1\n", True),
    "not disciplined": ("{now} 0\n", False),
    "silent since half a minute": ("{old} 1\n", False),
    "of an earlier boot": ("{later} 1\n", False),
    "empty": ("", False),
    "half a line": ("{now}", False),
    "something else": ("yes 1\n", False),
    "too much": ("1 " * 10_000, False),
}


@pytest.mark.parametrize(("line", "synced"), LINES.values(), ids=LINES)
def test_only_a_fresh_word_counts(tmp_path, line, synced):
    path, clock = tmp_path / "synced", Forbidden(witness=tmp_path / "synced")
    now_ns = clock.monotonic_ns()
    late_ns, old_ns = now_ns + 10**12, now_ns - WITNESS_AGE_NS_MAX - 1
    path.write_text(line.format(now=now_ns, old=old_ns, later=late_ns), encoding="ascii")
    assert clock.synced() is synced


def test_without_a_witness_the_clock_is_not_trusted(tmp_path):
    assert Forbidden(witness=tmp_path / "nobody").synced() is False


def test_the_program_writes_until_it_is_told_to_end(tmp_path):
    path = tmp_path / "synced"
    words = [sys.executable, "-m", "gateway", "watch-clock", "--to", str(path)]
    with started(words) as program:
        until(path.exists, "the first line")
        program.terminate()
        assert program.wait(60) == 0
    said_ns, _ = path.read_text("ascii").split()
    assert int(said_ns) <= SystemClock().monotonic_ns()


FORBID_ADJTIMEX = """
import ctypes, ctypes.util, sys
from pathlib import Path
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(seccomp.seccomp_init(0x7FFF0000))
for name in (b"adjtimex", b"clock_adjtime"):
    number = seccomp.seccomp_syscall_resolve_name(name)
    seccomp.seccomp_rule_add(context, 0x00050001, number, 0)
assert seccomp.seccomp_load(context) == 0
from gateway.clock import SystemClock
clock = SystemClock(witness=Path(sys.argv[1]))
print(clock.kernel_says(), clock.synced())
"""


def test_a_filter_like_that_of_systemd_makes_the_clock_turn_to_the_witness(tmp_path):
    path = tmp_path / "synced"
    path.write_text(f"{SystemClock().monotonic_ns()} 1\n", "ascii")
    shown = subprocess.run(
        [sys.executable, "-c", FORBID_ADJTIMEX, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109
    )
    assert shown.stdout == "None True\n"
