"""Waits for what another thread or the kernel brings about, never longer than a limit. Loop."""

import time

DEADLINE_S = 30.0  # It costs only where a test fails.


def read_until(device, count, *, timeout_s=DEADLINE_S):
    """Return the first `count` readings of a device; fails the test if they do not come."""
    deadline_s = time.monotonic() + timeout_s
    readings = []
    while len(readings) < count:
        assert time.monotonic() < deadline_s, f"only {readings} came"
        readings += device.read(0.1)
    return readings


def read_until_true(device, wanted, *, timeout_s=DEADLINE_S):
    """Return the first reading for which `wanted(reading)`; fails the test if none comes."""
    deadline_s = time.monotonic() + timeout_s
    seen = []
    while time.monotonic() < deadline_s:
        for reading in device.read(0.1):
            seen.append(reading)
            if wanted(reading):
                return reading
    raise AssertionError(f"not among {seen[-5:]}")


def read_until_raises(device, error_type, *, timeout_s=DEADLINE_S):
    """Return the error that reading the device raises; fails the test if it raises none."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        try:
            device.read(0.1)
        except error_type as error:
            return error
    raise AssertionError(f"no {error_type.__name__} within {timeout_s} s")
