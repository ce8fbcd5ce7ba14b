"""The gateway's process itself, `python -m gateway.service CONFIG LEVEL`. Root.

`dockledger-gateway run` becomes this. Nothing of the command line is loaded here: typer's
parameters bring pydantic, an eighth of the memory that a running gateway may take.
"""

import sys
from pathlib import Path
from typing import NoReturn, cast, get_args

from gateway.compose import run_gateway
from gateway.config import load_config
from gateway.errors import GatewayError, JournalError
from gateway.identity.settings import with_name
from gateway.logs import LevelName, configure_logs
from gateway.waiting import wait_for_name

EXIT_FINDING = 1
EXIT_CONFIGURATION = 2
EXIT_JOURNAL = 3


def main() -> None:
    """Run until a signal; exit with the status that the README lists."""
    config_path, level = Path(sys.argv[1]), sys.argv[2]
    assert level in get_args(LevelName)
    configure_logs(cast(LevelName, level))
    try:
        config = load_config(config_path)
        if config.is_nameless and not wait_for_name(config):
            sys.exit(0)
        asked = run_gateway(with_name(config), config_path=config_path)
    except GatewayError as error:
        end_with(error)
    sys.exit(0 if asked else EXIT_FINDING)


def end_with(error: GatewayError) -> NoReturn:
    """Write what is wrong and what to do as one line on standard error, and exit."""
    sys.stderr.write(f"{error}: {error.hint}\n")
    sys.exit(EXIT_JOURNAL if isinstance(error, JournalError) else EXIT_CONFIGURATION)


if __name__ == "__main__":
    main()
