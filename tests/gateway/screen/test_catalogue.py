"""The Chinese catalogue holds every text that the gateway shows, with the same fields, compiled."""

import ast
import io
import sqlite3
import string
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import gateway
from central.contract.states import DeviceProblem, LinkProblem
from drivers.readings import FaultCode, PrinterCondition
from gateway.devices.print_queue import CONDITION_HINTS
from gateway.health import ConnectionProblem
from gateway.journal.transactions import journal_error
from gateway.replication.mqtt_link import HINTS
from gateway.replication.replicator import PROBLEM_HINTS
from gateway.screen.translation import DOMAIN, LOCALE_FOLDER, translator
from gateway.station import trouble
from gateway.station_loop import RESTART_HINT

SOURCE_FOLDER = Path(gateway.__file__).parent
PO_FILE = LOCALE_FOLDER / "zh" / "LC_MESSAGES" / f"{DOMAIN}.po"
MO_FILE = PO_FILE.with_suffix(".mo")


def marked_texts() -> list[str]:
    """Return every text in N_("..."), sorted."""
    found = set()
    for path in SOURCE_FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "N_":
                assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                found.add(node.args[0].value)
    return sorted(found)


def fields_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def chinese():
    return read_po(io.BytesIO(PO_FILE.read_bytes()), locale="zh")


def test_every_text_is_translated_with_the_same_fields():
    entries, wrong = chinese(), []
    for text in marked_texts():
        entry = entries.get(text)
        if entry is None:
            wrong.append(f"not in gateway.po: {text!r}")
        elif not entry.string or entry.fuzzy:
            wrong.append(f"not translated: {text!r}")
        elif fields_of(entry.string) != fields_of(text):
            wrong.append(f"other fields than {text!r}: {entry.string!r}")
        elif text != "OK" and entry.string == text:
            wrong.append(f"left in English: {text!r}")
    assert not wrong, "\n".join(wrong)


def test_the_catalogue_holds_no_text_that_nobody_shows():
    assert {entry.id for entry in chinese() if entry.id} == set(marked_texts())


def test_the_compiled_catalogue_is_the_written_one():
    compiled = io.BytesIO()
    write_mo(compiled, chinese())
    assert MO_FILE.read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT],
)
def test_what_the_journal_asks_people_to_do_is_translated(code):
    error = sqlite3.OperationalError("as told by the test")
    error.sqlite_errorcode = code
    assert journal_error(error).hint in marked_texts()


def test_what_a_crashed_station_asks_people_to_do_is_translated():
    assert RESTART_HINT in marked_texts()


CODES = [
    ("faults of devices", trouble.FAULT_TEXTS, FaultCode),
    ("problems of devices", trouble.DEVICE_TEXTS, DeviceProblem),
    ("problems of the link", trouble.LINK_TEXTS, LinkProblem),
    ("problems of the connection", trouble.CONNECTION_TEXTS, ConnectionProblem),
]


@pytest.mark.parametrize(("texts", "codes"), [c[1:] for c in CODES], ids=[c[0] for c in CODES])
def test_every_code_has_a_sentence_and_every_sentence_is_translated(texts, codes):
    assert texts.keys() == set(get_args(codes)) - {""}
    for text in texts.values():
        assert translator("zh")(text) != text


def test_every_condition_of_a_printer_is_a_problem_that_a_device_can_have():
    conditions = set(get_args(PrinterCondition)) - {"ready"}
    assert conditions <= set(get_args(DeviceProblem))
    assert CONDITION_HINTS.keys() == conditions


def test_the_log_has_a_hint_for_every_problem_of_link_and_connection():
    assert PROBLEM_HINTS.keys() == set(get_args(LinkProblem)) - {""}
    assert HINTS.keys() == set(get_args(ConnectionProblem)) - {""}


def test_texts_are_translated_at_runtime_and_unknown_ones_stay():
    assert translator("zh")("Confirm") == "确认"
    assert translator("zh")("no such text") == "no such text"
    assert translator("zh")("") == ""
    assert translator("en")("Confirm") == "Confirm"
