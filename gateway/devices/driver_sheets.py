"""What all installed drivers say of themselves, asked in a program of their own. Edge of it.

To match a candidate every driver must be imported, with every library that any of them needs: more
memory than the gateway has. So another Python imports them, writes what they declare and ends. A
driver that cannot be imported ends with it and not with the gateway. The same way one driver is
let ask one network device who it is: what hangs there is killed.
"""

import contextlib
import subprocess
import sys
from typing import Any

import msgspec

from drivers.api import Driver
from drivers.errors import DriverError
from drivers.registry import IMPORT_FAILURES, driver_names, load_driver
from gateway.devices.discovery import DriverSheet

# A Raspberry Pi with a cold card and other work: an end too early would only begin it anew.
LIST_S_MAX = 300.0
PROBE_S_MAX = 10.0  # The program's start; the driver itself has two seconds.
OUTPUT_BYTES_MAX = 4 * 1024 * 1024
WORDS_CHARACTERS_MAX = 200
MODULE = "gateway.devices.driver_sheets"


def read_driver_sheets() -> tuple[DriverSheet, ...]:
    """Return the sheet of each installed driver, sorted by name; empty if that failed."""
    try:
        return msgspec.json.decode(_ask("list", timeout_s=LIST_S_MAX), type=tuple[DriverSheet, ...])
    except msgspec.DecodeError:
        return ()


def probe_device(driver: str, settings: dict[str, Any]) -> str:
    """Return what the device at these settings calls itself, "" if it is not of this driver."""
    text = msgspec.json.encode(settings).decode()
    answer = _ask("probe", driver, text, timeout_s=PROBE_S_MAX)
    words = answer.decode("utf-8", "replace").strip()[:WORDS_CHARACTERS_MAX]
    return "".join(letter if letter.isprintable() else " " for letter in words)


def sheet_of(driver: Driver) -> DriverSheet:
    """Return the sheet of one driver."""
    given = {driver.node_setting, driver.tcp_port_setting}
    return DriverSheet(
        name=driver.name,
        device_class=driver.device_class,
        summary=driver.summary,
        matchers=driver.matchers,
        node_setting=driver.node_setting,
        tcp_port_setting=driver.tcp_port_setting,
        required=tuple(
            one.name
            for one in msgspec.structs.fields(driver.settings_type)
            if one.required and one.name not in given
        ),
        probes=driver.probe is not None,
    )


def _ask(*words: str, timeout_s: float) -> bytes:
    """Return what the other program wrote, b"" if it failed or took too long."""
    command = [sys.executable, "-m", MODULE, *words]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            command, capture_output=True, timeout=timeout_s, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout[:OUTPUT_BYTES_MAX]


def _sheet(name: str) -> DriverSheet:
    try:
        return sheet_of(load_driver(name))
    except (DriverError, *IMPORT_FAILURES) as error:
        return DriverSheet(name, problem=f"{type(error).__name__}: {error}")


def _probe(name: str, settings: str) -> str:
    driver = load_driver(name)
    if driver.probe is None:
        return ""
    try:
        return driver.probe(driver.parse_settings(msgspec.json.decode(settings)))
    except DriverError:
        return ""


def _main(words: list[str]) -> None:
    """Answer on standard output; what drivers print on import goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        if words[:1] == ["list"]:
            answer = msgspec.json.encode([_sheet(name) for name in driver_names()])
        else:
            answer = _probe(words[1], words[2]).encode()
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    _main(sys.argv[1:])
