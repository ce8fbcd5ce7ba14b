"""The two commands that services begin with: `run` and `watch-clock`. Edge of the process.

Neither loads what it begins: the process goes on as that program, which loads its own modules.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.clock import WITNESS_FILE
from gateway.logs import LevelName
from gateway.memory import thrifty

NAME = "dockledger-gateway"
HELP = "Edge gateway for warehouse hardware. Results of --json go to standard output."
DEFAULT_CONFIG = Path("/etc/dockledger-gateway/gateway.toml")

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    log_level: Annotated[LevelName, typer.Option("--log-level")] = "info",
) -> None:
    """Work until SIGTERM or SIGINT."""
    words = [sys.executable, "-P", "-m", "gateway.service", str(config), log_level]
    sys.stdout.flush()
    # The same process goes on as the service: see there why. No shell is in between.
    os.execve(sys.executable, words, thrifty(os.environ))  # noqa: S606


def watch_clock(
    to: Annotated[Path, typer.Option("--to", help="The file to write.")] = WITNESS_FILE,
) -> None:
    """Write down, until SIGTERM, whether the clock is disciplined; for the sandboxed service."""
    words = [sys.executable, "-P", "-m", "gateway.clock_witness", str(to)]
    # As for `run`: what the command line has loaded is not kept in memory.
    os.execve(sys.executable, words, thrifty(os.environ))  # noqa: S606


app = typer.Typer(
    name=NAME,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(run)
app.command("watch-clock")(watch_clock)
BEGINNING = {"run", "watch-clock"}
