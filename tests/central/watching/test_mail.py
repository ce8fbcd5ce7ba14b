"""Letters reach a real mail server over TLS, or wait for it; none is doubled or lost."""

import ssl

import pytest
from sqlalchemy import delete, insert

from central.backup.records import Run, record_run
from central.config_keeping import AlertRecipient, AlertsSection, MailSection
from central.stock.alerts_safety import BACKUPS_MARK, safety_alerts
from central.storage import tables
from central.storage.subscription_tables import deliveries, subscriptions
from central.storage.watching_tables import alert_mails, alert_records, watching_marks
from central.watching.mail_sender import MailSender
from central.watching.records import note_starts
from central.watching.watch import Means, Watch
from central.watching.watch_loop import WatchLoop
from central.web.drawing import drawing_in
from central.webhooks.outgoing import fill, read_due
from tests.central.certificates import write_certificate
from tests.central.scenery import NOW_MS, FixedClock, rows
from tests.central.watching.mail_sink import mail_server
from tests.ports import steady_port
from tests.waiting import wait_for, within

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
KEEPER = AlertRecipient(address="keeper@example.com", digest="none")
BOSS = AlertRecipient(address="boss@example.com", language="zh", at_once="none", digest_hour=6)
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Desk:
    """A ledger that is watched, with a clock that a test moves."""

    def __init__(self, database, *recipients, sender=None, backups=False):
        self.database = database
        self.clock = FixedClock()
        self.names = (f"{number:016x}" for number in range(1000))
        means = Means(
            site="demo",
            alerts=AlertsSection(recipients=recipients, url="https://stock.example.com"),
            mails=True,
            backups_configured=backups,
            sender_domain="example.com",
            texts=lambda language: drawing_in(language).texts,
            new_name=lambda: next(self.names),
            disk_percent=lambda: 50,
        )
        self.watch = Watch(database, means)
        self.loop = WatchLoop(
            database, self.watch, sender=sender, clock=self.clock, jitter=lambda: 0.0
        )

    def fail(self):
        """Have a backup fail; nothing else is wrong then."""
        self._run(good=False)

    def mend(self):
        self._run(good=True)

    def _run(self, *, good):
        now_ms = self.clock.now_ms()
        detail = "" if good else "/mnt/nas is not mounted"
        run = Run(
            kind="dump", name="ledger-1", began_ms=now_ms, ended_ms=now_ms, good=good, detail=detail
        )
        record_run(self.database, run)

    def look(self, *, after_ms=0):
        self.clock.time_ms += after_ms
        return self.watch.look(now_ms=self.clock.now_ms())

    def letters(self):
        return [
            (recipient, subject.partition("] ")[2])
            for recipient, subject in rows(self.database, alert_mails, "recipient", "subject")
        ]


@pytest.fixture
def certificate(tmp_path):
    return write_certificate(tmp_path)


def sender_to(port, certificate, **settings):
    values = {"host": "127.0.0.1", "port": port, "tls_ca_file": str(certificate[0])}
    values |= {"username": "dockledger", "password": "secret", "sender": "ledger@example.com"}
    return MailSender(MailSection(**(values | settings)), timeout_s=5.0)


def test_an_alert_is_a_letter_once_and_again_when_it_is_over(database):
    desk = Desk(database, KEEPER)
    assert desk.look() == 0
    desk.fail()
    assert desk.look(after_ms=MINUTE_MS) == 1
    raised = ("keeper@example.com", "to see to: The last backup failed central")
    assert desk.letters() == [raised]
    for _ in range(5):
        assert desk.look(after_ms=MINUTE_MS) == 0
    desk.mend()
    assert desk.look(after_ms=MINUTE_MS) == 0, "it may come back in a moment"
    desk.fail()
    assert desk.look(after_ms=MINUTE_MS) == 0
    desk.mend()
    desk.look(after_ms=MINUTE_MS)
    assert desk.look(after_ms=2 * MINUTE_MS) == 1
    assert desk.letters() == sorted(
        [raised, (KEEPER.address, "over: The last backup failed central")]
    )
    assert rows(database, alert_records) == []


@ON_SQLITE
def test_what_is_still_there_a_day_later_is_told_again(database):
    desk = Desk(database, KEEPER)
    desk.fail()
    desk.look()
    assert desk.look(after_ms=23 * HOUR_MS) == 0
    assert desk.look(after_ms=HOUR_MS) == 1
    assert desk.letters()[-1] == (KEEPER.address, "to see to: The last backup failed central")
    assert desk.letters()[0] == (KEEPER.address, "still to see to: The last backup failed central")


@ON_SQLITE
def test_a_digest_comes_at_its_hour_and_not_when_nothing_is_open(database):
    desk = Desk(database, BOSS)
    desk.look()
    desk.look(after_ms=24 * HOUR_MS)
    assert desk.letters() == []
    desk.fail()
    desk.look(after_ms=HOUR_MS)
    assert desk.letters() == []
    desk.look(after_ms=24 * HOUR_MS)
    assert desk.letters() == [(BOSS.address, "今日未处理: 最近一次备份失败 central")]
    desk.look(after_ms=HOUR_MS)
    assert len(desk.letters()) == 1


@ON_SQLITE
def test_a_restart_tells_nothing_twice(database):
    desk = Desk(database, KEEPER)
    desk.fail()
    desk.look()
    again = Watch(database, desk.watch._means)
    assert again.look(now_ms=desk.clock.now_ms() + MINUTE_MS) == 0
    assert len(desk.letters()) == 1


@ON_SQLITE
def test_a_letter_goes_over_tls_with_everything_in_it(database, certificate):
    with mail_server(certificate=certificate) as (box, port):
        desk = Desk(database, KEEPER, sender=sender_to(port, certificate))
        desk.fail()
        desk.look()
        desk.loop.send_due()
        assert desk.loop.send_due(), "nothing waits any more"
    (letter,) = box.letters
    assert box.secured == [True]
    assert letter["To"] == "keeper@example.com"
    assert letter["Subject"] == "[Dockledger demo] to see to: The last backup failed central"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "central · /mnt/nas is not mounted" in letter.get_content()
    assert rows(database, alert_mails, "state") == [("sent",)]


@ON_SQLITE
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"password": "wrong"}, "535", id="the wrong password"),
        pytest.param(
            {"tls": "none", "username": ""}, "530", id="without the TLS that the server wants"
        ),
        pytest.param({"tls_ca_file": ""}, "CERTIFICATE_VERIFY_FAILED", id="an unknown authority"),
        pytest.param({"tls": "tls"}, "SSL", id="TLS where none is spoken at once"),
    ],
)
def test_a_letter_that_is_not_taken_waits_with_the_reason(database, certificate, settings, reason):
    with mail_server(certificate=certificate) as (box, port):
        desk = Desk(database, KEEPER, sender=sender_to(port, certificate, **settings))
        desk.fail()
        desk.look()
        assert desk.loop.send_due()
    assert box.letters == []
    ((state, attempts_count, error),) = rows(
        database, alert_mails, "state", "attempts_count", "last_error"
    )
    assert (state, attempts_count) == ("waiting", 1)
    assert reason in error
    assert "secret" not in error


@ON_SQLITE
def test_with_the_server_away_letters_wait_the_page_says_so_and_they_go_when_it_is_back(
    database, certificate
):
    port = steady_port()
    desk = Desk(database, KEEPER, sender=sender_to(port, certificate))
    desk.fail()
    desk.look()
    for _ in range(3):
        desk.clock.time_ms += HOUR_MS
        assert desk.loop.send_due()
    with database.read() as connection:
        found = [one.kind for one in safety_alerts(connection, now_ms=desk.clock.now_ms())]
    assert found == ["backup_failed", "mail_failing"]
    with mail_server(certificate=certificate, port=port) as (box, _):
        desk.clock.time_ms += HOUR_MS
        while not desk.loop.send_due():
            pass
        assert desk.loop.send_due()
    assert len(box.letters) == 1
    desk.mend()
    with database.read() as connection:
        assert list(safety_alerts(connection, now_ms=desk.clock.now_ms())) == []


@ON_SQLITE
def test_a_recipient_that_is_refused_for_good_delays_no_other(database, certificate):
    other = AlertRecipient(address="second@example.com", digest="none")
    with mail_server(certificate=certificate) as (box, port):
        box.refusals = ["550 no such person"]
        desk = Desk(database, KEEPER, other, sender=sender_to(port, certificate))
        desk.fail()
        desk.look()
        desk.loop.send_due()
        desk.loop.send_due()
    assert [letter["To"] for letter in box.letters] == ["second@example.com"]
    assert rows(database, alert_mails, "recipient", "state") == [
        ("keeper@example.com", "given_up"),
        ("second@example.com", "sent"),
    ]


def test_programs_are_told_by_signed_webhooks_too(database):
    desk = Desk(database)
    with database.write() as connection:
        connection.execute(
            insert(subscriptions).values(
                subscription="SUB-1",
                url="https://erp.example.com",
                kinds_json='["alert"]',
                secret="5a" * 32,
                active=True,
                version=1,
                made_ms=0,
                last_event_no=0,
                quiet_until_ms=0,
            )
        )
    desk.fail()
    desk.look()
    desk.mend()
    desk.look(after_ms=MINUTE_MS)
    desk.look(after_ms=3 * MINUTE_MS)
    fill(database, now_ms=desk.clock.now_ms())
    with database.read() as connection:
        (first,) = read_due(connection, now_ms=desk.clock.now_ms())
    assert first.message.type == "alert.raised"
    assert b'"advice":"Mount the place' in bytes(first.message.data.fields)
    with database.write() as connection:
        connection.execute(delete(deliveries).where(deliveries.c.event_no == 1))
    with database.read() as connection:
        (second,) = read_due(connection, now_ms=desk.clock.now_ms())
    assert second.message.type == "alert.resolved"
    assert second.message.data.previous_event_no == first.message.data.event_no


@ON_SQLITE
def test_without_a_subscriber_no_events_are_written(database):
    desk = Desk(database)
    desk.fail()
    desk.look()
    assert rows(database, tables.object_events) == []


@ON_SQLITE
def test_an_alert_reaches_its_reader_within_a_minute_of_real_time(tmp_path, certificate, database):
    with mail_server(certificate=certificate) as (box, port):
        desk = Desk(database, KEEPER, sender=sender_to(port, certificate))
        looking = WatchLoop(
            database, desk.watch, sender=sender_to(port, certificate), clock=desk.clock,
            jitter=lambda: 0.0, turn_s=0.2, mail_turn_s=0.2,
        )  # fmt: skip
        looking.start()
        try:
            wait_for(lambda: looking.counters().get("turns_total"), what="the first look")
            with within(10, what="the letter"):
                desk.fail()
                wait_for(lambda: box.letters, what="the letter")
        finally:
            looking.stop()
        assert not looking.alive()


@ON_SQLITE
def test_old_backups_are_told_only_where_backups_are_configured(database):
    for configured, expected in [(False, []), (True, ["backup_old"])]:
        desk = Desk(database, backups=configured)
        desk.look()
        now_ms = desk.clock.now_ms() + 27 * HOUR_MS
        with database.read() as connection:
            found = [one.kind for one in safety_alerts(connection, now_ms=now_ms)]
        assert found == expected
    Desk(database, backups=False).look()
    assert [mark for mark, _ in rows(database, watching_marks)] == ["machine/disk"]
    assert BACKUPS_MARK not in dict(rows(database, watching_marks))


@ON_SQLITE
def test_three_starts_in_an_hour_are_told_also_those_that_nobody_saw(database):
    def noted(*starts, now_ms, own="me"):
        with database.write() as connection:
            note_starts(connection, starts, own=own, now_ms=now_ms)
        with database.read() as connection:
            found = safety_alerts(connection, now_ms=now_ms)
            return [(one.subject, one.detail) for one in found if one.kind == "restarting"]

    assert noted(("g1", 40, "a"), ("g2", 7, "b"), now_ms=NOW_MS) == []
    assert noted(("g1", 40, "a"), ("g2", 7, "b"), now_ms=NOW_MS + MINUTE_MS) == []
    assert noted(("g1", 43, "c"), ("g2", 8, "d"), now_ms=NOW_MS + MINUTE_MS) == [("g1", "3")]
    assert noted(("g1", 43, "c"), now_ms=NOW_MS + 2 * HOUR_MS) == []
    for number in range(3):
        found = noted(now_ms=NOW_MS + 3 * HOUR_MS, own=f"crash {number}")
    assert found == [("central", "3")]


def test_the_password_of_the_mail_server_is_in_no_text():
    section = MailSection(host="mail.example.com", username="u", password="secret")
    assert "secret" not in repr(section)
    assert isinstance(ssl.create_default_context(), ssl.SSLContext)
