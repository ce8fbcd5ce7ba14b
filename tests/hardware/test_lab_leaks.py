"""The lab's eye on leaks finds one of each kind that is planted. Edge of /proc."""

import subprocess
import sys

import pytest

from tests.hardware.in_guest.open_counts import counts_at_rest, grown

# A program that does something once for each line that it reads.
LEAKING = """
import os, socket, sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    {leak}
    print("done", flush=True)
"""
LEAKS = {
    "NETLINK": "kept.append(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15))",
    "TCP": "kept.append(socket.socket())",
    "UDP": "kept.append(socket.socket(type=socket.SOCK_DGRAM))",
    "UNIX-STREAM": "kept.append(socket.socket(socket.AF_UNIX))",
    "pipe": "kept.append(os.pipe())",
    "file": "kept.append(open('/dev/null'))",
    "anon_inode": "kept.append(os.eventfd(0))",
    "": "kept[:] = [socket.socket(), socket.socket(socket.AF_UNIX), open('/dev/null')]",
}
MOMENTS_COUNT, ENDS_COUNT = 4, 2


@pytest.mark.parametrize("kind", LEAKS, ids=lambda kind: kind or "none")
def test_what_is_left_open_each_time_is_found_by_its_kind(kind):
    words = (sys.executable, "-c", LEAKING.format(leak=LEAKS[kind]))
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        assert child.stdout.readline() == "ready\n"
        moments = []
        for _ in range(MOMENTS_COUNT):
            child.stdin.write("\n")
            assert child.stdout.readline() == "done\n"
            moments.append(counts_at_rest(child.pid))
    found = grown(moments, ends_count=ENDS_COUNT)
    assert [name.partition(":")[0] for name in found] == ([kind] if kind else [])


def test_more_for_a_moment_is_no_leak():
    moments = [{"TCP": count} for count in (2, 5, 2, 3, 7, 2)]
    assert grown(moments, ends_count=2) == {}
