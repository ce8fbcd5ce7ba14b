"""Structured log lines: one JSON object a line on standard error. Edge of standard error.

The text of a line is constant; what varies is in its fields, given as `extra={...}`. A movement is
followed through gateway and central by `gateway`, `epoch` and `seq`. No credentials, no operators.
"""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TextIO

FIELD_CHARACTERS_MAX = 2000
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


# syslog(3); journald takes it from the head of a line (sd-daemon(3)), so that -p err finds errors.
PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time, level, event, logger, then its fields.

    for_journal: its priority stands before it, as journald wants it.
    """

    def __init__(self, *, for_journal: bool = False) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        moment = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, object] = {
            "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        fields |= {
            key: _bounded(value) for key, value in vars(record).items() if key not in _STANDARD
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)[-FIELD_CHARACTERS_MAX:]
        text = json.dumps(fields, ensure_ascii=False, default=str)
        return f"<{PRIORITIES.get(record.levelname, 6)}>{text}" if self._for_journal else text


def start_logging(*, verbose: bool = False) -> None:
    """Send the log lines of this program and of its libraries to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(for_journal=_is_journal(sys.stderr)))
    # Others' libraries are heard from WARNING on.
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("central").setLevel(logging.DEBUG if verbose else logging.INFO)


def _is_journal(stream: TextIO) -> bool:
    """Return whether journald reads it: systemd names its stream (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False  # Of no file: a test listens.
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _bounded(value: object) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    return str(value)[:FIELD_CHARACTERS_MAX]
