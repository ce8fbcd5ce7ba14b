"""The configuration file: every mistake names line and key."""

from pathlib import Path

import pytest

from central import config
from central.config import load_config
from central.errors import ConfigInvalid

GOOD = """\
# The ledger of the demo
[database]
url = "sqlite:////tmp/ledger.db"

[mqtt]
host = "127.0.0.1"
port = 1883

[http]
port = 8080

[ledger]
site = "demo"
"""


def written(tmp_path, text):
    path = tmp_path / "central.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_good_file_is_read_and_the_rest_has_defaults(tmp_path):
    read = load_config(written(tmp_path, GOOD))
    assert (read.database.url, read.ledger.site) == ("sqlite:////tmp/ledger.db", "demo")
    assert (read.mqtt.port, read.mqtt.username, read.mqtt.tls_ca_file) == (1883, "", "")
    assert (read.http.host, read.http.port) == ("127.0.0.1", 8080)


def test_a_password_comes_from_its_own_file_beside_the_configuration(tmp_path):
    (tmp_path / "secret").write_text("hush\n")
    text = GOOD.replace("port = 1883", 'username = "central"\npassword_file = "secret"')
    assert load_config(written(tmp_path, text)).mqtt.password == "hush"


MISTAKES = [
    pytest.param("port = 1883", 'port = "1883"', "line 7: mqtt.port", id="a text for a number"),
    pytest.param("port = 8080", "port = 99999", "line 10: http.port", id="no such port"),
    pytest.param("port = 8080", "prot = 8080", "line 10: http.prot", id="a key misspelt"),
    pytest.param('site = "demo"', 'site = "de/mo"', "line 13: ledger.site", id="no code"),
    pytest.param('site = "demo"', "", "line 12: ledger.site", id="a key missing"),
    pytest.param('[ledger]\nsite = "demo"', "", "line 1: ledger", id="a section missing"),
    pytest.param("[http]", "[htpp]", "line 9: htpp", id="a section misspelt"),
    pytest.param('site = "demo"', "site = demo", "line 13", id="no TOML"),
    pytest.param("port = 1883", 'password_file = "gone"', "gone", id="no password file"),
    pytest.param("[http]", "[epcis]\nbase_url = 1\n[http]", "line 10: epcis.base_url", id="no key"),
    pytest.param(
        "port = 1883", 'tls_ca_file = "gone.pem"', "line 7: mqtt.tls_ca_file", id="no certificates"
    ),
    pytest.param("port = 8080", 'tls_key_file = "k.pem"', "line 10: http.tls", id="half of TLS"),
    pytest.param(
        "port = 8080",
        'tls_key_file = "k.pem"\ntls_certificate_file = "c.pem"',
        "line 11: http.tls_certificate_file",
        id="no files of TLS",
    ),
    pytest.param(
        "port = 1883",
        'password = "a"\npassword_file = "b"',
        "line 8: mqtt.password_file",
        id="two passwords",
    ),
]


@pytest.mark.parametrize(("good", "bad", "named"), MISTAKES)
def test_a_mistake_is_named_by_line_and_key(tmp_path, good, bad, named):
    assert good in GOOD
    with pytest.raises(ConfigInvalid) as caught:
        load_config(written(tmp_path, GOOD.replace(good, bad)))
    assert named in str(caught.value)
    assert caught.value.hint


def with_base_uri(tmp_path, base_uri):
    text = GOOD.replace("[http]", f'[epcis]\nbase_uri = "{base_uri}"\n\n[http]')
    return load_config(written(tmp_path, text))


@pytest.mark.parametrize(
    "base_uri",
    [
        "",
        "https://id.example.com",
        "https://id.example.com:8443/stock/of~us/%E4%BB%93",
        "https://h/" + "a" * 190,
    ],
    ids=["none", "a host", "port and path", "the longest"],
)
def test_what_begins_identifiers_is_kept_as_it_is_written(tmp_path, base_uri):
    assert with_base_uri(tmp_path, base_uri).epcis.base_uri == base_uri


@pytest.mark.parametrize(
    "base_uri",
    [
        "http://id.example.com",
        "https://id.example.com/",
        "https://id.example.com/stock/",
        "https://id.example.com/a//b",
        "https://id.example.com/stock?of=us",
        "https://id.example.com/stock#us",
        "https://me@id.example.com",
        "https://id.example.com/our stock",
        "https://id.example.com/仓",
        "https://id.example.com/%4",
        "https://",
        "https://-",
        "id.example.com",
        "https://h/" + "a" * 191,
    ],
)
def test_what_cannot_begin_an_identifier_is_named_by_line_and_key(tmp_path, base_uri):
    with pytest.raises(ConfigInvalid, match=r"line 10: epcis\.base_uri: ") as caught:
        with_base_uri(tmp_path, base_uri)
    assert "https://" in caught.value.hint


def test_the_example_is_a_whole_file_also_with_all_that_it_leaves_out(tmp_path):
    text = (Path(config.__file__).parent / "central.example.toml").read_text()
    assert load_config(written(tmp_path, text)).epcis.base_uri == ""
    for line in ("# [epcis]", '# base_uri = "https://id.example.com/stock"'):
        assert line in text
        text = text.replace(line, line.removeprefix("# "))
    assert load_config(written(tmp_path, text)).epcis.base_uri == "https://id.example.com/stock"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"#" * 100_000])
def test_any_file_raises_only_the_documented_error(tmp_path, content):
    with pytest.raises(ConfigInvalid):
        load_config(written(tmp_path, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigInvalid, match="nowhere"):
        load_config(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("given", "keys", "place"),
    [
        ("port = 1883", ["tls_ca_file"], "line 7: mqtt.tls_ca_file"),
        ("port = 8080", ["tls_certificate_file", "tls_key_file"], "line 10: http.tls_certificate"),
    ],
    ids=["authority", "certificate and key"],
)
def test_a_file_that_holds_no_certificate_is_named_before_anything_starts(
    tmp_path, given, keys, place
):
    (tmp_path / "rubbish.pem").write_text("no certificate")
    settings = "\n".join(f'{key} = "rubbish.pem"' for key in keys)
    with pytest.raises(ConfigInvalid, match=place):
        load_config(written(tmp_path, GOOD.replace(given, settings)))
