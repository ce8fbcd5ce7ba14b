"""The program `dockledger-gateway`. Root.

What all commands need takes a Raspberry Pi seconds to load. Who begins a service does without: at a
boot that is done twice, by the gateway and by the witness of its clock.
"""

import sys

from gateway.starting import BEGINNING, app


def main() -> None:
    """Run the command line; what the world does wrong becomes one sentence and an exit status."""
    if sys.argv[1:2] and sys.argv[1] in BEGINNING:
        app()
    else:
        from gateway.commands import run_commands  # noqa: PLC0415 - see above

        run_commands()


if __name__ == "__main__":
    main()
