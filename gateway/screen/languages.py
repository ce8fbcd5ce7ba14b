"""Which language each person reads, kept over restarts. Edge of one small file.

    <data_directory>/page-languages.json     {"operators": {"ann": "zh"}, "stations": {}}

A person who badges in gets the page in the language last chosen with that badge, else in the one
that the reference data names; where nobody has, or nothing says it, the station's own choice
counts, else the configuration's.
"""

import logging
import os
from pathlib import Path
from threading import Lock

import msgspec

from gateway.screen.translation import LANGUAGES, Language

logger = logging.getLogger(__name__)

LANGUAGES_FILE = "page-languages.json"
OPERATORS_MAX = 2000  # More people than work at one gateway; then the longest unchanged goes.
FILE_BYTES_MAX = 1024 * 1024
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class _Choices(msgspec.Struct):
    operators: dict[str, Language] = {}
    stations: dict[str, Language] = {}


class PageLanguages:
    """The choices of one gateway. Any thread may call anything."""

    def __init__(self, folder: Path | None, *, default: Language) -> None:
        """folder: None keeps the choices in memory alone."""
        self._path = folder / LANGUAGES_FILE if folder is not None else None
        self._default = default
        self._lock = Lock()
        self._choices = self._read()

    def of(self, *, station: str, operator: str, named: str = "") -> Language:
        """Return the language for whoever stands at a station; operator "": nobody badged in.

        named: of the operator by the reference data; any but ours counts as none.
        """
        with self._lock:
            of_station = self._choices.stations.get(station, self._default)
            of_badge = next((one for one in LANGUAGES if one == named), of_station)
            return self._choices.operators.get(operator, of_badge) if operator else of_station

    def choose(self, language: Language, *, station: str, operator: str) -> None:
        """Keep a choice: of the person if there is one, else of the station; durable on return.

        A disk that refuses costs the choice at the next start, nothing else.
        """
        with self._lock:
            chosen = self._choices.operators if operator else self._choices.stations
            chosen.pop(operator or station, None)
            chosen[operator or station] = language
            while len(chosen) > OPERATORS_MAX:
                del chosen[next(iter(chosen))]
            self._write()

    def _read(self) -> _Choices:
        if self._path is None:
            return _Choices()
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(FILE_BYTES_MAX), type=_Choices)
        except FileNotFoundError:
            return _Choices()
        except (OSError, msgspec.DecodeError) as error:
            logger.warning(
                "the languages of the page are not readable; everybody chooses again",
                extra={"reason": str(error), "hint": f"Delete {self._path}."},
            )
            return _Choices()

    def _write(self) -> None:
        if self._path is None:
            return
        data = msgspec.json.format(msgspec.json.encode(self._choices), indent=2)
        beside = self._path.with_name(self._path.name + ".new")
        try:
            with os.fdopen(os.open(beside, FLAGS, 0o600), "wb") as file:
                file.write(data + b"\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            logger.warning(
                "a language of the page is not kept",
                extra={"reason": str(error), "hint": "Make space on the gateway's disk."},
            )
