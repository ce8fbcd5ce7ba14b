"""The command `dockledger-update`: takes releases, guards boots, installs. Root.

It runs on the Python of Debian with python3-cryptography, outside of any release: what brings a
gateway back must not depend on what is broken. Exit codes: 0 done, 1 refused, 2 settings.
"""

import argparse
import logging
import signal
import sys
from pathlib import Path
from queue import Empty, SimpleQueue

from provisioning.updating.agent import Agent, guard, install, offered_release
from provisioning.updating.clock import SystemClock
from provisioning.updating.environment import current_version
from provisioning.updating.errors import SettingsInvalid, UpdateError
from provisioning.updating.settings import Settings, load_settings
from provisioning.updating.source import open_source
from provisioning.updating.state import forget_failure, load_state, save_state

DONE, REFUSED, SETTINGS = 0, 1, 2
CONFIG_FILE = Path("/etc/dockledger-gateway/update.toml")
AFTER_A_FAULT_S = 60.0

logger = logging.getLogger("dockledger-update")


def main() -> None:
    """Run the command line."""
    given = _arguments().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        settings = load_settings(given.config)
        sys.exit(_commands(given, settings))
    except UpdateError as error:
        sys.stderr.write(f"error: {error}\nhint: {error.hint}\n")
        sys.exit(SETTINGS if isinstance(error, SettingsInvalid) else REFUSED)


def _commands(given: argparse.Namespace, settings: Settings) -> int:
    folder = Path(settings.state_folder)
    if given.command == "run":
        _run(settings)
    elif given.command == "guard":
        _say(guard(settings, clock=SystemClock()))
    elif given.command == "install":
        _say(f"release {install(settings, given.release)} is current")
    elif given.command == "check":
        source = open_source(settings.source, ca_file=settings.ca_file)
        offered = offered_release(source, Path(settings.key_file))
        _say(f"release {offered.version} is offered, and signed by a key that is known here")
    elif given.command == "retry":
        save_state(folder, forget_failure(load_state(folder), given.version))
        _say(f"release {given.version} may be tried again")
    else:
        state = load_state(folder)
        _say(f"current  {current_version(Path(settings.releases_folder)) or 'none'}")
        _say(f"phase    {state.phase} {state.version}".rstrip())
        for one in state.failed:
            _say(f"failed   {one.version}: {one.reason}")
    return DONE


def _run(settings: Settings) -> None:
    stop: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stop.put(received))
    agent = Agent(settings, clock=SystemClock())
    while True:
        try:
            pause_s = agent.turn()
        except SettingsInvalid:
            raise
        except Exception:  # The top of the loop: an agent that ends would leave a bad release.
            logger.exception("the update failed; trying again")
            pause_s = AFTER_A_FAULT_S
        try:
            stop.get(timeout=pause_s)
            return
        except Empty:
            continue


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dockledger-update",
        description="Updates of a gateway: signed, watched, taken back if they are worse.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, told in (
        ("run", "Look for releases, take them, watch them, until SIGTERM."),
        ("guard", "Count this boot of the machine; go back at the third on probation."),
        ("install", "Build a release that is in a folder of this machine, make it current."),
        ("check", "Say what the source offers and whether its signature is good."),
        ("status", "Say what is current, what is in hand and what failed."),
        ("retry", "Let a version that failed be tried again."),
    ):
        command = commands.add_parser(name, help=told, description=told)
        command.add_argument("--config", type=Path, default=CONFIG_FILE, help="The settings.")
        if name == "install":
            command.add_argument("--release", type=Path, required=True, help="The folder.")
        if name == "retry":
            command.add_argument("version", help="The version, e.g. 0.2.0.")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
