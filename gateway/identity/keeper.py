"""Becomes somebody at central and stays it: enrols, renews, says what a person has to do. Loop.

    claim (file, typed, scanned) -> asks with it, again until it is taken
    no claim, or one that is refused -> shows a code until staff let it in; a claim ends that
    denied, past its time -> another code once somebody touches the screen
    certificate -> asks for the next one at two thirds of its life, each hour until it is there

Everything works meanwhile but the way to central; what is scanned waits in the journal.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Literal

from gateway.clock import Clock
from gateway.config_sections import GatewayConfig
from gateway.errors import IdentityUnusable
from gateway.health import Health, InstallationProblem, InstallationTrouble
from gateway.identity.code_child import CodeChild
from gateway.identity.exchange import (
    LINE_BYTES_MAX,
    CodeShown,
    Ended,
    ExchangeProblem,
    Order,
    decode_ended,
    encode,
)
from gateway.identity.files import (
    EnrolFile,
    Identity,
    IdentityFolder,
    hardware_serial,
    hardware_words,
    read_enrol_file,
)
from gateway.logs import log_crash, log_event
from gateway.station.effects import Signal
from gateway.station.enrolment import EnrolmentState, ShownEnrolment
from gateway.station.messages import N_, say

LOOK_S = 2.0  # So late a claim that was put there is seen.
RETRY_S, RETRY_S_MAX = 5.0, 60.0
RENEW_RETRY_S = 3600.0
CHILD_S_MAX = 60.0
STOP_S_MAX = 5.0
ENDS_MS = 20 * 86_400_000
TAKEN = N_("The claim is taken: central is asked now.")
NOT_KEPT = N_("The claim cannot be kept: look at the disk, then scan it again.")
PROBLEMS: tuple[InstallationProblem, ...] = ("not_enrolled", "claim_refused", "certificate_ends")
# How a code ends that is not asked for again before somebody touches the screen.
OVER: dict[ExchangeProblem, EnrolmentState] = {
    "denied": "denied",
    "code_expired": "expired",
    "refused": "refused",
    "claim_refused": "refused",
    "wrong_gateway": "refused",
}
# -P: nothing of the folder that the gateway happens to run in is imported.
CHILD = (sys.executable, "-P", "-m", "gateway.identity.child")


class IdentityKeeper:
    """A thread that keeps the gateway's certificate. `start` once, `stop` once.

    heard: called with the ledger's public key when central has given a certificate.
    """

    def __init__(
        self,
        config: GatewayConfig,
        *,
        signing_key_file: Path,
        clock: Clock,
        health: Health,
        heard: Callable[[str], object],
    ) -> None:
        self._gateway = config.gateway.code
        self._enrol_file = Path(config.identity.enrol_file)
        self._data = Path(config.gateway.data_directory)
        self._folder = IdentityFolder(self._data)
        self._signing_key_file = signing_key_file
        self._clock = clock
        self._health = health
        self._heard = heard
        self._told = ""
        self._refused_claim = ""
        self._retry_s = RETRY_S
        self._due_s = 0.0
        self._shown = ShownEnrolment("none")
        self._code_child: CodeChild | None = None
        self._stopping = Event()
        self._woken = Event()
        self._thread = Thread(target=self._run, name="identity", daemon=True)

    def scanned(self, claim: str) -> Signal | None:
        """Use a claim that somebody typed or scanned; None if we are enrolled already."""
        if self._folder.certificate.exists():
            return None
        try:
            self._folder.keep_claim(claim)
        except IdentityUnusable as error:
            log_event("error", "claim not kept", detail=str(error), hint=error.hint)
            return Signal("error", say(NOT_KEPT))
        self._refused_claim, self._due_s = "", 0.0
        self._woken.set()
        return Signal("success", say(TAKEN))

    def shown(self) -> ShownEnrolment:
        """Return what stands on the screen."""
        return self._shown

    def show_code(self) -> None:
        """Ask for another code, if the one before is over."""
        if self._shown.state in OVER.values():
            self._shown = ShownEnrolment("asking")
            self._woken.set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a child that asks just now is left to its end, one that shows a code is not."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(STOP_S_MAX)
        self._end_code()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except IdentityUnusable as error:
                self._tell("not_enrolled", str(error))
            except Exception:  # noqa: BLE001 - the top of a loop that must outlive its own mistakes
                log_crash("identity failed, going on")
            self._woken.wait(LOOK_S)
            self._woken.clear()

    def _step(self) -> None:
        identity = self._folder.read()
        if identity is None:
            self._enrol()
        else:
            if self._code_child is not None:  # Its last word may come after its certificate.
                self._end_code()
                self._enrolled(identity.central_url)
            self._shown = ShownEnrolment("enrolled")
            self._look_after(identity)

    def _enrol(self) -> None:
        given = read_enrol_file(self._enrol_file)
        if given is not None:
            self._folder.keep_root(given.root_pem)
        claim = self._folder.read_claim() or (given.claim if given is not None else "")
        if given is None:
            self._tell("not_enrolled", "there is no claim")
            self._end_code()
            self._shown = ShownEnrolment("none")
        elif claim in {"", self._refused_claim}:
            if not claim:
                self._tell("not_enrolled", "there is no claim")
            self._show(given)
        elif self._now_s() >= self._due_s:
            self._end_code()
            self._shown = ShownEnrolment("asking")
            self._note_enrolment(self._ask(given.central_url, claim=claim), claim, given)

    def _show(self, given: EnrolFile) -> None:
        """Let a child show a code, and see what it says."""
        if self._shown.state in OVER.values():
            return
        if self._code_child is None:
            if self._now_s() < self._due_s:
                return
            order = self._order(given.central_url, hardware=hardware_words(), task="show")
            self._code_child = CodeChild(CHILD, order, changed=self._woken.set)
        said = self._code_child.said
        if isinstance(said, CodeShown):
            self._retry_s = RETRY_S
            self._shown = ShownEnrolment(
                "shown" if said.reached else "lost",
                code=said.code,
                fingerprint=said.fingerprint,
                page=said.page,
                qr_svg=said.qr_svg,
                expires_in_s=said.expires_in_s,
            )
        elif isinstance(said, Ended):
            self._end_code()
            self._note_code(said, given)
        else:
            self._shown = ShownEnrolment("asking")

    def _note_code(self, ended: Ended, given: EnrolFile) -> None:
        if not ended.problem:
            self._enrolled(given.central_url)
        elif ended.problem in OVER:
            log_event("warning", "not let in", problem=ended.problem, detail=ended.detail)
            self._shown = ShownEnrolment(OVER[ended.problem], detail=ended.detail)
        else:
            self._wait_longer()
            self._shown = ShownEnrolment("lost", detail=ended.detail)

    def _end_code(self) -> None:
        if self._code_child is not None:
            self._code_child.stop()
            self._code_child = None

    def _note_enrolment(self, ended: Ended, claim: str, given: EnrolFile) -> None:
        if not ended.problem:
            self._enrolled(given.central_url)
            return
        if ended.problem in {"claim_refused", "wrong_gateway"}:
            self._refused_claim = claim
            self._tell("claim_refused", ended.detail)
            return
        self._wait_longer()
        self._shown = ShownEnrolment("lost", detail=ended.detail)
        self._tell("not_enrolled", ended.detail)

    def _enrolled(self, central_url: str) -> None:
        self._clear()
        self._retry_s = RETRY_S
        log_event("info", "enrolled", central=central_url)
        self._hear()
        self._shown = ShownEnrolment("enrolled")

    def _wait_longer(self) -> None:
        self._due_s = self._now_s() + self._retry_s
        self._retry_s = min(2 * self._retry_s, RETRY_S_MAX)

    def _look_after(self, identity: Identity) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < identity.renewal_due_ms():
            self._clear()
            return
        if self._now_s() < self._due_s:
            return
        self._due_s = self._now_s() + RENEW_RETRY_S
        ended = self._ask(identity.central_url, claim="")
        if not ended.problem:
            log_event("info", "certificate renewed", central=identity.central_url)
            self._due_s = 0.0
            self._clear()
            self._hear()
            return
        log_event("warning", "certificate not renewed", detail=ended.detail, hint=ended.hint)
        if identity.expires_ms - now_ms < ENDS_MS:
            self._tell("certificate_ends", ended.detail)

    def _hear(self) -> None:
        identity = self._folder.read()
        if identity is not None:
            self._heard(identity.ledger_public_key)

    def _ask(self, central_url: str, *, claim: str) -> Ended:
        return run_child(self._order(central_url, claim=claim, hardware=hardware_serial()))

    def _order(
        self, central_url: str, *, hardware: str, claim: str = "", task: Literal["", "show"] = ""
    ) -> Order:
        return Order(
            data_directory=str(self._data),
            signing_key_file=str(self._signing_key_file),
            gateway=self._gateway,
            central_url=central_url,
            claim=claim,
            hardware=hardware,
            task=task,
        )

    def _tell(self, problem: InstallationProblem, detail: str) -> None:
        if self._told != f"{problem} {detail}":
            self._told = f"{problem} {detail}"
            log_event("warning", "not known at central", problem=problem, detail=detail)
        for one in PROBLEMS:
            if one != problem:
                self._health.clear_trouble(one, self._gateway)
        trouble = InstallationTrouble(problem, self._gateway, detail, self._clock.now_ms())
        self._health.set_trouble(trouble)

    def _clear(self) -> None:
        self._told = ""
        for one in PROBLEMS:
            self._health.clear_trouble(one, self._gateway)

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9


def run_child(order: Order) -> Ended:
    """Return how a child ended that was given an order."""
    try:
        with subprocess.Popen(  # noqa: S603 - our own program, no shell
            CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            try:
                said, _ = child.communicate(encode(order), timeout=CHILD_S_MAX)
            except subprocess.TimeoutExpired:
                child.kill()
                return Ended(problem="unreachable", detail="central did not answer in time")
    except OSError as error:
        return Ended(problem="disk", detail=f"no process can be started: {error}")
    return decode_ended(said[:LINE_BYTES_MAX])
