"""The configuration file: what it gives, and how each mistake in it is answered. Edge of files."""

import re
from pathlib import Path

import msgspec
import pytest

from drivers.registry import load_driver
from gateway import config_sections
from gateway.config import load_config, read_password
from gateway.config_lines import find_line
from gateway.config_sections import EXAMPLES
from gateway.errors import ConfigInvalid

EXAMPLE = Path(config_sections.__file__).with_name("gateway.example.toml")
SMALL = """\
[gateway]
code = "g1"
warehouse = "sh1"
data_directory = "data"

[station]
code = "dock-2"
receive_location = "dock-1"

[mqtt]
host = "127.0.0.1"

[[device]]
name = "scanner"
driver = "scanner-tcp"
settings = { host = "127.0.0.1", port = 4001 }

[[device]]
name = "scale"
driver = "mt-sics-tcp"
[device.settings]
host = "127.0.0.1"
port = 4305
"""


def write(tmp_path, text):
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_loads_and_its_devices_settings_are_their_drivers_own():
    config = load_config(EXAMPLE)
    assert config.gateway.code == "sh1-dock-2"
    for device in config.devices:
        load_driver(device.driver).parse_settings(device.settings)


def test_the_example_shows_and_explains_every_key():
    text = EXAMPLE.read_text("utf-8")
    for section, struct in {
        "gateway": config_sections.GatewaySection,
        "station": config_sections.StationSection,
        "mqtt": config_sections.MqttSection,
        "central": config_sections.CentralSection,
        "identity": config_sections.IdentitySection,
        "ledger": config_sections.LedgerSection,
        "screen": config_sections.ScreenSection,
    }.items():
        for key in struct.__struct_fields__:
            line = find_line(text, f"{section}.{key}")
            lines = text.splitlines()
            assert lines[line - 1].startswith(f"{key} ="), f"{section}.{key} is not in the example"
            before = lines[line - 2]
            assert before.startswith("#") or key == "password_file", f"{key} has no comment"


def test_every_key_has_an_example_of_what_to_write():
    keys = set()
    for field in msgspec.structs.fields(config_sections.GatewayConfig):
        listed = {
            "dock_door": config_sections.DoorSection,
            "device": config_sections.DeviceSection,
            "station": config_sections.StationSection,
            "stations": config_sections.StationSection,
        }
        struct = field.type if isinstance(field.type, type) else listed[field.encode_name]
        keys |= {field.encode_name}
        keys |= {f"{field.encode_name}.{name}" for name in struct.__struct_fields__}
    assert keys == set(EXAMPLES)


def test_defaults_stand_in_for_what_is_left_out(tmp_path):
    config = load_config(write(tmp_path, SMALL))
    assert config.gateway.site == "main"
    assert (config.mqtt.port, config.mqtt.keepalive_s) == (1883, 15)
    assert (config.screen.host, config.screen.port) == ("127.0.0.1", 8081)
    assert [device.name for device in config.devices] == ["scanner", "scale"]
    assert config.devices[1].settings == {"host": "127.0.0.1", "port": 4305}


def test_relative_paths_are_relative_to_the_file(tmp_path):
    assert load_config(write(tmp_path, SMALL)).gateway.data_directory == str(tmp_path / "data")


def replaced(old, new):
    assert old in SMALL
    return SMALL.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            replaced('host = "127.0.0.1"', 'host = "127.0.0.1"\nport = "x"'),
            "gateway.toml line 12, mqtt.port: expected int, got str",
            "write for example port = 1883",
        ),
        (
            replaced('host = "127.0.0.1"', 'host = "127.0.0.1"\nport = 70000'),
            "gateway.toml line 12, mqtt.port: expected int <= 65535",
            "write for example port = 1883",
        ),
        (
            replaced('host = "127.0.0.1"', 'hots = "127.0.0.1"'),
            "gateway.toml line 11, mqtt.hots: there is no such key",
            "did you mean host?",
        ),
        (
            replaced("[mqtt]", "[mttq]"),
            "gateway.toml line 10, mttq: there is no such key",
            "did you mean mqtt?",
        ),
        (
            replaced('host = "127.0.0.1"', 'host = "127.0.0.1"\nzzz = 1'),
            "gateway.toml line 12, mqtt.zzz: there is no such key",
            "remove it; [mqtt] knows host, port, username",
        ),
        (
            replaced('code = "g1"\n', ""),
            "gateway.toml line 1, gateway.code: is missing",
            'write for example code = "sh1-dock-2"',
        ),
        (
            replaced('code = "g1"', 'code = "dock 2"'),
            "gateway.toml line 2, gateway.code: code code 'dock 2' is not usable",
            'write for example code = "sh1-dock-2"',
        ),
        (
            replaced('name = "scale"', 'name = "scanner"'),
            "gateway.toml line 19, device[1].name: a second device is called 'scanner'",
            "give each device a name of its own",
        ),
        (
            replaced('driver = "mt-sics-tcp"', "driver = 5"),
            "gateway.toml line 20, device[1].driver: expected str, got int",
            'write for example driver = "scanner-serial"',
        ),
        (
            replaced('"dock-1"', '"dock-1"\nship_location = "customer"'),
            "gateway.toml line 9, station.ship_location: nothing is kept at customer",
            'write for example ship_location = "stage-1"',
        ),
        (
            replaced('receive_location = "dock-1"', 'receive_location = "supplier"'),
            "gateway.toml line 8, station.receive_location: nothing is kept at supplier",
            'write for example receive_location = "dock-1"',
        ),
        (
            replaced('code = "dock-2"', 'code = "dock-2"\nsscc_company_prefix = "12a"'),
            "gateway.toml line 8, station.sscc_company_prefix: not 4 to 12 digits",
            'write for example sscc_company_prefix = "6901234"',
        ),
        (
            replaced('warehouse = "sh1"', 'warehouse = "sh1"\nlanguage = "de"'),
            "gateway.toml line 4, gateway.language: invalid enum value 'de'",
            'write for example language = "en" or language = "zh"',
        ),
        (
            replaced('host = "127.0.0.1"', 'host = "h"\npassword = "a"\npassword_file = "b"'),
            "gateway.toml line 12, mqtt.password: there is a password_file too",
            "keep only password_file",
        ),
        (
            replaced("[station]", "[station"),
            "gateway.toml line 6: not TOML",
            "Write key = value",
        ),
        (
            replaced('code = "g1"', 'code = "g1"\ncode = "g2"'),
            "gateway.toml line 3: not TOML: Cannot overwrite a value",
            "Write key = value",
        ),
    ],
    ids=lambda value: value.partition(": ")[2][:40] if value.startswith("gateway.toml") else "",
)
def test_a_mistake_is_answered_with_line_key_and_what_to_write(tmp_path, text, message, hint):
    with pytest.raises(ConfigInvalid) as raised:
        load_config(write(tmp_path, text))
    assert str(raised.value).startswith(message)
    assert raised.value.hint.startswith(hint)


def doors(*sections):
    return SMALL + "".join(f"\n[[dock_door]]\n{section}\n" for section in sections)


@pytest.mark.parametrize(
    ("sections", "line", "message"),
    [
        (["read_point = 'D 1'\ninside = ['r']"], 1, "[0].read_point: read_point code 'D 1' is not"),
        (["read_point = ''\ninside = ['r']"], 1, "[0].read_point: read_point code '' is not"),
        (["read_point = 'D'\ninside = ['r:0']"], 2, "[0].inside[0]: expected str matching"),
        (["read_point = 'D'\ninside = ['r']\nrest_s = 1"], 3, "[0].rest_s: expected float >= 5.0"),
        (["read_point = 'D'"], 0, "[0]: expected antennas in inside or outside, and none in both"),
        (
            ["read_point = 'D'\ninside = ['r:1']", "read_point = 'D'\ninside = ['r:2']"],
            5,
            "[1].read_point: a second door is called 'D'",
        ),
        (
            ["read_point = 'D'\ninside = ['r:1']", "read_point = 'E'\noutside = ['r:1']"],
            6,
            "[1].outside: 'r:1' is of another door already",
        ),
        (
            ["read_point = 'D'\ninside = ['r']", "read_point = 'E'\ninside = ['r:2']"],
            6,
            "[1].inside: 'r:2' is of another door already",
        ),
        (
            ["read_point = 'D'\ninside = ['r:1']", "read_point = 'E'\noutside = ['q', 'r']"],
            6,
            "[1].outside: 'r' is of another door already",
        ),
    ],
    ids=["space", "empty", "antenna 0", "rest", "none", "twice", "shared", "of all", "all of"],
)
def test_a_mistake_in_a_dock_door_is_answered_with_its_line(tmp_path, sections, line, message):
    # `line`: in the first section, of which the heading is line 0.
    heading = SMALL.count("\n") + 2
    with pytest.raises(ConfigInvalid) as raised:
        load_config(write(tmp_path, doors(*sections)))
    assert str(raised.value).startswith(f"gateway.toml line {heading + line}, dock_door{message}")
    assert raised.value.hint


def test_one_reader_may_serve_two_doors(tmp_path):
    sections = [
        "read_point = 'D'\ninside = ['r:1']\noutside = ['r:2']",
        "read_point = 'E'\ninside = ['r:3', 'q']\noutside = ['r:4']",
    ]
    assert len(load_config(write(tmp_path, doors(*sections))).dock_doors) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [(b'[gateway]\ncode = "\xff"', "line 2: not UTF-8"), (b"#" * 2_000_000, "larger than")],
    ids=["not UTF-8", "too large"],
)
def test_a_file_that_is_no_text_of_reasonable_size_is_refused(tmp_path, data, words):
    path = tmp_path / "gateway.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigInvalid, match=words):
        load_config(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigInvalid, match=re.escape(str(tmp_path / "none.toml"))) as raised:
        load_config(tmp_path / "none.toml")
    assert "--config" in raised.value.hint


def test_the_password_comes_from_its_file_without_the_line_end(tmp_path):
    (tmp_path / "secret").write_text("pass word\n")
    text = replaced('host = "127.0.0.1"', 'host = "h"\npassword_file = "secret"')
    assert read_password(load_config(write(tmp_path, text)).mqtt) == "pass word"
    (tmp_path / "secret").unlink()
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        read_password(load_config(tmp_path / "gateway.toml").mqtt)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("gateway", 1),
        ("gateway.code", 2),
        ("mqtt.none", 10),
        ("device", 13),
        ("device[0].name", 14),
        ("device[0].settings.port", 16),
        ("device[1].settings.port", 23),
        ("device[1].settings.none", 21),
        ("nothing", 1),
    ],
)
def test_the_line_of_a_key_is_found(key, line):
    assert find_line(SMALL, key) == line


def test_a_text_over_several_lines_holds_no_keys():
    assert find_line('a = """\nb = 1\n"""\nb = 2\n', "b") == 4


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("keep_days = 13", "journal.keep_days: expected int >= 14"),
        ("alibi_keep_days = 89", "journal.alibi_keep_days: expected int >= 90"),
        ("quota_bytes = 1000", "quota_bytes is 0 for none, or at least 67108864"),
        ("copy = '/mnt'", "journal.copy: there is no such key"),
    ],
)
def test_a_journal_that_would_be_kept_too_short_or_too_small_is_refused(tmp_path, section, words):
    path = tmp_path / "gateway.toml"
    path.write_text(f"{SMALL}\n[journal]\n{section}\n", encoding="utf-8")
    with pytest.raises(ConfigInvalid, match=re.escape(words)):
        load_config(path)


def test_the_copys_folder_is_found_from_the_files_own(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(f"{SMALL}\n[journal]\ncopy_directory = 'stick'\n", encoding="utf-8")
    assert load_config(path).journal.copy_directory == str(tmp_path / "stick")
