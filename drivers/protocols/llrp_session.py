"""One LLRP connection from its greeting to its end, without a socket and without a clock. Pure.

    greeting --status 0--> [version --> set_version -->] capabilities --> [extensions -->] rospecs
    rospecs --reader has none--> configuring --> adding --> enabling --> running
            --it has ours------> fetching --> configuring --> [enabling, if disabled -->] running
            --it has others----> fetching --> deleting --> configuring --> adding --> ...
    running --every CHECK_S: rospecs asked again; ours is gone--> DeviceLost
    any     --no answer, no greeting--> DeviceSilent;  2.5 keepalives of silence--> DeviceLost

What the reader kept while nobody was connected is fetched before anything is deleted. The
standard allows one connection, so every ROSpec is ours or of nobody who is still there.
Source: EPCglobal LLRP 1.1, sections 9.1, 13.2.6.4, 14.1, 14.2.6.13.
"""

from collections.abc import Mapping
from dataclasses import replace

from drivers.errors import DriverError
from drivers.protocols import llrp_answers, llrp_requests
from drivers.protocols.llrp_events import (
    ANOTHER_TRIED,
    CONNECTED,
    Input,
    Notification,
    parse_notification,
)
from drivers.protocols.llrp_frames import LlrpInvalid, Message, MessageReader, Status, find_status
from drivers.protocols.llrp_numbers import MessageType
from drivers.protocols.llrp_reports import EVIDENCE_BYTES_MAX, HeldBefore, ReportReader
from drivers.protocols.llrp_requests import Inventory
from drivers.protocols.llrp_steps import STEPS, request_body
from drivers.readings import DeviceFault, Reading

INACTIVE = 1  # State of a ROSpec; 0 is disabled, 2 active.
SILENT_PERIODS = 2.5  # One lost keepalive is forgiven.
QUIET_S = 0.5  # No held report for so long: all of them are here.
FETCH_S_MAX = 10.0
HELD_PAUSE_S = 30.0  # No held report for so long: those that follow are new.
HELD_S_MAX = 300.0  # After the greeting; what is older then is the work of a clock set back.
CHECK_S = 60.0
PATIENCE = (
    10  # Limits of an answer that a reader has which talks all the time, but does not answer.
)


# Answers after which there is only one way to go on.
_NEXT = {
    "extensions": "rospecs",
    "deleting": "configuring",
    "adding": "enabling",
    "enabling": "running",
}


class LlrpSession:
    """The client's side of one connection; one thread uses it.

    Give what the line gave to `receive_data`, take readings with `advance` until it returns none,
    and send `data_to_send`; `wake_s` is when to call again at the latest. Times are seconds of any
    clock that only moves forward.
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        inputs: Mapping[int, Input],
        peer: str,
        now_s: float,
        answer_s: float = 5.0,
        negotiate: bool = False,
    ) -> None:
        self.state = "greeting"
        self.capabilities = llrp_answers.Capabilities()
        self.greeting: Notification | None = None  # Holds the reader's clock at that time.
        self._inventory = inventory
        self._inputs = inputs
        self._peer = peer
        self._answer_s = answer_s
        self._negotiate = negotiate
        self._messages = MessageReader()
        self._reports = ReportReader()
        self._report, self._report_offset = b"", 0
        self._to_send = bytearray()
        self._version = 1
        self._message_id = 0
        self._optional_ids: set[int] = set()
        self._failure: DriverError | None = None
        self._rospecs: dict[int, int] = {}
        self._held_before: HeldBefore | None = None
        self._now_s = self._asked_s = self._heard_s = self._held_s = self._greeted_s = now_s
        self._checking = False

    @property
    def running(self) -> bool:
        """True if the reader does what we want."""
        return self.state == "running"

    @property
    def wake_s(self) -> float:
        """Return when something is to be done even if nothing is heard."""
        if self.state == "fetching":
            return min(self._held_s + QUIET_S, self._asked_s + FETCH_S_MAX)
        if self.running and not self._checking:
            return min(self._heard_s + self._silent_s, self._asked_s + CHECK_S)
        return self._asked_s + self._answer_s

    @property
    def _silent_s(self) -> float:
        return SILENT_PERIODS * self._inventory.keepalive_ms / 1000

    def data_to_send(self) -> bytes:
        """Return what is to be sent now, b"" if nothing is."""
        data = bytes(self._to_send)
        self._to_send.clear()
        return data

    def receive_data(self, data: bytes, now_s: float) -> None:
        """Take what the line gave; b"" if it gave nothing until now."""
        self._now_s = now_s
        if data:
            self._heard_s = now_s
            self._messages.receive_data(data)

    def advance(self, *, count_max: int) -> list[Reading]:
        """Return up to `count_max` readings of what was received; fewer: all of it is done.

        Raises DeviceLost, DeviceSilent or SettingsInvalid, always the same one from then on, when
        what came before it was returned.
        """
        readings: list[Reading] = []
        while len(readings) < count_max and self._failure is None:
            if self._report_offset < len(self._report):
                readings += self._read_report(count_max - len(readings))
                continue
            try:
                message = self._messages.next_message()
            except LlrpInvalid as error:
                readings.append(DeviceFault("unreadable", str(error)))
                self._failure = llrp_answers.not_llrp(str(error), self._peer)
                break
            if message is None:
                self._check_time()
                break
            readings += self._take(message)
        if self._failure is not None and not readings:
            raise self._failure
        return readings

    def close(self) -> None:
        """Ask the reader to end the connection, so that it is free for the next at once."""
        if self.greeting is not None:
            self._send(MessageType.CLOSE_CONNECTION)

    def _take(self, message: Message) -> list[Reading]:
        try:
            match message.kind:
                case MessageType.RO_ACCESS_REPORT:
                    self._report, self._report_offset = message.body, 0
                case MessageType.KEEPALIVE:
                    self._send(MessageType.KEEPALIVE_ACK, message_id=message.message_id)
                case MessageType.READER_EVENT_NOTIFICATION:
                    return self._notified(parse_notification(message.body, self._inputs))
                case MessageType.ERROR_MESSAGE:
                    return self._refused(message)
                case _:
                    self._answered(message)
        except LlrpInvalid as error:
            detail = f"message {message.kind}: {error}"
            if message.kind in {MessageType.READER_EVENT_NOTIFICATION, MessageType.ERROR_MESSAGE}:
                return [DeviceFault("unreadable", detail, message.body[:EVIDENCE_BYTES_MAX])]
            self._failure = llrp_answers.answer_unreadable(detail, self._peer)
        return []

    def _read_report(self, count_max: int) -> list[Reading]:
        held_before = self._held_before
        found, self._report_offset = self._reports.read(
            self._report, self._report_offset, count_max=count_max, held_before=held_before
        )
        readings: list[Reading] = [*found]
        if held_before is not None:
            if any(getattr(one, "held", False) for one in readings):
                self._held_s = self._now_s
            elif self.running and self._now_s - self._held_s > HELD_PAUSE_S:
                self._held_before = None
            if self._now_s - self._greeted_s > HELD_S_MAX:
                self._held_before = None
        return readings

    def _notified(self, said: Notification) -> list[Reading]:
        if said.connection is not None and self.greeting is None:
            if said.connection == CONNECTED:
                self.greeting, self._greeted_s = said, self._now_s
                self._held_before = HeldBefore(said.utc_us, said.uptime_us, unstamped=False)
                self._go("version" if self._negotiate else "capabilities")
            else:
                self._failure = llrp_answers.connection_refused(said.connection, self._peer)
        elif said.connection not in {None, CONNECTED, ANOTHER_TRIED}:
            self._failure = llrp_answers.connection_refused(said.connection or 0, self._peer)
        if said.closing:
            self._failure = llrp_answers.connection_ended(self._peer)
        return [*said.readings]

    def _refused(self, message: Message) -> list[Reading]:
        """Take an ERROR_MESSAGE: the answer to a message that the reader does not know or want."""
        status = find_status(message.body) or Status(-1, "ERROR_MESSAGE without status")
        if message.message_id in self._optional_ids:
            return []  # A reader that cannot hold reports has none to hand out.
        if self.state == "version":
            self._go("capabilities")  # 1.1, section 9.1.1: it speaks 1.0.1 only.
            return []
        if self.state in STEPS:
            self._failure = llrp_answers.request_refused(
                STEPS[self.state].words, status, self._peer
            )
            return []
        return [DeviceFault("reader_error", str(status), message.body[:EVIDENCE_BYTES_MAX])]

    def _answered(self, message: Message) -> None:
        state = "rospecs" if self._checking else self.state
        step = STEPS.get(state)
        if step is None or message.kind != step.answer:
            return  # Late or unasked: of no use to anybody.
        status = find_status(message.body[step.status_offset :])
        if status is None or status.code != 0:
            status = status or Status(-1, "no status")
            self._failure = llrp_answers.request_refused(step.words, status, self._peer)
            return
        match state:
            case "version":
                self._after_version(message)
            case "set_version":
                self._version = 2
                self._go("capabilities")
            case "capabilities":
                self._after_capabilities(message)
            case "rospecs":
                self._after_rospecs(message)
            case "configuring":
                own = self._rospecs.get(llrp_requests.rospec_id(self._inventory))
                self._go("adding" if own is None else "running" if own else "enabling")
            case _:
                self._go(_NEXT[state])

    def _after_version(self, message: Message) -> None:
        supported = llrp_answers.parse_supported_version(message.body)
        self._go("set_version" if supported >= 2 else "capabilities")

    def _after_capabilities(self, message: Message) -> None:
        self.capabilities = llrp_answers.parse_capabilities(message.body)
        inventory = self._inventory
        triggers = [one.port for one in (inventory.start, inventory.stop) if one is not None]
        self._failure = llrp_answers.impossible_settings(
            self.capabilities,
            antennas=inventory.antennas,
            inputs=(*inventory.input_ports, *triggers),
            peer=self._peer,
        )
        if not self.capabilities.holds_reports:
            self._inventory = replace(inventory, hold=False)
        self._go("extensions" if inventory.impinj else "rospecs")

    def _after_rospecs(self, message: Message) -> None:
        self._rospecs = llrp_answers.parse_rospecs(message.body)
        if self._checking:
            self._checking = False
            if not self._rospecs.get(llrp_requests.rospec_id(self._inventory)):
                self._failure = llrp_answers.work_forgotten(self._peer)
            return
        for kind in (MessageType.ENABLE_EVENTS_AND_REPORTS, MessageType.GET_REPORT):
            self._optional_ids.add(self._send(kind))
        if not self._rospecs:
            self._held_before = None
            self._go("configuring")
        else:
            self.state = "fetching"
            self._asked_s = self._held_s = self._now_s
            if self._held_before is not None:
                self._held_before = replace(self._held_before, unstamped=True)

    def _go(self, state: str) -> None:
        self.state = state
        self._asked_s = self._now_s
        if state not in STEPS:
            return
        version = 2 if state in {"version", "set_version"} else self._version
        self._send(STEPS[state].request, request_body(state, self._inventory), version=version)

    def _send(
        self, kind: int, body: bytes = b"", *, version: int = 0, message_id: int | None = None
    ) -> int:
        if message_id is None:
            self._message_id += 1
            message_id = self._message_id
        self._to_send += llrp_requests.message(
            kind, message_id, body, version=version or self._version
        )
        return message_id

    def _check_time(self) -> None:
        if self._now_s < self.wake_s:
            return
        if self.state == "fetching":
            state = self._rospecs.get(llrp_requests.rospec_id(self._inventory))
            # One that begins at once and was stopped by somebody never begins again by itself.
            stopped = state == INACTIVE and self._inventory.start is None
            ours = state is not None and not stopped
            if self._held_before is not None:
                self._held_before = replace(self._held_before, unstamped=False)
            self._rospecs = self._rospecs if ours else {}
            self._go("configuring" if ours else "deleting")
        elif not self.running or self._checking:
            late_s = self._now_s - self._asked_s
            if self._heard_s == self._now_s and late_s < PATIENCE * self._answer_s:
                return  # We may have been away ourselves, and the answer is on its way in.
            asked = STEPS[self.state].words if self.state in STEPS else "its greeting"
            self._failure = llrp_answers.no_answer(asked, self._answer_s, self._peer)
        elif self._now_s - self._heard_s >= self._silent_s:
            self._failure = llrp_answers.no_keepalive(self._now_s - self._heard_s, self._peer)
        else:
            self._checking = True
            self._asked_s = self._now_s
            self._send(MessageType.GET_ROSPECS)
