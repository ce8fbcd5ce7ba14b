"""Builds what watches over one ledger. Root."""

from collections.abc import Callable

from central.clock import SystemClock, random_64, random_fraction
from central.config import Config
from central.config_keeping import MailSection
from central.storage.database import Database
from central.watching.machine import disk_used_percent
from central.watching.watch import Means, Watch
from central.watching.watch_loop import Sender, WatchLoop
from central.web.drawing import drawing_in


def build_watching(config: Config, database: Database, *, told: Callable[[], None]) -> WatchLoop:
    """Return what watches, not started yet. told: called after events for programs were written."""
    mail = config.mail
    means = Means(
        site=config.ledger.site,
        alerts=config.alerts,
        mails=bool(mail.host),
        backups_configured=bool(config.backup.places),
        sender_domain=mail.sender.rpartition("@")[2],
        texts=lambda language: drawing_in(language).texts,
        new_name=lambda: f"{random_64():016x}",
        disk_percent=lambda: disk_used_percent(config.database.url),
    )
    return WatchLoop(
        database,
        Watch(database, means),
        sender=_sender(mail) if mail.host else None,
        clock=SystemClock(),
        jitter=random_fraction,
        told=told,
    )


def _sender(mail: MailSection) -> Sender:
    # SMTP and mail's forms take 3 MB, which a ledger without a mail server does not need.
    from central.watching.mail_sender import MailSender  # noqa: PLC0415

    return MailSender(mail)
