"""Orders to gateways as people give them, with a note of each in the history. Edge of the database.

What is ordered a second time changes nothing and is not noted again. Of a template's text the
history keeps a digest: by it one can tell which of several versions counted when.
"""

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import select

from central.contract.notices import PrintRequested, Setting
from central.ledger.desk import Change
from central.outbox import orders
from central.outbox.orders import ALL_GATEWAYS, Ordered, Writing
from central.storage.tables import gateways, label_templates

GATEWAY, TEMPLATE = "gateway", "label_template"  # Kinds of the objects in the history.
DIGEST_CHARACTERS = 16


class Ordering:
    """Gives orders in one change at the desk. Every function raises what `orders` raises."""

    def __init__(self, change: Change, *, new_name: Callable[[], str]) -> None:
        """Work in a change. new_name: makes names of streams."""
        self._change = change
        self._new_name = new_name

    def settings(self, gateway: str, settings: Sequence[Setting]) -> Ordered:
        """Make these all of a gateway's remote settings."""
        before = {one.name: one.value for one in self._settings_of(gateway)}
        ordered = orders.change_settings(self._writing(), gateway, settings)
        after = {one.name: one.value for one in settings}
        names = sorted(before.keys() | after.keys())
        pairs = {name: [before.get(name, ""), after.get(name, "")] for name in names}
        changes = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        if ordered.changed:
            self._note(gateway, "settings_changed", changes=changes)
        return ordered

    def template(self, name: str, text: str, *, gateway: str = ALL_GATEWAYS) -> int:
        """Keep a label template; return how many gateways are told."""
        before = self._digest_of(name, gateway)
        count = orders.put_template(self._writing(), name, text, gateway=gateway)
        self._note_template(name, gateway, "given", before=before, after=_digest(text))
        return count

    def no_template(self, name: str, *, gateway: str = ALL_GATEWAYS) -> int | None:
        """Take a label template away; return as `orders.remove_template`."""
        before = self._digest_of(name, gateway)
        count = orders.remove_template(self._writing(), name, gateway=gateway)
        self._note_template(name, gateway, "taken_back", before=before, after="")
        return count

    def labels(self, gateway: str, request: PrintRequested) -> Ordered:
        """Have labels printed at a gateway."""
        ordered = orders.request_print(self._writing(), gateway, request)
        if ordered.changed:
            self._note(
                gateway,
                "labels_ordered",
                job=request.job,
                printer=request.printer,
                template=request.template,
                copies_count=request.copies_count,
                requested_by=request.requested_by,
            )
        return ordered

    def _writing(self) -> Writing:
        change = self._change
        return Writing(change.connection, now_ms=change.now_ms, new_name=self._new_name)

    def _settings_of(self, gateway: str) -> Sequence[Setting]:
        return orders.read_settings(self._change.connection, gateway)

    def _digest_of(self, name: str, gateway: str) -> str:
        table = label_templates.c
        text = self._change.connection.execute(
            select(table.text).where(table.gateway == gateway, table.name == name)
        ).scalar_one_or_none()
        return "" if text is None else _digest(text)

    def _note_template(
        self, name: str, gateway: str, action: str, *, before: str, after: str
    ) -> None:
        if before == after:
            return
        changes = {"digest": [before, after]}
        self._change.note(TEMPLATE, name, action, gateway=gateway, changes=changes)

    def _note(self, gateway: str, action: str, **fields: object) -> None:
        warehouse = self._change.connection.execute(
            select(gateways.c.warehouse).where(gateways.c.gateway == gateway)
        ).scalar_one_or_none()
        told = {name: value for name, value in fields.items() if value}
        self._change.note(GATEWAY, gateway, action, warehouse=warehouse or "", **told)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
