"""Writes what happens as one JSON object a line on standard error. Edge of logging."""

import logging
import os
import sys
import time
from typing import Literal, TextIO

import msgspec

OUR_LOGGERS = ("gateway", "drivers")  # Others' libraries are heard from WARNING on.
LOGGER = logging.getLogger("gateway")
LevelName = Literal["debug", "info", "warning", "error"]
LEVELS: dict[LevelName, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# What every record has; anything else was given by the caller as `extra`: a field of the event.
RECORD_NAMES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "fields",
}


# syslog(3); journald takes it from the head of a line (sd-daemon(3)), so that -p err finds errors.
PRIORITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


class JsonLines(logging.Formatter):
    """Makes a line of a log record: time, level, event, logger, then the fields of the event.

    for_journal: its priority stands before it, as journald wants it.
    """

    def __init__(self, *, for_journal: bool = False) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without its end. Values that JSON does not know become their text."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line |= {name: value for name, value in vars(record).items() if name not in RECORD_NAMES}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        text = msgspec.json.encode(line, enc_hook=str).decode()
        return f"<{PRIORITIES.get(record.levelname, 6)}>{text}" if self._for_journal else text


def configure_logs(level: LevelName = "info", stream: TextIO | None = None) -> None:
    """Send every log of this program to `stream` (standard error), one JSON object a line."""
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(JsonLines(for_journal=_is_journal(output.stream)))
    logging.basicConfig(handlers=[output], level=logging.WARNING, force=True)
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(LEVELS[level])


def log_event(level: LevelName, text: str, **fields: object) -> None:
    """Log an event: constant text, its facts as fields. No credentials, no operators' names."""
    LOGGER.log(LEVELS[level], text, extra={"fields": fields})


def log_crash(text: str, **fields: object) -> None:
    """Log the exception that is being caught, with its trace: a person must act."""
    LOGGER.error(text, extra={"fields": fields}, exc_info=sys.exception())


def _is_journal(stream: TextIO) -> bool:
    """Return whether journald reads it: systemd names its stream (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False  # Of no file: a test listens.
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
