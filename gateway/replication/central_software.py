"""Which version of central a gateway hears, for the update agent: central goes first. Pure."""

import re
from collections.abc import Iterable

from central.contract.states import CentralState

VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")


def lowest_software(workers: Iterable[CentralState]) -> str:
    """Return the lowest version among central's workers that work, "" if one says none.

    While none works it is the lowest of those that were heard last.
    """
    heard = tuple(workers)
    said = [one.software for one in heard if one.online] or [one.software for one in heard]
    if not said or not all(VERSION.fullmatch(one) for one in said):
        return ""
    return min(said, key=lambda one: [int(part) for part in one.split(".")])
