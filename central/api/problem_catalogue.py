"""Collects the sentences of refusals and compiles their translations. Root.

What pages say of themselves is in the catalogue of `central/web`; sentences that are raised are
here, wherever they are raised.

Run after a sentence changed, from the top folder: `python -m central.api.problem_catalogue`. It
adds new sentences to `locale/zh/LC_MESSAGES/problems.po`, untranslated, and writes the `.mo` beside
it. A test fails until every sentence is translated and the `.mo` is the compiled `.po`.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from central.api.noted_sentences import NOTED
from central.api.problem_sources import Sentence, sentences_of
from central.api.problem_translations import MO_FILE

PO_FILE = MO_FILE.with_suffix(".po")
CENTRAL = Path(__file__).parent.parent
# What these say is read by programs, in logs and at the command line, not at a page: it is about
# batches, snapshots, files and the start of a server.
# fmt: off
ELSEWHERE = (
    "__main__", "access_commands", "backup/archive", "backup_commands",
    "compose", "config", "config_access", "downlink", "logs", "loops", "taking",
    "messages", "mqtt_link", "tcp", "worker", "api/ingest", "api/snapshots",
    "inbox/backups", "inbox/gateways", "inbox/ledger_key", "outbox/snapshot",
    "contract/acks", "contract/envelope", "contract/epc", "contract/facts",
    "contract/notices", "contract/reference",
    "contract/sealed", "contract/snapshots", "contract/states", "contract/stock_digests",
    "contract/topics", "storage/migrations", "storage/schema", "storage/sole_use",
)
# fmt: on
# What the framework itself says of addresses, parameters and bodies.
FRAMEWORK = (
    "Not Found",
    "Not Found.",
    "Method Not Allowed",
    "Method Not Allowed.",
    "JSON decode error",
    "There was an error parsing the body",
    "There was an error parsing the body.",
    "Invalid JSON: {0}",
    "Field required",
    "Extra inputs are not permitted",
    "Input should be {0}",
    "Input should be {0} or {1}",
    "Input should be greater than {0}",
    "Input should be greater than or equal to {0}",
    "Input should be less than {0}",
    "Input should be less than or equal to {0}",
    "Input should be a finite number",
    "Input should be a valid dictionary",
    "Input should be a valid dictionary or object to extract fields from",
    "Input should be a valid list",
    "Input should be a valid string",
    "Input should be a valid boolean",
    "Input should be a valid boolean, unable to interpret input",
    "Input should be a valid integer",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid integer, got a number with a fractional part",
    "Unable to parse input string as an integer, exceeded maximum size",
    "Input should be a valid date or datetime, {0}",
    "String should have at least {0} character{1}",
    "String should have at most {0} character{1}",
    "String should match pattern '{0}'",
    "{0} should have at least {1} item{2} after validation, not {3}",
    "{0} should have at most {1} item{2} after validation, not {3}",
    "Value error, {0}",
)
# What is said by another module than the one that raises, or at the door.
TITLES = (
    "Not there",
    "Not possible",
    "Not possible now",
    "Changed meanwhile",
    "Ledger not available",
    "shipping notice {0}",
)
# Words that stand as values in the sentences: states, decisions, what can be done, objects.
# fmt: off
VALUES = (
    "accept", "accepted", "accepted_short", "adjust", "allocate", "announced", "approve",
    "approved", "assigned", "available", "blocked", "bring", "cancel", "cancelled", "change",
    "close", "closed", "confirm", "confirmed", "count", "counted", "counting", "damaged",
    "decide", "decided", "draft", "exchange", "expect", "expected", "expired", "found",
    "gone", "granted", "held", "hold", "inspection", "lost", "open", "partially_received",
    "partly_shipped", "pick", "picked", "picking", "plan", "planned", "post", "posted", "put",
    "quality", "quarantine", "reassign", "receive", "received", "receiving", "recall",
    "recount", "reject", "rejected", "release", "released", "reopen", "reopened", "request",
    "requested", "reserve", "reserved", "restock", "return", "reverse", "review", "reviewed",
    "revise", "sample", "sample_used", "scrap", "send", "send_back", "send-back", "sent",
    "sent_back", "settle", "settled", "shipped", "shipping", "short", "sign", "signed",
    "start", "started", "submit", "submitted", "transfer", "unavailable", "waiting",
    "withdraw", "withdrawn", "in_transit", "packed", "issued", "refused", "claimed", "goods",
    "order", "supplier", "customer", "lot", "document", "warehouse", "amend", "amended",
    "close_line", "edit", "finish", "give_up", "part_received", "part_shipped",
    "part_reserved", "backorder", "created", "done", "returning", "short_pick", "uncounted",
    "empty", "refer", "recalled",
)
# fmt: on


def sentences() -> Iterator[Sentence]:
    """Yield every sentence that somebody may read, as often as it is said."""
    for path in sorted(CENTRAL.rglob("*.py")):
        name = path.relative_to(CENTRAL).with_suffix("").as_posix()
        if not any(name == one or name.startswith(f"{one}/") for one in ELSEWHERE):
            source = path.read_text(encoding="utf-8")
            yield from sentences_of(f"central/{name}.py", source)
    for text in (*FRAMEWORK, *TITLES, *VALUES, *NOTED):
        yield Sentence(text, __name__)


def found_sentences() -> Catalog:
    """Return every sentence once, untranslated."""
    catalog = Catalog(project="dockledger", charset="utf-8")
    for one in sentences():
        catalog.add(one.template)
    return catalog


def read_translations() -> Catalog:
    """Return what the `.po` file holds."""
    with PO_FILE.open("rb") as file:
        return read_po(file, locale="zh")


def compiled(catalog: Catalog) -> bytes:
    """Return the bytes of the `.mo` file of a catalogue."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def update() -> None:
    """Bring both files up to date with the sources; translations of lost sentences go."""
    catalog = read_translations() if PO_FILE.exists() else Catalog(locale="zh")
    catalog.update(found_sentences(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with PO_FILE.open("wb") as file:
        write_po(file, catalog, width=100, omit_header=False, sort_output=True, no_location=True)
    MO_FILE.write_bytes(compiled(catalog))


if __name__ == "__main__":
    update()
