"""Signing in through an identity provider: a real one on loopback, honest and otherwise."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from central.config_access import AccessSection, OidcSection, checked_access
from central.errors import ConfigInvalid
from tests.central.access.people import NOW_MS, People

CLIENT, SECRET = "dockledger", "hush"
KEY, OTHER_KEY = (
    ECKey.generate_key("P-256", parameters={"kid": name}) for name in ("one", "other")
)


class Identity:
    """An identity provider. changes: of the claims that it says. key: that it signs with."""

    def __init__(self):
        self.changes, self.key, self.asked = {}, KEY, {}
        self.groups = ["dock"]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def log_in(self, address):
        """What its page does: the browser comes back with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        self.asked["code-1"] = asked
        return {"code": "code-1", "state": asked["state"]}

    def token(self, form, authorization):
        """What the token endpoint answers."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.asked.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            authorization != f"Basic {expected}"
            or not asked
            or asked["code_challenge"] != challenge
        ):
            return 400, {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "4711",
            "iat": NOW_MS // 1000,
            "exp": NOW_MS // 1000 + 300,
            "nonce": asked["nonce"],
            "preferred_username": "Li.Na@example.com",
            "name": "李娜",
            "groups": self.groups,
        } | self.changes
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": self.key.kid}
        answer = {"access_token": "x", "token_type": "Bearer"}
        return 200, answer | {"id_token": jwt.encode(header, claims, self.key)}

    def _handler(self):
        identity = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                pages = {
                    "/.well-known/openid-configuration": {
                        "issuer": identity.issuer,
                        "authorization_endpoint": f"{identity.issuer}/authorize",
                        "token_endpoint": f"{identity.issuer}/token",
                        "jwks_uri": f"{identity.issuer}/keys",
                    },
                    "/keys": KeySet([KEY]).as_dict(private=False),
                }
                self._answer(200, pages[self.path])

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(*identity.token(form, self.headers.get("Authorization", "")))

            def _answer(self, status, answer):
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        return Handler


@pytest.fixture(scope="module")
def provider():
    identity = Identity()
    yield identity
    identity.close()


@pytest.fixture
def identity(provider):
    provider.changes, provider.key, provider.groups = {}, KEY, ["dock"]
    return provider


@pytest.fixture
def people(lite, identity):
    section = OidcSection(
        issuer=identity.issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect_url="http://central/login/oidc/back",
        roles={"dock": "keeper@SH1", "office": "buyer"},
        label="Acme",
    )
    return People(lite, oidc=section)


def _come_back(people, identity, *, visitor=None, **changes):
    visitor = visitor or people.browser()
    gone = visitor.ask("GET", "/login/oidc?next=/counts", page=True)
    assert gone.status_code == 303, gone.text
    back = identity.log_in(gone.headers["location"]) | changes
    return visitor, visitor.ask("GET", "/login/oidc/back", params=back, page=True)


def test_somebody_of_a_known_group_comes_in_with_its_role(people, identity):
    assert "Acme" in people.browser().ask("GET", "/login", page=True).text
    visitor, answer = _come_back(people, identity)
    assert (answer.status_code, answer.headers["location"]) == (303, "/counts"), answer.text
    assert visitor.ask("GET", "/api/v1/counts").status_code == 200
    assert visitor.ask("GET", "/api/v1/counts?warehouse=BJ1").status_code == 404
    user = people.user("li.na")
    assert (user.display_name, user.password_hash) == ("李娜", "")
    assert user.external == f"{identity.issuer} 4711"
    assert people.browser().sign_in("li.na", "").status_code == 401


def test_roles_follow_the_groups_at_each_sign_in(people, identity):
    _come_back(people, identity)
    identity.groups = ["office"]
    visitor, _ = _come_back(people, identity)
    assert visitor.ask("GET", "/api/v1/purchase-orders").status_code == 200
    assert visitor.ask("GET", "/api/v1/counts").status_code == 403
    assert ("li.na", "granted", "provider") in people.events("user")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"nonce": "another"}, id="another-nonce"),
        pytest.param({"nonce": None}, id="no-nonce"),
        pytest.param({"aud": "another-client"}, id="for-another-client"),
        pytest.param({"aud": [CLIENT, "x"], "azp": "x"}, id="made-for-another-party"),
        pytest.param({"iss": "https://evil.example"}, id="another-issuer"),
        pytest.param({"exp": NOW_MS // 1000 - 120}, id="has-ended"),
        pytest.param({"sub": None}, id="of-nobody"),
    ],
)
def test_a_token_that_says_something_else_is_not_believed(people, identity, changes):
    identity.changes = changes
    visitor, answer = _come_back(people, identity)
    assert answer.status_code == 401
    assert visitor.ask("GET", "/api/v1/counts").status_code == 401
    assert people.user("li.na") is None
    assert people.access.refusals.totals()["oidc_forged"] == 1


def test_a_token_that_somebody_else_signed_is_not_believed(people, identity):
    identity.key = OTHER_KEY
    assert _come_back(people, identity)[1].status_code == 401
    assert people.told() == [("credential_refused", "address:192.0.2.7", "1")]


def test_a_state_of_another_browser_or_of_before_is_refused(people, identity):
    assert _come_back(people, identity, state="0" * 64)[1].status_code == 401
    victim = people.browser()
    gone = people.browser().ask("GET", "/login/oidc", page=True)
    back = identity.log_in(gone.headers["location"])
    assert victim.ask("GET", "/login/oidc/back", params=back, page=True).status_code == 401
    visitor = people.browser()
    gone = visitor.ask("GET", "/login/oidc", page=True)
    kept = dict(visitor.cookies)
    back = identity.log_in(gone.headers["location"])
    assert visitor.ask("GET", "/login/oidc/back", params=back, page=True).status_code == 303
    visitor.cookies = kept
    assert visitor.ask("GET", "/login/oidc/back", params=back, page=True).status_code == 401


def test_a_code_that_was_made_for_another_sign_in_is_refused(people, identity):
    for _ in range(5):
        assert people.told() == []
        assert _come_back(people, identity, code="stolen")[1].status_code == 401
    assert people.told() == [("credential_refused", "address:192.0.2.7", "5")]


def test_whoever_has_no_role_or_a_name_of_somebody_here_stays_out(people, identity):
    identity.groups = ["canteen"]
    assert _come_back(people, identity)[1].status_code == 401
    identity.groups = ["dock"]
    identity.changes = {"preferred_username": "administrator"}
    assert _come_back(people, identity)[1].status_code == 401
    assert people.user("administrator").external == ""


def test_a_dismissed_colleague_does_not_come_back_through_the_provider(people, identity):
    _come_back(people, identity)
    people.browser("administrator").change("POST", "/api/v1/users/li.na/disable")
    assert _come_back(people, identity)[1].status_code == 401


@pytest.mark.parametrize(
    ("issuer", "taken"),
    [
        ("https://idp.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://idp.example", False),
        ("idp.example", False),
    ],
)
def test_a_provider_is_asked_over_tls_alone(issuer, taken):
    oidc = OidcSection(issuer=issuer, client_id="x", redirect_url="https://central/login/oidc/back")
    section = AccessSection(oidc=oidc)
    if taken:
        assert checked_access(Path("c.toml"), section, http_host="0.0.0.0") == section
    else:
        with pytest.raises(ConfigInvalid, match="not https"):
            checked_access(Path("c.toml"), section, http_host="0.0.0.0")
