"""Where backups and the journal's copy go: not onto a root that is only read. Edge of files.

There they would fail each night, or lie in memory until the next boot.
"""

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from provisioning.read_only_root.errors import RootRefused

SETTINGS = Path("/etc/dockledger-gateway/gateway.toml")
SETTINGS_BYTES_MAX = 1024 * 1024
KEYS = (("backup", "places"), ("journal", "copy_directory"))


def refuse_places_on_the_root(
    kept: Sequence[str], say: Callable[[str], None], *, settings: Path = SETTINGS
) -> None:
    """Raise RootRefused if a folder that gateway.toml names for backups or a copy is on the root.

    kept: folders that the data's file system will hold. One that is not there yet is only told: its
    medium may be away.
    """
    root = Path("/").stat().st_dev
    for key, place in _places(settings):
        if any(place.is_relative_to(one) for one in kept):
            continue
        there = next(one for one in (place, *place.parents) if one.exists())
        if there.stat().st_dev != root:
            continue
        if there == place:
            raise RootRefused(
                f"{place} ({key} of {settings}) lies on the root, where nothing could be written",
                hint="Mount a medium of its own there by /etc/fstab, or name another place.",
            )
        say(f"{place} ({key}) is not there: nothing is written until a medium is mounted for it")


def _places(settings: Path) -> Iterator[tuple[str, Path]]:
    """Yield each key and its folder. Values of a wrong kind are the gateway's own to refuse."""
    try:
        with settings.open("rb") as file:
            table = tomllib.loads(file.read(SETTINGS_BYTES_MAX).decode("utf-8"))
    except FileNotFoundError:
        return
    except ValueError as error:  # No TOML, no UTF-8.
        raise RootRefused(f"{settings} cannot be read: {error}", hint="Correct it.") from error
    for section, key in KEYS:
        keys = table.get(section)
        value = keys.get(key) if isinstance(keys, dict) else None
        for text in _texts(value):
            if text:
                yield f"{section}.{key}", Path(os.path.normpath(settings.parent / text))


def _texts(value: object) -> Iterable[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
