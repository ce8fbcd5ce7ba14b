"""The command `dockledger-root`: a root that is only read, and back. Root.

It runs on the Python of Debian, outside of any release. Exit codes: 0 done, 1 refused.
"""

import argparse
import os
import signal
import sys
from typing import NoReturn

from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.programs import run
from provisioning.read_only_root.switching import (
    make_read_only,
    make_writable,
    next_boot,
    root_is_written,
)

DONE, REFUSED = 0, 1
AT_THE_NEXT_BOOT = "from the next boot on: systemctl reboot"


def main() -> None:
    """Run the command line."""
    given = _arguments().parse_args()
    os.umask(0o022)
    for ends in (signal.SIGTERM, signal.SIGHUP):  # A connection that breaks off, a limit of time.
        if signal.getsignal(ends) is not signal.SIG_IGN:
            signal.signal(ends, _end)
    try:
        sys.exit(_commands(given))
    except RootRefused as error:
        sys.stderr.write(f"error: {error}\nhint: {error.hint}\n")
    except OSError as error:
        sys.stderr.write(f"error: {error}\nhint: Look at the disk, and start it again.\n")
    sys.exit(REFUSED)


def _commands(given: argparse.Namespace) -> int:
    if given.command == "status":
        _say(f"now        {'writable' if root_is_written() else 'read-only'}")
        _say(f"next boot  {'read-only' if next_boot() == 'read-only' else 'writable'}")
        return DONE
    if os.geteuid() != 0:
        raise RootRefused("only root may do this", hint="Type sudo before it.")
    if given.command == "read-only":
        if not make_read_only(given.data, _say):
            begins = f", {AT_THE_NEXT_BOOT}" if root_is_written() else ""
            _say(f"it is only read already{begins}")
        elif given.no_reboot:
            _say("the root is only read from the next boot on; the gateway stands still until then")
        else:
            _say("the root is only read from the next boot on, which begins now")
            run("systemctl", "--no-block", "reboot")
    else:
        switched = make_writable()
        _say(f"the root is written {AT_THE_NEXT_BOOT}" if switched else "it is written already")
    return DONE


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dockledger-root",
        description="Mount the root read-only; the gateway's data lie on a partition of their own.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    read_only = commands.add_parser("read-only", help="starts the machine anew; data are moved")
    read_only.add_argument(
        "--data", default="", help="an empty partition or disk; else one is made behind the root"
    )
    read_only.add_argument(
        "--no-reboot", action="store_true", help="do not start anew at once; the gateway waits"
    )
    commands.add_parser("writable", help="from the next boot on, for Debian's updates")
    commands.add_parser("status", help="what the root is now, and at the next boot")
    return parser


def _end(_number: int, _frame: object) -> NoReturn:
    """End as any fault does: who was stopped is started again, if nothing was switched."""
    sys.exit(REFUSED)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
