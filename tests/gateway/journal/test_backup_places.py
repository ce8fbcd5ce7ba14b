"""Backups of the journal in several places: made, thinned, proven, missed. Edge."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from central.backup.keys import write_new_key
from central.contract.backup_keeping import Keeping
from gateway.commands import app
from gateway.errors import BackupUnusable
from gateway.health import Health
from gateway.journal.backup_crypto import read_key
from gateway.journal.backup_export import copied_aside, unpack_backup
from gateway.journal.backup_news import AGE_MS_MAX, LOOK_NS, NEWS_FILE, BackupWatch, write_news
from gateway.journal.backup_places import MARK_FILE, back_up, backups_in, prepare_place
from gateway.journal.journal import Journal
from tests.gateway.journal.samples import StillClock, movement, weighing
from tests.gateway.test_command_line import command, write_config

__all__ = ["command"]  # A fixture of that module, used here too.
SHIPPED = Keeping(7, 5, 12)
DAY_NS = 24 * 3600 * 10**9


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "backup.key"
    return path, write_new_key(path)


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def journal(tmp_path, clock):
    """The path of a journal that a gateway has open."""
    path = tmp_path / "data/journal.db"
    path.parent.mkdir()
    opened = Journal.open(path, gateway="g1", warehouse="sh1", clock=clock, nonce=7)
    opened.append([movement(), weighing(), movement()])
    yield path
    opened.close()


@pytest.fixture
def places(tmp_path):
    both = [tmp_path / "stick", tmp_path / "share"]
    for place in both:
        prepare_place(place)
    return both


@pytest.fixture
def make(journal, places, key, clock):
    """Make a backup in the places, or in others."""

    def make(*, into=None, keeping=SHIPPED):
        chosen = [str(place) for place in into or places]
        return back_up(
            journal,
            gateway="g1",
            recipients=[key[1]],
            places=chosen,
            keeping=keeping,
            clock=clock,
        )

    return make


def names(place):
    return sorted(path.name for path in place.iterdir() if path.name != MARK_FILE)


def test_every_place_has_a_backup_that_nobody_can_read_without_the_key(
    make, places, key, journal, tmp_path
):
    outcomes = make()
    for place, outcome in zip(places, outcomes, strict=True):
        assert (outcome.fault, names(place)) == ("", [outcome.file])
        assert b"SQLite format" not in (place / outcome.file).read_bytes()
        folder = tmp_path / f"out-{place.name}"
        folder.mkdir()
        unpack_backup(place / outcome.file, folder, secret=read_key(key[0]))
    assert not [path for path in journal.parent.iterdir() if path.name.endswith("backing-up")]


def test_a_place_that_is_missing_or_cannot_be_written_keeps_no_other_from_its_backup(
    make, places, tmp_path
):
    bare, file = tmp_path / "bare", tmp_path / "file"
    bare.mkdir()  # A mount point without its medium.
    file.write_text("")
    outcomes = make(into=[bare, file, places[1]])
    assert "not mounted" in outcomes[0].fault
    assert outcomes[1].fault
    assert [one.file != "" for one in outcomes] == [False, False, True]
    assert names(bare) == []


def test_older_ones_of_this_gateway_alone_are_thinned_out(make, places, clock):
    foreign = ["journal-g1-2-20200101T000000Z.dlb", "journal-g2-20200101T000000Z.dlb",
               "ledger-20200101T000000Z-00000001.dlb", "journal-g1-2-20200101T000000Z.dlb.part",
               "letter.txt"]  # fmt: skip
    for name in foreign:
        (places[0] / name).write_text("")
    (places[0] / "journal-g1-20200101T000000Z.dlb.part").write_text("of a run that was killed")
    for _ in range(5):
        make(keeping=Keeping(daily=3, weekly=1, monthly=1))
        clock.elapsed_ns += DAY_NS
    ours = [name for name in names(places[0]) if name not in foreign]
    assert len(ours) == 3
    assert set(foreign) <= set(names(places[0]))
    newest = datetime.fromtimestamp(clock.now_ms() // 1000, UTC) - timedelta(days=1)
    assert max(backups_in(places[0], "g1"))[0] == newest


def test_two_backups_of_one_journal_at_once_are_refused(make, journal):
    with copied_aside(journal), pytest.raises(BackupUnusable, match="another backup"):
        make()
    assert all(not one.fault for one in make())


def test_a_gateway_tells_which_place_has_no_backup_of_the_last_day(
    make, places, clock, journal, tmp_path
):
    health, lost = Health(), tmp_path / "lost"
    watch = BackupWatch(journal.parent, [str(places[0]), str(lost)], clock=clock, health=health)

    def missing():
        clock.elapsed_ns += LOOK_NS
        watch.tick()
        return {one.subject: one.detail for one in health.troubles()}

    assert set(missing()) == {str(places[0]), str(lost)}
    write_news(journal.parent, make(into=[places[0], lost]))
    assert list(missing()) == [str(lost)]
    assert "not mounted" in missing()[str(lost)]
    prepare_place(lost)
    write_news(journal.parent, make(into=[places[0], lost]))
    assert missing() == {}
    clock.elapsed_ns += AGE_MS_MAX * 10**6
    assert set(missing()) == {str(places[0]), str(lost)}


def test_the_command_makes_all_that_is_configured_and_proves_one(
    tmp_path, journal, places, key, command
):
    nothing = write_config(tmp_path)
    said = command(nothing, "journal", "backup", "--configured")
    assert (said.returncode, "no places" in said.stderr) == (0, True)
    lost = tmp_path / "lost"
    config = write_config(
        tmp_path,
        devices=f'[backup]\nrecipients = ["{key[1]}"]\nplaces = ["{places[0]}", "{lost}"]\n',
    )
    said = command(config, "journal", "backup", "--configured")
    assert said.returncode == 1
    assert f"NO BACKUP in {lost}: not mounted" in said.stderr
    assert len(names(places[0])) == 1
    assert json.loads((journal.parent / NEWS_FILE).read_bytes())[0]["fault"] == ""
    said = command(config, "journal", "backup", "--configured", "--to", str(lost))
    assert said.returncode == 2


def test_a_backup_is_opened_aside_and_its_chain_is_proven(make, places, journal, key, tmp_path):
    (good, _) = make()
    words = ["journal", "check-backup", "--identity", str(key[0]), "--scratch", str(tmp_path)]
    said = CliRunner().invoke(app, [*words, str(places[0] / good.file)])
    assert (said.exit_code, "3 facts of 1 starts, 0 findings" in said.stderr) == (0, True)
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("UPDATE facts SET digest = zeroblob(32) WHERE number = 2")
        connection.commit()
    (bad, _) = make()
    said = CliRunner().invoke(app, [*words, str(places[0] / bad.file)])
    assert said.exit_code == 1
    assert "WRONG" in said.stderr
    assert not list(tmp_path.glob("dockledger-check-*"))
