"""Which release this is, and which run of it. Edge of the installed package.

The update agent asks for both: a new version must answer as itself, and one that was started again
on probation is another run.
"""

import sys
from pathlib import Path

from gateway.clock import random_64

PACKAGE = "dockledger"
# The oldest central that understands all that this gateway says. Raised with a change that an older
# one does not understand; `dockledger-provision release` signs it, the update agent waits for it.
CENTRAL_MIN = "0.1.0"
ENDING = ".dist-info"
RUN = f"{random_64():016x}"


def release_version() -> str:
    """Return the version of the installed package, "" if it is not installed at all.

    It stands in the name of the package's folder (packaging.python.org, "Recording installed
    projects"); importlib.metadata says the same and costs 4 MB.
    """
    for entry in sys.path:
        for path in Path(entry).glob(f"{PACKAGE}-*{ENDING}"):
            return path.name.removeprefix(f"{PACKAGE}-").removesuffix(ENDING)
    return ""
