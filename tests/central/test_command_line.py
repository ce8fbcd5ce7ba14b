"""`dockledger-central`: results, exit codes and hints, on both databases."""

import json
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from central.__main__ import app
from central.inbox.inbox import Inbox
from central.outbox.notices import lock_stream
from central.storage import tables
from central.storage.database import open_database
from tests.central.scenery import REFERENCE, FixedClock, Gateway, rows


@pytest.fixture
def run(tmp_path, database):
    """Run a command with a configuration for a migrated, empty database."""
    return command(tmp_path, database.place)


@pytest.fixture
def run_before(tmp_path, database_url):
    """Run a command with a configuration for a database that nobody has migrated."""
    return command(tmp_path, database_url)


def command(folder, url):
    config = folder / "central.toml"
    config.write_text(
        f'[database]\nurl = "{url}"\n[mqtt]\nhost = "127.0.0.1"\n[ledger]\nsite = "demo"\n'
    )

    def run_command(*arguments):
        return CliRunner().invoke(app, [*arguments, "--config", str(config)])

    return run_command


@pytest.fixture
def gateway():
    gateway = Gateway()
    gateway.move()
    return gateway


def furnish(run, database, gateway, folder):
    """Make a ledger by commands, and have it take one movement."""
    reference = folder / "reference.toml"
    reference.write_bytes(REFERENCE)
    assert run("load-reference", str(reference)).exit_code == 0
    enrolment = ("enrol-gateway", gateway.code, "--warehouse", "SH1", "--public-key")
    assert run(*enrolment, gateway.public_key.hex()).exit_code == 0
    (outcome,) = Inbox(database, clock=FixedClock()).accept([gateway.offer()])
    assert outcome.kind == "accepted"


@pytest.fixture
def ledger(run, database, gateway, tmp_path):
    """Such a ledger, which was migrated before: that takes longest."""
    furnish(run, database, gateway, tmp_path)
    return database


def test_a_ledger_is_made_by_commands_of_an_empty_database(
    run_before, database_url, gateway, tmp_path
):
    assert run_before("verify-ledger").exit_code == 3
    assert run_before("migrate").exit_code == 0
    with closing(open_database(database_url)) as database:
        furnish(run_before, database, gateway, tmp_path)
    assert run_before("verify-ledger").exit_code == 0


def test_a_sound_ledger_verifies(run, ledger):
    result = run("verify-ledger", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "facts_count": 1,
        "lines_count": 2,
        "balances_count": 2,
        "faults_count": 0,
        "faults": [],
    }
    assert rows(ledger, tables.discrepancies) == []


def test_a_damaged_balance_is_found_and_rebuilt(run, ledger):
    with ledger.write() as connection:
        connection.execute(text("UPDATE balances SET on_hand_micro = 5 WHERE location = 'BIN-1'"))
        lock_stream(connection, "sh1-dock-1", new_name=lambda: "told-the-wrong-balance")
    found = run("verify-ledger")
    assert found.exit_code == 1
    assert "balance: SH1/BIN-1/BOLT" in found.stdout
    rebuilt = run("rebuild-balances", "--json")
    assert rebuilt.exit_code == 1
    assert json.loads(rebuilt.stdout)["changes_count"] == 1
    # No fact changed it, so no notice can tell: gateways have to load their stock anew.
    (stream,) = rows(ledger, tables.notice_streams, "stream")
    assert stream != ("told-the-wrong-balance",)
    assert run("rebuild-balances").exit_code == 0
    assert rows(ledger, tables.notice_streams, "stream") == [stream]
    assert run("verify-ledger").exit_code == 0


def test_doing_it_again_is_no_mistake(run, ledger, gateway, tmp_path):
    again = run(
        "enrol-gateway",
        gateway.code,
        "--warehouse",
        "SH1",
        "--public-key",
        gateway.public_key.hex(),
        "--json",
    )
    assert json.loads(again.stdout)["changed"] is False
    loaded = run("load-reference", str(tmp_path / "reference.toml"), "--json")
    assert json.loads(loaded.stdout) == {"revision": 1, "changed": False, "doubts": []}
    assert run("migrate").exit_code == 0


def test_a_document_with_units_nobody_knows_and_like_codes_is_loaded_and_warned_of(run, tmp_path):
    text = REFERENCE.decode().replace("revision = 1", "revision = 2")
    text = text.replace('code = "NUT"', 'code = "bolt"').replace('"BIN-2"', '"bin-1"')
    reference = tmp_path / "doubtful.toml"
    reference.write_text(text.replace('unit = "KGM"', 'unit = "KG"'))
    loaded = run("load-reference", str(reference), "--json")
    assert (loaded.exit_code, json.loads(loaded.stdout)["changed"]) == (0, True)
    doubts = json.loads(loaded.stdout)["doubts"]
    assert doubts == [
        "item RICE: unit KG is not a UN/CEFACT unit code; did you mean KGM?",
        "item: bolt and BOLT differ in upper and lower case alone",
        "place of SH1: bin-1 and BIN-1 differ in upper and lower case alone",
    ]
    assert loaded.stderr.splitlines() == [f"Doubtful: {doubt}" for doubt in doubts]


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        pytest.param(["verify-ledger"], 3, "migrate", id="a database that is not migrated"),
        pytest.param(["load-reference", "/nowhere.toml"], 2, "/nowhere.toml", id="no such file"),
        pytest.param(
            ["enrol-gateway", "g", "--warehouse", "W", "--public-key", "xyz"],
            3,
            "migrate",
            id="nothing to enrol in",
        ),
        pytest.param(["enrol-gateway", "g"], 2, "--warehouse", id="an option is missing"),
        pytest.param(["no-such-command"], 2, "no-such-command", id="no such command"),
    ],
)
def test_what_is_wrong_has_its_exit_code_and_a_hint(run_before, arguments, code, named):
    result = run_before(*arguments)
    assert result.exit_code == code
    assert named in result.stderr


@pytest.mark.parametrize("key", ["xyz", "00", ""])
def test_a_wrong_key_is_refused(run, ledger, key):
    result = run("enrol-gateway", "g", "--warehouse", "SH1", "--public-key", key)
    assert result.exit_code == 2
    assert "hint: Give the Ed25519 public key" in result.stderr


def test_a_configuration_that_is_wrong_is_exit_code_2(tmp_path):
    result = CliRunner().invoke(app, ["migrate", "--config", str(tmp_path / "nowhere.toml")])
    assert result.exit_code == 2
    assert "hint:" in result.stderr


def test_the_ledgers_public_key_stays_the_same(run, ledger):
    first, second = (json.loads(run("ledger-key", "--json").stdout) for _ in range(2))
    assert first == second and len(bytes.fromhex(first["public_key"])) == 32
    assert run("ledger-key").stdout == f"{first['public_key']}\n"


def test_a_new_generation_is_named_beside_the_old_one(run, ledger):
    first = json.loads(run("new-generation", "--json").stdout)
    second = json.loads(run("new-generation", "--json").stdout)
    assert len({first["old"], first["new"], second["new"]}) == 3 and second["old"] == first["new"]
    assert second["new"] == dict(rows(ledger, tables.ledger_state))["generation"]


@pytest.mark.parametrize(
    ("taken_at", "facts_count"),
    [
        pytest.param("2026-05-01T02:00:00Z", 0, id="before the fact"),
        pytest.param("2026-06-01T02:00:00+08:00", 1, id="after it"),
    ],
)
def test_a_backup_is_confirmed(run, ledger, taken_at, facts_count):
    result = run("confirm-backup", "--taken-at", taken_at, "--json")
    assert (result.exit_code, json.loads(result.stdout)["facts_count"]) == (0, facts_count)
    assert rows(ledger, tables.positions, "stable_seq") == [(facts_count,)]


@pytest.mark.parametrize("taken_at", ["2999-01-01T00:00:00Z", "2026-06-01T02:00:00", "yesterday"])
def test_a_backup_of_no_possible_time_is_refused(run, ledger, taken_at):
    result = run("confirm-backup", "--taken-at", taken_at)
    assert result.exit_code == 2
    assert taken_at[:10] in result.stderr


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        pytest.param(["intake", "--worker", "one"], "PostgreSQL", id="a second process"),
        pytest.param(["serve", "--no-intake"], "PostgreSQL", id="pages alone"),
        pytest.param(["intake", "--worker", "a/b"], "letters", id="a name that is no code"),
        pytest.param(["intake", "--worker", "a", "--shards", "64"], "63", id="no such shard"),
    ],
)
def test_workers_that_cannot_be_are_refused_with_a_hint(run, ledger, arguments, hint):
    result = run(*arguments)
    assert result.exit_code == 2
    assert hint in result.stderr.partition("hint: ")[2]


def test_who_takes_facts_alone_loads_no_web_application():
    code = "import sys, central.__main__, central.taking; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.split())
    assert "central.taking" in loaded
    assert not loaded & {"fastapi", "pydantic", "starlette", "uvicorn", "central.compose"}
