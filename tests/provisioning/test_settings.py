"""Settings are written by commands: what a person wrote stays, and central takes the whole."""

import shutil

import pytest
from typer.testing import CliRunner

from central.config import load_config
from provisioning.__main__ import app
from provisioning.packaging.deb import SCRIPTS
from provisioning.secure_command import BROKER_LOG, UNITS
from provisioning.settings_text import SettingRefused, parse_setting, with_settings
from tests.house.source_tree import ROOT

FILE = """# Ours.
[mqtt]
host = "a"  # the old one
port = 1883
# password = "x"

[backup]
places = [
    "/mnt/one",  # a share
]
daily = 7

# [trust]
# directory = "x"
"""


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({"mqtt": {"port": 8884}}, "port = 1883", "port = 8884"),
        ({"mqtt": {"password": "p"}}, "port = 1883\n", 'port = 1883\npassword = "p"\n'),
        (
            {"backup": {"places": ("/mnt/a", "/b")}},
            'places = [\n    "/mnt/one",  # a share\n]',
            'places = ["/mnt/a", "/b"]',
        ),
        ({"trust": {"directory": "t"}}, FILE, f'{FILE}\n[trust]\ndirectory = "t"\n'),
        ({"mail": {"host": 'q"\\n'}}, FILE, f'{FILE}\n[mail]\nhost = "q\\"\\\\n"\n'),
        ({"": {"ring": "first"}}, "# Ours.\n", 'ring = "first"\n# Ours.\n'),
        ({"access": {"mode": "open"}}, FILE, f'{FILE}\n[access]\nmode = "open"\n'),
    ],
    ids=[
        "replaced",
        "added",
        "over lines",
        "a comment stays one",
        "quoted",
        "of no section",
        "new section",
    ],
)
def test_a_setting_is_written_and_every_other_line_stays(changes, old, new):
    assert with_settings(FILE, changes) == FILE.replace(old, new, 1)


def test_settings_may_be_written_twice():
    changes = {"mqtt": {"port": 1, "password": "p"}, "trust": {"directory": "t"}}
    once = with_settings(FILE, changes)
    assert with_settings(once, changes) == once


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("mqtt = 3\n", {"mqtt": {"port": 1}}),
        ("mqtt = { port = 1 }\n", {"mqtt": {"port": 2}}),
        ("[mqtt\n", {"mqtt": {"port": 1}}),
        ('[a]\ntext = """\n[mqtt]\n"""\n[mqtt]\nport = 2\n', {"mqtt": {"port": 1}}),
    ],
    ids=["a value of that name", "an inline table", "no TOML", "a header inside a text"],
)
def test_what_cannot_be_changed_line_by_line_is_refused(text, changes):
    with pytest.raises(SettingRefused) as raised:
        with_settings(text, changes)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("http.port=8000", ("http", "port", 8000)),
        ("probation_s=20", ("", "probation_s", 20)),
        ("http.host=0.0.0.0", ("http", "host", "0.0.0.0")),
        ('a.b.c="8000"', ("a.b", "c", "8000")),
        ('backup.places=["/a"]', ("backup", "places", ("/a",))),
        ("access.open=true", ("access", "open", True)),
        ("mail.day=2026-11-22", ("mail", "day", "2026-11-22")),
    ],
)
def test_a_word_of_the_command_line_is_a_setting(text, parsed):
    assert parse_setting(text) == parsed


@pytest.mark.parametrize("text", ["http.port", "=1", ".port=1", "http.=1", "a b.c=1"])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(SettingRefused):
        parse_setting(text)


def test_the_command_keeps_owner_and_mode(tmp_path):
    path = tmp_path / "central.toml"
    path.write_text(FILE)
    path.chmod(0o640)
    inode = path.stat().st_ino
    said = CliRunner().invoke(app, ["set", "mqtt.port=8884", "--config", str(path)])
    assert said.exit_code == 0, said.output
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_ino != inode
    assert list(tmp_path.iterdir()) == [path]
    again = CliRunner().invoke(app, ["set", "mqtt", "--config", str(path)])
    assert (again.exit_code, "hint: " in again.output) == (2, True)


def test_one_command_makes_an_installation_safe(tmp_path):
    config = tmp_path / "central.toml"
    shipped = (SCRIPTS / "central.toml").read_text()
    config.write_text(shipped.replace("/var/lib", f"{tmp_path}/var/lib"))
    (tmp_path / "var/lib/dockledger-central").mkdir(parents=True)
    words = ["secure", "--name", "Test", "--host", "wms.test", "--config", str(config)]
    said = CliRunner().invoke(app, [*words, "--root", str(tmp_path)])
    assert said.exit_code == 0, said.output
    settings = load_config(config)  # With every certificate that it names.
    assert (settings.trust.public_url, settings.mqtt.port) == ("https://wms.test:8000", 8884)
    broker = (tmp_path / "etc/mosquitto/conf.d/dockledger.conf").read_text()
    # Debian's mosquitto.conf says it, and mosquitto starts with nothing that is said twice.
    assert "persistence_location" not in broker
    assert sorted(path.name for path in tmp_path.iterdir()) == ["central.toml", "etc", "var"]
    # Run again, where our package lies: the broker's unit lets central hear whom it refuses.
    examples = tmp_path / "usr/share/doc/dockledger-central/examples"
    for unit in UNITS:
        (examples / unit).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "systemd" / unit, examples / unit)
    assert CliRunner().invoke(app, [*words, "--root", str(tmp_path)]).exit_code == 0
    assert load_config(config).trust.broker_log == BROKER_LOG
    assert "log_type debug\n" in broker
    for unit in UNITS:
        there = tmp_path / "etc/systemd/system" / unit
        assert there.read_bytes() == (ROOT / "systemd" / unit).read_bytes()
