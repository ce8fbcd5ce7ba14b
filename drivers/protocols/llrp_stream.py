"""The readings in what an LLRP reader sends, without a connection: for captures and noise. Pure."""

from collections.abc import Mapping, Sequence

from drivers.protocols.llrp_events import Input, parse_notification
from drivers.protocols.llrp_frames import LlrpInvalid, Message, MessageReader, find_status
from drivers.protocols.llrp_numbers import MessageType
from drivers.protocols.llrp_reports import EVIDENCE_BYTES_MAX, ReportReader
from drivers.readings import DeviceFault, Reading


class LlrpStream:
    """Bytes of one connection in, readings out; the same decoders as in a session.

    After a header that is none it is deaf: the next message cannot be found, and a device on such a
    line is lost.
    """

    def __init__(self, inputs: Mapping[int, Input]) -> None:
        self._inputs = inputs
        self._messages = MessageReader()
        self._reports = ReportReader()
        self._broken = False

    def receive_data(self, data: bytes) -> Sequence[Reading]:
        """Return the readings of the messages completed by `data`. Never raises."""
        readings: list[Reading] = []
        if not self._broken:
            self._messages.receive_data(data)
        while not self._broken:
            try:
                message = self._messages.next_message()
            except LlrpInvalid as error:
                self._broken = True
                self._messages = MessageReader()
                readings.append(DeviceFault("unreadable", str(error), data[:EVIDENCE_BYTES_MAX]))
                break
            if message is None:
                break
            readings += self._readings(message)
        return readings

    def idle(self) -> Sequence[Reading]:
        """Return nothing: a message may take its time, TCP loses no part of it."""
        return ()

    def _readings(self, message: Message) -> Sequence[Reading]:
        try:
            match message.kind:
                case MessageType.RO_ACCESS_REPORT:
                    return self._reports.read(message.body, 0, count_max=len(message.body))[0]
                case MessageType.READER_EVENT_NOTIFICATION:
                    return parse_notification(message.body, self._inputs).readings
                case MessageType.ERROR_MESSAGE:
                    detail = str(find_status(message.body))
                    return (DeviceFault("reader_error", detail, message.body[:EVIDENCE_BYTES_MAX]),)
        except LlrpInvalid as error:
            evidence = message.body[:EVIDENCE_BYTES_MAX]
            return (DeviceFault("unreadable", f"message {message.kind}: {error}", evidence),)
        return ()
