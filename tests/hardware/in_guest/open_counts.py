"""How many descriptors of each kind a program has open, and which kinds grow. Edge of /proc."""

import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

LOOKS_COUNT, LOOK_S = 3, 0.1


def open_counts(pid):
    """Return how many descriptors a program has of each kind, by its name.

    A socket's kind is its protocol: NETLINK, TCP, UNIX-STREAM (sockfs, `system.sockprotoname`);
    that of all other files but pipes and the kernel's nameless ones is "file".
    """
    counts = Counter()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # Closed since.
            name, _, _ = str(path.readlink()).partition(":[")
            if name == "socket":
                name = os.getxattr(path, "system.sockprotoname").rstrip(b"\0").decode()
            counts["file" if name.startswith("/") else name] += 1
    return counts


def counts_at_rest(pid):
    """Return the fewest of a few looks: a page's visit or a sweep of /sys lasts no longer."""
    looks = []
    for _ in range(LOOKS_COUNT):
        looks.append(open_counts(pid))
        time.sleep(LOOK_S)
    return Counter({kind: min(look[kind] for look in looks) for kind in looks[0]})


def grown(moments, *, ends_count):
    """Return the kinds of which there are more at the end, in words; empty if none leaks.

    moments: counts, one after each replug. ends_count: so many at each end are compared, by the
    fewest: more of them for a moment are a start, or a sweep.
    """
    first, last = moments[:ends_count], moments[-ends_count:]
    found = {}
    for kind in sorted(set().union(*moments)):
        before, after = (min(one[kind] for one in some) for some in (first, last))
        if after > before:
            found[kind] = f"{before} to {after}"
    return found
