"""The device's end of a line, as the checks use it: a pseudo terminal or a TCP port. Loop."""

from pathlib import Path
from typing import Any, Protocol

from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort

CLIENT_S_MAX = 5.0


class FarEnd(Protocol):
    """The device's end of a line, and the settings of a driver that opens the near end."""

    settings: dict[str, Any]
    alone: bool

    def open(self, folder: Path, number: int) -> None:
        """Make the line; may be called once."""
        ...

    def read(self, timeout_s: float) -> bytes: ...

    def write(self, data: bytes) -> bool: ...

    def unplug(self) -> None: ...

    def plug_in(self) -> None: ...

    def expect(self) -> None:
        """Forget drivers that had the line open before."""
        ...

    def connected(self) -> bool:
        """Return True if what is written now reaches the driver."""
        ...

    def close(self) -> None: ...


class SerialEnd:
    """A pseudo terminal."""

    alone = True

    def open(self, folder: Path, number: int) -> None:
        self._line = VirtualSerialLine(folder / f"device-{number}")
        self.settings: dict[str, Any] = {"port": str(self._line.path)}
        self.read, self.write = self._line.read, self._line.write
        self.unplug, self.plug_in = self._line.unplug, self._line.plug_in
        self.close = self._line.close

    def expect(self) -> None:
        """A pseudo terminal knows of none."""

    def connected(self) -> bool:
        return True


class TcpEnd:
    """A TCP port on 127.0.0.1 to which the driver connects."""

    alone = False

    def open(self, folder: Path, number: int) -> None:
        del folder, number
        self._port = VirtualTcpPort()
        self.settings: dict[str, Any] = {"host": "127.0.0.1", "port": self._port.port}
        self.read, self.write = self._port.read, self._port.write
        self.unplug, self.plug_in = self._port.refuse, self._port.listen
        self.close = self._port.close

    def expect(self) -> None:
        self._port.drop_clients()  # A closed one counts until it is noticed.

    def connected(self) -> bool:
        return self._port.wait_for_client(CLIENT_S_MAX)
