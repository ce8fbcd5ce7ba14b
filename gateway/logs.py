"""Writes what happens as one JSON object a line on standard error. Edge of logging."""

import logging
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


class JsonLines(logging.Formatter):
    """Makes a line of a log record: time, level, event, logger, then the fields of the event."""

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
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logs(level: LevelName = "info", stream: TextIO | None = None) -> None:
    """Send every log of this program to `stream` (standard error), one JSON object a line."""
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(JsonLines())
    logging.basicConfig(handlers=[output], level=logging.WARNING, force=True)
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(LEVELS[level])


def log_event(level: LevelName, text: str, **fields: object) -> None:
    """Log an event: constant text, its facts as fields. No credentials, no operators' names."""
    LOGGER.log(LEVELS[level], text, extra={"fields": fields})


def log_crash(text: str, **fields: object) -> None:
    """Log the exception that is being caught, with its trace: a person must act."""
    LOGGER.error(text, extra={"fields": fields}, exc_info=sys.exception())
