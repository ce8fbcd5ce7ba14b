"""Starts a program of the wheel under test, or lets one go that has read its modules. Edge (fork).

What stands by (`standing_by.py`) has read the modules before the guest was frozen: a cycle does
without the ten seconds that they take under emulation. The program is the same, from its `main`.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

POLL_S = 0.02
MODULES = "LAB_MODULES"  # In the environment of a rehearsal: the file for the modules' names.
REHEARSED_COUNT = 12
_held = []


class HeldProgram:
    """A child that waits for its words; as much of a Popen as is needed here."""

    def __init__(self):
        read, self._write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._write)
            with os.fdopen(read) as pipe:
                asked = json.loads(pipe.read() or "null")
            if asked is None:  # Whoever held it has ended without it.
                os._exit(0)
            _become(*asked)
        os.close(read)
        self.returncode = None

    def go(self, module, *words, log):
        os.write(self._write, json.dumps([module, words, log]).encode())
        os.close(self._write)

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout_s):
        deadline = time.monotonic() + timeout_s
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.pid} has not ended in {timeout_s} s")
            time.sleep(POLL_S)

    def send_signal(self, number):
        os.kill(self.pid, number)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.wait(60)


def hold():
    """Have a child ready for the next `start`. To be called before there are threads."""
    _held.append(HeldProgram())


def start(module, *words, log, becomes=()):
    """Start `python -m module words`; what it says is appended to the file of that name.

    becomes: module and words that it executes itself in its own place, as soon as it has read them.
    """
    if _held:
        program = _held.pop()
        program.go(*(becomes or (module, *words)), log=str(log))
        return program
    with log.open("ab") as file:
        return subprocess.Popen([sys.executable, "-m", module, *words], stdout=file, stderr=file)


def rehearsed(count):
    """Return whether this is a rehearsal, and so many scans or facts are enough for it."""
    return MODULES in os.environ and count > REHEARSED_COUNT


def become(module, words):
    """Run a module as `python -m` does, in this program, and end it."""
    sys.argv = [module, *words]
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does at its top
        sys.excepthook(*sys.exc_info())
        status = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
    return status


def _become(module, words, log):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number in (1, 2):
        os.dup2(file, number)
    status = become(module, words)
    note_modules()
    os._exit(status)


def note_modules():
    """Say in a file which modules this program has read, if it is a rehearsal."""
    if path := os.environ.get(MODULES):
        names = [name for name, module in list(sys.modules.items()) if module is not None]
        with Path(path).open("a") as file:
            file.write("".join(f"{name}\n" for name in names))
