"""Virtual serial UHF readers of both families, with tags laid before them. Loop."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from drivers.protocols import rfid_uhf_r200 as r200
from drivers.protocols import rfid_uhf_swnet as swnet
from drivers.simulators.lines import VirtualLine

READ_STEP_S = 0.02
STOP_TIMEOUT_S = 5.0
COMMAND_BYTES_MAX = 64
ROUND_S = 0.02  # About fifty rounds a second.


class _VirtualUhfReader(ABC):
    """What both have: a line, tags, a thread. Use as a context manager; any thread may call."""

    def __init__(self, line: VirtualLine) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._tags: dict[str, int] = {}
        self._muted = False
        self._received = bytearray()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="uhf-reader", daemon=True)
        self._thread.start()

    def lay(self, epc: str, strength_dbm: int = -55) -> None:
        """Lay a tag before the reader, or change how strong it is."""
        with self._lock:
            self._tags[epc] = strength_dbm

    def take_away(self, epc: str) -> None:
        """Take a tag away."""
        with self._lock:
            self._tags.pop(epc, None)

    def mute(self, *, muted: bool = True) -> None:
        """Make the reader say nothing, as if it were switched off behind its converter."""
        with self._lock:
            self._muted = muted

    def say(self, data: bytes) -> None:
        """Send any bytes, such as half a frame."""
        self._line.write(data)

    def close(self) -> None:
        """Stop. May be called twice; the line stays open."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._received += self._line.read(READ_STEP_S)
            del self._received[:-COMMAND_BYTES_MAX]
            answer = self._answer()
            with self._lock:
                muted = self._muted
            if answer and not muted:
                self._line.write(answer)

    @abstractmethod
    def _answer(self) -> bytes:
        """Take the commands out of `_received`; return what is said to them and of the tags."""

    def _laid(self) -> list[tuple[str, int]]:
        with self._lock:
            return list(self._tags.items())


class VirtualR200Module(_VirtualUhfReader):
    """Searches on command 27 until its rounds are over or 28 comes; says who it is on 03.

    name: the text of its hardware. rounds_count_max: so few rounds, and it stops by itself.
    power_cdbm: what was set last, 0 before. searching: whether it searches now.
    """

    def __init__(
        self, line: VirtualLine, *, name: str = "M100 26dBm V1.0", rounds_count_max: int = 65_535
    ) -> None:
        self._name = name
        self._rounds_count_max = rounds_count_max
        self._rounds_left = 0
        self.power_cdbm = 0
        super().__init__(line)

    @property
    def searching(self) -> bool:
        """Return True while it searches."""
        return self._rounds_left > 0

    def _answer(self) -> bytes:
        answer = b""
        while (end := self._received.find(r200.END)) != -1:
            frame = bytes(self._received[: end + 1])
            del self._received[: end + 1]
            answer += self._obey(frame)
        if self._rounds_left > 0:
            self._rounds_left -= 1
            answer += b"".join(self._tag(*tag) for tag in self._laid()) or _r200_frame(
                r200.TYPE_ANSWER, r200.ERROR, bytes((r200.NO_TAG,))
            )
        return answer

    def _obey(self, frame: bytes) -> bytes:
        code, parameters = frame[2], frame[5:-2]
        match code:
            case r200.MANY_ROUNDS:
                asked = int.from_bytes(parameters[1:3], "big")
                self._rounds_left = min(asked, self._rounds_count_max)
                return b""
            case r200.STOP:
                self._rounds_left = 0
                return _r200_frame(r200.TYPE_ANSWER, code, b"\x00")
            case r200.SET_POWER:
                self.power_cdbm = int.from_bytes(parameters, "big")
                return _r200_frame(r200.TYPE_ANSWER, code, b"\x00")
            case r200.WHO:
                return _r200_frame(r200.TYPE_ANSWER, code, b"\x00" + self._name.encode())
            case _:
                return _r200_frame(r200.TYPE_ANSWER, r200.ERROR, b"\x17")

    def _tag(self, epc: str, strength_dbm: int) -> bytes:
        content = bytes.fromhex(epc)
        control = (len(content) // 2 << 11).to_bytes(2, "big")
        strength = strength_dbm.to_bytes(1, "big", signed=True)
        # The tag's own CRC is not judged by anyone here.
        return _r200_frame(r200.TYPE_TAG, r200.ONE_ROUND, strength + control + content + b"\0\0")


class VirtualSwnetReader(_VirtualUhfReader):
    """Answers the question for tags and for its serial number; all tags are on one antenna."""

    def __init__(self, line: VirtualLine, *, antenna: int = 1) -> None:
        self._antenna = antenna
        super().__init__(line)

    def _answer(self) -> bytes:
        answer = b""
        for code in (swnet.SEARCH, swnet.WHO):
            question = swnet.question(code)
            while (at := self._received.find(question)) != -1:
                del self._received[at : at + len(question)]
                answer += (
                    self._tags_frame()
                    if code == swnet.SEARCH
                    else _swnet_frame(code, bytes.fromhex("011411C3DD938E170123"))
                )
        return answer

    def _tags_frame(self) -> bytes:
        tags = self._laid()
        if not tags:
            return _swnet_frame(swnet.SEARCH, b"\x00")
        body = b"\x01" + len(tags).to_bytes(2, "big")
        for epc, strength_dbm in tags:
            content = bytes.fromhex(epc)
            body += bytes((len(content) + swnet.TAG_EXTRA_BYTES, 1, self._antenna))
            body += content + (strength_dbm & 0xFF).to_bytes(1, "big")
        return _swnet_frame(swnet.SEARCH, body)


def _r200_frame(kind: int, code: int, parameters: bytes) -> bytes:
    body = bytes((kind, code)) + len(parameters).to_bytes(2, "big") + parameters
    return bytes((r200.HEAD,)) + body + bytes((sum(body) & 0xFF, r200.END))


def _swnet_frame(code: int, body: bytes) -> bytes:
    frame = swnet.HEAD + (len(body) + 3).to_bytes(2, "big") + bytes((0, code)) + body
    return frame + bytes((-sum(frame) & 0xFF,))
