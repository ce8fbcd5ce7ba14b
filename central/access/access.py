"""Lets people in: passwords, second factors, sessions, and who asks. Edge of the database.

    name, password -> (waits?) -> password right? -> second factor? -> session
                          |              |                  |
                       refused       counted, noted     counted, noted

What is told to whoever is not let in never says which of the two was wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from logging import getLogger

from sqlalchemy import Connection

from central.access import failures, sessions, tokens, users
from central.access.news import news_before_sign_in
from central.access.passwords import hash_password, outdated, password_matches
from central.access.permissions import (
    EVERYWHERE,
    Grant,
    Principal,
    allowed_by,
    narrowed,
)
from central.access.recovery import use_recovery_code
from central.access.refusals import RefusalKind, Refusals
from central.access.sealed_secrets import Seal
from central.access.second_factor import step_of_code
from central.clock import Clock, random_key_hex
from central.config_access import AccessSection
from central.errors import SignInRefused
from central.ledger.desk import Desk
from central.storage.database import Database

KIND = "sign_in"
NOBODY = "nobody"
PASSWORD_BYTES_MAX = 1024
HOUR_MS = 3_600_000

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody comes from. address: of the other end. browser: what it calls itself."""

    address: str
    browser: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun. secret: its name, for the cookie. stage: "code" or "whole".

    has_news: something happened to the account since the sign-in before.
    """

    secret: str
    name: str
    stage: str
    has_news: bool = False

    def __repr__(self) -> str:
        return f"SignedIn({self.name!r}, {self.stage!r})"


@dataclass(frozen=True, slots=True)
class Known:
    """Whoever asks, with what they asked by. must: "second_factor" or "password" if that is to be
    set up or chosen first, "" else."""

    principal: Principal
    csrf: str
    must: str = ""


class Access:
    """Who may come in, for several threads. section: of the configuration. seal: of secrets."""

    def __init__(
        self,
        database: Database,
        *,
        desk: Desk,
        clock: Clock,
        section: AccessSection,
        new_secret: Callable[[], str] = random_key_hex,
        seal: Seal | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.database = database
        self.desk = desk
        self.clock = clock
        self.section = section
        self.new_secret = new_secret
        self.seal = seal if seal is not None else Seal()
        self.refusals = refusals if refusals is not None else Refusals()
        self.provider: object = None  # Of identities, once somebody comes through it.
        self.limits = sessions.Limits(
            idle_ms=section.idle_hours * HOUR_MS, absolute_ms=section.absolute_hours * HOUR_MS
        )

    def sign_in(self, name: str, password: str, *, browser: Browser) -> SignedIn:
        """Return the session of whoever has this name and password.

        Raises SignInRefused, LedgerUnavailable.
        """
        name = name.strip().casefold()
        known_form = users.NAME.fullmatch(name) is not None
        subjects = [
            failures.address_subject(browser.address),
            *([f"user:{name}"] if known_form else []),
        ]
        self._count(subjects)
        with self.database.read() as connection:
            user = users.find_user(connection, name) if known_form else None
        kept = user.password_hash if user is not None and not user.disabled_ms else ""
        fits = len(password.encode()) <= PASSWORD_BYTES_MAX
        if not password_matches(kept, password if fits else "") or user is None or not fits:
            self._note_failure(user.name if user is not None else "", "failed", browser)
            raise _wrong()
        if 0 < user.password_until_ms <= self.clock.now_ms():
            raise _refused(
                "this password was given to you to choose your own, and has lapsed",
                hint="Ask an administrator for a new one.",
            )
        renewed = hash_password(password) if outdated(kept) else ""
        return self._begin(user, browser, subjects=subjects, renewed=renewed)

    def sign_in_external(self, user: users.User, *, browser: Browser) -> SignedIn:
        """Return the session of somebody whom the identity provider vouches for."""
        return self._begin(user, browser, subjects=[], through="oidc", second_factor=False)

    def give_code(self, secret: str, code: str, *, browser: Browser) -> SignedIn:
        """Return the whole session of whoever has given a password, and now the second factor.

        Raises SignInRefused.
        """
        now_ms = self.clock.now_ms()
        with self.database.read() as connection:
            session = sessions.find_session(connection, secret, now_ms=now_ms, limits=self.limits)
            user = users.find_user(connection, session.name) if session is not None else None
        if session is None or session.stage != "code" or user is None or user.disabled_ms:
            raise SignInRefused(
                "this sign-in has taken too long", hint="Begin again with name and password."
            )
        subjects = [failures.address_subject(browser.address), f"code:{user.name}"]
        self._count(subjects)
        with self.desk.change(actor=user.name) as change:
            now = users.required_user(change.connection, user.name)
            secret_now = self.seal.opened(now.totp_secret, name=now.name)
            step = step_of_code(secret_now, code, now_ms=change.now_ms, after_step=now.totp_step)
            spare = step is None and use_recovery_code(change, user.name, code)
            taken = step is not None or spare
            if taken:
                if step is not None:
                    users.set_second_factor(
                        change,
                        user.name,
                        # One that was kept before there was a key is sealed from now on.
                        secret=self.seal.closed(secret_now, name=now.name),
                        waiting=now.totp_waiting,
                        step=step,
                        action="",
                    )
                # Another name than the one that was known before: nobody can have planted it.
                sessions.end_session(change.connection, session.digest, name=user.name)
                failures.forgive(change.connection, subjects)
                whole = self._open(change.connection, user.name, "whole", browser)
                change.note(KIND, user.name, "signed_in", address=browser.address, by="code")
        if not taken:
            self._note_failure(user.name, "code_failed", browser)
            raise SignInRefused(
                "this code is not right, or was used already",
                hint="Wait for the next code of your authenticator, or use a recovery code.",
            )
        return whole

    def known_by_session(self, secret: str) -> Known | None:
        """Return who has this session, None if it has ended or is not whole."""
        now_ms = self.clock.now_ms()
        with self.database.read() as connection:
            session = sessions.find_session(connection, secret, now_ms=now_ms, limits=self.limits)
            if session is None or session.stage != "whole":
                return None
            user = users.find_user(connection, session.name)
        if user is None or user.disabled_ms:
            return None
        if now_ms - session.seen_ms > sessions.SEEN_STEP_MS:
            with self.database.write() as connection:
                sessions.touch_session(connection, session, now_ms=now_ms)
        must = users.must_first(user, second_factor=self.section.second_factor)
        allowed = frozenset() if must else allowed_by(user.grants)
        principal = Principal(user.name, allowed, session=session.digest)
        return Known(principal, sessions.csrf_of(secret), must)

    def known_by_token(self, text: str, *, address: str = "") -> Known | None:
        """Return whose token this is, None if it is none, has ended or its owner may not in.

        address: from where it was sent; what is refused is counted under it.
        """
        now_ms = self.clock.now_ms()
        with self.database.read() as connection:
            token = tokens.find_token(connection, text, now_ms=now_ms)
            known = token if token is not None else tokens.find_ended(connection, text)
            user = users.find_user(connection, known.name) if known is not None else None
        if token is None or user is None or user.disabled_ms:
            self._count_token(known, user, address=address)
            return None
        if now_ms - token.used_ms > sessions.SEEN_STEP_MS:
            with self.database.write() as connection:
                tokens.touch_token(connection, token, now_ms=now_ms)
        allowed = narrowed(
            allowed_by(user.grants), permissions=token.permissions, warehouse=token.warehouse
        )
        return Known(Principal(user.name, allowed, token=token.token), "")

    def lets_in(self, principal: Principal) -> bool:
        """Return whether what somebody asked by is still good, and for all that it was good for.

        To ask this is no use of it: a session ends although a page of it is left open.
        """
        now_ms = self.clock.now_ms()
        with self.database.read() as connection:
            user = users.find_user(connection, principal.name)
            if principal.token:
                good = tokens.find_good(connection, principal.token, now_ms=now_ms) is not None
            else:
                session = sessions.find_by_digest(
                    connection, principal.session, now_ms=now_ms, limits=self.limits
                )
                good = session is not None
        if not good or user is None or user.disabled_ms:
            return False
        held = allowed_by(user.grants)
        return all(
            (one, place) in held or (one, EVERYWHERE) in held for one, place in principal.allowed
        )

    def require_password(self, name: str, password: str, *, browser: Browser) -> None:
        """Return if this is somebody's password of now. Raises SignInRefused."""
        subjects = [failures.address_subject(browser.address), f"user:{name}"]
        self._count(subjects)
        with self.database.read() as connection:
            user = users.find_user(connection, name)
        if not password_matches(user.password_hash if user is not None else "", password):
            self._note_failure(name, "password_failed", browser)
            raise _wrong()
        with self.database.write() as connection:
            failures.forgive(connection, subjects)

    def sign_out(self, principal: Principal) -> None:
        """End the session that somebody asks by."""
        with self.desk.change(actor=principal.name) as change:
            if sessions.end_session(change.connection, principal.session, name=principal.name):
                change.note(KIND, principal.name, "signed_out")

    def _count_token(
        self, token: tokens.Token | None, user: users.User | None, *, address: str
    ) -> None:
        """Count a key that is refused: under its number if it was one of ours, with its secret."""
        if token is None:
            subject = failures.address_subject(address)
            self.refusals.count("token_unknown", subject=subject, address=address)
            return
        dismissed = user is None or bool(user.disabled_ms)
        kind: RefusalKind = "token_dismissed" if dismissed else "token_ended"
        self.refusals.count(kind, subject=token.token, detail=token.name, address=address)

    def _count(self, subjects: list[str]) -> None:
        """Count an attempt before it is judged. Raises SignInRefused if one has to wait."""
        now_ms = self.clock.now_ms()
        with self.database.read() as connection:
            wait_ms = failures.waiting_ms(connection, subjects, now_ms=now_ms)
        if wait_ms <= 0:
            with self.database.write() as connection:
                wait_ms = failures.count_attempt(connection, subjects, now_ms=now_ms)
        if wait_ms > 0:
            address = subjects[0].partition(":")[2]
            for subject in subjects:
                self.refusals.count("sign_in_paused", subject=subject, address=address)
            wait_s = -(-wait_ms // 1000)
            raise SignInRefused(
                "too many failed attempts: nobody is listened to just now",
                hint=f"Wait {wait_s} seconds, then try once more.",
                wait_s=wait_s,
            )

    def _begin(
        self,
        user: users.User,
        browser: Browser,
        *,
        subjects: list[str],
        through: str = "password",
        second_factor: bool = True,
        renewed: str = "",
    ) -> SignedIn:
        stage = "code" if second_factor and user.totp_secret else "whole"
        with self.desk.change(actor=user.name) as change:
            now = users.required_user(change.connection, user.name)
            if now.disabled_ms or now.password_hash != user.password_hash:
                raise _wrong()  # Dismissed, or given another password, while this was judged.
            sessions.forget_ended(change.connection, now_ms=change.now_ms, limits=self.limits)
            failures.forgive(change.connection, subjects)
            if renewed:
                users.renew_hash(change.connection, user.name, renewed)
            begun = self._open(change.connection, user.name, stage, browser)
            if stage == "whole":
                change.note(KIND, user.name, "signed_in", address=browser.address, by=through)
        return begun

    def _open(self, connection: Connection, name: str, stage: str, browser: Browser) -> SignedIn:
        secret = self.new_secret()
        has_news = stage == "whole" and bool(news_before_sign_in(connection, name))
        sessions.open_session(
            connection,
            secret,
            name=name,
            stage=stage,
            now_ms=self.clock.now_ms(),
            address=browser.address,
            browser=browser.browser,
        )
        return SignedIn(secret, name, stage, has_news)

    def _note_failure(self, name: str, action: str, browser: Browser) -> None:
        """Note a failed attempt; a name that nobody has is not kept: it may be a password."""
        logger.warning("sign-in failed", extra={"address": browser.address})
        with self.desk.change(actor=NOBODY) as change:
            change.note(KIND, name or NOBODY, action, address=browser.address)


def grants_of_words(words: list[str]) -> frozenset[Grant]:
    """Return the grants of words such as "keeper@SH1". Raises Unusable."""
    return frozenset(users.parse_grant(word) for word in words if word.strip())


def _refused(detail: str, *, hint: str) -> SignInRefused:
    return SignInRefused(detail, hint=hint)


def _wrong() -> SignInRefused:
    return _refused(
        "name or password is not right",
        hint="Check both; an administrator can give you a new password.",
    )
