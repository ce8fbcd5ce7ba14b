"""The agent, killed at the n-th thing that it does to disk or network (KILL_AT_STEP). Root."""

import os
import signal
import sys

STEPS = frozenset({"os.rename", "os.symlink", "os.remove", "os.mkdir", "subprocess.Popen"})
left = iter(range(int(os.environ["KILL_AT_STEP"]) - 1, -1, -1))


def count(event, words):
    wrote = event == "open" and isinstance(words[1], str) and set(words[1]) & set("wa+x")
    if (event in STEPS or wrote) and next(left, -1) == 0:
        os.kill(os.getpid(), signal.SIGKILL)


from provisioning.updating.__main__ import main  # noqa: E402 - loading is no step

sys.addaudithook(count)
main()
