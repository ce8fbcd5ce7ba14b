"""Keeps the gateway small: defers modules, tells the C library to be thrifty. Edge of the system.

A Raspberry Pi of 512 MB carries the gateway beside a browser; the core is to stay under 40 MB.
"""

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType

# mallopt(3). One arena instead of one a thread: under the interpreter's lock they wait for each
# other anyway, and each keeps what it once took (2.4 MB while a backlog drains). What is free at
# the end goes back from 64 KiB on.
MALLOC_SETTINGS = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": str(64 * 1024)}


class _Deferred(ModuleType):
    """Stands for a module until somebody asks for what is in it; then it is loaded.

    Python's own `importlib.util.LazyLoader` is of no use here: in 3.11 already a second `import`
    of the module loads it.
    """

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # What the import statement itself looks at.
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        found: object = getattr(importlib.import_module(self.__name__), name)
        return found


def thrifty(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the gateway's process; what somebody set in it stays."""
    return MALLOC_SETTINGS | dict(environment)


def defer(name: str) -> None:
    """Let `import name` of others cost nothing until somebody uses what is in it.

    name: package and module, as in "urllib.request". Nothing changes if it is loaded already.
    """
    if name in sys.modules:
        return
    package_name, _, module_name = name.rpartition(".")
    package = importlib.import_module(package_name)
    stand_in = _Deferred(name)
    sys.modules[name] = stand_in
    # The import statement does so only for a module that it finds missing.
    setattr(package, module_name, stand_in)
