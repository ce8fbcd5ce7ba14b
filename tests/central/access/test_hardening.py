"""What makes a stolen database, a shared browser and a lured one worth less."""

import ssl

import pytest
from pyotp import TOTP
from starlette.routing import Route

from central.access.guessed_passwords import is_guessed
from central.access.refusals import Refusals
from central.access.sealed_secrets import MARK, Seal, read_seal
from central.access.sessions import csrf_of
from central.config import HttpSection
from central.config_access import AccessSection, checked_access
from central.errors import ConfigInvalid
from central.storage.access_tables import access_users
from central.web.app import create_app
from central.web.serving import web_config
from tests.central.access.people import PASSWORD, People
from tests.central.access.test_sign_in import _code
from tests.central.certificates import write_certificate
from tests.central.clients import ask, call
from tests.central.scenery import FixedClock, rows

KEY = "5a" * 32
ACCOUNT = "/api/v1/account/second-factor"


def kept_secrets(people):
    found = rows(people.database, access_users, "name", "totp_secret", "totp_waiting")
    return [text for name, *texts in found if name == "finance" for text in texts if text]


def set_up(people):
    """Set up the second factor of `finance`; returns its secret and the recovery codes."""
    visitor = people.browser("finance")
    visitor.change("POST", ACCOUNT, {"present": PASSWORD})
    (waiting,) = kept_secrets(people)
    secret = people.access.seal.opened(waiting, name="finance")
    assert secret in visitor.ask("GET", "/account", page=True).text
    code = TOTP(secret).generate_otp(people.clock.ms // 30_000)
    codes = visitor.change("POST", f"{ACCOUNT}/confirm", {"code": code}).json()["codes"]
    people.clock.ms += 60_000
    return secret, codes


def comes_in(people, code):
    visitor = people.browser()
    visitor.sign_in("finance")
    return _code(visitor, code).status_code == 303


def now(people, secret):
    return TOTP(secret).generate_otp(people.clock.ms // 30_000)


def test_with_a_key_no_secret_of_a_second_factor_is_in_the_database(database):
    people = People(database, seal=Seal(KEY))
    secret, _ = set_up(people)
    (kept,) = kept_secrets(people)
    assert kept.startswith(MARK) and secret not in kept
    assert comes_in(people, now(people, secret))


def test_what_was_kept_before_there_was_a_key_is_sealed_at_the_next_sign_in(lite):
    people = People(lite)
    secret, _ = set_up(people)
    assert kept_secrets(people) == [secret]
    people.access.seal = Seal(KEY)
    assert comes_in(people, now(people, secret))
    (kept,) = kept_secrets(people)
    assert kept.startswith(MARK)


@pytest.mark.parametrize("seal", [Seal("6b" * 32), Seal()], ids=["another key", "no key"])
def test_without_its_key_a_recovery_code_still_lets_its_owner_in_and_no_code_does(lite, seal):
    people = People(lite, seal=Seal(KEY))
    secret, codes = set_up(people)
    people.access.seal = seal
    assert not comes_in(people, now(people, secret))
    assert comes_in(people, codes[0])


def test_a_sealed_secret_is_its_owners_alone():
    seal = Seal(KEY)
    kept = seal.closed("JBSWY3DPEHPK3PXP", name="ann")
    assert seal.opened(kept, name="ann") == "JBSWY3DPEHPK3PXP"
    assert seal.opened(kept, name="bob") == ""
    assert seal.opened(kept[:-4] + "AAAA", name="ann") == ""
    assert seal.opened(MARK + "not base64!", name="ann") == ""
    assert KEY not in repr(seal)


def test_the_key_is_read_beside_the_configuration_and_has_to_be_one(tmp_path):
    (tmp_path / "access.key").write_text(f"{KEY}\n", encoding="ascii")
    section = AccessSection(sealing_key_file="access.key")
    read = checked_access(tmp_path / "central.toml", section, http_host="127.0.0.1")
    kept = read_seal(read.sealing_key_file).closed("A", name="ann")
    assert Seal(KEY).opened(kept, name="ann") == "A"
    assert read_seal("").closed("A", name="ann") == "A"
    (tmp_path / "access.key").write_text("short", encoding="ascii")
    for file in (read.sealing_key_file, str(tmp_path / "nothing")):
        with pytest.raises(ConfigInvalid, match="sealing_key_file"):
            read_seal(file)


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Password2026!!", "P@ssw0rd1234", "qwertyuiop123", "1q2w3e4r5t6y",
        "1qaz2wsx3edc", "123456789012", "010203040506", "112233445566", "abcdefghijkl",
        "iloveyou1314", "passwordpassword", "administrator", "dockledger2026", "zaq1xsw2cde3",
        "letmein letmein", "Shanghai-2026", "aaaaaaaaaaaaaa", "ghjcnjgfhjkm", "keeper-keeper-1",
        "trustno1trustno1", "Welcome1Welcome1", "asdfghjkl123", "            ",
    ],
)  # fmt: skip
def test_a_common_password_is_not_taken(password):
    assert is_guessed(password, name="keeper")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "nine horses eat slowly", "dragon shadow master killer",
        "w7#Kd0!mZqP2", "tHq83kdLw02m", "仓库里的九匹马慢慢吃草吧", "brick lamp ferry cloud 12",
    ],
)  # fmt: skip
def test_a_password_of_several_words_or_of_chance_is_taken(password):
    assert not is_guessed(password, name="keeper")


@pytest.mark.parametrize(
    ("length", "status"), [(11, 422), (12, 200), (64, 200), (128, 200), (129, 422)]
)
def test_a_password_has_12_to_128_characters(people, length, status):
    new = ("brick lamp ferry cloud owns " * 6)[:length]
    body = {"present": PASSWORD, "password": new, "again": new}
    visitor = people.browser("keeper")
    assert visitor.change("POST", "/api/v1/account/password", body).status_code == status


def test_what_somebody_signed_in_for_is_kept_on_no_disk(people):
    visitor = people.browser("keeper")
    for path in ("/stock", "/account", "/api/v1/stock"):
        answer = visitor.ask("GET", path, page=not path.startswith("/api"))
        assert answer.headers["cache-control"] == "no-store", path


def test_over_tls_browsers_are_told_to_stay_there(lite):
    app = create_app(database=lite, clock=FixedClock(), site="demo")
    plain, secure = ask(app, "/login"), ask(app, "https://central/login")
    assert "strict-transport-security" not in plain.headers
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
    for answer in (plain, secure):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200), ("localhost", 200), ("[::1]:8080", 200), ("127.9.9.9", 200),
        ("evil.example:8080", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil", 421),
        ("", 421), ("[::1", 421), ("192.0.2.7", 421),
    ],
)  # fmt: skip
def test_without_sign_in_only_this_machines_own_names_are_answered(lite, host, status):
    app = create_app(database=lite, clock=FixedClock(), site="demo", loopback_only=True)
    assert ask(app, "/api/v1/stock", headers={"Host": host}).status_code == status
    lured = {"Host": host, "Origin": f"http://{host}"}
    change = call(app, "POST", "/api/v1/items", headers=lured, json={})
    assert (change.status_code == 421) == (status == 421)


def test_tls_is_1_2_or_1_3_with_forward_secrecy_and_authenticated_ciphers(tmp_path, lite):
    certificate, key = write_certificate(tmp_path)
    http = HttpSection(tls_certificate_file=str(certificate), tls_key_file=str(key))
    app = create_app(database=lite, clock=FixedClock(), site="demo")
    config = web_config(app, http, Refusals())
    config.load()
    assert config.ssl.minimum_version is ssl.TLSVersion.TLSv1_2
    names = [one["name"] for one in config.ssl.get_ciphers()]
    assert names
    for name in names:
        assert name.startswith(("TLS_", "ECDHE-")), name
        assert "GCM" in name or "CHACHA20" in name, name


def test_an_error_that_nobody_foresaw_shows_no_trace_and_no_version(lite):
    async def fails(_scope, _receive, _send):
        raise RuntimeError("secret of the program")

    app = create_app(database=lite, clock=FixedClock(), site="demo")
    app.router.routes.insert(0, Route("/fails", fails))
    answer = ask(app, "/fails")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


def test_what_is_refused_is_logged_without_who_it_was(people, caplog):
    caplog.set_level("INFO")
    people.browser().ask("GET", "/api/v1/stock")
    people.browser("keeper").ask("GET", "/api/v1/users")
    people.browser("administrator").ask("POST", "/api/v1/users", json={})
    told = [record for record in caplog.records if record.message == "access refused"]
    assert [(one.status, one.path) for one in told] == [
        (401, "/api/v1/stock"),
        (403, "/api/v1/users"),
        (403, "/api/v1/users"),
    ]
    assert all("keeper" not in str(vars(one)) for one in told)


def test_a_recovery_code_has_at_least_112_bits(people):
    _, codes = set_up(people)
    assert len({*codes}) == len(codes)
    assert all(4 * len(code.replace("-", "")) >= 112 for code in codes)


def test_a_body_of_another_type_is_refused(people):
    visitor = people.browser("administrator")
    token = {"Dockledger-Csrf": csrf_of(visitor.cookies["dockledger"])}
    for kind in ("text/plain", "application/xml", "multipart/form-data"):
        headers = token | {"Content-Type": kind}
        body = b'{"name": "eve", "roles": []}'
        answer = visitor.ask("POST", "/api/v1/users", headers=headers, content=body)
        assert answer.status_code == 415, kind
    assert people.user("eve") is None


def test_no_other_site_may_read_an_answer(people):
    visitor = people.browser("keeper")
    for origin in ("https://evil.example", "null"):
        for method in ("GET", "OPTIONS"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            answer = visitor.ask(method, "/api/v1/stock", headers=asked)
            assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
