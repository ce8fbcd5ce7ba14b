"""One folder, one card, for any number of machines that show a code: nothing in it is secret."""

import pytest
from typer.testing import CliRunner

from central.__main__ import app as central_app
from gateway.config import load_config
from gateway.errors import IdentityUnusable
from gateway.identity.files import read_enrol_file
from gateway.identity.settings import with_name
from provisioning.__main__ import app as provision

CENTRAL = """
[database]
url = "sqlite:///{folder}/ledger.db"
[mqtt]
host = "127.0.0.1"
[ledger]
site = "demo"
[trust]
directory = "trust"
public_url = "https://central.example.com"
broker_host = "broker.example.com"
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """What `blank-package` writes, with a central that has authorities."""
    folder = tmp_path_factory.mktemp("blank")
    config = folder / "central.toml"
    config.write_text(CENTRAL.format(folder=folder))
    commands = [
        (central_app, ["migrate"]),
        (central_app, ["trust", "init", "--name", "Test"]),
        (provision, ["blank-package", "--to", str(folder / "blank"), "--language", "zh"]),
    ]
    for app, words in commands:
        done = CliRunner().invoke(app, [*words, "--config", str(config)])
        assert done.exit_code == 0, done.output
    assert "https://central.example.com/claims/shown" in done.output
    return folder / "blank"


def test_a_blank_package_says_where_central_is_and_nobodys_name(package):
    config = load_config(package / "gateway.toml")
    assert config.is_nameless and config.gateway.language == "zh"
    assert (config.mqtt.host, config.gateway.site) == ("broker.example.com", "demo")
    given = read_enrol_file(package / "dockledger-enrol.toml")
    assert (given.central_url, given.claim) == ("https://central.example.com", "")
    assert given.root_pem.startswith("-----BEGIN CERTIFICATE")
    text = "".join(one.read_text() for one in package.iterdir())
    assert "PRIVATE" not in text and "claim.html" not in {one.name for one in package.iterdir()}


def test_a_command_says_that_a_blank_machine_has_no_name_yet(package, tmp_path):
    text = (package / "gateway.toml").read_text()
    (tmp_path / "gateway.toml").write_text(text.replace("/var/lib/dockledger-gateway", "data"))
    with pytest.raises(IdentityUnusable, match="no name yet") as refused:
        with_name(load_config(tmp_path / "gateway.toml"))
    assert "code" in refused.value.hint


def test_a_card_is_made_of_it(package, tmp_path):
    card, deb = tmp_path / "bootfs", tmp_path / "dockledger-gateway.deb"
    card.mkdir()
    (card / "cmdline.txt").write_text("")
    deb.write_bytes(b"!<arch>\n")
    words = ["image", str(card), "--package", str(package), "--deb", str(deb)]
    done = CliRunner().invoke(provision, words)
    assert done.exit_code == 0, done.output
    assert "lets a Pi show a code" in done.output
    assert (card / "dockledger" / "gateway.toml").read_text() == (
        package / "gateway.toml"
    ).read_text()
    assert '"hostname": "dockledger"' in (card / "user-data").read_text()
