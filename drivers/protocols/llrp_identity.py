"""Asks an LLRP reader who it is, and changes nothing in it. Pure.

    greeting --> GET_READER_CAPABILITIES --> GET_READER_CONFIG (identification) --> CLOSE_CONNECTION
Source: EPCglobal LLRP 1.1, sections 10.1, 13.1.1, 13.2.1.
"""

from drivers.protocols.llrp_answers import parse_capabilities, parse_identification
from drivers.protocols.llrp_events import CONNECTED, parse_notification
from drivers.protocols.llrp_frames import Message, MessageReader
from drivers.protocols.llrp_numbers import MessageType
from drivers.protocols.llrp_requests import EVERYTHING, IDENTIFICATION, message

IN_USE = "LLRP reader, in use by another program"


class IdentityQuestion:
    """One conversation. words: what is known of the reader, "" for nothing. done: it is over."""

    def __init__(self) -> None:
        self.words = ""
        self.done = False
        self._messages = MessageReader()

    def receive_data(self, data: bytes) -> bytes:
        """Return what is to be sent after `data`. Raises LlrpInvalid: it is no LLRP reader."""
        to_send = b""
        self._messages.receive_data(data)
        while not self.done and (received := self._messages.next_message()) is not None:
            to_send += self._answer(received)
        return to_send

    def _answer(self, received: Message) -> bytes:
        match received.kind:
            case MessageType.READER_EVENT_NOTIFICATION:
                if parse_notification(received.body, {}).connection == CONNECTED:
                    return message(MessageType.GET_READER_CAPABILITIES, 1, EVERYTHING)
                self.words, self.done = IN_USE, True
            case MessageType.GET_READER_CAPABILITIES_RESPONSE:
                self.words = str(parse_capabilities(received.body))
                return message(MessageType.GET_READER_CONFIG, 2, IDENTIFICATION)
            case MessageType.GET_READER_CONFIG_RESPONSE | MessageType.ERROR_MESSAGE:
                self.done = True
                if received.kind == MessageType.GET_READER_CONFIG_RESPONSE:
                    identity = parse_identification(received.body)
                    self.words += f" id {identity}" if identity else ""
                return message(MessageType.CLOSE_CONNECTION, 3)
        return b""
