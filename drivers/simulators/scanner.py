"""A virtual bar code scanner that sends lines of text. Edge of its line."""

from drivers.simulators.lines import VirtualLine


class VirtualScanner:
    """Writes each scan to `line` as a scanner does: AIM identifier, message, terminator."""

    def __init__(self, line: VirtualLine, *, terminator: bytes = b"\r\n") -> None:
        self._line = line
        self._terminator = terminator

    def scan(self, data: str | bytes, symbology: str = "]C1") -> bool:
        """Send one code; `data` may hold GS. False if the line was cut and the scan got lost.

        symbology: the AIM identifier to send; "" for a scanner that sends none.
        """
        message = data.encode() if isinstance(data, str) else data
        return self._line.write(symbology.encode("ascii") + message + self._terminator)
