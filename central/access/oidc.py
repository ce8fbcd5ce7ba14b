"""Lets people in whom an identity provider vouches for. Edge of OpenID Connect.

    browser -> /login/oidc -> provider -> /login/oidc/back?code&state -> token -> who, which groups

Code flow with PKCE (RFC 7636), `state` bound to the browser by a cookie, `nonce` in the ID token.
Source: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7; Discovery 1.0, section 4.
"""

import hmac
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, select

from central.access import users
from central.access.access import Access, Browser, SignedIn
from central.access.failures import address_subject
from central.access.permissions import Grant
from central.access.refusals import RefusalKind
from central.access.sessions import JOURNEY_MS, digest_of
from central.config_access import OidcSection
from central.errors import DeskRefused, SignInRefused
from central.storage import bulk
from central.storage.access_tables import access_journeys

with warnings.catch_warnings():
    # It asks for a fork of httpx, which nothing here needs; its own filter comes with it.
    from authlib.deprecate import AuthlibDeprecationWarning

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client

WAIT_S = 8.0
JOURNEYS_MAX = 1000  # Under way at once; beyond, the oldest are forgotten.
LEEWAY_S = 60
# Signatures of whoever has a private key; never "none", and none by the shared secret.
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
GROUPS_MAX = 500
SCOPE = "openid profile email"
NAME_CLAIMS = ("preferred_username", "email", "sub")
NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a browser goes, and what it keeps meanwhile."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of somebody."""

    issuer: str
    subject: str
    name: str
    display_name: str
    groups: frozenset[str]


class Provider:
    """One identity provider, for several threads; what it publishes is fetched when needed."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._section: OidcSection = access.section.oidc
        self._lock = Lock()
        self._known: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None

    def begin(self, *, next_path: str) -> Begun:
        """Return where to send a browser. Raises SignInRefused, LedgerUnavailable."""
        access = self._access
        state, nonce, verifier = (access.new_secret() for _ in range(3))
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._metadata()["authorization_endpoint"],
                state=state,
                nonce=nonce,
                code_verifier=verifier,
            )
        now_ms, table = access.clock.now_ms(), access_journeys
        with access.database.write() as connection:
            connection.execute(delete(table).where(table.c.made_ms < now_ms - JOURNEY_MS))
            kept = select(table.c.digest).order_by(table.c.made_ms.desc())
            old = list(connection.execute(kept).scalars())[JOURNEYS_MAX - 1 :]
            bulk.delete_by_key(connection, table, [(one,) for one in old])
            row = (digest_of(state), nonce, verifier, next_path, now_ms)
            bulk.insert_rows(connection, table, [row])
        return Begun(str(url), state)

    def finish(
        self, *, state: str, kept_state: str, code: str, browser: Browser
    ) -> tuple[SignedIn, str]:
        """Return the session of whoever comes back, and where they wanted to go.

        kept_state: what the browser was given when it left. Raises SignInRefused.
        """
        if not state or not hmac.compare_digest(state.encode(), kept_state.encode()):
            self._count("oidc_not_begun", browser)
            raise _not_begun()
        nonce, verifier, next_path = self._journey(state, browser=browser)
        claims = self._claims(code, nonce=nonce, verifier=verifier, browser=browser)
        try:
            user = self._user(claims)
        except DeskRefused as error:
            raise SignInRefused(str(error), hint=error.hint) from error
        return self._access.sign_in_external(user, browser=browser), next_path

    def _journey(self, state: str, *, browser: Browser) -> tuple[str, str, str]:
        """Return what was kept of a sign-in that is under way; it can be finished once."""
        table, now_ms = access_journeys, self._access.clock.now_ms()
        with self._access.database.write() as connection:
            row = connection.execute(
                select(table).where(table.c.digest == digest_of(state)).with_for_update()
            ).one_or_none()
            bulk.delete_by_key(connection, table, [(digest_of(state),)])
        if row is None or now_ms - row.made_ms > JOURNEY_MS:
            self._count("oidc_not_begun", browser)
            raise _not_begun()
        return row.nonce, row.verifier, row.next_path

    def _claims(self, code: str, *, nonce: str, verifier: str, browser: Browser) -> Claims:
        try:
            with self._client() as client:
                token = client.fetch_token(
                    self._metadata()["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
            text = str(token.get("id_token") or "")
            return self._checked(text, nonce=nonce)
        except (OAuthError, httpx.HTTPError) as error:
            if isinstance(error, OAuthError):  # It knows no such code, or not of this sign-in.
                self._count("oidc_not_begun", browser)
            raise _silent() from error
        except (JoseError, ValueError, KeyError) as error:
            self._count("oidc_forged", browser)
            raise SignInRefused(
                "what the identity provider said cannot be trusted",
                hint="Begin again; if it stays so, tell whoever looks after the provider.",
            ) from error

    def _checked(self, text: str, *, nonce: str) -> Claims:
        try:
            decoded = jwt.decode(text, self._key_set(anew=False), algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # Perhaps it signs with a key that is new.
            decoded = jwt.decode(text, self._key_set(anew=True), algorithms=ALGORITHMS)
        section, claims = self._section, decoded.claims
        registry = jwt.JWTClaimsRegistry(
            now=self._access.clock.now_ms() // 1000,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": section.issuer},
            aud={"essential": True, "value": section.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
        if claims.get("azp", section.client_id) != section.client_id:
            raise ValueError("the token was made for another client")
        groups = claims.get(section.groups_claim) or []
        named = next((str(claims[one]) for one in NAME_CLAIMS if claims.get(one)), "")
        return Claims(
            issuer=section.issuer,
            subject=str(claims["sub"]),
            name=NOT_IN_A_NAME.sub("-", named.partition("@")[0].casefold()).strip("-._")[:48],
            display_name=str(claims.get("name") or "")[: users.DISPLAY_CHARACTERS_MAX],
            groups=frozenset(str(one) for one in list(groups)[:GROUPS_MAX]),
        )

    def _user(self, claims: Claims) -> users.User:
        """Return somebody with the roles of their groups; added when they come first.

        Somebody of the same name who was added here is somebody else: a provider's name alone
        never opens an account.
        """
        external = f"{claims.issuer} {claims.subject}"
        grants = self._grants(claims.groups)
        with self._access.desk.change(actor=users.PROVIDER) as change:
            user = users.find_external(change.connection, external)
            if user is not None and user.disabled_ms:
                raise SignInRefused(
                    f"{user.name} is not let in any more", hint="Ask an administrator."
                )
            if user is None:
                if not grants:
                    raise SignInRefused(
                        "none of your groups has a role here",
                        hint="Ask whoever looks after the groups to put you into one.",
                    )
                shown = "".join(one for one in claims.display_name if one.isprintable())
                return users.add_user(
                    change, claims.name, display_name=shown, external=external, grants=grants
                )
            if self._section.roles:
                user = users.set_grants(change, user.name, grants)
        return user

    def _grants(self, groups: frozenset[str]) -> frozenset[Grant]:
        words = [word for group, word in self._section.roles.items() if group in groups]
        return frozenset(users.parse_grant(word) for word in words)

    def _count(self, kind: RefusalKind, browser: Browser) -> None:
        subject = address_subject(browser.address)
        self._access.refusals.count(kind, subject=subject, address=browser.address)

    def _metadata(self) -> Mapping[str, Any]:
        with self._lock:
            if self._known is None:
                url = f"{self._section.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = _fetched(url)
                if found.get("issuer") != self._section.issuer:
                    raise _silent()
                self._known = found
            return self._known

    def _key_set(self, *, anew: bool) -> KeySet:
        url = str(self._metadata()["jwks_uri"])
        with self._lock:
            if self._keys is None or anew:
                self._keys = KeySet.import_key_set(_fetched(url))  # type: ignore[arg-type]
            return self._keys

    def _client(self) -> OAuth2Client:
        section = self._section
        return OAuth2Client(
            client_id=section.client_id,
            client_secret=section.client_secret or None,
            token_endpoint_auth_method="client_secret_basic" if section.client_secret else "none",
            scope=SCOPE,
            redirect_uri=section.redirect_url,
            code_challenge_method="S256",
            timeout=WAIT_S,
        )


def _fetched(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url, timeout=WAIT_S, follow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _silent() from error
    if not isinstance(found, dict):
        raise _silent()
    return found


def _refused(detail: str, *, hint: str) -> SignInRefused:
    return SignInRefused(detail, hint=hint)


def _silent() -> SignInRefused:
    return _refused(
        "the identity provider does not answer as it should",
        hint="Try again; meanwhile sign in with name and password, if you have one.",
    )


def _not_begun() -> SignInRefused:
    return _refused(
        "this sign-in was not begun in this browser, or took too long",
        hint="Begin again from the page of signing in.",
    )
