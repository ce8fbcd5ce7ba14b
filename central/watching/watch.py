"""One look at everything: what is told to whom, in one transaction. Edge of the database."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from central.config_keeping import AlertRecipient, AlertsSection
from central.contract.errors import ContractError
from central.contract.identifiers import parse_epoch
from central.stock.alert_book import read_alerts
from central.stock.alerts import Alert
from central.stock.alerts_gateways import GATEWAYS_MAX
from central.stock.alerts_safety import BACKUPS_MARK, DISK_MARK
from central.stock.states import list_gateways
from central.storage.database import Database
from central.watching import records
from central.watching.judging import Judged, digest_slot, is_about, judge, told_at_once
from central.watching.letters import described, write_letter
from central.web.alert_words import alert_url
from central.web.letter_words import LetterKind
from central.web.texts import Texts

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a watch works with. texts: the words of a language. new_name: nobody guesses.

    disk_percent: of the ledger's machine, None if nobody knows. mails: False without a mail server.
    """

    site: str
    alerts: AlertsSection
    mails: bool
    backups_configured: bool
    sender_domain: str
    texts: Callable[[str], Texts]
    new_name: Callable[[], str]
    disk_percent: Callable[[], int | None]


class Watch:
    """Remembers nothing that is not in the database, but the start that it belongs to."""

    def __init__(self, database: Database, means: Means) -> None:
        self._database = database
        self._means = means
        self._start = means.new_name()

    def look(self, *, now_ms: int) -> int:
        """Judge all alerts and write what is to be told; return how many alerts were told of.

        Raises LedgerUnavailable.
        """
        self._note_machine(now_ms=now_ms)
        present = read_alerts(self._database, _Moment(now_ms)).alerts
        repeat_ms = self._means.alerts.repeat_hours * HOUR_MS
        with self._database.read() as connection:
            known = records.load_known(connection)
            digests = [
                one for one in self._recipients() if self._is_due(connection, one, now_ms=now_ms)
            ]
        judged = judge(present, known, now_ms=now_ms, repeat_ms=repeat_ms)
        if judged.is_quiet and not digests:
            return 0
        with self._database.write() as connection:
            self._tell_programs(connection, judged, now_ms=now_ms)
            records.remember(connection, judged.new, now_ms=now_ms)
            records.mark_told(connection, judged.again, now_ms=now_ms)
            records.mark_gone(connection, [one.key for one in judged.back], gone_ms=0)
            records.mark_gone(connection, [one.alert.key for one in judged.gone], gone_ms=now_ms)
            records.forget(connection, [one.alert.key for one in judged.over])
            self._write_letters(connection, judged, now_ms=now_ms)
            for recipient in digests:
                self._write_digest(connection, recipient, present, now_ms=now_ms)
        return len(judged.new) + len(judged.again) + len(judged.over)

    def _note_machine(self, *, now_ms: int) -> None:
        """Keep what the database cannot know where alerts look for it."""
        percent = self._means.disk_percent()
        with self._database.read() as connection:
            gateways = list_gateways(connection, limit=GATEWAYS_MAX)
            configured = records.read_mark(connection, BACKUPS_MARK)
        starts = [(row.code, row.epoch) for row in gateways if row.epoch]
        with self._database.write() as connection:
            if percent is not None:
                said = json.dumps({"percent": percent, "at_ms": now_ms})
                records.set_mark(connection, DISK_MARK, said)
            if bool(configured) != self._means.backups_configured:
                value = str(now_ms) if self._means.backups_configured else ""
                records.set_mark(connection, BACKUPS_MARK, value)
            records.note_starts(connection, _numbered(starts), own=self._start, now_ms=now_ms)

    def _recipients(self) -> Sequence[AlertRecipient]:
        return self._means.alerts.recipients if self._means.mails else ()

    def _write_letters(self, connection: Connection, judged: Judged, *, now_ms: int) -> None:
        parts: tuple[tuple[LetterKind, Sequence[Alert]], ...] = (
            ("raised", judged.new),
            ("again", judged.again),
            ("over", [one.alert for one in judged.over]),
        )
        for recipient in self._recipients():
            for kind, alerts in parts:
                wanted = told_at_once(recipient, alerts)
                if wanted:
                    self._queue(connection, recipient, kind, wanted, now_ms=now_ms)

    def _write_digest(
        self,
        connection: Connection,
        recipient: AlertRecipient,
        present: Sequence[Alert],
        *,
        now_ms: int,
    ) -> None:
        begun = records.read_mark(connection, _digest_mark(recipient))
        records.set_mark(connection, _digest_mark(recipient), str(now_ms))
        if not begun:
            return  # Who is new was just told what there is.
        wanted = [alert for alert in present if is_about(recipient, alert)]
        if wanted:
            self._queue(connection, recipient, "digest", wanted, now_ms=now_ms)

    def _is_due(self, connection: Connection, recipient: AlertRecipient, *, now_ms: int) -> bool:
        if recipient.digest == "none":
            return False
        last_ms = int(records.read_mark(connection, _digest_mark(recipient)) or "0")
        return last_ms < digest_slot(now_ms, hour=recipient.digest_hour)

    def _queue(
        self,
        connection: Connection,
        recipient: AlertRecipient,
        kind: LetterKind,
        alerts: Sequence[Alert],
        *,
        now_ms: int,
    ) -> None:
        means = self._means
        letter = write_letter(
            kind,
            alerts,
            texts=means.texts(recipient.language),
            site=means.site,
            url=means.alerts.url,
        )
        message_id = f"<{now_ms}.{means.new_name()}@{means.sender_domain}>"
        records.queue_letter(
            connection, recipient.address, letter, message_id=message_id, now_ms=now_ms
        )

    def _tell_programs(self, connection: Connection, judged: Judged, *, now_ms: int) -> None:
        if not (judged.new or judged.over) or not records.has_subscriber(connection):
            return
        texts = self._means.texts("en")
        told = [(alert, "raised") for alert in judged.new]
        told += [(one.alert, "resolved") for one in judged.over]
        events = []
        for alert, action in told:
            what, advice = described(alert, texts)
            words = {
                "alert": alert.kind,
                "severity": alert.severity,
                "subject": alert.subject,
                "what": what,
                "advice": advice,
                "url": f"{self._means.alerts.url}{alert_url(alert)}",
            }
            events.append((alert, action, words))
        records.append_alert_events(connection, events, now_ms=now_ms)


class _Moment:
    """A clock that stands still while alerts are read."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._now_ms / 1000


def _digest_mark(recipient: AlertRecipient) -> str:
    return f"digest/{recipient.address}"


def _numbered(starts: Sequence[tuple[str, str]]) -> list[tuple[str, int, str]]:
    found: list[tuple[str, int, str]] = []
    for code, text in starts:
        with suppress(ContractError):
            epoch = parse_epoch(text)
            found.append((code, epoch.start_count, f"{epoch.nonce:016x}"))
    return found
