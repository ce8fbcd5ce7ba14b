"""Lets a machine in that shows a code, once staff have compared it. Edge of the database.

    look_at  -> what asks, for who has typed the code that stands before him
    approve  -> a claim that nobody has the code of: only the key that was approved redeems it
    deny     -> never; the machine asks anew, with another code, when somebody wants it

From the claim on everything is as if staff had made it first: one way to a certificate, one lock
for each gateway, the same refusals, the same audit.
"""

from dataclasses import dataclass

from central.access import failures
from central.contract.enrolment import fingerprint
from central.contract.identifiers import parse_code
from central.errors import Conflict, NotThere
from central.trust import newcomers
from central.trust.claiming import CLAIM_HOURS, new_claim, write_new_claim
from central.trust.enrolling import HINT_OTHER
from central.trust.events import note
from central.trust.newcomers import NewcomerRow
from central.trust.registry import ClaimRow, lock_gateway
from central.trust.shown_codes import code_digest, parse_shown_code
from central.trust.trust import Trust

HINT_NEW_CODE = "Touch the gateway's screen for a new code, and type that."
NEWCOMER = "newcomer"  # A kind of what stands in the audit.


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What staff see of a machine: all of it but address and time is what it says of itself."""

    row: NewcomerRow
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Admittance:
    """What staff decide. fingerprint: that they have compared. receive_location: "" for none."""

    fingerprint: str
    gateway: str
    warehouse: str
    receive_location: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """What staff do about a code that stands on a screen. Any thread may call anything."""

    trust: Trust

    def look_at(self, code: str, *, by: str) -> Newcomer:
        """Return the machine that shows a code now. Raises Unusable, NotThere, Conflict.

        Wrong codes are counted for whoever types them, and cost more and more time.
        """
        row = self._listen(code, by=by)
        return Newcomer(row, fingerprint(spki=row.spki, signing_key=row.signing_key))

    def approve(
        self, code: str, wanted: Admittance, *, by: str, places: frozenset[str] | None
    ) -> ClaimRow:
        """Let the machine that shows a code be a gateway; return the claim that it redeems.

        Raises what `look_at` and `Trust.make_claim` raise.
        """
        found = self.look_at(code, by=by)
        row = found.row
        _check_wanted(found, wanted)
        now_ms = self.trust.clock.now_ms()
        # Nobody hears the code of this claim: the machine proves itself by its key.
        _, claim = new_claim(
            gateway=wanted.gateway,
            warehouse=wanted.warehouse,
            by=by,
            hours=CLAIM_HOURS,
            now_ms=now_ms,
        )
        with self.trust.change(by) as change:
            connection = change.connection
            _check_waiting(newcomers.lock_newcomer(connection, row.name), now_ms=now_ms)
            write_new_claim(change, claim, places=places)
            newcomers.change_newcomer(
                connection,
                row.name,
                state="approved",
                decided_by=by,
                decided_ms=now_ms,
                claim=claim.name,
                receive_location=wanted.receive_location,
            )
            note(
                connection,
                "newcomer_approved",
                subject=wanted.gateway,
                detail=f"{found.fingerprint}, by {by}",
                address=row.address,
                now_ms=now_ms,
            )
            change.note(
                NEWCOMER,
                row.name,
                "approved",
                warehouse=wanted.warehouse,
                gateway=wanted.gateway,
                claim=claim.name,
                fingerprint=found.fingerprint,
                address=row.address,
                hardware=row.hardware,
                before={"state": "waiting"},
                after={"state": "approved"},
            )
        return claim

    def deny(self, code: str, *, by: str) -> Newcomer:
        """Let the machine that shows a code never be a gateway by it. Raises as `look_at` does."""
        found = self.look_at(code, by=by)
        row, now_ms = found.row, self.trust.clock.now_ms()
        with self.trust.change(by) as change:
            connection = change.connection
            _check_waiting(newcomers.lock_newcomer(connection, row.name), now_ms=now_ms)
            newcomers.change_newcomer(
                connection, row.name, state="denied", decided_by=by, decided_ms=now_ms
            )
            note(
                connection,
                "newcomer_denied",
                subject=row.gateway or row.address,
                detail=f"{found.fingerprint}, by {by}",
                address=row.address,
                now_ms=now_ms,
            )
            change.note(
                NEWCOMER,
                row.name,
                "denied",
                fingerprint=found.fingerprint,
                address=row.address,
                hardware=row.hardware,
                before={"state": "waiting"},
                after={"state": "denied"},
            )
        return found

    def _listen(self, code: str, *, by: str) -> NewcomerRow:
        letters = parse_shown_code(code)  # Of another form it is a slip and no guess.
        now_ms, subject = self.trust.clock.now_ms(), f"shown:{by}"
        with self.trust.database.write() as connection:
            lock_gateway(connection, subject)  # A hundred guesses at once are a hundred.
            wait_ms = failures.waiting_ms(connection, [subject], now_ms=now_ms)
            row = None
            if wait_ms <= 0:
                row = newcomers.by_code(connection, code_digest(letters))
            if wait_ms <= 0 and row is None:
                # A right one forgives nothing: whoever has a machine of his own would guess on.
                failures.count_attempt(connection, [subject], now_ms=now_ms)
                note(
                    connection,
                    "shown_code_guessed",
                    subject=by,
                    detail="no gateway shows this code",
                    address="",
                    now_ms=now_ms,
                )
        if wait_ms > 0:
            raise Conflict(
                "too many wrong codes: no code of yours is listened to just now",
                hint=f"Try again in {-(-wait_ms // 1000)} seconds.",
            )
        return _check_waiting(row, now_ms=now_ms)


def _check_wanted(found: Newcomer, wanted: Admittance) -> None:
    if _bare(wanted.fingerprint) != _bare(found.fingerprint):
        raise Conflict(
            "this is not the fingerprint of the machine that shows the code",
            hint="Compare the fingerprint on the gateway's screen with the one shown here.",
        )
    if found.row.gateway not in {"", wanted.gateway}:
        raise Conflict(
            f"the machine is set up as {found.row.gateway}, not as {wanted.gateway}",
            hint=HINT_OTHER,
        )
    if wanted.receive_location:
        parse_code(wanted.receive_location, what="location")


def _check_waiting(row: NewcomerRow | None, *, now_ms: int) -> NewcomerRow:
    if row is None:
        raise NotThere("no gateway shows this code", hint="Type it as it stands on the screen.")
    state = row.state(now_ms=now_ms)
    if state == "expired":
        raise Conflict("this code is past its time", hint=HINT_NEW_CODE)
    if state != "waiting":
        raise Conflict(
            f"{row.decided_by} has answered this gateway already",
            hint="Look at the list of claims.",
        )
    return row


def _bare(text: str) -> str:
    return "".join(text.split()).lower()
