"""People from the console, and what the configuration says of them."""

import json

import pytest
from typer.testing import CliRunner

from central.__main__ import app
from central.config import load_config
from central.errors import ConfigInvalid
from central.storage.access_tables import access_users
from tests.central.access.people import PASSWORD

BASE = '[mqtt]\nhost = "127.0.0.1"\n[ledger]\nsite = "demo"\n'


@pytest.fixture
def run(lite, tmp_path):
    config = tmp_path / "central.toml"
    config.write_text(f'{BASE}[database]\nurl = "{lite.place}"\n')

    def called(*words, fed=None, status=0):
        result = CliRunner().invoke(app, [*words, "--config", str(config)], input=fed)
        assert result.exit_code == status, result.output
        return result.output

    return called


def test_the_first_administrator_is_made_at_the_console(run, lite, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    words = ("--role", "administrator", "--password-file", str(secret))
    assert run("user", "add", "li.na", *words) == "li.na may sign in.\n"
    typed = run("user", "add", "an", "--role", "auditor", fed=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in typed
    with lite.read() as connection:
        assert PASSWORD not in str(connection.execute(access_users.select()).all())
    assert run("user", "list") == "an: auditor\nli.na: administrator\n"
    run("user", "disable", "li.na", status=2)
    run("user", "grant", "an", "--role", "administrator", "--role", "keeper@SH9", status=2)
    run("user", "grant", "an", "--role", "administrator")
    assert run("user", "disable", "li.na") == "li.na may sign in no more.\n"
    assert run("user", "list") == "an: administrator\nli.na (disabled): administrator\n"


def test_a_key_is_made_shown_once_and_taken_back(run, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    run("user", "add", "erp", "--role", "viewer", "--password-file", str(secret))
    text = run("token", "add", "erp", "--label", "ERP", "--permission", "stock.read").strip()
    assert text.startswith("dlt_")
    run("token", "add", "erp", "--label", "ERP", "--permission", "users.change", status=2)
    (told,) = json.loads(run("token", "list", "--json"))["tokens"]
    assert told["token"] == text.split("_")[1]
    assert text.split("_")[2] not in str(told)
    run("token", "end", told["token"])
    (told,) = json.loads(run("token", "list", "--json"))["tokens"]
    assert told["ended"]


@pytest.mark.parametrize(
    ("host", "mode", "taken"),
    [
        pytest.param("127.0.0.1", "open", True, id="open-on-loopback"),
        pytest.param("::1", "open", True, id="open-on-loopback-of-6"),
        pytest.param("0.0.0.0", "open", False, id="open-to-everybody"),
        pytest.param("central.example.net", "open", False, id="open-by-a-name"),
        pytest.param("0.0.0.0", "people", True, id="people"),
        pytest.param("0.0.0.0", None, True, id="people-unless-said-otherwise"),
    ],
)
def test_open_is_for_loopback_alone(tmp_path, host, mode, taken):
    file = tmp_path / "central.toml"
    section = f'[access]\nmode = "{mode}"\n' if mode else ""
    database = f'[database]\nurl = "sqlite:///{tmp_path}/x.db"\n'
    file.write_text(f'{BASE}{database}[http]\nhost = "{host}"\n{section}')
    if taken:
        assert load_config(file).access.mode == (mode or "people")
        return
    with pytest.raises(ConfigInvalid) as refused:
        load_config(file)
    assert "administrator" in str(refused.value)
